/* drive_exchange.c - a host with an HTTP client of its own: one libcurl handle per request. */
#include "drive_exchange.h"
#include "memory.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct client {
    CURL *easy;
    struct curl_slist *headers, *proxy_headers;
    char *head, *body;
    size_t head_length, body_length, body_max;
    int cut; /* the body is longer than the library wants to see */
    char message[CURL_ERROR_SIZE];
};

static size_t take_head(char *bytes, size_t size, size_t count, void *user)
{
    struct client *client = user;
    (void)size;
    if (count >= 5 && memcmp(bytes, "HTTP/", 5) == 0) { /* after those of a proxy the server's own follow */
        client->head_length = 0;
        return count;
    }
    client->head = must_grow(client->head, client->head_length + count);
    memcpy(client->head + client->head_length, bytes, count);
    client->head_length += count;
    return count;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *user)
{
    struct client *client = user;
    (void)size;
    size_t room = client->body_max + 1 - client->body_length, n = count < room ? count : room;
    client->body = must_grow(client->body, client->body_length + n + 1);
    memcpy(client->body + client->body_length, bytes, n);
    client->body_length += n;
    client->cut = client->body_length > client->body_max;
    return client->cut ? 0 : count;
}

static struct curl_slist *make_list(const struct casehook_http_header *headers, size_t count, size_t size)
{
    struct curl_slist *list = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct casehook_http_header *header =
            (const struct casehook_http_header *)(const void *)((const char *)headers + i * size);
        /* "Name;" is libcurl's way to send a header without a value */
        char *line = *header->value ? must_format("%s: %s", header->name, header->value)
                                    : must_format("%s;", header->name);
        list = curl_slist_append(list, line);
        free(line);
    }
    return list;
}

static void set_blob(CURL *easy, CURLoption option, const char *text)
{
    struct curl_blob blob = {(void *)(uintptr_t)text, text ? strlen(text) : 0, CURL_BLOB_COPY};
    if (text) curl_easy_setopt(easy, option, &blob);
}

static void set_trust(CURL *easy, const struct casehook_http_request *request)
{
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, strcmp(request->verification_mode, "none") ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, strcmp(request->verification_mode, "full") ? 0L : 2L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_OPTIONS, (long)CURLSSLOPT_NO_PARTIALCHAIN);
    if (request->ca) curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); /* it would add to the blob */
    set_blob(easy, CURLOPT_CAINFO_BLOB, request->ca);
    set_blob(easy, CURLOPT_SSLCERT_BLOB, request->client_certificate);
    set_blob(easy, CURLOPT_SSLKEY_BLOB, request->client_key);
}

static void set_request(struct client *client, const struct casehook_http_request *request)
{
    CURL *easy = client->easy;
    curl_easy_setopt(easy, CURLOPT_URL, request->url);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, client->headers);
    if (request->body) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
    }
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    curl_easy_setopt(easy, CURLOPT_PROXY, request->proxy_url ? request->proxy_url : "");
    curl_easy_setopt(easy, CURLOPT_PROXYHEADER, client->proxy_headers);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

static void set_client(struct client *client)
{
    CURL *easy = client->easy;
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, client->message);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_head);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, client);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, client);
}

static int status_of(CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY: return CASEHOOK_E_RESOLVE;
    case CURLE_COULDNT_CONNECT: return CASEHOOK_E_CONNECT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_PEER_FAILED_VERIFICATION: return CASEHOOK_E_TLS;
    case CURLE_OPERATION_TIMEDOUT: return CASEHOOK_E_TIMEOUT;
    default: return CASEHOOK_E_NETWORK;
    }
}

/* Only what is reported before the handshake is over is certain not to have been sent. */
static int was_sent(struct client *client)
{
    curl_off_t begun = 0;
    curl_easy_getinfo(client->easy, CURLINFO_PRETRANSFER_TIME_T, &begun);
    return begun > 0;
}

static void hand_back(struct client *client, CURLcode code, struct casehook_exchange *exchange)
{
    long status = 0;
    curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK || client->cut) {
        casehook_exchange_feed(exchange, (int)status, client->head, client->head_length, client->body,
                               client->body_length);
        return;
    }
    const char *message = *client->message ? client->message : curl_easy_strerror(code);
    if (status >= 200 && was_sent(client))
        casehook_exchange_feed_partial(exchange, (int)status, client->head, client->head_length, client->body,
                                       client->body_length, status_of(code), message);
    else
        casehook_exchange_fail(exchange, status_of(code), was_sent(client), message);
}

static void do_request(const struct casehook_http_request *request, struct casehook_exchange *exchange)
{
    struct client client = {.easy = curl_easy_init(), .body_max = request->max_body_bytes};
    client.headers = make_list(request->headers, request->header_count, request->header_size);
    client.headers = curl_slist_append(client.headers, "Expect:");
    client.proxy_headers =
        make_list(request->proxy_headers, request->proxy_header_count, request->header_size);
    client.body = must_copy("", 0);
    set_client(&client);
    set_request(&client, request);
    set_trust(client.easy, request);
    hand_back(&client, curl_easy_perform(client.easy), exchange);
    curl_easy_cleanup(client.easy);
    curl_slist_free_all(client.headers);
    curl_slist_free_all(client.proxy_headers);
    free(client.head);
    free(client.body);
}

int drive_exchange(struct casehook_connector *connector, const struct call *call, enum call_way way,
                   struct casehook_result **result)
{
    struct casehook_exchange *exchange = NULL;
    struct casehook_http_request request = {.struct_size = sizeof request};
    int status = way == CALL_STRUCT
                     ? casehook_exchange_new(connector, call->operation, &call->params, NULL, &exchange, NULL)
                     : casehook_exchange_new_json(connector, call->operation, call->json, call->json_length,
                                                  NULL, &exchange, NULL);
    int turn;
    *result = NULL;
    if (status != CASEHOOK_OK) return status;
    while ((turn = casehook_exchange_next(exchange, &request)) > CASEHOOK_EXCHANGE_ENDED) {
        const struct timespec rest = {.tv_sec = (time_t)(request.wait_ms / 1000),
                                      .tv_nsec = (long)(request.wait_ms % 1000) * 1000000};
        if (turn == CASEHOOK_EXCHANGE_WAIT)
            nanosleep(&rest, NULL);
        else
            do_request(&request, exchange);
    }
    *result = casehook_exchange_result(exchange);
    casehook_exchange_free(exchange);
    return casehook_error_status(casehook_result_error(*result));
}
