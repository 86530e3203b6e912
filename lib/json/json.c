/* json.c - documents read with jansson; the one file that knows it. */
#include "json/json.h"

#include <jansson.h>

#define NAME_SHOWN 80 /* bytes of a name in a message */

/* jansson descends recursively, so the depth is bounded before it sees the text. */
static int check_depth(struct casehook__text text, struct casehook_error *error)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (in_string) {
            if (c == '\\') i++;
            if (c == '"') in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > CASEHOOK__DOCUMENT_MAX_DEPTH)
                return casehook__fail_at(error, CASEHOOK_E_CONFIG, i,
                                         "the document is nested deeper than %d levels",
                                         CASEHOOK__DOCUMENT_MAX_DEPTH);
        } else if ((c == '}' || c == ']') && depth) {
            depth--;
        }
    }
    return CASEHOOK_OK;
}

/* jansson's own text quotes what it could not read, which may be a secret: only its code is used. */
static const char *fault_name(enum json_error_code code)
{
    switch (code) {
    case json_error_premature_end_of_input:
        return "the document ends too early: a bracket or quote is missing";
    case json_error_end_of_input_expected: return "something follows behind the end of the document";
    case json_error_invalid_utf8: return "the document is not valid UTF-8";
    case json_error_numeric_overflow: return "a number is too large";
    case json_error_null_byte_in_key: return "the name of a member holds a NUL";
    default: return "the document is not JSON: look for a comma too many, a quote that is missing, a comment";
    }
}

static bool is_escaped(struct casehook__text text, size_t at)
{
    size_t slashes = 0;
    while (slashes < at && text.data[at - slashes - 1] == '\\') slashes++;
    return slashes % 2;
}

/* The name that ends before `end`, with its quotes; jansson tells only where it ends. */
static struct casehook__text name_before(struct casehook__text text, size_t end)
{
    size_t begin = end - 1;
    if (end < 2 || end > text.length || text.data[end - 1] != '"')
        return (struct casehook__text){text.data, 0};
    do begin--;
    while (begin > 0 && (text.data[begin] != '"' || is_escaped(text, begin)));
    return (struct casehook__text){text.data + begin, end - begin};
}

static int fail_syntax(struct casehook__text text, const json_error_t *fault, size_t bom,
                       struct casehook_error *error)
{
    size_t at = bom + (fault->position > 0 ? (size_t)fault->position : 0);
    if (json_error_code(fault) != json_error_duplicate_key)
        return casehook__fail_at(error, CASEHOOK_E_CONFIG, at, "%s (line %d, column %d)",
                                 text.length == bom ? "the document is empty"
                                                    : fault_name(json_error_code(fault)),
                                 fault->line, fault->column);
    struct casehook__text name = name_before(text, at);
    return casehook__fail_at(error, CASEHOOK_E_CONFIG, at - name.length,
                             "the member %.*s is given twice in one object (line %d): remove one of the two",
                             name.length > NAME_SHOWN ? NAME_SHOWN : (int)name.length, name.data,
                             fault->line);
}

static size_t bom_length(struct casehook__text text)
{
    return text.length >= 3 && memcmp(text.data, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
}

static json_t *load_text(struct casehook__text text, size_t bom, json_error_t *fault)
{
    return json_loadb(text.length ? text.data + bom : "", text.length - bom,
                      JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, fault);
}

int casehook__json_parse(struct casehook__text text, struct casehook__json **root,
                         struct casehook_error *error)
{
    *root = NULL;
    if (text.length > CASEHOOK__DOCUMENT_MAX_BYTES)
        return casehook__fail(error, CASEHOOK_E_CONFIG, "the document is larger than %d bytes",
                              CASEHOOK__DOCUMENT_MAX_BYTES);
    int status = check_depth(text, error);
    if (status) return status;
    size_t bom = bom_length(text);
    json_error_t fault;
    json_t *json = load_text(text, bom, &fault);
    /* jansson takes a moment without memory for a broken text; what is broken stays so at a second look. */
    if (!json) json = load_text(text, bom, &fault);
    if (json) {
        *root = (struct casehook__json *)json;
        return CASEHOOK_OK;
    }
    /* Where there is no place, jansson had no memory to begin with. */
    if (json_error_code(&fault) == json_error_out_of_memory || fault.line < 0)
        return casehook__fail_memory(error);
    return fail_syntax(text, &fault, bom, error);
}

static const json_t *node_of(const struct casehook__json *node)
{
    return (const json_t *)node;
}

/* Depth is bounded by check_depth. */
static void wipe(json_t *node)
{
    size_t index;
    const char *name;
    json_t *value;
    if (json_is_string(node)) {
        casehook__wipe((char *)(uintptr_t)json_string_value(node), json_string_length(node));
    } else if (json_is_array(node)) {
        json_array_foreach(node, index, value) wipe(value);
    } else if (json_is_object(node)) {
        json_object_foreach(node, name, value) wipe(value);
    }
}

void casehook__json_free(struct casehook__json *root)
{
    wipe((json_t *)root);
    json_decref((json_t *)root);
}

enum casehook__json_kind casehook__json_kind(const struct casehook__json *node)
{
    switch (json_typeof(node_of(node))) {
    case JSON_TRUE:
    case JSON_FALSE: return CASEHOOK__JSON_BOOLEAN;
    case JSON_INTEGER: return CASEHOOK__JSON_INTEGER;
    case JSON_REAL: return CASEHOOK__JSON_REAL;
    case JSON_STRING: return CASEHOOK__JSON_TEXT;
    case JSON_ARRAY: return CASEHOOK__JSON_ARRAY;
    case JSON_OBJECT: return CASEHOOK__JSON_OBJECT;
    case JSON_NULL: break;
    }
    return CASEHOOK__JSON_NULL;
}

const char *casehook__json_kind_name(const struct casehook__json *node)
{
    static const char *const names[] = {"null",   "true or false", "a whole number", "a fraction",
                                        "a text", "a list",        "an object"};
    return names[casehook__json_kind(node)];
}

bool casehook__json_boolean(const struct casehook__json *node)
{
    return json_is_true(node_of(node));
}

int64_t casehook__json_integer(const struct casehook__json *node)
{
    return json_integer_value(node_of(node));
}

struct casehook__text casehook__json_text(const struct casehook__json *node)
{
    return (struct casehook__text){json_string_value(node_of(node)), json_string_length(node_of(node))};
}

size_t casehook__json_count(const struct casehook__json *node)
{
    return json_is_array(node_of(node)) ? json_array_size(node_of(node)) : json_object_size(node_of(node));
}

struct casehook__json *casehook__json_item(const struct casehook__json *array, size_t index)
{
    return (struct casehook__json *)json_array_get(node_of(array), index);
}

struct casehook__json *casehook__json_member(const struct casehook__json *object, const char *name)
{
    return (struct casehook__json *)json_object_get(node_of(object), name);
}

bool casehook__json_next(const struct casehook__json *object, void **iterator, struct casehook__text *name,
                         struct casehook__json **value)
{
    json_t *json = (json_t *)(uintptr_t)node_of(object); /* iterating changes nothing */
    *iterator = *iterator ? json_object_iter_next(json, *iterator) : json_object_iter(json);
    if (!*iterator) return false;
    *name = (struct casehook__text){json_object_iter_key(*iterator), json_object_iter_key_len(*iterator)};
    *value = (struct casehook__json *)json_object_iter_value(*iterator);
    return true;
}
