/*
 * policy.h - how one hop is to be connected: TLS, client certificate, proxy (P1, P2, H3).
 *
 * Worked out anew for every origin.  Requests of equal policy may share connections, others never (P3).
 */
#ifndef CASEHOOK_POLICY_H
#define CASEHOOK_POLICY_H

#include "document/config.h"

/* The connector's certificates, parsed by connector.c. */
struct casehook__certificates {
    struct casehook__trust *trust;       /* config.ca; NULL: none given */
    struct casehook__identity *identity; /* the client certificate; NULL: none */
};

struct casehook__policy {
    enum casehook__mode mode;
    struct casehook__trust *trust;       /* borrowed; NULL: the system's */
    struct casehook__identity *identity; /* borrowed; NULL: none */
    const struct casehook__proxy *proxy; /* borrowed; NULL: direct */
    bool tunnel;                         /* through it by CONNECT */
    enum casehook__mode proxy_mode;
    struct casehook__trust *proxy_trust; /* borrowed; NULL: the system's */
};

/* Through which proxy a hop goes; NULL: direct. */
const struct casehook__proxy *casehook__policy_proxy(const struct casehook__settings_snapshot *settings,
                                                     const struct casehook__config *config,
                                                     const struct casehook__origin *origin);

/* configured: the origin is one of the configuration, so the client certificate may go there. */
void casehook__policy_of(const struct casehook__settings_snapshot *settings,
                         const struct casehook__config *config,
                         const struct casehook__certificates *certificates,
                         const struct casehook__origin *origin, bool configured,
                         struct casehook__policy *policy);
bool casehook__policy_equal(const struct casehook__policy *a, const struct casehook__policy *b);

#endif
