/*
 * jsfind.h - follows key paths while a scanner goes through a JSON text.
 *
 * The scanner says where it is; a bit per path says which paths its place is on.  A container that is on no
 * path costs nothing: the scanner leaves these functions out while active is 0.
 */
#ifndef CASEHOOK_JSFIND_H
#define CASEHOOK_JSFIND_H

#include "json/jsscan.h"

#define CASEHOOK__JS_FIND_PATHS 64 /* in one pass: a bit for each */
/* The members of a container of level n are compared with part n - 1 of a path: top is level 1. */
#define CASEHOOK__JS_FIND_LEVELS (CASEHOOK__KEYPATH_MAX_PARTS + 1)

struct casehook__js_find {
    const struct casehook__keypath *const *paths;
    size_t count;
    struct casehook__js_value *found;
    uint64_t flat; /* found as a flat member of the top object: nothing else counts any more */
    /* The value that comes next: paths that lead into it, paths that end with it. */
    uint64_t into, ends;
    /* For each level that is open: */
    uint64_t active[CASEHOOK__JS_FIND_LEVELS + 1]; /* paths that lead into the container */
    uint64_t ending[CASEHOOK__JS_FIND_LEVELS + 1]; /* paths that end with it */
    /* Of an active object: lengths that keys must have to be on a path, modulo 64.  Most have none of them.
     */
    uint64_t lengths[CASEHOOK__JS_FIND_LEVELS + 1];
    size_t index[CASEHOOK__JS_FIND_LEVELS + 1]; /* of the next element, of an array */
};

/* Paths that lead into the container at level. */
static inline uint64_t casehook__js_find_active(const struct casehook__js_find *find, size_t level)
{
    return level <= CASEHOOK__JS_FIND_LEVELS ? find->active[level] : 0;
}

void casehook__js_find_begin(struct casehook__js_find *find, const struct casehook__keypath *const *paths,
                             size_t count, struct casehook__js_value *found);
void casehook__js_find_long_look(struct casehook__js_find *find, size_t level, struct casehook__text key,
                                 bool escaped);
/* A member begins in the active object at level; key without quotes, escaped when a backslash is in it. */
static inline void casehook__js_find_key(struct casehook__js_find *find, size_t level,
                                         struct casehook__text key, bool escaped)
{
    find->into = find->ends = 0;
    if (escaped || find->lengths[level] >> key.length % 64 & 1)
        casehook__js_find_long_look(find, level, key, escaped);
}
/* An element begins in the active array at level. */
void casehook__js_find_element(struct casehook__js_find *find, size_t level);
/* The next value is a scalar: its text. */
void casehook__js_find_scalar(struct casehook__js_find *find, struct casehook__js_value value);
void casehook__js_find_open_wanted(struct casehook__js_find *find, size_t level, enum casehook__js_kind kind,
                                   const char *start);
/* The next value is a container, which becomes level; where it starts. */
static inline void casehook__js_find_open(struct casehook__js_find *find, size_t level,
                                          enum casehook__js_kind kind, const char *start)
{
    if (level > CASEHOOK__JS_FIND_LEVELS) return;
    find->active[level] = find->into;
    find->ending[level] = find->ends;
    if (find->into | find->ends) casehook__js_find_open_wanted(find, level, kind, start);
}

void casehook__js_find_close_wanted(struct casehook__js_find *find, size_t level, const char *end);
/* The container at level ends before end. */
static inline void casehook__js_find_close(struct casehook__js_find *find, size_t level, const char *end)
{
    if (level <= CASEHOOK__JS_FIND_LEVELS && find->ending[level])
        casehook__js_find_close_wanted(find, level, end);
}

#endif
