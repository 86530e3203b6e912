/*
 * arena.h - memory for many small pieces that are freed together.
 */
#ifndef CASEHOOK_ARENA_H
#define CASEHOOK_ARENA_H

#include "base/alloc.h"
#include "base/text.h"

struct casehook__arena {
    struct casehook__heap *heap;          /* borrowed */
    struct casehook__arena_block *blocks; /* the newest first; NULL: none */
};

/* Aligned for anything.  A size of 0 is taken as 1.  NULL: out of memory. */
void *casehook__arena_alloc(struct casehook__arena *arena, size_t size);
/* A copy with a NUL behind it; data NULL: no memory. */
struct casehook__text casehook__arena_copy(struct casehook__arena *arena, struct casehook__text text);
/* Wipes and frees all pieces; one small block is kept for those that come next. */
void casehook__arena_clear(struct casehook__arena *arena);
/* The same, and nothing is kept. */
void casehook__arena_free(struct casehook__arena *arena);

#endif
