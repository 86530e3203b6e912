/* test_digest.c - digests and UUIDs (D4). */
#include "base/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void expect_digest(const char *const *texts, size_t count, const char *expected)
{
    struct casehook__text parts[4] = {{0}};
    char digest[CASEHOOK__DIGEST_DIGITS + 1];
    for (size_t i = 0; i < count; i++) parts[i] = casehook__text(texts[i]);
    assert_int_equal(casehook__digest(parts, count, digest), CASEHOOK_OK);
    assert_string_equal(digest, expected);
}

/* Of GNU sha256sum: printf ... | sha256sum | cut -c1-32. */
static void digests(void **state)
{
    (void)state;
    expect_digest(NULL, 0, "e3b0c44298fc1c149afbf4c8996fb924");
    expect_digest((const char *const[]){""}, 1, "e3b0c44298fc1c149afbf4c8996fb924");
    expect_digest((const char *const[]){"abc"}, 1, "ba7816bf8f01cfea414140de5dae2223");
    expect_digest((const char *const[]){"", ""}, 2, "01ba4719c80b6fe911b091a7c05124b6"); /* a line feed */
    expect_digest((const char *const[]){"create", "r1"}, 2, "8c833d3d316f50691653f8b9287f2ff1");
    expect_digest((const char *const[]){"comment", "r1", "1"}, 3, "e39d425b8f12bcafe89e857c80c67e2d");
    expect_digest((const char *const[]){"create\nr1"}, 1, "8c833d3d316f50691653f8b9287f2ff1");
}

static void what_is_between_counts(void **state)
{
    char one[CASEHOOK__DIGEST_DIGITS + 1], other[CASEHOOK__DIGEST_DIGITS + 1];
    (void)state;
    const struct casehook__text left[] = {CASEHOOK__TEXT("ab"), CASEHOOK__TEXT("c")},
                                right[] = {CASEHOOK__TEXT("a"), CASEHOOK__TEXT("bc")};
    assert_int_equal(casehook__digest(left, 2, one), CASEHOOK_OK);
    assert_int_equal(casehook__digest(right, 2, other), CASEHOOK_OK);
    assert_string_not_equal(one, other);
    /* a text is as long as it says, NUL and all */
    const struct casehook__text nul[] = {{"a\0b", 3}}, cut[] = {{"a", 1}};
    assert_int_equal(casehook__digest(nul, 1, one), CASEHOOK_OK);
    assert_int_equal(casehook__digest(cut, 1, other), CASEHOOK_OK);
    assert_string_not_equal(one, other);
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, CASEHOOK__UUID_SIZE);
}

static void uuids(void **state)
{
    enum { COUNT = 10000 };
    static char made[COUNT][CASEHOOK__UUID_SIZE];
    unsigned ones[128] = {0};
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(casehook__uuid(made[i]), CASEHOOK_OK);
        assert_int_equal(strlen(made[i]), CASEHOOK__UUID_SIZE - 1);
        unsigned bit = 0;
        for (size_t at = 0; at < 36; at++) {
            bool dash = at == 8 || at == 13 || at == 18 || at == 23;
            const char *digit = memchr("0123456789abcdef-", made[i][at], dash ? 17 : 16);
            assert_non_null(digit);
            assert_int_equal(*digit == '-', dash);
            for (int n = 3; !dash && n >= 0; n--, bit++)
                ones[bit] += strchr("89abcdef", *digit) && n == 3   ? 1
                             : strchr("4567cdef", *digit) && n == 2 ? 1
                             : strchr("2367abef", *digit) && n == 1 ? 1
                             : strchr("13579bdf", *digit) && n == 0 ? 1
                                                                    : 0;
        }
        assert_int_equal(made[i][14], '4'); /* version */
        assert_non_null(memchr("89ab", made[i][19], 4));
    }
    for (unsigned bit = 0; bit < 128; bit++) {
        bool fixed = (bit >= 48 && bit < 52) || bit == 64 || bit == 65;
        if (!fixed) assert_in_range(ones[bit], COUNT * 45 / 100, COUNT * 55 / 100); /* ten deviations */
    }
    qsort(made, COUNT, sizeof *made, compare);
    for (size_t i = 1; i < COUNT; i++) assert_string_not_equal(made[i - 1], made[i]);
}

static void numbers(void **state)
{
    uint64_t all = 0, none = UINT64_MAX;
    (void)state;
    for (int i = 0; i < 1000; i++) {
        uint64_t number = casehook__random();
        all |= number;
        none &= number;
    }
    assert_true(all == UINT64_MAX);
    assert_true(none == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(digests), cmocka_unit_test(what_is_between_counts),
                                       cmocka_unit_test(uuids), cmocka_unit_test(numbers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
