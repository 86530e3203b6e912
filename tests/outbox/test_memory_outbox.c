/* test_memory_outbox.c - every allocation of the outbox fails once: nothing leaks, nothing that was accepted
 * is lost. */
#include "box.h"
#include "documents.h"
#include "http_server.h"
#include "memory.h"
#include "outbox/outbox_private.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Atomic long allocations, fails_at, blocks;
static _Atomic size_t largest = SIZE_MAX;
static int destroyed;

static void *reallocate(void *user, void *pointer, size_t size)
{
    (void)user;
    if (size == 0) {
        blocks -= pointer != NULL;
        free(pointer);
        return NULL;
    }
    if (++allocations == fails_at || size > largest) return NULL;
    blocks += pointer == NULL;
    return realloc(pointer, size);
}

static void destroy(void *user)
{
    (void)user;
    destroyed++;
}

static struct casehook_connector *connector;
static unsigned creates;

static struct casehook_connector *resolve(void *user, const char *name)
{
    (void)user;
    (void)name;
    return casehook_connector_ref(connector);
}

static void answer(void *user, const struct http_request *request, struct http_response *response)
{
    static const struct http_header header = {"Content-Type", "application/json"};
    (void)user;
    creates += strncmp(request->line, "POST", 4) == 0;
    response->headers = &header;
    response->header_count = 1;
    response->status = strncmp(request->line, "POST", 4) == 0 ? 201 : 200;
    response->body = "{\"id\":\"7\",\"key\":\"K-7\"}";
    response->body_length = strlen(response->body);
}

static int open_one(const char *place, struct casehook_outbox **outbox)
{
    const struct casehook_allocator allocator = {
        .struct_size = sizeof allocator, .reallocate = reallocate, .destroy = destroy};
    const struct casehook_outbox_options options = {.struct_size = sizeof options,
                                                    .location = place,
                                                    .allocator = &allocator,
                                                    .resolve = resolve,
                                                    .worker = "one",
                                                    .retry_base_ms = 1,
                                                    .retry_max_ms = 1};
    struct casehook_outbox_error *error = NULL;
    int status = casehook_outbox_open(&options, outbox, &error);
    assert_int_equal(status == CASEHOOK_OK, error == NULL);
    if (status) assert_int_equal(casehook_outbox_error_status(error), CASEHOOK_E_NO_MEMORY);
    casehook_outbox_error_free(error);
    return status;
}

/* All that an outbox does; whether the entry was accepted. */
static int use(struct casehook_outbox *outbox)
{
    static const char params[] = "{\"incident\":{\"title\":\"T \\u00e9\",\"id\":\"c\",\"status\":\"open\"}}";
    struct casehook_outbox_item item = {.struct_size = sizeof item,
                                        .connector = "tracker",
                                        .key = "k",
                                        .params = params,
                                        .params_length = CASEHOOK_TERMINATED,
                                        .operation = CASEHOOK_PUSH};
    struct casehook_outbox_query query = {.struct_size = sizeof query, .full = 1};
    struct casehook_outbox_stats stats = {.struct_size = sizeof stats};
    struct casehook_outbox_list *list = NULL;
    uint64_t id = 0;
    int accepted = casehook_outbox_put(outbox, &item, &id, NULL, NULL) == CASEHOOK_OK;
    casehook_outbox_run(outbox, CASEHOOK_OUTBOX_UNTIL_IDLE, 300);
    if (casehook_outbox_find(outbox, &query, &list, NULL) == CASEHOOK_OK) {
        const char *json = casehook_outbox_list_json(list, NULL);
        if (json && accepted) assert_non_null(strstr(json, "\"key\":\"k\""));
    }
    casehook_outbox_list_free(list);
    casehook_outbox_get_stats(outbox, &stats, NULL);
    casehook_outbox_discard(outbox, 999, NULL);
    casehook_outbox_purge(outbox, 100000, NULL, NULL);
    return accepted;
}

/* Afterwards, with all the memory there is. */
static void verify(const char *place, int accepted)
{
    const struct casehook_outbox_options options = {.struct_size = sizeof options,
                                                    .resolve = resolve,
                                                    .worker = "one",
                                                    .retry_base_ms = 1,
                                                    .retry_max_ms = 1};
    struct casehook_outbox *outbox = box_open(place, &options);
    struct casehook_outbox_stats stats = box_stats(outbox);
    for (int i = 0; i < 400 && stats.waiting + stats.sending; i++) {
        casehook_outbox_run(outbox, CASEHOOK_OUTBOX_UNTIL_IDLE, 50);
        stats = box_stats(outbox);
    }
    assert_true(!accepted || stats.done + stats.unknown == 1);
    assert_int_equal(stats.waiting + stats.queued + stats.sending + stats.parked, 0);
    assert_true(creates <= 1);
    assert_true(!stats.done || creates == 1);
    casehook_outbox_close(outbox);
}

static void every_allocation(void **state)
{
    (void)state;
    struct http_log *log = http_log_new();
    struct http_server *server = http_server_start(log, "tracker", NULL, answer, NULL);
    char *base = must_format("http://127.0.0.1:%u", http_server_port(server));
    connector = document_connector(NULL, base, "\"createResponseFields\":{\"key\":\"key\"}", NULL);
    long most = 1;
    for (long point = 0; point <= most; point++) {
        const char *place = box_place();
        struct casehook_outbox *outbox = NULL;
        int accepted = 0;
        creates = 0;
        destroyed = 0;
        allocations = blocks = 0;
        fails_at = point;
        if (open_one(place, &outbox) == CASEHOOK_OK) accepted = use(outbox);
        casehook_outbox_close(outbox);
        fails_at = 0;
        if (point == 0) {
            most = allocations;
            assert_true(accepted);
        }
        assert_int_equal(blocks, 0);
        /* The loop has the same allocator, whose end it does not tell. */
        assert_int_equal(destroyed, 1);
        verify(place, accepted);
        box_remove();
    }
    print_message("%ld allocations\n", most);
    casehook_connector_unref(connector);
    free(base);
    http_server_stop(server, 2000);
    http_log_free(log);
}

/* ---- what is too large ----------------------------------------------------------------------- */

enum { BYTES = 100000 };

/* Params that need more memory than there is for a piece while largest is BYTES / 2. */
static char *large_params(void)
{
    char *params = must_alloc(BYTES + 1);
    memset(params, ' ', BYTES);
    params[0] = '{';
    params[BYTES - 1] = '}';
    params[BYTES] = '\0';
    return params;
}

static void *list_all(void *outbox)
{
    static int status;
    const struct casehook_outbox_query query = {.struct_size = sizeof query, .full = 1};
    struct casehook_outbox_list *list;
    status = casehook_outbox_find(outbox, &query, &list, NULL);
    assert_null(list);
    return &status;
}

/* In the transaction of which the list becomes a part. */
static int wait_for_list(struct casehook_outbox *outbox, struct casehook__ob_job *job,
                         struct casehook__ob_fault *fault)
{
    (void)fault;
    assert_int_equal(pthread_create(job->user, NULL, list_all, outbox), 0);
    for (bool there = false; !there; sched_yield()) {
        pthread_mutex_lock(&outbox->lock);
        there = outbox->first != NULL;
        pthread_mutex_unlock(&outbox->lock);
    }
    return CASEHOOK_OK;
}

static void a_list_without_memory_fails_alone(void **state)
{
    (void)state;
    struct casehook_outbox *outbox = NULL;
    pthread_t thread;
    struct casehook__ob_job job = {.do_it = wait_for_list, .user = &thread};
    char *params = large_params();
    void *status;
    fails_at = 0;
    assert_int_equal(open_one(box_place(), &outbox), CASEHOOK_OK);
    uint64_t id = box_put(outbox, CASEHOOK_PUSH, NULL, params);
    largest = BYTES / 2;
    assert_int_equal(casehook__ob_group(outbox, &job), CASEHOOK_OK);
    assert_int_equal(pthread_join(thread, &status), 0);
    assert_int_equal(*(int *)status, CASEHOOK_E_NO_MEMORY);
    largest = SIZE_MAX;
    assert_int_equal(box_state(outbox, id), CASEHOOK_OUTBOX_WAITING);
    casehook_outbox_close(outbox);
    box_remove();
    free(params);
}

static void an_entry_without_memory_waits_alone(void **state)
{
    (void)state;
    struct http_log *log = http_log_new();
    struct http_server *server = http_server_start(log, "tracker", NULL, answer, NULL);
    char *base = must_format("http://127.0.0.1:%u", http_server_port(server)), *params = large_params();
    struct casehook_outbox *outbox = NULL;
    connector = document_connector(NULL, base, NULL, NULL);
    fails_at = 0;
    assert_int_equal(open_one(box_place(), &outbox), CASEHOOK_OK);
    uint64_t large = box_put(outbox, CASEHOOK_PUSH, NULL, params);
    uint64_t small = box_put(outbox, CASEHOOK_PUSH, NULL, "{\"title\":\"T\"}");
    for (int i = 0; i < 100 && box_state(outbox, small) != CASEHOOK_OUTBOX_DONE; i++) {
        largest = BYTES / 2;
        casehook_outbox_run(outbox, CASEHOOK_OUTBOX_UNTIL_IDLE, 100);
        largest = SIZE_MAX; /* a list needs it as well */
    }
    assert_int_equal(box_state(outbox, small), CASEHOOK_OUTBOX_DONE);
    assert_int_equal(box_state(outbox, large), CASEHOOK_OUTBOX_WAITING);
    assert_int_equal(box_entry(outbox, large)->attempts, 0);
    assert_int_equal(box_stats(outbox).waiting, 1);
    for (int i = 0; i < 100 && box_stats(outbox).waiting; i++) casehook_outbox_run(outbox, 0, 100);
    /* Without a title there is no case; it was tried. */
    assert_int_equal(box_state(outbox, large), CASEHOOK_OUTBOX_PARKED);
    casehook_outbox_close(outbox);
    casehook_connector_unref(connector);
    box_remove();
    free(params);
    free(base);
    http_server_stop(server, 2000);
    http_log_free(log);
}

int main(int argc, char **argv)
{
    if (argc > 1) box_use(argv[1]);
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation),
                                       cmocka_unit_test(a_list_without_memory_fails_alone),
                                       cmocka_unit_test(an_entry_without_memory_waits_alone)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
