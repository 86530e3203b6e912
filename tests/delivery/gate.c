/*
 * gate.c - a socket that listens or does not; what it accepts is passed on.
 *
 * shutdown() of a listening socket ends its listening, not its claim to the port: listen() begins anew.
 */
#include "gate.h"
#include "memory.h"
#include "stream.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PASSAGES_MAX = 64 };

struct passage {
    pthread_t thread;
    int from, to;
};

struct gate {
    int fd, wake[2]; /* wake: something has changed for the thread */
    unsigned port;
    char to_port[8];
    pthread_t thread;
    pthread_mutex_t lock; /* for what follows */
    int open, ending;
    struct passage passages[PASSAGES_MAX];
    size_t count;
};

static void *pass(void *argument)
{
    struct passage *passage = argument;
    struct stream from = {.fd = passage->from, .wake = -1};
    stream_relay(&from, passage->to);
    shutdown(passage->from, SHUT_RDWR);
    shutdown(passage->to, SHUT_RDWR);
    return NULL;
}

static void let_in(struct gate *gate, int fd)
{
    int on = 1;
    if (gate->count == PASSAGES_MAX) abort();
    struct passage *passage = &gate->passages[gate->count];
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    *passage = (struct passage){.from = fd, .to = stream_connect("127.0.0.1", gate->to_port)};
    if (passage->to < 0) abort();
    setsockopt(passage->to, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (pthread_create(&passage->thread, NULL, pass, passage)) abort();
    gate->count++;
}

/* 0 when the gate ends; open is whether there is something to accept. */
static int state_of(struct gate *gate, int *open)
{
    pthread_mutex_lock(&gate->lock);
    *open = gate->open;
    int ending = gate->ending;
    pthread_mutex_unlock(&gate->lock);
    return !ending;
}

static void *gate_main(void *argument)
{
    struct gate *gate = argument;
    char bytes[16];
    for (int open; state_of(gate, &open);) {
        struct pollfd wait[2] = {{.fd = gate->wake[0], .events = POLLIN},
                                 {.fd = open ? gate->fd : -1, .events = POLLIN}};
        poll(wait, 2, -1);
        if (wait[0].revents && read(gate->wake[0], bytes, sizeof bytes) < 0) abort();
        for (int fd; open && (fd = accept(gate->fd, NULL, NULL)) >= 0;) let_in(gate, fd);
    }
    return NULL;
}

static void tell(struct gate *gate)
{
    if (write(gate->wake[1], "", 1) != 1) abort();
}

/* Bound to that port, 0 for any; -1 when it is taken. */
static int bind_to(unsigned port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* Connections of its first life do not keep it from a second one. */
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on)) abort();
    if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
    close(fd);
    return -1;
}

/* A port that was not asked for by its number would be given back by shutdown(). */
static void bind_gate(struct gate *gate)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    gate->fd = -1;
    while (gate->fd < 0) {
        int any = bind_to(0);
        if (any < 0 || getsockname(any, (struct sockaddr *)&address, &length)) abort();
        gate->port = ntohs(address.sin_port);
        close(any);
        gate->fd = bind_to(gate->port);
    }
}

struct gate *gate_new(unsigned to_port)
{
    struct gate *gate = must_alloc(sizeof *gate);
    bind_gate(gate);
    if (listen(gate->fd, 64) || pipe(gate->wake)) abort();
    gate->open = 1;
    snprintf(gate->to_port, sizeof gate->to_port, "%u", to_port);
    pthread_mutex_init(&gate->lock, NULL);
    if (pthread_create(&gate->thread, NULL, gate_main, gate)) abort();
    return gate;
}

unsigned gate_port(const struct gate *gate)
{
    return gate->port;
}

static void set_open(struct gate *gate, int open)
{
    pthread_mutex_lock(&gate->lock);
    if (gate->open != open) {
        gate->open = open;
        if (open ? listen(gate->fd, 64) : shutdown(gate->fd, SHUT_RDWR)) abort();
        tell(gate);
    }
    pthread_mutex_unlock(&gate->lock);
}

void gate_close(struct gate *gate)
{
    set_open(gate, 0);
}

void gate_open(struct gate *gate)
{
    set_open(gate, 1);
}

void gate_free(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->ending = 1;
    tell(gate);
    pthread_mutex_unlock(&gate->lock);
    pthread_join(gate->thread, NULL);
    for (size_t i = 0; i < gate->count; i++) {
        shutdown(gate->passages[i].from, SHUT_RDWR);
        pthread_join(gate->passages[i].thread, NULL);
        close(gate->passages[i].from);
        close(gate->passages[i].to);
    }
    close(gate->fd);
    close(gate->wake[0]);
    close(gate->wake[1]);
    pthread_mutex_destroy(&gate->lock);
    free(gate);
}
