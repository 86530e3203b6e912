/*
 * alloc.h - memory from the host's allocator, or from malloc.
 *
 * A heap is shared by everything that was made from one settings object and lives until the last of
 * it is gone.  NULL is a valid heap: malloc.
 */
#ifndef CASEHOOK_ALLOC_H
#define CASEHOOK_ALLOC_H

#include "casehook.h"

struct casehook__heap;

/* A heap of an allocator that casehook__allocator_heap has read.  NO_MEMORY: its destroy was called. */
int casehook__heap_new(const struct casehook_allocator *allocator, struct casehook__heap **heap);
struct casehook__heap *casehook__heap_ref(struct casehook__heap *heap);
void casehook__heap_unref(struct casehook__heap *heap);

/* NULL: out of memory.  A size of 0 is taken as 1. */
void *casehook__alloc(struct casehook__heap *heap, size_t size);
/* Zeroed; count * size is checked. */
void *casehook__calloc(struct casehook__heap *heap, size_t count, size_t size);
/* On failure the old block stays. */
void *casehook__realloc(struct casehook__heap *heap, void *pointer, size_t size);
void casehook__free(struct casehook__heap *heap, void *pointer);

/* A NUL-terminated copy of length bytes. */
char *casehook__copy(struct casehook__heap *heap, const char *text, size_t length);

/* Overwrites size bytes in a way that the compiler keeps. */
void casehook__wipe(void *pointer, size_t size);
/* Wipes, then frees. */
void casehook__free_secret(struct casehook__heap *heap, void *pointer, size_t size);

#endif
