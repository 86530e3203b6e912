/*
 * connector.h - what a connector consists of, and what it keeps from one operation to the next.
 */
#ifndef CASEHOOK_CONNECTOR_H
#define CASEHOOK_CONNECTOR_H

#include "base/log.h"
#include "document/mask.h"
#include "document/policy.h"
#include "exchange/machine.h"
#include "run/stats.h"
#include "transport/transport.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

/* One operation from its beginning to its end; the machine is warm when it was used before. */
struct casehook__work {
    struct casehook__work *next; /* among the warm ones of its connector or of a loop's pool */
    struct casehook__machine machine;
};

/*
 * What one request at a time needs: for each policy of the connector a transport with one transfer.  It is
 * lent to an operation for a request, connections and all, and for the next one if that follows at once.
 */
struct casehook__slot {
    struct casehook__slot *next; /* below it, among the idle ones of its connector or of a loop's pool */
    struct casehook__transport *transports[CASEHOOK__CALLS];
    struct casehook__transfer *transfers[CASEHOOK__CALLS];
    uint32_t group; /* in a loop: which of its pool's transports it uses */

    /* Of an idle one. */
    struct casehook_connector *connector;
    struct casehook__slot *before, *behind;
    int64_t until; /* then it is closed */
};

/*
 * The idle slots of all connectors of one settings object, by the time when they are closed: without threads
 * and timers it is the next call on any of them that closes what has rested longer than idleTimeout.
 */
struct casehook__idle {
    struct casehook__heap *heap; /* a reference */
    atomic_int references;
    pid_t process;        /* that made it */
    pthread_mutex_t lock; /* of all idle slots, the connectors' lists of them too */
    struct casehook__slot *first, *last;
};

struct casehook_connector {
    struct casehook__heap *heap; /* a reference */
    atomic_int references;
    pid_t process; /* that made it */
    struct casehook__config *config;
    struct casehook__log *log;                /* a reference, or NULL */
    struct casehook__machine_context context; /* of all operations; it owns settings and mask */
    casehook__stats_slot stats;
    struct casehook__certificates certificates;
    struct casehook__policy *policies;                /* the different ones: nearly always one */
    uint8_t policy_count, policy_of[CASEHOOK__CALLS]; /* index into policies */
    struct casehook__reuse_map reuse;

    const struct casehook__transport_ops *ops; /* how requests are done */
    atomic_uint connections;                   /* open ones, for the statistics */
    struct casehook__idle *all_idle;           /* a reference */
    struct casehook__slot *idle;               /* the one given back last, and so on */
    struct casehook__work *warm;
    unsigned idle_count, warm_count; /* no more warm ones than idle slots: these go after a time */
};

/* settings_handle.c: the settings object of the public header. */
struct casehook_settings {
    struct casehook__heap *heap;
    struct casehook__settings_snapshot *current;
    struct casehook__log *log;
    struct casehook__idle *all_idle; /* a reference */
};

/* The caller is in the process that made the connector. */
bool casehook__connector_is_here(const struct casehook_connector *connector);

/* slot.c.  NULL: no memory. */
struct casehook__slot *casehook__slot_take(struct casehook_connector *connector);
void casehook__slot_give(struct casehook_connector *connector, struct casehook__slot *slot);
/* For a driver with slots of its own; without transports. */
struct casehook__slot *casehook__slot_new(struct casehook_connector *connector);
/* Gives back memory of an unusually large answer. */
void casehook__slot_shrink(const struct casehook_connector *connector, struct casehook__slot *slot);
void casehook__slot_free(struct casehook_connector *connector, struct casehook__slot *slot);
/* Frees what a connector that is being released has kept: idle slots, warm operations. */
void casehook__slots_free(struct casehook_connector *connector);

/* The same for operations; a driver that keeps them itself gives them back by shrinking them. */
struct casehook__work *casehook__work_take(struct casehook_connector *connector);
void casehook__work_give(struct casehook_connector *connector, struct casehook__work *work);
struct casehook__work *casehook__work_new(struct casehook_connector *connector);
void casehook__work_shrink(struct casehook__work *work);
void casehook__work_free(struct casehook_connector *connector, struct casehook__work *work);

/* NULL: no memory. */
struct casehook__idle *casehook__idle_new(struct casehook__heap *heap);
struct casehook__idle *casehook__idle_ref(struct casehook__idle *all);
void casehook__idle_unref(struct casehook__idle *all);

/* blocking.c: runs the operation that the machine has begun to its end. */
void casehook__drive_blocking(struct casehook_connector *connector, struct casehook__machine *machine);

/* What became of an operation: it is counted, and the log has its lines. */
void casehook__operation_ended(struct casehook_connector *connector, struct casehook_result *result);
/* The operation waits for a time: what its requests came to until now, and how long it waits. */
void casehook__log_wait(const struct casehook_connector *connector, const struct casehook__machine *machine);
/* The request that is under way: DEBUG, it begins; WARNING, it takes long. */
void casehook__log_request(const struct casehook_connector *connector,
                           const struct casehook__machine *machine, int level);
/* log_trace.c: a request that begins, and its answer, whole. */
void casehook__trace_request(const struct casehook_connector *connector,
                             const struct casehook__machine *machine,
                             const struct casehook__request *request);
void casehook__trace_answer(const struct casehook_connector *connector,
                            const struct casehook__machine *machine,
                            const struct casehook__response *response);
/* When a request that begins now takes long. */
int64_t casehook__log_slow_time(const struct casehook_connector *connector);

#endif
