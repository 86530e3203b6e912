/*
 * rest.c - connectors that are left alone for a while: the circuit of their tracker is open, or the host has
 * none of that name.
 */
#include "outbox/outbox_private.h"

#include <stdio.h>

enum {
    ASK_MS = 1000,     /* how often the host is asked for a connector that it did not have */
    MISSING_MS = 60000 /* how often it is looked whether any of its entries is left */
};

static struct casehook__ob_rest *find_rest(struct casehook_outbox *outbox, const char *connector)
{
    for (size_t i = 0; i < CASEHOOK__OB_RESTS; i++)
        if (strcmp(outbox->rests[i].connector, connector) == 0) return &outbox->rests[i];
    return NULL;
}

bool casehook__ob_rest(struct casehook_outbox *outbox, const char *connector, int64_t delay_ms)
{
    struct casehook__ob_rest *rest = find_rest(outbox, connector);
    size_t length = strlen(connector);
    if (!rest) rest = find_rest(outbox, "");
    if (!rest || length == 0 || length >= sizeof rest->connector) return false;
    memcpy(rest->connector, connector, length + 1);
    rest->until = casehook__ob_clock() + delay_ms;
    return true;
}

/* Whoever else delivers from this outbox may have it: nothing is changed that would hold the entry up there.
 */
void casehook__ob_rest_missing(struct casehook_outbox *outbox, struct casehook__ob_sending *sending)
{
    sending->again = find_rest(outbox, sending->connector) != NULL;
    bool rests = casehook__ob_rest(outbox, sending->connector, MISSING_MS);
    if (rests) {
        find_rest(outbox, sending->connector)->missing = true;
        if (!outbox->next_ask) outbox->next_ask = casehook__ob_clock() + ASK_MS;
    }
    sending->status = CASEHOOK_E_CONFIG;
    sending->state = CASEHOOK_OUTBOX_WAITING;
    sending->delay_ms = rests ? 0 : MISSING_MS;
    sending->ended = sending->unmade = true;
    snprintf(sending->message, sizeof sending->message, "there is no connector \"%.200s\": its entries wait",
             sending->connector);
}

void casehook__ob_rest_ask(struct casehook_outbox *outbox)
{
    int64_t now = casehook__ob_clock();
    if (!outbox->next_ask || now < outbox->next_ask) return;
    outbox->next_ask = 0;
    for (size_t i = 0; i < CASEHOOK__OB_RESTS; i++) {
        struct casehook__ob_rest *rest = &outbox->rests[i];
        if (!rest->missing) continue;
        struct casehook_connector *connector = outbox->options.resolve(outbox->options.user, rest->connector);
        casehook_connector_unref(connector);
        if (connector) {
            memset(rest, 0, sizeof *rest);
            atomic_store(&outbox->has_work, true);
        } else {
            outbox->next_ask = now + ASK_MS;
        }
    }
}

void casehook__ob_rest_tried(struct casehook_outbox *outbox, const struct casehook__ob_sending *sending,
                             bool is_up)
{
    struct casehook__ob_rest *rest = find_rest(outbox, sending->connector);
    if (!rest || rest->probe != sending->id) return;
    /* The next one that tries is told how long the circuit is open again. */
    rest->until = casehook__ob_clock();
    if (is_up) memset(rest, 0, sizeof *rest);
}

void casehook__ob_rest_clear(struct casehook_outbox *outbox, int64_t id)
{
    for (size_t i = 0; id && i < CASEHOOK__OB_RESTS; i++)
        if (outbox->rests[i].probe == id) outbox->rests[i].probe = 0;
}

size_t casehook__ob_rest_names(const struct casehook_outbox *outbox, struct casehook__ob_value *values)
{
    size_t count = 0;
    for (size_t i = 0; i < CASEHOOK__OB_RESTS; i++) {
        const char *connector = outbox->rests[i].connector;
        count += *connector != '\0';
        values[i] = casehook__ob_bytes_value(casehook__ob_text(connector)); /* no entry has an empty name */
    }
    return count;
}

int64_t casehook__ob_rest_delay(const struct casehook_outbox *outbox, int64_t now)
{
    int64_t delay = INT64_MAX / 4;
    for (size_t i = 0; i < CASEHOOK__OB_RESTS; i++) {
        const struct casehook__ob_rest *rest = &outbox->rests[i];
        if (*rest->connector && !rest->probe && rest->until - now < delay) delay = rest->until - now;
    }
    return delay;
}
