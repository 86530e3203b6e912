/*
 * test_mustache_spec.c - the Mustache suite: interpolation, sections, inverted, comments, delimiters.
 *
 * The folder is the argument, or CASEHOOK_MUSTACHE_SPEC.  Tests that need partials must be refused (T1).
 */
#include "template/template_private.h"
#include "template_values.h"

#include <stdio.h>
#include <stdlib.h>

enum { EXPECTED_TESTS = 124, EXPECTED_REFUSED = 2 };

static int escape_html(struct casehook__buf *out, struct casehook__text text)
{
    for (size_t i = 0; i < text.length; i++) {
        switch (text.data[i]) {
        case '&': casehook__buf_append_string(out, "&amp;"); break;
        case '"': casehook__buf_append_string(out, "&quot;"); break;
        case '<': casehook__buf_append_string(out, "&lt;"); break;
        case '>': casehook__buf_append_string(out, "&gt;"); break;
        default: casehook__buf_append_char(out, text.data[i]);
        }
    }
    return out->status;
}

static bool passes(const json_t *test, size_t *refused)
{
    struct casehook__text text = casehook__text(json_string_value(json_object_get(test, "template")));
    const char *expected = json_string_value(json_object_get(test, "expected"));
    struct casehook_error error = {0};
    struct casehook__template *tmpl = NULL;
    struct casehook__buf out;
    struct tree tree;
    casehook__buf_init(&out, NULL, 1 << 20);
    tree_from_json(&tree, json_object_get(test, "data"));
    int status = casehook__template_new(NULL, text, CASEHOOK__TEMPLATE_RAW, NULL, true, &tmpl, &error);
    bool good = false;
    if (json_object_get(test, "partials")) {
        good = status == CASEHOOK_E_CONFIG && strstr(error.message, "partials");
        *refused += good;
    } else if (!status) {
        tmpl->encode = escape_html;
        status = casehook__template_render(tmpl, &tree.root, &out, &error);
        good = !status && strcmp(casehook__buf_string(&out), expected) == 0;
    }
    if (!good)
        fprintf(stderr, "FAILED %s\n  expected: %s\n  got:      %s%s\n",
                json_string_value(json_object_get(test, "name")), expected, casehook__buf_string(&out),
                error.message);
    casehook__template_free(tmpl);
    casehook__buf_free(&out);
    tree_free(&tree);
    return good;
}

int main(int argc, char **argv)
{
    static const char *const files[] = {"comments", "delimiters", "interpolation", "inverted", "sections"};
    const char *folder = getenv("CASEHOOK_MUSTACHE_SPEC");
    if (!folder && argc > 1) folder = argv[1];
    size_t run = 0, failed = 0, refused = 0;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s.json", folder ? folder : ".", files[i]);
        json_t *suite = json_load_file(path, 0, NULL), *test;
        size_t index;
        if (!suite) {
            printf("SKIP: no Mustache suite in %s: git clone https://github.com/mustache/spec, and set "
                   "CASEHOOK_MUSTACHE_SPEC to its folder specs\n",
                   path);
            return 77;
        }
        json_array_foreach(json_object_get(suite, "tests"), index, test) {
            run++;
            failed += !passes(test, &refused);
        }
        json_decref(suite);
    }
    printf("%zu tests, %zu failed, %zu refused\n", run, failed, refused);
    return failed || run != EXPECTED_TESTS || refused != EXPECTED_REFUSED;
}
