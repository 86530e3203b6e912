/* watch.c - one descriptor for all that the outbox waits for, where there is epoll; poll() otherwise. */
#include "outbox/posix.h"

#include "outbox/outbox_private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/epoll.h>
#include <sys/timerfd.h>
#endif

struct casehook__ob_watch {
    int all;               /* epoll; -1: there is none */
    int timer;             /* -1: none */
    int bell[2];           /* a pipe: a byte in it wakes whoever waits */
    atomic_bool rung;      /* there is something in it; set after it was written */
    int store;             /* the descriptor that is watched now; -1: none */
    atomic_bool sees_loop; /* its descriptor is in the set: the host has asked for ours */
    bool given;            /* the host watches ours, and needs the timer */
    int64_t alarm_at;      /* our own clock; negative: none */
};

static int watch_fd(struct casehook__ob_watch *watch, int fd)
{
#if defined(__linux__)
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};
    if (watch->all >= 0 && fd >= 0) return epoll_ctl(watch->all, EPOLL_CTL_ADD, fd, &event);
#else
    (void)watch;
    (void)fd;
#endif
    return 0;
}

static bool open_bell(int bell[2])
{
    if (pipe(bell)) return false;
    for (int i = 0; i < 2; i++) {
        fcntl(bell[i], F_SETFD, FD_CLOEXEC);
        fcntl(bell[i], F_SETFL, O_NONBLOCK);
    }
    return true;
}

int casehook__ob_watch_new(struct casehook_outbox *outbox)
{
    struct casehook__ob_watch *watch = casehook__ob_zeroed(outbox->heap, sizeof *watch);
    if (!watch) return CASEHOOK_E_NO_MEMORY;
    watch->all = watch->timer = watch->bell[0] = watch->bell[1] = watch->store = -1;
    watch->alarm_at = -1;
    outbox->watch = watch;
    if (!open_bell(watch->bell)) return CASEHOOK_E_SYSTEM;
#if defined(__linux__)
    watch->all = epoll_create1(EPOLL_CLOEXEC);
    watch->timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (watch->all < 0 || watch->timer < 0 || watch_fd(watch, watch->timer)) return CASEHOOK_E_SYSTEM;
#endif
    if (watch_fd(watch, watch->bell[0])) return CASEHOOK_E_SYSTEM;
    return CASEHOOK_OK;
}

void casehook__ob_watch_free(struct casehook_outbox *outbox)
{
    struct casehook__ob_watch *watch = outbox->watch;
    if (!watch) return;
    const int all[] = {watch->all, watch->timer, watch->bell[0], watch->bell[1]};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i] >= 0) close(all[i]);
    casehook__ob_release(outbox->heap, watch);
    outbox->watch = NULL;
}

/* A loop whose descriptor was asked for is a little slower. */
static void see_loop(struct casehook_outbox *outbox)
{
    struct casehook__ob_watch *watch = outbox->watch;
    if (!atomic_exchange(&watch->sees_loop, true)) watch_fd(watch, casehook_loop_fd(outbox->loop));
}

int casehook__ob_watch_fd(struct casehook_outbox *outbox)
{
    see_loop(outbox);
    if (!outbox->watch->given) {
        outbox->watch->given = true;
        outbox->watch->alarm_at = -1;
        casehook__ob_watch_alarm(outbox, 0);
    }
    return outbox->watch->all;
}

void casehook__ob_watch_wake(struct casehook_outbox *outbox)
{
    if (!outbox->options.resolve) return;
    while (write(outbox->watch->bell[1], "", 1) < 0 && errno == EINTR) continue; /* full: it rings already */
    atomic_store(&outbox->watch->rung, true);
    if (!atomic_load(&outbox->watch->sees_loop)) casehook_loop_wakeup(outbox->loop);
}

void casehook__ob_watch_calm(struct casehook_outbox *outbox)
{
    char bytes[256];
    if (!atomic_exchange(&outbox->watch->rung, false)) return;
    while (read(outbox->watch->bell[0], bytes, sizeof bytes) == (ssize_t)sizeof bytes) continue;
}

void casehook__ob_watch_alarm(struct casehook_outbox *outbox, int64_t delay_ms)
{
    struct casehook__ob_watch *watch = outbox->watch;
    int64_t now = casehook__ob_clock(), at = delay_ms < 0 ? -1 : now + delay_ms;
    /* Most often it is set already. */
    if (watch->alarm_at > now && at >= watch->alarm_at && at <= watch->alarm_at + 1) return;
    watch->alarm_at = at;
#if defined(__linux__)
    struct itimerspec time = {.it_value = {0, 0}};
    if (!watch->given) return;
    if (delay_ms >= 0) {
        time.it_value.tv_sec = (time_t)(delay_ms / 1000);
        time.it_value.tv_nsec = (long)(delay_ms % 1000) * 1000000;
        if (delay_ms == 0) time.it_value.tv_nsec = 1; /* zero would mean never */
    }
    timerfd_settime(watch->timer, 0, &time, NULL);
#endif
}

void casehook__ob_watch_store(struct casehook_outbox *outbox)
{
    struct casehook__ob_watch *watch = outbox->watch;
    int fd = outbox->store->driver->descriptor(outbox->store);
    /* A connection that was lost took its place in the epoll set with it; another one may have its number. */
    if (fd >= 0 && watch_fd(watch, fd) == 0)
        watch->store = fd;
    else if (fd < 0 || errno != EEXIST)
        watch->store = -1;
}

void casehook__ob_watch_wait(struct casehook_outbox *outbox, int64_t timeout_ms)
{
    struct casehook__ob_watch *watch = outbox->watch;
    int64_t left = watch->alarm_at < 0 ? -1 : watch->alarm_at - casehook__ob_clock();
    if (left < -1) left = 0;
    if (watch->alarm_at >= 0 && left < 0) left = 0;
    if (timeout_ms >= 0 && (left < 0 || timeout_ms < left)) left = timeout_ms;
    /*
     * In a file all that comes from elsewhere is looked for by time, so the loop can wait alone.  A machine
     * that shares a database looks at its clock before it sends, after it may have slept.
     */
    if (!atomic_load(&watch->sees_loop) && outbox->store->driver->alone &&
        atomic_load(&outbox->sending_now)) {
        if (left < 0 || left > outbox->options.poll_ms) left = outbox->options.poll_ms;
        casehook_loop_wait(outbox->loop, (int32_t)left);
        return;
    }
    if (atomic_load(&outbox->sending_now)) see_loop(outbox);
    struct pollfd fds[3] = {{.fd = watch->bell[0], .events = POLLIN}};
    nfds_t count = 1;
    if (watch->all >= 0) {
        fds[0].fd = watch->all;
    } else {
        int64_t loop_ms = casehook_loop_timeout_ms(outbox->loop);
        if (loop_ms >= 0 && (left < 0 || loop_ms < left)) left = loop_ms;
        if (left < 0 || left > 50) left = 50; /* the loop's sockets cannot be watched from here */
        if (watch->store >= 0) fds[count++] = (struct pollfd){.fd = watch->store, .events = POLLIN};
    }
    if (left > 60000) left = 60000;
    poll(fds, count, (int)left);
}
