/* test_log.c - the lines of the log as records: what fails has one, what takes long, what a loop leaves
 * behind. */
#include "documents.h"
#include "serve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define LINES_MAX    64
#define LONG_MS      2000 /* far more than what counts as slow here */

/* Creates cases; a title with "late" is answered late. */
static void answer(void *user, const struct http_request *request, struct http_response *response)
{
    static const struct http_header type[] = {{"Content-Type", "application/json"}};
    (void)user;
    bool create = strcmp(request->method, "POST") == 0;
    response->headers = type;
    response->header_count = 1;
    response->status = create ? 201 : 200;
    response->body = create ? "{\"id\":\"42\"}" : "{\"key\":\"CASE-42\"}";
    response->body_length = strlen(response->body);
    if (create && strstr(request->body, "late")) response->delay_ms = LONG_MS;
}

struct line {
    struct casehook_log_record record;
    char message[1024], url[128], method[16];
};

static struct line lines[LINES_MAX];
static size_t line_count;

static void keep(void *user, const struct casehook_log_record *record)
{
    assert_ptr_equal(user, lines);
    assert_true(line_count < LINES_MAX);
    struct line *line = &lines[line_count++];
    assert_int_equal(record->struct_size, sizeof *record);
    line->record = *record;
    snprintf(line->message, sizeof line->message, "%s", record->message);
    snprintf(line->url, sizeof line->url, "%s", record->url ? record->url : "(none)");
    snprintf(line->method, sizeof line->method, "%s", record->method ? record->method : "(none)");
}

static struct casehook_connector *connector_logging(int level, const char *json)
{
    struct casehook_settings *settings = document_settings(json);
    assert_int_equal(casehook_settings_set_log(settings, level, lines, keep, NULL), CASEHOOK_OK);
    bool trace = level == CASEHOOK_LOG_TRACE;
    const char *secrets = trace ? "\"user\": \"u\", \"password\": \"canary-word\"" : NULL;
    char config[128];
    snprintf(config, sizeof config, "\"createIncidentUrl\": \"%s/issue?team=ops\"", base);
    struct casehook_connector *connector = document_connector(settings, base, trace ? config : NULL, secrets);
    casehook_settings_free(settings);
    line_count = 0;
    return connector;
}

static int start(void **state)
{
    (void)state;
    serve(answer, NULL);
    return 0;
}

static struct casehook_params titled(const char *title)
{
    return (struct casehook_params){.struct_size = sizeof(struct casehook_params), .title = title};
}

static struct casehook_options marked(uint64_t user)
{
    return (struct casehook_options){.struct_size = sizeof(struct casehook_options), .user = user};
}

static size_t count_of(int level, int step)
{
    size_t count = 0;
    for (size_t i = 0; i < line_count; i++)
        count += lines[i].record.level == level && lines[i].record.step == step;
    return count;
}

/* ---- what fails ------------------------------------------------------------------------------- */

/* The one line since the last look: a fault of the params. */
static void check_fault(int operation, uint64_t user, const char *words)
{
    assert_int_equal(line_count, 1);
    const struct line *line = &lines[0];
    assert_int_equal(line->record.level, CASEHOOK_LOG_ERROR);
    assert_int_equal(line->record.operation, operation);
    assert_true(line->record.user == user);
    assert_int_equal(line->record.step, CASEHOOK_STEP_PARAMS);
    assert_int_equal(line->record.status, CASEHOOK_E_PARAMS);
    assert_int_equal(line->record.outcome, CASEHOOK_OUTCOME_NONE);
    assert_int_equal(line->record.attempt, 0);
    assert_string_equal(line->url, "(none)");
    if (!strstr(line->message, words)) fail_msg("%s", line->message);
    line_count = 0;
}

static void faults_of_blocking_calls(void **state)
{
    (void)state;
    struct casehook_connector *connector = connector_logging(CASEHOOK_LOG_ERROR, "{}");
    struct casehook_result *result = NULL;
    struct casehook_params params = titled(NULL);
    struct casehook_options options = marked(7);
    assert_int_equal(casehook_create(connector, &params, &options, &result), CASEHOOK_E_PARAMS);
    check_fault(CASEHOOK_CREATE, 7, "params failed (params): title is missing: ");
    casehook_result_free(result);
    params.external_id = "..";
    assert_int_equal(casehook_get(connector, &params, NULL, &result), CASEHOOK_E_PARAMS);
    check_fault(CASEHOOK_GET, 0, "external_id is \".\" or \"..\"");
    casehook_result_free(result);
    options.user = UINT64_MAX;
    assert_int_equal(
        casehook_run_json(connector, CASEHOOK_PUSH, "{\"title\":", CASEHOOK_TERMINATED, &options, &result),
        CASEHOOK_E_PARAMS);
    check_fault(CASEHOOK_PUSH, UINT64_MAX, "the text of the params ends in the middle");
    casehook_result_free(result);
    params = titled(NULL);
    assert_int_equal(casehook_preview(connector, CASEHOOK_PUSH, &params, &result), CASEHOOK_E_PARAMS);
    assert_int_equal(line_count, 0); /* nothing was to be done */
    casehook_result_free(result);
    casehook_connector_unref(connector);
}

static void faults_in_a_loop(void **state)
{
    (void)state;
    struct casehook_connector *connector = connector_logging(CASEHOOK_LOG_ERROR, "{}");
    struct casehook_loop *loop = NULL;
    struct casehook_options options = marked(8);
    static const char json[] = "{\"title\":\"t\",\"tags\":[1]}";
    assert_int_equal(casehook_loop_new(NULL, &loop), CASEHOOK_OK);
    struct casehook_params params = titled(NULL);
    for (int i = 0; i < 2; i++) {
        if (i == 0)
            assert_int_equal(
                casehook_loop_submit(loop, connector, CASEHOOK_UPDATE, &params, &options, NULL, NULL),
                CASEHOOK_OK);
        else
            assert_int_equal(casehook_loop_submit_json(loop, connector, CASEHOOK_PUSH, json,
                                                       CASEHOOK_TERMINATED, &options, NULL, NULL),
                             CASEHOOK_OK);
        struct casehook_result *result = NULL;
        while (!result) {
            assert_int_equal(casehook_loop_wait(loop, 10000), CASEHOOK_OK);
            result = casehook_loop_next(loop, NULL);
        }
        assert_true(casehook_result_user(result) == 8);
        casehook_result_free(result);
        check_fault(i ? CASEHOOK_PUSH : CASEHOOK_UPDATE, 8,
                    i ? "tags[0] must be a string, not a number" : "external_id is missing");
    }
    casehook_loop_free(loop);
    assert_int_equal(line_count, 0);
    casehook_connector_unref(connector);
}

/* Whether its result is taken or not. */
static void faults_of_an_exchange(void **state)
{
    (void)state;
    struct casehook_connector *connector = connector_logging(CASEHOOK_LOG_ERROR, "{}");
    struct casehook_params params = titled(NULL);
    struct casehook_options options = marked(9);
    for (int taken = 0; taken < 2; taken++) {
        struct casehook_exchange *exchange = NULL;
        assert_int_equal(
            casehook_exchange_new(connector, CASEHOOK_CREATE, &params, &options, &exchange, NULL),
            CASEHOOK_OK);
        if (taken) casehook_result_free(casehook_exchange_result(exchange));
        casehook_exchange_free(exchange);
        check_fault(CASEHOOK_CREATE, 9, "title is missing");
    }
    casehook_connector_unref(connector);
}

/* ---- requests --------------------------------------------------------------------------------- */

static void requests_begin_and_end(void **state)
{
    (void)state;
    static const int levels[] = {CASEHOOK_LOG_DEBUG, CASEHOOK_LOG_DEBUG, CASEHOOK_LOG_INFO,
                                 CASEHOOK_LOG_INFO};
    static const int steps[] = {CASEHOOK_STEP_CREATE, CASEHOOK_STEP_GET, CASEHOOK_STEP_CREATE,
                                CASEHOOK_STEP_GET};
    struct casehook_connector *connector = connector_logging(CASEHOOK_LOG_DEBUG, "{}");
    struct casehook_result *result = NULL;
    struct casehook_params params = titled("t");
    struct casehook_options options = marked(5);
    assert_int_equal(casehook_create(connector, &params, &options, &result), CASEHOOK_OK);
    assert_int_equal(line_count, 4);
    for (size_t i = 0; i < COUNT(levels); i++) {
        const struct casehook_log_record *record = &lines[i].record;
        bool ended = record->level == CASEHOOK_LOG_INFO, create = record->step == CASEHOOK_STEP_CREATE;
        char url[128];
        snprintf(url, sizeof url, "%s/issue%s", base, create ? "" : "/42");
        assert_int_equal(record->level, levels[i]);
        assert_int_equal(record->step, steps[i]);
        assert_int_equal(record->operation, CASEHOOK_CREATE);
        assert_true(record->user == 5);
        assert_int_equal(record->status, CASEHOOK_OK);
        assert_int_equal(record->outcome, ended ? CASEHOOK_OUTCOME_DONE : CASEHOOK_OUTCOME_NONE);
        assert_int_equal(record->http_status, !ended ? 0 : create ? 201 : 200);
        assert_int_equal(record->attempt, 1);
        assert_string_equal(lines[i].method, create ? "POST" : "GET");
        assert_string_equal(lines[i].url, url);
        assert_non_null(strstr(lines[i].message, url));
    }
    casehook_result_free(result);
    casehook_connector_unref(connector);
}

/* What was sent, put together from its lines. */
static void join_trace(const char *prefix, char *joined, size_t size)
{
    size_t length = 0;
    joined[0] = '\0';
    for (size_t i = 0; i < line_count; i++)
        if (lines[i].record.level == CASEHOOK_LOG_TRACE && !strncmp(lines[i].message, prefix, strlen(prefix)))
            length += (size_t)snprintf(joined + length, size - length, "%s", lines[i].message + 2);
}

static bool has_line(const char *message)
{
    for (size_t i = 0; i < line_count; i++)
        if (!strcmp(lines[i].message, message)) return true;
    return false;
}

/* A long text with a secret where lines are cut: nothing of it appears, all of the rest does. */
static void requests_are_shown_whole(void **state)
{
    (void)state;
    static char title[4000], joined[8000];
    static const char secret[] = "canary-word";
    struct casehook_connector *connector = connector_logging(CASEHOOK_LOG_TRACE, "{}");
    memset(title, 'x', sizeof title - 1);
    for (size_t at = 100; at + 100 < sizeof title; at += 17) memcpy(title + at, secret, strlen(secret));
    struct casehook_loop *loop = NULL;
    assert_int_equal(casehook_loop_new(NULL, &loop), CASEHOOK_OK);
    for (int driver = 0; driver < 2; driver++) {
        struct casehook_result *result = NULL;
        struct casehook_params params = titled(title);
        line_count = 0;
        if (driver == 0)
            assert_int_equal(casehook_create(connector, &params, NULL, &result), CASEHOOK_OK);
        else
            assert_int_equal(
                casehook_loop_submit(loop, connector, CASEHOOK_CREATE, &params, NULL, NULL, NULL),
                CASEHOOK_OK);
        while (!result) {
            assert_int_equal(casehook_loop_wait(loop, 100), CASEHOOK_OK);
            result = casehook_loop_next(loop, NULL);
        }
        join_trace("> ", joined, sizeof joined);
        assert_true(strlen(joined) > 2000);
        assert_non_null(strstr(joined, "***"));
        assert_null(strstr(joined, secret));
        char line[128];
        snprintf(line, sizeof line, "> POST %s/issue?team=ops", base);
        assert_true(has_line(line)); /* with the values of the query */
        assert_true(has_line("> Authorization: ***"));
        assert_true(has_line("< status 201"));
        assert_true(has_line("< {\"id\":\"42\"}"));
        assert_true(has_line("< {\"key\":\"CASE-42\"}"));
        casehook_result_free(result);
    }
    casehook_loop_free(loop);
    casehook_connector_unref(connector);
}

/* The one line that says it comes while the request is under way. */
static void check_slow(void)
{
    assert_int_equal(count_of(CASEHOOK_LOG_WARNING, CASEHOOK_STEP_CREATE), 1);
    for (size_t i = 0; i < line_count; i++) {
        if (lines[i].record.level != CASEHOOK_LOG_WARNING || lines[i].record.step != CASEHOOK_STEP_CREATE)
            continue;
        assert_int_equal(lines[i].record.outcome, CASEHOOK_OUTCOME_NONE);
        assert_true(lines[i].record.duration_ms >= 20);
        assert_non_null(strstr(lines[i].message, "create: POST http://127.0.0.1"));
        assert_non_null(strstr(lines[i].message, "no answer for "));
    }
}

static void a_blocking_call_that_waits_long(void **state)
{
    (void)state;
    struct casehook_connector *connector =
        connector_logging(CASEHOOK_LOG_WARNING, "{\"slowRequestTimeout\":\"20\"}");
    struct casehook_result *result = NULL;
    struct casehook_params params = titled("late");
    assert_int_equal(casehook_create(connector, &params, NULL, &result), CASEHOOK_OK);
    check_slow();
    casehook_result_free(result);
    casehook_connector_unref(connector);
}

static void a_loop_that_waits_long(void **state)
{
    (void)state;
    struct casehook_connector *connector =
        connector_logging(CASEHOOK_LOG_WARNING, "{\"slowRequestTimeout\":\"20\"}");
    struct casehook_loop *loop = NULL;
    struct casehook_params params = titled("late");
    struct casehook_result *result = NULL;
    assert_int_equal(casehook_loop_new(NULL, &loop), CASEHOOK_OK);
    assert_int_equal(casehook_loop_submit(loop, connector, CASEHOOK_CREATE, &params, NULL, NULL, NULL),
                     CASEHOOK_OK);
    while (!result) {
        assert_int_equal(casehook_loop_wait(loop, 10000), CASEHOOK_OK);
        result = casehook_loop_next(loop, NULL);
    }
    assert_null(casehook_result_error(result)); /* it was not the end of it */
    check_slow();
    casehook_result_free(result);
    casehook_loop_free(loop);
    casehook_connector_unref(connector);
}

/* The limit of the request stays what it is. */
static void slow_and_then_too_late(void **state)
{
    (void)state;
    struct casehook_connector *connector = connector_logging(
        CASEHOOK_LOG_WARNING, "{\"slowRequestTimeout\":\"20\",\"responseTimeout\":\"200\"}");
    struct casehook_loop *loop = NULL;
    struct casehook_params params = titled("late");
    struct casehook_result *result = NULL;
    assert_int_equal(casehook_loop_new(NULL, &loop), CASEHOOK_OK);
    assert_int_equal(casehook_loop_submit(loop, connector, CASEHOOK_CREATE, &params, NULL, NULL, NULL),
                     CASEHOOK_OK);
    while (!result) {
        assert_int_equal(casehook_loop_wait(loop, 10000), CASEHOOK_OK);
        result = casehook_loop_next(loop, NULL);
    }
    assert_int_equal(casehook_result_status(result), CASEHOOK_E_TIMEOUT);
    check_slow();
    assert_int_equal(count_of(CASEHOOK_LOG_ERROR, CASEHOOK_STEP_CREATE), 1);
    casehook_result_free(result);
    casehook_loop_free(loop);
    casehook_connector_unref(connector);
}

/* ---- a loop that is released ------------------------------------------------------------------- */

/* One request was sent, one operation waits for its turn, one has not come in. */
static void what_a_loop_leaves_behind(void **state)
{
    (void)state;
    struct casehook_connector *connector = connector_logging(CASEHOOK_LOG_ERROR, "{}");
    struct casehook_loop_options loop_options = {.struct_size = sizeof loop_options, .max_connections = 1};
    struct casehook_loop *loop = NULL;
    struct casehook_params params = titled("late");
    size_t before = http_log_count(http), unknown = 0;
    assert_int_equal(casehook_loop_new(&loop_options, &loop), CASEHOOK_OK);
    for (uint64_t user = 1; user <= 3; user++) {
        struct casehook_options options = marked(user);
        if (user == 3) {
            while (http_log_count(http) == before) assert_int_equal(casehook_loop_wait(loop, 1), CASEHOOK_OK);
        }
        assert_int_equal(
            casehook_loop_submit(loop, connector, CASEHOOK_CREATE, &params, &options, NULL, NULL),
            CASEHOOK_OK);
    }
    assert_int_equal(line_count, 0);
    casehook_loop_free(loop);
    assert_int_equal(line_count, 3);
    for (size_t i = 0; i < line_count; i++) {
        const struct casehook_log_record *record = &lines[i].record;
        assert_int_equal(record->level, CASEHOOK_LOG_ERROR);
        assert_int_equal(record->operation, CASEHOOK_CREATE);
        assert_int_equal(record->status, CASEHOOK_E_CANCELLED);
        assert_non_null(strstr(lines[i].message, "the loop was released before"));
        unknown += record->outcome == CASEHOOK_OUTCOME_UNKNOWN;
        if (record->user == 1) {
            assert_int_equal(record->outcome, CASEHOOK_OUTCOME_UNKNOWN);
            assert_int_equal(record->step, CASEHOOK_STEP_CREATE);
            assert_string_equal(lines[i].method, "POST");
        } else {
            assert_int_equal(record->outcome, CASEHOOK_OUTCOME_NOT_SENT);
        }
    }
    assert_int_equal(unknown, 1);
    casehook_connector_unref(connector);
}

/* Its result was there and nobody wanted it: it has its line already. */
static void what_had_ended_is_not_said_twice(void **state)
{
    (void)state;
    struct casehook_connector *connector = connector_logging(CASEHOOK_LOG_INFO, "{}");
    struct casehook_loop *loop = NULL;
    struct casehook_params params = titled("t");
    assert_int_equal(casehook_loop_new(NULL, &loop), CASEHOOK_OK);
    assert_int_equal(casehook_loop_submit(loop, connector, CASEHOOK_CREATE, &params, NULL, NULL, NULL),
                     CASEHOOK_OK);
    while (line_count < 2) assert_int_equal(casehook_loop_wait(loop, 1), CASEHOOK_OK);
    casehook_loop_free(loop);
    assert_int_equal(line_count, 2);
    assert_int_equal(count_of(CASEHOOK_LOG_INFO, CASEHOOK_STEP_GET), 1);
    casehook_connector_unref(connector);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(faults_of_blocking_calls, start, serve_end),
        cmocka_unit_test_setup_teardown(faults_in_a_loop, start, serve_end),
        cmocka_unit_test_setup_teardown(faults_of_an_exchange, start, serve_end),
        cmocka_unit_test_setup_teardown(requests_begin_and_end, start, serve_end),
        cmocka_unit_test_setup_teardown(requests_are_shown_whole, start, serve_end),
        cmocka_unit_test_setup_teardown(a_blocking_call_that_waits_long, start, serve_end),
        cmocka_unit_test_setup_teardown(a_loop_that_waits_long, start, serve_end),
        cmocka_unit_test_setup_teardown(slow_and_then_too_late, start, serve_end),
        cmocka_unit_test_setup_teardown(what_a_loop_leaves_behind, start, serve_end),
        cmocka_unit_test_setup_teardown(what_had_ended_is_not_said_twice, start, serve_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
