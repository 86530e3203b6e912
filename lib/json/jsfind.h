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
    size_t index[CASEHOOK__JS_FIND_LEVELS + 1];    /* of the next element, of an array */
};

/* Paths that lead into the container at level. */
static inline uint64_t casehook__js_find_active(const struct casehook__js_find *find, size_t level)
{
    return level <= CASEHOOK__JS_FIND_LEVELS ? find->active[level] : 0;
}

void casehook__js_find_begin(struct casehook__js_find *find, const struct casehook__keypath *const *paths,
                             size_t count, struct casehook__js_value *found);
/* A member begins in the active object at level; key without quotes, escaped when a backslash is in it. */
void casehook__js_find_key(struct casehook__js_find *find, size_t level, struct casehook__text key,
                           bool escaped);
/* An element begins in the active array at level. */
void casehook__js_find_element(struct casehook__js_find *find, size_t level);
/* The next value is a scalar: its text. */
void casehook__js_find_scalar(struct casehook__js_find *find, struct casehook__js_value value);
/* The next value is a container, which becomes level; where it starts. */
void casehook__js_find_open(struct casehook__js_find *find, size_t level, enum casehook__js_kind kind,
                            const char *start);
/* The container at level ends before end. */
void casehook__js_find_close(struct casehook__js_find *find, size_t level, const char *end);

#endif
