/*
 * casehook_trace.h - --verbose: how the requests of an operation went, on standard error.
 */
#ifndef CASEHOOK_TRACE_H
#define CASEHOOK_TRACE_H

#include <casehook.h>

/* A line for each request: attempt, the delay before it, times, bytes.  of: "case 17: " in a batch, "" alone.
 */
void trace_requests(const char *of, const struct casehook_result *result);

#endif
