/*
 * test_sequences.c - every operation behind every other one on one connector: the bytes are those that a new
 * connector sends, whatever methods are configured and whatever redirects were followed before.
 */
#include "certs.h"
#include "documents.h"
#include "http_proxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define BIG          (1200 * 1024) /* libcurl would ask for 100 Continue first */

static const struct item {
    int operation, redirect; /* what each call of it is answered with; 0: no redirect */
    bool big;
} items[] = {
    {CASEHOOK_CREATE, 0, false},  {CASEHOOK_CREATE, 303, false},  {CASEHOOK_CREATE, 307, false},
    {CASEHOOK_GET, 0, false},     {CASEHOOK_GET, 303, false},     {CASEHOOK_GET, 307, false},
    {CASEHOOK_UPDATE, 0, false},  {CASEHOOK_UPDATE, 303, false},  {CASEHOOK_UPDATE, 307, false},
    {CASEHOOK_COMMENT, 0, false}, {CASEHOOK_COMMENT, 303, false}, {CASEHOOK_COMMENT, 307, false},
    {CASEHOOK_UPDATE, 307, true},
};

/* create, get, update, comment: each pair of methods of two calls is there. */
static const char *const methods[][4] = {
    {"post", "get", "put", "put"},     {"post", "post", "post", "post"}, {"post", "get", "patch", "patch"},
    {"put", "post", "put", "post"},    {"put", "get", "post", "patch"},  {"put", "post", "patch", "put"},
    {"patch", "get", "put", "patch"},  {"patch", "post", "post", "put"}, {"patch", "get", "patch", "post"},
    {"patch", "post", "put", "patch"},
};

static char *big;
static int redirect;

static bool has_moved(const char *target)
{
    return strstr(target, "moved=1") != NULL;
}

static void answer(void *user, const struct http_request *request, struct http_response *response)
{
    static const struct http_header headers[] = {{"Content-Type", "application/json"},
                                                 {"Location", "/elsewhere?moved=1"}};
    (void)user;
    bool moves = redirect && !has_moved(request->target);
    response->status = moves ? redirect : 200;
    response->headers = headers;
    response->header_count = moves ? 2 : 1;
    response->body = "{\"id\":\"42\",\"key\":\"CASE-42\"}";
    response->body_length = strlen(response->body);
}

/* ---- one set of servers ------------------------------------------------------------------------- */

static struct certs *certs;
static struct http_log *http;
static struct http_server *plain, *secure;
static struct http_proxy *proxy;

static void start(void)
{
    size_t length;
    struct http_tls tls = {.certificate = certs_file(certs, "server.crt", &length),
                           .key = certs_file(certs, "server.key", &length)};
    http = http_log_new();
    plain = http_server_start(http, "plain", NULL, answer, NULL);
    secure = http_server_start(http, "secure", &tls, answer, NULL);
    proxy = http_proxy_start(http, "proxy", NULL, HTTP_PROXY_PASS);
    assert_true(plain && secure && proxy);
}

static void stop(void)
{
    http_proxy_stop(proxy, 5000);
    http_server_stop(plain, 5000);
    http_server_stop(secure, 5000);
    http_log_free(http);
}

static struct casehook_connector *connector_of(const char *const method[4], bool https, bool mixed,
                                               const struct casehook_settings *settings)
{
    char base[64], other[64], config[1024];
    snprintf(https ? base : other, sizeof base, "https://localhost:%u", http_server_port(secure));
    snprintf(https ? other : base, sizeof base, "http://localhost:%u", http_server_port(plain));
    if (!mixed) memcpy(other, base, sizeof other);
    int length = snprintf(config, sizeof config,
                          "\"createIncidentMethod\":\"%s\",\"getIncidentMethod\":\"%s\","
                          "\"updateIncidentMethod\":\"%s\",\"createCommentMethod\":\"%s\","
                          "\"headers\":{\"X-Own\":\"1\"},"
                          "\"getIncidentUrl\":\"%s/issue/{{{external.system.id}}}\","
                          "\"createCommentUrl\":\"%s/issue/{{{external.system.id}}}/comment\"",
                          method[0], method[1], method[2], method[3], other, other);
    if (strcmp(method[1], "post") == 0)
        snprintf(config + length, sizeof config - (size_t)length,
                 ",\"getIncidentJson\":\"{\\\"the\\\":{{{external.system.id}}}}\"");
    return document_connector(settings, base, config, NULL);
}

static void run(struct casehook_connector *connector, const struct item *item)
{
    static const struct casehook_comment comment[] = {{"c", "a comment"}};
    struct casehook_params params = {.struct_size = sizeof params,
                                     .title = "t",
                                     .description = item->big ? big : "d",
                                     .comments = comment,
                                     .comment_size = sizeof *comment};
    struct casehook_result *result = NULL;
    int (*const operations[])(struct casehook_connector *, const struct casehook_params *,
                              const struct casehook_options *,
                              struct casehook_result **) = {[CASEHOOK_CREATE] = casehook_create,
                                                            [CASEHOOK_GET] = casehook_get,
                                                            [CASEHOOK_UPDATE] = casehook_update,
                                                            [CASEHOOK_COMMENT] = casehook_add_comment};
    if (item->operation != CASEHOOK_CREATE) params.external_id = "7";
    if (item->operation == CASEHOOK_COMMENT) params.comment_count = 1;
    redirect = item->redirect;
    int status = operations[item->operation](connector, &params, NULL, &result);
    if (status) fail_msg("%s", casehook_error_message(casehook_result_error(result)));
    casehook_result_free(result);
}

/* ---- what was sent ------------------------------------------------------------------------------ */

/* The next one that is no CONNECT, which only a new connection needs. */
static const struct http_request *next(size_t *at)
{
    const struct http_request *request;
    do {
        request = http_log_at(http, (*at)++);
    } while (request && strcmp(request->method, "CONNECT") == 0);
    return request;
}

/* What is in the log from a to the place where b begins is there from b on once more. */
static void check_same(size_t a, size_t a_end, size_t b)
{
    for (;;) {
        const struct http_request *wanted = next(&a), *sent = next(&b);
        if (!wanted || a > a_end) {
            assert_null(sent);
            return;
        }
        assert_non_null(sent);
        assert_string_equal(sent->server, wanted->server);
        assert_string_equal(sent->head, wanted->head);
        assert_int_equal(sent->body_length, wanted->body_length);
        if (sent->body_length) assert_memory_equal(sent->body, wanted->body, sent->body_length);
    }
}

/* By themselves they are as they should be, too. */
static void check_alone(size_t at, const char *const method[4])
{
    for (const struct http_request *request; (request = next(&at)) != NULL;) {
        bool read = strcmp(request->method, "GET") == 0;
        assert_int_equal(http_request_header_count(request, "Expect"), 0);
        assert_int_equal(http_request_header_count(request, "X-Own"), 1);
        assert_int_equal(http_request_header_count(request, "Content-Type"), !read);
        assert_int_equal(http_request_header_count(request, "Content-Length"), !read);
        assert_int_equal(request->body_length > 0, !read);
        if (has_moved(request->target) && redirect == 303) assert_string_equal(request->method, "GET");
        if (strcmp(method[1], "get") == 0 && strcmp(request->target, "/issue/42") == 0)
            assert_string_equal(request->method, "GET");
    }
}

static void in_turn(bool https, bool mixed, bool by_proxy, size_t step)
{
    for (size_t m = 0; m < COUNT(methods); m += step) {
        char json[160] = "{\"ssl.verificationMode\":\"none\",\"reuseConnections\":\"always\"}";
        size_t begin[COUNT(items) + 1];
        start();
        if (by_proxy)
            snprintf(json, sizeof json,
                     "{\"ssl.verificationMode\":\"none\",\"reuseConnections\":\"always\","
                     "\"proxyUrl\":\"http://localhost:%u\"}",
                     http_proxy_port(proxy));
        struct casehook_settings *settings = document_settings(json);
        for (size_t i = 0; i < COUNT(items); i++) {
            struct casehook_connector *connector = connector_of(methods[m], https, mixed, settings);
            begin[i] = http_log_count(http);
            run(connector, &items[i]);
            check_alone(begin[i], methods[m]);
            casehook_connector_unref(connector);
        }
        begin[COUNT(items)] = http_log_count(http);
        struct casehook_connector *connector = connector_of(methods[m], https, mixed, settings);
        for (size_t i = 0; i < COUNT(items); i++)
            for (size_t j = 0; j < COUNT(items); j++) {
                run(connector, &items[i]);
                size_t here = http_log_count(http);
                run(connector, &items[j]);
                check_same(begin[j], begin[j + 1], here);
            }
        casehook_connector_unref(connector);
        casehook_settings_free(settings);
        if (!by_proxy) /* it was the same connection all the time */
            assert_true(http_server_connections(plain) + http_server_connections(secure) <=
                        (COUNT(items) + 1) * (mixed ? 2 : 1));
        stop();
    }
}

static void plainly(void **state)
{
    (void)state;
    in_turn(false, false, false, 1);
}

static void in_tls(void **state)
{
    (void)state;
    in_turn(true, false, false, 4);
}

static void both_in_one_connector(void **state)
{
    (void)state;
    in_turn(false, true, false, 4);
}

static void both_through_a_proxy(void **state)
{
    (void)state;
    in_turn(false, true, true, 4);
}

static int set_up(void **state)
{
    (void)state;
    certs =
        certs_make_recipe("{\"certs\":{\"ca\":{\"subject\":\"CN=Test CA\",\"ca\":true,\"issuer\":\"self\"},"
                          "\"server\":{\"subject\":\"CN=localhost\",\"issuer\":\"ca\",\"san\":[\"DNS:"
                          "localhost\"]}},\"files\":{}}");
    big = malloc(BIG + 1);
    if (!certs || !big) return -1;
    memset(big, 'b', BIG);
    big[BIG] = '\0';
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(big);
    certs_free(certs);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(plainly), cmocka_unit_test(in_tls),
                                       cmocka_unit_test(both_in_one_connector),
                                       cmocka_unit_test(both_through_a_proxy)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
