/* plan.c - the order of requests of each operation. */
#include "exchange/plan.h"

#define STEPS_MAX 5

const enum casehook__plan_step *casehook__plan(int operation, bool is_new)
{
    static const enum casehook__plan_step plans[][STEPS_MAX] = {
        [CASEHOOK_CREATE] = {CASEHOOK__PLAN_CREATE, CASEHOOK__PLAN_GET, CASEHOOK__PLAN_VIEW},
        [CASEHOOK_GET] = {CASEHOOK__PLAN_GET},
        [CASEHOOK_UPDATE] = {CASEHOOK__PLAN_UPDATE, CASEHOOK__PLAN_GET, CASEHOOK__PLAN_VIEW},
        [CASEHOOK_COMMENT] = {CASEHOOK__PLAN_COMMENTS},
        [CASEHOOK_PUSH] = {CASEHOOK__PLAN_UPDATE, CASEHOOK__PLAN_GET, CASEHOOK__PLAN_VIEW,
                           CASEHOOK__PLAN_COMMENTS},
    };
    static const enum casehook__plan_step push_new[STEPS_MAX] = {
        CASEHOOK__PLAN_CREATE, CASEHOOK__PLAN_GET, CASEHOOK__PLAN_VIEW, CASEHOOK__PLAN_COMMENTS};
    return operation == CASEHOOK_PUSH && is_new ? push_new : plans[operation];
}

enum casehook__call casehook__plan_call(enum casehook__plan_step step)
{
    switch (step) {
    case CASEHOOK__PLAN_CREATE: return CASEHOOK__CALL_CREATE;
    case CASEHOOK__PLAN_UPDATE: return CASEHOOK__CALL_UPDATE;
    case CASEHOOK__PLAN_GET: return CASEHOOK__CALL_GET;
    default: return CASEHOOK__CALL_COMMENT;
    }
}
