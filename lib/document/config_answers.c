/* config_answers.c - what is looked for in answers besides ids and fields (H4, K6-K9). */
#include "document/config_private.h"

/* H4: what an answer of this call may be. */
static void read_response_type(struct casehook__config_reader *reader, const struct casehook__call_kind *kind,
                               struct casehook__call_config *call)
{
    static const char *const words[] = {"json", "any"};
    size_t word = 0;
    struct casehook__field field = casehook__config_field(reader, kind->type);
    casehook__field_word(&field, words, 2, false, &word);
    struct casehook__call_more *more = word == 1 ? casehook__config_call_more(reader, call) : NULL;
    if (more) more->any_type = true;
}

/* K6: the id is in a header of the answer. */
static void read_id_header(struct casehook__config_reader *reader, const struct casehook__call_kind *kind)
{
    struct casehook__config *config = reader->config;
    struct casehook__field field = casehook__config_nullable(reader, kind->id_header);
    struct casehook__text name;
    if (!casehook__field_text(&field, &name)) return;
    if (casehook__header_name_fault(name, false)) {
        casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG,
                       "is no header that could hold an id: give its name without a colon, \"Location\"");
        return;
    }
    if (config->calls[CASEHOOK__CALL_CREATE].key)
        casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG,
                       "is given beside %s: the id is in a header or in the body, remove one of them",
                       kind->key);
    struct casehook__call_more *more =
        casehook__config_call_more(reader, &config->calls[CASEHOOK__CALL_CREATE]);
    if (!more) return;
    more->id_header = casehook__copy(config->heap, name.data, name.length);
    if (!more->id_header) reader->errors->memory = 1;
}

/* What is sent is known before it is answered: somebody has to have sent it. */
static void check_own_id(const struct casehook__config_reader *reader, const struct casehook__field *field,
                         const char *name)
{
    const struct casehook__config *config = reader->config;
    const struct casehook__call_config *create = &config->calls[CASEHOOK__CALL_CREATE];
    bool in_header = strcmp(name, "case.idempotencyKey") == 0 &&
                     casehook__config_nullable(reader, "idempotencyHeader").node;
    if (!config->strict || !create->url || !create->body || in_header ||
        casehook__url_template_uses(create->url, name) || casehook__template_uses(create->body, name))
        return;
    casehook__fail(
        casehook__field_fault(field), CASEHOOK_E_CONFIG,
        "is %s, which neither createIncidentUrl nor createIncidentJson uses: the tracker would not "
        "know the case by it",
        name);
}

/* K9: a variable of the create is the id; it is compiled as a template that holds nothing else. */
static void read_own_id(struct casehook__config_reader *reader, const struct casehook__call_kind *kind)
{
    struct casehook__config *config = reader->config;
    struct casehook__field field = casehook__config_nullable(reader, "externalIdFrom");
    struct casehook__text name;
    struct casehook__buf tag;
    struct casehook_error fault;
    if (!casehook__field_text(&field, &name)) return;
    casehook__error_init(&fault);
    if (casehook__create_more(config)->id_header)
        casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG,
                       "is given beside %s: the id comes from one of them", kind->id_header);
    if (name.length == 0 || strcspn(name.data, "{}#^/!&=> ") != name.length) {
        casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG,
                       "is no name of a variable: \"case.id\" is one");
        return;
    }
    if (strncmp(name.data, "secret.", 7) == 0) {
        casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG,
                       "must not name a secret: an id is shown wherever the case is");
        return;
    }
    struct casehook__call_more *more =
        casehook__config_call_more(reader, &config->calls[CASEHOOK__CALL_CREATE]);
    if (!more) return;
    casehook__buf_init(&tag, config->heap, CASEHOOK__TEMPLATE_MAX_BYTES);
    casehook__buf_append_string(&tag, "{{");
    casehook__buf_append_text(&tag, name);
    int status = casehook__buf_append_string(&tag, "}}");
    if (status == CASEHOOK_E_NO_MEMORY)
        reader->errors->memory = 1;
    else
        casehook__template_new(config->heap, casehook__buf_text(&tag), CASEHOOK__TEMPLATE_RAW,
                               casehook__config_schema(reader, kind->body_schema()), true, &more->own_id,
                               &fault);
    casehook__field_keep(&field, &fault);
    if (more->own_id) check_own_id(reader, &field, name.data);
    casehook__buf_free(&tag);
}

static void read_more_key(struct casehook__config_reader *reader, const char *name,
                          struct casehook__call_config *call, bool of_title)
{
    struct casehook__keypath *key = NULL;
    casehook__config_read_key(reader, name, false, &key);
    struct casehook__call_more *more = key ? casehook__config_call_more(reader, call) : NULL;
    if (more)
        *(of_title ? &more->title_key : &more->error_key) = key;
    else
        casehook__keypath_free(key);
}

void casehook__config_read_answers(struct casehook__config_reader *reader)
{
    const struct casehook__call_kind *create = casehook__call_kind(CASEHOOK__CALL_CREATE),
                                     *update = casehook__call_kind(CASEHOOK__CALL_UPDATE);
    for (unsigned i = 0; i < CASEHOOK__CALLS; i++) {
        const struct casehook__call_kind *kind = casehook__call_kind((enum casehook__call)i);
        struct casehook__call_config *call = &reader->config->calls[i];
        if (!kind->method) continue;
        read_response_type(reader, kind, call);
        read_more_key(reader, kind->error_key, call, false);
        if (kind->title_key) read_more_key(reader, kind->title_key, call, true);
    }
    read_id_header(reader, create);
    read_own_id(reader, create);
    struct casehook__field transition =
        casehook__config_nullable(reader, casehook__call_kind(CASEHOOK__CALL_TRANSITION)->url);
    if (transition.node && casehook__config_is_false(reader, update->off))
        casehook__fail(casehook__field_fault(&transition), CASEHOOK_E_CONFIG,
                       "is never requested: it follows an update, and updateIncident is false");
}
