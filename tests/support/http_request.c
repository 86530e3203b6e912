/* http_request.c - reading one request exactly. */
#include "http_message.h"
#include "memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEAD_MAX ((size_t)4 << 20)
#define BODY_MAX ((size_t)64 << 20)

static int more(struct http_input *input)
{
    if (input->size - input->length < 16384) {
        input->size = input->size ? input->size * 2 : 32768;
        input->bytes = must_grow(input->bytes, input->size);
    }
    size_t n = stream_read(input->stream, input->bytes + input->length, input->size - input->length);
    input->length += n;
    return n > 0;
}

static void use(struct http_input *input, size_t length)
{
    input->length -= length;
    memmove(input->bytes, input->bytes + length, input->length);
}

static size_t find(const struct http_input *input, const char *what, size_t from)
{
    size_t n = strlen(what);
    for (size_t i = from; i + n <= input->length; i++) {
        if (memcmp(input->bytes + i, what, n) == 0) return i + n;
    }
    return 0;
}

/* No method begins like that, so there is no use in waiting for the end of a head. */
static int is_garbage(const struct http_input *input)
{
    unsigned char first = (unsigned char)input->bytes[0];
    return first <= ' ' || first >= 0x7F;
}

/* The length of everything up to and with what; 0 when the connection or the bound ends first. */
static size_t read_until(struct http_input *input, const char *what, size_t max)
{
    for (size_t from = 0;;) {
        size_t end = find(input, what, from);
        if (end || input->length > max) return end;
        from = input->length < 4 ? 0 : input->length - 4;
        if (!more(input)) return 0;
    }
}

static char *trimmed(const char *text, size_t length)
{
    while (length && (*text == ' ' || *text == '\t')) {
        text++;
        length--;
    }
    while (length && (text[length - 1] == ' ' || text[length - 1] == '\t')) length--;
    return must_copy(text, length);
}

static void add_header(struct http_request *request, const char *line, size_t length)
{
    const char *colon = memchr(line, ':', length);
    size_t name = colon ? (size_t)(colon - line) : length;
    request->headers = must_grow(request->headers, (request->header_count + 1) * sizeof *request->headers);
    struct http_header *header = &request->headers[request->header_count++];
    header->name = must_copy(line, name);
    header->value = colon ? trimmed(colon + 1, length - name - 1) : must_copy("", 0);
}

static void split_line(struct http_request *request)
{
    const char *line = request->line;
    const char *first = strchr(line, ' '), *last = strrchr(line, ' ');
    if (!first) first = last = line + strlen(line);
    request->method = must_copy(line, (size_t)(first - line));
    request->target = last > first ? must_copy(first + 1, (size_t)(last - first) - 1) : must_copy("", 0);
    request->version = must_copy(last + (*last ? 1 : 0), strlen(last + (*last ? 1 : 0)));
}

static void split_head(struct http_request *request)
{
    const char *at = request->head, *end = at + request->head_length - 2;
    while (at < end) {
        const char *stop = strstr(at, "\r\n");
        if (!stop || stop > end) stop = end; /* a NUL in the head */
        if (request->line)
            add_header(request, at, (size_t)(stop - at));
        else
            request->line = must_copy(at, (size_t)(stop - at));
        at = stop + 2;
    }
    if (!request->line) request->line = must_copy("", 0);
    split_line(request);
}

static int append_body(struct http_input *input, struct http_request *request, size_t length)
{
    if (length > BODY_MAX - request->body_length) return -1;
    request->body = must_grow(request->body, request->body_length + length + 1);
    while (input->length < length) {
        if (more(input)) continue;
        length = input->length;
        request->incomplete = 1;
    }
    if (length) memcpy(request->body + request->body_length, input->bytes, length);
    request->body_length += length;
    request->body[request->body_length] = '\0';
    use(input, length);
    return request->incomplete ? -1 : 0;
}

static int read_chunks(struct http_input *input, struct http_request *request)
{
    for (;;) {
        size_t end = read_until(input, "\r\n", 1024);
        if (!end) return -1;
        char *rest;
        unsigned long length = strtoul(input->bytes, &rest, 16);
        if (rest == input->bytes) return -1;
        use(input, end);
        if (length && append_body(input, request, length) != 0) return -1;
        end = read_until(input, "\r\n", 1024); /* no trailers are expected */
        if (end != 2) return -1;
        use(input, end);
        if (!length) return 0;
    }
}

static void read_body(struct http_input *input, struct http_request *request)
{
    const char *length = http_request_header(request, "content-length", 0);
    const char *coding = http_request_header(request, "transfer-encoding", 0);
    request->body = must_copy("", 0);
    int failed = 0;
    if (coding && strcasecmp(coding, "chunked") == 0)
        failed = read_chunks(input, request);
    else if (length)
        failed = append_body(input, request, strtoul(length, NULL, 10));
    if (failed) request->incomplete = 1;
}

static void read_peer(struct http_request *request, SSL *ssl)
{
    X509 *peer = ssl ? SSL_get1_peer_certificate(ssl) : NULL;
    if (!peer) return;
    char *name = X509_NAME_oneline(X509_get_subject_name(peer), NULL, 0);
    request->peer = must_copy(name, strlen(name));
    OPENSSL_free(name);
    X509_free(peer);
}

int http_request_read(struct http_input *input, struct http_request *request)
{
    memset(request, 0, sizeof *request);
    if (!input->length && !more(input)) return 0;
    request->garbage = is_garbage(input);
    size_t end = request->garbage ? 0 : read_until(input, "\r\n\r\n", HEAD_MAX);
    request->incomplete = !end;
    request->head_length = end ? end : input->length;
    request->head = must_copy(input->bytes, request->head_length);
    use(input, request->head_length);
    if (!end) { /* splitting wants whole lines */
        request->head = must_grow(request->head, request->head_length + 5);
        memcpy(request->head + request->head_length, "\r\n\r\n", 5);
        request->head_length += 4;
    }
    split_head(request);
    if (!end) {
        request->head_length -= 4;
        request->head[request->head_length] = '\0';
        request->body = must_copy("", 0);
    } else {
        read_body(input, request);
    }
    read_peer(request, input->stream->ssl);
    return 1;
}

void http_request_clear(struct http_request *request)
{
    for (size_t i = 0; i < request->header_count; i++) {
        free((void *)(uintptr_t)request->headers[i].name);
        free((void *)(uintptr_t)request->headers[i].value);
    }
    free(request->headers);
    free(request->head);
    free(request->line);
    free(request->method);
    free(request->target);
    free(request->version);
    free(request->body);
    free(request->peer);
    memset(request, 0, sizeof *request);
}

const char *http_request_header(const struct http_request *request, const char *name, size_t index)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (strcasecmp(request->headers[i].name, name) == 0 && index-- == 0) return request->headers[i].value;
    }
    return NULL;
}

size_t http_request_header_count(const struct http_request *request, const char *name)
{
    size_t count = 0;
    while (http_request_header(request, name, count)) count++;
    return count;
}
