/*
 * test_template_vectors.c - the bodies of the acceptance vectors, driven through the engine alone.
 *
 * The file is the argument, or CASEHOOK_TEMPLATE_VECTORS.  The whole library over the wire is the
 * conformance suite's part; here are the body of each call, and the faults of all templates.
 */
#include "template_values.h"

#include <stdio.h>
#include <stdlib.h>

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* Puts piece, so many times, where tag is in text; text is freed. */
static char *put(char *text, const char *tag, const char *piece, size_t times)
{
    char *at = strstr(text, tag);
    if (!at) return text;
    char *longer = malloc(strlen(text) + strlen(piece) * times + 1), *to = longer;
    memcpy(to, text, (size_t)(at - text));
    to += at - text;
    for (size_t i = 0; i < times; i++, to += strlen(piece)) memcpy(to, piece, strlen(piece));
    memcpy(to, at + strlen(tag), strlen(at + strlen(tag)) + 1);
    free(text);
    return longer;
}

/* Placeholders are put in first. */
static char *expand(const json_t *vector, const char *text)
{
    const char *name;
    json_t *repeat, *all = json_object_get(vector, "repeat");
    char *result = put(strdup(text), "{{BASE}}", "http://a.example", 1);
    json_object_foreach(all, name, repeat) {
        char tag[64];
        snprintf(tag, sizeof tag, "{{%s}}", name);
        size_t times = (size_t)json_integer_value(json_object_get(repeat, "times"));
        result = put(result, tag, text_of(repeat, "text"), times);
    }
    return result;
}

/* The tree of params.h, as JSON. */
static json_t *values_of(const json_t *vector)
{
    const json_t *call = json_object_get(vector, "call"), *params = json_object_get(call, "params");
    json_t *parsed = NULL;
    if (!params) params = parsed = json_loads(text_of(call, "params_text"), JSON_ALLOW_NUL, NULL);
    if (!params) return NULL; /* numbers that jansson cannot keep: test_template_json has them */
    const json_t *incident = json_object_get(params, "incident");
    json_t *values = json_pack("{s{}s{s{}}}", "case", "external", "system"), *value;
    json_t *cases = json_object_get(values, "case");
    const char *name;
    json_object_foreach((json_t *)(uintptr_t)incident, name, value)
        if (!json_is_null(value)) json_object_set(cases, name, value);
    if (!json_object_get(cases, "labels")) json_object_set(cases, "labels", json_object_get(cases, "tags"));
    if (!json_object_get(cases, "tags")) json_object_set(cases, "tags", json_object_get(cases, "labels"));
    json_object_set(cases, "comment", json_object_get(json_object_get(params, "comment"), "comment"));
    json_t *system = json_object_get(json_object_get(values, "external"), "system");
    json_object_set(system, "id", json_object_get(params, "incidentId"));
    if (!json_object_get(system, "id")) json_object_set(system, "id", json_object_get(params, "id"));
    json_decref(parsed);
    return values;
}

static char *field_outcome(const json_t *vector, const char *field, const struct casehook__schema *schema,
                           const struct casehook__value *root, struct casehook_error *error)
{
    const json_t *config = json_object_get(vector, "config");
    bool strict = json_is_true(json_object_get(config, "strict")), body = strstr(field, "Json") != NULL;
    const char *text = text_of(config, field);
    if (!text) return strdup("");
    char *whole = expand(vector, text);
    char *result =
        outcome(whole, body ? CASEHOOK__TEMPLATE_JSON : CASEHOOK__TEMPLATE_URL, schema, strict, root, error);
    free(whole);
    return result;
}

static const struct {
    const char *field, *op, *method;
    const struct casehook__schema *schema;
} fields[] = {
    {"createIncidentJson", "create", "POST", &create_schema},
    {"updateIncidentJson", "update", "PUT", &update_schema},
    {"createCommentJson", "comment", NULL, &comment_schema},
    {"getIncidentJson", "get", "POST", &id_schema},
    {"getIncidentUrl", "", NULL, &id_schema},
    {"viewIncidentUrl", "", NULL, &view_schema},
};

static const char *expected_body(const json_t *vector, const char *method)
{
    size_t i;
    json_t *exchange;
    json_array_foreach(json_object_get(vector, "exchange"), i, exchange) {
        const json_t *request = json_object_get(exchange, "request");
        const char *body = text_of(request, "body");
        if (body && (!method || strcmp(text_of(request, "method"), method) == 0)) return body;
    }
    return NULL;
}

static bool passes(const json_t *vector)
{
    const char *name = text_of(vector, "name");
    const char *op = text_of(json_object_get(vector, "call"), "op");
    const json_t *result = json_object_get(vector, "result");
    const char *step = text_of(result, "step");
    struct casehook_error error;
    json_t *values = values_of(vector);
    struct tree tree;
    if (!values) return true;
    tree_from_json(&tree, values);
    bool refused = false, good = true;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        char *got = field_outcome(vector, fields[i].field, fields[i].schema, &tree.root, &error);
        const char *body = expected_body(vector, fields[i].method);
        bool ours = strcmp(op, fields[i].op) == 0;
        refused = refused || strcmp(got, "!config") == 0;
        if (ours && body && strcmp(body, got) != 0) good = false;
        if (ours && step && strcmp(step, "params") == 0 && strcmp(got, "!params") != 0) good = false;
        if (ours && step && strcmp(step, op) == 0 && strcmp(got, "!call") != 0) good = false;
        if (!good) fprintf(stderr, "FAILED %s: %s\n  got %s %s\n", name, fields[i].field, got, error.message);
        free(got);
        if (!good) break;
    }
    if (good && refused != (step && strcmp(step, "config") == 0)) {
        fprintf(stderr, "FAILED %s: refused when made: %d %s\n", name, refused, error.message);
        good = false;
    }
    tree_free(&tree);
    json_decref(values);
    return good;
}

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : getenv("CASEHOOK_TEMPLATE_VECTORS");
    json_t *vectors = path ? json_load_file(path, JSON_ALLOW_NUL, NULL) : NULL, *vector;
    size_t i, run = 0, failed = 0;
    if (!vectors) {
        printf("SKIP: no vectors: %s cannot be read (set CASEHOOK_TEMPLATE_VECTORS)\n",
               path ? path : "no file");
        return 77;
    }
    json_array_foreach(vectors, i, vector) {
        const char *name = text_of(vector, "name");
        if (json_object_get(vector, "skip")) continue;
        if (argc > 2 && strncmp(name, argv[2], strlen(argv[2])) != 0) continue;
        run++;
        failed += !passes(vector);
    }
    json_decref(vectors);
    printf("%zu vectors, %zu failed\n", run, failed);
    return failed != 0 || run == 0;
}
