/* rest.c - connectors whose tracker is left alone for a while, because its circuit is open. */
#include "outbox/outbox_private.h"

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
