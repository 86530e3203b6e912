/*
 * fuzz_mask.c - random secrets, echoed in a random text in all the ways that are promised (R3).
 *
 * What the text says is read a second time, with decoders of this file that know nothing of the library's:
 * every place where a secret of 4 bytes or more stands, raw or in base64, in lines too, behind up to three
 * escapings, must be gone from what is shown, and what is shown is read like that again.
 */
#include "fuzz.h"
#include "base/base64.h"
#include "document/mask.h"

#define SECRETS  4
#define TEXT_MAX 512
#define DEEP     3 /* escapings, one upon the other */

/* ---- input ----------------------------------------------------------------------------------------- */

struct mask_input {
    const uint8_t *data;
    size_t size;
};

static unsigned take_byte(struct mask_input *input)
{
    if (input->size == 0) return 0;
    input->size--;
    return *input->data++;
}

struct secret {
    char data[TEXT_MAX];
    size_t length;
};

static void secret_add(struct secret *secret, const char *data, size_t length)
{
    if (length > sizeof secret->data - secret->length) return;
    memcpy(secret->data + secret->length, data, length);
    secret->length += length;
}

static void random_secret(struct mask_input *input, const struct secret *earlier, size_t count,
                          struct secret *secret)
{
    static const char *const usual[] = {"S3cr3t~Pass",
                                        "a&b\"c\\d/e",
                                        "%41%42cd",
                                        "&amp;x&#65;",
                                        "\\u0041bcd",
                                        "Bearer tok en",
                                        "p\xC3\xA4ss\xF0\x9F\x94\x91",
                                        "aaaaaaaa",
                                        "user:pass+w_d",
                                        "\\\\n\\\"x",
                                        "%25%2541"};
    static const char run[] = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
    unsigned kind = take_byte(input);
    secret->length = 0;
    if (kind & 0x20 && count) secret_add(secret, earlier[count - 1].data, earlier[count - 1].length);
    if (kind & 0x40) secret_add(secret, run, sizeof run - 1); /* longer than what is searched for at once */
    if (kind & 0x80) secret_add(secret, run, sizeof run - 1);
    if ((kind & 0xE0) == 0xC0) secret_add(secret, run, 20);
    if (kind & 0x10) {
        const char *piece = usual[(kind & 0xF) % (sizeof usual / sizeof *usual)];
        secret_add(secret, piece, strlen(piece));
    } else {
        size_t length = kind & 0xF;
        if (length > input->size) length = input->size;
        secret_add(secret, (const char *)input->data, length);
        input->data += length;
        input->size -= length;
    }
}

/* ---- what servers do to what they echo ------------------------------------------------------------- */

static void put(struct casehook__buf *out, const char *format, unsigned value)
{
    char piece[16];
    snprintf(piece, sizeof piece, format, value);
    casehook__buf_append_string(out, piece);
}

static bool is_word(unsigned char c)
{
    return casehook__is_alpha((char)c) || (c >= '0' && c <= '9');
}

static void put_percent(struct casehook__buf *out, unsigned char c, unsigned style)
{
    if (c == ' ' && style & 1)
        casehook__buf_append_char(out, '+');
    else if (!is_word(c) || style & 2)
        put(out, style & 4 ? "%%%02x" : "%%%02X", c);
    else
        casehook__buf_append_char(out, (char)c);
}

static void put_json(struct casehook__buf *out, unsigned char c, unsigned style)
{
    if (c < 0x20 || (c < 0x80 && style & 2)) {
        put(out, style & 4 ? "\\u%04x" : "\\u%04X", c);
    } else {
        if (c == '"' || c == '\\' || (c == '/' && style & 1)) casehook__buf_append_char(out, '\\');
        casehook__buf_append_char(out, (char)c);
    }
}

static void put_html(struct casehook__buf *out, unsigned char c, unsigned style)
{
    static const char signs[] = "&<>\"'";
    static const char *const names[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&apos;"};
    const char *sign = c ? strchr(signs, c) : NULL;
    if (sign && !(style & 1))
        casehook__buf_append_string(out, names[sign - signs]);
    else if (c < 0x80 && (sign || style & 2))
        put(out, style & 4 ? "&#x%04X;" : "&#%u;", c);
    else
        casehook__buf_append_char(out, (char)c);
}

/* Once more escaped. */
static void escape(struct casehook__buf *buf, unsigned style)
{
    static void (*const encoders[])(struct casehook__buf *, unsigned char, unsigned) = {put_percent, put_json,
                                                                                        put_html};
    struct casehook__buf out;
    casehook__buf_init(&out, NULL, 1 << 20);
    for (size_t i = 0; i < buf->length; i++)
        encoders[style % 3](&out, (unsigned char)buf->data[i], style / 3);
    casehook__buf_free(buf);
    *buf = out;
}

/* Base64 of URLs. */
static void change_alphabet(struct casehook__buf *buf)
{
    for (size_t i = 0; i < buf->length; i++) {
        if (buf->data[i] == '+') buf->data[i] = '-';
        if (buf->data[i] == '/') buf->data[i] = '_';
    }
}

static void break_lines(struct casehook__buf *buf, unsigned how)
{
    struct casehook__buf out;
    casehook__buf_init(&out, NULL, 1 << 20);
    for (size_t i = 0; i < buf->length; i++) {
        if (i && i % (1 + how % 32) == 0) casehook__buf_append_string(&out, how & 32 ? "\r\n" : "\n");
        casehook__buf_append_char(&out, buf->data[i]);
    }
    casehook__buf_free(buf);
    *buf = out;
}

static void change_case(struct casehook__buf *buf)
{
    for (size_t i = 0; i < buf->length; i++) buf->data[i] = casehook__lower(buf->data[i]);
}

static void echo(struct mask_input *input, const struct secret *secret, struct casehook__buf *text)
{
    struct casehook__buf echoed;
    unsigned how = take_byte(input), cut;
    casehook__buf_init(&echoed, NULL, 1 << 20);
    struct casehook__text plain = {secret->data, secret->length};
    if (how & 4)
        casehook__base64_encode(&echoed, plain);
    else
        casehook__buf_append(&echoed, plain.data, plain.length);
    if (how & 32) change_alphabet(&echoed);
    if (how & 8) change_case(&echoed);
    if (how & 64) break_lines(&echoed, take_byte(input));
    for (unsigned i = how & 3; i > 0; i--) escape(&echoed, take_byte(input));
    if (how & 16 && (cut = take_byte(input)) < echoed.length) echoed.length = cut;
    if (echoed.length <= TEXT_MAX - text->length) casehook__buf_append(text, echoed.data, echoed.length);
    casehook__buf_free(&echoed);
}

static void random_text(struct mask_input *input, const struct secret *secrets, size_t count,
                        struct casehook__buf *text)
{
    static const char *const pieces[] = {"%", "\\", "&",    "...",   "%25", "\\u00", "&#x", "&amp;",
                                         "u", "\"", "\\\\", "&#37;", " ",   "\x01",  "=",   "\xC3"};
    while (input->size && text->length < TEXT_MAX - 8) {
        unsigned choice = take_byte(input);
        if (choice < 0x80)
            casehook__buf_append_char(text, (char)choice);
        else if (choice < 0xC0)
            casehook__buf_append_string(text, pieces[choice % 16]);
        else if (choice < 0xF0)
            echo(input, &secrets[choice % count], text);
        else
            casehook__buf_append_char(text, (char)take_byte(input));
    }
}

/* ---- readers --------------------------------------------------------------------------------------- */

/* What a reader makes of a text, and where in the text each byte of it came from. */
struct reading {
    unsigned char byte[TEXT_MAX * 4];
    uint16_t begin[TEXT_MAX * 4], end[TEXT_MAX * 4];
    size_t length;
};

/* The value of digits, up to count of them; how many there are. */
static size_t read_digits(const struct reading *from, size_t at, size_t count, unsigned base, uint32_t *value)
{
    size_t read = 0;
    for (*value = 0; read < count && at + read < from->length; read++) {
        int digit = casehook__hex_value((char)from->byte[at + read]);
        if (digit < 0 || (unsigned)digit >= base || *value > 0x10FFFF) break;
        *value = *value * base + (uint32_t)digit;
    }
    return read;
}

static size_t utf8_put(uint32_t code, unsigned char out[4])
{
    if (code < 0x80) {
        out[0] = (unsigned char)code;
        return 1;
    }
    size_t length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char first[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = 0; i < length; i++)
        out[i] = (unsigned char)(0x80 | (code >> 6 * (length - 1 - i) & 0x3F));
    out[0] = (unsigned char)(first[length] | code >> 6 * (length - 1));
    return length;
}

/* Each takes the escape at a place into out, which is count bytes then; how long it is, 0: there is none. */
static size_t read_percent(const struct reading *from, size_t at, unsigned char out[4], size_t *count)
{
    uint32_t value;
    if (from->byte[at] != '%' || read_digits(from, at + 1, 2, 16, &value) < 2) return 0;
    out[0] = (unsigned char)value;
    *count = 1;
    return 3;
}

/* Whether an escape that began before this place was cut off by the end or a "...", perhaps inside another.
 */
static bool is_cut(const struct reading *from, size_t at)
{
    for (; at < from->length; at++) {
        unsigned char c = from->byte[at];
        if (c == '.') return from->length - at >= 3 && memcmp(from->byte + at, "...", 3) == 0;
        if (!is_word(c) && (!c || !strchr("%\\&#", c))) return false;
    }
    return true;
}

static bool is_cut_off(const struct reading *from, size_t at)
{
    bool begins = at == from->length || (from->byte[at] && strchr("%\\&.", from->byte[at]));
    return begins && is_cut(from, at);
}

/* Whether "\\u" and "\\x" have their digits. */
static bool is_whole(const struct reading *from, size_t at)
{
    uint32_t value;
    size_t digits = from->byte[at + 1] == 'u' ? 4 : from->byte[at + 1] == 'x' ? 2 : 1;
    return read_digits(from, at + 2, digits, 16, &value) == digits;
}

static size_t read_json(const struct reading *from, size_t at, unsigned char out[4], size_t *count)
{
    uint32_t value, low;
    if (from->byte[at] != '\\' || at + 1 == from->length) return 0;
    unsigned char c = from->byte[at + 1];
    *count = 1;
    if ((c == '.' || c == 'u' || c == 'x') && is_cut(from, at + 1) && !is_whole(from, at)) return 0;
    if (c == 'u' && read_digits(from, at + 2, 4, 16, &value) == 4) {
        bool pair = value >= 0xD800 && value < 0xDC00 && at + 12 <= from->length &&
                    from->byte[at + 6] == '\\' && from->byte[at + 7] == 'u' &&
                    read_digits(from, at + 8, 4, 16, &low) == 4 && low >= 0xDC00 && low < 0xE000;
        if (pair) value = 0x10000 + (value - 0xD800) * 0x400 + low - 0xDC00;
        *count = utf8_put(value, out);
        return pair ? 12 : 6;
    }
    if (c == 'x' && read_digits(from, at + 2, 2, 16, &value) == 2) {
        out[0] = (unsigned char)value;
        return 4;
    }
    switch (c) {
    case 'b': out[0] = '\b'; break;
    case 'f': out[0] = '\f'; break;
    case 'n': out[0] = '\n'; break;
    case 'r': out[0] = '\r'; break;
    case 't': out[0] = '\t'; break;
    default: out[0] = c;
    }
    return 2;
}

static size_t read_html(const struct reading *from, size_t at, unsigned char out[4], size_t *count)
{
    static const struct {
        const char *name;
        unsigned char sign;
    } names[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
    if (from->byte[at] != '&' || at + 1 == from->length) return 0;
    for (size_t i = 0; i < 5; i++) {
        size_t length = strlen(names[i].name);
        if (length > from->length - at || memcmp(from->byte + at, names[i].name, length) != 0) continue;
        out[0] = names[i].sign;
        *count = 1;
        return length;
    }
    if (from->byte[at + 1] != '#') return 0;
    bool hex = at + 2 < from->length && (from->byte[at + 2] | 0x20) == 'x';
    size_t begin = at + (hex ? 3 : 2);
    uint32_t value;
    size_t digits = read_digits(from, begin, SIZE_MAX, hex ? 16 : 10, &value), end = begin + digits;
    if (digits == 0 || value > 0x10FFFF) return 0;
    if (is_cut_off(from, end)) return 0;
    *count = utf8_put(value, out);
    return end + (from->byte[end] == ';') - at;
}

/* False: there was nothing to take away. */
static bool unescape(const struct reading *from, unsigned reader, struct reading *to)
{
    static size_t (*const readers[])(const struct reading *, size_t, unsigned char[4],
                                     size_t *) = {read_percent, read_json, read_html};
    bool changed = false;
    to->length = 0;
    for (size_t at = 0, length; at < from->length; at += length) {
        unsigned char out[4] = {from->byte[at]};
        size_t count = 1;
        length = readers[reader](from, at, out, &count);
        changed = changed || length;
        if (length == 0) length = 1;
        for (size_t i = 0; i < count; i++) {
            to->byte[to->length] = out[i];
            to->begin[to->length] = from->begin[at];
            to->end[to->length++] = from->end[at + length - 1];
        }
    }
    return changed;
}

/* ---- where secrets stand --------------------------------------------------------------------------- */

struct needles {
    struct casehook__buf forms[SECRETS * 2]; /* of each secret, raw and in base64 */
    bool is_plain[SECRETS * 2];              /* it holds nothing that masking puts into a text */
    size_t count;
};

static bool is_line_end(unsigned char c)
{
    return c == '\r' || c == '\n';
}

/* Ends of lines count neither in a secret nor in a text; a secret of nothing else is none. */
static void add_needle(struct needles *needles, struct casehook__text secret)
{
    struct casehook__buf *raw = &needles->forms[needles->count], *base64 = raw + 1;
    bool plain = true;
    for (size_t i = 0; i < secret.length; i++)
        if (secret.data[i] == '*' || secret.data[i] == '?') plain = false;
    casehook__buf_init(raw, NULL, 1 << 20);
    casehook__buf_init(base64, NULL, 1 << 20);
    for (size_t i = 0; i < secret.length; i++)
        if (!is_line_end((unsigned char)secret.data[i])) casehook__buf_append_char(raw, secret.data[i]);
    CHECK(casehook__base64_encode(base64, secret) == CASEHOOK_OK);
    while (base64->data[base64->length - 1] == '=') base64->length--;
    needles->is_plain[needles->count] = plain;
    needles->is_plain[needles->count + 1] = true;
    needles->count += 2;
}

/* Case does not count; a form writes "+" for a space, and base64 for URLs "-" and "_". */
static bool is_same(char needle, unsigned char c, bool base64)
{
    if (casehook__lower(needle) == casehook__lower((char)c)) return true;
    if (base64) return (needle == '+' && c == '-') || (needle == '/' && c == '_');
    return needle == ' ' && c == '+';
}

/* So many bytes of a needle stand at a place; end: behind them. */
static size_t length_of_match(const struct needles *needles, size_t number, const struct reading *reading,
                              size_t at, size_t *end)
{
    const struct casehook__buf *needle = &needles->forms[number];
    size_t length = 0;
    *end = at;
    for (; length < needle->length && at < reading->length; at++) {
        if (length && is_line_end(reading->byte[at])) continue;
        if (!is_same(needle->data[length], reading->byte[at], number % 2)) break;
        length++;
        *end = at + 1;
    }
    return length;
}

/* Marks where secrets stand in this reading, and what is the beginning of one at its end. */
static void find_secrets(const struct needles *needles, const struct reading *reading, bool *secret)
{
    for (size_t n = 0; n < needles->count; n++)
        for (size_t at = 0; at + 4 <= reading->length; at++) {
            size_t end, length = length_of_match(needles, n, reading, at, &end);
            bool cut = length >= 4 && end == reading->length;
            if (length == 0 || (length < needles->forms[n].length && !cut)) continue;
            if (needles->forms[n].length < 2) continue;
            for (size_t i = reading->begin[at]; i < reading->end[end - 1]; i++) secret[i] = true;
        }
}

static void check_shown(const struct needles *needles, const struct reading *reading)
{
    for (size_t n = 0; n < needles->count; n++)
        for (size_t at = 0, end; at < reading->length && needles->is_plain[n]; at++)
            CHECK(needles->forms[n].length < 2 ||
                  length_of_match(needles, n, reading, at, &end) < needles->forms[n].length);
}

/* All that readers may make of it.  secret NULL: it was masked, nothing may be found. */
static void read_on(const struct needles *needles, const struct reading *reading, unsigned deep, bool *secret)
{
    if (secret)
        find_secrets(needles, reading, secret);
    else
        check_shown(needles, reading);
    if (deep == DEEP) return;
    struct reading *next = malloc(sizeof *next);
    CHECK(next);
    for (unsigned reader = 0; reader < 3; reader++)
        if (unescape(reading, reader, next)) read_on(needles, next, deep + 1, secret);
    free(next);
}

static void read_all(const struct needles *needles, struct casehook__text text, bool *secret)
{
    struct reading *reading = malloc(sizeof *reading);
    CHECK(reading && text.length <= TEXT_MAX);
    for (size_t i = 0; i < text.length; i++) {
        reading->byte[i] = (unsigned char)text.data[i];
        reading->begin[i] = (uint16_t)i;
        reading->end[i] = (uint16_t)(i + 1);
    }
    reading->length = text.length;
    read_on(needles, reading, 0, secret);
    free(reading);
}

/* ---- whether what is shown can come of the text ---------------------------------------------------- */

enum { OPEN = 1, MASKED = 2 };

/* What may follow when so much of the text was shown as so much of out. */
static void go_on(struct casehook__text text, const bool *secret, struct casehook__text out, size_t i,
                  size_t j, unsigned char reached[TEXT_MAX + 1][TEXT_MAX + 1])
{
    const char *data = text.data + i;
    if (reached[i][j] & MASKED) reached[i + 1][j] |= MASKED | OPEN;
    if (j + 3 <= out.length && memcmp(out.data + j, "***", 3) == 0) reached[i + 1][j + 3] |= MASKED | OPEN;
    if (secret[i] || j == out.length) return;
    size_t length = casehook__utf8_length(data, text.length - i);
    bool hidden = length == 0 || ((unsigned char)*data < 0x20 && *data != '\t') || *data == 0x7F;
    for (size_t k = 1; k < length; k++) hidden = hidden || secret[i + k];
    if (out.data[j] == '?') reached[i + 1][j + 1] |= OPEN;
    if (!hidden && length <= out.length - j && memcmp(out.data + j, data, length) == 0)
        reached[i + length][j + length] |= OPEN;
}

/* Out is the text with every secret, and perhaps more, behind "***". */
static void check_masked(struct casehook__text text, const bool *secret, struct casehook__text out)
{
    static unsigned char reached[TEXT_MAX + 1][TEXT_MAX + 1];
    CHECK(out.length <= text.length); /* what is masked is at least as long as its "***" */
    for (size_t i = 0; i <= text.length; i++) memset(reached[i], 0, out.length + 1);
    reached[0][0] = OPEN;
    for (size_t i = 0; i < text.length; i++)
        for (size_t j = 0; j <= out.length; j++)
            if (reached[i][j]) go_on(text, secret, out, i, j, reached);
    if (!reached[text.length][out.length])
        fprintf(stderr, "\"%.*s\"\nwas shown as \"%s\"\n", (int)text.length, text.data, out.data);
    CHECK(reached[text.length][out.length]);
}

/* A shorter one is cut between characters, not masked in another way. */
static void check_cut(const struct casehook__mask *mask, struct casehook__text text,
                      struct casehook__text whole, size_t size)
{
    char out[CASEHOOK__EXCERPT_MAX + 1];
    CHECK(casehook__mask_excerpt(mask, text, out, size) == out);
    size_t length = strlen(out);
    CHECK(length < size && length <= whole.length && memcmp(out, whole.data, length) == 0);
    CHECK(length == whole.length || length + 4 >= size);
    for (size_t i = 0, taken; i < length; i += taken) {
        taken = casehook__utf8_length(out + i, length - i);
        CHECK(taken);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mask_input input = {data, size};
    static struct secret secrets[SECRETS];
    struct casehook__text given[SECRETS];
    struct needles needles = {.count = 0};
    struct casehook__mask *mask;
    struct casehook__buf buf;
    bool secret[TEXT_MAX] = {false};
    char out[TEXT_MAX * 2];
    unsigned first = take_byte(&input);
    size_t count = 1 + first % SECRETS;
    for (size_t i = 0; i < count; i++) {
        random_secret(&input, secrets, i, &secrets[i]);
        given[i] = (struct casehook__text){secrets[i].data, secrets[i].length};
        if (given[i].length >= 4) add_needle(&needles, given[i]);
    }
    casehook__buf_init(&buf, NULL, TEXT_MAX);
    random_text(&input, secrets, count, &buf);
    struct casehook__text text = casehook__buf_text(&buf);
    CHECK(casehook__mask_new(NULL, given, count, &mask) == CASEHOOK_OK);
    CHECK(casehook__mask_excerpt(mask, text, out, sizeof out) == out);
    read_all(&needles, text, secret);
    check_masked(text, secret, casehook__text(out));
    read_all(&needles, casehook__text(out), NULL);
    check_cut(mask, text, casehook__text(out), 1 + first * 2);
    casehook__mask_free(mask);
    casehook__buf_free(&buf);
    for (size_t i = 0; i < needles.count; i++) casehook__buf_free(&needles.forms[i]);
    return 0;
}
