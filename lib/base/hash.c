/* hash.c - a keyed hash (SipHash-2-4): who chooses the texts cannot choose them to collide. */
#include "base/hash.h"

#include "casehook.h"
#include <openssl/rand.h>

int casehook__hash_key_init(struct casehook__hash_key *key)
{
    return RAND_bytes((unsigned char *)key->words, sizeof key->words) == 1 ? CASEHOOK_OK : CASEHOOK_E_SYSTEM;
}

static uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static void round_of(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32) + v[3];
    v[2] += v[1];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static void add_word(struct casehook__hash *hash, uint64_t word)
{
    hash->v[3] ^= word;
    round_of(hash->v);
    round_of(hash->v);
    hash->v[0] ^= word;
}

void casehook__hash_begin(struct casehook__hash *hash, const struct casehook__hash_key *key)
{
    uint64_t a = key->words[0], b = key->words[1];
    *hash = (struct casehook__hash){.v = {a ^ 0x736f6d6570736575u, b ^ 0x646f72616e646f6du,
                                          a ^ 0x6c7967656e657261u, b ^ 0x7465646279746573u}};
}

void casehook__hash_add(struct casehook__hash *hash, const void *data, size_t length)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < length; i++) {
        hash->word |= (uint64_t)bytes[i] << 8 * (hash->length % 8);
        if (++hash->length % 8) continue;
        add_word(hash, hash->word);
        hash->word = 0;
    }
}

uint64_t casehook__hash_end(struct casehook__hash *hash)
{
    add_word(hash, hash->word | hash->length << 56);
    hash->v[2] ^= 0xff;
    for (int i = 0; i < 4; i++) round_of(hash->v);
    return hash->v[0] ^ hash->v[1] ^ hash->v[2] ^ hash->v[3];
}
