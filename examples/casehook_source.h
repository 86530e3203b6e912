/*
 * casehook_source.h - the cases of a batch, one line each, and what the journal knows of them.
 */
#ifndef CASEHOOK_SOURCE_H
#define CASEHOOK_SOURCE_H

#include "casehook_lines.h"
#include "casehook_retry.h"

struct source {
    const struct arguments *arguments;
    const struct facts *facts;
    struct journal journal;
    struct lines lines;
    size_t index;       /* of the next line */
    size_t cursor;      /* of the journal */
    size_t total;       /* of cases; 0: not known */
    bool is_file;       /* it comes to an end */
    int fault;          /* no further case is given because of it: CASEHOOK_E_... */
    const char *form;   /* what is wrong with all of it, found at its first line; NULL: nothing */
    bool looked_at;     /* the first line was */
    bool another_batch; /* the journal belongs to other cases, as this one shows: */
    uint64_t other;
};

/* A case, until the next one. */
struct source_case {
    struct piece line;
    uint64_t index, hash;
    enum source_state { SOURCE_NEW, SOURCE_DONE } state; /* done by an earlier run */
    enum retry retry;
    char *resume; /* with RETRY_AGAIN; the next call frees it */
};

/* Opens the file and the journal.  look: counts the cases if it can.  0, or the status with trouble filled.
 */
int source_open(struct source *source, const struct arguments *arguments, const struct facts *facts,
                bool look, struct trouble *trouble);
void source_close(struct source *source);

/*
 * The next case; false: there is none now, or there was a fault.  So much is read at most as lines.pieces
 * says. given begins as zero and is ended by source_forget().
 */
bool source_next(struct source *source, struct source_case *given);
void source_forget(struct source_case *given);

/* Why there are no more cases, if something is wrong. */
int source_trouble(const struct source *source, struct trouble *trouble);

#endif
