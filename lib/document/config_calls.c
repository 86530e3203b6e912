/* config_calls.c - URLs, methods, bodies and keys of a connector's calls (C1, C3, C4). */
#include "document/config_private.h"

#include <stdio.h>

/* What of a call is not there, or is empty; a call that can be switched off says by what (K8). */
static void fail_absent(const struct casehook__field *field, const char *what)
{
    const char *off = NULL;
    for (int i = 0; i < CASEHOOK__CALLS && !off; i++) {
        off = casehook__call_kind((enum casehook__call)i)->off;
        if (off && strncmp(field->name, off, strlen(off)) != 0) off = NULL;
    }
    casehook__fail(casehook__field_fault(field), CASEHOOK_E_CONFIG, "is %s: every connector needs it%s%s%s",
                   what, off ? ", unless " : "", off ? off : "", off ? " is false" : "");
}

/* Text of a field that must be there; "" is as good as missing.  Optional: null and "" are absent. */
static bool read_call_text(const struct casehook__field *field, bool optional, struct casehook__text *text)
{
    if (optional && casehook__field_is_null(field)) return false;
    if (!field->node) {
        fail_absent(field, "missing");
        return false;
    }
    if (!casehook__field_text(field, text)) return false;
    if (text->length) return true;
    if (!optional) fail_absent(field, "empty");
    return false;
}

/* All unknown names of a template at once (C3); how many there are. */
static size_t keep_unknown_names(const struct casehook__config_reader *reader,
                                 const struct casehook__field *field, struct casehook__text text,
                                 const struct casehook__schema *schema)
{
    size_t count = 0;
    struct casehook_error fault;
    casehook__error_init(&fault);
    if (!reader->config->strict) return 0;
    for (size_t from = 0; reader->errors->count < CASEHOOK__ERRORS_MAX; count++) {
        if (!casehook__template_unknown_name(reader->config->heap, text, schema, from, &fault)) break;
        casehook__field_keep(field, &fault);
        from = (size_t)fault.offset + 1;
    }
    return count;
}

static struct casehook__url_template *read_call_url(struct casehook__config_reader *reader, const char *name,
                                                    const struct casehook__schema *schema, bool optional,
                                                    bool view)
{
    struct casehook__field field = casehook__config_field(reader, name);
    struct casehook__text text;
    struct casehook__url_template *url = NULL;
    struct casehook_error fault;
    casehook__error_init(&fault);
    if (!read_call_text(&field, optional, &text)) return NULL;
    schema = casehook__config_schema(reader, schema);
    int status = casehook__url_template_new(reader->config->heap, text, schema, reader->config->strict, view,
                                            &url, &fault);
    if (status && keep_unknown_names(reader, &field, text, schema)) { /* and what else is wrong with it */
        const struct casehook__schema here = {schema->variables, schema->count, NULL, 0};
        casehook__error_init(&fault);
        casehook__url_template_new(reader->config->heap, text, &here, false, view, &url, &fault);
        casehook__url_template_free(url);
        url = NULL;
    }
    casehook__field_keep(&field, &fault);
    if (url && !view) { /* a view URL is never fetched */
        struct casehook__origin origin;
        casehook__url_template_origin(url, &origin);
        casehook__config_check_origin(reader, &field, &origin);
    }
    if (url && reader->config->keep_slash) casehook__url_template_keep_slash(url);
    for (size_t i = 0; url && i < CASEHOOK__CALLS; i++)
        if (reader->config->calls[i].url) casehook__url_template_share(url, reader->config->calls[i].url);
    return url;
}

static void fail_required(const struct casehook__field *field, const char *variables)
{
    casehook__fail(casehook__field_fault(field), CASEHOOK_E_CONFIG,
                   "does not use %s; add it, or set strict to \"names\"", variables);
}

/* What begins like a form, XML or prose was never meant as JSON. */
static void name_other_type(struct casehook__text text, struct casehook_error *fault)
{
    struct casehook_error before = *fault;
    text = casehook__text_trim(text);
    if (text.length && (casehook__is_alpha(*text.data) || *text.data == '<'))
        casehook__fail_at(fault, before.status, before.offset < 0 ? 0 : (size_t)before.offset,
                          "%s; a body is JSON: forms (a=b&c=d), XML and plain text cannot be sent",
                          before.message);
}

static struct casehook__template *read_body(struct casehook__config_reader *reader,
                                            const struct casehook__call_kind *kind, bool optional)
{
    struct casehook__field field = casehook__config_field(reader, kind->body);
    struct casehook__heap *heap = reader->config->heap;
    const struct casehook__schema *schema = casehook__config_schema(reader, kind->body_schema());
    bool strict = reader->config->strict;
    struct casehook__text text;
    struct casehook__template *body = NULL;
    struct casehook_error fault;
    casehook__error_init(&fault);
    if (field.node && casehook__json_kind(field.node) == CASEHOOK__JSON_OBJECT) {
        casehook__field_wrong(&field, "a text: JSON in a string, because it is a template");
        return NULL;
    }
    if (!read_call_text(&field, optional, &text)) return NULL;
    if (!casehook__template_new(heap, text, CASEHOOK__TEMPLATE_JSON, schema, strict, &body, &fault)) {
        casehook__template_prove(body, strict, &fault);
    } else if (keep_unknown_names(reader, &field, text, schema)) { /* and what else is wrong with it */
        const struct casehook__schema here = {schema->variables, schema->count, NULL, 0};
        casehook__error_init(&fault);
        casehook__template_new(heap, text, CASEHOOK__TEMPLATE_JSON, &here, false, &body, &fault);
        casehook__template_free(body);
        body = NULL;
    }
    if (fault.status == CASEHOOK_E_CONFIG) name_other_type(text, &fault);
    casehook__field_keep(&field, &fault);
    for (size_t i = 0; body && reader->config->demands && i < 2 && kind->body_required[i]; i++)
        if (!casehook__template_uses(body, kind->body_required[i]))
            fail_required(&field, kind->body_required[i]);
    return body;
}

/* True unless a null method switches the call off. */
static bool read_method(struct casehook__config_reader *reader, const struct casehook__call_kind *kind,
                        enum casehook__method *method)
{
    struct casehook__field field = casehook__config_field(reader, kind->method);
    const char *words[3];
    size_t index;
    *method = kind->methods[0];
    if (kind->optional && field.node && casehook__field_is_null(&field)) return false;
    for (size_t i = 0; i < kind->method_count; i++) words[i] = casehook__method_name(kind->methods[i]);
    if (casehook__field_word(&field, words, kind->method_count, true, &index)) *method = kind->methods[index];
    return true;
}

/*
 * JSONPath, a JSON Pointer, a filter of jq, a tag: as such a key begins none is meant to, though it is a path
 * (K1). Who means it writes the name in brackets.
 */
static bool is_foreign_key(const struct casehook__config_reader *reader, const struct casehook__field *field,
                           struct casehook__text key)
{
    static const char signs[][3] = {"/", ".", "$.", "$[", "{{"};
    bool foreign = false;
    char spelt[160];
    size_t length = 0;
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (strncmp(key.data, signs[i], strlen(signs[i])) == 0) foreign = true;
    if (!foreign || !reader->config->strict) return false;
    bool pointer = *key.data == '/';
    key = casehook__text_from(key, strspn(key.data, "/.${ "));
    while (key.length && strchr("} ", key.data[key.length - 1])) key.length--;
    for (; length < key.length && length < sizeof spelt; length++)
        spelt[length] = pointer && key.data[length] == '/' ? '.' : key.data[length];
    if (length == 0) return false;
    casehook__fail(
        casehook__field_fault(field), CASEHOOK_E_CONFIG,
        "is a key of another notation: here it is \"%.*s\" (a name that begins so stands in [\"...\"])",
        (int)length, spelt);
    return true;
}

void casehook__config_read_key(struct casehook__config_reader *reader, const char *name, bool required,
                               struct casehook__keypath **path)
{
    struct casehook__field field =
        required ? casehook__config_field(reader, name) : casehook__config_nullable(reader, name);
    struct casehook__text text;
    struct casehook_error fault;
    casehook__error_init(&fault);
    if (!field.node) {
        if (required)
            casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG,
                           "is missing: the key of the response to look at");
        return;
    }
    if (!casehook__field_text(&field, &text) || is_foreign_key(reader, &field, text)) return;
    casehook__keypath_new(reader->config->heap, text, path, &fault);
    casehook__field_keep(&field, &fault);
}

static void read_view(struct casehook__config_reader *reader)
{
    struct casehook__field field = casehook__config_field(reader, "viewIncidentUrl");
    struct casehook__url_template *url =
        read_call_url(reader, "viewIncidentUrl", casehook__schema_view_url(), false, true);
    reader->config->view_url = url;
    if (url && casehook__url_template_uses_any(url, "external.fields")) reader->config->uses_fields = true;
    if (url && reader->config->demands && !casehook__url_template_uses(url, "external.system.id") &&
        !casehook__url_template_uses(url, "external.system.title"))
        fail_required(&field, "external.system.id or external.system.title");
}

/* URL and body of an optional call come together, or it is switched off. */
static bool is_switched_on(const struct casehook__config_reader *reader,
                           const struct casehook__call_kind *kind, bool wanted)
{
    struct casehook__field url = casehook__config_field(reader, kind->url);
    struct casehook__field body = casehook__config_field(reader, kind->body);
    bool has_url = casehook__config_is_given(&url);
    if (!wanted || !reader->config->demands || has_url == casehook__config_is_given(&body)) return wanted;
    casehook__fail(casehook__field_fault(has_url ? &body : &url), CASEHOOK_E_CONFIG,
                   "is missing: %s is given, and the two come together; %s null switches comments off",
                   has_url ? kind->url : kind->body, kind->method);
    return wanted;
}

static void read_optional_body(struct casehook__config_reader *reader, const struct casehook__call_kind *kind,
                               struct casehook__call_config *call)
{
    struct casehook__field body = casehook__config_nullable(reader, kind->body);
    struct casehook__text text;
    if (call->method == CASEHOOK__METHOD_GET)
        casehook__field_text(&body, &text); /* not used, but it must be a text */
    else
        call->body = read_body(reader, kind, true);
}

/* Without a URL there is no such call: who wrote the rest believes that there is. */
static void refuse_without_url(const struct casehook__config_reader *reader,
                               const struct casehook__call_kind *kind)
{
    const char *const names[] = {kind->method,    kind->body, kind->headers, kind->type,
                                 kind->error_key, kind->key,  kind->fields};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i]) casehook__config_need(reader, names[i], kind->url);
}

/* All writes tell the title themselves: there need not be another call for it (K8). */
static bool is_title_told(const struct casehook__config_reader *reader)
{
    const struct casehook__call_kind *create = casehook__call_kind(CASEHOOK__CALL_CREATE),
                                     *update = casehook__call_kind(CASEHOOK__CALL_UPDATE),
                                     *get = casehook__call_kind(CASEHOOK__CALL_GET);
    return casehook__config_nullable(reader, create->title_key).node &&
           (casehook__config_nullable(reader, update->title_key).node ||
            casehook__config_is_false(reader, update->off)) &&
           !casehook__config_nullable(reader, get->key).node;
}

/* The id of a case comes from elsewhere than the key of this call (K6, K9). */
static bool has_other_id(const struct casehook__config_reader *reader, const struct casehook__call_kind *kind)
{
    return kind->id_header && (casehook__config_nullable(reader, kind->id_header).node ||
                               casehook__config_nullable(reader, "externalIdFrom").node);
}

static void read_call(struct casehook__config_reader *reader, const struct casehook__call_kind *kind,
                      struct casehook__call_config *call)
{
    struct casehook__field url = casehook__config_field(reader, kind->url);
    bool on = true;
    if (!kind->method) return;
    if (kind->off) {
        struct casehook__field off = casehook__config_field(reader, kind->off);
        casehook__field_boolean(&off, &on);
    }
    if (!casehook__config_is_given(&url)) {
        if (kind->by_url) refuse_without_url(reader, kind);
        if (kind->by_url || !on || (kind->learns == CASEHOOK__LEARNS_TITLE && is_title_told(reader))) return;
    }
    bool optional = kind->optional || !on, wanted = read_method(reader, kind, &call->method) && on;
    call->url = read_call_url(reader, kind->url, kind->url_schema(), optional, false);
    if (call->url && kind->url_required && reader->config->demands && call->method == CASEHOOK__METHOD_GET &&
        !casehook__url_template_uses(call->url, kind->url_required))
        fail_required(&url, kind->url_required);
    if (kind->body_may_be)
        read_optional_body(reader, kind, call);
    else
        call->body = read_body(reader, kind, optional);
    if (kind->key)
        casehook__config_read_key(reader, kind->key, on && kind->learns && !has_other_id(reader, kind),
                                  &call->key);
    if (kind->optional) wanted = is_switched_on(reader, kind, wanted);
    call->on = wanted && call->url && (call->body || kind->body_may_be);
}

/* What answers tell: it is known when it is the turn of the call, and not before. */
static void note_waits(struct casehook__config *config, struct casehook__call_config *call)
{
    bool url = call->url && casehook__url_template_uses_any(call->url, "external.fields");
    bool body = call->body && casehook__template_uses_any(call->body, "external.fields");
    if (url || body) config->uses_fields = true;
    call->url_waits = url || (call->url && casehook__url_template_uses(call->url, "external.system.title"));
    call->body_waits = body || (call->body && casehook__template_uses(call->body, "external.system.title"));
}

void casehook__config_read_calls(struct casehook__config_reader *reader)
{
    struct casehook__call_config *calls = reader->config->calls;
    for (unsigned i = 0; i < CASEHOOK__CALLS; i++) {
        read_call(reader, casehook__call_kind((enum casehook__call)i), &calls[i]);
        note_waits(reader->config, &calls[i]);
        if (i == CASEHOOK__CALL_GET) read_view(reader); /* where documents have it */
    }
}

/* One object of name: key.  The array is owned by the config at once, so that nothing leaks. */
static void read_response_fields(struct casehook__config_reader *reader, const char *name,
                                 struct casehook__call_config *call)
{
    struct casehook__config *config = reader->config;
    struct casehook__field field = casehook__config_nullable(reader, name);
    size_t position = 0;
    struct casehook__text member;
    struct casehook__json *value;
    char prefix[64];
    if (!field.node) return;
    if (casehook__json_kind(field.node) != CASEHOOK__JSON_OBJECT) {
        casehook__field_wrong(&field, "an object of name and key");
        return;
    }
    if (casehook__json_count(field.node) > CASEHOOK__RESPONSE_FIELDS_MAX) {
        casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG, "has more than %d members",
                       CASEHOOK__RESPONSE_FIELDS_MAX);
        return;
    }
    struct casehook__call_more *more = casehook__config_call_more(reader, call);
    if (!more) return;
    more->fields = casehook__calloc(config->heap, casehook__json_count(field.node), sizeof *more->fields);
    if (!more->fields) reader->errors->memory = 1;
    snprintf(prefix, sizeof prefix, "config.%s", name);
    while (more->fields && casehook__json_next(field.node, &position, &member, &value)) {
        struct casehook__field key = {reader->errors, prefix, member.data, value};
        struct casehook__response_field *item = &more->fields[more->field_count];
        struct casehook__text text;
        struct casehook_error fault;
        casehook__error_init(&fault);
        if (!casehook__field_text(&key, &text) || is_foreign_key(reader, &key, text)) continue;
        casehook__keypath_new(config->heap, text, &item->path, &fault);
        casehook__field_keep(&key, &fault);
        item->name = casehook__copy(config->heap, member.data, member.length);
        if (!item->name) reader->errors->memory = 1;
        more->field_count++;
        reader->config->keeps_fields = true;
    }
}

/* A name means one thing, whichever call it is learnt from. */
static void check_field_names(struct casehook__config_reader *reader, unsigned call, unsigned earlier)
{
    const struct casehook__call_more *own = casehook__call_more(&reader->config->calls[call]),
                                     *before = casehook__call_more(&reader->config->calls[earlier]);
    char list[64];
    snprintf(list, sizeof list, "config.%s", casehook__call_kind((enum casehook__call)call)->fields);
    for (size_t i = 0; i < own->field_count; i++) {
        for (size_t j = 0; j < before->field_count; j++) {
            const char *name = own->fields[i].name, *other = before->fields[j].name;
            struct casehook__field field = {reader->errors, list, name, NULL};
            if (name && other && strcmp(name, other) == 0)
                casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG,
                               "is a name of %s too; choose another one",
                               casehook__call_kind((enum casehook__call)earlier)->fields);
        }
    }
}

void casehook__config_read_response_fields(struct casehook__config_reader *reader)
{
    struct casehook__call_config *calls = reader->config->calls;
    for (unsigned i = 0; i < CASEHOOK__CALLS; i++) {
        const char *name = casehook__call_kind((enum casehook__call)i)->fields;
        if (name) read_response_fields(reader, name, &calls[i]);
        for (unsigned j = 0; j < i; j++) check_field_names(reader, i, j);
    }
}
