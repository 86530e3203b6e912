/* exchange_answer.c - what an answer means: its type, its JSON, the keys in it (H4, K1-K5, R3). */
#include "exchange/exchange_private.h"

#include "base/clock.h"
#include "json/jsbytes.h"
#include "json/jsscan.h"
#include "json/jstext.h"

#include <stdio.h>

#define BAD_GATEWAY     502
#define GATEWAY_TIMEOUT 504

/* The answer cannot be used, so nobody knows what the request did. */
static void unusable(struct casehook__exchange *exchange)
{
    struct casehook__exchange_record *entry = casehook__exchange_current(exchange);
    entry->outcome = CASEHOOK_OUTCOME_UNKNOWN;
    exchange->result->error.http_status = entry->status;
    casehook__exchange_stop(exchange, CASEHOOK_OUTCOME_UNKNOWN, false);
}

static const char *answer_excerpt(const struct casehook__exchange *exchange, struct casehook__text text,
                                  char out[CASEHOOK__EXCERPT_MAX + 1])
{
    return casehook__mask_excerpt(exchange->mask, text, out, CASEHOOK__EXCERPT_MAX + 1);
}

/* ---- type ------------------------------------------------------------------------------------ */

/* "application/json; charset=utf-8, text/html" -> "application/json" */
static struct casehook__text media_type(struct casehook__text header)
{
    struct casehook__text type = {header.data, 0};
    while (type.length < header.length && header.data[type.length] != ',' && header.data[type.length] != ';')
        type.length++;
    return casehook__text_trim(type);
}

static bool is_json_type(struct casehook__text type)
{
    static const char prefix[] = "application/", suffix[] = "+json";
    if (casehook__text_is_nocase(type, "application/json") || casehook__text_is_nocase(type, "text/json"))
        return true;
    if (type.length <= sizeof prefix - 1 + sizeof suffix - 1) return false;
    struct casehook__text head = {type.data, sizeof prefix - 1};
    struct casehook__text tail = {type.data + type.length - (sizeof suffix - 1), sizeof suffix - 1};
    return casehook__text_is_nocase(head, prefix) && casehook__text_is_nocase(tail, suffix);
}

/* The answer is JSON under a wrong name, or none is needed and it is no page. */
static bool any_would_do(const struct casehook__exchange *exchange, struct casehook__text body)
{
    enum casehook__call call = exchange->request.call;
    body = casehook__text_trim(body);
    char first = body.length ? *body.data : '{';
    bool key = call == CASEHOOK__CALL_CREATE || call == CASEHOOK__CALL_GET;
    return key ? first == '{' || first == '[' : first != '<';
}

static int check_type(struct casehook__exchange *exchange, const struct casehook__response *response)
{
    struct casehook_error *error = &exchange->result->error;
    struct casehook__text type = media_type(response->content_type);
    char shown[128], text[CASEHOOK__EXCERPT_MAX + 1];
    bool any = any_would_do(exchange, response->body);
    struct casehook__text encoding = casehook__text_trim(response->content_encoding);
    if (encoding.length && !casehook__text_is_nocase(encoding, "identity"))
        return casehook__fail(
            error, CASEHOOK_E_RESPONSE,
            "%s: the server answered with the content encoding \"%s\", which was not asked for",
            casehook__exchange_target(exchange),
            casehook__mask_excerpt(exchange->mask, encoding, shown, sizeof shown));
    if (exchange->config->calls[exchange->request.call].any_type) return CASEHOOK_OK;
    if (type.length == 0 || is_json_type(type)) return CASEHOOK_OK;
    /* What is masked is the whole header: a secret may hold the signs that divide it. */
    casehook__mask_excerpt(exchange->mask, response->content_type, shown, sizeof shown);
    type = media_type(casehook__text(shown));
    return casehook__fail(
        error, CASEHOOK_E_RESPONSE,
        "%s: the server answered %d with the content type \"%.*s\" instead of JSON: \"%s\"; is this "
        "the URL of the API, and are the credentials right?%s%s%s",
        casehook__exchange_target(exchange), response->status, (int)type.length, type.data,
        answer_excerpt(exchange, response->body, text), any ? "  If this is how it answers, set " : "",
        any ? casehook__config_type_field(exchange->request.call) : "", any ? " to any" : "");
}

/* ---- keys ------------------------------------------------------------------------------------ */

static const char *key_field(const struct casehook__exchange *exchange)
{
    return exchange->request.call == CASEHOOK__CALL_CREATE ? "config.createIncidentResponseKey"
                                                           : "config.getIncidentResponseExternalTitleKey";
}

/* The text of a value: a string decoded, a number as K3 prints it, anything else as it stands. */
static int value_text(struct casehook__buf *out, const struct casehook__js_value *value)
{
    if (value->kind == CASEHOOK__JS_STRING) {
        struct casehook__text inside = {value->text.data + 1, value->text.length - 2};
        return casehook__js_decode(out, inside);
    }
    if (value->kind == CASEHOOK__JS_NUMBER) return casehook__js_number(out, value->text);
    return casehook__js_utf8(out, value->text);
}

static bool usable_kind(const struct casehook__exchange *exchange, enum casehook__js_kind kind)
{
    if (kind == CASEHOOK__JS_STRING || kind == CASEHOOK__JS_NUMBER) return true;
    return exchange->request.call == CASEHOOK__CALL_GET &&
           (kind == CASEHOOK__JS_TRUE || kind == CASEHOOK__JS_FALSE);
}

/* Where the id or title should be there is something else. */
static int bad_key(struct casehook__exchange *exchange, const struct casehook__keypath *path,
                   const char *found)
{
    struct casehook_error *error = &exchange->result->error;
    char key[128];
    casehook__error_set_field(error, key_field(exchange));
    return casehook__fail(error, CASEHOOK_E_RESPONSE,
                          "%s: \"%s\" of the answer, where the %s of the case should be, %s",
                          casehook__exchange_target(exchange),
                          casehook__mask_excerpt(exchange->mask, path->whole, key, sizeof key),
                          exchange->request.call == CASEHOOK__CALL_CREATE ? "id" : "title", found);
}

/*
 * The excerpt is of the source: a secret that the server put there as it is may hold a backslash, and is
 * known by its own bytes, not by what a reader of JSON makes of them.
 */
static int bad_id(struct casehook__exchange *exchange, const struct casehook__js_value *value,
                  const char *fault)
{
    struct casehook_error *error = &exchange->result->error;
    struct casehook__text source = value->text;
    char text[CASEHOOK__EXCERPT_MAX + 1];
    if (value->kind == CASEHOOK__JS_STRING)
        source = (struct casehook__text){source.data + 1, source.length - 2};
    casehook__error_set_field(error, key_field(exchange));
    return casehook__fail(error, CASEHOOK_E_RESPONSE, "%s: the id in the answer %s: \"%s\"",
                          casehook__exchange_target(exchange), fault, answer_excerpt(exchange, source, text));
}

static int long_title(struct casehook__exchange *exchange, size_t bytes)
{
    struct casehook_error *error = &exchange->result->error;
    casehook__error_set_field(error, key_field(exchange));
    return casehook__fail(error, CASEHOOK_E_LIMIT,
                          "%s: the title in the answer has %zu bytes, the limit is %d",
                          casehook__exchange_target(exchange), bytes, CASEHOOK__TITLE_MAX_BYTES);
}

/* Takes the id or title out of the answer into scratch. */
static int read_answer_key(struct casehook__exchange *exchange, const struct casehook__keypath *path,
                           const struct casehook__js_value *value)
{
    char found[64];
    if (value->kind == CASEHOOK__JS_NONE) return bad_key(exchange, path, "is missing");
    if (!usable_kind(exchange, value->kind)) {
        snprintf(found, sizeof found, "is %s", casehook__js_kind_name(value->kind));
        return bad_key(exchange, path, found);
    }
    casehook__buf_clear(&exchange->scratch);
    int status = value_text(&exchange->scratch, value);
    if (status == CASEHOOK_E_NO_MEMORY) return casehook__fail_memory(&exchange->result->error);
    if (status == CASEHOOK_E_LIMIT && exchange->request.call == CASEHOOK__CALL_CREATE)
        return bad_id(exchange, value,
                      casehook__id_fault(value->text)); /* not even scratch has room for it */
    if (status == CASEHOOK_E_LIMIT) return long_title(exchange, value->text.length);
    return status ? bad_key(exchange, path, "is a number out of range") : CASEHOOK_OK;
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
    return value->kind == CASEHOOK__JS_STRING &&
           count_replacements(id, false) > count_replacements(value->text, true);
}

static int keep_id(struct casehook__exchange *exchange, const struct casehook__js_value *value)
{
    struct casehook_result *result = exchange->result;
    struct casehook__text id = casehook__buf_text(&exchange->scratch);
    const char *fault = casehook__id_fault(id);
    if (!fault && is_repaired(value, id))
        return bad_id(exchange, value, "is not UTF-8, so that no URL can name it");
    if (id.length > 0 && id.length <= CASEHOOK__ID_MAX_BYTES) {
        memcpy(result->id, id.data, id.length);
        result->id[id.length] = '\0';
        result->id_length = id.length;
    }
    return fault ? bad_id(exchange, value, fault) : CASEHOOK_OK;
}

static int keep_title(struct casehook__exchange *exchange)
{
    struct casehook_result *result = exchange->result;
    struct casehook__text title = casehook__buf_text(&exchange->scratch);
    if (title.length > CASEHOOK__TITLE_MAX_BYTES) return long_title(exchange, title.length);
    result->title = casehook__copy(exchange->heap, title.data, title.length);
    result->title_length = title.length;
    return result->title ? CASEHOOK_OK : casehook__fail_memory(&result->error);
}

/* ---- fields (K4) ----------------------------------------------------------------------------- */

/* It counts only when it is whole: what has no room for all of it is left out. */
static int keep_field(struct casehook__exchange *exchange, const char *name,
                      const struct casehook__js_value *value)
{
    struct casehook_result *result = exchange->result;
    struct casehook__result_field *field = &result->fields[result->field_count];
    if (value->kind == CASEHOOK__JS_NONE) return CASEHOOK_OK;
    casehook__buf_clear(&exchange->scratch);
    int status = value_text(&exchange->scratch, value);
    size_t length = exchange->scratch.length;
    if (status == CASEHOOK_E_NO_MEMORY) return status;
    /* Beyond the double range or what a result holds: as if it were missing (K4). */
    if (status || length > CASEHOOK__RESULT_FIELDS_MAX_BYTES - result->field_bytes) return CASEHOOK_OK;
    *field = (struct casehook__result_field){
        .name = casehook__copy(exchange->heap, name, strlen(name)),
        .text = casehook__copy(exchange->heap, casehook__buf_string(&exchange->scratch), length),
        .length = length,
        .is_string = value->kind == CASEHOOK__JS_STRING};
    if (field->text && field->name) {
        result->field_count++;
        result->field_bytes += length;
        return CASEHOOK_OK;
    }
    casehook__result_field_free(exchange->heap, field);
    return CASEHOOK_E_NO_MEMORY;
}

static int keep_fields(struct casehook__exchange *exchange, const struct casehook__response_field *fields,
                       size_t count, const struct casehook__js_value *found)
{
    struct casehook_result *result = exchange->result;
    size_t needed = result->field_count + count;
    if (count == 0) return CASEHOOK_OK;
    void *grown = casehook__realloc(exchange->heap, result->fields, needed * sizeof *result->fields);
    if (!grown) return casehook__fail_memory(&result->error);
    result->fields = grown;
    for (size_t i = 0; i < count; i++)
        if (keep_field(exchange, fields[i].name, &found[i])) return casehook__fail_memory(&result->error);
    return CASEHOOK_OK;
}

/* ---- answers --------------------------------------------------------------------------------- */

static int answer_not_json(struct casehook__exchange *exchange, const struct casehook__response *response,
                           enum casehook__js_fault fault, size_t offset)
{
    char text[CASEHOOK__EXCERPT_MAX + 1];
    struct casehook_error *error = &exchange->result->error;
    return casehook__fail_at(error, fault == CASEHOOK__JS_TOO_DEEP ? CASEHOOK_E_LIMIT : CASEHOOK_E_RESPONSE,
                             offset, "%s: the answer (status %d) %s at byte %zu: \"%s\"",
                             casehook__exchange_target(exchange), response->status,
                             casehook__js_fault_name(fault), offset,
                             answer_excerpt(exchange, response->body, text));
}

/* Behind what is wrong with a key: what the server said instead of it (R3). */
static void show_answer(struct casehook__exchange *exchange, const struct casehook__response *response)
{
    struct casehook_error *error = &exchange->result->error, before = *error;
    char text[CASEHOOK__EXCERPT_MAX + 1];
    casehook__fail(error, before.status, "%s; the answer (status %d) was \"%s\"", before.message,
                   response->status, answer_excerpt(exchange, response->body, text));
}

/* Validates the answer and takes out of it what this call is to give; paths[0] is its key, if it has one. */
static int read_answer(struct casehook__exchange *exchange, const struct casehook__response *response)
{
    const struct casehook__config *config = exchange->config;
    bool create = exchange->request.call == CASEHOOK__CALL_CREATE,
         get = exchange->request.call == CASEHOOK__CALL_GET;
    const struct casehook__response_field *fields = create ? config->create_fields : config->get_fields;
    size_t count = create ? config->create_field_count : get ? config->get_field_count : 0, offset = 0;
    const struct casehook__keypath *paths[CASEHOOK__RESPONSE_FIELDS_MAX + 1] = {create ? config->id_key
                                                                                       : config->title_key};
    struct casehook__js_value found[CASEHOOK__RESPONSE_FIELDS_MAX + 1];
    for (size_t i = 0; i < count; i++) paths[i + 1] = fields[i].path;
    enum casehook__js_fault fault =
        casehook__jsscan(response->body, paths, create || get ? count + 1 : 0, found, &offset);
    /* Where nothing is looked for, white space is as good as nothing. */
    if (!create && !get && fault == CASEHOOK__JS_EMPTY) return CASEHOOK_OK;
    if (fault) return answer_not_json(exchange, response, fault, offset);
    if (!create && !get) return CASEHOOK_OK;
    int status = read_answer_key(exchange, paths[0], &found[0]);
    if (!status) status = create ? keep_id(exchange, &found[0]) : keep_title(exchange);
    if (status && status != CASEHOOK_E_NO_MEMORY) show_answer(exchange, response);
    /* What can be known of a case without id or title is kept too (R1). */
    int kept = keep_fields(exchange, fields, count, found + 1);
    return status ? status : kept;
}

void casehook__exchange_accept(struct casehook__exchange *exchange, const struct casehook__response *response)
{
    enum casehook__call call = exchange->request.call;
    bool looks = call == CASEHOOK__CALL_CREATE || call == CASEHOOK__CALL_GET; /* for a key */
    int status;
    if (response->body.length)
        status = check_type(exchange, response);
    else if (looks)
        status = casehook__fail(&exchange->result->error, CASEHOOK_E_RESPONSE,
                                "%s: the answer (status %d) is empty; the %s should be in it",
                                casehook__exchange_target(exchange), response->status,
                                call == CASEHOOK__CALL_CREATE ? "id of the case" : "title of the case");
    else
        status = CASEHOOK_OK;
    if (!status && response->body.length && (looks || !exchange->config->calls[call].any_type))
        status = read_answer(exchange, response);
    if (status) {
        unusable(exchange);
        return;
    }
    casehook__exchange_current(exchange)->outcome = CASEHOOK_OUTCOME_DONE;
    casehook__exchange_advance(exchange);
}

/* The same request may be accepted later.  What failed inside the server may have been written before. */
static bool is_transient(int status, bool write)
{
    if (status == 408 || status == 425 || status == 429 || status == 503) return true;
    return status >= 500 && status != 501 && status != 505 && !write;
}

/* A gateway that got no answer does not know what the server behind it did. */
static int refusal(int status)
{
    return status == BAD_GATEWAY || status == GATEWAY_TIMEOUT ? CASEHOOK_OUTCOME_UNKNOWN
                                                              : CASEHOOK_OUTCOME_REFUSED;
}

void casehook__exchange_refuse(struct casehook__exchange *exchange, const struct casehook__response *response)
{
    struct casehook_error *error = &exchange->result->error;
    char text[CASEHOOK__EXCERPT_MAX + 1];
    bool write =
        exchange->request.call == CASEHOOK__CALL_CREATE || exchange->request.call == CASEHOOK__CALL_COMMENT;
    int outcome = refusal(response->status);
    casehook__exchange_current(exchange)->outcome = outcome;
    if (response->body.length)
        casehook__fail(error, CASEHOOK_E_HTTP_STATUS, "%s: the server answered %d: \"%s\"%s",
                       casehook__exchange_target(exchange), response->status,
                       answer_excerpt(exchange, response->body, text),
                       casehook__exchange_advice(exchange, response));
    else
        casehook__fail(error, CASEHOOK_E_HTTP_STATUS, "%s: the server answered %d without a body%s",
                       casehook__exchange_target(exchange), response->status,
                       casehook__exchange_advice(exchange, response));
    error->http_status = response->status;
    if (response->retry_after.data)
        error->retry_after_ms =
            casehook__clock_retry_after(response->retry_after, casehook__clock_calendar());
    casehook__exchange_stop(exchange, outcome, is_transient(response->status, write));
}

/* ---- answers that broke off ------------------------------------------------------------------ */

/* The id, where all of it is there; a number at the very end may go on. */
static bool learn_id(struct casehook__exchange *exchange, struct casehook__text body)
{
    const struct casehook__keypath *path = exchange->config->id_key;
    struct casehook__js_value found = {.kind = CASEHOOK__JS_NONE};
    casehook__jsscan(body, &path, 1, &found, NULL);
    if (found.kind != CASEHOOK__JS_STRING && found.kind != CASEHOOK__JS_NUMBER) return false;
    if (found.text.data + found.text.length >= body.data + body.length) return false;
    bool learnt = !read_answer_key(exchange, path, &found) && !keep_id(exchange, &found);
    if (!learnt) exchange->result->id_length = 0;
    return learnt;
}

void casehook__exchange_keep_partial(struct casehook__exchange *exchange,
                                     const struct casehook__response *response)
{
    struct casehook_error *error = &exchange->result->error, before = *error;
    char text[CASEHOOK__EXCERPT_MAX + 1];
    bool learnt = exchange->request.call == CASEHOOK__CALL_CREATE && response->body.length > 0 &&
                  learn_id(exchange, response->body);
    *error = before; /* that the id is no good is not what failed */
    casehook__exchange_current(exchange)->status = error->http_status = response->status;
    casehook__fail(error, before.status, "%s; the server had begun to answer %d%s%s%s%s", before.message,
                   response->status, response->body.length ? ": \"" : "",
                   response->body.length ? answer_excerpt(exchange, response->body, text) : "",
                   response->body.length ? "\"" : "",
                   learnt ? "; the id in it is kept, look whether the case is complete" : "");
}
