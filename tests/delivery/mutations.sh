#!/bin/bash
# The campaign can fail: with each of these mutations of the library it does, and without one it does not.
#   mutations.sh SOURCES CAMPAIGN [NAME...]
# Only the library is built, from a copy of its sources, and CAMPAIGN finds it there in place of its own.
set -eu

sources=$1 campaign=$2
shift 2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
copy=$folder/copy
mkdir "$copy"
cp -r "$sources"/{lib,include,pkgconfig,meson.build,meson_options.txt} "$copy"

# build: the library as the copy has it now.
build() {
    ninja -C "$folder/build" >"$folder/ninja.log" 2>&1 || { cat "$folder/ninja.log"; exit 1; }
}

# run: the campaign, whose last words go to the log.
run() {
    LD_LIBRARY_PATH=$folder/build/lib "$campaign" >"$folder/campaign.log" 2>&1
}

# change FILE SED-SCRIPT: fails when nothing is changed, since the sources have moved on then.
change() {
    cp "$copy/lib/$1" "$folder/before"
    sed -i "$2" "$copy/lib/$1"
    ! cmp -s "$folder/before" "$copy/lib/$1" || { echo "nothing is changed in $1 by: $2"; exit 1; }
}

# Each mutation is what it does to the sources.
repeat_unknown_create() {
    change exchange/decision.c 's/return progress->effect != CASEHOOK__EFFECT_ADDS || progress->keyed;/return true;/'
}

forget_id() {
    change exchange/machine_step.c 's/^    error->outcome = decision->outcome;/    result->id_length = 0;\n&/'
}

ignore_retry_after() {
    change exchange/answer.c 's/^    if (response->retry_after.data)$/    if (!response)/'
}

key_per_attempt() {
    change exchange/machine_render.c \
        's/^        values->idempotency_key = casehook__text(key);/        key[0] = (char)('\''A'\'' + machine->progress.tries);\n&/'
}

resend_comment() {
    change exchange/resume.c '/is_word(&state, "sent")/d'
}

repeat_transition() {
    change document/call_kinds.c '/\[CASEHOOK__CALL_TRANSITION\]/,/effect/s/EFFECT_ADDS/EFFECT_READS/'
}

resend_transition() {
    change exchange/resume.c 's/resumed->transitioned |= later .*/(void)transitions;/'
}

mutations=(repeat_unknown_create forget_id ignore_retry_after key_per_attempt resend_comment repeat_transition
    resend_transition)
[ $# = 0 ] || mutations=("$@")

meson setup "$folder/build" "$copy" -Dtests=disabled -Dexamples=disabled -Dman=disabled >"$folder/setup.log" 2>&1 ||
    { cat "$folder/setup.log"; exit 1; }
build
run || { cat "$folder/campaign.log"; echo "FAILED: no mutation, and the campaign fails"; exit 1; }
echo "no mutation: $(grep points, "$folder/campaign.log")"
missed=0
for mutation in "${mutations[@]}"; do
    rm -rf "$copy/lib"
    cp -r "$sources/lib" "$copy/lib"
    "$mutation"
    build
    if run; then
        echo "MISSED: $mutation"
        missed=$((missed + 1))
        continue
    fi
    # Not because it crashed: it must say what it has found.
    grep points, "$folder/campaign.log" | grep -vq '0 lost, 0 doubled, 0 wrong' ||
        { cat "$folder/campaign.log"; echo "FAILED: $mutation: the campaign found nothing"; exit 1; }
    echo "$mutation: $(grep points, "$folder/campaign.log")"
done
echo "${#mutations[@]} mutations, $missed missed"
[ "$missed" = 0 ]
