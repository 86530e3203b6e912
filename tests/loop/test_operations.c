/* test_operations.c - operations through the loop end as the blocking calls do. */
#include "fixture.h"

static void one_create(void **state)
{
    struct tracker tracker;
    (void)state;
    tracker_start(&tracker, NULL, NULL);
    struct casehook_connector *connector = tracker_connector(&tracker);
    struct casehook_loop *loop = loop_make(0, 0);
    assert_int_equal(casehook_loop_pending(loop), 0);
    uint64_t ticket = submit_create(loop, connector, "disk full");
    casehook_connector_unref(connector); /* the operation keeps it */
    assert_int_equal(casehook_loop_pending(loop), 1);
    struct finished finished = loop_finish(loop);
    assert_true(finished.ticket == ticket);
    assert_null(casehook_result_error(finished.result));
    assert_string_equal(casehook_result_id(finished.result, NULL), "42");
    assert_string_equal(casehook_result_title(finished.result, NULL), "CASE-42");
    assert_int_equal(casehook_result_request_count(finished.result), 2);
    assert_int_equal(casehook_loop_pending(loop), 0);
    assert_null(casehook_loop_next(loop, &ticket));
    assert_true(ticket == 0);
    casehook_loop_free(loop);
    casehook_result_free(finished.result); /* it outlives loop and connector */
    assert_int_equal(http_log_count(tracker.log), 2);
    tracker_stop(&tracker);
}

static void every_operation(void **state)
{
    static const struct casehook_comment comments[] = {{"1", "first"}, {"2", ""}, {"3", "third"}};
    static const size_t requests[] = {0, 2, 1, 2, 1, 4};
    struct tracker tracker;
    (void)state;
    tracker_start(&tracker, NULL, NULL);
    struct casehook_connector *connector = tracker_connector(&tracker);
    struct casehook_loop *loop = loop_make(0, 0);
    for (int operation = CASEHOOK_CREATE; operation <= CASEHOOK_PUSH; operation++) {
        struct casehook_params params = {
            .struct_size = sizeof params, .title = "disk full", .comment_size = sizeof *comments};
        params.comments = comments;
        params.comment_count = operation == CASEHOOK_COMMENT ? 1 : operation == CASEHOOK_PUSH ? 3 : 0;
        if (operation != CASEHOOK_CREATE && operation != CASEHOOK_PUSH) params.external_id = "42";
        uint64_t ticket = 0;
        assert_int_equal(casehook_loop_submit(loop, connector, operation, &params, NULL, &ticket, NULL),
                         CASEHOOK_OK);
        struct finished finished = loop_finish(loop);
        assert_true(finished.ticket == ticket);
        assert_int_equal(casehook_result_request_count(finished.result), requests[operation]);
        assert_string_equal(casehook_result_id(finished.result, NULL), "42");
        assert_int_equal(finished_status(finished), CASEHOOK_OK);
    }
    casehook_loop_free(loop);
    casehook_connector_unref(connector);
    tracker_stop(&tracker);
}

static void as_json(void **state)
{
    struct tracker tracker;
    uint64_t ticket = 0;
    (void)state;
    tracker_start(&tracker, NULL, NULL);
    struct casehook_connector *connector = tracker_connector(&tracker);
    struct casehook_loop *loop = loop_make(0, 0);
    char json[] = "{\"incident\":{\"title\":\"disk full\",\"tags\":[\"a\"]},\"comments\":[]}xyz";
    assert_int_equal(casehook_loop_submit_json(loop, connector, CASEHOOK_PUSH, json, strlen(json) - 3, NULL,
                                               &ticket, NULL),
                     CASEHOOK_OK);
    memset(json, '!', sizeof json - 1); /* it was copied */
    assert_int_equal(finished_status(loop_finish(loop)), CASEHOOK_OK);
    assert_non_null(strstr(http_log_at(tracker.log, 0)->body, "disk full"));
    assert_int_equal(casehook_loop_submit_json(loop, connector, CASEHOOK_PUSH,
                                               "{\"title\":", CASEHOOK_TERMINATED, NULL, &ticket, NULL),
                     CASEHOOK_OK);
    assert_int_equal(finished_status(loop_finish(loop)), CASEHOOK_E_PARAMS);
    assert_int_equal(casehook_loop_submit_json(loop, connector, CASEHOOK_PUSH, NULL, 0, NULL, &ticket, NULL),
                     CASEHOOK_E_ARGUMENT);
    casehook_loop_free(loop);
    casehook_connector_unref(connector);
    tracker_stop(&tracker);
}

static void the_server_refuses_and_breaks(void **state)
{
    struct tracker tracker;
    (void)state;
    tracker_start(&tracker, NULL, NULL);
    struct casehook_connector *connector = tracker_connector(&tracker);
    struct casehook_loop *loop = loop_make(0, 0);
    submit_create(loop, connector, "close");
    struct finished finished = loop_finish(loop);
    assert_int_equal(casehook_error_outcome(casehook_result_error(finished.result)),
                     CASEHOOK_OUTCOME_UNKNOWN);
    assert_int_equal(finished_status(finished), CASEHOOK_E_NETWORK);
    submit_create(loop, connector, "then-close");
    finished = loop_finish(loop);
    assert_string_equal(casehook_result_id(finished.result, NULL), "close"); /* R1 */
    assert_int_equal(finished_status(finished), CASEHOOK_E_NETWORK);
    casehook_loop_free(loop);
    casehook_connector_unref(connector);
    tracker_stop(&tracker);
}

/* Answers GET with a redirect to another server: user is the Location header. */
static void redirect(void *user, const struct http_request *request, struct http_response *response)
{
    tracker_answer(NULL, request, response);
    if (strcmp(request->method, "GET") != 0) return;
    *response = (struct http_response){.status = 302, .headers = user, .header_count = 1};
}

static void a_redirect_to_another_origin(void **state)
{
    struct tracker tracker, other;
    char target[128];
    struct http_header location = {"Location", target};
    (void)state;
    tracker_start(&other, NULL, NULL);
    snprintf(target, sizeof target, "%s/elsewhere", other.base);
    tracker_start(&tracker, redirect, &location);
    struct casehook_connector *connector = tracker_connector(&tracker);
    struct casehook_loop *loop = loop_make(0, 4);
    for (int i = 0; i < 20; i++) submit_create(loop, connector, "disk full");
    for (int i = 0; i < 20; i++) {
        struct finished finished = loop_finish(loop);
        assert_string_equal(casehook_result_title(finished.result, NULL), "CASE-42");
        assert_int_equal(finished_status(finished), CASEHOOK_OK);
    }
    assert_int_equal(http_log_count(other.log), 20);
    casehook_loop_free(loop);
    casehook_connector_unref(connector);
    tracker_stop(&tracker);
    tracker_stop(&other);
}

static void nobody_listens(void **state)
{
    struct tracker tracker;
    (void)state;
    tracker_start(&tracker, NULL, NULL);
    struct casehook_connector *connector = tracker_connector(&tracker);
    tracker_stop(&tracker);
    struct casehook_loop *loop = loop_make(0, 0);
    for (int i = 0; i < 10; i++) submit_create(loop, connector, "disk full");
    for (int i = 0; i < 10; i++) {
        struct finished finished = loop_finish(loop);
        assert_int_equal(casehook_error_outcome(casehook_result_error(finished.result)),
                         CASEHOOK_OUTCOME_NOT_SENT);
        assert_int_equal(finished_status(finished), CASEHOOK_E_CONNECT);
    }
    casehook_loop_free(loop);
    casehook_connector_unref(connector);
}

static void deadlines(void **state)
{
    struct tracker tracker;
    (void)state;
    tracker_start(&tracker, NULL, NULL);
    struct casehook_connector *connector = tracker_connector(&tracker);
    struct casehook_loop *loop = loop_make(0, 1);
    uint64_t runs = submit_create_with(loop, connector, "stall", NULL, 1500);
    uint64_t waits = submit_create_with(loop, connector, "disk full", NULL, 50);
    struct finished finished = loop_finish(loop);
    assert_true(finished.ticket == waits);
    assert_int_equal(casehook_error_outcome(casehook_result_error(finished.result)),
                     CASEHOOK_OUTCOME_NOT_SENT);
    assert_true(casehook_error_retryable(casehook_result_error(finished.result)));
    assert_int_equal(finished_status(finished), CASEHOOK_E_TIMEOUT);
    finished = loop_finish(loop);
    assert_true(finished.ticket == runs);
    assert_int_equal(casehook_error_outcome(casehook_result_error(finished.result)),
                     CASEHOOK_OUTCOME_UNKNOWN);
    assert_int_equal(finished_status(finished), CASEHOOK_E_TIMEOUT);
    assert_int_equal(http_log_count(tracker.log), 1);
    casehook_loop_free(loop);
    casehook_connector_unref(connector);
    tracker_stop(&tracker);
}

static void connections_close_at_rest(void **state)
{
    struct tracker tracker;
    (void)state;
    tracker_start(&tracker, NULL, NULL);
    struct casehook_settings *settings = document_settings("{\"idleTimeout\":\"1s\"}");
    struct casehook_connector *connector = document_connector(settings, tracker.base, NULL, NULL);
    struct casehook_loop *loop = loop_make(0, 0);
    for (int i = 0; i < 2; i++) {
        submit_create(loop, connector, "disk full");
        assert_int_equal(finished_status(loop_finish(loop)), CASEHOOK_OK);
        assert_int_equal(http_server_connections(tracker.server), 1);
    }
    for (int64_t until = now_ms() + 1600; now_ms() < until;) loop_turn(loop, (int)(until - now_ms()));
    submit_create(loop, connector, "disk full");
    assert_int_equal(finished_status(loop_finish(loop)), CASEHOOK_OK);
    assert_int_equal(http_server_connections(tracker.server), 2);
    casehook_loop_free(loop);
    casehook_connector_unref(connector);
    casehook_settings_free(settings);
    tracker_stop(&tracker);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_create),
        cmocka_unit_test(every_operation),
        cmocka_unit_test(as_json),
        cmocka_unit_test(the_server_refuses_and_breaks),
        cmocka_unit_test(a_redirect_to_another_origin),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(deadlines),
        cmocka_unit_test(connections_close_at_rest),
    };
    mode_set(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
