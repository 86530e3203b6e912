/* test_attempts.c - attempts, delays, deadlines, the circuit and cancelling, by both drivers (D1, D2, D6). */
#include "plots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- attempts and delays (D1, D2) ---------------------------------------------------------------- */

static const struct plot attempts_plots[] = {
    {.name = "twice busy",
     .settings = THREE,
     .script = {ON_WITH('C', 0, 503, ""), ON('C', CHANCE, 429), ON('C', CHANCE, 201), GET}},
    {.name = "always busy",
     .settings = THREE,
     .script = {ON('C', 0, 503), ON('C', CHANCE, 503), ON('C', CHANCE, 503)},
     .status = STATUS,
     .step = "create",
     .outcome = REFUSED,
     .retryable = true,
     .id = ""},
    {.name = "one attempt is the default",
     .script = {ON('C', 0, 503)},
     .status = STATUS,
     .step = "create",
     .outcome = REFUSED,
     .retryable = true,
     .id = ""},
    {.name = "not reached",
     .settings = THREE,
     .script = {ON_WITH('C', 0, CASEHOOK_E_CONNECT, UNSENT), ON_WITH('C', CHANCE, CASEHOOK_E_RESOLVE, UNSENT),
                ON('C', CHANCE, 201), GET}},
    {.name = "lost",
     .settings = THREE,
     .script = {ON('C', 0, LOST)},
     .status = LOST,
     .step = "create",
     .outcome = UNKNOWN,
     .id = ""},
    {.name = "broken inside",
     .settings = THREE,
     .script = {ON('C', 0, 500)},
     .status = STATUS,
     .step = "create",
     .outcome = REFUSED,
     .id = ""},
    {.name = "each request has its own",
     .settings = THREE,
     .script = {ON('C', 0, 503), ON('C', CHANCE, 503), ON('C', CHANCE, 201), ON('G', 0, LOST),
                ON('G', CHANCE, 502), ON('G', CHANCE, 200)}},
    {.name = "the get fails for good",
     .settings = THREE,
     .script = {ON('C', 0, 201), ON('G', 0, 500), ON('G', CHANCE, 500), ON('G', CHANCE, 500)},
     .status = STATUS,
     .step = "get",
     .outcome = REFUSED},
    {.name = "update",
     .settings = THREE,
     .params = "\"externalId\":\"7\"",
     .script = {ON('U', 0, LOST), ON('U', CHANCE, CASEHOOK_E_TIMEOUT), ON('U', CHANCE, 200), GET}},
    {.name = "comment",
     .settings = THREE,
     .operation = CASEHOOK_COMMENT,
     .params = "\"externalId\":\"7\",\"comments\":[{\"commentId\":\"1\",\"comment\":\"x\"}]",
     .script = {ON('M', 0, 503), ON('M', CHANCE, LOST)},
     .status = LOST,
     .step = "comment",
     .outcome = UNKNOWN},
    {.name = "refused is refused",
     .settings = THREE,
     .script = {ON('C', 0, 503), ON('C', CHANCE, 400)},
     .status = STATUS,
     .step = "create",
     .outcome = REFUSED,
     .id = ""},
    {.name = "other statuses",
     .settings = THREE ",\"retry.statuses\":[404]",
     .params = "\"externalId\":\"7\"",
     .script = {ON('U', 0, 404), ON('U', CHANCE, 200), ON('G', 0, 503)},
     .status = STATUS,
     .step = "get",
     .outcome = REFUSED,
     .retryable = true},
};

static void attempts(void **state)
{
    (void)state;
    RUN(attempts_plots);
}

static const struct plot retry_after_plots[] = {
    {.name = "seconds", .settings = THREE, .script = {BUSY_FOR("2"), THEN(2000)}},
    {.name = "less than the delay", .settings = THREE, .script = {BUSY_FOR("0"), THEN(CHANCE)}},
    {.name = "a date", .settings = THREE, .script = {BUSY_FOR("Sun, 06 Nov 1994 08:49:40 GMT"), THEN(3000)}},
    {.name = "a date of RFC 850",
     .settings = THREE,
     .script = {BUSY_FOR("Sunday, 06-Nov-94 08:50:37 GMT"), THEN(60000)}},
    {.name = "a date that has passed",
     .settings = THREE,
     .script = {BUSY_FOR("Sun, 06 Nov 1994 08:49:00 GMT"), THEN(CHANCE)}},
    {.name = "negative", .settings = THREE, .script = {BUSY_FOR("-5"), THEN(CHANCE)}},
    {.name = "no date", .settings = THREE, .script = {BUSY_FOR("soon"), THEN(CHANCE)}},
    {.name = "empty", .settings = THREE, .script = {BUSY_FOR(""), THEN(CHANCE)}},
    {.name = "twice", .settings = THREE, .script = {BUSY_FOR("7, 9"), THEN(7000)}},
    {.name = "the longest", .settings = THREE, .script = {BUSY_FOR("300"), THEN(300000)}},
    {.name = "too long", .settings = THREE, .script = {BUSY_FOR("301")}, IN_VAIN(301000)},
    {.name = "huge",
     .settings = THREE,
     .script = {BUSY_FOR("99999999999999999999")},
     IN_VAIN(INT64_C(31536000000))},
    {.name = "a date too far",
     .settings = THREE,
     .script = {BUSY_FOR("Mon, 07 Nov 1994 08:49:37 GMT")},
     IN_VAIN(86400000)},
    {.name = "as long as the setting",
     .settings = THREE ",\"retry.maxRetryAfter\":\"5s\"",
     .script = {BUSY_FOR("5"), THEN(5000)}},
    {.name = "longer than the setting",
     .settings = THREE ",\"retry.maxRetryAfter\":\"5s\"",
     .script = {BUSY_FOR("6")},
     IN_VAIN(6000)},
    {.name = "beyond maxDelay",
     .settings = THREE ",\"retry.maxDelay\":\"1s\"",
     .script = {BUSY_FOR("60"), THEN(60000)}},
    {.name = "of the last attempt alone",
     .settings = THREE,
     .script = {BUSY_FOR("2"), ON('C', 2000, 503), ON('C', CHANCE, 201), GET}},
    {.name = "of another refusal",
     .settings = THREE,
     .script = {{.call = 'C', .delay = 0, .answer = 400, .retry_after = "2"}},
     .status = STATUS,
     .step = "create",
     .outcome = REFUSED,
     .id = "",
     .retry_after_ms = 2000},
};

static void retry_after(void **state)
{
    (void)state;
    RUN(retry_after_plots);
}

/* The calendar moves, the clock that only goes forward does not: nor do delays. */
static const struct plot the_calendar_jumps_plots[] = {
    {.name = "an hour on",
     .settings = THREE,
     .script = {{.call = 'C', .delay = 0, .answer = 503, .retry_after = "20", .jump = 3600000},
                ON('C', 20000, 201),
                GET}},
    {.name = "years back",
     .settings = THREE,
     .script = {{.call = 'C', .delay = 0, .answer = 503, .retry_after = "20", .jump = -NOON},
                ON('C', 20000, 201),
                GET}},
    /* of a date only the time that it is when it is read matters */
    {.name = "a date, a minute back",
     .settings = THREE,
     .script = {{.call = 'C',
                 .delay = 0,
                 .answer = 503,
                 .retry_after = "Sun, 06 Nov 1994 08:49:40 GMT",
                 .jump = -60000},
                {.call = 'C',
                 .delay = 63000,
                 .answer = 503,
                 .retry_after = "Sun, 06 Nov 1994 08:49:40 GMT",
                 .jump = 7200000},
                ON('C', CHANCE, 201),
                GET}},
};

static void the_calendar_jumps(void **state)
{
    (void)state;
    RUN(the_calendar_jumps_plots);
}

static const struct plot deadlines_plots[] = {
    {.name = "of the call",
     .settings = THREE,
     .deadline_ms = 1000,
     .script = {ON('C', 0, 503), ON('C', CHANCE, 503)},
     IN_VAIN(0)},
    {.name = "of the call, exactly",
     .settings = THREE,
     .deadline_ms = CHANCE,
     .script = {ON('C', 0, 503)},
     IN_VAIN(0)},
    {.name = "of the call, just in time",
     .settings = THREE,
     .deadline_ms = CHANCE + 1,
     .script = {ON('C', 0, 503), THEN(CHANCE)}},
    {.name = "of retry",
     .settings = THREE ",\"retry.deadline\":\"1s\"",
     .script = {ON('C', 0, 503), ON('C', CHANCE, 503)},
     IN_VAIN(0)},
    {.name = "of retry, exactly",
     .settings = THREE ",\"retry.deadline\":700",
     .script = {ON('C', 0, 503)},
     IN_VAIN(0)},
    {.name = "of retry, just in time",
     .settings = THREE ",\"retry.deadline\":701",
     .script = {ON('C', 0, 503), THEN(CHANCE)}},
    {.name = "of retry, counted from the beginning",
     .settings = THREE ",\"retry.deadline\":\"1s\"",
     .script = {ON('C', 0, 503), ON('C', CHANCE, 201), ON('G', 0, 503)},
     .status = STATUS,
     .step = "get",
     .outcome = REFUSED},
    {.name = "Retry-After beyond it",
     .settings = THREE,
     .deadline_ms = 5000,
     .script = {BUSY_FOR("60")},
     IN_VAIN(60000)},
    {.name = "Retry-After beyond that of retry",
     .settings = THREE ",\"retry.deadline\":\"5s\"",
     .script = {BUSY_FOR("60")},
     IN_VAIN(60000)},
};

static void deadlines(void **state)
{
    (void)state;
    RUN(deadlines_plots);
}

/* ---- circuit (D6) --------------------------------------------------------------------------------- */

#define CIRCUIT(failures) THREE ",\"circuit.failures\":" #failures ",\"circuit.pause\":\"10s\""

/* It opens between two attempts: what had been done stays what it was. */
static const struct plot the_circuit_opens_meanwhile_plots[] = {
    {.name = "busy",
     .settings = CIRCUIT(2),
     .script = {ON('C', 0, 503), ON('C', CHANCE, 503)},
     .status = CASEHOOK_E_UNAVAILABLE,
     .step = "create",
     .outcome = REFUSED,
     .retryable = true,
     .id = "",
     .retry_after_ms = 10000 - CHANCE},
    {.name = "lost, with a key",
     .config = KEY,
     .settings = CIRCUIT(1),
     .script = {ON('C', 0, LOST)},
     CREATE_UNKNOWN(CASEHOOK_E_UNAVAILABLE)},
    {.name = "to be looked for",
     .config = FIND,
     .settings = CIRCUIT(1),
     .script = {ON('C', 0, LOST)},
     CREATE_UNKNOWN(LOST)},
    {.name = "to be looked for, after the pause",
     .config = FIND,
     .settings = CIRCUIT(1) ",\"retry.findDelay\":\"10s\"",
     .script = {ON('C', 0, LOST), ON_WITH('F', 10000, 200, NONE), ON_WITH('F', 10000, 200, THERE), GET},
     .found = true},
    {.name = "update",
     .settings = CIRCUIT(1),
     .params = "\"externalId\":\"7\"",
     .script = {ON('U', 0, LOST)},
     .status = CASEHOOK_E_UNAVAILABLE,
     .step = "update",
     .outcome = UNKNOWN,
     .retryable = true},
    {.name = "get",
     .settings = CIRCUIT(1),
     .script = {ON('C', 0, 201), ON('G', 0, 503)},
     .status = CASEHOOK_E_UNAVAILABLE,
     .step = "get",
     .outcome = REFUSED},
    {.name = "refusals are no failures",
     .settings = CIRCUIT(1),
     .script = {ON('C', 0, 404)},
     .status = STATUS,
     .step = "create",
     .outcome = REFUSED,
     .id = ""},
    {.name = "good ones between",
     .settings = CIRCUIT(2),
     .script = {ON('C', 0, 503), ON('C', CHANCE, 201), ON('G', 0, 503), ON('G', CHANCE, 200)}},
    {.name = "408 is no failure",
     .settings = CIRCUIT(1),
     .script = {ON('C', 0, 408), ON('C', CHANCE, 201), GET}},
};

static void the_circuit_opens_meanwhile(void **state)
{
    (void)state;
    RUN(the_circuit_opens_meanwhile_plots);
}

/* ---- cancelled in a delay ------------------------------------------------------------------------ */

static struct casehook_cancel *cancel;

/* In the delay behind the last request of the script. */
static void cancel_behind(void *user, int64_t until)
{
    (void)user;
    (void)until;
    if (!plot->script[plot_at].call) casehook_cancel_set(cancel);
}

static struct casehook_result *cancel_in_loop(struct casehook_connector *connector, const char *params,
                                              const struct casehook_options *options)
{
    struct casehook_loop *loop = fake_loop(4, 4, NULL);
    struct casehook_result *result;
    assert_int_equal(casehook_loop_submit_json(loop, connector, CASEHOOK_PUSH, params, CASEHOOK_TERMINATED,
                                               options, NULL, NULL),
                     CASEHOOK_OK);
    while (plot->script[plot_at].call) assert_int_equal(casehook_loop_wait(loop, 1), CASEHOOK_OK);
    int64_t now = fake.now;
    casehook_cancel_set(cancel);
    while (!(result = casehook_loop_next(loop, NULL)))
        assert_int_equal(casehook_loop_wait(loop, 0), CASEHOOK_OK);
    assert_true(fake.now == now);
    casehook_loop_free(loop);
    return result;
}

static void cancel_plot(const struct plot *of, bool in_loop)
{
    plot_begin(of);
    fake.pause = cancel_behind;
    assert_int_equal(casehook_cancel_new(NULL, &cancel), CASEHOOK_OK);
    struct casehook_connector *connector = plot_connector(of);
    struct casehook_options options = {.struct_size = sizeof options, .cancel = cancel};
    const char *params = plot_params(of);
    struct casehook_result *result = in_loop ? cancel_in_loop(connector, params, &options)
                                             : plot_drivers[0](connector, CASEHOOK_PUSH, params, &options);
    assert_in_range(fake.now - plot_free_since, 0, 1); /* the loop was waited on for so long */
    plot_expect_end(result);
    casehook_result_free(result);
    casehook_connector_unref(connector);
    casehook_cancel_free(cancel);
    assert_int_equal(fake.transports, 0);
}

/* Ends at once, and says what the last request came to. */
static const struct plot cancelled_in_a_delay_plots[] = {
    {.name = "busy",
     .settings = THREE,
     .script = {{.call = 'C', .delay = 0, .answer = 503, .retry_after = "60"}},
     .status = CASEHOOK_E_CANCELLED,
     .step = "create",
     .outcome = REFUSED,
     .id = ""},
    {.name = "not reached",
     .settings = THREE,
     .script = {ON_WITH('C', 0, CASEHOOK_E_CONNECT, UNSENT)},
     .status = CASEHOOK_E_CANCELLED,
     .step = "create",
     .outcome = NOT_SENT,
     .id = ""},
    {.name = "to be looked for",
     .config = FIND,
     .script = {ON('C', 0, LOST)},
     CREATE_UNKNOWN(CASEHOOK_E_CANCELLED)},
    {.name = "looked for once",
     .config = FIND,
     .script = {ON('C', 0, LOST), LOOK(NONE)},
     CREATE_UNKNOWN(CASEHOOK_E_CANCELLED)},
    {.name = "to be made again",
     .config = FIND,
     .script = {ON('C', 0, LOST), LOOK(NONE), LOOK(NONE)},
     CREATE_UNKNOWN(CASEHOOK_E_CANCELLED)},
    {.name = "lost, with a key",
     .config = KEY,
     .settings = THREE,
     .script = {ON('C', 0, LOST)},
     CREATE_UNKNOWN(CASEHOOK_E_CANCELLED)},
    {.name = "update",
     .settings = THREE,
     .params = "\"externalId\":\"7\"",
     .script = {ON('U', 0, LOST)},
     .status = CASEHOOK_E_CANCELLED,
     .step = "update",
     .outcome = UNKNOWN},
    {.name = "get",
     .settings = THREE,
     .script = {ON('C', 0, 201), ON('G', 0, 503)},
     .status = CASEHOOK_E_CANCELLED,
     .step = "get",
     .outcome = REFUSED},
};

static void cancelled_in_a_delay(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * sizeof cancelled_in_a_delay_plots / sizeof *cancelled_in_a_delay_plots; i++)
        cancel_plot(&cancelled_in_a_delay_plots[i / 2], i % 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attempts),
        cmocka_unit_test(retry_after),
        cmocka_unit_test(the_calendar_jumps),
        cmocka_unit_test(deadlines),
        cmocka_unit_test(the_circuit_opens_meanwhile),
        cmocka_unit_test(cancelled_in_a_delay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
