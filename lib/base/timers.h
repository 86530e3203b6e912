/*
 * timers.h - things that are due at a time, the earliest one first: a pairing heap without memory of its own.
 *
 * Setting a timer costs a few instructions, taking one out the logarithm of their number on average.
 */
#ifndef CASEHOOK_TIMERS_H
#define CASEHOOK_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

/* Lies in the thing that is due; all zero: not set. */
struct casehook__timer {
    int64_t at;
    bool set;
    struct casehook__timer *child, *next; /* the first one below it, the next one beside it */
    struct casehook__timer *before;       /* the one beside it, of the first one the one above */
};

struct casehook__timers {
    struct casehook__timer *first; /* the earliest, NULL when there is none */
};

/* Sets it, or sets it anew. */
void casehook__timer_set(struct casehook__timers *timers, struct casehook__timer *timer, int64_t at);
/* Takes it out; no harm when it is not set. */
void casehook__timer_clear(struct casehook__timers *timers, struct casehook__timer *timer);
/* The time of the earliest; INT64_MAX when there is none. */
int64_t casehook__timers_next(const struct casehook__timers *timers);

#endif
