/*
 * limiter.c - a token bucket and a circuit breaker (D6).
 *
 * Tokens are taken when a request goes out, not when it comes to wait: then no window of time sees more than
 * the burst and what flowed in meanwhile, even if every thread slept longer than it meant to.  Who has to
 * wait is told a time after that of the one before him, and who wakes in vain one at the end: so each wakes
 * about once, also after a stall in which many times have passed.  A turn that is given up goes to the last
 * one, which keeps the turns without a gap at no cost.
 */
#include "base/posix.h"

#include "exchange/limiter.h"

#include <pthread.h>
#include <unistd.h>

struct casehook__limiter {
    struct casehook__heap *heap;
    struct casehook__limits limits;
    pthread_mutex_t lock; /* of what follows */

    double tokens;
    int64_t filled_at; /* tokens is that of this time */
    size_t queued;
    struct casehook__place *last; /* of the queue */

    unsigned failures; /* in a row */
    bool open, probing;
    int64_t open_until;
    int64_t probe_ms; /* that a probe has */
    pid_t process;    /* that made it: in a child the lock may be held by nobody who is there */
};

int casehook__limiter_new(struct casehook__heap *heap, const struct casehook__limits *limits,
                          uint64_t request_ms, struct casehook__limiter **out)
{
    *out = NULL;
    if (!limits->rate_requests && !limits->circuit_failures) return CASEHOOK_OK;
    struct casehook__limiter *limiter = casehook__calloc(heap, 1, sizeof *limiter);
    if (!limiter) return CASEHOOK_E_NO_MEMORY;
    if (pthread_mutex_init(&limiter->lock, NULL)) {
        casehook__free(heap, limiter);
        return CASEHOOK_E_NO_MEMORY;
    }
    limiter->heap = heap;
    limiter->limits = *limits;
    limiter->probe_ms =
        request_ms > limits->circuit_pause_ms ? (int64_t)request_ms : (int64_t)limits->circuit_pause_ms;
    limiter->tokens = limits->rate_burst;
    limiter->filled_at = INT64_MIN;
    limiter->process = getpid();
    *out = limiter;
    return CASEHOOK_OK;
}

void casehook__limiter_free(struct casehook__limiter *limiter)
{
    if (!limiter) return;
    if (limiter->process == getpid()) pthread_mutex_destroy(&limiter->lock);
    casehook__free(limiter->heap, limiter);
}

/* ---- under the lock ---------------------------------------------------------------------------- */

static double tokens_per_ms(const struct casehook__limiter *limiter)
{
    return (double)limiter->limits.rate_requests / limiter->limits.rate_per_ms;
}

static void fill(struct casehook__limiter *limiter, int64_t now)
{
    double most = limiter->limits.rate_burst;
    if (limiter->filled_at != INT64_MIN && now > limiter->filled_at)
        limiter->tokens += (double)(now - limiter->filled_at) * tokens_per_ms(limiter);
    if (limiter->tokens > most) limiter->tokens = most;
    if (now > limiter->filled_at) limiter->filled_at = now;
}

static void join_queue(struct casehook__limiter *limiter, struct casehook__place *place, double turn)
{
    place->queued = true;
    place->turn = turn;
    place->before = limiter->last;
    place->behind = NULL;
    if (limiter->last) limiter->last->behind = place;
    limiter->last = place;
    limiter->queued++;
}

static void leave_queue(struct casehook__limiter *limiter, struct casehook__place *place)
{
    if (!place->queued) return;
    if (place->before) place->before->behind = place->behind;
    *(place->behind ? &place->behind->before : &limiter->last) = place->before;
    place->queued = false;
    limiter->queued--;
}

/* The turn of one that does not go: the last one gets it, and its place. */
static void pass_turn_on(struct casehook__limiter *limiter, struct casehook__place *place)
{
    struct casehook__place *last = limiter->last;
    if (!place->queued || place == last) {
        leave_queue(limiter, place);
        return;
    }
    leave_queue(limiter, last);
    last->queued = true;
    last->turn = place->turn;
    last->before = place->before;
    last->behind = place->behind;
    if (last->before) last->before->behind = last;
    *(last->behind ? &last->behind->before : &limiter->last) = last;
    place->queued = false;
}

/* True: a token was taken.  Who has not waited yet comes behind those who do. */
static bool take_token(struct casehook__limiter *limiter, int64_t now, struct casehook__place *place,
                       int64_t *at)
{
    if (!limiter->limits.rate_requests) return true;
    fill(limiter, now);
    bool is_early = !place->queued || place->turn > (double)now;
    size_t before = is_early ? limiter->queued - place->queued : 0;
    double each = 1 / tokens_per_ms(limiter);
    if (limiter->tokens >= (double)before + 1) {
        leave_queue(limiter, place);
        limiter->tokens -= 1;
        return true;
    }
    if (!place->queued || !is_early) {
        leave_queue(limiter, place);
        double turn = (double)now + (limiter->tokens < 1 ? (1 - limiter->tokens) * each : 0);
        if (limiter->last && limiter->last->turn + each > turn) turn = limiter->last->turn + each;
        join_queue(limiter, place, turn);
    }
    place->follows = place->before != NULL;
    *at = (int64_t)place->turn + 1;
    return false;
}

/* While a probe is under way nobody else is let through, but for no longer than it may take: a host may have
 * forgotten it. */
static bool is_open(const struct casehook__limiter *limiter, int64_t now, int64_t *at)
{
    *at = limiter->open_until;
    return limiter->open && now < limiter->open_until;
}

static void trip(struct casehook__limiter *limiter, int64_t now)
{
    limiter->open = true;
    limiter->open_until = now + limiter->limits.circuit_pause_ms;
}

/* ------------------------------------------------------------------------------------------------ */

enum casehook__admission casehook__limiter_ask(struct casehook__limiter *limiter, int64_t now,
                                               struct casehook__place *place, int64_t *at)
{
    enum casehook__admission admission = CASEHOOK__ADMITTED;
    pthread_mutex_lock(&limiter->lock);
    if (is_open(limiter, now, at)) {
        pass_turn_on(limiter, place);
        admission = CASEHOOK__CIRCUIT_OPEN;
    } else if (!take_token(limiter, now, place, at)) {
        admission = CASEHOOK__ADMITTED_LATER;
    } else if (limiter->open) {
        limiter->probing = place->probing = true;
        limiter->open_until = now + limiter->probe_ms;
    }
    place->waits = admission == CASEHOOK__ADMITTED_LATER;
    pthread_mutex_unlock(&limiter->lock);
    return admission;
}

bool casehook__limiter_refuses(struct casehook__limiter *limiter, int64_t now, int64_t *at)
{
    pthread_mutex_lock(&limiter->lock);
    bool open = is_open(limiter, now, at);
    pthread_mutex_unlock(&limiter->lock);
    return open;
}

static void settle_probe(struct casehook__limiter *limiter, int64_t now, enum casehook__health health)
{
    limiter->probing = false;
    limiter->open_until = now; /* the next one may try, unless it is known to be down */
    if (health == CASEHOOK__HEALTH_DOWN) trip(limiter, now);
    if (health != CASEHOOK__HEALTH_UP) return;
    limiter->open = false;
    limiter->failures = 0;
}

void casehook__limiter_settle(struct casehook__limiter *limiter, int64_t now, struct casehook__place *place,
                              enum casehook__health health)
{
    if (!limiter->limits.circuit_failures) return;
    pthread_mutex_lock(&limiter->lock);
    if (place->probing && limiter->open) {
        settle_probe(limiter, now, health);
    } else if (!limiter->open) { /* else it was under way when the circuit opened, and says nothing new */
        if (health == CASEHOOK__HEALTH_UP) limiter->failures = 0;
        if (health == CASEHOOK__HEALTH_DOWN && ++limiter->failures >= limiter->limits.circuit_failures)
            trip(limiter, now);
    }
    place->probing = false;
    pthread_mutex_unlock(&limiter->lock);
}

void casehook__limiter_leave(struct casehook__limiter *limiter, struct casehook__place *place)
{
    if ((!place->waits && !place->probing) || limiter->process != getpid()) return;
    pthread_mutex_lock(&limiter->lock);
    pass_turn_on(limiter, place);
    if (place->probing) {
        limiter->probing = false;
        limiter->open_until = INT64_MIN;
    }
    place->waits = place->probing = false;
    pthread_mutex_unlock(&limiter->lock);
}

const char *casehook__limiter_circuit(struct casehook__limiter *limiter, int64_t now)
{
    const char *state = "closed";
    if (!limiter || !limiter->limits.circuit_failures) return state;
    pthread_mutex_lock(&limiter->lock);
    if (limiter->open) state = now < limiter->open_until && !limiter->probing ? "open" : "half_open";
    pthread_mutex_unlock(&limiter->lock);
    return state;
}
