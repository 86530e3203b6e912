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

size_t casehook__own_headers_max(const struct casehook__config *config)
{
    return 4u + config->rendered_headers; /* credentials, a signature with what belongs to it */
}

size_t casehook__request_headers_max(const struct casehook__config *config)
{
    size_t most = 0; /* of one call */
    for (size_t i = 0; i < CASEHOOK__CALLS; i++) {
        const struct casehook__call_headers *own = casehook__call_more(&config->calls[i])->headers;
        if (own && own->set.count > most) most = own->set.count;
    }
    /* And Accept, User-Agent, Content-Type, the idempotency key. */
    return 4 + casehook__own_headers_max(config) + config->headers.count + most;
}

/* To another origin go none of them. */
static const struct casehook__call_headers *headers_of_call(const struct casehook__config *config,
                                                            const struct casehook__request *request)
{
    return request->configured ? casehook__call_more(&config->calls[request->call])->headers : NULL;
}

bool casehook__request_names(const struct casehook__config *config, const struct casehook__request *request,
                             struct casehook__text name)
{
    const struct casehook__call_headers *call = headers_of_call(config, request);
    if (call && casehook__headers_find(&call->set, name)) return true;
    return request->configured && request->call != CASEHOOK__CALL_TOKEN &&
           casehook__headers_find(&config->headers, name);
}

size_t casehook__request_headers(const struct casehook__config *config,
                                 const struct casehook__request *request, struct casehook__header *items,
                                 size_t max)
{
    static const struct casehook__headers none;
    const struct casehook__headers *configured =
        request->configured && request->call != CASEHOOK__CALL_TOKEN ? &config->headers : &none;
    const struct casehook__call_headers *call = headers_of_call(config, request);
    size_t count = 0;
    if (!casehook__request_names(config, request, CASEHOOK__TEXT("Accept")))
        ADD("Accept", "application/json");
    if (!casehook__request_names(config, request, CASEHOOK__TEXT("User-Agent")))
        ADD("User-Agent", "libcasehook/" CASEHOOK_VERSION_STRING);
    if (request->call == CASEHOOK__CALL_TOKEN)
        ADD("Content-Type", "application/x-www-form-urlencoded");
    else if (request->body.data && !casehook__request_names(config, request, CASEHOOK__TEXT("Content-Type")))
        ADD("Content-Type", "application/json");
    if (request->configured && request->idempotency_key.data && config->idempotency->header.data)
        add_request_header(
            items, &count, max,
            (struct casehook__header){config->idempotency->header, request->idempotency_key, false});
    for (size_t i = 0; i < request->own_count; i++) add_request_header(items, &count, max, request->own[i]);
    for (size_t i = 0; i < configured->count; i++)
        if (!call || !casehook__headers_find(&call->set, configured->items[i].name))
            add_request_header(items, &count, max, configured->items[i]);
    for (size_t i = 0; call && i < call->set.count; i++)
        if (!call->templates[i]) add_request_header(items, &count, max, call->set.items[i]);
    return count;
}
