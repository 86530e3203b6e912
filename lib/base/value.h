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
    CASEHOOK__VALUE_OBJECT  /* opens its names; cannot be interpolated */
};

struct casehook__value {
    enum casehook__value_kind kind;
    struct casehook__text text;          /* TEXT, NUMBER */
    const struct casehook__value *items; /* LIST: items; OBJECT: the values of names */
    const struct casehook__text *names;  /* OBJECT */
    size_t count;                        /* LIST, OBJECT */
};

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
