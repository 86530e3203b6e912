/*
 * learn.h - what an answer tells of the case.
 */
#ifndef CASEHOOK_LEARN_H
#define CASEHOOK_LEARN_H

#include "exchange/answer.h"

/*
 * Validates the body as JSON and takes out of it what this call is to give: id or title, and the fields that
 * the document asks for.  What is usable is kept although the rest is not.  Errors: RESPONSE, LIMIT,
 * NO_MEMORY, in result->error.
 */
int casehook__learn(const struct casehook__question *question, const struct casehook__response *response,
                    struct casehook_result *result);
#define CASEHOOK__ID_IS_KEPT "the id in it is kept, look whether the case is complete"

/* The id out of a body that broke off, where all of it is there.  result->error stays as it is. */
bool casehook__learn_partial_id(const struct casehook__question *question, struct casehook__text body,
                                struct casehook_result *result);

/*
 * Whether the tracker has the case (D3, L2): *found, and its id into the result unless it is not to be
 * touched. Errors: RESPONSE, LIMIT, NO_MEMORY, in result->error.
 */
int casehook__learn_whether(const struct casehook__question *question,
                            const struct casehook__response *response, struct casehook_result *result,
                            enum casehook__found *found);

#endif
