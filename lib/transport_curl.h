/*
 * transport_curl.h - what the files that know libcurl share.
 */
#ifndef CASEHOOK_TRANSPORT_CURL_H
#define CASEHOOK_TRANSPORT_CURL_H

#include "transport.h"

#include <curl/curl.h>

/*
 * An easy handle for life, of one policy, and either of configured requests or of one hop to another origin;
 * the calls that it is used for change.
 */
struct casehook__handle {
    CURL *easy;
    CURLU *url;     /* of the last request */
    bool url_known; /* it and easy have the same URL */
    /* Of each call, as configured and [1] as a GET, which a redirect may make of it.  Made when needed. */
    struct curl_slist *headers[CASEHOOK__CALLS][2];
    const struct curl_slist *shape; /* those that easy has now: they stand for the method too */
    struct curl_slist *proxy_headers;
    long timeout_ms; /* as set */
};

struct casehook__wire {
    struct casehook__heap *heap;
    CURLM *multi;
    struct casehook__watcher watcher; /* of a wire that a loop watches */
};

/* Offsets into head; length 0: the header was not there. */
struct casehook__kept_header {
    bool present;
    size_t begin, length;
};

struct casehook__transfer {
    struct casehook__heap *heap;
    const struct casehook__config *config;
    const struct casehook__settings *settings;
    struct casehook__policy policy;
    void *owner;

    struct casehook__handle handle;
    struct casehook__trust *system_trust; /* a reference, once it was needed */

    /* Of the request that is under way. */
    struct casehook__wire *wire; /* NULL: there is none */
    const struct casehook__request *request;
    bool deadline_first; /* the deadline of the operation comes before responseTimeout */
    long timeout_ms;
    unsigned sends;      /* how often libcurl was about to send it */
    bool repeat_refused; /* libcurl wanted to send it again (H6) */
    unsigned handshakes; /* on the connection that is being made */
    bool connecting;     /* a socket was opened for this request, and nothing is sent on it yet */
    bool denied;         /* an address was refused (U5) */
    char denied_address[96];
    size_t header_bytes, tunnel_bytes;
    bool header_limit, body_limit, body_cut;
    bool head_ended; /* the empty line behind the headers of the answer has come */
    long status;     /* once it has */
    bool in_body;
    struct casehook__kept_header content_type, content_encoding, location, retry_after;
    struct casehook__buf head, body;
    struct casehook__tls_report tls, proxy_tls;
    char detail[CURL_ERROR_SIZE];

    /* What came of it. */
    bool answered;
    struct casehook__response response;
    struct casehook__failure failure;
    struct casehook_error told; /* failure.message points into it */
};

/* transport_curl_handle.c: makes the handle ready for requests of this call and method.  False: no memory. */
bool casehook__curl_handle(struct casehook__transfer *transfer, const struct casehook__request *request);
void casehook__curl_handle_free(struct casehook__handle *handle);

/* transport_curl_callbacks.c */
size_t casehook__curl_on_header(char *data, size_t size, size_t count, void *user);
size_t casehook__curl_on_body(char *data, size_t size, size_t count, void *user);
int casehook__curl_on_send(void *user, char *remote, char *local, int remote_port, int local_port);
int casehook__curl_on_tunnel(void *user, curl_off_t total, curl_off_t now, curl_off_t upload_total,
                             curl_off_t upload_now);
curl_socket_t casehook__curl_on_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address);
CURLcode casehook__curl_on_tls(CURL *easy, void *ssl_ctx, void *user);

/* transport_curl_failure.c: fills transfer->failure from libcurl's code. */
void casehook__curl_fail(struct casehook__transfer *transfer, CURLcode code);
/* A proxy that wants a login answers in place of an http target: true when it did, and failure says so. */
bool casehook__curl_fail_login(struct casehook__transfer *transfer);

#endif
