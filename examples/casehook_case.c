/* casehook_case.c - the params of an operation as JSON, from options or from a file. */
#include "casehook_input.h"
#include "casehook_member.h"
#include "casehook_text.h"

#include <casehook.h>
#include <jansson.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void write_string(FILE *json, const char *text)
{
    write_json_string(json, text, strlen(text));
}

static void write_member(FILE *json, const char *name, const char *text)
{
    if (!text) return;
    fprintf(json, ",\"%s\":", name);
    write_string(json, text);
}

static bool is_json(const char *text)
{
    /* jansson bounds numbers, the library does not; these characters cannot leave their place. */
    if (strspn(text, "+-.0123456789Ee") == strlen(text)) return *text;
    json_t *value = json_loads(text, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, NULL);
    json_decref(value);
    return value != NULL;
}

/* NAME=TEXT, or NAME:=JSON, which goes on as it is written: numbers keep their digits. */
static int write_field(FILE *json, const char *field, struct trouble *trouble)
{
    const char *value = strchr(field, '=');
    bool raw = value && value > field && value[-1] == ':';
    size_t length = value ? (size_t)(value - field) - raw : 0;
    if (length == 0)
        return trouble_set(trouble, CASEHOOK_E_PARAMS, "fields", "--field wants NAME=TEXT or NAME:=JSON");
    if (raw && !is_json(value + 1))
        return trouble_set(trouble, CASEHOOK_E_PARAMS, "fields",
                           "what follows := in --field %.*s is not JSON", (int)(length < 200 ? length : 200),
                           field);
    write_json_string(json, field, length);
    putc(':', json);
    if (raw)
        fputs(value + 1, json);
    else
        write_string(json, value + 1);
    return 0;
}

static int write_fields(FILE *json, const struct list *fields, struct trouble *trouble)
{
    if (fields->count) fputs(",\"fields\":{", json);
    for (size_t i = 0; i < fields->count; i++) {
        if (i) putc(',', json);
        if (write_field(json, fields->items[i], trouble)) return trouble->status;
    }
    if (fields->count) putc('}', json);
    return 0;
}

static void write_tags(FILE *json, const struct list *tags)
{
    if (tags->count) fputs(",\"tags\":[", json);
    for (size_t i = 0; i < tags->count; i++) {
        if (i) putc(',', json);
        write_string(json, tags->items[i]);
    }
    if (tags->count) putc(']', json);
}

/* Begins the object, so that the members after it can begin with a comma. */
static void write_comments(FILE *json, const struct list *comments)
{
    fputs("{\"comments\":[", json);
    for (size_t i = 0; i < comments->count; i++) {
        fprintf(json, "%s{\"commentId\":\"%zu\",\"comment\":", i ? "," : "", i + 1);
        write_string(json, comments->items[i]);
        putc('}', json);
    }
    putc(']', json);
}

static int from_options(FILE *json, const struct arguments *arguments, struct trouble *trouble)
{
    write_comments(json, &arguments->comments);
    write_member(json, "title", arguments->title);
    write_member(json, "description", arguments->description);
    write_member(json, "id", arguments->id);
    write_member(json, "severity", arguments->severity);
    write_member(json, "status", arguments->status);
    write_member(json, "externalId", arguments->external_id);
    write_tags(json, &arguments->tags);
    int status = write_fields(json, &arguments->fields, trouble);
    putc('}', json);
    return status;
}

/* ---- a case from a file ---------------------------------------------------------------------- */

static size_t skip_space(const struct document *json, size_t at)
{
    while (at < json->length && memchr(" \t\r\n", json->text[at], 4)) at++;
    return at;
}

/* Where the string that begins at at ends; behind its quote. */
static size_t skip_string(const struct document *json, size_t at)
{
    for (at++; at < json->length && json->text[at] != '"'; at++)
        if (json->text[at] == '\\') at++;
    return at < json->length ? at + 1 : json->length;
}

/*
 * Behind the brace that opens the object with the case: that of "incident", else the whole text's.
 * 0 when there is none.  Not a parser: the library judges the result.
 */
static size_t find_case(const struct document *json)
{
    static const char incident[] = "\"incident\"";
    bool bom = json->length >= 3 && memcmp(json->text, "\xEF\xBB\xBF", 3) == 0;
    size_t whole = skip_space(json, bom ? 3 : 0), depth = 0;
    if (whole >= json->length || json->text[whole] != '{') return 0;
    for (size_t at = whole; at < json->length;) {
        char c = json->text[at];
        size_t begin = at;
        if (c == '{' || c == '[') depth++;
        if ((c == '}' || c == ']') && depth > 0) depth--;
        at = c == '"' ? skip_string(json, at) : at + 1;
        if (depth != 1 || at - begin != sizeof incident - 1 ||
            memcmp(json->text + begin, incident, at - begin) != 0)
            continue;
        size_t colon = skip_space(json, at);
        if (colon >= json->length || json->text[colon] != ':') continue;
        size_t brace = skip_space(json, colon + 1);
        return brace < json->length && json->text[brace] == '{' ? brace + 1 : whole + 1;
    }
    return whole + 1;
}

/* The text as it is, so that numbers keep their digits, with the id of the command line put in. */
static void from_file(FILE *json, const struct arguments *arguments, const struct document *file)
{
    size_t at = arguments->external_id ? find_case(file) : 0;
    fwrite(file->text, 1, at, json);
    if (at) {
        size_t next = skip_space(file, at);
        fputs("\"externalId\":", json);
        write_string(json, arguments->external_id);
        if (next < file->length && file->text[next] != '}') putc(',', json);
    }
    fwrite(file->text + at, 1, file->length - at, json);
}

/* ---- how it goes on from an earlier result ----------------------------------------------------- */

/* The result of --resume: an object, so that it cannot end the params that it is put into. */
static int read_resume(const char *path, struct document *result, struct trouble *trouble)
{
    int status = input_file(path, "resume", CASEHOOK_E_PARAMS, result, trouble);
    if (status) return status;
    /* Not read: it may hold numbers of the tracker that the library goes on from, and jansson cannot. */
    if (!member_is_object((struct piece){result->text, result->length}))
        status = trouble_set(trouble, CASEHOOK_E_PARAMS, "resume",
                             "the file \"%s\" is not the JSON object of an earlier result (--json)", path);
    return status;
}

/* Puts --resume and --idempotency-key into the params. */
static int add_earlier(const struct arguments *arguments, struct document *document, struct trouble *trouble)
{
    struct document params = *document, result = {NULL, 0}, key = {NULL, 0};
    char *resume = NULL;
    FILE *out = NULL;
    int status = 0;
    *document = (struct document){NULL, 0};
    if (arguments->resume) status = read_resume(arguments->resume, &result, trouble);
    if (status) goto out;
    if (arguments->resume && !(resume = strndup(result.text, result.length))) goto out;
    if (arguments->idempotency_key) {
        out = open_memstream(&key.text, &key.length);
        if (!out) goto out;
        write_string(out, arguments->idempotency_key);
        if (ferror(out) | fclose(out)) out = NULL;
        if (!out) goto out;
    }
    out = open_memstream(&document->text, &document->length);
    if (!out) goto out;
    member_put(out, (struct piece){params.text, params.length}, resume, key.text);
    if (ferror(out) | fclose(out)) out = NULL;
out:
    if (!out && !status) status = trouble_set(trouble, CASEHOOK_E_NO_MEMORY, "", "out of memory");
    free(resume);
    document_free(&key);
    document_free(&result);
    document_free(&params);
    return status;
}

int input_case(const struct arguments *arguments, struct document *document, struct trouble *trouble)
{
    struct document file = {NULL, 0};
    int status = 0;
    FILE *json = NULL;
    if (arguments->case_file)
        status = input_file(arguments->case_file, "case", CASEHOOK_E_PARAMS, &file, trouble);
    if (status) goto out;
    json = open_memstream(&document->text, &document->length);
    if (!json) goto out;
    if (arguments->case_file)
        from_file(json, arguments, &file);
    else
        status = from_options(json, arguments, trouble);
out:
    if (json && (ferror(json) | fclose(json))) json = NULL;
    if (!json && !status) status = trouble_set(trouble, CASEHOOK_E_NO_MEMORY, "", "out of memory");
    document_free(&file);
    if (!status && (arguments->resume || arguments->idempotency_key))
        status = add_earlier(arguments, document, trouble);
    return status;
}
