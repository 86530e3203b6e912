/* shim.c - the C library's functions with a counter in front of each. */
#define _GNU_SOURCE      /* RTLD_NEXT */
#undef _FILE_OFFSET_BITS /* else fcntl() and open() are other names of fcntl64() and open64() */
#include "shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

static atomic_int armed;
static atomic_uint counts[SHIM_KINDS];
static enum shim_kind failing;
static unsigned first_failing, last_failing;

const char *shim_name(enum shim_kind kind)
{
    static const char *const names[SHIM_KINDS] = {"malloc",       "calloc",         "realloc",
                                                  "socket",       "socketpair",     "pipe",
                                                  "eventfd",      "timerfd_create", "timerfd_settime",
                                                  "epoll_create", "epoll_ctl",      "epoll_wait",
                                                  "poll",         "connect",        "fcntl",
                                                  "setsockopt",   "getsockopt",     "send",
                                                  "recv",         "pthread_create", "open"};
    return names[kind];
}

void shim_arm(enum shim_kind kind, unsigned nth, int for_ever)
{
    for (int i = 0; i < SHIM_KINDS; i++) atomic_store(&counts[i], 0);
    failing = kind;
    first_failing = nth;
    last_failing = for_ever ? ~0u : nth;
    atomic_store(&armed, 1);
}

void shim_off(void)
{
    atomic_store(&armed, 0);
}

unsigned shim_count(enum shim_kind kind)
{
    return atomic_load(&counts[kind]);
}

/* Whether this call is to fail; errno says why. */
static int fails(enum shim_kind kind, int error)
{
    if (!atomic_load(&armed)) return 0;
    unsigned number = atomic_fetch_add(&counts[kind], 1) + 1;
    if (kind != failing || !first_failing || number < first_failing || number > last_failing) return 0;
    errno = error;
    return 1;
}

/* ---- memory ----------------------------------------------------------------------------------- */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *pointer, size_t size);

/*
 * jansson 2.14 takes for granted that memory lasts while it reads a string: it ends the process by an
 * assertion when it does not.  That is beyond this library, so jansson's own calls do not fail.
 */
static const char *jansson_begin, *jansson_end;

static int find_jansson(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size;
    (void)unused;
    if (!strstr(info->dlpi_name, "libjansson")) return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type != PT_LOAD) continue;
        const char *begin = (const char *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
        if (!jansson_begin || begin < jansson_begin) jansson_begin = begin;
        if (begin + info->dlpi_phdr[i].p_memsz > jansson_end)
            jansson_end = begin + info->dlpi_phdr[i].p_memsz;
    }
    return 1;
}

static int is_jansson(const void *caller)
{
    return (const char *)caller >= jansson_begin && (const char *)caller < jansson_end;
}

void *malloc(size_t size)
{
    if (atomic_load(&armed) && is_jansson(__builtin_return_address(0))) return __libc_malloc(size);
    return fails(SHIM_MALLOC, ENOMEM) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails(SHIM_CALLOC, ENOMEM) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *pointer, size_t size)
{
    return fails(SHIM_REALLOC, ENOMEM) ? NULL : __libc_realloc(pointer, size);
}

/* ---- all others: looked up before main(), for the look-up takes memory ------------------------------- */

static struct {
    int (*socket)(int, int, int);
    int (*socketpair)(int, int, int, int[2]);
    int (*pipe)(int[2]);
    int (*pipe2)(int[2], int);
    int (*eventfd)(unsigned, int);
    int (*timerfd_create)(clockid_t, int);
    int (*timerfd_settime)(int, int, const struct itimerspec *, struct itimerspec *);
    int (*epoll_create1)(int);
    int (*epoll_ctl)(int, int, int, struct epoll_event *);
    int (*epoll_wait)(int, struct epoll_event *, int, int);
    int (*poll)(struct pollfd *, nfds_t, int);
    int (*connect)(int, const struct sockaddr *, socklen_t);
    int (*fcntl)(int, int, ...);
    int (*setsockopt)(int, int, int, const void *, socklen_t);
    int (*getsockopt)(int, int, int, void *, socklen_t *);
    ssize_t (*send)(int, const void *, size_t, int);
    ssize_t (*recv)(int, void *, size_t, int);
    int (*pthread_create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    int (*open)(const char *, int, ...);
} real;

/* A pointer to a function out of one to an object, as POSIX has it. */
#define LOOK_UP(name) (*(void **)&real.name = dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void look_up(void)
{
    dl_iterate_phdr(find_jansson, NULL);
    LOOK_UP(socket);
    LOOK_UP(socketpair);
    LOOK_UP(pipe);
    LOOK_UP(pipe2);
    LOOK_UP(eventfd);
    LOOK_UP(timerfd_create);
    LOOK_UP(timerfd_settime);
    LOOK_UP(epoll_create1);
    LOOK_UP(epoll_ctl);
    LOOK_UP(epoll_wait);
    LOOK_UP(poll);
    LOOK_UP(connect);
    LOOK_UP(fcntl);
    LOOK_UP(setsockopt);
    LOOK_UP(getsockopt);
    LOOK_UP(send);
    LOOK_UP(recv);
    LOOK_UP(pthread_create);
    LOOK_UP(open);
}

int socket(int domain, int type, int protocol)
{
    return fails(SHIM_SOCKET, EMFILE) ? -1 : real.socket(domain, type, protocol);
}

int socketpair(int domain, int type, int protocol, int fds[2])
{
    return fails(SHIM_SOCKETPAIR, EMFILE) ? -1 : real.socketpair(domain, type, protocol, fds);
}

int pipe(int fds[2])
{
    return fails(SHIM_PIPE, EMFILE) ? -1 : real.pipe(fds);
}

int pipe2(int fds[2], int flags)
{
    return fails(SHIM_PIPE, EMFILE) ? -1 : real.pipe2(fds, flags);
}

int eventfd(unsigned value, int flags)
{
    return fails(SHIM_EVENTFD, EMFILE) ? -1 : real.eventfd(value, flags);
}

int timerfd_create(clockid_t clock, int flags)
{
    return fails(SHIM_TIMERFD_CREATE, EMFILE) ? -1 : real.timerfd_create(clock, flags);
}

int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old)
{
    return fails(SHIM_TIMERFD_SETTIME, EINVAL) ? -1 : real.timerfd_settime(fd, flags, value, old);
}

int epoll_create1(int flags)
{
    return fails(SHIM_EPOLL_CREATE, EMFILE) ? -1 : real.epoll_create1(flags);
}

int epoll_ctl(int epoll, int what, int fd, struct epoll_event *event)
{
    return fails(SHIM_EPOLL_CTL, ENOSPC) ? -1 : real.epoll_ctl(epoll, what, fd, event);
}

int epoll_wait(int epoll, struct epoll_event *events, int count, int timeout)
{
    return fails(SHIM_EPOLL_WAIT, EINTR) ? -1 : real.epoll_wait(epoll, events, count, timeout);
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
    return fails(SHIM_POLL, ENOMEM) ? -1 : real.poll(fds, count, timeout);
}

/* The C library declares its argument as a union of all kinds of addresses. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
int connect(int fd, const struct sockaddr *address, socklen_t length)
{
    return fails(SHIM_CONNECT, ENETUNREACH) ? -1 : real.connect(fd, address, length);
}
#pragma GCC diagnostic pop

/* Whatever the third argument is, it is passed on as what it is largest. */
int fcntl(int fd, int what, ...)
{
    va_list arguments;
    va_start(arguments, what);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    return fails(SHIM_FCNTL, EINVAL) ? -1 : real.fcntl(fd, what, argument);
}

int fcntl64(int fd, int what, ...);
int fcntl64(int fd, int what, ...)
{
    va_list arguments;
    va_start(arguments, what);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    return fails(SHIM_FCNTL, EINVAL) ? -1 : real.fcntl(fd, what, argument);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
    return fails(SHIM_SETSOCKOPT, ENOPROTOOPT) ? -1 : real.setsockopt(fd, level, name, value, length);
}

int getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict length)
{
    return fails(SHIM_GETSOCKOPT, ENOBUFS) ? -1 : real.getsockopt(fd, level, name, value, length);
}

ssize_t send(int fd, const void *bytes, size_t length, int flags)
{
    return fails(SHIM_SEND, ENOBUFS) ? -1 : real.send(fd, bytes, length, flags);
}

ssize_t recv(int fd, void *bytes, size_t length, int flags)
{
    return fails(SHIM_RECV, ENOMEM) ? -1 : real.recv(fd, bytes, length, flags);
}

int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attributes,
                   void *(*begin)(void *), void *restrict argument)
{
    return fails(SHIM_PTHREAD_CREATE, EAGAIN) ? EAGAIN
                                              : real.pthread_create(thread, attributes, begin, argument);
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    unsigned mode = va_arg(arguments, unsigned);
    va_end(arguments);
    return fails(SHIM_OPEN, EMFILE) ? -1 : real.open(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    unsigned mode = va_arg(arguments, unsigned);
    va_end(arguments);
    return fails(SHIM_OPEN, EMFILE) ? -1 : real.open(path, flags, mode);
}
