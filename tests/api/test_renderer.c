/* test_renderer.c - templates over JSON of the host. */
#include "casehook.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void gives(const char *text, const char *json, const char *wanted)
{
    struct casehook_renderer *renderer = NULL;
    const char *rendered = NULL;
    size_t length = 0;
    assert_int_equal(casehook_renderer_new(NULL, text, CASEHOOK_TERMINATED, &renderer, NULL), CASEHOOK_OK);
    for (int twice = 0; twice < 2; twice++) {
        assert_int_equal(casehook_render(renderer, json, CASEHOOK_TERMINATED, &rendered, &length, NULL),
                         CASEHOOK_OK);
        assert_string_equal(rendered, wanted);
        assert_int_equal(length, strlen(wanted));
    }
    casehook_renderer_free(renderer);
}

static void values_become_text(void **state)
{
    (void)state;
    gives("{{a.b}}|{{{a.n}}}|{{&t}}|{{x}}|{{o}}|{{a}}|{{a.b.c}}",
          "{\"a\":{\"b\":\"<&\\\"\",\"n\":1.50e+3},\"t\":true,\"x\":null,\"o\":[1,\"b\",{}]}",
          "<&\"|1.50e+3|true||1,b,||");
    gives("{{#l}}{{n}}{{^@last}}, {{/@last}}{{/l}}{{^l}}none{{/l}}", "{\"l\":[{\"n\":1},{\"n\":2}]}", "1, 2");
    gives("{{#l}}{{n}}{{/l}}{{^l}}none{{/l}}", "{\"l\":[]}", "none");
    gives("{{#l}}{{n}}{{up}}{{/l}}", " {\"l\":{\"n\":{}},\"up\":\"\\u00e9\\n\"} ", "\xc3\xa9\n");
    gives("{{\xc3\xa9}} {{a-b}} {{ a_b }}", "{\"\\u00e9\":1,\"a-b\":2,\"a_b\":3}", "1 2 3");
    gives("{{a}}", "{\"a\":1,\"a\":2}", "1");
    gives("{{a}}{{b}}", "{\"a\":\"\\ud800\",\"b\":\"\xff\xc3\xa4\"}", "\xef\xbf\xbd\xef\xbf\xbd\xc3\xa4");
    gives("", "{}", "");
}

static void lengths_count(void **state)
{
    (void)state;
    struct casehook_renderer *renderer = NULL;
    const char *rendered = NULL;
    size_t length = 0;
    assert_int_equal(casehook_renderer_new(NULL, "{{a}}!{{#b", 6, &renderer, NULL), CASEHOOK_OK);
    assert_int_equal(casehook_render(renderer, "{\"a\":\"x\\u0000y\"}}}}", 16, &rendered, &length, NULL),
                     CASEHOOK_OK);
    assert_int_equal(length, 4);
    assert_memory_equal(rendered, "x\0y!", 5);
    casehook_renderer_free(renderer);
}

static void refuses(const char *text, const char *json, int wanted, int64_t offset)
{
    struct casehook_renderer *renderer = NULL;
    struct casehook_error *error = NULL;
    const char *rendered = "old";
    int status = casehook_renderer_new(NULL, text, CASEHOOK_TERMINATED, &renderer, &error);
    assert_int_equal(status != CASEHOOK_OK, renderer == NULL);
    if (!status) status = casehook_render(renderer, json, CASEHOOK_TERMINATED, &rendered, NULL, &error);
    assert_int_equal(status, wanted);
    assert_int_equal(casehook_error_status(error), wanted);
    assert_true(strlen(casehook_error_message(error)) > 10);
    assert_int_equal(casehook_error_offset(error), offset);
    if (renderer) assert_null(rendered);
    casehook_error_free(error);
    /* The handle is good for another one. */
    if (renderer) assert_int_equal(casehook_render(renderer, "{}", 2, &rendered, NULL, NULL), CASEHOOK_OK);
    casehook_renderer_free(renderer);
}

static void faults_are_told(void **state)
{
    (void)state;
    refuses("ab{{#c}}", NULL, CASEHOOK_E_CONFIG, 2);
    refuses("ab{{c", NULL, CASEHOOK_E_CONFIG, 2);
    refuses("{{> partial}}", NULL, CASEHOOK_E_CONFIG, 0);
    refuses("x", "{\"a\":}", CASEHOOK_E_PARAMS, 5);
    refuses("x", "", CASEHOOK_E_PARAMS, 0);
    refuses("x", "[1]", CASEHOOK_E_PARAMS, 0);
    refuses("x", NULL, CASEHOOK_E_ARGUMENT, -1);
    refuses(NULL, NULL, CASEHOOK_E_ARGUMENT, -1);
    struct casehook_renderer *renderer = NULL;
    assert_int_equal(casehook_renderer_new(NULL, "x", 1, NULL, NULL), CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook_renderer_new(NULL, "x", 1, &renderer, NULL), CASEHOOK_OK);
    assert_int_equal(casehook_render(renderer, "{}", 2, NULL, NULL, NULL), CASEHOOK_E_ARGUMENT);
    casehook_renderer_free(renderer);
    casehook_renderer_free(NULL);
}

static char *repeated(const char *begin, const char *item, size_t count, const char *end)
{
    size_t size = strlen(item);
    char *text = malloc(strlen(begin) + size * count + strlen(end) + 1), *p = text;
    assert_non_null(text);
    p += sprintf(p, "%s", begin);
    for (size_t i = 0; i < count; i++, p += size) memcpy(p, item, size);
    strcpy(p, end);
    return text;
}

static void limits_hold(void **state)
{
    (void)state;
    char *wide = repeated("{\"a\":[", "0,", 1000000, "0]}");
    refuses("{{a}}", wide, CASEHOOK_E_LIMIT, -1);
    free(wide);
    char *deep = repeated("{\"a\":", "[", 64, "");
    char *closed = repeated(deep, "]", 64, "}");
    refuses("{{a}}", closed, CASEHOOK_E_LIMIT, -1);
    free(closed);
    free(deep);
    char *large = repeated("{\"a\":\"", "xxxxxxxx", 1024 * 1024, "\"}");
    refuses("x", large, CASEHOOK_E_LIMIT, -1);
    free(large);
    char *some = repeated("{\"a\":[", "0,", 1100, "0]}");
    refuses("{{#a}}{{#a}}{{#a}}.{{/a}}{{/a}}{{/a}}", some, CASEHOOK_E_LIMIT, 19);
    free(some);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_become_text),
        cmocka_unit_test(lengths_count),
        cmocka_unit_test(faults_are_told),
        cmocka_unit_test(limits_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
