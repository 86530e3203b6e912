/*
 * url_template.c - URLs with variables.  The origin is text of the configuration (C6); path, query and
 * fragment are a template, rendered behind it and normalised where they stand (U2, U3).
 */
#include "url/url_path.h"

/*
 * Of all templates of a document with this origin, which usually are all of them.  Only as large as the host
 * needs: there is one in every connector.
 */
struct shared_origin {
    size_t references;
    uint32_t host_length, prefix_length;
    uint16_t port;
    bool https, ipv4, ipv6;
    unsigned char address[16];
    char text[]; /* the host, and the parser's form of all that stands before a path */
};

struct casehook__url_template {
    struct casehook__heap *heap;
    struct shared_origin *origin;
    struct casehook__template *rest; /* path, query and fragment */
    struct casehook__url_style style;
    uint32_t written_length;
    char written[]; /* shown: what stands before the path, as it was written */
};

static void unref_origin(struct casehook__url_template *url)
{
    if (url->origin && --url->origin->references == 0) casehook__free(url->heap, url->origin);
}

void casehook__url_template_free(struct casehook__url_template *url)
{
    if (!url) return;
    unref_origin(url);
    casehook__template_free(url->rest);
    casehook__free(url->heap, url);
}

/* NULL: no memory. */
static struct shared_origin *keep_origin(struct casehook__heap *heap, const struct casehook__origin *value)
{
    struct casehook__buf text;
    casehook__buf_init(&text, heap, CASEHOOK__TEMPLATE_MAX_BYTES);
    casehook__buf_append_string(&text, value->host);
    size_t host = text.length;
    casehook__origin_append(&text, value);
    struct shared_origin *origin = text.status ? NULL : casehook__alloc(heap, sizeof *origin + text.length);
    if (origin) {
        *origin = (struct shared_origin){.references = 1,
                                         .host_length = (uint32_t)host,
                                         .prefix_length = (uint32_t)(text.length - host),
                                         .port = value->port,
                                         .https = value->https,
                                         .ipv4 = value->ipv4,
                                         .ipv6 = value->ipv6};
        memcpy(origin->address, value->address, sizeof origin->address);
        memcpy(origin->text, text.data, text.length);
    }
    casehook__buf_free(&text);
    return origin;
}

/* *out is to be freed after a failure as well. */
static int compile(struct casehook__heap *heap, struct casehook__text text,
                   const struct casehook__schema *schema, bool strict, bool shown,
                   struct casehook__url_template **out, struct casehook_error *error)
{
    struct casehook__url_parts parts;
    struct casehook__origin origin;
    int status = casehook__url_split(text, &parts, error);
    if (status) return status;
    if (parts.user.data) return casehook__url_refuse_user(text, &parts, error);
    status = casehook__url_origin(&parts, &origin, error);
    if (status) return status;
    struct casehook__text written = casehook__text_trim(text);
    written.length = shown ? (size_t)(parts.rest.data - written.data) : 0;
    struct casehook__url_template *url = *out = casehook__calloc(heap, 1, sizeof *url + written.length);
    if (!url) return casehook__fail_memory(error);
    url->heap = heap;
    url->style.shown = shown;
    url->written_length = (uint32_t)written.length;
    memcpy(url->written, written.data, written.length);
    url->origin = keep_origin(heap, &origin);
    if (!url->origin) return casehook__fail_memory(error);
    size_t before = (size_t)(parts.rest.data - text.data);
    text.length = before + parts.rest.length;
    return casehook__template_new_behind(heap, text, before, CASEHOOK__TEMPLATE_URL, schema, strict,
                                         &url->rest, error);
}

int casehook__url_template_new(struct casehook__heap *heap, struct casehook__text text,
                               const struct casehook__schema *schema, bool strict, bool keep_fragment,
                               struct casehook__url_template **out, struct casehook_error *error)
{
    *out = NULL;
    if (text.length > CASEHOOK__TEMPLATE_MAX_BYTES)
        return casehook__fail(error, CASEHOOK_E_CONFIG, "the URL is longer than %d bytes",
                              CASEHOOK__TEMPLATE_MAX_BYTES);
    int status = compile(heap, text, schema, strict, keep_fragment, out, error);
    if (!status) return CASEHOOK_OK;
    casehook__url_template_free(*out);
    *out = NULL;
    return status;
}

/* For every request: what is behind the host is not touched. */
void casehook__url_template_origin(const struct casehook__url_template *url, struct casehook__origin *origin)
{
    const struct shared_origin *kept = url->origin;
    origin->https = kept->https;
    origin->port = kept->port;
    origin->ipv4 = kept->ipv4;
    origin->ipv6 = kept->ipv6;
    memcpy(origin->address, kept->address, sizeof origin->address);
    casehook__text_copy(origin->host, (struct casehook__text){kept->text, kept->host_length});
}

/* The parser's form says all. */
static struct casehook__text prefix_of(const struct shared_origin *origin)
{
    return (struct casehook__text){origin->text + origin->host_length, origin->prefix_length};
}

bool casehook__url_template_same_origin(const struct casehook__url_template *url,
                                        const struct casehook__url_template *other)
{
    return url->origin == other->origin ||
           casehook__text_equal(prefix_of(url->origin), prefix_of(other->origin));
}

void casehook__url_template_share(struct casehook__url_template *url, struct casehook__url_template *other)
{
    if (url->origin == other->origin || !casehook__url_template_same_origin(url, other)) return;
    unref_origin(url);
    url->origin = other->origin;
    url->origin->references++;
}

void casehook__url_template_keep_slash(struct casehook__url_template *url)
{
    url->style.keep_slash = true;
}

bool casehook__url_template_uses(const struct casehook__url_template *url, const char *name)
{
    return casehook__template_uses(url->rest, name);
}

bool casehook__url_template_uses_any(const struct casehook__url_template *url, const char *first)
{
    return casehook__template_uses_any(url->rest, first);
}

bool casehook__url_template_lacks(const struct casehook__url_template *url,
                                  const struct casehook__value *root)
{
    return casehook__template_lacks(url->rest, root);
}

static int too_long(struct casehook_error *error)
{
    return casehook__fail(error, CASEHOOK_E_LIMIT, "the URL came out longer than %d bytes",
                          CASEHOOK__URL_MAX_BYTES);
}

static struct casehook__text written_of(const struct casehook__url_template *url)
{
    return (struct casehook__text){url->written, url->written_length};
}

static int render(const struct casehook__url_template *url, const struct casehook__value *root,
                  bool requested, struct casehook__buf *out, size_t *steps, struct casehook_error *error)
{
    struct casehook__url_watch watch;
    size_t begin = out->length;
    int status = casehook__buf_append_text(out, url->style.shown ? written_of(url) : prefix_of(url->origin));
    size_t start = out->length;
    casehook__url_watch_init(&watch, start);
    if (status == CASEHOOK_OK) {
        const struct casehook__template_watch marks = {requested ? casehook__url_watch_mark : NULL, &watch,
                                                       steps};
        status = casehook__template_render_at(url->rest, root, &marks, out, error);
        if (status) return status;
        if (!casehook__url_watch_finish(&watch, out))
            return casehook__fail(
                error, CASEHOOK_E_PARAMS,
                "a path segment of the URL that holds a variable came out as \"%s\", which would "
                "lead to another path: give the variable a value",
                watch.found);
        status = casehook__url_path_normalise(out, start, url->style);
    }
    if (status == CASEHOOK_E_NO_MEMORY) return casehook__fail_memory(error);
    return status || out->length - begin > CASEHOOK__URL_MAX_BYTES ? too_long(error) : CASEHOOK_OK;
}

int casehook__url_template_render(const struct casehook__url_template *url,
                                  const struct casehook__value *root, bool requested,
                                  struct casehook__buf *out, size_t *steps, struct casehook_error *error)
{
    size_t begin = out->length;
    int status = render(url, root, requested, out, steps, error);
    if (status) { /* nothing half done stays */
        out->length = begin;
        if (out->data) out->data[begin] = '\0';
    }
    return status;
}
