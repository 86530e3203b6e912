/* settle.c - what became of entries is stored. */
#include "outbox/outbox_private.h"

static int is_settled(struct casehook_outbox *outbox, struct casehook__ob_sending *sending,
                      struct casehook__ob_fault *fault)
{
    struct casehook__ob_numbers owner;
    const struct casehook__ob_value id = casehook__ob_number_value(sending->id);
    int status = casehook__ob_ask(outbox, CASEHOOK__OB_WHOSE, &id, 1, &owner, fault);
    /* A commit of ours whose end nobody saw may have stored it; else it is another worker's. */
    sending->lost = !status && !(owner.rows && owner.values[0] == sending->fence &&
                                 owner.values[1] != CASEHOOK_OUTBOX_SENDING);
    return status;
}

static int learn(struct casehook_outbox *outbox, const struct casehook__ob_sending *sending,
                 struct casehook__ob_text id, struct casehook__ob_text url, struct casehook__ob_fault *fault)
{
    const struct casehook__ob_value values[] = {
        casehook__ob_number_value(sending->case_no), casehook__ob_bytes_value(id),
        casehook__ob_bytes_value(url),
        casehook__ob_number_value(sending->state == CASEHOOK_OUTBOX_DONE ? sending->id : 0)};
    if (!sending->case_no || (!id.data && sending->state != CASEHOOK_OUTBOX_DONE)) return CASEHOOK_OK;
    return casehook__ob_run(outbox, CASEHOOK__OB_CASE_LEARN, values, 4, NULL, fault);
}

static int settle_one(struct casehook_outbox *outbox, struct casehook__ob_sending *sending,
                      struct casehook__ob_fault *fault)
{
    struct casehook__ob_numbers settled;
    struct casehook__ob_text id = {NULL, 0}, url = {NULL, 0}, json = {NULL, 0}, message = {NULL, 0};
    id.data = casehook_result_id(sending->result, &id.length);
    url.data = casehook_result_url(sending->result, &url.length);
    /* Of what is done only the case is kept; anything else is resumed, or looked at. */
    if (sending->result && sending->state != CASEHOOK_OUTBOX_DONE)
        json.data = casehook_result_json(sending->result, &json.length);
    if (sending->message[0]) message = casehook__ob_text(sending->message);
    const struct casehook__ob_value values[] = {casehook__ob_number_value(sending->id),
                                                casehook__ob_number_value(sending->fence),
                                                casehook__ob_number_value(sending->state),
                                                casehook__ob_number_value(sending->delay_ms),
                                                casehook__ob_number_value(sending->status),
                                                casehook__ob_number_value(sending->http_status),
                                                casehook__ob_number_value(sending->outcome),
                                                casehook__ob_number_value(sending->step),
                                                casehook__ob_number_value(sending->doubt_after),
                                                casehook__ob_bytes_value(message),
                                                casehook__ob_bytes_value(url),
                                                casehook__ob_bytes_value(id),
                                                casehook__ob_bytes_value(json)};
    int status = casehook__ob_ask(outbox, CASEHOOK__OB_SETTLE, values, 13, &settled, fault);
    if (status) return status;
    if (!settled.rows) return is_settled(outbox, sending, fault);
    sending->lost = false;
    casehook__ob_moved(outbox, CASEHOOK_OUTBOX_SENDING, sending->state, settled.values[1]);
    status = learn(outbox, sending, id, url, fault);
    if (!status && (sending->state == CASEHOOK_OUTBOX_DONE || sending->state == CASEHOOK_OUTBOX_PARKED))
        status = casehook__ob_promote(outbox, sending->case_no, fault);
    return status;
}

int casehook__ob_settle(struct casehook_outbox *outbox, struct casehook__ob_fault *fault)
{
    int status = CASEHOOK_OK;
    for (size_t i = 0; !status && i < outbox->places; i++)
        if (outbox->sending[i].ended && !outbox->sending[i].fresh)
            status = settle_one(outbox, &outbox->sending[i], fault);
    return status;
}
