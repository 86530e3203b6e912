/* vectors.c - reading folders of vector files. */
#include "vectors.h"
#include "memory.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *vector_load(const char *path)
{
    json_error_t error;
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!root) fprintf(stderr, "%s:%d: %s\n", path, error.line, error.text);
    return root;
}

/* Cases that say what proxy and target see are of the proxy kind. */
static enum vector_kind kind_of(const json_t *root)
{
    if (json_is_array(root)) return VECTOR_LIST;
    const json_t *first = json_array_get(json_object_get(root, "cases"), 0);
    return json_object_get(first, "seen") ? VECTOR_PROXY : VECTOR_TLS;
}

static int add_file(struct vector_set *set, const char *folder, const char *name)
{
    char *path = must_format("%s/%s", folder, name);
    json_t *root = vector_load(path);
    json_t *cases = json_is_array(root) ? root : json_object_get(root, "cases");
    if (root && !json_is_array(cases)) {
        fprintf(stderr, "%s: neither a list nor an object with cases\n", path);
        json_decref(root);
        root = NULL;
    }
    free(path);
    if (!root) return -1;
    set->files = must_grow(set->files, (set->count + 1) * sizeof *set->files);
    set->files[set->count++] = (struct vector_file){
        .folder = must_copy(folder, strlen(folder)),
        .name = must_copy(name, strlen(name) - 5),
        .kind = kind_of(root),
        .root = root,
        .cases = cases,
        .base_config = json_object_get(root, "base_config"),
    };
    return 0;
}

/* The certificates of one file serve all files of the folder. */
static int make_certs(struct vector_set *set, size_t first)
{
    for (size_t i = first; i < set->count; i++) {
        json_t *recipes = json_object_get(set->files[i].root, "recipes");
        if (!recipes) continue;
        char *text = json_dumps(recipes, 0);
        struct certs *certs = certs_make_recipe(text);
        free(text);
        if (!certs) {
            fprintf(stderr, "%s/%s.json: recipes of an unknown shape\n", set->files[i].folder,
                    set->files[i].name);
            return -1;
        }
        set->certs = must_grow(set->certs, (set->folder_count + 1) * sizeof *set->certs);
        set->certs[set->folder_count++] = certs;
        for (size_t k = first; k < set->count; k++) set->files[k].certs = certs;
        return 0;
    }
    return 0;
}

static int is_vector_file(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0 &&
           strcmp(entry->d_name, "fields.json") != 0;
}

int vector_set_add(struct vector_set *set, const char *folder)
{
    struct dirent **names = NULL;
    size_t first = set->count;
    int count = scandir(folder, &names, is_vector_file, alphasort), failed = 0;
    if (count <= 0) fprintf(stderr, "%s: no vector files\n", folder);
    for (int i = 0; i < count; i++) {
        if (!failed) failed = add_file(set, folder, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    return count <= 0 || failed || make_certs(set, first) != 0 ? -1 : 0;
}

void vector_set_clear(struct vector_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        free(set->files[i].folder);
        free(set->files[i].name);
        json_decref(set->files[i].root);
    }
    for (size_t i = 0; i < set->folder_count; i++) certs_free(set->certs[i]);
    free(set->files);
    free(set->certs);
    memset(set, 0, sizeof *set);
}
