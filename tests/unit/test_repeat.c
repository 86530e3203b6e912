/* test_repeat.c - whether a request is made again, looked for or given up, and after which delay (D1-D4). */
#include "exchange/decision.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define ADDS    CASEHOOK__EFFECT_ADDS
#define CHANGES CASEHOOK__EFFECT_CHANGES
#define READS   CASEHOOK__EFFECT_READS

#define DONE     CASEHOOK_OUTCOME_DONE
#define REFUSED  CASEHOOK_OUTCOME_REFUSED
#define UNKNOWN  CASEHOOK_OUTCOME_UNKNOWN
#define NOT_SENT CASEHOOK_OUTCOME_NOT_SENT

#define NEXT   CASEHOOK__ACTION_NEXT
#define FOLLOW CASEHOOK__ACTION_FOLLOW
#define AGAIN  CASEHOOK__ACTION_AGAIN
#define LOOK   CASEHOOK__ACTION_LOOK
#define ADOPT  CASEHOOK__ACTION_ADOPT
#define STOP   CASEHOOK__ACTION_STOP

/* With the statuses that count by default. */
static struct casehook__retry retry_of(unsigned max_attempts)
{
    static const int statuses[] = {408, 425, 429, 500, 502, 503, 504};
    struct casehook__retry retry = {.max_attempts = max_attempts,
                                    .base_delay_ms = 1000,
                                    .max_delay_ms = 30000,
                                    .max_retry_after_ms = 300000,
                                    .find_delay_ms = 2000};
    for (size_t i = 0; i < COUNT(statuses); i++) casehook__retry_add_status(&retry, statuses[i]);
    return retry;
}

struct row {
    const char *name;
    int status, http_status, outcome; /* of the request */
    struct casehook__progress progress;
    unsigned attempts; /* run.maxAttempts */
    int action, then;  /* then: outcome of the operation if it ends */
    bool uncertain;
};

static void expect_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct casehook__retry retry = retry_of(rows[i].attempts);
        struct casehook__verdict verdict = {
            .status = rows[i].status, .http_status = rows[i].http_status, .outcome = rows[i].outcome};
        struct casehook__decision decision = casehook__decide(&verdict, &rows[i].progress, &retry);
        if ((int)decision.action != rows[i].action || decision.outcome != rows[i].then ||
            decision.uncertain != rows[i].uncertain)
            fail_msg("%s: action %d, outcome %d, uncertain %d", rows[i].name, (int)decision.action,
                     decision.outcome, decision.uncertain);
    }
}

#define HTTP(code)  CASEHOOK_E_HTTP_STATUS, code, REFUSED
#define GATE(code)  CASEHOOK_E_HTTP_STATUS, code, UNKNOWN
#define UNSENT(why) CASEHOOK_E_##why, 0, NOT_SENT
#define LOST(why)   CASEHOOK_E_##why, 0, UNKNOWN

/* ---- D1: without a key, and where nothing can be found ------------------------------------------- */

static void a_create_is_repeated_where_nothing_was_done(void **state)
{
    (void)state;
    const struct casehook__progress once = {.effect = ADDS, .creates = true, .tries = 1},
                                    last = {.effect = ADDS, .creates = true, .tries = 3};
    const struct row rows[] = {
        {"name", UNSENT(RESOLVE), once, 3, AGAIN, NOT_SENT, false},
        {"connection", UNSENT(CONNECT), once, 3, AGAIN, NOT_SENT, false},
        {"tunnel", UNSENT(PROXY), once, 3, AGAIN, NOT_SENT, false},
        {"handshake", UNSENT(NETWORK), once, 3, AGAIN, NOT_SENT, false},
        {"slow connection", UNSENT(TIMEOUT), once, 3, AGAIN, NOT_SENT, false},
        {"one attempt", UNSENT(CONNECT), once, 1, STOP, NOT_SENT, false},
        {"the last attempt", UNSENT(CONNECT), last, 3, STOP, NOT_SENT, false},
        {"the last but one", UNSENT(CONNECT), last, 4, AGAIN, NOT_SENT, false},
        {"certificate", UNSENT(TLS), once, 3, STOP, NOT_SENT, false},
        {"policy", UNSENT(POLICY), once, 3, STOP, NOT_SENT, false},
        {"params", UNSENT(PARAMS), once, 3, STOP, NOT_SENT, false},
        {"cancelled", UNSENT(CANCELLED), once, 3, STOP, NOT_SENT, false},
        {"memory", UNSENT(NO_MEMORY), once, 3, STOP, NOT_SENT, false},
        {"circuit", UNSENT(UNAVAILABLE), once, 3, STOP, NOT_SENT, false},
        {"408", HTTP(408), once, 3, AGAIN, REFUSED, false},
        {"425", HTTP(425), once, 3, AGAIN, REFUSED, false},
        {"429", HTTP(429), once, 3, AGAIN, REFUSED, false},
        {"503", HTTP(503), once, 3, AGAIN, REFUSED, false},
        {"503, the last one", HTTP(503), last, 3, STOP, REFUSED, false},
        {"400", HTTP(400), once, 3, STOP, REFUSED, false},
        {"401", HTTP(401), once, 3, STOP, REFUSED, false},
        {"409", HTTP(409), once, 3, STOP, REFUSED, false},
        {"500", HTTP(500), once, 3, STOP, REFUSED, true},
        {"502", GATE(502), once, 3, STOP, UNKNOWN, true},
        {"504", GATE(504), once, 3, STOP, UNKNOWN, true},
        {"timeout", LOST(TIMEOUT), once, 3, STOP, UNKNOWN, true},
        {"broken", LOST(NETWORK), once, 3, STOP, UNKNOWN, true},
        {"unusable", CASEHOOK_E_RESPONSE, 201, UNKNOWN, once, 3, STOP, UNKNOWN, true},
        {"too large", CASEHOOK_E_LIMIT, 201, UNKNOWN, once, 3, STOP, UNKNOWN, true},
    };
    expect_rows(rows, COUNT(rows));
}

static void a_comment_likewise(void **state)
{
    (void)state;
    const struct casehook__progress once = {.effect = ADDS, .did = true, .tries = 1};
    const struct row rows[] = {
        {"connection", UNSENT(CONNECT), once, 2, AGAIN, NOT_SENT, false},
        {"429", HTTP(429), once, 2, AGAIN, REFUSED, false},
        {"500", HTTP(500), once, 2, STOP, REFUSED, true}, /* it may have been written before */
        {"504", GATE(504), once, 2, STOP, UNKNOWN, true},
        {"broken", LOST(NETWORK), once, 2, STOP, UNKNOWN, true},
        {"unusable", CASEHOOK_E_RESPONSE, 200, UNKNOWN, once, 2, STOP, UNKNOWN, true},
    };
    expect_rows(rows, COUNT(rows));
}

static void what_adds_nothing_is_repeated(void **state)
{
    (void)state;
    const struct casehook__progress update = {.effect = CHANGES, .tries = 1},
                                    get = {.effect = READS, .did = true, .tries = 1},
                                    elsewhere = {.effect = CHANGES, .written = true, .tries = 1};
    const struct row rows[] = {
        {"update, timeout", LOST(TIMEOUT), update, 2, AGAIN, UNKNOWN, true},
        {"update, broken", LOST(NETWORK), update, 2, AGAIN, UNKNOWN, true},
        {"update, 500", HTTP(500), update, 2, AGAIN, REFUSED, false},
        {"update, 502", GATE(502), update, 2, AGAIN, UNKNOWN, true},
        {"update, 504", GATE(504), update, 2, AGAIN, UNKNOWN, true},
        {"update, 501", HTTP(501), update, 2, STOP, REFUSED, false},
        {"update, 404", HTTP(404), update, 2, STOP, REFUSED, false},
        {"update, no attempt left", LOST(TIMEOUT), update, 1, STOP, UNKNOWN, true},
        {"update, certificate", LOST(TLS), update, 2, STOP, UNKNOWN, true},
        {"update, unusable", CASEHOOK_E_RESPONSE, 200, UNKNOWN, update, 2, STOP, UNKNOWN, true},
        {"update, done elsewhere", LOST(NETWORK), elsewhere, 2, STOP, UNKNOWN, true},
        {"get, timeout", LOST(TIMEOUT), get, 2, AGAIN, UNKNOWN, false},
        {"get, 500", HTTP(500), get, 2, AGAIN, REFUSED, false},
        {"get, 404", HTTP(404), get, 2, STOP, REFUSED, false},
        {"get, unusable", CASEHOOK_E_RESPONSE, 200, UNKNOWN, get, 2, STOP, UNKNOWN, false},
        {"get, cancelled", LOST(CANCELLED), get, 2, STOP, UNKNOWN, false},
    };
    expect_rows(rows, COUNT(rows));
}

/* A proxy that refuses, for one: it would refuse again. */
static void what_lasts_is_not_repeated(void **state)
{
    const enum casehook__effect effects[] = {ADDS, CHANGES, READS};
    (void)state;
    for (size_t i = 0; i < COUNT(effects); i++) {
        const struct casehook__retry retry = retry_of(10);
        const struct casehook__progress progress = {.effect = effects[i], .tries = 1};
        const struct casehook__verdict verdict = {
            .status = CASEHOOK_E_PROXY, .outcome = NOT_SENT, .lasting = true};
        assert_int_equal(casehook__decide(&verdict, &progress, &retry).action, STOP);
    }
}

/* retry.statuses takes some away and adds others; but never that a create may be done twice. */
static void the_statuses_that_count(void **state)
{
    (void)state;
    struct casehook__retry retry = {.max_attempts = 3};
    const struct casehook__progress create = {.effect = ADDS, .creates = true, .tries = 1},
                                    keyed = {.effect = ADDS, .creates = true, .keyed = true, .tries = 1},
                                    get = {.effect = READS, .tries = 1};
    struct casehook__verdict verdict = {
        .status = CASEHOOK_E_HTTP_STATUS, .http_status = 503, .outcome = REFUSED};
    assert_int_equal(casehook__decide(&verdict, &create, &retry).action, STOP);
    assert_int_equal(casehook__decide(&verdict, &get, &retry).action, STOP);
    casehook__retry_add_status(&retry, 400);
    casehook__retry_add_status(&retry, 599);
    for (int status = 400; status <= 599; status++) {
        bool counts = status == 400 || status == 599;
        verdict.http_status = status;
        assert_int_equal(casehook__retry_has_status(&retry, status), counts);
        assert_int_equal(casehook__decide(&verdict, &get, &retry).action, counts ? AGAIN : STOP);
        assert_int_equal(casehook__decide(&verdict, &keyed, &retry).action, counts ? AGAIN : STOP);
        assert_int_equal(casehook__decide(&verdict, &create, &retry).action, STOP);
    }
    assert_false(casehook__retry_has_status(&retry, 399));
    assert_false(casehook__retry_has_status(&retry, 600));
    assert_false(casehook__retry_has_status(&retry, -1));
    assert_false(casehook__retry_has_status(&retry, 0));
}

/* ---- D4: with a key ------------------------------------------------------------------------------ */

static void a_key_makes_it_repeatable(void **state)
{
    (void)state;
    const struct casehook__progress create = {.effect = ADDS, .creates = true, .keyed = true, .tries = 1},
                                    comment = {.effect = ADDS, .keyed = true, .did = true, .tries = 1},
                                    unsure = {.effect = ADDS,
                                              .creates = true,
                                              .keyed = true,
                                              .reached = true,
                                              .uncertain = true,
                                              .tries = 2};
    const struct row rows[] = {
        {"create, timeout", LOST(TIMEOUT), create, 3, AGAIN, UNKNOWN, true},
        {"create, broken", LOST(NETWORK), create, 3, AGAIN, UNKNOWN, true},
        {"create, 500", HTTP(500), create, 3, AGAIN, REFUSED, true},
        {"create, 502", GATE(502), create, 3, AGAIN, UNKNOWN, true},
        {"create, 400", HTTP(400), create, 3, STOP, REFUSED, false},
        {"create, unusable", CASEHOOK_E_RESPONSE, 201, UNKNOWN, create, 3, STOP, UNKNOWN, true},
        {"create, one attempt", LOST(TIMEOUT), create, 1, STOP, UNKNOWN, true},
        {"comment, timeout", LOST(TIMEOUT), comment, 3, AGAIN, UNKNOWN, true},
        {"comment, 504", GATE(504), comment, 3, AGAIN, UNKNOWN, true},
        /* whatever the second try comes to, the first one may have been done */
        {"unsure, refused", HTTP(400), unsure, 3, STOP, UNKNOWN, true},
        {"unsure, not sent", UNSENT(CONNECT), unsure, 2, STOP, UNKNOWN, true},
        {"unsure, cancelled", UNSENT(CANCELLED), unsure, 3, STOP, UNKNOWN, true},
        {"unsure, circuit", UNSENT(UNAVAILABLE), unsure, 3, STOP, UNKNOWN, true},
        {"unsure, put off", HTTP(503), unsure, 3, AGAIN, UNKNOWN, true},
        {"unsure, done", CASEHOOK_OK, 201, DONE, unsure, 3, NEXT, DONE, false},
    };
    expect_rows(rows, COUNT(rows));
}

static struct casehook__decision decide_duplicate(struct casehook__progress progress)
{
    const struct casehook__retry retry = retry_of(3);
    const struct casehook__verdict verdict = {
        .status = CASEHOOK_E_HTTP_STATUS, .http_status = 409, .outcome = REFUSED, .duplicate = true};
    return casehook__decide(&verdict, &progress, &retry);
}

/* The status of a duplicate means that only where an earlier try can have been the first one. */
static void a_duplicate_was_done(void **state)
{
    (void)state;
    struct casehook__progress create = {.effect = ADDS, .creates = true, .keyed = true, .tries = 1},
                              comment = {.effect = ADDS, .keyed = true, .tries = 1};
    struct casehook__decision decision = decide_duplicate(create);
    assert_int_equal(decision.action, STOP);
    assert_int_equal(decision.outcome, REFUSED);
    decision = decide_duplicate(comment);
    assert_int_equal(decision.action, STOP);
    assert_int_equal(decision.outcome, REFUSED);

    create.reached = comment.reached = true;
    create.tries = comment.tries = 2;
    decision = decide_duplicate(create);
    assert_int_equal(decision.action, STOP);
    assert_int_equal(decision.outcome, DONE);
    assert_false(decision.retryable);
    assert_int_equal(decide_duplicate(comment).action, NEXT);
    create.can_find = true;
    decision = decide_duplicate(create);
    assert_int_equal(decision.action, LOOK);
    assert_true(decision.uncertain);
}

/* ---- D3: where it can be found ------------------------------------------------------------------- */

static void what_may_be_there_is_looked_for(void **state)
{
    (void)state;
    const struct casehook__progress create = {.effect = ADDS, .creates = true, .can_find = true, .tries = 1},
                                    both = {.effect = ADDS,
                                            .creates = true,
                                            .can_find = true,
                                            .keyed = true,
                                            .tries = 1},
                                    comment = {.effect = ADDS, .can_find = true, .tries = 1},
                                    update = {.effect = CHANGES, .can_find = true, .tries = 1},
                                    asked = {.effect = READS, .can_find = true, .tries = 1};
    const struct row rows[] = {
        {"timeout", LOST(TIMEOUT), create, 1, LOOK, UNKNOWN, true},
        {"broken", LOST(NETWORK), create, 1, LOOK, UNKNOWN, true},
        {"500", HTTP(500), create, 1, LOOK, UNKNOWN, true},
        {"502", GATE(502), create, 1, LOOK, UNKNOWN, true},
        {"unusable", CASEHOOK_E_RESPONSE, 201, UNKNOWN, create, 1, LOOK, UNKNOWN, true},
        {"too large", CASEHOOK_E_LIMIT, 201, UNKNOWN, create, 1, LOOK, UNKNOWN, true},
        {"looked for before it is repeated", LOST(TIMEOUT), both, 3, LOOK, UNKNOWN, true},
        {"cancelled", LOST(CANCELLED), create, 3, STOP, UNKNOWN, true},
        {"not sent", UNSENT(CONNECT), create, 1, STOP, NOT_SENT, false},
        {"not sent, again", UNSENT(CONNECT), create, 2, AGAIN, NOT_SENT, false},
        {"put off", HTTP(503), create, 2, AGAIN, REFUSED, false},
        {"refused", HTTP(400), create, 3, STOP, REFUSED, false},
        {"comments are not found", LOST(TIMEOUT), comment, 3, STOP, UNKNOWN, true},
        {"updates are repeated", LOST(TIMEOUT), update, 3, AGAIN, UNKNOWN, true},
        {"so is the question before a create", LOST(TIMEOUT), asked, 3, AGAIN, UNKNOWN, false},
    };
    expect_rows(rows, COUNT(rows));
}

static struct casehook__decision decide_looked(enum casehook__found found, unsigned attempts,
                                               struct casehook__progress progress)
{
    const struct casehook__retry retry = retry_of(attempts);
    const struct casehook__verdict verdict = {.http_status = 200, .outcome = DONE, .found = found};
    progress.effect = READS;
    progress.creates = progress.can_find = progress.looking = progress.uncertain = true;
    progress.tries = 1;
    return casehook__decide(&verdict, &progress, &retry);
}

static void what_was_looked_for(void **state)
{
    (void)state;
    static const struct {
        unsigned attempts, create_tries, looks;
        bool accepted;
        int found, action;
    } rows[] = {
        {1, 1, 0, false, CASEHOOK__FOUND_CASE, ADOPT},   {1, 1, 1, false, CASEHOOK__FOUND_CASE, ADOPT},
        {1, 1, 0, false, CASEHOOK__FOUND_CLOSED, ADOPT}, {1, 1, 0, true, CASEHOOK__FOUND_CASE, ADOPT},
        {1, 1, 0, false, CASEHOOK__FOUND_NONE, LOOK},    {1, 1, 1, false, CASEHOOK__FOUND_NONE, AGAIN},
        {1, 2, 1, false, CASEHOOK__FOUND_NONE, STOP}, /* one more than maxAttempts, not two */
        {2, 2, 1, false, CASEHOOK__FOUND_NONE, STOP},    {3, 2, 1, false, CASEHOOK__FOUND_NONE, AGAIN},
        {3, 3, 1, false, CASEHOOK__FOUND_NONE, STOP},    {3, 1, 0, true, CASEHOOK__FOUND_NONE, LOOK},
        {3, 1, 1, true, CASEHOOK__FOUND_NONE, STOP},   /* it was done: only where it is nobody knows */
        {1, 0, 1, false, CASEHOOK__FOUND_NONE, AGAIN}, /* of an earlier result */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct casehook__decision decision = decide_looked(
            (enum casehook__found)rows[i].found, rows[i].attempts,
            (struct casehook__progress){
                .looks = rows[i].looks, .create_tries = rows[i].create_tries, .accepted = rows[i].accepted});
        if ((int)decision.action != rows[i].action) fail_msg("row %zu: action %d", i, (int)decision.action);
        if (decision.action == ADOPT) continue;
        /* also where there is no time for what comes next */
        assert_int_equal(decision.outcome, UNKNOWN);
        assert_false(decision.retryable);
    }
}

/* A question that fails leaves the create as it is; it may be asked again, as every question. */
static void a_question_that_fails(void **state)
{
    (void)state;
    const struct casehook__progress looking = {.effect = READS,
                                               .creates = true,
                                               .can_find = true,
                                               .looking = true,
                                               .reached = true,
                                               .uncertain = true,
                                               .tries = 1,
                                               .create_tries = 1};
    const struct row rows[] = {
        {"refused", HTTP(403), looking, 3, STOP, UNKNOWN, true},
        {"no answer", LOST(TIMEOUT), looking, 1, STOP, UNKNOWN, true},
        {"no answer, again", LOST(TIMEOUT), looking, 2, AGAIN, UNKNOWN, true},
        {"put off, again", HTTP(503), looking, 2, AGAIN, UNKNOWN, true},
        {"not sent", UNSENT(CONNECT), looking, 1, STOP, UNKNOWN, true},
        {"unusable", CASEHOOK_E_RESPONSE, 200, UNKNOWN, looking, 3, STOP, UNKNOWN, true},
    };
    expect_rows(rows, COUNT(rows));
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct casehook__retry retry = retry_of(1);
        const struct casehook__verdict verdict = {
            .status = rows[i].status, .http_status = rows[i].http_status, .outcome = rows[i].outcome};
        assert_false(casehook__decide(&verdict, &looking, &retry).retryable);
    }
}

static void a_redirect_is_followed(void **state)
{
    (void)state;
    const struct casehook__retry retry = retry_of(1);
    const struct casehook__verdict verdict = {.http_status = 307, .outcome = REFUSED, .follow = true};
    const struct casehook__progress unsure = {
        .effect = ADDS, .creates = true, .keyed = true, .uncertain = true, .tries = 2};
    struct casehook__decision decision = casehook__decide(&verdict, &unsure, &retry);
    assert_int_equal(decision.action, FOLLOW);
    assert_true(decision.uncertain);
}

/* Whatever happened, who is told to call again makes nothing twice: all there is, in all combinations. */
static void retryable_never_doubles(void **state)
{
    static const int statuses[] = {CASEHOOK_E_TIMEOUT, CASEHOOK_E_NETWORK,     CASEHOOK_E_CONNECT,
                                   CASEHOOK_E_SYSTEM,  CASEHOOK_E_HTTP_STATUS, CASEHOOK_E_UNAVAILABLE},
                     codes[] = {0, 408, 429, 500, 502, 503, 504}, outcomes[] = {REFUSED, UNKNOWN, NOT_SENT};
    (void)state;
    for (unsigned bits = 0; bits < 1u << 8; bits++) {
        const struct casehook__progress progress = {.effect = bits & 1 ? ADDS : CHANGES,
                                                    .creates = (bits & 1) && (bits & 2),
                                                    .keyed = (bits & 4) != 0,
                                                    .can_find = (bits & 8) != 0,
                                                    .reached = (bits & 16) != 0,
                                                    .uncertain = (bits & 16) && (bits & 32),
                                                    .did = (bits & 64) != 0,
                                                    .accepted = (bits & 128) != 0,
                                                    .tries = 1};
        for (size_t i = 0; i < COUNT(statuses) * COUNT(codes) * COUNT(outcomes); i++) {
            const struct casehook__retry retry = retry_of(1);
            const struct casehook__verdict verdict = {
                .status = statuses[i % COUNT(statuses)],
                .http_status = codes[i / COUNT(statuses) % COUNT(codes)],
                .outcome = outcomes[i / COUNT(statuses) / COUNT(codes)]};
            struct casehook__decision decision = casehook__decide(&verdict, &progress, &retry);
            if (!decision.retryable) continue;
            assert_false(progress.did);
            assert_false(progress.effect == ADDS && decision.outcome == UNKNOWN);
        }
    }
}

/* ---- D2: delays ---------------------------------------------------------------------------------- */

#define DRAWS 10000

/* Numbers that look random, the same in every run (splitmix64). */
static uint64_t draw(uint64_t *seed)
{
    uint64_t z = *seed += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static void delays_lie_evenly_below_their_cap(void **state)
{
    static const struct {
        uint32_t base, most;
    } settings[] = {{1000, 30000}, {1, 30000},  {250, 2000},
                    {5000, 5000},  {9000, 100}, {0x7FFFFFFF, 0x7FFFFFFF}};
    uint64_t seed = 1;
    (void)state;
    for (size_t i = 0; i < COUNT(settings); i++) {
        struct casehook__retry retry = retry_of(10);
        retry.base_delay_ms = settings[i].base;
        retry.max_delay_ms = settings[i].most;
        for (unsigned tries = 1; tries <= 10; tries++) {
            double cap = settings[i].base, sum = 0;
            int64_t low = INT64_MAX, high = 0;
            for (unsigned n = 1; n < tries; n++) cap *= 2;
            if (cap > settings[i].most) cap = settings[i].most;
            for (int n = 0; n < DRAWS; n++) {
                int64_t delay = casehook__retry_delay(&retry, tries, -1, draw(&seed));
                assert_true(delay >= 0 && (double)delay <= cap);
                sum += (double)delay;
                if (delay < low) low = delay;
                if (delay > high) high = delay;
            }
            double mean = sum / DRAWS / cap;
            if (mean < 0.475 || mean > 0.525) fail_msg("%zu, after %u: mean %f", i, tries, mean);
            assert_true((double)low <= cap / 100 && (double)high >= cap * 0.99); /* both ends are reached */
        }
    }
}

static void the_cap_itself(void **state)
{
    (void)state;
    struct casehook__retry retry = retry_of(10);
    assert_int_equal(casehook__retry_delay(&retry, 1, -1, 1000), 1000);
    assert_int_equal(casehook__retry_delay(&retry, 1, -1, 1001), 0);
    assert_int_equal(casehook__retry_delay(&retry, 2, -1, 2000), 2000);
    assert_int_equal(casehook__retry_delay(&retry, 5, -1, 16000), 16000);
    assert_int_equal(casehook__retry_delay(&retry, 6, -1, 30000), 30000);
    assert_int_equal(casehook__retry_delay(&retry, 10, -1, 30000), 30000);
    assert_int_equal(casehook__retry_delay(&retry, 10, -1, 30001), 0);
}

static void retry_after_is_the_least(void **state)
{
    static const int64_t least[] = {0, 1, 500, 999, 1000, 1001, 120000, 299999, 300000};
    uint64_t seed = 2;
    (void)state;
    struct casehook__retry retry = retry_of(10);
    for (size_t i = 0; i < COUNT(least); i++)
        for (unsigned tries = 1; tries <= 10; tries++)
            for (int n = 0; n < 100; n++) {
                uint64_t random = draw(&seed);
                int64_t without = casehook__retry_delay(&retry, tries, -1, random),
                        with = casehook__retry_delay(&retry, tries, least[i], random);
                assert_int_equal(with, without > least[i] ? without : least[i]);
            }
    assert_int_equal(casehook__retry_delay(&retry, 1, 300001, 0), -1);
    assert_int_equal(casehook__retry_delay(&retry, 1, INT64_C(31536000000), 0), -1);
    retry.max_retry_after_ms = 0x7FFFFFFF; /* 24 days, the longest time there is */
    assert_int_equal(casehook__retry_delay(&retry, 1, 0x7FFFFFFF, 0), 0x7FFFFFFF);
    assert_int_equal(casehook__retry_delay(&retry, 1, INT64_C(0x80000000), 0), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_create_is_repeated_where_nothing_was_done),
        cmocka_unit_test(a_comment_likewise),
        cmocka_unit_test(what_adds_nothing_is_repeated),
        cmocka_unit_test(what_lasts_is_not_repeated),
        cmocka_unit_test(the_statuses_that_count),
        cmocka_unit_test(a_key_makes_it_repeatable),
        cmocka_unit_test(a_duplicate_was_done),
        cmocka_unit_test(what_may_be_there_is_looked_for),
        cmocka_unit_test(what_was_looked_for),
        cmocka_unit_test(a_question_that_fails),
        cmocka_unit_test(a_redirect_is_followed),
        cmocka_unit_test(retryable_never_doubles),
        cmocka_unit_test(delays_lie_evenly_below_their_cap),
        cmocka_unit_test(the_cap_itself),
        cmocka_unit_test(retry_after_is_the_least),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
