/* tracker_page.c - HTML without scripts.  Everything that came from a request goes through put(). */
#include "tracker_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char head[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<title>Demo tracker</title>\n<style>\n"
    "body { font: 16px/1.5 system-ui, sans-serif; max-width: 50em; margin: 2em auto; padding: 0 1em }\n"
    "table { border-collapse: collapse } td, th { text-align: left; padding: .2em 1.5em .2em 0 }\n"
    "pre { font: inherit; white-space: pre-wrap; overflow-wrap: anywhere }\n"
    "section { border-left: .2em solid #ccc; padding-left: 1em; margin: 1em 0 }\n"
    "</style>\n</head>\n<body>\n";
static const char foot[] = "</body>\n</html>\n";

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

static void put_row(FILE *page, const char *name, const json_t *value)
{
    if (!value || json_is_null(value)) return;
    if (json_is_string(value) && json_string_length(value) == 0) return;
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

static void put_comments(FILE *page, const json_t *comments)
{
    size_t index;
    json_t *comment;
    fprintf(page, "<h2>Comments (%zu)</h2>\n", json_array_size(comments));
    json_array_foreach(comments, index, comment) {
        fputs("<section>\n<small>", page);
        put_string(page, json_object_get(comment, "created"));
        fputs("</small>\n<pre>\n", page); /* a first newline is not part of the text */
        put_string(page, json_object_get(comment, "text"));
        fputs("</pre>\n</section>\n", page);
    }
}

static void put_case(FILE *page, const json_t *record)
{
    static const char *const rows[] = {"status", "severity", "reference", "created", "updated"};
    fputs("<p><a href=\"/\">All cases</a></p>\n<h1>", page);
    put_string(page, json_object_get(record, "key"));
    fputs(": ", page);
    put_string(page, json_object_get(record, "title"));
    fputs("</h1>\n<table>\n", page);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        put_row(page, rows[i], json_object_get(record, rows[i]));
    put_tags(page, json_object_get(record, "tags"));
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(record, "fields"), name, value) put_row(page, name, value);
    fputs("</table>\n<h2>Description</h2>\n<pre>\n", page);
    put_string(page, json_object_get(record, "description"));
    fputs("</pre>\n", page);
    put_comments(page, json_object_get(record, "comments"));
}

static void put_list(FILE *page, const struct store *store)
{
    fprintf(page, "<h1>Demo tracker</h1>\n<p>%zu case%s, kept in memory until the program ends.</p>\n",
            store->count, store->count == 1 ? "" : "s");
    fputs("<table>\n<tr><th>case</th><th>title</th><th>severity</th><th>status</th></tr>\n", page);
    for (size_t id = store->count; id >= 1; id--) {
        const json_t *record = store_find(store, id);
        fprintf(page, "<tr><td><a href=\"/cases/%zu\">", id);
        put_string(page, json_object_get(record, "key"));
        fputs("</a></td><td>", page);
        put_string(page, json_object_get(record, "title"));
        fputs("</td><td>", page);
        put_string(page, json_object_get(record, "severity"));
        fputs("</td><td>", page);
        put_string(page, json_object_get(record, "status"));
        fputs("</td></tr>\n", page);
    }
    fputs("</table>\n", page);
}

/* Opens a page; finish() gives its text. */
static FILE *begin(char **text, size_t *length)
{
    *text = NULL;
    FILE *page = open_memstream(text, length);
    if (page) fputs(head, page);
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

char *page_list(const struct store *store, size_t *length)
{
    char *text;
    FILE *page = begin(&text, length);
    if (!page) return NULL;
    put_list(page, store);
    return finish(page, &text);
}

char *page_case(const json_t *record, size_t *length)
{
    char *text;
    FILE *page = begin(&text, length);
    if (!page) return NULL;
    put_case(page, record);
    return finish(page, &text);
}

char *page_message(const char *message, size_t *length)
{
    char *text;
    FILE *page = begin(&text, length);
    if (!page) return NULL;
    fputs("<h1>", page);
    put(page, message, strlen(message));
    fputs("</h1>\n<p><a href=\"/\">All cases</a></p>\n", page);
    return finish(page, &text);
}
