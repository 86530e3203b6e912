/*
 * params_json.c - params from JSON, as the reference's push params or flat (N1).
 *
 * No tree is built: the text is validated in one pass and then stepped through.  Texts without
 * escapes are borrowed from it, the others are decoded into the store, which was made large enough
 * before, so that nothing moves.
 */
#include "exchange/params.h"

#include "json/jsscan.h"
#include "json/jstext.h"

#include <stdio.h>

enum param_member {
    TITLE,
    SUMMARY,
    DESCRIPTION,
    ID,
    SEVERITY,
    STATUS,
    EXTERNAL_ID,
    TAGS,
    LABELS,
    FIELDS,
    EXTERNAL_FIELDS,
    INCIDENT_MEMBERS, /* how many incident may have */
    COMMENTS = INCIDENT_MEMBERS,
    INCIDENT,
    IDEMPOTENCY_KEY,
    RESUME,
    MEMBERS
};

static const char *const member_names[MEMBERS] = {
    "title",  "summary", "description",    "id",       "severity", "status",         "externalId", "tags",
    "labels", "fields",  "externalFields", "comments", "incident", "idempotencyKey", "resume"};

struct params_reader {
    struct casehook__parsed_params *params;
    struct casehook__text json; /* the whole text: offsets count from its beginning */
    struct casehook_error *error;
    const char *fields; /* the name of those that are read */
};

#define NO_INDEX SIZE_MAX

/* "tags[2]", "comments[0].comment": a place in the params, put into words only for a fault. */
struct param_place {
    const char *list; /* NULL: a member of the case itself */
    size_t index;     /* NO_INDEX: none */
    struct casehook__text member;
};

static struct param_place member_place(const char *name)
{
    return (struct param_place){NULL, NO_INDEX, casehook__text(name)};
}

static void set_field(struct casehook_error *error, struct param_place place)
{
    char field[CASEHOOK__ERROR_FIELD_SIZE], index[32] = "";
    int length = place.member.length < 60 ? (int)place.member.length : 60;
    if (place.index != NO_INDEX) snprintf(index, sizeof index, "[%zu]", place.index);
    snprintf(field, sizeof field, "%s%s%s%.*s", place.list ? place.list : "", index,
             place.list && length ? "." : "", length, length ? place.member.data : "");
    casehook__error_set_field(error, field);
}

static int fail_at(struct params_reader *reader, const char *at, struct param_place place,
                   const char *message)
{
    set_field(reader->error, place);
    return casehook__fail_at(reader->error, CASEHOOK_E_PARAMS, (size_t)(at - reader->json.data), "%s",
                             message);
}

static int fail_param_kind(struct params_reader *reader, const struct casehook__js_value *value,
                           struct param_place place, const char *wanted)
{
    char message[96];
    snprintf(message, sizeof message, "must be %s, not %s", wanted, casehook__js_kind_name(value->kind));
    return fail_at(reader, value->text.data, place, message);
}

/* What stands between two quotes, decoded. */
static int decode_text(struct params_reader *reader, struct casehook__text inside,
                       struct casehook__text *text)
{
    *text = inside;
    if (inside.length == 0 || !memchr(inside.data, '\\', inside.length)) return CASEHOOK_OK;
    struct casehook__buf *store = &reader->params->store;
    size_t start = store->length;
    if (store->capacity - start < 3 * inside.length) return casehook__fail_memory(reader->error);
    if (casehook__js_decode(store, inside)) return casehook__fail_memory(reader->error);
    *text = (struct casehook__text){store->data + start, store->length - start};
    return CASEHOOK_OK;
}

static int string_text(struct params_reader *reader, const struct casehook__js_value *value,
                       struct casehook__text *text)
{
    return decode_text(reader, (struct casehook__text){value->text.data + 1, value->text.length - 2}, text);
}

static bool is_member_given(const struct casehook__js_value *value)
{
    return value->kind != CASEHOOK__JS_NONE && value->kind != CASEHOOK__JS_NULL;
}

static int json_text(struct params_reader *reader, const struct casehook__js_value *value,
                     struct param_place place, struct casehook__text *text)
{
    if (!is_member_given(value)) return CASEHOOK_OK;
    if (value->kind != CASEHOOK__JS_STRING) return fail_param_kind(reader, value, place, "a string");
    return string_text(reader, value, text);
}

static int fail_unknown_member(struct params_reader *reader, struct casehook__text key,
                               struct param_place place, const char *const *known, size_t count)
{
    char message[160];
    const char *nearest = casehook__nearest(place.member, known, count);
    snprintf(message, sizeof message, "there is no such member%s%s%s", nearest ? "; did you mean \"" : "",
             nearest ? nearest : "", nearest ? "\"?" : "; remove it");
    return fail_at(reader, key.data, place, message);
}

/* The members of an object by their names; unknown and duplicate ones are faults. */
static int collect(struct params_reader *reader, struct casehook__text object, struct param_place place,
                   const char *const *known, size_t count, struct casehook__js_value *found)
{
    size_t position = 0;
    struct casehook__text key;
    struct casehook__js_value value;
    memset(found, 0, count * sizeof *found);
    while (casehook__js_next(object, &position, &key, &value)) {
        int status = decode_text(reader, key, &place.member);
        if (status) return status;
        size_t i = 0;
        while (i < count && !casehook__text_is(place.member, known[i])) i++;
        if (i == count) return fail_unknown_member(reader, key, place, known, count);
        if (found[i].kind != CASEHOOK__JS_NONE) return fail_at(reader, key.data, place, "is given twice");
        found[i] = value;
    }
    return CASEHOOK_OK;
}

static size_t count_items(struct casehook__text container)
{
    size_t position = 0, count = 0;
    struct casehook__text key;
    struct casehook__js_value value;
    while (casehook__js_next(container, &position, &key, &value)) count++;
    return count;
}

size_t casehook__params_store_need(struct casehook__text json)
{
    /* A byte that is not UTF-8 becomes three; without escapes nothing is decoded. */
    return memchr(json.data, '\\', json.length) ? 3 * json.length : 0;
}

int casehook__params_count_fields(const char *name, struct casehook__text object, size_t *values,
                                  size_t *names, struct casehook_error *error)
{
    size_t position = 0, names_before = *names;
    struct casehook__text key;
    struct casehook__js_value value;
    while (casehook__js_next(object, &position, &key, &value)) {
        *names += 1;
        *values += 1;
        if (value.kind == CASEHOOK__JS_ARRAY) *values += count_items(value.text);
    }
    if (*names - names_before <= CASEHOOK__FIELDS_MAX && *values <= CASEHOOK__ITEMS_MAX) return CASEHOOK_OK;
    casehook__error_set_field(error, name);
    return casehook__fail(error, CASEHOOK_E_PARAMS, "more than %d fields, or %d values in them",
                          CASEHOOK__FIELDS_MAX, CASEHOOK__ITEMS_MAX);
}

/* A text, number, boolean or null of a custom field. */
static int read_scalar(struct params_reader *reader, const struct casehook__js_value *source,
                       struct param_place place, struct casehook__value *value)
{
    static const enum casehook__value_kind kinds[] = {
        [CASEHOOK__JS_NULL] = CASEHOOK__VALUE_NULL,   [CASEHOOK__JS_FALSE] = CASEHOOK__VALUE_FALSE,
        [CASEHOOK__JS_TRUE] = CASEHOOK__VALUE_TRUE,   [CASEHOOK__JS_NUMBER] = CASEHOOK__VALUE_NUMBER,
        [CASEHOOK__JS_STRING] = CASEHOOK__VALUE_TEXT,
    };
    if (source->kind == CASEHOOK__JS_ARRAY || source->kind == CASEHOOK__JS_OBJECT)
        return fail_param_kind(reader, source, place, "a string, number, boolean or null");
    *value = (struct casehook__value){.kind = kinds[source->kind], .text = source->text};
    return source->kind == CASEHOOK__JS_STRING ? string_text(reader, source, &value->text) : CASEHOOK_OK;
}

/* The items of an array into the next free values. */
static int json_list(struct params_reader *reader, struct casehook__text array, struct param_place place,
                     bool texts_only, struct casehook__value *list)
{
    struct casehook__parsed_params *params = reader->params;
    struct casehook__value *items = casehook__params_next_value(params);
    size_t position = 0, count = 0;
    struct casehook__text key;
    struct casehook__js_value item;
    while (casehook__js_next(array, &position, &key, &item)) {
        if (texts_only) place.index = count;
        if (texts_only && item.kind != CASEHOOK__JS_STRING)
            return fail_param_kind(reader, &item, place, "a string");
        int status = read_scalar(reader, &item, place, &items[count++]);
        if (status) return status;
    }
    params->value_count += count;
    *list = (struct casehook__value){.kind = CASEHOOK__VALUE_LIST, .items = items, .count = count};
    return CASEHOOK_OK;
}

static int read_texts(struct params_reader *reader, const struct casehook__js_value *value, const char *name,
                      struct casehook__value *list)
{
    struct param_place place = {.list = name, .index = NO_INDEX};
    if (!is_member_given(value)) return CASEHOOK_OK;
    if (value->kind != CASEHOOK__JS_ARRAY)
        return fail_param_kind(reader, value, place, "an array of strings");
    return json_list(reader, value->text, place, true, list);
}

/* The name of field number index into names; faults of it. */
static int read_field_name(struct params_reader *reader, struct casehook__text key,
                           struct casehook__text *names, size_t index)
{
    int status = decode_text(reader, key, &names[index]);
    if (status) return status;
    struct param_place place = {reader->fields, NO_INDEX, names[index]};
    if (!casehook__is_field_name(names[index]))
        return fail_at(reader, key.data, place, "the name of a field has letters, digits, _ and - only");
    for (size_t i = 0; i < index; i++)
        if (casehook__text_equal(names[i], names[index]))
            return fail_at(reader, key.data, place, "is given twice");
    return CASEHOOK_OK;
}

static int read_field(struct params_reader *reader, const struct casehook__js_value *source, bool external,
                      struct casehook__text name, struct casehook__value *value)
{
    struct param_place place = {reader->fields, NO_INDEX, name};
    bool plain = source->kind == CASEHOOK__JS_STRING || source->kind == CASEHOOK__JS_NUMBER;
    if (external && !plain) return fail_param_kind(reader, source, place, "a string or a number");
    if (source->kind == CASEHOOK__JS_ARRAY) return json_list(reader, source->text, place, false, value);
    return read_scalar(reader, source, place, value);
}

int casehook__params_read_fields(struct casehook__parsed_params *params, const char *name,
                                 struct casehook__text json, struct casehook__text object, bool external,
                                 struct casehook_error *error)
{
    struct params_reader reader = {params, json, error, name};
    size_t count = count_items(object), position = 0, index = 0;
    struct casehook__value *values = casehook__params_next_value(params);
    struct casehook__text *names = params->names ? params->names + params->name_count : NULL, key;
    struct casehook__js_value value;
    params->value_count += count; /* lists inside go behind the fields themselves */
    params->name_count += count;
    while (casehook__js_next(object, &position, &key, &value)) {
        int status = read_field_name(&reader, key, names, index);
        if (!status) status = read_field(&reader, &value, external, names[index], &values[index]);
        if (status) return status;
        index++;
    }
    *(external ? &params->external_fields : &params->fields) = (struct casehook__value){
        .kind = CASEHOOK__VALUE_OBJECT, .items = values, .names = names, .count = count};
    return CASEHOOK_OK;
}

static int json_comment(struct params_reader *reader, const struct casehook__js_value *item, size_t index)
{
    static const char *const known[] = {"commentId", "comment"};
    struct casehook__js_value found[2];
    struct casehook__param_comment *comment = &reader->params->comments[index];
    struct casehook__text *texts[] = {&comment->id, &comment->text};
    struct param_place place = {.list = "comments", .index = index};
    *comment = (struct casehook__param_comment){0};
    if (item->kind != CASEHOOK__JS_OBJECT) return fail_param_kind(reader, item, place, "an object");
    int status = collect(reader, item->text, place, known, 2, found);
    for (size_t i = 0; i < 2 && !status; i++) {
        place.member = casehook__text(known[i]);
        if (is_member_given(&found[i]))
            status = json_text(reader, &found[i], place, texts[i]);
        else
            status = fail_at(reader, item->text.data, place, "is missing");
    }
    return status;
}

static int json_comments(struct params_reader *reader, const struct casehook__js_value *value)
{
    size_t position = 0, count = 0;
    struct casehook__text key;
    struct casehook__js_value item;
    int status = CASEHOOK_OK;
    if (!is_member_given(value)) return CASEHOOK_OK;
    while (!status && casehook__js_next(value->text, &position, &key, &item))
        status = json_comment(reader, &item, count++);
    reader->params->comment_count = status ? 0 : count;
    return status;
}

/* What incident and comments need, before anything is read; types that matter for counting too. */
static int reserve_for_json(struct params_reader *reader, const struct casehook__js_value *found)
{
    size_t values = 0, names = 0, comments = 0;
    for (int i = FIELDS; i <= EXTERNAL_FIELDS; i++) {
        if (!is_member_given(&found[i])) continue;
        if (found[i].kind != CASEHOOK__JS_OBJECT)
            return fail_param_kind(reader, &found[i], member_place(member_names[i]), "an object");
        int status =
            casehook__params_count_fields(member_names[i], found[i].text, &values, &names, reader->error);
        if (status) return status;
    }
    if (found[TAGS].kind == CASEHOOK__JS_ARRAY) values += count_items(found[TAGS].text);
    if (found[LABELS].kind == CASEHOOK__JS_ARRAY) values += count_items(found[LABELS].text);
    if (values > CASEHOOK__ITEMS_MAX)
        return casehook__fail(reader->error, CASEHOOK_E_PARAMS,
                              "fields, tags and labels have more than %d values together",
                              CASEHOOK__ITEMS_MAX);
    if (is_member_given(&found[COMMENTS])) {
        if (found[COMMENTS].kind != CASEHOOK__JS_ARRAY)
            return fail_param_kind(reader, &found[COMMENTS], member_place("comments"), "an array");
        comments = count_items(found[COMMENTS].text);
        if (comments > CASEHOOK__COMMENTS_MAX)
            return fail_at(reader, found[COMMENTS].text.data, member_place("comments"),
                           "more than 10000 comments");
    }
    /* The store was reserved for the whole text before. */
    if (casehook__params_reserve(reader->params, values, names, comments, 0))
        return casehook__fail_memory(reader->error);
    return CASEHOOK_OK;
}

static int read_members(struct params_reader *reader, const struct casehook__js_value *found)
{
    struct casehook__parsed_params *params = reader->params;
    struct casehook__text *texts[] = {&params->title,    &params->title,  &params->description, &params->id,
                                      &params->severity, &params->status, &params->external_id};
    if (is_member_given(&found[TITLE]) && is_member_given(&found[SUMMARY]))
        return fail_at(reader, found[SUMMARY].text.data, member_place("summary"),
                       "means title, which is given too");
    int status = reserve_for_json(reader, found);
    for (int i = TITLE; i <= EXTERNAL_ID && !status; i++)
        status = json_text(reader, &found[i], member_place(member_names[i]), texts[i]);
    for (int i = FIELDS; i <= EXTERNAL_FIELDS && !status; i++)
        if (is_member_given(&found[i]))
            status = casehook__params_read_fields(params, member_names[i], reader->json, found[i].text,
                                                  i == EXTERNAL_FIELDS, reader->error);
    if (!status) status = read_texts(reader, &found[TAGS], "tags", &params->tags);
    if (!status) status = read_texts(reader, &found[LABELS], "labels", &params->labels);
    return status ? status : json_comments(reader, &found[COMMENTS]);
}

/* What stands beside the case, whichever way that is written. */
static int read_beside(struct params_reader *reader, const struct casehook__js_value *key,
                       const struct casehook__js_value *resume)
{
    int status = json_text(reader, key, member_place("idempotencyKey"), &reader->params->idempotency_key);
    if (status || !is_member_given(resume)) return status;
    if (resume->kind != CASEHOOK__JS_OBJECT)
        return fail_param_kind(reader, resume, member_place("resume"),
                               "an object, the JSON of an earlier result");
    reader->params->resume = resume->text;
    return CASEHOOK_OK;
}

/* Flat members or an incident with comments beside it. */
static int read_top(struct params_reader *reader, struct casehook__text object)
{
    struct casehook__js_value found[MEMBERS], incident;
    int status = collect(reader, object, member_place(NULL), member_names, MEMBERS, found);
    if (status) return status;
    status = read_beside(reader, &found[IDEMPOTENCY_KEY], &found[RESUME]);
    if (status) return status;
    incident = found[INCIDENT];
    if (!is_member_given(&incident)) return read_members(reader, found);
    if (incident.kind != CASEHOOK__JS_OBJECT)
        return fail_param_kind(reader, &incident, member_place("incident"), "an object");
    for (int i = 0; i < INCIDENT_MEMBERS; i++)
        if (is_member_given(&found[i]))
            return fail_at(reader, found[i].text.data, member_place(member_names[i]),
                           "stands beside incident: put it inside");
    status = collect(reader, incident.text, member_place(NULL), member_names, INCIDENT_MEMBERS, found);
    return status ? status : read_members(reader, found);
}

static int read_text_of_call(struct params_reader *reader)
{
    size_t offset = 0;
    if (reader->json.length > CASEHOOK__PARAMS_MAX_BYTES)
        return casehook__fail(reader->error, CASEHOOK_E_PARAMS, "the params are larger than %d bytes",
                              CASEHOOK__PARAMS_MAX_BYTES);
    enum casehook__js_fault fault = casehook__jsscan(reader->json, NULL, 0, NULL, &offset);
    if (fault)
        return casehook__fail_at(reader->error, CASEHOOK_E_PARAMS, offset, "the text of the params %s",
                                 casehook__js_fault_name(fault));
    struct casehook__js_value top = casehook__js_top(reader->json);
    if (top.kind != CASEHOOK__JS_OBJECT)
        return casehook__fail(reader->error, CASEHOOK_E_PARAMS, "the params must be an object, not %s",
                              casehook__js_kind_name(top.kind));
    if (casehook__params_reserve(reader->params, 0, 0, 0, casehook__params_store_need(reader->json)))
        return casehook__fail_memory(reader->error);
    return read_top(reader, top.text);
}

/* A get is about the case in the tracker: nothing else matters, whatever it says (their memory stays). */
static void forget_case(struct casehook__parsed_params *params)
{
    static const struct casehook__text none;
    params->title = params->description = params->id = params->severity = params->status = none;
    params->idempotency_key = none;
    if (params->external_id.data) params->resume = none; /* else it is what has the id (D5) */
    params->tags.kind = params->labels.kind = CASEHOOK__VALUE_ABSENT;
    params->fields.count = params->comment_count = 0;
}

int casehook__params_from_json(struct casehook__parsed_params *params, int operation,
                               struct casehook__text json, struct casehook_error *error)
{
    struct params_reader reader = {params, json, error, NULL};
    casehook__params_clear(params);
    int status = json.data ? read_text_of_call(&reader)
                           : casehook__fail(error, CASEHOOK_E_ARGUMENT, "the text of the params is NULL");
    if (!status && operation == CASEHOOK_GET) forget_case(params);
    if (!status) status = casehook__params_finish(params, operation, "externalId", error);
    if (status) casehook__error_set_step(error, CASEHOOK_STEP_PARAMS);
    return status;
}
