/* config_json.c - reading a connector document (C1, C3). */
#include "document/config_private.h"

static const char *const root_names[] = {"config", "secrets", "name"};

static const char *const config_names[] = {
    "createIncidentUrl", "createIncidentMethod", "createIncidentJson", "createIncidentResponseKey",
    "getIncidentMethod", "getIncidentUrl", "getIncidentJson", "getIncidentResponseExternalTitleKey",
    "viewIncidentUrl", "updateIncidentMethod", "updateIncidentUrl", "updateIncidentJson",
    "createCommentMethod", "createCommentUrl", "createCommentJson", "headers", "hasAuth", "authType",
    "certType", "ca", "verificationMode", "strict", "secretUrl", "keepTrailingSlash",
    "createIncidentResponseType", "getIncidentResponseType", "updateIncidentResponseType",
    "createCommentResponseType", "createResponseFields", "getResponseFields", "proxyUrl", "proxyHeaders",
    "findIncidentUrl", "findIncidentMethod", "findIncidentJson", "findIncidentResponseKey", "findIncident",
    "findIncidentResponseStatusKey", "closedStatuses", "whenClosed", "reopenWithin",
    "findIncidentResponseClosedAtKey", "idempotencyHeader", "idempotencyInBody",
    "idempotencyDuplicateStatuses", "signature", "tokenAuthMethod", "tokenAlgorithm", "tokenAudience",
    "keyId", "grantType", "assertion", "values", "findResponseFields", "updateResponseFields",
    "commentResponseFields", "createIncidentResponseErrorKey", "getIncidentResponseErrorKey",
    "updateIncidentResponseErrorKey", "createCommentResponseErrorKey", "findIncidentResponseErrorKey",
    "findIncidentResponseType", "createIncidentResponseHeader", "externalIdFrom",
    "createIncidentResponseExternalTitleKey", "updateIncidentResponseExternalTitleKey",
    "updateIncidentResponseKey", "getIncident", "updateIncident", "transitionIncidentUrl",
    "transitionIncidentMethod", "transitionIncidentJson", "transitionIncidentResponseType",
    "transitionIncidentResponseErrorKey", "createIncidentHeaders", "getIncidentHeaders",
    "updateIncidentHeaders", "createCommentHeaders", "findIncidentHeaders", "transitionIncidentHeaders",
    /* of the reference, without effect unless authType is oauth2 */
    "accessTokenUrl", "clientId", "scope", "additionalFields"};

static const char *const secret_names[] = {"user",       "password",     "crt",           "key",
                                           "pfx",        "clientSecret", "secretHeaders", "secretQuery",
                                           "signingKey", "values"};

#define SECRET_TEXTS 6 /* the first ones; the others are objects or lists */

#define CONFIG_COUNT(array) (sizeof(array) / sizeof *(array))

/* Those that the authentication does not use as well; what is no text stands last. */
static void check_secret_types(const struct casehook__config_reader *reader)
{
    for (size_t i = 0; i < SECRET_TEXTS; i++) {
        struct casehook__field field = casehook__config_secret(reader, secret_names[i]);
        if (field.node && casehook__json_kind(field.node) != CASEHOOK__JSON_TEXT)
            casehook__field_wrong(&field, "a text");
    }
}

/* Each with its fields, as faults name them. */
static const struct {
    const char *name, *const *fields;
    size_t length, count;
} levels[] = {{"config", config_names, 6, CONFIG_COUNT(config_names)},
              {"secrets", secret_names, 7, CONFIG_COUNT(secret_names)},
              {"document", root_names, 8, CONFIG_COUNT(root_names)}};

static bool is_of_level(size_t level, struct casehook__text name)
{
    size_t i = 0;
    while (i < levels[level].count && !casehook__text_is(name, levels[level].fields[i])) i++;
    return i < levels[level].count;
}

/* What stands on the wrong level: the fault that there is no such field says where it belongs. */
static void name_levels(const struct casehook__config_reader *reader)
{
    for (struct casehook_error *fault = reader->errors->first; fault; fault = fault->next) {
        size_t prefix = strcspn(fault->field, "."), level = 0;
        if (!fault->field[prefix]) continue;
        struct casehook__text name = casehook__text(fault->field + prefix + 1);
        while (level < CONFIG_COUNT(levels) && !is_of_level(level, name)) level++;
        if (strcmp(fault->field, "secrets.headers") == 0) /* in "config" nothing would mask them */
            casehook__fail(fault, CASEHOOK_E_CONFIG,
                           "there is no such field; did you mean \"secretHeaders\"?");
        else if (level < 2)
            casehook__fail(fault, CASEHOOK_E_CONFIG, "is a field of \"%s\", beside \"%s\": move it there",
                           levels[level].name, levels[1 - level].name);
        else if (level == 2)
            casehook__fail(fault, CASEHOOK_E_CONFIG, "is a field of the document itself: move it up");
        else if (prefix == levels[1].length && strstr(fault->message, "remove it")) /* token, apiKey ... */
            casehook__fail(fault, CASEHOOK_E_CONFIG,
                           "there is no such field; a token or key that goes along in a header is one of "
                           "\"secretHeaders\"");
    }
}

/* The first field of "config" that stands beside the place where that should be, or NULL. */
static const char *first_outside(const struct casehook__json *root)
{
    size_t position = 0;
    struct casehook__text name;
    struct casehook__json *value;
    while (casehook__json_next(root, &position, &name, &value))
        if (is_of_level(0, name)) return name.data;
    return NULL;
}

static void read_flags(struct casehook__config_reader *reader)
{
    const char *const words[] = {"names"};
    struct casehook__field strict = casehook__config_field(reader, "strict");
    struct casehook__field secret_url = casehook__config_field(reader, "secretUrl");
    size_t word;
    if (strict.node && casehook__json_kind(strict.node) == CASEHOOK__JSON_TEXT) {
        if (casehook__field_word(&strict, words, 1, false, &word)) reader->config->demands = false;
    } else if (casehook__field_boolean(&strict, &reader->config->strict)) {
        reader->config->demands = reader->config->strict;
    }
    struct casehook__field keep_slash = casehook__config_field(reader, "keepTrailingSlash");
    casehook__field_boolean(&secret_url, &reader->config->secret_url);
    casehook__field_boolean(&keep_slash, &reader->config->keep_slash);
}

/* A member that must be an object, or NULL. */
static const struct casehook__json *object_of(const struct casehook__config_reader *reader,
                                              const struct casehook__json *root, const char *name)
{
    struct casehook__field field = {reader->errors, name, NULL, casehook__json_member(root, name)};
    if (casehook__field_is_null(&field)) return NULL;
    if (casehook__json_kind(field.node) == CASEHOOK__JSON_OBJECT) return field.node;
    casehook__field_wrong(&field, "an object");
    return NULL;
}

/* "config"; without it one fault says so, whatever stands in its place. */
static const struct casehook__json *config_of(const struct casehook__config_reader *reader,
                                              const struct casehook__json *exported,
                                              const struct casehook__json *root)
{
    struct casehook__field field = {reader->errors, "config", NULL,
                                    casehook__json_member(exported ? exported : root, "config")};
    bool missing = casehook__field_is_null(&field);
    const char *outside = missing ? first_outside(root) : NULL;
    if (!exported && !outside)
        casehook__fields_unknown(reader->errors, "document", root, root_names, CONFIG_COUNT(root_names));
    if (!missing) return object_of(reader, exported ? exported : root, "config");
    casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG,
                   "is missing: a connector document is {\"config\": {...}, \"secrets\": {...}}%s%s%s",
                   outside ? ", and " : "", outside ? outside : "", outside ? " stands in \"config\"" : "");
    return NULL;
}

/* The order is that of the fields in config_names, then the secrets. */
static void read_root(struct casehook__config_reader *reader, const struct casehook__json *root)
{
    const struct casehook__json *exported = casehook__config_exported(reader, root);
    reader->document = config_of(reader, exported, root);
    reader->secrets = object_of(reader, root, "secrets");
    if (!reader->secrets && exported) reader->secrets = object_of(reader, exported, "secrets");
    casehook__fields_unknown(reader->errors, "config", reader->document, config_names,
                             CONFIG_COUNT(config_names));
    casehook__fields_unknown(reader->errors, "secrets", reader->secrets, secret_names,
                             CONFIG_COUNT(secret_names));
    name_levels(reader);
    if (!reader->document) return; /* all that is missing would only repeat that */
    read_flags(reader);
    casehook__config_read_values(reader);
    casehook__config_read_calls(reader);
    casehook__config_read_answers(reader);
    casehook__config_read_headers(reader);
    casehook__config_read_find(reader);
    casehook__config_read_auth(reader);
    casehook__config_read_response_fields(reader);
    casehook__config_read_proxy(reader);
    check_secret_types(reader);
    casehook__config_read_secrets(reader);
    casehook__config_read_oauth(reader);
    casehook__config_read_idempotency(reader);
    casehook__config_read_query(reader);
    casehook__config_read_signature(reader);
    casehook__config_collect_secrets(reader);
    if (exported) casehook__config_name_export(reader);
}

int casehook__config_read(struct casehook__heap *heap, const struct casehook__settings_snapshot *settings,
                          struct casehook__text json, struct casehook__config **out,
                          struct casehook__errors *errors)
{
    struct casehook__config_reader reader = {.settings = settings, .errors = errors};
    *out = NULL;
    reader.config = casehook__config_new(heap);
    if (!reader.config) {
        errors->memory = 1;
    } else {
        struct casehook__json *root = casehook__field_root(json, "document", errors);
        if (root)
            read_root(&reader, root);
        else
            casehook__config_name_lines(errors);
        casehook__json_free(root);
    }
    int status = casehook__errors_status(errors);
    if (!reader.document || status == CASEHOOK_E_NO_MEMORY)
        casehook__config_free(reader.config);
    else
        *out = reader.config;
    return status;
}
