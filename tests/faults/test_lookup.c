/*
 * test_lookup.c - names: addresses that change or are mixed (U5), and look-ups that hang.
 *
 * denyPrivateAddresses is decided on the address that a socket is opened for, so what a name was before
 * does not matter.
 */
#include "http_proxy.h"
#include "lookup.h"
#include "real.h"

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#define DENY "\"denyPrivateAddresses\":true"

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* ---- a tracker -------------------------------------------------------------------------------- */

static struct http_log *http;
static struct http_server *tracker, *other;
static const char *redirect_to; /* GETs are redirected there */

static void answer(void *user, const struct http_request *request, struct http_response *response)
{
    static struct http_header header = {"Location", NULL};
    tracker_answer(user, request, response);
    if (!redirect_to || strcmp(request->method, "GET") != 0 || strcmp(request->server, "tracker") != 0)
        return;
    header.value = redirect_to;
    *response = (struct http_response){.status = 302, .headers = &header, .header_count = 1};
}

static int start(void **state)
{
    (void)state;
    redirect_to = NULL;
    http = http_log_new();
    tracker = http_server_start(http, "tracker", NULL, answer, NULL);
    other = http_server_start(http, "other", NULL, answer, NULL);
    return tracker && other ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    http_server_stop(tracker, 2000);
    http_server_stop(other, 2000);
    http_log_free(http);
    return 0;
}

static const char *base_of(const char *host, struct http_server *server)
{
    return text_of("http://%s:%u", host, http_server_port(server));
}

static const char *const loopback[] = {"127.0.0.1", NULL}, *const loopback6[] = {"::1", NULL},
                         *const elsewhere[] = {"192.0.2.1", NULL}, *const both[] = {"127.0.0.1", "::1", NULL};

static void expect_denied(const struct answer *given, const char *kind)
{
    if (given->status != CASEHOOK_E_POLICY) print_message("status %d: %s\n", given->status, given->message);
    assert_int_equal(given->status, CASEHOOK_E_POLICY);
    assert_int_equal(given->outcome, CASEHOOK_OUTCOME_NOT_SENT);
    assert_non_null(strstr(given->message, "denyPrivateAddresses"));
    assert_non_null(strstr(given->message, kind));
}

/* ---- addresses -------------------------------------------------------------------------------- */

static void a_name_that_changes(void **state)
{
    (void)state;
    struct answer given;
    struct client client = client_new("{" DENY ",\"allowedAddresses\":[\"::1\"],\"idleTimeout\":1}",
                                      base_of("flip.test", tracker), NULL, NULL, &given);
    assert_non_null(client.connector);
    lookup_set("flip.test", loopback6);
    assert_int_equal(client_call(&client, CASEHOOK_GET, NULL).status, CASEHOOK_OK);
    size_t before = http_server_connections(tracker);
    lookup_set("flip.test", loopback);
    client_free(&client); /* libcurl remembers a name for as long as its handle lives */
    client = client_new("{" DENY ",\"allowedAddresses\":[\"::1\"]}", base_of("flip.test", tracker), NULL,
                        NULL, &given);
    given = client_call(&client, CASEHOOK_CREATE, NULL);
    expect_denied(&given, "loopback");
    assert_true(lookup_count() > 0);
    lookup_set("flip.test", loopback6);
    assert_int_equal(http_server_connections(tracker), before);
    client_free(&client);
}

/* Of several addresses only those that may be used are tried, in whatever order they come. */
static void mixed_addresses(void **state)
{
    (void)state;
    static const char *const orders[][4] = {{"127.0.0.1", "::1", NULL},
                                            {"::1", "127.0.0.1", NULL},
                                            {"169.254.169.254", "127.0.0.1", "::1", NULL},
                                            {"::ffff:127.0.0.1", "::1", "127.0.0.1", NULL}};
    for (size_t i = 0; i < COUNT(orders) * 2; i++) {
        const char *allowed = i & 1 ? "127.0.0.1" : "::1";
        size_t before = http_log_count(http);
        lookup_set("mixed.test", orders[i / 2]);
        struct answer given = call_once(text_of("{" DENY ",\"allowedAddresses\":[\"%s\"]}", allowed),
                                        base_of("mixed.test", tracker), NULL, NULL, CASEHOOK_GET);
        if (given.status) print_message("%zu: %s\n", i, given.message);
        assert_int_equal(given.status, CASEHOOK_OK);
        assert_int_equal(http_log_count(http), before + 1);
        assert_int_equal(http_log_at(http, before)->ipv6, !(i & 1));
    }
    lookup_set("mixed.test", both);
    struct answer given =
        call_once("{" DENY "}", base_of("mixed.test", tracker), NULL, NULL, CASEHOOK_CREATE);
    expect_denied(&given, "loopback");
    assert_int_equal(http_server_connections(tracker), COUNT(orders) * 2);
}

static void special_kinds(void **state)
{
    (void)state;
    static const char *const kinds[][2] = {{"10.1.2.3", "private"},
                                           {"169.254.169.254", "link-local"},
                                           {"100.64.0.1", "carrier"},
                                           {"0.0.0.0", "this network"},
                                           {"::", "unspecified"},
                                           {"fe80::1", "link-local"},
                                           {"::ffff:127.0.0.1", "loopback"},
                                           {"64:ff9b::7f00:1", "loopback"},
                                           {"2002:7f00:1::", "loopback"},
                                           {"fd00::1", "private"}};
    for (size_t i = 0; i < COUNT(kinds); i++) {
        const char *const addresses[] = {kinds[i][0], NULL};
        lookup_set("special.test", addresses);
        struct answer given =
            call_once("{" DENY "}", base_of("special.test", tracker), NULL, NULL, CASEHOOK_CREATE);
        expect_denied(&given, kinds[i][1]);
    }
    assert_int_equal(http_server_connections(tracker), 0);
}

/* The first hop is allowed, the target of the redirect is a name of a private address. */
static void redirect_hops(void **state)
{
    (void)state;
    const char *settings = "{" DENY ",\"allowedAddresses\":[\"::1\"]}";
    redirect_to = text_of("http://inside.test:%u/", http_server_port(other));
    lookup_set("inside.test", loopback);
    struct answer given = call_once(settings, base_of("[::1]", tracker), NULL, NULL, CASEHOOK_GET);
    expect_denied(&given, "loopback");
    redirect_to = text_of("http://127.1:%u/", http_server_port(other));
    given = call_once(settings, base_of("[::1]", tracker), NULL, NULL, CASEHOOK_GET);
    assert_int_equal(given.status, CASEHOOK_E_POLICY);
    assert_non_null(strstr(given.message, "denyPrivateAddresses"));
    assert_int_equal(http_server_connections(other), 0);
    redirect_to = text_of("http://inside.test:%u/", http_server_port(other));
    lookup_set("inside.test", loopback6);
    given = call_once(settings, base_of("[::1]", tracker), NULL, NULL, CASEHOOK_GET);
    assert_int_equal(given.status, CASEHOOK_OK);
    assert_int_equal(http_server_connections(other), 1);
}

/* The proxy's own address counts; what a name is for the proxy is not known here. */
static void proxies(void **state)
{
    (void)state;
    struct http_proxy *proxy = http_proxy_start(http, "proxy", NULL, HTTP_PROXY_PASS);
    unsigned port = http_proxy_port(proxy);
    const char *target = base_of("127.0.0.1", tracker);
    lookup_set("proxy.test", loopback);
    struct answer given = call_once(text_of("{" DENY ",\"proxyUrl\":\"http://proxy.test:%u\"}", port),
                                    "http://tracker.example", NULL, NULL, CASEHOOK_CREATE);
    expect_denied(&given, "loopback");
    given = call_once(text_of("{" DENY ",\"allowConnectorProxy\":true}"), "https://tracker.example",
                      text_of("\"proxyUrl\":\"http://proxy.test:%u\"", port), NULL, CASEHOOK_CREATE);
    expect_denied(&given, "loopback");
    given = call_once(text_of("{" DENY ",\"proxyUrl\":\"http://127.0.0.1:%u\"}", port),
                      "http://tracker.example", NULL, NULL, CASEHOOK_CREATE);
    assert_int_equal(given.status, CASEHOOK_E_POLICY);
    given = call_once(
        text_of("{" DENY ",\"proxyUrl\":\"http://proxy.test:%u\",\"allowedAddresses\":[\"::1\"]}", port),
        target, NULL, NULL, CASEHOOK_CREATE);
    assert_int_equal(given.status, CASEHOOK_E_POLICY); /* a literal target, through a proxy too */
    assert_true(given.refused);
    assert_int_equal(http_proxy_connections(proxy), 0);
    lookup_set("proxy.test", loopback6);
    given = call_once(
        text_of("{" DENY ",\"proxyUrl\":\"http://proxy.test:%u\",\"allowedAddresses\":[\"::1\"]}", port),
        base_of("localhost", tracker), NULL, NULL, CASEHOOK_GET);
    assert_int_equal(given.status, CASEHOOK_OK);
    assert_int_equal(http_proxy_connections(proxy), 1);
    /* A redirect to a literal address: no socket for it is opened here, the proxy would open it. */
    redirect_to = text_of("http://0x7f.1:%u/", http_server_port(other));
    given = call_once(
        text_of("{" DENY ",\"proxyUrl\":\"http://proxy.test:%u\",\"allowedAddresses\":[\"::1\"]}", port),
        base_of("localhost", tracker), NULL, NULL, CASEHOOK_GET);
    assert_int_equal(given.status, CASEHOOK_E_POLICY);
    assert_non_null(strstr(given.message, "denyPrivateAddresses"));
    assert_int_equal(http_proxy_connections(proxy), 2); /* the first hop's */
    assert_int_equal(http_server_connections(other), 0);
    http_proxy_stop(proxy, 2000);
}

static void unknown_names(void **state)
{
    (void)state;
    lookup_set("other.test", elsewhere);
    struct answer given = call_once("{}", base_of("unknown.test", tracker), NULL, NULL, CASEHOOK_CREATE);
    assert_int_equal(given.status, CASEHOOK_E_RESOLVE);
    assert_int_equal(given.outcome, CASEHOOK_OUTCOME_NOT_SENT);
    assert_int_equal(given.retryable, 1);
}

/* ---- look-ups that hang ------------------------------------------------------------------------- */

#define LIMIT 300
#define SLACK 200

struct hanging {
    const char *settings, *names;
    uint32_t deadline_ms;
    int status;
};

static void expect_time(int64_t passed, int64_t wanted)
{
    bool good = passed >= wanted - 5 && passed <= wanted + SLACK;
    if (!good) print_message("%lld ms, wanted %lld\n", (long long)passed, (long long)wanted);
    assert_true(good);
}

static void limits_hold(void **state)
{
    (void)state;
    static const struct hanging cases[] = {
        {"{\"responseTimeout\":300}", "responseTimeout", 0, CASEHOOK_E_TIMEOUT},
        {"{\"connectTimeout\":300}", "connectTimeout", 0, CASEHOOK_E_TIMEOUT},
        {"{}", "deadline", LIMIT, CASEHOOK_E_TIMEOUT}};
    lookup_hang();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct answer given;
        struct client client = client_new(cases[i].settings, "http://hang.test", NULL, NULL, &given);
        struct casehook_params params = {.struct_size = sizeof params, .title = "t"};
        struct casehook_options options = {.struct_size = sizeof options,
                                           .deadline_ms = cases[i].deadline_ms};
        struct casehook_result *result = NULL;
        int64_t begin = now();
        int status = casehook_create(client.connector, &params, &options, &result);
        expect_time(now() - begin, LIMIT);
        const struct casehook_error *error = casehook_result_error(result);
        assert_int_equal(status, CASEHOOK_E_TIMEOUT);
        assert_int_equal(casehook_error_outcome(error), CASEHOOK_OUTCOME_NOT_SENT);
        if (!strstr(casehook_error_message(error), cases[i].names))
            print_message("%s\n", casehook_error_message(error));
        assert_non_null(strstr(casehook_error_message(error), cases[i].names));
        casehook_result_free(result);
        begin = now();
        client_free(&client); /* with a thread of libcurl still in the look-up */
        expect_time(now() - begin, 0);
    }
    lookup_release();
}

static void *cancel_soon(void *user)
{
    poll(NULL, 0, 100);
    casehook_cancel_set(user);
    return NULL;
}

static void cancel_ends_it(void **state)
{
    (void)state;
    struct answer given;
    struct casehook_cancel *cancel = NULL;
    pthread_t thread;
    lookup_hang();
    struct client client = client_new("{}", "http://hang.test", NULL, NULL, &given);
    struct casehook_params params = {.struct_size = sizeof params, .title = "t"};
    assert_int_equal(casehook_cancel_new(NULL, &cancel), CASEHOOK_OK);
    struct casehook_options options = {.struct_size = sizeof options, .cancel = cancel};
    struct casehook_result *result = NULL;
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, cancel), 0);
    int64_t begin = now();
    assert_int_equal(casehook_create(client.connector, &params, &options, &result), CASEHOOK_E_CANCELLED);
    expect_time(now() - begin, 100);
    assert_int_equal(casehook_error_outcome(casehook_result_error(result)), CASEHOOK_OUTCOME_NOT_SENT);
    pthread_join(thread, NULL);
    casehook_result_free(result);
    client_free(&client);
    casehook_cancel_free(cancel);
    lookup_release();
}

/* A loop that is freed, and one whose operation is cancelled, in the middle of a look-up. */
static void loops_do_not_wait(void **state)
{
    (void)state;
    for (int cancelled = 0; cancelled < 2; cancelled++) {
        struct answer given;
        struct casehook_loop *loop = NULL;
        uint64_t ticket = 0;
        lookup_hang();
        struct client client = client_new("{}", "http://hang.test", NULL, NULL, &given);
        struct casehook_params params = {.struct_size = sizeof params, .title = "t"};
        assert_int_equal(casehook_loop_new(NULL, &loop), CASEHOOK_OK);
        assert_int_equal(
            casehook_loop_submit(loop, client.connector, CASEHOOK_CREATE, &params, NULL, &ticket, NULL),
            CASEHOOK_OK);
        assert_int_equal(casehook_loop_wait(loop, 100), CASEHOOK_OK);
        int64_t begin = now();
        if (cancelled) {
            assert_int_equal(casehook_loop_cancel(loop, ticket), CASEHOOK_OK);
            assert_int_equal(casehook_loop_wait(loop, 5000), CASEHOOK_OK);
            struct casehook_result *result = casehook_loop_next(loop, NULL);
            assert_int_equal(casehook_error_status(casehook_result_error(result)), CASEHOOK_E_CANCELLED);
            casehook_result_free(result);
        }
        client_free(&client);
        casehook_loop_free(loop);
        expect_time(now() - begin, 0);
        lookup_release();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_name_that_changes, start, stop),
        cmocka_unit_test_setup_teardown(mixed_addresses, start, stop),
        cmocka_unit_test_setup_teardown(special_kinds, start, stop),
        cmocka_unit_test_setup_teardown(redirect_hops, start, stop),
        cmocka_unit_test_setup_teardown(proxies, start, stop),
        cmocka_unit_test_setup_teardown(unknown_names, start, stop),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(cancel_ends_it),
        cmocka_unit_test(loops_do_not_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
