/* json.h - stepping through JSON text without a tree. */
#ifndef CASEHOOK_OUTBOX_JSON_H
#define CASEHOOK_OUTBOX_JSON_H

#include "outbox/memory.h"

/*
 * Names that are looked for in an object, and in the member of it that is entered where that is an object;
 * found, inside: the first value of each; data NULL: none, or it is null.
 */
struct casehook__ob_search {
    const char *const *names;
    size_t count, entered;
    struct casehook__ob_text *found, *inside;
};

/* Whether it is one JSON value, whatever white space is around it, no deeper than 512; where it is not:
 * *fault_at. */
bool casehook__ob_json_search(struct casehook__ob_text text, const struct casehook__ob_search *search,
                              size_t *fault_at);

/* One member of an object, whose text is known to be JSON: the name with its quotes, and the value as
 * written. */
struct casehook__ob_member {
    struct casehook__ob_text name, value;
};

/* Steps through the members of an object, or the elements of an array (without names).  *at begins as 0. */
bool casehook__ob_json_next(struct casehook__ob_text whole, size_t *at, struct casehook__ob_member *member);

/* Whether a name, with its quotes, stands for this one, which is plain ASCII; it may be written with escapes.
 */
bool casehook__ob_json_named(struct casehook__ob_text quoted, const char *name);

/* The value of the first member of that name; data NULL: none, or it is null. */
struct casehook__ob_text casehook__ob_json_find(struct casehook__ob_text object, const char *name);

/* Adds what a string with its quotes stands for; lone surrogates become U+FFFD.  Anything else is added as it
 * is. */
void casehook__ob_json_decode(struct casehook__ob_buf *buf, struct casehook__ob_text string);

#endif
