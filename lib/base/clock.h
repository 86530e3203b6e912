/*
 * clock.h - the two clocks: one that only goes forward, and the calendar.
 */
#ifndef CASEHOOK_CLOCK_H
#define CASEHOOK_CLOCK_H

#include "base/text.h"

#define CASEHOOK__NO_DEADLINE INT64_MAX /* of times in milliseconds */

/* Milliseconds of a clock that only goes forward. */
int64_t casehook__clock_ms(void);

/* "2026-01-31T12:00:00.000Z" of now, into 25 bytes. */
void casehook__clock_iso(char out[32]);

/* Milliseconds since 1970. */
int64_t casehook__clock_unix_ms(void);

/*
 * A Retry-After value as ms from now (seconds since 1970); -1 when it is none.  Seconds, or a date in one of
 * the three forms of HTTP; a date in the past is 0, more than a year is a year.
 */
int64_t casehook__clock_retry_after(struct casehook__text value, int64_t now);

/*
 * "2026-01-31T12:00:00.000Z" and its kin as ms since 1970; false: it is none.  Without a zone it is UTC, a
 * fraction of a second is dropped.
 */
bool casehook__clock_iso_read(struct casehook__text text, int64_t *unix_ms);

/*
 * Time and chance as an operation meets them: tests put their own in the place of the real ones, and need not
 * wait.
 */
struct casehook__clock {
    void *user;
    int64_t (*now_ms)(void *user); /* as casehook__clock_ms() */
    int64_t (*unix_ms)(void *user);
    uint64_t (*random)(void *user); /* any number as likely as any other */
};
extern const struct casehook__clock casehook__clock_real;

#endif
