/*
 * test_doubt.c - where a case or a comment could be lost or made twice although every single answer was read
 * right: played through the exchange, with answers as trackers give them.
 */
#include "documents.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define BASE "http://127.0.0.1:1"
#define FAST                                                                                     \
    "{\"retry.baseDelay\":\"1ms\",\"retry.maxDelay\":\"1ms\",\"retry.findDelay\":\"1ms\",\"run." \
    "maxAttempts\":2}"
#define FIND \
    "\"findIncidentUrl\":\"" BASE "/find?q={{{case.title}}}\",\"findIncidentResponseKey\":\"items[0].id\""
#define NONE "{\"items\":[]}"
#define KEYS "\"idempotencyHeader\":\"K\",\"idempotencyDuplicateStatuses\":[400,409]"

/* What one request must be for, and what comes back: status 0, the connection breaks; negative, it is not
 * sent;
 * "..." at the end of a body: it breaks off there. */
struct turn {
    int step, status;
    const char *body, *location;
};

static struct casehook_connector *connector;
static struct casehook_result *result;

static void wait_for(int64_t ms)
{
    const struct timespec rest = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&rest, NULL);
}

static void answer(struct casehook_exchange *exchange, const struct turn *turn)
{
    char headers[256] = "Content-Type: application/json\r\n";
    const char *body = turn->body ? turn->body : "{}", *broken = strstr(body, "...");
    if (turn->location) snprintf(headers, sizeof headers, "Location: %s\r\n", turn->location);
    if (turn->status <= 0)
        casehook_exchange_fail(exchange, CASEHOOK_E_NETWORK, turn->status == 0, "it broke");
    else if (broken)
        casehook_exchange_feed_partial(exchange, turn->status, headers, strlen(headers), body,
                                       (size_t)(broken - body), CASEHOOK_E_NETWORK, "it broke");
    else
        casehook_exchange_feed(exchange, turn->status, headers, strlen(headers), body, strlen(body));
}

/* The requests come in this order, and no others. */
static void play(int operation, const char *params, const struct turn *turns, size_t count)
{
    struct casehook_exchange *exchange = NULL;
    struct casehook_http_request request = {.struct_size = sizeof request};
    size_t i = 0;
    int turn;
    assert_int_equal(
        casehook_exchange_new_json(connector, operation, params, strlen(params), NULL, &exchange, NULL),
        CASEHOOK_OK);
    while ((turn = casehook_exchange_next(exchange, &request)) > CASEHOOK_EXCHANGE_ENDED) {
        if (turn == CASEHOOK_EXCHANGE_WAIT) {
            wait_for(request.wait_ms);
            continue;
        }
        if (i == count) fail_msg("one request more: %s %s", request.method, request.url);
        if (request.step != turns[i].step) fail_msg("request %zu: %s %s", i, request.method, request.url);
        answer(exchange, &turns[i++]);
    }
    assert_int_equal(i, count);
    result = casehook_exchange_result(exchange);
    casehook_exchange_free(exchange);
}

static void begin_with(const char *settings_json, const char *fields)
{
    struct casehook_settings *settings = document_settings(settings_json);
    connector = document_connector(settings, BASE, fields, NULL);
    casehook_settings_free(settings);
}

static void begin(const char *fields)
{
    begin_with(FAST, fields);
}

static void end(void)
{
    casehook_result_free(result);
    casehook_connector_unref(connector);
}

static void expect(int status, int outcome, const char *id)
{
    const char *found = casehook_result_id(result, NULL);
    if (casehook_result_status(result) != status || casehook_result_outcome(result) != outcome)
        fail_msg("%s", casehook_result_json(result, NULL));
    assert_string_equal(found ? found : "", id);
}

#define PLAY(operation, params, ...)                                  \
    do {                                                              \
        const struct turn turns[] = {__VA_ARGS__};                    \
        play(operation, params, turns, sizeof turns / sizeof *turns); \
    } while (0)
#define COMMENT "{\"externalId\":\"7\",\"comments\":[{\"commentId\":\"c\",\"comment\":\"x\"}]}"

/* A refusal that did nothing is no earlier try that a duplicate could speak of (D4). */
static void what_was_put_off_was_not_done(void **state)
{
    (void)state;
    begin(KEYS);
    PLAY(CASEHOOK_COMMENT, COMMENT, {CASEHOOK_STEP_COMMENT, 429, NULL, NULL},
         {CASEHOOK_STEP_COMMENT, 400, NULL, NULL});
    expect(CASEHOOK_E_HTTP_STATUS, CASEHOOK_OUTCOME_REFUSED, "7");
    assert_int_equal(casehook_result_comment_state(result, 0), CASEHOOK_COMMENT_FAILED);
    casehook_result_free(result);
    PLAY(CASEHOOK_COMMENT, COMMENT, {CASEHOOK_STEP_COMMENT, 307, NULL, BASE "/there"},
         {CASEHOOK_STEP_COMMENT, 409, NULL, NULL});
    expect(CASEHOOK_E_HTTP_STATUS, CASEHOOK_OUTCOME_REFUSED, "7");
    assert_int_equal(casehook_result_comment_state(result, 0), CASEHOOK_COMMENT_FAILED);
    casehook_result_free(result);
    PLAY(CASEHOOK_COMMENT, COMMENT, {CASEHOOK_STEP_COMMENT, 0, NULL, NULL},
         {CASEHOOK_STEP_COMMENT, 409, NULL, NULL});
    expect(CASEHOOK_OK, CASEHOOK_OUTCOME_DONE, "7");
    assert_int_equal(casehook_result_comment_state(result, 0), CASEHOOK_COMMENT_SENT);
    end();
}

/* A 303 says that the case is written: it is looked for, and never made again (H3, D3). */
static void what_a_303_wrote_is_looked_for(void **state)
{
    (void)state;
    begin(FIND);
    PLAY(CASEHOOK_CREATE, "{\"title\":\"t\"}", {CASEHOOK_STEP_CREATE, 303, NULL, BASE "/cases/7"},
         {CASEHOOK_STEP_CREATE, -1, NULL, NULL}, {CASEHOOK_STEP_FIND, 200, "{\"items\":[{\"id\":7}]}", NULL},
         {CASEHOOK_STEP_GET, 200, "{\"key\":\"K\"}", NULL});
    expect(CASEHOOK_OK, CASEHOOK_OUTCOME_DONE, "7");
    end();
}

static void it_is_not_made_again(void **state)
{
    (void)state;
    begin(FIND);
    PLAY(CASEHOOK_CREATE, "{\"title\":\"t\"}", {CASEHOOK_STEP_CREATE, 303, NULL, BASE "/cases/7"},
         {CASEHOOK_STEP_CREATE, 404, NULL, NULL}, {CASEHOOK_STEP_FIND, 200, NONE, NULL},
         {CASEHOOK_STEP_FIND, 200, NONE, NULL});
    expect(CASEHOOK_E_HTTP_STATUS, CASEHOOK_OUTCOME_UNKNOWN, "");
    char params[4096];
    snprintf(params, sizeof params, "{\"title\":\"t\",\"resume\":%s}", casehook_result_json(result, NULL));
    casehook_result_free(result);
    PLAY(CASEHOOK_CREATE, params, {CASEHOOK_STEP_FIND, 200, "{\"items\":[{\"id\":7}]}", NULL},
         {CASEHOOK_STEP_GET, 200, "{\"key\":\"K\"}", NULL});
    expect(CASEHOOK_OK, CASEHOOK_OUTCOME_DONE, "7");
    end();
}

/* What was learnt stays, whatever comes later (R1). */
static void an_id_stays(void **state)
{
    (void)state;
    begin(KEYS);
    PLAY(CASEHOOK_CREATE, "{\"title\":\"t\"}", {CASEHOOK_STEP_CREATE, 201, "{\"id\":77,\"x\":...", NULL},
         {CASEHOOK_STEP_CREATE, 201, "{\"i...", NULL});
    expect(CASEHOOK_E_NETWORK, CASEHOOK_OUTCOME_UNKNOWN, "77");
    casehook_result_free(result);
    PLAY(CASEHOOK_CREATE, "{\"title\":\"t\"}", {CASEHOOK_STEP_CREATE, 201, "{\"id\":77,\"x\":...", NULL},
         {CASEHOOK_STEP_CREATE, 409, NULL, NULL}, {CASEHOOK_STEP_GET, 200, "{\"key\":\"K\"}", NULL});
    expect(CASEHOOK_OK, CASEHOOK_OUTCOME_DONE, "77");
    end();
}

static void previews(void **state)
{
    static const char unknown[] = "{\"title\":\"t\",\"resume\":{\"comments\":[],\"requests\":[{\"step\":"
                                  "\"create\",\"outcome\":\"unknown\"}]}}";
    char params[8192];
    (void)state;
    begin(FIND);
    /* asked only when a create is unknown, which none is in a preview */
    assert_int_equal(
        casehook_preview_json(connector, CASEHOOK_CREATE, "{\"title\":\"t\"}", CASEHOOK_TERMINATED, &result),
        CASEHOOK_OK);
    assert_int_equal(casehook_result_request_count(result), 2);
    assert_int_equal(casehook_result_request_step(result, 0), CASEHOOK_STEP_CREATE);
    assert_int_equal(casehook_result_request_step(result, 1), CASEHOOK_STEP_GET);
    assert_int_equal(casehook_result_found(result), 0);
    casehook_result_free(result);
    assert_int_equal(casehook_preview_json(connector, CASEHOOK_CREATE, unknown, CASEHOOK_TERMINATED, &result),
                     CASEHOOK_OK);
    assert_int_equal(casehook_result_request_step(result, 0), CASEHOOK_STEP_FIND);
    assert_int_equal(casehook_result_request_step(result, 1), CASEHOOK_STEP_GET);
    snprintf(params, sizeof params, "{\"title\":\"t\",\"resume\":%s}", casehook_result_json(result, NULL));
    casehook_result_free(result);
    play(CASEHOOK_CREATE, params, NULL, 0); /* it was never sent */
    expect(CASEHOOK_E_PARAMS, CASEHOOK_OUTCOME_NONE, "");
    end();
}

/* The variable has its value though the tracker does not know requests by it (D4). */
static void the_key_is_a_variable(void **state)
{
    (void)state;
    begin("\"createIncidentUrl\":\"" BASE "/cases/{{{case.idempotencyKey}}}\"");
    PLAY(CASEHOOK_CREATE, "{\"title\":\"t\",\"idempotencyKey\":\"mine\"}",
         {CASEHOOK_STEP_CREATE, 0, NULL, NULL});
    assert_string_equal(casehook_result_request_url(result, 0), BASE "/cases/mine");
    expect(CASEHOOK_E_NETWORK, CASEHOOK_OUTCOME_UNKNOWN, ""); /* and is not made again for it */
    end();
}

/* ---- what is told ------------------------------------------------------------------------------ */

/* Looked for twice and not found, a case may still come into the index: the create that is refused then is
 * not all that is known (R3). */
static void the_first_create_stays_unknown(void **state)
{
    static const struct turn last[] = {{CASEHOOK_STEP_CREATE, 422, NULL, NULL},
                                       {CASEHOOK_STEP_CREATE, 401, NULL, NULL}};
    char params[4096];
    (void)state;
    begin(FIND);
    for (size_t i = 0; i < sizeof last / sizeof *last; i++) {
        PLAY(CASEHOOK_CREATE, "{\"title\":\"t\"}", {CASEHOOK_STEP_CREATE, 0, NULL, NULL},
             {CASEHOOK_STEP_FIND, 200, NONE, NULL}, {CASEHOOK_STEP_FIND, 200, NONE, NULL}, last[i]);
        expect(CASEHOOK_E_HTTP_STATUS, CASEHOOK_OUTCOME_UNKNOWN, "");
        assert_int_equal(casehook_error_retryable(casehook_result_error(result)), 0);
        snprintf(params, sizeof params, "{\"title\":\"t\",\"resume\":%s}",
                 casehook_result_json(result, NULL));
        casehook_result_free(result);
        PLAY(CASEHOOK_CREATE, params, {CASEHOOK_STEP_FIND, 200, "{\"items\":[{\"id\":7}]}", NULL},
             {CASEHOOK_STEP_GET, 200, "{\"key\":\"K\"}", NULL});
        expect(CASEHOOK_OK, CASEHOOK_OUTCOME_DONE, "7");
        casehook_result_free(result);
    }
    result = NULL;
    end();
}

/* The circuit opens between two attempts: what the tracker said stays in the message, with its status (R1,
 * R3). */
static void a_circuit_between_attempts(void **state)
{
    (void)state;
    begin_with("{\"retry.baseDelay\":\"1ms\",\"run.maxAttempts\":3,\"circuit.failures\":1}", NULL);
    PLAY(CASEHOOK_UPDATE, "{\"title\":\"t\",\"externalId\":\"7\"}",
         {CASEHOOK_STEP_UPDATE, 503, "{\"error\":\"db down\"}", NULL});
    expect(CASEHOOK_E_UNAVAILABLE, CASEHOOK_OUTCOME_REFUSED, "7");
    const struct casehook_error *error = casehook_result_error(result);
    assert_non_null(strstr(casehook_error_message(error), "circuit.failures"));
    assert_non_null(strstr(casehook_error_message(error), "db down"));
    assert_int_equal(casehook_error_http_status(error), 503);
    assert_int_equal(casehook_error_step(error), CASEHOOK_STEP_UPDATE);
    assert_int_equal(casehook_error_retryable(error), 1);
    assert_true(casehook_error_retry_after_ms(error) > 0);
    casehook_result_free(result);
    play(CASEHOOK_UPDATE, "{\"title\":\"t\",\"externalId\":\"7\"}", NULL,
         0); /* the next one hears only of it */
    expect(CASEHOOK_E_UNAVAILABLE, CASEHOOK_OUTCOME_NOT_SENT, "7");
    error = casehook_result_error(result);
    assert_null(strstr(casehook_error_message(error), "before that"));
    assert_int_equal(casehook_error_http_status(error), 0);
    end();
}

static unsigned counted(const char *name)
{
    char json[8192], word[64];
    unsigned number = 0;
    assert_true(casehook_connector_stats_json(connector, json, sizeof json) < sizeof json);
    snprintf(word, sizeof word, "\"%s\":", name);
    const char *from = strstr(json, word);
    assert_non_null(from);
    assert_int_equal(sscanf(from + strlen(word), "%u", &number), 1);
    return number;
}

/* A case that an earlier call had made without knowing is adopted, whichever call finds it (D7). */
static void adopted_when_resumed(void **state)
{
    static const char unknown[] = "{\"title\":\"t\",\"resume\":{\"comments\":[],\"requests\":[{\"step\":"
                                  "\"create\",\"outcome\":\"unknown\"}]}}";
    (void)state;
    begin(FIND ",\"findIncident\":\"always\"");
    PLAY(CASEHOOK_CREATE, unknown, {CASEHOOK_STEP_FIND, 200, "{\"items\":[{\"id\":7}]}", NULL},
         {CASEHOOK_STEP_GET, 200, "{\"key\":\"K\"}", NULL});
    expect(CASEHOOK_OK, CASEHOOK_OUTCOME_DONE, "7");
    assert_int_equal(counted("adopted"), 1);
    assert_int_equal(counted("found"), 0);
    casehook_result_free(result);
    PLAY(CASEHOOK_CREATE, "{\"title\":\"t\"}", {CASEHOOK_STEP_FIND, 200, "{\"items\":[{\"id\":7}]}", NULL},
         {CASEHOOK_STEP_UPDATE, 200, NULL, NULL}, {CASEHOOK_STEP_GET, 200, "{\"key\":\"K\"}", NULL});
    assert_int_equal(counted("adopted"), 1);
    assert_int_equal(counted("found"), 1);
    end();
}

/* A closed case that was left alone stays so when that result is resumed (L2, D5). */
static void a_closed_case_stays_as_it_is(void **state)
{
    static const char closed[] = "{\"items\":[{\"id\":7,\"status\":\"Done\"}]}";
    char params[4096];
    (void)state;
    begin(FIND ",\"findIncident\":\"always\",\"findIncidentResponseStatusKey\":\"items[0].status\","
               "\"closedStatuses\":[\"Done\"],\"whenClosed\":\"ignore\"");
    PLAY(CASEHOOK_PUSH, "{\"title\":\"t\",\"comments\":[{\"commentId\":\"c\",\"comment\":\"x\"}]}",
         {CASEHOOK_STEP_FIND, 200, closed, NULL});
    expect(CASEHOOK_OK, CASEHOOK_OUTCOME_DONE, "7");
    for (int i = 0; i < 2; i++) { /* and when that one is */
        snprintf(params, sizeof params,
                 "{\"title\":\"t\",\"comments\":[{\"commentId\":\"c\",\"comment\":\"x\"}],\"resume\":%s}",
                 casehook_result_json(result, NULL));
        casehook_result_free(result);
        play(CASEHOOK_PUSH, params, NULL, 0);
        expect(CASEHOOK_OK, CASEHOOK_OUTCOME_DONE, "7");
        assert_int_equal(casehook_result_found(result), 1);
        assert_int_equal(casehook_result_comment_state(result, 0), CASEHOOK_COMMENT_NOT_ATTEMPTED);
    }
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_off_was_not_done),
        cmocka_unit_test(what_a_303_wrote_is_looked_for),
        cmocka_unit_test(it_is_not_made_again),
        cmocka_unit_test(an_id_stays),
        cmocka_unit_test(previews),
        cmocka_unit_test(the_key_is_a_variable),
        cmocka_unit_test(the_first_create_stays_unknown),
        cmocka_unit_test(a_circuit_between_attempts),
        cmocka_unit_test(adopted_when_resumed),
        cmocka_unit_test(a_closed_case_stays_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
