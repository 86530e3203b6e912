/* plan.c - the order of requests of each operation. */
#include "exchange/plan.h"

/* Each one begins with all that may come first: what is known of the case says where to begin. */
const enum casehook__plan_step *casehook__plan(int operation, enum casehook__plan_case known)
{
    static const enum casehook__plan_step create_alone[] = {CASEHOOK__PLAN_FIND, CASEHOOK__PLAN_CREATE,
                                                            CASEHOOK__PLAN_GET, CASEHOOK__PLAN_VIEW,
                                                            CASEHOOK__PLAN_END};
    static const enum casehook__plan_step create_and_comment[] = {
        CASEHOOK__PLAN_FIND, CASEHOOK__PLAN_CREATE,   CASEHOOK__PLAN_GET,
        CASEHOOK__PLAN_VIEW, CASEHOOK__PLAN_COMMENTS, CASEHOOK__PLAN_END};
    static const enum casehook__plan_step update_alone[] = {CASEHOOK__PLAN_UPDATE, CASEHOOK__PLAN_TRANSITION,
                                                            CASEHOOK__PLAN_GET, CASEHOOK__PLAN_VIEW,
                                                            CASEHOOK__PLAN_END};
    static const enum casehook__plan_step update_and_comment[] = {
        CASEHOOK__PLAN_UPDATE, CASEHOOK__PLAN_TRANSITION, CASEHOOK__PLAN_GET,
        CASEHOOK__PLAN_VIEW,   CASEHOOK__PLAN_COMMENTS,   CASEHOOK__PLAN_END};
    static const enum casehook__plan_step get_alone[] = {CASEHOOK__PLAN_GET, CASEHOOK__PLAN_END};
    static const enum casehook__plan_step comment_alone[] = {CASEHOOK__PLAN_COMMENTS, CASEHOOK__PLAN_END};
    bool push = operation == CASEHOOK_PUSH;
    if (operation == CASEHOOK_GET) return get_alone;
    if (operation == CASEHOOK_COMMENT) return comment_alone;
    switch (known) {
    case CASEHOOK__PLAN_OF_KNOWN: return push ? update_and_comment : update_alone;
    case CASEHOOK__PLAN_OF_WRITTEN: return (push ? update_and_comment : update_alone) + 1;
    case CASEHOOK__PLAN_OF_UNKNOWN: return push ? create_and_comment : create_alone;
    default: return (push ? create_and_comment : create_alone) + 1;
    }
}

enum casehook__call casehook__plan_call(enum casehook__plan_step step)
{
    switch (step) {
    case CASEHOOK__PLAN_FIND: return CASEHOOK__CALL_FIND;
    case CASEHOOK__PLAN_CREATE: return CASEHOOK__CALL_CREATE;
    case CASEHOOK__PLAN_UPDATE: return CASEHOOK__CALL_UPDATE;
    case CASEHOOK__PLAN_TRANSITION: return CASEHOOK__CALL_TRANSITION;
    case CASEHOOK__PLAN_GET: return CASEHOOK__CALL_GET;
    default: return CASEHOOK__CALL_COMMENT;
    }
}
