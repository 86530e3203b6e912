/* test_url_template.c - URLs with variables. */
#include "url/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define SCHEMA(list)               \
    {                              \
        list, COUNT(list), NULL, 0 \
    }

static const struct casehook__variable case_variables[] = {
    {"case.title", CASEHOOK__VARIABLE_TEXT, NULL, {0}},
    {"case.id", CASEHOOK__VARIABLE_TEXT, NULL, {0}},
    {"case.severity", CASEHOOK__VARIABLE_TEXT, NULL, {0}},
    {"case.status", CASEHOOK__VARIABLE_TEXT, NULL, {0}},
    {"case.tags", CASEHOOK__VARIABLE_LIST, NULL, {0}},
    {"case.fields.*", CASEHOOK__VARIABLE_FIELD, NULL, {0}},
};
static const struct casehook__variable id_variables[] = {
    {"external.system.id", CASEHOOK__VARIABLE_TEXT, NULL, {0}}};
static const struct casehook__variable view_variables[] = {
    {"external.system.id", CASEHOOK__VARIABLE_TEXT, NULL, {0}},
    {"external.system.title", CASEHOOK__VARIABLE_TEXT, NULL, {0}},
};
static const struct casehook__schema create_schema = SCHEMA(case_variables),
                                     get_schema = SCHEMA(id_variables), view_schema = SCHEMA(view_variables);

/* The values of one rendering, as a tree. */
struct world {
    struct casehook__text case_names[6], system_names[2], external_name, root_names[2], field_name;
    struct casehook__value case_values[6], system_values[2], system, root_values[2], root, tags[2], field;
};

static struct casehook__value text_value(const char *text)
{
    return (struct casehook__value){.kind = text ? CASEHOOK__VALUE_TEXT : CASEHOOK__VALUE_ABSENT,
                                    .text = casehook__text(text)};
}

static struct casehook__value object(const struct casehook__text *names, const struct casehook__value *items,
                                     size_t count)
{
    return (struct casehook__value){
        .kind = CASEHOOK__VALUE_OBJECT, .names = names, .items = items, .count = count};
}

static void make_world(struct world *w, const char *id, const char *title)
{
    static const char *const names[] = {"title", "id", "severity", "status", "tags", "fields"};
    for (size_t i = 0; i < COUNT(names); i++) w->case_names[i] = casehook__text(names[i]);
    w->tags[0] = text_value("a b");
    w->tags[1] = text_value("c,d");
    w->field_name = casehook__text("n");
    w->field = (struct casehook__value){.kind = CASEHOOK__VALUE_NUMBER, .text = CASEHOOK__TEXT("1e+400")};
    w->case_values[0] = text_value(title);
    w->case_values[1] = text_value(id);
    w->case_values[2] = text_value("..");
    w->case_values[3] = text_value(NULL);
    w->case_values[4] = (struct casehook__value){.kind = CASEHOOK__VALUE_LIST, .items = w->tags, .count = 2};
    w->case_values[5] = object(&w->field_name, &w->field, 1);
    w->system_names[0] = casehook__text("id");
    w->system_names[1] = casehook__text("title");
    w->system_values[0] = text_value(id);
    w->system_values[1] = text_value(title);
    w->system = object(w->system_names, w->system_values, 2);
    w->external_name = casehook__text("system");
    w->root_names[0] = casehook__text("case");
    w->root_names[1] = casehook__text("external");
    w->root_values[0] = object(w->case_names, w->case_values, COUNT(names));
    w->root_values[1] = object(&w->external_name, &w->system, 1);
    w->root = object(w->root_names, w->root_values, 2);
}

enum field { CREATE, GET, VIEW };

struct row {
    enum field field;
    const char *url, *id, *title;
    const char *expected; /* NULL: refused with status PARAMS */
};

static struct casehook__url_template *compile(enum field field, const char *text, bool strict)
{
    static const struct casehook__schema *const schemas[] = {&create_schema, &get_schema, &view_schema};
    struct casehook__url_template *url = NULL;
    struct casehook_error error;
    casehook__error_init(&error);
    if (casehook__url_template_new(NULL, casehook__text(text), schemas[field], strict, field == VIEW, &url,
                                   &error))
        fail_msg("%s: %s", text, error.message);
    return url;
}

static const struct row rows[] = {
    /* encoding (T5) */
    {GET, "http://h:8/issue/{{{external.system.id}}}", "10042", NULL, "http://h:8/issue/10042"},
    {GET, "http://h/{{external.system.id}}/x", "A 1", NULL, "http://h/A%201/x"},
    {GET, "http://h/{{external.system.id}}", "a/b", NULL, "http://h/a%2Fb"},
    {GET, "http://h/{{external.system.id}}", "\xC3\xA9\xE6\x97\xA5\xF0\x9F\x94\xA5", NULL,
     "http://h/%C3%A9%E6%97%A5%F0%9F%94%A5"},
    {GET, "http://h/{{external.system.id}}", "100%25", NULL, "http://h/100%2525"},
    {GET, "http://h/{{external.system.id}}", "a+b?c#d&e=f@g:h;i,j$k", NULL,
     "http://h/a%2Bb%3Fc%23d%26e%3Df%40g%3Ah%3Bi%2Cj%24k"},
    {GET, "http://h/{{external.system.id}}", "a-b_c.d!e~f*g'h(i)j", NULL, "http://h/a-b_c.d!e~f*g'h(i)j"},
    {GET, "http://h/{{external.system.id}}", "\"<>{}|\\^`[]", NULL,
     "http://h/%22%3C%3E%7B%7D%7C%5C%5E%60%5B%5D"},
    {GET, "http://h/{{external.system.id}}", "a\r\nb\tc", NULL, "http://h/a%0D%0Ab%09c"},
    {GET, "http://h/i/{{{external.system.id}}}?again={{external.system.id}}", "k 1", NULL,
     "http://h/i/k%201?again=k%201"},
    {GET, "http://h/search?id={{{external.system.id}}}&f=1", "a&b=c", NULL,
     "http://h/search?id=a%26b%3Dc&f=1"},
    {GET, "http://h/{{{external.system.ID}}}", "77", NULL, "http://h/77"},
    {CREATE, "http://h/l/{{case.tags}}?h={{case.fields.n}}", "1", "t", "http://h/l/a%20b%2Cc%2Cd?h=1e%2B400"},
    {CREATE, "http://h/c/{{case.id}}?s={{{case.severity}}}&o={{case.status}}", "a b/\xC3\xBC?#", "t",
     "http://h/c/a%20b%2F%C3%BC%3F%23?s=..&o="},
    /* segments that would change the path (U3) */
    {GET, "http://h/i/{{external.system.id}}", ".", NULL, NULL},
    {GET, "http://h/i/{{external.system.id}}", "..", NULL, NULL},
    {GET, "http://h/i/{{external.system.id}}", "", NULL, NULL},
    {GET, "http://h/i/{{external.system.id}}", "...", NULL, "http://h/i/..."},
    {GET, "http://h/i/{{external.system.id}}", "../x", NULL, "http://h/i/..%2Fx"},
    {GET, "http://h/i/{{external.system.id}}/", "..", NULL, NULL},
    {GET, "http://h/i/{{external.system.id}}/c", "..", NULL, NULL},
    {GET, "http://h/i/{{external.system.id}}?x", "..", NULL, NULL},
    {GET, "http://h/i/{{external.system.id}}#x", "..", NULL, NULL},
    {GET, "http://h/{{external.system.id}}", "", NULL, NULL},
    {GET, "http://h/i?id={{external.system.id}}", "..", NULL, "http://h/i?id=.."},
    {GET, "http://h/i?id=/{{external.system.id}}/", "", NULL, "http://h/i?id=//"},
    {GET, "http://h/i#/{{external.system.id}}/", "", NULL, "http://h/i"},
    {GET, "http://h/x{{external.system.id}}/c", "", NULL, "http://h/x/c"},
    {GET, "http://h/.{{external.system.id}}/c", ".", NULL, NULL},
    {GET, "http://h/.{{external.system.id}}/c", "", NULL, NULL},
    {GET, "http://h/.{{external.system.id}}/c", "x", NULL, "http://h/.x/c"},
    {GET, "http://h/{{external.system.id}}./c", ".", NULL, NULL},
    {GET, "http://h/%2e{{external.system.id}}/c", ".", NULL, NULL},
    {GET, "http://h/{{external.system.id}}%2E/c", ".", NULL, NULL},
    {GET, "http://h/c/{{external.system.id}}", "%2e", NULL, "http://h/c/%252e"},
    {GET, "http://h/{{external.system.id}}{{external.system.id}}/c", ".", NULL, NULL},
    {GET, "http://h/{{external.system.id}}/../c", "x", NULL, "http://h/c"},
    {GET, "http://h/a/{{external.system.id}}/b/{{external.system.id}}/c", "x", NULL, "http://h/a/x/b/x/c"},
    {CREATE, "http://h/p/{{case.status}}/issues", "1", "t", NULL},
    {CREATE, "http://h/c/{{case.status}}", "1", "t", NULL},
    {CREATE, "http://h/c/{{case.fields.none}}/x", "1", "t", NULL},
    {CREATE, "http://h/{{case.id}}/{{case.severity}}", "1", "t", NULL},
    {CREATE, "http://h/{{case.severity}}/{{case.id}}", "1", "t", NULL},
    /* sections, within a segment and across segments */
    {GET, "http://h/a/{{#external}}{{#system}}{{{id}}}{{/system}}{{/external}}{{^nope}}/b{{/nope}}", "77",
     NULL, "http://h/a/77/b"},
    {GET, "http://h/{{#external}}{{/external}}{{{external.system.id}}}", "1", NULL, "http://h/1"},
    {GET, "http://h/a/{{=(( ))=}}((&external.system.id))", "7 7", NULL, "http://h/a/7%207"},
    {CREATE, "http://h/c{{#case.id}}/{{case.id}}{{/case.id}}", "5", "t", "http://h/c/5"},
    {CREATE, "http://h/c{{#case.id}}/{{case.id}}{{/case.id}}", "", "t", "http://h/c"},
    {CREATE, "http://h/c{{#case.id}}/{{case.id}}{{/case.id}}", ".", "t", NULL},
    {CREATE, "http://h/c{{#case.id}}?id={{case.id}}{{/case.id}}", ".", "t", "http://h/c?id=."},
    {CREATE, "http://h/c{{#case.id}}?id={{case.id}}{{/case.id}}", "", "t", "http://h/c"},
    {CREATE, "http://h/c/{{#case.status}}x{{/case.status}}/d", "1", "t", NULL},
    {CREATE, "http://h/c/{{^case.status}}x{{/case.status}}/d", "1", "t", "http://h/c/x/d"},
    {CREATE, "http://h/c{{#case.tags}}/{{.}}{{/case.tags}}/d", "1", "t", "http://h/c/a%20b/c%2Cd/d"},
    {CREATE, "http://h/c/{{! a comment }}/d", "1", "t", "http://h/c/d"},
    /* unknown names render as nothing and do not count */
    {GET, "http://h/rest/{{{external.key}}}/issue", "77", NULL, "http://h/rest/issue"},
    {GET, "http://h/rest/x{{{external.system.title}}}y/{{{external.system.id}}}", "77", NULL,
     "http://h/rest/xy/77"},
    /* normalising (U2) */
    {GET, "HTTP://H:80//a///b////{{external.system.id}}//?x=//y#z", "77", NULL, "http://h/a/b/77/?x=//y"},
    {GET, "http://h?id={{external.system.id}}", "77", NULL, "http://h/?id=77"},
    {GET, "http://h/a b/f\xC3\xA4lle/{{external.system.id}}?q=c d", "77", NULL,
     "http://h/a%20b/f%C3%A4lle/77?q=c%20d"},
    {GET, "  \thttp://127.1:8/a/{{external.system.id}}\n ", "77", NULL, "http://127.0.0.1:8/a/77"},
    {CREATE, "https://h", "1", "t", "https://h/"},
    {CREATE, "https://h/", "1", "t", "https://h/"},
    {CREATE, "https://h/issue//", "1", "t", "https://h/issue"},
    {CREATE, "https://[0::1]:443/c?a=1#frag//x", "1", "t", "https://[::1]/c?a=1"},
    /* the view URL is text */
    {VIEW, "http://h/browse/{{external.system.title}}", "1", "My case/\xC3\xA9 1",
     "http://h/browse/My%20case%2F%C3%A9%201"},
    {VIEW, "http://h/b/{{{external.system.id}}}?t={{{external.system.title}}}", "a b", "c&d",
     "http://h/b/a%20b?t=c%26d"},
    {VIEW, "http://h/app#/case//{{{external.system.id}}}/", "1", "k", "http://h/app#/case//1/"},
    {VIEW, "http://h/A b/../\xC3\xA9//{{{external.system.id}}}", "1", "k", "http://h/A b/../\xC3\xA9/1"},
    {VIEW, "http://h/browse/{{external.system.title}}", "1", "..", "http://h/browse/.."},
    {VIEW, "http://h/browse/{{external.system.title}}", "1", "", "http://h/browse"},
    {VIEW, "http://h/board/", "1", "k", "http://h/board"},
    {VIEW, " HTTPS://Wiki.Example:443 ", "1", "k", "HTTPS://Wiki.Example:443"},
    {VIEW, "http://h//v//{{{external.system.id}}}/?a=//b/#//c/", "1", "k", "http://h/v/1/?a=//b/#//c/"},
    {VIEW, "http://h/v/{{external.system.title}}", "1", "a+[b] 'c'", "http://h/v/a%2B%5Bb%5D%20'c'"},
};

static void renders(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct casehook__url_template *url = compile(row->field, row->url, false);
        struct world world;
        struct casehook__buf out;
        struct casehook_error error;
        casehook__error_init(&error);
        make_world(&world, row->id, row->title);
        casehook__buf_init(&out, NULL, 2000);
        casehook__buf_append_string(&out, "before ");
        int status = casehook__url_template_render(url, &world.root, row->field != VIEW, &out, NULL, &error);
        if (row->expected) {
            if (status) fail_msg("%s: %s", row->url, error.message);
            if (strcmp(casehook__buf_string(&out) + 7, row->expected) != 0)
                fail_msg("%s: %s", row->url, casehook__buf_string(&out));
        } else {
            if (status != CASEHOOK_E_PARAMS) fail_msg("%s: %s", row->url, casehook__buf_string(&out));
            assert_string_equal(casehook__buf_string(&out), "before "); /* nothing half done stays */
        }
        casehook__buf_free(&out);
        casehook__url_template_free(url);
    }
}

static void refuses_bad_templates(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        bool strict;
        int offset; /* -1: none */
        const char *word;
    } cases[] = {
        {"{{{external.system.id}}}://127.0.0.1/x", false, 0, "variable"},
        {"{{{external.system.id}}}/x", false, 0, "variable"},
        {"http://127.0.0.1:80{{{external.system.id}}}", false, 19, "variable"},
        {"http://127.0.0{{#external}}.1{{/external}}:80/", false, 14, "variable"},
        {"http://{{{external.system.id}}}:80/x", false, 7, "variable"},
        {"http://127.0.0.1:{{{external.system.id}}}/x", false, 17, "variable"},
        {"http://{{{external.system.id}}}@127.0.0.1/x", false, 7, "user info"},
        {"http://h{{! c }}/x", false, 8, "variable"},
        {"{{=<% %>=}}http://h/", false, 0, "variable"},
        {"http://url:pw@127.0.0.1/a", false, 7, "user info"},
        {"http://h\\a\\{{{external.system.id}}}", false, 8, "\\"},
        {"http://h/x?p=a\\b&id={{{external.system.id}}}", false, 14, "\\"},
        {"http://h/{{external.system.id}}\n/x", false, 31, "control"},
        {"  http://h/a/{{{external.system.id}", false, 13, "byte 13"},
        {"http://h/{{#external}}", false, 9, "byte 9"},
        {"http://h/{{external.system.idd}}", true, 9, "external.system.id"},
        {"  http://h/{{external.system.idd}}", true, 11, "byte 11: did you mean {{external.system.id}}"},
        {"", false, -1, "empty"},
        {"ftp://h/{{external.system.id}}", false, 0, "ftp"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct casehook__url_template *url = NULL;
        struct casehook_error error;
        casehook__error_init(&error);
        int status = casehook__url_template_new(NULL, casehook__text(cases[i].url), &get_schema,
                                                cases[i].strict, false, &url, &error);
        if (status != CASEHOOK_E_CONFIG || url) fail_msg("%s was accepted", cases[i].url);
        if (!strstr(error.message, cases[i].word)) fail_msg("%s: %s", cases[i].url, error.message);
        if (error.offset != cases[i].offset) fail_msg("%s: at %d", cases[i].url, (int)error.offset);
    }
}

static void answers_questions(void **state)
{
    (void)state;
    struct casehook__url_template *url = compile(GET, "https://H:8443/{{external.system.ID}}", true);
    struct casehook__origin origin;
    casehook__url_template_origin(url, &origin);
    assert_string_equal(origin.host, "h");
    assert_int_equal(origin.port, 8443);
    assert_true(casehook__url_template_uses(url, "external.system.id"));
    assert_false(casehook__url_template_uses(url, "external.system.title"));
    casehook__url_template_free(url);
    casehook__url_template_free(NULL);
}

static void keeps_limits(void **state)
{
    (void)state;
    struct casehook__url_template *url = compile(GET, "http://h/a b/{{external.system.id}}", true),
                                  *none = NULL;
    struct world world;
    struct casehook__buf out;
    make_world(&world, "0123456789", NULL);
    for (size_t limit = 0; limit < 25; limit++) { /* http://h/a%20b/0123456789 */
        casehook__buf_init(&out, NULL, limit);
        assert_int_equal(casehook__url_template_render(url, &world.root, true, &out, NULL, NULL),
                         CASEHOOK_E_LIMIT);
        casehook__buf_free(&out);
    }
    casehook__buf_init(&out, NULL, 25);
    assert_int_equal(casehook__url_template_render(url, &world.root, true, &out, NULL, NULL), CASEHOOK_OK);
    casehook__buf_free(&out);

    size_t size = CASEHOOK__URL_MAX_BYTES + 1;
    char *text = malloc(size + 1);
    assert_non_null(text);
    memset(text, 'x', size);
    text[size] = '\0';
    make_world(&world, text, NULL);
    casehook__buf_init(&out, NULL, 4 * size);
    assert_int_equal(casehook__url_template_render(url, &world.root, true, &out, NULL, NULL),
                     CASEHOOK_E_LIMIT);
    casehook__buf_free(&out);
    /* To the byte, whatever stood in the buffer before. */
    for (size_t more = 0; more < 2; more++) {
        struct casehook__text id = {text, CASEHOOK__URL_MAX_BYTES - strlen("http://h/a%20b/") + more};
        make_world(&world, text, NULL);
        world.system_values[0].text = id;
        casehook__buf_init(&out, NULL, 4 * size);
        casehook__buf_append_string(&out, "before ");
        assert_int_equal(casehook__url_template_render(url, &world.root, true, &out, NULL, NULL),
                         more ? CASEHOOK_E_LIMIT : CASEHOOK_OK);
        assert_int_equal(out.length, 7 + (more ? 0 : CASEHOOK__URL_MAX_BYTES));
        casehook__buf_free(&out);
    }
    memcpy(text, "http://h/", 9);
    assert_int_equal(casehook__url_template_new(NULL, (struct casehook__text){text, size}, &get_schema, false,
                                                false, &none, NULL),
                     CASEHOOK_E_CONFIG);
    free(text);
    casehook__url_template_free(url);
}

/* The allocation that fails next. */
struct failing {
    int left;
};

static void *failing_reallocate(void *user, void *pointer, size_t size)
{
    struct failing *failing = user;
    if (size == 0) {
        free(pointer);
        return NULL;
    }
    return failing->left-- > 0 ? realloc(pointer, size) : NULL;
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    struct failing failing = {1000};
    const struct casehook_allocator allocator = {sizeof allocator, &failing, failing_reallocate, NULL};
    struct casehook__heap *heap = NULL;
    assert_int_equal(casehook__heap_new(&allocator, &heap), CASEHOOK_OK);
    int status = CASEHOOK_E_NO_MEMORY, n = 0;
    for (; status == CASEHOOK_E_NO_MEMORY; n++) {
        struct casehook__url_template *url = NULL;
        struct casehook__buf out;
        struct world world;
        casehook__buf_init(&out, heap, 1000);
        make_world(&world, "1", "t");
        failing.left = n;
        status = casehook__url_template_new(
            heap, casehook__text("http://h/a b/{{#external}}{{external.system.id}}{{/external}}"),
            &get_schema, true, false, &url, NULL);
        if (status == CASEHOOK_OK)
            status = casehook__url_template_render(url, &world.root, true, &out, NULL, NULL);
        if (status != CASEHOOK_OK) assert_int_equal(status, CASEHOOK_E_NO_MEMORY);
        casehook__buf_free(&out);
        casehook__url_template_free(url);
        assert_true(n < 100);
    }
    assert_true(n > 5);
    casehook__heap_unref(heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(renders),
        cmocka_unit_test(refuses_bad_templates),
        cmocka_unit_test(answers_questions),
        cmocka_unit_test(keeps_limits),
        cmocka_unit_test(survives_lack_of_memory),
    };
    return cmocka_run_group_tests_name("url_template", tests, NULL, NULL);
}
