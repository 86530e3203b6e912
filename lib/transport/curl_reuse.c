/*
 * curl_reuse.c - which connection a request goes out on (H7).
 *
 * libcurl chooses a kept connection by itself and takes one for alive as long as no end of it can be read; an
 * alert of TLS or stray bytes look alive.  Its callback right before a request is sent is the place to look
 * again: nothing is sent yet, so the request can have a new connection instead.
 */
#include "base/posix.h"

#include "transport/curl_private.h"

#include "base/clock.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEEP_SECONDS_MAX 3600 /* of a promise; it is only ever used up to idleTimeout */
#define KEEP_MARGIN_MS   500  /* a request is on its way for a while */

/* ---- connections ------------------------------------------------------------------------------- */

static struct casehook__connection **connection_list_of(struct casehook__transport *transport, int local_port)
{
    return &transport->connections[(unsigned)local_port % CASEHOOK__CONNECTION_LISTS];
}

/* By both of its ends: a local port may be in use towards several servers. */
static struct casehook__connection *connection_find(struct casehook__transport *transport, const char *remote,
                                                    int remote_port, int local_port)
{
    struct casehook__connection *at = *connection_list_of(transport, local_port);
    while (at && !(at->local_port == local_port && at->remote_port == remote_port &&
                   strcmp(at->remote, remote) == 0))
        at = at->next;
    return at;
}

static int port_of(int socket)
{
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
    } address;
    socklen_t size = sizeof address;
    if (getsockname(socket, &address.any, &size) != 0) return -1;
    if (address.any.sa_family == AF_INET) return ntohs(address.ipv4.sin_port);
    return address.any.sa_family == AF_INET6 ? ntohs(address.ipv6.sin6_port) : -1;
}

/* Of the sockets that were opened for this request, the one that was connected. */
static int socket_with(const struct casehook__transfer *transfer, int local_port)
{
    for (unsigned i = 0; i < transfer->socket_count; i++)
        if (port_of(transfer->sockets[i]) == local_port) return transfer->sockets[i];
    return -1;
}

/* Without memory it stays unknown: then no write goes out on it again. */
static struct casehook__connection *connection_new(struct casehook__transfer *transfer, const char *remote,
                                                   int remote_port, int local_port)
{
    struct casehook__transport *transport = transfer->transport;
    int socket = socket_with(transfer, local_port);
    if (socket < 0 || strlen(remote) >= sizeof((struct casehook__connection *)0)->remote) return NULL;
    struct casehook__connection *connection = casehook__calloc(transport->heap, 1, sizeof *connection);
    if (!connection) return NULL;
    struct casehook__connection **list = connection_list_of(transport, local_port);
    connection->socket = socket;
    connection->local_port = local_port;
    connection->remote_port = remote_port;
    memcpy(connection->remote, remote, strlen(remote) + 1);
    connection->next = *list;
    *list = connection;
    return connection;
}

/*
 * libcurl closes sockets that never got connected without asking for it, and takes them off its tables only
 * afterwards: by then the number may be another descriptor's, and what still watches the old one could not be
 * told to stop where a child of the host holds a copy of it.  So it is known which ones there are.
 */
static void count_closed(struct casehook__transport *transport, unsigned count)
{
    if (count > transport->open_sockets) count = transport->open_sockets;
    transport->open_sockets -= count;
    atomic_fetch_sub_explicit(transport->counter, count, memory_order_relaxed);
}

/* True: it was one of those that are being connected. */
static bool forget_socket(const struct casehook__transport *transport, int socket)
{
    for (struct casehook__transfer *at = transport->first; at; at = at->next) {
        unsigned i = 0;
        while (i < at->socket_count && at->sockets[i] != socket) i++;
        if (i == at->socket_count) continue;
        at->sockets[i] = at->sockets[--at->socket_count];
        return true;
    }
    return false;
}

void casehook__curl_opened(struct casehook__transfer *transfer, int socket)
{
    struct casehook__transport *transport = transfer->transport;
    if (forget_socket(transport, socket)) count_closed(transport, 1); /* the number is free again */
    if (transfer->socket_count == CASEHOOK__SOCKETS_MAX) transfer->socket_count--;
    transfer->sockets[transfer->socket_count++] = socket;
    transport->open_sockets++;
    atomic_fetch_add_explicit(transport->counter, 1, memory_order_relaxed);
}

void casehook__curl_connected(struct casehook__transfer *transfer)
{
    if (transfer->socket_count > 1) count_closed(transfer->transport, transfer->socket_count - 1);
    transfer->socket_count = 0;
}

void casehook__curl_give_up(const struct casehook__transfer *transfer)
{
    const struct casehook__watcher *watcher = &transfer->transport->watcher;
    for (unsigned i = 0; watcher->socket && i < transfer->socket_count; i++)
        if (curl_multi_assign(transfer->transport->multi, transfer->sockets[i], NULL) == CURLM_OK)
            watcher->socket(watcher->user, transfer->sockets[i], 0, false);
}

void casehook__curl_gave_up(struct casehook__transfer *transfer, struct casehook__transport *transport)
{
    count_closed(transport, transfer->socket_count);
    transfer->socket_count = 0;
}

int casehook__curl_on_close(void *user, curl_socket_t socket)
{
    struct casehook__transport *transport = user;
    forget_socket(transport, socket);
    count_closed(transport, 1);
    for (size_t i = 0; i < CASEHOOK__CONNECTION_LISTS; i++) {
        struct casehook__connection **link = &transport->connections[i];
        while (*link && (*link)->socket != socket) link = &(*link)->next;
        struct casehook__connection *found = *link;
        if (!found) continue;
        *link = found->next;
        if (found->user) found->user->connection = NULL;
        casehook__free(transport->heap, found);
        break;
    }
    return close(socket);
}

/* What libcurl did not tell the end of. */
void casehook__curl_forget_connections(struct casehook__transport *transport)
{
    for (size_t i = 0; i < CASEHOOK__CONNECTION_LISTS; i++) {
        while (transport->connections[i]) {
            struct casehook__connection *connection = transport->connections[i];
            transport->connections[i] = connection->next;
            casehook__free(transport->heap, connection);
        }
    }
}

static bool is_write(const struct casehook__transfer *transfer)
{
    return transfer->request->method != CASEHOOK__METHOD_GET;
}

static struct casehook__reuse *reuse_of(const struct casehook__transfer *transfer)
{
    return transfer->reuse ? &transfer->reuse->origins[transfer->reuse->of[transfer->request->call]] : NULL;
}

/* ---- after it ---------------------------------------------------------------------------------- */

static int64_t promise(const struct casehook__transfer *transfer, int64_t now)
{
    uint64_t seconds = transfer->keep_seconds < KEEP_SECONDS_MAX ? transfer->keep_seconds : KEEP_SECONDS_MAX;
    return seconds ? now + (int64_t)seconds * 1000 - KEEP_MARGIN_MS : 0;
}

void casehook__curl_learn(struct casehook__transfer *transfer)
{
    struct casehook__connection *connection = transfer->connection;
    struct casehook__reuse *reuse = reuse_of(transfer);
    int64_t now = casehook__clock_ms();
    if (!connection) return;
    if (transfer->kept && reuse) casehook__reuse_proved(reuse, now);
    transfer->connection = NULL;
    connection->user = NULL;
    connection->answers++;
    connection->last_ms = now;
    connection->promise_until = promise(transfer, now);
    if (connection->promise_until) transfer->transport->promised = true;
}

/* ---- before a request goes out ----------------------------------------------------------------- */

bool casehook__curl_wants_fresh(const struct casehook__transfer *transfer,
                                const struct casehook__transport *transport)
{
    enum casehook__reuse_mode mode = transfer->settings->reuse_connections;
    if (mode == CASEHOOK__REUSE_NEVER) return true;
    /* Whether it will be HTTP/2 is not known yet. */
    if (mode == CASEHOOK__REUSE_ALWAYS || transfer->settings->http_version != CASEHOOK__HTTP_1_1)
        return false;
    const struct casehook__reuse *reuse = reuse_of(transfer);
    return reuse && is_write(transfer) && !transport->promised &&
           !casehook__reuse_is_proven(reuse, casehook__clock_ms());
}

static void *ssl_of(const struct casehook__transfer *transfer)
{
    struct curl_tlssessioninfo *info = NULL;
    if (!transfer->request->origin->https) return NULL;
    if (curl_easy_getinfo(transfer->handle.easy, CURLINFO_TLS_SSL_PTR, &info) != CURLE_OK || !info)
        return NULL;
    return info->internals;
}

/*
 * On a connection that rests nothing may come: what does is its end, or an answer that nobody asked for
 * and that would be taken for the answer of this request.
 */
static bool is_silent(const struct casehook__transfer *transfer, void *ssl)
{
    struct pollfd look = {.fd = transfer->connection->socket, .events = POLLIN};
    if (ssl && casehook__tls_has_pending(ssl)) return false;
    return poll(&look, 1, 0) == 0;
}

static bool is_trusted(const struct casehook__transfer *transfer, int64_t now)
{
    const struct casehook__connection *connection = transfer->connection;
    const struct casehook__reuse *reuse = reuse_of(transfer);
    if (!is_write(transfer) || !reuse) return true;
    if (transfer->settings->reuse_connections == CASEHOOK__REUSE_ALWAYS) return true;
    const struct casehook__kept kept = {.answers = connection->answers,
                                        .rested_ms = now - connection->last_ms,
                                        .promise_until = connection->promise_until};
    return casehook__reuse_may_write(reuse, &kept, now);
}

static bool may_use_kept(struct casehook__transfer *transfer, void *ssl)
{
    int64_t now = casehook__clock_ms();
    if (!transfer->connection) return false; /* there was no memory to remember it */
    if (!is_silent(transfer, ssl)) {
        if (reuse_of(transfer))
            casehook__reuse_closed(reuse_of(transfer), now - transfer->connection->last_ms, now);
        casehook__curl_forbid_reuse(&transfer->handle, true); /* libcurl must not keep it */
        return false;
    }
    return is_trusted(transfer, now);
}

/* libcurl gives a connection on before anybody has heard that the request before on it was answered. */
static void take_over(struct casehook__connection *connection, struct casehook__transfer *transfer)
{
    if (connection->user) casehook__curl_learn(connection->user);
    connection->user = transfer;
}

bool casehook__curl_forbid_reuse(struct casehook__handle *handle, bool forbid)
{
    if (handle->forbids == forbid) return true;
    handle->forbids = forbid;
    return curl_easy_setopt(handle->easy, CURLOPT_FORBID_REUSE, forbid ? 1L : 0L) == CURLE_OK;
}

bool casehook__curl_may_send(struct casehook__transfer *transfer, const char *remote, int remote_port,
                             int local_port)
{
    void *ssl =
        transfer->kept || transfer->settings->http_version != CASEHOOK__HTTP_1_1 ? ssl_of(transfer) : NULL;
    /* Frames come at any time on a connection of HTTP/2, and its end tells which requests were not looked at.
     */
    if (ssl && casehook__tls_is_http2(ssl)) {
        transfer->connection = NULL;
        return true;
    }
    transfer->connection = transfer->kept
                               ? connection_find(transfer->transport, remote, remote_port, local_port)
                               : connection_new(transfer, remote, remote_port, local_port);
    if (transfer->connection) take_over(transfer->connection, transfer);
    if (!transfer->kept || may_use_kept(transfer, ssl)) return true;
    if (transfer->connection) transfer->connection->user = NULL;
    transfer->connection = NULL;
    return false;
}

/* Nothing is known of how long it had rested: that it was used shows that it was not for long. */
void casehook__curl_died(const struct casehook__transfer *transfer)
{
    struct casehook__reuse *reuse = reuse_of(transfer);
    if (transfer->kept && reuse) casehook__reuse_closed(reuse, 0, casehook__clock_ms());
}

/*
 * The connection, not the server's answer or the time, was the end of it.  What is no HTTP at all is what lay
 * there of the request before.
 */
static bool has_died(CURLcode code)
{
    return code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR || code == CURLE_GOT_NOTHING ||
           code == CURLE_PARTIAL_FILE || code == CURLE_HTTP2 || code == CURLE_HTTP2_STREAM ||
           code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_WEIRD_SERVER_REPLY;
}

bool casehook__curl_may_renew(const struct casehook__transfer *transfer, CURLcode code)
{
    if (transfer->renewed) return false;
    if (transfer->stop == CASEHOOK__STOP_CONNECTION) return true;
    /* When a socket was opened since, libcurl has repeated it already. */
    return transfer->kept && transfer->stage != CASEHOOK__STAGE_CONNECTING && !is_write(transfer) &&
           transfer->header_bytes == 0 && has_died(code);
}
