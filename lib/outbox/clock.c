/* clock.c - time as this process sees it, and random numbers. */
#include "outbox/posix.h"

#include "outbox/outbox_private.h"

#include <time.h>
#include <unistd.h>

int64_t casehook__ob_clock(void)
{
    struct timespec now;
#ifdef CLOCK_BOOTTIME
    /* It goes on while the machine sleeps, as the database's does. */
    if (clock_gettime(CLOCK_BOOTTIME, &now) != 0)
#endif
        clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t casehook__ob_clock_ahead(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 - casehook__ob_clock();
}

/* splitmix64: spreads delays, and nothing more depends on it once it was seeded. */
uint64_t casehook__ob_random(struct casehook_outbox *outbox)
{
    uint64_t mixed = atomic_fetch_add(&outbox->random, UINT64_C(0x9e3779b97f4a7c15));
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ mixed >> 31;
}
