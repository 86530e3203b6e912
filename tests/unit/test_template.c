/* test_template.c - Mustache in templates: tags, lines, delimiters, names and their messages (T1, C4, C5). */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "page_end.h"
#include "template_values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const char values[] =
    "{\"case\":{\"title\":\"T\",\"description\":\"\",\"tags\":[\"a\",\"b\"],\"fields\":{\"n\":1}},"
    "\"external\":{\"system\":{\"id\":\"7 7\",\"title\":\"X\"}}}";

struct row {
    const char *text, *expected;
};

static void render_rows(const struct row *rows, size_t count, enum casehook__template_kind kind,
                        const struct casehook__schema *schema, bool strict)
{
    struct tree tree;
    tree_parse(&tree, values);
    for (size_t i = 0; i < count; i++) {
        struct casehook_error error = {0};
        char *got = outcome(rows[i].text, kind, schema, strict, &tree.root, &error);
        if (strcmp(got, rows[i].expected) != 0) print_message("in: %s\n%s\n", rows[i].text, error.message);
        assert_string_equal(got, rows[i].expected);
        free(got);
    }
    tree_free(&tree);
}
#define ROWS(rows) rows, sizeof(rows) / sizeof(rows)[0]

static void lines_with_one_tag_vanish(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"a\n {{! c }} \nb", "a\nb"},
        {"a\r\n{{#case}}\r\nb\r\n{{/case}}\r\nc", "a\r\nb\r\nc"},
        {"{{#case}}\n{{/case}}", ""},
        {"  {{=| |=}}\n|case.title|", "T"},
        {"a\n {{! one }} {{! two }} \nb", "a\n   \nb"},
        {"a {{! c }}\nb", "a \nb"},
        {"{{! c }} b", " b"},
        {" {{case.title}}\n", " T\n"},
        {"{{!\n}}{{#case}}\nx{{/case}}", "\nx"},
        {"{{! a\n b }}\nx", "x"},
        {"\n{{! c }}\r", "\n\r"},
    };
    render_rows(ROWS(rows), CASEHOOK__TEMPLATE_RAW, &create_schema, true);
}

static void tags(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{{ case.title }}|{{{ case.title }}}|{{& case.title}}|{{ & case.title }}", "T|T|T|T"},
        {"{{=<% %>=}}<%case.title%> {{case.title}} <%{case.title}%><%={{ }}=%>{{case.title}}",
         "T {{case.title}} TT"},
        {"{{=| |=}}|case.title|", "T"},
        {"{{#case.tags}}<{{.}}>{{/case.tags}}", "<a><b>"},
        {"{{#case.tags}}{{.}}{{^@last}},{{/@last}}{{/case.tags}}", "a,b"},
        {"{{#case.tags}}{{#@last}}and {{.}}{{/@last}}{{/case.tags}}", "and b"},
        {"{{#case.tags}}{{#@first}}{{#@last}}only{{/@last}}{{/@first}}{{/case.tags}}", ""},
        {"{{#case.tags}}{{@first}}-{{@last}} {{/case.tags}}", "true-false false-true "},
        {"{{#case.title}}{{@first}}{{@last}}{{/case.title}}", "truetrue"},
        {"{{#case}}{{@first}}{{@last}}{{/case}}", "truetrue"},
        {"{{#case.tags}}{{#case}}{{@last}}{{/case}} {{/case.tags}}", "true true "},
        {"{{#case.description}}x{{/case.description}}{{^case.description}}y{{/case.description}}", "y"},
        {"{{#case}}{{#title}}{{.}}{{/title}}{{/case}}", "T"},
        {"{{^case}}x{{/case}}", ""},
        {"}}{ {a}} {", "}}{ {a}} {"},
    };
    render_rows(ROWS(rows), CASEHOOK__TEMPLATE_RAW, &create_schema, true);
}

static void names(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{{external.system.ID}}{{#external.system}}{{ID}}{{id}}{{/external.system}}", "7 77 77 7"},
        {"{{#external}}{{#system}}{{id}}{{case.title}}{{/system}}{{/external}}", "7 7T"},
        {"{{#external.system.ID}}{{.}}{{/external.system.ID}}", "7 7"},
        {"{{case.fields.n}}{{#case.fields}}{{n}}{{case.title}}{{/case.fields}}", "11T"},
        {"{{#case}}{{fields.n}}{{#fields}}{{n}}{{/fields}}{{/case}}", "11"},
        {"{{case.fields.missing}}{{case.severity}}", ""},
    };
    render_rows(ROWS(rows), CASEHOOK__TEMPLATE_RAW, &update_schema, true);
}

static void lenient_names_render_nothing(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"[{{nope}}{{case}}{{external}}{{external.system.title}}{{case.title.length}}{{.}}{{@first}}]", "[]"},
        {"{{#nope}}x{{.}}{{@last}}{{/nope}}{{^nope}}y{{/nope}}", "y"},
        {"{{#case}}{{case}}{{.}}{{nope}}{{/case}}", ""},
        {"{{#case.tags}}{{title}}{{nope}}{{/case.tags}}", ""},
        {"{{case.Title}}{{CASE.title}}{{case..title}}{{.case.title}}{{case.title.}}", ""},
        {"{{case.fields}}{{case.fields.}}{{case.fields.a.b}}{{case.fields.\xC3\xA9}}{{case.fields.*}}", ""},
        {"{{external.system.Id}}{{external.system.iD}}", ""},
    };
    render_rows(ROWS(rows), CASEHOOK__TEMPLATE_RAW, &update_schema, false);
}

static void urls(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"/a/{{external.system.id}}?x={{{case.title}}}", "/a/7%207?x=T"},
        {"{{case.tags}}", "a%2Cb"},
        {"{{case.fields.n}}{{case.fields.none}}{{case.severity}}", "1"},
        {"{{#case.tags}}/{{.}}{{/case.tags}}", "/a/b"},
        {"\"{{case.title}}1{{case.title}}\"", "\"T1T\""},
    };
    render_rows(ROWS(rows), CASEHOOK__TEMPLATE_URL, &update_schema, true);
}

static struct casehook_error fault_of(const char *text, const struct casehook__schema *schema, bool strict)
{
    struct casehook_error error = {0};
    struct casehook__template *tmpl = NULL;
    int status = casehook__template_new(NULL, casehook__text(text), CASEHOOK__TEMPLATE_RAW, schema, strict,
                                        &tmpl, &error);
    if (!status) print_message("accepted: %s\n", text);
    assert_int_equal(status, CASEHOOK_E_CONFIG);
    assert_null(tmpl);
    return error;
}

/* Text, the offset of its fault, and something that the message says. */
static void faults(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t at;
        const char *says;
    } rows[] = {
        {"ab{{case.title", 2, "}} is missing"},
        {"ab{{{case.title}}", 2, "}}} is missing"},
        {"{{{case.title}} {{{case.title}}}", 0, "not closed before"},
        {"{{case.title {{case.id}}", 0, "not closed before"},
        {"{{! never", 0, "not closed"},
        {"x{{}}", 1, "without a name"},
        {"x{{ }}", 1, "without a name"},
        {"x{{#}}{{/}}", 1, "without a name"},
        {"{{{}}}", 0, "without a name"},
        {"{{&}}", 0, "without a name"},
        {"{{case title}}", 0, "white space in the name \"case title\""},
        {"{{case.\ttitle}}", 0, "white space"},
        {"{{> part}}", 0, "partials"},
        {"{{< parent}}{{/parent}}", 0, "inheritance"},
        {"{{$block}}", 0, "inheritance"},
        {"{{#case}}", 0, "not closed"},
        {"{{#case}}{{#title}}", 9, "{{#title}}"},
        {"x{{/case}}", 1, "was not opened"},
        {"{{#case}}{{/title}}{{/case}}", 9, "stands where the section {{#case}}"},
        {"{{=<%=}}", 0, "two delimiters"},
        {"{{=a b c=}}", 0, "two delimiters"},
        {"{{= = =}}", 0, "two delimiters"},
        {"{{==}}", 0, "two delimiters"},
        {"{{=123456789012345678901234567890123 b=}}", 0, "two delimiters"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int strict = 0; strict < 2; strict++) {
            struct casehook_error error = fault_of(rows[i].text, &create_schema, strict);
            if (!strstr(error.message, rows[i].says)) print_message("%s: %s\n", rows[i].text, error.message);
            assert_non_null(strstr(error.message, rows[i].says));
            assert_int_equal(error.offset, rows[i].at);
        }
    }
}

static void strict_names(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t at;
        const char *says;
    } rows[] = {
        {"ab{{case.titel}}", 2, "unknown variable {{case.titel}} at byte 2: did you mean {{case.title}}?"},
        {"{{case.Title}}", 0, "did you mean {{case.title}}?"},
        {"{{#case}}{{titel}}{{/case}}", 9, "did you mean {{title}}?"},
        {"{{title}}", 0, "did you mean {{case.title}}?"},
        {"{{incident.Tags}}", 0, "did you mean {{case.tags}}?"},
        {"{{case.host}}", 0, "did you mean {{case.fields.host}}?"},
        {"{{#case}}{{host}}{{/case}}", 9, "unknown variable {{host}} at byte 9; known here:"},
        {"{{host}}", 0, "unknown variable {{host}} at byte 0; known here:"},
        {"{{case.title.length}}", 0, "at byte 0; known here:"},
        {"{{#nope}}{{/nope}}", 0, "unknown variable {{nope}}"},
        {"{{^nope}}{{/nope}}", 0, "unknown variable {{nope}}"},
        {"x{{external.system.id}}", 1, "not available in this field"},
        {"x{{external.system.ID}}", 1, "not available in this field"},
        {"{{#external}}{{/external}}", 0, "not available in this field"},
        {"{{case.comment}}", 0, "not available in this field"},
        {"{{case}}", 0, "group of variables"},
        {"{{case.fields}}", 0, "group of variables"},
        {"{{.}}", 0, "unknown variable {{.}}"},
        {"{{#case}}{{.}}{{/case}}", 9, "unknown variable {{.}}"},
        {"{{#case.tags}}{{#case}}{{.}}{{/case}}{{/case.tags}}", 23, "unknown variable {{.}}"},
        {"{{@first}}", 0, "unknown variable {{@first}}"},
        {"{{^case.tags}}{{@last}}{{/case.tags}}", 14, "unknown variable {{@last}}"},
        {"{{case.title.length}}", 0, "unknown variable"},
        {"{{case.fields.a b}}", 0, "white space"},
        {"{{case.fields.a.b}}", 0, "unknown variable"},
        {"{{case.fields.}}", 0, "unknown variable"},
        {"{{else}}", 0, "unknown variable"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct casehook_error error = fault_of(rows[i].text, &create_schema, true);
        if (!strstr(error.message, rows[i].says)) print_message("%s: %s\n", rows[i].text, error.message);
        assert_non_null(strstr(error.message, rows[i].says));
        assert_int_equal(error.offset, rows[i].at);
    }
}

static struct casehook__template *compile(struct casehook__text text, const struct casehook__schema *schema)
{
    struct casehook__template *tmpl = NULL;
    assert_int_equal(casehook__template_new(NULL, text, CASEHOOK__TEMPLATE_URL, schema, false, &tmpl, NULL),
                     0);
    return tmpl;
}

static void questions(void **state)
{
    (void)state;
    struct casehook__template *tmpl =
        compile(casehook__text("http://h/{{#case}}{{title}}{{#fields.a-1}}{{/fields.a-1}}{{/case}}"
                               "{{^external.system.ID}}{{/external.system.ID}}{{nope}}"),
                &update_schema);
    assert_true(casehook__template_uses(tmpl, "case.title"));
    assert_true(casehook__template_uses(tmpl, "case.fields.a-1"));
    assert_true(casehook__template_uses(tmpl, "external.system.id"));
    assert_false(casehook__template_uses(tmpl, "case.titl"));
    assert_false(casehook__template_uses(tmpl, "case.title.x"));
    assert_false(casehook__template_uses(tmpl, "case"));
    assert_false(casehook__template_uses(tmpl, "title"));
    assert_false(casehook__template_uses(tmpl, "nope"));
    assert_false(casehook__template_uses(tmpl, ""));
    struct page_end end = page_end_new(16);
    static const char *const shorter[] = {"c", "case.", "case.t", "case.titl", "case.field", "case.fields.a"};
    for (size_t i = 0; i < sizeof shorter / sizeof *shorter; i++) { /* with their NUL: nothing is behind it */
        struct casehook__text name = {shorter[i], strlen(shorter[i]) + 1};
        assert_false(casehook__template_uses(tmpl, page_end_put(&end, name).data));
    }
    page_end_free(&end);
    casehook__template_free(tmpl);

    tmpl = compile((struct casehook__text){NULL, 0}, &create_schema);
    assert_false(casehook__template_uses(tmpl, "case.title"));
    casehook__template_free(tmpl);
}

struct places {
    size_t at[8], count;
};

static void note(void *user, const struct casehook__buf *out)
{
    struct places *places = user;
    if (places->count < 8) places->at[places->count++] = out->length;
}

static void places_of_variables_are_told(void **state)
{
    (void)state;
    struct tree tree;
    struct places places = {.count = 0};
    size_t steps = 100;
    const struct casehook__template_watch watch = {note, &places, &steps};
    struct casehook__buf out;
    casehook__buf_init(&out, NULL, 1000);
    casehook__buf_append_string(&out, "http://h");
    tree_parse(&tree, values);
    struct casehook__template *tmpl =
        compile(casehook__text("/a{{nope}}/{{case.title}}/{{! }}{{#case.description}}x{{/case.description}}/"
                               "{{#case.tags}}{{.}}{{/case.tags}}"),
                &create_schema);
    assert_int_equal(casehook__template_render_at(tmpl, &tree.root, &watch, &out, NULL), 0);
    assert_string_equal(casehook__buf_string(&out), "http://h/a/T//ab");
    assert_int_equal(
        steps, 112); /* added: 5 of text, 2 of values, 2 of the section that stays shut, 5 of two rounds */
    static const size_t expected[] = {11, 13, 14, 14, 15};
    assert_int_equal(places.count, 5);
    assert_memory_equal(places.at, expected, sizeof expected);
    casehook__template_free(tmpl);
    casehook__buf_free(&out);
    tree_free(&tree);
}

/* Text that repeats piece, opening ones before closing ones. */
static struct casehook__text repeat(char *into, const char *open, const char *close, size_t times)
{
    size_t length = 0;
    for (size_t i = 0; i < times; i++, length += strlen(open)) memcpy(into + length, open, strlen(open));
    for (size_t i = 0; i < times; i++, length += strlen(close)) memcpy(into + length, close, strlen(close));
    return (struct casehook__text){into, length};
}

static void bounds(void **state)
{
    (void)state;
    static char big[CASEHOOK__TEMPLATE_MAX_BYTES + 1];
    struct casehook_error error = {0};
    struct casehook__template *tmpl = NULL;
    struct casehook__text text = repeat(big, "{{#case}}", "{{/case}}", CASEHOOK__TEMPLATE_MAX_DEPTH);
    assert_int_equal(
        casehook__template_new(NULL, text, CASEHOOK__TEMPLATE_RAW, &create_schema, true, &tmpl, &error), 0);
    casehook__template_free(tmpl);
    text = repeat(big, "{{#case}}", "{{/case}}", CASEHOOK__TEMPLATE_MAX_DEPTH + 1);
    assert_int_equal(
        casehook__template_new(NULL, text, CASEHOOK__TEMPLATE_RAW, &create_schema, true, &tmpl, &error),
        CASEHOOK_E_CONFIG);
    assert_int_equal(error.offset, 9 * CASEHOOK__TEMPLATE_MAX_DEPTH);
    memset(big, 'x', sizeof big);
    text = (struct casehook__text){big, sizeof big};
    assert_int_equal(
        casehook__template_new(NULL, text, CASEHOOK__TEMPLATE_RAW, &create_schema, true, &tmpl, &error),
        CASEHOOK_E_CONFIG);
    text.length--;
    assert_int_equal(
        casehook__template_new(NULL, text, CASEHOOK__TEMPLATE_RAW, &create_schema, true, &tmpl, &error), 0);
    casehook__template_free(tmpl);
}

static void rendering_is_bounded(void **state)
{
    (void)state;
    static char text[8192];
    struct casehook_error error = {0};
    struct tree tree;
    struct casehook__buf out;
    casehook__buf_init(&out, NULL, 100);
    casehook__buf_append_string(&out, "kept");
    tree_parse(&tree, values);
    struct casehook__template *tmpl =
        compile(repeat(text, "{{#case.tags}}", "{{/case.tags}}", 40), &create_schema);
    assert_int_equal(casehook__template_render(tmpl, &tree.root, &out, &error), CASEHOOK_E_LIMIT);
    assert_non_null(strstr(error.message, "steps"));
    assert_string_equal(casehook__buf_string(&out), "kept"); /* nothing half rendered stays */
    casehook__template_free(tmpl);
    tmpl = compile(repeat(text, "0123456789{{case.title}}", "", 10), &create_schema);
    assert_int_equal(casehook__template_render(tmpl, &tree.root, &out, &error), CASEHOOK_E_LIMIT);
    assert_non_null(strstr(error.message, "100 bytes"));
    assert_string_equal(casehook__buf_string(&out), "kept");
    casehook__template_free(tmpl);
    casehook__buf_free(&out);
    tree_free(&tree);
}

struct count {
    long left; /* allocations until one fails; negative: none does */
    long live;
};

static void *count_reallocate(void *user, void *block, size_t size)
{
    struct count *count = user;
    if (size == 0) {
        count->live -= block != NULL;
        free(block);
        return NULL;
    }
    if (count->left == 0) return NULL;
    if (count->left > 0) count->left--;
    count->live += block == NULL;
    return realloc(block, size);
}

static int make_and_render(struct casehook__heap *heap, const struct casehook__value *root, char *result)
{
    static const char text[] =
        "{\"{{case.title}}\":{{case.title}},\"t\":[{{#case.tags}}{{.}}{{^@last}},{{/@last}}"
        "{{/case.tags}}]{{#case.severity}},\"n\":{{.}}{{/case.severity}}}";
    struct casehook__template *tmpl = NULL;
    struct casehook_error error = {0};
    struct casehook__buf out;
    casehook__buf_init(&out, heap, 1 << 20);
    int status = casehook__template_new(heap, casehook__text(text), CASEHOOK__TEMPLATE_JSON, &create_schema,
                                        true, &tmpl, &error);
    if (!status) status = casehook__template_prove(tmpl, true, &error);
    if (!status) status = casehook__template_render(tmpl, root, &out, &error);
    if (!status) memcpy(result, out.data, out.length + 1);
    casehook__template_free(tmpl);
    casehook__buf_free(&out);
    return status;
}

static void out_of_memory_is_an_ordinary_error(void **state)
{
    (void)state;
    struct count count = {.left = -1};
    struct casehook_allocator allocator = {
        .struct_size = sizeof allocator, .user = &count, .reallocate = count_reallocate};
    struct casehook__heap *heap = NULL;
    struct tree tree;
    char result[1000];
    assert_int_equal(casehook__heap_new(&allocator, &heap), CASEHOOK_OK);
    tree_parse(&tree, values);
    long before = count.live;
    for (long fail_at = 0;; fail_at++) {
        count.left = fail_at;
        int status = make_and_render(heap, &tree.root, result);
        assert_int_equal(count.live, before);
        if (status == CASEHOOK_OK) {
            assert_true(fail_at >= 4);
            break;
        }
        assert_int_equal(status, CASEHOOK_E_NO_MEMORY);
        assert_true(fail_at < 1000);
    }
    assert_string_equal(result, "{\"T\":\"T\",\"t\":[\"a\",\"b\"]}");
    casehook__heap_unref(heap);
    assert_int_equal(count.live, 0);
    tree_free(&tree);
}

/* Without a schema names are looked for from the innermost section outwards. */
static void sections_hide_what_is_around_them(void **state)
{
    (void)state;
    static const char json[] = "{\"x\":\"top\",\"y\":\"root\",\"a\":{\"x\":\"one\",\"b\":{\"x\":\"two\"}}}";
    static const struct row rows[] = {
        {"{{#a}}{{x}} {{y}}{{/a}}", "one root"},
        {"{{#a}}{{#b}}{{x}}{{/b}} {{x}}{{/a}} {{x}}", "two one top"},
        {"{{#a}}{{#b}}{{a.x}} {{b.x}} {{b.y}}|{{/b}}{{/a}}", "one two |"},
    };
    struct tree tree;
    tree_parse(&tree, json);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct casehook_error error = {0};
        char *got = outcome(rows[i].text, CASEHOOK__TEMPLATE_RAW, NULL, true, &tree.root, &error);
        assert_string_equal(got, rows[i].expected);
        free(got);
    }
    tree_free(&tree);
}

/* With one as well: where the innermost object knows the first part of a name, what is around is not asked.
 */
static void objects_hide_what_is_around_them(void **state)
{
    (void)state;
    static const struct casehook__variable variables[] = {{.name = "in.a"}, {.name = "a.b"}};
    static const struct casehook__schema schema = {.variables = variables, .count = 2};
    struct casehook_error error = {0};
    struct tree tree;
    tree_parse(&tree, "{\"in\":{\"a\":\"1\"},\"a\":{\"b\":\"2\"}}");
    char *got = outcome("{{#in}}{{a}} {{a.b}}{{/in}} {{a.b}}", CASEHOOK__TEMPLATE_RAW, &schema, false,
                        &tree.root, &error);
    assert_string_equal(got, "1  2");
    free(got);
    tree_free(&tree);
}

/* A value that has no room ends the body, where it is the last too. */
static void a_body_has_room_or_is_none(void **state)
{
    (void)state;
    struct casehook__template *tmpl = NULL;
    struct casehook_error error = {0};
    struct casehook__buf out;
    struct tree tree;
    tree_parse(&tree, "{\"case\":{\"title\":\"0123456789\"}}");
    assert_int_equal(casehook__template_new(NULL, casehook__text("{{case.title}}"), CASEHOOK__TEMPLATE_JSON,
                                            &create_schema, true, &tmpl, &error),
                     CASEHOOK_OK);
    assert_int_equal(casehook__template_prove(tmpl, true, &error), CASEHOOK_OK);
    for (size_t limit = 1; limit <= 12; limit++) {
        casehook__error_init(&error);
        casehook__buf_init(&out, NULL, limit);
        int status = casehook__template_render(tmpl, &tree.root, &out, &error);
        assert_int_equal(status, limit < 12 ? CASEHOOK_E_LIMIT : CASEHOOK_OK);
        assert_int_equal(error.status, status);
        assert_string_equal(casehook__buf_string(&out), status ? "" : "\"0123456789\"");
        casehook__buf_free(&out);
    }
    casehook__template_free(tmpl);
    tree_free(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_with_one_tag_vanish),
        cmocka_unit_test(tags),
        cmocka_unit_test(names),
        cmocka_unit_test(lenient_names_render_nothing),
        cmocka_unit_test(urls),
        cmocka_unit_test(faults),
        cmocka_unit_test(strict_names),
        cmocka_unit_test(questions),
        cmocka_unit_test(places_of_variables_are_told),
        cmocka_unit_test(bounds),
        cmocka_unit_test(rendering_is_bounded),
        cmocka_unit_test(out_of_memory_is_an_ordinary_error),
        cmocka_unit_test(sections_hide_what_is_around_them),
        cmocka_unit_test(objects_hide_what_is_around_them),
        cmocka_unit_test(a_body_has_room_or_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
