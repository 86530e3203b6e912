/* mask.c - keeps secrets out of what is shown, even where a server echoes them. */
#include "document/mask.h"

#include "document/mask_needles.h"
#include "document/mask_view.h"

#include <stdatomic.h>

#define PART_MIN     4          /* fewer bytes of a secret at the end of a text are taken for chance */
#define WINDOW       (8 * 1024) /* of a text that is shown in part no more than this is looked at */
#define ESCAPE_PARTS 32         /* what may be left of escapes that were cut, one upon the other */

struct casehook__mask {
    struct casehook__heap *heap;
    const struct casehook__text *secrets;
    size_t count; /* 0: no secret is long enough */
    /* Made by the first text that is looked at: most connectors of a large host rest. */
    _Atomic(struct casehook__automaton *) automaton;
    struct casehook__learner *learner; /* NULL: nothing comes later */
};

int casehook__mask_new(struct casehook__heap *heap, const struct casehook__text *secrets, size_t count,
                       struct casehook__mask **out)
{
    bool any = false;
    struct casehook__mask *mask = *out = casehook__calloc(heap, 1, sizeof *mask);
    if (!mask) return CASEHOOK_E_NO_MEMORY;
    mask->heap = heap;
    mask->secrets = secrets;
    atomic_init(&mask->automaton, NULL);
    int status = casehook__needles_check(heap, secrets, count, &any);
    if (any) mask->count = count;
    if (!status) return CASEHOOK_OK;
    casehook__mask_free(mask);
    *out = NULL;
    return status;
}

int casehook__mask_begin_learning(struct casehook__mask *mask)
{
    mask->learner = casehook__learner_new(mask->heap);
    return mask->learner ? CASEHOOK_OK : CASEHOOK_E_NO_MEMORY;
}

int casehook__mask_learn(struct casehook__mask *mask, struct casehook__text secret, bool passing)
{
    return casehook__learner_add(mask->learner, &secret, 1, passing);
}

void casehook__mask_free(struct casehook__mask *mask)
{
    if (!mask) return;
    casehook__automaton_free(atomic_load(&mask->automaton));
    casehook__learner_free(mask->learner);
    casehook__free(mask->heap, mask);
}

/* Of two threads that make one at once the first to be ready wins.  NULL: no memory. */
static const struct casehook__automaton *automaton_of(const struct casehook__mask *mask)
{
    struct casehook__mask *keeper = (struct casehook__mask *)(uintptr_t)mask; /* it masks as it did before */
    struct casehook__automaton *made, *known = atomic_load_explicit(&mask->automaton, memory_order_acquire);
    if (known ||
        !(made = casehook__needles_automaton(mask->heap, mask->secrets, mask->count, mask->learner != NULL)))
        return known;
    if (atomic_compare_exchange_strong(&keeper->automaton, &known, made)) return made;
    casehook__automaton_free(made);
    return known;
}

/* ---- what of a text is secret -------------------------------------------------------------------- */

/* A bit for each byte of the text. */
struct marks {
    struct casehook__text text;
    unsigned char *bits;
};

static void mark_secret(struct marks *marks, size_t begin, size_t end)
{
    for (; begin < end; begin++) marks->bits[begin / 8] |= (unsigned char)(1U << begin % 8);
}

static bool is_marked(const struct marks *marks, size_t at)
{
    return marks->bits[at / 8] >> at % 8 & 1;
}

/* The last bytes of a view. */
struct trail {
    struct {
        uint32_t begin; /* where it came from */
        uint8_t begun;  /* so many bytes before it are the beginning of a secret */
        unsigned char byte;
    } bytes[256]; /* a ring: more than a needle's head and what is left of escapes */
    uint8_t next;
};

_Static_assert(CASEHOOK__NEEDLE_HEAD_MAX + ESCAPE_PARTS < 256, "the ring is too small");

static uint32_t trail_back(const struct trail *trail, size_t bytes)
{
    return trail->bytes[(uint8_t)(trail->next - bytes)].begin;
}

/* What was seen in a view that a further decoder may change. */
struct sight {
    bool decoded; /* by the last decoder */
    bool has[CASEHOOK__DECODERS];
};

static void note_sign(struct sight *sight, unsigned char c)
{
    if (c == '%') sight->has[CASEHOOK__DECODE_PERCENT] = true;
    if (c == '\\') sight->has[CASEHOOK__DECODE_JSON] = true;
    if (c == '&') sight->has[CASEHOOK__DECODE_HTML] = true;
}

/* Where one search through a view is. */
struct mask_look {
    const struct casehook__automaton *automaton;
    struct marks *marks;
    struct casehook__search search;
    struct trail trail;
    unsigned parts; /* so many bytes more may be what is left of an escape, with a secret before it */
    size_t masked;  /* where a secret ends that nothing but ends of lines came behind; 0: none does */
};

/* Where a text was cut, the beginning of a secret counts, before what is left of an escape too. */
static void mark_beginning(struct mask_look *look, size_t end)
{
    const struct trail *trail = &look->trail;
    size_t begun = casehook__search_begun(look->automaton, &look->search);
    if (begun >= PART_MIN) mark_secret(look->marks, trail_back(trail, begun), end);
    for (size_t back = 1; look->parts && back <= ESCAPE_PARTS; back++) {
        uint8_t at = (uint8_t)(trail->next - back);
        unsigned char byte = trail->bytes[at].byte;
        if (!casehook__is_escape_part((char)byte)) return;
        if (casehook__is_sign((char)byte) && trail->bytes[at].begun >= PART_MIN)
            mark_secret(look->marks, trail_back(trail, back + trail->bytes[at].begun), end);
    }
}

static void add_to_trail(struct mask_look *look, const struct casehook__seen *seen)
{
    size_t begun = casehook__search_begun(look->automaton, &look->search);
    struct trail *trail = &look->trail;
    trail->bytes[trail->next].begin = seen->begin;
    trail->bytes[trail->next].begun = (uint8_t)begun;
    trail->bytes[trail->next].byte = seen->byte;
    trail->next++;
    if (casehook__is_sign((char)seen->byte) && begun >= PART_MIN)
        look->parts = ESCAPE_PARTS;
    else if (look->parts)
        look->parts--;
}

static void look_at(struct mask_look *look, const struct casehook__seen *seen)
{
    if (casehook__is_line_end(seen->byte)) return;
    if (seen->cut) mark_beginning(look, seen->begin);
    add_to_trail(look, seen);
    size_t found = casehook__search_step(look->automaton, &look->search, (char)seen->byte);
    if (found) mark_secret(look->marks, trail_back(&look->trail, found), seen->end);
    bool more = found || (look->masked && seen->byte == '='); /* which is base64's */
    if (more && look->masked) mark_secret(look->marks, look->masked, seen->end);
    look->masked = more ? seen->end : 0;
}

static bool may_skip(const struct mask_look *look)
{
    return !look->masked && !look->parts && casehook__search_is_new(&look->search);
}

/* count 0: the text as it is, most of which is passed over. */
static void look_through(struct mask_look *look, const enum casehook__decoder *decoders, unsigned count,
                         struct sight *sight)
{
    struct casehook__view view;
    struct casehook__seen seen;
    casehook__view_begin(&view, look->marks->text, decoders, count);
    while (casehook__view_next(&view, &seen)) {
        note_sign(sight, seen.byte);
        look_at(look, &seen);
        if (count == 0 && may_skip(look))
            view.at += casehook__search_skip(look->automaton, casehook__text_from(view.text, view.at));
    }
    mark_beginning(look, view.text.length);
    sight->decoded = count > 0 && view.layers[count - 1].decoded;
}

static void look_deeper(const struct casehook__automaton *automaton, struct marks *marks,
                        enum casehook__decoder *decoders, unsigned count, const struct sight *sight);

static void look_decoded(const struct casehook__automaton *automaton, struct marks *marks,
                         enum casehook__decoder *decoders, unsigned count)
{
    struct mask_look look = {.automaton = automaton, .marks = marks};
    struct sight sight = {false, {false}};
    look_through(&look, decoders, count, &sight);
    if (sight.decoded && count < CASEHOOK__VIEW_DEEP) look_deeper(automaton, marks, decoders, count, &sight);
}

/* One decoder more, each that finds one of its signs: at most 40 views, three decoders one upon the other. */
static void look_deeper(const struct casehook__automaton *automaton, struct marks *marks,
                        enum casehook__decoder *decoders, unsigned count, const struct sight *sight)
{
    for (int next = 0; next < CASEHOOK__DECODERS; next++) {
        if (!sight->has[next]) continue;
        decoders[count] = (enum casehook__decoder)next;
        look_decoded(automaton, marks, decoders, count + 1);
    }
}

static void look_everywhere(const struct casehook__automaton *automaton, struct marks *marks)
{
    static const char signs[CASEHOOK__DECODERS] = {'%', '\\', '&'};
    enum casehook__decoder decoders[CASEHOOK__VIEW_DEEP] = {CASEHOOK__DECODE_PERCENT};
    struct mask_look look = {.automaton = automaton, .marks = marks};
    struct sight sight = {false, {false}};
    look_through(&look, decoders, 0, &sight);
    for (int i = 0; i < CASEHOOK__DECODERS; i++)
        sight.has[i] = memchr(marks->text.data, signs[i], marks->text.length) != NULL;
    look_deeper(automaton, marks, decoders, 0, &sight);
}

/* ---- showing ------------------------------------------------------------------------------------- */

static inline bool is_printable(unsigned char c)
{
    return c >= 0x20 && c < 0x7F;
}

/* How long the character at a place is that can be shown; 0: it cannot, or a secret begins inside it. */
static size_t shown_at(const struct marks *marks, size_t at)
{
    const char *data = marks->text.data + at;
    unsigned char c = (unsigned char)*data;
    if (is_printable(c) || c == '\t') return 1;
    size_t length = c < 0x20 || c == 0x7F ? 0 : casehook__utf8_length(data, marks->text.length - at);
    for (size_t i = 1; i < length && marks->bits; i++)
        if (is_marked(marks, at + i)) return 0;
    return length;
}

/* What is shown for the bytes at a place, and how many these are. */
static const char *piece_at(const struct marks *marks, size_t at, size_t *taken, size_t *put)
{
    struct casehook__text text = marks->text;
    if (marks->bits && is_marked(marks, at)) {
        size_t end = at;
        while (end < text.length && is_marked(marks, end)) end++;
        *taken = end - at;
        *put = 3;
        return "***";
    }
    size_t length = shown_at(marks, at);
    *taken = *put = length ? length : 1;
    return length ? text.data + at : "?";
}

/* Whether all of the eight bytes are printable: none is below 0x20, none above 0x7E. */
static bool are_printable(const char *bytes)
{
    const uint64_t ones = UINT64_MAX / 255, tops = ones * 0x80;
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return (((word - ones * 0x20) | word | (word + ones)) & tops) == 0;
}

/* How many bytes from a place on are shown as they are: nearly all. */
static size_t plain_from(const struct marks *marks, size_t at)
{
    const char *data = marks->text.data;
    size_t begin = at, length = marks->text.length;
    if (!marks->bits)
        while (length - at >= 8 && are_printable(data + at)) at += 8;
    while (at < length && is_printable((unsigned char)data[at]) && !(marks->bits && is_marked(marks, at)))
        at++;
    return at - begin;
}

static const char *show(const struct marks *marks, char *out, size_t size)
{
    size_t used = 0, taken, put;
    for (size_t at = 0; at < marks->text.length; at += taken) {
        size_t room = size - 1 - used;
        const char *piece = marks->text.data + at;
        taken = put = plain_from(marks, at);
        if (taken > room) taken = put = room;
        if (taken == 0) piece = piece_at(marks, at, &taken, &put);
        if (put > room) break;
        memcpy(out + used, piece, put);
        used += put;
    }
    out[used] = '\0';
    return out;
}

/* Most texts hold neither an escape nor a byte that a secret begins with. */
static bool is_harmless(const struct casehook__automaton *automaton, struct casehook__text text)
{
    return casehook__search_skip(automaton, text) == text.length && !memchr(text.data, '%', text.length) &&
           !memchr(text.data, '\\', text.length) && !memchr(text.data, '&', text.length);
}

/* What could not be looked at is not shown. */
static const char *show_nothing(char *out, size_t size)
{
    const struct marks marks = {.text = CASEHOOK__TEXT("***")};
    return show(&marks, out, size);
}

/* What one mask looks for: the secrets that it began with, and those that came later. */
struct needles {
    const struct casehook__automaton *automata[CASEHOOK__LEARNT + 1];
    size_t count, learnt_count;
    struct casehook__learnt *learnt[CASEHOOK__LEARNT];
};

/* False: no memory.  They are to be left either way. */
static bool take_needles(const struct casehook__mask *mask, struct needles *needles)
{
    needles->count = 0;
    needles->learnt_count = casehook__learner_take(mask->learner, needles->learnt);
    for (size_t i = 0; i < needles->learnt_count; i++)
        needles->automata[needles->count++] = needles->learnt[i]->automaton;
    if (mask->count == 0) return true;
    const struct casehook__automaton *first = automaton_of(mask);
    needles->automata[needles->count++] = first;
    return first != NULL;
}

static bool are_harmless(const struct needles *needles, struct casehook__text text)
{
    for (size_t i = 0; i < needles->count; i++)
        if (!is_harmless(needles->automata[i], text)) return false;
    return true;
}

/* False: no memory for the marks. */
static bool mask_with(const struct casehook__mask *mask, const struct needles *needles, struct marks *marks,
                      char *out, size_t size)
{
    unsigned char small[WINDOW / 8];
    size_t bytes = (marks->text.length + 7) / 8;
    unsigned char *large = bytes > sizeof small ? casehook__alloc(mask->heap, bytes) : NULL;
    if (bytes > sizeof small && !large) return false;
    marks->bits = large ? large : small;
    memset(marks->bits, 0, bytes);
    for (size_t i = 0; i < needles->count; i++) look_everywhere(needles->automata[i], marks);
    show(marks, out, size);
    marks->bits = NULL;
    casehook__free(mask->heap, large);
    return true;
}

const char *casehook__mask_excerpt(const struct casehook__mask *mask, struct casehook__text text, char *out,
                                   size_t size)
{
    struct needles needles;
    struct marks marks = {.text = text};
    if (size <= CASEHOOK__EXCERPT_MAX + 1 && marks.text.length > WINDOW) marks.text.length = WINDOW;
    if (marks.text.length == 0 || !mask || (mask->count == 0 && !mask->learner))
        return show(&marks, out, size);
    if (!take_needles(mask, &needles))
        show_nothing(out, size);
    else if (are_harmless(&needles, marks.text))
        show(&marks, out, size);
    else if (!mask_with(mask, &needles, &marks, out, size))
        show_nothing(out, size);
    for (size_t i = 0; i < needles.learnt_count; i++) casehook__learnt_leave(needles.learnt[i]);
    return out;
}
