/* claim.c - entries that are due become ours for a while. */
#include "outbox/posix.h"

#include "outbox/outbox_private.h"

enum {
    EXPIRED_AT_ONCE = 200,
    GRACE_MS_MAX = 5000,
    LEASE_SPARE = 8,
    SET_BACK_MS = 1000,
    LACKING_MS = 1000,   /* until there may be memory again */
    VALUE_BYTES = 80,    /* what a value of the params needs while they are sent */
    HELD_MAX = 32 << 20, /* what all that is sent needs; one more that is larger is not refused */
};

void casehook__ob_sending_clear(struct casehook_outbox *outbox, struct casehook__ob_sending *sending)
{
    casehook__ob_rest_clear(outbox, sending->id);
    outbox->held -= sending->weight;
    casehook__ob_release(outbox->heap, sending->block);
    casehook_result_free(sending->result);
    memset(sending, 0, sizeof *sending);
}

/* How many have not ended. */
static size_t in_flight(const struct casehook_outbox *outbox)
{
    size_t count = 0;
    for (size_t i = 0; i < outbox->places; i++) count += outbox->sending[i].used && !outbox->sending[i].ended;
    return count;
}

bool casehook__ob_has_room(const struct casehook_outbox *outbox)
{
    return in_flight(outbox) < outbox->options.max_sending && outbox->held < HELD_MAX;
}

void casehook__ob_unclaim(struct casehook_outbox *outbox)
{
    for (size_t i = 0; i < outbox->places; i++)
        if (outbox->sending[i].fresh) {
            casehook__ob_sending_clear(outbox, &outbox->sending[i]);
            atomic_fetch_sub(&outbox->sending_now, 1);
        }
}

/* ---- rows ------------------------------------------------------------------------------------------- */

static struct casehook__ob_sending *free_place(struct casehook_outbox *outbox)
{
    for (size_t i = 0; i < outbox->places; i++)
        if (!outbox->sending[i].used) return &outbox->sending[i];
    return NULL;
}

/* A copy at *at, with a NUL behind. */
static struct casehook__ob_text keep_claimed(char **at, const struct casehook__ob_value *value)
{
    if (value->kind != CASEHOOK__OB_BYTES) return (struct casehook__ob_text){NULL, 0};
    struct casehook__ob_text kept = {*at, value->bytes.length};
    if (kept.length) memcpy(*at, value->bytes.data, kept.length);
    (*at)[kept.length] = '\0';
    *at += kept.length + 1;
    return kept;
}

/* Each value but the first of its array or object has a comma before it; one in a text does no harm. */
static size_t weigh(struct casehook__ob_text params, size_t size)
{
    const char *at = params.data, *end = at + params.length;
    while (at && (at = memchr(at, ',', (size_t)(end - at)))) at++, size += VALUE_BYTES;
    return size;
}

/* All that is claimed at once can be given back, with one of each connector that rests. */
enum { CLAIM_MAX = 256, UNSENT_MAX = CLAIM_MAX + CASEHOOK__OB_RESTS };

/* Entries that are ours in the database, and are not going to be sent. */
struct unsent {
    struct casehook_outbox *outbox;
    int64_t ids[UNSENT_MAX], fences[UNSENT_MAX];
    size_t count;
};

static bool add_unsent(struct unsent *unsent, int64_t id, int64_t fence)
{
    if (unsent->count == UNSENT_MAX) return false;
    unsent->ids[unsent->count] = id;
    unsent->fences[unsent->count++] = fence;
    return true;
}

static int give_unsent_back(const struct unsent *unsent, struct casehook__ob_fault *fault)
{
    int status = CASEHOOK_OK;
    for (size_t i = 0; !status && i < unsent->count; i++) {
        struct casehook__ob_numbers back;
        const struct casehook__ob_value values[] = {casehook__ob_number_value(unsent->ids[i]),
                                                    casehook__ob_number_value(unsent->fences[i])};
        status = casehook__ob_ask(unsent->outbox, CASEHOOK__OB_GIVE_BACK, values, 2, &back, fault);
        if (!status && back.rows)
            casehook__ob_moved(unsent->outbox, CASEHOOK_OUTBOX_SENDING, CASEHOOK_OUTBOX_WAITING,
                               back.values[1]);
    }
    return status;
}

enum { CLAIM_NUMBERS = 9, CLAIM_COLUMNS = 15 };

/* One for which there is no memory is given back: the others are sent, and what ended is stored. */
static int take_claimed(void *user, const struct casehook__ob_value *values, size_t count)
{
    struct unsent *unsent = user;
    struct casehook_outbox *outbox = unsent->outbox;
    struct casehook__ob_sending *sending = free_place(outbox);
    size_t size = 0;
    if (!sending || count < CLAIM_COLUMNS) return CASEHOOK_E_SYSTEM;
    for (size_t i = CLAIM_NUMBERS; i < CLAIM_COLUMNS; i++) size += values[i].bytes.length + 1;
    casehook__ob_moved(outbox, CASEHOOK_OUTBOX_WAITING, CASEHOOK_OUTBOX_SENDING, values[7].number);
    char *at = casehook__ob_resize(outbox->heap, NULL, size);
    if (!at)
        return add_unsent(unsent, values[0].number, values[1].number) ? CASEHOOK_OK : CASEHOOK_E_NO_MEMORY;
    *sending = (struct casehook__ob_sending){.used = true,
                                             .fresh = true,
                                             .id = values[0].number,
                                             .fence = values[1].number,
                                             .case_no = values[2].number,
                                             .operation = (int)values[3].number,
                                             .doubt = values[4].number != 0,
                                             .crashed = values[4].number == CASEHOOK__OB_CRASHED,
                                             .attempts = values[5].number,
                                             .tried_ms = values[6].number,
                                             .existing = values[8].number != 0,
                                             .block = at,
                                             .taken_at = casehook__ob_clock()};
    sending->connector = keep_claimed(&at, &values[9]).data;
    sending->params = keep_claimed(&at, &values[10]);
    sending->earlier = keep_claimed(&at, &values[11]);
    sending->token = keep_claimed(&at, &values[12]);
    sending->external_id = keep_claimed(&at, &values[13]);
    sending->fields = keep_claimed(&at, &values[14]);
    sending->weight = weigh(sending->params, size);
    outbox->held += sending->weight;
    atomic_fetch_add(&outbox->sending_now, 1);
    return CASEHOOK_OK;
}

struct came_back {
    struct casehook_outbox *outbox;
    uint64_t count;
};

static int take_doubted(void *user, const struct casehook__ob_value *values, size_t count)
{
    struct came_back *back = user;
    if (count < 2) return CASEHOOK_E_SYSTEM;
    casehook__ob_moved(back->outbox, CASEHOOK_OUTBOX_SENDING, CASEHOOK_OUTBOX_WAITING, values[1].number);
    back->count++;
    return CASEHOOK_OK;
}

static void count_doubted(struct casehook_outbox *outbox, uint64_t count)
{
    if (!count) return;
    pthread_mutex_lock(&outbox->lock);
    outbox->numbers.doubted += count;
    pthread_mutex_unlock(&outbox->lock);
}

/* ---- jobs ------------------------------------------------------------------------------------------- */

/*
 * Whose lease is over has sent nothing since: it looks at a clock that does not stop before it sends.  The
 * grace is for what is on its way meanwhile.  A clock of the machine that is set forward is no such clock:
 * what others are sending from the same file becomes doubtful then.
 */
static int expire(struct casehook_outbox *outbox, struct casehook__ob_fault *fault)
{
    struct came_back back = {outbox, 0};
    struct casehook__ob_rows rows = {.take = take_doubted, .user = &back};
    int64_t grace = outbox->options.lease_ms / 4;
    const struct casehook__ob_value values[] = {
        casehook__ob_number_value(grace < GRACE_MS_MAX ? grace : GRACE_MS_MAX),
        casehook__ob_number_value(EXPIRED_AT_ONCE),
        /* Of our own we know by our own clock when they end, whatever somebody sets the other one to. */
        casehook__ob_number_value(outbox->instance)};
    int status = casehook__ob_run(outbox, CASEHOOK__OB_EXPIRE, values, 3, &rows, fault);
    if (!status) count_doubted(outbox, back.count);
    return status;
}

/*
 * The clock of this machine was set back since we looked: what was due in a minute would be due in a minute
 * and that.  A database that is shared has a clock of its own, which servers do not set so.
 */
static int set_back(struct casehook_outbox *outbox, struct casehook__ob_fault *fault)
{
    const struct casehook__ob_value delta =
        casehook__ob_number_value(outbox->clock_ahead - casehook__ob_clock_ahead());
    if (!outbox->store->driver->alone || delta.number < SET_BACK_MS) return CASEHOOK_OK;
    return casehook__ob_run(outbox, CASEHOOK__OB_SET_BACK, &delta, 1, NULL, fault);
}

int casehook__ob_take_over(struct casehook_outbox *outbox, struct casehook__ob_fault *fault)
{
    struct came_back back = {outbox, 0};
    struct casehook__ob_rows rows = {.take = take_doubted, .user = &back};
    const struct casehook__ob_value values[] = {casehook__ob_bytes_value(casehook__ob_text(outbox->worker)),
                                                casehook__ob_number_value(outbox->instance)};
    int status = casehook__ob_run(outbox, CASEHOOK__OB_TAKE_OVER, values, 2, &rows, fault);
    if (!status) count_doubted(outbox, back.count);
    return status;
}

/* When something will be due, for the alarm. */
static int look_ahead(struct casehook_outbox *outbox, int64_t now, struct casehook__ob_fault *fault)
{
    struct casehook__ob_numbers due;
    struct casehook__ob_value values[1 + CASEHOOK__OB_RESTS] = {
        casehook__ob_number_value(CASEHOOK_OUTBOX_WAITING)};
    bool rests = casehook__ob_rest_names(outbox, values + 1) != 0;
    int status = casehook__ob_ask(outbox, rests ? CASEHOOK__OB_NEXT_DUE_BUT : CASEHOOK__OB_NEXT_DUE, values,
                                  rests ? 1 + CASEHOOK__OB_RESTS : 1, &due, fault);
    if (status) return status;
    int64_t delay = due.rows ? due.values[0] : INT64_MAX / 4, rest = casehook__ob_rest_delay(outbox, now);
    if (delay > rest) delay = rest;
    /* Leases of others are looked at in between. */
    if (delay > outbox->options.lease_ms / 4) delay = outbox->options.lease_ms / 4;
    outbox->next_claim = now + (delay > 0 ? delay : 0);
    return CASEHOOK_OK;
}

/* One entry of each connector whose circuit may be tried; where none waits there is nothing to remember. */
static int claim_probes(struct casehook_outbox *outbox, struct casehook__ob_value *values,
                        struct casehook__ob_rows *rows, struct casehook__ob_fault *fault)
{
    int status = CASEHOOK_OK;
    for (size_t i = 0; !status && i < CASEHOOK__OB_RESTS; i++) {
        struct casehook__ob_rest *rest = &outbox->rests[i];
        if (!*rest->connector || rest->probe || rest->until > casehook__ob_clock()) continue;
        if (!casehook__ob_has_room(outbox)) break;
        values[0] = casehook__ob_number_value(1);
        values[4] = casehook__ob_bytes_value(casehook__ob_text(rest->connector));
        status = casehook__ob_run(outbox, CASEHOOK__OB_CLAIM_OF, values, 5, rows, fault);
        for (size_t place = 0; !status && place < outbox->places; place++)
            if (outbox->sending[place].fresh &&
                strcmp(outbox->sending[place].connector, rest->connector) == 0)
                rest->probe = outbox->sending[place].id;
        if (!status && !rest->probe) memset(rest, 0, sizeof *rest);
    }
    return status;
}

int casehook__ob_claim(struct casehook_outbox *outbox, struct casehook__ob_fault *fault)
{
    struct unsent lacking = {.outbox = outbox, .count = 0};
    struct casehook__ob_rows rows = {.take = take_claimed, .user = &lacking};
    size_t room = outbox->options.max_sending - in_flight(outbox), taken = 0;
    if (room > CLAIM_MAX) room = CLAIM_MAX;
    int64_t now = casehook__ob_clock();
    struct casehook__ob_value values[4 + CASEHOOK__OB_RESTS] = {
        casehook__ob_number_value((int64_t)room), casehook__ob_number_value(outbox->options.lease_ms),
        casehook__ob_number_value(outbox->instance),
        casehook__ob_bytes_value(casehook__ob_text(outbox->worker))};
    bool rests = casehook__ob_rest_names(outbox, values + 4) != 0;
    int status = set_back(outbox, fault);
    if (!status) status = expire(outbox, fault);
    if (!status && room)
        status = casehook__ob_run(outbox, rests ? CASEHOOK__OB_CLAIM_BUT : CASEHOOK__OB_CLAIM, values,
                                  rests ? 4 + CASEHOOK__OB_RESTS : 4, &rows, fault);
    if (!status && rests) status = claim_probes(outbox, values, &rows, fault);
    if (status) return status;
    for (size_t i = 0; i < outbox->places; i++) {
        struct casehook__ob_sending *sending = &outbox->sending[i];
        if (!sending->fresh) continue;
        taken++;
        /* Counted from before the database began to count. */
        sending->stop_at = now + outbox->options.lease_ms - outbox->options.lease_ms / LEASE_SPARE;
    }
    outbox->next_claim = now; /* there may be more, as soon as there is room for it */
    if (taken < room) status = look_ahead(outbox, now, fault);
    if (!lacking.count) return status;
    outbox->next_claim = now + LACKING_MS;
    return status ? status : give_unsent_back(&lacking, fault);
}

/* ---- giving back ------------------------------------------------------------------------------------ */

/* Entries that the database says we have, and that we know nothing of. */
static int take_stranger(void *user, const struct casehook__ob_value *values, size_t count)
{
    struct unsent *strangers = user;
    const struct casehook_outbox *outbox = strangers->outbox;
    if (count < 2) return CASEHOOK_E_SYSTEM;
    for (size_t i = 0; i < outbox->places; i++)
        if (outbox->sending[i].used && outbox->sending[i].id == values[0].number &&
            outbox->sending[i].fence == values[1].number)
            return CASEHOOK_OK;
    add_unsent(strangers, values[0].number, values[1].number); /* or in the next round */
    return CASEHOOK_OK;
}

/* Taken by a commit whose end nobody saw: they were never sent. */
static int give_some_back(struct casehook_outbox *outbox, size_t *count, struct casehook__ob_fault *fault)
{
    struct unsent strangers = {.outbox = outbox, .count = 0};
    struct casehook__ob_rows rows = {.take = take_stranger, .user = &strangers};
    const struct casehook__ob_value value = casehook__ob_number_value(outbox->instance);
    int status = casehook__ob_run(outbox, CASEHOOK__OB_OURS, &value, 1, &rows, fault);
    *count = strangers.count;
    return status ? status : give_unsent_back(&strangers, fault);
}

int casehook__ob_give_back(struct casehook_outbox *outbox, struct casehook__ob_fault *fault)
{
    size_t count = UNSENT_MAX;
    int status = CASEHOOK_OK;
    while (!status && count == UNSENT_MAX) status = give_some_back(outbox, &count, fault);
    return status;
}
