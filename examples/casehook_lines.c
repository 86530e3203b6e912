/* casehook_lines.c - the lines of a file, read without waiting. */
#include "casehook_lines.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE   (64 * 1024)
#define LONGEST (8 * 1024 * 1024 + 1) /* the library takes a byte less (include/README.md, limits) */

static bool stop_with(struct lines *lines, int error)
{
    lines->error = error;
    lines->ended = true;
    return false;
}

/* Room for more behind what was read; what was given is dropped. */
static bool make_room(struct lines *lines)
{
    if (lines->begin > 0) {
        memmove(lines->buffer, lines->buffer + lines->begin, lines->end - lines->begin);
        lines->seen -= lines->begin;
        lines->end -= lines->begin;
        lines->begin = 0;
    }
    if (lines->end < lines->capacity) return true;
    size_t capacity = lines->capacity ? lines->capacity * 2 : PIECE;
    char *buffer = realloc(lines->buffer, capacity);
    if (!buffer) return stop_with(lines, ENOMEM);
    lines->buffer = buffer;
    lines->capacity = capacity;
    return true;
}

/* False: nothing came, now or for ever. */
static bool read_more(struct lines *lines)
{
    struct pollfd readable = {.fd = lines->file, .events = POLLIN};
    if (lines->ended || !lines->pieces || poll(&readable, 1, 0) <= 0 || !make_room(lines)) return false;
    lines->pieces--;
    ssize_t count = read(lines->file, lines->buffer + lines->end, lines->capacity - lines->end);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return false;
    if (count <= 0) return stop_with(lines, count < 0 ? errno : 0);
    lines->end += (size_t)count;
    return true;
}

/* Takes a line of that length off the buffer, and the newline behind it; false when it is none of its own. */
static bool take(struct lines *lines, size_t length, size_t newline, char **line, size_t *given)
{
    bool rest = lines->cut;
    *line = lines->buffer + lines->begin;
    *given = length;
    lines->begin += length + newline;
    lines->seen = lines->begin;
    lines->cut = !newline;
    return !rest;
}

bool lines_next(struct lines *lines, char **line, size_t *length)
{
    for (;;) {
        size_t left = lines->end - lines->seen, have = lines->end - lines->begin;
        char *end = left ? memchr(lines->buffer + lines->seen, '\n', left) : NULL;
        lines->seen = lines->end;
        if (end) {
            if (take(lines, (size_t)(end - lines->buffer) - lines->begin, 1, line, length)) return true;
        } else if (have >= LONGEST || (lines->ended && !lines->error && have)) {
            if (take(lines, have, 0, line, length)) return true;
        } else if (!read_more(lines)) {
            if (!lines->ended || have == 0 || lines->error) return false;
        }
    }
}

void lines_free(struct lines *lines)
{
    free(lines->buffer);
    *lines = (struct lines){0};
}
