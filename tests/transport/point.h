/*
 * point.h - one call of the system that fails while a push is made, and what came of it.
 *
 * A point runs in a child process of its own.  What it claims of each write lies in memory that is shared
 * with the parent and is compared with what the tracker, another process, has read.
 */
#ifndef TRANSPORT_POINT_H
#define TRANSPORT_POINT_H

#include "drive.h"
#include "shim.h"

/* When calls begin to fail. */
enum stage {
    FROM_THE_START, /* settings, connector and loop are still to be made, libcurl and OpenSSL to be
                       initialised */
    BEFORE_FIRST,   /* all is made, and another connector has worked in the loop: a new connection */
    BEFORE_SECOND,  /* the same connector has pushed before: a kept connection */
    STAGES
};

const char *stage_name(enum stage stage);

struct point {
    enum stage stage;
    enum way way;
    int https;
    enum shim_kind kind;
    unsigned nth; /* 0: nothing fails, calls are counted */
    int for_ever;
};

/* The tags of a point, from POINT_TAGS times its number. */
enum { PUSHED = 0, COMMENTS = 2, WARMED = 3, BEFORE = 4, AFTERWARDS = 7, POINT_TAGS = 8 };

struct claim {
    unsigned char
        outcome[POINT_TAGS]; /* CASEHOOK_OUTCOME_* of the write with that tag, NONE: there was none */
    int ended;               /* the call came back */
    int status;              /* of the push, or of what came before it */
    int works_again;         /* a create with nothing failing was done afterwards */
    unsigned milliseconds;   /* of the push */
    unsigned counts[SHIM_KINDS];
};

enum { DEADLINE_MS = 400, ALLOWANCE_MS = 3000, WATCHDOG_S = 12 };

/* Documents for the tracker, by scheme. */
struct point_documents {
    char *of[2];
};

/* In the child: does it, and writes down what it heard. */
void point_run(const struct point *point, const struct point_documents *documents, size_t number,
               struct claim *claim);

#endif
