/*
 * loop_strand.c - driving the wires of a loop.
 *
 * While the host only ever waits, one wire is driven directly: perform, then libcurl's own poll with the
 * descriptor of the backend beside its sockets.  With a few hundred busy sockets that costs less than
 * asking for each event by itself.  All other wires are watched: the backend says which socket is ready.
 */
#include "loop/loop_private.h"

#include "base/clock.h"

#include <limits.h>

#define BLIND_MS   10
#define EVENTS_MAX 128

static void strand_set_due(struct casehook__strand *strand, int64_t at)
{
    casehook__timer_set(&strand->loop->dues, &strand->due, at);
}

static void touch(struct casehook__strand *strand)
{
    if (strand->touched) return;
    strand->touched = true;
    strand->next_touched = strand->loop->touched;
    strand->loop->touched = strand;
}

/* blind: it cannot be relied upon that an event tells of it. */
static void strand_set_blind(struct casehook__strand *strand, bool blind)
{
    if (strand->blind == blind) return;
    strand->blind = blind;
    strand->loop->blind_count += blind ? 1 : UINT32_MAX; /* or -1 */
}

static void strand_on_socket(void *user, int socket, int events, bool fresh)
{
    struct casehook__strand *strand = user;
    struct casehook_loop *loop = strand->loop;
    /* Transfers must not be given up because a socket cannot be watched: they are looked at now and then. */
    if (!loop->ops->watch(loop->backend, socket, events, fresh, strand->index))
        strand_set_blind(strand, true);
}

static void strand_on_timer(void *user, int64_t in_ms)
{
    struct casehook__strand *strand = user;
    if (in_ms < 0)
        casehook__timer_clear(&strand->loop->dues, &strand->due);
    else
        strand_set_due(strand, in_ms == 0 ? strand->loop->now : casehook__clock_ms() + in_ms);
}

static void strand_watch(struct casehook__strand *strand)
{
    const struct casehook__watcher watcher = {
        .user = strand, .socket = strand_on_socket, .timer = strand_on_timer};
    struct casehook_loop *loop = strand->loop;
    if (loop->direct == strand) loop->direct = NULL;
    strand->watched = true;
    loop->watched_transfers += strand->transfers;
    casehook__wire_watch(strand->wire, &watcher);
    touch(strand);
    if (strand->transfers) strand_set_due(strand, loop->now); /* some may have ended just now */
}

/* A free place among the strands; UINT32_MAX: no memory. */
static uint32_t strand_place(struct casehook_loop *loop)
{
    while (loop->free_strand < loop->strand_count && loop->strands[loop->free_strand]) loop->free_strand++;
    if (loop->free_strand < loop->strand_count) return loop->free_strand;
    if (loop->strand_count == loop->strand_capacity) {
        uint32_t capacity = loop->strand_capacity ? loop->strand_capacity * 2 : 8;
        void *grown = casehook__realloc(loop->heap, loop->strands, capacity * sizeof *loop->strands);
        if (!grown) return UINT32_MAX;
        loop->strands = grown;
        loop->strand_capacity = capacity;
    }
    loop->strands[loop->strand_count] = NULL;
    return loop->strand_count++;
}

static bool may_be_direct(const struct casehook_loop *loop)
{
    return !loop->direct && !loop->descriptor_used && loop->max_connections <= CASEHOOK__SHARD_LANES &&
           loop->ops->descriptor(loop->backend) >= 0;
}

struct casehook__strand *casehook__strand_new(struct casehook_loop *loop,
                                              struct casehook_connector *connector, bool lasting)
{
    uint32_t index = strand_place(loop);
    if (index == UINT32_MAX) return NULL;
    struct casehook__strand *strand = casehook__calloc(loop->heap, 1, sizeof *strand);
    if (!strand) return NULL;
    /* Of the loop's heap: a wire to be reaped may outlive the connector. */
    if (casehook__wire_new(loop->heap, connector->settings, &strand->wire)) {
        casehook__free(loop->heap, strand);
        return NULL;
    }
    strand->loop = loop;
    strand->index = index;
    loop->strands[index] = strand;
    /* Idle ones in between must not be closed: each call may go to a host of its own. */
    uint32_t most =
        loop->max_connections < CASEHOOK__SHARD_LANES ? loop->max_connections : CASEHOOK__SHARD_LANES;
    if (lasting) casehook__wire_keep(strand->wire, most * CASEHOOK__CALLS);
    if (lasting && may_be_direct(loop))
        loop->direct = strand;
    else
        strand_watch(strand);
    return strand;
}

static void untouch(struct casehook__strand *strand)
{
    struct casehook__strand **link = &strand->loop->touched;
    if (!strand->touched) return;
    while (*link != strand) link = &(*link)->next_touched;
    *link = strand->next_touched;
    strand->touched = false;
}

void casehook__strand_free(struct casehook__strand *strand)
{
    if (!strand) return;
    struct casehook_loop *loop = strand->loop;
    casehook__wire_free(strand->wire); /* may still tell of its sockets */
    casehook__timer_clear(&loop->dues, &strand->due);
    strand_set_blind(strand, false);
    untouch(strand);
    loop->strands[strand->index] = NULL;
    if (strand->index < loop->free_strand) loop->free_strand = strand->index;
    if (loop->direct == strand) loop->direct = NULL;
    casehook__free(loop->heap, strand);
}

void casehook__strands_watch(struct casehook_loop *loop)
{
    if (loop->direct) strand_watch(loop->direct);
}

void casehook__strand_started(struct casehook__strand *strand)
{
    strand->transfers++;
    if (strand->watched)
        strand->loop->watched_transfers++;
    else
        strand_set_due(strand, strand->loop->now);
}

void casehook__strand_ended(struct casehook__strand *strand)
{
    strand->transfers--;
    if (strand->watched) strand->loop->watched_transfers--;
    if (strand->transfers == 0) strand_set_blind(strand, false);
}

void casehook__strand_release(struct casehook__strand *strand)
{
    strand->released = true;
    strand->next_released = strand->loop->released;
    strand->loop->released = strand;
}

/* libcurl has told of its timer before it ran out of memory, or not: the others must go on. */
static void after(struct casehook__strand *strand, bool done)
{
    if (!done) strand_set_due(strand, strand->loop->now);
    touch(strand);
}

static void drive(struct casehook__strand *strand)
{
    bool done = true;
    casehook__timer_clear(&strand->loop->dues, &strand->due);
    if (!strand->watched)
        casehook__wire_perform(strand->wire);
    else
        done = strand->blind ? casehook__wire_sweep(strand->wire) : casehook__wire_tick(strand->wire);
    after(strand, done);
}

/*
 * What nobody watches is driven in every turn, whether something is known of it or not; again: in the same
 * turn only if something came.
 */
static bool drive_unwatched(struct casehook_loop *loop, bool again)
{
    bool driven =
        loop->direct && loop->direct->transfers && (!again || casehook__wire_poll(loop->direct->wire, 0));
    if (driven) drive(loop->direct);
    for (uint32_t i = 0; loop->blind_count && i < loop->strand_count; i++) {
        struct casehook__strand *strand = loop->strands[i];
        if (!strand || strand->released || !strand->blind) continue;
        if (again && !casehook__wire_poll(strand->wire, 0)) continue;
        drive(strand);
        driven = true;
    }
    return driven;
}

bool casehook__strands_drive(struct casehook_loop *loop, bool first)
{
    bool driven = drive_unwatched(loop, !first);
    /* One may be due again at once: each gets its turn, then the others. */
    for (uint32_t left = loop->strand_count; left && casehook__timers_next(&loop->dues) <= loop->now;
         left--) {
        drive(CASEHOOK__OWNER(loop->dues.first, struct casehook__strand, due));
        driven = true;
    }
    return driven;
}

size_t casehook__strands_harvest(struct casehook_loop *loop, void (*answered)(struct casehook__job *job))
{
    size_t count = 0;
    while (loop->touched) {
        struct casehook__strand *strand = loop->touched;
        untouch(strand);
        struct casehook__transfer *transfer;
        while (!strand->released && (transfer = casehook__wire_next(strand->wire)) != NULL) {
            answered(casehook__transfer_owner(transfer));
            count++;
        }
    }
    return count;
}

void casehook__strands_reap(struct casehook_loop *loop)
{
    while (loop->released) {
        struct casehook__strand *strand = loop->released;
        loop->released = strand->next_released;
        casehook__strand_free(strand);
    }
    while (loop->strand_count > 0 && !loop->strands[loop->strand_count - 1]) loop->strand_count--;
    if (loop->free_strand > loop->strand_count) loop->free_strand = loop->strand_count;
}

static void act(struct casehook_loop *loop, const struct casehook__event *event)
{
    struct casehook__strand *strand = event->owner < loop->strand_count ? loop->strands[event->owner] : NULL;
    if (!strand || strand->released) return;
    after(strand, casehook__wire_act(strand->wire, event->socket, event->events));
}

/* Whoever submits or cancels from now on ends the wait; what came before must be looked at first. */
static int fall_asleep(struct casehook_loop *loop, int timeout_ms)
{
    pthread_mutex_lock(&loop->lock);
    if (loop->incoming.first || loop->cancel_wanted || loop->woken) timeout_ms = 0;
    loop->sleeping = timeout_ms != 0;
    pthread_mutex_unlock(&loop->lock);
    return timeout_ms;
}

static void awake(struct casehook_loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    loop->sleeping = false;
    pthread_mutex_unlock(&loop->lock);
}

int casehook__strands_poll(struct casehook_loop *loop, int timeout_ms)
{
    struct casehook__event events[EVENTS_MAX];
    struct casehook__strand *direct = loop->direct;
    if (timeout_ms != 0) timeout_ms = fall_asleep(loop, timeout_ms);
    if (timeout_ms != 0 && direct && direct->transfers) {
        int descriptor = loop->ops->descriptor(loop->backend);
        if (timeout_ms < 0) timeout_ms = INT_MAX;
        bool more = casehook__wire_poll_with(direct->wire, descriptor, timeout_ms);
        awake(loop);
        if (!more) return 0;
        timeout_ms = 0;
    }
    int count = loop->ops->wait(loop->backend, timeout_ms, events, EVENTS_MAX);
    if (timeout_ms != 0) awake(loop);
    for (int i = 0; i < count; i++) act(loop, &events[i]);
    return count;
}

int64_t casehook__strands_next_time(const struct casehook_loop *loop)
{
    int64_t time = casehook__timers_next(&loop->dues);
    return loop->blind_count && loop->now + BLIND_MS < time ? loop->now + BLIND_MS : time;
}
