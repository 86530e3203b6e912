#!/bin/bash
# A host that is linked with json-c too, some of whose names are jansson's: test_json_c.sh SOURCE FOLDER
# FOLDER has libcasehook.a and libcasehook.so.
. "$(dirname "$0")/support.sh"
source=$1 folder=$2
cc=${CC:-cc}
need "$cc"
echo '#include <json-c/json.h>' | "$cc" -E - >/dev/null 2>&1 || skip "json-c is not installed"

cd "$work"
"$cc" -std=c11 -Wall -Wextra -Werror -I"$source/include" -c "$source/tests/install/json_c.c" -o host.o || fail "$cc"
others='-lcurl -ljansson -lssl -lcrypto -pthread'
if nm -u "$folder/libcasehook.a" | grep -q idn2_; then others="$others -lidn2"; fi
if nm -u "$folder/libcasehook.a" | grep -q utf8proc_; then others="$others -lutf8proc"; fi
archive=$("$cc" -print-file-name=libjson-c.a)

# links NAME FLAGS...: a host, linked so, that reads its document as it reads it alone.
links() {
    say "$*"
    # shellcheck disable=SC2086
    "$cc" host.o "${@:2}" -Wl,-rpath,"$folder" -o host || fail "$1: linking"
    timeout 20 ./host >/dev/null || fail "$1: the host ended with status $?"
    says "ok, 10 and 10 members" ./host
    grep -q 'https://cases.example/api/cases' said || fail "$1: no preview"
    grep -q '"X-Second":"2","X-First":"1"' said || { cat said; fail "$1: headers in another order"; }
}
shared="-L$folder -lcasehook"
for json_c in -ljson-c "$archive"; do
    [ "$json_c" = -ljson-c ] || [ -f "$archive" ] || { echo "SKIP libjson-c.a is not installed"; continue; }
    # shellcheck disable=SC2086
    {
        links "shared, before" $shared "$json_c"
        links "shared, behind" "$json_c" $shared
        links "shared, in a host that exports everything" -rdynamic "$json_c" $shared
        # Before jansson, or the host itself gets jansson's functions.
        links "static, before" "$folder/libcasehook.a" "$json_c" $others
        links "static, behind" "$json_c" "$folder/libcasehook.a" $others
    }
done
