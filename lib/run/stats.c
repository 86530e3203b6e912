/*
 * stats.c - counters of a connector (D7).
 *
 * An operation is counted when it has ended, from its result: nothing is counted while it runs, and no lock
 * is taken.  A snapshot that is read meanwhile may have one number of an operation and not yet the next.
 */
#include "run/stats.h"

enum {
    OPERATIONS = CASEHOOK_PUSH + 1,
    CODES = -CASEHOOK_E_UNAVAILABLE + 1,
    STEPS = CASEHOOK_STEP_TRANSITION + 1,
    CLASSES = 10 /* of HTTP status by its first digit; 0: no answer */
};

/* Times of requests, up to so many ms; the last count is of those that took longer. */
static const uint16_t time_limits[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 30000};
#define TIMES (sizeof time_limits / sizeof *time_limits)

typedef _Atomic(uint64_t) counter;

struct casehook__stats {
    counter operations[OPERATIONS][CODES];
    counter requests[STEPS][CLASSES];
    counter times[TIMES + 1];
    counter retries, waits, waited_ms, found, adopted, sent, received;
};

static void count_up(counter *each, uint64_t number)
{
    atomic_fetch_add_explicit(each, number, memory_order_relaxed);
}

static uint64_t read_count(const counter *each)
{
    return atomic_load_explicit(each, memory_order_relaxed);
}

/* The counters, made by whoever comes first.  NULL: no memory. */
static struct casehook__stats *stats_of(casehook__stats_slot *slot, struct casehook__heap *heap)
{
    struct casehook__stats *stats = atomic_load(slot), *other = NULL;
    if (stats) return stats;
    stats = casehook__calloc(heap, 1, sizeof *stats);
    if (!stats || atomic_compare_exchange_strong(slot, &other, stats)) return stats;
    casehook__free(heap, stats);
    return other;
}

void casehook__stats_free(casehook__stats_slot *slot, struct casehook__heap *heap)
{
    casehook__free(heap, atomic_load(slot));
}

void casehook__stats_count_operation(casehook__stats_slot *slot, struct casehook__heap *heap, int operation,
                                     int status)
{
    struct casehook__stats *stats = stats_of(slot, heap);
    if (stats && operation > 0 && operation < OPERATIONS && -status < CODES)
        count_up(&stats->operations[operation][-status], 1);
}

static void count_request(struct casehook__stats *stats, const struct casehook__request_record *request)
{
    int class = request->status / 100;
    size_t i = 0;
    if (request->step < STEPS && class < CLASSES) count_up(&stats->requests[request->step][class], 1);
    while (i < TIMES && request->duration_ms > time_limits[i]) i++;
    count_up(&stats->times[i], 1);
    if (request->attempt > 1) count_up(&stats->retries, 1);
    if (request->delay_ms > 0) {
        count_up(&stats->waits, 1);
        count_up(&stats->waited_ms, (uint64_t)request->delay_ms);
    }
    if (!request->metrics.known) return;
    count_up(&stats->sent, request->metrics.sent);
    count_up(&stats->received, request->metrics.received);
}

void casehook__stats_count(casehook__stats_slot *slot, struct casehook__heap *heap,
                           const struct casehook_result *result)
{
    struct casehook__stats *stats = stats_of(slot, heap);
    if (!stats) return;
    casehook__stats_count_operation(slot, heap, result->operation, result->error.status);
    for (size_t i = 0; i < result->request_count; i++) count_request(stats, &result->requests[i]);
    if (result->found) count_up(result->adopted ? &stats->adopted : &stats->found, 1);
}

/* ---- as JSON ----------------------------------------------------------------------------------- */

static void write_stats_name(struct casehook__buf *json, const char *name, bool first)
{
    casehook__buf_append_string(json, first ? "\"" : ",\"");
    casehook__buf_append_string(json, name);
    casehook__buf_append_string(json, "\":");
}

static void write_count(struct casehook__buf *json, const char *name, const counter *each)
{
    write_stats_name(json, name, false);
    casehook__buf_append_number(json, (int64_t)read_count(each));
}

/* {"push": {"ok": 7, "timeout": 1}}: what never happened is left out. */
static void write_table(struct casehook__buf *json, const counter *counts, int rows, int columns,
                        const char *(*row_name)(int row), const char *(*column_name)(int column))
{
    bool first_row = true;
    casehook__buf_append_char(json, '{');
    for (int row = 0; row < rows; row++) {
        bool first = true;
        for (int column = 0; column < columns; column++) {
            uint64_t count = read_count(&counts[row * columns + column]);
            if (count == 0) continue;
            if (first) {
                write_stats_name(json, row_name(row), first_row);
                casehook__buf_append_char(json, '{');
            }
            write_stats_name(json, column_name(column), first);
            casehook__buf_append_number(json, (int64_t)count);
            first = first_row = false;
        }
        if (!first) casehook__buf_append_char(json, '}');
    }
    casehook__buf_append_char(json, '}');
}

static const char *code_name(int column)
{
    return casehook_status_name(-column);
}

static const char *class_name(int column)
{
    static const char names[CLASSES][8] = {"none", "1xx", "2xx", "3xx", "4xx",
                                           "5xx",  "6xx", "7xx", "8xx", "9xx"};
    return names[column];
}

static void write_times(struct casehook__buf *json, const struct casehook__stats *stats)
{
    casehook__buf_append_string(json, ",\"requestTimes\":[");
    for (size_t i = 0; i <= TIMES; i++) {
        casehook__buf_append_string(json, i ? ",{\"upToMs\":" : "{\"upToMs\":");
        if (i < TIMES)
            casehook__buf_append_number(json, time_limits[i]);
        else
            casehook__buf_append_string(json, "null");
        write_count(json, "count", &stats->times[i]);
        casehook__buf_append_char(json, '}');
    }
    casehook__buf_append_char(json, ']');
}

void casehook__stats_write(casehook__stats_slot *slot, struct casehook__buf *json)
{
    const struct casehook__stats *stats = stats_of(slot, json->heap);
    if (!stats) {
        json->status = CASEHOOK_E_NO_MEMORY;
        return;
    }
    casehook__buf_append_string(json, "\"operations\":");
    write_table(json, &stats->operations[0][0], OPERATIONS, CODES, casehook_operation_name, code_name);
    casehook__buf_append_string(json, ",\"requests\":");
    write_table(json, &stats->requests[0][0], STEPS, CLASSES, casehook_step_name, class_name);
    write_count(json, "retries", &stats->retries);
    write_count(json, "waits", &stats->waits);
    write_count(json, "waitedMs", &stats->waited_ms);
    write_count(json, "found", &stats->found);
    write_count(json, "adopted", &stats->adopted);
    write_count(json, "bytesSent", &stats->sent);
    write_count(json, "bytesReceived", &stats->received);
    write_times(json, stats);
}
