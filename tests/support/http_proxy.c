/* http_proxy.c - passes on one request per connection, or one tunnel. */
#include "http_proxy.h"
#include "listener.h"
#include "memory.h"
#include "tls_context.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

struct http_proxy {
    struct http_log *log;
    char *label;
    enum http_proxy_mode mode;
    SSL_CTX *tls;
    struct listener *listener;
};

/* Splits "host:port" or "[host]:port" up to a slash or the end; the rest is what follows. */
static int connect_to(const char *authority, const char *default_port, const char **rest)
{
    size_t length = strcspn(authority, "/?");
    *rest = authority + length;
    char *host = must_copy(authority, length);
    char *colon = strrchr(host, ':');
    const char *port = default_port;
    if (colon && !strchr(colon, ']')) {
        *colon = '\0';
        port = colon + 1;
    }
    size_t end = strlen(host);
    int brackets = end > 1 && host[0] == '[' && host[end - 1] == ']';
    if (brackets) host[end - 1] = '\0';
    int fd = stream_connect(host + brackets, port);
    free(host);
    return fd;
}

static void answer(struct stream *stream, int status, const struct http_header *header)
{
    struct http_response response = {
        .status = status, .headers = header, .header_count = header ? 1 : 0, .close = 1};
    http_response_write(stream, &response);
}

/* What was read behind the head belongs to the tunnel. */
static void tunnel(struct http_input *input, int other)
{
    static const char ok[] = "HTTP/1.1 200 Connection established\r\n\r\n";
    struct stream to = {.fd = other, .wake = -1};
    if (stream_write(input->stream, ok, sizeof ok - 1) != 0) return;
    if (stream_write(&to, input->bytes, input->length) != 0) return;
    stream_relay(input->stream, other);
}

static int is_for_proxy(const char *name)
{
    return strncasecmp(name, "proxy-", 6) == 0 || strcasecmp(name, "connection") == 0 ||
           strcasecmp(name, "transfer-encoding") == 0 || strcasecmp(name, "content-length") == 0;
}

static void pass_on(struct http_input *input, const struct http_request *request, const char *path, int other)
{
    char *text = NULL;
    size_t length = 0;
    FILE *head = open_memstream(&text, &length);
    if (!head) return;
    fprintf(head, "%s %s%s %s\r\n", request->method, *path == '/' ? "" : "/", path, request->version);
    for (size_t i = 0; i < request->header_count; i++) {
        const struct http_header *header = &request->headers[i];
        if (!is_for_proxy(header->name)) fprintf(head, "%s: %s\r\n", header->name, header->value);
    }
    if (request->body_length) fprintf(head, "Content-Length: %zu\r\n", request->body_length);
    fputs("Connection: close\r\n\r\n", head);
    fwrite(request->body, 1, request->body_length, head);
    fclose(head);
    struct stream to = {.fd = other, .wake = -1};
    if (stream_write(&to, text, length) == 0) stream_relay(input->stream, other);
    free(text);
}

static void serve_request(struct http_proxy *proxy, struct http_input *input,
                          const struct http_request *request)
{
    static const struct http_header challenge = {"Proxy-Authenticate", "Basic realm=\"proxy\""};
    int connect = strcmp(request->method, "CONNECT") == 0;
    if (proxy->mode == HTTP_PROXY_REFUSE) {
        answer(input->stream, 403, NULL);
    } else if (proxy->mode == HTTP_PROXY_AUTH) {
        answer(input->stream, 407, &challenge);
    } else if (!connect && strncasecmp(request->target, "http://", 7) != 0) {
        answer(input->stream, 400, NULL);
    } else {
        const char *rest;
        int other = connect_to(request->target + (connect ? 0 : 7), connect ? "443" : "80", &rest);
        if (other < 0)
            answer(input->stream, 502, NULL);
        else if (connect)
            tunnel(input, other);
        else
            pass_on(input, request, rest, other);
        if (other >= 0) close(other);
    }
}

static void serve(void *user, struct stream *stream, size_t connection)
{
    struct http_proxy *proxy = user;
    struct http_input input = {.stream = stream};
    struct http_request request;
    if (http_request_read(&input, &request)) {
        request.server = proxy->label;
        request.connection = connection;
        http_log_lock(proxy->log);
        const struct http_request *kept = http_log_add(proxy->log, &request);
        http_log_unlock(proxy->log);
        if (!kept->incomplete) serve_request(proxy, &input, kept);
    }
    free(input.bytes);
}

struct http_proxy *http_proxy_start(struct http_log *log, const char *label, const struct http_tls *tls,
                                    enum http_proxy_mode mode)
{
    struct http_proxy *proxy = must_alloc(sizeof *proxy);
    proxy->log = log;
    proxy->label = http_log_label(log, label);
    proxy->mode = mode;
    if (tls) {
        proxy->tls = tls_context_new(tls);
        if (!proxy->tls) goto failed;
    }
    proxy->listener = listener_start(proxy->tls, serve, proxy);
    if (proxy->listener) return proxy;
failed:
    fprintf(stderr, "the proxy %s did not start\n", label);
    SSL_CTX_free(proxy->tls);
    free(proxy);
    return NULL;
}

unsigned http_proxy_port(const struct http_proxy *proxy)
{
    return listener_port(proxy->listener);
}

size_t http_proxy_connections(struct http_proxy *proxy)
{
    return listener_accepted(proxy->listener);
}

void http_proxy_stop(struct http_proxy *proxy, unsigned grace_ms)
{
    if (!proxy) return;
    listener_stop(proxy->listener, grace_ms);
    listener_free(proxy->listener);
    SSL_CTX_free(proxy->tls);
    free(proxy);
}
