/* serve.c - one server for all tests of a program. */
#include "serve.h"

#include <stdio.h>
#include <stdlib.h>

struct http_log *http;
struct http_server *server;
char base[64];

void serve(http_answer_fn answer, const void *user)
{
    http = http_log_new();
    server = http_server_start(http, "tracker", NULL, answer, (void *)(uintptr_t)user);
    if (!server) abort();
    snprintf(base, sizeof base, "http://127.0.0.1:%u", http_server_port(server));
}

int serve_end(void **state)
{
    (void)state;
    http_server_stop(server, 5000);
    http_log_free(http);
    return 0;
}
