/* params.c - what one call is given: its memory, what each operation requires, the tree for templates. */
#include "exchange/params.h"

#include "document/call_kinds.h"

static const struct casehook__value empty_list = {.kind = CASEHOOK__VALUE_LIST};
static const struct casehook__value empty_object = {.kind = CASEHOOK__VALUE_OBJECT};

void casehook__params_init(struct casehook__parsed_params *params, struct casehook__heap *heap)
{
    *params = (struct casehook__parsed_params){.heap = heap};
    casehook__buf_init(&params->store, heap, 3 * (size_t)CASEHOOK__PARAMS_MAX_BYTES + 1024);
    casehook__params_clear(params);
}

void casehook__params_clear(struct casehook__parsed_params *params)
{
    static const struct casehook__text absent = {0};
    params->title = params->description = params->id = params->severity = params->status = absent;
    params->external_id = params->idempotency_key = params->resume = absent;
    params->tags = params->labels = (struct casehook__value){.kind = CASEHOOK__VALUE_ABSENT};
    params->fields = params->external_fields = empty_object;
    params->comment_count = params->value_count = params->name_count = 0;
    casehook__buf_clear(&params->store);
}

void casehook__params_free(struct casehook__parsed_params *params)
{
    casehook__buf_free(&params->store);
    casehook__free(params->heap, params->values);
    casehook__free(params->heap, params->names);
    casehook__free(params->heap, params->comments);
    casehook__params_init(params, params->heap);
}

/* Room for count elements; what was there is lost.  A little more than asked, so that calls settle. */
static int reserve_bytes(struct casehook__heap *heap, void **items, size_t *capacity, size_t count,
                         size_t size)
{
    if (count <= *capacity) return CASEHOOK_OK;
    count += count / 2 + 4;
    void *fresh = casehook__calloc(heap, count, size);
    if (!fresh) return CASEHOOK_E_NO_MEMORY;
    casehook__free(heap, *items);
    *items = fresh;
    *capacity = count;
    return CASEHOOK_OK;
}

int casehook__params_reserve(struct casehook__parsed_params *params, size_t values, size_t names,
                             size_t comments, size_t store)
{
    void *pointers[] = {params->values, params->names, params->comments};
    int status =
        reserve_bytes(params->heap, &pointers[0], &params->value_capacity, values, sizeof *params->values);
    params->values = pointers[0];
    if (!status)
        status =
            reserve_bytes(params->heap, &pointers[1], &params->name_capacity, names, sizeof *params->names);
    params->names = pointers[1];
    if (!status)
        status = reserve_bytes(params->heap, &pointers[2], &params->comment_capacity, comments,
                               sizeof *params->comments);
    params->comments = pointers[2];
    if (!status && store) status = casehook__buf_reserve(&params->store, store);
    return status;
}

const char *casehook__id_fault(struct casehook__text id)
{
    if (id.length == 0) return "is empty";
    if (casehook__text_is(id, ".") || casehook__text_is(id, ".."))
        return "is \".\" or \"..\", which would be another place in a URL";
    if (id.length > CASEHOOK__ID_MAX_BYTES) return "is longer than 1024 bytes";
    return NULL;
}

static int fail_params(struct casehook_error *error, const char *field, const char *message)
{
    casehook__error_set_field(error, field);
    return casehook__fail(error, CASEHOOK_E_PARAMS, "%s", message);
}

static int check_external_id(const struct casehook__parsed_params *params, bool required, const char *name,
                             struct casehook_error *error)
{
    if (!params->external_id.data)
        return required ? fail_params(error, name,
                                      "is missing: the operation needs the id of a case in the tracker")
                        : CASEHOOK_OK;
    const char *fault = casehook__id_fault(params->external_id);
    return fault ? fail_params(error, name, fault) : CASEHOOK_OK;
}

static int check_idempotency_key(const struct casehook__parsed_params *params, const char *name,
                                 struct casehook_error *error)
{
    struct casehook__text key = params->idempotency_key;
    if (!key.data) return CASEHOOK_OK;
    if (key.length == 0)
        return fail_params(error, name, "is empty: leave it out, or give 1 to 255 characters");
    if (key.length > CASEHOOK__KEY_MAX_BYTES)
        return fail_params(error, name, "is longer than 255 characters");
    for (size_t i = 0; i < key.length; i++)
        if (key.data[i] < '!' || key.data[i] > '~')
            return fail_params(error, name, "may hold printable ASCII characters only, and no space");
    return CASEHOOK_OK;
}

static int check_comment(const struct casehook__parsed_params *params, struct casehook_error *error)
{
    if (params->comment_count != 1)
        return fail_params(error, "comments", "must hold exactly one comment: this operation sends one");
    if (params->comments[0].text.length == 0)
        return fail_params(error, "comments[0]", "is empty: a comment needs a text");
    return CASEHOOK_OK;
}

int casehook__params_finish(struct casehook__parsed_params *params, int operation,
                            const char *external_id_name, struct casehook_error *error)
{
    bool has_tags = params->tags.kind == CASEHOOK__VALUE_LIST;
    bool has_labels = params->labels.kind == CASEHOOK__VALUE_LIST;
    if (!has_tags) params->tags = has_labels ? params->labels : empty_list;
    if (!has_labels) params->labels = has_tags ? params->tags : empty_list;

    bool on_a_case =
        operation == CASEHOOK_GET || operation == CASEHOOK_UPDATE || operation == CASEHOOK_COMMENT;
    bool of_a_case =
        operation == CASEHOOK_CREATE || operation == CASEHOOK_UPDATE || operation == CASEHOOK_PUSH;
    if (!on_a_case && !of_a_case)
        return casehook__fail(error, CASEHOOK_E_ARGUMENT, "there is no operation %d", operation);
    bool resumed = params->resume.data != NULL; /* which has the id */
    bool of_json = strcmp(external_id_name, "externalId") == 0;
    int status = check_external_id(params, on_a_case && !resumed, external_id_name, error);
    if (!status)
        status = check_idempotency_key(params, of_json ? "idempotencyKey" : "idempotency_key", error);
    if (status) return status;
    if (of_a_case && !params->title.data)
        return fail_params(error, "title", "is missing: a case needs a title");
    return operation == CASEHOOK_COMMENT ? check_comment(params, error) : CASEHOOK_OK;
}

/* Whole values are filled in where they lie: this is done for each rendering. */
static void put_text(struct casehook__value *value, struct casehook__text text)
{
    value->kind = CASEHOOK__VALUE_TEXT;
    value->text.data = text.data ? text.data : "";
    value->text.length = text.data ? text.length : 0;
}

static void put_text_or_absent(struct casehook__value *value, struct casehook__text text)
{
    value->kind = CASEHOOK__VALUE_ABSENT;
    if (text.data) put_text(value, text);
}

static struct casehook__value object_value(const struct casehook__text *names,
                                           const struct casehook__value *values, size_t count)
{
    return (struct casehook__value){
        .kind = CASEHOOK__VALUE_OBJECT, .names = names, .items = values, .count = count};
}

static struct casehook__value list(struct casehook__value value)
{
    return value.kind == CASEHOOK__VALUE_LIST ? value : empty_list;
}

#define NAME(place, literal) [CASEHOOK__##place - 1] = {literal, sizeof(literal) - 1}

void casehook__params_tree(const struct casehook__parsed_params *params,
                           const struct casehook__request_values *values, struct casehook__param_tree *tree)
{
    static const struct casehook__text top[] = {NAME(PLACE_CASE, "case"), NAME(PLACE_EXTERNAL, "external"),
                                                NAME(PLACE_VALUE, "value"), NAME(PLACE_SECRET, "secret")};
    static const struct casehook__text cases[] = {
        NAME(CASE_TITLE, "title"),     NAME(CASE_DESCRIPTION, "description"),
        NAME(CASE_ID, "id"),           NAME(CASE_SEVERITY, "severity"),
        NAME(CASE_STATUS, "status"),   NAME(CASE_TAGS, "tags"),
        NAME(CASE_LABELS, "labels"),   NAME(CASE_FIELDS, "fields"),
        NAME(CASE_COMMENT, "comment"), NAME(CASE_IDEMPOTENCY_KEY, "idempotencyKey"),
    };
    static const struct casehook__text external[] = {NAME(EXTERNAL_SYSTEM, "system"),
                                                     NAME(EXTERNAL_FIELDS, "fields")};
    static const struct casehook__text system_names[] = {NAME(SYSTEM_ID, "id"), NAME(SYSTEM_TITLE, "title"),
                                                         NAME(SYSTEM_ID_IN_CAPITALS, "ID")};
    struct casehook__value *value = tree->cases; /* in the order of their names */
    put_text(value++, params->title);
    put_text(value++, params->description);
    put_text(value++, params->id);
    put_text(value++, params->severity);
    put_text(value++, params->status);
    *value++ = list(params->tags);
    *value++ = list(params->labels);
    *value++ = params->fields;
    put_text_or_absent(value++, values->comment);
    put_text_or_absent(value++, values->idempotency_key);
    put_text_or_absent(&tree->system[0], values->external_id);
    put_text_or_absent(&tree->system[1], values->external_title);
    put_text_or_absent(&tree->system[2], values->external_id); /* C5: both spellings */
    tree->external[0] = object_value(system_names, tree->system, 3);
    tree->external[1].kind = CASEHOOK__VALUE_ABSENT;
    tree->top[0] = object_value(cases, tree->cases, (size_t)(value - tree->cases));
    tree->top[1] = object_value(external, tree->external, 2);
    tree->root = object_value(top, tree->top, 2);
}
