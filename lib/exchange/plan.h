/*
 * plan.h - the order of requests of each operation (R1).
 */
#ifndef CASEHOOK_PLAN_H
#define CASEHOOK_PLAN_H

#include "document/call_kinds.h"

enum casehook__plan_step {
    CASEHOOK__PLAN_END,
    CASEHOOK__PLAN_CREATE,
    CASEHOOK__PLAN_UPDATE,
    CASEHOOK__PLAN_GET,
    CASEHOOK__PLAN_VIEW,     /* no request: the URL for people */
    CASEHOOK__PLAN_COMMENTS, /* one request for each that is to be sent */
};

/* Its steps, the last one is END.  is_new: there is no case yet. */
const enum casehook__plan_step *casehook__plan(int operation, bool is_new);
/* Of a step with a request. */
enum casehook__call casehook__plan_call(enum casehook__plan_step step);

#endif
