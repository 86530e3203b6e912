/* loop.c - the loop of the public header: one descriptor, turns, results that are pulled. */
#include "base/posix.h"

#include "loop/loop_private.h"

#include "base/abi.h"
#include "base/clock.h"
#include "base/sigpipe.h"

#include <limits.h>
#include <unistd.h>

#define LOOP_OPTIONS_FIRST_SIZE (offsetof(struct casehook_loop_options, max_connections) + sizeof(uint32_t))
#define UNSEEN_MS               10 /* without a descriptor nobody but a turn sees that a socket is ready */

static const struct casehook__backend_ops *best_backend(void)
{
#if defined(__linux__)
    return &casehook__backend_epoll;
#else
    return &casehook__backend_poll;
#endif
}

int casehook__loop_new_with(const struct casehook_loop_options *given,
                            const struct casehook__backend_ops *ops, struct casehook_loop **out)
{
    struct casehook_loop_options options = {0};
    struct casehook__heap *heap = NULL;
    int status = out ? CASEHOOK_OK : CASEHOOK_E_ARGUMENT;
    if (out) *out = NULL;
    if (given && casehook__struct_read(&options, given, LOOP_OPTIONS_FIRST_SIZE, sizeof options,
                                       "casehook_loop_options", NULL))
        status = CASEHOOK_E_ARGUMENT;
    /* Whatever is wrong, an allocator that was given is released. */
    int allocator_status = casehook__allocator_heap(options.allocator, &heap);
    if (!status) status = allocator_status;
    if (status) {
        casehook__heap_unref(heap);
        return status;
    }
    struct casehook_loop *loop = casehook__calloc(heap, 1, sizeof *loop);
    if (!loop) {
        casehook__heap_unref(heap);
        return CASEHOOK_E_NO_MEMORY;
    }
    loop->heap = heap;
    loop->process = getpid();
    loop->max_operations = options.max_operations ? options.max_operations : CASEHOOK__LOOP_OPERATIONS;
    loop->max_connections = options.max_connections ? options.max_connections : CASEHOOK__LOOP_CONNECTIONS;
    loop->ops = ops ? ops : best_backend();
    atomic_init(&loop->pending, 0);
    atomic_init(&loop->entered, false);
    status = pthread_mutex_init(&loop->lock, NULL) ? CASEHOOK_E_NO_MEMORY : CASEHOOK_OK;
    if (!status && (status = loop->ops->open(heap, &loop->backend)) != CASEHOOK_OK)
        pthread_mutex_destroy(&loop->lock);
    if (status) {
        casehook__free(heap, loop);
        casehook__heap_unref(heap);
        return status;
    }
    *out = loop;
    return CASEHOOK_OK;
}

int casehook_loop_new(const struct casehook_loop_options *options, struct casehook_loop **loop)
{
    return casehook__loop_new_with(options, NULL, loop);
}

static void free_jobs(struct casehook__jobs *jobs)
{
    struct casehook__job *job;
    while ((job = casehook__jobs_shift(jobs)) != NULL) casehook__job_free(job);
}

static void abandon(struct casehook__job *job)
{
    casehook__job_abandon(job);
    casehook__job_free(job);
}

static void free_running(struct casehook_loop *loop)
{
    struct casehook__pipe_guard guard;
    struct casehook__job *job;
    casehook__pipe_guard(&guard);
    while ((job = casehook__pools_shift(loop)) != NULL) abandon(job);
    while ((job = casehook__jobs_shift(&loop->delayed)) != NULL) abandon(job);
    while ((job = casehook__jobs_shift(&loop->incoming)) != NULL) abandon(job);
    casehook__pools_free(loop);
    casehook__clients_reap(loop);
    casehook__pipe_unguard(&guard);
    pthread_mutex_destroy(&loop->lock);
}

/* False: another thread is in the loop, or this one, below a callback. */
static bool loop_enter(struct casehook_loop *loop)
{
    return !atomic_exchange_explicit(&loop->entered, true, memory_order_acquire);
}

static void loop_leave(struct casehook_loop *loop)
{
    atomic_store_explicit(&loop->entered, false, memory_order_release);
}

int casehook_loop_free(struct casehook_loop *loop)
{
    if (!loop) return CASEHOOK_OK;
    struct casehook__heap *heap = loop->heap;
    bool forked = loop->process != getpid(), whole = loop_enter(loop);
    if (!forked && !whole) return CASEHOOK_E_BUSY;
    /* In a child the connections are still the parent's: closing them properly would end them there too. */
    if (!forked) free_running(loop);
    if (whole) free_jobs(&loop->finished); /* else fork() came while the list changed: it is left */
    loop->ops->close(loop->backend, forked);
    casehook__free(heap, loop->pools);
    casehook__free(heap, loop->clients);
    casehook__free(heap, loop->tickets);
    casehook__free(heap, loop);
    casehook__heap_unref(heap);
    return CASEHOOK_OK;
}

void casehook_loop_wakeup(struct casehook_loop *loop)
{
    if (!loop || loop->process != getpid()) return;
    pthread_mutex_lock(&loop->lock);
    loop->woken = true;
    casehook__loop_signal(loop);
    pthread_mutex_unlock(&loop->lock);
}

/* The descriptor is to be readable when the next turn is needed. */
static void arm(struct casehook_loop *loop)
{
    if (loop->descriptor_used) loop->ops->set_timer(loop->backend, casehook__loop_next_time(loop));
}

/* From the first time on the descriptor is kept true, which costs something. */
static void use_descriptor(struct casehook_loop *loop)
{
    struct casehook__pipe_guard guard;
    pthread_mutex_lock(&loop->lock);
    loop->descriptor_used = true;
    if (loop->incoming.first || loop->told || loop->woken) casehook__loop_signal(loop);
    pthread_mutex_unlock(&loop->lock);
    loop->now = casehook__clock_ms();
    casehook__pipe_guard(&guard);
    casehook__clients_watch(loop);
    casehook__pipe_unguard(&guard);
    arm(loop);
}

/* Each call of the thread of the loop, up to its loop_leave.  Errors: ARGUMENT, FORKED, BUSY. */
static int loop_begin(struct casehook_loop *loop)
{
    if (!loop) return CASEHOOK_E_ARGUMENT;
    if (loop->process != getpid()) return CASEHOOK_E_FORKED;
    return loop_enter(loop) ? CASEHOOK_OK : CASEHOOK_E_BUSY;
}

int casehook_loop_fd(struct casehook_loop *loop)
{
    if (loop_begin(loop)) return -1;
    int descriptor = loop->ops->descriptor(loop->backend);
    if (descriptor >= 0 && !loop->descriptor_used) use_descriptor(loop);
    loop_leave(loop);
    return descriptor;
}

static bool has_news(struct casehook_loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    bool news = loop->incoming.first || loop->told || loop->woken;
    pthread_mutex_unlock(&loop->lock);
    return news;
}

static int64_t time_to_process(struct casehook_loop *loop)
{
    if (loop->descriptor_used) return -1;
    if (has_news(loop)) return 0;
    int64_t time = casehook__loop_next_time(loop), now = casehook__clock_ms();
    bool unseen = loop->watched_transfers || (loop->polled && loop->polled->transfers);
    if (unseen && time > now + UNSEEN_MS) time = now + UNSEEN_MS;
    if (time == CASEHOOK__NO_DEADLINE) return -1;
    return time > now ? time - now : 0;
}

int64_t casehook_loop_timeout_ms(struct casehook_loop *loop)
{
    if (loop_begin(loop)) return -1;
    int64_t time = time_to_process(loop);
    loop_leave(loop);
    return time;
}

int casehook_loop_process(struct casehook_loop *loop)
{
    struct casehook__pipe_guard guard;
    int status = loop_begin(loop);
    if (status) return status;
    casehook__pipe_guard(&guard);
    loop->now = casehook__clock_ms();
    casehook__clients_poll(loop, 0);
    casehook__loop_turn(loop, true);
    loop->wakeup_taken = false;
    arm(loop);
    casehook__pipe_unguard(&guard);
    loop_leave(loop);
    return CASEHOOK_OK;
}

/* The ms until the earlier of two times; -1: no limit. */
static int loop_time_left(const struct casehook_loop *loop, int64_t until)
{
    int64_t next = casehook__loop_next_time(loop), now = casehook__clock_ms();
    if (next < until) until = next;
    if (until == CASEHOOK__NO_DEADLINE) return -1;
    int64_t left = until > now ? until - now : 0;
    return left > INT_MAX ? INT_MAX : (int)left;
}

static void wait_for_result(struct casehook_loop *loop, int64_t until)
{
    bool polled = false;
    /* Results of the polled transport must not keep the others from being looked at. */
    if (loop->polled && loop->watched_transfers) casehook__clients_poll(loop, 0);
    for (;;) {
        casehook__loop_turn(loop, false);
        if (loop->finished.first || loop->wakeup_taken) return;
        if (polled && casehook__clock_ms() >= until) return;
        casehook__clients_poll(loop, loop_time_left(loop, until));
        polled = true;
    }
}

int casehook_loop_wait(struct casehook_loop *loop, int32_t timeout_ms)
{
    struct casehook__pipe_guard guard;
    int status = loop_begin(loop);
    if (status) return status;
    casehook__pipe_guard(&guard);
    loop->now = casehook__clock_ms();
    wait_for_result(loop, timeout_ms < 0 ? CASEHOOK__NO_DEADLINE : loop->now + timeout_ms);
    loop->wakeup_taken = false;
    arm(loop);
    casehook__pipe_unguard(&guard);
    loop_leave(loop);
    return CASEHOOK_OK;
}

struct casehook_result *casehook_loop_next(struct casehook_loop *loop, uint64_t *ticket)
{
    if (ticket) *ticket = 0;
    /* A child of fork() may have them too: they are its own copies. */
    if (!loop || !loop_enter(loop)) return NULL;
    struct casehook__job *job = casehook__jobs_shift(&loop->finished);
    struct casehook_result *result = NULL;
    if (job) {
        result = job->result;
        if (ticket) *ticket = job->ticket;
        job->result = NULL;
        casehook__job_free(job);
        atomic_fetch_sub_explicit(&loop->pending, 1, memory_order_relaxed);
    }
    loop_leave(loop);
    return result;
}

size_t casehook_loop_pending(const struct casehook_loop *loop)
{
    return loop ? atomic_load_explicit(&loop->pending, memory_order_relaxed) : 0;
}
