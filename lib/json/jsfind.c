/* jsfind.c - follows key paths while a scanner goes through a JSON text. */
#include "json/jsfind.h"
#include "json/jsbytes.h"

void casehook__js_find_begin(struct casehook__js_find *find, const struct casehook__keypath *const *paths,
                             size_t count, struct casehook__js_value *found)
{
    find->paths = paths;
    find->count = count;
    find->found = found;
    find->flat = find->ends = 0;
    /* The top value is on every path, and is what "" names unless there is a flat member of that name. */
    find->into = count == CASEHOOK__JS_FIND_PATHS ? UINT64_MAX : ((uint64_t)1 << count) - 1;
    for (size_t i = 0; i < count; i++) find->ends |= (uint64_t)(paths[i]->whole.length == 0) << i;
}

/* The part that members at level are compared with; NULL for a path that has no name (keypath.h). */
static const struct casehook__keypath_part *part_at(const struct casehook__keypath *path, size_t level)
{
    return level <= path->count ? &path->parts[level - 1] : NULL;
}

/* Compares as decoded: a key may hold escapes, or bytes that are not UTF-8. */
static bool same_decoded(struct casehook__text key, struct casehook__text name)
{
    const char *p = key.data, *end = p + key.length;
    while (p < end) {
        char character[4];
        size_t length = casehook__js_decode_one(&p, end, character);
        if (length > name.length || memcmp(character, name.data, length) != 0) return false;
        name.data += length;
        name.length -= length;
    }
    return name.length == 0;
}

/* Most names already differ in length. */
static inline bool same(struct casehook__text key, bool decode, struct casehook__text name)
{
    if (decode) return same_decoded(key, name);
    return key.length == name.length && memcmp(key.data, name.data, name.length) == 0;
}

void casehook__js_find_long_look(struct casehook__js_find *find, size_t level, struct casehook__text key,
                                 bool escaped)
{
    for (size_t i = 0; i < find->count; i++) {
        const struct casehook__keypath *path = find->paths[i];
        uint64_t bit = (uint64_t)1 << i;
        if (!(find->active[level] & bit)) continue;
        const struct casehook__keypath_part *part = part_at(path, level);
        bool decode = escaped || path->exotic;
        if (level == 1 && same(key, decode, path->whole)) {
            find->found[i] = (struct casehook__js_value){.kind = CASEHOOK__JS_NONE};
            find->flat |= bit;
            find->ends |= bit;
        } else if (part && !(find->flat & bit) && same(key, decode, part->name)) {
            /* A later member of the same name replaces all that was found below an earlier one. */
            find->found[i] = (struct casehook__js_value){.kind = CASEHOOK__JS_NONE};
            *(level == path->count ? &find->ends : &find->into) |= bit;
        }
    }
}

static uint64_t lengths_at(const struct casehook__js_find *find, size_t level)
{
    uint64_t lengths = 0;
    for (size_t i = 0; i < find->count; i++) {
        const struct casehook__keypath *path = find->paths[i];
        const struct casehook__keypath_part *part = part_at(path, level);
        if (!(find->active[level] >> i & 1)) continue;
        if (path->exotic) return UINT64_MAX; /* compared as decoded */
        if (part) lengths |= (uint64_t)1 << part->name.length % 64;
        if (level == 1) lengths |= (uint64_t)1 << path->whole.length % 64;
    }
    return lengths;
}

void casehook__js_find_element(struct casehook__js_find *find, size_t level)
{
    size_t index = find->index[level]++;
    find->into = find->ends = 0;
    for (size_t i = 0; i < find->count; i++) {
        const struct casehook__keypath *path = find->paths[i];
        const struct casehook__keypath_part *part = part_at(path, level);
        uint64_t bit = (uint64_t)1 << i;
        if ((find->active[level] & bit) && part && part->index == index)
            *(level == path->count ? &find->ends : &find->into) |= bit;
    }
}

void casehook__js_find_scalar(struct casehook__js_find *find, struct casehook__js_value value)
{
    for (size_t i = 0; i < find->count; i++)
        if (find->ends >> i & 1) find->found[i] = value;
    find->into = find->ends = 0;
}

void casehook__js_find_open_wanted(struct casehook__js_find *find, size_t level, enum casehook__js_kind kind,
                                   const char *start)
{
    find->index[level] = 0;
    if (find->into && kind == CASEHOOK__JS_OBJECT) find->lengths[level] = lengths_at(find, level);
    if (find->ends) casehook__js_find_scalar(find, (struct casehook__js_value){kind, {start, 0}});
    find->into = 0;
}

void casehook__js_find_close_wanted(struct casehook__js_find *find, size_t level, const char *end)
{
    uint64_t ending = find->ending[level] & ~(level == 1 ? find->flat : 0); /* a flat member replaced it */
    for (size_t i = 0; i < find->count; i++) {
        struct casehook__js_value *value = &find->found[i];
        if (ending >> i & 1) value->text.length = (size_t)(end - value->text.data);
    }
}
