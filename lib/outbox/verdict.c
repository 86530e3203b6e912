/* verdict.c - what follows from a result: done, again later, or a person. */
#include "outbox/outbox_private.h"

#include <stdio.h>

/* Faults that pass by themselves, or when somebody mends the way to the tracker. */
static bool is_passing(int status, int http_status)
{
    switch (status) {
    case CASEHOOK_E_HTTP_STATUS:
        if (http_status >= 500) return http_status != 501 && http_status != 505;
        return http_status == 408 || http_status == 425 || http_status == 429;
    case CASEHOOK_E_PROXY: return http_status < 400 || http_status >= 500;
    case CASEHOOK_E_NO_MEMORY:
    case CASEHOOK_E_RESOLVE:
    case CASEHOOK_E_CONNECT:
    case CASEHOOK_E_TLS:
    case CASEHOOK_E_TIMEOUT:
    case CASEHOOK_E_CANCELLED:
    case CASEHOOK_E_NETWORK:
    case CASEHOOK_E_BUSY:
    case CASEHOOK_E_SYSTEM:
    case CASEHOOK_E_UNAVAILABLE: return true;
    default: return false;
    }
}

/* Half of the delay at least, so that those who failed together do not come back together. */
static int64_t next_delay(struct casehook_outbox *outbox, int64_t attempts)
{
    int64_t delay = outbox->options.retry_base_ms, most = outbox->options.retry_max_ms;
    for (int64_t i = 1; i < attempts && delay < most; i++) delay *= 2;
    if (delay > most) delay = most;
    return delay / 2 + (int64_t)(casehook__ob_random(outbox) % (uint64_t)(delay / 2 + 1));
}

static void park(struct casehook__ob_sending *sending, bool in_doubt)
{
    sending->state = in_doubt ? CASEHOOK_OUTBOX_UNKNOWN : CASEHOOK_OUTBOX_PARKED;
    sending->delay_ms = 0;
    sending->ended = true;
}

void casehook__ob_put_off(struct casehook_outbox *outbox, struct casehook__ob_sending *sending,
                          int64_t least_ms)
{
    int64_t tried = sending->tried_ms + casehook__ob_clock() - sending->taken_at,
            left = outbox->options.give_up_after_ms - tried;
    if (tried >= outbox->options.give_up_after_ms) {
        park(sending, sending->doubt_after);
        return;
    }
    sending->state = CASEHOOK_OUTBOX_WAITING;
    sending->delay_ms = next_delay(outbox, sending->attempts);
    /* A tracker that asks for a year would hide the entry for so long from whoever could help. */
    if (least_ms > left) least_ms = left;
    if (sending->delay_ms < least_ms) sending->delay_ms = least_ms;
    sending->ended = true;
}

/* The step that failed; of one that got no token any more, the one that wanted it. */
static int failed_step(const struct casehook__ob_sending *sending)
{
    int step = sending->step;
    for (size_t i = casehook_result_request_count(sending->result); step == CASEHOOK_STEP_TOKEN && i-- > 0;)
        step = casehook_result_request_step(sending->result, i);
    return step;
}

/* A create, a comment or a transition (L1) of which nobody knows whether the tracker has it. */
static bool may_have_it(const struct casehook__ob_sending *sending, int step, bool has_id)
{
    if (step != CASEHOOK_STEP_CREATE && step != CASEHOOK_STEP_COMMENT && step != CASEHOOK_STEP_TRANSITION)
        return false;
    if (sending->outcome == CASEHOOK_OUTCOME_UNKNOWN) return true;
    if (step == CASEHOOK_STEP_CREATE && sending->outcome == CASEHOOK_OUTCOME_DONE) return !has_id;
    /* A server that broke inside may have written before; one that gives tokens has not. */
    return sending->step != CASEHOOK_STEP_TOKEN && sending->outcome == CASEHOOK_OUTCOME_REFUSED &&
           sending->http_status >= 500 && sending->http_status != 501 && sending->http_status != 503 &&
           sending->http_status != 505;
}

/* The circuit is open: whether nothing at all was sent. */
static bool is_unmade(const struct casehook_result *result)
{
    for (size_t i = 0; i < casehook_result_request_count(result); i++)
        if (casehook_result_request_outcome(result, i) != CASEHOOK_OUTCOME_NOT_SENT) return false;
    return true;
}

/* It stays where it is among the others until the tracker may be asked again, and that was no attempt. */
static void wait_for_circuit(struct casehook_outbox *outbox, struct casehook__ob_sending *sending,
                             int64_t delay_ms)
{
    bool rests = casehook__ob_rest(outbox, sending->connector, delay_ms);
    if (!is_unmade(sending->result)) {
        casehook__ob_put_off(outbox, sending, delay_ms);
        return;
    }
    casehook_result_free(sending->result); /* what an earlier attempt came to says more */
    sending->result = NULL;
    sending->doubt_after = sending->doubt;
    sending->state = CASEHOOK_OUTBOX_WAITING;
    sending->delay_ms = rests ? 0 : delay_ms;
    sending->ended = sending->unmade = true;
}

static void judge_failure(struct casehook_outbox *outbox, struct casehook__ob_sending *sending,
                          const struct casehook_error *error)
{
    bool has_id = casehook_result_id(sending->result, NULL) != NULL;
    bool passing = is_passing(sending->status, sending->http_status);
    int step = failed_step(sending);
    /* A transition has no key, and a create can be looked for. */
    bool repeats = step == CASEHOOK_STEP_CREATE ||
                   (step == CASEHOOK_STEP_COMMENT && casehook_result_idempotent(sending->result));
    if (sending->status == CASEHOOK_E_UNAVAILABLE &&
        (sending->outcome == CASEHOOK_OUTCOME_NOT_SENT || is_unmade(sending->result))) {
        wait_for_circuit(outbox, sending, casehook_error_retry_after_ms(error));
        return;
    }
    casehook__ob_rest_tried(outbox, sending, !passing);
    if (may_have_it(sending, step, has_id)) {
        sending->doubt_after = true;
        if (!passing || !repeats)
            park(sending, true);
        else
            casehook__ob_put_off(outbox, sending, casehook_error_retry_after_ms(error));
    } else if (sending->status == CASEHOOK_E_CANCELLED) {
        sending->state = CASEHOOK_OUTBOX_WAITING; /* by us: it is over, or another worker has it */
        sending->ended = true;
    } else if (passing) {
        casehook__ob_put_off(outbox, sending, casehook_error_retry_after_ms(error));
    } else {
        /* It is the outbox that resumed: the caller has nothing to leave out. */
        const char *field = casehook_error_field(error);
        if (sending->doubt && field && strcmp(field, "resume") == 0)
            snprintf(
                sending->message, sizeof sending->message,
                "nobody knows whether an attempt before this one has made the case, and the connector has "
                "no find and no key to tell: look for its title in the tracker, then mark it as done with "
                "the id of the case, or retry it if there is none");
        park(sending, sending->doubt && !has_id);
    }
}

/* Without its text nobody would know later how far it came, and what is done would be done again. */
static void check_memory(struct casehook__ob_sending *sending)
{
    bool reached = sending->doubt_after || casehook_result_id(sending->result, NULL);
    if (sending->state == CASEHOOK_OUTBOX_DONE || sending->updates || sending->unmade || !reached ||
        casehook_result_json(sending->result, NULL))
        return;
    sending->doubt_after = true;
    park(sending, true);
    snprintf(
        sending->message, sizeof sending->message,
        "there was no memory to keep how far it came: look in the tracker, then retry, discard or mark it "
        "as done");
}

static void judge_result(struct casehook_outbox *outbox, struct casehook__ob_sending *sending,
                         struct casehook_result *result)
{
    const struct casehook_error *error = casehook_result_error(result);
    sending->result = result;
    sending->updates = sending->updates && result && casehook_result_found(result);
    /* With the id nothing is left to ask but what the result tells itself. */
    sending->doubt_after = sending->doubt && (sending->crashed || !casehook_result_id(result, NULL));
    if (!result) {
        sending->status = CASEHOOK_E_NO_MEMORY;
        snprintf(sending->message, sizeof sending->message, "there was no memory for a result");
        casehook__ob_put_off(outbox, sending, 0);
        return;
    }
    sending->status = casehook_result_status(result);
    sending->step = casehook_result_step(result);
    sending->outcome = casehook_result_outcome(result);
    sending->http_status = casehook_error_http_status(error);
    if (error) {
        snprintf(sending->message, sizeof sending->message, "%s", casehook_error_message(error));
        judge_failure(outbox, sending, error);
        return;
    }
    casehook__ob_rest_tried(outbox, sending, true);
    sending->state = sending->updates ? CASEHOOK_OUTBOX_WAITING : CASEHOOK_OUTBOX_DONE;
    if (sending->updates)
        snprintf(sending->message, sizeof sending->message, "the case was there: it is updated");
    /* Whether the crashed attempt has updated it, and moved it, nobody knows as well. */
    sending->doubt_after = sending->updates && sending->operation == CASEHOOK_PUSH && sending->case_no;
    sending->ended = true;
}

void casehook__ob_judge(struct casehook_outbox *outbox, struct casehook__ob_sending *sending,
                        struct casehook_result *result)
{
    judge_result(outbox, sending, result);
    if (sending->result) check_memory(sending);
}
