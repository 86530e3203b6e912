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

/* Every character that begins before stop, byte by byte. */
static struct escape_place escape_bytes(struct escape_place at, const char *stop, const char *end)
{
    while (at.in < stop) {
        unsigned char c = (unsigned char)*at.in;
        if (escapes[c].length == 0) {
            *at.out++ = (char)c;
            at.in++;
        } else if (c >= 0x80) {
            at = put_wide(at, end);
        } else {
            at.out = put_escape(at.out, c);
            at.in++;
        }
    }
    return at;
}

#if CASEHOOK__SSE2
static inline void copy16(char *out, const char *in)
{
    _mm_storeu_si128((__m128i *)(void *)out, _mm_loadu_si128((const __m128i *)(const void *)in));
}

/*
 * A block of 16 bytes of which bits marks those that are no plain ASCII.  Valid characters stay in
 * the run of bytes that is copied before the next escape; the last may reach behind the block.
 */
static struct escape_place escape_block(struct escape_place at, unsigned bits, const char *end)
{
    const char *in = at.in;
    char *out = at.out;
    size_t done = 0, size = 16;
    do {
        unsigned here = (unsigned)__builtin_ctz(bits);
        unsigned char c = (unsigned char)in[here];
        size_t length = 1, left = (size_t)(end - in) - here;
        if (c >= 0x80) {
            length = casehook__utf8_length(in + here, left);
            if (length) {
                bits &= ~0u << (here + length);
                if (here + length > size) size = here + length;
                continue;
            }
            length = casehook__js_ill_formed(in + here, left);
        }
        copy16(out, in + done);
        out += here - done;
        if (c >= 0x80) {
            memcpy(out, CASEHOOK__REPLACEMENT, 3);
            out += 3;
        } else {
            out = put_escape(out, c);
        }
        done = here + length;
        if (done > size) size = done;
        bits &= ~0u << done;
    } while (bits);
    copy16(out, in + done);
    memcpy(out + 16, in + done + 16, 4);
    return (struct escape_place){in + size, out + (size - done)};
}

static struct escape_place escape_blocks(struct escape_place at, const char *stop, const char *end)
{
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), space = _mm_set1_epi8(' ');
    while (at.in < stop && end - at.in >= LOOKAHEAD) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)at.in);
        /* signed: bytes from 0x80 on are less than a space too */
        __m128i special = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, backslash)),
                                       _mm_cmplt_epi8(v, space));
        unsigned bits = (unsigned)_mm_movemask_epi8(special);
        if (bits) {
            at = escape_block(at, bits, end);
        } else {
            _mm_storeu_si128((__m128i *)(void *)at.out, v);
            at.in += 16;
            at.out += 16;
        }
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
