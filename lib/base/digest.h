/*
 * digest.h - names that stand for something: a digest of texts, and a name that nobody else has.
 */
#ifndef CASEHOOK_DIGEST_H
#define CASEHOOK_DIGEST_H

#include "base/text.h"

#define CASEHOOK__DIGEST_DIGITS 32 /* of hexadecimal, half of SHA-256 */
#define CASEHOOK__UUID_SIZE     37

/* The first digits of SHA-256 over the texts, with a line feed between them.  OK or NO_MEMORY. */
int casehook__digest(const struct casehook__text *texts, size_t count, char out[CASEHOOK__DIGEST_DIGITS + 1]);

/* A random number; without randomness the largest one, since delays need no secrets. */
uint64_t casehook__random(void);

/* A random UUID (version 4).  OK or SYSTEM. */
int casehook__uuid(char out[CASEHOOK__UUID_SIZE]);

#endif
