/* learn_fields.c - values of answers that documents ask for by name (K4, V2). */
#include "exchange/learn.h"

#include "json/jstext.h"

/* The text of a value: a string decoded, a number as K3 prints it, anything else as it stands. */
int casehook__learn_text(struct casehook__buf *out, const struct casehook__js_value *value)
{
    if (value->kind == CASEHOOK__JS_STRING) {
        struct casehook__text inside = {value->text.data + 1, value->text.length - 2};
        return casehook__js_decode(out, inside);
    }
    if (value->kind == CASEHOOK__JS_NUMBER) return casehook__js_number(out, value->text);
    return casehook__js_utf8(out, value->text);
}

/* The field of that name, or a new one; NULL: no memory. */
static struct casehook__kept_field *field_named(struct casehook_result *result, const char *name)
{
    for (size_t i = 0; i < result->field_count; i++)
        if (strcmp(result->fields[i].name, name) == 0) return &result->fields[i];
    struct casehook__kept_field *field = &result->fields[result->field_count];
    *field =
        (struct casehook__kept_field){.name = casehook__copy(result->heap, name, strlen(name)), .text = NULL};
    return field->name ? field : NULL;
}

/*
 * It counts only when it is whole: what has no room for all of it is left out.  What was found before under
 * that name, of the answer to an earlier comment, is replaced.
 */
static int keep_field(struct casehook_result *result, const char *name,
                      const struct casehook__js_value *value, struct casehook__buf *scratch)
{
    if (value->kind == CASEHOOK__JS_NONE) return CASEHOOK_OK;
    casehook__buf_clear(scratch);
    int status = casehook__learn_text(scratch, value);
    if (status == CASEHOOK_E_NO_MEMORY) return status;
    struct casehook__kept_field *field = field_named(result, name);
    if (!field) return CASEHOOK_E_NO_MEMORY;
    bool is_new = !field->text;
    size_t length = scratch->length, others = result->field_bytes - (is_new ? 0 : field->length);
    char *text = NULL;
    /* Beyond the double range or what a result holds: as if it were missing (K4). */
    bool fits = !status && length <= CASEHOOK__RESULT_FIELDS_MAX_BYTES - others;
    if (fits) text = casehook__copy(result->heap, casehook__buf_string(scratch), length);
    if (!text) {
        if (is_new) casehook__result_field_free(result->heap, field);
        return fits ? CASEHOOK_E_NO_MEMORY : CASEHOOK_OK;
    }
    casehook__free(result->heap, field->text);
    field->text = text;
    field->length = length;
    field->is_string = value->kind == CASEHOOK__JS_STRING || value->kind == CASEHOOK__JS_PLAIN;
    if (is_new) result->field_count++;
    result->field_bytes = others + length;
    result->field_version++;
    return CASEHOOK_OK;
}

/* Room for so many more; false: no memory. */
static bool reserve_fields(struct casehook_result *result, size_t more)
{
    void *grown = casehook__realloc(result->heap, result->fields,
                                    (result->field_count + more) * sizeof *result->fields);
    if (grown) result->fields = grown;
    return grown != NULL;
}

int casehook__learn_again(struct casehook__text fields, struct casehook__buf *scratch,
                          struct casehook_result *result)
{
    size_t position = 0;
    struct casehook__text key;
    struct casehook__js_value value;
    char name[CASEHOOK__RESPONSE_NAME_MAX + 1];
    while (casehook__js_next(fields, &position, &key, &value)) {
        if (key.length >= sizeof name || !casehook__is_field_name(key)) continue;
        casehook__text_copy(name, key);
        if (result->field_count >= CASEHOOK__RESPONSE_FIELDS_MAX * CASEHOOK__CALLS) return CASEHOOK_OK;
        if (!reserve_fields(result, 1) || keep_field(result, name, &value, scratch))
            return casehook__fail_memory(&result->error);
    }
    return CASEHOOK_OK;
}

int casehook__learn_fields(const struct casehook__call_more *more, const struct casehook__js_value *found,
                           struct casehook__buf *scratch, struct casehook_result *result)
{
    if (more->field_count == 0) return CASEHOOK_OK;
    if (!reserve_fields(result, more->field_count)) return casehook__fail_memory(&result->error);
    for (size_t i = 0; i < more->field_count; i++)
        if (keep_field(result, more->fields[i].name, &found[i], scratch))
            return casehook__fail_memory(&result->error);
    return CASEHOOK_OK;
}
