/* result_json.c - a result as one JSON object, for the tool and for other languages. */
#include "exchange/result.h"

#include "json/jstext.h"

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

static void boolean_member(struct casehook__buf *json, const char *key, bool value)
{
    name(json, key);
    casehook__buf_append_string(json, value ? "true" : "false");
}

static void error_object(struct casehook__buf *json, const struct casehook_error *error)
{
    if (!error) {
        casehook__buf_append_string(json, "null");
        return;
    }
    casehook__buf_append_char(json, '{');
    string_member(json, "code", casehook_status_name(error->status));
    string_member(json, "message", error->message);
    string_member(json, "step", error->step);
    string_member(json, "field", error->field);
    result_number(json, "offset", error->offset, 0);
    result_number(json, "httpStatus", error->http_status, 1);
    string_member(json, "outcome", error->outcome ? casehook__outcome_name(error->outcome) : NULL);
    boolean_member(json, "retryable", error->retryable != 0);
    result_number(json, "retryAfterMs", error->retry_after_ms, 0);
    casehook__buf_append_char(json, '}');
}

static void exchange_object(struct casehook__buf *json, const struct casehook__exchange_record *record)
{
    casehook__buf_append_char(json, '{');
    string_member(json, "step", record->step);
    string_member(json, "method", record->method);
    string_member(json, "url", record->url);
    result_number(json, "status", record->status, 1);
    string_member(json, "outcome", casehook__outcome_name(record->outcome));
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
        const struct casehook__result_field *field = &result->fields[i];
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
        string_member(json, "state", casehook__comment_state_name(result->comments[i].state));
        casehook__buf_append_char(json, '}');
    }
    casehook__buf_append_char(json, ']');
}

static void exchanges_array(struct casehook__buf *json, const struct casehook_result *result)
{
    name(json, "exchanges");
    casehook__buf_append_char(json, '[');
    for (size_t i = 0; i < result->exchange_count; i++) {
        if (i) casehook__buf_append_char(json, ',');
        exchange_object(json, &result->exchanges[i]);
    }
    casehook__buf_append_char(json, ']');
}

static const char *finish_json(struct casehook__buf *json, size_t *length)
{
    if (length) *length = json->status ? 0 : json->length;
    return json->status ? NULL : casehook__buf_string(json);
}

const char *casehook_result_exchange_json(struct casehook_result *result, size_t index, size_t *length)
{
    if (length) *length = 0;
    if (!result || index >= result->exchange_count) return NULL;
    casehook__buf_clear(&result->exchange_json);
    exchange_object(&result->exchange_json, &result->exchanges[index]);
    return finish_json(&result->exchange_json, length);
}

const char *casehook_result_json(struct casehook_result *result, size_t *length)
{
    if (length) *length = 0;
    if (!result) return NULL;
    struct casehook__buf *json = &result->json;
    const struct casehook_error *error = casehook_result_error(result);
    struct casehook__text id = {result->id_length ? result->id : NULL, result->id_length};
    casehook__buf_clear(json);
    casehook__buf_append_char(json, '{');
    boolean_member(json, "ok", !error);
    string_member(json, "step", error ? error->step : NULL);
    result_text(json, "id", id);
    result_text(json, "title", (struct casehook__text){result->title, result->title_length});
    result_text(json, "url", (struct casehook__text){result->url, result->url_length});
    string_member(json, "pushedDate", result->pushed_date);
    fields_object(json, result);
    comments_array(json, result);
    exchanges_array(json, result);
    name(json, "error");
    error_object(json, error);
    casehook__buf_append_char(json, '}');
    return finish_json(json, length);
}
