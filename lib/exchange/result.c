/* result.c - what became of an operation: its life. */
#include "exchange/result.h"

#include "base/clock.h"

static int copy_comments(struct casehook_result *result, const struct casehook__parsed_params *params)
{
    size_t bytes = 0;
    for (size_t i = 0; i < params->comment_count; i++) bytes += params->comments[i].id.length + 1;
    if (params->comment_count == 0) return CASEHOOK_OK;
    result->comments = casehook__calloc(result->heap, params->comment_count, sizeof *result->comments);
    result->comment_store = casehook__alloc(result->heap, bytes);
    if (!result->comments || !result->comment_store) return CASEHOOK_E_NO_MEMORY;
    char *at = result->comment_store;
    for (size_t i = 0; i < params->comment_count; i++) {
        struct casehook__text id = params->comments[i].id;
        if (id.length) memcpy(at, id.data, id.length);
        at[id.length] = '\0';
        result->comments[i].id = (struct casehook__text){at, id.length};
        at += id.length + 1;
    }
    result->comment_count = params->comment_count;
    return CASEHOOK_OK;
}

struct casehook_result *casehook__result_fault(struct casehook__heap *heap)
{
    struct casehook_result *result = casehook__alloc(heap, sizeof *result);
    if (!result) return NULL;
    memset(result, 0, offsetof(struct casehook_result, pushed_date));
    result->pushed_date[0] = '\0';
    result->heap = casehook__heap_ref(heap);
    casehook__error_init(&result->error);
    result->begun = casehook__clock_ms();
    return result;
}

struct casehook_result *casehook__result_new(struct casehook__heap *heap,
                                             const struct casehook__parsed_params *params)
{
    struct casehook_result *result = casehook__result_fault(heap);
    if (result && (copy_comments(result, params) != CASEHOOK_OK || !casehook__result_reserve_id(result))) {
        casehook_result_free(result);
        result = NULL;
    }
    return result;
}

bool casehook__result_reserve_id(struct casehook_result *result)
{
    if (result->id_has_room) return true;
    char *id = casehook__realloc(result->heap, result->id, CASEHOOK__ID_MAX_BYTES + 1);
    if (id) result->id = id;
    result->id_has_room = id != NULL;
    return result->id_has_room;
}

void casehook__result_release_id(struct casehook_result *result)
{
    char *id = result->id_length ? casehook__realloc(result->heap, result->id, result->id_length + 1) : NULL;
    if (!result->id_length) casehook__free(result->heap, result->id);
    if (id || !result->id_length) result->id = id;
    result->id_has_room = false;
}

void casehook__result_set_id(struct casehook_result *result, struct casehook__text id)
{
    casehook__text_copy(result->id, id);
    result->id_length = id.length;
}

struct casehook__request_record *casehook__result_record(struct casehook_result *result)
{
    if (result->request_count == result->request_capacity) {
        size_t capacity = result->request_capacity ? result->request_capacity * 2 : 2;
        void *requests =
            casehook__realloc(result->heap, result->requests, capacity * sizeof *result->requests);
        if (!requests) return NULL;
        result->requests = requests;
        result->request_capacity = capacity;
    }
    struct casehook__request_record *record = &result->requests[result->request_count++];
    *record = (struct casehook__request_record){
        .outcome = CASEHOOK_OUTCOME_NOT_SENT, .started_ms = -1, .duration_ms = -1, .attempt = 1};
    return record;
}

void casehook__result_field_free(struct casehook__heap *heap, struct casehook__kept_field *field)
{
    casehook__free(heap, field->name);
    casehook__free(heap, field->text);
}

void casehook_result_free(struct casehook_result *result)
{
    if (!result) return;
    struct casehook__heap *heap = result->heap;
    for (size_t i = 0; i < result->request_count; i++) {
        casehook__free(heap, result->requests[i].url);
        casehook__free(heap, result->requests[i].detail);
        casehook__kept_free(heap, &result->requests[i].json);
    }
    for (size_t i = 0; i < result->field_count; i++) casehook__result_field_free(heap, &result->fields[i]);
    casehook__free(heap, result->requests);
    casehook__free(heap, result->fields);
    casehook__free(heap, result->comments);
    casehook__free(heap, result->comment_store);
    casehook__free(heap, result->idempotency_key);
    casehook__free(heap, result->id);
    casehook__free(heap, result->title);
    casehook__free(heap, result->url);
    casehook__kept_free(heap, &result->json);
    casehook__kept_free(heap, &result->error.json);
    casehook__free(heap, result);
    casehook__heap_unref(heap);
}
