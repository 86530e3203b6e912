/*
 * casehook_again.h - the file of --failed: the lines of a batch that are to be tried again, as a batch.
 */
#ifndef CASEHOOK_AGAIN_H
#define CASEHOOK_AGAIN_H

#include "casehook_input.h"
#include "casehook_member.h"

#include <stdio.h>

struct again {
    const char *path; /* NULL: there is none */
    FILE *file;
    bool failed; /* as standard error says */
};

/* Empties or makes it.  other: descriptors of files that it must not be, ended by -1. */
int again_open(struct again *again, const char *path, const int *others, struct trouble *trouble);
/* resume: what the line needs so that nothing is done twice, NULL for nothing. */
void again_write(struct again *again, struct piece line, const char *resume);
/* False: it could not be written, as standard error says. */
bool again_close(struct again *again);

#endif
