/* clock.c - the two clocks: one that only goes forward, and the calendar. */
#include "base/posix.h"

#include "base/clock.h"
#include "base/digest.h"

#include <time.h>

int64_t casehook__clock_ms(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t casehook__clock_unix_ms(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A number of so many digits and what stands behind it; the end. */
static char *put_digits(char *out, int number, size_t digits, char then)
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
    out = put_digits(out, tm.tm_year + 1900, 4, '-');
    out = put_digits(out, tm.tm_mon + 1, 2, '-');
    out = put_digits(out, tm.tm_mday, 2, 'T');
    out = put_digits(out, tm.tm_hour, 2, ':');
    out = put_digits(out, tm.tm_min, 2, ':');
    out = put_digits(out, tm.tm_sec, 2, '.');
    *put_digits(out, (int)(now.tv_nsec / 1000000), 3, 'Z') = '\0';
}

static int64_t real_now(void *user)
{
    (void)user;
    return casehook__clock_ms();
}

static int64_t real_unix(void *user)
{
    (void)user;
    return casehook__clock_unix_ms();
}

static uint64_t real_random(void *user)
{
    (void)user;
    return casehook__random();
}

const struct casehook__clock casehook__clock_real = {
    .now_ms = real_now, .unix_ms = real_unix, .random = real_random};
