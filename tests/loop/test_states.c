/*
 * test_states.c - operations are cancelled, or the loop is freed, after every number of turns: while they
 * connect, in the handshake, while the request goes out, in the headers and the body of an answer that
 * comes in pieces, between two requests.  And all of it while signals arrive.
 */
#include "fixture.h"

#include "certs.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

#define AT_ONCE   6
#define TURNS_MAX 60

static struct tracker tracker;
static struct casehook_connector *connector;

static void in_pieces(void *user, const struct http_request *request, struct http_response *response)
{
    tracker_answer(user, request, response);
    response->chunked = 1;
    response->piece = 3;
    response->piece_delay_ms = 1;
}

static void begin(const struct http_tls *tls)
{
    tracker.log = http_log_new();
    tracker.server = http_server_start(tracker.log, "tracker", tls, in_pieces, NULL);
    assert_non_null(tracker.server);
    snprintf(tracker.base, sizeof tracker.base, "http%s://127.0.0.1:%u", tls ? "s" : "",
             http_server_port(tracker.server));
    struct casehook_settings *settings = document_settings("{\"ssl\":{\"verificationMode\":\"none\"}}");
    connector = document_connector(settings, tracker.base, NULL, NULL);
    casehook_settings_free(settings);
}

static void end(void)
{
    casehook_connector_unref(connector);
    tracker_stop(&tracker);
}

/* Whether the server saw the create of that title. */
static bool has_arrived(const char *title)
{
    for (size_t i = 0; i < http_log_count(tracker.log); i++) {
        const struct http_request *request = http_log_at(tracker.log, i);
        if (strcmp(request->method, "POST") == 0 && strstr(request->body, title)) return true;
    }
    return false;
}

/* What a result says of its requests is true, and the id is there as soon as the create is done. */
static void check(struct casehook_result *result, const char *title)
{
    const char *create = casehook_result_request_json(result, 0, NULL);
    int status = casehook_error_status(casehook_result_error(result));
    assert_true(status == CASEHOOK_OK || status == CASEHOOK_E_CANCELLED);
    if (!create || strstr(create, "\"not_sent\"")) assert_false(has_arrived(title));
    if (create && strstr(create, "\"done\""))
        assert_string_equal(casehook_result_id(result, NULL), "42");
    else
        assert_int_equal(status, CASEHOOK_E_CANCELLED);
    if (status == CASEHOOK_OK) assert_string_equal(casehook_result_title(result, NULL), "CASE-42");
}

static void cancel_all(struct casehook_loop *loop, const uint64_t *tickets, int turns)
{
    char title[32];
    for (int i = 0; i < AT_ONCE; i++) casehook_loop_cancel(loop, tickets[i]); /* some may have ended */
    for (int i = 0; i < AT_ONCE; i++) {
        struct finished finished = loop_finish(loop);
        int number = 0;
        while (tickets[number] != finished.ticket) number++;
        snprintf(title, sizeof title, "<%d of %d>", number, turns);
        check(finished.result, title);
        casehook_result_free(finished.result);
    }
    assert_int_equal(casehook_loop_pending(loop), 0);
}

static void after_every_number_of_turns(const struct http_tls *tls, bool freed)
{
    begin(tls);
    for (int turns = 0; turns < TURNS_MAX; turns++) {
        struct casehook_loop *loop = loop_make(0, AT_ONCE - 1); /* one has to wait */
        uint64_t tickets[AT_ONCE];
        char title[32];
        for (int i = 0; i < AT_ONCE; i++) {
            snprintf(title, sizeof title, "<%d of %d>", i, turns);
            tickets[i] = submit_create(loop, connector, title);
        }
        for (int i = 0; i < turns; i++) loop_turn(loop, 1);
        if (!freed) cancel_all(loop, tickets, turns);
        casehook_loop_free(loop);
    }
    end();
}

static void with_tls(bool freed)
{
    struct certs *certs =
        certs_make_recipe("{\"certs\":{\"server\":{\"subject\":\"CN=localhost\",\"issuer\":\"self\"}},"
                          "\"files\":{}}");
    size_t length;
    const struct http_tls tls = {.certificate = certs_file(certs, "server.crt", &length),
                                 .key = certs_file(certs, "server.key", &length)};
    after_every_number_of_turns(&tls, freed);
    certs_free(certs);
}

static void cancelled(void **state)
{
    (void)state;
    after_every_number_of_turns(NULL, false);
}

static void cancelled_with_tls(void **state)
{
    (void)state;
    with_tls(false);
}

static void freed(void **state)
{
    (void)state;
    after_every_number_of_turns(NULL, true);
}

static void freed_with_tls(void **state)
{
    (void)state;
    with_tls(true);
}

/* ---- signals ----------------------------------------------------------------------------------- */

static volatile sig_atomic_t alarms;

static void on_alarm(int number)
{
    (void)number;
    alarms++;
}

static void every_ms(int milliseconds)
{
    const struct itimerval timer = {{0, milliseconds * 1000}, {0, milliseconds * 1000}};
    assert_int_equal(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

/* Calls of the system that are interrupted all the time: nothing fails, no wait ends early (EINTR). */
static void signals_without_end(void **state)
{
    struct sigaction action = {.sa_handler = on_alarm}; /* without SA_RESTART */
    sigset_t alarm;
    (void)state;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &alarm, NULL); /* the threads of the server are left alone */
    begin(NULL);
    pthread_sigmask(SIG_UNBLOCK, &alarm, NULL);
    struct casehook_loop *loop = loop_make(0, 0);
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    every_ms(1);
    int64_t begun = now_ms();
    assert_int_equal(casehook_loop_wait(loop, 200), CASEHOOK_OK);
    assert_true(now_ms() - begun >= 200);
    for (int i = 0; i < 50; i++) submit_create(loop, connector, "disk full");
    for (int i = 0; i < 50; i++) assert_int_equal(finished_status(loop_finish(loop)), CASEHOOK_OK);
    for (int i = 0; i < 5; i++) {
        const struct casehook_params params = {.struct_size = sizeof params, .title = "disk full"};
        struct casehook_result *result = NULL;
        assert_int_equal(casehook_create(connector, &params, NULL, &result), CASEHOOK_OK);
        casehook_result_free(result);
    }
    every_ms(0);
    assert_true(alarms > 50);
    casehook_loop_free(loop);
    end();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cancelled),      cmocka_unit_test(cancelled_with_tls),  cmocka_unit_test(freed),
        cmocka_unit_test(freed_with_tls), cmocka_unit_test(signals_without_end),
    };
    mode_set(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
