/* casehook_queue_run.c - outbox run: delivers what is in an outbox. */
#include "casehook_args.h"
#include "casehook_input.h"
#include "casehook_queue.h"
#include "casehook_text.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    AWAY_MS = 10000, /* so long without a database, and a run that is to end has failed */
    STOP_MS = 20000, /* so long what is being sent may take when it is to stop */
    COUNTED_MAX = 1000
};

static int64_t milliseconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct runner {
    const char *name;
    struct casehook_connector *connector;
};

static volatile sig_atomic_t stops; /* signals that came */

static void on_stop(int number)
{
    (void)number;
    if (stops < 2) stops++;
}

/* What was ignored when we began, as under nohup, stays ignored. */
static void catch_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    const struct sigaction action = {.sa_handler = on_stop};
    struct sigaction present;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!sigaction(numbers[i], NULL, &present) && present.sa_handler != SIG_IGN)
            sigaction(numbers[i], &action, NULL);
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

/* ---- what is left ------------------------------------------------------------------------------ */

#define UNFINISHED                                                                              \
    (CASEHOOK_OUTBOX_IN(CASEHOOK_OUTBOX_WAITING) | CASEHOOK_OUTBOX_IN(CASEHOOK_OUTBOX_QUEUED) | \
     CASEHOOK_OUTBOX_IN(CASEHOOK_OUTBOX_SENDING) | CASEHOOK_OUTBOX_IN(CASEHOOK_OUTBOX_PARKED) | \
     CASEHOOK_OUTBOX_IN(CASEHOOK_OUTBOX_UNKNOWN))

struct left {
    size_t count, waiting, of_person;
    int64_t next_ms;    /* in so many; negative: none that waits has a time */
    char connector[64]; /* of the last one */
};

/* Those of a connector, of NULL those of all; 0, or the exit code. */
static int count_left(struct casehook_outbox *outbox, const struct outbox_arguments *a, const char *connector,
                      uint32_t states, struct left *left)
{
    const struct casehook_outbox_query query = {
        .struct_size = sizeof query, .connector = connector, .states = states, .limit = COUNTED_MAX};
    struct casehook_outbox_error *error = NULL;
    struct casehook_outbox_list *list = NULL;
    struct casehook_outbox_entry entry = {.struct_size = sizeof entry};
    int64_t now = milliseconds(CLOCK_REALTIME);
    *left = (struct left){.next_ms = -1};
    if (casehook_outbox_find(outbox, &query, &list, &error)) return outbox_fault(a->outbox, error);
    for (; !casehook_outbox_list_entry(list, left->count, &entry); left->count++) {
        bool of_person = entry.state == CASEHOOK_OUTBOX_PARKED || entry.state == CASEHOOK_OUTBOX_UNKNOWN;
        int64_t due = entry.due_ms > now ? entry.due_ms - now : 0;
        snprintf(left->connector, sizeof left->connector, "%s", entry.connector);
        left->of_person += of_person;
        left->waiting += !of_person;
        if (entry.state == CASEHOOK_OUTBOX_WAITING && (left->next_ms < 0 || due < left->next_ms))
            left->next_ms = due;
    }
    casehook_outbox_list_free(list);
    return EXIT_OK;
}

static void say_left(const struct left *left)
{
    fprintf(stderr, "casehook: %s", left->count == COUNTED_MAX ? "more than 1,000 are left: " : "");
    if (left->waiting) fprintf(stderr, "%zu wait%s", left->waiting, left->waiting == 1 ? "s" : "");
    if (left->next_ms >= 0) fprintf(stderr, " (next in %" PRId64 " s)", (left->next_ms + 999) / 1000);
    if (left->waiting && left->of_person) fputs(", ", stderr);
    if (left->of_person)
        fprintf(stderr, "%zu need%s a person", left->of_person, left->of_person == 1 ? "s" : "");
    putc('\n', stderr);
}

/* A name that nothing was ever put for is a wrong one, when others wait. */
static int check_name(struct casehook_outbox *outbox, const struct outbox_arguments *a)
{
    struct left left;
    int code = count_left(outbox, a, a->to, 0, &left);
    if (code || left.count) return code;
    code = count_left(outbox, a, NULL, UNFINISHED, &left);
    if (code || !left.count) return code;
    fputs("casehook: nothing in this outbox is for \"", stderr);
    print_clean(stderr, a->to, strlen(a->to));
    fputs("\", but there is for \"", stderr);
    print_clean(stderr, left.connector, strlen(left.connector));
    fputs("\": is that meant by --to?\n", stderr);
    return EXIT_CONFIG;
}

static int report_left(struct casehook_outbox *outbox, const struct outbox_arguments *a)
{
    struct left left;
    int code = count_left(outbox, a, a->to, UNFINISHED, &left);
    if (code) return code;
    if (!left.count) return check_name(outbox, a);
    say_left(&left);
    return stops ? EXIT_CANCELLED : EXIT_BATCH;
}

/* ---- delivering -------------------------------------------------------------------------------- */

/* Until it is to stop, or nothing is due: what is to be tried again later is left for the next run. */
static int deliver_all(struct casehook_outbox *outbox, const struct outbox_arguments *a)
{
    int64_t away_since = 0;
    while (!stops) {
        struct casehook_outbox_stats stats = {.struct_size = sizeof stats};
        struct casehook_outbox_error *error = NULL;
        if (casehook_outbox_run(outbox, a->forever ? 0 : CASEHOOK_OUTBOX_UNTIL_IDLE, 500)) return EXIT_OTHER;
        if (a->forever) continue;
        /* Without a database nobody knows what is due. */
        int64_t now = milliseconds(CLOCK_MONOTONIC);
        if (!casehook_outbox_get_stats(outbox, &stats, &error)) {
            away_since = 0;
            if (!casehook_outbox_sending(outbox) && casehook_outbox_timeout_ms(outbox) != 0) return EXIT_OK;
            continue;
        }
        if (!away_since) away_since = now;
        if (now - away_since >= AWAY_MS) return outbox_fault(a->outbox, error);
        casehook_outbox_error_free(error);
    }
    return EXIT_OK;
}

/* What is being sent comes to its end, and is stored; but not for ever, and a second signal is in a hurry. */
static int let_end(struct casehook_outbox *outbox)
{
    int64_t end = milliseconds(CLOCK_MONOTONIC) + STOP_MS;
    casehook_outbox_pause(outbox, 1);
    while (casehook_outbox_sending(outbox)) {
        if (stops > 1 || milliseconds(CLOCK_MONOTONIC) >= end) {
            fprintf(stderr, "casehook: stopped before it was stored what became of %zu\n",
                    casehook_outbox_sending(outbox));
            return EXIT_CANCELLED;
        }
        if (casehook_outbox_run(outbox, 0, 100)) return EXIT_OTHER;
    }
    return EXIT_OK;
}

int outbox_deliver(const struct outbox_arguments *a)
{
    struct runner runner = {.name = a->to};
    if (!a->connector) {
        fputs("casehook: run needs --connector FILE; casehook --help says more\n", stderr);
        return EXIT_USAGE;
    }
    int code = make_connector(a, &runner.connector);
    struct casehook_outbox *outbox = code == EXIT_OK ? outbox_open(a, &runner, resolve) : NULL;
    if (code == EXIT_OK && !outbox) code = EXIT_OTHER;
    catch_signals();
    if (outbox) {
        code = deliver_all(outbox, a);
        if (code == EXIT_OK) code = let_end(outbox);
        if (code == EXIT_OK && !a->forever) code = report_left(outbox, a);
    }
    casehook_outbox_close(outbox);
    casehook_connector_unref(runner.connector);
    return code;
}
