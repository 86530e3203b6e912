/*
 * jstext.h - JSON text as JSON.stringify writes it, and the number text of JavaScript (T3, K3).
 */
#ifndef CASEHOOK_JSTEXT_H
#define CASEHOOK_JSTEXT_H

#include "base/buf.h"

/*
 * Appends text escaped for the inside of a JSON string: \b \f \n \r \t \" \\, other controls as
 * \u00xx, everything else raw; invalid UTF-8 becomes U+FFFD, one for each maximal ill-formed part
 * (as browsers decode).  One pass; SSE2 where the compiler targets it, else scalar.
 */
int casehook__js_escape(struct casehook__buf *buf, struct casehook__text text);
/* The scalar path alone: for tests and benchmarks. */
int casehook__js_escape_scalar(struct casehook__buf *buf, struct casehook__text text);
/* The same with the quotes. */
int casehook__js_string(struct casehook__buf *buf, struct casehook__text text);

/* Appends text with invalid UTF-8 replaced by U+FFFD, nothing escaped. */
int casehook__js_utf8(struct casehook__buf *buf, struct casehook__text text);

/*
 * Appends what is between the quotes of a JSON string that casehook__jsscan accepted, decoded.
 * Unpaired surrogates become U+FFFD.
 */
int casehook__js_decode(struct casehook__buf *buf, struct casehook__text inside);

/* Percent-encodes as encodeURIComponent does; invalid UTF-8 as U+FFFD (T5). */
int casehook__js_uri_component(struct casehook__buf *buf, struct casehook__text text);

/*
 * Appends a JSON number as K3 says: integers with every digit (-0 is 0), other numbers as
 * JavaScript prints them.  CASEHOOK_E_RESPONSE when it is beyond the double range, else buf's status.
 * Independent of the locale.
 */
int casehook__js_number(struct casehook__buf *buf, struct casehook__text source);

#endif
