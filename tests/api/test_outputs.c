/* test_outputs.c - what is written is written whole, what is to be destroyed is destroyed once. */
#include "documents.h"
#include "process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define BASE "http://tracker.example"
#define GET  "{\"externalId\":\"1\"}"

static struct casehook_exchange *begin(void)
{
    struct casehook_connector *connector = document_connector(NULL, BASE, NULL, NULL);
    struct casehook_exchange *exchange = NULL;
    assert_int_equal(
        casehook_exchange_new_json(connector, CASEHOOK_GET, GET, CASEHOOK_TERMINATED, NULL, &exchange, NULL),
        CASEHOOK_OK);
    casehook_connector_unref(connector);
    return exchange;
}

/* Of a newer header, in a place that was used for something else before. */
union wide {
    struct casehook_http_request request;
    unsigned char bytes[sizeof(struct casehook_http_request) + 64];
};

static int next(struct casehook_exchange *exchange, union wide *wide, size_t size)
{
    memset(wide, 0xA5, sizeof *wide);
    wide->request.struct_size = size;
    return casehook_exchange_next(exchange, &wide->request);
}

static void is_all(const union wide *wide, unsigned char byte, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) assert_int_equal(wide->bytes[i], byte);
}

static void is_empty(const union wide *wide, size_t size)
{
    assert_int_equal(wide->request.struct_size, size);
    is_all(wide, 0, sizeof size, size);
    is_all(wide, 0xA5, size, sizeof *wide);
}

static void requests_of_any_size(void **state)
{
    (void)state;
    const size_t known = sizeof(struct casehook_http_request);
    union wide wide;
    for (size_t more = 0; more <= 64; more += 8) {
        struct casehook_exchange *exchange = begin();
        assert_int_equal(next(exchange, &wide, known + more), 1);
        assert_string_equal(wide.request.url, BASE "/issue/1");
        assert_int_equal(wide.request.struct_size, known + more);
        is_all(&wide, 0, known, known + more);
        is_all(&wide, 0xA5, known + more, sizeof wide);
        assert_int_equal(next(exchange, &wide, known + more), CASEHOOK_E_ARGUMENT); /* not answered */
        is_empty(&wide, known + more);
        assert_int_equal(casehook_exchange_fail(exchange, CASEHOOK_E_CONNECT, 0, NULL), CASEHOOK_OK);
        assert_int_equal(next(exchange, &wide, known + more), 0);
        is_empty(&wide, known + more);
        casehook_exchange_free(exchange);
        assert_int_equal(next(NULL, &wide, known + more), CASEHOOK_E_ARGUMENT);
        is_empty(&wide, known + more);
    }
    const size_t wrong[] = {0, 3, offsetof(struct casehook_http_request, connect_timeout_ms), 4097,
                            (size_t)-1};
    struct casehook_exchange *exchange = begin();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(next(exchange, &wide, wrong[i]), CASEHOOK_E_ARGUMENT);
        is_all(&wide, 0xA5, sizeof(size_t), sizeof wide);
    }
    casehook_exchange_free(exchange);
}

static bool refuses_all(struct casehook_exchange *exchange)
{
    union wide wide;
    const size_t size = sizeof wide.request;
    bool refused = next(exchange, &wide, size) == CASEHOOK_E_FORKED && !wide.request.url &&
                   casehook_exchange_next_json(exchange, NULL) == NULL;
    refused &= casehook_exchange_feed(exchange, 200, NULL, 0, "{}", 2) == CASEHOOK_E_FORKED;
    refused &= casehook_exchange_feed_partial(exchange, 200, NULL, 0, "{}", 2, CASEHOOK_E_NETWORK, NULL) ==
               CASEHOOK_E_FORKED;
    refused &= casehook_exchange_fail(exchange, CASEHOOK_E_CONNECT, 0, NULL) == CASEHOOK_E_FORKED;
    refused &= casehook_exchange_result(exchange) == NULL;
    casehook_exchange_free(exchange);
    return refused;
}

static void both_processes_do_not_send(void **state)
{
    (void)state;
    for (int waits = 0; waits < 2; waits++) {
        struct casehook_exchange *exchange = begin();
        union wide wide;
        int status = -1;
        if (waits) assert_int_equal(next(exchange, &wide, sizeof wide.request), 1);
        pid_t child = fork();
        if (child == 0) process_leave(!refuses_all(exchange));
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        if (!waits) assert_int_equal(next(exchange, &wide, sizeof wide.request), 1);
        assert_int_equal(casehook_exchange_fail(exchange, CASEHOOK_E_CONNECT, 0, NULL), CASEHOOK_OK);
        casehook_exchange_free(exchange);
    }
}

/* What it counts is the parent's, and its locks may be held by a thread that is not there. */
static void numbers_of_the_parent(void **state)
{
    (void)state;
    struct casehook_connector *connector = document_connector(NULL, BASE, NULL, NULL);
    int status = -1;
    assert_true(casehook_connector_stats_json(connector, NULL, 0) > 0);
    pid_t child = fork();
    if (child == 0) process_leave(casehook_connector_stats_json(connector, NULL, 0) != 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    casehook_connector_unref(connector);
}

/* ---- destroyed once ---------------------------------------------------------------------------- */

struct heap {
    int left; /* allocations that succeed; -1: all */
    int blocks, destroyed;
};

static void *heap_reallocate(void *user, void *pointer, size_t size)
{
    struct heap *heap = user;
    assert_int_equal(heap->destroyed, 0);
    if (!size) {
        heap->blocks -= pointer != NULL;
        free(pointer);
        return NULL;
    }
    if (!heap->left) return NULL;
    if (heap->left > 0) heap->left--;
    heap->blocks += !pointer;
    return realloc(pointer, size);
}

static void count_destroyed(void *user)
{
    ((struct heap *)user)->destroyed++;
}

enum making { SETTINGS, CANCEL, LOOP, MAKINGS };

/* out: whether there is a place for the handle. */
static int make(enum making what, const struct casehook_allocator *allocator, bool out)
{
    const struct casehook_loop_options options = {.struct_size = sizeof options, .allocator = allocator};
    struct casehook_settings *settings = NULL;
    struct casehook_cancel *cancel = NULL;
    struct casehook_loop *loop = NULL;
    int status = what == SETTINGS ? casehook_settings_new(allocator, out ? &settings : NULL)
                 : what == CANCEL ? casehook_cancel_new(allocator, out ? &cancel : NULL)
                                  : casehook_loop_new(&options, out ? &loop : NULL);
    casehook_settings_free(settings);
    casehook_cancel_free(cancel);
    assert_int_equal(casehook_loop_free(loop), CASEHOOK_OK);
    return status;
}

static void allocators(void **state)
{
    (void)state;
    struct {
        struct casehook_allocator allocator;
        void *newer;
    } wide;
    for (enum making what = SETTINGS; what < MAKINGS; what++) {
        for (int left = -1; left < 6; left++) {
            struct heap heap = {.left = left};
            const struct casehook_allocator allocator = {sizeof allocator, &heap, heap_reallocate,
                                                         count_destroyed};
            make(what, &allocator, true);
            assert_int_equal(heap.destroyed, 1);
            assert_int_equal(heap.blocks, 0);
            heap = (struct heap){.left = left};
            assert_int_equal(make(what, &allocator, false),
                             left == 0 && what != LOOP ? CASEHOOK_E_NO_MEMORY : CASEHOOK_E_ARGUMENT);
            assert_int_equal(heap.destroyed, 1);
            assert_int_equal(heap.blocks, 0);
        }
        struct heap heap = {.left = -1};
        wide.allocator = (struct casehook_allocator){sizeof wide, &heap, heap_reallocate, count_destroyed};
        wide.newer = &wide; /* a field that this version does not know */
        assert_int_equal(make(what, &wide.allocator, true), CASEHOOK_E_ARGUMENT);
        assert_int_equal(heap.destroyed, 1);
        wide.newer = NULL;
        wide.allocator.reallocate = NULL;
        assert_int_equal(make(what, &wide.allocator, true), CASEHOOK_E_ARGUMENT);
        assert_int_equal(heap.destroyed, 2);
        wide.allocator.struct_size = 5; /* nothing of it is believed */
        assert_int_equal(make(what, &wide.allocator, true), CASEHOOK_E_ARGUMENT);
        assert_int_equal(heap.destroyed, 2);
    }
}

/* The loop's own struct has a field too much. */
static void allocator_in_options(void **state)
{
    (void)state;
    struct heap heap = {.left = -1};
    const struct casehook_allocator allocator = {sizeof allocator, &heap, heap_reallocate, count_destroyed};
    struct {
        struct casehook_loop_options options;
        void *newer;
    } wide = {{.struct_size = sizeof wide, .allocator = &allocator}, &heap};
    struct casehook_loop *loop = NULL;
    assert_int_equal(casehook_loop_new(&wide.options, &loop), CASEHOOK_E_ARGUMENT);
    assert_int_equal(heap.destroyed, 1);
    assert_int_equal(heap.blocks, 0);
}

static void ignore_line(void *user, const struct casehook_log_record *record)
{
    (void)user;
    (void)record;
}

static void logs(void **state)
{
    (void)state;
    struct heap heap = {.left = -1}, users[4] = {{0}, {0}, {0}, {0}};
    const struct casehook_allocator allocator = {sizeof allocator, &heap, heap_reallocate, NULL};
    struct casehook_settings *settings = NULL;
    assert_int_equal(
        casehook_settings_set_log(NULL, CASEHOOK_LOG_INFO, &users[0], ignore_line, count_destroyed),
        CASEHOOK_E_ARGUMENT);
    assert_int_equal(users[0].destroyed, 1);
    assert_int_equal(casehook_settings_new(&allocator, &settings), CASEHOOK_OK);
    assert_int_equal(
        casehook_settings_set_log(settings, CASEHOOK_LOG_INFO, &users[1], ignore_line, count_destroyed),
        CASEHOOK_OK);
    heap.left = 0;
    assert_int_equal(
        casehook_settings_set_log(settings, CASEHOOK_LOG_INFO, &users[2], ignore_line, count_destroyed),
        CASEHOOK_E_NO_MEMORY);
    assert_int_equal(users[2].destroyed, 1);
    assert_int_equal(users[1].destroyed, 0); /* it is still the log */
    heap.left = -1;
    assert_int_equal(casehook_settings_set_log(settings, CASEHOOK_LOG_INFO, &users[3], NULL, count_destroyed),
                     CASEHOOK_OK);
    assert_int_equal(users[1].destroyed, 1);
    casehook_settings_free(settings);
    for (int i = 0; i < 4; i++) assert_int_equal(users[i].destroyed, 1);
}

/* ---- out of memory ------------------------------------------------------------------------------ */

#define NOWHERE "http://127.0.0.1:1"

static struct casehook_connector *connector_on(struct heap *heap, const char *config, const char *secrets)
{
    const struct casehook_allocator allocator = {sizeof allocator, heap, heap_reallocate, NULL};
    struct casehook_settings *settings = NULL;
    assert_int_equal(casehook_settings_new(&allocator, &settings), CASEHOOK_OK);
    struct casehook_connector *connector = document_connector(settings, NOWHERE, config, secrets);
    casehook_settings_free(settings);
    return connector;
}

/* Whoever met it, it says at which step, which is one of this operation, and passes by itself (R3, R4); only
 * what may be done already is not to be done again. */
static void is_told(const struct casehook_error *error)
{
    int step = casehook_error_step(error), outcome = casehook_error_outcome(error);
    assert_int_equal(casehook_error_status(error), CASEHOOK_E_NO_MEMORY);
    assert_true(step == CASEHOOK_STEP_PARAMS || step == CASEHOOK_STEP_CREATE || step == CASEHOOK_STEP_TOKEN);
    assert_int_equal(casehook_error_retryable(error), outcome != CASEHOOK_OUTCOME_UNKNOWN);
}

static void before_anything_is_sent(void **state)
{
    static const char *const configs[] = {
        "\"hasAuth\":true,\"authType\":\"oauth2\",\"clientId\":\"c\",\"accessTokenUrl\":\"" NOWHERE
        "/token\",\"createIncidentHeaders\":{\"X-Title\":\"{{{case.title}}}\"}",
        "\"values\":{\"v\":{\"from\":\"case.title\",\"maxCharacters\":3}},\"idempotencyHeader\":\"K\","
        "\"createIncidentUrl\":\"" NOWHERE "/{{{value.v}}}\""};
    (void)state;
    for (size_t i = 0; i < sizeof configs / sizeof *configs; i++) {
        struct heap heap = {.left = -1};
        struct casehook_connector *connector =
            connector_on(&heap, configs[i], i ? NULL : "\"clientSecret\":\"s3cret-s3cret\"");
        unsigned told = 0;
        for (int left = 0, ended = 0; !ended; left++) {
            struct casehook_exchange *exchange = NULL;
            struct casehook_error *error = NULL;
            heap.left = left;
            int status = casehook_exchange_new_json(connector, CASEHOOK_CREATE, "{\"title\":\"title\"}",
                                                    CASEHOOK_TERMINATED, NULL, &exchange, &error);
            ended = heap.left > 0;
            heap.left = -1;
            if (status) assert_int_equal(casehook_error_retryable(error), 1); /* which needs no memory */
            casehook_error_free(error);
            struct casehook_result *result = casehook_exchange_result(exchange);
            if (casehook_result_status(result) == CASEHOOK_E_NO_MEMORY) {
                is_told(casehook_result_error(result));
                told++;
            }
            casehook_result_free(result);
            casehook_exchange_free(exchange);
        }
        assert_true(told > 0);
        casehook_connector_unref(connector);
        assert_int_equal(heap.blocks, 0);
    }
}

/* The machine that is warm was at another step of another operation. */
static void after_another_operation(void **state)
{
    static const char config[] = "\"findIncidentUrl\":\"" NOWHERE "/find?q={{case.title}}\","
                                 "\"findIncidentResponseKey\":\"id\"",
                      unknown[] = "{\"title\":\"t\",\"resume\":{\"comments\":[],\"requests\":[{\"step\":"
                                  "\"create\",\"outcome\":\"unknown\"}]}}",
                      comment[] = "{\"externalId\":\"9\",\"comments\":[{\"commentId\":\"1\",\"comment\":"
                                  "\"x\"}]}";
    (void)state;
    struct heap heap = {.left = -1};
    struct casehook_connector *connector = connector_on(&heap, config, NULL);
    const struct casehook_options options = {.struct_size = sizeof options, .deadline_ms = 1};
    unsigned told = 0;
    for (int left = 0, ended = 0; !ended; left++) {
        struct casehook_result *result = NULL;
        for (int i = 0; i < 2; i++) {
            casehook_run_json(connector, CASEHOOK_COMMENT, comment, CASEHOOK_TERMINATED, NULL, &result);
            casehook_result_free(result);
        }
        heap.left = left;
        int status =
            casehook_run_json(connector, CASEHOOK_CREATE, unknown, CASEHOOK_TERMINATED, &options, &result);
        ended = heap.left > 0;
        heap.left = -1;
        if (status == CASEHOOK_E_NO_MEMORY && result) {
            is_told(casehook_result_error(result));
            told++;
        }
        casehook_result_free(result);
    }
    assert_true(told > 0);
    casehook_connector_unref(connector);
    assert_int_equal(heap.blocks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_of_any_size),    cmocka_unit_test(both_processes_do_not_send),
        cmocka_unit_test(numbers_of_the_parent),   cmocka_unit_test(allocators),
        cmocka_unit_test(allocator_in_options),    cmocka_unit_test(logs),
        cmocka_unit_test(before_anything_is_sent), cmocka_unit_test(after_another_operation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
