/* template_parse.c - Mustache text into operations: tags, sections, delimiters, standalone lines (T1). */
#include "template/template_private.h"

#define DELIMITER_MAX 32
#define TAG_SHOWN     64 /* bytes of a name in a message */
#define OP_SHOWN      60 /* bytes of a tag in a message about what is rendered */

/* One tag as it stands in the text. */
struct tag {
    char sigil; /* one of # ^ / ! = & { >, or 0: an interpolation */
    size_t at, end;
    struct casehook__text inside; /* trimmed, without the sigil */
};

static int parse_fault(struct casehook__parser *parser, size_t at, const char *what)
{
    return casehook__fail_at(parser->error, CASEHOOK_E_CONFIG, at, "%s at byte %zu", what, at);
}

static int shown(struct casehook__text text)
{
    return text.length > TAG_SHOWN ? TAG_SHOWN : (int)text.length;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_space(char c)
{
    return is_blank(c) || (c >= '\n' && c <= '\r');
}

static struct casehook__text trim_tag(struct casehook__text text)
{
    for (; text.length && is_space(text.data[0]); text.length--) text.data++;
    while (text.length && is_space(text.data[text.length - 1])) text.length--;
    return text;
}

static bool is_at(struct casehook__text text, size_t at, struct casehook__text start)
{
    return text.length - at >= start.length && memcmp(text.data + at, start.data, start.length) == 0;
}

/* Where needle begins, or text.length. */
static size_t find_delimiter(struct casehook__text text, size_t at, struct casehook__text needle)
{
    while (at < text.length) {
        const char *hit = memchr(text.data + at, needle.data[0], text.length - at);
        if (!hit) break;
        at = (size_t)(hit - text.data);
        if (is_at(text, at, needle)) return at;
        at++;
    }
    return text.length;
}

/* Where `mark` and the closing delimiter behind it begin, or text.length. */
static size_t find_marked_close(const struct casehook__parser *parser, size_t at, char mark)
{
    for (; (at = find_delimiter(parser->text, at, (struct casehook__text){&mark, 1})) < parser->text.length;
         at++)
        if (is_at(parser->text, at + 1, parser->close)) break;
    return at;
}

static int add_op(struct casehook__parser *parser, const struct casehook__op *op)
{
    struct casehook__template *tmpl = parser->tmpl;
    if (tmpl->op_count == parser->op_capacity) {
        uint32_t capacity = parser->op_capacity ? parser->op_capacity * 2 : 16;
        struct casehook__op *ops = casehook__realloc(tmpl->heap, tmpl->ops, capacity * sizeof *ops);
        if (!ops) return casehook__fail_memory(parser->error);
        tmpl->ops = ops;
        parser->op_capacity = capacity;
    }
    tmpl->ops[tmpl->op_count++] = *op;
    return CASEHOOK_OK;
}

static int add_literal(struct casehook__parser *parser, size_t from, size_t to)
{
    if (from == to) return CASEHOOK_OK;
    struct casehook__text text = {parser->text.data + from, to - from};
    if (parser->tmpl->kind == CASEHOOK__TEMPLATE_JSON) {
        int status = casehook__lex_literal(parser, text);
        if (status) return status;
    }
    struct casehook__op op = {
        .code = CASEHOOK__OP_LITERAL, .at = (uint32_t)from, .length = (uint32_t)text.length};
    return add_op(parser, &op);
}

/* Cuts out the tag that begins at `at`. */
static int read_tag(struct casehook__parser *parser, size_t at, struct tag *tag)
{
    struct casehook__text text = parser->text;
    size_t from = at + parser->open.length, close;
    while (from < text.length && is_space(text.data[from])) from++;
    *tag = (struct tag){.at = at};
    if (from < text.length && memchr("#^/!=&{>", text.data[from], 8)) tag->sigil = text.data[from++];

    size_t mark = tag->sigil == '{' || tag->sigil == '=';
    if (tag->sigil == '{')
        close = find_marked_close(parser, from, '}');
    else if (tag->sigil == '=')
        close = find_marked_close(parser, from, '=');
    else
        close = find_delimiter(text, from, parser->close);
    if (close >= text.length)
        return casehook__fail_at(parser->error, CASEHOOK_E_CONFIG, at,
                                 "the tag at byte %zu is not closed: %s%.*s is missing", at,
                                 tag->sigil == '{' ? "}"
                                 : mark            ? "="
                                                   : "",
                                 shown(parser->close), parser->close.data);
    tag->end = close + mark + parser->close.length;
    tag->inside = trim_tag((struct casehook__text){text.data + from, close - from});
    return CASEHOOK_OK;
}

/* T1: a name is not empty and has no white space inside; a delimiter in it is a tag that was not closed. */
static int check_tag_name(struct casehook__parser *parser, const struct tag *tag)
{
    struct casehook__text name = tag->inside;
    if (name.length == 0) return parse_fault(parser, tag->at, "a tag without a name");
    if (name.data[0] == '<' || name.data[0] == '$')
        return parse_fault(parser, tag->at, "inheritance is not supported in templates: the tag");
    bool space = false;
    for (size_t i = 0; i < name.length; i++) space = space || is_space(name.data[i]);
    if (find_delimiter(name, 0, parser->open) < name.length ||
        find_delimiter(name, 0, parser->close) < name.length)
        return casehook__fail_at(parser->error, CASEHOOK_E_CONFIG, tag->at,
                                 "the tag at byte %zu is not closed before the next one begins", tag->at);
    if (!space) return CASEHOOK_OK;
    return casehook__fail_at(parser->error, CASEHOOK_E_CONFIG, tag->at,
                             "white space in the name \"%.*s\" of the tag at byte %zu", shown(name),
                             name.data, tag->at);
}

static struct casehook__op op_of(const struct tag *tag, enum casehook__op_code code, bool inside)
{
    size_t length = tag->end - tag->at;
    return (struct casehook__op){.code = (uint8_t)code,
                                 .shown = length > OP_SHOWN ? OP_SHOWN : (uint8_t)length,
                                 .inside = inside,
                                 .at = (uint32_t)tag->at};
}

static int add_value_op(struct casehook__parser *parser, const struct tag *tag)
{
    struct casehook__op op = op_of(tag, CASEHOOK__OP_VALUE, false);
    op.plain = tag->sigil != 0;
    int status = casehook__name_resolve(parser, tag->inside, &op, NULL);
    if (!status && parser->tmpl->kind == CASEHOOK__TEMPLATE_JSON)
        status = casehook__lex_value(parser, tag->at);
    op.inside = parser->lexer.inside;
    return status ? status : add_op(parser, &op);
}

static int open_section(struct casehook__parser *parser, const struct tag *tag)
{
    if (parser->depth == CASEHOOK__TEMPLATE_MAX_DEPTH)
        return casehook__fail_at(parser->error, CASEHOOK_E_CONFIG, tag->at,
                                 "sections nest deeper than %d at byte %zu", CASEHOOK__TEMPLATE_MAX_DEPTH,
                                 tag->at);
    struct casehook__section section = {.name = tag->inside,
                                        .op = parser->tmpl->op_count,
                                        .at = (uint32_t)tag->at,
                                        .inside = parser->lexer.inside,
                                        .strings = parser->lexer.strings};
    struct casehook__op op = op_of(tag, CASEHOOK__OP_TEST, parser->lexer.inside);
    op.negated = tag->sigil == '^';
    int status = casehook__name_resolve(parser, tag->inside, &op, &section);
    if (status) return status;
    casehook__lex_border(parser);
    if (section.context == CASEHOOK__CONTEXT_VALUE) op.code = CASEHOOK__OP_OPEN;
    parser->sections[parser->depth++] = section;
    return add_op(parser, &op);
}

static int close_section(struct casehook__parser *parser, const struct tag *tag)
{
    if (parser->depth == 0)
        return casehook__fail_at(parser->error, CASEHOOK_E_CONFIG, tag->at,
                                 "{{/%.*s}} at byte %zu closes a section that was not opened",
                                 shown(tag->inside), tag->inside.data, tag->at);
    const struct casehook__section *section = &parser->sections[parser->depth - 1];
    if (!casehook__text_equal(section->name, tag->inside))
        return casehook__fail_at(
            parser->error, CASEHOOK_E_CONFIG, tag->at,
            "{{/%.*s}} at byte %zu stands where the section {{#%.*s}} of byte %u is open", shown(tag->inside),
            tag->inside.data, tag->at, shown(section->name), section->name.data, (unsigned)section->at);
    int status = CASEHOOK_OK;
    if (parser->tmpl->kind == CASEHOOK__TEMPLATE_JSON) status = casehook__lex_close(parser, section);
    casehook__lex_border(parser);
    if (!status && parser->tmpl->ops[section->op].code == CASEHOOK__OP_OPEN) {
        struct casehook__op op = op_of(tag, CASEHOOK__OP_CLOSE, section->inside);
        op.target = section->op;
        status = add_op(parser, &op);
    }
    parser->tmpl->ops[section->op].target = parser->tmpl->op_count;
    parser->depth--;
    return status;
}

/* {{=<% %>=}}: two delimiters, white space between. */
static int set_delimiters(struct casehook__parser *parser, const struct tag *tag)
{
    struct casehook__text open = tag->inside, close;
    size_t length = 0;
    while (length < open.length && !is_space(open.data[length])) length++;
    close = trim_tag((struct casehook__text){open.data + length, open.length - length});
    open.length = length;
    bool bad = open.length == 0 || close.length == 0 || open.length > DELIMITER_MAX ||
               close.length > DELIMITER_MAX || memchr(open.data, '=', open.length) ||
               memchr(close.data, '=', close.length);
    for (size_t i = 0; i < close.length; i++) bad = bad || is_space(close.data[i]);
    if (bad)
        return parse_fault(
            parser, tag->at,
            "a delimiter tag holds two delimiters with white space between and no \"=\" in them: "
            "the tag");
    parser->open = open;
    parser->close = close;
    return CASEHOOK_OK;
}

static int add_tag(struct casehook__parser *parser, const struct tag *tag)
{
    int status = CASEHOOK_OK;
    if (parser->tmpl->kind == CASEHOOK__TEMPLATE_JSON) status = casehook__lex_tag(parser, tag->at);
    if (status || tag->sigil == '!') return status;
    if (tag->sigil == '>') return parse_fault(parser, tag->at, "partials are not supported: the tag");
    if (tag->sigil == '=') return set_delimiters(parser, tag);
    status = check_tag_name(parser, tag);
    if (status) return status;
    if (tag->sigil == '#' || tag->sigil == '^') return open_section(parser, tag);
    if (tag->sigil == '/') return close_section(parser, tag);
    return add_value_op(parser, tag);
}

/*
 * When tag is the only one on its line and writes nothing, the line goes with it: *before is where
 * the literal before it ends, *after where the next one begins.
 */
static bool is_standalone(const struct casehook__parser *parser, const struct tag *tag, size_t *before,
                          size_t *after)
{
    struct casehook__text text = parser->text;
    size_t from = tag->at, to = tag->end;
    if (!tag->sigil || !memchr("#^/!=", tag->sigil, 5)) return false;
    while (from > parser->at && is_blank(text.data[from - 1])) from--;
    if (from > parser->at ? text.data[from - 1] != '\n' : !parser->line_start) return false;
    while (to < text.length && is_blank(text.data[to])) to++;
    if (to + 1 < text.length && text.data[to] == '\r' && text.data[to + 1] == '\n') to++;
    if (to < text.length && text.data[to] != '\n') return false;
    *before = from;
    *after = to < text.length ? to + 1 : to;
    return true;
}

int casehook__parse(struct casehook__parser *parser)
{
    parser->text = (struct casehook__text){parser->tmpl->text, parser->tmpl->length};
    parser->open = CASEHOOK__TEXT("{{");
    parser->close = CASEHOOK__TEXT("}}");
    parser->line_start = true;
    for (;;) {
        size_t at = find_delimiter(parser->text, parser->at, parser->open);
        if (at >= parser->text.length) break;
        struct tag tag;
        int status = read_tag(parser, at, &tag);
        if (status) return status;
        size_t before = at, after = tag.end;
        bool standalone = is_standalone(parser, &tag, &before, &after);
        status = add_literal(parser, parser->at, before);
        if (!status) status = add_tag(parser, &tag);
        if (status) return status;
        parser->line_start = standalone;
        parser->at = after;
    }
    if (parser->depth) {
        const struct casehook__section *section = &parser->sections[parser->depth - 1];
        return casehook__fail_at(parser->error, CASEHOOK_E_CONFIG, section->at,
                                 "the section {{#%.*s}} at byte %u is not closed", shown(section->name),
                                 section->name.data, (unsigned)section->at);
    }
    return add_literal(parser, parser->at, parser->text.length);
}
