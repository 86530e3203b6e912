/*
 * nginx.h - a real nginx in front of a recording server.
 *
 * Every site has a port of its own and passes its requests on to the upstream, with what it saw of the
 * client in headers: X-Seen-Site, -Protocol ("HTTP/2.0"), -Tls ("TLSv1.3"), -Subject and -Verify of the
 * client certificate, -Connection (a number per connection), -Reused ("r": a TLS session was resumed),
 * -Uri (as it came), -Host.
 */
#ifndef REAL_NGINX_H
#define REAL_NGINX_H

#include <stddef.h>

struct nginx_site {
    const char *name;
    const char *chain, *key; /* PEM text; NULL: without TLS */
    const char *client;      /* ssl_verify_client: "on", "optional"; NULL: off */
    const char *client_ca;   /* PEM text, with client */
    const char *lines;       /* more directives of its server block; NULL: none */
    int http2;
    unsigned port; /* written by nginx_start */
};

struct nginx;

/* Whether there is an nginx here. */
int nginx_is_there(void);

/* NULL, and its own words on stderr, when it does not start: it refuses a certificate, say. */
struct nginx *nginx_start(struct nginx_site *sites, size_t count, unsigned upstream);
/* The same with a master process and one worker, which is what nginx_reload() replaces. */
struct nginx *nginx_start_with_master(struct nginx_site *sites, size_t count, unsigned upstream);
/* As "nginx -s reload": the connections that wait for a request are closed.  0, or -1. */
int nginx_reload(struct nginx *nginx);
void nginx_stop(struct nginx *nginx);

#endif
