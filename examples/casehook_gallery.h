/*
 * casehook_gallery.h - the connector documents of examples/connectors, built in (gallery.py writes them).
 */
#ifndef CASEHOOK_GALLERY_H
#define CASEHOOK_GALLERY_H

#include <stddef.h>

/* What to fill in: the words of the document that stand for it, separated by blanks, and what it is. */
struct gallery_fill {
    const char *words, *place, *what;
};

struct gallery_entry {
    const char *name, *title;
    const char *json;
    size_t length;
    const struct gallery_fill *fill;
    size_t fill_count;
};

extern const struct gallery_entry casehook_gallery[];
extern const size_t casehook_gallery_count;

#endif
