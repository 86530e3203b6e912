/*
 * log.h - lines on standard error, in the journal's levels where it is not a terminal.
 */
#ifndef CASEHOOKD_LOG_H
#define CASEHOOKD_LOG_H

#include <casehook.h>

/* Lines of this level and below are written: CASEHOOK_LOG_*.  Set before there are threads, or by the main
 * one. */
void log_set_level(int level);
int log_level(void);

/* One line; control characters are shown, never sent.  Any thread. */
void log_line(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What the outbox tells: a casehook_log_fn. */
void log_record(void *user, const struct casehook_log_record *record);
/* What connectors tell: single requests are for debugging, as the outbox says what became of an entry. */
void log_request(void *user, const struct casehook_log_record *record);

#endif
