/* test_template_json.c - values in JSON bodies: places, kinds, keys, whole values (T2-T6, N1). */
#include "template_values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char values[] =
    "{\"case\":{\"title\":\"a\\\"b\",\"id\":\"k\",\"status\":\"k\",\"tags\":[\"x\",\"y\\\"\"],\"labels\":[],"
    "\"fields\":{\"text\":\"t\",\"empty\":\"\",\"number\":10,\"yes\":true,\"no\":false,\"null\":null,"
    "\"list\":[\"a\",2,true,null],\"one\":[\"1\"],\"numbers\":[1,2],\"none\":[]}},"
    "\"external\":{\"system\":{\"id\":\"7\"}}}";

struct row {
    const char *text, *expected;
};

static void render_rows(const struct row *rows, size_t count, bool strict)
{
    struct tree tree;
    tree_parse(&tree, values);
    for (size_t i = 0; i < count; i++) {
        struct casehook_error error = {0};
        char *got =
            outcome(rows[i].text, CASEHOOK__TEMPLATE_JSON, &create_schema, strict, &tree.root, &error);
        if (strcmp(got, rows[i].expected) != 0) print_message("in: %s\n%s\n", rows[i].text, error.message);
        assert_string_equal(got, rows[i].expected);
        if (got[0] == '!') assert_true(error.message[0] != '\0');
        free(got);
    }
    tree_free(&tree);
}
#define ROWS(rows) rows, sizeof(rows) / sizeof(rows)[0]

static void kinds_as_values(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{{case.title}}", "\"a\\\"b\""},
        {"[{{{case.title}}},{{&case.title}}]", "[\"a\\\"b\",\"a\\\"b\"]"},
        {"{{case.severity}}", "\"\""},
        {"{{case.tags}}", "[\"x\",\"y\\\"\"]"},
        {"{{case.labels}}", "[]"},
        {"[{{case.fields.text}},{{case.fields.empty}},{{case.fields.number}}]", "[\"t\",\"\",10]"},
        {"[{{case.fields.yes}},{{case.fields.no}},{{case.fields.null}}]", "[true,false,null]"},
        {"[{{case.fields.missing}},{{case.fields.list}},{{case.fields.none}}]",
         "[null,[\"a\",2,true,null],[]]"},
        {"[{{#case.fields.list}}{{.}}{{^@last}},{{/@last}}{{/case.fields.list}}]", "[\"a\",2,true,null]"},
        {"[0{{#case.fields.yes}},{{.}}{{/case.fields.yes}}]", "[0,true]"},
        {"[{{#case.tags}}[{{@first}},{{@last}}]{{^@last}},{{/@last}}{{/case.tags}}]",
         "[[true,false],[false,true]]"},
    };
    render_rows(ROWS(rows), true);
}

static void kinds_in_strings(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"\"<{{case.title}}|{{{case.tags}}}|{{case.severity}}|{{case.labels}}>\"", "\"<a\\\"b|x, y\\\"||>\""},
        {"\"{{case.fields.number}}{{case.fields.yes}}{{case.fields.no}}{{case.fields.null}}\"",
         "\"10truefalse\""},
        {"\"{{case.fields.list}}{{case.fields.missing}}\"", "\"a, 2, true, \""},
        {"\"{{#case.tags}}{{.}};{{/case.tags}}{{#case.severity}}no{{/case.severity}}\"", "\"x;y\\\";\""},
        {"\"\\\\{{case.id}}\\\"{{case.id}}\\u0041{{case.id}}\"", "\"\\\\k\\\"k\\u0041k\""},
        {"{\"{{case.id}}\":{\"a{{case.id}}\":1}}", "{\"k\":{\"ak\":1}}"},
        {"\"a{{! \" }}{{=\"| |\"=}}\"|case.id|\"\"", "\"ak\""},
    };
    render_rows(ROWS(rows), true);
}

static void outer_white_space_goes(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {" \r\n\t{ \"a\" : 1 } \n", "{ \"a\" : 1 }"},
        {"{{#case.id}}  [1] {{/case.id}}{{^case.id}} 2 {{/case.id}} ", "[1]"},
        {" {{case.id}} ", "\"k\""},
    };
    render_rows(ROWS(rows), true);
}

/* All of these are faults of the text, lenient or not. */
static void places(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"[1{{case.id}}]", "!config"},
        {"[{{case.id}}1]", "!config"},
        {"[{{case.id}}e5]", "!config"},
        {"[{{case.id}}{{case.id}}]", "!config"},
        {"[{{case.id}}{{! c }}{{case.id}}]", "!config"},
        {"[1{{! c }}{{case.id}}]", "!config"},
        {"[\"a\"{{case.id}}]", "!config"},
        {"[{{case.id}}\"a\"]", "!config"},
        {"[-{{case.id}}]", "!config"},
        {"{{{case.id}}:1}", "!config"},
        {"{ {{case.id}} :1}", "!config"},
        {"{ {{case.id}}{{! c }} : 1}", "!config"},
        /* sections stand between */
        {"[1{{#case.id}}{{.}}{{/case.id}}]", "!config"},
        {"[{{#case.id}}{{.}}{{/case.id}}1]", "!config"},
        {"[{{case.id}}{{#case.title}},{{/case.title}}{{case.id}}]", "!config"},
        {"[1,{{#case.id}}{{.}}{{/case.id}}{{#case.title}}{{.}}{{/case.title}}]", "!config"},
        {"{ {{#case.id}}{{.}}{{/case.id}}{{^case.id}}\"k\"{{/case.id}}: 1}", "!config"},
        {"[{{#case.tags}}{{.}}{{#@last}}5{{/@last}}{{/case.tags}}]", "!config"},
        /* strings and sections */
        {"{\"a\":\"x{{#case.id}}y\"{{/case.id}}}", "!config"},
        {"{\"a\":{{#case.id}}\"x{{/case.id}}\"}", "!config"},
        {"[\"x{{#case.id}}\",\"{{/case.id}}y\"]", "!config"},
        {"[\"x{{^case.id}}\",\"{{/case.id}}y\"]", "!config"},
        {"{\"a\":{{#case.id}}\"{{/case.id}}{{case.title}}{{#case.id}}\"{{/case.id}}}", "!config"},
        /* escapes */
        {"\"\\{{case.id}}\"", "!config"},
        {"\"\\u{{case.id}}\"", "!config"},
        {"\"\\u004{{case.id}}\"", "!config"},
        {"\"\\{{! c }}n\"", "!config"},
        {"\"\\{{=| |=}}n\"", "!config"},
        {"\"\\{{#case.id}}n{{/case.id}}\"", "!config"},
        {"\"{{#case.id}}\\{{/case.id}}n\"", "!config"},
        {"\"\\\\\\{{case.id}}\"", "!config"},
        /* keys */
        {"{\"a\":1,\"a\":2}", "!config"},
        {"{\"a\":1,\"\\u0061\":2}", "!config"},
        {"{\"\xC3\xA9\":1,\"\\u00e9\":2}", "!config"},
        {"{\"\xF0\x9F\x94\xA5\":1,\"\\uD83D\\udd25\":2}", "!config"},
        {"{\"x\":{\"a\":1,\"b\":[{\"c\":1,\"c\":2}]}}", "!config"},
        {"{\"a\":1{{#case.id}},\"a\":2{{/case.id}}}", "!config"},
        /* not JSON at all */
        {"", "!config"},
        {" ", "!config"},
        {"{\"a\":{{case.id}}", "!config"},
        {"\"a{{case.id}}", "!config"},
        {"\"{{#case.id}}\n{{/case.id}}\"", "!config"},
        {"\"a\nb\"", "!config"},
        {"\"{{#case.severity}}\\x{{/case.severity}}\"", "!config"},
        {"\xEF\xBB\xBF{}", "!config"},
        {"\xC2\xA0{}", "!config"},
        {"{} {{case.id}}", "!config"},
        {"{}}", "!config"},
    };
    render_rows(ROWS(rows), true);
    render_rows(ROWS(rows), false);
}

static void places_that_only_look_wrong(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"[{{#case.id}}{{.}}{{/case.id}}{{^case.id}}\"none\"{{/case.id}}]", "[\"k\"]"},
        {"[{{#case.severity}}{{.}}{{/case.severity}}{{^case.severity}}1{{/case.severity}}]", "[1]"},
        {"[{{#case.severity}}{{.}}{{/case.severity}}{{^case.severity}}{{case.id}}{{/case.severity}}]",
         "[\"k\"]"},
        {"{\"a\":1,\"b\":{\"a\":1}}", "{\"a\":1,\"b\":{\"a\":1}}"},
        {"[{\"a\":1},{\"a\":2}]", "[{\"a\":1},{\"a\":2}]"},
        {"{ {{#case.id}}\"a\":1{{/case.id}}{{^case.id}}\"a\":2{{/case.id}}}", "{ \"a\":1}"},
        {"{\"a\":\"a\",\"b\":[\"a\",\"a\"]}", "{\"a\":\"a\",\"b\":[\"a\",\"a\"]}"},
        {"{\"\\\"\":1,\"\\\\\":2}", "{\"\\\"\":1,\"\\\\\":2}"},
        {"{\"\\ud800\":1,\"x\":2}", "{\"\\ud800\":1,\"x\":2}"},
    };
    render_rows(ROWS(rows), true);
}

static void rendered_keys(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{\"{{case.id}}\":1,\"{{case.title}}\":2}", "{\"k\":1,\"a\\\"b\":2}"},
        {"{\"{{case.id}}\":1,\"{{case.status}}\":2}", "!params"},
        {"{\"{{case.id}}\":1,\"k\":2}", "!params"},
        {"{\"{{case.id}}\":1,\"\\u006b\":2}", "!params"},
        {"{\"x\":[{\"{{case.id}}{{case.id}}\" :1,\"k{{case.id}}\"\n:2}]}", "!params"},
        {"{\"{{case.id}}\":1,\"x\":{\"{{case.id}}\":2}}", "{\"k\":1,\"x\":{\"k\":2}}"},
        {"{\"{{#case.id}}a{{/case.id}}\":1,\"a\":2}", "!params"},
        {"{\"a{{#case.severity}}x{{/case.severity}}\":1,\"a\":2}", "!params"},
        {"{\"{{case.id}}\"{{#case.id}}:1{{/case.id}}{{^case.id}}:2{{/case.id}},\"k\":3}", "!params"},
        {"{\"{{case.id}}\":\"{{case.id}}\",\"b\":\"{{case.id}}\"}", "{\"k\":\"k\",\"b\":\"k\"}"},
        {"{ {{#case.tags}}\"{{.}}\":1{{^@last}},{{/@last}}{{/case.tags}} }", "{ \"x\":1,\"y\\\"\":1 }"},
        {"{ {{#case.fields.numbers}}\"a\":{{.}}{{^@last}},{{/@last}}{{/case.fields.numbers}} }", "!params"},
        {"{ {{#case.fields.one}}\"a\":{{.}}{{^@last}},{{/@last}}{{/case.fields.one}} }", "{ \"a\":\"1\" }"},
        {"{\"b\":1{{#case.fields.text}},\"a\":{{.}}{{/case.fields.text}}}", "{\"b\":1,\"a\":\"t\"}"},
    };
    render_rows(ROWS(rows), true);
    render_rows(ROWS(rows), false);
}

/* Lenient templates that are JSON for some values only. */
static void each_rendering_is_looked_at(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"[{{#case.id}}1{{/case.id}}{{#case.severity}},2{{/case.severity}}]", "[1]"},
        {"[{{#case.severity}}1{{/case.severity}}{{#case.id}},2{{/case.id}}]", "!call"},
        {"[{{#case.fields.one}}{{.}}{{/case.fields.one}}]", "[\"1\"]"},
        /* two numbers would make one */
        {"[{{#case.fields.numbers}}{{.}}{{/case.fields.numbers}}]", "!call"},
        {"{\"s\":1{{#case.tags}},\"a\":1{{/case.tags}}}", "!params"},
        {"{\"a\":1 {{nope}}}", "{\"a\":1 }"},
        {"{\"a\":{{nope}}{{#case.id}}1{{/case.id}}}", "{\"a\":1}"},
        {"[\"{{nope}}\",{{#nope}}1{{/nope}}{{^nope}}2{{/nope}}]", "[\"\",2]"},
    };
    render_rows(ROWS(rows), false);
}

/* None to three members were tried; a fourth would repeat a key. */
static void longer_lists_are_looked_at(void **state)
{
    (void)state;
    static const char text[] =
        "{\"a\":[{{#case.tags}}{{#@first}}1{{/@first}}{{^@first}}{{^@last}}],\"k\":[0{{/@last}}"
        "{{/@first}}{{#@last}},2{{/@last}}{{/case.tags}}]}";
    static const struct {
        const char *values, *expected;
    } rows[] = {
        {"{\"case\":{\"tags\":[]}}", "{\"a\":[]}"},
        {"{\"case\":{\"tags\":[1]}}", "{\"a\":[1,2]}"},
        {"{\"case\":{\"tags\":[1,2,3]}}", "{\"a\":[1],\"k\":[0,2]}"},
        {"{\"case\":{\"tags\":[1,2,3,4]}}", "!params"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct casehook_error error = {0};
        struct tree tree;
        tree_parse(&tree, rows[i].values);
        char *got = outcome(text, CASEHOOK__TEMPLATE_JSON, &create_schema, true, &tree.root, &error);
        assert_string_equal(got, rows[i].expected);
        free(got);
        tree_free(&tree);
    }
}

static void bytes_that_are_no_utf8(void **state)
{
    (void)state;
    struct casehook_error error = {0};
    struct casehook__text names[] = {CASEHOOK__TEXT("title")}, top[] = {CASEHOOK__TEXT("case")};
    struct casehook__value title = {.kind = CASEHOOK__VALUE_TEXT, .text = {"a\xFF\0b", 4}};
    struct casehook__value cases = {
        .kind = CASEHOOK__VALUE_OBJECT, .items = &title, .names = names, .count = 1};
    struct casehook__value root = {.kind = CASEHOOK__VALUE_OBJECT, .items = &cases, .names = top, .count = 1};
    char *got = outcome("[{{case.title}},\"{{case.title}}\"]", CASEHOOK__TEMPLATE_JSON, &create_schema, true,
                        &root, &error);
    assert_string_equal(got, "[\"a\xEF\xBF\xBD\\u0000b\",\"a\xEF\xBF\xBD\\u0000b\"]");
    free(got);
    /* a number keeps its source */
    title = (struct casehook__value){.kind = CASEHOOK__VALUE_NUMBER, .text = CASEHOOK__TEXT("1.50e+400")};
    got = outcome("[{{case.title}},\"{{case.title}}\"]", CASEHOOK__TEMPLATE_JSON, &create_schema, true, &root,
                  &error);
    assert_string_equal(got, "[1.50e+400,\"1.50e+400\"]");
    free(got);
}

/* JSON of others is whole, but how deep it is and which keys it has nobody knew when the body was proved. */
static void json_of_others_is_looked_at(void **state)
{
    (void)state;
    enum { DEEP = 511 }; /* and an object around it: as deep as JSON may be */
    static char deep[2 * DEEP + 3];
    memset(deep, '[', DEEP + 1);
    memset(deep + DEEP + 1, ']', DEEP + 1);
    const struct {
        const char *body;
        struct casehook__text value;
        const char *expected; /* NULL: anything */
    } rows[] = {
        {"{\"{{case.id}}\":{{case.title}}}", {deep + 1, 2 * DEEP}, NULL},
        {"{\"{{case.id}}\":{{case.title}}}", {deep, 2 * DEEP + 2}, "!call"},
        {"{\"k\":{{case.title}}}", {deep, 2 * DEEP + 2}, "!call"},
        {"[{\"{{case.id}}\":[{{case.title}}]}]", {deep, 2 * DEEP + 2}, "!call"},
        {"{\"k\":{{case.title}}}", CASEHOOK__TEXT("{\"c\":1,\"c\":2}"), "!params"},
        {"{\"k\":{{case.title}}}", CASEHOOK__TEXT("[{\"c\":1,\"d\":2}]"), "{\"k\":[{\"c\":1,\"d\":2}]}"},
        {"{\"k\":{{case.tags}}}", CASEHOOK__TEXT("{\"c\":1,\"c\":2}"), "!params"},
    };
    struct casehook__text names[] = {CASEHOOK__TEXT("title"), CASEHOOK__TEXT("id"), CASEHOOK__TEXT("tags")},
                          top[] = {CASEHOOK__TEXT("case")};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct casehook_error error = {0};
        struct casehook__value given[] = {{.kind = CASEHOOK__VALUE_JSON, .text = rows[i].value},
                                          {.kind = CASEHOOK__VALUE_TEXT, .text = CASEHOOK__TEXT("k")},
                                          {.kind = CASEHOOK__VALUE_LIST, .items = &given[0], .count = 1}};
        struct casehook__value cases = {
            .kind = CASEHOOK__VALUE_OBJECT, .items = given, .names = names, .count = 3};
        struct casehook__value root = {
            .kind = CASEHOOK__VALUE_OBJECT, .items = &cases, .names = top, .count = 1};
        char *got = outcome(rows[i].body, CASEHOOK__TEMPLATE_JSON, &create_schema, true, &root, &error);
        if (rows[i].expected)
            assert_string_equal(got, rows[i].expected);
        else
            assert_int_not_equal(*got, '!');
        free(got);
    }
}

/* Looking for equal keys borrows the memory behind the text, and gives it back as it was. */
static void looking_at_keys_leaves_the_text_alone(void **state)
{
    (void)state;
    static const char body[] = "{\"{{case.id}}\":1,\"b\":{\"{{case.title}}\":2}}";
    struct tree tree;
    struct casehook__template *tmpl = NULL;
    struct casehook__buf out;
    tree_parse(&tree, "{\"case\":{\"id\":\"k\",\"title\":\"t\"}}");
    assert_int_equal(casehook__template_new(NULL, casehook__text(body), CASEHOOK__TEMPLATE_JSON,
                                            &create_schema, true, &tmpl, NULL),
                     CASEHOOK_OK);
    assert_int_equal(casehook__template_prove(tmpl, true, NULL), CASEHOOK_OK);
    casehook__buf_init(&out, NULL, 1000);
    assert_int_equal(casehook__template_render(tmpl, &tree.root, &out, NULL), CASEHOOK_OK);
    assert_string_equal(casehook__buf_string(&out), "{\"k\":1,\"b\":{\"t\":2}}");
    assert_int_equal(out.length, strlen(out.data));
    casehook__buf_free(&out);
    casehook__template_free(tmpl);
    tree_free(&tree);
}

/* As large as it may be, and full of keys. */
static void many_keys_are_looked_at(void **state)
{
    (void)state;
    enum { KEYS = 100 };
    char body[2000] = "{\"{{case.id}}\":1", expected[2000] = "{\"k\":1";
    for (int i = 0; i < KEYS; i++) {
        snprintf(body + strlen(body), sizeof body - strlen(body), ",\"%d\":1%s", i, i == KEYS - 1 ? "}" : "");
        snprintf(expected + strlen(expected), sizeof expected - strlen(expected), ",\"%d\":1%s", i,
                 i == KEYS - 1 ? "}" : "");
    }
    struct tree tree;
    struct casehook__template *tmpl = NULL;
    struct casehook__buf out;
    tree_parse(&tree, "{\"case\":{\"id\":\"k\"}}");
    assert_int_equal(casehook__template_new(NULL, casehook__text(body), CASEHOOK__TEMPLATE_JSON,
                                            &create_schema, true, &tmpl, NULL),
                     CASEHOOK_OK);
    assert_int_equal(casehook__template_prove(tmpl, true, NULL), CASEHOOK_OK);
    casehook__buf_init(&out, NULL, strlen(expected));
    assert_int_equal(casehook__template_render(tmpl, &tree.root, &out, NULL), CASEHOOK_OK);
    assert_string_equal(casehook__buf_string(&out), expected);
    assert_int_equal(casehook__buf_append(&out, "x", 1), CASEHOOK_E_LIMIT); /* of the text it is one still */
    casehook__buf_free(&out);
    casehook__template_free(tmpl);
    tree_free(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_as_values),
        cmocka_unit_test(kinds_in_strings),
        cmocka_unit_test(outer_white_space_goes),
        cmocka_unit_test(places),
        cmocka_unit_test(places_that_only_look_wrong),
        cmocka_unit_test(rendered_keys),
        cmocka_unit_test(each_rendering_is_looked_at),
        cmocka_unit_test(longer_lists_are_looked_at),
        cmocka_unit_test(bytes_that_are_no_utf8),
        cmocka_unit_test(json_of_others_is_looked_at),
        cmocka_unit_test(looking_at_keys_leaves_the_text_alone),
        cmocka_unit_test(many_keys_are_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
