/* attempt.c - an entry is handed to the loop, with what is known of it. */
#include "outbox/outbox_private.h"

#include <stdio.h>

static bool creates(const struct casehook__ob_sending *sending)
{
    struct casehook__ob_text incident = casehook__ob_json_find(sending->params, "incident");
    struct casehook__ob_text object = incident.data ? incident : sending->params;
    if (casehook__ob_json_find(sending->earlier, "id").data) return false;
    if (sending->operation == CASEHOOK_CREATE) return true;
    return sending->operation == CASEHOOK_PUSH && !sending->external_id.data &&
           !casehook__ob_json_find(object, "externalId").data;
}

static bool has_step(const struct casehook_result *ahead, int step)
{
    for (size_t i = 0; i < casehook_result_request_count(ahead); i++)
        if (casehook_result_request_step(ahead, i) == step) return true;
    return false;
}

/*
 * Whether something would be sent that may have been done, and that the tracker would do once more: comments
 * without a key by which it knows them, and a transition of a case that was there.
 */
static bool may_do_twice(const struct casehook__ob_sending *sending, const struct casehook_result *ahead)
{
    return (has_step(ahead, CASEHOOK_STEP_COMMENT) && !casehook_result_idempotent(ahead)) ||
           (!creates(sending) && has_step(ahead, CASEHOOK_STEP_TRANSITION));
}

static void wait_for_person(struct casehook__ob_sending *sending, const char *why)
{
    sending->state = CASEHOOK_OUTBOX_UNKNOWN;
    sending->status = CASEHOOK_E_NETWORK;
    sending->outcome = CASEHOOK_OUTCOME_UNKNOWN;
    sending->doubt_after = true;
    sending->ended = true;
    snprintf(sending->message, sizeof sending->message, "%s", why);
}

/* What was to make the case came to nothing. */
static void park_without_case(struct casehook__ob_sending *sending)
{
    sending->state = CASEHOOK_OUTBOX_PARKED;
    sending->status = CASEHOOK_E_PARAMS;
    sending->outcome = CASEHOOK_OUTCOME_NOT_SENT;
    sending->ended = true;
    snprintf(
        sending->message, sizeof sending->message,
        "its case was not made, and it is not to make it: retry what was put before it first, or discard "
        "it");
}

/* The params as they are sent; in json, which is empty before. */
static void compose(const struct casehook__ob_sending *sending, bool create_in_doubt,
                    struct casehook__ob_buf *json)
{
    struct casehook__ob_buf doubt = {.heap = json->heap};
    struct casehook__ob_known known = {.key = sending->token};
    bool resumes = casehook__ob_json_find(sending->earlier, "id").data != NULL;
    if (create_in_doubt) {
        casehook__ob_params_doubt(&doubt, sending->operation, sending->params, &known, sending->earlier);
        known.resume = (struct casehook__ob_text){doubt.data, doubt.length};
    } else if (resumes) {
        known.resume = sending->earlier;
    }
    /* A result that is resumed has the id of its case itself; a create wants none. */
    if (!known.resume.data && sending->operation != CASEHOOK_CREATE) known.external_id = sending->external_id;
    if (sending->operation != CASEHOOK_CREATE) known.fields = sending->fields;
    casehook__ob_params_compose(json, sending->params, &known);
    json->broken |= doubt.broken;
    casehook__ob_buf_free(&doubt);
}

static void submit_entry(struct casehook_outbox *outbox, struct casehook__ob_sending *sending,
                         struct casehook_connector *connector, const struct casehook__ob_buf *json)
{
    int64_t left = sending->stop_at - casehook__ob_clock();
    if (left <= 0) { /* the commit took too long: another worker may have it in a moment */
        sending->status = CASEHOOK_E_CANCELLED;
        sending->state = CASEHOOK_OUTBOX_WAITING;
        sending->ended = sending->unmade = true;
        snprintf(sending->message, sizeof sending->message, "its lease was over before it could be sent");
        return;
    }
    const struct casehook_options options = {
        .struct_size = sizeof options, .user = (uint64_t)sending->id, .deadline_ms = (uint32_t)left};
    struct casehook_error *error = NULL;
    int status = casehook_loop_submit_json(outbox->loop, connector, sending->operation, json->data,
                                           json->length, &options, &sending->ticket, &error);
    sending->submitted = status == CASEHOOK_OK;
    if (status) {
        sending->status = status;
        sending->doubt_after = sending->doubt;
        snprintf(sending->message, sizeof sending->message, "%s", casehook_error_message(error));
        casehook__ob_put_off(outbox, sending, 0);
    }
    casehook_error_free(error);
}

void casehook__ob_attempt(struct casehook_outbox *outbox, struct casehook__ob_sending *sending)
{
    struct casehook__ob_buf json = {.heap = outbox->heap};
    struct casehook_connector *connector = outbox->options.resolve(outbox->options.user, sending->connector);
    struct casehook_result *ahead = NULL; /* what would be sent, of one that may have been */
    sending->fresh = false;
    sending->doubt_after = sending->doubt;
    if (!connector) {
        casehook__ob_rest_missing(outbox, sending);
        return;
    }
    if (sending->existing && creates(sending)) {
        park_without_case(sending);
        casehook_connector_unref(connector);
        return;
    }
    compose(sending, false, &json);
    if (sending->crashed && !json.broken)
        casehook_preview_json(connector, sending->operation, json.data, json.length, &ahead);
    bool lacking = json.broken || (sending->crashed && !ahead);
    /* Who asks first whether there is a case may find one that is not from the create before the crash; any
     * push may find one that was forgotten, and then once more does no harm but to a workflow. */
    bool once_more =
        sending->operation == CASEHOOK_PUSH && sending->case_no && !has_step(ahead, CASEHOOK_STEP_TRANSITION);
    sending->updates =
        sending->crashed && creates(sending) && (once_more || has_step(ahead, CASEHOOK_STEP_FIND));
    if (sending->doubt && creates(sending)) {
        casehook__ob_buf_free(&json);
        json = (struct casehook__ob_buf){.heap = outbox->heap};
        compose(sending, true, &json);
    }
    if (lacking || json.broken) {
        sending->status = CASEHOOK_E_NO_MEMORY;
        snprintf(sending->message, sizeof sending->message, "there was no memory to send it");
        casehook__ob_put_off(outbox, sending, 0);
    } else if (sending->crashed && may_do_twice(sending, ahead)) {
        wait_for_person(sending,
                        "a worker ended while it was sent, and a comment or a transition may have been done "
                        "already: look in the tracker, then retry, discard or mark it as done");
    } else {
        submit_entry(outbox, sending, connector, &json);
    }
    casehook_result_free(ahead);
    casehook__ob_buf_free(&json);
    casehook_connector_unref(connector);
}
