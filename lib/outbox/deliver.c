/* deliver.c - the thread that delivers: takes entries, sends them, stores what became of them. */
#include "outbox/posix.h"

#include "outbox/outbox_private.h"

#include <stdio.h>

enum {
    GATHER_MS = 5,     /* results that come so soon after each other are stored together */
    AWAY_MS = 1000,    /* the database could not be reached: tried again after so long */
    CLEAN_MS = 600000, /* how often old entries are deleted */
    /* Until the next piece of them, while they are many; and while most of them are kept. */
    CLEAN_NEXT_MS = 100,
    CLEAN_LOOK_MS = 1000,
    CLEAN_MANY = 100
};

/* ---- what is being sent ----------------------------------------------------------------------------- */

static struct casehook__ob_sending *sending_of(struct casehook_outbox *outbox, uint64_t ticket)
{
    for (size_t i = 0; i < outbox->places; i++)
        if (outbox->sending[i].submitted && !outbox->sending[i].ended && outbox->sending[i].ticket == ticket)
            return &outbox->sending[i];
    return NULL;
}

/*
 * Nothing more is sent of an entry whose lease is nearly over: another worker may have it soon.  Each
 * operation has that as its deadline too, which is looked at right before a request; this clock has gone on
 * as well while the machine slept.
 */
static void stop_late_ones(struct casehook_outbox *outbox)
{
    int64_t now = casehook__ob_clock();
    for (size_t i = 0; i < outbox->places; i++) {
        struct casehook__ob_sending *sending = &outbox->sending[i];
        if (sending->submitted && !sending->ended && now >= sending->stop_at)
            casehook_loop_cancel(outbox->loop, sending->ticket);
    }
}

static void pull_results(struct casehook_outbox *outbox)
{
    struct casehook_result *result;
    uint64_t ticket;
    while (result = casehook_loop_next(outbox->loop, &ticket), ticket) {
        struct casehook__ob_sending *sending = sending_of(outbox, ticket);
        if (sending)
            casehook__ob_judge(outbox, sending, result);
        else
            casehook_result_free(result);
    }
}

static size_t ended_count(const struct casehook_outbox *outbox)
{
    size_t count = 0;
    for (size_t i = 0; i < outbox->places; i++) count += outbox->sending[i].ended;
    return count;
}

/* ---- storing and taking ----------------------------------------------------------------------------- */

struct work {
    struct casehook__ob_job job;
    bool takes_over, claims, cleans;
    int64_t clock_ahead;
    struct casehook__ob_sweep sweep;
    uint64_t connections; /* of the store: another thread may lose it, and connect again, at any moment */
};

static int do_work(struct casehook_outbox *outbox, struct casehook__ob_job *job,
                   struct casehook__ob_fault *fault)
{
    struct work *work = job->user;
    int status = CASEHOOK_OK;
    casehook__ob_unclaim(outbox); /* of a try before this one */
    bool reconnected = outbox->connections != outbox->store->connections;
    work->clock_ahead = casehook__ob_clock_ahead();
    if (work->takes_over) status = casehook__ob_take_over(outbox, fault);
    /* After a commit that failed, too: whether it did is not known of each failure. */
    if (!status && (reconnected || atomic_load(&outbox->away)))
        status = casehook__ob_give_back(outbox, fault);
    if (!status) status = casehook__ob_settle(outbox, fault);
    work->sweep = outbox->sweep;
    if (!status && work->cleans) status = casehook__ob_clean(outbox, &work->sweep, fault);
    if (!status && work->claims) status = casehook__ob_claim(outbox, fault);
    if (reconnected) casehook__ob_watch_store(outbox);
    work->connections = outbox->store->connections;
    outbox->polls = outbox->store->driver->descriptor(outbox->store) < 0;
    return status;
}

static void note_settled(struct casehook_outbox *outbox, const struct casehook__ob_sending *sending)
{
    struct casehook_outbox_stats *numbers = &outbox->numbers;
    int level = CASEHOOK_LOG_ERROR;
    const char *message = sending->message;
    pthread_mutex_lock(&outbox->lock);
    numbers->attempts += !sending->unmade;
    if (sending->lost)
        numbers->lost++;
    else if (sending->state == CASEHOOK_OUTBOX_DONE)
        numbers->delivered++;
    else if (sending->state == CASEHOOK_OUTBOX_WAITING)
        numbers->retried += !sending->unmade;
    else
        numbers->gave_up++;
    pthread_mutex_unlock(&outbox->lock);
    if (sending->lost)
        message = "its lease was over: what came of it is not stored, another worker has it";
    else if (sending->state == CASEHOOK_OUTBOX_WAITING)
        level = sending->again ? CASEHOOK_LOG_DEBUG : CASEHOOK_LOG_WARNING;
    else if (sending->state == CASEHOOK_OUTBOX_DONE)
        level = CASEHOOK_LOG_INFO, message = "done";
    casehook__ob_note(outbox, level, sending, message);
}

static void drop_settled(struct casehook_outbox *outbox)
{
    for (size_t i = 0; i < outbox->places; i++) {
        struct casehook__ob_sending *sending = &outbox->sending[i];
        if (!sending->ended || sending->fresh) continue;
        note_settled(outbox, sending);
        casehook__ob_sending_clear(outbox, sending);
        atomic_fetch_sub(&outbox->sending_now, 1);
    }
    outbox->ended_since = 0;
}

static void stand_back(struct casehook_outbox *outbox, const struct casehook__ob_fault *fault)
{
    char message[CASEHOOK__OB_MESSAGE_SIZE + 32];
    snprintf(message, sizeof message, "%s; it is tried again", fault->message);
    if (!atomic_load(&outbox->away)) casehook__ob_note(outbox, CASEHOOK_LOG_ERROR, NULL, message);
    atomic_store(&outbox->away, true);
    outbox->next_try = casehook__ob_clock() + AWAY_MS;
}

static void send_claimed(struct casehook_outbox *outbox)
{
    for (size_t i = 0; i < outbox->places; i++)
        if (outbox->sending[i].fresh) casehook__ob_attempt(outbox, &outbox->sending[i]);
}

/* One transaction with all that is to be done; what it took is sent. */
static bool do_transaction(struct casehook_outbox *outbox, bool claims)
{
    int64_t now = casehook__ob_clock();
    struct work work = {.job = {.do_it = do_work},
                        .takes_over = !outbox->taken_over,
                        .claims = claims,
                        .cleans = now >= outbox->next_clean};
    work.job.user = &work;
    if (claims) atomic_store(&outbox->has_work, false);
    if (casehook__ob_group(outbox, &work.job)) {
        casehook__ob_unclaim(outbox);
        if (claims) atomic_store(&outbox->has_work, true);
        stand_back(outbox, &work.job.fault);
        return false;
    }
    if (atomic_load(&outbox->away))
        casehook__ob_note(outbox, CASEHOOK_LOG_WARNING, NULL, "the database is there again");
    atomic_store(&outbox->away, false);
    outbox->taken_over = true;
    if (work.cleans) {
        outbox->sweep = work.sweep;
        outbox->next_clean = now + (!work.sweep.more                   ? CLEAN_MS
                                    : work.sweep.deleted >= CLEAN_MANY ? CLEAN_NEXT_MS
                                                                       : CLEAN_LOOK_MS);
    }
    outbox->connections = work.connections;
    if (claims) outbox->clock_ahead = work.clock_ahead;
    drop_settled(outbox);
    send_claimed(outbox);
    return true;
}

/* Whether there is a reason for a transaction now. */
static bool wants_transaction(struct casehook_outbox *outbox, bool *claims)
{
    int64_t now = casehook__ob_clock();
    size_t sending = atomic_load(&outbox->sending_now), ended = ended_count(outbox);
    bool room = casehook__ob_has_room(outbox) && sending < outbox->places;
    if (ended && !outbox->ended_since) outbox->ended_since = now;
    *claims = room && !atomic_load(&outbox->paused);
    if (atomic_load(&outbox->away)) return now >= outbox->next_try; /* it says whether it works again */
    if (!outbox->taken_over) return true;
    if (ended && (ended == sending || ended * 2 >= outbox->options.max_sending ||
                  now - outbox->ended_since >= GATHER_MS))
        return true;
    if (outbox->sweep.more && now >= outbox->next_clean) return true;
    /* With what has ended, places become free: all of it in one transaction, in a moment. */
    return !ended && *claims && (atomic_load(&outbox->has_work) || now >= outbox->next_claim);
}

/* ---- driving ---------------------------------------------------------------------------------------- */

static int64_t delay_until(int64_t point, int64_t now, int64_t before)
{
    int64_t delay = point > now ? point - now : 0;
    return delay < before ? delay : before;
}

static void set_alarm(struct casehook_outbox *outbox)
{
    int64_t now = casehook__ob_clock(), delay = 60000;
    if (atomic_load(&outbox->away)) {
        delay = delay_until(outbox->next_try, now, delay);
    } else {
        if (!outbox->ended_since && !atomic_load(&outbox->paused) && casehook__ob_has_room(outbox))
            delay = delay_until(outbox->next_claim, now, delay);
        if (outbox->polls) delay = delay_until(outbox->next_look, now, delay);
        if (outbox->sweep.more) delay = delay_until(outbox->next_clean, now, delay);
        if (outbox->next_ask) delay = delay_until(outbox->next_ask, now, delay);
        if (outbox->ended_since) delay = delay_until(outbox->ended_since + GATHER_MS, now, delay);
    }
    casehook__ob_watch_alarm(outbox, delay);
}

/* What others have put. */
static void look_for_news(struct casehook_outbox *outbox)
{
    int64_t now = casehook__ob_clock();
    outbox->polls = outbox->store->driver->descriptor(outbox->store) < 0;
    if (outbox->polls && now < outbox->next_look) return;
    outbox->next_look = now + outbox->options.poll_ms;
    if (outbox->store->driver->has_news(outbox->store)) atomic_store(&outbox->has_work, true);
}

static void look_when_nobody_writes(struct casehook_outbox *outbox)
{
    if (!casehook__ob_lead(outbox)) {
        atomic_store(&outbox->has_work, true); /* whoever writes will be seen */
        return;
    }
    look_for_news(outbox);
    casehook__ob_lead_no_more(outbox);
}

enum { PROCESS_ROUNDS_MAX = 8 };

static void process(struct casehook_outbox *outbox)
{
    bool claims;
    casehook__ob_watch_calm(outbox);
    look_when_nobody_writes(outbox);
    casehook__ob_rest_ask(outbox);
    for (int round = 0; round < PROCESS_ROUNDS_MAX; round++) {
        stop_late_ones(outbox);
        casehook_loop_process(outbox->loop);
        pull_results(outbox);
        if (!wants_transaction(outbox, &claims)) break;
        if (!do_transaction(outbox, claims)) break;
    }
    set_alarm(outbox);
}

static int begin_delivery(struct casehook_outbox *outbox)
{
    int status = casehook__ob_usable(outbox, NULL);
    if (status) return status;
    if (!outbox->loop) return CASEHOOK_E_ARGUMENT;
    return atomic_flag_test_and_set(&outbox->delivering) ? CASEHOOK_E_BUSY : CASEHOOK_OK;
}

static void end_delivery(struct casehook_outbox *outbox)
{
    atomic_flag_clear(&outbox->delivering);
}

int casehook_outbox_process(struct casehook_outbox *outbox)
{
    int status = begin_delivery(outbox);
    if (status) return status;
    process(outbox);
    end_delivery(outbox);
    return CASEHOOK_OK;
}

static bool is_idle(struct casehook_outbox *outbox)
{
    return !atomic_load(&outbox->away) && outbox->taken_over && !atomic_load(&outbox->sending_now) &&
           (atomic_load(&outbox->paused) ||
            (!atomic_load(&outbox->has_work) && casehook__ob_clock() < outbox->next_claim));
}

int casehook_outbox_run(struct casehook_outbox *outbox, uint32_t flags, int32_t timeout_ms)
{
    if (flags & ~(uint32_t)CASEHOOK_OUTBOX_UNTIL_IDLE) return CASEHOOK_E_ARGUMENT;
    int status = begin_delivery(outbox);
    if (status) return status;
    int64_t end = casehook__ob_clock() + timeout_ms;
    for (;;) {
        process(outbox);
        int64_t left = timeout_ms < 0 ? -1 : end - casehook__ob_clock();
        if (atomic_exchange(&outbox->woken, false) || (timeout_ms >= 0 && left <= 0)) break;
        if ((flags & CASEHOOK_OUTBOX_UNTIL_IDLE) && is_idle(outbox)) break;
        casehook__ob_watch_wait(outbox, left);
    }
    end_delivery(outbox);
    return CASEHOOK_OK;
}

/* ---- from outside ----------------------------------------------------------------------------------- */

int casehook_outbox_fd(struct casehook_outbox *outbox)
{
    return casehook__ob_usable(outbox, NULL) || !outbox->watch ? -1 : casehook__ob_watch_fd(outbox);
}

int64_t casehook_outbox_timeout_ms(struct casehook_outbox *outbox)
{
    if (casehook__ob_usable(outbox, NULL) || !outbox->loop) return -1;
    int64_t now = casehook__ob_clock(), loop = casehook_loop_timeout_ms(outbox->loop),
            delay = outbox->options.poll_ms;
    if (atomic_load(&outbox->away)) { /* before that nothing is done */
        delay = delay_until(outbox->next_try, now, AWAY_MS);
        return loop >= 0 && loop < delay ? loop : delay;
    }
    if (outbox->sweep.more) delay = delay_until(outbox->next_clean, now, delay);
    if (outbox->next_ask) delay = delay_until(outbox->next_ask, now, delay);
    if (outbox->ended_since) delay = delay_until(outbox->ended_since + GATHER_MS, now, delay);
    if (!outbox->ended_since && !atomic_load(&outbox->paused) && casehook__ob_has_room(outbox))
        delay = delay_until(outbox->next_claim, now, delay);
    return loop >= 0 && loop < delay ? loop : delay;
}

void casehook_outbox_wakeup(struct casehook_outbox *outbox)
{
    if (casehook__ob_usable(outbox, NULL) || !outbox->watch) return;
    atomic_store(&outbox->woken, true);
    casehook__ob_watch_wake(outbox);
}

void casehook_outbox_pause(struct casehook_outbox *outbox, int paused)
{
    if (casehook__ob_usable(outbox, NULL)) return;
    atomic_store(&outbox->paused, paused != 0);
    if (outbox->watch) casehook__ob_watch_wake(outbox);
}

size_t casehook_outbox_sending(const struct casehook_outbox *outbox)
{
    return outbox ? atomic_load(&outbox->sending_now) : 0;
}
