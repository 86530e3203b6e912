/*
 * machine.h - the state machine of one operation, without I/O (H1, H3, H4, R1, R2, D1-D6).
 *
 * A driver asks for the next request, does it, and feeds the response or the failure back, until
 * there is no next request; then the result is there.  It may be driven with made-up responses.
 */
#ifndef CASEHOOK_MACHINE_H
#define CASEHOOK_MACHINE_H

#include "base/clock.h"
#include "exchange/answer.h"
#include "exchange/limiter.h"
#include "exchange/made.h"
#include "exchange/params.h"
#include "exchange/plan.h"

/*
 * Steps of one call, a step of a template or 64 bytes of what it renders.  What passed the rehearsal fits
 * into the call: the rehearsal takes as much as sending does, but for the case itself.
 */
#define CASEHOOK__REHEARSAL_STEPS_MAX ((size_t)10000000)
#define CASEHOOK__CALL_STEPS_MAX      ((size_t)25000000)

/* What all operations of a connector share; it must live as long as they do. */
struct casehook__machine_context {
    const struct casehook__config *config;
    struct casehook__settings_snapshot *settings; /* a reference of who made the context */
    struct casehook__mask *mask;
    const struct casehook__clock *clock;
    struct casehook__limiter *limiter;         /* NULL: nothing is limited */
    struct casehook__credentials *credentials; /* NULL: there are no tokens */
};

/* Where one stands between two requests, or in one. */
enum casehook__machine_state {
    CASEHOOK__MACHINE_ENDED,
    CASEHOOK__MACHINE_TO_RENDER, /* the next request must be rendered */
    CASEHOOK__MACHINE_READY,     /* it lies in the buffers */
    CASEHOOK__MACHINE_DELAYED,   /* nothing is to be done before wake_at */
    CASEHOOK__MACHINE_AWAITING   /* it was given, and its answer is awaited */
};

struct casehook__machine {
    struct casehook__heap *heap;
    const struct casehook__machine_context *context;
    struct casehook__parsed_params params;
    /* When the caller wants an end; asked while nothing is sent, and forgotten with the operation. */
    int64_t deadline;
    struct casehook_cancel *cancel; /* NULL: none */
    uint64_t user;                  /* the caller's, for the result */

    struct casehook_result *result;
    bool preview;
    int operation;
    int64_t wake_at; /* of a wait, by the context's clock */

    /* Private from here on. */
    enum casehook__machine_state state, wakes_as; /* wakes_as: what it is after a wait */
    const enum casehook__plan_step *step;         /* where in the plan */
    struct casehook__progress progress;
    struct casehook__place place;
    int64_t begun;        /* by the context's clock; only with retry.deadline */
    int64_t delay_ms;     /* that was waited before the request to come */
    size_t steps;         /* of all renderings so far */
    size_t steps_before;  /* without those of the request that is being tried */
    size_t comment;       /* the one that is being sent */
    bool can_find;        /* the tracker can be asked for this case (D3) */
    bool was_accepted;    /* the write was answered 202 */
    bool transitioned;    /* the case has its status, or was made with it (L1) */
    bool comment_reached; /* the next comment may have reached the tracker before (D5) */
    unsigned redirects;
    struct casehook__request request;
    struct casehook__origin origin; /* of the request, or of a redirect's target */
    struct casehook__buf url, next_url, body, scratch;
    char *key;                     /* of the request; NULL: the connector has none */
    struct casehook__extra *extra; /* what goes along with requests of some connectors; NULL: nothing */
    struct casehook__made *made;   /* NULL: the connector makes no values */
    struct casehook_error *lost;   /* why nobody knows of the create, while the case is looked for */
};

/* What the operation wants next. */
enum casehook__turn {
    CASEHOOK__TURN_ENDED, /* nothing: its result is there; also while an answer is awaited, when nobody should
                             ask */
    CASEHOOK__TURN_SEND,  /* a request is to be done, and answered by feed or fail */
    CASEHOOK__TURN_WAIT   /* to be asked again at machine->wake_at; a driver that cannot wait fails it */
};

/* Ready for operations of this connector; what it gets is not kept alive. */
void casehook__machine_init(struct casehook__machine *machine, struct casehook__heap *heap,
                            const struct casehook__machine_context *context);
/* Frees everything, a result that was not taken too. */
void casehook__machine_free(struct casehook__machine *machine);

/*
 * Starts an operation with machine->params.  Renders all that can be rendered before anything is
 * sent, reserves what the result needs (R1).  Faults go into the result; only NO_MEMORY leaves none.
 */
int casehook__machine_begin(struct casehook__machine *machine, int operation, bool preview);
/* With SEND *request is what to do. */
enum casehook__turn casehook__machine_next(struct casehook__machine *machine,
                                           struct casehook__request *request);
/* A request was given and has no answer yet. */
static inline bool casehook__machine_awaits(const struct casehook__machine *machine)
{
    return machine->state == CASEHOOK__MACHINE_AWAITING;
}
/* Nothing comes any more. */
static inline bool casehook__machine_ended(const struct casehook__machine *machine)
{
    return machine->state == CASEHOOK__MACHINE_ENDED;
}
/*
 * It waits for a token that another operation gets, and may be asked again before wake_at: listen tells when,
 * by wake, which any thread calls once.  False: now.  After ignore wake is not called any more.
 */
bool casehook__machine_waits_for_token(const struct casehook__machine *machine);
bool casehook__machine_listen(struct casehook__machine *machine, void (*wake)(void *user), void *user);
void casehook__machine_ignore(struct casehook__machine *machine);
void casehook__machine_feed(struct casehook__machine *machine, const struct casehook__response *response);
/* The request that is awaited has no answer; or, while it waits, the operation is given up. */
void casehook__machine_fail(struct casehook__machine *machine, const struct casehook__failure *failure);
/*
 * Gives back buffers with room for more than so many bytes, between two operations or in a wait.  What cannot
 * be rendered again stays.
 */
void casehook__machine_shrink(struct casehook__machine *machine, size_t kept);
/* In a preview, in place of feed: goes on as if the server had answered with placeholders. */
void casehook__machine_pretend(struct casehook__machine *machine);
/* Hands the result over and makes the machine ready for another operation. */
struct casehook_result *casehook__machine_finish(struct casehook__machine *machine);

/* By the clock of its context, in ms. */
static inline int64_t casehook__machine_now(const struct casehook__machine *machine)
{
    return machine->context->clock->now_ms(machine->context->clock->user);
}

/* preview.c: goes through an operation without sending anything, recording headers and bodies. */
void casehook__drive_preview(struct casehook__machine *machine);

#endif
