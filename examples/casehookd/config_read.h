/*
 * config_read.h - members of a JSON object, with a fault for each one that is wrong.
 *
 * The readers return the default, or NULL, where there is a fault: so reading goes on and finds all of them.
 */
#ifndef CASEHOOKD_CONFIG_READ_H
#define CASEHOOKD_CONFIG_READ_H

#include "config.h"

struct reader {
    struct faults *faults;
    const char *folder; /* of the file: names of files in it are relative to this */
    bool check;         /* it is looked at, perhaps on another machine, and nothing is started with it */
};

/* An object of the file and where it is. */
struct object {
    struct reader *reader;
    json_t *json; /* NULL: it is absent, or was none */
    char place[PLACE_SIZE];
};

/* Makes an object of a value; members that are not among names (NULL ends them) are faults. */
struct object object_of(struct reader *reader, json_t *value, const char *place, const char *const *names);
/* The same of a member; it may be absent. */
struct object object_member(const struct object *outer, const char *name, const char *const *names);

/* A copy, yours; fallback NULL and required: its absence is a fault. */
char *read_text(const struct object *object, const char *name, const char *fallback, bool required);
bool read_flag(const struct object *object, const char *name, bool fallback);
uint64_t read_count(const struct object *object, const char *name, uint64_t fallback, uint64_t min,
                    uint64_t max);
/* Bytes, or "512kb", "1mb", "1gb". */
uint64_t read_size(const struct object *object, const char *name, uint64_t fallback, uint64_t min,
                   uint64_t max);
/* Milliseconds, or "30s", "3d": ms, s, m, h, d, w. */
int64_t read_time(const struct object *object, const char *name, int64_t fallback, int64_t min, int64_t max);
/* One of words (NULL ends them): its index. */
int read_word(const struct object *object, const char *name, const char *const *words, int fallback);
/* {"bearer" or "bearerFile"} or {"user", "password" or "passwordFile"} or "none". */
void read_login(const struct object *object, const char *name, bool required, struct login *login);
void login_clear(struct login *login);

/* What a file holds, whose name is relative to the configuration; NULL with a fault. */
char *read_named_file(const struct object *object, const char *member, const char *name, size_t *length);

/* What is wrong with a file that is no JSON.  Never a word of the file itself, which may be part of a secret.
 */
const char *json_fault(const json_error_t *where);

#endif
