/*
 * idempotency.c - one key for all attempts of a create or of a comment (D4).
 *
 * A given key, or a random one, is that of the case; its comments append their ids.  Without a given one the
 * id of the case says it all: then another process that pushes the same case has the same keys.
 */
#include "exchange/idempotency.h"

#include "base/digest.h"

#include <stdio.h>
#include <stdlib.h>

/* Made of the ids alone: they are known again in another process, and after a crash. */
static bool is_derived(const struct casehook__parsed_params *params)
{
    return !params->idempotency_key.data && params->id.length > 0;
}

static int compare_ids(const void *a, const void *b)
{
    const struct casehook__text *first = a, *second = b;
    size_t shorter = first->length < second->length ? first->length : second->length;
    int order = shorter ? memcmp(first->data, second->data, shorter) : 0;
    return order ? order : (first->length > second->length) - (first->length < second->length);
}

/* The tracker would take the second comment of one id for the first one, and it would be lost. */
static int check_comment_ids(const struct casehook__parsed_params *params, struct casehook_result *result)
{
    size_t count = params->comment_count, same = 0;
    if (count < 2) return CASEHOOK_OK;
    struct casehook__text *ids = casehook__calloc(result->heap, count, sizeof *ids);
    if (!ids) return casehook__fail_memory(&result->error);
    for (size_t i = 0; i < count; i++) ids[i] = params->comments[i].id;
    qsort(ids, count, sizeof *ids, compare_ids);
    for (size_t i = 1; i < count && !same; i++)
        if (casehook__text_equal(ids[i - 1], ids[i])) same = i;
    struct casehook__text id = ids[same];
    casehook__free(result->heap, ids);
    if (!same) return CASEHOOK_OK;
    casehook__error_set_field(&result->error, "comments");
    return casehook__fail(
        &result->error, CASEHOOK_E_PARAMS,
        "has two of the id \"%.*s\": this connector sends idempotency keys, which are made of the "
        "ids, so the tracker would take the second one for the first",
        id.length < 64 ? (int)id.length : 64, id.length ? id.data : "");
}

int casehook__idempotency_begin(const struct casehook__config *config,
                                const struct casehook__parsed_params *params, struct casehook_result *result)
{
    char key[CASEHOOK__REQUEST_KEY_SIZE];
    struct casehook__text given = params->idempotency_key;
    int status = CASEHOOK_OK;
    if (!config->idempotency) return CASEHOOK_OK;
    if (config->has_comments) status = check_comment_ids(params, result);
    if (status || result->idempotency_key) return status; /* a resumed one has it */
    if (is_derived(params))
        status = casehook__idempotency_key(params, result, CASEHOOK__CALL_CREATE, 0, key);
    else if (given.data)
        casehook__text_copy(key, given);
    else
        status = casehook__uuid(key);
    if (status == CASEHOOK_E_SYSTEM)
        return casehook__fail(&result->error, status, "there is no randomness for an idempotency key");
    if (!status) result->idempotency_key = casehook__copy(result->heap, key, strlen(key));
    return result->idempotency_key ? CASEHOOK_OK : casehook__fail_memory(&result->error);
}

/* What a header can carry of a comment's id as it is. */
static bool fits_in_header(struct casehook__text id)
{
    if (id.length > 64) return false;
    for (size_t i = 0; i < id.length; i++)
        if (id.data[i] < '!' || id.data[i] > '~') return false;
    return true;
}

int casehook__idempotency_key(const struct casehook__parsed_params *params,
                              const struct casehook_result *result, enum casehook__call call, size_t comment,
                              char key[CASEHOOK__REQUEST_KEY_SIZE])
{
    bool creates = call == CASEHOOK__CALL_CREATE;
    struct casehook__text id = creates ? CASEHOOK__TEXT("") : params->comments[comment].id;
    char digest[CASEHOOK__DIGEST_DIGITS + 1];
    int length = id.length < 64 ? (int)id.length : 64;
    if (is_derived(params)) {
        const struct casehook__text of_case[] = {CASEHOOK__TEXT("create"), params->id},
                                    of_comment[] = {CASEHOOK__TEXT("comment"), params->id, id};
        return creates ? casehook__digest(of_case, 2, key) : casehook__digest(of_comment, 3, key);
    }
    if (creates) {
        snprintf(key, CASEHOOK__REQUEST_KEY_SIZE, "%s", result->idempotency_key);
        return CASEHOOK_OK;
    }
    if (!fits_in_header(id)) {
        if (casehook__digest(&id, 1, digest)) return CASEHOOK_E_NO_MEMORY;
        id = casehook__text(digest);
        length = CASEHOOK__DIGEST_DIGITS;
    }
    snprintf(key, CASEHOOK__REQUEST_KEY_SIZE, "%s-%.*s", result->idempotency_key, length,
             id.length ? id.data : "");
    return CASEHOOK_OK;
}
