/* test_nginx.c - nginx by TLS 1.2, TLS 1.3, client certificates, HTTP/2, and plain. */
#include "nginx.h"
#include "real.h"

#include <openssl/ssl.h>

enum { PLAIN, TLS12, TLS13, OPTIONAL, REQUIRED, HTTP2, SITES };

static const char h2_name[] = "http2";
static struct nginx_site sites[SITES] = {
    [PLAIN] = {.name = "plain"},
    [TLS12] = {.name = "tls12", .lines = "ssl_protocols TLSv1.2;"},
    [TLS13] = {.name = "tls13", .lines = "ssl_protocols TLSv1.3;"},
    [OPTIONAL] = {.name = "optional", .client = "optional"},
    [REQUIRED] = {.name = "required", .client = "on"},
    [HTTP2] = {.name = h2_name, .http2 = 1},
};
static struct certs *certs;
static struct nginx *nginx;
static struct http_log *http;
static struct http_server *upstream;
static const char *ca; /* "ca": ..., a member of config */

static void make_certs(void)
{
    static const char *const names[] = {"DNS:localhost", "IP:127.0.0.1", NULL};
    static const struct certs_spec specs[] = {
        {.name = "ca1", .ca = true},
        {.name = "ca2", .ca = true},
        {.name = "int1", .ca = true, .issuer = "ca1"},
        {.name = "server", .issuer = "ca1", .san = names},
        {.name = "client", .subject = "CN=client-one", .issuer = "ca1"},
        {.name = "below", .subject = "CN=client-below", .issuer = "int1"},
        {.name = "stranger", .subject = "CN=stranger", .issuer = "ca2"},
    };
    certs = certs_new();
    for (size_t i = 0; i < COUNT(specs); i++) certs_make(certs, &specs[i]);
}

static int start(void **state)
{
    (void)state;
    make_certs();
    for (size_t i = TLS12; i < SITES; i++) {
        sites[i].chain = certs_file(certs, "server.crt", NULL);
        sites[i].key = certs_file(certs, "server.key", NULL);
        sites[i].client_ca = certs_file(certs, "ca1.crt", NULL);
    }
    http = http_log_new();
    upstream = http_server_start(http, "upstream", NULL, tracker_answer, NULL);
    nginx = nginx_start(sites, SITES, http_server_port(upstream));
    ca = text_of("\"ca\":%s", json_of(pem_of(certs, "ca1.crt")));
    return nginx ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    nginx_stop(nginx);
    http_server_stop(upstream, 5000);
    http_log_free(http);
    certs_free(certs);
    return 0;
}

static const char *base_of(int site)
{
    return text_of("%s://localhost:%u", site == PLAIN ? "http" : "https", sites[site].port);
}

static const struct http_request *last(void)
{
    return http_log_at(http, http_log_count(http) - 1);
}

/* One create: its two requests arrive through one connection. */
static const struct http_request *create(int site, const char *settings, const char *config,
                                         const char *secrets)
{
    size_t before = http_log_count(http);
    struct answer answer = call_once(settings, base_of(site), config ? text_of("%s,%s", ca, config) : ca,
                                     secrets, CASEHOOK_CREATE);
    if (answer.status) fail_msg("%s: %s", sites[site].name, answer.message);
    assert_string_equal(answer.id, "42");
    assert_int_equal(http_log_count(http), before + 2);
    const struct http_request *first = http_log_at(http, before);
    assert_string_equal(first->body, "{\"title\":\"t\",\"text\":\"\",\"tags\":[]}");
    assert_string_equal(seen(first, "Connection"), seen(last(), "Connection"));
    assert_string_equal(seen(first, "Site"), sites[site].name);
    return first;
}

static struct answer refused(int site, const char *config, const char *secrets)
{
    size_t before = http_log_count(http);
    struct answer answer =
        call_once(NULL, base_of(site), text_of("%s,%s", ca, config), secrets, CASEHOOK_CREATE);
    assert_int_equal(http_log_count(http), before); /* nothing got through */
    assert_int_not_equal(answer.status, CASEHOOK_OK);
    return answer;
}

static void plain_http(void **state)
{
    (void)state;
    const struct http_request *request = create(PLAIN, NULL, NULL, NULL);
    assert_string_equal(seen(request, "Protocol"), "HTTP/1.1");
    assert_string_equal(seen(request, "Tls"), "");
}

static void tls_versions(void **state)
{
    (void)state;
    assert_string_equal(seen(create(TLS12, NULL, NULL, NULL), "Tls"), "TLSv1.2");
    assert_string_equal(seen(create(TLS13, NULL, NULL, NULL), "Tls"), "TLSv1.3");
}

static void a_client_certificate_where_it_is_optional(void **state)
{
    (void)state;
    const struct http_request *request = create(OPTIONAL, NULL, NULL, NULL);
    assert_string_equal(seen(request, "Verify"), "NONE");
    assert_string_equal(seen(request, "Subject"), "");
    request = create(OPTIONAL, NULL, WITH_CERTIFICATE, certificate_secrets(certs, "client"));
    assert_string_equal(seen(request, "Verify"), "SUCCESS");
    assert_string_equal(seen(request, "Subject"), "CN=client-one");
    /* hasAuth false switches it off, whatever the secrets say */
    request = create(OPTIONAL, NULL, "\"hasAuth\":false,\"authType\":\"ssl\"",
                     certificate_secrets(certs, "client"));
    assert_string_equal(seen(request, "Verify"), "NONE");
}

static void a_client_certificate_where_it_is_required(void **state)
{
    (void)state;
    const struct http_request *request =
        create(REQUIRED, NULL, WITH_CERTIFICATE, certificate_secrets(certs, "client"));
    assert_string_equal(seen(request, "Subject"), "CN=client-one");
    const char *chain = json_of(pem_of(certs, "below.crt+int1.crt"));
    request = create(REQUIRED, NULL, WITH_CERTIFICATE,
                     text_of("\"crt\":%s,\"key\":%s", chain, json_of(pem_of(certs, "below.key"))));
    assert_string_equal(seen(request, "Subject"), "CN=client-below");
}

/* nginx does not break the handshake: it answers 400 itself. */
static void without_or_with_a_wrong_client_certificate(void **state)
{
    (void)state;
    struct answer answer = refused(REQUIRED, "\"hasAuth\":false", NULL);
    assert_int_equal(answer.http_status, 400);
    assert_int_equal(answer.outcome, CASEHOOK_OUTCOME_REFUSED);
    assert_non_null(strstr(answer.message, "No required SSL certificate was sent"));
    answer = refused(REQUIRED, WITH_CERTIFICATE, certificate_secrets(certs, "stranger"));
    assert_int_equal(answer.http_status, 400);
    assert_non_null(strstr(answer.message, "The SSL certificate error"));
}

/*
 * Other servers break the handshake, by TLS 1.3 only after the client believes that it is done: the
 * explanation must come in both.
 */
static void a_handshake_broken_for_want_of_a_certificate(void **state)
{
    (void)state;
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    static const char *const clients[] = {NULL, "stranger"};
    static const char *const words[] = {"give secrets.crt and secrets.key, or secrets.pfx",
                                        "it does not know the CA that issued our client certificate"};
    struct http_tls tls = {.certificate = pem_of(certs, "server.crt"),
                           .key = pem_of(certs, "server.key"),
                           .client_ca = pem_of(certs, "ca1.crt")};
    for (size_t v = 0; v < COUNT(versions); v++) {
        tls.min_version = tls.max_version = versions[v];
        struct http_log *log = http_log_new();
        struct http_server *server = http_server_start(log, "strict", &tls, tracker_answer, NULL);
        for (size_t c = 0; c < COUNT(clients); c++) {
            struct answer answer =
                call_once(NULL, text_of("https://localhost:%u", http_server_port(server)),
                          text_of("%s,%s", ca, clients[c] ? WITH_CERTIFICATE : "\"hasAuth\":false"),
                          clients[c] ? certificate_secrets(certs, clients[c]) : NULL, CASEHOOK_CREATE);
            if (answer.status != CASEHOOK_E_TLS || !strstr(answer.message, words[c]))
                fail_msg("%s", answer.message);
            assert_int_equal(answer.retryable, 0);
        }
        http_server_stop(server, 2000);
        assert_int_equal(http_log_count(log), 0);
        http_log_free(log);
    }
}

static void hang_up(void *user, const struct http_request *request, struct http_response *response)
{
    (void)user;
    (void)request;
    response->fault = HTTP_CLOSE_BEFORE_RESPONSE;
}

/* The same when not even an alert arrives. */
static void a_connection_broken_after_a_certificate_was_asked_for(void **state)
{
    (void)state;
    struct http_tls tls = {.certificate = pem_of(certs, "server.crt"),
                           .key = pem_of(certs, "server.key"),
                           .client_ca = pem_of(certs, "ca1.crt"),
                           .client_optional = 1};
    for (int asks = 0; asks < 2; asks++) {
        if (!asks) tls.client_ca = NULL;
        struct http_log *log = http_log_new();
        struct http_server *server = http_server_start(log, "silent", &tls, hang_up, NULL);
        const char *base = text_of("https://localhost:%u", http_server_port(server));
        struct answer without = call_once(NULL, base, ca, NULL, CASEHOOK_CREATE);
        struct answer with = call_once(NULL, base, text_of("%s,%s", ca, WITH_CERTIFICATE),
                                       certificate_secrets(certs, "client"), CASEHOOK_CREATE);
        http_server_stop(server, 2000);
        http_log_free(log);
        tls.client_ca = pem_of(certs, "ca1.crt");
        assert_int_equal(without.status, CASEHOOK_E_NETWORK);
        assert_int_equal(without.outcome, CASEHOOK_OUTCOME_UNKNOWN);
        assert_int_equal(strstr(without.message, "asked for a client certificate and got none") != NULL,
                         asks);
        assert_int_equal(strstr(with.message, "it may refuse ours") != NULL, asks);
    }
}

static void http_versions(void **state)
{
    (void)state;
    static const struct {
        const char *settings, *protocol;
    } rows[] = {
        {"{\"httpVersion\":\"2\"}", "HTTP/2.0"},
        {"{\"httpVersion\":\"auto\"}", "HTTP/2.0"},
        {"{\"httpVersion\":\"1.1\"}", "HTTP/1.1"},
        {NULL, "HTTP/1.1"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_string_equal(seen(create(HTTP2, rows[i].settings, NULL, NULL), "Protocol"), rows[i].protocol);
        /* a server without HTTP/2 is spoken to as it can */
        assert_string_equal(seen(create(TLS13, rows[i].settings, NULL, NULL), "Protocol"), "HTTP/1.1");
        assert_string_equal(seen(create(PLAIN, rows[i].settings, NULL, NULL), "Protocol"), "HTTP/1.1");
    }
}

/* A body in several frames and header values of every kind come through HTTP/2 as through HTTP/1.1. */
static void large_bodies_by_http2(void **state)
{
    (void)state;
    size_t size = 300000;
    char *title = malloc(size + 1);
    assert_non_null(title);
    memset(title, 'x', size);
    title[size] = '\0';
    struct answer answer;
    struct client client = client_new("{\"httpVersion\":\"2\"}", base_of(HTTP2),
                                      text_of("%s,\"headers\":{\"X-Own\":\"a: b,c\"}", ca), NULL, &answer);
    answer = client_call(&client, CASEHOOK_UPDATE, text_of("{\"title\":\"%s\",\"externalId\":\"1\"}", title));
    assert_int_equal(answer.status, CASEHOOK_OK);
    const struct http_request *put = http_log_at(http, http_log_count(http) - 2);
    assert_string_equal(put->method, "PUT");
    assert_string_equal(http_request_header(put, "X-Own", 0), "a: b,c");
    assert_int_equal(put->body_length, size + strlen("{\"title\":\"\",\"text\":\"\"}"));
    client_free(&client);
    free(title);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_http),
        cmocka_unit_test(tls_versions),
        cmocka_unit_test(a_client_certificate_where_it_is_optional),
        cmocka_unit_test(a_client_certificate_where_it_is_required),
        cmocka_unit_test(without_or_with_a_wrong_client_certificate),
        cmocka_unit_test(a_handshake_broken_for_want_of_a_certificate),
        cmocka_unit_test(a_connection_broken_after_a_certificate_was_asked_for),
        cmocka_unit_test(http_versions),
        cmocka_unit_test(large_bodies_by_http2),
    };
    if (!nginx_is_there()) {
        puts("SKIP: nginx is not installed (package nginx-light)");
        return 77;
    }
    return cmocka_run_group_tests(tests, start, stop);
}
