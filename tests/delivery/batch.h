/* batch.h - up to 64 trials of one setting at once, each with a mishap of its own. */
#ifndef DELIVERY_BATCH_H
#define DELIVERY_BATCH_H

#include "verify.h"

struct batch {
    struct setting setting;
    enum pace pace;
    struct point points[TRIALS_MAX];
    size_t count;
    size_t serial; /* of its first trial, among all of the campaign */
    /* What came of them. */
    struct finding findings[TRIALS_MAX];
    int happened[TRIALS_MAX]; /* the mishap */
    char *told[TRIALS_MAX];   /* what the results say, where something was found; yours */
    size_t resumed;
};

/* Makes them all, and resumes those that failed. */
void batch_run(struct batch *batch);

/* The bytes of requests and answers when nothing goes wrong. */
struct lengths batch_measure(const struct setting *setting);

#endif
