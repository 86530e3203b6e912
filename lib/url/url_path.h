/*
 * url_path.h - what becomes of path, query and fragment of a rendered URL (U2, U3), for the url modules
 * alone.
 */
#ifndef CASEHOOK_URL_PATH_H
#define CASEHOOK_URL_PATH_H

#include "url/url_parts.h"

struct casehook__url_style {
    bool shown;      /* text for people (the view URL): slashes are collapsed, nothing else is touched */
    bool keep_slash; /* a slash at the very end stays */
};

/*
 * Normalises what stands in buf from start to its end, in place: path, query and fragment.
 * Unless shown, dot segments are resolved, raw characters encoded, an empty query and the fragment dropped.
 */
int casehook__url_path_normalise(struct casehook__buf *buf, size_t start, struct casehook__url_style style);

/*
 * The watch over path segments that hold a variable (U3).  Marks come in rising order, so the segment of the
 * last one is all that is kept: it is judged when a mark behind it comes, and at the end.
 */
struct casehook__url_watch {
    size_t start;    /* of the path in the buffer */
    size_t scanned;  /* up to here the path is known */
    size_t mark;     /* the last mark; SIZE_MAX when none is open */
    bool path_ended; /* a ? or # was passed */
    bool refused;
    char found[8]; /* the segment that was refused */
};

void casehook__url_watch_init(struct casehook__url_watch *watch, size_t start);
/* A variable stands at the end of buf: a casehook__template_at. */
void casehook__url_watch_mark(void *watch, const struct casehook__buf *buf);
/* Judges the last segment; false when one was refused. */
bool casehook__url_watch_finish(struct casehook__url_watch *watch, const struct casehook__buf *buf);

#endif
