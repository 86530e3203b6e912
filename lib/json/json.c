/*
 * json.c - documents read with jansson; the one file that knows it.
 *
 * What jansson read is moved into nodes of our own at once.  In a host that is linked with json-c as well,
 * two of jansson's names are json-c's, with another meaning: json_object_get and json_object_iter_next must
 * not be called here, not by a macro either.  So an object is gone over by taking its first member away until
 * none is left.
 */
#include "json/json.h"

#include "json/jstext.h"

#include <jansson.h>
#include <stdio.h>

#define NAME_SHOWN 80 /* bytes of a name in a message */

struct casehook__json {
    enum casehook__json_kind kind;
    struct casehook__text name; /* of a member of an object */
    union {
        bool boolean;
        int64_t integer;
        double real;
        struct casehook__text text;
        struct {
            struct casehook__json *items;
            size_t count;
        } list; /* of an array or object, in the order of the text */
    } value;
};

/* All of a document: nodes, behind them the texts and names, each with a NUL. */
struct document {
    struct casehook__heap *heap;
    size_t size;
    struct casehook__json *next_node;
    char *next_text;
    struct casehook__json nodes[];
};

/*
 * jansson descends recursively, so the depth is bounded before it sees the text.  *most: values that a valid
 * text may hold.
 */
static int check_depth(struct casehook__text text, size_t *most, struct casehook_error *error)
{
    size_t depth = 0;
    *most = 1;
    bool in_string = false;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (in_string) {
            if (c == '\\') i++;
            if (c == '"') in_string = false;
            continue;
        }
        *most += c == '{' || c == '[' || c == ',';
        if (c == '"') {
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

/* ---- out of jansson ---------------------------------------------------------------------------- */

static void wipe_text(json_t *json)
{
    casehook__wipe((char *)(uintptr_t)json_string_value(json), json_string_length(json));
}

/* Depth is bounded by check_depth. */
static void wipe(json_t *json)
{
    if (json_is_string(json)) wipe_text(json);
    for (size_t i = 0; i < json_array_size(json); i++) wipe(json_array_get(json, i));
    for (void *first; (first = json_object_iter(json)) != NULL;) {
        wipe(json_object_iter_value(first));
        json_object_deln(json, json_object_iter_key(first), json_object_iter_key_len(first));
    }
}

static struct casehook__text keep_text(struct document *document, const char *data, size_t length)
{
    char *copy = document->next_text;
    memcpy(copy, data, length);
    copy[length] = '\0';
    document->next_text += length + 1;
    return (struct casehook__text){copy, length};
}

static void keep_value(struct document *document, json_t *json, struct casehook__json *node);

/* What is read is wiped or taken away behind us. */
static void keep_list(struct document *document, json_t *json, struct casehook__json *node)
{
    struct casehook__json *item = document->next_node;
    node->value.list.items = item;
    node->value.list.count = json_array_size(json) + json_object_size(json);
    document->next_node += node->value.list.count;
    for (size_t i = 0; i < json_array_size(json); i++) keep_value(document, json_array_get(json, i), item++);
    for (void *first; (first = json_object_iter(json)) != NULL; item++) {
        item->name = keep_text(document, json_object_iter_key(first), json_object_iter_key_len(first));
        keep_value(document, json_object_iter_value(first), item);
        json_object_deln(json, item->name.data, item->name.length);
    }
}

static void keep_value(struct document *document, json_t *json, struct casehook__json *node)
{
    switch (json_typeof(json)) {
    case JSON_NULL: node->kind = CASEHOOK__JSON_NULL; break;
    case JSON_REAL:
        node->kind = CASEHOOK__JSON_REAL;
        node->value.real = json_real_value(json);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        node->kind = CASEHOOK__JSON_BOOLEAN;
        node->value.boolean = json_is_true(json);
        break;
    case JSON_INTEGER:
        node->kind = CASEHOOK__JSON_INTEGER;
        node->value.integer = json_integer_value(json);
        break;
    case JSON_STRING:
        node->kind = CASEHOOK__JSON_TEXT;
        node->value.text = keep_text(document, json_string_value(json), json_string_length(json));
        wipe_text(json);
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        node->kind = json_is_array(json) ? CASEHOOK__JSON_ARRAY : CASEHOOK__JSON_OBJECT;
        keep_list(document, json, node);
        break;
    }
}

/*
 * json is freed.  most: nodes there may be; a text with its NUL is never longer than it was with its quotes.
 * NULL: no memory.
 */
static struct casehook__json *document_of(struct casehook__heap *heap, json_t *json, size_t most,
                                          size_t text_length)
{
    size_t nodes = sizeof(struct document) + most * sizeof(struct casehook__json);
    struct document *document = casehook__calloc(heap, 1, nodes + text_length);
    if (document) {
        document->heap = heap;
        document->size = nodes + text_length;
        document->next_node = document->nodes + 1;
        document->next_text = (char *)document + nodes;
        keep_value(document, json, document->nodes);
    } else {
        wipe(json);
    }
    json_decref(json);
    return document ? document->nodes : NULL;
}

int casehook__json_parse(struct casehook__heap *heap, struct casehook__text text,
                         struct casehook__json **root, struct casehook_error *error)
{
    size_t most;
    *root = NULL;
    if (text.length > CASEHOOK__DOCUMENT_MAX_BYTES)
        return casehook__fail(error, CASEHOOK_E_CONFIG, "the document is larger than %d bytes",
                              CASEHOOK__DOCUMENT_MAX_BYTES);
    int status = check_depth(text, &most, error);
    if (status) return status;
    size_t bom = bom_length(text);
    json_error_t fault;
    json_t *json = load_text(text, bom, &fault);
    /* jansson takes a moment without memory for a broken text; what is broken stays so at a second look. */
    if (!json) json = load_text(text, bom, &fault);
    if (json) {
        *root = document_of(heap, json, most, text.length);
        return *root ? CASEHOOK_OK : casehook__fail_memory(error);
    }
    /* Where there is no place, jansson had no memory to begin with. */
    if (json_error_code(&fault) == json_error_out_of_memory || fault.line < 0)
        return casehook__fail_memory(error);
    return fail_syntax(text, &fault, bom, error);
}

void casehook__json_free(struct casehook__json *root)
{
    if (!root) return;
    struct document *document = (void *)((char *)root - offsetof(struct document, nodes));
    casehook__free_secret(document->heap, document, document->size);
}

/* ---- reading ------------------------------------------------------------------------------------ */

enum casehook__json_kind casehook__json_kind(const struct casehook__json *node)
{
    return node->kind;
}

const char *casehook__json_kind_name(const struct casehook__json *node)
{
    static const char *const names[] = {"null",   "true or false", "a whole number", "a fraction",
                                        "a text", "a list",        "an object"};
    return names[node->kind];
}

bool casehook__json_boolean(const struct casehook__json *node)
{
    return node->kind == CASEHOOK__JSON_BOOLEAN && node->value.boolean;
}

int64_t casehook__json_integer(const struct casehook__json *node)
{
    return node->kind == CASEHOOK__JSON_INTEGER ? node->value.integer : 0;
}

struct casehook__text casehook__json_text(const struct casehook__json *node)
{
    return node->kind == CASEHOOK__JSON_TEXT ? node->value.text : (struct casehook__text){NULL, 0};
}

size_t casehook__json_count(const struct casehook__json *node)
{
    return node && node->kind >= CASEHOOK__JSON_ARRAY ? node->value.list.count : 0;
}

struct casehook__json *casehook__json_item(const struct casehook__json *array, size_t index)
{
    return index < casehook__json_count(array) ? &array->value.list.items[index] : NULL;
}

struct casehook__json *casehook__json_member(const struct casehook__json *object, const char *name)
{
    struct casehook__text wanted = casehook__text(name);
    struct casehook__json *value;
    for (size_t i = 0; (value = casehook__json_item(object, i)) != NULL; i++)
        if (casehook__text_equal(value->name, wanted)) return value;
    return NULL;
}

bool casehook__json_next(const struct casehook__json *object, size_t *position, struct casehook__text *name,
                         struct casehook__json **value)
{
    *value = casehook__json_item(object, *position);
    if (!*value) return false;
    *name = (*value)->name;
    ++*position;
    return true;
}

/* ---- writing ------------------------------------------------------------------------------------ */

/* With all its digits; the sign before the fraction is that of the locale. */
static int write_real(struct casehook__buf *out, double real)
{
    char text[40];
    int length = snprintf(text, sizeof text, "%.17g", real);
    for (int i = 0; i < length; i++)
        if (!strchr("0123456789+-e", text[i])) text[i] = '.';
    return casehook__js_number(out, casehook__text(text));
}

/* Depth is bounded by check_depth. */
int casehook__json_write(struct casehook__buf *out, const struct casehook__json *node)
{
    bool object = node->kind == CASEHOOK__JSON_OBJECT;
    switch (node->kind) {
    case CASEHOOK__JSON_NULL: return casehook__buf_append_string(out, "null");
    case CASEHOOK__JSON_BOOLEAN:
        return casehook__buf_append_string(out, node->value.boolean ? "true" : "false");
    case CASEHOOK__JSON_INTEGER: return casehook__buf_append_number(out, node->value.integer);
    case CASEHOOK__JSON_REAL: return write_real(out, node->value.real);
    case CASEHOOK__JSON_TEXT: return casehook__js_string(out, node->value.text);
    case CASEHOOK__JSON_ARRAY:
    case CASEHOOK__JSON_OBJECT: break;
    }
    casehook__buf_append_char(out, object ? '{' : '[');
    for (size_t i = 0; i < node->value.list.count; i++) {
        const struct casehook__json *item = &node->value.list.items[i];
        if (i) casehook__buf_append_char(out, ',');
        if (object) casehook__js_string(out, item->name);
        if (object) casehook__buf_append_char(out, ':');
        casehook__json_write(out, item);
    }
    return casehook__buf_append_char(out, object ? '}' : ']');
}
