/* learn_values.c - one value of an answer: as an id, as a title, as what says no (K2, K3, K5, K7). */
#include "exchange/learn_private.h"

#include "json/jsbytes.h"
#include "json/jstext.h"

#include <stdio.h>

const struct casehook__call_config *casehook__learn_call(const struct casehook__question *question)
{
    return &question->config->calls[question->request->call];
}

bool casehook__learn_wants_id(const struct casehook__question *question)
{
    return casehook__call_kind(question->request->call)->learns != CASEHOOK__LEARNS_TITLE;
}

bool casehook__learn_in_header(const struct casehook__question *question)
{
    return question->request->call == CASEHOOK__CALL_CREATE &&
           casehook__create_more(question->config)->id_header;
}

void casehook__learn_name_key(const struct casehook__question *question, struct casehook_error *error)
{
    const struct casehook__call_kind *kind = casehook__call_kind(question->request->call);
    casehook__error_set_config_field(error,
                                     casehook__learn_in_header(question) ? kind->id_header : kind->key);
}

/* ---- id and title ---------------------------------------------------------------------------- */

bool casehook__learn_usable(enum casehook__js_kind kind, bool id)
{
    if (kind == CASEHOOK__JS_STRING || kind == CASEHOOK__JS_NUMBER || kind == CASEHOOK__JS_PLAIN) return true;
    return !id && (kind == CASEHOOK__JS_TRUE || kind == CASEHOOK__JS_FALSE);
}

/* Where the id or title should be there is something else. */
static int bad_key(const struct casehook__question *question, const char *found, struct casehook_error *error)
{
    char key[128];
    const struct casehook__keypath *path = casehook__learn_call(question)->key;
    casehook__learn_name_key(question, error);
    return casehook__fail(error, CASEHOOK_E_RESPONSE,
                          "%s: \"%s\" of the answer, where the %s of the case should be, %s",
                          casehook__question_target(question),
                          casehook__mask_excerpt(question->mask, path->whole, key, sizeof key),
                          casehook__learn_wants_id(question) ? "id" : "title", found);
}

/*
 * The excerpt is of the source: a secret that the server put there as it is may hold a backslash, and is
 * known by its own bytes, not by what a reader of JSON makes of them.
 */
int casehook__learn_bad_id(const struct casehook__question *question, const struct casehook__js_value *value,
                           const char *fault, struct casehook_error *error)
{
    struct casehook__text source = value->text;
    char text[CASEHOOK__EXCERPT_MAX + 1];
    if (value->kind == CASEHOOK__JS_STRING)
        source = (struct casehook__text){source.data + 1, source.length - 2};
    casehook__learn_name_key(question, error);
    return casehook__fail(error, CASEHOOK_E_RESPONSE, "%s: the id in the answer %s: \"%s\"",
                          casehook__question_target(question), fault,
                          casehook__mask_excerpt(question->mask, source, text, sizeof text));
}

static int long_title(const struct casehook__question *question, size_t bytes, struct casehook_error *error)
{
    casehook__learn_name_key(question, error);
    return casehook__fail(error, CASEHOOK_E_LIMIT,
                          "%s: the title in the answer has %zu bytes, the limit is %d",
                          casehook__question_target(question), bytes, CASEHOOK__TITLE_MAX_BYTES);
}

/* Takes the id or title out of the answer into scratch. */
int casehook__learn_read(const struct casehook__question *question, const struct casehook__js_value *value,
                         struct casehook_error *error)
{
    char found[64];
    if (value->kind == CASEHOOK__JS_NONE) return bad_key(question, "is missing", error);
    if (!casehook__learn_usable(value->kind, casehook__learn_wants_id(question))) {
        snprintf(found, sizeof found, "is %s", casehook__js_kind_name(value->kind));
        return bad_key(question, found, error);
    }
    casehook__buf_clear(question->scratch);
    int status = casehook__learn_text(question->scratch, value);
    if (status == CASEHOOK_E_NO_MEMORY) return casehook__fail_memory(error);
    if (status == CASEHOOK_E_LIMIT &&
        casehook__learn_wants_id(question)) /* not even scratch has room for it */
        return casehook__learn_bad_id(question, value, casehook__id_fault(value->text), error);
    if (status == CASEHOOK_E_LIMIT) return long_title(question, value->text.length, error);
    return status ? bad_key(question, "is a number out of range", error) : CASEHOOK_OK;
}

/* How often U+FFFD stands in text, as bytes or, in the source of a string, as an escape. */
static size_t count_replacements(struct casehook__text text, bool source)
{
    size_t count = 0;
    for (size_t i = 0; i + 3 <= text.length; i++) {
        struct casehook__text escape = {text.data + i, i + 6 <= text.length ? 6 : 0};
        if (text.data[i] == *CASEHOOK__REPLACEMENT && memcmp(text.data + i, CASEHOOK__REPLACEMENT, 3) == 0)
            count++;
        if (!source || text.data[i] != '\\') continue;
        if (casehook__text_is_nocase(escape, "\\ufffd")) count++;
        i++; /* what is escaped begins no escape */
    }
    return count;
}

/* Bytes that are no UTF-8, or half a surrogate pair, became U+FFFD: that would be another case's id (K2). */
static bool is_repaired(const struct casehook__js_value *value, struct casehook__text id)
{
    bool string = value->kind == CASEHOOK__JS_STRING;
    size_t count = string || value->kind == CASEHOOK__JS_PLAIN ? count_replacements(id, false) : 0;
    return count && count > count_replacements(value->text, string);
}

int casehook__learn_keep_id(const struct casehook__question *question, const struct casehook__js_value *value,
                            struct casehook_result *result)
{
    struct casehook__text id = casehook__buf_text(question->scratch);
    const char *fault = casehook__id_fault(id);
    if (!fault && is_repaired(value, id))
        return casehook__learn_bad_id(question, value, "is not UTF-8, so that no URL can name it",
                                      &result->error);
    if (id.length > 0 && id.length <= CASEHOOK__ID_MAX_BYTES) casehook__result_set_id(result, id);
    return fault ? casehook__learn_bad_id(question, value, fault, &result->error) : CASEHOOK_OK;
}

int casehook__learn_keep_title(const struct casehook__question *question, struct casehook_result *result)
{
    struct casehook__text title = casehook__buf_text(question->scratch);
    if (title.length > CASEHOOK__TITLE_MAX_BYTES) return long_title(question, title.length, &result->error);
    casehook__free(result->heap, result->title);
    result->title = casehook__copy(result->heap, title.data, title.length);
    result->title_length = title.length;
    return result->title ? CASEHOOK_OK : casehook__fail_memory(&result->error);
}

bool casehook__learn_is_nothing(const struct casehook__js_value *value)
{
    return value->kind == CASEHOOK__JS_NONE || value->kind == CASEHOOK__JS_NULL;
}

int casehook__learn_keep_found_id(const struct casehook__question *question,
                                  const struct casehook__js_value *value, struct casehook_result *result)
{
    int status = casehook__learn_read(question, value, &result->error);
    if (status) return status;
    struct casehook__text id = casehook__buf_text(question->scratch);
    const char *fault = casehook__id_fault(id);
    return fault ? casehook__learn_bad_id(question, value, fault, &result->error)
                 : casehook__learn_keep_id(question, value, result);
}

/* null, false, "", [] and {} are no error (K7). */
bool casehook__learn_says_no(const struct casehook__js_value *value)
{
    struct casehook__text inside = value->text;
    if (casehook__learn_is_nothing(value) || value->kind == CASEHOOK__JS_FALSE) return false;
    if (value->kind < CASEHOOK__JS_STRING || value->kind > CASEHOOK__JS_OBJECT) return true;
    if (inside.length < 2) return false; /* a container that broke off: nobody knows what it would hold */
    inside = (struct casehook__text){inside.data + 1, inside.length - 2};
    if (value->kind != CASEHOOK__JS_STRING) inside = casehook__text_trim(inside);
    return inside.length > 0;
}

int casehook__learn_fail_said(const struct casehook__question *question,
                              const struct casehook__response *response,
                              const struct casehook__js_value *value, struct casehook_error *error)
{
    char text[CASEHOOK__EXCERPT_MAX + 1];
    struct casehook__text said = value->text;
    if (value->kind == CASEHOOK__JS_STRING) said = (struct casehook__text){said.data + 1, said.length - 2};
    casehook__error_set_config_field(error, casehook__call_kind(question->request->call)->error_key);
    return casehook__fail(error, CASEHOOK_E_HTTP_STATUS, "%s: the server answered %d and said no: \"%s\"",
                          casehook__question_target(question), response->status,
                          casehook__mask_excerpt(question->mask, said, text, sizeof text));
}

/* ---- answers as a whole ------------------------------------------------------------------------- */

int casehook__learn_not_json(const struct casehook__question *question,
                             const struct casehook__response *response, enum casehook__js_fault fault,
                             size_t offset, struct casehook_error *error)
{
    char text[CASEHOOK__EXCERPT_MAX + 1];
    return casehook__fail_at(error, fault == CASEHOOK__JS_TOO_DEEP ? CASEHOOK_E_LIMIT : CASEHOOK_E_RESPONSE,
                             offset, "%s: the answer (status %d) %s at byte %zu: \"%s\"",
                             casehook__question_target(question), response->status,
                             casehook__js_fault_name(fault), offset,
                             casehook__mask_excerpt(question->mask, response->body, text, sizeof text));
}

void casehook__learn_show(const struct casehook__question *question,
                          const struct casehook__response *response, bool missing,
                          struct casehook_error *error)
{
    struct casehook_error before = *error;
    struct casehook__js_places places;
    const struct casehook__keypath *key = casehook__learn_call(question)->key;
    char text[CASEHOOK__EXCERPT_MAX + 1], names[sizeof places.names], path[sizeof places.path];
    *names = *path = '\0';
    if (missing && key && key->count && !casehook__jsscan(response->body, NULL, 0, NULL, NULL)) {
        casehook__js_look_for(response->body, key->parts[key->count - 1].name, &places);
        casehook__mask_excerpt(question->mask, casehook__text(places.names), names, sizeof names);
        casehook__mask_excerpt(question->mask, casehook__text(places.path), path, sizeof path);
    }
    casehook__fail(error, before.status, "%s%s%s%s; the answer (status %d)%s%s%s was \"%s\"", before.message,
                   *path ? " (did you mean \"" : "", path, *path ? "\"?)" : "", response->status,
                   *names ? ", with " : "", names, *names ? " at its top," : "",
                   casehook__mask_excerpt(question->mask, response->body, text, sizeof text));
}
