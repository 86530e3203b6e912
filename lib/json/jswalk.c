/* jswalk.c - steps through JSON that the scanner accepted, and the words for kinds and faults. */
#include "json/jsscan.h"
#include "json/jsbytes.h"

#include <stdio.h>

#define LOOK_DEPTH 16 /* nobody wants a longer path */

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

/* Where the walk is in one of the containers that are open. */
struct spot {
    bool object;
    size_t index;
    struct casehook__text key;
};

/* As a response key is written; nothing when it has no room or a name would have to be written otherwise. */
static void write_spots(const struct spot *spots, size_t count, char *out, size_t size)
{
    size_t used = 0, written = 0;
    for (size_t i = 0; i < count && used < size; i++) {
        const char *key = spots[i].key.data;
        size_t length = spots[i].key.length, plain = 0;
        while (plain < length && !strchr(".[]\\", key[plain])) plain++;
        bool name = plain && plain == length;
        if (plain < length && memchr(key, '\\', length)) break;
        used += (size_t)(spots[i].object ? snprintf(out + used, size - used, "%s%.*s%s",
                                                    !name  ? "[\""
                                                    : used ? "."
                                                           : "",
                                                    (int)length, key, name ? "" : "\"]")
                                         : snprintf(out + used, size - used, "[%zu]", spots[i].index));
        written = i + 1;
    }
    if (used >= size || written < count) *out = '\0';
}

/* Names are whole: what stands behind the first one that has no room is left out with it. */
static void add_name(struct casehook__text name, char *out, size_t size)
{
    size_t used = strlen(out);
    const char *comma = used ? ", " : "";
    if (used && out[used - 1] == '.') return;
    if (used + name.length + sizeof ", \"\", ..." <= size)
        snprintf(out + used, size - used, "%s\"%.*s\"", comma, (int)name.length, name.data);
    else
        snprintf(out + used, size - used, "%s...", comma);
}

void casehook__js_look_for(struct casehook__text valid, struct casehook__text name,
                           struct casehook__js_places *places)
{
    struct spot spots[LOOK_DEPTH];
    size_t level = 0, best = LOOK_DEPTH + 1;
    const char *p = valid.data, *end = p + valid.length;
    *places->names = *places->path = '\0';
    while (p < end) {
        struct spot *spot = level && level <= LOOK_DEPTH ? &spots[level - 1] : NULL;
        char c = *p;
        if (c == '"') {
            const char *start = p + 1;
            p = string_end(p, end);
            const char *colon = casehook__js_skip_space(p, end);
            if (!spot || colon == end || *colon != ':') continue;
            spot->key = (struct casehook__text){start, (size_t)(p - 1 - start)};
            if (level == 1) add_name(spot->key, places->names, sizeof places->names);
            p = casehook__js_skip_space(colon + 1, end);
            if (level >= best || !casehook__text_equal_nocase(spot->key, name) || strchr("{[n", *p)) continue;
            write_spots(spots, level, places->path, sizeof places->path);
            if (*places->path) best = level;
            continue;
        }
        if ((c == '{' || c == '[') && level++ < LOOK_DEPTH)
            spots[level - 1] = (struct spot){.object = c == '{'};
        if (c == '}' || c == ']') level--;
        if (c == ',' && spot) spot->index++;
        p++;
    }
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
