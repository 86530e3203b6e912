/*
 * clock.h - the two clocks: one that only goes forward, and the calendar.
 */
#ifndef CASEHOOK_CLOCK_H
#define CASEHOOK_CLOCK_H

#include "text.h"

/* Milliseconds of a clock that only goes forward. */
int64_t casehook__clock_ms(void);

/* "2026-01-31T12:00:00.000Z" of now, into 25 bytes. */
void casehook__clock_iso(char out[32]);

/* A Retry-After value (seconds or an HTTP date) as ms from now; -1 when it is neither.  At most one year. */
int64_t casehook__clock_retry_after(struct casehook__text value);

#endif
