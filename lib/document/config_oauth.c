/* config_oauth.c - tokens by OAuth2: client credentials, or a JWT as grant (A1). */
#include "document/config_private.h"

#include "json/jstext.h"

#include <stdio.h>

#define TOKEN_FORM_MAX (64 * 1024) /* bytes of what the document gives to a token request */
#define TOKEN_TEXT_MAX 4096        /* and of each text in it */
#define CLAIMS_DEPTH   8

/* In the order of enum casehook__token_auth. */
static const char *const token_auth_words[] = {"client_secret_post", "client_secret_basic", "private_key_jwt",
                                               "tls_client_auth"};
static const char *const grant_words[] = {"client_credentials", "jwt_bearer"};

static void fail_oauth(const struct casehook__config_reader *reader, const char *prefix, const char *name,
                       const char *message)
{
    struct casehook__field field = {reader->errors, prefix, name, NULL};
    casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG, "%s", message);
}

/* Takes over what was written, or nothing when that failed. */
static struct casehook__text keep_written(struct casehook__config_reader *reader, struct casehook__buf *buf)
{
    struct casehook__text text = {NULL, 0};
    if (buf->status == CASEHOOK_OK && buf->length)
        text = (struct casehook__text){casehook__copy(buf->heap, buf->data, buf->length), buf->length};
    bool limited = buf->status == CASEHOOK_E_LIMIT; /* which is told where the field is read */
    if (!limited && (buf->status || (buf->length && !text.data))) reader->errors->memory = 1;
    casehook__buf_free(buf);
    return text.data ? text : (struct casehook__text){NULL, 0};
}

static struct casehook__text copy_oauth(struct casehook__config_reader *reader, struct casehook__text text)
{
    struct casehook__text copy = {casehook__copy(reader->config->heap, text.data, text.length), text.length};
    if (copy.data) return copy;
    reader->errors->memory = 1;
    return (struct casehook__text){NULL, 0};
}

/* A text of "config"; "" is as good as absent. */
static struct casehook__text oauth_text(struct casehook__config_reader *reader, const char *name)
{
    struct casehook__field field = casehook__config_nullable(reader, name);
    struct casehook__text text;
    if (!casehook__field_text(&field, &text) || text.length == 0) return (struct casehook__text){NULL, 0};
    bool holds_nul = memchr(text.data, '\0', text.length) != NULL;
    if (!holds_nul && text.length <= TOKEN_TEXT_MAX) return copy_oauth(reader, text);
    if (holds_nul)
        casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG, "holds a NUL");
    else
        casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG, "is longer than %d bytes",
                       TOKEN_TEXT_MAX);
    return (struct casehook__text){NULL, 0};
}

/* ---- where tokens are asked for ----------------------------------------------------------------- */

static void read_token_url(struct casehook__config_reader *reader)
{
    static const struct casehook__schema no_names = {NULL, 0, NULL, 0};
    static const struct casehook__value no_values = {.kind = CASEHOOK__VALUE_OBJECT};
    struct casehook__config *config = reader->config;
    struct casehook__call_config *call = &config->calls[CASEHOOK__CALL_TOKEN];
    struct casehook__field field = casehook__config_nullable(reader, "accessTokenUrl");
    struct casehook__text text;
    struct casehook__origin origin;
    struct casehook__buf url;
    struct casehook_error fault;
    casehook__error_init(&fault);
    call->method = CASEHOOK__METHOD_POST;
    if (!field.node || !casehook__field_text(&field, &text)) {
        if (!field.node)
            fail_oauth(reader, "config", "accessTokenUrl",
                       "is missing: oauth2 needs the URL of the authorization server that gives tokens");
        return;
    }
    if (strstr(text.data, "{{")) {
        casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG,
                       "has a tag: there are no variables in this URL");
        return;
    }
    if (casehook__url_template_new(config->heap, text, &no_names, true, false, &call->url, &fault)) {
        casehook__field_keep(&field, &fault);
        return;
    }
    casehook__url_template_origin(call->url, &origin);
    casehook__config_check_origin(reader, &field, &origin);
    for (size_t i = 0; i < CASEHOOK__CALL_TOKEN; i++)
        if (config->calls[i].url) casehook__url_template_share(call->url, config->calls[i].url);
    casehook__url_template_keep_slash(call->url);
    casehook__buf_init(&url, config->heap, CASEHOOK__URL_MAX_BYTES);
    casehook__url_template_render(call->url, &no_values, true, &url, NULL, &fault);
    config->oauth->url = keep_written(reader, &url);
}

/* ---- what goes along ---------------------------------------------------------------------------- */

static void append_field(struct casehook__buf *form, struct casehook__text name, struct casehook__text value)
{
    if (form->length) casehook__buf_append_char(form, '&');
    casehook__js_uri_component(form, name);
    casehook__buf_append_char(form, '=');
    casehook__js_uri_component(form, value);
}

/* The object that a field is, or that it has as JSON in a text, which is to be freed then.  NULL: neither. */
static const struct casehook__json *object_or_text(struct casehook__config_reader *reader,
                                                   const struct casehook__field *field,
                                                   struct casehook__json **parsed)
{
    struct casehook_error fault;
    const struct casehook__json *object = field->node;
    *parsed = NULL;
    if (!object) return NULL;
    if (casehook__json_kind(object) == CASEHOOK__JSON_TEXT) {
        if (casehook__json_text(object).length == 0) return NULL;
        casehook__error_init(&fault);
        if (casehook__json_parse(reader->config->heap, casehook__json_text(object), parsed, &fault)) {
            casehook__field_keep(field, &fault);
            return NULL;
        }
        object = *parsed;
    }
    if (casehook__json_kind(object) == CASEHOOK__JSON_OBJECT) return object;
    casehook__fail(casehook__field_fault(field), CASEHOOK_E_CONFIG,
                   "must be an object, or JSON of one in a text");
    return NULL;
}

static bool is_ours(struct casehook__text name)
{
    static const char *const names[] = {"grant_type", "client_id",        "client_secret",        "scope",
                                        "assertion",  "client_assertion", "client_assertion_type"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (casehook__text_is(name, names[i])) return true;
    return false;
}

static void add_field(struct casehook__config_reader *reader, struct casehook__text name,
                      const struct casehook__json *value, struct casehook__buf *form)
{
    struct casehook__field field = {reader->errors, "config.additionalFields", name.data, value};
    char number[24];
    struct casehook__text text = {number, 0};
    switch (casehook__json_kind(value)) {
    case CASEHOOK__JSON_TEXT: text = casehook__json_text(value); break;
    case CASEHOOK__JSON_BOOLEAN:
        text = casehook__text(casehook__json_boolean(value) ? "true" : "false");
        break;
    case CASEHOOK__JSON_INTEGER:
        snprintf(number, sizeof number, "%lld", (long long)casehook__json_integer(value));
        text = casehook__text(number);
        break;
    default: casehook__field_wrong(&field, "a text, a whole number or true or false"); return;
    }
    if (is_ours(name))
        casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG,
                       "is written by the library: it has a field of its own, or follows from others");
    else
        append_field(form, name, text);
}

static void read_additional_fields(struct casehook__config_reader *reader)
{
    struct casehook__field field = casehook__config_nullable(reader, "additionalFields");
    struct casehook__buf form;
    struct casehook__json *parsed, *value;
    struct casehook__text name;
    size_t position = 0;
    const struct casehook__json *object = object_or_text(reader, &field, &parsed);
    casehook__buf_init(&form, reader->config->heap, TOKEN_FORM_MAX);
    while (object && casehook__json_next(object, &position, &name, &value))
        add_field(reader, name, value, &form);
    if (form.status == CASEHOOK_E_LIMIT)
        casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG, "is larger than %d bytes as a form",
                       TOKEN_FORM_MAX);
    reader->config->oauth->fields = keep_written(reader, &form);
    casehook__json_free(parsed);
}

/* ---- claims (RFC 7523) -------------------------------------------------------------------------- */

/* False: something that no claim may be. */
static bool append_claim(struct casehook__buf *json, const struct casehook__json *value, int depth)
{
    size_t position = 0, count = casehook__json_count(value);
    struct casehook__text name;
    struct casehook__json *member;
    bool object = casehook__json_kind(value) == CASEHOOK__JSON_OBJECT, done = depth < CLAIMS_DEPTH;
    switch (casehook__json_kind(value)) {
    case CASEHOOK__JSON_NULL: casehook__buf_append_string(json, "null"); return true;
    case CASEHOOK__JSON_BOOLEAN:
        casehook__buf_append_string(json, casehook__json_boolean(value) ? "true" : "false");
        return true;
    case CASEHOOK__JSON_INTEGER:
        casehook__buf_append_number(json, casehook__json_integer(value));
        return true;
    case CASEHOOK__JSON_TEXT: casehook__js_string(json, casehook__json_text(value)); return true;
    case CASEHOOK__JSON_REAL: return false;
    default: break;
    }
    casehook__buf_append_char(json, object ? '{' : '[');
    for (size_t i = 0; i < count && done; i++) {
        if (i) casehook__buf_append_char(json, ',');
        if (object && casehook__json_next(value, &position, &name, &member)) {
            casehook__js_string(json, name);
            casehook__buf_append_char(json, ':');
        } else {
            member = casehook__json_item(value, i);
        }
        done = append_claim(json, member, depth + 1);
    }
    casehook__buf_append_char(json, object ? '}' : ']');
    return done;
}

static void add_claim(struct casehook__config_reader *reader, struct casehook__text name,
                      const struct casehook__json *value, struct casehook__buf *json)
{
    struct casehook__field field = {reader->errors, "config.assertion", name.data, value};
    if (casehook__text_is(name, "iat") || casehook__text_is(name, "exp") || casehook__text_is(name, "jti")) {
        casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG,
                       "is written by the library for each token: remove it");
        return;
    }
    casehook__buf_append_char(json, ',');
    casehook__js_string(json, name);
    casehook__buf_append_char(json, ':');
    if (!append_claim(json, value, 0))
        casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG,
                       "holds a number with a fraction, or is nested too deep");
}

static void add_default(struct casehook__buf *json, const struct casehook__json *object, const char *name,
                        struct casehook__text value)
{
    if (casehook__json_member(object, name) || !value.data) return;
    casehook__buf_append_string(json, ",\"");
    casehook__buf_append_string(json, name);
    casehook__buf_append_string(json, "\":");
    casehook__js_string(json, value);
}

static void read_assertion(struct casehook__config_reader *reader)
{
    struct casehook__oauth *oauth = reader->config->oauth;
    struct casehook__field field = casehook__config_nullable(reader, "assertion");
    struct casehook__buf json;
    struct casehook__json *parsed, *value;
    struct casehook__text name;
    size_t position = 0;
    const struct casehook__json *object = object_or_text(reader, &field, &parsed);
    if (!field.node)
        fail_oauth(
            reader, "config", "assertion",
            "is missing: jwt_bearer needs the claims of the JWT, such as {\"iss\": ..., \"sub\": ...}");
    casehook__buf_init(&json, reader->config->heap, TOKEN_FORM_MAX);
    while (object && casehook__json_next(object, &position, &name, &value))
        add_claim(reader, name, value, &json);
    if (object && !casehook__json_member(object, "iss") && !oauth->client_id.data)
        casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG,
                       "has no iss, and there is no clientId to take in its place");
    add_default(&json, object, "iss", oauth->client_id);
    add_default(&json, object, "aud", oauth->audience.data ? oauth->audience : oauth->url);
    if (json.status == CASEHOOK_E_LIMIT)
        casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG, "is larger than %d bytes",
                       TOKEN_FORM_MAX);
    oauth->claims = keep_written(reader, &json);
    casehook__json_free(parsed);
}

/* ---- who asks ----------------------------------------------------------------------------------- */

/* RFC 6749 2.3.1: both are encoded as in a form, then as basic authentication. */
static void make_basic(struct casehook__config_reader *reader, struct casehook__text secret)
{
    struct casehook__oauth *oauth = reader->config->oauth;
    struct casehook__headers headers = {.heap = reader->config->heap};
    struct casehook__buf id, encoded;
    casehook__buf_init(&id, reader->config->heap, TOKEN_FORM_MAX);
    casehook__buf_init(&encoded, reader->config->heap, TOKEN_FORM_MAX);
    int status = casehook__js_uri_component(&id, oauth->client_id);
    if (!status) status = casehook__js_uri_component(&encoded, secret);
    if (!status)
        status = casehook__headers_add_basic(&headers, "Authorization", casehook__buf_text(&id),
                                             casehook__buf_text(&encoded));
    if (!status) oauth->basic = copy_oauth(reader, headers.items[0].value);
    if (status) reader->errors->memory = 1;
    casehook__headers_free(&headers);
    casehook__buf_free(&id);
    casehook__buf_free(&encoded);
}

static void read_client_secret(struct casehook__config_reader *reader, bool needed)
{
    struct casehook__oauth *oauth = reader->config->oauth;
    struct casehook__field field = casehook__config_secret(reader, "clientSecret");
    struct casehook__text text;
    if (!field.node) {
        if (needed)
            fail_oauth(reader, "secrets", "clientSecret",
                       "is missing: the client needs it, unless tokenAuthMethod is private_key_jwt or "
                       "tls_client_auth");
        return;
    }
    if (!casehook__config_secret_text(&field, &text)) return;
    if (text.length > TOKEN_TEXT_MAX)
        casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG, "is longer than %d bytes",
                       TOKEN_TEXT_MAX);
    else if (oauth->auth == CASEHOOK__TOKEN_BASIC && oauth->client_id.data)
        make_basic(reader, text);
    else
        oauth->client_secret = copy_oauth(reader, text);
}

static void read_signer(struct casehook__config_reader *reader)
{
    static const char *const words[] = {"RS256", "PS256", "ES256"};
    struct casehook__config *config = reader->config;
    struct casehook__field algorithm = casehook__config_nullable(reader, "tokenAlgorithm"),
                           key = casehook__config_secret(reader, "key");
    struct casehook_error fault;
    size_t word = 3;
    bool given = algorithm.node && casehook__field_word(&algorithm, words, 3, false, &word);
    config->oauth->key_id = oauth_text(reader, "keyId");
    if (!key.node)
        fail_oauth(reader, "secrets", "key", "is missing: it is the private key that the JWT is signed with");
    if (!config->identity || !config->identity->key.data) return;
    casehook__error_init(&fault);
    if (casehook__signer_new(config->heap, config->identity->key, config->identity->passphrase,
                             given ? words[word] : NULL, &config->oauth->signer, &fault))
        casehook__field_keep(fault.field[0] ? &key : &algorithm, &fault);
}

/* Which of the ways needs what; anything else that is given is left to those who use it. */
static void read_client(struct casehook__config_reader *reader, bool named)
{
    struct casehook__oauth *oauth = reader->config->oauth;
    bool secret = casehook__config_secret(reader, "clientSecret").node != NULL;
    if (oauth->jwt_bearer && !named && !secret) oauth->auth = CASEHOOK__TOKEN_NOBODY;
    bool by_secret = oauth->auth == CASEHOOK__TOKEN_POST || oauth->auth == CASEHOOK__TOKEN_BASIC;
    if (!oauth->client_id.data && oauth->auth != CASEHOOK__TOKEN_NOBODY)
        fail_oauth(reader, "config", "clientId",
                   "is missing: the authorization server knows the client by it");
    read_client_secret(reader, by_secret);
    if (oauth->auth == CASEHOOK__TOKEN_JWT || oauth->jwt_bearer) read_signer(reader);
}

/* What does nothing without oauth2, and is not Kibana's: whoever wrote it forgot the rest. */
static void refuse_unused(const struct casehook__config_reader *reader)
{
    static const char *const names[] = {"tokenAuthMethod", "tokenAlgorithm", "tokenAudience",
                                        "keyId",           "grantType",      "assertion"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (casehook__config_nullable(reader, names[i]).node)
            fail_oauth(reader, "config", names[i], "does nothing without authType oauth2");
}

enum casehook__token_auth casehook__config_token_auth(const struct casehook__config_reader *reader,
                                                      bool *named)
{
    struct casehook__field method = casehook__config_nullable(reader, "tokenAuthMethod");
    struct casehook__text text;
    *named = method.node != NULL;
    if (method.node && casehook__json_kind(method.node) == CASEHOOK__JSON_TEXT) {
        text = casehook__json_text(method.node);
        for (size_t i = 0; i < sizeof token_auth_words / sizeof *token_auth_words; i++)
            if (casehook__text_is(text, token_auth_words[i])) return (enum casehook__token_auth)i;
    }
    return CASEHOOK__TOKEN_POST;
}

void casehook__config_read_oauth(struct casehook__config_reader *reader)
{
    struct casehook__config *config = reader->config;
    struct casehook__field method = casehook__config_nullable(reader, "tokenAuthMethod"),
                           grant = casehook__config_nullable(reader, "grantType");
    size_t word = 0;
    bool named;
    if (config->auth != CASEHOOK__AUTH_OAUTH2) {
        refuse_unused(reader);
        return;
    }
    config->oauth = casehook__calloc(config->heap, 1, sizeof *config->oauth);
    if (!config->oauth) {
        reader->errors->memory = 1;
        return;
    }
    casehook__field_word(&method, token_auth_words, 4, false, &word);
    word = 0;
    casehook__field_word(&grant, grant_words, 2, false, &word);
    config->oauth->jwt_bearer = word == 1;
    config->oauth->auth = casehook__config_token_auth(reader, &named);
    read_token_url(reader);
    config->oauth->client_id = oauth_text(reader, "clientId");
    config->oauth->scope = oauth_text(reader, "scope");
    config->oauth->audience = oauth_text(reader, "tokenAudience");
    read_additional_fields(reader);
    read_client(reader, named);
    if (config->oauth->jwt_bearer) read_assertion(reader);
    if (casehook__config_has_header(config, CASEHOOK__TEXT("Authorization")))
        fail_oauth(
            reader, "config", "authType",
            "is oauth2, which writes the header Authorization: remove that among the configured headers");
}

void casehook__oauth_free(struct casehook__heap *heap, struct casehook__oauth *oauth)
{
    if (!oauth) return;
    const struct casehook__text texts[] = {oauth->url,    oauth->client_id, oauth->client_secret,
                                           oauth->basic,  oauth->scope,     oauth->audience,
                                           oauth->fields, oauth->claims,    oauth->key_id};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        casehook__free_secret(heap, (char *)(uintptr_t)texts[i].data, texts[i].length);
    casehook__signer_free(oauth->signer);
    casehook__free(heap, oauth);
}
