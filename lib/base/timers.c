/* timers.c - a pairing heap of times. */
#include "base/timers.h"

#include <stddef.h>

/* Both are without neighbours; the later one goes below the earlier one. */
static struct casehook__timer *timer_join(struct casehook__timer *a, struct casehook__timer *b)
{
    if (!a || !b) return a ? a : b;
    if (b->at < a->at) {
        struct casehook__timer *earlier = b;
        b = a;
        a = earlier;
    }
    b->before = a;
    b->next = a->child;
    if (a->child) a->child->before = b;
    a->child = b;
    return a;
}

static struct casehook__timer *timer_detach(struct casehook__timer *timer)
{
    struct casehook__timer *next = timer->next;
    timer->next = timer->before = NULL;
    return next;
}

/* Joins neighbours in pairs, then the pairs from the last to the first: what keeps the heap flat. */
static struct casehook__timer *timer_join_all(struct casehook__timer *list)
{
    struct casehook__timer *pairs = NULL, *root = NULL;
    while (list) {
        struct casehook__timer *a = list, *b = timer_detach(a);
        list = b ? timer_detach(b) : NULL;
        struct casehook__timer *pair = timer_join(a, b);
        pair->next = pairs;
        pairs = pair;
    }
    while (pairs) {
        struct casehook__timer *pair = pairs;
        pairs = timer_detach(pair);
        root = timer_join(root, pair);
    }
    return root;
}

void casehook__timer_set(struct casehook__timers *timers, struct casehook__timer *timer, int64_t at)
{
    casehook__timer_clear(timers, timer);
    *timer = (struct casehook__timer){.at = at, .set = true};
    timers->first = timer_join(timers->first, timer);
}

void casehook__timer_clear(struct casehook__timers *timers, struct casehook__timer *timer)
{
    if (!timer->set) return;
    timer->set = false;
    struct casehook__timer *below = timer_join_all(timer->child);
    timer->child = NULL;
    if (timers->first == timer) {
        timers->first = below;
        return;
    }
    if (timer->before->child == timer)
        timer->before->child = timer->next;
    else
        timer->before->next = timer->next;
    if (timer->next) timer->next->before = timer->before;
    timer_detach(timer);
    timers->first = timer_join(timers->first, below);
}

int64_t casehook__timers_next(const struct casehook__timers *timers)
{
    return timers->first ? timers->first->at : INT64_MAX;
}
