/*
 * mask_needles.h - what a mask looks for: secrets in all their forms, and secrets that come later.
 */
#ifndef CASEHOOK_MASK_NEEDLES_H
#define CASEHOOK_MASK_NEEDLES_H

#include "document/mask_automaton.h"

#include <stdatomic.h>

/* The ends of lines count neither in a secret nor in a text: base64 is written in lines of any width. */
static inline bool casehook__is_line_end(unsigned char c)
{
    return c == '\n' || c == '\r';
}

/* Whether they can be looked for; *any: one of them is long enough.  Errors: NO_MEMORY, LIMIT. */
int casehook__needles_check(struct casehook__heap *heap, const struct casehook__text *secrets, size_t count,
                            bool *any);
/* NULL: no memory, or none of them is long enough.  closer: also inside of longer texts in base64. */
struct casehook__automaton *casehook__needles_automaton(struct casehook__heap *heap,
                                                        const struct casehook__text *secrets, size_t count,
                                                        bool closer);

/* Secrets that came later: the last ones, those that pass apart. */
#define CASEHOOK__LEARNT_PASSING 4
#define CASEHOOK__LEARNT         (8 + CASEHOOK__LEARNT_PASSING)

/* One of them.  Whoever looks for it has a reference. */
struct casehook__learnt {
    struct casehook__heap *heap;
    atomic_int references;
    struct casehook__automaton *automaton;
};

struct casehook__learner;

/* NULL: no memory. */
struct casehook__learner *casehook__learner_new(struct casehook__heap *heap);
void casehook__learner_free(struct casehook__learner *learner);
/* The first one must be long enough.  OK or NO_MEMORY.  Any thread. */
int casehook__learner_add(struct casehook__learner *learner, const struct casehook__text *secrets,
                          size_t count, bool passing);
/* Those that are known now, each to be left; how many. */
size_t casehook__learner_take(struct casehook__learner *learner,
                              struct casehook__learnt *items[CASEHOOK__LEARNT]);
void casehook__learnt_leave(struct casehook__learnt *learnt);

#endif
