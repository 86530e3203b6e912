/*
 * model.h - a tracker that knows what it has done: cases, updates, comments, idempotency keys.
 *
 * Everything belongs to a trial: one operation of the library, repeated perhaps.  Trial 7 has the title T7,
 * its cases the ids T7-1, T7-2.  A second case is what must not be, so there is room for it.
 */
#ifndef DELIVERY_MODEL_H
#define DELIVERY_MODEL_H

#include "http_message.h"
#include "mishap.h"

#include <pthread.h>
#include <stdint.h>

enum { TRIALS_MAX = 64, CASES_MAX = 4, COMMENTS = 3, MISHAPS_MAX = 2 };

struct model_case {
    unsigned updates, transitions;
    unsigned comments[COMMENTS]; /* so often each is in the case */
    unsigned out_of_order;       /* comments that came before one that belongs in front of them */
};

/* A place in the order of an operation's requests. */
struct place {
    enum kind kind;
    unsigned nth; /* from 1; 0: before all of them */
};

struct model_trial {
    struct model_case cases[CASES_MAX];
    size_t case_count;
    struct mishap mishaps[MISHAPS_MAX];
    int hit[MISHAPS_MAX];    /* it has happened */
    struct place arms;       /* behind this request a mishap to the connection becomes due */
    unsigned seen[KINDS];    /* requests, parts of them too */
    unsigned read[KINDS];    /* those that were read to their end */
    int64_t not_before;      /* what a Retry-After asked for, on the monotonic clock in ms; 0: nothing */
    unsigned impatient;      /* requests that came earlier */
    unsigned keyless, keyed; /* creates and comments without and with a key */
    size_t request_length[KINDS], answer_length[KINDS], chunked_length[KINDS]; /* of the last of each kind */
};

struct model_key;

struct model {
    pthread_mutex_t lock; /* for all that follows, while sites run */
    struct model_trial trials[TRIALS_MAX];
    int honours_keys;
    int refuses_repeats; /* a key that comes again is refused with MODEL_REPEATED instead of being answered
                            again */
    struct model_key *keys;
    size_t key_count, keys_wrong; /* wrong: the same for two different requests */
};

#define MODEL_REPEATED 409

/* What is answered. */
struct reply {
    int status;
    char body[160];
};

struct model *model_new(int honours_keys, int refuses_repeats);
void model_free(struct model *model);

void model_lock(struct model *model);
void model_unlock(struct model *model);

/* The number of the trial in a target, TRIALS_MAX when there is none; and what the request is for. */
size_t model_trial_of(const char *target);
enum kind model_kind_of(const char *method, const char *target);

/* Does what is asked, unless undone.  The lock is held. */
void model_do(struct model *model, const struct http_request *request, int undone, struct reply *reply);

/* Milliseconds of the monotonic clock. */
int64_t model_now(void);

#endif
