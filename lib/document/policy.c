/* policy.c - how one hop is to be connected. */
#include "document/policy.h"

const struct casehook__proxy *casehook__policy_proxy(const struct casehook__settings_snapshot *settings,
                                                     const struct casehook__config *config,
                                                     const struct casehook__origin *origin)
{
    const struct casehook__proxy *proxy = config->proxy ? config->proxy : settings->proxy;
    if (casehook__host_list_has(&settings->proxy_bypass, origin)) return NULL;
    if (settings->has_proxy_only && !casehook__host_list_has(&settings->proxy_only, origin)) return NULL;
    return proxy;
}

/* Connector beats host, host beats the global mode; the connector's CA replaces the host's (P2). */
void casehook__policy_of(const struct casehook__settings_snapshot *settings,
                         const struct casehook__config *config,
                         const struct casehook__certificates *certificates,
                         const struct casehook__origin *origin, bool configured,
                         struct casehook__policy *policy)
{
    const struct casehook__host_settings *host = casehook__settings_host(settings, origin),
                                         *proxy_host = NULL;
    *policy = (struct casehook__policy){.mode = settings->mode, .proxy_mode = settings->proxy_mode};
    if (host && host->mode != CASEHOOK__MODE_UNSET) policy->mode = host->mode;
    if (config->mode != CASEHOOK__MODE_UNSET) policy->mode = config->mode;
    policy->trust = certificates->trust ? certificates->trust : host ? host->trust : NULL;
    if (configured) policy->identity = certificates->identity;
    policy->proxy = casehook__policy_proxy(settings, config, origin);
    policy->tunnel = policy->proxy && origin->https;
    if (policy->proxy) proxy_host = casehook__settings_host(settings, &policy->proxy->origin);
    if (proxy_host) policy->proxy_trust = proxy_host->trust;
}

bool casehook__policy_equal(const struct casehook__policy *a, const struct casehook__policy *b)
{
    return a->mode == b->mode && a->trust == b->trust && a->identity == b->identity && a->proxy == b->proxy &&
           a->tunnel == b->tunnel && a->proxy_mode == b->proxy_mode && a->proxy_trust == b->proxy_trust;
}
