#!/bin/bash
# The whole library as one file, compiled and linked by hand: test_amalgamation.sh FOLDER SOURCE
. "$(dirname "$0")/support.sh"
folder=$1 source=$2

cp "$folder/casehook.c" "$folder/casehook.h" "$source/tests/install/app.c" "$work"
cd "$work"
for cc in gcc clang; do
    need "$cc"
    say "$cc casehook.c app.c"
    "$cc" -std=c11 -O2 -Wall -Wextra -Wpedantic -Werror -I. -c casehook.c app.c || fail "$cc"
    "$cc" casehook.o app.o -lcurl -ljansson -lssl -lcrypto -pthread -o app || fail "$cc: linking"
    says "https://cases.example/api/cases" ./app cases.example
    refuses "xn--" ./app bücher.example

    say "$cc: a plug-in with a copy of its own shows the names of casehook.h alone"
    "$cc" -std=c11 -fPIC -shared casehook.c -lcurl -ljansson -lssl -lcrypto -o plugin.so || fail "$cc: a shared object"
    nm -D --defined-only plugin.so | awk '{print $3}' | sort >exported
    grep -o '^CASEHOOK_API [^;(]*\b\(casehook_[a-z0-9_]*\)(' casehook.h | grep -o 'casehook_[a-z0-9_]*($' | tr -d '(' | sort >declared
    [ -s declared ] && [ -z "$(comm -3 exported declared)" ] || { comm -3 exported declared; fail "$cc: it shows others"; }

    say "$cc: or nothing at all"
    "$cc" -std=c11 -DCASEHOOK_API= -fPIC -shared casehook.c -lcurl -ljansson -lssl -lcrypto -o plugin.so || fail "$cc: a shared object"
    shown=$(nm -D --defined-only plugin.so)
    [ -z "$shown" ] || { echo "$shown"; fail "$cc: it shows its copy of the library"; }
done
