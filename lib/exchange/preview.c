/* preview.c - every request of an operation as it would be sent, secrets masked, nothing sent. */
#include "exchange/machine_private.h"
#include "json/jstext.h"

static void header_member(struct casehook__buf *json, const struct casehook__machine *machine,
                          const struct casehook__header *header)
{
    casehook__js_string(json, header->name);
    casehook__buf_append_char(json, ':');
    if (header->secret) {
        casehook__buf_append_string(json, "\"***\"");
        return;
    }
    /* A plain header may hold a configured secret as well; what masks one is at most three times as long. */
    size_t size = 3 * header->value.length + 1;
    char *value = casehook__alloc(machine->heap, size);
    if (value)
        casehook__js_string(
            json, casehook__text(casehook__mask_excerpt(machine->context->mask, header->value, value, size)));
    else
        json->status = CASEHOOK_E_NO_MEMORY;
    casehook__free(machine->heap, value);
}

/* The members "headers" and "body" of the record into json; its status. */
static int write_detail(struct casehook__machine *machine, const struct casehook__request *request,
                        struct casehook__buf *json)
{
    size_t max = casehook__request_headers_max(machine->context->config);
    struct casehook__header *headers = casehook__calloc(machine->heap, max, sizeof *headers);
    if (!headers) return CASEHOOK_E_NO_MEMORY;
    size_t count = casehook__request_headers(machine->context->config, request, headers, max);
    casehook__buf_append_string(json, "\"headers\":{");
    for (size_t i = 0; i < count; i++) {
        if (i) casehook__buf_append_char(json, ',');
        header_member(json, machine, &headers[i]);
    }
    casehook__free(machine->heap, headers);
    casehook__buf_append_string(json, "},\"body\":");
    if (request->body.data)
        casehook__js_string(json, request->body);
    else
        casehook__buf_append_string(json, "null");
    return json->status;
}

/* *left: bytes that the preview may still hold. */
static int add_detail(struct casehook__machine *machine, const struct casehook__request *request,
                      size_t *left)
{
    struct casehook__request_record *record = casehook__machine_record(machine);
    struct casehook__buf json;
    size_t url = strlen(record->url);
    casehook__buf_init(&json, machine->heap, *left);
    int status = write_detail(machine, request, &json);
    if (!status && url > *left - json.length) status = CASEHOOK_E_LIMIT;
    if (!status) {
        record->detail = casehook__copy(machine->heap, json.data, json.length);
        *left -= json.length + url;
        if (!record->detail) status = CASEHOOK_E_NO_MEMORY;
    }
    casehook__buf_free(&json);
    return status;
}

static void give_up(struct casehook__machine *machine, int status)
{
    struct casehook__failure failure = {.status = status, .message = "out of memory"};
    if (status == CASEHOOK_E_LIMIT)
        failure.message = "with this request the preview is larger than 64 MiB: shorten its texts, or "
                          "preview fewer comments at once";
    casehook__machine_fail(machine, &failure);
}

void casehook__drive_preview(struct casehook__machine *machine)
{
    struct casehook__request request;
    size_t left = CASEHOOK__PREVIEW_MAX_BYTES;
    while (casehook__machine_next(machine, &request) == CASEHOOK__TURN_SEND) {
        int status = add_detail(machine, &request, &left);
        if (status)
            give_up(machine, status);
        else
            casehook__machine_pretend(machine);
    }
}
