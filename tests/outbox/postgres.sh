#!/bin/bash
# Runs a test with a PostgreSQL server of its own: postgres.sh PROGRAM ARGUMENTS... LOCATION is appended.
# CASEHOOK_PG_DATA names its folder, for tests that stop and start it: pg.sh stop|start|kill in it.
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
if [ -z "$bin" ] || ! command -v psql >/dev/null; then
    echo "SKIP: PostgreSQL is not installed"
    exit 77
fi
# The server does not run as root.
as=()
if [ "$(id -u)" = 0 ]; then
    if ! id postgres >/dev/null 2>&1; then
        echo "SKIP: there is no user postgres"
        exit 77
    fi
    as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
fi
data=$(mktemp -d "${TMPDIR:-/tmp}/casehook-pg.XXXXXX") || exit 1
[ "$(id -u)" != 0 ] || chown postgres "$data"
stop() {
    cd / && "${as[@]}" "$bin/pg_ctl" -D "$data/db" -m immediate -w stop >/dev/null 2>&1
    rm -rf "$data"
}
trap stop EXIT
cd /
"${as[@]}" "$bin/initdb" -D "$data/db" -A trust -U casehook --no-sync >"$data/log.init" 2>&1 || { cat "$data/log.init"; exit 1; }
cat >"$data/pg.sh" <<P
#!/bin/bash
cd /
case \$1 in
start) exec ${as[@]} "$bin/pg_ctl" -D "$data/db" -l "$data/log" -w -o "-c listen_addresses= -c unix_socket_directories=$data -c max_connections=50 -c deadlock_timeout=100ms" start ;;
stop) exec ${as[@]} "$bin/pg_ctl" -D "$data/db" -m fast -w stop ;;
kill) exec ${as[@]} "$bin/pg_ctl" -D "$data/db" -m immediate -w stop ;;
esac
P
chmod +x "$data/pg.sh"
"$data/pg.sh" start >"$data/log.start" 2>&1 || { cat "$data/log.start" "$data/log"; exit 1; }
export CASEHOOK_PG_DATA=$data
cd - >/dev/null 2>&1
"$@" "postgresql://casehook@/postgres?host=$data"
