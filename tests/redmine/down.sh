#!/bin/sh
# Ends the one server that up.sh started: down.sh STATE_DIR.  Known by its process id and its start time.
set -eu
state=${1:?usage: down.sh STATE_DIR}
[ -s "$state/pid" ] || exit 0
read -r pid started <"$state/pid"
same() { [ -n "$started" ] && [ "$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -d' ' -f20)" = "$started" ]; }
if same; then
    kill "$pid"
    tenths=0
    while same && [ "$tenths" -lt 100 ]; do
        tenths=$((tenths + 1))
        sleep 0.1
    done
    ! same || kill -9 "$pid"
fi
rm -f "$state/pid"
