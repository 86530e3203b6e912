# What the install tests share: a folder that goes away, and checks that say what they wanted.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP

say() { echo "--- $*"; }
fail() {
    echo "FAIL: $*" >&2
    exit 1
}
skip() {
    echo "SKIP: $*"
    exit 77
}
need() {
    for tool; do command -v "$tool" >/dev/null || skip "$tool is not installed"; done
}

# says TEXT COMMAND...: the command succeeds and its output holds the text.
says() {
    local text=$1
    shift
    "$@" >"$work/said" 2>&1 || { cat "$work/said"; fail "$* ended with status $?"; }
    grep -qF -- "$text" "$work/said" || { cat "$work/said"; fail "$* did not say: $text"; }
}

# refuses TEXT COMMAND...: the command fails, in the way that it should.
refuses() {
    local text=$1 status=0
    shift
    "$@" >"$work/said" 2>&1 || status=$?
    [ "$status" = 1 ] || { cat "$work/said"; fail "$* ended with status $status, not 1"; }
    grep -qF -- "$text" "$work/said" || { cat "$work/said"; fail "$* did not say: $text"; }
}
