/*
 * template_names.c - what the names in tags mean (C4, C5, N1, T4).
 *
 * With a schema every name is resolved here, once: sections on objects only widen what can be
 * written short, so a variable is a path from the root whatever is open when it is rendered.
 */
#include "template/template_private.h"

#include <stdio.h>

#define NAMES_SHOWN 80 /* bytes of a name in a message */
#define KNOWN_MAX   128
#define ASKED_MAX   12 /* more objects than any schema has */

/* An object of the schema: the first length bytes of name, 0 for the root. */
struct name_object {
    const char *name;
    size_t length;
};

enum meaning { MEANS_NOTHING, MEANS_VARIABLE, MEANS_OBJECT, MEANS_BROKEN };

struct found {
    enum meaning meaning;
    const struct casehook__variable *variable;
    struct casehook__text field; /* for the `*` of variable */
    struct name_object object;
};

/* The name of a variable as seen from inside object, or NULL. */
static const char *seen_from(const struct casehook__variable *variable, const struct name_object *object)
{
    if (object->length == 0) return variable->name;
    if (strncmp(variable->name, object->name, object->length) != 0) return NULL;
    return variable->name[object->length] == '.' ? variable->name + object->length + 1 : NULL;
}

/* C5: the published example of the update URL writes ID. */
static bool is_alias(const struct casehook__variable *variable, const char *seen, struct casehook__text name)
{
    size_t length = strlen(seen);
    return strcmp(variable->name, "external.system.id") == 0 && name.length == length && length >= 2 &&
           memcmp(name.data, seen, length - 2) == 0 && memcmp(name.data + length - 2, "ID", 2) == 0;
}

static size_t first_part(struct casehook__text name)
{
    const char *dot = memchr(name.data, '.', name.length);
    return dot ? (size_t)(dot - name.data) : name.length;
}

/* What name means as one variable is seen; a better meaning replaces what was found. */
static void match(const struct casehook__variable *variable, const char *seen, struct casehook__text name,
                  struct found *found)
{
    size_t length = strlen(seen), first = first_part(name);
    bool wild = length > 0 && seen[length - 1] == '*';
    if (wild && name.length >= length && memcmp(seen, name.data, length - 1) == 0) {
        struct casehook__text field = {name.data + length - 1, name.length - (length - 1)};
        if (casehook__is_field_name(field))
            *found = (struct found){.meaning = MEANS_VARIABLE, .variable = variable, .field = field};
    } else if (casehook__text_is(name, seen) || is_alias(variable, seen, name)) {
        *found = (struct found){.meaning = MEANS_VARIABLE, .variable = variable};
    } else if (length > name.length && seen[name.length] == '.' &&
               memcmp(seen, name.data, name.length) == 0) {
        size_t prefix = (size_t)(seen - variable->name) + name.length;
        *found = (struct found){.meaning = MEANS_OBJECT, .object = {variable->name, prefix}};
    }
    if (found->meaning == MEANS_NOTHING && length >= first && memcmp(seen, name.data, first) == 0 &&
        (seen[first] == '.' || seen[first] == '\0'))
        found->meaning = MEANS_BROKEN; /* its first part is known here: what is around is not asked */
}

static struct found look_up(const struct casehook__variable *variables, size_t count,
                            const struct name_object *object, struct casehook__text name)
{
    struct found found = {.meaning = MEANS_NOTHING};
    for (size_t i = 0; i < count && found.meaning != MEANS_VARIABLE && found.meaning != MEANS_OBJECT; i++) {
        const char *seen = seen_from(&variables[i], object);
        if (seen) match(&variables[i], seen, name, &found);
    }
    return found;
}

const struct casehook__variable *casehook__schema_find(const struct casehook__schema *schema,
                                                       struct casehook__text name)
{
    struct name_object root = {"", 0};
    struct found found = look_up(schema->variables, schema->count, &root, name);
    return found.meaning == MEANS_VARIABLE ? found.variable : NULL;
}

/* Who makes a value has thought of it: that it is nothing in a field without its variables is no leniency. */
static bool is_made_elsewhere(const struct casehook__schema *schema, struct casehook__text name)
{
    const struct casehook__schema others = {.variables = schema->elsewhere, .count = schema->elsewhere_count};
    const struct casehook__variable *variable = casehook__schema_find(&others, name);
    return variable && variable->made_of;
}

/* From the innermost open object outward; an object that is open more than once is asked once. */
static struct found resolve(const struct casehook__parser *parser, struct casehook__text name)
{
    struct name_object asked[ASKED_MAX] = {{"", 0}}, root = {"", 0};
    struct found found = {.meaning = MEANS_NOTHING};
    size_t count = 0;
    for (size_t i = parser->depth; i-- > 0 && found.meaning == MEANS_NOTHING;) {
        const struct casehook__section *section = &parser->sections[i];
        if (section->context != CASEHOOK__CONTEXT_OBJECT) continue;
        struct name_object object = {section->object, section->object_length};
        size_t known = 0;
        while (known < count && (asked[known].name != object.name || asked[known].length != object.length))
            known++;
        if (known < count) continue;
        found = look_up(parser->schema->variables, parser->schema->count, &object, name);
        if (count < ASKED_MAX) asked[count++] = object;
    }
    if (found.meaning == MEANS_NOTHING)
        found = look_up(parser->schema->variables, parser->schema->count, &root, name);
    return found;
}

/* Names that might have been meant: absolute ones, and short ones inside open objects. */
static size_t list_known(const struct casehook__parser *parser, const char **known)
{
    size_t count = 0;
    for (size_t s = 0; s <= parser->depth; s++) {
        struct name_object object = {"", 0};
        if (s > 0) {
            const struct casehook__section *section = &parser->sections[s - 1];
            if (section->context != CASEHOOK__CONTEXT_OBJECT) continue;
            object = (struct name_object){section->object, section->object_length};
        }
        for (size_t i = 0; i < parser->schema->count && count < KNOWN_MAX; i++) {
            const char *seen = seen_from(&parser->schema->variables[i], &object);
            if (seen && !strchr(seen, '*')) known[count++] = seen;
        }
    }
    return count;
}

static struct casehook__text last_part(struct casehook__text name)
{
    for (size_t i = name.length; i-- > 0;)
        if (name.data[i] == '.') return casehook__text_from(name, i + 1);
    return name;
}

/*
 * The last part says what is meant: "Title" and "incident.title" are case.title, and a case.host is no
 * case.id.  What is before it decides between those that end alike.
 */
static const char *nearest_name(struct casehook__text name, const char *const *known, size_t count)
{
    const char *tails[KNOWN_MAX], *alike[KNOWN_MAX] = {NULL};
    size_t alike_count = 0;
    for (size_t i = 0; i < count; i++) tails[i] = last_part(casehook__text(known[i])).data;
    const char *tail = casehook__nearest(last_part(name), tails, count);
    for (size_t i = 0; tail && i < count; i++)
        if (strcmp(tails[i], tail) == 0) alike[alike_count++] = known[i];
    const char *nearest = casehook__nearest(name, alike, alike_count);
    return nearest || !alike_count ? nearest : alike[0];
}

/* What a case has no member for may be a field of the caller's own: its name, or nothing. */
static struct casehook__text own_field(const struct casehook__schema *schema, struct casehook__text name)
{
    struct casehook__text tail = last_part(name);
    bool own = tail.data == name.data + 5 && memcmp(name.data, "case.", 5) == 0 &&
               casehook__is_field_name(tail) &&
               casehook__schema_find(schema, CASEHOOK__TEXT("case.fields.x"));
    return own ? tail : (struct casehook__text){0};
}

/* "case.title, case.description"; what has no room is left out. */
static const char *list_names(const char *const *known, size_t count, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < count && used + strlen(known[i]) + 3 < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "", known[i]);
    return out;
}

static int unknown(struct casehook__parser *parser, struct casehook__text name, size_t at)
{
    const struct casehook__schema *schema = parser->schema;
    struct name_object root = {"", 0};
    int shown = name.length > NAMES_SHOWN ? NAMES_SHOWN : (int)name.length;
    enum meaning elsewhere = look_up(schema->elsewhere, schema->elsewhere_count, &root, name).meaning;
    const char *known[KNOWN_MAX];
    char list[256];
    size_t count = list_known(parser, known);
    if (elsewhere == MEANS_VARIABLE || elsewhere == MEANS_OBJECT)
        return casehook__fail_at(
            parser->error, CASEHOOK_E_CONFIG, at, "{{%.*s}} at byte %zu is not available in this field%s%s",
            shown, name.data, at, count ? "; known here: " : "", list_names(known, count, list, sizeof list));
    const char *nearest = nearest_name(name, known, count);
    struct casehook__text own = nearest ? casehook__text(nearest) : own_field(schema, name);
    if (own.length)
        return casehook__fail_at(parser->error, CASEHOOK_E_CONFIG, at,
                                 "unknown variable {{%.*s}} at byte %zu: did you mean {{%s%.*s}}?", shown,
                                 name.data, at, nearest ? "" : "case.fields.",
                                 own.length > NAMES_SHOWN ? NAMES_SHOWN : (int)own.length, own.data);
    const char *place = first_part(name) == 5 && memcmp(name.data, "value", 5) == 0    ? "config.values"
                        : first_part(name) == 6 && memcmp(name.data, "secret", 6) == 0 ? "secrets.values"
                                                                                       : NULL;
    if (place)
        return casehook__fail_at(parser->error, CASEHOOK_E_CONFIG, at,
                                 "unknown variable {{%.*s}} at byte %zu: %s has no such name", shown,
                                 name.data, at, place);
    return casehook__fail_at(parser->error, CASEHOOK_E_CONFIG, at,
                             "unknown variable {{%.*s}} at byte %zu; known here: %s", shown, name.data, at,
                             list_names(known, count, list, sizeof list));
}

/* C3: notes a variable that decides over the structure; 1 + its index, 0 when there are too many. */
static uint8_t note_tested(struct casehook__template *tmpl, const struct casehook__op *op)
{
    struct casehook__text name = casehook__template_name(tmpl, op->name, op->length);
    size_t i = 0;
    for (; i < tmpl->tested_count; i++) {
        const struct casehook__tested *tested = &tmpl->tested[i];
        struct casehook__text other = casehook__template_name(tmpl, tested->name, tested->length);
        if (tested->variable == op->variable && casehook__text_equal(other, name)) return (uint8_t)(i + 1);
    }
    if (i == CASEHOOK__TESTED_MAX) {
        tmpl->too_many_tested = true;
        return 0;
    }
    tmpl->tested[tmpl->tested_count++] =
        (struct casehook__tested){.variable = op->variable,
                                  .most = op->type == CASEHOOK__VARIABLE_TEXT ? 1 : 2,
                                  .name = op->name,
                                  .length = op->length};
    return (uint8_t)(i + 1);
}

/* The innermost section that is more than a test, or NULL. */
static const struct casehook__section *around(const struct casehook__parser *parser)
{
    for (size_t i = parser->depth; i-- > 0;)
        if (parser->sections[i].context != CASEHOOK__CONTEXT_SAME) return &parser->sections[i];
    return NULL;
}

/* `.`, @first and @last; false: the name is none of them, or means nothing here. */
static bool resolve_special(struct casehook__parser *parser, struct casehook__text name,
                            struct casehook__op *op, bool section)
{
    const struct casehook__section *outer = around(parser);
    bool first = casehook__text_is(name, "@first"), dot = casehook__text_is(name, ".");
    bool outside = !parser->lexer.inside && section;
    struct casehook__template *tmpl = parser->tmpl;
    if (!dot && !first && !casehook__text_is(name, "@last")) return false;
    if (dot) {
        op->base = CASEHOOK__BASE_DOT;
        op->type = CASEHOOK__VARIABLE_FIELD;
        if (outside) tmpl->members_tested = true;
        return !parser->schema || (outer && outer->context == CASEHOOK__CONTEXT_VALUE);
    }
    if (!outer) return false;
    op->base = first ? CASEHOOK__BASE_FIRST : CASEHOOK__BASE_LAST;
    if (outer->context == CASEHOOK__CONTEXT_OBJECT) op->base = CASEHOOK__BASE_TRUE;
    /* A member between the first and the last exists in a list of three only. */
    if (outside && outer->tested && tmpl->tested[outer->tested - 1].most == 2)
        tmpl->tested[outer->tested - 1].most = 3;
    return true;
}

/* Notes where a name stands in the text; absent: it has none of its own. */
static void keep_name(const struct casehook__parser *parser, struct casehook__text name,
                      struct casehook__op *op)
{
    op->name = name.data ? (uint32_t)(name.data - parser->text.data) : 0;
    op->length = (uint32_t)name.length;
}

static void resolve_variable(struct casehook__parser *parser, const struct found *found,
                             struct casehook__op *op, bool section)
{
    op->base = CASEHOOK__BASE_PATH;
    op->type = (uint8_t)found->variable->type;
    op->variable = (uint16_t)(found->variable - parser->schema->variables);
    keep_name(parser, found->field, op);
    if (section && !op->inside && parser->tmpl->kind == CASEHOOK__TEMPLATE_JSON)
        op->tested = note_tested(parser->tmpl, op);
}

int casehook__name_resolve(struct casehook__parser *parser, struct casehook__text name,
                           struct casehook__op *op, struct casehook__section *section)
{
    bool value = section && !op->negated; /* opens what it names */
    if (value) section->context = CASEHOOK__CONTEXT_VALUE;
    if (resolve_special(parser, name, op, section != NULL)) {
        if (value && op->base != CASEHOOK__BASE_DOT) section->context = CASEHOOK__CONTEXT_SAME;
        return CASEHOOK_OK;
    }
    if (!parser->schema) {
        op->base = CASEHOOK__BASE_STACK;
        keep_name(parser, name, op);
        return CASEHOOK_OK;
    }
    struct found found = resolve(parser, name);
    if (found.meaning == MEANS_VARIABLE) {
        resolve_variable(parser, &found, op, section != NULL);
        if (value) section->tested = op->tested;
        return CASEHOOK_OK;
    }
    if (found.meaning == MEANS_OBJECT && section) {
        op->base = CASEHOOK__BASE_TRUE;
        section->object = found.object.name;
        section->object_length = found.object.length;
        if (value) section->context = CASEHOOK__CONTEXT_OBJECT;
        return CASEHOOK_OK;
    }
    op->base = CASEHOOK__BASE_UNKNOWN;
    bool lenient = parser->strict_from == SIZE_MAX; /* else the names before it were told already */
    if (op->at < parser->strict_from && !(lenient && is_made_elsewhere(parser->schema, name)))
        return CASEHOOK_OK;
    parser->name_refused = true;
    if (found.meaning == MEANS_OBJECT)
        return casehook__fail_at(
            parser->error, CASEHOOK_E_CONFIG, op->at,
            "{{%.*s}} at byte %u names a group of variables, which only a section can open",
            name.length > NAMES_SHOWN ? NAMES_SHOWN : (int)name.length, name.data, (unsigned)op->at);
    return unknown(parser, name, op->at);
}
