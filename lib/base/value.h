/*
 * value.h - what templates are rendered with: a small tree of borrowed text.
 */
#ifndef CASEHOOK_VALUE_H
#define CASEHOOK_VALUE_H

#include "base/text.h"

enum casehook__value_kind {
    CASEHOOK__VALUE_ABSENT, /* nothing; as a JSON value what its type says: "", [] or null */
    CASEHOOK__VALUE_NULL,   /* null as a JSON value, nothing elsewhere; false as a section */
    CASEHOOK__VALUE_FALSE,
    CASEHOOK__VALUE_TRUE,
    CASEHOOK__VALUE_NUMBER, /* text is its JSON source; true as a section */
    CASEHOOK__VALUE_TEXT,   /* "" is false as a section */
    CASEHOOK__VALUE_LIST,   /* an empty one is false as a section */
    CASEHOOK__VALUE_OBJECT, /* opens its names; cannot be interpolated */
    CASEHOOK__VALUE_JSON,   /* text is an object as JSON: a value as it is, its text elsewhere; true */
    CASEHOOK__VALUE_MADE    /* what it is is asked of its source when a template comes to it */
};

struct casehook__value_source;

struct casehook__value {
    enum casehook__value_kind kind;
    struct casehook__text text;          /* TEXT, NUMBER, JSON */
    const struct casehook__value *items; /* LIST: items; OBJECT: the values of names */
    union {
        const struct casehook__text *names;    /* OBJECT */
        struct casehook__value_source *source; /* MADE */
    };
    size_t count; /* LIST, OBJECT; MADE: its number at the source */
};

struct casehook_error;

/*
 * Makes value number index: *value lives until the next rendering at least, and is not MADE itself.  Errors:
 * PARAMS, NO_MEMORY, LIMIT.
 */
struct casehook__value_source {
    int (*make)(struct casehook__value_source *source, size_t index, const struct casehook__value **value,
                struct casehook_error *error);
};

/*
 * The member of object that the first part of path names, which is taken away from it; NULL: none.  The
 * objects of a schema are small and their names differ early, so these are compared with the path as it is.
 */
const struct casehook__value *casehook__value_part(const struct casehook__value *object,
                                                   struct casehook__text *path);
/* "case.fields.a" from the root; NULL: there is no such member. */
const struct casehook__value *casehook__value_at(const struct casehook__value *root,
                                                 struct casehook__text path);

/* What it is as text; of NULL, a list and what is absent nothing. */
struct casehook__text casehook__value_word(const struct casehook__value *value);

/* Whether a custom field may have this name (N1). */
static inline bool casehook__is_field_name(struct casehook__text name)
{
    for (size_t i = 0; i < name.length; i++) {
        char c = name.data[i];
        if (!casehook__is_alpha(c) && !casehook__is_digit(c) && c != '_' && c != '-') return false;
    }
    return name.length > 0;
}

#endif
