/* url_display.c - URLs as they may be shown in errors, logs and previews (R3). */
#include "url/url_parts.h"

#define MASK "***"

#define AUTHORITY_END (CASEHOOK__URL_SLASH | CASEHOOK__URL_PATH_END)

/* Index of the first character of one of these classes, or the end. */
static size_t up_to(const char *text, size_t from, unsigned classes)
{
    while (text[from] && !(casehook__url_class[(unsigned char)text[from]] & classes)) from++;
    return from;
}

/*
 * Where the host begins: behind the user info.  What no parser would take for a URL is trusted less: it
 * is shown from behind its last @, wherever that stands.
 */
static size_t host_start(const char *url, size_t scheme_end)
{
    size_t end = up_to(url, scheme_end, AUTHORITY_END), start = scheme_end, port;
    for (size_t i = scheme_end; i < end; i++)
        if (url[i] == '@') start = i + 1;
    port = start;
    for (size_t i = start; i < end; i++)
        if (url[i] == ':' || url[i] == ']') port = i + 1;
    while (port < end && port > start && casehook__is_digit(url[port])) port++;
    bool sound = scheme_end > 0 && end > start && (port == start || port == end);
    if (sound) return start;
    for (size_t i = start; url[i]; i++)
        if (url[i] == '@') start = i + 1;
    return start;
}

static size_t scheme_length(const char *url)
{
    const char *end = strstr(url, "://");
    size_t length = end ? (size_t)(end - url) : 0;
    for (size_t i = 0; i < length; i++)
        if (!casehook__is_alpha(url[i])) return 0;
    return length ? length + 3 : 0;
}

/* a=1&b=2 as a=&b=; a piece without = may be a value itself. */
static void append_query(struct casehook__buf *buf, const char *query, size_t length)
{
    for (size_t i = 0; i < length;) {
        size_t end = i, name;
        while (end < length && query[end] != '&' && query[end] != ';') end++;
        for (name = i; name < end && query[name] != '=';) name++;
        if (name < end)
            casehook__buf_append(buf, query + i, name + 1 - i);
        else if (end > i)
            casehook__buf_append_string(buf, MASK);
        if (end < length) casehook__buf_append_char(buf, query[end]);
        i = end + 1;
    }
}

bool casehook__url_hides_nothing(const char *url, bool mask_path)
{
    return !mask_path && !strpbrk(url, "@?#");
}

int casehook__url_for_display(struct casehook__buf *buf, const char *url, bool mask_path)
{
    if (casehook__url_hides_nothing(url, mask_path)) return casehook__buf_append_string(buf, url);
    size_t scheme = scheme_length(url), host = host_start(url, scheme);
    size_t path = up_to(url, host, AUTHORITY_END), query = up_to(url, path, CASEHOOK__URL_PATH_END);
    size_t end = up_to(url, query, CASEHOOK__URL_QUERY_END);
    casehook__buf_append(buf, url, scheme);
    casehook__buf_append(buf, url + host, path - host);
    if (mask_path && query - path > 1)
        casehook__buf_append_string(buf, "/" MASK);
    else
        casehook__buf_append(buf, url + path, query - path);
    if (url[query] == '?') {
        casehook__buf_append_char(buf, '?');
        append_query(buf, url + query + 1, end - query - 1);
    }
    return buf->status;
}
