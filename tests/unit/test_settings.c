/* test_settings.c - the networking settings (C2, P1, P2). */
#include "settings/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* A file system of two files. */
static int read_file(const char *path, struct casehook__buf *content, struct casehook_error *error)
{
    if (strcmp(path, "/a.pem") == 0) return casehook__buf_append_string(content, "AAA");
    if (strcmp(path, "/b.pem") == 0) return casehook__buf_append_string(content, "BBB\n");
    return casehook__fail(error, CASEHOOK_E_SYSTEM, "does not exist");
}

static struct casehook__settings_snapshot *load(const char *json)
{
    struct casehook__settings_snapshot *settings = NULL;
    struct casehook__errors errors;
    casehook__errors_init(&errors, NULL);
    int status = casehook__settings_read(NULL, casehook__text(json), read_file, &settings, &errors);
    if (status) print_error("%s: %s: %s\n", json, errors.first->field, errors.first->message);
    assert_int_equal(status, CASEHOOK_OK);
    assert_null(errors.first);
    return settings;
}

static void defaults(void **state)
{
    (void)state;
    struct casehook__settings_snapshot *settings = load("{}");
    struct casehook__origin origin = {0};
    assert_int_equal(casehook__url_parse(casehook__text("https://a.example/"), CASEHOOK__URL_REFUSE_USER,
                                         &origin, NULL, NULL),
                     CASEHOOK_OK);
    assert_true(casehook__host_list_has(&settings->allowed_hosts, &origin));
    assert_null(settings->proxy);
    assert_false(settings->has_proxy_only);
    assert_int_equal(settings->mode, CASEHOOK__MODE_FULL);
    assert_int_equal(settings->proxy_mode, CASEHOOK__MODE_FULL);
    assert_int_equal(settings->minimum_mode, CASEHOOK__MODE_NONE);
    assert_int_equal(settings->max_response_content_length, 1048576);
    assert_int_equal(settings->response_timeout_ms, 60000);
    assert_int_equal(settings->connect_timeout_ms, 10000);
    assert_int_equal(settings->idle_timeout_ms, 4000);
    assert_int_equal(settings->slow_request_ms, 10000);
    assert_int_equal(settings->max_idle_connections, 8);
    assert_int_equal(settings->max_redirects, 10);
    assert_int_equal(settings->http_version, CASEHOOK__HTTP_1_1);
    assert_false(settings->deny_private_addresses);
    assert_false(settings->allow_connector_proxy);
    assert_null(casehook__settings_host(settings, &origin));
    struct casehook__settings_snapshot *same = casehook__settings_ref(settings);
    casehook__settings_unref(settings);
    casehook__settings_unref(same);
    casehook__settings_unref(NULL);
}

static void every_spelling(void **state)
{
    (void)state;
    static const char *const spellings[] = {
        "{\"ssl\":{\"verificationMode\":\"none\"},\"maxRedirects\":3}",
        "{\"ssl.verificationMode\":\"none\",\"maxRedirects\":3}",
        "{\"xpack.actions.ssl.verificationMode\":\"none\",\"xpack.actions.maxRedirects\":3}",
        "{\"xpack\":{\"actions\":{\"ssl\":{\"verificationMode\":\"none\"},\"maxRedirects\":3}}}",
        "{\"xpack.actions\":{\"ssl.verificationMode\":\"none\"},\"maxRedirects\":3}",
        "{\"xpack\":{\"actions.ssl\":{\"verificationMode\":\"none\"},\"actions.maxRedirects\":3}}",
        "{\"xpack.actions\":{\"maxRedirects\":3},\"xpack.actions.ssl\":{\"verificationMode\":\"none\"}}",
    };
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        struct casehook__settings_snapshot *settings = load(spellings[i]);
        assert_int_equal(settings->mode, CASEHOOK__MODE_NONE);
        assert_int_equal(settings->max_redirects, 3);
        casehook__settings_unref(settings);
    }
}

static void everything(void **state)
{
    (void)state;
    struct casehook__settings_snapshot *settings = load(
        "{\"maxRedirects\":0,\"connectTimeout\":\"5s\",\"maxIdleConnections\":0,\"idleTimeout\":\"30s\","
        "\"slowRequestTimeout\":\"1500\","
        "\"httpVersion\":\"auto\",\"denyPrivateAddresses\":true,\"allowedAddresses\":[\"127.0.0.0/8\","
        "\"::1\"],\"ssl\":{\"minimumVerificationMode\":\"certificate\",\"proxyVerificationMode\":\"none\"},"
        "\"allowConnectorProxy\":true,\"run\":{\"maxAttempts\":1},\"responseTimeout\":1500,"
        "\"maxResponseContentLength\":\"2kb\",\"proxyUrl\":\"https://pu:p%40ss@proxy.example:8443\","
        "\"proxyHeaders\":{\"X-P\":\"1\"},\"proxyOnlyHosts\":[],\"proxyBypassHosts\":null}");
    assert_int_equal(settings->max_redirects, 0);
    assert_int_equal(settings->max_idle_connections, 0);
    assert_int_equal(settings->connect_timeout_ms, 5000);
    assert_int_equal(settings->idle_timeout_ms, 30000);
    assert_int_equal(settings->slow_request_ms, 1500);
    assert_int_equal(settings->response_timeout_ms, 1500);
    assert_int_equal(settings->max_response_content_length, 2048);
    assert_int_equal(settings->http_version, CASEHOOK__HTTP_AUTO);
    assert_true(settings->deny_private_addresses);
    assert_true(settings->allow_connector_proxy);
    assert_int_equal(settings->allowed_address_count, 2);
    assert_int_equal(settings->minimum_mode, CASEHOOK__MODE_CERTIFICATE);
    assert_int_equal(settings->proxy_mode, CASEHOOK__MODE_NONE);
    assert_true(settings->has_proxy_only);
    assert_string_equal(settings->proxy->origin.host, "proxy.example");
    assert_int_equal(settings->proxy->origin.port, 8443);
    const struct casehook__header *login =
        casehook__headers_find(&settings->proxy->headers, casehook__text("proxy-authorization"));
    assert_string_equal(login->value.data, "Basic cHU6cEBzcw==");
    assert_true(login->secret);
    assert_int_equal(settings->proxy->headers.count, 2);
    casehook__settings_unref(settings);
}

static void proxy_headers_beat_the_login(void **state)
{
    (void)state;
    struct casehook__settings_snapshot *settings =
        load("{\"proxyUrl\":\"http://u:p@127.0.0.1:3128\",\"proxyHeaders\":{\"Proxy-Authorization\":\"Basic "
             "eDp5\"}}");
    assert_int_equal(settings->proxy->headers.count, 1);
    assert_string_equal(settings->proxy->headers.items[0].value.data, "Basic eDp5");
    casehook__settings_unref(settings);
    settings = load("{\"proxyHeaders\":{\"X-P\":\"1\"},\"proxyUrl\":null}");
    assert_null(settings->proxy);
    casehook__settings_unref(settings);
}

static void hosts_of_their_own(void **state)
{
    (void)state;
    struct casehook__settings_snapshot *settings =
        load("{\"customHostSettings\":[{\"url\":\"https://u:p@LOCALHOST:8443/a/b?c#d\",\"ssl\":{"
             "\"verificationMode\":\"none\",\"certificateAuthoritiesFiles\":[\"/a.pem\",\"/b.pem\"],"
             "\"certificateAuthoritiesData\":\"CCC\"}},{\"url\":\"https://b.example\","
             "\"ssl.certificateAuthoritiesFiles\":\"/b.pem\"},{\"url\":\"https://b.example:444\"}]}");
    struct casehook__origin origin = {0};
    casehook__url_parse(casehook__text("https://localhost:8443/"), CASEHOOK__URL_REFUSE_USER, &origin, NULL,
                        NULL);
    const struct casehook__host_settings *host = casehook__settings_host(settings, &origin);
    assert_non_null(host);
    assert_int_equal(host->mode, CASEHOOK__MODE_NONE);
    assert_string_equal(host->ca.data, "AAA\nBBB\nCCC");
    casehook__url_parse(casehook__text("https://b.example/x"), CASEHOOK__URL_REFUSE_USER, &origin, NULL,
                        NULL);
    host = casehook__settings_host(settings, &origin);
    assert_int_equal(host->mode, CASEHOOK__MODE_UNSET);
    assert_string_equal(host->ca.data, "BBB\n");
    /* A dot behind the name does not lead past the settings of the host. */
    casehook__url_parse(casehook__text("https://B.example./x"), CASEHOOK__URL_REFUSE_USER, &origin, NULL,
                        NULL);
    assert_ptr_equal(casehook__settings_host(settings, &origin), host);
    casehook__url_parse(casehook__text("https://b.example:445/x"), CASEHOOK__URL_REFUSE_USER, &origin, NULL,
                        NULL);
    assert_null(casehook__settings_host(settings, &origin));
    casehook__settings_unref(settings);
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *json, *field, *says;
        size_t count;
    } cases[] = {
        {"{\"alowedHosts\":[\"*\"]}", "settings.alowedHosts", "\"allowedHosts\"", 1},
        {"{\"ssl\":{\"verificatonMode\":\"full\"}}", "settings.ssl.verificatonMode", "ssl.verificationMode",
         1},
        {"{\"xpack\":{\"security\":true}}", "settings.xpack.security", "no such setting", 1},
        {"{\"zzz\":{\"a\":1}}", "settings.zzz", "remove it", 1},
        {"{\"ssl\":\"full\"}", "settings.ssl", "an object", 1},
        {"{\"ssl\":null}", "settings.ssl", "an object", 1},
        {"{\"ssl\":{\"verificationMode\":\"strict\"}}", "settings.ssl.verificationMode", "\"certificate\"",
         1},
        {"{\"ssl\":{\"verificationMode\":null}}", "settings.ssl.verificationMode", "a text", 1},
        {"{\"ssl\":{\"minimumVerificationMode\":\"strict\"}}", "settings.ssl.minimumVerificationMode", "full",
         1},
        {"{\"ssl\":{\"verificationMode\":\"full\"},\"ssl.verificationMode\":\"full\"}",
         "settings.ssl.verificationMode", "twice", 1},
        {"{\"maxRedirects\":3,\"xpack.actions.maxRedirects\":3}", "settings.maxRedirects", "twice", 1},
        {"{\"maxRedirects\":\"5\"}", "settings.maxRedirects", "a whole number", 1},
        {"{\"maxRedirects\":-1}", "settings.maxRedirects", "0 to 21", 1},
        {"{\"maxRedirects\":22}", "settings.maxRedirects", "0 to 21", 1},
        {"{\"maxRedirects\":1.5}", "settings.maxRedirects", "a whole number", 1},
        {"{\"maxIdleConnections\":-1}", "settings.maxIdleConnections", "0 to", 1},
        {"{\"run.maxAttempts\":\"1\"}", "settings.run.maxAttempts", "a whole number", 1},
        {"{\"run.maxAttempts\":0}", "settings.run.maxAttempts", "1 to 10", 1},
        {"{\"run.maxAttempts\":11}", "settings.run.maxAttempts", "1 to 10", 1},
        {"{\"retry.baseDelay\":0}", "settings.retry.baseDelay", "longer than 0", 1},
        {"{\"retry.statuses\":[200]}", "settings.retry.statuses[0]", "400 to 599", 1},
        {"{\"retry.statuses\":[503,\"504\"]}", "settings.retry.statuses[1]", "400 to 599", 1},
        {"{\"retry.statuses\":503}", "settings.retry.statuses", "a list", 1},
        {"{\"rateLimit.requests\":0}", "settings.rateLimit.requests", "1 to 1000000", 1},
        {"{\"rateLimit.per\":\"1s\"}", "settings.rateLimit.per", "without rateLimit.requests", 1},
        {"{\"rateLimit.burst\":3}", "settings.rateLimit.burst", "without rateLimit.requests", 1},
        {"{\"circuit.failures\":0}", "settings.circuit.failures", "1 to 1000000", 1},
        {"{\"circuit.pause\":\"1s\"}", "settings.circuit.pause", "without circuit.failures", 1},
        {"{\"responseTimeout\":\"soon\"}", "settings.responseTimeout", "not a time", 1},
        {"{\"responseTimeout\":\"10 parsecs\"}", "settings.responseTimeout", "not a time", 1},
        {"{\"responseTimeout\":\"-5s\"}", "settings.responseTimeout", "not a time", 1},
        {"{\"responseTimeout\":0}", "settings.responseTimeout", "longer than 0", 1},
        {"{\"responseTimeout\":-1}", "settings.responseTimeout", "not a time", 1},
        {"{\"responseTimeout\":true}", "settings.responseTimeout", "a text or", 1},
        {"{\"connectTimeout\":\"fast\"}", "settings.connectTimeout", "not a time", 1},
        {"{\"idleTimeout\":1.5}", "settings.idleTimeout", "a text or", 1},
        {"{\"maxResponseContentLength\":\"big\"}", "settings.maxResponseContentLength", "not a size", 1},
        {"{\"maxResponseContentLength\":0}", "settings.maxResponseContentLength", "1 byte", 1},
        {"{\"httpVersion\":\"3\"}", "settings.httpVersion", "\"auto\"", 1},
        {"{\"httpVersion\":2}", "settings.httpVersion", "a text", 1},
        {"{\"denyPrivateAddresses\":\"true\"}", "settings.denyPrivateAddresses", "without quotes", 1},
        {"{\"allowedAddresses\":[\"10.0.0.0/33\"]}", "settings.allowedAddresses[0]", "", 1},
        {"{\"allowedAddresses\":[\"::1\",5]}", "settings.allowedAddresses[1]", "a text", 1},
        {"{\"allowedAddresses\":\"::1\"}", "settings.allowedAddresses", "a list", 1},
        {"{\"allowedHosts\":\"*\"}", "settings.allowedHosts", "a list", 1},
        {"{\"allowedHosts\":null}", "settings.allowedHosts", "a list", 1},
        {"{\"allowedHosts\":[\"a.example\",7]}", "settings.allowedHosts[1]", "a text", 1},
        {"{\"proxyUrl\":\"not a url\"}", "settings.proxyUrl", "", 1},
        {"{\"proxyUrl\":\"ftp://127.0.0.1:1\"}", "settings.proxyUrl", "", 1},
        {"{\"proxyUrl\":\"http://\"}", "settings.proxyUrl", "", 1},
        {"{\"proxyUrl\":\"http://u%3Ax:p@h\"}", "settings.proxyUrl", "colon", 1},
        {"{\"proxyUrl\":5}", "settings.proxyUrl", "a text", 1},
        {"{\"proxyHeaders\":[]}", "settings.proxyHeaders", "an object", 1},
        {"{\"proxyHeaders\":{\"Host\":\"x\"}}", "settings.proxyHeaders.Host", "reserved", 1},
        {"{\"proxyBypassHosts\":[\"a.example\"],\"proxyOnlyHosts\":[\"b.example\"]}",
         "settings.proxyOnlyHosts", "excludes", 1},
        {"{\"customHostSettings\":{}}", "settings.customHostSettings", "a list", 1},
        {"{\"customHostSettings\":[5]}", "settings.customHostSettings[0]", "an object", 1},
        {"{\"customHostSettings\":[{}]}", "settings.customHostSettings[0].url", "missing", 1},
        {"{\"customHostSettings\":[{\"url\":\"http://a.example\"}]}", "settings.customHostSettings[0].url",
         "https", 1},
        {"{\"customHostSettings\":[{\"url\":\"https://a.example\"},{\"url\":\"https://A.example:443/x\"}]}",
         "settings.customHostSettings[1].url", "already", 1},
        {"{\"customHostSettings\":[{\"url\":\"https://a.example\"},{\"url\":\"https://a.example.\"}]}",
         "settings.customHostSettings[1].url", "already", 1},
        {"{\"customHostSettings\":[{\"url\":\"https://a.example\",\"ssl\":{\"verificationmode\":\"full\"}}]}",
         "settings.customHostSettings[0].ssl.verificationmode", "ssl.verificationMode", 1},
        {"{\"customHostSettings\":[{\"url\":\"https://"
         "a.example\",\"ssl\":{\"certificateAuthoritiesFiles\":[\"certs/"
         "ca.pem\"]}}]}",
         "settings.customHostSettings[0].ssl.certificateAuthoritiesFiles[0]", "absolute", 1},
        {"{\"customHostSettings\":[{\"url\":\"https://"
         "a.example\",\"ssl\":{\"certificateAuthoritiesFiles\":\"/no."
         "pem\"}}]}",
         "settings.customHostSettings[0].ssl.certificateAuthoritiesFiles", "/no.pem", 1},
        {"{\"maxRedirects\":-1,\"x\":1,\"allowedHosts\":7}", "settings.x", "no such", 3},
        {"[]", "settings", "an object", 1},
        {"{", "settings", "too early", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct casehook__settings_snapshot *settings = NULL;
        struct casehook__errors errors;
        casehook__errors_init(&errors, NULL);
        assert_int_equal(
            casehook__settings_read(NULL, casehook__text(cases[i].json), read_file, &settings, &errors),
            CASEHOOK_E_CONFIG);
        assert_null(settings);
        assert_string_equal(errors.first->field, cases[i].field);
        if (!strstr(errors.first->message, cases[i].says))
            fail_msg("%s: %s", cases[i].json, errors.first->message);
        assert_int_equal(errors.first->step, CASEHOOK_STEP_CONFIG);
        assert_int_equal(errors.count, cases[i].count);
        casehook_error_free(errors.first);
    }
}

/* A document of nothing but faults: the first ones are told, the others counted. */
static void many_faults(void **state)
{
    (void)state;
    static char json[400000];
    size_t length = 0;
    for (int i = 0; i < 20000; i++)
        length +=
            (size_t)snprintf(json + length, sizeof json - length, "%c\"member-%d\":1", i ? ',' : '{', i);
    snprintf(json + length, sizeof json - length, "}");
    struct casehook__settings_snapshot *settings = NULL;
    struct casehook_error *error = NULL;
    struct casehook__errors errors;
    size_t count = 0;
    casehook__errors_init(&errors, NULL);
    assert_int_equal(casehook__settings_read(NULL, casehook__text(json), read_file, &settings, &errors),
                     CASEHOOK_E_CONFIG);
    assert_int_equal(errors.count, 20000);
    casehook__errors_finish(&errors, &error);
    for (const struct casehook_error *next = error; next; next = next->next) count++;
    assert_int_equal(count, CASEHOOK__ERRORS_MAX);
    casehook_error_free(error);
}

static void delivery(void **state)
{
    (void)state;
    struct casehook__settings_snapshot *settings = NULL;
    struct casehook__errors errors;
    casehook__errors_init(&errors, NULL);
    assert_int_equal(casehook__settings_read(
                         NULL,
                         casehook__text("{\"run\":{\"maxAttempts\":10},\"retry\":{\"baseDelay\":\"5ms\","
                                        "\"maxDelay\":\"7ms\",\"maxRetryAfter\":\"1m\",\"deadline\":\"1h\","
                                        "\"findDelay\":\"3s\",\"statuses\":[423,599]},\"rateLimit\":"
                                        "{\"requests\":5,\"per\":\"2s\",\"burst\":9},\"circuit\":"
                                        "{\"failures\":4,\"pause\":\"8s\"}}"),
                         read_file, &settings, &errors),
                     CASEHOOK_OK);
    const struct casehook__retry *retry = &settings->retry;
    assert_int_equal(retry->max_attempts, 10);
    assert_int_equal(retry->base_delay_ms, 5);
    assert_int_equal(retry->max_delay_ms, 7);
    assert_int_equal(retry->max_retry_after_ms, 60000);
    assert_int_equal(retry->deadline_ms, 3600000);
    assert_int_equal(retry->find_delay_ms, 3000);
    for (int status = 300; status < 700; status++)
        assert_int_equal(casehook__retry_has_status(retry, status), status == 423 || status == 599);
    assert_int_equal(settings->limits.rate_requests, 5);
    assert_int_equal(settings->limits.rate_per_ms, 2000);
    assert_int_equal(settings->limits.rate_burst, 9);
    assert_int_equal(settings->limits.circuit_failures, 4);
    assert_int_equal(settings->limits.circuit_pause_ms, 8000);
    casehook__settings_unref(settings);
}

static void delivery_defaults(void **state)
{
    (void)state;
    struct casehook__settings_snapshot *settings = casehook__settings_default(NULL);
    const struct casehook__retry *retry = &settings->retry;
    assert_int_equal(retry->max_attempts, 1);
    assert_int_equal(retry->base_delay_ms, 1000);
    assert_int_equal(retry->max_delay_ms, 30000);
    assert_int_equal(retry->max_retry_after_ms, 300000);
    assert_int_equal(retry->deadline_ms, 0);
    assert_int_equal(retry->find_delay_ms, 2000);
    static const int statuses[] = {408, 425, 429, 500, 502, 503, 504};
    unsigned listed = 0;
    for (int status = 400; status < 600; status++) listed += casehook__retry_has_status(retry, status);
    assert_int_equal(listed, sizeof statuses / sizeof *statuses);
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        assert_true(casehook__retry_has_status(retry, statuses[i]));
    assert_int_equal(settings->limits.rate_requests, 0);
    assert_int_equal(settings->limits.circuit_failures, 0);
    casehook__settings_unref(settings);
}

static void durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t ms; /* 0: refused */
    } cases[] = {
        {"1", 1},           {"500ms", 500},    {"60s", 60000},    {"20m", 1200000},
        {"2h", 7200000},    {"3d", 259200000}, {"1w", 604800000}, {"1M", 2147483647},
        {"1Y", 2147483647}, {"0", 0},          {"0s", 0},         {"", 0},
        {"s", 0},           {"1 s", 0},        {"1S", 0},         {"1.5s", 0},
        {"1s2", 0},         {" 1s", 0},        {"+1s", 0},        {"99999999999999999999999s", 2147483647},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t ms = 0;
        int status = casehook__duration_parse(casehook__text(cases[i].text), &ms, NULL);
        assert_int_equal(status, cases[i].ms ? CASEHOOK_OK : CASEHOOK_E_CONFIG);
        assert_int_equal(ms, cases[i].ms);
    }
}

static void sizes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes; /* 0: refused */
    } cases[] = {{"1", 1},   {"100b", 100}, {"512kb", 524288}, {"1mb", 1048576}, {"1MB", 1048576}, {"0", 0},
                 {"1tb", 0}, {"", 0},       {"mb", 0},         {"1 mb", 0},      {"99999999gb", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t bytes = 0;
        int status = casehook__size_parse(casehook__text(cases[i].text), &bytes, NULL);
        assert_int_equal(status, cases[i].bytes ? CASEHOOK_OK : CASEHOOK_E_CONFIG);
        assert_int_equal(bytes, cases[i].bytes);
    }
}

static void passwords_stay_out_of_messages(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "{\"proxyUrl\":\"http://user:s3cret@[bad\"}",      "{\"proxyUrl\":\"ftp://user:s3cret@host\"}",
        "{\"proxyUrl\":\"http://user:s3cret@host/path\"}", "{\"proxyUrl\":\"http://us%3Aer:s3cret@host\"}",
        "{\"proxyHeaders\":{\"X-Y\":\"s3cret\\n\"}}",      "{\"proxyUrl\":\"http://user:s3cret@host\",}",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct casehook__settings_snapshot *settings = NULL;
        struct casehook__errors errors;
        casehook__errors_init(&errors, NULL);
        assert_int_equal(
            casehook__settings_read(NULL, casehook__text(cases[i]), read_file, &settings, &errors),
            CASEHOOK_E_CONFIG);
        for (const struct casehook_error *error = errors.first; error; error = error->next)
            assert_null(strstr(error->message, "s3cret"));
        casehook_error_free(errors.first);
    }
}

struct counter {
    size_t calls, fail_at;
};

static void *count_reallocate(void *user, void *pointer, size_t size)
{
    struct counter *counter = user;
    if (size == 0) {
        free(pointer);
        return NULL;
    }
    if (++counter->calls == counter->fail_at) return NULL;
    return realloc(pointer, size);
}

static void no_memory_is_an_error(void **state)
{
    (void)state;
    static const char *const json =
        "{\"allowedHosts\":[\"a.example\",\"*.b.example\"],\"proxyUrl\":\"http://u:p@127.0.0.1:3128\","
        "\"proxyHeaders\":{\"X-P\":\"1\"},\"proxyBypassHosts\":[\"c.example\"],\"allowedAddresses\":[\"::1\"]"
        ","
        "\"customHostSettings\":[{\"url\":\"https://a.example\",\"ssl\":{\"certificateAuthoritiesFiles\":\"/"
        "a.pem\"}}]}";
    for (size_t fail_at = 2;; fail_at++) {
        struct counter counter = {.fail_at = fail_at};
        struct casehook_allocator allocator = {sizeof allocator, &counter, count_reallocate, NULL};
        struct casehook__heap *heap = NULL;
        struct casehook__settings_snapshot *settings = NULL;
        struct casehook__errors errors;
        assert_int_equal(casehook__heap_new(&allocator, &heap), CASEHOOK_OK);
        casehook__errors_init(&errors, heap);
        int status = casehook__settings_read(heap, casehook__text(json), read_file, &settings, &errors);
        casehook_error_free(errors.first);
        casehook__settings_unref(settings);
        casehook__heap_unref(heap);
        if (counter.calls < fail_at) {
            assert_int_equal(status, CASEHOOK_OK);
            assert_true(fail_at > 4); /* some calls did fail */
            return;
        }
        assert_int_equal(status, CASEHOOK_E_NO_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(every_spelling),
        cmocka_unit_test(everything),
        cmocka_unit_test(proxy_headers_beat_the_login),
        cmocka_unit_test(hosts_of_their_own),
        cmocka_unit_test(refused),
        cmocka_unit_test(many_faults),
        cmocka_unit_test(delivery),
        cmocka_unit_test(delivery_defaults),
        cmocka_unit_test(durations),
        cmocka_unit_test(sizes),
        cmocka_unit_test(passwords_stay_out_of_messages),
        cmocka_unit_test(no_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
