/*
 * jsbytes.h - the byte work that the JSON modules share: skipping, and what ill-formed UTF-8 is.
 *
 * CASEHOOK__SSE2 is 1 where 16 bytes are looked at in one step.  Both ways give the same results.
 */
#ifndef CASEHOOK_JSBYTES_H
#define CASEHOOK_JSBYTES_H

#include "base/text.h"

#if defined(__SSE2__) && defined(__GNUC__)
#define CASEHOOK__SSE2 1
#include <emmintrin.h>
#else
#define CASEHOOK__SSE2 0
#endif

#define CASEHOOK__REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

/* The end of text; absent text (NULL) ends where it begins. */
static inline const char *casehook__js_end(struct casehook__text text)
{
    return text.length ? text.data + text.length : text.data;
}

static inline const char *casehook__js_skip_space(const char *p, const char *end)
{
    /* Nearly always there is none: one comparison says so. */
    while (p < end && (unsigned char)*p <= ' ' && casehook__is_space(*p)) p++;
    return p;
}

#if CASEHOOK__SSE2
/* A bit for each quote, backslash and control among the 16 bytes from p on; wide: for what is no ASCII too.
 */
static inline unsigned casehook__js_special(const char *p, bool wide)
{
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"')), backslash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(31)), v);
    __m128i special = _mm_or_si128(_mm_or_si128(quote, backslash), control);
    return (unsigned)_mm_movemask_epi8(wide ? _mm_or_si128(special, v) : special);
}
#endif

/* The first quote, backslash or control from p on, or end. */
static inline const char *casehook__js_skip_plain(const char *p, const char *end)
{
#if CASEHOOK__SSE2
    for (; end - p >= 16; p += 16) {
        unsigned bits = casehook__js_special(p, false);
        if (bits) return p + __builtin_ctz(bits);
    }
#endif
    while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20) p++;
    return p;
}

/* Four hexadecimal digits, which are there. */
static inline uint32_t casehook__js_hex4(const char *p)
{
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++) unit = unit << 4 | (uint32_t)casehook__hex_value(p[i]);
    return unit;
}

/*
 * How many bytes at p (length > 0, no valid sequence there) become one U+FFFD: the longest beginning
 * of a valid sequence, else one byte.
 */
size_t casehook__js_ill_formed(const char *p, size_t length);

/*
 * One character of the inside of a JSON string that was validated, from *p on, decoded to UTF-8
 * into out; its length.  *p moves behind it.
 */
size_t casehook__js_decode_one(const char **p, const char *end, char out[4]);

#endif
