/* stream.c - blocking reads and writes on one connection. */
#include "stream.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

size_t stream_read(struct stream *stream, void *bytes, size_t size)
{
    for (;;) {
        ssize_t n;
        if (stream->ssl)
            n = SSL_read(stream->ssl, bytes, size > 1 << 20 ? 1 << 20 : (int)size);
        else
            n = recv(stream->fd, bytes, size, 0);
        if (n > 0) return (size_t)n;
        if (!stream->ssl && n < 0 && errno == EINTR) continue;
        return 0;
    }
}

int stream_write(struct stream *stream, const void *bytes, size_t length)
{
    const char *at = bytes;
    while (length) {
        ssize_t n;
        if (stream->ssl)
            n = SSL_write(stream->ssl, at, length > 1 << 20 ? 1 << 20 : (int)length);
        else
            n = send(stream->fd, at, length, MSG_NOSIGNAL);
        if (n <= 0) {
            if (!stream->ssl && errno == EINTR) continue;
            return -1;
        }
        at += n;
        length -= (size_t)n;
    }
    return 0;
}

int stream_pause(struct stream *stream, unsigned milliseconds)
{
    struct pollfd wait = {.fd = stream->wake, .events = POLLIN};
    return poll(&wait, 1, (int)milliseconds) == 0 ? 0 : -1;
}

void stream_reset_on_close(struct stream *stream)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

static int pass_on(struct stream *stream, int other)
{
    char bytes[16384];
    size_t n = stream_read(stream, bytes, sizeof bytes);
    struct stream to = {.fd = other, .wake = -1};
    return n && stream_write(&to, bytes, n) == 0 ? 0 : -1;
}

static int pass_back(struct stream *stream, int other)
{
    char bytes[16384];
    struct stream from = {.fd = other, .wake = -1};
    size_t n = stream_read(&from, bytes, sizeof bytes);
    return n && stream_write(stream, bytes, n) == 0 ? 0 : -1;
}

void stream_relay(struct stream *stream, int other)
{
    for (;;) {
        struct pollfd wait[2] = {{.fd = stream->fd, .events = POLLIN}, {.fd = other, .events = POLLIN}};
        int waiting = stream->ssl && SSL_pending(stream->ssl) > 0;
        if (!waiting && poll(wait, 2, -1) < 0) {
            if (errno == EINTR) continue;
            return;
        }
        if ((waiting || wait[0].revents) && pass_on(stream, other) != 0) return;
        if (wait[1].revents && pass_back(stream, other) != 0) return;
    }
}

int stream_connect(const char *host, const char *port)
{
    struct addrinfo hints, *list = NULL;
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(host, port, &hints, &list) != 0) return -1;
    int fd = -1;
    for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    return fd;
}
