/* value.c - finding a member in a tree of values. */
#include "base/value.h"

/* Whether the first part of path is name. */
static bool begins_with_name(struct casehook__text path, struct casehook__text name)
{
    return name.length > 0 && name.length <= path.length && *name.data == *path.data &&
           memcmp(name.data, path.data, name.length) == 0 &&
           (name.length == path.length || path.data[name.length] == '.');
}

const struct casehook__value *casehook__value_part(const struct casehook__value *object,
                                                   struct casehook__text *path)
{
    if (object->kind != CASEHOOK__VALUE_OBJECT) return NULL;
    for (size_t i = 0; i < object->count; i++) {
        if (!begins_with_name(*path, object->names[i])) continue;
        size_t taken = object->names[i].length;
        *path = casehook__text_from(*path, taken < path->length ? taken + 1 : taken);
        return &object->items[i];
    }
    return NULL;
}

const struct casehook__value *casehook__value_at(const struct casehook__value *root,
                                                 struct casehook__text path)
{
    while (root && path.length) root = casehook__value_part(root, &path);
    return root;
}

struct casehook__text casehook__value_word(const struct casehook__value *value)
{
    switch (value->kind) {
    case CASEHOOK__VALUE_TRUE: return CASEHOOK__TEXT("true");
    case CASEHOOK__VALUE_FALSE: return CASEHOOK__TEXT("false");
    case CASEHOOK__VALUE_NUMBER:
    case CASEHOOK__VALUE_TEXT:
    case CASEHOOK__VALUE_JSON: return value->text;
    default: return CASEHOOK__TEXT("");
    }
}
