/* loop_submit.c - what other threads do: hand operations over, cancel them by ticket or by handle. */
#include "base/posix.h"

#include "loop/loop_private.h"

#include "base/clock.h"

#include <unistd.h>

/* ---- cancelling -------------------------------------------------------------------------------- */

static void mark_cancelled(struct casehook__job *job)
{
    job->cancelled = true;
    job->loop->told = true;
    casehook__loop_signal(job->loop);
}

void casehook__job_call(void *user)
{
    struct casehook__job *job = user;
    pthread_mutex_lock(&job->loop->lock);
    job->called = job->loop->told = true;
    casehook__loop_signal(job->loop);
    pthread_mutex_unlock(&job->loop->lock);
}

/* Called by casehook_cancel_set(), in a child process too. */
static void wake_job(void *user)
{
    struct casehook__job *job = user;
    if (job->loop->process != getpid()) return; /* the descriptors are the parent's too */
    pthread_mutex_lock(&job->loop->lock);
    mark_cancelled(job);
    pthread_mutex_unlock(&job->loop->lock);
}

int casehook_loop_cancel(struct casehook_loop *loop, uint64_t ticket)
{
    if (!loop) return CASEHOOK_E_ARGUMENT;
    if (loop->process != getpid()) return CASEHOOK_E_FORKED;
    pthread_mutex_lock(&loop->lock);
    struct casehook__ticket_entry *entry = casehook__ticket_find(loop, ticket);
    if (entry) mark_cancelled(entry->job);
    pthread_mutex_unlock(&loop->lock);
    return entry ? CASEHOOK_OK : CASEHOOK_E_ARGUMENT;
}

/* ---- submitting -------------------------------------------------------------------------------- */

static int accept_job(struct casehook_loop *loop, struct casehook__job *job, uint64_t *ticket)
{
    int status = CASEHOOK_OK;
    pthread_mutex_lock(&loop->lock);
    if (loop->accepted >= loop->max_operations) {
        status = CASEHOOK_E_BUSY;
    } else if (!casehook__ticket_take(loop, job)) {
        status = CASEHOOK_E_NO_MEMORY;
    } else {
        loop->accepted++;
        atomic_fetch_add_explicit(&loop->pending, 1, memory_order_relaxed);
        casehook__jobs_push(&loop->incoming, job);
        if (ticket) *ticket = job->ticket; /* now: the next moment the job may be gone */
        if (casehook__cancel_is_set(job->cancel)) job->cancelled = true;
        loop->told |= job->cancelled;
        casehook__loop_signal(loop);
    }
    pthread_mutex_unlock(&loop->lock);
    return status;
}

/* A job and what it was given, in one block. */
static int make_job(struct casehook_loop *loop, const struct casehook__input *input,
                    struct casehook__job **out, struct casehook_error *error)
{
    struct casehook__input copy;
    void *block;
    int status = casehook__input_copy(loop->heap, input, sizeof(struct casehook__job), &block, &copy, error);
    if (status) return status;
    struct casehook__job *job = block;
    memset(job, 0, sizeof *job);
    job->input = copy;
    *out = job;
    return CASEHOOK_OK;
}

static bool is_full(struct casehook_loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    bool full = loop->accepted >= loop->max_operations;
    pthread_mutex_unlock(&loop->lock);
    return full;
}

static int fail_busy(const struct casehook_loop *loop, struct casehook_error *error)
{
    return casehook__fail(
        error, CASEHOOK_E_BUSY,
        "the loop has %u operations that have not ended, and takes no more: see max_operations",
        loop->max_operations);
}

/* Everything but the copy. */
static int check_submission(struct casehook_loop *loop, const struct casehook_connector *connector,
                            const struct casehook__input *input, const struct casehook_options *given,
                            struct casehook_options *options, struct casehook_error *error)
{
    if (!loop) return casehook__fail(error, CASEHOOK_E_ARGUMENT, "loop is NULL");
    int status = casehook__call_check(connector, input->operation, error);
    /* The connector is of this process: one look at its number is enough. */
    if (!status && loop->process != connector->process)
        status = casehook__fail(error, CASEHOOK_E_FORKED,
                                "this loop was made before fork(): make one in the child process");
    if (!status) status = casehook__options_read(given, options, error);
    if (!status && is_full(loop)) status = fail_busy(loop, error); /* before the work of copying */
    return status;
}

static int submit_job(struct casehook_loop *loop, struct casehook_connector *connector,
                      struct casehook__input *input, const struct casehook_options *given, uint64_t *ticket,
                      struct casehook_error *error)
{
    struct casehook_options options = {0};
    struct casehook__job *job = NULL;
    int status = check_submission(loop, connector, input, given, &options, error);
    if (status) return status;
    input->user = options.user;
    status = make_job(loop, input, &job, error);
    if (status) return status;
    job->loop = loop;
    job->connector = casehook_connector_ref(connector);
    job->deadline = casehook__options_deadline(&options);
    job->cancel = casehook__cancel_ref(options.cancel);
    job->waiter = (struct casehook__cancel_waiter){.wake = wake_job, .user = job};
    casehook__cancel_add(job->cancel, &job->waiter);
    status = accept_job(loop, job, ticket);
    if (status) casehook__job_free(job);
    if (status == CASEHOOK_E_BUSY) fail_busy(loop, error);
    if (status == CASEHOOK_E_NO_MEMORY) casehook__fail_memory(error);
    return status;
}

static int submit(struct casehook_loop *loop, struct casehook_connector *connector,
                  struct casehook__input *input, const struct casehook_options *options, uint64_t *ticket,
                  struct casehook_error **given)
{
    struct casehook_error error;
    casehook__error_init(&error);
    if (ticket) *ticket = 0;
    if (given) *given = NULL;
    if (submit_job(loop, connector, input, options, ticket, &error) == CASEHOOK_OK) return CASEHOOK_OK;
    return casehook__call_refuse(loop ? loop->heap : NULL, &error, given);
}

int casehook_loop_submit(struct casehook_loop *loop, struct casehook_connector *connector, int operation,
                         const struct casehook_params *params, const struct casehook_options *options,
                         uint64_t *ticket, struct casehook_error **error)
{
    struct casehook__input input = {.operation = operation, .params = params};
    return submit(loop, connector, &input, options, ticket, error);
}

int casehook_loop_submit_json(struct casehook_loop *loop, struct casehook_connector *connector, int operation,
                              const char *json, size_t length, const struct casehook_options *options,
                              uint64_t *ticket, struct casehook_error **error)
{
    struct casehook__input input = {.operation = operation, .json = json, .length = length};
    return submit(loop, connector, &input, options, ticket, error);
}
