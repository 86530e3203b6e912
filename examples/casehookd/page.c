/* page.c - GET /: the outbox for people, readable without scripts; every text from outside is only text. */
#include "page.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static const char style[] =
    ":root{color-scheme:light dark;--line:#d5d9de;--soft:#5b6570;--back:#fff;--card:#f6f7f9;--text:#1b1f24;"
    "--bad:#b3261e;--wait:#8a5a00;--good:#1a7f37;--link:#0b5cad}\n"
    "@media(prefers-color-scheme:dark){:root{--line:#39414b;--soft:#9aa5b1;--back:#15191e;--card:#1d232a;"
    "--text:#e6eaef;--bad:#ff8a80;--wait:#f0b354;--good:#6fd08c;--link:#7cb7f5}}\n"
    "*{box-sizing:border-box}body{margin:0 auto;padding:1rem;max-width:70rem;background:var(--back);"
    "color:var(--text);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}\n"
    "h1{font-size:1.4rem;margin:.2rem 0 1rem}h2{font-size:1.1rem;margin:1.8rem 0 .6rem}a{color:var(--link)}"
    "dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(8.5rem,1fr));gap:.6rem;margin:0}"
    "dl div{background:var(--card);border:1px solid var(--line);border-radius:.4rem;padding:.5rem .7rem}"
    "dt{color:var(--soft);font-size:.85rem}dd{margin:0;font-size:1.3rem;font-variant-numeric:tabular-nums}\n"
    "ul{list-style:none;margin:0;padding:0}li{border:1px solid var(--line);border-left:.3rem solid "
    "var(--soft);"
    "border-radius:.4rem;padding:.6rem .8rem;margin:0 0 .6rem;background:var(--card)}"
    "li.bad{border-left-color:var(--bad)}li.wait{border-left-color:var(--wait)}li.good{border-left-color:var("
    "--good)}"
    "li p{margin:.15rem 0}.soft{color:var(--soft);font-size:.9rem}.bad .why{color:var(--bad)}"
    ".title{font-weight:600;white-space:pre-wrap;max-height:9rem;overflow-y:auto}form{display:flex;flex-wrap:"
    "wrap;gap:.5rem;margin:.5rem 0 0}"
    "button,input{font:inherit;padding:.3rem .8rem;border:1px solid var(--line);border-radius:.3rem;"
    "background:var(--back);color:var(--text)}button{cursor:pointer}input{max-width:12rem}"
    "button:focus-visible,a:focus-visible,input:focus-visible{outline:2px solid "
    "var(--link);outline-offset:2px}\n";

static void write_when(struct text *out, const char *what, int64_t ms)
{
    char date[40];
    time_t seconds = (time_t)(ms / 1000);
    struct tm parts;
    if (ms <= 0 || !gmtime_r(&seconds, &parts)) return;
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &parts);
    text_format(out, " · %s <time datetime=\"%s\">%.10s %.8s UTC</time>", what, date, date, date + 11);
}

/* A link only where it leads to the web. */
static void write_link(struct text *out, const char *url, const char *name)
{
    bool web = url && (!strncasecmp(url, "https://", 8) || !strncasecmp(url, "http://", 7));
    if (web) {
        text_string(out, "<a rel=\"noreferrer noopener\" href=\"");
        text_html(out, url);
        text_string(out, "\">");
    }
    text_html(out, name);
    if (web) text_string(out, "</a>");
}

static void write_button(struct text *out, const char *action, const char *name)
{
    text_format(out, "<button name=\"action\" value=\"%s\">%s</button>", action, name);
}

static void write_form(struct text *out, const struct casehook_outbox_entry *entry, const char *token)
{
    bool stuck = entry->state == CASEHOOK_OUTBOX_PARKED || entry->state == CASEHOOK_OUTBOX_UNKNOWN;
    text_format(
        out,
        "<form method=\"post\" action=\"/entries\"><input type=\"hidden\" name=\"token\" value=\"%s\">"
        "<input type=\"hidden\" name=\"id\" value=\"%" PRIu64 "\">",
        token, entry->id);
    write_button(out, "retry", stuck ? "Try again" : "Try now");
    write_button(out, "discard", "Discard");
    if (page_can_make_again(entry)) write_button(out, "again", "It was deleted there: make it again");
    if (stuck) {
        text_string(out, "<input name=\"external\" maxlength=\"200\" placeholder=\"id in the tracker\" "
                         "aria-label=\"id in the tracker\">");
        write_button(out, "done", "It was done");
    }
    text_string(out, "</form>");
}

static const char *class_of(int state)
{
    switch (state) {
    case CASEHOOK_OUTBOX_PARKED:
    case CASEHOOK_OUTBOX_UNKNOWN: return "bad";
    case CASEHOOK_OUTBOX_DONE: return "good";
    default: return "wait";
    }
}

/* token NULL: without buttons. */
static void write_entry(struct text *out, const struct casehook_outbox_entry *entry, const char *token)
{
    text_format(out, "<li class=\"%s\" id=\"e%" PRIu64 "\"><p class=\"title\">", class_of(entry->state),
                entry->id);
    write_link(out, entry->url, entry->title && *entry->title ? entry->title : "(no title)");
    text_string(out, "</p>");
    if (entry->message && *entry->message) {
        text_string(out, "<p class=\"why\">");
        text_html(out, entry->message);
        text_string(out, "</p>");
    }
    text_format(out, "<p class=\"soft\">%s · %s to ", casehook_outbox_state_name(entry->state),
                casehook_operation_name(entry->operation));
    text_html(out, entry->connector);
    text_format(out, " · entry %" PRIu64, entry->id);
    if (entry->case_id) {
        text_string(out, " · case ");
        text_html(out, entry->case_id);
    }
    if (entry->external_id) {
        text_string(out, " · there ");
        text_html(out, entry->external_id);
    }
    write_when(out, "put", entry->put_ms);
    if (entry->attempts) text_format(out, " · %u attempt%s", entry->attempts, entry->attempts > 1 ? "s" : "");
    if (entry->state == CASEHOOK_OUTBOX_WAITING && entry->attempts) write_when(out, "next", entry->due_ms);
    text_string(out, "</p>");
    if (token) write_form(out, entry, token);
    text_string(out, "</li>\n");
}

#define IN(state) CASEHOOK_OUTBOX_IN(CASEHOOK_OUTBOX_##state)

enum { PAGE_ENTRIES = 100 };

/* What the page shows; one of them alone, from an entry on, where name and before are asked for. */
static const struct list {
    const char *name, *heading, *empty;
    uint32_t states, by_case;
} lists[] = {
    {"stuck", "Needs a person", "Nothing does.", IN(PARKED) | IN(UNKNOWN), 0},
    {"waiting", "Waiting", "Nothing waits.", IN(WAITING) | IN(QUEUED) | IN(SENDING), 0},
    {"cases", "Cases", "There was none yet.", IN(DONE), 1},
};

/* The way to those that are older than the last one shown: lower ids; of cases, earlier ones, of which some
 * are shown again when they were done in the same moment. */
static void write_older(struct text *out, const struct list *what, const struct casehook_outbox_list *found,
                        uint64_t before, uint64_t count)
{
    struct casehook_outbox_entry entry = {.struct_size = sizeof entry};
    casehook_outbox_list_entry(found, what->by_case ? PAGE_ENTRIES : PAGE_ENTRIES - 1, &entry);
    uint64_t next = what->by_case ? (uint64_t)entry.due_ms + 1 : entry.id;
    if (before && next >= before) next = before - 1;
    text_string(out, "<p>");
    if (!before && count > PAGE_ENTRIES) text_format(out, "… and %" PRIu64 " more: ", count - PAGE_ENTRIES);
    text_format(out, "<a href=\"/?list=%s&amp;before=%" PRIu64 "\">older ones</a></p>\n", what->name, next);
}

/* A heading and the entries; count is of all, 0 where it is not known. */
static void write_list(struct text *out, struct casehook_outbox *outbox, const struct list *what,
                       uint64_t before, uint64_t count, const char *token)
{
    const struct casehook_outbox_query query = {.struct_size = sizeof query,
                                                .states = what->states,
                                                .by_case = what->by_case,
                                                .before = before,
                                                .limit = PAGE_ENTRIES + 1};
    struct casehook_outbox_list *list = NULL;
    struct casehook_outbox_error *error = NULL;
    text_format(out, "<h2>%s</h2>\n", what->heading);
    int status = casehook_outbox_find(outbox, &query, &list, &error);
    size_t there = casehook_outbox_list_count(list);
    if (status) {
        text_string(out, "<p class=\"why\">");
        text_html(out, casehook_outbox_error_message(error));
        text_string(out, "</p>\n");
    } else if (!there) {
        text_format(out, "<p class=\"soft\">%s</p>\n", before ? "There are no older ones." : what->empty);
    } else {
        text_string(out, "<ul>\n");
        for (size_t i = 0; i < there && i < PAGE_ENTRIES; i++) {
            struct casehook_outbox_entry entry = {.struct_size = sizeof entry};
            if (!casehook_outbox_list_entry(list, i, &entry))
                write_entry(out, &entry, what->by_case ? NULL : token);
        }
        text_string(out, "</ul>\n");
        if (there > PAGE_ENTRIES) write_older(out, what, list, before, count);
    }
    casehook_outbox_list_free(list);
    casehook_outbox_error_free(error);
}

static void write_number(struct text *out, const char *name, uint64_t number)
{
    text_format(out, "<div><dt>%s</dt><dd>%" PRIu64 "</dd></div>", name, number);
}

static void write_numbers(struct text *out, struct casehook_outbox *outbox, struct casehook_outbox_stats *s)
{
    struct casehook_outbox_error *error = NULL;
    if (casehook_outbox_get_stats(outbox, s, &error)) {
        text_string(out, "<p class=\"why\">");
        text_html(out, casehook_outbox_error_message(error));
        text_string(out, "</p>\n");
    } else {
        text_string(out, "<dl>");
        write_number(out, "waiting", s->waiting + s->queued);
        write_number(out, "being sent", s->sending);
        write_number(out, "need a person", s->parked + s->unknown);
        write_number(out, "done lately", s->done);
        write_number(out, "oldest, seconds", (uint64_t)s->oldest_age_ms / 1000);
        text_string(out, "</dl>\n");
    }
    casehook_outbox_error_free(error);
}

static void write_lists(struct request *request, struct text *out, const struct casehook_outbox_stats *s,
                        const char *token)
{
    const uint64_t counts[] = {s->parked + s->unknown, s->waiting + s->queued + s->sending, 0};
    const char *name = request_argument(request, "list"), *from = request_argument(request, "before");
    uint64_t before = name && from ? strtoull(from, NULL, 10) : 0;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (!before || !strcmp(name, lists[i].name))
            write_list(out, request->server->outbox, &lists[i], before, counts[i], token);
    if (before) text_string(out, "<p><a href=\"/\">all that is new</a></p>\n");
}

static void write_page(struct request *request, struct text *out)
{
    static const struct {
        const char *done, *words;
    } said[] = {{"retry", "It will be tried again."},
                {"done", "It counts as done."},
                {"again", "The case will be made again."},
                {"discard", "It was discarded."}};
    struct casehook_outbox_stats stats = {.struct_size = sizeof stats};
    char token[FORM_TOKEN_SIZE];
    form_token(&request->config->page, 0, token);
    text_string(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                     "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
                     "<title>casehookd</title><link rel=\"stylesheet\" href=\"/-/style.css\"></head><body>\n"
                     "<h1>casehookd</h1>\n");
    const char *done = request_argument(request, "done");
    for (size_t i = 0; done && i < sizeof said / sizeof *said; i++)
        if (!strcmp(done, said[i].done)) text_format(out, "<p role=\"status\">%s</p>\n", said[i].words);
    write_numbers(out, request->server->outbox, &stats);
    write_lists(request, out, &stats, token);
    text_string(out, "</body></html>\n");
}

void handle_page(struct request *request, struct answer *answer)
{
    if (!strcmp(request->path, "/-/style.css")) {
        answer->type = "text/css; charset=utf-8";
        text_string(&answer->body, style);
    } else {
        answer->type = "text/html; charset=utf-8";
        write_page(request, &answer->body);
    }
}
