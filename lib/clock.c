/* clock.c - the two clocks: one that only goes forward, and the calendar. */
#include "clock.h"

#include <time.h>

#define YEAR_MS INT64_C(31536000000)

int64_t casehook__clock_ms(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A number of so many digits and what stands behind it; the end. */
static char *put(char *out, int number, size_t digits, char then)
{
    for (size_t i = digits; i-- > 0; number /= 10) out[i] = (char)('0' + number % 10);
    out[digits] = then;
    return out + digits + 1;
}

void casehook__clock_iso(char out[32])
{
    struct timespec now = {0};
    struct tm tm = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    if (!gmtime_r(&now.tv_sec, &tm)) memset(&tm, 0, sizeof tm);
    out = put(out, tm.tm_year + 1900, 4, '-');
    out = put(out, tm.tm_mon + 1, 2, '-');
    out = put(out, tm.tm_mday, 2, 'T');
    out = put(out, tm.tm_hour, 2, ':');
    out = put(out, tm.tm_min, 2, ':');
    out = put(out, tm.tm_sec, 2, '.');
    *put(out, (int)(now.tv_nsec / 1000000), 3, 'Z') = '\0';
}

/* Days from 1970-01-01 in the Gregorian calendar, month 1-12. */
static int64_t days_since_epoch(int64_t year, int64_t month, int64_t day)
{
    if (month <= 2) {
        year--;
        month += 12;
    }
    return 365 * year + year / 4 - year / 100 + year / 400 + (153 * (month - 3) + 2) / 5 + day - 719469;
}

/* Two or four digits at text[at]. */
static bool digits(struct casehook__text text, size_t at, size_t count, int64_t *value)
{
    uint64_t number = 0;
    if (!casehook__text_number((struct casehook__text){text.data + at, count}, 9999, &number)) return false;
    *value = (int64_t)number;
    return true;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT", the one form that servers may still make. */
static int64_t http_date(struct casehook__text text)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int64_t day, year, hour, minute, second, month = 0;
    if (text.length != 29 || memcmp(text.data + 25, " GMT", 4) != 0) return -1;
    while (month < 12 && memcmp(months + 3 * month, text.data + 8, 3) != 0) month++;
    if (month == 12 || !digits(text, 5, 2, &day) || !digits(text, 12, 4, &year) ||
        !digits(text, 17, 2, &hour) || !digits(text, 20, 2, &minute) || !digits(text, 23, 2, &second))
        return -1;
    return ((days_since_epoch(year, month + 1, day) * 24 + hour) * 60 + minute) * 60 + second;
}

int64_t casehook__clock_retry_after(struct casehook__text value)
{
    uint64_t seconds = 0;
    value = casehook__text_trim(value);
    if (casehook__text_number(value, (uint64_t)YEAR_MS / 1000, &seconds)) return (int64_t)seconds * 1000;
    int64_t at = http_date(value);
    if (at < 0) return -1;
    int64_t wait = (at - (int64_t)time(NULL)) * 1000;
    return wait < 0 ? 0 : wait > YEAR_MS ? YEAR_MS : wait;
}
