/*
 * exchange.h - the state machine of one operation, without I/O (H1, H3, H4, R1, R2).
 *
 * A driver asks for the next request, does it, and feeds the response or the failure back, until
 * there is no next request; then the result is there.  It may be driven with made-up responses.
 */
#ifndef CASEHOOK_EXCHANGE_H
#define CASEHOOK_EXCHANGE_H

#include "document/config.h"
#include "document/mask.h"
#include "exchange/params.h"
#include "exchange/result.h"

/*
 * Steps of one call, a step of a template or 64 bytes of what it renders.  What passed the rehearsal fits
 * into the call: the rehearsal takes as much as sending does, but for the case itself.
 */
#define CASEHOOK__REHEARSAL_STEPS_MAX ((size_t)10000000)
#define CASEHOOK__CALL_STEPS_MAX      ((size_t)25000000)

/* One request on the wire; everything is borrowed from the exchange until it is fed or failed. */
struct casehook__request {
    enum casehook__call call;
    enum casehook__method method;
    const char *url; /* as requested, without fragment */
    const struct casehook__origin *origin;
    struct casehook__text body; /* data NULL: none */
    bool configured; /* the origin of the configuration: headers, credentials, client certificate go along */
};

/* The response with what matters of its headers; data NULL where there was no such header. */
struct casehook__response {
    int status;
    struct casehook__text content_type;     /* the first one */
    struct casehook__text content_encoding; /* what is left after the driver decoded the body */
    struct casehook__text location;
    struct casehook__text retry_after;
    struct casehook__text body;
};

/* Why there is no response. */
struct casehook__failure {
    int status;     /* CASEHOOK_E_* */
    bool sent;      /* some of the request may have reached the server */
    bool retryable; /* it may work later by itself */
    /* A success whose body broke off or cannot be read: what came of it; NULL: nothing. */
    const struct casehook__response *partial;
    const char *message; /* what happened, without URL and step; no secrets */
};

struct casehook__exchange {
    struct casehook__heap *heap;
    /* Set by the caller before casehook__exchange_begin; they must live as long as the operation. */
    const struct casehook__config *config;
    const struct casehook__settings *settings;
    const struct casehook__mask *mask;
    struct casehook__params params;
    /* When the caller wants an end; asked while nothing is sent yet, and forgotten with the operation. */
    int64_t deadline;
    const struct casehook_cancel *cancel; /* NULL: none */

    struct casehook_result *result;
    bool preview;

    /* Private from here on. */
    int operation;
    int stage;
    size_t steps;   /* of all renderings so far */
    size_t comment; /* the one that is being sent */
    bool prepared;  /* request is ready to be given */
    bool waiting;   /* request was given, its answer is awaited */
    bool written;   /* a 303 said that the write was done; only its answer is elsewhere */
    bool commented; /* a comment of this operation is in the tracker */
    unsigned redirects;
    struct casehook__request request;
    struct casehook__origin origin; /* of a redirect's target */
    struct casehook__buf url, next_url, body, scratch;
    char target[512];
};

void casehook__exchange_init(struct casehook__exchange *exchange, struct casehook__heap *heap);
/* Frees everything, a result that was not taken too. */
void casehook__exchange_free(struct casehook__exchange *exchange);

/*
 * Starts an operation with exchange->params.  Renders all that can be rendered before anything is
 * sent, reserves what the result needs (R1).  Faults go into the result; only NO_MEMORY leaves none.
 */
int casehook__exchange_begin(struct casehook__exchange *exchange, int operation, bool preview);
/* True: *request must be answered by feed or fail.  False: the operation has ended. */
bool casehook__exchange_next(struct casehook__exchange *exchange, struct casehook__request *request);
void casehook__exchange_feed(struct casehook__exchange *exchange, const struct casehook__response *response);
void casehook__exchange_fail(struct casehook__exchange *exchange, const struct casehook__failure *failure);
/* In a preview, in place of feed: goes on as if the server had answered with placeholders. */
void casehook__exchange_pretend(struct casehook__exchange *exchange);
/* Hands the result over and makes the exchange ready for another operation. */
struct casehook_result *casehook__exchange_finish(struct casehook__exchange *exchange);

#define CASEHOOK__DEFAULT_HEADERS 3 /* Accept, User-Agent, Content-Type */

/*
 * The headers of a request in the order of the wire: defaults, then configured ones (none to another
 * origin).  items has room for max; returns how many there are.
 */
size_t casehook__request_headers(const struct casehook__config *config,
                                 const struct casehook__request *request, struct casehook__header *items,
                                 size_t max);

/* exchange_preview.c: goes through an operation without sending anything, recording headers and bodies. */
void casehook__drive_preview(struct casehook__exchange *exchange);

#endif
