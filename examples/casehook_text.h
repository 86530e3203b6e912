/*
 * casehook_text.h - text from outside, written where it can do no harm.
 */
#ifndef CASEHOOK_TEXT_H
#define CASEHOOK_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* Bytes of the character of UTF-8 that text begins with; 0: it is none. */
size_t utf8_length(const char *text, size_t length);

/*
 * Writes text for people: control characters, what turns the direction of writing and bytes that are
 * no UTF-8 appear as \n, \u001b, \xff, so that text from a server or a file cannot command a terminal.
 */
void print_clean(FILE *out, const char *text, size_t length);

/* Writes a JSON string with its quotes; what is not UTF-8 becomes U+FFFD. */
void write_json_string(FILE *out, const char *text, size_t length);

/* Writes JSON as it is, but to a terminal DEL and the C1 controls as \u escapes: the same value. */
void write_json(FILE *out, const char *json, size_t length);

#endif
