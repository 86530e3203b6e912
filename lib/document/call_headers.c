/* call_headers.c - headers of one kind of call, once they are read (C9). */
#include "document/config.h"

bool casehook__config_has_header(const struct casehook__config *config, struct casehook__text name)
{
    bool found = casehook__headers_find(&config->headers, name) != NULL;
    for (size_t i = 0; i < CASEHOOK__CALLS && !found; i++) {
        const struct casehook__call_headers *own = casehook__call_more(&config->calls[i])->headers;
        found = own && casehook__headers_find(&own->set, name);
    }
    return found;
}

void casehook__call_headers_free(struct casehook__heap *heap, struct casehook__call_headers *headers)
{
    if (!headers) return;
    for (size_t i = 0; i < headers->set.count; i++) casehook__template_free(headers->templates[i]);
    casehook__headers_free(&headers->set);
    casehook__free(heap, headers);
}
