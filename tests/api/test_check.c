/* test_check.c - what is found when a connector is made: all faults at once, each with its place (C3). */
#include "documents.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BASE         "http://tracker.example"
#define NO_PEM       "aGVsbG8=" /* "hello" */
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Fields and what the messages say, in the order in which they are told. */
static void expect(const char *document, const char *const (*wanted)[2], size_t count)
{
    struct casehook_error *first = NULL;
    struct casehook_connector *connector = NULL;
    size_t i = 0;
    assert_int_equal(casehook_connector_check(NULL, document, CASEHOOK_TERMINATED, &first),
                     CASEHOOK_E_CONFIG);
    for (const struct casehook_error *error = first; error; error = casehook_error_next(error), i++) {
        if (i >= count || strcmp(casehook_error_field(error), wanted[i][0]) != 0 ||
            !strstr(casehook_error_message(error), wanted[i][1]))
            fail_msg("fault %zu: %s: %s", i, casehook_error_field(error), casehook_error_message(error));
        assert_string_equal(casehook_step_name(casehook_error_step(error)), "config");
    }
    assert_int_equal(i, count);
    casehook_error_free(first);
    assert_int_equal(casehook_connector_new(NULL, document, CASEHOOK_TERMINATED, &connector, NULL),
                     CASEHOOK_E_CONFIG);
    assert_null(connector);
}

static void certificates_are_looked_into_beside_other_faults(void **state)
{
    (void)state;
    static const struct {
        const char *config, *secrets;
        const char *wanted[5][2];
        size_t count;
    } cases[] = {
        {"\"hasAuth\":true,\"authType\":\"ssl\",\"ca\":\"" NO_PEM
         "\",\"createIncidentUrl\":\"nonsense\",\"mehtod\":1",
         "\"crt\":\"" NO_PEM "\",\"key\":\"" NO_PEM "\"",
         {{"config.mehtod", "no such field"},
          {"config.createIncidentUrl", "scheme"},
          {"config.ca", "no certificate"},
          {"secrets.crt", "no certificate"},
          {"secrets.key", "no private key"}},
         5},
        {"\"hasAuth\":true,\"authType\":\"ssl\",\"headers\":{\"Host\":\"x\"}",
         "\"pfx\":\"" NO_PEM "\"",
         {{"config.headers.Host", "reserved"}, {"secrets.pfx", ""}},
         2},
        {"\"ca\":\"***\",\"createIncidentJson\":\"{{\"",
         NULL,
         {{"config.createIncidentJson", "not closed"}, {"config.ca", "neither base64 nor PEM"}},
         2},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *document = document_new(BASE, cases[i].config, cases[i].secrets);
        expect(document, cases[i].wanted, cases[i].count);
        free(document);
    }
}

/* The number in the text is the offset of the error: both count from the beginning of the field. */
static void places_agree(void **state)
{
    (void)state;
    static const struct {
        const char *config;
        int offset;
    } cases[] = {
        {"\"getIncidentUrl\":\"http://t.example/a/{{#external}}\"", 19},
        {"\"getIncidentUrl\":\" http://t.example/a/{{external.system. id}}\"", 20},
        {"\"strict\":true,\"viewIncidentUrl\":\"http://t.example/{{external.system.titel}}\"", 17},
        {"\"createIncidentJson\":\"{\\\"a\\\":1{{case.title}}}\"", 6},
        {"\"createIncidentJson\":\"{\\\"a\\\":{{case.title}},\\\"a\\\":1}\"", 21},
        {"\"createIncidentJson\":\"{\\\"a\\\":{{case.title}},}\"", 20},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct casehook_error *error = NULL;
        char *document = document_new(BASE, cases[i].config, NULL), place[32];
        snprintf(place, sizeof place, "byte %d", cases[i].offset);
        int status = casehook_connector_check(NULL, document, CASEHOOK_TERMINATED, &error);
        bool found = strstr(casehook_error_message(error), place) != NULL;
        if (status != CASEHOOK_E_CONFIG || casehook_error_offset(error) != cases[i].offset || !found)
            fail_msg("case %zu, at %d: %s", i, (int)casehook_error_offset(error),
                     casehook_error_message(error));
        casehook_error_free(error);
        free(document);
    }
}

static void no_document_at_all(void **state)
{
    (void)state;
    struct casehook_error *error = NULL;
    assert_int_equal(casehook_connector_check(NULL, NULL, 0, &error), CASEHOOK_E_ARGUMENT);
    assert_string_equal(casehook_error_message(error), "json is NULL");
    casehook_error_free(error);
    assert_int_equal(casehook_connector_check(NULL, "{}", 0, &error), CASEHOOK_E_CONFIG);
    assert_non_null(strstr(casehook_error_message(error), "empty"));
    casehook_error_free(error);
    assert_int_equal(casehook_connector_check(NULL, "{}", 2, NULL), CASEHOOK_E_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates_are_looked_into_beside_other_faults),
        cmocka_unit_test(places_agree),
        cmocka_unit_test(no_document_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
