/*
 * idempotency.h - the keys by which a tracker knows a create or a comment that it has had before (D4).
 */
#ifndef CASEHOOK_IDEMPOTENCY_H
#define CASEHOOK_IDEMPOTENCY_H

#include "document/config.h"
#include "exchange/result.h"

/* The longest one is a given key, "-", and the id of a comment. */
#define CASEHOOK__REQUEST_KEY_ID   64 /* of a comment's id; a longer one goes in as a digest */
#define CASEHOOK__REQUEST_KEY_SIZE (CASEHOOK__KEY_MAX_BYTES + 1 + CASEHOOK__REQUEST_KEY_ID + 1)

/*
 * Chooses the key of the case before anything is sent, into the result.  Errors: NO_MEMORY, SYSTEM (no
 * randomness), PARAMS (two comments of one id).
 */
int casehook__idempotency_begin(const struct casehook__config *config,
                                const struct casehook__parsed_params *params, struct casehook_result *result);

/* The key of the case as the params have it, given or made of its id; false: they have none. */
bool casehook__idempotency_of_params(const struct casehook__parsed_params *params,
                                     char key[CASEHOOK__REQUEST_KEY_SIZE], int *status);

/* The key of a create, or of the comment of that number, which is the same for all its attempts.  OK or
 * NO_MEMORY. */
int casehook__idempotency_key(const struct casehook__parsed_params *params,
                              const struct casehook_result *result, enum casehook__call call, size_t comment,
                              char key[CASEHOOK__REQUEST_KEY_SIZE]);

#endif
