/* haproxy.h - a real HAProxy that ends TLS in front of a server of ours. */
#ifndef REAL_HAPROXY_H
#define REAL_HAPROXY_H

struct haproxy;

/* Whether there is one here. */
int haproxy_is_there(void);

/*
 * certificate and key: PEM text.  keep_alive: "200ms", how long it keeps a connection without requests.
 * NULL, and its own words on stderr, when it does not start.
 */
struct haproxy *haproxy_start(const char *certificate, const char *key, const char *keep_alive,
                              unsigned upstream);
unsigned haproxy_port(const struct haproxy *haproxy);
void haproxy_stop(struct haproxy *haproxy);

#endif
