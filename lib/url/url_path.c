/* url_path.c - what becomes of path, query and fragment of a rendered URL (U2, U3). */
#include "url/url_path.h"

/* How many dots a segment consists of, %2e counting as one; 0 when of something else too. */
static size_t only_dots(const char *segment, size_t length)
{
    size_t dots = 0;
    for (size_t i = 0; i < length; dots++) {
        if (segment[i] == '.')
            i++;
        else if (length - i >= 3 && segment[i] == '%' && segment[i + 1] == '2' &&
                 casehook__lower(segment[i + 2]) == 'e')
            i += 3;
        else
            return 0;
    }
    return dots;
}

/* Index of the first character of one of these classes, or the end. */
static inline size_t find_class(const char *text, size_t from, size_t end, unsigned classes)
{
    while (from < end && !(casehook__url_class[(unsigned char)text[from]] & classes)) from++;
    return from;
}

#define SEGMENT_END (CASEHOOK__URL_SLASH | CASEHOOK__URL_PATH_END)

struct shape {
    size_t path_end, query_end; /* query_end: where the fragment begins */
    size_t encode;              /* characters to encode before query_end */
    bool path_clean;            /* neither slashes to collapse or drop nor dot segments */
    bool keep_slash;            /* one slash at the end of the path stays (U2) */
};

/* One look at the whole, which for most URLs finds nothing to do. */
static struct shape look_at_rest(const char *text, size_t length, bool keep_slash)
{
    struct shape shape = {.path_clean = true};
    size_t i = 0;
    while ((i = find_class(text, i, length, SEGMENT_END | CASEHOOK__URL_ENCODE_IN_PATH)) < length) {
        unsigned found = casehook__url_class[(unsigned char)text[i]];
        if (found & CASEHOOK__URL_PATH_END) break;
        i++;
        if (found & CASEHOOK__URL_ENCODE_IN_PATH)
            shape.encode++;
        else if (i == length ? !keep_slash : text[i] == '/' || text[i] == '.' || text[i] == '%')
            shape.path_clean = false;
    }
    shape.path_end = i;
    shape.keep_slash = keep_slash || i < length;
    while ((i = find_class(text, i, length, CASEHOOK__URL_QUERY_END | CASEHOOK__URL_ENCODE_IN_QUERY)) <
           length) {
        if (text[i] == '#') break;
        shape.encode++;
        i++;
    }
    shape.query_end = i;
    return shape;
}

/*
 * Writes the segments of a path to out, which may lie before path in the same memory; never more is written
 * than was read, but for what encoding adds.
 */
static size_t write_path(char *out, const char *path, size_t length, bool shown, bool keep_slash)
{
    size_t written = 0;
    bool folder = false; /* what was written last was no segment: the path ends in a slash */
    for (size_t i = 0; i < length;) {
        while (i < length && path[i] == '/') i++;
        size_t end = i;
        while (end < length && path[end] != '/') end++;
        size_t dots = shown ? 0 : only_dots(path + i, end - i);
        if (dots == 2)
            while (written > 0 && out[--written] != '/') {}
        if (end > i && dots != 1 && dots != 2) {
            out[written++] = '/';
            if (shown) {
                memmove(out + written, path + i, end - i);
                written += end - i;
            } else {
                written += casehook__url_encode(out + written, path + i, end - i, true);
            }
        }
        folder = end == i || dots == 1 || dots == 2;
        i = end;
    }
    if (written == 0 || (folder && keep_slash)) out[written++] = '/';
    return written;
}

static int normalise_shown(struct casehook__buf *buf, size_t start, const struct shape *shape)
{
    if (shape->path_clean || shape->path_end == 0) return CASEHOOK_OK;
    char *text = buf->data + start;
    size_t tail = buf->length - start - shape->path_end;
    size_t written = write_path(text, text, shape->path_end, true, shape->keep_slash);
    memmove(text + written, text + shape->path_end, tail);
    buf->length = start + written + tail;
    buf->data[buf->length] = '\0';
    return CASEHOOK_OK;
}

int casehook__url_path_normalise(struct casehook__buf *buf, size_t start, struct casehook__url_style style)
{
    size_t length = buf->length - start;
    struct shape shape = look_at_rest(buf->data + start, length, style.keep_slash);
    if (style.shown) return normalise_shown(buf, start, &shape);

    bool query = shape.query_end > shape.path_end + 1; /* more than the ? */
    size_t gap = 2 * shape.encode + (shape.path_end == 0);
    if (!shape.path_clean || gap > 0) {
        /* The source moves up by what encoding may add, so that writing never overtakes reading. */
        int status = casehook__buf_reserve(buf, gap);
        if (status) return status;
        char *out = buf->data + start, *text = out + gap;
        memmove(text, out, length);
        size_t written = write_path(out, text, shape.path_end, false, shape.keep_slash);
        if (query)
            written += casehook__url_encode(out + written, text + shape.path_end,
                                            shape.query_end - shape.path_end, false);
        buf->length = start + written;
    } else {
        buf->length = start + (query ? shape.query_end : shape.path_end);
    }
    buf->data[buf->length] = '\0';
    return CASEHOOK_OK;
}

#define NO_MARK SIZE_MAX

void casehook__url_watch_init(struct casehook__url_watch *watch, size_t start)
{
    *watch = (struct casehook__url_watch){.start = start, .scanned = start, .mark = NO_MARK};
}

/* Looks at the segment of the open mark, which ends at end. */
static void judge_segment(struct casehook__url_watch *watch, const struct casehook__buf *buf, size_t end)
{
    size_t from = watch->mark;
    while (from > watch->start && buf->data[from - 1] != '/') from--;
    size_t length = end - from, dots = only_dots(buf->data + from, length);
    if (length == 0 || dots == 1 || dots == 2) {
        watch->refused = true;
        memcpy(watch->found, buf->data + from, length);
        watch->found[length] = '\0';
    }
    watch->mark = NO_MARK;
}

void casehook__url_watch_mark(void *user, const struct casehook__buf *buf)
{
    struct casehook__url_watch *watch = user;
    if (watch->path_ended || watch->refused || buf->status) return;
    while (watch->scanned < buf->length) {
        size_t end = find_class(buf->data, watch->scanned, buf->length, SEGMENT_END);
        if (end < buf->length && watch->mark != NO_MARK) judge_segment(watch, buf, end);
        watch->path_ended = end < buf->length && buf->data[end] != '/';
        if (watch->path_ended) return;
        watch->scanned = end < buf->length ? end + 1 : end;
    }
    if (watch->mark == NO_MARK) watch->mark = buf->length;
}

bool casehook__url_watch_finish(struct casehook__url_watch *watch, const struct casehook__buf *buf)
{
    if (watch->mark != NO_MARK && !watch->refused)
        judge_segment(watch, buf, find_class(buf->data, watch->mark, buf->length, SEGMENT_END));
    return !watch->refused;
}
