/* mishap.c - mishaps in words. */
#include "mishap.h"

#include <stdio.h>

const char *kind_name(enum kind kind)
{
    static const char *const names[KINDS] = {"find", "create", "update", "transition", "get", "comment"};
    return names[kind];
}

int mishap_to_connection(const struct mishap *mishap)
{
    return mishap->way == MISHAP_REFUSE || mishap->way == MISHAP_RESET_AT_ONCE || mishap->way == MISHAP_ALERT;
}

static const char *way_text(enum mishap_way way)
{
    switch (way) {
    case MISHAP_NONE: return "nothing";
    case MISHAP_REFUSE: return "connection refused";
    case MISHAP_RESET_AT_ONCE: return "reset after accept";
    case MISHAP_ALERT: return "TLS alert in the handshake";
    case MISHAP_CUT_REQUEST: return "ended in the request";
    case MISHAP_CUT_ANSWER: return "ended in the answer";
    case MISHAP_CUT_CHUNKED: return "ended in the chunked answer";
    case MISHAP_STALL: return "stalled in the answer";
    case MISHAP_STATUS: return "status";
    case MISHAP_HALF_CLOSED: return "half-closed before the answer";
    case MISHAP_CLOSED_BEHIND: return "closed behind the answer";
    case MISHAP_LENGTH_LONG: return "Content-Length too long";
    case MISHAP_LENGTH_SHORT: return "Content-Length too short";
    case MISHAP_BAD_CHUNK: return "bad chunk";
    case MISHAP_BROKEN_TLS: return "broken TLS record";
    case MISHAP_CLOSED_AT_REUSE: return "closed at the moment of reuse";
    case MISHAPS: break;
    }
    return "";
}

void mishap_text(const struct mishap *mishap, char *text, size_t size)
{
    int length =
        snprintf(text, size, "%s %u: %s", kind_name(mishap->kind), mishap->nth, way_text(mishap->way));
    char *end = text + length;
    size -= (size_t)length;
    if (mishap->way == MISHAP_STATUS)
        snprintf(end, size, " %d%s%s%s", mishap->status, mishap->retry_after ? ", Retry-After " : "",
                 mishap->retry_after ? mishap->retry_after : "", mishap->undone ? "" : ", done");
    else if (!mishap_to_connection(mishap))
        snprintf(end, size, " at %zu%s%s", mishap->at, mishap->undone ? ", undone" : "",
                 mishap->reset ? ", reset" : "");
}
