/* value_compute.c - a value by its rule: the first that is there, mapped, shortened, formatted (V1). */
#include "base/error.h"
#include "document/values.h"
#include "json/formats.h"
#include "json/jsscan.h"
#include "json/jstext.h"

#include <stdlib.h>

#define WORD_SHOWN   64
#define MAPPED_BYTES 64 /* a word that is looked up is as much work as so many bytes */
#define SHAPED_BYTES 4  /* and a byte of text, looked at by its character, as these */
#define ELLIPSIS     "\xE2\x80\xA6"

struct maker {
    const struct casehook__value_rule *rule;
    const char *name;
    const char *from; /* of the variable that was there */
    struct casehook__arena *arena;
    size_t *work;
    struct casehook_error *error;
};

static void name_value(const struct maker *maker)
{
    char field[CASEHOOK__ERROR_FIELD_SIZE] = "config.values.";
    strncat(field, maker->name, sizeof field - strlen(field) - 1);
    casehook__error_set_field(maker->error, field);
}

static bool is_nothing_there(const struct casehook__value *value)
{
    switch (value ? value->kind : CASEHOOK__VALUE_ABSENT) {
    case CASEHOOK__VALUE_ABSENT:
    case CASEHOOK__VALUE_NULL: return true;
    case CASEHOOK__VALUE_TEXT: return value->text.length == 0;
    case CASEHOOK__VALUE_LIST: return value->count == 0;
    default: return false;
    }
}

/* Room for so many items, which *list has from now on.  NULL: no memory. */
static struct casehook__value *new_list(struct casehook__arena *arena, size_t count,
                                        struct casehook__value *list)
{
    struct casehook__value *items = casehook__arena_alloc(arena, count * sizeof *items);
    *list = (struct casehook__value){.kind = CASEHOOK__VALUE_LIST, .items = items, .count = count};
    return items;
}

/* ---- map and default --------------------------------------------------------------------------- */

int casehook__value_word_order(const void *one, const void *other)
{
    const struct casehook__text *a = &((const struct casehook__value_word *)one)->word,
                                *b = &((const struct casehook__value_word *)other)->word;
    if (a->length != b->length) return a->length < b->length ? -1 : 1;
    return a->length ? memcmp(a->data, b->data, a->length) : 0;
}

static int map_word(const struct maker *maker, const struct casehook__value *given,
                    struct casehook__value *value)
{
    const struct casehook__value_rule *rule = maker->rule;
    const struct casehook__value_word sought = {.word = casehook__value_word(given)};
    const struct casehook__text word = sought.word;
    const struct casehook__value_word *known =
        rule->word_count
            ? bsearch(&sought, rule->words, rule->word_count, sizeof *rule->words, casehook__value_word_order)
            : NULL;
    *maker->work += MAPPED_BYTES;
    *value = known ? known->value : rule->otherwise;
    if (known || rule->has_default) return CASEHOOK_OK;
    name_value(maker);
    return casehook__fail(maker->error, CASEHOOK_E_PARAMS,
                          "the map has no \"%.*s\", which is %.80s, and there is no default: add it, or "
                          "give another value",
                          word.length < WORD_SHOWN ? (int)word.length : WORD_SHOWN,
                          word.length ? word.data : "", maker->from);
}

/* Of a list each member is mapped. */
static int map_given(const struct maker *maker, const struct casehook__value *given,
                     struct casehook__value *value)
{
    int status = CASEHOOK_OK;
    if (given->kind != CASEHOOK__VALUE_LIST) return map_word(maker, given, value);
    struct casehook__value *items = new_list(maker->arena, given->count, value);
    if (!items) return casehook__fail_memory(maker->error);
    for (size_t i = 0; i < given->count && !status; i++) {
        status = map_word(maker, &given->items[i], &items[i]);
        if (!status && items[i].kind == CASEHOOK__VALUE_LIST) items[i].kind = CASEHOOK__VALUE_JSON;
    }
    return status;
}

/* ---- text -------------------------------------------------------------------------------------- */

/* What lies in buf from now on as text of its own. */
static int keep_made_text(const struct maker *maker, const struct casehook__buf *buf,
                          struct casehook__value *value)
{
    value->kind = CASEHOOK__VALUE_TEXT;
    value->text = casehook__arena_copy(maker->arena, casehook__buf_text(buf));
    return value->text.data ? CASEHOOK_OK : CASEHOOK_E_NO_MEMORY;
}

static void cut_text(const struct casehook__value_rule *rule, struct casehook__buf *text)
{
    struct casehook__text whole = casehook__buf_text(text);
    size_t mark = rule->unit == CASEHOOK__UNIT_BYTES ? sizeof ELLIPSIS - 1 : 1;
    if (whole.length <= rule->most || casehook__unicode_count(whole, rule->most, rule->unit) <= rule->most)
        return;
    text->length = casehook__unicode_fit(whole, rule->most - mark, rule->unit);
    casehook__buf_append_string(text, ELLIPSIS);
}

/* text with what is put around it, but for nothing. */
static int put_around(const struct maker *maker, struct casehook__text text, struct casehook__value *value)
{
    const struct casehook__value_rule *rule = maker->rule;
    size_t before = text.length ? rule->prefix.length : 0, behind = text.length ? rule->suffix.length : 0;
    char *copy = casehook__arena_alloc(maker->arena, before + text.length + behind + 1);
    if (!copy) return CASEHOOK_E_NO_MEMORY;
    *value =
        (struct casehook__value){.kind = CASEHOOK__VALUE_TEXT, .text = {copy, before + text.length + behind}};
    if (before) memcpy(copy, rule->prefix.data, before);
    if (text.length) memcpy(copy + before, text.data, text.length);
    if (behind) memcpy(copy + before + text.length, rule->suffix.data, behind);
    copy[value->text.length] = '\0';
    return CASEHOOK_OK;
}

static int list_lines(const struct maker *maker, struct casehook__text text, struct casehook__value *value)
{
    struct casehook__text line;
    size_t count = 0;
    int status = CASEHOOK_OK;
    for (size_t at = 0; casehook__unicode_line(text, &at, &line);) count++;
    if (count > CASEHOOK__VALUE_LINES_MAX) return CASEHOOK_E_LIMIT;
    struct casehook__value *items = new_list(maker->arena, count, value);
    if (!items) return CASEHOOK_E_NO_MEMORY;
    for (size_t at = 0; !status && casehook__unicode_line(text, &at, &line);)
        status = put_around(maker, line, items++);
    return status;
}

static int format_text(const struct maker *maker, struct casehook__text text, struct casehook__value *value)
{
    struct casehook__buf out;
    int status;
    switch (maker->rule->format) {
    case CASEHOOK__FORMAT_NONE: return put_around(maker, text, value);
    case CASEHOOK__FORMAT_LINES: return list_lines(maker, text, value);
    default: break;
    }
    bool adf = maker->rule->format == CASEHOOK__FORMAT_ADF;
    casehook__buf_init(&out, maker->arena->heap, CASEHOOK__VALUE_BYTES_MAX);
    status = adf ? casehook__format_adf(&out, text) : casehook__format_html(&out, text);
    if (!status && adf) {
        status = keep_made_text(maker, &out, value);
        value->kind = CASEHOOK__VALUE_JSON;
    } else if (!status) {
        status = put_around(maker, casehook__buf_text(&out), value);
    }
    casehook__buf_free(&out);
    return status;
}

/* One text as the rule wants it. */
static int shape_text(const struct maker *maker, struct casehook__text text, struct casehook__value *value)
{
    struct casehook__buf work;
    *maker->work += SHAPED_BYTES * text.length;
    casehook__buf_init(&work, maker->arena->heap, CASEHOOK__VALUE_BYTES_MAX);
    int status = casehook__js_utf8(&work, text); /* what follows relies on that */
    if (!status && work.length && maker->rule->single_line)
        work.length = casehook__unicode_single_line(casehook__buf_text(&work), work.data);
    if (!status && maker->rule->most) cut_text(maker->rule, &work);
    if (!status) status = work.status;
    if (!status) status = format_text(maker, casehook__buf_text(&work), value);
    casehook__buf_free(&work);
    return status;
}

/* A list as lines of one text. */
static int join_lines(const struct casehook__value *list, struct casehook__buf *out)
{
    for (size_t i = 0; i < list->count; i++) {
        if (i) casehook__buf_append_char(out, '\n');
        casehook__buf_append_text(out, casehook__value_word(&list->items[i]));
    }
    return out->status;
}

/* A text, or what becomes one because something is put around it or made of it. */
static bool is_shaped(const struct casehook__value_rule *rule, const struct casehook__value *value)
{
    bool as_text = rule->format || rule->prefix.length || rule->suffix.length;
    switch (value->kind) {
    case CASEHOOK__VALUE_TEXT: return true;
    case CASEHOOK__VALUE_NUMBER:
    case CASEHOOK__VALUE_TRUE:
    case CASEHOOK__VALUE_FALSE: return as_text;
    default: return false;
    }
}

static int shape_list(const struct maker *maker, struct casehook__value *value)
{
    struct casehook__value list = *value;
    struct casehook__buf text;
    int status = CASEHOOK_OK;
    if (maker->rule->format) {
        casehook__buf_init(&text, maker->arena->heap, CASEHOOK__VALUE_BYTES_MAX);
        status = join_lines(&list, &text);
        if (!status) status = shape_text(maker, casehook__buf_text(&text), value);
        casehook__buf_free(&text);
        return status;
    }
    struct casehook__value *items = new_list(maker->arena, list.count, value);
    if (!items) return CASEHOOK_E_NO_MEMORY;
    for (size_t i = 0; i < list.count && !status; i++) {
        items[i] = list.items[i];
        if (is_shaped(maker->rule, &list.items[i]))
            status = shape_text(maker, casehook__value_word(&list.items[i]), &items[i]);
    }
    return status;
}

static int shape_value(const struct maker *maker, struct casehook__value *value)
{
    const struct casehook__value_rule *rule = maker->rule;
    if (!rule->format && !rule->single_line && !rule->most && !rule->prefix.length && !rule->suffix.length)
        return CASEHOOK_OK;
    if (value->kind == CASEHOOK__VALUE_LIST) return shape_list(maker, value);
    if (is_shaped(rule, value)) return shape_text(maker, casehook__value_word(value), value);
    return CASEHOOK_OK;
}

/* Of what is not there: as a variable of that type. */
static struct casehook__value absent_value(const struct casehook__value_rule *rule)
{
    static const enum casehook__value_kind kinds_of_values[] = {
        [CASEHOOK__VARIABLE_TEXT] = CASEHOOK__VALUE_TEXT,
        [CASEHOOK__VARIABLE_LIST] = CASEHOOK__VALUE_LIST,
        [CASEHOOK__VARIABLE_FIELD] = CASEHOOK__VALUE_NULL};
    return (struct casehook__value){
        .kind = rule->format ? CASEHOOK__VALUE_TEXT : kinds_of_values[rule->from_type], .text = {"", 0}};
}

int casehook__value_compute(const struct casehook__value_rule *rule, const char *name,
                            const struct casehook__value *root, struct casehook__arena *arena,
                            struct casehook__value *value, size_t *work, struct casehook_error *error)
{
    struct maker maker = {.rule = rule, .name = name, .arena = arena, .work = work, .error = error};
    const struct casehook__value *given = NULL;
    int status = CASEHOOK_OK;
    if (*work > CASEHOOK__VALUE_WORK_MAX) {
        name_value(&maker);
        return casehook__fail(error, CASEHOOK_E_LIMIT,
                              "is one too many for this case: to make the values of one request takes more "
                              "than %d million steps; give it less text, or fewer values",
                              CASEHOOK__VALUE_WORK_MAX / 64000000);
    }
    for (const char *const *from = rule->from; *from && is_nothing_there(given); from++) {
        maker.from = *from;
        given = casehook__value_at(root, casehook__text(*from));
    }
    if (is_nothing_there(given))
        *value = rule->has_default ? rule->otherwise : absent_value(rule);
    else if (rule->mapped)
        status = map_given(&maker, given, value);
    else
        *value = *given;
    if (status) return status;
    status = shape_value(&maker, value);
    if (!status) return CASEHOOK_OK;
    if (status == CASEHOOK_E_NO_MEMORY) return casehook__fail_memory(error);
    name_value(&maker);
    return casehook__fail(error, status, "comes out larger than 16 MiB, or of more than %d lines",
                          CASEHOOK__VALUE_LINES_MAX);
}

/* ---- JSON -------------------------------------------------------------------------------------- */

static int value_of_scalar(struct casehook__arena *arena, const struct casehook__js_value *source,
                           struct casehook__value *value)
{
    static const enum casehook__value_kind kinds_of_values[] = {
        [CASEHOOK__JS_NULL] = CASEHOOK__VALUE_NULL,   [CASEHOOK__JS_FALSE] = CASEHOOK__VALUE_FALSE,
        [CASEHOOK__JS_TRUE] = CASEHOOK__VALUE_TRUE,   [CASEHOOK__JS_NUMBER] = CASEHOOK__VALUE_NUMBER,
        [CASEHOOK__JS_STRING] = CASEHOOK__VALUE_TEXT, [CASEHOOK__JS_ARRAY] = CASEHOOK__VALUE_JSON,
        [CASEHOOK__JS_OBJECT] = CASEHOOK__VALUE_JSON,
    };
    struct casehook__text text = source->text;
    int status = CASEHOOK_OK;
    *value = (struct casehook__value){.kind = kinds_of_values[source->kind]};
    if (source->kind == CASEHOOK__JS_STRING) {
        struct casehook__buf decoded;
        casehook__buf_init(&decoded, arena->heap, CASEHOOK__VALUE_BYTES_MAX);
        status = casehook__js_decode(&decoded, (struct casehook__text){text.data + 1, text.length - 2});
        if (!status) value->text = casehook__arena_copy(arena, casehook__buf_text(&decoded));
        casehook__buf_free(&decoded);
    } else {
        value->text = casehook__arena_copy(arena, text);
    }
    return status || !value->text.data ? CASEHOOK_E_NO_MEMORY : CASEHOOK_OK;
}

int casehook__value_of_json(struct casehook__arena *arena, struct casehook__text json,
                            struct casehook__value *value)
{
    struct casehook__js_value top = casehook__js_top(json), item;
    struct casehook__text key;
    size_t position = 0, count = 0;
    int status = CASEHOOK_OK;
    if (top.kind == CASEHOOK__JS_ARRAY)
        while (casehook__js_next(top.text, &position, &key, &item)) count++;
    if (top.kind != CASEHOOK__JS_ARRAY || count > CASEHOOK__VALUE_LINES_MAX)
        return value_of_scalar(arena, &top, value);
    struct casehook__value *items = new_list(arena, count, value);
    if (!items) return CASEHOOK_E_NO_MEMORY;
    position = 0;
    while (!status && casehook__js_next(top.text, &position, &key, &item))
        status = value_of_scalar(arena, &item, items++);
    return status;
}
