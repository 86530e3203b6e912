/*
 * curl_handle.c - every option of an easy handle, set once but for method and headers.
 *
 * What is not wanted is switched off by name: the environment, cookies, netrc, redirects, other
 * schemes, partial chains, the default CA directory.
 */
#include "transport/curl_private.h"

/* Stops at the first option that libcurl refuses. */
#define SET(option, value)                                                   \
    do {                                                                     \
        if (curl_easy_setopt(easy, option, value) != CURLE_OK) return false; \
    } while (0)

static bool append_line(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer) *list = longer;
    return longer != NULL;
}

/* "Name: value"; libcurl wants "Name;" for an empty value.  NULL: no memory; the caller wipes and frees it.
 */
static char *header_line(struct casehook__heap *heap, const struct casehook__header *header)
{
    struct casehook__buf line;
    casehook__buf_init(&line, heap, CASEHOOK__DOCUMENT_MAX_BYTES);
    casehook__buf_append_text(&line, header->name);
    if (casehook__text_trim(header->value).length == 0) {
        casehook__buf_append_char(&line, ';');
    } else {
        casehook__buf_append_string(&line, ": ");
        casehook__buf_append_text(&line, header->value);
    }
    if (line.status == CASEHOOK_OK) return line.data;
    casehook__buf_free(&line);
    return NULL;
}

/* They may be secret. */
static void free_line(struct casehook__heap *heap, char *line)
{
    if (line) casehook__free_secret(heap, line, strlen(line));
}

static bool append_header(struct casehook__heap *heap, struct curl_slist **list,
                          const struct casehook__header *header)
{
    char *line = header_line(heap, header);
    bool done = line && append_line(list, line);
    free_line(heap, line);
    return done;
}

static bool has_header(const struct casehook__header *items, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (casehook__text_is_nocase(items[i].name, name)) return true;
    return false;
}

static bool request_headers(struct casehook__transfer *transfer, const struct casehook__request *request,
                            struct curl_slist **list)
{
    size_t max = casehook__request_headers_max(transfer->config);
    struct casehook__header *items = casehook__calloc(transfer->heap, max, sizeof *items);
    struct casehook__request lasting = *request;
    if (!items) return false;
    lasting.idempotency_key.data = NULL; /* what is its own comes in front of them */
    lasting.own_count = 0;
    size_t count = casehook__request_headers(transfer->config, &lasting, items, max);
    bool done = true, body = request->method != CASEHOOK__METHOD_GET;
    /* With a body libcurl adds Expect and a content type unless they are named without a value. */
    if (body) done = append_line(list, "Expect:");
    if (done && body && !has_header(items, count, "Content-Type")) done = append_line(list, "Content-Type:");
    /* Answers to writes are short.  libcurl would name all that it decodes, and format the line twice. */
    if (done && !casehook__request_names(transfer->config, request, CASEHOOK__TEXT("Accept-Encoding")))
        done = append_line(list, body ? "Accept-Encoding:" : "Accept-Encoding: gzip");
    for (size_t i = 0; i < count && done; i++) done = append_header(transfer->heap, list, &items[i]);
    casehook__free(transfer->heap, items);
    return done;
}

static bool set_limits(struct casehook__transfer *transfer, CURL *easy)
{
    const struct casehook__settings_snapshot *settings = transfer->settings;
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)settings->connect_timeout_ms);
    SET(CURLOPT_MAXAGE_CONN, (long)((settings->idle_timeout_ms + 999) / 1000));
    SET(CURLOPT_QUICK_EXIT, 1L); /* a name look-up that hangs must not hold the time limit up */

    /* Of every request under way; most answers fit, and larger ones are read in more steps. */
    SET(CURLOPT_BUFFERSIZE, 4096L);
    SET(CURLOPT_UPLOAD_BUFFERSIZE, 16384L);
    return true;
}

static bool set_nothing_from_outside(CURL *easy)
{
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_NOPROXY, ""); /* else NO_PROXY of the environment beats an explicit proxy */
    SET(CURLOPT_ACCEPT_ENCODING, "");
    return true;
}

/* Only where HTTP/2 may be spoken: each of its words costs something. */
static bool set_words(struct casehook__transfer *transfer, CURL *easy)
{
    if (transfer->settings->http_version == CASEHOOK__HTTP_1_1) return true;
    SET(CURLOPT_VERBOSE, 1L);
    SET(CURLOPT_DEBUGFUNCTION, casehook__curl_on_words);
    SET(CURLOPT_DEBUGDATA, transfer);
    return true;
}

static bool set_callbacks(struct casehook__transfer *transfer, CURL *easy)
{
    SET(CURLOPT_PRIVATE, transfer);
    SET(CURLOPT_ERRORBUFFER, transfer->detail);
    SET(CURLOPT_HEADERFUNCTION, casehook__curl_on_header);
    SET(CURLOPT_HEADERDATA, transfer);
    SET(CURLOPT_WRITEFUNCTION, casehook__curl_on_body);
    SET(CURLOPT_WRITEDATA, transfer);
    SET(CURLOPT_PREREQFUNCTION, casehook__curl_on_send);
    SET(CURLOPT_PREREQDATA, transfer);
    SET(CURLOPT_OPENSOCKETFUNCTION, casehook__curl_on_socket);
    SET(CURLOPT_OPENSOCKETDATA, transfer);
    SET(CURLOPT_CLOSESOCKETFUNCTION, casehook__curl_on_close);
    SET(CURLOPT_SSL_CTX_FUNCTION, casehook__curl_on_tls);
    SET(CURLOPT_SSL_CTX_DATA, transfer);
    return true;
}

/* The store is ours (casehook__curl_on_tls): libcurl must load nothing. */
static bool set_tls(const struct casehook__policy *policy, CURL *easy)
{
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_OPTIONS, (long)CURLSSLOPT_NO_PARTIALCHAIN);
    SET(CURLOPT_CAINFO, NULL);
    SET(CURLOPT_CAPATH, NULL);
    SET(CURLOPT_CA_CACHE_TIMEOUT, 0L); /* else the proxy's store is put in place of the target's */
    SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
    SET(CURLOPT_SSL_VERIFYPEER, policy->mode == CASEHOOK__MODE_NONE ? 0L : 1L);
    SET(CURLOPT_SSL_VERIFYHOST, policy->mode == CASEHOOK__MODE_FULL ? 2L : 0L);
    return true;
}

static bool set_proxy_tls(const struct casehook__policy *policy, CURL *easy)
{
    SET(CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_PROXY_SSL_OPTIONS, (long)CURLSSLOPT_NO_PARTIALCHAIN);
    SET(CURLOPT_PROXY_CAINFO, NULL);
    SET(CURLOPT_PROXY_CAPATH, NULL);
    SET(CURLOPT_PROXY_SSL_VERIFYPEER, policy->proxy_mode == CASEHOOK__MODE_NONE ? 0L : 1L);
    SET(CURLOPT_PROXY_SSL_VERIFYHOST, policy->proxy_mode == CASEHOOK__MODE_FULL ? 2L : 0L);
    return true;
}

/* With CONNECT they go to the proxy alone; else beside the request's own, which have a user agent. */
static bool proxy_headers(struct casehook__transfer *transfer, struct curl_slist **list)
{
    const struct casehook__headers *headers = &transfer->policy.proxy->headers;
    bool done = true;
    if (transfer->policy.tunnel && !casehook__headers_find(headers, CASEHOOK__TEXT("User-Agent")))
        done = append_line(list, "User-Agent: libcasehook/" CASEHOOK_VERSION_STRING);
    for (size_t i = 0; i < headers->count && done; i++)
        done = append_header(transfer->heap, list, &headers->items[i]);
    return done;
}

/* "" keeps the proxies of the environment away. */
static bool set_proxy(struct casehook__transfer *transfer, struct casehook__handle *handle)
{
    CURL *easy = handle->easy;
    struct casehook__buf url;
    if (!transfer->policy.proxy) {
        SET(CURLOPT_PROXY, "");
        return true;
    }
    if (!proxy_headers(transfer, &handle->proxy_headers) || !set_proxy_tls(&transfer->policy, easy))
        return false;
    if (transfer->policy.tunnel) {
        SET(CURLOPT_XFERINFOFUNCTION, casehook__curl_on_tunnel);
        SET(CURLOPT_XFERINFODATA, transfer);
        SET(CURLOPT_NOPROGRESS, 0L);
    }
    SET(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
    SET(CURLOPT_PROXYHEADER, handle->proxy_headers);
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    casehook__buf_init(&url, transfer->heap, CASEHOOK__URL_MAX_BYTES);
    casehook__origin_append(&url, &transfer->policy.proxy->origin);
    bool https = transfer->policy.proxy->origin.https;
    bool done =
        url.status == CASEHOOK_OK && curl_easy_setopt(easy, CURLOPT_PROXY, url.data) == CURLE_OK &&
        curl_easy_setopt(easy, CURLOPT_PROXYPORT, (long)transfer->policy.proxy->origin.port) == CURLE_OK &&
        curl_easy_setopt(easy, CURLOPT_PROXYTYPE, (long)(https ? CURLPROXY_HTTPS : CURLPROXY_HTTP)) ==
            CURLE_OK;
    casehook__buf_free(&url);
    return done;
}

static bool make_handle(struct casehook__transfer *transfer, struct casehook__handle *handle)
{
    static const long versions[] = {CURL_HTTP_VERSION_1_1, CURL_HTTP_VERSION_2TLS, CURL_HTTP_VERSION_2TLS};
    CURL *easy = handle->easy = curl_easy_init();
    handle->url = curl_url();
    handle->old_counts = curl_version_info(CURLVERSION_NOW)->version_num < 0x080700;
    return easy && handle->url && curl_easy_setopt(easy, CURLOPT_CURLU, handle->url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, versions[transfer->settings->http_version]) ==
               CURLE_OK &&
           set_limits(transfer, easy) && set_nothing_from_outside(easy) && set_callbacks(transfer, easy) &&
           set_words(transfer, easy) && set_tls(&transfer->policy, easy) && set_proxy(transfer, handle);
}

/* The two things that differ between requests of one policy, besides URL, body and time. */
static bool set_shape(CURL *easy, enum casehook__method method, struct curl_slist *headers)
{
    bool own_name = method == CASEHOOK__METHOD_PUT || method == CASEHOOK__METHOD_PATCH;
    SET(CURLOPT_HTTPHEADER, headers);
    SET(CURLOPT_CUSTOMREQUEST, own_name ? casehook__method_name(method) : NULL);
    if (method == CASEHOOK__METHOD_GET)
        SET(CURLOPT_HTTPGET, 1L);
    else
        SET(CURLOPT_POST, 1L);
    return true;
}

static void free_own(struct casehook__heap *heap, struct casehook__handle *handle)
{
    for (size_t i = 0; i < handle->own_count; i++) free_line(heap, handle->own[i].data);
    handle->own_count = 0;
}

static bool has_key(const struct casehook__transfer *transfer, const struct casehook__request *request)
{
    return request->idempotency_key.data && transfer->config->idempotency->header.data;
}

static bool put_line(struct casehook__transfer *transfer, const struct casehook__header *header,
                     struct curl_slist **headers)
{
    struct casehook__handle *handle = &transfer->handle;
    char *line = header_line(transfer->heap, header);
    if (!line) return false;
    handle->own[handle->own_count] = (struct curl_slist){.data = line, .next = *headers};
    *headers = &handle->own[handle->own_count++];
    return true;
}

/* The lines of this request alone, in front of those that all have.  False: no memory. */
static bool put_own(struct casehook__transfer *transfer, const struct casehook__request *request,
                    struct curl_slist *headers)
{
    struct casehook__handle *handle = &transfer->handle;
    size_t max = casehook__own_headers_max(transfer->config) + 1;
    if (!handle->own) handle->own = casehook__calloc(transfer->heap, max, sizeof *handle->own);
    if (!handle->own) return false;
    free_own(transfer->heap, handle);
    handle->shape = NULL; /* the next request has other ones */
    for (size_t i = request->own_count; i-- > 0;)
        if (!put_line(transfer, &request->own[i], &headers)) return false;
    const struct casehook__header key = {has_key(transfer, request) ? transfer->config->idempotency->header
                                                                    : (struct casehook__text){0},
                                         request->idempotency_key, false};
    if (key.name.data && !put_line(transfer, &key, &headers)) return false;
    return curl_easy_setopt(handle->easy, CURLOPT_HTTPHEADER, headers) == CURLE_OK;
}

bool casehook__curl_handle(struct casehook__transfer *transfer, const struct casehook__request *request)
{
    struct casehook__handle *handle = &transfer->handle;
    struct curl_slist **headers = &handle->headers[request->call][request->method == CASEHOOK__METHOD_GET];
    bool own = request->own_count || has_key(transfer, request);
    if (*headers && handle->shape == *headers && !own) return true;
    handle->shape = NULL;
    if ((handle->easy || make_handle(transfer, handle)) &&
        (*headers || request_headers(transfer, request, headers)) &&
        set_shape(handle->easy, request->method, *headers)) {
        handle->shape = *headers;
        if (!own || put_own(transfer, request, *headers)) return true;
    }
    casehook__curl_handle_free(transfer->heap, handle);
    return false;
}

/* They may be secret. */
static void free_headers(struct curl_slist *list)
{
    for (struct curl_slist *line = list; line; line = line->next)
        casehook__wipe(line->data, strlen(line->data));
    curl_slist_free_all(list);
}

void casehook__curl_handle_free(struct casehook__heap *heap, struct casehook__handle *handle)
{
    if (handle->easy) curl_easy_cleanup(handle->easy);
    free_own(heap, handle);
    casehook__free(heap, handle->own);
    curl_url_cleanup(handle->url);
    for (size_t call = 0; call < CASEHOOK__CALLS; call++)
        for (size_t get = 0; get < 2; get++) free_headers(handle->headers[call][get]);
    free_headers(handle->proxy_headers);
    *handle = (struct casehook__handle){0};
}
