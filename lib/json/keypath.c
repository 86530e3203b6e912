/* keypath.c - response keys in the path syntax of lodash's get. */
#include "json/keypath.h"
#include "json/jsbytes.h"

/* A name as it stands in the key; in a quoted one a backslash takes the next character as it is. */
struct piece {
    struct casehook__text source;
    bool quoted;
};

struct pieces {
    struct piece all[CASEHOOK__KEYPATH_MAX_PARTS];
    size_t count;  /* may be more than there is room for */
    size_t excess; /* where the first without room begins */
};

static void add_step(struct pieces *pieces, const char *key, const char *start, const char *stop, bool quoted)
{
    if (pieces->count < CASEHOOK__KEYPATH_MAX_PARTS)
        pieces->all[pieces->count] = (struct piece){{start, (size_t)(stop - start)}, quoted};
    else if (pieces->count == CASEHOOK__KEYPATH_MAX_PARTS)
        pieces->excess = (size_t)(start - key);
    pieces->count++;
}

/* A key that has neither a dot nor a "[" with a "]" somewhere behind it is one name, whatever it holds. */
static bool is_key_path(struct casehook__text key)
{
    if (!key.length) return false;
    if (memchr(key.data, '.', key.length)) return true;
    const char *open = memchr(key.data, '[', key.length);
    return open && memchr(open, ']', key.length - (size_t)(open - key.data));
}

/* -?digits(.digits)? and a "]"; the place of the "]", NULL when it is something else. */
static const char *number_end(const char *p, const char *end)
{
    if (p < end && *p == '-') p++;
    for (int part = 0; part < 2; part++) {
        const char *start = p;
        while (p < end && casehook__is_digit(*p)) p++;
        if (p == start || p == end) return NULL;
        if (*p == ']') return p;
        if (part || *p++ != '.') return NULL;
    }
    return NULL;
}

/* p is behind the opening quote: the place of the closing one when a "]" follows, else NULL. */
static const char *quoted_end(const char *p, const char *end, char quote)
{
    for (; p < end && *p != quote; p++)
        if (*p == '\\' && end - p > 1) p++;
    return end - p >= 2 && p[1] == ']' ? p : NULL;
}

/* "." or "[]" at p: its length, else 0. */
static size_t separator(const char *p, const char *end)
{
    if (p < end && *p == '.') return 1;
    return end - p >= 2 && p[0] == '[' && p[1] == ']' ? 2 : 0;
}

/* p is at a bracket or dot: the place behind what it opens, one further when it opens nothing. */
static const char *split_bracket(struct pieces *pieces, const char *key, const char *p, const char *end)
{
    const char *stop;
    if (*p == '[' && (stop = number_end(p + 1, end))) {
        add_step(pieces, key, p + 1, stop, false);
        return stop + 1;
    }
    if (*p == '[' && end - p >= 2 && (p[1] == '"' || p[1] == '\'') && (stop = quoted_end(p + 2, end, p[1]))) {
        add_step(pieces, key, p + 2, stop, true);
        return stop + 2;
    }
    size_t skip = separator(p, end);
    if (skip && (p + skip == end || separator(p + skip, end))) add_step(pieces, key, p, p, false);
    return p + 1;
}

static void split_key(struct casehook__text key, struct pieces *pieces)
{
    const char *p = key.data, *end = p + key.length;
    if (!is_key_path(key)) {
        add_step(pieces, key.data, p, end, false);
        return;
    }
    if (*p == '.') add_step(pieces, key.data, p, p, false);
    while (p < end) {
        const char *start = p;
        while (p < end && *p != '.' && *p != '[' && *p != ']') p++;
        if (p > start)
            add_step(pieces, key.data, start, p, false);
        else
            p = split_bracket(pieces, key.data, p, end);
    }
}

/* Writes the name to out; the end of it. */
static char *write_name(char *out, struct piece piece)
{
    const char *p = piece.source.data, *end = p + piece.source.length;
    for (; p < end; p++) {
        if (piece.quoted && *p == '\\' && ++p == end) break;
        *out++ = *p;
    }
    return out;
}

static size_t index_of(struct casehook__text name)
{
    uint64_t index;
    if (name.length > 1 && name.data[0] == '0') return SIZE_MAX;
    return casehook__text_number(name, SIZE_MAX - 1, &index) ? (size_t)index : SIZE_MAX;
}

static bool holds_replacement(struct casehook__text text)
{
    for (size_t i = 0; i + 3 <= text.length; i++)
        if (memcmp(text.data + i, CASEHOOK__REPLACEMENT, 3) == 0) return true;
    return false;
}

/* names goes into the memory behind whole. */
static void fill_steps(struct casehook__keypath *path, const struct pieces *pieces, char *names)
{
    path->count = (uint32_t)pieces->count;
    for (size_t i = 0; i < path->count; i++) {
        struct casehook__keypath_part *part = &path->parts[i];
        char *stop = write_name(names, pieces->all[i]);
        part->name = (struct casehook__text){names, (size_t)(stop - names)};
        part->index = index_of(part->name);
        names = stop;
    }
}

int casehook__keypath_new(struct casehook__heap *heap, struct casehook__text key,
                          struct casehook__keypath **out, struct casehook_error *error)
{
    struct pieces pieces = {.count = 0};
    *out = NULL;
    if (key.length > CASEHOOK__KEYPATH_MAX_BYTES)
        return casehook__fail_at(error, CASEHOOK_E_CONFIG, CASEHOOK__KEYPATH_MAX_BYTES,
                                 "the key is longer than %d bytes", CASEHOOK__KEYPATH_MAX_BYTES);
    if (!key.data) key = CASEHOOK__TEXT("");
    split_key(key, &pieces);
    if (pieces.count > CASEHOOK__KEYPATH_MAX_PARTS)
        return casehook__fail_at(error, CASEHOOK_E_CONFIG, pieces.excess,
                                 "the key has %zu names, more than %d", pieces.count,
                                 CASEHOOK__KEYPATH_MAX_PARTS);
    /* The names together are never longer than the key. */
    size_t parts_size = pieces.count * sizeof(struct casehook__keypath_part);
    struct casehook__keypath *path = casehook__alloc(heap, sizeof *path + parts_size + 2 * key.length + 1);
    if (!path) return casehook__fail_memory(error);
    path->heap = casehook__heap_ref(heap);
    char *whole = (char *)path->parts + parts_size;
    memcpy(whole, key.data, key.length);
    whole[key.length] = '\0';
    path->whole = (struct casehook__text){whole, key.length};
    path->exotic = holds_replacement(path->whole);
    fill_steps(path, &pieces, whole + key.length + 1);
    *out = path;
    return CASEHOOK_OK;
}

void casehook__keypath_free(struct casehook__keypath *path)
{
    if (!path) return;
    struct casehook__heap *heap = path->heap;
    casehook__free(heap, path);
    casehook__heap_unref(heap);
}
