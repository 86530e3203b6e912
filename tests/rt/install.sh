#!/bin/sh
# Request Tracker 5 from Debian's own packages (about 300 of them, most of them small ones of Perl).  It starts nothing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
sh "$here/../../examples/packages.sh" debconf curl sqlite3
# The test makes a database and a configuration of its own.
if [ "$(id -u)" = 0 ]; then
    for answer in 'dbconfig-install boolean false' 'install-cronjobs boolean false' 'handle-siteconfig-permissions boolean false'; do
        echo "request-tracker5 request-tracker5/$answer" | debconf-set-selections
    done
fi
sh "$here/../../examples/packages.sh" request-tracker5 rt5-db-sqlite starman
