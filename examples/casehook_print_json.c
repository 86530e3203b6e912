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

/* A code in words and as a number, as the library has it. */
static void put_code(FILE *json, const char *name, const char *word, int code)
{
    put_member(json, name, word);
    fprintf(json, "\"%sNumber\":%d,", name, code);
}

static void put_error(FILE *json, int status, const char *message, int step, const char *field,
                      int64_t offset, int retryable)
{
    putc('{', json);
    put_code(json, "code", casehook_status_name(status), status);
    put_member(json, "message", message);
    put_code(json, "step", casehook_step_name(step), step);
    put_member(json, "field", field);
    if (offset >= 0)
        fprintf(json, "\"offset\":%" PRId64, offset);
    else
        fputs("\"offset\":null", json);
    fprintf(json,
            ",\"httpStatus\":null,\"outcome\":null,\"outcomeNumber\":0,\"retryable\":%s,"
            "\"retryAfterMs\":null}",
            retryable ? "true" : "false");
}

static int trouble_step(const struct trouble *trouble)
{
    return trouble->status == CASEHOOK_E_PARAMS ? CASEHOOK_STEP_PARAMS : CASEHOOK_STEP_CONFIG;
}

static void put_trouble(FILE *json, const struct trouble *trouble)
{
    put_error(json, trouble->status, trouble->message, trouble_step(trouble), trouble->field, -1, 0);
}

/* What a result says when nothing was begun. */
static void put_head(FILE *json, int operation, int step)
{
    fputs("{\"ok\":false,", json);
    put_code(json, "operation", casehook_operation_name(operation), operation);
    fputs("\"user\":\"0\",", json);
    put_code(json, "step", casehook_step_name(step), step);
    put_code(json, "outcome", casehook_outcome_name(CASEHOOK_OUTCOME_NONE), CASEHOOK_OUTCOME_NONE);
    fputs("\"id\":null,\"found\":false,\"title\":null,\"url\":null,\"pushedDate\":null,\"idempotencyKey\":"
          "null,\"fields\":null,\"comments\":[],"
          "\"requests\":[],\"error\":",
          json);
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

void print_check_json(const struct casehook_error *faults, const struct casehook_error *warnings)
{
    size_t length, warnings_length;
    const char *errors = casehook_error_json(faults, &length),
               *more = casehook_error_json(warnings, &warnings_length);
    if (!errors || !more) {
        fputs("casehook: out of memory\n", stderr);
        return;
    }
    printf("{\"ok\":%s,\"errors\":", faults ? "false" : "true");
    write_json(stdout, errors, length);
    fputs(",\"warnings\":", stdout);
    write_json(stdout, more, warnings_length);
    puts("}");
}

bool print_result_json(const struct casehook_result *result)
{
    size_t length;
    const char *json = casehook_result_json(result, &length);
    if (!json) {
        fputs("casehook: out of memory\n", stderr);
        return false;
    }
    write_json(stdout, json, length);
    putchar('\n');
    return true;
}

void print_error_json(const struct casehook_error *error, int operation)
{
    char *text;
    size_t length;
    FILE *json = begin(&text, &length);
    if (!json) return;
    put_head(json, operation, casehook_error_step(error));
    put_error(json, casehook_error_status(error), casehook_error_message(error), casehook_error_step(error),
              casehook_error_field(error), casehook_error_offset(error), casehook_error_retryable(error));
    putc('}', json);
    finish(json, &text, &length);
}

void print_trouble_json(const struct trouble *trouble, int operation, bool check)
{
    char *text;
    size_t length;
    FILE *json = begin(&text, &length);
    if (!json) return;
    if (check)
        fputs("{\"ok\":false,\"errors\":[", json);
    else
        put_head(json, operation, trouble_step(trouble));
    put_trouble(json, trouble);
    fputs(check ? "],\"warnings\":[]}" : "}", json);
    finish(json, &text, &length);
}
