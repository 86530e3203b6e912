/* casehook_print.c - results for people. */
#include "casehook_print.h"
#include "casehook_print_json.h"
#include "casehook_text.h"

#include <jansson.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void put(FILE *out, const char *text)
{
    print_clean(out, text, strlen(text));
}

/* "name      text", or nothing when there is no text. */
static void put_line(FILE *out, const char *name, const char *text, size_t length)
{
    if (!text) return;
    fprintf(out, "%-9s ", name);
    print_clean(out, text, length);
    putc('\n', out);
}

static const char *member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

/* ---- faults ---------------------------------------------------------------------------------- */

static void put_place(FILE *out, const char *field, int64_t offset)
{
    put(out, field);
    if (offset >= 0) fprintf(out, "%sbyte %" PRId64, *field ? ", " : "", offset);
}

static void put_fault(FILE *out, const struct casehook_error *fault)
{
    const char *field = casehook_error_field(fault);
    int64_t offset = casehook_error_offset(fault);
    if (*field || offset >= 0) {
        put_place(out, field, offset);
        fputs("\n    ", out);
    }
    put(out, casehook_error_message(fault));
    putc('\n', out);
}

static void put_faults(FILE *out, const struct casehook_error *faults)
{
    size_t number = 0;
    for (; faults; faults = casehook_error_next(faults)) {
        fprintf(out, "%2zu. ", ++number);
        put_fault(out, faults);
    }
}

void print_check(const struct arguments *arguments, const char *file, const struct casehook_error *faults)
{
    if (arguments->json) {
        print_check_json(faults);
        return;
    }
    put(stdout, file);
    fputs(faults ? ":\n" : ": no faults\n", stdout);
    put_faults(stdout, faults);
}

void print_faults(const struct arguments *arguments, const char *file, const struct casehook_error *faults)
{
    if (arguments->json) {
        print_error_json(faults);
        return;
    }
    fputs("casehook: nothing was sent; ", stderr);
    put(stderr, file);
    fputs(":\n", stderr);
    put_faults(stderr, faults);
}

void print_trouble(const struct arguments *arguments, const struct trouble *trouble)
{
    if (arguments->json) {
        print_trouble_json(trouble, arguments->command == COMMAND_CHECK);
        return;
    }
    fputs("casehook: ", stderr);
    put(stderr, trouble->message);
    putc('\n', stderr);
}

/* ---- results --------------------------------------------------------------------------------- */

/* Exchanges as the library describes them; NULL when memory ran out. */
static json_t *load_exchange(struct casehook_result *result, size_t index)
{
    size_t length;
    const char *json = casehook_result_exchange_json(result, index, &length);
    return json ? json_loadb(json, length, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL) : NULL;
}

static void put_exchanges(struct casehook_result *result)
{
    for (size_t i = 0; i < casehook_result_exchange_count(result); i++) {
        json_t *exchange = load_exchange(result, i);
        double status = json_number_value(json_object_get(exchange, "status"));
        const char *outcome = member(exchange, "outcome");
        printf("%-9s ", member(exchange, "step"));
        printf("%-5s ", member(exchange, "method"));
        if (status > 0)
            printf("%3.0f ", status);
        else
            fputs("  - ", stdout);
        printf("%-8s ", strcmp(outcome, "not_sent") ? outcome : "not sent");
        put(stdout, member(exchange, "url"));
        putchar('\n');
        json_decref(exchange);
    }
}

static void put_fields(struct casehook_result *result)
{
    size_t length;
    const char *json = casehook_result_json(result, &length), *name;
    /* Only the names are taken from here: other readers do not keep long numbers. */
    json_t *all = json ? json_loadb(json, length, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL) : NULL;
    json_t *value;
    json_object_foreach(json_object_get(all, "fields"), name, value) {
        const char *text = casehook_result_field(result, name, &length);
        fputs("field     ", stdout);
        put(stdout, name);
        fputs(" = ", stdout);
        if (text) print_clean(stdout, text, length);
        putchar('\n');
    }
    json_decref(all);
}

static void put_comments(const struct casehook_result *result)
{
    static const char *const states[] = {[CASEHOOK_COMMENT_NOT_ATTEMPTED] = "not attempted",
                                         [CASEHOOK_COMMENT_SENT] = "sent",
                                         [CASEHOOK_COMMENT_FAILED] = "failed",
                                         [CASEHOOK_COMMENT_SKIPPED] = "skipped"};
    for (size_t i = 0; i < casehook_result_comment_count(result); i++) {
        size_t length;
        const char *id = casehook_result_comment_id(result, i, &length);
        int state = casehook_result_comment_state(result, i);
        fputs("comment   ", stdout);
        if (id) print_clean(stdout, id, length);
        printf(" %s\n", state >= 0 && state <= CASEHOOK_COMMENT_SKIPPED ? states[state] : "?");
    }
}

static void put_case(struct casehook_result *result)
{
    size_t length = 0;
    const char *text = casehook_result_id(result, &length);
    put_line(stdout, "id", text, length);
    text = casehook_result_title(result, &length);
    put_line(stdout, "title", text, length);
    put_fields(result);
    put_comments(result);
    text = casehook_result_pushed_date(result);
    put_line(stdout, "pushed", text, text ? strlen(text) : 0);
    text = casehook_result_url(result, &length);
    put_line(stdout, "url", text, length);
}

/* ---- failures -------------------------------------------------------------------------------- */

/* What to do now, beyond what the message says. */
static void put_advice(const struct arguments *arguments, const struct casehook_error *error, int code)
{
    int64_t wait = casehook_error_retry_after_ms(error);
    if (code == EXIT_PARTIAL && arguments->external_id)
        fputs("  The case was changed; only what came after that failed.\n", stderr);
    else if (code == EXIT_PARTIAL)
        fputs("  The case exists. Do not create it again: go on with push --external-id and the id above,\n"
              "  without the comments that were sent.\n",
              stderr);
    else if (code == EXIT_UNKNOWN)
        fputs(
            "  It was sent and nobody knows whether it was done. Look in the tracker before you try again.\n",
            stderr);
    else if (casehook_error_retryable(error))
        fputs("  The same command may succeed later.\n", stderr);
    if (code == EXIT_PARTIAL && !strcmp(casehook_error_step(error), "comment") &&
        casehook_error_outcome(error) == CASEHOOK_OUTCOME_UNKNOWN)
        fputs("  The comment that failed may be there all the same: look first.\n", stderr);
    if (wait >= 0) fprintf(stderr, "  The server asks to wait %" PRId64 " ms.\n", wait);
}

static void put_failure(const struct arguments *arguments, const struct casehook_error *error, int code)
{
    const char *step = casehook_error_step(error), *field = casehook_error_field(error);
    int64_t offset = casehook_error_offset(error);
    fflush(stdout);
    fprintf(stderr, "casehook: %s: ", *step ? step : casehook_status_name(casehook_error_status(error)));
    put_place(stderr, field, offset);
    if (*field || offset >= 0) fputs(": ", stderr);
    put(stderr, casehook_error_message(error));
    putc('\n', stderr);
    put_advice(arguments, error, code);
}

/* ---- preview --------------------------------------------------------------------------------- */

/* The body may have lines of its own, from the template. */
static void put_body(const char *text, size_t length)
{
    while (length) {
        const char *end = memchr(text, '\n', length);
        size_t line = end ? (size_t)(end - text) : length;
        fputs("   ", stdout);
        print_clean(stdout, text, line);
        putchar('\n');
        if (end) line++;
        text += line;
        length -= line;
    }
}

static void put_request(struct casehook_result *result, size_t index)
{
    json_t *exchange = load_exchange(result, index), *value;
    const json_t *body = json_object_get(exchange, "body");
    const char *name;
    printf("%s%zu. %s\n   %s ", index ? "\n" : "", index + 1, member(exchange, "step"),
           member(exchange, "method"));
    put(stdout, member(exchange, "url"));
    putchar('\n');
    json_object_foreach(json_object_get(exchange, "headers"), name, value) {
        fputs("   ", stdout);
        put(stdout, name);
        fputs(": ", stdout);
        if (json_is_string(value)) put(stdout, json_string_value(value));
        putchar('\n');
    }
    if (json_is_string(body)) {
        putchar('\n');
        put_body(json_string_value(body), json_string_length(body));
    }
    json_decref(exchange);
}

static void put_preview(struct casehook_result *result)
{
    for (size_t i = 0; i < casehook_result_exchange_count(result); i++) put_request(result, i);
    if (!casehook_result_error(result)) fputs("\nNothing was sent.\n", stdout);
}

void print_result(const struct arguments *arguments, struct casehook_result *result, int code)
{
    if (arguments->json) {
        print_result_json(result);
        return;
    }
    if (arguments->command == COMMAND_PREVIEW) {
        put_preview(result);
    } else {
        put_exchanges(result);
        put_case(result);
    }
    if (casehook_result_error(result)) put_failure(arguments, casehook_result_error(result), code);
}
