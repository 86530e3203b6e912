/* unicode.c - what Unicode says of text: lines, white space, and where a text may be cut. */
#include "base/unicode.h"

/* The character at text[*at], behind which *at is moved.  There must be one. */
static uint32_t next_character(struct casehook__text text, size_t *at)
{
    const unsigned char *bytes = (const unsigned char *)text.data + *at;
    size_t length = bytes[0] < 0x80 ? 1 : bytes[0] < 0xE0 ? 2 : bytes[0] < 0xF0 ? 3 : 4;
    if (length > text.length - *at) length = text.length - *at;
    uint32_t c = length == 1 ? bytes[0] : bytes[0] & (0x7FU >> length);
    for (size_t i = 1; i < length; i++) c = c << 6 | (bytes[i] & 0x3F);
    *at += length;
    return c;
}

/* The mandatory breaks of Unicode. */
static bool is_break(uint32_t c)
{
    return (c >= '\n' && c <= '\r') || c == 0x85 || c == 0x2028 || c == 0x2029;
}

static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c <= 0x9F);
}

/* White_Space of Unicode but for breaks and controls. */
static bool is_blank_character(uint32_t c)
{
    return c == ' ' || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

bool casehook__unicode_line(struct casehook__text text, size_t *at, struct casehook__text *line)
{
    size_t begin = *at, end = begin;
    if (begin >= text.length) return false;
    while (*at < text.length) {
        end = *at;
        uint32_t c = next_character(text, at);
        if (!is_break(c)) {
            end = *at;
            continue;
        }
        if (c == '\r' && *at < text.length && text.data[*at] == '\n') ++*at;
        break;
    }
    *line = (struct casehook__text){text.data + begin, end - begin};
    return true;
}

size_t casehook__unicode_single_line(struct casehook__text text, char *out)
{
    size_t length = 0, at = 0;
    while (at < text.length) {
        size_t begin = at, behind;
        bool broken = false;
        uint32_t c;
        while (at < text.length && text.data[at] > ' ' && text.data[at] < 0x7F) at++; /* most of it */
        if (out + length != text.data + begin) memmove(out + length, text.data + begin, at - begin);
        length += at - begin;
        begin = behind = at;
        for (; at < text.length; behind = at) {
            c = next_character(text, &at);
            if (!is_break(c) && !is_control(c) && !is_blank_character(c)) break;
            broken = broken || is_break(c) || is_control(c);
        }
        /* A run, which may be empty, and the character behind it, if any. */
        if (!broken) {
            memmove(out + length, text.data + begin, behind - begin);
            length += behind - begin;
        } else if (length && behind < text.length) {
            out[length++] = ' ';
        }
        memmove(out + length, text.data + behind, at - behind);
        length += at - behind;
    }
    return length;
}

static size_t units_of(uint32_t c, size_t bytes, enum casehook__unit unit)
{
    if (unit == CASEHOOK__UNIT_BYTES) return bytes;
    return unit == CASEHOOK__UNIT_UTF16 && c > 0xFFFF ? 2 : 1;
}

size_t casehook__unicode_count(struct casehook__text text, size_t most, enum casehook__unit unit)
{
    size_t count = 0;
    for (size_t at = 0, before = 0; at < text.length && count <= most; before = at) {
        uint32_t c = next_character(text, &at);
        count += units_of(c, at - before, unit);
    }
    return count;
}

size_t casehook__unicode_fit(struct casehook__text text, size_t most, enum casehook__unit unit)
{
    size_t fits = 0, count = 0, at = 0;
    int32_t state = 0;
    uint32_t before = 0;
    while (at < text.length) {
        size_t begin = at;
        uint32_t c = next_character(text, &at);
        if (begin == 0 || casehook__grapheme_ends(before, c, &state)) fits = begin;
        count += units_of(c, at - begin, unit);
        if (count > most) return fits;
        before = c;
    }
    return text.length;
}
