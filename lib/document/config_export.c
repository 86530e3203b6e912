/* config_export.c - connectors as Kibana hands them out: a saved object, or the answer of its API (C1). */
#include "document/config_private.h"

/* Of a saved object in "attributes", and of an answer. */
static const char *const type_names[] = {"actionTypeId", "connector_type_id"};

const struct casehook__json *casehook__config_exported(const struct casehook__config_reader *reader,
                                                       const struct casehook__json *root)
{
    static const char own[] = ".cases-webhook";
    const struct casehook__json *object = casehook__json_member(root, "attributes");
    if (!object || casehook__json_kind(object) != CASEHOOK__JSON_OBJECT) object = root;
    for (size_t i = 0; i < sizeof type_names / sizeof *type_names; i++) {
        struct casehook__field type = {reader->errors, type_names[i], NULL,
                                       casehook__json_member(object, type_names[i])};
        if (!type.node || casehook__json_kind(type.node) != CASEHOOK__JSON_TEXT) continue;
        struct casehook__text text = casehook__json_text(type.node);
        if (!casehook__text_equal(text, casehook__text(own)))
            casehook__fail(casehook__field_fault(&type), CASEHOOK_E_CONFIG,
                           "is of another connector of Kibana, \"%.*s\": %s is read here",
                           text.length < 64 ? (int)text.length : 64, text.data, own);
        return object;
    }
    return object == root ? NULL : object;
}

void casehook__config_name_export(const struct casehook__config_reader *reader)
{
    for (struct casehook_error *fault = reader->errors->first; fault; fault = fault->next)
        if (strncmp(fault->field, "secrets.", 8) == 0 && strstr(casehook_error_message(fault), "is missing"))
            casehook__fail(fault, CASEHOOK_E_CONFIG,
                           "is missing: an export of Kibana never holds secrets; add \"secrets\" next to it");
}

void casehook__config_name_lines(const struct casehook__errors *errors)
{
    struct casehook_error *fault = errors->first, before;
    if (!fault || !strstr(fault->message, "something follows")) return;
    before = *fault;
    casehook__fail_at(
        fault, CASEHOOK_E_CONFIG, (size_t)before.offset,
        "%s; a file that Kibana exported has a connector in each line, and a count in the last: "
        "give one of these lines",
        before.message);
}
