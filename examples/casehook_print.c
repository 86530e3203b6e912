/* casehook_print.c - results for people. */
#include "casehook_print.h"
#include "casehook_print_json.h"
#include "casehook_text.h"

#include <jansson.h>

#include <errno.h>
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

/* ---- faults ---------------------------------------------------------------------------------- */

static bool has_number(const char *text, const char *number)
{
    size_t length = strlen(number);
    for (const char *at = text; (at = strstr(at, number)) != NULL; at += length)
        if (at[length] < '0' || at[length] > '9') return true;
    return false;
}

/* The message begins with the field; many name the byte too. */
static void put_message(FILE *out, const struct casehook_error *fault)
{
    int64_t offset = casehook_error_offset(fault);
    const char *message = casehook_error_message(fault);
    char place[40];
    snprintf(place, sizeof place, "byte %" PRId64, offset);
    put(out, message);
    if (offset >= 0 && !has_number(message, place)) fprintf(out, " (%s)", place);
    putc('\n', out);
}

static void put_faults(FILE *out, const struct casehook_error *faults)
{
    size_t number = 0;
    for (; faults; faults = casehook_error_next(faults)) {
        fprintf(out, "%2zu. ", ++number);
        put_message(out, faults);
    }
}

void print_check(const struct arguments *arguments, const char *file, const struct casehook_error *faults,
                 const struct casehook_error *warnings)
{
    if (arguments->json) {
        print_check_json(faults, warnings);
        return;
    }
    put(stdout, file);
    fputs(faults ? ":\n" : ": no faults\n", stdout);
    put_faults(stdout, faults);
    for (; warnings; warnings = casehook_error_next(warnings)) {
        fputs("warning: ", stdout);
        put_message(stdout, warnings);
    }
}

void print_faults(const struct arguments *arguments, const char *file, const struct casehook_error *faults)
{
    if (arguments->json) {
        print_error_json(faults, arguments->operation);
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
        print_trouble_json(trouble, arguments->operation, arguments->command == COMMAND_CHECK);
        return;
    }
    fputs("casehook: ", stderr);
    put(stderr, trouble->message);
    putc('\n', stderr);
}

/* ---- results --------------------------------------------------------------------------------- */

static void put_requests(const struct casehook_result *result)
{
    for (size_t i = 0; i < casehook_result_request_count(result); i++) {
        const char *url = casehook_result_request_url(result, i);
        int status = casehook_result_request_status(result, i),
            outcome = casehook_result_request_outcome(result, i);
        printf("%-9s %-5s ", casehook_step_name(casehook_result_request_step(result, i)),
               casehook_result_request_method(result, i));
        if (status)
            printf("%3d ", status);
        else
            fputs("  - ", stdout);
        printf("%-8s ", outcome == CASEHOOK_OUTCOME_NOT_SENT ? "not sent" : casehook_outcome_name(outcome));
        put(stdout, url ? url : "");
        putchar('\n');
    }
}

static void put_fields(const struct casehook_result *result)
{
    for (size_t i = 0; i < casehook_result_field_count(result); i++) {
        size_t length;
        const char *value = casehook_result_field_value(result, i, &length);
        fputs("field     ", stdout);
        put(stdout, casehook_result_field_name(result, i));
        fputs(" = ", stdout);
        print_clean(stdout, value, length);
        putchar('\n');
    }
}

static void put_comments(const struct casehook_result *result)
{
    for (size_t i = 0; i < casehook_result_comment_count(result); i++) {
        size_t length;
        const char *id = casehook_result_comment_id(result, i, &length);
        int state = casehook_result_comment_state(result, i);
        fputs("comment   ", stdout);
        if (id) print_clean(stdout, id, length);
        printf(" %s\n", state == CASEHOOK_COMMENT_NOT_ATTEMPTED ? "not attempted"
                                                                : casehook_comment_state_name(state));
    }
}

static void put_case(const struct casehook_result *result)
{
    size_t length = 0;
    const char *text = casehook_result_id(result, &length);
    put_line(stdout, "id", text, length);
    if (casehook_result_found(result)) puts("found     it was in the tracker already");
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
static void put_advice(const struct arguments *arguments, const struct casehook_result *result, int code)
{
    const struct casehook_error *error = casehook_result_error(result);
    size_t length;
    int64_t wait = casehook_error_retry_after_ms(error);
    int status = casehook_error_http_status(error); /* 200 is that of login pages, too */
    if (code == EXIT_PARTIAL && arguments->external_id)
        fputs("  The case was changed; only what came after that failed.\n", stderr);
    else if (code == EXIT_PARTIAL && !casehook_result_id(result, &length))
        fputs("  The case exists. Do not create it again: look for it in the tracker.\n", stderr);
    else if (code == EXIT_PARTIAL)
        fputs("  The case exists. Do not create it again: go on with push --external-id and the id above,\n"
              "  without the comments that were sent; --json gives a result that --resume goes on from.\n",
              stderr);
    else if (code == EXIT_UNKNOWN && status > 200 && status < 300)
        fprintf(
            stderr,
            "  The server accepted it (%d); only its answer could not be used. Look in the tracker before "
            "you\n  try again.\n",
            status);
    else if (code == EXIT_UNKNOWN)
        fputs(
            "  It was sent and nobody knows whether it was done. Look in the tracker before you try again.\n",
            stderr);
    else if (casehook_error_retryable(error))
        fputs("  The same command may succeed later.\n", stderr);
    if (code == EXIT_PARTIAL && casehook_error_step(error) == CASEHOOK_STEP_COMMENT &&
        casehook_error_outcome(error) == CASEHOOK_OUTCOME_UNKNOWN)
        fputs("  The comment that failed may be there all the same: look first.\n", stderr);
    if (wait >= 0) fprintf(stderr, "  The server asks to wait %" PRId64 " ms.\n", wait);
}

static void put_failure(const struct arguments *arguments, const struct casehook_result *result, int code)
{
    const struct casehook_error *error = casehook_result_error(result);
    int step = casehook_error_step(error);
    fprintf(stderr, "casehook: %s: ",
            step ? casehook_step_name(step) : casehook_status_name(casehook_error_status(error)));
    put_message(stderr, error);
    put_advice(arguments, result, code);
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

/* Headers and body, which only the JSON of a request has; NULL when memory ran out. */
static json_t *load_request(const struct casehook_result *result, size_t index)
{
    size_t length;
    const char *json = casehook_result_request_json(result, index, &length);
    return json ? json_loadb(json, length, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL) : NULL;
}

static void put_request(const struct casehook_result *result, size_t index)
{
    json_t *request = load_request(result, index), *value;
    const json_t *body = json_object_get(request, "body");
    const char *name, *url = casehook_result_request_url(result, index);
    printf("%s%zu. %s\n   %s ", index ? "\n" : "", index + 1,
           casehook_step_name(casehook_result_request_step(result, index)),
           casehook_result_request_method(result, index));
    put(stdout, url ? url : "");
    putchar('\n');
    json_object_foreach(json_object_get(request, "headers"), name, value) {
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
    json_decref(request);
}

static void put_preview(const struct casehook_result *result)
{
    for (size_t i = 0; i < casehook_result_request_count(result); i++) put_request(result, i);
    if (!casehook_result_error(result)) fputs("\nNothing was sent.\n", stdout);
}

/* ---- what cannot be written ------------------------------------------------------------------ */

bool print_flush(void)
{
    static bool told;
    errno = 0;
    if (!fflush(stdout) && !ferror(stdout)) return true;
    if (!told) fprintf(stderr, "casehook: standard output: %s\n", strerror(errno ? errno : EIO));
    told = true;
    return false;
}

void print_identity(const struct casehook_result *result)
{
    size_t length;
    const char *text = casehook_result_id(result, &length);
    fputs("id ", stderr);
    if (text) print_clean(stderr, text, length);
    text = casehook_result_url(result, &length);
    if (text) fputs(", ", stderr);
    if (text) print_clean(stderr, text, length);
    putc('\n', stderr);
}

/* Whoever does not get the result must not do it all again. */
static void put_lost(const struct casehook_result *result, int code)
{
    size_t length;
    if (casehook_result_id(result, &length)) {
        fputs("casehook: the result cannot be written; the case: ", stderr);
        print_identity(result);
    }
    if (code == EXIT_OK) fputs("  What was asked for is done. Do not create it again.\n", stderr);
}

bool print_result(const struct arguments *arguments, const struct casehook_result *result, int code)
{
    const struct casehook_error *error = casehook_result_error(result);
    bool whole = true, sent = arguments->command == COMMAND_RUN;
    if (arguments->json) {
        whole = print_result_json(result);
    } else if (arguments->command == COMMAND_PREVIEW) {
        put_preview(result);
    } else {
        put_requests(result);
        put_case(result);
    }
    whole = print_flush() && whole;
    if (!whole && sent && arguments->operation != CASEHOOK_GET) put_lost(result, code);
    if (error && (!whole || !arguments->json)) put_failure(arguments, result, code);
    return whole;
}
