/* mask.c - keeps secrets out of what is shown, even where a server echoes them. */
#include "mask.h"

#include "base64.h"
#include "jstext.h"

#define FORMS        4
#define NEEDLE_LIMIT (4 * 1024 * 1024)

struct casehook__mask {
    struct casehook__heap *heap;
    struct casehook__buf store; /* all needles, one after the other */
    bool
        stop[256]; /* bytes that a needle begins with, and all but printable ASCII: the rest is passed over */
    size_t count;
    size_t ends[]; /* where each needle ends in store */
};

static inline bool is_printable(unsigned char c)
{
    return c >= 0x20 && c < 0x7F;
}

/* The store ends with a form of the secret that is another one already: most are the same as it is written.
 */
static bool is_known(const struct casehook__mask *mask, size_t begin)
{
    size_t from = 0, length = mask->store.length - begin;
    if (length == 0) return true;
    for (size_t i = 0; i < mask->count; from = mask->ends[i++])
        if (mask->ends[i] - from == length &&
            memcmp(mask->store.data + from, mask->store.data + begin, length) == 0)
            return true;
    return false;
}

static int add_forms(struct casehook__mask *mask, struct casehook__text secret)
{
    typedef int form_fn(struct casehook__buf *, struct casehook__text);
    static form_fn *const forms[FORMS] = {casehook__buf_append_text, casehook__base64_encode,
                                          casehook__js_uri_component, casehook__js_escape};
    for (size_t i = 0; i < FORMS; i++) {
        size_t begin = mask->store.length;
        int status = forms[i](&mask->store, secret);
        if (status) return status;
        if (is_known(mask, begin)) {
            mask->store.length = begin;
            continue;
        }
        mask->ends[mask->count++] = mask->store.length;
        mask->stop[(unsigned char)mask->store.data[begin]] = true;
    }
    return CASEHOOK_OK;
}

int casehook__mask_new(struct casehook__heap *heap, const struct casehook__text *secrets, size_t count,
                       struct casehook__mask **out)
{
    int status = CASEHOOK_OK;
    *out = NULL;
    struct casehook__mask *mask =
        casehook__calloc(heap, 1, sizeof *mask + count * FORMS * sizeof *mask->ends);
    if (!mask) return CASEHOOK_E_NO_MEMORY;
    mask->heap = heap;
    for (size_t c = 0; c < sizeof mask->stop; c++) mask->stop[c] = !is_printable((unsigned char)c);
    casehook__buf_init(&mask->store, heap, NEEDLE_LIMIT);
    for (size_t i = 0; i < count && !status; i++)
        if (secrets[i].length) status = add_forms(mask, secrets[i]);
    if (status) {
        casehook__mask_free(mask);
        return CASEHOOK_E_NO_MEMORY; /* documents are smaller than the limit, so it was memory */
    }
    casehook__buf_fit(&mask->store);
    *out = mask;
    return CASEHOOK_OK;
}

void casehook__mask_free(struct casehook__mask *mask)
{
    if (!mask) return;
    casehook__buf_free_secret(&mask->store);
    casehook__free(mask->heap, mask);
}

/* Length of the longest secret that text begins with. */
static size_t match(const struct casehook__mask *mask, struct casehook__text text)
{
    size_t longest = 0, begin = 0;
    for (size_t i = 0; mask && i < mask->count; begin = mask->ends[i++]) {
        size_t length = mask->ends[i] - begin;
        const char *needle = mask->store.data + begin;
        if (*needle == *text.data && length > longest && length <= text.length &&
            memcmp(text.data, needle, length) == 0)
            longest = length;
    }
    return longest;
}

/* Length of the printable ASCII at the beginning of text where no secret can begin. */
static size_t plain(const struct casehook__mask *mask, struct casehook__text text)
{
    size_t length = 0;
    const unsigned char *bytes = (const unsigned char *)text.data;
    if (mask)
        while (length < text.length && !mask->stop[bytes[length]]) length++;
    else
        while (length < text.length && is_printable(bytes[length])) length++;
    return length;
}

const char *casehook__mask_excerpt(const struct casehook__mask *mask, struct casehook__text text, char *out,
                                   size_t size)
{
    size_t used = 0;
    while (text.length) {
        const char *piece = text.data;
        size_t taken = plain(mask, text), put = taken, room = size - 1 - used;
        if (taken) {
            if (put > room) put = taken = room;
        } else if ((taken = match(mask, text)) > 0) {
            piece = "***";
            put = 3;
        } else {
            taken = put = casehook__utf8_length(text.data, text.length);
            if (taken == 0 || (unsigned char)*piece < 0x20 || *piece == 0x7F) {
                taken = put = 1;
                piece = "?";
            }
        }
        if (put == 0 || put > room) break;
        memcpy(out + used, piece, put);
        used += put;
        text.data += taken;
        text.length -= taken;
    }
    out[used] = '\0';
    return out;
}
