/* proxy.c - a proxy of the settings or of a connector: its address, its login, its headers (P1). */
#include "settings/settings.h"

#include "json/fields.h"

#include <stdio.h>

#define LOGIN "Proxy-Authorization"

void casehook__proxy_free(struct casehook__proxy *proxy, struct casehook__heap *heap)
{
    if (!proxy) return;
    casehook__headers_free(&proxy->headers);
    casehook__free(heap, proxy);
}

static struct casehook__proxy *proxy_new(struct casehook__heap *heap)
{
    struct casehook__proxy *proxy = casehook__calloc(heap, 1, sizeof *proxy);
    if (proxy) proxy->headers.heap = heap;
    return proxy;
}

static int add_login(struct casehook__proxy *proxy, const struct casehook__buf *user,
                     const struct casehook__buf *password, struct casehook_error *fault)
{
    if (user->length == 0 && password->length == 0) return CASEHOOK_OK;
    if (casehook__headers_find(&proxy->headers, casehook__text(LOGIN))) return CASEHOOK_OK;
    if (casehook__headers_add_basic(&proxy->headers, LOGIN, casehook__buf_text(user),
                                    casehook__buf_text(password)))
        return casehook__fail_memory(fault);
    return CASEHOOK_OK;
}

/* Fills an empty proxy from its URL; its headers are there already. */
static int read_proxy_url(struct casehook__proxy *proxy, struct casehook__text url,
                          struct casehook_error *fault)
{
    struct casehook__buf user, password;
    casehook__buf_init(&user, proxy->headers.heap, url.length);
    casehook__buf_init(&password, proxy->headers.heap, url.length);
    int status = casehook__url_parse_proxy(url, &proxy->origin, &user, &password, fault);
    if (!status) status = add_login(proxy, &user, &password, fault);
    casehook__buf_free(&password);
    casehook__buf_free(&user);
    return status;
}

static void read_headers(struct casehook__headers *headers, const struct casehook__field *field)
{
    char prefix[64];
    if (casehook__field_is_null(field)) return;
    if (casehook__json_kind(field->node) != CASEHOOK__JSON_OBJECT) {
        casehook__field_wrong(field, "an object of texts");
        return;
    }
    snprintf(prefix, sizeof prefix, "%s.%s", field->prefix, field->name);
    casehook__headers_read(headers, field->node, true, true, prefix, field->errors);
}

void casehook__proxy_read(struct casehook__heap *heap, const struct casehook__json *url,
                          const struct casehook__json *headers, const char *prefix,
                          struct casehook__proxy **out, struct casehook__errors *errors)
{
    struct casehook__field url_field = {errors, prefix, "proxyUrl", url};
    struct casehook__field headers_field = {errors, prefix, "proxyHeaders", headers};
    struct casehook__text text;
    struct casehook_error fault;
    casehook__error_init(&fault);
    *out = NULL;
    struct casehook__proxy *proxy = proxy_new(heap);
    if (!proxy) {
        errors->memory = 1;
        return;
    }
    read_headers(&proxy->headers, &headers_field);
    if (!casehook__field_is_null(&url_field) && casehook__field_text(&url_field, &text) &&
        !read_proxy_url(proxy, text, &fault)) {
        *out = proxy;
        proxy = NULL;
    }
    casehook__field_keep(&url_field, &fault);
    casehook__proxy_free(proxy, heap);
}

int casehook__proxy_derive(struct casehook__heap *heap, const struct casehook__proxy *from,
                           const struct casehook__headers *headers, struct casehook__proxy **out)
{
    struct casehook__proxy *proxy = proxy_new(heap);
    *out = NULL;
    if (!proxy) return CASEHOOK_E_NO_MEMORY;
    proxy->origin = from->origin;
    int status = casehook__headers_merge(&proxy->headers, &from->headers);
    if (!status) status = casehook__headers_merge(&proxy->headers, headers);
    if (status)
        casehook__proxy_free(proxy, heap);
    else
        *out = proxy;
    return status;
}
