/* test_jsscan.c - what is JSON, where it is not, and what a key finds in it. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "json/jsscan.h"
#include "page_end.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct page_end last_page;

/* Scans at the end of memory. */
static enum casehook__js_fault scan(struct casehook__text text, size_t *offset)
{
    return casehook__jsscan(page_end_put(&last_page, text), NULL, 0, NULL, offset);
}

static void check_valid(const char *text)
{
    size_t offset = 0;
    enum casehook__js_fault fault = scan(casehook__text(text), &offset);
    if (fault) fail_msg("%s: %s at %zu", text, casehook__js_fault_name(fault), offset);
}

static void check_fault(const char *text, enum casehook__js_fault wanted, size_t place)
{
    size_t offset = SIZE_MAX;
    enum casehook__js_fault fault = scan(casehook__text(text), &offset);
    if (fault != wanted || offset != place)
        fail_msg("%s: %s at %zu", text, casehook__js_fault_name(fault), offset);
}

static void any_value_may_be_at_the_top(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "null",
        "true",
        "false",
        "0",
        "-0",
        "12",
        "-1.5e+10",
        "0.0",
        "1E5",
        "1e-5",
        "\"\"",
        "\"a\"",
        "{}",
        "[]",
        " \t\r\n{ \"a\" : [ 1 , 2 ] , \"b\" : { } } \n",
        "\xEF\xBB\xBF{}",
        "\xEF\xBB\xBF 1",
        "[[],[[]],{}]",
        "\"\\u00e9\\ud83d\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\xFF\xC3\x28\x7f\"",
        "{\"\":0,\"\":1}",
        "[\"0123456789abcde\",\"0123456789abcdef\",\"0123456789abcdef0\\n123456789abcdef\"]",
    };
    for (size_t i = 0; i < COUNT(texts); i++) check_valid(texts[i]);
}

static void faults_and_their_places(void **state)
{
    (void)state;
    check_fault("", CASEHOOK__JS_EMPTY, 0);
    check_fault(" \n", CASEHOOK__JS_EMPTY, 2);
    check_fault("\xEF\xBB\xBF", CASEHOOK__JS_EMPTY, 3);
    check_fault("{} {}", CASEHOOK__JS_TRAILING, 3);
    check_fault("nulll", CASEHOOK__JS_TRAILING, 4);
    check_fault("01", CASEHOOK__JS_TRAILING, 1);
    check_fault("[1,2]]", CASEHOOK__JS_TRAILING, 5);
    check_fault("{\"a\":1}}", CASEHOOK__JS_TRAILING, 7);
    check_fault("1.5.5", CASEHOOK__JS_TRAILING, 3);
    check_fault("\xEF\xBB\xBF\xEF\xBB\xBF{}", CASEHOOK__JS_SYNTAX, 3);
    static const struct {
        const char *text;
        size_t place;
    } wrong[] = {
        {"<html>", 0},
        {"nul1", 3},
        {"True", 0},
        {"'a'", 0},
        {"{a:1}", 1},
        {"{\"a\" 1}", 5},
        {"{\"a\":1,}", 7},
        {"[1,]", 3},
        {"[1 2]", 3},
        {"[,1]", 1},
        {"{,}", 1},
        {"[}", 1},
        {"{]", 1},
        {"[1}", 2},
        {"{\"a\":1]", 6},
        {"{\"a\":}", 5},
        {"{\"a\":,}", 5},
        {"[01]", 2},
        {"[-]", 2},
        {"[+1]", 1},
        {"[.5]", 1},
        {"[1.]", 3},
        {"[1e]", 3},
        {"[1e+]", 4},
        {"[-a]", 2},
        {"[0x10]", 2},
        {"[NaN]", 1},
        {"\"\\x\"", 1},
        {"\"\\u12g4\"", 5},
        {"\"a\nb\"", 2},
        {"\"0123456789abcdef\x01\"", 17},
        {"/* */1", 0},
        {"[1,//\n2]", 3},
        {"{1:2}", 1},
        {"{\"a\":1,2}", 7},
        {"]", 0},
        {"\v1", 0},
    };
    for (size_t i = 0; i < COUNT(wrong); i++) check_fault(wrong[i].text, CASEHOOK__JS_SYNTAX, wrong[i].place);
    assert_int_equal(scan((struct casehook__text){"[\0]", 3}, NULL), CASEHOOK__JS_SYNTAX);
    assert_int_equal(scan((struct casehook__text){"\"\0\"", 3}, NULL), CASEHOOK__JS_SYNTAX);
    assert_int_equal(scan((struct casehook__text){"1\0", 2}, NULL), CASEHOOK__JS_TRAILING);
    assert_int_equal(casehook__jsscan((struct casehook__text){NULL, 0}, NULL, 0, NULL, NULL),
                     CASEHOOK__JS_EMPTY);
}

/* Every beginning of a text that does not end in a number is truncated, at its end. */
static void a_beginning_is_truncated(void **state)
{
    (void)state;
    const char *whole =
        "{\"key\":[true,null,-1.5e+3,\"a\\n\\u12ab 0123456789abcdef0123\",{\"b\":false}], \"c\":{}}";
    check_valid(whole);
    for (size_t length = 1; length < strlen(whole); length++) {
        size_t offset = 0;
        assert_int_equal(scan((struct casehook__text){whole, length}, &offset), CASEHOOK__JS_TRUNCATED);
        assert_int_equal(offset, length);
    }
}

/* Brackets and members in turn; the innermost value is missing or empty. */
static void check_depth(size_t depth, enum casehook__js_fault wanted)
{
    static char text[12 * CASEHOOK__JSON_DEPTH_MAX];
    size_t length = 0, innermost = 0, offset = 0;
    for (size_t level = 0; level < depth; level++) {
        const char *open = level + 1 == depth ? "{" : level % 3 == 2 ? "{\"\":" : "[";
        innermost = length;
        memcpy(text + length, open, strlen(open));
        length += strlen(open);
    }
    for (size_t level = depth; level-- > 0;)
        text[length++] = level + 1 == depth || level % 3 == 2 ? '}' : ']';
    assert_int_equal(scan((struct casehook__text){text, length}, &offset), wanted);
    if (wanted) assert_int_equal(offset, innermost);
}

static void depth_is_bounded(void **state)
{
    (void)state;
    for (size_t depth = 1; depth <= CASEHOOK__JSON_DEPTH_MAX; depth++) check_depth(depth, CASEHOOK__JS_VALID);
    check_depth(CASEHOOK__JSON_DEPTH_MAX + 1, CASEHOOK__JS_TOO_DEEP);
}

/* ---- keys ---- */

static struct casehook__keypath *new_path(const char *key)
{
    struct casehook__keypath *path = NULL;
    assert_int_equal(casehook__keypath_new(NULL, casehook__text(key), &path, NULL), CASEHOOK_OK);
    return path;
}

/* wanted is the source text of the value, NULL when nothing is to be found. */
static void check_find(const char *key, const char *json, const char *wanted)
{
    struct casehook__keypath *path = new_path(key);
    const struct casehook__keypath *paths[] = {path};
    struct casehook__js_value found;
    struct casehook__text text = page_end_put(&last_page, casehook__text(json));
    assert_int_equal(casehook__jsscan(text, paths, 1, &found, NULL), CASEHOOK__JS_VALID);
    if (wanted ? !casehook__text_is(found.text, wanted) : found.kind != CASEHOOK__JS_NONE)
        fail_msg("%s in %s: %.*s", key, json, (int)found.text.length, found.text.data ? found.text.data : "");
    if (wanted) assert_int_equal(found.kind, casehook__js_top(found.text).kind);
    casehook__keypath_free(path);
}

static void keys_find(void **state)
{
    (void)state;
    check_find("key", "{\"key\":\"A-1\"}", "\"A-1\"");
    check_find("a.b.c", "{\"a\":{\"x\":{\"c\":0},\"b\":{\"c\":1.50}}}", "1.50");
    check_find("items[1].name", "{\"items\":[{\"name\":\"a\"},{\"name\":\"b\"}]}", "\"b\"");
    check_find("items.0.name", "{\"items\":[{\"name\":\"a\"}]}", "\"a\"");
    check_find("items[0]", "{\"items\":{\"0\":\"member\"}}", "\"member\"");
    check_find("a[01]", "{\"a\":{\"01\":1}}", "1");
    check_find("[1][0]", "[[1],[[ 2 ],3]]", "[ 2 ]");
    check_find("o", "{\"o\" : { \"a\" : [ 1 ] } }", "{ \"a\" : [ 1 ] }");
    check_find("a.b", "{\"a\":[],\"a.b\":null}", "null");
    check_find("a[b].c", "{\"a\":{\"b\":{\"c\":true}}}", "true");
    check_find("[\"a.b\"].c", "{\"a.b\":{\"c\":false}}", "false");
    check_find("x[\"a\\\"b\"]", "{\"x\":{\"a\\\"b\":{}}}", "{}");
    check_find("", "{\"\":\"empty name\",\"key\":\"x\"}", "\"empty name\"");
    check_find("", "{\"key\":\"x\",\"\":{\"a\":[]}}", "{\"a\":[]}");
    check_find("", " [1] ", "[1]"); /* without a member of that name: the whole answer */
    check_find("", "{\"key\":{}}", "{\"key\":{}}");
    check_find("", " \"INC7\" ", "\"INC7\"");
    check_find("", "7", "7");
    check_find(".key", "{\"\":{\"key\":\"under empty\"},\"key\":\"x\"}", "\"under empty\"");
    check_find("a..b", "{\"a\":{\"\":{\"b\":\"v\"},\"b\":\"no\"}}", "\"v\"");
    check_find(" key", "{\"key\":\"x\",\" key\":\"spaced\"}", "\"spaced\"");
    check_find("a[]", "{\"a\":{\"\":\"x\"}}", "\"x\"");
    check_find("a[0", "{\"a\":[\"x\"],\"a[0\":\"flat\"}", "\"flat\"");
    check_find("__proto__.x", "{\"__proto__\":{\"x\":\"own\"}}", "\"own\"");
    check_find("key.length", "{\"key\":{\"length\":\"own\"}}", "\"own\"");
    check_find("na\u00efve.\u65e5\u672c", "{\"na\u00efve\":{\"\u65e5\u672c\":\"ok\"}}", "\"ok\"");
}

static void keys_do_not_find(void **state)
{
    (void)state;
    static const struct {
        const char *key, *json;
    } missing[] = {
        {"key", "{\"id\":\"1\"}"},
        {"key", "[{\"key\":\"first\"}]"},
        {"key", "\"key\""},
        {"[][[", "{\"\":{\"a\":1}}"},
        {"[][[", "[[1]]"},
        {"Key", "{\"key\":\"x\"}"},
        {"$.key", "{\"key\":\"x\"}"},
        {"items[-1]", "{\"items\":[\"a\",\"b\"]}"},
        {"items[2]", "{\"items\":[\"a\",\"b\"]}"},
        {"items[01]", "{\"items\":[\"a\",\"b\"]}"},
        {"items[0]", "{\"items\":[]}"},
        {"items.length", "{\"items\":[\"a\",\"b\"]}"},
        {"a.b", "{\"a\":null}"},
        {"a.b", "{\"a\":\"text\"}"},
        {"key[1]", "{\"key\":\"abc\"}"},
        {"key.0", "{\"key\":\"abc\"}"},
        {"key.length", "{\"key\":\"abc\"}"},
        {"toString", "{\"a\":1}"},
        {"a.b.c", "{\"a.b\":{\"c\":\"no\"}}"},
        {"a.b", "{\"x\":{\"a.b\":1,\"a\":{\"b\":1}}}"}, /* flat is for the top alone */
        {"b.c", "{\"a\":{\"b\":{\"c\":1}}}"},
        {"a.b", "[{\"a\":{\"b\":1}}]"},
        {"a[0].b", "{\"a\":[[{\"b\":1}]]}"},
        {"a", "{\"\\\\u0061\":1}"},
        {"a\\nb", "{\"a\\nb\":1}"}, /* a backslash and an n are no newline */
    };
    for (size_t i = 0; i < COUNT(missing); i++) check_find(missing[i].key, missing[i].json, NULL);
}

static void the_flat_member_wins(void **state)
{
    (void)state;
    check_find("a.b", "{\"a\":{\"b\":\"nested\"},\"a.b\":\"flat\"}", "\"flat\"");
    check_find("a.b", "{\"a.b\":\"flat\",\"a\":{\"b\":\"nested\"}}", "\"flat\"");
    check_find("a.b", "{\"a.b\":[1],\"a\":{\"b\":\"nested\"}}", "[1]");
    check_find("a.b", "{\"a\":{\"b\":{}},\"a.b\":null,\"a\":1}", "null");
    check_find("a.b", "{\"a.b\":1,\"a.b\":2}", "2");
    check_find("[][[", "{\"[][[\":1}", "1");
    check_find("['a']", "{\"a\":1,\"['a']\":2}", "2");
}

static void the_last_duplicate_wins(void **state)
{
    (void)state;
    check_find("key", "{\"key\":\"first\",\"key\":\"second\"}", "\"second\"");
    check_find("a.b", "{\"a\":{\"b\":1,\"b\":2}}", "2");
    check_find("a.b", "{\"a\":{\"b\":1},\"a\":{\"b\":2}}", "2");
    check_find("a.b", "{\"a\":{\"b\":1},\"a\":{}}", NULL);
    check_find("a.b", "{\"a\":{\"b\":1},\"a\":null}", NULL);
    check_find("a.b", "{\"a\":null,\"a\":{\"b\":[]}}", "[]");
    check_find("a.b.c", "{\"a\":{\"b\":{\"c\":1},\"b\":{\"d\":1}}}", NULL);
    check_find("a.b.c", "{\"a\":{\"b\":{\"c\":1}},\"a\":{\"x\":{\"c\":2}}}", NULL);
    check_find("a[0].b", "{\"a\":[{\"b\":1},{\"b\":2}],\"a\":[]}", NULL);
    check_find("a[0].b", "{\"a\":[{\"b\":1}],\"x\":[{\"b\":2}]}", "1");
}

static void keys_compare_decoded(void **state)
{
    (void)state;
    check_find("a", "{\"\\u0061\":1}", "1");
    check_find("a", "{\"a\":1,\"\\u0061\":2}", "2");
    check_find("a/b.\u00e9", "{\"a\\/b\":{\"\\u00E9\":1}}", "1");
    check_find("\U0001F600", "{\"\\ud83d\\ude00\":1}", "1");
    check_find("a\nb", "{\"a\\nb\":1}", "1");
    check_find("a\\nb", "{\"a\\\\nb\":1}", "1");
    check_find("x\uFFFD", "{\"x\xE2\x82\":1}", "1");
    check_find("x.\uFFFD", "{\"x\":{\"\\ud800\":1}}", "1");
    check_find("ab", "{\"\\u0061\":1}", NULL);
    check_find("a", "{\"\\u0061b\":1}", NULL);
}

static void many_keys_in_one_scan(void **state)
{
    (void)state;
    enum { KEYS = 150 }; /* more than there are bits in a word */
    static char json[20000];
    struct casehook__keypath *paths[KEYS];
    struct casehook__js_value found[KEYS];
    size_t length = (size_t)snprintf(json, sizeof json, "{\"list\":[0");
    for (int i = 1; i < KEYS; i++) length += (size_t)snprintf(json + length, sizeof json - length, ",%d", i);
    snprintf(json + length, sizeof json - length, "],\"list[70]\":\"flat\",\"o\":{}}");
    for (int i = 0; i < KEYS; i++) {
        char key[32];
        snprintf(key, sizeof key, i % 50 ? "list[%d]" : "list", i);
        paths[i] = new_path(key);
    }
    assert_int_equal(casehook__jsscan(casehook__text(json), (const struct casehook__keypath *const *)paths,
                                      KEYS, found, NULL),
                     CASEHOOK__JS_VALID);
    for (int i = 0; i < KEYS; i++) {
        char number[16];
        snprintf(number, sizeof number, "%d", i);
        if (i == 70)
            assert_true(casehook__text_is(found[i].text, "\"flat\""));
        else if (i % 50)
            assert_true(casehook__text_is(found[i].text, number));
        else
            assert_int_equal(found[i].kind, CASEHOOK__JS_ARRAY);
    }
    /* Of a text that is faulty nothing was found. */
    json[strlen(json) - 1] = ']';
    assert_int_equal(casehook__jsscan(casehook__text(json), (const struct casehook__keypath *const *)paths,
                                      KEYS, found, NULL),
                     CASEHOOK__JS_SYNTAX);
    for (int i = 0; i < KEYS; i++) {
        assert_int_equal(found[i].kind, CASEHOOK__JS_NONE);
        casehook__keypath_free(paths[i]);
    }
}

/* What came before the end of a text that breaks off is found; a number there may go on. */
static void keys_of_a_text_that_breaks_off(void **state)
{
    (void)state;
    static const char json[] = "{\"issue\":{\"id\":\"42\",\"number\":17,\"key\":\"K-1\"}}";
    struct casehook__keypath *path = new_path("issue.id");
    const struct casehook__keypath *const paths[] = {path};
    size_t whole = (size_t)(strstr(json, "\"42\"") - json) + 4;
    for (size_t length = 1; length < sizeof json - 1; length++) {
        struct casehook__js_value found;
        assert_int_equal(casehook__jsscan((struct casehook__text){json, length}, paths, 1, &found, NULL),
                         CASEHOOK__JS_TRUNCATED);
        if (length < whole)
            assert_int_equal(found.kind, CASEHOOK__JS_NONE);
        else
            assert_true(casehook__text_is(found.text, "\"42\""));
    }
    casehook__keypath_free(path);
}

/* A path of the most names, and JSON that is deeper than any path. */
static void the_longest_path(void **state)
{
    (void)state;
    char key[3 * CASEHOOK__KEYPATH_MAX_PARTS + 1] = "", json[20 * CASEHOOK__KEYPATH_MAX_PARTS] = "";
    for (int i = 0; i < CASEHOOK__KEYPATH_MAX_PARTS; i++) strcat(key, i % 2 ? "[0]" : i ? ".a" : "a");
    for (int i = 0; i < CASEHOOK__KEYPATH_MAX_PARTS; i++) strcat(json, i % 2 ? "[" : "{\"a\":");
    strcat(json, "[[[[{\"a\":[1]}]]]]");
    for (int i = CASEHOOK__KEYPATH_MAX_PARTS; i-- > 0;) strcat(json, i % 2 ? "]" : "}");
    check_find(key, json, "[[[[{\"a\":[1]}]]]]");
}

/* ---- stepping ---- */

static void the_top_value(void **state)
{
    (void)state;
    struct casehook__js_value top = casehook__js_top(casehook__text("\xEF\xBB\xBF \n[1 ] \t"));
    assert_int_equal(top.kind, CASEHOOK__JS_ARRAY);
    assert_true(casehook__text_is(top.text, "[1 ]"));
    assert_int_equal(casehook__js_top(casehook__text("-1")).kind, CASEHOOK__JS_NUMBER);
    assert_int_equal(casehook__js_top(casehook__text(" ")).kind, CASEHOOK__JS_NONE);
}

static void check_steps(const char *container, const char *wanted)
{
    char got[500] = "";
    size_t position = 0;
    struct casehook__text key = {NULL, 0}, text = page_end_put(&last_page, casehook__text(container));
    struct casehook__js_value value;
    while (casehook__js_next(text, &position, &key, &value)) {
        size_t length = strlen(got);
        snprintf(got + length, sizeof got - length, "%.*s=%.*s(%s)|", (int)key.length,
                 key.data ? key.data : "", (int)value.text.length, value.text.data,
                 casehook__js_kind_name(value.kind));
    }
    assert_string_equal(got, wanted);
}

static void steps_through_members(void **state)
{
    (void)state;
    check_steps("{}", "");
    check_steps("[ ]", "");
    check_steps("[1,\"a]\" ,[2,[3]], {\"x\":\"}\"},null,true,false]",
                "=1(a number)|=\"a]\"(a string)|=[2,[3]](an array)|={\"x\":\"}\"}(an "
                "object)|=null(null)|=true(true)|=false(false)|");
    check_steps("{ \"a\" : 1 , \"\":\"\", \"b\\\"\\\\\":{\"c\":[\"\\\\\"]},\"d\":[] }",
                "a=1(a number)|=\"\"(a string)|b\\\"\\\\={\"c\":[\"\\\\\"]}(an object)|d=[](an array)|");
}

/* ---- strings against a slow reader ---------------------------------------------------------------- */

/* Of [STRING], one byte after the other: where the fault is, or the number of bytes. */
static size_t read_slowly(struct casehook__text text, enum casehook__js_fault *fault)
{
    size_t i = 2;
    *fault = CASEHOOK__JS_TRUNCATED;
    for (; i < text.length && text.data[i] != '"'; i++) {
        *fault = CASEHOOK__JS_SYNTAX;
        if ((unsigned char)text.data[i] < 0x20) return i;
        *fault = CASEHOOK__JS_TRUNCATED;
        if (text.data[i] != '\\') continue;
        if (++i == text.length) return i;
        if (text.data[i] && strchr("\"\\/bfnrt", text.data[i])) continue;
        *fault = CASEHOOK__JS_SYNTAX;
        if (text.data[i] != 'u') return i - 1;
        for (size_t last = i + 4; i < last;) {
            *fault = CASEHOOK__JS_TRUNCATED;
            if (++i == text.length) return i;
            *fault = CASEHOOK__JS_SYNTAX;
            if (casehook__hex_value(text.data[i]) < 0) return i;
        }
        *fault = CASEHOOK__JS_TRUNCATED;
    }
    if (i++ == text.length) return i - 1;
    for (; i < text.length && text.data[i] == ' '; i++) continue;
    if (i == text.length) return i;
    *fault = CASEHOOK__JS_SYNTAX;
    if (text.data[i++] != ']') return i - 1;
    for (; i < text.length && text.data[i] == ' '; i++) continue;
    *fault = i < text.length ? CASEHOOK__JS_TRAILING : CASEHOOK__JS_VALID;
    return i;
}

static void compare(const char *data, size_t length)
{
    struct casehook__text text = {data, length};
    enum casehook__js_fault wanted;
    size_t offset = SIZE_MAX, place = read_slowly(text, &wanted);
    enum casehook__js_fault fault = scan(text, &offset);
    if (fault != wanted || (fault && offset != place))
        fail_msg("%.*s: %s at %zu, not %s at %zu", (int)length, data, casehook__js_fault_name(fault), offset,
                 casehook__js_fault_name(wanted), place);
}

/* Every length up to 40, cut everywhere, with each kind of byte at each place, before a second one behind it.
 */
static void strings_agree_with_a_slow_reader(void **state)
{
    static const char *const pieces[] = {"\"",      "\\",       "\\\"", "\\\\", "\\n",  "\\u00e9",
                                         "\\u00g9", "\\x",      "\x1f", "\x01", "\x7f", "\x80",
                                         "\xff",    "\x22\x5d", " ",    "\xa2"};
    (void)state;
    for (size_t length = 0; length <= 40; length++)
        for (size_t place = 0; place <= length; place++)
            for (size_t i = 0; i < COUNT(pieces); i++) {
                char data[64];
                size_t size = strlen(pieces[i]);
                memset(data, 'x', sizeof data);
                memcpy(data, "[\"", 2);
                memcpy(data + 2 + place, pieces[i], size);
                size_t end = 2 + length + size;
                memcpy(data + end, "\"]", 2);
                for (size_t cut = end + 2; cut > end - size && cut >= 3; cut--) compare(data, cut);
                compare(data, 2 + place + size);
                if (place + 2 < length) {
                    data[2 + place + size + 1] = i % 2 ? '"' : '\0';
                    compare(data, end + 2);
                }
            }
}

static void random_strings_agree_with_a_slow_reader(void **state)
{
    static const char bytes[] = "\"\"\\\\]u0e9aF/bnxyz \x1f\x20\x80\xff";
    uint32_t seed = 1;
    (void)state;
    for (int round = 0; round < 300000; round++) {
        char data[72] = "[\"";
        size_t length = 2 + (seed >> 8) % (sizeof data - 2);
        for (size_t i = 2; i < length; i++) {
            seed = seed * 1664525 + 1013904223;
            data[i] = seed >> 28 ? 'x' : bytes[(seed >> 16) % sizeof bytes];
        }
        compare(data, length);
        seed = seed * 1664525 + 1013904223;
    }
}

static int set_up(void **state)
{
    (void)state;
    last_page = page_end_new(20000);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    page_end_free(&last_page);
    return 0;
}

/* A key goes on where the name ends, and behind the name there is no memory. */
static void a_name_that_ends_inside_a_key(void **state)
{
    (void)state;
    struct page_end end = page_end_new(16);
    struct casehook__keypath *path = new_path("ab");
    path->whole = path->parts[0].name = page_end_put(&end, path->whole);
    const struct casehook__keypath *paths[] = {path};
    struct casehook__js_value found;
    static const struct {
        const char *json;
        bool found;
    } rows[] = {{"{\"a\\u0062\\u00e4\":1}", false},
                {"{\"\\u0061b\\ud83d\\ude00\":1}", false},
                {"{\"a\\u00e4\":1}", false},
                {"{\"a\\u0062\":1}", true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(casehook__jsscan(casehook__text(rows[i].json), paths, 1, &found, NULL),
                         CASEHOOK__JS_VALID);
        assert_int_equal(found.kind, rows[i].found ? CASEHOOK__JS_NUMBER : CASEHOOK__JS_NONE);
    }
    casehook__keypath_free(path);
    page_end_free(&end);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_value_may_be_at_the_top),
        cmocka_unit_test(faults_and_their_places),
        cmocka_unit_test(a_beginning_is_truncated),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(keys_find),
        cmocka_unit_test(keys_do_not_find),
        cmocka_unit_test(the_flat_member_wins),
        cmocka_unit_test(the_last_duplicate_wins),
        cmocka_unit_test(keys_compare_decoded),
        cmocka_unit_test(many_keys_in_one_scan),
        cmocka_unit_test(keys_of_a_text_that_breaks_off),
        cmocka_unit_test(the_longest_path),
        cmocka_unit_test(the_top_value),
        cmocka_unit_test(steps_through_members),
        cmocka_unit_test(strings_agree_with_a_slow_reader),
        cmocka_unit_test(random_strings_agree_with_a_slow_reader),
        cmocka_unit_test(a_name_that_ends_inside_a_key),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
