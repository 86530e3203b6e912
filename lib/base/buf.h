/*
 * buf.h - a growing byte buffer that is given its ceiling at birth.
 *
 * A failure sticks: append as often as wanted, then look once.  The content is always followed by a
 * NUL that is not counted.
 */
#ifndef CASEHOOK_BUF_H
#define CASEHOOK_BUF_H

#include "base/alloc.h"
#include "base/text.h"

#include <stdatomic.h>

struct casehook__buf {
    struct casehook__heap *heap; /* borrowed */
    char *data;                  /* NULL until something is appended or reserved */
    size_t length;
    size_t capacity; /* without the NUL */
    size_t limit;    /* length never exceeds it */
    int status;      /* CASEHOOK_OK, CASEHOOK_E_NO_MEMORY or CASEHOOK_E_LIMIT */
};

void casehook__buf_init(struct casehook__buf *buf, struct casehook__heap *heap, size_t limit);
/*
 * Wipes and frees the content: it may be a secret, or the answer of a server that echoes one.  The buffer is
 * empty and usable again.
 */
void casehook__buf_free(struct casehook__buf *buf);
/* Keeps the memory, forgets content and failure. */
void casehook__buf_clear(struct casehook__buf *buf);
/* Another limit, of which the content is no longer; memory beyond it is not used any more. */
void casehook__buf_limit(struct casehook__buf *buf, size_t limit);
/* Room for more bytes behind length; the status.  The caller may then write there and add to length. */
int casehook__buf_reserve(struct casehook__buf *buf, size_t more);
int casehook__buf_append(struct casehook__buf *buf, const void *data, size_t length);
int casehook__buf_append_text(struct casehook__buf *buf, struct casehook__text text);
int casehook__buf_append_string(struct casehook__buf *buf, const char *terminated);
int casehook__buf_append_char(struct casehook__buf *buf, char c);
int casehook__buf_append_number(struct casehook__buf *buf, int64_t number);
/* "" while empty, never NULL. */
const char *casehook__buf_string(const struct casehook__buf *buf);
struct casehook__text casehook__buf_text(const struct casehook__buf *buf);

/*
 * The content as text that is kept in *slot from now on, unless another thread was faster: then as what that
 * one kept.  The buffer is empty afterwards.  NULL: it had failed.
 */
typedef _Atomic(char *) casehook__kept;
const char *casehook__buf_keep(struct casehook__buf *buf, casehook__kept *slot);
void casehook__kept_free(struct casehook__heap *heap, casehook__kept *slot);

#endif
