/*
 * test_reuse.c - handles are used again and again: nothing of an earlier request may be in a later one.
 */
#include "documents.h"
#include "serve.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct http_header json_header[] = {{"Content-Type", "application/json"}};

static size_t close_at; /* the request with this number gets no answer; SIZE_MAX: all do */

/* A tracker that does what is asked. */
static void answer(void *user, const struct http_request *request, struct http_response *response)
{
    static const char created[] = "{\"id\":\"42\"}", read[] = "{\"key\":\"CASE-42\"}";
    (void)user;
    if (request->number == close_at) {
        response->fault = HTTP_CLOSE_BEFORE_RESPONSE;
        return;
    }
    response->headers = json_header;
    response->header_count = 1;
    response->status = strcmp(request->method, "POST") == 0 ? 201 : 200;
    response->body = response->status == 201 ? created : read;
    response->body_length = strlen(response->body);
}

static int start(void **state)
{
    (void)state;
    close_at = SIZE_MAX;
    serve(answer, NULL);
    return 0;
}

/* A connector whose get URL ends with more. */
static struct casehook_connector *connector_with(const char *more)
{
    char config[256];
    snprintf(config, sizeof config, "\"getIncidentUrl\": \"%s/issue/{{{external.system.id}}}%s\"", base,
             more);
    return document_connector(NULL, base, config, NULL);
}

static void get(struct casehook_connector *connector, const char *id)
{
    struct casehook_params params = {.struct_size = sizeof params, .external_id = id};
    struct casehook_result *result = NULL;
    assert_int_equal(casehook_get(connector, &params, NULL, &result), CASEHOOK_OK);
    assert_string_equal(casehook_result_title(result, NULL), "CASE-42");
    casehook_result_free(result);
}

/* Each kind behind each other kind: paths that are replaced, paths that are parsed, the same once more. */
static void every_id_is_asked_for_by_its_own_url(void **state)
{
    static const struct {
        const char *id, *path;
    } cases[] = {{"1", "1"},
                 {"a b", "a%20b"},
                 {"\xC3\xA4", "%C3%A4"},
                 {"%41", "%2541"},
                 {"x/y", "x%2Fy"},
                 {"q?z", "q%3Fz"},
                 {"#", "%23"},
                 {"A%2fB", "A%252fB"},
                 {"a!*'()~", "a!*'()~"},
                 {"long-enough-to-be-another-allocation-of-its-own",
                  "long-enough-to-be-another-allocation-of-its-own"}};
    static const char *const more[] = {"", "?fields=key", "/x"};
    (void)state;
    size_t number = 0;
    for (size_t m = 0; m < COUNT(more); m++) {
        struct casehook_connector *connector = connector_with(more[m]);
        for (size_t i = 0; i < COUNT(cases); i++)
            for (size_t j = 0; j < COUNT(cases); j++) {
                char expected[128];
                get(connector, cases[i].id);
                get(connector, cases[j].id);
                snprintf(expected, sizeof expected, "/issue/%s%s", cases[i].path, more[m]);
                assert_string_equal(http_log_at(http, number++)->target, expected);
                snprintf(expected, sizeof expected, "/issue/%s%s", cases[j].path, more[m]);
                assert_string_equal(http_log_at(http, number++)->target, expected);
            }
        casehook_connector_unref(connector);
    }
    assert_int_equal(http_server_connections(server), COUNT(more));
}

/* libcurl tries a GET a second time when the connection that was kept turns out dead. */
static void a_second_try_asks_for_the_same_case(void **state)
{
    static const char *const ids[] = {"1", "2", "a b", "3"}, *const paths[] = {"1", "2", "a%20b", "3"};
    (void)state;
    struct casehook_connector *connector = connector_with("");
    size_t number = 0;
    for (size_t i = 0; i < COUNT(ids); i++) {
        char expected[64];
        snprintf(expected, sizeof expected, "/issue/%s", paths[i]);
        close_at = i ? number : SIZE_MAX;
        get(connector, ids[i]);
        assert_string_equal(http_log_at(http, number++)->target, expected);
        if (i) assert_string_equal(http_log_at(http, number++)->target, expected);
    }
    assert_int_equal(http_log_count(http), number);
    casehook_connector_unref(connector);
}

static void check(size_t number, const char *method, const char *target, const char *body)
{
    const struct http_request *request = http_log_at(http, number);
    assert_non_null(request);
    assert_string_equal(request->method, method);
    assert_string_equal(request->target, target);
    assert_int_equal(request->body_length, strlen(body));
    assert_memory_equal(request->body, body, request->body_length);
    assert_int_equal(http_request_header_count(request, "Content-Type"), *body != '\0');
    assert_int_equal(http_request_header_count(request, "Content-Length"), *body != '\0');
    assert_int_equal(http_request_header_count(request, "Accept"), 1);
}

/* Method, body and headers of one call never show up in another. */
static void calls_in_turn(void **state)
{
    static const struct casehook_comment comment[] = {{"c", "a comment"}};
    (void)state;
    struct casehook_connector *connector = document_connector(NULL, base, NULL, NULL);
    struct casehook_params params = {
        .struct_size = sizeof params, .title = "t", .comment_size = sizeof *comment};
    struct casehook_result *result = NULL;
    size_t number = 0;
    for (int round = 0; round < 3; round++) {
        params.external_id = round ? "7" : NULL;
        params.comments = comment;
        params.comment_count = 1;
        assert_int_equal(casehook_push(connector, &params, NULL, &result), CASEHOOK_OK);
        casehook_result_free(result);
        if (round)
            check(number++, "PUT", "/issue/7", "{\"title\":\"t\",\"text\":\"\"}");
        else
            check(number++, "POST", "/issue", "{\"title\":\"t\",\"text\":\"\",\"tags\":[]}");
        check(number++, "GET", round ? "/issue/7" : "/issue/42", "");
        check(number++, "POST", round ? "/issue/7/comment" : "/issue/42/comment", "{\"body\":\"a comment\"}");
        get(connector, "9");
        check(number++, "GET", "/issue/9", "");
    }
    casehook_connector_unref(connector);
    assert_int_equal(http_log_count(http), number);
    assert_int_equal(http_server_connections(server), 1);
}

/*
 * Sockets of this process: the client's and the server's, which its threads close meanwhile.  Asked for by
 * name: ThreadSanitizer takes fstat() for a use of the descriptor.
 */
static size_t open_sockets(void)
{
    size_t count = 0;
    for (int descriptor = 0; descriptor < 256; descriptor++) {
        struct stat about;
        char path[32];
        snprintf(path, sizeof path, "/dev/fd/%d", descriptor);
        count += stat(path, &about) == 0 && S_ISSOCK(about.st_mode);
    }
    return count;
}

/* The server needs a moment to see that a connection was closed. */
static void expect_sockets(size_t wanted)
{
    size_t count = 0;
    for (int wait = 0; wait < 200 && (count = open_sockets()) != wanted; wait++) poll(NULL, 0, 10);
    assert_int_equal(count, wanted);
}

/* Nobody may need the connector any more for a long time: a call on another one closes its connection. */
static void what_rested_is_closed_by_calls_on_other_connectors(void **state)
{
    (void)state;
    struct casehook_settings *brief = document_settings("{\"idleTimeout\":\"20ms\"}");
    struct casehook_connector *connectors[3];
    for (size_t i = 0; i < COUNT(connectors); i++)
        connectors[i] = document_connector(brief, base, NULL, NULL);
    casehook_settings_free(brief);
    size_t before = open_sockets();
    get(connectors[0], "1");
    size_t each = open_sockets() - before;
    get(connectors[1], "2");
    poll(NULL, 0, 60);
    get(connectors[2], "3");
    expect_sockets(before + each);
    get(connectors[2], "4"); /* its own has just been used */
    get(connectors[0], "5");
    assert_int_equal(http_server_connections(server), 4);
    for (size_t i = 0; i < COUNT(connectors); i++) casehook_connector_unref(connectors[i]);
    expect_sockets(before);
}

/* idleTimeout was another one when the others were made. */
static void what_may_rest_longer_holds_nothing_up(void **state)
{
    (void)state;
    static const char *const times[] = {"1h", "20ms", "1h", "20ms"};
    struct casehook_settings *settings = document_settings("{}");
    struct casehook_connector *connectors[COUNT(times)];
    for (size_t i = 0; i < COUNT(times); i++) {
        char json[64];
        snprintf(json, sizeof json, "{\"idleTimeout\":\"%s\"}", times[i]);
        assert_int_equal(casehook_settings_load_json(settings, json, CASEHOOK_TERMINATED, NULL), CASEHOOK_OK);
        connectors[i] = document_connector(settings, base, NULL, NULL);
    }
    casehook_settings_free(settings);
    size_t before = open_sockets();
    get(connectors[0], "1");
    size_t each = open_sockets() - before;
    for (size_t i = 1; i < COUNT(times); i++) get(connectors[i], "1");
    poll(NULL, 0, 60);
    get(connectors[0], "2");
    expect_sockets(before + 2 * each);
    get(connectors[2], "2");
    assert_int_equal(http_server_connections(server), COUNT(times));
    for (size_t i = 0; i < COUNT(times); i++) casehook_connector_unref(connectors[i]);
    expect_sockets(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_id_is_asked_for_by_its_own_url, start, serve_end),
        cmocka_unit_test_setup_teardown(a_second_try_asks_for_the_same_case, start, serve_end),
        cmocka_unit_test_setup_teardown(calls_in_turn, start, serve_end),
        cmocka_unit_test_setup_teardown(what_rested_is_closed_by_calls_on_other_connectors, start, serve_end),
        cmocka_unit_test_setup_teardown(what_may_rest_longer_holds_nothing_up, start, serve_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
