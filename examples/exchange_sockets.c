/*
 * exchange_sockets.c - a case pushed with an HTTP client of one's own: here plain sockets.
 *
 *     exchange_sockets CONNECTOR.json TITLE
 *
 * The library decides what is sent and what an answer means; this program only carries the bytes.  It
 * speaks http to a host without a proxy, and says so when the hop's policy wants more.
 */
#include <casehook.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define ANSWER_MAX (2 * 1024 * 1024)
#define INCOMPLETE ((size_t)-1)

/* "http://host:port/path" in three; 0 for anything else. */
static int split(const char *url, char host[256], char port[8], const char **target)
{
    const char *authority = url + 7, *end, *colon;
    if (strncmp(url, "http://", 7) != 0) return 0;
    end = authority + strcspn(authority, "/?");
    colon = memchr(authority, ':', (size_t)(end - authority));
    size_t length = (size_t)((colon ? colon : end) - authority);
    if (*authority == '[' || length >= 256 || (colon && end - colon > 6)) return 0;
    memcpy(host, authority, length);
    host[length] = '\0';
    snprintf(port, 8, "%.*s", colon ? (int)(end - colon - 1) : 2, colon ? colon + 1 : "80");
    *target = end;
    return 1;
}

static int connect_to(const char *host, const char *port, unsigned timeout_ms)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    struct timeval limit = {.tv_sec = (time_t)(timeout_ms / 1000 + 1)};
    int s = -1;
    if (getaddrinfo(host, port, &hints, &list)) return -1;
    for (struct addrinfo *a = list; a && s < 0; a = a->ai_next) {
        s = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
        if (s < 0) continue;
        setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        if (connect(s, a->ai_addr, a->ai_addrlen)) {
            close(s);
            s = -1;
        }
    }
    freeaddrinfo(list);
    return s;
}

static int send_all(int s, const char *data, size_t length)
{
    while (length) {
        ssize_t n = send(s, data, length, MSG_NOSIGNAL);
        if (n <= 0) return 0;
        data += n;
        length -= (size_t)n;
    }
    return 1;
}

/* However long it is: a header may hold a large token. */
static int send_text(int s, const char *text)
{
    return send_all(s, text, strlen(text));
}

static int send_request(int s, const struct casehook_http_request *r, const char *host, const char *port,
                        const char *target)
{
    char line[512];
    int sent = send_text(s, r->method) && send_text(s, *target == '/' ? " " : " /") && send_text(s, target);
    snprintf(line, sizeof line, " HTTP/1.1\r\nHost: %s:%s\r\nConnection: close\r\n", host, port);
    sent = sent && send_text(s, line);
    for (size_t i = 0; sent && i < r->header_count; i++) {
        /* Not headers[i]: those of a newer library may be larger. */
        const struct casehook_http_header *h = (const void *)((const char *)r->headers + i * r->header_size);
        sent = send_text(s, h->name) && send_text(s, ": ") && send_text(s, h->value) && send_text(s, "\r\n");
    }
    snprintf(line, sizeof line, "Content-Length: %zu\r\n\r\n", r->body_length);
    return sent && send_text(s, r->body ? line : "\r\n") && send_all(s, r->body, r->body_length);
}

/* 0 unless the server closed the connection in order. */
static size_t receive_all(int s, char *answer)
{
    size_t length = 0;
    ssize_t n = 0;
    while (length < ANSWER_MAX && (n = recv(s, answer + length, ANSWER_MAX - length, 0)) > 0)
        length += (size_t)n;
    answer[length] = '\0';
    return n == 0 ? length : 0;
}

/* Takes the chunk sizes out, in place; INCOMPLETE when the last one is missing. */
static size_t unchunk(char *body, size_t length)
{
    char *in = body, *out = body, *end = body + length;
    for (;;) {
        char *rest = NULL;
        size_t size = strtoul(in, &rest, 16);
        char *line = rest ? memchr(rest, '\n', (size_t)(end - rest)) : NULL;
        if (rest == in || !line || size > (size_t)(end - line - 1)) return INCOMPLETE;
        if (size == 0) return (size_t)(out - body);
        memmove(out, line + 1, size);
        out += size;
        in = line + 1 + size;
        if (in < end) in += strspn(in, "\r\n");
    }
}

/* Does one request and says to the exchange what came of it. */
static void carry(struct casehook_exchange *exchange, const struct casehook_http_request *r, char *answer)
{
    char host[256], port[8];
    const char *target;
    if (r->proxy_url || !split(r->url, host, port, &target)) {
        casehook_exchange_fail(exchange, CASEHOOK_E_CONNECT, 0,
                               "this client speaks http without a proxy only");
        return;
    }
    int s = connect_to(host, port, r->timeout_ms);
    if (s < 0) {
        casehook_exchange_fail(exchange, CASEHOOK_E_CONNECT, 0, "no connection");
        return;
    }
    size_t length = send_request(s, r, host, port, target) ? receive_all(s, answer) : 0;
    char *headers = strchr(answer, '\n'), *body = strstr(answer, "\r\n\r\n");
    close(s);
    if (!length || strncmp(answer, "HTTP/1.", 7) != 0 || !headers || !body) {
        casehook_exchange_fail(exchange, CASEHOOK_E_NETWORK, 1, "no answer");
        return;
    }
    int chunked = 0;
    size_t body_length = length - (size_t)(body + 4 - answer);
    for (char *line = headers; line && line < body; line = strchr(line + 1, '\n')) {
        chunked |= strncasecmp(line + 1, "Transfer-Encoding: chunked", 26) == 0;
        if (strncasecmp(line + 1, "Content-Length:", 15) == 0 && strtoul(line + 16, NULL, 10) != body_length)
            body_length = INCOMPLETE;
    }
    if (chunked) body_length = unchunk(body + 4, body_length);
    if (body_length == INCOMPLETE) {
        casehook_exchange_fail(exchange, CASEHOOK_E_NETWORK, 1, "the connection broke in the answer");
        return;
    }
    casehook_exchange_feed(exchange, atoi(answer + 9), headers + 1, (size_t)(body + 2 - headers - 1),
                           body + 4, body_length);
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, 65536);
    if (!file || !text || fread(text, 1, 65535, file) == 0) {
        perror(path);
        exit(1);
    }
    fclose(file);
    return text;
}

int main(int argc, char **argv)
{
    struct casehook_connector *connector = NULL;
    struct casehook_exchange *exchange = NULL;
    struct casehook_error *error = NULL;
    struct casehook_params params = {.struct_size = sizeof params};
    if (argc != 3) {
        fprintf(stderr, "usage: exchange_sockets CONNECTOR.json TITLE\n");
        return 2;
    }
    char *document = read_file(argv[1]), *answer = calloc(1, ANSWER_MAX + 1);
    params.title = argv[2];
    if (casehook_connector_new(NULL, document, CASEHOOK_TERMINATED, &connector, &error)) {
        for (const struct casehook_error *fault = error; fault; fault = casehook_error_next(fault))
            fprintf(stderr, "%s\n", casehook_error_message(fault)); /* it begins with the field */
        return 1;
    }
    if (!answer || casehook_exchange_new(connector, CASEHOOK_PUSH, &params, NULL, &exchange, NULL)) return 1;
    struct casehook_http_request request = {.struct_size = sizeof request};
    int turn;
    while ((turn = casehook_exchange_next(exchange, &request)) > CASEHOOK_EXCHANGE_ENDED) {
        if (turn == CASEHOOK_EXCHANGE_WAIT) { /* before it is tried again; a host has better things to do */
            poll(NULL, 0, request.wait_ms < INT_MAX ? (int)request.wait_ms : INT_MAX);
            continue;
        }
        printf("%s: %s %s\n", casehook_step_name(request.step), request.method, request.url);
        carry(exchange, &request, answer);
    }
    struct casehook_result *result = casehook_exchange_result(exchange);
    int failed = casehook_result_error(result) != NULL;
    if (failed)
        fprintf(stderr, "%s\n", casehook_error_message(casehook_result_error(result)));
    else
        printf("case %s: %s\n", casehook_result_id(result, NULL), casehook_result_url(result, NULL));
    casehook_result_free(result);
    casehook_exchange_free(exchange);
    casehook_connector_unref(connector);
    free(document);
    free(answer);
    return failed;
}
