/*
 * cancel.h - stopping operations from any thread.
 */
#ifndef CASEHOOK_CANCEL_H
#define CASEHOOK_CANCEL_H

#include "casehook.h"

#include <stdbool.h>

/* An operation that can be woken; it lies where the operation does, and is removed before that goes. */
struct casehook__cancel_waiter {
    void (*wake)(void *user);
    void *user;
    struct casehook__cancel_waiter *next, **link;
};

struct casehook_cancel *casehook__cancel_ref(struct casehook_cancel *cancel);
bool casehook__cancel_is_set(const struct casehook_cancel *cancel); /* NULL: false */
/* wake is called at most once, from another thread, until casehook__cancel_remove has returned. */
void casehook__cancel_add(struct casehook_cancel *cancel, struct casehook__cancel_waiter *waiter);
void casehook__cancel_remove(struct casehook_cancel *cancel, struct casehook__cancel_waiter *waiter);

#endif
