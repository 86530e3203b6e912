/* test_reuse.c - when a write may go out on a kept connection (H7), at times that the test says. */
#include "settings/reuse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MINUTE (60 * 1000)
#define NOW    1000000

static const struct casehook__kept fresh = {.answers = 1, .rested_ms = 5};

static void nothing_is_known(void **state)
{
    (void)state;
    const struct casehook__reuse reuse = {0};
    assert_false(casehook__reuse_is_proven(&reuse, NOW));
    assert_false(casehook__reuse_may_write(&reuse, &fresh, NOW));
}

static void a_second_answer_on_the_connection(void **state)
{
    (void)state;
    const struct casehook__reuse reuse = {0};
    const struct casehook__kept kept = {.answers = 2, .rested_ms = 5};
    assert_true(casehook__reuse_may_write(&reuse, &kept, NOW));
}

static void a_second_answer_elsewhere(void **state)
{
    (void)state;
    struct casehook__reuse reuse = {0};
    casehook__reuse_proved(&reuse, NOW);
    assert_true(casehook__reuse_is_proven(&reuse, NOW));
    assert_true(casehook__reuse_may_write(&reuse, &fresh, NOW));
    assert_true(casehook__reuse_may_write(&reuse, &fresh, NOW + 5 * MINUTE - 1));
    assert_false(casehook__reuse_may_write(&reuse, &fresh, NOW + 5 * MINUTE));
}

static void a_promise(void **state)
{
    (void)state;
    struct casehook__reuse reuse = {0};
    const struct casehook__kept promised = {.answers = 1, .rested_ms = 5, .promise_until = NOW + 1000};
    assert_true(casehook__reuse_may_write(&reuse, &promised, NOW + 999));
    assert_false(casehook__reuse_may_write(&reuse, &promised, NOW + 1000));
    /* Who broke one is not believed. */
    casehook__reuse_closed(&reuse, 5, NOW);
    assert_false(casehook__reuse_may_write(&reuse, &promised, NOW + 1));
}

static void a_server_that_closes_soon(void **state)
{
    (void)state;
    struct casehook__reuse reuse = {0};
    const struct casehook__kept kept = {.answers = 3, .rested_ms = 5};
    casehook__reuse_proved(&reuse, NOW);
    casehook__reuse_closed(&reuse, 10, NOW);
    assert_false(casehook__reuse_may_write(&reuse, &kept, NOW));
    /* Trust is dearer each time: 16 answers, then 256. */
    for (int wanted = 16; wanted <= 256; wanted *= 16) {
        for (int i = 1; i < wanted; i++) {
            casehook__reuse_proved(&reuse, NOW);
            assert_false(casehook__reuse_may_write(&reuse, &kept, NOW));
        }
        casehook__reuse_proved(&reuse, NOW);
        assert_true(casehook__reuse_may_write(&reuse, &kept, NOW));
        casehook__reuse_closed(&reuse, 999, NOW);
    }
    /* After five minutes without a close it is forgotten. */
    assert_false(casehook__reuse_may_write(&reuse, &kept, NOW + 5 * MINUTE - 1));
    assert_true(casehook__reuse_may_write(&reuse, &kept, NOW + 5 * MINUTE));
}

static void an_idle_timeout(void **state)
{
    (void)state;
    struct casehook__reuse reuse = {0};
    struct casehook__kept kept = {.answers = 3, .rested_ms = 2000};
    casehook__reuse_proved(&reuse, NOW);
    casehook__reuse_closed(&reuse, 4000, NOW);
    assert_false(casehook__reuse_may_write(&reuse, &kept, NOW));
    casehook__reuse_proved(&reuse, NOW); /* one is enough */
    assert_true(casehook__reuse_may_write(&reuse, &kept, NOW));
    kept.rested_ms = 2001; /* more than half of the time after which one was found closed */
    assert_false(casehook__reuse_may_write(&reuse, &kept, NOW));
    casehook__reuse_closed(&reuse, 1000, NOW); /* the shortest counts */
    casehook__reuse_closed(&reuse, 4000, NOW);
    casehook__reuse_proved(&reuse, NOW);
    kept.rested_ms = 501;
    assert_false(casehook__reuse_may_write(&reuse, &kept, NOW));
    kept.rested_ms = 500;
    assert_true(casehook__reuse_may_write(&reuse, &kept, NOW));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_known),          cmocka_unit_test(a_second_answer_on_the_connection),
        cmocka_unit_test(a_second_answer_elsewhere), cmocka_unit_test(a_promise),
        cmocka_unit_test(a_server_that_closes_soon), cmocka_unit_test(an_idle_timeout)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
