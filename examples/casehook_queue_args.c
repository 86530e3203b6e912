/* casehook_queue_args.c - the command lines of notify and outbox. */
#include "casehook_args.h"
#include "casehook_queue.h"
#include "casehook_text.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct outbox_arguments, member)
enum { OUTBOX = 2 * QUEUE_AGAIN - 2, ANY = OUTBOX | QUEUE_NOTIFY };

static const struct {
    const char *name;
    size_t offset;
    int commands;
    bool flag;
} options[] = {
    {"outbox", AT(outbox), ANY, false},
    {"to", AT(to), QUEUE_NOTIFY | QUEUE_LIST | QUEUE_FORGET | QUEUE_RUN, false},
    {"connector", AT(connector), QUEUE_RUN, false},
    {"settings", AT(settings), QUEUE_RUN, false},
    {"secrets", AT(secrets), QUEUE_RUN, false},
    {"external-id", AT(external_id), QUEUE_DONE, false},
    {"state", AT(state), QUEUE_NOTIFY | QUEUE_LIST, false},
    {"limit", AT(limit), QUEUE_LIST, false},
    {"before", AT(before), QUEUE_LIST, false},
    {"host", AT(host), QUEUE_NOTIFY, false},
    {"service", AT(service), QUEUE_NOTIFY, false},
    {"type", AT(type), QUEUE_NOTIFY, false},
    {"output", AT(output), QUEUE_NOTIFY, false},
    {"author", AT(author), QUEUE_NOTIFY, false},
    {"comment", AT(comment), QUEUE_NOTIFY, false},
    {"title", AT(title), QUEUE_NOTIFY, false},
    {"json", AT(json), QUEUE_LIST | QUEUE_SHOW | QUEUE_STATS, true},
    {"forever", AT(forever), QUEUE_RUN, true},
    {"verbose", AT(verbose), OUTBOX, true},
    {"help", AT(help), ANY, true},
};
enum { OPTIONS = sizeof options / sizeof *options };

static const struct {
    const char *name;
    enum outbox_command command;
    bool of_entry, of_case;
} words[] = {
    {"list", QUEUE_LIST, false, false},   {"show", QUEUE_SHOW, true, false},
    {"retry", QUEUE_RETRY, true, false},  {"again", QUEUE_AGAIN, true, false},
    {"done", QUEUE_DONE, true, false},    {"discard", QUEUE_DISCARD, true, false},
    {"stats", QUEUE_STATS, false, false}, {"forget", QUEUE_FORGET, false, true},
    {"run", QUEUE_RUN, false, false},
};

static int wrong(const char *what, const char *which)
{
    fputs("casehook: ", stderr);
    print_clean(stderr, what, strlen(what));
    print_clean(stderr, which, strlen(which));
    fputs("; casehook --help says more\n", stderr);
    return EXIT_USAGE;
}

bool outbox_number(const char *text, uint64_t *number)
{
    char *end;
    errno = 0;
    *number = *text >= '0' && *text <= '9' ? strtoull(text, &end, 10) : 0;
    return *number && !*end && !errno;
}

/* Reads the option at values[*index]; *index is then its last argument.  given: a bit for each option. */
static int read_option(struct outbox_arguments *arguments, int count, char **values, int *index,
                       uint32_t *given)
{
    const char *word = values[*index] + 2, *value = strchr(word, '=');
    size_t length = strcspn(word, "="), i = 0;
    while (i < OPTIONS && (strlen(options[i].name) != length || strncmp(options[i].name, word, length) != 0))
        i++;
    if (i == OPTIONS) return wrong("unknown option ", values[*index]);
    void *place = (char *)arguments + options[i].offset;
    *given |= UINT32_C(1) << i;
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

/* Which of them it is, and what it is about. */
static int read_words(struct outbox_arguments *a)
{
    size_t i = 0, all = sizeof words / sizeof *words;
    while (i < all && !(a->word_count && !strcmp(words[i].name, a->words[0]))) i++;
    if (i == all || a->word_count != (words[i].of_entry || words[i].of_case ? 2 : 1))
        return wrong("outbox list, show ENTRY, retry ENTRY, again ENTRY, discard ENTRY, done ENTRY, forget "
                     "CASE, stats "
                     "or run is wanted",
                     "");
    a->command = words[i].command;
    if (words[i].of_entry && !outbox_number(a->words[1], &a->entry))
        return wrong("the number of an entry is wanted", "");
    return -1;
}

int outbox_arguments_read(struct outbox_arguments *arguments, int count, char **values)
{
    int code = -1;
    uint32_t given = 0;
    memset(arguments, 0, sizeof *arguments);
    arguments->command = QUEUE_NOTIFY;
    for (int i = 1; i < count && code < 0; i++) {
        if (!strncmp(values[i], "--", 2))
            code = read_option(arguments, count, values, &i, &given);
        else if (arguments->word_count == sizeof arguments->words / sizeof *arguments->words)
            code = wrong("one word too many: ", values[i]);
        else
            arguments->words[arguments->word_count++] = values[i];
    }
    if (code >= 0) return code;
    if (arguments->help) return OUTBOX_HELP;
    if (strcmp(values[0], "notify") != 0) code = read_words(arguments);
    for (size_t i = 0; i < OPTIONS && code < 0; i++)
        if (given >> i & 1 && !(options[i].commands & (int)arguments->command))
            code = wrong("this command has no use for --", options[i].name);
    if (code >= 0) return code;
    if (!arguments->outbox) return wrong("--outbox LOCATION is missing", "");
    if (!arguments->to && arguments->command != QUEUE_LIST) arguments->to = "default";
    return -1;
}

int outbox_fault(const char *what, struct casehook_outbox_error *error)
{
    const char *message = casehook_outbox_error_message(error);
    int status = casehook_outbox_error_status(error);
    fputs("casehook: ", stderr);
    /* That of a server may hold a password. */
    if (strstr(what, "://")) what = strncmp(message, "outbox: ", 8) != 0 ? "outbox" : "";
    print_clean(stderr, what, strlen(what));
    if (*what) fputs(": ", stderr);
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
