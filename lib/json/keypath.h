/*
 * keypath.h - a response key in the path syntax of lodash's get, compiled once (K1).
 */
#ifndef CASEHOOK_KEYPATH_H
#define CASEHOOK_KEYPATH_H

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"

#define CASEHOOK__KEYPATH_MAX_PARTS 32
#define CASEHOOK__KEYPATH_MAX_BYTES 1024

/* One name of a path; it is also an array index when it is written as one ("0", "12", not "01"). */
struct casehook__keypath_part {
    struct casehook__text name;
    size_t index; /* SIZE_MAX: no index */
};

struct casehook__keypath {
    struct casehook__heap *heap;
    struct casehook__text whole; /* the text as given: a flat member of this name wins */
    bool exotic;                 /* holds U+FFFD, to which bytes that are not UTF-8 compare equal */
    uint32_t count;              /* 0 for a text like "[][[", which is a flat member or nothing */
    struct casehook__keypath_part parts[];
};

/* One allocation.  Errors: NO_MEMORY, CONFIG (too long, too many parts), with offset. */
int casehook__keypath_new(struct casehook__heap *heap, struct casehook__text key,
                          struct casehook__keypath **path, struct casehook_error *error);
void casehook__keypath_free(struct casehook__keypath *path);

#endif
