/* test_token.c - what is asked of an authorization server, and what its answers are taken for (A1). */
#include "../support/documents.h"
#include "base/base64.h"
#include "exchange/token.h"

#include <jansson.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define BASE         "https://t.example"
#define OAUTH        "\"authType\":\"oauth2\",\"accessTokenUrl\":\"https://a.example/t\",\"clientId\":\"c&d\""
#define SECRET       "\"clientSecret\":\"s3cr et\""
/* Of nobody, on P-256. */
#define KEY                                                                                                \
    "\"key\":\"-----BEGIN PRIVATE KEY-----\\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgbg6R87GYacXB" \
    "xO2F\\nOGW/bWy1RUJb1Pw5sBXEoxIFQIqhRANCAAREgAq99rinvSDmfAD6B5OCemQg0Dkd\\nQzq/bclreGpypWWTy+MMjqLNK"  \
    "WDCmcLSonMTigV6Ka4V2qlN4lQbOtKh\\n-----END PRIVATE KEY-----\\n\""

static struct casehook_connector *connector;
static struct casehook_exchange *exchange;
static struct casehook_http_request request;

static void begin(const char *config, const char *secrets)
{
    static const struct casehook_params params = {.struct_size = sizeof params, .title = "t"};
    connector = document_connector(NULL, BASE, config, secrets);
    assert_int_equal(casehook_exchange_new(connector, CASEHOOK_CREATE, &params, NULL, &exchange, NULL),
                     CASEHOOK_OK);
    request = (struct casehook_http_request){.struct_size = sizeof request};
    assert_int_equal(casehook_exchange_next(exchange, &request), CASEHOOK_EXCHANGE_REQUEST);
    assert_int_equal(request.step, CASEHOOK_STEP_TOKEN);
}

static void end(void)
{
    casehook_exchange_free(exchange);
    casehook_connector_unref(connector);
}

/* ---- answers ------------------------------------------------------------------------------------- */

#define REFUSED(status, json, words)                                          \
    {                                                                         \
        status, json, words, CASEHOOK_E_HTTP_STATUS, CASEHOOK_OUTCOME_REFUSED \
    }
#define WRONG(json, words)                                              \
    {                                                                   \
        200, json, words, CASEHOOK_E_RESPONSE, CASEHOOK_OUTCOME_UNKNOWN \
    }
#define MOVED(status)                                                                    \
    {                                                                                    \
        status, "", "follows no redirect", CASEHOOK_E_REDIRECT, CASEHOOK_OUTCOME_REFUSED \
    }

static void answers_without_a_token(void **state)
{
    (void)state;
    static const struct {
        int http;
        const char *body, *words;
        int status, outcome;
    } cases[] = {
        REFUSED(400, "{\"error\":\"unauthorized_client\"}",
                "error \"unauthorized_client\"; the client may not"),
        REFUSED(400, "{\"error\":\"invalid_scope\",\"error_description\":\"no such\"}",
                "error \"invalid_scope\" (no such); check scope"),
        REFUSED(400, "{\"error\":\"invalid_grant\"}", "; check the claims in assertion"),
        REFUSED(400, "{\"error\":\"unsupported_grant_type\"}", "; the server does not know this grantType"),
        REFUSED(400, "{\"error\":\"invalid_request\"}", "; check additionalFields"),
        REFUSED(401, "{\"error\":\"invalid_client\"}", "; check clientId, secrets.clientSecret"),
        REFUSED(400, "{\"error\":\"\\u0069nvalid_scope\"}", "error \"invalid_scope\"; check scope"),
        REFUSED(400, "{\"error\":\"other\",\"access_token\":\"t0ken\"}", "error \"other\""),
        REFUSED(400, "{\"error\":7}", "answered 400: \"{\"error\":7}\"; check clientId"),
        REFUSED(401, "no", "answered 401: \"no\"; check clientId"),
        REFUSED(403, "no", "answered 403: \"no\""),
        REFUSED(404, "", "; check accessTokenUrl"),
        REFUSED(405, "", "; check accessTokenUrl"),
        REFUSED(500, "s3cr et, s3cr%20et", "answered 500: \"***, ***\""),
        REFUSED(400, "access_token=t0ken", "answered 400: \"***\""),
        REFUSED(400, "x=t0ken&y=access_token", "answered 400: \"***\""),
        REFUSED(400, "{\"refresh_token\":\"t0ken\"}", "answered 400: \"***\""),
        REFUSED(400, "id_token t0ken", "answered 400: \"***\""),
        REFUSED(400, "an access_toke", "answered 400: \"an access_toke\""),
        MOVED(300),
        MOVED(308),
        MOVED(399),
        WRONG("{\"error\":\"invalid_scope\"}", "answered 200: error \"invalid_scope\"; check scope"),
        WRONG("{}", "has no access_token"),
        WRONG("{\"access_token\":null}", "has no access_token"),
        WRONG("{\"data\":{\"access_token\":\"t0ken\"}}", "has no access_token"),
        WRONG("[\"access_token\"]", "is no JSON object"),
        WRONG("{\"access_token\":\"t0ken\"} x", "is no JSON object"),
        WRONG("{\"access_token\":\"t0ken\",\"token_type\":\"mac\"}", "not Bearer"),
        WRONG("{\"access_token\":\"t0ken\",\"token_type\":\"bearer \"}", "not Bearer"),
        WRONG("{\"access_token\":\"\"}", "no header may have"),
        WRONG("{\"access_token\":\" t0ken\"}", "no header may have"),
        WRONG("{\"access_token\":\"t0ken\\u007f\"}", "no header may have"),
        WRONG("{\"access_token\":\"t0ken\\u00e9\"}", "no header may have"),
        WRONG("{\"access_token\":\"t0ken\\u0000\"}", "no header may have"),
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin(OAUTH, SECRET);
        casehook_exchange_feed(exchange, cases[i].http, "Retry-After: 7", CASEHOOK_TERMINATED, cases[i].body,
                               CASEHOOK_TERMINATED);
        assert_int_equal(casehook_exchange_next(exchange, &request), CASEHOOK_EXCHANGE_ENDED);
        struct casehook_result *result = casehook_exchange_result(exchange);
        const struct casehook_error *error = casehook_result_error(result);
        const char *message = casehook_error_message(error);
        if (!strstr(message, cases[i].words) || strstr(message, "t0ken") || strstr(message, "s3cr"))
            fail_msg("case %zu: %s", i, message);
        /* "; check" is asked of those alone that name something to check. */
        if (!strstr(cases[i].words, ";") && cases[i].status == CASEHOOK_E_HTTP_STATUS && cases[i].http >= 403)
            assert_null(strstr(message, "; check"));
        assert_int_equal(casehook_error_status(error), cases[i].status);
        assert_int_equal(casehook_error_http_status(error), cases[i].http);
        assert_int_equal(casehook_error_step(error), CASEHOOK_STEP_TOKEN);
        assert_int_equal(casehook_result_request_outcome(result, 0), cases[i].outcome);
        assert_int_equal(casehook_error_retry_after_ms(error), 7000);
        casehook_result_free(result);
        end();
    }
}

/* Who is not believed is told by what the client shows who it is. */
static void clients_that_are_not_known(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {OAUTH, SECRET, "check clientId, secrets.clientSecret and tokenAuthMethod"},
        {OAUTH ",\"tokenAuthMethod\":\"client_secret_basic\"", SECRET,
         "check clientId, secrets.clientSecret and tokenAuthMethod"},
        {OAUTH ",\"tokenAuthMethod\":\"private_key_jwt\"", KEY, "check clientId, secrets.key"},
        {OAUTH ",\"grantType\":\"jwt_bearer\",\"assertion\":{}", KEY, "check clientId, assertion"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin(cases[i][0], cases[i][1]);
        casehook_exchange_feed(exchange, 401, NULL, 0, "{\"error\":\"invalid_client\"}", CASEHOOK_TERMINATED);
        struct casehook_result *result = casehook_exchange_result(exchange);
        const char *message = casehook_error_message(casehook_result_error(result));
        if (!strstr(message, cases[i][2])) fail_msg("%s", message);
        casehook_result_free(result);
        end();
    }
}

static const char *authorization(void)
{
    for (size_t i = 0; i < request.header_count; i++)
        if (strcmp(request.headers[i].name, "Authorization") == 0) return request.headers[i].value;
    return NULL;
}

static void answers_with_a_token(void **state)
{
    (void)state;
    static const struct {
        int http;
        const char *body, *token;
    } cases[] = {
        {200, "{\"access_token\":\"a\",\"token_type\":\"bEaReR\"}", "Bearer a"},
        {299, " {\"token_type\":7,\"access_token\":\"~!\\u0041\"} ", "Bearer ~!A"},
        {200, "{\"error\":\"x\",\"access_token\":\"a\"}", "Bearer a"},
        {201, "{\"error\":null,\"access_token\":\"a\",\"expires_in\":\"soon\"}", "Bearer a"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin(OAUTH, SECRET);
        casehook_exchange_feed(exchange, cases[i].http, NULL, 0, cases[i].body, CASEHOOK_TERMINATED);
        assert_int_equal(casehook_exchange_next(exchange, &request), CASEHOOK_EXCHANGE_REQUEST);
        assert_int_equal(request.step, CASEHOOK_STEP_CREATE);
        assert_string_equal(authorization(), cases[i].token);
        end();
    }
}

/* The longest that there may be, and one more. */
static void long_tokens(void **state)
{
    static char body[CASEHOOK__TOKEN_MAX_BYTES + 64];
    (void)state;
    for (int more = 0; more < 2; more++) {
        size_t length = (size_t)sprintf(body, "{\"access_token\":\"");
        memset(body + length, 't', CASEHOOK__TOKEN_MAX_BYTES + (size_t)more);
        strcpy(body + length + CASEHOOK__TOKEN_MAX_BYTES + more, "\"}");
        begin(OAUTH, SECRET);
        casehook_exchange_feed(exchange, 200, NULL, 0, body, CASEHOOK_TERMINATED);
        int turn = casehook_exchange_next(exchange, &request);
        assert_int_equal(turn, more ? CASEHOOK_EXCHANGE_ENDED : CASEHOOK_EXCHANGE_REQUEST);
        if (more) {
            struct casehook_result *result = casehook_exchange_result(exchange);
            assert_non_null(strstr(casehook_error_message(casehook_result_error(result)), "too long"));
            casehook_result_free(result);
        }
        end();
    }
}

/* ---- requests ------------------------------------------------------------------------------------ */

/* A part of a JWT, as JSON. */
static json_t *part_of(const char *jwt, int part)
{
    for (; part > 0; part--) jwt = strchr(jwt, '.') + 1;
    struct casehook__buf text, json;
    casehook__buf_init(&text, NULL, 4096);
    casehook__buf_init(&json, NULL, 4096);
    for (; *jwt && *jwt != '.' && *jwt != '&'; jwt++)
        casehook__buf_append_char(&text, *jwt == '-' ? '+' : *jwt == '_' ? '/' : *jwt);
    while (text.length % 4) casehook__buf_append_char(&text, '=');
    assert_int_equal(casehook__base64_decode(&json, casehook__buf_text(&text)), CASEHOOK_OK);
    json_t *object = json_loads(casehook__buf_string(&json), 0, NULL);
    assert_non_null(object);
    casehook__buf_free(&text);
    casehook__buf_free(&json);
    return object;
}

static void assert_member(const json_t *object, const char *name, const char *wanted)
{
    const char *text = json_string_value(json_object_get(object, name));
    if (!wanted)
        assert_null(text);
    else if (!text || strcmp(text, wanted) != 0)
        fail_msg("%s: %s, not %s", name, text ? text : "none", wanted);
}

/* The forms, up to a JWT in them, which is looked at by itself. */
static void forms(void **state)
{
    (void)state;
    static const char jwt_grant[] =
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=",
                      by_jwt[] =
                          "grant_type=client_credentials&client_id=c%26d&client_assertion_type=urn%3Aietf"
                          "%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=";
    static const struct {
        const char *config, *secrets, *begins, *ends, *basic;
        const char *kid, *sub, *aud; /* sub NULL: there is no JWT */
    } cases[] = {
        {OAUTH ",\"scope\":\"a b\",\"additionalFields\":{\"x\":1}", SECRET,
         "grant_type=client_credentials&client_id=c%26d&client_secret=s3cr%20et&scope=a%20b&x=1", "", NULL,
         NULL, NULL, NULL},
        {OAUTH ",\"tokenAuthMethod\":\"client_secret_basic\"", SECRET, "grant_type=client_credentials", "",
         "Basic YyUyNmQ6czNjciUyMGV0", NULL, NULL, NULL},
        {OAUTH ",\"tokenAuthMethod\":\"private_key_jwt\",\"keyId\":\"k1\",\"scope\":\"s\"", KEY, by_jwt,
         "&scope=s", NULL, "k1", "c&d", "https://a.example/t"},
        {OAUTH ",\"tokenAuthMethod\":\"private_key_jwt\",\"tokenAudience\":\"w\"", KEY, by_jwt, "", NULL,
         NULL, "c&d", "w"},
        {OAUTH ",\"grantType\":\"jwt_bearer\",\"assertion\":{\"sub\":\"u\"}", KEY, jwt_grant, "", NULL, NULL,
         "u", "https://a.example/t"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin(cases[i].config, cases[i].secrets);
        const char *body = request.body, *behind = body + strlen(cases[i].begins);
        if (strncmp(body, cases[i].begins, strlen(cases[i].begins)) != 0) fail_msg("case %zu: %s", i, body);
        size_t jwt = strcspn(behind, "&");
        assert_string_equal(behind + jwt, cases[i].ends);
        assert_int_equal(jwt > 0, cases[i].sub != NULL);
        const char *basic = authorization();
        assert_int_equal(basic != NULL, cases[i].basic != NULL);
        if (basic) assert_string_equal(basic, cases[i].basic);
        if (jwt) {
            json_t *header = part_of(behind, 0), *claims = part_of(behind, 1);
            assert_member(header, "typ", "JWT");
            assert_member(header, "alg", "ES256");
            assert_member(header, "kid", cases[i].kid);
            assert_member(claims, "iss", "c&d");
            assert_member(claims, "sub", cases[i].sub);
            assert_member(claims, "aud", cases[i].aud);
            assert_int_equal(strlen(json_string_value(json_object_get(claims, "jti"))), 36);
            json_int_t issued = json_integer_value(json_object_get(claims, "iat"));
            assert_int_equal(json_integer_value(json_object_get(claims, "exp")), issued + 300);
            json_decref(header);
            json_decref(claims);
        }
        end();
    }
}

/* A server that says it again is not quoted with it. */
static void a_jwt_that_is_told_again(void **state)
{
    char body[8192], jwt[64];
    (void)state;
    begin(OAUTH ",\"tokenAuthMethod\":\"private_key_jwt\"", KEY);
    const char *sent = strstr(request.body, "client_assertion=") + strlen("client_assertion=");
    snprintf(jwt, sizeof jwt, "%.40s", sent);
    snprintf(body, sizeof body, "{\"error\":\"x\",\"error_description\":\"not %s\"}", sent);
    casehook_exchange_feed(exchange, 400, NULL, 0, body, CASEHOOK_TERMINATED);
    struct casehook_result *result = casehook_exchange_result(exchange);
    const char *message = casehook_error_message(casehook_result_error(result));
    assert_non_null(strstr(message, "not ***"));
    assert_null(strstr(message, jwt));
    casehook_result_free(result);
    end();
}

/* It shows what is asked, without what is secret or made anew each time. */
static void a_preview(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {OAUTH, SECRET, "grant_type=client_credentials&client_id=c%26d&client_secret=***"},
        {OAUTH ",\"grantType\":\"jwt_bearer\",\"assertion\":{}", KEY, "jwt-bearer&assertion=***"},
        {OAUTH ",\"tokenAuthMethod\":\"private_key_jwt\"", KEY, "&client_assertion=***"}};
    static const struct casehook_params params = {.struct_size = sizeof params, .title = "t"};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct casehook_result *result = NULL;
        connector = document_connector(NULL, BASE, cases[i][0], cases[i][1]);
        assert_int_equal(casehook_preview(connector, CASEHOOK_CREATE, &params, &result), CASEHOOK_OK);
        const char *json = casehook_result_json(result, NULL), *found = strstr(json, cases[i][2]);
        if (!found || found[strlen(cases[i][2])] != '"') fail_msg("%s", json);
        casehook_result_free(result);
        casehook_connector_unref(connector);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_without_a_token),
        cmocka_unit_test(clients_that_are_not_known),
        cmocka_unit_test(answers_with_a_token),
        cmocka_unit_test(long_tokens),
        cmocka_unit_test(forms),
        cmocka_unit_test(a_jwt_that_is_told_again),
        cmocka_unit_test(a_preview),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
