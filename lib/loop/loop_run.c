/* loop_run.c - the turns of a loop: what comes in, who begins, what is due. */
#include "loop/loop_private.h"

#include "base/clock.h"

#define TURN_MS         10  /* after that no further round is begun */
#define ROUNDS_MAX      16  /* of one turn: other things of the host want time too */
#define BEGIN_MAX       128 /* jobs begun in one round */
#define LOOP_LATE_LOOKS 16  /* after the time, as long as each finds something: TLS and headers take a few */

/* Jobs of which other threads have said something, as lists by told_next; a cancelled one is in no other. */
struct told {
    struct casehook__job *cancelled, *called;
};

/* Under the lock. */
static struct told find_told(struct casehook_loop *loop)
{
    struct told told = {NULL, NULL};
    if (!loop->told) return told;
    loop->told = false;
    for (uint32_t i = 0; i < loop->ticket_count; i++) {
        struct casehook__job *job = loop->tickets[i].job;
        if (!job || !(job->cancelled || job->called)) continue;
        struct casehook__job **list = job->cancelled ? &told.cancelled : &told.called;
        job->called = false;
        job->told_next = *list;
        *list = job;
    }
    return told;
}

static struct casehook__job *shift_told(struct casehook__job **list)
{
    struct casehook__job *job = *list;
    if (job) *list = job->told_next;
    return job;
}

/*
 * Before something is ended for the time or a cancel: an answer that lies in its socket counts, the id of a
 * case must not be lost (R1).
 */
static void read_late(struct casehook_loop *loop)
{
    for (int looks = 0; looks < LOOP_LATE_LOOKS; looks++) {
        int events = casehook__clients_poll(loop, 0);
        bool driven = casehook__clients_drive(loop, looks == 0);
        if (!casehook__clients_harvest(loop, casehook__job_answered) && !events && !driven) return;
    }
}

static void take_in(struct casehook_loop *loop)
{
    struct casehook__job *job;
    pthread_mutex_lock(&loop->lock);
    struct casehook__jobs incoming = loop->incoming;
    loop->incoming = (struct casehook__jobs){NULL, NULL};
    struct told told = find_told(loop);
    loop->wakeup_taken |= loop->woken;
    loop->woken = false;
    if (loop->signalled) loop->ops->quiet(loop->backend);
    loop->signalled = false;
    pthread_mutex_unlock(&loop->lock);
    while ((job = casehook__jobs_shift(&incoming)) != NULL) casehook__job_enter(job);
    if (told.cancelled) read_late(loop);
    while ((job = shift_told(&told.cancelled)) != NULL)
        if (job->state != CASEHOOK__JOB_FINISHED) casehook__job_cancel(job);
    while ((job = shift_told(&told.called)) != NULL)
        if (job->state == CASEHOOK__JOB_DELAYED) casehook__job_wake(job);
}

static struct casehook__job *first_due(const struct casehook_loop *loop)
{
    if (casehook__timers_next(&loop->jobs) > loop->now) return NULL;
    return CASEHOOK__OWNER(loop->jobs.first, struct casehook__job, timer);
}

/* Waiting counts: a deadline passes there too.  Before the first one ends, what has come in time is read. */
static void look_at_times(struct casehook_loop *loop)
{
    struct casehook__job *job;
    bool read = false;
    while ((job = first_due(loop)) != NULL) {
        if (job->state == CASEHOOK__JOB_DELAYED)
            casehook__job_wake(job);
        else if (read)
            casehook__job_expire(job);
        else {
            read_late(loop);
            read = true;
        }
    }
}

static void begin_jobs(struct casehook_loop *loop)
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
        look_at_times(loop);
        begin_jobs(loop);
        bool driven = casehook__clients_drive(loop, round == 0);
        bool harvested = casehook__clients_harvest(loop, casehook__job_answered) > 0;
        if (!(driven || harvested) || (loop->finished.first && !eager)) break;
    }
    casehook__pools_rest(loop);
    casehook__clients_reap(loop);
}

int64_t casehook__loop_next_time(const struct casehook_loop *loop)
{
    const int64_t times[] = {casehook__clients_next_time(loop), casehook__timers_next(&loop->jobs),
                             casehook__timers_next(&loop->rests)};
    int64_t time = loop->queue ? loop->now : CASEHOOK__NO_DEADLINE;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        if (times[i] < time) time = times[i];
    return time;
}
