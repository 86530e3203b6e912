/* jstext.c - UTF-8 made valid, JSON strings decoded, text for URLs. */
#include "json/jstext.h"
#include "json/jsbytes.h"

size_t casehook__js_ill_formed(const char *p, size_t length)
{
    /* Two or three bytes count together when continuation bytes would have made them a character. */
    for (size_t have = length < 3 ? length : 3; have > 1; have--) {
        char whole[5];
        memcpy(whole, p, have);
        memset(whole + have, 0x80, 2);
        size_t need = casehook__utf8_length(whole, have + 2);
        if (need > have) return have;
    }
    return 1;
}

/* The length of the beginning of text that is valid UTF-8. */
static size_t valid_length(const char *p, size_t length)
{
    size_t i = 0;
    while (i < length) {
#if CASEHOOK__SSE2
        if (length - i >= 16) {
            int wide = _mm_movemask_epi8(_mm_loadu_si128((const __m128i *)(const void *)(p + i)));
            i += wide ? (size_t)__builtin_ctz((unsigned)wide) : 16;
            if (!wide) continue;
        }
#endif
        if ((signed char)p[i] >= 0) {
            i++;
            continue;
        }
        do { /* characters that are no ASCII follow each other */
            size_t step = casehook__utf8_length(p + i, length - i);
            if (!step) return i;
            i += step;
        } while (i < length && (signed char)p[i] < 0);
    }
    return i;
}

/* The valid parts as append has them, and what stands for an ill-formed sequence between them. */
static int append_parts(struct casehook__buf *buf, struct casehook__text text,
                        int (*append)(struct casehook__buf *buf, struct casehook__text valid),
                        const char *replacement)
{
    while (text.length && !buf->status) {
        size_t step = valid_length(text.data, text.length);
        append(buf, (struct casehook__text){text.data, step});
        if (step < text.length) {
            casehook__buf_append_string(buf, replacement);
            step += casehook__js_ill_formed(text.data + step, text.length - step);
        }
        text.data += step;
        text.length -= step;
    }
    return buf->status;
}

int casehook__js_utf8(struct casehook__buf *buf, struct casehook__text text)
{
    return append_parts(buf, text, casehook__buf_append_text, CASEHOOK__REPLACEMENT);
}

static size_t encode(uint32_t point, char out[4])
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    size_t length = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (point & 0x3F));
        point >>= 6;
    }
    out[0] = (char)((0xF00u >> length & 0xFF) | point);
    return length;
}

/* The code point of the \uXXXX, or pair of them, at *p. */
static uint32_t decode_unit(const char **p, const char *end)
{
    uint32_t unit = casehook__js_hex4(*p + 2);
    *p += 6;
    if (unit < 0xD800 || unit > 0xDFFF) return unit;
    if (unit < 0xDC00 && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u') {
        uint32_t low = casehook__js_hex4(*p + 2);
        if (low >= 0xDC00 && low <= 0xDFFF) {
            *p += 6;
            return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
        }
    }
    return 0xFFFD;
}

static size_t decode_escape(const char **p, const char *end, char out[4])
{
    static const char letters[] = "bfnrt", values[] = "\b\f\n\r\t";
    if ((*p)[1] == 'u') return encode(decode_unit(p, end), out);
    const char *letter = memchr(letters, (*p)[1], sizeof letters - 1);
    out[0] = letter ? values[letter - letters] : (*p)[1];
    *p += 2;
    return 1;
}

size_t casehook__js_decode_one(const char **p, const char *end, char out[4])
{
    if (**p == '\\') return decode_escape(p, end, out);
    size_t left = (size_t)(end - *p), length = casehook__utf8_length(*p, left);
    if (length) {
        memcpy(out, *p, length);
        *p += length;
        return length;
    }
    *p += casehook__js_ill_formed(*p, left);
    memcpy(out, CASEHOOK__REPLACEMENT, 3);
    return 3;
}

int casehook__js_decode(struct casehook__buf *buf, struct casehook__text inside)
{
    const char *p = inside.data, *end = casehook__js_end(inside);
    while (p < end && !buf->status) {
        const char *escape = memchr(p, '\\', (size_t)(end - p));
        const char *stop = escape ? escape : end;
        casehook__js_utf8(buf, (struct casehook__text){p, (size_t)(stop - p)});
        for (p = stop; p < end && *p == '\\';) {
            char character[4];
            size_t length = decode_escape(&p, end, character);
            casehook__buf_append(buf, character, length);
        }
    }
    return buf->status;
}

/* Letters, digits and -_.!~*'() */
static inline bool is_unreserved(char c)
{
    static const uint32_t set[8] = {0, 0x03FF6782, 0x87FFFFFE, 0x47FFFFFE};
    unsigned char byte = (unsigned char)c;
    return set[byte / 32] >> byte % 32 & 1;
}

static int append_percent(struct casehook__buf *buf, struct casehook__text valid)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t need = 3 * valid.length;
    if (need > buf->capacity - buf->length) { /* it is asked for no more than what is needed */
        need = valid.length;
        for (size_t i = 0; i < valid.length; i++) need += is_unreserved(valid.data[i]) ? 0 : 2;
    }
    if (casehook__buf_reserve(buf, need)) return buf->status;
    char *out = buf->data + buf->length;
    for (size_t i = 0; i < valid.length; i++) {
        unsigned char byte = (unsigned char)valid.data[i];
        if (is_unreserved(valid.data[i])) {
            *out++ = valid.data[i];
        } else {
            *out++ = '%';
            *out++ = digits[byte >> 4];
            *out++ = digits[byte & 15];
        }
    }
    *out = '\0';
    buf->length = (size_t)(out - buf->data);
    return CASEHOOK_OK;
}

int casehook__js_uri_component(struct casehook__buf *buf, struct casehook__text text)
{
    return append_parts(buf, text, append_percent, "%EF%BF%BD");
}
