/*
 * fuzz_values.c - a value that is made of anything (V1), and JSON of an answer that becomes one (V2).
 *
 * Input: a byte (format, unit, single line), a byte (length), a byte (what it is made of, what is put around
 * it), and a text: as it is, cut into a list at each 0xFE, or JSON.
 *
 * What is made is UTF-8, as short as asked and on one line; what is rendered with it is JSON, and the value
 * in it is the one that was made.
 */
#include "fuzz.h"
#include "document/values.h"
#include "json/jsscan.h"
#include "template/template.h"

#define ITEMS_MAX 32

enum { AS_TEXT, AS_LIST, AS_JSON };

static bool is_utf8(struct casehook__text text)
{
    for (size_t at = 0, length; at < text.length; at += length)
        if ((length = casehook__utf8_length(text.data + at, text.length - at)) == 0) return false;
    return true;
}

static bool is_one_line(struct casehook__text text)
{
    struct casehook__text line;
    size_t at = 0;
    return !casehook__unicode_line(text, &at, &line) || line.length == text.length;
}

/* One text by the rule, what is put around it taken away. */
static void check_text(const struct casehook__value_rule *rule, struct casehook__text text)
{
    /* Without anything to be done it stays what it was: templates mend it. */
    bool untouched = !rule->format && !rule->single_line && !rule->most && !rule->prefix.length;
    CHECK(untouched || is_utf8(text));
    if (text.length && rule->prefix.length) {
        CHECK(text.length >= 2 && *text.data == '<' && text.data[text.length - 1] == '>');
        text = (struct casehook__text){text.data + 1, text.length - 2};
    }
    if (rule->format == CASEHOOK__FORMAT_HTML) {
        CHECK(is_one_line(text));
        for (size_t i = 0; i < text.length; i++)
            CHECK(text.data[i] != '<' || (text.length - i >= 4 && memcmp(text.data + i, "<br>", 4) == 0));
        return;
    }
    if (rule->most) CHECK(casehook__unicode_count(text, SIZE_MAX, rule->unit) <= rule->most);
    if (rule->single_line || rule->format) CHECK(is_one_line(text));
}

static void check_value(const struct casehook__value_rule *rule, const struct casehook__value *value)
{
    if (value->kind == CASEHOOK__VALUE_TEXT) check_text(rule, value->text);
    for (size_t i = 0; value->kind == CASEHOOK__VALUE_LIST && i < value->count; i++)
        if (value->items[i].kind == CASEHOOK__VALUE_TEXT) check_text(rule, value->items[i].text);
    if (value->kind == CASEHOOK__VALUE_JSON && rule->format)
        CHECK(casehook__jsscan(value->text, NULL, 0, NULL, NULL) == CASEHOOK__JS_VALID);
}

struct made_source {
    struct casehook__value_source source;
    const struct casehook__value *value;
};

static int make(struct casehook__value_source *source, size_t index, const struct casehook__value **value,
                struct casehook_error *error)
{
    (void)error;
    CHECK(index == 7);
    *value = ((struct made_source *)source)->value;
    return CASEHOOK_OK;
}

/* As a value, in a string and in a section, asked for when it is come to. */
static void check_rendering(const struct casehook__value *value)
{
    static const struct casehook__variable variables[] = {{"value.x", CASEHOOK__VARIABLE_FIELD, NULL, {0}}};
    static const struct casehook__schema schema = {variables, 1, NULL, 0};
    static const struct casehook__text names[] = {{"value", 5}}, inner[] = {{"x", 1}};
    static const char text[] =
        "{\"a\":{{value.x}},\"b\":\"-{{value.x}}-\",\"c\":[{{#value.x}}{{.}}{{^@last}},"
        "{{/@last}}{{/value.x}}]}";
    struct made_source source = {{make}, value};
    struct casehook__value item = {.kind = CASEHOOK__VALUE_MADE, .source = &source.source, .count = 7};
    struct casehook__value object = {
        .kind = CASEHOOK__VALUE_OBJECT, .names = inner, .items = &item, .count = 1};
    struct casehook__value root = {
        .kind = CASEHOOK__VALUE_OBJECT, .names = names, .items = &object, .count = 1};
    struct casehook__template *tmpl = NULL;
    struct casehook__buf out;
    casehook__buf_init(&out, NULL, CASEHOOK__BODY_MAX_BYTES);
    CHECK(!casehook__template_new(NULL, casehook__text(text), CASEHOOK__TEMPLATE_JSON, &schema, true, &tmpl,
                                  NULL));
    CHECK(!casehook__template_prove(tmpl, true, NULL));
    /* Two equal keys in an object of an answer are the answer's own. */
    int status = casehook__template_render(tmpl, &root, &out, NULL);
    CHECK(status == CASEHOOK_OK || status == CASEHOOK_E_PARAMS);
    if (!status) CHECK(casehook__jsscan(casehook__buf_text(&out), NULL, 0, NULL, NULL) == CASEHOOK__JS_VALID);
    casehook__template_free(tmpl);
    casehook__buf_free(&out);
}

/* What it is made of; false: the text is no JSON. */
static bool take_given(int way, struct casehook__text text, struct casehook__arena *arena,
                       struct casehook__value *items, struct casehook__value *given)
{
    if (way == AS_JSON) {
        if (casehook__jsscan(text, NULL, 0, NULL, NULL) != CASEHOOK__JS_VALID) return false;
        CHECK(!casehook__value_of_json(arena, text, given));
        return true;
    }
    *given = (struct casehook__value){.kind = CASEHOOK__VALUE_TEXT, .text = text};
    if (way == AS_TEXT) return true;
    size_t count = 0;
    for (size_t at = 0; at <= text.length && count < ITEMS_MAX; count++) {
        const char *end = at < text.length ? memchr(text.data + at, 0xFE, text.length - at) : NULL;
        size_t length = end ? (size_t)(end - text.data) - at : text.length - at;
        items[count] =
            (struct casehook__value){.kind = CASEHOOK__VALUE_TEXT, .text = {text.data + at, length}};
        at += length + 1;
    }
    *given = (struct casehook__value){.kind = CASEHOOK__VALUE_LIST, .items = items, .count = count};
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const from[] = {"t", NULL};
    static const struct casehook__text names[] = {{"t", 1}};
    struct casehook__value items[ITEMS_MAX], given, value;
    struct casehook__arena arena = {NULL, NULL};
    if (size < 3) return 0;
    struct casehook__value_rule rule = {.from = from,
                                        .format = (enum casehook__format)(data[0] & 3),
                                        .unit = (enum casehook__unit)(data[0] / 4 % 3),
                                        .single_line = data[0] / 64 & 1,
                                        .most = data[1] ? data[1] + 2U : 0};
    if (data[2] & 4 && rule.format != CASEHOOK__FORMAT_ADF) {
        rule.prefix = CASEHOOK__TEXT("<");
        rule.suffix = CASEHOOK__TEXT(">");
    }
    const struct casehook__text text = {(const char *)data + 3, size - 3};
    size_t work = 0;
    const struct casehook__value root = {
        .kind = CASEHOOK__VALUE_OBJECT, .names = names, .items = &given, .count = 1};
    if (take_given(data[2] & 3, text, &arena, items, &given)) {
        CHECK(!casehook__value_compute(&rule, "x", &root, &arena, &value, &work, NULL));
        check_value(&rule, &value);
        check_rendering(&value);
    }
    casehook__arena_free(&arena);
    return 0;
}
