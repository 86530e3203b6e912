/*
 * shim.h - calls of the C library that fail when they are told to.
 *
 * In a program that exports its symbols these take the place of the C library's, for libcurl, OpenSSL,
 * jansson and the library under test too.  Nothing fails and nothing is counted before shim_arm().
 */
#ifndef TRANSPORT_SHIM_H
#define TRANSPORT_SHIM_H

enum shim_kind {
    SHIM_MALLOC,
    SHIM_CALLOC,
    SHIM_REALLOC,
    SHIM_SOCKET,
    SHIM_SOCKETPAIR,
    SHIM_PIPE,
    SHIM_EVENTFD,
    SHIM_TIMERFD_CREATE,
    SHIM_TIMERFD_SETTIME,
    SHIM_EPOLL_CREATE,
    SHIM_EPOLL_CTL,
    SHIM_EPOLL_WAIT,
    SHIM_POLL,
    SHIM_CONNECT,
    SHIM_FCNTL,
    SHIM_SETSOCKOPT,
    SHIM_GETSOCKOPT,
    SHIM_SEND,
    SHIM_RECV,
    SHIM_PTHREAD_CREATE,
    SHIM_OPEN,
    SHIM_KINDS
};

const char *shim_name(enum shim_kind kind);

/* From now on calls are counted; the nth of that kind fails (0: none), or for_ever it and all behind it. */
void shim_arm(enum shim_kind kind, unsigned nth, int for_ever);
void shim_off(void);
/* Calls since shim_arm(). */
unsigned shim_count(enum shim_kind kind);

#endif
