/* cancel.c - stopping operations from any thread. */
#include "base/posix.h"

#include "base/cancel.h"

#include "base/abi.h"
#include "base/alloc.h"

#include <pthread.h>
#include <stdatomic.h>

struct casehook_cancel {
    struct casehook__heap *heap; /* a reference */
    atomic_int references;
    atomic_bool set;
    pthread_mutex_t lock;
    struct casehook__cancel_waiter *waiters;
};

int casehook_cancel_new(const struct casehook_allocator *allocator, struct casehook_cancel **out)
{
    struct casehook__heap *heap = NULL;
    if (out) *out = NULL;
    int status = casehook__allocator_heap(allocator, &heap);
    if (status) return status;
    if (!out) {
        casehook__heap_unref(heap);
        return CASEHOOK_E_ARGUMENT;
    }
    struct casehook_cancel *cancel = *out = casehook__calloc(heap, 1, sizeof *cancel);
    if (!cancel) {
        casehook__heap_unref(heap);
        return CASEHOOK_E_NO_MEMORY;
    }
    if (pthread_mutex_init(&cancel->lock, NULL)) {
        casehook__free(heap, cancel);
        casehook__heap_unref(heap);
        *out = NULL;
        return CASEHOOK_E_NO_MEMORY;
    }
    cancel->heap = heap;
    atomic_init(&cancel->references, 1);
    atomic_init(&cancel->set, false);
    return CASEHOOK_OK;
}

struct casehook_cancel *casehook__cancel_ref(struct casehook_cancel *cancel)
{
    if (cancel) atomic_fetch_add_explicit(&cancel->references, 1, memory_order_relaxed);
    return cancel;
}

void casehook_cancel_free(struct casehook_cancel *cancel)
{
    if (!cancel || atomic_fetch_sub_explicit(&cancel->references, 1, memory_order_acq_rel) != 1) return;
    struct casehook__heap *heap = cancel->heap;
    pthread_mutex_destroy(&cancel->lock);
    casehook__free(heap, cancel);
    casehook__heap_unref(heap);
}

void casehook_cancel_set(struct casehook_cancel *cancel)
{
    if (!cancel) return;
    atomic_store(&cancel->set, true);
    pthread_mutex_lock(&cancel->lock);
    for (struct casehook__cancel_waiter *waiter = cancel->waiters; waiter; waiter = waiter->next)
        waiter->wake(waiter->user);
    pthread_mutex_unlock(&cancel->lock);
}

bool casehook__cancel_is_set(const struct casehook_cancel *cancel)
{
    return cancel && atomic_load(&cancel->set);
}

void casehook__cancel_add(struct casehook_cancel *cancel, struct casehook__cancel_waiter *waiter)
{
    if (!cancel) return;
    pthread_mutex_lock(&cancel->lock);
    waiter->next = cancel->waiters;
    waiter->link = &cancel->waiters;
    if (waiter->next) waiter->next->link = &waiter->next;
    cancel->waiters = waiter;
    pthread_mutex_unlock(&cancel->lock);
}

void casehook__cancel_remove(struct casehook_cancel *cancel, struct casehook__cancel_waiter *waiter)
{
    if (!cancel) return;
    pthread_mutex_lock(&cancel->lock);
    *waiter->link = waiter->next;
    if (waiter->next) waiter->next->link = waiter->link;
    pthread_mutex_unlock(&cancel->lock);
}
