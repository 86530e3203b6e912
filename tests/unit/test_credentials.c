/* test_credentials.c - one token for many operations: who gets it, who waits, who hears (A1). */
#include "exchange/credentials.h"
#include "../support/watched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <sys/wait.h>
#include <unistd.h>

#define LEASE 1000

static struct casehook__credentials *credentials;
static struct casehook__buf value;
static uint64_t generation;
static int64_t until;
static struct casehook_error error;
static struct casehook__claim claims[4];
static unsigned woken;

static int begin(void **state)
{
    (void)state;
    casehook__buf_init(&value, NULL, 128 * 1024);
    casehook__error_init(&error);
    memset(claims, 0, sizeof claims);
    woken = 0;
    until = 0;
    generation = 0;
    return casehook__credentials_new(NULL, &credentials);
}

static int end(void **state)
{
    (void)state;
    casehook__buf_free(&value);
    casehook__credentials_free(credentials);
    return 0;
}

static enum casehook__grant ask(size_t claim, int64_t now)
{
    return casehook__credentials_ask(credentials, now, LEASE, &claims[claim], &value, &generation, &until,
                                     &error);
}

static void put(size_t claim, const char *token, int64_t asked_at, int64_t life_ms)
{
    assert_int_equal(
        casehook__credentials_put(credentials, &claims[claim], casehook__text(token), asked_at, life_ms),
        CASEHOOK_OK);
}

static void fail_token(size_t claim, int64_t now, int status)
{
    struct casehook_error why = {.status = status};
    casehook__credentials_fail(credentials, &claims[claim], now, &why);
}

static void assert_token(size_t claim, int64_t now, const char *token)
{
    assert_int_equal(ask(claim, now), CASEHOOK__GRANTED);
    assert_string_equal(casehook__buf_string(&value), token);
}

static void wake(void *user)
{
    assert_ptr_equal(user, &woken);
    woken++;
}

static bool listen(size_t claim)
{
    return casehook__credentials_listen(credentials, &claims[claim], wake, &woken);
}

/* ---- one gets it, the others wait ---------------------------------------------------------------- */

static void one_asks_for_all(void **state)
{
    (void)state;
    assert_int_equal(ask(0, 0), CASEHOOK__GRANT_OWN);
    for (size_t i = 1; i < 4; i++) {
        assert_int_equal(ask(i, 10), CASEHOOK__GRANT_LATER);
        assert_int_equal(until, LEASE);
    }
    assert_true(listen(1));
    assert_true(listen(2));
    assert_false(listen(0)); /* it waits for nothing */
    put(0, "T", 0, 5000);
    assert_int_equal(woken, 2);
    for (size_t i = 1; i < 4; i++) assert_true(atomic_load(&claims[i].called));
    assert_false(listen(1)); /* it was called */
    for (size_t i = 0; i < 4; i++) assert_token(i, 20, "Bearer T");
    assert_false(atomic_load(&claims[1].called));
    assert_int_equal(generation, 1);
}

/* In the middle, at the ends: whoever leaves is called no more, and the others are. */
static void some_leave_before(void **state)
{
    (void)state;
    for (size_t leaves = 1; leaves < 4; leaves++) {
        assert_int_equal(ask(0, 0), CASEHOOK__GRANT_OWN);
        for (size_t i = 1; i < 4; i++) {
            assert_int_equal(ask(i, 0), CASEHOOK__GRANT_LATER);
            assert_true(listen(i));
        }
        casehook__credentials_leave(credentials, &claims[leaves]);
        woken = 0;
        put(0, "T", 0, 10);
        assert_int_equal(woken, 2);
        assert_false(atomic_load(&claims[leaves].called));
        end(NULL);
        begin(NULL);
    }
}

static void the_owner_leaves(void **state)
{
    (void)state;
    assert_int_equal(ask(0, 0), CASEHOOK__GRANT_OWN);
    assert_int_equal(ask(1, 0), CASEHOOK__GRANT_LATER);
    assert_int_equal(ask(2, 0), CASEHOOK__GRANT_LATER);
    assert_true(listen(1));
    assert_true(listen(2));
    casehook__credentials_ignore(credentials, &claims[2]);
    casehook__credentials_leave(credentials, &claims[0]);
    assert_int_equal(woken, 1); /* the other one listens no more, and is called all the same */
    assert_true(atomic_load(&claims[2].called));
    assert_int_equal(ask(1, 1), CASEHOOK__GRANT_OWN);
    assert_int_equal(ask(2, 1), CASEHOOK__GRANT_LATER);
    /* It is not the owner any more: nobody hears of it. */
    casehook__credentials_leave(credentials, &claims[0]);
    assert_false(atomic_load(&claims[2].called));
}

/* Who is told that there is nothing to wait for is not called when it comes to wait later. */
static void an_alarm_that_was_not_set(void **state)
{
    (void)state;
    assert_int_equal(ask(0, 0), CASEHOOK__GRANT_OWN);
    assert_false(listen(1));
    assert_int_equal(ask(1, 0), CASEHOOK__GRANT_LATER);
    put(0, "T", 0, -1);
    assert_int_equal(woken, 0);
    assert_true(atomic_load(&claims[1].called));
}

/* ---- how long ------------------------------------------------------------------------------------ */

static void a_lease_ends(void **state)
{
    (void)state;
    assert_int_equal(ask(0, 0), CASEHOOK__GRANT_OWN);
    assert_int_equal(ask(1, LEASE - 1), CASEHOOK__GRANT_LATER);
    casehook__credentials_hold(credentials, &claims[1], 9 * LEASE); /* it is not its own */
    casehook__credentials_hold(credentials, &claims[0], LEASE / 2); /* no shorter */
    casehook__credentials_hold(credentials, &claims[0], 2 * LEASE);
    assert_int_equal(ask(1, 2 * LEASE - 1), CASEHOOK__GRANT_LATER);
    assert_int_equal(until, 2 * LEASE);
    assert_int_equal(ask(1, 2 * LEASE), CASEHOOK__GRANT_OWN);
    /* That of the one before comes all the same, and fails for itself alone. */
    assert_int_equal(ask(2, 2 * LEASE), CASEHOOK__GRANT_LATER);
    fail_token(0, 2 * LEASE, CASEHOOK_E_NETWORK);
    assert_int_equal(ask(2, 2 * LEASE), CASEHOOK__GRANT_LATER);
    put(1, "T", 2 * LEASE, -1);
    assert_token(2, INT64_MAX - 1, "Bearer T");
}

/* A tenth of its life before its end, and a minute at most; counted from when it was asked for. */
static void a_token_is_renewed(void **state)
{
    static const struct {
        int64_t life, renewed;
    } lives[] = {{1000, 900}, {600000, 540000}, {600010, 540010}, {86400000, 86340000}, {9, 9}};
    (void)state;
    for (size_t i = 0; i < sizeof lives / sizeof *lives; i++) {
        int64_t asked_at = 7000;
        assert_int_equal(ask(0, asked_at), CASEHOOK__GRANT_OWN);
        put(0, "T", asked_at, lives[i].life);
        assert_token(0, asked_at, "Bearer T");
        assert_token(0, asked_at + lives[i].renewed - 1, "Bearer T");
        if (lives[i].renewed < lives[i].life) {
            assert_int_equal(ask(0, asked_at + lives[i].renewed), CASEHOOK__GRANT_RENEW);
            assert_string_equal(casehook__buf_string(&value), "Bearer T");
            /* Meanwhile it does for the others. */
            casehook__credentials_hold(credentials, &claims[0], asked_at + lives[i].life + 1);
            assert_token(1, asked_at + lives[i].renewed, "Bearer T");
            assert_token(1, asked_at + lives[i].life - 1, "Bearer T");
        }
        enum casehook__grant granted = ask(2, asked_at + lives[i].life);
        assert_int_equal(granted, claims[0].owns ? CASEHOOK__GRANT_LATER : CASEHOOK__GRANT_OWN);
        end(NULL);
        begin(NULL);
    }
}

/* Whoever waited for it takes it, and once. */
static void a_life_of_no_time(void **state)
{
    (void)state;
    assert_int_equal(ask(0, 0), CASEHOOK__GRANT_OWN);
    assert_int_equal(ask(1, 0), CASEHOOK__GRANT_LATER);
    put(0, "T", 0, 0);
    assert_token(0, 500, "Bearer T");
    assert_token(1, 500, "Bearer T");
    assert_int_equal(ask(2, 500), CASEHOOK__GRANT_OWN);
    assert_int_equal(ask(1, 500), CASEHOOK__GRANT_LATER);
}

/* One that is short does not renew what has just come for it. */
static void a_token_that_just_came_is_not_renewed(void **state)
{
    (void)state;
    assert_int_equal(ask(0, 0), CASEHOOK__GRANT_OWN);
    assert_int_equal(ask(1, 0), CASEHOOK__GRANT_LATER);
    put(0, "T", 0, 1000);
    assert_token(1, 950, "Bearer T");
    assert_token(0, 950, "Bearer T");
    assert_int_equal(ask(1, 950), CASEHOOK__GRANT_RENEW);
}

/* ---- it fails, it is refused --------------------------------------------------------------------- */

static void all_that_wait_fail(void **state)
{
    (void)state;
    assert_int_equal(ask(0, 0), CASEHOOK__GRANT_OWN);
    assert_int_equal(ask(1, 0), CASEHOOK__GRANT_LATER);
    assert_true(listen(1));
    fail_token(0, 10, CASEHOOK_E_NETWORK);
    assert_int_equal(woken, 1);
    assert_int_equal(ask(1, 10), CASEHOOK__GRANT_FAILED);
    assert_int_equal(error.status, CASEHOOK_E_NETWORK);
    /* That was it: it may try, and whoever comes now waits for this one. */
    assert_int_equal(ask(1, 10), CASEHOOK__GRANT_OWN);
    assert_int_equal(ask(2, 10), CASEHOOK__GRANT_LATER);
    put(1, "T", 10, -1);
    assert_token(2, 10, "Bearer T");
}

/* Half of what is left is waited; the old one does meanwhile. */
static void a_renewal_fails(void **state)
{
    (void)state;
    assert_int_equal(ask(0, 0), CASEHOOK__GRANT_OWN);
    put(0, "T", 0, 1000);
    assert_token(0, 0, "Bearer T");
    assert_int_equal(ask(0, 900), CASEHOOK__GRANT_RENEW);
    fail_token(0, 900, CASEHOOK_E_NETWORK);
    assert_token(1, 950, "Bearer T");
    assert_int_equal(ask(1, 951), CASEHOOK__GRANT_RENEW);
    fail_token(1, 951, CASEHOOK_E_NETWORK);
    assert_token(1, 975, "Bearer T");
    assert_int_equal(ask(1, 976), CASEHOOK__GRANT_RENEW);
    fail_token(1, 1000, CASEHOOK_E_NETWORK);
    assert_int_equal(ask(1, 1000), CASEHOOK__GRANT_OWN);
}

/* The one that was refused, and no newer one. */
static void a_token_is_refused(void **state)
{
    (void)state;
    assert_int_equal(ask(0, 0), CASEHOOK__GRANT_OWN);
    put(0, "first", 0, -1);
    assert_token(0, 0, "Bearer first");
    uint64_t first = generation;
    casehook__credentials_reject(credentials, first);
    assert_int_equal(ask(0, 0), CASEHOOK__GRANT_OWN);
    put(0, "second", 0, -1);
    assert_token(0, 0, "Bearer second");
    assert_true(generation > first);
    casehook__credentials_reject(credentials, first);
    assert_token(0, 0, "Bearer second");
    casehook__credentials_reject(credentials, generation);
    assert_int_equal(ask(0, 0), CASEHOOK__GRANT_OWN);
}

/* ---- limits -------------------------------------------------------------------------------------- */

/* As long as a header may be; one that does not fit leaves the old one. */
static void long_tokens(void **state)
{
    size_t size = 64 * 1024 - strlen("Bearer ");
    char *token = malloc(size + 2);
    (void)state;
    assert_non_null(token);
    memset(token, 't', size + 1);
    token[size + 1] = '\0';
    assert_int_equal(ask(0, 0), CASEHOOK__GRANT_OWN);
    put(0, token + 1, 0, -1);
    assert_int_equal(ask(0, 0), CASEHOOK__GRANTED);
    assert_int_equal(value.length, 64 * 1024);
    assert_int_not_equal(casehook__credentials_put(credentials, &claims[0], casehook__text(token), 0, -1),
                         CASEHOOK_OK);
    assert_int_equal(ask(0, 0), CASEHOOK__GRANTED);
    free(token);
}

/* Who has no memory for the value does not keep what others wait for. */
static void no_memory_for_the_value(void **state)
{
    struct casehook__buf small;
    (void)state;
    assert_int_equal(ask(0, 0), CASEHOOK__GRANT_OWN);
    put(0, "a token", 0, 1000);
    assert_token(0, 0, "Bearer a token");
    casehook__buf_init(&small, NULL, 4);
    assert_int_equal(
        casehook__credentials_ask(credentials, 950, LEASE, &claims[1], &small, &generation, &until, &error),
        CASEHOOK__GRANT_FAILED);
    assert_int_equal(error.status, CASEHOOK_E_NO_MEMORY);
    assert_int_equal(ask(0, 950), CASEHOOK__GRANT_RENEW);
    casehook__buf_free(&small);
}

/* In a child nothing is done: the lock may be held by a thread that is not there. */
static void a_child(void **state)
{
    (void)state;
    assert_int_equal(ask(0, 0), CASEHOOK__GRANT_OWN);
    put(0, "T", 0, -1);
    pid_t child = fork();
    if (child == 0) {
        bool done = ask(1, 0) == CASEHOOK__GRANT_FAILED && error.status == CASEHOOK_E_FORKED && !listen(1);
        casehook__credentials_reject(credentials, 1);
        casehook__credentials_hold(credentials, &claims[0], LEASE);
        casehook__credentials_ignore(credentials, &claims[0]);
        casehook__credentials_leave(credentials, &claims[0]);
        done = done &&
               casehook__credentials_put(credentials, &claims[0], CASEHOOK__TEXT("U"), 0, -1) == CASEHOOK_OK;
        _exit(done ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_token(0, 0, "Bearer T");
}

/* Nothing of a token is in memory that was given back: not when another one comes, nor at the end. */
static void tokens_are_wiped(void **state)
{
    struct watched watched = {.word = "s3cret"};
    const struct casehook_allocator allocator = watched_allocator(&watched);
    struct casehook__heap *heap = NULL;
    struct casehook__credentials *own = NULL;
    struct casehook__claim claim = {.owns = false};
    (void)state;
    assert_int_equal(casehook__heap_new(&allocator, &heap), CASEHOOK_OK);
    assert_int_equal(casehook__credentials_new(heap, &own), CASEHOOK_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(casehook__credentials_put(own, &claim, CASEHOOK__TEXT("a-s3cret-token"), 0, -1),
                         CASEHOOK_OK);
        if (i == 1) casehook__credentials_reject(own, 2);
    }
    casehook__credentials_free(own);
    assert_int_equal(watched.found, 0);
    casehook__heap_unref(heap);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_asks_for_all),
        TEST(some_leave_before),
        TEST(the_owner_leaves),
        TEST(an_alarm_that_was_not_set),
        TEST(a_lease_ends),
        TEST(a_token_is_renewed),
        TEST(a_life_of_no_time),
        TEST(a_token_that_just_came_is_not_renewed),
        TEST(all_that_wait_fail),
        TEST(a_renewal_fails),
        TEST(a_token_is_refused),
        TEST(long_tokens),
        TEST(no_memory_for_the_value),
        TEST(a_child),
        TEST(tokens_are_wiped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
