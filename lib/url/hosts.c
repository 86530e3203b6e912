/* hosts.c - patterns of hosts (U4). */
#include "url/hosts.h"

#define ENTRY_MAX 512

struct casehook__text casehook__host_entry_shown(struct casehook__text entry)
{
    size_t from = entry.length;
    while (from > 0 && entry.data[from - 1] != '@') from--;
    struct casehook__text shown = casehook__text_from(entry, from);
    return shown.length ? shown : CASEHOOK__TEXT("");
}

static int refuse_host(struct casehook_error *error, struct casehook__text entry, const char *why)
{
    struct casehook__text shown = casehook__host_entry_shown(entry);
    return casehook__fail(error, CASEHOOK_E_CONFIG, "\"%.*s\": %s",
                          shown.length < 256 ? (int)shown.length : 256, shown.data, why);
}

static bool has(struct casehook__text text, char c)
{
    return text.length > 0 && memchr(text.data, c, text.length) != NULL;
}

static const char *forbidden(struct casehook__text entry)
{
    if (entry.length == 0) return "an entry is a host, host:port, *.host or *";
    if (entry.length > ENTRY_MAX) return "this is too long for a host";
    if (has(entry, '@')) return "user info is not a part of a host: write what stands behind the @";
    for (size_t i = 0; i + 2 < entry.length; i++)
        if (memcmp(entry.data + i, "://", 3) == 0)
            return "an entry has no scheme: write the host alone, or host:port";
    if (has(entry, '/') || has(entry, '?') || has(entry, '#'))
        return "an entry is no URL: write the host alone, or host:port";
    return NULL;
}

/* Takes host and port apart; *bare when an IPv6 address needs its brackets. */
static bool split_host(struct casehook__text entry, struct casehook__text *host, struct casehook__text *port,
                       bool *bare)
{
    size_t colons = 0, last = 0, end = entry.length;
    for (size_t i = 0; i < entry.length; i++)
        if (entry.data[i] == ':') {
            colons++;
            last = i;
        }
    *bare = entry.data[0] != '[' && colons > 1;
    if (entry.data[0] == '[')
        end = entry.data[entry.length - 1] == ']' ? entry.length : last;
    else if (colons == 1)
        end = last;
    *host = (struct casehook__text){entry.data, end};
    *port = end < entry.length ? casehook__text_from(entry, end + 1) : (struct casehook__text){NULL, 0};
    return end == entry.length || port->length > 0;
}

/* The host as the parser of URLs has it. */
static int canonical(struct casehook__text entry, struct casehook__text host, bool bare,
                     struct casehook__host_pattern *pattern, struct casehook_error *error)
{
    char url[ENTRY_MAX + 16];
    struct casehook__buf text = {.data = url, .capacity = sizeof url - 1, .limit = sizeof url - 1};
    struct casehook__origin origin;
    casehook__buf_append_string(&text, bare ? "http://[" : "http://");
    casehook__buf_append_text(&text, host);
    casehook__buf_append_string(&text, bare ? "]" : "");
    int status =
        casehook__url_parse(casehook__buf_text(&text), CASEHOOK__URL_REFUSE_USER, &origin, NULL, NULL);
    if (status == CASEHOOK_E_NO_MEMORY) return casehook__fail_memory(error);
    if (status) return refuse_host(error, entry, "this is not a valid host name or address");
    if (pattern->subdomains && (origin.ipv4 || origin.ipv6))
        return refuse_host(error, entry, "an address has no subdomains");
    size_t length = casehook__origin_host_length(&origin);
    memcpy(pattern->host, origin.host, length);
    pattern->host[length] = '\0';
    return CASEHOOK_OK;
}

int casehook__host_pattern_parse(struct casehook__text entry, struct casehook__host_pattern *pattern,
                                 struct casehook_error *error)
{
    struct casehook__text text = casehook__text_trim(entry), host, port;
    uint64_t number = 0;
    bool bare;
    memset(pattern, 0, sizeof *pattern);
    const char *fault = forbidden(text);
    if (fault) return refuse_host(error, text, fault);
    if (!split_host(text, &host, &port, &bare) ||
        (port.data && (!casehook__text_number(port, 65535, &number) || number == 0)))
        return refuse_host(error, text, "the port is a number from 1 to 65535");
    pattern->port = (uint16_t)number;
    if (casehook__text_is(host, "*")) {
        pattern->any = true;
        return CASEHOOK_OK;
    }
    pattern->subdomains = host.length > 2 && host.data[0] == '*' && host.data[1] == '.';
    if (pattern->subdomains) host = casehook__text_from(host, 2);
    if (has(host, '*')) return refuse_host(error, text, "a * stands alone or in front: * or *.host");
    return canonical(text, host, bare, pattern, error);
}

int casehook__host_list_add(struct casehook__host_list *list, struct casehook__text entry,
                            struct casehook_error *error)
{
    struct casehook__host_pattern pattern;
    int status = casehook__host_pattern_parse(entry, &pattern, error);
    if (status) return status;
    if (list->count >= CASEHOOK__HOST_LIST_MAX)
        return casehook__fail(error, CASEHOOK_E_CONFIG, "the list has more than %d hosts",
                              CASEHOOK__HOST_LIST_MAX);
    if ((list->count & (list->count - 1)) == 0) { /* full at every power of two */
        size_t capacity = list->count ? 2 * list->count : 1;
        void *patterns = casehook__realloc(list->heap, list->patterns, capacity * sizeof *list->patterns);
        if (!patterns) return casehook__fail_memory(error);
        list->patterns = patterns;
    }
    list->patterns[list->count++] = pattern;
    return CASEHOOK_OK;
}

void casehook__host_list_free(struct casehook__host_list *list)
{
    casehook__free(list->heap, list->patterns);
    list->patterns = NULL;
    list->count = 0;
}

static bool matches(const struct casehook__host_pattern *pattern, const struct casehook__origin *origin,
                    size_t length)
{
    size_t wanted = strlen(pattern->host);
    if (pattern->port && pattern->port != origin->port) return false;
    if (pattern->any) return true;
    if (length < wanted || memcmp(origin->host + length - wanted, pattern->host, wanted) != 0) return false;
    if (!pattern->subdomains) return length == wanted;
    return length > wanted && origin->host[length - wanted - 1] == '.';
}

bool casehook__host_list_has(const struct casehook__host_list *list, const struct casehook__origin *origin)
{
    size_t length = casehook__origin_host_length(origin);
    for (size_t i = 0; i < list->count; i++)
        if (matches(&list->patterns[i], origin, length)) return true;
    return false;
}
