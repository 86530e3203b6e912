/* check_result.c - the result of a call against the result of a vector. */
#include "check.h"
#include "check_agree.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>

void outcome_clear(struct outcome *outcome)
{
    casehook_error_free(outcome->error);
    casehook_result_free(outcome->result);
    memset(outcome, 0, sizeof *outcome);
}

static const struct casehook_error *error_of(const struct outcome *outcome)
{
    return outcome->result ? casehook_result_error(outcome->result) : outcome->error;
}

void note_outcome(struct report *report, const struct outcome *outcome)
{
    const struct casehook_error *error = error_of(outcome);
    if (!error) {
        report_note(report, "the library says: %s", casehook_status_name(outcome->status));
        return;
    }
    for (; error; error = casehook_error_next(error)) {
        report_note(report, "the library says: %s: %s [step \"%s\", field \"%s\", offset %lld]",
                    casehook_status_name(casehook_error_status(error)), casehook_error_message(error),
                    casehook_step_name(casehook_error_step(error)), casehook_error_field(error),
                    (long long)casehook_error_offset(error));
    }
}

static void check_text(struct report *report, const char *what, const json_t *expected, const char *actual,
                       size_t length)
{
    if (actual && json_string_length(expected) == length &&
        memcmp(json_string_value(expected), actual, length) == 0)
        return;
    report_bytes(report, what, json_string_value(expected), json_string_length(expected), actual, length);
}

static void check_success(struct report *report, const json_t *expected, const struct casehook_result *result)
{
    static const struct {
        const char *name;
        const char *(*get)(const struct casehook_result *result, size_t *length);
    } texts[] = {{"id", casehook_result_id}, {"title", casehook_result_title}, {"url", casehook_result_url}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const json_t *value = json_object_get(expected, texts[i].name);
        size_t length = 0;
        const char *text = texts[i].get(result, &length);
        if (value) check_text(report, texts[i].name, value, text, length);
    }
}

/* After a failure: the id of a case that the call itself created, or that is named. */
static void check_created(struct report *report, const json_t *expected, const struct call *call,
                          const struct casehook_result *result)
{
    int creates =
        call->operation == CASEHOOK_CREATE || (call->operation == CASEHOOK_PUSH && !call->names_case);
    const json_t *id = json_object_get(expected, "id");
    size_t length = 0;
    const char *text = casehook_result_id(result, &length);
    if (id)
        check_text(report, "id of the case", id, text, length);
    else if (creates && text)
        report_bytes(report, "id after a failure", NULL, 0, text, length);
}

static void check_comments(struct report *report, const json_t *expected,
                           const struct casehook_result *result)
{
    size_t count = casehook_result_comment_count(result);
    if (count != json_array_size(expected)) {
        report_problem(report, "comments: expected %zu, actual %zu", json_array_size(expected), count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(expected, i);
        const char *state = json_string_value(json_object_get(item, "state"));
        const char *actual = casehook_comment_state_name(casehook_result_comment_state(result, i));
        size_t length = 0;
        const char *id = casehook_result_comment_id(result, i, &length);
        char *what = must_format("comment %zu: id", i);
        check_text(report, what, json_object_get(item, "commentId"), id, length);
        free(what);
        what = must_format("comment %zu: state", i);
        if (strcmp(state ? state : "", actual) != 0) report_texts(report, what, state, actual);
        free(what);
    }
}

/* Numbers as reals on both sides: a long integer of a response is no error of the reader. */
json_t *read_json(const char *text, size_t length)
{
    return json_loadb(text, length, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, NULL);
}

static void check_field(struct report *report, const char *name, const json_t *expected, const char *text,
                        size_t length)
{
    char *what = must_format("field %s", name);
    if (json_is_string(expected)) {
        check_text(report, what, expected, text, length);
    } else {
        char *wanted = json_dumps(expected, JSON_ENCODE_ANY);
        json_t *left = read_json(wanted, strlen(wanted)), *right = text ? read_json(text, length) : NULL;
        if (!right || !json_equal(left, right))
            report_bytes(report, what, wanted, strlen(wanted), text, length);
        json_decref(left);
        json_decref(right);
        free(wanted);
    }
    free(what);
}

static void check_fields(struct report *report, const json_t *expected, struct casehook_result *result)
{
    size_t length = 0;
    const char *text = casehook_result_json(result, &length), *name;
    json_t *value, *all = text ? read_json(text, length) : NULL, *actual = json_object_get(all, "fields");
    if (json_object_size(actual) != json_object_size(expected))
        report_problem(report, "fields: expected %zu, actual %zu", json_object_size(expected),
                       json_object_size(actual));
    json_object_foreach((json_t *)(uintptr_t)expected, name, value) {
        const char *field = casehook_result_field(result, name, &length);
        check_field(report, name, value, field, field ? length : 0);
        if (!json_object_get(actual, name))
            report_problem(report, "field %s is not in the JSON of the result", name);
    }
    json_decref(all);
}

/* 1 when success and step are those of the vector. */
static int check_end(struct report *report, const json_t *expected, const struct outcome *outcome)
{
    const char *wanted = json_string_value(json_object_get(expected, "step"));
    const struct casehook_error *error = error_of(outcome);
    int ok = outcome->status == CASEHOOK_OK && !error;
    const char *step = casehook_step_name(casehook_error_step(error));
    if (json_is_true(json_object_get(expected, "ok"))) {
        if (!ok) report_problem(report, "expected a success, actual a failure in step %s", step);
        return ok;
    }
    if (ok)
        report_problem(report, "expected a failure in step %s, actual a success", wanted);
    else if (!wanted || strcmp(wanted, step) != 0)
        report_texts(report, "step", wanted, step);
    return !ok;
}

void check_result(struct report *report, const json_t *expected, const struct call *call,
                  const struct outcome *outcome)
{
    const char *step = json_string_value(json_object_get(expected, "step"));
    const json_t *fields = json_object_get(expected, "fields");
    check_agree_error(report, outcome->status, error_of(outcome));
    if (check_end(report, expected, outcome) && outcome->result) {
        if (!step)
            check_success(report, expected, outcome->result);
        else
            check_created(report, expected, call, outcome->result);
        if (fields) check_fields(report, fields, outcome->result);
        if (call->operation == CASEHOOK_PUSH && (!step || (strcmp(step, "config") && strcmp(step, "params"))))
            check_comments(report, json_object_get(expected, "comments"), outcome->result);
    }
    if (outcome->result) check_agree(report, call->operation, outcome->result);
}
