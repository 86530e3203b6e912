/*
 * mask_match.h - finding a secret again, in whatever way it is written.
 */
#ifndef CASEHOOK_MASK_MATCH_H
#define CASEHOOK_MASK_MATCH_H

#include "text.h"

/*
 * How many bytes at the beginning of text are the needle; 0: they are not.  When text ends within it, a part
 * of it is enough: texts are cut before they come here.  base64: the letters for URLs are the same.
 * escapes: an escape is what it stands for wherever that fits; else every byte stands for itself.
 */
size_t casehook__mask_match(struct casehook__text text, struct casehook__text needle, bool base64,
                            bool escapes);

/* One character: case does not count, nor does which alphabet of base64 it is from; + may be a space. */
bool casehook__mask_same(char c, char wanted, bool base64);

#endif
