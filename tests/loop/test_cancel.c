/* test_cancel.c - operations are cancelled in every state, by ticket and by handle. */
#include "fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct tracker tracker;
static struct casehook_connector *connector;
static struct casehook_loop *loop;

static void begin(uint32_t max_connections)
{
    tracker_start(&tracker, NULL, NULL);
    connector = tracker_connector(&tracker);
    loop = loop_make(0, max_connections);
}

static void end(void)
{
    casehook_loop_free(loop);
    casehook_connector_unref(connector);
    tracker_stop(&tracker);
}

static void expect_cancelled(uint64_t ticket, int outcome)
{
    struct finished finished = loop_finish(loop);
    const struct casehook_error *error = casehook_result_error(finished.result);
    assert_true(finished.ticket == ticket);
    assert_int_equal(casehook_error_outcome(error), outcome);
    assert_int_equal(finished_status(finished), CASEHOOK_E_CANCELLED);
    assert_int_equal(casehook_loop_cancel(loop, ticket), CASEHOOK_E_ARGUMENT);
}

static void before_the_first_turn(void **state)
{
    (void)state;
    begin(0);
    uint64_t ticket = submit_create(loop, connector, "disk full");
    assert_int_equal(casehook_loop_cancel(loop, ticket), CASEHOOK_OK);
    assert_int_equal(casehook_loop_cancel(loop, ticket), CASEHOOK_OK); /* it has not ended yet */
    expect_cancelled(ticket, CASEHOOK_OUTCOME_NOT_SENT);
    assert_int_equal(http_log_count(tracker.log), 0);
    end();
}

static void while_it_waits_for_its_turn(void **state)
{
    (void)state;
    begin(1);
    uint64_t first = submit_create(loop, connector, "stall");
    uint64_t second = submit_create(loop, connector, "disk full");
    uint64_t third = submit_create(loop, connector, "disk full");
    loop_until_requests(loop, &tracker, 1);
    assert_int_equal(casehook_loop_cancel(loop, second), CASEHOOK_OK);
    expect_cancelled(second, CASEHOOK_OUTCOME_NOT_SENT);
    assert_int_equal(casehook_loop_cancel(loop, first), CASEHOOK_OK);
    expect_cancelled(first, CASEHOOK_OUTCOME_UNKNOWN); /* it was sent */
    struct finished finished = loop_finish(loop);
    assert_true(finished.ticket == third);
    assert_int_equal(finished_status(finished), CASEHOOK_OK);
    end();
}

static void after_the_case_was_created(void **state)
{
    (void)state;
    begin(0);
    uint64_t ticket = submit_create(loop, connector, "then-stall");
    loop_until_requests(loop, &tracker, 2);
    assert_int_equal(casehook_loop_cancel(loop, ticket), CASEHOOK_OK);
    struct finished finished = loop_finish(loop);
    assert_string_equal(casehook_result_id(finished.result, NULL), "stall"); /* R1 */
    assert_int_equal(finished_status(finished), CASEHOOK_E_CANCELLED);
    end();
}

static void what_has_ended(void **state)
{
    (void)state;
    begin(0);
    uint64_t ticket = submit_create(loop, connector, "disk full");
    for (int i = 0; i < 1000 && !loop_has_result(loop); i++) loop_turn(loop, 10);
    assert_int_equal(casehook_loop_cancel(loop, ticket), CASEHOOK_E_ARGUMENT); /* ended, not pulled yet */
    uint64_t again = submit_create(loop, connector, "disk full");
    assert_true(again != ticket);
    assert_int_equal(casehook_loop_cancel(loop, ticket), CASEHOOK_E_ARGUMENT); /* its place is used anew */
    assert_int_equal(casehook_loop_cancel(loop, 0), CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook_loop_cancel(loop, UINT64_MAX), CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook_loop_cancel(loop, again + 1), CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook_loop_cancel(NULL, again), CASEHOOK_E_ARGUMENT);
    assert_int_equal(finished_status(loop_finish(loop)), CASEHOOK_OK);
    assert_int_equal(finished_status(loop_finish(loop)), CASEHOOK_OK);
    end();
}

/* A listener whose queue is full: a connection to it stays on its way. */
static void while_it_connects(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0), fill[4];
    char base[64];
    (void)state;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 0), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    for (int i = 0; i < 4; i++) {
        fill[i] = socket(AF_INET, SOCK_STREAM, 0);
        fcntl(fill[i], F_SETFL, O_NONBLOCK);
        (void)!connect(fill[i], (struct sockaddr *)&address, sizeof address);
    }
    begin(0);
    snprintf(base, sizeof base, "http://127.0.0.1:%u", ntohs(address.sin_port));
    struct casehook_connector *nowhere = document_connector(NULL, base, NULL, NULL);
    uint64_t ticket = submit_create(loop, nowhere, "disk full");
    for (int i = 0; i < 10; i++) loop_turn(loop, 10);
    assert_null(casehook_loop_next(loop, NULL));
    assert_int_equal(casehook_loop_cancel(loop, ticket), CASEHOOK_OK);
    expect_cancelled(ticket, CASEHOOK_OUTCOME_NOT_SENT);
    casehook_connector_unref(nowhere);
    for (int i = 0; i < 4; i++) close(fill[i]);
    close(listener);
    end();
}

static void while_the_name_is_looked_up(void **state)
{
    (void)state;
    begin(0);
    struct casehook_connector *unknown = document_connector(NULL, "http://no-such-host.invalid", NULL, NULL);
    uint64_t ticket = submit_create(loop, unknown, "disk full");
    assert_int_equal(casehook_loop_process(loop), CASEHOOK_OK); /* the look-up runs in a thread of libcurl */
    bool stopped = casehook_loop_cancel(loop, ticket) == CASEHOOK_OK;
    struct finished finished = loop_finish(loop);
    int status = casehook_error_status(casehook_result_error(finished.result));
    assert_true(stopped ? status == CASEHOOK_E_CANCELLED : status == CASEHOOK_E_RESOLVE);
    assert_int_equal(casehook_error_outcome(casehook_result_error(finished.result)),
                     CASEHOOK_OUTCOME_NOT_SENT);
    casehook_result_free(finished.result);
    casehook_connector_unref(unknown);
    end();
}

/* A GET that is redirected to a server which does not answer: user is the Location header. */
static void redirect(void *user, const struct http_request *request, struct http_response *response)
{
    tracker_answer(NULL, request, response);
    if (strcmp(request->method, "GET") != 0) return;
    *response = (struct http_response){.status = 302, .headers = user, .header_count = 1};
}

static void behind_a_redirect(void **state)
{
    struct tracker first;
    char target[128];
    struct http_header location = {"Location", target};
    (void)state;
    begin(0);
    snprintf(target, sizeof target, "%s/stall", tracker.base);
    tracker_start(&first, redirect, &location);
    struct casehook_connector *redirected = tracker_connector(&first);
    uint64_t ticket = submit_create(loop, redirected, "disk full");
    loop_until_requests(loop, &tracker, 1);
    assert_int_equal(casehook_loop_cancel(loop, ticket), CASEHOOK_OK);
    struct finished finished = loop_finish(loop);
    assert_string_equal(casehook_result_id(finished.result, NULL), "42");
    assert_int_equal(finished_status(finished), CASEHOOK_E_CANCELLED);
    submit_create(loop, redirected, "disk full");
    loop_until_requests(loop, &tracker, 2);
    end(); /* the loop is freed while one is on its way */
    casehook_connector_unref(redirected);
    tracker_stop(&first);
}

static void *set_soon(void *cancel)
{
    const struct timespec soon = {0, 50000000};
    nanosleep(&soon, NULL);
    casehook_cancel_set(cancel);
    return NULL;
}

static void by_a_handle_from_another_thread(void **state)
{
    struct casehook_cancel *cancel = NULL;
    pthread_t thread;
    (void)state;
    begin(2);
    assert_int_equal(casehook_cancel_new(NULL, &cancel), CASEHOOK_OK);
    for (int i = 0; i < 5; i++) submit_create_with(loop, connector, "stall", cancel, 0);
    assert_int_equal(pthread_create(&thread, NULL, set_soon, cancel), 0);
    for (int i = 0; i < 5; i++) assert_int_equal(finished_status(loop_finish(loop)), CASEHOOK_E_CANCELLED);
    pthread_join(thread, NULL);
    submit_create_with(loop, connector, "disk full", cancel, 0); /* it stays set */
    assert_int_equal(finished_status(loop_finish(loop)), CASEHOOK_E_CANCELLED);
    assert_int_equal(http_log_count(tracker.log), 2);
    submit_create_with(loop, connector, "stall", cancel, 0);
    casehook_cancel_free(cancel); /* the operation keeps it */
    end();
}

static void a_handle_that_is_freed_first(void **state)
{
    struct casehook_cancel *cancel = NULL;
    (void)state;
    begin(0);
    assert_int_equal(casehook_cancel_new(NULL, &cancel), CASEHOOK_OK);
    submit_create_with(loop, connector, "disk full", cancel, 0);
    casehook_cancel_free(cancel);
    assert_int_equal(finished_status(loop_finish(loop)), CASEHOOK_OK);
    end();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_the_first_turn),
        cmocka_unit_test(while_it_waits_for_its_turn),
        cmocka_unit_test(after_the_case_was_created),
        cmocka_unit_test(what_has_ended),
        cmocka_unit_test(while_it_connects),
        cmocka_unit_test(while_the_name_is_looked_up),
        cmocka_unit_test(behind_a_redirect),
        cmocka_unit_test(by_a_handle_from_another_thread),
        cmocka_unit_test(a_handle_that_is_freed_first),
    };
    mode_set(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
