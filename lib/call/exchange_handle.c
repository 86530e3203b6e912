/* exchange_handle.c - the public exchange: operations for hosts with their own HTTP client. */
#include "run/operation.h"

#include "base/abi.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "call/exchange_handle.h"

#define TOKEN_WAIT_MS      100
#define REQUEST_FIRST_SIZE (offsetof(struct casehook_http_request, step) + sizeof(int))

static int handle_begin(struct casehook_exchange *handle, const struct casehook__input *input)
{
    struct casehook_error error;
    casehook__error_init(&error);
    struct casehook__input copy;
    int status = casehook__input_copy(handle->heap, input, 0, &handle->input, &copy, &error);
    if (!status) status = casehook__input_read(&copy, &handle->core.params, &error);
    handle->core.user = input->user;
    if (!status) return casehook__machine_begin(&handle->core, input->operation, false);
    if (status == CASEHOOK_E_NO_MEMORY) return status;
    casehook__params_clear(&handle->core.params);
    casehook__call_fault(handle->heap, input, &error, &handle->core.result);
    return handle->core.result ? CASEHOOK_OK : CASEHOOK_E_NO_MEMORY;
}

static struct casehook_exchange *make_handle_of(struct casehook_connector *connector,
                                                const struct casehook_options *options)
{
    struct casehook_exchange *handle = casehook__calloc(connector->heap, 1, sizeof *handle);
    if (!handle) return NULL;
    handle->heap = casehook__heap_ref(connector->heap);
    handle->connector = casehook_connector_ref(connector);
    handle->cancel = casehook__cancel_ref(options->cancel);
    handle->deadline = casehook__options_deadline(options);
    casehook__machine_init(&handle->core, handle->heap, &connector->context);
    handle->core.deadline = handle->deadline;
    handle->core.cancel = handle->cancel;
    casehook__buf_init(&handle->certificate, handle->heap, CASEHOOK__DOCUMENT_MAX_BYTES);
    casehook__buf_init(&handle->key, handle->heap, CASEHOOK__DOCUMENT_MAX_BYTES);
    casehook__buf_init(&handle->proxy_url, handle->heap, CASEHOOK__URL_MAX_BYTES);
    casehook__buf_init(&handle->json, handle->heap, CASEHOOK__RESULT_JSON_MAX);
    casehook__buf_init(&handle->unfolded, handle->heap, SIZE_MAX / 4); /* as much as the host gives */
    return handle;
}

static int make_exchange(struct casehook_connector *connector, struct casehook__input *input,
                         const struct casehook_options *given, struct casehook_exchange **out,
                         struct casehook_error *error)
{
    struct casehook_options options;
    int status = casehook__call_check(connector, input->operation, error);
    if (!status) status = casehook__options_read(given, &options, error);
    if (status) return status;
    input->user = options.user;
    struct casehook_exchange *handle = make_handle_of(connector, &options);
    if (!handle) return casehook__fail_memory(error);
    status = handle_begin(handle, input);
    if (status) {
        casehook_exchange_free(handle);
        return casehook__fail(error, status, "out of memory");
    }
    *out = handle;
    return CASEHOOK_OK;
}

static int create(struct casehook_connector *connector, struct casehook__input *input,
                  const struct casehook_options *options, struct casehook_exchange **out,
                  struct casehook_error **given)
{
    struct casehook_error error;
    casehook__error_init(&error);
    if (given) *given = NULL;
    if (out) {
        *out = NULL;
        make_exchange(connector, input, options, out, &error);
    } else {
        casehook__fail(&error, CASEHOOK_E_ARGUMENT, "exchange is NULL");
    }
    return casehook__call_refuse(connector ? connector->heap : NULL, &error, given);
}

int casehook_exchange_new(struct casehook_connector *connector, int operation,
                          const struct casehook_params *params, const struct casehook_options *options,
                          struct casehook_exchange **exchange, struct casehook_error **error)
{
    struct casehook__input input = {.operation = operation, .params = params};
    return create(connector, &input, options, exchange, error);
}

int casehook_exchange_new_json(struct casehook_connector *connector, int operation, const char *json,
                               size_t length, const struct casehook_options *options,
                               struct casehook_exchange **exchange, struct casehook_error **error)
{
    struct casehook__input input = {.operation = operation, .json = json, .length = length};
    return create(connector, &input, options, exchange, error);
}

/* ---- the next request ------------------------------------------------------------------------- */

static struct casehook_http_header *grow_headers(struct casehook_exchange *handle, size_t needed)
{
    if (needed <= handle->header_capacity) return handle->headers;
    void *headers = casehook__realloc(handle->heap, handle->headers, needed * sizeof *handle->headers);
    if (!headers) return NULL;
    handle->headers = headers;
    handle->header_capacity = needed;
    return headers;
}

/* Headers of the request, then those for the proxy, in one array. */
static bool list_headers(struct casehook_exchange *handle, const struct casehook__policy *policy)
{
    struct casehook__header *items = NULL;
    const struct casehook__headers *proxy = policy->proxy ? &policy->proxy->headers : NULL;
    size_t max = casehook__request_headers_max(handle->core.context->config),
           extra = proxy ? proxy->count : 0;
    struct casehook_http_header *headers = grow_headers(handle, max + extra);
    if (headers) items = casehook__calloc(handle->heap, max, sizeof *items);
    if (!items) return false;
    handle->header_count =
        casehook__request_headers(handle->core.context->config, &handle->request, items, max);
    for (size_t i = 0; i < handle->header_count; i++)
        headers[i] = (struct casehook_http_header){items[i].name.data, items[i].value.data};
    for (size_t i = 0; i < extra; i++)
        headers[handle->header_count + i] =
            (struct casehook_http_header){proxy->items[i].name.data, proxy->items[i].value.data};
    handle->proxy_header_count = extra;
    casehook__free(handle->heap, items);
    return true;
}

/* The PEM text behind a hop's trust. */
static const char *ca_of(const struct casehook_exchange *handle, const struct casehook__origin *origin,
                         bool target)
{
    const struct casehook__host_settings *host =
        casehook__settings_host(handle->core.context->settings, origin);
    if (target && handle->core.context->config->ca.data) return handle->core.context->config->ca.data;
    return host ? host->ca.data : NULL;
}

static bool describe_request(struct casehook_exchange *handle)
{
    struct casehook__policy *policy = &handle->policy;
    const struct casehook__request *request = &handle->request;
    casehook__policy_of(handle->core.context->settings, handle->core.context->config,
                        &handle->connector->certificates, request->origin, request->configured, policy);
    casehook__buf_clear(&handle->certificate);
    casehook__buf_clear(&handle->key);
    casehook__buf_clear(&handle->proxy_url);
    if (policy->identity && casehook__identity_to_pem(policy->identity, &handle->certificate, &handle->key))
        return false;
    if (policy->proxy && casehook__origin_append(&handle->proxy_url, &policy->proxy->origin)) return false;
    return list_headers(handle, policy);
}

static void fail_core(struct casehook_exchange *handle, int status, const char *message)
{
    struct casehook__failure failure = {.status = status, .message = message};
    casehook__machine_fail(&handle->core, &failure);
}

/* With REQUEST handle->request and policy are set. */
static int handle_advance(struct casehook_exchange *handle)
{
    int64_t left = handle->core.context->settings->response_timeout_ms;
    enum casehook__turn turn = casehook__machine_next(&handle->core, &handle->request);
    if (turn == CASEHOOK__TURN_WAIT && !casehook__cancel_is_set(handle->cancel))
        return CASEHOOK_EXCHANGE_WAIT;
    if (turn == CASEHOOK__TURN_WAIT)
        fail_core(handle, CASEHOOK_E_CANCELLED, "cancelled while it waited to try again");
    if (turn != CASEHOOK__TURN_SEND) return CASEHOOK_EXCHANGE_ENDED;
    if (handle->deadline != CASEHOOK__NO_DEADLINE && handle->deadline - casehook__clock_ms() < left)
        left = handle->deadline - casehook__clock_ms();
    handle->timeout_ms = (uint32_t)(left > 0 ? left : 0);
    if (casehook__cancel_is_set(handle->cancel))
        fail_core(handle, CASEHOOK_E_CANCELLED, "cancelled before the request was sent");
    else if (left <= 0)
        fail_core(handle, CASEHOOK_E_TIMEOUT, "the deadline of the call has passed");
    else if (!describe_request(handle))
        fail_core(handle, CASEHOOK_E_NO_MEMORY, "out of memory before the request was sent");
    else {
        casehook__log_request(handle->connector, &handle->core, CASEHOOK_LOG_DEBUG);
        return CASEHOOK_EXCHANGE_REQUEST;
    }
    return handle_advance(handle); /* which may wait to try again, or end */
}

static void fill_request(const struct casehook_exchange *handle, struct casehook_http_request *out)
{
    const struct casehook__request *request = &handle->request;
    const struct casehook__policy *policy = &handle->policy;
    *out = (struct casehook_http_request){
        .struct_size = sizeof *out,
        .method = casehook__method_name(request->method),
        .url = request->url,
        .headers = handle->headers,
        .header_count = handle->header_count,
        .header_size = sizeof *handle->headers,
        .body = request->body.data,
        .body_length = request->body.length,
        .verification_mode = casehook__mode_name(policy->mode),
        .ca = ca_of(handle, request->origin, true),
        .client_certificate = handle->certificate.length ? handle->certificate.data : NULL,
        .client_key = handle->key.length ? handle->key.data : NULL,
        .max_body_bytes = handle->core.context->settings->max_response_content_length,
        .timeout_ms = handle->timeout_ms,
        .connect_timeout_ms = handle->core.context->settings->connect_timeout_ms,
        .operation = handle->core.operation,
        .step = casehook__call_kind(request->call)->step,
    };
    if (!policy->proxy) return;
    out->proxy_url = handle->proxy_url.data;
    out->proxy_headers = handle->headers + handle->header_count;
    out->proxy_header_count = handle->proxy_header_count;
    out->proxy_verification_mode = casehook__mode_name(policy->proxy_mode);
    out->proxy_ca = ca_of(handle, &policy->proxy->origin, false);
}

static void fill_wait(const struct casehook_exchange *handle, struct casehook_http_request *out)
{
    const struct casehook__clock *clock = handle->core.context->clock;
    int64_t left = handle->core.wake_at - clock->now_ms(clock->user);
    /* Nobody tells the host when it has come. */
    if (casehook__machine_waits_for_token(&handle->core) && left > TOKEN_WAIT_MS) left = TOKEN_WAIT_MS;
    *out = (struct casehook_http_request){.struct_size = sizeof *out,
                                          .method = "",
                                          .url = "",
                                          .operation = handle->core.operation,
                                          .wait_ms = left > 0 ? left : 0};
}

/* Both processes would send the request, or tell what came of it (H6). */
static int exchange_check(const struct casehook_exchange *handle)
{
    if (!handle) return CASEHOOK_E_ARGUMENT;
    return casehook__connector_is_here(handle->connector) ? CASEHOOK_OK : CASEHOOK_E_FORKED;
}

int casehook__exchange_handle_next(struct casehook_exchange *handle, struct casehook_http_request *request)
{
    int status = exchange_check(handle);
    if (!status && casehook__machine_awaits(&handle->core)) status = CASEHOOK_E_ARGUMENT;
    if (status) return status;
    if (!handle->core.result) return CASEHOOK_EXCHANGE_ENDED;
    status = handle_advance(handle);
    if (status == CASEHOOK_EXCHANGE_REQUEST) fill_request(handle, request);
    if (status == CASEHOOK_EXCHANGE_WAIT) fill_wait(handle, request);
    return status;
}

int casehook_exchange_next(struct casehook_exchange *handle, struct casehook_http_request *request)
{
    struct casehook_http_request known;
    if (!request || request->struct_size < REQUEST_FIRST_SIZE ||
        request->struct_size > CASEHOOK__STRUCT_MAX_BYTES)
        return CASEHOOK_E_ARGUMENT;
    size_t size = request->struct_size;
    memset(request, 0, size); /* nothing of the last request stays, nor of what only a newer header knows */
    int status = casehook__exchange_handle_next(handle, &known);
    if (status > 0) memcpy(request, &known, size < sizeof known ? size : sizeof known);
    request->struct_size = size;
    return status;
}

/* ---- answers ---------------------------------------------------------------------------------- */

/* False: it is too large, and the operation has failed with what of it is within the limits. */
static bool within_limits(struct casehook_exchange *handle, size_t headers,
                          const struct casehook__response *response)
{
    size_t most = handle->core.context->settings->max_response_content_length;
    struct casehook__response partial = {.status = response->status, .body = response->body};
    struct casehook__failure failure = {.status = CASEHOOK_E_LIMIT, .sent = true};
    if (headers > CASEHOOK__HEADER_BYTES_MAX)
        failure.message = "the headers of the answer have more than 65536 bytes";
    else if (response->status < 300 && response->body.length > most)
        failure.message = "the answer is larger than the setting maxResponseContentLength allows";
    else
        return true;
    if (partial.body.length > most) partial.body.length = most;
    if (partial.status < 300) failure.partial = &partial;
    casehook__machine_fail(&handle->core, &failure);
    return false;
}

/* False: it is beyond the limits, which ended the operation. */
static bool read_fed_response(struct casehook_exchange *handle, struct casehook__text headers,
                              struct casehook__response *response)
{
    if (!within_limits(handle, headers.length, response)) return false;
    casehook__exchange_read_headers(handle, headers, response);
    return true;
}

static int answer_check(const struct casehook_exchange *handle, bool right)
{
    int status = exchange_check(handle);
    return !status && !(casehook__machine_awaits(&handle->core) && right) ? CASEHOOK_E_ARGUMENT : status;
}

/* NULL is empty. */
static struct casehook__text text_fed(const char *data, size_t length)
{
    return data && length ? casehook__text_given(data, length) : CASEHOOK__TEXT("");
}

int casehook_exchange_feed(struct casehook_exchange *handle, int http_status, const char *headers,
                           size_t headers_length, const char *body, size_t body_length)
{
    int fault = answer_check(handle, http_status >= 200 && http_status <= 999);
    if (fault) return fault;
    struct casehook__response response = {.status = http_status, .body = text_fed(body, body_length)};
    if (read_fed_response(handle, text_fed(headers, headers_length), &response))
        casehook__machine_feed(&handle->core, &response);
    return CASEHOOK_OK;
}

static bool is_failure(int status)
{
    return status == CASEHOOK_E_TIMEOUT || status == CASEHOOK_E_CANCELLED || status == CASEHOOK_E_NETWORK ||
           (status <= CASEHOOK_E_RESOLVE && status >= CASEHOOK_E_TLS);
}

static void fail_exchange(struct casehook_exchange *handle, int status, bool sent, const char *message,
                          const struct casehook__response *partial)
{
    char text[CASEHOOK__EXCERPT_MAX + 1];
    casehook__mask_excerpt(handle->core.context->mask, casehook__text(message ? message : "no answer"), text,
                           sizeof text);
    struct casehook__failure failure = {
        .status = status,
        .sent = sent,
        .partial = partial,
        .message = text,
    };
    casehook__machine_fail(&handle->core, &failure);
}

int casehook_exchange_fail(struct casehook_exchange *handle, int status, int sent, const char *message)
{
    int fault = answer_check(handle, is_failure(status));
    if (fault) return fault;
    fail_exchange(handle, status, sent != 0, message, NULL);
    return CASEHOOK_OK;
}

int casehook_exchange_feed_partial(struct casehook_exchange *handle, int http_status, const char *headers,
                                   size_t headers_length, const char *body, size_t body_length, int status,
                                   const char *message)
{
    int fault = answer_check(handle, http_status >= 200 && http_status <= 999 && is_failure(status));
    if (fault) return fault;
    struct casehook__response response = {.status = http_status, .body = text_fed(body, body_length)};
    if (!read_fed_response(handle, text_fed(headers, headers_length), &response)) return CASEHOOK_OK;
    if (http_status >= 300)
        casehook__machine_feed(&handle->core, &response);
    else
        fail_exchange(handle, status, true, message, &response);
    return CASEHOOK_OK;
}

struct casehook_result *casehook_exchange_result(struct casehook_exchange *handle)
{
    struct casehook__request request;
    struct casehook__failure given_up = {
        .status = CASEHOOK_E_CANCELLED, .sent = true, .message = "given up by the host"};
    if (exchange_check(handle) || !handle->core.result) return NULL;
    if (!casehook__machine_awaits(&handle->core) &&
        casehook__machine_next(&handle->core, &request) == CASEHOOK__TURN_SEND)
        given_up.sent = false;
    casehook__machine_fail(&handle->core, &given_up);
    casehook__operation_ended(handle->connector, handle->core.result);
    return casehook__machine_finish(&handle->core);
}

void casehook_exchange_free(struct casehook_exchange *handle)
{
    if (!handle) return;
    struct casehook__heap *heap = handle->heap;
    /* What has ended is counted, and has its line when it failed, whether anybody wants the result or not. */
    if (handle->core.result && casehook__machine_ended(&handle->core) && !exchange_check(handle))
        casehook__operation_ended(handle->connector, handle->core.result);
    casehook__machine_free(&handle->core);
    casehook__buf_free(&handle->certificate);
    casehook__buf_free(&handle->key);
    casehook__buf_free(&handle->proxy_url);
    casehook__buf_free(&handle->json);
    casehook__buf_free(&handle->unfolded);
    casehook__free(heap, handle->headers);
    casehook__free(heap, handle->input);
    casehook_cancel_free(handle->cancel);
    casehook_connector_unref(handle->connector);
    casehook__free(heap, handle);
    casehook__heap_unref(heap);
}
