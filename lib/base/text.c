/* text.c - pieces of text, and ASCII rules that follow no locale. */
#include "base/text.h"

void casehook__text_copy(char *out, struct casehook__text text)
{
    if (text.length) memcpy(out, text.data, text.length);
    out[text.length] = '\0';
}

int casehook__hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c = casehook__lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool casehook__text_equal(struct casehook__text a, struct casehook__text b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

bool casehook__text_equal_nocase(struct casehook__text a, struct casehook__text b)
{
    if (a.length != b.length) return false;
    if (a.length == 0 || memcmp(a.data, b.data, a.length) == 0) return true; /* as it is usually written */
    for (size_t i = 0; i < a.length; i++)
        if (casehook__lower(a.data[i]) != casehook__lower(b.data[i])) return false;
    return true;
}

bool casehook__text_is(struct casehook__text a, const char *b)
{
    return casehook__text_equal(a, casehook__text(b));
}

bool casehook__text_is_nocase(struct casehook__text a, const char *b)
{
    return casehook__text_equal_nocase(a, casehook__text(b));
}

struct casehook__text casehook__text_trim(struct casehook__text text)
{
    while (text.length && casehook__is_space(text.data[0])) {
        text.data++;
        text.length--;
    }
    while (text.length && casehook__is_space(text.data[text.length - 1])) text.length--;
    return text;
}

bool casehook__text_number(struct casehook__text text, uint64_t max, uint64_t *value)
{
    uint64_t number = 0;
    if (text.length == 0) return false;
    for (size_t i = 0; i < text.length; i++) {
        if (!casehook__is_digit(text.data[i])) return false;
        uint64_t digit = (uint64_t)(text.data[i] - '0');
        if (digit > max || number > (max - digit) / 10) return false;
        number = number * 10 + digit;
    }
    *value = number;
    return true;
}

#define NEAREST_MAX 48 /* longer names are not compared */

/* Edit distance with case ignored, at most limit + 1. */
static size_t distance(struct casehook__text a, struct casehook__text b, size_t limit)
{
    size_t row[NEAREST_MAX + 1];
    if (a.length > NEAREST_MAX || b.length > NEAREST_MAX) return limit + 1;
    for (size_t j = 0; j <= b.length; j++) row[j] = j;
    for (size_t i = 1; i <= a.length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.length; j++) {
            size_t best = diagonal + (casehook__lower(a.data[i - 1]) != casehook__lower(b.data[j - 1]));
            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[b.length] > limit ? limit + 1 : row[b.length];
}

/* The only name that begins so: "descr" is description. */
static const char *completed(struct casehook__text name, const char *const *known, size_t count)
{
    const char *found = NULL;
    for (size_t i = 0; i < count && name.length >= 3; i++) {
        if (strncmp(known[i], name.data, name.length) != 0) continue;
        if (found && strcmp(found, known[i]) != 0) return NULL;
        found = known[i];
    }
    return found;
}

const char *casehook__nearest(struct casehook__text name, const char *const *known, size_t count)
{
    size_t limit = name.length / 3 + 1, best = limit + 1;
    const char *nearest = NULL;
    for (size_t i = 0; i < count; i++) {
        size_t d = distance(name, casehook__text(known[i]), limit);
        if (d < best) {
            best = d;
            nearest = known[i];
        }
    }
    return nearest ? nearest : completed(name, known, count);
}

size_t casehook__utf8_length(const char *data, size_t length)
{
    const unsigned char *s = (const unsigned char *)data;
    if (length == 0) return 0;
    if (s[0] < 0x80) return 1;
    size_t need = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
    if (s[0] < 0xC2 || s[0] > 0xF4 || length < need) return 0;
    unsigned char low = 0x80, high = 0xBF; /* bounds of the second byte: no overlong form, no surrogate */
    if (s[0] == 0xE0) low = 0xA0;
    if (s[0] == 0xED) high = 0x9F;
    if (s[0] == 0xF0) low = 0x90;
    if (s[0] == 0xF4) high = 0x8F;
    if (s[1] < low || s[1] > high) return 0;
    for (size_t i = 2; i < need; i++)
        if ((s[i] & 0xC0) != 0x80) return 0;
    return need;
}
