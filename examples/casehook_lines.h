/*
 * casehook_lines.h - the lines of a file, or of a pipe that is still being written to.
 */
#ifndef CASEHOOK_LINES_H
#define CASEHOOK_LINES_H

#include <stdbool.h>
#include <stddef.h>

struct lines {
    int file;
    char *buffer;
    size_t capacity, begin, seen, end; /* begin: of the next line; seen: there is no newline before */
    size_t pieces;                     /* so many may be read yet, of 64 KiB or more: the caller's to set */
    bool cut;                          /* what comes up to the next newline was too long already */
    bool ended;
    int error; /* errno of what ended it before its time, or 0 */
};

/*
 * The next line, without its newline, until the next call; false when there is none: the end (ended is
 * set), or nothing has been written yet, or what may be read is used up.  Of a line that is longer than any
 * case may be a part is given that is too long as well.
 */
bool lines_next(struct lines *lines, char **line, size_t *length);
void lines_free(struct lines *lines);

#endif
