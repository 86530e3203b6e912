/*
 * test_shared_limits.c - the limits of one connector that eight threads and two loops share (D6).
 *
 * Time is real, and nothing is asserted of how long anything takes: of each request it is known between which
 * two times it was let go, and those that lie wholly in a window are no more than the window allows.
 */
#include "base/clock.h"
#include "documents.h"
#include "exchange/limiter.h"
#include "http_server.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BLOCKING 8
#define LOOPS    2
#define EACH     12 /* operations of a thread or loop */

/* ---- what the limiter is asked ------------------------------------------------------------------- */

#define LET_GO_MAX 4096

static struct {
    int64_t from, to;
} let_go[LET_GO_MAX];
static atomic_size_t let_go_count;
static atomic_int probes;
static atomic_bool two_probes;

enum casehook__admission __real_casehook__limiter_ask(struct casehook__limiter *limiter, int64_t now,
                                                      struct casehook__place *place, int64_t *at);
enum casehook__admission __wrap_casehook__limiter_ask(struct casehook__limiter *limiter, int64_t now,
                                                      struct casehook__place *place, int64_t *at);
void __real_casehook__limiter_settle(struct casehook__limiter *limiter, int64_t now,
                                     struct casehook__place *place, enum casehook__health health);
void __wrap_casehook__limiter_settle(struct casehook__limiter *limiter, int64_t now,
                                     struct casehook__place *place, enum casehook__health health);
void __real_casehook__limiter_leave(struct casehook__limiter *limiter, struct casehook__place *place);
void __wrap_casehook__limiter_leave(struct casehook__limiter *limiter, struct casehook__place *place);

enum casehook__admission __wrap_casehook__limiter_ask(struct casehook__limiter *limiter, int64_t now,
                                                      struct casehook__place *place, int64_t *at)
{
    enum casehook__admission admission = __real_casehook__limiter_ask(limiter, now, place, at);
    if (admission != CASEHOOK__ADMITTED) return admission;
    size_t index = atomic_fetch_add(&let_go_count, 1);
    if (index >= LET_GO_MAX) abort();
    let_go[index].from = now;
    let_go[index].to = casehook__clock_ms() + 1;
    if (place->probing && atomic_fetch_add(&probes, 1) != 0) atomic_store(&two_probes, true);
    return admission;
}

void __wrap_casehook__limiter_settle(struct casehook__limiter *limiter, int64_t now,
                                     struct casehook__place *place, enum casehook__health health)
{
    if (place->probing) atomic_fetch_sub(&probes, 1);
    __real_casehook__limiter_settle(limiter, now, place, health);
}

void __wrap_casehook__limiter_leave(struct casehook__limiter *limiter, struct casehook__place *place)
{
    if (place->probing) atomic_fetch_sub(&probes, 1);
    __real_casehook__limiter_leave(limiter, place);
}

/* ---- the tracker --------------------------------------------------------------------------------- */

static struct http_log *http;
static struct http_server *server;
static atomic_size_t creates, failing; /* so many creates are refused */

static void answer(void *user, const struct http_request *request, struct http_response *response)
{
    static const struct http_header type[] = {{"Content-Type", "application/json"}};
    static const char body[] = "{\"id\":\"7\",\"key\":\"K\"}";
    (void)user;
    bool create = strcmp(request->method, "POST") == 0;
    bool fails = create && atomic_fetch_add(&creates, 1) < atomic_load(&failing);
    response->status = fails ? 500 : 200;
    response->headers = type;
    response->header_count = 1;
    response->body = body;
    response->body_length = sizeof body - 1;
}

static struct casehook_connector *connector;

static void begin(const char *json, size_t fails)
{
    char base[64];
    atomic_store(&let_go_count, 0);
    atomic_store(&creates, 0);
    atomic_store(&failing, fails);
    atomic_store(&two_probes, false);
    http = http_log_new();
    server = http_server_start(http, "tracker", NULL, answer, NULL);
    assert_non_null(server);
    snprintf(base, sizeof base, "http://127.0.0.1:%u", http_server_port(server));
    struct casehook_settings *settings = document_settings(json);
    connector = document_connector(settings, base, NULL, NULL);
    casehook_settings_free(settings);
}

static void end(void)
{
    casehook_connector_unref(connector);
    http_server_stop(server, 5000);
    http_log_free(http);
    assert_int_equal(atomic_load(&probes), 0);
}

/* ---- who uses it --------------------------------------------------------------------------------- */

static const struct casehook_params params = {.struct_size = sizeof params, .title = "t"};
static atomic_size_t ended_well, ended_unavailable, ended_otherwise;
static bool until_well; /* each operation is called again until it ends well */

static bool count_end(struct casehook_result *result)
{
    int status = casehook_error_status(casehook_result_error(result));
    atomic_fetch_add(status == CASEHOOK_OK              ? &ended_well
                     : status == CASEHOOK_E_UNAVAILABLE ? &ended_unavailable
                                                        : &ended_otherwise,
                     1);
    casehook_result_free(result);
    return status == CASEHOOK_OK || !until_well;
}

static void *run_blocking(void *user)
{
    (void)user;
    for (int i = 0; i < EACH;) {
        struct casehook_result *result = NULL;
        casehook_create(connector, &params, NULL, &result);
        if (!result) abort();
        i += count_end(result);
    }
    return NULL;
}

static void submit(struct casehook_loop *loop)
{
    if (casehook_loop_submit(loop, connector, CASEHOOK_CREATE, &params, NULL, NULL, NULL)) abort();
}

static void *run_loop(void *user)
{
    struct casehook_loop *loop = NULL;
    (void)user;
    if (casehook_loop_new(NULL, &loop)) abort();
    for (int i = 0; i < EACH; i++) submit(loop);
    for (int left = EACH; left;) {
        struct casehook_result *result = casehook_loop_next(loop, NULL);
        if (!result) {
            if (casehook_loop_wait(loop, 60000)) abort();
        } else if (count_end(result)) {
            left--;
        } else {
            submit(loop);
        }
    }
    casehook_loop_free(loop);
    return NULL;
}

static void run_all(void)
{
    pthread_t threads[BLOCKING + LOOPS];
    atomic_store(&ended_well, 0);
    atomic_store(&ended_unavailable, 0);
    atomic_store(&ended_otherwise, 0);
    for (int i = 0; i < BLOCKING + LOOPS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, i < BLOCKING ? run_blocking : run_loop, NULL), 0);
    for (int i = 0; i < BLOCKING + LOOPS; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
}

#define ALL ((BLOCKING + LOOPS) * EACH)

/* ---- rate ---------------------------------------------------------------------------------------- */

static void expect_windows(double burst, double per_ms)
{
    size_t count = atomic_load(&let_go_count);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            int64_t from = let_go[i].from, to = let_go[j].to;
            size_t inside = 0;
            if (to < from) continue;
            for (size_t n = 0; n < count; n++) inside += let_go[n].from >= from && let_go[n].to <= to;
            if ((double)inside > burst + per_ms * (double)(to - from) + 1e-6)
                fail_msg("%zu requests in %lld ms", inside, (long long)(to - from));
        }
    }
}

static void all_share_one_rate(void **state)
{
    (void)state;
    begin("{\"rateLimit\":{\"requests\":200,\"burst\":5},\"responseTimeout\":\"5m\"}", 0);
    until_well = false;
    run_all();
    assert_int_equal(atomic_load(&ended_well), ALL);
    assert_int_equal(http_log_count(http), 2 * ALL);
    assert_int_equal(atomic_load(&let_go_count), 2 * ALL);
    expect_windows(5, 0.2);
    end();
}

/* ---- circuit ------------------------------------------------------------------------------------- */

/* While it is open nothing is sent but what had been let go before. */
static void all_share_one_circuit(void **state)
{
    (void)state;
    begin("{\"circuit\":{\"failures\":5,\"pause\":\"1h\"},\"responseTimeout\":\"5m\"}", SIZE_MAX);
    until_well = false;
    run_all();
    size_t sent = http_log_count(http);
    assert_int_equal(sent, atomic_load(&let_go_count));
    assert_int_equal(sent, atomic_load(&ended_otherwise));
    assert_in_range(sent, 5, 4 + BLOCKING + LOOPS * EACH);
    assert_int_equal(atomic_load(&ended_unavailable), ALL - sent);
    sent = http_log_count(http);
    run_all();
    assert_int_equal(atomic_load(&ended_unavailable), ALL);
    assert_int_equal(http_log_count(http), sent);
    end();
}

/* The tracker comes back: one at a time finds out, then all go on. */
static void it_closes_for_all(void **state)
{
    enum { DOWN = 40 };
    (void)state;
    begin("{\"circuit\":{\"failures\":3,\"pause\":5},\"responseTimeout\":\"5m\"}", DOWN);
    until_well = true;
    run_all();
    assert_int_equal(atomic_load(&ended_well), ALL);
    assert_int_equal(atomic_load(&ended_otherwise), DOWN);
    assert_int_equal(atomic_load(&creates), DOWN + ALL);
    assert_false(atomic_load(&two_probes));
    end();
}

/* ---- turns that are given up ---------------------------------------------------------------------- */

#define GIVERS 4
#define TURNS  50000 /* of each */

static struct casehook__limiter *turns;

/* What is left is given back at once, and written over: nobody may know of it any more. */
static void *give_up_turns(void *user)
{
    unsigned mixed = *(const unsigned *)user;
    for (int i = 0; i < TURNS; i++) {
        struct casehook__place *place = calloc(1, sizeof *place);
        int64_t at;
        if (!place) abort();
        casehook__limiter_ask(turns, 1000, place, &at);
        mixed = mixed * 1103515245 + 12345;
        for (volatile unsigned pause = mixed >> 16 & 31; pause;) pause--; /* the others come and go */
        casehook__limiter_leave(turns, place);
        if (place->queued) abort();
        memset(place, 0xaa, sizeof *place);
        free(place);
    }
    return NULL;
}

/* Another one's turn is given away while its owner gives up as well. */
static void turns_are_given_up_by_many(void **state)
{
    static const struct casehook__limits limits = {
        .rate_requests = 1, .rate_per_ms = 1000000, .rate_burst = 1};
    unsigned numbers[GIVERS];
    pthread_t threads[GIVERS];
    struct casehook__place place = {.queued = false};
    int64_t at = 0;
    (void)state;
    assert_int_equal(casehook__limiter_new(NULL, &limits, 1000, &turns), CASEHOOK_OK);
    for (unsigned i = 0; i < GIVERS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, give_up_turns, &numbers[i]), 0);
    }
    for (unsigned i = 0; i < GIVERS; i++) pthread_join(threads[i], NULL);
    /* Nobody is left before whoever comes now. */
    assert_int_equal(casehook__limiter_ask(turns, 1000, &place, &at), CASEHOOK__ADMITTED_LATER);
    assert_in_range(at, 1001000, 1001001);
    casehook__limiter_leave(turns, &place);
    casehook__limiter_free(turns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_share_one_rate),
        cmocka_unit_test(all_share_one_circuit),
        cmocka_unit_test(it_closes_for_all),
        cmocka_unit_test(turns_are_given_up_by_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
