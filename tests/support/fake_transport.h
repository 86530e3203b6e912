/*
 * fake_transport.h - a transport without sockets, a clock that a test moves, a loop that waits on it.
 *
 * Programs are linked with fake_dep, by which casehook__clock_ms() and casehook__pause() are the ones here:
 * time passes only when somebody waits, and then at once.  One thread.
 */
#ifndef SUPPORT_FAKE_TRANSPORT_H
#define SUPPORT_FAKE_TRANSPORT_H

#include "loop/loop_private.h"

/* What comes back for a request; all zero before it is filled. */
struct fake_answer {
    int status;              /* of HTTP; 0: no answer but failure */
    const char *body;        /* JSON */
    const char *retry_after; /* the header, NULL: none */
    const char *location;    /* the same */
    struct casehook__failure failure;
    int64_t after_ms; /* so long after its start */
    unsigned goes;    /* so often it must be driven then, until all of it is read */
};

struct fake {
    int64_t now;
    bool watchable;   /* loops have a descriptor, so that they may drive a transport directly */
    int64_t calendar; /* ahead of now by so much: what a test sets is a jump */
    void (*answer)(void *user, const struct casehook__request *request, struct fake_answer *answer);
    void *user;
    /* Until when an operation must wait before its next request; 0, or a time that has passed: not at all. */
    int64_t (*wait)(void *user, const struct casehook__machine *machine);
    /* Of delays; NULL: always 0. */
    uint64_t (*random)(void *user);
    /* Somebody sleeps, until fake.now is that time. */
    void (*pause)(void *user, int64_t until);

    unsigned waits, pauses;      /* of loops; of those who block */
    unsigned opened, transports; /* all that there were; those that there are */
    unsigned transfers_made, under_way, most_under_way;
};
extern struct fake fake;

/* All of it as in the beginning; the time is some time. */
void fake_reset(void);
/* The connector's requests go nowhere from now on. */
void fake_use(struct casehook_connector *connector);
/* Has no descriptor: the loop is waited on. */
struct casehook_loop *fake_loop(uint32_t max_operations, uint32_t max_connections,
                                const struct casehook_allocator *allocator);

#endif
