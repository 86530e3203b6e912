/*
 * stats.h - what became of the operations of a connector, in numbers (D7).
 */
#ifndef CASEHOOK_STATS_H
#define CASEHOOK_STATS_H

#include "exchange/result.h"

#include <stdatomic.h>

struct casehook__stats;
/* Made when it is first needed; NULL until then, and where there was no memory for it. */
typedef _Atomic(struct casehook__stats *) casehook__stats_slot;

/* Any thread; without memory for the numbers the operation is not counted. */
void casehook__stats_count(casehook__stats_slot *slot, struct casehook__heap *heap,
                           const struct casehook_result *result);
/* One that failed before it had a result. */
void casehook__stats_count_operation(casehook__stats_slot *slot, struct casehook__heap *heap, int operation,
                                     int status);
/* Its members, from "operations" on, without the braces. */
void casehook__stats_write(casehook__stats_slot *slot, struct casehook__buf *json);
void casehook__stats_free(casehook__stats_slot *slot, struct casehook__heap *heap);

#endif
