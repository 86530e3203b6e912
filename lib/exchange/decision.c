/* decision.c - from what a request came to, and what was done before, to what is done next. */
#include "exchange/decision.h"

enum {
    UNAUTHORIZED = 401,
    REQUEST_TIMEOUT = 408,
    TOO_EARLY = 425,
    TOO_MANY_REQUESTS = 429,
    INTERNAL_ERROR = 500,
    NOT_IMPLEMENTED = 501,
    SERVICE_UNAVAILABLE = 503,
    VERSION_NOT_SUPPORTED = 505
};

/* The server says that it did not do it, and may do it later. */
static bool is_put_off(int http_status)
{
    return http_status == REQUEST_TIMEOUT || http_status == TOO_EARLY || http_status == TOO_MANY_REQUESTS ||
           http_status == SERVICE_UNAVAILABLE;
}

bool casehook__is_broken_inside(int http_status)
{
    return http_status >= INTERNAL_ERROR && http_status != NOT_IMPLEMENTED &&
           http_status != SERVICE_UNAVAILABLE && http_status != VERSION_NOT_SUPPORTED;
}

/* What broke on the way; it may hold the next time. */
static bool is_broken_connection(int status)
{
    switch (status) {
    case CASEHOOK_E_RESOLVE:
    case CASEHOOK_E_CONNECT:
    case CASEHOOK_E_TIMEOUT:
    case CASEHOOK_E_NETWORK:
    case CASEHOOK_E_PROXY: return true;
    default: return false;
    }
}

/* ---- whether the caller may try again (R3) ------------------------------------------------------ */

/* Lack of memory, time, connections or a server passes by itself, whoever met it. */
static bool passes(const struct casehook__verdict *verdict, enum casehook__effect effect)
{
    if (verdict->lasting) return false;
    if (verdict->status == CASEHOOK_E_HTTP_STATUS)
        return is_put_off(verdict->http_status) ||
               (casehook__is_broken_inside(verdict->http_status) && effect != CASEHOOK__EFFECT_ADDS);
    return is_broken_connection(verdict->status) || verdict->status == CASEHOOK_E_NO_MEMORY ||
           verdict->status == CASEHOOK_E_SYSTEM || verdict->status == CASEHOOK_E_UNAVAILABLE;
}

/* Whether the whole operation may be called again without doing twice what was done. */
static bool repeats_nothing(const struct casehook__progress *progress, int outcome)
{
    if (progress->did || progress->written) return false;
    bool adds = progress->effect == CASEHOOK__EFFECT_ADDS || progress->creates;
    return outcome != CASEHOOK_OUTCOME_UNKNOWN || !adds;
}

/* ---- whether the request is made again (D1) ----------------------------------------------------- */

/* A second one does no harm, even if the first was done. */
static bool does_no_harm(const struct casehook__progress *progress)
{
    return progress->effect != CASEHOOK__EFFECT_ADDS || progress->keyed;
}

static bool may_repeat(const struct casehook__verdict *verdict, const struct casehook__progress *progress,
                       const struct casehook__retry *retry)
{
    if (progress->tries - progress->free_tries >= retry->max_attempts || progress->written ||
        verdict->lasting)
        return false;
    if (verdict->status == CASEHOOK_E_HTTP_STATUS)
        return casehook__retry_has_status(retry, verdict->http_status) &&
               (is_put_off(verdict->http_status) || does_no_harm(progress));
    return is_broken_connection(verdict->status) &&
           (verdict->outcome == CASEHOOK_OUTCOME_NOT_SENT || does_no_harm(progress));
}

/* The write may have been done although nobody said so. */
static bool may_be_done(const struct casehook__verdict *verdict, const struct casehook__progress *progress)
{
    if (progress->effect == CASEHOOK__EFFECT_READS) return false;
    return progress->written || verdict->outcome == CASEHOOK_OUTCOME_UNKNOWN ||
           (progress->effect == CASEHOOK__EFFECT_ADDS && verdict->status == CASEHOOK_E_HTTP_STATUS &&
            casehook__is_broken_inside(verdict->http_status));
}

/* ---- after a create that nobody knows of (D3) --------------------------------------------------- */

static struct casehook__decision decide_looked(const struct casehook__verdict *verdict,
                                               const struct casehook__progress *progress,
                                               const struct casehook__retry *retry)
{
    unsigned most = retry->max_attempts > 1 ? retry->max_attempts : 2; /* once more is always allowed */
    struct casehook__decision decision = {.action = CASEHOOK__ACTION_ADOPT};
    if (verdict->found != CASEHOOK__FOUND_NONE) return decision;
    decision.uncertain = true;
    decision.outcome = CASEHOOK_OUTCOME_UNKNOWN;
    if (progress->looks + 1 < CASEHOOK__LOOKS_MAX)
        decision.action = CASEHOOK__ACTION_LOOK;
    else if (progress->accepted || progress->create_tries - progress->create_free >= most)
        decision.action = CASEHOOK__ACTION_STOP;
    else
        decision.action = CASEHOOK__ACTION_AGAIN;
    return decision;
}

/* ---- tokens (A1) -------------------------------------------------------------------------------- */

/*
 * What waits for the token was not sent, or what came of it before is all that is known.  Done was only the
 * redirect that it followed: its next hop is what waits, and a write behind it (303) is one of which nobody
 * knows what came.
 */
static int outcome_without_token(const struct casehook__progress *progress)
{
    if (progress->uncertain || progress->written) return CASEHOOK_OUTCOME_UNKNOWN;
    bool tried = progress->last_outcome && progress->last_outcome != CASEHOOK_OUTCOME_DONE;
    return tried ? progress->last_outcome : CASEHOOK_OUTCOME_NOT_SENT;
}

static struct casehook__decision decide_fetched(const struct casehook__verdict *verdict,
                                                const struct casehook__progress *progress,
                                                const struct casehook__retry *retry)
{
    const struct casehook__progress asking = {.effect = CASEHOOK__EFFECT_READS,
                                              .tries = progress->token_tries};
    struct casehook__decision decision = {.action = CASEHOOK__ACTION_STOP, .uncertain = progress->uncertain};
    decision.outcome = outcome_without_token(progress);
    if (verdict->status == CASEHOOK_OK || (progress->spare && verdict->status != CASEHOOK_E_CANCELLED))
        decision.action = CASEHOOK__ACTION_NEXT;
    else if (may_repeat(verdict, &asking, retry))
        decision.action = CASEHOOK__ACTION_AGAIN;
    decision.retryable =
        passes(verdict, CASEHOOK__EFFECT_READS) && repeats_nothing(progress, decision.outcome);
    return decision;
}

/* The token may have been withdrawn, or ended on the way: nothing was done. */
static bool may_renew(const struct casehook__verdict *verdict, const struct casehook__progress *progress)
{
    return verdict->status == CASEHOOK_E_HTTP_STATUS && verdict->http_status == UNAUTHORIZED &&
           progress->authorized && !progress->renewed;
}

struct casehook__decision casehook__decide(const struct casehook__verdict *verdict,
                                           const struct casehook__progress *progress,
                                           const struct casehook__retry *retry)
{
    struct casehook__decision decision = {.action = CASEHOOK__ACTION_STOP, .outcome = verdict->outcome};
    if (progress->fetching) return decide_fetched(verdict, progress, retry);
    if (may_renew(verdict, progress)) {
        decision.action = CASEHOOK__ACTION_RENEW;
        decision.uncertain = progress->uncertain;
        return decision;
    }
    if (verdict->follow) {
        decision.action = CASEHOOK__ACTION_FOLLOW;
        decision.uncertain = progress->uncertain;
        return decision;
    }
    if (verdict->status == CASEHOOK_OK && progress->looking) return decide_looked(verdict, progress, retry);
    if (verdict->status == CASEHOOK_OK) {
        decision.action = CASEHOOK__ACTION_NEXT;
        return decision;
    }
    bool look = progress->creates && progress->can_find && !progress->looking &&
                verdict->status != CASEHOOK_E_CANCELLED;
    if (verdict->duplicate && progress->reached) {
        decision.outcome = CASEHOOK_OUTCOME_DONE;
        decision.uncertain = look;
        if (!progress->creates || progress->named)
            decision.action = CASEHOOK__ACTION_NEXT;
        else if (look)
            decision.action = CASEHOOK__ACTION_LOOK;
        return decision;
    }
    bool may_be = may_be_done(verdict, progress);
    decision.uncertain = progress->uncertain || may_be;
    if (look && may_be)
        decision.action = CASEHOOK__ACTION_LOOK;
    else if (may_repeat(verdict, progress, retry))
        decision.action = CASEHOOK__ACTION_AGAIN;
    /* Who wanted to look and could not knows no more than before. */
    if (progress->written || progress->uncertain || decision.action == CASEHOOK__ACTION_LOOK)
        decision.outcome = CASEHOOK_OUTCOME_UNKNOWN;
    decision.retryable = passes(verdict, progress->effect) && repeats_nothing(progress, decision.outcome);
    return decision;
}

int64_t casehook__retry_delay(const struct casehook__retry *retry, unsigned tries, int64_t retry_after_ms,
                              uint64_t random)
{
    uint64_t most = retry->base_delay_ms;
    for (unsigned i = 1; i < tries && most < retry->max_delay_ms; i++) most *= 2;
    if (most > retry->max_delay_ms) most = retry->max_delay_ms;
    int64_t delay = (int64_t)(random % (most + 1));
    if (retry_after_ms > (int64_t)retry->max_retry_after_ms) return -1;
    return delay > retry_after_ms ? delay : retry_after_ms;
}
