#!/bin/sh
# Ends what up.sh started: down.sh STATE_DIR
set -eu
pid=$(cat "${1:?usage: down.sh STATE_DIR}/pid" 2>/dev/null) || exit 0
kill "$pid" 2>/dev/null || exit 0
seconds=0
while kill -0 "$pid" 2>/dev/null && [ "$seconds" -lt 30 ]; do
    seconds=$((seconds + 1))
    sleep 1
done
