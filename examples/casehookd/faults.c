/* faults.c - a list of sentences. */
#include "faults.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void faults_add(struct faults *faults, const char *place, const char *format, ...)
{
    char message[1024], *line = NULL;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    char **items = realloc(faults->items, (faults->count + 1) * sizeof *items);
    if (items) faults->items = items;
    if (items) line = malloc(strlen(place) + strlen(message) + 3);
    if (!line) {
        faults->no_memory = true;
        return;
    }
    sprintf(line, "%s%s%s", place, *place ? ": " : "", message);
    faults->items[faults->count++] = line;
}

void faults_clear(struct faults *faults)
{
    for (size_t i = 0; i < faults->count; i++) free(faults->items[i]);
    free(faults->items);
    memset(faults, 0, sizeof *faults);
}

const char *place_of(char place[PLACE_SIZE], const char *outer, const char *name, size_t index)
{
    if (name)
        snprintf(place, PLACE_SIZE, "%.*s%s%.*s", PLACE_SIZE / 2, outer, *outer ? "." : "", PLACE_SIZE / 3,
                 name);
    else
        snprintf(place, PLACE_SIZE, "%.*s[%zu]", PLACE_SIZE - 32, outer, index);
    return place;
}
