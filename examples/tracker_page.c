/* tracker_page.c - HTML without scripts.  Everything that came from a request goes through put(). */
#include "tracker_page.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PER_PAGE 100

static const char head[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>";
static const char style[] =
    "</title>\n<style>\n"
    ":root { color-scheme: light dark; --page: #f4f5f7; --card: #fff; --text: #1d2430; --soft: #5c6675; "
    "--line: #dfe3e8;\n"
    "  --link: #0a58ca; --red: #b42318; --orange: #a8500a; --blue: #1c5fb8; --green: #18794e; --tint: 12% }\n"
    "@media (prefers-color-scheme: dark) { :root { --page: #14171c; --card: #1d2229; --text: #e6e9ee; "
    "--soft: #9aa5b4;\n"
    "  --line: #2f3640; --link: #7db4ff; --red: #ff8a80; --orange: #ffb266; --blue: #8ab8ff; --green: "
    "#6fdca4; --tint: 18% } }\n"
    "* { box-sizing: border-box }\n"
    "body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif }\n"
    "header { background: var(--card); border-bottom: 1px solid var(--line) }\n"
    "header a { display: block; max-width: 60rem; margin: auto; padding: .8rem 1rem; font-weight: 600; "
    "color: inherit;\n"
    "  text-decoration: none }\n"
    "main { max-width: 60rem; margin: auto; padding: 1.2rem 1rem 3rem }\n"
    "h1 { font-size: 1.5rem; line-height: 1.3; margin: .2rem 0 .8rem } h2 { font-size: 1.1rem; margin: "
    "1.6rem 0 .5rem }\n"
    "h1, td, pre, .title { overflow-wrap: anywhere }\n"
    "a { color: var(--link) } p.note { color: var(--soft); margin: 0 0 1rem }\n"
    ".card { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .8rem "
    "1rem; margin: 0 0 .6rem }\n"
    "ol { list-style: none; margin: 0; padding: 0 }\n"
    "ol a.card { display: grid; grid-template-columns: 6.5rem 1fr auto; gap: .2rem 1rem; align-items: "
    "baseline; color: inherit;\n"
    "  text-decoration: none }\n"
    "ol a.card:hover, ol a.card:focus-visible { border-color: var(--link) }\n"
    ".key { color: var(--soft); white-space: nowrap }\n"
    ".title { font-weight: 500; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; "
    "overflow: hidden }\n"
    ".marks { display: flex; flex-wrap: wrap; gap: .4rem }\n"
    ".mark { --colour: var(--soft); border-radius: 1rem; padding: 0 .6rem; font-size: .85rem; max-width: "
    "12rem; overflow: hidden;\n"
    "  text-overflow: ellipsis; white-space: nowrap; color: var(--colour);\n"
    "  background: color-mix(in srgb, var(--colour) var(--tint), transparent) }\n"
    ".critical { --colour: var(--red) } .high { --colour: var(--orange) } .open { --colour: var(--blue) }\n"
    ".closed { --colour: var(--green) }\n"
    "table { border-collapse: collapse; width: 100% }\n"
    "th { width: 8rem; color: var(--soft); font-weight: 400; vertical-align: top } td, th { text-align: "
    "left; padding: .15rem 1rem .15rem 0 }\n"
    "pre { font: inherit; white-space: pre-wrap; margin: 0 } small { color: var(--soft) }\n"
    "code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere }\n"
    "@media (max-width: 34rem) { ol a.card { grid-template-columns: 1fr auto } .title { grid-column: 1 / -1; "
    "grid-row: 2 }\n"
    "  th { width: 6rem } }\n"
    "</style>\n</head>\n<body>\n<header><a href=\"/\">Demo tracker</a></header>\n<main>\n";
static const char foot[] = "</main>\n</body>\n</html>\n";

/* Text for HTML.  Control characters have no place there (NUL would end the page for some readers). */
static void put(FILE *page, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '&')
            fputs("&amp;", page);
        else if (c == '<')
            fputs("&lt;", page);
        else if (c == '>')
            fputs("&gt;", page);
        else if (c == '"')
            fputs("&quot;", page);
        else if (c == '\'')
            fputs("&#39;", page);
        else if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
            fputs("\xef\xbf\xbd", page);
        else if (c == 0xc2 && i + 1 < length && (unsigned char)text[i + 1] < 0xa0) /* the C1 controls */
            fputs("\xef\xbf\xbd", page), i++;
        else
            putc(c, page);
    }
}

static void put_string(FILE *page, const json_t *value)
{
    if (json_is_string(value)) put(page, json_string_value(value), json_string_length(value));
}

/* A value of any type: text as it is, everything else as JSON. */
static void put_value(FILE *page, const json_t *value)
{
    char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);
    if (text) put(page, text, strlen(text));
    put_string(page, value);
    free(text);
}

static bool is_empty(const json_t *value)
{
    return !value || json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0);
}

static void put_row(FILE *page, const char *name, const json_t *value)
{
    if (is_empty(value)) return;
    fputs("<tr><th>", page);
    put(page, name, strlen(name));
    fputs("</th><td>", page);
    put_value(page, value);
    fputs("</td></tr>\n", page);
}

static void put_tags(FILE *page, const json_t *tags)
{
    size_t index;
    json_t *tag;
    if (json_array_size(tags) == 0) return;
    fputs("<tr><th>tags</th><td>", page);
    json_array_foreach(tags, index, tag) {
        if (index) fputs(", ", page);
        put_string(page, tag);
    }
    fputs("</td></tr>\n", page);
}

/* Words that have a colour; others are shown all the same. */
static const char *colour_of(const json_t *word)
{
    static const char *const known[] = {"critical", "high", "open", "closed"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (json_is_string(word) && strcmp(json_string_value(word), known[i]) == 0) return known[i];
    return "";
}

static void put_mark(FILE *page, const json_t *word)
{
    if (is_empty(word)) return;
    fprintf(page, "<span class=\"mark %s\">", colour_of(word));
    put_string(page, word);
    fputs("</span> ", page);
}

static void put_comments(FILE *page, const json_t *comments)
{
    size_t index;
    json_t *comment;
    fprintf(page, "<h2>Comments (%zu)</h2>\n", json_array_size(comments));
    json_array_foreach(comments, index, comment) {
        fputs("<section class=\"card\">\n<small>", page);
        put_string(page, json_object_get(comment, "created"));
        fputs("</small>\n<pre>\n", page); /* a first newline is not part of the text */
        put_string(page, json_object_get(comment, "text"));
        fputs("</pre>\n</section>\n", page);
    }
}

static void put_description(FILE *page, const json_t *description)
{
    fputs("<h2>Description</h2>\n<div class=\"card\">\n<pre>\n", page);
    if (is_empty(description))
        fputs("(none)", page);
    else
        put_string(page, description);
    fputs("</pre>\n</div>\n", page);
}

static void put_case(FILE *page, const json_t *record)
{
    static const char *const rows[] = {"status", "severity", "reference", "created", "updated"};
    fputs("<h1>", page);
    put_string(page, json_object_get(record, "key"));
    fputs(": ", page);
    put_string(page, json_object_get(record, "title"));
    fputs("</h1>\n<div class=\"card\">\n<table>\n", page);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        put_row(page, rows[i], json_object_get(record, rows[i]));
    put_tags(page, json_object_get(record, "tags"));
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(record, "fields"), name, value) put_row(page, name, value);
    fputs("</table>\n</div>\n", page);
    put_description(page, json_object_get(record, "description"));
    put_comments(page, json_object_get(record, "comments"));
}

static void put_item(FILE *page, size_t id, const json_t *record)
{
    fprintf(page, "<li><a class=\"card\" href=\"/cases/%zu\"><span class=\"key\">", id);
    put_string(page, json_object_get(record, "key"));
    fputs("</span> <span class=\"title\">", page);
    put_string(page, json_object_get(record, "title"));
    fputs("</span> <span class=\"marks\">", page);
    put_mark(page, json_object_get(record, "severity"));
    put_mark(page, json_object_get(record, "status"));
    fputs("</span></a></li>\n", page);
}

/* What to do when there is nothing to see. */
static void put_hint(FILE *page, const char *url)
{
    fputs("<div class=\"card\">\n<p>There is no case yet. Open the first one:</p>\n<p><code>curl -H "
          "'Content-Type: "
          "application/json' -d '{\"title\": \"Hello\"}' ",
          page);
    put(page, url, strlen(url));
    fputs("/api/cases</code></p>\n<p>or, with this address in its connector document, <code>casehook push "
          "--connector "
          "examples/connectors/tracker.json --title Hello</code></p>\n<p>Where the tracker asks for a login, "
          "curl wants it "
          "as <code>-u USER:PASSWORD</code>.</p>\n</div>\n",
          page);
}

static void put_list(FILE *page, const struct store *store, size_t before, const char *url)
{
    size_t count = store_count(store), id = before && before <= store->last ? before - 1 : store->last;
    fprintf(page, "<h1>Cases</h1>\n<p class=\"note\">%zu case%s, kept in memory until the program ends",
            count, count == 1 ? "" : "s");
    if (store->last > count) fprintf(page, "; the oldest of %zu made room", store->last);
    fputs(".</p>\n", page);
    if (count == 0) put_hint(page, url);
    fputs("<ol>\n", page);
    for (size_t shown = 0; count && id >= store->first && shown < PER_PAGE; shown++, id--)
        put_item(page, id, store_find(store, id));
    fputs("</ol>\n", page);
    if (count && id >= store->first)
        fprintf(page, "<p><a href=\"/?before=%zu\">Older cases</a></p>\n", id + 1);
}

/* Opens a page; finish() gives its text.  name: what of it the title says, NULL for none. */
static FILE *begin(char **text, size_t *length, const json_t *key, const json_t *name)
{
    *text = NULL;
    FILE *page = open_memstream(text, length);
    if (!page) return NULL;
    fputs(head, page);
    put_string(page, key);
    if (key) fputs(": ", page);
    put_string(page, name);
    fputs(name ? " - Demo tracker" : "Cases - Demo tracker", page);
    fputs(style, page);
    return page;
}

static char *finish(FILE *page, char **text)
{
    fputs(foot, page);
    int failed = ferror(page);
    if (fclose(page) || failed) {
        free(*text);
        return NULL;
    }
    return *text;
}

char *page_list(const struct store *store, size_t before, const char *url, size_t *length)
{
    char *text;
    FILE *page = begin(&text, length, NULL, NULL);
    if (!page) return NULL;
    put_list(page, store, before, url);
    return finish(page, &text);
}

char *page_case(const json_t *record, size_t *length)
{
    char *text;
    FILE *page = begin(&text, length, json_object_get(record, "key"), json_object_get(record, "title"));
    if (!page) return NULL;
    put_case(page, record);
    return finish(page, &text);
}

char *page_message(const char *message, size_t *length)
{
    char *text;
    json_t *name = json_string(message);
    FILE *page = begin(&text, length, NULL, name);
    json_decref(name);
    if (!page) return NULL;
    fputs("<h1>", page);
    put(page, message, strlen(message));
    fputs("</h1>\n<p><a href=\"/\">All cases</a></p>\n", page);
    return finish(page, &text);
}
