/*
 * mask.h - keeps secrets out of what is shown, even where a server echoes them (R3).
 */
#ifndef CASEHOOK_MASK_H
#define CASEHOOK_MASK_H

#include "base/buf.h"

#define CASEHOOK__EXCERPT_MAX 512 /* bytes of a server's own message in an error */

/*
 * The secrets of one connector, which may come back raw or in base64, in upper or lower case, in lines of any
 * width, and either of it in percent, JSON or HTML escapes, up to three of these one upon the other.  Secrets
 * of less than 4 bytes are in every word: they are not searched for.
 *
 * Not seen are HTML's names beyond Windows-1252 ("&alpha;"): 2,000 of them are larger than all of masking,
 * and hardly a server writes them (PHP's htmlentities does, of Greek letters).  Nor is base64 in lines that
 * are indented: ends of lines are skipped, blanks are not, for a secret may have some of its own.  "&#609" is
 * one number, as HTML reads it, and never "<" and "9".
 */
struct casehook__mask;

/* The secrets are borrowed and must outlive the mask.  Errors: NO_MEMORY, LIMIT (thousands of secrets). */
int casehook__mask_new(struct casehook__heap *heap, const struct casehook__text *secrets, size_t count,
                       struct casehook__mask **out);
void casehook__mask_free(struct casehook__mask *mask);

/*
 * Before the mask is used: secrets may come later, and all are looked for inside of longer texts in base64
 * too, as of a header or a target as a whole.  Errors: NO_MEMORY.
 */
int casehook__mask_begin_learning(struct casehook__mask *mask);
/*
 * A secret that came later is searched for as well from now on, until some more of its kind have come: a
 * token, when it has expired.  passing: a JWT that asks for one; however many of them are refused, the token
 * that is still used stays known.  Errors: NO_MEMORY.  Any thread.
 */
int casehook__mask_learn(struct casehook__mask *mask, struct casehook__text secret, bool passing);

/*
 * Copies outside text into out (size bytes with the NUL): every secret becomes "***", controls but tabs
 * become '?' (tabs too in a message: see casehook__line_format), and at most size - 1 bytes stay, cut
 * between characters.  The beginning of a secret counts as one at the end of text, and before a "...", even
 * if what follows it was cut inside an escape.  Costs as much as the text is long, whatever the secrets are;
 * of an excerpt no more than 8 KiB are looked at.  The first text of a mask needs memory (some KiB that the
 * mask keeps), and one of more than 8 KiB a bit for each byte; without it out is "***".  mask may be NULL.
 * Any thread.
 */
const char *casehook__mask_excerpt(const struct casehook__mask *mask, struct casehook__text text, char *out,
                                   size_t size);

#endif
