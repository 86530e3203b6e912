/*
 * mask_view.h - a text as a chain of decoders sees it, byte by byte, with the place that each byte came from.
 *
 * Nobody knows how often and how a server escaped what it echoes, so a text is looked at in every way that
 * changes it: percent escapes, those of JSON and those of HTML, one upon the other.  Nothing is allocated and
 * nothing is read twice: a view costs as much as its text is long.  An escape that the end of the text, or a
 * "...", cuts off stays as it is.
 */
#ifndef CASEHOOK_MASK_VIEW_H
#define CASEHOOK_MASK_VIEW_H

#include "base/text.h"

enum casehook__decoder { CASEHOOK__DECODE_PERCENT, CASEHOOK__DECODE_JSON, CASEHOOK__DECODE_HTML };

#define CASEHOOK__DECODERS  3
#define CASEHOOK__VIEW_DEEP 3  /* decoders, one upon the other */
#define CASEHOOK__AHEAD     32 /* bytes that a decoder looks at: two escapes, the second one cut */

/*
 * A byte, and where what stands for it begins and ends in the text.  cut: it is the first of the "..." that
 * names of certificates and messages end with where they were cut.
 */
struct casehook__seen {
    unsigned char byte;
    bool cut;
    uint32_t begin, end;
};

struct casehook__layer {
    enum casehook__decoder decoder;
    bool decoded;                                 /* something */
    struct casehook__seen ahead[CASEHOOK__AHEAD]; /* a ring of what was read below and is not given on yet */
    unsigned first, count;
    struct casehook__seen out[4]; /* of a character that is given on byte by byte */
    unsigned out_at, out_count;
};

struct casehook__view {
    struct casehook__text text;
    size_t at;
    unsigned deep;
    struct casehook__layer layers[CASEHOOK__VIEW_DEEP];
};

/* What escapes begin with, and what they are made of. */
static inline bool casehook__is_sign(char c)
{
    return c == '%' || c == '\\' || c == '&';
}

static inline bool casehook__is_escape_part(char c)
{
    return casehook__is_alpha(c) || casehook__is_digit(c) || casehook__is_sign(c) || c == '#';
}

/* text is shorter than 4 GiB; the first decoder is the one that the text itself is given to; 0: as it is. */
void casehook__view_begin(struct casehook__view *view, struct casehook__text text,
                          const enum casehook__decoder *decoders, unsigned count);
/* The next byte; false: there is none. */
bool casehook__view_next(struct casehook__view *view, struct casehook__seen *seen);

#endif
