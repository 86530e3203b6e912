/* check_agree.c - the JSON of a result, its getters and its error tell one story. */
#include "check_agree.h"
#include "memory.h"

#include <stdio.h>
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
        report_problem(report, "%s: JSON of the result against its getter", name);
}

/* A code in words (none: null) and as nameNumber. */
static void same_code(struct report *report, const json_t *object, const char *name, const char *word,
                      int code)
{
    char number[64];
    same_string(report, object, name, *word ? word : NULL);
    snprintf(number, sizeof number, "%sNumber", name);
    same_number(report, object, number, INT64_MIN, code);
}

static void same_error(struct report *report, const json_t *object, const struct casehook_error *error)
{
    if (!error) {
        if (object && !json_is_null(object)) report_problem(report, "an error in the JSON of a success");
        return;
    }
    int outcome = casehook_error_outcome(error);
    same_code(report, object, "code", casehook_status_name(casehook_error_status(error)),
              casehook_error_status(error));
    same_code(report, object, "outcome", outcome ? casehook_outcome_name(outcome) : "", outcome);
    same_string(report, object, "message", casehook_error_message(error));
    same_code(report, object, "step", casehook_step_name(casehook_error_step(error)),
              casehook_error_step(error));
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
        same_code(report, json_array_get(list, i), "state",
                  casehook_comment_state_name(casehook_result_comment_state(result, i)),
                  casehook_result_comment_state(result, i));
    }
}

static void same_request(struct report *report, const json_t *object, const struct casehook_result *result,
                         size_t i)
{
    int step = casehook_result_request_step(result, i), outcome = casehook_result_request_outcome(result, i);
    int preview = json_object_get(object, "headers") != NULL;
    same_code(report, object, "step", casehook_step_name(step), step);
    same_string(report, object, "method", casehook_result_request_method(result, i));
    same_string(report, object, "url", casehook_result_request_url(result, i));
    same_number(report, object, "status", 0, casehook_result_request_status(result, i));
    same_code(report, object, "outcome", casehook_outcome_name(outcome), outcome);
    same_number(report, object, "startedMs", -1, casehook_result_request_started_ms(result, i));
    same_number(report, object, "durationMs", -1, casehook_result_request_duration_ms(result, i));
    if ((casehook_result_request_started_ms(result, i) < 0) != preview ||
        (casehook_result_request_duration_ms(result, i) < 0) != preview)
        report_problem(report, "request %zu: only those of a preview have no times", i);
}

static void same_requests(struct report *report, const json_t *list, const struct casehook_result *result)
{
    size_t count = casehook_result_request_count(result);
    if (json_array_size(list) != count)
        report_problem(report, "requests: %zu in the JSON of the result, %zu by its getter",
                       json_array_size(list), count);
    for (size_t i = 0; i < count; i++) {
        size_t length = 0;
        const char *text = casehook_result_request_json(result, i, &length);
        json_t *one = text ? read_json(text, length) : NULL;
        if (!one || !json_equal(one, json_array_get(list, i)))
            report_problem(report, "request %zu is not that of the JSON of the result", i);
        same_request(report, one, result, i);
        json_decref(one);
    }
}

static void same_fields(struct report *report, const json_t *fields, const struct casehook_result *result)
{
    const char *name;
    json_t *value;
    size_t index = 0, by_index = 0;
    if (json_object_size(fields) != casehook_result_field_count(result))
        report_problem(report, "fields: %zu in the JSON of the result, %zu by its getter",
                       json_object_size(fields), casehook_result_field_count(result));
    json_object_foreach((json_t *)(uintptr_t)fields, name, value) {
        size_t length = 0;
        const char *text = casehook_result_field(result, name, &length),
                   *own = casehook_result_field_name(result, index);
        if (!own || strcmp(own, name) != 0 || casehook_result_field_value(result, index, &by_index) != text ||
            by_index != length || casehook_result_field_is_text(result, index) != json_is_string(value))
            report_problem(report, "field %s: by its name against by its number", name);
        index++;
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
    /* A case that is closed and to be left alone is not pushed (L2). */
    int left_alone = casehook_result_found(result) && !casehook_result_url(result, NULL);
    int writes = !left_alone && operation != CASEHOOK_GET && operation != CASEHOOK_COMMENT;
    if (writes && (!date || strlen(date) != 24 || date[10] != 'T' || date[23] != 'Z'))
        report_problem(report, "pushed date %s", date ? date : "(none)");
    if (!casehook_result_id(result, NULL)) report_problem(report, "a success without id");
    if (operation == CASEHOOK_COMMENT && (casehook_result_comment_count(result) != 1 ||
                                          casehook_result_comment_state(result, 0) != CASEHOOK_COMMENT_SENT))
        report_problem(report, "the comment of a single comment call is not in state sent");
}

void check_agree(struct report *report, int operation, const struct casehook_result *result)
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
    int step = casehook_result_step(result), outcome = casehook_result_outcome(result);
    same_code(report, all, "operation", casehook_operation_name(operation), operation);
    same_number(report, all, "operationNumber", 0, casehook_result_operation(result));
    same_code(report, all, "step", casehook_step_name(step), step);
    same_code(report, all, "outcome", casehook_outcome_name(outcome), outcome);
    if (step != casehook_error_step(error) || casehook_result_status(result) != casehook_error_status(error))
        report_problem(report, "status and step of the result against its error");
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
    same_requests(report, json_object_get(all, "requests"), result);
    if (!error) check_promises(report, operation, result);
    json_decref(all);
}

size_t requests_told(const struct casehook_result *result)
{
    size_t told = 0;
    for (size_t i = 0; i < casehook_result_request_count(result); i++)
        told += casehook_result_request_outcome(result, i) != CASEHOOK_OUTCOME_NOT_SENT;
    return told;
}
