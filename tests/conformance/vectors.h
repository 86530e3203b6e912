/* vectors.h - folders of vector files, and the texts that stand for addresses in them. */
#ifndef CONFORMANCE_VECTORS_H
#define CONFORMANCE_VECTORS_H

#include "certs.h"

#include <jansson.h>
#include <stddef.h>

enum vector_kind {
    VECTOR_LIST,  /* an exchange with one or two plain servers */
    VECTOR_TLS,   /* one server, or two, with certificates */
    VECTOR_PROXY, /* a proxy and a target */
};

struct vector_file {
    char *folder;
    char *name; /* without ".json" */
    enum vector_kind kind;
    json_t *root;
    json_t *cases;       /* borrowed from root */
    json_t *base_config; /* borrowed from root, NULL when there is none */
    struct certs *certs; /* of the folder, NULL when no file has recipes */
};

struct vector_set {
    struct vector_file *files;
    size_t count;
    struct certs **certs; /* one per folder */
    size_t folder_count;
};

/* Reads every *.json of a folder but fields.json.  0, or -1 with a line on stderr. */
int vector_set_add(struct vector_set *set, const char *folder);
void vector_set_clear(struct vector_set *set);

/* A JSON text with the flags that vectors need; NULL with a line on stderr. */
json_t *vector_load(const char *path);

/* What {{NAME}} stands for. */
struct place {
    const char *name;
    const char *text;
};

/*
 * A copy of value in which the placeholders of places, the repeated texts of repeat (NULL or the vector's
 * member) and, with certs, {{B64:...}} and {{PEM:...}} are put in.  Names of members too.  NULL with a
 * line in *problem (yours to free) when a certificate is missing.
 */
json_t *vector_fill(const json_t *value, const struct place *places, size_t place_count, const json_t *repeat,
                    const struct certs *certs, char **problem);

#endif
