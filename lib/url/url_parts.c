/* url_parts.c - splits the text of a URL and refuses what must not be in it (C6). */
#include "url/url_parts.h"

#define HOST_MAX 253 /* longest name of the DNS, without a trailing dot */

#define BOTH (CASEHOOK__URL_ENCODE_IN_PATH | CASEHOOK__URL_ENCODE_IN_QUERY)
#define SIXTEEN_BOTH \
    BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH

const unsigned char casehook__url_class[256] = {
    SIXTEEN_BOTH,
    SIXTEEN_BOTH,
    [' '] = BOTH,
    ['"'] = BOTH,
    ['#'] = CASEHOOK__URL_PATH_END | CASEHOOK__URL_QUERY_END,
    ['/'] = CASEHOOK__URL_SLASH,
    ['<'] = BOTH,
    ['>'] = BOTH,
    ['?'] = CASEHOOK__URL_PATH_END,
    ['^'] = CASEHOOK__URL_ENCODE_IN_PATH,
    ['`'] = CASEHOOK__URL_ENCODE_IN_PATH,
    ['{'] = CASEHOOK__URL_ENCODE_IN_PATH,
    ['}'] = CASEHOOK__URL_ENCODE_IN_PATH,
    [0x7F] = BOTH,
    [0x80] = SIXTEEN_BOTH,
    SIXTEEN_BOTH,
    SIXTEEN_BOTH,
    SIXTEEN_BOTH,
    SIXTEEN_BOTH,
    SIXTEEN_BOTH,
    SIXTEEN_BOTH,
    SIXTEEN_BOTH,
};

size_t casehook__url_encode(char *out, const char *text, size_t length, bool path)
{
    static const char digits[] = "0123456789ABCDEF";
    unsigned mask = path ? CASEHOOK__URL_ENCODE_IN_PATH : CASEHOOK__URL_ENCODE_IN_QUERY;
    size_t written = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (!(casehook__url_class[c] & mask)) {
            out[written++] = (char)c;
            continue;
        }
        out[written++] = '%';
        out[written++] = digits[c >> 4];
        out[written++] = digits[c & 15];
    }
    return written;
}

/* A message about url at a place inside it. */
#define REFUSE(error, url, place, ...) \
    casehook__fail_at(error, CASEHOOK_E_CONFIG, (size_t)((place) - (url).data), __VA_ARGS__)

static bool url_begins_with(struct casehook__text text, const char *prefix)
{
    size_t length = strlen(prefix);
    return text.length >= length &&
           casehook__text_equal_nocase((struct casehook__text){text.data, length}, casehook__text(prefix));
}

static const char *find_text(struct casehook__text text, const char *needle)
{
    size_t length = strlen(needle);
    for (size_t i = 0; i + length <= text.length; i++)
        if (memcmp(text.data + i, needle, length) == 0) return text.data + i;
    return NULL;
}

int casehook__url_check_characters(struct casehook__text url, struct casehook__text text,
                                   struct casehook_error *error)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '\\')
            return REFUSE(error, url, text.data + i, "a URL holds no \\: write / in a path, %%5C in a value");
        if (c < 0x20 || c == 0x7F)
            return REFUSE(error, url, text.data + i, "a URL holds no control character (0x%02x): remove it",
                          c);
    }
    return CASEHOOK_OK;
}

#define TAG_MESSAGE \
    "scheme, host and port of a URL hold no variable: write them out, tags may begin in the path"

/* Why a text that begins with neither http:// nor https:// is refused. */
static int refuse_scheme(struct casehook__text url, struct casehook__text text, struct casehook_error *error)
{
    const char *end = find_text(text, "://");
    size_t name = end ? (size_t)(end - text.data) : text.length;
    const char *tag = find_text((struct casehook__text){text.data, name}, "{{");
    if (text.length == 0) return casehook__fail(error, CASEHOOK_E_CONFIG, "the URL is empty");
    if (tag) return REFUSE(error, url, tag, TAG_MESSAGE);
    if (url_begins_with(text, "http:") || url_begins_with(text, "https:"))
        return REFUSE(error, url, text.data,
                      "after the scheme of a URL come two slashes: write https://HOST");
    for (size_t i = 0; end && i < name; i++) {
        char c = text.data[i];
        if (!casehook__is_alpha(c) && !casehook__is_digit(c) && c != '+' && c != '-' && c != '.') end = NULL;
    }
    if (end && name > 0)
        return REFUSE(error, url, text.data,
                      "the scheme %.*s is not supported: a URL begins with https:// or http://",
                      name < 32 ? (int)name : 32, text.data);
    return REFUSE(error, url, text.data, "the URL has no scheme: it must begin with https:// or http://");
}

bool casehook__url_in_host(char c, bool brackets)
{
    if (brackets) return casehook__hex_value(c) >= 0 || c == ':' || c == '.';
    return casehook__is_alpha(c) || casehook__is_digit(c) || c == '-' || c == '.' || c == '_';
}

int casehook__url_refuse_user(struct casehook__text url, const struct casehook__url_parts *parts,
                              struct casehook_error *error)
{
    return REFUSE(error, url, parts->user.data,
                  "a URL holds no user info (what stands before the @): put user and password into secrets");
}

static int check_host(struct casehook__text url, const struct casehook__url_parts *parts,
                      struct casehook_error *error)
{
    struct casehook__text host = parts->host;
    if (host.length == 0) return REFUSE(error, url, host.data, "the URL has no host");
    for (size_t i = 0; i < host.length; i++) {
        char c = host.data[i];
        if (casehook__url_in_host(c, parts->brackets) || (!parts->brackets && (unsigned char)c >= 0x80))
            continue;
        if (c == '%')
            return REFUSE(error, url, host.data + i,
                          "the host of a URL holds no %%: write the name itself, an address without zone");
        if (c == ':')
            return REFUSE(error, url, host.data + i, "an IPv6 address in a URL stands in brackets: [::1]");
        if (c == ' ') return REFUSE(error, url, host.data + i, "the host of a URL holds no space");
        return REFUSE(error, url, host.data + i, "the host of a URL holds no '%c'", c);
    }
    if (host.length > 4 * HOST_MAX) return REFUSE(error, url, host.data, "the host of the URL is too long");
    return CASEHOOK_OK;
}

/* text is what stands behind the host: nothing, or a colon and the port. */
static int split_port(struct casehook__text url, struct casehook__text text,
                      struct casehook__url_parts *parts, struct casehook_error *error)
{
    uint64_t port = 0;
    parts->port = parts->https ? 443 : 80;
    if (text.length == 0) return CASEHOOK_OK;
    if (text.data[0] != ':')
        return REFUSE(error, url, text.data,
                      "behind the ] of an address comes the path or a colon and the port");
    if (text.length == 1) return CASEHOOK_OK;
    if (!casehook__text_number(casehook__text_from(text, 1), 65535, &port) || port == 0)
        return REFUSE(error, url, text.data + 1, "the port of a URL is a number from 1 to 65535");
    parts->port = (uint16_t)port;
    return CASEHOOK_OK;
}

/* user@host:port into its pieces. */
static int split_authority(struct casehook__text url, struct casehook__text authority,
                           struct casehook__url_parts *parts, struct casehook_error *error)
{
    size_t end = 0;
    for (size_t i = authority.length; i-- > 0 && !parts->user.data;)
        if (authority.data[i] == '@') {
            parts->user = (struct casehook__text){authority.data, i};
            authority = casehook__text_from(authority, i + 1);
        }
    const char *tag = find_text(authority, "{{");
    if (tag) return REFUSE(error, url, tag, TAG_MESSAGE);
    parts->brackets = authority.length > 0 && authority.data[0] == '[';
    if (parts->brackets) {
        while (end < authority.length && authority.data[end] != ']') end++;
        if (end == authority.length)
            return REFUSE(error, url, authority.data, "the [ of an IPv6 address is not closed by ]");
        parts->host = (struct casehook__text){authority.data + 1, end - 1};
        end++;
    } else {
        for (end = authority.length; end > 0 && authority.data[end - 1] != ':';) end--;
        end = end > 0 ? end - 1 : authority.length;
        parts->host = (struct casehook__text){authority.data, end};
    }
    int status = check_host(url, parts, error);
    return status ? status : split_port(url, casehook__text_from(authority, end), parts, error);
}

int casehook__url_split(struct casehook__text url, struct casehook__url_parts *parts,
                        struct casehook_error *error)
{
    struct casehook__text text = casehook__text_trim(url);
    size_t end = 0;
    memset(parts, 0, sizeof *parts);
    int status = casehook__url_check_characters(url, text, error);
    if (status) return status;
    parts->https = url_begins_with(text, "https://");
    if (!parts->https && !url_begins_with(text, "http://")) return refuse_scheme(url, text, error);
    text = casehook__text_from(text, parts->https ? 8 : 7);
    while (end < text.length && !strchr("/?#", text.data[end])) end++;
    parts->rest = casehook__text_from(text, end);
    return split_authority(url, (struct casehook__text){text.data, end}, parts, error);
}
