/* test_mask.c - secrets are found in whatever way they are written, and nothing else is touched (R3). */
#include "base/base64.h"
#include "document/mask.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define ROOM         (256 * 1024)

static uint32_t seed = 1;

static uint32_t random_below(uint32_t limit)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % limit;
}

static struct casehook__mask *mask_of(const struct casehook__text *secrets, size_t count)
{
    struct casehook__mask *mask = NULL;
    assert_int_equal(casehook__mask_new(NULL, secrets, count, &mask), CASEHOOK_OK);
    return mask;
}

static void masks_text(const struct casehook__mask *mask, struct casehook__text text, const char *wanted)
{
    static char out[ROOM];
    casehook__mask_excerpt(mask, text, out, sizeof out);
    if (strcmp(out, wanted) != 0)
        fail_msg("\"%.*s\" becomes \"%s\", not \"%s\"", (int)text.length, text.data, out, wanted);
}

static void masks(const char *secret, const char *text, const char *wanted)
{
    const struct casehook__text one = casehook__text(secret);
    struct casehook__mask *mask = mask_of(&one, 1);
    masks_text(mask, casehook__text(text), wanted);
    casehook__mask_free(mask);
}

/* ---- encoders: what servers do to what they echo --------------------------------------------------- */

typedef void (*encoder)(struct casehook__buf *out, struct casehook__text text);

static bool is_plain(char c)
{
    return casehook__is_alpha(c) || (c >= '0' && c <= '9');
}

static void put(struct casehook__buf *out, const char *format, unsigned value)
{
    char piece[32];
    snprintf(piece, sizeof piece, format, value);
    casehook__buf_append_string(out, piece);
}

static void percent(struct casehook__buf *out, struct casehook__text text)
{
    for (size_t i = 0; i < text.length; i++)
        if (is_plain(text.data[i]))
            casehook__buf_append_char(out, text.data[i]);
        else
            put(out, "%%%02X", (unsigned char)text.data[i]);
}

static void percent_all(struct casehook__buf *out, struct casehook__text text)
{
    for (size_t i = 0; i < text.length; i++) put(out, "%%%02x", (unsigned char)text.data[i]);
}

static void form(struct casehook__buf *out, struct casehook__text text)
{
    for (size_t i = 0; i < text.length; i++)
        if (is_plain(text.data[i]) || text.data[i] == ' ')
            casehook__buf_append_char(out, text.data[i] == ' ' ? '+' : text.data[i]);
        else
            put(out, "%%%02X", (unsigned char)text.data[i]);
}

static void json(struct casehook__buf *out, struct casehook__text text)
{
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (c == '"' || c == '\\' || c == '/') casehook__buf_append_char(out, '\\');
        if ((unsigned char)c < 0x20)
            put(out, "\\u%04x", (unsigned char)c);
        else
            casehook__buf_append_char(out, c);
    }
}

/* The code of the character at text, which is valid UTF-8 or one byte. */
static uint32_t code_of(struct casehook__text text, size_t *length)
{
    const unsigned char *p = (const unsigned char *)text.data;
    *length = casehook__utf8_length(text.data, text.length);
    switch (*length) {
    case 2: return (p[0] & 0x1FU) << 6 | (p[1] & 0x3FU);
    case 3: return (p[0] & 0xFU) << 12 | (p[1] & 0x3FU) << 6 | (p[2] & 0x3FU);
    case 4: return (p[0] & 7U) << 18 | (p[1] & 0x3FU) << 12 | (p[2] & 0x3FU) << 6 | (p[3] & 0x3FU);
    default: *length = 1; return *p;
    }
}

/* All in ASCII, as Python and PHP write it. */
static void json_ascii(struct casehook__buf *out, struct casehook__text text)
{
    size_t length;
    for (size_t i = 0; i < text.length; i += length) {
        uint32_t code = code_of(casehook__text_from(text, i), &length);
        if (code > 0xFFFF) {
            put(out, "\\u%04x", 0xD800 + ((code - 0x10000) >> 10));
            put(out, "\\u%04x", 0xDC00 + ((code - 0x10000) & 0x3FF));
        } else if (code >= 0x7F || !is_plain((char)code)) {
            put(out, "\\u%04X", code);
        } else {
            casehook__buf_append_char(out, (char)code);
        }
    }
}

static void html(struct casehook__buf *out, struct casehook__text text)
{
    static const char signs[] = "&<>\"'";
    static const char *const names[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    for (size_t i = 0; i < text.length; i++) {
        const char *sign = text.data[i] ? strchr(signs, text.data[i]) : NULL;
        if (sign)
            casehook__buf_append_string(out, names[sign - signs]);
        else
            casehook__buf_append_char(out, text.data[i]);
    }
}

static void html_all(struct casehook__buf *out, struct casehook__text text)
{
    size_t length;
    for (size_t i = 0; i < text.length; i += length)
        put(out, i % 2 ? "&#x%X;" : "&#0%u;", code_of(casehook__text_from(text, i), &length));
}

/* As htmlentities() of PHP writes it, and what HTML 5 has names for. */
static void html_names(struct casehook__buf *out, struct casehook__text text)
{
    static const struct {
        uint32_t code;
        const char *name;
    } names[] = {{'&', "amp"},       {'<', "lt"},       {'>', "gt"},     {'"', "quot"},    {'\'', "apos"},
                 {'+', "plus"},      {'=', "equals"},   {'/', "sol"},    {':', "colon"},   {',', "comma"},
                 {'.', "period"},    {'\n', "NewLine"}, {'\t', "Tab"},   {'\\', "bsol"},   {'%', "percnt"},
                 {';', "semi"},      {'#', "num"},      {0xE4, "auml"},  {0xF6, "ouml"},   {0xDF, "szlig"},
                 {0xE9, "eacute"},   {0xC5, "Aring"},   {0xA0, "nbsp"},  {0xFF, "yuml"},   {0x20AC, "euro"},
                 {0x2026, "hellip"}, {0xC6, "AElig"},   {0x178, "Yuml"}, {0xBE, "frac34"}, {0x153, "oelig"}};
    size_t length;
    for (size_t i = 0, n; i < text.length; i += length) {
        uint32_t code = code_of(casehook__text_from(text, i), &length);
        for (n = 0; n < COUNT(names) && names[n].code != code; n++) {}
        if (n == COUNT(names)) {
            casehook__buf_append(out, text.data + i, length);
            continue;
        }
        casehook__buf_append_char(out, '&');
        casehook__buf_append_string(out, names[n].name);
        casehook__buf_append_char(out, ';');
    }
}

/* Many zeros in front; nothing behind it where nothing is needed. */
static void html_numbers(struct casehook__buf *out, struct casehook__text text)
{
    size_t length;
    for (size_t i = 0; i < text.length; i += length) {
        uint32_t code = code_of(casehook__text_from(text, i), &length);
        char after = i + length < text.length ? text.data[i + length] : ';';
        if (is_plain((char)code) && code < 0x80) {
            casehook__buf_append_char(out, (char)code);
            continue;
        }
        put(out, i % 2 ? "&#x0000000000000%x" : "&#%u", code);
        if (is_plain(after) || after == ';') casehook__buf_append_char(out, ';');
    }
}

static void in_lines(struct casehook__buf *out, struct casehook__text text, size_t width, const char *end)
{
    for (size_t i = 0; i < text.length; i++) {
        if (i && i % width == 0) casehook__buf_append_string(out, end);
        casehook__buf_append_char(out, text.data[i]);
    }
}

static void base64(struct casehook__buf *out, struct casehook__text text)
{
    casehook__base64_encode(out, text);
}

static void base64_url(struct casehook__buf *out, struct casehook__text text)
{
    casehook__base64_encode(out, text);
    for (size_t i = 0; i < out->length; i++)
        out->data[i] = out->data[i] == '+' ? '-' : out->data[i] == '/' ? '_' : out->data[i];
    while (out->data[out->length - 1] == '=') out->length--;
}

static void upper(struct casehook__buf *out, struct casehook__text text)
{
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        casehook__buf_append_char(out, casehook__is_alpha(c) ? (char)(casehook__lower(c) - 32) : c);
    }
}

/* Lines of seven bytes, as MIME writes them with more. */
static void base64_lines(struct casehook__buf *out, struct casehook__text text)
{
    struct casehook__buf whole;
    casehook__buf_init(&whole, NULL, ROOM);
    base64(&whole, text);
    in_lines(out, casehook__buf_text(&whole), 7, "\r\n");
    casehook__buf_free(&whole);
}

static const encoder first[] = {NULL, base64, base64_url, base64_lines};
static const encoder escapes[] = {percent, percent_all, form,       json,        json_ascii,
                                  html,    html_all,    html_names, html_numbers};

static const char *const secrets[] = {
    "S3cret-Pass",
    "S3cr\\\\et-Pass",
    "S3cr&amp;et-Pass",
    "\xF0\x9F\x98\x80S3cret-Pass",
    "p%41ss%2541word",
    "tab\there\nand \"there\"",
    "with space+plus/slash",
    "\\u0041\\\\n\\",
    "&lt;b&gt;&#38;",
    "100%",
    "ends\\",
    "p\xC3\xA4ssw\xC3\xB6rt \xE2\x82\xAC",
    "<script>alert('x')</script>",
    "a/b?c=d&e=f#g",
    "Stra\xC3\x9F"
    "e-K\xC3\xB6ln-\xE2\x82\xAC"
    "99",
    "\xC3\x85\xC3\xA9\xC3\xBF\xC2\xA0,\xC2\xBE=\xC5\xB8:\xC3\x86.\xC5\x93\xE2\x80\xA6"};

/* Each secret, each form, each up to three escapes, one upon the other. */
static void every_encoding(void **state)
{
    (void)state;
    const size_t ways = COUNT(escapes) + 1;
    for (size_t s = 0; s < COUNT(secrets); s++) {
        const struct casehook__text secret = casehook__text(secrets[s]);
        struct casehook__mask *mask = mask_of(&secret, 1);
        for (size_t n = 0; n < COUNT(first) * ways * ways * ways; n++) {
            struct casehook__buf now, next;
            size_t way = n / COUNT(first);
            casehook__buf_init(&now, NULL, ROOM);
            casehook__buf_append_text(&now, secret);
            for (int step = -1; step < 3; step++) {
                encoder encode = step < 0          ? first[n % COUNT(first)]
                                 : way % ways == 0 ? NULL
                                                   : escapes[way % ways - 1];
                if (step >= 0) way /= ways;
                if (!encode) continue;
                casehook__buf_init(&next, NULL, ROOM);
                encode(&next, casehook__buf_text(&now));
                casehook__buf_free(&now);
                now = next;
            }
            casehook__buf_init(&next, NULL, ROOM);
            casehook__buf_append_string(&next, "it was [");
            casehook__buf_append_text(&next, casehook__buf_text(&now));
            casehook__buf_append_string(&next, "] today");
            masks_text(mask, casehook__buf_text(&next), "it was [***] today");
            casehook__buf_free(&next);
            casehook__buf_free(&now);
        }
        casehook__mask_free(mask);
    }
}

/* The end of a text cuts an escape, however many it is in: as soon as five bytes have come, nothing is shown.
 */
static void every_cut(void **state)
{
    (void)state;
    static const char *const cut[] = {"Pa<s&\xF0\x9F\x98\x80", "Pass\\\xE2\x82\xAC<"};
    const size_t ways = COUNT(escapes) + 1;
    for (size_t s = 0; s < COUNT(cut); s++) {
        const struct casehook__text secret = casehook__text(cut[s]);
        struct casehook__mask *mask = mask_of(&secret, 1);
        for (size_t n = 0; n < ways * ways * ways; n++) {
            size_t begin = 0, way = n;
            struct casehook__buf now[2], next;
            for (int k = 0; k < 2; k++) {
                casehook__buf_init(&now[k], NULL, ROOM);
                casehook__buf_append(&now[k], secret.data, k ? secret.length : 5);
            }
            for (int step = 0; step < 3; step++, way /= ways) {
                if (way % ways == 0) continue;
                for (int k = 0; k < 2; k++) {
                    casehook__buf_init(&next, NULL, ROOM);
                    escapes[way % ways - 1](&next, casehook__buf_text(&now[k]));
                    casehook__buf_free(&now[k]);
                    now[k] = next;
                }
            }
            begin = now[0].length;
            for (size_t length = begin; length <= now[1].length; length++)
                masks_text(mask, (struct casehook__text){now[1].data, length}, "***");
            casehook__buf_free(&now[0]);
            casehook__buf_free(&now[1]);
        }
        casehook__mask_free(mask);
    }
}

static void letters_of_other_case(void **state)
{
    (void)state;
    for (size_t s = 0; s < COUNT(secrets); s++) {
        struct casehook__buf text;
        const struct casehook__text secret = casehook__text(secrets[s]);
        casehook__buf_init(&text, NULL, ROOM);
        upper(&text, secret);
        struct casehook__mask *mask = mask_of(&secret, 1);
        masks_text(mask, casehook__buf_text(&text), "***");
        casehook__mask_free(mask);
        casehook__buf_free(&text);
    }
}

/* ---- what is no secret ------------------------------------------------------------------------------- */

static void short_secrets_are_words(void **state)
{
    (void)state;
    masks("X", "EXTERNAL-ID", "EXTERNAL-ID");
    masks("abc", "abc abc", "abc abc");
    masks("abcd", "abc abcd", "abc ***");
}

static void other_text_stays(void **state)
{
    (void)state;
    masks("S3cret-Pass", "S3cret-Pas", "***"); /* the beginning of one at the end of a text */
    masks("S3cret-Pass", "S3cret-Pas!", "S3cret-Pas!");
    masks("S3cret-Pass", "S3c", "S3c"); /* too little to be one */
    masks("S3cret-Pass", "100% &amp; \\n \\u00e4 %41 a\x01z \xC3\xA4 \xFF",
          "100% &amp; \\n \\u00e4 %41 a?z \xC3\xA4 ?");
}

static void cut_texts(void **state)
{
    (void)state;
    masks("S3cret-Pass", "CN=S3cret-P..., O=x", "CN=***..., O=x");
    masks("S3cret/Pass", "was S3cret%2...", "was ***...");
    masks("S3cret/Pass", "was S3cret%2", "was ***");
    masks("S3cret/Pass", "was S3cret\\u00", "was ***");
    masks("S3cret<Pass", "was S3cret&l", "was ***");
    masks("S3cret<Pass", "was S3cret%255Cu003", "was ***");
    masks("S3cret<Pass", "was S3cret%255Cu003..., S3cret&amp;amp;l...", "was ***..., ***...");
    masks("S3cret<Pass", "was S3cret&amp;amp;l", "was ***");
    masks("S3cret<Pass", "was S3cret&amp;#x3", "was ***");
    masks("S3cret<Pass", "was S3cret&#x0000000000000003", "was ***");
    masks("S3cret<Pass", "was S3cret\\\\\\\\\\\\\\\\u003", "was ***");
    masks("S3cret<Pass", "was S3c&lt;t", "was S3c&lt;t");
    masks("S3cret<Pass", "a S3cret&lt;", "a ***");
    masks("S3cret<Pass", "a S3cret%20is wrong", "a S3cret%20is wrong");
    masks("S3cret<Pass", "a S3cret%20", "a ***"); /* perhaps one that is not whole */
}

static void neighbours(void **state)
{
    (void)state;
    const struct casehook__text two[] = {CASEHOOK__TEXT("first-one"), CASEHOOK__TEXT("one-second")};
    struct casehook__mask *mask = mask_of(two, 2);
    masks_text(mask, CASEHOOK__TEXT("a first-one-second b"), "a *** b");
    masks_text(mask, CASEHOOK__TEXT("first-one, one-second, first-onfirst-one"), "***, ***, first-on***");
    casehook__mask_free(mask);
}

/* One whose first byte goes on with a character of the text: the character is not shown. */
static void inside_a_character(void **state)
{
    (void)state;
    masks("\x9F\x94\x91z", "a \xF0\x9F\x94\x91z b", "a ?*** b");
    masks("\xA4"
          "abc",
          "\xC3\xA4"
          "abc, \xC3\xA4"
          "abd",
          "?***, \xC3\xA4"
          "abd");
}

/* A low surrogate begins no pair; in HTML all digits belong to a number that no semicolon ends. */
static void ends_of_escapes(void **state)
{
    (void)state;
    masks("S3cr\xED\xB0\x80\xED\xB0\x80-w0rd", "a S3cr\\uDC00\\uDC00-w0rd b", "a *** b");
    masks("S3cr<t-w0rd", "a S3cr&#60t-w0rd b", "a *** b");
    masks("S3cr\xC9\xA1-w0rd", "a S3cr&#609-w0rd b", "a *** b");
    const struct casehook__text zero = CASEHOOK__TEXT("S3cr\0t-w0rd");
    struct casehook__mask *mask = mask_of(&zero, 1);
    masks_text(mask, CASEHOOK__TEXT("a S3cr\\x00t-w0rd b"), "a *** b"); /* a byte like any other */
    casehook__mask_free(mask);
}

/* In lines of any width, whose ends may be escaped; an end of a line behind it stays. */
static void lines(void **state)
{
    static const char *const ends[] = {"\n",     "\r\n",  "\\n",        "\\r\\n", "\\u000d\\u000a",
                                       "%0D%0A", "&#10;", "&#13;&#10;", "\\\\n",  "&NewLine;"};
    static const char login[] =
        "joe:a-long-password-a-long-password-a-long-password-a-long-password-a-long-passw9";
    (void)state;
    struct casehook__buf token, text;
    casehook__buf_init(&token, NULL, ROOM);
    base64(&token, casehook__text(login));
    const struct casehook__text kinds[] = {casehook__text(login), casehook__buf_text(&token)};
    for (size_t kind = 0; kind < COUNT(kinds); kind++) { /* the login, and what a header holds of it */
        struct casehook__mask *mask = mask_of(&kinds[kind], 1);
        for (size_t end = 0; end < COUNT(ends); end++)
            for (size_t width = 1; width <= 80; width++) {
                casehook__buf_init(&text, NULL, ROOM);
                casehook__buf_append_string(&text, "got ");
                in_lines(&text, casehook__buf_text(&token), width, ends[end]);
                size_t whole = text.length;
                casehook__buf_append_string(&text, " today");
                masks_text(mask, casehook__buf_text(&text), "got *** today");
                masks_text(mask, (struct casehook__text){text.data, whole - 4}, "got ***");
                casehook__buf_free(&text);
            }
        casehook__mask_free(mask);
    }
    casehook__buf_free(&token);
    masks("S3cret-Pass", "a S3cret-Pass\nb", "a ***?b");
    masks("S3cret-Pass\n", "a S3cret-Pass b", "a *** b");
    masks("S3cret-Pass", "a S3cret-\nb", "a S3cret-?b");
    masks("\n\n\n\n\n", "a\n\nb", "a??b");
}

/* ---- large ones --------------------------------------------------------------------------------------- */

/* Longer than what is searched for at once; two that go on differently after that; what differs ends it. */
static void long_secrets(void **state)
{
    (void)state;
    static char text[ROOM], a[1001], b[1001];
    for (int i = 0; i < 1000; i++) a[i] = b[i] = (char)('a' + random_below(26));
    memset(b + 500, 'Z', 500);
    const struct casehook__text both[] = {casehook__text(a), casehook__text(b)};
    struct casehook__mask *mask = mask_of(both, 2);
    snprintf(text, sizeof text, "[%s] [%s] [%.200s!]", a, b, a);
    char wanted[256];
    snprintf(wanted, sizeof wanted, "[***] [***] [***!]");
    masks_text(mask, casehook__text(text), wanted);
    casehook__mask_free(mask);
}

/* More of them that begin alike than are told apart, with signs in them that end words. */
static void long_secrets_alike(void **state)
{
    enum { SECRETS = 8, SAME = 200 };
    (void)state;
    static char bytes[SECRETS][SAME + 64];
    struct casehook__text many[SECRETS];
    for (int i = 0; i < SECRETS; i++) {
        memset(bytes[i], 'x', SAME);
        snprintf(bytes[i] + SAME, 64, " <%d>; \"%.*s\"", i, i, "abcdefgh");
        many[i] = casehook__text(bytes[i]);
    }
    struct casehook__mask *mask = mask_of(many, SECRETS);
    for (int i = 0; i < SECRETS; i++) masks_text(mask, many[i], "***");
    casehook__mask_free(mask);
}

/* One that begins inside what another one goes on with, and then differs from it. */
static void long_secret_in_another(void **state)
{
    (void)state;
    static char a[701], b[501], text[1024];
    for (int i = 0; i < 700; i++) a[i] = (char)('a' + random_below(26));
    memcpy(b, a + 150, 500);
    memset(b + 300, 'Z', 200);
    const struct casehook__text both[] = {casehook__text(a), casehook__text(b)};
    struct casehook__mask *mask = mask_of(both, 2);
    snprintf(text, sizeof text, "[%.150s%s]", a, b);
    masks_text(mask, casehook__text(text), "[***]");
    casehook__mask_free(mask);
}

static void many_secrets(void **state)
{
    (void)state;
    enum { SECRETS = 1000, LENGTH = 40 };
    static char bytes[SECRETS][LENGTH + 1], text[SECRETS * (LENGTH + 2)], wanted[SECRETS * 5 + 1];
    static struct casehook__text many[SECRETS];
    size_t length = 0, out = 0;
    for (int i = 0; i < SECRETS; i++) {
        for (int k = 0; k < LENGTH; k++) bytes[i][k] = (char)(k < 18 ? 'a' : 'b' + random_below(24));
        many[i] = (struct casehook__text){bytes[i], LENGTH};
        length += (size_t)snprintf(text + length, sizeof text - length, "%s ", bytes[i]);
        out += (size_t)snprintf(wanted + out, sizeof wanted - out, "*** ");
    }
    struct casehook__mask *mask = mask_of(many, SECRETS);
    masks_text(mask, (struct casehook__text){text, length}, wanted);
    casehook__mask_free(mask);
}

static void excerpts_end_between_characters(void **state)
{
    (void)state;
    char out[8];
    casehook__mask_excerpt(NULL, CASEHOOK__TEXT("abcde\xC3\xA4xyz"), out, sizeof out);
    assert_string_equal(out, "abcde\xC3\xA4");
    casehook__mask_excerpt(NULL, CASEHOOK__TEXT("abcdef\xC3\xA4xyz"), out, sizeof out);
    assert_string_equal(out, "abcdef");
}

/* ---- what a mask makes at its first text ------------------------------------------------------------ */

/* So many allocations succeed. */
static size_t allowed = SIZE_MAX;

static void *limited(void *user, void *pointer, size_t size)
{
    (void)user;
    if (size == 0) {
        free(pointer);
        return NULL;
    }
    return allowed && allowed-- ? realloc(pointer, size) : NULL;
}

static void without_memory_nothing_is_shown(void **state)
{
    (void)state;
    const struct casehook_allocator allocator = {.struct_size = sizeof allocator, .reallocate = limited};
    const struct casehook__text secret = CASEHOOK__TEXT("S3cret-Pass");
    struct casehook__heap *heap = NULL;
    struct casehook__mask *mask = NULL;
    char out[16] = "***";
    size_t failures = 0;
    assert_int_equal(casehook__heap_new(&allocator, &heap), CASEHOOK_OK);
    assert_int_equal(casehook__mask_new(heap, &secret, 1, &mask), CASEHOOK_OK);
    for (; strcmp(out, "a ***") != 0; failures++) {
        assert_string_equal(out, "***");
        allowed = failures;
        casehook__mask_excerpt(mask, CASEHOOK__TEXT("a S3cret-Pass"), out, sizeof out);
        allowed = SIZE_MAX;
    }
    assert_true(failures > 3);
    allowed = 0; /* what it made is kept */
    masks_text(mask, secret, "***");
    masks_text(mask, CASEHOOK__TEXT("plain"), "plain");
    allowed = SIZE_MAX;
    casehook__mask_free(mask);
    casehook__heap_unref(heap);
}

static void *mask_some(void *mask)
{
    char out[16];
    for (int i = 0; i < 100; i++) {
        casehook__mask_excerpt(mask, CASEHOOK__TEXT("a S3cret-Pass b"), out, sizeof out);
        if (strcmp(out, "a *** b") != 0) return mask;
    }
    return NULL;
}

static void threads_share_a_mask(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    const struct casehook__text secret = CASEHOOK__TEXT("S3cret-Pass");
    for (int round = 0; round < 20; round++) {
        struct casehook__mask *mask = mask_of(&secret, 1);
        pthread_t threads[THREADS];
        void *wrong = NULL;
        for (int i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, mask_some, mask), 0);
        for (int i = 0; i < THREADS; i++) {
            assert_int_equal(pthread_join(threads[i], &wrong), 0);
            assert_null(wrong);
        }
        casehook__mask_free(mask);
    }
}

/* A token stays known however many JWTs have asked for the next one in vain; the eighth token after it may
 * be the one that takes its place. */
static void secrets_that_come_later(void **state)
{
    (void)state;
    char jwt[32];
    struct casehook__mask *mask = mask_of(NULL, 0);
    assert_int_equal(casehook__mask_begin_learning(mask), CASEHOOK_OK);
    assert_int_equal(casehook__mask_learn(mask, casehook__text("first-token"), false), CASEHOOK_OK);
    for (int i = 0; i < 100; i++) {
        snprintf(jwt, sizeof jwt, "eyJ.assertion.%03d", i);
        assert_int_equal(casehook__mask_learn(mask, casehook__text(jwt), true), CASEHOOK_OK);
    }
    masks_text(mask, casehook__text("a first-token b eyJ.assertion.099 c eyJ.assertion.096 d"),
               "a *** b *** c *** d");
    for (int i = 0; i < 7; i++) {
        snprintf(jwt, sizeof jwt, "later-token.%d", i);
        assert_int_equal(casehook__mask_learn(mask, casehook__text(jwt), false), CASEHOOK_OK);
    }
    masks_text(mask, casehook__text("first-token later-token.6"), "*** ***");
    casehook__mask_free(mask);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_encoding),
                                       cmocka_unit_test(every_cut),
                                       cmocka_unit_test(letters_of_other_case),
                                       cmocka_unit_test(short_secrets_are_words),
                                       cmocka_unit_test(other_text_stays),
                                       cmocka_unit_test(cut_texts),
                                       cmocka_unit_test(neighbours),
                                       cmocka_unit_test(inside_a_character),
                                       cmocka_unit_test(ends_of_escapes),
                                       cmocka_unit_test(lines),
                                       cmocka_unit_test(secrets_that_come_later),
                                       cmocka_unit_test(long_secrets),
                                       cmocka_unit_test(long_secrets_alike),
                                       cmocka_unit_test(long_secret_in_another),
                                       cmocka_unit_test(many_secrets),
                                       cmocka_unit_test(excerpts_end_between_characters),
                                       cmocka_unit_test(without_memory_nothing_is_shown),
                                       cmocka_unit_test(threads_share_a_mask)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
