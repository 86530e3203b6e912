/* log.c - finished lines for the host's log callback. */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>

struct casehook__log {
    struct casehook__heap *heap;
    atomic_int references;
    int level;
    void *user;
    casehook_log_fn log;
    casehook_destroy_fn destroy;
};

int casehook__log_new(struct casehook__heap *heap, int level, void *user, casehook_log_fn log,
                      casehook_destroy_fn destroy, struct casehook__log **out)
{
    struct casehook__log *new = casehook__calloc(heap, 1, sizeof *new);
    *out = new;
    if (!new) {
        if (destroy) destroy(user);
        return CASEHOOK_E_NO_MEMORY;
    }
    new->heap = casehook__heap_ref(heap);
    atomic_init(&new->references, 1);
    new->level = level;
    new->user = user;
    new->log = log;
    new->destroy = destroy;
    return CASEHOOK_OK;
}

struct casehook__log *casehook__log_ref(struct casehook__log *log)
{
    if (log) atomic_fetch_add_explicit(&log->references, 1, memory_order_relaxed);
    return log;
}

void casehook__log_unref(struct casehook__log *log)
{
    if (!log || atomic_fetch_sub_explicit(&log->references, 1, memory_order_acq_rel) != 1) return;
    struct casehook__heap *heap = log->heap;
    if (log->destroy) log->destroy(log->user);
    casehook__free(heap, log);
    casehook__heap_unref(heap);
}

bool casehook__log_wants(const struct casehook__log *log, int level)
{
    return log && log->log && level <= log->level;
}

void casehook__log_write(const struct casehook__log *log, struct casehook_log_record *record,
                         const char *format, ...)
{
    if (!casehook__log_wants(log, record->level)) return;
    char line[CASEHOOK__ERROR_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    casehook__line_format(line, sizeof line, format, arguments);
    va_end(arguments);
    record->message = line;
    log->log(log->user, record);
    record->message = NULL;
}
