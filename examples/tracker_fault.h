/*
 * tracker_fault.h - what goes wrong on purpose, so that one can see what becomes of it.
 *
 * A fault is ACTION:REQUEST:WHICH.
 *   ACTION   drop-after-commit           does what is asked and closes the connection without an answer
 *            drop-before-commit          closes it without having done anything
 *            status=CODE                 refuses with 400 to 599; status=CODE,retry-after=SECONDS says when
 *                                        to come again
 *            delay=MS                    does it and answers that much later
 *   REQUEST  create, get, update, comment or find
 *   WHICH    a number from 1, counted for each kind of request since the tracker began; 2-4 for several, *
 * for all
 */
#ifndef TRACKER_FAULT_H
#define TRACKER_FAULT_H

#include <stddef.h>

enum fault_action { FAULT_NONE, FAULT_DROP_AFTER, FAULT_DROP_BEFORE, FAULT_STATUS, FAULT_DELAY };
enum fault_request { FAULT_CREATE, FAULT_GET, FAULT_UPDATE, FAULT_COMMENT, FAULT_FIND, FAULT_REQUESTS };
enum { FAULT_MAX = 32 };

struct fault {
    enum fault_action action;
    enum fault_request request;
    unsigned status;
    int retry_after; /* seconds, -1: none */
    unsigned delay_ms;
    unsigned long first, last;
};

struct faults {
    struct fault all[FAULT_MAX];
    size_t count;
    unsigned long seen[FAULT_REQUESTS];
};

/* Adds one.  NULL when it was understood, else what is wrong with it. */
const char *fault_add(struct faults *faults, const char *text);

/* Counts a request and gives the fault that it meets, the first of several; NULL for none.  Borrowed. */
const struct fault *fault_meet(struct faults *faults, enum fault_request request);

#endif
