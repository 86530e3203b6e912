#!/bin/bash
# A Redmine for one run of the test programs: test_redmine.sh PROGRAM...
set -eu
here=$(cd "$(dirname "$0")" && pwd)
state=$(mktemp -d)
cleanup() {
    sh "$here/down.sh" "$state" || true
    rm -rf "$state"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP
status=0
sh "$here/up.sh" "$state" >"$state/address" 2>"$state/trouble" || status=$?
cat "$state/trouble"
if [ "$status" = 77 ]; then echo "SKIP: Redmine is not installed; sh tests/redmine/install.sh installs it"; fi
[ "$status" = 0 ] || exit "$status"
for program in "$@"; do
    "$program" "$(sed -n 's/^BASE_URL=//p' "$state/address")" "$here/connector.json" || status=$?
done
exit "$status"
