/* pause.c - sleeping until a time, or until somebody cancels. */
#include "base/posix.h"

#include "base/pause.h"

#include "base/clock.h"

#include <pthread.h>
#include <time.h>

#define NAP_MS 20 /* so often is looked for a cancel where the system has no condition for us */

/* Of the thread that sleeps: a cancel has none of its own, which a child of fork() could not destroy. */
struct sleeper {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool woken;
};

static void wake_sleeper(void *user)
{
    struct sleeper *sleeper = user;
    pthread_mutex_lock(&sleeper->lock);
    sleeper->woken = true;
    pthread_cond_signal(&sleeper->ended);
    pthread_mutex_unlock(&sleeper->lock);
}

static struct timespec time_of(int64_t ms)
{
    return (struct timespec){.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000L};
}

static bool sleeper_init(struct sleeper *sleeper)
{
    pthread_condattr_t clock;
    sleeper->woken = false;
    if (pthread_condattr_init(&clock)) return false;
    bool done =
        !pthread_condattr_setclock(&clock, CLOCK_MONOTONIC) && !pthread_cond_init(&sleeper->ended, &clock);
    pthread_condattr_destroy(&clock);
    if (done && pthread_mutex_init(&sleeper->lock, NULL)) {
        pthread_cond_destroy(&sleeper->ended);
        done = false;
    }
    return done;
}

static void sleep_until(int64_t until, struct casehook_cancel *cancel, struct sleeper *sleeper)
{
    struct casehook__cancel_waiter waiter = {.wake = wake_sleeper, .user = sleeper};
    const struct timespec time = time_of(until);
    casehook__cancel_add(cancel, &waiter);
    pthread_mutex_lock(&sleeper->lock);
    /* Set before the waiter was there, it wakes nobody. */
    while (!sleeper->woken && !casehook__cancel_is_set(cancel) && casehook__clock_ms() < until)
        pthread_cond_timedwait(&sleeper->ended, &sleeper->lock, &time);
    pthread_mutex_unlock(&sleeper->lock);
    casehook__cancel_remove(cancel, &waiter);
}

static void nap_until(int64_t until, struct casehook_cancel *cancel)
{
    for (;;) {
        int64_t left = until - casehook__clock_ms();
        if (left <= 0 || casehook__cancel_is_set(cancel)) return;
        const struct timespec time = time_of(left < NAP_MS ? left : NAP_MS);
        nanosleep(&time, NULL);
    }
}

void casehook__pause(int64_t until, struct casehook_cancel *cancel)
{
    static const struct casehook__alarm none;
    casehook__pause_alarmed(until, cancel, &none);
}

void casehook__pause_alarmed(int64_t until, struct casehook_cancel *cancel,
                             const struct casehook__alarm *alarm)
{
    struct sleeper sleeper;
    if (!sleeper_init(&sleeper)) {
        int64_t nap = casehook__clock_ms() + NAP_MS; /* the caller looks himself whether the alarm came */
        nap_until(alarm->set && nap < until ? nap : until, cancel);
        return;
    }
    if (!alarm->set || alarm->set(alarm->user, wake_sleeper, &sleeper)) sleep_until(until, cancel, &sleeper);
    if (alarm->set) alarm->clear(alarm->user);
    pthread_mutex_destroy(&sleeper.lock);
    pthread_cond_destroy(&sleeper.ended);
}
