/* casehook_doubt.c - reads the outcomes of a result. */
#include "casehook_doubt.h"

#include <casehook.h>

#include <string.h>

static bool says(const json_t *object, const char *name, const char *word)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text && !strcmp(text, word);
}

static bool has_outcome(const json_t *request, int outcome)
{
    return says(request, "outcome", casehook_outcome_name(outcome));
}

struct doubt doubt_of(const json_t *result)
{
    const char *create = casehook_step_name(CASEHOOK_STEP_CREATE),
               *comment = casehook_step_name(CASEHOOK_STEP_COMMENT);
    const json_t *request;
    bool made = json_is_string(json_object_get(result, "id"));
    bool at_comment = says(json_object_get(result, "error"), "step", comment);
    struct doubt doubt = {.begun = made};
    size_t index;
    /* Of one that was resumed: its own requests may not have come as far as the create. */
    if (!made && says(result, "step", create) && has_outcome(result, CASEHOOK_OUTCOME_UNKNOWN))
        doubt.begun = doubt.created = true;
    json_array_foreach(json_object_get(result, "requests"), index, request) {
        bool unknown = has_outcome(request, CASEHOOK_OUTCOME_UNKNOWN);
        bool begun = unknown || has_outcome(request, CASEHOOK_OUTCOME_DONE);
        if (begun) doubt.begun = true;
        if (begun && !made && says(request, "step", create)) doubt.created = true;
        if (unknown && at_comment && says(request, "step", comment)) doubt.commented = true;
    }
    return doubt;
}
