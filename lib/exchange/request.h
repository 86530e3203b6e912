/*
 * request.h - one request of an operation, and what comes back.
 */
#ifndef CASEHOOK_REQUEST_H
#define CASEHOOK_REQUEST_H

#include "document/config.h"

/* Everything is borrowed from the machine until it is fed or failed. */
struct casehook__request {
    enum casehook__call call;
    enum casehook__method method;
    const char *url; /* as requested, without fragment */
    const struct casehook__origin *origin;
    struct casehook__text body;            /* data NULL: none */
    struct casehook__text idempotency_key; /* data NULL: it carries none */
    struct casehook__text own_id; /* of the case that it creates (K9); data NULL: the answer says it */
    /* Headers of this request alone, beside those that all requests of its call have. */
    const struct casehook__header *own;
    size_t own_count;
    bool configured; /* the origin of the configuration: headers, credentials, client certificate go along */
};

/* How a request went, as far as a driver knows it (D7). */
struct casehook__metrics {
    bool known;  /* else nothing of it is */
    bool reused; /* it went out on a kept connection */
    /* From its start until there was the address, the connection, its TLS, the first byte, the end; -1: no
     * such. */
    int64_t name_us, connect_us, tls_us, first_byte_us, total_us;
    uint64_t sent, received; /* bytes of HTTP, headers too */
};

/* The response with what matters of its headers; data NULL where there was no such header. */
struct casehook__response {
    int status;
    struct casehook__text content_type;     /* the first one */
    struct casehook__text content_encoding; /* what is left after the driver decoded the body */
    struct casehook__text location;
    struct casehook__text retry_after;
    struct casehook__text id_header; /* the one of the configuration (K6) */
    struct casehook__text body;
    struct casehook__metrics metrics;
};

/* Why there is no response. */
struct casehook__failure {
    int status;   /* CASEHOOK_E_* */
    bool sent;    /* some of the request may have reached the server */
    bool lasting; /* although failures of that status often pass, this one will not */
    /* A success whose body broke off or cannot be read: what came of it; NULL: nothing. */
    const struct casehook__response *partial;
    const char *message; /* what happened, without URL and step; no secrets */
    struct casehook__metrics metrics;
};

/* How many headers there may be: of a request alone, and in all. */
size_t casehook__own_headers_max(const struct casehook__config *config);
size_t casehook__request_headers_max(const struct casehook__config *config);
/* Whether configured ones, or those of its call, have one of this name. */
bool casehook__request_names(const struct casehook__config *config, const struct casehook__request *request,
                             struct casehook__text name);

/*
 * The headers of a request in the order of the wire: defaults, its own, configured ones, those of its call
 * that are not rendered (of both none to another origin).  items has room for max; returns how many there
 * are.
 */
size_t casehook__request_headers(const struct casehook__config *config,
                                 const struct casehook__request *request, struct casehook__header *items,
                                 size_t max);

#endif
