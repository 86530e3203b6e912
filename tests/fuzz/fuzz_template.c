/*
 * fuzz_template.c - random templates with random values.
 *
 * Of every body that is made and rendered: it is JSON, no object has two equal keys, its keys are
 * those of the template when no key holds a tag, and the same values give the same text again.  A template is
 * the input itself, or pieces that it chooses, or JSON with sections in likely places and a few pieces put in
 * where they do not belong.
 */
#include "fuzz.h"
#include "json/jsscan.h"
#include "template/template_private.h"

#define T CASEHOOK__VARIABLE_TEXT
static const struct casehook__variable variables[] = {{"case.title", T, NULL, {0}},
                                                      {"case.id", T, NULL, {0}},
                                                      {"case.tags", CASEHOOK__VARIABLE_LIST, NULL, {0}},
                                                      {"case.labels", CASEHOOK__VARIABLE_LIST, NULL, {0}},
                                                      {"case.fields.*", CASEHOOK__VARIABLE_FIELD, NULL, {0}},
                                                      {"external.system.id", T, NULL, {0}}};
static const struct casehook__schema schema = {variables, sizeof variables / sizeof *variables, NULL, 0};

static const char *const pieces[] = {"{",
                                     "}",
                                     "[",
                                     "]",
                                     ",",
                                     ":",
                                     "\"",
                                     "\"k\":",
                                     "\"m\":",
                                     "1",
                                     "null",
                                     " ",
                                     "\n",
                                     "\\",
                                     "\\u00",
                                     "\\n",
                                     "e5",
                                     ".",
                                     "{{case.title}}",
                                     "{{{case.id}}}",
                                     "{{case.tags}}",
                                     "{{&case.fields.f}}",
                                     "{{.}}",
                                     "{{@last}}",
                                     "{{nope}}",
                                     "{{#case.id}}",
                                     "{{/case.id}}",
                                     "{{^case.id}}",
                                     "{{#case.tags}}",
                                     "{{/case.tags}}",
                                     "{{^case.tags}}",
                                     "{{#case.fields.f}}",
                                     "{{/case.fields.f}}",
                                     "{{^case.fields.f}}",
                                     "{{#@last}}",
                                     "{{^@last}}",
                                     "{{/@last}}",
                                     "{{#@first}}",
                                     "{{^@first}}",
                                     "{{/@first}}",
                                     "{{#.}}",
                                     "{{^.}}",
                                     "{{/.}}",
                                     "{{#case}}",
                                     "{{/case}}",
                                     "{{title}}",
                                     "{{#title}}",
                                     "{{/title}}",
                                     "{{! c }}",
                                     "{{=<% %>=}}",
                                     "<%={{ }}=%>",
                                     "<%case.id%>",
                                     "{{#nope}}",
                                     "{{/nope}}",
                                     "{{^nope}}",
                                     "\"a\"",
                                     "\"{{case.id}}\"",
                                     "\"{{.}}\":",
                                     "{{.}},",
                                     "{{^@last}},{{/@last}}",
                                     ",{{.}}",
                                     ",1"};

struct input {
    const uint8_t *data;
    size_t size;
};

static unsigned take(struct input *input)
{
    if (input->size == 0) return 0;
    input->size--;
    return *input->data++;
}

/* CASEHOOK__TEXT where C11 wants a constant. */
#define CONSTANT_TEXT(literal)          \
    {                                   \
        "" literal, sizeof(literal) - 1 \
    }

/* Texts that would change a structure if they could. */
static void random_scalar(struct input *input, struct casehook__value *value)
{
    static const struct casehook__text texts[] = {
        CONSTANT_TEXT("a"),  CONSTANT_TEXT(""),     CONSTANT_TEXT("\",\"x\":\""), CONSTANT_TEXT("k"),
        CONSTANT_TEXT("\\"), CONSTANT_TEXT("\xFF"), CONSTANT_TEXT("}]"),          CONSTANT_TEXT("\0\n")};
    static const struct casehook__text numbers[] = {CONSTANT_TEXT("0"), CONSTANT_TEXT("1e400"),
                                                    CONSTANT_TEXT("-1")};
    unsigned choice = take(input) % 16;
    *value = (struct casehook__value){.kind = CASEHOOK__VALUE_TEXT, .text = texts[choice % 8]};
    if (choice >= 8)
        *value = (struct casehook__value){.kind = CASEHOOK__VALUE_NUMBER, .text = numbers[choice % 3]};
    if (choice == 12) value->kind = CASEHOOK__VALUE_TRUE;
    if (choice == 13) value->kind = CASEHOOK__VALUE_FALSE;
    if (choice == 14) value->kind = CASEHOOK__VALUE_NULL;
    if (choice == 15) value->kind = CASEHOOK__VALUE_ABSENT;
}

struct tree {
    struct casehook__value root, top[2], cases[5], field, system, id, members[3][8];
};

static void random_list(struct input *input, struct casehook__value *value, struct casehook__value *members)
{
    size_t count = take(input) % 9;
    for (size_t i = 0; i < count; i++) {
        random_scalar(input, &members[i]);
        if (members[i].kind == CASEHOOK__VALUE_ABSENT) members[i].kind = CASEHOOK__VALUE_NULL;
    }
    *value = (struct casehook__value){.kind = CASEHOOK__VALUE_LIST, .items = members, .count = count};
}

static void random_text(struct input *input, struct casehook__value *value)
{
    random_scalar(input, value);
    if (value->kind != CASEHOOK__VALUE_TEXT) value->kind = CASEHOOK__VALUE_ABSENT;
}

static void random_tree(struct input *input, struct tree *tree)
{
    static const struct casehook__text top_names[] = {CONSTANT_TEXT("case"), CONSTANT_TEXT("external")};
    static const struct casehook__text case_names[] = {CONSTANT_TEXT("title"), CONSTANT_TEXT("id"),
                                                       CONSTANT_TEXT("tags"), CONSTANT_TEXT("labels"),
                                                       CONSTANT_TEXT("fields")};
    static const struct casehook__text system_name = CONSTANT_TEXT("system"), id_name = CONSTANT_TEXT("id"),
                                       field_name = CONSTANT_TEXT("f");
    random_text(input, &tree->cases[0]);
    random_text(input, &tree->cases[1]);
    random_list(input, &tree->cases[2], tree->members[0]);
    random_list(input, &tree->cases[3], tree->members[1]);
    random_text(input, &tree->id);
    random_scalar(input, &tree->field);
    if (take(input) & 1) random_list(input, &tree->field, tree->members[2]);
    tree->cases[4] = (struct casehook__value){.kind = CASEHOOK__VALUE_OBJECT,
                                              .items = &tree->field,
                                              .names = &field_name,
                                              .count = take(input) % 4 != 0};
    tree->system = (struct casehook__value){
        .kind = CASEHOOK__VALUE_OBJECT, .items = &tree->id, .names = &id_name, .count = 1};
    tree->top[0] = (struct casehook__value){
        .kind = CASEHOOK__VALUE_OBJECT, .items = tree->cases, .names = case_names, .count = 5};
    tree->top[1] = (struct casehook__value){
        .kind = CASEHOOK__VALUE_OBJECT, .items = &tree->system, .names = &system_name, .count = 1};
    tree->root = (struct casehook__value){
        .kind = CASEHOOK__VALUE_OBJECT, .items = tree->top, .names = top_names, .count = 2};
}

static size_t longest_list(const struct tree *tree)
{
    size_t longest = tree->field.count;
    if (tree->cases[2].count > longest) longest = tree->cases[2].count;
    return tree->cases[3].count > longest ? tree->cases[3].count : longest;
}

static void must(bool holds, const char *what, const struct casehook__template *tmpl,
                 const struct casehook__buf *out)
{
    if (holds) return;
    fprintf(stderr, "%s\ntemplate: %.*s\nrendered: %s\n", what, (int)tmpl->length, tmpl->text,
            casehook__buf_string(out));
    abort();
}

/* No value brought a key along: every key stands in the template. */
static void check_keys(const struct casehook__template *tmpl, const struct casehook__buf *out,
                       struct casehook__text container, unsigned depth)
{
    size_t position = 0;
    struct casehook__text key = {NULL, 0};
    struct casehook__js_value value;
    while (depth < 16 && casehook__js_next(container, &position, &key, &value)) {
        if (container.data[0] == '{') {
            bool found = false;
            for (size_t i = 0; !found && i + key.length <= tmpl->length; i++)
                found = memcmp(tmpl->text + i, key.data, key.length) == 0;
            must(found, "a key that is not the template's", tmpl, out);
        }
        if (value.kind == CASEHOOK__JS_OBJECT || value.kind == CASEHOOK__JS_ARRAY)
            check_keys(tmpl, out, value.text, depth + 1);
    }
}

static void check(const struct casehook__template *tmpl, struct casehook__buf *out)
{
    size_t offset;
    struct casehook__text twins[2], text = casehook__buf_text(out);
    must(casehook__jsscan(text, NULL, 0, NULL, &offset) == CASEHOOK__JS_VALID, "not JSON", tmpl, out);
    must(casehook__keys_check(tmpl, out, 0, false, twins, NULL) == CASEHOOK_OK, "two equal keys", tmpl, out);
    struct casehook__js_value top = casehook__js_top(text);
    bool container = top.kind == CASEHOOK__JS_OBJECT || top.kind == CASEHOOK__JS_ARRAY;
    if (container && !tmpl->variable_keys) check_keys(tmpl, out, top.text, 0);
}

static void run(struct casehook__text text, bool strict, struct input *input)
{
    struct casehook_error error = {0};
    struct casehook__template *tmpl = NULL;
    struct casehook__buf out, twice;
    struct tree tree;
    casehook__buf_init(&out, NULL, 1 << 20);
    casehook__buf_init(&twice, NULL, 1 << 20);
    int status = casehook__template_new(NULL, text, CASEHOOK__TEMPLATE_JSON, &schema, strict, &tmpl, &error);
    if (!status) status = casehook__template_prove(tmpl, strict, &error);
    if (status != CASEHOOK_OK && (status != CASEHOOK_E_CONFIG || !error.message[0])) abort();
    for (int i = 0; i < 6 && !status; i++) {
        random_tree(input, &tree);
        casehook__buf_clear(&out);
        casehook__buf_clear(&twice);
        int rendered = casehook__template_render(tmpl, &tree.root, &out, &error);
        /* what the combinations covered is never refused for its structure */
        bool covered = tmpl->proved && longest_list(&tree) <= 2;
        must(rendered == CASEHOOK_OK || rendered == CASEHOOK_E_PARAMS || rendered == CASEHOOK_E_LIMIT ||
                 (rendered == CASEHOOK_E_CONFIG && !covered),
             error.message, tmpl, &out);
        if (rendered) continue;
        check(tmpl, &out);
        must(casehook__template_render(tmpl, &tree.root, &twice, &error) == CASEHOOK_OK &&
                 casehook__text_equal(casehook__buf_text(&out), casehook__buf_text(&twice)),
             "another text the second time", tmpl, &out);
    }
    casehook__template_free(tmpl);
    casehook__buf_free(&out);
    casehook__buf_free(&twice);
}

struct text {
    char data[4096];
    size_t length;
};

static void add(struct text *text, const char *piece)
{
    size_t length = strlen(piece);
    if (length > sizeof text->data - text->length) return;
    memcpy(text->data + text->length, piece, length);
    text->length += length;
}

static void add_piece(struct text *text, struct input *input)
{
    add(text, pieces[take(input) % (sizeof pieces / sizeof *pieces)]);
}

static const char *const tested[] = {"case.id",    "case.tags",   "case.fields.f",
                                     "case.title", "case.labels", "."};

/* A section, perhaps inverted, around what comes next; or nothing. */
static const char *begin_section(struct text *text, struct input *input)
{
    unsigned choice = take(input);
    if (choice % 3) return NULL;
    const char *name = tested[choice / 3 % 6];
    add(text, choice & 64 ? "{{^" : "{{#");
    add(text, name);
    add(text, "}}");
    return name;
}

static void end_section(struct text *text, const char *name)
{
    if (!name) return;
    add(text, "{{/");
    add(text, name);
    add(text, "}}");
}

static void add_json(struct text *text, struct input *input, unsigned depth);

static void add_container(struct text *text, struct input *input, unsigned depth)
{
    static const char *const keys[] = {
        "\"a\":", "\"b\":", "\"c\":", "\"{{.}}\":", "\"{{case.id}}\":", "\"\\u0061\":"};
    static const char *const commas[] = {",", "", ",", "{{^@last}},{{/@last}}", "{{^@first}},{{/@first}}",
                                         ","};
    bool object = take(input) & 1;
    unsigned count = take(input) % 4;
    add(text, object ? "{" : "[");
    for (unsigned i = 0; i < count; i++) {
        const char *section = begin_section(text, input);
        unsigned comma = take(input);
        if (comma & 32 || (i && !(comma & 16))) add(text, commas[comma % 6]);
        if (object) add(text, keys[take(input) % 6]);
        add_json(text, input, depth + 1);
        if (comma & 64) add(text, commas[comma / 8 % 6]);
        end_section(text, section);
    }
    add(text, object ? "}" : "]");
}

static void add_json(struct text *text, struct input *input, unsigned depth)
{
    unsigned choice = take(input);
    if (choice % 32 == 31) add_piece(text, input);
    const char *section = depth ? begin_section(text, input) : NULL;
    switch (choice % 6) {
    case 0: add(text, "{{case.title}}"); break;
    case 1: add(text, "{{.}}"); break;
    case 2: add(text, "12"); break;
    case 3:
        add(text, "\"");
        add_piece(text, input);
        add(text, "\"");
        break;
    default:
        if (depth < 5) add_container(text, input, depth);
    }
    end_section(text, section);
}

/* Documents are UTF-8 before their templates are looked at. */
static void make_utf8(struct text *text)
{
    for (size_t i = 0, length; i < text->length; i += length ? length : 1) {
        length = casehook__utf8_length(text->data + i, text->length - i);
        if (!length) text->data[i] = '?';
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text text = {.length = 0};
    struct input input = {data, size};
    unsigned mode = take(&input);
    if (mode % 4 == 0) {
        size_t cut = input.size < sizeof text.data ? input.size : sizeof text.data;
        text.length = cut > 32 ? cut - 32 : cut; /* the rest makes values */
        memcpy(text.data, input.data, text.length);
        input.data += text.length;
        input.size -= text.length;
    } else if (mode % 4 == 1) {
        for (size_t count = take(&input); count > 0 && input.size; count--) add_piece(&text, &input);
    } else {
        add_json(&text, &input, 0);
    }
    make_utf8(&text);
    run((struct casehook__text){text.data, text.length}, mode & 64, &input);
    return 0;
}
