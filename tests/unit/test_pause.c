/* test_pause.c - a sleep ends at its time, or when somebody cancels, before or meanwhile. */
#include "base/pause.h"

#include "base/clock.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define FOR_EVER_MS 3600000

static void until_its_time(void **state)
{
    (void)state;
    int64_t until = casehook__clock_ms() + 20;
    casehook__pause(until, NULL);
    assert_true(casehook__clock_ms() >= until);
    casehook__pause(until - 10, NULL); /* has passed */
}

static void not_when_it_was_cancelled_before(void **state)
{
    struct casehook_cancel *cancel = NULL;
    (void)state;
    assert_int_equal(casehook_cancel_new(NULL, &cancel), CASEHOOK_OK);
    casehook_cancel_set(cancel);
    casehook__pause(casehook__clock_ms() + FOR_EVER_MS, cancel);
    casehook_cancel_free(cancel);
}

static void *sleeps(void *cancel)
{
    casehook__pause(casehook__clock_ms() + FOR_EVER_MS, cancel);
    return NULL;
}

/* At whatever moment, of all that sleep on it. */
static void until_it_is_cancelled(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        struct casehook_cancel *cancel = NULL;
        pthread_t threads[3];
        assert_int_equal(casehook_cancel_new(NULL, &cancel), CASEHOOK_OK);
        for (int k = 0; k < 3; k++) assert_int_equal(pthread_create(&threads[k], NULL, sleeps, cancel), 0);
        casehook_cancel_set(cancel);
        for (int k = 0; k < 3; k++) assert_int_equal(pthread_join(threads[k], NULL), 0);
        casehook_cancel_free(cancel);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(until_its_time),
        cmocka_unit_test(not_when_it_was_cancelled_before),
        cmocka_unit_test(until_it_is_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
