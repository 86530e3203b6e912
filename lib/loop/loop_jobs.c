/* loop_jobs.c - jobs, their lists and their tickets, and the signal that there are new ones. */
#include "base/posix.h"

#include "loop/loop_private.h"

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

void casehook__jobs_remove(struct casehook__jobs *jobs, struct casehook__job *job)
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
    if (job) casehook__jobs_remove(jobs, job);
    return job;
}

/* ---- tickets: the serial in the upper half, index + 1 of the entry in the lower ----------------- */

static bool grow_tickets(struct casehook_loop *loop)
{
    uint32_t count = loop->max_operations;
    if (loop->ticket_count < count / 2) count = loop->ticket_count ? loop->ticket_count * 2 : 64;
    if (count > loop->max_operations) count = loop->max_operations;
    void *tickets = casehook__realloc(loop->heap, loop->tickets, count * sizeof *loop->tickets);
    if (!tickets) return false;
    loop->tickets = tickets;
    for (uint32_t i = loop->ticket_count; i < count; i++) {
        loop->tickets[i] = (struct casehook__ticket_entry){.next_free = loop->free_ticket};
        loop->free_ticket = i + 1;
    }
    loop->ticket_count = count;
    return true;
}

bool casehook__ticket_take(struct casehook_loop *loop, struct casehook__job *job)
{
    if (!loop->free_ticket && !grow_tickets(loop)) return false;
    uint32_t index = loop->free_ticket - 1;
    struct casehook__ticket_entry *entry = &loop->tickets[index];
    loop->free_ticket = entry->next_free;
    entry->job = job;
    entry->serial++;
    job->ticket = (uint64_t)entry->serial << 32 | (index + 1);
    return true;
}

struct casehook__ticket_entry *casehook__ticket_find(struct casehook_loop *loop, uint64_t ticket)
{
    uint32_t index = (uint32_t)ticket - 1;
    if (index >= loop->ticket_count) return NULL;
    struct casehook__ticket_entry *entry = &loop->tickets[index];
    return entry->job && entry->job->ticket == ticket ? entry : NULL;
}

void casehook__ticket_drop(struct casehook_loop *loop, uint64_t ticket)
{
    struct casehook__ticket_entry *entry = casehook__ticket_find(loop, ticket);
    entry->job = NULL;
    entry->next_free = loop->free_ticket;
    loop->free_ticket = (uint32_t)ticket;
}

/* ---- one job ----------------------------------------------------------------------------------- */

void casehook__job_free(struct casehook__job *job)
{
    casehook__timer_clear(&job->loop->jobs, &job->timer);
    casehook__cancel_remove(job->cancel, &job->waiter);
    casehook_cancel_free(job->cancel);
    casehook_connector_unref(job->connector);
    casehook_result_free(job->result);
    casehook__free(job->loop->heap, job);
}

void casehook__loop_signal(struct casehook_loop *loop)
{
    if (loop->signalled || !(loop->sleeping || loop->descriptor_used)) return;
    loop->signalled = true;
    loop->ops->signal(loop->backend);
}
