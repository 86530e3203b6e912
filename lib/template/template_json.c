/*
 * template_json.c - the JSON around the tags: inside a string or not, whole values, escapes (T2).
 *
 * Every tag has one place, whatever the sections do: a section ends where it began.  So the text is
 * followed once, in the order in which it is written, and the answer holds for every rendering.
 */
#include "template/template_private.h"

enum { ESCAPE_NONE = 0, ESCAPE_BEGUN = 5, ESCAPE_DIGITS = 4 };

/* What may stand directly before or behind a value. */
static bool may_precede(char c)
{
    return casehook__is_space(c) || c == '{' || c == '[' || c == ',' || c == ':';
}

static bool may_follow(char c)
{
    return casehook__is_space(c) || c == '}' || c == ']' || c == ',';
}

struct casehook__text casehook__template_around(struct casehook__text text, size_t at)
{
    size_t from = at, to = at;
    for (int i = 0; i < 20; i++) {
        while (from && ((unsigned char)text.data[--from] & 0xC0) == 0x80) {}
        while (to < text.length && ++to < text.length && ((unsigned char)text.data[to] & 0xC0) == 0x80) {}
    }
    return (struct casehook__text){text.data + from, to - from};
}

static int json_fault(struct casehook__parser *parser, size_t at, const char *what)
{
    struct casehook__text around = casehook__template_around(parser->text, at);
    return casehook__fail_at(parser->error, CASEHOOK_E_CONFIG, at, "%s at byte %zu, in \"%.*s\"", what, at,
                             (int)around.length, around.data);
}

static int glued(struct casehook__parser *parser, size_t at)
{
    return json_fault(parser, at,
                      "outside quotes a variable is a whole JSON value and nothing may touch it (put quotes "
                      "around the text): the tag");
}

/* One byte between the quotes. */
static void inside(struct casehook__lexer *lexer, char c)
{
    if (lexer->escape == ESCAPE_BEGUN) {
        lexer->escape = c == 'u' ? ESCAPE_DIGITS : ESCAPE_NONE;
        return;
    }
    if (lexer->escape && casehook__hex_value(c) >= 0) {
        lexer->escape--;
        return;
    }
    lexer->escape = c == '\\' ? ESCAPE_BEGUN : ESCAPE_NONE;
    if (c != '"') return;
    lexer->inside = false;
    lexer->glue = true;
    lexer->maybe_key = lexer->tag_in_string;
}

/* One byte that is no white space, outside of quotes. */
static int outside(struct casehook__parser *parser, char c)
{
    struct casehook__lexer *lexer = &parser->lexer;
    if (lexer->behind != CASEHOOK__VALUE_NONE && c == ':')
        return json_fault(parser, lexer->value_at, "a variable as a key needs quotes around it: the tag");
    if (lexer->behind == CASEHOOK__VALUE_ADJACENT && !may_follow(c)) return glued(parser, lexer->value_at);
    lexer->behind = CASEHOOK__VALUE_NONE;
    if (lexer->maybe_key && c == ':') parser->tmpl->variable_keys = true;
    lexer->maybe_key = false;
    lexer->glue = !may_precede(c);
    if (c == '"') {
        lexer->inside = true;
        lexer->tag_in_string = false;
        lexer->strings++;
    }
    return CASEHOOK_OK;
}

int casehook__lex_literal(struct casehook__parser *parser, struct casehook__text text)
{
    struct casehook__lexer *lexer = &parser->lexer;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (lexer->inside) {
            inside(lexer, c);
        } else if (casehook__is_space(c)) {
            lexer->glue = false;
            if (lexer->behind == CASEHOOK__VALUE_ADJACENT) lexer->behind = CASEHOOK__VALUE_SPACED;
        } else {
            int status = outside(parser, c);
            if (status) return status;
        }
    }
    return CASEHOOK_OK;
}

int casehook__lex_tag(struct casehook__parser *parser, size_t at)
{
    if (!parser->lexer.escape) return CASEHOOK_OK;
    return json_fault(parser, at,
                      "a tag may not stand inside an escape (a lone backslash before it?): the tag");
}

int casehook__lex_value(struct casehook__parser *parser, size_t at)
{
    struct casehook__lexer *lexer = &parser->lexer;
    if (lexer->inside) {
        lexer->tag_in_string = true;
        return CASEHOOK_OK;
    }
    if (lexer->glue || lexer->behind == CASEHOOK__VALUE_ADJACENT) return glued(parser, at);
    lexer->behind = CASEHOOK__VALUE_ADJACENT;
    lexer->value_at = (uint32_t)at;
    return CASEHOOK_OK;
}

/* What stands on the other side of a border depends on the values: the combinations look at it. */
void casehook__lex_border(struct casehook__parser *parser)
{
    struct casehook__lexer *lexer = &parser->lexer;
    if (lexer->inside) {
        lexer->tag_in_string = true;
        return;
    }
    if (lexer->maybe_key) parser->tmpl->variable_keys = true;
    lexer->maybe_key = false;
    lexer->glue = false;
    lexer->behind = CASEHOOK__VALUE_NONE;
}

int casehook__lex_close(struct casehook__parser *parser, const struct casehook__section *section)
{
    const struct casehook__lexer *lexer = &parser->lexer;
    if (section->inside != lexer->inside)
        return json_fault(parser, section->at,
                          section->inside
                              ? "a section that begins inside a JSON string must end inside it: the section"
                              : "a section that begins outside a JSON string must end outside: the section");
    if (section->inside && section->strings != lexer->strings)
        return json_fault(
            parser, section->at,
            "a section that begins inside a JSON string must end inside the same one: the section");
    return CASEHOOK_OK;
}

bool casehook__guard_literal(struct casehook__guard *guard, const struct casehook__buf *out,
                             struct casehook__text text)
{
    if (!guard->pending) return true;
    size_t i = 0;
    while (i < text.length && casehook__is_space(text.data[i])) i++;
    if (i == text.length) return true;
    guard->pending = false;
    bool adjacent = i == 0 && out->length == guard->value_end;
    return text.data[i] != ':' && (!adjacent || may_follow(text.data[i]));
}

bool casehook__guard_value(const struct casehook__guard *guard, const struct casehook__buf *out)
{
    return out->length <= guard->from || may_precede(out->data[out->length - 1]);
}

void casehook__guard_value_done(struct casehook__guard *guard, const struct casehook__buf *out)
{
    guard->value_end = out->length;
    guard->pending = true;
}
