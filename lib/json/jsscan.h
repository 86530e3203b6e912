/*
 * jsscan.h - a validating JSON scanner of one pass that builds no tree and never recurses.
 *
 * RFC 8259, any value at the top, white space around it, a UTF-8 BOM skipped.  Bytes that are not
 * UTF-8 are accepted inside strings (they become U+FFFD when decoded).
 */
#ifndef CASEHOOK_JSSCAN_H
#define CASEHOOK_JSSCAN_H

#include "json/keypath.h"
#include "base/text.h"

#define CASEHOOK__JSON_DEPTH_MAX 512 /* a byte per level is kept; deeper is an error of its own */

enum casehook__js_kind {
    CASEHOOK__JS_NONE, /* nothing there */
    CASEHOOK__JS_NULL,
    CASEHOOK__JS_FALSE,
    CASEHOOK__JS_TRUE,
    CASEHOOK__JS_NUMBER,
    CASEHOOK__JS_STRING,
    CASEHOOK__JS_ARRAY,
    CASEHOOK__JS_OBJECT,
    CASEHOOK__JS_PLAIN /* never in JSON: text as it is, of an answer that is none */
};

/* A value in the source text: strings with their quotes, containers with their brackets. */
struct casehook__js_value {
    enum casehook__js_kind kind;
    struct casehook__text text;
};

enum casehook__js_fault {
    CASEHOOK__JS_VALID,
    CASEHOOK__JS_EMPTY,     /* nothing but white space */
    CASEHOOK__JS_SYNTAX,    /* at *offset */
    CASEHOOK__JS_TRUNCATED, /* the text ends inside the value */
    CASEHOOK__JS_TOO_DEEP,
    CASEHOOK__JS_TRAILING /* something follows the value */
};

/*
 * Validates all of text and finds count keys in the same pass: found[i] belongs to paths[i].  The
 * whole path as a flat member of the top object wins over the path, the last of duplicate members
 * wins (K1, H4).  The path "" is the top value.  offset, when not NULL, gets the place of a fault.  Of a
 * text that is truncated found has what came so far: a number at its end may go on, a container has no
 * length.
 */
enum casehook__js_fault casehook__jsscan(struct casehook__text text,
                                         const struct casehook__keypath *const *paths, size_t count,
                                         struct casehook__js_value *found, size_t *offset);

/* The value itself, without BOM and white space, of a text that is valid. */
struct casehook__js_value casehook__js_top(struct casehook__text valid);

/*
 * Steps through the members of a valid object or array: start with *position = 0.  False after the
 * last one.  key (inside of the quotes, still escaped) is set for objects.
 */
bool casehook__js_next(struct casehook__text container, size_t *position, struct casehook__text *key,
                       struct casehook__js_value *value);

/*
 * For messages about a key that finds nothing in a valid text: the names at the top, `"data", "ok"`, each
 * whole and as it is written there, and the path of the member of that name (in any case) with a value
 * nearest to the top, "data.issue.id"; "" where there is none.  One pass.
 */
struct casehook__js_places {
    char names[160], path[160];
};
void casehook__js_look_for(struct casehook__text valid, struct casehook__text name,
                           struct casehook__js_places *places);

/* In words for messages: "a string", "null", "an object" ... */
const char *casehook__js_kind_name(enum casehook__js_kind kind);
/* "is not JSON", "ends in the middle" ... for messages. */
const char *casehook__js_fault_name(enum casehook__js_fault fault);

#endif
