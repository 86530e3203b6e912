/*
 * casehook_print.h - what the tool says: for people, or as one JSON object.
 */
#ifndef CASEHOOK_PRINT_H
#define CASEHOOK_PRINT_H

#include "casehook_input.h"

#include <casehook.h>

/* For "check": what is wrong with a file, and what may not be meant; NULL when there is none of it. */
void print_check(const struct arguments *arguments, const char *file, const struct casehook_error *faults,
                 const struct casehook_error *warnings);

/* For all other commands; code is what the program will exit with.  False: see print_flush(). */
bool print_result(const struct arguments *arguments, const struct casehook_result *result, int code);

/* When nothing was sent and there is no result: what the library or the tool itself found wrong. */
void print_faults(const struct arguments *arguments, const char *file, const struct casehook_error *faults);
void print_trouble(const struct arguments *arguments, const struct trouble *trouble);

/* Brings out what was printed.  False: that failed, as standard error says the first time. */
bool print_flush(void);
/* On standard error, on one line: the id and the URL of a case whose result cannot be written. */
void print_identity(const struct casehook_result *result);

#endif
