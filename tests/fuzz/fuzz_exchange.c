/*
 * fuzz_exchange.c - a host that answers an operation with anything: the public exchange alone.
 *
 * Input: a byte (operation, connector, form of the requests), the params as JSON (empty: usual ones), 0xFF,
 * and then for each request a byte (what is done, with which status), the headers of the answer (empty: those
 * of JSON), 0xFF, its body, 0xFF.  Bytes from 0xF8 to 0xFE stand for words that matter: secrets, origins.
 *
 * Of each request: where it may go, and what of the configuration goes along.  Of the result: it says one
 * thing (outcome, error, id, states of comments), is JSON, and holds no secret where the server's words are
 * shown.
 */
#include "fuzz.h"

#include <casehook.h>

#include <jansson.h>

#include <stdbool.h>
#include <strings.h>

#define COUNT(array)  (sizeof(array) / sizeof *(array))
#define SEPARATOR     0xFF
#define WORDS         0xF8
#define REDIRECTS_MAX 21 /* what maxRedirects may be at most */

/* ---- connectors ------------------------------------------------------------------------------------- */

#define PASSWORD     "S3cr3t~Pass"
#define TOKEN        "ZGVtbzpTM2NyM3R-UGFzcw" /* "demo:" and the password, as base64 of URLs without padding */
#define HEADER_VALUE "k3y<&>\"val"
#define PLAIN_VALUE  "plainsecretvalue"
#define PROXY_LOGIN  "proxypw99"

/* Bytes of the input that stand for more. */
static const char *const words[] = {PASSWORD,
                                    "ZGVtbzpTM2NyM3R+UGFzcw==",
                                    HEADER_VALUE,
                                    PLAIN_VALUE,
                                    PROXY_LOGIN,
                                    "Location: https://t.example/",
                                    "{\"a\":{\"id\":\"I-1\"},\"key\":\"K 1\"}"};
static const char *const secrets[] = {PASSWORD, TOKEN, HEADER_VALUE, PLAIN_VALUE, PROXY_LOGIN};

#define BODY "{\\\"t\\\":{{case.title}},\\\"d\\\":\\\"x {{case.description}}\\\""
#define DOCUMENT(base, more)                                                                                 \
    "{\"config\":{\"createIncidentUrl\":\"" base "/c?s={{case.severity}}\",\"createIncidentJson\":\"" BODY   \
    ",{{#case.fields.a}}\\\"a\\\":{{.}},{{/"                                                                 \
    "case.fields.a}}\\\"l\\\":[{{#case.tags}}{\\\"n\\\":{{.}}}{{^@last}}"                                    \
    ",{{/@last}}{{/case.tags}}],\\\"k{{case.id}}\\\":{{case.fields.b}}}\",\"createIncidentResponseKey\":"    \
    "\"a.id\",\"createResponseFields\":{\"x\":\"x[0]\",\"y\":\"y\"},\"getResponseFields\":{\"z\":\"z\"},"    \
    "\"getIncidentUrl\":\"" base                                                                             \
    "/c/{{external.system.id}}\",\"getIncidentResponseExternalTitleKey\":\"key\","                           \
    "\"viewIncidentUrl\":\"" base "/v/{{external.system.id}}/{{external.system.title}}#f\","                 \
    "\"updateIncidentUrl\":\"" base "/c/{{external.system.id}}\",\"updateIncidentJson\":\"" BODY "}\","      \
    "\"createCommentUrl\":\"" base "/c/{{external.system.id}}/m\",\"createCommentJson\":"                    \
    "\"{\\\"c\\\":{{case.comment}},\\\"i\\\":{{external.system.id}}}\",\"headers\":{\"X-A\":\"plain\"}" more \
    "},"                                                                                                     \
    "\"secrets\":{\"user\":\"demo\",\"password\":\"" PASSWORD                                                \
    "\",\"secretHeaders\":{\"X-K\":\"k3y<&>\\\"val\","                                                       \
    "\"X-L\":\"" PLAIN_VALUE "\"}}}"
#define ANY                                                                                              \
    ",\"createIncidentResponseType\":\"any\",\"getIncidentResponseType\":\"any\",\"getIncidentMethod\":" \
    "\"post\","                                                                                          \
    "\"updateIncidentResponseType\":\"any\",\"createCommentResponseType\":\"any\",\"secretUrl\":true,"   \
    "\"getIncidentJson\":\"{\\\"i\\\":{{external.system.id}}}\""

static const struct kind {
    const char *origin, *document, *settings;
} kinds[] = {
    {"https://t.example/", DOCUMENT("https://t.example", ""), "{}"},
    {"https://t.example/", DOCUMENT("https://t.example", ""),
     "{\"denyPrivateAddresses\":true,\"allowedHosts\":[\"t.example\",\"*.t.example\",\"other.example:8443\"],"
     "\"maxRedirects\":3,\"maxResponseContentLength\":200,\"proxyUrl\":\"http://u:" PROXY_LOGIN
     "@p.example:3128\"}"},
    {"http://t.example:8080/", DOCUMENT("http://t.example:8080", ANY), "{}"}};

static struct casehook_connector *connectors[COUNT(kinds)];

/* The last secret is the proxy's, which one of them has. */
static void check_line(const struct kind *kind, const char *line)
{
    size_t count = kind == &kinds[1] ? COUNT(secrets) : COUNT(secrets) - 1;
    CHECK(*line);
    for (const char *c = line; *c; c++) CHECK((unsigned char)*c >= 0x20 && *c != 0x7F);
    for (size_t i = 0; i < count; i++) {
        if (strstr(line, secrets[i])) fprintf(stderr, "\"%s\" is in \"%s\"\n", secrets[i], line);
        CHECK(!strstr(line, secrets[i]));
    }
    json_t *text = json_string(line); /* NULL: no UTF-8 */
    CHECK(text);
    json_decref(text);
}

static void check_log(void *user, const struct casehook_log_record *record)
{
    CHECK(record->level >= CASEHOOK_LOG_ERROR && record->level <= CASEHOOK_LOG_DEBUG);
    /* What is wrong with the params is said in the caller's own words. */
    if (record->step != CASEHOOK_STEP_PARAMS) check_line(user, record->message);
    if (record->url) check_line(user, record->url);
}

/* Once: they stay for the next inputs, and for the end. */
static void make_connectors(void)
{
    for (size_t i = 0; i < COUNT(kinds) && !connectors[i]; i++) {
        struct casehook_settings *settings = NULL;
        struct casehook_error *error = NULL;
        CHECK(casehook_settings_new(NULL, &settings) == CASEHOOK_OK);
        CHECK(casehook_settings_set_log(settings, CASEHOOK_LOG_DEBUG, (void *)(uintptr_t)&kinds[i], check_log,
                                        NULL) == CASEHOOK_OK);
        CHECK(casehook_settings_load_json(settings, kinds[i].settings, CASEHOOK_TERMINATED, &error) ==
              CASEHOOK_OK);
        if (casehook_connector_new(settings, kinds[i].document, CASEHOOK_TERMINATED, &connectors[i], &error))
            fprintf(stderr, "%s: %s\n", casehook_error_field(error), casehook_error_message(error));
        CHECK(connectors[i]);
        casehook_settings_free(settings);
    }
}

/* ---- input ------------------------------------------------------------------------------------------ */

struct answers {
    const uint8_t *at, *end;
};

static unsigned next_byte(struct answers *answers)
{
    return answers->at < answers->end ? *answers->at++ : 0;
}

struct piece {
    char *data; /* of exactly its size, so that a memory checker sees what is read behind it or later */
    size_t length;
};

static const char *word_of(uint8_t byte)
{
    return byte >= WORDS && byte - WORDS < (int)COUNT(words) ? words[byte - WORDS] : NULL;
}

/* Up to the next separator; usual stands for nothing. */
static struct piece next_piece(struct answers *answers, const char *usual)
{
    struct piece piece = {NULL, 0};
    const uint8_t *begin = answers->at, *end = begin;
    while (end < answers->end && *end != SEPARATOR) {
        const char *word = word_of(*end++);
        piece.length += word ? strlen(word) : 1;
    }
    answers->at = end < answers->end ? end + 1 : end;
    if (piece.length == 0) piece.length = strlen(usual);
    piece.data = malloc(piece.length ? piece.length : 1);
    CHECK(piece.data);
    if (begin == end) memcpy(piece.data, usual, piece.length);
    for (char *to = piece.data; begin < end; begin++) {
        const char *word = word_of(*begin);
        size_t length = word ? strlen(word) : 1;
        memcpy(to, word ? word : (const char *)begin, length);
        to += length;
    }
    return piece;
}

/* ---- what is expected ------------------------------------------------------------------------------- */

struct run {
    struct casehook_exchange *exchange;
    const struct kind *kind;
    int operation;
    bool as_json;              /* how requests are asked for */
    bool readable;             /* the params, by jansson too */
    size_t comments, requests; /* at most so many, where they are not */
    char *id;                  /* that the result must have; NULL: nobody knows */
    size_t id_length;
    bool follows;      /* the request comes of a redirect */
    bool away;         /* and one of them led to another origin */
    char step[16];     /* of the last request */
    bool plain_answer; /* the last answer had the usual headers */
};

static void expect_id(struct run *run, const json_t *id)
{
    size_t length = json_string_length(id);
    if (length == 0 || length > 1024 || run->id) return;
    run->id = exact_copy(json_string_value(id), length);
    run->id_length = length;
}

static json_t *load(const char *text, size_t length)
{
    return json_loadb(text, length, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
}

/* What the params say, which the result says too once they were taken. */
static void expect_of_params(struct run *run, const struct piece *params)
{
    json_t *root = load(params->data, params->length);
    const json_t *incident = json_object_get(root, "incident");
    run->readable = root != NULL;
    run->comments = root ? json_array_size(json_object_get(root, "comments")) : params->length;
    if (run->operation == CASEHOOK_GET) run->comments = 0; /* which ignores them */
    if (run->operation != CASEHOOK_CREATE)
        expect_id(run, json_object_get(json_is_object(incident) ? incident : root, "externalId"));
    json_decref(root);
}

/* What came of an answer, with what may have been missing of it; NULL: who knows. */
static json_t *complete(const struct piece *body)
{
    static const char *const ends[] = {"", "}", "}}", "\":0}", ":0}", "0}"};
    json_t *root = NULL;
    char text[256];
    for (size_t i = 0; i < COUNT(ends) && !root; i++) {
        size_t length = strlen(ends[i]);
        if (body->length + length > sizeof text) break;
        memcpy(text, body->data, body->length);
        memcpy(text + body->length, ends[i], length);
        root = load(text, body->length + length);
    }
    return root;
}

/* The id in the answer to a create, where there can be no doubt of it. */
static void expect_of_answer(struct run *run, int status, const struct piece *body, bool partial)
{
    if (strcmp(run->step, "create") != 0 || status < 200 || status > 299 || !run->plain_answer) return;
    if (body->length > 200) return; /* maxResponseContentLength of one of the connectors */
    json_t *root = partial ? complete(body) : load(body->data, body->length);
    const json_t *id = json_object_get(json_object_get(root, "a"), "id");
    const char *text = json_string_value(id);
    bool dots = text && (strcmp(text, ".") == 0 || strcmp(text, "..") == 0);
    bool last = body->length && body->data[body->length - 1] == '"'; /* nothing says that it is whole */
    if (!json_object_get(root, "a.id") && !(partial && (dots || last))) expect_id(run, id);
    json_decref(root);
}

/* ---- requests --------------------------------------------------------------------------------------- */

/* Other parsers have limits that are none of JSON's. */
static void check_json(const char *text, size_t length)
{
    json_error_t error;
    json_t *json = json_loadb(text, length, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (!json)
        CHECK(json_error_code(&error) == json_error_numeric_overflow ||
              json_error_code(&error) == json_error_null_byte_in_key);
    json_decref(json);
}

static bool is_configured(const char *name)
{
    static const char *const names[] = {"Authorization", "X-A", "X-K", "X-L"};
    for (size_t i = 0; i < COUNT(names); i++)
        if (strcasecmp(name, names[i]) == 0) return true;
    return false;
}

static void check_url(const struct run *run, const char *url)
{
    for (const char *c = url; *c; c++)
        CHECK((unsigned char)*c > 0x20 && (unsigned char)*c < 0x7F && *c != '\\');
    CHECK(!strchr(url, '#'));
    CHECK(strncmp(url, "https://", 8) == 0 || run->kind == &kinds[2]);
    if (run->kind != &kinds[1]) return; /* allowedHosts */
    size_t host = strcspn(url + 8, "/?");
    bool sub = host > 10 && memcmp(url + 8 + host - 10, ".t.example", 10) == 0;
    bool named =
        strncmp(url + 8, "t.example", host) == 0 || strncmp(url + 8, "other.example:8443", host) == 0;
    CHECK(named || sub || strstr(url + 8, "t.example:"));
}

static void check_request(struct run *run, const struct casehook_http_request *request)
{
    bool body = request->body != NULL,
         home = strncmp(request->url, run->kind->origin, strlen(run->kind->origin)) == 0;
    check_url(run, request->url);
    run->away = run->follows && (run->away || !home);
    CHECK(run->follows || home);
    CHECK(request->header_size == sizeof *request->headers);
    for (size_t i = 0; i < request->header_count; i++) {
        const struct casehook_http_header *header = &request->headers[i];
        CHECK(!run->away || !is_configured(header->name));
        CHECK(!strpbrk(header->name, "\r\n: ") && !strpbrk(header->value, "\r\n"));
        CHECK(strcasecmp(header->name, "Content-Type") != 0 || body);
    }
    CHECK(body == (strcmp(request->method, "GET") != 0));
    CHECK(!body || home); /* another origin gets no body */
    if (body) check_json(request->body, request->body_length);
    CHECK((request->proxy_url != NULL) == (run->kind == &kinds[1]));
    CHECK(request->timeout_ms && request->max_body_bytes);
    snprintf(run->step, sizeof run->step, "%s", casehook_step_name(request->step));
}

static void check_request_json(struct run *run, const char *text, size_t length)
{
    json_t *json = load(text, length);
    const char *url = json_string_value(json_object_get(json, "url"));
    const char *step = json_string_value(json_object_get(json, "step"));
    CHECK(url && step && json_is_object(json_object_get(json, "headers")));
    check_url(run, url);
    snprintf(run->step, sizeof run->step, "%s", step);
    json_decref(json);
}

/* False: the operation has ended. */
static bool next_request(struct run *run)
{
    struct casehook_http_request request = {.struct_size = sizeof request};
    if (run->as_json) {
        size_t length;
        const char *text = casehook_exchange_next_json(run->exchange, &length);
        if (!text) return false;
        check_request_json(run, text, length);
        CHECK(!casehook_exchange_next_json(run->exchange, NULL));
    } else {
        int status = casehook_exchange_next(run->exchange, &request);
        CHECK(status == 0 || status == 1);
        if (!status) return false;
        check_request(run, &request);
    }
    CHECK(casehook_exchange_next(run->exchange, &request) == CASEHOOK_E_ARGUMENT);
    run->requests++;
    CHECK(run->requests <= (2 + run->comments) * (1 + REDIRECTS_MAX));
    return true;
}

/* ---- answers ---------------------------------------------------------------------------------------- */

static void answer(struct run *run, struct answers *answers)
{
    static const int statuses[] = {200, 201, 204, 301, 302, 303, 307, 308, 300, 304, 400,
                                   401, 408, 429, 500, 502, 503, 504, 299, 100, 999, 404};
    static const int failures[] = {CASEHOOK_E_RESOLVE, CASEHOOK_E_CONNECT, CASEHOOK_E_PROXY,
                                   CASEHOOK_E_TLS,     CASEHOOK_E_TIMEOUT, CASEHOOK_E_CANCELLED,
                                   CASEHOOK_E_NETWORK, CASEHOOK_E_CONFIG};
    unsigned how = next_byte(answers);
    int status = statuses[how / 4 % COUNT(statuses)], failure = failures[how / 4 % COUNT(failures)], given;
    bool failed = how % 4 == 3, partial = how % 4 == 2;
    bool plain = answers->at == answers->end || *answers->at == SEPARATOR;
    struct piece headers = next_piece(answers, "Content-Type: application/json\r\n");
    struct piece body = next_piece(answers, "");
    run->plain_answer = plain;
    if (!failed) expect_of_answer(run, status, &body, partial);
    if (failed) {
        given = casehook_exchange_fail(run->exchange, failure, how / 4 % 3 != 0, how & 128 ? PASSWORD : NULL);
        CHECK(given == (failure == CASEHOOK_E_CONFIG ? CASEHOOK_E_ARGUMENT : CASEHOOK_OK));
    } else if (partial) {
        if (failure == CASEHOOK_E_CONFIG) failure = CASEHOOK_E_NETWORK;
        given = casehook_exchange_feed_partial(run->exchange, status, headers.data, headers.length, body.data,
                                               body.length, failure, how & 128 ? PASSWORD : NULL);
        CHECK(given == (status < 200 ? CASEHOOK_E_ARGUMENT : CASEHOOK_OK));
    } else {
        given = casehook_exchange_feed(run->exchange, status, headers.data, headers.length, body.data,
                                       body.length);
        CHECK(given == (status < 200 ? CASEHOOK_E_ARGUMENT : CASEHOOK_OK));
    }
    if (given) /* it still waits */
        CHECK(casehook_exchange_feed(run->exchange, 400, "", 0, "", 0) == CASEHOOK_OK);
    CHECK(casehook_exchange_feed(run->exchange, 200, "", 0, "", 0) == CASEHOOK_E_ARGUMENT);
    run->follows = !given && !failed && status >= 300 && status <= 399;
    free(headers.data);
    free(body.data);
}

/* ---- result ----------------------------------------------------------------------------------------- */

/* Those that were sent come first, then perhaps one that failed; the rest was not attempted. */
static void check_comments(const struct run *run, const struct casehook_result *result, bool ok)
{
    bool over = false;
    size_t count = casehook_result_comment_count(result);
    if (run->requests) CHECK(run->readable ? count == run->comments : count <= run->comments);
    for (size_t i = 0; i < count; i++) {
        int state = casehook_result_comment_state(result, i);
        CHECK(casehook_result_comment_id(result, i, NULL));
        if (state == CASEHOOK_COMMENT_SKIPPED) continue;
        CHECK(!over || state == CASEHOOK_COMMENT_NOT_ATTEMPTED);
        CHECK(!ok || state == CASEHOOK_COMMENT_SENT || run->operation < CASEHOOK_COMMENT);
        over = over || state != CASEHOOK_COMMENT_SENT;
    }
}

static bool some_comment_sent(const struct casehook_result *result)
{
    for (size_t i = 0; i < casehook_result_comment_count(result); i++)
        if (casehook_result_comment_state(result, i) == CASEHOOK_COMMENT_SENT) return true;
    return false;
}

static void check_error(const struct run *run, const struct casehook_result *result,
                        const struct casehook_error *error)
{
    int step = casehook_error_step(error), outcome = casehook_error_outcome(error),
        http = casehook_error_http_status(error);
    bool retryable = casehook_error_retryable(error) != 0, writes_new = false;
    CHECK(strcmp(casehook_status_name(casehook_error_status(error)), "unknown") != 0);
    if (step != CASEHOOK_STEP_PARAMS) check_line(run->kind, casehook_error_message(error));
    CHECK(step >= CASEHOOK_STEP_CONFIG && step <= CASEHOOK_STEP_VIEW_URL);
    CHECK(outcome >= CASEHOOK_OUTCOME_NONE && outcome <= CASEHOOK_OUTCOME_UNKNOWN);
    CHECK(outcome != CASEHOOK_OUTCOME_DONE);
    CHECK(http == 0 || (http >= 100 && http <= 999));
    CHECK(casehook_error_retry_after_ms(error) >= -1);
    writes_new = step == CASEHOOK_STEP_CREATE || step == CASEHOOK_STEP_COMMENT;
    CHECK(!(retryable && outcome == CASEHOOK_OUTCOME_UNKNOWN && writes_new));
    CHECK(!(retryable && some_comment_sent(result)));
    CHECK(!(retryable && run->operation == CASEHOOK_CREATE && casehook_result_id(result, NULL)));
    CHECK(!casehook_error_next(error));
}

/* What was sent, as it is told: no secret, and the last one is what the error is about. */
static void check_exchanges(const struct run *run, struct casehook_result *result, bool ok)
{
    size_t count = casehook_result_request_count(result), length;
    /* One that was never asked for is told of when the host gives up. */
    CHECK(count == run->requests || (!ok && count == run->requests + 1));
    CHECK(!casehook_result_request_json(result, count, NULL));
    for (size_t i = 0; i < count; i++) {
        const char *text = casehook_result_request_json(result, i, &length);
        CHECK(text && strlen(text) == length);
        check_line(run->kind, text);
        json_t *json = load(text, length);
        const char *outcome = json_string_value(json_object_get(json, "outcome"));
        CHECK(outcome && strcmp(outcome, "none") != 0);
        CHECK(!(ok && i + 1 == count) || strcmp(outcome, "done") == 0);
        json_decref(json);
    }
}

static void check_result_json(struct casehook_result *result, const struct casehook_error *error)
{
    size_t length, id_length;
    const char *text = casehook_result_json(result, &length), *id = casehook_result_id(result, &id_length);
    CHECK(text && strlen(text) == length);
    check_json(text, length);
    json_t *json = load(text, length);
    if (!json) return;
    const json_t *fault = json_object_get(json, "error"), *said = json_object_get(json, "id");
    CHECK(json_is_true(json_object_get(json, "ok")) == !error);
    CHECK(error ? json_is_object(fault) : json_is_null(fault));
    if (error)
        CHECK(strcmp(json_string_value(json_object_get(fault, "message")), casehook_error_message(error)) ==
              0);
    CHECK(id ? json_string_length(said) == id_length && memcmp(json_string_value(said), id, id_length) == 0
             : json_is_null(said));
    CHECK(json_array_size(json_object_get(json, "requests")) == casehook_result_request_count(result));
    json_decref(json);
}

static void check_result(const struct run *run, struct casehook_result *result)
{
    const struct casehook_error *error = casehook_result_error(result);
    size_t length;
    const char *id = casehook_result_id(result, &length);
    bool writes = run->operation != CASEHOOK_GET && run->operation != CASEHOOK_COMMENT;
    CHECK(!error == (casehook_error_status(error) == CASEHOOK_OK));
    if (run->id && run->requests) CHECK(id && length == run->id_length && memcmp(id, run->id, length) == 0);
    if (strcmp(run->step, "create") != 0) CHECK(!run->requests || id);
    if (error) check_error(run, result, error);
    if (!error) {
        CHECK(run->requests && id);
        CHECK(!writes || (casehook_result_pushed_date(result) && casehook_result_url(result, NULL)));
        CHECK(run->operation == CASEHOOK_COMMENT || casehook_result_title(result, NULL));
    }
    CHECK(!casehook_result_pushed_date(result) || casehook_result_title(result, NULL));
    check_comments(run, result, !error);
    check_exchanges(run, result, !error);
    check_result_json(result, error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char usual[] =
        "{\"title\":\"T\",\"externalId\":\"7\",\"tags\":[\"a\",\"b\"],\"fields\":{\"a\":1},"
        "\"comments\":[{\"commentId\":\"1\",\"comment\":\"c\"}]}";
    struct answers answers = {data, data + size};
    unsigned first = next_byte(&answers);
    struct run run = {.operation = CASEHOOK_CREATE + (int)(first % 5),
                      .kind = &kinds[first / 8 % COUNT(kinds)],
                      .as_json = first / 64 % 2};
    struct piece params = next_piece(&answers, usual);
    make_connectors();
    expect_of_params(&run, &params);
    int status = casehook_exchange_new_json(connectors[run.kind - kinds], run.operation, params.data,
                                            params.length, NULL, &run.exchange, NULL);
    free(params.data);
    CHECK(status == CASEHOOK_OK);
    while (answers.at < answers.end && next_request(&run)) answer(&run, &answers);
    struct casehook_result *result = casehook_exchange_result(run.exchange);
    CHECK(result && !casehook_exchange_result(run.exchange));
    check_result(&run, result);
    casehook_exchange_free(run.exchange);
    casehook_result_free(result);
    free(run.id);
    return 0;
}
