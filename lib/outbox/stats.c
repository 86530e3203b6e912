/* stats.c - how much there is of everything. */
#include "outbox/outbox_private.h"

#include <stdio.h>

struct census {
    struct casehook__ob_job job;
    struct casehook__ob_tally total;
    int64_t oldest_age_ms;
    uint64_t reconnects;
};

static int do_count(struct casehook_outbox *outbox, struct casehook__ob_job *job,
                    struct casehook__ob_fault *fault)
{
    struct census *census = job->user;
    (void)fault;
    census->total = outbox->total; /* read already, at the beginning of the group */
    census->oldest_age_ms = outbox->oldest_age_ms;
    census->reconnects = outbox->store->connections - 1;
    return CASEHOOK_OK;
}

static int count_all(struct casehook_outbox *outbox, struct casehook_outbox_stats *stats,
                     struct casehook__ob_fault *fault)
{
    struct census census = {.job = {.do_it = do_count, .counts = true}};
    uint64_t *const fields[] = {&stats->waiting, &stats->queued, &stats->sending,   &stats->parked,
                                &stats->unknown, &stats->done,   &stats->discarded, &stats->replaced};
    int64_t bytes = 0;
    census.job.user = &census;
    int status = casehook__ob_group(outbox, &census.job);
    *fault = census.job.fault;
    pthread_mutex_lock(&outbox->lock);
    if (!status) outbox->numbers.reconnects = census.reconnects;
    *stats = outbox->numbers;
    pthread_mutex_unlock(&outbox->lock);
    stats->sending_here = atomic_load(&outbox->sending_now);
    stats->away = atomic_load(&outbox->away);
    for (int state = 1; !status && state < CASEHOOK__OB_STATES; state++) {
        *fields[state - 1] = census.total.entries[state] > 0 ? (uint64_t)census.total.entries[state] : 0;
        bytes += census.total.bytes[state];
    }
    stats->bytes = bytes > 0 ? (uint64_t)bytes : 0;
    stats->oldest_age_ms = status ? 0 : census.oldest_age_ms;
    return status;
}

int casehook_outbox_get_stats(struct casehook_outbox *outbox, struct casehook_outbox_stats *stats,
                              struct casehook_outbox_error **error)
{
    struct casehook__ob_fault fault = {.status = CASEHOOK_OK};
    struct casehook_outbox_stats ours = {.struct_size = 0};
    size_t minimum = offsetof(struct casehook_outbox_stats, sending_here) + sizeof ours.sending_here;
    int status = casehook__ob_usable(outbox, &fault);
    if (!status) count_all(outbox, &ours, &fault);
    if (casehook__ob_write_struct(stats, &ours, minimum, sizeof ours))
        casehook__ob_fail(&fault, CASEHOOK_E_ARGUMENT, "stats is NULL, or its struct_size is wrong");
    return casehook__ob_answer(outbox, &fault, error);
}

size_t casehook_outbox_stats_json(struct casehook_outbox *outbox, char *buffer, size_t size)
{
    static const char *const names[] = {
        "waiting", "queued",      "sending", "parked", "unknown",    "done",        "discarded", "replaced",
        "bytes",   "oldestAgeMs", "put",     "known",  "refused",    "attempts",    "delivered", "retried",
        "gaveUp",  "doubted",     "lost",    "groups", "reconnects", "sendingHere", "away"};
    struct casehook__ob_fault fault = {.status = CASEHOOK_OK};
    struct casehook_outbox_stats stats = {.struct_size = sizeof stats};
    char text[1024];
    size_t length = 0;
    if (casehook__ob_usable(outbox, NULL) || count_all(outbox, &stats, &fault)) return 0;
    const uint64_t numbers[] = {
        stats.waiting,    stats.queued,       stats.sending,  stats.parked,   stats.unknown,
        stats.done,       stats.discarded,    stats.replaced, stats.bytes,    (uint64_t)stats.oldest_age_ms,
        stats.put,        stats.known,        stats.refused,  stats.attempts, stats.delivered,
        stats.retried,    stats.gave_up,      stats.doubted,  stats.lost,     stats.groups,
        stats.reconnects, stats.sending_here, stats.away};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "%c\"%s\":%llu", i ? ',' : '{',
                                   names[i], (unsigned long long)numbers[i]);
    length += (size_t)snprintf(text + length, sizeof text - length, "}");
    if (buffer && size) {
        size_t kept = length < size ? length : size - 1;
        memcpy(buffer, text, kept);
        buffer[kept] = '\0';
    }
    return length;
}
