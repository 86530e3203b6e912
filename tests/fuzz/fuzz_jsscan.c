/*
 * fuzz_jsscan.c - the scanner against jansson (is it JSON?) and against a plain walk (what does the key
 * find?), and the ways of escaping against each other.
 *
 * Input: a key, a newline, a JSON text.  Any disagreement aborts.
 */
#include "fuzz.h"
#include "json/jsscan.h"
#include "json/jstext.h"

#include <jansson.h>

static bool is_surrogate(const char *p)
{
    return p[0] == '\\' && p[1] == 'u' && (p[2] == 'd' || p[2] == 'D') && casehook__hex_value(p[3]) >= 8;
}

/*
 * What jansson refuses and we accept is written as something that it accepts, without a change to
 * what is a fault for both: stray bytes and surrogates, \u0000 in keys, long integers, exponents.
 */
static char *tame(struct casehook__text text, size_t *length)
{
    char *out = malloc(text.length + 1);
    size_t digits = 0, n = 0;
    bool exponent = false;
    CHECK(out);
    if (text.length >= 3 && memcmp(text.data, "\xEF\xBB\xBF", 3) == 0) {
        text.data += 3;
        text.length -= 3;
    }
    for (size_t i = 0; i < text.length; i++) {
        const char *p = text.data + i;
        size_t left = text.length - i;
        char c = (unsigned char)*p >= 0x80 ? 'x' : *p;
        if (!c) c = 1; /* jansson takes a NUL for the end */
        if (left >= 4 && i && is_surrogate(p - 1)) c = *p;
        if (i >= 2 && left >= 2 && is_surrogate(p - 2)) c = '0';
        if (i >= 5 && memcmp(p - 5, "\\u0000", 6) == 0) c = '1';
        if (casehook__is_digit(c)) {
            if (exponent) c = '0';
            if (++digits > 15) continue;
        } else {
            exponent = *p == 'e' || *p == 'E' || (exponent && !digits && (*p == '+' || *p == '-'));
            digits = 0;
        }
        out[n++] = c;
    }
    *length = n;
    return out;
}

static bool jansson_accepts(struct casehook__text text)
{
    size_t length;
    char *tamed = tame(text, &length);
    json_t *json = json_loadb(tamed, length, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    free(tamed);
    json_decref(json);
    return json != NULL;
}

static bool same_decoded(struct casehook__text raw, struct casehook__text name)
{
    struct casehook__buf buf;
    casehook__buf_init(&buf, NULL, SIZE_MAX / 4);
    CHECK(casehook__js_decode(&buf, raw) == CASEHOOK_OK);
    bool same = casehook__text_equal(casehook__buf_text(&buf), name);
    casehook__buf_free(&buf);
    return same;
}

/* The last member of that name, or the element. */
static struct casehook__js_value child(struct casehook__js_value parent, struct casehook__text name,
                                       size_t index)
{
    struct casehook__js_value value, last = {.kind = CASEHOOK__JS_NONE};
    struct casehook__text key = {NULL, 0};
    size_t position = 0, i = 0;
    if (parent.kind != CASEHOOK__JS_OBJECT && parent.kind != CASEHOOK__JS_ARRAY) return last;
    for (; casehook__js_next(parent.text, &position, &key, &value); i++)
        if (parent.kind == CASEHOOK__JS_OBJECT ? same_decoded(key, name) : i == index) last = value;
    return last;
}

static struct casehook__js_value find(struct casehook__js_value top, const struct casehook__keypath *path)
{
    struct casehook__js_value value = child(top, path->whole, SIZE_MAX);
    if (value.kind != CASEHOOK__JS_NONE) return value;
    if (path->whole.length == 0) return top; /* the whole answer */
    if (path->count) value = top;
    for (size_t i = 0; i < path->count; i++) value = child(value, path->parts[i].name, path->parts[i].index);
    return value;
}

static void check_text(struct casehook__text text)
{
    struct casehook__buf one, two;
    casehook__buf_init(&one, NULL, SIZE_MAX / 4);
    casehook__buf_init(&two, NULL, SIZE_MAX / 4);
    casehook__js_escape(&one, text);
    casehook__js_escape_scalar(&two, text);
    CHECK(casehook__text_equal(casehook__buf_text(&one), casehook__buf_text(&two)));
    casehook__buf_clear(&two);
    casehook__js_string(&two, text);
    CHECK(casehook__jsscan(casehook__buf_text(&two), NULL, 0, NULL, NULL) == CASEHOOK__JS_VALID);
    casehook__buf_clear(&two);
    casehook__js_utf8(&two, text);
    CHECK(same_decoded(casehook__buf_text(&one), casehook__buf_text(&two)));
    casehook__buf_clear(&one);
    CHECK(casehook__js_uri_component(&one, text) == CASEHOOK_OK);
    casehook__buf_free(&one);
    casehook__buf_free(&two);
}

static void check_found(struct casehook__text text, struct casehook__js_value found,
                        const struct casehook__keypath *path)
{
    struct casehook__js_value wanted = find(casehook__js_top(text), path);
    CHECK(found.kind == wanted.kind && found.text.data == wanted.text.data);
    CHECK(found.text.length == wanted.text.length);
    if (found.kind != CASEHOOK__JS_NUMBER) return;
    struct casehook__buf buf;
    casehook__buf_init(&buf, NULL, SIZE_MAX / 4);
    int status = casehook__js_number(&buf, found.text);
    CHECK(status == CASEHOOK_E_RESPONSE || (status == CASEHOOK_OK && buf.length > 0));
    CHECK(status || casehook__jsscan(casehook__buf_text(&buf), NULL, 0, NULL, NULL) == CASEHOOK__JS_VALID);
    casehook__buf_free(&buf);
}

/* Keys stand in documents, which are UTF-8. */
static bool is_utf8(struct casehook__text text)
{
    for (size_t at = 0, length; at < text.length; at += length) {
        length = casehook__utf8_length(text.data + at, text.length - at);
        if (length == 0) return false;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *start = (const char *)data, *line = size ? memchr(start, '\n', size) : NULL;
    size_t key_length = line ? (size_t)(line - start) : 0;
    struct casehook__text text = {line ? line + 1 : start, line ? size - key_length - 1 : size};
    struct casehook__keypath *path;
    struct casehook__js_value found;
    size_t offset = SIZE_MAX;
    struct casehook__text key = {start, key_length};
    check_text(text);
    if (!is_utf8(key) || casehook__keypath_new(NULL, key, &path, NULL)) return 0;
    const struct casehook__keypath *paths[] = {path};
    enum casehook__js_fault fault = casehook__jsscan(text, paths, 1, &found, &offset);
    CHECK(fault ? offset <= text.length : offset == SIZE_MAX);
    /* What was found before a text broke off is kept; before a fault it is not. */
    CHECK(!fault || fault == CASEHOOK__JS_TRUNCATED || found.kind == CASEHOOK__JS_NONE);
    if (fault != CASEHOOK__JS_TOO_DEEP) CHECK(jansson_accepts(text) == !fault);
    if (!fault) check_found(text, found, path);
    casehook__keypath_free(path);
    return 0;
}
