#!/bin/sh
# The examples of the loop open cases in the demo tracker.
#   examples.sh TRACKER POLL ASYNCIO LIBRARY CONNECTOR [GLIB]
set -eu
tracker=$1 poll=$2 asyncio=$3 library=$4 connector=$5 glib=${6-}
folder=$(mktemp -d)
"$tracker" --port 0 --user demo --password not-a-secret >"$folder/url" &
pid=$!
trap 'kill "$pid" 2>/dev/null || true; rm -rf "$folder"' EXIT
until [ -s "$folder/url" ]; do
  kill -0 "$pid" # it did not start
  sleep 0.1
done
url=$(grep -oE 'http://[0-9.:]+' "$folder/url" | head -n 1)
sed "s#http://127.0.0.1:8080#$url#g" "$connector" >"$folder/connector.json"

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
if ! command -v python3 >/dev/null; then
  echo 'SKIP: python3 is missing, the asyncio example was not run'
elif ldd "$library" | grep -q 'lib[at]san'; then
  echo 'SKIP: python3 cannot load a library with a sanitizer, the asyncio example was not run'
else
  CASEHOOK_LIBRARY=$library python3 "$asyncio" "$folder/connector.json" 'by "asyncio"' $(seq 1 200) >"$folder/asyncio"
  [ "$(sort -u "$folder/asyncio" | grep -c "^case [0-9]*: $url/cases/[0-9]*\$")" = 201 ]
fi

kill "$pid"
wait "$pid" # it ends with 0, or a sanitizer found something
trap 'rm -rf "$folder"' EXIT
# without a server each case fails, and the examples say so
sed "s#http://127.0.0.1:8080#http://127.0.0.1:1#g" "$connector" >"$folder/connector.json"
status=0
echo 'nobody there' | "$poll" "$folder/connector.json" 2>"$folder/error" || status=$?
[ "$status" = 1 ]
grep -q 'no connection' "$folder/error"
