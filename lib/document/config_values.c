/* config_values.c - reading what a document makes of variables, and its secret ones (V1, V3). */
#include "document/config_private.h"

#include "json/jsscan.h"

#include <stdio.h>

struct rule_reader {
    struct casehook__config_reader *reader;
    struct casehook__arena *arena;
    const struct casehook__json *object;
    char prefix[CASEHOOK__ERROR_FIELD_SIZE]; /* "config.values.NAME" */
    struct casehook__value_rule *rule;
    bool may_list; /* what it is made of, or a word of the map, may be a list */
};

static void *take_room(struct casehook__config_reader *reader, size_t size)
{
    void *room = casehook__arena_alloc(&reader->config->values->arena, size);
    if (!room) reader->errors->memory = 1;
    return room;
}

static struct casehook__text copy_text(struct casehook__config_reader *reader, struct casehook__text text)
{
    struct casehook__text copy = casehook__arena_copy(&reader->config->values->arena, text);
    if (!copy.data) reader->errors->memory = 1;
    return copy;
}

static void refuse_member(const struct casehook__field *field, const char *message)
{
    casehook__fail(casehook__field_fault(field), CASEHOOK_E_CONFIG, "%s", message);
}

static struct casehook__field member_of(struct rule_reader *r, const char *name)
{
    return casehook__field_of(r->reader->errors, r->prefix, r->object, name);
}

/* ---- what it is made of ------------------------------------------------------------------------ */

static bool starts_with(struct casehook__text text, const char *start)
{
    size_t length = strlen(start);
    return text.length >= length && memcmp(text.data, start, length) == 0;
}

/* What the fault of an unknown variable says. */
static void refuse_unknown(struct rule_reader *r, const struct casehook__field *field,
                           struct casehook__text name)
{
    char tag[128];
    struct casehook_error fault;
    casehook__error_init(&fault);
    snprintf(tag, sizeof tag, "{{%.*s}}", name.length < 100 ? (int)name.length : 100,
             name.length ? name.data : "");
    if (!casehook__template_unknown_name(r->reader->config->heap, casehook__text(tag), casehook__schema_all(),
                                         0, &fault))
        casehook__fail(&fault, CASEHOOK_E_CONFIG, "must name a variable, \"case.severity\" for instance");
    fault.offset = -1;
    casehook__field_keep(field, &fault);
}

/* NULL: it has a fault, or there is no memory. */
static const char *read_variable(struct rule_reader *r, const struct casehook__field *field,
                                 struct casehook__text name)
{
    const struct casehook__variable *variable = casehook__schema_find(casehook__schema_all(), name);
    if (variable) {
        r->rule->from_type = variable->type;
        if (variable->type != CASEHOOK__VARIABLE_TEXT) r->may_list = true;
        if (!starts_with(name, "case.") || casehook__text_is(name, "case.comment") ||
            casehook__text_is(name, "case.idempotencyKey"))
            r->rule->lasting = false;
        return copy_text(r->reader, name).data;
    }
    const char *what = starts_with(name, "value.")    ? "a value: name what that one is made of"
                       : starts_with(name, "secret.") ? "a secret: use it in the template itself"
                                                      : NULL;
    if (what)
        casehook__fail(casehook__field_fault(field), CASEHOOK_E_CONFIG, "must not name %s", what);
    else
        refuse_unknown(r, field, name);
    return NULL;
}

static void read_from(struct rule_reader *r)
{
    struct casehook__field field = member_of(r, "from");
    bool list = field.node && casehook__json_kind(field.node) == CASEHOOK__JSON_ARRAY;
    size_t count = list ? casehook__json_count(field.node) : 1, kept = 0;
    const char **from = take_room(r->reader, (count + 1) * sizeof *from);
    if (!from) return;
    if (!field.node) {
        refuse_member(&field, "is missing: name the variable that it is made of");
    } else if (count == 0 || count > CASEHOOK__VALUE_FROM_MAX) {
        casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG, "must name 1 to %d variables",
                       CASEHOOK__VALUE_FROM_MAX);
        count = 0;
    }
    for (size_t i = 0; field.node && i < count; i++) {
        struct casehook__field item = field;
        if (list) item.node = casehook__json_item(field.node, i);
        if (casehook__json_kind(item.node) != CASEHOOK__JSON_TEXT)
            casehook__field_wrong(&item, "the name of a variable, or a list of names");
        else if ((from[kept] = read_variable(r, &item, casehook__json_text(item.node))) != NULL)
            kept++;
    }
    from[kept] = NULL;
    r->rule->from = from;
}

/* ---- map and default --------------------------------------------------------------------------- */

/* With its type; numbers as JavaScript prints them. */
static void read_json(struct rule_reader *r, const struct casehook__json *node, struct casehook__value *value)
{
    struct casehook__buf text;
    casehook__buf_init(&text, r->reader->config->heap, CASEHOOK__BODY_MAX_BYTES);
    if (casehook__json_write(&text, node) ||
        casehook__value_of_json(r->arena, casehook__buf_text(&text), value))
        r->reader->errors->memory = 1;
    if (value->kind == CASEHOOK__VALUE_LIST) {
        r->may_list = true;
        value->text = copy_text(r->reader, casehook__buf_text(&text)); /* as it is inside of another list */
    }
    casehook__buf_free(&text);
}

static void read_map(struct rule_reader *r)
{
    struct casehook__field field = member_of(r, "map");
    struct casehook__text word;
    struct casehook__json *node;
    size_t position = 0;
    if (!field.node) return;
    r->rule->mapped = true;
    if (casehook__json_kind(field.node) != CASEHOOK__JSON_OBJECT) {
        casehook__field_wrong(&field, "an object of text and what it becomes");
        return;
    }
    size_t count = casehook__json_count(field.node);
    if (count == 0 || count > CASEHOOK__VALUE_WORDS_MAX) {
        casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG, "must have 1 to %d members",
                       CASEHOOK__VALUE_WORDS_MAX);
        return;
    }
    struct casehook__value_word *words = take_room(r->reader, count * sizeof *words);
    r->rule->words = words;
    while (words && casehook__json_next(field.node, &position, &word, &node)) {
        struct casehook__value_word read = {.word = copy_text(r->reader, word)};
        size_t place = r->rule->word_count++;
        read_json(r, node, &read.value);
        for (; place && casehook__value_word_order(&words[place - 1], &read) > 0; place--)
            words[place] = words[place - 1];
        words[place] = read;
    }
}

static void read_default(struct rule_reader *r)
{
    struct casehook__field field = member_of(r, "default");
    if (!field.node) return;
    r->rule->has_default = true;
    read_json(r, field.node, &r->rule->otherwise);
}

/* ---- text -------------------------------------------------------------------------------------- */

static void read_length(struct rule_reader *r)
{
    const char *const units[] = {"characters", "utf16", "bytes"};
    struct casehook__field most = member_of(r, "maxCharacters"), unit = member_of(r, "unit");
    int64_t number = 0;
    size_t word = 0;
    casehook__field_word(&unit, units, 3, false, &word);
    r->rule->unit = (enum casehook__unit)word;
    /* What is cut ends in three bytes. */
    casehook__field_integer(&most, r->rule->unit == CASEHOOK__UNIT_BYTES ? 3 : 1, INT32_MAX, &number);
    r->rule->most = (size_t)number;
    if (unit.node && !most.node)
        refuse_member(&unit, "does nothing without maxCharacters: give that too, or remove this");
}

static void read_around(struct rule_reader *r, const char *name, struct casehook__text *around)
{
    struct casehook__field field = member_of(r, name);
    struct casehook__text text;
    if (!casehook__field_text(&field, &text)) return;
    if (r->rule->format == CASEHOOK__FORMAT_ADF)
        refuse_member(&field, "cannot be put around a document: remove it");
    *around = copy_text(r->reader, text);
}

static void read_rule(struct rule_reader *r)
{
    const char *const formats[] = {"lines", "adf", "html"};
    /* On the stack: as constants their addresses would have to be relocated. */
    const char *const members[] = {"from",          "map",  "default", "singleLine", "format",
                                   "maxCharacters", "unit", "prefix",  "suffix"};
    struct casehook__value_rule *rule = r->rule;
    rule->lasting = true;
    casehook__fields_unknown(r->reader->errors, r->prefix, r->object, members,
                             sizeof members / sizeof *members);
    read_from(r);
    read_map(r);
    read_default(r);
    struct casehook__field single = member_of(r, "singleLine"), format = member_of(r, "format");
    size_t word = 0;
    casehook__field_boolean(&single, &rule->single_line);
    if (casehook__field_word(&format, formats, 3, false, &word))
        rule->format = (enum casehook__format)(word + 1);
    read_length(r);
    read_around(r, "prefix", &rule->prefix);
    read_around(r, "suffix", &rule->suffix);
}

/* What sections can find in it: the proof of a body tries no more (C3). */
static enum casehook__variable_type type_of(const struct rule_reader *r)
{
    switch (r->rule->format) {
    case CASEHOOK__FORMAT_LINES: return CASEHOOK__VARIABLE_LIST;
    case CASEHOOK__FORMAT_NONE: break;
    default:
        if (!r->rule->mapped) return CASEHOOK__VARIABLE_TEXT;
    }
    return r->may_list ? CASEHOOK__VARIABLE_FIELD : CASEHOOK__VARIABLE_TEXT;
}

/* ---- names ------------------------------------------------------------------------------------- */

/* The members of an object by name, NULL: none, or it is no such object. */
static const struct casehook__json *names_of(const struct casehook__field *field, const char *wanted)
{
    if (!field->node) return NULL;
    if (casehook__json_kind(field->node) != CASEHOOK__JSON_OBJECT) {
        casehook__field_wrong(field, wanted);
        return NULL;
    }
    if (casehook__json_count(field->node) <= CASEHOOK__VALUES_MAX)
        return casehook__json_count(field->node) ? field->node : NULL;
    casehook__fail(casehook__field_fault(field), CASEHOOK_E_CONFIG, "has more than %d members",
                   CASEHOOK__VALUES_MAX);
    return NULL;
}

/* "value.NAME"; false: it has a fault, or there is no memory. */
static bool name_variable(struct casehook__config_reader *reader, const struct casehook__field *field,
                          const char *first, struct casehook__text *name, struct casehook__variable *variable)
{
    struct casehook__text given = casehook__text(field->name);
    if (!casehook__is_field_name(given)) {
        refuse_member(field, "may have letters, digits, _ and - in its name only: choose another one");
        return false;
    }
    size_t before = strlen(first);
    char *whole = take_room(reader, before + given.length + 1);
    if (!whole) return false;
    memcpy(whole, first, before);
    casehook__text_copy(whole + before, given);
    *name = casehook__text(whole + before);
    *variable = (struct casehook__variable){.name = whole};
    return true;
}

_Static_assert(CASEHOOK__VALUES_MAX <= UINT8_MAX, "each has a place");

static void read_values(struct casehook__config_reader *reader, const struct casehook__json *object)
{
    struct casehook__values *values = reader->config->values;
    size_t position = 0;
    struct casehook__text name;
    struct casehook__json *node;
    while (casehook__json_next(object, &position, &name, &node)) {
        struct casehook__field field = {reader->errors, "config.values", name.data, node};
        struct casehook__variable *variable = &values->variables[values->count];
        struct rule_reader r = {
            .reader = reader, .arena = &values->arena, .object = node, .rule = &values->rules[values->count]};
        if (!name_variable(reader, &field, "value.", &values->names[values->count], variable)) continue;
        *r.rule = (struct casehook__value_rule){.has_default = false};
        static const char *const nothing = NULL;
        r.rule->from = &nothing;
        if (casehook__json_kind(node) == CASEHOOK__JSON_OBJECT) {
            snprintf(r.prefix, sizeof r.prefix, "config.values.%s", name.data);
            read_rule(&r);
        } else {
            casehook__field_wrong(&field, "an object with \"from\"");
        }
        variable->made_of = r.rule->from;
        variable->type = type_of(&r);
        variable->place[0] = CASEHOOK__PLACE_VALUE;
        variable->place[1] = (uint8_t)++values->count;
    }
}

static void read_secrets(struct casehook__config_reader *reader, const struct casehook__json *object)
{
    struct casehook__values *values = reader->config->values;
    size_t position = 0;
    struct casehook__text name;
    struct casehook__json *node;
    while (casehook__json_next(object, &position, &name, &node)) {
        struct casehook__field field = {reader->errors, "secrets.values", name.data, node};
        size_t at = values->secret_count;
        struct casehook__variable *variable = &values->variables[values->count + at];
        struct casehook__text text;
        if (!name_variable(reader, &field, "secret.", &values->secret_names[at], variable)) continue;
        values->secrets[at] = values->masked[at] =
            (struct casehook__value){.kind = CASEHOOK__VALUE_TEXT, .text = CASEHOOK__TEXT("***")};
        if (casehook__field_text(&field, &text)) {
            if (!text.length) refuse_member(&field, "is empty: give the secret, or remove it");
            values->secrets[at].text = copy_text(reader, text);
        }
        variable->place[0] = CASEHOOK__PLACE_SECRET;
        variable->place[1] = (uint8_t)++values->secret_count;
    }
}

void casehook__config_read_values(struct casehook__config_reader *reader)
{
    struct casehook__field values = casehook__config_nullable(reader, "values"),
                           secrets = casehook__config_secret(reader, "values");
    const struct casehook__json *made = names_of(&values, "an object of names and how each value is made"),
                                *secret = names_of(&secrets, "an object of names and texts");
    struct casehook__config *config = reader->config;
    size_t count = casehook__json_count(made), secret_count = casehook__json_count(secret);
    if (!made && !secret) return;
    config->values = casehook__values_new(config->heap);
    if (!config->values) {
        reader->errors->memory = 1;
        return;
    }
    struct casehook__values *all = config->values;
    all->rules = take_room(
        reader, count * (sizeof *all->rules + sizeof *all->names + sizeof *all->variables) +
                    secret_count * (2 * sizeof *all->secrets + sizeof *all->names + sizeof *all->variables));
    if (reader->errors->memory) return;
    all->secrets = (struct casehook__value *)(all->rules + count);
    all->masked = all->secrets + secret_count;
    all->variables = (struct casehook__variable *)(all->masked + secret_count);
    all->names = (struct casehook__text *)(all->variables + count + secret_count);
    all->secret_names = all->names + count;
    if (made) read_values(reader, made);
    if (secret) read_secrets(reader, secret);
}

const struct casehook__schema *casehook__config_schema(struct casehook__config_reader *reader,
                                                       const struct casehook__schema *base)
{
    const struct casehook__schema *schema = casehook__values_schema(reader->config->values, base);
    if (!schema) reader->errors->memory = 1;
    return schema ? schema : base;
}
