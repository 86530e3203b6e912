/* points.h - all that can happen to all requests of all operations. */
#ifndef DELIVERY_POINTS_H
#define DELIVERY_POINTS_H

#include "model.h"
#include "site.h"

/* MOVE_CASE: an update whose new status is a request of its own. */
enum scenario { CREATE_CASE, UPDATE_CASE, MOVE_CASE, PUSH_NEW, PUSH_FOUND, GET_CASE, SCENARIOS };

/* What the connector has against lost answers. */
enum policy { POLICY_NONE, POLICY_FIND, POLICY_ALWAYS, POLICY_KEY, POLICY_BOTH, POLICY_REFUSED, POLICIES };

enum driver { DRIVE_BLOCKING, DRIVE_LOOP, DRIVE_EXCHANGE, DRIVERS };

/* What points need, so that many of the same need run at once. */
enum pace {
    PACE_QUICK,
    PACE_REUSING, /* connections are used again whatever was seen of them */
    PACE_STALLED, /* short limits */
    PACE_WAITING, /* delays of a second and more */
    PACE_OWN,     /* a connector and a port for each trial */
    PACES
};

/* How an operation is made. */
struct setting {
    enum driver driver;
    enum policy policy;
    unsigned attempts;
    enum scheme scheme;
};

struct point {
    enum scenario scenario;
    enum pace pace;
    struct mishap mishap;
    struct mishap before; /* a first one, on the way to it */
    struct place arms;    /* of a mishap to the connection: the request in front of it */
};

const char *scenario_name(enum scenario scenario);
const char *policy_name(enum policy policy);
const char *driver_name(enum driver driver);
int policy_finds(enum policy policy);
int policy_has_key(enum policy policy);

/* Bytes of each kind of request and answer. */
struct lengths {
    size_t request[KINDS], answer[KINDS], chunked[KINDS];
};

typedef void (*point_fn)(void *user, const struct point *point);

/* Every point of a setting, always in the same order; those of single bytes apart from the others. */
void points_of_bytes(const struct setting *setting, const struct lengths *lengths, point_fn take, void *user);
void points_of_all_else(const struct setting *setting, const struct lengths *lengths, point_fn take,
                        void *user);

/* In words, for people. */
void point_text(const struct setting *setting, const struct point *point, char *text, size_t size);

#endif
