/* test_timers.c - the heap of times against a list that is searched. */
#include "base/timers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { COUNT = 200, STEPS = 20000 };

static struct casehook__timer timers[COUNT];
static struct casehook__timers heap;

static unsigned random_number(void)
{
    static unsigned state = 12345;
    state = state * 1103515245U + 12345U;
    return state >> 8;
}

static int64_t earliest(void)
{
    int64_t at = INT64_MAX;
    for (int i = 0; i < COUNT; i++)
        if (timers[i].set && timers[i].at < at) at = timers[i].at;
    return at;
}

/* Set, set anew, cleared, cleared when not set, first ones taken: the earliest is always the first. */
static void like_a_list(void **state)
{
    (void)state;
    for (int i = 0; i < STEPS; i++) {
        struct casehook__timer *timer = &timers[random_number() % COUNT];
        unsigned what = random_number() % 4;
        if (what == 0)
            casehook__timer_clear(&heap, timer);
        else if (what == 1 && heap.first)
            casehook__timer_clear(&heap, heap.first);
        else
            casehook__timer_set(&heap, timer, random_number() % 50); /* many of one time */
        assert_int_equal(casehook__timers_next(&heap), earliest());
        if (heap.first) assert_int_equal(heap.first->at, earliest());
    }
}

/* Taken out one after the other they come in order, all of them. */
static void in_order(void **state)
{
    (void)state;
    int64_t last = INT64_MIN;
    int taken = 0;
    for (int i = 0; i < COUNT; i++) casehook__timer_set(&heap, &timers[i], (int64_t)random_number());
    while (heap.first) {
        assert_true(heap.first->at >= last);
        last = heap.first->at;
        casehook__timer_clear(&heap, heap.first);
        taken++;
    }
    assert_int_equal(taken, COUNT);
    assert_int_equal(casehook__timers_next(&heap), INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(like_a_list), cmocka_unit_test(in_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
