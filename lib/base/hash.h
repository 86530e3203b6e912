/*
 * hash.h - a keyed hash (SipHash-2-4): who chooses the texts cannot choose them to collide.
 */
#ifndef CASEHOOK_HASH_H
#define CASEHOOK_HASH_H

#include "base/text.h"

struct casehook__hash_key {
    uint64_t words[2];
};

/* A text that is given in parts. */
struct casehook__hash {
    uint64_t v[4];
    uint64_t word; /* the bytes that do not fill one yet */
    uint64_t length;
};

/* A random key.  Errors: SYSTEM (OpenSSL has no random numbers). */
int casehook__hash_key_init(struct casehook__hash_key *key);

void casehook__hash_begin(struct casehook__hash *hash, const struct casehook__hash_key *key);
void casehook__hash_add(struct casehook__hash *hash, const void *data, size_t length);
uint64_t casehook__hash_end(struct casehook__hash *hash);

#endif
