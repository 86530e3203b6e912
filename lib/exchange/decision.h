/*
 * decision.h - what to do after a request has ended: the one place that says whether something may be done
 * again.
 */
#ifndef CASEHOOK_DECISION_H
#define CASEHOOK_DECISION_H

#include "document/call_kinds.h"

/* What one request came to, whichever way it ended. */
struct casehook__verdict {
    int status;      /* CASEHOOK_OK, or why the operation does not go on */
    int http_status; /* 0: there was no answer */
    int outcome;     /* CASEHOOK_OUTCOME_* of the request */
    bool lasting;    /* it would fail in the same way again */
    bool follow;     /* a redirect: the same request goes to another place */
};

/* What the operation has done so far, and is doing. */
struct casehook__progress {
    enum casehook__effect effect; /* of the call that has ended */
    bool made;                    /* this operation made the case */
    bool commented;               /* and put a comment into the tracker */
    bool written;                 /* a 303 said that this write was done; only its answer is elsewhere */
};

enum casehook__action {
    CASEHOOK__ACTION_NEXT,  /* on to the next request of the plan */
    CASEHOOK__ACTION_AGAIN, /* this request, where the redirect leads */
    CASEHOOK__ACTION_STOP
};

struct casehook__decision {
    enum casehook__action action;
    int outcome;    /* of the operation, when it stops */
    bool retryable; /* the whole operation may be called again, and nothing is done twice (R3) */
};

/* Pure. */
struct casehook__decision casehook__decide(const struct casehook__verdict *verdict,
                                           const struct casehook__progress *progress);

#endif
