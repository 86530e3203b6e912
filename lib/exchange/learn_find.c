/* learn_find.c - whether the tracker has the case (D3, L2). */
#include "exchange/learn_private.h"

enum sought_of_find { FIND_ID, FIND_STATUS, FIND_CLOSED_AT, FIND_KEYS };

/* A status that is none of those listed, or none at all, is one of an open case. */
static int read_closed(const struct casehook__question *question, const struct casehook__js_value *value,
                       struct casehook_error *error, bool *closed)
{
    const struct casehook__find_config *find = question->config->find;
    *closed = false;
    if (casehook__learn_is_nothing(value)) return CASEHOOK_OK;
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

/* What is to be done to a case that is there; values by sought_of_find. */
static int judge_found(const struct casehook__question *question, const struct casehook__js_value *values,
                       struct casehook_error *error, enum casehook__found *found)
{
    const struct casehook__find_config *find = question->config->find;
    bool closed = false;
    int64_t at = 0;
    *found = CASEHOOK__FOUND_CASE;
    int status = read_closed(question, &values[FIND_STATUS], error, &closed);
    if (status || !closed) return status;
    if (find->closed_at_key && !casehook__learn_is_nothing(&values[FIND_CLOSED_AT])) {
        status = read_closed_at(question, &values[FIND_CLOSED_AT], error, &at);
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
    const struct casehook__call_config *call = casehook__learn_call(question);
    const struct casehook__call_more *more = casehook__call_more(call);
    const struct casehook__keypath *const wanted[FIND_KEYS] = {call->key, find->status_key,
                                                               find->closed_at_key},
                                          *paths[FIND_KEYS + CASEHOOK__RESPONSE_FIELDS_MAX + 1];
    struct casehook__js_value values[FIND_KEYS + CASEHOOK__RESPONSE_FIELDS_MAX + 1],
        keys[FIND_KEYS] = {{.kind = CASEHOOK__JS_NONE}};
    size_t offset = 0, count = 0, place[FIND_KEYS] = {0}; /* 1 + index; 0: it is not looked for */
    for (size_t i = 0; i < FIND_KEYS; i++) {
        if (!wanted[i]) continue;
        paths[count++] = wanted[i];
        place[i] = count;
    }
    size_t keyed = count;
    for (size_t i = 0; i < more->field_count; i++) paths[count++] = more->fields[i].path;
    if (more->error_key) paths[count++] = more->error_key;
    enum casehook__js_fault fault = casehook__jsscan(response->body, paths, count, values, &offset);
    for (size_t i = 0; i < FIND_KEYS; i++)
        if (place[i]) keys[i] = values[place[i] - 1];
    if (fault) return casehook__learn_not_json(question, response, fault, offset, &result->error);
    if (more->error_key && casehook__learn_says_no(&values[count - 1]))
        return casehook__learn_fail_said(question, response, &values[count - 1], &result->error);
    enum casehook__js_kind kind = casehook__js_top(response->body).kind;
    if (kind != CASEHOOK__JS_OBJECT && kind != CASEHOOK__JS_ARRAY)
        return casehook__fail(
            &result->error, CASEHOOK_E_RESPONSE,
            "%s: the answer to the question for the case is %s, in which nothing can be found",
            casehook__question_target(question), casehook__js_kind_name(kind));
    *found = CASEHOOK__FOUND_NONE;
    if (casehook__learn_is_nothing(&keys[FIND_ID])) return CASEHOOK_OK;
    int status = judge_found(question, keys, &result->error, found);
    if (!status && *found != CASEHOOK__FOUND_NONE)
        status = casehook__learn_keep_found_id(question, &keys[FIND_ID], result);
    if (status && status != CASEHOOK_E_NO_MEMORY)
        casehook__learn_show(question, response, false, &result->error);
    if (!status && *found != CASEHOOK__FOUND_NONE)
        status = casehook__learn_fields(more, values + keyed, question->scratch, result);
    return status;
}
