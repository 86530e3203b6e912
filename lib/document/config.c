/* config.c - the compiled connector document: its life and the names of its parts. */
#include "document/config.h"

const char *casehook__method_name(enum casehook__method method)
{
    static const char *const names[] = {"GET", "POST", "PUT", "PATCH"};
    return names[method];
}

const char *casehook__call_name(enum casehook__call call)
{
    static const char *const names[] = {"create", "get", "update", "comment"};
    return names[call];
}

const char *casehook__config_type_field(enum casehook__call call)
{
    static const char *const names[] = {"createIncidentResponseType", "getIncidentResponseType",
                                        "updateIncidentResponseType", "createCommentResponseType"};
    return names[call];
}

struct casehook__config *casehook__config_new(struct casehook__heap *heap)
{
    struct casehook__config *config = casehook__calloc(heap, 1, sizeof *config);
    if (!config) return NULL;
    config->heap = casehook__heap_ref(heap);
    config->headers.heap = heap;
    config->strict = true;
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

void casehook__config_free(struct casehook__config *config)
{
    if (!config) return;
    struct casehook__heap *heap = config->heap;
    for (size_t i = 0; i < CASEHOOK__CALLS; i++) {
        casehook__url_template_free(config->calls[i].url);
        casehook__template_free(config->calls[i].body);
    }
    casehook__url_template_free(config->view_url);
    casehook__keypath_free(config->id_key);
    casehook__keypath_free(config->title_key);
    free_response_fields(heap, config->create_fields, config->create_field_count);
    free_response_fields(heap, config->get_fields, config->get_field_count);
    casehook__headers_free(&config->headers);
    const struct casehook__text texts[] = {config->ca, config->crt, config->key, config->pfx,
                                           config->passphrase};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) free_text(heap, texts[i]);
    casehook__proxy_free(config->proxy, heap);
    for (size_t i = 0; i < config->secret_count; i++) free_text(heap, config->secrets[i]);
    casehook__free(heap, config->secrets);
    casehook__free(heap, config);
    casehook__heap_unref(heap);
}
