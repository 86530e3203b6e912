/*
 * faults.h - all that is wrong with a configuration, each with its place.
 */
#ifndef CASEHOOKD_FAULTS_H
#define CASEHOOKD_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define PLACE_SIZE 256

struct faults {
    char **items; /* "sources[0].path: is missing" */
    size_t count;
    bool no_memory; /* one could not be kept */
};

/* Adds "place: message"; place "" is the file itself. */
void faults_add(struct faults *faults, const char *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Forgets all of them. */
void faults_clear(struct faults *faults);

/* "outer.name", or "outer[index]" where name is NULL, into place. */
const char *place_of(char place[PLACE_SIZE], const char *outer, const char *name, size_t index);

#endif
