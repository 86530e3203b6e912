#!/bin/bash
# Everything from a clean checkout: installs what is missing, builds, runs all tests, does that again
# under AddressSanitizer and UndefinedBehaviorSanitizer, builds with clang, and prints a summary.
#   run.sh [--quick]     --quick: the plain build alone
# It asks nothing, needs no network but for packages, and leaves nothing running.
set -u

packages=(gcc g++ libc6-dev clang meson ninja-build pkg-config git python3 curl ca-certificates
    libcurl4-openssl-dev libjansson-dev libssl-dev libidn2-dev libcmocka-dev libmicrohttpd-dev
    nginx-light squid-openssl openssl valgrind libc6-dbg bsdutils util-linux)

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd) || exit 1
summary=()
failed=0

fail() {
    echo "run.sh: $*" >&2
    exit 1
}

# build NAME COMPILER MESON-OPTIONS...: each build has a folder of its own.
build() {
    local name=$1 compiler=$2 folder=$top/build-tests/$1
    shift 2
    printf '\n=== %s: build\n' "$name"
    rm -rf "$folder"
    CC=$compiler meson setup "$folder" "$top" -Dtests=enabled -Dexamples=enabled "$@" \
        >"$folder.log" 2>&1 || { cat "$folder.log"; fail "$name: meson setup failed"; }
    ninja -C "$folder" >"$folder.log" 2>&1 || { cat "$folder.log"; fail "$name: the build failed"; }
}

# run NAME: all tests of that build.
run() {
    local name=$1 folder=$top/build-tests/$1 begun=$SECONDS status
    printf '=== %s: tests\n' "$name"
    meson test -C "$folder" --no-rebuild --print-errorlogs 2>&1 | tee "$folder.log"
    status=${PIPESTATUS[0]}
    [ "$status" = 0 ] || failed=1
    summary+=("$(printf '%-16s %4ds  %s' "$name" $((SECONDS - begun)) \
        "$(awk '/^(Ok|Fail|Skipped|Timeout):/ {printf "%s %-4s ", $1, $2}' "$folder.log")")")
}

case ${1-} in
'' | --quick) ;;
*) fail "usage: run.sh [--quick]" ;;
esac

cd "$top" || exit 1
sh examples/packages.sh "${packages[@]}" || fail "some packages are missing, see above"
mkdir -p build-tests
# Where a sanitizer finds something, the test has failed.
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

build gcc gcc -Dwerror=true
run gcc
if [ "${1-}" != --quick ]; then
    # No werror: under sanitizers gcc warns of what it cannot know.
    build sanitized gcc -Db_sanitize=address,undefined
    run sanitized
    build clang clang -Dwerror=true
fi

printf '\n=== summary\n'
printf '%s\n' "${summary[@]}"
[ "$failed" = 0 ] && echo "all passed" || echo "FAILED: the logs are in build-tests/*/meson-logs"
exit "$failed"
