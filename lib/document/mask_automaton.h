/*
 * mask_automaton.h - finds all of many needles in one pass over a text, whatever the needles are (Aho and
 * Corasick).
 *
 * Letters are compared without case, and what encodings exchange for one another is the same: a space and
 * "+",
 * "+" and "-", "/" and "_".
 */
#ifndef CASEHOOK_MASK_AUTOMATON_H
#define CASEHOOK_MASK_AUTOMATON_H

#include "base/alloc.h"
#include "base/text.h"

/* Of longer needles no more than this is found; what comes after it is followed byte by byte. */
#define CASEHOOK__NEEDLE_HEAD_MAX 128
/*
 * So many heads may be gone on from at one place, each in its own way: where there are more, all that is as
 * long as the longest counts.
 */
#define CASEHOOK__NEEDLE_TAILS 4

struct casehook__automaton;

/* OK, or LIMIT: there are too many needles (thousands). */
int casehook__automaton_check(const struct casehook__text *needles, size_t count);
/* Needles are copied, and wiped with it.  Errors: NO_MEMORY, LIMIT. */
int casehook__automaton_new(struct casehook__heap *heap, const struct casehook__text *needles, size_t count,
                            struct casehook__automaton **out);
void casehook__automaton_free(struct casehook__automaton *automaton);

/* Where a search is; all zero: at the beginning of a text. */
struct casehook__search {
    uint16_t place;
    uint8_t tails;                                      /* how many are followed */
    struct casehook__text tail[CASEHOOK__NEEDLE_TAILS]; /* what is left of them */
    size_t all; /* so many bytes count, whatever they are: there was no room for a tail of that length */
};

/*
 * The next byte of a text.  How many bytes, it among them, are the end of a needle, the longest that ends
 * here; 0: none does.  After a long needle's head each byte of its rest counts as 1.
 */
size_t casehook__search_step(const struct casehook__automaton *automaton, struct casehook__search *search,
                             char c);
/* How many bytes before this place are the beginning of some needle. */
size_t casehook__search_begun(const struct casehook__automaton *automaton,
                              const struct casehook__search *search);
/* Nothing of a needle is before this place. */
bool casehook__search_is_new(const struct casehook__search *search);
/* Then the bytes at the beginning of text that need not be looked at: no needle begins there.  Needles have
 * two bytes or more. */
size_t casehook__search_skip(const struct casehook__automaton *automaton, struct casehook__text text);

#endif
