/* statements.h - every statement of the outbox, for both databases. */
#ifndef CASEHOOK_OUTBOX_STATEMENTS_H
#define CASEHOOK_OUTBOX_STATEMENTS_H

#include "outbox/store.h"

enum casehook__ob_statement {
    CASEHOOK__OB_VERSION,
    CASEHOOK__OB_TALLY_READ,
    CASEHOOK__OB_TALLY_ADD,
    CASEHOOK__OB_TALLY_NEW,
    CASEHOOK__OB_OLDEST,
    CASEHOOK__OB_OLDEST_OF_FEW,
    CASEHOOK__OB_KEY_FIND,
    CASEHOOK__OB_CASE_FIND,
    CASEHOOK__OB_CASE_NEW,
    CASEHOOK__OB_CASE_SET,
    CASEHOOK__OB_CASE_DROP,
    CASEHOOK__OB_CASE_LOCK,
    CASEHOOK__OB_CASE_LEARN,
    CASEHOOK__OB_CASE_SENDING,
    CASEHOOK__OB_CASE_OTHER,
    CASEHOOK__OB_CASE_FORGET,
    CASEHOOK__OB_RESULTS_FORGET,
    CASEHOOK__OB_BLOCKING,
    CASEHOOK__OB_CASE_MADE,
    CASEHOOK__OB_OLDER,
    CASEHOOK__OB_REPLACE,
    CASEHOOK__OB_PUT,
    CASEHOOK__OB_EXPIRE,
    CASEHOOK__OB_SET_BACK,
    CASEHOOK__OB_TAKE_OVER,
    CASEHOOK__OB_GIVE_BACK,
    CASEHOOK__OB_CLAIM,
    CASEHOOK__OB_CLAIM_BUT,
    CASEHOOK__OB_CLAIM_OF,
    CASEHOOK__OB_OURS,
    CASEHOOK__OB_SETTLE,
    CASEHOOK__OB_WHOSE,
    CASEHOOK__OB_PROMOTE,
    CASEHOOK__OB_NEXT_DUE,
    CASEHOOK__OB_NEXT_DUE_BUT,
    CASEHOOK__OB_STATE,
    CASEHOOK__OB_OVERTAKEN,
    CASEHOOK__OB_DECIDE,
    CASEHOOK__OB_NEXT,
    CASEHOOK__OB_KEEP_LAST,
    CASEHOOK__OB_PURGE_END,
    CASEHOOK__OB_PURGE,
    CASEHOOK__OB_EMPTY,
    CASEHOOK__OB_PURGE_CASES,
    CASEHOOK__OB_LIST_FEW,
    CASEHOOK__OB_LIST_MANY,
    CASEHOOK__OB_LIST_CASE,
    CASEHOOK__OB_LIST_CASES,
    CASEHOOK__OB_STATEMENTS
};

/* values: 'i' for a number, 'b' for bytes, one for each $1, $2 ... */
struct casehook__ob_sql {
    const char *text, *values;
};
extern const struct casehook__ob_sql casehook__ob_sql[CASEHOOK__OB_STATEMENTS];

/*
 * The column of an INSERT of one row that numbers it: its value is the answer, or there is none when nothing
 * was inserted.  NULL: the statement is none.
 */
const char *casehook__ob_made(int statement);

/* A text in a dialect: %NOW and the others are replaced.  NULL: no memory. */
char *casehook__ob_in_dialect(struct casehook__ob_heap *heap, const struct casehook__ob_dialect *dialect,
                              const char *text);
/* All of them, for store->texts. */
int casehook__ob_texts_make(struct casehook__ob_store *store);
void casehook__ob_texts_free(struct casehook__ob_store *store);

/* Brings the tables of an empty or older database up to date; UNSUPPORTED when they are newer. */
int casehook__ob_schema(struct casehook__ob_store *store, struct casehook__ob_fault *fault);

#endif
