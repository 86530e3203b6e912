/*
 * loop_backend.h - how a loop waits for sockets, for a time and for other threads.
 *
 * Only signal is called from other threads.
 */
#ifndef CASEHOOK_LOOP_BACKEND_H
#define CASEHOOK_LOOP_BACKEND_H

#include "transport/transport.h"

struct casehook__event {
    uint32_t owner; /* as it was given to watch */
    int socket;
    int events; /* CASEHOOK__READABLE ... */
};

/* backend: what open made, of a type that each keeps to itself. */
struct casehook__backend_ops {
    /* Errors: NO_MEMORY, SYSTEM. */
    int (*open)(struct casehook__heap *heap, void **backend);
    /* forked: in a child process, where the parent's descriptors must not suffer. */
    void (*close)(void *backend, bool forked);
    /* One descriptor that is readable when wait would not wait; -1: there is none. */
    int (*descriptor)(const void *backend);
    /* What to look out for on a socket, 0: nothing; fresh: nothing until now.  False: the system refused. */
    bool (*watch)(void *backend, int socket, int events, bool fresh, uint32_t owner);
    /* The descriptor is readable then (casehook__clock_ms()), or at an earlier time that was set before. */
    void (*set_timer)(void *backend, int64_t at);
    /* Ends a wait, now or the next one; the descriptor is readable until quiet. */
    void (*signal)(void *backend);
    void (*quiet)(void *backend);
    /* -1 as timeout_ms: no limit.  How many events there are. */
    int (*wait)(void *backend, int timeout_ms, struct casehook__event *events, int max);
};

#if defined(__linux__)
extern const struct casehook__backend_ops casehook__backend_epoll;
#endif
extern const struct casehook__backend_ops casehook__backend_poll; /* without one descriptor */

#endif
