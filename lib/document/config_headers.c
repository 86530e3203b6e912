/* config_headers.c - headers of one kind of call, templates of what its URL may use (C9). */
#include "document/config_private.h"

#include <stdio.h>

void casehook__config_read_header_object(struct casehook__config_reader *reader,
                                         const struct casehook__field *field, bool secret, const char *prefix,
                                         struct casehook__headers *headers)
{
    if (casehook__field_is_null(field)) return;
    if (casehook__json_kind(field->node) != CASEHOOK__JSON_OBJECT)
        casehook__field_wrong(field, "an object of texts");
    else
        casehook__headers_read(headers, field->node, secret, false, prefix, reader->errors);
}

/* A text without tags is sent as it is, and needs none. */
static void compile_header(struct casehook__config_reader *reader, const char *prefix,
                           struct casehook__header *header, const struct casehook__schema *schema,
                           struct casehook__template **tmpl)
{
    const struct casehook__field field = {reader->errors, prefix, header->name.data, NULL};
    struct casehook_error fault;
    casehook__error_init(&fault);
    if (!strstr(header->value.data, "{{")) return;
    casehook__template_new(reader->config->heap, header->value, CASEHOOK__TEMPLATE_RAW, schema,
                           reader->config->strict, tmpl, &fault);
    casehook__field_keep(&field, &fault);
    if (!*tmpl) return;
    if (casehook__template_uses_any(*tmpl, "secret")) header->secret = true;
    if (casehook__template_uses_any(*tmpl, "external.fields")) reader->config->uses_fields = true;
}

static bool is_secret_header(const struct casehook__config_reader *reader, struct casehook__text name)
{
    struct casehook__field field = casehook__config_secret(reader, "secretHeaders");
    struct casehook__text member;
    struct casehook__json *value;
    size_t position = 0;
    while (!casehook__field_is_null(&field) && casehook__json_kind(field.node) == CASEHOOK__JSON_OBJECT &&
           casehook__json_next(field.node, &position, &member, &value))
        if (casehook__text_equal_nocase(member, name)) return true;
    return false;
}

/* Those that secretHeaders has are checked like the others, and left out (C7). */
static void read_call_headers(struct casehook__config_reader *reader, const struct casehook__call_kind *kind,
                              struct casehook__call_config *call)
{
    struct casehook__config *config = reader->config;
    struct casehook__field field = casehook__config_field(reader, kind->headers);
    struct casehook__headers set = {.heap = config->heap};
    const struct casehook__schema *schema = casehook__config_schema(reader, kind->url_schema());
    struct casehook__call_headers *headers = NULL;
    uint16_t rendered = 0;
    char prefix[64];
    snprintf(prefix, sizeof prefix, "config.%s", kind->headers);
    casehook__config_read_header_object(reader, &field, false, prefix, &set);
    struct casehook__call_more *more = set.count ? casehook__config_call_more(reader, call) : NULL;
    if (more)
        headers = casehook__calloc(config->heap, 1, sizeof *headers + set.count * sizeof *headers->templates);
    if (more && !headers) reader->errors->memory = 1;
    if (!headers) {
        casehook__headers_free(&set);
        return;
    }
    more->headers = headers;
    headers->set = set;
    for (size_t i = 0; i < headers->set.count;) {
        struct casehook__template **tmpl = &headers->templates[i];
        compile_header(reader, prefix, &headers->set.items[i], schema, tmpl);
        if (is_secret_header(reader, headers->set.items[i].name)) {
            casehook__template_free(*tmpl);
            *tmpl = NULL;
            casehook__headers_remove(&headers->set, i);
            continue;
        }
        if (*tmpl) {
            rendered++;
            call->url_waits |= casehook__template_uses_any(*tmpl, "external.fields") ||
                               casehook__template_uses(*tmpl, "external.system.title");
        }
        i++;
    }
    if (rendered > config->rendered_headers) config->rendered_headers = rendered;
}

void casehook__config_read_headers(struct casehook__config_reader *reader)
{
    for (unsigned i = 0; i < CASEHOOK__CALLS; i++) {
        const struct casehook__call_kind *kind = casehook__call_kind((enum casehook__call)i);
        if (kind->headers) read_call_headers(reader, kind, &reader->config->calls[i]);
    }
}
