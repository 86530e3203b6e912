/*
 * test_proxies.c - two proxies and direct connections in turn, with credentials changed and cleared: each
 * secret is seen at its own place alone.
 *
 * The servers and proxies here are recording ones: what counts is every byte that reached each of them.
 */
#include "http_proxy.h"
#include "real.h"

enum { P1, P2, PROXIES };

static struct certs *certs;
static struct http_log *http;
static struct http_server *plain, *secure;
static struct http_proxy *proxies[PROXIES];

static int start(void **state)
{
    (void)state;
    static const char *const names[] = {"DNS:localhost", "IP:127.0.0.1", NULL};
    static const struct certs_spec specs[] = {{.name = "ca1", .ca = true},
                                              {.name = "server", .issuer = "ca1", .san = names}};
    certs = certs_new();
    for (size_t i = 0; i < COUNT(specs); i++) certs_make(certs, &specs[i]);
    struct http_tls tls = {.certificate = pem_of(certs, "server.crt"), .key = pem_of(certs, "server.key")};
    http = http_log_new();
    plain = http_server_start(http, "plain", NULL, tracker_answer, NULL);
    secure = http_server_start(http, "secure", &tls, tracker_answer, NULL);
    proxies[P1] = http_proxy_start(http, "p1", NULL, HTTP_PROXY_PASS);
    proxies[P2] = http_proxy_start(http, "p2", &tls, HTTP_PROXY_PASS); /* reached by https */
    return plain && secure && proxies[P1] && proxies[P2] ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    clients_end();
    for (int i = 0; i < PROXIES; i++) http_proxy_stop(proxies[i], 5000);
    http_server_stop(plain, 5000);
    http_server_stop(secure, 5000);
    http_log_free(http);
    certs_free(certs);
    return 0;
}

/* ---- routes ----------------------------------------------------------------------------------- */

/* Where a connector's requests go, and the one secret that each of its parts carries. */
struct route {
    const char *name;
    int proxy;                 /* -1: direct */
    const char *login;         /* password in proxyUrl, NULL: none */
    const char *header;        /* of proxyHeaders */
    const char *authorization; /* of the target */
    int own;                   /* the proxy is the connector's own, not the settings' */
    int bypassed;              /* the settings have the proxy, and proxyBypassHosts the target */
};

static const struct route routes[] = {
    {"direct", -1, NULL, NULL, "canary-t0", 0, 0},
    {"p1, login", P1, "canary-l1", NULL, "canary-t1", 0, 0},
    {"p1, cleared", P1, NULL, NULL, "canary-t2", 0, 0},
    {"p1, other login, header", P1, "canary-l2", "canary-h2", "canary-t3", 0, 0},
    {"p2, login", P2, "canary-l3", NULL, "canary-t4", 0, 0},
    {"p2, header", P2, NULL, "canary-h4", NULL, 0, 0},
    {"p2, cleared", P2, NULL, NULL, NULL, 0, 0},
    {"p1 of the connector", P1, "canary-l5", "canary-h5", "canary-t5", 1, 0},
    {"p2 of the connector", P2, "canary-l6", NULL, "canary-t6", 1, 0},
    {"p1, bypassed", P1, "canary-l7", "canary-h7", "canary-t7", 0, 1},
    {"direct, cleared", -1, NULL, NULL, NULL, 0, 0},
};
#define ROUTES COUNT(routes)

/* "proxyUrl": ..., "proxyHeaders": ... */
static const char *proxy_of(const struct route *route)
{
    if (route->proxy < 0) return NULL;
    return text_of("\"proxyUrl\":\"%s://%s%s%s127.0.0.1:%u\"%s", route->proxy == P2 ? "https" : "http",
                   route->login ? "user:" : "", route->login ? route->login : "", route->login ? "@" : "",
                   http_proxy_port(proxies[route->proxy]),
                   route->header ? text_of(",\"proxyHeaders\":{\"X-Proxy\":\"%s\"}", route->header) : "");
}

static const char *settings_of(const struct route *route)
{
    const char *proxy = route->own ? NULL : proxy_of(route);
    return text_of(
        "{\"allowConnectorProxy\":true,\"customHostSettings\":[{\"url\":\"https://127.0.0.1:%u\",\"ssl\":"
        "{\"certificateAuthoritiesData\":%s}}]%s%s%s}",
        http_proxy_port(proxies[P2]), json_of(pem_of(certs, "ca1.crt")), proxy ? "," : "", proxy ? proxy : "",
        route->bypassed ? ",\"proxyBypassHosts\":[\"localhost\"]" : "");
}

static struct client open_client(const struct route *route, int https)
{
    struct answer made;
    const char *config = text_of("\"ca\":%s,\"hasAuth\":false%s%s", json_of(pem_of(certs, "ca1.crt")),
                                 route->own ? "," : "", route->own ? proxy_of(route) : "");
    const char *secrets =
        route->authorization
            ? text_of("\"secretHeaders\":{\"Authorization\":\"Bearer %s\"}", route->authorization)
            : NULL;
    struct client client = client_new(
        settings_of(route),
        text_of("%s://localhost:%u", https ? "https" : "http", http_server_port(https ? secure : plain)),
        config, secrets, &made);
    if (!client.connector) fail_msg("%s: %s", route->name, made.message);
    return client;
}

/* ---- what was seen ---------------------------------------------------------------------------- */

static int shows(const struct http_request *request, const char *secret)
{
    const char *login = text_of("user:%s", secret);
    return request_holds(request, secret) || request_holds(request, base64_of(login, strlen(login)));
}

static int same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

/* May this request show the secret? */
static int may_show(const struct route *route, const struct http_request *request, const char *secret)
{
    int at_proxy = route->proxy >= 0 && strcmp(request->server, route->proxy == P1 ? "p1" : "p2") == 0;
    int connect = strcmp(request->method, "CONNECT") == 0;
    if (at_proxy && (same(secret, route->login) || same(secret, route->header))) return 1;
    /* what goes on from a proxy in absolute form is the proxy's to strip: it strips Proxy-* alone */
    if (strcmp(request->server, "plain") == 0 && route->proxy >= 0 && !route->bypassed &&
        same(secret, route->header))
        return 1;
    return !connect && same(secret, route->authorization);
}

static void must_show(const struct route *route, const struct http_request *request, const char *secret)
{
    if (secret && !shows(request, secret))
        fail_msg("%s: %s %s does not show %s", route->name, request->server, request->line, secret);
}

/* Every secret of every route, at this request. */
static void check_request(const struct route *route, const struct http_request *request)
{
    for (size_t i = 0; i < ROUTES; i++) {
        const char *secrets[] = {routes[i].login, routes[i].header, routes[i].authorization};
        for (size_t s = 0; s < COUNT(secrets); s++)
            if (secrets[s] && shows(request, secrets[s]) && !may_show(route, request, secrets[s]))
                fail_msg("%s: %s of %s was seen at %s: %s", route->name, secrets[s], routes[i].name,
                         request->server, request->head);
    }
}

/* first: the connector has no connection yet. */
static void call(struct client *client, const struct route *route, int https, int first)
{
    size_t before = http_log_count(http);
    struct answer answer = client_call(client, CASEHOOK_GET, NULL);
    if (answer.status) fail_msg("%s: %s", route->name, answer.message);
    size_t count = http_log_count(http) - before;
    int proxied = route->proxy >= 0 && !route->bypassed, tunnel = proxied && https;
    assert_int_equal(count, proxied && (first || !https) ? 2 : 1);
    for (size_t i = before; i < before + count; i++) check_request(route, http_log_at(http, i));
    const struct http_request *at_proxy = http_log_at(http, before),
                              *at_target = http_log_at(http, before + count - 1);
    assert_string_equal(at_target->server, https ? "secure" : "plain");
    must_show(route, at_target, route->authorization);
    assert_null(http_request_header(at_target, "Proxy-Authorization", 0));
    if (count != 2) return;
    assert_string_equal(at_proxy->server, route->proxy == P1 ? "p1" : "p2");
    must_show(route, at_proxy, route->login);
    must_show(route, at_proxy, route->header);
    if (!tunnel) must_show(route, at_proxy, route->authorization);
    assert_int_equal(http_request_header(at_proxy, "Proxy-Authorization", 0) != NULL, route->login != NULL);
}

static void each_secret_at_its_own_place(void **state)
{
    (void)state;
    for (int https = 0; https < 2; https++) {
        for (size_t i = 0; i < ROUTES; i++) {
            struct client first = open_client(&routes[i], https);
            call(&first, &routes[i], https, 1);
            for (size_t j = 0; j < ROUTES; j++) {
                struct client second = open_client(&routes[j], https);
                call(&second, &routes[j], https, 1);
                call(&first, &routes[i], https, 0);
                client_free(&second);
            }
            client_free(&first);
        }
    }
}

/* One connector whose calls go to two hosts, one of them past the proxy. */
static void one_connector_two_ways(void **state)
{
    (void)state;
    struct answer made;
    const char *settings = text_of(
        "{\"proxyUrl\":\"http://user:canary-l1@127.0.0.1:%u\",\"proxyHeaders\":{\"X-Proxy\":\"canary-h2\"},"
        "\"proxyOnlyHosts\":[\"localhost\"]}",
        http_proxy_port(proxies[P1]));
    const char *past = text_of("\"getIncidentUrl\":\"http://127.0.0.1:%u/issue/{{{external.system.id}}}\"",
                               http_server_port(plain));
    struct client client =
        client_new(settings, text_of("http://localhost:%u", http_server_port(plain)), past, NULL, &made);
    assert_non_null(client.connector);
    for (int turn = 0; turn < 3; turn++) {
        size_t before = http_log_count(http);
        struct answer answer = client_call(&client, CASEHOOK_CREATE, NULL);
        assert_int_equal(answer.status, CASEHOOK_OK);
        assert_int_equal(http_log_count(http), before + 3);
        const struct http_request *proxied = http_log_at(http, before), *get = http_log_at(http, before + 2);
        assert_string_equal(proxied->server, "p1");
        assert_true(shows(proxied, "canary-l1") && shows(proxied, "canary-h2"));
        assert_string_equal(get->method, "GET");
        assert_string_equal(get->server, "plain");
        assert_false(shows(get, "canary-l1") || shows(get, "canary-h2"));
    }
    client_free(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_secret_at_its_own_place),
        cmocka_unit_test(one_connector_two_ways),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
