/*
 * torture.h - memory that fails when told, a tracker, and a scenario for every public call that allocates.
 */
#ifndef TORTURE_H
#define TORTURE_H

#include "documents.h"
#include "http_server.h"

#include <stdbool.h>

/* The point-th allocation from now on fails. */
void memory_arm(long point);
/* Whether it came to that. */
bool memory_disarm(void);
/* Blocks that are not freed. */
long memory_blocks(void);

extern const struct casehook_allocator torture_allocator;
extern char torture_base[];    /* URL of the tracker */
extern int torture_refuse_get; /* it creates cases and refuses to show them */
/* What the next create is answered, once: 503 does nothing, 504 comes after the case was made; 0: as usual.
 */
extern int torture_create_status;
extern int torture_created; /* cases, so far */
/* What requests for tokens are answered; how many requests besides are answered 401. */
extern int torture_token_status, torture_unauthorized;
extern struct http_log *torture_http;
void torture_start(void);
void torture_stop(void);

/* What a scenario starts from, and what it leaves. */
struct world {
    struct casehook_settings *settings;
    struct casehook_connector *connector;
    struct casehook_cancel *cancel;
    struct casehook_exchange *exchange;
    struct casehook_loop *loop;
    struct casehook_result *result;
    struct casehook_renderer *renderer;
    struct casehook_error *error;
    char *document;
};

enum {
    WITH_SETTINGS = 1,
    WITH_CONNECTOR = 2,
    WITH_EXCHANGE = 4,
    WITH_RESULT = 8,
    WITH_LOOP = 16,
    CREATES = 32, /* a case in the tracker */
    FAILS = 64,   /* with all memory too */
    WITH_DELIVERY =
        128,         /* a connector that tries again, finds and has keys; may end as if it did none of it */
    WITH_TOKEN = 256 /* a connector with OAuth2, by a JWT, and signatures */
};

struct scenario {
    const char *call; /* NULL: the end of the list */
    int (*run)(struct world *world);
    int flags;
};
extern const struct scenario scenarios[];

/* The handles that flags ask for.  OK, or the code of what failed. */
int world_make(struct world *world, int flags);
void world_end(struct world *world);

#endif
