/* fields.c - one member of a document: its value, its name for errors, and its type. */
#include "json/fields.h"

#include <stdio.h>

struct casehook__field casehook__field_of(struct casehook__errors *errors, const char *prefix,
                                          const struct casehook__json *object, const char *name)
{
    return (struct casehook__field){errors, prefix, name, casehook__json_member(object, name)};
}

struct casehook_error *casehook__field_fault(const struct casehook__field *field)
{
    char name[CASEHOOK__ERROR_FIELD_SIZE];
    snprintf(name, sizeof name, "%s%s%s", field->prefix, field->name ? "." : "",
             field->name ? field->name : "");
    return casehook__errors_add(field->errors, name);
}

struct casehook_error *casehook__field_item_fault(const struct casehook__field *field, size_t index)
{
    char name[CASEHOOK__ERROR_FIELD_SIZE];
    snprintf(name, sizeof name, "%s.%s[%zu]", field->prefix, field->name, index);
    return casehook__errors_add(field->errors, name);
}

/* True when there is something to be kept beyond lack of memory. */
static bool worth_keeping(struct casehook__errors *errors, const struct casehook_error *fault)
{
    if (fault->status == CASEHOOK_E_NO_MEMORY) errors->memory = 1;
    return fault->status != CASEHOOK_OK && fault->status != CASEHOOK_E_NO_MEMORY;
}

void casehook__field_keep(const struct casehook__field *field, const struct casehook_error *fault)
{
    if (worth_keeping(field->errors, fault)) casehook__error_take(casehook__field_fault(field), fault);
}

void casehook__field_item_keep(const struct casehook__field *field, size_t index,
                               const struct casehook_error *fault)
{
    if (worth_keeping(field->errors, fault))
        casehook__error_take(casehook__field_item_fault(field, index), fault);
}

void casehook__field_wrong(const struct casehook__field *field, const char *wanted)
{
    casehook__fail(casehook__field_fault(field), CASEHOOK_E_CONFIG, "must be %s, not %s", wanted,
                   casehook__json_kind_name(field->node));
}

bool casehook__field_is_null(const struct casehook__field *field)
{
    return !field->node || casehook__json_kind(field->node) == CASEHOOK__JSON_NULL;
}

static bool has_kind(const struct casehook__field *field, enum casehook__json_kind kind, const char *wanted)
{
    if (!field->node) return false;
    if (casehook__json_kind(field->node) == kind) return true;
    casehook__field_wrong(field, wanted);
    return false;
}

bool casehook__field_text(const struct casehook__field *field, struct casehook__text *value)
{
    if (!has_kind(field, CASEHOOK__JSON_TEXT, "a text")) return false;
    *value = casehook__json_text(field->node);
    return true;
}

bool casehook__field_boolean(const struct casehook__field *field, bool *value)
{
    if (!has_kind(field, CASEHOOK__JSON_BOOLEAN, "true or false, without quotes")) return false;
    *value = casehook__json_boolean(field->node);
    return true;
}

bool casehook__field_integer(const struct casehook__field *field, int64_t low, int64_t high, int64_t *value)
{
    if (!has_kind(field, CASEHOOK__JSON_INTEGER, "a whole number")) return false;
    int64_t number = casehook__json_integer(field->node);
    if (number < low || number > high) {
        casehook__fail(casehook__field_fault(field), CASEHOOK_E_CONFIG,
                       "%lld is out of range: write %lld to %lld", (long long)number, (long long)low,
                       (long long)high);
        return false;
    }
    *value = number;
    return true;
}

bool casehook__field_list(const struct casehook__field *field)
{
    return has_kind(field, CASEHOOK__JSON_ARRAY, "a list");
}

bool casehook__field_amount(const struct casehook__field *field, casehook__amount_fn parse, uint64_t *value)
{
    char digits[24];
    struct casehook__text text = {0};
    struct casehook_error fault;
    if (!field->node) return false;
    if (casehook__json_kind(field->node) == CASEHOOK__JSON_INTEGER) {
        snprintf(digits, sizeof digits, "%lld", (long long)casehook__json_integer(field->node));
        text = casehook__text(digits);
    } else if (!has_kind(field, CASEHOOK__JSON_TEXT, "a text or a whole number")) {
        return false;
    } else {
        text = casehook__json_text(field->node);
    }
    casehook__error_init(&fault);
    int status = parse(text, value, &fault);
    casehook__field_keep(field, &fault);
    return !status;
}

bool casehook__field_word(const struct casehook__field *field, const char *const *words, size_t count,
                          bool nocase, size_t *index)
{
    struct casehook__text text;
    if (!casehook__field_text(field, &text)) return false;
    for (size_t i = 0; i < count; i++) {
        if (nocase ? casehook__text_is_nocase(text, words[i]) : casehook__text_is(text, words[i])) {
            *index = i;
            return true;
        }
    }
    char list[256];
    size_t length = 0;
    list[0] = '\0';
    for (size_t i = 0; i < count && length < sizeof list; i++)
        length += (size_t)snprintf(list + length, sizeof list - length, "%s\"%s\"", i ? ", " : "", words[i]);
    casehook__fail(casehook__field_fault(field), CASEHOOK_E_CONFIG, "\"%.*s\" is not one of %s",
                   text.length < 64 ? (int)text.length : 64, text.data, list);
    return false;
}

int casehook__field_refusal(const struct casehook__field *field, size_t index)
{
    const struct casehook__json *item = casehook__json_item(field->node, index);
    int64_t status = casehook__json_kind(item) == CASEHOOK__JSON_INTEGER ? casehook__json_integer(item) : 0;
    if (status >= 400 && status <= 599) return (int)status;
    casehook__fail(casehook__field_item_fault(field, index), CASEHOOK_E_CONFIG,
                   "must be the number of an HTTP status from 400 to 599");
    return 0;
}

#define MEANT_MAX 128

/* Of two that are as near, the one that the object does not have yet. */
static const char *nearest_field(const struct casehook__json *object, struct casehook__text name,
                                 const char *const *known, size_t count)
{
    const char *meant[MEANT_MAX];
    size_t used = 0;
    if (count > MEANT_MAX) return casehook__nearest(name, known, count);
    for (int there = 0; there < 2; there++)
        for (size_t i = 0; i < count; i++)
            if ((casehook__json_member(object, known[i]) != NULL) == there) meant[used++] = known[i];
    return casehook__nearest(name, meant, used);
}

void casehook__fields_unknown(struct casehook__errors *errors, const char *prefix,
                              const struct casehook__json *object, const char *const *known, size_t count)
{
    size_t position = 0;
    struct casehook__text name;
    struct casehook__json *value;
    while (casehook__json_next(object, &position, &name, &value)) {
        size_t i = 0;
        while (i < count && !casehook__text_is(name, known[i])) i++;
        if (i < count) continue;
        /* Finding the nearest name is expensive, so skip it for faults that are only counted. */
        bool kept = errors->count < CASEHOOK__ERRORS_MAX;
        const char *nearest = kept ? nearest_field(object, name, known, count) : NULL;
        struct casehook__field field = {errors, prefix, name.data, value};
        struct casehook_error *fault = casehook__field_fault(&field);
        if (nearest)
            casehook__fail(fault, CASEHOOK_E_CONFIG, "there is no such field; did you mean \"%s\"?", nearest);
        else
            casehook__fail(fault, CASEHOOK_E_CONFIG, "there is no such field; remove it");
    }
}

int casehook__errors_status(const struct casehook__errors *errors)
{
    if (errors->memory) return CASEHOOK_E_NO_MEMORY;
    return errors->first ? errors->first->status : CASEHOOK_OK;
}

struct casehook__json *casehook__field_root(struct casehook__text json, const char *name,
                                            struct casehook__errors *errors)
{
    struct casehook__field document = {errors, name, NULL, NULL};
    struct casehook__json *root = NULL;
    struct casehook_error fault;
    casehook__error_init(&fault);
    if (casehook__json_parse(errors->heap, json, &root, &fault)) {
        casehook__field_keep(&document, &fault);
    } else if (casehook__json_kind(root) != CASEHOOK__JSON_OBJECT) {
        document.node = root;
        casehook__field_wrong(&document, "an object");
        casehook__json_free(root);
        root = NULL;
    }
    return root;
}
