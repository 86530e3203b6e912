#!/bin/sh
# Installs those of the named Debian packages that are missing: packages.sh NAME...
# Says what it does, asks nothing, removes nothing and starts none of the services it brings.
set -eu

say() { echo "packages: $*" >&2; }
installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    say "this system has no apt-get; please install what it calls: $*"
    exit 1
fi
missing=
for package; do installed "$package" || missing="$missing $package"; done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then exec sudo -n sh "$0" "$@"; fi
    say "missing, and only root can install:$missing"
    say "run:  sudo apt-get install --no-install-recommends$missing"
    exit 1
fi

# A server that is installed must not begin to listen.  Debian asks this file; 101 means no.
policy=/usr/sbin/policy-rc.d
mark='written by libcasehook packages.sh'
log=$(mktemp)
cleanup() {
    rm -f "$log"
    if grep -qs "$mark" "$policy"; then rm -f "$policy"; fi
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

mkdir -p /run/lock
exec 9>/run/lock/libcasehook-packages
flock 9 # a second run waits, or it would lose the policy of the first
[ -e "$policy" ] || printf '#!/bin/sh\n# %s\nexit 101\n' "$mark" >"$policy"
chmod 755 "$policy"

export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
apt() { apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" </dev/null >"$log" 2>&1; }

say "installing:$missing"
apt update || say "apt-get update failed; trying with the lists that are here"
# shellcheck disable=SC2086  # a list of words
if ! apt install --no-install-recommends --no-remove $missing; then
    tail -n 30 "$log" >&2
    say "apt-get could not install:$missing"
    exit 1
fi
