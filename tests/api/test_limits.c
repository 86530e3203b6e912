/* test_limits.c - what is too much is told as that, with the limit, and ends in time (H5, R3). */
#include "documents.h"
#include "serve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BASE "http://tracker.example"
#define JSON "Content-Type: application/json\r\n"
#define ALL  CASEHOOK_TERMINATED
#define MIB  ((size_t)1024 * 1024)

static struct casehook_http_request request = {.struct_size = sizeof request};

/* before, piece so many times, after. */
static char *repeated(const char *before, const char *piece, size_t times, const char *after)
{
    size_t length = strlen(piece), at = strlen(before);
    char *text = malloc(at + length * times + strlen(after) + 1);
    assert_non_null(text);
    memcpy(text, before, at);
    for (size_t i = 0; i < times; i++, at += length) memcpy(text + at, piece, length);
    strcpy(text + at, after);
    return text;
}

static struct casehook_connector *connector_with(const char *settings_json, const char *config)
{
    struct casehook_settings *settings = settings_json ? document_settings(settings_json) : NULL;
    struct casehook_connector *connector = document_connector(settings, BASE, config, NULL);
    casehook_settings_free(settings);
    return connector;
}

static struct casehook_exchange *begin(struct casehook_connector *connector, int operation, const char *json,
                                       const struct casehook_options *options)
{
    struct casehook_exchange *exchange = NULL;
    assert_int_equal(casehook_exchange_new_json(connector, operation, json, ALL, options, &exchange, NULL),
                     CASEHOOK_OK);
    casehook_connector_unref(connector);
    return exchange;
}

static void answer(struct casehook_exchange *exchange, const char *body)
{
    assert_int_equal(casehook_exchange_next(exchange, &request), 1);
    assert_int_equal(casehook_exchange_feed(exchange, 200, JSON, ALL, body, ALL), CASEHOOK_OK);
}

static struct casehook_result *end(struct casehook_exchange *exchange)
{
    struct casehook_result *result = casehook_exchange_result(exchange);
    assert_non_null(result);
    casehook_exchange_free(exchange);
    return result;
}

static void is_error(struct casehook_result *result, int status, const char *step, const char *words)
{
    const struct casehook_error *error = casehook_result_error(result);
    assert_int_equal(casehook_error_status(error), status);
    assert_string_equal(casehook_step_name(casehook_error_step(error)), step);
    if (!strstr(casehook_error_message(error), words)) print_message("%s\n", casehook_error_message(error));
    assert_non_null(strstr(casehook_error_message(error), words));
    assert_non_null(casehook_result_json(result, NULL));
    casehook_result_free(result);
}

/* ---- a server ----------------------------------------------------------------------------------- */

/* Made before there is a server, whose connections are threads. */
static char long_text[34001], long_body[9000], long_location[sizeof long_text + 20];

static void make_long_texts(void)
{
    memset(long_text, 'x', sizeof long_text - 1);
    snprintf(long_body, sizeof long_body, "{\"id\":\"7\",\"key\":\"K\",\"x\":\"%.8900s\"}", long_text);
    snprintf(long_location, sizeof long_location, "/issue/7?x=%s", long_text);
}

static void answer_long(void *user, const struct http_request *asked, struct http_response *response)
{
    static const struct http_header json = {"Content-Type", "application/json"};
    static const struct http_header found[] = {{"Content-Type", "application/json"},
                                               {"Location", long_location}};
    _Atomic int *refusals = user;
    response->headers = &json;
    response->header_count = 1;
    response->body = "{\"id\":\"7\",\"key\":\"K\"}";
    response->body_length = strlen(response->body);
    if (refusals) { /* as long as what is accepted later */
        response->status = (*refusals)-- > 0 ? 503 : 200;
        response->body = long_body;
        response->body_length = strlen(long_body);
    } else if (strcmp(asked->method, "POST") == 0) {
        response->status = 201;
        response->headers = found;
        response->header_count = 2;
    }
}

static struct casehook_result *create_at_server(const char *settings, const char *config)
{
    static const struct casehook_params params = {.struct_size = sizeof params, .title = "t"};
    struct casehook_settings *read = document_settings(settings);
    struct casehook_connector *connector = document_connector(read, base, config, NULL);
    struct casehook_result *result = NULL;
    casehook_create(connector, &params, NULL, &result);
    casehook_connector_unref(connector);
    casehook_settings_free(read);
    return result;
}

/* What a refusal may have is no measure for what comes after it (H5). */
static void a_limit_holds_after_a_refusal(void **state)
{
    (void)state;
    make_long_texts();
    for (int refusals = 0; refusals < 2; refusals++) {
        _Atomic int left = refusals;
        serve(answer_long, &left);
        is_error(create_at_server("{\"maxResponseContentLength\":\"1kb\",\"run.maxAttempts\":2,"
                                  "\"retry.baseDelay\":\"1ms\"}",
                                  NULL),
                 CASEHOOK_E_LIMIT, "create", "maxResponseContentLength");
        serve_end(NULL);
    }
}

/* It is kept as the place of a redirect, too (K6). */
static void an_id_in_a_long_header(void **state)
{
    (void)state;
    make_long_texts();
    serve(answer_long, NULL);
    struct casehook_result *result = create_at_server(
        "{}", "\"createIncidentResponseHeader\":\"Location\",\"createIncidentResponseKey\":null");
    if (casehook_result_error(result)) fail_msg("%s", casehook_error_message(casehook_result_error(result)));
    assert_string_equal(casehook_result_id(result, NULL), "7");
    casehook_result_free(result);
    serve_end(NULL);
}

/* ---- answers ----------------------------------------------------------------------------------- */

#define LARGE "{\"maxResponseContentLength\": \"64mb\"}"

static void a_field_beyond_the_limit_is_absent(void **state)
{
    (void)state;
    char *body = repeated("{\"id\":7,\"f\":\"", "a", 20 * MIB, "\",\"g\":\"there\"}");
    struct casehook_exchange *x =
        begin(connector_with(LARGE, "\"createResponseFields\":{\"f\":\"f\",\"g\":\"g\"}"), CASEHOOK_CREATE,
              "{\"title\":\"t\"}", NULL);
    answer(x, body);
    answer(x, "{\"key\":\"K-7\"}");
    struct casehook_result *result = end(x);
    assert_null(casehook_result_error(result));
    assert_null(casehook_result_field(result, "f", NULL));
    assert_string_equal(casehook_result_field(result, "g", NULL), "there");
    casehook_result_free(result);
    free(body);
}

/* The same megabyte under 64 names: a result is not 64 times as large as the answer. */
static void fields_have_a_limit_together(void **state)
{
    (void)state;
    char names[64 * 16] = "\"createResponseFields\":{", name[16];
    for (int i = 0; i < 64; i++)
        strcat(names, (snprintf(name, sizeof name, "%s\"f%d\":\"f\"", i ? "," : "", i), name));
    strcat(names, "}");
    char *body = repeated("{\"id\":7,\"f\":\"", "a", MIB - 32, "\"}");
    struct casehook_exchange *x =
        begin(connector_with(NULL, names), CASEHOOK_CREATE, "{\"title\":\"t\"}", NULL);
    answer(x, body);
    answer(x, "{\"key\":\"K-7\"}");
    struct casehook_result *result = end(x);
    size_t length = 0;
    assert_null(casehook_result_error(result));
    assert_non_null(casehook_result_field(result, "f15", &length));
    assert_int_equal(length, MIB - 32);
    assert_null(casehook_result_field(result, "f16", NULL));
    assert_non_null(casehook_result_json(result, &length));
    assert_true(length < 17 * MIB);
    casehook_result_free(result);
    free(body);
}

static void an_id_beyond_the_limit(void **state)
{
    (void)state;
    static const char *const pieces[] = {"a", "7"};
    static const char *const begins[] = {"{\"id\":\"", "{\"id\":1"}, *const ends[] = {"\"}", "}"};
    static const size_t sizes[] = {1025, 100000, 20 * MIB};
    for (size_t i = 0; i < 6; i++) {
        char *body = repeated(begins[i % 2], pieces[i % 2], sizes[i / 2], ends[i % 2]);
        struct casehook_exchange *x =
            begin(connector_with(LARGE, NULL), CASEHOOK_CREATE, "{\"title\":\"t\"}", NULL);
        answer(x, body);
        struct casehook_result *result = end(x);
        assert_null(casehook_result_id(result, NULL));
        is_error(result, CASEHOOK_E_RESPONSE, "create", "the id in the answer is longer than 1024 bytes");
        free(body);
    }
}

static void a_title_beyond_the_limit(void **state)
{
    (void)state;
    static const size_t sizes[] = {65537, 20 * MIB};
    for (size_t i = 0; i < 2; i++) {
        char *body = repeated("{\"key\":\"", "a", sizes[i], "\"}");
        struct casehook_exchange *x =
            begin(connector_with(LARGE, NULL), CASEHOOK_GET, "{\"externalId\":\"7\"}", NULL);
        answer(x, body);
        is_error(end(x), CASEHOOK_E_LIMIT, "get", "the limit is 65536");
        free(body);
    }
}

/* With U+FFFD in its place the next request would go to another case, or to none. */
static void an_id_that_is_not_utf8_is_not_used(void **state)
{
    (void)state;
    static const char *const bad[] = {"{\"id\":\"A\xFF\"}",           "{\"id\":\"A\xE2\x82\"}",
                                      "{\"id\":\"A\\ud83d\"}",        "{\"id\":\"\\udE00\"}",
                                      "{\"id\":\"\\ufffd\\ud800\"}",  "{\"id\":\"\xEF\xBF\xBD\xC3\"}",
                                      "{\"id\":\"\\\\ufffd\\udfff\"}"};
    static const char *const good[][2] = {{"{\"id\":\"A\xEF\xBF\xBD\"}", "A%EF%BF%BD"},
                                          {"{\"id\":\"A\\uFFFD\"}", "A%EF%BF%BD"},
                                          {"{\"id\":\"\\ud83d\\ude00\"}", "%F0%9F%98%80"},
                                          {"{\"id\":\"\\\\ufffd\\ufffd\"}", "%5Cufffd%EF%BF%BD"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct casehook_exchange *x =
            begin(connector_with(NULL, NULL), CASEHOOK_CREATE, "{\"title\":\"t\"}", NULL);
        answer(x, bad[i]);
        assert_int_equal(casehook_exchange_next(x, &request), 0);
        struct casehook_result *result = end(x);
        assert_null(casehook_result_id(result, NULL));
        is_error(result, CASEHOOK_E_RESPONSE, "create", "the id in the answer is not UTF-8");
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct casehook_exchange *x =
            begin(connector_with(NULL, NULL), CASEHOOK_CREATE, "{\"title\":\"t\"}", NULL);
        answer(x, good[i][0]);
        assert_int_equal(casehook_exchange_next(x, &request), 1);
        assert_string_equal(request.url + strlen(BASE "/issue/"), good[i][1]);
        casehook_result_free(end(x));
    }
}

/* ---- previews ---------------------------------------------------------------------------------- */

static struct casehook_result *preview(const char *config, const struct casehook_params *params,
                                       int operation)
{
    struct casehook_result *result = NULL;
    struct casehook_connector *connector = connector_with(NULL, config);
    casehook_preview(connector, operation, params, &result);
    assert_non_null(result);
    casehook_connector_unref(connector);
    return result;
}

/* What may be sent can be shown, although showing it takes more than the limit of a body. */
static void a_body_that_may_be_sent_can_be_previewed(void **state)
{
    (void)state;
    char *title = repeated("", "\"", 5000000, "");
    struct casehook_params params = {.struct_size = sizeof params, .title = title};
    struct casehook_result *result = preview(NULL, &params, CASEHOOK_CREATE);
    size_t length = 0;
    assert_null(casehook_result_error(result));
    assert_non_null(casehook_result_json(result, &length));
    assert_true(length > 20000000);
    casehook_result_free(result);
    free(title);
}

static void a_preview_has_a_limit(void **state)
{
    (void)state;
    static struct casehook_comment comments[400];
    char *config = repeated("\"createCommentJson\":\"{\\\"b\\\":{{case.comment}},\\\"x\\\":\\\"", "a", 240000,
                            "\\\"}\"");
    for (size_t i = 0; i < 400; i++) comments[i] = (struct casehook_comment){.id = "1", .text = "t"};
    struct casehook_params params = {.struct_size = sizeof params,
                                     .title = "t",
                                     .comments = comments,
                                     .comment_count = 200,
                                     .comment_size = sizeof *comments};
    struct casehook_result *result = preview(config, &params, CASEHOOK_PUSH);
    assert_null(casehook_result_error(result));
    assert_int_equal(casehook_result_request_count(result), 202);
    casehook_result_free(result);
    params.comment_count = 400;
    is_error(preview(config, &params, CASEHOOK_PUSH), CASEHOOK_E_LIMIT, "comment", "larger than 64 MiB");
    free(config);
}

/* ---- work before anything is sent -------------------------------------------------------------- */

/* A push whose comments have bodies of 14,000 steps. */
static struct casehook_exchange *long_push(size_t comments, const struct casehook_options *options)
{
    char *config = repeated("\"createCommentJson\":\"{\\\"b\\\":{{case.comment}},\\\"x\\\":\\\"",
                            "{{#case.comment}}{{/case.comment}}", 7000, "\\\"}\"");
    char *params = repeated("{\"title\":\"t\",\"comments\":[{\"commentId\":\"0\",\"comment\":\"c\"}",
                            ",{\"commentId\":\"1\",\"comment\":\"c\"}", comments - 1, "]}");
    struct casehook_exchange *x = begin(connector_with(NULL, config), CASEHOOK_PUSH, params, options);
    free(config);
    free(params);
    return x;
}

static void renderings_of_a_call_have_a_limit_together(void **state)
{
    (void)state;
    struct casehook_exchange *x = long_push(700, NULL);
    answer(x, "{\"id\":7}");
    answer(x, "{\"key\":\"K-7\"}");
    for (int i = 0; i < 700; i++) answer(x, "{}"); /* what was rehearsed is not refused half way */
    struct casehook_result *result = end(x);
    assert_null(casehook_result_error(result));
    casehook_result_free(result);

    x = long_push(10000, NULL);
    assert_int_equal(casehook_exchange_next(x, &request), 0);
    result = end(x);
    assert_int_equal(casehook_result_request_count(result), 0);
    assert_int_equal(casehook_error_outcome(casehook_result_error(result)), CASEHOOK_OUTCOME_NOT_SENT);
    is_error(result, CASEHOOK_E_LIMIT, "comment", "more than 10000000 steps");
}

/* Text counts too: 10,000 comments of 200 KB are 2 GB that nobody sees. */
static void text_counts_as_steps(void **state)
{
    (void)state;
    char *config = repeated("\"createCommentJson\":\"{\\\"b\\\":{{case.comment}},\\\"x\\\":\\\"", "a", 200000,
                            "\\\"}\"");
    char *params = repeated("{\"title\":\"t\",\"comments\":[{\"commentId\":\"0\",\"comment\":\"c\"}",
                            ",{\"commentId\":\"1\",\"comment\":\"c\"}", 9999, "]}");
    struct casehook_exchange *x = begin(connector_with(NULL, config), CASEHOOK_PUSH, params, NULL);
    is_error(end(x), CASEHOOK_E_LIMIT, "comment", "more than 10000000 steps");
    free(config);
    free(params);
}

/* The count of steps would say something else: what ends it first is what the caller wants. */
static void a_rehearsal_hears_cancel_and_deadline(void **state)
{
    (void)state;
    struct casehook_options options = {.struct_size = sizeof options};
    assert_int_equal(casehook_cancel_new(NULL, &options.cancel), CASEHOOK_OK);
    casehook_cancel_set(options.cancel);
    is_error(end(long_push(10000, &options)), CASEHOOK_E_CANCELLED, "create", "cancelled before");
    casehook_cancel_free(options.cancel);
    options = (struct casehook_options){.struct_size = sizeof options, .deadline_ms = 1};
    struct casehook_result *result = end(long_push(10000, &options));
    assert_int_equal(casehook_error_outcome(casehook_result_error(result)), CASEHOOK_OUTCOME_NOT_SENT);
    assert_int_equal(casehook_result_request_count(result), 1);
    is_error(result, CASEHOOK_E_TIMEOUT, "create", "deadline of the call has passed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_field_beyond_the_limit_is_absent),
        cmocka_unit_test(fields_have_a_limit_together),
        cmocka_unit_test(an_id_beyond_the_limit),
        cmocka_unit_test(a_title_beyond_the_limit),
        cmocka_unit_test(an_id_that_is_not_utf8_is_not_used),
        cmocka_unit_test(a_body_that_may_be_sent_can_be_previewed),
        cmocka_unit_test(a_preview_has_a_limit),
        cmocka_unit_test(renderings_of_a_call_have_a_limit_together),
        cmocka_unit_test(text_counts_as_steps),
        cmocka_unit_test(a_rehearsal_hears_cancel_and_deadline),
        cmocka_unit_test(a_limit_holds_after_a_refusal),
        cmocka_unit_test(an_id_in_a_long_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
