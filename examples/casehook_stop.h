/*
 * casehook_stop.h - Ctrl-C stops an operation in order, a second one at once.
 */
#ifndef CASEHOOK_STOP_H
#define CASEHOOK_STOP_H

#include <casehook.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

struct stop {
    struct casehook_cancel *cancel; /* borrowed, or NULL */
    struct casehook_loop *loop;     /* borrowed, or NULL: it is woken */
    atomic_bool asked;
    sigset_t signals, before;
    pthread_t thread;
    bool running;
};

/*
 * Until stop_end() SIGINT, SIGTERM and SIGHUP set cancel and wake the loop.  A thread waits for them, because
 * nothing of the library may be called from a signal handler.  0, or -1 when there is no thread.
 */
int stop_begin(struct stop *stop, struct casehook_cancel *cancel, struct casehook_loop *loop);
/* Whether one of them has come. */
bool stop_asked(struct stop *stop);
void stop_end(struct stop *stop);

#endif
