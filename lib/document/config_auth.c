/* config_auth.c - headers, authentication, CA, mode and proxy of a connector (C7, C8, P2). */
#include "document/config_private.h"

#include "base/base64.h"
#include "settings/settings_hosts.h"

#define PEM_MAX_BYTES (1024 * 1024)

/* The secret ones are put above the configured ones. */
static void read_secret_headers(struct casehook__config_reader *reader)
{
    struct casehook__headers secret = {.heap = reader->config->heap};
    struct casehook__field field = casehook__config_secret(reader, "secretHeaders");
    casehook__config_read_header_object(reader, &field, true, "secrets.secretHeaders", &secret);
    if (casehook__headers_merge(&reader->config->headers, &secret)) reader->errors->memory = 1;
    casehook__headers_free(&secret);
}

/* The name of a file where its content should be; base64 has no dots, and what is encoded here begins with M
 * or L. */
static bool is_file_path(struct casehook__text text)
{
    static const char starts[][6] = {"/", "./", "../", "~/", "file:", "@"};
    static const char ends[][5] = {".pem", ".crt", ".cer", ".der", ".key", ".p12", ".pfx"};
    if (text.length > 1024 || memchr(text.data, '\n', text.length)) return false;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (strncmp(text.data, starts[i], strlen(starts[i])) == 0) return true;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t length = strlen(ends[i]);
        struct casehook__text end = {text.data + text.length - length, length};
        if (text.length > length && casehook__text_is_nocase(end, ends[i])) return true;
    }
    return false;
}

/* PEM text as it is, or base64 decoded; it is wiped with the config. */
static void decode_pem_or_base64(struct casehook__config_reader *reader, const struct casehook__field *field,
                                 struct casehook__text text, bool may_be_pem, struct casehook__text *out)
{
    struct casehook__heap *heap = reader->config->heap;
    struct casehook__buf buf;
    if (is_file_path(text)) {
        casehook__fail(casehook__field_fault(field), CASEHOOK_E_CONFIG,
                       "is the name of a file; give what is in the file, in base64 (base64 -w0 FILE)%s",
                       may_be_pem ? " or as PEM text" : "");
        return;
    }
    casehook__buf_init(&buf, heap, PEM_MAX_BYTES);
    int status = may_be_pem && strstr(text.data, "-----BEGIN") ? casehook__buf_append_text(&buf, text)
                                                               : casehook__base64_decode(&buf, text);
    if (!status && buf.length) {
        *out = (struct casehook__text){casehook__copy(heap, buf.data, buf.length), buf.length};
        if (!out->data) status = CASEHOOK_E_NO_MEMORY;
    } else if (status == CASEHOOK_E_LIMIT) {
        casehook__fail(casehook__field_fault(field), CASEHOOK_E_CONFIG, "is larger than %d bytes",
                       PEM_MAX_BYTES);
    } else if (status != CASEHOOK_E_NO_MEMORY) {
        casehook__fail(casehook__field_fault(field), CASEHOOK_E_CONFIG, "%s",
                       may_be_pem ? "is neither base64 nor PEM text" : "is not base64");
    }
    if (status == CASEHOOK_E_NO_MEMORY) {
        *out = (struct casehook__text){0};
        reader->errors->memory = 1;
    }
    casehook__buf_free(&buf);
}

static void decode_secret(struct casehook__config_reader *reader, const char *name, bool may_be_pem,
                          struct casehook__text *out)
{
    struct casehook__field field = casehook__config_secret(reader, name);
    struct casehook__text text;
    if (casehook__config_secret_text(&field, &text))
        decode_pem_or_base64(reader, &field, text, may_be_pem, out);
}

static void fail_secret(const struct casehook__config_reader *reader, const char *name, const char *message)
{
    struct casehook__field field = {reader->errors, "secrets", name, NULL};
    casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG, "%s", message);
}

static bool is_auth_given(const struct casehook__config_reader *reader, const char *name)
{
    struct casehook__field field = casehook__config_secret(reader, name);
    return field.node != NULL;
}

/* The password of a login; "" is as good as missing. */
static bool read_password(const struct casehook__config_reader *reader, struct casehook__text *text)
{
    struct casehook__field field = casehook__config_secret(reader, "password");
    if (field.node) return casehook__config_secret_text(&field, text);
    fail_secret(reader, "password",
                "is missing: basic authentication needs it; hasAuth false switches it off");
    return false;
}

/* "" is a user where the password is a token. */
static bool read_user(const struct casehook__config_reader *reader, struct casehook__text *text)
{
    struct casehook__field field = casehook__field_of(reader->errors, "secrets", reader->secrets, "user");
    if (!casehook__field_is_null(&field)) return casehook__config_secret_text(&field, text);
    fail_secret(
        reader, "user",
        "is missing: basic authentication needs it; write \"\" where the password is a token and needs no "
        "user, or switch it off with hasAuth false");
    return false;
}

/* RFC 7617: no control characters in both, no colon in the user. */
static bool check_login(const struct casehook__config_reader *reader, const char *name,
                        struct casehook__text text, bool colon)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c >= 0x20 && c != 0x7F && (colon || c != ':')) continue;
        struct casehook__field field = {reader->errors, "secrets", name, NULL};
        casehook__fail_at(casehook__field_fault(&field), CASEHOOK_E_CONFIG, i,
                          c == ':' ? "a user name with a colon cannot log in by basic authentication; the "
                                     "password has a field of its own"
                                   : "holds a control character, a line break perhaps; remove it");
        return false;
    }
    return true;
}

static void refuse_auth(const struct casehook__config_reader *reader, const char *const *names, size_t count,
                        const char *message)
{
    for (size_t i = 0; i < count; i++)
        if (is_auth_given(reader, names[i])) fail_secret(reader, names[i], message);
}

static void read_basic(struct casehook__config_reader *reader)
{
    static const char *const others[] = {"crt", "key", "pfx"};
    struct casehook__headers *headers = &reader->config->headers;
    struct casehook__text user, password;
    bool has_user = read_user(reader, &user);
    bool has_password = read_password(reader, &password);
    refuse_auth(reader, others, 3,
                "does not go with basic authentication; set authType to ssl, or remove it");
    if (has_user) has_user = check_login(reader, "user", user, false);
    if (has_password) has_password = check_login(reader, "password", password, true);
    if (!has_user || !has_password) return;
    if (casehook__headers_find(headers, CASEHOOK__TEXT("Authorization"))) return; /* it replaces basic (C7) */
    if (casehook__headers_add_basic(headers, "Authorization", user, password)) reader->errors->memory = 1;
}

static void copy_passphrase(struct casehook__config_reader *reader, struct casehook__text *out)
{
    struct casehook__field field = casehook__config_secret(reader, "password");
    struct casehook__text text;
    if (!casehook__config_secret_text(&field, &text)) return;
    if (memchr(text.data, '\0', text.length)) {
        fail_secret(reader, "password", "a passphrase holds no NUL");
        return;
    }
    *out = (struct casehook__text){casehook__copy(reader->config->heap, text.data, text.length), text.length};
    if (!out->data) reader->errors->memory = 1;
}

static struct casehook__identity_texts *identity_of(struct casehook__config_reader *reader)
{
    struct casehook__config *config = reader->config;
    config->identity = casehook__calloc(config->heap, 1, sizeof *config->identity);
    if (!config->identity) reader->errors->memory = 1;
    return config->identity;
}

static void read_ssl(struct casehook__config_reader *reader)
{
    static const char *const others[] = {"user"};
    bool crt = is_auth_given(reader, "crt"), key = is_auth_given(reader, "key"),
         pfx = is_auth_given(reader, "pfx");
    refuse_auth(reader, others, 1,
                "does not go with a client certificate; remove it, or set authType to basic");
    if (crt && !key) fail_secret(reader, "key", "is missing: crt is given, and the two come together");
    if (key && !crt) fail_secret(reader, "crt", "is missing: key is given, and the two come together");
    if (pfx && (crt || key)) fail_secret(reader, "pfx", "excludes crt and key; give one of the two forms");
    if (!crt && !key && !pfx)
        fail_secret(reader, "crt", "is missing: ssl authentication needs crt and key, or pfx");
    struct casehook__identity_texts *identity = identity_of(reader);
    if (!identity) return;
    decode_secret(reader, "crt", true, &identity->crt);
    decode_secret(reader, "key", true, &identity->key);
    decode_secret(reader, "pfx", false, &identity->pfx);
    copy_passphrase(reader, &identity->passphrase);
}

/* Who writes "bearer" has a token and looks for its place. */
static void name_header(const struct casehook__config_reader *reader)
{
    struct casehook_error *fault = reader->errors->last;
    if (!fault || strcmp(fault->field, "config.authType") != 0 || !strstr(fault->message, "is not one of"))
        return;
    const struct casehook_error before = *fault;
    casehook__fail(fault, before.status,
                   "%s; a token or key in a header needs none: set hasAuth to false, and give it in "
                   "secrets.secretHeaders",
                   before.message);
}

/* hasAuth, authType and certType; what they ask for. */
static enum casehook__auth read_auth_type(struct casehook__config_reader *reader)
{
    static const char *const words[] = {"none",
                                        "basic",
                                        "ssl",
                                        "oauth2",
                                        "webhook-authentication-basic",
                                        "webhook-authentication-ssl",
                                        "webhook-oauth2-client-credentials",
                                        "http-authentication-query-param"};
    static const enum casehook__auth types[] = {
        CASEHOOK__AUTH_NONE,  CASEHOOK__AUTH_BASIC, CASEHOOK__AUTH_SSL,   CASEHOOK__AUTH_OAUTH2,
        CASEHOOK__AUTH_BASIC, CASEHOOK__AUTH_SSL,   CASEHOOK__AUTH_OAUTH2};
    static const char *const cert_words[] = {"crt", "pfx", "ssl-crt-key", "ssl-pfx"};
    struct casehook__field has_auth = casehook__config_field(reader, "hasAuth");
    struct casehook__field type = casehook__config_nullable(reader, "authType");
    struct casehook__field cert = casehook__config_field(reader, "certType");
    bool on = true;
    size_t word = 1, unused;
    if (has_auth.node && !casehook__field_boolean(&has_auth, &on)) on = false;
    if (type.node && !casehook__field_word(&type, words, 8, false, &word)) {
        on = false;
        name_header(reader);
    }
    casehook__field_word(&cert, cert_words, 4, false, &unused); /* the secrets say it as well */
    if (!on) return CASEHOOK__AUTH_NONE;
    if (word < sizeof types / sizeof *types) return types[word];
    casehook__fail(casehook__field_fault(&type), CASEHOOK_E_UNSUPPORTED,
                   "\"%s\" is unsupported: use none and secrets.secretQuery", words[word]);
    return CASEHOOK__AUTH_NONE;
}

static void read_trust(struct casehook__config_reader *reader)
{
    struct casehook__config *config = reader->config;
    struct casehook__field ca = casehook__config_field(reader, "ca"),
                           mode = casehook__config_field(reader, "verificationMode");
    struct casehook__text text;
    if (casehook__field_text(&ca, &text) && text.length)
        decode_pem_or_base64(reader, &ca, text, true, &config->ca);
    if (casehook__field_mode(&mode, &config->mode) && config->mode < reader->settings->minimum_mode)
        casehook__fail(casehook__field_fault(&mode), CASEHOOK_E_POLICY,
                       "\"%s\" is weaker than \"%s\", the ssl.minimumVerificationMode of the settings",
                       casehook__mode_name(config->mode),
                       casehook__mode_name(reader->settings->minimum_mode));
}

void casehook__config_read_auth(struct casehook__config_reader *reader)
{
    struct casehook__field headers = casehook__config_field(reader, "headers");
    casehook__config_read_header_object(reader, &headers, false, "config.headers", &reader->config->headers);
    reader->config->auth = read_auth_type(reader);
    read_trust(reader);
}

/* A certificate that goes to the authorization server and the tracker; or only a key, which signs. */
static void read_oauth_secrets(struct casehook__config_reader *reader)
{
    static const char *const others[] = {"user"};
    bool named;
    if (casehook__config_token_auth(reader, &named) == CASEHOOK__TOKEN_TLS) {
        read_ssl(reader);
        return;
    }
    refuse_auth(reader, others, 1, "does not go with oauth2; remove it");
    struct casehook__identity_texts *identity = identity_of(reader);
    if (!identity) return;
    decode_secret(reader, "key", true, &identity->key);
    copy_passphrase(reader, &identity->passphrase);
}

void casehook__config_read_secrets(struct casehook__config_reader *reader)
{
    read_secret_headers(reader);
    if (reader->config->auth == CASEHOOK__AUTH_OAUTH2) read_oauth_secrets(reader);
    if (reader->config->auth == CASEHOOK__AUTH_BASIC) read_basic(reader);
    if (reader->config->auth == CASEHOOK__AUTH_SSL) read_ssl(reader);
}
