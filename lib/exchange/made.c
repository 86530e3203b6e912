/* made.c - the values of one operation: made when a template comes to them. */
#include "exchange/made.h"

struct slot_of_value {
    struct casehook__value value;
    bool known;
};

struct casehook__made {
    struct casehook__value_source source; /* the first member: what templates know of it */
    struct casehook__heap *heap;
    const struct casehook__config *config;
    const struct casehook__value *root; /* of the rendering */
    /* What is made of the case alone; of what changes from request to request; of answers. */
    struct casehook__arena lasting, passing, fields;
    struct slot_of_value *slots;
    struct casehook__value *values; /* MADE, one for each name */
    struct casehook__value found;   /* OBJECT: external.fields */
    bool fields_known;
    size_t fields_version; /* of the result, at which they were listed */
    size_t work;
    bool failed;
};

static size_t size_of_value(const struct casehook__value *value)
{
    size_t size = value->text.length + 1;
    for (size_t i = 0; value->kind == CASEHOOK__VALUE_LIST && i < value->count; i++)
        size += value->items[i].text.length + 1;
    return size;
}

static int make_when_asked(struct casehook__value_source *source, size_t index,
                           const struct casehook__value **value, struct casehook_error *error)
{
    struct casehook__made *made = (struct casehook__made *)source;
    const struct casehook__values *values = made->config->values;
    const struct casehook__value_rule *rule = &values->rules[index];
    struct slot_of_value *slot = &made->slots[index];
    *value = &slot->value;
    if (slot->known) return CASEHOOK_OK;
    int status = casehook__value_compute(rule, values->names[index].data, made->root,
                                         rule->lasting ? &made->lasting : &made->passing, &slot->value,
                                         &made->work, error);
    slot->known = !status;
    if (status)
        made->failed = true;
    else
        made->work += size_of_value(&slot->value);
    return status;
}

struct casehook__made *casehook__made_new(struct casehook__heap *heap, const struct casehook__config *config)
{
    size_t count = config->values ? config->values->count : 0;
    struct casehook__made *made =
        casehook__calloc(heap, 1, sizeof *made + count * (sizeof *made->slots + sizeof *made->values));
    if (!made) return NULL;
    made->source.make = make_when_asked;
    made->heap = made->lasting.heap = made->passing.heap = made->fields.heap = heap;
    made->config = config;
    made->slots = (struct slot_of_value *)(made + 1);
    made->values = (struct casehook__value *)(made->slots + count);
    made->found.kind = CASEHOOK__VALUE_OBJECT;
    for (size_t i = 0; i < count; i++) {
        made->values[i].kind = CASEHOOK__VALUE_MADE;
        made->values[i].source = &made->source;
        made->values[i].count = i;
    }
    return made;
}

void casehook__made_free(struct casehook__made *made)
{
    if (!made) return;
    casehook__arena_free(&made->lasting);
    casehook__arena_free(&made->passing);
    casehook__arena_free(&made->fields);
    casehook__free(made->heap, made);
}

/* Those that changing things are made of, or all. */
static void forget_slots(struct casehook__made *made, bool all)
{
    const struct casehook__values *values = made->config->values;
    for (size_t i = 0; values && i < values->count; i++)
        if (all || !values->rules[i].lasting) made->slots[i].known = false;
    casehook__arena_clear(&made->passing);
    if (all) casehook__arena_clear(&made->lasting);
}

void casehook__made_forget(struct casehook__made *made)
{
    if (!made) return;
    forget_slots(made, true);
    casehook__arena_clear(&made->fields);
    made->fields_known = made->failed = false;
    made->work = 0;
}

/* ---- external.fields --------------------------------------------------------------------------- */

static int add_found(struct casehook__made *made, const struct casehook__kept_field *field,
                     struct casehook__text *name, struct casehook__value *value)
{
    *name = casehook__text(field->name);
    if (!field->is_string)
        return casehook__value_of_json(&made->fields, (struct casehook__text){field->text, field->length},
                                       value);
    *value = (struct casehook__value){.kind = CASEHOOK__VALUE_TEXT, .text = {field->text, field->length}};
    return CASEHOOK_OK;
}

static void put_object(struct casehook__value *value, const struct casehook__text *names,
                       const struct casehook__value *items, size_t count)
{
    value->kind = CASEHOOK__VALUE_OBJECT;
    value->names = names;
    value->items = items;
    value->count = count;
}

/* What the operation found stands before what it was given: the first of a name counts. */
static int list_fields(struct casehook__made *made, const struct casehook__parsed_params *params,
                       const struct casehook_result *result)
{
    const struct casehook__value *given = &params->external_fields;
    size_t count = result->field_count + given->count;
    int status = CASEHOOK_OK;
    if (made->fields_known && made->fields_version == result->field_version) return CASEHOOK_OK;
    casehook__arena_clear(&made->fields);
    struct casehook__text *names = casehook__arena_alloc(&made->fields, count * sizeof *names);
    struct casehook__value *items = casehook__arena_alloc(&made->fields, count * sizeof *items);
    made->fields_known = false;
    made->found.count = 0;
    if (!names || !items) return CASEHOOK_E_NO_MEMORY;
    for (size_t i = 0; i < result->field_count && !status; i++)
        status = add_found(made, &result->fields[i], &names[i], &items[i]);
    if (status) return status;
    if (given->count) {
        memcpy(names + result->field_count, given->names, given->count * sizeof *names);
        memcpy(items + result->field_count, given->items, given->count * sizeof *items);
    }
    put_object(&made->found, names, items, count);
    made->fields_known = true;
    made->fields_version = result->field_version;
    return CASEHOOK_OK;
}

/* ---- renderings -------------------------------------------------------------------------------- */

int casehook__made_begin(struct casehook__made *made, const struct casehook__parsed_params *params,
                         const struct casehook_result *result, bool masked, struct casehook__param_tree *tree)
{
    const struct casehook__values *values = made->config->values;
    int status = made->config->uses_fields ? list_fields(made, params, result) : CASEHOOK_OK;
    made->root = &tree->root;
    made->failed = false;
    forget_slots(made, false);
    tree->external[1] = made->found;
    if (!values) return status;
    put_object(&tree->top[2], values->names, made->values, values->count);
    put_object(&tree->top[3], values->secret_names, masked ? values->masked : values->secrets,
               values->secret_count);
    tree->root.count = 4;
    return status;
}

size_t casehook__made_work(struct casehook__made *made)
{
    size_t work = made ? made->work : 0;
    if (made) made->work = 0;
    return work;
}

bool casehook__made_failed(const struct casehook__made *made)
{
    return made && made->failed;
}
