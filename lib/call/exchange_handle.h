/*
 * exchange_handle.h - what the public exchange consists of.
 */
#ifndef CASEHOOK_EXCHANGE_HANDLE_H
#define CASEHOOK_EXCHANGE_HANDLE_H

#include "run/connector.h"

struct casehook_exchange {
    struct casehook__heap *heap;          /* a reference */
    struct casehook_connector *connector; /* a reference */
    struct casehook_cancel *cancel;       /* a reference, or NULL */
    int64_t deadline;
    void *input; /* a copy of what was given, in which the params lie */
    struct casehook__machine core;
    /* Of the request that was given last. */
    struct casehook__request request;
    struct casehook__policy policy;
    uint32_t timeout_ms;
    struct casehook_http_header *headers; /* the request's, then the proxy's; texts of the connector */
    size_t header_count, proxy_header_count, header_capacity;
    struct casehook__buf certificate, key, proxy_url, json;
    struct casehook__buf unfolded; /* the headers of the last answer, when some went over several lines */
};

/* casehook_exchange_next() for a struct of this version. */
int casehook__exchange_handle_next(struct casehook_exchange *handle, struct casehook_http_request *request);
/* exchange_headers.c: those that matter into response, as texts of headers or of the exchange. */
void casehook__exchange_read_headers(struct casehook_exchange *handle, struct casehook__text headers,
                                     struct casehook__response *response);

#endif
