/*
 * json.h - reading documents (connector, settings) with jansson, and nothing else.
 *
 * Duplicate members are an error, depth and size are bounded, text is checked UTF-8.  All strings of
 * a document are wiped when it is freed: connector documents hold secrets.
 */
#ifndef CASEHOOK_JSON_H
#define CASEHOOK_JSON_H

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"

#define CASEHOOK__DOCUMENT_MAX_BYTES (4 * 1024 * 1024)
#define CASEHOOK__DOCUMENT_MAX_DEPTH 16

enum casehook__json_kind {
    CASEHOOK__JSON_NULL,
    CASEHOOK__JSON_BOOLEAN,
    CASEHOOK__JSON_INTEGER,
    CASEHOOK__JSON_REAL,
    CASEHOOK__JSON_TEXT,
    CASEHOOK__JSON_ARRAY,
    CASEHOOK__JSON_OBJECT
};

struct casehook__json; /* a node; borrowed from its document but for the root */

/* Errors: NO_MEMORY, CONFIG with the byte offset.  The message never quotes the document (secrets). */
int casehook__json_parse(struct casehook__heap *heap, struct casehook__text text,
                         struct casehook__json **root, struct casehook_error *error);
void casehook__json_free(struct casehook__json *root);

enum casehook__json_kind casehook__json_kind(const struct casehook__json *node);
/* "a text", "a whole number", "a list" ... for messages. */
const char *casehook__json_kind_name(const struct casehook__json *node);
bool casehook__json_boolean(const struct casehook__json *node);
int64_t casehook__json_integer(const struct casehook__json *node);
struct casehook__text casehook__json_text(const struct casehook__json *node);

size_t casehook__json_count(
    const struct casehook__json *node); /* of an ARRAY or OBJECT; else, and of NULL, 0 */
struct casehook__json *casehook__json_item(const struct casehook__json *array, size_t index);
struct casehook__json *casehook__json_member(const struct casehook__json *object, const char *name);

/* Members in the order of the text: start with *position = 0; false after the last. */
bool casehook__json_next(const struct casehook__json *object, size_t *position, struct casehook__text *name,
                         struct casehook__json **value);

/* Appends the value as JSON: numbers as JavaScript prints them (K3).  The buffer's status. */
int casehook__json_write(struct casehook__buf *out, const struct casehook__json *node);

#endif
