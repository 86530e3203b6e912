/* test_config_auth.c - documents with tokens (A1), secrets in the query (A2), signatures (A3). */
#include "../support/documents.h"
#include "../support/watched.h"
#include "document/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define BASE         "https://t.example"
#define LONG_SIZE    (80 * 1024)

/* Of nobody, on P-256. */
#define KEY                                                                                                \
    "\"key\":\"-----BEGIN PRIVATE KEY-----\\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgbg6R87GYacXB" \
    "xO2F\\nOGW/bWy1RUJb1Pw5sBXEoxIFQIqhRANCAAREgAq99rinvSDmfAD6B5OCemQg0Dkd\\nQzq/bclreGpypWWTy+MMjqLNK"  \
    "WDCmcLSonMTigV6Ka4V2qlN4lQbOtKh\\n-----END PRIVATE KEY-----\\n\""
#define OAUTH_ONLY "\"authType\":\"oauth2\",\"accessTokenUrl\":\"https://a.example/t\""
#define OAUTH      OAUTH_ONLY ",\"clientId\":\"c\""
#define GRANT      ",\"grantType\":\"jwt_bearer\""
#define SECRET     "\"clientSecret\":\"s3cret\""
#define SIGNED     "\"hasAuth\":false,\"signature\":"
#define SIGN_KEY   "\"signingKey\":\"k\""
#define NO_AUTH    "\"hasAuth\":false"

struct reading {
    struct casehook__config *config;
    struct casehook__errors errors;
    struct casehook__settings_snapshot *settings;
};

static void read_members(struct reading *reading, const char *config, const char *secrets)
{
    char *document = document_new(BASE, config, secrets);
    *reading = (struct reading){0};
    casehook__errors_init(&reading->errors, NULL);
    reading->settings = casehook__settings_default(NULL);
    casehook__config_read(NULL, reading->settings, casehook__text(document), &reading->config,
                          &reading->errors);
    free(document);
}

static void finish(struct reading *reading)
{
    casehook__config_free(reading->config);
    casehook__settings_unref(reading->settings);
    casehook_error_free(reading->errors.first);
}

/* field NULL: it is accepted; "" is any. */
static void expect(const char *config, const char *secrets, const char *field, const char *words)
{
    struct reading reading;
    read_members(&reading, config, secrets);
    const struct casehook_error *error = reading.errors.first;
    if (error && !field) fail_msg("%.200s: %s: %s", config, error->field, error->message);
    if (!error && field) fail_msg("%.200s %.200s: accepted", config, secrets);
    if (error && (strcmp(error->field, field) != 0 || !strstr(error->message, words) || error->next))
        fail_msg("%.200s: %s: %s%s", config, error->field, error->message, error->next ? ", and more" : "");
    if (error) assert_null(strstr(error->message, "s3cret"));
    finish(&reading);
}

/* A letter so often, in front of what else there is. */
static char *many(char letter, size_t count, const char *before, const char *behind)
{
    static char text[LONG_SIZE];
    assert_true(count + strlen(before) + strlen(behind) < sizeof text);
    size_t length = (size_t)sprintf(text, "%s", before);
    memset(text + length, letter, count);
    strcpy(text + length + count, behind);
    return text;
}

/* ---- tokens -------------------------------------------------------------------------------------- */

static void tokens_refused(void **state)
{
    (void)state;
    static const struct {
        const char *config, *secrets, *field, *words;
    } cases[] = {
        {OAUTH_ONLY ",\"clientId\":\"\"", SECRET, "config.clientId", "is missing"},
        {OAUTH ",\"scope\":\"a\\u0000b\"", SECRET, "config.scope", "NUL"},
        {OAUTH ",\"scope\":7", SECRET, "config.scope", "a text"},
        {OAUTH ",\"additionalFields\":{\"assertion\":\"x\"}", SECRET, "config.additionalFields.assertion",
         "written by the library"},
        {OAUTH ",\"additionalFields\":{\"client_assertion\":\"x\"}", SECRET,
         "config.additionalFields.client_assertion", "written by the library"},
        {OAUTH ",\"additionalFields\":{\"client_assertion_type\":\"x\"}", SECRET,
         "config.additionalFields.client_assertion_type", "written by the library"},
        {OAUTH ",\"additionalFields\":{\"client_id\":\"x\"}", SECRET, "config.additionalFields.client_id",
         "written by the library"},
        {OAUTH ",\"additionalFields\":{\"client_secret\":\"x\"}", SECRET,
         "config.additionalFields.client_secret", "written by the library"},
        {OAUTH ",\"additionalFields\":{\"scope\":\"x\"}", SECRET, "config.additionalFields.scope",
         "written by the library"},
        {OAUTH ",\"additionalFields\":{\"grant_type\":\"x\"}", SECRET, "config.additionalFields.grant_type",
         "written by the library"},
        {OAUTH ",\"additionalFields\":{\"a\":1.5}", SECRET, "config.additionalFields.a", "whole number"},
        {OAUTH ",\"additionalFields\":{\"a\":null}", SECRET, "config.additionalFields.a", "whole number"},
        {OAUTH ",\"additionalFields\":\"[]\"", SECRET, "config.additionalFields", "must be an object"},
        {OAUTH ",\"tokenAudience\":\"x\",\"hasAuth\":false", "", "config.tokenAudience", "does nothing"},
        {NO_AUTH ",\"tokenAuthMethod\":\"client_secret_post\"", "", "config.tokenAuthMethod", "does nothing"},
        {NO_AUTH ",\"tokenAlgorithm\":\"RS256\"", "", "config.tokenAlgorithm", "does nothing"},
        {NO_AUTH ",\"keyId\":\"k\"", "", "config.keyId", "does nothing"},
        {NO_AUTH ",\"grantType\":\"jwt_bearer\"", "", "config.grantType", "does nothing"},
        {NO_AUTH ",\"assertion\":{}", "", "config.assertion", "does nothing"},
        {OAUTH GRANT ",\"assertion\":{\"iat\":1}", KEY, "config.assertion.iat", "for each token"},
        {OAUTH GRANT ",\"assertion\":{\"exp\":1}", KEY, "config.assertion.exp", "for each token"},
        {OAUTH GRANT ",\"assertion\":{\"jti\":\"\"}", KEY, "config.assertion.jti", "for each token"},
        {OAUTH GRANT ",\"assertion\":{\"x\":1.5}", KEY, "config.assertion.x", "fraction"},
        {OAUTH GRANT ",\"assertion\":{\"x\":[{\"y\":1.5}]}", KEY, "config.assertion.x", "fraction"},
        {OAUTH GRANT ",\"assertion\":{\"x\":[[[[[[[[[]]]]]]]]]}", KEY, "config.assertion.x", "too deep"},
        {OAUTH GRANT ",\"assertion\":{\"x\":{\"a\":[{\"a\":[{\"a\":[{\"a\":[{}]}]}]}]}}", KEY,
         "config.assertion.x", "too deep"},
        {OAUTH_ONLY GRANT ",\"assertion\":{\"sub\":\"u\"}", KEY, "config.assertion", "has no iss"},
        {OAUTH GRANT ",\"assertion\":{},\"tokenAlgorithm\":\"RS256\"", KEY, "config.tokenAlgorithm",
         "RS256 needs an RSA key"},
        {OAUTH GRANT ",\"assertion\":{},\"tokenAlgorithm\":\"PS256\"", KEY, "config.tokenAlgorithm",
         "PS256 needs an RSA key"},
        {OAUTH GRANT ",\"assertion\":{},\"tokenAlgorithm\":\"HS256\"", KEY, "config.tokenAlgorithm", "RS256"},
        {OAUTH GRANT ",\"assertion\":{},\"tokenAuthMethod\":\"client_secret_post\"", KEY,
         "secrets.clientSecret", "is missing"},
        {OAUTH_ONLY GRANT ",\"assertion\":{\"iss\":\"i\"}", KEY "," SECRET, "config.clientId", "is missing"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        expect(cases[i].config, cases[i].secrets, cases[i].field, cases[i].words);
}

static void assert_text(struct casehook__text text, const char *wanted)
{
    assert_int_equal(text.data != NULL, wanted != NULL);
    if (!wanted) return;
    if (!casehook__text_is(text, wanted)) fail_msg("%.*s, not %s", (int)text.length, text.data, wanted);
}

static void tokens_accepted(void **state)
{
    (void)state;
    static const struct {
        const char *config, *secrets;
        enum casehook__token_auth auth;
        const char *scope, *fields, *claims;
    } cases[] = {
        {OAUTH ",\"scope\":\"\",\"additionalFields\":\"\"", SECRET, CASEHOOK__TOKEN_POST, NULL, NULL, NULL},
        {OAUTH ",\"scope\":\"s\",\"additionalFields\":{}", SECRET, CASEHOOK__TOKEN_POST, "s", NULL, NULL},
        {OAUTH ",\"additionalFields\":{\"a b\":\"&=\",\"n\":-7,\"t\":true,\"f\":false,\"e\":\"\"}", SECRET,
         CASEHOOK__TOKEN_POST, NULL, "a%20b=%26%3D&n=-7&t=true&f=false&e=", NULL},
        {OAUTH GRANT ",\"assertion\":{\"sub\":\"u\"}", KEY, CASEHOOK__TOKEN_NOBODY, NULL, NULL,
         ",\"sub\":\"u\",\"iss\":\"c\",\"aud\":\"https://a.example/t\""},
        {OAUTH GRANT ",\"tokenAudience\":\"w\",\"assertion\":\"{}\"", KEY, CASEHOOK__TOKEN_NOBODY, NULL, NULL,
         ",\"iss\":\"c\",\"aud\":\"w\""},
        {OAUTH_ONLY GRANT ",\"assertion\":{\"iss\":\"i\",\"aud\":[1,\"b\",null]}", KEY,
         CASEHOOK__TOKEN_NOBODY, NULL, NULL, ",\"iss\":\"i\",\"aud\":[1,\"b\",null]"},
        {OAUTH GRANT
         ",\"assertion\":{\"iss\":\"i\",\"aud\":\"x\",\"\\\"\":{\"a\":true,\"b\":[false,{}],\"c\":[]}"
         "}",
         KEY, CASEHOOK__TOKEN_NOBODY, NULL, NULL,
         ",\"iss\":\"i\",\"aud\":\"x\",\"\\\"\":{\"a\":true,\"b\":[false,{}],\"c\":[]}"},
        {OAUTH GRANT ",\"assertion\":{\"iss\":\"\",\"aud\":0,\"x\":[[[[[[[[]]]]]]]]}", KEY,
         CASEHOOK__TOKEN_NOBODY, NULL, NULL, ",\"iss\":\"\",\"aud\":0,\"x\":[[[[[[[[]]]]]]]]"},
        {OAUTH GRANT ",\"assertion\":{\"aud\":0}", KEY "," SECRET, CASEHOOK__TOKEN_POST, NULL, NULL,
         ",\"aud\":0,\"iss\":\"c\""},
        {OAUTH GRANT ",\"tokenAuthMethod\":\"private_key_jwt\",\"assertion\":{\"aud\":0}", KEY,
         CASEHOOK__TOKEN_JWT, NULL, NULL, ",\"aud\":0,\"iss\":\"c\""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct reading reading;
        read_members(&reading, cases[i].config, cases[i].secrets);
        if (reading.errors.first)
            fail_msg("%s: %s: %s", cases[i].config, reading.errors.first->field,
                     reading.errors.first->message);
        const struct casehook__oauth *oauth = reading.config->oauth;
        assert_int_equal(oauth->auth, cases[i].auth);
        assert_text(oauth->url, "https://a.example/t");
        assert_text(oauth->scope, cases[i].scope);
        assert_text(oauth->fields, cases[i].fields);
        assert_text(oauth->claims, cases[i].claims);
        assert_int_equal(oauth->signer != NULL, cases[i].claims != NULL);
        finish(&reading);
    }
}

/* The first that is too long, and the last that is not. */
static void lengths_of_tokens(void **state)
{
    (void)state;
    char *secret = strdup(many('s', 4096, "\"clientSecret\":\"", "\""));
    expect(OAUTH, secret, NULL, "");
    free(secret);
    secret = strdup(many('s', 4097, "\"clientSecret\":\"", "\""));
    expect(OAUTH, secret, "secrets.clientSecret", "longer than 4096 bytes");
    free(secret);
    static const char fields[] = OAUTH ",\"additionalFields\":{\"a\":\"",
                      claims[] = OAUTH GRANT ",\"assertion\":{\"iss\":1,\"aud\":2,\"a\":\"";
    expect(many('x', 65536 - 2, fields, "\"}"), SECRET, NULL, "");
    expect(many('x', 65536 - 1, fields, "\"}"), SECRET, "config.additionalFields", "65536 bytes as a form");
    size_t around = strlen(",\"iss\":1,\"aud\":2,\"a\":\"\"");
    expect(many('x', 65536 - around, claims, "\"}"), KEY, NULL, "");
    expect(many('x', 65537 - around, claims, "\"}"), KEY, "config.assertion", "65536 bytes");
}

/* As it stands, with the slash at its end. */
static void the_url_of_tokens(void **state)
{
    struct reading reading;
    (void)state;
    read_members(&reading, "\"authType\":\"oauth2\",\"accessTokenUrl\":\"" BASE "/a//t/\",\"clientId\":\"c\"",
                 SECRET);
    assert_null(reading.errors.first);
    assert_text(reading.config->oauth->url, BASE "/a/t/");
    finish(&reading);
    expect(
        "\"authType\":\"oauth2\",\"clientId\":\"c\",\"accessTokenUrl\":\"https://a.example/{{case.title}}\"",
        SECRET, "config.accessTokenUrl", "there are no variables in this URL");
    expect("\"authType\":\"oauth2\",\"clientId\":\"c\",\"accessTokenUrl\":\"/t\"", SECRET,
           "config.accessTokenUrl", "");
}

/* ---- the query ----------------------------------------------------------------------------------- */

static void queries_refused(void **state)
{
    (void)state;
    static const struct {
        const char *url, *name, *field; /* field NULL: accepted */
    } cases[] = {
        {"/c?a=1&k=2", "k", "k"},   {"/c?k", "k", "k"},       {"/c?%6B", "k", "k"},
        {"/c?%6b=", "k", "k"},      {"/c?%50=", "P", "P"},    {"/c?a+b=1", "a b", "a b"},
        {"/c?%6", "k", NULL},       {"/c?kk=1", "k", NULL},   {"/c?k=1", "kk", NULL},
        {"/c?a=k", "k", NULL},      {"/c#?k=1", "k", NULL},   {"/c?a=1#&k=1", "k", NULL},
        {"/c?K=1", "k", NULL},      {"/c?%6=1", "%6", "%6"},  {"/c?%g1=1", "%g1", "%g1"},
        {"/c?%1g=1", "%1g", "%1g"}, {"/c?&&=&k=1", "k", "k"}, {"/k=1", "k", NULL},
    };
    char config[256], secrets[256], field[64];
    for (size_t i = 0; i < COUNT(cases); i++) {
        snprintf(config, sizeof config, NO_AUTH ",\"createIncidentUrl\":\"" BASE "%s\"", cases[i].url);
        snprintf(secrets, sizeof secrets, "\"secretQuery\":{\"%s\":\"s3cret\"}", cases[i].name);
        snprintf(field, sizeof field, "secrets.secretQuery.%s", cases[i].name);
        expect(config, secrets, cases[i].field ? field : NULL, "is in the query of createIncidentUrl");
    }
    /* That of the view is not requested, and the authorization server gets none of them. */
    expect("\"authType\":\"oauth2\",\"clientId\":\"c\",\"accessTokenUrl\":\"" BASE "/t?k=1\"",
           SECRET ",\"secretQuery\":{\"k\":\"s3cret\"}", NULL, "");
    expect(NO_AUTH ",\"viewIncidentUrl\":\"" BASE "/?k={{external.system.id}}\"",
           "\"secretQuery\":{\"k\":\"s3cret\"}", NULL, "");
    expect(NO_AUTH, "\"secretQuery\":{\"\":\"s3cret\"}", "secrets.secretQuery.", "is empty");
    expect(NO_AUTH, "\"secretQuery\":{\"a\":\"\"}", "secrets.secretQuery.a", "is empty");
    expect(NO_AUTH, "\"secretQuery\":{\"a\":\"\\u0000\"}", NULL, "");
}

static void sizes_of_queries(void **state)
{
    char secrets[512] = "\"secretQuery\":{\"p0\":\"s\"";
    struct reading reading;
    (void)state;
    expect(NO_AUTH, "\"secretQuery\":{}", NULL, "");
    read_members(&reading, NO_AUTH, "\"secretQuery\":{}");
    assert_null(reading.config->query);
    finish(&reading);
    for (size_t count = 1; count < 16; count++)
        snprintf(secrets + strlen(secrets), sizeof secrets - strlen(secrets), ",\"p%zu\":\"s\"", count);
    expect(NO_AUTH, strcat(secrets, "}"), NULL, "");
    secrets[strlen(secrets) - 1] = '\0';
    expect(NO_AUTH, strcat(secrets, ",\"p16\":\"s\"}"), "secrets.secretQuery", "more than 16 members");
    size_t most = CASEHOOK__URL_MAX_BYTES / 16;
    expect(NO_AUTH, many('s', most, "\"secretQuery\":{\"a\":\"", "\"}"), NULL, "");
    expect(NO_AUTH, many('s', most + 1, "\"secretQuery\":{\"a\":\"", "\"}"), "secrets.secretQuery.a",
           "longer than");
}

/* What is appended, hidden and dropped, again and again. */
static void queries_of_urls(void **state)
{
    static const struct {
        const char *url, *appended, *hidden, *dropped; /* hop; appended NULL: as it is */
    } cases[] = {
        {"http://h/", "http://h/?k=v%2F&a%20b=w", "http://h/", "http://h/"},
        {"http://h/?", "http://h/??k=v%2F&a%20b=w", "http://h/?", "http://h/?"},
        {"http://h/?x=1", "http://h/?x=1&k=v%2F&a%20b=w", "http://h/?x=1", "http://h/?x=1"},
        {"http://h/?k=s", "http://h/?k=s&a%20b=w", "http://h/?k=***", "http://h/"},
        {"http://h/?k", "http://h/?k&a%20b=w", "http://h/?k=***", "http://h/"},
        {"http://h/?k=s&a+b=s", NULL, "http://h/?k=***&a+b=***", "http://h/"},
        {"http://h/?x=1&k=s&y=2", "http://h/?x=1&k=s&y=2&a%20b=w", "http://h/?x=1&k=***&y=2",
         "http://h/?x=1&y=2"},
        {"http://h/?%6b=s&y=2&a%20b=s", NULL, "http://h/?%6b=***&y=2&a%20b=***", "http://h/?y=2"},
        {"http://h/?k=s#k=s", "http://h/?k=s#k=s&a%20b=w", "http://h/?k=***#k=s", "http://h/#k=s"},
        {"http://h/?x=1&k=s#f", NULL, "http://h/?x=1&k=***#f", "http://h/?x=1#f"},
        {"http://h/#?k=s", NULL, "http://h/#?k=s", "http://h/#?k=s"},
    };
    struct reading reading;
    (void)state;
    read_members(&reading, NO_AUTH, "\"secretQuery\":{\"k\":\"v/\",\"a b\":\"w\"}");
    assert_null(reading.errors.first);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct casehook__buf url, hidden;
        struct casehook_error error = {0};
        casehook__error_init(&error);
        casehook__buf_init(&url, NULL, CASEHOOK__URL_MAX_BYTES);
        casehook__buf_init(&hidden, NULL, CASEHOOK__URL_MAX_BYTES);
        casehook__query_hide(reading.config, cases[i].url, &hidden);
        assert_string_equal(casehook__buf_string(&hidden), cases[i].hidden);
        casehook__buf_append_string(&url, cases[i].url);
        casehook__query_drop(reading.config, &url);
        assert_string_equal(casehook__buf_string(&url), cases[i].dropped);
        assert_int_equal(url.length, strlen(cases[i].dropped));
        casehook__buf_clear(&url);
        casehook__buf_append_string(&url, cases[i].url);
        /* URLs that are requested have no fragment. */
        if (!strchr(cases[i].url, '#')) {
            assert_int_equal(casehook__query_append(reading.config, true, &url, &error), CASEHOOK_OK);
            assert_string_equal(casehook__buf_string(&url),
                                cases[i].appended ? cases[i].appended : cases[i].url + 0);
        }
        casehook__buf_free(&url);
        casehook__buf_free(&hidden);
    }
    finish(&reading);
}

static void urls_that_get_too_long(void **state)
{
    struct reading reading;
    struct casehook__buf url;
    struct casehook_error error = {0};
    (void)state;
    casehook__error_init(&error);
    read_members(&reading, NO_AUTH, "\"secretQuery\":{\"k\":\"v\"}");
    for (size_t more = 0; more < 2; more++) {
        casehook__buf_init(&url, NULL, 64);
        casehook__buf_append_string(&url, many('x', 64 - strlen("http://h/?k=v") + more, "http://h/", ""));
        assert_int_equal(casehook__query_append(reading.config, false, &url, &error),
                         more ? CASEHOOK_E_LIMIT : CASEHOOK_OK);
        casehook__buf_free(&url);
    }
    assert_non_null(strstr(error.message, "too long"));
    finish(&reading);
}

/* ---- signatures ---------------------------------------------------------------------------------- */

static void signatures_refused(void **state)
{
    (void)state;
    static const struct {
        const char *config, *secrets, *field, *words;
    } cases[] = {
        {SIGNED "{\"header\":\"X-S\",\"timestampHeader\":\"x-s\"}", SIGN_KEY,
         "config.signature.timestampHeader", "is the header of the signature"},
        {SIGNED "{\"header\":\"X-S\",\"content\":\"\"}", SIGN_KEY, "config.signature.content", "is empty"},
        {SIGNED "{\"header\":\"X-S\",\"content\":\"a{{bodi}}\"}", SIGN_KEY, "config.signature.content",
         "did you mean {{body}}?"},
        {SIGNED "{\"header\":\"X-S\",\"content\":\"{{zzzzzzzzz}}\"}", SIGN_KEY, "config.signature.content",
         "{{method}} and {{path}}"},
        {SIGNED "{\"header\":\"X-S\",\"content\":\"{{{body}}\"}", SIGN_KEY, "config.signature.content",
         "has no end"},
        {SIGNED "{\"header\":\"X-S\",\"content\":\"{{body}\"}", SIGN_KEY, "config.signature.content",
         "has no end"},
        {SIGNED "{\"header\":\"X-S\",\"content\":\"{{body\"}", SIGN_KEY, "config.signature.content",
         "has no end"},
        {SIGNED "{\"header\":\"X-S\",\"content\":\"{{}}\"}", SIGN_KEY, "config.signature.content",
         "is unknown here"},
        {SIGNED "{\"header\":\"X-S\",\"algorithm\":\"md5\"}", SIGN_KEY, "config.signature.algorithm",
         "sha256"},
        {SIGNED "{\"header\":\"X-S\",\"encoding\":\"Hex\"}", SIGN_KEY, "config.signature.encoding", "hex"},
        {SIGNED "{\"header\":\"X-S\",\"prefix\":\"\\n\"}", SIGN_KEY, "config.signature.prefix",
         "no beginning of a header"},
        {SIGNED "{\"header\":\"X-S\",\"prefix\":\"\\u00e9\"}", SIGN_KEY, "config.signature.prefix",
         "no beginning of a header"},
        {SIGNED "{\"header\":\"X-S\",\"prefix\":7}", SIGN_KEY, "config.signature.prefix", "a text"},
        {SIGNED "7", SIGN_KEY, "config.signature", "an object"},
        {SIGNED "{\"header\":\"X-S\"}", "\"signingKey\":\"\"", "secrets.signingKey", "is missing"},
        {SIGNED "{\"header\":\"X-S\"}", "\"signingKey\":\"whsec_\"", "secrets.signingKey", "no base64"},
        {SIGNED "{\"header\":\"X-S\"}", "\"signingKey\":[\"a\",\"\"]", "secrets.signingKey[1]", "is empty"},
        {SIGNED "{\"header\":\"X-S\"}", "\"signingKey\":[\"a\",{}]", "secrets.signingKey[1]", "a text"},
        {SIGNED "{\"header\":\"X-S\"}",
         "\"signingKey\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]", "secrets.signingKey",
         "more than 8"},
        {SIGNED "{\"scheme\":\"standard-webhooks\",\"timestampHeader\":\"X-T\"}", SIGN_KEY,
         "config.signature.timestampHeader", "does not go with a scheme"},
        {SIGNED "{\"scheme\":\"standard-webhooks\",\"algorithm\":\"sha256\"}", SIGN_KEY,
         "config.signature.algorithm", "does not go with a scheme"},
        {SIGNED "{\"scheme\":\"standard-webhooks\"},\"headers\":{\"Webhook-Id\":\"1\"}", SIGN_KEY,
         "config.signature", "webhook-id"},
        {SIGNED "{\"scheme\":\"standard-webhooks\"},\"headers\":{\"webhook-timestamp\":\"1\"}", SIGN_KEY,
         "config.signature", "webhook-timestamp"},
        {SIGNED "{\"scheme\":\"standard-webhooks\"},\"headers\":{\"webhook-signature\":\"1\"}", SIGN_KEY,
         "config.signature", "webhook-signature"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        expect(cases[i].config, cases[i].secrets, cases[i].field, cases[i].words);
}

static void signatures_accepted(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {SIGNED "{\"header\":\"X-S\",\"scheme\":null,\"prefix\":null,\"content\":null,\"encoding\":null}",
         SIGN_KEY},
        {SIGNED "{\"header\":\"X-S\",\"content\":\"{{{ body }}}{ {{path}} {\"}", SIGN_KEY},
        {SIGNED "{\"scheme\":\"standard-webhooks\",\"header\":null}", "\"signingKey\":\"whsec_AA==\""},
        {SIGNED "{\"header\":\"X-S\"}", "\"signingKey\":\"whsec\""},
        {SIGNED "{\"header\":\"X-S\"}", "\"signingKey\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\"]"},
        {SIGNED "null", ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) expect(cases[i][0], cases[i][1], NULL, "");
}

static void sizes_of_signatures(void **state)
{
    static char config[2048];
    (void)state;
    expect(SIGNED "{\"header\":\"X-S\"}", many('k', 4096, "\"signingKey\":\"", "\""), NULL, "");
    expect(SIGNED "{\"header\":\"X-S\"}", many('k', 4097, "\"signingKey\":\"", "\""), "secrets.signingKey",
           "longer than 4096");
    for (size_t more = 0; more < 2; more++) {
        char *text = many('=', 64 + more, SIGNED "{\"header\":\"X-S\",\"prefix\":\"", "\"}");
        expect(text, SIGN_KEY, more ? "config.signature.prefix" : NULL, "at most 64");
        /* 32 pieces: 16 tags, and a text in front of each. */
        strcpy(config, SIGNED "{\"header\":\"X-S\",\"content\":\"");
        for (int i = 0; i < 16; i++) strcat(config, ".{{body}}");
        strcat(config, more ? ".\"}" : "\"}");
        expect(config, SIGN_KEY, more ? "config.signature.content" : NULL, "more than 32 pieces");
    }
    /* Of a long name a part is shown. */
    snprintf(config, sizeof config, SIGNED "{\"header\":\"X-S\",\"content\":\"{{%.*s}}\"}", 70,
             many('n', 70, "", ""));
    char *words = many('n', 64, "{{", "}} is unknown here");
    expect(config, SIGN_KEY, "config.signature.content", words);
}

/* ---- memory -------------------------------------------------------------------------------------- */

/* All that was read is there: nothing is left out because there was no memory for it. */
static bool is_whole(const struct casehook__config *config)
{
    const struct casehook__oauth *oauth = config->oauth;
    const struct casehook__signature *signature = config->signature;
    const struct casehook__secret_query *query = config->query;
    return oauth && oauth->url.data && oauth->client_id.data && oauth->scope.data && oauth->audience.data &&
           oauth->fields.data && oauth->claims.data && oauth->key_id.data && oauth->signer &&
           oauth->client_secret.data && signature && signature->header.data &&
           signature->timestamp_header.data && signature->prefix.data && signature->piece_count == 3 &&
           signature->key_count == 2 && signature->keys[1].data && query && query->count == 2 &&
           query->items[1].pair.data;
}

/* All ways at once to have a secret; what is "s3cret" must be wiped. */
static char *document_with_all(void)
{
    return document_new(
        BASE,
        OAUTH GRANT
        ",\"scope\":\"s\",\"tokenAudience\":\"a\",\"keyId\":\"k\",\"assertion\":{\"sub\":\"u\"},"
        "\"additionalFields\":{\"a\":\"s3cret\"},\"tokenAuthMethod\":\"client_secret_post\",\"signature\":"
        "{\"header\":\"X-S\",\"prefix\":\"p\",\"timestampHeader\":\"X-T\",\"content\":\"{{body}}.{{timestamp}"
        "}"
        "\"}",
        KEY "," SECRET
            ",\"signingKey\":[\"whsec_AAAA\",\"s3cret\"],\"secretQuery\":{\"a\":\"b\",\"c\":\"s3cret\"}");
}

static struct casehook__config *read_watched(struct watched *watched,
                                             struct casehook__settings_snapshot *settings,
                                             const char *document, struct casehook__heap **heap, int *status)
{
    const struct casehook_allocator allocator = watched_allocator(watched);
    struct casehook__config *config = NULL;
    struct casehook__errors errors;
    assert_int_equal(casehook__heap_new(&allocator, heap), CASEHOOK_OK);
    casehook__errors_init(&errors, *heap);
    *status = casehook__config_read(*heap, settings, casehook__text(document), &config, &errors);
    casehook_error_free(errors.first);
    return config;
}

static void no_memory_loses_nothing(void **state)
{
    struct casehook__settings_snapshot *settings = casehook__settings_default(NULL);
    char *document = document_with_all();
    unsigned failed = 0;
    (void)state;
    for (size_t fail_at = 2;; fail_at++) {
        struct watched watched = {.fail_at = fail_at};
        struct casehook__heap *heap;
        int status;
        struct casehook__config *config = read_watched(&watched, settings, document, &heap, &status);
        if (!status) assert_true(is_whole(config));
        if (status) assert_int_equal(status, CASEHOOK_E_NO_MEMORY);
        failed += status != CASEHOOK_OK;
        casehook__config_free(config);
        casehook__heap_unref(heap);
        if (watched.allocations < fail_at) break;
    }
    assert_true(failed > 50);
    casehook__settings_unref(settings);
    free(document);
}

static void secrets_are_wiped(void **state)
{
    struct casehook__settings_snapshot *settings = casehook__settings_default(NULL);
    char *document = document_with_all();
    struct watched watched = {.word = NULL};
    struct casehook__heap *heap;
    int status;
    (void)state;
    struct casehook__config *config = read_watched(&watched, settings, document, &heap, &status);
    assert_int_equal(status, CASEHOOK_OK);
    watched.word = "s3cret";
    casehook__config_free(config);
    assert_int_equal(watched.found, 0);
    casehook__heap_unref(heap);
    casehook__settings_unref(settings);
    free(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_refused),      cmocka_unit_test(tokens_accepted),
        cmocka_unit_test(lengths_of_tokens),   cmocka_unit_test(the_url_of_tokens),
        cmocka_unit_test(queries_refused),     cmocka_unit_test(sizes_of_queries),
        cmocka_unit_test(queries_of_urls),     cmocka_unit_test(urls_that_get_too_long),
        cmocka_unit_test(signatures_refused),  cmocka_unit_test(signatures_accepted),
        cmocka_unit_test(sizes_of_signatures), cmocka_unit_test(no_memory_loses_nothing),
        cmocka_unit_test(secrets_are_wiped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
