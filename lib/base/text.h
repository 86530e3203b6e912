/*
 * text.h - pieces of text by pointer and length, and ASCII rules that follow no locale.
 */
#ifndef CASEHOOK_TEXT_H
#define CASEHOOK_TEXT_H

#include "casehook.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct casehook__text {
    const char *data; /* NULL: absent */
    size_t length;
};

#define CASEHOOK__TEXT(literal) ((struct casehook__text){"" literal, sizeof(literal) - 1})

static inline struct casehook__text casehook__text(const char *terminated)
{
    return (struct casehook__text){terminated, terminated ? strlen(terminated) : 0};
}

/* Text as a caller gave it.  Nothing of it is read where the length is 0; data NULL: absent. */
static inline struct casehook__text casehook__text_given(const char *data, size_t length)
{
    if (data && length == CASEHOOK_TERMINATED) length = strlen(data);
    return (struct casehook__text){data, data ? length : 0};
}

static inline bool casehook__is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool casehook__is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline char casehook__lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* White space of JSON and of header values. */
static inline bool casehook__is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* What stands behind the first at bytes. */
static inline struct casehook__text casehook__text_from(struct casehook__text text, size_t at)
{
    return (struct casehook__text){text.data + at, text.length - at};
}

/* Copies it with a NUL behind, for which there must be room. */
void casehook__text_copy(char *out, struct casehook__text text);

/* The value of a hexadecimal digit, -1 for anything else. */
int casehook__hex_value(char c);

bool casehook__text_equal(struct casehook__text a, struct casehook__text b);
/* ASCII case does not count. */
bool casehook__text_equal_nocase(struct casehook__text a, struct casehook__text b);
/* b is a terminated literal. */
bool casehook__text_is(struct casehook__text a, const char *b);
bool casehook__text_is_nocase(struct casehook__text a, const char *b);
/* Without leading and trailing space, tab, CR, LF. */
struct casehook__text casehook__text_trim(struct casehook__text text);

/* Decimal digits only, at most max; false else. */
bool casehook__text_number(struct casehook__text text, uint64_t max, uint64_t *value);

/*
 * The nearest of count known names, the first one of those that are as near; else the only one that begins
 * so; NULL when none can be meant ("did you mean").
 */
const char *casehook__nearest(struct casehook__text name, const char *const *known, size_t count);

/* Length of the valid UTF-8 sequence at data (1-4), 0 when there is none. */
size_t casehook__utf8_length(const char *data, size_t length);

#endif
