/* config.c - the compiled connector document: its life. */
#include "document/config_private.h"

struct casehook__config *casehook__config_new(struct casehook__heap *heap)
{
    struct casehook__config *config = casehook__calloc(heap, 1, sizeof *config);
    if (!config) return NULL;
    config->heap = casehook__heap_ref(heap);
    config->headers.heap = heap;
    config->strict = config->demands = true;
    return config;
}

static void free_response_fields(struct casehook__heap *heap, struct casehook__response_field *fields,
                                 size_t count)
{
    for (size_t i = 0; i < count; i++) {
        casehook__free(heap, fields[i].name);
        casehook__keypath_free(fields[i].path);
    }
    casehook__free(heap, fields);
}

static void free_text(struct casehook__heap *heap, struct casehook__text text)
{
    casehook__free_secret(heap, (char *)(uintptr_t)text.data, text.length);
}

static void free_more(struct casehook__heap *heap, struct casehook__call_more *more)
{
    if (!more) return;
    casehook__keypath_free(more->title_key);
    casehook__keypath_free(more->error_key);
    casehook__call_headers_free(heap, more->headers);
    free_response_fields(heap, more->fields, more->field_count);
    casehook__free(heap, more->id_header);
    casehook__template_free(more->own_id);
    casehook__free(heap, more);
}

static void free_find(struct casehook__heap *heap, struct casehook__find_config *find)
{
    if (!find) return;
    casehook__keypath_free(find->status_key);
    casehook__keypath_free(find->closed_at_key);
    for (size_t i = 0; i < find->closed_count; i++) free_text(heap, find->closed[i]);
    casehook__free(heap, find->closed);
    casehook__free(heap, find);
}

void casehook__config_forget_identity(struct casehook__config *config)
{
    struct casehook__identity_texts *identity = config->identity;
    if (!identity) return;
    const struct casehook__text texts[] = {identity->crt, identity->key, identity->pfx, identity->passphrase};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) free_text(config->heap, texts[i]);
    casehook__free(config->heap, identity);
    config->identity = NULL;
}

void casehook__config_free(struct casehook__config *config)
{
    if (!config) return;
    struct casehook__heap *heap = config->heap;
    for (size_t i = 0; i < CASEHOOK__CALLS; i++) {
        casehook__url_template_free(config->calls[i].url);
        casehook__template_free(config->calls[i].body);
        casehook__keypath_free(config->calls[i].key);
        free_more(heap, config->calls[i].more);
    }
    casehook__url_template_free(config->view_url);
    free_find(heap, config->find);
    if (config->idempotency) free_text(heap, config->idempotency->header);
    casehook__free(heap, config->idempotency);
    casehook__headers_free(&config->headers);
    casehook__values_free(config->values);
    free_text(heap, config->ca);
    casehook__config_forget_identity(config);
    casehook__proxy_free(config->proxy, heap);
    casehook__oauth_free(heap, config->oauth);
    casehook__query_free(heap, config->query);
    casehook__signature_free(heap, config->signature);
    for (size_t i = 0; i < config->secret_count; i++) free_text(heap, config->secrets[i]);
    casehook__free(heap, config->secrets);
    casehook__free(heap, config);
    casehook__heap_unref(heap);
}
