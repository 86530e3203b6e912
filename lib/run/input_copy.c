/*
 * input_copy.c - a copy of what an operation is given, for what outlives the call: all in one block.
 *
 * The copy is not checked here: whatever is wrong with the params is found when the operation begins and
 * becomes its result.  What cannot be copied because of it is copied as far as the fault can still be seen.
 */
#include "run/operation.h"

#include "base/abi.h"

/* Goes over the params twice: first base is NULL and bytes are only counted. */
struct packer {
    char *base;
    size_t used;
    size_t text_left; /* more text than that is too much anyway, whatever comes behind it */
};

static void *room(struct packer *packer, size_t bytes, size_t alignment)
{
    packer->used = (packer->used + alignment - 1) / alignment * alignment;
    void *at = packer->base ? packer->base + packer->used : NULL;
    packer->used += bytes;
    return at;
}

static const char *pack_text(struct packer *packer, const char *data, size_t length)
{
    if (!data) return NULL;
    if (length > packer->text_left) length = packer->text_left;
    packer->text_left -= length;
    char *copy = room(packer, length + 1, 1);
    if (copy) casehook__text_copy(copy, (struct casehook__text){data, length});
    return copy;
}

static const char *pack(struct packer *packer, const char *terminated)
{
    return terminated ? pack_text(packer, terminated, strlen(terminated)) : NULL;
}

/* A list whose count is a fault is not looked into: the count alone says so. */
static void pack_list(struct packer *packer, const char *const **list, size_t count)
{
    const char *const *given = *list;
    if (!given || count > CASEHOOK__ITEMS_MAX) return;
    const char **copy = room(packer, count * sizeof *copy, _Alignof(const char *));
    for (size_t i = 0; i < count; i++) {
        const char *text = pack(packer, given[i]);
        if (copy) copy[i] = text;
    }
    if (copy) *list = copy;
}

/* Elements keep the caller's size: what is behind the known fields is copied as it is. */
static void pack_comments(struct packer *packer, struct casehook_params *params)
{
    const char *given = (const char *)params->comments;
    size_t size = params->comment_size;
    if (!given || params->comment_count > CASEHOOK__COMMENTS_MAX || size < CASEHOOK__COMMENT_FIRST_SIZE ||
        size > CASEHOOK__STRUCT_MAX_BYTES)
        return;
    char *copy = room(packer, params->comment_count * size, _Alignof(struct casehook_comment));
    for (size_t i = 0; i < params->comment_count; i++) {
        struct casehook_comment comment;
        memcpy(&comment, given + i * size, sizeof comment);
        comment.id = pack(packer, comment.id);
        comment.text = pack(packer, comment.text);
        if (!copy) continue;
        memcpy(copy + i * size, given + i * size, size);
        memcpy(copy + i * size, &comment, sizeof comment);
    }
    if (copy) params->comments = (const void *)copy;
}

/* Packed first, so that a fault in fields is reported instead of the limit on the total size. */
static void pack_fields(struct packer *packer, struct casehook_params *params)
{
    struct casehook__text text = casehook__text_given(params->fields, params->fields_length);
    params->fields = pack_text(packer, text.data, text.length);
    params->fields_length = text.length;
    text = casehook__text_given(params->external_fields, params->external_fields_length);
    params->external_fields = pack_text(packer, text.data, text.length);
    params->external_fields_length = text.length;
}

static void pack_case(struct packer *packer, struct casehook_params *params)
{
    pack_list(packer, &params->tags, params->tag_count);
    pack_list(packer, &params->labels, params->label_count);
    pack_comments(packer, params);
    params->title = pack(packer, params->title);
    params->description = pack(packer, params->description);
    params->id = pack(packer, params->id);
    params->severity = pack(packer, params->severity);
    params->status = pack(packer, params->status);
    params->idempotency_key = pack(packer, params->idempotency_key);
}

static void pack_resume(struct packer *packer, struct casehook_params *params)
{
    struct casehook__text resume = casehook__text_given(params->resume, params->resume_length);
    params->resume = pack_text(packer, resume.data, resume.length);
    params->resume_length = resume.length;
}

static const struct casehook_params *pack_params(struct packer *packer, int operation,
                                                 const struct casehook_params *given)
{
    struct casehook_params params = *given;
    struct casehook_params *copy = room(packer, sizeof *copy, _Alignof(struct casehook_params));
    params.struct_size = sizeof params;
    if (operation == CASEHOOK_GET)
        params = (struct casehook_params){.struct_size = sizeof params,
                                          .external_id = given->external_id,
                                          .resume = given->external_id ? NULL : given->resume,
                                          .resume_length = given->resume_length,
                                          .external_fields = given->external_fields,
                                          .external_fields_length = given->external_fields_length};
    pack_fields(packer, &params);
    params.external_id = pack(packer, params.external_id);
    if (operation != CASEHOOK_GET) pack_case(packer, &params);
    pack_resume(packer, &params);
    if (copy) *copy = params;
    return copy;
}

static void pack_input(struct packer *packer, size_t prefix, const struct casehook__input *given,
                       struct casehook__input *input)
{
    packer->used = prefix;
    packer->text_left = (size_t)CASEHOOK__PARAMS_MAX_BYTES + 1;
    *input = *given;
    if (given->json) {
        size_t length = casehook__text_given(given->json, given->length).length;
        input->json = pack_text(packer, given->json, length);
        input->length = length <= CASEHOOK__PARAMS_MAX_BYTES ? length : CASEHOOK__PARAMS_MAX_BYTES + 1;
    } else {
        input->params = pack_params(packer, given->operation, given->params);
    }
}

int casehook__input_copy(struct casehook__heap *heap, const struct casehook__input *given, size_t prefix,
                         void **block, struct casehook__input *copy, struct casehook_error *error)
{
    struct casehook_params params;
    struct casehook__input input = *given;
    struct packer packer = {0};
    *block = NULL;
    if (!given->json && !given->params)
        return casehook__fail(error, CASEHOOK_E_ARGUMENT, "the params are NULL");
    if (!given->json) {
        int status = casehook__struct_read(&params, given->params, CASEHOOK__PARAMS_FIRST_SIZE, sizeof params,
                                           "casehook_params", error);
        if (status) return status;
        input.params = &params;
    }
    pack_input(&packer, prefix, &input, copy);
    *block = casehook__alloc(heap, packer.used);
    if (!*block) return casehook__fail_memory(error);
    packer.base = *block;
    pack_input(&packer, prefix, &input, copy);
    return CASEHOOK_OK;
}
