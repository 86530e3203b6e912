/*
 * test_squid.c - a real proxy: CONNECT, logins, https to the proxy; behind it nginx with client certificates.
 *
 * The target's certificate is of ca1, those of the proxy are of ca2 and of ca3: no CA may stand in for
 * another one.
 */
#include "nginx.h"
#include "real.h"
#include "squid.h"

enum { PLAIN, SECURE, OF_PROXYS_CA, SITES };

static struct nginx_site sites[SITES] = {[PLAIN] = {.name = "plain"},
                                         [SECURE] = {.name = "secure", .client = "optional"},
                                         [OF_PROXYS_CA] = {.name = "of_proxys_ca"}};
static struct certs *certs;
static struct nginx *nginx;
static struct squid *squid;
static struct squid_ports ports;
static struct http_log *http;
static struct http_server *upstream;
static unsigned logged; /* lines of squid's log that were looked at */
static const char *http_base, *https_base, *ca;

static void make_certs(void)
{
    static const char *const here[] = {"IP:127.0.0.1", NULL}, *const elsewhere[] = {"DNS:other.example",
                                                                                    NULL};
    static const struct certs_spec specs[] = {
        {.name = "ca1", .ca = true},
        {.name = "ca2", .ca = true},
        {.name = "ca3", .ca = true},
        {.name = "server", .issuer = "ca1", .san = here},
        {.name = "proxy", .issuer = "ca2", .san = here},
        {.name = "false", .issuer = "ca2", .san = here},
        {.name = "elsewhere", .issuer = "ca3", .san = elsewhere},
        {.name = "client", .subject = "CN=client-one", .issuer = "ca1"},
    };
    certs = certs_new();
    for (size_t i = 0; i < COUNT(specs); i++) certs_make(certs, &specs[i]);
}

static int start_servers(void)
{
    sites[SECURE].chain = certs_file(certs, "server.crt", NULL);
    sites[SECURE].key = certs_file(certs, "server.key", NULL);
    sites[SECURE].client_ca = certs_file(certs, "ca1.crt", NULL);
    sites[OF_PROXYS_CA].chain = certs_file(certs, "false.crt", NULL);
    sites[OF_PROXYS_CA].key = certs_file(certs, "false.key", NULL);
    struct squid_certs proxy = {certs_file(certs, "proxy.crt", NULL), certs_file(certs, "proxy.key", NULL),
                                certs_file(certs, "elsewhere.crt", NULL),
                                certs_file(certs, "elsewhere.key", NULL)};
    http = http_log_new();
    upstream = http_server_start(http, "upstream", NULL, tracker_answer, NULL);
    nginx = nginx_start(sites, SITES, http_server_port(upstream));
    squid = squid_start(&proxy, &ports);
    return nginx && squid ? 0 : -1;
}

static int start(void **state)
{
    (void)state;
    make_certs();
    if (start_servers()) return -1;
    http_base = text_of("http://127.0.0.1:%u", sites[PLAIN].port);
    https_base = text_of("https://127.0.0.1:%u", sites[SECURE].port);
    ca = text_of("\"ca\":%s", json_of(pem_of(certs, "ca1.crt")));
    return 0;
}

static int stop(void **state)
{
    (void)state;
    squid_stop(squid);
    nginx_stop(nginx);
    http_server_stop(upstream, 5000);
    http_log_free(http);
    certs_free(certs);
    return 0;
}

/* What squid's log says of the next count requests; lives until the program ends. */
static const char *proxy_saw(unsigned count)
{
    char *all = squid_log(squid, logged + count);
    const char *line = all;
    for (unsigned i = 0; i < logged && line; i++) line = strchr(line, '\n') + 1;
    const char *news = text_of("%s", line ? line : "");
    logged += count;
    free(all);
    return news;
}

static const char *proxy(const char *scheme, const char *login, unsigned port, const char *more)
{
    return text_of("{\"proxyUrl\":\"%s://%s127.0.0.1:%u\"%s%s}", scheme, login, port, more ? "," : "",
                   more ? more : "");
}

/* The CA of a proxy: the customHostSettings entry of its origin. */
static const char *proxy_ca(unsigned port, const char *name)
{
    return text_of("\"customHostSettings\":[{\"url\":\"https://127.0.0.1:%u\",\"ssl\":"
                   "{\"certificateAuthoritiesData\":%s}}]",
                   port, json_of(pem_of(certs, name)));
}

static const struct http_request *last(void)
{
    return http_log_at(http, http_log_count(http) - 1);
}

/* A GET through the proxy arrives; no word of the proxy's login does. */
static const struct http_request *arrives(const char *settings, int secure)
{
    size_t before = http_log_count(http);
    struct answer answer = call_once(settings, secure ? https_base : http_base,
                                     secure ? text_of("%s,%s", ca, WITH_CERTIFICATE) : NULL,
                                     secure ? certificate_secrets(certs, "client") : NULL, CASEHOOK_GET);
    if (answer.status) fail_msg("%s: %s", settings, answer.message);
    assert_int_equal(http_log_count(http), before + 1);
    assert_null(http_request_header(last(), "Proxy-Authorization", 0));
    assert_string_equal(seen(last(), "Subject"), secure ? "CN=client-one" : "");
    return last();
}

static struct answer fails(const char *settings, const char *base, const char *config, int status)
{
    size_t before = http_log_count(http);
    struct answer answer = call_once(settings, base, config, NULL, CASEHOOK_CREATE);
    if (answer.status != status) fail_msg("status %d: %s", answer.status, answer.message);
    assert_int_equal(http_log_count(http), before);
    assert_null(strstr(answer.message, SQUID_PASSWORD));
    return answer;
}

static void says(const struct answer *answer, const char *words)
{
    if (!strstr(answer->message, words)) fail_msg("\"%s\" is not in: %s", words, answer->message);
}

static void plain_targets_go_in_absolute_form(void **state)
{
    (void)state;
    arrives(proxy("http", "", ports.open, NULL), 0);
    assert_string_equal(proxy_saw(1), text_of("GET %s/issue/42 200 -\n", http_base));
}

static void secure_targets_go_through_a_tunnel(void **state)
{
    (void)state;
    arrives(proxy("http", "", ports.open, NULL), 1);
    assert_string_equal(proxy_saw(1), text_of("CONNECT 127.0.0.1:%u 200 -\n", sites[SECURE].port));
    /* the target's own checks hold in the tunnel */
    struct answer answer = fails(proxy("http", "", ports.open, NULL), https_base, NULL, CASEHOOK_E_TLS);
    says(&answer, "the certificate of 127.0.0.1 has an issuer that is not trusted");
    says(&answer, "config.ca");
    proxy_saw(1);
}

static void a_login_in_the_url_or_in_a_header(void **state)
{
    (void)state;
    const char *login = SQUID_USER ":" SQUID_PASSWORD;
    const char *header =
        text_of("\"proxyHeaders\":{\"Proxy-Authorization\":\"Basic %s\"}", base64_of(login, strlen(login)));
    for (int secure = 0; secure < 2; secure++) {
        arrives(proxy("http", SQUID_LOGIN, ports.locked, NULL), secure);
        assert_non_null(strstr(proxy_saw(1), " 200 proxy user\n"));
        arrives(proxy("http", "", ports.locked, header), secure);
        assert_non_null(strstr(proxy_saw(1), " 200 proxy user\n"));
    }
}

static void a_missing_or_wrong_login(void **state)
{
    (void)state;
    static const char *const logins[] = {"", "proxy%20user:wrong@", "nobody:pa%3Ass%20w%C3%B6rd%2541@"};
    for (size_t i = 0; i < COUNT(logins); i++) {
        for (int secure = 0; secure < 2; secure++) {
            struct answer answer =
                fails(proxy("http", logins[i], ports.locked, NULL), secure ? https_base : http_base,
                      secure ? ca : NULL, secure ? CASEHOOK_E_PROXY : CASEHOOK_E_HTTP_STATUS);
            says(&answer, "407");
            says(&answer, "in proxyUrl or in proxyHeaders");
            /* Without a tunnel nobody can tell the proxy's 407 from one of the server: either way it is a no.
             */
            assert_int_equal(answer.outcome, secure ? CASEHOOK_OUTCOME_NOT_SENT : CASEHOOK_OUTCOME_REFUSED);
            assert_int_equal(answer.retryable, 0); /* the login does not become right by itself */
            assert_non_null(strstr(proxy_saw(1), " 407 "));
        }
    }
}

static void https_to_the_proxy(void **state)
{
    (void)state;
    const char *trusting = proxy_ca(ports.tls, "ca2.crt");
    arrives(proxy("https", "", ports.tls, trusting), 0);
    assert_string_equal(proxy_saw(1), text_of("GET %s/issue/42 200 -\n", http_base));
    arrives(proxy("https", "", ports.tls, trusting), 1);
    assert_string_equal(proxy_saw(1), text_of("CONNECT 127.0.0.1:%u 200 -\n", sites[SECURE].port));
    /* with login */
    trusting = text_of("%s,\"ssl.proxyVerificationMode\":\"certificate\"", proxy_ca(ports.other, "ca3.crt"));
    arrives(proxy("https", SQUID_LOGIN, ports.other, trusting), 1);
    assert_non_null(strstr(proxy_saw(1), " 200 proxy user\n"));
    struct answer answer = fails(proxy("https", "", ports.other, trusting), https_base, ca, CASEHOOK_E_PROXY);
    says(&answer, "407");
    proxy_saw(1);
}

static void a_proxy_with_an_unknown_ca(void **state)
{
    (void)state;
    /* the CA of the target, of another origin or of another proxy is not the proxy's */
    const char *const more[] = {NULL, proxy_ca(ports.tls, "ca1.crt"), proxy_ca(ports.tls, "ca3.crt"),
                                proxy_ca(ports.other, "ca2.crt")};
    for (size_t i = 0; i < COUNT(more); i++) {
        for (int secure = 0; secure < 2; secure++) {
            struct answer answer = fails(proxy("https", "", ports.tls, more[i]),
                                         secure ? https_base : http_base, ca, CASEHOOK_E_TLS);
            says(&answer, "the certificate of the proxy 127.0.0.1 has an issuer that is not trusted");
            says(&answer, "ssl.proxyVerificationMode full");
            says(&answer, "customHostSettings entry of the proxy's origin");
            assert_int_equal(answer.outcome, CASEHOOK_OUTCOME_NOT_SENT);
        }
    }
}

/* Whoever may issue certificates for the proxy may not do so for the targets behind it. */
static void the_proxys_ca_is_not_the_targets(void **state)
{
    (void)state;
    const char *base = text_of("https://127.0.0.1:%u", sites[OF_PROXYS_CA].port);
    struct answer answer =
        fails(proxy("https", "", ports.tls, proxy_ca(ports.tls, "ca2.crt")), base, ca, CASEHOOK_E_TLS);
    says(&answer, "the certificate of 127.0.0.1 has an issuer that is not trusted (subject CN=false");
    proxy_saw(1);
}

static void a_proxy_with_a_wrong_name(void **state)
{
    (void)state;
    const char *trusting = proxy_ca(ports.other, "ca3.crt");
    struct answer answer =
        fails(proxy("https", SQUID_LOGIN, ports.other, trusting), https_base, ca, CASEHOOK_E_TLS);
    says(&answer, "the certificate of the proxy 127.0.0.1 is for [other.example]");
    says(&answer, "set ssl.proxyVerificationMode to certificate");
}

static const char *with_mode(const char *mode, const char *more)
{
    return text_of("\"ssl.proxyVerificationMode\":\"%s\"%s%s", mode, more ? "," : "", more ? more : "");
}

static void the_proxys_modes(void **state)
{
    (void)state;
    const char *trusting = proxy_ca(ports.other, "ca3.crt");
    arrives(proxy("https", SQUID_LOGIN, ports.other, with_mode("certificate", trusting)), 1);
    arrives(proxy("https", SQUID_LOGIN, ports.other, with_mode("none", NULL)), 1);
    proxy_saw(2);
    struct answer answer = fails(proxy("https", SQUID_LOGIN, ports.other, with_mode("certificate", NULL)),
                                 https_base, ca, CASEHOOK_E_TLS);
    says(&answer, "ssl.proxyVerificationMode certificate");
    /* what is not asked of the proxy is still asked of the target, and the other way round */
    answer = fails(proxy("https", "", ports.tls, with_mode("none", NULL)), https_base, NULL, CASEHOOK_E_TLS);
    says(&answer, "the certificate of 127.0.0.1 has an issuer that is not trusted");
    proxy_saw(1);
    answer = fails(proxy("https", "", ports.tls, NULL), https_base, "\"verificationMode\":\"none\"",
                   CASEHOOK_E_TLS);
    says(&answer, "the proxy 127.0.0.1");
}

static void a_target_that_does_not_answer(void **state)
{
    (void)state;
    unsigned nobody = 1;
    struct answer answer = fails(proxy("http", "", ports.open, NULL), text_of("https://127.0.0.1:%u", nobody),
                                 NULL, CASEHOOK_E_PROXY);
    says(&answer, "503");
    assert_int_equal(answer.outcome, CASEHOOK_OUTCOME_NOT_SENT);
    proxy_saw(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_targets_go_in_absolute_form),
        cmocka_unit_test(secure_targets_go_through_a_tunnel),
        cmocka_unit_test(a_login_in_the_url_or_in_a_header),
        cmocka_unit_test(a_missing_or_wrong_login),
        cmocka_unit_test(https_to_the_proxy),
        cmocka_unit_test(a_proxy_with_an_unknown_ca),
        cmocka_unit_test(the_proxys_ca_is_not_the_targets),
        cmocka_unit_test(a_proxy_with_a_wrong_name),
        cmocka_unit_test(the_proxys_modes),
        cmocka_unit_test(a_target_that_does_not_answer),
    };
    if (!nginx_is_there() || !squid_is_there()) {
        puts("SKIP: nginx or squid with OpenSSL is not installed (packages nginx-light, squid-openssl)");
        return 77;
    }
    if (!squid_may_run()) {
        puts("SKIP: squid started by root gives up its rights, and only root may write to /dev/shm here");
        return 77;
    }
    return cmocka_run_group_tests(tests, start, stop);
}
