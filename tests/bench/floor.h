/*
 * floor.h - what the two floors share: libcurl alone, with a body rendered beforehand and answers of which
 * only status and id are looked at.  No library that does these two requests through libcurl can be faster.
 */
#ifndef FLOOR_H
#define FLOOR_H

#include "bench_window.h"

#include <curl/curl.h>

struct floor_push {
    CURL *easy;
    char *answer;
    size_t length, capacity;
    char id[64];
    int reading; /* the GET is under way */
    uint64_t began;
};

/* Reads the inputs; exits when libcurl cannot be used. */
void floor_begin(struct bench *bench, int argc, char **argv);
void floor_end(void);
/* A handle with all that stays the same from push to push. */
void floor_push_init(struct floor_push *push);
void floor_push_free(struct floor_push *push);
/* The options of the POST, or of the GET behind it. */
void floor_set_post(struct floor_push *push);
void floor_set_get(struct floor_push *push);
/* 1: the answer to the request that ended is a good one. */
int floor_check(struct floor_push *push, CURLcode code);

#endif
