/* test_clock_iso.c - the dates of trackers: ISO 8601 as they write it (L2). */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define SECONDS(n)   (INT64_C(n) * 1000)

/* Of GNU date: date -u -d "..." +%s. */
static void dates_of_trackers(void **state)
{
    static const struct {
        const char *text;
        int64_t at;
    } cases[] = {
        {"2026-01-31T12:00:00Z", SECONDS(1769860800)},
        {"2026-01-31T12:00:00.000Z", SECONDS(1769860800)},
        {"2026-01-31T12:00:00.999999999Z", SECONDS(1769860800)},
        {"2026-01-31T12:00:00,5Z", SECONDS(1769860800)},
        {"2026-01-31T12:00:00.000+0000", SECONDS(1769860800)}, /* Jira */
        {"2026-01-31T13:00:00.000+01:00", SECONDS(1769860800)},
        {"2026-01-31T13:00:00+01", SECONDS(1769860800)},
        {"2026-01-31T06:30:00-0530", SECONDS(1769860800)},
        {"2026-02-01T02:00:00+14:00", SECONDS(1769860800)},
        {"2026-01-31T00:00:00-12:00", SECONDS(1769860800)},
        {"2026-01-31 12:00:00", SECONDS(1769860800)}, /* ServiceNow: UTC, without a zone */
        {"2026-01-31 12:00:00Z", SECONDS(1769860800)},
        {"2026-01-31T12:00:00", SECONDS(1769860800)},
        {" 2026-01-31T12:00:00Z\n", SECONDS(1769860800)},
        {"2026-01-31", SECONDS(1769817600)},
        {"1970-01-01T00:00:00Z", 0},
        {"1969-12-31T23:59:59Z", SECONDS(-1)},
        {"1970-01-01T00:00:00+00:01", SECONDS(-60)},
        {"2000-02-29T00:00:00Z", SECONDS(951782400)},
        {"2024-02-29T23:59:59Z", SECONDS(1709251199)},
        {"2024-03-01T00:00:00Z", SECONDS(1709251200)},
        {"1900-03-01T00:00:00Z", SECONDS(-2203891200)},
        {"2016-12-31T23:59:60Z", SECONDS(1483228800)}, /* a leap second */
        {"2038-01-19T03:14:08Z", SECONDS(2147483648)},
        {"9999-12-31T23:59:59Z", SECONDS(253402300799)},
        {"0001-01-01T00:00:00Z", SECONDS(-62135596800)},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t at = 1;
        if (!casehook__clock_iso_read(casehook__text(cases[i].text), &at) || at != cases[i].at)
            fail_msg("%s: %lld, not %lld", cases[i].text, (long long)at, (long long)cases[i].at);
    }
}

static void no_dates(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "Z",
        "never",
        "null",
        "2026",
        "2026-01",
        "2026-1-31",
        "26-01-31",
        "20260131",
        "20260131T120000Z",
        "+2026-01-31",
        "-2026-01-31",
        "2026/01/31",
        "31.01.2026",
        "01/31/2026",
        "2026-00-31T12:00:00Z",
        "2026-13-31T12:00:00Z",
        "2026-01-00T12:00:00Z",
        "2026-01-32T12:00:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T12:60:00Z",
        "2026-01-31T12:00:61Z",
        "2026-01-31T1:00:00Z",
        "2026-01-31Z",
        "2026-01-31+01:00",
        "2026-01-31.5",
        "2026-01-31x",
        "2026-01-31T12",
        "2026-01-31T12:0",
        "2026-01-31T12:00:0",
        "2026-01-31T12:00:00 Z",
        "2026-01-31T12:00:00ZZ",
        "2026-01-31T12:00:00Z[UTC]",
        "2026-01-31T12:00:00 UTC",
        "2026-01-31T12:00:00 GMT",
        "2026-01-31T12:00:00+",
        "2026-01-31T12:00:00+1",
        "2026-01-31T12:00:00+01:0",
        "2026-01-31T12:00:00+01:000",
        "2026-01-31T12:00:00+010",
        "2026-01-31T12:00:00CET",
        "2026-01-31T12:00:00.5.5Z",
        "2026-01-31T12:00:00.-5Z",
        "Sat, 31 Jan 2026 12:00:00 GMT",
        "2026-W05-6",
        "2026-031",
        "\xd9\xa2\xd9\xa0\xd9\xa2\xd9\xa6-01-31",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        int64_t at = 77;
        if (casehook__clock_iso_read(casehook__text(texts[i]), &at))
            fail_msg("%s: %lld", texts[i], (long long)at);
        assert_int_equal(at, 77);
    }
}

/* Nothing behind the given length is read: an allocation of that length, for sanitizers. */
static void cut_dates(void **state)
{
    static const char date[] = "2026-01-31T12:00:00.250+01:00";
    (void)state;
    for (size_t length = 0; length < sizeof date; length++) {
        char *copy = malloc(length + 1);
        int64_t at = 0;
        assert_non_null(copy);
        memcpy(copy, date, length);
        char *exact = realloc(copy, length ? length : 1);
        assert_non_null(exact);
        casehook__clock_iso_read((struct casehook__text){exact, length}, &at);
        free(exact);
    }
}

/* Each day of 400 years is one day after the one before. */
static void every_day(void **state)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t before = 0;
    (void)state;
    assert_true(casehook__clock_iso_read(casehook__text("1799-12-31"), &before));
    for (int year = 1800; year < 2200; year++) {
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        for (int month = 1; month <= 12; month++) {
            for (int day = 1; day <= days[month - 1] + (leap && month == 2); day++) {
                char text[48];
                int64_t at = 0;
                snprintf(text, sizeof text, "%04d-%02d-%02d", year, month, day);
                assert_true(casehook__clock_iso_read(casehook__text(text), &at));
                if (at != before + 86400000) fail_msg("%s: %lld", text, (long long)at);
                before = at;
            }
        }
    }
}

/* What the library writes it reads. */
static void own_dates(void **state)
{
    char text[32];
    int64_t before = casehook__clock_unix_ms(), at = 0;
    (void)state;
    casehook__clock_iso(text);
    assert_true(casehook__clock_iso_read(casehook__text(text), &at));
    assert_true(at >= before - before % 1000 && at <= casehook__clock_unix_ms());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_of_trackers), cmocka_unit_test(no_dates),  cmocka_unit_test(cut_dates),
        cmocka_unit_test(every_day),         cmocka_unit_test(own_dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
