/* transport_curl.c - transfers on a wire: starting, waiting, ending. */
#include "transport_curl.h"

#include "clock.h"

/* ---- wires ------------------------------------------------------------------------------------ */

int casehook__wire_new(struct casehook__heap *heap, const struct casehook__settings *settings,
                       struct casehook__wire **out)
{
    struct casehook__wire *wire = casehook__calloc(heap, 1, sizeof *wire);
    *out = NULL;
    if (!wire) return CASEHOOK_E_NO_MEMORY;
    wire->heap = heap;
    wire->multi = curl_multi_init();
    if (!wire->multi) {
        casehook__free(heap, wire);
        return CASEHOOK_E_NO_MEMORY;
    }
    /* 0 would mean libcurl's own choice. */
    curl_multi_setopt(wire->multi, CURLMOPT_MAXCONNECTS,
                      settings->max_idle_connections ? (long)settings->max_idle_connections : 1L);
    *out = wire;
    return CASEHOOK_OK;
}

void casehook__wire_free(struct casehook__wire *wire)
{
    if (!wire) return;
    curl_multi_cleanup(wire->multi);
    casehook__free(wire->heap, wire);
}

void casehook__wire_perform(struct casehook__wire *wire)
{
    int running;
    curl_multi_perform(wire->multi, &running);
}

void casehook__wire_poll(struct casehook__wire *wire, int timeout_ms)
{
    curl_multi_poll(wire->multi, NULL, 0, timeout_ms, NULL);
}

void casehook__wire_wakeup(struct casehook__wire *wire)
{
    curl_multi_wakeup(wire->multi);
}

/* ---- transfers -------------------------------------------------------------------------------- */

int casehook__transfer_new(struct casehook__heap *heap, const struct casehook__config *config,
                           const struct casehook__settings *settings, const struct casehook__policy *policy,
                           struct casehook__transfer **out)
{
    struct casehook__transfer *transfer = *out = casehook__calloc(heap, 1, sizeof *transfer);
    if (!transfer) return CASEHOOK_E_NO_MEMORY;
    transfer->heap = heap;
    transfer->config = config;
    transfer->settings = settings;
    transfer->policy = *policy;
    casehook__buf_init(&transfer->head, heap, CASEHOOK__HEADER_BYTES_MAX);
    casehook__buf_init(&transfer->body, heap, settings->max_response_content_length);
    return CASEHOOK_OK;
}

static void leave_wire(struct casehook__transfer *transfer)
{
    if (transfer->wire) curl_multi_remove_handle(transfer->wire->multi, transfer->handle.easy);
    transfer->wire = NULL;
}

void casehook__transfer_free(struct casehook__transfer *transfer)
{
    if (!transfer) return;
    leave_wire(transfer);
    casehook__curl_handle_free(&transfer->handle);
    casehook__trust_unref(transfer->system_trust);
    casehook__buf_free(&transfer->head);
    casehook__buf_free(&transfer->body);
    /* libcurl's and OpenSSL's words may quote the server. */
    casehook__free_secret(transfer->heap, transfer, sizeof *transfer);
}

void casehook__transfer_shrink(struct casehook__transfer *transfer, size_t kept)
{
    if (transfer && transfer->body.capacity > kept) casehook__buf_free(&transfer->body);
}

void casehook__transfer_set_owner(struct casehook__transfer *transfer, void *owner)
{
    transfer->owner = owner;
}

void *casehook__transfer_owner(const struct casehook__transfer *transfer)
{
    return transfer->owner;
}

const struct casehook__response *casehook__transfer_response(const struct casehook__transfer *transfer)
{
    return transfer->answered ? &transfer->response : NULL;
}

const struct casehook__failure *casehook__transfer_failure(const struct casehook__transfer *transfer)
{
    return &transfer->failure;
}

static void forget_request(struct casehook__transfer *transfer, const struct casehook__request *request)
{
    static const struct casehook__kept_header none;
    transfer->request = request;
    transfer->content_type = transfer->content_encoding = transfer->location = transfer->retry_after = none;
    transfer->sends = transfer->handshakes = 0;
    transfer->repeat_refused = transfer->connecting = transfer->denied = false;
    transfer->header_bytes = transfer->tunnel_bytes = 0;
    transfer->header_limit = transfer->body_limit = transfer->body_cut = false;
    transfer->head_ended = transfer->in_body = false;
    transfer->answered = false;
    transfer->detail[0] = '\0';
    transfer->tls.verified = transfer->proxy_tls.verified = transfer->tls.asked = false;
    casehook__buf_clear(&transfer->head);
    casehook__buf_clear(&transfer->body);
    transfer->body.limit = transfer->settings->max_response_content_length;
}

static bool never_started(struct casehook__transfer *transfer, int status, const char *message)
{
    transfer->failure = (struct casehook__failure){.status = status, .message = message};
    return false;
}

/* The system's CAs are parsed once for all connectors of a settings snapshot, when one needs them. */
static bool need_trust(struct casehook__transfer *transfer, bool https)
{
    const struct casehook__policy *policy = &transfer->policy;
    bool for_proxy =
        policy->proxy && policy->proxy->origin.https && policy->proxy_mode != CASEHOOK__MODE_NONE;
    bool needed = (https && policy->mode != CASEHOOK__MODE_NONE && !policy->trust) ||
                  (for_proxy && !policy->proxy_trust);
    if (!needed || transfer->system_trust) return true;
    casehook__error_init(&transfer->told);
    int status =
        casehook__settings_system_trust(transfer->settings, curl_version_info(CURLVERSION_NOW)->cainfo,
                                        &transfer->system_trust, &transfer->told);
    return !status || never_started(transfer, status, transfer->told.message);
}

/* responseTimeout, or what the deadline of the operation leaves of it. */
static bool set_time(struct casehook__transfer *transfer, int64_t deadline)
{
    int64_t now = casehook__clock_ms(), time = transfer->settings->response_timeout_ms;
    transfer->deadline_first = deadline != CASEHOOK__NO_DEADLINE && deadline - now < time;
    if (transfer->deadline_first) time = deadline - now;
    if (time <= 0) return never_started(transfer, CASEHOOK_E_TIMEOUT, "the deadline of the call has passed");
    transfer->timeout_ms = (long)time;
    if (transfer->handle.timeout_ms == transfer->timeout_ms) return true;
    transfer->handle.timeout_ms = transfer->timeout_ms;
    return curl_easy_setopt(transfer->handle.easy, CURLOPT_TIMEOUT_MS, transfer->timeout_ms) == CURLE_OK;
}

/*
 * Only the path differs, and it is one that the parser takes as it is: escapes would become lower case,
 * a query is a part of its own.
 */
static bool replace_path(CURLU *parsed, const char *old, const char *url)
{
    const char *authority = strstr(url, "://"), *path = authority ? strchr(authority + 3, '/') : NULL;
    if (!path || strncmp(old, url, (size_t)(path - url) + 1) != 0) return false;
    if (strpbrk(old, "?#") || strpbrk(url, "%?#")) return false;
    return curl_url_set(parsed, CURLUPART_PATH, path, 0) == CURLUE_OK;
}

/*
 * Parsing and formatting the same authority for each request costs a tenth of all of it, so the parsed
 * URL stays with the handle.  The text goes along: libcurl takes it when it tries a GET a second time.
 */
static bool set_url(struct casehook__handle *handle, const char *url)
{
    char *old = NULL;
    bool known =
        handle->url_known && curl_easy_getinfo(handle->easy, CURLINFO_EFFECTIVE_URL, &old) == CURLE_OK;
    if (known && strcmp(old, url) == 0) return true;
    handle->url_known = false;
    if (!(known && replace_path(handle->url, old, url)) &&
        curl_url_set(handle->url, CURLUPART_URL, url, CURLU_PATH_AS_IS) != CURLUE_OK)
        return false;
    handle->url_known = curl_easy_setopt(handle->easy, CURLOPT_URL, url) == CURLE_OK;
    return handle->url_known;
}

static bool set_request(struct casehook__transfer *transfer, const struct casehook__request *request)
{
    CURL *easy = transfer->handle.easy;
    if (!set_url(&transfer->handle, request->url)) return false;
    if (request->method == CASEHOOK__GET) return true;
    const char *body = request->body.data ? request->body.data : "";
    return curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.length) == CURLE_OK;
}

bool casehook__transfer_start(struct casehook__transfer *transfer, struct casehook__wire *wire,
                              const struct casehook__request *request, int64_t deadline)
{
    static const char no_memory[] = "out of memory before the request was sent";
    forget_request(transfer, request);
    if (!casehook__curl_handle(transfer, request))
        return never_started(transfer, CASEHOOK_E_NO_MEMORY, no_memory);
    if (!need_trust(transfer, request->origin->https)) return false;
    transfer->failure.status = CASEHOOK_OK;
    if (!set_time(transfer, deadline) || !set_request(transfer, request))
        return transfer->failure.status ? false : never_started(transfer, CASEHOOK_E_NO_MEMORY, no_memory);
    if (curl_multi_add_handle(wire->multi, transfer->handle.easy) != CURLM_OK)
        return never_started(transfer, CASEHOOK_E_NO_MEMORY, no_memory);
    transfer->wire = wire;
    return true;
}

static struct casehook__text kept(const struct casehook__transfer *transfer,
                                  const struct casehook__kept_header *header)
{
    struct casehook__text text = {NULL, 0};
    if (header->present)
        text = (struct casehook__text){casehook__buf_string(&transfer->head) + header->begin, header->length};
    return text;
}

static void answer(struct casehook__transfer *transfer)
{
    transfer->answered = true;
    /* Without a content encoding: libcurl has decoded what it offered, or failed. */
    transfer->response = (struct casehook__response){
        .status = (int)transfer->status,
        .content_type = kept(transfer, &transfer->content_type),
        .location = kept(transfer, &transfer->location),
        .retry_after = kept(transfer, &transfer->retry_after),
        .body = casehook__buf_text(&transfer->body),
    };
}

void casehook__transfer_cancel(struct casehook__transfer *transfer)
{
    leave_wire(transfer);
    transfer->answered = false;
    transfer->failure = (struct casehook__failure){
        .status = CASEHOOK_E_CANCELLED, .sent = transfer->sends > 0, .message = "cancelled"};
}

struct casehook__transfer *casehook__wire_next(struct casehook__wire *wire)
{
    CURLMsg *message;
    int left;
    do {
        message = curl_multi_info_read(wire->multi, &left);
    } while (message && message->msg != CURLMSG_DONE);
    if (!message) return NULL;
    char *private = NULL;
    CURLcode code = message->data.result;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
    struct casehook__transfer *transfer = (void *)private;
    /* To libcurl headers that break off are an answer without a body. */
    if (code == CURLE_OK && !transfer->head_ended) code = CURLE_PARTIAL_FILE;
    if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && transfer->body_cut && !transfer->header_limit &&
                             transfer->body.status != CASEHOOK_E_NO_MEMORY)) {
        if (!casehook__curl_fail_login(transfer)) answer(transfer);
    } else {
        casehook__curl_fail(transfer, code);
    }
    leave_wire(transfer);
    return transfer;
}
