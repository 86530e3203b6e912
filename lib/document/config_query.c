/* config_query.c - secrets that go along in the query of every URL (A2). */
#include "document/config_private.h"

#include "json/jstext.h"

#define QUERY_COUNT_MAX 16

/* ---- queries of URLs ---------------------------------------------------------------------------- */

/* A parameter as it stands in a URL; name: up to its "=". */
struct parameter {
    struct casehook__text whole, name;
};

/* What stands behind the "?", without a fragment. */
static struct casehook__text query_of(const char *url)
{
    size_t path = strcspn(url, "?#");
    if (url[path] != '?') return CASEHOOK__TEXT("");
    return (struct casehook__text){url + path + 1, strcspn(url + path + 1, "#")};
}

/* Takes the next one off the query; false: no more. */
static bool next_parameter(struct casehook__text *query, struct parameter *parameter)
{
    if (query->length == 0) return false;
    const char *end = memchr(query->data, '&', query->length);
    size_t length = end ? (size_t)(end - query->data) : query->length, taken = end ? length + 1 : length;
    const char *equals = memchr(query->data, '=', length);
    parameter->whole = (struct casehook__text){query->data, length};
    parameter->name = (struct casehook__text){query->data, equals ? (size_t)(equals - query->data) : length};
    *query = casehook__text_from(*query, taken);
    return true;
}

/* Whatever the escapes are that it is written with. */
static bool is_parameter(struct casehook__text written, const char *name)
{
    size_t i = 0;
    for (; i < written.length && *name; name++) {
        char c = written.data[i];
        bool escaped = c == '%' && written.length - i >= 3 && casehook__hex_value(written.data[i + 1]) >= 0 &&
                       casehook__hex_value(written.data[i + 2]) >= 0;
        if (escaped)
            c = (char)(casehook__hex_value(written.data[i + 1]) * 16 +
                       casehook__hex_value(written.data[i + 2]));
        else if (c == '+')
            c = ' ';
        if (c != *name) return false;
        i += escaped ? 3 : 1;
    }
    return i == written.length && !*name;
}

static bool has_name(struct casehook__text query, const char *name)
{
    struct parameter parameter;
    while (next_parameter(&query, &parameter))
        if (is_parameter(parameter.name, name)) return true;
    return false;
}

int casehook__query_append(const struct casehook__config *config, bool hop, struct casehook__buf *url,
                           struct casehook_error *error)
{
    const struct casehook__secret_query *secret = config->query;
    for (size_t i = 0; secret && i < secret->count; i++) {
        struct casehook__text query = query_of(casehook__buf_string(url));
        bool there = has_name(query, secret->items[i].name);
        if (there && hop) continue; /* the server has put it into its redirect */
        if (there)
            return casehook__fail(error, CASEHOOK_E_PARAMS,
                                  "its query has the parameter \"%s\" already, which secretQuery adds",
                                  secret->items[i].name);
        casehook__buf_append_char(url, query.length ? '&' : '?');
        casehook__buf_append_text(url, secret->items[i].pair);
    }
    if (url->status == CASEHOOK_E_NO_MEMORY) return casehook__fail_memory(error);
    if (!url->status) return CASEHOOK_OK;
    return casehook__fail(error, CASEHOOK_E_LIMIT, "with secretQuery the URL is too long");
}

static bool is_secret_name(const struct casehook__secret_query *secret, struct casehook__text written)
{
    for (size_t i = 0; i < secret->count; i++)
        if (is_parameter(written, secret->items[i].name)) return true;
    return false;
}

void casehook__query_hide(const struct casehook__config *config, const char *url, struct casehook__buf *out)
{
    struct casehook__text query = query_of(url);
    struct parameter parameter;
    size_t before = query.length ? (size_t)(query.data - url) : strlen(url);
    const char *behind = query.length ? query.data + query.length : "";
    casehook__buf_append(out, url, before);
    while (next_parameter(&query, &parameter)) {
        bool hidden = is_secret_name(config->query, parameter.name);
        casehook__buf_append_text(out, hidden ? parameter.name : parameter.whole);
        if (hidden) casehook__buf_append_string(out, "=***");
        if (query.length) casehook__buf_append_char(out, '&');
    }
    casehook__buf_append_string(out, behind);
}

void casehook__query_drop(const struct casehook__config *config, struct casehook__buf *url)
{
    struct casehook__text query = query_of(casehook__buf_string(url));
    struct parameter parameter;
    size_t begin = query.length ? (size_t)(query.data - url->data) : 0, to = begin,
           behind = begin + query.length;
    if (!config->query || query.length == 0) return;
    while (next_parameter(&query, &parameter)) {
        if (is_secret_name(config->query, parameter.name)) continue;
        if (to > begin) url->data[to++] = '&';
        memmove(url->data + to, parameter.whole.data, parameter.whole.length);
        to += parameter.whole.length;
    }
    if (to == begin) to--; /* the "?" */
    memmove(url->data + to, url->data + behind, url->length + 1 - behind);
    url->length -= behind - to;
}

/* ---- reading ------------------------------------------------------------------------------------ */

/* A URL that is requested has a parameter of that name. */
static void check_urls(const struct casehook__config_reader *reader, const struct casehook__field *field)
{
    for (unsigned i = 0; i < CASEHOOK__CALLS; i++) {
        const char *url = casehook__call_kind((enum casehook__call)i)->url;
        struct casehook__field given = casehook__config_nullable(reader, url);
        if (!casehook__call_kind((enum casehook__call)i)->body || !given.node ||
            casehook__json_kind(given.node) != CASEHOOK__JSON_TEXT ||
            !has_name(query_of(casehook__json_text(given.node).data), field->name))
            continue;
        casehook__fail(casehook__field_fault(field), CASEHOOK_E_CONFIG,
                       "is in the query of %s as well: remove it there", url);
    }
}

static bool add_pair(struct casehook__heap *heap, struct casehook__secret_query *secret,
                     struct casehook__text name, struct casehook__text value)
{
    struct casehook__buf pair;
    casehook__buf_init(&pair, heap, CASEHOOK__URL_MAX_BYTES);
    casehook__js_uri_component(&pair, name);
    casehook__buf_append_char(&pair, '=');
    int status = casehook__js_uri_component(&pair, value);
    struct casehook__secret_pair *item = &secret->items[secret->count];
    if (!status) item->name = casehook__copy(heap, name.data, name.length);
    if (item->name) item->pair.data = casehook__copy(heap, pair.data, pair.length);
    item->pair.length = item->pair.data ? pair.length : 0;
    secret->count++;
    casehook__buf_free(&pair);
    return item->pair.data != NULL;
}

static void read_pair(struct casehook__config_reader *reader, struct casehook__text name,
                      const struct casehook__json *value)
{
    struct casehook__field field = {reader->errors, "secrets.secretQuery", name.data, value};
    struct casehook__text text;
    if (!casehook__field_text(&field, &text)) return;
    if (name.length == 0 || text.length == 0)
        casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG, "is empty: remove it");
    else if (name.length > CASEHOOK__URL_MAX_BYTES / 16 || text.length > CASEHOOK__URL_MAX_BYTES / 16)
        casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG, "is longer than %d bytes",
                       CASEHOOK__URL_MAX_BYTES / 16);
    else {
        check_urls(reader, &field);
        if (!add_pair(reader->config->heap, reader->config->query, name, text)) reader->errors->memory = 1;
    }
}

void casehook__config_read_query(struct casehook__config_reader *reader)
{
    struct casehook__config *config = reader->config;
    struct casehook__field field = casehook__config_secret(reader, "secretQuery");
    size_t position = 0, count = casehook__json_count(field.node);
    struct casehook__text name;
    struct casehook__json *value;
    if (!field.node) return;
    if (casehook__json_kind(field.node) != CASEHOOK__JSON_OBJECT) {
        casehook__field_wrong(&field, "an object of texts");
        return;
    }
    if (count > QUERY_COUNT_MAX) {
        casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG, "has more than %d members",
                       QUERY_COUNT_MAX);
        return;
    }
    if (count == 0) return;
    config->query =
        casehook__calloc(config->heap, 1, sizeof *config->query + count * sizeof *config->query->items);
    if (!config->query) reader->errors->memory = 1;
    while (config->query && casehook__json_next(field.node, &position, &name, &value))
        read_pair(reader, name, value);
}

void casehook__query_free(struct casehook__heap *heap, struct casehook__secret_query *secret)
{
    if (!secret) return;
    for (size_t i = 0; i < secret->count; i++) {
        struct casehook__text pair = secret->items[i].pair;
        casehook__free(heap, secret->items[i].name);
        casehook__free_secret(heap, (char *)(uintptr_t)pair.data, pair.length);
    }
    casehook__free(heap, secret);
}
