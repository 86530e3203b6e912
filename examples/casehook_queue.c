/* casehook_queue.c - outbox list, show, retry, discard, done, run. */
#include "casehook_queue.h"

#include "casehook_args.h"
#include "casehook_input.h"
#include "casehook_text.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int wrong(const char *what)
{
    fprintf(stderr, "casehook: %s; casehook --help says more\n", what);
    return EXIT_USAGE;
}

/* ---- looking ----------------------------------------------------------------------------------- */

static void print_text(const char *name, const char *text)
{
    if (!text) return;
    printf("%-12s", name);
    print_clean(stdout, text, strlen(text));
    putchar('\n');
}

static void print_entry(const struct casehook_outbox_entry *entry)
{
    printf("%-12s%" PRIu64 "\n", "entry", entry->id);
    print_text("state", casehook_outbox_state_name(entry->state));
    print_text("operation", casehook_operation_name(entry->operation));
    print_text("connector", entry->connector);
    print_text("case", entry->case_id);
    print_text("title", entry->title);
    print_text("id", entry->external_id);
    print_text("url", entry->url);
    print_text("why", entry->message);
    printf("%-12s%" PRIu32 "\n", "attempts", entry->attempts);
    print_text("params", entry->params);
    print_text("result", entry->result);
}

static void print_line(const struct casehook_outbox_entry *entry)
{
    printf("%8" PRIu64 "  %-9s %-7s ", entry->id, casehook_outbox_state_name(entry->state),
           casehook_operation_name(entry->operation));
    const char *texts[] = {entry->connector, entry->title ? entry->title : entry->case_id, entry->message};
    for (size_t i = 0; i < 3; i++) {
        if (!texts[i]) continue;
        if (i) fputs(i == 1 ? ": " : "  - ", stdout);
        print_clean(stdout, texts[i], strlen(texts[i]));
    }
    putchar('\n');
}

static int print_entries(struct casehook_outbox_list *list, bool json, bool whole)
{
    if (json) {
        const char *text = casehook_outbox_list_json(list, NULL);
        if (!text) return EXIT_OTHER;
        write_json(stdout, text, strlen(text));
        putchar('\n');
        return EXIT_OK;
    }
    for (size_t i = 0; i < casehook_outbox_list_count(list); i++) {
        struct casehook_outbox_entry entry = {.struct_size = sizeof entry};
        if (casehook_outbox_list_entry(list, i, &entry)) continue;
        whole ? print_entry(&entry) : print_line(&entry);
    }
    return EXIT_OK;
}

static int look(struct casehook_outbox *outbox, const struct outbox_arguments *a, uint64_t id)
{
    struct casehook_outbox_query query = {.struct_size = sizeof query, .id = id, .full = id != 0};
    struct casehook_outbox_error *error = NULL;
    struct casehook_outbox_list *list = NULL;
    for (int state = CASEHOOK_OUTBOX_WAITING; a->state && state <= CASEHOOK_OUTBOX_REPLACED; state++)
        if (!strcmp(casehook_outbox_state_name(state), a->state)) query.states = CASEHOOK_OUTBOX_IN(state);
    if (a->state && !query.states)
        return wrong(
            "--state must be waiting, queued, sending, parked, unknown, done, discarded or replaced");
    if (casehook_outbox_find(outbox, &query, &list, &error)) return outbox_fault(a->outbox, error);
    int code = EXIT_OK;
    if (id && !casehook_outbox_list_count(list)) {
        fprintf(stderr, "casehook: there is no entry %" PRIu64 "\n", id);
        code = EXIT_USAGE;
    } else {
        code = print_entries(list, a->json, id != 0);
    }
    casehook_outbox_list_free(list);
    return code;
}

/* ---- deciding ---------------------------------------------------------------------------------- */

static int decide(struct casehook_outbox *outbox, const struct outbox_arguments *a, uint64_t id)
{
    struct casehook_outbox_error *error = NULL;
    int status;
    if (!strcmp(a->words[0], "retry"))
        status = casehook_outbox_retry(outbox, id, &error);
    else if (!strcmp(a->words[0], "discard"))
        status = casehook_outbox_discard(outbox, id, &error);
    else
        status = casehook_outbox_done(outbox, id, a->external_id, &error);
    return status ? outbox_fault(a->words[1], error) : EXIT_OK;
}

/* ---- delivering -------------------------------------------------------------------------------- */

struct runner {
    const char *name;
    struct casehook_connector *connector;
};

static volatile sig_atomic_t stopped;

static void on_stop(int number)
{
    (void)number;
    stopped = 1;
}

static struct casehook_connector *resolve(void *user, const char *name)
{
    const struct runner *runner = user;
    return !strcmp(runner->name, name) ? casehook_connector_ref(runner->connector) : NULL;
}

static int say_faults(const char *file, struct casehook_error *error)
{
    for (const struct casehook_error *each = error; each; each = casehook_error_next(each)) {
        fprintf(stderr, "casehook: %s: ", file);
        print_clean(stderr, casehook_error_message(each), strlen(casehook_error_message(each)));
        putc('\n', stderr);
    }
    casehook_error_free(error);
    return EXIT_CONFIG;
}

static int make_connector(const struct outbox_arguments *a, struct casehook_connector **connector)
{
    const struct arguments given = {
        .connector = a->connector, .settings = a->settings, .secrets = a->secrets};
    struct document document = {NULL, 0}, rules = {NULL, 0};
    struct trouble trouble = {0};
    struct casehook_settings *settings = NULL;
    struct casehook_error *error = NULL;
    int code = EXIT_OK;
    if (casehook_settings_new(NULL, &settings)) return EXIT_OTHER;
    if ((a->settings && input_file(a->settings, "settings", CASEHOOK_E_CONFIG, &rules, &trouble)) ||
        input_connector(&given, &document, &trouble)) {
        fprintf(stderr, "casehook: %s\n", trouble.message);
        code = EXIT_CONFIG;
    } else if (rules.text && casehook_settings_load_json(settings, rules.text, rules.length, &error)) {
        code = say_faults(a->settings, error);
    } else if (casehook_connector_new(settings, document.text, document.length, connector, &error)) {
        code = say_faults(a->connector, error);
    }
    document_free(&document);
    document_free(&rules);
    casehook_settings_free(settings);
    return code;
}

static int deliver(const struct outbox_arguments *a)
{
    struct runner runner = {.name = a->to};
    struct sigaction action = {.sa_handler = on_stop};
    if (!a->connector) return wrong("run needs --connector FILE");
    int code = make_connector(a, &runner.connector), status = CASEHOOK_OK;
    struct casehook_outbox *outbox = code == EXIT_OK ? outbox_open(a, &runner, resolve) : NULL;
    if (code == EXIT_OK && !outbox) code = EXIT_OTHER;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    while (outbox && !stopped && !status) {
        status = casehook_outbox_run(outbox, a->forever ? 0 : CASEHOOK_OUTBOX_UNTIL_IDLE, 500);
        /* What is to be tried again later is left for the next run; without a database nobody knows what is
         * due. */
        struct casehook_outbox_stats stats = {.struct_size = sizeof stats};
        bool idle = !casehook_outbox_sending(outbox) && casehook_outbox_timeout_ms(outbox) != 0 &&
                    !casehook_outbox_get_stats(outbox, &stats, NULL);
        if (!a->forever && idle) break;
    }
    if (outbox) casehook_outbox_pause(outbox, 1);
    while (outbox && !status && casehook_outbox_sending(outbox)) status = casehook_outbox_run(outbox, 0, 100);
    if (status) code = EXIT_OTHER;
    casehook_outbox_close(outbox);
    casehook_connector_unref(runner.connector);
    return code;
}

/* ---- all of them ------------------------------------------------------------------------------- */

static int with_outbox(const struct outbox_arguments *a, uint64_t id, bool looks)
{
    if (!strstr(a->outbox, "://") && access(a->outbox, F_OK) && errno == ENOENT) {
        /* Opening would make an empty one, which would hide that the name is wrong. */
        fputs("casehook: ", stderr);
        print_clean(stderr, a->outbox, strlen(a->outbox));
        fputs(": there is no such file; notify, outbox run and casehookd make an outbox\n", stderr);
        return EXIT_OTHER;
    }
    struct casehook_outbox *outbox = outbox_open(a, NULL, NULL);
    if (!outbox) return EXIT_OTHER;
    int code = looks ? look(outbox, a, id) : decide(outbox, a, id);
    casehook_outbox_close(outbox);
    return code;
}

int outbox_run(int count, char **values)
{
    struct outbox_arguments a;
    int code = outbox_arguments_read(&a, count, values);
    if (code >= 0) return code;
    const char *what = a.word_count ? a.words[0] : "";
    bool decides = !strcmp(what, "retry") || !strcmp(what, "discard") || !strcmp(what, "done");
    char *end = NULL;
    uint64_t id = a.word_count > 1 ? strtoull(a.words[1], &end, 10) : 0;
    if (a.word_count > 1 && (*end || !id || *a.words[1] == '-'))
        return wrong("the number of an entry is wanted");
    if (!strcmp(what, "list") && a.word_count == 1) return with_outbox(&a, 0, true);
    if (!strcmp(what, "run") && a.word_count == 1) return deliver(&a);
    if (a.word_count == 2 && (decides || !strcmp(what, "show"))) return with_outbox(&a, id, !decides);
    return wrong("outbox list, show ENTRY, retry ENTRY, discard ENTRY, done ENTRY or run is wanted");
}
