/* config_calls.c - URLs, methods, bodies and keys of a connector's calls (C1, C3, C4). */
#include "document/config_private.h"

#include <stdio.h>

/* One of the four calls as the document names it. */
struct call_fields {
    enum casehook__call call;
    const char *url, *method, *body;
    enum casehook__method methods[3]; /* the first is the default */
    size_t method_count;
    bool optional; /* URL, method and body may be absent */
    const struct casehook__schema *(*url_schema)(void), *(*body_schema)(void);
    const char *required[2]; /* variables of the body (C4) */
};

static const struct call_fields create_fields = {
    .call = CASEHOOK__CALL_CREATE,
    .url = "createIncidentUrl",
    .method = "createIncidentMethod",
    .body = "createIncidentJson",
    .methods = {CASEHOOK__POST, CASEHOOK__PUT, CASEHOOK__PATCH},
    .method_count = 3,
    .url_schema = casehook__schema_create_url,
    .body_schema = casehook__schema_create_body,
    .required = {"case.title", "case.description"},
};

static const struct call_fields get_fields = {
    .call = CASEHOOK__CALL_GET,
    .url = "getIncidentUrl",
    .method = "getIncidentMethod",
    .body = "getIncidentJson",
    .methods = {CASEHOOK__GET, CASEHOOK__POST},
    .method_count = 2,
    .url_schema = casehook__schema_id,
    .body_schema = casehook__schema_id,
};

static const struct call_fields update_fields = {
    .call = CASEHOOK__CALL_UPDATE,
    .url = "updateIncidentUrl",
    .method = "updateIncidentMethod",
    .body = "updateIncidentJson",
    .methods = {CASEHOOK__PUT, CASEHOOK__POST, CASEHOOK__PATCH},
    .method_count = 3,
    .url_schema = casehook__schema_id,
    .body_schema = casehook__schema_update_body,
    .required = {"case.title", "case.description"},
};

static const struct call_fields comment_fields = {
    .call = CASEHOOK__CALL_COMMENT,
    .url = "createCommentUrl",
    .method = "createCommentMethod",
    .body = "createCommentJson",
    .methods = {CASEHOOK__PUT, CASEHOOK__POST, CASEHOOK__PATCH},
    .method_count = 3,
    .optional = true,
    .url_schema = casehook__schema_id,
    .body_schema = casehook__schema_comment_body,
    .required = {"case.comment"},
};

/* Text of a field that must be there; "" is as good as missing.  Optional: null and "" are absent. */
static bool read_call_text(const struct casehook__field *field, bool optional, struct casehook__text *text)
{
    if (optional && casehook__field_is_null(field)) return false;
    if (!field->node) {
        casehook__fail(casehook__field_fault(field), CASEHOOK_E_CONFIG,
                       "is missing: every connector needs it");
        return false;
    }
    if (!casehook__field_text(field, text)) return false;
    if (text->length) return true;
    if (!optional)
        casehook__fail(casehook__field_fault(field), CASEHOOK_E_CONFIG, "is empty: every connector needs it");
    return false;
}

/* All unknown names of a template at once (C3); how many there are. */
static size_t keep_unknown_names(const struct casehook__config_reader *reader,
                                 const struct casehook__field *field, struct casehook__text text,
                                 const struct casehook__schema *schema)
{
    size_t count = 0;
    struct casehook_error fault = {0};
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
    struct casehook_error fault = {0};
    casehook__error_init(&fault);
    if (!read_call_text(&field, optional, &text)) return NULL;
    int status = casehook__url_template_new(reader->config->heap, text, schema, reader->config->strict, view,
                                            &url, &fault);
    if (status && keep_unknown_names(reader, &field, text, schema)) { /* and what else is wrong with it */
        casehook__error_init(&fault);
        casehook__url_template_new(reader->config->heap, text, schema, false, view, &url, &fault);
        casehook__url_template_free(url);
        url = NULL;
    }
    casehook__field_keep(&field, &fault);
    if (url && !view) /* it is never fetched */
        casehook__config_check_origin(reader, &field, casehook__url_template_origin(url));
    if (url && reader->config->keep_slash) casehook__url_template_keep_slash(url);
    for (size_t i = 0; url && i < CASEHOOK__CALLS; i++)
        if (reader->config->calls[i].url) casehook__url_template_share(url, reader->config->calls[i].url);
    return url;
}

static void fail_required(const struct casehook__field *field, const char *variables)
{
    casehook__fail(casehook__field_fault(field), CASEHOOK_E_CONFIG,
                   "does not use %s; add it, or set strict to false", variables);
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
                                            const struct call_fields *fields, bool optional)
{
    struct casehook__field field = casehook__config_field(reader, fields->body);
    struct casehook__heap *heap = reader->config->heap;
    const struct casehook__schema *schema = fields->body_schema();
    bool strict = reader->config->strict;
    struct casehook__text text;
    struct casehook__template *body = NULL;
    struct casehook_error fault = {0};
    casehook__error_init(&fault);
    if (field.node && casehook__json_kind(field.node) == CASEHOOK__JSON_OBJECT) {
        casehook__field_wrong(&field, "a text: JSON in a string, because it is a template");
        return NULL;
    }
    if (!read_call_text(&field, optional, &text)) return NULL;
    if (!casehook__template_new(heap, text, CASEHOOK__TEMPLATE_JSON, schema, strict, &body, &fault)) {
        casehook__template_prove(body, strict, &fault);
    } else if (keep_unknown_names(reader, &field, text, schema)) { /* and what else is wrong with it */
        casehook__error_init(&fault);
        casehook__template_new(heap, text, CASEHOOK__TEMPLATE_JSON, schema, false, &body, &fault);
        casehook__template_free(body);
        body = NULL;
    }
    if (fault.status == CASEHOOK_E_CONFIG) name_other_type(text, &fault);
    casehook__field_keep(&field, &fault);
    for (size_t i = 0; body && strict && i < 2 && fields->required[i]; i++)
        if (!casehook__template_uses(body, fields->required[i])) fail_required(&field, fields->required[i]);
    return body;
}

/* True unless a null method switches the call off. */
static bool read_method(struct casehook__config_reader *reader, const struct call_fields *fields,
                        enum casehook__method *method)
{
    struct casehook__field field = casehook__config_field(reader, fields->method);
    const char *words[3];
    size_t index;
    *method = fields->methods[0];
    if (fields->optional && field.node && casehook__field_is_null(&field)) return false;
    for (size_t i = 0; i < fields->method_count; i++) words[i] = casehook__method_name(fields->methods[i]);
    if (casehook__field_word(&field, words, fields->method_count, true, &index))
        *method = fields->methods[index];
    return true;
}

static void read_response_key(struct casehook__config_reader *reader, const char *name,
                              struct casehook__keypath **path)
{
    struct casehook__field field = casehook__config_field(reader, name);
    struct casehook__text text;
    struct casehook_error fault = {0};
    casehook__error_init(&fault);
    if (!field.node) {
        casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG,
                       "is missing: the key of the response to look at");
        return;
    }
    if (!casehook__field_text(&field, &text)) return;
    casehook__keypath_new(reader->config->heap, text, path, &fault);
    casehook__field_keep(&field, &fault);
}

static void read_create(struct casehook__config_reader *reader)
{
    struct casehook__call_config *call = &reader->config->calls[CASEHOOK__CALL_CREATE];
    call->url = read_call_url(reader, create_fields.url, casehook__schema_create_url(), false, false);
    read_method(reader, &create_fields, &call->method);
    call->body = read_body(reader, &create_fields, false);
    read_response_key(reader, "createIncidentResponseKey", &reader->config->id_key);
}

static void read_get(struct casehook__config_reader *reader)
{
    struct casehook__call_config *call = &reader->config->calls[CASEHOOK__CALL_GET];
    struct casehook__field url = casehook__config_field(reader, get_fields.url);
    struct casehook__field body = casehook__config_nullable(reader, get_fields.body);
    struct casehook__text text;
    read_method(reader, &get_fields, &call->method);
    call->url = read_call_url(reader, get_fields.url, casehook__schema_id(), false, false);
    if (call->url && reader->config->strict && call->method == CASEHOOK__GET &&
        !casehook__url_template_uses(call->url, "external.system.id"))
        fail_required(&url, "external.system.id");
    if (call->method == CASEHOOK__POST)
        call->body = read_body(reader, &get_fields, true);
    else
        casehook__field_text(&body, &text); /* not used, but it must be a text */
    read_response_key(reader, "getIncidentResponseExternalTitleKey", &reader->config->title_key);
}

static void read_view(struct casehook__config_reader *reader)
{
    struct casehook__field field = casehook__config_field(reader, "viewIncidentUrl");
    struct casehook__url_template *url =
        read_call_url(reader, "viewIncidentUrl", casehook__schema_view_url(), false, true);
    reader->config->view_url = url;
    if (url && reader->config->strict && !casehook__url_template_uses(url, "external.system.id") &&
        !casehook__url_template_uses(url, "external.system.title"))
        fail_required(&field, "external.system.id or external.system.title");
}

static void read_update(struct casehook__config_reader *reader)
{
    struct casehook__call_config *call = &reader->config->calls[CASEHOOK__CALL_UPDATE];
    read_method(reader, &update_fields, &call->method);
    call->url = read_call_url(reader, update_fields.url, casehook__schema_id(), false, false);
    call->body = read_body(reader, &update_fields, false);
}

/* Null and "" are no text. */
static bool is_call_given(const struct casehook__field *field)
{
    return !casehook__field_is_null(field) && !(casehook__json_kind(field->node) == CASEHOOK__JSON_TEXT &&
                                                casehook__json_text(field->node).length == 0);
}

static void read_comment_call(struct casehook__config_reader *reader)
{
    struct casehook__call_config *call = &reader->config->calls[CASEHOOK__CALL_COMMENT];
    struct casehook__field url = casehook__config_field(reader, comment_fields.url);
    struct casehook__field body = casehook__config_field(reader, comment_fields.body);
    bool on = read_method(reader, &comment_fields, &call->method);
    call->url = read_call_url(reader, comment_fields.url, casehook__schema_id(), true, false);
    call->body = read_body(reader, &comment_fields, true);
    reader->config->has_comments = on && call->url && call->body;
    if (!on || !reader->config->strict || is_call_given(&url) == is_call_given(&body)) return;
    const struct casehook__field *missing = is_call_given(&url) ? &body : &url;
    casehook__fail(casehook__field_fault(missing), CASEHOOK_E_CONFIG,
                   "is missing: %s is given, and the two come together; createCommentMethod null switches "
                   "comments off",
                   is_call_given(&url) ? comment_fields.url : comment_fields.body);
}

/* H4: what an answer of this call may be. */
static void read_response_type(struct casehook__config_reader *reader, enum casehook__call call)
{
    static const char *const words[] = {"json", "any"};
    struct casehook__field field = casehook__config_field(reader, casehook__config_type_field(call));
    size_t word = 0;
    casehook__field_word(&field, words, 2, false, &word);
    reader->config->calls[call].any_type = word == 1;
}

void casehook__config_read_calls(struct casehook__config_reader *reader)
{
    read_create(reader);
    read_get(reader);
    read_view(reader);
    read_update(reader);
    read_comment_call(reader);
    for (int call = 0; call < CASEHOOK__CALLS; call++) read_response_type(reader, (enum casehook__call)call);
}

/* One object of name: key.  The array is owned by the config at once, so that nothing leaks. */
static void read_response_fields(struct casehook__config_reader *reader, const char *name,
                                 struct casehook__response_field **out, size_t *count)
{
    struct casehook__config *config = reader->config;
    struct casehook__field field = casehook__config_nullable(reader, name);
    void *iterator = NULL;
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
    *out = casehook__calloc(config->heap, casehook__json_count(field.node), sizeof **out);
    if (!*out) reader->errors->memory = 1;
    snprintf(prefix, sizeof prefix, "config.%s", name);
    while (*out && casehook__json_next(field.node, &iterator, &member, &value)) {
        struct casehook__field key = {reader->errors, prefix, member.data, value};
        struct casehook__response_field *item = &(*out)[*count];
        struct casehook__text text;
        struct casehook_error fault = {0};
        casehook__error_init(&fault);
        if (!casehook__field_text(&key, &text)) continue;
        casehook__keypath_new(config->heap, text, &item->path, &fault);
        casehook__field_keep(&key, &fault);
        item->name = casehook__copy(config->heap, member.data, member.length);
        if (!item->name) reader->errors->memory = 1;
        *count += 1;
    }
}

void casehook__config_read_response_fields(struct casehook__config_reader *reader)
{
    struct casehook__config *config = reader->config;
    read_response_fields(reader, "createResponseFields", &config->create_fields, &config->create_field_count);
    read_response_fields(reader, "getResponseFields", &config->get_fields, &config->get_field_count);
    for (size_t i = 0; i < config->get_field_count; i++) {
        for (size_t j = 0; j < config->create_field_count; j++) {
            const char *name = config->get_fields[i].name, *other = config->create_fields[j].name;
            struct casehook__field field = {reader->errors, "config.getResponseFields", name, NULL};
            if (name && other && strcmp(name, other) == 0)
                casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG,
                               "is a name of createResponseFields too; choose another one");
        }
    }
}
