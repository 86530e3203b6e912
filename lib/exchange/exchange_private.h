/*
 * exchange_private.h - what the files of the state machine share.
 */
#ifndef CASEHOOK_EXCHANGE_PRIVATE_H
#define CASEHOOK_EXCHANGE_PRIVATE_H

#include "exchange/exchange.h"

enum casehook__stage {
    CASEHOOK__STAGE_ENDED,
    CASEHOOK__STAGE_WRITE, /* create or update */
    CASEHOOK__STAGE_READ,  /* get */
    CASEHOOK__STAGE_COMMENT
};

/* The record of the request that is under way. */
struct casehook__exchange_record *casehook__exchange_current(struct casehook__exchange *exchange);

/* Ends the operation with the error that lies in the result: adds the step and what it means for a retry. */
void casehook__exchange_stop(struct casehook__exchange *exchange, int outcome, bool transient);
/* The request's name for messages: "POST http://host/path", masked; lies in target. */
const char *casehook__exchange_target(struct casehook__exchange *exchange);
/* A URL without secrets and, unless whole, without query values; lies in scratch.  NULL: no memory. */
const char *casehook__exchange_show_url(struct casehook__exchange *exchange, const char *url, bool whole);
/* The call was answered well: on to the next stage. */
void casehook__exchange_advance(struct casehook__exchange *exchange);

/* data NULL: there is none yet. */
struct casehook__text casehook__exchange_known_id(const struct casehook__exchange *exchange);
bool casehook__exchange_sends_comment(const struct casehook__exchange *exchange, size_t index);

/* exchange_render.c: URL and body of a request into url and body; comment: the one that it sends, if any. */
int casehook__exchange_render(struct casehook__exchange *exchange, enum casehook__call call, size_t comment);
/*
 * What is sent later but can be known now is rendered now, so that a fault of the params is found before the
 * case exists (T2, U3).  A text that needs the new id has to wait.  *failure, when it gets a status: the
 * caller wants an end.  Errors: PARAMS, NO_MEMORY, LIMIT.
 */
int casehook__exchange_rehearse(struct casehook__exchange *exchange, struct casehook__failure *failure);

/* exchange_answer.c: an answer with status 2xx, and one that refuses. */
void casehook__exchange_accept(struct casehook__exchange *exchange,
                               const struct casehook__response *response);
void casehook__exchange_refuse(struct casehook__exchange *exchange,
                               const struct casehook__response *response);
/* What came of a success that broke off (R1): status, excerpt, and the id where it is whole. */
void casehook__exchange_keep_partial(struct casehook__exchange *exchange,
                                     const struct casehook__response *response);
/* exchange_advice.c: what a refusal most likely comes from and what to do: "; ..." or "". */
const char *casehook__exchange_advice(const struct casehook__exchange *exchange,
                                      const struct casehook__response *response);
/* The same of a failure of the connection, into out. */
void casehook__exchange_failure_advice(const struct casehook__exchange *exchange,
                                       const struct casehook__failure *failure, char *out, size_t size);
/* exchange_redirect.c: an answer with status 3xx. */
void casehook__exchange_redirect(struct casehook__exchange *exchange,
                                 const struct casehook__response *response);

#endif
