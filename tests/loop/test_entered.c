/* test_entered.c - a second thread in a loop is refused, and breaks nothing. */
#include "fixture.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define THREADS 4
#define EACH    100

static struct casehook_loop *loop;
static struct casehook_connector *connector;

static void *wait_long(void *unused)
{
    static int status;
    do status = casehook_loop_wait(loop, -1);
    while (status == CASEHOOK_E_BUSY); /* the other one was in it at that moment */
    (void)unused;
    return &status;
}

static void the_second_is_refused(void **state)
{
    (void)state;
    pthread_t thread;
    void *status = NULL;
    uint64_t ticket = 7;
    struct casehook_params params = {.struct_size = sizeof params, .title = "t"};
    loop = loop_make(0, 0);
    assert_int_equal(casehook_loop_next(loop, &ticket) == NULL && ticket == 0, 1);
    assert_int_equal(pthread_create(&thread, NULL, wait_long, NULL), 0);
    while (casehook_loop_process(loop) != CASEHOOK_E_BUSY) sched_yield();
    /* Nothing but a wakeup ends that wait: from now on it is in there. */
    assert_int_equal(casehook_loop_process(loop), CASEHOOK_E_BUSY);
    assert_int_equal(casehook_loop_wait(loop, 0), CASEHOOK_E_BUSY);
    assert_int_equal(casehook_loop_wait(loop, -1), CASEHOOK_E_BUSY);
    assert_int_equal(casehook_loop_fd(loop), -1);
    assert_true(casehook_loop_timeout_ms(loop) == -1);
    ticket = 7;
    assert_null(casehook_loop_next(loop, &ticket));
    assert_true(ticket == 0);
    assert_int_equal(casehook_loop_free(loop), CASEHOOK_E_BUSY);
    /* What any thread may do. */
    assert_int_equal(casehook_loop_pending(loop), 0);
    assert_int_equal(casehook_loop_cancel(loop, 1), CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook_loop_submit(loop, NULL, CASEHOOK_CREATE, &params, NULL, &ticket, NULL),
                     CASEHOOK_E_ARGUMENT);
    casehook_loop_wakeup(loop);
    assert_int_equal(pthread_join(thread, &status), 0);
    assert_int_equal(*(int *)status, CASEHOOK_OK);
    assert_int_equal(casehook_loop_process(loop), CASEHOOK_OK); /* free again */
    assert_int_equal(casehook_loop_free(loop), CASEHOOK_OK);
}

static atomic_uint pulled, refused;

static void note(int status)
{
    if (status == CASEHOOK_E_BUSY)
        atomic_fetch_add(&refused, 1);
    else if (status)
        abort();
}

/* Each does all that is for one thread alone. */
static void *do_everything(void *unused)
{
    struct casehook_params params = {.struct_size = sizeof params, .title = "t"};
    for (unsigned submitted = 0; atomic_load(&pulled) < THREADS * EACH;) {
        struct casehook_result *result;
        if (submitted < EACH &&
            casehook_loop_submit(loop, connector, CASEHOOK_CREATE, &params, NULL, NULL, NULL) == CASEHOOK_OK)
            submitted++;
        note(casehook_loop_process(loop));
        note(casehook_loop_wait(loop, 1));
        if (mode == MODE_FD) casehook_loop_fd(loop);
        casehook_loop_timeout_ms(loop);
        while ((result = casehook_loop_next(loop, NULL)) != NULL) {
            if (casehook_result_error(result)) abort();
            casehook_result_free(result);
            atomic_fetch_add(&pulled, 1);
        }
    }
    return unused;
}

static void all_at_once(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    struct tracker tracker;
    tracker_start(&tracker, NULL, NULL);
    connector = tracker_connector(&tracker);
    loop = loop_make(0, 8);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, do_everything, NULL), 0);
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&pulled), THREADS * EACH);
    assert_int_equal(casehook_loop_pending(loop), 0);
    assert_int_equal(casehook_loop_free(loop), CASEHOOK_OK);
    casehook_connector_unref(connector);
    assert_int_equal(http_log_count(tracker.log), 2 * THREADS * EACH);
    tracker_stop(&tracker);
    printf("%u calls were refused\n", atomic_load(&refused));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_second_is_refused),
                                       cmocka_unit_test(all_at_once)};
    mode_set(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
