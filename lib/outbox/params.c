/* params.c - reading the params of an entry, and completing them. */
#include "outbox/params.h"

/* Where the members of the case are: in incident, or beside it. */
static struct casehook__ob_text case_object(struct casehook__ob_text json)
{
    struct casehook__ob_text incident = casehook__ob_json_find(json, "incident");
    return incident.data && *incident.data == '{' ? incident : json;
}

static bool read_member(struct casehook__ob_text value, struct casehook__ob_buf *buf)
{
    if (value.data) casehook__ob_json_decode(buf, value);
    return value.data != NULL;
}

static bool has_elements(struct casehook__ob_text array)
{
    struct casehook__ob_member first;
    size_t at = 0;
    return array.data && *array.data == '[' && casehook__ob_json_next(array, &at, &first);
}

/* Of the case, and of what stands beside it. */
static const char *const read_names[] = {"id",         "status", "title",    "summary",
                                         "externalId", "resume", "comments", "incident"};
enum { R_ID, R_STATUS, R_TITLE, R_SUMMARY, R_EXTERNAL, R_RESUME, R_COMMENTS, R_INCIDENT, R_NAMES };

int casehook__ob_params_read(struct casehook__ob_heap *heap, struct casehook__ob_text json,
                             struct casehook__ob_params *params, struct casehook__ob_fault *fault)
{
    struct casehook__ob_buf none = {.heap = heap};
    struct casehook__ob_text found[R_NAMES], inside[R_NAMES];
    const struct casehook__ob_search search = {read_names, R_NAMES, R_INCIDENT, found, inside};
    size_t at = 0;
    *params = (struct casehook__ob_params){.case_id = none, .status = none, .title = none};
    if (!casehook__ob_json_search(json, &search, &at))
        return casehook__ob_fail(fault, CASEHOOK_E_PARAMS, "the params are no JSON: see byte %zu", at);
    while (*json.data == ' ' || *json.data == '\t' || *json.data == '\r' || *json.data == '\n')
        json.data++, json.length--;
    if (*json.data != '{')
        return casehook__ob_fail(fault, CASEHOOK_E_PARAMS, "the params must be a JSON object");
    if (found[R_RESUME].data)
        return casehook__ob_fail(fault, CASEHOOK_E_PARAMS,
                                 "resume is what the outbox adds itself: leave it out");
    const struct casehook__ob_text *of =
        found[R_INCIDENT].data && *found[R_INCIDENT].data == '{' ? inside : found;
    /* An empty one is none, as for a connector. */
    params->has_id = read_member(of[R_ID], &params->case_id) && params->case_id.length > 0;
    params->has_status = read_member(of[R_STATUS], &params->status);
    read_member(of[of[R_TITLE].data ? R_TITLE : R_SUMMARY], &params->title);
    params->has_comments = has_elements(found[R_COMMENTS]);
    params->has_external_id = of[R_EXTERNAL].data != NULL;
    if (params->case_id.broken || params->status.broken || params->title.broken) {
        casehook__ob_params_clear(params);
        return casehook__ob_fail_memory(fault);
    }
    return CASEHOOK_OK;
}

void casehook__ob_params_clear(struct casehook__ob_params *params)
{
    casehook__ob_buf_free(&params->case_id);
    casehook__ob_buf_free(&params->status);
    casehook__ob_buf_free(&params->title);
}

/* ---- what is sent --------------------------------------------------------------------------------- */

static void begin_member(struct casehook__ob_buf *buf, const char *name)
{
    if (buf->length && buf->data[buf->length - 1] != '{') casehook__ob_put(buf, ",");
    casehook__ob_put(buf, "\"");
    casehook__ob_put(buf, name);
    casehook__ob_put(buf, "\":");
}

static void copy_member(struct casehook__ob_buf *buf, const struct casehook__ob_member *member)
{
    if (buf->length && buf->data[buf->length - 1] != '{') casehook__ob_put(buf, ",");
    casehook__ob_add(buf, member->name.data, member->name.length);
    casehook__ob_put(buf, ":");
    casehook__ob_add(buf, member->value.data, member->value.length);
}

/* All members but those of these names; an object stays open. */
static void copy_members(struct casehook__ob_buf *buf, struct casehook__ob_text object,
                         const char *const *but)
{
    struct casehook__ob_member member;
    size_t at = 0;
    casehook__ob_put(buf, "{");
    while (casehook__ob_json_next(object, &at, &member)) {
        bool left_out = false;
        for (const char *const *name = but; *name; name++)
            left_out |= casehook__ob_json_named(member.name, *name);
        if (!left_out) copy_member(buf, &member);
    }
}

void casehook__ob_params_compose(struct casehook__ob_buf *buf, struct casehook__ob_text json,
                                 const struct casehook__ob_known *known)
{
    struct casehook__ob_text object = case_object(json), id = known->external_id;
    bool flat = object.data == json.data,
         adds_id = id.data && !casehook__ob_json_find(object, "externalId").data,
         adds_fields = known->fields.data && !casehook__ob_json_find(object, "externalFields").data;
    bool adds_key = known->key.data && !casehook__ob_json_find(json, "idempotencyKey").data;
    const char *but[6] = {NULL}, *but_known[3] = {NULL};
    size_t count = 0, known_count = 0;
    if (adds_id) but_known[known_count++] = "externalId";
    if (adds_fields) but_known[known_count++] = "externalFields";
    if (adds_key) but[count++] = "idempotencyKey";
    if (known->resume.data) but[count++] = "resume";
    if (!flat) but[count++] = "incident";
    for (size_t i = 0; flat && i < known_count; i++) but[count++] = but_known[i];
    copy_members(buf, json, but);
    if (!flat) {
        begin_member(buf, "incident");
        copy_members(buf, object, but_known);
    }
    if (adds_id) {
        begin_member(buf, "externalId");
        casehook__ob_json_text(buf, id);
    }
    if (adds_fields) {
        begin_member(buf, "externalFields");
        casehook__ob_add(buf, known->fields.data, known->fields.length);
    }
    if (!flat) casehook__ob_put(buf, "}");
    if (adds_key) {
        begin_member(buf, "idempotencyKey");
        casehook__ob_json_text(buf, known->key);
    }
    if (known->resume.data) {
        begin_member(buf, "resume");
        casehook__ob_add(buf, known->resume.data, known->resume.length);
    }
    casehook__ob_put(buf, "}");
}

/* The key that requests had: the one of the params, or ours. */
static void add_key(struct casehook__ob_buf *buf, struct casehook__ob_text json, struct casehook__ob_text key)
{
    struct casehook__ob_text own = casehook__ob_json_find(json, "idempotencyKey");
    casehook__ob_put(buf, ",\"idempotencyKey\":");
    if (own.data)
        casehook__ob_add(buf, own.data, own.length);
    else
        casehook__ob_json_text(buf, key);
}

void casehook__ob_params_doubt(struct casehook__ob_buf *buf, int operation, struct casehook__ob_text json,
                               const struct casehook__ob_known *known, struct casehook__ob_text earlier)
{
    struct casehook__ob_text comments = casehook__ob_json_find(earlier, "comments"), given;
    struct casehook__ob_member each;
    size_t at = 0;
    casehook__ob_put(buf, "{\"ok\":false,\"operation\":\"");
    casehook__ob_put(buf, casehook_operation_name(operation));
    casehook__ob_put(buf, "\",\"step\":\"create\",\"outcome\":\"unknown\",\"id\":null");
    if (casehook__ob_json_find(earlier, "accepted").data) casehook__ob_put(buf, ",\"accepted\":true");
    add_key(buf, json, known->key);
    casehook__ob_put(buf, ",\"comments\":");
    if (comments.data) {
        casehook__ob_add(buf, comments.data, comments.length);
    } else {
        given = casehook__ob_json_find(json, "comments");
        casehook__ob_put(buf, "[");
        while (given.data && casehook__ob_json_next(given, &at, &each)) {
            struct casehook__ob_text id = casehook__ob_json_find(each.value, "commentId");
            if (buf->data && buf->data[buf->length - 1] != '[') casehook__ob_put(buf, ",");
            casehook__ob_put(buf, "{\"commentId\":");
            casehook__ob_add(buf, id.data ? id.data : "null", id.data ? id.length : 4);
            casehook__ob_put(buf, ",\"state\":\"not_attempted\"}");
        }
        casehook__ob_put(buf, "]");
    }
    casehook__ob_put(buf, ",\"requests\":[{\"step\":\"create\",\"outcome\":\"unknown\",\"status\":0}]}");
}
