/*
 * log.h - finished lines for the host's log callback.
 */
#ifndef CASEHOOK_LOG_H
#define CASEHOOK_LOG_H

#include "base/alloc.h"
#include "base/error.h"

struct casehook__log;

/* After NO_MEMORY destroy has been called. */
int casehook__log_new(struct casehook__heap *heap, int level, void *user, casehook_log_fn log,
                      casehook_destroy_fn destroy, struct casehook__log **out);
struct casehook__log *casehook__log_ref(struct casehook__log *log);
void casehook__log_unref(struct casehook__log *log);

/* Whether a line of this level would be seen; log may be NULL. */
bool casehook__log_wants(const struct casehook__log *log, int level);
/* One line, cleaned as error messages are, for its record.  What it holds must be free of secrets. */
void casehook__log_write(const struct casehook__log *log, struct casehook_log_record *record,
                         const char *format, ...) CASEHOOK__FORMAT(3, 4);

#endif
