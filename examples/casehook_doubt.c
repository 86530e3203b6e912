/* casehook_doubt.c - reads the outcomes of a result. */
#include "casehook_doubt.h"

#include <casehook.h>

#include <string.h>

static bool says(const json_t *object, const char *name, const char *word)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text && !strcmp(text, word);
}

struct doubt doubt_of(const json_t *result)
{
    const char *unknown = casehook_outcome_name(CASEHOOK_OUTCOME_UNKNOWN),
               *done = casehook_outcome_name(CASEHOOK_OUTCOME_DONE);
    const json_t *error = json_object_get(result, "error"), *request;
    bool open = says(error, "outcome", unknown), made = json_is_string(json_object_get(result, "id"));
    struct doubt doubt = {.begun = made};
    size_t index;
    doubt.commented = open && says(error, "step", casehook_step_name(CASEHOOK_STEP_COMMENT));
    doubt.created =
        open && !made && !doubt.commented && !says(error, "step", casehook_step_name(CASEHOOK_STEP_UPDATE));
    json_array_foreach(json_object_get(result, "requests"), index, request) {
        if (says(request, "outcome", done) || says(request, "outcome", unknown)) doubt.begun = true;
    }
    return doubt;
}
