/* test_fork.c - handles of the parent in a child process. */
#include "certs.h"
#include "documents.h"
#include "http_server.h"
#include "process.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const struct http_header json_header[] = {{"Content-Type", "application/json"}};

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
    casehook_result_free(result);
    return status;
}

/* The child finds the handle refused and releases it; the exit code says whether it was refused. */
static void in_child(struct casehook_connector *connector)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        int refused = push(connector) == CASEHOOK_E_FORKED;
        casehook_connector_unref(connector);
        process_leave(!refused);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* The parent's connection lives on: a child that closed it properly would have ended it for both. */
static void run(const struct http_tls *tls, const char *config)
{
    char base[64];
    struct http_log *log = http_log_new();
    struct http_server *server = http_server_start(log, "tracker", tls, answer, NULL);
    assert_non_null(server);
    snprintf(base, sizeof base, "http%s://localhost:%u", tls ? "s" : "", http_server_port(server));
    struct casehook_connector *connector = document_connector(NULL, base, config, NULL);
    assert_int_equal(push(connector), CASEHOOK_OK);
    in_child(connector);
    assert_int_equal(push(connector), CASEHOOK_OK);
    casehook_connector_unref(connector);
    assert_int_equal(http_log_count(log), 4);
    assert_int_equal(http_log_at(log, 3)->connection, 0);
    http_server_stop(server, 5000);
    http_log_free(log);
}

static void plain(void **state)
{
    (void)state;
    run(NULL, NULL);
}

static void tls(void **state)
{
    (void)state;
    struct certs *certs =
        certs_make_recipe("{\"certs\":{\"ca\":{\"subject\":\"CN=Test CA\",\"ca\":true,\"issuer\":\"self\"},"
                          "\"server\":{\"subject\":\"CN=localhost\",\"issuer\":\"ca\",\"san\":[\"DNS:"
                          "localhost\"]}},\"files\":{}}");
    size_t length;
    char config[4096], *at = config;
    struct http_tls server = {.certificate = certs_file(certs, "server.crt", &length),
                              .key = certs_file(certs, "server.key", &length)};
    at += sprintf(at, "\"ca\":\"");
    for (const char *c = certs_file(certs, "ca.crt", &length); *c; c++)
        at += sprintf(at, *c == '\n' ? "\\n" : "%c", *c);
    sprintf(at, "\"");
    run(&server, config);
    certs_free(certs);
}

/* ---- a thread that is in the middle of something, and is not there in the child -------------------- */

#define ALARM_S 30

static _Thread_local int calls_left; /* of the allocator, in the thread that is to be stopped */
static atomic_bool stopped;
static int stops[2], goes[2]; /* pipes: it has stopped or ended, it may go on */

static void *reallocate(void *user, void *pointer, size_t size)
{
    char byte = 0;
    (void)user;
    if (calls_left && --calls_left == 0) {
        atomic_store(&stopped, true);
        if (write(stops[1], &byte, 1) != 1 || read(goes[0], &byte, 1) != 1) abort();
    }
    if (size) return realloc(pointer, size);
    free(pointer);
    return NULL;
}

struct thread {
    struct casehook_connector *connector;
    int calls;
};

/* Closes what rests, and reads the system's CAs. */
static void *stop_in_a_push(void *user)
{
    const struct thread *thread = user;
    calls_left = thread->calls;
    push(thread->connector);
    calls_left = 0;
    if (write(stops[1], "", 1) != 1) abort();
    return NULL;
}

/* Whatever lock it held: the child releases what is the parent's, and makes new connectors of its settings.
 */
static void while_another_thread_works(void **state)
{
    static const char *const nowhere = "https://127.0.0.1:1";
    struct http_log *log = http_log_new();
    struct http_server *server = http_server_start(log, "tracker", NULL, answer, NULL);
    char base[64], byte;
    int calls = 0;
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    print_message("SKIP while_another_thread_works: AddressSanitizer's allocator has locks that fork() "
                  "leaves locked\n");
    skip();
#endif
    snprintf(base, sizeof base, "http://127.0.0.1:%u", http_server_port(server));
    assert_true(pipe(stops) == 0 && pipe(goes) == 0);
    do {
        const struct casehook_allocator allocator = {.struct_size = sizeof allocator,
                                                     .reallocate = reallocate};
        struct casehook_settings *settings = NULL;
        assert_int_equal(casehook_settings_new(&allocator, &settings), CASEHOOK_OK);
        assert_int_equal(
            casehook_settings_load_json(settings, "{\"idleTimeout\":1}", CASEHOOK_TERMINATED, NULL),
            CASEHOOK_OK);
        struct casehook_connector *rested = document_connector(settings, base, NULL, NULL);
        struct thread thread = {document_connector(settings, nowhere, NULL, NULL), ++calls};
        pthread_t id;
        int status = -1;
        atomic_store(&stopped, false);
        assert_int_equal(push(rested), CASEHOOK_OK);
        poll(NULL, 0, 2);
        assert_int_equal(pthread_create(&id, NULL, stop_in_a_push, &thread), 0);
        assert_int_equal(read(stops[0], &byte, 1), 1);
        pid_t child = fork();
        if (child == 0) {
            alarm(ALARM_S);
            casehook_connector_unref(rested);
            struct casehook_connector *own = document_connector(settings, base, NULL, NULL),
                                      *secure = document_connector(settings, nowhere, NULL, NULL);
            bool done = push(own) == CASEHOOK_OK && push(secure) == CASEHOOK_E_CONNECT;
            casehook_connector_unref(own);
            casehook_connector_unref(secure);
            casehook_settings_free(settings);
            process_leave(!done);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) fail_msg("at call %d: status %d", calls, status);
        if (atomic_load(&stopped)) {
            assert_int_equal(write(goes[1], "", 1), 1);
            assert_int_equal(read(stops[0], &byte, 1), 1); /* it has ended */
        }
        pthread_join(id, NULL);
        casehook_connector_unref(rested);
        casehook_connector_unref(thread.connector);
        casehook_settings_free(settings);
    } while (atomic_load(&stopped));
    assert_true(calls > 5);
    print_message("stopped at %d calls\n", calls - 1);
    http_server_stop(server, 5000);
    http_log_free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(plain), cmocka_unit_test(tls),
                                       cmocka_unit_test(while_another_thread_works)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
