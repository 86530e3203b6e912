/* tracked.h - a port of the model: reads requests and answers them, or lets a mishap happen to them. */
#ifndef DELIVERY_TRACKED_H
#define DELIVERY_TRACKED_H

#include "model.h"

#include <openssl/ssl.h>

/* A port of its own for one trial, or one for all. */
struct tracked;

/* own: the trial whose mishaps to the connection happen here, TRIALS_MAX for none.  tls NULL: http; not
 * owned. */
struct tracked *tracked_start(struct model *model, SSL_CTX *tls, size_t own);
unsigned tracked_port(const struct tracked *tracked);
/* A request begins: when it is the second one since connections are refused, they are no more. */
void tracked_begins(struct tracked *tracked);
/* From now on no connection is refused. */
void tracked_heal(struct tracked *tracked);
/* When every client has closed. */
void tracked_stop(struct tracked *tracked);

#endif
