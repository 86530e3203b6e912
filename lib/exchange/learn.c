/* learn.c - what an answer tells of the case: id, title and other fields (K1-K5, R1). */
#include "exchange/learn.h"

#include "json/jsbytes.h"
#include "json/jstext.h"

#include <stdio.h>

static const struct casehook__call_config *call_asked(const struct casehook__question *question)
{
    return &question->config->calls[question->request->call];
}

static bool wants_id(const struct casehook__question *question)
{
    return casehook__call_kind(question->request->call)->learns != CASEHOOK__LEARNS_TITLE;
}

static void name_key(const struct casehook__question *question, struct casehook_error *error)
{
    casehook__error_set_config_field(error, casehook__call_kind(question->request->call)->key);
}

/* ---- id and title ---------------------------------------------------------------------------- */

static bool usable_kind(const struct casehook__question *question, enum casehook__js_kind kind)
{
    if (kind == CASEHOOK__JS_STRING || kind == CASEHOOK__JS_NUMBER || kind == CASEHOOK__JS_PLAIN) return true;
    return !wants_id(question) && (kind == CASEHOOK__JS_TRUE || kind == CASEHOOK__JS_FALSE);
}

/* Where the id or title should be there is something else. */
static int bad_key(const struct casehook__question *question, const char *found, struct casehook_error *error)
{
    char key[128];
    const struct casehook__keypath *path = call_asked(question)->key;
    name_key(question, error);
    return casehook__fail(error, CASEHOOK_E_RESPONSE,
                          "%s: \"%s\" of the answer, where the %s of the case should be, %s",
                          casehook__question_target(question),
                          casehook__mask_excerpt(question->mask, path->whole, key, sizeof key),
                          wants_id(question) ? "id" : "title", found);
}

/*
 * The excerpt is of the source: a secret that the server put there as it is may hold a backslash, and is
 * known by its own bytes, not by what a reader of JSON makes of them.
 */
static int bad_id(const struct casehook__question *question, const struct casehook__js_value *value,
                  const char *fault, struct casehook_error *error)
{
    struct casehook__text source = value->text;
    char text[CASEHOOK__EXCERPT_MAX + 1];
    if (value->kind == CASEHOOK__JS_STRING)
        source = (struct casehook__text){source.data + 1, source.length - 2};
    name_key(question, error);
    return casehook__fail(error, CASEHOOK_E_RESPONSE, "%s: the id in the answer %s: \"%s\"",
                          casehook__question_target(question), fault,
                          casehook__mask_excerpt(question->mask, source, text, sizeof text));
}

static int long_title(const struct casehook__question *question, size_t bytes, struct casehook_error *error)
{
    name_key(question, error);
    return casehook__fail(error, CASEHOOK_E_LIMIT,
                          "%s: the title in the answer has %zu bytes, the limit is %d",
                          casehook__question_target(question), bytes, CASEHOOK__TITLE_MAX_BYTES);
}

/* Takes the id or title out of the answer into scratch. */
static int read_learnt(const struct casehook__question *question, const struct casehook__js_value *value,
                       struct casehook_error *error)
{
    char found[64];
    if (value->kind == CASEHOOK__JS_NONE) return bad_key(question, "is missing", error);
    if (!usable_kind(question, value->kind)) {
        snprintf(found, sizeof found, "is %s", casehook__js_kind_name(value->kind));
        return bad_key(question, found, error);
    }
    casehook__buf_clear(question->scratch);
    int status = casehook__learn_text(question->scratch, value);
    if (status == CASEHOOK_E_NO_MEMORY) return casehook__fail_memory(error);
    if (status == CASEHOOK_E_LIMIT && wants_id(question)) /* not even scratch has room for it */
        return bad_id(question, value, casehook__id_fault(value->text), error);
    if (status == CASEHOOK_E_LIMIT) return long_title(question, value->text.length, error);
    return status ? bad_key(question, "is a number out of range", error) : CASEHOOK_OK;
}

/* How often U+FFFD stands in text, as bytes or, in the source of a string, as an escape. */
static size_t count_replacements(struct casehook__text text, bool source)
{
    size_t count = 0;
    for (size_t i = 0; i + 3 <= text.length; i++) {
        struct casehook__text escape = {text.data + i, i + 6 <= text.length ? 6 : 0};
        if (memcmp(text.data + i, CASEHOOK__REPLACEMENT, 3) == 0) count++;
        if (!source || text.data[i] != '\\') continue;
        if (casehook__text_is_nocase(escape, "\\ufffd")) count++;
        i++; /* what is escaped begins no escape */
    }
    return count;
}

/* Bytes that are no UTF-8, or half a surrogate pair, became U+FFFD: that would be another case's id (K2). */
static bool is_repaired(const struct casehook__js_value *value, struct casehook__text id)
{
    bool source = value->kind == CASEHOOK__JS_STRING;
    return (source || value->kind == CASEHOOK__JS_PLAIN) &&
           count_replacements(id, false) > count_replacements(value->text, source);
}

static int keep_id(const struct casehook__question *question, const struct casehook__js_value *value,
                   struct casehook_result *result)
{
    struct casehook__text id = casehook__buf_text(question->scratch);
    const char *fault = casehook__id_fault(id);
    if (!fault && is_repaired(value, id))
        return bad_id(question, value, "is not UTF-8, so that no URL can name it", &result->error);
    if (id.length > 0 && id.length <= CASEHOOK__ID_MAX_BYTES) casehook__result_set_id(result, id);
    return fault ? bad_id(question, value, fault, &result->error) : CASEHOOK_OK;
}

static int keep_title(const struct casehook__question *question, struct casehook_result *result)
{
    struct casehook__text title = casehook__buf_text(question->scratch);
    if (title.length > CASEHOOK__TITLE_MAX_BYTES) return long_title(question, title.length, &result->error);
    result->title = casehook__copy(result->heap, title.data, title.length);
    result->title_length = title.length;
    return result->title ? CASEHOOK_OK : casehook__fail_memory(&result->error);
}

/* ---- answers --------------------------------------------------------------------------------- */

static int answer_not_json(const struct casehook__question *question,
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

static void tell_of_id(struct casehook_error *error)
{
    struct casehook_error before = *error;
    casehook__fail(error, before.status, "%s; " CASEHOOK__ID_IS_KEPT, before.message);
    error->offset = before.offset;
}

/* Behind what is wrong with a key: what the server said instead of it (R3). */
static void show_answer(const struct casehook__question *question, const struct casehook__response *response,
                        struct casehook_error *error)
{
    struct casehook_error before = *error;
    char text[CASEHOOK__EXCERPT_MAX + 1];
    casehook__fail(error, before.status, "%s; the answer (status %d) was \"%s\"", before.message,
                   response->status,
                   casehook__mask_excerpt(question->mask, response->body, text, sizeof text));
}

/* found[0] is what the key of the call names. */
static int keep_learnt(const struct casehook__question *question, const struct casehook__response *response,
                       const struct casehook__js_value *found, struct casehook_result *result)
{
    int status = read_learnt(question, &found[0], &result->error);
    if (!status)
        status = wants_id(question) ? keep_id(question, &found[0], result) : keep_title(question, result);
    if (status && status != CASEHOOK_E_NO_MEMORY) show_answer(question, response, &result->error);
    /* What can be known of a case without id or title is kept too (R1). */
    int kept = casehook__learn_fields(call_asked(question), found + 1, question->scratch, result);
    return status ? status : kept;
}

/* An id that none can be is a fault, and leaves what is known as it is. */
static int keep_found_id(const struct casehook__question *question, const struct casehook__js_value *value,
                         struct casehook_result *result)
{
    int status = read_learnt(question, value, &result->error);
    if (status) return status;
    struct casehook__text id = casehook__buf_text(question->scratch);
    const char *fault = casehook__id_fault(id);
    return fault ? bad_id(question, value, fault, &result->error) : keep_id(question, value, result);
}

/* The id out of a body that is not whole.  What is wrong with it is not what failed. */
static bool keep_whole_id(const struct casehook__question *question, const struct casehook__js_value *found,
                          struct casehook__text body, struct casehook_result *result)
{
    struct casehook_error before = result->error;
    bool whole = found->kind == CASEHOOK__JS_STRING || /* another digit may have been on its way */
                 (found->kind == CASEHOOK__JS_NUMBER &&
                  found->text.data + found->text.length < body.data + body.length);
    bool learnt = wants_id(question) && whole && !keep_found_id(question, found, result);
    result->error = before;
    return learnt;
}

/* The paths that a call looks for, first of all its key and what else has one; how many. */
static size_t list_paths(const struct casehook__call_config *call, const struct casehook__keypath **paths)
{
    for (size_t i = 0; i < call->field_count; i++) paths[i] = call->fields[i].path;
    return call->field_count;
}

/* The key "" is the whole answer, unless that has a member of this name (V2). */
static void find_whole(struct casehook__js_value whole, const struct casehook__keypath *const *paths,
                       size_t count, struct casehook__js_value *found)
{
    for (size_t i = 0; i < count; i++)
        if (paths[i] && paths[i]->whole.length == 0 && found[i].kind == CASEHOOK__JS_NONE) found[i] = whole;
}

/* What is no JSON, where that is as good: its text, or nothing. */
static struct casehook__js_value plain_answer(struct casehook__text body)
{
    body = casehook__text_trim(body);
    return (struct casehook__js_value){body.length ? CASEHOOK__JS_PLAIN : CASEHOOK__JS_NONE, body};
}

int casehook__learn(const struct casehook__question *question, const struct casehook__response *response,
                    struct casehook_result *result)
{
    const struct casehook__call_config *call = call_asked(question);
    const struct casehook__keypath *paths[CASEHOOK__RESPONSE_FIELDS_MAX + 1];
    struct casehook__js_value found[CASEHOOK__RESPONSE_FIELDS_MAX + 1];
    paths[0] = call->key;
    size_t offset = 0, first = call->key ? 0 : 1, count = 1 + list_paths(call, paths + 1);
    enum casehook__js_fault fault =
        casehook__jsscan(response->body, paths + first, count - first, found + first, &offset);
    bool any = fault && call->any_type;
    for (size_t i = first; i < count && any; i++) found[i].kind = CASEHOOK__JS_NONE;
    if (any || !fault)
        find_whole(any ? plain_answer(response->body) : casehook__js_top(response->body), paths + first,
                   count - first, found + first);
    if (!fault || (call->any_type && (!call->key || found[0].kind != CASEHOOK__JS_NONE)))
        return call->key ? keep_learnt(question, response, found, result)
                         : casehook__learn_fields(call, found + 1, question->scratch, result);
    /* Where nothing is looked for, white space is as good as nothing. */
    if (!call->key && fault == CASEHOOK__JS_EMPTY) return CASEHOOK_OK;
    answer_not_json(question, response, fault, offset, &result->error);
    if (call->key && keep_whole_id(question, &found[0], response->body, result)) tell_of_id(&result->error);
    return result->error.status;
}

bool casehook__learn_partial_id(const struct casehook__question *question, struct casehook__text body,
                                struct casehook_result *result)
{
    const struct casehook__keypath *path = call_asked(question)->key;
    if (question->request->call != CASEHOOK__CALL_CREATE) return false;
    struct casehook__js_value found = {.kind = CASEHOOK__JS_NONE};
    if (!path || body.length == 0) return false;
    casehook__jsscan(body, &path, 1, &found, NULL);
    return keep_whole_id(question, &found, body, result);
}

/* ---- whether the tracker has the case (D3, L2) -------------------------------------------------- */

static bool is_nothing(const struct casehook__js_value *value)
{
    return value->kind == CASEHOOK__JS_NONE || value->kind == CASEHOOK__JS_NULL;
}

/* A status that is none of those listed, or none at all, is one of an open case. */
static int read_closed(const struct casehook__question *question, const struct casehook__js_value *value,
                       struct casehook_error *error, bool *closed)
{
    const struct casehook__find_config *find = question->config->find;
    *closed = false;
    if (is_nothing(value)) return CASEHOOK_OK;
    casehook__buf_clear(question->scratch);
    int status = casehook__learn_text(question->scratch, value);
    if (status == CASEHOOK_E_NO_MEMORY) return casehook__fail_memory(error);
    for (size_t i = 0; i < find->closed_count && !status && !*closed; i++)
        *closed = casehook__text_equal(find->closed[i], casehook__buf_text(question->scratch));
    return CASEHOOK_OK;
}

/* Epoch seconds or milliseconds: a number this large would be a year beyond 5000 in seconds. */
#define EPOCH_MS_FROM INT64_C(100000000000)

/* "1700000000", "1700000000.25", "-5"; a fraction says nothing that matters. */
static bool read_epoch(struct casehook__text text, int64_t *unix_ms)
{
    uint64_t number;
    bool before = text.length && *text.data == '-';
    if (before) text = casehook__text_from(text, 1);
    const char *point = text.length ? memchr(text.data, '.', text.length) : NULL;
    if (point) text.length = (size_t)(point - text.data);
    if (!casehook__text_number(text, INT64_MAX / 1000, &number)) return false;
    int64_t ms = (int64_t)number < EPOCH_MS_FROM ? (int64_t)number * 1000 : (int64_t)number;
    *unix_ms = before ? -ms : ms;
    return true;
}

/* Since when it is closed, in ms since 1970. */
static int read_closed_at(const struct casehook__question *question, const struct casehook__js_value *value,
                          struct casehook_error *error, int64_t *at)
{
    casehook__buf_clear(question->scratch);
    int status = casehook__learn_text(question->scratch, value);
    if (status == CASEHOOK_E_NO_MEMORY) return casehook__fail_memory(error);
    struct casehook__text text = casehook__buf_text(question->scratch);
    if (!status && (read_epoch(text, at) || casehook__clock_iso_read(text, at))) return CASEHOOK_OK;
    casehook__error_set_config_field(error, "findIncidentResponseClosedAtKey");
    return casehook__fail(error, CASEHOOK_E_RESPONSE,
                          "%s: what the answer has where the time of closing should be is no time: ISO 8601 "
                          "(2026-01-31T12:00:00Z) and seconds or milliseconds since 1970 are",
                          casehook__question_target(question));
}

/* What is to be done to a case that is there. */
static int judge_found(const struct casehook__question *question, const struct casehook__js_value *values,
                       struct casehook_error *error, enum casehook__found *found)
{
    const struct casehook__find_config *find = question->config->find;
    bool closed = false;
    int64_t at = 0;
    *found = CASEHOOK__FOUND_CASE;
    int status = read_closed(question, &values[1], error, &closed);
    if (status || !closed) return status;
    if (find->closed_at_key && !is_nothing(&values[2])) {
        status = read_closed_at(question, &values[2], error, &at);
        if (status) return status;
        if (question->clock->unix_ms(question->clock->user) - at > find->reopen_within_ms)
            *found = CASEHOOK__FOUND_NONE;
    }
    if (find->when_closed == CASEHOOK__WHEN_CLOSED_CREATE) *found = CASEHOOK__FOUND_NONE;
    if (*found == CASEHOOK__FOUND_CASE && find->when_closed == CASEHOOK__WHEN_CLOSED_IGNORE)
        *found = CASEHOOK__FOUND_CLOSED;
    return CASEHOOK_OK;
}

int casehook__learn_whether(const struct casehook__question *question,
                            const struct casehook__response *response, struct casehook_result *result,
                            enum casehook__found *found)
{
    const struct casehook__find_config *find = question->config->find;
    const struct casehook__call_config *call = call_asked(question);
    const struct casehook__keypath *keys[] = {call->key, find->status_key, find->closed_at_key};
    const struct casehook__keypath *paths[CASEHOOK__RESPONSE_FIELDS_MAX + 3];
    struct casehook__js_value values[3] = {{.kind = CASEHOOK__JS_NONE}},
                              found_all[CASEHOOK__RESPONSE_FIELDS_MAX + 3];
    size_t offset = 0, keyed = find->closed_at_key ? 3 : find->status_key ? 2 : 1;
    memcpy(paths, keys, sizeof keys);
    size_t count = keyed + list_paths(call, paths + keyed);
    enum casehook__js_fault fault = casehook__jsscan(response->body, paths, count, found_all, &offset);
    memcpy(values, found_all, keyed * sizeof *values);
    if (fault) return answer_not_json(question, response, fault, offset, &result->error);
    enum casehook__js_kind kind = casehook__js_top(response->body).kind;
    if (kind != CASEHOOK__JS_OBJECT && kind != CASEHOOK__JS_ARRAY)
        return casehook__fail(
            &result->error, CASEHOOK_E_RESPONSE,
            "%s: the answer to the question for the case is %s, in which nothing can be found",
            casehook__question_target(question), casehook__js_kind_name(kind));
    *found = CASEHOOK__FOUND_NONE;
    if (is_nothing(&values[0])) return CASEHOOK_OK;
    int status = judge_found(question, values, &result->error, found);
    if (!status && *found != CASEHOOK__FOUND_NONE) status = keep_found_id(question, &values[0], result);
    if (status && status != CASEHOOK_E_NO_MEMORY) show_answer(question, response, &result->error);
    if (!status && *found != CASEHOOK__FOUND_NONE) {
        find_whole(casehook__js_top(response->body), paths + keyed, call->field_count, found_all + keyed);
        status = casehook__learn_fields(call, found_all + keyed, question->scratch, result);
    }
    return status;
}
