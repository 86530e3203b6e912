/* renderer.c - templates over any JSON object of the host: the engine alone, for its own texts (T1).
 */
#include "run/operation.h"

#include "base/abi.h"
#include "json/jsscan.h"
#include "json/jstext.h"
#include "template/template.h"

#define RENDER_DEPTH_MAX  64
#define RENDER_VALUES_MAX 1000000

/* Values and names of one container.  All of them are freed together. */
struct values_block {
    struct values_block *next;
    struct casehook__value values[];
};

struct casehook_renderer {
    struct casehook__heap *heap;
    struct casehook__template *compiled;
    struct casehook__buf raw, clean; /* what was rendered last; the same without invalid UTF-8 */
    struct casehook__buf store;      /* texts of the JSON that had escapes */
    struct values_block *blocks;
    size_t values;
};

int casehook_renderer_new(const struct casehook_allocator *allocator, const char *text, size_t length,
                          struct casehook_renderer **out, struct casehook_error **given)
{
    struct casehook__heap *heap = NULL;
    struct casehook_error error;
    struct casehook_renderer *renderer = NULL;
    casehook__error_init(&error);
    if (out) *out = NULL;
    if (given) *given = NULL;
    int status = casehook__allocator_heap(allocator, &heap);
    if (status) return status;
    if (!out || !text)
        casehook__fail(&error, CASEHOOK_E_ARGUMENT, "%s is NULL", text ? "renderer" : "text");
    else if (!(renderer = casehook__calloc(heap, 1, sizeof *renderer)))
        casehook__fail_memory(&error);
    if (!error.status) {
        renderer->heap = casehook__heap_ref(heap);
        casehook__buf_init(&renderer->raw, heap, CASEHOOK__BODY_MAX_BYTES);
        casehook__buf_init(&renderer->clean, heap, 3 * CASEHOOK__BODY_MAX_BYTES);
        casehook__buf_init(&renderer->store, heap, 3 * CASEHOOK__PARAMS_MAX_BYTES);
        casehook__template_new(heap, casehook__text_given(text, length), CASEHOOK__TEMPLATE_RAW, NULL, false,
                               &renderer->compiled, &error);
    }
    status = casehook__call_refuse(heap, &error, given);
    if (status)
        casehook_renderer_free(renderer);
    else
        *out = renderer;
    casehook__heap_unref(heap);
    return status;
}

static struct casehook__text decode_inside(struct casehook_renderer *renderer, struct casehook__text inside)
{
    if (inside.length == 0 || !memchr(inside.data, '\\', inside.length)) return inside;
    size_t start = renderer->store.length; /* there is room: nothing moves */
    casehook__js_decode(&renderer->store, inside);
    return (struct casehook__text){casehook__buf_string(&renderer->store) + start,
                                   renderer->store.length - start};
}

static int read_value(struct casehook_renderer *renderer, struct casehook__js_value source,
                      struct casehook__value *value, size_t depth, struct casehook_error *error);

static int read_container(struct casehook_renderer *renderer, struct casehook__text container, bool object,
                          struct casehook__value *value, size_t depth, struct casehook_error *error)
{
    struct casehook__text key;
    struct casehook__js_value item;
    size_t position = 0, count = 0;
    while (casehook__js_next(container, &position, &key, &item)) count++;
    renderer->values += count;
    if (depth == RENDER_DEPTH_MAX || renderer->values > RENDER_VALUES_MAX)
        return casehook__fail(error, CASEHOOK_E_LIMIT, "the JSON has more than %d levels or %d values",
                              RENDER_DEPTH_MAX, RENDER_VALUES_MAX);
    size_t names = object ? count * sizeof(struct casehook__text) : 0;
    struct values_block *block =
        casehook__alloc(renderer->heap, sizeof *block + count * sizeof *value + names);
    if (!block) return casehook__fail_memory(error);
    block->next = renderer->blocks;
    renderer->blocks = block;
    struct casehook__text *name = (void *)(block->values + count);
    value->items = block->values;
    value->names = object ? name : NULL;
    value->count = count;
    int status = CASEHOOK_OK;
    position = 0;
    for (size_t i = 0; !status && casehook__js_next(container, &position, &key, &item); i++) {
        if (object) name[i] = decode_inside(renderer, key);
        status = read_value(renderer, item, &block->values[i], depth + 1, error);
    }
    return status;
}

static int read_value(struct casehook_renderer *renderer, struct casehook__js_value source,
                      struct casehook__value *value, size_t depth, struct casehook_error *error)
{
    static const enum casehook__value_kind value_kinds[] = {
        [CASEHOOK__JS_NULL] = CASEHOOK__VALUE_NULL,     [CASEHOOK__JS_FALSE] = CASEHOOK__VALUE_FALSE,
        [CASEHOOK__JS_TRUE] = CASEHOOK__VALUE_TRUE,     [CASEHOOK__JS_NUMBER] = CASEHOOK__VALUE_NUMBER,
        [CASEHOOK__JS_STRING] = CASEHOOK__VALUE_TEXT,   [CASEHOOK__JS_ARRAY] = CASEHOOK__VALUE_LIST,
        [CASEHOOK__JS_OBJECT] = CASEHOOK__VALUE_OBJECT,
    };
    *value = (struct casehook__value){.kind = value_kinds[source.kind], .text = source.text};
    if (source.kind >= CASEHOOK__JS_ARRAY)
        return read_container(renderer, source.text, source.kind == CASEHOOK__JS_OBJECT, value, depth, error);
    if (source.kind == CASEHOOK__JS_STRING)
        value->text =
            decode_inside(renderer, (struct casehook__text){source.text.data + 1, source.text.length - 2});
    return CASEHOOK_OK;
}

static int render_json(struct casehook_renderer *renderer, struct casehook__text json,
                       struct casehook_error *error)
{
    struct casehook__value root;
    size_t offset = 0;
    if (json.length > CASEHOOK__PARAMS_MAX_BYTES)
        return casehook__fail(error, CASEHOOK_E_LIMIT, "the JSON has more than %d bytes",
                              CASEHOOK__PARAMS_MAX_BYTES);
    enum casehook__js_fault fault = casehook__jsscan(json, NULL, 0, NULL, &offset);
    if (fault != CASEHOOK__JS_VALID)
        return casehook__fail_at(error, CASEHOOK_E_PARAMS, offset, "the JSON %s",
                                 casehook__js_fault_name(fault));
    struct casehook__js_value top = casehook__js_top(json);
    if (top.kind != CASEHOOK__JS_OBJECT)
        return casehook__fail_at(error, CASEHOOK_E_PARAMS, 0, "the JSON must be an object, not %s",
                                 casehook__js_kind_name(top.kind));
    if (memchr(json.data, '\\', json.length) && casehook__buf_reserve(&renderer->store, 3 * json.length))
        return casehook__fail_memory(error);
    int status = read_value(renderer, top, &root, 0, error);
    if (!status) status = casehook__template_render(renderer->compiled, &root, &renderer->raw, error);
    if (!status && casehook__js_utf8(&renderer->clean, casehook__buf_text(&renderer->raw)))
        status = casehook__fail_memory(error);
    return status;
}

int casehook_render(struct casehook_renderer *renderer, const char *json, size_t length, const char **text,
                    size_t *text_length, struct casehook_error **given)
{
    struct casehook_error error;
    casehook__error_init(&error);
    if (text) *text = NULL;
    if (text_length) *text_length = 0;
    if (given) *given = NULL;
    if (!renderer || !json || !text) {
        casehook__fail(&error, CASEHOOK_E_ARGUMENT, "renderer, json or text is NULL");
    } else {
        casehook__buf_clear(&renderer->raw);
        casehook__buf_clear(&renderer->clean);
        casehook__buf_clear(&renderer->store);
        renderer->values = 0;
        render_json(renderer, casehook__text_given(json, length), &error);
        for (struct values_block *block; (block = renderer->blocks); casehook__free(renderer->heap, block))
            renderer->blocks = block->next;
        if (!error.status) {
            *text = casehook__buf_string(&renderer->clean);
            if (text_length) *text_length = renderer->clean.length;
        }
    }
    return casehook__call_refuse(renderer ? renderer->heap : NULL, &error, given);
}

void casehook_renderer_free(struct casehook_renderer *renderer)
{
    if (!renderer) return;
    struct casehook__heap *heap = renderer->heap;
    casehook__template_free(renderer->compiled);
    casehook__buf_free(&renderer->raw);
    casehook__buf_free(&renderer->clean);
    casehook__buf_free(&renderer->store);
    casehook__free(heap, renderer);
    casehook__heap_unref(heap);
}
