/* params_struct.c - params from the public struct; all texts are borrowed. */
#include "exchange/params.h"

#include "base/abi.h"
#include "json/jsscan.h"

#include <stdio.h>

struct struct_reader {
    struct casehook__parsed_params *params;
    const struct casehook_params *source; /* of our size */
    size_t total;                         /* bytes of text so far */
    struct casehook_error *error;
};

static int fail_item(struct struct_reader *reader, const char *list, size_t index, const char *member,
                     const char *message)
{
    char field[64];
    snprintf(field, sizeof field, "%s[%zu]%s", list, index, member);
    casehook__error_set_field(reader->error, field);
    return casehook__fail(reader->error, CASEHOOK_E_PARAMS, "%s", message);
}

static struct casehook__text take_text(struct struct_reader *reader, const char *terminated)
{
    struct casehook__text text = casehook__text(terminated);
    reader->total += text.length;
    return text;
}

static int struct_list(struct struct_reader *reader, const char *name, const char *const *texts, size_t count,
                       struct casehook__value *list)
{
    struct casehook__parsed_params *params = reader->params;
    struct casehook__value *items = casehook__params_next_value(params);
    if (!texts) return CASEHOOK_OK;
    for (size_t i = 0; i < count; i++) {
        if (!texts[i]) return fail_item(reader, name, i, "", "is NULL");
        items[i].kind = CASEHOOK__VALUE_TEXT; /* of which nothing but the text counts */
        items[i].text = take_text(reader, texts[i]);
    }
    params->value_count += count;
    *list = (struct casehook__value){.kind = CASEHOOK__VALUE_LIST, .items = items, .count = count};
    return CASEHOOK_OK;
}

/* The elements may be longer than ours: the caller says how long. */
static int struct_comments(struct struct_reader *reader)
{
    const struct casehook_params *source = reader->source;
    for (size_t i = 0; i < source->comment_count; i++) {
        const void *at = (const char *)source->comments + i * source->comment_size;
        struct casehook_comment comment;
        int status = casehook__struct_size_check(at, source->comment_size, CASEHOOK__COMMENT_FIRST_SIZE,
                                                 sizeof comment, "casehook_comment", reader->error);
        if (status) casehook__error_set_field(reader->error, "comment_size");
        if (status) return status;
        memcpy(&comment, at, sizeof comment);
        if (!comment.id) return fail_item(reader, "comments", i, ".id", "is NULL");
        if (!comment.text) return fail_item(reader, "comments", i, ".text", "is NULL");
        reader->params->comments[i] =
            (struct casehook__param_comment){take_text(reader, comment.id), take_text(reader, comment.text)};
    }
    reader->params->comment_count = source->comment_count;
    return CASEHOOK_OK;
}

static struct casehook__text fields_text(const struct casehook_params *source, bool external)
{
    if (external) return casehook__text_given(source->external_fields, source->external_fields_length);
    return casehook__text_given(source->fields, source->fields_length);
}

static const char *const field_names[] = {"fields", "external_fields"};

static int fail_object(struct casehook_error *error, const char *name, size_t offset, const char *message)
{
    casehook__error_set_field(error, name);
    return casehook__fail_at(error, CASEHOOK_E_PARAMS, offset, "%s", message);
}

/* *object: the object in the text of a member, data NULL where there is none. */
static int check_object(const char *name, struct casehook__text text, struct casehook__text *object,
                        struct casehook_error *error)
{
    size_t offset = 0;
    *object = (struct casehook__text){0};
    if (!text.data) return CASEHOOK_OK;
    if (text.length > CASEHOOK__PARAMS_MAX_BYTES) return fail_object(error, name, 0, "the text is too large");
    if (!text.length)
        return fail_object(error, name, 0, "is empty (a length of CASEHOOK_TERMINATED means up to the NUL)");
    enum casehook__js_fault fault = casehook__jsscan(text, NULL, 0, NULL, &offset);
    if (fault) return fail_object(error, name, offset, casehook__js_fault_name(fault));
    struct casehook__js_value top = casehook__js_top(text);
    if (top.kind == CASEHOOK__JS_NULL) return CASEHOOK_OK;
    if (top.kind != CASEHOOK__JS_OBJECT) return fail_object(error, name, 0, "must be a JSON object");
    *object = top.text;
    return CASEHOOK_OK;
}

static int check_counts(const struct casehook_params *source, struct casehook_error *error)
{
    const struct {
        const char *name;
        const void *items;
        size_t count, most;
    } lists[] = {{"tags", source->tags, source->tag_count, CASEHOOK__ITEMS_MAX},
                 {"labels", source->labels, source->label_count, CASEHOOK__ITEMS_MAX},
                 {"comments", source->comments, source->comment_count, CASEHOOK__COMMENTS_MAX}};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        bool missing = lists[i].count && !lists[i].items;
        if (!missing && lists[i].count <= lists[i].most) continue;
        casehook__error_set_field(error, lists[i].name);
        if (missing) return casehook__fail(error, CASEHOOK_E_ARGUMENT, "is NULL although its count is not 0");
        return casehook__fail(error, CASEHOOK_E_PARAMS, "has more than %zu items", lists[i].most);
    }
    return CASEHOOK_OK;
}

/* *object: those of the case, or of the case in the tracker; both are counted before either is read. */
static int count_struct_fields(struct struct_reader *reader, bool external, struct casehook__text *object,
                               size_t *values, size_t *names)
{
    struct casehook__text text = fields_text(reader->source, external);
    int status = check_object(field_names[external], text, object, reader->error);
    if (!status && object->data) {
        status = casehook__params_count_fields(field_names[external], *object, values, names, reader->error);
        reader->total += text.length;
    }
    return status;
}

static int read_lists(struct struct_reader *reader)
{
    const struct casehook_params *source = reader->source;
    struct casehook__parsed_params *params = reader->params;
    struct casehook__text objects[2];
    size_t values = 0, names = 0, store = 0;
    int status = check_counts(source, reader->error);
    for (int i = 0; i < 2 && !status; i++) {
        status = count_struct_fields(reader, i, &objects[i], &values, &names);
        if (!status && objects[i].data) store += casehook__params_store_need(objects[i]);
    }
    if (status) return status;
    if (casehook__params_reserve(params, values + source->tag_count + source->label_count, names,
                                 source->comment_count, store))
        return casehook__fail_memory(reader->error);
    for (int i = 0; i < 2 && !status; i++)
        if (objects[i].data)
            status = casehook__params_read_fields(params, field_names[i], fields_text(source, i), objects[i],
                                                  i, reader->error);
    if (!status) status = struct_list(reader, "tags", source->tags, source->tag_count, &params->tags);
    if (!status) status = struct_list(reader, "labels", source->labels, source->label_count, &params->labels);
    return status ? status : struct_comments(reader);
}

/* Of the lists and fields of a get nothing counts but what is known of the case in the tracker. */
static struct casehook_params only_external(const struct casehook_params *source)
{
    return (struct casehook_params){.external_fields = source->external_fields,
                                    .external_fields_length = source->external_fields_length};
}

/* Of a get it counts only where it is what has the id (D5). */
static int struct_resume(struct struct_reader *reader, const struct casehook_params *source, int operation)
{
    if (operation == CASEHOOK_GET && source->external_id) return CASEHOOK_OK;
    struct casehook__text resume = casehook__text_given(source->resume, source->resume_length);
    reader->total += resume.length;
    return check_object("resume", resume, &reader->params->resume, reader->error);
}

static int struct_all(struct struct_reader *reader, int operation)
{
    const struct casehook_params *source = reader->source;
    struct casehook_params external;
    struct casehook__parsed_params *params = reader->params;
    int status;
    params->external_id = take_text(reader, source->external_id);
    if (operation == CASEHOOK_GET) {
        external = only_external(source);
        reader->source = &external;
    } else {
        params->title = take_text(reader, source->title);
        params->description = take_text(reader, source->description);
        params->id = take_text(reader, source->id);
        params->severity = take_text(reader, source->severity);
        params->status = take_text(reader, source->status);
        params->idempotency_key = take_text(reader, source->idempotency_key);
    }
    status = struct_resume(reader, source, operation);
    if (!status) status = read_lists(reader);
    if (status) return status;
    if (reader->total > CASEHOOK__PARAMS_MAX_BYTES)
        return casehook__fail(reader->error, CASEHOOK_E_PARAMS, "the params are larger than %d bytes",
                              CASEHOOK__PARAMS_MAX_BYTES);
    return casehook__params_finish(params, operation, "external_id", reader->error);
}

int casehook__params_from_struct(struct casehook__parsed_params *params, int operation,
                                 const struct casehook_params *source, struct casehook_error *error)
{
    struct casehook_params copy;
    struct struct_reader reader = {.params = params, .source = &copy, .error = error};
    casehook__params_clear(params);
    int status = casehook__struct_read(&copy, source, CASEHOOK__PARAMS_FIRST_SIZE, sizeof copy,
                                       "casehook_params", error);
    if (!status) status = struct_all(&reader, operation);
    if (status) casehook__error_set_step(error, CASEHOOK_STEP_PARAMS);
    return status;
}
