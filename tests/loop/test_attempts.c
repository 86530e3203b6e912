/* test_attempts.c - attempts, delays, finding and keys, by both drivers and a clock that only waits move. */
#include "documents.h"
#include "fake_transport.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define CHANCE 700 /* each random delay, below every cap */

/* One request as it must come, and what comes back. */
struct exchange {
    char call;        /* C create, G get, U update, M comment, F find; 0: there is no more */
    int64_t delay;    /* that was waited before it */
    int answer;       /* a status of HTTP, or CASEHOOK_E_*: no answer */
    const char *body; /* NULL: the usual one; of a failure: not NULL, it was not sent */
    const char *retry_after;
    int64_t jump; /* of the calendar, behind the answer */
};

#define EXCHANGES_MAX 16
#define UNSENT        "" /* as body of a failure */
#define GET                        \
    {                              \
        .call = 'G', .answer = 200 \
    }

struct plot {
    const char *name;
    const char *config, *settings; /* more members */
    int operation;                 /* 0: push */
    const char *params;            /* more members */
    uint32_t deadline_ms;
    struct exchange script[EXCHANGES_MAX];
    /* How it ends; status OK: well. */
    int status;
    const char *step;
    int outcome;
    bool retryable, found;
    const char *id;         /* NULL: 7; "": none */
    int64_t retry_after_ms; /* 0: is not looked at */
};

/* ---- the tracker --------------------------------------------------------------------------------- */

static const struct plot *plot;
static size_t at;
static int64_t free_since; /* the last answer came, or the operation began */
static char keys[EXCHANGES_MAX][400];
static const char *driver;

static char letter(enum casehook__call call)
{
    switch (call) {
    case CASEHOOK__CALL_CREATE: return 'C';
    case CASEHOOK__CALL_GET: return 'G';
    case CASEHOOK__CALL_UPDATE: return 'U';
    case CASEHOOK__CALL_FIND: return 'F';
    default: return 'M';
    }
}

static void play(void *user, const struct casehook__request *request, struct fake_answer *answer)
{
    const struct exchange *expected = &plot->script[at];
    int64_t delay = fake.now - free_since;
    (void)user;
    if (at == EXCHANGES_MAX || expected->call != letter(request->call) || expected->delay != delay)
        fail_msg("%s, %s: request %zu is %c after %lld ms", plot->name, driver, at, letter(request->call),
                 (long long)delay);
    snprintf(keys[at], sizeof *keys, "%.*s", (int)request->idempotency_key.length,
             request->idempotency_key.data ? request->idempotency_key.data : "");
    at++;
    free_since = fake.now;
    fake.calendar += expected->jump;
    if (expected->answer < 0) {
        answer->failure = (struct casehook__failure){
            .status = expected->answer, .sent = expected->body == NULL, .message = "made up"};
        return;
    }
    answer->status = expected->answer;
    answer->retry_after = expected->retry_after;
    answer->body = expected->body ? expected->body : "{\"id\":\"7\",\"key\":\"K-7\"}";
}

static uint64_t chance(void *user)
{
    (void)user;
    return CHANCE;
}

static const char usual_settings[] = "\"retry.baseDelay\":\"1s\"";

static struct casehook_connector *connector_of(const struct plot *of)
{
    char json[1024];
    snprintf(json, sizeof json, "{%s%s%s}", usual_settings, of->settings ? "," : "",
             of->settings ? of->settings : "");
    struct casehook_settings *settings = document_settings(json);
    struct casehook_connector *connector =
        document_connector(settings, "http://127.0.0.1:1", of->config, NULL);
    casehook_settings_free(settings);
    fake_use(connector);
    return connector;
}

/* ---- the drivers --------------------------------------------------------------------------------- */

static struct casehook_result *by_blocking(struct casehook_connector *connector, int operation,
                                           const char *params, const struct casehook_options *options)
{
    struct casehook_result *result = NULL;
    driver = "blocking";
    casehook_run_json(connector, operation, params, CASEHOOK_TERMINATED, options, &result);
    return result;
}

static struct casehook_result *by_loop(struct casehook_connector *connector, int operation,
                                       const char *params, const struct casehook_options *options)
{
    struct casehook_loop *loop = fake_loop(16, 4, NULL);
    struct casehook_result *result;
    driver = "loop";
    assert_int_equal(casehook_loop_submit_json(loop, connector, operation, params, CASEHOOK_TERMINATED,
                                               options, NULL, NULL),
                     CASEHOOK_OK);
    while (!(result = casehook_loop_next(loop, NULL)))
        assert_int_equal(casehook_loop_wait(loop, 60000), CASEHOOK_OK);
    casehook_loop_free(loop);
    return result;
}

typedef struct casehook_result *(*driver_fn)(struct casehook_connector *, int, const char *,
                                             const struct casehook_options *);
static const driver_fn drivers[] = {by_blocking, by_loop};

#define NOON INT64_C(784111777000) /* Sun, 06 Nov 1994 08:49:37 GMT */

static void begin(const struct plot *of)
{
    plot = of;
    at = 0;
    fake_reset();
    fake.answer = play;
    fake.random = chance;
    fake.calendar = NOON - fake.now;
    free_since = fake.now;
}

static void expect_end(const struct casehook_result *result)
{
    const struct casehook_error *error = casehook_result_error(result);
    const char *id = casehook_result_id(result, NULL);
    if (casehook_error_status(error) != plot->status)
        fail_msg("%s, %s: %s", plot->name, driver, error ? casehook_error_message(error) : "went well");
    if (plot->script[at].call) fail_msg("%s, %s: ended after %zu requests", plot->name, driver, at);
    if (strcmp(id ? id : "", plot->id ? plot->id : "7") != 0)
        fail_msg("%s, %s: id %s", plot->name, driver, id);
    if (casehook_result_found(result) != plot->found) fail_msg("%s, %s: found", plot->name, driver);
    if (!error) return;
    if (strcmp(casehook_step_name(casehook_error_step(error)), plot->step) != 0 ||
        casehook_error_outcome(error) != plot->outcome || casehook_error_retryable(error) != plot->retryable)
        fail_msg("%s, %s: %s, %s, retryable %d: %s", plot->name, driver,
                 casehook_step_name(casehook_error_step(error)),
                 casehook_outcome_name(casehook_error_outcome(error)), casehook_error_retryable(error),
                 casehook_error_message(error));
    if (plot->retry_after_ms) assert_true(casehook_error_retry_after_ms(error) == plot->retry_after_ms);
}

/* What is told of each request is what happened (D7). */
static void expect_records(const struct casehook_result *result)
{
    uint32_t attempt = 0;
    assert_int_equal(casehook_result_request_count(result), at);
    for (size_t i = 0; i < at; i++) {
        const struct exchange *made = &plot->script[i];
        attempt = i && plot->script[i - 1].call == made->call && made->call != 'M' ? attempt + 1 : 1;
        assert_true(casehook_result_request_delay_ms(result, i) == made->delay);
        assert_int_equal(casehook_result_request_status(result, i), made->answer > 0 ? made->answer : 0);
        if (made->call == 'G') assert_int_equal(casehook_result_request_attempt(result, i), attempt);
        assert_true(casehook_result_request_attempt(result, i) >= 1);
    }
}

static void run_plot(const struct plot *of, driver_fn run)
{
    char params[2048];
    begin(of);
    struct casehook_connector *connector = connector_of(of);
    struct casehook_options options = {.struct_size = sizeof options, .deadline_ms = of->deadline_ms};
    snprintf(params, sizeof params, "{\"title\":\"t\"%s%s}", of->params ? "," : "",
             of->params ? of->params : "");
    int64_t began = fake.now;
    struct casehook_result *result =
        run(connector, of->operation ? of->operation : CASEHOOK_PUSH, params, &options);
    assert_non_null(result);
    expect_end(result);
    expect_records(result);
    if (of->deadline_ms) assert_true(fake.now - began < of->deadline_ms);
    /* no delay is begun that leads nowhere, but for what the circuit did meanwhile */
    if (of->status != CASEHOOK_E_UNAVAILABLE && !(of->settings && strstr(of->settings, "circuit")))
        assert_true(fake.now == free_since);
    casehook_result_free(result);
    casehook_connector_unref(connector);
    assert_int_equal(fake.transports, 0);
}

static void run_plots(const struct plot *plots, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < 2; j++) run_plot(&plots[i], drivers[j]);
}

#define RUN(plots) run_plots(plots, sizeof plots / sizeof *plots)

#define REFUSED  CASEHOOK_OUTCOME_REFUSED
#define UNKNOWN  CASEHOOK_OUTCOME_UNKNOWN
#define NOT_SENT CASEHOOK_OUTCOME_NOT_SENT
#define STATUS   CASEHOOK_E_HTTP_STATUS
#define LOST     CASEHOOK_E_NETWORK
#define THREE    "\"run.maxAttempts\":3"

/* ---- attempts and delays (D1, D2) ---------------------------------------------------------------- */

static void attempts(void **state)
{
    static const struct plot plots[] = {
        {.name = "twice busy",
         .settings = THREE,
         .script = {{'C', 0, 503, .body = ""}, {'C', CHANCE, 429}, {'C', CHANCE, 201}, GET}},
        {.name = "always busy",
         .settings = THREE,
         .script = {{'C', 0, 503}, {'C', CHANCE, 503}, {'C', CHANCE, 503}},
         .status = STATUS,
         .step = "create",
         .outcome = REFUSED,
         .retryable = true,
         .id = ""},
        {.name = "one attempt is the default",
         .script = {{'C', 0, 503}},
         .status = STATUS,
         .step = "create",
         .outcome = REFUSED,
         .retryable = true,
         .id = ""},
        {.name = "not reached",
         .settings = THREE,
         .script = {{'C', 0, CASEHOOK_E_CONNECT, UNSENT},
                    {'C', CHANCE, CASEHOOK_E_RESOLVE, UNSENT},
                    {'C', CHANCE, 201},
                    GET}},
        {.name = "lost",
         .settings = THREE,
         .script = {{'C', 0, LOST}},
         .status = LOST,
         .step = "create",
         .outcome = UNKNOWN,
         .id = ""},
        {.name = "broken inside",
         .settings = THREE,
         .script = {{'C', 0, 500}},
         .status = STATUS,
         .step = "create",
         .outcome = REFUSED,
         .id = ""},
        {.name = "each request has its own",
         .settings = THREE,
         .script = {{'C', 0, 503},
                    {'C', CHANCE, 503},
                    {'C', CHANCE, 201},
                    {'G', 0, LOST},
                    {'G', CHANCE, 502},
                    {'G', CHANCE, 200}}},
        {.name = "the get fails for good",
         .settings = THREE,
         .script = {{'C', 0, 201}, {'G', 0, 500}, {'G', CHANCE, 500}, {'G', CHANCE, 500}},
         .status = STATUS,
         .step = "get",
         .outcome = REFUSED},
        {.name = "update",
         .settings = THREE,
         .params = "\"externalId\":\"7\"",
         .script = {{'U', 0, LOST}, {'U', CHANCE, CASEHOOK_E_TIMEOUT}, {'U', CHANCE, 200}, GET}},
        {.name = "comment",
         .settings = THREE,
         .operation = CASEHOOK_COMMENT,
         .params = "\"externalId\":\"7\",\"comments\":[{\"commentId\":\"1\",\"comment\":\"x\"}]",
         .script = {{'M', 0, 503}, {'M', CHANCE, LOST}},
         .status = LOST,
         .step = "comment",
         .outcome = UNKNOWN},
        {.name = "refused is refused",
         .settings = THREE,
         .script = {{'C', 0, 503}, {'C', CHANCE, 400}},
         .status = STATUS,
         .step = "create",
         .outcome = REFUSED,
         .id = ""},
        {.name = "other statuses",
         .settings = THREE ",\"retry.statuses\":[404]",
         .params = "\"externalId\":\"7\"",
         .script = {{'U', 0, 404}, {'U', CHANCE, 200}, {'G', 0, 503}},
         .status = STATUS,
         .step = "get",
         .outcome = REFUSED,
         .retryable = true},
    };
    (void)state;
    RUN(plots);
}

#define BUSY_FOR(text)                   \
    {                                    \
        'C', 0, 503, .retry_after = text \
    }
#define THEN(ms) {'C', ms, 201}, GET
#define IN_VAIN(ms) \
    .status = STATUS, .step = "create", .outcome = REFUSED, .retryable = true, .id = "", .retry_after_ms = ms

static void retry_after(void **state)
{
    static const struct plot plots[] = {
        {.name = "seconds", .settings = THREE, .script = {BUSY_FOR("2"), THEN(2000)}},
        {.name = "less than the delay", .settings = THREE, .script = {BUSY_FOR("0"), THEN(CHANCE)}},
        {.name = "a date",
         .settings = THREE,
         .script = {BUSY_FOR("Sun, 06 Nov 1994 08:49:40 GMT"), THEN(3000)}},
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
         .script = {BUSY_FOR("2"), {'C', 2000, 503}, {'C', CHANCE, 201}, GET}},
        {.name = "of another refusal",
         .settings = THREE,
         .script = {{'C', 0, 400, .retry_after = "2"}},
         .status = STATUS,
         .step = "create",
         .outcome = REFUSED,
         .id = "",
         .retry_after_ms = 2000},
    };
    (void)state;
    RUN(plots);
}

/* The calendar moves, the clock that only goes forward does not: nor do delays. */
static void the_calendar_jumps(void **state)
{
    static const struct plot plots[] = {
        {.name = "an hour on",
         .settings = THREE,
         .script = {{'C', 0, 503, .retry_after = "20", .jump = 3600000}, {'C', 20000, 201}, GET}},
        {.name = "years back",
         .settings = THREE,
         .script = {{'C', 0, 503, .retry_after = "20", .jump = -NOON}, {'C', 20000, 201}, GET}},
        /* of a date only the time that it is when it is read matters */
        {.name = "a date, a minute back",
         .settings = THREE,
         .script = {{'C', 0, 503, .retry_after = "Sun, 06 Nov 1994 08:49:40 GMT", .jump = -60000},
                    {'C', 63000, 503, .retry_after = "Sun, 06 Nov 1994 08:49:40 GMT", .jump = 7200000},
                    {'C', CHANCE, 201},
                    GET}},
    };
    (void)state;
    RUN(plots);
}

static void deadlines(void **state)
{
    static const struct plot plots[] = {
        {.name = "of the call",
         .settings = THREE,
         .deadline_ms = 1000,
         .script = {{'C', 0, 503}, {'C', CHANCE, 503}},
         IN_VAIN(0)},
        {.name = "of the call, exactly",
         .settings = THREE,
         .deadline_ms = CHANCE,
         .script = {{'C', 0, 503}},
         IN_VAIN(0)},
        {.name = "of the call, just in time",
         .settings = THREE,
         .deadline_ms = CHANCE + 1,
         .script = {{'C', 0, 503}, THEN(CHANCE)}},
        {.name = "of retry",
         .settings = THREE ",\"retry.deadline\":\"1s\"",
         .script = {{'C', 0, 503}, {'C', CHANCE, 503}},
         IN_VAIN(0)},
        {.name = "of retry, exactly",
         .settings = THREE ",\"retry.deadline\":700",
         .script = {{'C', 0, 503}},
         IN_VAIN(0)},
        {.name = "of retry, just in time",
         .settings = THREE ",\"retry.deadline\":701",
         .script = {{'C', 0, 503}, THEN(CHANCE)}},
        {.name = "of retry, counted from the beginning",
         .settings = THREE ",\"retry.deadline\":\"1s\"",
         .script = {{'C', 0, 503}, {'C', CHANCE, 201}, {'G', 0, 503}},
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
    (void)state;
    RUN(plots);
}

/* ---- finding (D3) -------------------------------------------------------------------------------- */

#define FIND                                    \
    "\"findIncidentUrl\":\"http://127.0.0.1:1/" \
    "find?q={{case.title}}\",\"findIncidentResponseKey\":\"list[0].id\""
#define THERE "{\"list\":[{\"id\":\"7\"}]}"
#define NONE  "{\"list\":[]}"
#define LOOK(answer)           \
    {                          \
        'F', 2000, 200, answer \
    }
#define CREATE_UNKNOWN(code) .status = code, .step = "create", .outcome = UNKNOWN, .id = ""

static void finding(void **state)
{
    static const struct plot plots[] = {
        {.name = "there", .config = FIND, .script = {{'C', 0, LOST}, LOOK(THERE), GET}, .found = true},
        {.name = "there at the second look",
         .config = FIND,
         .script = {{'C', 0, CASEHOOK_E_TIMEOUT}, LOOK(NONE), LOOK(THERE), GET},
         .found = true},
        {.name = "not there",
         .config = FIND,
         .script = {{'C', 0, LOST}, LOOK(NONE), LOOK(NONE), {'C', CHANCE, 201}, GET}},
        {.name = "not there: null",
         .config = FIND,
         .script = {{'C', 0, LOST}, LOOK("{\"list\":[{\"id\":null}]}"), LOOK("{}"), {'C', CHANCE, 201}, GET}},
        {.name = "lost again",
         .config = FIND,
         .script = {{'C', 0, LOST}, LOOK(NONE), LOOK(NONE), {'C', CHANCE, LOST}, LOOK(NONE), LOOK(NONE)},
         CREATE_UNKNOWN(LOST)},
        {.name = "lost again, and there",
         .config = FIND,
         .script = {{'C', 0, LOST}, LOOK(NONE), LOOK(NONE), {'C', CHANCE, LOST}, LOOK(THERE), GET},
         .found = true},
        {.name = "made again, refused",
         .config = FIND,
         .script = {{'C', 0, LOST}, LOOK(NONE), LOOK(NONE), {'C', CHANCE, 503}},
         IN_VAIN(0)},
        {.name = "made again, not reached",
         .config = FIND,
         .script = {{'C', 0, LOST}, LOOK(NONE), LOOK(NONE), {'C', CHANCE, CASEHOOK_E_CONNECT, UNSENT}},
         CREATE_UNKNOWN(CASEHOOK_E_CONNECT)},
        {.name = "made again, at last reached",
         .config = FIND,
         .settings = THREE,
         .script = {{'C', 0, LOST},
                    LOOK(NONE),
                    LOOK(NONE),
                    {'C', CHANCE, CASEHOOK_E_CONNECT, UNSENT},
                    {'C', CHANCE, 201},
                    GET}},
        {.name = "three attempts",
         .config = FIND,
         .settings = THREE,
         .script = {{'C', 0, 503},
                    {'C', CHANCE, LOST},
                    LOOK(NONE),
                    LOOK(NONE),
                    {'C', CHANCE, 502},
                    LOOK(NONE),
                    LOOK(NONE)},
         CREATE_UNKNOWN(STATUS)},
        {.name = "500", .config = FIND, .script = {{'C', 0, 500}, LOOK(THERE), GET}, .found = true},
        {.name = "500, asks for time",
         .config = FIND,
         .script = {{'C', 0, 500, .retry_after = "10"}, {'F', 10000, 200, THERE}, GET},
         .found = true},
        {.name = "500, asks for too much",
         .config = FIND,
         .script = {{'C', 0, 500, .retry_after = "301"}},
         .status = STATUS,
         .step = "create",
         .outcome = REFUSED,
         .id = ""},
        {.name = "findDelay",
         .config = FIND,
         .settings = "\"retry.findDelay\":\"9s\"",
         .script = {{'C', 0, LOST}, {'F', 9000, 200, NONE}, {'F', 9000, 200, THERE}, GET},
         .found = true},
        {.name = "an answer of no use",
         .config = FIND,
         .script = {{'C', 0, 201, "{\"no\":1}"}, LOOK(THERE), GET},
         .found = true},
        {.name = "an answer of no use, not there",
         .config = FIND,
         .settings = THREE,
         .script = {{'C', 0, 201, "{\"no\":1}"}, LOOK(NONE), LOOK(NONE)},
         CREATE_UNKNOWN(CASEHOOK_E_RESPONSE)},
        {.name = "the question is refused",
         .config = FIND,
         .settings = THREE,
         .script = {{'C', 0, LOST}, {'F', 2000, 403}},
         CREATE_UNKNOWN(LOST)},
        {.name = "the question is lost",
         .config = FIND,
         .script = {{'C', 0, LOST}, {'F', 2000, LOST}},
         CREATE_UNKNOWN(LOST)},
        {.name = "the question is repeated",
         .config = FIND,
         .settings = THREE,
         .script = {{'C', 0, LOST},
                    {'F', 2000, 503},
                    {'F', CHANCE, LOST},
                    {'F', CHANCE, 200, NONE},
                    {'F', 2000, 429, .retry_after = "30"},
                    {'F', 30000, 200, THERE},
                    GET},
         .found = true},
        {.name = "the question is put off for too long",
         .config = FIND,
         .settings = THREE,
         .script = {{'C', 0, LOST}, {'F', 2000, 503, .retry_after = "301"}},
         CREATE_UNKNOWN(LOST)},
        {.name = "no time to look",
         .config = FIND,
         .deadline_ms = 1500,
         .script = {{'C', 0, LOST}},
         CREATE_UNKNOWN(LOST)},
        {.name = "no time to look twice",
         .config = FIND,
         .deadline_ms = 3500,
         .script = {{'C', 0, LOST}, LOOK(NONE)},
         CREATE_UNKNOWN(LOST)},
        {.name = "no time to make it again",
         .config = FIND,
         .deadline_ms = 4500,
         .script = {{'C', 0, LOST}, LOOK(NONE), LOOK(NONE)},
         CREATE_UNKNOWN(LOST)},
        {.name = "not sent",
         .config = FIND,
         .script = {{'C', 0, CASEHOOK_E_CONNECT, UNSENT}},
         .status = CASEHOOK_E_CONNECT,
         .step = "create",
         .outcome = NOT_SENT,
         .retryable = true,
         .id = ""},
        {.name = "refused",
         .config = FIND,
         .settings = THREE,
         .script = {{'C', 0, 422}},
         .status = STATUS,
         .step = "create",
         .outcome = REFUSED,
         .id = ""},
    };
    (void)state;
    RUN(plots);
}

/* What an answer to the question cannot be: then nobody knows, and nothing is made a second time. */
static void odd_answers_to_the_question(void **state)
{
    static const char *const bodies[] = {"",
                                         " ",
                                         "<html>",
                                         "{\"list\":",
                                         "{\"list\":[{\"id\":{}}]}",
                                         "{\"list\":[{\"id\":[]}]}",
                                         "{\"list\":[{\"id\":true}]}",
                                         "{\"list\":[{\"id\":\"\"}]}",
                                         "{\"list\":[{\"id\":\"..\"}]}",
                                         "{\"list\":[{\"id\":\"\\ud800\"}]}",
                                         "{\"list\":[{\"id\":\"7\"}]} x"};
    struct plot odd = {.name = "odd", .config = FIND, .settings = THREE, CREATE_UNKNOWN(LOST)};
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        odd.name = bodies[i];
        odd.script[0] = (struct exchange){.call = 'C', .answer = LOST};
        odd.script[1] = (struct exchange){.call = 'F', .delay = 2000, .answer = 200, .body = bodies[i]};
        run_plots(&odd, 1);
    }
}

#define ALWAYS FIND ",\"findIncident\":\"always\""
#define ASK(answer)         \
    {                       \
        'F', 0, 200, answer \
    }

static void asked_before(void **state)
{
    static const struct plot plots[] = {
        {.name = "new", .config = ALWAYS, .script = {ASK(NONE), {'C', 0, 201}, GET}},
        {.name = "known", .config = ALWAYS, .script = {ASK(THERE), {'U', 0, 200}, GET}, .found = true},
        {.name = "known, as a create",
         .config = ALWAYS,
         .operation = CASEHOOK_CREATE,
         .script = {ASK(THERE), {'U', 0, 200}, GET},
         .found = true},
        {.name = "known, the update fails",
         .config = ALWAYS,
         .script = {ASK(THERE), {'U', 0, 503}},
         .status = STATUS,
         .step = "update",
         .outcome = REFUSED,
         .retryable = true,
         .found = true},
        {.name = "with an id nobody asks",
         .config = ALWAYS,
         .params = "\"externalId\":\"7\"",
         .script = {{'U', 0, 200}, GET}},
        {.name = "refused",
         .config = ALWAYS,
         .settings = THREE,
         .script = {{'F', 0, 403}},
         .status = STATUS,
         .step = "find",
         .outcome = REFUSED,
         .id = ""},
        {.name = "busy",
         .config = ALWAYS,
         .script = {{'F', 0, 503}},
         .status = STATUS,
         .step = "find",
         .outcome = REFUSED,
         .retryable = true,
         .id = ""},
        {.name = "asked again",
         .config = ALWAYS,
         .settings = THREE,
         .script = {{'F', 0, LOST}, {'F', CHANCE, 200, NONE}, {'C', 0, 201}, GET}},
        {.name = "new, and lost",
         .config = ALWAYS,
         .script = {ASK(NONE), {'C', 0, LOST}, LOOK(THERE), GET},
         .found = true},
        {.name = "new, lost, made again",
         .config = ALWAYS,
         .script = {ASK(NONE), {'C', 0, LOST}, LOOK(NONE), LOOK(NONE), {'C', CHANCE, 201}, GET}},
        {.name = "of no use",
         .config = ALWAYS,
         .settings = THREE,
         .script = {ASK("{\"list\":[{\"id\":{}}]}")},
         .status = CASEHOOK_E_RESPONSE,
         .step = "find",
         .outcome = UNKNOWN,
         .id = ""},
    };
    (void)state;
    RUN(plots);
}

/* ---- closed cases (L2) --------------------------------------------------------------------------- */

#define STATUS_KEYS ",\"findIncidentResponseStatusKey\":\"list[0].st\",\"closedStatuses\":[\"Done\",\"5\"]"
#define REOPEN      ",\"reopenWithin\":\"1h\",\"findIncidentResponseClosedAtKey\":\"list[0].at\""
#define IS(members) "{\"list\":[{\"id\":\"7\"," members "}]}"
#define UPDATED     {'U', 0, 200}, GET
#define CREATED     {'C', 0, 201}, GET

static void closed_cases(void **state)
{
    static const struct plot plots[] = {
        {.name = "open",
         .config = ALWAYS STATUS_KEYS ",\"whenClosed\":\"ignore\"",
         .script = {ASK(IS("\"st\":\"Open\"")), UPDATED},
         .found = true},
        {.name = "no status",
         .config = ALWAYS STATUS_KEYS ",\"whenClosed\":\"create\"",
         .script = {ASK(THERE), UPDATED},
         .found = true},
        {.name = "null",
         .config = ALWAYS STATUS_KEYS ",\"whenClosed\":\"create\"",
         .script = {ASK(IS("\"st\":null")), UPDATED},
         .found = true},
        {.name = "another case of letters",
         .config = ALWAYS STATUS_KEYS ",\"whenClosed\":\"create\"",
         .script = {ASK(IS("\"st\":\"done\"")), UPDATED},
         .found = true},
        {.name = "update is the default",
         .config = ALWAYS STATUS_KEYS,
         .script = {ASK(IS("\"st\":\"Done\"")), UPDATED},
         .found = true},
        {.name = "create",
         .config = ALWAYS STATUS_KEYS ",\"whenClosed\":\"create\"",
         .script = {ASK(IS("\"st\":\"Done\"")), CREATED}},
        {.name = "a number",
         .config = ALWAYS STATUS_KEYS ",\"whenClosed\":\"create\"",
         .script = {ASK(IS("\"st\":5")), CREATED}},
        {.name = "ignore",
         .config = ALWAYS STATUS_KEYS ",\"whenClosed\":\"ignore\"",
         .params = "\"comments\":[{\"commentId\":\"1\",\"comment\":\"x\"}]",
         .script = {ASK(IS("\"st\":\"Done\""))},
         .found = true},
        {.name = "lost, closed, create",
         .config = FIND STATUS_KEYS ",\"whenClosed\":\"create\"",
         .script = {{'C', 0, LOST},
                    LOOK(IS("\"st\":\"Done\"")),
                    LOOK(IS("\"st\":\"Done\"")),
                    {'C', CHANCE, 201},
                    GET}},
        {.name = "lost, closed, ignore",
         .config = FIND STATUS_KEYS ",\"whenClosed\":\"ignore\"",
         .script = {{'C', 0, LOST}, LOOK(IS("\"st\":\"Done\""))},
         .found = true},
        /* it is 08:49:37 */
        {.name = "closed of late",
         .config = ALWAYS STATUS_KEYS REOPEN,
         .script = {ASK(IS("\"st\":\"Done\",\"at\":\"1994-11-06T07:49:37Z\"")), UPDATED},
         .found = true},
        {.name = "closed too long ago",
         .config = ALWAYS STATUS_KEYS REOPEN,
         .script = {ASK(IS("\"st\":\"Done\",\"at\":\"1994-11-06T07:49:36Z\"")), CREATED}},
        {.name = "too long ago, ignore",
         .config = ALWAYS STATUS_KEYS REOPEN ",\"whenClosed\":\"ignore\"",
         .script = {ASK(IS("\"st\":\"Done\",\"at\":\"1994-11-01T07:49:36Z\"")), CREATED}},
        {.name = "of late, ignore",
         .config = ALWAYS STATUS_KEYS REOPEN ",\"whenClosed\":\"ignore\"",
         .script = {ASK(IS("\"st\":\"Done\",\"at\":\"1994-11-06T08:00:00.000+0000\""))},
         .found = true},
        {.name = "of late, create",
         .config = ALWAYS STATUS_KEYS REOPEN ",\"whenClosed\":\"create\"",
         .script = {ASK(IS("\"st\":\"Done\",\"at\":\"1994-11-06T08:00:00Z\"")), CREATED}},
        {.name = "another zone",
         .config = ALWAYS STATUS_KEYS REOPEN,
         .script = {ASK(IS("\"st\":\"Done\",\"at\":\"1994-11-06T09:30:00+02:00\"")), CREATED}},
        {.name = "seconds",
         .config = ALWAYS STATUS_KEYS REOPEN,
         .script = {ASK(IS("\"st\":\"Done\",\"at\":784111000")), UPDATED},
         .found = true},
        {.name = "seconds as text",
         .config = ALWAYS STATUS_KEYS REOPEN,
         .script = {ASK(IS("\"st\":\"Done\",\"at\":\"784101000\"")), CREATED}},
        {.name = "milliseconds",
         .config = ALWAYS STATUS_KEYS REOPEN,
         .script = {ASK(IS("\"st\":\"Done\",\"at\":784111000123")), UPDATED},
         .found = true},
        {.name = "to come",
         .config = ALWAYS STATUS_KEYS REOPEN,
         .script = {ASK(IS("\"st\":\"Done\",\"at\":\"2094-01-01\"")), UPDATED},
         .found = true},
        {.name = "nobody knows when",
         .config = ALWAYS STATUS_KEYS REOPEN,
         .script = {ASK(IS("\"st\":\"Done\",\"at\":null")), UPDATED},
         .found = true},
        {.name = "when is no matter of open ones",
         .config = ALWAYS STATUS_KEYS REOPEN,
         .script = {ASK(IS("\"st\":\"Open\",\"at\":\"once\"")), UPDATED},
         .found = true},
        {.name = "no time",
         .config = ALWAYS STATUS_KEYS REOPEN,
         .settings = THREE,
         .script = {ASK(IS("\"st\":\"Done\",\"at\":\"once\""))},
         .status = CASEHOOK_E_RESPONSE,
         .step = "find",
         .outcome = UNKNOWN,
         .id = ""},
        {.name = "lost, and no time",
         .config = FIND STATUS_KEYS REOPEN,
         .script = {{'C', 0, LOST}, LOOK(IS("\"st\":\"Done\",\"at\":{}"))},
         CREATE_UNKNOWN(LOST)},
    };
    (void)state;
    RUN(plots);
}

/* ---- keys (D4) ----------------------------------------------------------------------------------- */

#define KEY         "\"idempotencyHeader\":\"Idempotency-Key\""
#define DUP         KEY ",\"idempotencyDuplicateStatuses\":[409]"
#define ONE_COMMENT "\"comments\":[{\"commentId\":\"1\",\"comment\":\"x\"}]"

static void keyed(void **state)
{
    static const struct plot plots[] = {
        {.name = "lost",
         .config = KEY,
         .settings = THREE,
         .script = {{'C', 0, LOST}, {'C', CHANCE, 502}, {'C', CHANCE, 201}, GET}},
        {.name = "500", .config = KEY, .settings = THREE, .script = {{'C', 0, 500}, {'C', CHANCE, 201}, GET}},
        {.name = "one attempt", .config = KEY, .script = {{'C', 0, LOST}}, CREATE_UNKNOWN(LOST)},
        {.name = "lost, then refused",
         .config = KEY,
         .settings = THREE,
         .script = {{'C', 0, LOST}, {'C', CHANCE, 400}},
         CREATE_UNKNOWN(STATUS)},
        {.name = "lost, then not reached",
         .config = KEY,
         .settings = "\"run.maxAttempts\":2",
         .script = {{'C', 0, LOST}, {'C', CHANCE, CASEHOOK_E_CONNECT, UNSENT}},
         CREATE_UNKNOWN(CASEHOOK_E_CONNECT)},
        {.name = "comment",
         .config = KEY,
         .settings = THREE,
         .params = ONE_COMMENT,
         .script = {{'C', 0, 201}, GET, {'M', 0, LOST}, {'M', CHANCE, 500}, {'M', CHANCE, 201}}},
        {.name = "a duplicate",
         .config = DUP,
         .settings = THREE,
         .script = {{'C', 0, LOST}, {'C', CHANCE, 409}},
         .status = STATUS,
         .step = "create",
         .outcome = CASEHOOK_OUTCOME_DONE,
         .id = ""},
        {.name = "no duplicate",
         .config = DUP,
         .settings = THREE,
         .script = {{'C', 0, 409}},
         .status = STATUS,
         .step = "create",
         .outcome = REFUSED,
         .id = ""},
        {.name = "nothing had come",
         .config = DUP,
         .settings = THREE,
         .script = {{'C', 0, CASEHOOK_E_CONNECT, UNSENT}, {'C', CHANCE, 409}},
         .status = STATUS,
         .step = "create",
         .outcome = REFUSED,
         .id = ""},
        {.name = "a comment twice",
         .config = DUP,
         .settings = THREE,
         .params = ONE_COMMENT,
         .script = {{'C', 0, 201}, GET, {'M', 0, LOST}, {'M', CHANCE, 409}}},
        {.name = "found before it is repeated",
         .config = KEY "," FIND,
         .settings = THREE,
         .script = {{'C', 0, LOST}, LOOK(THERE), GET},
         .found = true},
        {.name = "not found, a duplicate, found",
         .config = DUP "," FIND,
         .settings = THREE,
         .script = {{'C', 0, LOST}, LOOK(NONE), LOOK(NONE), {'C', CHANCE, 409}, LOOK(THERE), GET},
         .found = true},
        {.name = "a duplicate that is nowhere",
         .config = DUP "," FIND,
         .settings = "\"run.maxAttempts\":10",
         .script = {{'C', 0, LOST}, LOOK(NONE), LOOK(NONE), {'C', CHANCE, 409}, LOOK(NONE), LOOK(NONE)},
         CREATE_UNKNOWN(STATUS)},
    };
    (void)state;
    for (size_t i = 0; i < sizeof plots / sizeof *plots; i++) {
        for (size_t j = 0; j < 2; j++) {
            const char *of[2] = {NULL, NULL}; /* of creates, of comments */
            run_plot(&plots[i], drivers[j]);
            for (size_t n = 0; n < at; n++) {
                char call = plots[i].script[n].call;
                const char **first = &of[call == 'M'];
                assert_int_equal(keys[n][0] != '\0', call == 'C' || call == 'M');
                if (call != 'C' && call != 'M') continue;
                if (!*first) *first = keys[n];
                assert_string_equal(keys[n], *first);
            }
            if (of[0] && of[1]) assert_string_not_equal(of[0], of[1]);
        }
    }
}

/* ---- circuit (D6) --------------------------------------------------------------------------------- */

#define CIRCUIT(failures) THREE ",\"circuit.failures\":" #failures ",\"circuit.pause\":\"10s\""

/* It opens between two attempts: what had been done stays what it was. */
static void the_circuit_opens_meanwhile(void **state)
{
    static const struct plot plots[] = {
        {.name = "busy",
         .settings = CIRCUIT(2),
         .script = {{'C', 0, 503}, {'C', CHANCE, 503}},
         .status = CASEHOOK_E_UNAVAILABLE,
         .step = "create",
         .outcome = NOT_SENT,
         .retryable = true,
         .id = "",
         .retry_after_ms = 10000 - CHANCE},
        {.name = "lost, with a key",
         .config = KEY,
         .settings = CIRCUIT(1),
         .script = {{'C', 0, LOST}},
         CREATE_UNKNOWN(CASEHOOK_E_UNAVAILABLE)},
        {.name = "to be looked for",
         .config = FIND,
         .settings = CIRCUIT(1),
         .script = {{'C', 0, LOST}},
         CREATE_UNKNOWN(LOST)},
        {.name = "to be looked for, after the pause",
         .config = FIND,
         .settings = CIRCUIT(1) ",\"retry.findDelay\":\"10s\"",
         .script = {{'C', 0, LOST}, {'F', 10000, 200, NONE}, {'F', 10000, 200, THERE}, GET},
         .found = true},
        {.name = "update",
         .settings = CIRCUIT(1),
         .params = "\"externalId\":\"7\"",
         .script = {{'U', 0, LOST}},
         .status = CASEHOOK_E_UNAVAILABLE,
         .step = "update",
         .outcome = UNKNOWN,
         .retryable = true},
        {.name = "get",
         .settings = CIRCUIT(1),
         .script = {{'C', 0, 201}, {'G', 0, 503}},
         .status = CASEHOOK_E_UNAVAILABLE,
         .step = "get",
         .outcome = NOT_SENT},
        {.name = "refusals are no failures",
         .settings = CIRCUIT(1),
         .script = {{'C', 0, 404}},
         .status = STATUS,
         .step = "create",
         .outcome = REFUSED,
         .id = ""},
        {.name = "good ones between",
         .settings = CIRCUIT(2),
         .script = {{'C', 0, 503}, {'C', CHANCE, 201}, {'G', 0, 503}, {'G', CHANCE, 200}}},
        {.name = "408 is no failure",
         .settings = CIRCUIT(1),
         .script = {{'C', 0, 408}, {'C', CHANCE, 201}, GET}},
    };
    (void)state;
    RUN(plots);
}

/* ---- cancelled in a delay ------------------------------------------------------------------------ */

static struct casehook_cancel *cancel;

/* In the delay behind the last request of the script. */
static void cancel_behind(void *user, int64_t until)
{
    (void)user;
    (void)until;
    if (!plot->script[at].call) casehook_cancel_set(cancel);
}

static struct casehook_result *cancel_in_loop(struct casehook_connector *connector, const char *params,
                                              const struct casehook_options *options)
{
    struct casehook_loop *loop = fake_loop(4, 4, NULL);
    struct casehook_result *result;
    driver = "loop";
    assert_int_equal(casehook_loop_submit_json(loop, connector, CASEHOOK_PUSH, params, CASEHOOK_TERMINATED,
                                               options, NULL, NULL),
                     CASEHOOK_OK);
    while (plot->script[at].call) assert_int_equal(casehook_loop_wait(loop, 1), CASEHOOK_OK);
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
    char params[256];
    begin(of);
    fake.pause = cancel_behind;
    assert_int_equal(casehook_cancel_new(NULL, &cancel), CASEHOOK_OK);
    struct casehook_connector *connector = connector_of(of);
    struct casehook_options options = {.struct_size = sizeof options, .cancel = cancel};
    snprintf(params, sizeof params, "{\"title\":\"t\"%s%s}", of->params ? "," : "",
             of->params ? of->params : "");
    struct casehook_result *result = in_loop ? cancel_in_loop(connector, params, &options)
                                             : by_blocking(connector, CASEHOOK_PUSH, params, &options);
    assert_in_range(fake.now - free_since, 0, 1); /* the loop was waited on for so long */
    expect_end(result);
    casehook_result_free(result);
    casehook_connector_unref(connector);
    casehook_cancel_free(cancel);
    assert_int_equal(fake.transports, 0);
}

/* Ends at once, and says what the last request came to. */
static void cancelled_in_a_delay(void **state)
{
    static const struct plot plots[] = {
        {.name = "busy",
         .settings = THREE,
         .script = {{'C', 0, 503, .retry_after = "60"}},
         .status = CASEHOOK_E_CANCELLED,
         .step = "create",
         .outcome = REFUSED,
         .id = ""},
        {.name = "not reached",
         .settings = THREE,
         .script = {{'C', 0, CASEHOOK_E_CONNECT, UNSENT}},
         .status = CASEHOOK_E_CANCELLED,
         .step = "create",
         .outcome = NOT_SENT,
         .id = ""},
        {.name = "to be looked for",
         .config = FIND,
         .script = {{'C', 0, LOST}},
         CREATE_UNKNOWN(CASEHOOK_E_CANCELLED)},
        {.name = "looked for once",
         .config = FIND,
         .script = {{'C', 0, LOST}, LOOK(NONE)},
         CREATE_UNKNOWN(CASEHOOK_E_CANCELLED)},
        {.name = "to be made again",
         .config = FIND,
         .script = {{'C', 0, LOST}, LOOK(NONE), LOOK(NONE)},
         CREATE_UNKNOWN(CASEHOOK_E_CANCELLED)},
        {.name = "lost, with a key",
         .config = KEY,
         .settings = THREE,
         .script = {{'C', 0, LOST}},
         CREATE_UNKNOWN(CASEHOOK_E_CANCELLED)},
        {.name = "update",
         .settings = THREE,
         .params = "\"externalId\":\"7\"",
         .script = {{'U', 0, LOST}},
         .status = CASEHOOK_E_CANCELLED,
         .step = "update",
         .outcome = UNKNOWN},
        {.name = "get",
         .settings = THREE,
         .script = {{'C', 0, 201}, {'G', 0, 503}},
         .status = CASEHOOK_E_CANCELLED,
         .step = "get",
         .outcome = REFUSED},
    };
    (void)state;
    for (size_t i = 0; i < 2 * sizeof plots / sizeof *plots; i++) cancel_plot(&plots[i / 2], i % 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attempts),
        cmocka_unit_test(retry_after),
        cmocka_unit_test(the_calendar_jumps),
        cmocka_unit_test(deadlines),
        cmocka_unit_test(finding),
        cmocka_unit_test(odd_answers_to_the_question),
        cmocka_unit_test(asked_before),
        cmocka_unit_test(closed_cases),
        cmocka_unit_test(keyed),
        cmocka_unit_test(the_circuit_opens_meanwhile),
        cmocka_unit_test(cancelled_in_a_delay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
