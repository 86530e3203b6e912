/*
 * pause.h - sleeping until a time, or until somebody cancels.
 */
#ifndef CASEHOOK_PAUSE_H
#define CASEHOOK_PAUSE_H

#include "base/cancel.h"

#include <stdint.h>

/* Until then (casehook__clock_ms()), or until cancel, which may be NULL, is set. */
void casehook__pause(int64_t until, struct casehook_cancel *cancel);

#endif
