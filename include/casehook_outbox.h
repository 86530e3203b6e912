/*
 * casehook_outbox.h - cases that survive: a durable queue in front of the connectors of casehook.h
 *
 * An outbox keeps entries: an operation, the connector that it is for, and its params as JSON.  What was put
 * is on the disk when casehook_outbox_put() returns, and is delivered when the tracker can be reached: after a
 * crash, a reboot, or a night without a tracker.  It lies in a file (SQLite), or in a PostgreSQL database that
 * several machines share.
 *
 * What is promised
 *
 *  - Nothing that was accepted is lost: an entry is waiting, being sent, done, or parked with its reason.
 *  - Nothing is sent twice blindly.  That an entry may have been sent is on the disk before it is sent.  After
 *    a crash it goes on by finding or idempotency key (D3-D5), where the connector has one; otherwise it waits
 *    for a person, as CASEHOOK_OUTBOX_UNKNOWN.
 *  - Entries of one case go in the order in which they were put, one at a time; a case is a connector and the
 *    id of its params.  Different cases go side by side.
 *  - A case that was created is remembered: the next push of the same id is an update, without asking.
 *  - One worker at a time has an entry, for the length of its lease.  One that slept longer has lost it, sends
 *    nothing more of it and cannot settle it.  The clock of the database decides.
 *
 * Rules that hold for everything below
 *
 *  - All that casehook.h says of text, lengths, structs with struct_size, codes, outputs and release functions
 *    holds here too.  Codes are CASEHOOK_E_*; their meaning here:
 *      ARGUMENT     an argument of the call itself
 *      NO_MEMORY    the allocator, or the database library, had none
 *      CONFIG       the location is none that can be
 *      UNSUPPORTED  this build has no driver for it; or a newer version of this library made the database
 *      PARAMS       the params are no JSON object, are too long, hold what only the outbox may add, or are of
 *                   no case that there is
 *      LIMIT        the outbox is full: a limit of the options was reached; nothing was stored
 *      BUSY         another program holds the database; another thread is in the function; the entry is being
 *                   sent
 *      UNAVAILABLE  the database cannot be reached; nothing was stored
 *      NETWORK      the connection broke in the middle of a commit: nobody knows whether it was stored; to put
 *                   the same key again is safe
 *      SYSTEM       the disk is full, the file is read-only, damaged or no outbox: see the message
 *      FORKED       the handle belongs to the parent process
 *  - Threads: casehook_outbox_put() and what manages entries may be called from any thread, also while another
 *    one delivers; concurrent puts are written together.  fd, timeout_ms, process and run are for one thread at
 *    a time.  The library starts no threads.
 *  - A call may wait for the disk, for a database up to database_timeout_ms.
 *  - Times are milliseconds, points in time milliseconds since 1970 UTC by the clock of the database.  For a file
 *    that is the machine's.  Set it before entries are delivered: one step forward counts as time that has passed,
 *    so an entry that failed before may be parked at its next failure (give_up_after_ms), and what another handle
 *    of the same file is sending counts as lost by it (doubt) when the step is longer than lease_ms.  After a step
 *    back each handle that delivers shortens what waits for its time by that step, at most to now.
 */
#ifndef CASEHOOK_OUTBOX_H
#define CASEHOOK_OUTBOX_H

#include "casehook.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- entries --------------------------------------------------------------------------------- */

/* Where an entry stands.  Since: 0.2 */
enum casehook_outbox_state {
    CASEHOOK_OUTBOX_WAITING = 1,   /* it is its turn, from its due time on */
    CASEHOOK_OUTBOX_QUEUED = 2,    /* behind another one of the same case */
    CASEHOOK_OUTBOX_SENDING = 3,   /* a worker has it; it may have been sent */
    CASEHOOK_OUTBOX_PARKED = 4,    /* a person is needed: a permanent fault, or giveUpAfter has passed */
    CASEHOOK_OUTBOX_UNKNOWN = 5,   /* a person is needed: it may have been done; those behind it wait */
    CASEHOOK_OUTBOX_DONE = 6,      /* the tracker has it */
    CASEHOOK_OUTBOX_DISCARDED = 7, /* somebody said that it is not to be done */
    CASEHOOK_OUTBOX_REPLACED = 8   /* a newer update of the same case stands for it; it was never sent */
};

/* "waiting", "queued" ...; "" for what is not in the table.  Ownership: static.  Threads: any.  Since: 0.2 */
CASEHOOK_API const char *casehook_outbox_state_name(int state);

/*
 * A fault of a call.  Getters accept NULL and then say "no error"; the message is one line and needs nothing
 * beside it.  Ownership: yours (casehook_outbox_error_free).  Threads: one at a time.  Since: 0.2
 */
struct casehook_outbox_error;

/* One of CASEHOOK_E_*, CASEHOOK_OK without error.  Since: 0.2 */
CASEHOOK_API int casehook_outbox_error_status(const struct casehook_outbox_error *error);
/* What was wrong and what to do; never NULL, never empty.  Since: 0.2 */
CASEHOOK_API const char *casehook_outbox_error_message(const struct casehook_outbox_error *error);
/* Since: 0.2 */
CASEHOOK_API void casehook_outbox_error_free(struct casehook_outbox_error *error);

/* ---- opening --------------------------------------------------------------------------------- */

/*
 * An open outbox.  Threads: see above.  After fork() the child must not use it (CASEHOOK_E_FORKED); releasing
 * it there is safe.  A child that was forked while an outbox in a file was open cannot open one in a file
 * (FORKED), because SQLite does not see then what others do: fork first, or exec().  Since: 0.2
 */
struct casehook_outbox;

/*
 * The connector of that name, with a reference that is the outbox's from now on (casehook_connector_ref), or
 * NULL when there is none: that is no attempt, and the entries of that connector wait, or are sent by another
 * process that has it; it is asked for again every second.  Else it is asked for each time that an entry is sent.
 * All of that is inside process and run, so a host can replace its connectors at any time.  Since: 0.2
 */
typedef struct casehook_connector *(*casehook_outbox_resolve_fn)(void *user, const char *name);

/*
 * location: the path of a file, which is made when it is not there, or "postgresql://...", as libpq reads it.
 * A file must be on a local disk; SQLite puts PATH-wal and PATH-shm beside it.  The address of PostgreSQL is that of
 * the server, or of a pooler in session mode: in transaction mode nothing works.  A standby that takes over keeps
 * what is promised only when it is synchronous: else what was put last may be lost, and what was sent last is sent
 * again.
 *
 * allocator: NULL for malloc; copied.  What SQLite and libpq allocate does not come from it.
 *
 * worker: who this is, in leases and lists: at most 255 bytes, NULL for a random name.  Of two handles of one
 * name the later one takes over what the earlier one was sending, at once, so give one only where a restart
 * means that the one before is dead.
 *
 * resolve: NULL when this process only puts and manages.  log gets what happens to entries (done, put off,
 * parked: level INFO, WARNING, ERROR) and to the database; of its record message, level, user (the id of the
 * entry, 0: none), operation, step, status, outcome and http_status are set.  It is called inside any call.
 * destroy, when not NULL, is called once with user: when the outbox is gone, or when open failed.
 *
 * max_entries, max_bytes (of the params), max_age_ms (of the oldest that is waiting): when one of them is
 * reached, put says LIMIT.  Finished entries do not count, parked ones do.  0: 1,000,000 entries, 4 GiB, no
 * limit of age.
 *
 * give_up_after_ms: from its first attempt on an entry is tried again so long, then it is parked; 0: three
 * days.  retry_base_ms, retry_max_ms: the delay before the next attempt is random between half of and all of
 * base * 2^(attempts - 1), at most max; 0: 5 s and one hour.  A Retry-After of the tracker is the least, up to
 * give_up_after_ms.
 * These come after the library's own attempts (run.maxAttempts).  While the circuit of a connector is open
 * (circuit.failures), its entries wait, and that is no attempt; then one of them tries.
 *
 * lease_ms: how long an entry belongs to a worker; 0: 120 s, at least 1 s.  An attempt, the library's repetitions in
 * it too, ends before its lease does, so it should be longer than responseTimeout.  Shorter ones give the entries
 * of a dead worker to others earlier.
 *
 * keep_finished_ms: finished entries are kept so long (same key, lists), then process deletes them; 0: 7 days;
 * negative: for ever.  keep_cases_ms: a case to which nothing happened is remembered so long; 0: 400 days;
 * negative: for ever.  The newest entry of a case stays as long as the case: its params are "{}" then, but its
 * key and its state say what was told last.
 *
 * database_timeout_ms: how long a call waits for a lock of another program, or for PostgreSQL; 0: 5 s.
 * poll_ms: how often a file is looked at for what another process has put; 0: 1 s.  PostgreSQL tells it.
 * max_sending: entries that are sent at the same time; 0: 64.  Large ones are fewer: no further one is taken while
 * those that are being sent need 32 MiB, by an estimate of their bytes and values.  max_connections: as in
 * casehook_loop_options.  log_level: CASEHOOK_LOG_*, 0: INFO.
 * Ownership: yours; all of it is copied.  Since: 0.2
 */
struct casehook_outbox_options {
    size_t struct_size;
    const char *location;
    const struct casehook_allocator *allocator;
    const char *worker;
    void *user;
    casehook_outbox_resolve_fn resolve;
    casehook_log_fn log;
    casehook_destroy_fn destroy;
    uint64_t max_entries;
    uint64_t max_bytes;
    int64_t max_age_ms;
    int64_t give_up_after_ms;
    int64_t retry_base_ms;
    int64_t retry_max_ms;
    int64_t keep_finished_ms;
    int64_t keep_cases_ms;
    uint32_t lease_ms;
    uint32_t database_timeout_ms;
    uint32_t poll_ms;
    uint32_t max_sending;
    uint32_t max_connections;
    int log_level;
};

/*
 * Opens an outbox; an empty file or database gets its tables, those of an older version are brought up to this
 * one.  Nothing is sent before process or run.
 * Ownership: outbox is yours (casehook_outbox_close), error too.  Threads: any.
 * Errors: ARGUMENT, NO_MEMORY, CONFIG, UNSUPPORTED, BUSY, UNAVAILABLE, SYSTEM, FORKED; destroy has been called
 * then, that of the allocator too, or when the error is freed.  Since: 0.2
 */
CASEHOOK_API int casehook_outbox_open(const struct casehook_outbox_options *options,
                                      struct casehook_outbox **outbox, struct casehook_outbox_error **error);

/*
 * 1 when this build can open such outboxes, else 0: "sqlite", "postgresql".  Threads: any.  Since: 0.2
 */
CASEHOOK_API int casehook_outbox_feature(const char *name);

/*
 * Ends what is being sent and stores what is known of it, then releases everything.  To let it finish, call
 * casehook_outbox_pause() and run until casehook_outbox_sending() is 0.  No other call may run meanwhile.
 * Threads: that of process and run.  Since: 0.2
 */
CASEHOOK_API void casehook_outbox_close(struct casehook_outbox *outbox);

/* ---- putting --------------------------------------------------------------------------------- */

/*
 * For flags.  KEEP: a newer update never replaces this entry.  ANEW, of a push or create: when it is stored, what
 * the tracker calls its case is forgotten in the same transaction, as by casehook_outbox_forget(); when its key is
 * known, nothing is, so of two programs that put the same one only the first does so.  BUSY while an earlier entry
 * of the case waits, is being sent, or is unknown.  EXISTING, of a push: it never makes its case.  It is refused as
 * PARAMS, as an update would be, unless that was made, or something that is put and not finished may make it; where
 * that comes to nothing, it is parked.  Since: 0.2
 */
enum casehook_outbox_flag { CASEHOOK_OUTBOX_KEEP = 1, CASEHOOK_OUTBOX_ANEW = 2, CASEHOOK_OUTBOX_EXISTING = 4 };

/* What became of what was put.  Since: 0.2 */
enum casehook_outbox_stored {
    CASEHOOK_OUTBOX_STORED = 1, /* a new entry */
    CASEHOOK_OUTBOX_KNOWN = 2   /* an entry of this connector and key is there already, finished perhaps */
};

/*
 * connector: the name that resolve will be asked for, 1 to 255 bytes.
 * key: two items of one connector and key are one entry; 1 to 255 bytes, NULL: never the same as another one.
 * The key of a finished entry is known until that is purged.
 * operation: CASEHOOK_PUSH, _CREATE, _UPDATE or _COMMENT.
 * params: as for casehook_run_json(), without resume; at most 7 MiB.  The id of the case is the id in it, at most
 * 1,024 bytes; without one the entry has a case of its own.  externalId, externalFields (what answers told of the
 * case: createResponseFields and the like, up to 64 KiB) and idempotencyKey are added by the outbox where they are
 * absent.  Entries of a case go in the order in which they were stored: who goes on although a put failed has
 * changed it.  An update or a comment needs an externalId, or a case that a push or create has made before, or is
 * going to make.
 * delay_ms: not sent before so long from now.
 *
 * An update or a push that waits, was never tried, has no comments and is no change of status (its status is
 * that of the entry before it of the same case) is replaced by a newer one of the same case, unless something else
 * of the case waits between them: only the newer one is sent.  What it does not say is never said, so give all of
 * the case each time, or KEEP.  Ownership: yours; nothing is kept.  Since: 0.2
 */
struct casehook_outbox_item {
    size_t struct_size;
    const char *connector;
    const char *key;
    const char *params;
    size_t params_length; /* CASEHOOK_TERMINATED: up to the NUL */
    int64_t delay_ms;
    int operation;
    uint32_t flags; /* CASEHOOK_OUTBOX_KEEP, _ANEW, _EXISTING */
};

/*
 * Stores an item.  When it returns CASEHOOK_OK the entry is durable.  id (never 0) and stored,
 * CASEHOOK_OUTBOX_STORED or _KNOWN, may be NULL; id names the entry that is there.
 * Ownership: error, when wanted, is yours.  Threads: any number at once.
 * Errors: ARGUMENT, NO_MEMORY, PARAMS, LIMIT, BUSY, UNAVAILABLE, NETWORK, SYSTEM, FORKED: nothing was stored,
 * but for NETWORK.  Since: 0.2
 */
CASEHOOK_API int casehook_outbox_put(struct casehook_outbox *outbox, const struct casehook_outbox_item *item,
                                     uint64_t *id, int *stored, struct casehook_outbox_error **error);

/* ---- delivering ------------------------------------------------------------------------------ */

/*
 * A descriptor that is readable when casehook_outbox_process() has something to do.  Level triggered; it stays
 * the same for the life of the outbox and belongs to it.  -1 where the system offers no such thing, or after
 * fork(): then call process when casehook_outbox_timeout_ms() says, or use casehook_outbox_run().  Since: 0.2
 */
CASEHOOK_API int casehook_outbox_fd(struct casehook_outbox *outbox);

/* For a host without the descriptor: in how many ms process should be called at the latest.  Since: 0.2 */
CASEHOOK_API int64_t casehook_outbox_timeout_ms(struct casehook_outbox *outbox);

/*
 * Does what can be done now: takes entries, sends, reads answers, stores what came of them.  It does not wait
 * for trackers, but for the database.  While that is away it is tried again, and CASEHOOK_OK returned.
 * Errors: ARGUMENT (no resolve), BUSY (a thread is in it), FORKED.  Since: 0.2
 */
CASEHOOK_API int casehook_outbox_process(struct casehook_outbox *outbox);

/* For run.  IDLE: it also returns when no entry is being sent or due.  Since: 0.2 */
enum casehook_outbox_run_flag { CASEHOOK_OUTBOX_UNTIL_IDLE = 1 };

/*
 * Delivers until timeout_ms have passed (negative: no limit), or until casehook_outbox_wakeup().
 * Errors: as process; ARGUMENT for flags that this version does not know.  Since: 0.2
 */
CASEHOOK_API int casehook_outbox_run(struct casehook_outbox *outbox, uint32_t flags, int32_t timeout_ms);

/* Makes a run that runs, or else the next one, return.  Threads: any; not for signal handlers.  Since: 0.2 */
CASEHOOK_API void casehook_outbox_wakeup(struct casehook_outbox *outbox);

/* paused 1: process and run take no further entries; 0: they do again.  Threads: any.  Since: 0.2 */
CASEHOOK_API void casehook_outbox_pause(struct casehook_outbox *outbox, int paused);

/* How many entries this handle is sending, or has sent and not stored yet.  Threads: any.  Since: 0.2 */
CASEHOOK_API size_t casehook_outbox_sending(const struct casehook_outbox *outbox);

/* ---- looking --------------------------------------------------------------------------------- */

/*
 * What to list: all zero means the newest 100 entries.  id: this one alone.  states: a sum of
 * CASEHOOK_OUTBOX_IN(state), 0 for all.  connector, key, case_id: only those, NULL for all.  before: only entries
 * whose id is lower, for the next page; 0: none is too high.  limit: at most 1,000; 0: 100.  full: with params
 * and result.  by_case: of each case the last that was done, ordered by when; before is then a time in ms.  Several
 * may have the same one: ask for the next page with that of the last one and 1 ms, and leave out what you have.
 * Since: 0.2
 */
struct casehook_outbox_query {
    size_t struct_size;
    const char *connector;
    const char *key;
    const char *case_id;
    uint64_t id;
    uint64_t before;
    uint32_t states;
    uint32_t limit;
    uint32_t full;
    uint32_t by_case;
};
#define CASEHOOK_OUTBOX_IN(state) (UINT32_C(1) << (state))

/*
 * One entry.  Texts are NULL where there is nothing; all belong to the list.  Since: 0.2
 */
struct casehook_outbox_entry {
    size_t struct_size;
    const char *connector;
    const char *key;
    const char *case_id;
    const char *external_id; /* of the case, where it is known */
    const char *title;       /* of the params; its first 1,024 bytes */
    const char *url;         /* where a person can look at the case */
    const char *worker;      /* that sends it, or did so last */
    const char *message;     /* why it waits, or is parked */
    const char *params;      /* as they were put; when full was asked for */
    const char *result;      /* of an attempt that failed, as casehook_result_json(); when full was asked for */
    uint64_t id;
    int64_t put_ms;   /* when it was put */
    int64_t first_ms; /* its first attempt; 0: none yet */
    int64_t due_ms;   /* waiting: the next attempt; sending: the end of the lease; else when it came to this state */
    uint64_t bytes;   /* of the params */
    int operation;
    int state;
    int status;      /* CASEHOOK_E_* of the last attempt; CASEHOOK_OK */
    int http_status; /* 0: none */
    int outcome;     /* CASEHOOK_OUTCOME_* */
    int step;        /* CASEHOOK_STEP_* */
    uint32_t attempts;
    uint32_t doubt;    /* 1: an earlier attempt may have been done */
    uint32_t has_case; /* 1: the tracker has its case, as far as is known now; external_id may be of one before it */
    uint32_t existing; /* 1: it was put with CASEHOOK_OUTBOX_EXISTING */
};

/* What was found.  Threads: getters any number at once, free alone.  Since: 0.2 */
struct casehook_outbox_list;

/*
 * Ownership: list and error are yours.  Threads: any.
 * Errors: ARGUMENT, NO_MEMORY, BUSY, UNAVAILABLE, SYSTEM, FORKED.  Since: 0.2
 */
CASEHOOK_API int casehook_outbox_find(struct casehook_outbox *outbox,
                                      const struct casehook_outbox_query *query,
                                      struct casehook_outbox_list **list,
                                      struct casehook_outbox_error **error);
/* How many entries there are in it.  Since: 0.2 */
CASEHOOK_API size_t casehook_outbox_list_count(const struct casehook_outbox_list *list);
/* One of them, newest first.  Errors: ARGUMENT (no such index, struct_size).  Since: 0.2 */
CASEHOOK_API int casehook_outbox_list_entry(const struct casehook_outbox_list *list, size_t index,
                                            struct casehook_outbox_entry *entry);
/*
 * All of it as a JSON array of objects: id (a string), state, stateNumber, connector, key, caseId, operation,
 * operationNumber, title, externalId, url, worker, putMs, firstMs, dueMs, bytes, attempts, doubt, message,
 * status, statusNumber, httpStatus, outcome, step, and when full was asked for params and result.  What is
 * absent is null.  NULL when memory ran out.  Ownership: borrowed from the list.  Since: 0.2
 */
CASEHOOK_API const char *casehook_outbox_list_json(struct casehook_outbox_list *list, size_t *length);
/* Since: 0.2 */
CASEHOOK_API void casehook_outbox_list_free(struct casehook_outbox_list *list);

/*
 * Numbers.  The first ten are those of the database, of all workers together; the others count what this handle
 * did since it was opened.  Since: 0.2
 */
struct casehook_outbox_stats {
    size_t struct_size;
    uint64_t waiting;
    uint64_t queued;
    uint64_t sending;
    uint64_t parked;
    uint64_t unknown;
    uint64_t done; /* that are kept still */
    uint64_t discarded;
    uint64_t replaced;
    uint64_t bytes;        /* of the params of what is not finished */
    int64_t oldest_age_ms; /* of what is waiting, queued or being sent; 0: nothing is */
    uint64_t put;          /* new entries */
    uint64_t known;        /* items whose key was there */
    uint64_t refused;      /* because the outbox was full */
    uint64_t attempts;
    uint64_t delivered;
    uint64_t retried; /* attempts after which another one follows */
    uint64_t gave_up; /* parked */
    uint64_t doubted; /* entries that may have been sent by a worker that is gone */
    uint64_t lost;    /* settled too late: the lease was another worker's */
    uint64_t groups;  /* commits */
    uint64_t reconnects;
    uint64_t sending_here;
    uint64_t away; /* 1: what is going to be sent cannot be written down, so nothing is; tried every second */
};

/*
 * Fills stats, whose struct_size the caller sets.  Threads: any.
 * Errors: as casehook_outbox_find(); the numbers of this handle are there then too.  Since: 0.2
 */
CASEHOOK_API int casehook_outbox_get_stats(struct casehook_outbox *outbox, struct casehook_outbox_stats *stats,
                                           struct casehook_outbox_error **error);
/*
 * The same as one JSON object: the names above in camelCase.  buffer gets what fits of it with a NUL behind;
 * returns the length of all of it, 0 on failure.  Threads: any.  Since: 0.2
 */
CASEHOOK_API size_t casehook_outbox_stats_json(struct casehook_outbox *outbox, char *buffer, size_t size);

/* ---- a person decides ------------------------------------------------------------------------ */

/*
 * A parked or unknown entry is tried again, from the beginning: only when it is known that it was not done, or
 * that once more does no harm.  One that waits becomes due now; whether it may have been done stays known.  What is
 * parked is not tried again after a newer push, update or create of its case, unless it is a comment: it would write
 * the past over the present.
 * Errors, of these four: ARGUMENT (no such entry, not in such a state, or there is a newer one), BUSY (it is being
 * sent), and those of put.  Since: 0.2
 */
CASEHOOK_API int casehook_outbox_retry(struct casehook_outbox *outbox, uint64_t id,
                                       struct casehook_outbox_error **error);

/*
 * A parked push or create makes its case again, which somebody has deleted in the tracker: what the tracker called
 * it is forgotten, as by casehook_outbox_forget(), and the entry is tried, in one transaction.  Errors: as with
 * retry; ARGUMENT also where a newer push or update of the case is parked, which says more; BUSY also while another
 * entry of the case waits, is being sent, or is unknown.  Since: 0.2
 */
CASEHOOK_API int casehook_outbox_again(struct casehook_outbox *outbox, uint64_t id,
                                       struct casehook_outbox_error **error);

/* An entry that is not finished is not to be done any more.  The next one of its case follows.  Since: 0.2 */
CASEHOOK_API int casehook_outbox_discard(struct casehook_outbox *outbox, uint64_t id,
                                         struct casehook_outbox_error **error);

/*
 * A parked or unknown entry was done, all of it, as somebody has seen in the tracker: comments of a push that are not
 * there are to be put anew.  external_id, when not NULL, is that of its case from now on: 1 to 1,024 bytes.  Where
 * that is another one than was known, what was known is forgotten, and BUSY says that another entry of the case is
 * being sent.  Since: 0.2
 */
CASEHOOK_API int casehook_outbox_done(struct casehook_outbox *outbox, uint64_t id, const char *external_id,
                                      struct casehook_outbox_error **error);

/*
 * What the tracker calls this case, and its externalFields, are forgotten (it was deleted there): the next push
 * creates it.  BUSY while one of its entries is being sent, because what comes of that would be remembered again.
 * case_id is NUL-terminated.  Since: 0.2
 */
CASEHOOK_API int casehook_outbox_forget(struct casehook_outbox *outbox, const char *connector,
                                        const char *case_id, struct casehook_outbox_error **error);

/*
 * Deletes finished entries that finished more than older_than_ms ago, of cases that are remembered not the newest
 * (keep_finished_ms), nor the update that overtook a parked entry; deleted, when not NULL, gets how many.
 * Since: 0.2
 */
CASEHOOK_API int casehook_outbox_purge(struct casehook_outbox *outbox, int64_t older_than_ms,
                                       uint64_t *deleted, struct casehook_outbox_error **error);

#ifdef __cplusplus
}
#endif

#endif
