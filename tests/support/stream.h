/* stream.h - one accepted connection, plain or TLS, whose waits end when its server is stopped. */
#ifndef SUPPORT_STREAM_H
#define SUPPORT_STREAM_H

#include <openssl/ssl.h>
#include <stddef.h>
#include <sys/types.h>

struct stream {
    int fd;
    int wake; /* readable from the moment the server is told to stop */
    SSL *ssl; /* NULL without TLS */
};

/* The bytes read, 0 at the end (a broken connection is an end too). */
size_t stream_read(struct stream *stream, void *bytes, size_t size);

/* 0, or -1 when the other side has gone. */
int stream_write(struct stream *stream, const void *bytes, size_t length);

/* 0 when the time has passed, -1 when the server was stopped meanwhile. */
int stream_pause(struct stream *stream, unsigned milliseconds);

/* The next close resets the connection. */
void stream_reset_on_close(struct stream *stream);

/* Copies in both directions until one side ends. */
void stream_relay(struct stream *stream, int other);

/* A connection to a port of loopback, -1 when there is none. */
int stream_connect(const char *host, const char *port);

#endif
