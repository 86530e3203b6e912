/* connector.c - making and releasing connectors. */
#include "base/posix.h"

#include "run/connector.h"

#include "exchange/credentials.h"

#include <unistd.h>

static struct casehook__settings_snapshot *snapshot_of(const struct casehook_settings *settings,
                                                       struct casehook__heap *heap)
{
    return settings ? casehook__settings_ref(settings->current) : casehook__settings_default(heap);
}

/* Settings that were made before fork() still know the connections of the parent. */
static struct casehook__idle *idle_of(const struct casehook_settings *settings, struct casehook__heap *heap)
{
    bool here = settings && settings->all_idle->process == getpid();
    return here ? casehook__idle_ref(settings->all_idle) : casehook__idle_new(heap);
}

static void check_ca(struct casehook_connector *connector, struct casehook__errors *errors)
{
    struct casehook_error error;
    casehook__error_init(&error);
    if (!connector->config->ca.data) return;
    if (casehook__trust_from_pem(connector->heap, connector->config->ca, &connector->certificates.trust,
                                 &error))
        casehook__errors_add_copy(errors, "config.ca", &error);
}

static void check_identity(struct casehook_connector *connector, struct casehook__errors *errors)
{
    const struct casehook__identity_texts *texts = connector->config->identity;
    struct casehook_error error;
    int status = CASEHOOK_OK;
    casehook__error_init(&error);
    if (!texts || (!texts->pfx.data && !texts->crt.data)) return; /* a key alone signs */
    if (texts->pfx.data)
        status = casehook__identity_from_pfx(connector->heap, texts->pfx, texts->passphrase,
                                             &connector->certificates.identity, &error);
    else if (texts->crt.data && texts->key.data)
        status = casehook__identity_from_pem(connector->heap, texts->crt, texts->key, texts->passphrase,
                                             &connector->certificates.identity, &error);
    if (!status) return;
    casehook__errors_add_copy(errors, texts->pfx.data ? "secrets.pfx" : "secrets.crt", &error);
    if (texts->pfx.data || strcmp(error.field, "secrets.crt") != 0) return;
    casehook__error_init(&error); /* the key may be wrong as well */
    if (casehook__key_check(texts->key, texts->passphrase, &error))
        casehook__errors_add_copy(errors, "secrets.key", &error);
}

/* The index of a policy among the different ones; a new one is added.  OK or NO_MEMORY. */
static int index_policy(struct casehook_connector *connector, const struct casehook__policy *policy,
                        uint8_t *index)
{
    size_t i = 0;
    while (i < connector->policy_count && !casehook__policy_equal(&connector->policies[i], policy)) i++;
    *index = (uint8_t)i;
    if (i < connector->policy_count) return CASEHOOK_OK;
    struct casehook__policy *policies =
        casehook__realloc(connector->heap, connector->policies, (i + 1) * sizeof *policies);
    if (!policies) return CASEHOOK_E_NO_MEMORY;
    policies[i] = *policy;
    connector->policies = policies;
    connector->policy_count++;
    return CASEHOOK_OK;
}

/* Calls whose hops have the same policy share their connections. */
static int find_policies(struct casehook_connector *connector)
{
    int status = CASEHOOK_OK;
    for (size_t call = 0; call < CASEHOOK__CALLS && !status; call++) {
        struct casehook__policy policy;
        const struct casehook__url_template *url = connector->config->calls[call].url;
        if (!url) continue;
        struct casehook__origin origin;
        casehook__url_template_origin(url, &origin);
        casehook__policy_of(connector->context.settings, connector->config, &connector->certificates, &origin,
                            true, &policy);
        status = index_policy(connector, &policy, &connector->policy_of[call]);
    }
    return status;
}

/* The first call that goes to the origin of this one: itself perhaps. */
static size_t first_of_origin(const struct casehook__call_config *calls, size_t call)
{
    for (size_t i = 0; i < call; i++)
        if (calls[i].url && casehook__url_template_same_origin(calls[i].url, calls[call].url)) return i;
    return call;
}

static int find_origins(struct casehook_connector *connector)
{
    const struct casehook__call_config *calls = connector->config->calls;
    size_t count = 0;
    uint8_t used = 0;
    for (size_t call = 0; call < CASEHOOK__CALLS; call++)
        count += calls[call].url && first_of_origin(calls, call) == call;
    connector->reuse.origins = casehook__calloc(connector->heap, count, sizeof *connector->reuse.origins);
    if (!connector->reuse.origins) return CASEHOOK_E_NO_MEMORY;
    for (size_t call = 0; call < CASEHOOK__CALLS; call++) {
        if (!calls[call].url) continue; /* it is never made */
        size_t first = first_of_origin(calls, call);
        connector->reuse.of[call] = first < call ? connector->reuse.of[first] : used++;
    }
    return CASEHOOK_OK;
}

static int find_mask(struct casehook_connector *connector)
{
    const struct casehook__config *config = connector->config;
    if (config->secret_count == 0 && !config->oauth) return CASEHOOK_OK;
    int status =
        casehook__mask_new(connector->heap, config->secrets, config->secret_count, &connector->context.mask);
    return !status && (config->oauth || config->query)
               ? casehook__mask_begin_learning(connector->context.mask)
               : status;
}

static int find_context(struct casehook_connector *connector)
{
    connector->context.config = connector->config;
    connector->context.clock = &casehook__clock_real;
    uint64_t request_ms = (uint64_t)connector->context.settings->connect_timeout_ms +
                          connector->context.settings->response_timeout_ms;
    int status = casehook__limiter_new(connector->heap, &connector->context.settings->limits, request_ms,
                                       &connector->context.limiter);
    if (!status && connector->config->oauth)
        status = casehook__credentials_new(connector->heap, &connector->context.credentials);
    return status;
}

static void release(struct casehook_connector *connector)
{
    struct casehook__heap *heap = connector->heap;
    if (connector->all_idle) casehook__slots_free(connector);
    casehook__idle_unref(connector->all_idle);
    casehook__identity_free(connector->certificates.identity);
    casehook__trust_unref(connector->certificates.trust);
    casehook__mask_free(connector->context.mask);
    casehook__free(heap, connector->policies);
    casehook__free(heap, connector->reuse.origins);
    casehook__limiter_free(connector->context.limiter);
    casehook__credentials_free(connector->context.credentials);
    casehook__stats_free(&connector->stats, heap);
    casehook__config_free(connector->config);
    casehook__settings_unref(connector->context.settings);
    casehook__log_unref(connector->log);
    casehook__free(heap, connector);
    casehook__heap_unref(heap);
}

static struct casehook_connector *allocate(const struct casehook_settings *settings)
{
    struct casehook__heap *heap = settings ? settings->heap : NULL;
    struct casehook_connector *connector = casehook__calloc(heap, 1, sizeof *connector);
    if (!connector) return NULL;
    connector->heap = casehook__heap_ref(heap);
    atomic_init(&connector->references, 1);
    atomic_init(&connector->connections, 0);
    connector->ops = &casehook__transport_curl;
    connector->process = getpid();
    connector->log = casehook__log_ref(settings ? settings->log : NULL);
    connector->context.settings = snapshot_of(settings, heap);
    connector->all_idle = idle_of(settings, heap);
    if (connector->context.settings && connector->all_idle) return connector;
    release(connector);
    return NULL;
}

/* Everything that can be found without the network (C3). */
static void build(struct casehook_connector *connector, struct casehook__text json,
                  struct casehook__errors *errors)
{
    struct casehook_error error;
    casehook__error_init(&error);
    if (casehook__transport_init(&error)) {
        casehook__errors_add_copy(errors, "", &error);
        return;
    }
    casehook__config_read(connector->heap, connector->context.settings, json, &connector->config, errors);
    if (!connector->config) return;
    check_ca(connector, errors);
    check_identity(connector, errors);
    casehook__config_forget_identity(connector->config);
    if (errors->count || errors->memory) return;
    int status = find_policies(connector);
    if (!status) status = find_origins(connector);
    if (!status) status = find_mask(connector);
    if (!status) status = find_context(connector);
    if (status == CASEHOOK_E_LIMIT)
        casehook__fail(casehook__errors_add(errors, "secrets"), CASEHOOK_E_CONFIG,
                       "has more secrets than can be kept out of messages");
    else if (status)
        errors->memory = 1;
}

int casehook_connector_new(const struct casehook_settings *settings, const char *json, size_t length,
                           struct casehook_connector **out, struct casehook_error **error)
{
    struct casehook__errors errors;
    struct casehook_connector *connector = NULL;
    casehook__errors_init(&errors, settings ? settings->heap : NULL);
    if (out) *out = NULL;
    if (!json || !out) {
        casehook__fail(casehook__errors_add(&errors, ""), CASEHOOK_E_ARGUMENT, "%s is NULL",
                       json ? "connector" : "json");
    } else {
        struct casehook__text text = casehook__text_given(json, length);
        connector = allocate(settings);
        if (connector)
            build(connector, text, &errors);
        else
            errors.memory = 1;
    }
    int status = casehook__errors_finish(&errors, error);
    if (status && connector) {
        release(connector);
        connector = NULL;
    }
    if (out) *out = connector;
    return status;
}

int casehook_connector_check(const struct casehook_settings *settings, const char *json, size_t length,
                             struct casehook_error **error)
{
    struct casehook_connector *connector = NULL;
    int status = casehook_connector_new(settings, json, length, &connector, error);
    casehook_connector_unref(connector);
    return status;
}

int casehook_connector_warnings(const struct casehook_connector *connector, struct casehook_error **warnings)
{
    struct casehook__errors list;
    if (warnings) *warnings = NULL;
    if (!connector || !warnings) return CASEHOOK_E_ARGUMENT;
    casehook__errors_init(&list, connector->heap);
    casehook__config_warn(connector->context.config, &list);
    int status = casehook__errors_finish(&list, warnings);
    return status == CASEHOOK_E_NO_MEMORY ? status : CASEHOOK_OK;
}

struct casehook_connector *casehook_connector_ref(struct casehook_connector *connector)
{
    if (connector) atomic_fetch_add_explicit(&connector->references, 1, memory_order_relaxed);
    return connector;
}

void casehook_connector_unref(struct casehook_connector *connector)
{
    if (connector && atomic_fetch_sub_explicit(&connector->references, 1, memory_order_acq_rel) == 1)
        release(connector);
}

/* Longer than any snapshot: it has a few hundred numbers. */
#define STATS_MAX_BYTES (64 * 1024)

size_t casehook_connector_stats_json(struct casehook_connector *connector, char *buffer, size_t size)
{
    struct casehook__buf json;
    size_t length = 0;
    if (!connector || (size && !buffer) || !casehook__connector_is_here(connector)) return 0;
    const struct casehook__clock *clock = connector->context.clock;
    casehook__buf_init(&json, connector->heap, STATS_MAX_BYTES);
    casehook__buf_append_char(&json, '{');
    casehook__stats_write(&connector->stats, &json);
    casehook__buf_append_string(&json, ",\"openConnections\":");
    casehook__buf_append_number(&json, atomic_load(&connector->connections));
    casehook__buf_append_string(&json, ",\"circuit\":\"");
    casehook__buf_append_string(
        &json, casehook__limiter_circuit(connector->context.limiter, clock->now_ms(clock->user)));
    casehook__buf_append_string(&json, "\"}");
    if (json.status == CASEHOOK_OK) length = json.length;
    if (length && size) {
        size_t copied = length < size ? length : size - 1;
        memcpy(buffer, json.data, copied);
        buffer[copied] = '\0';
    }
    casehook__buf_free(&json);
    return length;
}
