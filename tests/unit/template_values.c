/* template_values.c - for the template tests: values written as JSON, and the schemas of the fields. */
#include "template_values.h"

#include <stdio.h>
#include <stdlib.h>

static void *keep(struct tree *tree, size_t size)
{
    if (tree->block_count == sizeof tree->blocks / sizeof *tree->blocks) abort();
    void *block = calloc(1, size ? size : 1);
    if (!block) abort();
    return tree->blocks[tree->block_count++] = block;
}

static struct casehook__text keep_text(struct tree *tree, const char *data, size_t length)
{
    char *copy = keep(tree, length + 1);
    memcpy(copy, data, length);
    return (struct casehook__text){copy, length};
}

static void fill(struct tree *tree, struct casehook__value *value, const json_t *json);

static void fill_members(struct tree *tree, struct casehook__value *value, const json_t *json)
{
    bool object = json_is_object(json);
    value->count = object ? json_object_size(json) : json_array_size(json);
    struct casehook__value *items = keep(tree, value->count * sizeof *items);
    struct casehook__text *names = keep(tree, value->count * sizeof *names);
    const char *name;
    json_t *item;
    size_t i = 0;
    if (object) {
        json_object_foreach((json_t *)(uintptr_t)json, name, item) {
            names[i] = keep_text(tree, name, strlen(name));
            fill(tree, &items[i++], item);
        }
        value->names = names;
    } else {
        json_array_foreach(json, i, item) fill(tree, &items[i], item);
    }
    value->items = items;
}

static void fill(struct tree *tree, struct casehook__value *value, const json_t *json)
{
    static const enum casehook__value_kind kinds[] = {
        [JSON_OBJECT] = CASEHOOK__VALUE_OBJECT, [JSON_ARRAY] = CASEHOOK__VALUE_LIST,
        [JSON_STRING] = CASEHOOK__VALUE_TEXT,   [JSON_INTEGER] = CASEHOOK__VALUE_NUMBER,
        [JSON_REAL] = CASEHOOK__VALUE_NUMBER,   [JSON_TRUE] = CASEHOOK__VALUE_TRUE,
        [JSON_FALSE] = CASEHOOK__VALUE_FALSE,   [JSON_NULL] = CASEHOOK__VALUE_NULL,
    };
    char number[64];
    value->kind = kinds[json_typeof(json)];
    if (json_is_object(json) || json_is_array(json)) fill_members(tree, value, json);
    if (json_is_string(json))
        value->text = keep_text(tree, json_string_value(json), json_string_length(json));
    if (json_is_number(json)) {
        size_t length = json_dumpb(json, number, sizeof number, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        value->text = keep_text(tree, number, length);
    }
}

void tree_from_json(struct tree *tree, const json_t *json)
{
    tree->block_count = 0;
    tree->root = (struct casehook__value){.kind = CASEHOOK__VALUE_ABSENT};
    fill(tree, &tree->root, json);
}

void tree_parse(struct tree *tree, const char *json)
{
    json_t *parsed = json_loads(json, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (!parsed) {
        fprintf(stderr, "bad JSON in a test: %s\n", json);
        abort();
    }
    tree_from_json(tree, parsed);
    json_decref(parsed);
}

void tree_free(struct tree *tree)
{
    while (tree->block_count) free(tree->blocks[--tree->block_count]);
}

#define T CASEHOOK__VARIABLE_TEXT
#define L CASEHOOK__VARIABLE_LIST
#define F CASEHOOK__VARIABLE_FIELD
#define CASE_VARIABLES                                                                               \
    {"case.title", T, NULL, {0}}, {"case.description", T, NULL, {0}}, {"case.id", T, NULL, {0}},     \
        {"case.severity", T, NULL, {0}}, {"case.status", T, NULL, {0}}, {"case.tags", L, NULL, {0}}, \
        {"case.labels", L, NULL, {0}},                                                               \
    {                                                                                                \
        "case.fields.*", F, NULL,                                                                    \
        {                                                                                            \
            0                                                                                        \
        }                                                                                            \
    }
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct casehook__variable case_variables[] = {CASE_VARIABLES};
static const struct casehook__variable update_variables[] = {CASE_VARIABLES,
                                                             {"external.system.id", T, NULL, {0}}};
static const struct casehook__variable comment_variables[] = {{"case.comment", T, NULL, {0}},
                                                              {"external.system.id", T, NULL, {0}}};
static const struct casehook__variable id_variables[] = {{"external.system.id", T, NULL, {0}}};
static const struct casehook__variable view_variables[] = {{"external.system.id", T, NULL, {0}},
                                                           {"external.system.title", T, NULL, {0}}};
static const struct casehook__variable all_variables[] = {CASE_VARIABLES,
                                                          {"case.comment", T, NULL, {0}},
                                                          {"external.system.id", T, NULL, {0}},
                                                          {"external.system.title", T, NULL, {0}}};

#define SCHEMA(name)                                           \
    {                                                          \
        name, COUNT(name), all_variables, COUNT(all_variables) \
    }
const struct casehook__schema create_schema = SCHEMA(case_variables);
const struct casehook__schema update_schema = SCHEMA(update_variables);
const struct casehook__schema comment_schema = SCHEMA(comment_variables);
const struct casehook__schema id_schema = SCHEMA(id_variables);
const struct casehook__schema view_schema = SCHEMA(view_variables);

static char *copy(const char *text)
{
    size_t size = strlen(text) + 1;
    char *block = malloc(size);
    if (!block) abort();
    return memcpy(block, text, size);
}

static char *failure(int status)
{
    switch (status) {
    case CASEHOOK_E_CONFIG: return copy("!config");
    case CASEHOOK_E_PARAMS: return copy("!params");
    case CASEHOOK_E_LIMIT: return copy("!limit");
    default: return copy("!other");
    }
}

char *outcome(const char *text, enum casehook__template_kind kind, const struct casehook__schema *schema,
              bool strict, const struct casehook__value *root, struct casehook_error *error)
{
    struct casehook__template *tmpl = NULL;
    struct casehook__buf out;
    casehook__buf_init(&out, NULL, CASEHOOK__BODY_MAX_BYTES);
    casehook__error_init(error);
    int status = casehook__template_new(NULL, casehook__text(text), kind, schema, strict, &tmpl, error);
    if (!status) status = casehook__template_prove(tmpl, strict, error);
    bool made = !status;
    if (!status) status = casehook__template_render(tmpl, root, &out, error);
    char *result = status ? failure(status) : copy(casehook__buf_string(&out));
    if (made && status == CASEHOOK_E_CONFIG) {
        free(result);
        result = copy("!call"); /* the template is fine, this rendering is not */
    }
    casehook__template_free(tmpl);
    casehook__buf_free(&out);
    return result;
}
