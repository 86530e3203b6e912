/* verify.h - whether what the tracker has and what the caller was told agree. */
#ifndef DELIVERY_VERIFY_H
#define DELIVERY_VERIFY_H

#include "claim.h"
#include "points.h"

/* What is wrong.  The first of them counts. */
enum fault {
    FAULT_NONE,
    FAULT_LOST,    /* told to be done, and it is not; or done, and told not to be */
    FAULT_DOUBLED, /* there twice, and nobody was told that it might be */
    FAULT_WRONG,   /* anything else */
    FAULTS
};

const char *fault_name(enum fault fault);

struct finding {
    enum fault fault;
    char text[200];
};

/* One trial.  run: the operation, or the one that resumed it. */
struct evidence {
    const struct setting *setting;
    const struct point *point;
    const struct model_trial *trial;
    size_t number;
    const struct claim *first, *second; /* second NULL: it was not resumed */
    unsigned seen_before[KINDS];        /* requests before it was resumed */
    unsigned updates_before;
};

/* After the first run; while nothing else happens to the trial. */
struct finding verify_first(const struct evidence *evidence);
/* After it was resumed. */
struct finding verify_second(const struct evidence *evidence);

#endif
