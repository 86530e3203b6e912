/*
 * watched.h - memory that is looked at when it is given back, and that may be short.
 */
#ifndef SUPPORT_WATCHED_H
#define SUPPORT_WATCHED_H

#include <casehook.h>

#include <stdalign.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct watched {
    const char *word;            /* what no block may hold when it is given back; NULL: whatever it likes */
    size_t found;                /* so many did */
    size_t allocations, fail_at; /* fail_at: the one that fails; 0: none */
};

/* In front of each block: its size. */
#define WATCHED_ROOM \
    ((sizeof(size_t) + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t))

static inline void watched_look(struct watched *watched, const char *block, size_t size)
{
    size_t length = watched->word ? strlen(watched->word) : size + 1;
    for (size_t i = 0; i + length <= size; i++)
        if (memcmp(block + i, watched->word, length) == 0) {
            watched->found++;
            return;
        }
}

static inline void *watched_reallocate(void *user, void *pointer, size_t size)
{
    struct watched *watched = user;
    char *block = pointer ? (char *)pointer - WATCHED_ROOM : NULL;
    if (size == 0) {
        if (block) watched_look(watched, pointer, *(size_t *)(void *)block);
        free(block);
        return NULL;
    }
    if (++watched->allocations == watched->fail_at) return NULL;
    size_t before = block ? *(size_t *)(void *)block : 0;
    block = realloc(block, WATCHED_ROOM + size);
    if (!block) abort();
    /* All of it is looked at in the end, also what nobody has written. */
    if (size > before) memset(block + WATCHED_ROOM + before, 0, size - before);
    *(size_t *)(void *)block = size;
    return block + WATCHED_ROOM;
}

static inline struct casehook_allocator watched_allocator(struct watched *watched)
{
    return (struct casehook_allocator){sizeof(struct casehook_allocator), watched, watched_reallocate, NULL};
}

#endif
