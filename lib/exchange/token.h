/*
 * token.h - what is asked of an authorization server, and what it answers (A1).
 */
#ifndef CASEHOOK_TOKEN_H
#define CASEHOOK_TOKEN_H

#include "exchange/answer.h"

/* A longer one is refused: it has to fit into a header that servers take. */
#define CASEHOOK__TOKEN_MAX_BYTES (16 * 1024)

/*
 * The form of a token request.  JWTs in it are made by the clock and learnt by the mask.  shown: for a
 * preview,
 * "***" in the place of all that is secret or made anew each time.  Errors: NO_MEMORY, SYSTEM (OpenSSL).
 */
int casehook__token_form(const struct casehook__oauth *oauth, const struct casehook__clock *clock,
                         struct casehook__mask *mask, bool shown, struct casehook__buf *form,
                         struct casehook_error *error);

/* A refusal may have a token in it all the same, of which nobody knows but by the name of its member. */
bool casehook__token_is_named(struct casehook__text body);

/*
 * An answer with any status.  A verdict of OK: *life_ms is what is known of the life of the token, -1:
 * nothing.  Nothing of the answer is quoted but its error.
 */
struct casehook__verdict casehook__token_judge(const struct casehook__question *question,
                                               const struct casehook__response *response,
                                               struct casehook__buf *token, int64_t *life_ms,
                                               struct casehook_error *error);

#endif
