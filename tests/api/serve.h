/*
 * serve.h - one server for all tests of a program.
 */
#ifndef API_SERVE_H
#define API_SERVE_H

#include "http_server.h"

extern struct http_log *http;
extern struct http_server *server;
extern char base[64]; /* its URL */

void serve(http_answer_fn answer, const void *user);
/* A teardown, too. */
int serve_end(void **state);

#endif
