/*
 * plan.h - the order of requests of each operation (R1).
 */
#ifndef CASEHOOK_PLAN_H
#define CASEHOOK_PLAN_H

#include "document/call_kinds.h"

enum casehook__plan_step {
    CASEHOOK__PLAN_END,
    CASEHOOK__PLAN_FIND, /* whether there is such a case already */
    CASEHOOK__PLAN_CREATE,
    CASEHOOK__PLAN_UPDATE,
    CASEHOOK__PLAN_TRANSITION, /* a new status, where that is a request of its own (L1) */
    CASEHOOK__PLAN_GET,
    CASEHOOK__PLAN_VIEW,     /* no request: the URL for people */
    CASEHOOK__PLAN_COMMENTS, /* one request for each that is to be sent */
};

/* What is known about the case when the plan is made. */
enum casehook__plan_case {
    CASEHOOK__PLAN_OF_KNOWN,   /* its id */
    CASEHOOK__PLAN_OF_NEW,     /* there is none */
    CASEHOOK__PLAN_OF_UNKNOWN, /* the tracker is to be asked first (D3) */
    CASEHOOK__PLAN_OF_WRITTEN  /* that it is written, and its id (D5) */
};

/* Its steps, the last one is END. */
const enum casehook__plan_step *casehook__plan(int operation, enum casehook__plan_case known);
/* Of a step with a request. */
enum casehook__call casehook__plan_call(enum casehook__plan_step step);

#endif
