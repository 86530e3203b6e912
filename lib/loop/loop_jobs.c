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

/* ---- tickets: the serial in the upper half, index + 1 of the slot in the lower ----------------- */

static bool grow_slots(struct casehook_loop *loop)
{
    uint32_t count = loop->max_operations;
    if (loop->slot_count < count / 2) count = loop->slot_count ? loop->slot_count * 2 : 64;
    if (count > loop->max_operations) count = loop->max_operations;
    void *slots = casehook__realloc(loop->heap, loop->slots, count * sizeof *loop->slots);
    if (!slots) return false;
    loop->slots = slots;
    for (uint32_t i = loop->slot_count; i < count; i++) {
        loop->slots[i] = (struct casehook__ticket_slot){.next_free = loop->free_slot};
        loop->free_slot = i + 1;
    }
    loop->slot_count = count;
    return true;
}

bool casehook__ticket_take(struct casehook_loop *loop, struct casehook__job *job)
{
    if (!loop->free_slot && !grow_slots(loop)) return false;
    uint32_t index = loop->free_slot - 1;
    struct casehook__ticket_slot *slot = &loop->slots[index];
    loop->free_slot = slot->next_free;
    slot->job = job;
    slot->serial++;
    job->ticket = (uint64_t)slot->serial << 32 | (index + 1);
    return true;
}

struct casehook__ticket_slot *casehook__ticket_find(struct casehook_loop *loop, uint64_t ticket)
{
    uint32_t index = (uint32_t)ticket - 1;
    if (index >= loop->slot_count) return NULL;
    struct casehook__ticket_slot *slot = &loop->slots[index];
    return slot->job && slot->job->ticket == ticket ? slot : NULL;
}

void casehook__ticket_drop(struct casehook_loop *loop, uint64_t ticket)
{
    struct casehook__ticket_slot *slot = casehook__ticket_find(loop, ticket);
    slot->job = NULL;
    slot->next_free = loop->free_slot;
    loop->free_slot = (uint32_t)ticket;
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
