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
    bool begun;  /* what was in it before is gone */
    bool failed; /* as standard error says */
};

/*
 * Opens or makes it; what is in it stays until the batch is known to be good.  files: descriptors of files
 * that it must not be, ended by -1; names: count paths of such files, NULL: none.
 */
int again_open(struct again *again, const char *path, const int *files, const char *const *names,
               size_t count, struct trouble *trouble);
/* Empties it, the first time: a case is about to be sent, or there is none that failed. */
void again_begin(struct again *again);
/* resume: what the line needs so that nothing is done twice, NULL for nothing. */
void again_write(struct again *again, struct piece line, const char *resume);
/* False: it could not be written, as standard error says. */
bool again_close(struct again *again);

#endif
