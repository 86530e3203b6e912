/* store.h - a database, as the outbox sees it: transactions of numbered statements over numbers and bytes. */
#ifndef CASEHOOK_OUTBOX_STORE_H
#define CASEHOOK_OUTBOX_STORE_H

#include "outbox/memory.h"

enum casehook__ob_kind { CASEHOOK__OB_NULL, CASEHOOK__OB_NUMBER, CASEHOOK__OB_BYTES };

struct casehook__ob_value {
    enum casehook__ob_kind kind;
    int64_t number;
    struct casehook__ob_text bytes;
};

/* A row of the answer; its bytes are gone when this returns.  Not CASEHOOK_OK: the statement ends with it. */
typedef int (*casehook__ob_row_fn)(void *user, const struct casehook__ob_value *values, size_t count);

struct casehook__ob_rows {
    casehook__ob_row_fn take; /* NULL: nobody wants them */
    void *user;
    int64_t changed; /* rows that were written, or found */
};

/* Words of the statements that each database has its own of. */
struct casehook__ob_dialect {
    const char *bytes, *identity, *now, *lock, *skip, *number, *value, *next, *and_id;
    bool returning;    /* a row that was made is told by the statement that made it, not by the driver */
    const char *alone; /* in the transaction that makes the tables */
};

struct casehook__ob_store;

/*
 * Drivers.  Functions return a status of CASEHOOK_E_*; a transaction in which one failed is rolled back.
 * Between begin and its end one thread uses the store, whichever that is.
 */
struct casehook__ob_driver {
    const char *name;
    struct casehook__ob_dialect dialect;
    bool alone; /* in a transaction nobody else writes */
    /* Connects, or takes up a connection that was lost; UNAVAILABLE while that is not possible. */
    int (*begin)(struct casehook__ob_store *store, struct casehook__ob_fault *fault);
    /* NETWORK: nobody knows whether it was done. */
    int (*commit)(struct casehook__ob_store *store, struct casehook__ob_fault *fault);
    void (*rollback)(struct casehook__ob_store *store);
    int (*run)(struct casehook__ob_store *store, int statement, const struct casehook__ob_value *values,
               size_t count, struct casehook__ob_rows *rows, struct casehook__ob_fault *fault);
    /* Statements without values or answers, separated by semicolons. */
    int (*script)(struct casehook__ob_store *store, const char *sql, struct casehook__ob_fault *fault);
    /* Tells the others that there is something to do; in a transaction. */
    int (*notify)(struct casehook__ob_store *store, struct casehook__ob_fault *fault);
    /* Whether somebody else has changed something since it was asked last. */
    bool (*has_news)(struct casehook__ob_store *store);
    /* To be watched for reading, -1: there is none. */
    int (*descriptor)(struct casehook__ob_store *store);
    void (*close)(struct casehook__ob_store *store);
};

/* What both begin with. */
struct casehook__ob_store {
    const struct casehook__ob_driver *driver;
    struct casehook__ob_heap *heap;
    uint32_t timeout_ms;
    uint64_t connections; /* how often it was connected */
    bool repeats;         /* the last failure came from others in the way: once more may do */
    bool tells;           /* this handle wants to know what others put */
    char **texts;         /* of the statements, in this dialect */
};

/* NULL where this build has no such driver. */
struct casehook__ob_place {
    const char *location;
    uint32_t timeout_ms;
    bool tells;
};
int casehook__ob_sqlite_open(struct casehook__ob_heap *heap, const struct casehook__ob_place *place,
                             struct casehook__ob_store **store, struct casehook__ob_fault *fault);
int casehook__ob_postgres_open(struct casehook__ob_heap *heap, const struct casehook__ob_place *place,
                               struct casehook__ob_store **store, struct casehook__ob_fault *fault);

#endif
