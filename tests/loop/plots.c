/* plots.c - operations that are played by a script, to both drivers. */
#include "plots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- the tracker --------------------------------------------------------------------------------- */

const struct plot *plot;
size_t plot_at;
int64_t plot_free_since;
char plot_keys[EXCHANGES_MAX][400];
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
    const struct exchange *expected = &plot->script[plot_at];
    int64_t delay = fake.now - plot_free_since;
    (void)user;
    if (plot_at == EXCHANGES_MAX || expected->call != letter(request->call) || expected->delay != delay)
        fail_msg("%s, %s: request %zu is %c after %lld ms", plot->name, driver, plot_at,
                 letter(request->call), (long long)delay);
    snprintf(plot_keys[plot_at], sizeof *plot_keys, "%.*s", (int)request->idempotency_key.length,
             request->idempotency_key.data ? request->idempotency_key.data : "");
    plot_at++;
    plot_free_since = fake.now;
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

struct casehook_connector *plot_connector(const struct plot *of)
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

/* ---- the plot_drivers --------------------------------------------------------------------------------- */

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

const driver_fn plot_drivers[2] = {by_blocking, by_loop};

void plot_begin(const struct plot *of)
{
    plot = of;
    plot_at = 0;
    fake_reset();
    fake.answer = play;
    fake.random = chance;
    fake.calendar = NOON - fake.now;
    plot_free_since = fake.now;
}

void plot_expect_end(const struct casehook_result *result)
{
    const struct casehook_error *error = casehook_result_error(result);
    const char *id = casehook_result_id(result, NULL);
    if (casehook_error_status(error) != plot->status)
        fail_msg("%s, %s: %s", plot->name, driver, error ? casehook_error_message(error) : "went well");
    if (plot->script[plot_at].call) fail_msg("%s, %s: ended after %zu requests", plot->name, driver, plot_at);
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
    assert_int_equal(casehook_result_request_count(result), plot_at);
    for (size_t i = 0; i < plot_at; i++) {
        const struct exchange *made = &plot->script[i];
        attempt = i && plot->script[i - 1].call == made->call && made->call != 'M' ? attempt + 1 : 1;
        assert_true(casehook_result_request_delay_ms(result, i) == made->delay);
        assert_int_equal(casehook_result_request_status(result, i), made->answer > 0 ? made->answer : 0);
        if (made->call == 'G') assert_int_equal(casehook_result_request_attempt(result, i), attempt);
        assert_true(casehook_result_request_attempt(result, i) >= 1);
    }
}

const char *plot_params(const struct plot *of)
{
    static char params[2048];
    snprintf(params, sizeof params, "{\"title\":\"t\"%s%s}", of->params ? "," : "",
             of->params ? of->params : "");
    return params;
}

void plot_run(const struct plot *of, driver_fn run)
{
    plot_begin(of);
    struct casehook_connector *connector = plot_connector(of);
    struct casehook_options options = {.struct_size = sizeof options, .deadline_ms = of->deadline_ms};
    int64_t began = fake.now;
    struct casehook_result *result =
        run(connector, of->operation ? of->operation : CASEHOOK_PUSH, plot_params(of), &options);
    assert_non_null(result);
    plot_expect_end(result);
    expect_records(result);
    if (of->deadline_ms) assert_true(fake.now - began < of->deadline_ms);
    /* no delay is begun that leads nowhere, but for what the circuit did meanwhile */
    if (of->status != CASEHOOK_E_UNAVAILABLE && !(of->settings && strstr(of->settings, "circuit")))
        assert_true(fake.now == plot_free_since);
    casehook_result_free(result);
    casehook_connector_unref(connector);
    assert_int_equal(fake.transports, 0);
}

void plots_run(const struct plot *plots, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < 2; j++) plot_run(&plots[i], plot_drivers[j]);
}
