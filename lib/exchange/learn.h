/*
 * learn.h - what an answer tells of the case.
 */
#ifndef CASEHOOK_LEARN_H
#define CASEHOOK_LEARN_H

#include "exchange/answer.h"
#include "json/jsscan.h"

#define CASEHOOK__RESPONSE_NAME_MAX 255 /* bytes of a name that is taken over from an earlier result */

/*
 * Validates the body as JSON and takes out of it what this call is to give: id or title, and the fields that
 * the document asks for.  What is usable is kept although the rest is not.  Errors: RESPONSE, LIMIT,
 * NO_MEMORY, HTTP_STATUS (the answer says no, K7), in result->error.
 */
int casehook__learn(const struct casehook__question *question, const struct casehook__response *response,
                    struct casehook_result *result);
/*
 * The fields of an earlier result, a valid object, as if they had just been found: of them those that a
 * template can name (V2, D5).  NO_MEMORY, in result->error.
 */
int casehook__learn_again(struct casehook__text fields, struct casehook__buf *scratch,
                          struct casehook_result *result);
/* learn_fields.c: found[i] is kept under the name of fields[i] of the call.  NO_MEMORY, in result->error. */
int casehook__learn_fields(const struct casehook__call_more *more, const struct casehook__js_value *found,
                           struct casehook__buf *scratch, struct casehook_result *result);
/* The text of a value: a string decoded, a number as K3 prints it, anything else as it is. */
int casehook__learn_text(struct casehook__buf *out, const struct casehook__js_value *value);
#define CASEHOOK__ID_IS_KEPT "the id in it is kept, look whether the case is complete"

/* What is to be learnt must be in the body: an answer without one will not do. */
bool casehook__learn_needs_body(const struct casehook__question *question);

/* The id out of an answer that broke off, where all of it is there.  result->error stays as it is. */
bool casehook__learn_partial_id(const struct casehook__question *question,
                                const struct casehook__response *response, struct casehook_result *result);

/*
 * Whether the tracker has the case (D3, L2): *found, and its id into the result unless it is not to be
 * touched. Errors: as above.
 */
int casehook__learn_whether(const struct casehook__question *question,
                            const struct casehook__response *response, struct casehook_result *result,
                            enum casehook__found *found);

#endif
