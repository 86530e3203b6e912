/* listener.c - accepting connections and ending them in good order. */
#include "listener.h"
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct connection {
    struct connection *next;
    struct listener *listener;
    pthread_t thread;
    size_t number;
    int fd;
    int done;
};

struct listener {
    int sockets[2]; /* IPv4 and IPv6; the second is -1 where there is no IPv6 */
    int wake[2];
    unsigned port;
    SSL_CTX *tls;
    listener_serve_fn serve;
    void *user;
    pthread_t thread;
    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t changed;
    struct connection *connections;
    size_t accepted, running, handshakes_failed;
};

/* A vanished client must not end the test program. */
static void block_sigpipe(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static int bind_any(int family, unsigned port)
{
    struct sockaddr_storage address;
    memset(&address, 0, sizeof address);
    socklen_t length = sizeof(struct sockaddr_in);
    if (family == AF_INET) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    } else {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        v6->sin6_addr = in6addr_loopback;
        length = sizeof *v6;
    }
    int on = 1, fd = socket(family, SOCK_STREAM, 0);
    if (fd < 0) return -1;
    if (family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, length) != 0 || listen(fd, 128) != 0) {
        close(fd);
        return -1;
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fd;
}

static unsigned port_of(int fd)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    return getsockname(fd, (struct sockaddr *)&address, &length) == 0 ? ntohs(address.sin_port) : 0;
}

static int have_ipv6(void)
{
    int fd = bind_any(AF_INET6, 0);
    if (fd >= 0) close(fd);
    return fd >= 0;
}

/* The same port in both families: what IPv4 got may be taken in IPv6, then another one is tried. */
static int bind_both(struct listener *listener)
{
    int ipv6 = have_ipv6();
    for (int attempt = 0; attempt < 20; attempt++) {
        listener->sockets[0] = bind_any(AF_INET, 0);
        if (listener->sockets[0] < 0) return -1;
        listener->port = port_of(listener->sockets[0]);
        listener->sockets[1] = ipv6 ? bind_any(AF_INET6, listener->port) : -1;
        if (!ipv6 || listener->sockets[1] >= 0) return 0;
        close(listener->sockets[0]);
    }
    return -1;
}

/* A close at once would be a reset, and the alert that tells the client what was wrong would be lost. */
static void linger(int fd)
{
    char bytes[4096];
    struct timeval limit = {.tv_sec = 1};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    shutdown(fd, SHUT_WR);
    while (recv(fd, bytes, sizeof bytes, 0) > 0) continue;
}

static void serve_tls(struct connection *connection, struct stream *stream)
{
    struct listener *listener = connection->listener;
    stream->ssl = SSL_new(listener->tls);
    if (stream->ssl && SSL_set_fd(stream->ssl, stream->fd) && SSL_accept(stream->ssl) == 1) {
        listener->serve(listener->user, stream, connection->number);
        SSL_shutdown(stream->ssl);
    } else {
        pthread_mutex_lock(&listener->lock);
        listener->handshakes_failed++;
        pthread_mutex_unlock(&listener->lock);
        linger(stream->fd);
    }
    SSL_free(stream->ssl);
}

static void *connection_main(void *argument)
{
    struct connection *connection = argument;
    struct listener *listener = connection->listener;
    struct stream stream = {.fd = connection->fd, .wake = listener->wake[0]};
    block_sigpipe();
    if (listener->tls)
        serve_tls(connection, &stream);
    else
        listener->serve(listener->user, &stream, connection->number);
    pthread_mutex_lock(&listener->lock);
    close(connection->fd); /* under the lock: listener_stop shuts down only what is open */
    connection->done = 1;
    listener->running--;
    pthread_cond_broadcast(&listener->changed);
    pthread_mutex_unlock(&listener->lock);
    return NULL;
}

static void add_connection(struct listener *listener, int fd)
{
    int on = 1;
    fcntl(fd, F_SETFL, 0);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct connection *connection = must_alloc(sizeof *connection);
    connection->listener = listener;
    connection->fd = fd;
    pthread_mutex_lock(&listener->lock);
    connection->number = listener->accepted;
    if (pthread_create(&connection->thread, NULL, connection_main, connection) == 0) {
        listener->accepted++;
        listener->running++;
        connection->next = listener->connections;
        listener->connections = connection;
        connection = NULL;
    }
    pthread_mutex_unlock(&listener->lock);
    if (!connection) return;
    close(fd);
    free(connection);
}

/* A thread that has ended keeps its stack until it is joined: thousands of connections would be gigabytes. */
static void join_ended(struct listener *listener)
{
    pthread_mutex_lock(&listener->lock);
    for (struct connection **at = &listener->connections; *at;) {
        struct connection *connection = *at;
        if (!connection->done) {
            at = &connection->next;
            continue;
        }
        *at = connection->next;
        pthread_join(connection->thread, NULL);
        free(connection);
    }
    pthread_mutex_unlock(&listener->lock);
}

static void accept_waiting(struct listener *listener)
{
    for (int i = 0; i < 2; i++) {
        for (int fd; listener->sockets[i] >= 0 && (fd = accept(listener->sockets[i], NULL, NULL)) >= 0;)
            add_connection(listener, fd);
    }
}

static void *accept_main(void *argument)
{
    struct listener *listener = argument;
    for (int stopped = 0; !stopped;) {
        struct pollfd wait[3] = {{.fd = listener->wake[0], .events = POLLIN},
                                 {.fd = listener->sockets[0], .events = POLLIN},
                                 {.fd = listener->sockets[1], .events = POLLIN}};
        if (poll(wait, 3, -1) < 0 && errno != EINTR) break;
        stopped = wait[0].revents != 0;
        join_ended(listener);
        accept_waiting(listener); /* after a stop too: a client that connected is served */
    }
    for (int i = 0; i < 2; i++) {
        if (listener->sockets[i] >= 0) close(listener->sockets[i]);
    }
    return NULL;
}

struct listener *listener_start(SSL_CTX *tls, listener_serve_fn serve, void *user)
{
    struct listener *listener = must_alloc(sizeof *listener);
    listener->tls = tls;
    listener->serve = serve;
    listener->user = user;
    pthread_mutex_init(&listener->lock, NULL);
    pthread_cond_init(&listener->changed, NULL);
    if (pipe(listener->wake) != 0) goto no_pipe;
    fcntl(listener->wake[0], F_SETFD, FD_CLOEXEC);
    fcntl(listener->wake[1], F_SETFD, FD_CLOEXEC);
    if (bind_both(listener) != 0) goto no_port;
    if (pthread_create(&listener->thread, NULL, accept_main, listener) == 0) return listener;
    for (int i = 0; i < 2; i++) {
        if (listener->sockets[i] >= 0) close(listener->sockets[i]);
    }
no_port:
    close(listener->wake[0]);
    close(listener->wake[1]);
no_pipe:
    free(listener);
    return NULL;
}

unsigned listener_port(const struct listener *listener)
{
    return listener->port;
}

static size_t read_count(struct listener *listener, const size_t *count)
{
    pthread_mutex_lock(&listener->lock);
    size_t value = *count;
    pthread_mutex_unlock(&listener->lock);
    return value;
}

size_t listener_accepted(struct listener *listener)
{
    return read_count(listener, &listener->accepted);
}

size_t listener_handshakes_failed(struct listener *listener)
{
    return read_count(listener, &listener->handshakes_failed);
}

static void wait_until_idle(struct listener *listener, unsigned grace_ms)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += grace_ms / 1000;
    end.tv_nsec += (long)(grace_ms % 1000) * 1000000;
    if (end.tv_nsec >= 1000000000) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000;
    }
    while (listener->running && pthread_cond_timedwait(&listener->changed, &listener->lock, &end) == 0)
        continue;
}

size_t listener_stop(struct listener *listener, unsigned grace_ms)
{
    while (write(listener->wake[1], "", 1) < 0 && errno == EINTR) continue;
    pthread_join(listener->thread, NULL);
    pthread_mutex_lock(&listener->lock);
    wait_until_idle(listener, grace_ms);
    for (struct connection *c = listener->connections; c; c = c->next) {
        if (!c->done) shutdown(c->fd, SHUT_RDWR);
    }
    size_t left = listener->running;
    pthread_mutex_unlock(&listener->lock);
    for (struct connection *c = listener->connections; c; c = c->next) pthread_join(c->thread, NULL);
    return left;
}

void listener_free(struct listener *listener)
{
    for (struct connection *next; listener->connections; listener->connections = next) {
        next = listener->connections->next;
        free(listener->connections);
    }
    close(listener->wake[0]);
    close(listener->wake[1]);
    pthread_mutex_destroy(&listener->lock);
    pthread_cond_destroy(&listener->changed);
    free(listener);
}
