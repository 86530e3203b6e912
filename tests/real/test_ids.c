/*
 * test_ids.c - ids and titles that look like parts of a URL: host, depth of the path and query stay as they
 * were configured.
 */
#include "real.h"

#include <jansson.h>

static struct http_log *http;
static struct http_server *server;
static const char *base;
static const char *created; /* what the tracker answers to a create */

static void answer(void *user, const struct http_request *request, struct http_response *response)
{
    tracker_answer(user, request, response);
    if (response->status != 201) return;
    response->body = created;
    response->body_length = strlen(created);
}

static int start(void **state)
{
    (void)state;
    http = http_log_new();
    server = http_server_start(http, "tracker", NULL, answer, NULL);
    if (!server) return -1;
    base = text_of("http://127.0.0.1:%u", http_server_port(server));
    return 0;
}

static int stop(void **state)
{
    (void)state;
    http_server_stop(server, 5000);
    http_log_free(http);
    return 0;
}

struct id {
    const char *text;
    size_t length;
    int refused; /* as a segment of a path */
};

#define ID(literal)                    \
    {                                  \
        literal, sizeof literal - 1, 0 \
    }
#define REFUSED(literal)               \
    {                                  \
        literal, sizeof literal - 1, 1 \
    }

static const struct id ids[] = {
    ID("42"),
    ID("../"),
    ID("../../admin"),
    ID("..\\"),
    ID("/.."),
    ID("..;/"),
    ID("..;"),
    ID("..."),
    ID("%2f"),
    ID("%2e%2e"),
    ID("%2e"),
    ID("..%2f"),
    ID("%00"),
    ID("%"),
    ID("?"),
    ID("?a=b&c=d"),
    ID("&z=2"),
    ID("#"),
    ID("#x"),
    ID("@"),
    ID("@evil.example"),
    ID(":8080"),
    ID("//evil.example/"),
    ID("\\"),
    ID("\\\\evil.example"),
    ID("http://evil.example/"),
    ID(";a=b"),
    ID("a b"),
    ID(" "),
    ID(" a "),
    ID("+"),
    ID("="),
    ID("\xE3\x80\x82\xE3\x80\x82"), /* U+3002, which some take for a dot */
    ID("\xEF\xBC\x8E\xEF\xBC\x8E"), /* U+FF0E, a wide dot */
    ID("\xE2\x84\x80"),             /* U+2100, "a/c" when it is normalised */
    ID("\xEF\xBC\x8F"),             /* U+FF0F, a wide slash */
    ID("\xF0\x9F\x94\xA5"),
    ID("\xC3\xA9"),
    ID("a\0b"),
    ID("\0"),
    ID("..\0"),
    ID("\r\nInjected: 1"),
    ID("\t"),
    ID("\x7F"),
    ID("{{{external.system.id}}}"),
    ID("\"><script>"),
    ID("-_.!~*'()"),
    ID(".a"),
    ID("a."),
    REFUSED("."),
    REFUSED(".."),
    REFUSED(""),
};

/* What JavaScript's encodeURIComponent makes of it. */
static const char *encoded(const struct id *id)
{
    const char *text = "";
    for (size_t i = 0; i < id->length; i++) {
        unsigned char c = (unsigned char)id->text[i];
        int kept = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                   (c && strchr("-_.!~*'()", c));
        text = kept ? text_of("%s%c", text, c) : text_of("%s%%%02X", text, c);
    }
    return text;
}

static const char *quoted(const struct id *id)
{
    json_t *string = json_stringn(id->text, id->length);
    char *json = json_dumps(string, JSON_ENCODE_ANY);
    const char *kept = text_of("%s", json);
    free(json);
    json_decref(string);
    return kept;
}

/* The path and the query of one template at a time; the other calls are plain. */
static struct client open_client(const char *field, const char *template)
{
    struct answer made;
    struct client client =
        client_new(NULL, base, text_of("\"%s\":\"%s%s\"", field, base, template), NULL, &made);
    if (!client.connector) fail_msg("%s %s: %s", field, template, made.message);
    return client;
}

static void check_request(const struct http_request *request, const char *prefix, const struct id *id,
                          const char *suffix)
{
    const char *expected = text_of("%s%s%s", prefix, encoded(id), suffix);
    assert_string_equal(request->target, expected);
    assert_string_equal(text_of("http://%s", http_request_header(request, "Host", 0)), base);
    assert_false(request->garbage || request->incomplete);
    assert_null(http_request_header(request, "Injected", 0));
}

static const struct {
    const char *name, *field, *variable;
    int operation;
    int by_title; /* the variable is the title of the case */
} calls[] = {
    {"get", "getIncidentUrl", "{{{external.system.id}}}", CASEHOOK_GET, 0},
    {"update", "updateIncidentUrl", "{{{external.system.id}}}", CASEHOOK_UPDATE, 0},
    {"comment", "createCommentUrl", "{{{external.system.id}}}", CASEHOOK_COMMENT, 0},
    {"create", "createIncidentUrl", "{{{case.title}}}", CASEHOOK_CREATE, 1},
};

static const struct {
    const char *prefix, *suffix;
    int in_path;
} positions[] = {
    {"/a/", "/b?z=1", 1}, {"/a/", "", 1},         {"/a?id=", "&z=1", 0},
    {"/a?", "", 0},       {"/a/x", "x/b?z=1", 0}, /* a part of a segment is never a dot segment */
};

static const char *params_of(size_t call, const struct id *id)
{
    if (calls[call].by_title) return text_of("{\"title\":%s}", quoted(id));
    return text_of("{\"title\":\"t\",\"externalId\":%s,\"comments\":%s}", quoted(id),
                   calls[call].operation == CASEHOOK_COMMENT ? "[{\"commentId\":\"1\",\"comment\":\"c\"}]"
                                                             : "[]");
}

static void try_id(struct client *client, size_t call, size_t position, const struct id *id)
{
    size_t before = http_log_count(http);
    int empty_id = !calls[call].by_title && id->refused; /* U3: an id is refused wherever it would stand */
    int refused = (id->refused && positions[position].in_path) || empty_id;
    struct answer got = client_call(client, calls[call].operation, params_of(call, id));
    if (refused) {
        assert_int_equal(got.status, CASEHOOK_E_PARAMS);
        assert_int_equal(http_log_count(http), before);
        return;
    }
    if (got.status) fail_msg("%s %s: %s", calls[call].name, quoted(id), got.message);
    if (id->length == 0 && !positions[position].suffix[0]) return; /* "?" goes with its empty query (U2) */
    check_request(http_log_at(http, before), positions[position].prefix, id, positions[position].suffix);
}

static void ids_and_titles_given_by_the_caller(void **state)
{
    (void)state;
    created = "{\"id\":\"1\"}";
    for (size_t c = 0; c < COUNT(calls); c++) {
        for (size_t p = 0; p < COUNT(positions); p++) {
            struct client client =
                open_client(calls[c].field,
                            text_of("%s%s%s", positions[p].prefix, calls[c].variable, positions[p].suffix));
            for (size_t i = 0; i < COUNT(ids); i++) try_id(&client, c, p, &ids[i]);
            client_free(&client);
        }
    }
}

/* The tracker itself may be the one who wants another URL. */
static void ids_given_by_the_tracker(void **state)
{
    (void)state;
    for (size_t p = 0; p < COUNT(positions); p++) {
        struct client client =
            open_client("getIncidentUrl",
                        text_of("%s{{{external.system.id}}}%s", positions[p].prefix, positions[p].suffix));
        for (size_t i = 0; i < COUNT(ids); i++) {
            size_t before = http_log_count(http);
            created = text_of("{\"id\":%s}", quoted(&ids[i]));
            struct answer got = client_call(&client, CASEHOOK_CREATE, "{\"title\":\"t\"}");
            if (!ids[i].refused) {
                if (got.status) fail_msg("%s: %s", quoted(&ids[i]), got.message);
                check_request(http_log_at(http, before + 1), positions[p].prefix, &ids[i],
                              positions[p].suffix);
                continue;
            }
            assert_int_equal(got.status, CASEHOOK_E_RESPONSE);
            assert_int_equal(http_log_count(http), before + 1); /* there is no get */
        }
        client_free(&client);
    }
}

/* A person opens it: it must lead to the same place. */
static void the_view_url(void **state)
{
    (void)state;
    struct client client = open_client("viewIncidentUrl", "/browse/{{{external.system.id}}}/v?z=1");
    for (size_t i = 0; i < COUNT(ids); i++) {
        struct casehook_result *result = NULL;
        if (ids[i].refused) continue;
        created = text_of("{\"id\":%s}", quoted(&ids[i]));
        assert_int_equal(casehook_run_json(client.connector, CASEHOOK_CREATE, "{\"title\":\"t\"}",
                                           CASEHOOK_TERMINATED, NULL, &result),
                         CASEHOOK_OK);
        assert_string_equal(casehook_result_url(result, NULL),
                            text_of("%s/browse/%s/v?z=1", base, encoded(&ids[i])));
        casehook_result_free(result);
    }
    client_free(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_and_titles_given_by_the_caller),
        cmocka_unit_test(ids_given_by_the_tracker),
        cmocka_unit_test(the_view_url),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
