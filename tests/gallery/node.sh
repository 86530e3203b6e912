#!/bin/sh
# The programs of npm that the test needs, in FOLDER: node.sh FOLDER
# Exit code 77, with the reason: they are not to be had here.
set -eu
folder=${1:?usage: node.sh FOLDER}
want='@stoplight/prism-cli@5.14.2 graphql@16.11.0'
for program in node npm; do
    command -v "$program" >/dev/null || { echo "SKIP: $program is not installed"; exit 77; }
done
[ "$(cat "$folder/ready" 2>/dev/null)" != "$want" ] || exit 0
mkdir -p "$folder"
# npm knows certificate authorities of its own alone; those of this machine are wanted as well.
NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}
export NODE_EXTRA_CA_CERTS
echo '{"private": true}' >"$folder/package.json"
# shellcheck disable=SC2086 # two words
(cd "$folder" && npm install --no-audit --no-fund --no-update-notifier --ignore-scripts --fetch-retries=1 $want) >"$folder/npm.log" 2>&1 || {
    echo "SKIP: npm could not install $want: $(grep -m 1 -i 'error' "$folder/npm.log" || echo 'see npm.log')"
    exit 77
}
echo "$want" >"$folder/ready"
