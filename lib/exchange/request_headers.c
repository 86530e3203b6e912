/* request_headers.c - the headers of one request (H2, C7). */
#include "exchange/machine.h"

#define ADD(literal_name, literal_value) \
    add_request_header(                  \
        items, &count, max,              \
        (struct casehook__header){CASEHOOK__TEXT(literal_name), CASEHOOK__TEXT(literal_value), false})

static void add_request_header(struct casehook__header *items, size_t *count, size_t max,
                               struct casehook__header header)
{
    if (*count < max) items[*count] = header;
    (*count)++;
}

size_t casehook__request_headers(const struct casehook__config *config,
                                 const struct casehook__request *request, struct casehook__header *items,
                                 size_t max)
{
    static const struct casehook__headers none;
    const struct casehook__headers *configured =
        request->configured && request->call != CASEHOOK__CALL_TOKEN ? &config->headers : &none;
    size_t count = 0;
    if (!casehook__headers_find(configured, CASEHOOK__TEXT("Accept"))) ADD("Accept", "application/json");
    if (!casehook__headers_find(configured, CASEHOOK__TEXT("User-Agent")))
        ADD("User-Agent", "libcasehook/" CASEHOOK_VERSION_STRING);
    if (request->call == CASEHOOK__CALL_TOKEN)
        ADD("Content-Type", "application/x-www-form-urlencoded");
    else if (request->body.data && !casehook__headers_find(configured, CASEHOOK__TEXT("Content-Type")))
        ADD("Content-Type", "application/json");
    if (request->configured && request->idempotency_key.data && config->idempotency->header.data)
        add_request_header(
            items, &count, max,
            (struct casehook__header){config->idempotency->header, request->idempotency_key, false});
    for (size_t i = 0; i < request->own_count; i++) add_request_header(items, &count, max, request->own[i]);
    for (size_t i = 0; i < configured->count; i++)
        add_request_header(items, &count, max, configured->items[i]);
    return count;
}
