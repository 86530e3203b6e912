/*
 * bench_server.c - answers every request at once, or DELAY ms later, with what bench_data wrote.
 *
 *     bench_server [DELAY [KEEP]]
 *
 * Prints its URL, serves until its standard input ends.  POST: 201 and the small answer, GET: 200 and the
 * case.  It promises to keep connections for KEEP seconds, if that is given.  One thread, epoll; it believes
 * its client, so it is for loopback alone.
 */
#include "bench_window.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MAX (64 * 1024)
#define FILES_MAX   20000
#define EVENTS      512

struct client {
    size_t length;
    char *request; /* NULL: nobody has this descriptor */
};

/* An answer that is due later; all wait equally long, so they are due in order. */
struct due {
    uint64_t at;
    int descriptor;
    const char *answer;
    size_t length;
};

static struct client clients[FILES_MAX];
static struct due queue[FILES_MAX];
static size_t queue_first, queue_count;
static uint64_t delay;
static int poller;
static char *created, *found;
static size_t created_length, found_length;

static char *answer(const char *status, const char *file, const char *keep, size_t *length)
{
    size_t size, head;
    char *body = bench_read(file, &size), *text = malloc(size + 256);
    if (!text) exit(2);
    head = (size_t)snprintf(
        text, 256, "HTTP/1.1 %s\r\nContent-Type: application/json\r\n%s%s%sContent-Length: %zu\r\n\r\n",
        status, keep ? "Keep-Alive: timeout=" : "", keep ? keep : "", keep ? "\r\n" : "", size);
    if (head >= 256) exit(2);
    memcpy(text + head, body, size);
    free(body);
    *length = head + size;
    return text;
}

static void leave(int descriptor)
{
    free(clients[descriptor].request);
    clients[descriptor] = (struct client){0};
    close(descriptor);
}

static void give(int descriptor, const char *text, size_t length)
{
    if (write(descriptor, text, length) != (ssize_t)length) leave(descriptor);
}

static void give_later(int descriptor, const char *text, size_t length)
{
    if (!delay || queue_count == FILES_MAX) {
        give(descriptor, text, length);
        return;
    }
    queue[(queue_first + queue_count++) % FILES_MAX] =
        (struct due){bench_now() + delay, descriptor, text, length};
}

/* How long one request is; 0: not all of it is there. */
static size_t request_length(const struct client *client)
{
    char *end = strstr(client->request, "\r\n\r\n");
    if (!end) return 0;
    size_t length = (size_t)(end + 4 - client->request);
    const char *header = strstr(client->request, "Content-Length: ");
    if (header && header < end) length += strtoul(header + 16, NULL, 10);
    return length <= client->length ? length : 0;
}

static void serve(int descriptor)
{
    struct client *client = &clients[descriptor];
    ssize_t got = read(descriptor, client->request + client->length, REQUEST_MAX - client->length);
    if (got <= 0) {
        leave(descriptor);
        return;
    }
    client->length += (size_t)got;
    client->request[client->length] = '\0';
    for (size_t length; client->request && (length = request_length(client)) > 0;) {
        int post = client->request[0] == 'P';
        client->length -= length;
        memmove(client->request, client->request + length, client->length + 1);
        give_later(descriptor, post ? created : found, post ? created_length : found_length);
    }
}

static void welcome(int listener)
{
    int one = 1, descriptor;
    while ((descriptor = accept(listener, NULL, NULL)) >= 0) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
        if (descriptor >= FILES_MAX) {
            close(descriptor);
            continue;
        }
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        clients[descriptor] = (struct client){.request = malloc(REQUEST_MAX + 1)};
        if (!clients[descriptor].request) exit(2);
        epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event);
    }
}

static int answer_due(void)
{
    uint64_t now = bench_now();
    while (queue_count && queue[queue_first].at <= now) {
        const struct due *due = &queue[queue_first];
        if (clients[due->descriptor].request) give(due->descriptor, due->answer, due->length);
        queue_first = (queue_first + 1) % FILES_MAX;
        queue_count--;
    }
    return queue_count ? (int)((queue[queue_first].at - now) / 1000000) + 1 : -1;
}

static int listen_on_loopback(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) || listen(listener, 4096) ||
        getsockname(listener, (struct sockaddr *)&address, &size)) {
        perror("listen");
        exit(2);
    }
    fcntl(listener, F_SETFL, O_NONBLOCK);
    printf("http://127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

int main(int argc, char **argv)
{
    struct rlimit files = {FILES_MAX, FILES_MAX};
    struct epoll_event events[EVENTS], event = {.events = EPOLLIN, .data.fd = STDIN_FILENO};
    delay = argc > 1 ? strtoul(argv[1], NULL, 10) * 1000000 : 0;
    const char *keep = argc > 2 ? argv[2] : NULL;
    created = answer("201 Created", "resp_300.json", keep, &created_length);
    found = answer("200 OK", "resp_2k.json", keep, &found_length);
    setrlimit(RLIMIT_NOFILE, &files);
    poller = epoll_create1(0);
    epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &event);
    int listener = listen_on_loopback();
    event.data.fd = listener;
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int count = epoll_wait(poller, events, EVENTS, answer_due());
        for (int i = 0; i < count; i++) {
            int descriptor = events[i].data.fd;
            if (descriptor == STDIN_FILENO) return 0;
            if (descriptor == listener)
                welcome(listener);
            else if (clients[descriptor].request)
                serve(descriptor);
        }
    }
}
