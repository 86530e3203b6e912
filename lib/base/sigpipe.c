/* sigpipe.c - a peer that closes must not kill the host by SIGPIPE. */
#include "base/posix.h"

#include "base/sigpipe.h"

#include <time.h>

static bool is_pending(void)
{
    sigset_t pending;
    sigemptyset(&pending);
    sigpending(&pending);
    return sigismember(&pending, SIGPIPE) == 1;
}

static void take_pending(const sigset_t *pipe)
{
#if defined(__APPLE__)
    int signal;
    sigwait(pipe, &signal);
#else
    const struct timespec at_once = {0, 0};
    sigtimedwait(pipe, NULL, &at_once);
#endif
}

void casehook__pipe_guard(struct casehook__pipe_guard *guard)
{
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &guard->before);
    /* One that was not blocked cannot have been pending. */
    guard->was_pending = sigismember(&guard->before, SIGPIPE) == 1 && is_pending();
}

void casehook__pipe_unguard(const struct casehook__pipe_guard *guard)
{
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    if (!guard->was_pending && is_pending()) take_pending(&pipe);
    pthread_sigmask(SIG_SETMASK, &guard->before, NULL);
}
