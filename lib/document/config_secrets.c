/* config_secrets.c - every secret of a connector in plain form, for masking (R3). */
#include "document/config_private.h"

#include "base/base64.h"

#define URL_PART_MIN 8
#define SECRETS_MAX  1000 /* each is compared with those before it */

static void add_secret(struct casehook__config_reader *reader, struct casehook__text secret)
{
    struct casehook__config *config = reader->config;
    if (secret.length == 0) return;
    for (size_t i = 0; i < config->secret_count; i++)
        if (casehook__text_equal(config->secrets[i], secret)) return;
    if (config->secret_count == SECRETS_MAX) {
        reader->secrets_left_out = true;
        return;
    }
    struct casehook__text *secrets =
        casehook__realloc(config->heap, config->secrets, (config->secret_count + 1) * sizeof *secrets);
    if (secrets) {
        config->secrets = secrets;
        char *copy = casehook__copy(config->heap, secret.data, secret.length);
        if (copy) {
            secrets[config->secret_count++] = (struct casehook__text){copy, secret.length};
            return;
        }
    }
    reader->errors->memory = 1;
}

/* The password in a Basic token. */
static void add_basic(struct casehook__config_reader *reader, struct casehook__text token)
{
    struct casehook__buf login;
    casehook__buf_init(&login, reader->config->heap, token.length + 4);
    int status = casehook__base64_decode(&login, token);
    const char *colon = !status && login.length ? memchr(login.data, ':', login.length) : NULL;
    if (colon)
        add_secret(reader,
                   (struct casehook__text){colon + 1, (size_t)(login.data + login.length - colon - 1)});
    if (status == CASEHOOK_E_NO_MEMORY) reader->errors->memory = 1;
    casehook__buf_free(&login);
}

/* Base64 may come back without its "="; where they stand behind it they are masked with it. */
static struct casehook__text without_padding(struct casehook__text text)
{
    if (text.length < 8 || text.length % 4) return text;
    for (int i = 0; i < 2 && text.data[text.length - 1] == '='; i++) text.length--;
    return text;
}

/* The value of a header, and of "Bearer TOKEN" or "Basic TOKEN" what stands behind the first word. */
static void add_secret_value(struct casehook__config_reader *reader, struct casehook__text value)
{
    struct casehook__text whole = casehook__text_trim(value);
    const char *space = whole.length ? memchr(whole.data, ' ', whole.length) : NULL;
    add_secret(reader, space ? whole : without_padding(whole));
    if (!space) return;
    struct casehook__text scheme = {whole.data, (size_t)(space - whole.data)};
    struct casehook__text token = {space, whole.length - scheme.length};
    token = casehook__text_trim(token);
    add_secret(reader, without_padding(token));
    if (casehook__text_is_nocase(scheme, "Basic")) add_basic(reader, token);
}

static void add_headers(struct casehook__config_reader *reader, const struct casehook__headers *headers)
{
    for (size_t i = 0; i < headers->count; i++)
        if (headers->items[i].secret) add_secret_value(reader, headers->items[i].value);
}

/* The parts of a path, and the values of a query; what is short is no secret but a word. */
static void add_url_parts(struct casehook__config_reader *reader, struct casehook__text literal)
{
    const char *stops = "/?#";
    for (size_t begin = 0, at = 0; at <= literal.length; at++) {
        if (at < literal.length && !strchr(stops, literal.data[at])) continue;
        if (at - begin >= URL_PART_MIN)
            add_secret(reader, (struct casehook__text){literal.data + begin, at - begin});
        if (at < literal.length && literal.data[at] == '?') stops = "&=#";
        begin = at + 1;
    }
}

/* With secretUrl: what stands between the tags of a URL, behind its host. */
static void add_url(struct casehook__config_reader *reader, const char *name)
{
    struct casehook__field field = casehook__config_nullable(reader, name);
    if (!field.node || casehook__json_kind(field.node) != CASEHOOK__JSON_TEXT) return;
    const char *url = casehook__json_text(field.node).data, *host = strstr(url, "://");
    const char *at = host ? host + 3 + strcspn(host + 3, "/?#") : "";
    while (*at) {
        const char *tag = strstr(at, "{{");
        struct casehook__text literal = {at, tag ? (size_t)(tag - at) : strlen(at)};
        while (literal.length && *literal.data == '/') literal.data++, literal.length--;
        if (literal.length >= URL_PART_MIN) add_secret(reader, literal);
        add_url_parts(reader, literal);
        const char *end = tag ? strstr(tag, "}}") : NULL;
        at = end ? end + 2 + strspn(end + 2, "}") : "";
    }
}

/* Members or items that are texts; of a signing key also what stands behind "whsec_". */
static void add_texts(struct casehook__config_reader *reader, const char *name)
{
    static const char mark[] = "whsec_";
    struct casehook__field field = casehook__config_secret(reader, name);
    size_t position = 0;
    struct casehook__text member;
    struct casehook__json *value;
    for (size_t i = 0; field.node; i++) {
        const struct casehook__json *text = field.node;
        if (casehook__json_kind(field.node) == CASEHOOK__JSON_OBJECT)
            text = casehook__json_next(field.node, &position, &member, &value) ? value : NULL;
        else if (casehook__json_kind(field.node) == CASEHOOK__JSON_ARRAY)
            text = i < casehook__json_count(field.node) ? casehook__json_item(field.node, i) : NULL;
        else if (i > 0)
            text = NULL;
        if (!text) return;
        if (casehook__json_kind(text) != CASEHOOK__JSON_TEXT) continue;
        struct casehook__text secret = casehook__json_text(text);
        add_secret(reader, secret);
        if (secret.length > sizeof mark && memcmp(secret.data, mark, sizeof mark - 1) == 0)
            add_secret(reader, without_padding(casehook__text_from(secret, sizeof mark - 1)));
    }
}

void casehook__config_collect_secrets(struct casehook__config_reader *reader)
{
    static const char *const names[] = {"password", "clientSecret"};
    const struct casehook__config *config = reader->config;
    for (size_t i = 0; i < 2; i++) {
        struct casehook__field field = casehook__config_secret(reader, names[i]);
        struct casehook__text text;
        if (casehook__config_secret_text(&field, &text)) add_secret(reader, text);
    }
    for (size_t i = 0; config->values && i < config->values->secret_count; i++)
        add_secret(reader, config->values->secrets[i].text);
    if (config->secret_url) {
        for (int i = 0; i < CASEHOOK__CALLS; i++)
            add_url(reader, casehook__call_kind((enum casehook__call)i)->url);
        add_url(reader, "viewIncidentUrl");
    }
    if (config->oauth && config->oauth->basic.data) add_secret_value(reader, config->oauth->basic);
    add_texts(reader, "secretQuery");
    for (size_t i = 0; config->query && i < config->query->count; i++) { /* as it stands in URLs */
        struct casehook__text pair = config->query->items[i].pair;
        const char *value = pair.data ? memchr(pair.data, '=', pair.length) : NULL;
        if (value) add_secret(reader, casehook__text_from(pair, (size_t)(value - pair.data) + 1));
    }
    add_texts(reader, "signingKey");
    add_headers(reader, &config->headers);
    for (size_t i = 0; i < CASEHOOK__CALLS; i++) {
        const struct casehook__call_headers *own = casehook__call_more(&config->calls[i])->headers;
        if (own) add_headers(reader, &own->set);
    }
    if (config->proxy) add_headers(reader, &config->proxy->headers);
    if (reader->settings->proxy) add_headers(reader, &reader->settings->proxy->headers);
    if (reader->secrets_left_out)
        casehook__fail(
            casehook__errors_add(reader->errors, config->secret_url ? "config.secretUrl" : "secrets"),
            CASEHOOK_E_CONFIG,
            "makes more than %d parts of URLs and headers secret, more than can be kept out of messages",
            SECRETS_MAX);
}
