#!/bin/bash
# What "meson install" leaves behind is all that a program needs: test_install.sh SOURCE BUILD
. "$(dirname "$0")/support.sh"
source=$1 build=$2
cc=${CC:-cc}
need "$cc" pkg-config ldd

say "install"
DESTDIR=$work/root meson install -C "$build" --no-rebuild >"$work/log" 2>&1 || { cat "$work/log"; fail "meson install"; }
pc=$(find "$work/root" -name libcasehook.pc)
[ -n "$pc" ] || fail "no libcasehook.pc"
export PKG_CONFIG_PATH=${pc%/*} PKG_CONFIG_SYSROOT_DIR=$work/root
prefix=$(PKG_CONFIG_SYSROOT_DIR='' pkg-config --variable=prefix libcasehook)
library=${pc%/pkgconfig/*}
manuals=()
if command -v lowdown >/dev/null || command -v pandoc >/dev/null; then
    manuals=(share/man/man1/casehook.1 share/man/man3/libcasehook.3 share/man/man5/casehook-connector.5)
else
    echo "SKIP manual pages: neither lowdown nor pandoc is installed"
fi
[ ! -x "$build/examples/casehookd/casehookd" ] || [ "${#manuals[@]}" = 0 ] || manuals+=(share/man/man8/casehookd.8)
# The outbox is there where it could be built.
outbox=()
if [ -n "$(find "$build/lib/outbox" -name 'libcasehook-outbox.so' 2>/dev/null)" ]; then
    o=${library#"$work/root$prefix/"}
    outbox=(include/casehook_outbox.h "$o/libcasehook-outbox.a" "$o/libcasehook-outbox.so" "$o/libcasehook-outbox.so.0.2"
        "$o/libcasehook-outbox.so.$(pkg-config --modversion libcasehook)" "$o/pkgconfig/libcasehook-outbox.pc")
fi
[ ! -x "$build/examples/casehookd/casehookd" ] ||
    outbox+=(bin/casehookd lib/systemd/system/casehookd.service lib/sysusers.d/casehookd.conf)
[ ! -f "$build/examples/hosts/collectd/casehook.so" ] || outbox+=(lib/collectd/casehook.so)
installed=$(cd "$work/root$prefix" && find . ! -type d | sort)
expected=$(cd "$work/root$prefix" && l=${library#"$work/root$prefix/"} && printf './%s\n' bin/casehook \
    include/casehook.h "$l/libcasehook.a" "$l/libcasehook.so" "$l/libcasehook.so.0.2" \
    "$l/libcasehook.so.$(pkg-config --modversion libcasehook)" "$l/pkgconfig/libcasehook.pc" ${manuals[@]+"${manuals[@]}"} ${outbox[@]+"${outbox[@]}"} | sort)
[ "$installed" = "$expected" ] || { diff <(echo "$expected") <(echo "$installed"); fail "other files than these"; }
if pkg-config --libs libcasehook | grep -qE 'curl|jansson|ssl|idn'; then
    fail "a shared program must not link what the library links: $(pkg-config --libs libcasehook)"
fi

say "manual pages"
for page in ${manuals[@]+"${manuals[@]}"}; do
    page=$work/root$prefix/$page
    grep -q 'SEE ALSO' "$page" && grep -q "libcasehook $(pkg-config --modversion libcasehook)" "$page" || fail "$page is no manual page"
    if command -v man >/dev/null; then
        MANWIDTH=80 man --warnings -l "$page" >"$work/page" 2>"$work/log" || { cat "$work/log"; fail "man $page"; }
        grep -q '^NAME' "$work/page" || fail "man shows nothing of $page"
        if grep -q '(#\|```\|^ *|' "$work/page"; then fail "$page has marks of its source"; fi
    fi
done

# shellcheck disable=SC2046  # the flags of pkg-config are words
flags() { pkg-config "$@" libcasehook; }

unset LD_LIBRARY_PATH
say "the tool, moved to an odd place"
odd="$work/an odd place"
cp -a "$work/root$prefix" "$odd"
if "$build/examples/casehook" --help >/dev/null 2>&1; then # not so in a build of a sanitizer that does not run here
    says casehook "$work/root$prefix/bin/casehook" --help
    says casehook "$odd/bin/casehook" --help
fi

say "a program with the shared library"
rpath=$(PKG_CONFIG_SYSROOT_DIR='' pkg-config --variable=rpath libcasehook)
[ "$rpath" = "-Wl,-rpath,${library#"$work/root"}" ] || fail "rpath of the .pc file: $rpath"
# What the variable says, and where the files are for this test.
rpath="-Wl,-rpath,$library"
# shellcheck disable=SC2046
"$cc" -Wall -Wextra -Werror "$source/tests/install/app.c" $(flags --cflags --libs) "$rpath" -o "$work/shared"
ldd "$work/shared" | grep -q "$library/libcasehook.so.0.2" || fail "it does not load the installed library"
says "https://cases.example/api/cases" "$work/shared" cases.example

if command -v c++ >/dev/null; then
    say "the same in C++"
    # shellcheck disable=SC2046
    c++ -x c++ -std=c++11 "$source/tests/install/app.c" -x none $(flags --cflags --libs) "$rpath" -o "$work/cpp"
    says '"not_sent"' "$work/cpp" cases.example
fi

say "a program with the static library"
rm "$library"/libcasehook.so*
# The linker wants every library that libcurl itself was linked with, needed or not.
missing=
for flag in $(flags --static --libs); do
    case $flag in
    -lcasehook) ;;
    -l*) echo 'int main(void) { return 0; }' | "$cc" -x c - -o "$work/none" "$flag" 2>/dev/null || missing="$missing $flag" ;;
    esac
done
if [ -n "$missing" ]; then
    echo "SKIP pkg-config --static: libcurl asks for libraries that are not installed here:$missing"
    libs="$(flags --libs) $(PKG_CONFIG_SYSROOT_DIR='' pkg-config --libs libcurl jansson openssl) -pthread"
    if PKG_CONFIG_SYSROOT_DIR='' flags --print-requires-private | grep -q libidn2; then libs="$libs -lidn2"; fi
    if PKG_CONFIG_SYSROOT_DIR='' flags --print-requires-private | grep -q libutf8proc; then libs="$libs -lutf8proc"; fi
else
    libs=$(flags --static --libs)
fi
# shellcheck disable=SC2046,SC2086
"$cc" -Wall -Wextra -Werror "$source/tests/install/app.c" $(flags --static --cflags) $libs -o "$work/static"
if ldd "$work/static" | grep casehook; then fail "it is not static"; fi
says "https://cases.example/api/cases" "$work/static" cases.example

say "every example"
for example in "$source"/examples/*.c; do
    extra=
    case ${example##*/} in
    loop_glib.c) extra=glib-2.0 ;;
    loop_uv.c) extra=libuv ;;
    esac
    if [ -n "$extra" ] && ! PKG_CONFIG_SYSROOT_DIR='' pkg-config --exists "$extra"; then
        echo "SKIP ${example##*/}: $extra is not installed"
        continue
    fi
    # shellcheck disable=SC2046
    "$cc" -Wall -Wextra -Werror -c "$example" $(flags --cflags) \
        ${extra:+$(PKG_CONFIG_SYSROOT_DIR='' pkg-config --cflags "$extra")} -o "$work/example.o" || fail "$example"
done
