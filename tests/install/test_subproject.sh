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
executable('app', 'app.c', dependencies: casehook, install: true)
B
say "configure"
meson setup "$host/build" "$host" >"$work/log" 2>&1 || { cat "$work/log"; fail "meson setup"; }
say "build"
ninja -C "$host/build" >"$work/log" 2>&1 || { cat "$work/log"; fail "ninja"; }
if grep -q 'warning:' "$work/log"; then cat "$work/log" && fail "warnings"; fi
says "https://cases.example/api/cases" "$host/build/app" cases.example

say "of the subproject only what the host needs to run is installed"
# In the folder of that build, for each kind of library.
installed() {
    rm -rf "$work/root"
    DESTDIR=$work/root meson install -C "$1" --no-rebuild >"$work/log" 2>&1 || { cat "$work/log"; fail "meson install"; }
    (cd "$work" && find root ! -type d 2>/dev/null | sed 's!.*/!!' | sort | tr '\n' ' ')
}
found=$(installed "$host/build")
[[ "$found" =~ ^app\ libcasehook\.so\ libcasehook\.so\.0\.2\ libcasehook\.so\.0\.2\.[0-9]+\ $ ]] || fail "installed: $found"

say "default_library=static"
meson setup --default-library=static "$host/static" "$host" >"$work/log" 2>&1 || { cat "$work/log"; fail "meson setup"; }
ninja -C "$host/static" >"$work/log" 2>&1 || { cat "$work/log"; fail "ninja"; }
says "https://cases.example/api/cases" "$host/static/app" cases.example
if ldd "$host/static/app" | grep casehook; then fail "it is not static"; fi
[ -z "$(find "$host/static" -name 'libcasehook.so*')" ] || fail "a shared library was built"
found=$(installed "$host/static")
[ "$found" = "app " ] || fail "installed: $found"

say "all of it, where it is wanted"
meson configure -Dlibcasehook:install=enabled "$host/static" >"$work/log" 2>&1 || { cat "$work/log"; fail "meson configure"; }
ninja -C "$host/static" >"$work/log" 2>&1 || { cat "$work/log"; fail "ninja"; }
found=$(installed "$host/static")
[ "$found" = "app casehook.h libcasehook.a libcasehook.pc " ] || fail "installed: $found"

say "the library alone"
others=$(cd "$host/build/subprojects/libcasehook" && find . -type f -perm -u+x ! -name 'libcasehook.so*')
[ -z "$others" ] || fail "a subproject builds no programs: $others"
