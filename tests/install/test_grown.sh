#!/bin/bash
# A program of today with a library whose structs have grown: test_grown.sh SOURCE TRACKER
. "$(dirname "$0")/support.sh"
source=$1 tracker=$(realpath "$2")
cc=${CC:-cc}
need "$cc" sed

say "a library that appends a member to what it fills"
cp -r "$source/include" "$source/lib" "$work"
cd "$work"
sed -i -e '/^struct casehook_http_header {$/,/^};$/s/^};$/    const char *origin;\n};/' \
    -e '/^struct casehook_http_request {$/,/^};$/s/^};$/    const char *origin;\n    size_t tries;\n};/' include/casehook.h
[ "$(grep -c 'const char \*origin;' include/casehook.h)" = 2 ] || fail "the structs were not found"
"$cc" -fPIC -shared -Iinclude -Ilib lib/*/*.c -Wl,-soname,libcasehook.so.0.2 -lcurl -ljansson -lssl -lcrypto \
    -o libcasehook.so.0.2 || fail "$cc: the library"
ln -s libcasehook.so.0.2 libcasehook.so

say "an example of today, with it"
"$cc" -Wall -Wextra -Werror -I"$source/include" "$source/examples/exchange_sockets.c" -L. -lcasehook -o sockets || fail "$cc"
LD_LIBRARY_PATH=$work ldd sockets | grep -q "$work/libcasehook.so.0.2" || fail "it has another library"
LD_LIBRARY_PATH=$work sh "$source/tests/api/exchange_examples.sh" "$tracker" "$work/sockets" \
    "$source/examples/python/exchange_urllib.py" "$work/libcasehook.so.0.2" "$source/examples/connectors/tracker.json" ||
    fail "the examples"
