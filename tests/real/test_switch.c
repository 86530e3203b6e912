/*
 * test_switch.c - connectors to one host that differ in one option: nothing of one serves the other.
 *
 * Every pair is tried in every order while both connectors live, so that connections and TLS sessions of
 * the first lie ready when the second begins.
 */
#include "http_proxy.h"
#include "nginx.h"
#include "real.h"

enum { TRACKER, WRONG_NAME, EXPIRED, CLOSING, SITES };
enum { P1, P2, SECURE_PROXY, PROXIES };

static struct nginx_site sites[SITES] = {
    [TRACKER] = {.name = "tracker", .client = "optional", .http2 = 1},
    [WRONG_NAME] = {.name = "wrong_name"},
    [EXPIRED] = {.name = "expired"},
    [CLOSING] = {.name = "closing", .lines = "keepalive_timeout 0;"},
};
static struct certs *certs;
static struct nginx *nginx;
static struct http_log *http;
static struct http_server *upstream;
static struct http_proxy *proxies[PROXIES];
static const char *base, *ca;

/* A connector and what the servers must see of it. */
struct variant {
    const char *name, *settings, *config, *secrets;
    const char *subject, *authorization, *token; /* NULL: none */
    const char *protocol;                        /* NULL: HTTP/1.1 */
    const char *proxy, *login;                   /* label and Proxy-Authorization */
};

#define VARIANTS_MAX 32
static struct variant variants[VARIANTS_MAX];
static size_t variant_count;

static void add(struct variant variant)
{
    assert_true(variant_count < VARIANTS_MAX);
    variant.config = variant.config ? text_of("%s,%s", ca, variant.config) : ca;
    variants[variant_count++] = variant;
}

static const char *basic(const char *login)
{
    return text_of("Basic %s", base64_of(login, strlen(login)));
}

#define BASIC   "\"hasAuth\":true,\"authType\":\"basic\""
#define NO_AUTH "\"hasAuth\":false"

static void add_policies(void)
{
    const char *both = json_of(pem_of(certs, "ca1.crt+ca2.crt"));
    const char *host =
        text_of("{\"customHostSettings\":[{\"url\":\"%s\",\"ssl\":{\"verificationMode\":\"none\"}}]}", base);
    add((struct variant){.name = "plain"});
    add((struct variant){.name = "twin"});
    add((struct variant){.name = "certificate", .config = "\"verificationMode\":\"certificate\""});
    add((struct variant){.name = "none", .config = "\"verificationMode\":\"none\""});
    add((struct variant){.name = "two CAs", .config = text_of("\"ca\":%s", both)});
    add((struct variant){.name = "host setting", .settings = host});
    add((struct variant){.name = "http 2", .settings = "{\"httpVersion\":\"2\"}", .protocol = "HTTP/2.0"});
}

static void add_identities(void)
{
    add((struct variant){.name = "client one",
                         .config = WITH_CERTIFICATE,
                         .secrets = certificate_secrets(certs, "one"),
                         .subject = "CN=client-one"});
    add((struct variant){.name = "client two",
                         .config = WITH_CERTIFICATE,
                         .secrets = certificate_secrets(certs, "two"),
                         .subject = "CN=client-two"});
    add((struct variant){.name = "client two, http 2",
                         .settings = "{\"httpVersion\":\"2\"}",
                         .config = WITH_CERTIFICATE,
                         .secrets = certificate_secrets(certs, "two"),
                         .subject = "CN=client-two",
                         .protocol = "HTTP/2.0"});
    add((struct variant){.name = "user a",
                         .config = BASIC,
                         .secrets = "\"user\":\"a\",\"password\":\"p1\"",
                         .authorization = basic("a:p1")});
    add((struct variant){.name = "user b",
                         .config = BASIC,
                         .secrets = "\"user\":\"b\",\"password\":\"p1\"",
                         .authorization = basic("b:p1")});
    add((struct variant){.name = "password 2",
                         .config = BASIC,
                         .secrets = "\"user\":\"a\",\"password\":\"p2\"",
                         .authorization = basic("a:p2")});
    add((struct variant){.name = "bearer",
                         .config = NO_AUTH,
                         .secrets = "\"secretHeaders\":{\"Authorization\":\"Bearer b1\"}",
                         .authorization = "Bearer b1"});
    add((struct variant){.name = "token 1",
                         .config = NO_AUTH,
                         .secrets = "\"secretHeaders\":{\"X-Token\":\"t1\"}",
                         .token = "t1"});
    add((struct variant){.name = "token 2", .config = "\"headers\":{\"X-Token\":\"t2\"}", .token = "t2"});
}

static const char *proxy_url(int proxy, const char *login)
{
    return text_of("\"proxyUrl\":\"%s://%s127.0.0.1:%u\"", proxy == SECURE_PROXY ? "https" : "http", login,
                   http_proxy_port(proxies[proxy]));
}

static void add_proxies(void)
{
    const char *host = text_of("\"customHostSettings\":[{\"url\":\"https://127.0.0.1:%u\",\"ssl\":"
                               "{\"certificateAuthoritiesData\":%s}}]",
                               http_proxy_port(proxies[SECURE_PROXY]), json_of(pem_of(certs, "ca2.crt")));
    const char *loose = "\"ssl.proxyVerificationMode\":\"none\"";
    add((struct variant){.name = "proxy 1", .settings = text_of("{%s}", proxy_url(P1, "")), .proxy = "p1"});
    add((struct variant){.name = "proxy 1, login",
                         .settings = text_of("{%s}", proxy_url(P1, "u:1@")),
                         .proxy = "p1",
                         .login = basic("u:1")});
    add((struct variant){.name = "proxy 1, other login",
                         .settings = text_of("{%s}", proxy_url(P1, "u:2@")),
                         .proxy = "p1",
                         .login = basic("u:2")});
    add((struct variant){.name = "proxy 2, login",
                         .settings = text_of("{%s}", proxy_url(P2, "u:1@")),
                         .proxy = "p2",
                         .login = basic("u:1")});
    add((struct variant){
        .name = "proxy 2, header",
        .settings = text_of("{%s,\"proxyHeaders\":{\"Proxy-Authorization\":\"Own x\"}}", proxy_url(P2, "")),
        .proxy = "p2",
        .login = "Own x"});
    add((struct variant){.name = "proxy 1, client one",
                         .settings = text_of("{%s}", proxy_url(P1, "")),
                         .config = WITH_CERTIFICATE,
                         .secrets = certificate_secrets(certs, "one"),
                         .subject = "CN=client-one",
                         .proxy = "p1"});
    add((struct variant){.name = "https proxy",
                         .settings = text_of("{%s,%s}", proxy_url(SECURE_PROXY, ""), host),
                         .proxy = "ps"});
    add((struct variant){.name = "https proxy, none",
                         .settings = text_of("{%s,%s}", proxy_url(SECURE_PROXY, "u:1@"), loose),
                         .proxy = "ps",
                         .login = basic("u:1")});
}

/* ---- servers ---------------------------------------------------------------------------------- */

static void make_certs(void)
{
    static const char *const here[] = {"DNS:localhost", "IP:127.0.0.1", NULL};
    static const char *const elsewhere[] = {"DNS:other.example", NULL};
    static const struct certs_spec specs[] = {
        {.name = "ca1", .ca = true},
        {.name = "ca2", .ca = true},
        {.name = "tracker", .issuer = "ca1", .san = here},
        {.name = "wrong_name", .issuer = "ca1", .san = elsewhere},
        {.name = "expired",
         .issuer = "ca1",
         .san = here,
         .not_before = "2020-01-01",
         .not_after = "2021-01-01"},
        {.name = "closing", .issuer = "ca1", .san = here},
        {.name = "proxy", .issuer = "ca2", .san = here},
        {.name = "one", .subject = "CN=client-one", .issuer = "ca1"},
        {.name = "two", .subject = "CN=client-two", .issuer = "ca1"},
    };
    certs = certs_new();
    for (size_t i = 0; i < COUNT(specs); i++) certs_make(certs, &specs[i]);
}

static int start(void **state)
{
    (void)state;
    make_certs();
    for (size_t i = 0; i < SITES; i++) {
        sites[i].chain = pem_of(certs, text_of("%s.crt", sites[i].name));
        sites[i].key = pem_of(certs, text_of("%s.key", sites[i].name));
        sites[i].client_ca = pem_of(certs, "ca1.crt");
    }
    struct http_tls tls = {.certificate = pem_of(certs, "proxy.crt"), .key = pem_of(certs, "proxy.key")};
    http = http_log_new();
    upstream = http_server_start(http, "upstream", NULL, tracker_answer, NULL);
    nginx = nginx_start(sites, SITES, http_server_port(upstream));
    if (!nginx) return -1;
    proxies[P1] = http_proxy_start(http, "p1", NULL, HTTP_PROXY_PASS);
    proxies[P2] = http_proxy_start(http, "p2", NULL, HTTP_PROXY_PASS);
    proxies[SECURE_PROXY] = http_proxy_start(http, "ps", &tls, HTTP_PROXY_PASS);
    base = text_of("https://localhost:%u", sites[TRACKER].port);
    ca = text_of("\"ca\":%s", json_of(pem_of(certs, "ca1.crt")));
    add_policies();
    add_identities();
    add_proxies();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    clients_end();
    for (size_t i = 0; i < PROXIES; i++) http_proxy_stop(proxies[i], 5000);
    nginx_stop(nginx);
    http_server_stop(upstream, 5000);
    http_log_free(http);
    certs_free(certs);
    return 0;
}

/* ---- pairs ------------------------------------------------------------------------------------ */

static void is(const char *what, const struct variant *variant, const char *actual, const char *expected)
{
    if (strcmp(actual ? actual : "", expected ? expected : "") != 0)
        fail_msg("%s: %s is \"%s\", not \"%s\"", variant->name, what, actual ? actual : "",
                 expected ? expected : "");
}

/* One request, seen as the variant says; its connection.  fresh: it is the first of its connector. */
static const char *call(struct client *client, const struct variant *variant, int fresh)
{
    size_t before = http_log_count(http);
    struct answer answer = client_call(client, CASEHOOK_GET, NULL);
    if (answer.status) fail_msg("%s: %s", variant->name, answer.message);
    size_t count = http_log_count(http) - before;
    const struct http_request *request = http_log_at(http, before + count - 1),
                              *connect = http_log_at(http, before);
    assert_int_equal(count, fresh && variant->proxy ? 2 : 1);
    is("the server", variant, request->server, "upstream");
    is("the subject", variant, seen(request, "Subject"), variant->subject);
    is("Authorization", variant, http_request_header(request, "Authorization", 0), variant->authorization);
    is("X-Token", variant, http_request_header(request, "X-Token", 0), variant->token);
    is("the protocol", variant, seen(request, "Protocol"),
       variant->protocol ? variant->protocol : "HTTP/1.1");
    is("session reuse", variant, seen(request, "Reused"), ".");
    if (count == 2) {
        is("the proxy", variant, connect->server, variant->proxy);
        is("the login", variant, http_request_header(connect, "Proxy-Authorization", 0), variant->login);
    }
    return seen(request, "Connection");
}

static struct client open_client(const struct variant *variant)
{
    struct answer answer;
    struct client client = client_new(variant->settings, base, variant->config, variant->secrets, &answer);
    if (!client.connector) fail_msg("%s: %s", variant->name, answer.message);
    return client;
}

static void differ(const struct variant *a, const struct variant *b, const char *one, const char *other)
{
    if (strcmp(one, other) == 0) fail_msg("%s and %s share connection %s", a->name, b->name, one);
}

static void try_pair(const struct variant *a, const struct variant *b)
{
    struct client first = open_client(a), second = open_client(b);
    const char *of_first = call(&first, a, 1), *of_second = call(&second, b, 1);
    differ(a, b, of_first, of_second);
    is("the connection", a, call(&first, a, 0), of_first); /* kept, and its own */
    is("the connection", b, call(&second, b, 0), of_second);
    client_free(&first);
    struct client third = open_client(b); /* what the first left behind is nobody's */
    const char *of_third = call(&third, b, 1);
    differ(a, b, of_first, of_third);
    differ(b, b, of_second, of_third);
    client_free(&second);
    client_free(&third);
}

static void every_pair_of_options(void **state)
{
    (void)state;
    size_t pairs = 0;
    for (size_t i = 0; i < variant_count; i++) {
        for (size_t j = 0; j < variant_count; j++) {
            if (i == j) continue;
            try_pair(&variants[i], &variants[j]);
            pairs++;
        }
    }
    printf("%zu variants, %zu pairs\n", variant_count, pairs);
}

/* ---- modes ------------------------------------------------------------------------------------ */

static void modes_in_turn(int site, const int *expected, int keep)
{
    static const char *const modes[] = {"full", "certificate", "none", "full"};
    struct client clients[4];
    struct answer answers[4];
    for (int i = 0; i < 4; i++) {
        clients[i] = client_new(NULL, text_of("https://localhost:%u", sites[site].port),
                                text_of("%s,\"verificationMode\":\"%s\"", ca, modes[i]), NULL, &answers[i]);
        assert_non_null(clients[i].connector);
        size_t before = http_log_count(http);
        answers[i] = client_call(&clients[i], CASEHOOK_GET, NULL);
        if (answers[i].status != expected[i])
            fail_msg("%s, %s: %d %s", sites[site].name, modes[i], answers[i].status, answers[i].message);
        assert_int_equal(http_log_count(http) - before, answers[i].status ? 0 : 1);
        if (!keep) client_free(&clients[i]);
    }
    assert_string_equal(answers[3].message, answers[0].message);
    for (int i = 0; keep && i < 4; i++) client_free(&clients[i]);
}

static void full_certificate_none_full(void **state)
{
    (void)state;
    static const int wrong_name[] = {CASEHOOK_E_TLS, CASEHOOK_OK, CASEHOOK_OK, CASEHOOK_E_TLS};
    static const int expired[] = {CASEHOOK_E_TLS, CASEHOOK_E_TLS, CASEHOOK_OK, CASEHOOK_E_TLS};
    for (int keep = 0; keep < 2; keep++) {
        modes_in_turn(WRONG_NAME, wrong_name, keep);
        modes_in_turn(EXPIRED, expired, keep);
    }
}

/* Connector over host over global, whatever each of them says (P2). */
static void precedence_of_modes(void **state)
{
    (void)state;
    static const char *const modes[] = {NULL, "none", "certificate", "full"};
    for (size_t i = 0; i < 4 * 4 * 4 * 2; i++) {
        const char *connector = modes[i % 4], *host = modes[i / 4 % 4], *global = modes[i / 16 % 4],
                   *wins = connector ? connector
                           : host    ? host
                           : global  ? global
                                     : "full";
        int site = i / 64 ? EXPIRED : WRONG_NAME, good = strcmp(wins, "none") == 0;
        if (site == WRONG_NAME) good = strcmp(wins, "full") != 0;
        const char *url = text_of("https://localhost:%u", sites[site].port);
        const char *settings = text_of("{%s\"customHostSettings\":[{\"url\":\"%s\"%s}]}",
                                       global ? text_of("\"ssl.verificationMode\":\"%s\",", global) : "", url,
                                       host ? text_of(",\"ssl\":{\"verificationMode\":\"%s\"}", host) : "");
        const char *config = connector ? text_of("%s,\"verificationMode\":\"%s\"", ca, connector) : ca;
        struct answer answer = call_once(settings, url, config, NULL, CASEHOOK_GET);
        if (answer.status != (good ? CASEHOOK_OK : CASEHOOK_E_TLS))
            fail_msg("%s: connector %s, host %s, global %s: %d %s", sites[site].name,
                     connector ? connector : "-", host ? host : "-", global ? global : "-", answer.status,
                     answer.message);
    }
}

/* ---- one connector ---------------------------------------------------------------------------- */

/* trusted NULL: the connector's CA. */
static const char *host_setting(int site, const char *mode, const char *trusted)
{
    const char *pem =
        trusted ? text_of(",\"certificateAuthoritiesData\":%s", json_of(pem_of(certs, trusted))) : "";
    return text_of("{\"url\":\"https://localhost:%u\",\"ssl\":{\"verificationMode\":\"%s\"%s}}",
                   sites[site].port, mode, pem);
}

/* Creates at one host and gets at another; each call under the mode and the CA of its own host. */
static void one_connector_two_policies(void **state)
{
    (void)state;
    static const struct {
        const char *mode[2], *trusted[2]; /* of TRACKER and WRONG_NAME */
        int first, status;                /* where it creates, and what comes of it */
        const char *id, *words;
    } rows[] = {
        {{"none", "full"}, {NULL, NULL}, TRACKER, CASEHOOK_E_TLS, "42", "is for [other.example]"},
        {{"full", "none"}, {NULL, NULL}, TRACKER, CASEHOOK_OK, "42", ""},
        {{"full", "none"}, {"ca2.crt", "ca1.crt"}, WRONG_NAME, CASEHOOK_E_TLS, "42", "not trusted"},
        {{"full", "full"}, {NULL, NULL}, WRONG_NAME, CASEHOOK_E_TLS, "", "is for [other.example]"},
        {{"certificate", "certificate"},
         {"ca1.crt", "ca2.crt"},
         TRACKER,
         CASEHOOK_E_TLS,
         "42",
         "not trusted"},
        {{"certificate", "certificate"},
         {"ca2.crt", "ca1.crt"},
         WRONG_NAME,
         CASEHOOK_E_TLS,
         "42",
         "not trusted"},
        {{"certificate", "certificate"}, {"ca1.crt", "ca1.crt"}, WRONG_NAME, CASEHOOK_OK, "42", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct answer answer;
        const char *settings = text_of("{\"customHostSettings\":[%s,%s]}",
                                       host_setting(TRACKER, rows[i].mode[0], rows[i].trusted[0]),
                                       host_setting(WRONG_NAME, rows[i].mode[1], rows[i].trusted[1]));
        int other = rows[i].first == TRACKER ? WRONG_NAME : TRACKER;
        struct client client = client_new(
            settings, text_of("https://localhost:%u", sites[rows[i].first].port),
            text_of("\"getIncidentUrl\":\"https://localhost:%u/x/{{{external.system.id}}}\"%s%s",
                    sites[other].port, rows[i].trusted[0] ? "" : ",", rows[i].trusted[0] ? "" : ca),
            NULL, &answer);
        assert_non_null(client.connector);
        for (int turn = 0; turn < 2; turn++) {
            answer = client_call(&client, CASEHOOK_CREATE, NULL);
            if (answer.status != rows[i].status || !strstr(answer.message, rows[i].words))
                fail_msg("row %zu: %d %s", i, answer.status, answer.message);
            assert_string_equal(answer.id, rows[i].id);
        }
        client_free(&client);
    }
}

/* The server closes after each answer: the next connection, by the same handle, is a full handshake. */
static void no_session_is_resumed(void **state)
{
    (void)state;
    struct answer answer;
    const char *last = "";
    struct client client =
        client_new(NULL, text_of("https://localhost:%u", sites[CLOSING].port), ca, NULL, &answer);
    for (int turn = 0; turn < 3; turn++) {
        answer = client_call(&client, CASEHOOK_GET, NULL);
        assert_int_equal(answer.status, CASEHOOK_OK);
        const struct http_request *request = http_log_at(http, http_log_count(http) - 1);
        assert_string_not_equal(seen(request, "Connection"), last);
        assert_string_equal(seen(request, "Reused"), ".");
        last = seen(request, "Connection");
    }
    client_free(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(precedence_of_modes),        cmocka_unit_test(one_connector_two_policies),
        cmocka_unit_test(no_session_is_resumed),      cmocka_unit_test(every_pair_of_options),
        cmocka_unit_test(full_certificate_none_full),
    };
    if (!nginx_is_there()) {
        puts("SKIP: nginx is not installed (package nginx-light)");
        return 77;
    }
    return cmocka_run_group_tests(tests, start, stop);
}
