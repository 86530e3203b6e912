/*
 * reuse.h - what is known of how an origin keeps its connections (H7).
 *
 * Many servers close a connection soon after an answer without announcing it.  A write that is on its way
 * then is lost and its outcome unknown, so it goes out on a kept connection only where keeping was seen to
 * work.  Any number of threads use one of these at once; what they note is advice, not a lock.
 */
#ifndef CASEHOOK_REUSE_H
#define CASEHOOK_REUSE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Setting reuseConnections. */
enum casehook__reuse_mode { CASEHOOK__REUSE_PROVEN, CASEHOOK__REUSE_ALWAYS, CASEHOOK__REUSE_NEVER };

/* All zero: nothing is known.  Times are of casehook__clock_ms(). */
struct casehook__reuse {
    _Atomic uint32_t proofs; /* answers on kept connections since the last silent close */
    _Atomic uint32_t wanted; /* so many make the origin one that keeps */
    _Atomic int64_t proved_at, closed_at;
    _Atomic int64_t rest_limit; /* ms: connections that had rested for longer were found closed */
};

/* What is known of one kept connection. */
struct casehook__kept {
    unsigned answers;      /* that came on it */
    int64_t rested_ms;     /* since the last one */
    int64_t promise_until; /* by its Keep-Alive header; 0: it has given none */
};

/* A kept connection has answered another request. */
void casehook__reuse_proved(struct casehook__reuse *reuse, int64_t now);
/* A kept connection was found closed, or died before an answer began. */
void casehook__reuse_closed(struct casehook__reuse *reuse, int64_t rested_ms, int64_t now);
/* May some kept connection be good enough for a write?  False: it is not worth looking for one. */
bool casehook__reuse_is_proven(const struct casehook__reuse *reuse, int64_t now);
/* May a write go out on this one? */
bool casehook__reuse_may_write(const struct casehook__reuse *reuse, const struct casehook__kept *kept,
                               int64_t now);

#endif
