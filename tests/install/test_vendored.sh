#!/bin/bash
# The sources in somebody's tree, with the one command of the README and no build system:
# test_vendored.sh SOURCE
. "$(dirname "$0")/support.sh"
source=$1
cc=${CC:-cc}
need "$cc"

mkdir "$work/tree"
cp -r "$source/include" "$source/lib" "$work/tree"
cp "$source/tests/install/app.c" "$work/tree"
cd "$work/tree"

say "cc -Iinclude -Ilib app.c lib/*/*.c -lcurl -ljansson -lssl -lcrypto"
"$cc" -Iinclude -Ilib app.c lib/*/*.c -lcurl -ljansson -lssl -lcrypto -o app 2>"$work/log" || { cat "$work/log"; fail "$cc"; }
[ ! -s "$work/log" ] || { cat "$work/log"; fail "it warns"; }
says "https://cases.example/api/cases" ./app cases.example
says "https://xn--bcher-kva.example/api/cases" ./app xn--bcher-kva.example

say "without libidn2 a host with other letters is refused, with the remedy"
refuses "xn--" ./app bücher.example
refuses "createIncidentUrl" ./app bücher.example

say "in a strict language mode, with what the sources need from POSIX"
"$cc" -std=c11 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Wpedantic -Werror -fsyntax-only -Iinclude -Ilib lib/*/*.c
