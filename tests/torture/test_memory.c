/*
 * test_memory.c - every allocation of the library fails once, in every public call.
 *
 * A scenario calls one public function.  It is run with the first allocation failing, then the second ...
 * until a run needs no more.  No run may crash or leak; a call that fails says NO_MEMORY, and the id of
 * a case that was created stays in the result.
 */
#include "torture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define POINTS_MAX 20000

/* A case that the tracker has must be named by the result, and it has no two of them. */
static void check_id(const struct world *world)
{
    if (torture_created == 0) return;
    assert_int_equal(torture_created, 1);
    assert_non_null(world->result);
    const struct casehook_error *error = casehook_result_error(world->result);
    bool unknown = casehook_error_outcome(error) == CASEHOOK_OUTCOME_UNKNOWN;
    if (unknown && casehook_error_step(error) == CASEHOOK_STEP_CREATE) return;
    assert_non_null(casehook_result_id(world->result, NULL));
    assert_string_equal(casehook_result_id(world->result, NULL), "42");
}

/* A result that lacks something is whole all the same. */
static void look_at_result(const struct casehook_result *result)
{
    if (!result) return;
    assert_non_null(casehook_result_json(result, NULL));
    assert_null(casehook_result_field(result, "no such field", NULL));
    for (size_t i = 0; i < casehook_result_request_count(result); i++) {
        assert_non_null(casehook_result_request_json(result, i, NULL));
        assert_non_null(casehook_result_request_method(result, i));
    }
    for (size_t i = 0; i < casehook_result_field_count(result); i++) {
        assert_non_null(casehook_result_field_name(result, i));
        assert_non_null(casehook_result_field_value(result, i, NULL));
    }
}

/* Whether the failure was reached. */
static bool try_point(const struct scenario *scenario, long point)
{
    struct world world;
    assert_int_equal(world_make(&world, scenario->flags), CASEHOOK_OK);
    torture_created = torture_create_status = 0;
    memory_arm(point);
    int status = scenario->run(&world);
    bool reached = memory_disarm();
    bool fails = (scenario->flags & FAILS) != 0;
    if (!reached)
        assert_int_equal(status != CASEHOOK_OK, fails);
    else if (!fails && !(scenario->flags & WITH_DELIVERY)) /* there the last try may have failed otherwise */
        assert_true(status == CASEHOOK_E_NO_MEMORY || status == CASEHOOK_OK);
    if (scenario->flags & CREATES) check_id(&world);
    look_at_result(world.result);
    world_end(&world);
    assert_int_equal(memory_blocks(), 0);
    return reached;
}

static void every_allocation_fails_once(void **state)
{
    (void)state;
    long total = 0;
    for (const struct scenario *scenario = scenarios; scenario->call; scenario++) {
        long point = 1;
        while (try_point(scenario, point)) assert_true(++point < POINTS_MAX);
        printf("%6ld points in %s\n", point - 1, scenario->call);
        fflush(stdout);
        assert_true(point > 1);
        total += point - 1;
    }
    printf("%6ld points in all\n", total);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_fails_once)};
    torture_start();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    torture_stop();
    return failed;
}
