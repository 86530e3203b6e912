/*
 * tracker_keys.h - Idempotency-Key: what was answered to a key, so that the same request is done only once.
 */
#ifndef TRACKER_KEYS_H
#define TRACKER_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <jansson.h>

enum {
    KEYS_MAX = 20000,                  /* the newest ones are kept */
    KEYS_MAX_BYTES = 32 * 1024 * 1024, /* of their answers together */
    KEYS_MAX_LENGTH = 255,             /* of a key */
};

struct keys {
    json_t *answers; /* key -> what keys_keep() was given, the oldest first */
    size_t bytes;
};

enum keys_status { KEYS_NEW, KEYS_SAME, KEYS_OTHER };

/* 1 to 255 printable ASCII characters. */
bool keys_is_key(const char *key);

/*
 * Whether a request with this key was done.  KEYS_SAME: by this very request, *answer and *location are what
 * was answered, borrowed until the next call; KEYS_OTHER: by one with another path or body.
 */
enum keys_status keys_look(const struct keys *keys, const char *key, const char *path, const char *body,
                           size_t length, const char **answer, const char **location);

/* Keeps the answer to a request that was done.  0, or -1 when memory ran out. */
int keys_keep(struct keys *keys, const char *key, const char *path, const char *body, size_t length,
              const char *answer, const char *location);
void keys_free(struct keys *keys);

#endif
