/* formats.c - text as trackers want it that know no line breaks. */
#include "json/formats.h"

#include "base/unicode.h"
#include "json/jstext.h"

int casehook__format_adf(struct casehook__buf *out, struct casehook__text text)
{
    struct casehook__text line;
    bool paragraph = false, any = false;
    casehook__buf_append_string(out, "{\"type\":\"doc\",\"version\":1,\"content\":[");
    for (size_t at = 0; casehook__unicode_line(text, &at, &line);) {
        if (casehook__text_trim(line).length == 0) { /* which no text of a document may be */
            if (paragraph) casehook__buf_append_string(out, "]}");
            paragraph = false;
            continue;
        }
        if (paragraph)
            casehook__buf_append_string(out, ",{\"type\":\"hardBreak\"},");
        else
            casehook__buf_append_string(out, any ? ",{\"type\":\"paragraph\",\"content\":["
                                                 : "{\"type\":\"paragraph\",\"content\":[");
        paragraph = any = true;
        casehook__buf_append_string(out, "{\"type\":\"text\",\"text\":");
        casehook__js_string(out, line);
        casehook__buf_append_char(out, '}');
    }
    return casehook__buf_append_string(out, paragraph ? "]}]}" : "]}");
}

static const char *html_entity(char c)
{
    switch (c) {
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '&': return "&amp;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
    }
}

int casehook__format_html(struct casehook__buf *out, struct casehook__text text)
{
    struct casehook__text line;
    for (size_t at = 0; casehook__unicode_line(text, &at, &line);) {
        size_t plain = 0;
        for (size_t i = 0; i < line.length; i++) {
            const char *escape = html_entity(line.data[i]);
            if (!escape) continue;
            casehook__buf_append(out, line.data + plain, i - plain);
            casehook__buf_append_string(out, escape);
            plain = i + 1;
        }
        casehook__buf_append(out, line.data + plain, line.length - plain);
        if (line.data + line.length < text.data + at) casehook__buf_append_string(out, "<br>");
    }
    return out->status;
}
