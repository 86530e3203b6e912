/* mask.c - keeps secrets out of what is shown, even where a server echoes them. */
#include "mask.h"

#include "base64.h"
#include "mask_automaton.h"
#include "mask_view.h"

#define SECRET_MIN   4          /* shorter ones are in every word: they are masked where they stand (R3) */
#define PART_MIN     4          /* fewer bytes of a secret at the end of a text are taken for chance */
#define WINDOW       (8 * 1024) /* of a text that is shown in part no more than this is looked at */
#define ESCAPE_PARTS 8          /* what may be left of an escape that was cut */

struct casehook__mask {
    struct casehook__heap *heap;
    struct casehook__automaton *automaton; /* NULL: no secret is long enough */
};

/* ---- secrets ------------------------------------------------------------------------------------- */

struct forms {
    struct casehook__buf store; /* what is not a secret itself */
    struct casehook__text *needles;
    size_t count;
};

/* Without its "=", which may be missing; it is put into the store, which does not move. */
static void add_base64(struct forms *forms, struct casehook__text secret)
{
    size_t begin = forms->store.length;
    if (casehook__base64_encode(&forms->store, secret)) return;
    struct casehook__text form = {forms->store.data + begin, forms->store.length - begin};
    while (form.length && form.data[form.length - 1] == '=') form.length--;
    forms->needles[forms->count++] = form;
}

/* A secret may look like an escape, and a decoder that took away another one takes that away as well. */
static void add_decoded(struct forms *forms, struct casehook__text secret, enum casehook__decoder decoder)
{
    struct casehook__view view;
    struct casehook__seen seen;
    size_t begin = forms->store.length;
    casehook__view_begin(&view, secret, &decoder, 1);
    while (casehook__view_next(&view, &seen)) casehook__buf_append_char(&forms->store, (char)seen.byte);
    if (forms->store.status) return;
    struct casehook__text form = {forms->store.data + begin, forms->store.length - begin};
    if (view.layers[0].decoded && form.length >= SECRET_MIN) forms->needles[forms->count++] = form;
}

static void add_forms(struct forms *forms, struct casehook__text secret)
{
    if (secret.length < SECRET_MIN) return;
    forms->needles[forms->count++] = secret;
    add_base64(forms, secret);
    for (int decoder = 0; decoder < CASEHOOK__DECODERS; decoder++)
        add_decoded(forms, secret, (enum casehook__decoder)decoder);
}

/* Room for all forms: nothing that was put into the store moves. */
static size_t forms_room(const struct casehook__text *secrets, size_t count)
{
    size_t room = 1;
    for (size_t i = 0; i < count; i++) room += (CASEHOOK__DECODERS + 2) * secrets[i].length + 8;
    return room;
}

static int find_forms(struct casehook__mask *mask, const struct casehook__text *secrets, size_t count,
                      struct forms *forms)
{
    size_t room = forms_room(secrets, count);
    casehook__buf_init(&forms->store, mask->heap, room + 1);
    forms->count = 0;
    forms->needles =
        casehook__calloc(mask->heap, count * (CASEHOOK__DECODERS + 2) + 1, sizeof *forms->needles);
    if (!forms->needles || casehook__buf_reserve(&forms->store, room)) return CASEHOOK_E_NO_MEMORY;
    for (size_t i = 0; i < count; i++) add_forms(forms, secrets[i]);
    return forms->store.status;
}

int casehook__mask_new(struct casehook__heap *heap, const struct casehook__text *secrets, size_t count,
                       struct casehook__mask **out)
{
    struct forms forms;
    struct casehook__mask *mask = *out = casehook__calloc(heap, 1, sizeof *mask);
    if (!mask) return CASEHOOK_E_NO_MEMORY;
    mask->heap = heap;
    int status = find_forms(mask, secrets, count, &forms);
    if (!status && forms.count)
        status = casehook__automaton_new(heap, forms.needles, forms.count, &mask->automaton);
    casehook__buf_free(&forms.store);
    casehook__free(heap, forms.needles);
    if (!status) return CASEHOOK_OK;
    casehook__mask_free(mask);
    *out = NULL;
    return status;
}

void casehook__mask_free(struct casehook__mask *mask)
{
    if (!mask) return;
    casehook__automaton_free(mask->automaton);
    casehook__free(mask->heap, mask);
}

/* ---- what of a text is secret -------------------------------------------------------------------- */

/* A bit for each byte of the text. */
struct marks {
    struct casehook__text text;
    unsigned char *bits;
};

static void mark(struct marks *marks, size_t begin, size_t end)
{
    for (; begin < end; begin++) marks->bits[begin / 8] |= (unsigned char)(1U << begin % 8);
}

static bool is_marked(const struct marks *marks, size_t at)
{
    return marks->bits[at / 8] >> at % 8 & 1;
}

/*
 * Where a text was cut, the beginning of a secret counts: at its end, and before the "..." that names of
 * certificates and messages end with, perhaps in the middle of an escape.  The end of what counts; 0: it goes
 * on.
 */
static size_t cut_after(struct casehook__text text, size_t at)
{
    size_t most = at < text.length && memchr("%\\&", text.data[at], 3) ? ESCAPE_PARTS : 0;
    for (size_t i = 0; i <= most; i++) {
        if (at + i >= text.length) return text.length;
        if (at + i + 3 <= text.length && memcmp(text.data + at + i, "...", 3) == 0) return at + i;
        char c = text.data[at + i];
        if (!casehook__is_alpha(c) && !(c >= '0' && c <= '9') && !strchr("%\\&#", c)) return 0;
    }
    return 0;
}

/* Where the last bytes of a view came from. */
struct trail {
    uint32_t begin[CASEHOOK__NEEDLE_HEAD_MAX];
    size_t count;
};

static void trail_add(struct trail *trail, uint32_t begin)
{
    trail->begin[trail->count++ % CASEHOOK__NEEDLE_HEAD_MAX] = begin;
}

static uint32_t trail_back(const struct trail *trail, size_t bytes)
{
    return trail->begin[(trail->count - bytes) % CASEHOOK__NEEDLE_HEAD_MAX];
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

static void look(const struct casehook__mask *mask, struct marks *marks,
                 const enum casehook__decoder *decoders, unsigned count, struct sight *sight)
{
    struct casehook__view view;
    struct casehook__seen seen;
    struct casehook__search search = {0};
    struct trail trail = {.count = 0};
    bool padding = false; /* the "=" of base64 belongs to it */
    casehook__view_begin(&view, marks->text, decoders, count);
    while (casehook__view_next(&view, &seen)) {
        note_sign(sight, seen.byte);
        trail_add(&trail, seen.begin);
        size_t found = casehook__search_step(mask->automaton, &search, (char)seen.byte);
        padding = found || (padding && seen.byte == '=');
        if (found)
            mark(marks, trail_back(&trail, found), seen.end);
        else if (padding)
            mark(marks, seen.begin, seen.end);
        size_t begun = casehook__search_begun(mask->automaton, &search);
        size_t cut = begun >= PART_MIN ? cut_after(marks->text, seen.end) : 0;
        if (cut) mark(marks, trail_back(&trail, begun), cut);
    }
    sight->decoded = count > 0 && view.layers[count - 1].decoded;
}

/* Every way to read the text that changes it: at most 40, three decoders one upon the other. */
static void look_deeper(const struct casehook__mask *mask, struct marks *marks,
                        enum casehook__decoder *decoders, unsigned count)
{
    struct sight sight = {false, {false}};
    look(mask, marks, decoders, count, &sight);
    if (count == CASEHOOK__VIEW_DEEP || (count > 0 && !sight.decoded)) return;
    for (int next = 0; next < CASEHOOK__DECODERS; next++) {
        if (!sight.has[next]) continue;
        decoders[count] = (enum casehook__decoder)next;
        look_deeper(mask, marks, decoders, count + 1);
    }
}

/* ---- showing ------------------------------------------------------------------------------------- */

static inline bool is_printable(unsigned char c)
{
    return c >= 0x20 && c < 0x7F;
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
    unsigned char c = (unsigned char)text.data[at];
    size_t length =
        is_printable(c) || c == '\t' ? 1 : casehook__utf8_length(text.data + at, text.length - at);
    *taken = *put = length && (c >= 0x20 || c == '\t') && c != 0x7F ? length : 1;
    return length && (c >= 0x20 || c == '\t') && c != 0x7F ? text.data + at : "?";
}

static const char *show(const struct marks *marks, char *out, size_t size)
{
    size_t used = 0, taken, put;
    for (size_t at = 0; at < marks->text.length; at += taken) {
        const char *piece = piece_at(marks, at, &taken, &put);
        if (put > size - 1 - used) break;
        memcpy(out + used, piece, put);
        used += put;
    }
    out[used] = '\0';
    return out;
}

/* Most texts hold neither an escape nor a byte that a secret begins with. */
static bool is_harmless(const struct casehook__mask *mask, struct casehook__text text)
{
    return !mask || !mask->automaton ||
           (casehook__search_skip(mask->automaton, text) == text.length &&
            !memchr(text.data, '%', text.length) && !memchr(text.data, '\\', text.length) &&
            !memchr(text.data, '&', text.length));
}

const char *casehook__mask_excerpt(const struct casehook__mask *mask, struct casehook__text text, char *out,
                                   size_t size)
{
    unsigned char small[WINDOW / 8];
    struct marks marks = {.text = text};
    enum casehook__decoder decoders[CASEHOOK__VIEW_DEEP];
    if (size <= CASEHOOK__EXCERPT_MAX + 1 && marks.text.length > WINDOW) marks.text.length = WINDOW;
    if (marks.text.length == 0 || is_harmless(mask, marks.text)) return show(&marks, out, size);
    size_t bytes = (marks.text.length + 7) / 8;
    unsigned char *large = bytes > sizeof small ? casehook__alloc(mask->heap, bytes) : NULL;
    if (bytes > sizeof small && !large) {
        marks.text = CASEHOOK__TEXT("***"); /* what could not be looked at is not shown */
        return show(&marks, out, size);
    }
    marks.bits = large ? large : small;
    memset(marks.bits, 0, bytes);
    look_deeper(mask, &marks, decoders, 0);
    show(&marks, out, size);
    casehook__free(mask->heap, large);
    return out;
}
