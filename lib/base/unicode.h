/*
 * unicode.h - what Unicode says of text: lines, white space, and where a text may be cut (V1).
 *
 * All texts are valid UTF-8 (see casehook__js_utf8).
 */
#ifndef CASEHOOK_UNICODE_H
#define CASEHOOK_UNICODE_H

#include "base/text.h"

/*
 * Line by line: start with *at = 0; false after the last one.  A line ends at LF, VT, FF, CR, CR LF, U+0085,
 * U+2028 or U+2029, which are not part of it; behind the last of them there is no empty line.
 */
bool casehook__unicode_line(struct casehook__text text, size_t *at, struct casehook__text *line);

/*
 * Makes one line of it: a run of white space and controls with a line break or control in it becomes one
 * space, and at both ends nothing.  out has room for text, and may be where it lies; the length.
 */
size_t casehook__unicode_single_line(struct casehook__text text, char *out);

enum casehook__unit { CASEHOOK__UNIT_CHARACTERS, CASEHOOK__UNIT_UTF16, CASEHOOK__UNIT_BYTES };

/* What text has of a unit; more than most is counted no further. */
size_t casehook__unicode_count(struct casehook__text text, size_t most, enum casehook__unit unit);
/*
 * Bytes of the longest beginning of text that has at most so many units and ends between two grapheme
 * clusters: between two characters where the library was built without utf8proc.
 */
size_t casehook__unicode_fit(struct casehook__text text, size_t most, enum casehook__unit unit);

/* graphemes.c: whether a cluster ends between two characters; *state is 0 before the first ones. */
bool casehook__grapheme_ends(uint32_t before, uint32_t behind, int32_t *state);

#endif
