/* template.c - making, asking and freeing a compiled template. */
#include "template/template_private.h"

#include <assert.h>

static void *shrink_ops(struct casehook__heap *heap, void *block, size_t size)
{
    void *smaller = size && block ? casehook__realloc(heap, block, size) : NULL;
    return smaller ? smaller : block;
}

int casehook__template_new_behind(struct casehook__heap *heap, struct casehook__text text, size_t from,
                                  enum casehook__template_kind kind, const struct casehook__schema *schema,
                                  bool strict, struct casehook__template **out, struct casehook_error *error)
{
    *out = NULL;
    assert(schema || kind == CASEHOOK__TEMPLATE_RAW);
    if (text.length > CASEHOOK__TEMPLATE_MAX_BYTES)
        return casehook__fail(error, CASEHOOK_E_CONFIG, "the template has %zu bytes, at most %d are read",
                              text.length, CASEHOOK__TEMPLATE_MAX_BYTES);
    struct casehook__template *tmpl =
        casehook__calloc(heap, 1, sizeof *tmpl + CASEHOOK__TESTED_MAX * sizeof *tmpl->tested);
    if (!tmpl) return casehook__fail_memory(error);
    tmpl->heap = heap;
    tmpl->kind = kind;
    tmpl->length = text.length;
    tmpl->text = casehook__copy(heap, text.data, text.length);

    struct casehook__parser parser = {
        .tmpl = tmpl, .schema = schema, .strict_from = strict ? 0 : SIZE_MAX, .error = error, .at = from};
    int status = tmpl->text ? CASEHOOK_OK : casehook__fail_memory(error);
    if (!status && kind == CASEHOOK__TEMPLATE_JSON) status = casehook__hash_key_init(&tmpl->hash_key);
    if (status == CASEHOOK_E_SYSTEM) casehook__fail(error, status, "OpenSSL has no random numbers");
    if (!status) status = casehook__parse(&parser);
    if (status) {
        casehook__template_free(tmpl);
        return status;
    }
    tmpl->ops = shrink_ops(heap, tmpl->ops, tmpl->op_count * sizeof *tmpl->ops);
    tmpl->parts = shrink_ops(heap, tmpl->parts, tmpl->part_count * sizeof *tmpl->parts);
    *out = shrink_ops(heap, tmpl, sizeof *tmpl + tmpl->tested_count * sizeof *tmpl->tested);
    return CASEHOOK_OK;
}

int casehook__template_new(struct casehook__heap *heap, struct casehook__text text,
                           enum casehook__template_kind kind, const struct casehook__schema *schema,
                           bool strict, struct casehook__template **out, struct casehook_error *error)
{
    return casehook__template_new_behind(heap, text, 0, kind, schema, strict, out, error);
}

bool casehook__template_unknown_name(struct casehook__heap *heap, struct casehook__text text,
                                     const struct casehook__schema *schema, size_t from,
                                     struct casehook_error *error)
{
    struct casehook__template tmpl = {.heap = heap, .kind = CASEHOOK__TEMPLATE_RAW, .length = text.length};
    struct casehook__parser parser = {.tmpl = &tmpl, .schema = schema, .strict_from = from, .error = error};
    if (text.length > CASEHOOK__TEMPLATE_MAX_BYTES) return false;
    tmpl.text = (char *)(uintptr_t)text.data; /* only looked at */
    casehook__parse(&parser);
    casehook__free(heap, tmpl.parts);
    casehook__free(heap, tmpl.ops);
    return parser.name_refused;
}

void casehook__template_free(struct casehook__template *tmpl)
{
    if (!tmpl) return;
    casehook__free(tmpl->heap, tmpl->parts);
    casehook__free(tmpl->heap, tmpl->ops);
    casehook__free_secret(tmpl->heap, tmpl->text, tmpl->length); /* the path of a URL may be secret */
    casehook__free(tmpl->heap, tmpl);
}

/* Whether the parts of op, joined by dots, are name. */
static bool is_named(const struct casehook__template *tmpl, const struct casehook__op *op,
                     struct casehook__text name)
{
    for (size_t i = 0; i < op->part_count; i++) {
        struct casehook__text part = tmpl->parts[op->part + i];
        if (i > 0) {
            if (name.length == 0 || name.data[0] != '.') return false;
            name.data++;
            name.length--;
        }
        if (name.length < part.length || memcmp(name.data, part.data, part.length) != 0) return false;
        name.data += part.length;
        name.length -= part.length;
    }
    return name.length == 0;
}

bool casehook__template_uses(const struct casehook__template *tmpl, const char *name)
{
    for (size_t i = 0; i < tmpl->op_count; i++)
        if (tmpl->ops[i].part_count && is_named(tmpl, &tmpl->ops[i], casehook__text(name))) return true;
    return false;
}
