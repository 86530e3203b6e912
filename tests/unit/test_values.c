/* test_values.c - values made of variables, secret ones, fields of answers (V1-V3): documents and what they
 * send. */
#include "../support/documents.h"
#include "base/error.h"
#include "document/values.h"

#include <jansson.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define BASE         "https://t.example"

/* "createIncidentJson": the template as JSON text, and more members. */
static char *members_of(const char *template, const char *more)
{
    json_t *text = json_string(template);
    char *quoted = json_dumps(text, JSON_ENCODE_ANY), *members = malloc(strlen(quoted) + strlen(more) + 64);
    assert_non_null(members);
    sprintf(members, "\"createIncidentJson\":%s%s%s", quoted, *more ? "," : "", more);
    free(quoted);
    json_decref(text);
    return members;
}

/* The body of the create that params would send; or "STEP FIELD: MESSAGE".  To be freed. */
static char *sent(const char *template, const char *more, const char *secrets, const char *params)
{
    char *members = members_of(template, more), *said;
    struct casehook_connector *connector = document_connector(NULL, BASE, members, secrets);
    struct casehook_result *result = NULL;
    casehook_preview_json(connector, CASEHOOK_CREATE, params, CASEHOOK_TERMINATED, &result);
    const struct casehook_error *error = casehook_result_error(result);
    if (error) {
        const char *message = casehook_error_message(error), *field = casehook_error_field(error);
        said = malloc(strlen(message) + 256);
        assert_non_null(said);
        sprintf(said, "%s %s: %s", casehook_step_name(casehook_error_step(error)), field ? field : "",
                message);
    } else {
        json_t *root = json_loads(casehook_result_json(result, NULL), 0, NULL);
        const char *body =
            json_string_value(json_object_get(json_array_get(json_object_get(root, "requests"), 0), "body"));
        said = strdup(body ? body : "no body");
        json_decref(root);
    }
    casehook_result_free(result);
    casehook_connector_unref(connector);
    free(members);
    return said;
}

static const struct {
    const char *rule, *template, *params, *wanted; /* params: members beside the title T */
} made[] = {
    /* maps */
    {"\"from\":\"case.severity\",\"map\":{\"high\":2}", "{{value.x}}", "\"severity\":\"high\"", "2"},
    {"\"from\":\"case.severity\",\"map\":{\"high\":1.50}", "{{value.x}}", "\"severity\":\"high\"", "1.5"},
    {"\"from\":\"case.severity\",\"map\":{\"high\":[1,\"a\",{\"b\":null}]}", "{{value.x}}",
     "\"severity\":\"high\"", "[1,\"a\",{\"b\":null}]"},
    {"\"from\":\"case.severity\",\"map\":{\"high\":[1,\"a\"]}", "\"{{value.x}}\"", "\"severity\":\"high\"",
     "\"1, a\""},
    {"\"from\":\"case.severity\",\"map\":{\"high\":null}", "{{value.x}}{{#value.x}},1{{/value.x}}",
     "\"severity\":\"high\"", "null"},
    {"\"from\":\"case.severity\",\"map\":{\"high\":{}}", "{{value.x}}{{#value.x}},1{{/value.x}}",
     "\"severity\":\"high\"", "{},1"},
    {"\"from\":\"case.severity\",\"map\":{\"high\":1},\"default\":null", "{{value.x}}",
     "\"severity\":\"low\"", "null"},
    {"\"from\":\"case.severity\",\"map\":{\"high\":1},\"default\":[]", "{{value.x}}", "", "[]"},
    {"\"from\":\"case.tags\",\"map\":{\"a\":1,\"b\":2}", "{{value.x}}", "\"tags\":[\"b\",\"a\"]", "[2,1]"},
    {"\"from\":\"case.tags\",\"map\":{\"a\":1},\"default\":0", "{{value.x}}", "\"tags\":[\"b\",\"a\"]",
     "[0,1]"},
    {"\"from\":\"case.tags\",\"map\":{\"a\":[1, [\"b\"]],\"b\":{\"c\":[]}},\"default\":[]",
     "[{{value.x}},\"{{value.x}}\"{{#value.x}},{{.}}{{/value.x}}]", "\"tags\":[\"b\",\"a\",\"d\"]",
     "[[{\"c\":[]},[1,[\"b\"]],[]],\"{\\\"c\\\":[]}, [1,[\\\"b\\\"]], []\",{\"c\":[]},[1,[\"b\"]],[]]"},
    {"\"from\":\"case.fields.n\",\"map\":{\"1.50\":\"x\",\"true\":\"y\"}", "{{value.x}}",
     "\"fields\":{\"n\":1.50}", "\"x\""},
    {"\"from\":\"case.fields.n\",\"map\":{\"1.50\":\"x\",\"true\":\"y\"}", "{{value.x}}",
     "\"fields\":{\"n\":true}", "\"y\""},
    /* what is absent */
    {"\"from\":\"case.severity\"", "{{value.x}}", "", "\"\""},
    {"\"from\":\"case.tags\"", "{{value.x}}", "", "[]"},
    {"\"from\":\"case.fields.n\"", "{{value.x}}", "", "null"},
    {"\"from\":\"case.severity\",\"format\":\"html\"", "{{value.x}}", "", "\"\""},
    {"\"from\":\"case.severity\",\"format\":\"lines\"", "{{value.x}}", "", "[]"},
    {"\"from\":[\"case.fields.a\",\"case.tags\",\"case.id\"]", "{{value.x}}",
     "\"fields\":{\"a\":null},\"id\":\"7\"", "\"7\""},
    {"\"from\":[\"case.fields.a\",\"case.tags\"]", "{{value.x}}", "\"tags\":[\"q\"]", "[\"q\"]"},
    {"\"from\":[\"external.system.id\",\"case.id\"]", "{{value.x}}", "\"id\":\"7\"", "\"7\""},
    /* text */
    {"\"from\":\"case.tags\",\"singleLine\":true,\"maxCharacters\":3", "{{value.x}}",
     "\"tags\":[\"a\\nb\",\"abcd\"]", "[\"a b\",\"ab\xE2\x80\xA6\"]"},
    {"\"from\":\"case.tags\",\"prefix\":\"<\",\"suffix\":\">\"", "{{value.x}}", "\"tags\":[\"a\",\"\"]",
     "[\"<a>\",\"\"]"},
    {"\"from\":\"case.tags\",\"format\":\"html\"", "{{value.x}}", "\"tags\":[\"a\",\"<\"]", "\"a<br>&lt;\""},
    {"\"from\":\"case.fields.n\",\"maxCharacters\":1", "{{value.x}}", "\"fields\":{\"n\":123}", "123"},
    {"\"from\":\"case.fields.n\",\"prefix\":\"P\"", "{{value.x}}", "\"fields\":{\"n\":123}", "\"P123\""},
    {"\"from\":\"case.severity\",\"map\":{\"high\":1},\"suffix\":\"!\"", "{{value.x}}",
     "\"severity\":\"high\"", "\"1!\""},
    {"\"from\":\"case.description\",\"singleLine\":true,\"prefix\":\"D: \"", "{{value.x}}",
     "\"description\":\"\\n\"", "\"\""},
    {"\"from\":\"case.description\",\"format\":\"lines\",\"prefix\":\"> \"", "{{value.x}}",
     "\"description\":\"a\\n\\nb\"", "[\"> a\",\"\",\"> b\"]"},
    {"\"from\":\"case.description\",\"maxCharacters\":4,\"unit\":\"bytes\",\"format\":\"html\",\"suffix\":\"."
     "\"",
     "{{value.x}}", "\"description\":\"<<<<<\"", "\"&lt;\xE2\x80\xA6.\""},
    {"\"from\":\"case.description\",\"maxCharacters\":3", "{{value.x}}", "\"description\":\"a\\ud83db\"",
     "\"a\xEF\xBF\xBD"
     "b\""},
    /* sections */
    {"\"from\":\"case.tags\",\"map\":{\"a\":1,\"b\":2}",
     "[{{#value.x}}{{.}}{{^@last}},{{/@last}}{{/value.x}}]", "\"tags\":[\"b\",\"a\"]", "[2,1]"},
    {"\"from\":\"case.severity\",\"map\":{\"high\":[7,8]}",
     "[{{#value.x}}{{.}}{{^@last}},{{/@last}}{{/value.x}}]", "\"severity\":\"high\"", "[7,8]"},
    {"\"from\":\"case.severity\"", "1{{#value}}{{#x}},{{x}}{{/x}}{{/value}}", "\"severity\":\"s\"",
     "1,\"s\""},
    /* a key, and a section that is not entered: what is not asked for is not made */
    {"\"from\":\"case.severity\",\"map\":{\"high\":1}", "{\"k{{value.x}}\":0}", "\"severity\":\"high\"",
     "{\"k1\":0}"},
    {"\"from\":\"case.severity\",\"map\":{\"high\":1}", "1{{#case.id}},{{value.x}}{{/case.id}}",
     "\"severity\":\"low\"", "1"},
};

static void values_are_made(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(made); i++) {
        char template[512], more[512], params[512], wanted[512];
        snprintf(template, sizeof template, "{\"v\":[%s],\"t\":{{case.title}},\"d\":{{case.description}}}",
                 made[i].template);
        snprintf(more, sizeof more, "\"strict\":true,\"values\":{\"x\":{%s}}", made[i].rule);
        snprintf(params, sizeof params, "{\"title\":\"T\"%s%s}", *made[i].params ? "," : "", made[i].params);
        snprintf(wanted, sizeof wanted, "{\"v\":[%s],\"t\":\"T\",", made[i].wanted);
        char *body = sent(template, more, NULL, params);
        if (strncmp(body, wanted, strlen(wanted)) != 0)
            fail_msg("{%s}: %s, not %s", made[i].rule, body, wanted);
        free(body);
    }
}

static void unknown_words(void **state)
{
    (void)state;
    static const char *const more = "\"values\":{\"x\":{\"from\":\"case.severity\",\"map\":{\"high\":2}}}";
    char *said = sent("{\"v\":{{value.x}}}", more, NULL, "{\"title\":\"T\",\"severity\":\"low\"}");
    assert_string_equal(strchr(said, ':') ? strtok(said, ":") : said, "params config.values.x");
    free(said);
    said = sent("{\"v\":{{value.x}}}", more, NULL, "{\"title\":\"T\",\"severity\":\"low\"}");
    assert_non_null(strstr(said, "no \"low\", which is case.severity"));
    free(said);
}

/* Whether the case is there or not: a comment that no request could be made of is found before anything is
 * sent. */
static void unknown_words_of_comments(void **state)
{
    (void)state;
    static const char *const bodies[] = {"{{value.x}}", "{{value.x}},{{external.system.id}}",
                                         "{{value.x}},{{external.fields.f}}"};
    for (size_t i = 0; i < COUNT(bodies); i++) {
        char more[512];
        struct casehook_result *result = NULL;
        snprintf(
            more, sizeof more,
            "\"createCommentJson\":\"[%s]\",\"values\":{\"x\":{\"from\":\"case.comment\",\"map\":{\"a\":1}}}",
            bodies[i]);
        struct casehook_connector *connector = document_connector(NULL, "http://127.0.0.1:1", more, NULL);
        int status =
            casehook_run_json(connector, CASEHOOK_PUSH,
                              "{\"title\":\"T\",\"comments\":[{\"commentId\":\"1\",\"comment\":\"a\"},"
                              "{\"commentId\":\"2\",\"comment\":\"b\"}]}",
                              CASEHOOK_TERMINATED, NULL, &result);
        assert_int_equal(status, CASEHOOK_E_PARAMS);
        assert_int_equal(casehook_result_step(result), CASEHOOK_STEP_PARAMS);
        assert_int_equal(casehook_result_request_count(result), 0);
        casehook_result_free(result);
        casehook_connector_unref(connector);
    }
}

/* ---- documents ----------------------------------------------------------------------------------- */

static const struct {
    const char *members, *secrets, *field, *says;
} faults[] = {
    {"\"values\":[]", NULL, "config.values", "must be an object"},
    {"\"values\":{\"a b\":{\"from\":\"case.id\"}}", NULL, "config.values.a b", "choose another one"},
    {"\"values\":{\"x\":\"case.id\"}", NULL, "config.values.x", "an object with \"from\""},
    {"\"values\":{\"x\":{}}", NULL, "config.values.x.from", "is missing"},
    {"\"values\":{\"x\":{\"from\":\"case.id\",\"form\":1}}", NULL, "config.values.x.form",
     "did you mean \"format\"?"}, /* as near as from, which is there */
    {"\"values\":{\"x\":{\"from\":1}}", NULL, "config.values.x.from", "the name of a variable"},
    {"\"values\":{\"x\":{\"from\":[]}}", NULL, "config.values.x.from", "1 to 16"},
    {"\"values\":{\"x\":{\"from\":[\"case.id\",null]}}", NULL, "config.values.x.from", "not null"},
    {"\"values\":{\"x\":{\"from\":\"case.sverity\"}}", NULL, "config.values.x.from",
     "did you mean {{case.severity}}?"},
    {"\"values\":{\"x\":{\"from\":\"case\"}}", NULL, "config.values.x.from", "a group"},
    {"\"values\":{\"x\":{\"from\":\"\"}}", NULL, "config.values.x.from", "must name a variable"},
    {"\"values\":{\"x\":{\"from\":\"a}}{{b\"}}", NULL, "config.values.x.from", "unknown variable"},
    {"\"values\":{\"x\":{\"from\":\"value.x\"}}", NULL, "config.values.x.from", "must not name a value"},
    {"\"values\":{\"x\":{\"from\":\"secret.s\"}}", NULL, "config.values.x.from", "must not name a secret"},
    {"\"values\":{\"x\":{\"from\":\"case.id\",\"map\":{}}}", NULL, "config.values.x.map", "1 to 1000"},
    {"\"values\":{\"x\":{\"from\":\"case.id\",\"map\":\"a\"}}", NULL, "config.values.x.map",
     "an object of text"},
    {"\"values\":{\"x\":{\"from\":\"case.id\",\"singleLine\":1}}", NULL, "config.values.x.singleLine",
     "true or false"},
    {"\"values\":{\"x\":{\"from\":\"case.id\",\"format\":\"md\"}}", NULL, "config.values.x.format",
     "\"adf\""},
    {"\"values\":{\"x\":{\"from\":\"case.id\",\"maxCharacters\":\"9\"}}", NULL,
     "config.values.x.maxCharacters", "a whole number"},
    {"\"values\":{\"x\":{\"from\":\"case.id\",\"maxCharacters\":2,\"unit\":\"bytes\"}}", NULL,
     "config.values.x.maxCharacters", "write 3 to"},
    {"\"values\":{\"x\":{\"from\":\"case.id\",\"unit\":\"bytes\"}}", NULL, "config.values.x.unit",
     "maxCharacters"},
    {"\"values\":{\"x\":{\"from\":\"case.id\",\"prefix\":1}}", NULL, "config.values.x.prefix", "a text"},
    {"\"values\":{\"x\":{\"from\":\"case.id\",\"format\":\"adf\",\"suffix\":\".\"}}", NULL,
     "config.values.x.suffix", "remove it"},
    {"\"hasAuth\":false", "\"values\":\"a\"", "secrets.values", "must be an object"},
    {"\"hasAuth\":false", "\"values\":{\"a.b\":\"x\"}", "secrets.values.a.b", "choose another one"},
    {"\"hasAuth\":false", "\"values\":{\"a\":1}", "secrets.values.a", "must be a text"},
    {"\"hasAuth\":false", "\"values\":{\"a\":\"\"}", "secrets.values.a", "is empty"},
    {"\"strict\":\"nmaes\"", NULL, "config.strict", "\"names\""},
    {"\"createResponseFields\":{\"a\":\"a\"},\"commentResponseFields\":{\"a\":\"b\"}", NULL,
     "config.commentResponseFields.a", "is a name of createResponseFields too"},
    /* A value in a field that has nothing of what it is made of, lenient or not. */
    {"\"values\":{\"x\":{\"from\":\"case.comment\"}},\"createIncidentUrl\":\"https://t.example/{{value.x}}\"",
     NULL, "config.createIncidentUrl", "not available in this field"},
    {"\"strict\":\"names\",\"values\":{\"x\":{\"from\":\"case.comment\"}},\"createIncidentUrl\":"
     "\"https://t.example/{{value.x}}\"",
     NULL, "config.createIncidentUrl", "not available in this field"},
    {"\"hasAuth\":false,\"strict\":true,\"viewIncidentUrl\":\"https://t.example/{{external.system.id}}/"
     "{{secret.s}}\"",
     "\"values\":{\"s\":\"abcd\"}", "config.viewIncidentUrl", "not available in this field"},
    {"\"hasAuth\":false,\"strict\":\"names\",\"createCommentJson\":\"{\\\"a\\\":{{secret.t}}}\"",
     "\"values\":{\"s\":\"abcd\"}", "config.createCommentJson", "unknown variable"},
    /* The structure is proved with what a value may be. */
    {"\"strict\":true,\"values\":{\"x\":{\"from\":\"case.description\",\"format\":\"lines\"}},"
     "\"createIncidentJson\":"
     "\"{\\\"t\\\":{{case.title}},\\\"d\\\":{{case.description}}{{#value.x}},\\\"l\\\":{{.}}{{/value.x}}}\"",
     NULL, "config.createIncidentJson", "value.x of 2 members"},
};

static void documents_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(faults); i++) {
        char *document = document_new(BASE, faults[i].members, faults[i].secrets);
        struct casehook_error *error = NULL;
        const char *what = faults[i].members ? faults[i].members : faults[i].secrets;
        if (casehook_connector_check(NULL, document, CASEHOOK_TERMINATED, &error) != CASEHOOK_E_CONFIG)
            fail_msg("%s was taken", what);
        if (strcmp(casehook_error_field(error), faults[i].field) != 0 ||
            !strstr(casehook_error_message(error), faults[i].says) || casehook_error_next(error))
            fail_msg("%s: %s; %s", what, casehook_error_message(error),
                     casehook_error_next(error) ? casehook_error_message(casehook_error_next(error))
                                                : "no other");
        casehook_error_free(error);
        free(document);
    }
}

/* A value stands for what it is made of. */
static void strict_counts_values(void **state)
{
    (void)state;
    free(sent("{\"a\":{{value.x}},\"b\":{{value.y}}}",
              "\"strict\":true,\"values\":{\"x\":{\"from\":[\"case.fields.s\",\"case.title\"]},"
              "\"y\":{\"from\":\"case.description\"},\"id\":{\"from\":\"external.system.id\"}},"
              "\"findIncidentUrl\":\"https://t.example/?q={{value.x}}\","
              "\"findIncidentResponseKey\":\"id\",\"getIncidentUrl\":\"https://t.example/{{value.id}}\"",
              NULL, "{\"title\":\"T\"}"));
}

/* Too short to be searched for: masked where it is used, in previews and in URLs that results show. */
static void secrets_are_not_shown(void **state)
{
    (void)state;
    static const char more[] =
        "\"hasAuth\":false,\"createIncidentUrl\":\"http://127.0.0.1:1/{{secret.s}}/"
        "c\",\"createIncidentJson\":\"[{{secret.s}},\\\"-{{secret.s}}\\\"]\","
        "\"createIncidentHeaders\":{\"X-S\":\"s {{secret.s}}\",\"X-T\":\"{{case.title}}\"}";
    struct casehook_connector *connector =
        document_connector(NULL, "http://127.0.0.1:1", more, "\"values\":{\"s\":\"q%z\"}");
    for (int preview = 0; preview < 2; preview++) {
        struct casehook_result *result = NULL;
        if (preview)
            casehook_preview_json(connector, CASEHOOK_CREATE, "{\"title\":\"T\"}", CASEHOOK_TERMINATED,
                                  &result);
        else
            casehook_run_json(connector, CASEHOOK_CREATE, "{\"title\":\"T\"}", CASEHOOK_TERMINATED, NULL,
                              &result);
        const char *json = casehook_result_json(result, NULL);
        assert_null(strstr(json, "q%"));
        assert_non_null(strstr(json, "http://127.0.0.1:1/***/c"));
        if (preview) assert_non_null(strstr(json, "\"X-S\":\"***\",\"X-T\":\"T\""));
        if (preview) assert_non_null(strstr(json, "[\\\"***\\\",\\\"-***\\\"]"));
        casehook_result_free(result);
    }
    casehook_connector_unref(connector);
}

/* A body of an update, and the variable that it would empty; NULL: none. */
static void updates_that_empty(void **state)
{
    (void)state;
    static const struct {
        const char *body, *empties;
    } bodies[] = {
        {"{\\\"t\\\":{{case.title}}}", NULL},
        {"{\\\"d\\\":{{case.description}}}", "case.description"},
        {"{\\\"d\\\":\\\"a {{case.description}}\\\"}", "case.description"},
        {"{\\\"d\\\":{{value.d}}}", "case.description"},
        {"{ {{#case.description}}\\\"d\\\":{{case.description}}{{/case.description}} }", NULL},
        {"{ {{#case.description}}\\\"d\\\":{{value.d}}{{/case.description}} }", NULL},
        {"{\\\"a\\\":1{{^case.description}},\\\"d\\\":{{case.description}}{{/case.description}} }",
         "case.description"},
        {"{\\\"l\\\":{{case.tags}}}", "case.tags"},
        {"{\\\"t\\\":1{{#case.tags}}{{#@first}},\\\"l\\\":{{case.tags}}{{/@first}}{{/case.tags}} }", NULL},
        {"{\\\"l\\\":[{{#case.tags}}{{.}}{{^@last}},{{/@last}}{{/case.tags}}]}", NULL},
        {"{\\\"f\\\":{{case.fields.a}}}", "case.fields.*"},
        {"{\\\"t\\\":1{{#case.fields.b}},\\\"f\\\":{{case.fields.a}}{{/case.fields.b}} }", "case.fields.*"},
        {"{\\\"t\\\":1{{#case.fields.a}},\\\"f\\\":\\\"{{case.fields.a}}\\\"{{/case.fields.a}} }", NULL},
    };
    assert_int_equal(casehook_connector_warnings(NULL, NULL), CASEHOOK_E_ARGUMENT);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        char members[512];
        struct casehook_error *warnings = NULL;
        snprintf(members, sizeof members,
                 "\"hasAuth\":false,\"values\":{\"d\":{\"from\":\"case.description\"}},"
                 "\"updateIncidentJson\":\"%s\"",
                 bodies[i].body);
        struct casehook_connector *connector = document_connector(NULL, "http://127.0.0.1:1", members, NULL);
        assert_int_equal(casehook_connector_warnings(connector, &warnings), CASEHOOK_OK);
        if (bodies[i].empties) {
            assert_non_null(warnings);
            assert_string_equal(casehook_error_field(warnings), "config.updateIncidentJson");
            assert_non_null(strstr(casehook_error_message(warnings), bodies[i].empties));
            assert_null(casehook_error_next(warnings));
        } else if (warnings) {
            fail_msg("%s: %s", bodies[i].body, casehook_error_message(warnings));
        }
        casehook_error_free(warnings);
        casehook_connector_unref(connector);
    }
}

/* Words of one length and of several, in whatever order the map has them; every one is found, and no other.
 */
static void every_word_of_a_map(void **state)
{
    static const char *const words[] = {"b", "a", "ba", "", "ab", "c", "aaa", "B", "aab", "\xC3\xA4"};
    char rule[512] = "\"from\":\"case.fields.n\",\"map\":{", params[64], wanted[16];
    (void)state;
    for (size_t i = 0; i < COUNT(words); i++)
        sprintf(rule + strlen(rule), "%s\"%s\":%zu", i ? "," : "", words[i], i);
    sprintf(rule + strlen(rule), "},\"default\":\"none\"");
    char more[600];
    sprintf(more, "\"strict\":false,\"values\":{\"x\":{%s}}", rule);
    for (size_t i = 0; i < COUNT(words); i++) {
        if (!*words[i]) continue; /* which is absent */
        sprintf(params, "{\"title\":\"T\",\"fields\":{\"n\":\"%s\"}}", words[i]);
        sprintf(wanted, "%zu", i);
        char *said = sent("{{value.x}}", more, NULL, params);
        assert_string_equal(said, wanted);
        free(said);
    }
    char *said = sent("{{value.x}}", more, NULL, "{\"title\":\"T\",\"fields\":{\"n\":\"ac\"}}");
    assert_string_equal(said, "\"none\"");
    free(said);
}

/* What is gone through counts, not what is left of it; and there is an end to it. */
static void values_are_work(void **state)
{
    static const char *const from[] = {"t", NULL};
    static const struct casehook__text names[] = {{"t", 1}};
    const struct casehook__value given = {.kind = CASEHOOK__VALUE_TEXT, .text = casehook__text("abcdefghij")};
    const struct casehook__value root = {
        .kind = CASEHOOK__VALUE_OBJECT, .names = names, .items = &given, .count = 1};
    const struct casehook__value_rule rule = {.from = from, .most = 1};
    struct casehook__arena arena = {.heap = NULL};
    struct casehook_error error = {0};
    struct casehook__value value;
    size_t work = 0;
    (void)state;
    casehook__error_init(&error);
    assert_int_equal(casehook__value_compute(&rule, "x", &root, &arena, &value, &work, &error), CASEHOOK_OK);
    assert_int_equal(value.text.length, 3);
    assert_in_range(work, 10, 100);
    work = CASEHOOK__VALUE_WORK_MAX + (size_t)1;
    assert_int_equal(casehook__value_compute(&rule, "x", &root, &arena, &value, &work, &error),
                     CASEHOOK_E_LIMIT);
    assert_string_equal(error.field, "config.values.x");
    casehook__arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_word_of_a_map),   cmocka_unit_test(values_are_work),
        cmocka_unit_test(updates_that_empty),    cmocka_unit_test(values_are_made),
        cmocka_unit_test(unknown_words),         cmocka_unit_test(unknown_words_of_comments),
        cmocka_unit_test(documents_are_refused), cmocka_unit_test(strict_counts_values),
        cmocka_unit_test(secrets_are_not_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
