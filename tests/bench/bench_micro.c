/*
 * bench_micro.c - rendering and finding keys, without any network.
 *
 *     bench_micro
 *
 * Lines "MICRO bench=B impl=I size=S ns=N mbs=M".  $BENCH_MICRO_S: seconds for one line.
 *   render                     values are put in as they are
 *   stringify+render           text becomes JSON strings, what is not UTF-8 is replaced
 *   stringify+render+validate  and the body is read once more
 *   path                       a key of an answer that is validated to its end
 */
#include "bench_case.h"
#include "bench_window.h"

#include "document/config.h"
#include "json/jsscan.h"
#include "json/jstext.h"
#include "exchange/params.h"
#include "template/template_private.h"

#include <stdio.h>
#include <stdlib.h>

static double budget = 0.2;
static volatile size_t sink;

typedef size_t work_fn(void *what);

static void measure(const char *bench, const char *impl, const char *size, work_fn *work, void *what)
{
    size_t bytes = work(what), rounds = 0;
    uint64_t begin = bench_now(), now;
    do {
        for (size_t i = 0; i < 16; i++) sink += work(what);
        rounds += 16;
        now = bench_now();
    } while ((double)(now - begin) < budget * 1e9);
    double each = (double)(now - begin) / (double)rounds;
    printf("MICRO bench=%s impl=%s size=%s ns=%.1f mbs=%.1f\n", bench, impl, size, each,
           (double)bytes / each * 1e3);
    fflush(stdout);
}

static void need(int status)
{
    if (status == CASEHOOK_OK) return;
    fprintf(stderr, "%s\n", casehook_status_name(status));
    exit(2);
}

/* ---- rendering -------------------------------------------------------------------------------- */

struct rendering {
    struct casehook__template *tmpl;
    struct casehook__param_tree tree;
    struct casehook__buf out;
};

static size_t render(void *what)
{
    struct rendering *r = what;
    casehook__buf_clear(&r->out);
    need(casehook__template_render(r->tmpl, &r->tree.root, &r->out, NULL));
    return r->out.length;
}

static size_t render_and_validate(void *what)
{
    struct rendering *r = what;
    size_t length = render(r);
    if (casehook__jsscan(casehook__buf_text(&r->out), NULL, 0, NULL, NULL) != CASEHOOK__JS_VALID) exit(2);
    return length;
}

static int scalar_string(struct casehook__buf *out, struct casehook__text text)
{
    casehook__buf_append_char(out, '"');
    casehook__js_escape_scalar(out, text);
    return casehook__buf_append_char(out, '"');
}

static void compile(struct rendering *r, const char *text, enum casehook__template_kind kind)
{
    need(casehook__template_new(NULL, casehook__text(text), kind, casehook__schema_create_body(), true,
                                &r->tmpl, NULL));
    if (kind == CASEHOOK__TEMPLATE_JSON) need(casehook__template_prove(r->tmpl, true, NULL));
    casehook__buf_init(&r->out, NULL, CASEHOOK__BODY_MAX_BYTES);
}

static void done(struct rendering *r)
{
    casehook__template_free(r->tmpl);
    casehook__buf_free(&r->out);
}

/* The same body by a template that knows nothing of JSON: {{x}} is written by encode, {{{x}}} as it is. */
static const char raw_form[] = "{\"fields\":{\"summary\":{{case.title}},\"description\":{{case.description}},"
                               "\"labels\":[{{case.tags}}],\"project\":{\"key\":\"CK\"}}}";
static const char plain_form[] =
    "{\"fields\":{\"summary\":\"{{{case.title}}}\",\"description\":\"{{{case.description}}}\","
    "\"labels\":[\"{{{case.tags}}}\"],\"project\":{\"key\":\"CK\"}}}";

static void run_rendering(const char *size, struct casehook_params *given)
{
    struct rendering r = {0};
    struct casehook__parsed_params params;
    const struct casehook__request_values none = {.comment = {NULL, 0}};
    char *json = bench_read("template.json", NULL);
    casehook__params_init(&params, NULL);
    need(casehook__params_from_struct(&params, CASEHOOK_CREATE, given, NULL));
    casehook__params_tree(&params, &none, &r.tree);
    compile(&r, plain_form, CASEHOOK__TEMPLATE_RAW);
    measure("render", "casehook", size, render, &r);
    done(&r);
    compile(&r, json, CASEHOOK__TEMPLATE_JSON);
    measure("stringify+render", "casehook", size, render, &r);
    measure("stringify+render+validate", "casehook", size, render_and_validate, &r);
    done(&r);
    compile(&r, raw_form, CASEHOOK__TEMPLATE_RAW);
    r.tmpl->encode = scalar_string;
    measure("stringify+render", "casehook-scalar", size, render, &r);
    done(&r);
    casehook__params_free(&params);
    free(json);
}

/* ---- keys ------------------------------------------------------------------------------------- */

struct search {
    struct casehook__keypath *path;
    struct casehook__text text;
};

static size_t find(void *what)
{
    const struct search *search = what;
    const struct casehook__keypath *path = search->path;
    struct casehook__js_value found;
    if (casehook__jsscan(search->text, &path, 1, &found, NULL) || found.kind == CASEHOOK__JS_NONE) exit(2);
    return search->text.length;
}

static void run_search(const char *size)
{
    char name[64];
    struct search search;
    snprintf(name, sizeof name, "path_%s.txt", size);
    char *key = bench_read(name, NULL);
    snprintf(name, sizeof name, "resp_%s.json", size);
    char *json = bench_read(name, &search.text.length);
    search.text.data = json;
    need(casehook__keypath_new(NULL, casehook__text_trim(casehook__text(key)), &search.path, NULL));
    measure("path", "casehook", size, find, &search);
    casehook__keypath_free(search.path);
    free(key);
    free(json);
}

int main(void)
{
    static const char *const sizes[] = {"1k", "64k"}, *const answers[] = {"300", "2k", "1m"};
    struct casehook_params params;
    if (getenv("BENCH_MICRO_S")) budget = strtod(getenv("BENCH_MICRO_S"), NULL);
    bench_params(&params);
    for (size_t i = 0; i < 2; i++) {
        char name[64];
        snprintf(name, sizeof name, "description_%s.txt", sizes[i]);
        char *description = bench_read(name, NULL);
        params.description = description;
        run_rendering(sizes[i], &params);
        free(description);
    }
    for (size_t i = 0; i < 3; i++) run_search(answers[i]);
    return 0;
}
