/* report.h - what one vector came to, readable. */
#ifndef CONFORMANCE_REPORT_H
#define CONFORMANCE_REPORT_H

#include <stddef.h>
#include <stdio.h>

enum verdict { VERDICT_PASSED, VERDICT_FAILED, VERDICT_SKIPPED };

struct report {
    char *text; /* complete after report_end */
    size_t length;
    FILE *out;
    int problems;
    int skipped;
    const char *way; /* "struct" or "json": how the params were given */
};

void report_begin(struct report *report);
enum verdict report_end(struct report *report);
void report_clear(struct report *report);

void report_skip(struct report *report, const char *reason);

#if defined(__GNUC__)
#define REPORT_FORMAT(at) __attribute__((format(printf, at, (at) + 1)))
#else
#define REPORT_FORMAT(at)
#endif

/* A difference: what, and both sides.  NULL for a text means that there is none. */
void report_texts(struct report *report, const char *what, const char *expected, const char *actual);
void report_bytes(struct report *report, const char *what, const char *expected, size_t expected_length,
                  const char *actual, size_t actual_length);
void report_problem(struct report *report, const char *format, ...) REPORT_FORMAT(2);
/* Not a problem of its own, but of use next to one. */
void report_note(struct report *report, const char *format, ...) REPORT_FORMAT(2);

#endif
