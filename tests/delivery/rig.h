/* rig.h - what a batch runs on: a model, its ports, connectors for them. */
#ifndef DELIVERY_RIG_H
#define DELIVERY_RIG_H

#include "points.h"
#include "tracked.h"

#include <casehook.h>

struct rig {
    const struct setting *setting;
    struct model *model;
    SSL_CTX *tls;
    size_t count;
    int own; /* a port and a connector for each trial; else the first ones are all there are */
    struct tracked *ports[TRIALS_MAX];
    struct casehook_connector *connectors[TRIALS_MAX];
    struct casehook_connector
        *patient[TRIALS_MAX]; /* the same with long limits, and no trust in connections of others */
};

/* The model's trials are set already. */
void rig_build(struct rig *rig, const struct setting *setting, struct model *model, enum pace pace,
               size_t count);
/* When nothing uses its connectors any more. */
void rig_end(struct rig *rig);

struct casehook_connector *rig_connector(const struct rig *rig, size_t trial, int patient);
struct tracked *rig_port(const struct rig *rig, size_t trial);

#endif
