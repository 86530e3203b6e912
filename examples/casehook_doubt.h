/*
 * casehook_doubt.h - what the result of a push leaves open.
 */
#ifndef CASEHOOK_DOUBT_H
#define CASEHOOK_DOUBT_H

#include "casehook_member.h"

#include <stdbool.h>

struct doubt {
    bool created;      /* whether the case was made */
    bool commented;    /* whether a comment was */
    bool transitioned; /* whether a transition was */
    bool begun; /* anything was done at all, or may have been; if not, the result has nothing to go on from */
    bool settled;   /* it came behind the transition, or did it: that is not made again */
    bool no_memory; /* to look at it: all that it may leave open is in doubt */
};

/*
 * result: the text of casehook_result_json().  What the tracker answered is passed over, as it may hold
 * numbers that no program can; a result that cannot be read leaves everything open.
 */
struct doubt doubt_of(struct piece result);

/* Whether the case of this result was found, and nothing of it has changed that, or may have made it. */
bool doubt_only_found(struct piece result);

#endif
