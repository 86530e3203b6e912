#!/bin/sh
# usage: spoil.sh CONFORMANCE FOLDER
# With one wrong expectation in each vector none of them may pass: what passes is not compared.
set -u
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
"$1" --spoil "$2" "$work/spoiled" || exit 1
"$1" --passed "$work/spoiled" >"$work/out"
tail -n 1 "$work/out"
if tail -n 1 "$work/out" | grep -q '^0 passed, [1-9]'; then exit 0; fi
echo "vectors with a wrong expectation passed:"
grep '^PASS' "$work/out"
exit 1
