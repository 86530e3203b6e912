/*
 * casehook_attempts.h - --max-attempts, which beats the settings of the file.
 */
#ifndef CASEHOOK_ATTEMPTS_H
#define CASEHOOK_ATTEMPTS_H

#include "casehook_input.h"

/* settings: good ones, or empty.  0, or -1: out of memory. */
int attempts_put(const struct document *settings, uint32_t attempts, struct document *joined);

#endif
