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

struct casehook__field casehook__config_secret(const struct casehook__config_reader *reader, const char *name)
{
    struct casehook__field field = casehook__field_of(reader->errors, "secrets", reader->secrets, name);
    bool empty = casehook__field_is_null(&field) || (casehook__json_kind(field.node) == CASEHOOK__JSON_TEXT &&
                                                     casehook__json_text(field.node).length == 0);
    if (empty) field.node = NULL;
    return field;
}

bool casehook__config_secret_text(const struct casehook__field *field, struct casehook__text *text)
{
    if (!field->node || casehook__json_kind(field->node) != CASEHOOK__JSON_TEXT) return false;
    *text = casehook__json_text(field->node);
    return true;
}
