#!/bin/sh
# Both examples of hosts with their own HTTP client push a case into the demo tracker.
#   exchange_examples.sh TRACKER SOCKETS URLLIB LIBRARY CONNECTOR
set -eu
. "$(dirname "$0")/../support/tracker.sh"
sockets=$2 urllib=$3 library=$4
tracker_begin "$1" "$5"
"$sockets" "$folder/connector.json" 'by "sockets"' | tee "$folder/sockets"
grep -q "^case 1: $url/cases/1\$" "$folder/sockets"
if tracker_python "$library" urllib; then
  CASEHOOK_LIBRARY=$library python3 "$urllib" "$folder/connector.json" 'by "urllib"' | tee "$folder/urllib"
  grep -q "^case 2: $url/cases/2\$" "$folder/urllib"
fi
tracker_end "$sockets" "$folder/connector.json" 'nobody there'
