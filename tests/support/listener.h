/* listener.h - one port on IPv4 and IPv6 loopback, a thread per connection. */
#ifndef SUPPORT_LISTENER_H
#define SUPPORT_LISTENER_H

#include "stream.h"

/* Serves one connection; it is closed afterwards.  connection counts from 0. */
typedef void (*listener_serve_fn)(void *user, struct stream *stream, size_t connection);

struct listener;

/* The kernel chooses the port.  tls may be NULL; it is not owned.  NULL when there is no port. */
struct listener *listener_start(SSL_CTX *tls, listener_serve_fn serve, void *user);

unsigned listener_port(const struct listener *listener);

/* Connections accepted so far, and those whose TLS handshake failed. */
size_t listener_accepted(struct listener *listener);
size_t listener_handshakes_failed(struct listener *listener);

/*
 * Takes no new connections, lets those that exist read what was sent to them until their clients
 * close (for grace_ms at most), and then closes them.  What a client sent before it closed has been
 * served when this returns.  Returns how many connections had to be closed that way.
 */
size_t listener_stop(struct listener *listener, unsigned grace_ms);

/* After listener_stop. */
void listener_free(struct listener *listener);

#endif
