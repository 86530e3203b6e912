/*
 * test_bytes.c - CR, LF, NUL and colon in every header, URL, method and login: refused when the connector is
 * made, or harmless: one request with the lines it should have.
 */
#include "http_proxy.h"
#include "real.h"

static struct http_log *http;
static struct http_server *server;
static struct http_proxy *proxy;
static const char *base;

static int start(void **state)
{
    (void)state;
    http = http_log_new();
    server = http_server_start(http, "tracker", NULL, tracker_answer, NULL);
    proxy = http_proxy_start(http, "proxy", NULL, HTTP_PROXY_PASS);
    if (!server || !proxy) return -1;
    base = text_of("http://127.0.0.1:%u", http_server_port(server));
    return 0;
}

static int stop(void **state)
{
    (void)state;
    http_proxy_stop(proxy, 5000);
    http_server_stop(server, 5000);
    http_log_free(http);
    return 0;
}

/* What is put in, as JSON has it.  After each one stands what would be a header of its own. */
static const struct {
    const char *name, *text;
} breaks[] = {
    {"CR", "\\rInjected: 1"},
    {"LF", "\\nInjected: 1"},
    {"CR LF", "\\r\\nInjected: 1"},
    {"NUL", "\\u0000Injected: 1"},
    {"LF, CR", "\\n\\rInjected: 1"},
    {"folded", "\\r\\n Injected: 1"},
    {"two lines", "\\r\\n\\r\\nGET /injected HTTP/1.1\\r\\nInjected: 1\\r\\n\\r\\n"},
};

enum part { CONFIG, SECRETS, SETTINGS };

/* A member of the document with a place for the text, "@"; BASE and PROXY are the servers' URLs. */
static const struct place {
    const char *name;
    enum part part;
    const char *json;
    const char *config; /* what goes along */
    int operation;
    int colon; /* what a colon there means: 1 it is sent, 0 it is refused */
} places[] = {
    {"header name", CONFIG, "\"headers\":{\"X@Own\":\"v\"}", NULL, CASEHOOK_CREATE, 0},
    {"header value", CONFIG, "\"headers\":{\"X-Own\":\"v@v\"}", NULL, CASEHOOK_CREATE, 1},
    {"header value's begin", CONFIG, "\"headers\":{\"X-Own\":\"@v\"}", NULL, CASEHOOK_CREATE, 1},
    {"header value's end", CONFIG, "\"headers\":{\"X-Own\":\"v@\"}", NULL, CASEHOOK_CREATE, 1},
    {"content type", CONFIG, "\"headers\":{\"Content-Type\":\"application/json@\"}", NULL, CASEHOOK_CREATE,
     1},
    {"secret header name", SECRETS, "\"secretHeaders\":{\"X@Own\":\"v\"}", NULL, CASEHOOK_CREATE, 0},
    {"secret header value", SECRETS, "\"secretHeaders\":{\"X-Own\":\"v@v\"}", NULL, CASEHOOK_CREATE, 1},
    {"secret Authorization", SECRETS, "\"secretHeaders\":{\"Authorization\":\"Bearer v@v\"}", NULL,
     CASEHOOK_CREATE, 1},
    {"user", SECRETS, "\"user\":\"u@u\",\"password\":\"p\"", "\"hasAuth\":true", CASEHOOK_CREATE, 0},
    {"password", SECRETS, "\"user\":\"u\",\"password\":\"p@p\"", "\"hasAuth\":true", CASEHOOK_CREATE, 1},
    {"create URL, scheme", CONFIG, "\"createIncidentUrl\":\"http@://127.0.0.1:PORT/issue\"", NULL,
     CASEHOOK_CREATE, 0},
    {"create URL, host", CONFIG, "\"createIncidentUrl\":\"http://127.0.0.1@:PORT/issue\"", NULL,
     CASEHOOK_CREATE, 0},
    {"create URL, port", CONFIG, "\"createIncidentUrl\":\"http://127.0.0.1:PORT@/issue\"", NULL,
     CASEHOOK_CREATE, 0},
    {"create URL, path", CONFIG, "\"createIncidentUrl\":\"BASE/issue@x\"", NULL, CASEHOOK_CREATE, 1},
    {"create URL, query", CONFIG, "\"createIncidentUrl\":\"BASE/issue?a=b@x\"", NULL, CASEHOOK_CREATE, 1},
    {"create URL, fragment", CONFIG, "\"createIncidentUrl\":\"BASE/issue#a@x\"", NULL, CASEHOOK_CREATE, 1},
    {"get URL", CONFIG, "\"getIncidentUrl\":\"BASE/x@x/{{{external.system.id}}}\"", NULL, CASEHOOK_GET, 1},
    {"update URL", CONFIG, "\"updateIncidentUrl\":\"BASE/x@x/{{{external.system.id}}}\"", NULL,
     CASEHOOK_UPDATE, 1},
    {"comment URL", CONFIG, "\"createCommentUrl\":\"BASE/x@x/{{{external.system.id}}}\"", NULL,
     CASEHOOK_COMMENT, 1},
    {"view URL", CONFIG, "\"viewIncidentUrl\":\"BASE/x@x/{{{external.system.id}}}\"", NULL, CASEHOOK_CREATE,
     1},
    {"create method", CONFIG, "\"createIncidentMethod\":\"post@\"", NULL, CASEHOOK_CREATE, 0},
    {"get method", CONFIG, "\"getIncidentMethod\":\"get@\"", NULL, CASEHOOK_GET, 0},
    {"update method", CONFIG, "\"updateIncidentMethod\":\"put@\"", NULL, CASEHOOK_UPDATE, 0},
    {"comment method", CONFIG, "\"createCommentMethod\":\"post@\"", NULL, CASEHOOK_COMMENT, 0},
    {"proxy header name", SETTINGS, "\"proxyUrl\":\"PROXY\",\"proxyHeaders\":{\"X@Own\":\"v\"}", NULL,
     CASEHOOK_CREATE, 0},
    {"proxy header value", SETTINGS, "\"proxyUrl\":\"PROXY\",\"proxyHeaders\":{\"X-Own\":\"v@v\"}", NULL,
     CASEHOOK_CREATE, 1},
    {"proxy URL, user", SETTINGS, "\"proxyUrl\":\"http://u@u:p\\u0040127.0.0.1:1\"", NULL, CASEHOOK_CREATE,
     -1},
    {"proxy URL, host", SETTINGS, "\"proxyUrl\":\"http://127.0.0.1@:1\"", NULL, CASEHOOK_CREATE, 0},
    {"connector's proxy header", CONFIG, "\"proxyUrl\":\"PROXY\",\"proxyHeaders\":{\"X-Own\":\"v@v\"}", NULL,
     CASEHOOK_CREATE, 1},
};

/* "@" becomes text, BASE, PORT and PROXY what they stand for; lives until the program ends. */
static const char *fill(const char *json, const char *text)
{
    const struct {
        const char *name, *value;
    } words[] = {{"@", text},
                 {"BASE", base},
                 {"PORT", strrchr(base, ':') + 1},
                 {"PROXY", text_of("http://127.0.0.1:%u", http_proxy_port(proxy))}};
    char *filled = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&filled, &length);
    if (!out) abort();
    while (*json) {
        size_t i = 0;
        while (i < COUNT(words) && strncmp(json, words[i].name, strlen(words[i].name)) != 0) i++;
        if (i == COUNT(words)) {
            fputc(*json++, out);
        } else {
            fputs(words[i].value, out);
            json += strlen(words[i].name);
        }
    }
    fclose(out);
    const char *kept = text_of("%s", filled);
    free(filled);
    return kept;
}

/* documents.h cannot be used: its JSON library takes no NUL. */
static const char *document_of(const char *config, const char *secrets)
{
    static const char *const usual[][2] = {
        {"\"createIncidentUrl\"", "\"BASE/issue\""},
        {"\"getIncidentUrl\"", "\"BASE/issue/{{{external.system.id}}}\""},
        {"\"updateIncidentUrl\"", "\"BASE/issue/{{{external.system.id}}}\""},
        {"\"createCommentUrl\"", "\"BASE/issue/{{{external.system.id}}}/comment\""},
        {"\"viewIncidentUrl\"", "\"BASE/issue/{{{external.system.id}}}\""},
        {"\"createIncidentJson\"", "\"{\\\"t\\\":{{{case.title}}}}\""},
        {"\"updateIncidentJson\"", "\"{\\\"t\\\":{{{case.title}}}}\""},
        {"\"createCommentJson\"", "\"{\\\"c\\\":{{{case.comment}}}}\""},
        {"\"createCommentMethod\"", "\"post\""},
        {"\"createIncidentResponseKey\"", "\"id\""},
        {"\"getIncidentResponseExternalTitleKey\"", "\"key\""},
    };
    const char *all = config;
    for (size_t i = 0; i < COUNT(usual); i++)
        if (!strstr(config, usual[i][0])) all = text_of("%s,%s:%s", all, usual[i][0], fill(usual[i][1], ""));
    return text_of("{\"config\":{\"strict\":false,%s},\"secrets\":{%s}}", all, secrets ? secrets : "");
}

static struct client open_client(const struct place *place, const char *text, struct answer *made)
{
    const char *json = fill(place->json, text), *config = place->config ? place->config : "\"hasAuth\":false";
    if (place->part == CONFIG) config = text_of("%s,%s", config, json);
    return client_from(place->part == SETTINGS ? text_of("{%s}", json) : "{\"allowConnectorProxy\":true}",
                       document_of(config, place->part == SECRETS ? json : NULL), made);
}

static struct answer call(struct client *client, int operation)
{
    return client_call(
        client, operation,
        operation == CASEHOOK_COMMENT
            ? "{\"externalId\":\"42\",\"title\":\"t\",\"comments\":[{\"commentId\":\"1\",\"comment\":\"c\"}]}"
            : NULL);
}

/* No line of a request begins with what was put in. */
static void is_harmless(const struct place *place, const struct http_request *request)
{
    if (request->garbage || request->incomplete || strstr(request->line, " /injected") ||
        http_request_header(request, "Injected", 0))
        fail_msg("%s: %s", place->name, request->head);
}

/* Else the refusals below would prove nothing. */
static void without_them_all_is_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(places); i++) {
        struct answer made;
        struct client client = open_client(&places[i], "", &made);
        if (!client.connector) fail_msg("%s: %s", places[i].name, made.message);
        client_free(&client);
    }
}

static void a_break_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(places); i++) {
        for (size_t b = 0; b < COUNT(breaks); b++) {
            struct answer made;
            struct client client = open_client(&places[i], breaks[b].text, &made);
            if (client.connector) fail_msg("%s with %s is accepted", places[i].name, breaks[b].name);
            if (made.status != CASEHOOK_E_CONFIG || !made.field[0])
                fail_msg("%s with %s: %d %s", places[i].name, breaks[b].name, made.status, made.message);
            assert_null(strpbrk(made.message, "\r\n"));
            client_free(&client);
        }
    }
    assert_int_equal(http_log_count(http), 0);
}

static void a_colon_is_refused_or_sent_as_it_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(places); i++) {
        struct answer made;
        size_t before = http_log_count(http);
        struct client client = open_client(&places[i], ":Injected", &made);
        if (places[i].colon < 0) goto next; /* a URL with another password */
        if (!client.connector != !places[i].colon)
            fail_msg("%s with a colon: %s", places[i].name, client.connector ? "accepted" : made.message);
        if (!client.connector) goto next;
        struct answer answer = call(&client, places[i].operation);
        if (answer.status) fail_msg("%s: %s", places[i].name, answer.message);
        assert_true(http_log_count(http) > before && http_log_count(http) <= before + 4);
        for (size_t r = before; r < http_log_count(http); r++) is_harmless(&places[i], http_log_at(http, r));
    next:
        client_free(&client);
    }
}

/* Every other byte that no header may hold, and those that one may. */
static void every_byte_of_a_header(void **state)
{
    (void)state;
    for (unsigned byte = 1; byte < 256; byte++) {
        struct answer made;
        const char *text = byte < 0x80 ? text_of("\\u%04x", byte) : text_of("\\u00%02x", byte);
        int allowed = byte == '\t' || (byte >= 0x20 && byte < 0x7F);
        struct client client = open_client(&places[1], text, &made);
        assert_int_equal(client.connector != NULL, allowed);
        if (client.connector) {
            size_t before = http_log_count(http);
            assert_int_equal(call(&client, CASEHOOK_GET).status, CASEHOOK_OK);
            const char wanted[] = {'v', (char)byte, 'v', '\0'};
            assert_string_equal(http_request_header(http_log_at(http, before), "X-Own", 0), wanted);
            assert_int_equal(http_request_header_count(http_log_at(http, before), "X-Own"), 1);
        }
        client_free(&client);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_them_all_is_accepted),
        cmocka_unit_test(a_break_is_refused),
        cmocka_unit_test(a_colon_is_refused_or_sent_as_it_is),
        cmocka_unit_test(every_byte_of_a_header),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
