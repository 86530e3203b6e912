/* test_calls.c - the blocking calls over real HTTP on loopback. */
#include "documents.h"
#include "serve.h"
#include "process.h"

#include <jansson.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/wait.h>

#include <cmocka.h>

#define TEXT(literal) .body = literal, .body_length = sizeof literal - 1

static const struct http_header json_header[] = {{"Content-Type", "application/json"}};
#define JSON .headers = json_header, .header_count = 1

/* A tracker that does what is asked. */
static void good(void *user, const struct http_request *request, struct http_response *response)
{
    static const char created[] = "{\"id\":\"42\"}", read[] = "{\"key\":\"CASE-42\"}";
    (void)user;
    response->headers = json_header;
    response->header_count = 1;
    response->status = strcmp(request->method, "POST") == 0 ? 201 : 200;
    response->body = response->status == 201 ? created : read;
    response->body_length = strlen(response->body);
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct casehook_params titled(const char *title)
{
    return (struct casehook_params){.struct_size = sizeof(struct casehook_params), .title = title};
}

static void push_with_comments_on_one_connection(void **state)
{
    (void)state;
    serve(good, NULL);
    struct casehook_connector *connector = document_connector(NULL, base, NULL, NULL);
    static const struct casehook_comment comments[] = {{"1", "first"}, {"2", ""}, {"3", "third"}};
    struct casehook_params params = titled("disk \"full\" \\ \xF0\x9F\x94\xA5");
    params.comments = comments;
    params.comment_count = 3;
    params.comment_size = sizeof *comments;
    struct casehook_result *result = NULL;
    assert_int_equal(casehook_push(connector, &params, NULL, &result), CASEHOOK_OK);
    assert_null(casehook_result_error(result));
    assert_string_equal(casehook_result_id(result, NULL), "42");
    assert_string_equal(casehook_result_title(result, NULL), "CASE-42");
    assert_int_equal(casehook_result_comment_state(result, 0), CASEHOOK_COMMENT_SENT);
    assert_int_equal(casehook_result_comment_state(result, 1), CASEHOOK_COMMENT_SKIPPED);
    assert_int_equal(casehook_result_comment_state(result, 2), CASEHOOK_COMMENT_SENT);
    assert_string_equal(casehook_result_comment_id(result, 2, NULL), "3");
    casehook_result_free(result);
    casehook_connector_unref(connector);
    assert_int_equal(http_log_count(http), 4);
    for (size_t i = 0; i < 4; i++) assert_int_equal(http_log_at(http, i)->connection, 0);
    assert_string_equal(http_log_at(http, 0)->body,
                        "{\"title\":\"disk \\\"full\\\" \\\\ \xF0\x9F\x94\xA5\",\"text\":\"\",\"tags\":[]}");
    assert_string_equal(http_log_at(http, 3)->body, "{\"body\":\"third\"}");
    assert_null(http_request_header(http_log_at(http, 0), "Expect", 0));
    assert_null(http_request_header(http_log_at(http, 1), "Content-Type", 0));
    serve_end(NULL);
}

static struct casehook_result *get_in_loop(struct casehook_connector *connector,
                                           const struct casehook_params *given)
{
    struct casehook_loop *loop = NULL;
    struct casehook_result *result = NULL;
    struct casehook_params params = *given;
    char *resume = strdup(given->resume);
    assert_non_null(resume);
    params.resume = resume;
    assert_int_equal(casehook_loop_new(NULL, &loop), CASEHOOK_OK);
    assert_int_equal(casehook_loop_submit(loop, connector, CASEHOOK_GET, &params, NULL, NULL, NULL),
                     CASEHOOK_OK);
    memset(resume, '!', strlen(resume)); /* nothing is kept */
    free(resume);
    while (!(result = casehook_loop_next(loop, NULL)))
        assert_int_equal(casehook_loop_wait(loop, 10000), CASEHOOK_OK);
    casehook_loop_free(loop);
    return result;
}

/* A get that goes on from a result has its id from there, as in JSON; an id that is given counts more (D5).
 */
static void a_resumed_get_knows_its_case(void **state)
{
    (void)state;
    static const char earlier[] = "{\"ok\":false,\"operation\":\"get\",\"id\":\"7\",\"requests\":[{\"step\":"
                                  "\"get\",\"outcome\":\"unknown\"}],\"comments\":[]}";
    static const struct {
        const char *external_id, *resume;
        size_t length;
        const char *id; /* NULL: it has none, and is refused */
    } rows[] = {{NULL, earlier, CASEHOOK_TERMINATED, "7"},    {NULL, earlier, sizeof earlier - 1, "7"},
                {"8", earlier, CASEHOOK_TERMINATED, "8"},     {"8", "no json", CASEHOOK_TERMINATED, "8"},
                {NULL, "no json", CASEHOOK_TERMINATED, NULL}, {NULL, "{}", CASEHOOK_TERMINATED, NULL}};
    serve(good, NULL);
    struct casehook_connector *connector = document_connector(NULL, base, NULL, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct casehook_params params = {.struct_size = sizeof params,
                                         .title = "of no use",
                                         .external_id = rows[i].external_id,
                                         .resume = rows[i].resume,
                                         .resume_length = rows[i].length};
        struct casehook_result *results[2] = {NULL, get_in_loop(connector, &params)};
        int status = casehook_get(connector, &params, NULL, &results[0]);
        assert_int_equal(status, rows[i].id ? CASEHOOK_OK : CASEHOOK_E_PARAMS);
        for (size_t j = 0; j < 2; j++) {
            assert_int_equal(casehook_result_status(results[j]), status);
            if (rows[i].id) {
                assert_string_equal(casehook_result_id(results[j], NULL), rows[i].id);
                assert_string_equal(casehook_result_title(results[j], NULL), "CASE-42");
            } else {
                assert_string_equal(casehook_error_field(casehook_result_error(results[j])), "resume");
            }
            casehook_result_free(results[j]);
        }
    }
    casehook_connector_unref(connector);
    assert_int_equal(http_log_count(http), 8);
    serve_end(NULL);
}

static void a_dead_connection_is_never_used_twice(void **state)
{
    (void)state;
    static const struct http_response answers[] = {
        {.status = 201, JSON, TEXT("{\"id\":1}")},
        {.status = 200, JSON, TEXT("{\"key\":\"K\"}")},
        {.fault = HTTP_CLOSE_BEFORE_RESPONSE}, /* the second create, on the connection that was kept */
        {.status = 201, JSON, TEXT("{\"id\":2}")},
    };
    static const struct http_script script = {answers, 4};
    for (int size = 0; size < 2; size++) {
        char *text = malloc(200001);
        assert_non_null(text);
        memset(text, 'x', 200000);
        text[size ? 200000 : 10] = '\0';
        serve(http_script_answer, &script);
        struct casehook_connector *connector = document_connector(NULL, base, NULL, NULL);
        struct casehook_params params = titled("t");
        struct casehook_result *result = NULL;
        params.description = text;
        assert_int_equal(casehook_create(connector, &params, NULL, &result), CASEHOOK_OK);
        casehook_result_free(result);
        assert_int_equal(casehook_create(connector, &params, NULL, &result), CASEHOOK_E_NETWORK);
        const struct casehook_error *error = casehook_result_error(result);
        assert_int_equal(casehook_error_outcome(error), CASEHOOK_OUTCOME_UNKNOWN);
        assert_int_equal(casehook_error_retryable(error), 0);
        assert_string_equal(casehook_step_name(casehook_error_step(error)), "create");
        assert_null(casehook_result_id(result, NULL));
        casehook_result_free(result);
        casehook_connector_unref(connector);
        assert_int_equal(http_log_count(http), 3);
        assert_int_equal(http_log_at(http, 2)->connection, 0);
        assert_false(http_log_at(http, 2)->incomplete);
        serve_end(NULL);
        free(text);
    }
}

static void the_deadline_is_for_the_whole_operation(void **state)
{
    (void)state;
    static const struct http_response answers[] = {
        {.status = 201, JSON, TEXT("{\"id\":1}"), .delay_ms = 300},
        {.status = 200, JSON, TEXT("{\"key\":\"K\"}"), .delay_ms = 3000},
    };
    static const struct http_script script = {answers, 2};
    serve(http_script_answer, &script);
    struct casehook_connector *connector = document_connector(NULL, base, NULL, NULL);
    struct casehook_params params = titled("t");
    struct casehook_options options = {.struct_size = sizeof options, .deadline_ms = 700};
    struct casehook_result *result = NULL;
    int64_t began = now_ms();
    assert_int_equal(casehook_create(connector, &params, &options, &result), CASEHOOK_E_TIMEOUT);
    assert_true(now_ms() - began >= 690 && now_ms() - began < 2500);
    assert_string_equal(casehook_step_name(casehook_error_step(casehook_result_error(result))), "get");
    assert_string_equal(casehook_result_id(result, NULL), "1");
    assert_int_equal(casehook_error_retryable(casehook_result_error(result)), 0);
    casehook_result_free(result);
    casehook_connector_unref(connector);
    serve_end(NULL);
}

struct canceller {
    struct casehook_cancel *cancel;
    unsigned after_ms;
};

static void *cancel_later(void *user)
{
    struct canceller *canceller = user;
    struct timespec wait = {0, (long)canceller->after_ms * 1000000};
    nanosleep(&wait, NULL);
    casehook_cancel_set(canceller->cancel);
    return NULL;
}

static void cancel_from_another_thread(void **state)
{
    (void)state;
    static const struct http_response answers[] = {
        {.status = 201, JSON, TEXT("{\"id\":1}"), .delay_ms = 5000}};
    static const struct http_script script = {answers, 1};
    serve(http_script_answer, &script);
    struct casehook_connector *connector = document_connector(NULL, base, NULL, NULL);
    struct casehook_params params = titled("t");
    struct canceller canceller = {NULL, 200};
    struct casehook_result *result = NULL;
    pthread_t thread;
    assert_int_equal(casehook_cancel_new(NULL, &canceller.cancel), CASEHOOK_OK);
    struct casehook_options options = {.struct_size = sizeof options, .cancel = canceller.cancel};
    assert_int_equal(pthread_create(&thread, NULL, cancel_later, &canceller), 0);
    int64_t began = now_ms();
    assert_int_equal(casehook_create(connector, &params, &options, &result), CASEHOOK_E_CANCELLED);
    assert_true(now_ms() - began < 3000);
    assert_int_equal(casehook_error_outcome(casehook_result_error(result)), CASEHOOK_OUTCOME_UNKNOWN);
    casehook_result_free(result);
    pthread_join(thread, NULL);
    /* it stays set: nothing is sent */
    assert_int_equal(casehook_create(connector, &params, &options, &result), CASEHOOK_E_CANCELLED);
    assert_int_equal(casehook_error_outcome(casehook_result_error(result)), CASEHOOK_OUTCOME_NOT_SENT);
    casehook_result_free(result);
    casehook_cancel_free(canceller.cancel);
    casehook_connector_unref(connector);
    assert_int_equal(http_log_count(http), 1);
    serve_end(NULL);
}

static void preview_shows_what_is_sent(void **state)
{
    (void)state;
    static const char params[] =
        "{\"title\":\"a\\u0000b \\\"q\\\" \\u2028\",\"description\":\"d\",\"tags\":[\"x\",\"y\"],"
        "\"comments\":[{\"commentId\":\"1\",\"comment\":\"hello\\n\"}]}";
    serve(good, NULL);
    char config[1024];
    snprintf(config, sizeof config,
             "\"headers\":{\"X-Own\":\"a\\tb\",\"X-Empty\":\"\",\"X-Long\":\"%0700d\"},"
             "\"hasAuth\":true,\"authType\":\"basic\"",
             0);
    struct casehook_connector *connector = document_connector(
        NULL, base, config,
        "\"user\":\"u\",\"password\":\"very-secret\",\"secretHeaders\":{\"X-Token\":\"token-secret\"}");
    struct casehook_result *shown = NULL, *sent = NULL;
    assert_int_equal(casehook_preview_json(connector, CASEHOOK_PUSH, params, CASEHOOK_TERMINATED, &shown),
                     CASEHOOK_OK);
    assert_int_equal(http_log_count(http), 0);
    assert_int_equal(casehook_run_json(connector, CASEHOOK_PUSH, params, CASEHOOK_TERMINATED, NULL, &sent),
                     CASEHOOK_OK);
    assert_int_equal(casehook_result_request_count(shown), 3);
    assert_int_equal(http_log_count(http), 3);
    for (size_t i = 0; i < 3; i++) {
        size_t length = 0;
        const char *text = casehook_result_request_json(shown, i, &length);
        json_t *json = json_loadb(text, length, JSON_ALLOW_NUL, NULL);
        assert_non_null(json);
        const struct http_request *request = http_log_at(http, i);
        assert_string_equal(json_string_value(json_object_get(json, "method")), request->method);
        assert_string_equal(json_string_value(json_object_get(json, "outcome")), "not_sent");
        json_t *body = json_object_get(json, "body"), *headers = json_object_get(json, "headers");
        assert_int_equal(json_string_length(body), request->body_length);
        if (request->body_length)
            assert_memory_equal(json_string_value(body), request->body, request->body_length);
        const char *name;
        json_t *value;
        json_object_foreach(headers, name, value) {
            const char *wire = http_request_header(request, name, 0);
            assert_non_null(wire);
            if (strcmp(name, "Authorization") && strcmp(name, "X-Token"))
                assert_string_equal(json_string_value(value), wire);
            else
                assert_string_equal(json_string_value(value), "***");
        }
        assert_null(strstr(text, "secret"));
        json_decref(json);
    }
    /* the id is known only afterwards */
    assert_non_null(strstr(casehook_result_request_json(shown, 1, NULL), "/issue/EXTERNAL-ID"));
    assert_string_equal(http_log_at(http, 1)->target, "/issue/42");
    casehook_result_free(shown);
    casehook_result_free(sent);
    casehook_connector_unref(connector);
    serve_end(NULL);
}

static void arguments_are_checked(void **state)
{
    (void)state;
    serve(good, NULL);
    struct casehook_connector *connector = document_connector(NULL, base, NULL, NULL);
    struct casehook_params params = titled("t");
    struct casehook_result *result = NULL;
    assert_int_equal(casehook_create(connector, &params, NULL, NULL), CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook_create(NULL, &params, NULL, &result), CASEHOOK_E_ARGUMENT);
    assert_non_null(casehook_result_error(result));
    casehook_result_free(result);
    assert_int_equal(casehook_create(connector, NULL, NULL, &result), CASEHOOK_E_ARGUMENT);
    casehook_result_free(result);
    params.struct_size = 4;
    assert_int_equal(casehook_create(connector, &params, NULL, &result), CASEHOOK_E_ARGUMENT);
    casehook_result_free(result);
    assert_int_equal(casehook_run_json(connector, 6, "{}", 2, NULL, &result), CASEHOOK_E_ARGUMENT);
    casehook_result_free(result);
    assert_int_equal(casehook_run_json(connector, CASEHOOK_CREATE, NULL, 0, NULL, &result),
                     CASEHOOK_E_ARGUMENT);
    assert_string_equal(casehook_step_name(casehook_error_step(casehook_result_error(result))), "params");
    casehook_result_free(result);
    struct casehook_options options = {.struct_size = 3};
    params.struct_size = sizeof params;
    assert_int_equal(casehook_create(connector, &params, &options, &result), CASEHOOK_E_ARGUMENT);
    assert_non_null(strstr(casehook_error_message(casehook_result_error(result)), "struct casehook_options"));
    casehook_result_free(result);
    options = (struct casehook_options){.struct_size = sizeof options, .reserved = 1};
    assert_int_equal(casehook_create(connector, &params, &options, &result), CASEHOOK_E_ARGUMENT);
    casehook_result_free(result);
    params.label_count = 1;
    assert_int_equal(casehook_create(connector, &params, NULL, &result), CASEHOOK_E_ARGUMENT);
    assert_string_equal(casehook_error_field(casehook_result_error(result)), "labels");
    casehook_result_free(result);
    assert_int_equal(http_log_count(http), 0);
    casehook_connector_unref(connector);
    serve_end(NULL);
}

static void a_newer_struct_is_accepted_while_its_news_are_zero(void **state)
{
    (void)state;
    struct {
        struct casehook_params params;
        uint64_t news;
    } newer = {titled("t"), 0};
    serve(good, NULL);
    struct casehook_connector *connector = document_connector(NULL, base, NULL, NULL);
    struct casehook_result *result = NULL;
    newer.params.struct_size = sizeof newer;
    assert_int_equal(casehook_create(connector, &newer.params, NULL, &result), CASEHOOK_OK);
    casehook_result_free(result);
    newer.news = 1;
    assert_int_equal(casehook_create(connector, &newer.params, NULL, &result), CASEHOOK_E_ARGUMENT);
    casehook_result_free(result);
    casehook_connector_unref(connector);
    serve_end(NULL);
}

static void after_fork_a_handle_is_refused(void **state)
{
    (void)state;
    serve(good, NULL);
    struct casehook_connector *connector = document_connector(NULL, base, NULL, NULL);
    struct casehook_params params = titled("t");
    struct casehook_result *result = NULL;
    assert_int_equal(casehook_create(connector, &params, NULL, &result), CASEHOOK_OK);
    casehook_result_free(result);
    pid_t child = fork();
    if (child == 0) {
        int status = casehook_create(connector, &params, NULL, &result);
        casehook_result_free(result);
        casehook_connector_unref(connector);
        process_leave(status != CASEHOOK_E_FORKED);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(casehook_create(connector, &params, NULL, &result),
                     CASEHOOK_OK); /* the parent goes on */
    casehook_result_free(result);
    casehook_connector_unref(connector);
    serve_end(NULL);
}

struct lines {
    size_t count, destroyed;
    char text[8192];
};

static void keep_line(void *user, const struct casehook_log_record *record)
{
    struct lines *lines = user;
    lines->count++;
    strncat(lines->text, record->message, sizeof lines->text - strlen(lines->text) - 2);
    strcat(lines->text, "\n");
}

static void count_destroyed(void *user)
{
    ((struct lines *)user)->destroyed++;
}

static void the_log_tells_without_secrets(void **state)
{
    (void)state;
    static const struct http_response answers[] = {{.status = 500, TEXT("password was hunter22x")}};
    static const struct http_script script = {answers, 1};
    struct lines lines = {0};
    struct casehook_settings *settings = NULL;
    serve(http_script_answer, &script);
    assert_int_equal(casehook_settings_new(NULL, &settings), CASEHOOK_OK);
    assert_int_equal(
        casehook_settings_set_log(settings, CASEHOOK_LOG_DEBUG, &lines, keep_line, count_destroyed),
        CASEHOOK_OK);
    struct casehook_connector *connector =
        document_connector(settings, base, "\"hasAuth\":true,\"authType\":\"basic\"",
                           "\"user\":\"u\",\"password\":\"hunter22x\"");
    casehook_settings_free(settings);
    assert_int_equal(lines.destroyed, 0);
    struct casehook_params params = titled("t");
    struct casehook_result *result = NULL;
    assert_int_equal(casehook_create(connector, &params, NULL, &result), CASEHOOK_E_HTTP_STATUS);
    casehook_result_free(result);
    casehook_connector_unref(connector);
    assert_int_equal(lines.destroyed, 1);
    assert_true(lines.count >= 2);
    assert_non_null(strstr(lines.text, "create: POST"));
    assert_non_null(strstr(lines.text, "***"));
    assert_null(strstr(lines.text, "hunter22x"));
    serve_end(NULL);
}

static void an_encoding_that_echoes_a_secret(void **state)
{
    (void)state;
    static const struct http_header headers[] = {{"Content-Encoding", "hunter22x"}};
    static const struct http_response answers[] = {{.headers = headers, .header_count = 1, TEXT("{}")}};
    static const struct http_script script = {answers, 1};
    serve(http_script_answer, &script);
    struct casehook_connector *connector =
        document_connector(NULL, base, "\"authType\":\"basic\"", "\"user\":\"u\",\"password\":\"hunter22x\"");
    struct casehook_params params = titled("t");
    struct casehook_result *result = NULL;
    assert_int_equal(casehook_create(connector, &params, NULL, &result), CASEHOOK_E_RESPONSE);
    const char *message = casehook_error_message(casehook_result_error(result));
    assert_non_null(strstr(message, "content encoding \"***\""));
    assert_null(strstr(message, "hunter22x"));
    casehook_result_free(result);
    casehook_connector_unref(connector);
    serve_end(NULL);
}

static void features_are_told(void **state)
{
    (void)state;
    assert_int_equal(casehook_feature("gzip"), 1);
    assert_int_equal(casehook_feature("no such thing"), 0);
    assert_int_equal(casehook_feature(NULL), 0);
    assert_true(casehook_feature("idn") == 0 || casehook_feature("idn") == 1);
    assert_int_equal(casehook_version(), 0x000200);
    assert_string_equal(casehook_version_string(), "0.2.0");
}

static void sigpipe_does_not_kill(void **state)
{
    (void)state;
    static const struct http_response answers[] = {{.fault = HTTP_RESET_BEFORE_RESPONSE},
                                                   {.fault = HTTP_RESET_BEFORE_RESPONSE}};
    static const struct http_script script = {answers, 2};
    signal(SIGPIPE, SIG_DFL);
    serve(http_script_answer, &script);
    struct casehook_connector *connector = document_connector(NULL, base, NULL, NULL);
    struct casehook_params params = titled("t");
    for (int i = 0; i < 2; i++) {
        struct casehook_result *result = NULL;
        assert_int_equal(casehook_create(connector, &params, NULL, &result), CASEHOOK_E_NETWORK);
        casehook_result_free(result);
    }
    casehook_connector_unref(connector);
    serve_end(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(push_with_comments_on_one_connection),
        cmocka_unit_test(a_resumed_get_knows_its_case),
        cmocka_unit_test(a_dead_connection_is_never_used_twice),
        cmocka_unit_test(the_deadline_is_for_the_whole_operation),
        cmocka_unit_test(cancel_from_another_thread),
        cmocka_unit_test(preview_shows_what_is_sent),
        cmocka_unit_test(arguments_are_checked),
        cmocka_unit_test(a_newer_struct_is_accepted_while_its_news_are_zero),
        cmocka_unit_test(after_fork_a_handle_is_refused),
        cmocka_unit_test(the_log_tells_without_secrets),
        cmocka_unit_test(an_encoding_that_echoes_a_secret),
        cmocka_unit_test(features_are_told),
        cmocka_unit_test(sigpipe_does_not_kill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
