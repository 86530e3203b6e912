/* http_response.c - writing one scripted answer, well-behaved or not. */
#include "http_message.h"
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static const char *phrase(int status)
{
    static const struct {
        int status;
        const char *text;
    } table[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {203, "Non-Authoritative Information"},
        {204, "No Content"},
        {205, "Reset Content"},
        {206, "Partial Content"},
        {300, "Multiple Choices"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {407, "Proxy Authentication Required"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {413, "Payload Too Large"},
        {415, "Unsupported Media Type"},
        {422, "Unprocessable Entity"},
        {429, "Too Many Requests"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (table[i].status == status) return table[i].text;
    }
    return "Unknown";
}

static int has_body(int status)
{
    return status >= 200 && status != 204 && status != 304;
}

static int has_header(const struct http_response *response, const char *name)
{
    for (size_t i = 0; i < response->header_count; i++) {
        if (strcasecmp(response->headers[i].name, name) == 0) return 1;
    }
    return 0;
}

static int write_head(struct stream *stream, const struct http_response *response, int status)
{
    char *text = NULL;
    size_t length = 0;
    FILE *head = open_memstream(&text, &length);
    if (!head) return -1;
    fprintf(head, "HTTP/1.1 %d %s\r\n", status, response->reason ? response->reason : phrase(status));
    for (size_t i = 0; i < response->header_count; i++)
        fprintf(head, "%s: %s\r\n", response->headers[i].name, response->headers[i].value);
    if (response->fault == HTTP_CLOSE_IN_BODY)
        fprintf(head, "Content-Length: %zu\r\n", response->claimed_length);
    else if (has_body(status) && response->chunked)
        fputs("Transfer-Encoding: chunked\r\n", head);
    else if (has_body(status) && !has_header(response, "content-length"))
        fprintf(head, "Content-Length: %zu\r\n", response->body_length);
    if (response->close) fputs("Connection: close\r\n", head);
    fputs("\r\n", head);
    fclose(head);
    int failed = stream_write(stream, text, length);
    free(text);
    return failed;
}

static int write_piece(struct stream *stream, const struct http_response *response, const char *at,
                       size_t length)
{
    char size[32];
    int n = snprintf(size, sizeof size, "%zx\r\n", length);
    if (response->chunked && stream_write(stream, size, (size_t)n) != 0) return -1;
    if (stream_write(stream, at, length) != 0) return -1;
    return response->chunked ? stream_write(stream, "\r\n", 2) : 0;
}

static int write_body(struct stream *stream, const struct http_response *response)
{
    size_t piece = response->piece;
    if (!piece) piece = response->chunked ? 3 : response->body_length; /* 3 splits UTF-8 */
    for (size_t at = 0; at < response->body_length; at += piece) {
        size_t left = response->body_length - at;
        if (at && response->piece_delay_ms && stream_pause(stream, response->piece_delay_ms) != 0) return -1;
        if (write_piece(stream, response, response->body + at, left < piece ? left : piece) != 0) return -1;
    }
    return response->chunked ? stream_write(stream, "0\r\n\r\n", 5) : 0;
}

int http_response_write(struct stream *stream, const struct http_response *response)
{
    int status = response->status ? response->status : 200;
    if (response->delay_ms && stream_pause(stream, response->delay_ms) != 0) return 0;
    if (response->fault == HTTP_RESET_BEFORE_RESPONSE) stream_reset_on_close(stream);
    if (response->fault == HTTP_RESET_BEFORE_RESPONSE || response->fault == HTTP_CLOSE_BEFORE_RESPONSE)
        return 0;
    if (response->raw) {
        stream_write(stream, response->raw, response->raw_length);
        return 0;
    }
    if (write_head(stream, response, status) != 0) return 0;
    if (has_body(status) && write_body(stream, response) != 0) return 0;
    return response->fault == HTTP_NO_FAULT && !response->close;
}
