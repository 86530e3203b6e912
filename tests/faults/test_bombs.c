/*
 * test_bombs.c - answers that never end or become very large (H5): each ends within its limit, in bounded
 * memory, with an error that names the limit.
 */
#include "bombs.h"
#include "listener.h"
#include "memory.h"
#include "process.h"
#include "real.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define SECONDS_MAX 6                  /* responseTimeout is two */
#define GROWTH_MAX  (24 * 1024 * 1024) /* 8 MiB are a limit of one bomb; a buffer doubles as it grows */

#if defined(__SANITIZE_ADDRESS__)
#define MEASURES_MEMORY 0 /* freed memory is kept for a while */
#else
#define MEASURES_MEMORY 1
#endif

static const struct bomb *current;

static void serve(void *user, struct stream *stream, size_t connection)
{
    struct http_input input = {.stream = stream};
    struct http_request request;
    (void)user;
    (void)connection;
    while (http_request_read(&input, &request)) {
        int tunnel = strcmp(request.method, "CONNECT") == 0;
        http_request_clear(&request);
        current->send(stream);
        if (tunnel) break;
    }
    free(input.bytes);
}

/* ---- memory and time -------------------------------------------------------------------------- */

/* A line of /proc/self/status in bytes, 0 where there is none. */
static size_t memory(const char *name)
{
    char line[128];
    size_t kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0) kib = strtoul(line + strlen(name), NULL, 10);
    if (file) fclose(file);
    return kib * 1024;
}

/* The peak begins anew; how much is used now. */
static size_t forget_peak(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (file) fputs("5", file);
    if (file) fclose(file);
    return memory("VmRSS:");
}

static double seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* ---- one bomb --------------------------------------------------------------------------------- */

static struct answer call(const char *settings, const char *base, int operation)
{
    struct answer answer;
    struct client client = client_new(settings, base, NULL, NULL, &answer);
    assert_non_null(client.connector);
    size_t used = forget_peak();
    double begin = seconds();
    answer = client_call(&client, operation, NULL);
    double passed = seconds() - begin;
    size_t peak = memory("VmHWM:"), growth = peak > used ? peak - used : 0;
    client_free(&client);
    print_message("%-30s %-6s %4d %6.2f s %6zu KiB  %.100s\n", current->name,
                  operation == CASEHOOK_GET ? "get" : "create", answer.status, passed, growth / 1024,
                  answer.message);
    if (process_under_valgrind()) return answer; /* its own copy of everything would be counted too */
    assert_true(passed < SECONDS_MAX);
    if (MEASURES_MEMORY) assert_true(growth < GROWTH_MAX);
    return answer;
}

static void expect(const struct answer *answer, int operation)
{
    /* Who sends without end has long turns there, so the time may be over before a limit is reached. */
    if (process_under_valgrind() && answer->status == CASEHOOK_E_TIMEOUT) return;
    if (current->status > 0)
        assert_int_not_equal(answer->status, CASEHOOK_OK);
    else
        assert_int_equal(answer->status, current->status);
    if (current->message) assert_non_null(strstr(answer->message, current->message));
    assert_int_not_equal(answer->status, CASEHOOK_E_NO_MEMORY);
    if (operation == CASEHOOK_CREATE && answer->outcome == CASEHOOK_OUTCOME_UNKNOWN)
        assert_int_equal(answer->retryable, 0);
}

static struct listener *start(const char **base)
{
    struct listener *listener = listener_start(NULL, serve, NULL);
    assert_non_null(listener);
    *base = text_of("http://127.0.0.1:%u", listener_port(listener));
    return listener;
}

static void stop(struct listener *listener)
{
    listener_stop(listener, 2000);
    listener_free(listener);
}

static void all_bombs(void **state)
{
    (void)state;
    static const int operations[] = {CASEHOOK_CREATE, CASEHOOK_GET};
    const char *base;
    struct listener *listener = start(&base);
    for (size_t i = 0; i < bomb_count * 2; i++) {
        int operation = operations[i % 2];
        current = &bombs[i / 2];
        if (current->operation && current->operation != operation) continue;
        struct answer answer =
            call(current->settings ? current->settings : "{\"responseTimeout\":2000}", base, operation);
        expect(&answer, operation);
    }
    stop(listener);
}

/* The same from a proxy, in place of an answer to CONNECT: nothing of the case is sent. */
static void bombs_of_a_proxy(void **state)
{
    (void)state;
    const char *base;
    struct listener *listener = start(&base);
    for (size_t i = 0; i < bomb_count; i++) {
        current = &bombs[i];
        if (current->operation || current->settings) continue;
        struct answer answer = call(text_of("{\"responseTimeout\":2000,\"proxyUrl\":\"%s\"}", base),
                                    "https://tracker.example", CASEHOOK_CREATE);
        assert_int_not_equal(answer.status, CASEHOOK_OK);
        assert_int_not_equal(answer.status, CASEHOOK_E_NO_MEMORY);
        assert_int_equal(answer.outcome, CASEHOOK_OUTCOME_NOT_SENT);
    }
    stop(listener);
}

/* ---- a tunnel that is made anew ------------------------------------------------------------------ */

/* The second request gets no answer on the connection of the first: libcurl tries a GET on a new one. */
static void answer_once(void *user, const struct http_request *request, struct http_response *response)
{
    tracker_answer(user, request, response);
    if (request->number > 0) response->fault = HTTP_CLOSE_BEFORE_RESPONSE;
}

static void pass_one(void *user, struct stream *stream, size_t connection)
{
    static const char ok[] = "HTTP/1.1 200 OK\r\n\r\n";
    struct http_input input = {.stream = stream};
    struct http_request request;
    if (!http_request_read(&input, &request)) return;
    http_request_clear(&request);
    int other = connection ? -1 : stream_connect("127.0.0.1", user);
    if (other >= 0 && !stream_write(stream, ok, sizeof ok - 1)) stream_relay(stream, other);
    if (other >= 0) close(other);
    if (connection) current->send(stream);
    free(input.bytes);
}

static atomic_int tunnel_may_open;

/* The answer to CONNECT comes when the host has done a lot of other things. */
static void open_late(void *user, struct stream *stream, size_t connection)
{
    static const char ok[] = "HTTP/1.1 200 OK\r\n\r\n";
    struct http_input input = {.stream = stream};
    struct http_request request;
    (void)connection;
    if (!http_request_read(&input, &request)) return;
    http_request_clear(&request);
    while (!atomic_load(&tunnel_may_open)) poll(NULL, 0, 1);
    int other = stream_connect("127.0.0.1", user);
    if (other >= 0 && !stream_write(stream, ok, sizeof ok - 1)) stream_relay(stream, other);
    if (other >= 0) close(other);
    free(input.bytes);
}

/* What a proxy sends is counted, not how often the host looks whether it has. */
static void a_tunnel_that_takes_long(void **state)
{
    (void)state;
    char port[16];
    uint64_t ticket = 0;
    struct casehook_result *result;
    struct casehook_loop *loop = NULL;
    struct certs *certs =
        certs_make_recipe("{\"certs\":{\"server\":{\"subject\":\"CN=localhost\",\"issuer\":\"self\"}},"
                          "\"files\":{}}");
    assert_non_null(certs);
    struct http_log *log = http_log_new();
    struct http_tls tls = {.certificate = pem_of(certs, "server.crt"), .key = pem_of(certs, "server.key")};
    struct http_server *server = http_server_start(log, "tracker", &tls, tracker_answer, NULL);
    snprintf(port, sizeof port, "%u", http_server_port(server));
    struct listener *proxy = listener_start(NULL, open_late, port);
    struct answer answer;
    struct client client = client_new(text_of("{\"connectTimeout\":\"60s\",\"ssl.verificationMode\":\"none\","
                                              "\"proxyUrl\":\"http://127.0.0.1:%u\"}",
                                              listener_port(proxy)),
                                      text_of("https://localhost:%s", port), NULL, NULL, &answer);
    assert_non_null(client.connector);
    assert_int_equal(casehook_loop_new(NULL, &loop), CASEHOOK_OK);
    assert_int_equal(casehook_loop_submit_json(loop, client.connector, CASEHOOK_CREATE, "{\"title\":\"t\"}",
                                               CASEHOOK_TERMINATED, NULL, NULL, NULL),
                     CASEHOOK_OK);
    for (int turns = 0; turns < 70000; turns++) casehook_loop_process(loop);
    atomic_store(&tunnel_may_open, 1);
    while (result = casehook_loop_next(loop, &ticket), !ticket) casehook_loop_wait(loop, -1);
    answer = answer_from(result);
    if (answer.status) fail_msg("%s", answer.message);
    casehook_loop_free(loop);
    client_free(&client);
    stop(proxy);
    http_server_stop(server, 2000);
    http_log_free(log);
    certs_free(certs);
}

/* The request was about to be sent before: the answer to the second CONNECT has its limit all the same. */
static void bombs_of_a_second_tunnel(void **state)
{
    (void)state;
    struct certs *certs =
        certs_make_recipe("{\"certs\":{\"server\":{\"subject\":\"CN=localhost\",\"issuer\":\"self\"}},"
                          "\"files\":{}}");
    assert_non_null(certs);
    for (size_t i = 0; i < bomb_count; i++) {
        char port[16];
        current = &bombs[i];
        if (!strstr(current->name, "refusal")) continue;
        struct http_log *log = http_log_new();
        struct http_tls tls = {.certificate = pem_of(certs, "server.crt"),
                               .key = pem_of(certs, "server.key")};
        struct http_server *server = http_server_start(log, "tracker", &tls, answer_once, NULL);
        snprintf(port, sizeof port, "%u", http_server_port(server));
        struct listener *proxy = listener_start(NULL, pass_one, port);
        struct answer answer = call(text_of("{\"responseTimeout\":2000,\"ssl.verificationMode\":\"none\","
                                            "\"proxyUrl\":\"http://127.0.0.1:%u\"}",
                                            listener_port(proxy)),
                                    text_of("https://localhost:%s", port), CASEHOOK_CREATE);
        assert_int_equal(answer.status, CASEHOOK_E_PROXY);
        assert_int_equal(listener_accepted(proxy), 2);
        assert_int_equal(http_log_count(log), 2);
        stop(proxy);
        http_server_stop(server, 2000);
        http_log_free(log);
    }
    certs_free(certs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_bombs), cmocka_unit_test(bombs_of_a_proxy),
                                       cmocka_unit_test(bombs_of_a_second_tunnel),
                                       cmocka_unit_test(a_tunnel_that_takes_long)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
