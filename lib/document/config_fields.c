/* config_fields.c - finding a field of "config" or "secrets" while a document is read. */
#include "document/config_private.h"

struct casehook__field casehook__config_field(const struct casehook__config_reader *reader, const char *name)
{
    return casehook__field_of(reader->errors, "config", reader->document, name);
}

struct casehook__field casehook__config_nullable(const struct casehook__config_reader *reader,
                                                 const char *name)
{
    struct casehook__field field = casehook__config_field(reader, name);
    if (casehook__field_is_null(&field)) field.node = NULL;
    return field;
}

bool casehook__config_is_given(const struct casehook__field *field)
{
    return !casehook__field_is_null(field) && !(casehook__json_kind(field->node) == CASEHOOK__JSON_TEXT &&
                                                casehook__json_text(field->node).length == 0);
}

bool casehook__config_is_false(const struct casehook__config_reader *reader, const char *name)
{
    struct casehook__field field = casehook__config_field(reader, name);
    return field.node && casehook__json_kind(field.node) == CASEHOOK__JSON_BOOLEAN &&
           !casehook__json_boolean(field.node);
}

void casehook__config_need(const struct casehook__config_reader *reader, const char *name, const char *other)
{
    struct casehook__field field = casehook__config_nullable(reader, name),
                           needed = casehook__config_nullable(reader, other);
    if (field.node && !casehook__config_is_given(&needed))
        casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG,
                       "does nothing without %s: give both, or neither", other);
}

struct casehook__field casehook__config_secret(const struct casehook__config_reader *reader, const char *name)
{
    struct casehook__field field = casehook__field_of(reader->errors, "secrets", reader->secrets, name);
    if (!casehook__config_is_given(&field)) field.node = NULL;
    return field;
}

bool casehook__config_secret_text(const struct casehook__field *field, struct casehook__text *text)
{
    if (!field->node || casehook__json_kind(field->node) != CASEHOOK__JSON_TEXT) return false;
    *text = casehook__json_text(field->node);
    return true;
}

void casehook__config_own_header(struct casehook__config_reader *reader, const struct casehook__field *field,
                                 struct casehook__text *header)
{
    static const char *const taken[] = {"Accept", "User-Agent", "Content-Type", "Authorization", "Cookie"};
    const struct casehook__config *config = reader->config;
    struct casehook__text name;
    if (!casehook__field_text(field, &name)) return;
    const char *fault = casehook__header_name_fault(name, false);
    for (size_t i = 0; i < sizeof taken / sizeof *taken && !fault; i++)
        if (casehook__text_is_nocase(name, taken[i])) fault = "means something else to every server";
    if (!fault && casehook__config_has_header(config, name))
        fault = "is among the configured headers too: remove it there, every request has one of its own";
    if (!fault && config->idempotency && config->idempotency->header.data &&
        casehook__text_equal_nocase(config->idempotency->header, name))
        fault = "is idempotencyHeader as well: choose another one";
    if (fault) {
        casehook__fail(casehook__field_fault(field), CASEHOOK_E_CONFIG, "%s", fault);
        return;
    }
    header->data = casehook__copy(config->heap, name.data, name.length);
    header->length = name.length;
    if (!header->data) reader->errors->memory = 1;
}
