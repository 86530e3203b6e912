/* test_limiter.c - the rate limit and the circuit of a connector, by a clock of numbers (D6). */
#include "exchange/limiter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LATER CASEHOOK__ADMITTED_LATER
#define NOW   CASEHOOK__ADMITTED
#define OPEN  CASEHOOK__CIRCUIT_OPEN

#define UP     CASEHOOK__HEALTH_UP
#define DOWN   CASEHOOK__HEALTH_DOWN
#define UNTOLD CASEHOOK__HEALTH_UNTOLD

static struct casehook__limiter *limiter;
static int64_t at; /* what the last one was told */

static void begin_with(struct casehook__limits limits, uint64_t request_ms)
{
    assert_int_equal(casehook__limiter_new(NULL, &limits, request_ms, &limiter), CASEHOOK_OK);
    assert_non_null(limiter);
}

static void begin(struct casehook__limits limits)
{
    begin_with(limits, 0);
}

static void end(void)
{
    casehook__limiter_free(limiter);
    limiter = NULL;
}

static int ask(int64_t now, struct casehook__place *place)
{
    at = -1;
    return (int)casehook__limiter_ask(limiter, now, place, &at);
}

/* ---- rate ---------------------------------------------------------------------------------------- */

static void nothing_is_limited(void **state)
{
    struct casehook__place place = {.queued = false};
    const struct casehook__limits none = {.rate_burst = 5, .rate_per_ms = 1000, .circuit_pause_ms = 1000};
    (void)state;
    assert_int_equal(casehook__limiter_new(NULL, &none, 0, &limiter), CASEHOOK_OK);
    assert_null(limiter);
    casehook__limiter_leave(limiter, &place);
    assert_string_equal(casehook__limiter_circuit(limiter, 0), "closed");
}

static uint64_t seed;

static unsigned below(unsigned most)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(seed >> 33) % most;
}

#define MANY 2000

/* One operation: when it comes, when it asks again, when it was let go; -1: not yet. */
struct waiter {
    int64_t asks, went;
    unsigned asked;
    bool gives_up;
    struct casehook__place place;
};

static struct waiter waiters[MANY];

/* Every one asks when it was told to, up to late ms after; returns how often all of them asked. */
static size_t run_all(unsigned late)
{
    size_t left = MANY, asked = 0;
    while (left) {
        struct waiter *next = NULL;
        for (size_t i = 0; i < MANY; i++)
            if (waiters[i].went < 0 && (!next || waiters[i].asks < next->asks)) next = &waiters[i];
        if (next->gives_up && next->asked == 1) {
            casehook__limiter_leave(limiter, &next->place);
            next->went = INT64_MAX;
            left--;
            continue;
        }
        asked++;
        next->asked++;
        if (ask(next->asks, &next->place) == NOW) {
            next->went = next->asks;
            left--;
        } else {
            assert_true(at > next->asks);
            next->asks = at + (late ? below(late) : 0);
        }
    }
    return asked;
}

/* Nobody ran for a long time, so that the times of all have passed: they do not wake for every token from
 * then on. */
static void a_stall(void **state)
{
    const struct casehook__limits limits = {.rate_requests = 200, .rate_per_ms = 1000, .rate_burst = 1};
    (void)state;
    begin(limits);
    for (size_t i = 0; i < MANY; i++) {
        waiters[i] = (struct waiter){.asks = 0, .went = -1};
        if (ask(0, &waiters[i].place) == NOW)
            waiters[i].went = 0;
        else
            waiters[i].asks = 9000; /* of ten seconds */
    }
    size_t asked = 0;
    for (size_t left = MANY - 1; left;) {
        struct waiter *next = NULL;
        for (size_t i = 0; i < MANY; i++)
            if (waiters[i].went < 0 && (!next || waiters[i].asks < next->asks)) next = &waiters[i];
        asked++;
        if (ask(next->asks, &next->place) == NOW) {
            next->went = next->asks;
            left--;
        } else {
            next->asks = at;
        }
    }
    assert_in_range(asked, MANY - 1, 4 * MANY);
    end();
}

static int by_time(const void *a, const void *b)
{
    const struct waiter *first = a, *second = b;
    return (first->went > second->went) - (first->went < second->went);
}

/* Any window, from one request to any later one. */
static void expect_windows(const struct casehook__limits *limits)
{
    double per_ms = (double)limits->rate_requests / limits->rate_per_ms;
    qsort(waiters, MANY, sizeof *waiters, by_time);
    for (size_t i = 0; i < MANY && waiters[i].went < INT64_MAX; i++)
        for (size_t j = i; j < MANY && waiters[j].went < INT64_MAX; j++) {
            double most = limits->rate_burst + per_ms * (double)(waiters[j].went - waiters[i].went);
            if ((double)(j - i + 1) > most + 1e-6)
                fail_msg("%u per %u ms, burst %u: %zu in %lld ms", limits->rate_requests, limits->rate_per_ms,
                         limits->rate_burst, j - i + 1, (long long)(waiters[j].went - waiters[i].went));
        }
}

static void any_window_holds(void **state)
{
    static const struct casehook__limits limits[] = {
        {.rate_requests = 10, .rate_burst = 10, .rate_per_ms = 1000},
        {.rate_requests = 1, .rate_burst = 1, .rate_per_ms = 1000},
        {.rate_requests = 3, .rate_burst = 1, .rate_per_ms = 1000},
        {.rate_requests = 7, .rate_burst = 100, .rate_per_ms = 60000},
        {.rate_requests = 1000, .rate_burst = 5, .rate_per_ms = 1000},
        {.rate_requests = 5000, .rate_burst = 2, .rate_per_ms = 1000},
        {.rate_requests = 1000000, .rate_burst = 1000000, .rate_per_ms = 1},
        {.rate_requests = 1, .rate_burst = 1, .rate_per_ms = 0x7FFFFFFF}};
    static const unsigned spreads[] = {1, 1000, 300000};
    (void)state;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        for (unsigned round = 0; round < 6; round++) {
            bool give_up = round >= 3;
            seed = i * 100 + round;
            begin(limits[i]);
            for (size_t n = 0; n < MANY; n++)
                waiters[n] = (struct waiter){.asks = 5000 + below(spreads[round % 3]),
                                             .went = -1,
                                             .gives_up = give_up && below(4) == 0};
            run_all(round == 2 ? 40 : 0);
            expect_windows(&limits[i]);
            struct casehook__place place = {.queued = false}; /* nobody is left in the queue */
            assert_int_equal(ask(INT64_C(1) << 60, &place), NOW);
            end();
        }
    }
}

/* All come at once: each is told its own time, goes then, and what flows is not left lying. */
static void each_wakes_about_once(void **state)
{
    const struct casehook__limits limits = {.rate_requests = 50, .rate_burst = 10, .rate_per_ms = 1000};
    int64_t last = 0;
    (void)state;
    begin(limits);
    for (size_t n = 0; n < MANY; n++) waiters[n] = (struct waiter){.asks = 0, .went = -1};
    assert_in_range(run_all(0), MANY, 2 * MANY + MANY / 10);
    expect_windows(&limits);
    for (size_t n = 0; n < MANY; n++)
        if (waiters[n].went > last) last = waiters[n].went;
    assert_in_range(last, (MANY - 10) * 20, (MANY - 10) * 20 + 1000);
    end();
}

/* Who comes later does not take the turn of those that wait. */
static void those_who_wait_come_first(void **state)
{
    struct casehook__place first = {.queued = false}, second = {.queued = false}, other = {.queued = false};
    (void)state;
    begin((struct casehook__limits){.rate_requests = 1, .rate_burst = 1, .rate_per_ms = 1000});
    assert_int_equal(ask(0, &other), NOW);
    assert_int_equal(ask(0, &first), LATER);
    int64_t turn = at;
    assert_in_range(turn, 1000, 1001);
    assert_int_equal(ask(turn, &second), LATER);
    assert_in_range(at, 2000, 2002);
    assert_int_equal(ask(turn, &first), NOW);
    /* one that gives up leaves its turn to others */
    casehook__limiter_leave(limiter, &second);
    assert_false(second.queued);
    assert_int_equal(ask(turn, &other), LATER);
    assert_in_range(at, 2000, 2002);
    end();
}

/* A turn that is given up goes to the last one, so that the queue closes up. */
static void the_queue_closes_up(void **state)
{
    struct casehook__place places[4] = {{.queued = false}}, other = {.queued = false};
    (void)state;
    begin((struct casehook__limits){.rate_requests = 1, .rate_burst = 1, .rate_per_ms = 1000});
    assert_int_equal(ask(0, &other), NOW);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(ask(0, &places[i]), LATER);
        assert_in_range(at, (i + 1) * 1000, (i + 1) * 1000 + 1);
    }
    assert_int_equal(ask(500, &places[3]), LATER); /* asked early nothing is lost */
    assert_in_range(at, 4000, 4001);
    casehook__limiter_leave(limiter, &places[0]);
    assert_int_equal(ask(1001, &places[1]), LATER); /* it is not its turn */
    assert_in_range(at, 2000, 2001);
    assert_int_equal(ask(1001, &places[3]), NOW);
    assert_int_equal(ask(1001, &other), LATER);
    assert_in_range(at, 4000, 4001); /* nobody has that turn any more */
    casehook__limiter_leave(limiter, &places[2]);
    casehook__limiter_leave(limiter, &places[1]);
    assert_int_equal(ask(2001, &other), NOW);
    assert_int_equal(ask(2001, &places[0]), LATER);
    assert_in_range(at, 3000, 3002);
    casehook__limiter_leave(limiter, &places[0]);
    end();
}

/* Threads read the clock before they have the lock: one may come with a time that has passed. */
static void a_time_that_has_passed(void **state)
{
    struct casehook__place place = {.queued = false};
    (void)state;
    begin((struct casehook__limits){.rate_requests = 10, .rate_burst = 2, .rate_per_ms = 1000});
    assert_int_equal(ask(5000, &place), NOW);
    assert_int_equal(ask(4000, &place), NOW);
    assert_int_equal(ask(1000, &place), LATER);
    assert_int_equal(ask(5001, &place), LATER); /* the second before was not counted again */
    assert_int_equal(ask(5101, &place), NOW);
    end();
}

/* ---- circuit ------------------------------------------------------------------------------------- */

#define PAUSE 1000

static void begin_circuit(unsigned failures)
{
    begin((struct casehook__limits){.circuit_failures = failures, .circuit_pause_ms = PAUSE});
}

/* A request that went out and ended. */
static void request(int64_t now, enum casehook__health health)
{
    struct casehook__place place = {.queued = false};
    assert_int_equal(ask(now, &place), NOW);
    casehook__limiter_settle(limiter, now, &place, health);
}

static void opens_after_failures_in_a_row(void **state)
{
    struct casehook__place place = {.queued = false};
    (void)state;
    begin_circuit(3);
    request(0, DOWN);
    request(0, DOWN);
    request(0, UP);
    request(0, DOWN);
    request(0, UNTOLD); /* neither good nor bad */
    request(0, DOWN);
    assert_string_equal(casehook__limiter_circuit(limiter, 0), "closed");
    request(5, DOWN);
    assert_string_equal(casehook__limiter_circuit(limiter, 5), "open");
    for (int64_t now = 5; now < 5 + PAUSE; now += 111) {
        assert_int_equal(ask(now, &place), OPEN);
        assert_true(at == 5 + PAUSE);
    }
    assert_string_equal(casehook__limiter_circuit(limiter, 5 + PAUSE), "half_open");
    end();
}

static void one_tries(void **state)
{
    struct casehook__place probe = {.queued = false}, other = {.queued = false};
    (void)state;
    begin_circuit(1);
    request(0, DOWN);
    assert_int_equal(ask(PAUSE, &probe), NOW);
    assert_int_equal(ask(PAUSE, &other), OPEN); /* only one */
    assert_true(at > PAUSE);
    assert_int_equal(ask(PAUSE * 2 - 1, &other), OPEN);
    assert_string_equal(casehook__limiter_circuit(limiter, PAUSE * 2 - 1), "half_open");
    casehook__limiter_settle(limiter, PAUSE * 2 - 1, &probe, DOWN);
    assert_int_equal(ask(PAUSE * 3 - 2, &other), OPEN); /* a whole pause again */
    assert_true(at == PAUSE * 3 - 1);
    assert_int_equal(ask(PAUSE * 51, &probe), NOW);
    casehook__limiter_settle(limiter, PAUSE * 51, &probe, UP);
    assert_string_equal(casehook__limiter_circuit(limiter, PAUSE * 51), "closed");
    assert_int_equal(ask(PAUSE * 51, &probe), NOW);
    assert_int_equal(ask(PAUSE * 51, &other), NOW);
    end();
}

/* A probe that says nothing, or is given up, lets the next one try. */
static void a_probe_that_says_nothing(void **state)
{
    struct casehook__place probe = {.queued = false}, other = {.queued = false};
    (void)state;
    begin_circuit(1);
    request(0, DOWN);
    assert_int_equal(ask(PAUSE, &probe), NOW);
    casehook__limiter_settle(limiter, PAUSE, &probe, UNTOLD);
    assert_int_equal(ask(PAUSE, &other), NOW);
    assert_int_equal(ask(PAUSE, &probe), OPEN);
    casehook__limiter_leave(limiter, &other);
    casehook__limiter_leave(limiter, &other); /* once is enough */
    assert_int_equal(ask(PAUSE, &probe), NOW);
    casehook__limiter_settle(limiter, PAUSE, &probe, UP);
    request(PAUSE, UP);
    end();
}

/* A host that never answers its exchange keeps the circuit open for no longer than a pause. */
static void a_probe_that_is_forgotten(void **state)
{
    struct casehook__place forgotten = {.queued = false}, probe = {.queued = false},
                           other = {.queued = false};
    (void)state;
    begin_circuit(1);
    request(0, DOWN);
    assert_int_equal(ask(PAUSE, &forgotten), NOW);
    assert_int_equal(ask(PAUSE * 2 - 1, &probe), OPEN);
    assert_true(at == PAUSE * 2);
    assert_int_equal(ask(PAUSE * 2, &probe), NOW);
    assert_int_equal(ask(PAUSE * 2, &other), OPEN); /* again only one */
    casehook__limiter_settle(limiter, PAUSE * 2, &probe, UP);
    assert_int_equal(ask(PAUSE * 2, &other), NOW);
    casehook__limiter_settle(limiter, PAUSE * 9, &forgotten, UNTOLD); /* too late to say anything */
    assert_string_equal(casehook__limiter_circuit(limiter, PAUSE * 9), "closed");
    end();
    /* one that takes as long as a request may take is not */
    begin_with((struct casehook__limits){.circuit_failures = 1, .circuit_pause_ms = PAUSE}, 5 * PAUSE);
    request(0, DOWN);
    assert_int_equal(ask(PAUSE, &forgotten), NOW);
    assert_int_equal(ask(PAUSE * 6 - 1, &probe), OPEN);
    assert_int_equal(ask(PAUSE * 6, &probe), NOW);
    end();
}

/* What was under way when it opened says nothing new: it neither closes it nor keeps it open longer. */
static void late_answers(void **state)
{
    struct casehook__place late[3] = {{.queued = false}}, place = {.queued = false};
    (void)state;
    begin_circuit(1);
    for (int i = 0; i < 3; i++) assert_int_equal(ask(0, &late[i]), NOW);
    casehook__limiter_settle(limiter, 10, &late[0], DOWN);
    casehook__limiter_settle(limiter, 500, &late[1], UP);
    assert_int_equal(ask(500, &place), OPEN);
    casehook__limiter_settle(limiter, 900, &late[2], DOWN);
    assert_int_equal(ask(900, &place), OPEN);
    assert_true(at == 10 + PAUSE);
    assert_int_equal(ask(10 + PAUSE, &place), NOW);
    end();
}

/* Who waited for its turn when the circuit opened has no turn any more; the limit holds for probes too. */
static void rate_and_circuit(void **state)
{
    struct casehook__place first = {.queued = false}, second = {.queued = false}, third = {.queued = false};
    (void)state;
    begin((struct casehook__limits){.rate_requests = 1,
                                    .rate_burst = 1,
                                    .rate_per_ms = 10000,
                                    .circuit_failures = 1,
                                    .circuit_pause_ms = PAUSE});
    assert_int_equal(ask(0, &first), NOW);
    assert_int_equal(ask(0, &second), LATER);
    casehook__limiter_settle(limiter, 1, &first, DOWN);
    assert_int_equal(ask(2, &second), OPEN);
    assert_false(second.queued);
    assert_int_equal(ask(PAUSE + 1, &third), LATER);
    assert_false(third.probing);
    assert_in_range(at, 10000, 10002);
    assert_int_equal(ask(at, &third), NOW);
    assert_true(third.probing);
    casehook__limiter_leave(limiter, &third);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stall),
        cmocka_unit_test(nothing_is_limited),
        cmocka_unit_test(any_window_holds),
        cmocka_unit_test(each_wakes_about_once),
        cmocka_unit_test(those_who_wait_come_first),
        cmocka_unit_test(the_queue_closes_up),
        cmocka_unit_test(a_time_that_has_passed),
        cmocka_unit_test(opens_after_failures_in_a_row),
        cmocka_unit_test(one_tries),
        cmocka_unit_test(a_probe_that_says_nothing),
        cmocka_unit_test(a_probe_that_is_forgotten),
        cmocka_unit_test(late_answers),
        cmocka_unit_test(rate_and_circuit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
