/* loop_epoll.c - waiting with epoll, timerfd and eventfd (Linux). */
#include "base/posix.h"

#include "loop/loop_backend.h"

#if defined(__linux__)

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* Owners of our own descriptors; those of sockets are smaller. */
#define OWNER_SIGNAL UINT32_MAX
#define OWNER_TIMER  (UINT32_MAX - 1)

#define EPOLL_BATCH 128

struct epoll_backend {
    struct casehook__heap *heap;
    int epoll, signal, timer;
    int64_t armed; /* the time that the timer is set to */
};

static int control(struct epoll_backend *backend, int operation, int descriptor, uint32_t events,
                   uint32_t owner)
{
    struct epoll_event event = {.events = events};
    event.data.u64 = (uint64_t)owner << 32 | (uint32_t)descriptor;
    return epoll_ctl(backend->epoll, operation, descriptor, &event);
}

static void epoll_close(void *opaque, bool forked)
{
    struct epoll_backend *backend = opaque;
    (void)forked; /* closing these in a child takes nothing from the parent */
    if (backend->timer >= 0) close(backend->timer);
    if (backend->signal >= 0) close(backend->signal);
    if (backend->epoll >= 0) close(backend->epoll);
    casehook__free(backend->heap, backend);
}

static int epoll_open(struct casehook__heap *heap, void **out)
{
    struct epoll_backend *backend = *out = casehook__calloc(heap, 1, sizeof *backend);
    if (!backend) return CASEHOOK_E_NO_MEMORY;
    backend->heap = heap;
    backend->armed = CASEHOOK__NO_DEADLINE;
    backend->epoll = epoll_create1(EPOLL_CLOEXEC);
    backend->signal = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    backend->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (backend->epoll >= 0 && backend->signal >= 0 && backend->timer >= 0 &&
        control(backend, EPOLL_CTL_ADD, backend->signal, EPOLLIN, OWNER_SIGNAL) == 0 &&
        control(backend, EPOLL_CTL_ADD, backend->timer, EPOLLIN, OWNER_TIMER) == 0)
        return CASEHOOK_OK;
    epoll_close(backend, false);
    *out = NULL;
    return CASEHOOK_E_SYSTEM;
}

static int epoll_descriptor(const void *opaque)
{
    const struct epoll_backend *backend = opaque;
    return backend->epoll;
}

static bool epoll_watch(void *opaque, int socket, int events, bool fresh, uint32_t owner)
{
    struct epoll_backend *backend = opaque;
    uint32_t wanted = (events & CASEHOOK__READABLE ? (uint32_t)EPOLLIN : 0) |
                      (events & CASEHOOK__WRITABLE ? (uint32_t)EPOLLOUT : 0);
    if (!events) {
        /*
         * libcurl closes the sockets of attempts to connect that lost against another, and tells so only at
         * the end of the same call.  By then another thread of the host may have a descriptor of that number:
         * it is not in our set, so this fails and does no harm.  Sockets of other clients are opened by this
         * thread alone, in other calls.
         */
        control(backend, EPOLL_CTL_DEL, socket, 0, 0);
        return true;
    }
    /* What was refused once, or what libcurl knows under another name, may be the other way round. */
    if (control(backend, fresh ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, socket, wanted, owner) == 0) return true;
    if (errno != ENOENT && errno != EEXIST) return false;
    return control(backend, fresh ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket, wanted, owner) == 0;
}

static void epoll_set_timer(void *opaque, int64_t at)
{
    struct epoll_backend *backend = opaque;
    struct itimerspec when = {{0, 0}, {0, 0}};
    if (at >= backend->armed && at != CASEHOOK__NO_DEADLINE) return; /* it is looked at again then */
    if (at == backend->armed) return;
    backend->armed = at;
    if (at != CASEHOOK__NO_DEADLINE) {
        if (at < 1) at = 1; /* all zero would switch it off */
        when.it_value.tv_sec = (time_t)(at / 1000);
        when.it_value.tv_nsec = (long)(at % 1000) * 1000000;
    }
    timerfd_settime(backend->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static void epoll_signal(void *opaque)
{
    struct epoll_backend *backend = opaque;
    const uint64_t one = 1;
    ssize_t written = write(backend->signal, &one, sizeof one);
    (void)written; /* it can only fail when it is set already */
}

static void epoll_quiet(void *opaque)
{
    struct epoll_backend *backend = opaque;
    uint64_t count;
    ssize_t taken = read(backend->signal, &count, sizeof count);
    (void)taken;
}

static void take_timer(struct epoll_backend *backend)
{
    uint64_t count;
    ssize_t taken = read(backend->timer, &count, sizeof count);
    (void)taken;
    backend->armed = CASEHOOK__NO_DEADLINE;
}

static int epoll_wait_ready(void *opaque, int timeout_ms, struct casehook__event *events, int max)
{
    struct epoll_backend *backend = opaque;
    struct epoll_event seen[EPOLL_BATCH];
    int used = 0;
    int count = epoll_wait(backend->epoll, seen, max < EPOLL_BATCH ? max : EPOLL_BATCH, timeout_ms);
    for (int i = 0; i < count; i++) {
        uint32_t owner = (uint32_t)(seen[i].data.u64 >> 32), what = seen[i].events;
        if (owner == OWNER_TIMER) take_timer(backend);
        if (owner >= OWNER_TIMER) continue;
        struct casehook__event *event = &events[used++];
        event->owner = owner;
        event->socket = (int)(uint32_t)seen[i].data.u64;
        event->events = (what & (EPOLLIN | EPOLLHUP) ? CASEHOOK__READABLE : 0) |
                        (what & EPOLLOUT ? CASEHOOK__WRITABLE : 0) | (what & EPOLLERR ? CASEHOOK__BROKEN : 0);
    }
    return used;
}

const struct casehook__backend_ops casehook__backend_epoll = {epoll_open,  epoll_close,     epoll_descriptor,
                                                              epoll_watch, epoll_set_timer, epoll_signal,
                                                              epoll_quiet, epoll_wait_ready};

#else
typedef int casehook__backend_epoll_is_for_linux; /* a file of C may not be empty */
#endif
