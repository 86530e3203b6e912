/* test_redmine.c - a real tracker, and what Redmine's own API says of it afterwards: BASE_URL CONNECTOR */
#include "redmine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TITLE                                                                                              \
    "\"Quoted\" \\back\\slash\\ \U0001F525 </script><b>&amp; 'single' {{{case.title}}} na\u00EFve \u2028 " \
    "100%"
#define SUBJECT_MAX 255 /* of Redmine */

/* The issue with its journals; to be released. */
static json_t *issue_read(const char *id)
{
    char path[256];
    snprintf(path, sizeof path, "/issues/%s.json?include=journals", id);
    json_t *root = redmine_read(path);
    assert_non_null(root);
    json_t *issue = json_incref(json_object_get(root, "issue"));
    assert_non_null(issue);
    json_decref(root);
    return issue;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    assert_non_null(text);
    return text;
}

/* Says where long texts differ, not the texts. */
static void assert_same(const char *text, const char *expected)
{
    size_t at = 0;
    while (text[at] && text[at] == expected[at]) at++;
    if (text[at] != expected[at])
        fail_msg("at byte %zu of %zu: \"%.40s\" instead of \"%.40s\"", at, strlen(expected), text + at,
                 expected + at);
}

static const json_t *custom_field(const json_t *issue, json_int_t id)
{
    const json_t *fields = json_object_get(issue, "custom_fields");
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const json_t *field = json_array_get(fields, i);
        if (json_integer_value(json_object_get(field, "id")) == id) return json_object_get(field, "value");
    }
    fail_msg("no custom field %d", (int)id);
    return NULL;
}

/* The notes in their order; changes of other fields are journals without notes. */
static void assert_notes(const json_t *issue, const struct casehook_comment *comments, size_t count)
{
    const json_t *journals = json_object_get(issue, "journals");
    size_t found = 0;
    for (size_t i = 0; i < json_array_size(journals); i++) {
        const char *text = json_string_value(json_object_get(json_array_get(journals, i), "notes"));
        if (!text || !*text) continue;
        assert_true(found < count);
        assert_same(text, comments[found].text);
        found++;
    }
    assert_int_equal(found, count);
}

/* ---- our side ------------------------------------------------------------------------------------ */

static struct casehook_connector *connector_new(const char *password)
{
    struct casehook_connector *connector = redmine_connector(password, 0);
    assert_non_null(connector);
    return connector;
}

static struct casehook_params params_of(const char *title, const char *description)
{
    static const char *const tags[] = {"phishing", "C++", "na\u00EFve"};
    struct casehook_params params = {
        .struct_size = sizeof params,
        .title = title,
        .description = description,
        .id = "case-0001",
        .severity = CASEHOOK_SEVERITY_HIGH,
        .tags = tags,
        .tag_count = 3,
        .comment_size = sizeof(struct casehook_comment),
    };
    return params;
}

/* size bytes of all sorts of characters.  Redmine makes CR LF of every LF, so that is what lines end with. */
static char *long_text(size_t size)
{
    static const char piece[] =
        "line \"one\"\\n\\ \U0001F9E8 \u4E8B\u4EF6 <i>&</i> </script>\ttab\r\n* h1. \u2029 {{x}} %s\r\n";
    char *text = malloc(size + 1);
    assert_non_null(text);
    size_t length = 0;
    while (length + sizeof piece - 1 <= size) {
        memcpy(text + length, piece, sizeof piece - 1);
        length += sizeof piece - 1;
    }
    memset(text + length, '.', size - length);
    text[size - 1] = '!';
    text[size] = '\0';
    return text;
}

static void assert_done(struct casehook_result *result, int status)
{
    if (status) fail_msg("%s", casehook_error_message(casehook_result_error(result)));
}

static void create_update_comment(void **state)
{
    (void)state;
    struct casehook_connector *connector = connector_new(NULL);
    struct casehook_result *result = NULL;
    char *description = long_text(50 * 1024);
    struct casehook_params params = params_of(TITLE, description);
    assert_done(result, casehook_create(connector, &params, NULL, &result));
    char id[64], url[256];
    snprintf(id, sizeof id, "%s", casehook_result_id(result, NULL));
    snprintf(url, sizeof url, "%s/issues/%s", redmine_base(), id);
    assert_string_equal(casehook_result_title(result, NULL), TITLE);
    assert_string_equal(casehook_result_url(result, NULL), url);
    casehook_result_free(result);

    json_t *issue = issue_read(id);
    assert_same(text_of(issue, "subject"), TITLE);
    assert_same(text_of(issue, "description"), description);
    assert_string_equal(json_string_value(custom_field(issue, 1)), "high");
    assert_int_equal(json_array_size(custom_field(issue, 2)), 3);
    assert_string_equal(json_string_value(custom_field(issue, 3)), "case-0001");
    assert_notes(issue, NULL, 0);
    json_decref(issue);

    struct casehook_comment comments[] = {
        {"1", "first: " TITLE}, {"2", description}, {"3", "third \u202E, right to left; \x01 a control"}};
    params = params_of(TITLE " again", "short");
    params.external_id = id;
    params.comments = comments;
    params.comment_count = 3;
    assert_done(result, casehook_push(connector, &params, NULL, &result));
    assert_string_equal(casehook_result_id(result, NULL), id);
    assert_int_equal(casehook_result_comment_count(result), 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(casehook_result_comment_state(result, i), CASEHOOK_COMMENT_SENT);
    casehook_result_free(result);

    issue = issue_read(id);
    assert_same(text_of(issue, "subject"), TITLE " again");
    assert_same(text_of(issue, "description"), "short");
    assert_notes(issue, comments, 3);
    json_decref(issue);
    casehook_connector_unref(connector);
    free(description);
}

/* What the server says is in the message; nothing is left behind. */
static void refusals(void **state)
{
    (void)state;
    struct casehook_connector *connector = connector_new(NULL);
    struct casehook_result *result = NULL;
    char title[SUBJECT_MAX + 2];
    memset(title, 't', sizeof title - 1);
    title[sizeof title - 1] = '\0';
    struct casehook_params params = params_of(title, "text");
    assert_int_equal(casehook_create(connector, &params, NULL, &result), CASEHOOK_E_HTTP_STATUS);
    const struct casehook_error *error = casehook_result_error(result);
    assert_int_equal(casehook_error_http_status(error), 422);
    assert_int_equal(casehook_error_outcome(error), CASEHOOK_OUTCOME_REFUSED);
    assert_int_equal(casehook_error_retryable(error), 0);
    assert_non_null(strstr(casehook_error_message(error), "Subject is too long"));
    assert_null(casehook_result_id(result, NULL));
    casehook_result_free(result);

    params.external_id = "999999";
    assert_int_equal(casehook_get(connector, &params, NULL, &result), CASEHOOK_E_HTTP_STATUS);
    assert_int_equal(casehook_error_http_status(casehook_result_error(result)), 404);
    casehook_result_free(result);
    casehook_connector_unref(connector);

    connector = connector_new("not-the-password");
    params = params_of("title", "text");
    assert_int_equal(casehook_create(connector, &params, NULL, &result), CASEHOOK_E_HTTP_STATUS);
    error = casehook_result_error(result);
    assert_int_equal(casehook_error_http_status(error), 401);
    assert_null(strstr(casehook_error_message(error), "not-the-password"));
    casehook_result_free(result);
    casehook_connector_unref(connector);
}

int main(int argc, char **argv)
{
    if (argc != 3) return 2;
    redmine_use(argv[1], argv[2]);
    const struct CMUnitTest tests[] = {cmocka_unit_test(create_update_comment), cmocka_unit_test(refusals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
