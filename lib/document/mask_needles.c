/* mask_needles.c - what a mask looks for: secrets in all their forms, and secrets that come later. */
#include "base/posix.h"

#include "document/mask_needles.h"

#include "base/base64.h"
#include "document/mask_view.h"

#include <pthread.h>

#define SECRET_MIN 4    /* shorter ones are in every word: they are masked where they stand (R3) */
#define INSIDE_MIN 6    /* fewer characters of base64 are taken for chance */
#define CLOSER_MAX 8192 /* bytes of all secrets */
#define NEEDLE_MIN 2    /* what counts of a secret that has ends of lines in it */

struct forms {
    struct casehook__buf store; /* it does not move */
    struct casehook__text *needles;
    size_t count;
};

/* What was put into the store behind begin, if it has so many bytes that count. */
static void add_form(struct forms *forms, size_t begin, size_t least)
{
    if (forms->store.status) return;
    char *form = forms->store.data + begin;
    size_t length = forms->store.length - begin, kept = 0;
    for (size_t i = 0; i < length; i++)
        if (!casehook__is_line_end((unsigned char)form[i])) form[kept++] = form[i];
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

/*
 * The characters that no other byte has a part in, when so many bytes come before the secret and others
 * behind it: of a header or a target that was written in base64 as a whole.
 */
static void add_base64_inside(struct forms *forms, struct casehook__text secret, size_t before)
{
    static const char zeros[2];
    size_t begin = forms->store.length, whole = before + secret.length;
    struct casehook__buf *store = &forms->store;
    casehook__buf_append(store, zeros, before);
    casehook__buf_append_text(store, secret);
    struct casehook__text bytes = {store->data + begin, whole};
    size_t from = begin + whole;
    if (casehook__base64_encode(store, bytes)) return;
    size_t end = from + whole * 8 / 6; /* the last one that is complete */
    from += before ? before + 1 : 0;
    store->length = end;
    if (end > from) add_form(forms, from, INSIDE_MIN);
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

static void add_forms(struct forms *forms, struct casehook__text secret, bool closer)
{
    size_t begin = forms->store.length;
    if (secret.length < SECRET_MIN) return;
    casehook__buf_append_text(&forms->store, secret);
    add_form(forms, begin, NEEDLE_MIN);
    add_base64(forms, secret);
    for (size_t before = 0; closer && before < 3; before++) add_base64_inside(forms, secret, before);
    for (int decoder = 0; decoder < CASEHOOK__DECODERS; decoder++)
        add_decoded(forms, secret, (enum casehook__decoder)decoder);
}

/* Room for all forms: nothing that was put into the store moves. */
static size_t forms_room(const struct casehook__text *secrets, size_t count, bool closer)
{
    size_t room = 1;
    for (size_t i = 0; i < count; i++)
        room += (CASEHOOK__DECODERS + 3) * secrets[i].length + 8 + (closer ? 8 * secrets[i].length + 32 : 0);
    return room;
}

/* Very many are looked for as they are: what looks for them must not become too large. */
static bool are_few(const struct casehook__text *secrets, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) bytes += secrets[i].length;
    return bytes <= CLOSER_MAX;
}

/* OK or NO_MEMORY; the forms are to be freed either way. */
static int find_forms(struct casehook__heap *heap, const struct casehook__text *secrets, size_t count,
                      bool closer, struct forms *forms)
{
    closer = closer && are_few(secrets, count);
    size_t room = forms_room(secrets, count, closer);
    casehook__buf_init(&forms->store, heap, room + 1);
    forms->count = 0;
    forms->needles = casehook__calloc(heap, count * (CASEHOOK__DECODERS + 5) + 1, sizeof *forms->needles);
    if (!forms->needles || casehook__buf_reserve(&forms->store, room)) return CASEHOOK_E_NO_MEMORY;
    for (size_t i = 0; i < count; i++) add_forms(forms, secrets[i], closer);
    return forms->store.status;
}

static void free_forms(struct casehook__heap *heap, struct forms *forms)
{
    casehook__buf_free(&forms->store);
    casehook__free(heap, forms->needles);
}

int casehook__needles_check(struct casehook__heap *heap, const struct casehook__text *secrets, size_t count,
                            bool *any)
{
    struct forms forms;
    int status = find_forms(heap, secrets, count, false, &forms);
    if (!status) status = casehook__automaton_check(forms.needles, forms.count);
    *any = forms.count > 0;
    free_forms(heap, &forms);
    return status;
}

struct casehook__automaton *casehook__needles_automaton(struct casehook__heap *heap,
                                                        const struct casehook__text *secrets, size_t count,
                                                        bool closer)
{
    struct forms forms;
    struct casehook__automaton *automaton = NULL;
    if (!find_forms(heap, secrets, count, closer, &forms) && forms.count)
        casehook__automaton_new(heap, forms.needles, forms.count, &automaton);
    free_forms(heap, &forms);
    return automaton;
}

/* ---- those that come later ---------------------------------------------------------------------- */

struct casehook__learner {
    struct casehook__heap *heap; /* borrowed */
    pthread_mutex_t lock;
    struct casehook__learnt *items[CASEHOOK__LEARNT]; /* two rings: what passes is in front */
    unsigned next[2];                                 /* of which this one is the next; [1]: of what passes */
};

struct casehook__learner *casehook__learner_new(struct casehook__heap *heap)
{
    struct casehook__learner *learner = casehook__calloc(heap, 1, sizeof *learner);
    if (!learner) return NULL;
    learner->heap = heap;
    if (!pthread_mutex_init(&learner->lock, NULL)) return learner;
    casehook__free(heap, learner);
    return NULL;
}

void casehook__learnt_leave(struct casehook__learnt *learnt)
{
    if (!learnt || atomic_fetch_sub_explicit(&learnt->references, 1, memory_order_acq_rel) != 1) return;
    casehook__automaton_free(learnt->automaton);
    casehook__free(learnt->heap, learnt);
}

void casehook__learner_free(struct casehook__learner *learner)
{
    if (!learner) return;
    for (size_t i = 0; i < CASEHOOK__LEARNT; i++) casehook__learnt_leave(learner->items[i]);
    pthread_mutex_destroy(&learner->lock);
    casehook__free(learner->heap, learner);
}

int casehook__learner_add(struct casehook__learner *learner, const struct casehook__text *secrets,
                          size_t count, bool passing)
{
    struct casehook__learnt *learnt, *oldest,
        **ring = learner->items + (passing ? 0 : CASEHOOK__LEARNT_PASSING);
    unsigned size = passing ? CASEHOOK__LEARNT_PASSING : CASEHOOK__LEARNT - CASEHOOK__LEARNT_PASSING,
             *next = &learner->next[passing];
    if (secrets[0].length < SECRET_MIN) return CASEHOOK_OK;
    learnt = casehook__calloc(learner->heap, 1, sizeof *learnt);
    if (learnt) learnt->automaton = casehook__needles_automaton(learner->heap, secrets, count, true);
    if (!learnt || !learnt->automaton) {
        casehook__free(learner->heap, learnt);
        return CASEHOOK_E_NO_MEMORY;
    }
    learnt->heap = learner->heap;
    atomic_init(&learnt->references, 1);
    pthread_mutex_lock(&learner->lock);
    oldest = ring[*next];
    ring[*next] = learnt;
    *next = (*next + 1) % size;
    pthread_mutex_unlock(&learner->lock);
    casehook__learnt_leave(oldest);
    return CASEHOOK_OK;
}

size_t casehook__learner_take(struct casehook__learner *learner,
                              struct casehook__learnt *items[CASEHOOK__LEARNT])
{
    size_t count = 0;
    if (!learner) return 0;
    pthread_mutex_lock(&learner->lock);
    for (size_t i = 0; i < CASEHOOK__LEARNT; i++) {
        if (!learner->items[i]) continue;
        items[count] = learner->items[i];
        atomic_fetch_add_explicit(&items[count++]->references, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&learner->lock);
    return count;
}
