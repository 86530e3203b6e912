/* http_server.c - the recording server: read a request, note it, answer it. */
#include "http_server.h"
#include "listener.h"
#include "memory.h"
#include "tls_context.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

struct http_server {
    struct http_log *log;
    char *label;
    http_answer_fn answer;
    void *user;
    SSL_CTX *tls;
    struct listener *listener;
};

void http_script_answer(void *script, const struct http_request *request, struct http_response *response)
{
    const struct http_script *list = script;
    if (request->number < list->count)
        *response = list->responses[request->number];
    else
        response->status = 500;
}

static int is_ipv6(int fd)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    return getsockname(fd, (struct sockaddr *)&address, &length) == 0 && address.ss_family == AF_INET6;
}

/* 1 when another request may follow. */
static int serve_one(struct http_server *server, struct http_input *input, size_t connection)
{
    struct http_request request;
    struct http_response response = {0};
    if (!http_request_read(input, &request)) return 0;
    request.server = server->label;
    request.connection = connection;
    request.ipv6 = is_ipv6(input->stream->fd);
    http_log_lock(server->log);
    const struct http_request *kept = http_log_add(server->log, &request);
    server->answer(server->user, kept, &response);
    http_log_unlock(server->log);
    if (kept->garbage) response = (struct http_response){.status = 400, .close = 1};
    if (kept->incomplete && !kept->garbage) return 0;
    const char *wish = http_request_header(kept, "connection", 0);
    if (wish && strcasecmp(wish, "close") == 0) response.close = 1;
    return http_response_write(input->stream, &response);
}

static void serve(void *user, struct stream *stream, size_t connection)
{
    struct http_input input = {.stream = stream};
    while (serve_one(user, &input, connection)) continue;
    free(input.bytes);
}

struct http_server *http_server_start(struct http_log *log, const char *label, const struct http_tls *tls,
                                      http_answer_fn answer, void *user)
{
    struct http_server *server = must_alloc(sizeof *server);
    server->log = log;
    server->label = http_log_label(log, label);
    server->answer = answer;
    server->user = user;
    if (tls) {
        server->tls = tls_context_new(tls);
        if (!server->tls) goto failed;
    }
    server->listener = listener_start(server->tls, serve, server);
    if (server->listener) return server;
failed:
    fprintf(stderr, "the server %s did not start\n", label);
    SSL_CTX_free(server->tls);
    free(server);
    return NULL;
}

unsigned http_server_port(const struct http_server *server)
{
    return listener_port(server->listener);
}

size_t http_server_connections(struct http_server *server)
{
    return listener_accepted(server->listener);
}

size_t http_server_handshakes_failed(struct http_server *server)
{
    return listener_handshakes_failed(server->listener);
}

size_t http_server_stop(struct http_server *server, unsigned grace_ms)
{
    if (!server) return 0;
    size_t left = listener_stop(server->listener, grace_ms);
    listener_free(server->listener);
    SSL_CTX_free(server->tls);
    free(server);
    return left;
}
