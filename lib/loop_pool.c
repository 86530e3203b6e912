/* loop_pool.c - the lanes and wires of each connector: how many run, who is next, when they are closed. */
#include "loop.h"

#define CROWD_REST_MS 1000 /* more idle connections than maxIdleConnections live no longer than this */

/* ---- lists of jobs ----------------------------------------------------------------------------- */

void casehook__jobs_push(struct casehook__jobs *jobs, struct casehook__job *job)
{
    job->next = NULL;
    job->previous = jobs->last;
    if (jobs->last)
        jobs->last->next = job;
    else
        jobs->first = job;
    jobs->last = job;
}

static void jobs_remove(struct casehook__jobs *jobs, struct casehook__job *job)
{
    if (job->previous)
        job->previous->next = job->next;
    else
        jobs->first = job->next;
    if (job->next)
        job->next->previous = job->previous;
    else
        jobs->last = job->previous;
    job->next = job->previous = NULL;
}

struct casehook__job *casehook__jobs_shift(struct casehook__jobs *jobs)
{
    struct casehook__job *job = jobs->first;
    if (job) jobs_remove(jobs, job);
    return job;
}

/* ---- pools ------------------------------------------------------------------------------------- */

struct casehook__pool *casehook__pool_of(struct casehook_loop *loop, struct casehook_connector *connector)
{
    struct casehook__pool *pool = loop->pools;
    while (pool && pool->connector != connector) pool = pool->next;
    if (pool) return pool;
    pool = casehook__calloc(loop->heap, 1, sizeof *pool);
    if (!pool) return NULL;
    pool->loop = loop;
    pool->connector = casehook_connector_ref(connector);
    pool->rest_until = CASEHOOK__NO_DEADLINE;
    pool->next = loop->pools;
    loop->pools = pool;
    return pool;
}

void casehook__pool_free(struct casehook_loop *loop, struct casehook__pool *pool)
{
    struct casehook__job *job;
    while ((job = casehook__jobs_shift(&pool->waiting)) != NULL) casehook__job_free(job);
    while ((job = casehook__jobs_shift(&pool->running)) != NULL) {
        casehook__job_abandon(job);
        casehook__job_free(job);
    }
    while (pool->idle) {
        struct casehook__lane *lane = pool->idle;
        pool->idle = lane->next;
        casehook__lane_free(pool->connector, lane);
    }
    for (size_t i = 0; i < pool->shard_count * CASEHOOK__CALLS; i++)
        casehook__strand_free(pool->shards[i / CASEHOOK__CALLS].strands[i % CASEHOOK__CALLS]);
    casehook__free(loop->heap, pool->shards);
    casehook_connector_unref(pool->connector);
    casehook__free(loop->heap, pool);
}

static struct casehook__lane *new_lane(struct casehook__pool *pool)
{
    uint32_t shard = pool->lane_count / CASEHOOK__SHARD_LANES;
    if (shard == pool->shard_count) {
        void *grown = casehook__realloc(pool->loop->heap, pool->shards, (shard + 1) * sizeof *pool->shards);
        if (!grown) return NULL;
        pool->shards = grown;
        pool->shards[pool->shard_count++] = (struct casehook__shard){{NULL}};
    }
    struct casehook__lane *lane = casehook__lane_new(pool->connector);
    if (!lane) return NULL;
    lane->shard = shard;
    pool->lane_count++;
    return lane;
}

struct casehook__lane *casehook__pool_take_lane(struct casehook__pool *pool)
{
    struct casehook__lane *lane = pool->idle;
    if (!lane) return new_lane(pool);
    pool->idle = lane->next;
    return lane;
}

/* There are never many more than may run: those that end a waiting job come back at once. */
void casehook__pool_give_lane(struct casehook__pool *pool, struct casehook__lane *lane)
{
    casehook__lane_shrink(lane);
    lane->next = pool->idle;
    pool->idle = lane;
}

/* ---- whose turn it is -------------------------------------------------------------------------- */

static void enqueue(struct casehook__pool *pool)
{
    struct casehook_loop *loop = pool->loop;
    if (pool->queued || !pool->waiting.first || pool->running_count >= loop->max_connections) return;
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
    casehook__jobs_push(&pool->waiting, job);
    if (job->deadline < pool->loop->waiting_deadline) pool->loop->waiting_deadline = job->deadline;
    pool->rest_until = CASEHOOK__NO_DEADLINE;
    enqueue(pool);
}

void casehook__pool_runs(struct casehook__job *job)
{
    struct casehook__pool *pool = job->pool;
    jobs_remove(&pool->waiting, job);
    casehook__jobs_push(&pool->running, job);
    pool->running_count++;
    if (pool->running_count > pool->peak) pool->peak = pool->running_count;
}

static void rest(struct casehook__pool *pool)
{
    const struct casehook__settings *settings = pool->connector->settings;
    int64_t time = settings->idle_timeout_ms;
    if (pool->peak > settings->max_idle_connections && time > CROWD_REST_MS) time = CROWD_REST_MS;
    if (settings->max_idle_connections == 0) time = 0;
    pool->rest_until = pool->loop->now + time;
}

void casehook__pool_leaves(struct casehook__job *job)
{
    struct casehook__pool *pool = job->pool;
    jobs_remove(&pool->running, job);
    pool->running_count--;
    job->pool = NULL;
    enqueue(pool);
    if (!pool->running.first && !pool->waiting.first) rest(pool);
}

struct casehook__job *casehook__pools_next(struct casehook_loop *loop)
{
    while (loop->queue) {
        struct casehook__pool *pool = loop->queue;
        loop->queue = pool->queue_next;
        pool->queued = false;
        struct casehook__job *job = pool->waiting.first;
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
    struct casehook__pool **link = &loop->pools;
    while (*link) {
        struct casehook__pool *pool = *link;
        if (pool->rest_until > loop->now) {
            link = &pool->next;
            continue;
        }
        *link = pool->next;
        unqueue(pool);
        casehook__pool_free(loop, pool);
    }
}

int64_t casehook__pools_next_time(const struct casehook_loop *loop)
{
    int64_t time = loop->queue ? loop->now : CASEHOOK__NO_DEADLINE;
    for (const struct casehook__pool *pool = loop->pools; pool; pool = pool->next)
        if (pool->rest_until < time) time = pool->rest_until;
    return time;
}
