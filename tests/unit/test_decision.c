/* test_decision.c - what follows from what a request came to: pure, without machine, clock or socket (R1-R3,
 * H6). */
#include "exchange/decision.h"
#include "exchange/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define ADDS    CASEHOOK__EFFECT_ADDS
#define CHANGES CASEHOOK__EFFECT_CHANGES
#define READS   CASEHOOK__EFFECT_READS

#define REFUSED  CASEHOOK_OUTCOME_REFUSED
#define UNKNOWN  CASEHOOK_OUTCOME_UNKNOWN
#define NOT_SENT CASEHOOK_OUTCOME_NOT_SENT

static struct casehook__decision decide(struct casehook__verdict verdict, struct casehook__progress progress)
{
    static const struct casehook__retry once = {.max_attempts = 1};
    return casehook__decide(&verdict, &progress, &once);
}

static void what_went_well_goes_on(void **state)
{
    (void)state;
    const struct casehook__progress progress = {.effect = ADDS, .did = true};
    struct casehook__verdict well = {.http_status = 201, .outcome = CASEHOOK_OUTCOME_DONE};
    assert_int_equal(decide(well, progress).action, CASEHOOK__ACTION_NEXT);
    struct casehook__verdict follow = {.http_status = 307, .outcome = REFUSED, .follow = true};
    assert_int_equal(decide(follow, progress).action, CASEHOOK__ACTION_FOLLOW);
}

/* The status of a refusal, and whether a call of each effect may be made again. */
static void refusals(void **state)
{
    (void)state;
    static const struct {
        int http_status, outcome;
        bool adds, changes;
    } rows[] = {
        {400, REFUSED, false, false}, {401, REFUSED, false, false}, {404, REFUSED, false, false},
        {408, REFUSED, true, true},   {409, REFUSED, false, false}, {422, REFUSED, false, false},
        {425, REFUSED, true, true},   {429, REFUSED, true, true},   {500, REFUSED, false, true},
        {501, REFUSED, false, false}, {502, UNKNOWN, false, true},  {503, REFUSED, true, true},
        {504, UNKNOWN, false, true},  {505, REFUSED, false, false}, {599, REFUSED, false, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct casehook__verdict verdict = {
            .status = CASEHOOK_E_HTTP_STATUS, .http_status = rows[i].http_status, .outcome = rows[i].outcome};
        struct casehook__decision adds = decide(verdict, (struct casehook__progress){.effect = ADDS});
        assert_int_equal(adds.action, CASEHOOK__ACTION_STOP);
        assert_int_equal(adds.outcome, rows[i].outcome);
        assert_int_equal(adds.retryable, rows[i].adds);
        assert_int_equal(decide(verdict, (struct casehook__progress){.effect = CHANGES}).retryable,
                         rows[i].changes);
        assert_int_equal(decide(verdict, (struct casehook__progress){.effect = READS}).retryable,
                         rows[i].changes);
    }
}

static void failures(void **state)
{
    (void)state;
    static const struct {
        int status;
        bool passes;
    } rows[] = {
        {CASEHOOK_E_RESOLVE, true}, {CASEHOOK_E_CONNECT, true}, {CASEHOOK_E_PROXY, true},
        {CASEHOOK_E_TIMEOUT, true}, {CASEHOOK_E_NETWORK, true}, {CASEHOOK_E_NO_MEMORY, true},
        {CASEHOOK_E_SYSTEM, true},  {CASEHOOK_E_TLS, false},    {CASEHOOK_E_CANCELLED, false},
        {CASEHOOK_E_POLICY, false}, {CASEHOOK_E_LIMIT, false},  {CASEHOOK_E_RESPONSE, false},
        {CASEHOOK_E_PARAMS, false}, {CASEHOOK_E_CONFIG, false}, {CASEHOOK_E_REDIRECT, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct casehook__verdict verdict = {.status = rows[i].status, .outcome = NOT_SENT};
        assert_int_equal(decide(verdict, (struct casehook__progress){.effect = ADDS}).retryable,
                         rows[i].passes);
        verdict.outcome = UNKNOWN; /* a create that may have been done is never made again */
        assert_false(decide(verdict, (struct casehook__progress){.effect = ADDS}).retryable);
        assert_int_equal(decide(verdict, (struct casehook__progress){.effect = CHANGES}).retryable,
                         rows[i].passes);
        verdict.lasting = true;
        assert_false(decide(verdict, (struct casehook__progress){.effect = READS}).retryable);
    }
}

/* The whole operation would do again what it has done. */
static void what_was_done_is_not_done_twice(void **state)
{
    (void)state;
    const struct casehook__verdict busy = {
        .status = CASEHOOK_E_HTTP_STATUS, .http_status = 503, .outcome = REFUSED};
    assert_true(decide(busy, (struct casehook__progress){.effect = READS}).retryable);
    assert_false(decide(busy, (struct casehook__progress){.effect = READS, .did = true}).retryable);
    assert_false(decide(busy, (struct casehook__progress){.effect = ADDS, .did = true}).retryable);
    struct casehook__decision decision =
        decide(busy, (struct casehook__progress){.effect = CHANGES, .written = true});
    assert_false(decision.retryable);
    assert_int_equal(decision.outcome, UNKNOWN); /* the write was done, only its answer is elsewhere */
}

/* ---- plans ------------------------------------------------------------------------------------- */

/* There is no token for it: the last try of what waits counts, but a redirect that it followed was no try. */
static void what_waits_for_a_token(void **state)
{
    (void)state;
    static const struct {
        int last, outcome;
        bool written, uncertain;
    } rows[] = {
        {CASEHOOK_OUTCOME_NONE, NOT_SENT, false, false},
        {REFUSED, REFUSED, false, false},
        {UNKNOWN, UNKNOWN, false, true},
        {CASEHOOK_OUTCOME_DONE, NOT_SENT, false, false},
        {CASEHOOK_OUTCOME_DONE, UNKNOWN, true, true}, /* a 303 after a write */
        {CASEHOOK_OUTCOME_DONE, UNKNOWN, true, false},
        {REFUSED, UNKNOWN, false, true},
    };
    const struct casehook__verdict refused = {
        .status = CASEHOOK_E_HTTP_STATUS, .http_status = 400, .outcome = REFUSED};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct casehook__decision decision =
            decide(refused, (struct casehook__progress){.effect = READS,
                                                        .fetching = true,
                                                        .token_tries = 1,
                                                        .last_outcome = rows[i].last,
                                                        .written = rows[i].written,
                                                        .uncertain = rows[i].uncertain});
        assert_int_equal(decision.action, CASEHOOK__ACTION_STOP);
        assert_int_equal(decision.outcome, rows[i].outcome);
    }
}

static void is_plan(int operation, enum casehook__plan_case known, const enum casehook__plan_step *expected)
{
    const enum casehook__plan_step *plan = casehook__plan(operation, known);
    size_t i = 0;
    for (; expected[i] != CASEHOOK__PLAN_END; i++) assert_int_equal(plan[i], expected[i]);
    assert_int_equal(plan[i], CASEHOOK__PLAN_END);
}

static void plans(void **state)
{
    (void)state;
    const enum casehook__plan_step create[] = {CASEHOOK__PLAN_CREATE, CASEHOOK__PLAN_GET, CASEHOOK__PLAN_VIEW,
                                               CASEHOOK__PLAN_END},
                                   update[] = {CASEHOOK__PLAN_UPDATE, CASEHOOK__PLAN_TRANSITION,
                                               CASEHOOK__PLAN_GET, CASEHOOK__PLAN_VIEW, CASEHOOK__PLAN_END},
                                   find[] = {CASEHOOK__PLAN_FIND, CASEHOOK__PLAN_CREATE, CASEHOOK__PLAN_GET,
                                             CASEHOOK__PLAN_VIEW, CASEHOOK__PLAN_END},
                                   get[] = {CASEHOOK__PLAN_GET, CASEHOOK__PLAN_END},
                                   comment[] = {CASEHOOK__PLAN_COMMENTS, CASEHOOK__PLAN_END},
                                   push_new[] = {CASEHOOK__PLAN_CREATE, CASEHOOK__PLAN_GET,
                                                 CASEHOOK__PLAN_VIEW, CASEHOOK__PLAN_COMMENTS,
                                                 CASEHOOK__PLAN_END},
                                   push[] = {CASEHOOK__PLAN_UPDATE,   CASEHOOK__PLAN_TRANSITION,
                                             CASEHOOK__PLAN_GET,      CASEHOOK__PLAN_VIEW,
                                             CASEHOOK__PLAN_COMMENTS, CASEHOOK__PLAN_END};
    is_plan(CASEHOOK_CREATE, CASEHOOK__PLAN_OF_NEW, create);
    is_plan(CASEHOOK_CREATE, CASEHOOK__PLAN_OF_UNKNOWN, find);
    is_plan(CASEHOOK_CREATE, CASEHOOK__PLAN_OF_KNOWN, update);       /* it was found */
    is_plan(CASEHOOK_CREATE, CASEHOOK__PLAN_OF_WRITTEN, update + 1); /* whichever write it was */
    is_plan(CASEHOOK_UPDATE, CASEHOOK__PLAN_OF_KNOWN, update);
    is_plan(CASEHOOK_UPDATE, CASEHOOK__PLAN_OF_WRITTEN, update + 1);
    is_plan(CASEHOOK_GET, CASEHOOK__PLAN_OF_KNOWN, get);
    is_plan(CASEHOOK_COMMENT, CASEHOOK__PLAN_OF_KNOWN, comment);
    is_plan(CASEHOOK_PUSH, CASEHOOK__PLAN_OF_NEW, push_new);
    is_plan(CASEHOOK_PUSH, CASEHOOK__PLAN_OF_KNOWN, push);
    is_plan(CASEHOOK_PUSH, CASEHOOK__PLAN_OF_WRITTEN, push + 1);
    assert_int_equal(casehook__plan_call(CASEHOOK__PLAN_CREATE), CASEHOOK__CALL_CREATE);
    assert_int_equal(casehook__plan_call(CASEHOOK__PLAN_UPDATE), CASEHOOK__CALL_UPDATE);
    assert_int_equal(casehook__plan_call(CASEHOOK__PLAN_TRANSITION), CASEHOOK__CALL_TRANSITION);
    assert_int_equal(casehook__plan_call(CASEHOOK__PLAN_GET), CASEHOOK__CALL_GET);
    assert_int_equal(casehook__plan_call(CASEHOOK__PLAN_FIND), CASEHOOK__CALL_FIND);
    assert_int_equal(casehook__plan_call(CASEHOOK__PLAN_COMMENTS), CASEHOOK__CALL_COMMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_went_well_goes_on),
                                       cmocka_unit_test(refusals),
                                       cmocka_unit_test(failures),
                                       cmocka_unit_test(what_was_done_is_not_done_twice),
                                       cmocka_unit_test(what_waits_for_a_token),
                                       cmocka_unit_test(plans)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
