/* test_memory.c - memory runs out at every point: every accepted operation still ends, nothing leaks. */
#include "fixture.h"

#include "loop/loop_private.h"

#include <stdatomic.h>
#include <stdlib.h>

/* Fails from the left-th allocation on: that one alone, or all of them. */
static atomic_long left, blocks;
static atomic_bool stays, failed;

static void *reallocate(void *user, void *pointer, size_t size)
{
    (void)user;
    if (size == 0) {
        if (pointer) atomic_fetch_sub(&blocks, 1);
        free(pointer);
        return NULL;
    }
    long now = atomic_fetch_sub(&left, 1) - 1;
    if (now == 0 || (now < 0 && atomic_load(&stays))) {
        atomic_store(&failed, true);
        return NULL;
    }
    void *memory = realloc(pointer, size);
    if (memory && !pointer) atomic_fetch_add(&blocks, 1);
    return memory;
}

static const struct casehook_allocator allocator = {sizeof allocator, NULL, reallocate, NULL};

static void arm(long point, bool all)
{
    atomic_store(&stays, all);
    atomic_store(&failed, false);
    atomic_store(&left, point);
}

static struct casehook_settings *settings_with_allocator(void)
{
    struct casehook_settings *settings = NULL;
    assert_int_equal(casehook_settings_new(&allocator, &settings), CASEHOOK_OK);
    assert_int_equal(
        casehook_settings_load_json(settings, "{\"idleTimeout\":\"1m\"}", CASEHOOK_TERMINATED, NULL),
        CASEHOOK_OK);
    return settings;
}

static int make_loop(struct casehook_loop **loop)
{
    struct casehook_loop_options options = {.struct_size = sizeof options, .allocator = &allocator};
    options.max_connections = 3;
    int status = casehook__loop_new_with(&options, mode == MODE_POLL ? &casehook__backend_poll : NULL, loop);
    if (!status && mode == MODE_FD) casehook_loop_fd(*loop);
    return status;
}

/* Submits as many as there is memory for; how many were accepted. */
static int submit_all(struct casehook_loop *loop, struct casehook_connector *connector)
{
    static const struct casehook_comment comment = {"1", "first"};
    const char *tags[] = {"one", "two"};
    struct casehook_params params = {.struct_size = sizeof params, .title = "disk full", .tags = tags};
    params.tag_count = 2;
    params.comments = &comment;
    params.comment_count = 1;
    params.comment_size = sizeof comment;
    int accepted = 0;
    for (int i = 0; i < 6; i++) {
        uint64_t ticket = 0;
        int status = casehook_loop_submit(loop, connector, CASEHOOK_PUSH, &params, NULL, &ticket, NULL);
        assert_true(status == CASEHOOK_OK || status == CASEHOOK_E_NO_MEMORY);
        assert_true((status == CASEHOOK_OK) == (ticket != 0));
        accepted += status == CASEHOOK_OK;
        if (i == 5 && ticket) casehook_loop_cancel(loop, ticket);
    }
    return accepted;
}

static int pull_all(struct casehook_loop *loop)
{
    uint64_t ticket = 0;
    int pulled = 0;
    for (;;) {
        struct casehook_result *result = casehook_loop_next(loop, &ticket);
        if (!ticket) return pulled;
        pulled++;
        int status = casehook_error_status(casehook_result_error(result));
        assert_true(status == CASEHOOK_OK || status == CASEHOOK_E_NO_MEMORY ||
                    status == CASEHOOK_E_CANCELLED);
        casehook_result_free(result);
    }
}

/* False: the allocation that was to fail never came. */
static bool run(const struct casehook_settings *settings, const char *document, long point, bool all)
{
    struct casehook_loop *loop = NULL;
    struct casehook_connector *connector = NULL;
    long before = atomic_load(&blocks);
    arm(0, false);
    assert_int_equal(casehook_connector_new(settings, document, CASEHOOK_TERMINATED, &connector, NULL),
                     CASEHOOK_OK);
    arm(point, all);
    int status = make_loop(&loop);
    assert_true(status == CASEHOOK_OK || status == CASEHOOK_E_NO_MEMORY);
    if (loop) {
        int accepted = submit_all(loop, connector), ended = 0;
        int64_t until = now_ms() + 10000;
        while (ended < accepted) {
            if (now_ms() > until) fail_msg("an operation never ended (allocation %ld)", point);
            loop_turn(loop, 1000);
            ended += pull_all(loop);
        }
        assert_int_equal(casehook_loop_pending(loop), 0);
    }
    bool came = atomic_load(&failed);
    arm(0, false);
    casehook_loop_free(loop);
    casehook_connector_unref(connector);
    assert_int_equal(atomic_load(&blocks), before);
    return came;
}

static void at_every_point(void **state)
{
    struct tracker tracker;
    (void)state;
    arm(0, false);
    tracker_start(&tracker, NULL, NULL);
    struct casehook_settings *settings = settings_with_allocator();
    char *document = document_new(tracker.base, NULL, NULL);
    for (int all = 0; all < 2; all++) {
        long point = 1;
        while (run(settings, document, point, all)) point++;
        assert_true(point > 50);
    }
    free(document);
    casehook_settings_free(settings);
    assert_int_equal(atomic_load(&blocks), 0);
    tracker_stop(&tracker);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(at_every_point)};
    mode_set(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
