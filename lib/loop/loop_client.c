/*
 * loop_client.c - driving the transports of a loop.
 *
 * While the host only ever waits, one transport is driven directly: perform, then libcurl's own poll with the
 * descriptor of the backend beside its sockets.  With a few hundred busy sockets that costs less than
 * asking for each event by itself.  All other transports are watched: the backend says which socket is ready.
 */
#include "loop/loop_private.h"

#include "base/clock.h"

#include <limits.h>

#define UNWATCHABLE_MS 10
#define EVENTS_MAX     128

static void client_set_due(struct casehook__client *client, int64_t at)
{
    casehook__timer_set(&client->loop->dues, &client->due, at);
}

static void touch(struct casehook__client *client)
{
    if (client->touched) return;
    client->touched = true;
    client->next_touched = client->loop->touched;
    client->loop->touched = client;
}

/* unwatchable: it cannot be relied upon that an event tells of it. */
static void client_set_unwatchable(struct casehook__client *client, bool unwatchable)
{
    if (client->unwatchable == unwatchable) return;
    client->unwatchable = unwatchable;
    if (unwatchable)
        client->loop->unwatchable_count++;
    else
        client->loop->unwatchable_count--;
}

static void client_on_socket(void *user, int socket, int events, bool fresh)
{
    struct casehook__client *client = user;
    struct casehook_loop *loop = client->loop;
    /* Transfers must not be given up because a socket cannot be watched: they are looked at now and then. */
    if (!loop->ops->watch(loop->backend, socket, events, fresh, client->index))
        client_set_unwatchable(client, true);
}

static void client_on_timer(void *user, int64_t in_ms)
{
    struct casehook__client *client = user;
    if (in_ms < 0)
        casehook__timer_clear(&client->loop->dues, &client->due);
    else
        client_set_due(client, in_ms == 0 ? client->loop->now : casehook__clock_ms() + in_ms);
}

static void client_watch(struct casehook__client *client)
{
    const struct casehook__watcher watcher = {
        .user = client, .socket = client_on_socket, .timer = client_on_timer};
    struct casehook_loop *loop = client->loop;
    if (loop->polled == client) loop->polled = NULL;
    client->watched = true;
    loop->watched_transfers += client->transfers;
    client->ops->watch(client->transport, &watcher);
    touch(client);
    if (client->transfers) client_set_due(client, loop->now); /* some may have ended just now */
}

/* A free place among the clients; UINT32_MAX: no memory. */
static uint32_t client_place(struct casehook_loop *loop)
{
    while (loop->free_client < loop->client_count && loop->clients[loop->free_client]) loop->free_client++;
    if (loop->free_client < loop->client_count) return loop->free_client;
    if (loop->client_count == loop->client_capacity) {
        uint32_t capacity = loop->client_capacity ? loop->client_capacity * 2 : 8;
        void *grown = casehook__realloc(loop->heap, loop->clients, capacity * sizeof *loop->clients);
        if (!grown) return UINT32_MAX;
        loop->clients = grown;
        loop->client_capacity = capacity;
    }
    loop->clients[loop->client_count] = NULL;
    return loop->client_count++;
}

static bool may_be_direct(const struct casehook_loop *loop)
{
    return !loop->polled && !loop->descriptor_used && loop->max_connections <= CASEHOOK__GROUP_SLOTS &&
           loop->ops->descriptor(loop->backend) >= 0;
}

struct casehook__client *casehook__client_new(struct casehook_loop *loop,
                                              struct casehook_connector *connector, bool lasting)
{
    uint32_t index = client_place(loop);
    if (index == UINT32_MAX) return NULL;
    struct casehook__client *client = casehook__calloc(loop->heap, 1, sizeof *client);
    if (!client) return NULL;
    client->ops = connector->ops;
    if (client->ops->open(loop->heap, connector->context.settings, &connector->connections,
                          &client->transport)) {
        casehook__free(loop->heap, client);
        return NULL;
    }
    client->loop = loop;
    client->connector = casehook_connector_ref(connector);
    client->index = index;
    loop->clients[index] = client;
    /* Idle ones in between must not be closed: each call may go to a host of its own. */
    uint32_t most =
        loop->max_connections < CASEHOOK__GROUP_SLOTS ? loop->max_connections : CASEHOOK__GROUP_SLOTS;
    if (lasting) client->ops->keep(client->transport, most * CASEHOOK__CALLS);
    if (lasting && may_be_direct(loop))
        loop->polled = client;
    else
        client_watch(client);
    return client;
}

static void untouch(struct casehook__client *client)
{
    struct casehook__client **link = &client->loop->touched;
    if (!client->touched) return;
    while (*link != client) link = &(*link)->next_touched;
    *link = client->next_touched;
    client->touched = false;
}

void casehook__client_free(struct casehook__client *client)
{
    if (!client) return;
    struct casehook_loop *loop = client->loop;
    client->ops->close(client->transport); /* may still tell of its sockets */
    client->ops->transfer_free(client->last);
    casehook__timer_clear(&loop->dues, &client->due);
    client_set_unwatchable(client, false);
    untouch(client);
    loop->clients[client->index] = NULL;
    if (client->index < loop->free_client) loop->free_client = client->index;
    if (loop->polled == client) loop->polled = NULL;
    casehook_connector_unref(client->connector);
    casehook__free(loop->heap, client);
}

void casehook__clients_watch(struct casehook_loop *loop)
{
    if (loop->polled) client_watch(loop->polled);
}

void casehook__client_started(struct casehook__client *client)
{
    client->transfers++;
    if (client->watched)
        client->loop->watched_transfers++;
    else
        client_set_due(client, client->loop->now);
}

void casehook__client_ended(struct casehook__client *client)
{
    client->transfers--;
    if (client->watched) client->loop->watched_transfers--;
    if (client->transfers == 0) client_set_unwatchable(client, false);
}

void casehook__client_release(struct casehook__client *client)
{
    client->released = true;
    client->next_released = client->loop->released;
    client->loop->released = client;
}

/* libcurl has told of its timer before it ran out of memory, or not: the others must go on. */
static void after(struct casehook__client *client, bool done)
{
    if (!done) client_set_due(client, client->loop->now);
    touch(client);
}

static void drive(struct casehook__client *client)
{
    bool done = true;
    casehook__timer_clear(&client->loop->dues, &client->due);
    if (!client->watched)
        client->ops->perform(client->transport);
    else
        done = client->unwatchable ? client->ops->sweep(client->transport)
                                   : client->ops->tick(client->transport);
    after(client, done);
}

/*
 * What nobody watches is driven in every turn, whether something is known of it or not; again: in the same
 * turn only if something came.
 */
static bool drive_unwatched(struct casehook_loop *loop, bool again)
{
    bool driven = loop->polled && loop->polled->transfers &&
                  (!again || loop->polled->ops->poll(loop->polled->transport, 0));
    if (driven) drive(loop->polled);
    for (uint32_t i = 0; loop->unwatchable_count && i < loop->client_count; i++) {
        struct casehook__client *client = loop->clients[i];
        if (!client || client->released || !client->unwatchable) continue;
        if (again && !client->ops->poll(client->transport, 0)) continue;
        drive(client);
        driven = true;
    }
    return driven;
}

bool casehook__clients_drive(struct casehook_loop *loop, bool first)
{
    bool driven = drive_unwatched(loop, !first);
    /* One may be due again at once: each gets its turn, then the others. */
    for (uint32_t left = loop->client_count; left && casehook__timers_next(&loop->dues) <= loop->now;
         left--) {
        drive(CASEHOOK__OWNER(loop->dues.first, struct casehook__client, due));
        driven = true;
    }
    return driven;
}

size_t casehook__clients_harvest(struct casehook_loop *loop, void (*answered)(struct casehook__job *job))
{
    size_t count = 0;
    while (loop->touched) {
        struct casehook__client *client = loop->touched;
        untouch(client);
        struct casehook__job *job;
        while (!client->released && (job = client->ops->next(client->transport)) != NULL) {
            answered(job);
            count++;
        }
    }
    return count;
}

void casehook__clients_reap(struct casehook_loop *loop)
{
    while (loop->released) {
        struct casehook__client *client = loop->released;
        loop->released = client->next_released;
        casehook__client_free(client);
    }
    while (loop->client_count > 0 && !loop->clients[loop->client_count - 1]) loop->client_count--;
    if (loop->free_client > loop->client_count) loop->free_client = loop->client_count;
}

static void act(struct casehook_loop *loop, const struct casehook__event *event)
{
    struct casehook__client *client = event->owner < loop->client_count ? loop->clients[event->owner] : NULL;
    if (!client || client->released) return;
    after(client, client->ops->act(client->transport, event->socket, event->events));
}

/* Whoever submits or cancels from now on ends the wait; what came before must be looked at first. */
static int fall_asleep(struct casehook_loop *loop, int timeout_ms)
{
    pthread_mutex_lock(&loop->lock);
    if (loop->incoming.first || loop->told || loop->woken) timeout_ms = 0;
    loop->sleeping = timeout_ms != 0;
    pthread_mutex_unlock(&loop->lock);
    return timeout_ms;
}

static void awake(struct casehook_loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    loop->sleeping = false;
    pthread_mutex_unlock(&loop->lock);
}

int casehook__clients_poll(struct casehook_loop *loop, int timeout_ms)
{
    struct casehook__event events[EVENTS_MAX];
    struct casehook__client *polled = loop->polled;
    if (timeout_ms != 0) timeout_ms = fall_asleep(loop, timeout_ms);
    if (timeout_ms != 0 && polled && polled->transfers) {
        int descriptor = loop->ops->descriptor(loop->backend);
        if (timeout_ms < 0) timeout_ms = INT_MAX;
        bool more = polled->ops->poll_with(polled->transport, descriptor, timeout_ms);
        awake(loop);
        if (!more) return 0;
        timeout_ms = 0;
    }
    int count = loop->ops->wait(loop->backend, timeout_ms, events, EVENTS_MAX);
    if (timeout_ms != 0) awake(loop);
    for (int i = 0; i < count; i++) act(loop, &events[i]);
    return count;
}

int64_t casehook__clients_next_time(const struct casehook_loop *loop)
{
    int64_t time = casehook__timers_next(&loop->dues);
    return loop->unwatchable_count && loop->now + UNWATCHABLE_MS < time ? loop->now + UNWATCHABLE_MS : time;
}
