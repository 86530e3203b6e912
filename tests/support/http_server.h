/*
 * http_server.h - an HTTP/1.1 server on loopback that records what it gets and answers as it is told.
 *
 * A log records the requests of any number of servers in the order of their arrival.  For each one
 * the server asks its answer function; http_script is the usual one: the first request of the log
 * gets the first answer of the list, whichever server it reached.
 */
#ifndef SUPPORT_HTTP_SERVER_H
#define SUPPORT_HTTP_SERVER_H

#include "http_message.h"

struct http_log;

struct http_log *http_log_new(void);
size_t http_log_count(struct http_log *log);
/* Borrowed; lives until http_log_free.  NULL behind the last one. */
const struct http_request *http_log_at(struct http_log *log, size_t index);
/* Waits until there are count requests: 0, or -1 when the time is over. */
int http_log_wait(struct http_log *log, size_t count, unsigned milliseconds);
/* After the servers were stopped. */
void http_log_free(struct http_log *log);

/* All PEM text. */
struct http_tls {
    const char *certificate; /* the server's own, then those of its chain */
    const char *key;
    const char *client_ca;        /* a client certificate of this CA is demanded; NULL: none is asked for */
    int client_optional;          /* it is asked for, but not demanded */
    int min_version, max_version; /* TLS1_2_VERSION ...; 0: what OpenSSL offers */
};

/*
 * Fills the answer (all zero before) to a request; what the answer points to must live until the server
 * is stopped.  Runs on the thread of the connection, one at a time for all servers of one log.
 */
typedef void (*http_answer_fn)(void *user, const struct http_request *request,
                               struct http_response *response);

/* Answers by http_request.number; behind the last one with status 500. */
struct http_script {
    const struct http_response *responses;
    size_t count;
};
void http_script_answer(void *script, const struct http_request *request, struct http_response *response);

struct http_server;

/* The label is copied; what tls points to is not needed afterwards.  NULL with a line on stderr on failure.
 */
struct http_server *http_server_start(struct http_log *log, const char *label, const struct http_tls *tls,
                                      http_answer_fn answer, void *user);

unsigned http_server_port(const struct http_server *server);
size_t http_server_connections(struct http_server *server);
size_t http_server_handshakes_failed(struct http_server *server);

/*
 * Records what clients have sent before they closed, closes what is still open after grace_ms, and
 * frees the server.  When every client has closed, nothing that was sent is missing in the log.
 * Returns how many connections were still open after grace_ms.
 */
size_t http_server_stop(struct http_server *server, unsigned grace_ms);

/* Parts that http_proxy shares. */
struct http_request *http_log_add(struct http_log *log, struct http_request *request);
char *http_log_label(struct http_log *log, const char *text); /* a copy that lives as long as the log */
void http_log_lock(struct http_log *log);
void http_log_unlock(struct http_log *log);

#endif
