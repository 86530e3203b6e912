/* fake_transport.c - a transport without sockets, a clock that a test moves, a loop that waits on it. */
#include "fake_transport.h"

#include "base/pause.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

struct fake fake;

static void give_up(const char *why)
{
    fprintf(stderr, "fake_transport: %s\n", why);
    abort();
}

/* ---- time -------------------------------------------------------------------------------------- */

int64_t __wrap_casehook__clock_ms(void);
void __wrap_casehook__pause(int64_t until, struct casehook_cancel *cancel);

int64_t __wrap_casehook__clock_ms(void)
{
    return fake.now;
}

void __wrap_casehook__pause(int64_t until, struct casehook_cancel *cancel)
{
    fake.pauses++;
    if (fake.pause) fake.pause(fake.user, until);
    if (!casehook__cancel_is_set(cancel) && until > fake.now) fake.now = until;
}

static void wake_nobody(void *sleeper)
{
    (void)sleeper;
}

void __wrap_casehook__pause_alarmed(int64_t until, struct casehook_cancel *cancel,
                                    const struct casehook__alarm *alarm);

/* What the test does in the pause may be what the sleeper waits for. */
void __wrap_casehook__pause_alarmed(int64_t until, struct casehook_cancel *cancel,
                                    const struct casehook__alarm *alarm)
{
    fake.pauses++;
    if (fake.pause) fake.pause(fake.user, until);
    bool waits = alarm->set(alarm->user, wake_nobody, NULL);
    alarm->clear(alarm->user);
    if (waits && !casehook__cancel_is_set(cancel) && until > fake.now) fake.now = until;
}

static int64_t fake_now(void *user)
{
    (void)user;
    return fake.now;
}

static int64_t fake_unix(void *user)
{
    (void)user;
    return fake.now + fake.calendar;
}

static uint64_t fake_random(void *user)
{
    (void)user;
    return fake.random ? fake.random(fake.user) : 0;
}

static const struct casehook__clock fake_clock = {
    .now_ms = fake_now, .unix_ms = fake_unix, .random = fake_random};

/* ---- machines that wait ------------------------------------------------------------------------ */

enum casehook__turn __real_casehook__machine_next(struct casehook__machine *machine,
                                                  struct casehook__request *request);
enum casehook__turn __wrap_casehook__machine_next(struct casehook__machine *machine,
                                                  struct casehook__request *request);

static bool must_wait(struct casehook__machine *machine)
{
    int64_t until = fake.wait && machine->result ? fake.wait(fake.user, machine) : 0;
    if (until <= fake.now) return false;
    machine->wake_at = until;
    return true;
}

/* As if it had come to wait by itself. */
enum casehook__turn __wrap_casehook__machine_next(struct casehook__machine *machine,
                                                  struct casehook__request *request)
{
    bool idle = machine->state == CASEHOOK__MACHINE_TO_RENDER || machine->state == CASEHOOK__MACHINE_READY;
    if (idle && must_wait(machine)) {
        machine->wakes_as = machine->state;
        machine->state = CASEHOOK__MACHINE_DELAYED;
    }
    return __real_casehook__machine_next(machine, request);
}

/* ---- transports -------------------------------------------------------------------------------- */

struct casehook__transport {
    struct casehook__heap *heap;
    struct casehook__transfer *first; /* under way */
    struct casehook__watcher watcher;
};

struct casehook__transfer {
    struct casehook__heap *heap;
    const struct casehook__settings_snapshot *settings;
    struct casehook__transport *transport; /* NULL: nothing is under way */
    struct casehook__transfer *next;
    void *owner;
    int64_t limit, at; /* at: the answer comes */
    struct fake_answer answer;
    struct casehook__response response;
    struct casehook__failure failure;
    bool answered;
};

static int fake_open(struct casehook__heap *heap, const struct casehook__settings_snapshot *settings,
                     atomic_uint *connections, struct casehook__transport **out)
{
    (void)settings;
    (void)connections;
    struct casehook__transport *transport = *out = casehook__calloc(heap, 1, sizeof *transport);
    if (!transport) return CASEHOOK_E_NO_MEMORY;
    transport->heap = heap;
    fake.opened++;
    fake.transports++;
    return CASEHOOK_OK;
}

static void fake_close(struct casehook__transport *transport)
{
    if (!transport) return;
    if (transport->first) give_up("a transport is closed with a transfer on it");
    fake.transports--;
    casehook__free(transport->heap, transport);
}

static int fake_transfer_new(struct casehook__heap *heap, const struct casehook__config *config,
                             const struct casehook__settings_snapshot *settings,
                             const struct casehook__policy *policy, const struct casehook__reuse_map *reuse,
                             struct casehook__transfer **out)
{
    (void)config;
    (void)policy;
    (void)reuse;
    struct casehook__transfer *transfer = *out = casehook__calloc(heap, 1, sizeof *transfer);
    if (!transfer) return CASEHOOK_E_NO_MEMORY;
    transfer->heap = heap;
    transfer->settings = settings;
    fake.transfers_made++;
    return CASEHOOK_OK;
}

static void leave(struct casehook__transfer *transfer)
{
    if (!transfer->transport) return;
    struct casehook__transfer **link = &transfer->transport->first;
    while (*link != transfer) link = &(*link)->next;
    *link = transfer->next;
    transfer->transport = NULL;
    fake.under_way--;
}

static void fake_transfer_free(struct casehook__transfer *transfer)
{
    if (!transfer) return;
    leave(transfer);
    casehook__free(transfer->heap, transfer);
}

static void fake_shrink(struct casehook__transfer *transfer, size_t kept)
{
    (void)transfer;
    (void)kept;
}

static struct casehook__transfer *first_answer(const struct casehook__transport *transport)
{
    struct casehook__transfer *first = transport->first;
    for (struct casehook__transfer *at = first; at; at = at->next)
        if (at->at < first->at) first = at;
    return first;
}

static void tell_timer(struct casehook__transport *transport)
{
    const struct casehook__transfer *first = first_answer(transport);
    if (!transport->watcher.timer) return;
    transport->watcher.timer(transport->watcher.user, !first                 ? -1
                                                      : first->at > fake.now ? first->at - fake.now
                                                                             : 0);
}

static bool fake_start(struct casehook__transfer *transfer, struct casehook__transport *transport,
                       const struct casehook__request *request, int64_t deadline, void *owner)
{
    if (transfer->transport) give_up("a transfer is started twice");
    transfer->owner = owner;
    transfer->answered = false;
    transfer->limit = fake.now + transfer->settings->response_timeout_ms;
    if (deadline < transfer->limit) transfer->limit = deadline;
    transfer->answer = (struct fake_answer){0};
    fake.answer(fake.user, request, &transfer->answer);
    transfer->at = fake.now + transfer->answer.after_ms;
    struct casehook__transfer **link = &transport->first;
    while (*link) link = &(*link)->next;
    *link = transfer;
    transfer->next = NULL;
    transfer->transport = transport;
    if (++fake.under_way > fake.most_under_way) fake.most_under_way = fake.under_way;
    tell_timer(transport);
    return true;
}

static int64_t fake_limit(const struct casehook__transfer *transfer)
{
    return transfer->limit;
}

static void end_with(struct casehook__transfer *transfer, int status, const char *message)
{
    leave(transfer);
    transfer->failure = (struct casehook__failure){.status = status, .sent = true, .message = message};
}

static void fake_expire(struct casehook__transfer *transfer)
{
    end_with(transfer, CASEHOOK_E_TIMEOUT, "no answer in time");
}

static void fake_cancel(struct casehook__transfer *transfer)
{
    end_with(transfer, CASEHOOK_E_CANCELLED, "cancelled");
}

static const struct casehook__response *fake_response(const struct casehook__transfer *transfer)
{
    return transfer->answered ? &transfer->response : NULL;
}

static const struct casehook__failure *fake_failure(const struct casehook__transfer *transfer)
{
    return &transfer->failure;
}

static void fake_perform(struct casehook__transport *transport)
{
    struct casehook__transfer *first = first_answer(transport);
    if (first && first->at <= fake.now && first->answer.goes) first->answer.goes--;
}

/* Time passes up to the next answer, or to the end of the wait. */
static bool fake_poll(struct casehook__transport *transport, int timeout_ms)
{
    const struct casehook__transfer *first = first_answer(transport);
    int64_t until = fake.now + timeout_ms;
    bool comes = first && first->at <= until;
    if (comes && first->at < until) until = first->at;
    if (until > fake.now) fake.now = until;
    return comes;
}

static bool fake_poll_with(struct casehook__transport *transport, int descriptor, int timeout_ms)
{
    (void)descriptor;
    fake_poll(transport, timeout_ms);
    return false;
}

static void fake_wakeup(struct casehook__transport *transport)
{
    (void)transport;
}

static void *fake_next(struct casehook__transport *transport)
{
    struct casehook__transfer *transfer = first_answer(transport);
    if (!transfer || transfer->at > fake.now || transfer->answer.goes) return NULL;
    leave(transfer);
    tell_timer(transport); /* for those that are left, if nothing else is started */
    transfer->answered = transfer->answer.status != 0;
    transfer->failure = transfer->answer.failure;
    transfer->response = (struct casehook__response){
        .status = transfer->answer.status,
        .content_type = CASEHOOK__TEXT("application/json"),
        .body = casehook__text(transfer->answer.body ? transfer->answer.body : "{}"),
        .retry_after = casehook__text(transfer->answer.retry_after),
        .location = casehook__text(transfer->answer.location),
    };
    return transfer->owner;
}

static void fake_keep(struct casehook__transport *transport, unsigned connections)
{
    (void)transport;
    (void)connections;
}

static bool fake_watch(struct casehook__transport *transport, const struct casehook__watcher *watcher)
{
    transport->watcher = *watcher;
    tell_timer(transport);
    return true;
}

static bool fake_act(struct casehook__transport *transport, int socket, int events)
{
    (void)transport;
    (void)socket;
    (void)events;
    return true;
}

static bool fake_tick(struct casehook__transport *transport)
{
    const struct casehook__transfer *first = first_answer(transport);
    if (first && first->at > fake.now) tell_timer(transport);
    return true;
}

static const struct casehook__transport_ops fake_transport_ops = {
    .open = fake_open,
    .close = fake_close,
    .transfer_new = fake_transfer_new,
    .transfer_free = fake_transfer_free,
    .shrink = fake_shrink,
    .start = fake_start,
    .limit = fake_limit,
    .expire = fake_expire,
    .cancel = fake_cancel,
    .response = fake_response,
    .failure = fake_failure,
    .perform = fake_perform,
    .poll = fake_poll,
    .poll_with = fake_poll_with,
    .wakeup = fake_wakeup,
    .next = fake_next,
    .keep = fake_keep,
    .watch = fake_watch,
    .act = fake_act,
    .tick = fake_tick,
    .sweep = fake_tick,
};

void fake_use(struct casehook_connector *connector)
{
    connector->ops = &fake_transport_ops;
    connector->context.clock = &fake_clock;
}

void fake_reset(void)
{
    fake = (struct fake){.now = 1000000};
}

/* ---- loops ------------------------------------------------------------------------------------- */

static bool signalled;

static int backend_open(struct casehook__heap *heap, void **backend)
{
    (void)heap;
    *backend = &fake;
    signalled = false;
    return CASEHOOK_OK;
}

static void backend_close(void *backend, bool forked)
{
    (void)backend;
    (void)forked;
}

static int backend_descriptor(const void *backend)
{
    (void)backend;
    return fake.watchable ? INT_MAX : -1;
}

static bool backend_watch(void *backend, int socket, int events, bool fresh, uint32_t owner)
{
    (void)backend;
    (void)socket;
    (void)events;
    (void)fresh;
    (void)owner;
    return true;
}

static void backend_set_timer(void *backend, int64_t at)
{
    (void)backend;
    (void)at;
}

static void backend_signal(void *backend)
{
    (void)backend;
    signalled = true;
}

static void backend_quiet(void *backend)
{
    (void)backend;
    signalled = false;
}

static int backend_wait(void *backend, int timeout_ms, struct casehook__event *events, int max)
{
    (void)backend;
    (void)events;
    (void)max;
    if (timeout_ms == 0 || signalled) return 0;
    if (timeout_ms < 0) give_up("the loop waits for ever");
    fake.waits++;
    fake.now += timeout_ms;
    return 0;
}

static const struct casehook__backend_ops fake_backend = {
    .open = backend_open,
    .close = backend_close,
    .descriptor = backend_descriptor,
    .watch = backend_watch,
    .set_timer = backend_set_timer,
    .signal = backend_signal,
    .quiet = backend_quiet,
    .wait = backend_wait,
};

struct casehook_loop *fake_loop(uint32_t max_operations, uint32_t max_connections,
                                const struct casehook_allocator *allocator)
{
    struct casehook_loop_options options = {.struct_size = sizeof options,
                                            .allocator = allocator,
                                            .max_operations = max_operations,
                                            .max_connections = max_connections};
    struct casehook_loop *loop = NULL;
    if (casehook__loop_new_with(&options, &fake_backend, &loop)) give_up("there is no loop");
    return loop;
}
