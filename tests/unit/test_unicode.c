/* test_unicode.c - lines, one line, where a text fits, and the formats that are made of lines. */
#include "base/unicode.h"
#include "json/formats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void single(const char *text, const char *wanted)
{
    char out[64];
    size_t length = casehook__unicode_single_line(casehook__text(text), out);
    out[length] = '\0';
    assert_string_equal(out, wanted);
    /* In its own memory too. */
    strcpy(out, text);
    length = casehook__unicode_single_line(casehook__text(out), out);
    out[length] = '\0';
    assert_string_equal(out, wanted);
}

static void one_line(void **state)
{
    (void)state;
    single("", "");
    single("a", "a");
    single("a  b", "a  b");
    single(" a ", " a ");
    single("a\tb", "a b");
    single("a \n b", "a b");
    single("\r\na\r\n", "a");
    single(" \n ", "");
    single("a\n", "a");
    single("\x01\x7F", "");
    single("a\xC2\x85"
           "b",
           "a b");
    single("a\xE2\x80\xA8"
           "b\xE2\x80\xA9",
           "a b");
    single("a\xC2\xA0\xC2\xA0"
           "b",
           "a\xC2\xA0\xC2\xA0"
           "b");
    single("a\xE3\x80\x80\n\xE2\x80\x83"
           "b",
           "a b");
    single("a\v\fb\x1B[0m", "a b [0m");
}

static void lines(const char *text, const char *wanted)
{
    char got[128] = "";
    struct casehook__text line;
    for (size_t at = 0; casehook__unicode_line(casehook__text(text), &at, &line);) {
        size_t used = strlen(got);
        snprintf(got + used, sizeof got - used, "%.*s|", (int)line.length, line.data);
    }
    assert_string_equal(got, wanted);
}

static void lines_of_a_text(void **state)
{
    (void)state;
    lines("", "");
    lines("a", "a|");
    lines("a\n", "a|");
    lines("\n", "|");
    lines("\n\n", "||");
    lines("a\r\n\nb\n", "a||b|");
    lines("a\rb", "a|b|");
    lines("a\r\rb", "a||b|");
    lines("a\vb\fc\xC2\x85"
          "d\xE2\x80\xA8"
          "e\xE2\x80\xA9"
          "f",
          "a|b|c|d|e|f|");
}

static void fits(const char *text, size_t most, enum casehook__unit unit, size_t wanted)
{
    assert_int_equal(casehook__unicode_fit(casehook__text(text), most, unit), wanted);
}

static void what_fits(void **state)
{
    (void)state;
    fits("", 0, CASEHOOK__UNIT_CHARACTERS, 0);
    fits("abc", 0, CASEHOOK__UNIT_CHARACTERS, 0);
    fits("abc", 2, CASEHOOK__UNIT_CHARACTERS, 2);
    fits("abc", 9, CASEHOOK__UNIT_CHARACTERS, 3);
    fits("\xC3\xA4\xC3\xB6", 1, CASEHOOK__UNIT_CHARACTERS, 2);
    fits("\xC3\xA4\xC3\xB6", 3, CASEHOOK__UNIT_BYTES, 2);
    fits("\xF0\x9F\x98\x80\xF0\x9F\x98\x80", 3, CASEHOOK__UNIT_UTF16, 4);
    assert_int_equal(
        casehook__unicode_count(casehook__text("a\xC3\xA4\xF0\x9F\x98\x80"), SIZE_MAX, CASEHOOK__UNIT_UTF16),
        4);
    assert_int_equal(
        casehook__unicode_count(casehook__text("a\xC3\xA4\xF0\x9F\x98\x80"), SIZE_MAX, CASEHOOK__UNIT_BYTES),
        7);
    assert_int_equal(casehook__unicode_count(casehook__text("abcdef"), 2, CASEHOOK__UNIT_CHARACTERS), 3);
    /* A letter with its accent, CR LF, half a flag: with clusters nothing of them stays. */
    bool clusters = casehook_feature("graphemes");
    fits("e\xCC\x81x", 1, CASEHOOK__UNIT_CHARACTERS, clusters ? 0 : 1);
    fits("\r\nx", 1, CASEHOOK__UNIT_CHARACTERS, clusters ? 0 : 1);
    fits("a\xF0\x9F\x87\xA9\xF0\x9F\x87\xAA", 2, CASEHOOK__UNIT_CHARACTERS, clusters ? 1 : 5);
}

static void formatted(int (*format)(struct casehook__buf *, struct casehook__text), const char *text,
                      const char *wanted)
{
    struct casehook__buf out;
    casehook__buf_init(&out, NULL, 4096);
    assert_int_equal(format(&out, casehook__text(text)), CASEHOOK_OK);
    assert_string_equal(casehook__buf_string(&out), wanted);
    casehook__buf_free(&out);
    /* Without room for all of it. */
    size_t length = strlen(wanted);
    casehook__buf_init(&out, NULL, length ? length - 1 : 0);
    assert_int_equal(format(&out, casehook__text(text)), length ? CASEHOOK_E_LIMIT : CASEHOOK_OK);
    casehook__buf_free(&out);
}

#define DOC(content)   "{\"type\":\"doc\",\"version\":1,\"content\":[" content "]}"
#define PARA(content)  "{\"type\":\"paragraph\",\"content\":[" content "]}"
#define PIECE(content) "{\"type\":\"text\",\"text\":\"" content "\"}"
#define BREAK          ",{\"type\":\"hardBreak\"},"

static void atlassian(void **state)
{
    (void)state;
    formatted(casehook__format_adf, "", DOC(""));
    formatted(casehook__format_adf, "\n\n", DOC(""));
    formatted(casehook__format_adf, "a", DOC(PARA(PIECE("a"))));
    formatted(casehook__format_adf, "a\nb\n\n \nc\n",
              DOC(PARA(PIECE("a") BREAK PIECE("b")) "," PARA(PIECE("c"))));
    formatted(casehook__format_adf, "say \"hi\"\\", DOC(PARA(PIECE("say \\\"hi\\\"\\\\"))));
}

static void html(void **state)
{
    (void)state;
    formatted(casehook__format_html, "", "");
    formatted(casehook__format_html, "a<b>&\"c'", "a&lt;b&gt;&amp;&quot;c&#39;");
    formatted(casehook__format_html, "a\r\nb\n", "a<br>b<br>");
    formatted(casehook__format_html, "<br>\n\n", "&lt;br&gt;<br><br>");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_line),  cmocka_unit_test(lines_of_a_text),
        cmocka_unit_test(what_fits), cmocka_unit_test(atlassian),
        cmocka_unit_test(html),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
