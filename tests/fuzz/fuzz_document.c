/*
 * fuzz_document.c - connector documents and settings, through the public header alone.
 *
 * Input: "{": a document, 0xFF, settings; else a byte; even: the same behind it; odd: changes of documents
 * that are right, each a byte (which field), a byte (what it becomes) and a text that ends with 0xFF.  In the
 * text of a change bytes from 0xF8 on stand for pieces of templates and URLs, and in what is secret (logins
 * in URLs of proxies too) for a word that nothing may show.
 *
 * check and new say the same of a document; each fault has its step, field, place and message; what is
 * accepted can be shown as it would be sent, without the secrets.
 */
#include "fuzz.h"

#include <casehook.h>

#include <jansson.h>

#include <stdbool.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define SEPARATOR    0xFF
#define WORDS        0xF8
#define SECRET       "S3cr~t*Word"
#define FAULTS_MAX   64
#define VALUE_MAX    4096

/* ---- documents that are right ----------------------------------------------------------------------- */

static const char document_text[] =
    "{\"config\":{\"createIncidentUrl\":\"https://t.example/c\",\"createIncidentJson\":"
    "\"{\\\"t\\\":{{case.title}},\\\"d\\\":{{case.description}}}\",\"createIncidentResponseKey\":\"id\","
    "\"getIncidentUrl\":\"https://t.example/c/{{external.system.id}}\","
    "\"getIncidentResponseExternalTitleKey\":\"key\","
    "\"viewIncidentUrl\":\"https://t.example/v/{{external.system.title}}\","
    "\"updateIncidentUrl\":\"https://t.example/c/{{external.system.id}}\",\"updateIncidentJson\":"
    "\"{\\\"t\\\":{{case.title}},\\\"d\\\":{{case.description}}}\","
    "\"createCommentUrl\":\"https://t.example/c/{{external.system.id}}/m\","
    "\"createCommentJson\":\"{\\\"c\\\":{{case.comment}}}\"},"
    "\"secrets\":{\"user\":\"demo\",\"password\":\"" SECRET "\",\"secretHeaders\":{\"X-K\":\"Bearer " SECRET
    "\"}}}";

static const char settings_text[] = "{\"allowConnectorProxy\":true}";

static const char *const config_fields[] = {"createIncidentUrl",
                                            "createIncidentMethod",
                                            "createIncidentJson",
                                            "createIncidentResponseKey",
                                            "getIncidentMethod",
                                            "getIncidentUrl",
                                            "getIncidentJson",
                                            "getIncidentResponseExternalTitleKey",
                                            "viewIncidentUrl",
                                            "updateIncidentMethod",
                                            "updateIncidentUrl",
                                            "updateIncidentJson",
                                            "createCommentMethod",
                                            "createCommentUrl",
                                            "createCommentJson",
                                            "headers",
                                            "hasAuth",
                                            "authType",
                                            "certType",
                                            "ca",
                                            "verificationMode",
                                            "strict",
                                            "secretUrl",
                                            "keepTrailingSlash",
                                            "createIncidentResponseType",
                                            "getIncidentResponseType",
                                            "updateIncidentResponseType",
                                            "createCommentResponseType",
                                            "createResponseFields",
                                            "getResponseFields",
                                            "proxyUrl",
                                            "proxyHeaders",
                                            "values",
                                            "commentResponseFields",
                                            "createIncidentUrI"};

/* From byte 64 on. */
static const char *const more_fields[] = {"findIncidentUrl",
                                          "findIncidentMethod",
                                          "findIncidentJson",
                                          "findIncidentResponseKey",
                                          "findIncident",
                                          "findIncidentResponseStatusKey",
                                          "closedStatuses",
                                          "whenClosed",
                                          "reopenWithin",
                                          "findIncidentResponseClosedAtKey",
                                          "idempotencyHeader",
                                          "idempotencyInBody",
                                          "idempotencyDuplicateStatuses",
                                          "signature",
                                          "tokenAuthMethod",
                                          "tokenAlgorithm",
                                          "tokenAudience",
                                          "keyId",
                                          "grantType",
                                          "assertion",
                                          "findResponseFields",
                                          "updateResponseFields",
                                          "createIncidentResponseErrorKey",
                                          "getIncidentResponseErrorKey",
                                          "updateIncidentResponseErrorKey",
                                          "createCommentResponseErrorKey",
                                          "findIncidentResponseErrorKey",
                                          "findIncidentResponseType",
                                          "createIncidentResponseHeader",
                                          "externalIdFrom",
                                          "createIncidentResponseExternalTitleKey",
                                          "updateIncidentResponseExternalTitleKey",
                                          "updateIncidentResponseKey",
                                          "getIncident",
                                          "updateIncident",
                                          "transitionIncidentUrl",
                                          "transitionIncidentMethod",
                                          "transitionIncidentJson",
                                          "transitionIncidentResponseType",
                                          "transitionIncidentResponseErrorKey",
                                          "createIncidentHeaders",
                                          "getIncidentHeaders",
                                          "updateIncidentHeaders",
                                          "createCommentHeaders",
                                          "findIncidentHeaders",
                                          "transitionIncidentHeaders",
                                          "accessTokenUrl",
                                          "clientId",
                                          "scope",
                                          "additionalFields"};

static const char *const secret_fields[] = {"user", "password",     "crt",          "key",
                                            "pfx",  "clientSecret", "secretHeaders"};

/* From byte 128 on. */
static const char *const more_secrets[] = {"secretQuery", "signingKey", "values"};

static const char *const settings_fields[] = {"allowedHosts",
                                              "proxyUrl",
                                              "proxyHeaders",
                                              "proxyBypassHosts",
                                              "proxyOnlyHosts",
                                              "ssl.verificationMode",
                                              "ssl.proxyVerificationMode",
                                              "ssl.minimumVerificationMode",
                                              "customHostSettings",
                                              "maxResponseContentLength",
                                              "responseTimeout",
                                              "connectTimeout",
                                              "idleTimeout",
                                              "run.maxAttempts",
                                              "maxRedirects",
                                              "maxIdleConnections",
                                              "httpVersion",
                                              "denyPrivateAddresses",
                                              "allowedAddresses",
                                              "allowConnectorProxy",
                                              "reuseConnections",
                                              "ssl",
                                              "xpack.actions.proxyUrl"};

/* ---- input ------------------------------------------------------------------------------------------ */

struct changes {
    const uint8_t *at, *end;
};

static unsigned change_byte(struct changes *changes)
{
    return changes->at < changes->end ? *changes->at++ : 0;
}

static const uint8_t *find_separator(const uint8_t *begin, const uint8_t *end)
{
    const uint8_t *found = begin < end ? memchr(begin, SEPARATOR, (size_t)(end - begin)) : NULL;
    return found ? found : end;
}

/* A text; where it is not secret the word that nothing may show does not get into it. */
static char *change_text(struct changes *changes, bool secret)
{
    static const char *const words[] = {"{{case.title}}",         "{{#case.tags}}",
                                        "{{/case.tags}}",         "https://t.example/",
                                        "{{external.system.id}}", "{{{case.fields.f}}}"};
    const uint8_t *end = find_separator(changes->at, changes->end);
    char *text = malloc(VALUE_MAX);
    size_t length = 0;
    CHECK(text);
    for (; changes->at < end && length < VALUE_MAX - 32; changes->at++) {
        unsigned word = *changes->at < WORDS ? (unsigned)COUNT(words) : *changes->at - (unsigned)WORDS;
        const char *piece = word < COUNT(words) ? words[word] : secret ? SECRET : "x";
        if (*changes->at < 0x80) {
            bool taken = *changes->at == 0 || *changes->at == '~'; /* which only the word has */
            text[length++] = taken ? ' ' : (char)*changes->at;
        } else {
            memcpy(text + length, piece, strlen(piece));
            length += strlen(piece);
        }
    }
    changes->at = end < changes->end ? end + 1 : end;
    text[length] = '\0';
    return text;
}

/* ---- changes ---------------------------------------------------------------------------------------- */

static json_t *object_with(const char *name, const char *text)
{
    json_t *object = json_object();
    json_object_set_new(object, name, json_string(text));
    return object;
}

/* The login is secret, wherever the text that follows it makes it end. */
static json_t *proxy_url(const char *text)
{
    char url[VALUE_MAX + 64];
    snprintf(url, sizeof url, "http://u:" SECRET "%s@p.example:3128", text);
    return json_string(url);
}

/* Everything that a field may become; NULL: it goes away. */
static json_t *new_value(struct changes *changes, const char *field, bool secret)
{
    unsigned how = change_byte(changes);
    bool is_proxy = strstr(field, "proxyUrl") != NULL;
    char *text = change_text(changes, secret || is_proxy);
    json_t *value = NULL;
    switch (how % 16) {
    case 0: break;
    case 1: value = json_null(); break;
    case 2: value = json_boolean(how & 16); break;
    case 3: value = json_integer((json_int_t)how * (how & 16 ? -1 : 1)); break;
    case 4: value = json_pack("[s, s]", text, "*.t.example"); break;
    case 5: value = object_with("X-A", text); break;
    case 6: value = object_with(secret ? "X-B" : text, text); break;
    case 7: value = json_pack("[{s:s, s:{s:s}}]", "url", text, "ssl", "verificationMode", "none"); break;
    case 8: value = json_real(how / 7.0); break;
    case 9: value = secret || is_proxy ? NULL : json_loads(text, JSON_DECODE_ANY, NULL); break;
    default: value = is_proxy ? proxy_url(text) : json_string(text);
    }
    free(text);
    return value;
}

static void change_field(json_t *object, struct changes *changes, const char *field, bool secret)
{
    json_t *value = new_value(changes, field, secret);
    if (value)
        json_object_set_new(object, field, value);
    else
        json_object_del(object, field);
}

static void change_documents(struct changes *changes, json_t *document, json_t *settings)
{
    json_t *config = json_object_get(document, "config"), *secrets = json_object_get(document, "secrets");
    while (changes->at < changes->end) {
        unsigned which = change_byte(changes) % 192;
        if (which >= 64 && which - 64 < COUNT(more_fields)) {
            change_field(config, changes, more_fields[which - 64], false);
            continue;
        }
        if (which >= 128 && which - 128 < COUNT(more_secrets)) {
            change_field(secrets, changes, more_secrets[which - 128], true);
            secrets = json_object_get(document, "secrets");
            continue;
        }
        which %= 64;
        size_t secret = which - COUNT(config_fields), setting = secret - COUNT(secret_fields);
        if (which < COUNT(config_fields))
            change_field(config, changes, config_fields[which], false);
        else if (secret < COUNT(secret_fields))
            change_field(secrets, changes, secret_fields[secret], secret != 0); /* the user is none */
        else if (setting < COUNT(settings_fields))
            change_field(settings, changes, settings_fields[setting], false);
        else
            change_field(document, changes, which % 2 ? "name" : "secrets", true);
        secrets = json_object_get(document, "secrets");
    }
}

/* ---- faults ----------------------------------------------------------------------------------------- */

struct given {
    char *text;
    size_t length;
    json_t *json; /* the same as jansson reads it; NULL: it does not */
    bool hidden;  /* the word stands where it is secret, and nowhere else */
};

static void check_shown(const struct given *given, const char *text)
{
    if (given->hidden && strstr(text, SECRET))
        fprintf(stderr, "the secret is in \"%s\" of %s\n", text, given->text);
    CHECK(!given->hidden || !strstr(text, SECRET));
}

static void check_line(const struct given *given, const char *line)
{
    json_t *text = json_string(line); /* NULL: no UTF-8 */
    CHECK(text);
    json_decref(text);
    for (const char *c = line; *c; c++) CHECK((unsigned char)*c >= 0x20 && *c != 0x7F);
    check_shown(given, line);
}

/* A place is inside of what the field holds. */
static void check_offset(const struct given *given, const char *field, int64_t offset)
{
    const json_t *config = json_object_get(given->json, "config");
    const json_t *value = strncmp(field, "config.", 7) == 0 ? json_object_get(config, field + 7) : NULL;
    CHECK(offset >= -1 && offset <= (int64_t)given->length);
    if (json_is_string(value)) CHECK(offset <= (int64_t)json_string_length(value));
}

static void check_faults(const struct given *given, const char *root, int status,
                         const struct casehook_error *first)
{
    size_t count = 0;
    CHECK((status != CASEHOOK_OK) == (first != NULL));
    CHECK(casehook_error_status(first) == status);
    for (const struct casehook_error *fault = first; fault; fault = casehook_error_next(fault), count++) {
        const char *field = casehook_error_field(fault), *message = casehook_error_message(fault);
        int code = casehook_error_status(fault);
        CHECK(code == CASEHOOK_E_CONFIG || code == CASEHOOK_E_UNSUPPORTED || code == CASEHOOK_E_POLICY);
        bool rest = count + 1 == FAULTS_MAX && !*field; /* it says how many more there are */
        bool kind =
            strcmp(field, "actionTypeId") == 0 || strcmp(field, "connector_type_id") == 0; /* exports */
        CHECK(*message && (*field || rest));
        CHECK(rest || kind || strncmp(field, "config", 6) == 0 || strncmp(field, "secrets", 7) == 0 ||
              strncmp(field, root, strlen(root)) == 0);
        check_line(given, field);
        check_line(given, message);
        check_offset(given, field, casehook_error_offset(fault));
        CHECK(casehook_error_step(fault) == CASEHOOK_STEP_CONFIG);
        CHECK(casehook_error_outcome(fault) == CASEHOOK_OUTCOME_NONE && !casehook_error_retryable(fault));
        CHECK(casehook_error_http_status(fault) == 0 && casehook_error_retry_after_ms(fault) == -1);
    }
    CHECK(count <= FAULTS_MAX);
    const char *text = casehook_error_json(first, NULL);
    CHECK(text);
    check_line(given, text);
    json_t *json = json_loads(text, 0, NULL);
    CHECK(json_is_array(json) && json_array_size(json) == count);
    json_decref(json);
}

static void check_same(const struct casehook_error *a, const struct casehook_error *b)
{
    for (; a && b; a = casehook_error_next(a), b = casehook_error_next(b)) {
        CHECK(casehook_error_status(a) == casehook_error_status(b));
        CHECK(strcmp(casehook_error_message(a), casehook_error_message(b)) == 0);
        CHECK(strcmp(casehook_error_field(a), casehook_error_field(b)) == 0);
        CHECK(casehook_error_offset(a) == casehook_error_offset(b));
    }
    CHECK(!a && !b);
}

/* ---- what is accepted ------------------------------------------------------------------------------- */

/* Other parsers have limits that are none of JSON's. */
static void check_json(const char *text, size_t length)
{
    json_error_t error;
    json_t *json = json_loadb(text, length, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (!json) CHECK(json_error_code(&error) == json_error_numeric_overflow);
    json_decref(json);
}

static void check_request(const struct given *given, const char *text, size_t length)
{
    json_t *json = json_loadb(text, length, JSON_ALLOW_NUL, NULL), *body = json_object_get(json, "body");
    const char *url = json_string_value(json_object_get(json, "url"));
    CHECK(json && url && json_is_object(json_object_get(json, "headers")));
    CHECK(strstr(url, "://"));
    if (json_is_string(body)) check_json(json_string_value(body), json_string_length(body));
    json_decref(json);
    check_shown(given, text);
}

static void check_preview(const struct given *given, struct casehook_connector *connector, int operation)
{
    static const char params[] =
        "{\"title\":\"t\\\"\\\\\",\"description\":\"\\u0000\",\"externalId\":\"i/d\","
        "\"tags\":[\"a\",\"b\"],\"fields\":{\"f\":[1.50,null]},"
        "\"comments\":[{\"commentId\":\"1\",\"comment\":\"c\"}]}";
    struct casehook_result *result = NULL;
    size_t length;
    int status = casehook_preview_json(connector, operation, params, sizeof params - 1, &result);
    const struct casehook_error *error = casehook_result_error(result);
    CHECK(result && casehook_error_status(error) == status);
    if (error) {
        CHECK(*casehook_error_message(error) && casehook_error_step(error) != CASEHOOK_STEP_NONE);
        check_line(given, casehook_error_message(error));
    } else {
        CHECK(casehook_result_request_count(result) > 0);
    }
    for (size_t i = 0; i < casehook_result_request_count(result); i++) {
        const char *text = casehook_result_request_json(result, i, &length);
        CHECK(text);
        check_request(given, text, length);
    }
    const char *text = casehook_result_json(result, &length);
    CHECK(text);
    check_json(text, length);
    casehook_result_free(result);
}

static void check_document(const struct given *given, const struct casehook_settings *settings)
{
    struct casehook_error *checked = NULL, *made = NULL;
    struct casehook_connector *connector = NULL;
    int status = casehook_connector_check(settings, given->text, given->length, &checked);
    check_faults(given, "document", status, checked);
    CHECK(casehook_connector_new(settings, given->text, given->length, &connector, &made) == status);
    CHECK((connector != NULL) == (status == CASEHOOK_OK));
    check_same(checked, made);
    for (int operation = CASEHOOK_CREATE; connector && operation <= CASEHOOK_PUSH; operation++)
        check_preview(given, connector, operation);
    casehook_error_free(checked);
    casehook_error_free(made);
    casehook_connector_unref(connector);
}

/* Settings that are refused change nothing: what was right with the defaults still is. */
static void check_settings(const struct given *given, struct casehook_settings *settings)
{
    struct casehook_error *error = NULL;
    int status = casehook_settings_load_json(settings, given->text, given->length, &error);
    check_faults(given, "settings", status, error);
    casehook_error_free(error);
    if (status)
        CHECK(casehook_connector_check(settings, document_text, CASEHOOK_TERMINATED, NULL) == CASEHOOK_OK);
}

/* ---- both forms of input ---------------------------------------------------------------------------- */

static struct given given_bytes(const uint8_t *begin, const uint8_t *end)
{
    struct given given = {.length = (size_t)(end - begin)};
    given.text = exact_copy(begin, given.length);
    given.json = json_loadb(given.text, given.length, JSON_ALLOW_NUL, NULL);
    return given;
}

static struct given given_json(json_t *json)
{
    struct given given = {.text = json_dumps(json, 0), .json = json, .hidden = true};
    CHECK(given.text);
    given.length = strlen(given.text);
    return given;
}

static void given_free(struct given *given)
{
    free(given->text);
    json_decref(given->json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct given document, settings;
    struct casehook_settings *made = NULL;
    struct changes changes = {data, data + size};
    bool whole = size && *data == '{';
    if (!whole && change_byte(&changes) % 2) {
        json_t *one = json_loads(document_text, 0, NULL), *other = json_loads(settings_text, 0, NULL);
        CHECK(one && other);
        change_documents(&changes, one, other);
        document = given_json(one);
        settings = given_json(other);
    } else {
        const uint8_t *end = find_separator(changes.at, changes.end);
        document = given_bytes(changes.at, end);
        settings = given_bytes(end < changes.end ? end + 1 : end, changes.end);
    }
    CHECK(casehook_settings_new(NULL, &made) == CASEHOOK_OK);
    check_settings(&settings, made);
    check_document(&document, made);
    casehook_settings_free(made);
    given_free(&document);
    given_free(&settings);
    return 0;
}
