/* decision.c - from what a request came to, and what was done before, to what is done next (R2, R3, H6). */
#include "exchange/decision.h"

enum {
    REQUEST_TIMEOUT = 408,
    TOO_EARLY = 425,
    TOO_MANY_REQUESTS = 429,
    NOT_IMPLEMENTED = 501,
    SERVICE_UNAVAILABLE = 503,
    VERSION_NOT_SUPPORTED = 505
};

/* The same request may be accepted later.  What failed inside the server may have been written before. */
static bool answer_passes(int http_status, enum casehook__effect effect)
{
    if (http_status == REQUEST_TIMEOUT || http_status == TOO_EARLY || http_status == TOO_MANY_REQUESTS ||
        http_status == SERVICE_UNAVAILABLE)
        return true;
    return http_status >= 500 && http_status != NOT_IMPLEMENTED && http_status != VERSION_NOT_SUPPORTED &&
           effect != CASEHOOK__EFFECT_ADDS;
}

/* Lack of memory, time, connections or a server passes by itself, whoever met it. */
static bool failure_passes(int status)
{
    switch (status) {
    case CASEHOOK_E_RESOLVE:
    case CASEHOOK_E_CONNECT:
    case CASEHOOK_E_TIMEOUT:
    case CASEHOOK_E_NETWORK:
    case CASEHOOK_E_PROXY:
    case CASEHOOK_E_NO_MEMORY:
    case CASEHOOK_E_SYSTEM: return true;
    default: return false;
    }
}

static bool passes(const struct casehook__verdict *verdict, enum casehook__effect effect)
{
    if (verdict->lasting) return false;
    if (verdict->status == CASEHOOK_E_HTTP_STATUS) return answer_passes(verdict->http_status, effect);
    return failure_passes(verdict->status);
}

/* Whether the whole operation may be called again without doing twice what was done. */
static bool repeats_nothing(const struct casehook__progress *progress, int outcome)
{
    if (progress->commented || progress->written || progress->made) return false;
    return outcome != CASEHOOK_OUTCOME_UNKNOWN || progress->effect != CASEHOOK__EFFECT_ADDS;
}

struct casehook__decision casehook__decide(const struct casehook__verdict *verdict,
                                           const struct casehook__progress *progress)
{
    struct casehook__decision decision = {.action = CASEHOOK__ACTION_STOP, .outcome = verdict->outcome};
    if (verdict->follow) {
        decision.action = CASEHOOK__ACTION_AGAIN;
    } else if (verdict->status == CASEHOOK_OK) {
        decision.action = CASEHOOK__ACTION_NEXT;
    } else {
        if (progress->written) decision.outcome = CASEHOOK_OUTCOME_UNKNOWN;
        decision.retryable = passes(verdict, progress->effect) && repeats_nothing(progress, decision.outcome);
    }
    return decision;
}
