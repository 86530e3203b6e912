/*
 * made.h - the values of one operation that documents make of variables, secret ones, and what answers told
 * (V1-V3).  Made when a template comes to them, and kept as long as what they are made of stays as it is.
 */
#ifndef CASEHOOK_MADE_H
#define CASEHOOK_MADE_H

#include "exchange/result.h"

struct casehook__made;

/* NULL: no memory.  config is borrowed. */
struct casehook__made *casehook__made_new(struct casehook__heap *heap, const struct casehook__config *config);
void casehook__made_free(struct casehook__made *made);
/* Another operation begins, or this one has ended: nothing borrowed is kept.  made may be NULL. */
void casehook__made_forget(struct casehook__made *made);
/*
 * Before a rendering: puts the values into tree, which lives until the next time.  masked: secrets as *** is.
 * NO_MEMORY.
 */
int casehook__made_begin(struct casehook__made *made, const struct casehook__parsed_params *params,
                         const struct casehook_result *result, bool masked,
                         struct casehook__param_tree *tree);
/* Bytes that were gone through since it was asked last; made may be NULL. */
size_t casehook__made_work(struct casehook__made *made);
/* Whether since begin a value could not be made. */
bool casehook__made_failed(const struct casehook__made *made);

#endif
