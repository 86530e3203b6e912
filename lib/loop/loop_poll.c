/* loop_poll.c - waiting with poll(2), where there is nothing better.  It has no descriptor of its own. */
#include "loop/loop_backend.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

struct casehook__backend {
    struct casehook__heap *heap;
    int pipe[2];          /* the signal; its reading end is always polls[0] */
    struct pollfd *polls; /* as many as owners */
    uint32_t *owners;
    size_t count, capacity;
    size_t next; /* where the next batch of events begins, so that no socket is always the last */
};

static void close_backend(struct casehook__backend *backend, bool forked)
{
    (void)forked;
    for (int i = 0; i < 2; i++)
        if (backend->pipe[i] >= 0) close(backend->pipe[i]);
    casehook__free(backend->heap, backend->polls);
    casehook__free(backend->heap, backend->owners);
    casehook__free(backend->heap, backend);
}

static bool grow(struct casehook__backend *backend)
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

static bool add(struct casehook__backend *backend, int socket, short events, uint32_t owner)
{
    if (!grow(backend)) return false;
    backend->polls[backend->count] = (struct pollfd){.fd = socket, .events = events};
    backend->owners[backend->count++] = owner;
    return true;
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
    return true;
}

static int open_backend(struct casehook__heap *heap, struct casehook__backend **out)
{
    struct casehook__backend *backend = *out = casehook__calloc(heap, 1, sizeof *backend);
    if (!backend) return CASEHOOK_E_NO_MEMORY;
    backend->heap = heap;
    int status = open_pipe(backend) ? CASEHOOK_OK : CASEHOOK_E_SYSTEM;
    if (!status && !add(backend, backend->pipe[0], POLLIN, 0)) status = CASEHOOK_E_NO_MEMORY;
    if (!status) return CASEHOOK_OK;
    close_backend(backend, false);
    *out = NULL;
    return status;
}

static int descriptor(const struct casehook__backend *backend)
{
    (void)backend;
    return -1;
}

static bool watch(struct casehook__backend *backend, int socket, int events, bool fresh, uint32_t owner)
{
    short wanted =
        (short)((events & CASEHOOK__READABLE ? POLLIN : 0) | (events & CASEHOOK__WRITABLE ? POLLOUT : 0));
    size_t i = 1;
    (void)fresh;
    while (i < backend->count && backend->polls[i].fd != socket) i++;
    if (i == backend->count) return events == 0 || add(backend, socket, wanted, owner);
    backend->polls[i] = (struct pollfd){.fd = socket, .events = wanted};
    backend->owners[i] = owner;
    if (events == 0) {
        backend->count--;
        backend->polls[i] = backend->polls[backend->count];
        backend->owners[i] = backend->owners[backend->count];
    }
    return true;
}

static void set_timer(struct casehook__backend *backend, int64_t at)
{
    (void)backend; /* who waits says how long */
    (void)at;
}

static void send_signal(struct casehook__backend *backend)
{
    ssize_t written = write(backend->pipe[1], "", 1);
    (void)written; /* it can only fail when it is full of signals already */
}

static void quiet(struct casehook__backend *backend)
{
    char bytes[64];
    while (read(backend->pipe[0], bytes, sizeof bytes) > 0) continue;
}

static int translate(short seen)
{
    return (seen & (POLLIN | POLLHUP) ? CASEHOOK__READABLE : 0) | (seen & POLLOUT ? CASEHOOK__WRITABLE : 0) |
           (seen & (POLLERR | POLLNVAL) ? CASEHOOK__BROKEN : 0);
}

static int wait_backend(struct casehook__backend *backend, int timeout_ms, struct casehook__event *events,
                        int max)
{
    int used = 0;
    size_t sockets = backend->count - 1, i = 0;
    int count = poll(backend->polls, (nfds_t)backend->count, timeout_ms);
    for (; i < sockets && used < max && count > 0; i++) {
        size_t at = 1 + (backend->next + i) % sockets;
        if (!backend->polls[at].revents) continue;
        events[used++] = (struct casehook__event){backend->owners[at], backend->polls[at].fd,
                                                  translate(backend->polls[at].revents)};
    }
    backend->next += i;
    return used;
}

const struct casehook__backend_ops casehook__backend_poll = {
    open_backend, close_backend, descriptor, watch, set_timer, send_signal, quiet, wait_backend};
