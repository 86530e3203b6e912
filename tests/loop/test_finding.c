/* test_finding.c - creates that nobody knows of: found, known again by a key, or closed since (D3, D4, L2).
 */
#include "plots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- finding (D3) -------------------------------------------------------------------------------- */

static const struct plot finding_plots[] = {
    {.name = "there", .config = FIND, .script = {ON('C', 0, LOST), LOOK(THERE), GET}, .found = true},
    {.name = "there at the second look",
     .config = FIND,
     .script = {ON('C', 0, CASEHOOK_E_TIMEOUT), LOOK(NONE), LOOK(THERE), GET},
     .found = true},
    {.name = "not there",
     .config = FIND,
     .script = {ON('C', 0, LOST), LOOK(NONE), LOOK(NONE), ON('C', CHANCE, 201), GET}},
    {.name = "not there: null",
     .config = FIND,
     .script = {ON('C', 0, LOST), LOOK("{\"list\":[{\"id\":null}]}"), LOOK("{}"), ON('C', CHANCE, 201), GET}},
    {.name = "lost again",
     .config = FIND,
     .script = {ON('C', 0, LOST), LOOK(NONE), LOOK(NONE), ON('C', CHANCE, LOST), LOOK(NONE), LOOK(NONE)},
     CREATE_UNKNOWN(LOST)},
    {.name = "lost again, and there",
     .config = FIND,
     .script = {ON('C', 0, LOST), LOOK(NONE), LOOK(NONE), ON('C', CHANCE, LOST), LOOK(THERE), GET},
     .found = true},
    {.name = "made again, refused",
     .config = FIND,
     .script = {ON('C', 0, LOST), LOOK(NONE), LOOK(NONE), ON('C', CHANCE, 503)},
     CREATE_UNKNOWN(STATUS)},
    {.name = "made again, not reached",
     .config = FIND,
     .script = {ON('C', 0, LOST), LOOK(NONE), LOOK(NONE), ON_WITH('C', CHANCE, CASEHOOK_E_CONNECT, UNSENT)},
     CREATE_UNKNOWN(CASEHOOK_E_CONNECT)},
    {.name = "made again, at last reached",
     .config = FIND,
     .settings = THREE,
     .script = {ON('C', 0, LOST), LOOK(NONE), LOOK(NONE), ON_WITH('C', CHANCE, CASEHOOK_E_CONNECT, UNSENT),
                ON('C', CHANCE, 201), GET}},
    {.name = "three attempts",
     .config = FIND,
     .settings = THREE,
     .script = {ON('C', 0, 503), ON('C', CHANCE, LOST), LOOK(NONE), LOOK(NONE), ON('C', CHANCE, 502),
                LOOK(NONE), LOOK(NONE)},
     CREATE_UNKNOWN(STATUS)},
    {.name = "500", .config = FIND, .script = {ON('C', 0, 500), LOOK(THERE), GET}, .found = true},
    {.name = "500, asks for time",
     .config = FIND,
     .script = {{.call = 'C', .delay = 0, .answer = 500, .retry_after = "10"},
                ON_WITH('F', 10000, 200, THERE),
                GET},
     .found = true},
    {.name = "500, asks for too much",
     .config = FIND,
     .script = {{.call = 'C', .delay = 0, .answer = 500, .retry_after = "301"}},
     .status = STATUS,
     .step = "create",
     .outcome = UNKNOWN, /* it may have been written, and could not be looked for */
     .id = ""},
    {.name = "findDelay",
     .config = FIND,
     .settings = "\"retry.findDelay\":\"9s\"",
     .script = {ON('C', 0, LOST), ON_WITH('F', 9000, 200, NONE), ON_WITH('F', 9000, 200, THERE), GET},
     .found = true},
    {.name = "an answer of no use",
     .config = FIND,
     .script = {ON_WITH('C', 0, 201, "{\"no\":1}"), LOOK(THERE), GET},
     .found = true},
    {.name = "an answer of no use, not there",
     .config = FIND,
     .settings = THREE,
     .script = {ON_WITH('C', 0, 201, "{\"no\":1}"), LOOK(NONE), LOOK(NONE)},
     CREATE_UNKNOWN(CASEHOOK_E_RESPONSE)},
    {.name = "the question is refused",
     .config = FIND,
     .settings = THREE,
     .script = {ON('C', 0, LOST), ON('F', 2000, 403)},
     CREATE_UNKNOWN(LOST)},
    {.name = "the question is lost",
     .config = FIND,
     .script = {ON('C', 0, LOST), ON('F', 2000, LOST)},
     CREATE_UNKNOWN(LOST)},
    {.name = "the question is repeated",
     .config = FIND,
     .settings = THREE,
     .script = {ON('C', 0, LOST),
                ON('F', 2000, 503),
                ON('F', CHANCE, LOST),
                ON_WITH('F', CHANCE, 200, NONE),
                {.call = 'F', .delay = 2000, .answer = 429, .retry_after = "30"},
                ON_WITH('F', 30000, 200, THERE),
                GET},
     .found = true},
    {.name = "the question is put off for too long",
     .config = FIND,
     .settings = THREE,
     .script = {ON('C', 0, LOST), {.call = 'F', .delay = 2000, .answer = 503, .retry_after = "301"}},
     CREATE_UNKNOWN(LOST)},
    {.name = "no time to look",
     .config = FIND,
     .deadline_ms = 1500,
     .script = {ON('C', 0, LOST)},
     CREATE_UNKNOWN(LOST)},
    {.name = "no time to look twice",
     .config = FIND,
     .deadline_ms = 3500,
     .script = {ON('C', 0, LOST), LOOK(NONE)},
     CREATE_UNKNOWN(LOST)},
    {.name = "no time to make it again",
     .config = FIND,
     .deadline_ms = 4500,
     .script = {ON('C', 0, LOST), LOOK(NONE), LOOK(NONE)},
     CREATE_UNKNOWN(LOST)},
    {.name = "not sent",
     .config = FIND,
     .script = {ON_WITH('C', 0, CASEHOOK_E_CONNECT, UNSENT)},
     .status = CASEHOOK_E_CONNECT,
     .step = "create",
     .outcome = NOT_SENT,
     .retryable = true,
     .id = ""},
    {.name = "refused",
     .config = FIND,
     .settings = THREE,
     .script = {ON('C', 0, 422)},
     .status = STATUS,
     .step = "create",
     .outcome = REFUSED,
     .id = ""},
};

static void finding(void **state)
{
    (void)state;
    RUN(finding_plots);
}

/* What an answer to the question cannot be: then nobody knows, and nothing is made a second time. */
static void odd_answers_to_the_question(void **state)
{
    static const char *const bodies[] = {"",
                                         " ",
                                         "<html>",
                                         "{\"list\":",
                                         "{\"list\":[{\"id\":{}}]}",
                                         "{\"list\":[{\"id\":[]}]}",
                                         "{\"list\":[{\"id\":true}]}",
                                         "{\"list\":[{\"id\":\"\"}]}",
                                         "{\"list\":[{\"id\":\"..\"}]}",
                                         "{\"list\":[{\"id\":\"\\ud800\"}]}",
                                         "{\"list\":[{\"id\":\"7\"}]} x"};
    struct plot odd = {.name = "odd", .config = FIND, .settings = THREE, CREATE_UNKNOWN(LOST)};
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        odd.name = bodies[i];
        odd.script[0] = (struct exchange){.call = 'C', .answer = LOST};
        odd.script[1] = (struct exchange){.call = 'F', .delay = 2000, .answer = 200, .body = bodies[i]};
        plots_run(&odd, 1);
    }
}

#define ALWAYS    FIND ",\"findIncident\":\"always\""
#define ASK(said) ON_WITH('F', 0, 200, said)

static const struct plot asked_before_plots[] = {
    {.name = "new", .config = ALWAYS, .script = {ASK(NONE), ON('C', 0, 201), GET}},
    {.name = "known", .config = ALWAYS, .script = {ASK(THERE), ON('U', 0, 200), GET}, .found = true},
    {.name = "known, as a create",
     .config = ALWAYS,
     .operation = CASEHOOK_CREATE,
     .script = {ASK(THERE), ON('U', 0, 200), GET},
     .found = true},
    {.name = "known, the update fails",
     .config = ALWAYS,
     .script = {ASK(THERE), ON('U', 0, 503)},
     .status = STATUS,
     .step = "update",
     .outcome = REFUSED,
     .retryable = true,
     .found = true},
    {.name = "with an id nobody asks",
     .config = ALWAYS,
     .params = "\"externalId\":\"7\"",
     .script = {ON('U', 0, 200), GET}},
    {.name = "refused",
     .config = ALWAYS,
     .settings = THREE,
     .script = {ON('F', 0, 403)},
     .status = STATUS,
     .step = "find",
     .outcome = REFUSED,
     .id = ""},
    {.name = "busy",
     .config = ALWAYS,
     .script = {ON('F', 0, 503)},
     .status = STATUS,
     .step = "find",
     .outcome = REFUSED,
     .retryable = true,
     .id = ""},
    {.name = "asked again",
     .config = ALWAYS,
     .settings = THREE,
     .script = {ON('F', 0, LOST), ON_WITH('F', CHANCE, 200, NONE), ON('C', 0, 201), GET}},
    {.name = "new, and lost",
     .config = ALWAYS,
     .script = {ASK(NONE), ON('C', 0, LOST), LOOK(THERE), GET},
     .found = true},
    {.name = "new, lost, made again",
     .config = ALWAYS,
     .script = {ASK(NONE), ON('C', 0, LOST), LOOK(NONE), LOOK(NONE), ON('C', CHANCE, 201), GET}},
    {.name = "of no use",
     .config = ALWAYS,
     .settings = THREE,
     .script = {ASK("{\"list\":[{\"id\":{}}]}")},
     .status = CASEHOOK_E_RESPONSE,
     .step = "find",
     .outcome = UNKNOWN,
     .id = ""},
};

static void asked_before(void **state)
{
    (void)state;
    RUN(asked_before_plots);
}

/* ---- closed cases (L2) --------------------------------------------------------------------------- */

#define STATUS_KEYS ",\"findIncidentResponseStatusKey\":\"list[0].st\",\"closedStatuses\":[\"Done\",\"5\"]"
#define REOPEN      ",\"reopenWithin\":\"1h\",\"findIncidentResponseClosedAtKey\":\"list[0].at\""
#define IS(members) "{\"list\":[{\"id\":\"7\"," members "}]}"
#define UPDATED     ON('U', 0, 200), GET
#define CREATED     ON('C', 0, 201), GET

static const struct plot closed_cases_plots[] = {
    {.name = "open",
     .config = ALWAYS STATUS_KEYS ",\"whenClosed\":\"ignore\"",
     .script = {ASK(IS("\"st\":\"Open\"")), UPDATED},
     .found = true},
    {.name = "no status",
     .config = ALWAYS STATUS_KEYS ",\"whenClosed\":\"create\"",
     .script = {ASK(THERE), UPDATED},
     .found = true},
    {.name = "null",
     .config = ALWAYS STATUS_KEYS ",\"whenClosed\":\"create\"",
     .script = {ASK(IS("\"st\":null")), UPDATED},
     .found = true},
    {.name = "another case of letters",
     .config = ALWAYS STATUS_KEYS ",\"whenClosed\":\"create\"",
     .script = {ASK(IS("\"st\":\"done\"")), UPDATED},
     .found = true},
    {.name = "update is the default",
     .config = ALWAYS STATUS_KEYS,
     .script = {ASK(IS("\"st\":\"Done\"")), UPDATED},
     .found = true},
    {.name = "create",
     .config = ALWAYS STATUS_KEYS ",\"whenClosed\":\"create\"",
     .script = {ASK(IS("\"st\":\"Done\"")), CREATED}},
    {.name = "a number",
     .config = ALWAYS STATUS_KEYS ",\"whenClosed\":\"create\"",
     .script = {ASK(IS("\"st\":5")), CREATED}},
    {.name = "ignore",
     .config = ALWAYS STATUS_KEYS ",\"whenClosed\":\"ignore\"",
     .params = "\"comments\":[{\"commentId\":\"1\",\"comment\":\"x\"}]",
     .script = {ASK(IS("\"st\":\"Done\""))},
     .found = true},
    {.name = "lost, closed, create",
     .config = FIND STATUS_KEYS ",\"whenClosed\":\"create\"",
     .script = {ON('C', 0, LOST), LOOK(IS("\"st\":\"Done\"")), LOOK(IS("\"st\":\"Done\"")),
                ON('C', CHANCE, 201), GET}},
    {.name = "lost, closed, ignore",
     .config = FIND STATUS_KEYS ",\"whenClosed\":\"ignore\"",
     .script = {ON('C', 0, LOST), LOOK(IS("\"st\":\"Done\""))},
     .found = true},
    /* it is 08:49:37 */
    {.name = "closed of late",
     .config = ALWAYS STATUS_KEYS REOPEN,
     .script = {ASK(IS("\"st\":\"Done\",\"at\":\"1994-11-06T07:49:37Z\"")), UPDATED},
     .found = true},
    {.name = "closed too long ago",
     .config = ALWAYS STATUS_KEYS REOPEN,
     .script = {ASK(IS("\"st\":\"Done\",\"at\":\"1994-11-06T07:49:36Z\"")), CREATED}},
    {.name = "too long ago, ignore",
     .config = ALWAYS STATUS_KEYS REOPEN ",\"whenClosed\":\"ignore\"",
     .script = {ASK(IS("\"st\":\"Done\",\"at\":\"1994-11-01T07:49:36Z\"")), CREATED}},
    {.name = "of late, ignore",
     .config = ALWAYS STATUS_KEYS REOPEN ",\"whenClosed\":\"ignore\"",
     .script = {ASK(IS("\"st\":\"Done\",\"at\":\"1994-11-06T08:00:00.000+0000\""))},
     .found = true},
    {.name = "of late, create",
     .config = ALWAYS STATUS_KEYS REOPEN ",\"whenClosed\":\"create\"",
     .script = {ASK(IS("\"st\":\"Done\",\"at\":\"1994-11-06T08:00:00Z\"")), CREATED}},
    {.name = "another zone",
     .config = ALWAYS STATUS_KEYS REOPEN,
     .script = {ASK(IS("\"st\":\"Done\",\"at\":\"1994-11-06T09:30:00+02:00\"")), CREATED}},
    {.name = "seconds",
     .config = ALWAYS STATUS_KEYS REOPEN,
     .script = {ASK(IS("\"st\":\"Done\",\"at\":784111000")), UPDATED},
     .found = true},
    {.name = "seconds as text",
     .config = ALWAYS STATUS_KEYS REOPEN,
     .script = {ASK(IS("\"st\":\"Done\",\"at\":\"784101000\"")), CREATED}},
    {.name = "milliseconds",
     .config = ALWAYS STATUS_KEYS REOPEN,
     .script = {ASK(IS("\"st\":\"Done\",\"at\":784111000123")), UPDATED},
     .found = true},
    {.name = "to come",
     .config = ALWAYS STATUS_KEYS REOPEN,
     .script = {ASK(IS("\"st\":\"Done\",\"at\":\"2094-01-01\"")), UPDATED},
     .found = true},
    {.name = "nobody knows when",
     .config = ALWAYS STATUS_KEYS REOPEN,
     .script = {ASK(IS("\"st\":\"Done\",\"at\":null")), UPDATED},
     .found = true},
    {.name = "when is no matter of open ones",
     .config = ALWAYS STATUS_KEYS REOPEN,
     .script = {ASK(IS("\"st\":\"Open\",\"at\":\"once\"")), UPDATED},
     .found = true},
    {.name = "no time",
     .config = ALWAYS STATUS_KEYS REOPEN,
     .settings = THREE,
     .script = {ASK(IS("\"st\":\"Done\",\"at\":\"once\""))},
     .status = CASEHOOK_E_RESPONSE,
     .step = "find",
     .outcome = UNKNOWN,
     .id = ""},
    {.name = "lost, and no time",
     .config = FIND STATUS_KEYS REOPEN,
     .script = {ON('C', 0, LOST), LOOK(IS("\"st\":\"Done\",\"at\":{}"))},
     CREATE_UNKNOWN(LOST)},
};

static void closed_cases(void **state)
{
    (void)state;
    RUN(closed_cases_plots);
}

/* ---- plot_keys (D4) ----------------------------------------------------------------------------------- */

static const struct plot keyed_plots[] = {
    {.name = "lost",
     .config = KEY,
     .settings = THREE,
     .script = {ON('C', 0, LOST), ON('C', CHANCE, 502), ON('C', CHANCE, 201), GET}},
    {.name = "500", .config = KEY, .settings = THREE, .script = {ON('C', 0, 500), ON('C', CHANCE, 201), GET}},
    {.name = "one attempt", .config = KEY, .script = {ON('C', 0, LOST)}, CREATE_UNKNOWN(LOST)},
    {.name = "lost, then refused",
     .config = KEY,
     .settings = THREE,
     .script = {ON('C', 0, LOST), ON('C', CHANCE, 400)},
     CREATE_UNKNOWN(STATUS)},
    {.name = "lost, then not reached",
     .config = KEY,
     .settings = "\"run.maxAttempts\":2",
     .script = {ON('C', 0, LOST), ON_WITH('C', CHANCE, CASEHOOK_E_CONNECT, UNSENT)},
     CREATE_UNKNOWN(CASEHOOK_E_CONNECT)},
    {.name = "comment",
     .config = KEY,
     .settings = THREE,
     .params = ONE_COMMENT,
     .script = {ON('C', 0, 201), GET, ON('M', 0, LOST), ON('M', CHANCE, 500), ON('M', CHANCE, 201)}},
    {.name = "a duplicate",
     .config = DUP,
     .settings = THREE,
     .script = {ON('C', 0, LOST), ON('C', CHANCE, 409)},
     .status = STATUS,
     .step = "create",
     .outcome = CASEHOOK_OUTCOME_DONE,
     .id = ""},
    {.name = "no duplicate",
     .config = DUP,
     .settings = THREE,
     .script = {ON('C', 0, 409)},
     .status = STATUS,
     .step = "create",
     .outcome = REFUSED,
     .id = ""},
    {.name = "nothing had come",
     .config = DUP,
     .settings = THREE,
     .script = {ON_WITH('C', 0, CASEHOOK_E_CONNECT, UNSENT), ON('C', CHANCE, 409)},
     .status = STATUS,
     .step = "create",
     .outcome = REFUSED,
     .id = ""},
    {.name = "a comment twice",
     .config = DUP,
     .settings = THREE,
     .params = ONE_COMMENT,
     .script = {ON('C', 0, 201), GET, ON('M', 0, LOST), ON('M', CHANCE, 409)}},
    {.name = "found before it is repeated",
     .config = KEY "," FIND,
     .settings = THREE,
     .script = {ON('C', 0, LOST), LOOK(THERE), GET},
     .found = true},
    {.name = "not found, a duplicate, found",
     .config = DUP "," FIND,
     .settings = THREE,
     .script = {ON('C', 0, LOST), LOOK(NONE), LOOK(NONE), ON('C', CHANCE, 409), LOOK(THERE), GET},
     .found = true},
    {.name = "a duplicate that is nowhere",
     .config = DUP "," FIND,
     .settings = "\"run.maxAttempts\":10",
     .script = {ON('C', 0, LOST), LOOK(NONE), LOOK(NONE), ON('C', CHANCE, 409), LOOK(NONE), LOOK(NONE)},
     CREATE_UNKNOWN(STATUS)},
};

static void keyed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof keyed_plots / sizeof *keyed_plots; i++) {
        for (size_t j = 0; j < 2; j++) {
            const char *of[2] = {NULL, NULL}; /* of creates, of comments */
            plot_run(&keyed_plots[i], plot_drivers[j]);
            for (size_t n = 0; n < plot_at; n++) {
                char call = keyed_plots[i].script[n].call;
                const char **first = &of[call == 'M'];
                assert_int_equal(plot_keys[n][0] != '\0', call == 'C' || call == 'M');
                if (call != 'C' && call != 'M') continue;
                if (!*first) *first = plot_keys[n];
                assert_string_equal(plot_keys[n], *first);
            }
            if (of[0] && of[1]) assert_string_not_equal(of[0], of[1]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finding),      cmocka_unit_test(odd_answers_to_the_question),
        cmocka_unit_test(asked_before), cmocka_unit_test(closed_cases),
        cmocka_unit_test(keyed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
