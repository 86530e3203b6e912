/* clients.c - a list of connections. */
#include "clients.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

enum { ANSWER_TIMEOUT_MS = 60000 };

struct client {
    struct client *next, *previous;
    int64_t since; /* when it began to do what it does */
    int socket;
    bool answering; /* its request is whole */
    bool answered;  /* a request before this one was */
    bool shut;
};

int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The socket is closed by libmicrohttpd, after it has said so: until then it is this client's. */
static void shut(struct server *server, struct client *client)
{
    if (client->shut) return;
    client->shut = true;
    shutdown(client->socket, SHUT_RDWR);
    atomic_fetch_add(&server->closed_slow, 1);
}

/* When the places run out, the one that has been slow for longest goes. */
static void make_room(struct server *server)
{
    struct client *oldest = NULL;
    if (server->client_count <= server->max_clients - server->max_clients / 8) return;
    for (struct client *client = server->clients; client; client = client->next)
        if (!client->answering && !client->shut && (!oldest || client->since < oldest->since))
            oldest = client;
    if (oldest) shut(server, oldest);
}

static void arrive(struct server *server, struct MHD_Connection *connection, void **context)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct client *client = info ? calloc(1, sizeof *client) : NULL;
    if (!client) return;
    client->socket = info->connect_fd;
    client->since = now_ms();
    *context = client;
    atomic_fetch_add(&server->accepted, 1);
    pthread_mutex_lock(&server->lock);
    make_room(server);
    client->next = server->clients;
    if (client->next) client->next->previous = client;
    server->clients = client;
    server->client_count++;
    pthread_mutex_unlock(&server->lock);
}

static void leave(struct server *server, void **context)
{
    struct client *client = *context;
    if (!client) return;
    pthread_mutex_lock(&server->lock);
    if (client->next) client->next->previous = client->previous;
    if (client->previous)
        client->previous->next = client->next;
    else
        server->clients = client->next;
    server->client_count--;
    pthread_mutex_unlock(&server->lock);
    *context = NULL;
    free(client);
}

void clients_notify(void *user, struct MHD_Connection *connection, void **context,
                    enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        arrive(user, connection, context);
    else
        leave(user, context);
}

static struct client *client_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

/* Once in each request.  That of a new connection began when it was made. */
void *clients_begin(void *user, const char *uri, struct MHD_Connection *connection)
{
    struct server *server = user;
    struct client *client = client_of(connection);
    (void)uri;
    if (!client) return NULL;
    pthread_mutex_lock(&server->lock);
    if (client->answered) client->since = now_ms();
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

static void change(struct server *server, struct MHD_Connection *connection, bool answering)
{
    struct client *client = client_of(connection);
    if (!client) return;
    pthread_mutex_lock(&server->lock);
    client->answered = client->answered || !answering;
    client->answering = answering;
    client->since = now_ms();
    pthread_mutex_unlock(&server->lock);
}

void clients_answering(struct request *request)
{
    change(request->server, request->connection, true);
}

void clients_waiting(struct server *server, struct MHD_Connection *connection)
{
    change(server, connection, false);
}

void clients_reap(struct server *server)
{
    int64_t now = now_ms(), patience = (int64_t)server->request_timeout_s * 1000;
    pthread_mutex_lock(&server->lock);
    for (struct client *client = server->clients; client; client = client->next)
        if (now - client->since > (client->answering ? ANSWER_TIMEOUT_MS : patience)) shut(server, client);
    pthread_mutex_unlock(&server->lock);
}
