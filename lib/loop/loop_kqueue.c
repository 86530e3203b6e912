/*
 * loop_kqueue.c - waiting with kqueue (BSD, macOS).
 *
 * Written after the manual pages; it has not run yet, the systems that the tests run on have no kqueue.
 */
#if defined(__APPLE__)
#define _DARWIN_C_SOURCE
#else
#undef _POSIX_C_SOURCE /* on the BSDs it would hide what is used here */
#endif

#include "loop/loop_backend.h"

#if defined(CASEHOOK__HAVE_KQUEUE)

#include "base/clock.h"

#include <fcntl.h>
#include <sys/types.h>
#include <sys/event.h>
#include <sys/time.h>
#include <unistd.h>

#define BATCH 128

struct casehook__backend {
    struct casehook__heap *heap;
    int kqueue;
    int pipe[2]; /* the signal: EVFILT_USER is missing on some of these systems */
    int64_t armed;
};

static int change(struct casehook__backend *backend, uintptr_t ident, int filter, int flags, int64_t data,
                  uint32_t owner)
{
    struct kevent event;
    EV_SET(&event, ident, (short)filter, (unsigned short)flags, 0, (intptr_t)data, (void *)(uintptr_t)owner);
    return kevent(backend->kqueue, &event, 1, NULL, 0, NULL);
}

static void close_backend(struct casehook__backend *backend, bool forked)
{
    for (int i = 0; i < 2; i++)
        if (backend->pipe[i] >= 0) close(backend->pipe[i]);
    /* A child does not inherit it: its number may be something else there. */
    if (backend->kqueue >= 0 && !forked) close(backend->kqueue);
    casehook__free(backend->heap, backend);
}

static bool open_pipe(struct casehook__backend *backend)
{
    if (pipe(backend->pipe) != 0) {
        backend->pipe[0] = backend->pipe[1] = -1;
        return false;
    }
    for (int i = 0; i < 2; i++) {
        fcntl(backend->pipe[i], F_SETFD, FD_CLOEXEC);
        fcntl(backend->pipe[i], F_SETFL, O_NONBLOCK);
    }
    return change(backend, (uintptr_t)backend->pipe[0], EVFILT_READ, EV_ADD, 0, 0) == 0;
}

static int open_backend(struct casehook__heap *heap, struct casehook__backend **out)
{
    struct casehook__backend *backend = *out = casehook__calloc(heap, 1, sizeof *backend);
    if (!backend) return CASEHOOK_E_NO_MEMORY;
    backend->heap = heap;
    backend->armed = CASEHOOK__NO_DEADLINE;
    backend->pipe[0] = backend->pipe[1] = -1;
    backend->kqueue = kqueue();
    if (backend->kqueue >= 0) fcntl(backend->kqueue, F_SETFD, FD_CLOEXEC);
    if (backend->kqueue >= 0 && open_pipe(backend)) return CASEHOOK_OK;
    close_backend(backend, false);
    *out = NULL;
    return CASEHOOK_E_SYSTEM;
}

static int descriptor(const struct casehook__backend *backend)
{
    return backend->kqueue;
}

/* A filter that is not there cannot be deleted: that is no fault. */
static bool want(struct casehook__backend *backend, int socket, int filter, bool wanted, uint32_t owner)
{
    if (change(backend, (uintptr_t)socket, filter, wanted ? EV_ADD : EV_DELETE, 0, owner) == 0) return true;
    return !wanted;
}

static bool watch(struct casehook__backend *backend, int socket, int events, bool fresh, uint32_t owner)
{
    (void)fresh;
    bool reads = want(backend, socket, EVFILT_READ, events & CASEHOOK__READABLE, owner);
    return want(backend, socket, EVFILT_WRITE, events & CASEHOOK__WRITABLE, owner) && reads;
}

static void set_timer(struct casehook__backend *backend, int64_t at)
{
    if (at >= backend->armed && at != CASEHOOK__NO_DEADLINE) return; /* it is looked at again then */
    if (at == backend->armed) return;
    backend->armed = at;
    if (at == CASEHOOK__NO_DEADLINE) {
        change(backend, 0, EVFILT_TIMER, EV_DELETE, 0, 0);
        return;
    }
    int64_t left = at - casehook__clock_ms();
    change(backend, 0, EVFILT_TIMER, EV_ADD | EV_ONESHOT, left > 0 ? left : 1, 0);
}

static void send_signal(struct casehook__backend *backend)
{
    ssize_t written = write(backend->pipe[1], "", 1);
    (void)written;
}

static void quiet(struct casehook__backend *backend)
{
    char bytes[64];
    while (read(backend->pipe[0], bytes, sizeof bytes) > 0) continue;
}

static int translate(const struct kevent *seen)
{
    int events = seen->filter == EVFILT_WRITE ? CASEHOOK__WRITABLE : CASEHOOK__READABLE;
    if (seen->flags & EV_ERROR) events |= CASEHOOK__BROKEN;
    return events;
}

static int wait_backend(struct casehook__backend *backend, int timeout_ms, struct casehook__event *events,
                        int max)
{
    struct kevent seen[BATCH];
    struct timespec time = {timeout_ms / 1000, (long)(timeout_ms % 1000) * 1000000};
    int used = 0;
    int count =
        kevent(backend->kqueue, NULL, 0, seen, max < BATCH ? max : BATCH, timeout_ms < 0 ? NULL : &time);
    for (int i = 0; i < count; i++) {
        if (seen[i].filter == EVFILT_TIMER) backend->armed = CASEHOOK__NO_DEADLINE;
        if (seen[i].filter == EVFILT_TIMER || seen[i].ident == (uintptr_t)backend->pipe[0]) continue;
        events[used++] = (struct casehook__event){(uint32_t)(uintptr_t)seen[i].udata, (int)seen[i].ident,
                                                  translate(&seen[i])};
    }
    return used;
}

const struct casehook__backend_ops casehook__backend_kqueue = {
    open_backend, close_backend, descriptor, watch, set_timer, send_signal, quiet, wait_backend};

#endif
