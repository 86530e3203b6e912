/* settings_json.c - a snapshot of the settings read from JSON (C2). */
#include "settings/settings.h"

#include "settings/settings_hosts.h"
#include "settings/settings_slots.h"

enum settings_slot {
    ALLOWED_HOSTS,
    PROXY_URL,
    PROXY_HEADERS,
    PROXY_BYPASS,
    PROXY_ONLY,
    SETTINGS_MODE,
    PROXY_MODE,
    MINIMUM_MODE,
    CUSTOM_HOSTS,
    MAX_RESPONSE,
    RESPONSE_TIMEOUT,
    CONNECT_TIMEOUT,
    IDLE_TIMEOUT,
    MAX_ATTEMPTS,
    MAX_REDIRECTS,
    MAX_IDLE,
    HTTP_VERSION,
    DENY_PRIVATE,
    ALLOWED_ADDRESSES,
    ALLOW_CONNECTOR_PROXY,
    REUSE_CONNECTIONS,
    SLOW_REQUEST,
    RETRY_BASE,
    RETRY_MAX,
    RETRY_AFTER,
    RETRY_DEADLINE,
    RETRY_FIND,
    RETRY_STATUSES,
    RATE_REQUESTS,
    RATE_PER,
    RATE_BURST,
    CIRCUIT_FAILURES,
    CIRCUIT_PAUSE,
    SETTINGS_SLOTS
};

static const char *const settings_slot_names[SETTINGS_SLOTS] = {"allowedHosts",
                                                                "proxyUrl",
                                                                "proxyHeaders",
                                                                "proxyBypassHosts",
                                                                "proxyOnlyHosts",
                                                                "ssl.verificationMode",
                                                                "ssl.proxyVerificationMode",
                                                                "ssl.minimumVerificationMode",
                                                                "customHostSettings",
                                                                "maxResponseContentLength",
                                                                "responseTimeout",
                                                                "connectTimeout",
                                                                "idleTimeout",
                                                                "run.maxAttempts",
                                                                "maxRedirects",
                                                                "maxIdleConnections",
                                                                "httpVersion",
                                                                "denyPrivateAddresses",
                                                                "allowedAddresses",
                                                                "allowConnectorProxy",
                                                                "reuseConnections",
                                                                "slowRequestTimeout",
                                                                "retry.baseDelay",
                                                                "retry.maxDelay",
                                                                "retry.maxRetryAfter",
                                                                "retry.deadline",
                                                                "retry.findDelay",
                                                                "retry.statuses",
                                                                "rateLimit.requests",
                                                                "rateLimit.per",
                                                                "rateLimit.burst",
                                                                "circuit.failures",
                                                                "circuit.pause"};

#define MAX_IDLE_CONNECTIONS 1024
#define ADDRESSES_MAX        10000

struct settings_reader {
    struct casehook__settings_snapshot *settings;
    struct casehook__errors *errors;
    const struct casehook__json *nodes[SETTINGS_SLOTS];
};

static struct casehook__field settings_field_of(const struct settings_reader *reader, enum settings_slot slot)
{
    return (struct casehook__field){reader->errors, "settings", settings_slot_names[slot],
                                    reader->nodes[slot]};
}

/* The same with null taken as absent: where the reference's default is null. */
static struct casehook__field nullable(const struct settings_reader *reader, enum settings_slot slot)
{
    struct casehook__field field = settings_field_of(reader, slot);
    if (casehook__field_is_null(&field)) field.node = NULL;
    return field;
}

static void read_host_list(const struct casehook__field *field, struct casehook__host_list *list)
{
    casehook__host_list_free(list);
    for (size_t i = 0; i < casehook__json_count(field->node); i++) {
        struct casehook_error fault;
        casehook__error_init(&fault);
        const struct casehook__json *item = casehook__json_item(field->node, i);
        if (casehook__json_kind(item) == CASEHOOK__JSON_TEXT)
            casehook__host_list_add(list, casehook__json_text(item), &fault);
        else
            casehook__fail(&fault, CASEHOOK_E_CONFIG, "must be a text, not %s",
                           casehook__json_kind_name(item));
        casehook__field_item_keep(field, i, &fault);
    }
}

static void read_hosts(const struct settings_reader *reader)
{
    struct casehook__settings_snapshot *settings = reader->settings;
    struct casehook__field allowed = settings_field_of(reader, ALLOWED_HOSTS);
    struct casehook__field bypass = nullable(reader, PROXY_BYPASS), only = nullable(reader, PROXY_ONLY);
    if (casehook__field_list(&allowed)) read_host_list(&allowed, &settings->allowed_hosts);
    if (casehook__field_list(&bypass)) read_host_list(&bypass, &settings->proxy_bypass);
    if (casehook__field_list(&only)) {
        read_host_list(&only, &settings->proxy_only);
        settings->has_proxy_only = true;
    }
    if (bypass.node && only.node)
        casehook__fail(casehook__field_fault(&only), CASEHOOK_E_CONFIG,
                       "excludes proxyBypassHosts: give one of the two lists");
}

static void read_addresses(const struct settings_reader *reader)
{
    struct casehook__settings_snapshot *settings = reader->settings;
    struct casehook__field field = settings_field_of(reader, ALLOWED_ADDRESSES);
    if (!casehook__field_list(&field)) return;
    size_t count = casehook__json_count(field.node);
    if (count > ADDRESSES_MAX) {
        casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG, "has more than %d entries",
                       ADDRESSES_MAX);
        return;
    }
    settings->allowed_addresses =
        casehook__calloc(settings->heap, count, sizeof *settings->allowed_addresses);
    if (!settings->allowed_addresses) {
        reader->errors->memory = 1;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct casehook_error fault;
        casehook__error_init(&fault);
        const struct casehook__json *item = casehook__json_item(field.node, i);
        if (casehook__json_kind(item) == CASEHOOK__JSON_TEXT)
            casehook__cidr_parse(casehook__json_text(item), &settings->allowed_addresses[i], &fault);
        else
            casehook__fail(&fault, CASEHOOK_E_CONFIG, "must be a text, not %s",
                           casehook__json_kind_name(item));
        casehook__field_item_keep(&field, i, &fault);
    }
    settings->allowed_address_count = count;
}

static void read_time(const struct settings_reader *reader, enum settings_slot slot, uint32_t *ms)
{
    struct casehook__field field = settings_field_of(reader, slot);
    uint64_t value = *ms;
    if (casehook__field_amount(&field, casehook__duration_parse, &value)) *ms = (uint32_t)value;
}

static void read_unsigned(const struct settings_reader *reader, enum settings_slot slot, int64_t low,
                          int64_t high, unsigned *number)
{
    struct casehook__field field = settings_field_of(reader, slot);
    int64_t value;
    if (casehook__field_integer(&field, low, high, &value)) *number = (unsigned)value;
}

static void read_limits(const struct settings_reader *reader)
{
    struct casehook__settings_snapshot *settings = reader->settings;
    struct casehook__field size = settings_field_of(reader, MAX_RESPONSE);
    uint64_t bytes;
    if (casehook__field_amount(&size, casehook__size_parse, &bytes))
        settings->max_response_content_length = (size_t)bytes;
    read_time(reader, RESPONSE_TIMEOUT, &settings->response_timeout_ms);
    read_time(reader, CONNECT_TIMEOUT, &settings->connect_timeout_ms);
    read_time(reader, IDLE_TIMEOUT, &settings->idle_timeout_ms);
    read_time(reader, SLOW_REQUEST, &settings->slow_request_ms);
    read_unsigned(reader, MAX_REDIRECTS, 0, 21, &settings->max_redirects);
    read_unsigned(reader, MAX_IDLE, 0, MAX_IDLE_CONNECTIONS, &settings->max_idle_connections);
}

static void read_statuses(const struct settings_reader *reader, struct casehook__retry *retry)
{
    struct casehook__field field = settings_field_of(reader, RETRY_STATUSES);
    if (!casehook__field_list(&field)) return;
    memset(retry->statuses, 0, sizeof retry->statuses);
    for (size_t i = 0; i < casehook__json_count(field.node); i++) {
        int status = casehook__field_refusal(&field, i);
        if (status) casehook__retry_add_status(retry, status);
    }
}

static void read_retry(const struct settings_reader *reader)
{
    struct casehook__retry *retry = &reader->settings->retry;
    read_unsigned(reader, MAX_ATTEMPTS, 1, 10, &retry->max_attempts);
    read_time(reader, RETRY_BASE, &retry->base_delay_ms);
    read_time(reader, RETRY_MAX, &retry->max_delay_ms);
    read_time(reader, RETRY_AFTER, &retry->max_retry_after_ms);
    read_time(reader, RETRY_DEADLINE, &retry->deadline_ms);
    read_time(reader, RETRY_FIND, &retry->find_delay_ms);
    read_statuses(reader, retry);
}

/* The two of a pair come together. */
static void need_first(const struct settings_reader *reader, enum settings_slot first,
                       enum settings_slot slot)
{
    struct casehook__field field = settings_field_of(reader, slot);
    if (field.node && !reader->nodes[first])
        casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG,
                       "does nothing without %s: give both, or neither", settings_slot_names[first]);
}

#define RATE_MAX 1000000

static void read_rate_and_circuit(const struct settings_reader *reader)
{
    struct casehook__limits *limits = &reader->settings->limits;
    limits->rate_per_ms = 1000;
    limits->circuit_pause_ms = 30000;
    read_unsigned(reader, RATE_REQUESTS, 1, RATE_MAX, &limits->rate_requests);
    limits->rate_burst = limits->rate_requests;
    read_time(reader, RATE_PER, &limits->rate_per_ms);
    read_unsigned(reader, RATE_BURST, 1, RATE_MAX, &limits->rate_burst);
    need_first(reader, RATE_REQUESTS, RATE_PER);
    need_first(reader, RATE_REQUESTS, RATE_BURST);
    read_unsigned(reader, CIRCUIT_FAILURES, 1, RATE_MAX, &limits->circuit_failures);
    read_time(reader, CIRCUIT_PAUSE, &limits->circuit_pause_ms);
    need_first(reader, CIRCUIT_FAILURES, CIRCUIT_PAUSE);
}

static void read_reuse(const struct settings_reader *reader)
{
    static const char *const words[] = {"proven", "always", "never"};
    static const enum casehook__reuse_mode values[] = {CASEHOOK__REUSE_PROVEN, CASEHOOK__REUSE_ALWAYS,
                                                       CASEHOOK__REUSE_NEVER};
    struct casehook__field field = settings_field_of(reader, REUSE_CONNECTIONS);
    size_t index;
    if (casehook__field_word(&field, words, 3, false, &index))
        reader->settings->reuse_connections = values[index];
}

static void read_switches(const struct settings_reader *reader)
{
    static const char *const versions[] = {"1.1", "2", "auto"};
    static const enum casehook__http_version values[] = {CASEHOOK__HTTP_1_1, CASEHOOK__HTTP_2,
                                                         CASEHOOK__HTTP_AUTO};
    struct casehook__settings_snapshot *settings = reader->settings;
    struct casehook__field version = settings_field_of(reader, HTTP_VERSION),
                           deny = settings_field_of(reader, DENY_PRIVATE),
                           proxy = settings_field_of(reader, ALLOW_CONNECTOR_PROXY);
    size_t index;
    if (casehook__field_word(&version, versions, 3, false, &index)) settings->http_version = values[index];
    casehook__field_boolean(&deny, &settings->deny_private_addresses);
    read_addresses(reader);
    casehook__field_boolean(&proxy, &settings->allow_connector_proxy);
}

static void read_modes(const struct settings_reader *reader)
{
    struct casehook__settings_snapshot *settings = reader->settings;
    struct casehook__field mode = settings_field_of(reader, SETTINGS_MODE),
                           proxy = settings_field_of(reader, PROXY_MODE),
                           minimum = settings_field_of(reader, MINIMUM_MODE);
    casehook__field_mode(&mode, &settings->mode);
    casehook__field_mode(&proxy, &settings->proxy_mode);
    casehook__field_mode(&minimum, &settings->minimum_mode);
}

static void settings_read_all(struct settings_reader *reader, const struct casehook__json *root,
                              casehook__read_file_fn read_file)
{
    casehook__settings_slots(reader->errors, "settings", "xpack.actions.", root, settings_slot_names,
                             SETTINGS_SLOTS, reader->nodes);
    read_hosts(reader);
    casehook__proxy_read(reader->settings->heap, reader->nodes[PROXY_URL], reader->nodes[PROXY_HEADERS],
                         "settings", &reader->settings->proxy, reader->errors);
    read_modes(reader);
    struct casehook__field hosts = nullable(reader, CUSTOM_HOSTS);
    if (casehook__field_list(&hosts)) casehook__settings_read_hosts(reader->settings, &hosts, read_file);
    read_limits(reader);
    read_retry(reader);
    read_rate_and_circuit(reader);
    read_switches(reader);
    read_reuse(reader);
}

int casehook__settings_read(struct casehook__heap *heap, struct casehook__text json,
                            casehook__read_file_fn read_file, struct casehook__settings_snapshot **out,
                            struct casehook__errors *errors)
{
    struct settings_reader reader = {.errors = errors};
    *out = NULL;
    reader.settings = casehook__settings_default(heap);
    if (!reader.settings) {
        errors->memory = 1;
    } else {
        struct casehook__json *root = casehook__field_root(json, "settings", errors);
        if (root) settings_read_all(&reader, root, read_file);
        casehook__json_free(root);
    }
    int status = casehook__errors_status(errors);
    if (status)
        casehook__settings_unref(reader.settings);
    else
        *out = reader.settings;
    return status;
}
