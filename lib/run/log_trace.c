/* log_trace.c - requests and answers whole, secrets masked, for the author of a connector. */
#include "run/connector.h"

#include "exchange/token.h"

#include <stdio.h>
#include <string.h>

#define TRACE_LINE 768 /* bytes of a text that goes over several lines */

struct trace {
    const struct casehook_connector *connector;
    struct casehook_log_record record;
    char mark; /* > sent, < received */
};

static struct trace trace_of(const struct casehook_connector *connector,
                             const struct casehook__machine *machine, char mark)
{
    const struct casehook_result *result = machine->result;
    const struct casehook__request_record *request = &result->requests[result->request_count - 1];
    return (struct trace){connector,
                          {.struct_size = sizeof(struct casehook_log_record),
                           .level = CASEHOOK_LOG_TRACE,
                           .operation = result->operation,
                           .user = result->user,
                           .method = request->method,
                           .url = request->url ? request->url : "",
                           .step = request->step,
                           .attempt = request->attempt},
                          mark};
}

/* All of a text, masked before it is cut into lines: a secret must not be cut in two. */
static void trace_text(struct trace *trace, const char *name, struct casehook__text text)
{
    struct casehook__heap *heap = trace->connector->heap;
    size_t size = 3 * text.length + 1, length;
    if (!text.data) return;
    char *shown = casehook__alloc(heap, size);
    const char *rest =
        shown ? casehook__mask_excerpt(trace->connector->context.mask, text, shown, size) : "***";
    do {
        const char *end = memchr(rest, '\0', TRACE_LINE);
        for (length = end ? (size_t)(end - rest) : TRACE_LINE; (rest[length] & 0xc0) == 0x80;) length--;
        casehook__log_write(trace->connector->log, &trace->record, "%c %s%.*s", trace->mark, name,
                            (int)length, rest);
        rest += length;
    } while (*rest);
    casehook__free(heap, shown);
}

/* A token is not among the secrets yet when its answer comes; what asks for one may be used again. */
static void trace_body(struct trace *trace, struct casehook__text body)
{
    bool token = trace->record.step == CASEHOOK_STEP_TOKEN &&
                 (trace->record.http_status < 300 || casehook__token_is_named(body));
    trace_text(trace, "", token && body.data ? casehook__text("***") : body);
}

void casehook__trace_request(const struct casehook_connector *connector,
                             const struct casehook__machine *machine, const struct casehook__request *request)
{
    if (!casehook__log_wants(connector->log, CASEHOOK_LOG_TRACE)) return;
    const struct casehook__config *config = connector->context.config;
    struct trace trace = trace_of(connector, machine, '>');
    struct casehook__buf url;
    size_t max = casehook__request_headers_max(config);
    struct casehook__header *headers = casehook__calloc(connector->heap, max, sizeof *headers);
    casehook__buf_init(&url, connector->heap, CASEHOOK__URL_MAX_BYTES + 1024);
    const char *shown = casehook__shown_url(config, connector->context.mask, request->url, true, &url);
    char line[32];
    snprintf(line, sizeof line, "%s ", trace.record.method);
    trace_text(&trace, line, casehook__text(shown ? shown : trace.record.url));
    size_t count = headers ? casehook__request_headers(config, request, headers, max) : 0;
    for (size_t i = 0; i < count; i++) {
        char name[128];
        snprintf(name, sizeof name,
                 "%.*s: ", headers[i].name.length < 120 ? (int)headers[i].name.length : 120,
                 headers[i].name.data);
        trace_text(&trace, name, headers[i].secret ? casehook__text("***") : headers[i].value);
    }
    trace_body(&trace, request->body);
    casehook__buf_free(&url);
    casehook__free(connector->heap, headers);
}

void casehook__trace_answer(const struct casehook_connector *connector,
                            const struct casehook__machine *machine,
                            const struct casehook__response *response)
{
    if (!casehook__log_wants(connector->log, CASEHOOK_LOG_TRACE)) return;
    struct trace trace = trace_of(connector, machine, '<');
    char line[32];
    trace.record.http_status = response->status;
    snprintf(line, sizeof line, "status %d", response->status);
    trace_text(&trace, line, casehook__text(""));
    trace_text(&trace, "Content-Type: ", response->content_type);
    trace_text(&trace, "Content-Encoding: ", response->content_encoding);
    trace_text(&trace, "Location: ", response->location);
    trace_text(&trace, "Retry-After: ", response->retry_after);
    trace_body(&trace, response->body);
}
