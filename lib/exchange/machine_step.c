/* machine_step.c - where in its plan an operation is: a step begins, a wait begins, all of it ends. */
#include "exchange/machine_private.h"

#include "exchange/credentials.h"

static const enum casehook__plan_step ended = CASEHOOK__PLAN_END;

struct casehook__request_record *casehook__machine_record(struct casehook__machine *machine)
{
    return &machine->result->requests[machine->result->request_count - 1];
}

void casehook__machine_begin_step(struct casehook__machine *machine)
{
    const struct casehook__progress *before = &machine->progress;
    machine->progress = (struct casehook__progress){.did = before->did,
                                                    .creates = *machine->step == CASEHOOK__PLAN_CREATE,
                                                    .can_find = machine->can_find};
    if (*machine->step == CASEHOOK__PLAN_COMMENTS) {
        machine->progress.reached = machine->progress.uncertain = machine->comment_reached;
        machine->comment_reached = false;
    }
    if (machine->extra) machine->extra->message[0] = '\0';
    machine->steps_before = machine->steps;
    machine->delay_ms = 0;
    machine->state = CASEHOOK__MACHINE_TO_RENDER;
}

void casehook__machine_end(struct casehook__machine *machine)
{
    casehook__limiter_leave(machine->context->limiter, &machine->place);
    if (machine->extra && machine->context->credentials)
        casehook__credentials_leave(machine->context->credentials, &machine->extra->claim);
    casehook__free(machine->heap, machine->lost);
    machine->lost = NULL;
    machine->step = &ended;
    machine->state = CASEHOOK__MACHINE_ENDED;
}

/* ---- the end ------------------------------------------------------------------------------------ */

_Static_assert(CASEHOOK__LOOKS_MAX == 2, "it is told as once or twice");

/* The case was looked for in vain: what failed is the create, and its error says so. */
static void fail_as_create(struct casehook__machine *machine)
{
    struct casehook_error *error = &machine->result->error, found = *error, lost = *machine->lost;
    *error = lost;
    if (found.status == CASEHOOK_E_CANCELLED) lost.status = found.status;
    if (found.status)
        casehook__fail(error, lost.status, "%s; whether the case is there could not be seen: %s",
                       lost.message, found.message);
    else
        casehook__fail(error, lost.status, "%s; the case was looked for %s and not found", lost.message,
                       machine->progress.looks ? "twice" : "once");
}

/* Ends the operation with the error that lies in the result. */
void casehook__machine_stop_as(struct casehook__machine *machine, const struct casehook__decision *decision)
{
    struct casehook_result *result = machine->result;
    struct casehook_error *error = &result->error;
    if (machine->progress.looking) fail_as_create(machine);
    if (error->status == CASEHOOK_E_PARAMS) {
        if (result->request_count == 0)
            casehook__error_set_step(error, CASEHOOK_STEP_PARAMS);
        else /* the id that the server gave does not fit into the request */
            error->status = CASEHOOK_E_RESPONSE;
    }
    casehook__error_set_step(error, casehook__call_kind(machine->request.call)->step);
    error->outcome = decision->outcome;
    error->retryable = decision->retryable;
    if (*machine->step == CASEHOOK__PLAN_COMMENTS && error->step != CASEHOOK_STEP_PARAMS)
        result->comments[machine->comment].state = CASEHOOK_COMMENT_FAILED;
    casehook__machine_end(machine);
}

struct casehook__decision casehook__machine_decide(struct casehook__machine *machine,
                                                   const struct casehook__verdict *verdict)
{
    machine->progress.named = machine->progress.creates && machine->result->id_length;
    return casehook__decide(verdict, &machine->progress, &machine->context->settings->retry);
}

void casehook__machine_stop(struct casehook__machine *machine, int outcome)
{
    struct casehook__verdict verdict = {.status = machine->result->error.status,
                                        .http_status = machine->result->error.http_status,
                                        .outcome = outcome};
    struct casehook__decision decision = casehook__machine_decide(machine, &verdict);
    casehook__machine_stop_as(machine, &decision);
}

void casehook__machine_give_up(struct casehook__machine *machine, const struct casehook__failure *failure)
{
    struct casehook_error *error = &machine->result->error, before = *error;
    int outcome = CASEHOOK_OUTCOME_NOT_SENT;
    if (machine->progress.tries)
        outcome = machine->progress.uncertain ? CASEHOOK_OUTCOME_UNKNOWN
                  : machine->redirects        ? CASEHOOK_OUTCOME_NOT_SENT /* its next hop */
                                              : machine->progress.last_outcome;
    machine->progress.fetching = false;
    if (before.status && !machine->progress.looking)
        casehook__fail(error, failure->status, "%s; before that: %s", failure->message, before.message);
    else
        casehook__fail(error, failure->status, "%s", failure->message);
    machine->request.call = casehook__plan_call(*machine->step);
    casehook__machine_stop(machine, outcome);
}

/* ---- delays (D2) -------------------------------------------------------------------------------- */

bool casehook__machine_delay(struct casehook__machine *machine, int64_t at,
                             enum casehook__machine_state wakes_as)
{
    uint32_t most = machine->context->settings->retry.deadline_ms;
    if (machine->deadline != CASEHOOK__NO_DEADLINE && at >= machine->deadline) return false;
    if (most && at >= machine->begun + most) return false;
    int64_t now = casehook__machine_now(machine);
    machine->wake_at = at;
    machine->wakes_as = wakes_as;
    machine->delay_ms += at > now ? at - now : 0;
    machine->state = CASEHOOK__MACHINE_DELAYED;
    return true;
}
