/*
 * tracker_delay.h - answers that come late, while the server goes on with everything else.
 */
#ifndef TRACKER_DELAY_H
#define TRACKER_DELAY_H

#include <pthread.h>
#include <stdbool.h>
#include <microhttpd.h>

struct delays {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    struct delay *first; /* in the order of their times */
    bool running, ending;
};

/* 0, or -1 when there is no thread. */
int delays_begin(struct delays *delays);
/* Suspends the connection for that long; its handler is called again then.  0, or -1: it
 * is not suspended, because memory ran out or the server ends. */
int delays_add(struct delays *delays, struct MHD_Connection *connection, unsigned ms);
/* Lets everything go on at once; before the server is stopped. */
void delays_end(struct delays *delays);

#endif
