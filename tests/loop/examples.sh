#!/bin/sh
# The examples of the loop open cases in the demo tracker.
#   examples.sh TRACKER POLL ASYNCIO LIBRARY CONNECTOR [GLIB]
set -eu
. "$(dirname "$0")/../support/tracker.sh"
poll=$2 asyncio=$3 library=$4 glib=${6-}
tracker_begin "$1" "$5"

# more lines than the loop takes at once, the last one without its end
{ seq 1 500 | sed 's/^/disk full on host /'; printf 'the last one'; } >"$folder/titles"
"$poll" "$folder/connector.json" <"$folder/titles" >"$folder/cases"
[ "$(sort -u "$folder/cases" | grep -c "^case [0-9]*: $url/cases/[0-9]*\$")" = 501 ]
"$poll" "$folder/connector.json" </dev/null

if [ -n "$glib" ]; then
  "$glib" "$folder/connector.json" 'by "glib"' two three >"$folder/glib"
  [ "$(grep -c "^case 50[234]: " "$folder/glib")" = 3 ]
else
  echo 'SKIP: glib-2.0 is missing, its example was not built'
fi
if tracker_python "$library" asyncio; then
  CASEHOOK_LIBRARY=$library python3 "$asyncio" "$folder/connector.json" 'by "asyncio"' $(seq 1 200) >"$folder/asyncio"
  [ "$(sort -u "$folder/asyncio" | grep -c "^case [0-9]*: $url/cases/[0-9]*\$")" = 201 ]
fi

echo 'nobody there' >"$folder/title"
tracker_end "$poll" "$folder/connector.json" <"$folder/title"
