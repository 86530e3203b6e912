/* text.c - growing, escaping, comparing. */
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool reserve(struct text *text, size_t more)
{
    if (text->failed) return false;
    if (text->capacity - text->length > more) return true;
    size_t capacity = text->capacity ? text->capacity : 256;
    while (capacity - text->length <= more) capacity *= 2;
    char *data = realloc(text->data, capacity);
    if (!data) {
        text->failed = true;
        return false;
    }
    text->data = data;
    text->capacity = capacity;
    return true;
}

void text_append(struct text *text, const char *data, size_t length)
{
    if (!reserve(text, length)) return;
    if (length) memcpy(text->data + text->length, data, length);
    text->length += length;
    text->data[text->length] = '\0';
}

void text_string(struct text *text, const char *terminated)
{
    text_append(text, terminated, strlen(terminated));
}

void text_format(struct text *text, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    if (length >= 0 && reserve(text, (size_t)length)) {
        vsnprintf(text->data + text->length, (size_t)length + 1, format, again);
        text->length += (size_t)length;
    }
    va_end(again);
    va_end(arguments);
}

/* U+202A to U+202E and U+2066 to U+2069, U+200E, U+200F: how many bytes, or 0. */
static size_t direction_length(const unsigned char *p)
{
    if (p[0] != 0xE2) return 0;
    bool embeds = p[1] == 0x80 && ((p[2] >= 0xAA && p[2] <= 0xAE) || p[2] == 0x8E || p[2] == 0x8F);
    bool isolates = p[1] == 0x81 && p[2] >= 0xA6 && p[2] <= 0xA9;
    return embeds || isolates ? 3 : 0;
}

void text_html(struct text *text, const char *terminated)
{
    for (const unsigned char *p = (const unsigned char *)(terminated ? terminated : ""); *p; p++) {
        size_t turns = direction_length(p);
        switch (*p) {
        case '&': text_string(text, "&amp;"); continue;
        case '<': text_string(text, "&lt;"); continue;
        case '>': text_string(text, "&gt;"); continue;
        case '"': text_string(text, "&quot;"); continue;
        case '\'': text_string(text, "&#39;"); continue;
        default: break;
        }
        if (turns || (*p < ' ' && *p != '\n' && *p != '\t') || *p == 0x7F) {
            text_string(text, "\xEF\xBF\xBD");
            if (turns) p += turns - 1;
        } else {
            text_append(text, (const char *)p, 1);
        }
    }
}

size_t text_character(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t length = *at < 0x80                  ? 1
                    : *at >= 0xC2 && *at < 0xE0 ? 2
                    : (*at & 0xF0) == 0xE0      ? 3
                    : *at >= 0xF0 && *at < 0xF5 ? 4
                                                : 0;
    for (size_t i = 1; i < length; i++)
        if ((at[i] & 0xC0) != 0x80) return 0;
    if ((*at == 0xE0 && at[1] < 0xA0) || (*at == 0xED && at[1] > 0x9F)) return 0;
    return (*at == 0xF0 && at[1] < 0x90) || (*at == 0xF4 && at[1] > 0x8F) ? 0 : length;
}

void text_make_utf8(char *text)
{
    while (*text) {
        size_t length = text_character(text);
        if (length == 0) *text = '?';
        text += length ? length : 1;
    }
}

void text_free(struct text *text)
{
    free(text->data);
    memset(text, 0, sizeof *text);
}

char *text_copy(const char *text)
{
    return text ? strdup(text) : NULL;
}

static _Thread_local bool lacked;

static void *watched_malloc(size_t size)
{
    void *memory = malloc(size);
    if (!memory) lacked = true;
    return memory;
}

void json_watch_memory(void)
{
    json_set_alloc_funcs(watched_malloc, free);
}

bool json_lacked_memory(void)
{
    bool did = lacked;
    lacked = false;
    return did;
}

bool text_digest(const char *data, size_t length, char *hex, size_t size)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    if (!SHA256((const unsigned char *)data, length, digest)) return false;
    for (size_t i = 0; i < sizeof digest && 2 * i + 2 < size; i++) sprintf(hex + 2 * i, "%02x", digest[i]);
    return true;
}

bool text_same_secret(const char *a, const char *b)
{
    unsigned char x[SHA256_DIGEST_LENGTH], y[SHA256_DIGEST_LENGTH];
    return SHA256((const unsigned char *)a, strlen(a), x) && SHA256((const unsigned char *)b, strlen(b), y) &&
           CRYPTO_memcmp(x, y, sizeof x) == 0;
}

void text_wipe(char *text)
{
    if (text) OPENSSL_cleanse(text, strlen(text));
    free(text);
}

char *text_read_file(const char *path, size_t max, size_t *length)
{
    struct stat about;
    char *data = NULL;
    size_t got = 0;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return NULL;
    if (fstat(file, &about) || !S_ISREG(about.st_mode)) {
        errno = EINVAL;
    } else if ((uint64_t)about.st_size > max) {
        errno = EFBIG;
    } else if ((data = malloc((size_t)about.st_size + 1))) {
        while (got < (size_t)about.st_size) {
            ssize_t now = read(file, data + got, (size_t)about.st_size - got);
            if (now < 0 && errno == EINTR) continue;
            if (now <= 0) break;
            got += (size_t)now;
        }
        data[got] = '\0';
        if (length) *length = got;
    }
    close(file);
    return data;
}
