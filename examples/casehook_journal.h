/*
 * casehook_journal.h - what became of each line of a batch, on disk: so that a batch that was killed goes on
 * where it was.  A journal is lines of JSON:
 *
 *   {"journal":"casehook batch","version":1,"batch":"...","target":"..."}   the first one
 *   {"begun":17,"hash":"..."}                      line 17 may be sent from now on
 *   {"index":17,"hash":"...","result":{...}}       what became of it
 *   {"index":17,"hash":"...","notSent":true}       it was not sent after all
 *
 * The last of several about one line counts.  hash is that of the line, so that a journal of other lines is
 * noticed.
 */
#ifndef CASEHOOK_JOURNAL_H
#define CASEHOOK_JOURNAL_H

#include "casehook_input.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum journal_state {
    JOURNAL_NONE,
    JOURNAL_BEGUN,    /* it may have been sent, nobody knows what became of it */
    JOURNAL_NOT_SENT, /* nothing was done */
    JOURNAL_FAILED,   /* something was done, and not all */
    JOURNAL_DONE
};

/* What is known of a line. */
struct journal_entry {
    uint64_t index, hash;
    enum journal_state state;
    off_t at;      /* of its last result by which something was done */
    size_t length; /* 0: there is none */
    bool open;     /* it was begun once more while nobody knew what became of it */
};

struct journal {
    const char *path; /* NULL: there is none */
    int file;
    char batch[33];                /* 32 hex digits, other ones for each journal */
    struct journal_entry *entries; /* by index */
    size_t count, capacity;
    off_t end; /* of what is on disk for certain */
    FILE *pending;
    char *text; /* what pending has written */
    size_t length;
    int error; /* errno of what went wrong, or 0; nothing is written after it */
};

uint64_t journal_hash(const char *text, size_t length);

/*
 * Opens or makes it, locks it for this process, and reads it.  target: what it is about, besides the lines.
 * A torn end is cut off.  0, or the status with trouble filled; close it in both cases.
 */
int journal_open(struct journal *journal, const char *path, uint64_t target, struct trouble *trouble);
void journal_close(struct journal *journal);

/* What was known of a line when it was opened: NULL when it is new.  Borrowed. */
const struct journal_entry *journal_find(const struct journal *journal, uint64_t index);
/*
 * The same for one line after the other: false when a line that is in the journal was passed over, or was
 * another one.  cursor begins with 0.
 */
bool journal_follow(const struct journal *journal, size_t *cursor, uint64_t index, uint64_t hash,
                    const struct journal_entry **entry);
/* The text of the result of an entry.  0, or -1 with errno. */
int journal_result(const struct journal *journal, const struct journal_entry *entry, struct document *result);

/* These are on disk after journal_commit() only.  json NULL: it was not sent. */
void journal_begin(struct journal *journal, uint64_t index, uint64_t hash);
void journal_end(struct journal *journal, uint64_t index, uint64_t hash, const char *json);
/* False: it failed, see error. */
bool journal_commit(struct journal *journal);

#endif
