/* test_support.c - the recording server and the proxy, asked with libcurl and with bare sockets. */
#include "http_proxy.h"
#include "http_server.h"
#include "memory.h"

#include <curl/curl.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct setup {
    struct http_log *log;
    struct http_server *server;
    CURL *curl;
    char body[4096];
    size_t length;
};

static size_t keep(char *bytes, size_t size, size_t count, void *user)
{
    struct setup *setup = user;
    (void)size;
    assert_true(setup->length + count < sizeof setup->body);
    memcpy(setup->body + setup->length, bytes, count);
    setup->length += count;
    return count;
}

static void open_setup(struct setup *setup, const struct http_script *script, const struct http_tls *tls)
{
    memset(setup, 0, sizeof *setup);
    setup->log = http_log_new();
    setup->server = http_server_start(setup->log, "one", tls, http_script_answer, (void *)(uintptr_t)script);
    assert_non_null(setup->server);
    setup->curl = curl_easy_init();
    curl_easy_setopt(setup->curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(setup->curl, CURLOPT_WRITEDATA, setup);
    curl_easy_setopt(setup->curl, CURLOPT_NOPROXY, "");
    curl_easy_setopt(setup->curl, CURLOPT_TIMEOUT_MS, 20000L);
}

static void close_setup(struct setup *setup)
{
    curl_easy_cleanup(setup->curl);
    http_server_stop(setup->server, 5000);
    http_log_free(setup->log);
}

static CURLcode fetch(struct setup *setup, const char *scheme, const char *host, const char *path)
{
    char *url = must_format("%s://%s:%u%s", scheme, host, http_server_port(setup->server), path);
    curl_easy_setopt(setup->curl, CURLOPT_URL, url);
    setup->length = 0;
    memset(setup->body, 0, sizeof setup->body);
    CURLcode code = curl_easy_perform(setup->curl);
    free(url);
    return code;
}

static long status_of(struct setup *setup)
{
    long status = 0;
    curl_easy_getinfo(setup->curl, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static void records_every_byte(void **state)
{
    (void)state;
    static const struct http_response responses[] = {{.status = 201, .body = "{\"id\":1}", .body_length = 8}};
    static const struct http_script script = {responses, 1};
    struct setup s;
    open_setup(&s, &script, NULL);
    char port[16];
    snprintf(port, sizeof port, "%u", http_server_port(s.server));
    int fd = stream_connect("127.0.0.1", port);
    struct stream stream = {.fd = fd, .wake = -1};
    static const char request[] = "PUT /a%20b?c=1#d HTTP/1.1\r\nHost: h\r\nX-One:  \t 1 \t\r\nx-one: 2\r\n"
                                  "Content-Length: 3\r\n\r\na\0b";
    assert_int_equal(stream_write(&stream, request, sizeof request - 1), 0);
    char answer[256] = "";
    static const char expected[] = "HTTP/1.1 201 Created\r\nContent-Length: 8\r\n\r\n{\"id\":1}";
    for (size_t n = 0, length = 0; length < sizeof expected - 1; length += n) {
        n = stream_read(&stream, answer + length, sizeof expected - 1 - length);
        assert_true(n > 0);
    }
    assert_string_equal(answer, expected);
    close(fd);
    const struct http_request *got = http_log_at(s.log, 0);
    assert_string_equal(got->line, "PUT /a%20b?c=1#d HTTP/1.1");
    assert_string_equal(got->method, "PUT");
    assert_string_equal(got->target, "/a%20b?c=1#d");
    assert_string_equal(got->version, "HTTP/1.1");
    assert_int_equal(got->head_length, sizeof request - 1 - 3);
    assert_memory_equal(got->head, request, got->head_length);
    assert_int_equal(got->header_count, 4);
    assert_string_equal(got->headers[1].name, "X-One");
    assert_string_equal(http_request_header(got, "x-ONE", 0), "1");
    assert_string_equal(http_request_header(got, "x-one", 1), "2");
    assert_int_equal(http_request_header_count(got, "x-one"), 2);
    assert_int_equal(got->body_length, 3);
    assert_memory_equal(got->body, "a\0b", 3);
    assert_false(got->incomplete);
    close_setup(&s);
}

static void keeps_connections_and_closes_them(void **state)
{
    (void)state;
    static const struct http_response responses[] = {
        {.body = "one", .body_length = 3}, {.body = "two", .body_length = 3, .close = 1}, {.status = 204}};
    static const struct http_script script = {responses, 3};
    struct setup s;
    open_setup(&s, &script, NULL);
    assert_int_equal(fetch(&s, "http", "127.0.0.1", "/1"), CURLE_OK);
    assert_int_equal(fetch(&s, "http", "127.0.0.1", "/2"), CURLE_OK);
    assert_string_equal(s.body, "two");
    assert_int_equal(fetch(&s, "http", "127.0.0.1", "/3"), CURLE_OK);
    assert_int_equal(status_of(&s), 204);
    assert_int_equal(fetch(&s, "http", "127.0.0.1", "/4"), CURLE_OK);
    assert_int_equal(status_of(&s), 500); /* the script is at its end */
    assert_int_equal(http_log_at(s.log, 0)->connection, 0);
    assert_int_equal(http_log_at(s.log, 1)->connection, 0);
    assert_int_equal(http_log_at(s.log, 2)->connection, 1);
    assert_int_equal(http_log_at(s.log, 3)->connection, 1);
    assert_string_equal(http_log_at(s.log, 3)->target, "/4");
    assert_int_equal(http_server_connections(s.server), 2);
    close_setup(&s);
}

static void answers_as_scripted(void **state)
{
    (void)state;
    static const struct http_header headers[] = {{"X-A", "1"}, {"X-A", "2"}};
    static const struct http_response responses[] = {
        {.status = 418, .reason = "Tea pot", .headers = headers, .header_count = 2},
        {.body = "chunked \xF0\x9F\x94\xA5", .body_length = 12, .chunked = 1},
        {.raw = "HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nok", .raw_length = 37}};
    static const struct http_script script = {responses, 3};
    struct setup s;
    open_setup(&s, &script, NULL);
    curl_easy_setopt(s.curl, CURLOPT_HEADER, 1L);
    assert_int_equal(fetch(&s, "http", "127.0.0.1", "/"), CURLE_OK);
    assert_string_equal(s.body, "HTTP/1.1 418 Tea pot\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 0\r\n\r\n");
    curl_easy_setopt(s.curl, CURLOPT_HEADER, 0L);
    assert_int_equal(fetch(&s, "http", "[::1]", "/"), CURLE_OK);
    assert_string_equal(s.body, "chunked \xF0\x9F\x94\xA5");
    assert_true(http_log_at(s.log, 1)->ipv6);
    assert_false(http_log_at(s.log, 0)->ipv6);
    assert_int_equal(fetch(&s, "http", "127.0.0.1", "/"), CURLE_OK);
    assert_string_equal(s.body, "ok");
    close_setup(&s);
}

static void faults_happen(void **state)
{
    (void)state;
    static const struct http_response responses[] = {
        {.fault = HTTP_CLOSE_BEFORE_RESPONSE},
        {.fault = HTTP_RESET_BEFORE_RESPONSE},
        {.fault = HTTP_CLOSE_IN_BODY, .claimed_length = 50, .body = "{\"key\":", .body_length = 7},
        {.delay_ms = 60000},
        {.body = "slow drip", .body_length = 9, .piece = 1, .piece_delay_ms = 30000}};
    static const struct http_script script = {responses, 5};
    struct setup s;
    open_setup(&s, &script, NULL);
    curl_easy_setopt(s.curl, CURLOPT_POSTFIELDS, "body");
    assert_int_equal(fetch(&s, "http", "127.0.0.1", "/"), CURLE_GOT_NOTHING);
    assert_int_equal(fetch(&s, "http", "127.0.0.1", "/"), CURLE_RECV_ERROR);
    assert_int_equal(fetch(&s, "http", "127.0.0.1", "/"), CURLE_PARTIAL_FILE);
    assert_string_equal(s.body, "{\"key\":");
    curl_easy_setopt(s.curl, CURLOPT_TIMEOUT_MS, 100L);
    assert_int_equal(fetch(&s, "http", "127.0.0.1", "/"), CURLE_OPERATION_TIMEDOUT);
    assert_int_equal(fetch(&s, "http", "127.0.0.1", "/"), CURLE_OPERATION_TIMEDOUT);
    assert_string_equal(s.body, "s");
    assert_int_equal(http_log_count(s.log), 5);
    for (size_t i = 0; i < 5; i++) assert_string_equal(http_log_at(s.log, i)->body, "body");
    close_setup(&s); /* at once, the delays are broken off */
}

/* What was sent before the client closed is in the log when the server has stopped. */
static void nothing_is_missed(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", "GET /3 HTT",
        "POST /4 HTTP/1.1\r\nContent-Length: 10\r\n\r\nshort",
        "POST /5 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"};
    static const struct http_script script = {NULL, 0};
    struct setup s;
    open_setup(&s, &script, NULL);
    char port[16];
    snprintf(port, sizeof port, "%u", http_server_port(s.server));
    for (size_t i = 0; i < 4; i++) {
        struct stream stream = {.fd = stream_connect("127.0.0.1", port), .wake = -1};
        assert_int_equal(stream_write(&stream, texts[i], strlen(texts[i])), 0);
        close(stream.fd);
    }
    http_server_stop(s.server, 5000);
    s.server = NULL;
    assert_int_equal(http_log_count(s.log), 5);
    int incomplete = 0, found = 0;
    for (size_t i = 0; i < 5; i++) {
        const struct http_request *request = http_log_at(s.log, i);
        incomplete += request->incomplete;
        found +=
            strcmp(request->body, "abc") == 0 || (request->incomplete && strcmp(request->body, "short") == 0);
    }
    assert_int_equal(incomplete, 2);
    assert_int_equal(found, 2);
    close_setup(&s);
}

/* A client that speaks TLS to a plain server is answered at once. */
static void garbage_is_refused(void **state)
{
    (void)state;
    static const struct http_script script = {NULL, 0};
    struct setup s;
    open_setup(&s, &script, NULL);
    assert_int_equal(fetch(&s, "https", "127.0.0.1", "/"), CURLE_SSL_CONNECT_ERROR);
    assert_int_equal(http_log_count(s.log), 1);
    assert_true(http_log_at(s.log, 0)->garbage);
    close_setup(&s);
}

/* ---- TLS --------------------------------------------------------------------------------------- */

struct pair {
    char *certificate, *key;
};

static char *bio_text(BIO *bio)
{
    char *text;
    long length = BIO_get_mem_data(bio, &text);
    char *copy = must_copy(text, (size_t)length);
    BIO_free(bio);
    return copy;
}

/* A certificate for localhost that signs itself. */
static struct pair make_pair(const char *name)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *own = X509_new();
    X509_set_version(own, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(own), 7);
    X509_gmtime_adj(X509_getm_notBefore(own), -1000);
    X509_gmtime_adj(X509_getm_notAfter(own), 100000);
    X509_set_pubkey(own, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(own), "CN", MBSTRING_ASC, (const unsigned char *)name,
                               -1, -1, 0);
    X509_set_issuer_name(own, X509_get_subject_name(own));
    X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost");
    X509_add_ext(own, names, -1);
    X509_EXTENSION_free(names);
    assert_true(X509_sign(own, key, EVP_sha256()) > 0);
    BIO *first = BIO_new(BIO_s_mem()), *second = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(first, own);
    PEM_write_bio_PrivateKey(second, key, NULL, NULL, 0, NULL, NULL);
    X509_free(own);
    EVP_PKEY_free(key);
    return (struct pair){bio_text(first), bio_text(second)};
}

static void blob(CURL *curl, CURLoption option, const char *text)
{
    struct curl_blob bytes = {(void *)(uintptr_t)text, strlen(text), CURL_BLOB_COPY};
    curl_easy_setopt(curl, option, &bytes);
}

static void speaks_tls(void **state)
{
    (void)state;
    static const struct http_response responses[] = {{.body = "safe", .body_length = 4}};
    static const struct http_script script = {responses, 1};
    struct pair server = make_pair("localhost"), client = make_pair("the client");
    struct http_tls tls = {.certificate = server.certificate,
                           .key = server.key,
                           .client_ca = client.certificate,
                           .min_version = TLS1_3_VERSION};
    struct setup s;
    open_setup(&s, &script, &tls);
    blob(s.curl, CURLOPT_CAINFO_BLOB, server.certificate);
    assert_int_not_equal(fetch(&s, "https", "localhost", "/"), CURLE_OK); /* no client certificate */
    assert_int_equal(http_log_count(s.log), 0);
    blob(s.curl, CURLOPT_SSLCERT_BLOB, client.certificate);
    blob(s.curl, CURLOPT_SSLKEY_BLOB, client.key);
    assert_int_equal(fetch(&s, "https", "localhost", "/"), CURLE_OK);
    assert_string_equal(s.body, "safe");
    assert_string_equal(http_log_at(s.log, 0)->peer, "/CN=the client");
    assert_int_equal(http_server_handshakes_failed(s.server), 1);
    curl_easy_setopt(s.curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_MAX_TLSv1_2);
    curl_easy_setopt(s.curl, CURLOPT_FRESH_CONNECT, 1L);
    assert_int_equal(fetch(&s, "https", "localhost", "/"), CURLE_SSL_CONNECT_ERROR);
    close_setup(&s);
    free(server.certificate);
    free(server.key);
    free(client.certificate);
    free(client.key);
}

/* ---- the proxy ----------------------------------------------------------------------------------- */

static CURLcode fetch_by(struct setup *s, enum http_proxy_mode mode, int tunnel)
{
    struct http_proxy *proxy = http_proxy_start(s->log, "proxy", NULL, mode);
    assert_non_null(proxy);
    char *url = must_format("http://u:p@127.0.0.1:%u", http_proxy_port(proxy));
    curl_easy_setopt(s->curl, CURLOPT_PROXY, url);
    curl_easy_setopt(s->curl, CURLOPT_HTTPPROXYTUNNEL, (long)tunnel);
    curl_easy_setopt(s->curl, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(s->curl, CURLOPT_FORBID_REUSE, 1L);
    CURLcode code = fetch(s, "http", "127.0.0.1", "/x?y");
    http_proxy_stop(proxy, 5000);
    free(url);
    return code;
}

static void proxy_passes_on(void **state)
{
    (void)state;
    static const struct http_response responses[] = {
        {0}, {.body = "one", .body_length = 3}, {0}, {.body = "two", .body_length = 3}};
    static const struct http_script script = {responses, 4};
    struct setup s;
    open_setup(&s, &script, NULL);
    assert_int_equal(fetch_by(&s, HTTP_PROXY_PASS, 0), CURLE_OK);
    assert_string_equal(s.body, "one");
    assert_int_equal(fetch_by(&s, HTTP_PROXY_PASS, 1), CURLE_OK);
    assert_string_equal(s.body, "two");
    assert_int_equal(http_log_count(s.log), 4);
    char *line = must_format("GET http://127.0.0.1:%u/x?y HTTP/1.1", http_server_port(s.server));
    assert_string_equal(http_log_at(s.log, 0)->line, line);
    assert_string_equal(http_log_at(s.log, 0)->server, "proxy");
    assert_string_equal(http_request_header(http_log_at(s.log, 0), "proxy-authorization", 0), "Basic dTpw");
    assert_string_equal(http_log_at(s.log, 1)->line, "GET /x?y HTTP/1.1");
    assert_null(http_request_header(http_log_at(s.log, 1), "proxy-authorization", 0));
    assert_string_equal(http_log_at(s.log, 2)->method, "CONNECT");
    assert_string_equal(http_log_at(s.log, 3)->line, "GET /x?y HTTP/1.1");
    free(line);
    close_setup(&s);
}

static void proxy_refuses(void **state)
{
    (void)state;
    static const struct http_script script = {NULL, 0};
    struct setup s;
    open_setup(&s, &script, NULL);
    assert_int_equal(fetch_by(&s, HTTP_PROXY_REFUSE, 0), CURLE_OK);
    assert_int_equal(status_of(&s), 403);
    assert_int_not_equal(fetch_by(&s, HTTP_PROXY_AUTH, 1), CURLE_OK);
    long status = 0;
    curl_easy_getinfo(s.curl, CURLINFO_HTTP_CONNECTCODE, &status);
    assert_int_equal(status, 407);
    assert_int_equal(http_log_count(s.log), 2); /* nothing reached the server */
    close_setup(&s);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_every_byte),  cmocka_unit_test(keeps_connections_and_closes_them),
        cmocka_unit_test(answers_as_scripted), cmocka_unit_test(faults_happen),
        cmocka_unit_test(nothing_is_missed),   cmocka_unit_test(garbage_is_refused),
        cmocka_unit_test(speaks_tls),          cmocka_unit_test(proxy_passes_on),
        cmocka_unit_test(proxy_refuses),
    };
    curl_global_init(CURL_GLOBAL_DEFAULT);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
