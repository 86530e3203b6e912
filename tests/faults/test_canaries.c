/*
 * test_canaries.c - secrets through every way to fail (R3): they are not in errors, logs, results,
 * previews and the output of the tool, even where the server echoes them, and not in memory afterwards.
 */
#include "canary.h"
#include "http_proxy.h"
#include "memory.h"
#include "real.h"

#include <unistd.h>

static const char *tool; /* the command-line tool; NULL: not built */

/* ---- looking ---------------------------------------------------------------------------------- */

static char doing[256]; /* what is going on, for the message of a failure */
static size_t looks;

static void look(const char *what, const char *text, size_t length)
{
    const char *found = text ? canary_find(text, length) : NULL;
    looks++;
    if (!found) return;
    print_message("%s: %s of a secret in %s: %.*s\n", doing, found, what, (int)length, text);
    fail();
}

static void look_at_error(const struct casehook_error *error)
{
    for (; error; error = casehook_error_next(error)) {
        const char *message = casehook_error_message(error), *field = casehook_error_field(error);
        look("a message", message, strlen(message));
        look("a field", field, strlen(field));
        const char *json = casehook_error_json(error, NULL);
        if (json) look("error_json", json, strlen(json));
    }
}

static void look_at_result(struct casehook_result *result)
{
    size_t length = 0;
    const char *json = casehook_result_json(result, &length);
    look_at_error(casehook_result_error(result));
    look("result_json", json, length);
    for (size_t i = 0; i < casehook_result_request_count(result); i++) {
        json = casehook_result_request_json(result, i, &length);
        look("request_json", json, length);
    }
    casehook_result_free(result);
}

static void on_log(void *user, const struct casehook_log_record *record)
{
    (void)user;
    look("the log", record->message, strlen(record->message));
    if (record->url) look("the log's url", record->url, strlen(record->url));
}

/* ---- connectors ------------------------------------------------------------------------------- */

static struct casehook_settings *settings_new(const char *json)
{
    struct casehook_settings *settings = NULL;
    struct casehook_error *error = NULL;
    assert_int_equal(casehook_settings_new(&canary_allocator, &settings), CASEHOOK_OK);
    assert_int_equal(casehook_settings_set_log(settings, CASEHOOK_LOG_DEBUG, NULL, on_log, NULL),
                     CASEHOOK_OK);
    int status = casehook_settings_load_json(settings, json, CASEHOOK_TERMINATED, &error);
    look_at_error(error);
    casehook_error_free(error);
    if (status == CASEHOOK_OK) return settings;
    casehook_settings_free(settings);
    return NULL;
}

static struct casehook_connector *connector_new(const char *settings_json, const char *document)
{
    struct casehook_connector *connector = NULL;
    struct casehook_error *error = NULL;
    struct casehook_settings *settings = settings_new(settings_json);
    if (!settings) return NULL;
    casehook_connector_new(settings, document, CASEHOOK_TERMINATED, &connector, &error);
    look_at_error(error);
    casehook_error_free(error);
    casehook_settings_free(settings);
    return connector;
}

static void call_all(struct casehook_connector *connector)
{
    static const char params[] = "{\"title\":\"t\",\"externalId\":\"42\",\"comments\":[{\"commentId\":\"c\","
                                 "\"comment\":\"text\"}]}";
    static const int operations[] = {CASEHOOK_CREATE, CASEHOOK_GET, CASEHOOK_UPDATE, CASEHOOK_COMMENT};
    for (size_t i = 0; i < COUNT(operations); i++) {
        struct casehook_result *result = NULL;
        const char *text = operations[i] == CASEHOOK_CREATE ? "{\"title\":\"t\"}" : params;
        casehook_run_json(connector, operations[i], text, CASEHOOK_TERMINATED, NULL, &result);
        look_at_result(result);
        casehook_preview_json(connector, operations[i], text, CASEHOOK_TERMINATED, &result);
        look_at_result(result);
    }
}

#define WITH_ALL (1 << CANARY_PASSWORD | 1 << CANARY_HEADER | 1 << CANARY_CLIENT)

/* Everything that can be secret in one connector: with basic authentication and secret URLs, with a bearer
 * token, with an Authorization among the plain headers, with tokens of a server, a secret query and
 * signatures. */
enum kind { BASIC, BEARER, PLAIN, TOKEN, KINDS };
static const unsigned known[KINDS] = {
    WITH_ALL | 1 << CANARY_PATH, WITH_ALL | 1 << CANARY_BEARER, WITH_ALL | 1 << CANARY_PLAIN,
    1 << CANARY_HEADER | 1 << CANARY_CLIENT | 1 << CANARY_TOKEN | 1 << CANARY_QUERY | 1 << CANARY_SIGNING};

/* Its own members of config and secrets. */
static char *token_document(const char *base, const char *more)
{
    const char *config = text_of("\"hasAuth\":true,\"authType\":\"oauth2\",\"accessTokenUrl\":\"%s/token\","
                                 "\"clientId\":\"c\",\"signature\":{\"header\":\"X-Signature\"}%s%s",
                                 base, more ? "," : "", more ? more : "");
    const char *secrets =
        text_of("\"clientSecret\":%s,\"secretHeaders\":{\"X-Key\":%s},\"secretQuery\":{\"q\":%s},"
                "\"signingKey\":[%s]",
                json_of(canary(CANARY_CLIENT)), json_of(canary(CANARY_HEADER)), json_of(canary(CANARY_QUERY)),
                json_of(canary(CANARY_SIGNING)));
    return document_new(base, config, secrets);
}

static char *document_of(const char *base, enum kind kind, const char *more)
{
    const char *path = kind == BASIC ? canary(CANARY_PATH) : "open", *bearer = "", *special = "";
    if (kind == TOKEN) return token_document(base, more);
    if (kind == BASIC) special = "\"secretUrl\":true,";
    if (kind == PLAIN)
        special = text_of("\"headers\":{\"Authorization\":%s},",
                          json_of(text_of("Token %s", canary(CANARY_PLAIN))));
    if (kind == BEARER)
        bearer = text_of("\"Authorization\":%s,", json_of(text_of("Bearer %s", canary(CANARY_BEARER))));
    const char *config = text_of(
        "%s\"hasAuth\":%s,\"authType\":\"basic\",\"createIncidentUrl\":\"%s/hooks/%s/issue\","
        "\"updateIncidentUrl\":\"%s/hooks/%s/issue/{{{external.system.id}}}\"%s%s",
        special, kind == BASIC ? "true" : "false", base, path, base, path, more ? "," : "", more ? more : "");
    const char *secrets = text_of("\"user\":\"" CANARY_USER
                                  "\",\"password\":%s,\"clientSecret\":%s,\"secretHeaders\":{%s\"X-Key\":%s}",
                                  json_of(canary(CANARY_PASSWORD)), json_of(canary(CANARY_CLIENT)), bearer,
                                  json_of(canary(CANARY_HEADER)));
    return document_new(base, config, secrets);
}

/* ---- a server that echoes ----------------------------------------------------------------------- */

enum place {
    IN_BODY, /* an error of JSON */
    IN_HTML, /* an answer of another type */
    IN_TYPE, /* the content type itself */
    IN_REASON,
    IN_LOCATION,  /* path and query of a redirect */
    IN_HOST,      /* host of a redirect */
    IN_ENCODING,  /* Content-Encoding */
    IN_JSON_END,  /* JSON that breaks off */
    IN_RETRY,     /* Retry-After, WWW-Authenticate */
    IN_LONG_BODY, /* again and again, more than is kept */
    IN_BAD_ID,    /* an id that is too long */
    PLACES
};

struct echo {
    int status;
    enum place place;
    enum form form;
    unsigned known; /* bits of the canaries that the connector has */
    bool gives;     /* a token, when it is asked for one */
};

/* What a server may know of a request: its headers, its target, what is in the login. */
static char *knowledge(const struct http_request *request, enum form form, unsigned secrets)
{
    char *all = must_copy("", 0);
    for (size_t i = 0; i <= request->header_count; i++) {
        const char *piece = i < request->header_count ? request->headers[i].value : request->target;
        if (strncmp(piece, "Basic ", 6) == 0) piece += form == FORM_RAW ? 0 : 6;
        char *formed = canary_form(form, piece), *longer = must_format("%s%s\t", all, formed);
        free(all);
        free(formed);
        all = longer;
    }
    for (size_t i = 0; i < CANARIES; i++) {
        if (!(secrets >> i & 1)) continue;
        char *formed = canary_form(form, canary((enum canary)i)),
             *longer = must_format("%s%s\t", all, formed);
        free(all);
        free(formed);
        all = longer;
    }
    return all;
}

static char *repeated(const char *text)
{
    size_t length = strlen(text), count = 40000 / length + 1;
    char *all = must_alloc(length * count + 1);
    for (size_t i = 0; i < count; i++) memcpy(all + i * length, text, length);
    return all;
}

#define ANSWER "HTTP/1.1 %d %s\r\nContent-Type: %s\r\n%s%s%s\r\n%s"

static char *answer_of(const struct echo *echo, const char *text)
{
    static const char json[] = "application/json";
    const char *location = echo->status / 100 == 3 ? "Location: /elsewhere\r\n" : "";
    char *long_text = NULL, *answer;
    switch (echo->place) {
    case IN_BODY: return must_format(ANSWER, echo->status, "No", json, location, "", "", text);
    case IN_HTML: return must_format(ANSWER, echo->status, "No", "text/html", location, "", "", text);
    case IN_TYPE: return must_format(ANSWER, echo->status, "No", text, location, "", "", "body");
    case IN_REASON: return must_format(ANSWER, echo->status, text, json, location, "", "", "body");
    case IN_LOCATION: return must_format(ANSWER, echo->status, "No", json, "Location: /", text, "\r\n", "");
    case IN_HOST:
        return must_format(ANSWER, echo->status, "No", json, "Location: http://", text, "/\r\n", "");
    case IN_ENCODING:
        return must_format(ANSWER, echo->status, "No", json, "Content-Encoding: ", text, "\r\n", "body");
    case IN_JSON_END: return must_format(ANSWER, echo->status, "No", json, location, "", "", text);
    case IN_RETRY: return must_format(ANSWER, echo->status, "No", json, "Retry-After: ", text, "\r\n", "{}");
    case IN_BAD_ID:
        long_text = repeated("0123456789");
        answer = must_format("HTTP/1.1 %d No\r\nContent-Type: %s\r\n\r\n{\"id\":\"%s%s\"}", echo->status,
                             json, text, long_text);
        break;
    default:
        long_text = repeated(text);
        answer = must_format(ANSWER, echo->status, "No", json, location, "", "", long_text);
        break;
    }
    free(long_text);
    return answer;
}

/* Header values hold no controls; in JSON and bodies they do no harm either. */
static void one_line(char *text)
{
    for (; *text; text++)
        if (*text == '\t') *text = ' ';
}

/* Keeps an answer until the servers are stopped; their threads come one at a time. */
static char *answers[100000];
static size_t answer_count;

static void answer_with(struct http_response *response, char *answer)
{
    if (answer_count == COUNT(answers)) abort();
    response->raw = answers[answer_count++] = answer;
    response->raw_length = strlen(answer);
}

static void forget_answers(void)
{
    while (answer_count) free(answers[--answer_count]);
}

static char *token_answer(const char *more)
{
    return must_format("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"access_token\":\"%s\"%s",
                       canary(CANARY_TOKEN), more);
}

static void echo_answer(void *user, const struct http_request *request, struct http_response *response)
{
    struct echo *echo = user;
    if (echo->gives && strcmp(request->target, "/token") == 0) {
        answer_with(response, token_answer(",\"expires_in\":0}"));
        return;
    }
    char *text = knowledge(request, echo->form, echo->known);
    one_line(text);
    answer_with(response, answer_of(echo, text));
    free(text);
}

static void end_of_memory(void)
{
    assert_int_equal(canary_memory_blocks(), 0);
    assert_int_equal(canary_memory_end(), 0);
}

/* Places, forms, statuses and kinds of authentication, all with all. */
static void echoes(void **state)
{
    (void)state;
    static const int statuses[] = {200, 302, 401, 500, 204};
    struct echo echo;
    struct http_log *log = http_log_new();
    struct http_server *server = http_server_start(log, "echo", NULL, echo_answer, &echo);
    const char *base = text_of("http://127.0.0.1:%u", http_server_port(server));
    for (enum kind kind = BASIC; kind < KINDS; kind++) {
        char *document = document_of(base, kind, NULL);
        struct casehook_connector *connector = connector_new("{\"maxRedirects\":2}", document);
        assert_non_null(connector);
        for (size_t i = 0; i < COUNT(statuses) * PLACES * FORMS; i++) {
            echo = (struct echo){statuses[i % COUNT(statuses)], i / COUNT(statuses) % PLACES,
                                 (enum form)(i / COUNT(statuses) / PLACES), known[kind], i % 3 < 2};
            snprintf(doing, sizeof doing, "kind %d, status %d, place %d, form %s", kind, echo.status,
                     echo.place, canary_form_name(echo.form));
            call_all(connector);
        }
        casehook_connector_unref(connector);
        free(document);
        doing[0] = '\0';
    }
    http_server_stop(server, 5000);
    http_log_free(log);
    forget_answers();
    print_message("%zu texts searched\n", looks);
    end_of_memory();
}

static void given_answer(void *user, const struct http_request *request, struct http_response *response)
{
    char **answer = user;
    (void)request;
    answer_with(response, must_copy(*answer, strlen(*answer)));
}

/* A token that nobody knows yet, in answers that cannot be used. */
static void tokens_that_cannot_be_used(void **state)
{
    (void)state;
    static const char *const ends[] = {"",
                                       "}}",
                                       ",\"token_type\":\"mac\"}",
                                       ",\"error\":\"invalid_client\"",
                                       "\\n\"}",
                                       ",\"access_token\":5}"};
    char *answer = NULL;
    struct http_log *log = http_log_new();
    struct http_server *server = http_server_start(log, "tokens", NULL, given_answer, &answer);
    char *document = document_of(text_of("http://127.0.0.1:%u", http_server_port(server)), TOKEN, NULL);
    for (size_t i = 0; i < COUNT(ends) + 4; i++) {
        struct casehook_connector *connector = connector_new("{}", document);
        snprintf(doing, sizeof doing, "token answer %zu", i);
        if (i < COUNT(ends))
            answer = token_answer(ends[i]);
        else
            answer = must_format("HTTP/1.1 %d No\r\nContent-Type: %s\r\n%s\r\n{\"access_token\":\"%s\"}",
                                 i % 4 == 0 ? 500 : 200, i % 4 == 1 ? "text/html" : "application/json",
                                 i % 4 == 2   ? "Content-Length: 1000\r\n"
                                 : i % 4 == 3 ? "Content-Encoding: br\r\n"
                                              : "",
                                 canary(CANARY_TOKEN));
        call_all(connector);
        casehook_connector_unref(connector);
        free(answer);
    }
    free(document);
    http_server_stop(server, 5000);
    http_log_free(log);
    forget_answers();
    end_of_memory();
}

static void cut_answer(void *user, const struct http_request *request, struct http_response *response)
{
    (void)request;
    answer_with(response, must_format("HTTP/1.1 400 No\r\nContent-Type: application/json\r\n\r\nit was: %s",
                                      (const char *)user));
}

/* Answers that end at every byte of a secret. */
static void answers_that_break_off(void **state)
{
    (void)state;
    char text[512] = "";
    struct http_log *log = http_log_new();
    struct http_server *server = http_server_start(log, "cut", NULL, cut_answer, text);
    char *document = document_of(text_of("http://127.0.0.1:%u", http_server_port(server)), BASIC, NULL);
    struct casehook_connector *connector = connector_new("{}", document);
    assert_non_null(connector);
    for (size_t i = 0; i < (size_t)FORMS * 2; i++) {
        char *formed = canary_form((enum form)(i / 2), canary(i & 1 ? CANARY_PASSWORD : CANARY_HEADER));
        for (size_t length = strlen(formed); length > 0; length--) {
            struct casehook_result *result = NULL;
            snprintf(doing, sizeof doing, "form %s, %zu bytes", canary_form_name((enum form)(i / 2)), length);
            snprintf(text, sizeof text, "%.*s", (int)length, formed);
            casehook_run_json(connector, CASEHOOK_CREATE, "{\"title\":\"t\"}", CASEHOOK_TERMINATED, NULL,
                              &result);
            assert_non_null(strstr(casehook_error_message(casehook_result_error(result)), "it was"));
            look_at_result(result);
        }
        free(formed);
    }
    casehook_connector_unref(connector);
    free(document);
    http_server_stop(server, 5000);
    http_log_free(log);
    forget_answers();
    end_of_memory();
}

/* A host with a client of its own is given the secrets; what it feeds back is masked, and all is wiped. */
static void an_exchange_by_hand(void **state)
{
    (void)state;
    for (enum kind kind = BASIC; kind < KINDS; kind++) {
        char *document = document_of("http://tracker.example", kind, NULL);
        struct casehook_connector *connector = connector_new("{}", document);
        struct casehook_exchange *exchange = NULL;
        struct casehook_http_request request = {.struct_size = sizeof request};
        snprintf(doing, sizeof doing, "exchange %d", kind);
        for (int json = 0; json < 2; json++) {
            static const char params[] = "{\"title\":\"t\"}", type[] = "Content-Type: application/json\n";
            assert_int_equal(casehook_exchange_new_json(connector, CASEHOOK_CREATE, params,
                                                        CASEHOOK_TERMINATED, NULL, &exchange, NULL),
                             CASEHOOK_OK);
            const char *given = json ? casehook_exchange_next_json(exchange, NULL) : NULL;
            if (!json) assert_int_equal(casehook_exchange_next(exchange, &request), 1);
            assert_true(!given || canary_find(given, strlen(given)));
            const char *echo = text_of("no: %s %s", canary(CANARY_HEADER), canary(CANARY_CLIENT));
            casehook_exchange_feed(exchange, 400, type, strlen(type), echo, strlen(echo));
            look_at_result(casehook_exchange_result(exchange));
            casehook_exchange_free(exchange);
        }
        casehook_connector_unref(connector);
        free(document);
    }
    end_of_memory();
}

/* ---- faults of documents ------------------------------------------------------------------------ */

static void check(const char *settings, const char *document)
{
    struct casehook_connector *connector = connector_new(settings, document);
    casehook_connector_unref(connector);
}

/* A document that ends at every byte, and one with a byte that does not belong there. */
static void broken_documents(void **state)
{
    (void)state;
    for (enum kind kind = BASIC; kind < KINDS; kind++) {
        char *document = document_of("http://tracker.example", kind, NULL);
        size_t length = strlen(document);
        for (size_t at = 0; at < length; at++) {
            char byte = document[at];
            snprintf(doing, sizeof doing, "document %d, byte %zu", kind, at);
            document[at] = '\0';
            check("{}", document);
            document[at] = at % 3 == 0 ? '\1' : at % 3 == 1 ? '"' : '[';
            check("{}", document);
            document[at] = byte;
            if (at % 100 == 0) end_of_memory();
        }
        free(document);
    }
    end_of_memory();
}

/* Members of secrets that are wrong in every way, and a URL that holds a login. */
static void wrong_members(void **state)
{
    (void)state;
    static const char *const names[] = {"user",  "password",     "crt",           "key",
                                        "pfx",   "clientSecret", "secretHeaders", "passwd",
                                        "token", "config",       "secretQuery",   "signingKey"};
    static const char *const forms[] = {
        "%s",     "[%s]",          "{\"a\":%s}",          "{\"A b\":%s}",
        "[[%s]]", "{\"Host\":%s}", "{\"x\":%s,\"X\":%s}", "{\"x\":{\"y\":%s}}"};
    static const char *const types[] = {
        "\"hasAuth\":true,\"authType\":\"basic\"", "\"hasAuth\":true,\"authType\":\"ssl\"",
        "\"hasAuth\":false",
        ("\"authType\":\"oauth2\",\"clientId\":\"c\",\"accessTokenUrl\":\"http://h/\","
         "\"signature\":{\"header\":\"X-S\"},\"tokenAuthMethod\":\"private_key_jwt\"")};
    const char *value = json_of(text_of("%s\n", canary(CANARY_PASSWORD))),
               *good = json_of(canary(CANARY_HEADER));
    for (size_t i = 0; i < COUNT(names) * COUNT(forms) * COUNT(types) * 2; i++) {
        const char *form = forms[i / COUNT(names) % COUNT(forms)];
        const char *type = types[i / COUNT(names) / COUNT(forms) % COUNT(types)];
        const char *text = i & 1 ? value : good;
        char member[1024];
        snprintf(doing, sizeof doing, "%s as %s, %s", names[i % COUNT(names)], form, type);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(member, sizeof member, form, text, text);
#pragma GCC diagnostic pop
        char *document = document_new("http://tracker.example", type,
                                      text_of("\"%s\":%s", names[i % COUNT(names)], member));
        check("{}", document);
        free(document);
    }
    end_of_memory();
}

/* URLs with a login that is refused, of the connector and of proxies. */
static void urls_with_a_login(void **state)
{
    (void)state;
    static const char *const urls[] = {"http://" CANARY_USER ":%s@tracker.example/x",
                                       "http://%s@tracker.example",
                                       "http://%s:x@tracker.example",
                                       "socks5://u:%s@proxy.example:1080",
                                       "http://u:%s@",
                                       "http://u:%s@proxy.example:99999",
                                       "u:%s@proxy.example",
                                       "http://u:%s@proxy example",
                                       "http://u:%s@[::1",
                                       "//u:%s@proxy.example",
                                       "http:/u:%s@proxy.example",
                                       "http://u:%s@proxy.example:http",
                                       "http://proxy.example/%s",
                                       "http://u:%s@x@proxy.example"};
    static const char *const fields[] = {"createIncidentUrl", "viewIncidentUrl", "proxyUrl"};
    for (size_t i = 0; i < COUNT(urls) * 2; i++) {
        const char *password = i & 1 ? "kqPROXYPASqk%2FzvPROXYPASvz" : canary(CANARY_PROXY);
        char url[256];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(url, sizeof url, urls[i / 2], password);
#pragma GCC diagnostic pop
        snprintf(doing, sizeof doing, "URL %s", urls[i / 2]);
        for (size_t field = 0; field < COUNT(fields); field++) {
            char *document = document_new("http://tracker.example",
                                          text_of("\"%s\":%s", fields[field], json_of(url)), NULL);
            check("{}", document);
            check("{\"allowConnectorProxy\":true}", document);
            if (field == 2)
                check("{\"allowConnectorProxy\":true,\"allowedHosts\":[\"a.example\"]}", document);
            free(document);
        }
        struct casehook_settings *settings = settings_new(text_of("{\"proxyUrl\":%s}", json_of(url)));
        casehook_settings_free(settings);
    }
    end_of_memory();
}

/* ---- certificates ------------------------------------------------------------------------------- */

static void wrong_certificates(void **state)
{
    (void)state;
    struct certs *certs = certs_new();
    certs_make(certs, &(struct certs_spec){.name = "one"});
    certs_make(certs, &(struct certs_spec){.name = "two"});
    certs_encrypted_key(certs, "one.encrypted", "one", NULL, canary(CANARY_PASSWORD));
    certs_pfx(certs, &(struct certs_pfx_spec){
                         .name = "one.p12", .cert = "one", .passphrase = canary(CANARY_PASSWORD)});
    size_t length;
    const char *pfx = certs_file(certs, "one.p12", &length);
    const char *const keys[] = {"one.key", "one.encrypted", "two.key", "one.crt"};
    const char *const passphrases[] = {canary(CANARY_PASSWORD), canary(CANARY_CLIENT), "", "x\\u0000y"};
    for (size_t i = 0; i < COUNT(keys) * COUNT(passphrases) * 4; i++) {
        const char *password = json_of(passphrases[i / COUNT(keys) % COUNT(passphrases)]), *secrets;
        size_t cut = i / COUNT(keys) / COUNT(passphrases);
        snprintf(doing, sizeof doing, "certificate %zu", i);
        if (i & 1)
            secrets =
                text_of("\"pfx\":%s,\"password\":%s", json_of(base64_of(pfx, length - cut * 100)), password);
        else
            secrets =
                text_of("\"crt\":%s,\"key\":%s,\"password\":%s", json_of(certs_file(certs, "one.crt", NULL)),
                        json_of(certs_file(certs, keys[i % COUNT(keys)], NULL) + cut), password);
        char *document = document_new("https://127.0.0.1:1", WITH_CERTIFICATE, secrets);
        struct casehook_connector *connector = connector_new("{}", document);
        if (connector) call_all(connector);
        casehook_connector_unref(connector);
        free(document);
    }
    certs_free(certs);
    end_of_memory();
}

/* Handshakes with a server that has this certificate, in every mode. */
static void shake_hands(struct certs *certs, const struct certs_spec *spec)
{
    static const char *const modes[] = {"full", "certificate", "none"};
    struct http_log *log = http_log_new();
    certs_make(certs, spec);
    struct http_tls tls = {.certificate = pem_of(certs, text_of("%s.crt", spec->name)),
                           .key = pem_of(certs, text_of("%s.key", spec->name))};
    struct http_server *server = http_server_start(log, "tls", &tls, tracker_answer, NULL);
    for (size_t i = 0; i < COUNT(modes); i++) {
        snprintf(doing, sizeof doing, "certificate %s, mode %s", spec->name, modes[i]);
        char *document = document_of(
            text_of("https://127.0.0.1:%u", http_server_port(server)), BASIC,
            text_of("\"verificationMode\":\"%s\",\"ca\":%s", modes[i], json_of(pem_of(certs, "ca.crt"))));
        struct casehook_connector *connector = connector_new("{}", document);
        assert_non_null(connector);
        call_all(connector);
        casehook_connector_unref(connector);
        free(document);
    }
    http_server_stop(server, 5000);
    http_log_free(log);
}

/* A server whose certificate names a secret; also where names are cut because they are too long. */
static void certificate_that_echoes(void **state)
{
    (void)state;
    static const char letters[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"; /* 60 */
    const char *secret = canary(CANARY_CLIENT), *more = "", *old = "2025-01-01";
    struct certs *certs = certs_new();
    certs_make(certs, &(struct certs_spec){.name = "ca", .ca = true});
    shake_hands(certs, &(struct certs_spec){.name = "short",
                                            .subject = text_of("O=%s, CN=%s", secret, secret),
                                            .not_after = old});
    for (size_t i = 0; i < 8; i++) more = text_of("%s%s", more, letters);
    for (int cut = 16; cut < 28; cut += 3) { /* so many bytes of the secret are before the end */
        const char *names[] = {text_of("DNS:%.*s", 511 - 2 - cut, more), text_of("DNS:%s", secret), NULL};
        shake_hands(certs,
                    &(struct certs_spec){.name = text_of("names%d", cut), .issuer = "ca", .san = names});
        const char *subject = text_of("OU=%s, OU=%s, OU=%s, OU=%.*s, CN=%s", letters, letters, letters,
                                      255 - 3 * 65 - 3 - 5 - cut, letters, secret);
        shake_hands(certs, &(struct certs_spec){
                               .name = text_of("subject%d", cut), .subject = subject, .not_after = old});
    }
    certs_free(certs);
    end_of_memory();
}

/* ---- proxies ------------------------------------------------------------------------------------ */

static void proxy_answer(void *user, const struct http_request *request, struct http_response *response)
{
    enum form form = *(enum form *)user;
    char *text = knowledge(request, form, known[BASIC] | 1 << CANARY_PROXY);
    one_line(text);
    answer_with(response,
                must_format("HTTP/1.1 407 %s\r\nProxy-Authenticate: %s\r\nContent-Type: %s\r\n\r\n%s", text,
                            text, text, text));
    free(text);
}

/* A proxy that refuses and echoes, for http and https targets; none at all; its login in two places. */
static void proxies_that_echo(void **state)
{
    (void)state;
    enum form form = FORM_RAW;
    struct http_log *log = http_log_new();
    struct http_server *server = http_server_start(log, "proxy", NULL, proxy_answer, &form);
    const char *login = json_of(text_of("Digest %s", canary(CANARY_PROXY)));
    char *password = canary_form(FORM_PERCENT, canary(CANARY_PROXY));
    for (size_t i = 0; i < FORMS * 4; i++) {
        form = (enum form)(i / 4);
        unsigned port = i % 5 == 4 ? 1 : http_server_port(server);
        snprintf(doing, sizeof doing, "proxy %zu, form %s", i, canary_form_name(form));
        const char *settings =
            i & 1
                ? text_of("{\"proxyUrl\":\"http://" CANARY_USER ":%s@127.0.0.1:%u\"}", password, port)
                : text_of(
                      "{\"proxyUrl\":\"http://127.0.0.1:%u\",\"proxyHeaders\":{\"Proxy-Authorization\":%s}}",
                      port, login);
        char *document =
            document_of(i & 2 ? "https://tracker.example" : "http://tracker.example", BASIC, NULL);
        struct casehook_connector *connector = connector_new(settings, document);
        assert_non_null(connector);
        call_all(connector);
        casehook_connector_unref(connector);
        free(document);
    }
    free(password);
    http_server_stop(server, 5000);
    http_log_free(log);
    forget_answers();
    end_of_memory();
}

/* ---- limits ------------------------------------------------------------------------------------- */

static void limits_and_time(void **state)
{
    (void)state;
    static const char *const settings[] = {"{\"maxResponseContentLength\":300}", "{\"responseTimeout\":1}",
                                           "{\"maxRedirects\":0}", "{\"allowedHosts\":[\"127.0.0.1\"]}"};
    static const enum place places[] = {IN_LONG_BODY, IN_BODY, IN_LOCATION, IN_HOST};
    struct echo echo;
    struct http_log *log = http_log_new();
    struct http_server *server = http_server_start(log, "echo", NULL, echo_answer, &echo);
    const char *base = text_of("http://127.0.0.1:%u", http_server_port(server));
    for (size_t i = 0; i < COUNT(settings) * FORMS; i++) {
        size_t limit = i % COUNT(settings);
        echo = (struct echo){limit >= 2 ? 302 : 200, places[limit], (enum form)(i / COUNT(settings)),
                             known[BASIC], false};
        snprintf(doing, sizeof doing, "settings %s, form %s", settings[limit], canary_form_name(echo.form));
        char *document = document_of(base, BASIC, NULL);
        struct casehook_connector *connector = connector_new(settings[limit], document);
        assert_non_null(connector);
        call_all(connector);
        casehook_connector_unref(connector);
        free(document);
    }
    http_server_stop(server, 5000);
    http_log_free(log);
    forget_answers();
    end_of_memory();
}

/* ---- the tool ----------------------------------------------------------------------------------- */

static void run_tool(const char *arguments)
{
    static char output[1 << 20];
    FILE *pipe = popen(text_of("%s %s 2>&1", tool, arguments), "r");
    assert_non_null(pipe);
    size_t length = fread(output, 1, sizeof output, pipe);
    pclose(pipe);
    assert_true(length > 0);
    snprintf(doing, sizeof doing, "casehook %s", arguments);
    look("the output of the tool", output, length);
}

static void output_of_the_tool(void **state)
{
    (void)state;
    static const char *const commands[] = {"check",
                                           "preview",
                                           "create --title t",
                                           "get 42",
                                           "update 42 --title t",
                                           "comment 42 --comment c",
                                           "push --title t --comment c"};
    static const char *const flags[] = {"", "--json", "--verbose", "--json --verbose"};
    if (!tool) {
        print_message("SKIP: the path of the tool was not given\n");
        skip();
    }
    struct echo echo;
    struct http_log *log = http_log_new();
    struct http_server *server = http_server_start(log, "echo", NULL, echo_answer, &echo);
    struct folder *folder = folder_new();
    for (size_t i = 0; i < PLACES * COUNT(commands) * COUNT(flags); i++) {
        enum kind kind = (enum kind)(i % KINDS);
        enum place place = (enum place)(i % PLACES);
        echo = (struct echo){place == IN_LOCATION ? 302
                             : i & 1              ? 200
                                                  : 400,
                             place, (enum form)(i % FORMS), known[kind], true};
        char *document = document_of(text_of("http://127.0.0.1:%u", http_server_port(server)), kind, NULL);
        const char *path = folder_write(folder, "connector.json", document);
        if (i % 17 == 0) path = folder_write(folder, "broken.json", document + 1);
        run_tool(text_of("%s --connector %s %s", commands[i / PLACES % COUNT(commands)], path,
                         flags[i / PLACES / COUNT(commands)]));
        free(document);
    }
    folder_free(folder);
    http_server_stop(server, 5000);
    http_log_free(log);
    forget_answers();
}

int main(int argc, char **argv)
{
    tool = argc > 1 ? argv[1] : NULL;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_documents),
        cmocka_unit_test(wrong_members),
        cmocka_unit_test(urls_with_a_login),
        cmocka_unit_test(wrong_certificates),
        cmocka_unit_test(certificate_that_echoes),
        cmocka_unit_test(proxies_that_echo),
        cmocka_unit_test(limits_and_time),
        cmocka_unit_test(output_of_the_tool),
        cmocka_unit_test(tokens_that_cannot_be_used),
        cmocka_unit_test(answers_that_break_off),
        cmocka_unit_test(an_exchange_by_hand),
        cmocka_unit_test(echoes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
