/* jsscan.c - a validating JSON scanner of one pass that builds no tree and never recurses. */
#include "json/jsscan.h"
#include "json/jsbytes.h"
#include "json/jsfind.h"

struct scan {
    const char *end;
    enum casehook__js_fault fault;
    const char *place;                          /* of the fault */
    bool objects[CASEHOOK__JSON_DEPTH_MAX + 1]; /* of each open container: object or array */
    struct casehook__js_find find;
};

/* ---- faults: each returns NULL ---- */

static const char *fail_scan(struct scan *scan, enum casehook__js_fault fault, const char *place)
{
    scan->fault = fault;
    scan->place = place;
    return NULL;
}

/* Nothing that is allowed stands at p. */
static const char *unexpected(struct scan *scan, const char *p)
{
    return fail_scan(scan, p < scan->end ? CASEHOOK__JS_SYNTAX : CASEHOOK__JS_TRUNCATED, p);
}

/* ---- scalars: p behind them ---- */

static const bool short_escape[256] = {['"'] = true, ['\\'] = true, ['/'] = true, ['b'] = true,
                                       ['f'] = true, ['n'] = true,  ['r'] = true, ['t'] = true};

/* p is at the backslash. */
static inline const char *skip_escape(struct scan *scan, const char *p)
{
    if (scan->end - p < 2) return unexpected(scan, scan->end);
    if (short_escape[(unsigned char)p[1]]) return p + 2;
    if (p[1] != 'u') return unexpected(scan, p);
    p += 2;
    for (int i = 0; i < 4; i++, p++)
        if (p == scan->end || casehook__hex_value(*p) < 0) return unexpected(scan, p);
    return p;
}

static const char *skip_long_string(struct scan *scan, const char *p, bool *escaped)
{
#if CASEHOOK__SSE2
    for (const char *const end = scan->end; end - p > 16;) {
        const char *block = p;
        unsigned bits = casehook__js_special(block, false); /* one look finds all of a block */
        p += 16;
        if (!bits) continue;
        do {
            unsigned here = (unsigned)__builtin_ctz(bits);
            const char *at = block + here, *behind = at + 2;
            if (*at != '\\') return *at == '"' ? at + 1 : unexpected(scan, at);
            *escaped = true;
            if (!short_escape[(unsigned char)at[1]]) behind = skip_escape(scan, at);
            if (!behind) return NULL;
            if (behind > p) p = behind;
            bits &= ~(3U << here); /* nothing else that was skipped has one */
        } while (bits);
    }
#endif
    for (;;) {
        p = casehook__js_skip_plain(p, scan->end);
        if (p == scan->end) return unexpected(scan, p);
        if (*p == '"') return p + 1;
        if (*p != '\\') return unexpected(scan, p);
        *escaped = true;
        p = skip_escape(scan, p);
        if (!p) return NULL;
    }
}

/* p is behind the opening quote.  Most strings are short and plain: one look finds their end. */
static inline const char *scan_string(struct scan *scan, const char *p, const char *end, bool *escaped)
{
#if CASEHOOK__SSE2
    if (end - p >= 16) { /* without a special byte the last one is looked at, which is none */
        const char *stop = p + __builtin_ctz(casehook__js_special(p, false) | 1U << 15);
        if (*stop == '"') return stop + 1;
    }
#else
    (void)end;
#endif
    return skip_long_string(scan, p, escaped);
}

/* At least one digit. */
static const char *skip_digits(struct scan *scan, const char *p)
{
    if (p == scan->end || !casehook__is_digit(*p)) return unexpected(scan, p);
    while (p < scan->end && casehook__is_digit(*p)) p++;
    return p;
}

static const char *skip_number(struct scan *scan, const char *p)
{
    if (*p == '-') p++;
    if (p < scan->end && *p == '0')
        p++;
    else
        p = skip_digits(scan, p);
    if (p && p < scan->end && *p == '.') p = skip_digits(scan, p + 1);
    if (p && p < scan->end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < scan->end && (*p == '+' || *p == '-')) p++;
        p = skip_digits(scan, p);
    }
    return p;
}

static const char *skip_word(struct scan *scan, const char *p, const char *word)
{
    for (; *word; p++, word++)
        if (p == scan->end || *p != *word) return unexpected(scan, p);
    return p;
}

static inline const char *skip_scalar(struct scan *scan, const char *p, const char *end,
                                      enum casehook__js_kind *kind)
{
    bool escaped;
    switch (*p) {
    case '"': *kind = CASEHOOK__JS_STRING; return scan_string(scan, p + 1, end, &escaped);
    case 'n': *kind = CASEHOOK__JS_NULL; return skip_word(scan, p, "null");
    case 't': *kind = CASEHOOK__JS_TRUE; return skip_word(scan, p, "true");
    case 'f': *kind = CASEHOOK__JS_FALSE; return skip_word(scan, p, "false");
    default: *kind = CASEHOOK__JS_NUMBER; return skip_number(scan, p);
    }
}

/* ---- structure ---- */

/* Key and colon of a member of the object at level: where its value begins. */
static inline const char *scan_member(struct scan *scan, const char *p, const char *end, size_t level)
{
    const char *start = p + 1;
    bool escaped = false;
    if (p == end || *p != '"') return unexpected(scan, p);
    p = scan_string(scan, start, end, &escaped);
    if (!p) return NULL;
    if (casehook__js_find_active(&scan->find, level))
        casehook__js_find_key(&scan->find, level, (struct casehook__text){start, (size_t)(p - 1 - start)},
                              escaped);
    if (p == end || *p != ':') p = casehook__js_skip_space(p, end);
    if (p == end || *p != ':') return unexpected(scan, p);
    return casehook__js_skip_space(p + 1, end);
}

/* What comes before the value of a member or an element: where the value begins. */
static inline const char *entry(struct scan *scan, const char *p, const char *end, size_t level, bool object)
{
    if (object) return scan_member(scan, p, end, level);
    if (casehook__js_find_active(&scan->find, level)) casehook__js_find_element(&scan->find, level);
    return p;
}

/* A value, from its first byte on: p behind it. */
static const char *skip_value(struct scan *scan, const char *p)
{
    const char *const end = scan->end;
    size_t level = 0;
    bool object = false; /* the innermost container that is open is one */
    for (;;) {
        if (p == end) return unexpected(scan, p);
        if (*p == '{' || *p == '[') {
            object = *p == '{';
            if (level++ == CASEHOOK__JSON_DEPTH_MAX) return fail_scan(scan, CASEHOOK__JS_TOO_DEEP, p);
            scan->objects[level] = object;
            casehook__js_find_open(&scan->find, level, object ? CASEHOOK__JS_OBJECT : CASEHOOK__JS_ARRAY, p);
            p = casehook__js_skip_space(p + 1, end);
            if (p == end || *p != (object ? '}' : ']')) {
                p = entry(scan, p, end, level, object);
                if (!p) return NULL;
                continue;
            }
        } else {
            const char *start = p;
            enum casehook__js_kind kind;
            p = skip_scalar(scan, p, end, &kind);
            if (!p) return NULL;
            if (scan->find.ends)
                casehook__js_find_scalar(&scan->find,
                                         (struct casehook__js_value){kind, {start, (size_t)(p - start)}});
        }
        for (;;) { /* what is closed behind the value */
            if (level == 0) return p;
            if (p < end && *p == ',') break; /* nearly always at once */
            p = casehook__js_skip_space(p, end);
            if (p == end) return unexpected(scan, p);
            if (*p == ',') break;
            if (*p != (object ? '}' : ']')) return unexpected(scan, p);
            casehook__js_find_close(&scan->find, level--, ++p);
            object = scan->objects[level];
        }
        p = entry(scan, casehook__js_skip_space(p + 1, end), end, level, object);
        if (!p) return NULL;
    }
}

/* Without BOM and leading white space. */
static const char *text_start(struct casehook__text text)
{
    const char *p = text.data, *end = p + text.length;
    if (text.length >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0) p += 3;
    return casehook__js_skip_space(p, end);
}

static void scan_text(struct scan *scan, struct casehook__text text)
{
    const char *p = text_start(text);
    scan->fault = CASEHOOK__JS_VALID;
    scan->end = text.data + text.length;
    scan->objects[0] = false; /* what is around all of it */
    if (p == scan->end) {
        fail_scan(scan, CASEHOOK__JS_EMPTY, p);
        return;
    }
    p = skip_value(scan, p);
    if (!p) return;
    p = casehook__js_skip_space(p, scan->end);
    if (p < scan->end) fail_scan(scan, CASEHOOK__JS_TRAILING, p);
}

enum casehook__js_fault casehook__jsscan(struct casehook__text text,
                                         const struct casehook__keypath *const *paths, size_t count,
                                         struct casehook__js_value *found, size_t *offset)
{
    struct scan scan;
    size_t done = 0;
    if (!text.data) text = CASEHOOK__TEXT("");
    for (size_t i = 0; i < count; i++) found[i] = (struct casehook__js_value){.kind = CASEHOOK__JS_NONE};
    do { /* once, but for more paths than there are bits */
        size_t part = count - done < CASEHOOK__JS_FIND_PATHS ? count - done : CASEHOOK__JS_FIND_PATHS;
        casehook__js_find_begin(&scan.find, part ? paths + done : NULL, part, part ? found + done : NULL);
        scan_text(&scan, text);
        done += part;
    } while (!scan.fault && done < count);
    if (scan.fault && offset) *offset = (size_t)(scan.place - text.data);
    if (scan.fault && scan.fault != CASEHOOK__JS_TRUNCATED) {
        for (size_t i = 0; i < count; i++) found[i] = (struct casehook__js_value){.kind = CASEHOOK__JS_NONE};
    }
    return scan.fault;
}
