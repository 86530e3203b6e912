/* h2_server.c - frames of HTTP/2, read and written by hand (RFC 9113). */
#include "h2_server.h"
#include "listener.h"
#include "memory.h"
#include "tls_context.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { DATA = 0, HEADERS = 1, RST_STREAM = 3, SETTINGS = 4, PING = 6, GOAWAY = 7, WINDOW_UPDATE = 8 };
enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4 };
enum { INTERNAL_ERROR = 2, REFUSED_STREAM = 7, CANCEL = 8, HTTP_1_1_REQUIRED = 13 };

#define PREFACE   "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define FRAME_MAX 16384

struct h2_server {
    enum h2_fault fault;
    size_t faulty, more;
    pthread_mutex_t lock; /* for the counts */
    size_t requests, writes;
    SSL_CTX *tls;
    struct listener *listener;
};

struct frame {
    unsigned type, flags, stream;
    size_t length;
    unsigned char payload[FRAME_MAX];
};

const char *h2_fault_name(enum h2_fault fault)
{
    static const char *const names[H2_FAULTS] = {
        "close",      "reset",        "GOAWAY before",     "GOAWAY at",       "RST refused", "RST internal",
        "RST cancel", "RST HTTP/1.1", "close in the body", "RST in the body", "garbage"};
    return names[fault];
}

/* ---- frames ----------------------------------------------------------------------------------- */

static int read_all(struct stream *stream, void *bytes, size_t length)
{
    char *at = bytes;
    while (length) {
        size_t got = stream_read(stream, at, length);
        if (!got) return -1;
        at += got;
        length -= got;
    }
    return 0;
}

static int read_frame(struct stream *stream, struct frame *frame)
{
    unsigned char head[9];
    if (read_all(stream, head, sizeof head) != 0) return -1;
    frame->length = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
    frame->type = head[3];
    frame->flags = head[4];
    frame->stream =
        (unsigned)(head[5] & 0x7F) << 24 | (unsigned)head[6] << 16 | (unsigned)head[7] << 8 | head[8];
    return frame->length <= FRAME_MAX ? read_all(stream, frame->payload, frame->length) : -1;
}

static void write_frame(struct stream *stream, unsigned type, unsigned flags, unsigned id,
                        const void *payload, size_t length)
{
    unsigned char bytes[9 + 256] = {
        (unsigned char)(length >> 16), (unsigned char)(length >> 8), (unsigned char)length,
        (unsigned char)type,           (unsigned char)flags,         (unsigned char)(id >> 24),
        (unsigned char)(id >> 16),     (unsigned char)(id >> 8),     (unsigned char)id};
    if (length > 256) abort();
    if (length) memcpy(bytes + 9, payload, length);
    stream_write(stream, bytes, 9 + length);
}

static void write_number(struct stream *stream, unsigned type, unsigned id, unsigned first, unsigned second,
                         size_t length)
{
    const unsigned char payload[8] = {(unsigned char)(first >> 24),  (unsigned char)(first >> 16),
                                      (unsigned char)(first >> 8),   (unsigned char)first,
                                      (unsigned char)(second >> 24), (unsigned char)(second >> 16),
                                      (unsigned char)(second >> 8),  (unsigned char)second};
    write_frame(stream, type, 0, id, payload, length);
}

/* ---- answers ---------------------------------------------------------------------------------- */

static const char body[] = "{\"id\":\"42\",\"key\":\"K\"}";

static void write_headers(struct stream *stream, unsigned id)
{
    /* HPACK without its table: ":status" (8) 201 and "content-type" (31), as text */
    static const char headers[] = "\x08\x03"
                                  "201"
                                  "\x0F\x10\x10"
                                  "application/json";
    write_frame(stream, HEADERS, END_HEADERS, id, headers, sizeof headers - 1);
}

static void answer(struct stream *stream, unsigned id)
{
    write_headers(stream, id);
    write_frame(stream, DATA, END_STREAM, id, body, sizeof body - 1);
}

/* 0 when the connection goes on. */
static int let_down(struct stream *stream, enum h2_fault fault, unsigned id)
{
    switch (fault) {
    case H2_RESET: stream_reset_on_close(stream); return -1;
    case H2_GOAWAY_BEFORE: write_number(stream, GOAWAY, 0, id - 2, 0, 8); return -1;
    case H2_GOAWAY_AT: write_number(stream, GOAWAY, 0, id, 0, 8); return -1;
    case H2_RST_REFUSED: write_number(stream, RST_STREAM, id, REFUSED_STREAM, 0, 4); return 0;
    case H2_RST_INTERNAL: write_number(stream, RST_STREAM, id, INTERNAL_ERROR, 0, 4); return 0;
    case H2_RST_CANCEL: write_number(stream, RST_STREAM, id, CANCEL, 0, 4); return 0;
    case H2_RST_HTTP11: write_number(stream, RST_STREAM, id, HTTP_1_1_REQUIRED, 0, 4); return 0;
    case H2_CLOSE_IN_BODY:
    case H2_RST_IN_BODY:
        write_headers(stream, id);
        write_frame(stream, DATA, 0, id, body, sizeof body / 2);
        if (fault == H2_CLOSE_IN_BODY) return -1;
        write_number(stream, RST_STREAM, id, INTERNAL_ERROR, 0, 4);
        return 0;
    case H2_GARBAGE: stream_write(stream, "HTTP/1.1 201 Created\r\n\r\n", 24); return -1;
    case H2_CLOSE:
    case H2_FAULTS: break;
    }
    return -1;
}

/* ---- connections ------------------------------------------------------------------------------ */

/* A request is there when its last frame is.  0 when the connection goes on. */
static int serve_frame(struct h2_server *server, struct stream *stream, const struct frame *frame,
                       size_t *number)
{
    int ends = frame->flags & END_STREAM;
    if (frame->type == SETTINGS && !(frame->flags & ACK)) write_frame(stream, SETTINGS, ACK, 0, NULL, 0);
    if (frame->type == PING && !(frame->flags & ACK)) write_frame(stream, PING, ACK, 0, frame->payload, 8);
    if (frame->type != HEADERS && frame->type != DATA) return 0;
    if (frame->type == HEADERS) {
        pthread_mutex_lock(&server->lock);
        *number = server->requests++;
        server->writes += !ends;
        pthread_mutex_unlock(&server->lock);
    } else if (frame->length) {
        write_number(stream, WINDOW_UPDATE, 0, (unsigned)frame->length, 0, 4);
    }
    if (!ends) return 0;
    size_t last = server->faulty + server->more;
    if (*number >= server->faulty && *number < last) return 0;
    if (*number == last) return let_down(stream, server->fault, frame->stream - 2 * (unsigned)server->more);
    answer(stream, frame->stream);
    return 0;
}

static void serve(void *user, struct stream *stream, size_t connection)
{
    struct h2_server *server = user;
    struct frame *frame = must_alloc(sizeof *frame);
    char preface[sizeof PREFACE - 1];
    size_t number = 0;
    (void)connection;
    if (read_all(stream, preface, sizeof preface) == 0 && memcmp(preface, PREFACE, sizeof preface) == 0) {
        write_frame(stream, SETTINGS, 0, 0, NULL, 0);
        while (read_frame(stream, frame) == 0 && serve_frame(server, stream, frame, &number) == 0) continue;
        /* What is on its way is read, or TCP would take back the frame that was written. */
        if (server->fault == H2_GOAWAY_BEFORE && SSL_shutdown(stream->ssl) == 0 &&
            shutdown(stream->fd, SHUT_WR) == 0)
            while (read_frame(stream, frame) == 0) continue;
    }
    free(frame);
}

static int select_h2(SSL *ssl, const unsigned char **out, unsigned char *length, const unsigned char *offered,
                     unsigned offered_length, void *unused)
{
    static const unsigned char h2[] = "\x02h2";
    union {
        unsigned char *wanted;
        const unsigned char *given;
    } chosen;
    (void)ssl;
    (void)unused;
    int found = SSL_select_next_proto(&chosen.wanted, length, h2, 3, offered, offered_length);
    *out = chosen.given;
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

struct h2_server *h2_server_start(const struct http_tls *tls, enum h2_fault fault, size_t request)
{
    struct h2_server *server = must_alloc(sizeof *server);
    server->fault = fault;
    server->faulty = request;
    pthread_mutex_init(&server->lock, NULL);
    server->tls = tls_context_new(tls);
    if (!server->tls) abort();
    SSL_CTX_set_alpn_select_cb(server->tls, select_h2, NULL);
    server->listener = listener_start(server->tls, serve, server);
    if (!server->listener) abort();
    return server;
}

void h2_server_gather(struct h2_server *server, size_t more)
{
    server->more = more;
}

unsigned h2_server_port(const struct h2_server *server)
{
    return listener_port(server->listener);
}

static size_t count(struct h2_server *server, const size_t *value)
{
    pthread_mutex_lock(&server->lock);
    size_t now = *value;
    pthread_mutex_unlock(&server->lock);
    return now;
}

size_t h2_server_requests(struct h2_server *server)
{
    return count(server, &server->requests);
}

size_t h2_server_writes(struct h2_server *server)
{
    return count(server, &server->writes);
}

void h2_server_stop(struct h2_server *server)
{
    listener_stop(server->listener, 2000);
    listener_free(server->listener);
    SSL_CTX_free(server->tls);
    pthread_mutex_destroy(&server->lock);
    free(server);
}
