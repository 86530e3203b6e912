/* jswalk.c - steps through JSON that the scanner accepted, and the words for kinds and faults. */
#include "json/jsscan.h"
#include "json/jsbytes.h"

static enum casehook__js_kind kind_of_value(char first)
{
    switch (first) {
    case '{': return CASEHOOK__JS_OBJECT;
    case '[': return CASEHOOK__JS_ARRAY;
    case '"': return CASEHOOK__JS_STRING;
    case 'n': return CASEHOOK__JS_NULL;
    case 't': return CASEHOOK__JS_TRUE;
    case 'f': return CASEHOOK__JS_FALSE;
    default: return CASEHOOK__JS_NUMBER;
    }
}

struct casehook__js_value casehook__js_top(struct casehook__text valid)
{
    if (valid.length >= 3 && memcmp(valid.data, "\xEF\xBB\xBF", 3) == 0) {
        valid.data += 3;
        valid.length -= 3;
    }
    valid = casehook__text_trim(valid);
    if (!valid.length) return (struct casehook__js_value){.kind = CASEHOOK__JS_NONE};
    return (struct casehook__js_value){kind_of_value(valid.data[0]), valid};
}

/* p is at the opening quote: behind the closing one. */
static const char *string_end(const char *p, const char *end)
{
    p = casehook__js_skip_plain(p + 1, end);
    while (end - p >= 2 && *p != '"') p = casehook__js_skip_plain(p + 2, end); /* behind an escape */
    return p < end ? p + 1 : end;
}

/* Brackets are only counted: the text is valid. */
static const char *value_end(const char *p, const char *end)
{
    size_t depth = 0;
    while (p < end) {
        char c = *p;
        if (!depth && (c == ',' || c == ']' || c == '}' || casehook__is_space(c))) break;
        if (c == '"') {
            p = string_end(p, end);
            continue;
        }
        if (c == '{' || c == '[') depth++;
        if (c == '}' || c == ']') depth--;
        p++;
    }
    return p;
}

bool casehook__js_next(struct casehook__text container, size_t *position, struct casehook__text *key,
                       struct casehook__js_value *value)
{
    const char *start = container.data, *end = start + container.length, *p = start + *position;
    if (!*position && p < end) p++;
    while (p < end && (*p == ',' || casehook__is_space(*p))) p++;
    if (p == end || *p == '}' || *p == ']') return false;
    if (*start == '{') {
        const char *stop = string_end(p, end);
        *key = (struct casehook__text){p + 1, (size_t)(stop - p) - 2};
        p = stop;
        while (p < end && (*p == ':' || casehook__is_space(*p))) p++;
    }
    const char *stop = value_end(p, end);
    *value = (struct casehook__js_value){kind_of_value(*p), {p, (size_t)(stop - p)}};
    *position = (size_t)(stop - start);
    return true;
}

const char *casehook__js_kind_name(enum casehook__js_kind kind)
{
    switch (kind) {
    case CASEHOOK__JS_NONE: break;
    case CASEHOOK__JS_NULL: return "null";
    case CASEHOOK__JS_FALSE: return "false";
    case CASEHOOK__JS_TRUE: return "true";
    case CASEHOOK__JS_NUMBER: return "a number";
    case CASEHOOK__JS_STRING: return "a string";
    case CASEHOOK__JS_ARRAY: return "an array";
    case CASEHOOK__JS_OBJECT: return "an object";
    case CASEHOOK__JS_PLAIN: return "plain text";
    }
    return "nothing";
}

const char *casehook__js_fault_name(enum casehook__js_fault fault)
{
    switch (fault) {
    case CASEHOOK__JS_VALID: return "is JSON";
    case CASEHOOK__JS_EMPTY: return "is empty";
    case CASEHOOK__JS_SYNTAX: break;
    case CASEHOOK__JS_TRUNCATED: return "ends in the middle";
    case CASEHOOK__JS_TOO_DEEP: return "is nested too deeply";
    case CASEHOOK__JS_TRAILING: return "has something behind its JSON value";
    }
    return "is not JSON";
}
