#!/bin/sh
# Request Tracker 5 on a loopback port, with one SQLite file in STATE_DIR, a custom field "Reference" and an account with a token.
#   up.sh STATE_DIR      prints BASE_URL and TOKEN; exit code 77: it is not installed (install.sh does that)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:?usage: up.sh STATE_DIR}"
state=$(cd "$1" && pwd -P)
chmod 700 "$state"

say() { echo "request tracker: $*" >&2; }
for package in request-tracker5 rt5-db-sqlite starman curl; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
        { say "$package is not installed; see tests/rt/install.sh"; exit 77; }
done
RT_SITE_CONFIG=$state/RT_SiteConfig.pm
RT_SITE_CONFIG_DIR=$state/config
export RT_SITE_CONFIG RT_SITE_CONFIG_DIR
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY
mkdir -p "$state/config" "$state/log" "$state/mason" "$state/session"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$RT_SITE_CONFIG" <<P
Set(\$rtname, 'casehook');
Set(\$Organization, 'casehook.example');
Set(\$DatabaseType, 'SQLite');
Set(\$DatabaseName, '$state/rt.sqlite3');
Set(\$WebDomain, '127.0.0.1');
Set(\$WebPort, $port);
Set(\$LogToSyslog, undef);
Set(\$LogToSTDERR, 'error');
Set(\$LogToFile, 'warning');
Set(\$LogDir, '$state/log');
Set(\$MailCommand, 'testfile');
Set(\$MasonDataDir, '$state/mason');
Set(\$MasonSessionDir, '$state/session');
Set(\$Timezone, 'UTC');
1;
P
say "creating the database"
{ rt-setup-database-5 --action init --dba root --skip-create; } >"$state/setup.log" 2>&1 </dev/null ||
    { tail -n 20 "$state/setup.log" >&2; exit 1; }
perl "$here/setup.pl" >"$state/token" 2>"$state/setup.log" || { tail -n 20 "$state/setup.log" >&2; exit 1; }
token=$(tail -n 1 "$state/token")
say "starting starman"
(cd "$state" && exec /usr/share/request-tracker5/libexec/rt-server --server Starman --listen "127.0.0.1:$port" --workers 2 \
    --pid "$state/pid") >"$state/server.log" 2>&1 </dev/null &
seconds=0
until [ "$(curl -s -o /dev/null -w '%{http_code}' --max-time 20 -H "Authorization: token $token" \
    "http://127.0.0.1:$port/REST/2.0/queue/General")" = 200 ]; do
    seconds=$((seconds + 1))
    if [ "$seconds" -gt 120 ]; then
        say "no answer from the server"
        tail -n 20 "$state/server.log" >&2
        exit 1
    fi
    sleep 1
done
echo "BASE_URL=http://127.0.0.1:$port"
echo "TOKEN=$token"
