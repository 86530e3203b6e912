/*
 * test_redirects.c - what goes along when a server points to another origin: nothing.
 *
 * Everything that a connector could lose carries the word canary; the second origin must see none of it.
 */
#include "real.h"

enum { HTTP_A, HTTP_B, HTTPS_A, HTTPS_B, SERVERS };

static struct certs *certs;
static struct http_log *http;
static struct http_server *servers[SERVERS];

/* Where the servers point to; written before a call, read while it runs. */
static struct {
    int status;
    const char *location; /* of /issue... */
    const char *back;     /* of /second; NULL: that is answered */
} way;

static void answer(void *user, const struct http_request *request, struct http_response *response)
{
    static struct http_header header = {"Location", NULL};
    int second = strncmp(request->target, "/second", 7) == 0, third = strcmp(request->target, "/third") == 0;
    tracker_answer(user, request, response);
    if (third || (second && !way.back)) {
        response->status = 200;
        response->body = "{\"id\":\"7\",\"key\":\"K-7\"}";
        response->body_length = strlen(response->body);
    } else if (second || way.location) {
        header.value = second ? way.back : way.location;
        *response = (struct http_response){.status = way.status, .headers = &header, .header_count = 1};
    }
    if (!second && !third) way.location = NULL; /* the next call of the same operation finds its answer */
}

static int start(void **state)
{
    (void)state;
    static const char *const names[] = {"DNS:localhost", "DNS:sub.localhost", "IP:127.0.0.1", NULL};
    static const struct certs_spec specs[] = {
        {.name = "ca1", .ca = true},
        {.name = "server", .issuer = "ca1", .san = names},
        {.name = "client", .subject = "CN=canary-client", .issuer = "ca1"}};
    certs = certs_new();
    for (size_t i = 0; i < COUNT(specs); i++) certs_make(certs, &specs[i]);
    const char *ca = pem_of(certs, "ca1.crt");
    struct http_tls tls = {.certificate = pem_of(certs, "server.crt"),
                           .key = pem_of(certs, "server.key"),
                           .client_ca = ca,
                           .client_optional = 1};
    http = http_log_new();
    for (int i = 0; i < SERVERS; i++) {
        const char *label = i == HTTP_A || i == HTTPS_A ? "first" : "second";
        servers[i] = http_server_start(http, label, i >= HTTPS_A ? &tls : NULL, answer, NULL);
        assert_non_null(servers[i]);
    }
    return 0;
}

static int stop(void **state)
{
    (void)state;
    clients_end();
    for (int i = 0; i < SERVERS; i++) http_server_stop(servers[i], 5000);
    http_log_free(http);
    certs_free(certs);
    return 0;
}

/* ---- connectors full of canaries ---------------------------------------------------------------- */

/* By http with basic authentication, by https with a client certificate and a token. */
static struct client open_client(int secure, int patch)
{
    struct answer made;
    const char *auth = secure ? WITH_CERTIFICATE : "\"hasAuth\":true,\"authType\":\"basic\"";
    const char *secrets =
        secure ? text_of("%s,\"secretHeaders\":{\"X-Secret\":\"canary-secret\",\"Authorization\":\"Bearer "
                         "canary-token\",\"Cookie\":\"canary-cookie\"}",
                         certificate_secrets(certs, "client"))
               : "\"user\":\"canary-user\",\"password\":\"canary-password\",\"secretHeaders\":{\"X-Secret\":"
                 "\"canary-secret\"}";
    const char *config =
        text_of("\"ca\":%s,%s,\"headers\":{\"X-Own\":\"canary-header\",\"Content-Type\":\"application/"
                "canary+json\"},\"updateIncidentMethod\":\"%s\"",
                json_of(pem_of(certs, "ca1.crt")), auth, patch ? "patch" : "put");
    struct client client = client_new(NULL,
                                      text_of("%s://localhost:%u", secure ? "https" : "http",
                                              http_server_port(servers[secure ? HTTPS_A : HTTP_A])),
                                      config, secrets, &made);
    if (!client.connector) fail_msg("%s", made.message);
    return client;
}

static const struct method {
    const char *name;
    int operation, patch;
} methods[] = {{"GET", CASEHOOK_GET, 0},
               {"POST", CASEHOOK_CREATE, 0},
               {"PUT", CASEHOOK_UPDATE, 0},
               {"PATCH", CASEHOOK_UPDATE, 1}};

static struct answer call(struct client *client, const struct method *method)
{
    return client_call(client, method->operation,
                       method->operation == CASEHOOK_CREATE
                           ? "{\"title\":\"canary-title\"}"
                           : "{\"title\":\"canary-title\",\"externalId\":\"canary-id\"}");
}

/* base64 of "canary-user:canary-password" begins so too. */
static int holds_canary(const struct http_request *request)
{
    return request_holds(request, "canary") || request_holds(request, "Y2FuYXJ5") ||
           (request->peer && strstr(request->peer, "canary"));
}

static void the_first_saw_all(const struct http_request *request, int secure, const struct method *method)
{
    assert_string_equal(request->method, method->name);
    assert_string_equal(http_request_header(request, "X-Own", 0), "canary-header");
    assert_string_equal(http_request_header(request, "X-Secret", 0), "canary-secret");
    assert_non_null(http_request_header(request, "Authorization", 0));
    assert_int_equal(request_holds(request, "canary-title"), method->operation != CASEHOOK_GET);
    assert_int_equal(request->peer != NULL, secure);
}

static void the_second_saw_nothing(const struct http_request *request)
{
    if (holds_canary(request)) fail_msg("the second origin got: %s%s", request->head, request->body);
    assert_null(request->peer);
    assert_null(http_request_header(request, "Authorization", 0));
    assert_null(http_request_header(request, "Cookie", 0));
    assert_null(http_request_header(request, "Referer", 0));
    assert_null(http_request_header(request, "Content-Type", 0));
    assert_string_equal(request->method, "GET");
    assert_int_equal(request->body_length, 0);
    assert_string_equal(http_request_header(request, "Accept", 0), "application/json");
}

/* ---- the matrix ------------------------------------------------------------------------------- */

static const char *const targets[] = {"host", "port", "scheme", "subdomain"};

static const char *location_of(size_t target, int secure)
{
    int first = secure ? HTTPS_A : HTTP_A, other = secure ? HTTPS_B : HTTP_B,
        turned = secure ? HTTP_B : HTTPS_B;
    const char *scheme = secure ? "https" : "http";
    switch (target) {
    case 0: return text_of("%s://127.0.0.1:%u/second", scheme, http_server_port(servers[first]));
    case 1: return text_of("%s://localhost:%u/second", scheme, http_server_port(servers[other]));
    case 2:
        return text_of("%s://localhost:%u/second", secure ? "http" : "https",
                       http_server_port(servers[turned]));
    default: return text_of("%s://sub.localhost:%u/second", scheme, http_server_port(servers[first]));
    }
}

static int expected_status(int status, size_t target, int secure, const struct method *method)
{
    if (target == 2 && secure) return CASEHOOK_E_POLICY;
    return method->operation == CASEHOOK_GET || status == 303 ? CASEHOOK_OK : CASEHOOK_E_REDIRECT;
}

static void try_cell(int status, size_t target, int secure, const struct method *method)
{
    size_t before = http_log_count(http), seconds = 0;
    struct client client = open_client(secure, method->patch);
    way.status = status;
    way.location = location_of(target, secure);
    way.back = NULL;
    struct answer got = call(&client, method);
    int expected = expected_status(status, target, secure, method);
    client_free(&client);
    if (got.status != expected)
        fail_msg("%d to another %s, %s by %s: %d %s", status, targets[target], method->name,
                 secure ? "https" : "http", got.status, got.message);
    the_first_saw_all(http_log_at(http, before), secure, method);
    for (size_t i = before + 1; i < http_log_count(http); i++) {
        const struct http_request *request = http_log_at(http, i);
        if (strcmp(request->target, "/second") != 0) continue;
        the_second_saw_nothing(request);
        seconds++;
    }
    assert_int_equal(seconds, expected == CASEHOOK_OK);
    if (expected == CASEHOOK_E_REDIRECT) assert_non_null(strstr(got.message, "configure the final URL"));
    if (expected != CASEHOOK_OK) assert_non_null(strstr(got.message, "/second"));
}

static void nothing_crosses_an_origin(void **state)
{
    (void)state;
    static const int statuses[] = {301, 302, 303, 307, 308};
    size_t cells = 0;
    for (int secure = 0; secure < 2; secure++)
        for (size_t s = 0; s < COUNT(statuses); s++)
            for (size_t t = 0; t < COUNT(targets); t++)
                for (size_t m = 0; m < COUNT(methods); m++, cells++)
                    try_cell(statuses[s], t, secure, &methods[m]);
    printf("%zu cells\n", cells);
}

/* On the same origin all of it goes along: else the matrix would prove nothing. */
static void everything_stays_on_its_origin(void **state)
{
    (void)state;
    for (int secure = 0; secure < 2; secure++) {
        for (size_t m = 0; m < COUNT(methods); m++) {
            struct client client = open_client(secure, methods[m].patch);
            size_t before = http_log_count(http);
            way.status = 307;
            way.location = "/second";
            way.back = NULL;
            struct answer got = call(&client, &methods[m]);
            assert_int_equal(got.status, CASEHOOK_OK);
            the_first_saw_all(http_log_at(http, before), secure, &methods[m]);
            the_first_saw_all(http_log_at(http, before + 1), secure, &methods[m]);
            assert_string_equal(http_log_at(http, before + 1)->target, "/second");
            client_free(&client);
        }
    }
}

/* There and back again: what was dropped on the way out stays dropped. */
static void what_was_dropped_stays_dropped(void **state)
{
    (void)state;
    for (int secure = 0; secure < 2; secure++) {
        struct client client = open_client(secure, 0);
        size_t before = http_log_count(http);
        way.status = 302;
        way.location = location_of(1, secure);
        way.back = text_of("%s://localhost:%u/third", secure ? "https" : "http",
                           http_server_port(servers[secure ? HTTPS_A : HTTP_A]));
        struct answer got = call(&client, &methods[0]);
        assert_int_equal(got.status, CASEHOOK_OK);
        assert_int_equal(http_log_count(http), before + 3);
        the_second_saw_nothing(http_log_at(http, before + 1));
        the_second_saw_nothing(http_log_at(http, before + 2));
        assert_string_equal(http_log_at(http, before + 2)->server, "first");
        client_free(&client);
    }
}

static void user_info_of_a_location_is_ignored(void **state)
{
    (void)state;
    struct client client = open_client(0, 0);
    size_t before = http_log_count(http);
    way.status = 302;
    way.location = text_of("http://canary:canary@localhost:%u/second", http_server_port(servers[HTTP_B]));
    way.back = NULL;
    struct answer got = call(&client, &methods[0]);
    assert_int_equal(got.status, CASEHOOK_OK);
    the_second_saw_nothing(http_log_at(http, before + 1));
    client_free(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_crosses_an_origin),
        cmocka_unit_test(everything_stays_on_its_origin),
        cmocka_unit_test(what_was_dropped_stays_dropped),
        cmocka_unit_test(user_info_of_a_location_is_ignored),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
