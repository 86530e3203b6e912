/*
 * cuts.c - random texts of what is hard to cut, cut by values; for test_cuts.py.
 *
 *     cuts COUNT
 *
 * Each line: the limit, its unit, the text and what became of it, both in hexadecimal.  Checked here: it is
 * valid UTF-8, and not longer than asked; on a single line there is no end of a line.
 */
#include "document/values.h"

#include <stdio.h>
#include <stdlib.h>

#define PARTS_MAX    12
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* No conjuncts of Indic scripts: which of them are one cluster depends on the version of Unicode. */
static const char *const parts[] = {
    "a", "Z", " ", "\t", "\r", "\n", "\r\n", "\xC2\x85", "\xE2\x80\xA8", "\xE2\x80\xA9",
    /* combining marks */
    "\xCC\x81", "\xCC\x88", "\xE2\x83\x9D", "e\xCC\x81", "\xC3\xA9",
    /* flags */
    "\xF0\x9F\x87\xA9", "\xF0\x9F\x87\xAA", "\xF0\x9F\x87\xAB\xF0\x9F\x87\xB7",
    /* emoji, skin, joiner, variation selector, keycap */
    "\xF0\x9F\x91\xA9", "\xF0\x9F\x91\xA7", "\xF0\x9F\x8F\xBD", "\xE2\x80\x8D", "\xEF\xB8\x8F",
    "\xE2\x9D\xA4", "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7",
    "1\xEF\xB8\x8F\xE2\x83\xA3",
    /* Hangul in parts */
    "\xE1\x84\x80", "\xE1\x85\xA1", "\xE1\x86\xA8", "\xEA\xB0\x80",
    /* a prepended sign, a spacing mark, white space of other kinds, what is no UTF-8 */
    "\xD8\x80", "\xE0\xA4\x83", "\xC2\xA0", "\xE3\x80\x80", "\xFF", "\xC3"};

static uint32_t random_below(uint32_t limit)
{
    static uint64_t seed = 88172645463325252U;
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 20) % limit;
}

static void need(bool condition, const char *what)
{
    if (condition) return;
    fprintf(stderr, "cuts: %s\n", what);
    exit(1);
}

static void check(const struct casehook__value_rule *rule, struct casehook__text text)
{
    for (size_t at = 0; at < text.length;) {
        size_t length = casehook__utf8_length(text.data + at, text.length - at);
        need(length > 0, "not UTF-8");
        at += length;
    }
    need(casehook__unicode_count(text, SIZE_MAX, rule->unit) <= rule->most, "longer than asked");
    if (!rule->single_line) return;
    struct casehook__text line;
    size_t at = 0;
    if (casehook__unicode_line(text, &at, &line)) need(line.length == text.length, "more than one line");
}

static void show(struct casehook__text text)
{
    putchar('\t');
    for (size_t i = 0; i < text.length; i++) printf("%02x", (unsigned char)text.data[i]);
}

static void cut_one(struct casehook__arena *arena)
{
    static const char *const from[] = {"t", NULL};
    static const struct casehook__text names[] = {{"t", 1}};
    char text[PARTS_MAX * 24] = "";
    for (uint32_t i = 1 + random_below(PARTS_MAX); i > 0; i--)
        strcat(text, parts[random_below((uint32_t)COUNT(parts))]);
    struct casehook__value given = {.kind = CASEHOOK__VALUE_TEXT, .text = casehook__text(text)}, value;
    size_t work = 0;
    const struct casehook__value root = {
        .kind = CASEHOOK__VALUE_OBJECT, .names = names, .items = &given, .count = 1};
    struct casehook__value_rule rule = {
        .from = from, .unit = (enum casehook__unit)random_below(3), .single_line = random_below(4) == 0};
    rule.most = (rule.unit == CASEHOOK__UNIT_BYTES ? 3 : 1) + random_below(20);
    need(casehook__value_compute(&rule, "x", &root, arena, &value, &work, NULL) == CASEHOOK_OK, "not made");
    check(&rule, value.text);
    printf("%zu\t%d\t%d", rule.most, (int)rule.unit, (int)rule.single_line);
    show(given.text);
    show(value.text);
    putchar('\n');
}

int main(int argc, char **argv)
{
    struct casehook__arena arena = {NULL, NULL};
    for (unsigned long i = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000; i > 0; i--) {
        cut_one(&arena);
        casehook__arena_clear(&arena);
    }
    casehook__arena_free(&arena);
    return fflush(stdout) ? 1 : 0;
}
