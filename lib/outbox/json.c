/* json.c - a checker of JSON text, and steps through what it found right. */
#include "outbox/json.h"

enum { JSON_DEPTH_MAX = 512 };

struct cursor {
    const char *at, *end;
};

static void skip_blanks(struct cursor *cursor)
{
    while (cursor->at < cursor->end &&
           (*cursor->at == ' ' || *cursor->at == '\n' || *cursor->at == '\r' || *cursor->at == '\t'))
        cursor->at++;
}

static bool takes(struct cursor *cursor, char wanted)
{
    if (cursor->at == cursor->end || *cursor->at != wanted) return false;
    cursor->at++;
    return true;
}

static bool takes_digits(struct cursor *cursor)
{
    const char *first = cursor->at;
    while (cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9') cursor->at++;
    return cursor->at > first;
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

static unsigned four_digits(const char *at)
{
    unsigned code = 0;
    for (int i = 0; i < 4; i++) code = code << 4 | (unsigned)hex_value(at[i]);
    return code;
}

static bool takes_escape(struct cursor *cursor)
{
    if (cursor->at == cursor->end || !*cursor->at || !strchr("\"\\/bfnrtu", *cursor->at)) return false;
    if (*cursor->at++ != 'u') return true;
    for (int i = 0; i < 4; i++, cursor->at++)
        if (cursor->at == cursor->end || hex_value(*cursor->at) < 0) return false;
    return true;
}

static bool takes_string(struct cursor *cursor)
{
    if (!takes(cursor, '"')) return false;
    const char *at = cursor->at, *end = cursor->end;
    for (;;) {
        while (at < end && (unsigned char)*at >= 0x20 && *at != '"' && *at != '\\') at++;
        cursor->at = at;
        if (at == end || (unsigned char)*at < 0x20) return false;
        cursor->at++;
        if (*at == '"') return true;
        if (!takes_escape(cursor)) return false;
        at = cursor->at;
    }
}

static bool takes_number(struct cursor *cursor)
{
    takes(cursor, '-');
    if (!takes(cursor, '0') && !takes_digits(cursor)) return false;
    if (takes(cursor, '.') && !takes_digits(cursor)) return false;
    if (!takes(cursor, 'e') && !takes(cursor, 'E')) return true;
    if (!takes(cursor, '+')) takes(cursor, '-');
    return takes_digits(cursor);
}

static bool takes_word(struct cursor *cursor)
{
    static const char *const literals[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof literals / sizeof *literals; i++) {
        size_t length = strlen(literals[i]);
        if ((size_t)(cursor->end - cursor->at) < length || memcmp(cursor->at, literals[i], length) != 0)
            continue;
        cursor->at += length;
        return true;
    }
    return false;
}

static bool takes_name(struct cursor *cursor)
{
    skip_blanks(cursor);
    if (!takes_string(cursor)) return false;
    skip_blanks(cursor);
    return takes(cursor, ':');
}

/*
 * Lists are opened and closed on a stack of bits, so that a text cannot use up ours.
 * kinds: '{' or '[' of each list that is open.
 */
struct nesting {
    char kinds[JSON_DEPTH_MAX];
    size_t depth, outside;
};

static bool opens(struct cursor *cursor, struct nesting *nesting, bool *empty)
{
    char kind = *cursor->at++;
    if (nesting->depth == JSON_DEPTH_MAX) return false;
    skip_blanks(cursor);
    *empty = takes(cursor, kind == '{' ? '}' : ']');
    if (*empty) return true;
    nesting->kinds[nesting->depth++] = kind;
    return kind == '[' || takes_name(cursor);
}

/* Behind a value: the ends of lists, or a comma and what comes before the next value. */
static bool ends_value(struct cursor *cursor, struct nesting *nesting)
{
    while (nesting->depth > nesting->outside) {
        char kind = nesting->kinds[nesting->depth - 1];
        skip_blanks(cursor);
        if (takes(cursor, ',')) return kind == '[' || takes_name(cursor);
        if (!takes(cursor, kind == '{' ? '}' : ']')) return false;
        nesting->depth--;
    }
    return true;
}

/* Something that is in as many lists as depth says. */
static bool takes_value(struct cursor *cursor, size_t depth)
{
    struct nesting nesting;
    nesting.depth = nesting.outside = depth;
    do {
        bool is_list = false, empty = true;
        skip_blanks(cursor);
        if (cursor->at == cursor->end) return false;
        if (*cursor->at == '{' || *cursor->at == '[') {
            if (!opens(cursor, &nesting, &empty)) return false;
            is_list = !empty;
        } else if (*cursor->at == '"') {
            if (!takes_string(cursor)) return false;
        } else if (!takes_word(cursor) && !takes_number(cursor)) {
            return false;
        }
        if (!is_list && !ends_value(cursor, &nesting)) return false;
    } while (nesting.depth > depth);
    return true;
}

/* ---- steps ------------------------------------------------------------------------------------------ */

bool casehook__ob_json_next(struct casehook__ob_text whole, size_t *at, struct casehook__ob_member *member)
{
    struct cursor cursor = {whole.data + *at, whole.data + whole.length};
    skip_blanks(&cursor);
    bool first = *at == 0;
    if (first) {
        if (!takes(&cursor, '{') && !takes(&cursor, '[')) return false;
    } else if (!takes(&cursor, ',')) {
        return false;
    }
    skip_blanks(&cursor);
    if (cursor.at == cursor.end || *cursor.at == '}' || *cursor.at == ']') return false;
    const char *begin = cursor.at;
    const char *open = whole.data;
    while (*open != '{' && *open != '[') open++;
    member->name = (struct casehook__ob_text){NULL, 0};
    if (*open == '{') {
        takes_string(&cursor);
        member->name = (struct casehook__ob_text){begin, (size_t)(cursor.at - begin)};
        skip_blanks(&cursor);
        takes(&cursor, ':');
        skip_blanks(&cursor);
        begin = cursor.at;
    }
    if (!takes_value(&cursor, 0)) return false;
    member->value = (struct casehook__ob_text){begin, (size_t)(cursor.at - begin)};
    *at = (size_t)(cursor.at - whole.data);
    return true;
}

bool casehook__ob_json_named(struct casehook__ob_text quoted, const char *name)
{
    if (quoted.length < 2) return false;
    struct cursor cursor = {quoted.data + 1, quoted.data + quoted.length - 1};
    for (; *name && cursor.at < cursor.end; name++) {
        if (*cursor.at != '\\') {
            if (*cursor.at++ != *name) return false;
        } else if (cursor.end - cursor.at < 6 || cursor.at[1] != 'u' ||
                   four_digits(cursor.at + 2) != (unsigned)*name) {
            return false; /* no letter has another escape */
        } else {
            cursor.at += 6;
        }
    }
    return !*name && cursor.at == cursor.end;
}

static bool is_null(struct casehook__ob_text value)
{
    return value.length == 4 && memcmp(value.data, "null", 4) == 0;
}

struct casehook__ob_text casehook__ob_json_find(struct casehook__ob_text object, const char *name)
{
    struct casehook__ob_text none = {NULL, 0};
    struct casehook__ob_member member;
    size_t at = 0;
    if (!object.data || !memchr(object.data, '{', object.length)) return none;
    while (casehook__ob_json_next(object, &at, &member))
        if (casehook__ob_json_named(member.name, name)) return is_null(member.value) ? none : member.value;
    return none;
}

/* ---- checking and finding at once ------------------------------------------------------------------- */

static struct casehook__ob_text *place_of(struct casehook__ob_text name,
                                          const struct casehook__ob_search *search,
                                          struct casehook__ob_text *found)
{
    for (size_t i = 0; i < search->count; i++)
        if (!found[i].data && casehook__ob_json_named(name, search->names[i])) return &found[i];
    return NULL;
}

/* An object, which is the whole text or, at depth 1, the member of it that is entered. */
static bool takes_object(struct cursor *cursor, const struct casehook__ob_search *search, size_t depth)
{
    struct casehook__ob_text *found = depth ? search->inside : search->found;
    cursor->at++;
    skip_blanks(cursor);
    if (takes(cursor, '}')) return true;
    do {
        skip_blanks(cursor);
        const char *begin = cursor->at;
        if (!takes_string(cursor)) return false;
        struct casehook__ob_text name = {begin, (size_t)(cursor->at - begin)};
        skip_blanks(cursor);
        if (!takes(cursor, ':')) return false;
        skip_blanks(cursor);
        struct casehook__ob_text *place = place_of(name, search, found);
        begin = cursor->at;
        bool enters = !depth && place == &found[search->entered] && begin < cursor->end && *begin == '{';
        if (!(enters ? takes_object(cursor, search, 1) : takes_value(cursor, depth + 1))) return false;
        if (place) *place = (struct casehook__ob_text){begin, (size_t)(cursor->at - begin)};
        skip_blanks(cursor);
    } while (takes(cursor, ','));
    return takes(cursor, '}');
}

bool casehook__ob_json_search(struct casehook__ob_text text, const struct casehook__ob_search *search,
                              size_t *fault_at)
{
    const struct casehook__ob_text none = {NULL, 0};
    struct cursor cursor = {text.data, text.data + text.length};
    for (size_t i = 0; i < search->count; i++) search->found[i] = search->inside[i] = none;
    skip_blanks(&cursor);
    bool is_object = cursor.at < cursor.end && *cursor.at == '{';
    bool valid = is_object ? takes_object(&cursor, search, 0) : takes_value(&cursor, 0);
    if (valid) skip_blanks(&cursor);
    *fault_at = (size_t)(cursor.at - text.data);
    for (size_t i = 0; i < search->count; i++) {
        if (is_null(search->found[i])) search->found[i] = none;
        if (is_null(search->inside[i])) search->inside[i] = none;
    }
    return valid && cursor.at == cursor.end;
}

/* ---- strings ---------------------------------------------------------------------------------------- */

static void add_utf8(struct casehook__ob_buf *buf, unsigned code)
{
    char bytes[4];
    size_t length;
    if (code < 0x80) {
        bytes[0] = (char)code;
        length = 1;
    } else if (code < 0x800) {
        bytes[0] = (char)(0xc0 | code >> 6);
        length = 2;
    } else if (code < 0x10000) {
        bytes[0] = (char)(0xe0 | code >> 12);
        length = 3;
    } else {
        bytes[0] = (char)(0xf0 | code >> 18);
        length = 4;
    }
    for (size_t i = 1; i < length; i++) bytes[i] = (char)(0x80 | (code >> 6 * (length - 1 - i) & 0x3f));
    casehook__ob_add(buf, bytes, length);
}

/* Behind "\u": returns how many bytes of the text it took. */
static size_t decode_unicode(struct casehook__ob_buf *buf, const char *at, const char *end)
{
    unsigned code = four_digits(at);
    if (code >= 0xd800 && code < 0xdc00 && end - at >= 10 && at[4] == '\\' && at[5] == 'u') {
        unsigned low = four_digits(at + 6);
        if (low >= 0xdc00 && low < 0xe000) {
            add_utf8(buf, 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00));
            return 10;
        }
    }
    add_utf8(buf, code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
    return 4;
}

void casehook__ob_json_decode(struct casehook__ob_buf *buf, struct casehook__ob_text string)
{
    static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
    if (string.length < 2 || string.data[0] != '"') {
        casehook__ob_add(buf, string.data, string.length);
        return;
    }
    const char *at = string.data + 1, *end = string.data + string.length - 1;
    while (at < end) {
        const char *escape = memchr(at, '\\', (size_t)(end - at));
        casehook__ob_add(buf, at, (size_t)((escape ? escape : end) - at));
        if (!escape) break;
        at = escape + 2;
        const char *letter = strchr(letters, escape[1]);
        if (escape[1] == 'u')
            at += decode_unicode(buf, at, end);
        else
            casehook__ob_add(buf, letter ? &meant[letter - letters] : &escape[1], 1);
    }
    casehook__ob_add(buf, "", 0);
}
