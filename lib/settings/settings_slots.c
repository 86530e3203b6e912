/* settings_slots.c - finding settings in an object whose names are nested, dotted or both (C2). */
#include "settings/settings_slots.h"

#define PATH_MAX_BYTES 128

struct slot_walk {
    struct casehook__errors *errors;
    const char *prefix, *optional_prefix;
    const char *const *names;
    size_t count;
    const struct casehook__json **nodes;
};

/* A dotted path from the top of the object. */
struct path {
    char text[PATH_MAX_BYTES];
    size_t length;
};

/* False when it is too long, which no known name is. */
static bool slots_append(struct path *path, struct casehook__text name)
{
    size_t dot = path->length > 0;
    if (path->length + dot + name.length >= sizeof path->text) return false;
    if (dot) path->text[path->length++] = '.';
    memcpy(path->text + path->length, name.data, name.length);
    path->length += name.length;
    path->text[path->length] = '\0';
    return true;
}

static bool begins_with(const char *text, const char *head)
{
    return strncmp(text, head, strlen(head)) == 0;
}

static const char *without_prefix(const struct slot_walk *walk, const char *path)
{
    if (!walk->optional_prefix || !begins_with(path, walk->optional_prefix)) return path;
    return path + strlen(walk->optional_prefix);
}

/* Whether known names, or the optional prefix, go on below this path. */
static bool is_group(const struct slot_walk *walk, const char *path)
{
    size_t length = strlen(path);
    const char *rest = without_prefix(walk, path);
    if (walk->optional_prefix && begins_with(walk->optional_prefix, path) &&
        walk->optional_prefix[length] == '.')
        return true;
    for (size_t i = 0; i < walk->count; i++)
        if (begins_with(walk->names[i], rest) && walk->names[i][strlen(rest)] == '.') return true;
    return false;
}

static void fail_unknown_slot(const struct slot_walk *walk, struct path path,
                              const struct casehook__json *value)
{
    struct casehook__field field = {walk->errors, walk->prefix, path.text, value};
    const char *name = without_prefix(walk, path.text);
    bool kept = walk->errors->count < CASEHOOK__ERRORS_MAX; /* the others are only counted */
    const char *nearest = kept ? casehook__nearest(casehook__text(name), walk->names, walk->count) : NULL;
    struct casehook_error *fault = casehook__field_fault(&field);
    if (nearest)
        casehook__fail(fault, CASEHOOK_E_CONFIG, "there is no such setting; did you mean \"%s\"?", nearest);
    else
        casehook__fail(fault, CASEHOOK_E_CONFIG, "there is no such setting; remove it");
}

/* True when the path is a setting. */
static bool take_slot(const struct slot_walk *walk, const struct path *path,
                      const struct casehook__json *value)
{
    const char *name = without_prefix(walk, path->text);
    for (size_t i = 0; i < walk->count; i++) {
        if (strcmp(walk->names[i], name) != 0) continue;
        if (walk->nodes[i]) {
            struct casehook__field field = {walk->errors, walk->prefix, walk->names[i], value};
            casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG,
                           "is given twice, in two spellings; keep one");
        }
        walk->nodes[i] = value;
        return true;
    }
    return false;
}

/* The depth is bounded by the document's. */
static void descend(const struct slot_walk *walk, const struct path *base,
                    const struct casehook__json *object)
{
    size_t position = 0;
    struct casehook__text name;
    struct casehook__json *value;
    while (casehook__json_next(object, &position, &name, &value)) {
        struct path path = *base;
        if (!slots_append(&path, name)) {
            struct casehook__field field = {walk->errors, walk->prefix, base->length ? base->text : "",
                                            value};
            casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG,
                           "holds a name that is too long for a setting");
        } else if (take_slot(walk, &path, value)) {
            continue;
        } else if (!is_group(walk, path.text)) {
            fail_unknown_slot(walk, path, value);
        } else if (casehook__json_kind(value) == CASEHOOK__JSON_OBJECT) {
            descend(walk, &path, value);
        } else {
            struct casehook__field field = {walk->errors, walk->prefix, path.text, value};
            casehook__field_wrong(&field, "an object");
        }
    }
}

void casehook__settings_slots(struct casehook__errors *errors, const char *prefix,
                              const char *optional_prefix, const struct casehook__json *object,
                              const char *const *names, size_t count, const struct casehook__json **nodes)
{
    struct slot_walk walk = {errors, prefix, optional_prefix, names, count, nodes};
    struct path root = {.length = 0};
    for (size_t i = 0; i < count; i++) nodes[i] = NULL;
    descend(&walk, &root, object);
}
