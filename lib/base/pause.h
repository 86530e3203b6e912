/*
 * pause.h - sleeping until a time, or until somebody cancels.
 */
#ifndef CASEHOOK_PAUSE_H
#define CASEHOOK_PAUSE_H

#include "base/cancel.h"

#include <stdint.h>

/* Until then (casehook__clock_ms()), or until cancel, which may be NULL, is set. */
void casehook__pause(int64_t until, struct casehook_cancel *cancel);

/* Something else that may end a sleep. */
struct casehook__alarm {
    void *user;
    /* From now on wake(sleeper) is called, by any thread, when it is to end; false: at once. */
    bool (*set)(void *user, void (*wake)(void *sleeper), void *sleeper);
    void (*clear)(void *user); /* it is not called any more */
};

/* The same, until the alarm; or a little shorter, for no reason. */
void casehook__pause_alarmed(int64_t until, struct casehook_cancel *cancel,
                             const struct casehook__alarm *alarm);

#endif
