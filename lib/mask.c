/* mask.c - keeps secrets out of what is shown, even where a server echoes them. */
#include "mask.h"

#include "base64.h"
#include "mask_match.h"

#define FORMS        2 /* as it is, and in base64; escapes of both are seen through */
#define NEEDLE_LIMIT (4 * 1024 * 1024)

/* What a byte may be, however a secret is written: nearly all text is passed over by asking this alone. */
enum { FIRST = 1, SECOND = 2, STOP = 4 /* FIRST, and all but printable ASCII */ };

struct casehook__mask {
    struct casehook__heap *heap;
    struct casehook__buf store; /* all needles, one after the other */
    uint8_t role[256];
    size_t count;
    size_t ends[]; /* where each needle ends in store; every second one is base64 */
};

static inline bool is_printable(unsigned char c)
{
    return c >= 0x20 && c < 0x7F;
}

static bool is_escape(char c)
{
    return c == '%' || c == '\\' || c == '&';
}

/* Escapes, the letter in either case, and what may stand for it: + for a space, and - and _ in base64. */
static void add_role(struct casehook__mask *mask, uint8_t role, char c)
{
    const char others[] = {'%', '\\', '&', casehook__lower(c),
                           c == ' '   ? '+'
                           : c == '+' ? '-'
                           : c == '/' ? '_'
                                      : c};
    for (size_t i = 0; i < sizeof others; i++) mask->role[(unsigned char)others[i]] |= role;
    if (casehook__is_alpha(c)) mask->role[(unsigned char)(casehook__lower(c) - 32)] |= role;
}

/* What was put into the store from begin on is a needle. */
static void add_needle(struct casehook__mask *mask, size_t begin)
{
    mask->ends[mask->count++] = mask->store.length;
    add_role(mask, FIRST | STOP, mask->store.data[begin]);
    if (mask->store.length - begin > 1)
        add_role(mask, SECOND, mask->store.data[begin + 1]);
    else /* anything may follow */
        for (size_t c = 0; c < sizeof mask->role; c++) mask->role[c] |= SECOND;
}

/* Without its "=", which may be missing. */
static int add_base64(struct casehook__mask *mask, struct casehook__text secret)
{
    int status = casehook__base64_encode(&mask->store, secret);
    while (!status && mask->store.data[mask->store.length - 1] == '=') mask->store.length--;
    return status;
}

static int add_forms(struct casehook__mask *mask, struct casehook__text secret)
{
    size_t begin = mask->store.length;
    if (casehook__buf_append_text(&mask->store, secret)) return mask->store.status;
    add_needle(mask, begin);
    begin = mask->store.length;
    if (add_base64(mask, secret)) return mask->store.status;
    add_needle(mask, begin);
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
    casehook__buf_init(&mask->store, heap, NEEDLE_LIMIT);
    for (size_t i = 0; i < count && !status; i++)
        if (secrets[i].length) status = add_forms(mask, secrets[i]);
    for (size_t c = 0; c < sizeof mask->role; c++)
        if (!is_printable((unsigned char)c)) mask->role[c] |= STOP;
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
    casehook__buf_free(&mask->store);
    casehook__free(mask->heap, mask);
}

/* Length of the longest secret that text begins with. */
static size_t match(const struct casehook__mask *mask, struct casehook__text text)
{
    size_t longest = 0, begin = 0;
    if (!mask || !(mask->role[(unsigned char)text.data[0]] & FIRST)) return 0;
    bool escape = is_escape(*text.data);
    if (!escape && text.length > 1 && !(mask->role[(unsigned char)text.data[1]] & SECOND)) return 0;
    for (size_t i = 0; i < mask->count; begin = mask->ends[i++]) {
        struct casehook__text needle = {mask->store.data + begin, mask->ends[i] - begin};
        bool base64 = i % FORMS == 1;
        if (!escape && !casehook__mask_same(*text.data, *needle.data, base64)) continue;
        for (int escapes = 0; escapes < 2; escapes++) {
            size_t length = casehook__mask_match(text, needle, base64, escapes);
            while (length && base64 && length < text.length && text.data[length] == '=') length++;
            if (length > longest) longest = length;
        }
    }
    return longest;
}

/* Length of the printable ASCII at the beginning of text where no secret can begin. */
static size_t plain(const struct casehook__mask *mask, struct casehook__text text)
{
    size_t length = 0;
    const unsigned char *bytes = (const unsigned char *)text.data;
    if (mask)
        while (length < text.length && !(mask->role[bytes[length]] & STOP)) length++;
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
            bool control = ((unsigned char)*piece < 0x20 && *piece != '\t') || *piece == 0x7F;
            if (taken == 0 || control) {
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
