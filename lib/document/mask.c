/* mask.c - keeps secrets out of what is shown, even where a server echoes them. */
#include "document/mask.h"

#include "base/base64.h"
#include "document/mask_automaton.h"
#include "document/mask_view.h"

#include <stdatomic.h>

#define SECRET_MIN   4          /* shorter ones are in every word: they are masked where they stand (R3) */
#define NEEDLE_MIN   2          /* what counts of a secret that has ends of lines in it */
#define PART_MIN     4          /* fewer bytes of a secret at the end of a text are taken for chance */
#define WINDOW       (8 * 1024) /* of a text that is shown in part no more than this is looked at */
#define ESCAPE_PARTS 32         /* what may be left of escapes that were cut, one upon the other */

struct casehook__mask {
    struct casehook__heap *heap;
    const struct casehook__text *secrets;
    size_t count; /* 0: no secret is long enough */
    /* Made by the first text that is looked at: most connectors of a large host rest. */
    _Atomic(struct casehook__automaton *) automaton;
};

/* ---- secrets ------------------------------------------------------------------------------------- */

struct forms {
    struct casehook__buf store; /* it does not move */
    struct casehook__text *needles;
    size_t count;
};

/* The ends of lines count neither in a secret nor in a text: base64 is written in lines of any width. */
static inline bool is_line_end(unsigned char c)
{
    return c == '\n' || c == '\r';
}

/* What was put into the store behind begin, if it has so many bytes that count. */
static void add_form(struct forms *forms, size_t begin, size_t least)
{
    if (forms->store.status) return;
    char *form = forms->store.data + begin;
    size_t length = forms->store.length - begin, kept = 0;
    for (size_t i = 0; i < length; i++)
        if (!is_line_end((unsigned char)form[i])) form[kept++] = form[i];
    if (kept >= least) forms->needles[forms->count++] = (struct casehook__text){form, kept};
}

/* Without its "=", which may be missing. */
static void add_base64(struct forms *forms, struct casehook__text secret)
{
    size_t begin = forms->store.length;
    if (casehook__base64_encode(&forms->store, secret)) return;
    while (forms->store.data[forms->store.length - 1] == '=') forms->store.length--;
    add_form(forms, begin, SECRET_MIN);
}

/* A secret may look like an escape, and a decoder that took away another one takes that away as well. */
static void add_decoded(struct forms *forms, struct casehook__text secret, enum casehook__decoder decoder)
{
    struct casehook__view view;
    struct casehook__seen seen;
    size_t begin = forms->store.length;
    casehook__view_begin(&view, secret, &decoder, 1);
    while (casehook__view_next(&view, &seen)) casehook__buf_append_char(&forms->store, (char)seen.byte);
    if (view.layers[0].decoded) add_form(forms, begin, SECRET_MIN);
}

static void add_forms(struct forms *forms, struct casehook__text secret)
{
    size_t begin = forms->store.length;
    if (secret.length < SECRET_MIN) return;
    casehook__buf_append_text(&forms->store, secret);
    add_form(forms, begin, NEEDLE_MIN);
    add_base64(forms, secret);
    for (int decoder = 0; decoder < CASEHOOK__DECODERS; decoder++)
        add_decoded(forms, secret, (enum casehook__decoder)decoder);
}

/* Room for all forms: nothing that was put into the store moves. */
static size_t forms_room(const struct casehook__text *secrets, size_t count)
{
    size_t room = 1;
    for (size_t i = 0; i < count; i++) room += (CASEHOOK__DECODERS + 3) * secrets[i].length + 8;
    return room;
}

/* OK or NO_MEMORY; the forms are to be freed either way. */
static int find_forms(const struct casehook__mask *mask, struct forms *forms)
{
    size_t room = forms_room(mask->secrets, mask->count);
    casehook__buf_init(&forms->store, mask->heap, room + 1);
    forms->count = 0;
    forms->needles =
        casehook__calloc(mask->heap, mask->count * (CASEHOOK__DECODERS + 2) + 1, sizeof *forms->needles);
    if (!forms->needles || casehook__buf_reserve(&forms->store, room)) return CASEHOOK_E_NO_MEMORY;
    for (size_t i = 0; i < mask->count; i++) add_forms(forms, mask->secrets[i]);
    return forms->store.status;
}

static void free_forms(const struct casehook__mask *mask, struct forms *forms)
{
    casehook__buf_free(&forms->store);
    casehook__free(mask->heap, forms->needles);
}

int casehook__mask_new(struct casehook__heap *heap, const struct casehook__text *secrets, size_t count,
                       struct casehook__mask **out)
{
    struct forms forms;
    struct casehook__mask *mask = *out = casehook__calloc(heap, 1, sizeof *mask);
    if (!mask) return CASEHOOK_E_NO_MEMORY;
    mask->heap = heap;
    mask->secrets = secrets;
    mask->count = count;
    atomic_init(&mask->automaton, NULL);
    int status = find_forms(mask, &forms);
    if (!status) status = casehook__automaton_check(forms.needles, forms.count);
    if (forms.count == 0) mask->count = 0;
    free_forms(mask, &forms);
    if (!status) return CASEHOOK_OK;
    casehook__mask_free(mask);
    *out = NULL;
    return status;
}

void casehook__mask_free(struct casehook__mask *mask)
{
    if (!mask) return;
    casehook__automaton_free(atomic_load(&mask->automaton));
    casehook__free(mask->heap, mask);
}

/* NULL: no memory. */
static struct casehook__automaton *make_automaton(const struct casehook__mask *mask)
{
    struct forms forms;
    struct casehook__automaton *automaton = NULL;
    if (!find_forms(mask, &forms))
        casehook__automaton_new(mask->heap, forms.needles, forms.count, &automaton);
    free_forms(mask, &forms);
    return automaton;
}

/* Of two threads that make one at once the first to be ready wins.  NULL: no memory. */
static const struct casehook__automaton *automaton_of(const struct casehook__mask *mask)
{
    struct casehook__mask *keeper = (struct casehook__mask *)(uintptr_t)mask; /* it masks as it did before */
    struct casehook__automaton *made, *known = atomic_load_explicit(&mask->automaton, memory_order_acquire);
    if (known || !(made = make_automaton(mask))) return known;
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
    if (is_line_end(seen->byte)) return;
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

const char *casehook__mask_excerpt(const struct casehook__mask *mask, struct casehook__text text, char *out,
                                   size_t size)
{
    unsigned char small[WINDOW / 8];
    struct marks marks = {.text = text};
    if (size <= CASEHOOK__EXCERPT_MAX + 1 && marks.text.length > WINDOW) marks.text.length = WINDOW;
    if (marks.text.length == 0 || !mask || mask->count == 0) return show(&marks, out, size);
    const struct casehook__automaton *automaton = automaton_of(mask);
    if (!automaton) return show_nothing(out, size);
    if (is_harmless(automaton, marks.text)) return show(&marks, out, size);
    size_t bytes = (marks.text.length + 7) / 8;
    unsigned char *large = bytes > sizeof small ? casehook__alloc(mask->heap, bytes) : NULL;
    if (bytes > sizeof small && !large) return show_nothing(out, size);
    marks.bits = large ? large : small;
    memset(marks.bits, 0, bytes);
    look_everywhere(automaton, &marks);
    show(&marks, out, size);
    casehook__free(mask->heap, large);
    return out;
}
