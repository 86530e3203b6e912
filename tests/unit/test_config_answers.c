/* test_config_answers.c - fields of a document about what is looked for in answers (H4, K6-K9), and L1. */
#include "document/config.h"

#include "documents.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct casehook__settings_snapshot *settings;
static struct casehook__errors errors;
static struct casehook__config *config;

static int read_config(const char *members)
{
    char *document = document_new("https://t.example", members, NULL);
    casehook__errors_init(&errors, NULL);
    int status = casehook__config_read(NULL, settings, casehook__text(document), &config, &errors);
    free(document);
    return status;
}

static void end(void)
{
    casehook__config_free(config);
    casehook_error_free(errors.first);
    config = NULL;
}

static void read_well(const char *members)
{
    if (read_config(members)) fail_msg("%s: %s: %s", members, errors.first->field, errors.first->message);
}

static const struct casehook__call_more *more_of(enum casehook__call call)
{
    return casehook__call_more(&config->calls[call]);
}

/* One fault, in this field, that says this. */
static void refused(const char *members, const char *field, const char *says)
{
    if (!read_config(members)) fail_msg("%s was taken", members);
    const struct casehook_error *first = errors.first;
    if (errors.count != 1 || strcmp(first->field, field) != 0 || !strstr(first->message, says))
        fail_msg("%s: %zu faults, %s: %s", members, errors.count, first->field, first->message);
    assert_int_equal(first->status, CASEHOOK_E_CONFIG);
    end();
}

static const char *const call_names[] = {"createIncident", "getIncident", "updateIncident", "createComment",
                                         "transitionIncident"};
static const enum casehook__call call_numbers[] = {CASEHOOK__CALL_CREATE, CASEHOOK__CALL_GET,
                                                   CASEHOOK__CALL_UPDATE, CASEHOOK__CALL_COMMENT,
                                                   CASEHOOK__CALL_TRANSITION};
#define CALLS 5
#define TRANSITION                                                                \
    "\"transitionIncidentUrl\": \"https://t.example/t/{{external.system.id}}\", " \
    "\"transitionIncidentJson\": \"{}\""

/* ---- types of answers, keys of errors ------------------------------------------------------------- */

static void off_by_default(void **state)
{
    (void)state;
    static const char *const absent[] = {
        TRANSITION,
        TRANSITION ", \"createIncidentResponseErrorKey\": null, \"updateIncidentResponseKey\": null, "
                   "\"createIncidentResponseExternalTitleKey\": null, \"externalIdFrom\": null, "
                   "\"createIncidentResponseHeader\": null"};
    for (size_t i = 0; i < 2; i++) {
        read_well(absent[i]);
        for (size_t call = 0; call < CALLS; call++) {
            const struct casehook__call_more *more = more_of(call_numbers[call]);
            assert_false(more->any_type);
            assert_null(more->error_key);
            assert_null(more->title_key);
            assert_null(more->id_header);
            assert_null(more->own_id);
        }
        assert_null(config->calls[CASEHOOK__CALL_UPDATE].key);
        end();
    }
}

/* Each for its own call. */
static void of_each_call(void **state)
{
    (void)state;
    char members[512], field[128];
    for (size_t call = 0; call < CALLS; call++) {
        snprintf(members, sizeof members,
                 "%s, \"%sResponseType\": \"any\", \"%sResponseErrorKey\": \"a[0].b\"", TRANSITION,
                 call_names[call], call_names[call]);
        read_well(members);
        for (size_t other = 0; other < CALLS; other++) {
            const struct casehook__call_more *more = more_of(call_numbers[other]);
            assert_int_equal(more->any_type, other == call);
            assert_int_equal(more->error_key != NULL, other == call);
        }
        end();
        snprintf(members, sizeof members, "%s, \"%sResponseType\": \"text\"", TRANSITION, call_names[call]);
        snprintf(field, sizeof field, "config.%sResponseType", call_names[call]);
        refused(members, field, "\"any\"");
        snprintf(members, sizeof members, "%s, \"%sResponseErrorKey\": 7", TRANSITION, call_names[call]);
        snprintf(field, sizeof field, "config.%sResponseErrorKey", call_names[call]);
        refused(members, field, "text");
        snprintf(members, sizeof members, "%s, \"strict\": \"names\", \"%sResponseErrorKey\": \"$.errors\"",
                 TRANSITION, call_names[call]);
        refused(members, field, "\"errors\"");
    }
}

/* ---- ids from elsewhere ----------------------------------------------------------------------------- */

#define NO_KEY "\"createIncidentResponseKey\": null, "

static void header_of_the_id(void **state)
{
    (void)state;
    static const char field[] = "config.createIncidentResponseHeader";
    read_well(NO_KEY "\"createIncidentResponseHeader\": \"X-Case-Id\"");
    assert_string_equal(more_of(CASEHOOK__CALL_CREATE)->id_header, "X-Case-Id");
    assert_null(config->calls[CASEHOOK__CALL_CREATE].key);
    end();
    refused("\"createIncidentResponseHeader\": \"Location\"", field, "remove one of them");
    refused(NO_KEY "\"createIncidentResponseHeader\": \"Location:\"", field, "without a colon");
    refused(NO_KEY "\"createIncidentResponseHeader\": \"X Y\"", field, "without a colon");
    refused(NO_KEY "\"createIncidentResponseHeader\": [\"Location\"]", field, "text");
    refused(NO_KEY "\"strict\": false", "config.createIncidentResponseKey", "must be a text");
}

static void ids_of_ours(void **state)
{
    (void)state;
    static const char field[] = "config.externalIdFrom";
    static const char uses[] =
        NO_KEY "\"strict\": true, \"viewIncidentUrl\": \"https://t.example/{{external.system.id}}\", "
               "\"createIncidentJson\": \"{\\\"t\\\":{{case.title}},\\\"d\\\":{{case.description}},"
               "\\\"i\\\":{{case.id}}}\", ";
    char members[1024];
    snprintf(members, sizeof members, "%s\"externalIdFrom\": \"case.id\"", uses);
    read_well(members);
    assert_non_null(more_of(CASEHOOK__CALL_CREATE)->own_id);
    end();
    snprintf(members, sizeof members, "%s\"externalIdFrom\": \"case.fields.n\"", uses);
    refused(members, field, "neither createIncidentUrl nor createIncidentJson uses");
    snprintf(members, sizeof members,
             "%s\"externalIdFrom\": \"case.fields.n\", \"createIncidentUrl\": "
             "\"https://t.example/c?n={{case.fields.n}}\"",
             uses);
    read_well(members);
    end();
    snprintf(members, sizeof members,
             "%s\"externalIdFrom\": \"case.idempotencyKey\", \"idempotencyHeader\": \"X-Key\"", uses);
    read_well(members);
    end();
    snprintf(members, sizeof members, "%s\"externalIdFrom\": \"case.idempotencyKey\"", uses);
    refused(members, field, "case.idempotencyKey, which neither");
    snprintf(members, sizeof members, "%s\"externalIdFrom\": \"case.titel\"", uses);
    refused(members, field, "case.title");
    snprintf(members, sizeof members, "%s\"externalIdFrom\": \"external.system.id\"", uses);
    refused(members, field, "external.system.id");
    refused(NO_KEY "\"externalIdFrom\": \"secret.s\"", field, "must not name a secret");
    static const char *const names[] = {"",    "{{case.id}}", "#case.id", "case.id ",
                                        "a>b", "!x",          "&case.id", "case.id}}"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(members, sizeof members, NO_KEY "\"externalIdFrom\": \"%s\"", names[i]);
        refused(members, field, "is no name of a variable");
    }
    refused(NO_KEY "\"externalIdFrom\": \"case.id\", \"createIncidentResponseHeader\": \"Location\"", field,
            "the id comes from one of them");
}

/* ---- titles of writes, calls that are not there ------------------------------------------------------ */

#define NO_GET "\"getIncidentUrl\": null, \"getIncidentResponseExternalTitleKey\": null"
#define TITLES                                            \
    "\"createIncidentResponseExternalTitleKey\": \"k\", " \
    "\"updateIncidentResponseExternalTitleKey\": \"k\""

static void titles_of_writes(void **state)
{
    (void)state;
    read_well(TITLES);
    assert_non_null(more_of(CASEHOOK__CALL_CREATE)->title_key);
    assert_non_null(more_of(CASEHOOK__CALL_UPDATE)->title_key);
    assert_true(config->calls[CASEHOOK__CALL_GET].on);
    end();
    read_well(TITLES ", " NO_GET);
    assert_false(config->calls[CASEHOOK__CALL_GET].on);
    end();
    read_well("\"getIncident\": false");
    assert_false(config->calls[CASEHOOK__CALL_GET].on);
    end();
    if (!read_config("\"createIncidentResponseExternalTitleKey\": \"k\", " NO_GET)) /* an update needs it */
        fail_msg("an update has no title");
    assert_string_equal(errors.first->field, "config.getIncidentUrl");
    end();
    refused("\"createIncidentResponseExternalTitleKey\": {}", "config.createIncidentResponseExternalTitleKey",
            "text");
    refused("\"getIncident\": \"no\"", "config.getIncident", "true or false");
}

static void transitions(void **state)
{
    (void)state;
    read_well(TRANSITION);
    assert_true(config->calls[CASEHOOK__CALL_TRANSITION].on);
    assert_int_equal(config->calls[CASEHOOK__CALL_TRANSITION].method, CASEHOOK__METHOD_POST);
    end();
    read_well(TRANSITION ", \"transitionIncidentMethod\": \"PATCH\"");
    assert_int_equal(config->calls[CASEHOOK__CALL_TRANSITION].method, CASEHOOK__METHOD_PATCH);
    end();
    refused(TRANSITION ", \"updateIncident\": false", "config.transitionIncidentUrl", "is never requested");
    refused(TRANSITION ", \"transitionIncidentMethod\": \"get\"", "config.transitionIncidentMethod", "POST");
    refused("\"transitionIncidentJson\": \"{}\"", "config.transitionIncidentJson", "give both, or neither");
}

static int set_up(void **state)
{
    (void)state;
    settings = casehook__settings_default(NULL);
    return settings ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    casehook__settings_unref(settings);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(off_by_default),   cmocka_unit_test(of_each_call),
        cmocka_unit_test(header_of_the_id), cmocka_unit_test(ids_of_ours),
        cmocka_unit_test(titles_of_writes), cmocka_unit_test(transitions),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
