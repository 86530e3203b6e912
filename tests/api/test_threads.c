/*
 * test_threads.c - 8 threads with 200 pushes each on one connector, others made and released beside them;
 * handles that are let go while a call uses them.
 */
#include "documents.h"
#include "http_server.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define THREADS 8
#define PUSHES  200

static const struct http_header json_header[] = {{"Content-Type", "application/json"}};
static char base[64];
static atomic_int failures, pushed;
static atomic_bool done;

static void answer(void *user, const struct http_request *request, struct http_response *response)
{
    (void)user;
    response->headers = json_header;
    response->header_count = 1;
    response->body = strcmp(request->method, "POST") == 0 ? "{\"id\":\"42\"}" : "{\"key\":\"CASE-42\"}";
    response->body_length = strlen(response->body);
}

static int push(struct casehook_connector *connector)
{
    struct casehook_params params = {.struct_size = sizeof params, .title = "t"};
    struct casehook_result *result = NULL;
    int status = casehook_push(connector, &params, NULL, &result);
    if (status == CASEHOOK_OK && strcmp(casehook_result_id(result, NULL), "42") != 0) status = 1;
    casehook_result_free(result);
    return status;
}

static void *pusher(void *user)
{
    for (int i = 0; i < PUSHES; i++) {
        if (push(user)) atomic_fetch_add(&failures, 1);
        atomic_fetch_add(&pushed, 1);
    }
    return NULL;
}

static void *maker(void *user)
{
    (void)user;
    while (!atomic_load(&done)) {
        struct casehook_connector *connector = document_connector(NULL, base, NULL, NULL);
        if (push(connector)) atomic_fetch_add(&failures, 1);
        casehook_connector_unref(connector);
    }
    return NULL;
}

static void many_threads_on_one_connector(void **state)
{
    (void)state;
    struct http_log *log = http_log_new();
    struct http_server *server = http_server_start(log, "tracker", NULL, answer, NULL);
    pthread_t threads[THREADS], other;
    snprintf(base, sizeof base, "http://127.0.0.1:%u", http_server_port(server));
    struct casehook_connector *connector = document_connector(NULL, base, NULL, NULL);
    assert_int_equal(pthread_create(&other, NULL, maker, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, pusher, connector), 0);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    atomic_store(&done, true);
    pthread_join(other, NULL);
    casehook_connector_unref(connector);
    assert_int_equal(atomic_load(&failures), 0);
    assert_int_equal(atomic_load(&pushed), THREADS * PUSHES);
    assert_true(http_log_count(log) >= 2 * THREADS * PUSHES);
    http_server_stop(server, 5000);
    http_log_free(log);
}

/* ---- connectors of one settings object ---------------------------------------------------------- */

#define SHARED 4

static struct casehook_settings *brief;
static struct casehook_connector *shared[SHARED];

/* Calls on all of them and on its own, previews and wrong params: whoever gives a slot back closes others' */
static void *mixer(void *user)
{
    const size_t *seed = user;
    for (size_t i = *seed; i < *seed + PUSHES / 4; i++) {
        struct casehook_params params = {.struct_size = sizeof params, .title = i % 3 ? "t" : NULL};
        struct casehook_connector *own = document_connector(brief, base, NULL, NULL),
                                  *kept = casehook_connector_ref(shared[i % SHARED]);
        struct casehook_result *result = NULL;
        if (push(own) || push(kept) || push(shared[(i + 1) % SHARED])) atomic_fetch_add(&failures, 1);
        casehook_preview(shared[(i + 2) % SHARED], CASEHOOK_PUSH, &params, &result);
        casehook_result_free(result);
        casehook_connector_unref(kept);
        casehook_connector_unref(own);
    }
    return NULL;
}

static void run_mixers(const char *settings)
{
    size_t seeds[THREADS];
    pthread_t threads[THREADS];
    brief = document_settings(settings);
    for (size_t i = 0; i < SHARED; i++) shared[i] = document_connector(brief, base, NULL, NULL);
    for (size_t i = 0; i < THREADS; i++) {
        seeds[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, mixer, &seeds[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    casehook_settings_free(brief);
    for (size_t i = 0; i < SHARED; i++) casehook_connector_unref(shared[i]);
}

static void many_connectors_of_one_settings_object(void **state)
{
    (void)state;
    struct http_log *log = http_log_new();
    struct http_server *server = http_server_start(log, "tracker", NULL, answer, NULL);
    snprintf(base, sizeof base, "http://127.0.0.1:%u", http_server_port(server));
    atomic_store(&failures, 0);
    run_mixers("{\"idleTimeout\":1}");
    run_mixers("{\"idleTimeout\":1,\"maxIdleConnections\":1}");
    run_mixers("{\"maxIdleConnections\":0}");
    assert_int_equal(atomic_load(&failures), 0);
    assert_int_equal(http_log_count(log), 3 * THREADS * (PUSHES / 4) * 3 * 2);
    assert_int_equal(http_server_stop(server, 5000), 0);
    http_log_free(log);
}

static void slow_answer(void *user, const struct http_request *request, struct http_response *response)
{
    answer(user, request, response);
    response->delay_ms = 300;
}

struct handles {
    struct casehook_connector *connector;
    struct casehook_cancel *cancel;
    bool set;
};

static void *let_go(void *user)
{
    const struct handles *handles = user;
    const struct timespec soon = {0, 100000000};
    nanosleep(&soon, NULL);
    casehook_connector_unref(handles->connector);
    if (handles->set) casehook_cancel_set(handles->cancel);
    casehook_cancel_free(handles->cancel);
    return NULL;
}

/* A call that runs keeps its connector and its cancel handle. */
static void handles_are_let_go_meanwhile(void **state)
{
    (void)state;
    struct http_log *log = http_log_new();
    struct http_server *server = http_server_start(log, "tracker", NULL, slow_answer, NULL);
    snprintf(base, sizeof base, "http://127.0.0.1:%u", http_server_port(server));
    for (int set = 0; set < 2; set++) {
        struct handles handles = {.connector = document_connector(NULL, base, NULL, NULL), .set = set};
        struct casehook_params params = {.struct_size = sizeof params, .title = "t"};
        struct casehook_result *result = NULL;
        pthread_t thread;
        assert_int_equal(casehook_cancel_new(NULL, &handles.cancel), CASEHOOK_OK);
        struct casehook_options options = {.struct_size = sizeof options, .cancel = handles.cancel};
        assert_int_equal(pthread_create(&thread, NULL, let_go, &handles), 0);
        assert_int_equal(casehook_create(handles.connector, &params, &options, &result),
                         set ? CASEHOOK_E_CANCELLED : CASEHOOK_OK);
        pthread_join(thread, NULL);
        casehook_result_free(result);
    }
    http_server_stop(server, 5000);
    http_log_free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(many_threads_on_one_connector),
                                       cmocka_unit_test(many_connectors_of_one_settings_object),
                                       cmocka_unit_test(handles_are_let_go_meanwhile)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
