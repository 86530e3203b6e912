/*
 * credentials.h - the token of a connector, which changes (A1).
 *
 * All operations of a connector share it: threads, loops, exchanges.  Each asks before each request.  One of
 * them, the owner, gets a new token for all; the others wait meanwhile, and hear when it has come.  Each
 * token has a number, its generation, by which one that was refused is thrown away, and no newer one.
 */
#ifndef CASEHOOK_CREDENTIALS_H
#define CASEHOOK_CREDENTIALS_H

#include "base/error.h"

#include <stdatomic.h>

struct casehook__credentials;

/* What one operation has of them; zero in the beginning. */
struct casehook__claim {
    /* Private. */
    struct casehook__claim *next, *previous; /* among those that wait */
    bool listed, owns;
    uint64_t round; /* of the token request that it waits for or makes; 0: none */
    void (*wake)(void *user);
    void *user;
    atomic_bool called; /* what it waits for has come, or failed */
};

enum casehook__grant {
    CASEHOOK__GRANTED,     /* there is a token */
    CASEHOOK__GRANT_OWN,   /* this operation is to get one, and then calls put or fail */
    CASEHOOK__GRANT_RENEW, /* the same, but there is one still, which will do if that fails */
    CASEHOOK__GRANT_LATER, /* another one does that: ask again when called, or at *until */
    CASEHOOK__GRANT_FAILED /* it could not, and this operation cannot either */
};

/* OK or NO_MEMORY. */
int casehook__credentials_new(struct casehook__heap *heap, struct casehook__credentials **credentials);
void casehook__credentials_free(struct casehook__credentials *credentials);

/*
 * Any thread, here and below.  GRANTED, RENEW: value gets the value of Authorization, *generation its number.
 * An owner has lease_ms to get a token; then another one may.  FAILED: why, in *error, or NO_MEMORY of value.
 */
enum casehook__grant casehook__credentials_ask(struct casehook__credentials *credentials, int64_t now,
                                               int64_t lease_ms, struct casehook__claim *claim,
                                               struct casehook__buf *value, uint64_t *generation,
                                               int64_t *until, struct casehook_error *error);
/* The owner needs longer. */
void casehook__credentials_hold(struct casehook__credentials *credentials, struct casehook__claim *claim,
                                int64_t until);
/*
 * A token has come, which was asked for at that time.  life_ms -1: it says nothing of its life.  OK or
 * NO_MEMORY.
 */
int casehook__credentials_put(struct casehook__credentials *credentials, struct casehook__claim *claim,
                              struct casehook__text token, int64_t asked_at, int64_t life_ms);
/* None has come: all that wait fail as well. */
void casehook__credentials_fail(struct casehook__credentials *credentials, struct casehook__claim *claim,
                                int64_t now, const struct casehook_error *error);
/* The tracker has refused this one. */
void casehook__credentials_reject(struct casehook__credentials *credentials, uint64_t generation);
/* The operation ends, or is given up: what it was to get, another one gets. */
void casehook__credentials_leave(struct casehook__credentials *credentials, struct casehook__claim *claim);

/*
 * wake is called once, by any thread, when a claim that waits is called.  False: it was already, or waits for
 * nothing.  After ask, leave or ignore it is not called any more.
 */
bool casehook__credentials_listen(struct casehook__credentials *credentials, struct casehook__claim *claim,
                                  void (*wake)(void *user), void *user);
void casehook__credentials_ignore(struct casehook__credentials *credentials, struct casehook__claim *claim);

#endif
