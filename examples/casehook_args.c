/* casehook_args.c - the options as one table, and which of them a command takes. */
#include "casehook_args.h"
#include "casehook_text.h"

#include <casehook.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Two of them: compilers need not take longer texts. */
static const char help[] =
    "usage: casehook COMMAND --connector FILE [OPTION...]\n"
    "\n"
    "Opens, reads, changes and comments cases in the tracker that a connector document describes.\n"
    "\n"
    "Commands\n"
    "  init                    write a connector document to standard output, made of options alone; it\n"
    "                          asks nothing\n"
    "  check                   look for faults in connector and settings; nothing is sent\n"
    "  preview [OPERATION]     show the requests of an operation (create, get ID, update ID, comment ID,\n"
    "                          push, which is the default); nothing is sent, secrets are masked\n"
    "  create                  make a case\n"
    "  get ID                  read the case ID (the tracker's id)\n"
    "  update ID               change it\n"
    "  comment ID              add one comment to it\n"
    "  push                    make a case, or with --external-id change one, then add the comments\n"
    "  notify                  put a notification of Nagios or Icinga 2 into an outbox\n"
    "  outbox WHAT             look into an outbox: list, show ENTRY, stats; decide: retry ENTRY,\n"
    "                          again ENTRY, discard ENTRY, done ENTRY, forget CASE; or deliver what is in it: run\n"
    "\n"
    "Files\n"
    "  --connector FILE        the connector document\n"
    "  --secrets FILE          its \"secrets\" object, when it is kept in a file of its own\n"
    "  --settings FILE         the administrator's settings\n"
    "  --case FILE             the case and its comments as JSON, instead of the options below\n"
    "  For one of these FILE may be - for standard input.\n"
    "\n"
    "The case\n"
    "  --title TEXT            needed by create, update and push\n"
    "  --description TEXT\n"
    "  --severity TEXT         usually low, medium, high or critical\n"
    "  --status TEXT           usually open, in-progress or closed\n"
    "  --id TEXT               your own id of the case\n"
    "  --tag TEXT              may be repeated\n"
    "  --field NAME=TEXT       a field of your own, {{case.fields.NAME}}; may be repeated\n"
    "  --field NAME:=JSON      the same with a number, a list, true, false or null\n"
    "  --comment TEXT          comment: exactly one; push: may be repeated\n"
    "  --external-id ID        push: the tracker's id of the case to change\n"
    "  --idempotency-key KEY   what makes it one case, however often it is sent, where the connector uses "
    "keys\n"
    "  --resume FILE           an earlier result of this case (--json): what it says is done is left out; - "
    "is\n"
    "                          standard input\n"
    "\n"
    "Many cases\n"
    "  --batch FILE            push: every line of FILE is a case as JSON; each result is one line,\n"
    "                          {\"index\": LINE FROM 0, \"result\": {...}}, printed as it comes\n"
    "  --concurrency N         how many at once, 16 unless said\n"
    "  --journal FILE          keep on disk what became of each line; started again with the same FILE, it\n"
    "                          does only what is missing\n"
    "  --retry-unknown         with a journal: send again also what may have been done already\n"
    "  --failed FILE           write the lines that are to be tried again to FILE, as a batch\n"
    "\n"
    "A document to begin with: one of --from-curl, --url and --tracker\n"
    "  --from-curl COMMAND     init: made of a curl command that makes a case; - for standard input; "
    "--title,\n"
    "                          --description, --severity and --id are the texts that it holds\n"
    "  --url URL               init: made for an API that takes a title and a description there\n"
    "  --tracker NAME          init: one of the gallery, which init alone lists\n"
    "  --set NAME=TEXT         init: a field of config, secrets.FIELD, or a word to be replaced; may be "
    "repeated\n"
    "  --set NAME:=JSON        the same with an object, a list, a number, true, false or null\n"
    "  --ca FILE               init: the CA of the tracker, PEM\n"
    "\n"
    "How\n"
    "  --max-attempts N        how often a request is made at most, 1 to 10 (setting run.maxAttempts)\n"
    "  --deadline MS           time for the whole operation, of a batch for each case, in milliseconds\n"
    "  --json                  print one JSON object and nothing else\n"
    "  --verbose               say on standard error what happens\n"
    "  --trace                 show on standard error each request and answer whole, secrets masked\n"
    "  --help, --version       print and end\n"
    "\n";
static const char help_codes[] =
    "Ctrl-C stops a command; what was sent until then is reported.  A batch finishes what it has begun\n"
    "and reports the other lines as not attempted.\n"
    "\n"
    "An outbox\n"
    "  --outbox LOCATION       notify, outbox: a file, or postgresql://...\n"
    "  --to NAME               the name of the connector in the outbox; notify, outbox run and forget: "
    "default\n"
    "                          unless said; outbox list: those of this one alone\n"
    "  --host NAME             notify: the host; like the next ones it may come from the environment "
    "instead,\n"
    "                          as NAGIOS_HOSTNAME\n"
    "  --service NAME          notify: the service; none: it is about the host\n"
    "  --type TYPE             notify: PROBLEM, RECOVERY, ACKNOWLEDGEMENT ...\n"
    "  --state STATE           notify: CRITICAL, DOWN ...; outbox list: those in this state alone\n"
    "  --output TEXT           notify: what the check said\n"
    "  --author NAME           notify: who acknowledged or commented it; the comment is --comment\n"
    "  --limit N               outbox list: so many of the newest, 100 unless said\n"
    "  --before ENTRY          outbox list: of those before this one\n"
    "  --forever               outbox run: until Ctrl-C; else until nothing is due\n"
    "\n"
    "Exit codes\n"
    "   0  done\n"
    "   1  anything else, such as lack of memory\n"
    "   2  the command line is wrong\n"
    "   3  connector, secrets or settings are wrong or cannot be read\n"
    "   4  the case is wrong or cannot be read\n"
    "   5  forbidden by the settings\n"
    "   6  no answer: name, connection, proxy, time; or not asked, for it failed too often\n"
    "   7  TLS\n"
    "   8  the server refused\n"
    "   9  the answer cannot be used\n"
    "  10  outcome unknown: it was sent and may have happened; look before you try again\n"
    "  11  the case was made or changed, a later step failed or the result could not be written;\n"
    "      standard error tells the id then, where it is known; do not create it again\n"
    "  12  stopped by Ctrl-C before anything was changed; a batch: while it waited for more lines;\n"
    "      outbox run: while something was left\n"
    "  13  some cases of a batch failed or were not attempted: their lines say which; outbox run: some "
    "wait,\n"
    "      or need a person\n";

enum kind { KIND_TEXT, KIND_LIST, KIND_FLAG, KIND_NUMBER };

/* Which commands take an option: a bit for each operation, and one for check. */
#define FOR(operation) (1U << (operation))
enum {
    CHECK = FOR(0),
    INIT = FOR(CASEHOOK_PUSH + 1),
    CREATE = FOR(CASEHOOK_CREATE),
    GET = FOR(CASEHOOK_GET),
    UPDATE = FOR(CASEHOOK_UPDATE),
    COMMENT = FOR(CASEHOOK_COMMENT),
    PUSH = FOR(CASEHOOK_PUSH),
    CASE = CREATE | UPDATE | PUSH,
    OPERATION = CASE | GET | COMMENT,
    LOADS = OPERATION | CHECK,
    ANY = LOADS | INIT
};

/* What an option is about: how it is done; what a case holds; one case; many of them. */
enum about { ABOUT_HOW, ABOUT_TEXT, ABOUT_ONE, ABOUT_MANY };

struct option {
    const char *name;
    enum kind kind;
    enum about about;
    size_t offset; /* in struct arguments */
    unsigned commands;
};

#define AT(member) offsetof(struct arguments, member)
static const struct option options[] = {
    {"connector", KIND_TEXT, ABOUT_HOW, AT(connector), LOADS},
    {"settings", KIND_TEXT, ABOUT_HOW, AT(settings), LOADS},
    {"secrets", KIND_TEXT, ABOUT_HOW, AT(secrets), LOADS},
    {"case", KIND_TEXT, ABOUT_ONE, AT(case_file), CASE | COMMENT},
    {"title", KIND_TEXT, ABOUT_TEXT, AT(title), CASE | INIT},
    {"description", KIND_TEXT, ABOUT_TEXT, AT(description), CASE | INIT},
    {"severity", KIND_TEXT, ABOUT_TEXT, AT(severity), CASE | INIT},
    {"status", KIND_TEXT, ABOUT_TEXT, AT(status), CASE},
    {"id", KIND_TEXT, ABOUT_TEXT, AT(id), CASE | INIT},
    {"tag", KIND_LIST, ABOUT_TEXT, AT(tags), CASE},
    {"field", KIND_LIST, ABOUT_TEXT, AT(fields), CASE},
    {"comment", KIND_LIST, ABOUT_TEXT, AT(comments), COMMENT | PUSH},
    {"external-id", KIND_TEXT, ABOUT_ONE, AT(external_id), PUSH},
    {"idempotency-key", KIND_TEXT, ABOUT_ONE, AT(idempotency_key), CREATE | COMMENT | PUSH},
    {"resume", KIND_TEXT, ABOUT_ONE, AT(resume), CASE | COMMENT},
    {"batch", KIND_TEXT, ABOUT_MANY, AT(batch), PUSH},
    {"concurrency", KIND_NUMBER, ABOUT_MANY, AT(concurrency), PUSH},
    {"journal", KIND_TEXT, ABOUT_MANY, AT(journal), PUSH},
    {"failed", KIND_TEXT, ABOUT_MANY, AT(failed), PUSH},
    {"retry-unknown", KIND_FLAG, ABOUT_MANY, AT(retry_unknown), PUSH},
    {"max-attempts", KIND_NUMBER, ABOUT_HOW, AT(max_attempts), OPERATION},
    {"deadline", KIND_NUMBER, ABOUT_HOW, AT(deadline_ms), OPERATION},
    {"json", KIND_FLAG, ABOUT_HOW, AT(json), LOADS},
    {"trace", KIND_FLAG, ABOUT_HOW, AT(trace), OPERATION},
    {"verbose", KIND_FLAG, ABOUT_HOW, AT(verbose), LOADS},
    {"tracker", KIND_TEXT, ABOUT_HOW, AT(tracker), INIT},
    {"from-curl", KIND_TEXT, ABOUT_HOW, AT(from_curl), INIT},
    {"url", KIND_TEXT, ABOUT_HOW, AT(url), INIT},
    {"ca", KIND_TEXT, ABOUT_HOW, AT(ca), INIT},
    {"set", KIND_LIST, ABOUT_HOW, AT(sets), INIT},
    {"help", KIND_FLAG, ABOUT_HOW, AT(help), ANY},
    {"version", KIND_FLAG, ABOUT_HOW, AT(version), ANY},
};
#define OPTION_COUNT (sizeof options / sizeof *options)

static const char *const operations[] = {[CASEHOOK_CREATE] = "create",
                                         [CASEHOOK_GET] = "get",
                                         [CASEHOOK_UPDATE] = "update",
                                         [CASEHOOK_COMMENT] = "comment",
                                         [CASEHOOK_PUSH] = "push"};

static int wrong(const char *what, const char *which)
{
    fputs("casehook: ", stderr);
    print_clean(stderr, what, strlen(what));
    if (which) print_clean(stderr, which, strlen(which));
    fputs("; casehook --help says more\n", stderr);
    return EXIT_USAGE;
}

static int find_operation(const char *name)
{
    for (int i = CASEHOOK_CREATE; i <= CASEHOOK_PUSH; i++)
        if (!strcmp(operations[i], name)) return i;
    return 0;
}

/* The option that "--name" or "--name=value" means. */
static const struct option *find_option(const char *argument)
{
    size_t length = strcspn(argument, "=");
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (strlen(options[i].name) == length && !strncmp(options[i].name, argument, length))
            return &options[i];
    return NULL;
}

static int read_number(const char *text, uint32_t *number)
{
    uint64_t value = 0;
    if (!*text) return -1;
    for (; *text; text++) {
        if (*text < '0' || *text > '9') return -1;
        value = value * 10 + (uint64_t)(*text - '0');
        if (value > UINT32_MAX) return -1;
    }
    *number = (uint32_t)value;
    return value ? 0 : -1;
}

/* count bounds the list: no more items than arguments. */
static int store(struct arguments *arguments, const struct option *option, const char *value, size_t count)
{
    void *place = (char *)arguments + option->offset;
    struct list *list = place;
    const char **text = place;
    switch (option->kind) {
    case KIND_FLAG: *(bool *)place = true; break;
    case KIND_NUMBER:
        if (read_number(value, place)) return wrong("a number of 1 or more is wanted for --", option->name);
        break;
    case KIND_TEXT:
        if (*text) return wrong("given twice: --", option->name);
        *text = value;
        break;
    case KIND_LIST:
        if (!list->items) list->items = calloc(count, sizeof *list->items);
        if (!list->items) return wrong("out of memory", NULL), EXIT_OTHER;
        list->items[list->count++] = value;
        break;
    }
    return -1;
}

/* Reads the option at values[*index]; *index is then its last argument. */
static int read_option(struct arguments *arguments, int count, char **values, int *index, uint64_t *seen)
{
    const char *argument = values[*index] + 2;
    const struct option *option = find_option(argument);
    const char *value = strchr(argument, '=');
    if (!option) return wrong("unknown option ", values[*index]);
    if (option->kind == KIND_FLAG) {
        if (value) return wrong("no value is taken by --", option->name);
    } else if (value) {
        value++;
    } else {
        if (*index + 1 >= count) return wrong("a value is missing after --", option->name);
        value = values[++*index];
    }
    *seen |= (uint64_t)1 << (option - options);
    return store(arguments, option, value, (size_t)count);
}

/* The words that are no options: COMMAND, for preview an OPERATION, and an ID. */
static int read_words(struct arguments *arguments, const char *const *words, size_t count)
{
    size_t used = 1;
    if (count == 0) return wrong("a command is missing", NULL);
    if (!strcmp(words[0], "check")) {
        arguments->command = COMMAND_CHECK;
    } else if (!strcmp(words[0], "init")) {
        arguments->command = COMMAND_INIT;
    } else if (!strcmp(words[0], "preview")) {
        arguments->command = COMMAND_PREVIEW;
        arguments->operation = count > used ? find_operation(words[used++]) : CASEHOOK_PUSH;
        if (!arguments->operation) return wrong("unknown operation ", words[1]);
    } else {
        arguments->command = COMMAND_RUN;
        arguments->operation = find_operation(words[0]);
        if (!arguments->operation) return wrong("unknown command ", words[0]);
    }
    if (FOR(arguments->operation) & (GET | UPDATE | COMMENT)) {
        if (count == used) return wrong("an ID is missing after ", words[used - 1]);
        if (arguments->external_id)
            return wrong("the ID stands after the command, not in --external-id", NULL);
        arguments->external_id = words[used++];
    }
    return used < count ? wrong("one word too many: ", words[used]) : -1;
}

static int check_option(const struct arguments *arguments, const struct option *option)
{
    unsigned command = arguments->command == COMMAND_INIT ? (unsigned)INIT : FOR(arguments->operation);
    if (!(option->commands & command)) return wrong("this command has no use for --", option->name);
    if (option->about == ABOUT_MANY && !arguments->batch)
        return wrong("without --batch there is no use for --", option->name);
    if (arguments->batch && (option->about == ABOUT_TEXT || option->about == ABOUT_ONE))
        return wrong("--batch holds the cases; not with it: --", option->name);
    if (arguments->case_file && option->about == ABOUT_TEXT)
        return wrong("--case holds the whole case; not with it: --", option->name);
    return -1;
}

static int check_files(const struct arguments *arguments)
{
    const char *const files[] = {arguments->connector, arguments->settings, arguments->secrets,
                                 arguments->case_file, arguments->batch,    arguments->resume};
    const char *const written[] = {arguments->journal, arguments->failed};
    int standard_input = 0;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (files[i] && !strcmp(files[i], "-")) standard_input++;
    if (standard_input > 1) return wrong("only one file can be standard input", NULL);
    for (size_t i = 0; i < sizeof written / sizeof *written; i++)
        if (written[i] && !strcmp(written[i], "-"))
            return wrong("--journal and --failed want the name of a file", NULL);
    return -1;
}

/* seen: a bit for each entry of options. */
static int check_options(const struct arguments *arguments, uint64_t seen)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        int code = seen & (uint64_t)1 << i ? check_option(arguments, &options[i]) : -1;
        if (code >= 0) return code;
    }
    if (arguments->batch && arguments->command == COMMAND_PREVIEW)
        return wrong("preview shows one case: --case, not --batch", NULL);
    if (arguments->retry_unknown && !arguments->journal)
        return wrong("--retry-unknown needs --journal", NULL);
    if (arguments->max_attempts > 10) return wrong("10 is the most for --max-attempts", NULL);
    if (!!arguments->tracker + !!arguments->from_curl + !!arguments->url > 1)
        return wrong("--tracker, --from-curl and --url exclude each other", NULL);
    if (!arguments->connector && arguments->command != COMMAND_INIT)
        return wrong("--connector FILE is missing", NULL);
    return check_files(arguments);
}

/* All of it in one piece, so that print_flush() sees why it cannot be written. */
static int print_help(void)
{
    static char room[sizeof help + sizeof help_codes];
    setvbuf(stdout, room, _IOFBF, sizeof room);
    return fputs(help, stdout) < 0 || fputs(help_codes, stdout) < 0 ? EXIT_OTHER : EXIT_OK;
}

int arguments_read(struct arguments *arguments, int count, char **values)
{
    const char *words[4];
    size_t word_count = 0;
    uint64_t seen = 0;
    bool only_words = false;
    int code = -1;
    memset(arguments, 0, sizeof *arguments);
    for (int i = 1; i < count && code < 0; i++) {
        if (!only_words && !strcmp(values[i], "--"))
            only_words = true;
        else if (!only_words && !strncmp(values[i], "--", 2))
            code = read_option(arguments, count, values, &i, &seen);
        else if (!only_words && values[i][0] == '-')
            code = wrong("unknown option ", values[i]);
        else if (word_count == sizeof words / sizeof *words)
            code = wrong("one word too many: ", values[i]);
        else
            words[word_count++] = values[i];
    }
    if (code >= 0) return code;
    if (arguments->help) return print_help();
    if (arguments->version)
        return printf("casehook %s\n", casehook_version_string()) < 0 ? EXIT_OTHER : EXIT_OK;
    code = read_words(arguments, words, word_count);
    if (code < 0) code = check_options(arguments, seen);
    return code;
}

void arguments_free(struct arguments *arguments)
{
    free(arguments->tags.items);
    free(arguments->fields.items);
    free(arguments->comments.items);
    free(arguments->sets.items);
}
