/*
 * formats.h - text as trackers want it that know no line breaks (V1).
 */
#ifndef CASEHOOK_FORMATS_H
#define CASEHOOK_FORMATS_H

#include "base/buf.h"

/* Both append text, which is valid UTF-8, and return the buffer's status. */

/* A document in Atlassian's format: paragraphs at empty lines, hard breaks at other ends of lines. */
int casehook__format_adf(struct casehook__buf *out, struct casehook__text text);
/* HTML: < > & and quotes escaped, ends of lines as <br>. */
int casehook__format_html(struct casehook__buf *out, struct casehook__text text);

#endif
