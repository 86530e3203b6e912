/*
 * casehook.c - the command-line tool: checks a connector, shows what it would send, and opens, reads,
 * changes and comments cases with it.  casehook --help says how.
 */
#include "casehook_attempts.h"
#include "casehook_batch.h"
#include "casehook_doubt.h"
#include "casehook_init.h"
#include "casehook_input.h"
#include "casehook_member.h"
#include "casehook_print.h"
#ifdef CASEHOOK_TOOL_OUTBOX
#include "casehook_queue.h"
#endif
#include "casehook_stop.h"
#include "casehook_text.h"
#include "casehook_trace.h"

#include <casehook.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int code_of_status(int status, int step)
{
    switch (status) {
    case CASEHOOK_OK: return EXIT_OK;
    case CASEHOOK_E_CONFIG:
    case CASEHOOK_E_UNSUPPORTED: return EXIT_CONFIG;
    case CASEHOOK_E_PARAMS: return EXIT_PARAMS;
    case CASEHOOK_E_POLICY: return EXIT_POLICY;
    case CASEHOOK_E_RESOLVE:
    case CASEHOOK_E_CONNECT:
    case CASEHOOK_E_PROXY:
    case CASEHOOK_E_TIMEOUT:
    case CASEHOOK_E_UNAVAILABLE:
    case CASEHOOK_E_NETWORK: return EXIT_NETWORK;
    case CASEHOOK_E_TLS: return EXIT_TLS;
    case CASEHOOK_E_HTTP_STATUS: return EXIT_REFUSED;
    case CASEHOOK_E_REDIRECT:
    case CASEHOOK_E_RESPONSE: return EXIT_ANSWER;
    case CASEHOOK_E_LIMIT:
        return step == CASEHOOK_STEP_PARAMS   ? EXIT_PARAMS
               : step == CASEHOOK_STEP_CONFIG ? EXIT_CONFIG
                                              : EXIT_ANSWER;
    case CASEHOOK_E_CANCELLED: return EXIT_CANCELLED;
    default: return EXIT_OTHER;
    }
}

/* What else is done has changed nothing. */
static bool is_done_write(int step, int outcome)
{
    return outcome == CASEHOOK_OUTCOME_DONE &&
           (step == CASEHOOK_STEP_CREATE || step == CASEHOOK_STEP_UPDATE ||
            step == CASEHOOK_STEP_TRANSITION || step == CASEHOOK_STEP_COMMENT);
}

/* Whether the case is known to have been made or changed, whatever failed then. */
static bool has_written(const struct casehook_result *result)
{
    const struct casehook_error *error = casehook_result_error(result);
    bool done = is_done_write(casehook_error_step(error), casehook_error_outcome(error));
    size_t length;
    bool named = casehook_result_id(result, &length) != NULL;
    for (size_t i = 0; !done && i < casehook_result_request_count(result); i++) {
        int step = casehook_result_request_step(result, i);
        /* A create that was not answered is done when its case was found. */
        done = is_done_write(step, casehook_result_request_outcome(result, i)) ||
               (step == CASEHOOK_STEP_CREATE && named);
    }
    return done;
}

/*
 * Whether the case was made before, by the call that this one goes on from: its own requests need not have
 * come that far.  An id that was given, or found, says nothing of it.
 */
static bool was_made(const struct document *params, const struct casehook_result *result)
{
    size_t length;
    struct piece text = {params->text, params->length}, resume = member_find(text, "resume");
    int step = casehook_error_step(casehook_result_error(result));
    return casehook_result_id(result, &length) && step != CASEHOOK_STEP_PARAMS && member_is_object(resume) &&
           !doubt_only_found(resume) && !member_is_text(member_find(member_case(text), "externalId"));
}

/* What was changed before an error counts more than the error.  params: what the call was given. */
static int code_of_result(const struct arguments *arguments, const struct document *params,
                          const struct casehook_result *result)
{
    const struct casehook_error *error = casehook_result_error(result);
    int step = casehook_error_step(error);
    bool makes = arguments->operation == CASEHOOK_CREATE || arguments->operation == CASEHOOK_PUSH;
    bool changes = makes || arguments->operation == CASEHOOK_UPDATE;
    bool begun = casehook_result_request_count(result) > 0;
    bool later = step == CASEHOOK_STEP_TRANSITION || step == CASEHOOK_STEP_GET ||
                 step == CASEHOOK_STEP_COMMENT || step == CASEHOOK_STEP_VIEW_URL;
    if (!error) return EXIT_OK;
    if (arguments->command == COMMAND_PREVIEW) return code_of_status(casehook_error_status(error), step);
    if (changes && later && begun) return EXIT_PARTIAL;
    if (casehook_error_outcome(error) == CASEHOOK_OUTCOME_UNKNOWN && arguments->operation != CASEHOOK_GET)
        return EXIT_UNKNOWN;
    if (changes && has_written(result)) return EXIT_PARTIAL;
    if (makes && was_made(params, result)) return EXIT_PARTIAL;
    return code_of_status(casehook_error_status(error), step);
}

/* What was changed must not look as if it could be tried again. */
static int code_of_lost(const struct arguments *arguments)
{
    bool changed = arguments->command == COMMAND_RUN && arguments->operation != CASEHOOK_GET;
    return changed ? EXIT_PARTIAL : EXIT_OTHER;
}

static void on_log(void *user, const struct casehook_log_record *record)
{
    (void)user;
    flockfile(stderr);
    fprintf(stderr, "casehook: %s: ", casehook_log_level_name(record->level));
    print_clean(stderr, record->message, strlen(record->message));
    putc('\n', stderr);
    funlockfile(stderr);
}

/* Says what the library found wrong in the file that is named. */
static int fault(const struct arguments *arguments, const char *file, int status,
                 const struct casehook_error *error)
{
    if (!error) {
        struct trouble trouble;
        trouble_set(&trouble, status, "", "%s", casehook_status_name(status));
        print_trouble(arguments, &trouble);
    } else if (arguments->command == COMMAND_CHECK) {
        print_check(arguments, file, error, NULL);
    } else {
        print_faults(arguments, file, error);
    }
    return code_of_status(status, casehook_error_step(error));
}

/* What the file says is checked first, so that places in messages are those of the file. */
static int set_attempts(const struct arguments *arguments, struct casehook_settings *settings,
                        const struct document *document)
{
    struct document joined = {NULL, 0};
    struct casehook_error *error = NULL;
    int code = EXIT_OK, status = CASEHOOK_E_NO_MEMORY;
    if (!attempts_put(document, arguments->max_attempts, &joined))
        status = casehook_settings_load_json(settings, joined.text, joined.length, &error);
    if (status) code = fault(arguments, "--max-attempts", status, error);
    casehook_error_free(error);
    document_free(&joined);
    return code;
}

static int load_settings(const struct arguments *arguments, struct casehook_settings **settings)
{
    struct document document = {NULL, 0};
    struct trouble trouble = {0};
    struct casehook_error *error = NULL;
    int code = EXIT_OK;
    int status = casehook_settings_new(NULL, settings);
    if (!status && (arguments->verbose || arguments->trace))
        status = casehook_settings_set_log(
            *settings, arguments->trace ? CASEHOOK_LOG_TRACE : CASEHOOK_LOG_DEBUG, NULL, on_log, NULL);
    if (!status && arguments->settings) {
        if (input_file(arguments->settings, "settings", CASEHOOK_E_CONFIG, &document, &trouble)) {
            print_trouble(arguments, &trouble);
            code = code_of_status(trouble.status, CASEHOOK_STEP_NONE);
            goto out;
        }
        status = casehook_settings_load_json(*settings, document.text, document.length, &error);
    }
    if (status)
        code = fault(arguments, arguments->settings, status, error);
    else if (arguments->max_attempts)
        code = set_attempts(arguments, *settings, &document);
out:
    casehook_error_free(error);
    document_free(&document);
    return code;
}

/* Warnings are no faults: what is checked stays right. */
static int tell_good(const struct arguments *arguments, const struct casehook_connector *connector)
{
    struct casehook_error *warnings = NULL;
    int code = EXIT_OK, status = casehook_connector_warnings(connector, &warnings);
    if (status)
        code = fault(arguments, arguments->connector, status, warnings);
    else
        print_check(arguments, arguments->connector, NULL, warnings);
    casehook_error_free(warnings);
    return code;
}

/* For check *connector stays NULL. */
static int load_connector(const struct arguments *arguments, const struct casehook_settings *settings,
                          struct casehook_connector **connector, struct facts *facts)
{
    struct document document = {NULL, 0};
    struct trouble trouble = {0};
    struct casehook_error *error = NULL;
    int code = EXIT_OK, status;
    if (input_connector(arguments, &document, &trouble)) {
        print_trouble(arguments, &trouble);
        code = code_of_status(trouble.status, CASEHOOK_STEP_NONE);
        goto out;
    }
    status = casehook_connector_new(settings, document.text, document.length, connector, &error);
    if (status)
        code = fault(arguments, arguments->connector, status, error);
    else if (arguments->command == COMMAND_CHECK) {
        code = tell_good(arguments, *connector);
        casehook_connector_unref(*connector);
        *connector = NULL;
    } else if (arguments->batch)
        facts_read(facts, &document);
out:
    casehook_error_free(error);
    document_free(&document);
    return code;
}

/* The operation itself, which Ctrl-C can stop. */
static int operate(const struct arguments *arguments, struct casehook_connector *connector,
                   const struct document *document, struct casehook_result **result)
{
    struct casehook_options options = {.struct_size = sizeof options, .deadline_ms = arguments->deadline_ms};
    struct stop stop = {.running = false};
    int status;
    if (arguments->command == COMMAND_PREVIEW)
        return casehook_preview_json(connector, arguments->operation, document->text, document->length,
                                     result);
    status = casehook_cancel_new(NULL, &options.cancel);
    if (status) return status;
    if (stop_begin(&stop, options.cancel, NULL)) {
        status = CASEHOOK_E_SYSTEM;
        goto out;
    }
    status = casehook_run_json(connector, arguments->operation, document->text, document->length, &options,
                               result);
    stop_end(&stop);
out:
    casehook_cancel_free(options.cancel);
    return status;
}

static int run_batch(const struct arguments *arguments, struct casehook_connector *connector,
                     const struct facts *facts)
{
    struct trouble trouble = {0};
    int code = batch_run(arguments, connector, facts, &trouble);
    if (trouble.status) print_trouble(arguments, &trouble);
    return trouble.status && code == EXIT_OTHER ? code_of_status(trouble.status, CASEHOOK_STEP_PARAMS) : code;
}

static int run(const struct arguments *arguments, struct casehook_connector *connector)
{
    struct document document = {NULL, 0};
    struct trouble trouble = {0};
    struct casehook_result *result = NULL;
    int code, status;
    if (input_case(arguments, &document, &trouble)) {
        print_trouble(arguments, &trouble);
        code = code_of_status(trouble.status, CASEHOOK_STEP_NONE);
        goto out;
    }
    status = operate(arguments, connector, &document, &result);
    if (!result) {
        code = fault(arguments, arguments->connector, status, NULL);
        goto out;
    }
    code = code_of_result(arguments, &document, result);
    if (arguments->verbose && arguments->command == COMMAND_RUN) trace_requests("", result);
    if (!print_result(arguments, result, code) && code == EXIT_OK) code = code_of_lost(arguments);
out:
    casehook_result_free(result);
    document_free(&document);
    return code;
}

/* What is closed stays useless: else a socket would get its number, and what is printed would go there. */
static void keep_standard_files(void)
{
    for (int file = STDIN_FILENO; file <= STDERR_FILENO; file++)
        if (fcntl(file, F_GETFD) < 0 && open("/dev/null", file ? O_RDONLY : O_WRONLY) < 0) abort();
}

/* notify and outbox have command lines of their own; -1: it is none of them. */
static int run_queue(int *count, char **values)
{
#ifdef CASEHOOK_TOOL_OUTBOX
    bool notifies = *count > 1 && !strcmp(values[1], "notify");
    if (!notifies && (*count < 2 || strcmp(values[1], "outbox") != 0)) return -1;
    int code = notifies ? notify_run(*count - 1, values + 1) : outbox_run(*count - 1, values + 1);
    if (code != OUTBOX_HELP) return code;
    static char word[] = "--help"; /* there is one for all commands */
    values[1] = word;
    *count = 2;
#else
    (void)count;
    (void)values;
#endif
    return -1;
}

int main(int count, char **values)
{
    struct arguments arguments;
    struct casehook_settings *settings = NULL;
    struct casehook_connector *connector = NULL;
    struct facts facts = {.find = false};
    keep_standard_files();
    input_wipe_json();
    signal(SIGPIPE, SIG_IGN); /* whoever reads the output and goes must not end what is under way */
    int code = run_queue(&count, values);
    if (code >= 0) return !print_flush() && code == EXIT_OK ? EXIT_OTHER : code;
    code = arguments_read(&arguments, count, values);
    if (code >= 0) goto out;
    if (arguments.command == COMMAND_INIT) {
        code = init_run(&arguments);
        goto out;
    }
    code = load_settings(&arguments, &settings);
    if (code == EXIT_OK) code = load_connector(&arguments, settings, &connector, &facts);
    if (code == EXIT_OK && connector)
        code = arguments.batch ? run_batch(&arguments, connector, &facts) : run(&arguments, connector);
out:
    casehook_connector_unref(connector);
    casehook_settings_free(settings);
    arguments_free(&arguments);
    if (!print_flush() && code == EXIT_OK) code = EXIT_OTHER;
    return code;
}
