/*
 * group.c - what many threads want at the same moment becomes one transaction.
 *
 * Whoever finds the store free leads: it takes what has gathered, does all of it, commits once, and wakes the
 * others.  Meanwhile the next group gathers, one of which leads then.  So a commit costs the disk once for
 * all of them, and no thread of ours is needed.
 */
#include "outbox/posix.h"

#include "outbox/outbox_private.h"

#include <sched.h>

enum {
    GROUP_JOBS_MAX = 512,
    GROUP_TRIES = 8,
    WAIT_TRIES = 40,
    WAIT_MS = 2,
    TALLY_MS = 1000,
    FEW_UNFINISHED = 256
};

struct casehook__ob_value casehook__ob_number_value(int64_t number)
{
    return (struct casehook__ob_value){CASEHOOK__OB_NUMBER, number, {NULL, 0}};
}

struct casehook__ob_value casehook__ob_bytes_value(struct casehook__ob_text text)
{
    return (struct casehook__ob_value){text.data ? CASEHOOK__OB_BYTES : CASEHOOK__OB_NULL, 0, text};
}

int casehook__ob_run(struct casehook_outbox *outbox, int statement, const struct casehook__ob_value *values,
                     size_t count, struct casehook__ob_rows *rows, struct casehook__ob_fault *fault)
{
    return outbox->store->driver->run(outbox->store, statement, values, count, rows, fault);
}

static int take_numbers(void *user, const struct casehook__ob_value *values, size_t count)
{
    struct casehook__ob_numbers *numbers = user;
    size_t room = sizeof numbers->values / sizeof *numbers->values;
    for (size_t i = 0; i < count && i < room && numbers->rows == 0; i++)
        numbers->values[i] = values[i].number;
    numbers->rows++;
    return CASEHOOK_OK;
}

int casehook__ob_ask(struct casehook_outbox *outbox, int statement, const struct casehook__ob_value *values,
                     size_t count, struct casehook__ob_numbers *numbers, struct casehook__ob_fault *fault)
{
    struct casehook__ob_rows rows = {.take = take_numbers, .user = numbers};
    *numbers = (struct casehook__ob_numbers){.rows = 0};
    return casehook__ob_run(outbox, statement, values, count, &rows, fault);
}

int casehook__ob_promote(struct casehook_outbox *outbox, int64_t case_no, struct casehook__ob_fault *fault)
{
    struct casehook__ob_numbers found;
    const struct casehook__ob_value value = casehook__ob_number_value(case_no);
    int status = CASEHOOK_OK;
    if (case_no == 0) return CASEHOOK_OK;
    /* Locked first: whoever puts one of the same case sees what we did, or we see what was put. */
    if (!outbox->store->driver->alone)
        status = casehook__ob_ask(outbox, CASEHOOK__OB_CASE_LOCK, &value, 1, &found, fault);
    if (!status) status = casehook__ob_ask(outbox, CASEHOOK__OB_PROMOTE, &value, 1, &found, fault);
    if (!status && found.rows)
        casehook__ob_moved(outbox, CASEHOOK_OUTBOX_QUEUED, CASEHOOK_OUTBOX_WAITING, found.values[1]);
    return status;
}

/* ---- numbers ---------------------------------------------------------------------------------------- */

void casehook__ob_moved(struct casehook_outbox *outbox, int from, int to, int64_t bytes)
{
    struct casehook__ob_tally *change = &outbox->change;
    if (from < 0 || from >= CASEHOOK__OB_STATES) return; /* of a database that somebody has written into */
    if (from) {
        change->entries[from]--;
        if (from <= CASEHOOK_OUTBOX_UNKNOWN) change->bytes[from] -= bytes;
    }
    if (to) {
        change->entries[to]++;
        if (to <= CASEHOOK_OUTBOX_UNKNOWN) change->bytes[to] += bytes;
    }
}

static int take_tally(void *user, const struct casehook__ob_value *values, size_t count)
{
    struct casehook__ob_tally *tally = user;
    int64_t state = values[0].number;
    if (count < 3 || state < 0 || state >= CASEHOOK__OB_STATES) return CASEHOOK_OK;
    tally->entries[state] = values[1].number;
    tally->bytes[state] = values[2].number;
    return CASEHOOK_OK;
}

/*
 * What is there, but for what this transaction changes.  Of our own we know it; what others do is looked at
 * once a second, or when somebody wants to know it exactly.
 */
static int read_tally(struct casehook_outbox *outbox, struct casehook__ob_fault *fault)
{
    struct casehook__ob_rows rows = {.take = take_tally, .user = &outbox->total};
    struct casehook__ob_value from = casehook__ob_number_value(outbox->oldest_id);
    struct casehook__ob_numbers oldest = {.rows = 0};
    const int64_t *there = outbox->total.entries;
    memset(&outbox->total, 0, sizeof outbox->total);
    outbox->tally_until = 0;
    int status = casehook__ob_run(outbox, CASEHOOK__OB_TALLY_READ, NULL, 0, &rows, fault);
    int64_t unfinished =
        there[CASEHOOK_OUTBOX_WAITING] + there[CASEHOOK_OUTBOX_QUEUED] + there[CASEHOOK_OUTBOX_SENDING];
    /* Of many: none is before the oldest one, but for what another process has taken up again. */
    if (!status && unfinished > 0)
        status = unfinished <= FEW_UNFINISHED
                     ? casehook__ob_ask(outbox, CASEHOOK__OB_OLDEST_OF_FEW, NULL, 0, &oldest, fault)
                     : casehook__ob_ask(outbox, CASEHOOK__OB_OLDEST, &from, 1, &oldest, fault);
    if (status) return status;
    outbox->oldest_age_ms = oldest.rows ? oldest.values[1] : 0;
    if (outbox->oldest_age_ms < 0) outbox->oldest_age_ms = 0; /* the clock was set back since */
    /* What is before it never waits again, unless a person says so, in decide.c. */
    if (oldest.rows) outbox->oldest_id = oldest.values[0];
    outbox->tally_until = casehook__ob_clock() + TALLY_MS;
    return CASEHOOK_OK;
}

/* What was done counts from now on; or nobody knows. */
static void keep_tally(struct casehook_outbox *outbox, bool done)
{
    if (!done) outbox->tally_until = 0;
    for (int state = 1; done && state < CASEHOOK__OB_STATES; state++) {
        outbox->total.entries[state] += outbox->change.entries[state];
        outbox->total.bytes[state] += outbox->change.bytes[state];
    }
    memset(&outbox->change, 0, sizeof outbox->change);
}

static int write_tally(struct casehook_outbox *outbox, struct casehook__ob_fault *fault)
{
    int status = CASEHOOK_OK;
    for (int state = 1; !status && state < CASEHOOK__OB_STATES; state++) {
        struct casehook__ob_rows rows = {.take = NULL};
        const struct casehook__ob_value values[] = {casehook__ob_number_value(outbox->shard),
                                                    casehook__ob_number_value(state),
                                                    casehook__ob_number_value(outbox->change.entries[state]),
                                                    casehook__ob_number_value(outbox->change.bytes[state])};
        if (!outbox->change.entries[state] && !outbox->change.bytes[state]) continue;
        status = casehook__ob_run(outbox, CASEHOOK__OB_TALLY_ADD, values, 4, &rows, fault);
        if (!status && rows.changed == 0)
            status = casehook__ob_run(outbox, CASEHOOK__OB_TALLY_NEW, values, 4, NULL, fault);
    }
    return status;
}

/* ---- groups ----------------------------------------------------------------------------------------- */

/* Jobs that are one transaction, in their order. */
struct group {
    struct casehook__ob_job *first, **last;
    size_t count;
};

/*
 * What has gathered.  Threads whose jobs have just ended will come back in a moment with other ones: as many
 * as last time are waited for, for much less time than the commit takes that each of them would have of its
 * own.
 */
static bool take_jobs(struct casehook_outbox *outbox, struct group *group, int tries_max)
{
    size_t before = group->count;
    /* Whoever else has the processor meanwhile may keep it for long. */
    int64_t until = tries_max ? casehook__ob_clock() + WAIT_MS : 0;
    for (int tries = 0; group->count == before && group->count < GROUP_JOBS_MAX; tries++) {
        if (tries) sched_yield();
        pthread_mutex_lock(&outbox->lock);
        if (!group->count) outbox->numbers.groups++;
        *group->last = outbox->first;
        while (*group->last && group->count < GROUP_JOBS_MAX) {
            group->last = &(*group->last)->next;
            group->count++;
        }
        outbox->first = *group->last;
        if (!outbox->first) outbox->last = &outbox->first;
        *group->last = NULL;
        pthread_mutex_unlock(&outbox->lock);
        if (group->count >= outbox->usual || tries == tries_max || casehook__ob_clock() >= until) break;
    }
    return group->count > before;
}

static int do_job(struct casehook_outbox *outbox, struct casehook__ob_job *job,
                  struct casehook__ob_fault *fault)
{
    int status = CASEHOOK_OK;
    job->fault.status = CASEHOOK_OK;
    job->tells = false;
    if (job->counts && !outbox->counted) status = read_tally(outbox, fault);
    outbox->counted |= job->counts;
    return status ? status : job->do_it(outbox, job, fault);
}

/* All of them in one transaction, in a file also those that come meanwhile; the status is that of the
 * transaction. */
static int do_jobs(struct casehook_outbox *outbox, struct group *group, struct casehook__ob_fault *fault)
{
    const struct casehook__ob_driver *driver = outbox->store->driver;
    bool tells = false;
    int64_t oldest_id = outbox->oldest_id;
    int status = driver->begin(outbox->store, fault);
    if (status) return status;
    memset(&outbox->change, 0, sizeof outbox->change);
    outbox->counted = casehook__ob_clock() >= outbox->tally_until;
    if (outbox->counted) status = read_tally(outbox, fault);
    for (struct casehook__ob_job **job = &group->first;
         !status && (*job || (driver->alone && take_jobs(outbox, group, WAIT_TRIES))); job = &(*job)->next) {
        status = do_job(outbox, *job, fault);
        tells |= (*job)->tells;
    }
    if (!status) status = write_tally(outbox, fault);
    if (!status && tells) status = driver->notify(outbox->store, fault);
    if (!status)
        status = driver->commit(outbox->store, fault);
    else
        driver->rollback(outbox->store);
    keep_tally(outbox, !status);
    if (status && outbox->oldest_id > oldest_id) outbox->oldest_id = oldest_id;
    return status;
}

static void do_group(struct casehook_outbox *outbox, struct group *group)
{
    struct casehook__ob_fault fault = {.status = CASEHOOK_OK};
    int status = CASEHOOK_OK;
    for (int tries = 0; tries < GROUP_TRIES; tries++) {
        outbox->store->repeats = false;
        status = do_jobs(outbox, group, &fault);
        if (!status || !outbox->store->repeats) break;
    }
    for (struct casehook__ob_job *job = group->first; status && job; job = job->next) job->fault = fault;
}

bool casehook__ob_lead(struct casehook_outbox *outbox)
{
    pthread_mutex_lock(&outbox->lock);
    bool free = !outbox->leading;
    outbox->leading = true;
    pthread_mutex_unlock(&outbox->lock);
    return free;
}

void casehook__ob_lead_no_more(struct casehook_outbox *outbox)
{
    pthread_mutex_lock(&outbox->lock);
    outbox->leading = false;
    pthread_mutex_unlock(&outbox->lock);
    /* Whoever waits has a job to do, and may as well lead. */
    pthread_cond_signal(&outbox->free);
}

/* Does what has gathered, its own job among it, unless so many came before. */
static void lead(struct casehook_outbox *outbox)
{
    bool tells = false;
    struct group group = {.last = &group.first};
    take_jobs(outbox, &group, 0);
    /* Where others lock rows as well, an open transaction waits for nobody: that is done here. */
    int64_t until = casehook__ob_clock() + WAIT_MS;
    while (!outbox->store->driver->alone && group.count < outbox->usual && casehook__ob_clock() < until)
        if (!take_jobs(outbox, &group, WAIT_TRIES)) break;
    do_group(outbox, &group);
    /* What others said meanwhile came with our answers: the descriptor does not tell it any more. */
    if (outbox->store->tells && outbox->store->driver->has_news(outbox->store)) tells = true;
    for (struct casehook__ob_job *job = group.first; job; job = job->next)
        tells |= job->tells && !job->fault.status;
    if (tells) {
        atomic_store(&outbox->has_work, true);
        casehook__ob_watch_wake(outbox);
    }
    outbox->usual = group.count;
    pthread_mutex_lock(&outbox->lock);
    for (struct casehook__ob_job *job = group.first; job; job = job->next) job->ended = true;
    outbox->leading = false;
    pthread_mutex_unlock(&outbox->lock);
    pthread_cond_broadcast(&outbox->free);
}

int casehook__ob_group(struct casehook_outbox *outbox, struct casehook__ob_job *job)
{
    job->ended = false;
    job->next = NULL;
    pthread_mutex_lock(&outbox->lock);
    *outbox->last = job;
    outbox->last = &job->next;
    while (!job->ended) {
        if (outbox->leading) {
            pthread_cond_wait(&outbox->free, &outbox->lock);
            continue;
        }
        outbox->leading = true;
        pthread_mutex_unlock(&outbox->lock);
        lead(outbox);
        pthread_mutex_lock(&outbox->lock);
    }
    pthread_mutex_unlock(&outbox->lock);
    return job->fault.status;
}
