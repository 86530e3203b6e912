/* test_json.c - documents, base64 and the sizes of public structs. */
#include "base/abi.h"
#include "base/base64.h"
#include "json/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void reads_every_kind(void **state)
{
    (void)state;
    struct casehook_error error = {0};
    struct casehook__json *root = NULL;
    const char *text =
        "\xEF\xBB\xBF {\"b\":true,\"i\":-5,\"r\":1.5,\"t\":\"a\\u0000b\",\"l\":[1,2],\"o\":{},\"n\":null}";
    assert_int_equal(casehook__json_parse(NULL, casehook__text(text), &root, &error), CASEHOOK_OK);
    static const struct {
        const char *name;
        enum casehook__json_kind kind;
    } members[] = {{"b", CASEHOOK__JSON_BOOLEAN}, {"i", CASEHOOK__JSON_INTEGER}, {"r", CASEHOOK__JSON_REAL},
                   {"t", CASEHOOK__JSON_TEXT},    {"l", CASEHOOK__JSON_ARRAY},   {"o", CASEHOOK__JSON_OBJECT},
                   {"n", CASEHOOK__JSON_NULL}};
    size_t position = 0;
    struct casehook__text name;
    struct casehook__json *value;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        assert_true(casehook__json_next(root, &position, &name, &value)); /* in the order of the text */
        assert_string_equal(name.data, members[i].name);
        assert_int_equal(casehook__json_kind(value), members[i].kind);
        assert_non_null(casehook__json_kind_name(value));
    }
    assert_false(casehook__json_next(root, &position, &name, &value));
    assert_int_equal(casehook__json_integer(casehook__json_member(root, "i")), -5);
    assert_true(casehook__json_boolean(casehook__json_member(root, "b")));
    assert_int_equal(casehook__json_text(casehook__json_member(root, "t")).length, 3);
    assert_int_equal(casehook__json_count(casehook__json_member(root, "l")), 2);
    assert_int_equal(casehook__json_integer(casehook__json_item(casehook__json_member(root, "l"), 1)), 2);
    assert_null(casehook__json_member(root, "x"));
    assert_null(casehook__json_item(casehook__json_member(root, "l"), 2));
    casehook__json_free(root);
    casehook__json_free(NULL);
}

static void refuses_bad_documents(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int offset; /* at least */
        const char *says;
    } cases[] = {
        {"", 0, "empty"},
        {"{\"password\":\"s3cret", 0, ""},
        {"{\"password\":s3cret}", 12, "not JSON"},
        {"{\"a\":1,}", 7, "not JSON"},
        {"{\"a\":1,\"a\":2}", 7, "\"a\" is given twice"},
        {"{\"a\":{\"b\":1,\"b\":2}}", 12, "\"b\" is given twice"},
        {"\xEF\xBB\xBF{\"\\\"\\\\\":1,\n\"\\\"\\\\\":2}", 14,
         "\"\\\"\\\\\" is given twice in one object (line 2)"},
        {"{\"a\":\"\xFF\"}", 5, "UTF-8"},
        {"{\"a\":\"\\ud800\"}", 5, ""},
        {"{\"a\":99999999999999999999}", 5, "too large"},
        {"{} x", 3, "follows"},
        {"{\"a\\u0000b\":1}", 1, "NUL"},
        {"[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", 16, "deeper"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct casehook_error error = {0};
        struct casehook__json *root = (struct casehook__json *)&error;
        assert_int_equal(casehook__json_parse(NULL, casehook__text(cases[i].text), &root, &error),
                         CASEHOOK_E_CONFIG);
        assert_null(root);
        assert_true(error.offset >= cases[i].offset);
        assert_non_null(strstr(error.message, cases[i].says));
        assert_null(strstr(error.message, "s3cret")); /* never quoted */
    }
}

static void depth_ignores_brackets_in_strings(void **state)
{
    (void)state;
    struct casehook_error error = {0};
    struct casehook__json *root = NULL;
    const char *text = "{\"a\":\"[[[[[[[[[[[[[[[[[[[[\\\"[[\",\"b\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}";
    assert_int_equal(casehook__json_parse(NULL, casehook__text(text), &root, &error), CASEHOOK_OK);
    casehook__json_free(root);
}

static void bounds_the_size(void **state)
{
    (void)state;
    size_t size = CASEHOOK__DOCUMENT_MAX_BYTES + 1;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, ' ', size);
    struct casehook_error error = {0};
    struct casehook__json *root = NULL;
    assert_int_equal(casehook__json_parse(NULL, (struct casehook__text){text, size}, &root, &error),
                     CASEHOOK_E_CONFIG);
    assert_non_null(strstr(error.message, "larger than"));
    free(text);
}

static void base64_both_ways(void **state)
{
    (void)state;
    static const struct {
        const char *plain, *encoded;
    } cases[] = {{"", ""}, {"a", "YQ=="}, {"ab", "YWI="}, {"abc", "YWJj"}, {"u:p\xC3\xA9", "dTpww6k="}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct casehook__buf buf;
        casehook__buf_init(&buf, NULL, 100);
        assert_int_equal(casehook__base64_encode(&buf, casehook__text(cases[i].plain)), CASEHOOK_OK);
        assert_string_equal(casehook__buf_string(&buf), cases[i].encoded);
        casehook__buf_clear(&buf);
        assert_int_equal(casehook__base64_decode(&buf, casehook__text(cases[i].encoded)), CASEHOOK_OK);
        assert_string_equal(casehook__buf_string(&buf), cases[i].plain);
        casehook__buf_free(&buf);
    }
}

static void base64_of_all_lengths(void **state)
{
    (void)state;
    char data[200];
    for (size_t i = 0; i < sizeof data; i++) data[i] = (char)(i * 7);
    for (size_t length = 0; length <= sizeof data; length++) {
        struct casehook__buf encoded, decoded;
        casehook__buf_init(&encoded, NULL, 1000);
        casehook__buf_init(&decoded, NULL, 1000);
        casehook__base64_encode(&encoded, (struct casehook__text){data, length});
        assert_int_equal(encoded.length, (length + 2) / 3 * 4);
        assert_int_equal(casehook__base64_decode(&decoded, casehook__buf_text(&encoded)), CASEHOOK_OK);
        assert_int_equal(decoded.length, length);
        if (length) assert_memory_equal(decoded.data, data, length);
        casehook__buf_free(&encoded);
        casehook__buf_free(&decoded);
    }
}

static void base64_as_people_paste_it(void **state)
{
    (void)state;
    static const struct {
        const char *text, *plain; /* NULL: refused */
    } cases[] = {{" YW\r\nJj\n", "abc"}, {"YQ", "a"},     {"YWI", "ab"},   {"YQ= =", "a"},  {"Y", NULL},
                 {"YQ=", NULL},          {"YQ===", NULL}, {"YWI==", NULL}, {"YWJj=", NULL}, {"=", NULL},
                 {"YQ==YQ==", NULL},     {"YW-_", NULL},  {"YWJj!", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct casehook__buf buf;
        casehook__buf_init(&buf, NULL, 100);
        int status = casehook__base64_decode(&buf, casehook__text(cases[i].text));
        assert_int_equal(status, cases[i].plain ? CASEHOOK_OK : CASEHOOK_E_CONFIG);
        if (cases[i].plain) assert_string_equal(casehook__buf_string(&buf), cases[i].plain);
        casehook__buf_free(&buf);
    }
    struct casehook__buf small;
    casehook__buf_init(&small, NULL, 2);
    assert_int_equal(casehook__base64_decode(&small, casehook__text("YWJj")), CASEHOOK_E_LIMIT);
    casehook__buf_free(&small);
}

/* Today's struct has three fields, the first version had two, a newer one has four. */
struct four {
    size_t struct_size, a, b, c;
};

static void struct_sizes(void **state)
{
    (void)state;
    size_t minimum = offsetof(struct four, b), known = offsetof(struct four, c);
    static const struct {
        size_t given, c;
        int status;
    } cases[] = {
        {0, 0, CASEHOOK_E_ARGUMENT},
        {offsetof(struct four, b) - 1, 0, CASEHOOK_E_ARGUMENT},
        {offsetof(struct four, b), 0, CASEHOOK_OK},
        {offsetof(struct four, c), 9, CASEHOOK_OK}, /* what lies behind the size is not looked at */
        {sizeof(struct four), 0, CASEHOOK_OK},
        {sizeof(struct four), 1, CASEHOOK_E_ARGUMENT},
        {CASEHOOK__STRUCT_MAX_BYTES + 1, 0, CASEHOOK_E_ARGUMENT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct four source = {cases[i].given, 5, 6, cases[i].c}, copy = {9, 9, 9, 9};
        struct casehook_error error = {0};
        assert_int_equal(casehook__struct_read(&copy, &source, minimum, known, "casehook_x", &error),
                         cases[i].status);
        assert_int_equal(copy.c, 9); /* nothing is written behind known */
        if (cases[i].status) continue;
        assert_int_equal(copy.a, 5);
        assert_int_equal(copy.b, cases[i].given > minimum ? 6 : 0);
    }
    struct four copy;
    assert_int_equal(casehook__struct_read(&copy, NULL, minimum, known, "casehook_x", NULL),
                     CASEHOOK_E_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_kind),
        cmocka_unit_test(refuses_bad_documents),
        cmocka_unit_test(depth_ignores_brackets_in_strings),
        cmocka_unit_test(bounds_the_size),
        cmocka_unit_test(base64_both_ways),
        cmocka_unit_test(base64_of_all_lengths),
        cmocka_unit_test(base64_as_people_paste_it),
        cmocka_unit_test(struct_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
