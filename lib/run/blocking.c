/* blocking.c - runs one operation to its end in the calling thread. */
#include "base/posix.h"

#include "base/cancel.h"
#include "base/clock.h"
#include "base/pause.h"
#include "run/route.h"
#include "base/sigpipe.h"

#define POLL_MS 60000 /* libcurl's own timers and wakeups end a poll earlier */
#define BLOCKING_LATE_LOOKS \
    16 /* after the time, as long as each finds something: TLS and headers take a few */

/* The transport of a slot, or one that lives for a single hop to another origin. */
struct blocking_route {
    const struct casehook__transport_ops *ops;
    struct casehook__transport *transport;
    struct casehook__transfer *transfer;
};

static int open_transport(struct casehook_connector *connector, struct casehook__transport **transport)
{
    return connector->ops->open(connector->heap, connector->context.settings, &connector->connections,
                                transport);
}

static int find_transport(struct casehook_connector *connector, struct casehook__slot *slot,
                          const struct casehook__request *request, struct casehook__transport **transport)
{
    struct casehook__transport **own = &slot->transports[connector->policy_of[request->call]];
    int status = CASEHOOK_OK;
    if (!request->configured) return open_transport(connector, transport);
    if (!*own) status = open_transport(connector, own);
    *transport = *own;
    return status;
}

static int blocking_find_route(struct casehook_connector *connector, struct casehook__slot *slot,
                               const struct casehook__request *request, struct blocking_route *route)
{
    *route = (struct blocking_route){connector->ops, NULL, NULL};
    int status = find_transport(connector, slot, request, &route->transport);
    return status ? status : casehook__route_find(connector, slot, request, &route->transfer);
}

static void blocking_leave_route(const struct casehook_connector *connector,
                                 const struct casehook__request *request, struct blocking_route *route)
{
    if (!request->configured) route->ops->close(route->transport);
    casehook__route_leave(connector, request, route->transfer);
}

static void wake_thread(void *user)
{
    struct blocking_route *route = user;
    route->ops->wakeup(route->transport);
}

/*
 * The time has passed, perhaps because this thread did not run: an answer that lies in the socket counts
 * (R1). True: the request has ended.
 */
static bool blocking_read_late(struct blocking_route *route)
{
    for (int looks = 0; looks < BLOCKING_LATE_LOOKS; looks++) {
        route->ops->perform(route->transport);
        if (route->ops->next(route->transport)) return true;
        if (!route->ops->poll(route->transport, 0)) return false;
    }
    return false;
}

static int blocking_time_left(const struct blocking_route *route)
{
    int64_t left = route->ops->limit(route->transfer) - casehook__clock_ms();
    return left > POLL_MS ? POLL_MS : left > 0 ? (int)left : 0;
}

static void wait_for(struct casehook_connector *connector, const struct casehook__machine *machine,
                     struct blocking_route *route)
{
    int64_t slow = casehook__log_slow_time(connector);
    struct casehook__cancel_waiter waiter = {.wake = wake_thread, .user = route};
    casehook__cancel_add(machine->cancel, &waiter);
    for (;;) {
        route->ops->perform(route->transport);
        if (route->ops->next(route->transport)) break;
        if (casehook__cancel_is_set(machine->cancel)) {
            route->ops->cancel(route->transfer);
            break;
        }
        int left = blocking_time_left(route);
        if (left == 0) {
            if (!blocking_read_late(route)) route->ops->expire(route->transfer);
            break;
        }
        int64_t until_slow = slow == CASEHOOK__NO_DEADLINE ? left : slow - casehook__clock_ms();
        if (until_slow <= 0) {
            casehook__log_request(connector, machine, CASEHOOK_LOG_WARNING);
            slow = CASEHOOK__NO_DEADLINE;
            until_slow = left;
        }
        route->ops->poll(route->transport, left < until_slow ? left : (int)until_slow);
    }
    casehook__cancel_remove(machine->cancel, &waiter);
}

static void not_started(struct casehook__machine *machine, int status, const char *message)
{
    struct casehook__failure failure = {.status = status, .message = message};
    casehook__machine_fail(machine, &failure);
}

static void perform(struct casehook_connector *connector, struct casehook__machine *machine,
                    struct casehook__slot *slot, const struct casehook__request *request)
{
    struct blocking_route route;
    if (blocking_find_route(connector, slot, request, &route)) {
        not_started(machine, CASEHOOK_E_NO_MEMORY, "out of memory before the request was sent");
    } else {
        casehook__log_request(connector, machine, CASEHOOK_LOG_DEBUG);
        casehook__trace_request(connector, machine, request);
        if (route.ops->start(route.transfer, route.transport, request, machine->deadline, &route))
            wait_for(connector, machine, &route);
        const struct casehook__response *response = route.ops->response(route.transfer);
        if (response) {
            casehook__trace_answer(connector, machine, response);
            casehook__machine_feed(machine, response);
        } else
            casehook__machine_fail(machine, route.ops->failure(route.transfer));
    }
    blocking_leave_route(connector, request, &route);
}

/* One request, on the slot that the one before has left, or on a new one. */
static void blocking_send(struct casehook_connector *connector, struct casehook__machine *machine,
                          struct casehook__slot **slot, const struct casehook__request *request)
{
    if (casehook__cancel_is_set(machine->cancel)) {
        not_started(machine, CASEHOOK_E_CANCELLED, "cancelled before the request was sent");
        return;
    }
    if (!*slot) *slot = casehook__slot_take(connector);
    if (*slot)
        perform(connector, machine, *slot, request);
    else
        not_started(machine, CASEHOOK_E_NO_MEMORY, "out of memory before the request was sent");
}

static void blocking_leave_slot(struct casehook_connector *connector, struct casehook__slot **slot)
{
    if (*slot) casehook__slot_give(connector, *slot);
    *slot = NULL;
}

static bool listen_for_token(void *user, void (*wake)(void *sleeper), void *sleeper)
{
    return casehook__machine_listen(user, wake, sleeper);
}

static void stop_listening(void *user)
{
    casehook__machine_ignore(user);
}

/* Until the machine may be asked again, or its operation must end. */
static void blocking_wait(struct casehook__machine *machine)
{
    const struct casehook__alarm alarm = {machine, listen_for_token, stop_listening};
    int64_t deadline = machine->deadline, until = machine->wake_at < deadline ? machine->wake_at : deadline;
    bool called = casehook__machine_waits_for_token(machine);
    if (called)
        casehook__pause_alarmed(until, machine->cancel, &alarm);
    else
        casehook__pause(until, machine->cancel);
    if (casehook__cancel_is_set(machine->cancel))
        not_started(machine, CASEHOOK_E_CANCELLED, "cancelled before the request was sent");
    else if (machine->wake_at >= deadline && !(called && casehook__clock_ms() < deadline))
        not_started(machine, CASEHOOK_E_TIMEOUT, "the deadline of the call passed while it waited");
}

void casehook__drive_blocking(struct casehook_connector *connector, struct casehook__machine *machine)
{
    struct casehook__request request;
    struct casehook__slot *slot = NULL;
    struct casehook__pipe_guard guard;
    enum casehook__turn turn;
    casehook__pipe_guard(&guard);
    while ((turn = casehook__machine_next(machine, &request)) != CASEHOOK__TURN_ENDED) {
        if (turn == CASEHOOK__TURN_SEND) {
            blocking_send(connector, machine, &slot, &request);
        } else {
            blocking_leave_slot(connector, &slot);
            casehook__log_wait(connector, machine);
            blocking_wait(machine);
        }
    }
    blocking_leave_slot(connector, &slot);
    casehook__pipe_unguard(&guard);
}
