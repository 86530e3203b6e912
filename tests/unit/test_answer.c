/* test_answer.c - what a response means, asked without machine or socket: responses in, verdicts out (H3, H4,
 * R1-R3). */
#include "exchange/answer.h"

#include "documents.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BASE "https://t.example"

/* A question about one call of the usual document, and where its answer is put. */
struct asked {
    struct casehook__settings_snapshot *settings;
    struct casehook__config *config;
    struct casehook__parsed_params params;
    struct casehook__buf scratch, url;
    struct casehook__origin origin;
    struct casehook__request request;
    struct casehook__hop hop;
    struct casehook__question question;
    struct casehook_result *result;
    char target[CASEHOOK__TARGET_SIZE];
};

static void ask(struct asked *asked, enum casehook__call call)
{
    struct casehook__errors errors;
    char *document = document_new(BASE, NULL, NULL);
    memset(asked, 0, sizeof *asked);
    casehook__errors_init(&errors, NULL);
    asked->settings = casehook__settings_default(NULL);
    assert_int_equal(
        casehook__config_read(NULL, asked->settings, casehook__text(document), &asked->config, &errors),
        CASEHOOK_OK);
    free(document);
    casehook__params_init(&asked->params, NULL);
    casehook__buf_init(&asked->scratch, NULL, 1 << 20);
    casehook__buf_init(&asked->url, NULL, CASEHOOK__URL_MAX_BYTES);
    asked->result = casehook__result_new(NULL, &asked->params);
    assert_non_null(asked->result);
    const struct casehook__call_config *config = &asked->config->calls[call];
    casehook__url_template_origin(config->url, &asked->origin);
    asked->request = (struct casehook__request){.call = call,
                                                .method = config->method,
                                                .url = BASE "/issue",
                                                .origin = &asked->origin,
                                                .configured = true};
    asked->question = (struct casehook__question){.config = asked->config,
                                                  .settings = asked->settings,
                                                  .request = &asked->request,
                                                  .method = casehook__method_name(config->method),
                                                  .url = BASE "/issue",
                                                  .target = asked->target,
                                                  .scratch = &asked->scratch,
                                                  .clock = &casehook__clock_real};
}

static void forget(struct asked *asked)
{
    casehook_result_free(asked->result);
    casehook__buf_free(&asked->scratch);
    casehook__buf_free(&asked->url);
    casehook__params_free(&asked->params);
    casehook__config_free(asked->config);
    casehook__settings_unref(asked->settings);
}

static struct casehook__response response(int status, const char *body)
{
    return (struct casehook__response){
        .status = status, .content_type = CASEHOOK__TEXT("application/json"), .body = casehook__text(body)};
}

static void answers(void **state)
{
    (void)state;
    static const struct {
        enum casehook__call call;
        int http_status;
        const char *body;
        int status, outcome;
        const char *id, *title;
    } rows[] = {
        {CASEHOOK__CALL_CREATE, 201, "{\"id\":7}", CASEHOOK_OK, CASEHOOK_OUTCOME_DONE, "7", ""},
        {CASEHOOK__CALL_CREATE, 201, "", CASEHOOK_E_RESPONSE, CASEHOOK_OUTCOME_UNKNOWN, "", ""},
        {CASEHOOK__CALL_CREATE, 201, "{\"id\":\"7\",", CASEHOOK_E_RESPONSE, CASEHOOK_OUTCOME_UNKNOWN, "7",
         ""},
        {CASEHOOK__CALL_CREATE, 201, "{\"no\":1}", CASEHOOK_E_RESPONSE, CASEHOOK_OUTCOME_UNKNOWN, "", ""},
        {CASEHOOK__CALL_CREATE, 403, "{}", CASEHOOK_E_HTTP_STATUS, CASEHOOK_OUTCOME_REFUSED, "", ""},
        {CASEHOOK__CALL_CREATE, 504, "", CASEHOOK_E_HTTP_STATUS, CASEHOOK_OUTCOME_UNKNOWN, "", ""},
        {CASEHOOK__CALL_GET, 200, "{\"key\":\"K\"}", CASEHOOK_OK, CASEHOOK_OUTCOME_DONE, "", "K"},
        {CASEHOOK__CALL_GET, 204, "", CASEHOOK_E_RESPONSE, CASEHOOK_OUTCOME_UNKNOWN, "", ""},
        {CASEHOOK__CALL_UPDATE, 204, "", CASEHOOK_OK, CASEHOOK_OUTCOME_DONE, "", ""},
        {CASEHOOK__CALL_UPDATE, 200, "{", CASEHOOK_E_RESPONSE, CASEHOOK_OUTCOME_UNKNOWN, "", ""},
        {CASEHOOK__CALL_COMMENT, 200, " \r\n", CASEHOOK_OK, CASEHOOK_OUTCOME_DONE, "", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct asked asked;
        ask(&asked, rows[i].call);
        struct casehook__response given = response(rows[i].http_status, rows[i].body);
        struct casehook__verdict verdict = casehook__answer_judge(&asked.question, &given, asked.result);
        assert_int_equal(verdict.status, rows[i].status);
        assert_int_equal(verdict.outcome, rows[i].outcome);
        assert_int_equal(verdict.http_status, rows[i].http_status);
        assert_false(verdict.follow);
        assert_int_equal(asked.result->error.status, rows[i].status);
        assert_string_equal(asked.result->id_length ? asked.result->id : "", rows[i].id);
        assert_string_equal(asked.result->title ? asked.result->title : "", rows[i].title);
        forget(&asked);
    }
}

/* A key that finds nothing: what is at the top, and where else its last name stands. */
static void missing_keys(void **state)
{
    (void)state;
    static const struct {
        enum casehook__call call;
        const char *body, *says, *never;
    } rows[] = {
        {CASEHOOK__CALL_CREATE, "{\"ok\":true,\"data\":{\"no\":[1,{\"x\":2}],\"issue\":{\"id\":7}}}",
         "is missing (did you mean \"data.issue.id\"?); the answer (status 200), with \"ok\", \"data\" at "
         "its "
         "top, was \"{",
         NULL},
        {CASEHOOK__CALL_CREATE, "{\"a\":{\"b\":{\"id\":1}},\"c\":{\"id\":2}}", "did you mean \"c.id\"?",
         NULL},
        {CASEHOOK__CALL_CREATE, "[{\"x\":1}, [0,{\"id\":\"7\"}]]", "did you mean \"[1][1].id\"?",
         "at its top"},
        {CASEHOOK__CALL_CREATE, "\xEF\xBB\xBF {\"ID\" : 7}", "did you mean \"ID\"?", NULL},
        {CASEHOOK__CALL_CREATE, "{\"a.b\":{\"\":{\"id\":7}}}", "did you mean \"[\"a.b\"][\"\"].id\"?", NULL},
        {CASEHOOK__CALL_CREATE, "{\"a\\n\":{\"id\":7},\"x\":\"id\"}", "with \"a\\n\", \"x\" at its top",
         "did you"},
        {CASEHOOK__CALL_CREATE, "{\"a\":{\"id\":{\"id\":null}}}", "with \"a\" at its top", "did you mean"},
        {CASEHOOK__CALL_CREATE, "{}", "the answer (status 200) was \"{}\"", "did you mean"},
        {CASEHOOK__CALL_CREATE, "7", "the answer (status 200) was \"7\"", "did you mean"},
        {CASEHOOK__CALL_CREATE, "{\"id\":[],\"a\":{\"id\":1}}", "is an array", "did you mean"},
        {CASEHOOK__CALL_GET, "{\"fields\":[{\"key\":true}]}", "did you mean \"fields[0].key\"?", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct asked asked;
        ask(&asked, rows[i].call);
        struct casehook__response given = response(200, rows[i].body);
        casehook__answer_judge(&asked.question, &given, asked.result);
        const char *message = asked.result->error.message;
        if (!strstr(message, rows[i].says)) print_message("%s\n", message);
        assert_non_null(strstr(message, rows[i].says));
        assert_true(!rows[i].never || !strstr(message, rows[i].never));
        forget(&asked);
    }
}

/* Names are shown whole or not at all, few of them, and no path that nobody could write. */
static void missing_key_among_many(void **state)
{
    (void)state;
    char body[4096];
    size_t used = (size_t)snprintf(body, sizeof body, "{");
    struct asked asked;
    for (int i = 0; i < 100; i++)
        used += (size_t)snprintf(body + used, sizeof body - used, "\"member%d\":1,", i);
    for (int i = 0; i < 40; i++) used += (size_t)snprintf(body + used, sizeof body - used, "\"d\":{");
    used += (size_t)snprintf(body + used, sizeof body - used, "\"id\":7");
    for (int i = 0; i <= 40; i++) used += (size_t)snprintf(body + used, sizeof body - used, "}");
    ask(&asked, CASEHOOK__CALL_CREATE);
    struct casehook__response given = response(200, body);
    casehook__answer_judge(&asked.question, &given, asked.result);
    const char *message = asked.result->error.message, *last = strstr(message, ", ... at its top");
    assert_non_null(last);
    assert_int_equal(last[-1], '"');
    assert_true(last - strstr(message, "\"member0\"") < 160);
    assert_null(strstr(message, "did you mean"));
    forget(&asked);
}

static void failures(void **state)
{
    (void)state;
    struct asked asked;
    struct casehook__response partial = response(201, "{\"id\":\"9\",\"key\":\"K");
    struct casehook__failure failure = {.status = CASEHOOK_E_CONNECT, .message = "nobody listens"};
    ask(&asked, CASEHOOK__CALL_CREATE);
    struct casehook__verdict verdict = casehook__failure_judge(&asked.question, &failure, asked.result);
    assert_int_equal(verdict.status, CASEHOOK_E_CONNECT);
    assert_int_equal(verdict.outcome, CASEHOOK_OUTCOME_NOT_SENT);
    assert_int_equal(verdict.http_status, 0);
    forget(&asked);

    failure = (struct casehook__failure){
        .status = CASEHOOK_E_NETWORK, .sent = true, .partial = &partial, .message = "the cable was cut"};
    ask(&asked, CASEHOOK__CALL_CREATE);
    verdict = casehook__failure_judge(&asked.question, &failure, asked.result);
    assert_int_equal(verdict.status, CASEHOOK_E_NETWORK);
    assert_int_equal(verdict.outcome, CASEHOOK_OUTCOME_UNKNOWN);
    assert_int_equal(verdict.http_status, 201);
    assert_string_equal(asked.result->id, "9");
    forget(&asked);
}

/* A server that answered in plain HTTP does not speak TLS there, whatever is wrong with its answer. */
static void advice_about_the_scheme(void **state)
{
    (void)state;
    static const struct casehook__origin plain = {.host = "t.example", .port = 8443};
    struct casehook__response partial = response(201, "{\"id\":\"9\"");
    for (int answered = 0; answered < 2; answered++) {
        struct asked asked;
        struct casehook__failure failure = {.status = CASEHOOK_E_RESPONSE,
                                            .sent = true,
                                            .partial = answered ? &partial : NULL,
                                            .message = "it cannot be decoded"};
        ask(&asked, CASEHOOK__CALL_CREATE);
        asked.request.origin = &plain;
        casehook__failure_judge(&asked.question, &failure, asked.result);
        assert_int_equal(strstr(asked.result->error.message, "speaks TLS") == NULL, answered);
        forget(&asked);
    }
}

/* Where a redirect has led, nobody has seen a login that could be wrong. */
static void advice_about_the_login(void **state)
{
    (void)state;
    struct casehook__response refusal = response(401, "{}");
    for (int configured = 0; configured < 2; configured++) {
        struct asked asked;
        ask(&asked, CASEHOOK__CALL_GET);
        asked.request.configured = configured;
        casehook__answer_judge(&asked.question, &refusal, asked.result);
        assert_int_equal(strstr(asked.result->error.message, "check user, password") != NULL, configured);
        assert_int_equal(strstr(asked.result->error.message, "took no credentials along") == NULL,
                         configured);
        forget(&asked);
    }
}

static void redirects(void **state)
{
    (void)state;
    static const struct {
        enum casehook__call call;
        int http_status;
        const char *location;
        int status, outcome;
        bool is_get, configured, written;
        const char *url;
    } rows[] = {
        {CASEHOOK__CALL_GET, 302, "/other", CASEHOOK_OK, CASEHOOK_OUTCOME_DONE, true, true, false,
         BASE "/other"},
        {CASEHOOK__CALL_GET, 302, "https://u.example/x", CASEHOOK_OK, CASEHOOK_OUTCOME_DONE, true, false,
         false, "https://u.example/x"},
        {CASEHOOK__CALL_CREATE, 307, "/other", CASEHOOK_OK, CASEHOOK_OUTCOME_REFUSED, false, true, false,
         BASE "/other"},
        {CASEHOOK__CALL_CREATE, 303, "/made/1", CASEHOOK_OK, CASEHOOK_OUTCOME_DONE, true, true, true,
         BASE "/made/1"},
        {CASEHOOK__CALL_CREATE, 302, "/login", CASEHOOK_E_REDIRECT, CASEHOOK_OUTCOME_UNKNOWN, false, false,
         false, NULL},
        {CASEHOOK__CALL_CREATE, 307, "https://u.example/x", CASEHOOK_E_REDIRECT, CASEHOOK_OUTCOME_REFUSED,
         false, false, false, NULL},
        {CASEHOOK__CALL_GET, 302, "http://t.example/x", CASEHOOK_E_POLICY, CASEHOOK_OUTCOME_REFUSED, false,
         false, false, NULL},
        {CASEHOOK__CALL_GET, 302, "", CASEHOOK_E_REDIRECT, CASEHOOK_OUTCOME_REFUSED, false, false, false,
         NULL},
        {CASEHOOK__CALL_GET, 304, "/x", CASEHOOK_E_REDIRECT, CASEHOOK_OUTCOME_REFUSED, false, false, false,
         NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct asked asked;
        ask(&asked, rows[i].call);
        struct casehook__response given = response(rows[i].http_status, "");
        given.location = casehook__text(rows[i].location);
        struct casehook__verdict verdict = casehook__redirect_judge(&asked.question, &given, 0, &asked.hop,
                                                                    &asked.url, &asked.result->error);
        assert_int_equal(verdict.status, rows[i].status);
        assert_int_equal(verdict.outcome, rows[i].outcome);
        assert_int_equal(verdict.follow, rows[i].status == CASEHOOK_OK);
        if (verdict.follow) {
            assert_string_equal(casehook__buf_string(&asked.url), rows[i].url);
            assert_int_equal(asked.hop.method == CASEHOOK__METHOD_GET, rows[i].is_get);
            assert_int_equal(asked.hop.configured, rows[i].configured);
            assert_int_equal(asked.hop.written, rows[i].written);
        }
        forget(&asked);
    }
}

/* One more than maxRedirects. */
static void too_many_redirects(void **state)
{
    (void)state;
    struct asked asked;
    ask(&asked, CASEHOOK__CALL_GET);
    unsigned most = asked.settings->max_redirects;
    struct casehook__response given = response(302, "");
    given.location = CASEHOOK__TEXT("/x");
    assert_true(casehook__redirect_judge(&asked.question, &given, most - 1, &asked.hop, &asked.url,
                                         &asked.result->error)
                    .follow);
    assert_int_equal(
        casehook__redirect_judge(&asked.question, &given, most, &asked.hop, &asked.url, &asked.result->error)
            .status,
        CASEHOOK_E_LIMIT);
    forget(&asked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(answers),
                                       cmocka_unit_test(missing_keys),
                                       cmocka_unit_test(missing_key_among_many),
                                       cmocka_unit_test(failures),
                                       cmocka_unit_test(advice_about_the_scheme),
                                       cmocka_unit_test(advice_about_the_login),
                                       cmocka_unit_test(redirects),
                                       cmocka_unit_test(too_many_redirects)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
