/* check_agree.c - the JSON of a result, its getters and its error tell one story. */
#include "check_agree.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>

static int is_one_line(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7F) return 0;
    }
    return 1;
}

void check_agree_error(struct report *report, int status, const struct casehook_error *error)
{
    if (casehook_error_status(error) != status)
        report_problem(report, "the call returned %s, its error is %s", casehook_status_name(status),
                       casehook_status_name(casehook_error_status(error)));
    for (; error; error = casehook_error_next(error)) {
        const char *message = casehook_error_message(error);
        if (!message || !*message)
            report_problem(report, "a failure without a message");
        else if (!is_one_line(message))
            report_problem(report, "a message of more than one line");
    }
}

/* A member that is null or absent where the getter has NULL, else equal text. */
static void same_text(struct report *report, const json_t *object, const char *name, const char *text,
                      size_t length)
{
    const json_t *value = json_object_get(object, name);
    int same = text ? json_is_string(value) && json_string_length(value) == length &&
                          memcmp(json_string_value(value), text, length) == 0
                    : !value || json_is_null(value);
    char *what = must_format("%s: JSON of the result against its getter", name);
    if (!same) report_bytes(report, what, text, length, json_string_value(value), json_string_length(value));
    free(what);
}

static void same_string(struct report *report, const json_t *object, const char *name, const char *text)
{
    same_text(report, object, name, text, text ? strlen(text) : 0);
}

static void same_number(struct report *report, const json_t *object, const char *name, int64_t none,
                        int64_t value)
{
    const json_t *member = json_object_get(object, name);
    if (value == none && (!member || json_is_null(member))) return;
    if (!json_is_number(member) || (int64_t)json_number_value(member) != value)
        report_problem(report, "error.%s: JSON of the result against its getter", name);
}

static void same_error(struct report *report, const json_t *object, const struct casehook_error *error)
{
    if (!error) {
        if (object && !json_is_null(object)) report_problem(report, "an error in the JSON of a success");
        return;
    }
    same_string(report, object, "code", casehook_status_name(casehook_error_status(error)));
    same_string(report, object, "message", casehook_error_message(error));
    same_string(report, object, "step", casehook_error_step(error));
    const char *field = casehook_error_field(error);
    same_string(report, object, "field",
                *field || json_is_string(json_object_get(object, "field")) ? field : NULL);
    same_number(report, object, "offset", -1, casehook_error_offset(error));
    same_number(report, object, "httpStatus", 0, casehook_error_http_status(error));
    same_number(report, object, "retryAfterMs", -1, casehook_error_retry_after_ms(error));
    if (json_is_true(json_object_get(object, "retryable")) != (casehook_error_retryable(error) != 0))
        report_problem(report, "error.retryable: JSON of the result against its getter");
}

static void same_comments(struct report *report, const json_t *list, const struct casehook_result *result)
{
    size_t count = casehook_result_comment_count(result);
    if (json_array_size(list) != count)
        report_problem(report, "comments: %zu in the JSON of the result, %zu by its getters",
                       json_array_size(list), count);
    for (size_t i = 0; i < count && i < json_array_size(list); i++) {
        size_t length = 0;
        const char *id = casehook_result_comment_id(result, i, &length);
        same_text(report, json_array_get(list, i), "commentId", id, length);
        same_string(report, json_array_get(list, i), "state",
                    comment_state_name(casehook_result_comment_state(result, i)));
    }
}

static void same_exchanges(struct report *report, const json_t *list, struct casehook_result *result)
{
    size_t count = casehook_result_exchange_count(result);
    if (json_array_size(list) != count)
        report_problem(report, "exchanges: %zu in the JSON of the result, %zu by its getter",
                       json_array_size(list), count);
    for (size_t i = 0; i < count; i++) {
        size_t length = 0;
        const char *text = casehook_result_exchange_json(result, i, &length);
        json_t *one = text ? read_json(text, length) : NULL;
        if (!one || !json_equal(one, json_array_get(list, i)))
            report_problem(report, "exchange %zu is not that of the JSON of the result", i);
        json_decref(one);
    }
}

static void same_fields(struct report *report, const json_t *fields, const struct casehook_result *result)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)fields, name, value) {
        size_t length = 0;
        const char *text = casehook_result_field(result, name, &length);
        json_t *read = text && !json_is_string(value) ? read_json(text, length) : NULL;
        int same = json_is_string(value) ? text && json_string_length(value) == length &&
                                               memcmp(json_string_value(value), text, length) == 0
                                         : read && json_equal(read, value);
        if (!same) report_problem(report, "field %s: JSON of the result against its getter", name);
        json_decref(read);
    }
}

/* What the header promises a success of an operation. */
static void check_promises(struct report *report, int operation, const struct casehook_result *result)
{
    const char *date = casehook_result_pushed_date(result);
    int writes = operation == CASEHOOK_CREATE || operation == CASEHOOK_UPDATE || operation == CASEHOOK_PUSH;
    if (writes && (!date || strlen(date) != 24 || date[10] != 'T' || date[23] != 'Z'))
        report_problem(report, "pushed date %s", date ? date : "(none)");
    if (!casehook_result_id(result, NULL)) report_problem(report, "a success without id");
    if (operation == CASEHOOK_COMMENT && (casehook_result_comment_count(result) != 1 ||
                                          casehook_result_comment_state(result, 0) != CASEHOOK_COMMENT_SENT))
        report_problem(report, "the comment of a single comment call is not in state sent");
}

void check_agree(struct report *report, int operation, struct casehook_result *result)
{
    size_t length = 0;
    const char *text = casehook_result_json(result, &length);
    json_t *all = text ? read_json(text, length) : NULL;
    const struct casehook_error *error = casehook_result_error(result);
    if (!json_is_object(all)) {
        report_bytes(report, "the JSON of the result is no object", "{...}", 5, text, text ? length : 0);
        json_decref(all);
        return;
    }
    if (json_is_true(json_object_get(all, "ok")) != (error == NULL))
        report_problem(report, "ok in the JSON of the result against its error");
    same_string(report, all, "step", error ? casehook_error_step(error) : NULL);
    const char *id = casehook_result_id(result, &length);
    same_text(report, all, "id", id, id ? length : 0);
    const char *title = casehook_result_title(result, &length);
    same_text(report, all, "title", title, title ? length : 0);
    const char *url = casehook_result_url(result, &length);
    same_text(report, all, "url", url, url ? length : 0);
    same_string(report, all, "pushedDate", casehook_result_pushed_date(result));
    same_error(report, json_object_get(all, "error"), error);
    same_fields(report, json_object_get(all, "fields"), result);
    same_comments(report, json_object_get(all, "comments"), result);
    same_exchanges(report, json_object_get(all, "exchanges"), result);
    if (!error) check_promises(report, operation, result);
    json_decref(all);
}

size_t requests_told(struct casehook_result *result)
{
    size_t told = 0;
    for (size_t i = 0; i < casehook_result_exchange_count(result); i++) {
        size_t length = 0;
        const char *text = casehook_result_exchange_json(result, i, &length);
        json_t *one = text ? read_json(text, length) : NULL;
        const char *outcome = json_string_value(json_object_get(one, "outcome"));
        told += outcome && strcmp(outcome, "not_sent") != 0;
        json_decref(one);
    }
    return told;
}
