/* exchange_headers.c - the headers of an answer that a host was given. */
#include "call/exchange_handle.h"

/* Takes the next line off text. */
static bool next_line(struct casehook__text *text, struct casehook__text *line)
{
    if (text->length == 0) return false;
    const char *end = memchr(text->data, '\n', text->length);
    size_t length = end ? (size_t)(end - text->data) : text->length, taken = end ? length + 1 : length;
    *line = (struct casehook__text){text->data, length};
    text->data += taken;
    text->length -= taken;
    return true;
}

static void read_header(const struct casehook__config *config, struct casehook__text line,
                        struct casehook__response *response)
{
    const char *colon = memchr(line.data, ':', line.length),
               *id_header = casehook__create_more(config)->id_header;
    if (!colon) return;
    struct casehook__text name = {line.data, (size_t)(colon - line.data)};
    struct casehook__text value = {colon + 1, line.length - name.length - 1};
    struct {
        const char *name;
        struct casehook__text *value;
    } wanted[] = {{"Content-Type", &response->content_type},
                  {"Content-Encoding", &response->content_encoding},
                  {"Location", &response->location},
                  {"Retry-After", &response->retry_after},
                  {id_header ? id_header : "", &response->id_header}};
    name = casehook__text_trim(name);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (casehook__text_is_nocase(name, wanted[i].name) && !wanted[i].value->data)
            *wanted[i].value = casehook__text_trim(value);
}

static bool is_blank_at(struct casehook__text text, size_t at)
{
    return at < text.length && (text.data[at] == ' ' || text.data[at] == '\t');
}

static bool is_fold(struct casehook__text text, size_t at)
{
    return text.data[at] == '\n' && is_blank_at(text, at + 1);
}

/*
 * A line that begins with a blank goes on with the header before it, after one blank (RFC 9112, 5.2); without
 * memory for that the first line of each header has to do.
 */
static struct casehook__text unfold_headers(struct casehook_exchange *handle, struct casehook__text text)
{
    size_t length = 0, at = 0;
    while (at < text.length && !is_fold(text, at)) at++;
    if (at == text.length) return text;
    casehook__buf_clear(&handle->unfolded);
    if (casehook__buf_reserve(&handle->unfolded, text.length)) return text;
    char *out = handle->unfolded.data;
    for (at = 0; at < text.length; at++) {
        if (!is_fold(text, at)) {
            out[length++] = text.data[at];
            continue;
        }
        while (length && casehook__is_space(out[length - 1])) length--;
        while (is_blank_at(text, at + 1)) at++;
        out[length++] = ' ';
    }
    handle->unfolded.length = length;
    return (struct casehook__text){out, length};
}

void casehook__exchange_read_headers(struct casehook_exchange *handle, struct casehook__text headers,
                                     struct casehook__response *response)
{
    struct casehook__text line;
    headers = unfold_headers(handle, headers);
    while (next_line(&headers, &line)) read_header(handle->core.context->config, line, response);
}
