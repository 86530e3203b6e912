/*
 * url_template.c - URLs with variables.  The origin is text of the configuration (C6); path, query and
 * fragment are a template, rendered behind it and normalised where they stand (U2, U3).
 */
#include "url/url_path.h"

/* Of all templates of a document with this origin, which usually are all of them. */
struct origin {
    size_t references;
    struct casehook__origin value;
};

struct casehook__url_template {
    struct casehook__heap *heap;
    struct origin *origin;
    struct casehook__template *rest; /* path, query and fragment */
    struct casehook__url_style style;
    size_t prefix_length;
    char *prefix; /* what stands before the path: the parser's form, or as it was written */
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
    casehook__free(url->heap, url->prefix);
    casehook__free(url->heap, url);
}

/* Kept in a block of its size: there are many templates and most hosts are short. */
static int keep_prefix(struct casehook__url_template *url, struct casehook__text written,
                       struct casehook_error *error)
{
    struct casehook__buf text;
    casehook__buf_init(&text, url->heap, CASEHOOK__TEMPLATE_MAX_BYTES);
    if (url->style.shown)
        casehook__buf_append_text(&text, written);
    else
        casehook__origin_append(&text, &url->origin->value);
    url->prefix = text.status ? NULL : casehook__copy(url->heap, text.data, text.length);
    url->prefix_length = text.length;
    casehook__buf_free(&text);
    return url->prefix ? CASEHOOK_OK : casehook__fail_memory(error);
}

static int compile(struct casehook__url_template *url, struct casehook__text text,
                   const struct casehook__schema *schema, bool strict, struct casehook_error *error)
{
    struct casehook__url_parts parts;
    int status = casehook__url_split(text, &parts, error);
    if (status) return status;
    if (parts.user.data) return casehook__url_refuse_user(text, &parts, error);
    url->origin = casehook__calloc(url->heap, 1, sizeof *url->origin);
    if (!url->origin) return casehook__fail_memory(error);
    url->origin->references = 1;
    status = casehook__url_origin(&parts, &url->origin->value, error);
    if (status) return status;
    struct casehook__text trimmed = casehook__text_trim(text);
    status = keep_prefix(url, (struct casehook__text){trimmed.data, (size_t)(parts.rest.data - trimmed.data)},
                         error);
    if (status) return status;
    size_t before = (size_t)(parts.rest.data - text.data);
    text.length = before + parts.rest.length;
    return casehook__template_new_behind(url->heap, text, before, CASEHOOK__TEMPLATE_URL, schema, strict,
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
    struct casehook__url_template *url = casehook__calloc(heap, 1, sizeof *url);
    if (!url) return casehook__fail_memory(error);
    url->heap = heap;
    url->style.shown = keep_fragment;
    int status = compile(url, text, schema, strict, error);
    if (status)
        casehook__url_template_free(url);
    else
        *out = url;
    return status;
}

const struct casehook__origin *casehook__url_template_origin(const struct casehook__url_template *url)
{
    return &url->origin->value;
}

void casehook__url_template_share(struct casehook__url_template *url, struct casehook__url_template *other)
{
    if (url->origin == other->origin || !casehook__origin_equal(&url->origin->value, &other->origin->value))
        return;
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

static int too_long(struct casehook_error *error)
{
    return casehook__fail(error, CASEHOOK_E_LIMIT, "the URL came out longer than %d bytes",
                          CASEHOOK__URL_MAX_BYTES);
}

static int render(const struct casehook__url_template *url, const struct casehook__value *root,
                  bool requested, struct casehook__buf *out, size_t *steps, struct casehook_error *error)
{
    struct casehook__url_watch watch;
    size_t begin = out->length;
    int status = casehook__buf_append(out, url->prefix, url->prefix_length);
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
