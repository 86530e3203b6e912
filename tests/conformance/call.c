/* call.c - params of the vectors as JSON for the library, and as a struct where one can carry them. */
#include "call.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>

static int operation_of(const char *op)
{
    static const char *const names[] = {"", "create", "get", "update", "comment", "push"};
    for (int i = CASEHOOK_CREATE; op && i <= CASEHOOK_PUSH; i++) {
        if (strcmp(op, names[i]) == 0) return i;
    }
    return 0;
}

/*
 * The library has one shape for all operations: get {id} and the incidentId of update and comment are
 * its externalId, the comment of comment is a list of one.
 */
static json_t *library_params(int operation, json_t *params)
{
    json_t *incident = json_object_get(params, "incident");
    json_t *id = json_object_get(params, operation == CASEHOOK_GET ? "id" : "incidentId");
    if (operation == CASEHOOK_CREATE || operation == CASEHOOK_PUSH) return json_incref(params);
    incident = json_is_object(incident) ? json_copy(incident)
               : incident               ? json_incref(incident)
                                        : json_object();
    if (id && json_is_object(incident)) json_object_set(incident, "externalId", id);
    json_t *shaped = json_pack("{s:o}", "incident", incident);
    json_t *comment = json_object_get(params, "comment");
    if (comment) json_object_set_new(shaped, "comments", json_pack("[O]", comment));
    return shaped;
}

/* ---- the struct ------------------------------------------------------------------------------- */

static int plain_text(const json_t *value)
{
    return json_is_string(value) && strlen(json_string_value(value)) == json_string_length(value);
}

/* null is absent; 0 when the value is neither absent nor text without NUL. */
static int take_text(const json_t *value, const char **field)
{
    *field = NULL;
    if (!value || json_is_null(value)) return 1;
    *field = json_string_value(value);
    return plain_text(value);
}

static int take_list(const json_t *value, const char ***list, size_t *count)
{
    if (!value || json_is_null(value)) return 1;
    if (!json_is_array(value)) return 0;
    *count = json_array_size(value);
    *list = must_alloc((*count + 1) * sizeof **list);
    for (size_t i = 0; i < *count; i++) {
        if (!plain_text(json_array_get(value, i))) return 0;
        (*list)[i] = json_string_value(json_array_get(value, i));
    }
    return 1;
}

static int take_fields(struct call *call, const json_t *value)
{
    if (!value || json_is_null(value)) return 1;
    call->fields = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    call->params.fields = call->fields;
    call->params.fields_length = CASEHOOK_TERMINATED;
    return call->fields != NULL;
}

static int take_member(struct call *call, const char *name, const json_t *value)
{
    struct casehook_params *p = &call->params;
    if (strcmp(name, "title") == 0) return take_text(value, &p->title);
    if (strcmp(name, "description") == 0) return take_text(value, &p->description);
    if (strcmp(name, "id") == 0) return take_text(value, &p->id);
    if (strcmp(name, "severity") == 0) return take_text(value, &p->severity);
    if (strcmp(name, "status") == 0) return take_text(value, &p->status);
    if (strcmp(name, "externalId") == 0) return take_text(value, &p->external_id);
    if (strcmp(name, "tags") == 0) return take_list(value, &call->tags, &p->tag_count);
    if (strcmp(name, "labels") == 0) return take_list(value, &call->labels, &p->label_count);
    if (strcmp(name, "fields") == 0) return take_fields(call, value);
    return 0;
}

static int take_comments(struct call *call, json_t *list)
{
    if (!list || json_is_null(list)) return 1;
    if (!json_is_array(list)) return 0;
    size_t count = json_array_size(list);
    call->comments = must_alloc((count + 1) * sizeof *call->comments);
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(list, i);
        const json_t *id = json_object_get(item, "commentId"), *text = json_object_get(item, "comment");
        if (json_object_size(item) != 2 || !plain_text(id) || !plain_text(text)) return 0;
        call->comments[i] = (struct casehook_comment){json_string_value(id), json_string_value(text)};
    }
    call->params.comments = call->comments;
    call->params.comment_count = count;
    call->params.comment_size = sizeof *call->comments;
    return 1;
}

/* 1 when everything that is in the JSON form is in the struct. */
static int take_struct(struct call *call, json_t *shaped)
{
    const char *name;
    json_t *value, *incident = json_object_get(shaped, "incident");
    json_object_foreach(shaped, name, value) {
        if (strcmp(name, "incident") != 0 && strcmp(name, "comments") != 0) return 0;
    }
    if (incident && !json_is_object(incident)) return 0;
    json_object_foreach(incident, name, value) {
        if (!take_member(call, name, value)) return 0;
    }
    call->params.tags = call->tags;
    call->params.labels = call->labels;
    return take_comments(call, json_object_get(shaped, "comments"));
}

/* ---- both ------------------------------------------------------------------------------------- */

static int names_case(const json_t *params)
{
    const json_t *incident = json_object_get(params, "incident");
    const json_t *id = json_object_get(incident ? incident : params, "externalId");
    return id && !json_is_null(id);
}

static void open_text(struct call *call, const json_t *text)
{
    call->json_length = json_string_length(text);
    call->json = must_copy(json_string_value(text), call->json_length);
    json_t *params =
        json_loadb(call->json, call->json_length, JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, NULL);
    call->names_case = names_case(params);
    json_decref(params);
}

int call_open(struct call *call, const json_t *vector_call)
{
    memset(call, 0, sizeof *call);
    call->params.struct_size = sizeof call->params;
    call->operation = operation_of(json_string_value(json_object_get(vector_call, "op")));
    const json_t *text = json_object_get(vector_call, "params_text");
    if (!call->operation) return -1;
    if (text) {
        open_text(call, text);
        return 0;
    }
    json_t *shaped = library_params(call->operation, json_object_get(vector_call, "params"));
    call->json = json_dumps(shaped, JSON_COMPACT | JSON_ENCODE_ANY);
    call->json_length = call->json ? strlen(call->json) : 0;
    call->has_struct = json_is_object(shaped) && take_struct(call, shaped);
    call->names_case = names_case(shaped);
    json_decref(shaped); /* its texts are those of vector_call */
    return call->json ? 0 : -1;
}

void call_close(struct call *call)
{
    free(call->json);
    free(call->fields);
    free((void *)call->tags);
    free((void *)call->labels);
    free(call->comments);
    memset(call, 0, sizeof *call);
}
