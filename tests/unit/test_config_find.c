/* test_config_find.c - fields of a document about finding cases and about keys (D3, D4, L2). */
#include "document/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct casehook__settings_snapshot *settings;
static struct casehook__errors errors;
static struct casehook__config *config;

static const char before[] =
    "{\"config\":{\"createIncidentUrl\":\"https://t.example/issue\",\"createIncidentJson\":"
    "\"{\\\"s\\\":{{case.title}},\\\"d\\\":{{case.description}}}\",\"createIncidentResponseKey\":\"id\","
    "\"getIncidentUrl\":\"https://t.example/issue/{{external.system.id}}\","
    "\"getIncidentResponseExternalTitleKey\":\"key\","
    "\"viewIncidentUrl\":\"https://t.example/browse/{{external.system.title}}\","
    "\"updateIncidentUrl\":\"https://t.example/issue/{{external.system.id}}\",\"updateIncidentJson\":"
    "\"{\\\"s\\\":{{case.title}},\\\"d\\\":{{case.description}}}\","
    "\"createCommentUrl\":\"https://t.example/issue/{{external.system.id}}/comment\",\"createCommentJson\":"
    "\"{\\\"body\\\":{{case.comment}}}\",\"hasAuth\":false,";

/* Of a document with these members more. */
static int read_config(const char *members)
{
    char document[8192];
    int length = snprintf(document, sizeof document, "%s%s},\"secrets\":{}}", before, members);
    assert_true(length > 0 && length < (int)sizeof document);
    casehook__errors_init(&errors, NULL);
    return casehook__config_read(NULL, settings, casehook__text(document), &config, &errors);
}

static void end(void)
{
    casehook__config_free(config);
    casehook_error_free(errors.first);
    config = NULL;
}

#define URL    "\"findIncidentUrl\":\"https://t.example/find?q={{case.id}}\","
#define FIND   URL "\"findIncidentResponseKey\":\"issues[0].id\","
#define CLOSED FIND "\"findIncidentResponseStatusKey\":\"issues[0].status\",\"closedStatuses\":[\"Done\"],"

static void read_well(const char *members)
{
    if (read_config(members)) fail_msg("%s: %s: %s", members, errors.first->field, errors.first->message);
}

struct refusal {
    const char *members, *field, *says;
    size_t count; /* of faults, this is the first of which */
};

static void expect_refusals(const struct refusal *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!read_config(cases[i].members)) fail_msg("%s was taken", cases[i].members);
        const struct casehook_error *first = errors.first;
        if (strcmp(first->field, cases[i].field) != 0 || !strstr(first->message, cases[i].says) ||
            errors.count != cases[i].count)
            fail_msg("%s: %zu faults, %s: %s", cases[i].members, errors.count, first->field, first->message);
        assert_int_equal(first->status, CASEHOOK_E_CONFIG);
        assert_int_equal(first->step, CASEHOOK_STEP_CONFIG);
        end();
    }
}

#define REFUSED(cases) expect_refusals(cases, sizeof cases / sizeof *cases)

/* ---- finding ------------------------------------------------------------------------------------- */

static void off_by_default(void **state)
{
    static const char *const absent[] = {"\"strict\":true", "\"findIncidentUrl\":null",
                                         "\"findIncidentUrl\":\"\"",
                                         "\"findIncidentUrl\":null,\"findIncidentMethod\":null,"
                                         "\"findIncidentJson\":null,\"findIncidentResponseKey\":null,"
                                         "\"findIncident\":null,\"closedStatuses\":null,\"whenClosed\":null,"
                                         "\"reopenWithin\":null,\"idempotencyHeader\":null,"
                                         "\"idempotencyInBody\":null,\"idempotencyDuplicateStatuses\":null",
                                         "\"idempotencyInBody\":false"};
    (void)state;
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        read_well(absent[i]);
        assert_null(config->find);
        assert_null(config->idempotency);
        end();
    }
}

static void find_fields(void **state)
{
    (void)state;
    read_well(FIND "\"strict\":true");
    assert_non_null(config->find);
    assert_false(config->find->always);
    assert_null(config->find->status_key);
    assert_int_equal(config->find->when_closed, CASEHOOK__WHEN_CLOSED_UPDATE);
    assert_int_equal(config->calls[CASEHOOK__CALL_FIND].method, CASEHOOK__METHOD_GET);
    assert_null(config->calls[CASEHOOK__CALL_FIND].body);
    end();
    read_well(FIND "\"findIncident\":\"unknown\"");
    assert_false(config->find->always);
    end();
    read_well(
        "\"findIncidentUrl\":\"https://t.example/search\",\"findIncidentMethod\":\"POST\","
        "\"findIncidentJson\":\"{\\\"q\\\":{{case.fields.alert}}}\",\"findIncidentResponseKey\":\"[0].id\","
        "\"findIncident\":\"always\"");
    assert_true(config->find->always);
    assert_int_equal(config->calls[CASEHOOK__CALL_FIND].method, CASEHOOK__METHOD_POST);
    assert_non_null(config->calls[CASEHOOK__CALL_FIND].body);
    end();
    read_well("\"findIncidentUrl\":\"https://t.example/"
              "newest\",\"findIncidentResponseKey\":\"id\",\"strict\":false");
    assert_non_null(config->find);
    end();
}

static void closed_fields(void **state)
{
    static const char *const words[] = {"update", "create", "ignore"};
    char members[1024];
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        snprintf(members, sizeof members,
                 FIND
                 "\"findIncidentResponseStatusKey\":\"s\",\"closedStatuses\":[\"Done\",\"\",\"W\\u00e4g\"],"
                 "\"whenClosed\":\"%s\",\"reopenWithin\":\"14d\",\"findIncidentResponseClosedAtKey\":\"at\"",
                 words[i]);
        read_well(members);
        assert_int_equal(config->find->when_closed, i);
        assert_int_equal(config->find->closed_count, 3);
        assert_true(casehook__text_is(config->find->closed[0], "Done"));
        assert_true(casehook__text_is(config->find->closed[1], ""));
        assert_true(casehook__text_is(config->find->closed[2], "W\xC3\xA4g"));
        assert_true(config->find->reopen_within_ms == INT64_C(14) * 86400000);
        assert_non_null(config->find->status_key);
        assert_non_null(config->find->closed_at_key);
        end();
    }
}

static void find_refused(void **state)
{
    static const struct refusal cases[] = {
        {"\"findIncidentUrl\":5,\"findIncidentResponseKey\":\"id\"", "config.findIncidentUrl", "a text", 1},
        {"\"findIncidentUrl\":\"/find?q={{case.id}}\",\"findIncidentResponseKey\":\"id\"",
         "config.findIncidentUrl", "", 1},
        {"\"findIncidentUrl\":\"ftp://t.example/{{case.id}}\",\"findIncidentResponseKey\":\"id\"",
         "config.findIncidentUrl", "", 1},
        {"\"findIncidentUrl\":\"https://{{case.id}}.example/\",\"findIncidentResponseKey\":\"id\"",
         "config.findIncidentUrl", "", 1},
        {"\"findIncidentUrl\":\"https://t.example/{{case.titel}}\",\"findIncidentResponseKey\":\"id\"",
         "config.findIncidentUrl", "case.title", 1},
        {"\"findIncidentUrl\":\"https://t.example/{{external.system.id}}{{case.id}}\","
         "\"findIncidentResponseKey\":\"id\"",
         "config.findIncidentUrl", "external.system.id", 1},
        {URL "\"findIncident\":\"always\"", "config.findIncidentResponseKey", "missing", 1},
        {URL "\"findIncidentResponseKey\":5", "config.findIncidentResponseKey", "a text", 1},
        {URL "\"findIncidentResponseKey\":null", "config.findIncidentResponseKey", "", 1},
        {FIND "\"findIncidentMethod\":\"put\"", "config.findIncidentMethod", "\"GET\", \"POST\"", 1},
        {FIND "\"findIncidentMethod\":5", "config.findIncidentMethod", "a text", 1},
        {FIND "\"findIncidentMethod\":\"post\",\"findIncidentJson\":\"q={{case.id}}\"",
         "config.findIncidentJson", "", 1},
        {FIND "\"findIncidentMethod\":\"post\",\"findIncidentJson\":{}", "config.findIncidentJson", "a text",
         1},
        {FIND "\"findIncident\":\"never\"", "config.findIncident", "\"unknown\", \"always\"", 1},
        {FIND "\"findIncident\":\"Always\"", "config.findIncident", "\"unknown\", \"always\"", 1},
        {FIND "\"findIncident\":true", "config.findIncident", "a text", 1},
        {FIND "\"findIncidents\":\"always\"", "config.findIncidents", "\"findIncident\"", 1},
        /* it would find some other case */
        {"\"findIncidentUrl\":\"https://t.example/newest\",\"findIncidentResponseKey\":\"id\"",
         "config.findIncidentUrl", "asks the same for every case", 1},
        {"\"findIncidentUrl\":\"https://t.example/s\",\"findIncidentMethod\":\"post\",\"findIncidentJson\":"
         "\"{\\\"newest\\\":true}\",\"findIncidentResponseKey\":\"id\"",
         "config.findIncidentUrl", "asks the same for every case", 1},
        /* who wrote them believes that something is looked for */
        {"\"findIncidentMethod\":\"get\"", "config.findIncidentMethod", "findIncidentUrl", 1},
        {"\"findIncidentResponseKey\":\"id\"", "config.findIncidentResponseKey", "findIncidentUrl", 1},
        {"\"findIncident\":\"always\"", "config.findIncident", "findIncidentUrl", 1},
        {"\"findIncidentJson\":\"{}\"", "config.findIncidentJson", "findIncidentUrl", 1},
        {"\"closedStatuses\":[\"x\"],\"whenClosed\":\"create\"", "config.closedStatuses", "findIncidentUrl",
         2},
        {"\"reopenWithin\":\"1d\"", "config.reopenWithin", "findIncidentUrl", 1},
        {"\"findIncidentUrl\":\"\",\"findIncidentResponseStatusKey\":\"s\"",
         "config.findIncidentResponseStatusKey", "findIncidentUrl", 1},
        {"\"findIncidentResponseClosedAtKey\":\"s\"", "config.findIncidentResponseClosedAtKey",
         "findIncidentUrl", 1},
    };
    (void)state;
    REFUSED(cases);
}

static void closed_refused(void **state)
{
#define STATUS FIND "\"findIncidentResponseStatusKey\":\"s\","
    static const struct refusal cases[] = {
        {STATUS "\"closedStatuses\":\"Done\"", "config.closedStatuses", "a list", 1},
        {STATUS "\"closedStatuses\":[]", "config.closedStatuses", "1 to 64", 1},
        {STATUS "\"closedStatuses\":[\"a\",5,null,\"b\"]", "config.closedStatuses[1]", "must be a text", 2},
        {STATUS "\"whenClosed\":\"create\"", "config.findIncidentResponseStatusKey", "closedStatuses", 2},
        {FIND "\"findIncidentResponseStatusKey\":\"s\"", "config.findIncidentResponseStatusKey",
         "closedStatuses", 1},
        {FIND "\"closedStatuses\":[\"a\"]", "config.closedStatuses", "findIncidentResponseStatusKey", 1},
        {FIND "\"findIncidentResponseStatusKey\":5,\"closedStatuses\":[\"a\"]",
         "config.findIncidentResponseStatusKey", "a text", 1},
        {CLOSED "\"whenClosed\":\"reopen\"", "config.whenClosed", "\"update\", \"create\", \"ignore\"", 1},
        {CLOSED "\"whenClosed\":1", "config.whenClosed", "a text", 1},
        {CLOSED "\"reopenWithin\":\"1d\"", "config.reopenWithin", "findIncidentResponseClosedAtKey", 1},
        {CLOSED "\"findIncidentResponseClosedAtKey\":\"at\"", "config.findIncidentResponseClosedAtKey",
         "reopenWithin", 1},
        {CLOSED "\"reopenWithin\":\"soon\",\"findIncidentResponseClosedAtKey\":\"at\"", "config.reopenWithin",
         "is not a time", 1},
        {CLOSED "\"reopenWithin\":0,\"findIncidentResponseClosedAtKey\":\"at\"", "config.reopenWithin",
         "longer than 0", 1},
        {CLOSED "\"reopenWithin\":[],\"findIncidentResponseClosedAtKey\":\"at\"", "config.reopenWithin", "",
         1},
        {FIND "\"reopenWithin\":\"1d\",\"findIncidentResponseClosedAtKey\":\"at\"", "config.reopenWithin",
         "closedStatuses", 1},
    };
    char many[2048] = STATUS "\"closedStatuses\":[\"x\"";
    (void)state;
    REFUSED(cases);
    for (int i = 1; i < 64; i++) strcat(many, ",\"x\"");
    strcat(many, "]");
    read_well(many);
    assert_int_equal(config->find->closed_count, 64);
    end();
    strcpy(strrchr(many, ']'), ",\"x\"]");
    REFUSED(((const struct refusal[]){{many, "config.closedStatuses", "1 to 64", 1}}));
}

/* A find URL is bound as all others are (C6, U4). */
static void another_host(void **state)
{
    struct casehook__settings_snapshot *usual = settings, *narrow = NULL;
    (void)state;
    casehook__errors_init(&errors, NULL);
    assert_int_equal(casehook__settings_read(NULL, casehook__text("{\"allowedHosts\":[\"t.example\"]}"), NULL,
                                             &narrow, &errors),
                     CASEHOOK_OK);
    settings = narrow;
    read_well(FIND "\"strict\":true");
    end();
    assert_int_equal(read_config("\"findIncidentUrl\":\"https://search.example/?q={{case.id}}\","
                                 "\"findIncidentResponseKey\":\"id\""),
                     CASEHOOK_E_POLICY);
    assert_string_equal(errors.first->field, "config.findIncidentUrl");
    assert_non_null(strstr(errors.first->message, "search.example"));
    end();
    settings = usual;
    casehook__settings_unref(narrow);
    read_well(
        "\"findIncidentUrl\":\"https://search.example/?q={{case.id}}\",\"findIncidentResponseKey\":\"id\"");
    end();
}

/* ---- keys ---------------------------------------------------------------------------------------- */

#define HEADER "\"idempotencyHeader\":\"Idempotency-Key\","

static void key_fields(void **state)
{
    (void)state;
    read_well("\"idempotencyHeader\":\"X-Request-Id\"");
    assert_true(casehook__text_is(config->idempotency->header, "X-Request-Id"));
    assert_int_equal(config->idempotency->duplicate_count, 0);
    end();
    read_well(HEADER "\"idempotencyInBody\":true,\"idempotencyDuplicateStatuses\":[409,400,422]");
    assert_int_equal(config->idempotency->duplicate_count, 3);
    assert_int_equal(config->idempotency->duplicate_statuses[0], 409);
    assert_int_equal(config->idempotency->duplicate_statuses[2], 422);
    end();
    read_well(HEADER "\"idempotencyDuplicateStatuses\":[]");
    assert_int_equal(config->idempotency->duplicate_count, 0);
    end();
}

/* Without comments only the create has to have it. */
static void in_the_body(void **state)
{
    static const char document[] =
        "{\"config\":{\"createIncidentUrl\":\"https://t.example/issue\",\"createIncidentJson\":"
        "\"{\\\"s\\\":{{case.title}},\\\"d\\\":{{case.description}},\\\"alias\\\":{{case.idempotencyKey}}}\","
        "\"createIncidentResponseKey\":\"id\",\"getIncidentUrl\":\"https://t.example/"
        "{{external.system.id}}\","
        "\"getIncidentResponseExternalTitleKey\":\"key\","
        "\"viewIncidentUrl\":\"https://t.example/{{external.system.id}}\","
        "\"updateIncidentUrl\":\"https://t.example/{{external.system.id}}\",\"updateIncidentJson\":"
        "\"{\\\"s\\\":{{case.title}},\\\"d\\\":{{case.description}}}\",\"hasAuth\":false,"
        "\"idempotencyInBody\":true}}";
    (void)state;
    casehook__errors_init(&errors, NULL);
    if (casehook__config_read(NULL, settings, casehook__text(document), &config, &errors))
        fail_msg("%s: %s", errors.first->field, errors.first->message);
    assert_non_null(config->idempotency);
    assert_null(config->idempotency->header.data);
    end();
}

static void keys_refused(void **state)
{
    static const struct refusal cases[] = {
        {"\"idempotencyHeader\":5", "config.idempotencyHeader", "a text", 1},
        {"\"idempotencyHeader\":\"\"", "config.idempotencyHeader", "", 1},
        {"\"idempotencyHeader\":\"X Key\"", "config.idempotencyHeader", "", 1},
        {"\"idempotencyHeader\":\"X-Key:\"", "config.idempotencyHeader", "", 1},
        {"\"idempotencyHeader\":\"X-K\\u00e9y\"", "config.idempotencyHeader", "", 1},
        {"\"idempotencyHeader\":\"X-Key\\r\\nX-Evil\"", "config.idempotencyHeader", "", 1},
        {"\"idempotencyHeader\":\"Host\"", "config.idempotencyHeader", "", 1},
        {"\"idempotencyHeader\":\"content-length\"", "config.idempotencyHeader", "", 1},
        {"\"idempotencyHeader\":\"Proxy-Authorization\"", "config.idempotencyHeader", "", 1},
        {"\"idempotencyHeader\":\"Authorization\"", "config.idempotencyHeader", "means something else", 1},
        {"\"idempotencyHeader\":\"content-type\"", "config.idempotencyHeader", "means something else", 1},
        {"\"idempotencyHeader\":\"Cookie\"", "config.idempotencyHeader", "means something else", 1},
        {HEADER "\"headers\":{\"idempotency-key\":\"x\"}", "config.idempotencyHeader", "remove it there", 1},
        {"\"idempotencyInBody\":\"true\"", "config.idempotencyInBody", "without quotes", 1},
        {"\"idempotencyInBody\":true", "config.idempotencyInBody", "neither createIncidentUrl nor", 2},
        {"\"idempotencyDuplicateStatuses\":[409]", "config.idempotencyDuplicateStatuses",
         "idempotencyHeader or idempotencyInBody", 1},
        {HEADER "\"idempotencyDuplicateStatuses\":409", "config.idempotencyDuplicateStatuses", "a list", 1},
        {HEADER "\"idempotencyDuplicateStatuses\":[409,399,600,\"409\",409.5,null,200]",
         "config.idempotencyDuplicateStatuses[1]", "400 to 599", 6},
        {HEADER "\"idempotencyDuplicateStatuses\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]",
         "config.idempotencyDuplicateStatuses", "more than 16", 1},
        {"\"idempotencyKey\":\"x\"", "config.idempotencyKey", "", 1},
    };
    (void)state;
    REFUSED(cases);
}

/* Where a create or comment is made, and where a case is looked for: that takes what a create URL takes (D3).
 */
static void where_the_key_is_known(void **state)
{
    (void)state;
    read_well(HEADER "\"findIncidentUrl\":\"https://t.example/{{case.idempotencyKey}}\","
                     "\"findIncidentResponseKey\":\"id\"");
    end();
}

static int make_settings(void **state)
{
    (void)state;
    settings = casehook__settings_default(NULL);
    return settings ? 0 : -1;
}

static int free_settings(void **state)
{
    (void)state;
    casehook__settings_unref(settings);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(off_by_default), cmocka_unit_test(find_fields),
        cmocka_unit_test(closed_fields),  cmocka_unit_test(find_refused),
        cmocka_unit_test(closed_refused), cmocka_unit_test(another_host),
        cmocka_unit_test(key_fields),     cmocka_unit_test(in_the_body),
        cmocka_unit_test(keys_refused),   cmocka_unit_test(where_the_key_is_known),
    };
    return cmocka_run_group_tests(tests, make_settings, free_settings);
}
