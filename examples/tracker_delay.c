/* tracker_delay.c - a thread that wakes suspended connections. */
#include "tracker_delay.h"

#include <stdlib.h>
#include <time.h>

struct delay {
    struct MHD_Connection *connection;
    struct timespec until;
    struct delay *next;
};

static bool is_before(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

static void *wake(void *user)
{
    struct delays *delays = user;
    pthread_mutex_lock(&delays->lock);
    while (!delays->ending || delays->first) {
        struct delay *first = delays->first;
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (!first) {
            pthread_cond_wait(&delays->changed, &delays->lock);
        } else if (!delays->ending && is_before(&now, &first->until)) {
            pthread_cond_timedwait(&delays->changed, &delays->lock, &first->until);
        } else {
            delays->first = first->next;
            MHD_resume_connection(first->connection);
            free(first);
        }
    }
    pthread_mutex_unlock(&delays->lock);
    return NULL;
}

int delays_begin(struct delays *delays)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes)) return -1;
    bool ready = !pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) &&
                 !pthread_cond_init(&delays->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (!ready || pthread_mutex_init(&delays->lock, NULL)) return -1;
    delays->running = !pthread_create(&delays->thread, NULL, wake, delays);
    return delays->running ? 0 : -1;
}

int delays_add(struct delays *delays, struct MHD_Connection *connection, unsigned ms)
{
    struct delay *fresh = calloc(1, sizeof *fresh), **place = &delays->first;
    if (!fresh) return -1;
    fresh->connection = connection;
    clock_gettime(CLOCK_MONOTONIC, &fresh->until);
    fresh->until.tv_sec += (time_t)(ms / 1000);
    fresh->until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (fresh->until.tv_nsec >= 1000000000) fresh->until.tv_sec++, fresh->until.tv_nsec -= 1000000000;
    pthread_mutex_lock(&delays->lock);
    if (delays->ending) { /* nobody would wake it */
        pthread_mutex_unlock(&delays->lock);
        free(fresh);
        return -1;
    }
    MHD_suspend_connection(connection);
    while (*place && is_before(&(*place)->until, &fresh->until)) place = &(*place)->next;
    fresh->next = *place;
    *place = fresh;
    pthread_cond_signal(&delays->changed);
    pthread_mutex_unlock(&delays->lock);
    return 0;
}

void delays_end(struct delays *delays)
{
    if (!delays->running) return;
    pthread_mutex_lock(&delays->lock);
    delays->ending = true;
    pthread_cond_signal(&delays->changed);
    pthread_mutex_unlock(&delays->lock);
    pthread_join(delays->thread, NULL);
    delays->running = false;
}
