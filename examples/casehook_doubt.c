/* casehook_doubt.c - reads the outcomes of a result. */
#include "casehook_doubt.h"

#include <casehook.h>
#include <jansson.h>

#include <errno.h>
#include <string.h>

static bool is_word(struct piece value, const char *word)
{
    size_t length = strlen(word);
    return value.length == length + 2 && !memcmp(value.text + 1, word, length);
}

static bool says(const json_t *object, const char *name, const char *word)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text && !strcmp(text, word);
}

static bool has_outcome(const json_t *request, int outcome)
{
    return says(request, "outcome", casehook_outcome_name(outcome));
}

struct doubt doubt_of(struct piece result)
{
    const char *create = casehook_step_name(CASEHOOK_STEP_CREATE),
               *comment = casehook_step_name(CASEHOOK_STEP_COMMENT),
               *transition = casehook_step_name(CASEHOOK_STEP_TRANSITION);
    struct piece list = member_find(result, "requests"),
                 at = member_find(member_find(result, "error"), "step");
    const json_t *request;
    bool made = member_is_text(member_find(result, "id"));
    bool at_comment = is_word(at, comment), at_transition = is_word(at, transition);
    struct doubt doubt = {.begun = made};
    size_t index;
    errno = 0;
    json_t *requests =
        list.text ? json_loadb(list.text, list.length, JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, NULL) : NULL;
    if (!json_is_array(requests))
        doubt = (struct doubt){.created = !made,
                               .commented = at_comment,
                               .transitioned = at_transition,
                               .begun = true,
                               .no_memory = !requests && errno == ENOMEM};
    /* Of one that was resumed: its own requests may not have come as far as the create. */
    if (!made && is_word(member_find(result, "step"), create) &&
        is_word(member_find(result, "outcome"), casehook_outcome_name(CASEHOOK_OUTCOME_UNKNOWN)))
        doubt.begun = doubt.created = true;
    json_array_foreach(requests, index, request) {
        bool unknown = has_outcome(request, CASEHOOK_OUTCOME_UNKNOWN);
        bool done = has_outcome(request, CASEHOOK_OUTCOME_DONE), begun = unknown || done;
        bool comments = says(request, "step", comment), moves = says(request, "step", transition);
        if (begun) doubt.begun = true;
        if (begun && !made && says(request, "step", create)) doubt.created = true;
        if (unknown && at_comment && comments) doubt.commented = true;
        if (unknown && at_transition && moves) doubt.transitioned = true;
        if (comments || (moves && done) || says(request, "step", casehook_step_name(CASEHOOK_STEP_GET)))
            doubt.settled = true;
    }
    json_decref(requests);
    return doubt;
}

static bool is_write(const json_t *item)
{
    static const int steps[] = {CASEHOOK_STEP_UPDATE, CASEHOOK_STEP_TRANSITION, CASEHOOK_STEP_COMMENT};
    /* A create that was not answered is done when its case was found; a comment says so of earlier calls. */
    bool found = says(item, "step", casehook_step_name(CASEHOOK_STEP_CREATE)) || says(item, "state", "sent");
    for (size_t i = 0; i < sizeof steps / sizeof *steps && !found; i++)
        found = has_outcome(item, CASEHOOK_OUTCOME_DONE) && says(item, "step", casehook_step_name(steps[i]));
    return found;
}

bool doubt_only_found(struct piece result)
{
    static const char *const names[] = {"requests", "comments"};
    struct piece found = member_find(result, "found");
    bool only = found.length == 4 && !memcmp(found.text, "true", 4);
    for (size_t i = 0; i < 2 && only; i++) {
        struct piece list = member_find(result, names[i]);
        const json_t *item;
        size_t index;
        json_t *items =
            list.text ? json_loadb(list.text, list.length, JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, NULL)
                      : NULL;
        if (!json_is_array(items)) only = false;
        json_array_foreach(items, index, item) only = only && !is_write(item);
        json_decref(items);
    }
    return only;
}
