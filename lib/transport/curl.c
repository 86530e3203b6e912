/* curl.c - transfers on a transport: starting, waiting, ending. */
#include "transport/curl_private.h"

#include "base/clock.h"

#define TOGETHER_BYTES                                                                  \
    (64 * 1024) /* libcurl sends less than that of a body in one piece with the headers \
                 */

static int transfer_new(struct casehook__heap *heap, const struct casehook__config *config,
                        const struct casehook__settings_snapshot *settings,
                        const struct casehook__policy *policy, const struct casehook__reuse_map *reuse,
                        struct casehook__transfer **out)
{
    struct casehook__transfer *transfer = *out = casehook__calloc(heap, 1, sizeof *transfer);
    if (!transfer) return CASEHOOK_E_NO_MEMORY;
    transfer->heap = heap;
    transfer->config = config;
    transfer->settings = settings;
    transfer->policy = *policy;
    transfer->reuse = reuse;
    casehook__buf_init(&transfer->head, heap, CASEHOOK__HEADER_BYTES_MAX);
    casehook__buf_init(&transfer->body, heap, settings->max_response_content_length);
    return CASEHOOK_OK;
}

static bool join_transport(struct casehook__transfer *transfer, struct casehook__transport *transport)
{
    if (transport->spoiled && !casehook__curl_mend(transport)) return false;
    if (curl_multi_add_handle(transport->multi, transfer->handle.easy) != CURLM_OK) return false;
    transfer->transport = transport;
    transfer->doomed = false;
    transfer->next = NULL;
    transfer->previous = transport->last;
    *(transport->last ? &transport->last->next : &transport->first) = transfer;
    transport->last = transfer;
    return true;
}

static void unlink_transfer(struct casehook__transport *transport, struct casehook__transfer *transfer)
{
    *(transfer->previous ? &transfer->previous->next : &transport->first) = transfer->next;
    *(transfer->next ? &transfer->next->previous : &transport->last) = transfer->previous;
    if (transfer->doomed) transport->doomed--;
    transfer->doomed = false;
}

/* A connection that is in use when its transfer leaves is closed by libcurl, which tells so. */
static void leave_transport(struct casehook__transfer *transfer)
{
    if (transfer->transport) {
        casehook__curl_give_up(transfer);
        curl_multi_remove_handle(transfer->transport->multi, transfer->handle.easy);
        casehook__curl_gave_up(transfer, transfer->transport);
        unlink_transfer(transfer->transport, transfer);
    }
    if (transfer->connection) transfer->connection->user = NULL;
    transfer->connection = NULL;
    transfer->transport = NULL;
}

static void transfer_free(struct casehook__transfer *transfer)
{
    if (!transfer) return;
    leave_transport(transfer);
    casehook__curl_handle_free(transfer->heap, &transfer->handle);
    casehook__trust_unref(transfer->system_trust);
    casehook__buf_free(&transfer->head);
    casehook__buf_free(&transfer->body);
    /* libcurl's and OpenSSL's words may quote the server. */
    casehook__free_secret(transfer->heap, transfer, sizeof *transfer);
}

static void transfer_shrink(struct casehook__transfer *transfer, size_t kept)
{
    if (transfer && transfer->body.capacity > kept) casehook__buf_free(&transfer->body);
}

static const struct casehook__response *transfer_response(const struct casehook__transfer *transfer)
{
    return transfer->answered ? &transfer->response : NULL;
}

static const struct casehook__failure *transfer_failure(const struct casehook__transfer *transfer)
{
    return &transfer->failure;
}

/* What one try has left behind. */
static void forget_try(struct casehook__transfer *transfer)
{
    static const struct casehook__kept_header none;
    transfer->content_type = transfer->content_encoding = transfer->location = transfer->retry_after =
        transfer->id_header = none;
    transfer->sends = transfer->handshakes = transfer->socket_count = 0;
    transfer->socket_error = 0;
    transfer->stream = 0;
    transfer->number = CASEHOOK__NO_NUMBER;
    transfer->stage = CASEHOOK__STAGE_CHOOSING;
    transfer->stop = CASEHOOK__STOP_NONE;
    transfer->stream_refused = transfer->stream_closed = transfer->kept = transfer->denied = false;
    transfer->header_bytes = transfer->tunnel_bytes = 0;
    transfer->has_length = transfer->odd_length = transfer->coded = false;
    transfer->keep_seconds = 0;
    transfer->answered = false;
    transfer->detail[0] = '\0';
    transfer->tls.verified = transfer->proxy_tls.verified = transfer->tls.asked = false;
    transfer->folds = transfer->folds_too = NULL;
    casehook__buf_clear(&transfer->head);
    casehook__buf_clear(&transfer->body);
    casehook__buf_limit(&transfer->body, transfer->settings->max_response_content_length);
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

/*
 * responseTimeout, or what the deadline of the operation leaves of it.  libcurl does not look after that: its
 * own limit would throw away an answer that came in time but is read late, and it would be gone with a timer
 * that libcurl lost.
 */
static bool set_limit(struct casehook__transfer *transfer, int64_t deadline)
{
    int64_t now = casehook__clock_ms(), time = transfer->settings->response_timeout_ms;
    transfer->deadline_first = deadline != CASEHOOK__NO_DEADLINE && deadline - now < time;
    if (transfer->deadline_first) time = deadline - now;
    if (time <= 0) return never_started(transfer, CASEHOOK_E_TIMEOUT, "the deadline of the call has passed");
    transfer->limit = now + time;
    transfer->limit_ms = (long)time;
    return true;
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
    if (request->method == CASEHOOK__METHOD_GET) return true;
    const char *body = request->body.data ? request->body.data : "";
    return curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.length) == CURLE_OK;
}

static bool set_fresh(struct casehook__handle *handle, bool fresh)
{
    if (handle->fresh == fresh) return true;
    handle->fresh = fresh;
    return curl_easy_setopt(handle->easy, CURLOPT_FRESH_CONNECT, fresh ? 1L : 0L) == CURLE_OK;
}

static bool set_transport(struct casehook__handle *handle, struct casehook__transport *transport)
{
    if (handle->transport == transport) return true;
    handle->transport = transport;
    return curl_easy_setopt(handle->easy, CURLOPT_CLOSESOCKETDATA, transport) == CURLE_OK;
}

static bool set_kept(struct casehook__transfer *transfer)
{
    bool never = transfer->settings->reuse_connections == CASEHOOK__REUSE_NEVER;
    return casehook__curl_forbid_reuse(&transfer->handle, never);
}

static bool transfer_start(struct casehook__transfer *transfer, struct casehook__transport *transport,
                           const struct casehook__request *request, int64_t deadline, void *owner)
{
    static const char no_memory[] = "out of memory before the request was sent";
    forget_try(transfer);
    transfer->owner = owner;
    transfer->request = request;
    transfer->renewed = false;
    if (!casehook__curl_handle(transfer, request))
        return never_started(transfer, CASEHOOK_E_NO_MEMORY, no_memory);
    if (!need_trust(transfer, request->origin->https)) return false;
    if (!set_limit(transfer, deadline)) return false;
    struct casehook__handle *handle = &transfer->handle;
    if (!set_request(transfer, request) || !set_transport(handle, transport) ||
        !set_fresh(handle, casehook__curl_wants_fresh(transfer, transport)) || !set_kept(transfer) ||
        !join_transport(transfer, transport))
        return never_started(transfer, CASEHOOK_E_NO_MEMORY, no_memory);
    return true;
}

/* The same request on a new connection, within the same time.  False: it could not be started. */
static bool renew(struct casehook__transfer *transfer)
{
    struct casehook__transport *transport = transfer->transport;
    leave_transport(transfer);
    forget_try(transfer);
    transfer->renewed = true;
    return set_kept(transfer) && set_fresh(&transfer->handle, true) && join_transport(transfer, transport);
}

static struct casehook__text kept(const struct casehook__transfer *transfer,
                                  const struct casehook__kept_header *header)
{
    struct casehook__text text = {NULL, 0};
    if (header->present)
        text = (struct casehook__text){casehook__buf_string(&transfer->head) + header->begin, header->length};
    return text;
}

static void read_easy_response(struct casehook__transfer *transfer)
{
    struct casehook__response *response = &transfer->response;
    response->status = (int)transfer->status;
    response->content_type = kept(transfer, &transfer->content_type);
    /* No content encoding: libcurl has decoded what it offered, or failed. */
    response->location = kept(transfer, &transfer->location);
    response->retry_after = kept(transfer, &transfer->retry_after);
    response->id_header = kept(transfer, &transfer->id_header);
    response->body = casehook__buf_text(&transfer->body);
}

/* All of the body is there, whatever became of the connection. */
static bool is_whole(const struct casehook__transfer *transfer)
{
    if (transfer->stream_closed) return true;
    return transfer->has_length && !transfer->content_encoding.present &&
           transfer->body.length == transfer->length;
}

/*
 * A status line that was read counts (R1): of a refusal the body is only for the eye, and a success that is
 * complete stays one when the connection, or the time, ends before the request was read to its end.
 */
static bool is_answer(const struct casehook__transfer *transfer)
{
    return transfer->stage >= CASEHOOK__STAGE_HEAD && transfer->stop != CASEHOOK__STOP_MEMORY &&
           (transfer->status >= 300 || is_whole(transfer));
}

/* What has failed may still have told something. */
static void note_partial(struct casehook__transfer *transfer)
{
    if (transfer->stage < CASEHOOK__STAGE_HEAD) return;
    read_easy_response(transfer);
    transfer->failure.partial = &transfer->response;
}

/* -1: it did not come to that. */
static int64_t time_until(CURL *easy, CURLINFO info)
{
    curl_off_t us = 0;
    return curl_easy_getinfo(easy, info, &us) == CURLE_OK && us > 0 ? us : -1;
}

static uint64_t bytes_of(CURL *easy, CURLINFO info)
{
    curl_off_t bytes = 0;
    curl_easy_getinfo(easy, info, &bytes);
    return (uint64_t)bytes;
}

/* To libcurl a body that went out with the headers is a part of them, up to 8.7, and is counted again as a
 * body. */
static uint64_t bytes_sent(const struct casehook__transfer *transfer)
{
    long headers = 0;
    size_t body = transfer->request->body.length;
    curl_easy_getinfo(transfer->handle.easy, CURLINFO_REQUEST_SIZE, &headers);
    bool together = body < TOGETHER_BYTES && transfer->handle.old_counts;
    return (uint64_t)headers +
           (body && !together ? bytes_of(transfer->handle.easy, CURLINFO_SIZE_UPLOAD_T) : 0);
}

/* Few questions: each costs something. */
static void measure(const struct casehook__transfer *transfer, struct casehook__metrics *metrics)
{
    CURL *easy = transfer->handle.easy;
    metrics->known = true;
    metrics->reused = transfer->kept;
    metrics->name_us = metrics->connect_us = metrics->tls_us = -1;
    metrics->first_byte_us = time_until(easy, CURLINFO_STARTTRANSFER_TIME_T);
    metrics->total_us = time_until(easy, CURLINFO_TOTAL_TIME_T);
    metrics->sent = bytes_sent(transfer);
    metrics->received = transfer->header_bytes + bytes_of(easy, CURLINFO_SIZE_DOWNLOAD_T);
    if (transfer->kept) return;
    metrics->name_us = time_until(easy, CURLINFO_NAMELOOKUP_TIME_T);
    metrics->connect_us = time_until(easy, CURLINFO_CONNECT_TIME_T);
    metrics->tls_us = time_until(easy, CURLINFO_APPCONNECT_TIME_T);
}

/* Whether it was answered is decided, and if not, failure says why. */
static void conclude(struct casehook__transfer *transfer)
{
    if (transfer->answered)
        read_easy_response(transfer);
    else
        note_partial(transfer);
    measure(transfer, &transfer->response.metrics);
    transfer->failure.metrics = transfer->response.metrics;
    leave_transport(transfer);
}

static void settle(struct casehook__transfer *transfer, CURLcode code)
{
    /* To libcurl headers that break off are an answer without a body. */
    if (code == CURLE_OK && transfer->stage < CASEHOOK__STAGE_HEAD) code = CURLE_PARTIAL_FILE;
    transfer->answered = code == CURLE_OK || is_answer(transfer);
    if (!transfer->answered) casehook__curl_fail(transfer, code);
    if (code == CURLE_OK) casehook__curl_learn(transfer);
    conclude(transfer);
}

static int64_t transfer_limit(const struct casehook__transfer *transfer)
{
    return transfer->limit;
}

static void transfer_expire(struct casehook__transfer *transfer)
{
    transfer->answered = is_answer(transfer);
    if (!transfer->answered) casehook__curl_fail_time(transfer);
    conclude(transfer);
}

static void transfer_cancel(struct casehook__transfer *transfer)
{
    transfer->answered = is_answer(transfer);
    transfer->failure = (struct casehook__failure){
        .status = CASEHOOK_E_CANCELLED, .sent = casehook__curl_was_sent(transfer), .message = "cancelled"};
    conclude(transfer);
}

/* One that libcurl says has ended; NULL: none. */
static struct casehook__transfer *next_ended(struct casehook__transport *transport)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(transport->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE) continue;
        char *private = NULL;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
        struct casehook__transfer *transfer = (void *)private;
        if (casehook__curl_may_renew(transfer, code)) {
            if (transfer->stop != CASEHOOK__STOP_CONNECTION) casehook__curl_died(transfer);
            if (renew(transfer)) continue;
            code = CURLE_OUT_OF_MEMORY;
        }
        settle(transfer, code);
        return transfer;
    }
    return NULL;
}

static void *next_owner(struct casehook__transport *transport)
{
    struct casehook__transfer *transfer = next_ended(transport);
    if (!transfer && transport->doomed) {
        transfer = transport->first; /* those that came later are not doomed */
        settle(transfer, CURLE_OUT_OF_MEMORY);
    }
    return transfer ? transfer->owner : NULL;
}

const struct casehook__transport_ops casehook__transport_curl = {
    .open = casehook__curl_open,
    .close = casehook__curl_close,
    .transfer_new = transfer_new,
    .transfer_free = transfer_free,
    .shrink = transfer_shrink,
    .start = transfer_start,
    .limit = transfer_limit,
    .expire = transfer_expire,
    .cancel = transfer_cancel,
    .response = transfer_response,
    .failure = transfer_failure,
    .perform = casehook__curl_perform,
    .poll = casehook__curl_poll,
    .poll_with = casehook__curl_poll_with,
    .wakeup = casehook__curl_wakeup,
    .next = next_owner,
    .keep = casehook__curl_keep,
    .watch = casehook__curl_watch,
    .act = casehook__curl_act,
    .tick = casehook__curl_tick,
    .sweep = casehook__curl_sweep,
};
