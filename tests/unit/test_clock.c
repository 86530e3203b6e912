/* test_clock.c - Retry-After in all its forms (D2). */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define NOW          784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */
#define YEAR         INT64_C(31536000000)
#define NONE         INT64_C(-1)
#define COUNT(array) (sizeof(array) / sizeof *(array))

static void retry_after(void **state)
{
    static const struct {
        const char *value;
        int64_t wait;
    } cases[] = {
        {"0", 0},
        {"120", 120000},
        {" 7\t", 7000},
        {"31536000", YEAR},
        {"31536001", YEAR},
        {"9999999999", YEAR},
        {"99999999999999999999999999", YEAR},
        {"7, 9", 7000},
        {"", NONE},
        {"-5", NONE},
        {"+5", NONE},
        {"1.5", NONE},
        {"soon", NONE},
        {"5 s", NONE},
        /* the form that servers make */
        {"Sun, 06 Nov 1994 08:51:37 GMT", 120000},
        {"Sun, 06 Nov 1994 08:49:37 GMT", 0},
        {"Sun, 06 Nov 1994 08:49:36 GMT", 0},
        {"Mon, 07 Nov 1994 08:49:37 GMT", 86400000},
        {"Sat, 31 Dec 1994 23:59:60 GMT", INT64_C(4806623000)},
        {"Wed, 01 Mar 1995 08:49:37 GMT", INT64_C(9936000000)},
        {"Mon, 06 Nov 1995 08:49:37 GMT", YEAR},
        {"Fri, 31 Dec 9999 23:59:59 GMT", YEAR},
        {"Thu, 01 Jan 0000 00:00:00 GMT", 0},
        /* that of RFC 850: two digits of the year, the nearest one is meant */
        {"Sunday, 06-Nov-94 08:51:37 GMT", 120000},
        {"Sunday, 06-Nov-93 08:51:37 GMT", 0},
        {"Monday, 06-Nov-00 08:49:37 GMT", YEAR},
        {"Monday, 06-Nov-44 08:49:37 GMT", YEAR},
        {"Monday, 06-Nov-45 08:49:37 GMT", 0},
        /* that of asctime() */
        {"Sun Nov  6 08:51:37 1994", 120000},
        {"Thu Nov 10 08:49:37 1994", 345600000},
        {"Sun Nov  6 08:49:00 1994", 0},
        /* no dates */
        {"Sun, 06 Nov 1994 08:51:37", NONE},
        {"Sun, 06 Nov 1994 08:51:37 CET", NONE},
        {"Sun, 06 Nov 1994 08:51:37 GMT+1", NONE},
        {"Sun, 6 Nov 1994 08:51:37 GMT", NONE},
        {"Sun, 00 Nov 1994 08:51:37 GMT", NONE},
        {"Sun, 32 Nov 1994 08:51:37 GMT", NONE},
        {"Sun, 06 Nov 1994 24:51:37 GMT", NONE},
        {"Sun, 06 Nov 1994 08:60:37 GMT", NONE},
        {"Sun, 06 Nov 1994 08:51:61 GMT", NONE},
        {"Sun, 06 nov 1994 08:51:37 GMT", NONE},
        {"Su, 06 Nov 1994 08:51:37 GMT", NONE},
        {"06 Nov 1994 08:51:37 GMT", NONE},
        {"Sunday, 06-Nov-1994 08:51:37 GMT", NONE},
        {"Sunday, 06-Nov-94 08:51:37 UTC", NONE},
        {"Sun Nov 6 08:51:37 1994", NONE},
        {"Sun Nov  6 08:51:37 1994 GMT", NONE},
        {"Sun Nov  6 08:51 1994", NONE},
        {"1994-11-06T08:51:37Z", NONE},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t wait = casehook__clock_retry_after(casehook__text(cases[i].value), NOW);
        if (wait != cases[i].wait) fail_msg("%s: %lld", cases[i].value, (long long)wait);
    }
}

/* Every beginning of a date is none, and nothing behind the given length is read. */
static void cut_dates(void **state)
{
    static const char *const dates[] = {"Sun, 06 Nov 1994 08:51:37 GMT", "Sunday, 06-Nov-94 08:51:37 GMT",
                                        "Sun Nov  6 08:51:37 1994"};
    (void)state;
    for (size_t i = 0; i < COUNT(dates); i++) {
        for (size_t length = 0; length < strlen(dates[i]); length++) {
            char *copy = malloc(length + 1); /* so that a sanitizer sees what is read behind it */
            assert_non_null(copy);
            memcpy(copy, dates[i], length);
            assert_int_equal(casehook__clock_retry_after((struct casehook__text){copy, length}, NOW), NONE);
            free(copy);
        }
    }
}

static void the_year_now(void **state)
{
    (void)state;
    assert_true(casehook__clock_unix_ms() / 1000 > NOW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(retry_after),
        cmocka_unit_test(cut_dates),
        cmocka_unit_test(the_year_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
