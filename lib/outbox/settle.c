/* settle.c - what became of entries is stored. */
#include "outbox/outbox_private.h"

enum { FIELDS_BYTES_MAX = 64 << 10 };

/* ---- what answers told of the case ------------------------------------------------------------------- */

/* externalFields takes texts and numbers. */
static bool is_kept_field(const struct casehook_result *result, size_t index)
{
    const char *value = casehook_result_field_value(result, index, NULL);
    return value && (casehook_result_field_is_text(result, index) || *value == '-' ||
                     (*value >= '0' && *value <= '9'));
}

static bool is_told(const struct casehook_result *result, size_t from, struct casehook__ob_text name)
{
    for (size_t i = from; i < casehook_result_field_count(result); i++)
        if (is_kept_field(result, i) &&
            casehook__ob_same(casehook__ob_text(casehook_result_field_name(result, i)), name))
            return true;
    return false;
}

static void name_field(struct casehook__ob_buf *buf, struct casehook__ob_text name)
{
    casehook__ob_put(buf, buf->length ? "," : "{");
    casehook__ob_json_text(buf, name);
    casehook__ob_put(buf, ":");
}

/* What is told now, over what was known; empty: nothing is, or it is more than should be kept. */
static void merge_fields(const struct casehook__ob_sending *sending, struct casehook__ob_buf *buf)
{
    const struct casehook_result *result = sending->result;
    size_t count = casehook_result_field_count(result), at = 0;
    struct casehook__ob_member known;
    for (size_t i = 0; i < count; i++) {
        struct casehook__ob_text name = casehook__ob_text(casehook_result_field_name(result, i)), value;
        if (!is_kept_field(result, i) || is_told(result, i + 1, name)) continue;
        value.data = casehook_result_field_value(result, i, &value.length);
        name_field(buf, name);
        if (casehook_result_field_is_text(result, i))
            casehook__ob_json_text(buf, value);
        else
            casehook__ob_add(buf, value.data, value.length);
    }
    if (!buf->length) return;
    while (sending->fields.data && casehook__ob_json_next(sending->fields, &at, &known)) {
        struct casehook__ob_text name = {known.name.data + 1, known.name.length - 2};
        if (is_told(result, 0, name)) continue;
        name_field(buf, name);
        casehook__ob_add(buf, known.value.data, known.value.length);
    }
    casehook__ob_put(buf, "}");
    if (buf->length > FIELDS_BYTES_MAX && !buf->broken) casehook__ob_buf_free(buf);
}

/* ---- settling ------------------------------------------------------------------------------------------ */

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
    struct casehook__ob_buf fields = {.heap = outbox->heap};
    if (!sending->case_no || (!id.data && sending->state != CASEHOOK_OUTBOX_DONE)) return CASEHOOK_OK;
    merge_fields(sending, &fields);
    const struct casehook__ob_value values[] = {
        casehook__ob_number_value(sending->case_no), casehook__ob_bytes_value(id),
        casehook__ob_bytes_value(url),
        casehook__ob_number_value(sending->state == CASEHOOK_OUTBOX_DONE ? sending->id : 0),
        casehook__ob_bytes_value((struct casehook__ob_text){fields.data, fields.length})};
    int status = fields.broken ? casehook__ob_fail_memory(fault)
                               : casehook__ob_run(outbox, CASEHOOK__OB_CASE_LEARN, values, 5, NULL, fault);
    casehook__ob_buf_free(&fields);
    return status;
}

static int settle_one(struct casehook_outbox *outbox, struct casehook__ob_sending *sending,
                      struct casehook__ob_fault *fault)
{
    struct casehook__ob_numbers settled;
    struct casehook__ob_text id = {NULL, 0}, url = {NULL, 0}, json = {NULL, 0}, message = {NULL, 0};
    id.data = casehook_result_id(sending->result, &id.length);
    url.data = casehook_result_url(sending->result, &url.length);
    int doubt = !sending->doubt_after ? 0 : sending->crashed ? CASEHOOK__OB_CRASHED : CASEHOOK__OB_UNANSWERED;
    /* Of what is done only the case is kept; anything else is resumed, or looked at, but for a case that is
     * updated from the beginning. */
    if (sending->result && sending->state != CASEHOOK_OUTBOX_DONE && !sending->updates)
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
                                                casehook__ob_number_value(doubt),
                                                casehook__ob_bytes_value(message),
                                                casehook__ob_bytes_value(url),
                                                casehook__ob_bytes_value(id),
                                                casehook__ob_bytes_value(json),
                                                casehook__ob_number_value(sending->unmade)};
    int status = casehook__ob_ask(outbox, CASEHOOK__OB_SETTLE, values, 14, &settled, fault);
    if (status) return status;
    if (!settled.rows) return is_settled(outbox, sending, fault);
    sending->lost = false;
    casehook__ob_moved(outbox, settled.values[2] == -2 ? CASEHOOK_OUTBOX_WAITING : CASEHOOK_OUTBOX_SENDING,
                       sending->state, settled.values[1]);
    status = learn(outbox, sending, id, url, fault);
    if (!status && (sending->state == CASEHOOK_OUTBOX_DONE || sending->state == CASEHOOK_OUTBOX_PARKED))
        status = casehook__ob_promote(outbox, sending->case_no, fault);
    return status;
}

int casehook__ob_settle(struct casehook_outbox *outbox, struct casehook__ob_fault *fault)
{
    int status = CASEHOOK_OK;
    for (size_t i = 0; !status && i < outbox->places; i++) {
        if (!outbox->sending[i].ended || outbox->sending[i].fresh) continue;
        casehook__ob_rest_clear(outbox, outbox->sending[i].id); /* before others are taken */
        status = settle_one(outbox, &outbox->sending[i], fault);
    }
    return status;
}
