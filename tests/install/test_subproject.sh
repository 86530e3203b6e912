#!/bin/bash
# The library inside another meson project: test_subproject.sh SOURCE
. "$(dirname "$0")/support.sh"
source=$1
need meson ninja

host=$work/host
mkdir -p "$host/subprojects"
ln -s "$source" "$host/subprojects/libcasehook"
cp "$source/tests/install/app.c" "$host/app.c"
cat >"$host/meson.build" <<'B'
project('host', 'c', default_options: ['warning_level=0'])
casehook = dependency('libcasehook', fallback: 'libcasehook')
assert(casehook.version().version_compare('>= 0.1'), 'the version is told')
executable('app', 'app.c', dependencies: casehook)
B
say "configure"
meson setup "$host/build" "$host" >"$work/log" 2>&1 || { cat "$work/log"; fail "meson setup"; }
say "build"
ninja -C "$host/build" >"$work/log" 2>&1 || { cat "$work/log"; fail "ninja"; }
if grep -q 'warning:' "$work/log"; then cat "$work/log" && fail "warnings"; fi
says "https://cases.example/api/cases" "$host/build/app" cases.example

say "the library alone"
others=$(cd "$host/build/subprojects/libcasehook" && find . -type f -perm -u+x ! -name 'libcasehook.so*')
[ -z "$others" ] || fail "a subproject builds no programs: $others"
