/* result.c - what became of an operation, and its getters. */
#include "exchange/result.h"

static int copy_comments(struct casehook_result *result, const struct casehook__params *params)
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

struct casehook_result *casehook__result_fault(struct casehook__heap *heap, const char *step)
{
    struct casehook_result *result = casehook__alloc(heap, sizeof *result);
    if (!result) return NULL;
    memset(result, 0, offsetof(struct casehook_result, pushed_date));
    result->pushed_date[0] = result->id[0] = '\0';
    result->heap = casehook__heap_ref(heap);
    casehook__error_init(&result->error);
    result->error.step = step;
    casehook__buf_init(&result->json, heap, CASEHOOK__RESULT_JSON_MAX);
    casehook__buf_init(&result->exchange_json, heap, CASEHOOK__RESULT_JSON_MAX);
    return result;
}

struct casehook_result *casehook__result_new(struct casehook__heap *heap,
                                             const struct casehook__params *params)
{
    struct casehook_result *result = casehook__result_fault(heap, "");
    if (result && copy_comments(result, params) != CASEHOOK_OK) {
        casehook_result_free(result);
        result = NULL;
    }
    return result;
}

struct casehook__exchange_record *casehook__result_record(struct casehook_result *result)
{
    if (result->exchange_count == result->exchange_capacity) {
        size_t capacity = result->exchange_capacity ? result->exchange_capacity * 2 : 4;
        void *exchanges =
            casehook__realloc(result->heap, result->exchanges, capacity * sizeof *result->exchanges);
        if (!exchanges) return NULL;
        result->exchanges = exchanges;
        result->exchange_capacity = capacity;
    }
    struct casehook__exchange_record *record = &result->exchanges[result->exchange_count++];
    *record = (struct casehook__exchange_record){.outcome = CASEHOOK_OUTCOME_NOT_SENT};
    return record;
}

void casehook__result_field_free(struct casehook__heap *heap, struct casehook__result_field *field)
{
    casehook__free(heap, field->name);
    casehook__free(heap, field->text);
}

void casehook_result_free(struct casehook_result *result)
{
    if (!result) return;
    struct casehook__heap *heap = result->heap;
    for (size_t i = 0; i < result->exchange_count; i++) {
        casehook__free(heap, result->exchanges[i].url);
        casehook__free(heap, result->exchanges[i].detail);
    }
    for (size_t i = 0; i < result->field_count; i++) casehook__result_field_free(heap, &result->fields[i]);
    casehook__free(heap, result->exchanges);
    casehook__free(heap, result->fields);
    casehook__free(heap, result->comments);
    casehook__free(heap, result->comment_store);
    casehook__free(heap, result->title);
    casehook__free(heap, result->url);
    casehook__buf_free(&result->json);
    casehook__buf_free(&result->exchange_json);
    casehook__free(heap, result);
    casehook__heap_unref(heap);
}

const char *casehook__outcome_name(int outcome)
{
    static const char *const names[] = {"none", "done", "refused", "not_sent", "unknown"};
    return names[outcome];
}

const char *casehook__comment_state_name(int state)
{
    static const char *const names[] = {"not_attempted", "sent", "failed", "skipped"};
    return names[state];
}

static const char *view(const char *text, size_t text_length, size_t *length)
{
    if (length) *length = text ? text_length : 0;
    return text;
}

const struct casehook_error *casehook_result_error(const struct casehook_result *result)
{
    return result && result->error.status ? &result->error : NULL;
}

const char *casehook_result_id(const struct casehook_result *result, size_t *length)
{
    return view(result && result->id_length ? result->id : NULL, result ? result->id_length : 0, length);
}

const char *casehook_result_title(const struct casehook_result *result, size_t *length)
{
    return view(result ? result->title : NULL, result ? result->title_length : 0, length);
}

const char *casehook_result_url(const struct casehook_result *result, size_t *length)
{
    return view(result ? result->url : NULL, result ? result->url_length : 0, length);
}

const char *casehook_result_pushed_date(const struct casehook_result *result)
{
    return result && result->pushed_date[0] ? result->pushed_date : NULL;
}

const char *casehook_result_field(const struct casehook_result *result, const char *name, size_t *length)
{
    for (size_t i = 0; result && name && i < result->field_count; i++)
        if (strcmp(result->fields[i].name, name) == 0)
            return view(result->fields[i].text, result->fields[i].length, length);
    return view(NULL, 0, length);
}

size_t casehook_result_comment_count(const struct casehook_result *result)
{
    return result ? result->comment_count : 0;
}

const char *casehook_result_comment_id(const struct casehook_result *result, size_t index, size_t *length)
{
    if (!result || index >= result->comment_count) return view(NULL, 0, length);
    return view(result->comments[index].id.data, result->comments[index].id.length, length);
}

int casehook_result_comment_state(const struct casehook_result *result, size_t index)
{
    return result && index < result->comment_count ? result->comments[index].state
                                                   : CASEHOOK_COMMENT_NOT_ATTEMPTED;
}

size_t casehook_result_exchange_count(const struct casehook_result *result)
{
    return result ? result->exchange_count : 0;
}
