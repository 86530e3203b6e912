/* jsescape.c - text into JSON strings, in one pass that escapes and makes UTF-8 valid. */
#include "json/jstext.h"
#include "json/jsbytes.h"

/*
 * Input is taken in parts, so that room for the worst case is asked for a part and not for the
 * whole.  A part may be overrun by what is looked at in one step.
 */
#define PART      256
#define OVERRUN   19 /* a block of 16 and the rest of a character */
#define LONGEST   6  /* \u00xx; three bytes of U+FFFD come from one */
#define SLACK     32 /* bytes written behind the end and overwritten later */
#define ROOM(n)   (((n) + OVERRUN) * LONGEST + SLACK)
#define LOOKAHEAD 40 /* bytes of input that a block may read */

struct escape_entry {
    char text[7];
    unsigned char length; /* 0: plain ASCII, which stands for itself */
};

/* clang-format off */
#define CONTROL(hex) {"\\u00" hex, 6}
#define LETTER(c)    {"\\" c, 2}
#define WIDE         {"", 1} /* part of a longer character, which has to be looked at */
#define WIDE8        WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE
#define WIDE32       WIDE8, WIDE8, WIDE8, WIDE8
static const struct escape_entry escapes[256] = {
    CONTROL("00"), CONTROL("01"), CONTROL("02"), CONTROL("03"), CONTROL("04"), CONTROL("05"), CONTROL("06"),
    CONTROL("07"), LETTER("b"), LETTER("t"), LETTER("n"), CONTROL("0b"), LETTER("f"), LETTER("r"),
    CONTROL("0e"), CONTROL("0f"), CONTROL("10"), CONTROL("11"), CONTROL("12"), CONTROL("13"), CONTROL("14"),
    CONTROL("15"), CONTROL("16"), CONTROL("17"), CONTROL("18"), CONTROL("19"), CONTROL("1a"), CONTROL("1b"),
    CONTROL("1c"), CONTROL("1d"), CONTROL("1e"), CONTROL("1f"),
    ['"'] = LETTER("\""), ['\\'] = LETTER("\\"),
    [0x80] = WIDE32, WIDE32, WIDE32, WIDE32,
};
/* clang-format on */

struct escape_place {
    const char *in;
    char *out;
};

/* The whole entry at once, which is one move: what is too much lies in the slack. */
static inline char *put_escape(char *out, unsigned char c)
{
    memcpy(out, &escapes[c], sizeof escapes[c]);
    return out + escapes[c].length;
}

/* One character, well-formed or not, that is not ASCII. */
static struct escape_place put_wide(struct escape_place at, const char *end)
{
    size_t left = (size_t)(end - at.in), length = casehook__utf8_length(at.in, left);
    if (length) {
        memcpy(at.out, at.in, length);
        return (struct escape_place){at.in + length, at.out + length};
    }
    memcpy(at.out, CASEHOOK__REPLACEMENT, 3);
    return (struct escape_place){at.in + casehook__js_ill_formed(at.in, left), at.out + 3};
}

static inline bool is_wide(char c)
{
    return (unsigned char)c >= 0x80;
}

/* The one at at.in, which does not stand for itself. */
static inline struct escape_place put_character(struct escape_place at, const char *end)
{
    if (is_wide(*at.in)) return put_wide(at, end);
    return (struct escape_place){at.in + 1, put_escape(at.out, (unsigned char)*at.in)};
}

/* Every character that begins before stop, byte by byte. */
static struct escape_place escape_bytes(struct escape_place at, const char *stop, const char *end)
{
    while (at.in < stop) {
        if (escapes[(unsigned char)*at.in].length)
            at = put_character(at, end);
        else
            *at.out++ = *at.in++;
    }
    return at;
}

#if CASEHOOK__SSE2
static inline void copy16(char *out, const char *in)
{
    _mm_storeu_si128((__m128i *)(void *)out, _mm_loadu_si128((const __m128i *)(const void *)in));
}

/*
 * The same in blocks of 16 bytes.  at.in is where the bytes begin that stand for themselves and are not
 * copied yet; a character that begins in the block may reach behind it.
 */
static struct escape_place escape_blocks(struct escape_place at, const char *stop, const char *end)
{
    const char *last = stop; /* where no block begins any more */
    if (end - stop < LOOKAHEAD) last = end - at.in < LOOKAHEAD ? at.in : end - LOOKAHEAD + 1;
    while (at.in < last) {
        const char *block = at.in, *behind = block + 16;
        for (unsigned bits = casehook__js_special(block, true); bits;) {
            const char *p = block + (unsigned)__builtin_ctz(bits);
            if (!is_wide(*p)) {
                copy16(at.out, at.in);
                at.out = put_escape(at.out + (p - at.in), (unsigned char)*p);
                at.in = p + 1;
                bits &= bits - 1;
                continue;
            }
            size_t length = casehook__utf8_length(p, (size_t)(end - p));
            if (length) {
                p += length;
            } else {
                copy16(at.out, at.in);
                at = put_wide((struct escape_place){p, at.out + (p - at.in)}, end);
                p = at.in;
            }
            if (p > behind) behind = p;
            bits &= ~0U << (p - block);
        }
        copy16(at.out, at.in);
        memcpy(at.out + 16, at.in + 16, 4);
        at = (struct escape_place){behind, at.out + (behind - at.in)};
    }
    return escape_bytes(at, stop, end);
}
#else
#define escape_blocks escape_bytes
#endif

static inline int escape_text(struct casehook__buf *buf, struct casehook__text text,
                              struct escape_place (*part)(struct escape_place, const char *, const char *))
{
    const char *in = text.data, *end = casehook__js_end(text);
    while (in < end && !buf->status) {
        size_t size = end - in < PART ? (size_t)(end - in) : PART;
        if (ROOM(size) <= buf->limit - buf->length) {
            if (casehook__buf_reserve(buf, ROOM(size))) break;
            struct escape_place at = part((struct escape_place){in, buf->data + buf->length}, in + size, end);
            in = at.in;
            buf->length = (size_t)(at.out - buf->data);
            buf->data[buf->length] = '\0';
        } else { /* the worst case does not fit, what comes may */
            char scratch[ROOM(PART)];
            struct escape_place at = part((struct escape_place){in, scratch}, in + size, end);
            in = at.in;
            casehook__buf_append(buf, scratch, (size_t)(at.out - scratch));
        }
    }
    return buf->status;
}

int casehook__js_escape(struct casehook__buf *buf, struct casehook__text text)
{
    return escape_text(buf, text, escape_blocks);
}

int casehook__js_escape_scalar(struct casehook__buf *buf, struct casehook__text text)
{
    return escape_text(buf, text, escape_bytes);
}

int casehook__js_string(struct casehook__buf *buf, struct casehook__text text)
{
    casehook__buf_append_char(buf, '"');
    casehook__js_escape(buf, text);
    return casehook__buf_append_char(buf, '"');
}
