/*
 * growth.c - everything that outsiders feed, with texts of n, 2n and 4n bytes, for a count of instructions.
 *
 * Each text has the shape that is worst for what reads it.  measured() alone is counted (test_growth.py);
 * a line says which row and size each count belongs to, in order.
 */
#include "documents.h"

#include "base/clock.h"
#include "url/hosts.h"
#include "json/json.h"
#include "json/jsscan.h"
#include "json/jstext.h"
#include "document/mask.h"
#include "exchange/params.h"
#include "template/template.h"
#include "url/url.h"

#include <stdio.h>
#include <stdlib.h>

#define KIB      1024
#define BASE     "http://tracker.example"
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

struct row {
    const char *name;
    void (*run)(struct casehook__text text);
    size_t n; /* bytes of the shortest text */
    const char *before, *piece, *after;
};

static void must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "growth: %s\n", what);
    exit(2);
}

/* ---- JSON -------------------------------------------------------------------------------------- */

static void scan(struct casehook__text text)
{
    struct casehook__js_value found[3];
    struct casehook__keypath *paths[3];
    static const char *const keys[] = {"a", "a.a[0].b", "zz"};
    for (size_t i = 0; i < 3; i++)
        must(casehook__keypath_new(NULL, casehook__text(keys[i]), &paths[i], NULL) == CASEHOOK_OK, "keypath");
    casehook__jsscan(text, (const struct casehook__keypath *const *)paths, 3, found, NULL);
    for (size_t i = 0; i < 3; i++) casehook__keypath_free(paths[i]);
}

typedef int write_fn(struct casehook__buf *out, struct casehook__text text);

static void write_with(write_fn *write, struct casehook__text text)
{
    struct casehook__buf out;
    casehook__buf_init(&out, NULL, SIZE_MAX / 4);
    write(&out, text);
    casehook__buf_free(&out);
}

static void number(struct casehook__text text)
{
    write_with(casehook__js_number, text);
}

static void escape(struct casehook__text text)
{
    write_with(casehook__js_escape, text);
}

static void decode(struct casehook__text text)
{
    write_with(casehook__js_decode, text);
}

static void utf8(struct casehook__text text)
{
    write_with(casehook__js_utf8, text);
}

static void component(struct casehook__text text)
{
    write_with(casehook__js_uri_component, text);
}

static void document(struct casehook__text text)
{
    struct casehook__json *root = NULL;
    casehook__json_parse(NULL, text, &root, NULL);
    casehook__json_free(root);
}

/* ---- URLs, hosts, headers, messages ------------------------------------------------------------- */

static void url(struct casehook__text text)
{
    struct casehook__origin origin;
    struct casehook__buf normal;
    casehook__buf_init(&normal, NULL, CASEHOOK__URL_MAX_BYTES);
    casehook__url_parse(text, CASEHOOK__URL_DROP_USER, &origin, &normal, NULL);
    casehook__buf_free(&normal);
}

static void location(struct casehook__text text)
{
    struct casehook__origin origin;
    struct casehook__buf normal;
    casehook__buf_init(&normal, NULL, CASEHOOK__URL_MAX_BYTES);
    casehook__url_resolve(BASE "/a/b", text, &origin, &normal, NULL);
    casehook__buf_free(&normal);
}

static void display(struct casehook__text text)
{
    struct casehook__buf shown;
    casehook__buf_init(&shown, NULL, SIZE_MAX / 4);
    casehook__url_for_display(&shown, text.data, false);
    casehook__buf_free(&shown);
}

static void retry_after(struct casehook__text text)
{
    casehook__clock_retry_after(text, 0);
}

static void host(struct casehook__text text)
{
    struct casehook__host_pattern pattern;
    struct casehook__cidr cidr;
    struct casehook_error error;
    casehook__error_init(&error);
    casehook__host_pattern_parse(text, &pattern, &error);
    casehook__cidr_parse(text, &cidr, &error);
}

static void message(struct casehook__text text)
{
    struct casehook_error error;
    casehook__error_init(&error);
    casehook__fail(&error, CASEHOOK_E_CONFIG, "%.*s", (int)text.length, text.data);
}

/* ---- templates and params ----------------------------------------------------------------------- */

static const struct casehook__variable variables[] = {{"case.title", CASEHOOK__VARIABLE_TEXT, NULL, {0}},
                                                      {"case.tags", CASEHOOK__VARIABLE_LIST, NULL, {0}},
                                                      {"case.fields.*", CASEHOOK__VARIABLE_FIELD, NULL, {0}}};
static const struct casehook__schema schema = {.variables = variables, .count = COUNT(variables)};

static void compile(struct casehook__text text)
{
    struct casehook__template *tmpl = NULL;
    struct casehook_error error;
    casehook__error_init(&error);
    if (!casehook__template_new(NULL, text, CASEHOOK__TEMPLATE_JSON, &schema, false, &tmpl, &error))
        casehook__template_prove(tmpl, true, &error);
    casehook__template_free(tmpl);
}

/* ---- masks -------------------------------------------------------------------------------------- */

/* Several secrets, one of which is nothing but one letter. */
static void mask(struct casehook__text text)
{
    static char same[401];
    struct casehook__mask *made = NULL;
    memset(same, 'A', sizeof same - 1);
    const struct casehook__text secrets[] = {casehook__text("S3cr\\et-Pass"), casehook__text("&amp;amp;"),
                                             casehook__text("%5C%5C%5C%5C"), casehook__text(same)};
    must(casehook__mask_new(NULL, secrets, COUNT(secrets), &made) == CASEHOOK_OK, "a mask");
    size_t size = text.length + 4;
    char *out = malloc(size);
    must(out != NULL, "memory");
    casehook__mask_excerpt(made, text, out, size);
    free(out);
    casehook__mask_free(made);
}

/* ---- whole operations --------------------------------------------------------------------------- */

static struct casehook_connector *connector;
static struct casehook_http_request request = {.struct_size = sizeof request};

static struct casehook_exchange *begin(int operation, struct casehook__text params)
{
    struct casehook_exchange *exchange = NULL;
    must(casehook_exchange_new_json(connector, operation, params.data, params.length, NULL, &exchange,
                                    NULL) == CASEHOOK_OK,
         "an exchange");
    casehook_exchange_next(exchange, &request);
    return exchange;
}

static void end(struct casehook_exchange *exchange)
{
    struct casehook_result *result = casehook_exchange_result(exchange);
    casehook_result_json(result, NULL);
    casehook_result_free(result);
    casehook_exchange_free(exchange);
}

static void params(struct casehook__text text)
{
    end(begin(CASEHOOK_PUSH, text));
}

static void answer(struct casehook__text headers, int status, struct casehook__text body)
{
    struct casehook_exchange *x = begin(CASEHOOK_GET, casehook__text("{\"externalId\":\"7\"}"));
    casehook_exchange_feed(x, status, headers.data, headers.length, body.data, body.length);
    casehook_exchange_next(x, &request);
    end(x);
}

static void headers(struct casehook__text text)
{
    answer(text, 200, casehook__text("{}"));
}

static void redirect(struct casehook__text text)
{
    answer(text, 302, casehook__text(""));
}

static void body(struct casehook__text text)
{
    answer(casehook__text("Content-Type: application/json\n"), 200, text);
}

static void refusal(struct casehook__text text)
{
    answer(casehook__text("Content-Type: text/plain\n"), 400, text);
}

static void check(struct casehook__text text)
{
    casehook_connector_check(NULL, text.data, text.length, NULL);
}

static void settings(struct casehook__text text)
{
    struct casehook_settings *made = NULL;
    casehook_settings_new(NULL, &made);
    casehook_settings_load_json(made, text.data, text.length, NULL);
    casehook_settings_free(made);
}

/* ---- rows --------------------------------------------------------------------------------------- */

static const struct row rows[] = {
    {"scanner: numbers", scan, 16 * KIB, "[", "1,", "1]"},
    {"scanner: one key again and again", scan, 16 * KIB, "{", "\"a\":1,", "\"a\":1}"},
    {"scanner: one path again and again", scan, 16 * KIB, "{", "\"a\":{\"a\":[{\"b\":1}]},", "\"a\":1}"},
    {"scanner: escapes in a string", scan, 16 * KIB, "\"", "\\u005c\\\"", "\""},
    {"scanner: escaped keys", scan, 16 * KIB, "{", "\"\\u0061\":1,", "\"a\":1}"},
    {"scanner: what broke off", scan, 16 * KIB, "{", "\"a\":[],", "\"a"},
    {"scanner: white space", scan, 16 * KIB, "[", " \n", "1]"},
    {"number: digits", number, 4 * KIB, "1", "9", ""},
    {"number: fraction", number, 4 * KIB, "0.", "0", "1"},
    {"number: digits and an exponent", number, 4 * KIB, "", "9", "e-3000"},
    {"number: zeros in the exponent", number, 4 * KIB, "1e", "0", "1"},
    {"escape: controls", escape, 16 * KIB, "", "\x01", ""},
    {"escape: not UTF-8", escape, 16 * KIB, "", "\xF0\x9F\x98", ""},
    {"decode: half pairs", decode, 16 * KIB, "", "\\ud800", ""},
    {"UTF-8: none", utf8, 16 * KIB, "", "\xE2\x82", ""},
    {"URL component", component, 16 * KIB, "", "%\xC3", ""},
    {"JSON: unlike keys", document, 8 * KIB, "{\"x\":[", "{\"k\":{}},", "{}]}"},
    {"JSON: text", document, 16 * KIB, "[\"", "\\u00e4", "\"]"},
    {"URL: dots", url, 8 * KIB, BASE "/", "../a/", ""},
    {"URL: slashes", url, 8 * KIB, BASE, "/", ""},
    {"URL: percent", url, 8 * KIB, BASE "/", "%2e%2E/", ""},
    {"URL: raw characters", url, 8 * KIB, BASE "/", "\xC3\xA4 ", ""},
    {"URL: query", url, 8 * KIB, BASE "/?", "a=b&", ""},
    {"URL: user", url, 8 * KIB, "http://", "a@", "h/"},
    {"Location: up", location, 8 * KIB, "", "../", ""},
    {"Location: percent", location, 8 * KIB, "/", "%5C", ""},
    {"Location: query and fragment", location, 8 * KIB, "?", "&#?", ""},
    {"display: query", display, 8 * KIB, BASE "/?", "a=b&", ""},
    {"display: users", display, 8 * KIB, "http://", "a:b@", "h"},
    {"Retry-After: digits", retry_after, 8 * KIB, "", "9", ""},
    {"host: colons", host, 8 * KIB, "", ":", ""},
    {"host: dots", host, 8 * KIB, "", ".", ""},
    {"message: not UTF-8", message, 8 * KIB, "", "\xC3\x01", ""},
    {"template: text", compile, 8 * KIB, "{\"a\":\"", "{ ", "\"}"},
    {"template: values", compile, 8 * KIB, "[1", ",{{case.title}}", "]"},
    {"template: unknown names", compile, 8 * KIB, "[1", ",\"{{x.y}}\"", "]"},
    {"template: sections", compile, 8 * KIB, "[1", "{{#case.title}}{{/case.title}}", "]"},
    {"template: lists", compile, 8 * KIB, "[1", "{{#case.tags}},{{.}}{{/case.tags}}", "]"},
    {"template: comments", compile, 8 * KIB, "[1", "{{! }}\n", "]"},
    {"template: delimiters", compile, 8 * KIB, "[1", "{{=<% %>=}}<%={{ }}=%>", "]"},
    {"template: literal keys", compile, 8 * KIB, "[", "{\"k\":1},", "1]"},
    {"template: what is not closed", compile, 8 * KIB, "", "{{#case}}{{/case}}{{", ""},
    {"mask: backslashes", mask, 16 * KIB, "", "\\", ""},
    {"mask: escaped backslashes", mask, 16 * KIB, "", "%5C", ""},
    {"mask: escapes of escapes", mask, 16 * KIB, "", "%25%35C", ""},
    {"mask: references", mask, 16 * KIB, "", "&amp;", ""},
    {"mask: numbers without an end", mask, 16 * KIB, "", "&#x0", ""},
    {"mask: half pairs", mask, 16 * KIB, "", "\\ud83d\\u", ""},
    {"mask: all of them", mask, 16 * KIB, "", "%26amp;\\u0025&#37;", ""},
    {"mask: beginnings", mask, 16 * KIB, "", "S3cr\\et-Pas", ""},
    {"mask: one letter", mask, 16 * KIB, "", "A", ""},
    {"mask: cut marks", mask, 16 * KIB, "", "S3cr...", ""},
    {"mask: cut escapes", mask, 16 * KIB, "", "S3cr%5Cu00...", ""},
    {"mask: lines", mask, 16 * KIB, "", "A\n", ""},
    {"mask: ends of lines", mask, 16 * KIB, "A", "\r\n", "A"},
    {"mask: names", mask, 16 * KIB, "", "&yuml;", ""},
    {"mask: zeros of a number", mask, 16 * KIB, "&#", "0", "65;"},
    {"mask: numbers one behind the other", mask, 16 * KIB, "", "&#65", ""},
    {"mask: first halves", mask, 16 * KIB, "", "\\ud83d", ""},
    {"params: tags", params, 8 * KIB, "{\"title\":\"t\",\"tags\":[\"a\"", ",\"\\u0062\"", "]}"},
    {"params: comments", params, 16 * KIB,
     "{\"title\":\"t\",\"comments\":[{\"commentId\":\"1\",\"comment\":\"c\"}",
     ",{\"commentId\":\"1\",\"comment\":\"c\"}", "]}"},
    {"params: fields", params, 1 * KIB, "{\"title\":\"t\",\"fields\":{\"l\":[1", ",null", "]}}"},
    {"params: a title", params, 8 * KIB, "{\"title\":\"", "\\\\", "\"}"},
    {"params: equal members", params, 8 * KIB, "{\"title\":\"t\",\"fields\":{\"l\":{", "\"a\":1,",
     "\"a\":1}}}"},
    {"headers: many", headers, 8 * KIB, "", "X: 1\n", "Content-Type: application/json\n"},
    {"headers: a type", headers, 8 * KIB, "Content-Type: ", "a;,", "\n"},
    {"headers: no ends", headers, 8 * KIB, "", ":\r", ""},
    {"redirect: percent", redirect, 8 * KIB, "Location: /", "%5C", "\n"},
    {"redirect: backslashes behind a ?", redirect, 8 * KIB, "Location: /?", "\\", "\n"},
    {"redirect: up", redirect, 8 * KIB, "Location: ", "../", "\n"},
    {"redirect: references", redirect, 8 * KIB, "Location: /", "&amp;", "\n"},
    {"answer: title", body, 8 * KIB, "{\"key\":\"", "\\\\", "\"}"},
    {"answer: no title", body, 16 * KIB, "{\"key\":[", "\"%5C\",", "1]}"},
    {"answer: not JSON", body, 16 * KIB, "{", "\\", ""},
    {"refusal: backslashes", refusal, 1 * KIB, "", "\\", ""},
    {"refusal: percent", refusal, 1 * KIB, "", "%5C", ""},
    {"document: unknown members", check, 8 * KIB, "{\"config\":{\"x\":[", "\"config\",", "1]}}"},
    {"document: a URL", check, 8 * KIB, "{\"config\":{\"createIncidentUrl\":\"" BASE "/", "%2e%2e/{{x}}",
     "\"}}"},
    {"document: a key", check, 8 * KIB, "{\"config\":{\"createIncidentResponseKey\":\"", "[", "\"}}"},
    {"settings: hosts", settings, 16 * KIB, "{\"allowedHosts\":[", "\"a.example\",", "\"b\"]}"},
    {"settings: addresses", settings, 16 * KIB, "{\"allowedAddresses\":[", "\"10.0.0.0/8\",", "\"::1\"]}"},
};

/* ---- counting ----------------------------------------------------------------------------------- */

/* What is counted. */
__attribute__((noinline)) void measured(void (*run)(struct casehook__text), struct casehook__text text);
void measured(void (*run)(struct casehook__text), struct casehook__text text)
{
    run(text);
    __asm__ volatile("" ::: "memory"); /* no tail call, which would leave before it is done */
}

static struct casehook__text make(const struct row *row, size_t size)
{
    size_t piece = strlen(row->piece), before = strlen(row->before), at = before;
    char *text = malloc(size + before + piece + strlen(row->after) + 1);
    must(text != NULL, "memory");
    memcpy(text, row->before, before);
    for (; at - before < size; at += piece) memcpy(text + at, row->piece, piece);
    strcpy(text + at, row->after);
    return (struct casehook__text){text, at + strlen(row->after)};
}

static void measure(const char *name, void (*run)(struct casehook__text), struct casehook__text text,
                    size_t size)
{
    measured(run, text);
    printf("%zu\t%s\n", size, name);
    free((char *)(uintptr_t)text.data);
}

/* ---- keys that were chosen to collide ------------------------------------------------------------ */

#define BLOCKS  8
#define LETTERS 6

static uint32_t fnv(const char *text, size_t length, uint32_t hash)
{
    for (size_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    return hash;
}

/* Another text for each number. */
static void letters_of(uint32_t number, char out[LETTERS])
{
    number = number * 2654435761u % 308915776u; /* 26 to the power of 6 */
    for (size_t i = 0; i < LETTERS; i++, number /= 26) out[i] = (char)('a' + number % 26);
}

/* Two texts that lead FNV-1a from one state to the same other state. */
static uint32_t collide(uint32_t hash, char pair[2][LETTERS])
{
    enum { SLOTS = 1 << 20 };
    uint32_t *seen = calloc(SLOTS, sizeof *seen), found = 0;
    must(seen != NULL, "memory");
    for (uint32_t i = 1; i < 4000000 && !found; i++) {
        letters_of(i, pair[0]);
        uint32_t value = fnv(pair[0], LETTERS, hash), slot = value * 2654435761u >> 12;
        if (seen[slot]) {
            letters_of(seen[slot], pair[1]);
            if (fnv(pair[1], LETTERS, hash) == value) found = value;
        }
        seen[slot] = i;
    }
    must(found != 0, "a collision");
    free(seen);
    return found;
}

/* Tags behind a long beginning, as keys: all of one hash of FNV-1a, or with other letters. */
static struct casehook__text key_params(bool colliding, const char *beginning)
{
    static char pairs[BLOCKS][2][LETTERS];
    uint32_t hash = fnv(beginning, strlen(beginning), 2166136261u);
    for (size_t i = 0; i < BLOCKS && !pairs[i][0][0]; i++) hash = collide(hash, pairs[i]);
    char *text = malloc(((size_t)1 << BLOCKS) * (BLOCKS * LETTERS + 3) + 64), *at = text;
    must(text != NULL, "memory");
    at += sprintf(at, "{\"title\":\"t\",\"tags\":[");
    for (size_t i = 0; i < (size_t)1 << BLOCKS; i++) {
        at += sprintf(at, i ? ",\"" : "\"");
        for (size_t b = 0; b < BLOCKS; b++, at += LETTERS) memcpy(at, pairs[b][i >> b & 1], LETTERS);
        if (!colliding) at[-1] = 'A';
        at += sprintf(at, "\"");
    }
    at += sprintf(at, "]}");
    return (struct casehook__text){text, (size_t)(at - text)};
}

static void measure_keys(void)
{
    static char beginning[4001], config[5000];
    memset(beginning, 'p', sizeof beginning - 1);
    snprintf(
        config, sizeof config,
        "\"createIncidentJson\":\"{ {{#case.tags}}\\\"%s{{.}}\\\":1{{^@last}},{{/@last}}{{/case.tags}} }\"",
        beginning);
    casehook_connector_unref(connector);
    connector = document_connector(NULL, BASE, config, NULL);
    measure("= keys", params, key_params(false, beginning), 0);
    measure("= keys", params, key_params(true, beginning), 0);
}

int main(void)
{
    connector = document_connector(NULL, BASE, "\"createIncidentUrl\":\"" BASE "/issue?t={{case.title}}\"",
                                   "\"user\":\"demo\",\"password\":\"not-a-secret\"");
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t size = rows[i].n; size <= 4 * rows[i].n; size *= 2)
            measure(rows[i].name, rows[i].run, make(&rows[i], size), size);
    }
    measure_keys();
    casehook_connector_unref(connector);
    return 0;
}
