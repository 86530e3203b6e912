/*
 * casehook_report.h - what a batch says: results on standard output, failures and progress on standard error.
 */
#ifndef CASEHOOK_REPORT_H
#define CASEHOOK_REPORT_H

#include <casehook.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct report {
    size_t total;                       /* of cases; 0: not known */
    size_t done, failed, not_attempted; /* done: those that failed, too */
    size_t before, left;                /* done by an earlier run; not touched, for they may have been sent */
    bool output_failed;
    size_t lost;    /* results that could not be written */
    bool lost_case; /* one of them tells of a case that was made */
    int64_t began, shown;
};

void report_begin(struct report *report);
/* {"index": index, "MEMBER": VALUE} */
void report_line(struct report *report, uint64_t index, const char *member, const char *value);
/* Whoever reads the results gets them as they come. */
void report_flush(struct report *report);

/* That a case failed; result NULL: there was no memory for it. */
void report_failure(uint64_t index, const struct casehook_result *result);
/* That a case is not touched. */
void report_left(struct report *report, uint64_t index);
/* The id of a case that was made must not be lost with its result. */
void report_lost(struct report *report, uint64_t index, const struct casehook_result *result);
void report_progress(struct report *report, size_t in_flight, bool last);
/* The closing lines. */
void report_sum(const struct report *report);

#endif
