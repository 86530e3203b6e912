/* values.c - what a document makes of variables: its memory, and in which field there is which value. */
#include "document/values.h"

struct casehook__derived_schema {
    struct casehook__derived_schema *next;
    const struct casehook__schema *base;
    struct casehook__schema schema;
};

struct casehook__values *casehook__values_new(struct casehook__heap *heap)
{
    struct casehook__values *values = casehook__calloc(heap, 1, sizeof *values);
    if (values) values->arena.heap = heap;
    return values;
}

void casehook__values_free(struct casehook__values *values)
{
    if (!values) return;
    struct casehook__heap *heap = values->arena.heap;
    casehook__arena_free(&values->arena);
    casehook__free(heap, values);
}

/* A secret is where requests are made, but not where people read; a value where one of its variables is. */
static bool is_in(const struct casehook__variable *variable, const struct casehook__schema *base)
{
    if (!variable->made_of) return base != casehook__schema_view_url();
    for (const char *const *from = variable->made_of; *from; from++)
        if (casehook__schema_find(base, casehook__text(*from))) return true;
    return !*variable->made_of; /* what it is made of has a fault, which is told already */
}

static const struct casehook__schema *derive_schema(struct casehook__values *values,
                                                    const struct casehook__schema *base)
{
    const struct casehook__schema *all = casehook__schema_all();
    size_t own = values->count + values->secret_count, count = base->count;
    struct casehook__derived_schema *derived = casehook__arena_alloc(&values->arena, sizeof *derived);
    struct casehook__variable *variables =
        casehook__arena_alloc(&values->arena, (base->count + own) * sizeof *variables);
    if (!derived || !variables) return NULL;
    memcpy(variables, base->variables, base->count * sizeof *variables);
    for (size_t i = 0; i < own; i++)
        if (base == all || is_in(&values->variables[i], base)) variables[count++] = values->variables[i];
    const struct casehook__schema *elsewhere = base == all ? all : casehook__values_schema(values, all);
    if (!elsewhere) return NULL;
    *derived = (struct casehook__derived_schema){
        .next = values->schemas,
        .base = base,
        .schema = {variables, count, elsewhere->variables, elsewhere->count}};
    values->schemas = derived;
    return &derived->schema;
}

const struct casehook__schema *casehook__values_schema(struct casehook__values *values,
                                                       const struct casehook__schema *base)
{
    if (!values) return base;
    for (struct casehook__derived_schema *derived = values->schemas; derived; derived = derived->next)
        if (derived->base == base) return &derived->schema;
    return derive_schema(values, base);
}
