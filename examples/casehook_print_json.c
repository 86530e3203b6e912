/* casehook_print_json.c - results for programs. */
#include "casehook_print_json.h"
#include "casehook_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "" is null, as in the objects of the library. */
static void put_member(FILE *json, const char *name, const char *text)
{
    fprintf(json, "\"%s\":", name);
    if (text && *text)
        write_json_string(json, text, strlen(text));
    else
        fputs("null", json);
    putc(',', json);
}

static void put_error(FILE *json, int status, const char *message, const char *step, const char *field,
                      int64_t offset)
{
    putc('{', json);
    put_member(json, "code", casehook_status_name(status));
    put_member(json, "message", message);
    put_member(json, "step", step);
    put_member(json, "field", field);
    if (offset >= 0)
        fprintf(json, "\"offset\":%" PRId64, offset);
    else
        fputs("\"offset\":null", json);
}

static void put_library_error(FILE *json, const struct casehook_error *error)
{
    put_error(json, casehook_error_status(error), casehook_error_message(error), casehook_error_step(error),
              casehook_error_field(error), casehook_error_offset(error));
}

static const char *trouble_step(const struct trouble *trouble)
{
    return trouble->status == CASEHOOK_E_PARAMS ? "params" : "config";
}

static void put_trouble(FILE *json, const struct trouble *trouble)
{
    put_error(json, trouble->status, trouble->message, trouble_step(trouble), trouble->field, -1);
}

/* What a result says when nothing was begun. */
static void put_head(FILE *json, const char *step)
{
    fputs("{\"ok\":false,", json);
    put_member(json, "step", step);
    fputs("\"id\":null,\"title\":null,\"url\":null,\"pushedDate\":null,\"fields\":null,\"comments\":[],"
          "\"exchanges\":[],\"error\":",
          json);
}

static void put_tail(FILE *json)
{
    fputs(",\"httpStatus\":null,\"outcome\":null,\"retryable\":false,\"retryAfterMs\":null}}", json);
}

/* Writes one line of JSON in one piece. */
static FILE *begin(char **text, size_t *length)
{
    *text = NULL;
    *length = 0;
    FILE *json = open_memstream(text, length);
    if (!json) fputs("casehook: out of memory\n", stderr);
    return json;
}

static void finish(FILE *json, char **text, const size_t *length)
{
    putc('\n', json);
    if (!fclose(json)) write_json(stdout, *text, *length);
    free(*text);
}

void print_check_json(const struct casehook_error *faults)
{
    char *text;
    size_t length;
    FILE *json = begin(&text, &length);
    if (!json) return;
    fprintf(json, "{\"ok\":%s,\"errors\":[", faults ? "false" : "true");
    for (const struct casehook_error *fault = faults; fault; fault = casehook_error_next(fault)) {
        if (fault != faults) putc(',', json);
        put_library_error(json, fault);
        putc('}', json);
    }
    fputs("]}", json);
    finish(json, &text, &length);
}

void print_result_json(struct casehook_result *result)
{
    size_t length;
    const char *json = casehook_result_json(result, &length);
    if (!json) {
        fputs("casehook: out of memory\n", stderr);
        return;
    }
    write_json(stdout, json, length);
    putchar('\n');
}

void print_error_json(const struct casehook_error *error)
{
    char *text;
    size_t length;
    FILE *json = begin(&text, &length);
    if (!json) return;
    put_head(json, casehook_error_step(error));
    put_library_error(json, error);
    put_tail(json);
    finish(json, &text, &length);
}

void print_trouble_json(const struct trouble *trouble, bool check)
{
    char *text;
    size_t length;
    FILE *json = begin(&text, &length);
    if (!json) return;
    if (check)
        fputs("{\"ok\":false,\"errors\":[", json);
    else
        put_head(json, trouble_step(trouble));
    put_trouble(json, trouble);
    if (check)
        fputs("}]}", json);
    else
        put_tail(json);
    finish(json, &text, &length);
}
