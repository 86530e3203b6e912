/* template.c - making, asking and freeing a compiled template. */
#include "template/template_private.h"

#include <assert.h>

/* A template that is being compiled; text is borrowed until it is kept. */
static void begin_draft(struct casehook__parser *parser, struct casehook__template *draft,
                        struct casehook__heap *heap, struct casehook__text text,
                        enum casehook__template_kind kind)
{
    parser->tmpl = draft;
    draft->heap = heap;
    draft->kind = (uint8_t)kind;
    draft->variables = parser->schema ? parser->schema->variables : NULL;
    draft->text = text.data;
    draft->length = (uint32_t)text.length;
    draft->tested = parser->tested;
}

/* The draft in a block of its size.  NULL: no memory. */
static struct casehook__template *keep_draft(const struct casehook__template *draft)
{
    size_t tested = draft->tested_count * sizeof *draft->tested, ops = draft->op_count * sizeof *draft->ops;
    struct casehook__template *tmpl =
        casehook__alloc(draft->heap, sizeof *tmpl + tested + ops + draft->length + 1);
    if (!tmpl) return NULL;
    *tmpl = *draft;
    tmpl->tested = (struct casehook__tested *)(tmpl + 1);
    tmpl->ops = (struct casehook__op *)(tmpl->tested + tmpl->tested_count);
    char *text = (char *)(tmpl->ops + tmpl->op_count);
    tmpl->text = text;
    if (tested) memcpy(tmpl->tested, draft->tested, tested);
    if (ops) memcpy(tmpl->ops, draft->ops, ops);
    casehook__text_copy(text, (struct casehook__text){draft->text, draft->length});
    return tmpl;
}

int casehook__template_new_behind(struct casehook__heap *heap, struct casehook__text text, size_t from,
                                  enum casehook__template_kind kind, const struct casehook__schema *schema,
                                  bool strict, struct casehook__template **out, struct casehook_error *error)
{
    *out = NULL;
    assert(schema || kind == CASEHOOK__TEMPLATE_RAW);
    assert(!schema || schema->count <= UINT16_MAX);
    if (text.length > CASEHOOK__TEMPLATE_MAX_BYTES)
        return casehook__fail(error, CASEHOOK_E_CONFIG, "the template has %zu bytes, at most %d are read",
                              text.length, CASEHOOK__TEMPLATE_MAX_BYTES);
    struct casehook__template draft = {0};
    struct casehook__parser parser = {
        .schema = schema, .strict_from = strict ? 0 : SIZE_MAX, .error = error, .at = from};
    int status = CASEHOOK_OK;
    begin_draft(&parser, &draft, heap, text, kind);
    if (kind == CASEHOOK__TEMPLATE_JSON) status = casehook__hash_key_init(&draft.hash_key);
    if (status == CASEHOOK_E_SYSTEM) casehook__fail(error, status, "OpenSSL has no random numbers");
    if (!status) status = casehook__parse(&parser);
    if (!status && !(*out = keep_draft(&draft))) status = casehook__fail_memory(error);
    casehook__free(heap, draft.ops);
    return status;
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
    struct casehook__template draft = {0};
    struct casehook__parser parser = {.schema = schema, .strict_from = from, .error = error};
    if (text.length > CASEHOOK__TEMPLATE_MAX_BYTES) return false;
    begin_draft(&parser, &draft, heap, text, CASEHOOK__TEMPLATE_RAW);
    casehook__parse(&parser);
    casehook__free(heap, draft.ops);
    return parser.name_refused;
}

void casehook__template_free(struct casehook__template *tmpl)
{
    if (!tmpl) return;
    casehook__wipe((char *)(uintptr_t)tmpl->text, tmpl->length); /* the path of a URL may be secret */
    casehook__free(tmpl->heap, tmpl);
}

static bool is_made_of(const struct casehook__variable *variable, struct casehook__text name)
{
    for (const char *const *from = variable->made_of; from && *from; from++)
        if (casehook__text_is(name, *from)) return true;
    return false;
}

/*
 * Whether name is what op asks for: the `*` of a variable stands for the name of op, a value for what it is
 * made of.
 */
static bool is_named(const struct casehook__template *tmpl, const struct casehook__op *op,
                     struct casehook__text name)
{
    struct casehook__text own = casehook__template_name(tmpl, op->name, op->length);
    if (op->base == CASEHOOK__BASE_STACK) return casehook__text_equal(own, name);
    if (op->base != CASEHOOK__BASE_PATH) return false;
    struct casehook__text variable = casehook__text(tmpl->variables[op->variable].name);
    if (is_made_of(&tmpl->variables[op->variable], name)) return true;
    if (op->length == 0) return casehook__text_equal(variable, name);
    size_t before = variable.length - 1;
    return name.length > before && memcmp(name.data, variable.data, before) == 0 &&
           casehook__text_equal(casehook__text_from(name, before), own);
}

bool casehook__template_uses(const struct casehook__template *tmpl, const char *name)
{
    for (size_t i = 0; i < tmpl->op_count; i++)
        if (is_named(tmpl, &tmpl->ops[i], casehook__text(name))) return true;
    return false;
}

/* "case" of "case.id". */
static bool is_below(struct casehook__text name, const char *first)
{
    size_t length = strlen(first);
    return name.length > length && memcmp(name.data, first, length) == 0 && name.data[length] == '.';
}

/* Whether the variable itself, or what it is made of, is below first. */
static bool is_of(const struct casehook__variable *variable, const char *first)
{
    bool below = is_below(casehook__text(variable->name), first);
    for (const char *const *from = variable->made_of; from && *from && !below; from++)
        below = is_below(casehook__text(*from), first);
    return below;
}

bool casehook__template_uses_any(const struct casehook__template *tmpl, const char *first)
{
    for (size_t i = 0; i < tmpl->op_count; i++)
        if (tmpl->ops[i].base == CASEHOOK__BASE_PATH && is_of(&tmpl->variables[tmpl->ops[i].variable], first))
            return true;
    return false;
}

/* Whether a section around the operation asks for the same variable. */
static bool is_asked_for(const struct casehook__template *tmpl, size_t index)
{
    const struct casehook__op *op = &tmpl->ops[index];
    struct casehook__text name = casehook__template_name(tmpl, op->name, op->length);
    for (size_t i = 0; i < index; i++) {
        const struct casehook__op *section = &tmpl->ops[i];
        bool around = (section->code == CASEHOOK__OP_TEST || section->code == CASEHOOK__OP_OPEN) &&
                      !section->negated && section->target > index && section->base == CASEHOOK__BASE_PATH;
        if (around && section->variable == op->variable &&
            casehook__text_equal(casehook__template_name(tmpl, section->name, section->length), name))
            return true;
        const struct casehook__variable *asked = around ? &tmpl->variables[section->variable] : NULL;
        if (asked && (is_made_of(asked, casehook__text(tmpl->variables[op->variable].name)) ||
                      is_made_of(&tmpl->variables[op->variable], casehook__text(asked->name))))
            return true;
    }
    return false;
}

bool casehook__template_is_bare(const struct casehook__template *tmpl, const char *name, size_t *at)
{
    for (size_t i = 0; i < tmpl->op_count; i++) {
        const struct casehook__op *op = &tmpl->ops[i];
        if (op->code != CASEHOOK__OP_VALUE || op->base != CASEHOOK__BASE_PATH) continue;
        const struct casehook__variable *variable = &tmpl->variables[op->variable];
        if (strcmp(variable->name, name) != 0 && !is_made_of(variable, casehook__text(name))) continue;
        *at = op->at;
        if (!is_asked_for(tmpl, i)) return true;
    }
    return false;
}
