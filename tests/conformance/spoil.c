/* spoil.c - one wrong expectation per vector, another kind from vector to vector. */
#include "spoil.h"
#include "memory.h"
#include "vectors.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* 1 when the vector had such an expectation and it is wrong now. */
typedef int (*spoil_fn)(json_t *vector);

static int change_text(json_t *object, const char *name, const char *suffix)
{
    const char *text = json_string_value(json_object_get(object, name));
    if (!text) return 0;
    char *changed = must_format("%s%s", text, suffix);
    json_object_set_new(object, name, json_string(changed));
    free(changed);
    return 1;
}

static json_t *result_of(json_t *vector)
{
    return json_object_get(vector, "result");
}

static int is_ok(json_t *vector)
{
    return json_is_true(json_object_get(result_of(vector), "ok"));
}

static json_t *exchange_of(json_t *vector)
{
    json_t *exchange = json_object_get(vector, "exchange");
    return exchange ? exchange : json_object_get(vector, "seen");
}

static json_t *last_request(json_t *vector)
{
    json_t *exchange = exchange_of(vector);
    json_t *last = json_array_get(exchange, json_array_size(exchange) - 1);
    json_t *request = json_object_get(last, "request");
    return request ? request : last;
}

static int flip_ok(json_t *vector)
{
    json_t *result = result_of(vector);
    int ok = is_ok(vector);
    json_object_set_new(result, "ok", json_boolean(!ok));
    if (ok)
        json_object_set_new(result, "step", json_string("view_url"));
    else
        json_object_del(result, "step");
    return 1;
}

static int other_step(json_t *vector)
{
    const char *step = json_string_value(json_object_get(result_of(vector), "step"));
    if (is_ok(vector) || !step) return 0;
    json_object_set_new(result_of(vector), "step",
                        json_string(strcmp(step, "params") == 0 ? "comment" : "params"));
    return 1;
}

/* Of a failure it is the id of a case that the call created. */
static int other_id(json_t *vector)
{
    return change_text(result_of(vector), "id", "-spoiled");
}

static int other_title(json_t *vector)
{
    return is_ok(vector) && change_text(result_of(vector), "title", " ");
}

static int other_url(json_t *vector)
{
    return is_ok(vector) && change_text(result_of(vector), "url", "/");
}

static int other_path(json_t *vector)
{
    return change_text(last_request(vector), "path", "?spoiled") ||
           change_text(last_request(vector), "target", "?spoiled");
}

static int other_method(json_t *vector)
{
    json_t *request = last_request(vector);
    const char *method = json_string_value(json_object_get(request, "method"));
    if (!method) return 0;
    json_object_set_new(request, "method", json_string(strcmp(method, "GET") == 0 ? "POST" : "GET"));
    return 1;
}

static int other_body(json_t *vector)
{
    json_t *exchange = json_object_get(vector, "exchange");
    for (size_t i = 0; i < json_array_size(exchange); i++) {
        if (change_text(json_object_get(json_array_get(exchange, i), "request"), "body", " ")) return 1;
    }
    return 0;
}

static int other_header(json_t *vector)
{
    const char *name;
    json_t *value, *headers = json_object_get(last_request(vector), "headers");
    json_object_foreach(headers, name, value) return change_text(headers, name, "-spoiled");
    return 0;
}

static int unlisted_header(json_t *vector)
{
    const char *name;
    json_t *value, *exchange = json_object_get(vector, "exchange");
    json_t *headers = json_object_get(json_object_get(json_array_get(exchange, 0), "request"), "headers");
    json_object_foreach(headers, name, value) {
        if (strcmp(name, "accept") == 0 || strcmp(name, "user-agent") == 0) continue;
        json_object_del(headers, name);
        return 1;
    }
    return 0;
}

/* Accept is on every request to a server. */
static int absent_header(json_t *vector)
{
    json_t *request = json_object_get(vector, "exchange") ? last_request(vector) : NULL;
    if (!request || json_object_get(json_object_get(request, "headers"), "accept")) return 0;
    json_object_set_new(request, "absent_headers", json_pack("[s]", "accept"));
    return 1;
}

static int request_too_few(json_t *vector)
{
    json_t *exchange = exchange_of(vector);
    if (!json_array_size(exchange)) return 0;
    json_array_append(exchange, json_array_get(exchange, 0));
    return 1;
}

static int other_server(json_t *vector)
{
    json_t *request = json_object_get(vector, "exchange") ? last_request(vector) : NULL;
    if (!request) return 0;
    const char *server = json_string_value(json_object_get(request, "server"));
    json_object_set_new(request, "server",
                        json_string(server && strcmp(server, "ALT") == 0 ? "BASE" : "ALT"));
    return 1;
}

static int other_comment_state(json_t *vector)
{
    json_t *comments = json_object_get(result_of(vector), "comments");
    json_t *last = json_array_get(comments, json_array_size(comments) - 1);
    const char *state = json_string_value(json_object_get(last, "state"));
    if (!state) return 0;
    json_object_set_new(last, "state", json_string(strcmp(state, "skipped") == 0 ? "sent" : "skipped"));
    return 1;
}

static int other_comment_id(json_t *vector)
{
    return change_text(json_array_get(json_object_get(result_of(vector), "comments"), 0), "commentId", "x");
}

static int other_fields(json_t *vector)
{
    json_t *fields = json_object_get(result_of(vector), "fields");
    return fields && json_object_set_new(fields, "spoiled", json_string("x")) == 0;
}

static int other_seen(json_t *vector)
{
    json_t *seen = json_object_get(result_of(vector), "requests_seen");
    if (!seen) return 0;
    if (json_array_size(seen))
        json_array_clear(seen);
    else
        json_array_append_new(seen, json_string("first"));
    return 1;
}

static const spoil_fn spoils[] = {
    flip_ok,         other_path, other_id,      other_body,   other_header,        other_title,
    request_too_few, other_url,  other_method,  other_server, other_comment_state, other_comment_id,
    other_fields,    other_seen, absent_header, other_step,   unlisted_header,
};

/* Starts at another kind each time and takes the first that the vector has. */
static void spoil(json_t *vector, size_t index)
{
    size_t count = sizeof spoils / sizeof *spoils;
    for (size_t i = 0; i < count; i++) {
        if (spoils[(index + i) % count](vector)) return;
    }
}

static int write_file(const struct vector_file *file, const char *folder)
{
    char *path = must_format("%s/%s.json", folder, file->name);
    for (size_t i = 0; i < json_array_size(file->cases); i++) spoil(json_array_get(file->cases, i), i);
    int failed = json_dump_file(file->root, path, JSON_INDENT(1));
    if (failed) fprintf(stderr, "%s cannot be written\n", path);
    free(path);
    return failed;
}

int spoil_folder(const char *from, const char *to)
{
    struct vector_set set = {0};
    int failed = vector_set_add(&set, from);
    if (!failed && mkdir(to, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "%s: %s\n", to, strerror(errno));
        failed = -1;
    }
    for (size_t i = 0; !failed && i < set.count; i++) failed = write_file(&set.files[i], to);
    vector_set_clear(&set);
    return failed;
}
