/* arena.c - memory for many small pieces that are freed together. */
#include "base/arena.h"

#define BLOCK_BYTES 1000 /* of a block, unless a piece needs more */
#define ALIGNMENT   sizeof(max_align_t)

struct casehook__arena_block {
    struct casehook__arena_block *older;
    size_t size, used;
    max_align_t memory[];
};

void *casehook__arena_alloc(struct casehook__arena *arena, size_t size)
{
    struct casehook__arena_block *block = arena->blocks;
    if (size > SIZE_MAX / 2) return NULL;
    size = (size + (size == 0) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (!block || block->size - block->used < size) {
        size_t room = size > BLOCK_BYTES ? size : BLOCK_BYTES;
        block = casehook__alloc(arena->heap, sizeof *block + room);
        if (!block) return NULL;
        *block = (struct casehook__arena_block){.older = arena->blocks, .size = room};
        arena->blocks = block;
    }
    void *piece = (char *)block->memory + block->used;
    block->used += size;
    return piece;
}

struct casehook__text casehook__arena_copy(struct casehook__arena *arena, struct casehook__text text)
{
    char *copy = casehook__arena_alloc(arena, text.length + 1);
    if (copy) casehook__text_copy(copy, text);
    return (struct casehook__text){copy, text.length};
}

/* The oldest block is the one that may stay. */
static void drop_blocks(struct casehook__arena *arena, size_t kept)
{
    while (arena->blocks && (arena->blocks->older || arena->blocks->size > kept)) {
        struct casehook__arena_block *block = arena->blocks;
        arena->blocks = block->older;
        casehook__free_secret(arena->heap, block, sizeof *block + block->used);
    }
    if (!arena->blocks) return;
    casehook__wipe(arena->blocks->memory, arena->blocks->used);
    arena->blocks->used = 0;
}

void casehook__arena_clear(struct casehook__arena *arena)
{
    drop_blocks(arena, BLOCK_BYTES);
}

void casehook__arena_free(struct casehook__arena *arena)
{
    drop_blocks(arena, 0);
}
