/* outbox_private.h - an open outbox from the inside. */
#ifndef CASEHOOK_OUTBOX_PRIVATE_H
#define CASEHOOK_OUTBOX_PRIVATE_H

#include "outbox/params.h"
#include "outbox/statements.h"

#include <pthread.h>
#include <stdatomic.h>

enum { CASEHOOK__OB_STATES = 9, CASEHOOK__OB_RESTS = 8, CASEHOOK__OB_NAME_SIZE = 256 };

/* Entries and bytes in each state; of a group of work what it changes. */
struct casehook__ob_tally {
    int64_t entries[CASEHOOK__OB_STATES], bytes[CASEHOOK__OB_STATES];
};

/*
 * Something to be done in a transaction, together with what others want at the same moment.  do_it may run
 * more than once, each time as if for the first time; what it did counts when status is CASEHOOK_OK in the
 * end.  A status that it returns fails all of the group; a fault of its own alone, found before it wrote
 * anything, it puts into fault and returns CASEHOOK_OK.
 */
struct casehook__ob_job {
    int (*do_it)(struct casehook_outbox *outbox, struct casehook__ob_job *job,
                 struct casehook__ob_fault *fault);
    void *user;
    struct casehook__ob_fault fault; /* status CASEHOOK_OK: it is done */
    bool counts;                     /* it wants the numbers exactly */
    bool tells;                      /* others have something to do now */
    bool ended;
    struct casehook__ob_job *next;
};

/* Values of doubt in the database. */
enum { CASEHOOK__OB_CRASHED = 1, CASEHOOK__OB_UNANSWERED = 2 };

/* An entry that this worker has. */
struct casehook__ob_sending {
    bool used, fresh, submitted, ended, lost;
    int64_t id, fence, case_no, attempts;
    int64_t tried_ms; /* since its first attempt, when it was taken */
    int64_t taken_at,
        stop_at; /* by our own clock, which goes on when we do not; stop_at: before the lease ends */
    int operation;
    bool doubt;    /* an attempt before may have been done */
    bool crashed;  /* and no result says how far it came: its worker is gone */
    bool existing; /* it must not make its case */
    bool updates;  /* it may find a case that was there before: that is to be updated then */
    void *block;   /* holds the texts */
    size_t weight; /* about what it needs while it is sent */
    const char *connector;
    struct casehook__ob_text params, earlier, token, external_id, fields;
    uint64_t ticket;
    /* What is to be stored. */
    int state, status, http_status, outcome, step;
    bool doubt_after, unmade; /* unmade: nothing was sent, and it does not count as an attempt */
    bool again;               /* nothing new to whoever reads the log */
    int64_t delay_ms;
    struct casehook_result *result;
    char message[CASEHOOK__OB_MESSAGE_SIZE];
};

/* A connector whose circuit is open, or that is not there: its entries are left where they are for a while.
 */
struct casehook__ob_rest {
    char connector[CASEHOOK__OB_NAME_SIZE]; /* "": this place is free */
    int64_t until;                          /* by our own clock */
    int64_t probe;                          /* the entry that tries; 0: none does */
    bool missing;                           /* the host has no such connector */
};

/* How far deleting has got in each state; due INT64_MAX: to the end. */
struct casehook__ob_sweep {
    int64_t due[CASEHOOK__OB_STATES], id[CASEHOOK__OB_STATES];
    uint64_t deleted; /* in the last piece */
    bool more;
};

struct casehook__ob_watch; /* descriptors to wait for */

struct casehook_outbox {
    struct casehook__ob_heap *heap;
    struct casehook__ob_store *store;
    struct casehook_outbox_options options; /* with defaults filled in; its texts are not ours */
    char *worker;
    int64_t instance;
    int64_t shard;
    int pid;

    pthread_mutex_t lock; /* for the queue and the numbers below */
    struct casehook__ob_job *first, **last;
    bool leading;        /* somebody has the store */
    pthread_cond_t free; /* nobody has it any more */
    struct casehook_outbox_stats numbers;

    /* Of whoever leads the group. */
    struct casehook__ob_tally total, change;
    bool counted; /* total was read in this transaction */
    size_t usual; /* jobs of the last group */
    int64_t oldest_id, oldest_age_ms, tally_until;
    uint64_t connections; /* of the store, when its state was last taken up */

    /* Of the thread that delivers. */
    atomic_flag delivering;
    struct casehook_loop *loop;
    struct casehook__ob_watch *watch;
    struct casehook__ob_sending *sending;
    size_t held;   /* weight of all of them */
    size_t places; /* of them: as many as may be sent, and as many that have ended and are not stored yet */
    int64_t clock_ahead;                                 /* when entries were taken last */
    int64_t next_claim, next_clean, next_look, next_try; /* by our own clock */
    int64_t next_ask;                                    /* for connectors that were missing; 0: none was */
    int64_t ended_since;    /* when the first of what is to be stored ended; 0: nothing is */
    bool taken_over, polls; /* polls: the database has no descriptor that tells */
    struct casehook__ob_rest rests[CASEHOOK__OB_RESTS];
    struct casehook__ob_sweep sweep;

    _Atomic uint64_t random;
    atomic_size_t sending_now;
    atomic_bool paused, woken, has_work;
    atomic_bool away; /* the last transaction of the thread that delivers failed */
};

/* group.c: does the job and returns its status; fault is that of the job. */
int casehook__ob_group(struct casehook_outbox *outbox, struct casehook__ob_job *job);
/* Takes the store without a job, unless somebody has it; and gives it to whoever is next. */
bool casehook__ob_lead(struct casehook_outbox *outbox);
void casehook__ob_lead_no_more(struct casehook_outbox *outbox);
/* In a job: an entry comes to a state (from 0: it is new), or leaves it (to 0). */
void casehook__ob_moved(struct casehook_outbox *outbox, int from, int to, int64_t bytes);
int casehook__ob_run(struct casehook_outbox *outbox, int statement, const struct casehook__ob_value *values,
                     size_t count, struct casehook__ob_rows *rows, struct casehook__ob_fault *fault);
struct casehook__ob_value casehook__ob_number_value(int64_t number);
struct casehook__ob_value casehook__ob_bytes_value(struct casehook__ob_text text);
/* One row of numbers: how many there were of them, 0 for no row. */
struct casehook__ob_numbers {
    int64_t values[4];
    size_t rows;
};
int casehook__ob_ask(struct casehook_outbox *outbox, int statement, const struct casehook__ob_value *values,
                     size_t count, struct casehook__ob_numbers *numbers, struct casehook__ob_fault *fault);
/* The next entry of that case gets its turn. */
int casehook__ob_promote(struct casehook_outbox *outbox, int64_t case_no, struct casehook__ob_fault *fault);
/* decide.c: in a job, what the tracker calls it, and all that was reached there. */
int casehook__ob_forget_case(struct casehook_outbox *outbox, int64_t case_no,
                             struct casehook__ob_fault *fault);

/* outbox.c */
int casehook__ob_usable(struct casehook_outbox *outbox, struct casehook__ob_fault *fault);
int casehook__ob_answer(struct casehook_outbox *outbox, const struct casehook__ob_fault *fault,
                        struct casehook_outbox_error **error);

/* claim.c, settle.c, decide.c: parts of the work of the thread that delivers, in a job. */
int casehook__ob_claim(struct casehook_outbox *outbox, struct casehook__ob_fault *fault);
int casehook__ob_take_over(struct casehook_outbox *outbox, struct casehook__ob_fault *fault);
int casehook__ob_give_back(struct casehook_outbox *outbox, struct casehook__ob_fault *fault);
int casehook__ob_settle(struct casehook_outbox *outbox, struct casehook__ob_fault *fault);
int casehook__ob_clean(struct casehook_outbox *outbox, struct casehook__ob_sweep *sweep,
                       struct casehook__ob_fault *fault);
void casehook__ob_sending_clear(struct casehook_outbox *outbox, struct casehook__ob_sending *sending);
/* Whether one more may be taken: fewer are sent than may be, and they need no more memory than they may. */
bool casehook__ob_has_room(const struct casehook_outbox *outbox);
/* Before a job is done once more: what it had taken is not ours. */
void casehook__ob_unclaim(struct casehook_outbox *outbox);

/*
 * rest.c: this connector is not to be used for so long; false: there is no room to remember it.  What came of
 * an entry that tried says whether it goes on.
 */
bool casehook__ob_rest(struct casehook_outbox *outbox, const char *connector, int64_t delay_ms);
/* There is no such connector, so its entries wait; until the host, when it is asked now and then, has it. */
void casehook__ob_rest_missing(struct casehook_outbox *outbox, struct casehook__ob_sending *sending);
void casehook__ob_rest_ask(struct casehook_outbox *outbox);
void casehook__ob_rest_tried(struct casehook_outbox *outbox, const struct casehook__ob_sending *sending,
                             bool is_up);
/* The entry has ended, or is not ours any more: another one may try. */
void casehook__ob_rest_clear(struct casehook_outbox *outbox, int64_t id);
/* Their names, as many values as there are places; how many there are. */
size_t casehook__ob_rest_names(const struct casehook_outbox *outbox, struct casehook__ob_value *values);
/* In how many ms one of them may be tried. */
int64_t casehook__ob_rest_delay(const struct casehook_outbox *outbox, int64_t now);

/* attempt.c: hands an entry to the loop, or says at once what became of it. */
void casehook__ob_attempt(struct casehook_outbox *outbox, struct casehook__ob_sending *sending);
/* verdict.c: what follows from a result; NULL: there was no memory for one, nothing was sent. */
void casehook__ob_judge(struct casehook_outbox *outbox, struct casehook__ob_sending *sending,
                        struct casehook_result *result);
/* It is tried again later, or parked when it was tried for too long. */
void casehook__ob_put_off(struct casehook_outbox *outbox, struct casehook__ob_sending *sending,
                          int64_t least_ms);

/* note.c: a line for the host's log.  id 0: it is about the outbox itself. */
void casehook__ob_note(struct casehook_outbox *outbox, int level, const struct casehook__ob_sending *sending,
                       const char *message);

/* clock.c: our own clock, which goes on while we sleep, in ms; a random number. */
int64_t casehook__ob_clock(void);
/* By how much the machine's clock is ahead of it: changes when somebody sets that. */
int64_t casehook__ob_clock_ahead(void);
uint64_t casehook__ob_random(struct casehook_outbox *outbox);

/* watch.c */
int casehook__ob_watch_new(struct casehook_outbox *outbox);
void casehook__ob_watch_free(struct casehook_outbox *outbox);
int casehook__ob_watch_fd(struct casehook_outbox *outbox);
/* Makes it readable, from any thread; and no more. */
void casehook__ob_watch_wake(struct casehook_outbox *outbox);
void casehook__ob_watch_calm(struct casehook_outbox *outbox);
/* Readable in so many ms at the latest; negative: not by time. */
void casehook__ob_watch_alarm(struct casehook_outbox *outbox, int64_t delay_ms);
/* The descriptor of the store may have changed. */
void casehook__ob_watch_store(struct casehook_outbox *outbox);
void casehook__ob_watch_wait(struct casehook_outbox *outbox, int64_t timeout_ms);

#endif
