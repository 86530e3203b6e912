/* reuse.c - whether a kept connection may be trusted with a write (H7). */
#include "settings/reuse.h"

#define MEMORY_MS  (5 * 60 * 1000) /* what was seen counts for so long */
#define QUICK_MS   1000 /* a close sooner than this is no idle timeout: the server closes after answers */
#define WANTED_MAX 4096
#define DEARER     16

static int64_t load_time(const _Atomic int64_t *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

static void store(_Atomic int64_t *value, int64_t to)
{
    atomic_store_explicit(value, to, memory_order_relaxed);
}

static bool has_closed(const struct casehook__reuse *reuse, int64_t now)
{
    int64_t at = load_time(&reuse->closed_at);
    return at && now - at < MEMORY_MS;
}

void casehook__reuse_proved(struct casehook__reuse *reuse, int64_t now)
{
    if (load_time(&reuse->proved_at) != now) store(&reuse->proved_at, now);
    if (atomic_load_explicit(&reuse->proofs, memory_order_relaxed) < WANTED_MAX)
        atomic_fetch_add_explicit(&reuse->proofs, 1, memory_order_relaxed);
}

/*
 * Each quick close makes trust sixteen times as dear: a server that closes at random must not earn it by a
 * few lucky reads.  A late one is an idle timeout: connections that have rested for half as long are left
 * alone.
 */
void casehook__reuse_closed(struct casehook__reuse *reuse, int64_t rested_ms, int64_t now)
{
    bool again = has_closed(reuse, now);
    uint32_t wanted = again ? atomic_load_explicit(&reuse->wanted, memory_order_relaxed) : 1;
    int64_t limit = again ? load_time(&reuse->rest_limit) : INT64_MAX;
    if (rested_ms < QUICK_MS)
        wanted = wanted < WANTED_MAX / DEARER ? wanted * DEARER : WANTED_MAX;
    else if (rested_ms / 2 < limit)
        limit = rested_ms / 2;
    atomic_store_explicit(&reuse->wanted, wanted, memory_order_relaxed);
    atomic_store_explicit(&reuse->proofs, 0, memory_order_relaxed);
    store(&reuse->rest_limit, limit);
    store(&reuse->closed_at, now);
}

bool casehook__reuse_is_proven(const struct casehook__reuse *reuse, int64_t now)
{
    uint32_t wanted = has_closed(reuse, now) ? atomic_load_explicit(&reuse->wanted, memory_order_relaxed) : 1;
    return atomic_load_explicit(&reuse->proofs, memory_order_relaxed) >= wanted &&
           now - load_time(&reuse->proved_at) < MEMORY_MS;
}

bool casehook__reuse_may_write(const struct casehook__reuse *reuse, const struct casehook__kept *kept,
                               int64_t now)
{
    if (!has_closed(reuse, now))
        return kept->answers > 1 || now < kept->promise_until || casehook__reuse_is_proven(reuse, now);
    return kept->rested_ms <= load_time(&reuse->rest_limit) && casehook__reuse_is_proven(reuse, now);
}
