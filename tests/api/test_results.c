/* test_results.c - what results and errors tell: by getters, by names, as JSON, to many threads at once. */
#include "documents.h"
#include "serve.h"

#include <jansson.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define DELAY_MS     30

static void answer(void *user, const struct http_request *request, struct http_response *response)
{
    static const struct http_header type[] = {{"Content-Type", "application/json"}};
    (void)user;
    bool create = strcmp(request->method, "POST") == 0;
    response->headers = type;
    response->header_count = 1;
    response->status = create ? 201 : 403;
    response->body = create ? "{\"id\":\"42\",\"state\":\"open\",\"count\":1.50,\"gone\":null}" : "no";
    response->body_length = strlen(response->body);
    if (create) response->delay_ms = DELAY_MS;
}

static int start(void **state)
{
    (void)state;
    serve(answer, NULL);
    return 0;
}

static struct casehook_connector *connector_new(void)
{
    return document_connector(NULL, base,
                              "\"createResponseFields\":{\"s\":\"state\",\"n\":\"count\",\"x\":\"y\"}", NULL);
}

static struct casehook_params titled(const char *title)
{
    return (struct casehook_params){.struct_size = sizeof(struct casehook_params), .title = title};
}

/* The case is created, reading it is refused. */
static struct casehook_result *create_refused(struct casehook_connector *connector, uint64_t user)
{
    struct casehook_params params = titled("t");
    struct casehook_options options = {.struct_size = sizeof options, .user = user};
    struct casehook_result *result = NULL;
    assert_int_equal(casehook_create(connector, &params, &options, &result), CASEHOOK_E_HTTP_STATUS);
    return result;
}

/* ---- names ------------------------------------------------------------------------------------- */

static void codes_have_names(void **state)
{
    (void)state;
    static const struct {
        const char *(*name)(int code);
        int first, last;
        const char *names[10];
    } tables[] = {
        {casehook_operation_name,
         CASEHOOK_CREATE,
         CASEHOOK_PUSH,
         {"create", "get", "update", "comment", "push"}},
        {casehook_step_name,
         CASEHOOK_STEP_CONFIG,
         CASEHOOK_STEP_TRANSITION,
         {"config", "params", "create", "get", "update", "comment", "view_url", "find", "token",
          "transition"}},
        {casehook_outcome_name,
         CASEHOOK_OUTCOME_NONE,
         CASEHOOK_OUTCOME_UNKNOWN,
         {"none", "done", "refused", "not_sent", "unknown"}},
        {casehook_comment_state_name,
         CASEHOOK_COMMENT_NOT_ATTEMPTED,
         CASEHOOK_COMMENT_SKIPPED,
         {"not_attempted", "sent", "failed", "skipped"}},
        {casehook_log_level_name,
         CASEHOOK_LOG_ERROR,
         CASEHOOK_LOG_TRACE,
         {"error", "warning", "info", "debug", "trace"}},
    };
    for (size_t i = 0; i < COUNT(tables); i++) {
        for (int code = tables[i].first; code <= tables[i].last; code++)
            assert_string_equal(tables[i].name(code), tables[i].names[code - tables[i].first]);
        assert_string_equal(tables[i].name(tables[i].first - 1), "");
        assert_string_equal(tables[i].name(tables[i].last + 1), "");
        assert_string_equal(tables[i].name(INT32_MIN), "");
        assert_string_equal(tables[i].name(INT32_MAX), "");
    }
    assert_string_equal(casehook_step_name(CASEHOOK_STEP_NONE), "");
    assert_string_equal(casehook_status_name(INT32_MIN), "unknown");
    assert_string_equal(casehook_status_name(1), "unknown");
}

static void features_can_be_listed(void **state)
{
    (void)state;
    static const char *const known[] = {"http2", "idn", "gzip", "brotli", "zstd", "https-proxy", "sse2"};
    assert_true(casehook_feature_count() >= COUNT(known));
    assert_null(casehook_feature_name(casehook_feature_count()));
    assert_null(casehook_feature_name(SIZE_MAX));
    for (size_t i = 0; i < COUNT(known); i++) {
        size_t found = 0;
        for (size_t j = 0; j < casehook_feature_count(); j++)
            found += strcmp(casehook_feature_name(j), known[i]) == 0;
        assert_int_equal(found, 1);
        assert_in_range(casehook_feature(known[i]), 0, 1);
    }
}

/* ---- getters ----------------------------------------------------------------------------------- */

static int64_t unix_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void requests_by_their_numbers(void **state)
{
    (void)state;
    struct casehook_connector *connector = connector_new();
    int64_t before = unix_ms();
    struct casehook_result *result = create_refused(connector, 0);
    int64_t after = unix_ms();
    char url[128];
    assert_int_equal(casehook_result_request_count(result), 2);
    snprintf(url, sizeof url, "%s/issue", base);
    assert_int_equal(casehook_result_request_step(result, 0), CASEHOOK_STEP_CREATE);
    assert_string_equal(casehook_result_request_method(result, 0), "POST");
    assert_string_equal(casehook_result_request_url(result, 0), url);
    assert_int_equal(casehook_result_request_status(result, 0), 201);
    assert_int_equal(casehook_result_request_outcome(result, 0), CASEHOOK_OUTCOME_DONE);
    assert_in_range(casehook_result_request_started_ms(result, 0), before, after);
    assert_true(casehook_result_request_duration_ms(result, 0) >= DELAY_MS - 1); /* of two clocks */
    assert_int_equal(casehook_result_request_step(result, 1), CASEHOOK_STEP_GET);
    assert_string_equal(casehook_result_request_method(result, 1), "GET");
    assert_int_equal(casehook_result_request_status(result, 1), 403);
    assert_int_equal(casehook_result_request_outcome(result, 1), CASEHOOK_OUTCOME_REFUSED);
    assert_in_range(casehook_result_request_started_ms(result, 1),
                    casehook_result_request_started_ms(result, 0), after);
    for (int i = 0; i < 2; i++) { /* beyond them, and without a result */
        const struct casehook_result *none = i ? result : NULL;
        assert_int_equal(casehook_result_request_step(none, 2), CASEHOOK_STEP_NONE);
        assert_null(casehook_result_request_method(none, 2));
        assert_null(casehook_result_request_url(none, 2));
        assert_int_equal(casehook_result_request_status(none, 2), 0);
        assert_int_equal(casehook_result_request_outcome(none, 2), CASEHOOK_OUTCOME_NONE);
        assert_int_equal(casehook_result_request_started_ms(none, 2), -1);
        assert_int_equal(casehook_result_request_duration_ms(none, 2), -1);
        assert_null(casehook_result_request_json(none, 2, NULL));
    }
    casehook_result_free(result);
    casehook_connector_unref(connector);
}

static void fields_by_their_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
        int is_text;
    } wanted[] = {{"s", "open", 1}, {"n", "1.5", 0}}; /* x was not in the answer */
    struct casehook_connector *connector = connector_new();
    struct casehook_result *result = create_refused(connector, 0);
    assert_int_equal(casehook_result_field_count(result), COUNT(wanted));
    for (size_t i = 0; i < COUNT(wanted); i++) {
        size_t length = 99;
        assert_string_equal(casehook_result_field_name(result, i), wanted[i].name);
        const char *value = casehook_result_field_value(result, i, &length);
        assert_string_equal(value, wanted[i].value);
        assert_int_equal(length, strlen(wanted[i].value));
        assert_ptr_equal(casehook_result_field(result, wanted[i].name, NULL), value);
        assert_int_equal(casehook_result_field_is_text(result, i), wanted[i].is_text);
    }
    for (int i = 0; i < 2; i++) {
        const struct casehook_result *none = i ? result : NULL;
        size_t length = 99;
        assert_null(casehook_result_field_name(none, 2));
        assert_null(casehook_result_field_value(none, 2, &length));
        assert_int_equal(length, 0);
        assert_int_equal(casehook_result_field_is_text(none, 2), 0);
    }
    casehook_result_free(result);
    casehook_connector_unref(connector);
}

static void the_end_of_an_operation(void **state)
{
    (void)state;
    struct casehook_connector *connector = connector_new();
    struct casehook_result *result = create_refused(connector, 0);
    struct casehook_params params = titled("t");
    assert_int_equal(casehook_result_operation(result), CASEHOOK_CREATE);
    assert_int_equal(casehook_result_status(result), CASEHOOK_E_HTTP_STATUS);
    assert_int_equal(casehook_result_step(result), CASEHOOK_STEP_GET);
    assert_int_equal(casehook_result_outcome(result), CASEHOOK_OUTCOME_REFUSED);
    casehook_result_free(result);
    assert_int_equal(casehook_preview(connector, CASEHOOK_PUSH, &params, &result), CASEHOOK_OK);
    assert_int_equal(casehook_result_operation(result), CASEHOOK_PUSH);
    assert_int_equal(casehook_result_status(result), CASEHOOK_OK);
    assert_int_equal(casehook_result_step(result), CASEHOOK_STEP_NONE);
    assert_int_equal(casehook_result_outcome(result), CASEHOOK_OUTCOME_NOT_SENT);
    assert_int_equal(casehook_result_request_started_ms(result, 0), -1);
    assert_int_equal(casehook_result_request_duration_ms(result, 0), -1);
    casehook_result_free(result);
    assert_int_equal(casehook_result_operation(NULL), 0);
    assert_int_equal(casehook_result_status(NULL), CASEHOOK_OK);
    assert_int_equal(casehook_result_step(NULL), CASEHOOK_STEP_NONE);
    assert_int_equal(casehook_result_outcome(NULL), CASEHOOK_OUTCOME_NONE);
    assert_true(casehook_result_user(NULL) == 0);
    casehook_connector_unref(connector);
}

/* ---- the caller's own value -------------------------------------------------------------------- */

static void check_user(struct casehook_result *result, const char *decimal)
{
    char wanted[64];
    snprintf(wanted, sizeof wanted, "\"user\":\"%s\"", decimal);
    assert_non_null(result);
    assert_true(casehook_result_user(result) == strtoull(decimal, NULL, 10));
    assert_non_null(strstr(casehook_result_json(result, NULL), wanted));
    casehook_result_free(result);
}

static struct casehook_result *loop_result(struct casehook_loop *loop)
{
    struct casehook_result *result;
    while (!(result = casehook_loop_next(loop, NULL)))
        assert_int_equal(casehook_loop_wait(loop, 10000), CASEHOOK_OK);
    return result;
}

static void the_value_comes_back(void **state)
{
    (void)state;
    static const char most[] = "18446744073709551615";
    struct casehook_connector *connector = connector_new();
    struct casehook_params good = titled("t"), bad = titled(NULL);
    struct casehook_options options = {.struct_size = sizeof options, .user = UINT64_MAX};
    struct casehook_result *result = NULL;
    struct casehook_loop *loop = NULL;
    assert_int_equal(casehook_loop_new(NULL, &loop), CASEHOOK_OK);
    check_user(create_refused(connector, 1), "1");
    casehook_create(connector, &bad, &options, &result);
    check_user(result, most);
    casehook_run_json(connector, CASEHOOK_GET, "{", 1, &options, &result);
    check_user(result, most);
    casehook_run_json(connector, 99, "{}", 2, &options, &result); /* no such operation */
    assert_int_equal(casehook_result_status(result), CASEHOOK_E_ARGUMENT);
    casehook_result_free(result);
    for (int i = 0; i < 3; i++) {
        struct casehook_params *params = i ? &bad : &good;
        options.user = i == 2 ? 0 : UINT64_MAX; /* the slot of the one before must not remember */
        assert_int_equal(casehook_loop_submit(loop, connector, CASEHOOK_CREATE, params, &options, NULL, NULL),
                         CASEHOOK_OK);
        check_user(loop_result(loop), i == 2 ? "0" : most);
        struct casehook_exchange *exchange = NULL;
        assert_int_equal(casehook_exchange_new(connector, CASEHOOK_CREATE, params, &options, &exchange, NULL),
                         CASEHOOK_OK);
        check_user(casehook_exchange_result(exchange), i == 2 ? "0" : most);
        casehook_exchange_free(exchange);
    }
    /* The struct of 0.1 ends before it. */
    options.struct_size = offsetof(struct casehook_options, user);
    options.user = 5;
    casehook_create(connector, &good, &options, &result);
    check_user(result, "0");
    casehook_loop_free(loop);
    casehook_connector_unref(connector);
}

/* ---- errors as JSON ---------------------------------------------------------------------------- */

static void same_text(const json_t *object, const char *name, const char *text)
{
    const json_t *member = json_object_get(object, name);
    assert_non_null(member);
    if (*text)
        assert_string_equal(json_string_value(member), text);
    else
        assert_true(json_is_null(member));
}

static void same_number(const json_t *object, const char *name, int64_t number, bool absent)
{
    const json_t *member = json_object_get(object, name);
    assert_non_null(member);
    if (absent)
        assert_true(json_is_null(member));
    else
        assert_int_equal(json_integer_value(member), number);
}

static void same_fault(const json_t *object, const struct casehook_error *error)
{
    int outcome = casehook_error_outcome(error);
    assert_int_equal(json_object_size(object), 12);
    same_text(object, "code", casehook_status_name(casehook_error_status(error)));
    same_number(object, "codeNumber", casehook_error_status(error), false);
    same_text(object, "message", casehook_error_message(error));
    same_text(object, "step", casehook_step_name(casehook_error_step(error)));
    same_number(object, "stepNumber", casehook_error_step(error), false);
    same_text(object, "field", casehook_error_field(error));
    same_number(object, "offset", casehook_error_offset(error), casehook_error_offset(error) < 0);
    same_number(object, "httpStatus", casehook_error_http_status(error),
                casehook_error_http_status(error) == 0);
    same_text(object, "outcome", outcome ? casehook_outcome_name(outcome) : "");
    same_number(object, "outcomeNumber", outcome, false);
    assert_int_equal(json_is_true(json_object_get(object, "retryable")), casehook_error_retryable(error));
    same_number(object, "retryAfterMs", casehook_error_retry_after_ms(error),
                casehook_error_retry_after_ms(error) < 0);
}

/* The JSON is the list; how many faults there are. */
static size_t check_list(const struct casehook_error *error)
{
    size_t length = 0, count = 0;
    const char *text = casehook_error_json(error, &length);
    assert_non_null(text);
    assert_int_equal(strlen(text), length);
    assert_ptr_equal(casehook_error_json(error, NULL), text);
    json_t *list = json_loadb(text, length, 0, NULL);
    assert_true(json_is_array(list));
    for (; error; error = casehook_error_next(error)) same_fault(json_array_get(list, count++), error);
    assert_int_equal(json_array_size(list), count);
    json_decref(list);
    return count;
}

static void faults_of_documents_and_settings(void **state)
{
    (void)state;
    struct casehook_connector *connector = NULL;
    struct casehook_settings *settings = NULL;
    struct casehook_error *error = NULL;
    assert_int_equal(check_list(NULL), 0);
    assert_int_not_equal(
        casehook_connector_new(NULL, "{\"config\":{\"no\\u0001pe\":1,\"createIncidentUrl\":\"ftp://x\"}}",
                               CASEHOOK_TERMINATED, &connector, &error),
        CASEHOOK_OK);
    size_t count = check_list(error);
    assert_true(count > 5);
    assert_int_equal(check_list(casehook_error_next(error)), count - 1);
    for (const struct casehook_error *each = error; each; each = casehook_error_next(each)) {
        size_t length = strlen(casehook_error_field(each));
        assert_true(length > 0);
        assert_memory_equal(casehook_error_message(each), casehook_error_field(each), length);
    }
    casehook_error_free(error);
    assert_int_equal(casehook_settings_new(NULL, &settings), CASEHOOK_OK);
    assert_int_not_equal(casehook_settings_load_json(settings,
                                                     "{\"a\":1,\"maxRedirects\":99,\"proxyUrl\":true}",
                                                     CASEHOOK_TERMINATED, &error),
                         CASEHOOK_OK);
    assert_int_equal(check_list(error), 3);
    casehook_error_free(error);
    casehook_settings_free(settings);
}

static void faults_of_calls_without_result(void **state)
{
    (void)state;
    struct casehook_connector *connector = connector_new();
    struct casehook_loop_options loop_options = {.struct_size = sizeof loop_options, .max_operations = 1};
    struct casehook_exchange *exchange = NULL;
    struct casehook_loop *loop = NULL;
    struct casehook_params params = titled("t");
    struct casehook_options options = {.struct_size = 1};
    struct casehook_error *error = NULL;
    assert_int_equal(casehook_loop_new(&loop_options, &loop), CASEHOOK_OK);
    assert_int_equal(casehook_loop_submit(NULL, connector, CASEHOOK_CREATE, &params, NULL, NULL, &error),
                     CASEHOOK_E_ARGUMENT);
    assert_string_equal(casehook_error_message(error), "loop is NULL");
    assert_int_equal(check_list(error), 1);
    casehook_error_free(error);
    assert_int_equal(casehook_loop_submit_json(loop, connector, 6, "{}", 2, NULL, NULL, &error),
                     CASEHOOK_E_ARGUMENT);
    assert_non_null(strstr(casehook_error_message(error), "6 is no operation"));
    casehook_error_free(error);
    assert_int_equal(casehook_loop_submit(loop, connector, CASEHOOK_CREATE, &params, NULL, NULL, &error),
                     CASEHOOK_OK);
    assert_null(error);
    assert_int_equal(casehook_loop_submit(loop, connector, CASEHOOK_CREATE, &params, NULL, NULL, &error),
                     CASEHOOK_E_BUSY);
    assert_int_equal(check_list(error), 1);
    assert_non_null(strstr(casehook_error_message(error), "max_operations"));
    assert_int_equal(casehook_error_retryable(error), 1);
    casehook_error_free(error);
    assert_int_equal(casehook_exchange_new(connector, CASEHOOK_CREATE, &params, &options, &exchange, &error),
                     CASEHOOK_E_ARGUMENT);
    assert_null(exchange);
    assert_non_null(strstr(casehook_error_message(error), "struct casehook_options"));
    assert_int_equal(check_list(error), 1);
    casehook_error_free(error);
    assert_int_equal(casehook_exchange_new_json(NULL, CASEHOOK_CREATE, "{}", 2, NULL, &exchange, &error),
                     CASEHOOK_E_ARGUMENT);
    assert_string_equal(casehook_error_message(error), "connector is NULL");
    casehook_error_free(error);
    assert_int_equal(casehook_exchange_new(connector, CASEHOOK_CREATE, &params, NULL, NULL, &error),
                     CASEHOOK_E_ARGUMENT);
    assert_string_equal(casehook_error_message(error), "exchange is NULL");
    casehook_error_free(error);
    casehook_loop_free(loop);
    casehook_connector_unref(connector);
}

static void the_error_of_a_result(void **state)
{
    (void)state;
    struct casehook_connector *connector = connector_new();
    struct casehook_result *result = create_refused(connector, 0);
    size_t length;
    assert_int_equal(check_list(casehook_result_error(result)), 1);
    const char *list = casehook_error_json(casehook_result_error(result), &length);
    char *inside = calloc(1, length); /* without the brackets */
    memcpy(inside, list + 1, length - 2);
    assert_non_null(strstr(casehook_result_json(result, NULL), inside));
    free(inside);
    casehook_result_free(result);
    casehook_connector_unref(connector);
}

/* ---- threads ----------------------------------------------------------------------------------- */

#define READERS 8

static atomic_int waiting;

struct reader {
    pthread_t thread;
    const struct casehook_result *result;
    const char *whole, *request, *error;
};

static void *read_result(void *argument)
{
    struct reader *reader = argument;
    atomic_fetch_sub(&waiting, 1);
    while (atomic_load(&waiting) > 0) continue; /* all at once */
    reader->whole = casehook_result_json(reader->result, NULL);
    reader->request = casehook_result_request_json(reader->result, 1, NULL);
    reader->error = casehook_error_json(casehook_result_error(reader->result), NULL);
    return NULL;
}

static void many_threads_read_one_result(void **state)
{
    (void)state;
    struct casehook_connector *connector = connector_new();
    for (int round = 0; round < 20; round++) {
        struct casehook_result *result = create_refused(connector, 0);
        struct reader readers[READERS];
        atomic_store(&waiting, READERS);
        for (int i = 0; i < READERS; i++) {
            readers[i].result = result;
            assert_int_equal(pthread_create(&readers[i].thread, NULL, read_result, &readers[i]), 0);
        }
        for (int i = 0; i < READERS; i++) pthread_join(readers[i].thread, NULL);
        for (int i = 0; i < READERS; i++) {
            assert_ptr_equal(readers[i].whole, casehook_result_json(result, NULL));
            assert_ptr_equal(readers[i].request, casehook_result_request_json(result, 1, NULL));
            assert_ptr_equal(readers[i].error, casehook_error_json(casehook_result_error(result), NULL));
        }
        casehook_result_free(result);
    }
    casehook_connector_unref(connector);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_have_names),
        cmocka_unit_test(features_can_be_listed),
        cmocka_unit_test_setup_teardown(requests_by_their_numbers, start, serve_end),
        cmocka_unit_test_setup_teardown(fields_by_their_numbers, start, serve_end),
        cmocka_unit_test_setup_teardown(the_end_of_an_operation, start, serve_end),
        cmocka_unit_test_setup_teardown(the_value_comes_back, start, serve_end),
        cmocka_unit_test(faults_of_documents_and_settings),
        cmocka_unit_test_setup_teardown(faults_of_calls_without_result, start, serve_end),
        cmocka_unit_test_setup_teardown(the_error_of_a_result, start, serve_end),
        cmocka_unit_test_setup_teardown(many_threads_read_one_result, start, serve_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
