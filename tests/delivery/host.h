/* host.h - a host with a small HTTP client of its own: the exchange, driven by hand. */
#ifndef DELIVERY_HOST_H
#define DELIVERY_HOST_H

#include <casehook.h>

struct host;

/* Keeps one connection while an operation lasts.  For one thread, in which SIGPIPE is blocked. */
struct host *host_new(void);
void host_free(struct host *host);

/* One operation.  refused, when not NULL, is told of every connection that was refused. */
struct casehook_result *host_run(struct host *host, struct casehook_connector *connector, int operation,
                                 const char *params, void (*refused)(void *user), void *user);

#endif
