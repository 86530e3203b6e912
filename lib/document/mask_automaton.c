/* mask_automaton.c - finds all of many needles in one pass (Aho and Corasick, 1975). */
#include "document/mask_automaton.h"

#define PLACES_MAX 65535
#define HEAD_MIN   16

#define BEGINS 1 /* some needle */
#define SECOND 2 /* the second byte of one */

/* A place is a beginning of some needle; place 0 is the empty one. */
struct automaton_place {
    uint16_t child,
        sibling;     /* the first one that is a byte longer, the next one that differs in the last byte */
    uint16_t back;   /* the longest end of it that is a place as well */
    uint16_t needle; /* length of the longest needle that ends here; 0: none */
    uint8_t depth, byte;
};

/* What follows the head of a long needle. */
struct tail {
    uint16_t place;
    uint32_t begin, end; /* in the text of all tails */
};

struct casehook__automaton {
    struct casehook__heap *heap;
    size_t head;         /* so much of a needle is among the places */
    uint16_t first[256]; /* of place 0, which most bytes are looked up in */
    uint8_t roles[256];  /* BEGINS and SECOND, of every byte that counts as such a one */
    struct automaton_place *places;
    size_t place_count;
    struct tail *tails;
    size_t tail_count;
    char *text; /* of the tails */
    size_t text_length;
};

/* Bytes that count as one have one number. */
static uint8_t number_of(char c)
{
    if (c == ' ' || c == '-') return '+';
    return c == '_' ? '/' : (uint8_t)casehook__lower(c);
}

/* Roles were noted for numbers. */
static void spread_roles(uint8_t roles[256])
{
    for (int c = 0; c < 256; c++) roles[c] = roles[number_of((char)c)];
}

static struct casehook__text head_of(struct casehook__text needle, size_t head)
{
    if (needle.length > head) needle.length = head;
    return needle;
}

/* The place that is one byte longer; 0: there is none. */
static uint16_t automaton_child(const struct casehook__automaton *automaton, uint16_t place, uint8_t byte)
{
    if (place == 0) return automaton->first[byte];
    uint16_t child = automaton->places[place].child;
    while (child && automaton->places[child].byte != byte) child = automaton->places[child].sibling;
    return child;
}

static uint16_t add_child(struct casehook__automaton *automaton, uint16_t place, uint8_t byte)
{
    uint16_t child = (uint16_t)automaton->place_count++;
    struct automaton_place *parent = &automaton->places[place];
    automaton->places[child] = (struct automaton_place){
        .sibling = parent->child, .byte = byte, .depth = (uint8_t)(parent->depth + 1)};
    parent->child = child;
    if (place == 0) automaton->first[byte] = child;
    return child;
}

static void add_tail(struct casehook__automaton *automaton, uint16_t place, struct casehook__text rest)
{
    struct tail *tail = &automaton->tails[automaton->tail_count++];
    *tail = (struct tail){place, (uint32_t)automaton->text_length,
                          (uint32_t)(automaton->text_length + rest.length)};
    for (size_t i = 0; i < rest.length; i++)
        automaton->text[automaton->text_length++] = (char)number_of(rest.data[i]);
}

static void add_needle(struct casehook__automaton *automaton, struct casehook__text needle)
{
    struct casehook__text head = head_of(needle, automaton->head);
    uint16_t place = 0;
    for (size_t i = 0; i < head.length; i++) {
        uint8_t byte = number_of(head.data[i]);
        uint16_t child = automaton_child(automaton, place, byte);
        place = child ? child : add_child(automaton, place, byte);
        if (i < 2) automaton->roles[byte] |= i == 0 ? BEGINS : SECOND;
    }
    automaton->places[place].needle = (uint16_t)head.length;
    if (needle.length > head.length) add_tail(automaton, place, casehook__text_from(needle, head.length));
}

/* By depth, so that shorter places are finished before the longer ones that lean on them. */
static void lean(struct casehook__automaton *automaton, uint16_t *queue)
{
    size_t taken = 0, put = 1;
    queue[0] = 0;
    while (taken < put) {
        uint16_t place = queue[taken++];
        for (uint16_t child = automaton->places[place].child; child;
             child = automaton->places[child].sibling) {
            uint16_t back = automaton->places[place].back, longer = 0;
            uint8_t byte = automaton->places[child].byte;
            while (place && !(longer = automaton_child(automaton, back, byte)) && back)
                back = automaton->places[back].back;
            struct automaton_place *node = &automaton->places[child];
            node->back = longer;
            if (!node->needle) node->needle = automaton->places[longer].needle;
            queue[put++] = child;
        }
    }
}

struct sizes {
    size_t head, places, tails, text;
};

static struct sizes sizes_of(const struct casehook__text *needles, size_t count, size_t head)
{
    struct sizes sizes = {.head = head, .places = 1};
    for (size_t i = 0; i < count; i++) {
        size_t length = head_of(needles[i], head).length;
        sizes.places += length;
        sizes.tails += needles[i].length > length;
        sizes.text += needles[i].length - length;
    }
    return sizes;
}

/* Of many needles the heads are shorter. */
static struct sizes find_sizes(const struct casehook__text *needles, size_t count)
{
    struct sizes sizes = sizes_of(needles, count, CASEHOOK__NEEDLE_HEAD_MAX);
    while (sizes.places > PLACES_MAX && sizes.head > HEAD_MIN)
        sizes = sizes_of(needles, count, sizes.head / 2);
    return sizes;
}

/* Places that needles have in common were counted more than once. */
static void fit_places(struct casehook__automaton *automaton)
{
    void *fitted = casehook__realloc(automaton->heap, automaton->places,
                                     automaton->place_count * sizeof *automaton->places);
    if (fitted) automaton->places = fitted;
}

static bool automaton_allocate(struct casehook__automaton *automaton, const struct sizes *sizes)
{
    automaton->places = casehook__calloc(automaton->heap, sizes->places, sizeof *automaton->places);
    automaton->tails = casehook__calloc(automaton->heap, sizes->tails + 1, sizeof *automaton->tails);
    automaton->text = casehook__calloc(automaton->heap, sizes->text + 1, 1);
    automaton->place_count = 1;
    automaton->head = sizes->head;
    automaton->roles['\r'] = automaton->roles['\n'] =
        SECOND; /* texts may be in lines where needles are not */
    return automaton->places && automaton->tails && automaton->text;
}

static bool is_too_much(const struct sizes *sizes)
{
    return sizes->places > PLACES_MAX || sizes->text > UINT32_MAX;
}

int casehook__automaton_check(const struct casehook__text *needles, size_t count)
{
    const struct sizes sizes = find_sizes(needles, count);
    return is_too_much(&sizes) ? CASEHOOK_E_LIMIT : CASEHOOK_OK;
}

int casehook__automaton_new(struct casehook__heap *heap, const struct casehook__text *needles, size_t count,
                            struct casehook__automaton **out)
{
    struct sizes sizes = find_sizes(needles, count);
    *out = NULL;
    if (is_too_much(&sizes)) return CASEHOOK_E_LIMIT;
    struct casehook__automaton *automaton = casehook__calloc(heap, 1, sizeof *automaton);
    uint16_t *queue = casehook__calloc(heap, sizes.places, sizeof *queue);
    bool done = automaton && queue;
    if (automaton) automaton->heap = heap;
    if (done && (done = automaton_allocate(automaton, &sizes))) {
        for (size_t i = 0; i < count; i++) add_needle(automaton, needles[i]);
        spread_roles(automaton->roles);
        lean(automaton, queue);
        fit_places(automaton);
        *out = automaton;
    }
    casehook__free(heap, queue);
    if (!done) casehook__automaton_free(automaton);
    return done ? CASEHOOK_OK : CASEHOOK_E_NO_MEMORY;
}

void casehook__automaton_free(struct casehook__automaton *automaton)
{
    if (!automaton) return;
    struct casehook__heap *heap = automaton->heap;
    casehook__free_secret(heap, automaton->places, automaton->place_count * sizeof *automaton->places);
    casehook__free(heap, automaton->tails);
    casehook__free_secret(heap, automaton->text, automaton->text_length);
    casehook__free(heap, automaton);
}

/* What goes on behind a head that ends here, beside what is followed already. */
static void follow_tails(const struct casehook__automaton *automaton, struct casehook__search *search)
{
    for (size_t i = 0; i < automaton->tail_count; i++) {
        const struct tail *tail = &automaton->tails[i];
        struct casehook__text rest = {automaton->text + tail->begin, tail->end - tail->begin};
        if (tail->place != search->place) continue;
        if (search->tails < CASEHOOK__NEEDLE_TAILS)
            search->tail[search->tails++] = rest;
        else if (search->all < rest.length)
            search->all = rest.length;
    }
}

/* Whether the byte goes on with one of the tails that are followed; those that differ are left. */
static bool goes_on(struct casehook__search *search, uint8_t byte)
{
    uint8_t kept = 0;
    bool goes = false;
    for (uint8_t i = 0; i < search->tails; i++) {
        struct casehook__text rest = search->tail[i];
        if ((uint8_t)*rest.data != byte) continue;
        goes = true;
        rest = casehook__text_from(rest, 1);
        if (rest.length) search->tail[kept++] = rest;
    }
    search->tails = kept;
    return goes;
}

static size_t step_tails(struct casehook__search *search, char c)
{
    bool goes = goes_on(search, number_of(c)) || search->all;
    if (search->all) search->all--;
    return goes;
}

size_t casehook__search_step(const struct casehook__automaton *automaton, struct casehook__search *search,
                             char c)
{
    uint8_t byte = number_of(c);
    uint16_t place = search->place, next;
    while (!(next = automaton_child(automaton, place, byte)) && place) place = automaton->places[place].back;
    search->place = next;
    size_t tail = search->tails || search->all ? step_tails(search, c) : 0;
    const struct automaton_place *here = &automaton->places[next];
    if (here->depth == automaton->head && here->needle == automaton->head) follow_tails(automaton, search);
    return here->needle > tail ? here->needle : tail;
}

size_t casehook__search_begun(const struct casehook__automaton *automaton,
                              const struct casehook__search *search)
{
    return automaton->places[search->place].depth;
}

bool casehook__search_is_new(const struct casehook__search *search)
{
    return search->place == 0 && search->tails == 0 && search->all == 0;
}

size_t casehook__search_skip(const struct casehook__automaton *automaton, struct casehook__text text)
{
    const unsigned char *begin = (const unsigned char *)text.data;
    if (text.length < 2) return text.length;
    for (const unsigned char *at = begin, *last = begin + text.length - 1; at < last; at++)
        if (automaton->roles[at[0]] & BEGINS && automaton->roles[at[1]] & SECOND) return (size_t)(at - begin);
    return text.length;
}
