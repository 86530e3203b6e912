/* mask_view.c - decoders of percent, JSON and HTML escapes, one upon the other. */
#include "document/mask_view.h"

void casehook__view_begin(struct casehook__view *view, struct casehook__text text,
                          const enum casehook__decoder *decoders, unsigned count)
{
    view->text = text;
    view->at = 0;
    view->deep = count;
    for (unsigned i = 0; i < count; i++) {
        struct casehook__layer *layer = &view->layers[i];
        layer->decoder = decoders[i];
        layer->decoded = false;
        layer->first = layer->count = layer->out_at = layer->out_count = 0;
    }
}

static bool layer_next(struct casehook__view *view, unsigned number, struct casehook__seen *seen);

static bool below(struct casehook__view *view, unsigned number, struct casehook__seen *seen)
{
    if (number > 0) return layer_next(view, number - 1, seen);
    if (view->at >= view->text.length) return false;
    *seen = (struct casehook__seen){(unsigned char)view->text.data[view->at], (uint32_t)view->at,
                                    (uint32_t)view->at + 1};
    view->at++;
    return true;
}

/* The byte that is so far ahead; -1: there is none, or it is too far. */
static int peek(struct casehook__view *view, unsigned number, unsigned far)
{
    struct casehook__layer *layer = &view->layers[number];
    while (layer->count <= far) {
        if (layer->count == CASEHOOK__AHEAD) return -1;
        if (!below(view, number, &layer->ahead[(layer->first + layer->count) % CASEHOOK__AHEAD])) return -1;
        layer->count++;
    }
    return layer->ahead[(layer->first + far) % CASEHOOK__AHEAD].byte;
}

static int peek_hex(struct casehook__view *view, unsigned number, unsigned far)
{
    int c = peek(view, number, far);
    return c < 0 ? -1 : casehook__hex_value((char)c);
}

/* A number of so many hexadecimal digits; -1: they are not there. */
static int32_t peek_number(struct casehook__view *view, unsigned number, unsigned far, unsigned digits)
{
    int32_t value = 0;
    for (unsigned i = 0; i < digits; i++) {
        int digit = peek_hex(view, number, far + i);
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* ---- what an escape stands for ------------------------------------------------------------------- */

/* length 0: what stands there is no escape.  raw: a byte, else a character. */
struct view_escape {
    unsigned length;
    bool raw;
    uint32_t code;
};

static struct view_escape percent_escape(struct casehook__view *view, unsigned number)
{
    int32_t byte = peek_number(view, number, 1, 2);
    return byte < 0 ? (struct view_escape){0} : (struct view_escape){3, true, (uint32_t)byte};
}

static bool is_high(int32_t unit)
{
    return unit >= 0xD800 && unit < 0xDC00;
}

/* "\u00e4", and of two the pair that stands for one character. */
static struct view_escape unicode_escape(struct casehook__view *view, unsigned number)
{
    int32_t unit = peek_number(view, number, 2, 4), low = -1;
    if (unit < 0) return (struct view_escape){2, true, 'u'};
    if (is_high(unit) && peek(view, number, 6) == '\\' && peek(view, number, 7) == 'u')
        low = peek_number(view, number, 8, 4);
    if (low >= 0xDC00 && low < 0xE000)
        return (struct view_escape){12, false,
                                    0x10000U + ((uint32_t)(unit - 0xD800) << 10) + (uint32_t)(low - 0xDC00)};
    return (struct view_escape){6, false, (uint32_t)unit};
}

static struct view_escape json_escape(struct casehook__view *view, unsigned number)
{
    static const char letters[] = "bfnrt", values[] = "\b\f\n\r\t";
    int c = peek(view, number, 1);
    if (c < 0) return (struct view_escape){0};
    if (c == 'u') return unicode_escape(view, number);
    int32_t byte = c == 'x' ? peek_number(view, number, 2, 2) : -1;
    if (byte >= 0) return (struct view_escape){4, true, (uint32_t)byte};
    const char *letter = c ? strchr(letters, c) : NULL;
    return (struct view_escape){2, true, letter ? (uint32_t)values[letter - letters] : (uint32_t)c};
}

/* "&#38;" and "&#x26;", with zeros in front. */
static struct view_escape html_number(struct casehook__view *view, unsigned number)
{
    int x = peek(view, number, 2);
    bool hex = x == 'x' || x == 'X';
    uint32_t code = 0, base = hex ? 16 : 10;
    unsigned at = hex ? 3 : 2, begin = at;
    for (; peek(view, number, at) != ';'; at++) {
        int digit = peek_hex(view, number, at);
        if (digit < 0 || (uint32_t)digit >= base || code > 0x10FFFF) return (struct view_escape){0};
        code = code * base + (uint32_t)digit;
    }
    return at == begin || code > 0x10FFFF ? (struct view_escape){0}
                                          : (struct view_escape){at + 1, false, code};
}

static struct view_escape html_escape(struct casehook__view *view, unsigned number)
{
    static const char *const names[] = {"amp;", "lt;", "gt;", "quot;", "apos;"};
    static const char values[] = "&<>\"'";
    if (peek(view, number, 1) == '#') return html_number(view, number);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        unsigned at = 0;
        while (names[i][at] && peek(view, number, at + 1) == names[i][at]) at++;
        if (!names[i][at]) return (struct view_escape){at + 1, true, (unsigned char)values[i]};
    }
    return (struct view_escape){0};
}

static struct view_escape escape_at(struct casehook__view *view, unsigned number)
{
    int c = peek(view, number, 0);
    switch (view->layers[number].decoder) {
    case CASEHOOK__DECODE_PERCENT: return c == '%' ? percent_escape(view, number) : (struct view_escape){0};
    case CASEHOOK__DECODE_JSON: return c == '\\' ? json_escape(view, number) : (struct view_escape){0};
    default: return c == '&' ? html_escape(view, number) : (struct view_escape){0};
    }
}

/* ---- layers -------------------------------------------------------------------------------------- */

/* The bytes of UTF-8; lone surrogates as if they were characters, as a secret may be written too. */
static unsigned utf8_of(uint32_t code, unsigned char bytes[4])
{
    unsigned count = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char marks[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (unsigned i = count; i-- > 1; code >>= 6) bytes[i] = (unsigned char)(0x80 | (code & 0x3F));
    bytes[0] = (unsigned char)(marks[count] | code);
    return count;
}

static void give_on(struct casehook__layer *layer, const struct view_escape *escape)
{
    unsigned char bytes[4] = {(unsigned char)escape->code};
    unsigned count = escape->raw ? 1 : utf8_of(escape->code, bytes);
    uint32_t begin = layer->ahead[layer->first].begin;
    uint32_t end = layer->ahead[(layer->first + escape->length - 1) % CASEHOOK__AHEAD].end;
    for (unsigned i = 0; i < count; i++) layer->out[i] = (struct casehook__seen){bytes[i], begin, end};
    layer->out_at = 0;
    layer->out_count = count;
    layer->decoded = true;
    layer->first = (layer->first + escape->length) % CASEHOOK__AHEAD;
    layer->count -= escape->length;
}

static bool layer_next(struct casehook__view *view, unsigned number, struct casehook__seen *seen)
{
    struct casehook__layer *layer = &view->layers[number];
    if (layer->out_at < layer->out_count) {
        *seen = layer->out[layer->out_at++];
        return true;
    }
    if (peek(view, number, 0) < 0) return false;
    struct view_escape escape = escape_at(view, number);
    if (escape.length) {
        give_on(layer, &escape);
        *seen = layer->out[layer->out_at++];
        return true;
    }
    *seen = layer->ahead[layer->first];
    layer->first = (layer->first + 1) % CASEHOOK__AHEAD;
    layer->count--;
    return true;
}

bool casehook__view_next(struct casehook__view *view, struct casehook__seen *seen)
{
    return below(view, view->deep, seen);
}
