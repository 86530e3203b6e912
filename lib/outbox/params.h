/* params.h - what the outbox reads in the params of an entry, and what it adds to them. */
#ifndef CASEHOOK_OUTBOX_PARAMS_H
#define CASEHOOK_OUTBOX_PARAMS_H

#include "outbox/json.h"

/* Of the text that was put; case_id, status and title are decoded, and yours. */
struct casehook__ob_params {
    struct casehook__ob_buf case_id, status, title;
    bool has_id, has_status, has_comments, has_external_id;
};

/* PARAMS when it is no JSON object, or has what is not the host's; NO_MEMORY. */
int casehook__ob_params_read(struct casehook__ob_heap *heap, struct casehook__ob_text json,
                             struct casehook__ob_params *params, struct casehook__ob_fault *fault);
void casehook__ob_params_clear(struct casehook__ob_params *params);

/* What is known about an entry when it is sent; data NULL: nothing. */
struct casehook__ob_known {
    struct casehook__ob_text external_id, fields, key, resume; /* fields: an object, as JSON */
};

/*
 * The params as they are sent: with the external id of the case, what else is known of it and a key, where
 * they have none of their own, and with what an earlier attempt came to.
 */
void casehook__ob_params_compose(struct casehook__ob_buf *buf, struct casehook__ob_text json,
                                 const struct casehook__ob_known *known);

/*
 * A result that says of a create, or of an update, that it may have been done and of the comments that they
 * are not there: what a worker that died leaves.  earlier: the result of the attempt before, data NULL: none.
 */
void casehook__ob_params_doubt(struct casehook__ob_buf *buf, int operation, struct casehook__ob_text json,
                               const struct casehook__ob_known *known, struct casehook__ob_text earlier);

#endif
