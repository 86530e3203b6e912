/* loop_poll.c - waiting with poll(2), where there is nothing better.  It has no descriptor of its own. */
#include "base/posix.h"

#include "loop/loop_backend.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

struct poll_backend {
    struct casehook__heap *heap;
    int pipe[2];          /* the signal; its reading end is always polls[0] */
    struct pollfd *polls; /* as many as owners */
    uint32_t *owners;
    size_t count, capacity;
    size_t next; /* where the next batch of events begins, so that no socket is always the last */
};

static void poll_close(void *opaque, bool forked)
{
    struct poll_backend *backend = opaque;
    (void)forked;
    for (int i = 0; i < 2; i++)
        if (backend->pipe[i] >= 0) close(backend->pipe[i]);
    casehook__free(backend->heap, backend->polls);
    casehook__free(backend->heap, backend->owners);
    casehook__free(backend->heap, backend);
}

static bool poll_grow(struct poll_backend *backend)
{
    size_t capacity = backend->capacity ? backend->capacity * 2 : 16;
    if (backend->count < backend->capacity) return true;
    void *polls = casehook__realloc(backend->heap, backend->polls, capacity * sizeof *backend->polls);
    if (!polls) return false;
    backend->polls = polls;
    void *owners = casehook__realloc(backend->heap, backend->owners, capacity * sizeof *backend->owners);
    if (!owners) return false;
    backend->owners = owners;
    backend->capacity = capacity;
    return true;
}

static bool poll_add(struct poll_backend *backend, int socket, short events, uint32_t owner)
{
    if (!poll_grow(backend)) return false;
    backend->polls[backend->count] = (struct pollfd){.fd = socket, .events = events};
    backend->owners[backend->count++] = owner;
    return true;
}

static bool poll_open_pipe(struct poll_backend *backend)
{
    if (pipe(backend->pipe) != 0) {
        backend->pipe[0] = backend->pipe[1] = -1;
        return false;
    }
    for (int i = 0; i < 2; i++) {
        fcntl(backend->pipe[i], F_SETFD, FD_CLOEXEC);
        fcntl(backend->pipe[i], F_SETFL, O_NONBLOCK);
    }
    return true;
}

static int poll_open(struct casehook__heap *heap, void **out)
{
    struct poll_backend *backend = *out = casehook__calloc(heap, 1, sizeof *backend);
    if (!backend) return CASEHOOK_E_NO_MEMORY;
    backend->heap = heap;
    int status = poll_open_pipe(backend) ? CASEHOOK_OK : CASEHOOK_E_SYSTEM;
    if (!status && !poll_add(backend, backend->pipe[0], POLLIN, 0)) status = CASEHOOK_E_NO_MEMORY;
    if (!status) return CASEHOOK_OK;
    poll_close(backend, false);
    *out = NULL;
    return status;
}

static int poll_descriptor(const void *opaque)
{
    (void)opaque;
    return -1;
}

static bool poll_watch(void *opaque, int socket, int events, bool fresh, uint32_t owner)
{
    struct poll_backend *backend = opaque;
    short wanted =
        (short)((events & CASEHOOK__READABLE ? POLLIN : 0) | (events & CASEHOOK__WRITABLE ? POLLOUT : 0));
    size_t i = 1;
    (void)fresh;
    while (i < backend->count && backend->polls[i].fd != socket) i++;
    if (i == backend->count) return events == 0 || poll_add(backend, socket, wanted, owner);
    backend->polls[i] = (struct pollfd){.fd = socket, .events = wanted};
    backend->owners[i] = owner;
    if (events == 0) {
        backend->count--;
        backend->polls[i] = backend->polls[backend->count];
        backend->owners[i] = backend->owners[backend->count];
    }
    return true;
}

static void poll_set_timer(void *opaque, int64_t at)
{
    (void)opaque; /* who waits says how long */
    (void)at;
}

static void poll_signal(void *opaque)
{
    struct poll_backend *backend = opaque;
    ssize_t written = write(backend->pipe[1], "", 1);
    (void)written; /* it can only fail when it is full of signals already */
}

static void poll_quiet(void *opaque)
{
    struct poll_backend *backend = opaque;
    char bytes[64];
    while (read(backend->pipe[0], bytes, sizeof bytes) > 0) continue;
}

static int poll_translate(short seen)
{
    return (seen & (POLLIN | POLLHUP) ? CASEHOOK__READABLE : 0) | (seen & POLLOUT ? CASEHOOK__WRITABLE : 0) |
           (seen & (POLLERR | POLLNVAL) ? CASEHOOK__BROKEN : 0);
}

static int poll_wait_ready(void *opaque, int timeout_ms, struct casehook__event *events, int max)
{
    struct poll_backend *backend = opaque;
    int used = 0;
    size_t sockets = backend->count - 1, i = 0;
    int count = poll(backend->polls, (nfds_t)backend->count, timeout_ms);
    for (; i < sockets && used < max && count > 0; i++) {
        size_t at = 1 + (backend->next + i) % sockets;
        if (!backend->polls[at].revents) continue;
        events[used++] = (struct casehook__event){backend->owners[at], backend->polls[at].fd,
                                                  poll_translate(backend->polls[at].revents)};
    }
    backend->next += i;
    return used;
}

const struct casehook__backend_ops casehook__backend_poll = {poll_open,  poll_close,     poll_descriptor,
                                                             poll_watch, poll_set_timer, poll_signal,
                                                             poll_quiet, poll_wait_ready};
