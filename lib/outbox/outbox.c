/* outbox.c - opening and closing. */
#include "outbox/posix.h"

#include "outbox/outbox_private.h"

#include <stdio.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum { WORKER_BYTES_MAX = 255, LEASE_MS_MIN = 1000, SENDING_MAX = 100000, SHARDS = 16 };

int casehook_outbox_feature(const char *name)
{
    if (!name) return 0;
#ifdef CASEHOOK_OUTBOX_SQLITE
    if (strcmp(name, "sqlite") == 0) return 1;
#endif
#ifdef CASEHOOK_OUTBOX_POSTGRESQL
    if (strcmp(name, "postgresql") == 0) return 1;
#endif
    return 0;
}

int casehook__ob_usable(struct casehook_outbox *outbox, struct casehook__ob_fault *fault)
{
    if (!outbox) return casehook__ob_fail(fault, CASEHOOK_E_ARGUMENT, "the outbox is NULL");
    if (outbox->pid == (int)getpid()) return CASEHOOK_OK;
    return casehook__ob_fail(fault, CASEHOOK_E_FORKED,
                             "the outbox belongs to the parent process: open one here, in a file only if the "
                             "parent has none open when it forks");
}

int casehook__ob_answer(struct casehook_outbox *outbox, const struct casehook__ob_fault *fault,
                        struct casehook_outbox_error **error)
{
    if (error) *error = NULL;
    return casehook__ob_tell(outbox ? outbox->heap : NULL, fault, error);
}

/* ---- options ---------------------------------------------------------------------------------------- */

static void default_to(int64_t *field, int64_t value)
{
    if (*field == 0) *field = value;
}

/* Sums and doubles of them stay numbers. */
static void at_most(int64_t *field, int64_t most)
{
    if (*field > most) *field = most;
}

static void fill_defaults(struct casehook_outbox_options *options)
{
    int64_t *const times[] = {&options->max_age_ms,   &options->give_up_after_ms, &options->retry_base_ms,
                              &options->retry_max_ms, &options->keep_finished_ms, &options->keep_cases_ms};
    const int64_t hour = 3600000, day = 24 * hour;
    if (!options->max_entries) options->max_entries = 1000000;
    if (!options->max_bytes) options->max_bytes = UINT64_C(4) << 30;
    default_to(&options->give_up_after_ms, 3 * day);
    default_to(&options->retry_base_ms, 5000);
    default_to(&options->retry_max_ms, hour);
    default_to(&options->keep_finished_ms, 7 * day);
    default_to(&options->keep_cases_ms, 400 * day);
    if (!options->lease_ms) options->lease_ms = 120000;
    if (options->lease_ms < LEASE_MS_MIN) options->lease_ms = LEASE_MS_MIN;
    if (!options->database_timeout_ms) options->database_timeout_ms = 5000;
    if (options->database_timeout_ms > INT32_MAX) options->database_timeout_ms = INT32_MAX;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) at_most(times[i], INT64_MAX / 8);
    if (!options->poll_ms) options->poll_ms = 1000;
    if (!options->max_sending) options->max_sending = 64;
    if (!options->log_level) options->log_level = CASEHOOK_LOG_INFO;
}

static int check_options(const struct casehook_outbox_options *options, struct casehook__ob_fault *fault)
{
    if (!options->location || !*options->location)
        return casehook__ob_fail(fault, CASEHOOK_E_CONFIG,
                                 "location is missing: give the path of a file, or postgresql://...");
    if (options->worker && (!*options->worker || strlen(options->worker) > WORKER_BYTES_MAX))
        return casehook__ob_fail(fault, CASEHOOK_E_ARGUMENT, "worker must have 1 to %d bytes",
                                 WORKER_BYTES_MAX);
    if (options->max_sending > SENDING_MAX)
        return casehook__ob_fail(fault, CASEHOOK_E_ARGUMENT, "max_sending must be at most %d", SENDING_MAX);
    if (options->max_age_ms < 0 || options->give_up_after_ms < 0 || options->retry_base_ms < 0 ||
        options->retry_max_ms < 0)
        return casehook__ob_fail(fault, CASEHOOK_E_ARGUMENT, "a time of the options is negative");
    return CASEHOOK_OK;
}

static bool is_postgres(const char *location)
{
    return strncmp(location, "postgresql://", 13) == 0 || strncmp(location, "postgres://", 11) == 0;
}

/* ---- opening ---------------------------------------------------------------------------------------- */

static int open_store(struct casehook_outbox *outbox, struct casehook__ob_fault *fault)
{
    const struct casehook_outbox_options *options = &outbox->options;
    struct casehook__ob_place place = {options->location, options->database_timeout_ms,
                                       options->resolve != NULL};
    bool postgres = is_postgres(options->location);
    if (!postgres && (strstr(options->location, "://") || *options->location == ':'))
        return casehook__ob_fail(fault, CASEHOOK_E_CONFIG,
                                 "location is neither a path nor postgresql://...: an outbox must last");
    int status = (postgres ? casehook__ob_postgres_open : casehook__ob_sqlite_open)(outbox->heap, &place,
                                                                                    &outbox->store, fault);
    if (!status) status = casehook__ob_schema(outbox->store, fault);
    outbox->shard = postgres ? outbox->instance & (SHARDS - 1) : 0;
    return status;
}

static bool seed(struct casehook_outbox *outbox)
{
    uint64_t bits[2];
    if (getrandom(bits, sizeof bits, 0) != (ssize_t)sizeof bits) return false;
    outbox->random = bits[0];
    outbox->instance = (int64_t)(bits[1] >> 1 | 1);
    return true;
}

static int name_worker(struct casehook_outbox *outbox, struct casehook__ob_fault *fault)
{
    char name[32];
    const char *given = outbox->options.worker;
    snprintf(name, sizeof name, "%016llx", (unsigned long long)outbox->instance);
    outbox->worker = casehook__ob_copy(outbox->heap, casehook__ob_text(given ? given : name));
    outbox->taken_over = !given;
    return outbox->worker ? CASEHOOK_OK : casehook__ob_fail_memory(fault);
}

static int open_delivery(struct casehook_outbox *outbox, struct casehook__ob_fault *fault)
{
    const struct casehook_outbox_options *options = &outbox->options;
    const struct casehook_loop_options loop = {
        .struct_size = sizeof loop,
        .allocator = options->allocator,
        .max_operations = options->max_sending,
        .max_connections = options->max_connections ? options->max_connections : options->max_sending};
    if (!options->resolve) return CASEHOOK_OK;
    outbox->places = 2 * (size_t)options->max_sending;
    outbox->sending = casehook__ob_zeroed(outbox->heap, outbox->places * sizeof *outbox->sending);
    if (!outbox->sending) return casehook__ob_fail_memory(fault);
    struct casehook_loop_options own = loop;
    struct casehook_allocator without_destroy;
    if (own.allocator) {
        without_destroy = *own.allocator;
        without_destroy.destroy = NULL; /* it is called once, by the heap */
        without_destroy.struct_size = sizeof without_destroy;
        own.allocator = &without_destroy;
    }
    int status = casehook_loop_new(&own, &outbox->loop);
    if (!status) status = casehook__ob_watch_new(outbox);
    if (!status) return CASEHOOK_OK;
    return casehook__ob_fail(fault, status, "the loop that delivers could not be made: %s",
                             casehook_status_name(status));
}

static void release_outbox(struct casehook_outbox *outbox)
{
    struct casehook__ob_heap *heap = outbox->heap;
    for (size_t i = 0; outbox->sending && i < outbox->places; i++)
        casehook__ob_sending_clear(outbox, &outbox->sending[i]);
    if (outbox->loop) casehook_loop_free(outbox->loop);
    casehook__ob_watch_free(outbox);
    /*
     * In a child it is the parent's: to close it would end the parent's session, or take its journal away.
     * Threads of the parent that waited are not there, and would be waited for.
     */
    bool ours = outbox->pid == (int)getpid();
    if (outbox->store && ours) outbox->store->driver->close(outbox->store);
    casehook__ob_release(heap, outbox->sending);
    casehook__ob_release(heap, outbox->worker);
    if (ours) pthread_mutex_destroy(&outbox->lock);
    if (ours) pthread_cond_destroy(&outbox->free);
    if (outbox->options.destroy) outbox->options.destroy(outbox->options.user);
    casehook__ob_release(heap, outbox);
    casehook__ob_heap_unref(heap);
}

static struct casehook_outbox *begin_outbox(struct casehook__ob_heap *heap,
                                            const struct casehook_outbox_options *options)
{
    struct casehook_outbox *outbox = casehook__ob_zeroed(heap, sizeof *outbox);
    if (!outbox) return NULL;
    outbox->heap = heap;
    outbox->options = *options;
    outbox->pid = (int)getpid();
    outbox->last = &outbox->first;
    outbox->clock_ahead = casehook__ob_clock_ahead();
    pthread_mutex_init(&outbox->lock, NULL);
    pthread_cond_init(&outbox->free, NULL);
    atomic_flag_clear(&outbox->delivering);
    atomic_store(&outbox->has_work, true);
    fill_defaults(&outbox->options);
    return outbox;
}

int casehook_outbox_open(const struct casehook_outbox_options *given, struct casehook_outbox **opened,
                         struct casehook_outbox_error **error)
{
    struct casehook__ob_fault fault = {.status = CASEHOOK_OK};
    struct casehook__ob_heap *heap = NULL;
    struct casehook_outbox_options options;
    size_t minimum = offsetof(struct casehook_outbox_options, log_level) + sizeof options.log_level;
    if (error) *error = NULL;
    if (opened) *opened = NULL;
    int status =
        casehook__ob_read_struct(&options, given, minimum, sizeof options, "casehook_outbox_options", &fault);
    /* Of a struct whose size is wrong nothing is used; there all is zero. */
    bool read = options.struct_size != 0;
    int no_heap = casehook__ob_heap_new(read ? options.allocator : NULL, &heap);
    if (no_heap) {
        if (read && options.destroy) options.destroy(options.user);
        if (no_heap == CASEHOOK_E_ARGUMENT) return no_heap; /* there is nothing to make an error with */
        casehook__ob_fail_memory(&fault);
        return casehook__ob_tell(NULL, &fault, error);
    }
    if (!status && !opened)
        status = casehook__ob_fail(&fault, CASEHOOK_E_ARGUMENT, "there is no place for the outbox");
    struct casehook_outbox *outbox = status ? NULL : begin_outbox(heap, &options);
    if (!outbox) {
        if (!status) status = casehook__ob_fail_memory(&fault);
        if (read && options.destroy) options.destroy(options.user);
        casehook__ob_tell(heap, &fault, error);
        casehook__ob_heap_unref(heap);
        return status;
    }
    status = check_options(&outbox->options, &fault);
    if (!status && !seed(outbox))
        status = casehook__ob_fail(&fault, CASEHOOK_E_SYSTEM, "the system gives no random numbers");
    if (!status) status = name_worker(outbox, &fault);
    if (!status) status = open_store(outbox, &fault);
    if (!status) status = open_delivery(outbox, &fault);
    /* Texts of the caller's options are not needed any more. */
    outbox->options.location = outbox->options.worker = NULL;
    outbox->options.allocator = NULL;
    if (!status) {
        *opened = outbox;
        return CASEHOOK_OK;
    }
    casehook__ob_tell(heap, &fault, error);
    release_outbox(outbox);
    return status;
}

/* ---- closing ---------------------------------------------------------------------------------------- */

enum { CLOSE_ROUNDS = 64, CLOSE_WAIT_MS = 20 };

void casehook_outbox_close(struct casehook_outbox *outbox)
{
    if (!outbox) return;
    if (outbox->pid == (int)getpid() && outbox->loop) {
        atomic_store(&outbox->paused, true);
        for (size_t i = 0; i < outbox->places; i++)
            if (outbox->sending[i].used && outbox->sending[i].submitted && !outbox->sending[i].ended)
                casehook_loop_cancel(outbox->loop, outbox->sending[i].ticket);
        for (int i = 0; i < CLOSE_ROUNDS && atomic_load(&outbox->sending_now); i++)
            if (casehook_outbox_run(outbox, 0, i ? CLOSE_WAIT_MS : 0)) break;
    }
    release_outbox(outbox);
}
