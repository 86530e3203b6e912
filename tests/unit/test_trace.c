/* test_trace.c - what the trace shows of requests and answers, and what it does not (L1), without sockets. */
#include "documents.h"
#include "fake_transport.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define BASE       "http://127.0.0.1:1"
#define TEXT_SIZE  (256 * 1024)
#define LINE_BYTES 768

/* Lines of the trace, each with a newline behind it, and what of them goes over several lines in one piece.
 */
static char trace[TEXT_SIZE], joined[TEXT_SIZE];
static size_t line_count, other_count;   /* other_count: of other levels */
static struct fake_answer token, create; /* what is answered */
static bool log_in_loop;

static void append(char *text, const char *line, const char *end)
{
    size_t length = strlen(text);
    assert_true(length + strlen(line) + 2 < TEXT_SIZE);
    sprintf(text + length, "%s%s", line, end);
}

/* A line must be text by itself: no character begins or ends outside of it. */
static void assert_whole_characters(const char *line)
{
    for (const unsigned char *c = (const unsigned char *)line; *c;) {
        unsigned more = *c < 0x80 ? 0 : *c < 0xe0 ? 1 : *c < 0xf0 ? 2 : 3;
        if ((*c & 0xc0) == 0x80) fail_msg("begins within a character: %s", line);
        for (c++; more > 0; more--, c++)
            if ((*c & 0xc0) != 0x80) fail_msg("ends within a character: %s", line);
    }
}

static void keep(void *user, const struct casehook_log_record *record)
{
    (void)user;
    if (record->level != CASEHOOK_LOG_TRACE) {
        other_count++;
        return;
    }
    line_count++;
    assert_whole_characters(record->message);
    append(trace, record->message, "\n");
    append(joined, record->message + 2, "");
}

static void answer(void *user, const struct casehook__request *request, struct fake_answer *out)
{
    (void)user;
    if (request->call == CASEHOOK__CALL_TOKEN)
        *out = token;
    else if (request->call == CASEHOOK__CALL_CREATE)
        *out = create;
    else
        *out = (struct fake_answer){.status = 200, .body = "{\"key\":\"K\"}"};
}

static void begin(void)
{
    fake_reset();
    fake.answer = answer;
    token = (struct fake_answer){.status = 200, .body = "{\"access_token\":\"the-t0ken\"}"};
    create = (struct fake_answer){.status = 201, .body = "{\"id\":\"7\"}"};
    trace[0] = joined[0] = '\0';
    line_count = other_count = 0;
}

/* What a create came to. */
static int run(int level, const char *config, const char *secrets, const char *title)
{
    const struct casehook_params params = {.struct_size = sizeof params, .title = title};
    struct casehook_settings *settings = document_settings("{\"maxResponseContentLength\":\"200kb\"}");
    struct casehook_result *result = NULL;
    assert_int_equal(casehook_settings_set_log(settings, level, NULL, keep, NULL), CASEHOOK_OK);
    struct casehook_connector *connector = document_connector(settings, BASE, config, secrets);
    casehook_settings_free(settings);
    fake_use(connector);
    if (log_in_loop) {
        struct casehook_loop *loop = fake_loop(10, 2, NULL);
        assert_int_equal(casehook_loop_submit(loop, connector, CASEHOOK_CREATE, &params, NULL, NULL, NULL),
                         CASEHOOK_OK);
        while (!(result = casehook_loop_next(loop, NULL)))
            assert_int_equal(casehook_loop_wait(loop, 60000), CASEHOOK_OK);
        casehook_loop_free(loop);
    } else {
        casehook_create(connector, &params, NULL, &result);
    }
    int status = casehook_error_status(casehook_result_error(result));
    casehook_result_free(result);
    casehook_connector_unref(connector);
    return status;
}

static bool has_line(const char *line)
{
    size_t length = strlen(line);
    for (const char *at = trace; *at; at = strchr(at, '\n') + 1)
        if (strncmp(at, line, length) == 0 && at[length] == '\n') return true;
    return false;
}

static void assert_line(const char *line)
{
    if (!has_line(line)) fail_msg("no line \"%s\" in\n%s", line, trace);
}

static void assert_hidden(const char *text)
{
    if (strstr(trace, text)) fail_msg("\"%s\" is in\n%s", text, trace);
}

#define OAUTH                                                                                            \
    "\"hasAuth\":true,\"authType\":\"oauth2\",\"accessTokenUrl\":\"" BASE "/token\",\"clientId\":\"c\"," \
    "\"scope\":\"sc\""

/* It is not among the secrets yet when its answer is shown. */
static void tokens_are_hidden(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        begin();
        log_in_loop = i == 1;
        assert_int_equal(run(CASEHOOK_LOG_TRACE, OAUTH, "\"clientSecret\":\"cl13nt\"", "t"), CASEHOOK_OK);
        assert_line("> POST " BASE "/token");
        assert_line("> ***"); /* the form, as its answer */
        assert_line("< ***");
        assert_line("> POST " BASE "/issue");
        assert_line("> Authorization: ***");
        assert_line("< {\"id\":\"7\"}");
        assert_hidden("t0ken");
        assert_hidden("cl13nt");
    }
    log_in_loop = false;
}

/* A refusal says what to change; a redirect has a body as well. */
static void refusals_of_tokens_are_shown(void **state)
{
    (void)state;
    static const int statuses[] = {300, 302, 400, 503};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        begin();
        token =
            (struct fake_answer){.status = statuses[i],
                                 .body = "{\"error\":\"invalid_client\",\"error_description\":\"cl13nt\"}",
                                 .location = "/other"};
        char line[32];
        snprintf(line, sizeof line, "< status %d", statuses[i]);
        assert_int_not_equal(run(CASEHOOK_LOG_TRACE, OAUTH, "\"clientSecret\":\"cl13nt\"", "t"), CASEHOOK_OK);
        assert_line(line);
        assert_line("< Location: /other");
        assert_line("< {\"error\":\"invalid_client\",\"error_description\":\"***\"}");
        assert_hidden("cl13nt");
    }
    begin();
    token = (struct fake_answer){.status = 299, .body = "{\"error\":\"another-t0ken\"}"};
    assert_int_equal(run(CASEHOOK_LOG_TRACE, OAUTH, "\"clientSecret\":\"cl13nt\"", "t"), CASEHOOK_E_RESPONSE);
    assert_line("< ***");
    assert_hidden("t0ken");
}

/* What there is of an answer, and no line for what there is not. */
static void headers_of_answers(void **state)
{
    (void)state;
    begin();
    create.status = 503;
    create.retry_after = "7";
    assert_int_equal(run(CASEHOOK_LOG_TRACE, NULL, NULL, "t"), CASEHOOK_E_HTTP_STATUS);
    assert_line("< status 503");
    assert_line("< Content-Type: application/json");
    assert_line("< Retry-After: 7");
    assert_hidden("Location");
    assert_hidden("Content-Encoding");
    begin();
    assert_int_equal(run(CASEHOOK_LOG_TRACE, NULL, NULL, "t"), CASEHOOK_OK);
    assert_hidden("Retry-After");
}

/* A value that is too short to be masked where it is found is hidden by its name. */
static void secret_headers_are_hidden(void **state)
{
    (void)state;
    begin();
    assert_int_equal(run(CASEHOOK_LOG_TRACE, "\"hasAuth\":false,\"headers\":{\"X-Plain\":\"shown\"}",
                         "\"secretHeaders\":{\"X-Secret\":\"7\"}", "t"),
                     CASEHOOK_OK);
    assert_line("> X-Secret: ***");
    assert_line("> X-Plain: shown");
}

static void a_long_name_is_cut(void **state)
{
    char config[512], name[201], line[256];
    (void)state;
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    begin();
    snprintf(config, sizeof config, "\"headers\":{\"%s\":\"v\"}", name);
    assert_int_equal(run(CASEHOOK_LOG_TRACE, config, NULL, "t"), CASEHOOK_OK);
    snprintf(line, sizeof line, "> %.120s: v", name);
    assert_line(line);
}

/* Wherever a line ends, it ends between two characters, and nothing is left out. */
static void long_texts_are_whole(void **state)
{
    static const char *const characters[] = {"x", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    static char title[40000];
    (void)state;
    for (size_t i = 0; i < sizeof characters / sizeof *characters; i++)
        for (size_t before = 0; before < 4; before++) {
            size_t length = before, width = strlen(characters[i]);
            begin();
            memset(title, 'a', before);
            for (; length + 10 < sizeof title; length += width) memcpy(title + length, characters[i], width);
            title[length] = '\0';
            assert_int_equal(run(CASEHOOK_LOG_TRACE, NULL, NULL, title), CASEHOOK_OK);
            assert_non_null(strstr(joined, title));
        }
}

/* A byte that is no character is shown as one that is not known; a full line has no empty one behind it. */
static void what_is_no_text(void **state)
{
    static char body[2 * LINE_BYTES + 1], line[LINE_BYTES + 4];
    (void)state;
    begin();
    memset(body, 0xff, sizeof body - 1);
    create.body = body;
    assert_int_equal(run(CASEHOOK_LOG_TRACE, NULL, NULL, "t"), CASEHOOK_E_RESPONSE);
    memset(line, '?', LINE_BYTES + 2);
    memcpy(line, "< ", 2);
    const char *first = strstr(trace, line);
    assert_non_null(first);
    assert_int_equal(first[LINE_BYTES + 2], '\n');
    assert_string_equal(first + LINE_BYTES + 3, strcat(line, "\n"));
}

/* The URL with what its query holds, but for what is secret. */
static void urls_are_shown(void **state)
{
    (void)state;
    begin();
    assert_int_equal(run(CASEHOOK_LOG_TRACE,
                         "\"hasAuth\":false,\"createIncidentUrl\":\"" BASE "/issue?team=ops\"",
                         "\"secretQuery\":{\"key\":\"s\"}", "t"),
                     CASEHOOK_OK);
    assert_line("> POST " BASE "/issue?team=ops&key=***");
    assert_line("> GET " BASE "/issue/7?key=***");
}

/* It costs nothing, and shows nothing, where the level is below it. */
static void other_levels_have_none(void **state)
{
    (void)state;
    begin();
    assert_int_equal(run(CASEHOOK_LOG_DEBUG, NULL, NULL, "t"), CASEHOOK_OK);
    assert_int_equal(line_count, 0);
    assert_true(other_count > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_hidden),      cmocka_unit_test(refusals_of_tokens_are_shown),
        cmocka_unit_test(headers_of_answers),     cmocka_unit_test(secret_headers_are_hidden),
        cmocka_unit_test(a_long_name_is_cut),     cmocka_unit_test(long_texts_are_whole),
        cmocka_unit_test(what_is_no_text),        cmocka_unit_test(urls_are_shown),
        cmocka_unit_test(other_levels_have_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
