#!/bin/sh
# Both examples of hosts with their own HTTP client push a case into the demo tracker.
#   exchange_examples.sh TRACKER SOCKETS URLLIB LIBRARY CONNECTOR
set -eu
tracker=$1 sockets=$2 urllib=$3 library=$4 connector=$5
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
"$sockets" "$folder/connector.json" 'by "sockets"' | tee "$folder/sockets"
grep -q "^case 1: $url/cases/1\$" "$folder/sockets"
if ! command -v python3 >/dev/null; then
  echo 'SKIP: python3 is missing, the urllib example was not run'
elif ldd "$library" | grep -q 'lib[at]san'; then
  echo 'SKIP: python3 cannot load a library with a sanitizer, the urllib example was not run'
else
  CASEHOOK_LIBRARY=$library python3 "$urllib" "$folder/connector.json" 'by "urllib"' | tee "$folder/urllib"
  grep -q "^case 2: $url/cases/2\$" "$folder/urllib"
fi
kill "$pid"
wait "$pid" # it ends with 0, or a sanitizer found something
trap 'rm -rf "$folder"' EXIT
# without a server: the error says so, and that nothing was sent
sed "s#http://127.0.0.1:8080#http://127.0.0.1:1#g" "$connector" >"$folder/connector.json"
status=0
"$sockets" "$folder/connector.json" 'nobody there' 2>"$folder/error" || status=$?
[ "$status" = 1 ]
grep -q 'no connection' "$folder/error"
