/* result_json.c - results and errors as JSON, for the tool and for other languages. */
#include "exchange/result.h"

#include "json/jstext.h"

#include <stdio.h>

/* "name": with a comma before it unless it is the first of its object. */
static void name(struct casehook__buf *json, const char *text)
{
    if (json->length && json->data[json->length - 1] != '{') casehook__buf_append_char(json, ',');
    casehook__buf_append_char(json, '"');
    casehook__buf_append_string(json, text);
    casehook__buf_append_string(json, "\":");
}

static void result_text(struct casehook__buf *json, const char *key, struct casehook__text text)
{
    name(json, key);
    if (text.data)
        casehook__js_string(json, text);
    else
        casehook__buf_append_string(json, "null");
}

static void string_member(struct casehook__buf *json, const char *key, const char *text)
{
    result_text(json, key, casehook__text(text && text[0] ? text : NULL));
}

/* null for what is below least. */
static void result_number(struct casehook__buf *json, const char *key, int64_t number, int64_t least)
{
    name(json, key);
    if (number < least)
        casehook__buf_append_string(json, "null");
    else
        casehook__buf_append_number(json, number);
}

/* A code in words and, as NAMENumber, as it stands in the header.  name "": null. */
static void code_member(struct casehook__buf *json, const char *key, const char *text, int code)
{
    string_member(json, key, text);
    casehook__buf_append_string(json, ",\"");
    casehook__buf_append_string(json, key);
    casehook__buf_append_string(json, "Number\":");
    casehook__buf_append_number(json, code);
}

static void boolean_member(struct casehook__buf *json, const char *key, bool value)
{
    name(json, key);
    casehook__buf_append_string(json, value ? "true" : "false");
}

static void error_object(struct casehook__buf *json, const struct casehook_error *error)
{
    casehook__buf_append_char(json, '{');
    code_member(json, "code", casehook_status_name(error->status), error->status);
    string_member(json, "message", casehook_error_message(error));
    code_member(json, "step", casehook_step_name(error->step), error->step);
    string_member(json, "field", error->field);
    result_number(json, "offset", error->offset, 0);
    result_number(json, "httpStatus", error->http_status, 1);
    code_member(json, "outcome", error->outcome ? casehook_outcome_name(error->outcome) : NULL,
                error->outcome);
    boolean_member(json, "retryable", error->retryable != 0);
    result_number(json, "retryAfterMs", error->retry_after_ms, 0);
    casehook__buf_append_char(json, '}');
}

static void metrics_members(struct casehook__buf *json, const struct casehook__metrics *metrics)
{
    if (!metrics->known) {
        casehook__buf_append_string(
            json, ",\"timesUs\":null,\"bytesSent\":null,\"bytesReceived\":null,\"reused\":null");
        return;
    }
    casehook__buf_append_string(json, ",\"timesUs\":{");
    result_number(json, "name", metrics->name_us, 0);
    result_number(json, "connect", metrics->connect_us, 0);
    result_number(json, "tls", metrics->tls_us, 0);
    result_number(json, "firstByte", metrics->first_byte_us, 0);
    result_number(json, "total", metrics->total_us, 0);
    casehook__buf_append_char(json, '}');
    result_number(json, "bytesSent", (int64_t)metrics->sent, 0);
    result_number(json, "bytesReceived", (int64_t)metrics->received, 0);
    boolean_member(json, "reused", metrics->reused);
}

static void request_object(struct casehook__buf *json, const struct casehook__request_record *record)
{
    casehook__buf_append_char(json, '{');
    code_member(json, "step", casehook_step_name(record->step), record->step);
    string_member(json, "method", record->method);
    string_member(json, "url", record->url);
    result_number(json, "status", record->status, 1);
    code_member(json, "outcome", casehook_outcome_name(record->outcome), record->outcome);
    result_number(json, "attempt", record->attempt, 1);
    result_number(json, "delayMs", record->delay_ms, 0);
    result_number(json, "startedMs", record->started_ms, 0);
    result_number(json, "durationMs", record->duration_ms, 0);
    metrics_members(json, &record->metrics);
    if (record->detail) {
        casehook__buf_append_char(json, ',');
        casehook__buf_append_string(json, record->detail);
    }
    casehook__buf_append_char(json, '}');
}

static void fields_object(struct casehook__buf *json, const struct casehook_result *result)
{
    name(json, "fields");
    if (!result->has_fields) {
        casehook__buf_append_string(json, "null");
        return;
    }
    casehook__buf_append_char(json, '{');
    for (size_t i = 0; i < result->field_count; i++) {
        if (i) casehook__buf_append_char(json, ',');
        const struct casehook__kept_field *field = &result->fields[i];
        casehook__js_string(json, casehook__text(field->name));
        casehook__buf_append_char(json, ':');
        if (field->is_string)
            casehook__js_string(json, (struct casehook__text){field->text, field->length});
        else
            casehook__buf_append(json, field->text, field->length);
    }
    casehook__buf_append_char(json, '}');
}

static void comments_array(struct casehook__buf *json, const struct casehook_result *result)
{
    name(json, "comments");
    casehook__buf_append_char(json, '[');
    for (size_t i = 0; i < result->comment_count; i++) {
        casehook__buf_append_string(json, i ? ",{" : "{");
        result_text(json, "commentId", result->comments[i].id);
        code_member(json, "state", casehook_comment_state_name(result->comments[i].state),
                    result->comments[i].state);
        casehook__buf_append_char(json, '}');
    }
    casehook__buf_append_char(json, ']');
}

static void requests_array(struct casehook__buf *json, const struct casehook_result *result)
{
    name(json, "requests");
    casehook__buf_append_char(json, '[');
    for (size_t i = 0; i < result->request_count; i++) {
        if (i) casehook__buf_append_char(json, ',');
        request_object(json, &result->requests[i]);
    }
    casehook__buf_append_char(json, ']');
}

/* Text that does not change any more is made once, by whoever asks first. */
static const char *text_kept(const char *text, size_t *length)
{
    if (length) *length = text ? strlen(text) : 0;
    return text;
}

static casehook__kept *slot_of(const casehook__kept *slot)
{
    return (casehook__kept *)(uintptr_t)slot; /* what it belongs to stays as it is for everybody */
}

const char *casehook_result_request_json(const struct casehook_result *result, size_t index, size_t *length)
{
    if (!result || index >= result->request_count) return text_kept(NULL, length);
    casehook__kept *slot = slot_of(&result->requests[index].json);
    const char *kept = atomic_load(slot);
    if (kept) return text_kept(kept, length);
    struct casehook__buf json;
    casehook__buf_init(&json, result->heap, CASEHOOK__RESULT_JSON_MAX);
    request_object(&json, &result->requests[index]);
    return text_kept(casehook__buf_keep(&json, slot), length);
}

/* As text: other readers of JSON do not keep all digits of a number. */
static void user_member(struct casehook__buf *json, uint64_t user)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)user);
    string_member(json, "user", digits);
}

static void result_object(struct casehook__buf *json, const struct casehook_result *result)
{
    const struct casehook_error *error = casehook_result_error(result);
    struct casehook__text id = {result->id_length ? result->id : NULL, result->id_length};
    int step = casehook_result_step(result), outcome = casehook_result_outcome(result);
    casehook__buf_append_char(json, '{');
    boolean_member(json, "ok", !error);
    code_member(json, "operation", casehook_operation_name(result->operation), result->operation);
    user_member(json, result->user);
    code_member(json, "step", casehook_step_name(step), step);
    code_member(json, "outcome", casehook_outcome_name(outcome), outcome);
    result_text(json, "id", id);
    if (result->accepted && !result->id_length) boolean_member(json, "accepted", true);
    boolean_member(json, "found", result->found);
    result_text(json, "title", (struct casehook__text){result->title, result->title_length});
    result_text(json, "url", (struct casehook__text){result->url, result->url_length});
    string_member(json, "pushedDate", result->pushed_date);
    string_member(json, "idempotencyKey", result->idempotency_key);
    fields_object(json, result);
    comments_array(json, result);
    requests_array(json, result);
    name(json, "error");
    if (error)
        error_object(json, error);
    else
        casehook__buf_append_string(json, "null");
    casehook__buf_append_char(json, '}');
}

const char *casehook_result_json(const struct casehook_result *result, size_t *length)
{
    if (!result) return text_kept(NULL, length);
    casehook__kept *slot = slot_of(&result->json);
    const char *kept = atomic_load(slot);
    if (kept) return text_kept(kept, length);
    struct casehook__buf json;
    casehook__buf_init(&json, result->heap, CASEHOOK__RESULT_JSON_MAX);
    result_object(&json, result);
    return text_kept(casehook__buf_keep(&json, slot), length);
}

const char *casehook_error_json(const struct casehook_error *error, size_t *length)
{
    if (!error) return text_kept("[]", length);
    casehook__kept *slot = slot_of(&error->json);
    const char *kept = atomic_load(slot);
    if (kept) return text_kept(kept, length);
    struct casehook__buf json;
    casehook__buf_init(&json, error->heap, CASEHOOK__RESULT_JSON_MAX);
    for (const struct casehook_error *each = error; each; each = each->next) {
        casehook__buf_append_char(&json, each == error ? '[' : ',');
        error_object(&json, each);
    }
    casehook__buf_append_char(&json, ']');
    return text_kept(casehook__buf_keep(&json, slot), length);
}
