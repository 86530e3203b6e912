/* loop_pool.c - the slots and transports of each connector: how many run, who is next, when they are closed.
 */
#include "loop/loop_private.h"

#define POOL_LISTS_FIRST 16   /* and powers of two */
#define CROWD_REST_MS    1000 /* more idle connections than maxIdleConnections live no longer than this */

/* ---- pools ------------------------------------------------------------------------------------- */

static struct casehook__pool **pool_list_of(const struct casehook_loop *loop,
                                            const struct casehook_connector *connector)
{
    uintptr_t number = (uintptr_t)connector / sizeof(void *) / 2; /* what malloc aligns to says nothing */
    return &loop->pools[(number ^ number / 1024) & (loop->pool_lists - 1)];
}

/* Longer lists are no harm: without memory for more of them the old ones stay. */
static bool grow_lists(struct casehook_loop *loop)
{
    uint32_t count = loop->pool_lists ? loop->pool_lists * 2 : POOL_LISTS_FIRST;
    struct casehook__pool **lists = casehook__calloc(loop->heap, count, sizeof(struct casehook__pool *)),
                          **old = loop->pools;
    uint32_t old_count = loop->pool_lists;
    if (!lists) return loop->pools != NULL;
    loop->pools = lists;
    loop->pool_lists = count;
    for (uint32_t i = 0; i < old_count; i++) {
        while (old[i]) {
            struct casehook__pool *pool = old[i], **list = pool_list_of(loop, pool->connector);
            old[i] = pool->next;
            pool->next = *list;
            *list = pool;
        }
    }
    casehook__free(loop->heap, old);
    return true;
}

static struct casehook__pool *pool_new(struct casehook_loop *loop, struct casehook_connector *connector)
{
    if (loop->pool_count >= loop->pool_lists && !grow_lists(loop)) return NULL;
    struct casehook__pool *pool = casehook__calloc(loop->heap, 1, sizeof *pool);
    if (!pool) return NULL;
    struct casehook__pool **list = pool_list_of(loop, connector);
    pool->loop = loop;
    pool->connector = casehook_connector_ref(connector);
    pool->next = *list;
    *list = pool;
    loop->pool_count++;
    return pool;
}

struct casehook__pool *casehook__pool_of(struct casehook_loop *loop, struct casehook_connector *connector)
{
    struct casehook__pool *pool = loop->pools ? *pool_list_of(loop, connector) : NULL;
    while (pool && pool->connector != connector) pool = pool->next;
    return pool ? pool : pool_new(loop, connector);
}

static struct casehook__work *pool_pop_warm(struct casehook__pool *pool)
{
    struct casehook__work *work = pool->warm;
    if (!work) return NULL;
    pool->warm = work->next;
    pool->warm_count--;
    return work;
}

/* No job is in it. */
static void pool_free(struct casehook_loop *loop, struct casehook__pool *pool)
{
    struct casehook__pool **link = pool_list_of(loop, pool->connector);
    while (*link != pool) link = &(*link)->next;
    *link = pool->next;
    loop->pool_count--;
    casehook__timer_clear(&loop->rests, &pool->rest);
    for (size_t i = 0; i < pool->group_count * CASEHOOK__CALLS; i++)
        casehook__client_free(pool->groups[i / CASEHOOK__CALLS].clients[i % CASEHOOK__CALLS]);
    while (pool->idle) {
        struct casehook__slot *slot = pool->idle;
        pool->idle = slot->next;
        casehook__slot_free(pool->connector, slot);
    }
    while (pool->warm) casehook__work_free(pool->connector, pool_pop_warm(pool));
    casehook__free(loop->heap, pool->groups);
    casehook_connector_unref(pool->connector);
    casehook__free(loop->heap, pool);
}

struct casehook__job *casehook__pools_shift(struct casehook_loop *loop)
{
    struct casehook__job *job = NULL;
    for (uint32_t i = 0; i < loop->pool_lists && !job; i++) {
        for (struct casehook__pool *pool = loop->pools[i]; pool && !job; pool = pool->next) {
            job = casehook__jobs_shift(&pool->resuming);
            if (!job) job = casehook__jobs_shift(&pool->waiting);
            if (!job) job = casehook__jobs_shift(&pool->running);
        }
    }
    return job;
}

void casehook__pools_free(struct casehook_loop *loop)
{
    for (uint32_t i = 0; i < loop->pool_lists; i++)
        while (loop->pools[i]) pool_free(loop, loop->pools[i]);
}

static struct casehook__slot *new_slot(struct casehook__pool *pool)
{
    uint32_t group = pool->slot_count / CASEHOOK__GROUP_SLOTS;
    if (group == pool->group_count) {
        void *grown = casehook__realloc(pool->loop->heap, pool->groups, (group + 1) * sizeof *pool->groups);
        if (!grown) return NULL;
        pool->groups = grown;
        pool->groups[pool->group_count++] = (struct casehook__client_group){{NULL}};
    }
    struct casehook__slot *slot = casehook__slot_new(pool->connector);
    if (!slot) return NULL;
    slot->group = group;
    pool->slot_count++;
    return slot;
}

struct casehook__slot *casehook__pool_take_slot(struct casehook__pool *pool)
{
    struct casehook__slot *slot = pool->idle;
    if (!slot) return new_slot(pool);
    pool->idle = slot->next;
    return slot;
}

/* There are never many more than may run: those that end a waiting job come back at once. */
void casehook__pool_give_slot(struct casehook__pool *pool, struct casehook__slot *slot)
{
    casehook__slot_shrink(pool->connector, slot);
    slot->next = pool->idle;
    pool->idle = slot;
}

struct casehook__work *casehook__pool_take_work(struct casehook__pool *pool)
{
    struct casehook__work *work = pool_pop_warm(pool);
    return work ? work : casehook__work_new(pool->connector);
}

/* Of many that had to wait for a time no more are kept than may run. */
void casehook__pool_give_work(struct casehook__pool *pool, struct casehook__work *work)
{
    if (pool->warm_count >= pool->slot_count) {
        casehook__work_free(pool->connector, work);
        return;
    }
    casehook__work_shrink(work);
    work->next = pool->warm;
    pool->warm = work;
    pool->warm_count++;
}

/* ---- whose turn it is -------------------------------------------------------------------------- */

static struct casehook__jobs *waiting_list_of(struct casehook__pool *pool, const struct casehook__job *job)
{
    return job->work ? &pool->resuming : &pool->waiting;
}

static struct casehook__job *first_waiting(const struct casehook__pool *pool)
{
    return pool->resuming.first ? pool->resuming.first : pool->waiting.first;
}

static void enqueue(struct casehook__pool *pool)
{
    struct casehook_loop *loop = pool->loop;
    if (pool->queued || !first_waiting(pool) || pool->running_count >= loop->max_connections) return;
    pool->queued = true;
    pool->queue_next = NULL;
    if (loop->queue)
        loop->queue_last->queue_next = pool;
    else
        loop->queue = pool;
    loop->queue_last = pool;
}

void casehook__pool_waits(struct casehook__pool *pool, struct casehook__job *job)
{
    job->pool = pool;
    job->state = CASEHOOK__JOB_WAITING;
    casehook__jobs_push(waiting_list_of(pool, job), job);
    if (job->deadline != CASEHOOK__NO_DEADLINE)
        casehook__timer_set(&pool->loop->jobs, &job->timer, job->deadline);
    casehook__timer_clear(&pool->loop->rests, &pool->rest);
    enqueue(pool);
}

void casehook__pool_runs(struct casehook__job *job)
{
    struct casehook__pool *pool = job->pool;
    casehook__timer_clear(&pool->loop->jobs, &job->timer);
    casehook__jobs_remove(waiting_list_of(pool, job), job);
    casehook__jobs_push(&pool->running, job);
    job->state = CASEHOOK__JOB_RUNNING;
    pool->running_count++;
    if (pool->running_count > pool->peak) pool->peak = pool->running_count;
}

static void rest(struct casehook__pool *pool)
{
    const struct casehook__settings_snapshot *settings = pool->connector->context.settings;
    int64_t time = settings->idle_timeout_ms;
    if (pool->peak > settings->max_idle_connections && time > CROWD_REST_MS) time = CROWD_REST_MS;
    if (settings->max_idle_connections == 0) time = 0;
    casehook__timer_set(&pool->loop->rests, &pool->rest, pool->loop->now + time);
}

void casehook__pool_leaves(struct casehook__job *job)
{
    struct casehook__pool *pool = job->pool;
    casehook__jobs_remove(&pool->running, job);
    pool->running_count--;
    job->pool = NULL;
    enqueue(pool);
    if (!pool->running.first && !first_waiting(pool)) rest(pool);
}

struct casehook__job *casehook__pools_next(struct casehook_loop *loop)
{
    while (loop->queue) {
        struct casehook__pool *pool = loop->queue;
        loop->queue = pool->queue_next;
        pool->queued = false;
        struct casehook__job *job = first_waiting(pool);
        if (!job || pool->running_count >= loop->max_connections) continue;
        casehook__pool_runs(job);
        enqueue(pool);
        return job;
    }
    return NULL;
}

/* ---- rest -------------------------------------------------------------------------------------- */

static void unqueue(struct casehook__pool *pool)
{
    struct casehook_loop *loop = pool->loop;
    struct casehook__pool *before = NULL;
    if (!pool->queued) return;
    for (struct casehook__pool *at = loop->queue; at != pool; at = at->queue_next) before = at;
    if (before)
        before->queue_next = pool->queue_next;
    else
        loop->queue = pool->queue_next;
    if (loop->queue_last == pool) loop->queue_last = before;
}

void casehook__pools_rest(struct casehook_loop *loop)
{
    while (casehook__timers_next(&loop->rests) <= loop->now) {
        struct casehook__pool *pool = CASEHOOK__OWNER(loop->rests.first, struct casehook__pool, rest);
        unqueue(pool);
        pool_free(loop, pool);
    }
}
