/*
 * machine_private.h - what the files of the state machine share.
 */
#ifndef CASEHOOK_MACHINE_PRIVATE_H
#define CASEHOOK_MACHINE_PRIVATE_H

#include "exchange/credentials.h"
#include "exchange/machine.h"
#include "exchange/signature.h"

/* What the requests of some connectors have besides: headers of their own, an id that is ours. */
struct casehook__extra {
    /* Of tokens (A1). */
    struct casehook__claim claim;
    struct casehook__buf authorization; /* the value of the header */
    uint64_t generation;                /* of the token in it */
    struct casehook__buf form;          /* of the token request, then the token that came */
    struct casehook__origin origin;     /* of the token request */
    struct casehook__request parked;    /* the request that waits for it */
    int64_t asked_at, waits_since;      /* waits_since: 0, or it waits for the token of another operation */
    int64_t life_ms;                    /* of the token that came */
    bool previewed;

    struct casehook__buf signature;
    struct casehook__buf own_id;             /* that the create gives its case (K9) */
    struct casehook__buf values;             /* of rendered headers, a NUL behind each (C9) */
    char message[CASEHOOK__MESSAGE_ID_SIZE]; /* the same for all tries; "": there was none yet */
    char look[CASEHOOK__MESSAGE_ID_SIZE];    /* of a question in between whether the case is there */
    struct casehook__header own[];           /* as many as the connector may need */
};

/* How it goes on with its request: a hop of a redirect is where the answer said, any other is rendered anew.
 */
static inline enum casehook__machine_state casehook__machine_resumes_as(
    const struct casehook__machine *machine)
{
    return machine->redirects ? CASEHOOK__MACHINE_READY : CASEHOOK__MACHINE_TO_RENDER;
}

/* machine_step.c */

/* The record of the request that is under way. */
struct casehook__request_record *casehook__machine_record(struct casehook__machine *machine);
/* The step that the plan stands at begins: nothing was tried yet. */
void casehook__machine_begin_step(struct casehook__machine *machine);
/* What follows from the verdict, as things stand. */
struct casehook__decision casehook__machine_decide(struct casehook__machine *machine,
                                                   const struct casehook__verdict *verdict);
/* Ends the operation with the error that lies in the result. */
void casehook__machine_stop_as(struct casehook__machine *machine, const struct casehook__decision *decision);
/* The same where no request has just ended. */
void casehook__machine_stop(struct casehook__machine *machine, int outcome);
/*
 * Nothing is sent any more, for this reason: what the last request came to is what became of the operation.
 * While the case is looked for, what failed is the create, and its error stays.
 */
void casehook__machine_give_up(struct casehook__machine *machine, const struct casehook__failure *failure);
/* From now on it waits; false: that would pass a deadline. */
bool casehook__machine_delay(struct casehook__machine *machine, int64_t at,
                             enum casehook__machine_state wakes_as);
/* The operation has ended. */
void casehook__machine_end(struct casehook__machine *machine);

/* machine_plan.c */

/*
 * On from where the plan is to the first step with a request, which begins; false: the operation has ended
 * before.
 */
bool casehook__machine_enter_step(struct casehook__machine *machine);

/* machine_own.c */

/*
 * What a call is rendered to besides URL and body, with the values of tree: part of its rehearsal too.  OK,
 * or the status of its fault, which is in the result.
 */
int casehook__own_render(struct casehook__machine *machine, enum casehook__call call,
                         const struct casehook__param_tree *tree, bool rehearsed);
/* The headers that were rendered for the request into own; how many. */
size_t casehook__own_headers(const struct casehook__machine *machine, struct casehook__header *own);
/* The request has been rendered: it says what id it gives. */
void casehook__own_name(struct casehook__machine *machine);

/* machine_extra.c: tokens, signatures (A1, A3) */

/* Before there is a result.  OK or NO_MEMORY. */
int casehook__extra_begin(struct casehook__machine *machine);
void casehook__extra_free(struct casehook__machine *machine);
/* The request is ready.  False: it waits for a token, or gets one first, or the operation has ended. */
bool casehook__extra_authorize(struct casehook__machine *machine);
/* Makes the request for a token. */
void casehook__extra_render_token(struct casehook__machine *machine);
/* A token was asked for: the verdict about the answer. */
struct casehook__verdict casehook__extra_judge(struct casehook__machine *machine,
                                               const struct casehook__question *question,
                                               const struct casehook__response *response);
/* And what follows; verdict NULL: of a preview. */
void casehook__extra_settle(struct casehook__machine *machine, const struct casehook__verdict *verdict);
/* The tracker has refused the token: the request once more, with another one. */
void casehook__extra_renew(struct casehook__machine *machine);
/* The request is about to go out: its own headers.  False: the operation has ended. */
bool casehook__extra_attach(struct casehook__machine *machine);

/* machine_render.c */

/* data NULL: there is none yet. */
struct casehook__text casehook__machine_known_id(const struct casehook__machine *machine);
/*
 * Sets can_find.  A find without a value that its question has outside of sections would ask for any case,
 * and is not made.
 */
int casehook__machine_check_find(struct casehook__machine *machine);
/*
 * What templates are rendered with, from values.  masked: secrets as *** is.  NO_MEMORY, in the result's
 * error.
 */
int casehook__machine_tree(struct casehook__machine *machine, const struct casehook__request_values *values,
                           bool masked, struct casehook__param_tree *tree);
/* The case has a new status, which is a request of its own (L1). */
bool casehook__machine_transitions(struct casehook__machine *machine);
bool casehook__machine_sends_comment(const struct casehook__machine *machine, size_t index);
/* URL and body of a request into url and body; comment: the one that it sends, if any. */
int casehook__machine_render(struct casehook__machine *machine, enum casehook__call call, size_t comment);
/* The URL of the request as it may be shown, its secret values masked; NULL: no memory.  Uses next_url. */
const char *casehook__machine_url_to_show(struct casehook__machine *machine);
/*
 * What is sent later but can be known now is rendered now, so that a fault of the params is found before the
 * case exists (T2, U3).  A text that needs the new id has to wait.  *failure, when it gets a status: the
 * caller wants an end.  Errors: PARAMS, NO_MEMORY, LIMIT.
 */
int casehook__machine_rehearse(struct casehook__machine *machine, struct casehook__failure *failure);

#endif
