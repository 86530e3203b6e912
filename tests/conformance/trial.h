/* trial.h - one run of one vector: servers, connector, call, comparison. */
#ifndef CONFORMANCE_TRIAL_H
#define CONFORMANCE_TRIAL_H

#include "check.h"
#include "vectors.h"

/* How long a server waits for clients to close; they have when a connector is released. */
#define TRIAL_GRACE_MS 5000u

struct trial {
    struct report *report;
    const struct driver *driver;
    enum call_way way;
    const struct vector_file *file;
    const json_t *vector; /* as it is in the file */
};

void trial_list(struct trial *trial);
void trial_tls(struct trial *trial);
void trial_proxy(struct trial *trial);

/* NULL, or why this machine or this driver cannot run the vector (yours to free). */
char *trial_needs(const struct driver *driver, const json_t *vector);

/* What the kinds of vectors do differently. */
struct trial_scene {
    void *user;
    const struct place *places;
    size_t place_count;
    struct http_log *log;
    /* The vector with its places put in, before the call; NULL: nothing to prepare. */
    void (*prepare)(void *user, const json_t *vector);
    /* Stops the servers, after the call. */
    void (*close)(const struct trial *trial, void *user);
    /* Compares what the servers saw. */
    void (*check)(const struct trial *trial, void *user, const json_t *vector, const struct outcome *outcome);
};

/* Puts in the places, makes the connector, runs the call, compares. */
void trial_play(const struct trial *trial, const struct trial_scene *scene);

/* Stops a server (NULL: none) and finds connections that the library left open. */
void trial_stop(const struct trial *trial, struct http_server *server);

#endif
