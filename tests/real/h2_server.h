/*
 * h2_server.h - an HTTP/2 server that ends connections and streams in every way the protocol has.
 *
 * It knows just enough of HTTP/2 for that: it answers every request with 201 and {"id":"42","key":"K"}, but
 * the one that it was told to let down.
 */
#ifndef REAL_H2_SERVER_H
#define REAL_H2_SERVER_H

#include "http_server.h"

enum h2_fault {
    H2_CLOSE,         /* close the connection without a word */
    H2_RESET,         /* the same with a TCP reset */
    H2_GOAWAY_BEFORE, /* "I did nothing of this request", then close */
    H2_GOAWAY_AT,     /* "this request was the last I took", then close without answering */
    H2_RST_REFUSED,   /* RST_STREAM REFUSED_STREAM: "safe to send again" */
    H2_RST_INTERNAL,  /* RST_STREAM INTERNAL_ERROR */
    H2_RST_CANCEL,    /* RST_STREAM CANCEL */
    H2_RST_HTTP11,    /* RST_STREAM HTTP_1_1_REQUIRED */
    H2_CLOSE_IN_BODY, /* headers and half of the body, then close */
    H2_RST_IN_BODY,   /* headers and half of the body, then RST_STREAM INTERNAL_ERROR */
    H2_GARBAGE,       /* bytes that are no frame */
    H2_FAULTS
};

const char *h2_fault_name(enum h2_fault fault);

struct h2_server;

/* tls: a certificate and its key.  The request of that number (of all connections, from 0) is let down. */
struct h2_server *h2_server_start(const struct http_tls *tls, enum h2_fault fault, size_t request);
/* Before the first request: it waits for so many more on the same connection, and lets all of them down. */
void h2_server_gather(struct h2_server *server, size_t more);
unsigned h2_server_port(const struct h2_server *server);
/* Requests whose headers came, complete or not. */
size_t h2_server_requests(struct h2_server *server);
/* Of these the ones with a body, that is the writes. */
size_t h2_server_writes(struct h2_server *server);
void h2_server_stop(struct h2_server *server);

#endif
