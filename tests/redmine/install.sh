#!/bin/sh
# Redmine from Debian's own packages (about 110 of them, 60 MB).  It starts nothing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
sh "$here/../../examples/packages.sh" debconf ruby-bundler curl ca-certificates
# libruby3.1 of the security suite brings an unpatched bundler next to Debian's patched one; with it the
# configuration of redmine fails.  Naming Debian's version gets the patched one.
BUNDLER_VERSION=$(dpkg-query -W -f '${Version}' ruby-bundler | sed 's/^[0-9]*://; s/-.*//')
export BUNDLER_VERSION
# The test makes a database of its own.
[ "$(id -u)" != 0 ] || echo 'redmine redmine/instances/default/dbconfig-install boolean false' | debconf-set-selections
sh "$here/../../examples/packages.sh" redmine redmine-sqlite puma
