/* test_jstext.c - escaping, decoding, percent-encoding and number text. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "json/jstext.h"
#include "page_end.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define R "\xEF\xBF\xBD"

typedef int convert_fn(struct casehook__buf *buf, struct casehook__text text);

struct pair {
    const char *from, *to;
};

static void check(convert_fn *convert, struct casehook__text from, struct casehook__text to)
{
    struct casehook__buf buf;
    casehook__buf_init(&buf, NULL, 1 << 20);
    assert_int_equal(convert(&buf, from), CASEHOOK_OK);
    if (!casehook__text_equal(casehook__buf_text(&buf), to))
        fail_msg("\"%.*s\" became \"%s\"", (int)from.length, from.data, casehook__buf_string(&buf));
    casehook__buf_free(&buf);
}

static void check_pairs(convert_fn *convert, const struct pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check(convert, casehook__text(pairs[i].from), casehook__text(pairs[i].to));
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void escapes_as_stringify(void **state)
{
    (void)state;
    static const struct pair pairs[] = {
        {"", ""},
        {"plain / text", "plain / text"},
        {"\b\f\n\r\t\"\\", "\\b\\f\\n\\r\\t\\\"\\\\"},
        {"\x01\x0b\x1f\x7f", "\\u0001\\u000b\\u001f\x7f"},
        {"caf\u00e9 \u2028 \U0001F525", "caf\u00e9 \u2028 \U0001F525"},
        {"0123456789012345678901234567890123456789\n0123456789012345678901234567890123456789",
         "0123456789012345678901234567890123456789\\n0123456789012345678901234567890123456789"},
    };
    check_pairs(casehook__js_escape, pairs, COUNT(pairs));
    check_pairs(casehook__js_escape_scalar, pairs, COUNT(pairs));
    check(casehook__js_escape, (struct casehook__text){"a\0b", 3}, casehook__text("a\\u0000b"));
    check(casehook__js_escape, (struct casehook__text){NULL, 0}, casehook__text(""));
    check(casehook__js_string, casehook__text("a\"b"), casehook__text("\"a\\\"b\""));
    check(casehook__js_string, casehook__text(""), casehook__text("\"\""));
}

/* One U+FFFD for each longest beginning of a character, as the Encoding standard has it. */
static const struct pair ill_formed[] = {
    {"\x80", R},
    {"a\xC0\xAF"
     "b",
     "a" R R "b"},
    {"\xE2\x82", R},
    {"\xE2\x82 x", R " x"},
    {"\xF0\x9F\x94", R},
    {"\xF0\x9F\x94\x94", "\xF0\x9F\x94\x94"},
    {"\xF0\x9F!\xF0!", R "!" R "!"},
    {"\xED\xA0\x80", R R R},
    {"\xE0\x80\x80", R R R},
    {"\xF4\x90\x80\x80", R R R R},
    {"\xF8\x88\x80\x80\x80", R R R R R},
    {"\xFF\xFE", R R},
    {"\xC3\xC3\xA9", R "\u00e9"},
    {"\xF1\x80\x80\xE1\x80\xC2", R R R},
};

static void replaces_ill_formed(void **state)
{
    (void)state;
    check_pairs(casehook__js_utf8, ill_formed, COUNT(ill_formed));
    check_pairs(casehook__js_escape, ill_formed, COUNT(ill_formed));
    check_pairs(casehook__js_escape_scalar, ill_formed, COUNT(ill_formed));
    check_pairs(casehook__js_decode, ill_formed, COUNT(ill_formed));
    check(casehook__js_utf8, casehook__text("a\n\"\\b"), casehook__text("a\n\"\\b"));
    check(casehook__js_utf8, (struct casehook__text){NULL, 0}, casehook__text(""));
}

/* The same in the middle of a long text, at every place of a block. */
static void replaces_ill_formed_anywhere(void **state)
{
    (void)state;
    for (size_t before = 0; before < 70; before++) {
        for (size_t i = 0; i < COUNT(ill_formed); i++) {
            char from[200], to[200];
            memset(from, 'x', sizeof from);
            memset(to, 'x', sizeof to);
            size_t in = strlen(ill_formed[i].from), out = strlen(ill_formed[i].to);
            memcpy(from + before, ill_formed[i].from, in);
            memcpy(to + before, ill_formed[i].to, out);
            from[before + in] = to[before + out] = '!';
            struct casehook__text text = {from, before + in + 60}, wanted = {to, before + out + 60};
            check(casehook__js_escape, text, wanted);
            check(casehook__js_utf8, text, wanted);
        }
    }
}

static uint32_t next_random(uint32_t *seed)
{
    return *seed = *seed * 1664525 + 1013904223;
}

/* Bytes that are likely to meet: starts and ends of characters, escapes, plain text. */
static size_t random_text(char *out, size_t room, uint32_t *seed)
{
    static const char *const bits[] = {"\"",
                                       "\\",
                                       "\n",
                                       "\x01",
                                       "\xC3\xA9",
                                       "\xE2\x82\xAC",
                                       "\xF0\x9F\x94\xA5",
                                       "\xE2",
                                       "\x82",
                                       "\xF0\x9F",
                                       "\xED",
                                       "\xA0",
                                       "\xFF",
                                       "plain",
                                       "x",
                                       "0123456789abcdef"};
    size_t length = 0, count = next_random(seed) >> 16 & 63;
    for (size_t i = 0; i < count; i++) {
        const char *bit = bits[next_random(seed) >> 24 & 15];
        if (length + strlen(bit) > room) break;
        memcpy(out + length, bit, strlen(bit));
        length += strlen(bit);
    }
    return length;
}

static void both_ways_agree_at_the_end_of_memory(void **state)
{
    (void)state;
    struct casehook__buf one, two, three;
    struct page_end end = page_end_new(2000);
    uint32_t seed = 7;
    casehook__buf_init(&one, NULL, 1 << 20);
    casehook__buf_init(&two, NULL, 1 << 20);
    casehook__buf_init(&three, NULL, 1 << 20);
    for (int round = 0; round < 20000; round++) {
        char text[1100];
        size_t length = random_text(text, sizeof text, &seed);
        struct casehook__text last = page_end_put(&end, (struct casehook__text){text, length});
        casehook__buf_clear(&one);
        casehook__buf_clear(&two);
        casehook__buf_clear(&three);
        casehook__js_escape(&one, last);
        casehook__js_escape_scalar(&two, last);
        assert_string_equal(casehook__buf_string(&one), casehook__buf_string(&two));
        /* Decoding what was escaped is the text with its UTF-8 repaired. */
        casehook__buf_clear(&two);
        casehook__js_decode(&two, casehook__buf_text(&one));
        casehook__js_utf8(&three, last);
        assert_string_equal(casehook__buf_string(&two), casehook__buf_string(&three));
    }
    casehook__buf_free(&one);
    casehook__buf_free(&two);
    casehook__buf_free(&three);
    page_end_free(&end);
}

static void escapes_up_to_the_last_byte_of_a_limit(void **state)
{
    (void)state;
    char text[1000];
    memset(text, 'x', sizeof text);
    text[500] = '\n';
    struct casehook__buf buf;
    casehook__buf_init(&buf, NULL, 1001); /* the worst case would be 6,000 */
    assert_int_equal(casehook__js_escape(&buf, (struct casehook__text){text, 1000}), CASEHOOK_OK);
    assert_int_equal(buf.length, 1001);
    assert_int_equal(casehook__js_escape(&buf, casehook__text("x")), CASEHOOK_E_LIMIT);
    assert_int_equal(casehook__js_utf8(&buf, casehook__text("x")), CASEHOOK_E_LIMIT);
    casehook__buf_free(&buf);
    casehook__buf_init(&buf, NULL, 1000);
    assert_int_equal(casehook__js_escape(&buf, (struct casehook__text){text, 1000}), CASEHOOK_E_LIMIT);
    casehook__buf_free(&buf);
}

static void decodes(void **state)
{
    (void)state;
    static const struct pair pairs[] = {
        {"", ""},
        {"a\\\"b\\\\c\\/\\u00e9\\n\\ud83d\\ude00", "a\"b\\c/\u00e9\n\U0001F600"},
        {"\\b\\f\\n\\r\\t", "\b\f\n\r\t"},
        {"\\u0061\\u0041\\u20AC\\u20ac", "aA\u20ac\u20ac"},
        {"\\ud83d", R},
        {"\\ud83d\\ud83d\\ude00", R "\U0001F600"},
        {"\\ude00\\ud83d", R R},
        {"\\ud83dx\\ude00", R "x" R},
        {"\\ud83d\\n", R "\n"},
        {"\\uDBFF\\uDFFF\\uffff", "\U0010FFFF\xEF\xBF\xBF"},
        {"\xC3\\u00a9", R "\u00a9"},
    };
    check_pairs(casehook__js_decode, pairs, COUNT(pairs));
    check(casehook__js_decode, casehook__text("a\\u0000b"), (struct casehook__text){"a\0b", 3});
    check(casehook__js_decode, (struct casehook__text){NULL, 0}, casehook__text(""));
}

static void encodes_for_urls(void **state)
{
    (void)state;
    static const struct pair pairs[] = {
        {"azAZ09-_.!~*'()", "azAZ09-_.!~*'()"},
        {"a/b?c#d e", "a%2Fb%3Fc%23d%20e"},
        {"100%+&=;:@$,[]{}\"\\", "100%25%2B%26%3D%3B%3A%40%24%2C%5B%5D%7B%7D%22%5C"},
        {"\u00e9\u20ac\U0001F525", "%C3%A9%E2%82%AC%F0%9F%94%A5"},
        {"\xE2\x82x\x7f\n", "%EF%BF%BDx%7F%0A"},
        {"", ""},
    };
    check_pairs(casehook__js_uri_component, pairs, COUNT(pairs));
    check(casehook__js_uri_component, (struct casehook__text){"\0", 1}, casehook__text("%00"));
}

static void integers_keep_every_digit(void **state)
{
    (void)state;
    static const struct pair pairs[] = {
        {"0", "0"},
        {"-0", "0"},
        {"42", "42"},
        {"-7", "-7"},
        {"9007199254740993", "9007199254740993"},
        {"-123456789012345678901234567890", "-123456789012345678901234567890"},
    };
    check_pairs(casehook__js_number, pairs, COUNT(pairs));
}

/* The right column is String(Number(left)) of a JavaScript engine. */
static const struct pair numbers[] = {
    {"1.0", "1"},
    {"1.5", "1.5"},
    {"1e3", "1000"},
    {"1E3", "1000"},
    {"1e+3", "1000"},
    {"7.0", "7"},
    {"-0.0", "0"},
    {"0.0", "0"},
    {"0e5", "0"},
    {"0.1", "0.1"},
    {"0.2", "0.2"},
    {"0.3", "0.3"},
    {"0.30000000000000004", "0.30000000000000004"},
    {"1e21", "1e+21"},
    {"1e20", "100000000000000000000"},
    {"123456789012345680000.0", "123456789012345680000"},
    {"999999999999999999999.0", "1e+21"},
    {"1e-6", "0.000001"},
    {"1e-7", "1e-7"},
    {"9.999999999999999e-265", "9.999999999999998e-265"}, /* the first guess of its size is off by one */
    {"0.000001", "0.000001"},
    {"0.0000001", "1e-7"},
    {"0.00000123", "0.00000123"},
    {"1.23e-7", "1.23e-7"},
    {"5e-324", "5e-324"},
    {"4.9e-324", "5e-324"},
    {"2.4703282292062327e-324", "0"},
    {"2.4703282292062328e-324", "5e-324"},
    {"2e-324", "0"},
    {"3e-324", "5e-324"},
    {"7.4e-324", "5e-324"},
    {"7.5e-324", "1e-323"},
    {"2.2250738585072014e-308", "2.2250738585072014e-308"},
    {"2.2250738585072011e-308", "2.225073858507201e-308"},
    {"2.225073858507201e-308", "2.225073858507201e-308"},
    {"1.7976931348623157e308", "1.7976931348623157e+308"},
    {"1.7976931348623158e308", "1.7976931348623157e+308"},
    {"-1.7976931348623157e308", "-1.7976931348623157e+308"},
    {"1e308", "1e+308"},
    {"9007199254740993.0", "9007199254740992"},
    {"9007199254740992.0", "9007199254740992"},
    {"9007199254740991.5", "9007199254740992"},
    {"9007199254740995.0", "9007199254740996"},
    {"12345678901234567890.0", "12345678901234567000"},
    {"5.684341886080802e-14", "5.684341886080802e-14"},
    {"5.6843418860808015e-14", "5.684341886080802e-14"},
    {"9.5367431640625e-7", "9.5367431640625e-7"},
    {"1e23", "1e+23"},
    {"8.41e21", "8.41e+21"},
    {"9.5e22", "9.5e+22"},
    {"2e22", "2e+22"},
    {"1e22", "1e+22"},
    {"4.35", "4.35"},
    {"0.045", "0.045"},
    {"1.1", "1.1"},
    {"2.675", "2.675"},
    {"1.005", "1.005"},
    {"100.0", "100"},
    {"1e2", "100"},
    {"12e1", "120"},
    {"120e-1", "12"},
    {"1200e-2", "12"},
    {"0.001e3", "1"},
    {"0.001e6", "1000"},
    {"123.456", "123.456"},
    {"-123.456", "-123.456"},
    {"-1e-7", "-1e-7"},
    {"-1e21", "-1e+21"},
    {"1e-400", "0"},
    {"-1e-400", "0"},
    {"1e-5000000", "0"},
    {"0e400", "0"},
    {"0.0e-400", "0"},
    {"0e99999999999999999999", "0"},
    {"1e-99999999999999999999", "0"},
    {"1.0000000000000002", "1.0000000000000002"},
    {"1.00000000000000011102230246251565404236316680908203125", "1"},
    {"1.00000000000000011102230246251565404236316680908203124", "1"},
    {"1.00000000000000011102230246251565404236316680908203126", "1.0000000000000002"},
    {"0.500000000000000166533453693773481063544750213623046875", "0.5000000000000002"},
    {"3.141592653589793238462643383279", "3.141592653589793"},
    {"2.718281828459045", "2.718281828459045"},
    {"6.02214076e23", "6.02214076e+23"},
    {"6.62607015e-34", "6.62607015e-34"},
    {"1.602176634e-19", "1.602176634e-19"},
    {"299792458.0", "299792458"},
    {"4503599627370496.5", "4503599627370496"},
    {"4503599627370497.5", "4503599627370498"},
    {"9007199254740992.5", "9007199254740992"},
    {"18014398509481985.0", "18014398509481984"},
    {"1e15", "1000000000000000"},
    {"1e16", "10000000000000000"},
    {"1e17", "100000000000000000"},
    {"123e-20", "1.23e-18"},
    {"5e-7", "5e-7"},
    {"9.999999999999999e20", "999999999999999900000"},
    {"9.9999999999999999e20", "1e+21"},
    {"9.99999999999999999e-7", "0.000001"},
    {"9.999999999999999e-7", "0.000001"},
    {"1.7800590868057611e-307", "1.7800590868057611e-307"},
    {"2.8480945388892178e-306", "2.848094538889218e-306"},
    {"4.4501477170144023e-308", "4.4501477170144023e-308"},
    {"6.631236846766476e-316", "6.63123685e-316"},
    {"1.2e-322", "1.2e-322"},
    {"1.8446744073709552e19", "18446744073709552000"},
    {"1.4e-45", "1.4e-45"},
    {"3.4028234663852886e38", "3.4028234663852886e+38"},
    {"1.17549435e-38", "1.17549435e-38"},
    {"10.0e0", "10"},
    {"0.1e1", "1"},
    {"1e0", "1"},
    {"1e-0", "1"},
    {"1e1", "10"},
    {"1e-1", "0.1"},
    {"67e14", "6700000000000000"},
    {"1.5e300", "1.5e+300"},
    {"87498002798.50000000000001", "87498002798.5"},
};

static void numbers_print_as_in_javascript(void **state)
{
    (void)state;
    check_pairs(casehook__js_number, numbers, COUNT(numbers));
}

static void numbers_beyond_the_range(void **state)
{
    (void)state;
    static const char *const sources[] = {
        "1e400", "-1E400", "1e309", "-1e309", "1.7976931348623159e308", "1.0e99999999999999999999"};
    struct casehook__buf buf;
    casehook__buf_init(&buf, NULL, 1000);
    for (size_t i = 0; i < COUNT(sources); i++)
        assert_int_equal(casehook__js_number(&buf, casehook__text(sources[i])), CASEHOOK_E_RESPONSE);
    assert_int_equal(buf.length, 0);
    casehook__buf_free(&buf);
}

/* Halfway between 1 and the next double, and a one or nothing after thousands of zeros. */
static void numbers_of_any_length(void **state)
{
    (void)state;
    static char text[5100];
    const char *half = "1.00000000000000011102230246251565404236316680908203125";
    memset(text, '0', 5000);
    memcpy(text, half, strlen(half));
    check(casehook__js_number, casehook__text(text), casehook__text("1"));
    text[4999] = '1';
    check(casehook__js_number, casehook__text(text), casehook__text("1.0000000000000002"));
    memset(text, '0', 5000);
    memcpy(text, "0.", 2);
    strcpy(text + 4990, "1e4989");
    check(casehook__js_number, casehook__text(text), casehook__text("1"));
    memset(text, '9', 5000);
    strcpy(text + 5000, "e-5000");
    check(casehook__js_number, casehook__text(text), casehook__text("1"));
    /* The largest integers on the way: the most digits, as small as can be told from zero, and as large. */
    strcpy(text + 5000, "e-5323");
    check(casehook__js_number, casehook__text(text), casehook__text("1e-323"));
    strcpy(text + 5000, "e-4692");
    check(casehook__js_number, casehook__text(text), casehook__text("1e+308"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_as_stringify),
        cmocka_unit_test(replaces_ill_formed),
        cmocka_unit_test(replaces_ill_formed_anywhere),
        cmocka_unit_test(both_ways_agree_at_the_end_of_memory),
        cmocka_unit_test(escapes_up_to_the_last_byte_of_a_limit),
        cmocka_unit_test(decodes),
        cmocka_unit_test(encodes_for_urls),
        cmocka_unit_test(integers_keep_every_digit),
        cmocka_unit_test(numbers_print_as_in_javascript),
        cmocka_unit_test(numbers_beyond_the_range),
        cmocka_unit_test(numbers_of_any_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
