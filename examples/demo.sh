#!/bin/bash
# The whole way once: builds the library, starts a small case tracker on this machine, checks the
# connector, shows what would be sent, opens a case with two comments, changes it, shows its page, and what becomes
# of an answer that is lost.
#   demo.sh [TITLE]
# It asks nothing, builds in a folder of its own (build-demo) and leaves nothing running.
set -u

packages=(gcc libc6-dev meson ninja-build pkg-config curl libcurl4-openssl-dev libjansson-dev libssl-dev
    libidn2-dev libmicrohttpd-dev)
title=${1-}
[ -n "$title" ] || title='Failed logins on "web-01" <script>alert(1)</script> ☃'
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd) || exit 1
build=$top/build-demo
work=
tracker=

fail() {
    echo "demo: $*" >&2
    exit 1
}

stop() {
    if [ -n "$tracker" ]; then
        kill "$tracker" 2>/dev/null
        wait "$tracker" 2>/dev/null
    fi
    [ -z "$work" ] || rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

step() { printf '\n== %s\n' "$*"; }

# Shows a command as one would type it.
show() {
    local word
    for word; do
        if [[ $word =~ ^[A-Za-z0-9_./:=-]+$ ]]; then printf ' %s' "$word"; else printf ' %s' "${word@Q}"; fi
    done
    printf '\n'
}

run() {
    printf '$'
    show "$@"
    "$@" || fail "$1 $2 ended with status $?"
}

have_all() {
    local tool
    for tool in "${CC:-cc}" meson ninja pkg-config curl; do command -v "$tool" >/dev/null || return 1; done
    pkg-config --exists 'libcurl >= 7.88' 'jansson >= 2.14' 'openssl >= 3.0' libmicrohttpd
}

quietly() { "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "$1 failed, see above"; }; }

work=$(mktemp -d) || fail "mktemp failed"

step "Build"
have_all || sh "$top/examples/packages.sh" "${packages[@]}" || fail "some packages are missing, see above"
# A second demo in the same checkout waits here.
mkdir -p "$build" || fail "$build cannot be made"
exec 9>"$build/.lock"
if command -v flock >/dev/null; then flock 9; fi
[ -f "$build/build.ninja" ] || quietly meson setup "$build" "$top" -Dexamples=enabled -Dtests=disabled
quietly ninja -C "$build" examples/casehook examples/tracker examples/push
exec 9>&-
echo "built in $build"
PATH=$build/examples:$PATH

step "A case tracker"
tracker --user demo --password not-a-secret --fault drop-after-commit:create:3 >"$work/url" &
tracker=$!
for _ in {1..50}; do
    [ -s "$work/url" ] && break
    kill -0 "$tracker" 2>/dev/null || fail "the tracker did not start"
    sleep 0.1
done
url=$(cat "$work/url")
[ -n "$url" ] || fail "the tracker did not say where it listens"
echo "it listens on $url"
cd "$work" || exit 1
sed "s|http://127.0.0.1:8080|$url|" "$top/examples/connectors/tracker.json" >tracker.json || exit 1

step "Is the connector right?"
run casehook check --connector tracker.json

step "What would be sent?"
run casehook preview push --connector tracker.json --title "$title" --comment "First look: one address."

step "Open a case with two comments"
run casehook push --connector tracker.json --title "$title" \
    --description $'23 failed logins in 60 s.\nSource: 192.0.2.7' --severity high --tag login --tag web \
    --field host=web-01 --field count:=23 \
    --comment "First look: one address." --comment "Blocked at the firewall." | tee pushed
[ "${PIPESTATUS[0]}" = 0 ] || exit 1
id=$(sed -n 's/^id  *//p' pushed)
view=$(sed -n 's/^url  *//p' pushed)

step "Change it"
run casehook update "$id" --connector tracker.json --title "$title" --severity low --status closed --tag login

step "The same from C: examples/push.c"
run push tracker.json "A case from C" "And its comment."

step "The page of case $id: $view"
curl -sS --fail --max-time 10 --noproxy '*' --user demo:not-a-secret "$view" >page || fail "the page cannot be read"
# Its text: without tags, entities decoded.
sed -e '1,/<body>/d' -e 's|</t[hd]><t[hd]>|: |g' -e 's/<[^>]*>//g' -e '/^$/d' \
    -e 's/&lt;/</g' -e 's/&gt;/>/g' -e 's/&quot;/"/g' -e "s/&#39;/'/g" -e 's/&amp;/\&/g' page

step "A lost answer becomes one case: the tracker makes the third one and closes the connection without a word"
run casehook push --connector tracker.json --id alert-17 --title "Disk full on web-01"
curl -sS --fail --max-time 10 --noproxy '*' --user demo:not-a-secret "$url/api/cases?reference=alert-17" >found ||
    fail "the tracker cannot be searched"
echo "cases with the reference alert-17: $(grep -o '"key": *"' found | wc -l)"

step "Done"
echo "The tracker is stopped now. To see it in a browser:"
show "$build/examples/tracker" --port 8080 --user demo --password not-a-secret
show "$build/examples/casehook" push --connector "$top/examples/connectors/tracker.json" --title Hello
