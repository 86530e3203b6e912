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

/* The ids of the comments that are to be sent; how many. */
static size_t list_ids(const struct casehook__parsed_params *params, const struct casehook_result *result,
                       struct casehook__text *ids)
{
    size_t count = 0;
    for (size_t i = 0; i < params->comment_count; i++)
        if (result->comments[i].state != CASEHOOK_COMMENT_SKIPPED) ids[count++] = params->comments[i].id;
    return count;
}

/* The tracker would take the second comment of one id for the first one, and it would be lost. */
static int check_comment_ids(const struct casehook__parsed_params *params, struct casehook_result *result)
{
    size_t same = 0;
    bool sends = result->operation != CASEHOOK_CREATE && result->operation != CASEHOOK_UPDATE;
    if (params->comment_count < 2 || !sends) return CASEHOOK_OK;
    struct casehook__text *ids = casehook__calloc(result->heap, params->comment_count, sizeof *ids);
    if (!ids) return casehook__fail_memory(&result->error);
    size_t count = list_ids(params, result, ids);
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

bool casehook__idempotency_of_params(const struct casehook__parsed_params *params,
                                     char key[CASEHOOK__REQUEST_KEY_SIZE], int *status)
{
    const struct casehook__text of_case[] = {CASEHOOK__TEXT("create"), params->id};
    *status = CASEHOOK_OK;
    if (is_derived(params))
        *status = casehook__digest(of_case, 2, key);
    else if (params->idempotency_key.data)
        casehook__text_copy(key, params->idempotency_key);
    else
        return false;
    return true;
}

int casehook__idempotency_begin(const struct casehook__config *config,
                                const struct casehook__parsed_params *params, struct casehook_result *result)
{
    char key[CASEHOOK__REQUEST_KEY_SIZE];
    int status = CASEHOOK_OK;
    if (!config->idempotency) return CASEHOOK_OK;
    result->idempotent = config->idempotency->counts;
    if (config->calls[CASEHOOK__CALL_COMMENT].on && config->idempotency->counts)
        status = check_comment_ids(params, result);
    if (status || result->idempotency_key) return status; /* a resumed one has it */
    if (!casehook__idempotency_of_params(params, key, &status)) status = casehook__uuid(key);
    if (status == CASEHOOK_E_SYSTEM)
        return casehook__fail(&result->error, status, "there is no randomness for an idempotency key");
    if (!status) result->idempotency_key = casehook__copy(result->heap, key, strlen(key));
    return result->idempotency_key ? CASEHOOK_OK : casehook__fail_memory(&result->error);
}

/* What a header can carry of a comment's id as it is. */
static bool fits_in_header(struct casehook__text id)
{
    if (id.length > CASEHOOK__REQUEST_KEY_ID) return false;
    for (size_t i = 0; i < id.length; i++)
        if (id.data[i] < '!' || id.data[i] > '~') return false;
    return true;
}

int casehook__idempotency_key(const struct casehook__parsed_params *params,
                              const struct casehook_result *result, enum casehook__call call, size_t comment,
                              char key[CASEHOOK__REQUEST_KEY_SIZE])
{
    if (call == CASEHOOK__CALL_CREATE) {
        snprintf(key, CASEHOOK__REQUEST_KEY_SIZE, "%s", result->idempotency_key);
        return CASEHOOK_OK;
    }
    struct casehook__text id = params->comments[comment].id;
    struct casehook__text of_comment[] = {CASEHOOK__TEXT("comment"), params->id, id};
    char digest[CASEHOOK__DIGEST_DIGITS + 1];
    bool derived = is_derived(params);
    /* What joins the two must not be in the first one, or it would end elsewhere. */
    struct casehook__text *odd = derived ? &of_comment[1] : &id;
    if (derived ? memchr(odd->data, '\n', odd->length) != NULL : !fits_in_header(id)) {
        if (casehook__digest(odd, 1, digest)) return CASEHOOK_E_NO_MEMORY;
        *odd = casehook__text(digest);
    }
    if (derived) return casehook__digest(of_comment, 3, key);
    snprintf(key, CASEHOOK__REQUEST_KEY_SIZE, "%s-%.*s", result->idempotency_key, (int)id.length,
             id.length ? id.data : "");
    return CASEHOOK_OK;
}
