/* test_exchange_hostile.c - a host that does everything wrong: nothing crashes, nothing is believed twice. */
#include "documents.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BASE "http://tracker.example"
#define JSON "Content-Type: application/json\r\n"
#define ALL  CASEHOOK_TERMINATED

static struct casehook_http_request request;

static struct casehook_exchange *begin_with(const char *config, const char *secrets, int operation,
                                            const char *json)
{
    struct casehook_connector *connector = document_connector(NULL, BASE, config, secrets);
    struct casehook_exchange *exchange = NULL;
    assert_int_equal(casehook_exchange_new_json(connector, operation, json, ALL, NULL, &exchange, NULL),
                     CASEHOOK_OK);
    casehook_connector_unref(connector);
    return exchange;
}

/* A create whose first request was given. */
static struct casehook_exchange *begin(void)
{
    struct casehook_exchange *exchange = begin_with(NULL, NULL, CASEHOOK_CREATE, "{\"title\":\"t\"}");
    request.struct_size = sizeof request;
    assert_int_equal(casehook_exchange_next(exchange, &request), 1);
    return exchange;
}

/* Ends it; the status of its error. */
static int end(struct casehook_exchange *exchange)
{
    struct casehook_result *result = casehook_exchange_result(exchange);
    int status = casehook_error_status(casehook_result_error(result));
    assert_non_null(result);
    assert_non_null(casehook_result_json(result, NULL));
    casehook_result_free(result);
    casehook_exchange_free(exchange);
    return status;
}

static void answers_out_of_turn(void **state)
{
    (void)state;
    struct casehook_exchange *x = begin();
    assert_int_equal(casehook_exchange_feed(x, 201, JSON, ALL, "{\"id\":1}", ALL), CASEHOOK_OK);
    assert_int_equal(casehook_exchange_feed(x, 201, JSON, ALL, "{\"id\":2}", ALL), CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook_exchange_fail(x, CASEHOOK_E_NETWORK, 1, "late"), CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook_exchange_next(x, &request), 1);
    assert_string_equal(request.url, BASE "/issue/1"); /* the first one counts */
    assert_null(casehook_exchange_next_json(x, NULL));
    assert_int_equal(casehook_exchange_fail(x, CASEHOOK_E_NETWORK, 1, NULL), CASEHOOK_OK);
    assert_int_equal(casehook_exchange_fail(x, CASEHOOK_E_NETWORK, 1, NULL), CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook_exchange_next(x, &request), 0);
    struct casehook_result *result = casehook_exchange_result(x);
    assert_string_equal(casehook_result_id(result, NULL), "1");
    assert_int_equal(casehook_exchange_feed(x, 200, JSON, ALL, "{}", ALL), CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook_exchange_fail(x, CASEHOOK_E_NETWORK, 1, NULL), CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook_exchange_next(x, &request), 0);
    assert_null(casehook_exchange_next_json(x, NULL));
    assert_null(casehook_exchange_result(x));
    casehook_exchange_free(x);
    assert_string_equal(casehook_result_id(result, NULL), "1"); /* it owns what it shows */
    casehook_result_free(result);
}

static void statuses(void **state)
{
    static const int none[] = {0, -1, 1, 99, 100, 101, 103, 199, 1000, -200, 2147483647, -2147483647 - 1};
    (void)state;
    struct casehook_exchange *x = begin();
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(casehook_exchange_feed(x, none[i], JSON, ALL, "{\"id\":1}", ALL),
                         CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook_exchange_feed(x, 201, JSON, ALL, "{\"id\":1}", ALL), CASEHOOK_OK);
    assert_int_equal(end(x), CASEHOOK_E_CANCELLED); /* the get was never asked for */
    for (int status = 200; status <= 999; status++) {
        x = begin();
        assert_int_equal(casehook_exchange_feed(x, status, JSON, ALL, "{\"id\":1}", ALL), CASEHOOK_OK);
        int expected = status >= 200 && status <= 299   ? CASEHOOK_E_CANCELLED
                       : status >= 300 && status <= 399 ? CASEHOOK_E_REDIRECT
                                                        : CASEHOOK_E_HTTP_STATUS;
        assert_int_equal(end(x), expected);
    }
}

static void lengths(void **state)
{
    (void)state;
    struct casehook_exchange *x = begin();
    assert_int_equal(casehook_exchange_feed(x, 201, NULL, ALL, NULL, ALL), CASEHOOK_OK);
    assert_int_equal(end(x), CASEHOOK_E_RESPONSE); /* empty */
    x = begin();
    assert_int_equal(casehook_exchange_feed(x, 201, NULL, 1000, NULL, 1000), CASEHOOK_OK);
    assert_int_equal(end(x), CASEHOOK_E_RESPONSE);
    x = begin(); /* not terminated: not a byte more is looked at */
    char *body = malloc(8), *headers = malloc(sizeof JSON - 1);
    memcpy(body, "{\"id\":1}", 8);
    memcpy(headers, JSON, sizeof JSON - 1);
    assert_int_equal(casehook_exchange_feed(x, 201, headers, sizeof JSON - 1, body, 8), CASEHOOK_OK);
    free(body); /* nothing of it is kept */
    free(headers);
    assert_int_equal(casehook_exchange_next(x, &request), 1);
    assert_string_equal(request.url, BASE "/issue/1");
    assert_int_equal(end(x), CASEHOOK_E_CANCELLED);
}

/* Header text that is no header text: used as far as it makes sense. */
static void headers(void **state)
{
    static const struct {
        const char *text;
        size_t length;
        int status; /* of a 201 with a good body */
    } cases[] = {
        {"", 0, CASEHOOK_E_CANCELLED}, /* CANCELLED: it went on to the get */
        {"\n\n\r\n:\n: x\n =\n", ALL, CASEHOOK_E_CANCELLED},
        {"HTTP/1.1 500 No\r\n" JSON "\r\n", ALL, CASEHOOK_E_CANCELLED},
        {"content-TYPE :application/json\n", ALL, CASEHOOK_E_CANCELLED},
        {"Content-Type: application/json", ALL, CASEHOOK_E_CANCELLED},
        {"Content-Type: text/html\0application/json\r\n", 43, CASEHOOK_E_RESPONSE},
        {"Content-Type\0: application/json\r\n", 33, CASEHOOK_E_CANCELLED},
        {"Content-Type: application/json\0\r\n", 33, CASEHOOK_E_RESPONSE},
        {"Content-Encoding: gzip\r\n" JSON, ALL, CASEHOOK_E_RESPONSE},
        {"Content-Encoding: \0\r\n" JSON, 53, CASEHOOK_E_RESPONSE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct casehook_exchange *x = begin();
        assert_int_equal(casehook_exchange_feed(x, 201, cases[i].text, cases[i].length, "{\"id\":1}", ALL),
                         CASEHOOK_OK);
        int status = end(x);
        if (status != cases[i].status) print_message("headers %zu: status %d\n", i, status);
        assert_int_equal(status, cases[i].status);
    }
}

static void huge_headers(void **state)
{
    enum { SIZE = 64 * 1024 };
    char *text = malloc(SIZE + 1);
    (void)state;
    memset(text, 'x', SIZE + 1);
    memcpy(text, JSON, sizeof JSON - 1);
    struct casehook_exchange *x = begin();
    assert_int_equal(casehook_exchange_feed(x, 201, text, SIZE, "{\"id\":1}", ALL), CASEHOOK_OK);
    assert_int_equal(end(x), CASEHOOK_E_CANCELLED);
    x = begin();
    assert_int_equal(casehook_exchange_feed(x, 201, text, SIZE + 1, "{\"id\":1}", ALL), CASEHOOK_OK);
    struct casehook_result *result = casehook_exchange_result(x);
    assert_int_equal(casehook_error_status(casehook_result_error(result)), CASEHOOK_E_LIMIT);
    assert_int_equal(casehook_error_outcome(casehook_result_error(result)), CASEHOOK_OUTCOME_UNKNOWN);
    casehook_result_free(result);
    casehook_exchange_free(x);
    free(text);
}

/* A Location with bytes that no URL has is no redirect. */
static void locations(void **state)
{
    static const struct {
        const char *text;
        size_t length;
    } cases[] = {{"Location: /a\0b\r\n", 16},      {"Location: \0\r\n", 13},
                 {"Location: /a\x01\r\n", ALL},    {"Location: http://[::\r\n", ALL},
                 {"Location: http://\r\n", ALL},   {"Location: javascript:x\r\n", ALL},
                 {"Location: \\\\evil\\\r\n", ALL}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct casehook_exchange *x = begin_with(NULL, NULL, CASEHOOK_GET, "{\"externalId\":\"1\"}");
        request.struct_size = sizeof request;
        assert_int_equal(casehook_exchange_next(x, &request), 1);
        assert_int_equal(casehook_exchange_feed(x, 302, cases[i].text, cases[i].length, NULL, 0),
                         CASEHOOK_OK);
        int more = casehook_exchange_next(x, &request);
        if (more) print_message("location %zu led to %s\n", i, request.url);
        assert_int_equal(more, 0);
        assert_int_equal(end(x), CASEHOOK_E_REDIRECT);
    }
}

static void failures(void **state)
{
    static const int allowed[] = {CASEHOOK_E_RESOLVE, CASEHOOK_E_CONNECT,   CASEHOOK_E_PROXY,  CASEHOOK_E_TLS,
                                  CASEHOOK_E_TIMEOUT, CASEHOOK_E_CANCELLED, CASEHOOK_E_NETWORK};
    (void)state;
    for (int status = -30; status <= 5; status++) {
        struct casehook_exchange *x = begin();
        int known = 0;
        for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) known |= allowed[i] == status;
        assert_int_equal(casehook_exchange_fail(x, status, 7, "\x01\xff words\n of the host"),
                         known ? CASEHOOK_OK : CASEHOOK_E_ARGUMENT);
        assert_int_equal(end(x), known ? status : CASEHOOK_E_CANCELLED);
    }
}

/* ---- the same request twice: as struct and as JSON --------------------------------------------- */

static void same_text(const json_t *object, const char *name, const char *text)
{
    const json_t *value = json_object_get(object, name);
    assert_non_null(value);
    if (text)
        assert_string_equal(json_string_value(value), text);
    else
        assert_true(json_is_null(value));
}

static void same_headers(const json_t *object, const struct casehook_http_header *list, size_t count)
{
    assert_int_equal(json_object_size(object), count);
    for (size_t i = 0; i < count; i++) same_text(object, list[i].name, list[i].value);
}

static void same_proxy(const json_t *proxy)
{
    if (!request.proxy_url) {
        assert_true(json_is_null(proxy));
        return;
    }
    same_text(proxy, "url", request.proxy_url);
    same_headers(json_object_get(proxy, "headers"), request.proxy_headers, request.proxy_header_count);
    same_text(proxy, "verificationMode", request.proxy_verification_mode);
    same_text(proxy, "ca", request.proxy_ca);
}

static void same_request(const char *text)
{
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_int_equal(json_object_size(json), 16); /* nothing beside what is compared here */
    same_text(json, "step", casehook_step_name(request.step));
    same_text(json, "operation", casehook_operation_name(request.operation));
    assert_int_equal(json_integer_value(json_object_get(json, "stepNumber")), request.step);
    assert_int_equal(json_integer_value(json_object_get(json, "operationNumber")), request.operation);
    same_text(json, "method", request.method);
    same_text(json, "url", request.url);
    same_headers(json_object_get(json, "headers"), request.headers, request.header_count);
    same_text(json, "body", request.body);
    same_text(json, "verificationMode", request.verification_mode);
    same_text(json, "ca", request.ca);
    same_text(json, "clientCertificate", request.client_certificate);
    same_text(json, "clientKey", request.client_key);
    same_proxy(json_object_get(json, "proxy"));
    assert_true(json_integer_value(json_object_get(json, "maxBodyBytes")) ==
                (json_int_t)request.max_body_bytes);
    assert_true(json_integer_value(json_object_get(json, "timeoutMs")) == request.timeout_ms);
    assert_true(json_integer_value(json_object_get(json, "connectTimeoutMs")) == request.connect_timeout_ms);
    json_decref(json);
}

static void json_is_the_same(void **state)
{
    static const char params[] = "{\"title\":\"\\\"q\\\" \\\\ \xF0\x9F\x94\xA5 "
                                 "\\u0000\\n\",\"comments\":[{\"commentId\":\"c\",\"comment\":\"x\"}]}";
    static const char *const settings[] = {
        "{}", "{\"proxyUrl\":\"https://u:p@proxy.example:3128\",\"proxyHeaders\":{\"X-P\":\"1\"},"
              "\"responseTimeout\":\"7s\",\"connectTimeout\":\"3s\",\"maxResponseContentLength\":1234,"
              "\"ssl\":{\"proxyVerificationMode\":\"certificate\"}}"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct casehook_settings *loaded = document_settings(settings[i]);
        struct casehook_connector *connector = document_connector(
            loaded, BASE, "\"headers\":{\"X-A\":\"a \\\"b\\\"\"},\"hasAuth\":true,\"authType\":\"basic\"",
            "\"user\":\"u\",\"password\":\"p\"");
        struct casehook_exchange *one = NULL, *two = NULL;
        casehook_settings_free(loaded);
        assert_int_equal(casehook_exchange_new_json(connector, CASEHOOK_PUSH, params, ALL, NULL, &one, NULL),
                         CASEHOOK_OK);
        assert_int_equal(casehook_exchange_new_json(connector, CASEHOOK_PUSH, params, ALL, NULL, &two, NULL),
                         CASEHOOK_OK);
        casehook_connector_unref(connector);
        request.struct_size = sizeof request;
        int requests = 0;
        while (casehook_exchange_next(one, &request) == 1) {
            const char *answer = ++requests == 1 ? "{\"id\":1}" : "{\"key\":\"K\"}";
            same_request(casehook_exchange_next_json(two, NULL));
            assert_int_equal(casehook_exchange_feed(one, 200, JSON, ALL, answer, ALL), CASEHOOK_OK);
            assert_int_equal(casehook_exchange_feed(two, 200, JSON, ALL, answer, ALL), CASEHOOK_OK);
        }
        assert_int_equal(requests, 3);
        assert_null(casehook_exchange_next_json(two, NULL));
        assert_int_equal(end(one), CASEHOOK_OK);
        assert_int_equal(end(two), CASEHOOK_OK);
    }
}

/* What a key would hold that broke off nobody knows; what is whole before it counts (R1, K7). */
static void what_breaks_off(void **state)
{
    static const struct {
        const char *key, *body;
    } answers[] = {{"errors", "{\"id\":\"7\",\"errors\":[   "},
                   {"errors", "{\"id\":\"7\",\"errors\":{"},
                   {"errors", "{\"id\":\"7\",\"errors\":\""},
                   {"", "{\"id\":\"7\""}};
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        char config[128];
        size_t length = strlen(answers[i].body);
        char *body = malloc(length);
        memcpy(body, answers[i].body, length);
        snprintf(config, sizeof config, "\"createIncidentResponseErrorKey\":\"%s\"", answers[i].key);
        struct casehook_exchange *x = begin_with(config, NULL, CASEHOOK_CREATE, "{\"title\":\"t\"}");
        assert_int_equal(casehook_exchange_next(x, &request), 1);
        assert_int_equal(casehook_exchange_feed_partial(x, 201, JSON, ALL, body, length, CASEHOOK_E_NETWORK,
                                                        "it broke off"),
                         CASEHOOK_OK);
        free(body);
        while (casehook_exchange_next(x, &request) == 1)
            assert_int_equal(casehook_exchange_feed(x, 200, JSON, ALL, "{\"key\":\"K\"}", ALL), CASEHOOK_OK);
        struct casehook_result *result = casehook_exchange_result(x);
        assert_non_null(casehook_result_id(result, NULL));
        assert_string_equal(casehook_result_id(result, NULL), "7");
        casehook_result_free(result);
        casehook_exchange_free(x);
    }
}

/* A byte order mark is none of the id, and makes no id of a page (H4). */
static void answers_with_a_mark(void **state)
{
    static const char config[] = "\"createIncidentResponseType\":\"any\",\"createIncidentResponseKey\":\"\"";
    static const struct {
        const char *body, *url; /* url NULL: refused */
    } answers[] = {{"\xEF\xBB\xBF"
                    "CASE-7",
                    BASE "/issue/CASE-7"},
                   {"\xEF\xBB\xBF"
                    "12",
                    BASE "/issue/12"},
                   {"\xEF\xBB\xBF<!DOCTYPE html><html>Please log in</html>", NULL}};
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct casehook_exchange *x = begin_with(config, NULL, CASEHOOK_CREATE, "{\"title\":\"t\"}");
        assert_int_equal(casehook_exchange_next(x, &request), 1);
        assert_int_equal(
            casehook_exchange_feed(x, 201, "Content-Type: text/plain\r\n", ALL, answers[i].body, ALL),
            CASEHOOK_OK);
        assert_int_equal(casehook_exchange_next(x, &request), answers[i].url != NULL);
        if (answers[i].url) assert_string_equal(request.url, answers[i].url);
        assert_int_equal(end(x), answers[i].url ? CASEHOOK_E_CANCELLED : CASEHOOK_E_RESPONSE);
    }
}

/* A token that is too long for a header is refused, however long the request for it was (A1). */
static void a_long_token(void **state)
{
    enum { FORM = 20000, TOKEN = 20000 };
    static char fields[FORM + 1], token[TOKEN + 1], config[FORM + 400], body[TOKEN + 100];
    (void)state;
    memset(fields, 'f', FORM);
    memset(token, 'k', TOKEN);
    size_t length = (size_t)snprintf(config, sizeof config,
                                     "\"hasAuth\":true,\"authType\":\"oauth2\",\"accessTokenUrl\":\"" BASE
                                     "/token\",\"clientId\":\"c\",\"additionalFields\":{");
    for (int i = 0; i < FORM / 4000; i++)
        length += (size_t)snprintf(config + length, sizeof config - length, "%s\"f%d\":\"%.4000s\"",
                                   i ? "," : "", i, fields);
    snprintf(config + length, sizeof config - length, "}");
    snprintf(body, sizeof body, "{\"access_token\":\"%s\"}", token);
    struct casehook_connector *connector =
        document_connector(NULL, BASE, config, "\"clientSecret\":\"s3cret99\"");
    for (int i = 0; i < 2; i++) {
        struct casehook_exchange *x = NULL;
        assert_int_equal(
            casehook_exchange_new_json(connector, CASEHOOK_CREATE, "{\"title\":\"t\"}", ALL, NULL, &x, NULL),
            CASEHOOK_OK);
        assert_int_equal(casehook_exchange_next(x, &request), 1);
        assert_int_equal(request.step, CASEHOOK_STEP_TOKEN);
        assert_true(request.body_length > FORM);
        assert_int_equal(casehook_exchange_feed(x, 200, JSON, ALL, body, ALL), CASEHOOK_OK);
        assert_int_equal(casehook_exchange_next(x, &request), 0);
        assert_int_equal(end(x), CASEHOOK_E_RESPONSE);
    }
    casehook_connector_unref(connector);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_out_of_turn),
        cmocka_unit_test(statuses),
        cmocka_unit_test(lengths),
        cmocka_unit_test(headers),
        cmocka_unit_test(huge_headers),
        cmocka_unit_test(locations),
        cmocka_unit_test(failures),
        cmocka_unit_test(json_is_the_same),
        cmocka_unit_test(what_breaks_off),
        cmocka_unit_test(answers_with_a_mark),
        cmocka_unit_test(a_long_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
