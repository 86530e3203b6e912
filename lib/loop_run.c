/* loop_run.c - the turns of a loop: what comes in, who begins, what is due. */
#include "loop.h"

#include "clock.h"

#define TURN_MS    10  /* after that no further round is begun */
#define ROUNDS_MAX 16  /* of one turn: other things of the host want time too */
#define BEGIN_MAX  128 /* jobs begun in one round */

/* The cancelled ones of all jobs, as a list.  Under the lock. */
static struct casehook__job *find_cancelled(struct casehook_loop *loop)
{
    struct casehook__job *found = NULL;
    loop->cancel_wanted = false;
    for (uint32_t i = 0; i < loop->slot_count; i++) {
        struct casehook__job *job = loop->slots[i].job;
        if (!job || !job->cancelled) continue;
        job->cancel_next = found;
        found = job;
    }
    return found;
}

static void take_in(struct casehook_loop *loop)
{
    struct casehook__job *job, *cancelled = NULL;
    pthread_mutex_lock(&loop->lock);
    struct casehook__jobs incoming = loop->incoming;
    loop->incoming = (struct casehook__jobs){NULL, NULL};
    if (loop->cancel_wanted) cancelled = find_cancelled(loop);
    loop->wakeup_taken |= loop->woken;
    loop->woken = false;
    if (loop->signalled) loop->ops->quiet(loop->backend);
    loop->signalled = false;
    pthread_mutex_unlock(&loop->lock);
    while ((job = casehook__jobs_shift(&incoming)) != NULL) casehook__job_enter(job);
    if (cancelled) { /* an answer that is there already counts: the id of a case must not be lost (R1) */
        casehook__strands_drive(loop, true);
        casehook__strands_harvest(loop);
    }
    while (cancelled) {
        job = cancelled;
        cancelled = job->cancel_next;
        if (job->pool) casehook__job_cancel(job); /* else it has ended */
    }
}

/* Waiting counts: a deadline passes there too. */
static void refuse_late(struct casehook_loop *loop)
{
    static const struct casehook__failure late = {.status = CASEHOOK_E_TIMEOUT,
                                                  .retryable = true,
                                                  .message =
                                                      "the deadline of the call passed before its turn came"};
    if (loop->now < loop->waiting_deadline) return;
    loop->waiting_deadline = CASEHOOK__NO_DEADLINE;
    for (struct casehook__pool *pool = loop->pools; pool; pool = pool->next) {
        struct casehook__job *next;
        for (struct casehook__job *job = pool->waiting.first; job; job = next) {
            next = job->next;
            if (job->deadline <= loop->now)
                casehook__job_refuse(job, &late);
            else if (job->deadline < loop->waiting_deadline)
                loop->waiting_deadline = job->deadline;
        }
    }
}

static void begin(struct casehook_loop *loop)
{
    for (unsigned i = 0; i < BEGIN_MAX; i++) {
        struct casehook__job *job = casehook__pools_next(loop);
        if (!job) return;
        casehook__job_begin(job);
    }
}

void casehook__loop_turn(struct casehook_loop *loop, bool eager)
{
    int64_t begun = casehook__clock_ms();
    for (unsigned round = 0; round < ROUNDS_MAX; round++) {
        loop->now = casehook__clock_ms();
        if (loop->now - begun > TURN_MS) break;
        take_in(loop);
        refuse_late(loop);
        begin(loop);
        bool driven = casehook__strands_drive(loop, round == 0);
        bool harvested = casehook__strands_harvest(loop) > 0;
        if (!(driven || harvested) || (loop->finished.first && !eager)) break;
    }
    casehook__pools_rest(loop);
    casehook__strands_reap(loop);
}

int64_t casehook__loop_next_time(const struct casehook_loop *loop)
{
    int64_t time = casehook__strands_next_time(loop), pools = casehook__pools_next_time(loop);
    if (pools < time) time = pools;
    return loop->waiting_deadline < time ? loop->waiting_deadline : time;
}
