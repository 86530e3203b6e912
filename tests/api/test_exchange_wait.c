/* test_exchange_wait.c - an exchange that has to wait: by a clock that only this test moves (D2, D6). */
#include "documents.h"
#include "fake_transport.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define BASE "http://tracker.example"
#define JSON "Content-Type: application/json\r\n"
#define FIND "\"findIncidentUrl\":\"" BASE "/find?q={{case.title}}\",\"findIncidentResponseKey\":\"id\""

static struct casehook_connector *connector;
static struct casehook_exchange *exchange;
static struct casehook_http_request request;

static void begin(const char *config, const char *settings_json, const struct casehook_options *options)
{
    fake_reset();
    struct casehook_settings *settings = document_settings(settings_json);
    connector = document_connector(settings, BASE, config, NULL);
    casehook_settings_free(settings);
    fake_use(connector);
    assert_int_equal(casehook_exchange_new_json(connector, CASEHOOK_CREATE, "{\"title\":\"t\"}",
                                                CASEHOOK_TERMINATED, options, &exchange, NULL),
                     CASEHOOK_OK);
}

static void end(void)
{
    casehook_exchange_free(exchange);
    casehook_connector_unref(connector);
}

static int next(void)
{
    request = (struct casehook_http_request){.struct_size = sizeof request};
    return casehook_exchange_next(exchange, &request);
}

static void feed(int status, const char *headers, const char *body)
{
    assert_int_equal(
        casehook_exchange_feed(exchange, status, headers, CASEHOOK_TERMINATED, body, CASEHOOK_TERMINATED),
        CASEHOOK_OK);
}

static void expect_wait(int64_t ms)
{
    assert_int_equal(next(), CASEHOOK_EXCHANGE_WAIT);
    assert_true(request.wait_ms == ms);
    assert_string_equal(request.method, "");
    assert_string_equal(request.url, "");
    assert_null(request.body);
    assert_int_equal(request.header_count, 0);
    assert_int_equal(request.operation, CASEHOOK_CREATE);
    char json[64];
    snprintf(json, sizeof json, "{\"waitMs\":%lld}", (long long)ms);
    size_t length = 0;
    const char *text = casehook_exchange_next_json(exchange, &length);
    assert_non_null(text);
    assert_string_equal(text, json);
    assert_int_equal(length, strlen(json));
}

static void expect_request(int step)
{
    assert_int_equal(next(), CASEHOOK_EXCHANGE_REQUEST);
    assert_int_equal(request.step, step);
    assert_true(request.wait_ms == 0);
}

static uint64_t longest(void *user)
{
    (void)user;
    return 1000;
}

static void expect_error(struct casehook_result *result, int status, int outcome, int retryable)
{
    const struct casehook_error *error = casehook_result_error(result);
    assert_int_equal(casehook_error_status(error), status);
    assert_int_equal(casehook_error_outcome(error), outcome);
    assert_int_equal(casehook_error_retryable(error), retryable);
    assert_int_equal(casehook_error_step(error), CASEHOOK_STEP_CREATE);
    casehook_result_free(result);
}

#define BUSY "Retry-After: 5\r\n"

/* Asked early, asked often: the time that is left, and nothing is to be done. */
static void asked_early(void **state)
{
    (void)state;
    begin(NULL, "{\"run.maxAttempts\":2}", NULL);
    expect_request(CASEHOOK_STEP_CREATE);
    feed(503, BUSY, "");
    expect_wait(5000);
    expect_wait(5000);
    fake.now += 1;
    expect_wait(4999);
    fake.now += 4998;
    expect_wait(1);
    fake.now += 1;
    expect_request(CASEHOOK_STEP_CREATE);
    feed(201, JSON, "{\"id\":\"7\"}");
    expect_request(CASEHOOK_STEP_GET);
    feed(200, JSON, "{\"key\":\"K\"}");
    assert_int_equal(next(), CASEHOOK_EXCHANGE_ENDED);
    struct casehook_result *result = casehook_exchange_result(exchange);
    assert_null(casehook_result_error(result));
    assert_int_equal(casehook_result_request_count(result), 3);
    assert_int_equal(casehook_result_request_attempt(result, 1), 2);
    assert_true(casehook_result_request_delay_ms(result, 1) == 5000);
    casehook_result_free(result);
    end();
}

/* Two lines of the host's: the first counts, as with every transport. */
static void asked_twice(void **state)
{
    (void)state;
    begin(NULL, "{\"run.maxAttempts\":2}", NULL);
    expect_request(CASEHOOK_STEP_CREATE);
    feed(503, BUSY "Retry-After: 60\r\n", "");
    expect_wait(5000);
    end();
}

/* A line that begins with a blank goes on with the one before it (RFC 9112, 5.2), with every transport. */
static void asked_over_several_lines(void **state)
{
    static const struct {
        const char *headers;
        int64_t ms;
    } cases[] = {{"Retry-After:\r\n \t5 \r\nRetry-After: 60\r\n", 5000},
                 {"Retry-After:\n\t5\n", 5000},
                 {"Retry-After: 5\r\n \r\nX: y", 5000},
                 {"Retry-After: 5 \r\n ", 5000},
                 {"Retry-After: 5\r\nX: y\r\n Retry-After: 60\r\n", 5000},
                 {"X: y\r\n Retry-After: 60\r\n \r\n 6\r\nRETRY-AFTER:\r\n \r\n\t5", 5000}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin(NULL, "{\"run.maxAttempts\":2}", NULL);
        expect_request(CASEHOOK_STEP_CREATE);
        feed(503, cases[i].headers, "");
        expect_wait(cases[i].ms);
        end();
    }
}

/* Asked late it goes on at once, however late. */
static void asked_late(void **state)
{
    (void)state;
    begin(NULL, "{\"run.maxAttempts\":2}", NULL);
    expect_request(CASEHOOK_STEP_CREATE);
    feed(503, BUSY, "");
    fake.now += INT64_C(100000000000);
    expect_request(CASEHOOK_STEP_CREATE);
    end();
}

/* There is no request that could be answered, and nothing changes by trying. */
static void nothing_is_fed_in_a_wait(void **state)
{
    (void)state;
    begin(NULL, "{\"run.maxAttempts\":2}", NULL);
    expect_request(CASEHOOK_STEP_CREATE);
    feed(503, BUSY, "");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(casehook_exchange_feed(exchange, 201, JSON, CASEHOOK_TERMINATED, "{\"id\":\"8\"}",
                                                CASEHOOK_TERMINATED),
                         CASEHOOK_E_ARGUMENT);
        assert_int_equal(casehook_exchange_fail(exchange, CASEHOOK_E_NETWORK, 1, "x"), CASEHOOK_E_ARGUMENT);
        assert_int_equal(
            casehook_exchange_feed_partial(exchange, 201, "", 0, "{", 1, CASEHOOK_E_NETWORK, "x"),
            CASEHOOK_E_ARGUMENT);
        expect_wait(5000);
    }
    end();
}

static void a_host_of_an_older_header(void **state)
{
    struct {
        struct casehook_http_request request;
    } older;
    (void)state;
    begin(NULL, "{\"run.maxAttempts\":2}", NULL);
    expect_request(CASEHOOK_STEP_CREATE);
    feed(503, BUSY, "");
    memset(&older, 0x55, sizeof older);
    older.request.struct_size = offsetof(struct casehook_http_request, wait_ms);
    assert_int_equal(casehook_exchange_next(exchange, &older.request), CASEHOOK_EXCHANGE_WAIT);
    assert_int_equal(older.request.struct_size, offsetof(struct casehook_http_request, wait_ms));
    assert_true(older.request.wait_ms == INT64_C(0x5555555555555555)); /* behind what it knows */
    end();
}

/* ---- ends in a wait ------------------------------------------------------------------------------ */

static void cancelled(void **state)
{
    struct casehook_cancel *cancel = NULL;
    (void)state;
    assert_int_equal(casehook_cancel_new(NULL, &cancel), CASEHOOK_OK);
    struct casehook_options options = {.struct_size = sizeof options};
    options.cancel = cancel;
    for (int json = 0; json < 2; json++) {
        begin(NULL, "{\"run.maxAttempts\":2}", &options);
        expect_request(CASEHOOK_STEP_CREATE);
        feed(503, BUSY, "");
        expect_wait(5000);
        casehook_cancel_set(cancel);
        if (json)
            assert_null(casehook_exchange_next_json(exchange, NULL));
        else
            assert_int_equal(next(), CASEHOOK_EXCHANGE_ENDED);
        expect_error(casehook_exchange_result(exchange), CASEHOOK_E_CANCELLED, CASEHOOK_OUTCOME_REFUSED, 0);
        end();
        casehook_cancel_free(cancel);
        assert_int_equal(casehook_cancel_new(NULL, &cancel), CASEHOOK_OK);
        options.cancel = cancel;
    }
    casehook_cancel_free(cancel);
}

static void the_deadline(void **state)
{
    struct casehook_options options = {.struct_size = sizeof options, .deadline_ms = 6000};
    (void)state;
    begin(NULL, "{\"run.maxAttempts\":3}", &options);
    expect_request(CASEHOOK_STEP_CREATE);
    feed(503, BUSY, "");
    expect_wait(5000);
    fake.now += 5000;
    expect_request(CASEHOOK_STEP_CREATE);
    feed(503, BUSY, ""); /* would pass it */
    assert_int_equal(next(), CASEHOOK_EXCHANGE_ENDED);
    expect_error(casehook_exchange_result(exchange), CASEHOOK_E_HTTP_STATUS, CASEHOOK_OUTCOME_REFUSED, 1);
    end();
    /* the host comes back too late */
    begin(NULL, "{\"run.maxAttempts\":3}", &options);
    expect_request(CASEHOOK_STEP_CREATE);
    feed(503, BUSY, "");
    expect_wait(5000);
    fake.now += 6000;
    assert_int_equal(next(), CASEHOOK_EXCHANGE_ENDED);
    expect_error(casehook_exchange_result(exchange), CASEHOOK_E_TIMEOUT, CASEHOOK_OUTCOME_NOT_SENT, 1);
    end();
}

/* The host has had enough: what is known is in the result, and nobody was asked again. */
static void the_result_is_taken(void **state)
{
    static const struct {
        const char *config;
        int status, outcome; /* of the create; of the result */
    } cases[] = {{NULL, 503, CASEHOOK_OUTCOME_REFUSED},
                 {FIND, 0, CASEHOOK_OUTCOME_UNKNOWN},
                 {FIND, 500, CASEHOOK_OUTCOME_UNKNOWN},
                 {"\"idempotencyHeader\":\"K\"", 0, CASEHOOK_OUTCOME_UNKNOWN}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int late = 0; late < 2; late++) {
            begin(cases[i].config, "{\"run.maxAttempts\":2}", NULL);
            fake.random = NULL;
            expect_request(CASEHOOK_STEP_CREATE);
            if (cases[i].status)
                feed(cases[i].status, BUSY, "");
            else
                assert_int_equal(casehook_exchange_fail(exchange, CASEHOOK_E_NETWORK, 1, "lost"),
                                 CASEHOOK_OK);
            if (late) fake.now += 60000; /* its time has come, only nobody asked */
            struct casehook_result *result = casehook_exchange_result(exchange);
            assert_non_null(result);
            assert_null(casehook_result_id(result, NULL));
            /* late: what ends is the next request */
            int outcome = cases[i].outcome;
            if (late && outcome == CASEHOOK_OUTCOME_REFUSED) outcome = CASEHOOK_OUTCOME_NOT_SENT;
            expect_error(result, CASEHOOK_E_CANCELLED, outcome, 0);
            assert_null(casehook_exchange_result(exchange));
            assert_int_equal(next(), CASEHOOK_EXCHANGE_ENDED);
            end();
        }
    }
}

/* Between the looks that found nothing and the second create: the first one is still unknown. */
static void taken_before_it_is_made_again(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        begin(FIND, "{\"run.maxAttempts\":2}", NULL);
        expect_request(CASEHOOK_STEP_CREATE);
        assert_int_equal(casehook_exchange_fail(exchange, CASEHOOK_E_NETWORK, 1, "lost"), CASEHOOK_OK);
        for (int i = 0; i < 2; i++) {
            expect_wait(2000);
            fake.now += 2000;
            expect_request(CASEHOOK_STEP_FIND);
            if (i) fake.random = longest;
            feed(200, JSON, "{}");
        }
        assert_int_equal(next(), CASEHOOK_EXCHANGE_WAIT);
        if (late) fake.now += 60000;
        expect_error(casehook_exchange_result(exchange), CASEHOOK_E_CANCELLED, CASEHOOK_OUTCOME_UNKNOWN, 0);
        end();
    }
}

static void freed(void **state)
{
    (void)state;
    begin(FIND, "{\"rateLimit\":{\"requests\":1}}", NULL);
    expect_request(CASEHOOK_STEP_CREATE);
    assert_int_equal(casehook_exchange_fail(exchange, CASEHOOK_E_NETWORK, 1, "lost"), CASEHOOK_OK);
    expect_wait(2000);
    end();
}

/* How many creates have ended so. */
static unsigned counted(const char *code)
{
    char json[8192], word[64];
    unsigned number = 0;
    assert_true(casehook_connector_stats_json(connector, json, sizeof json) < sizeof json);
    snprintf(word, sizeof word, "\"%s\":%%u", code);
    const char *creates = strstr(json, "{\"create\":{");
    if (!creates) return 0;
    if (sscanf(creates + strlen("{\"create\":{"), word, &number) != 1) return 0;
    return number;
}

/* What has ended is counted, whether anybody wants its result or not, and once (D7). */
static void freed_at_the_end(void **state)
{
    (void)state;
    for (int taken = 0; taken < 2; taken++) {
        begin(NULL, "{\"run.maxAttempts\":2}", NULL);
        expect_request(CASEHOOK_STEP_CREATE);
        feed(201, JSON, "{\"id\":\"7\"}");
        expect_request(CASEHOOK_STEP_GET);
        feed(200, JSON, "{\"key\":\"K\"}");
        assert_int_equal(next(), CASEHOOK_EXCHANGE_ENDED);
        assert_int_equal(counted("ok"), 0);
        if (taken) casehook_result_free(casehook_exchange_result(exchange));
        casehook_exchange_free(exchange);
        assert_int_equal(counted("ok"), 1);
        casehook_connector_unref(connector);
    }
}

/* One that is under way has not ended, and one that waits to try again has not failed. */
static void freed_on_the_way(void **state)
{
    (void)state;
    for (int waits = 0; waits < 2; waits++) {
        begin(NULL, "{\"run.maxAttempts\":2}", NULL);
        expect_request(CASEHOOK_STEP_CREATE);
        if (waits) feed(503, BUSY, "");
        if (waits) expect_wait(5000);
        casehook_exchange_free(exchange);
        assert_int_equal(counted("ok"), 0);
        assert_int_equal(counted("http_status"), 0);
        casehook_connector_unref(connector);
    }
}

/* Whatever the first digit of its status is: it is an answer (D7). */
static void counted_by_class(void **state)
{
    char json[8192];
    (void)state;
    begin(NULL, "{}", NULL);
    expect_request(CASEHOOK_STEP_CREATE);
    feed(799, JSON, "{}");
    casehook_result_free(casehook_exchange_result(exchange));
    assert_true(casehook_connector_stats_json(connector, json, sizeof json) < sizeof json);
    assert_non_null(strstr(json, "\"requests\":{\"create\":{\"7xx\":1}}"));
    end();
}

/* ---- other waits --------------------------------------------------------------------------------- */

static void looks(void **state)
{
    (void)state;
    begin(FIND, "{\"retry.findDelay\":\"3s\"}", NULL);
    expect_request(CASEHOOK_STEP_CREATE);
    assert_int_equal(casehook_exchange_fail(exchange, CASEHOOK_E_TIMEOUT, 1, "lost"), CASEHOOK_OK);
    expect_wait(3000);
    fake.now += 3000;
    expect_request(CASEHOOK_STEP_FIND);
    assert_string_equal(request.url, BASE "/find?q=t");
    feed(200, JSON, "{}");
    expect_wait(3000);
    fake.now += 3000;
    expect_request(CASEHOOK_STEP_FIND);
    feed(200, JSON, "{\"id\":7}");
    expect_request(CASEHOOK_STEP_GET);
    feed(200, JSON, "{\"key\":\"K\"}");
    assert_int_equal(next(), CASEHOOK_EXCHANGE_ENDED);
    struct casehook_result *result = casehook_exchange_result(exchange);
    assert_null(casehook_result_error(result));
    assert_true(casehook_result_found(result));
    assert_string_equal(casehook_result_id(result, NULL), "7");
    casehook_result_free(result);
    end();
}

/* Two exchanges of one connector wait for each other's turns; one that is given up leaves its turn. */
static void turns(void **state)
{
    (void)state;
    begin(NULL, "{\"rateLimit\":{\"requests\":1}}", NULL);
    struct casehook_exchange *first = exchange, *second = NULL;
    assert_int_equal(casehook_exchange_new_json(connector, CASEHOOK_CREATE, "{\"title\":\"u\"}",
                                                CASEHOOK_TERMINATED, NULL, &second, NULL),
                     CASEHOOK_OK);
    expect_request(CASEHOOK_STEP_CREATE);
    feed(201, JSON, "{\"id\":\"7\"}");
    assert_int_equal(next(), CASEHOOK_EXCHANGE_WAIT);
    assert_in_range(request.wait_ms, 1000, 1001);
    exchange = second;
    assert_int_equal(next(), CASEHOOK_EXCHANGE_WAIT);
    assert_in_range(request.wait_ms, 2000, 2002);
    casehook_exchange_free(first);
    fake.now += 1001;
    assert_int_equal(next(), CASEHOOK_EXCHANGE_WAIT); /* it was told two seconds */
    fake.now += 1001;
    expect_request(CASEHOOK_STEP_CREATE);
    end();
}

/* Of many that wait all but the last one are given up: it hears of that long before the turn that it was
 * told. */
static void turns_that_are_given_up(void **state)
{
    struct casehook_exchange *others[100];
    int64_t waited = 0;
    (void)state;
    begin(NULL, "{\"rateLimit\":{\"requests\":1}}", NULL);
    others[0] = exchange;
    expect_request(CASEHOOK_STEP_CREATE);
    for (int i = 1; i <= 100; i++) {
        struct casehook_exchange **each = i < 100 ? &others[i] : &exchange;
        assert_int_equal(casehook_exchange_new_json(connector, CASEHOOK_CREATE, "{\"title\":\"u\"}",
                                                    CASEHOOK_TERMINATED, NULL, each, NULL),
                         CASEHOOK_OK);
        exchange = *each;
        assert_int_equal(next(), CASEHOOK_EXCHANGE_WAIT);
    }
    for (int i = 0; i < 100; i++) casehook_exchange_free(others[i]);
    while (next() == CASEHOOK_EXCHANGE_WAIT) {
        assert_true(request.wait_ms > 0);
        fake.now += request.wait_ms;
        waited += request.wait_ms;
    }
    assert_int_equal(request.step, CASEHOOK_STEP_CREATE);
    assert_in_range(waited, 1000, 30000);
    struct casehook_result *result = casehook_exchange_result(exchange);
    assert_true(casehook_result_request_delay_ms(result, 0) == waited);
    casehook_result_free(result);
    end();
}

/* A turn that comes after the deadline is not waited for at all. */
static void a_turn_after_the_deadline(void **state)
{
    static const struct casehook_options options = {.struct_size = sizeof options, .deadline_ms = 60000};
    struct casehook_exchange *others[100];
    (void)state;
    begin(NULL, "{\"rateLimit\":{\"requests\":1}}", NULL);
    others[0] = exchange;
    expect_request(CASEHOOK_STEP_CREATE);
    for (int i = 1; i < 100; i++) {
        assert_int_equal(casehook_exchange_new_json(connector, CASEHOOK_CREATE, "{\"title\":\"u\"}",
                                                    CASEHOOK_TERMINATED, &options, &others[i], NULL),
                         CASEHOOK_OK);
        exchange = others[i];
        assert_int_equal(next(), i < 60 ? CASEHOOK_EXCHANGE_WAIT : CASEHOOK_EXCHANGE_ENDED);
    }
    expect_error(casehook_exchange_result(exchange), CASEHOOK_E_TIMEOUT, CASEHOOK_OUTCOME_NOT_SENT, 1);
    for (int i = 0; i < 99; i++) casehook_exchange_free(others[i]);
    end();
}

static void the_circuit(void **state)
{
    (void)state;
    begin(NULL, "{\"circuit\":{\"failures\":1,\"pause\":\"10s\"}}", NULL);
    expect_request(CASEHOOK_STEP_CREATE);
    feed(500, "", "");
    struct casehook_exchange *first = exchange;
    assert_int_equal(casehook_exchange_new_json(connector, CASEHOOK_CREATE, "{\"title\":\"u\"}",
                                                CASEHOOK_TERMINATED, NULL, &exchange, NULL),
                     CASEHOOK_OK);
    assert_int_equal(next(), CASEHOOK_EXCHANGE_ENDED);
    expect_error(casehook_exchange_result(exchange), CASEHOOK_E_UNAVAILABLE, CASEHOOK_OUTCOME_NOT_SENT, 1);
    casehook_exchange_free(first);
    end();
}

/* ---- tokens -------------------------------------------------------------------------------------- */

#define OAUTH \
    "\"hasAuth\":true,\"authType\":\"oauth2\",\"clientId\":\"c\",\"accessTokenUrl\":\"" BASE "/token\""

/* What the tracker said is not forgotten while another operation gets the next token, in vain (R1, R3). */
static void refused_before_it_waits_for_a_token(void **state)
{
    struct casehook_options options = {.struct_size = sizeof options, .deadline_ms = 6000};
    (void)state;
    fake_reset();
    struct casehook_settings *settings = document_settings("{\"run.maxAttempts\":2}");
    connector = document_connector(settings, BASE, OAUTH, "\"clientSecret\":\"s3cret-s3cret\"");
    casehook_settings_free(settings);
    fake_use(connector);
    struct casehook_exchange *other = NULL, *one = NULL;
    assert_int_equal(casehook_exchange_new_json(connector, CASEHOOK_CREATE, "{\"title\":\"t\"}",
                                                CASEHOOK_TERMINATED, &options, &one, NULL),
                     CASEHOOK_OK);
    assert_int_equal(casehook_exchange_new_json(connector, CASEHOOK_CREATE, "{\"title\":\"u\"}",
                                                CASEHOOK_TERMINATED, NULL, &other, NULL),
                     CASEHOOK_OK);
    exchange = one;
    expect_request(CASEHOOK_STEP_TOKEN);
    feed(200, JSON, "{\"access_token\":\"a-t0ken\",\"token_type\":\"bearer\",\"expires_in\":3}");
    expect_request(CASEHOOK_STEP_CREATE);
    feed(503, BUSY, "{\"error\":\"db down\"}");
    expect_wait(5000);
    fake.now += 5000;
    exchange = other;
    expect_request(CASEHOOK_STEP_TOKEN);
    exchange = one;
    assert_int_equal(next(), CASEHOOK_EXCHANGE_WAIT);
    fake.now += 1000;
    assert_int_equal(next(), CASEHOOK_EXCHANGE_ENDED);
    struct casehook_result *result = casehook_exchange_result(one);
    const struct casehook_error *error = casehook_result_error(result);
    assert_non_null(strstr(casehook_error_message(error), "waited for a token"));
    assert_non_null(strstr(casehook_error_message(error), "db down"));
    assert_int_equal(casehook_error_http_status(error), 503);
    expect_error(result, CASEHOOK_E_TIMEOUT, CASEHOOK_OUTCOME_REFUSED, 1);
    casehook_exchange_free(other);
    end();
}

/* ---- an end while the case is looked for --------------------------------------------------------- */

/* What failed is the create, and its error stays, whatever it was that ended the look. */
static void given_up_while_looking(void **state)
{
    static const char *const settings[] = {"{}", "{\"circuit\":{\"failures\":1,\"pause\":\"10s\"}}",
                                           "{\"rateLimit\":{\"requests\":1,\"per\":\"10s\"}}"};
    static const struct casehook_options options = {.struct_size = sizeof options, .deadline_ms = 6000};
    (void)state;
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        begin(FIND, settings[i], &options);
        expect_request(CASEHOOK_STEP_CREATE);
        assert_int_equal(casehook_exchange_fail(exchange, CASEHOOK_E_NETWORK, 1, "lost"), CASEHOOK_OK);
        expect_wait(2000);
        if (i) fake.now += 2000;
        if (i) assert_int_equal(next(), CASEHOOK_EXCHANGE_ENDED);
        struct casehook_result *result = casehook_exchange_result(exchange);
        const char *message = casehook_error_message(casehook_result_error(result)),
                   *looked = strstr(message, "; whether the case is there could not be seen: ");
        assert_non_null(looked);
        assert_non_null(strstr(message, "lost"));
        assert_true(strstr(message, "lost") < looked);
        assert_null(strstr(message, "before that"));
        expect_error(result, i ? CASEHOOK_E_NETWORK : CASEHOOK_E_CANCELLED, CASEHOOK_OUTCOME_UNKNOWN, 0);
        end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asked_early),
        cmocka_unit_test(asked_twice),
        cmocka_unit_test(asked_over_several_lines),
        cmocka_unit_test(asked_late),
        cmocka_unit_test(nothing_is_fed_in_a_wait),
        cmocka_unit_test(a_host_of_an_older_header),
        cmocka_unit_test(cancelled),
        cmocka_unit_test(the_deadline),
        cmocka_unit_test(the_result_is_taken),
        cmocka_unit_test(taken_before_it_is_made_again),
        cmocka_unit_test(freed),
        cmocka_unit_test(freed_at_the_end),
        cmocka_unit_test(freed_on_the_way),
        cmocka_unit_test(counted_by_class),
        cmocka_unit_test(looks),
        cmocka_unit_test(turns),
        cmocka_unit_test(turns_that_are_given_up),
        cmocka_unit_test(a_turn_after_the_deadline),
        cmocka_unit_test(the_circuit),
        cmocka_unit_test(refused_before_it_waits_for_a_token),
        cmocka_unit_test(given_up_while_looking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
