/* casehook_queue_args.c - the command lines of notify and outbox. */
#include "casehook_args.h"
#include "casehook_queue.h"
#include "casehook_text.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define AT(member) offsetof(struct outbox_arguments, member)
enum { NOTIFY = 1, OUTBOX = 2 };

static const struct {
    const char *name;
    size_t offset;
    int commands;
    bool flag;
} options[] = {
    {"outbox", AT(outbox), NOTIFY | OUTBOX, false},
    {"to", AT(to), NOTIFY | OUTBOX, false},
    {"connector", AT(connector), OUTBOX, false},
    {"settings", AT(settings), OUTBOX, false},
    {"secrets", AT(secrets), OUTBOX, false},
    {"external-id", AT(external_id), OUTBOX, false},
    {"state", AT(state), NOTIFY | OUTBOX, false},
    {"host", AT(host), NOTIFY, false},
    {"service", AT(service), NOTIFY, false},
    {"type", AT(type), NOTIFY, false},
    {"output", AT(output), NOTIFY, false},
    {"author", AT(author), NOTIFY, false},
    {"comment", AT(comment), NOTIFY, false},
    {"title", AT(title), NOTIFY, false},
    {"json", AT(json), OUTBOX, true},
    {"forever", AT(forever), OUTBOX, true},
    {"verbose", AT(verbose), OUTBOX, true},
    {"help", AT(help), NOTIFY | OUTBOX, true},
};

static int wrong(const char *what, const char *which)
{
    fputs("casehook: ", stderr);
    print_clean(stderr, what, strlen(what));
    print_clean(stderr, which, strlen(which));
    fputs("; casehook --help says more\n", stderr);
    return EXIT_USAGE;
}

/* Reads the option at values[*index]; *index is then its last argument. */
static int read_option(struct outbox_arguments *arguments, int command, int count, char **values, int *index)
{
    const char *word = values[*index] + 2, *value = strchr(word, '=');
    size_t length = strcspn(word, "="), i = 0, all = sizeof options / sizeof *options;
    while (i < all && (strlen(options[i].name) != length || strncmp(options[i].name, word, length) != 0)) i++;
    if (i == all) return wrong("unknown option ", values[*index]);
    if (!(options[i].commands & command)) return wrong("this command has no use for --", options[i].name);
    void *place = (char *)arguments + options[i].offset;
    if (options[i].flag) {
        if (value) return wrong("no value is taken by --", options[i].name);
        *(bool *)place = true;
        return -1;
    }
    if (!value && *index + 1 >= count) return wrong("a value is missing after --", options[i].name);
    if (*(const char **)place) return wrong("given twice: --", options[i].name);
    *(const char **)place = value ? value + 1 : values[++*index];
    return -1;
}

int outbox_arguments_read(struct outbox_arguments *arguments, int count, char **values)
{
    int command = !strcmp(values[0], "notify") ? NOTIFY : OUTBOX, code = -1;
    memset(arguments, 0, sizeof *arguments);
    for (int i = 1; i < count && code < 0; i++) {
        if (!strncmp(values[i], "--", 2))
            code = read_option(arguments, command, count, values, &i);
        else if (arguments->word_count == sizeof arguments->words / sizeof *arguments->words)
            code = wrong("one word too many: ", values[i]);
        else
            arguments->words[arguments->word_count++] = values[i];
    }
    if (code >= 0 || arguments->help) return code;
    if (!arguments->outbox) return wrong("--outbox LOCATION is missing", "");
    if (!arguments->to) arguments->to = "default";
    return -1;
}

int outbox_fault(const char *what, struct casehook_outbox_error *error)
{
    const char *message = casehook_outbox_error_message(error);
    int status = casehook_outbox_error_status(error);
    fprintf(stderr, "casehook: %s: ", what);
    print_clean(stderr, message, strlen(message));
    putc('\n', stderr);
    casehook_outbox_error_free(error);
    return status == CASEHOOK_E_PARAMS     ? EXIT_PARAMS
           : status == CASEHOOK_E_ARGUMENT ? EXIT_USAGE
                                           : EXIT_OTHER;
}

static void on_note(void *user, const struct casehook_log_record *record)
{
    (void)user;
    fprintf(stderr, "casehook: %s: ", casehook_log_level_name(record->level));
    print_clean(stderr, record->message, strlen(record->message));
    putc('\n', stderr);
}

struct casehook_outbox *outbox_open(const struct outbox_arguments *arguments, void *user,
                                    casehook_outbox_resolve_fn resolve)
{
    struct casehook_outbox_options given = {.struct_size = sizeof given, .location = arguments->outbox};
    struct casehook_outbox_error *error = NULL;
    struct casehook_outbox *outbox = NULL;
    given.user = user;
    given.resolve = resolve;
    given.log = resolve || arguments->verbose ? on_note : NULL;
    given.log_level = arguments->verbose ? CASEHOOK_LOG_INFO : CASEHOOK_LOG_WARNING;
    if (casehook_outbox_open(&given, &outbox, &error)) outbox_fault(arguments->outbox, error);
    return outbox;
}
