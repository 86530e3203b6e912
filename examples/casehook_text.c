/* casehook_text.c - escaping for people and for JSON. */
#include "casehook_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* Reads one character of UTF-8; its length, or 0 when there is none. */
static size_t decode(const char *text, size_t length, uint32_t *character)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = (unsigned char)*text;
    size_t size = first < 0x80   ? 1
                  : first < 0xc0 ? 0
                  : first < 0xe0 ? 2
                  : first < 0xf0 ? 3
                  : first < 0xf8 ? 4
                                 : 0;
    if (size == 0 || size > length) return 0;
    *character = size == 1 ? first : first & (0x7fU >> size);
    for (size_t i = 1; i < size; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80) return 0;
        *character = *character << 6 | ((unsigned char)text[i] & 0x3f);
    }
    bool surrogate = *character >= 0xd800 && *character <= 0xdfff;
    return *character < least[size] || *character > 0x10ffff || surrogate ? 0 : size;
}

size_t utf8_length(const char *text, size_t length)
{
    uint32_t character;
    return length ? decode(text, length, &character) : 0;
}

static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

/* Line separators, and marks that make text look like another text. */
static bool is_deceptive(uint32_t c)
{
    return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

void print_clean(FILE *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length;) {
        uint32_t c = 0;
        size_t size = decode(text + i, length - i, &c);
        if (size == 0)
            fprintf(out, "\\x%02x", (unsigned char)text[i]);
        else if (c == '\n')
            fputs("\\n", out);
        else if (c == '\t')
            fputs("\\t", out);
        else if (is_control(c) || is_deceptive(c))
            fprintf(out, "\\u%04x", c);
        else
            fwrite(text + i, 1, size, out);
        i += size ? size : 1;
    }
}

void write_json_string(FILE *out, const char *text, size_t length)
{
    putc('"', out);
    for (size_t i = 0; i < length;) {
        uint32_t c = 0;
        size_t size = decode(text + i, length - i, &c);
        if (size == 0)
            fputs("\xef\xbf\xbd", out);
        else if (c == '"' || c == '\\')
            fprintf(out, "\\%c", (char)c);
        else if (c < 0x20)
            fprintf(out, "\\u%04x", c);
        else
            fwrite(text + i, 1, size, out);
        i += size ? size : 1;
    }
    putc('"', out);
}

void write_json(FILE *out, const char *json, size_t length)
{
    if (!isatty(fileno(out))) {
        fwrite(json, 1, length, out);
        return;
    }
    for (size_t i = 0; i < length;) { /* such characters stand only inside of strings */
        uint32_t c = 0;
        size_t size = decode(json + i, length - i, &c);
        if (size && c >= 0x7f && (is_control(c) || is_deceptive(c)))
            fprintf(out, "\\u%04x", c);
        else
            fwrite(json + i, 1, size ? size : 1, out);
        i += size ? size : 1;
    }
}
