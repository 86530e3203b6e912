/*
 * template_values.h - for the template tests: values written as JSON, and the schemas of the fields.
 */
#ifndef TEMPLATE_VALUES_H
#define TEMPLATE_VALUES_H

#include "template/template.h"

#include <jansson.h>

/* A tree made from JSON; everything in it is freed together. */
struct tree {
    struct casehook__value root;
    void *blocks[512];
    size_t block_count;
};

/* Aborts the test program when there are too many values. */
void tree_from_json(struct tree *tree, const json_t *json);
void tree_parse(struct tree *tree, const char *json);
void tree_free(struct tree *tree);

extern const struct casehook__schema create_schema;  /* case.*, without the comment */
extern const struct casehook__schema update_schema;  /* the same and external.system.id */
extern const struct casehook__schema comment_schema; /* case.comment, external.system.id */
extern const struct casehook__schema id_schema;      /* external.system.id */
extern const struct casehook__schema view_schema;    /* external.system.id, external.system.title */

/* Makes, proves (JSON) and renders with values; the text (to be freed), or "!config", "!params" ... */
char *outcome(const char *text, enum casehook__template_kind kind, const struct casehook__schema *schema,
              bool strict, const struct casehook__value *root, struct casehook_error *error);

#endif
