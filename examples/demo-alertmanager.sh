#!/bin/bash
# The life of an alert, for real: Prometheus Alertmanager, casehookd and a small case tracker on this machine.  An alert
# fires, changes, is resolved and fires again, and a killed daemon loses nothing of it.  Then collectd: a threshold that is
# crossed and left.
#   demo-alertmanager.sh
# It asks nothing, builds in a folder of its own (build-demo), needs under two minutes beside that, and leaves nothing running.
set -u

packages=(gcc libc6-dev meson ninja-build pkg-config curl libcurl4-openssl-dev libjansson-dev libssl-dev libidn2-dev
    libmicrohttpd-dev libsqlite3-dev prometheus-alertmanager collectd-core collectd-dev)
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd) || exit 1
build=$top/build-demo
work=
running=()

fail() {
    echo "demo: $*" >&2
    [ -z "$work" ] || tail -n 20 "$work"/*.log >&2
    exit 1
}

stop() {
    local process
    for process in "${running[@]}"; do
        kill "$process" 2>/dev/null
        wait "$process" 2>/dev/null
    done
    [ -z "$work" ] || rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

step() { printf '\n== %s\n' "$*"; }
quietly() { "$@" >"$work/build.log" 2>&1 || fail "$1 failed, see above"; }
have_all() {
    local tool
    for tool in "${CC:-cc}" meson ninja pkg-config curl amtool prometheus-alertmanager; do
        command -v "$tool" >/dev/null || return 1
    done
    [ -x /usr/sbin/collectd ] && [ -f /usr/include/collectd/core/daemon/plugin.h ] &&
        pkg-config --exists 'libcurl >= 7.88' 'jansson >= 2.14' 'openssl >= 3.0' libmicrohttpd sqlite3
}

# Until a command succeeds: half a minute at most.
until_so() {
    local what=$1
    shift
    for _ in {1..150}; do
        "$@" && return
        sleep 0.2
    done
    fail "it never came to this: $what"
}

cases() { curl -sS --fail --max-time 10 --noproxy '*' --user demo:not-a-secret "$url/api/cases"; }
has() { cases >"$work/cases" && grep -q -- "$1" "$work/cases"; }
# The case as a person sees it.
show_case() { # NUMBER
    curl -sS --fail --max-time 10 --noproxy '*' --user demo:not-a-secret "$url/cases/$1" >"$work/page" || fail "no page"
    sed -e '1,/<body>/d' -e 's|</t[hd]><t[hd]>|: |g' -e 's/<[^>]*>//g' -e '/^$/d' -e 's/&lt;/</g' -e 's/&gt;/>/g' \
        -e 's/&quot;/"/g' -e "s/&#39;/'/g" -e 's/&amp;/\&/g' "$work/page" | sed 's/^/    /'
}

start_daemon() {
    : >"$work/casehookd.log"
    casehookd casehookd.json 2>"$work/casehookd.log" &
    daemon=$!
    running+=("$daemon")
    until_so "casehookd is ready" grep -q "listening on" "$work/casehookd.log"
}

work=$(mktemp -d) || fail "mktemp failed"
step "Build"
have_all || sh "$top/examples/packages.sh" "${packages[@]}" || fail "some packages are missing, see above"
mkdir -p "$build" || fail "$build cannot be made"
exec 9>"$build/.lock"
if command -v flock >/dev/null; then flock 9; fi
if [ -f "$build/build.ninja" ]; then
    quietly meson configure "$build" -Doutbox=enabled
else
    quietly meson setup "$build" "$top" -Dexamples=enabled -Dtests=disabled -Doutbox=enabled
fi
quietly ninja -C "$build" examples/casehook examples/tracker examples/casehookd/casehookd examples/hosts/collectd/casehook.so
exec 9>&-
PATH=$build/examples:$build/examples/casehookd:$PATH
cd "$work" || exit 1

step "A case tracker, casehookd and Alertmanager"
tracker --user demo --password not-a-secret >url 2>tracker.log &
running+=("$!")
until_so "the tracker listens" test -s url
url=$(cat url)
sed "s|http://127.0.0.1:8080|$url|" "$top/examples/connectors/tracker.json" >tracker.json || exit 1
# Ports that are free now.
ports=$(python3 -c 'import socket
s = [socket.socket() for _ in range(2)]
[each.bind(("127.0.0.1", 0)) for each in s]
print(*[each.getsockname()[1] for each in s])')
read -r port manager_port <<<"$ports"
cat >casehookd.json <<JSON
{
  "connectors": {"tracker": "tracker.json"},
  "outbox": {"location": "$work/outbox.db", "retryBase": "200ms", "retryMax": "2s"},
  "http": {"listen": "127.0.0.1:$port"},
  "sources": [
    {"type": "alertmanager", "connector": "tracker", "login": {"bearer": "demo-token"}, "case": {"tags": ["{{commonLabels.team}}"]}}
  ]
}
JSON
cat >alertmanager.yml <<YAML
route: {receiver: cases, group_by: [alertname], group_wait: 1s, group_interval: 1s, repeat_interval: 1h}
receivers:
  - name: cases
    webhook_configs:
      - url: http://127.0.0.1:$port/alertmanager
        http_config: {authorization: {credentials: demo-token}}
YAML
casehookd --check casehookd.json || fail "the configuration has faults"
start_daemon
prometheus-alertmanager --config.file=alertmanager.yml --storage.path="$work/data" --cluster.listen-address= \
    --web.listen-address="127.0.0.1:$manager_port" >alertmanager.log 2>&1 &
running+=("$!")
manager=http://127.0.0.1:$manager_port
until_so "Alertmanager is ready" curl -sS --fail --max-time 5 --noproxy '*' -o /dev/null "$manager/-/ready" 2>/dev/null
add() {
    echo "$ amtool alert add $*"
    no_proxy=127.0.0.1 amtool --alertmanager.url="$manager" alert add "$@" || fail "amtool ended with $?"
}

step "An alert fires"
add DiskFull instance=web-01 severity=critical team=infra --annotation='summary=sda1 is at 99 %'
until_so "there is a case" has '"key": *"CASE-1"'
show_case 1

step "It changes: a second machine"
add DiskFull instance=web-02 severity=critical team=infra --annotation='summary=sda1 is at 98 %'
until_so "the case has a comment" has '2 firing'
show_case 1

step "casehookd is killed (kill -9), then both are resolved; Alertmanager asks again until it is back"
kill -9 "$daemon"
wait "$daemon" 2>/dev/null
end=$(date -u -d '+1 second' +%Y-%m-%dT%H:%M:%SZ)
add DiskFull instance=web-01 severity=critical team=infra --end="$end"
add DiskFull instance=web-02 severity=critical team=infra --end="$end"
sleep 2
start_daemon
until_so "the case is closed" has '"status": *"closed"'
show_case 1

step "It fires again: the same case is open again"
add DiskFull instance=web-01 severity=critical team=infra --annotation='summary=sda1 is at 99 %'
until_so "the case is open" has '"status": *"open"'
until_so "all is delivered" has '1 firing'
show_case 1

step "collectd: a threshold is crossed, and left"
mkdir modules || exit 1
cp /usr/lib/collectd/{unixsock,threshold}.so "$build/examples/hosts/collectd/casehook.so" modules || exit 1
cat >collectd.conf <<CONF
Hostname "web-03"
FQDNLookup false
BaseDir "$work"
PIDFile "$work/collectd.pid"
PluginDir "$work/modules"
TypesDB "/usr/share/collectd/types.db"
LoadPlugin unixsock
<Plugin unixsock>
  SocketFile "$work/socket"
</Plugin>
LoadPlugin threshold
<Plugin threshold>
  <Plugin "disk">
    <Type "gauge">
      FailureMax 90
    </Type>
  </Plugin>
</Plugin>
LoadPlugin casehook
<Plugin casehook>
  Outbox "$work/outbox.db"
  To "tracker"
</Plugin>
CONF
LD_LIBRARY_PATH=$build/lib:$build/lib/outbox /usr/sbin/collectd -f -C collectd.conf >collectd.log 2>&1 &
running+=("$!")
until_so "collectd listens" test -S socket
measure() { # TIME VALUE
    echo "$ PUTVAL web-03/disk-sda1/gauge-used $2"
    python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect("socket")
s.sendall(sys.argv[1].encode() + b"\n")
s.recv(4096)' "PUTVAL web-03/disk-sda1/gauge-used interval=10 $1:$2" || fail "collectd did not take the value"
}
measure 1800000000 99
until_so "there is a second case" has '"key": *"CASE-2"'
measure 1800000001 50
until_so "it is closed" has '"status": *"closed"'
show_case 2
echo "cases in all: $(cases | grep -o '"key": *"CASE' | wc -l)"

step "What is in the outbox"
casehook outbox list --outbox outbox.db
curl -sS --noproxy '*' "http://127.0.0.1:$port/metrics" | grep -E '^casehook_(outbox_delivered|source_requests)_total' | grep -v ' 0$'
step "Done; everything is stopped now"
