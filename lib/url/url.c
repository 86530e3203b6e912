/*
 * url.c - origins and plain URLs, decided by libcurl's URL parser (U1).
 *
 * Every origin is parsed twice: the text as it was given, then the form that will be requested.  Only when
 * both agree is it taken, so the host that is checked is the host that libcurl connects to.
 */
#include "base/posix.h"

#include "url/url_parts.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <curl/urlapi.h>

#define ORIGIN_TEXT_MAX 300 /* https://[host of 255]:65535/ and its NUL */

bool casehook__origin_equal(const struct casehook__origin *a, const struct casehook__origin *b)
{
    return a->https == b->https && a->port == b->port && strcmp(a->host, b->host) == 0;
}

size_t casehook__origin_host_length(const struct casehook__origin *origin)
{
    size_t length = strlen(origin->host);
    return length > 0 && origin->host[length - 1] == '.' ? length - 1 : length;
}

int casehook__origin_append(struct casehook__buf *buf, const struct casehook__origin *origin)
{
    casehook__buf_append_string(buf, origin->https ? "https://" : "http://");
    if (origin->ipv6) casehook__buf_append_char(buf, '[');
    casehook__buf_append_string(buf, origin->host);
    if (origin->ipv6) casehook__buf_append_char(buf, ']');
    if (origin->port != (origin->https ? 443 : 80)) {
        casehook__buf_append_char(buf, ':');
        casehook__buf_append_number(buf, origin->port);
    }
    return buf->status;
}

/* Whether a name would be read as an IPv4 address by somebody: its last label is a number. */
static bool ends_in_number(const char *host, size_t length)
{
    size_t start = length;
    while (start > 0 && host[start - 1] != '.') start--;
    if (start == length) return false;
    bool hex = length - start >= 2 && host[start] == '0' && casehook__lower(host[start + 1]) == 'x';
    for (size_t i = hex ? start + 2 : start; i < length; i++)
        if (hex ? casehook__hex_value(host[i]) < 0 : !casehook__is_digit(host[i])) return false;
    return true;
}

static int bad_host(struct casehook_error *error, const struct casehook__origin *origin)
{
    bool number = !origin->ipv6 && ends_in_number(origin->host, strlen(origin->host));
    return casehook__fail(error, CASEHOOK_E_CONFIG, "the host of the URL, %.64s, %s", origin->host,
                          number ? "looks like an IPv4 address but is none"
                                 : "is not a valid host name or address");
}

/* libcurl's codes; every URL that reaches it has passed casehook__url_split. */
static int from_curl(CURLUcode code, const struct casehook__origin *origin, struct casehook_error *error)
{
    if (code == CURLUE_OK) return CASEHOOK_OK;
    if (code == CURLUE_OUT_OF_MEMORY) return casehook__fail_memory(error);
    return bad_host(error, origin);
}

/* The host as one spelling: lower case; addresses as the system writes them, and as bytes. */
static bool canonical_host(struct casehook__origin *origin)
{
    size_t length = strlen(origin->host);
    for (size_t i = 0; i < length; i++) {
        origin->host[i] = casehook__lower(origin->host[i]);
        if (origin->host[i] == '.' && (i == 0 || origin->host[i - 1] == '.')) return false;
    }
    if (origin->ipv6)
        return inet_pton(AF_INET6, origin->host, origin->address) == 1 &&
               inet_ntop(AF_INET6, origin->address, origin->host, sizeof origin->host);
    origin->ipv4 = inet_pton(AF_INET, origin->host, origin->address) == 1;
    return length > 0 && (origin->ipv4 || !ends_in_number(origin->host, length));
}

/* Scheme, host and port that libcurl finds in text. */
static int ask_parser(CURLU *parser, const char *text, struct casehook__origin *origin,
                      struct casehook_error *error)
{
    char *scheme = NULL, *host = NULL, *port = NULL;
    CURLUcode code = curl_url_set(parser, CURLUPART_URL, text, 0);
    if (code == CURLUE_OK) code = curl_url_get(parser, CURLUPART_SCHEME, &scheme, 0);
    if (code == CURLUE_OK) code = curl_url_get(parser, CURLUPART_HOST, &host, 0);
    if (code == CURLUE_OK) code = curl_url_get(parser, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
    int status = from_curl(code, origin, error);
    if (status) goto out;
    size_t length = strlen(host);
    uint64_t number = 0;
    bool brackets = length >= 2 && host[0] == '[' && host[length - 1] == ']';
    casehook__text_number(casehook__text(port), 65535, &number);
    if (length >= sizeof origin->host || number == 0) {
        status = bad_host(error, origin);
        goto out;
    }
    memset(origin, 0, sizeof *origin);
    origin->https = strcmp(scheme, "https") == 0;
    origin->port = (uint16_t)number;
    origin->ipv6 = brackets;
    memcpy(origin->host, brackets ? host + 1 : host, brackets ? length - 2 : length);
    if (!canonical_host(origin)) status = bad_host(error, origin);
out:
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    return status;
}

/* "https://host:port/" on the stack; the buffer is large enough for every origin. */
static void origin_text(const struct casehook__origin *origin, char text[ORIGIN_TEXT_MAX])
{
    struct casehook__buf buf = {.data = text, .capacity = ORIGIN_TEXT_MAX - 1, .limit = ORIGIN_TEXT_MAX - 1};
    casehook__origin_append(&buf, origin);
    casehook__buf_append_char(&buf, '/');
}

/* The host in ASCII, as the parser is to see it. */
static int ascii_host(const struct casehook__url_parts *parts, struct casehook__origin *given,
                      struct casehook_error *error)
{
    struct casehook__text host = parts->host;
    bool ascii = true;
    for (size_t i = 0; i < host.length; i++) ascii = ascii && (unsigned char)host.data[i] < 0x80;
    if (ascii && host.length >= sizeof given->host)
        return casehook__fail(error, CASEHOOK_E_CONFIG, "the host of the URL is too long");
    if (ascii)
        memcpy(given->host, host.data, host.length);
    else {
        int status = casehook__url_idn(host, given->host, sizeof given->host, error);
        if (status) return status;
    }
    size_t length = strlen(given->host);
    for (size_t i = 0; i < length; i++) /* IDNA maps look-alikes: U+FF0F to a slash */
        if (!casehook__url_in_host(given->host[i], parts->brackets)) return bad_host(error, given);
    /* The parser leaves "127.1." alone, and resolvers disagree about it: an address has no trailing dot. */
    if (length > 1 && given->host[length - 1] == '.' && ends_in_number(given->host, length - 1))
        given->host[length - 1] = '\0';
    return CASEHOOK_OK;
}

int casehook__url_origin(const struct casehook__url_parts *parts, struct casehook__origin *origin,
                         struct casehook_error *error)
{
    char text[ORIGIN_TEXT_MAX];
    struct casehook__origin given = {.https = parts->https, .port = parts->port, .ipv6 = parts->brackets};
    int status = ascii_host(parts, &given, error);
    if (status) return status;
    CURLU *parser = curl_url();
    if (!parser) return casehook__fail_memory(error);
    origin_text(&given, text);
    *origin = given;
    status = ask_parser(parser, text, origin, error);
    if (status) goto out;
    struct casehook__origin again = *origin;
    origin_text(origin, text);
    status = ask_parser(parser, text, &again, error);
    if (status == CASEHOOK_OK && (!casehook__origin_equal(origin, &again) || origin->ipv4 != again.ipv4))
        status = bad_host(error, origin);
out:
    curl_url_cleanup(parser);
    return status;
}

static int buffer_error(const struct casehook__buf *buf, struct casehook_error *error)
{
    if (buf->status == CASEHOOK_E_LIMIT)
        return casehook__fail(error, CASEHOOK_E_LIMIT, "the URL is longer than %zu bytes", buf->limit);
    return buf->status ? casehook__fail_memory(error) : CASEHOOK_OK;
}

static struct casehook__text without_fragment(struct casehook__text text)
{
    const char *hash = text.length ? memchr(text.data, '#', text.length) : NULL;
    if (hash) text.length = (size_t)(hash - text.data);
    return text;
}

/* Appends path and query, percent-encoded where they must be. */
static void append_encoded(struct casehook__buf *buf, struct casehook__text text)
{
    const char *mark = text.length ? memchr(text.data, '?', text.length) : NULL;
    size_t path = mark ? (size_t)(mark - text.data) : text.length;
    size_t more = text.length;
    for (size_t i = 0; i < text.length; i++)
        if (casehook__url_class[(unsigned char)text.data[i]] &
            (i < path ? CASEHOOK__URL_ENCODE_IN_PATH : CASEHOOK__URL_ENCODE_IN_QUERY))
            more += 2;
    if (casehook__buf_reserve(buf, more)) return;
    buf->length += casehook__url_encode(buf->data + buf->length, text.data, path, true);
    if (mark) buf->length += casehook__url_encode(buf->data + buf->length, mark, text.length - path, false);
    buf->data[buf->length] = '\0';
}

/* Appends the URL that would be requested; the parser resolves dot segments. */
static int append_normal(struct casehook__buf *normal, const struct casehook__origin *origin,
                         struct casehook__text rest, struct casehook_error *error)
{
    char *path = NULL, *query = NULL;
    size_t start = normal->length;
    int status;
    CURLU *parser = curl_url();
    if (!parser) return casehook__fail_memory(error);
    casehook__origin_append(normal, origin);
    size_t end = normal->length;
    if (rest.length == 0 || rest.data[0] != '/') casehook__buf_append_char(normal, '/');
    append_encoded(normal, without_fragment(rest));
    status = buffer_error(normal, error);
    if (status) goto out;
    CURLUcode code = curl_url_set(parser, CURLUPART_URL, normal->data + start, 0);
    if (code == CURLUE_OK) code = curl_url_get(parser, CURLUPART_PATH, &path, 0);
    if (code == CURLUE_OK) code = curl_url_get(parser, CURLUPART_QUERY, &query, 0);
    if (code == CURLUE_NO_QUERY) code = CURLUE_OK;
    status = from_curl(code, origin, error);
    if (status) goto out;
    normal->length = end;
    casehook__buf_append_string(normal, path);
    if (query && *query) {
        casehook__buf_append_char(normal, '?');
        casehook__buf_append_string(normal, query);
    }
    status = buffer_error(normal, error);
out:
    curl_free(path);
    curl_free(query);
    curl_url_cleanup(parser);
    return status;
}

int casehook__url_parse(struct casehook__text url, enum casehook__url_user user,
                        struct casehook__origin *origin, struct casehook__buf *normal,
                        struct casehook_error *error)
{
    struct casehook__url_parts parts;
    int status = casehook__url_split(url, &parts, error);
    if (status) return status;
    if (parts.user.data && user == CASEHOOK__URL_REFUSE_USER)
        return casehook__url_refuse_user(url, &parts, error);
    status = casehook__url_origin(&parts, origin, error);
    if (status || !normal) return status;
    return append_normal(normal, origin, parts.rest, error);
}

/* Whether a reference begins with a scheme (RFC 3986, 4.2). */
static bool has_scheme(struct casehook__text text)
{
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (c == ':') return i > 0;
        if (!casehook__is_alpha(c) &&
            (i == 0 || (!casehook__is_digit(c) && c != '+' && c != '-' && c != '.')))
            return false;
    }
    return false;
}

/* A reference without host: the parser resolves it against base into *absolute. */
static int resolve_relative(const char *base, struct casehook__text location, struct casehook__buf *absolute,
                            struct casehook_error *error)
{
    char *resolved = NULL;
    CURLU *parser = curl_url();
    int status = CASEHOOK_OK;
    if (!parser) return casehook__fail_memory(error);
    append_encoded(absolute, location);
    status = buffer_error(absolute, error);
    if (status) goto out;
    CURLUcode code = curl_url_set(parser, CURLUPART_URL, base, 0);
    if (code == CURLUE_OK && absolute->length) code = curl_url_set(parser, CURLUPART_URL, absolute->data, 0);
    if (code == CURLUE_OK) code = curl_url_get(parser, CURLUPART_URL, &resolved, 0);
    if (code == CURLUE_OK) {
        casehook__buf_clear(absolute);
        casehook__buf_append_string(absolute, resolved);
        status = buffer_error(absolute, error);
    } else if (code == CURLUE_OUT_OF_MEMORY)
        status = casehook__fail_memory(error);
    else
        status = casehook__fail(error, CASEHOOK_E_CONFIG, "the Location is not a valid URL");
out:
    curl_free(resolved);
    curl_url_cleanup(parser);
    return status;
}

int casehook__url_resolve(const char *base, struct casehook__text location, struct casehook__origin *origin,
                          struct casehook__buf *normal, struct casehook_error *error)
{
    struct casehook__text text = casehook__text_trim(location);
    struct casehook__origin from;
    struct casehook__buf absolute;
    int status = casehook__url_check_characters(location, text, error);
    if (status) return status;
    if (text.length == 0) return casehook__fail(error, CASEHOOK_E_CONFIG, "the Location is empty");
    if (has_scheme(text))
        return casehook__url_parse(location, CASEHOOK__URL_DROP_USER, origin, normal, error);
    status = casehook__url_parse(casehook__text(base), CASEHOOK__URL_DROP_USER, &from, NULL, error);
    if (status) return status;
    casehook__buf_init(&absolute, normal ? normal->heap : NULL, CASEHOOK__URL_MAX_BYTES);
    bool other_host = text.length > 1 && text.data[0] == '/' && text.data[1] == '/';
    if (other_host) {
        casehook__buf_append_string(&absolute, from.https ? "https:" : "http:");
        casehook__buf_append_text(&absolute, text);
        status = buffer_error(&absolute, error);
    } else {
        status = resolve_relative(base, without_fragment(text), &absolute, error);
    }
    if (status == CASEHOOK_OK)
        status = casehook__url_parse(casehook__buf_text(&absolute), CASEHOOK__URL_DROP_USER, origin, normal,
                                     error);
    if (status == CASEHOOK_OK && !other_host && !casehook__origin_equal(&from, origin))
        status = casehook__fail(error, CASEHOOK_E_CONFIG, "the Location is not a valid URL");
    if (status && error) error->offset = -1; /* not a place in what the server sent */
    casehook__buf_free(&absolute);
    return status;
}
