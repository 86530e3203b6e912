/* test_limits.c - very many operations under a rate limit, a circuit, or a tracker that asks for time (D2,
 * D6).
 */
#include "documents.h"
#include "fake_transport.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SENT_MAX 40000

static struct casehook_connector *connector;
static struct casehook_loop *loop;
static int64_t sent_at[SENT_MAX];
static size_t sent;
static int create_status; /* what creates are answered */
static const char *retry_after;
static int64_t answer_after;

static void answer(void *user, const struct casehook__request *request, struct fake_answer *answer)
{
    (void)user;
    assert_true(sent < SENT_MAX);
    sent_at[sent++] = fake.now;
    answer->status = request->call == CASEHOOK__CALL_CREATE ? create_status : 200;
    answer->body = "{\"id\":\"7\",\"key\":\"K\"}";
    answer->after_ms = answer_after;
    if (answer->status >= 400) answer->retry_after = retry_after;
}

static bool wants_log;
static int64_t waited_ms; /* as the log tells it */

static void see_wait(void *user, const struct casehook_log_record *record)
{
    const char *told = strstr(record->message, "waits ");
    (void)user;
    if (told) waited_ms += strtol(told + strlen("waits "), NULL, 10);
}

static void begin_with(const char *json, const char *config)
{
    fake_reset();
    fake.answer = answer;
    sent = 0;
    create_status = 201;
    retry_after = NULL;
    answer_after = 0;
    struct casehook_settings *settings = document_settings(json);
    if (wants_log) casehook_settings_set_log(settings, CASEHOOK_LOG_INFO, NULL, see_wait, NULL);
    connector = document_connector(settings, "http://127.0.0.1:1", config, NULL);
    casehook_settings_free(settings);
    fake_use(connector);
    loop = fake_loop(10000, 8, NULL);
}

static void begin(const char *json)
{
    begin_with(json, NULL);
}

static void end(void)
{
    casehook_loop_free(loop);
    casehook_connector_unref(connector);
    assert_int_equal(fake.transports, 0);
}

static void submit(size_t count)
{
    static const struct casehook_params params = {.struct_size = sizeof params, .title = "t"};
    for (size_t i = 0; i < count; i++)
        assert_int_equal(casehook_loop_submit(loop, connector, CASEHOOK_CREATE, &params, NULL, NULL, NULL),
                         CASEHOOK_OK);
}

static int blocking(void)
{
    static const struct casehook_params params = {.struct_size = sizeof params, .title = "t"};
    struct casehook_result *result = NULL;
    int status = casehook_create(connector, &params, NULL, &result);
    casehook_result_free(result);
    return status;
}

/* How many ended with this status, of all that are in the loop. */
static size_t finish(int status)
{
    size_t count = 0;
    struct casehook_result *result;
    while (loop->accepted || loop->finished.first) {
        while ((result = casehook_loop_next(loop, NULL))) {
            count += casehook_error_status(casehook_result_error(result)) == status;
            casehook_result_free(result);
        }
        if (loop->accepted) assert_int_equal(casehook_loop_wait(loop, 60000), CASEHOOK_OK);
    }
    return count;
}

static void expect_windows(double burst, double per_ms)
{
    for (size_t i = 0; i < sent; i++)
        for (size_t j = i; j < sent; j++)
            if ((double)(j - i + 1) > burst + per_ms * (double)(sent_at[j] - sent_at[i]) + 1e-6)
                fail_msg("%zu requests in %lld ms", j - i + 1, (long long)(sent_at[j] - sent_at[i]));
}

/* ---- rate ---------------------------------------------------------------------------------------- */

static void rate_of_a_loop(void **state)
{
    enum { OPERATIONS = 1000 };
    (void)state;
    begin("{\"rateLimit\":{\"requests\":50,\"burst\":10}}");
    int64_t began = fake.now;
    submit(OPERATIONS);
    assert_int_equal(finish(CASEHOOK_OK), OPERATIONS);
    assert_int_equal(sent, 2 * OPERATIONS);
    expect_windows(10, 0.05);
    assert_in_range(sent_at[sent - 1] - began, (2 * OPERATIONS - 10) * 20, (2 * OPERATIONS - 10) * 21);
    assert_in_range(fake.waits, 1,
                    10 * OPERATIONS); /* a request in a long queue looks a few times on its way */
    end();
}

static void rate_of_blocking_calls(void **state)
{
    (void)state;
    begin("{\"rateLimit\":{\"requests\":3,\"per\":\"1m\",\"burst\":5}}");
    int64_t began = fake.now;
    for (int i = 0; i < 20; i++) assert_int_equal(blocking(), CASEHOOK_OK);
    expect_windows(5, 3.0 / 60000);
    assert_in_range(fake.now - began, 35 * 20000, 35 * 20001);
    assert_in_range(fake.pauses, 35, 40);
    end();
}

/* Attempts count as what they are: requests. */
static void attempts_are_requests(void **state)
{
    (void)state;
    begin("{\"rateLimit\":{\"requests\":10,\"burst\":1},\"run.maxAttempts\":3}");
    create_status = 503;
    submit(100);
    assert_int_equal(finish(CASEHOOK_E_HTTP_STATUS), 100);
    assert_int_equal(sent, 300);
    expect_windows(1, 0.01);
    end();
}

/* Who cannot have a turn before its deadline is told so at once, and leaves its place to others. */
static void a_turn_after_the_deadline(void **state)
{
    static const struct casehook_params params = {.struct_size = sizeof params, .title = "t"};
    struct casehook_options options = {.struct_size = sizeof options, .deadline_ms = 1500};
    (void)state;
    begin("{\"rateLimit\":{\"requests\":1}}");
    assert_int_equal(blocking(), CASEHOOK_OK); /* two requests: the next turn is a second from now */
    int64_t began = fake.now;
    size_t before = sent;
    for (int i = 0; i < 10; i++)
        assert_int_equal(
            casehook_loop_submit(loop, connector, CASEHOOK_CREATE, &params, &options, NULL, NULL),
            CASEHOOK_OK);
    for (int i = 0; i < 9; i++) {
        struct casehook_result *result;
        while (!(result = casehook_loop_next(loop, NULL)))
            assert_int_equal(casehook_loop_wait(loop, 0), CASEHOOK_OK);
        const struct casehook_error *error = casehook_result_error(result);
        assert_int_equal(casehook_error_status(error), CASEHOOK_E_TIMEOUT);
        assert_int_equal(casehook_error_outcome(error), CASEHOOK_OUTCOME_NOT_SENT);
        assert_true(casehook_error_retryable(error));
        assert_non_null(strstr(casehook_error_message(error), "rateLimit"));
        assert_non_null(strstr(casehook_error_message(error), "after the deadline of the call"));
        casehook_result_free(result);
    }
    assert_true(fake.now == began && sent == before);
    finish(CASEHOOK_OK);
    end();
}

/* ---- circuit ------------------------------------------------------------------------------------- */

static void one_of_many_tries(void **state)
{
    (void)state;
    begin("{\"circuit\":{\"failures\":3,\"pause\":\"10s\"}}");
    create_status = 500;
    for (int i = 0; i < 3; i++) assert_int_equal(blocking(), CASEHOOK_E_HTTP_STATUS);
    assert_int_equal(blocking(), CASEHOOK_E_UNAVAILABLE);
    submit(100);
    assert_int_equal(finish(CASEHOOK_E_UNAVAILABLE), 100);
    assert_int_equal(sent, 3);
    /* the pause is over: one finds out, the others hear of it */
    fake.now += 10000;
    answer_after = 50;
    submit(100);
    assert_int_equal(finish(CASEHOOK_E_UNAVAILABLE), 99);
    assert_int_equal(sent, 4);
    assert_int_equal(blocking(), CASEHOOK_E_UNAVAILABLE);
    fake.now += 10000;
    create_status = 201;
    assert_int_equal(blocking(), CASEHOOK_OK);
    submit(100);
    assert_int_equal(finish(CASEHOOK_OK), 100);
    end();
}

static void what_is_told(void **state)
{
    static const struct casehook_params params = {.struct_size = sizeof params, .title = "t"};
    struct casehook_result *result = NULL;
    (void)state;
    begin("{\"circuit\":{\"failures\":1,\"pause\":\"10s\"}}");
    create_status = 503;
    assert_int_equal(blocking(), CASEHOOK_E_HTTP_STATUS);
    fake.now += 4000;
    assert_int_equal(casehook_create(connector, &params, NULL, &result), CASEHOOK_E_UNAVAILABLE);
    const struct casehook_error *error = casehook_result_error(result);
    assert_int_equal(casehook_error_outcome(error), CASEHOOK_OUTCOME_NOT_SENT);
    assert_int_equal(casehook_error_step(error), CASEHOOK_STEP_CREATE);
    assert_true(casehook_error_retryable(error));
    assert_true(casehook_error_retry_after_ms(error) == 6000);
    assert_int_equal(casehook_result_request_count(result), 0);
    casehook_result_free(result);
    end();
}

/* The probe is cancelled: the next one tries. */
static void a_cancelled_probe(void **state)
{
    static const struct casehook_params params = {.struct_size = sizeof params, .title = "t"};
    uint64_t ticket = 0;
    (void)state;
    begin("{\"circuit\":{\"failures\":1,\"pause\":\"10s\"}}");
    create_status = 500;
    assert_int_equal(blocking(), CASEHOOK_E_HTTP_STATUS);
    fake.now += 10000;
    create_status = 201;
    answer_after = 1000;
    assert_int_equal(casehook_loop_submit(loop, connector, CASEHOOK_CREATE, &params, NULL, &ticket, NULL),
                     CASEHOOK_OK);
    assert_int_equal(casehook_loop_wait(loop, 0), CASEHOOK_OK);
    assert_int_equal(sent, 2);
    assert_int_equal(blocking(), CASEHOOK_E_UNAVAILABLE);
    assert_int_equal(casehook_loop_cancel(loop, ticket), CASEHOOK_OK);
    assert_int_equal(finish(CASEHOOK_E_CANCELLED), 1);
    assert_int_equal(blocking(), CASEHOOK_OK);
    end();
}

/* While it is open and the case is looked for: to call again would make a second one. */
static void an_unknown_create_is_not_called_again(void **state)
{
    static const struct casehook_params params = {.struct_size = sizeof params, .title = "t"};
    struct casehook_result *result = NULL;
    (void)state;
    begin_with("{\"circuit\":{\"failures\":1,\"pause\":\"10s\"}}",
               "\"findIncidentUrl\":\"http://127.0.0.1:1/find?q={{{case.title}}}\","
               "\"findIncidentResponseKey\":\"[0].id\"");
    create_status = 500;
    assert_int_equal(casehook_create(connector, &params, NULL, &result), CASEHOOK_E_HTTP_STATUS);
    const struct casehook_error *error = casehook_result_error(result);
    assert_int_equal(casehook_error_outcome(error), CASEHOOK_OUTCOME_UNKNOWN);
    assert_non_null(strstr(casehook_error_message(error), "circuit.failures"));
    assert_null(strstr(casehook_error_message(error), "call again"));
    casehook_result_free(result);
    end();
}

/* ---- waits --------------------------------------------------------------------------------------- */

static void a_turn_after_the_retries(void **state)
{
    static const struct casehook_params params = {.struct_size = sizeof params, .title = "t"};
    struct casehook_result *result = NULL;
    (void)state;
    begin("{\"rateLimit\":{\"requests\":1,\"per\":\"60s\"},\"retry\":{\"deadline\":\"5s\"}}");
    assert_int_equal(casehook_create(connector, &params, NULL, &result), CASEHOOK_E_TIMEOUT);
    assert_non_null(strstr(casehook_error_message(casehook_result_error(result)), "after retry.deadline"));
    casehook_result_free(result);
    end();
}

/* Of each wait it is told how long it is, and not how long all have been. */
static void waits_are_told(void **state)
{
    (void)state;
    wants_log = true;
    begin("{\"rateLimit\":{\"requests\":1,\"per\":\"8s\"}}");
    assert_int_equal(blocking(), CASEHOOK_OK); /* its get has waited */
    waited_ms = 0;
    submit(2);
    assert_int_equal(finish(CASEHOOK_OK), 2);
    /* creates after 8 s and 16 s, gets after 24 s and 32 s */
    assert_in_range(waited_ms, 8000 + 16000 + 16000 + 16000, 8000 + 16000 + 16000 + 16000 + 20);
    wants_log = false;
    end();
}

/* Ten thousand that were asked for a minute: in this minute the loop wakes once, when it ends. */
static void ten_thousand_wait_for_a_tracker(void **state)
{
    enum { MANY = 10000 };
    (void)state;
    begin("{\"run.maxAttempts\":2,\"retry.baseDelay\":1}");
    create_status = 503;
    retry_after = "60";
    submit(MANY);
    while (sent < MANY) assert_int_equal(casehook_loop_wait(loop, 0), CASEHOOK_OK);
    assert_int_equal(casehook_loop_wait(loop, 0), CASEHOOK_OK);
    assert_int_equal(fake.under_way, 0);
    create_status = 201;
    int64_t began = fake.now;
    unsigned before = fake.waits;
    assert_int_equal(casehook_loop_wait(loop, 3000), CASEHOOK_OK);
    assert_int_equal(fake.waits - before, 1);
    assert_int_equal(casehook_loop_wait(loop, 56000), CASEHOOK_OK);
    assert_in_range(fake.waits - before, 2, 3); /* idle connections are closed meanwhile */
    assert_int_equal(sent, MANY);
    assert_true(fake.now == began + 59000);
    assert_int_equal(finish(CASEHOOK_OK), MANY);
    assert_int_equal(sent, 3 * MANY);
    assert_true(fake.now == began + 60000);
    assert_in_range(fake.waits - before, 3, 8);
    assert_in_range(fake.most_under_way, 1, 8);
    end();
}

static uint64_t spread(void *user)
{
    static uint64_t number;
    (void)user;
    number = number * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return number >> 20;
}

/* Random delays: no more wakes than there are times at which something is to be done. */
static void ten_thousand_at_their_times(void **state)
{
    enum { MANY = 10000 };
    (void)state;
    begin("{\"run.maxAttempts\":2,\"retry.baseDelay\":\"2s\"}");
    fake.random = spread;
    create_status = 503;
    retry_after = "1";
    submit(MANY);
    while (sent < MANY) assert_int_equal(casehook_loop_wait(loop, 0), CASEHOOK_OK);
    create_status = 201;
    unsigned before = fake.waits;
    assert_int_equal(finish(CASEHOOK_OK), MANY);
    assert_in_range(fake.waits - before, 900, 1100);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rate_of_a_loop),
        cmocka_unit_test(rate_of_blocking_calls),
        cmocka_unit_test(attempts_are_requests),
        cmocka_unit_test(a_turn_after_the_deadline),
        cmocka_unit_test(one_of_many_tries),
        cmocka_unit_test(what_is_told),
        cmocka_unit_test(a_cancelled_probe),
        cmocka_unit_test(an_unknown_create_is_not_called_again),
        cmocka_unit_test(a_turn_after_the_retries),
        cmocka_unit_test(waits_are_told),
        cmocka_unit_test(ten_thousand_wait_for_a_tracker),
        cmocka_unit_test(ten_thousand_at_their_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
