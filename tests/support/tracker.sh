# tracker.sh - for scripts that let examples open cases in the demo tracker; sourced, behind "set -eu".

# tracker_begin TRACKER CONNECTOR: starts it, and $folder/connector.json leads to it at $url.
tracker_begin() {
  folder=$(mktemp -d) connector=$2
  "$1" --port 0 --user demo --password not-a-secret >"$folder/url" &
  pid=$!
  trap 'kill "$pid" 2>/dev/null || true; rm -rf "$folder"' EXIT
  until [ -s "$folder/url" ]; do
    kill -0 "$pid" # it did not start
    sleep 0.1
  done
  url=$(grep -oE 'http://[0-9.:]+' "$folder/url" | head -n 1)
  tracker_lead "$url"
}

tracker_lead() {
  sed "s#http://127.0.0.1:8080#$1#g" "$connector" >"$folder/connector.json"
}

# tracker_python LIBRARY NAME: whether examples in Python can be run; NAME is what is left out else.
tracker_python() {
  if ! command -v python3 >/dev/null; then
    echo "SKIP: python3 is missing, the $2 example was not run"
    return 1
  elif ldd "$1" | grep -q 'lib[at]san'; then
    echo "SKIP: python3 cannot load a library with a sanitizer, the $2 example was not run"
    return 1
  fi
}

# tracker_end PROGRAM [ARGUMENT]...: ends it; without a server the program fails, and says why.
tracker_end() {
  kill "$pid"
  wait "$pid" # it ends with 0, or a sanitizer found something
  trap 'rm -rf "$folder"' EXIT
  tracker_lead http://127.0.0.1:1
  status=0
  "$@" 2>"$folder/error" || status=$?
  [ "$status" = 1 ]
  grep -q 'no connection' "$folder/error"
}
