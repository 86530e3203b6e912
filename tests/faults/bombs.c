/* bombs.c - answers that never end or become very large. */
#include "bombs.h"
#include "memory.h"

#include <casehook.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OK   "HTTP/1.1 200 OK\r\n"
#define JSON "Content-Type: application/json\r\n"

static int put(struct stream *stream, const char *text)
{
    return stream_write(stream, text, strlen(text));
}

static void endless(struct stream *stream, const char *text)
{
    char piece[4096];
    size_t length = strlen(text), count = sizeof piece / length;
    for (size_t i = 0; i < count; i++) memcpy(piece + i * length, text, length);
    while (!stream_write(stream, piece, count * length)) continue;
}

/* head, count times middle, tail, with a Content-Length. */
static void measured(struct stream *stream, const char *head, const char *middle, size_t count,
                     const char *tail)
{
    char line[64];
    size_t length = strlen(middle);
    snprintf(line, sizeof line, "Content-Length: %zu\r\n\r\n", strlen(head) + length * count + strlen(tail));
    char *body = must_alloc(length * count + 1);
    for (size_t i = 0; i < count; i++) memcpy(body + i * length, middle, length);
    if (!put(stream, OK JSON) && !put(stream, line) && !put(stream, head) && !put(stream, body))
        put(stream, tail);
    free(body);
}

/* ---- gzip ------------------------------------------------------------------------------------- */

struct bits {
    unsigned char *bytes;
    size_t count; /* bits */
};

static void put_bits(struct bits *bits, unsigned value, unsigned width)
{
    for (unsigned i = 0; i < width; i++, bits->count++)
        bits->bytes[bits->count / 8] |= (unsigned char)((value >> i & 1) << bits->count % 8);
}

static const char gzip_head[] = "\x1f\x8b\x08\0\0\0\0\0\0\x03";

/* 512 MiB of spaces: one literal, then copies of 258 bytes, in the fixed code of deflate. */
static struct bits spaces(void)
{
    enum { COPIES = 2 * 1024 * 1024 };
    struct bits bits = {must_alloc(COPIES * 13 / 8 + 64), 0};
    memcpy(bits.bytes, gzip_head, 10);
    bits.count = 80;
    put_bits(&bits, 1, 1);    /* the last block */
    put_bits(&bits, 1, 2);    /* fixed codes */
    put_bits(&bits, 0x0A, 8); /* ' ' is 01010000, most significant bit first */
    for (size_t i = 0; i < COPIES; i++) {
        put_bits(&bits, 0xA3, 8); /* length 258: 11000101 */
        put_bits(&bits, 0, 5);    /* distance 1 */
    }
    return bits;
}

static struct bits bomb;
static pthread_once_t bomb_once = PTHREAD_ONCE_INIT;

static void free_bomb(void)
{
    free(bomb.bytes);
}

static void make_bomb(void)
{
    bomb = spaces();
    atexit(free_bomb);
}

static void gzip(struct stream *stream)
{
    pthread_once(&bomb_once, make_bomb);
    if (!put(stream, OK JSON "Content-Encoding: gzip\r\n\r\n"))
        stream_write(stream, bomb.bytes, bomb.count / 8);
}

static void gzip_refusal(struct stream *stream)
{
    pthread_once(&bomb_once, make_bomb);
    if (!put(stream, "HTTP/1.1 400 No\r\n" JSON "Content-Encoding: gzip\r\n\r\n"))
        stream_write(stream, bomb.bytes, bomb.count / 8);
}

/* The outer layer is stored blocks; the inner one is the bomb. */
static void gzip_twice(struct stream *stream)
{
    pthread_once(&bomb_once, make_bomb);
    if (put(stream, OK JSON "Content-Encoding: gzip, gzip\r\n\r\n") || stream_write(stream, gzip_head, 10))
        return;
    for (size_t at = 0; at < bomb.count / 8; at += 32768) {
        size_t left = bomb.count / 8 - at, length = left < 32768 ? left : 32768;
        unsigned char head[5] = {0, (unsigned char)length, (unsigned char)(length >> 8),
                                 (unsigned char)~length, (unsigned char)(~length >> 8)};
        if (stream_write(stream, head, sizeof head) || stream_write(stream, bomb.bytes + at, length)) return;
    }
}

static void many_encodings(struct stream *stream)
{
    put(stream, OK JSON "Content-Encoding: gzip");
    for (int i = 0; i < 200; i++) put(stream, ", gzip");
    put(stream, "\r\n\r\n");
    stream_write(stream, gzip_head, 10);
}

static void broken_gzip(struct stream *stream)
{
    if (!put(stream, OK JSON "Content-Encoding: gzip\r\n\r\n")) endless(stream, "this is no gzip");
}

/* ---- heads ------------------------------------------------------------------------------------ */

static void headers(struct stream *stream)
{
    if (!put(stream, OK)) endless(stream, "X-Y: z\r\n");
}

static void hundred_thousand_headers(struct stream *stream)
{
    put(stream, OK JSON);
    for (int i = 0; i < 100000; i++)
        if (put(stream, "A:\r\n")) return;
    put(stream, "Content-Length: 2\r\n\r\n{}");
}

static void one_header(struct stream *stream)
{
    if (!put(stream, OK "X-Long: ")) endless(stream, "0123456789");
}

static void folded_header(struct stream *stream)
{
    if (!put(stream, OK "X-Long: a\r\n")) endless(stream, " 0123456789\r\n");
}

static void status_line(struct stream *stream)
{
    if (!put(stream, "HTTP/1.1 200 ")) endless(stream, "OK");
}

static void interim_responses(struct stream *stream)
{
    endless(stream, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
}

static void bare_interim_responses(struct stream *stream)
{
    endless(stream, "HTTP/1.1 100 \r\n\r\n");
}

static void garbage(struct stream *stream)
{
    endless(stream, "this is not HTTP ");
}

static void long_location(struct stream *stream)
{
    char *name = must_alloc(50001);
    memset(name, 'a', 50000);
    put(stream, "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/");
    put(stream, name);
    put(stream, "\r\nContent-Length: 0\r\n\r\n");
    free(name);
}

static void long_location_host(struct stream *stream)
{
    char *name = must_alloc(50001);
    memset(name, 'a', 50000);
    put(stream, "HTTP/1.1 302 Found\r\nLocation: http://");
    put(stream, name);
    put(stream, "/\r\nContent-Length: 0\r\n\r\n");
    free(name);
}

static void redirects(struct stream *stream)
{
    put(stream, "HTTP/1.1 303 See Other\r\nLocation: ?again\r\nContent-Length: 0\r\n\r\n");
}

static void retry_after(struct stream *stream)
{
    put(stream,
        "HTTP/1.1 503 Later\r\nRetry-After: 999999999999999999999999999999\r\nContent-Length: 0\r\n\r\n");
}

static void retry_after_date(struct stream *stream)
{
    put(stream,
        "HTTP/1.1 503 Later\r\nRetry-After: Fri, 31 Dec 9999 23:59:59 GMT\r\nContent-Length: 0\r\n\r\n");
}

/* ---- slow ------------------------------------------------------------------------------------- */

static void drip(struct stream *stream, const char *text)
{
    while (!put(stream, text) && !stream_pause(stream, 20)) continue;
}

static void slow_head(struct stream *stream)
{
    if (!put(stream, OK "X-Slow: ")) drip(stream, "a");
}

static void slow_body(struct stream *stream)
{
    if (!put(stream, OK JSON "\r\n")) drip(stream, " ");
}

static void slow_chunks(struct stream *stream)
{
    if (!put(stream, OK JSON "Transfer-Encoding: chunked\r\n\r\n")) drip(stream, "1\r\n \r\n");
}

static void silence(struct stream *stream)
{
    while (!stream_pause(stream, 1000)) continue;
}

/* ---- bodies ----------------------------------------------------------------------------------- */

static void body(struct stream *stream)
{
    if (!put(stream, OK JSON "\r\n")) endless(stream, "{\"id\":\"42\",\"key\":\"k\"},");
}

static void huge_length(struct stream *stream)
{
    if (!put(stream, OK JSON "Content-Length: 9223372036854775807\r\n\r\n")) endless(stream, " ");
}

static void impossible_length(struct stream *stream)
{
    if (!put(stream, OK JSON "Content-Length: 99999999999999999999999\r\n\r\n")) endless(stream, " ");
}

static void negative_length(struct stream *stream)
{
    if (!put(stream, OK JSON "Content-Length: -1\r\n\r\n")) endless(stream, " ");
}

static void chunks(struct stream *stream)
{
    if (!put(stream, OK JSON "Transfer-Encoding: chunked\r\n\r\n")) endless(stream, "1\r\n[\r\n");
}

static void chunk_size(struct stream *stream)
{
    if (!put(stream, OK JSON "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n")) endless(stream, "[");
}

static void chunk_digits(struct stream *stream)
{
    if (!put(stream, OK JSON "Transfer-Encoding: chunked\r\n\r\n")) endless(stream, "0");
}

static void chunk_minus(struct stream *stream)
{
    if (!put(stream, OK JSON "Transfer-Encoding: chunked\r\n\r\n-1\r\n")) endless(stream, "[");
}

static void chunk_extension(struct stream *stream)
{
    if (!put(stream, OK JSON "Transfer-Encoding: chunked\r\n\r\n1;a=")) endless(stream, "b");
}

static void trailers(struct stream *stream)
{
    if (!put(stream, OK JSON "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"))
        endless(stream, "X-Y: z\r\n");
}

static void length_and_chunks(struct stream *stream)
{
    put(stream, OK JSON "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    endless(stream, "HTTP/1.1 200 OK\r\n\r\n");
}

static void refusal(struct stream *stream)
{
    if (!put(stream, "HTTP/1.1 407 No\r\nContent-Length: 9223372036854775807\r\n\r\n"))
        endless(stream, "no ");
}

static void refusal_in_chunks(struct stream *stream)
{
    if (!put(stream, "HTTP/1.1 407 No\r\nTransfer-Encoding: chunked\r\n\r\n")) endless(stream, "1\r\n!\r\n");
}

/* ---- JSON ------------------------------------------------------------------------------------- */

#define MILLION 1000000

static void deep_lists(struct stream *stream)
{
    measured(stream, "", "[", MILLION, "");
}

static void deep_objects(struct stream *stream)
{
    measured(stream, "", "{\"a\":", 200000, "");
}

static void deep_ignored(struct stream *stream)
{
    measured(stream, "{\"id\":\"42\",\"key\":\"k\",\"x\":", "[", MILLION, "");
}

static void long_number_id(struct stream *stream)
{
    measured(stream, "{\"id\":", "7", MILLION, "}");
}

static void long_number_title(struct stream *stream)
{
    measured(stream, "{\"key\":", "7", MILLION, "}");
}

static void long_fraction_title(struct stream *stream)
{
    measured(stream, "{\"key\":0.", "7", MILLION, "}");
}

static void long_exponent_title(struct stream *stream)
{
    measured(stream, "{\"key\":1e", "9", MILLION, "}");
}

static void long_number_ignored(struct stream *stream)
{
    measured(stream, "{\"id\":\"42\",\"key\":\"k\",\"x\":", "7", MILLION, "}");
}

static void long_string_title(struct stream *stream)
{
    measured(stream, "{\"key\":\"", "\\u0001", 170000, "\"}");
}

static void many_members(struct stream *stream)
{
    measured(stream, "{", "\"id\":\"42\",\"key\":\"k\",", 45000, "\"a\":1}");
}

#define BODY_LIMIT   "maxResponseContentLength"
#define HEADER_LIMIT "headers of the answer"
#define TIME_LIMIT   "responseTimeout"

const struct bomb bombs[] = {
    {"gzip", gzip, NULL, CASEHOOK_E_LIMIT, BODY_LIMIT, 0},
    {"gzip, larger limit", gzip, "{\"maxResponseContentLength\":\"8mb\"}", CASEHOOK_E_LIMIT, BODY_LIMIT, 0},
    {"gzip of a refusal", gzip_refusal, NULL, CASEHOOK_E_HTTP_STATUS, "400", 0},
    {"gzip twice", gzip_twice, NULL, CASEHOOK_E_LIMIT, BODY_LIMIT, 0},
    {"many encodings", many_encodings, NULL, CASEHOOK_E_RESPONSE, "content encoding", 0},
    {"broken gzip", broken_gzip, NULL, CASEHOOK_E_RESPONSE, "content encoding \"gzip\"", 0},
    {"headers", headers, NULL, CASEHOOK_E_LIMIT, HEADER_LIMIT, 0},
    {"100,000 headers", hundred_thousand_headers, NULL, CASEHOOK_E_LIMIT, HEADER_LIMIT, 0},
    {"one header", one_header, NULL, CASEHOOK_E_LIMIT, HEADER_LIMIT, 0},
    {"folded header", folded_header, NULL, CASEHOOK_E_LIMIT, HEADER_LIMIT, 0},
    {"status line", status_line, NULL, CASEHOOK_E_LIMIT, HEADER_LIMIT, 0},
    {"interim responses", interim_responses, NULL, CASEHOOK_E_LIMIT, HEADER_LIMIT, 0},
    {"bare interim responses", bare_interim_responses, NULL, CASEHOOK_E_LIMIT, HEADER_LIMIT, 0},
    {"garbage", garbage, NULL, CASEHOOK_E_RESPONSE, "HTTP", 0},
    {"long Location", long_location, NULL, 1, NULL, 0},
    {"long host in a Location", long_location_host, NULL, CASEHOOK_E_REDIRECT, NULL, 0},
    {"redirects", redirects, NULL, CASEHOOK_E_LIMIT, "maxRedirects", 0},
    {"Retry-After", retry_after, NULL, CASEHOOK_E_HTTP_STATUS, "503", 0},
    {"date of Retry-After", retry_after_date, NULL, CASEHOOK_E_HTTP_STATUS, "503", 0},
    {"slow head", slow_head, NULL, CASEHOOK_E_TIMEOUT, TIME_LIMIT, 0},
    {"slow body", slow_body, NULL, CASEHOOK_E_TIMEOUT, TIME_LIMIT, 0},
    {"slow chunks", slow_chunks, NULL, CASEHOOK_E_TIMEOUT, TIME_LIMIT, 0},
    {"silence", silence, NULL, CASEHOOK_E_TIMEOUT, TIME_LIMIT, 0},
    {"body", body, NULL, CASEHOOK_E_LIMIT, BODY_LIMIT, 0},
    {"huge length", huge_length, NULL, CASEHOOK_E_LIMIT, BODY_LIMIT, 0},
    {"impossible length", impossible_length, NULL, CASEHOOK_E_LIMIT, NULL, 0},
    {"negative length", negative_length, NULL, 1, NULL, 0},
    {"chunks", chunks, NULL, CASEHOOK_E_LIMIT, BODY_LIMIT, 0},
    {"chunk size", chunk_size, NULL, 1, NULL, 0},
    {"digits of a chunk size", chunk_digits, NULL, 1, NULL, 0},
    {"negative chunk size", chunk_minus, NULL, 1, NULL, 0},
    {"chunk extension", chunk_extension, NULL, 1, NULL, 0},
    {"trailers", trailers, NULL, CASEHOOK_E_LIMIT, HEADER_LIMIT, 0},
    {"length and chunks", length_and_chunks, NULL, CASEHOOK_E_RESPONSE, NULL, 0},
    {"refusal", refusal, NULL, CASEHOOK_E_HTTP_STATUS, "407", 0},
    {"refusal in chunks", refusal_in_chunks, NULL, CASEHOOK_E_HTTP_STATUS, "407", 0},
    {"deep lists", deep_lists, NULL, CASEHOOK_E_LIMIT, "nest", 0},
    {"deep objects", deep_objects, NULL, CASEHOOK_E_LIMIT, "nest", 0},
    {"deep member that is ignored", deep_ignored, NULL, CASEHOOK_E_LIMIT, "nest", 0},
    {"id of a million digits", long_number_id, NULL, CASEHOOK_E_RESPONSE, "id", CASEHOOK_CREATE},
    {"title of a million digits", long_number_title, NULL, CASEHOOK_E_LIMIT, "title", CASEHOOK_GET},
    {"title with a long fraction", long_fraction_title, NULL, CASEHOOK_OK, NULL, CASEHOOK_GET},
    {"title with a long exponent", long_exponent_title, NULL, CASEHOOK_E_RESPONSE, "range", CASEHOOK_GET},
    {"number that is ignored", long_number_ignored, NULL, CASEHOOK_OK, NULL, CASEHOOK_GET},
    {"long title", long_string_title, NULL, CASEHOOK_E_LIMIT, "title", CASEHOOK_GET},
    {"many members", many_members, NULL, CASEHOOK_OK, NULL, CASEHOOK_GET},
};
const size_t bomb_count = sizeof bombs / sizeof *bombs;
