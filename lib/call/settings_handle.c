/* settings_handle.c - the settings object of the public header. */
#include "run/connector.h"

#include "base/abi.h"

#include "base/file.h"

#include <stdio.h>

/* A file of certificates, as PEM text behind what content holds. */
static int read_system_ca(const char *path, struct casehook__buf *content, struct casehook_error *error)
{
    struct casehook__buf file;
    casehook__buf_init(&file, content->heap, content->limit);
    int status = casehook__file_read(path, &file, error);
    if (!status) status = casehook__ca_append(content, casehook__buf_text(&file), error);
    casehook__buf_free(&file);
    return status;
}

int casehook_settings_new(const struct casehook_allocator *allocator, struct casehook_settings **out)
{
    struct casehook__heap *heap = NULL;
    if (out) *out = NULL;
    int status = casehook__allocator_heap(allocator, &heap);
    if (status) return status;
    if (!out) {
        casehook__heap_unref(heap);
        return CASEHOOK_E_ARGUMENT;
    }
    struct casehook_settings *settings = casehook__calloc(heap, 1, sizeof *settings);
    if (!settings) {
        casehook__heap_unref(heap);
        return CASEHOOK_E_NO_MEMORY;
    }
    settings->heap = heap;
    settings->current = casehook__settings_default(heap);
    settings->all_idle = casehook__idle_new(heap);
    if (!settings->current || !settings->all_idle) {
        casehook_settings_free(settings);
        return CASEHOOK_E_NO_MEMORY;
    }
    *out = settings;
    return CASEHOOK_OK;
}

/* The CAs of single hosts are parsed once, here.  Those of files were looked at: what is bad is the text. */
static void make_trusts(struct casehook__settings_snapshot *settings, struct casehook__errors *errors)
{
    for (size_t i = 0; i < settings->host_count; i++) {
        struct casehook__host_settings *host = &settings->hosts[i];
        struct casehook_error error;
        casehook__error_init(&error);
        if (!host->ca.data) continue;
        if (casehook__trust_from_pem(settings->heap, host->ca, &host->trust, &error) == CASEHOOK_OK) continue;
        char field[96];
        snprintf(field, sizeof field, "settings.customHostSettings[%zu].ssl.certificateAuthoritiesData", i);
        casehook__errors_add_copy(errors, field, &error);
    }
}

int casehook_settings_load_json(struct casehook_settings *settings, const char *json, size_t length,
                                struct casehook_error **error)
{
    struct casehook__errors errors;
    struct casehook__settings_snapshot *snapshot = NULL;
    casehook__errors_init(&errors, settings ? settings->heap : NULL);
    if (!settings || !json) {
        casehook__fail(casehook__errors_add(&errors, ""), CASEHOOK_E_ARGUMENT, "%s is NULL",
                       settings ? "json" : "settings");
    } else {
        struct casehook__text text = casehook__text_given(json, length);
        casehook__settings_read(settings->heap, text, read_system_ca, &snapshot, &errors);
        if (snapshot) make_trusts(snapshot, &errors);
    }
    int status = casehook__errors_finish(&errors, error);
    if (status) {
        casehook__settings_unref(snapshot);
    } else {
        casehook__settings_unref(settings->current);
        settings->current = snapshot;
    }
    return status;
}

int casehook_settings_set_log(struct casehook_settings *settings, int level, void *user, casehook_log_fn log,
                              casehook_destroy_fn destroy)
{
    struct casehook__log *new = NULL;
    if (!settings) {
        if (destroy) destroy(user);
        return CASEHOOK_E_ARGUMENT;
    }
    int status = casehook__log_new(settings->heap, level, user, log, destroy, &new);
    if (status) return status;
    casehook__log_unref(settings->log);
    settings->log = new;
    return CASEHOOK_OK;
}

void casehook_settings_free(struct casehook_settings *settings)
{
    if (!settings) return;
    struct casehook__heap *heap = settings->heap;
    casehook__settings_unref(settings->current);
    casehook__log_unref(settings->log);
    casehook__idle_unref(settings->all_idle);
    casehook__free(heap, settings);
    casehook__heap_unref(heap);
}
