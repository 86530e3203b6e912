/* slot.c - slots and operations of connectors: taken when needed, kept warm, let go of when idle for long. */
#include "base/posix.h"

#include "run/connector.h"

#include "base/clock.h"
#include "base/sigpipe.h"

#include <unistd.h>

bool casehook__connector_is_here(const struct casehook_connector *connector)
{
    return connector->process == getpid();
}

#define KEPT_BYTES (256 * 1024) /* a larger buffer is not kept for the next operation */
#define CLOSE_MAX  2            /* slots closed by one call: more than it adds, not so many that it is felt */

/* ---- one slot ---------------------------------------------------------------------------------- */

/* In a child process the connections are still the parent's: closing them properly would end them there. */
void casehook__slot_free(struct casehook_connector *connector, struct casehook__slot *slot)
{
    bool here = casehook__connector_is_here(connector);
    struct casehook__pipe_guard guard;
    if (here) casehook__pipe_guard(&guard);
    /* TLS may call back into the transfer that made a connection until that is closed. */
    for (size_t i = 0; i < CASEHOOK__CALLS && here; i++) connector->ops->close(slot->transports[i]);
    for (size_t i = 0; i < CASEHOOK__CALLS && here; i++) connector->ops->transfer_free(slot->transfers[i]);
    if (here) casehook__pipe_unguard(&guard);
    casehook__free(connector->heap, slot);
}

struct casehook__slot *casehook__slot_new(struct casehook_connector *connector)
{
    return casehook__calloc(connector->heap, 1, sizeof(struct casehook__slot));
}

void casehook__slot_shrink(const struct casehook_connector *connector, struct casehook__slot *slot)
{
    for (size_t i = 0; i < CASEHOOK__CALLS; i++) connector->ops->shrink(slot->transfers[i], KEPT_BYTES);
}

/* ---- what one operation works with ------------------------------------------------------------- */

void casehook__work_free(struct casehook_connector *connector, struct casehook__work *work)
{
    if (!work) return;
    casehook__machine_free(&work->machine);
    casehook__free(connector->heap, work);
}

struct casehook__work *casehook__work_new(struct casehook_connector *connector)
{
    struct casehook__work *work = casehook__alloc(connector->heap, sizeof *work);
    if (!work) return NULL;
    work->next = NULL;
    casehook__machine_init(&work->machine, connector->heap, &connector->context);
    return work;
}

void casehook__work_shrink(struct casehook__work *work)
{
    casehook__machine_shrink(&work->machine, KEPT_BYTES);
    if (work->machine.params.store.capacity > KEPT_BYTES) casehook__buf_free(&work->machine.params.store);
}

/* ---- idle slots -------------------------------------------------------------------------------- */

struct casehook__idle *casehook__idle_new(struct casehook__heap *heap)
{
    struct casehook__idle *all = casehook__calloc(heap, 1, sizeof *all);
    if (!all) return NULL;
    if (pthread_mutex_init(&all->lock, NULL)) {
        casehook__free(heap, all);
        return NULL;
    }
    all->heap = casehook__heap_ref(heap);
    atomic_init(&all->references, 1);
    all->process = getpid();
    return all;
}

struct casehook__idle *casehook__idle_ref(struct casehook__idle *all)
{
    atomic_fetch_add_explicit(&all->references, 1, memory_order_relaxed);
    return all;
}

void casehook__idle_unref(struct casehook__idle *all)
{
    if (!all || atomic_fetch_sub_explicit(&all->references, 1, memory_order_acq_rel) != 1) return;
    struct casehook__heap *heap = all->heap;
    pthread_mutex_destroy(&all->lock);
    casehook__free(heap, all);
    casehook__heap_unref(heap);
}

/* The functions up to the next line are called under the lock. */

/*
 * The list is ordered by expiry.  A new slot normally goes to the end; it does not if connectors were made
 * with different idleTimeouts.
 */
static void push(struct casehook__slot *slot)
{
    struct casehook_connector *connector = slot->connector;
    struct casehook__idle *all = connector->all_idle;
    slot->next = connector->idle;
    connector->idle = slot;
    connector->idle_count++;
    struct casehook__slot *before = all->last;
    while (before && before->until > slot->until) before = before->before;
    slot->before = before;
    slot->behind = before ? before->behind : all->first;
    *(before ? &before->behind : &all->first) = slot;
    *(slot->behind ? &slot->behind->before : &all->last) = slot;
}

static void unlink_time(struct casehook__idle *all, struct casehook__slot *slot)
{
    *(slot->before ? &slot->before->behind : &all->first) = slot->behind;
    *(slot->behind ? &slot->behind->before : &all->last) = slot->before;
}

static struct casehook__slot *pop(struct casehook_connector *connector)
{
    struct casehook__slot *slot = connector->idle;
    if (!slot) return NULL;
    connector->idle = slot->next;
    connector->idle_count--;
    unlink_time(connector->all_idle, slot);
    return slot;
}

static struct casehook__work *pop_warm(struct casehook_connector *connector)
{
    struct casehook__work *work = connector->warm;
    if (!work) return NULL;
    connector->warm = work->next;
    connector->warm_count--;
    return work;
}

/* The slot that expires first of all is also the tail of its connector's list. */
static void close_first(struct casehook__idle *all)
{
    struct casehook__slot *slot = all->first;
    struct casehook_connector *connector = slot->connector;
    struct casehook__slot **last = &connector->idle;
    while (*last != slot) last = &(*last)->next;
    *last = slot->next; /* none, with one idleTimeout for all */
    connector->idle_count--;
    unlink_time(all, slot);
    casehook__slot_free(connector, slot);
    if (connector->warm_count > connector->idle_count) casehook__work_free(connector, pop_warm(connector));
}

/* ------------------------------------------------------------------------------------------------ */

struct casehook__slot *casehook__slot_take(struct casehook_connector *connector)
{
    pthread_mutex_lock(&connector->all_idle->lock);
    struct casehook__slot *slot = pop(connector);
    pthread_mutex_unlock(&connector->all_idle->lock);
    return slot ? slot : casehook__slot_new(connector);
}

/* The last one given back is the first one taken: its connection is the freshest. */
void casehook__slot_give(struct casehook_connector *connector, struct casehook__slot *slot)
{
    struct casehook__idle *all = connector->all_idle;
    casehook__slot_shrink(connector, slot);
    slot->connector = connector;
    pthread_mutex_lock(&all->lock);
    int64_t now = casehook__clock_ms();
    slot->until = now + connector->context.settings->idle_timeout_ms;
    bool keep = connector->idle_count < connector->context.settings->max_idle_connections;
    if (keep) push(slot);
    for (int i = 0; i < CLOSE_MAX && all->first && all->first->until <= now; i++) close_first(all);
    pthread_mutex_unlock(&all->lock);
    if (!keep) casehook__slot_free(connector, slot);
}

struct casehook__work *casehook__work_take(struct casehook_connector *connector)
{
    pthread_mutex_lock(&connector->all_idle->lock);
    struct casehook__work *work = pop_warm(connector);
    pthread_mutex_unlock(&connector->all_idle->lock);
    return work ? work : casehook__work_new(connector);
}

void casehook__work_give(struct casehook_connector *connector, struct casehook__work *work)
{
    casehook__work_shrink(work);
    pthread_mutex_lock(&connector->all_idle->lock);
    bool keep = connector->warm_count < connector->idle_count;
    if (keep) {
        work->next = connector->warm;
        connector->warm = work;
        connector->warm_count++;
    }
    pthread_mutex_unlock(&connector->all_idle->lock);
    if (!keep) casehook__work_free(connector, work);
}

/* In a child process the lock may be held by a thread that is not there, and the lists be half changed. */
void casehook__slots_free(struct casehook_connector *connector)
{
    pthread_mutex_t *lock = &connector->all_idle->lock;
    bool here = casehook__connector_is_here(connector);
    struct casehook__slot *slot;
    struct casehook__work *work;
    if (here ? pthread_mutex_lock(lock) : pthread_mutex_trylock(lock)) return;
    while ((slot = pop(connector)) != NULL) casehook__slot_free(connector, slot);
    while ((work = pop_warm(connector)) != NULL) casehook__work_free(connector, work);
    pthread_mutex_unlock(lock);
}
