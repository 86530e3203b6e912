/* trial_list.c - vectors with an exchange: two plain servers that answer in the order of the vector. */
#include "check_agree.h"
#include "memory.h"
#include "trial.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- the answers ------------------------------------------------------------------------------ */

struct answers {
    struct http_response *responses;
    struct http_script script;
};

static size_t header_count(const json_t *headers)
{
    const char *name;
    json_t *value;
    size_t count = 0;
    json_object_foreach((json_t *)(uintptr_t)headers, name, value)
        count += json_is_array(value) ? json_array_size(value) : 1;
    return count;
}

/* A list of values is a header that is sent several times. */
static const struct http_header *make_headers(const json_t *headers)
{
    struct http_header *list = must_alloc((header_count(headers) + 1) * sizeof *list), *next = list;
    const char *name;
    json_t *value, *one;
    size_t i;
    json_object_foreach((json_t *)(uintptr_t)headers, name, value) {
        if (!json_is_array(value)) *next++ = (struct http_header){name, json_string_value(value)};
        json_array_foreach(value, i, one) *next++ = (struct http_header){name, json_string_value(one)};
    }
    return list;
}

static char *decode(const char *text, size_t *length)
{
    size_t n = strlen(text);
    unsigned char *bytes = must_alloc(n / 4 * 3 + 4);
    int got = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)n);
    *length = got < 0 ? 0 : (size_t)got;
    while (n && *length && text[n - 1] == '=') {
        n--;
        --*length;
    }
    return (char *)bytes;
}

static enum http_fault fault_of(const char *abort)
{
    if (!abort) return HTTP_NO_FAULT;
    return strcmp(abort, "mid_body") == 0 ? HTTP_CLOSE_IN_BODY : HTTP_CLOSE_BEFORE_RESPONSE;
}

static void make_response(struct http_response *response, const json_t *given)
{
    const json_t *body = json_object_get(given, "body"), *headers = json_object_get(given, "headers");
    const char *base64 = json_string_value(json_object_get(given, "body_base64"));
    response->status = (int)json_integer_value(json_object_get(given, "status"));
    response->reason = json_string_value(json_object_get(given, "reason"));
    response->headers = make_headers(headers);
    response->header_count = header_count(headers);
    response->body_length = json_string_length(body);
    response->body =
        base64 ? decode(base64, &response->body_length)
               : must_copy(json_is_string(body) ? json_string_value(body) : "", response->body_length);
    response->chunked = json_is_true(json_object_get(given, "chunked"));
    response->delay_ms = (unsigned)json_integer_value(json_object_get(given, "delay_ms"));
    response->fault = fault_of(json_string_value(json_object_get(given, "abort")));
    response->claimed_length = (size_t)json_integer_value(json_object_get(given, "claimed_length"));
    if (response->chunked && response->body_length > 3000) response->piece = response->body_length / 1000 + 1;
}

static void close_answers(struct answers *answers)
{
    for (size_t i = 0; i < answers->script.count; i++) {
        free((void *)(uintptr_t)answers->responses[i].headers);
        free((void *)(uintptr_t)answers->responses[i].body);
    }
    free(answers->responses);
}

/* ---- the places ------------------------------------------------------------------------------- */

struct sites {
    struct http_log *log;
    struct answers answers;
    struct http_server *base, *alt;
    char *texts[7];
    struct place places[7];
};

static int open_sites(struct sites *sites)
{
    static const char *const names[] = {"BASE", "BASE_LOCALHOST", "BASE_V6", "PORT",
                                        "ALT",  "ALT_LOCALHOST",  "ALT_PORT"};
    sites->base = http_server_start(sites->log, "BASE", NULL, http_script_answer, &sites->answers.script);
    sites->alt = http_server_start(sites->log, "ALT", NULL, http_script_answer, &sites->answers.script);
    if (!sites->base || !sites->alt) return -1;
    unsigned base = http_server_port(sites->base), alt = http_server_port(sites->alt);
    sites->texts[0] = must_format("http://127.0.0.1:%u", base);
    sites->texts[1] = must_format("http://localhost:%u", base);
    sites->texts[2] = must_format("http://[::1]:%u", base);
    sites->texts[3] = must_format("%u", base);
    sites->texts[4] = must_format("http://127.0.0.1:%u", alt);
    sites->texts[5] = must_format("http://localhost:%u", alt);
    sites->texts[6] = must_format("%u", alt);
    for (size_t i = 0; i < 7; i++) sites->places[i] = (struct place){names[i], sites->texts[i]};
    return 0;
}

static void close_sites(const struct trial *trial, void *user)
{
    struct sites *sites = user;
    trial_stop(trial, sites->base);
    trial_stop(trial, sites->alt);
    sites->base = sites->alt = NULL;
}

/* The ports are in the answers too, so the servers run before their answers are known. */
static void open_answers(void *user, const json_t *vector)
{
    struct sites *sites = user;
    const json_t *exchange = json_object_get(vector, "exchange");
    size_t count = json_array_size(exchange);
    struct http_response *responses = must_alloc((count + 1) * sizeof *responses);
    for (size_t i = 0; i < count; i++)
        make_response(&responses[i], json_object_get(json_array_get(exchange, i), "response"));
    http_log_lock(sites->log);
    sites->answers.responses = responses;
    sites->answers.script = (struct http_script){responses, count};
    http_log_unlock(sites->log);
}

/* ---- the comparison --------------------------------------------------------------------------- */

/* "host:port" of a base URL and of a Host header are equal; a dot behind the name does not count. */
static int same_host(const char *left, const char *right)
{
    size_t n = strcspn(left, ":"), m = strcspn(right, ":");
    if (*left == '[' || *right == '[') return strcasecmp(left, right) == 0;
    const char *left_port = left + n, *right_port = right + m;
    while (n && left[n - 1] == '.') n--;
    while (m && right[m - 1] == '.') m--;
    return n == m && strncasecmp(left, right, n) == 0 && strcmp(left_port, right_port) == 0;
}

static void check_server(const struct trial *trial, const struct sites *sites, const char *what,
                         const json_t *expected, const struct http_request *actual)
{
    const char *server = json_string_value(json_object_get(expected, "server"));
    const char *base = server ? server : "BASE", *host = http_request_header(actual, "host", 0);
    for (size_t i = 0; i < 7; i++) {
        if (strcmp(sites->places[i].name, base) == 0) {
            base = sites->places[i].text;
            break;
        }
    }
    const char *authority = strstr(base, "://") ? strstr(base, "://") + 3 : base;
    const char *colon = strrchr(authority, ':');
    int alt = colon && strcmp(colon + 1, sites->texts[6]) == 0;
    if (strcmp(actual->server, alt ? "ALT" : "BASE") != 0 || !host || !same_host(authority, host) ||
        (*authority == '[') != (actual->ipv6 && strncmp(host, "[", 1) == 0)) {
        char *title = must_format("%s: server (reached: %s)", what, actual->server);
        report_texts(trial->report, title, authority, host);
        free(title);
    }
}

static void check_exchange(const struct trial *trial, void *user, const json_t *vector,
                           const struct outcome *outcome)
{
    const struct sites *sites = user;
    const json_t *exchange = json_object_get(vector, "exchange");
    struct forbidden forbidden = {.config = json_object_get(vector, "config"),
                                  .secrets = json_object_get(vector, "secrets")};
    size_t count = http_log_count(sites->log), expected = json_array_size(exchange);
    if (count != expected)
        report_problem(trial->report, "requests: expected %zu, actual %zu", expected, count);
    for (size_t i = 0; i < count && i < expected; i++) {
        const json_t *request = json_object_get(json_array_get(exchange, i), "request");
        const struct http_request *actual = http_log_at(sites->log, i);
        char *what = must_format("request %zu", i);
        check_request(trial->report, what, request, actual);
        check_server(trial, sites, what, request, actual);
        check_headers(trial->report, what, request, actual, &forbidden);
        check_common(trial->report, what, &forbidden, actual);
        free(what);
    }
    if (outcome->result && requests_told(outcome->result) != count)
        report_problem(trial->report, "the result tells of %zu requests, the servers got %zu",
                       requests_told(outcome->result), count);
}

void trial_list(struct trial *trial)
{
    struct sites sites = {.log = http_log_new()};
    struct trial_scene scene = {.user = &sites,
                                .places = sites.places,
                                .place_count = 7,
                                .log = sites.log,
                                .prepare = open_answers,
                                .close = close_sites,
                                .check = check_exchange};
    if (open_sites(&sites) == 0)
        trial_play(trial, &scene);
    else
        report_problem(trial->report, "the servers of the vector did not start");
    close_sites(trial, &sites);
    close_answers(&sites.answers);
    for (size_t i = 0; i < 7; i++) free(sites.texts[i]);
    http_log_free(sites.log);
}
