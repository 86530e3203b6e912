/* http_log.c - the requests of several servers in the order of their arrival. */
#include "http_server.h"
#include "memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct http_log {
    pthread_mutex_t lock;
    pthread_cond_t grown;
    struct http_request **requests;
    size_t count;
    char **labels;
    size_t label_count;
};

struct http_log *http_log_new(void)
{
    struct http_log *log = must_alloc(sizeof *log);
    pthread_mutex_init(&log->lock, NULL);
    pthread_cond_init(&log->grown, NULL);
    return log;
}

void http_log_lock(struct http_log *log)
{
    pthread_mutex_lock(&log->lock);
}

void http_log_unlock(struct http_log *log)
{
    pthread_mutex_unlock(&log->lock);
}

char *http_log_label(struct http_log *log, const char *text)
{
    http_log_lock(log);
    log->labels = must_grow(log->labels, (log->label_count + 1) * sizeof *log->labels);
    char *label = log->labels[log->label_count++] = must_copy(text, strlen(text));
    http_log_unlock(log);
    return label;
}

/* Takes what request owns; the caller holds the lock. */
struct http_request *http_log_add(struct http_log *log, struct http_request *request)
{
    struct http_request *kept = must_alloc(sizeof *kept);
    *kept = *request;
    kept->number = log->count;
    log->requests = must_grow(log->requests, (log->count + 1) * sizeof *log->requests);
    log->requests[log->count++] = kept;
    pthread_cond_broadcast(&log->grown);
    return kept;
}

size_t http_log_count(struct http_log *log)
{
    http_log_lock(log);
    size_t count = log->count;
    http_log_unlock(log);
    return count;
}

const struct http_request *http_log_at(struct http_log *log, size_t index)
{
    http_log_lock(log);
    const struct http_request *request = index < log->count ? log->requests[index] : NULL;
    http_log_unlock(log);
    return request;
}

int http_log_wait(struct http_log *log, size_t count, unsigned milliseconds)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += milliseconds / 1000 + 1; /* rounded up: it is a bound, not a measure */
    http_log_lock(log);
    while (log->count < count && pthread_cond_timedwait(&log->grown, &log->lock, &end) == 0) continue;
    int reached = log->count >= count;
    http_log_unlock(log);
    return reached ? 0 : -1;
}

void http_log_free(struct http_log *log)
{
    if (!log) return;
    for (size_t i = 0; i < log->count; i++) {
        http_request_clear(log->requests[i]);
        free(log->requests[i]);
    }
    for (size_t i = 0; i < log->label_count; i++) free(log->labels[i]);
    free(log->labels);
    free(log->requests);
    pthread_cond_destroy(&log->grown);
    pthread_mutex_destroy(&log->lock);
    free(log);
}
