/* test_keypath.c - how a key is taken apart. */
#include "json/keypath.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* The names, each followed by '|'; an index as #n behind the name. */
static void check(const char *key, const char *wanted)
{
    char got[512] = "";
    struct casehook__keypath *path = NULL;
    assert_int_equal(casehook__keypath_new(NULL, casehook__text(key), &path, NULL), CASEHOOK_OK);
    for (size_t i = 0; i < path->count; i++) {
        char index[32] = "";
        if (path->parts[i].index != SIZE_MAX) snprintf(index, sizeof index, "#%zu", path->parts[i].index);
        size_t length = strlen(got);
        snprintf(got + length, sizeof got - length, "%.*s%s|", (int)path->parts[i].name.length,
                 path->parts[i].name.data, index);
    }
    assert_string_equal(got, wanted);
    assert_true(casehook__text_is(path->whole, key));
    casehook__keypath_free(path);
}

static void names_and_dots(void **state)
{
    (void)state;
    check("key", "key|");
    check("", "|");
    check(" key ", " key |");
    check("fields.summary.text", "fields|summary|text|");
    check(".key", "|key|");
    check("..a", "||a|");
    check("a..b", "a||b|");
    check("a.", "a||");
    check(".", "||");
    check("na\u00efve.\u65e5\u672c", "na\u00efve|\u65e5\u672c|");
    check("$.key", "$|key|");
    check("{{{external.system.id}}}", "{{{external|system|id}}}|");
    check("a-b:c/d e", "a-b:c/d e|");
}

static void brackets(void **state)
{
    (void)state;
    check("items[1].name", "items|1#1|name|");
    check("[0].key", "0#0|key|");
    check("a[b].c", "a|b|c|");
    check("[\"a.b\"].c", "a.b|c|");
    check("['a.b']['c']", "a.b|c|");
    check("x[\"a\\\"b\"]", "x|a\"b|");
    check("x['\\\\']", "x|\\|");
    check("x['\\n']", "x|n|");
    check("x[\"a]b[\"]", "x|a]b[|");
    check("a[\"\"].b", "a||b|");
    check("a[]", "a||");
    check("a[][]", "a|||");
    check("a[].b", "a||b|");
    check("a[0][1]", "a|0#0|1#1|");
    check("a[0]b", "a|0#0|b|");
    check("a[ 0 ]", "a| 0 |");
}

static void brackets_that_open_nothing(void **state)
{
    (void)state;
    check("a[0", "a[0|"); /* no path at all: one name */
    check("a]", "a]|");
    check("]a[", "]a[|");
    check("x.a[0", "x|a|0#0|"); /* a path in which the bracket only separates */
    check("[][[", "");          /* not even an empty name */
    check("x.[\"a", "x|\"a|");
    check("x.[\"a\"b]", "x|\"a\"b|");
    check("x['a.b]", "x|'a|b|");
    check("x.['a\\']", "x|'a\\'|");
    check("x.a[\\", "x|a|\\|");
    check("x.a[\"\\", "x|a|\"\\|");
}

static void indices(void **state)
{
    (void)state;
    check("items.0.name", "items|0#0|name|");
    check("12", "12#12|");
    check("a[-1]", "a|-1|");
    check("a[01]", "a|01|");
    check("a[1.5]", "a|1.5|");
    check("a[1.]", "a|1#1|");
    check("a[00]", "a|00|");
    check("a[+1]", "a|+1|");
    check("a[99999999999999999999999]", "a|99999999999999999999999|");
}

/* Only such a key is compared with what bytes that are not UTF-8 become. */
static void replacement_characters_are_known(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        bool exotic;
    } rows[] = {{"a", false},           {"abcd.e", false},         {"\xEF\xBF\xBC", false},
                {"\xEF\xBF\xBD", true}, {"a.b\xEF\xBF\xBD", true}, {"\xEF\xBF\xBDx", true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct casehook__keypath *path = NULL;
        assert_int_equal(casehook__keypath_new(NULL, casehook__text(rows[i].key), &path, NULL), CASEHOOK_OK);
        assert_int_equal(path->exotic, rows[i].exotic);
        casehook__keypath_free(path);
    }
}

static void is_refused(const char *unit, int times, int64_t offset)
{
    char key[4000] = "";
    struct casehook__keypath *path;
    struct casehook_error error;
    casehook__error_init(&error);
    for (int i = 0; i < times; i++) strcat(key, unit);
    assert_int_equal(casehook__keypath_new(NULL, casehook__text(key), &path, &error), CASEHOOK_E_CONFIG);
    assert_null(path);
    assert_true(error.message[0] != '\0');
    assert_true(error.offset == offset);
}

static void bounds(void **state)
{
    (void)state;
    struct casehook__keypath *path;
    char key[CASEHOOK__KEYPATH_MAX_BYTES + 1];
    memset(key, 'a', sizeof key);
    assert_int_equal(casehook__keypath_new(NULL, (struct casehook__text){key, sizeof key - 1}, &path, NULL),
                     CASEHOOK_OK);
    casehook__keypath_free(path);
    is_refused("a", CASEHOOK__KEYPATH_MAX_BYTES + 1, CASEHOOK__KEYPATH_MAX_BYTES);
    is_refused("a.", CASEHOOK__KEYPATH_MAX_PARTS, 2 * CASEHOOK__KEYPATH_MAX_PARTS - 1);
    is_refused("[0]", CASEHOOK__KEYPATH_MAX_PARTS + 1, 3 * CASEHOOK__KEYPATH_MAX_PARTS + 1);
    casehook__keypath_free(NULL);
}

/* An allocator that fails from the given call on. */
struct counter {
    int left, blocks;
};

static void *counted(void *user, void *pointer, size_t size)
{
    struct counter *counter = user;
    if (size == 0) {
        if (pointer) counter->blocks--;
        free(pointer);
        return NULL;
    }
    if (counter->left-- <= 0) return NULL;
    if (!pointer) counter->blocks++;
    return realloc(pointer, size);
}

static void one_allocation_which_may_fail(void **state)
{
    (void)state;
    struct counter counter = {.left = 2};
    struct casehook_allocator allocator = {
        .struct_size = sizeof allocator, .user = &counter, .reallocate = counted};
    struct casehook__heap *heap;
    struct casehook__keypath *path;
    assert_int_equal(casehook__heap_new(&allocator, &heap), CASEHOOK_OK);
    assert_int_equal(casehook__keypath_new(heap, casehook__text("a['b\\'c'].d"), &path, NULL), CASEHOOK_OK);
    assert_int_equal(counter.left, 0);
    casehook__keypath_free(path);
    assert_int_equal(casehook__keypath_new(heap, casehook__text("a.b"), &path, NULL), CASEHOOK_E_NO_MEMORY);
    assert_null(path);
    casehook__heap_unref(heap);
    assert_int_equal(counter.blocks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_dots),
        cmocka_unit_test(brackets),
        cmocka_unit_test(brackets_that_open_nothing),
        cmocka_unit_test(indices),
        cmocka_unit_test(bounds),
        cmocka_unit_test(one_allocation_which_may_fail),
        cmocka_unit_test(replacement_characters_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
