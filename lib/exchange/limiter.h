/*
 * limiter.h - how many requests a connector may make, and whether its tracker is up (D6).
 *
 * One limiter belongs to one connector, whose threads, loops and exchanges share it.
 */
#ifndef CASEHOOK_LIMITER_H
#define CASEHOOK_LIMITER_H

#include "settings/settings.h"

struct casehook__limiter;

/* What one operation has of it; zero in the beginning.  It stays where it is while it is queued. */
struct casehook__place {
    bool waits;   /* it was told to come later; of the operation alone, as the next two */
    bool probing; /* its request tries whether the tracker is up again */
    bool follows; /* others come before it: its turn may come earlier */
    bool queued;  /* under the limiter's lock, as what follows: another operation may give it its turn */
    double turn;  /* those that are queued are in the order of theirs */
    struct casehook__place *before, *behind;
};

enum casehook__admission {
    CASEHOOK__ADMITTED,       /* the request may go out now */
    CASEHOOK__ADMITTED_LATER, /* that is its turn; who asks earlier may find that it comes earlier */
    CASEHOOK__CIRCUIT_OPEN    /* not before that time */
};

enum casehook__health { CASEHOOK__HEALTH_UP, CASEHOOK__HEALTH_DOWN, CASEHOOK__HEALTH_UNTOLD };

/*
 * *limiter is NULL when the settings limit nothing.  request_ms: what a request takes at most; one that tries
 * whether the tracker is up and has not ended by then is forgotten.  OK or NO_MEMORY.
 */
int casehook__limiter_new(struct casehook__heap *heap, const struct casehook__limits *limits,
                          uint64_t request_ms, struct casehook__limiter **limiter);
void casehook__limiter_free(struct casehook__limiter *limiter);

/* Any thread.  now and *at by the operation's clock. */
enum casehook__admission casehook__limiter_ask(struct casehook__limiter *limiter, int64_t now,
                                               struct casehook__place *place, int64_t *at);
/* Whether the circuit is open, before *at, so that asking would be in vain. */
bool casehook__limiter_refuses(struct casehook__limiter *limiter, int64_t now, int64_t *at);
/* The request that was admitted has ended. */
void casehook__limiter_settle(struct casehook__limiter *limiter, int64_t now, struct casehook__place *place,
                              enum casehook__health health);
/* The operation ends, or is given up while it waits. */
void casehook__limiter_leave(struct casehook__limiter *limiter, struct casehook__place *place);

/* For the snapshot of a connector: "closed", "open" or "half_open". */
const char *casehook__limiter_circuit(struct casehook__limiter *limiter, int64_t now);

#endif
