/*
 * casehook_doubt.h - what the result of a push leaves open.
 */
#ifndef CASEHOOK_DOUBT_H
#define CASEHOOK_DOUBT_H

#include <stdbool.h>
#include <jansson.h>

struct doubt {
    bool created;   /* whether the case was made */
    bool commented; /* whether a comment was */
    bool begun; /* anything was done at all, or may have been; if not, the result has nothing to go on from */
};

/* result: the object of casehook_result_json(). */
struct doubt doubt_of(const json_t *result);

#endif
