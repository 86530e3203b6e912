/* exchange_handle_json.c - the next request of an exchange as JSON, for bindings. */
#include "call/exchange_handle.h"

#include "json/jstext.h"

static void request_text(struct casehook__buf *json, const char *name, const char *text)
{
    casehook__buf_append_string(json, name);
    if (text)
        casehook__js_string(json, casehook__text(text));
    else
        casehook__buf_append_string(json, "null");
}

static void request_number(struct casehook__buf *json, const char *name, size_t number)
{
    casehook__buf_append_string(json, name);
    casehook__buf_append_number(json, (int64_t)number);
}

/* "nameNumber": the code, and "name": the same in words, a comma behind both. */
static void request_code(struct casehook__buf *json, const char *name, const char *word, int code)
{
    casehook__buf_append_char(json, '"');
    casehook__buf_append_string(json, name);
    casehook__buf_append_string(json, "Number\":");
    casehook__buf_append_number(json, code);
    casehook__buf_append_string(json, ",\"");
    casehook__buf_append_string(json, name);
    request_text(json, "\":", word);
    casehook__buf_append_char(json, ',');
}

static void headers_object(struct casehook__buf *json, const struct casehook_http_header *headers,
                           size_t count)
{
    casehook__buf_append_char(json, '{');
    for (size_t i = 0; i < count; i++) {
        if (i) casehook__buf_append_char(json, ',');
        casehook__js_string(json, casehook__text(headers[i].name));
        casehook__buf_append_char(json, ':');
        casehook__js_string(json, casehook__text(headers[i].value));
    }
    casehook__buf_append_char(json, '}');
}

static void proxy_object(struct casehook__buf *json, const struct casehook_http_request *request)
{
    casehook__buf_append_string(json, ",\"proxy\":");
    if (!request->proxy_url) {
        casehook__buf_append_string(json, "null");
        return;
    }
    request_text(json, "{\"url\":", request->proxy_url);
    casehook__buf_append_string(json, ",\"headers\":");
    headers_object(json, request->proxy_headers, request->proxy_header_count);
    request_text(json, ",\"verificationMode\":", request->proxy_verification_mode);
    request_text(json, ",\"ca\":", request->proxy_ca);
    casehook__buf_append_char(json, '}');
}

static void body_member(struct casehook__buf *json, const struct casehook_http_request *request)
{
    struct casehook__text body = {request->body, request->body_length};
    casehook__buf_append_string(json, ",\"body\":");
    if (body.data)
        casehook__js_string(json, body);
    else
        casehook__buf_append_string(json, "null");
}

/* The text that was written; what cannot be told cannot be done either. */
static const char *give_json(struct casehook_exchange *handle, size_t *length)
{
    struct casehook__failure failure = {.status = CASEHOOK_E_NO_MEMORY,
                                        .message = "out of memory before the request was sent"};
    casehook__buf_append_char(&handle->json, '}');
    if (handle->json.status) {
        casehook__machine_fail(&handle->core, &failure);
        return NULL;
    }
    if (length) *length = handle->json.length;
    return handle->json.data;
}

const char *casehook_exchange_next_json(struct casehook_exchange *handle, size_t *length)
{
    struct casehook_http_request request;
    if (length) *length = 0;
    int turn = casehook__exchange_handle_next(handle, &request);
    if (turn != CASEHOOK_EXCHANGE_REQUEST && turn != CASEHOOK_EXCHANGE_WAIT) return NULL;
    struct casehook__buf *json = &handle->json;
    casehook__buf_clear(json);
    casehook__buf_append_char(json, '{');
    if (turn == CASEHOOK_EXCHANGE_WAIT) {
        request_number(json, "\"waitMs\":", (uint64_t)request.wait_ms);
        return give_json(handle, length);
    }
    request_code(json, "operation", casehook_operation_name(request.operation), request.operation);
    request_code(json, "step", casehook_step_name(request.step), request.step);
    request_text(json, "\"method\":", request.method);
    request_text(json, ",\"url\":", request.url);
    casehook__buf_append_string(json, ",\"headers\":");
    headers_object(json, request.headers, request.header_count);
    body_member(json, &request);
    request_text(json, ",\"verificationMode\":", request.verification_mode);
    request_text(json, ",\"ca\":", request.ca);
    request_text(json, ",\"clientCertificate\":", request.client_certificate);
    request_text(json, ",\"clientKey\":", request.client_key);
    proxy_object(json, &request);
    request_number(json, ",\"maxBodyBytes\":", request.max_body_bytes);
    request_number(json, ",\"timeoutMs\":", request.timeout_ms);
    request_number(json, ",\"connectTimeoutMs\":", request.connect_timeout_ms);
    return give_json(handle, length);
}
