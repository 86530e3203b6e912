#!/bin/bash
# Everything from a clean checkout: installs what is missing, builds, tests, and prints a summary.
#   run.sh [--quick | --all | --long]
#     --quick   gcc alone: all tests once
#     (none)    gcc: all tests; clang with its UndefinedBehaviorSanitizer: unit, api and abi; gcc's Address- and
#               UndefinedBehaviorSanitizer: unit, api, torture, conformance and real servers
#     --all     the same, but gcc's sanitizers see all tests but trackers, gallery and the installed library; clang and
#               a release build by themselves, the life of an alert, and Redmine and Request Tracker are installed for
#               their tests; this is what continuous integration runs
#     --long    the campaigns at their full length, ThreadSanitizer over threads, loop and real servers, valgrind over
#               every test that is a program of ours, but for the campaigns, which would take hours
# It asks nothing, needs no network but for packages, and leaves nothing running.
set -u

packages=(gcc g++ libc6-dev clang libclang-rt-dev cmake meson ninja-build pkg-config git python3 curl ca-certificates universal-ctags
    libcurl4-openssl-dev libjansson-dev libssl-dev libidn2-dev libutf8proc-dev libjson-c-dev libcmocka-dev libmicrohttpd-dev
    nginx-light haproxy squid-openssl openssl valgrind libc6-dbg bsdutils util-linux
    # What "pkg-config --static --libs libcurl" asks for on Debian.
    libnghttp2-dev librtmp-dev libssh2-1-dev libpsl-dev libkrb5-dev libldap2-dev libzstd-dev libbrotli-dev
    libunistring-dev
    # The example of a host with an event loop.
    libglib2.0-dev
    # The outbox and its daemon.
    sqlite3 libsqlite3-dev libpq-dev postgresql prometheus prometheus-alertmanager chromium
    collectd-core collectd-dev
    # The manual pages.
    lowdown)
# A real authorization server and others come with npm.  Node.js may be here from elsewhere, with an npm of its own that
# Debian's packages would not stand beside.
command -v npm >/dev/null || packages+=(nodejs npm)

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd) || exit 1
logs=$top/build-tests
began=$SECONDS
summary=()
skipped=()
failed=0

fail() {
    echo "run.sh: $*" >&2
    exit 1
}

# configure NAME COMPILER MESON-OPTIONS...: each build has a folder of its own.  What its tests need, run() builds.
configure() {
    local name=$1 compiler=$2 folder=$logs/$1
    shift 2
    printf '\n=== %s: build\n' "$name"
    rm -rf "$folder"
    CC=$compiler meson setup "$folder" "$top" -Dtests=enabled -Dexamples=enabled "$@" \
        >"$folder.log" 2>&1 || { cat "$folder.log"; fail "$name: meson setup failed"; }
}

# The same, and everything is built.
build() {
    configure "$@"
    ninja -C "$logs/$1" >"$logs/$1.log" 2>&1 || { cat "$logs/$1.log"; fail "$1: the build failed"; }
}

# run NAME BUILD MESON-TEST-ARGUMENTS...: tests of that build, all of them without arguments.
run() {
    local name=$1 folder=$logs/$2 start=$SECONDS told=${#summary[@]} line
    shift 2
    printf '=== %s: tests\n' "$name"
    # Many tests wait more than they compute.
    meson test -C "$folder" --print-errorlogs --num-processes $(($(nproc) + 1)) --logbase "$name" "$@" 2>&1 ||
        failed=1
    # The log of meson: one JSON object per test. The name of a wrapper is added to its own.
    while IFS= read -r line; do
        case $line in
        skip:*) skipped+=("$(printf '%-10s %s' "$name" "${line#skip:}")") ;;
        *) summary+=("$(printf '%-10s %5ds  %s' "$name" $((SECONDS - start)) "$line")") ;;
        esac
    done < <(python3 - "$folder/meson-logs/$name"*.json <<'P'
import collections, json, sys
count, reasons = collections.Counter(), []
for line in open(sys.argv[1], encoding="utf-8", errors="replace"):
    test = json.loads(line)
    count[{"OK": "passed", "SKIP": "skipped"}.get(test["result"], "failed")] += 1
    said = (test.get("stdout") or "") + "\n" + (test.get("stderr") or "")
    # The reasons; cmocka's own lines have none.
    found = dict.fromkeys(each.strip() for each in said.splitlines() if "SKIP" in each and "SKIPPED" not in each)
    reasons += [f"{test['name'].split(' / ')[-1]}: {each}" for each in found]
    if test["result"] == "SKIP" and not found:
        reasons.append(f"{test['name']}: no reason was given")
print(", ".join(f"{count[word]} {word}" for word in ("passed", "failed", "skipped")))
for reason in reasons:
    print("skip:" + reason[:160])
P
    )
    [ "${#summary[@]}" -gt "$told" ] || failed=1
}

valgrind_all() {
    run "$1" gcc -t 20 \
        --wrap 'valgrind -q --fair-sched=try --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite --error-exitcode=99' \
        "${@:2}"
}

# The sanitizer cannot map its memory on every kernel: then without address randomisation, or not at all.
thread_sanitizer() {
    local wrap=()
    echo 'int main(void) { return 0; }' >"$logs/tsan.c"
    gcc -fsanitize=thread "$logs/tsan.c" -o "$logs/tsan" || fail "gcc has no ThreadSanitizer"
    if ! "$logs/tsan" 2>/dev/null; then
        if ! setarch -R "$logs/tsan" 2>/dev/null; then
            skipped+=("threads    ThreadSanitizer does not run on this kernel")
            return
        fi
        wrap=(--wrap 'setarch -R')
    fi
    configure threads gcc -Db_sanitize=thread
    run threads threads --suite loop --suite api --suite real --suite oauth --suite outbox --suite casehookd "${wrap[@]}"
}

# campaign PROGRAM ARGUMENTS...: the long form of a test of the gcc build, whose last words are its sum.
campaign() {
    local program=$logs/gcc/tests/$1 name=${1##*/} start=$SECONDS
    printf '=== %s\n' "$*"
    [ -x "$program" ] || { failed=1; summary+=("campaign        $name was not built"); return; }
    "$program" "${@:2}" 2>&1 | tee "$logs/$name.log"
    [ "${PIPESTATUS[0]}" = 0 ] || failed=1
    summary+=("$(printf 'campaign   %5ds  %s: %s' $((SECONDS - start)) "$name" \
        "$(grep -E 'points, |creates: sent twice' "$logs/$name.log" | tr '\n' ' ')")")
}

# Workers of an outbox that are killed: outbox KIND [postgresql].
outbox() {
    local folder=$logs/gcc/tests/outbox start=$SECONDS with=()
    printf '=== outbox: %s\n' "$*"
    [ -x "$folder/outbox_worker" ] || { skipped+=("long       outbox: it was not built"); return; }
    [ "${2-}" != postgresql ] || with=(bash tests/outbox/postgres.sh)
    "${with[@]}" python3 -B tests/outbox/campaign.py "$1" "$folder/outbox_worker" "$folder/outbox_shim.so" long 2>&1 |
        tee "$logs/outbox.log"
    [ "${PIPESTATUS[0]}" = 0 ] || failed=1
    summary+=("$(printf 'campaign   %5ds  outbox %s: %s' $((SECONDS - start)) "$*" "$(grep ' lost' "$logs/outbox.log" | tail -3 | tr '\n' ' ')")")
}

# A batch with a journal that is killed again and again.
kills() {
    local folder=$logs/gcc/examples start=$SECONDS
    printf '=== kill -9\n'
    python3 -B tests/cli/test_kill.py "$folder/casehook" "$folder/tracker" examples/connectors/tracker.json "$1" 2>&1 |
        tee "$logs/kills.log"
    [ "${PIPESTATUS[0]}" = 0 ] || failed=1
    summary+=("$(printf 'campaign   %5ds  kill -9: %s' $((SECONDS - start)) "$(grep lost "$logs/kills.log" | tr '\n' ' ')")")
}

# The life of an alert, with a real Alertmanager.
alertmanager() {
    local start=$SECONDS
    printf '=== demo-alertmanager.sh\n'
    examples/demo-alertmanager.sh 2>&1 | tee "$logs/alertmanager.log"
    [ "${PIPESTATUS[0]}" = 0 ] || failed=1
    summary+=("$(printf 'demo       %5ds  Alertmanager: %s' $((SECONDS - start)) "$(grep '^cases in all' "$logs/alertmanager.log")")")
}

mode=${1-}
case $mode in
'' | --quick | --all | --long) ;;
*) fail "usage: run.sh [--quick | --all | --long]" ;;
esac

cd "$top" || exit 1
sh examples/packages.sh "${packages[@]}" || fail "some packages are missing, see above"
if [ "$mode" = --all ]; then
    sh tests/redmine/install.sh || fail "Redmine could not be installed, see above"
    sh tests/rt/install.sh || fail "Request Tracker could not be installed, see above"
fi
mkdir -p "$logs"
# Where a sanitizer finds something, the test has failed.
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1

build gcc gcc -Dwerror=true
if [ "$mode" = --long ]; then
    campaign transport/test_transport_shim 22000
    campaign transport/test_transport_campaign 100000
    campaign delivery/test_delivery_campaign long
    run mutations gcc --suite mutations
    kills 50
    outbox kill
    outbox disk
    outbox kill postgresql
    outbox machines postgresql
    thread_sanitizer
    valgrind_all valgrind --suite unit --suite api --suite loop --suite faults --suite torture --suite real \
        --suite conformance --no-suite scripts --no-suite campaigns
else
    run gcc gcc
fi
if [ "$mode" = '' ] || [ "$mode" = --all ]; then
    # Clang's UndefinedBehaviorSanitizer sees more than gcc's: NULL + 0 for one.
    build undefined clang -Dwerror=true -Db_sanitize=undefined -Db_lundef=false
    run undefined undefined --suite unit --suite api --suite abi --no-suite scripts
    # No werror: under sanitizers gcc warns of what it cannot know.
    configure sanitized gcc -Db_sanitize=address,undefined
    if [ "$mode" = --all ]; then
        run sanitized sanitized --no-suite redmine --no-suite rt --no-suite gallery --no-suite install
    else
        run sanitized sanitized --suite unit --suite api --suite torture --suite conformance --suite real
    fi
fi
if [ "$mode" = --all ]; then
    configure clang clang -Dwerror=true
    run clang clang --suite unit --suite api --suite abi
    alertmanager
    configure release gcc --buildtype=release -Dwerror=true
    run release release --suite unit --suite api --suite abi
fi

printf '\n=== summary, %d minutes %d seconds\n' $(((SECONDS - began) / 60)) $(((SECONDS - began) % 60))
printf '%s\n' "${summary[@]}"
if [ "${#skipped[@]}" != 0 ]; then
    echo "not tested here:"
    # The same in several builds is told once; the first word is the build.
    printf '%s\n' "${skipped[@]}" | awk '{build = $1; sub(/^[^ ]+ +/, ""); all[$0] = all[$0] " " build; if (!seen[$0]++) order[++n] = $0}
        END {for (i = 1; i <= n; i++) printf "  %s (%s)\n", order[i], substr(all[order[i]], 2)}'
fi
[ "$failed" = 0 ] && echo "all passed" || echo "FAILED: the logs are in build-tests/*/meson-logs"
exit "$failed"
