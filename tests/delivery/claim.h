/* claim.h - what a result says of an operation. */
#ifndef DELIVERY_CLAIM_H
#define DELIVERY_CLAIM_H

#include "model.h"

#include <casehook.h>

struct claim {
    int there; /* there was a result */
    int status, step, outcome, retryable;
    int64_t retry_after_ms;
    char id[64], title[64]; /* "" when there is none */
    int has_id;
    size_t comment_count;
    int comments[COMMENTS];
    size_t requests;
    int sent[KINDS]; /* so many requests of each kind are in it */
    char *json;
    char words[600]; /* for people */
};

/* Frees the result. */
void claim_take(struct claim *claim, struct casehook_result *result);
void claim_clear(struct claim *claim);

/* What the caller has to believe of the case, and of one of its comments: CASEHOOK_OUTCOME_*. */
int claim_of_case(const struct claim *claim);
int claim_of_update(const struct claim *claim);
int claim_of_transition(const struct claim *claim);
int claim_of_comment(const struct claim *claim, size_t index);

#endif
