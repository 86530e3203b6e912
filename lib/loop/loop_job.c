/* loop_job.c - one operation of a loop from its beginning to its result. */
#include "loop/loop_private.h"

#include "run/route.h"

/* The result, if there was memory for one, is there: lets go of everything else. */
static void job_finish(struct casehook__job *job)
{
    struct casehook_loop *loop = job->loop;
    pthread_mutex_lock(&loop->lock);
    casehook__ticket_drop(loop, job->ticket);
    loop->accepted--;
    pthread_mutex_unlock(&loop->lock);
    casehook__cancel_remove(job->cancel, &job->waiter);
    casehook_cancel_free(job->cancel);
    job->cancel = NULL;
    casehook__timer_clear(&loop->jobs, &job->timer);
    if (job->state == CASEHOOK__JOB_DELAYED) casehook__jobs_remove(&loop->delayed, job);
    if (job->pool) casehook__pool_leaves(job);
    casehook_connector_unref(job->connector);
    job->connector = NULL;
    casehook__jobs_push(&loop->finished, job);
    job->state = CASEHOOK__JOB_FINISHED;
}

static void leave_slot(struct casehook__job *job)
{
    if (job->slot) casehook__pool_give_slot(job->pool, job->slot);
    job->slot = NULL;
}

static void leave_work(struct casehook__job *job)
{
    if (job->pool && job->work)
        casehook__pool_give_work(job->pool, job->work);
    else
        casehook__work_free(job->connector, job->work);
    job->work = NULL;
}

/* The operation has ended: the machine has its result. */
static void end(struct casehook__job *job)
{
    job->result = casehook__machine_finish(&job->work->machine);
    casehook__operation_ended(job->connector, job->result);
    leave_slot(job);
    leave_work(job);
    job_finish(job);
}

/* Whatever comes next fails instead, until nothing does: a token that is not renewed is no end yet. */
static void fail_next(struct casehook__job *job, const struct casehook__failure *failure)
{
    struct casehook__machine *machine = &job->work->machine;
    while (casehook__machine_next(machine, &job->request) != CASEHOOK__TURN_ENDED)
        casehook__machine_fail(machine, failure);
}

static void end_with_fault(struct casehook__job *job, struct casehook_error *error)
{
    if (job->work) casehook__params_clear(&job->work->machine.params);
    casehook__error_set_step(error, CASEHOOK_STEP_PARAMS);
    casehook__log_fault(job->connector, &job->input, error);
    casehook__call_fault(job->connector->heap, &job->input, error, &job->result);
    leave_work(job);
    job_finish(job);
}

/* ---- where a request goes ---------------------------------------------------------------------- */

/* A client of the pool, or one for a single request that leaves the origins of the configuration. */
static struct casehook__client *find_client(struct casehook__job *job)
{
    size_t i = job->connector->policy_of[job->request.call];
    struct casehook__client **client = &job->pool->groups[job->slot->group].clients[i];
    if (!job->request.configured) return casehook__client_new(job->loop, job->connector, false);
    if (!*client) *client = casehook__client_new(job->loop, job->connector, true);
    return *client;
}

static void job_leave_route(struct casehook__job *job)
{
    if (!job->request.configured && job->client) {
        job->client->last = job->transfer;
        casehook__client_release(job->client);
    }
    job->client = NULL;
    job->transfer = NULL;
}

/* The slot of the request before is used again. */
static bool job_find_route(struct casehook__job *job)
{
    if (!job->slot) job->slot = casehook__pool_take_slot(job->pool);
    if (!job->slot) return false;
    job->client = find_client(job);
    if (job->client &&
        casehook__route_find(job->connector, job->slot, &job->request, &job->transfer) == CASEHOOK_OK)
        return true;
    job_leave_route(job);
    return false;
}

/* ---- requests ---------------------------------------------------------------------------------- */

/* The limit of its request, or before that the time to say that it takes long. */
static void set_request_timer(struct casehook__job *job)
{
    int64_t limit = job->client->ops->limit(job->transfer);
    casehook__timer_set(&job->loop->jobs, &job->timer, job->slow < limit ? job->slow : limit);
}

static const struct casehook__failure out_of_memory = {
    .status = CASEHOOK_E_NO_MEMORY, .message = "out of memory before the request was sent"};

/* False: it has failed already. */
static bool send_request(struct casehook__job *job)
{
    struct casehook__machine *machine = &job->work->machine;
    if (!job_find_route(job)) {
        casehook__machine_fail(machine, &out_of_memory);
        return false;
    }
    casehook__log_request(job->connector, machine, CASEHOOK_LOG_DEBUG);
    casehook__trace_request(job->connector, machine, &job->request);
    if (job->client->ops->start(job->transfer, job->client->transport, &job->request, job->deadline, job)) {
        casehook__client_started(job->client);
        job->slow = casehook__log_slow_time(job->connector);
        set_request_timer(job);
        return true;
    }
    casehook__machine_fail(machine, job->client->ops->failure(job->transfer));
    job_leave_route(job);
    return false;
}

/* Until machine->wake_at others may have slot, place and memory. */
static void delay(struct casehook__job *job)
{
    struct casehook_loop *loop = job->loop;
    struct casehook__machine *machine = &job->work->machine;
    int64_t until = machine->wake_at < job->deadline ? machine->wake_at : job->deadline;
    leave_slot(job);
    casehook__log_wait(job->connector, machine);
    casehook__machine_shrink(machine, 0);
    casehook__pool_leaves(job);
    casehook__jobs_push(&loop->delayed, job);
    job->state = CASEHOOK__JOB_DELAYED;
    if (casehook__machine_waits_for_token(machine) &&
        !casehook__machine_listen(machine, casehook__job_call, job))
        until = loop->now; /* it has come already */
    casehook__timer_set(&loop->jobs, &job->timer, until);
}

static void job_advance(struct casehook__job *job)
{
    enum casehook__turn turn;
    while ((turn = casehook__machine_next(&job->work->machine, &job->request)) == CASEHOOK__TURN_SEND)
        if (send_request(job)) return;
    if (turn == CASEHOOK__TURN_WAIT)
        delay(job);
    else
        end(job);
}

/* Params and machine; false: the job has ended. */
static bool job_prepare(struct casehook__job *job)
{
    struct casehook_error error;
    int status = CASEHOOK_OK;
    casehook__error_init(&error);
    job->work = casehook__pool_take_work(job->pool);
    struct casehook__machine *machine = job->work ? &job->work->machine : NULL;
    if (machine) {
        machine->deadline = job->deadline;
        machine->cancel = job->cancel;
        machine->user = job->input.user;
    } else {
        status = casehook__fail_memory(&error);
    }
    if (!status) status = casehook__input_read(&job->input, &machine->params, &error);
    if (!status && casehook__machine_begin(machine, job->input.operation, false))
        status = casehook__fail_memory(&error);
    if (status) end_with_fault(job, &error);
    return status == CASEHOOK_OK;
}

/* ---- what the loop calls ----------------------------------------------------------------------- */

void casehook__job_enter(struct casehook__job *job)
{
    struct casehook_error error;
    struct casehook__pool *pool = casehook__pool_of(job->loop, job->connector);
    if (pool) {
        casehook__pool_waits(pool, job);
        return;
    }
    casehook__error_init(&error);
    casehook__fail_memory(&error);
    end_with_fault(job, &error);
}

void casehook__job_begin(struct casehook__job *job)
{
    if (job->work || job_prepare(job)) job_advance(job);
}

/* Ends one that waits for its turn, as if its next request had failed: what there was to do is in its result.
 */
static void refuse(struct casehook__job *job, const struct casehook__failure *failure)
{
    casehook__pool_runs(job);
    if (!job->work && !job_prepare(job)) return;
    fail_next(job, failure);
    end(job);
}

/* What came of the request under way goes into the machine. */
static void settle_request(struct casehook__job *job)
{
    const struct casehook__response *response = job->client->ops->response(job->transfer);
    casehook__timer_clear(&job->loop->jobs, &job->timer);
    casehook__client_ended(job->client);
    if (response) {
        casehook__trace_answer(job->connector, &job->work->machine, response);
        casehook__machine_feed(&job->work->machine, response);
    } else
        casehook__machine_fail(&job->work->machine, job->client->ops->failure(job->transfer));
    job_leave_route(job);
}

void casehook__job_answered(struct casehook__job *job)
{
    settle_request(job);
    job_advance(job);
}

void casehook__job_cancel(struct casehook__job *job)
{
    static const struct casehook__failure cancelled = {.status = CASEHOOK_E_CANCELLED,
                                                       .message = "cancelled before the request was sent"};
    if (job->state == CASEHOOK__JOB_WAITING) {
        refuse(job, &cancelled);
        return;
    }
    if (job->state == CASEHOOK__JOB_RUNNING) {
        job->client->ops->cancel(job->transfer);
        settle_request(job);
    }
    fail_next(job, &cancelled);
    end(job);
}

void casehook__job_wake(struct casehook__job *job)
{
    static const struct casehook__failure late = {
        .status = CASEHOOK_E_TIMEOUT, .message = "the deadline of the call passed while it waited"};
    struct casehook_loop *loop = job->loop;
    bool in_time = job->deadline > loop->now;
    struct casehook__pool *pool = in_time ? casehook__pool_of(loop, job->connector) : NULL;
    if (!pool) {
        fail_next(job, in_time ? &out_of_memory : &late);
        end(job);
        return;
    }
    casehook__timer_clear(&loop->jobs, &job->timer);
    casehook__jobs_remove(&loop->delayed, job);
    casehook__pool_waits(pool, job);
}

void casehook__job_expire(struct casehook__job *job)
{
    static const struct casehook__failure late = {
        .status = CASEHOOK_E_TIMEOUT, .message = "the deadline of the call passed before its turn came"};
    if (job->state == CASEHOOK__JOB_WAITING) {
        refuse(job, &late);
        return;
    }
    if (job->slow < job->client->ops->limit(job->transfer)) {
        job->slow = CASEHOOK__NO_DEADLINE;
        casehook__log_request(job->connector, &job->work->machine, CASEHOOK_LOG_WARNING);
        set_request_timer(job);
        return;
    }
    job->client->ops->expire(job->transfer);
    casehook__job_answered(job);
}

/* What was under way is gone with the loop: the log is the last that knows of it. */
static void log_abandoned(struct casehook__job *job)
{
    struct casehook__failure failure = {.status = CASEHOOK_E_CANCELLED};
    struct casehook_error error;
    if (job->transfer) {
        job->client->ops->cancel(job->transfer);
        casehook__client_ended(job->client);
        failure = *job->client->ops->failure(job->transfer);
    }
    if (job->work) {
        failure.message = failure.sent ? "the loop was released before the answer came"
                                       : "the loop was released before the request was sent";
        if (job->transfer)
            casehook__machine_fail(&job->work->machine, &failure);
        else
            fail_next(job, &failure);
        casehook__operation_ended(job->connector, job->work->machine.result);
        return;
    }
    casehook__error_init(&error);
    casehook__fail(&error, CASEHOOK_E_CANCELLED, "the loop was released before its turn came");
    error.outcome = CASEHOOK_OUTCOME_NOT_SENT;
    casehook__log_fault(job->connector, &job->input, &error);
}

void casehook__job_abandon(struct casehook__job *job)
{
    casehook__timer_clear(&job->loop->jobs, &job->timer);
    log_abandoned(job);
    job_leave_route(job);
    if (job->slot) casehook__pool_give_slot(job->pool, job->slot);
    casehook__work_free(job->connector, job->work);
    job->slot = NULL;
    job->work = NULL;
}
