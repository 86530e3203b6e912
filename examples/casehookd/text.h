/*
 * text.h - a growing text whose failure is looked at once, at the end.
 */
#ifndef CASEHOOKD_TEXT_H
#define CASEHOOKD_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    char *data; /* followed by a NUL that does not count; NULL while empty */
    size_t length, capacity;
    bool failed; /* memory ran out: what is there is not all */
};

void text_append(struct text *text, const char *data, size_t length);
void text_string(struct text *text, const char *terminated);
void text_format(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* For HTML, as content or as a quoted attribute: controls and what turns the direction of writing are shown
 * as U+FFFD.  NULL: nothing. */
void text_html(struct text *text, const char *terminated);
void text_free(struct text *text);
/* Bytes that are not UTF-8 become question marks. */
void text_make_utf8(char *text);
/* Bytes of the character of UTF-8 that begins there, 0: it is none. */
size_t text_character(const char *text);

/* A copy, NULL when memory ran out or text is NULL. */
char *text_copy(const char *text);

/* jansson leaves out what it has no memory for, and does not always say so: from now on it is known.  Call it
 * before anything uses jansson. */
void json_watch_memory(void);
/* Whether this thread had no memory for JSON since it asked last. */
bool json_lacked_memory(void);

/* The first bytes of the SHA-256 of data as lower case hexadecimal digits, with a NUL: hex has size bytes.
 * false: memory ran out. */
bool text_digest(const char *data, size_t length, char *hex, size_t size);

/* Whether two secrets are the same, in a time that does not say where they differ. */
bool text_same_secret(const char *a, const char *b);

/* Overwrites, then frees. */
void text_wipe(char *text);

/* All of a regular file of at most max bytes, with a NUL; NULL, and errno, when it cannot be read. */
char *text_read_file(const char *path, size_t max, size_t *length);

#endif
