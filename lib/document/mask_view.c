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
    const char *at = view->text.data + view->at;
    bool cut = *at == '.' && view->text.length - view->at >= 3 && at[1] == '.' && at[2] == '.';
    *seen = (struct casehook__seen){(unsigned char)*at, cut, (uint32_t)view->at, (uint32_t)view->at + 1};
    view->at++;
    return true;
}

/* The byte that is so far ahead; -1: there is none, or it is behind a cut, or too far. */
static int peek(struct casehook__view *view, unsigned number, unsigned far)
{
    struct casehook__layer *layer = &view->layers[number];
    while (layer->count <= far) {
        if (layer->count == CASEHOOK__AHEAD) return -1;
        if (!below(view, number, &layer->ahead[(layer->first + layer->count) % CASEHOOK__AHEAD])) return -1;
        layer->count++;
    }
    const struct casehook__seen *seen = &layer->ahead[(layer->first + far) % CASEHOOK__AHEAD];
    return far && seen->cut ? -1 : seen->byte;
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

/* Whether from there on nothing comes but the end, or what is left of escapes that it cut off. */
static bool is_cut_off(struct casehook__view *view, unsigned number, unsigned far)
{
    int c = peek(view, number, far);
    if (c >= 0 && !casehook__is_sign((char)c)) return false;
    while (c >= 0 && casehook__is_escape_part((char)c) && far + 1 < CASEHOOK__AHEAD)
        c = peek(view, number, ++far);
    return c < 0;
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

static bool is_number_cut(struct casehook__view *view, unsigned number, unsigned far, unsigned digits)
{
    for (; digits && peek_hex(view, number, far) >= 0; digits--) far++;
    return digits && is_cut_off(view, number, far);
}

static bool is_high(int32_t unit)
{
    return unit >= 0xD800 && unit < 0xDC00;
}

/* "\u00e4", and of two the pair that stands for one character. */
static struct view_escape unicode_escape(struct casehook__view *view, unsigned number)
{
    int32_t unit = peek_number(view, number, 2, 4), low = -1;
    if (unit < 0 && is_number_cut(view, number, 2, 4)) return (struct view_escape){0};
    if (unit < 0) return (struct view_escape){2, true, 'u'};
    if (is_high(unit) && peek(view, number, 6) == '\\' && peek(view, number, 7) == 'u')
        low = peek_number(view, number, 8, 4);
    if (low >= 0xDC00 && low < 0xE000)
        return (struct view_escape){12, false,
                                    0x10000U + ((uint32_t)(unit - 0xD800) << 10) + (uint32_t)(low - 0xDC00)};
    if (is_high(unit) && is_cut_off(view, number, 6)) return (struct view_escape){0};
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
    if (c == 'x' && is_number_cut(view, number, 2, 2)) return (struct view_escape){0};
    const char *letter = c ? strchr(letters, c) : NULL;
    return (struct view_escape){2, true, letter ? (uint32_t)values[letter - letters] : (uint32_t)c};
}

/* Zeros in front of a digit mean nothing: they are taken out of the ring, however many they are. */
static void drop_zeros(struct casehook__view *view, unsigned number, unsigned at, int base)
{
    struct casehook__layer *layer = &view->layers[number];
    for (int next; peek(view, number, at) == '0'; layer->count--) {
        next = peek_hex(view, number, at + 1);
        if (next < 0 || next >= base) return;
        for (unsigned i = at; i > 0; i--)
            layer->ahead[(layer->first + i) % CASEHOOK__AHEAD] =
                layer->ahead[(layer->first + i - 1) % CASEHOOK__AHEAD];
        layer->first = (layer->first + 1) % CASEHOOK__AHEAD;
    }
}

/* "&#38;" and "&#x26;"; before what cannot belong to it the ";" may be missing. */
static struct view_escape html_number(struct casehook__view *view, unsigned number)
{
    int x = peek(view, number, 2);
    bool hex = x == 'x' || x == 'X';
    uint32_t code = 0, base = hex ? 16 : 10;
    unsigned begin = hex ? 3 : 2, at = begin;
    drop_zeros(view, number, at, (int)base);
    for (;; at++) {
        int digit = peek_hex(view, number, at);
        if (digit < 0 || (uint32_t)digit >= base) break;
        code = code * base + (uint32_t)digit;
        if (code > 0x10FFFF) return (struct view_escape){0};
    }
    if (at == begin || is_cut_off(view, number, at)) return (struct view_escape){0};
    return (struct view_escape){at + (peek(view, number, at) == ';'), false, code};
}

#define NAME_DIFFERS    6 /* no two names that we know are the same in their first letters */
#define ESCAPE_NAME_MAX 8

/* A name and its character in Windows-1252, which is Latin-1 and what Western keyboards have beyond it. */
struct named {
    char name[NAME_DIFFERS + 1];
    unsigned char code;
};

/* What HTML 4 names of these characters, and what HTML 5 names of ASCII; sorted. */
/* clang-format off */
static const struct named named[] = {
    {"AElig", 0xC6}, {"Aacute", 0xC1}, {"Acirc", 0xC2}, {"Agrave", 0xC0}, {"Aring", 0xC5}, {"Atilde", 0xC3},
    {"Auml", 0xC4}, {"Ccedil", 0xC7}, {"Dagger", 0x87}, {"ETH", 0xD0}, {"Eacute", 0xC9}, {"Ecirc", 0xCA},
    {"Egrave", 0xC8}, {"Euml", 0xCB}, {"Hat", 0x5E}, {"Iacute", 0xCD}, {"Icirc", 0xCE}, {"Igrave", 0xCC},
    {"Iuml", 0xCF}, {"NewLin", 0x0A}, {"Ntilde", 0xD1}, {"OElig", 0x8C}, {"Oacute", 0xD3}, {"Ocirc", 0xD4},
    {"Ograve", 0xD2}, {"Oslash", 0xD8}, {"Otilde", 0xD5}, {"Ouml", 0xD6}, {"Scaron", 0x8A}, {"THORN", 0xDE},
    {"Tab", 0x09}, {"Uacute", 0xDA}, {"Ucirc", 0xDB}, {"Ugrave", 0xD9}, {"Uuml", 0xDC}, {"Yacute", 0xDD},
    {"Yuml", 0x9F}, {"aacute", 0xE1}, {"acirc", 0xE2}, {"acute", 0xB4}, {"aelig", 0xE6}, {"agrave", 0xE0},
    {"amp", 0x26}, {"apos", 0x27}, {"aring", 0xE5}, {"ast", 0x2A}, {"atilde", 0xE3}, {"auml", 0xE4},
    {"bdquo", 0x84}, {"brvbar", 0xA6}, {"bsol", 0x5C}, {"bull", 0x95}, {"ccedil", 0xE7}, {"cedil", 0xB8},
    {"cent", 0xA2}, {"circ", 0x88}, {"colon", 0x3A}, {"comma", 0x2C}, {"commat", 0x40}, {"copy", 0xA9},
    {"curren", 0xA4}, {"dagger", 0x86}, {"deg", 0xB0}, {"divide", 0xF7}, {"dollar", 0x24}, {"eacute", 0xE9},
    {"ecirc", 0xEA}, {"egrave", 0xE8}, {"equals", 0x3D}, {"eth", 0xF0}, {"euml", 0xEB}, {"euro", 0x80},
    {"excl", 0x21}, {"fnof", 0x83}, {"frac12", 0xBD}, {"frac14", 0xBC}, {"frac34", 0xBE}, {"grave", 0x60},
    {"gt", 0x3E}, {"hellip", 0x85}, {"iacute", 0xED}, {"icirc", 0xEE}, {"iexcl", 0xA1}, {"igrave", 0xEC},
    {"iquest", 0xBF}, {"iuml", 0xEF}, {"laquo", 0xAB}, {"lbrace", 0x7B}, {"lbrack", 0x5B}, {"lcub", 0x7B},
    {"ldquo", 0x93}, {"lowbar", 0x5F}, {"lpar", 0x28}, {"lsaquo", 0x8B}, {"lsqb", 0x5B}, {"lsquo", 0x91},
    {"lt", 0x3C}, {"macr", 0xAF}, {"mdash", 0x97}, {"micro", 0xB5}, {"middot", 0xB7}, {"nbsp", 0xA0},
    {"ndash", 0x96}, {"not", 0xAC}, {"ntilde", 0xF1}, {"num", 0x23}, {"oacute", 0xF3}, {"ocirc", 0xF4},
    {"oelig", 0x9C}, {"ograve", 0xF2}, {"ordf", 0xAA}, {"ordm", 0xBA}, {"oslash", 0xF8}, {"otilde", 0xF5},
    {"ouml", 0xF6}, {"para", 0xB6}, {"percnt", 0x25}, {"period", 0x2E}, {"permil", 0x89}, {"plus", 0x2B},
    {"plusmn", 0xB1}, {"pound", 0xA3}, {"quest", 0x3F}, {"quot", 0x22}, {"raquo", 0xBB}, {"rbrace", 0x7D},
    {"rbrack", 0x5D}, {"rcub", 0x7D}, {"rdquo", 0x94}, {"reg", 0xAE}, {"rpar", 0x29}, {"rsaquo", 0x9B},
    {"rsqb", 0x5D}, {"rsquo", 0x92}, {"sbquo", 0x82}, {"scaron", 0x9A}, {"sect", 0xA7}, {"semi", 0x3B},
    {"shy", 0xAD}, {"sol", 0x2F}, {"sup1", 0xB9}, {"sup2", 0xB2}, {"sup3", 0xB3}, {"szlig", 0xDF},
    {"thorn", 0xFE}, {"tilde", 0x98}, {"times", 0xD7}, {"trade", 0x99}, {"uacute", 0xFA}, {"ucirc", 0xFB},
    {"ugrave", 0xF9}, {"uml", 0xA8}, {"uuml", 0xFC}, {"verbar", 0x7C}, {"vert", 0x7C}, {"yacute", 0xFD},
    {"yen", 0xA5}, {"yuml", 0xFF},};
/* clang-format on */

/* Of 0x80 to 0x9F in Windows-1252. */
static const uint16_t windows[] = {0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                   0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008D, 0x017D, 0x008F,
                                   0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                   0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178};

static const struct named *find_named(const char *name)
{
    size_t low = 0, high = sizeof named / sizeof *named;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(name, named[middle].name);
        if (order == 0) return &named[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static struct view_escape html_escape(struct casehook__view *view, unsigned number)
{
    char name[NAME_DIFFERS + 1] = "";
    unsigned length = 0;
    int c;
    if (peek(view, number, 1) == '#') return html_number(view, number);
    for (; (c = peek(view, number, length + 1)) != ';'; length++) {
        if (c < 0 || length == ESCAPE_NAME_MAX) return (struct view_escape){0};
        if (!casehook__is_alpha((char)c) && !casehook__is_digit((char)c)) return (struct view_escape){0};
        if (length < NAME_DIFFERS) name[length] = (char)c;
    }
    const struct named *found = find_named(name);
    if (!found) return (struct view_escape){0};
    uint32_t code = found->code >= 0x80 && found->code < 0xA0 ? windows[found->code - 0x80] : found->code;
    return (struct view_escape){length + 2, false, code};
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
    for (unsigned i = 0; i < count; i++) layer->out[i] = (struct casehook__seen){bytes[i], false, begin, end};
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
