/* test_free.c - a loop is freed at any moment, and in a child process; wake-ups. */
#include "fixture.h"

#include "process.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void with_operations_in_every_state(void **state)
{
    (void)state;
    for (int turns = 0; turns < 30; turns++) {
        struct tracker tracker;
        struct casehook_cancel *cancel = NULL;
        tracker_start(&tracker, NULL, NULL);
        struct casehook_connector *connector = tracker_connector(&tracker);
        struct casehook_loop *loop = loop_make(0, 4);
        assert_int_equal(casehook_cancel_new(NULL, &cancel), CASEHOOK_OK);
        for (int i = 0; i < 3; i++) {
            submit_create_with(loop, connector, "stall", cancel, 60000);
            submit_create(loop, connector, "disk full");
            submit_create(loop, connector, "then-stall");
        }
        for (int i = 0; i < turns; i++) loop_turn(loop, 1); /* results are never pulled */
        submit_create(loop, connector, "disk full");
        casehook_loop_free(loop);
        casehook_cancel_set(cancel); /* nobody waits there any more */
        casehook_cancel_free(cancel);
        casehook_connector_unref(connector);
        tracker_stop(&tracker);
    }
}

static void *reallocate(void *user, void *pointer, size_t size)
{
    bool *gone = user;
    assert_false(*gone);
    if (size) return realloc(pointer, size);
    free(pointer);
    return NULL;
}

static void destroy(void *user)
{
    *(bool *)user = true;
}

static void redirect(void *user, const struct http_request *request, struct http_response *response)
{
    static struct http_header headers[1];
    if (strcmp(request->method, "POST") == 0) {
        tracker_answer(NULL, request, response);
        return;
    }
    headers[0] = (struct http_header){"Location", user};
    *response = (struct http_response){.status = 302, .headers = headers, .header_count = 1};
}

/* The loop holds the last reference to the connector and its allocator, on a redirect to another origin. */
static void with_the_last_of_an_allocator(void **state)
{
    static const char *const words[] = {"stall", "42"}; /* freed in the middle of it, and after it */
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct tracker first, second;
        struct casehook_settings *settings = NULL;
        bool gone = false;
        const struct casehook_allocator allocator = {sizeof allocator, &gone, reallocate, destroy};
        char target[128];
        tracker_start(&second, NULL, NULL);
        snprintf(target, sizeof target, "%s/issue/%s", second.base, words[i]);
        tracker_start(&first, redirect, target);
        assert_int_equal(casehook_settings_new(&allocator, &settings), CASEHOOK_OK);
        assert_int_equal(
            casehook_settings_load_json(settings, "{\"maxIdleConnections\":0}", CASEHOOK_TERMINATED, NULL),
            CASEHOOK_OK);
        struct casehook_connector *connector = document_connector(settings, first.base, NULL, NULL);
        struct casehook_loop *loop = loop_make(0, 0);
        casehook_settings_free(settings);
        submit_create(loop, connector, "disk full");
        casehook_connector_unref(connector);
        loop_until_requests(loop, &second, 1);
        if (i) assert_int_equal(finished_status(loop_finish(loop)), CASEHOOK_OK);
        casehook_loop_free(loop);
        assert_true(gone);
        tracker_stop(&first);
        tracker_stop(&second);
    }
}

static void unused(void **state)
{
    struct casehook_loop *loop = NULL;
    struct casehook_loop_options options = {.struct_size = 3};
    (void)state;
    casehook_loop_free(NULL);
    casehook_loop_free(loop_make(0, 0));
    assert_int_equal(casehook_loop_new(NULL, NULL), CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook_loop_new(&options, &loop), CASEHOOK_E_ARGUMENT);
    assert_null(loop);
    assert_int_equal(casehook_loop_process(NULL), CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook_loop_wait(NULL, 0), CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook_loop_fd(NULL), -1);
    assert_true(casehook_loop_timeout_ms(NULL) == -1);
    assert_int_equal(casehook_loop_pending(NULL), 0);
    assert_null(casehook_loop_next(NULL, NULL));
    casehook_loop_wakeup(NULL);
}

static int in_the_child(struct casehook_loop *loop, struct casehook_connector *connector)
{
    struct casehook_params params = {.struct_size = sizeof params, .title = "disk full"};
    uint64_t ticket = 1;
    if (casehook_loop_process(loop) != CASEHOOK_E_FORKED) return 1;
    if (casehook_loop_wait(loop, 0) != CASEHOOK_E_FORKED) return 2;
    if (casehook_loop_submit(loop, connector, CASEHOOK_CREATE, &params, NULL, &ticket, NULL) !=
            CASEHOOK_E_FORKED ||
        ticket != 0)
        return 3;
    if (casehook_loop_cancel(loop, 1) != CASEHOOK_E_FORKED) return 4;
    if (casehook_loop_fd(loop) != -1 || casehook_loop_next(loop, NULL)) return 5;
    casehook_loop_wakeup(loop);
    casehook_loop_free(loop);
    return 0;
}

static void in_a_child_process(void **state)
{
    struct tracker tracker;
    int status = -1;
    (void)state;
    tracker_start(&tracker, NULL, NULL);
    struct casehook_connector *connector = tracker_connector(&tracker);
    struct casehook_loop *loop = loop_make(0, 2);
    for (int i = 0; i < 4; i++) submit_create(loop, connector, "slow");
    loop_until_requests(loop, &tracker, 1);
    pid_t child = fork();
    if (child == 0) process_leave(in_the_child(loop, connector));
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    for (int i = 0; i < 4; i++) assert_int_equal(finished_status(loop_finish(loop)), CASEHOOK_OK);
    assert_int_equal(http_server_connections(tracker.server), 2); /* the parent's connections live on */
    casehook_loop_free(loop);
    casehook_connector_unref(connector);
    tracker_stop(&tracker);
}

static void *wake_soon(void *loop)
{
    const struct timespec soon = {0, 50000000};
    nanosleep(&soon, NULL);
    casehook_loop_wakeup(loop);
    return NULL;
}

static void wakeup_ends_a_wait(void **state)
{
    struct tracker tracker;
    pthread_t thread;
    (void)state;
    tracker_start(&tracker, NULL, NULL);
    struct casehook_connector *connector = tracker_connector(&tracker);
    struct casehook_loop *loop = loop_make(0, 0);
    casehook_loop_wakeup(loop);
    assert_int_equal(casehook_loop_wait(loop, -1), CASEHOOK_OK); /* the next one */
    for (int busy = 0; busy < 2; busy++) {
        int64_t begun = now_ms();
        assert_int_equal(casehook_loop_wait(loop, 30), CASEHOOK_OK); /* and that one only */
        assert_true(now_ms() - begun >= 30);
        assert_int_equal(pthread_create(&thread, NULL, wake_soon, loop), 0);
        assert_int_equal(casehook_loop_wait(loop, -1), CASEHOOK_OK); /* one that runs */
        pthread_join(thread, NULL);
        if (!busy) submit_create(loop, connector, "stall");
    }
    casehook_loop_free(loop);
    casehook_connector_unref(connector);
    tracker_stop(&tracker);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unused),
        cmocka_unit_test(with_operations_in_every_state),
        cmocka_unit_test(with_the_last_of_an_allocator),
        cmocka_unit_test(in_a_child_process),
        cmocka_unit_test(wakeup_ends_a_wait),
    };
    mode_set(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
