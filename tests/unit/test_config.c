/* test_config.c - connector documents (C1, C3-C8, K4, P2, U4, U5). */
#include "document/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct member {
    const char *name, *json; /* json NULL: left out */
};

static const struct member base[] = {
    {"createIncidentUrl", "\"https://t.example/issue\""},
    {"createIncidentJson", "\"{\\\"s\\\":{{case.title}},\\\"d\\\":{{case.description}}}\""},
    {"createIncidentResponseKey", "\"id\""},
    {"getIncidentUrl", "\"https://t.example/issue/{{external.system.id}}\""},
    {"getIncidentResponseExternalTitleKey", "\"key\""},
    {"viewIncidentUrl", "\"https://t.example/browse/{{external.system.title}}\""},
    {"updateIncidentUrl", "\"https://t.example/issue/{{external.system.id}}\""},
    {"updateIncidentJson", "\"{\\\"s\\\":{{case.title}},\\\"d\\\":{{case.description}}}\""},
    {"createCommentUrl", "\"https://t.example/issue/{{external.system.id}}/comment\""},
    {"createCommentJson", "\"{\\\"body\\\":{{case.comment}}}\""},
    {"hasAuth", "false"},
};

#define BASE_COUNT (sizeof base / sizeof *base)

/* The base document with up to three members replaced or added; secrets is JSON. */
static void write_document(char *out, size_t size, const struct member *changes, const char *secrets)
{
    size_t length = (size_t)snprintf(out, size, "{\"config\":{"), written = 0;
    for (size_t i = 0; i < BASE_COUNT; i++) {
        const char *json = base[i].json;
        for (size_t j = 0; j < 3 && changes[j].name; j++)
            if (strcmp(changes[j].name, base[i].name) == 0) json = NULL;
        if (json)
            length += (size_t)snprintf(out + length, size - length, "%s\"%s\":%s", written++ ? "," : "",
                                       base[i].name, json);
    }
    for (size_t j = 0; j < 3 && changes[j].name; j++)
        if (changes[j].json)
            length += (size_t)snprintf(out + length, size - length, "%s\"%s\":%s", written++ ? "," : "",
                                       changes[j].name, changes[j].json);
    length += (size_t)snprintf(out + length, size - length, "},\"secrets\":%s}", secrets ? secrets : "{}");
    assert_true(length < size);
}

/* What a reading gave. */
struct reading {
    int status;
    struct casehook__config *config;
    struct casehook__errors errors;
    struct casehook__settings_snapshot *settings;
};

static void read_text(struct reading *reading, const char *document, const char *settings)
{
    *reading = (struct reading){0};
    casehook__errors_init(&reading->errors, NULL);
    assert_int_equal(casehook__settings_read(NULL, casehook__text(settings ? settings : "{}"), NULL,
                                             &reading->settings, &reading->errors),
                     CASEHOOK_OK);
    reading->status = casehook__config_read(NULL, reading->settings, casehook__text(document),
                                            &reading->config, &reading->errors);
}

static void read_changed(struct reading *reading, const struct member *changes, const char *secrets,
                         const char *settings)
{
    static char document[65536];
    write_document(document, sizeof document, changes, secrets);
    read_text(reading, document, settings);
}

static void finish(struct reading *reading)
{
    casehook__config_free(reading->config);
    casehook__settings_unref(reading->settings);
    casehook_error_free(reading->errors.first);
}

struct good {
    struct member changes[3];
    const char *secrets, *settings;
};

static void accepted(void **state)
{
    (void)state;
    static const struct good cases[] = {
        {{{NULL, NULL}}, NULL, NULL},
        {{{"createIncidentMethod", "\"PaTcH\""}, {"updateIncidentMethod", "\"POST\""}}, NULL, NULL},
        {{{"createIncidentResponseKey", "\"\""}}, NULL, NULL},
        {{{"createCommentMethod", "null"}}, NULL, NULL},
        {{{"createCommentUrl", "null"}, {"createCommentJson", "null"}}, NULL, NULL},
        {{{"createCommentUrl", "\"\""}, {"createCommentJson", "\"\""}}, NULL, NULL},
        {{{"createCommentUrl", NULL}, {"strict", "false"}}, NULL, NULL},
        {{{"createCommentUrl", NULL}, {"createCommentMethod", "null"}}, NULL, NULL},
        {{{"getIncidentMethod", "\"post\""},
          {"getIncidentUrl", "\"https://t.example/search\""},
          {"getIncidentJson", "\"{\\\"id\\\":{{external.system.id}}}\""}},
         NULL,
         NULL},
        {{{"getIncidentMethod", "\"post\""}, {"getIncidentJson", "null"}}, NULL, NULL},
        {{{"getIncidentMethod", "\"post\""}, {"getIncidentJson", "\"\""}}, NULL, NULL},
        {{{"viewIncidentUrl", "\"https://t.example/b/{{external.system.id}}\""}}, NULL, NULL},
        {{{"viewIncidentUrl", "\"https://t.example/board\""}, {"strict", "false"}}, NULL, NULL},
        {{{"updateIncidentUrl", "\"https://t.example/{{external.system.ID}}\""}}, NULL, NULL},
        {{{"createIncidentUrl", "\"https://t.example/{{case.severity}}/{{case.fields.p}}\""}}, NULL, NULL},
        {{{"createIncidentJson", "\"{\\\"s\\\":\\\"[X] {{case.title}}\\\",\\\"d\\\":{{case.description}},"
                                 "\\\"p\\\":{{case.fields.prio}},\\\"l\\\":{{case.labels}}}\""}},
         NULL,
         NULL},
        {{{"updateIncidentJson", "\"{\\\"s\\\":{{case.title}},\\\"d\\\":{{case.description}},"
                                 "\\\"i\\\":{{external.system.id}}}\""}},
         NULL,
         NULL},
        {{{"createIncidentJson", "\"{\\\"o\\\":\\\"{{case.owner}}\\\"}\""}, {"strict", "false"}}, NULL, NULL},
        {{{"headers", "null"}, {"authType", "null"}, {"certType", "\"pfx\""}}, NULL, NULL},
        {{{"headers", "{}"}, {"accessTokenUrl", "\"x\""}, {"additionalFields", "null"}}, NULL, NULL},
        {{{"ca", "\"\""}, {"verificationMode", "\"none\""}}, "null", NULL},
        {{{"authType", "\"webhook-authentication-ssl\""}}, "{\"user\":\"a:b\",\"crt\":\"!\"}", NULL},
        {{{"authType", "\"webhook-oauth2-client-credentials\""}}, "{\"clientSecret\":\"x\"}", NULL},
        {{{"hasAuth", "true"}, {"authType", "\"none\""}}, NULL, NULL},
        {{{"hasAuth", "true"}},
         "{\"user\":\"u\",\"password\":\" \",\"clientSecret\":\"c\",\"crt\":\"\"}",
         NULL},
        {{{"hasAuth", NULL}, {"authType", "\"basic\""}},
         "{\"user\":\"j\\u00f6rg\",\"password\":\"b:c:\"}",
         NULL},
        {{{"hasAuth", "true"}, {"authType", "\"ssl\""}}, "{\"crt\":\"Y3J0\",\"key\":\"a2V5\"}", NULL},
        {{{"hasAuth", "true"}, {"authType", "\"webhook-authentication-ssl\""}},
         "{\"pfx\":\"Y3J0\",\"password\":\"p\"}",
         NULL},
        {{{"viewIncidentUrl", "\"https://wiki.example/{{external.system.id}}\""}},
         NULL,
         "{\"allowedHosts\":[\"t.example\"]}"},
        {{{"verificationMode", "\"certificate\""}},
         NULL,
         "{\"ssl.minimumVerificationMode\":\"certificate\"}"},
        {{{"verificationMode", NULL}},
         NULL,
         "{\"ssl\":{\"minimumVerificationMode\":\"full\",\"verificationMode\":\"none\"}}"},
        {{{"proxyUrl", "\"http://p.example:3128\""}},
         NULL,
         "{\"allowConnectorProxy\":true,\"allowedHosts\":[\"t.example\",\"p.example\"]}"},
        {{{"proxyUrl", "null"}, {"proxyHeaders", "null"}}, NULL, NULL},
        {{{"createIncidentUrl", "\"http://10.0.0.5/x\""}},
         NULL,
         "{\"denyPrivateAddresses\":true,\"allowedAddresses\":[\"10.0.0.5\"]}"},
        {{{"viewIncidentUrl", "\"http://127.0.0.1/{{external.system.id}}\""}},
         NULL,
         "{\"denyPrivateAddresses\":true}"},
        {{{"createResponseFields", "null"}, {"getResponseFields", "{\"a\":\"x.y\"}"}}, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reading reading;
        read_changed(&reading, cases[i].changes, cases[i].secrets, cases[i].settings);
        if (reading.status)
            fail_msg("case %zu: %s: %s", i, reading.errors.first->field, reading.errors.first->message);
        assert_non_null(reading.config);
        finish(&reading);
    }
}

struct bad {
    struct member changes[3];
    const char *secrets, *settings, *field, *says;
    int status;
    size_t count;
};

#define CONFIG   CASEHOOK_E_CONFIG, 1
#define CONFIG_2 CASEHOOK_E_CONFIG, 2
#define POLICY   CASEHOOK_E_POLICY, 1

static void assert_refused(const struct bad *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct reading reading;
        read_changed(&reading, cases[i].changes, cases[i].secrets, cases[i].settings);
        assert_non_null(reading.config); /* its certificates are looked into all the same (C3) */
        if (!reading.errors.first) fail_msg("case %zu (%s) was accepted", i, cases[i].field);
        const struct casehook_error *first = reading.errors.first;
        if (strcmp(first->field, cases[i].field) != 0 || !strstr(first->message, cases[i].says) ||
            reading.errors.count != cases[i].count)
            fail_msg("case %zu: %zu faults, %s: %s", i, reading.errors.count, first->field, first->message);
        assert_int_equal(reading.status, cases[i].status);
        assert_int_equal(first->status, cases[i].status);
        assert_int_equal(first->step, CASEHOOK_STEP_CONFIG);
        finish(&reading);
    }
}

static void fields_refused(void **state)
{
    (void)state;
    static const struct bad cases[] = {
        {{{"createIncidentUrl", NULL}}, NULL, NULL, "config.createIncidentUrl", "missing", CONFIG},
        {{{"createIncidentUrl", "\"\""}}, NULL, NULL, "config.createIncidentUrl", "empty", CONFIG},
        {{{"createIncidentUrl", "null"}}, NULL, NULL, "config.createIncidentUrl", "not null", CONFIG},
        {{{"createIncidentUrl", "\"not a url\""}}, NULL, NULL, "config.createIncidentUrl", "", CONFIG},
        {{{"createIncidentUrl", "\"/rest/api\""}}, NULL, NULL, "config.createIncidentUrl", "", CONFIG},
        {{{"createIncidentUrl", "\"ftp://t.example/\""}}, NULL, NULL, "config.createIncidentUrl", "", CONFIG},
        {{{"createIncidentUrl", "\"http://u:p@t.example/\""}},
         NULL,
         NULL,
         "config.createIncidentUrl",
         "",
         CONFIG},
        {{{"viewIncidentUrl", "\"ftp://t/{{external.system.id}}\""}},
         NULL,
         NULL,
         "config.viewIncidentUrl",
         "",
         CONFIG},
        {{{"createCommentUrl", "\"/comment\""}}, NULL, NULL, "config.createCommentUrl", "", CONFIG},
        {{{"createIncidentResponseKey", NULL}},
         NULL,
         NULL,
         "config.createIncidentResponseKey",
         "missing",
         CONFIG},
        {{{"createIncidentResponseKey", "5"}},
         NULL,
         NULL,
         "config.createIncidentResponseKey",
         "a text",
         CONFIG},
        {{{"getIncidentResponseExternalTitleKey", "null"}},
         NULL,
         NULL,
         "config.getIncidentResponseExternalTitleKey",
         "a text",
         CONFIG},
        {{{"createIncidentJson", "{\"a\":1}"}}, NULL, NULL, "config.createIncidentJson", "a text", CONFIG},
        {{{"createIncidentJson", "\"\""}}, NULL, NULL, "config.createIncidentJson", "empty", CONFIG},
        {{{"createIncidentMethod", "\"get\""}},
         NULL,
         NULL,
         "config.createIncidentMethod",
         "\"PATCH\"",
         CONFIG},
        {{{"createIncidentMethod", "null"}}, NULL, NULL, "config.createIncidentMethod", "a text", CONFIG},
        {{{"getIncidentMethod", "\"put\""}},
         NULL,
         NULL,
         "config.getIncidentMethod",
         "\"GET\", \"POST\"",
         CONFIG},
        {{{"updateIncidentMethod", "\"get\""}}, NULL, NULL, "config.updateIncidentMethod", "", CONFIG},
        {{{"createCommentMethod", "\"delete\""}}, NULL, NULL, "config.createCommentMethod", "", CONFIG},
        {{{"getIncidentJson", "5"}}, NULL, NULL, "config.getIncidentJson", "a text", CONFIG},
        {{{"getIncidentMethod", "\"post\""}, {"getIncidentJson", "\"id={{external.system.id}}\""}},
         NULL,
         NULL,
         "config.getIncidentJson",
         "",
         CONFIG},
        {{{"updateIncidentJson", "\"not json {{{\""},
          {"createCommentJson", "\"{{#x}}\""},
          {"strict", "false"}},
         NULL,
         NULL,
         "config.updateIncidentJson",
         "",
         CONFIG_2},
        {{{"extra", "1"}}, NULL, NULL, "config.extra", "remove it", CONFIG},
        {{{"createIncidentURL", "\"x\""}},
         NULL,
         NULL,
         "config.createIncidentURL",
         "\"createIncidentUrl\"",
         CONFIG},
        {{{"headers", "[\"X: y\"]"}}, NULL, NULL, "config.headers", "an object", CONFIG},
        {{{"headers", "{\"X Bad\":\"v\"}"}}, NULL, NULL, "config.headers.X Bad", "", CONFIG},
        {{{"verificationMode", "\"strict\""}}, NULL, NULL, "config.verificationMode", "\"full\"", CONFIG},
        {{{"verificationMode", "null"}}, NULL, NULL, "config.verificationMode", "a text", CONFIG},
        {{{"hasAuth", "\"false\""}}, NULL, NULL, "config.hasAuth", "without quotes", CONFIG},
        {{{"certType", "\"pem\""}}, NULL, NULL, "config.certType", "\"pfx\"", CONFIG},
        {{{"authType", "\"digest\""}}, NULL, NULL, "config.authType", "\"basic\"", CONFIG},
        {{{"ca", "\"not base64!\""}}, NULL, NULL, "config.ca", "neither", CONFIG},
        {{{"strict", "1"}}, NULL, NULL, "config.strict", "true or false", CONFIG},
        {{{"secretUrl", "null"}}, NULL, NULL, "config.secretUrl", "true or false", CONFIG},
        {{{"createResponseFields", "[]"}}, NULL, NULL, "config.createResponseFields", "an object", CONFIG},
        {{{"createResponseFields", "{\"a\":5}"}},
         NULL,
         NULL,
         "config.createResponseFields.a",
         "a text",
         CONFIG},
        {{{"createResponseFields", "{\"a\":\"x\"}"}, {"getResponseFields", "{\"a\":\"y\"}"}},
         NULL,
         NULL,
         "config.getResponseFields.a",
         "createResponseFields",
         CONFIG},
        {{{"createIncidentUrl", NULL}, {"updateIncidentJson", NULL}},
         NULL,
         NULL,
         "config.createIncidentUrl",
         "missing",
         CONFIG_2},
    };
    assert_refused(cases, sizeof cases / sizeof *cases);
}

static void strict_refuses(void **state)
{
    (void)state;
    static const struct bad cases[] = {
        {{{"createIncidentJson", "\"{\\\"d\\\":{{case.description}}}\""}},
         NULL,
         NULL,
         "config.createIncidentJson",
         "case.title",
         CONFIG},
        {{{"createIncidentJson", "\"{}\""}}, NULL, NULL, "config.createIncidentJson", "case.title", CONFIG_2},
        {{{"updateIncidentJson", "\"{\\\"s\\\":{{case.title}}}\""}},
         NULL,
         NULL,
         "config.updateIncidentJson",
         "case.description",
         CONFIG},
        {{{"createCommentJson", "\"{\\\"b\\\":1}\""}},
         NULL,
         NULL,
         "config.createCommentJson",
         "case.comment",
         CONFIG},
        {{{"getIncidentUrl", "\"https://t.example/issue\""}},
         NULL,
         NULL,
         "config.getIncidentUrl",
         "external.system.id",
         CONFIG},
        {{{"viewIncidentUrl", "\"https://t.example/board\""}},
         NULL,
         NULL,
         "config.viewIncidentUrl",
         "external.system.title",
         CONFIG},
        {{{"createCommentJson", "null"}}, NULL, NULL, "config.createCommentJson", "createCommentUrl", CONFIG},
        {{{"createCommentUrl", NULL}}, NULL, NULL, "config.createCommentUrl", "createCommentJson", CONFIG},
        {{{"createIncidentJson",
           "\"{\\\"s\\\":{{case.title}},\\\"d\\\":{{case.description}},\\\"o\\\":{{case.titel}}}\""}},
         NULL,
         NULL,
         "config.createIncidentJson",
         "case.title",
         CONFIG},
        {{{"createIncidentJson",
           "\"{\\\"s\\\":{{case.title}},\\\"d\\\":{{case.description}},\\\"e\\\":{{external.system.id}}}\""}},
         NULL,
         NULL,
         "config.createIncidentJson",
         "",
         CONFIG},
        {{{"createCommentJson", "\"{\\\"b\\\":{{case.comment}},\\\"p\\\":{{case.fields.prio}}}\""}},
         NULL,
         NULL,
         "config.createCommentJson",
         "",
         CONFIG},
        {{{"getIncidentUrl", "\"https://t.example/{{external.system.id}}?t={{external.system.title}}\""}},
         NULL,
         NULL,
         "config.getIncidentUrl",
         "",
         CONFIG},
        {{{"createIncidentUrl", "\"https://t.example/{{case.comment}}\""}},
         NULL,
         NULL,
         "config.createIncidentUrl",
         "",
         CONFIG},
    };
    assert_refused(cases, sizeof cases / sizeof *cases);
}

static void secrets_refused(void **state)
{
    (void)state;
#define AUTH(type)                     \
    {                                  \
        {"hasAuth", "true"},           \
        {                              \
            "authType", "\"" type "\"" \
        }                              \
    }
    static const struct bad cases[] = {
        {{{"hasAuth", NULL}}, "{}", NULL, "secrets.user", "hasAuth false", CONFIG_2},
        {AUTH("basic"), "null", NULL, "secrets.user", "missing", CONFIG_2},
        {AUTH("basic"), "{\"user\":\"u\"}", NULL, "secrets.password", "missing", CONFIG},
        {AUTH("basic"), "{\"user\":\"u\",\"password\":\"\"}", NULL, "secrets.password", "missing", CONFIG},
        {AUTH("basic"), "{\"secretHeaders\":{\"X\":\"y\"}}", NULL, "secrets.user", "missing", CONFIG_2},
        {AUTH("basic"), "{\"user\":\"a:b\",\"password\":\"c\"}", NULL, "secrets.user", "colon", CONFIG},
        {AUTH("basic"), "{\"user\":\"a\",\"password\":\"c\\n\"}", NULL, "secrets.password", "control",
         CONFIG},
        {AUTH("basic"), "{\"user\":5,\"password\":\"c\"}", NULL, "secrets.user", "a text", CONFIG},
        {AUTH("basic"), "{\"user\":\"u\",\"password\":\"p\",\"token\":\"x\"}", NULL, "secrets.token",
         "no such field", CONFIG},
        {AUTH("basic"), "{\"user\":\"u\",\"password\":\"p\",\"crt\":\"Y3J0\",\"key\":\"a2V5\"}", NULL,
         "secrets.crt", "does not go with", CONFIG_2},
        {AUTH("ssl"), "{}", NULL, "secrets.crt", "missing", CONFIG},
        {AUTH("ssl"), "{\"crt\":\"Y3J0\"}", NULL, "secrets.key", "missing", CONFIG},
        {AUTH("ssl"), "{\"key\":\"Y3J0\"}", NULL, "secrets.crt", "missing", CONFIG},
        {AUTH("ssl"), "{\"user\":\"u\",\"password\":\"p\",\"crt\":\"Y3J0\",\"key\":\"a2V5\"}", NULL,
         "secrets.user", "does not go with", CONFIG},
        {AUTH("ssl"), "{\"user\":\"u\",\"password\":\"p\"}", NULL, "secrets.user", "", CONFIG_2},
        {AUTH("ssl"), "{\"pfx\":\"Y3J0\",\"crt\":\"Y3J0\",\"key\":\"a2V5\"}", NULL, "secrets.pfx", "excludes",
         CONFIG},
        {AUTH("ssl"), "{\"pfx\":\"-----BEGIN X-----\"}", NULL, "secrets.pfx", "not base64", CONFIG},
        {AUTH("ssl"), "{\"crt\":\"?\",\"key\":\"a2V5\"}", NULL, "secrets.crt", "neither base64", CONFIG},
        {{{"hasAuth", "false"}},
         "{\"secretHeaders\":[]}",
         NULL,
         "secrets.secretHeaders",
         "an object",
         CONFIG},
        {{{"hasAuth", "false"}},
         "{\"secretHeaders\":{\"Host\":\"x\"}}",
         NULL,
         "secrets.secretHeaders.Host",
         "reserved",
         CONFIG},
        {{{"hasAuth", "false"}}, "{\"user\":[]}", NULL, "secrets.user", "a text", CONFIG},
        {{{"hasAuth", "false"}}, "[]", NULL, "secrets", "an object", CONFIG},
        {AUTH("webhook-oauth2-client-credentials"), "{\"clientSecret\":\"x\"}", NULL, "config.accessTokenUrl",
         "is missing", CONFIG_2},
        {AUTH("http-authentication-query-param"), "{}", NULL, "config.authType", "unsupported",
         CASEHOOK_E_UNSUPPORTED, 1},
    };
    assert_refused(cases, sizeof cases / sizeof *cases);
}

static void policy_refuses(void **state)
{
    (void)state;
    static const struct bad cases[] = {
        {{{NULL, NULL}},
         NULL,
         "{\"allowedHosts\":[]}",
         "config.createIncidentUrl",
         "allowedHosts",
         CASEHOOK_E_POLICY,
         4},
        {{{"updateIncidentUrl", "\"https://u.example:8443/{{external.system.id}}\""}},
         NULL,
         "{\"allowedHosts\":[\"t.example\",\"u.example:443\"]}",
         "config.updateIncidentUrl",
         "port 8443",
         POLICY},
        {{{"getIncidentUrl", "\"http://127.0.0.1/{{external.system.id}}\""}},
         NULL,
         "{\"denyPrivateAddresses\":true}",
         "config.getIncidentUrl",
         "denyPrivateAddresses",
         POLICY},
        {{{"createCommentUrl", "\"http://[fe80::1]/{{external.system.id}}\""}},
         NULL,
         "{\"denyPrivateAddresses\":true}",
         "config.createCommentUrl",
         "denyPrivateAddresses",
         POLICY},
        {{{"verificationMode", "\"none\""}},
         NULL,
         "{\"ssl\":{\"minimumVerificationMode\":\"full\"}}",
         "config.verificationMode",
         "ssl.minimumVerificationMode",
         POLICY},
        {{{"proxyUrl", "\"http://127.0.0.1:1\""}},
         NULL,
         NULL,
         "config.proxyUrl",
         "allowConnectorProxy",
         POLICY},
        {{{"proxyHeaders", "{\"X-A\":\"1\"}"}},
         NULL,
         "{\"proxyUrl\":\"http://p.example\"}",
         "config.proxyHeaders",
         "allowConnectorProxy",
         POLICY},
        {{{"proxyHeaders", "{\"X-A\":\"1\"}"}},
         NULL,
         "{\"allowConnectorProxy\":true}",
         "config.proxyHeaders",
         "no proxy",
         CONFIG},
        {{{"proxyUrl", "\"http://p.example:1\""}},
         NULL,
         "{\"allowConnectorProxy\":true,\"allowedHosts\":[\"t.example\"]}",
         "config.proxyUrl",
         "allowedHosts",
         POLICY},
        {{{"proxyUrl", "\"http://10.1.1.1:1\""}},
         NULL,
         "{\"allowConnectorProxy\":true,\"denyPrivateAddresses\":true}",
         "config.proxyUrl",
         "denyPrivateAddresses",
         POLICY},
        {{{"proxyUrl", "\"nonsense\""}},
         NULL,
         "{\"allowConnectorProxy\":true}",
         "config.proxyUrl",
         "",
         CONFIG},
    };
    assert_refused(cases, sizeof cases / sizeof *cases);
}

static void documents_refused(void **state)
{
    (void)state;
    static const struct {
        const char *json, *field, *says;
    } cases[] = {
        {"", "document", "empty"},
        {"[]", "document", "an object"},
        {"{}", "config", "missing"},
        {"{\"config\":null}", "config", "missing"},
        {"{\"config\":[]}", "config", "an object"},
        {"{\"config\":{},\"config\":{}}", "document", "\"config\" is given twice"},
        {"{\"confg\":{}}", "document.confg", "\"config\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reading reading;
        read_text(&reading, cases[i].json, NULL);
        assert_int_equal(reading.status, CASEHOOK_E_CONFIG);
        assert_null(reading.config);
        assert_string_equal(reading.errors.first->field, cases[i].field);
        assert_non_null(strstr(reading.errors.first->message, cases[i].says));
        finish(&reading);
    }
}

static void an_empty_config_names_all_that_is_missing(void **state)
{
    (void)state;
    static const char *const fields[] = {"config.createIncidentUrl",
                                         "config.createIncidentJson",
                                         "config.createIncidentResponseKey",
                                         "config.getIncidentUrl",
                                         "config.getIncidentResponseExternalTitleKey",
                                         "config.viewIncidentUrl",
                                         "config.updateIncidentUrl",
                                         "config.updateIncidentJson",
                                         "secrets.user",
                                         "secrets.password"};
    struct reading reading;
    read_text(&reading, "{\"config\":{},\"name\":\"x\"}", NULL);
    const struct casehook_error *error = reading.errors.first;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++, error = error->next)
        assert_string_equal(error->field, fields[i]);
    assert_null(error);
    finish(&reading);
}

static void faults_come_in_the_order_of_the_fields(void **state)
{
    (void)state;
    static const char *const fields[] = {
        "config.unknown",     "secrets.unknown", "config.createIncidentMethod",
        "config.headers.a b", "config.ca",       "config.getResponseFields",
        "secrets.password"};
    struct reading reading;
    read_text(&reading,
              "{\"secrets\":{\"unknown\":1,\"user\":\"u\"},\"config\":{\"ca\":\"?\",\"getResponseFields\":1,"
              "\"unknown\":1,\"headers\":{\"a b\":\"\"},\"createIncidentMethod\":\"x\"}}",
              NULL);
    size_t at = 0;
    for (const struct casehook_error *error = reading.errors.first; error; error = error->next)
        if (at < sizeof fields / sizeof *fields && strcmp(error->field, fields[at]) == 0) at++;
    assert_int_equal(at, sizeof fields / sizeof *fields);
    finish(&reading);
}

static void faults_of_templates_keep_their_offset(void **state)
{
    (void)state;
    struct reading reading;
    struct member changes[3] = {{"createCommentJson", "\"{\\\"a\\\":{{case.coment}}}\""}};
    read_changed(&reading, changes, NULL, NULL);
    assert_true(reading.errors.first->offset >= 5);
    finish(&reading);
}

/* Where a field belongs; and no list of all that stands beside a "config" that is not there. */
static void fields_on_the_wrong_level(void **state)
{
    (void)state;
    static const struct {
        const char *document, *field, *says;
        size_t count;
    } rows[] = {
        {"{\"createIncidentUrl\":\"x\",\"hasAuth\":false,\"nope\":1,\"user\":\"u\"}", "config",
         "\"secrets\": {...}}, and createIncidentUrl stands in \"config\"", 1},
        {"{\"cofnig\":{}}", "document.cofnig", "did you mean \"config\"", 2},
        {"{\"zzzzzzz\":1}", "document.zzzzzzz", "there is no such field; remove it", 2},
        {"{\"config\":[],\"user\":\"u\"}", "document.user", "is a field of \"secrets\", beside \"config\"",
         2},
        {"{\"config\":[],\"hasAuth\":true}", "document.hasAuth",
         "is a field of \"config\", beside \"secrets\"", 2},
        {"{\"config\":[],\"secrets\":{\"authType\":\"basic\"}}", "secrets.authType",
         "is a field of \"config\", beside \"secrets\": move it there", 2},
        {"{\"config\":[],\"secrets\":{\"headers\":{}}}", "secrets.headers", "did you mean \"secretHeaders\"?",
         2},
        {"{\"config\":[],\"secrets\":{\"token\":\"t\"}}", "secrets.token",
         "a token or key that goes along in a header is one of \"secretHeaders\"", 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct reading reading;
        read_text(&reading, rows[i].document, NULL);
        const struct casehook_error *error = reading.errors.first;
        while (error->next && strcmp(error->field, rows[i].field) != 0) error = error->next;
        if (!strstr(error->message, rows[i].says)) print_message("%s: %s\n", error->field, error->message);
        assert_string_equal(error->field, rows[i].field);
        assert_non_null(strstr(error->message, rows[i].says));
        assert_int_equal(reading.errors.count, rows[i].count);
        finish(&reading);
    }
    struct reading reading;
    struct member changes[3] = {{"secrets", "{}"}, {"name", "\"x\""}, {"user", "\"u\""}};
    read_changed(&reading, changes, NULL, NULL);
    assert_int_equal(reading.errors.count, 3);
    for (const struct casehook_error *error = reading.errors.first; error; error = error->next)
        assert_non_null(strstr(error->message, strcmp(error->field, "config.user") == 0
                                                   ? "is a field of \"secrets\""
                                                   : "is a field of the document itself: move it up"));
    finish(&reading);
}

/* Keys as other tools write them find nothing: what they are here is said, where unknown names are refused
 * too. */
static void keys_of_other_notations(void **state)
{
    (void)state;
    static const struct {
        const char *key, *spelt; /* NULL: it is a key */
    } rows[] = {
        {"$.data.id", "data.id"},
        {"$[0].id", "[0].id"},
        {"/data/0/id", "data.0.id"},
        {".data.id", "data.id"},
        {".[0].id", "[0].id"},
        {"{{data.id}}", "data.id"},
        {"{{ data.id }}", "data.id"},
        {"{{{data.id}}}", "data.id"},
        {"$..id", "id"},
        {"$", NULL},
        {"$id", NULL},
        {".", NULL},
        {"/", NULL},
        {"data./id", NULL},
        {"[\\\"$\\\"].id", NULL},
        {"{id}", NULL},
        {"[\\\"/data/id\\\"]", NULL},
        {"data.$.id", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int lenient = 0; lenient < 2; lenient++) {
            struct reading reading;
            char key[64], fields[64], says[64];
            snprintf(key, sizeof key, "\"%s\"", rows[i].key);
            snprintf(fields, sizeof fields, "{\"x\":\"%s\"}", rows[i].key);
            struct member changes[3] = {{"createIncidentResponseKey", key},
                                        {"getResponseFields", fields},
                                        {"strict", lenient ? "false" : "\"names\""}};
            read_changed(&reading, changes, NULL, NULL);
            const struct casehook_error *error = reading.errors.first;
            if (lenient || !rows[i].spelt) {
                assert_null(error);
            } else {
                snprintf(says, sizeof says, "of another notation: here it is \"%s\"", rows[i].spelt);
                assert_int_equal(reading.errors.count, 2);
                assert_string_equal(error->field, "config.createIncidentResponseKey");
                assert_non_null(strstr(error->message, says));
                assert_string_equal(error->next->field, "config.getResponseFields.x");
            }
            finish(&reading);
        }
    }
}

/* C3: not only the first; what else is wrong with the template comes behind them, once. */
static void all_unknown_names_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *field, *word;
        int64_t offset;
    } expected[] = {
        {"config.createIncidentJson", "did you mean {{case.title}}?", 5},
        {"config.createIncidentJson", "{{case.comment}} at byte 19 is not available", 19},
        {"config.createIncidentJson", "known here: case.title, case.description", 41},
        {"config.createIncidentJson", "at byte 53", 53},
        {"config.getIncidentUrl", "did you mean {{external.system.id}}?", 20},
        {"config.getIncidentUrl", "unknown variable {{nothing}}", 27},
    };
    struct reading reading;
    struct member changes[3] = {
        {"createIncidentJson",
         "\"{\\\"a\\\":{{TITLE}},\\\"b\\\":{{case.comment}},\\\"c\\\":\\\"{{zzzzzzz}}\\\"{{case.id}}}\""},
        {"getIncidentUrl", "\"https://t.example/g/{{iD}}/{{nothing}}/{{external.system.id}}\""}};
    read_changed(&reading, changes, NULL, NULL);
    const struct casehook_error *error = reading.errors.first;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++, error = error->next) {
        assert_non_null(error);
        assert_string_equal(error->field, expected[i].field);
        if (!strstr(error->message, expected[i].word)) fail_msg("%s: %s", expected[i].word, error->message);
        assert_int_equal(error->offset, expected[i].offset);
    }
    assert_null(error);
    finish(&reading);
}

static void compiled(void **state)
{
    (void)state;
    struct reading reading;
    struct member none[3] = {{NULL, NULL}};
    read_changed(&reading, none, NULL, NULL);
    const struct casehook__config *config = reading.config;
    static const enum casehook__method methods[] = {CASEHOOK__METHOD_POST, CASEHOOK__METHOD_GET,
                                                    CASEHOOK__METHOD_PUT, CASEHOOK__METHOD_PUT};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        assert_int_equal(config->calls[i].method, methods[i]);
        assert_non_null(config->calls[i].url);
        struct casehook__origin origin;
        casehook__url_template_origin(config->calls[i].url, &origin);
        assert_string_equal(origin.host, "t.example");
        assert_int_equal(config->calls[i].body != NULL, i != CASEHOOK__CALL_GET);
    }
    assert_true(config->calls[CASEHOOK__CALL_COMMENT].on);
    assert_true(config->strict);
    assert_false(config->secret_url);
    assert_int_equal(config->auth, CASEHOOK__AUTH_NONE);
    assert_int_equal(config->mode, CASEHOOK__MODE_UNSET);
    assert_int_equal(config->headers.count, 0);
    assert_int_equal(config->secret_count, 0);
    assert_null(config->ca.data);
    finish(&reading);

    struct member off[3] = {{"createCommentMethod", "null"},
                            {"secretUrl", "true"},
                            {"createResponseFields", "{\"n\":\"a.b\",\"m\":\"c\"}"}};
    read_changed(&reading, off, NULL, NULL);
    assert_false(reading.config->calls[CASEHOOK__CALL_COMMENT].on);
    assert_true(reading.config->secret_url);
    assert_int_equal(casehook__call_more(&reading.config->calls[CASEHOOK__CALL_CREATE])->field_count, 2);
    assert_string_equal(casehook__call_more(&reading.config->calls[CASEHOOK__CALL_CREATE])->fields[0].name,
                        "n");
    assert_int_equal(
        casehook__call_more(&reading.config->calls[CASEHOOK__CALL_CREATE])->fields[0].path->count, 2);
    finish(&reading);
}

static void assert_header(const struct casehook__config *config, const char *name, const char *value,
                          bool secret)
{
    const struct casehook__header *header = casehook__headers_find(&config->headers, casehook__text(name));
    assert_non_null(header);
    assert_string_equal(header->value.data, value);
    assert_int_equal(header->secret, secret);
}

static void assert_secret(const struct casehook__config *config, const char *secret)
{
    for (size_t i = 0; i < config->secret_count; i++)
        if (casehook__text_is(config->secrets[i], secret)) return;
    fail_msg("%s is not listed", secret);
}

/* With secretUrl what stands in the URL of any call is secret: those of find and transition too. */
static void parts_of_urls(void **state)
{
    (void)state;
    struct reading reading;
    struct member changes[3] = {
        {"secretUrl", "true"},
        {"findIncidentUrl",
         "\"https://t.example/find-canary/{{case.id}}\",\"findIncidentResponseKey\":\"id\""},
        {"transitionIncidentUrl", "\"https://t.example/move-canary/{{external.system.id}}\""}};
    read_changed(&reading, changes, NULL, NULL);
    assert_null(reading.errors.first);
    assert_secret(reading.config, "find-canary");
    assert_secret(reading.config, "move-canary");
    finish(&reading);
}

static void authorization(void **state)
{
    (void)state;
    static const struct {
        struct member changes[3];
        const char *secrets, *value; /* NULL: none */
    } cases[] = {
        {{{"hasAuth", "true"}}, "{\"user\":\"joe\",\"password\":\"pass\"}", "Basic am9lOnBhc3M="},
        {{{"hasAuth", "false"}}, "{\"user\":\"joe\",\"password\":\"pass\"}", NULL},
        {{{"hasAuth", "true"}, {"authType", "\"none\""}}, "{\"user\":\"joe\",\"password\":\"pass\"}", NULL},
        {{{"hasAuth", "true"}, {"headers", "{\"authorization\":\"Bearer conf\"}"}},
         "{\"user\":\"u\",\"password\":\"p\"}",
         "Bearer conf"},
        {{{"hasAuth", "true"}, {"headers", "{\"Authorization\":\"Bearer conf\"}"}},
         "{\"user\":\"u\",\"password\":\"p\",\"secretHeaders\":{\"authorization\":\"Bearer sec\"}}",
         "Bearer sec"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reading reading;
        read_changed(&reading, cases[i].changes, cases[i].secrets, NULL);
        assert_int_equal(reading.status, CASEHOOK_OK);
        if (cases[i].value)
            assert_header(reading.config, "Authorization", cases[i].value, true);
        else
            assert_int_equal(reading.config->headers.count, 0);
        finish(&reading);
    }
}

static void secrets_are_listed(void **state)
{
    (void)state;
    struct reading reading;
    struct member changes[3] = {
        {"hasAuth", "true"},
        {"headers", "{\"X-Key\":\"public\",\"Cookie\":\"sid=cookie-value\",\"X-O\":\"plain\"}"},
        {"proxyUrl", "\"http://pu:proxy-pass@p.example\""}};
    read_changed(
        &reading, changes,
        "{\"user\":\"joe\",\"password\":\"p-a-s-s\",\"secretHeaders\":{\"X-Key\":\"Bearer  tok-en\"},"
        "\"clientSecret\":\"c-s\",\"pfx\":\"\"}",
        "{\"allowConnectorProxy\":true,\"proxyUrl\":\"http://a:admin-pass@q.example\"}");
    assert_int_equal(reading.status, CASEHOOK_OK);
    static const char *const secrets[] = {"p-a-s-s",          "c-s",
                                          "Bearer  tok-en",   "tok-en",
                                          "am9lOnAtYS1zLXM",  "Basic am9lOnAtYS1zLXM=",
                                          "proxy-pass",       "admin-pass",
                                          "sid=cookie-value", "cHU6cHJveHktcGFzcw"};
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) assert_secret(reading.config, secrets[i]);
    for (size_t i = 0; i < reading.config->secret_count; i++) {
        assert_false(casehook__text_is(reading.config->secrets[i], "plain"));
        assert_false(casehook__text_is(reading.config->secrets[i], "public"));
    }
    assert_header(reading.config, "X-Key", "Bearer  tok-en", true);
    assert_header(reading.config, "X-O", "plain", false);
    finish(&reading);
}

static void certificates_are_decoded(void **state)
{
    (void)state;
    struct reading reading;
    struct member changes[3] = {{"hasAuth", "true"}, {"authType", "\"ssl\""}, {"ca", "\"Y2E=\""}};
    read_changed(&reading, changes,
                 "{\"crt\":\"Y3J0\",\"key\":\"-----BEGIN X-----\\nkey\",\"password\":\"pass\"}", NULL);
    assert_int_equal(reading.status, CASEHOOK_OK);
    assert_int_equal(reading.config->auth, CASEHOOK__AUTH_SSL);
    assert_true(casehook__text_is(reading.config->identity->crt, "crt"));
    assert_true(casehook__text_is(reading.config->identity->key, "-----BEGIN X-----\nkey"));
    assert_true(casehook__text_is(reading.config->identity->passphrase, "pass"));
    assert_true(casehook__text_is(reading.config->ca, "ca"));
    assert_null(reading.config->identity->pfx.data);
    assert_int_equal(reading.config->headers.count, 0);
    assert_secret(reading.config, "pass");
    finish(&reading);
}

static void proxies_of_connectors(void **state)
{
    (void)state;
    struct reading reading;
    const char *settings = "{\"allowConnectorProxy\":true,\"proxyUrl\":\"http://a:b@q.example:1\","
                           "\"proxyHeaders\":{\"X-A\":\"admin\"}}";
    struct member own[3] = {{"proxyUrl", "\"http://p.example:2\""}};
    read_changed(&reading, own, NULL, settings);
    assert_string_equal(reading.config->proxy->origin.host, "p.example");
    assert_int_equal(reading.config->proxy->headers.count, 0); /* nothing of the administrator's */
    finish(&reading);

    struct member above[3] = {{"proxyHeaders", "{\"x-a\":\"mine\"}"}};
    read_changed(&reading, above, NULL, settings);
    assert_string_equal(reading.config->proxy->origin.host, "q.example");
    assert_string_equal(
        casehook__headers_find(&reading.config->proxy->headers, casehook__text("X-A"))->value.data, "mine");
    assert_non_null(
        casehook__headers_find(&reading.config->proxy->headers, casehook__text("Proxy-Authorization")));
    finish(&reading);

    struct member none[3] = {{NULL, NULL}};
    read_changed(&reading, none, NULL, settings);
    assert_null(reading.config->proxy);
    finish(&reading);
}

static void messages_hold_no_secret(void **state)
{
    (void)state;
    static const struct {
        struct member changes[3];
        const char *secrets;
    } cases[] = {
        {{{"hasAuth", "true"}}, "{\"user\":\"s3cret:x\",\"password\":\"s3cret\\n\"}"},
        {{{"hasAuth", "true"}, {"authType", "\"ssl\""}},
         "{\"crt\":\"s3cret?\",\"key\":\"s3cret!\",\"password\":\"s3cret\"}"},
        {{{"hasAuth", "false"}}, "{\"secretHeaders\":{\"X\":\"s3cret\\u00e9\",\"Host\":\"s3cret\"}}"},
        {{{"hasAuth", "false"}}, "{\"secretHeaders\":\"s3cret\",\"user\":[\"s3cret\"]}"},
        {{{"hasAuth", "false"}}, "{\"password\":\"s3cret\" \"s3cret\"}"},
        {{{"hasAuth", "false"}}, "{\"password\":s3cret}"},
        {{{"createIncidentUrl", "\"https://user:s3cret@t.example/\""}}, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reading reading;
        read_changed(&reading, cases[i].changes, cases[i].secrets, NULL);
        assert_int_equal(reading.status, CASEHOOK_E_CONFIG);
        for (const struct casehook_error *error = reading.errors.first; error; error = error->next)
            if (strstr(error->message, "s3cret")) fail_msg("case %zu: %s", i, error->message);
        finish(&reading);
    }
}

/* What is too long is named; it is no lack of memory. */
static void texts_of_tokens_have_an_end(void **state)
{
    static const char *const names[] = {"clientId", "scope", "tokenAudience", "additionalFields"};
    static char text[70064], document[80000];
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct reading reading;
        char field[64];
        bool object = i == 3;
        snprintf(text, sizeof text, object ? "{\"a\":\"%070000d\"}" : "\"%05000d\"", 0);
        const char *more = "\"authType\":\"oauth2\",\"accessTokenUrl\":\"http://a/\"";
        const struct member changes[3] = {
            {"hasAuth", "true"}, {names[i], text}, {i ? "clientId" : NULL, "\"c\""}};
        write_document(document, sizeof document, changes, "{\"clientSecret\":\"s\"}");
        size_t length = strlen("{\"config\":{");
        char *whole = malloc(strlen(document) + strlen(more) + 2);
        assert_non_null(whole);
        sprintf(whole, "{\"config\":{%s,%s", more, document + length);
        read_text(&reading, whole, NULL);
        free(whole);
        snprintf(field, sizeof field, "config.%s", names[i]);
        assert_int_equal(reading.status, CASEHOOK_E_CONFIG);
        assert_non_null(reading.errors.first);
        assert_string_equal(reading.errors.first->field, field);
        assert_non_null(strstr(reading.errors.first->message, "than "));
        finish(&reading);
    }
}

#define LETTERS_63 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"
#define LETTERS_64 LETTERS_63 "l"

/* As Kibana hands them out: a saved object, or an answer of its API. */
static void exports(void **state)
{
    (void)state;
    static const char missing[] = "an export of Kibana never holds secrets";
    static const struct {
        const char *before, *after, *auth, *field, *word; /* word NULL: accepted */
        const char *without, *secrets;
    } cases[] = {
        {"{\"attributes\":{\"actionTypeId\":\".cases-webhook\",", "}", "false", NULL, NULL, NULL, NULL},
        {"{\"id\":\"1\",\"connector_type_id\":\".cases-webhook\",", "", "false", NULL, NULL, NULL, NULL},
        {"{\"attributes\":7,\"actionTypeId\":\".cases-webhook\",", "", "false", NULL, NULL, NULL, NULL},
        {"{\"attributes\":{", "}", "false", NULL, NULL, NULL, NULL},
        {"{\"connector_type_id\":\".jira\",", "", "false", "connector_type_id", "\".jira\"", NULL, NULL},
        {"{\"actionTypeId\":\"" LETTERS_64 "x\",", "", "false", "actionTypeId", "\"" LETTERS_64 "\"", NULL,
         NULL},
        {"{\"actionTypeId\":\"" LETTERS_63 "\",", "", "false", "actionTypeId", "\"" LETTERS_63 "\"", NULL,
         NULL},
        {"{\"connector_type_id\":7,", "", "false", "document.connector_type_id", "no such field", NULL, NULL},
        {"{\"connector_type_id\":\".cases-webhook\",", "", "true", "secrets.user", missing, NULL, NULL},
        /* What has nothing to do with that is told as ever. */
        {"{\"connector_type_id\":\".cases-webhook\",", "", "false", "config.createIncidentUrl",
         "every connector needs it", "createIncidentUrl", NULL},
        {"{\"connector_type_id\":\".cases-webhook\",", "", "true", "secrets.user", "a text", NULL,
         "{\"user\":5,\"password\":\"p\"}"},
        {"{\"attributes\":{", "}\n", "false", NULL, NULL, NULL, NULL},
        {"{\"attributes\":{", "}\n{\"exportedCount\":1}\n", "false", "document",
         "(line 2, column 1); a file that", NULL, NULL},
    };
    static char document[65536], whole[66000];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reading reading;
        struct member changes[3] = {{"hasAuth", cases[i].auth}, {cases[i].without, NULL}};
        write_document(document, sizeof document, changes, cases[i].secrets);
        snprintf(whole, sizeof whole, "%s%s%s", cases[i].before, document + 1, cases[i].after);
        read_text(&reading, whole, NULL);
        const struct casehook_error *error = reading.errors.first;
        if ((error != NULL) != (cases[i].word != NULL))
            fail_msg("case %zu: %s", i, error ? error->message : "accepted");
        if (error && (strcmp(error->field, cases[i].field) != 0 || !strstr(error->message, cases[i].word)))
            fail_msg("case %zu: %s: %s", i, error->field, error->message);
        finish(&reading);
    }
}

/* With secretUrl: what is shorter than eight bytes is a word. */
static void secrets_of_urls(void **state)
{
    (void)state;
    struct reading reading;
    struct member changes[3] = {
        {"secretUrl", "true"},
        {"getIncidentUrl",
         "\"https://t.example/hook/7letter/8letters/{{external.system.id}}?k=q-letter&l=q-lette\""}};
    read_changed(&reading, changes, NULL, NULL);
    assert_int_equal(reading.status, CASEHOOK_OK);
    assert_secret(reading.config, "8letters");
    assert_secret(reading.config, "q-letter");
    for (size_t i = 0; i < reading.config->secret_count; i++)
        assert_true(reading.config->secrets[i].length >= 8);
    finish(&reading);
}

struct counter {
    size_t calls, fail_at, live; /* live: blocks */
};

static void *count_reallocate(void *user, void *pointer, size_t size)
{
    struct counter *counter = user;
    if (size == 0) {
        counter->live -= pointer != NULL;
        free(pointer);
        return NULL;
    }
    if (++counter->calls == counter->fail_at) return NULL;
    counter->live += pointer == NULL;
    return realloc(pointer, size);
}

static size_t blocks_of(struct casehook__settings_snapshot *settings, const char *document)
{
    struct counter counter = {0};
    const struct casehook_allocator allocator = {sizeof allocator, &counter, count_reallocate, NULL};
    struct casehook__heap *heap = NULL;
    struct casehook__config *config = NULL;
    struct casehook__errors errors;
    assert_int_equal(casehook__heap_new(&allocator, &heap), CASEHOOK_OK);
    casehook__errors_init(&errors, heap);
    assert_int_equal(casehook__config_read(heap, settings, casehook__text(document), &config, &errors),
                     CASEHOOK_OK);
    size_t live = counter.live;
    casehook__config_free(config);
    casehook__heap_unref(heap);
    assert_int_equal(counter.live, 0);
    return live;
}

/* A connector whose calls all go to one place holds that place once. */
static void one_origin_is_kept_once(void **state)
{
    (void)state;
    static char document[65536];
    struct member same[3] = {{"createIncidentUrl", "\"https://t.example/issue\""}},
                  other[3] = {{"createIncidentUrl", "\"https://u.example/issue\""}};
    struct casehook__settings_snapshot *settings = casehook__settings_default(NULL);
    assert_non_null(settings);
    write_document(document, sizeof document, same, NULL);
    size_t one = blocks_of(settings, document);
    write_document(document, sizeof document, other, NULL);
    assert_int_equal(blocks_of(settings, document), one + 1);
    casehook__settings_unref(settings);
}

static void no_memory_is_an_error(void **state)
{
    (void)state;
    static char document[65536];
    struct member changes[3] = {{"hasAuth", "true"},
                                {"headers", "{\"X-A\":\"1\",\"Cookie\":\"Basic YTpi\"}"},
                                {"createResponseFields", "{\"n\":\"a.b\"}"}};
    write_document(document, sizeof document, changes,
                   "{\"user\":\"u\",\"password\":\"p\",\"secretHeaders\":{\"x-a\":\"2\"}}");
    struct casehook__settings_snapshot *settings = casehook__settings_default(NULL);
    assert_non_null(settings);
    int failed = 0;
    for (size_t fail_at = 2;; fail_at++) {
        struct counter counter = {.fail_at = fail_at};
        struct casehook_allocator allocator = {sizeof allocator, &counter, count_reallocate, NULL};
        struct casehook__heap *heap = NULL;
        struct casehook__config *config = NULL;
        struct casehook__errors errors;
        assert_int_equal(casehook__heap_new(&allocator, &heap), CASEHOOK_OK);
        casehook__errors_init(&errors, heap);
        int status = casehook__config_read(heap, settings, casehook__text(document), &config, &errors);
        assert_true(status == CASEHOOK_E_NO_MEMORY || status == CASEHOOK_OK); /* a block that cannot shrink */
        assert_true((status == CASEHOOK_OK) == (config != NULL));
        casehook_error_free(errors.first);
        casehook__config_free(config);
        casehook__heap_unref(heap);
        failed += status != CASEHOOK_OK;
        if (status) continue;
        if (counter.calls < fail_at) break;
    }
    assert_true(failed > 20);
    casehook__settings_unref(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepted),
        cmocka_unit_test(fields_refused),
        cmocka_unit_test(strict_refuses),
        cmocka_unit_test(secrets_refused),
        cmocka_unit_test(policy_refuses),
        cmocka_unit_test(documents_refused),
        cmocka_unit_test(an_empty_config_names_all_that_is_missing),
        cmocka_unit_test(faults_come_in_the_order_of_the_fields),
        cmocka_unit_test(faults_of_templates_keep_their_offset),
        cmocka_unit_test(all_unknown_names_are_told),
        cmocka_unit_test(keys_of_other_notations),
        cmocka_unit_test(fields_on_the_wrong_level),
        cmocka_unit_test(compiled),
        cmocka_unit_test(parts_of_urls),
        cmocka_unit_test(authorization),
        cmocka_unit_test(secrets_are_listed),
        cmocka_unit_test(certificates_are_decoded),
        cmocka_unit_test(proxies_of_connectors),
        cmocka_unit_test(messages_hold_no_secret),
        cmocka_unit_test(no_memory_is_an_error),
        cmocka_unit_test(exports),
        cmocka_unit_test(texts_of_tokens_have_an_end),
        cmocka_unit_test(secrets_of_urls),
        cmocka_unit_test(one_origin_is_kept_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
