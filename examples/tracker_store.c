/* tracker_store.c - what a case may hold, and the cases that exist. */
#include "tracker_store.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* A member that a request may have. */
struct member {
    const char *name;
    json_type type;
    size_t max; /* bytes of a text, members of a list or object */
    bool required;
};

static const struct member case_members[] = {
    {"title", JSON_STRING, 1024, true},     {"description", JSON_STRING, STORE_MAX_BODY, false},
    {"severity", JSON_STRING, 64, false},   {"status", JSON_STRING, 64, false},
    {"reference", JSON_STRING, 512, false}, {"tags", JSON_ARRAY, 100, false},
    {"fields", JSON_OBJECT, 100, false},
};
static const struct member comment_members[] = {{"text", JSON_STRING, STORE_MAX_BODY, true}};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The text may quote a piece of the request, cut anywhere: it is kept to ASCII. */
static enum store_status refuse(struct store *store, enum store_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(store->why, sizeof store->why, format, arguments);
    va_end(arguments);
    for (char *c = store->why; *c; c++)
        if (*c < 0x20 || *c > 0x7e) *c = '?';
    return status;
}

/* "2026-01-31T12:00:00Z" */
static json_t *now(void)
{
    char text[32];
    time_t seconds = time(NULL);
    struct tm parts;
    if (!gmtime_r(&seconds, &parts) || !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts))
        return NULL;
    return json_string(text);
}

static const struct member *find_member(const struct member *members, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(members[i].name, name)) return &members[i];
    return NULL;
}

static size_t size_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING: return json_string_length(value);
    case JSON_ARRAY: return json_array_size(value);
    case JSON_OBJECT: return json_object_size(value);
    default: return 0;
    }
}

static const char *type_name(json_type type)
{
    return type == JSON_STRING ? "text" : type == JSON_ARRAY ? "a list" : "an object";
}

static bool is_scalar(const json_t *value)
{
    return !json_is_array(value) && !json_is_object(value);
}

/* Text is bounded by its bytes; many small values in few bytes would not be. */
static enum store_status check_items(struct store *store, const struct member *member, const json_t *value)
{
    size_t index;
    json_t *item;
    const char *name;
    json_array_foreach(value, index, item) {
        if (!json_is_string(item))
            return refuse(store, STORE_INVALID, "\"%s\" must be a list of texts", member->name);
    }
    json_object_foreach((json_t *)value, name, item) {
        bool flat = !json_is_object(item) && json_array_size(item) <= member->max;
        for (index = 0; flat && index < json_array_size(item); index++)
            flat = is_scalar(json_array_get(item, index));
        if (!flat)
            return refuse(store, STORE_INVALID, "\"%s\" holds texts, numbers and short lists of them",
                          member->name);
    }
    return STORE_OK;
}

static enum store_status check_member(struct store *store, const struct member *member, const json_t *value)
{
    if (json_typeof(value) != member->type)
        return refuse(store, STORE_INVALID, "\"%s\" must be %s", member->name, type_name(member->type));
    if (size_of(value) > member->max)
        return refuse(store, STORE_INVALID, "\"%s\" is too long (at most %zu)", member->name, member->max);
    if (member->required && size_of(value) == 0)
        return refuse(store, STORE_INVALID, "\"%s\" must not be empty", member->name);
    return check_items(store, member, value);
}

/* Reads a request.  *input is then the caller's. */
static enum store_status parse(struct store *store, const char *body, size_t length,
                               const struct member *members, size_t count, json_t **input)
{
    json_error_t error;
    *input = json_loadb(body, length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!*input) return refuse(store, STORE_INVALID, "the body is not JSON: %s", error.text);
    if (!json_is_object(*input)) return refuse(store, STORE_INVALID, "the body must be a JSON object");
    const char *name;
    json_t *value;
    json_object_foreach(*input, name, value) {
        const struct member *member = find_member(members, count, name);
        if (!member) return refuse(store, STORE_INVALID, "\"%.64s\" is not known here", name);
        enum store_status status = check_member(store, member, value);
        if (status != STORE_OK) return status;
    }
    return STORE_OK;
}

static enum store_status require(struct store *store, const json_t *input, const struct member *members,
                                 size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (members[i].required && !json_object_get(input, members[i].name))
            return refuse(store, STORE_INVALID, "\"%s\" is missing", members[i].name);
    return STORE_OK;
}

static struct stored *place_of(struct store *store, size_t id)
{
    return &store->cases[id % STORE_MAX_CASES];
}

static void forget_first(struct store *store)
{
    struct stored *oldest = place_of(store, store->first++);
    json_decref(oldest->record);
    store->bytes -= oldest->bytes;
    *oldest = (struct stored){NULL, 0};
}

/* Makes room for a request about the case with this id, which itself stays. */
static enum store_status reserve(struct store *store, size_t id, size_t length)
{
    while (length > STORE_MAX_BYTES - store->bytes) {
        if (store_count(store) == 0 || store->first == id)
            return refuse(store, STORE_FULL, "this demo tracker keeps %d MiB in memory and is full",
                          STORE_MAX_BYTES / (1024 * 1024));
        forget_first(store);
    }
    return STORE_OK;
}

static void account(struct store *store, size_t id, size_t length)
{
    place_of(store, id)->bytes += length;
    store->bytes += length;
}

/* Copies what a request says.  An empty severity or status means: no opinion, keep what is there. */
static int apply(json_t *record, const json_t *input)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)input, name, value) {
        bool keep = size_of(value) == 0 && (!strcmp(name, "severity") || !strcmp(name, "status"));
        if (!keep && json_object_set(record, name, value)) return -1;
    }
    return json_object_set_new(record, "updated", now());
}

static json_t *new_record(size_t id)
{
    char key[32];
    snprintf(key, sizeof key, "CASE-%zu", id);
    return json_pack("{sI ss ss ss ss ss ss s[] s{} s[] so so}", "id", (json_int_t)id, "key", key, "title",
                     "", "description", "", "severity", "", "status", "open", "reference", "", "tags",
                     "fields", "comments", "created", now(), "updated", now());
}

size_t store_count(const struct store *store)
{
    return store->last ? store->last + 1 - store->first : 0;
}

void store_free(struct store *store)
{
    while (store_count(store) > 0) forget_first(store);
}

json_t *store_find(const struct store *store, size_t id)
{
    bool kept = store->last && id >= store->first && id <= store->last;
    return kept ? store->cases[id % STORE_MAX_CASES].record : NULL;
}

json_t *store_search(const struct store *store, const char *reference)
{
    json_t *found = json_array();
    for (size_t id = store->last; *reference && id && store_find(store, id); id--) {
        json_t *record = store_find(store, id), *own = json_object_get(record, "reference");
        bool same =
            json_string_length(own) == strlen(reference) && !strcmp(json_string_value(own), reference);
        if (same && json_array_append(found, record)) {
            json_decref(found);
            return NULL;
        }
    }
    return found;
}

enum store_status store_create(struct store *store, const char *body, size_t length, json_t **record)
{
    json_t *input = NULL, *fresh = NULL;
    size_t id = store->last + 1;
    *record = NULL;
    enum store_status status = parse(store, body, length, case_members, COUNT(case_members), &input);
    if (status == STORE_OK) status = require(store, input, case_members, COUNT(case_members));
    if (status == STORE_OK) status = reserve(store, id, length);
    if (status != STORE_OK) goto out;
    fresh = new_record(id);
    if (!fresh || apply(fresh, input)) {
        status = STORE_NO_MEMORY;
        goto out;
    }
    if (store_count(store) == STORE_MAX_CASES) forget_first(store);
    if (store_count(store) == 0) store->first = id;
    store->last = id;
    place_of(store, id)->record = *record = json_incref(fresh);
    account(store, id, length);
out:
    json_decref(fresh);
    json_decref(input);
    return status;
}

enum store_status store_update(struct store *store, size_t id, const char *body, size_t length,
                               json_t **record)
{
    json_t *input = NULL, *changed = NULL, *found = store_find(store, id);
    *record = NULL;
    if (!found) return STORE_NOT_FOUND;
    enum store_status status = parse(store, body, length, case_members, COUNT(case_members), &input);
    if (status == STORE_OK) status = reserve(store, id, length);
    if (status != STORE_OK) goto out;
    changed = json_copy(found); /* so that a failure half-way changes nothing */
    if (!changed || apply(changed, input)) {
        status = STORE_NO_MEMORY;
        goto out;
    }
    json_decref(found);
    place_of(store, id)->record = *record = json_incref(changed);
    account(store, id, length);
out:
    json_decref(changed);
    json_decref(input);
    return status;
}

enum store_status store_comment(struct store *store, size_t id, const char *body, size_t length,
                                json_t **record)
{
    json_t *input = NULL, *comment = NULL, *found = store_find(store, id), *comments;
    *record = NULL;
    if (!found) return STORE_NOT_FOUND;
    comments = json_object_get(found, "comments");
    enum store_status status = parse(store, body, length, comment_members, COUNT(comment_members), &input);
    if (status == STORE_OK) status = require(store, input, comment_members, COUNT(comment_members));
    if (status == STORE_OK) status = reserve(store, id, length);
    if (status != STORE_OK) goto out;
    if (json_array_size(comments) >= STORE_MAX_COMMENTS) {
        status = refuse(store, STORE_FULL, "a case here has at most %d comments", STORE_MAX_COMMENTS);
        goto out;
    }
    comment = json_pack("{sI sO so}", "id", (json_int_t)json_array_size(comments) + 1, "text",
                        json_object_get(input, "text"), "created", now());
    if (!comment || json_array_append(comments, comment)) {
        status = STORE_NO_MEMORY;
        goto out;
    }
    *record = comment;
    account(store, id, length);
out:
    json_decref(comment);
    json_decref(input);
    return status;
}
