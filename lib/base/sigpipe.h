/*
 * sigpipe.h - a peer that closes must not kill the host by SIGPIPE.
 *
 * The signal is blocked in the calling thread meanwhile, and one that arose is taken away again.
 */
#ifndef CASEHOOK_SIGPIPE_H
#define CASEHOOK_SIGPIPE_H

#include <signal.h>
#include <stdbool.h>

struct casehook__pipe_guard {
    sigset_t before;
    bool was_pending;
};

void casehook__pipe_guard(struct casehook__pipe_guard *guard);
void casehook__pipe_unguard(const struct casehook__pipe_guard *guard);

#endif
