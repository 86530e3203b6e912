/* test_template_prove.c - what is found when a body is made: combinations and their messages (C3). */
#include "template_values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static int prove_text(struct casehook__text text, bool strict, struct casehook_error *error)
{
    struct casehook__template *tmpl = NULL;
    casehook__error_init(error);
    int status =
        casehook__template_new(NULL, text, CASEHOOK__TEMPLATE_JSON, &create_schema, strict, &tmpl, error);
    if (!status) status = casehook__template_prove(tmpl, strict, error);
    if (status) assert_true(error->status == status && error->message[0] != '\0');
    if (!status) assert_int_equal(error->status, 0);
    casehook__template_free(tmpl);
    return status;
}

static int prove(const char *text, bool strict, struct casehook_error *error)
{
    return prove_text(casehook__text(text), strict, error);
}

/* Refused when strict, with this offset and these words; lenient accepts it when `lenient`. */
static void combinations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t at;
        const char *says;
        bool lenient;
    } rows[] = {
        {"[{{#case.id}}1{{/case.id}}{{#case.status}},2{{/case.status}}]", 42,
         "with case.id absent, case.status present: ", true},
        {"[{{#case.tags}}{{.}}{{/case.tags}}]", 15, "with case.tags of 2 members: ", true},
        {"[{{#case.tags}}{{.}},{{/case.tags}}]", 35, "with case.tags of 1 member: ", true},
        {"[{{^case.tags}},{{/case.tags}}]", 15, "with case.tags absent: ", true},
        {"[{{#case.tags}}{{^@first}}{{^@last}}x{{/@last}}{{/@first}}{{/case.tags}}]", 36,
         "with case.tags of 3 members: ", true},
        {"[{{#case.fields.a-b}},{{/case.fields.a-b}}]", 21, "with case.fields.a-b present: ", true},
        {"[0{{#case.fields.a}}{{^@last}}}{{/@last}}{{/case.fields.a}}]", 30,
         "with case.fields.a of 2 members: ", true},
        {"{{#case}}[{{#tags}}{{^title}},{{/title}}{{/tags}}]{{/case}}", 29,
         "with case.tags of 1 member, case.title absent: ", true},
        {"{\"a\":1{{#case.tags}},\"b\":1{{/case.tags}}}", 22,
         "with case.tags of 2 members: the key \"b\" at byte 22", true},
        {"{\"a\":1{{#case.id}},\"a\":2{{/case.id}}}", 20, "with case.id present: the key \"a\" at byte 20",
         false},
        {"[1{{#case.id}}{{.}}{{/case.id}}]", 14, "with case.id present: outside quotes", false},
        {"{\"a\":{{case.title}}", 19, "the body ends in the middle, behind \"{\"a\":{{case.title}}\"", false},
        {"{\"d\": {{case.description}}, \"t\": {{case.title}},}", 48,
         "the body is not JSON: \"}\" at byte 48, in \"\"t\": {{case.title}},}\"", false},
        {"{\"\xC3\xA4\xC3\xA4\": \"01234567890123456\xC3\xA4\xC3\xA4\" x \"\xC3\xA4\xC3\xA4"
         "0123456789012345\xC3\xA4\xC3\xA4\"}",
         33,
         "\"x\" at byte 33, in \"1234567890123456\xC3\xA4\xC3\xA4\" x \"\xC3\xA4\xC3\xA4"
         "012345678901234\"",
         false},
        {"s= {{case.title}}", 0, "\"s\" at byte 0", false},
        {"{\"a\" {{case.title}}}", 5, "\"{{case.title}}\" at byte 5", false},
        {"[{{#case.id}}}{{/case.id}}{{^case.id}}}{{/case.id}}]", 38, "with case.id absent: ", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct casehook_error error = {0};
        int status = prove(rows[i].text, true, &error);
        if (status != CASEHOOK_E_CONFIG || !strstr(error.message, rows[i].says) || error.offset != rows[i].at)
            print_message("%s\n%d: %s\n", rows[i].text, (int)error.offset, error.message);
        assert_int_equal(status, CASEHOOK_E_CONFIG);
        assert_non_null(strstr(error.message, rows[i].says));
        assert_int_equal(error.offset, rows[i].at);
        assert_int_equal(prove(rows[i].text, false, &error),
                         rows[i].lenient ? CASEHOOK_OK : CASEHOOK_E_CONFIG);
    }
}

static void accepted(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "[{{#case.tags}}{{.}}{{^@last}},{{/@last}}{{/case.tags}}]",
        "[{{#case.tags}}{{^@first}},{{/@first}}{{.}}{{/case.tags}}]",
        "[0{{#case.tags}},{{#case.labels}}{{/case.labels}}1{{/case.tags}}]",
        "{\"s\":\"{{#case.tags}}{{^@last}}, {{/@last}}{{/case.tags}}{{#case.id}}x{{/case.id}}\"}",
        "{{#case.id}}1{{/case.id}}{{^case.id}}2{{/case.id}}",
        "{\"a\":1{{#case.fields.x}},\"x\":{{.}}{{/case.fields.x}}}",
        "{\"a\":1{{#case.fields}}{{#x}},\"x\":{{x}}{{/x}}{{#y}},\"y\":{{y}}{{/y}}{{/case.fields}}}",
    };
    struct casehook_error error = {0};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (prove(texts[i], true, &error)) print_message("%s\n%s\n", texts[i], error.message);
        assert_int_equal(error.status, 0);
        assert_int_equal(prove(texts[i], false, &error), 0);
    }
}

/* A body with so many tested custom fields; the comma before each is in its section. */
static struct casehook__text many_fields(char *text, size_t count, size_t padding)
{
    int length = sprintf(text, "[\"%0*d\"", (int)padding, 0);
    for (size_t i = 0; i < count; i++)
        length += sprintf(text + length, "{{#case.fields.f%zu}},%zu{{/case.fields.f%zu}}", i, i, i);
    length += sprintf(text + length, "]");
    return (struct casehook__text){text, (size_t)length};
}

static void eight_are_tried_nine_are_not(void **state)
{
    (void)state;
    static char text[CASEHOOK__TEMPLATE_MAX_BYTES];
    struct casehook_error error = {0};
    assert_int_equal(prove_text(many_fields(text, 8, 500), true, &error), 0);
    assert_int_equal(prove_text(many_fields(text, 9, 1), true, &error), CASEHOOK_E_CONFIG);
    assert_non_null(strstr(error.message, "more than 8 variables"));
    assert_int_equal(prove_text(many_fields(text, 9, 1), false, &error), 0);
    /* too many combinations for so large a text: strict says so, lenient looks at each rendering */
    assert_int_equal(prove_text(many_fields(text, 8, 100000), true, &error), CASEHOOK_E_CONFIG);
    assert_non_null(strstr(error.message, "too many combinations"));
    assert_int_equal(prove_text(many_fields(text, 8, 100000), false, &error), 0);
}

static void lists_in_lists_end(void **state)
{
    (void)state;
    static char text[4096];
    struct casehook_error error = {0};
    struct tree tree;
    for (int place = 0; place < 2; place++) { /* inside a string, and outside */
        int length = sprintf(text, place ? "[1" : "[\"");
        for (int i = 0; i < 40; i++) length += sprintf(text + length, "{{#case.tags}}");
        length += sprintf(text + length, place ? ",2" : ".");
        for (int i = 0; i < 40; i++) length += sprintf(text + length, "{{/case.tags}}");
        sprintf(text + length, place ? "]" : "\"]");
        assert_int_equal(prove(text, true, &error), CASEHOOK_E_CONFIG);
        assert_non_null(strstr(error.message, "steps"));
        assert_int_equal(prove(text, false, &error), 0);
        tree_parse(&tree, "{\"case\":{\"tags\":[\"a\",\"b\"]}}");
        char *got = outcome(text, CASEHOOK__TEMPLATE_JSON, &create_schema, false, &tree.root, &error);
        assert_string_equal(got, "!limit");
        free(got);
        tree_free(&tree);
    }
}

/* `.` may be empty or null: what it opens is not covered by the combinations, so renderings are validated. */
static void tested_members_are_looked_at(void **state)
{
    (void)state;
    static const char text[] = "[{{#case.tags}}{{#.}}1{{/.}}{{^@last}},{{/@last}}{{/case.tags}}]";
    struct casehook_error error = {0};
    struct tree tree;
    tree_parse(&tree, "{\"case\":{\"tags\":[\"a\",\"b\"]}}");
    char *got = outcome(text, CASEHOOK__TEMPLATE_JSON, &create_schema, true, &tree.root, &error);
    assert_string_equal(got, "[1,1]");
    free(got);
    tree_free(&tree);
    tree_parse(&tree, "{\"case\":{\"tags\":[\"a\",\"\"]}}");
    got = outcome(text, CASEHOOK__TEMPLATE_JSON, &create_schema, true, &tree.root, &error);
    assert_string_equal(got, "!call");
    free(got);
    tree_free(&tree);
}

/* The size of the bound, and of what is below it, is compiled and proved without a quadratic step. */
static void large_templates(void **state)
{
    (void)state;
    static char text[CASEHOOK__TEMPLATE_MAX_BYTES];
    struct casehook_error error = {0};
    int length = sprintf(text, "[0");
    while (length < CASEHOOK__TEMPLATE_MAX_BYTES - 40) length += sprintf(text + length, ",{{case.id}}");
    length += sprintf(text + length, "]");
    assert_int_equal(prove_text((struct casehook__text){text, (size_t)length}, true, &error), 0);
    length = sprintf(text, "[\"");
    while (length < CASEHOOK__TEMPLATE_MAX_BYTES - 40)
        length += sprintf(text + length, "{{#case}}{{/case}}{{! c }}");
    length += sprintf(text + length, "\"]");
    assert_int_equal(prove_text((struct casehook__text){text, (size_t)length}, true, &error), 0);
    length = sprintf(text, "{");
    for (int i = 0; length < CASEHOOK__TEMPLATE_MAX_BYTES - 40; i++)
        length += sprintf(text + length, "%s\"k%d{{case.id}}\":\"\"", i ? "," : "", i * 7919 % 100003);
    length += sprintf(text + length, "}");
    assert_int_equal(prove_text((struct casehook__text){text, (size_t)length}, true, &error), 0);
}

/* Nothing is tested: the message begins with the fault.  The name of a field may be longer than is shown. */
static void messages_name_the_combination(void **state)
{
    (void)state;
    struct casehook_error error;
    assert_int_equal(prove("{\"a\":1,}", true, &error), CASEHOOK_E_CONFIG);
    assert_memory_equal(error.message, "the body ", 9);
    assert_int_equal(prove("{\"a\":1 {{#case.fields.f2345678901234567890123456789012345678901234567x}}"
                           "2{{/case.fields.f2345678901234567890123456789012345678901234567x}} }",
                           true, &error),
                     CASEHOOK_E_CONFIG);
    assert_non_null(
        strstr(error.message, "with case.fields.f2345678901234567890123456789012345678901234567x "));
    assert_int_equal(prove("{\"a\":1 {{#case.fields.f23456789012345678901234567890123456789012345678x}}"
                           "2{{/case.fields.f23456789012345678901234567890123456789012345678x}} }",
                           true, &error),
                     CASEHOOK_E_CONFIG);
    assert_non_null(
        strstr(error.message, "with case.fields.f23456789012345678901234567890123456789012345678 "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(combinations),
        cmocka_unit_test(accepted),
        cmocka_unit_test(eight_are_tried_nine_are_not),
        cmocka_unit_test(lists_in_lists_end),
        cmocka_unit_test(tested_members_are_looked_at),
        cmocka_unit_test(large_templates),
        cmocka_unit_test(messages_name_the_combination),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
