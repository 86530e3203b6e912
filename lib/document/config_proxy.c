/* config_proxy.c - which hosts a connector may ask for, and its own proxy (P2, U4, U5). */
#include "document/config_private.h"

void casehook__config_check_origin(const struct casehook__config_reader *reader,
                                   const struct casehook__field *field, const struct casehook__origin *origin)
{
    const struct casehook__settings_snapshot *settings = reader->settings;
    bool v6 = origin->ipv6;
    if (!casehook__host_list_has(&settings->allowed_hosts, origin))
        casehook__fail(casehook__field_fault(field), CASEHOOK_E_POLICY,
                       "the host %s%s%s, port %u, is not in allowedHosts of the settings", v6 ? "[" : "",
                       origin->host, v6 ? "]" : "", (unsigned)origin->port);
    if (!settings->deny_private_addresses || (!origin->ipv4 && !v6)) return;
    const char *kind = casehook__address_denied(origin->address, v6 ? 16 : 4, settings->allowed_addresses,
                                                settings->allowed_address_count);
    if (kind)
        casehook__fail(casehook__field_fault(field), CASEHOOK_E_POLICY,
                       "%s is a %s address, which denyPrivateAddresses of the settings forbids; "
                       "allowedAddresses can make an exception",
                       origin->host, kind);
}

/*
 * Headers without a URL go to the settings' proxy, above its own: a login of the settings never goes to
 * a proxy that the connector chose.
 */
static void derive(struct casehook__config_reader *reader, const struct casehook__field *field)
{
    struct casehook__config *config = reader->config;
    struct casehook__headers headers = {.heap = config->heap};
    if (!reader->settings->proxy) {
        casehook__fail(casehook__field_fault(field), CASEHOOK_E_CONFIG,
                       "there is no proxy: add proxyUrl, or remove this");
        return;
    }
    casehook__headers_read(&headers, field->node, true, true, "config.proxyHeaders", reader->errors);
    if (casehook__proxy_derive(config->heap, reader->settings->proxy, &headers, &config->proxy))
        reader->errors->memory = 1;
    casehook__headers_free(&headers);
}

void casehook__config_read_proxy(struct casehook__config_reader *reader)
{
    struct casehook__config *config = reader->config;
    struct casehook__field url = casehook__config_nullable(reader, "proxyUrl"),
                           headers = casehook__config_nullable(reader, "proxyHeaders");
    if (!url.node && !headers.node) return;
    const struct casehook__field *first = url.node ? &url : &headers;
    if (!reader->settings->allow_connector_proxy) {
        casehook__fail(casehook__field_fault(first), CASEHOOK_E_POLICY,
                       "a proxy of the connector needs allowConnectorProxy in the settings");
        return;
    }
    if (!url.node && casehook__json_kind(headers.node) == CASEHOOK__JSON_OBJECT) {
        derive(reader, &headers);
        return;
    }
    casehook__proxy_read(config->heap, url.node, headers.node, "config", &config->proxy, reader->errors);
    if (config->proxy) casehook__config_check_origin(reader, &url, &config->proxy->origin);
}
