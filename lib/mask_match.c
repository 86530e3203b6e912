/*
 * mask_match.c - whether text begins with a secret, in whatever way it is written: as it is, in
 * percent, JSON or HTML escapes, mixed, upper or lower case (R3).
 */
#include "mask_match.h"

/* Fewer bytes of a secret at the end of a text are taken for chance. */
#define PART_MIN   4
#define ESCAPE_MAX 8 /* what may be left of an escape that was cut */

/*
 * Reads text byte by byte; through percent encoding, %41 is one byte.  depth is how often it
 * was encoded again: %2541, &amp;amp;.
 */
struct reader {
    struct casehook__text text;
    size_t at;
    bool percent;
    unsigned depth;
    bool cut; /* the text ended before what was begun */
};

/* The byte of two digits; -1: there are none. */
static int hex_byte(const struct casehook__text text, size_t at)
{
    if (text.length < 2 || at > text.length - 2) return -1;
    int high = casehook__hex_value(text.data[at]), low = casehook__hex_value(text.data[at + 1]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static int next_byte(struct reader *reader)
{
    struct casehook__text text = reader->text;
    size_t digits = reader->at + 1;
    if (reader->at >= text.length) {
        reader->cut = true;
        return -1;
    }
    int c = (unsigned char)text.data[reader->at++];
    if (!reader->percent || c != '%') return c;
    for (unsigned i = 0; i < reader->depth && hex_byte(text, digits) == '%'; i++) digits += 2;
    if (text.length - digits < 2) reader->cut = true;
    int byte = hex_byte(text, digits);
    if (byte < 0) return c;
    reader->at = digits + 2;
    return byte;
}

/* One character: its bytes in UTF-8. */
struct character {
    unsigned char bytes[4];
    size_t count; /* 0: what stands there is no escape */
};

static struct character byte_of(int byte)
{
    return (struct character){.bytes = {(unsigned char)byte}, .count = 1};
}

static struct character character_of(uint32_t code)
{
    unsigned char last = (unsigned char)(0x80 | (code & 0x3F)),
                  middle = (unsigned char)(0x80 | (code >> 6 & 0x3F));
    if (code < 0x80) return byte_of((int)code);
    if (code < 0x800) return (struct character){{(unsigned char)(0xC0 | code >> 6), last}, 2};
    return (struct character){{(unsigned char)(0xE0 | code >> 12), middle, last}, 3};
}

/* Behind a backslash. */
static struct character json_escape(struct reader *reader)
{
    static const char letters[] = "bfnrt", values[] = "\b\f\n\r\t";
    int c = next_byte(reader);
    while (c == '\\' && reader->depth) c = next_byte(reader); /* they double each time */
    const char *letter = c > 0 ? strchr(letters, c) : NULL;
    uint32_t code = 0;
    if (c < 0) return (struct character){0};
    if (c != 'u') return byte_of(letter ? values[letter - letters] : c);
    for (int i = 0; i < 4; i++) {
        int digit = next_byte(reader);
        digit = digit < 0 ? -1 : casehook__hex_value((char)digit);
        if (digit < 0) return (struct character){0};
        code = code * 16 + (uint32_t)digit;
    }
    return character_of(code);
}

/* Behind "&#": 38; or x26; with zeros in front. */
static struct character html_number(struct reader *reader)
{
    uint32_t code = 0, base = 10;
    int c = next_byte(reader);
    if (c == 'x' || c == 'X') {
        base = 16;
        c = next_byte(reader);
    }
    for (; c >= 0 && c != ';'; c = next_byte(reader)) {
        int digit = casehook__hex_value((char)c);
        if (digit < 0 || (uint32_t)digit >= base || code > 0xFFFF) return (struct character){0};
        code = code * base + (uint32_t)digit;
    }
    return c < 0 || code > 0xFFFF ? (struct character){0} : character_of(code);
}

/* Behind an ampersand. */
static struct character html_escape(struct reader *reader)
{
    static const char *const names[] = {"amp", "lt", "gt", "quot", "apos"};
    static const char values[] = "&<>\"'";
    char name[5] = "";
    unsigned again = reader->depth;
    for (size_t length = 0; length < sizeof name; length++) {
        int c = next_byte(reader);
        if (c == '#' && length == 0) return html_number(reader);
        if (c < 0) return (struct character){0};
        if (c != ';') {
            name[length] = (char)c;
            continue;
        }
        if (again && length == 3 && memcmp(name, "amp", 3) == 0) {
            length = SIZE_MAX; /* back to the beginning of the name */
            again--;
            continue;
        }
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (strlen(names[i]) == length && memcmp(name, names[i], length) == 0) return byte_of(values[i]);
        break;
    }
    return (struct character){0};
}

/* The ways to read what stands there. */
enum { AS_IT_IS = 0, PERCENT = 1, ESCAPE = 2, ONCE_MORE = 4, WAYS = 4 * ONCE_MORE };

static struct character read_character(struct reader *reader, int way)
{
    reader->percent = (way & PERCENT) != 0;
    reader->depth = (unsigned)way / ONCE_MORE;
    int c = next_byte(reader);
    if (c < 0) return (struct character){0};
    if (!(way & ESCAPE)) return byte_of(c);
    if (c == '\\') return json_escape(reader);
    if (c == '&') return html_escape(reader);
    return (struct character){0};
}

bool casehook__mask_same(char c, char wanted, bool base64)
{
    if (casehook__lower(c) == casehook__lower(wanted)) return true;
    return (c == '+' && wanted == ' ') ||
           (base64 && ((c == '-' && wanted == '+') || (c == '_' && wanted == '/')));
}

static bool fits(const struct character *character, struct casehook__text wanted, bool base64)
{
    if (character->count == 0 || character->count > wanted.length) return false;
    for (size_t i = 0; i < character->count; i++)
        if (!casehook__mask_same((char)character->bytes[i], wanted.data[i], base64)) return false;
    return true;
}

/* How many bytes of text the reading takes that takes most and fits; 0: none does. */
static size_t step(struct casehook__text text, struct casehook__text wanted, bool base64, bool escapes,
                   size_t *matched, bool *cut)
{
    size_t longest = 0;
    bool plain = !escapes || text.length == 0 || !memchr("%\\&", *text.data, 3);
    for (int way = 0; way < (plain ? 1 : WAYS); way++) {
        struct reader reader = {.text = text};
        struct character character = read_character(&reader, way);
        *cut = *cut || reader.cut;
        if (reader.at <= longest || !fits(&character, wanted, base64)) continue;
        longest = reader.at;
        *matched = character.count;
    }
    return longest;
}

/* "..." stands where a name of a certificate or a message was cut. */
static bool is_cut(struct casehook__text rest)
{
    for (size_t i = 0; i < ESCAPE_MAX && i + 3 <= rest.length; i++)
        if (memcmp(rest.data + i, "...", 3) == 0) return true;
    return false;
}

size_t casehook__mask_match(struct casehook__text text, struct casehook__text needle, bool base64,
                            bool escapes)
{
    size_t at = 0, matched = 0;
    bool ended = false; /* the text may have ended in an escape of the secret */
    while (matched < needle.length) {
        struct casehook__text rest = {text.data + at, text.length - at};
        struct casehook__text wanted = {needle.data + matched, needle.length - matched};
        size_t more = 0;
        bool cut = false;
        size_t taken = step(rest, wanted, base64, escapes, &more, &cut);
        ended = ended || (cut && matched >= PART_MIN);
        if (ended && taken == 0) return text.length;
        if (taken == 0) return matched >= PART_MIN && is_cut(rest) ? at : 0;
        at += taken;
        matched += more;
    }
    return at;
}
