/* casehook_queue.c - outbox list, show, stats; retry, again, discard, done, forget. */
#include "casehook_queue.h"

#include "casehook_args.h"
#include "casehook_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int wrong(const char *what)
{
    fprintf(stderr, "casehook: %s; casehook --help says more\n", what);
    return EXIT_USAGE;
}

enum { TITLE_CHARACTERS = 60 };

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

/* Its beginning, up to the end of a character, where it is longer than is good in a line; show has all of it.
 */
static void print_title(const char *title)
{
    size_t length = strlen(title), end = 0, characters = 0;
    for (; end < length && characters < TITLE_CHARACTERS; characters++) {
        size_t size = utf8_length(title + end, length - end);
        end += size ? size : 1;
    }
    print_clean(stdout, title, end);
    if (end < length) fputs("\u2026", stdout);
}

static void print_line(const struct casehook_outbox_entry *entry)
{
    printf("%8" PRIu64 "  %-9s %-7s ", entry->id, casehook_outbox_state_name(entry->state),
           casehook_operation_name(entry->operation));
    const char *texts[] = {entry->connector, entry->title ? entry->title : entry->case_id, entry->message};
    for (size_t i = 0; i < 3; i++) {
        if (!texts[i]) continue;
        if (i) fputs(i == 1 ? ": " : "  - ", stdout);
        if (i == 1)
            print_title(texts[i]);
        else
            print_clean(stdout, texts[i], strlen(texts[i]));
    }
    putchar('\n');
}

/* One page, and the number of its last entry; of several as JSON each goes on in the same list. */
static int print_page(struct casehook_outbox_list *list, const struct outbox_arguments *a, bool first,
                      uint64_t *last)
{
    size_t count = casehook_outbox_list_count(list), length = 0;
    struct casehook_outbox_entry entry = {.struct_size = sizeof entry};
    const char *text = a->json ? casehook_outbox_list_json(list, &length) : NULL;
    if (a->json && !text) return EXIT_OTHER;
    if (!first && count && a->json) putchar(',');
    if (a->json) write_json(stdout, text + 1, length - 2);
    for (size_t i = 0; i < count; i++) {
        if (casehook_outbox_list_entry(list, i, &entry)) return EXIT_OTHER;
        *last = entry.id;
        if (!a->json) a->entry ? print_entry(&entry) : print_line(&entry);
    }
    return EXIT_OK;
}

static int show(struct casehook_outbox *outbox, const struct outbox_arguments *a)
{
    struct casehook_outbox_query query = {.struct_size = sizeof query, .id = a->entry, .full = 1};
    struct casehook_outbox_error *error = NULL;
    struct casehook_outbox_list *list = NULL;
    uint64_t last;
    if (casehook_outbox_find(outbox, &query, &list, &error)) return outbox_fault(a->outbox, error);
    int code = EXIT_USAGE;
    if (casehook_outbox_list_count(list)) {
        if (a->json) putchar('[');
        code = print_page(list, a, true, &last);
        if (a->json) puts("]");
    } else {
        fprintf(stderr, "casehook: there is no entry %" PRIu64 "\n", a->entry);
    }
    casehook_outbox_list_free(list);
    return code;
}

enum { USUAL = 100, PAGE_MAX = 1000 };

/* What is asked for, out of the arguments. */
static int read_query(const struct outbox_arguments *a, struct casehook_outbox_query *query, uint64_t *limit)
{
    *query = (struct casehook_outbox_query){.struct_size = sizeof *query, .connector = a->to};
    *limit = USUAL;
    for (int state = CASEHOOK_OUTBOX_WAITING; a->state && state <= CASEHOOK_OUTBOX_REPLACED; state++)
        if (!strcmp(casehook_outbox_state_name(state), a->state)) query->states = CASEHOOK_OUTBOX_IN(state);
    if (a->state && !query->states)
        return wrong(
            "--state must be waiting, queued, sending, parked, unknown, done, discarded or replaced");
    if (a->limit && !outbox_number(a->limit, limit)) return wrong("--limit takes a number from 1 on");
    if (a->before && !outbox_number(a->before, &query->before))
        return wrong("--before takes the number of an entry");
    return EXIT_OK;
}

/* The newest ones, in pages; that there are more is said where it disturbs nobody who reads them. */
static int list(struct casehook_outbox *outbox, const struct outbox_arguments *a)
{
    struct casehook_outbox_query query;
    uint64_t limit, shown = 0;
    int code = read_query(a, &query, &limit);
    bool more = code == EXIT_OK;
    if (more && a->json) putchar('[');
    while (more) {
        struct casehook_outbox_error *error = NULL;
        struct casehook_outbox_list *page = NULL;
        uint64_t left = limit - shown;
        query.limit = !left ? 1 : left < PAGE_MAX ? (uint32_t)left : PAGE_MAX;
        if (casehook_outbox_find(outbox, &query, &page, &error)) return outbox_fault(a->outbox, error);
        size_t count = casehook_outbox_list_count(page);
        if (left) code = print_page(page, a, shown == 0, &query.before);
        casehook_outbox_list_free(page);
        shown += left ? count : 0;
        more = left && code == EXIT_OK && count == query.limit;
        if (!left && count)
            fprintf(stderr,
                    "casehook: these are the newest %" PRIu64
                    "; there are more: --limit NUMBER, or --before %" PRIu64 "\n",
                    shown, query.before);
    }
    if (code == EXIT_OK && a->json) puts("]");
    return code;
}

/* Numbers of the database. */
static int print_stats(struct casehook_outbox *outbox, const struct outbox_arguments *a)
{
    struct casehook_outbox_stats stats = {.struct_size = sizeof stats};
    struct casehook_outbox_error *error = NULL;
    if (casehook_outbox_get_stats(outbox, &stats, &error)) return outbox_fault(a->outbox, error);
    const uint64_t states[] = {stats.waiting, stats.queued, stats.sending,   stats.parked,
                               stats.unknown, stats.done,   stats.discarded, stats.replaced};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        printf(a->json ? "%s\"%s\": %" PRIu64 : "%s%-12s%" PRIu64 "\n",
               !a->json ? ""
               : i      ? ", "
                        : "{",
               casehook_outbox_state_name((int)i + 1), states[i]);
    printf(a->json ? ", \"bytes\": %" PRIu64 ", \"oldestAgeMs\": %" PRId64 "}\n"
                   : "bytes       %" PRIu64 "\noldest      %" PRId64 " ms\n",
           stats.bytes, stats.oldest_age_ms);
    return EXIT_OK;
}

/* ---- deciding ---------------------------------------------------------------------------------- */

static int decide(struct casehook_outbox *outbox, const struct outbox_arguments *a)
{
    struct casehook_outbox_error *error = NULL;
    int status;
    if (a->command == QUEUE_RETRY)
        status = casehook_outbox_retry(outbox, a->entry, &error);
    else if (a->command == QUEUE_AGAIN)
        status = casehook_outbox_again(outbox, a->entry, &error);
    else if (a->command == QUEUE_DISCARD)
        status = casehook_outbox_discard(outbox, a->entry, &error);
    else if (a->command == QUEUE_DONE)
        status = casehook_outbox_done(outbox, a->entry, a->external_id, &error);
    else
        status = casehook_outbox_forget(outbox, a->to, a->words[1], &error);
    return status ? outbox_fault(a->words[1], error) : EXIT_OK;
}

/* ---- all of them ------------------------------------------------------------------------------- */

static int look_or_decide(struct casehook_outbox *outbox, const struct outbox_arguments *a)
{
    switch (a->command) {
    case QUEUE_LIST: return list(outbox, a);
    case QUEUE_SHOW: return show(outbox, a);
    case QUEUE_STATS: return print_stats(outbox, a);
    default: return decide(outbox, a);
    }
}

int outbox_run(int count, char **values)
{
    struct outbox_arguments a;
    int code = outbox_arguments_read(&a, count, values);
    if (code != -1) return code;
    if (a.command == QUEUE_RUN) return outbox_deliver(&a);
    if (!strstr(a.outbox, "://") && access(a.outbox, F_OK) && errno == ENOENT) {
        /* Opening would make an empty one, which would hide that the name is wrong. */
        fputs("casehook: ", stderr);
        print_clean(stderr, a.outbox, strlen(a.outbox));
        fputs(": there is no such file; notify, outbox run and casehookd make an outbox\n", stderr);
        return EXIT_OTHER;
    }
    struct casehook_outbox *outbox = outbox_open(&a, NULL, NULL);
    if (!outbox) return EXIT_OTHER;
    code = look_or_decide(outbox, &a);
    casehook_outbox_close(outbox);
    return code;
}
