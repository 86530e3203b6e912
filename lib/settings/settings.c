/* settings.c - a snapshot of the settings: defaults, life, look-up. */
#include "base/posix.h"

#include "settings/settings.h"

#include <unistd.h>

static int allow_all(struct casehook__host_list *list)
{
    return casehook__host_list_add(list, CASEHOOK__TEXT("*"), NULL);
}

static void set_retry_defaults(struct casehook__retry *retry)
{
    static const int statuses[] = {408, 425, 429, 500, 502, 503, 504};
    *retry = (struct casehook__retry){.max_attempts = 1,
                                      .base_delay_ms = 1000,
                                      .max_delay_ms = 30000,
                                      .max_retry_after_ms = 300000,
                                      .find_delay_ms = 2000};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        casehook__retry_add_status(retry, statuses[i]);
}

void casehook__retry_add_status(struct casehook__retry *retry, int http_status)
{
    unsigned bit = (unsigned)(http_status - CASEHOOK__RETRY_STATUS_FIRST);
    retry->statuses[bit / 8] |= (uint8_t)(1u << bit % 8);
}

bool casehook__retry_has_status(const struct casehook__retry *retry, int http_status)
{
    unsigned bit = (unsigned)(http_status - CASEHOOK__RETRY_STATUS_FIRST);
    return bit < CASEHOOK__RETRY_STATUSES && retry->statuses[bit / 8] >> bit % 8 & 1;
}

struct casehook__settings_snapshot *casehook__settings_default(struct casehook__heap *heap)
{
    struct casehook__settings_snapshot *settings = casehook__calloc(heap, 1, sizeof *settings);
    if (!settings) return NULL;
    if (pthread_mutex_init(&settings->system_trust_lock, NULL)) {
        casehook__free(heap, settings);
        return NULL;
    }
    atomic_init(&settings->references, 1);
    settings->heap = casehook__heap_ref(heap);
    settings->process = getpid();
    settings->allowed_hosts.heap = settings->proxy_bypass.heap = settings->proxy_only.heap = heap;
    settings->mode = settings->proxy_mode = CASEHOOK__MODE_FULL;
    settings->minimum_mode = CASEHOOK__MODE_NONE;
    settings->max_response_content_length = 1024 * 1024;
    settings->response_timeout_ms = 60000;
    settings->connect_timeout_ms = 10000;
    settings->idle_timeout_ms = 4000;
    settings->slow_request_ms = 10000;
    settings->max_redirects = 10;
    settings->max_idle_connections = 8;
    set_retry_defaults(&settings->retry);
    settings->http_version = CASEHOOK__HTTP_1_1;
    if (allow_all(&settings->allowed_hosts)) {
        casehook__settings_unref(settings);
        return NULL;
    }
    return settings;
}

struct casehook__settings_snapshot *casehook__settings_ref(struct casehook__settings_snapshot *settings)
{
    if (settings) atomic_fetch_add_explicit(&settings->references, 1, memory_order_relaxed);
    return settings;
}

static void free_hosts(struct casehook__settings_snapshot *settings)
{
    for (size_t i = 0; i < settings->host_count; i++) {
        casehook__free(settings->heap, (char *)(uintptr_t)settings->hosts[i].ca.data);
        casehook__trust_unref(settings->hosts[i].trust);
    }
    casehook__free(settings->heap, settings->hosts);
}

void casehook__settings_unref(struct casehook__settings_snapshot *settings)
{
    if (!settings || atomic_fetch_sub_explicit(&settings->references, 1, memory_order_acq_rel) != 1) return;
    struct casehook__heap *heap = settings->heap;
    casehook__host_list_free(&settings->allowed_hosts);
    casehook__host_list_free(&settings->proxy_bypass);
    casehook__host_list_free(&settings->proxy_only);
    casehook__proxy_free(settings->proxy, heap);
    free_hosts(settings);
    casehook__free(heap, settings->allowed_addresses);
    casehook__trust_unref(settings->system_trust);
    pthread_mutex_destroy(&settings->system_trust_lock);
    casehook__free(heap, settings);
    casehook__heap_unref(heap);
}

const struct casehook__host_settings *casehook__settings_host(
    const struct casehook__settings_snapshot *settings, const struct casehook__origin *origin)
{
    size_t length = casehook__origin_host_length(origin);
    for (size_t i = 0; i < settings->host_count; i++) {
        const struct casehook__origin *host = &settings->hosts[i].origin;
        if (host->https == origin->https && host->port == origin->port &&
            length == casehook__origin_host_length(host) && memcmp(host->host, origin->host, length) == 0)
            return &settings->hosts[i];
    }
    return NULL;
}
