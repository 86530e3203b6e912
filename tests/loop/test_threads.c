/* test_threads.c - eight threads submit and cancel while one drives the loop. */
#include "fixture.h"

#include <pthread.h>
#include <stdatomic.h>

#define THREADS 8
#define EACH    150

static struct casehook_loop *loop;
static struct casehook_connector *connector;
static struct casehook_cancel *shared;
static atomic_uint accepted, busy;

static void *submit_many(void *number)
{
    struct casehook_params params = {.struct_size = sizeof params};
    struct casehook_options options = {.struct_size = sizeof options};
    char title[32];
    uint64_t ticket;
    int thread = *(const int *)number;
    for (int i = 0; i < EACH;) {
        snprintf(title, sizeof title, "case %d of %d", i, thread);
        params.title = title;
        options.cancel = thread == 0 ? shared : NULL;
        options.deadline_ms = thread == 1 ? 1 + (uint32_t)i : 0;
        int status = casehook_loop_submit(loop, connector, CASEHOOK_CREATE, &params, &options, &ticket, NULL);
        if (status == CASEHOOK_E_BUSY) {
            atomic_fetch_add(&busy, 1);
            casehook_loop_wakeup(loop);
            sched_yield();
            continue;
        }
        if (status) break;
        atomic_fetch_add(&accepted, 1);
        if (thread == 2) casehook_loop_cancel(loop, ticket);
        if (thread == 0 && i == EACH / 2) casehook_cancel_set(shared);
        i++;
    }
    return NULL;
}

static void eight_threads(void **state)
{
    struct tracker tracker;
    pthread_t threads[THREADS];
    int numbers[THREADS], ended = 0, succeeded = 0;
    (void)state;
    tracker_start(&tracker, NULL, NULL);
    connector = tracker_connector(&tracker);
    loop = loop_make(100, 16);
    assert_int_equal(casehook_cancel_new(NULL, &shared), CASEHOOK_OK);
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, submit_many, &numbers[i]), 0);
    }
    while (ended < THREADS * EACH) {
        struct finished finished = {0};
        loop_turn(loop, 1000);
        while ((finished.result = casehook_loop_next(loop, &finished.ticket)) != NULL) {
            int status = finished_status(finished);
            assert_true(status == CASEHOOK_OK || status == CASEHOOK_E_CANCELLED ||
                        status == CASEHOOK_E_TIMEOUT);
            succeeded += status == CASEHOOK_OK;
            ended++;
        }
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&accepted), THREADS * EACH);
    assert_true(succeeded >= 5 * EACH); /* nobody cancels those of the other five threads */
    assert_int_equal(casehook_loop_pending(loop), 0);
    casehook_loop_free(loop);
    casehook_cancel_free(shared);
    casehook_connector_unref(connector);
    tracker_stop(&tracker);
}

static void *submit_some(void *unused)
{
    (void)unused;
    for (int i = 0; i < 20; i++) submit_create(loop, connector, "disk full");
    return NULL;
}

/* A wait without limit must notice what other threads hand over. */
static void a_wait_notices_submissions(void **state)
{
    struct tracker tracker;
    pthread_t thread;
    (void)state;
    tracker_start(&tracker, NULL, NULL);
    connector = tracker_connector(&tracker);
    loop = loop_make(0, 4);
    for (int round = 0; round < 10; round++) {
        assert_int_equal(pthread_create(&thread, NULL, submit_some, NULL), 0);
        for (int i = 0; i < 20; i++) assert_int_equal(finished_status(loop_finish(loop)), CASEHOOK_OK);
        pthread_join(thread, NULL);
    }
    casehook_loop_free(loop);
    casehook_connector_unref(connector);
    tracker_stop(&tracker);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eight_threads),
        cmocka_unit_test(a_wait_notices_submissions),
    };
    mode_set(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
