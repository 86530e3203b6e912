/* test_exchange.c - the state machine, driven with made-up answers through the public exchange. */
#include "documents.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BASE "http://tracker.example"
#define JSON "Content-Type: application/json\r\n"

static struct casehook_http_request request;

static struct casehook_exchange *begin(struct casehook_connector *connector, int operation, const char *json)
{
    struct casehook_exchange *exchange = NULL;
    assert_int_equal(
        casehook_exchange_new_json(connector, operation, json, CASEHOOK_TERMINATED, NULL, &exchange, NULL),
        CASEHOOK_OK);
    casehook_connector_unref(connector); /* the exchange keeps it */
    return exchange;
}

static struct casehook_exchange *usual(int operation, const char *json)
{
    return begin(document_connector(NULL, BASE, NULL, NULL), operation, json);
}

static void expect(struct casehook_exchange *exchange, const char *method, const char *url, const char *body)
{
    memset(&request, 0, sizeof request);
    request.struct_size = sizeof request;
    assert_int_equal(casehook_exchange_next(exchange, &request), 1);
    assert_string_equal(request.method, method);
    assert_string_equal(request.url, url);
    if (body) {
        assert_non_null(request.body);
        assert_string_equal(request.body, body);
        assert_int_equal(request.body_length, strlen(body));
    } else {
        assert_null(request.body);
    }
}

static void feed(struct casehook_exchange *exchange, int status, const char *headers, const char *body)
{
    assert_int_equal(
        casehook_exchange_feed(exchange, status, headers, CASEHOOK_TERMINATED, body, CASEHOOK_TERMINATED),
        CASEHOOK_OK);
}

static struct casehook_result *end(struct casehook_exchange *exchange)
{
    request.struct_size = sizeof request;
    assert_int_equal(casehook_exchange_next(exchange, &request), 0);
    struct casehook_result *result = casehook_exchange_result(exchange);
    assert_non_null(result);
    assert_null(casehook_exchange_result(exchange));
    casehook_exchange_free(exchange);
    return result;
}

/* Ends the exchange, checks the error, and frees the result unless the caller looks on. */
static struct casehook_result *failed(struct casehook_exchange *exchange, const char *step, int status,
                                      int outcome, int retryable)
{
    struct casehook_result *result = end(exchange);
    const struct casehook_error *error = casehook_result_error(result);
    assert_non_null(error);
    assert_string_equal(casehook_step_name(casehook_error_step(error)), step);
    assert_int_equal(casehook_error_status(error), status);
    assert_int_equal(casehook_error_outcome(error), outcome);
    assert_int_equal(casehook_error_retryable(error), retryable);
    assert_true(strlen(casehook_error_message(error)) > 0);
    return result;
}

static const char *header(const char *name)
{
    for (size_t i = 0; i < request.header_count; i++)
        if (strcmp(request.headers[i].name, name) == 0) return request.headers[i].value;
    return NULL;
}

static void create_then_get(void **state)
{
    (void)state;
    struct casehook_exchange *x = usual(CASEHOOK_CREATE, "{\"title\":\"T \\\"q\\\"\",\"tags\":[\"a\"]}");
    expect(x, "POST", BASE "/issue", "{\"title\":\"T \\\"q\\\"\",\"text\":\"\",\"tags\":[\"a\"]}");
    assert_string_equal(header("Accept"), "application/json");
    assert_string_equal(header("Content-Type"), "application/json");
    assert_string_equal(header("User-Agent"), "libcasehook/" CASEHOOK_VERSION_STRING);
    assert_int_equal(request.step, CASEHOOK_STEP_CREATE);
    assert_string_equal(request.verification_mode, "full");
    feed(x, 201, JSON, "{\"id\": 12345678901234567890123}");
    expect(x, "GET", BASE "/issue/12345678901234567890123", NULL);
    assert_null(header("Content-Type"));
    feed(x, 200, JSON, "{\"key\":\"ROC-7\"}");
    struct casehook_result *result = end(x);
    assert_null(casehook_result_error(result));
    assert_string_equal(casehook_result_id(result, NULL), "12345678901234567890123");
    assert_string_equal(casehook_result_title(result, NULL), "ROC-7");
    assert_string_equal(casehook_result_url(result, NULL), BASE "/browse/ROC-7");
    assert_non_null(casehook_result_pushed_date(result));
    assert_int_equal(casehook_result_request_count(result), 2);
    static const char head[] = "{\"step\":\"create\",\"stepNumber\":3,\"method\":\"POST\",\"url\":\"" BASE
                               "/issue\",\"status\":201,\"outcome\":\"done\",\"outcomeNumber\":1,\"attempt\":"
                               "1,\"delayMs\":0,\"startedMs\":";
    const char *json = casehook_result_request_json(result, 0, NULL);
    assert_memory_equal(json, head, sizeof head - 1);
    assert_ptr_equal(casehook_result_request_json(result, 0, NULL), json);
    casehook_result_free(result);
}

static void white_space_is_an_empty_answer(void **state)
{
    (void)state;
    struct casehook_exchange *x = usual(CASEHOOK_UPDATE, "{\"title\":\"t\",\"externalId\":\"7\"}");
    expect(x, "PUT", BASE "/issue/7", "{\"title\":\"t\",\"text\":\"\"}");
    feed(x, 200, JSON, " \r\n");
    expect(x, "GET", BASE "/issue/7", NULL);
    feed(x, 200, JSON, " \r\n");
    casehook_result_free(failed(x, "get", CASEHOOK_E_RESPONSE, CASEHOOK_OUTCOME_UNKNOWN, 0));
}

static void id_survives_every_later_failure(void **state)
{
    (void)state;
    struct casehook_exchange *x = usual(
        CASEHOOK_PUSH, "{\"title\":\"t\",\"comments\":[{\"commentId\":\"c1\",\"comment\":\"x\"},"
                       "{\"commentId\":\"c2\",\"comment\":\"\"},{\"commentId\":\"c3\",\"comment\":\"y\"}]}");
    expect(x, "POST", BASE "/issue", "{\"title\":\"t\",\"text\":\"\",\"tags\":[]}");
    feed(x, 201, JSON, "{\"id\":\"7\"}");
    expect(x, "GET", BASE "/issue/7", NULL);
    assert_int_equal(casehook_exchange_fail(x, CASEHOOK_E_NETWORK, 1, "gone"), CASEHOOK_OK);
    /* the case exists: to push again would make a second one */
    struct casehook_result *result = failed(x, "get", CASEHOOK_E_NETWORK, CASEHOOK_OUTCOME_UNKNOWN, 0);
    assert_string_equal(casehook_result_id(result, NULL), "7");
    assert_int_equal(casehook_result_comment_count(result), 3);
    assert_int_equal(casehook_result_comment_state(result, 0), CASEHOOK_COMMENT_NOT_ATTEMPTED);
    assert_int_equal(casehook_result_comment_state(result, 1), CASEHOOK_COMMENT_SKIPPED);
    assert_int_equal(casehook_result_comment_state(result, 2), CASEHOOK_COMMENT_NOT_ATTEMPTED);
    casehook_result_free(result);
}

static void comments_stop_at_the_first_failure(void **state)
{
    (void)state;
    struct casehook_exchange *x =
        usual(CASEHOOK_PUSH,
              "{\"title\":\"t\",\"externalId\":\"9\",\"comments\":[{\"commentId\":\"a\",\"comment\":\"1\"},"
              "{\"commentId\":\"b\",\"comment\":\"2\"},{\"commentId\":\"c\",\"comment\":\"3\"}]}");
    expect(x, "PUT", BASE "/issue/9", "{\"title\":\"t\",\"text\":\"\"}");
    feed(x, 204, NULL, NULL);
    expect(x, "GET", BASE "/issue/9", NULL);
    feed(x, 200, JSON, "{\"key\":\"K\"}");
    expect(x, "POST", BASE "/issue/9/comment", "{\"body\":\"1\"}");
    feed(x, 201, JSON, "{}");
    expect(x, "POST", BASE "/issue/9/comment", "{\"body\":\"2\"}");
    feed(x, 503, "Retry-After: 7\r\n", "busy");
    struct casehook_result *result =
        failed(x, "comment", CASEHOOK_E_HTTP_STATUS, CASEHOOK_OUTCOME_REFUSED, 0);
    assert_int_equal(casehook_error_http_status(casehook_result_error(result)), 503);
    assert_true(casehook_error_retry_after_ms(casehook_result_error(result)) == 7000);
    assert_int_equal(casehook_result_comment_state(result, 0), CASEHOOK_COMMENT_SENT);
    assert_int_equal(casehook_result_comment_state(result, 1), CASEHOOK_COMMENT_FAILED);
    assert_int_equal(casehook_result_comment_state(result, 2), CASEHOOK_COMMENT_NOT_ATTEMPTED);
    assert_string_equal(casehook_result_url(result, NULL), BASE "/browse/K");
    casehook_result_free(result);
}

static void retry_makes_sense_only_where_nothing_is_done_twice(void **state)
{
    (void)state;
    static const struct {
        int operation;
        const char *params;
        int failure; /* 0: http_status */
        int sent, http_status, outcome, retryable;
    } cases[] = {
        {CASEHOOK_CREATE, "{\"title\":\"t\"}", CASEHOOK_E_CONNECT, 0, 0, CASEHOOK_OUTCOME_NOT_SENT, 1},
        {CASEHOOK_CREATE, "{\"title\":\"t\"}", CASEHOOK_E_NETWORK, 1, 0, CASEHOOK_OUTCOME_UNKNOWN, 0},
        {CASEHOOK_CREATE, "{\"title\":\"t\"}", CASEHOOK_E_TIMEOUT, 1, 0, CASEHOOK_OUTCOME_UNKNOWN, 0},
        {CASEHOOK_CREATE, "{\"title\":\"t\"}", CASEHOOK_E_TLS, 0, 0, CASEHOOK_OUTCOME_NOT_SENT, 0},
        {CASEHOOK_CREATE, "{\"title\":\"t\"}", CASEHOOK_E_CANCELLED, 0, 0, CASEHOOK_OUTCOME_NOT_SENT, 0},
        {CASEHOOK_CREATE, "{\"title\":\"t\"}", 0, 1, 429, CASEHOOK_OUTCOME_REFUSED, 1},
        {CASEHOOK_CREATE, "{\"title\":\"t\"}", 0, 1, 503, CASEHOOK_OUTCOME_REFUSED, 1},
        {CASEHOOK_CREATE, "{\"title\":\"t\"}", 0, 1, 500, CASEHOOK_OUTCOME_REFUSED, 0},
        {CASEHOOK_CREATE, "{\"title\":\"t\"}", 0, 1, 504, CASEHOOK_OUTCOME_UNKNOWN, 0},
        {CASEHOOK_CREATE, "{\"title\":\"t\"}", 0, 1, 400, CASEHOOK_OUTCOME_REFUSED, 0},
        {CASEHOOK_GET, "{\"externalId\":\"1\"}", CASEHOOK_E_NETWORK, 1, 0, CASEHOOK_OUTCOME_UNKNOWN, 1},
        {CASEHOOK_CREATE, "{\"title\":\"t\"}", 0, 1, 524, CASEHOOK_OUTCOME_REFUSED, 0},
        {CASEHOOK_GET, "{\"externalId\":\"1\"}", 0, 1, 500, CASEHOOK_OUTCOME_REFUSED, 1},
        {CASEHOOK_GET, "{\"externalId\":\"1\"}", 0, 1, 501, CASEHOOK_OUTCOME_REFUSED, 0},
        {CASEHOOK_GET, "{\"externalId\":\"1\"}", 0, 1, 507, CASEHOOK_OUTCOME_REFUSED, 1},
        {CASEHOOK_UPDATE, "{\"externalId\":\"1\",\"title\":\"t\"}", CASEHOOK_E_NETWORK, 1, 0,
         CASEHOOK_OUTCOME_UNKNOWN, 1},
        {CASEHOOK_COMMENT, "{\"externalId\":\"1\",\"comments\":[{\"commentId\":\"c\",\"comment\":\"x\"}]}",
         CASEHOOK_E_NETWORK, 1, 0, CASEHOOK_OUTCOME_UNKNOWN, 0},
        {CASEHOOK_COMMENT, "{\"externalId\":\"1\",\"comments\":[{\"commentId\":\"c\",\"comment\":\"x\"}]}",
         CASEHOOK_E_RESOLVE, 0, 0, CASEHOOK_OUTCOME_NOT_SENT, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct casehook_exchange *x = usual(cases[i].operation, cases[i].params);
        request.struct_size = sizeof request;
        assert_int_equal(casehook_exchange_next(x, &request), 1);
        if (cases[i].failure)
            assert_int_equal(casehook_exchange_fail(x, cases[i].failure, cases[i].sent, "made up"),
                             CASEHOOK_OK);
        else
            feed(x, cases[i].http_status, JSON, "{}");
        static const char *const steps[] = {"", "create", "get", "update", "comment"};
        casehook_result_free(failed(x, steps[cases[i].operation],
                                    cases[i].failure ? cases[i].failure : CASEHOOK_E_HTTP_STATUS,
                                    cases[i].outcome, cases[i].retryable));
    }
}

/* What came before an answer broke off is kept: a refusal is one, and the id of a new case, where all of it
 * came. */
static void what_came_of_an_answer_is_kept(void **state)
{
    (void)state;
    static const struct {
        int http_status;
        const char *body;
        int status, outcome;
        const char *id; /* "": none */
    } answers[] = {
        {201, "{\"id\":\"7\",\"key\":\"K", CASEHOOK_E_NETWORK, CASEHOOK_OUTCOME_UNKNOWN, "7"},
        {201, "{\"id\":17,", CASEHOOK_E_NETWORK, CASEHOOK_OUTCOME_UNKNOWN, "17"},
        {201, "{\"id\":17", CASEHOOK_E_NETWORK, CASEHOOK_OUTCOME_UNKNOWN, ""}, /* or 170 */
        {201, "{\"id\":\"7\"", CASEHOOK_E_NETWORK, CASEHOOK_OUTCOME_UNKNOWN, "7"},
        {201, "{\"id\":\"7", CASEHOOK_E_NETWORK, CASEHOOK_OUTCOME_UNKNOWN, ""},
        {201, "{\"id\":1,\"id\":\"x", CASEHOOK_E_NETWORK, CASEHOOK_OUTCOME_UNKNOWN, ""}, /* the last counts */
        {201, "{\"id\":1,\"id\":", CASEHOOK_E_NETWORK, CASEHOOK_OUTCOME_UNKNOWN, ""},
        {201, "{\"id\":\"..\",", CASEHOOK_E_NETWORK, CASEHOOK_OUTCOME_UNKNOWN, ""}, /* no id (U3) */
        {201, "", CASEHOOK_E_NETWORK, CASEHOOK_OUTCOME_UNKNOWN, ""},
        {403, "{\"e\":\"read on", CASEHOOK_E_HTTP_STATUS, CASEHOOK_OUTCOME_REFUSED, ""},
        {503, "", CASEHOOK_E_HTTP_STATUS, CASEHOOK_OUTCOME_REFUSED, ""},
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct casehook_exchange *x = usual(CASEHOOK_CREATE, "{\"title\":\"t\"}");
        expect(x, "POST", BASE "/issue", "{\"title\":\"t\",\"text\":\"\",\"tags\":[]}");
        assert_int_equal(casehook_exchange_feed_partial(x, 199, JSON, CASEHOOK_TERMINATED, "", 0,
                                                        CASEHOOK_E_NETWORK, NULL),
                         CASEHOOK_E_ARGUMENT);
        assert_int_equal(
            casehook_exchange_feed_partial(x, 201, JSON, CASEHOOK_TERMINATED, "", 0, CASEHOOK_E_CONFIG, NULL),
            CASEHOOK_E_ARGUMENT);
        assert_int_equal(casehook_exchange_feed_partial(x, answers[i].http_status, JSON, CASEHOOK_TERMINATED,
                                                        answers[i].body, CASEHOOK_TERMINATED,
                                                        CASEHOOK_E_NETWORK, "the cable was cut"),
                         CASEHOOK_OK);
        struct casehook_result *result =
            failed(x, "create", answers[i].status, answers[i].outcome, answers[i].http_status == 503);
        const struct casehook_error *error = casehook_result_error(result);
        const char *id = casehook_result_id(result, NULL);
        assert_string_equal(id ? id : "", answers[i].id);
        assert_int_equal(casehook_error_http_status(error), answers[i].http_status);
        if (*answers[i].body) assert_non_null(strstr(casehook_error_message(error), answers[i].body));
        casehook_result_free(result);
    }
}

/* An answer that is whole for HTTP and broken as JSON, or larger than allowed, may hold the id all the same.
 */
static void the_id_of_a_broken_answer_is_kept(void **state)
{
    (void)state;
    static const char *const broken[] = {"{\"id\":\"7\"", "{\"id\":\"7\",\"url\":\"http://x", "{\"id\":7,"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct casehook_exchange *x = usual(CASEHOOK_CREATE, "{\"title\":\"t\"}");
        expect(x, "POST", BASE "/issue", "{\"title\":\"t\",\"text\":\"\",\"tags\":[]}");
        feed(x, 201, JSON, broken[i]);
        struct casehook_result *result =
            failed(x, "create", CASEHOOK_E_RESPONSE, CASEHOOK_OUTCOME_UNKNOWN, 0);
        assert_string_equal(casehook_result_id(result, NULL), "7");
        assert_non_null(
            strstr(casehook_error_message(casehook_result_error(result)), "the id in it is kept"));
        casehook_result_free(result);
    }
    size_t size = 2000000;
    char *large = malloc(size);
    memset(large, ' ', size);
    memcpy(large, "{\"id\":7,", 8);
    struct casehook_exchange *x = usual(CASEHOOK_CREATE, "{\"title\":\"t\"}");
    expect(x, "POST", BASE "/issue", "{\"title\":\"t\",\"text\":\"\",\"tags\":[]}");
    assert_int_equal(casehook_exchange_feed(x, 201, JSON, CASEHOOK_TERMINATED, large, size), CASEHOOK_OK);
    struct casehook_result *result = failed(x, "create", CASEHOOK_E_LIMIT, CASEHOOK_OUTCOME_UNKNOWN, 0);
    assert_string_equal(casehook_result_id(result, NULL), "7");
    assert_int_equal(casehook_error_http_status(casehook_result_error(result)), 201);
    casehook_result_free(result);
    free(large);
}

static void a_created_case_without_usable_answer_is_unknown(void **state)
{
    (void)state;
    static const struct {
        const char *headers, *body;
        int status;
    } answers[] = {
        {JSON, "", CASEHOOK_E_RESPONSE},
        {JSON, "{", CASEHOOK_E_RESPONSE},
        {JSON, "{\"id\":null}", CASEHOOK_E_RESPONSE},
        {JSON, "{\"id\":{}}", CASEHOOK_E_RESPONSE},
        {JSON, "{\"id\":true}", CASEHOOK_E_RESPONSE},
        {JSON, "{\"id\":1e400}", CASEHOOK_E_RESPONSE},
        {JSON, "{\"key\":\"1\"}", CASEHOOK_E_RESPONSE},
        {"Content-Type: text/html\r\n", "<html>", CASEHOOK_E_RESPONSE},
        {"Content-Type: text/html\r\n" JSON, "{\"id\":1}", CASEHOOK_E_RESPONSE},
        {JSON "Content-Encoding: x-own\r\n", "{\"id\":1}", CASEHOOK_E_RESPONSE},
        {"", "no json", CASEHOOK_E_RESPONSE},
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct casehook_exchange *x = usual(CASEHOOK_CREATE, "{\"title\":\"t\"}");
        request.struct_size = sizeof request;
        assert_int_equal(casehook_exchange_next(x, &request), 1);
        feed(x, 201, answers[i].headers, answers[i].body);
        struct casehook_result *result = failed(x, "create", answers[i].status, CASEHOOK_OUTCOME_UNKNOWN, 0);
        assert_null(casehook_result_id(result, NULL));
        casehook_result_free(result);
    }
}

static void redirects_drop_credentials_for_good(void **state)
{
    (void)state;
    struct casehook_exchange *x =
        begin(document_connector(NULL, BASE,
                                 "\"headers\":{\"X-Key\":\"k\"},\"hasAuth\":true,\"authType\":\"basic\"",
                                 "\"user\":\"u\",\"password\":\"secret-p\""),
              CASEHOOK_GET, "{\"externalId\":\"1\"}");
    expect(x, "GET", BASE "/issue/1", NULL);
    assert_string_equal(header("X-Key"), "k");
    assert_non_null(header("Authorization"));
    feed(x, 302, "Location: /moved\r\n", "");
    expect(x, "GET", BASE "/moved", NULL);
    assert_non_null(header("Authorization"));
    feed(x, 307, "Location: http://user:pw@other.example/x#frag\r\n", "");
    expect(x, "GET", "http://other.example/x", NULL);
    assert_null(header("Authorization"));
    assert_null(header("X-Key"));
    assert_string_equal(header("Accept"), "application/json");
    feed(x, 301, "Location: " BASE "/back\r\n", "");
    expect(x, "GET", BASE "/back", NULL);
    assert_null(header("Authorization"));
    feed(x, 200, JSON, "{\"key\":\"K\"}");
    casehook_result_free(end(x));
}

static void redirects_of_writes(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *location, *method, *url; /* url NULL: not followed */
        int error, unknown;                  /* the case may be there */
    } cases[] = {
        {301, "/b", NULL, NULL, CASEHOOK_E_REDIRECT, 0},
        {302, "/b", NULL, NULL, CASEHOOK_E_REDIRECT, 1},
        {303, "/b", "GET", BASE "/b", 0, 0},
        {303, "http://other.example/b", "GET", "http://other.example/b", 0, 0},
        {303, "", NULL, NULL, CASEHOOK_E_REDIRECT, 1},
        {303, "ftp://other.example/b", NULL, NULL, CASEHOOK_E_REDIRECT, 1},
        {307, "/b", "POST", BASE "/b", 0, 0},
        {308, "/b", "POST", BASE "/b", 0, 0},
        {307, "http://other.example/b", NULL, NULL, CASEHOOK_E_REDIRECT, 0},
        {308, "https://tracker.example/b", NULL, NULL, CASEHOOK_E_REDIRECT, 0},
        {300, "/b", NULL, NULL, CASEHOOK_E_REDIRECT, 0},
        {304, "/b", NULL, NULL, CASEHOOK_E_REDIRECT, 0},
        {307, "", NULL, NULL, CASEHOOK_E_REDIRECT, 0},
        {307, "ftp://tracker.example/", NULL, NULL, CASEHOOK_E_REDIRECT, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct casehook_exchange *x = usual(CASEHOOK_CREATE, "{\"title\":\"t\"}");
        static const char body[] = "{\"title\":\"t\",\"text\":\"\",\"tags\":[]}";
        char headers[128];
        expect(x, "POST", BASE "/issue", body);
        strcpy(headers, "Location: ");
        strcat(strcat(headers, cases[i].location), "\r\n");
        feed(x, cases[i].status, headers, "");
        if (cases[i].url) {
            expect(x, cases[i].method, cases[i].url, strcmp(cases[i].method, "POST") == 0 ? body : NULL);
            casehook_exchange_fail(x, CASEHOOK_E_NETWORK, 1, "made up");
            casehook_result_free(failed(x, "create", CASEHOOK_E_NETWORK, CASEHOOK_OUTCOME_UNKNOWN, 0));
        } else {
            int outcome = cases[i].unknown ? CASEHOOK_OUTCOME_UNKNOWN : CASEHOOK_OUTCOME_REFUSED;
            casehook_result_free(failed(x, "create", cases[i].error, outcome, 0));
        }
    }
}

static void redirects_end(void **state)
{
    (void)state;
    struct casehook_settings *settings = document_settings("{\"maxRedirects\":3}");
    struct casehook_exchange *x =
        begin(document_connector(settings, BASE, NULL, NULL), CASEHOOK_GET, "{\"externalId\":\"1\"}");
    casehook_settings_free(settings);
    expect(x, "GET", BASE "/issue/1", NULL);
    for (int i = 0; i < 3; i++) {
        feed(x, 302, "Location: /loop\r\n", "");
        expect(x, "GET", BASE "/loop", NULL);
    }
    feed(x, 302, "Location: /loop\r\n", "");
    struct casehook_result *result = failed(x, "get", CASEHOOK_E_LIMIT, CASEHOOK_OUTCOME_REFUSED, 0);
    assert_non_null(strstr(casehook_error_message(casehook_result_error(result)), "maxRedirects"));
    assert_int_equal(casehook_result_request_count(result), 4);
    casehook_result_free(result);
}

static void excerpts_hide_secrets(void **state)
{
    (void)state;
    struct casehook_exchange *x =
        begin(document_connector(NULL, BASE, "\"hasAuth\":true,\"authType\":\"basic\"",
                                 "\"user\":\"u\",\"password\":\"p\\\"/w&Geheim\""),
              CASEHOOK_GET, "{\"externalId\":\"1\"}");
    expect(x, "GET", BASE "/issue/1", NULL);
    /* raw, base64 of the password, base64 of user:password, percent-encoded, JSON-escaped */
    feed(x, 401, JSON,
         "no: p\"/w&Geheim cCIvdyZHZWhlaW0= dTpwIi93JkdlaGVpbQ== p%22%2Fw%26Geheim p\\\"/w&Geheim\x01\n end");
    struct casehook_result *result = failed(x, "get", CASEHOOK_E_HTTP_STATUS, CASEHOOK_OUTCOME_REFUSED, 0);
    const char *message = casehook_error_message(casehook_result_error(result));
    assert_non_null(strstr(message, "no: *** *** *** *** ***?? end"));
    assert_null(strstr(message, "Geheim"));
    casehook_result_free(result);
}

static void limits_of_what_is_fed(void **state)
{
    (void)state;
    struct casehook_settings *settings = document_settings("{\"maxResponseContentLength\":100}");
    struct casehook_exchange *x =
        begin(document_connector(settings, BASE, NULL, NULL), CASEHOOK_GET, "{\"externalId\":\"1\"}");
    casehook_settings_free(settings);
    char body[102];
    memset(body, ' ', sizeof body);
    expect(x, "GET", BASE "/issue/1", NULL);
    assert_int_equal(request.max_body_bytes, 100);
    assert_int_equal(casehook_exchange_feed(x, 200, JSON, CASEHOOK_TERMINATED, body, 101), CASEHOOK_OK);
    struct casehook_result *result = failed(x, "get", CASEHOOK_E_LIMIT, CASEHOOK_OUTCOME_UNKNOWN, 0);
    assert_non_null(
        strstr(casehook_error_message(casehook_result_error(result)), "maxResponseContentLength"));
    casehook_result_free(result);
}

static void misuse_is_an_argument_error(void **state)
{
    (void)state;
    struct casehook_exchange *x = usual(CASEHOOK_GET, "{\"externalId\":\"1\"}");
    assert_int_equal(casehook_exchange_feed(x, 200, NULL, 0, NULL, 0), CASEHOOK_E_ARGUMENT);
    expect(x, "GET", BASE "/issue/1", NULL);
    assert_int_equal(casehook_exchange_next(x, &request), CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook_exchange_fail(x, CASEHOOK_OK, 0, NULL), CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook_exchange_fail(x, CASEHOOK_E_CONFIG, 0, NULL), CASEHOOK_E_ARGUMENT);
    request.struct_size = 8;
    assert_int_equal(casehook_exchange_next(x, &request), CASEHOOK_E_ARGUMENT);
    struct casehook_result *result = casehook_exchange_result(x); /* given up */
    assert_int_equal(casehook_error_status(casehook_result_error(result)), CASEHOOK_E_CANCELLED);
    assert_int_equal(casehook_error_outcome(casehook_result_error(result)), CASEHOOK_OUTCOME_UNKNOWN);
    casehook_result_free(result);
    casehook_exchange_free(x);
    assert_int_equal(casehook_exchange_next(NULL, &request), CASEHOOK_E_ARGUMENT);
    assert_null(casehook_exchange_result(NULL));
    casehook_exchange_free(NULL);
}

static void a_deadline_that_passed_may_be_tried_again(void **state)
{
    (void)state;
    struct casehook_connector *connector = document_connector(NULL, BASE, NULL, NULL);
    struct casehook_options options = {.struct_size = sizeof options, .deadline_ms = 1};
    struct casehook_exchange *x = NULL;
    const char *params = "{\"title\":\"t\"}";
    assert_int_equal(casehook_exchange_new_json(connector, CASEHOOK_CREATE, params, CASEHOOK_TERMINATED,
                                                &options, &x, NULL),
                     CASEHOOK_OK);
    casehook_connector_unref(connector);
    poll(NULL, 0, 20);
    casehook_result_free(failed(x, "create", CASEHOOK_E_TIMEOUT, CASEHOOK_OUTCOME_NOT_SENT, 1));
}

static void faults_of_params_are_results(void **state)
{
    (void)state;
    static const char *const params[] = {
        "", "{}", "[]", "{\"title\":1}", "{\"title\":\"t\",\"nope\":1}", "{\"title\":\"t\"}x"};
    for (size_t i = 0; i < sizeof params / sizeof *params; i++)
        casehook_result_free(
            failed(usual(CASEHOOK_CREATE, params[i]), "params", CASEHOOK_E_PARAMS, CASEHOOK_OUTCOME_NONE, 0));
}

/* What begins holds none of the caller's memory: all of it is overwritten as soon as it has begun. */
static void params_are_not_kept(void **state)
{
    (void)state;
    for (int as_json = 0; as_json < 2; as_json++) {
        char text[] = "{\"title\":\"T1\",\"comments\":[{\"commentId\":\"1\",\"comment\":\"C1\"}]}";
        char title[] = "T1", id[] = "1", said[] = "C1";
        struct casehook_comment comment = {.id = id, .text = said};
        struct casehook_params params = {.struct_size = sizeof params,
                                         .title = title,
                                         .comments = &comment,
                                         .comment_count = 1,
                                         .comment_size = sizeof comment};
        struct casehook_connector *connector = document_connector(NULL, BASE, NULL, NULL);
        struct casehook_exchange *exchange = NULL;
        int status = as_json
                         ? casehook_exchange_new_json(connector, CASEHOOK_PUSH, text, sizeof text - 1, NULL,
                                                      &exchange, NULL)
                         : casehook_exchange_new(connector, CASEHOOK_PUSH, &params, NULL, &exchange, NULL);
        assert_int_equal(status, CASEHOOK_OK);
        casehook_connector_unref(connector);
        memset(text, '!', sizeof text - 1);
        memset(&comment, 0x5a, sizeof comment);
        memset(&params, 0x5a, sizeof params);
        title[0] = id[0] = said[0] = '!';
        expect(exchange, "POST", BASE "/issue", "{\"title\":\"T1\",\"text\":\"\",\"tags\":[]}");
        feed(exchange, 201, JSON, "{\"id\":\"7\"}");
        expect(exchange, "GET", BASE "/issue/7", NULL);
        feed(exchange, 200, JSON, "{\"key\":\"K-7\"}");
        expect(exchange, "POST", BASE "/issue/7/comment", "{\"body\":\"C1\"}");
        feed(exchange, 201, JSON, "{}");
        struct casehook_result *result = end(exchange);
        assert_null(casehook_result_error(result));
        assert_string_equal(casehook_result_comment_id(result, 0, NULL), "1");
        casehook_result_free(result);
    }
}

static void the_next_request_as_json(void **state)
{
    (void)state;
    size_t length = 0;
    struct casehook_exchange *x = usual(CASEHOOK_CREATE, "{\"title\":\"t\"}");
    const char *json = casehook_exchange_next_json(x, &length);
    assert_non_null(json);
    assert_int_equal(strlen(json), length);
    assert_non_null(strstr(json, "\"method\":\"POST\",\"url\":\"" BASE "/issue\""));
    assert_non_null(strstr(json, "\"body\":\"{\\\"title\\\":\\\"t\\\""));
    assert_non_null(strstr(json, "\"proxy\":null"));
    feed(x, 500, NULL, NULL);
    assert_null(casehook_exchange_next_json(x, &length));
    casehook_result_free(end(x));
}

/* What became of a request that was answered with a redirect: nothing, or it was done and its answer is
 * elsewhere. */
static void redirects_have_an_outcome(void **state)
{
    (void)state;
    static const struct {
        int operation;
        const char *params;
        int status;
        const char *outcome;
    } rows[] = {
        {CASEHOOK_CREATE, "{\"title\":\"t\"}", 307, "\"status\":307,\"outcome\":\"refused\""},
        {CASEHOOK_CREATE, "{\"title\":\"t\"}", 308, "\"status\":308,\"outcome\":\"refused\""},
        {CASEHOOK_CREATE, "{\"title\":\"t\"}", 303, "\"status\":303,\"outcome\":\"done\""},
        {CASEHOOK_GET, "{\"externalId\":\"1\"}", 302, "\"status\":302,\"outcome\":\"done\""},
        {CASEHOOK_GET, "{\"externalId\":\"1\"}", 303, "\"status\":303,\"outcome\":\"done\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct casehook_exchange *x = usual(rows[i].operation, rows[i].params);
        request.struct_size = sizeof request;
        assert_int_equal(casehook_exchange_next(x, &request), 1);
        feed(x, rows[i].status, "Location: /elsewhere\r\n", "");
        assert_int_equal(casehook_exchange_next(x, &request), 1);
        assert_string_equal(request.url, BASE "/elsewhere");
        struct casehook_result *result = casehook_exchange_result(x);
        assert_non_null(strstr(casehook_result_json(result, NULL), rows[i].outcome));
        casehook_result_free(result);
        casehook_exchange_free(x);
    }
}

/* A result of a call that was resumed itself has no create among its requests: what it says as a whole
 * counts. */
static void an_unknown_create_stays_unknown_over_two_resumes(void **state)
{
    (void)state;
    static const char params[] = "{\"title\":\"t\",\"resume\":{\"ok\":false,\"operation\":\"create\","
                                 "\"step\":\"create\",\"outcome\":\"unknown\","
                                 "\"id\":null,\"comments\":[],\"requests\":[{\"step\":\"find\",\"outcome\":"
                                 "\"refused\",\"status\":503}]}}";
    struct casehook_exchange *x = NULL;
    struct casehook_connector *connector = document_connector(NULL, "http://127.0.0.1:1", NULL, NULL);
    struct casehook_http_request asked = {.struct_size = sizeof asked};
    assert_int_equal(
        casehook_exchange_new_json(connector, CASEHOOK_CREATE, params, sizeof params - 1, NULL, &x, NULL),
        CASEHOOK_OK);
    assert_int_equal(casehook_exchange_next(x, &asked), CASEHOOK_EXCHANGE_ENDED);
    struct casehook_result *result = casehook_exchange_result(x);
    assert_int_equal(casehook_result_status(result), CASEHOOK_E_PARAMS);
    assert_non_null(
        strstr(casehook_error_message(casehook_result_error(result)), "unknown whether the case"));
    casehook_result_free(result);
    casehook_exchange_free(x);
    casehook_connector_unref(connector);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_create_stays_unknown_over_two_resumes),
        cmocka_unit_test(create_then_get),
        cmocka_unit_test(white_space_is_an_empty_answer),
        cmocka_unit_test(id_survives_every_later_failure),
        cmocka_unit_test(comments_stop_at_the_first_failure),
        cmocka_unit_test(retry_makes_sense_only_where_nothing_is_done_twice),
        cmocka_unit_test(what_came_of_an_answer_is_kept),
        cmocka_unit_test(the_id_of_a_broken_answer_is_kept),
        cmocka_unit_test(a_created_case_without_usable_answer_is_unknown),
        cmocka_unit_test(redirects_drop_credentials_for_good),
        cmocka_unit_test(redirects_of_writes),
        cmocka_unit_test(redirects_end),
        cmocka_unit_test(excerpts_hide_secrets),
        cmocka_unit_test(limits_of_what_is_fed),
        cmocka_unit_test(misuse_is_an_argument_error),
        cmocka_unit_test(a_deadline_that_passed_may_be_tried_again),
        cmocka_unit_test(faults_of_params_are_results),
        cmocka_unit_test(params_are_not_kept),
        cmocka_unit_test(the_next_request_as_json),
        cmocka_unit_test(redirects_have_an_outcome),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
