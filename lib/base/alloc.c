/* alloc.c - memory from the host's allocator, or from malloc. */
#include "base/alloc.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct casehook__heap {
    atomic_int references;
    void *user;
    casehook_reallocate_fn reallocate;
    casehook_destroy_fn destroy;
};

int casehook__heap_new(const struct casehook_allocator *allocator, struct casehook__heap **out)
{
    *out = NULL;
    struct casehook__heap *heap = allocator->reallocate(allocator->user, NULL, sizeof *heap);
    if (!heap) {
        if (allocator->destroy) allocator->destroy(allocator->user);
        return CASEHOOK_E_NO_MEMORY;
    }
    atomic_init(&heap->references, 1);
    heap->user = allocator->user;
    heap->reallocate = allocator->reallocate;
    heap->destroy = allocator->destroy;
    *out = heap;
    return CASEHOOK_OK;
}

struct casehook__heap *casehook__heap_ref(struct casehook__heap *heap)
{
    if (heap) atomic_fetch_add_explicit(&heap->references, 1, memory_order_relaxed);
    return heap;
}

void casehook__heap_unref(struct casehook__heap *heap)
{
    if (!heap || atomic_fetch_sub_explicit(&heap->references, 1, memory_order_acq_rel) != 1) return;
    void *user = heap->user;
    casehook_destroy_fn destroy = heap->destroy;
    heap->reallocate(user, heap, 0);
    if (destroy) destroy(user);
}

void *casehook__alloc(struct casehook__heap *heap, size_t size)
{
    if (size == 0) size = 1;
    return heap ? heap->reallocate(heap->user, NULL, size) : malloc(size);
}

void *casehook__calloc(struct casehook__heap *heap, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) return NULL;
    void *pointer = casehook__alloc(heap, count * size);
    if (pointer) memset(pointer, 0, count * size);
    return pointer;
}

void *casehook__realloc(struct casehook__heap *heap, void *pointer, size_t size)
{
    if (size == 0) size = 1;
    return heap ? heap->reallocate(heap->user, pointer, size) : realloc(pointer, size);
}

void casehook__free(struct casehook__heap *heap, void *pointer)
{
    if (!pointer) return;
    if (heap)
        heap->reallocate(heap->user, pointer, 0);
    else
        free(pointer);
}

char *casehook__copy(struct casehook__heap *heap, const char *text, size_t length)
{
    if (length == SIZE_MAX) return NULL;
    char *copy = casehook__alloc(heap, length + 1);
    if (!copy) return NULL;
    if (length) memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

void casehook__wipe(void *pointer, size_t size)
{
    if (!size) return;
#if defined(__GNUC__)
    memset(pointer, 0, size);
    __asm__ __volatile__("" : : "r"(pointer) : "memory"); /* somebody might look: the memset stays */
#else
    volatile unsigned char *byte = pointer;
    while (size--) *byte++ = 0;
#endif
}

void casehook__free_secret(struct casehook__heap *heap, void *pointer, size_t size)
{
    if (pointer) casehook__wipe(pointer, size);
    casehook__free(heap, pointer);
}
