/*
 * loop_private.h - what the files of the loop share.
 *
 * A job is one accepted operation.  It comes in under the lock, from any thread; from then on it belongs
 * to the thread of the loop: it waits in the pool of its connector, runs on one of the pool's slots, and
 * lies among the finished ones until its result is pulled.  One that is to wait for a time in between lets
 * go of slot and pool, and comes to the pool again.  A client is a transport as the loop sees it.
 */
#ifndef CASEHOOK_LOOP_PRIVATE_H
#define CASEHOOK_LOOP_PRIVATE_H

#include "base/cancel.h"
#include "loop/loop_backend.h"
#include "run/operation.h"
#include "base/timers.h"

#define CASEHOOK__LOOP_OPERATIONS  1000 /* defaults of struct casehook_loop_options */
#define CASEHOOK__LOOP_CONNECTIONS 64

/* What a timer lies in. */
#define CASEHOOK__OWNER(timer, type, member) ((type *)(void *)((char *)(timer)-offsetof(type, member)))

enum casehook__job_state {
    CASEHOOK__JOB_INCOMING, /* accepted, not looked at yet */
    CASEHOOK__JOB_WAITING,  /* in its pool, for its turn */
    CASEHOOK__JOB_RUNNING,  /* on a slot, with a request under way */
    CASEHOOK__JOB_DELAYED,  /* in no pool, for a time: it is to try again later */
    CASEHOOK__JOB_FINISHED  /* its result can be pulled */
};

struct casehook__job {
    enum casehook__job_state state;
    struct casehook__job *next, *previous; /* in the one list that it is in */
    struct casehook_loop *loop;
    uint64_t ticket;
    struct casehook_connector *connector; /* a reference */
    struct casehook_cancel *cancel;       /* a reference, or NULL */
    struct casehook__cancel_waiter waiter;
    int64_t deadline;
    /* Of a waiting one its deadline, of a running one the limit of its request, of a delayed one its end. */
    struct casehook__timer timer;
    struct casehook__input input; /* what it points to lies behind this struct */

    bool cancelled, called;          /* under the lock; called: what it waits for has come */
    struct casehook__job *told_next; /* among those that a turn cancels or wakes */

    struct casehook__work *work; /* once it has begun */
    struct casehook__pool *pool; /* while it waits or runs */
    struct casehook__slot *slot; /* while it runs */
    struct casehook__request request;
    struct casehook__client *client; /* where the request is under way */
    struct casehook__transfer *transfer;
    int64_t slow;                   /* when the log says that the request takes long */
    struct casehook_result *result; /* of a finished one; NULL when there was no memory for it */
};

struct casehook__jobs {
    struct casehook__job *first, *last;
};

/* loop_jobs.c */
void casehook__jobs_push(struct casehook__jobs *jobs, struct casehook__job *job); /* at its end */
void casehook__jobs_remove(struct casehook__jobs *jobs, struct casehook__job *job);
/* The first one, removed; NULL when there is none. */
struct casehook__job *casehook__jobs_shift(struct casehook__jobs *jobs);

struct casehook__client {
    struct casehook_loop *loop;
    struct casehook_connector *connector; /* a reference */
    const struct casehook__transport_ops *ops;
    struct casehook__transport *transport;
    uint32_t index;                  /* among the loop's clients */
    bool watched;                    /* by the backend; else driven by perform and poll */
    bool unwatchable;                /* the backend could not take one of its sockets */
    bool touched;                    /* something was done on it: some transfer may have ended */
    bool released;                   /* to be freed at the end of the turn */
    unsigned transfers;              /* under way */
    struct casehook__transfer *last; /* of a released one: its connection may call back into it */
    struct casehook__timer due;      /* when it must be driven at the latest */
    struct casehook__client *next_touched, *next_released;
};

/*
 * To find a free connection libcurl looks at all that a transport has, so a transport serves no more slots
 * than this. Up to so many connections there is one group.
 */
#define CASEHOOK__GROUP_SLOTS 512

struct casehook__client_group {
    struct casehook__client *clients[CASEHOOK__CALLS]; /* of the connector's policies */
};

/* Slots and transports of one connector (P3: never shared with another one). */
struct casehook__pool {
    struct casehook__pool *next; /* in its list of the loop's */
    struct casehook_loop *loop;
    struct casehook_connector *connector;
    struct casehook__client_group *groups;
    uint32_t group_count, slot_count;
    struct casehook__slot *idle;
    struct casehook__work *warm;
    uint32_t warm_count;
    struct casehook__jobs resuming, waiting, running; /* resuming: they wait as well, and were begun before */
    unsigned running_count, peak;                     /* peak: most at once since the last rest */
    bool queued;                                      /* among those that may start a job */
    struct casehook__pool *queue_next;
    struct casehook__timer rest; /* then its connections are closed; not set: it is in use */
};

struct casehook__ticket_entry {
    struct casehook__job *job; /* NULL: free */
    uint32_t serial, next_free;
};

struct casehook_loop {
    struct casehook__heap *heap; /* a reference */
    pid_t process;               /* that made it */
    uint32_t max_operations, max_connections;
    const struct casehook__backend_ops *ops;
    void *backend;
    atomic_size_t pending;
    atomic_bool entered; /* a thread is in a call that is for the thread of the loop alone */

    pthread_mutex_t lock; /* of what follows, up to the next empty line */
    struct casehook__jobs incoming;
    struct casehook__ticket_entry *tickets;
    uint32_t ticket_count, free_ticket; /* free_ticket: index + 1, 0 for none */
    uint32_t accepted;                  /* jobs that have not ended */
    bool told;                          /* some job is cancelled or called */
    bool woken;                         /* by casehook_loop_wakeup */
    bool sleeping;                      /* the thread of the loop waits or is about to */
    bool descriptor_used;               /* the host watches the descriptor */
    bool signalled;                     /* the backend was told */

    int64_t now; /* of this turn */
    bool wakeup_taken;
    struct casehook__pool **pools; /* lists by connector */
    uint32_t pool_lists, pool_count;
    struct casehook__pool *queue, *queue_last; /* pools with jobs that may start */
    struct casehook__client **clients;         /* NULL where there is none */
    uint32_t client_count, client_capacity;
    uint32_t free_client; /* no place before it is free */
    uint32_t unwatchable_count;
    struct casehook__client *touched, *released;
    struct casehook__client *polled; /* the one that is not watched, if any */
    unsigned watched_transfers;      /* under way on the others */
    struct casehook__timers jobs, dues, rests;
    struct casehook__jobs delayed, finished;
};

/* loop.c; ops NULL: the best that the system offers. */
int casehook__loop_new_with(const struct casehook_loop_options *options,
                            const struct casehook__backend_ops *ops, struct casehook_loop **loop);

/* loop_jobs.c, under the lock. */
/* Gives a job its ticket.  False: no memory. */
bool casehook__ticket_take(struct casehook_loop *loop, struct casehook__job *job);
/* NULL: it names nothing. */
struct casehook__ticket_entry *casehook__ticket_find(struct casehook_loop *loop, uint64_t ticket);
/* It names nothing any more. */
void casehook__ticket_drop(struct casehook_loop *loop, uint64_t ticket);
/* Tells the thread of the loop that there is something to do. */
void casehook__loop_signal(struct casehook_loop *loop);

/* Frees a job that is in no list and on no slot. */
void casehook__job_free(struct casehook__job *job);

/* loop_submit.c: what a delayed job (user) waits for has come; any thread. */
void casehook__job_call(void *user);

/* loop_run.c */
/* Does what can be done without waiting; eager: goes on although there are results to be pulled. */
void casehook__loop_turn(struct casehook_loop *loop, bool eager);
/* When the next turn is needed at the latest; NO_DEADLINE: not for any time. */
int64_t casehook__loop_next_time(const struct casehook_loop *loop);

/* loop_job.c */
/* Takes over a job that has come in. */
void casehook__job_enter(struct casehook__job *job);
/* Its turn has come. */
void casehook__job_begin(struct casehook__job *job);
void casehook__job_cancel(struct casehook__job *job);
/* Its transfer has ended. */
void casehook__job_answered(struct casehook__job *job);
/* The timer of a delayed one is due. */
void casehook__job_wake(struct casehook__job *job);
/* The timer of any other one is due, and what lay in its socket was read. */
void casehook__job_expire(struct casehook__job *job);
/* The loop is being freed: off its slot, without a result; only the log says so. */
void casehook__job_abandon(struct casehook__job *job);

/* loop_pool.c */
/* The pool of a connector, made when there is none.  NULL: no memory. */
struct casehook__pool *casehook__pool_of(struct casehook_loop *loop, struct casehook_connector *connector);
/* Takes any job out of its pool; NULL: there is none left. */
struct casehook__job *casehook__pools_shift(struct casehook_loop *loop);
/* No job is in them. */
void casehook__pools_free(struct casehook_loop *loop);
/* NULL: no memory. */
struct casehook__slot *casehook__pool_take_slot(struct casehook__pool *pool);
void casehook__pool_give_slot(struct casehook__pool *pool, struct casehook__slot *slot);
struct casehook__work *casehook__pool_take_work(struct casehook__pool *pool);
void casehook__pool_give_work(struct casehook__pool *pool, struct casehook__work *work);
/* A job comes to wait in a pool, runs there, leaves it.  One that was begun before waits in front. */
void casehook__pool_waits(struct casehook__pool *pool, struct casehook__job *job);
void casehook__pool_runs(struct casehook__job *job);
void casehook__pool_leaves(struct casehook__job *job);
/* The next job whose turn it is, round robin over the connectors; NULL when none may start. */
struct casehook__job *casehook__pools_next(struct casehook_loop *loop);
/* Closes what has rested long enough. */
void casehook__pools_rest(struct casehook_loop *loop);

/* loop_client.c */
/* lasting: of a pool; else for a single request.  NULL: no memory. */
struct casehook__client *casehook__client_new(struct casehook_loop *loop,
                                              struct casehook_connector *connector, bool lasting);
void casehook__client_free(struct casehook__client *client);
/* From now on the backend watches all clients: the host uses the descriptor. */
void casehook__clients_watch(struct casehook_loop *loop);
/* A transfer was started on it, or has left it. */
void casehook__client_started(struct casehook__client *client);
void casehook__client_ended(struct casehook__client *client);
/* It is freed at the end of the turn. */
void casehook__client_release(struct casehook__client *client);
/* Drives what is due, in the first round of a turn also what nobody watches.  False: nothing was. */
bool casehook__clients_drive(struct casehook_loop *loop, bool first);
/* Takes what has ended off the clients; how many. */
size_t casehook__clients_harvest(struct casehook_loop *loop, void (*answered)(struct casehook__job *job));
/* Frees the released ones. */
void casehook__clients_reap(struct casehook_loop *loop);
/* Waits for events, at most so long (-1: no limit), and acts on them; how many there were. */
int casehook__clients_poll(struct casehook_loop *loop, int timeout_ms);
int64_t casehook__clients_next_time(const struct casehook_loop *loop);

#endif
