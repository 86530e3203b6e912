/* test_mask.c - secrets of every kind are found as a search finds them that leaves nothing out. */
#include "base64.h"
#include "mask.h"
#include "mask_match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define ROOM         400

static uint32_t seed = 1;

static uint32_t random_below(uint32_t limit)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % limit;
}

/* ---- the search ---------------------------------------------------------------------------------- */

static size_t longest(const struct casehook__text *secrets, size_t count, struct casehook__text text)
{
    size_t most = 0;
    for (size_t i = 0; i < 2 * count; i++) {
        struct casehook__buf buf;
        casehook__buf_init(&buf, NULL, 4096);
        bool base64 = i % 2;
        if (base64)
            casehook__base64_encode(&buf, secrets[i / 2]);
        else
            casehook__buf_append_text(&buf, secrets[i / 2]);
        while (base64 && buf.data[buf.length - 1] == '=') buf.length--;
        for (int escapes = 0; escapes < 2; escapes++) {
            size_t length = casehook__mask_match(text, casehook__buf_text(&buf), base64, escapes);
            while (length && base64 && length < text.length && text.data[length] == '=') length++;
            if (length > most) most = length;
        }
        casehook__buf_free(&buf);
    }
    return most;
}

static size_t search(const struct casehook__text *secrets, size_t count, struct casehook__text text,
                     char *out)
{
    size_t used = 0;
    while (text.length) {
        size_t taken = longest(secrets, count, text), put = taken ? 3 : 1;
        const char *piece = taken ? "***" : text.data;
        if (!taken) {
            unsigned char c = (unsigned char)*text.data;
            taken = put = casehook__utf8_length(text.data, text.length);
            if (!taken || (c < 0x20 && c != '\t') || c == 0x7F) {
                taken = put = 1;
                piece = "?";
            }
        }
        memcpy(out + used, piece, put);
        used += put;
        text.data += taken;
        text.length -= taken;
    }
    out[used] = '\0';
    return used;
}

static void compare(const struct casehook__text *secrets, size_t count, struct casehook__text text)
{
    static char found[4 * ROOM], wanted[4 * ROOM];
    struct casehook__mask *mask = NULL;
    assert_int_equal(casehook__mask_new(NULL, secrets, count, &mask), CASEHOOK_OK);
    search(secrets, count, text, wanted);
    casehook__mask_excerpt(mask, text, found, sizeof found);
    casehook__mask_free(mask);
    if (strcmp(found, wanted) == 0) return;
    for (size_t i = 0; i < count; i++)
        print_message("secret \"%.*s\"\n", (int)secrets[i].length, secrets[i].data);
    fail_msg("text \"%.*s\" becomes \"%s\", not \"%s\"", (int)text.length, text.data, found, wanted);
}

/* ---- texts --------------------------------------------------------------------------------------- */

/* A byte of a secret in one of the ways that it may be written. */
static void write_byte(struct casehook__buf *text, char c)
{
    unsigned char byte = (unsigned char)c;
    char upper = casehook__is_alpha(c) ? (char)(c ^ 0x20) : c, piece[16];
    switch (random_below(10)) {
    case 0: snprintf(piece, sizeof piece, "%%%02x", byte); break;
    case 1: snprintf(piece, sizeof piece, "%%%02X", byte); break;
    case 2: snprintf(piece, sizeof piece, byte < 0x80 ? "\\u%04x" : "%%25%02x", byte); break;
    case 3: snprintf(piece, sizeof piece, byte < 0x80 ? "&#%d;" : "%%%02x", byte); break;
    case 4:
        snprintf(piece, sizeof piece, "%s%c", byte < 0x80 && !casehook__is_alpha(c) ? "\\" : "", c);
        break;
    case 5: snprintf(piece, sizeof piece, "%c", c == ' ' ? '+' : upper); break;
    default: snprintf(piece, sizeof piece, "%c", c); break;
    }
    casehook__buf_append_string(text, c ? piece : "%00");
}

static void write_secret(struct casehook__buf *text, struct casehook__text secret)
{
    size_t length = random_below(4) ? secret.length : 1 + random_below((uint32_t)secret.length);
    if (random_below(4) == 0) {
        size_t begin = text->length;
        casehook__base64_encode(text, secret);
        for (size_t i = begin; i < text->length; i++)
            if (random_below(2))
                text->data[i] = text->data[i] == '+' ? '-' : text->data[i] == '/' ? '_' : text->data[i];
        return;
    }
    for (size_t i = 0; i < length; i++) write_byte(text, secret.data[i]);
}

static void random_texts(void **state)
{
    static const char *const alphabets[] = {"ab",
                                            "%25aA",
                                            "\\u0n\"",
                                            "&amp;#x3;",
                                            " +-/_",
                                            "\xC3\xA4\xC3\x84",
                                            "abcdefghijkXYZ019",
                                            ".=?\t\x01\xFF",
                                            "\xFB\xEF\xBE\xFF"};
    (void)state;
    for (int round = 0; round < 30000; round++) {
        char bytes[3][12];
        struct casehook__text secrets[3];
        size_t count = 1 + random_below(3);
        for (size_t i = 0; i < count; i++) {
            secrets[i] =
                (struct casehook__text){bytes[i], 1 + random_below(random_below(2) ? 3 : sizeof *bytes)};
            for (size_t k = 0; k < secrets[i].length; k++) {
                const char *alphabet = alphabets[random_below(COUNT(alphabets))];
                bytes[i][k] = alphabet[random_below((uint32_t)strlen(alphabet))];
            }
        }
        struct casehook__buf text;
        casehook__buf_init(&text, NULL, 1U << 20);
        for (uint32_t parts = 1 + random_below(4); parts > 0; parts--) {
            if (random_below(2)) casehook__buf_append_char(&text, "x \"%&\\+"[random_below(7)]);
            write_secret(&text, secrets[random_below((uint32_t)count)]);
            if (random_below(8) == 0) casehook__buf_append_string(&text, "...");
        }
        size_t cut = text.length - random_below(3) % text.length;
        assert_true(text.status == CASEHOOK_OK && cut < ROOM);
        compare(secrets, count, (struct casehook__text){text.data, cut});
        casehook__buf_free(&text);
    }
}

/* Of one, two and three bytes, each byte first and second, and nothing else around. */
static void short_secrets(void **state)
{
    (void)state;
    for (int first = 1; first < 256; first++)
        for (int second = 1; second < 256; second++) {
            char bytes[] = {(char)first, (char)second, 'q'};
            struct casehook__text secret = {bytes, 1 + (size_t)second % 3};
            char out[8];
            struct casehook__mask *mask = NULL;
            assert_int_equal(casehook__mask_new(NULL, &secret, 1, &mask), CASEHOOK_OK);
            casehook__mask_excerpt(mask, secret, out, sizeof out);
            casehook__mask_free(mask);
            bool all = strspn(out, "*") == strlen(out) && strlen(out) % 3 == 0;
            if (!all) fail_msg("%02x %02x, %zu bytes: \"%s\"", first, second, secret.length, out);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_texts), cmocka_unit_test(short_secrets)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
