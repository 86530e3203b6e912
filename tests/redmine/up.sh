#!/bin/sh
# Redmine on a loopback port that the kernel picks, with one SQLite file in STATE_DIR and its REST API on.
#   up.sh STATE_DIR      prints BASE_URL; exit code 77: Redmine is not installed (install.sh does that)
#                        REDMINE_PORT, when it is set: the port, to start it where it was before
# What is there already (database, server) is not made again.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:?usage: up.sh STATE_DIR}"
state=$(cd "$1" && pwd -P)
chmod 700 "$state"
app=/usr/share/redmine

say() { echo "redmine: $*" >&2; }
installed() { [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null)" = 'ii ' ]; }
for package in redmine redmine-sqlite puma ruby-bundler curl; do
    installed "$package" || { say "$package is not installed; see tests/redmine/install.sh"; exit 77; }
done

# The environment of every process of Redmine.
BUNDLER_VERSION=$(dpkg-query -W -f '${Version}' ruby-bundler | sed 's/^[0-9]*://; s/-.*//')
BUNDLE_GEMFILE=$state/Gemfile
BUNDLE_SILENCE_ROOT_WARNING=1
RAILS_ENV=production
REDMINE_INSTANCE=../../../../../../..$state # a path below $app/instances: leave it by way of the root
REDMINE_LANG=en
SCHEMA=/dev/null
HOME=$state
export BUNDLER_VERSION BUNDLE_GEMFILE BUNDLE_SILENCE_ROOT_WARNING RAILS_ENV REDMINE_INSTANCE REDMINE_LANG SCHEMA HOME
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY

if [ ! -e "$state/ready" ]; then
    say "creating the database"
    mkdir -p "$state/config" "$state/log" "$state/files" "$state/tmp/cache" "$state/public/plugin_assets"
    cat >"$state/config/database.yml" <<Y
production:
  adapter: sqlite3
  database: $state/redmine.sqlite3
  timeout: 20000
Y
    od -An -N64 -tx1 /dev/urandom | tr -d ' \n' >"$state/config/secret_key.txt"
    cat >"$state/Gemfile" <<'G'
eval_gemfile '/usr/share/redmine/Gemfile'
gem 'sqlite3', '~> 1.4' unless dependencies.any? { |d| d.name == 'sqlite3' }
gem 'puma' unless dependencies.any? { |d| d.name == 'puma' }
G
    {
        cd "$app"
        bundle install --local --quiet
        bundle exec rake db:migrate
        bundle exec rake redmine:load_default_data
        bundle exec rails runner "$here/setup.rb"
    } >"$state/setup.log" 2>&1 </dev/null || { tail -n 20 "$state/setup.log" >&2; exit 1; }
    touch "$state/ready"
fi

start_time() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }
alive() {
    [ -s "$state/pid" ] || return 1
    read -r pid started <"$state/pid"
    [ -n "$started" ] && [ "$(start_time "$pid")" = "$started" ]
}
address() { sed -n 's|.*Listening on \(http://127\.0\.0\.1:[0-9]*\)$|\1|p' "$state/server.log"; }
if ! alive; then
    say "starting puma"
    cd "$app"
    bundle exec puma -C - -e production -b "tcp://127.0.0.1:${REDMINE_PORT:-0}" -t 1:4 -w 0 >"$state/server.log" 2>&1 </dev/null &
    sleep 0.2
    echo "$! $(start_time $!)" >"$state/pid"
fi
seconds=0
until [ -n "$(address)" ] &&
    [ "$(curl -s -o "$state/page" -w '%{http_code}' --max-time 20 "$(address)/projects/cases.json")" = 200 ]; do
    seconds=$((seconds + 1))
    if ! alive || [ "$seconds" -gt 180 ]; then
        say "no answer from the server"
        tail -n 20 "$state/server.log" >&2
        exit 1
    fi
    sleep 1
done
echo "BASE_URL=$(address)"
