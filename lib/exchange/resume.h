/*
 * resume.h - what an earlier result says of the same operation (D5).
 */
#ifndef CASEHOOK_RESUME_H
#define CASEHOOK_RESUME_H

#include "document/config.h"
#include "exchange/result.h"

/* What is left to do. */
struct casehook__resumed {
    bool wrote;           /* the create or update is done */
    bool transitioned;    /* and so is the transition, or there is none for a case that was made */
    bool create_unknown;  /* it may be done: nobody knows, and there is no id */
    bool accepted;        /* in truth it is done, only its id is not known: it is not made again */
    bool same_key;        /* and carried the idempotency key that this call has too */
    bool left_closed;     /* it was found closed, and left as it is (L2) */
    bool comment_reached; /* the first comment that is to be sent may have reached the tracker before */
};

/*
 * Takes over what params->resume says is done: id, comment states and a random idempotency key go into the
 * result.  Without resume nothing happens.  Errors: PARAMS (no result, or one of something else), NO_MEMORY.
 */
int casehook__resume_read(const struct casehook__config *config, const struct casehook__parsed_params *params,
                          int operation, struct casehook__buf *scratch, struct casehook_result *result,
                          struct casehook__resumed *resumed);

#endif
