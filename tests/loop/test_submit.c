/* test_submit.c - what is handed over is copied; what is wrong with it becomes the result. */
#include "fixture.h"

#include <stdlib.h>

static struct casehook_connector *connector;
static struct casehook_loop *loop;

static void begin(const struct tracker *tracker)
{
    connector = tracker_connector(tracker);
    loop = loop_make(0, 0);
}

static void end(void)
{
    casehook_loop_free(loop);
    casehook_connector_unref(connector);
}

/* All in blocks of their own that are overwritten and freed behind the call. */
static char *text(const char *from)
{
    char *copy = malloc(strlen(from) + 1);
    assert_non_null(copy);
    memcpy(copy, from, strlen(from) + 1);
    return copy;
}

static void forget(const char *copy)
{
    char *bytes = (char *)(uintptr_t)copy;
    memset(bytes, '!', strlen(bytes));
    free(bytes);
}

static void params_are_copied(void **state)
{
    struct tracker tracker;
    (void)state;
    tracker_start(&tracker, NULL, NULL);
    begin(&tracker);
    const char *tags[] = {text("one"), text("two")};
    /* A comment of a newer header is longer. */
    struct newer {
        struct casehook_comment comment;
        void *unknown;
    } comments[] = {{{text("1"), text("first")}, NULL}, {{text("2"), text("second")}, NULL}};
    struct casehook_params params = {.struct_size = sizeof params, .title = text("disk full"), .tags = tags};
    params.tag_count = 2;
    params.description = text("all of it");
    params.fields = text("{\"host\":\"web-1\"}garbage");
    params.fields_length = strlen("{\"host\":\"web-1\"}");
    params.comments = &comments[0].comment;
    params.comment_count = 2;
    params.comment_size = sizeof *comments;
    uint64_t ticket = 0;
    assert_int_equal(casehook_loop_submit(loop, connector, CASEHOOK_PUSH, &params, NULL, &ticket, NULL),
                     CASEHOOK_OK);
    for (int i = 0; i < 2; i++) {
        forget(tags[i]);
        forget(comments[i].comment.id);
        forget(comments[i].comment.text);
    }
    forget(params.title);
    forget(params.description);
    forget(params.fields);
    memset(&params, '!', sizeof params);
    memset(tags, '!', sizeof tags);
    memset(comments, '!', sizeof comments);
    struct finished finished = loop_finish(loop);
    assert_null(casehook_result_error(finished.result));
    assert_string_equal(casehook_result_comment_id(finished.result, 1, NULL), "2");
    casehook_result_free(finished.result);
    assert_string_equal(http_log_at(tracker.log, 0)->body,
                        "{\"title\":\"disk full\",\"text\":\"all of it\",\"tags\":[\"one\",\"two\"]}");
    assert_string_equal(http_log_at(tracker.log, 2)->body, "{\"body\":\"first\"}");
    assert_string_equal(http_log_at(tracker.log, 3)->body, "{\"body\":\"second\"}");
    end();
    tracker_stop(&tracker);
}

static struct finished run(int operation, const struct casehook_params *params)
{
    uint64_t ticket = 0;
    assert_int_equal(casehook_loop_submit(loop, connector, operation, params, NULL, &ticket, NULL),
                     CASEHOOK_OK);
    struct finished finished = loop_finish(loop);
    assert_true(finished.ticket == ticket);
    return finished;
}

/* The loop and the blocking call must say the same of the same params. */
static void expect_same_fault(int operation, const struct casehook_params *params)
{
    struct casehook_result *blocking = NULL;
    struct finished finished = run(operation, params);
    if (operation == CASEHOOK_GET)
        casehook_get(connector, params, NULL, &blocking);
    else
        casehook_push(connector, params, NULL, &blocking);
    const struct casehook_error *a = casehook_result_error(finished.result),
                                *b = casehook_result_error(blocking);
    assert_non_null(a);
    assert_int_equal(casehook_error_status(a), casehook_error_status(b));
    assert_string_equal(casehook_error_message(a), casehook_error_message(b));
    assert_string_equal(casehook_error_field(a), casehook_error_field(b));
    assert_int_equal(casehook_error_step(a), casehook_error_step(b));
    casehook_result_free(finished.result);
    casehook_result_free(blocking);
}

static void faults_are_those_of_the_blocking_calls(void **state)
{
    struct tracker tracker;
    (void)state;
    tracker_start(&tracker, NULL, NULL);
    begin(&tracker);
    const char *tags[] = {"one", NULL};
    struct casehook_comment comment = {"1", NULL};
    struct casehook_params params = {.struct_size = sizeof params};
    expect_same_fault(CASEHOOK_PUSH, &params); /* no title */
    expect_same_fault(CASEHOOK_GET, &params);  /* no id */
    params.external_id = "..";
    expect_same_fault(CASEHOOK_GET, &params);
    params.external_id = NULL;
    params.title = "disk full";
    params.tags = tags;
    params.tag_count = 2;
    expect_same_fault(CASEHOOK_PUSH, &params);
    params.tag_count = SIZE_MAX;
    expect_same_fault(CASEHOOK_PUSH, &params);
    params.tags = NULL;
    params.tag_count = 1;
    expect_same_fault(CASEHOOK_PUSH, &params);
    params.tag_count = 0;
    params.fields = "{\"host\":}";
    expect_same_fault(CASEHOOK_PUSH, &params); /* of length 0 */
    params.fields_length = CASEHOOK_TERMINATED;
    expect_same_fault(CASEHOOK_PUSH, &params);
    params.fields = NULL;
    params.comments = &comment;
    params.comment_count = 1;
    expect_same_fault(CASEHOOK_PUSH, &params); /* no comment_size */
    params.comment_size = 1 << 20;
    expect_same_fault(CASEHOOK_PUSH, &params);
    params.comment_size = sizeof comment;
    expect_same_fault(CASEHOOK_PUSH, &params); /* its text is NULL */
    params.comment_count = SIZE_MAX;
    expect_same_fault(CASEHOOK_PUSH, &params);
    assert_int_equal(http_log_count(tracker.log), 0);
    end();
    tracker_stop(&tracker);
}

static void too_much_text(void **state)
{
    struct tracker tracker;
    size_t size = 20 * 1024 * 1024;
    char *huge = malloc(size + 1);
    uint64_t ticket;
    (void)state;
    assert_non_null(huge);
    memset(huge, 'x', size);
    huge[size] = '\0';
    tracker_start(&tracker, NULL, NULL);
    begin(&tracker);
    struct casehook_params params = {.struct_size = sizeof params, .title = huge, .description = huge};
    expect_same_fault(CASEHOOK_PUSH, &params);
    params.title = "disk full";
    params.fields = huge;
    params.fields_length = CASEHOOK_TERMINATED;
    expect_same_fault(CASEHOOK_PUSH, &params);
    assert_int_equal(
        casehook_loop_submit_json(loop, connector, CASEHOOK_PUSH, huge, size, NULL, &ticket, NULL),
        CASEHOOK_OK);
    assert_int_equal(finished_status(loop_finish(loop)), CASEHOOK_E_PARAMS);
    end();
    tracker_stop(&tracker);
    free(huge);
}

static void wrong_arguments(void **state)
{
    struct tracker tracker;
    uint64_t ticket = 1;
    (void)state;
    tracker_start(&tracker, NULL, NULL);
    begin(&tracker);
    struct casehook_params params = {.struct_size = sizeof params, .title = "disk full"};
    struct casehook_options options = {.struct_size = 1};
    assert_int_equal(casehook_loop_submit(NULL, connector, CASEHOOK_PUSH, &params, NULL, &ticket, NULL),
                     CASEHOOK_E_ARGUMENT);
    assert_true(ticket == 0);
    assert_int_equal(casehook_loop_submit(loop, NULL, CASEHOOK_PUSH, &params, NULL, &ticket, NULL),
                     CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook_loop_submit(loop, connector, 0, &params, NULL, &ticket, NULL),
                     CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook_loop_submit(loop, connector, 6, &params, NULL, &ticket, NULL),
                     CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook_loop_submit(loop, connector, CASEHOOK_PUSH, NULL, NULL, &ticket, NULL),
                     CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook_loop_submit(loop, connector, CASEHOOK_PUSH, &params, &options, &ticket, NULL),
                     CASEHOOK_E_ARGUMENT);
    params.struct_size = 2;
    assert_int_equal(casehook_loop_submit(loop, connector, CASEHOOK_PUSH, &params, NULL, &ticket, NULL),
                     CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook_loop_pending(loop), 0);
    params.struct_size = sizeof params;
    assert_int_equal(casehook_loop_submit(loop, connector, CASEHOOK_PUSH, &params, NULL, NULL, NULL),
                     CASEHOOK_OK);
    assert_int_equal(finished_status(loop_finish(loop)), CASEHOOK_OK);
    end();
    tracker_stop(&tracker);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(params_are_copied),
        cmocka_unit_test(faults_are_those_of_the_blocking_calls),
        cmocka_unit_test(too_much_text),
        cmocka_unit_test(wrong_arguments),
    };
    mode_set(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
