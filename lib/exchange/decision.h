/*
 * decision.h - what to do after a request has ended: the one place that says whether something may be done
 * again (D1-D4, H6, R2, R3).
 */
#ifndef CASEHOOK_DECISION_H
#define CASEHOOK_DECISION_H

#include "document/call_kinds.h"
#include "settings/settings.h"

/* What was said when it was asked whether the tracker has the case. */
enum casehook__found {
    CASEHOOK__FOUND_UNASKED,
    CASEHOOK__FOUND_NONE,
    CASEHOOK__FOUND_CASE,
    CASEHOOK__FOUND_CLOSED /* and nothing is to be done to it (L2) */
};

/* What one request came to, whichever way it ended. */
struct casehook__verdict {
    int status;      /* CASEHOOK_OK, or why the operation does not go on */
    int http_status; /* 0: there was no answer */
    int outcome;     /* CASEHOOK_OUTCOME_* of the request */
    bool lasting;    /* it would fail in the same way again */
    bool follow;     /* a redirect: the same request goes to another place */
    bool duplicate;  /* refused with a status that says: this key was there before (D4) */
    enum casehook__found found;
};

#define CASEHOOK__LOOKS_MAX 2 /* times that it is looked for a case that may have been created (D3) */

/* What the operation has done so far, and is doing. */
struct casehook__progress {
    enum casehook__effect effect; /* of the call that has ended */
    bool did;                     /* an earlier step made the case, a comment or a transition */
    bool written;                 /* a 303 said that this write was done; only its answer is elsewhere */

    bool creates;          /* the request creates a case, or looks whether one was created */
    bool keyed;            /* it carries an idempotency key */
    bool can_find;         /* the tracker can be asked for a case */
    bool looking;          /* the request asked whether a create was done */
    bool reached;          /* an earlier try of this step, with this key, may have been done */
    bool uncertain;        /* the same; it stays so until the step ends */
    bool named;            /* an answer that could not be used has brought the id */
    bool accepted;         /* it was done: only its answer could not be used */
    unsigned looks;        /* times that the case was looked for and not found since */
    unsigned tries;        /* of this request, the one that has ended among them */
    unsigned create_tries; /* of the create that it looks for */
    unsigned create_free;  /* of those, the ones that do not count */

    bool authorized;      /* the request carries a token */
    bool renewed;         /* it was made again with another one */
    unsigned free_tries;  /* tries that do not count: those */
    bool fetching;        /* the request that has ended asked for a token */
    bool spare;           /* and there is an older one that will do */
    unsigned token_tries; /* times that it was asked for */
    int last_outcome;     /* of the last try of what waits for it; NONE: it was not tried */
};

enum casehook__action {
    CASEHOOK__ACTION_NEXT,   /* on to the next request of the plan */
    CASEHOOK__ACTION_FOLLOW, /* this request, where the redirect leads */
    CASEHOOK__ACTION_AGAIN,  /* this request once more, after a delay */
    CASEHOOK__ACTION_LOOK,   /* see whether the case was created, after a delay */
    CASEHOOK__ACTION_ADOPT,  /* it was: as if the create had been answered */
    CASEHOOK__ACTION_RENEW,  /* this request once more, at once, with a new token */
    CASEHOOK__ACTION_STOP
};

struct casehook__decision {
    enum casehook__action action;
    int outcome;    /* of the operation, when it stops */
    bool retryable; /* the whole operation may be called again, and nothing is done twice (R3) */
    bool uncertain; /* the write of this step may have been done */
};

/* A refusal with this status: something broke inside the server, perhaps after it had written. */
bool casehook__is_broken_inside(int http_status);

/* Pure. */
struct casehook__decision casehook__decide(const struct casehook__verdict *verdict,
                                           const struct casehook__progress *progress,
                                           const struct casehook__retry *retry);

/*
 * How long to wait before the next try, after so many (D2); retry_after_ms: what the server asked for, -1 for
 * nothing; random: any number.  -1: longer than anybody would wait.
 */
int64_t casehook__retry_delay(const struct casehook__retry *retry, unsigned tries, int64_t retry_after_ms,
                              uint64_t random);

#endif
