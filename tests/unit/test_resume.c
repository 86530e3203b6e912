/* test_resume.c - what is taken over from an earlier result, and what is none (D5). */
#include "exchange/resume.h"
#include "../support/watched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct casehook__idempotency header = {.header = {"Idempotency-Key", 15}, .counts = true},
                                    body_alone = {.counts = false};
static struct casehook__find_config question;
static const struct casehook__config plain = {.calls[CASEHOOK__CALL_COMMENT].on = true},
                                     keyed = {.calls[CASEHOOK__CALL_COMMENT].on = true,
                                              .idempotency = &header},
                                     finds = {.calls[CASEHOOK__CALL_COMMENT].on = true, .find = &question},
                                     counts_not = {.calls[CASEHOOK__CALL_COMMENT].on = true,
                                                   .idempotency = &body_alone};
static struct casehook__parsed_params params;
static struct casehook_result *result;
static struct casehook__resumed resumed;
static struct casehook__buf scratch;
static struct casehook__heap *scratch_heap;
static int operation;

#define COMMENTS                                                                                     \
    "\"comments\":[{\"commentId\":\"a\",\"comment\":\"1\"},{\"commentId\":\"b\",\"comment\":\"2\"}," \
    "{\"commentId\":\"c\",\"comment\":\"\"}]"

/* more: members of the params, each with a comma behind it. */
static int resume(const struct casehook__config *config, const char *more, const char *earlier)
{
    struct casehook_error error;
    size_t size = strlen(more) + strlen(earlier) + 512;
    char *json = malloc(size);
    assert_non_null(json);
    snprintf(json, size, "{\"title\":\"t\",%s%s,\"resume\":%s}", more,
             operation == CASEHOOK_PUSH ? COMMENTS : "\"comments\":[]", earlier);
    casehook__error_init(&error);
    casehook__params_init(&params, NULL);
    int status = casehook__params_from_json(&params, operation, casehook__text(json), &error);
    if (status) fail_msg("%s: %s", json, error.message);
    casehook__buf_init(&scratch, scratch_heap, 65536);
    result = casehook__result_new(NULL, &params);
    assert_non_null(result);
    assert_true(casehook__result_reserve_id(result));
    if (params.external_id.data) casehook__result_set_id(result, params.external_id);
    status = casehook__resume_read(config, &params, operation, &scratch, result, &resumed);
    free(json); /* nothing of it is needed any more */
    return status;
}

static void end(void)
{
    casehook_result_free(result);
    casehook__params_free(&params);
    casehook__buf_free(&scratch);
}

static void expect_id(const char *id)
{
    assert_int_equal(result->id_length, strlen(id));
    assert_memory_equal(result->id, id, strlen(id));
}

#define RESULT(id, comments, requests)                                                                   \
    "{\"ok\":false,\"operation\":\"push\",\"id\":" id ",\"idempotencyKey\":null,\"comments\":[" comments \
    "],\"requests\":[" requests "],\"error\":null}"
#define STATE(id, state)       "{\"commentId\":\"" id "\",\"state\":\"" state "\"}"
#define REQUEST(step, outcome) "{\"step\":\"" step "\",\"outcome\":\"" outcome "\"}"

/* ---- what is taken over -------------------------------------------------------------------------- */

static void without_one_nothing_happens(void **state)
{
    (void)state;
    operation = CASEHOOK_PUSH;
    assert_int_equal(resume(&plain, "", "null"), CASEHOOK_OK);
    assert_false(resumed.wrote || resumed.create_unknown || result->id_length);
    end();
}

static void what_was_done_is_done(void **state)
{
    (void)state;
    operation = CASEHOOK_PUSH;
    assert_int_equal(
        resume(&plain, "",
               RESULT("\"7\"", STATE("a", "sent") "," STATE("b", "failed") "," STATE("c", "skipped"),
                      REQUEST("create", "done") "," REQUEST("get", "done") "," REQUEST(
                          "comment", "done") "," REQUEST("comment", "refused"))),
        CASEHOOK_OK);
    expect_id("7");
    assert_true(resumed.wrote);
    assert_false(resumed.create_unknown);
    assert_int_equal(result->comments[0].state, CASEHOOK_COMMENT_SENT);
    assert_int_equal(result->comments[1].state, CASEHOOK_COMMENT_NOT_ATTEMPTED);
    assert_int_equal(result->comments[2].state, CASEHOOK_COMMENT_SKIPPED);
    end();
}

/* New comments stand behind those that the result knows. */
static void fewer_comments_than_now(void **state)
{
    (void)state;
    operation = CASEHOOK_PUSH;
    assert_int_equal(resume(&plain, "", RESULT("\"7\"", STATE("a", "sent"), REQUEST("create", "done"))),
                     CASEHOOK_OK);
    assert_int_equal(result->comments[0].state, CASEHOOK_COMMENT_SENT);
    assert_int_equal(result->comments[1].state, CASEHOOK_COMMENT_NOT_ATTEMPTED);
    end();
}

static void what_was_not_done_is_to_be_done(void **state)
{
    static const char *const requests[] = {"", REQUEST("create", "refused"), REQUEST("create", "not_sent"),
                                           REQUEST("find", "unknown"), REQUEST("get", "done")};
    (void)state;
    operation = CASEHOOK_PUSH;
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        char json[256];
        snprintf(json, sizeof json, RESULT("null", "", "%s"), requests[i]);
        assert_int_equal(resume(&plain, "", json), CASEHOOK_OK);
        assert_false(resumed.wrote || resumed.create_unknown || result->id_length);
        end();
    }
}

/* An update that is unknown is made again: that does no harm. */
static void updates(void **state)
{
    (void)state;
    operation = CASEHOOK_PUSH;
    assert_int_equal(resume(&plain, "", RESULT("\"7\"", "", REQUEST("update", "unknown"))), CASEHOOK_OK);
    assert_false(resumed.wrote || resumed.create_unknown);
    end();
    assert_int_equal(
        resume(&plain, "", RESULT("\"7\"", "", REQUEST("update", "unknown") "," REQUEST("update", "done"))),
        CASEHOOK_OK);
    assert_true(resumed.wrote);
    end();
    assert_int_equal(resume(&plain, "\"externalId\":\"7\",", RESULT("\"7\"", "", REQUEST("update", "done"))),
                     CASEHOOK_OK);
    assert_true(resumed.wrote);
    expect_id("7");
    end();
}

/* The id came, although the answer broke off behind it: then it was created. */
static void an_unknown_create_that_has_an_id(void **state)
{
    (void)state;
    operation = CASEHOOK_PUSH;
    assert_int_equal(resume(&plain, "", RESULT("\"7\"", "", REQUEST("create", "unknown"))), CASEHOOK_OK);
    assert_true(resumed.wrote);
    assert_false(resumed.create_unknown);
    end();
}

/* A try that nobody knows of, and one that was done: it is done. */
static void a_later_try_was_done(void **state)
{
    (void)state;
    operation = CASEHOOK_CREATE;
    static const char json[] =
        "{\"operation\":\"create\",\"id\":\"7\",\"comments\":[],\"requests\":[" REQUEST(
            "create", "unknown") "," REQUEST("create", "done") "]}";
    assert_int_equal(resume(&plain, "", json), CASEHOOK_OK);
    assert_true(resumed.wrote);
    assert_false(resumed.create_unknown);
    end();
}

/* Names of 0.1, white space, members in another order and such as only later versions know. */
static void other_forms_of_a_result(void **state)
{
    (void)state;
    operation = CASEHOOK_PUSH;
    assert_int_equal(
        resume(&plain, "",
               " {\n \"exchanges\" : [ {\"outcome\":\"done\", \"new\":[{}], \"step\":\"create\"} ] ,"
               " \"comments\":[{\"state\":\"sent\",\"commentId\":\"\\u0061\",\"x\":{}}], \"later\":1,"
               "\"id\" : \"\\u0037\\u00e9\" } "),
        CASEHOOK_OK);
    assert_true(resumed.wrote);
    expect_id("7\xC3\xA9");
    assert_int_equal(result->comments[0].state, CASEHOOK_COMMENT_SENT);
    end();
}

/* ---- a create that nobody knows of --------------------------------------------------------------- */

static void an_unknown_create(void **state)
{
    static const char unknown[] = RESULT("null", "", REQUEST("create", "unknown"));
    (void)state;
    operation = CASEHOOK_PUSH;
    assert_int_equal(resume(&finds, "", unknown), CASEHOOK_OK);
    assert_true(resumed.create_unknown);
    end();
    /* the same key makes it safe */
    static const struct {
        const char *params, *key;
    } same[] = {{"\"id\":\"r1\",", ",\"idempotencyKey\":\"8c833d3d316f50691653f8b9287f2ff1\""},
                {"\"idempotencyKey\":\"k\",", ",\"idempotencyKey\":\"k\""},
                {"\"id\":\"r1\",", ""}}, /* by a host that knows */
        other[] = {{"\"id\":\"r2\",", ",\"idempotencyKey\":\"8c833d3d316f50691653f8b9287f2ff1\""},
                   {"\"idempotencyKey\":\"k\",\"id\":\"r1\",", ",\"idempotencyKey\":\"k2\""},
                   {"\"idempotencyKey\":\"k\",", ",\"idempotencyKey\":null"}};
    for (size_t i = 0; i < 3; i++) {
        char json[256];
        snprintf(json, sizeof json, "{\"comments\":[],\"requests\":[%s]%s}", REQUEST("create", "unknown"),
                 same[i].key);
        assert_int_equal(resume(&keyed, same[i].params, json), CASEHOOK_OK);
        assert_true(resumed.create_unknown && resumed.same_key);
        end();
        snprintf(json, sizeof json, "{\"comments\":[],\"requests\":[%s]%s}", REQUEST("create", "unknown"),
                 other[i].key);
        assert_int_equal(resume(&keyed, other[i].params, json), CASEHOOK_E_PARAMS);
        end();
    }
    /* without either nobody can say */
    const struct casehook__config *const unsafe[] = {&plain, &keyed};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(resume(unsafe[i], "", unknown), CASEHOOK_E_PARAMS);
        assert_string_equal(result->error.field, "resume");
        assert_non_null(strstr(result->error.message, "look for its title"));
        assert_non_null(strstr(result->error.message, "external id"));
        end();
    }
    /* who has looked gives the id */
    assert_int_equal(resume(&plain, "\"externalId\":\"9\",", unknown), CASEHOOK_OK);
    assert_false(resumed.create_unknown);
    expect_id("9");
    end();
}

/* The requests are those of a call that was resumed itself, or none that were unknown: how it ended counts.
 */
static void an_end_that_nobody_knows(void **state)
{
#define ENDED(outcome, requests)                                                                           \
    "{\"operation\":\"push\",\"step\":\"create\",\"outcome\":\"" outcome "\",\"id\":null,\"comments\":[]," \
    "\"requests\":[" requests "]}"
    static const char looked[] = ENDED("unknown", REQUEST("find", "refused")),
                      known[] = ENDED("done", REQUEST("create", "refused") "," REQUEST("create", "refused")),
                      broke[] =
                          RESULT("null", "", "{\"step\":\"create\",\"outcome\":\"refused\",\"status\":500}"),
                      busy[] =
                          RESULT("null", "", "{\"step\":\"create\",\"outcome\":\"refused\",\"status\":503}"),
                      *const unsure[] = {looked, known /* by idempotencyDuplicateStatuses */, broke};
    (void)state;
    operation = CASEHOOK_PUSH;
    for (size_t i = 0; i < sizeof unsure / sizeof *unsure; i++) {
        assert_int_equal(resume(&finds, "", unsure[i]), CASEHOOK_OK);
        assert_true(resumed.create_unknown);
        end();
        /* the last one says that it had no key */
        assert_int_equal(resume(&keyed, "\"id\":\"r1\",", unsure[i]), CASEHOOK_OK);
        assert_int_equal(resumed.create_unknown, unsure[i] != broke);
        end();
        /* a refusal says no: without a way to look it is made again */
        assert_int_equal(resume(&plain, "", unsure[i]), unsure[i] == broke ? CASEHOOK_OK : CASEHOOK_E_PARAMS);
        end();
    }
    assert_int_equal(resume(&plain, "", busy), CASEHOOK_OK); /* nothing was done */
    assert_false(resumed.create_unknown);
    end();
}

/* Whether the comment that comes next may be there already: the status of a duplicate means that only then.
 */
static void a_comment_that_was_under_way(void **state)
{
    static const struct {
        const char *requests;
        bool reached;
    } cases[] = {
        {REQUEST("create", "done"), false},
        {REQUEST("create", "done") "," REQUEST("comment", "done"), false},
        {REQUEST("create", "done") "," REQUEST("comment", "not_sent"), false},
        {REQUEST("create", "done") "," REQUEST("comment", "unknown"), true},
        {REQUEST("create", "done") "," REQUEST("comment", "refused"), false},
        {REQUEST("create", "done") ",{\"step\":\"comment\",\"outcome\":\"refused\",\"status\":429}", false},
        {REQUEST("create", "done") ",{\"step\":\"comment\",\"outcome\":\"refused\",\"status\":500}", true},
        {REQUEST("comment", "unknown") "," REQUEST("comment", "done"), false},
        {REQUEST("comment", "unknown") "," REQUEST("comment", "refused"), true}, /* two tries of one */
    };
    (void)state;
    operation = CASEHOOK_PUSH;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char json[512];
        snprintf(json, sizeof json,
                 "{\"id\":\"7\",\"comments\":[],\"requests\":[%s],\"idempotencyKey\":\"k\"}",
                 cases[i].requests);
        assert_int_equal(resume(&keyed, "\"idempotencyKey\":\"k\",", json), CASEHOOK_OK);
        assert_int_equal(resumed.comment_reached, cases[i].reached);
        end();
        assert_int_equal(resume(&keyed, "\"idempotencyKey\":\"k2\",", json), CASEHOOK_OK);
        assert_false(resumed.comment_reached); /* by another key it is another comment */
        end();
    }
}

static void a_random_key_is_the_same_again(void **state)
{
    static const char json[] =
        "{\"operation\":\"push\",\"id\":null,\"idempotencyKey\":\"0a-uuid\",\"comments\":[],"
        "\"requests\":[" REQUEST("create", "unknown") "]}";
    (void)state;
    operation = CASEHOOK_PUSH;
    assert_int_equal(resume(&keyed, "", json), CASEHOOK_OK);
    assert_string_equal(result->idempotency_key, "0a-uuid");
    assert_true(resumed.create_unknown);
    end();
    /* another key would be another create */
    assert_int_equal(resume(&keyed, "\"id\":\"r1\",", json), CASEHOOK_E_PARAMS);
    end();
    assert_int_equal(resume(&keyed, "\"idempotencyKey\":\"k\",", json), CASEHOOK_E_PARAMS);
    end();
    assert_int_equal(resume(&finds, "", json), CASEHOOK_OK);
    assert_null(result->idempotency_key);
    end();
}

/* ---- all that is known ---------------------------------------------------------------------------- */

/* What is set of it, by the first letters: Wrote, create Unknown, Comment reached, Transitioned, Left closed,
 * Accepted, the same Key. */
static const char *known(void)
{
    static char flags[16];
    snprintf(flags, sizeof flags, "%s%s%s%s%s%s%s", resumed.wrote ? "W" : "",
             resumed.create_unknown ? "U" : "", resumed.comment_reached ? "C" : "",
             resumed.transitioned ? "T" : "", resumed.left_closed ? "L" : "", resumed.accepted ? "A" : "",
             resumed.same_key ? "K" : "");
    return flags;
}

#define ENDED_AS(step, outcome, id, requests)                                                           \
    "{\"ok\":false,\"operation\":\"push\",\"step\":\"" step "\",\"outcome\":\"" outcome "\",\"id\":" id \
    ",\"comments\":[],\"requests\":[" requests "]}"
#define ACCEPTED(id, requests)                                                               \
    "{\"ok\":false,\"step\":\"create\",\"outcome\":\"unknown\",\"accepted\":true,\"id\":" id \
    ",\"comments\":[],\"requests\":[" requests "]}"
#define FOUND(ok, found, requests) \
    "{\"ok\":" ok ",\"found\":" found ",\"id\":\"7\",\"comments\":[],\"requests\":[" requests "]}"
#define STATUS(step, status) "{\"step\":\"" step "\",\"outcome\":\"refused\",\"status\":" status "}"

static void all_that_is_known(void **state)
{
    static const struct {
        const struct casehook__config *config;
        const char *params, *json, *known;
    } cases[] = {
        /* What stands behind a write was made after it, perhaps by a call before. */
        {&plain, "", RESULT("\"7\"", "", REQUEST("get", "refused")), "WT"},
        {&plain, "", RESULT("\"7\"", "", REQUEST("comment", "not_sent")), "WT"},
        {&plain, "", RESULT("\"7\"", "", REQUEST("transition", "refused")), "W"},
        {&plain, "", RESULT("\"7\"", "", REQUEST("transition", "done")), "WT"},
        {&plain, "", RESULT("null", "", REQUEST("transition", "refused")), ""},
        {&plain, "", RESULT("\"7\"", "", REQUEST("update", "done")), "W"},
        {&plain, "", RESULT("\"7\"", "", REQUEST("create", "done")), "WT"},
        {&plain, "", RESULT("\"7\"", "", REQUEST("create", "unknown")), "WT"},
        /* Done, nobody knows as what. */
        {&finds, "", RESULT("null", "", REQUEST("create", "done")), "UTA"},
        {&finds, "", ENDED_AS("create", "done", "null", ""), "UT"},
        {&finds, "", ENDED_AS("create", "done", "\"7\"", REQUEST("create", "done")), "WT"},
        {&finds, "", ENDED_AS("create", "unknown", "null", ""), "UT"},
        {&finds, "", ENDED_AS("token", "unknown", "null", ""), "UT"},
        {&finds, "", ENDED_AS("token", "refused", "null", ""), ""},
        {&finds, "", ENDED_AS("token", "unknown", "\"7\"", REQUEST("update", "refused")), ""},
        {&finds, "", ENDED_AS("get", "unknown", "null", ""), ""},
        /* The same, said by a call that was resumed itself; with its key it may be asked for again. */
        {&finds, "", ACCEPTED("null", ""), "UTA"},
        {&finds, "", ACCEPTED("null", REQUEST("find", "done")), "UTA"},
        {&finds, "", ACCEPTED("\"7\"", ""), "WT"},
        {&keyed, "\"id\":\"case 1\",", ACCEPTED("null", ""), "UTK"},
        /* A server that broke inside. */
        {&finds, "", RESULT("null", "", STATUS("create", "500")), "UT"},
        {&finds, "", RESULT("null", "", STATUS("create", "504")), "UT"},
        {&finds, "", RESULT("null", "", STATUS("create", "599")), "UT"},
        {&finds, "", RESULT("null", "", STATUS("create", "600")), ""},
        {&finds, "", RESULT("null", "", STATUS("create", "\"500\"")), ""},
        {&finds, "", RESULT("null", "", STATUS("create", "409")), ""},
        {&plain, "", RESULT("null", "", STATUS("create", "500")), ""},
        {&keyed, "\"id\":\"r1\",", "{\"comments\":[],\"requests\":[" STATUS("create", "500") "]}", "UTK"},
        /* One that was under way, by the end of a call that made no request of it itself. */
        {&keyed, "\"id\":\"r1\",",
         "{\"step\":\"comment\",\"outcome\":\"unknown\",\"id\":\"7\",\"comments\":[],\"requests\":[]}", "CK"},
        {&keyed, "\"id\":\"r1\",",
         "{\"step\":\"get\",\"outcome\":\"unknown\",\"id\":\"7\",\"comments\":[],\"requests\":[]}", "K"},
        {&keyed, "\"id\":\"r1\",",
         "{\"step\":\"comment\",\"outcome\":\"refused\",\"id\":\"7\",\"comments\":[],\"requests\":[]}", "K"},
        /* A key that counts for no request says nothing. */
        {&counts_not, "\"id\":\"r1\",", "{\"comments\":[],\"requests\":[],\"idempotencyKey\":5}", ""},
        /* A case that was found closed, and left so. */
        {&finds, "", FOUND("true", "true", REQUEST("find", "done")), "L"},
        {&finds, "", FOUND("true", "true", ""), "L"},
        {&finds, "", FOUND("true", "false", REQUEST("find", "done")), ""},
        {&finds, "", FOUND("false", "true", REQUEST("find", "done")), ""},
        {&finds, "", FOUND("true", "true", REQUEST("find", "done") "," REQUEST("update", "done")), "W"},
        /* A preview says that it was none of these. */
        {&plain, "", "{\"ok\":false,\"outcome\":\"not_sent\",\"comments\":[],\"requests\":[]}", ""},
        {&plain, "", "{\"operation\":null,\"comments\":[],\"requests\":[]}", ""},
    };
    (void)state;
    operation = CASEHOOK_PUSH;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (resume(cases[i].config, cases[i].params, cases[i].json))
            fail_msg("%s: %s", cases[i].json, result->error.message);
        if (strcmp(known(), cases[i].known) != 0)
            fail_msg("%s: \"%s\", not \"%s\"", cases[i].json, known(), cases[i].known);
        end();
    }
}

/* An update may tell another id than the one that was given (K9). */
static void an_id_that_an_update_told(void **state)
{
    static const char json[] = RESULT("\"7\"", "", REQUEST("update", "done"));
    struct casehook__config tells = plain;
    (void)state;
    operation = CASEHOOK_PUSH;
    tells.calls[CASEHOOK__CALL_UPDATE].key = (struct casehook__keypath *)(uintptr_t)json; /* there is one */
    assert_int_equal(resume(&tells, "\"externalId\":\"8\",", json), CASEHOOK_OK);
    expect_id("7");
    end();
}

/* The longest key that there may be. */
static void a_long_key(void **state)
{
    char key[CASEHOOK__KEY_MAX_BYTES + 2], json[512];
    (void)state;
    operation = CASEHOOK_PUSH;
    memset(key, '~', sizeof key);
    for (int more = 0; more < 2; more++) {
        key[CASEHOOK__KEY_MAX_BYTES + more] = '\0';
        snprintf(json, sizeof json, "{\"comments\":[],\"requests\":[],\"idempotencyKey\":\"%s\"}", key);
        assert_int_equal(resume(&keyed, "", json), more ? CASEHOOK_E_PARAMS : CASEHOOK_OK);
        end();
        key[CASEHOOK__KEY_MAX_BYTES + more] = '~';
    }
}

/* Fields are kept where a template can name them, and what it said of them is looked at nowhere else. */
static void fields_that_were_found(void **state)
{
    static const char json[] =
        "{\"id\":\"7\",\"comments\":[],\"requests\":[],\"fields\":{\"n\":[1],\"s\":\"\\u00e9\"}}";
    struct casehook__config uses = plain;
    (void)state;
    operation = CASEHOOK_PUSH;
    uses.uses_fields = true;
    assert_int_equal(resume(&uses, "", json), CASEHOOK_OK);
    assert_int_equal(casehook_result_field_count(result), 2);
    end();
    assert_int_equal(resume(&plain, "", json), CASEHOOK_OK);
    assert_int_equal(casehook_result_field_count(result), 0);
    end();
}

/* A text that could not be read for lack of memory is not said to be wrong. */
static void no_memory_to_read_with(void **state)
{
    static const char *const cases[] = {RESULT("\"7\"", "", ""), RESULT("null", STATE("a", "sent"), ""),
                                        "{\"comments\":[],\"requests\":[],\"idempotencyKey\":\"k\"}"};
    (void)state;
    operation = CASEHOOK_PUSH;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct watched watched = {.fail_at = 2};
        const struct casehook_allocator allocator = watched_allocator(&watched);
        assert_int_equal(casehook__heap_new(&allocator, &scratch_heap), CASEHOOK_OK);
        assert_int_equal(resume(&keyed, "", cases[i]), CASEHOOK_E_NO_MEMORY);
        assert_int_equal(result->error.status, CASEHOOK_E_NO_MEMORY);
        end();
        casehook__heap_unref(scratch_heap);
        scratch_heap = NULL;
    }
}

/* ---- what is none -------------------------------------------------------------------------------- */

static void what_is_no_result(void **state)
{
#define LONG_KEY "0123456789012345678901234567890123456789012345678901234567890123456789"
    static const struct {
        const char *json, *says;
    } cases[] = {
        {"{}", "is no result"},
        {"{\"comments\":[]}", "is no result"},
        {"{\"requests\":[]}", "is no result"},
        {"{\"comments\":{},\"requests\":[]}", "is no result"},
        {"{\"comments\":[],\"requests\":\"\"}", "is no result"},
        {"{\"comments\":null,\"requests\":null}", "is no result"},
        {"{\"config\":{},\"secrets\":{}}", "is no result"},
        {"{\"incident\":{\"title\":\"t\"},\"comments\":[]}", "is no result"},
        {"{\"result\":" RESULT("\"7\"", "", "") "}", "is no result"},
        {RESULT("7", "", ""), "id is no text"},
        {RESULT("{}", "", ""), "id is no text"},
        {RESULT("\"\"", "", ""), "id that none can be"},
        {RESULT("\"..\"", "", ""), "id that none can be"},
        {RESULT("null", "1", ""), "id of a comment is no text"},
        {RESULT("null", "{}", ""), "id of a comment is no text"},
        {RESULT("null", "{\"commentId\":1}", ""), "id of a comment is no text"},
        {RESULT("null", STATE("x", "sent"), ""), "is about other comments"},
        {RESULT("null", STATE("b", "sent") "," STATE("a", "sent"), ""), "is about other comments"},
        {RESULT("null", STATE("A", "sent"), ""), "is about other comments"},
        {RESULT("null", STATE("a", "sent") "," STATE("b", "") "," STATE("c", "") "," STATE("d", ""), ""),
         "has more comments than this call"},
        {"{\"operation\":\"create\",\"comments\":[],\"requests\":[]}", "another operation"},
        {"{\"operation\":\"get\",\"comments\":[],\"requests\":[]}", "another operation"},
        {"{\"operation\":\"Push\",\"comments\":[],\"requests\":[]}", "another operation"},
        {"{\"operation\":5,\"comments\":[],\"requests\":[]}", "another operation"},
        {RESULT("null", "", REQUEST("create", "done")), "not with which id"},
        {"{\"ok\":true,\"outcome\":\"not_sent\",\"id\":\"EXTERNAL-ID\",\"comments\":[],\"requests\":[]}",
         "is a preview"},
        {"{\"comments\":[],\"requests\":[],\"idempotencyKey\":5}", "its idempotencyKey is no text"},
        {"{\"comments\":[],\"requests\":[],\"idempotencyKey\":\"\"}", "its idempotencyKey is no text"},
        {"{\"comments\":[],\"requests\":[],\"idempotencyKey\":\"" LONG_KEY LONG_KEY LONG_KEY LONG_KEY "\"}",
         "its idempotencyKey is no text"},
        {"{\"comments\":[],\"requests\":[],\"idempotencyKey\":\"a b\"}", "its idempotencyKey is no text"},
        {"{\"comments\":[],\"requests\":[],\"idempotencyKey\":\"a\\r\\nX: y\"}",
         "its idempotencyKey is no text"},
        {"{\"comments\":[],\"requests\":[],\"idempotencyKey\":\"\\u00e9\"}", "its idempotencyKey is no text"},
    };
    (void)state;
    operation = CASEHOOK_PUSH;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (resume(&keyed, "", cases[i].json) != CASEHOOK_E_PARAMS) fail_msg("%s was taken", cases[i].json);
        assert_string_equal(result->error.field, "resume");
        if (!strstr(result->error.message, cases[i].says))
            fail_msg("%s: %s", cases[i].json, result->error.message);
        end();
    }
}

static void another_case(void **state)
{
    (void)state;
    operation = CASEHOOK_PUSH;
    assert_int_equal(resume(&plain, "\"externalId\":\"8\",", RESULT("\"7\"", "", REQUEST("update", "done"))),
                     CASEHOOK_E_PARAMS);
    assert_non_null(strstr(result->error.message, "another case"));
    end();
}

/* What stands where an outcome should be is none; nothing is taken for done that is not said to be. */
static void odd_requests_say_nothing(void **state)
{
    (void)state;
    operation = CASEHOOK_PUSH;
    assert_int_equal(resume(&plain, "",
                            RESULT("null", "",
                                   "1,null,[],{},\"create\",{\"step\":\"create\"},{\"outcome\":\"done\"},"
                                   "{\"step\":3,\"outcome\":1},{\"step\":\"CREATE\",\"outcome\":\"DONE\"},"
                                   "{\"step\":[\"create\"],\"outcome\":[\"done\"]}")),
                     CASEHOOK_OK);
    assert_false(resumed.wrote || resumed.create_unknown);
    end();
}

/* ---- as params ----------------------------------------------------------------------------------- */

static struct casehook_error read_struct(const char *json, size_t length)
{
    struct casehook_params given = {
        .struct_size = sizeof given, .title = "t", .resume = json, .resume_length = length};
    struct casehook_error error;
    casehook__error_init(&error);
    casehook__params_init(&params, NULL);
    casehook__params_from_struct(&params, CASEHOOK_PUSH, &given, &error);
    casehook__params_free(&params);
    return error;
}

/* Cut off anywhere it is no JSON, and the offset says where. */
static void cut_off(void **state)
{
    static const char whole[] = RESULT("\"7\"", STATE("a", "sent"), REQUEST("create", "done"));
    (void)state;
    for (size_t length = 1; length < sizeof whole - 1; length++) {
        char *copy = malloc(length);
        assert_non_null(copy);
        memcpy(copy, whole, length);
        struct casehook_error error = read_struct(copy, length);
        assert_int_equal(error.status, CASEHOOK_E_PARAMS);
        assert_string_equal(error.field, "resume");
        assert_true(error.offset >= 0 && error.offset <= (int64_t)length);
        free(copy);
    }
    assert_int_equal(read_struct(whole, CASEHOOK_TERMINATED).status, CASEHOOK_OK);
    assert_int_equal(read_struct("", 0).status, CASEHOOK_E_PARAMS);
    assert_int_equal(read_struct("null", 4).status, CASEHOOK_OK);
    assert_int_equal(read_struct("[]", 2).status, CASEHOOK_E_PARAMS);
    assert_int_equal(read_struct("\"{}\"", 4).status, CASEHOOK_E_PARAMS);
    assert_int_equal(read_struct("{}x", 3).status, CASEHOOK_E_PARAMS);
}

static void ten_megabytes(void **state)
{
    enum { SIZE = 10 * 1024 * 1024 };
    (void)state;
    char *json = malloc(SIZE + 1);
    assert_non_null(json);
    memset(json, ' ', SIZE);
    memcpy(json, "{\"comments\":[],\"requests\":[]", 28);
    json[SIZE - 1] = '}';
    json[SIZE] = '\0';
    struct casehook_error error = read_struct(json, SIZE);
    assert_int_equal(error.status, CASEHOOK_E_PARAMS);
    assert_string_equal(error.field, "resume");
    assert_non_null(strstr(error.message, "too large"));
    /* as JSON all params together are too large */
    memcpy(json, "{\"title\":\"t\",\"resume\":{}", 24);
    casehook__error_init(&error);
    casehook__params_init(&params, NULL);
    assert_int_equal(
        casehook__params_from_json(&params, CASEHOOK_PUSH, (struct casehook__text){json, SIZE}, &error),
        CASEHOOK_E_PARAMS);
    casehook__params_free(&params);
    free(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_one_nothing_happens),
        cmocka_unit_test(what_was_done_is_done),
        cmocka_unit_test(fewer_comments_than_now),
        cmocka_unit_test(what_was_not_done_is_to_be_done),
        cmocka_unit_test(updates),
        cmocka_unit_test(an_unknown_create_that_has_an_id),
        cmocka_unit_test(a_later_try_was_done),
        cmocka_unit_test(other_forms_of_a_result),
        cmocka_unit_test(an_unknown_create),
        cmocka_unit_test(an_end_that_nobody_knows),
        cmocka_unit_test(a_comment_that_was_under_way),
        cmocka_unit_test(a_random_key_is_the_same_again),
        cmocka_unit_test(all_that_is_known),
        cmocka_unit_test(an_id_that_an_update_told),
        cmocka_unit_test(a_long_key),
        cmocka_unit_test(fields_that_were_found),
        cmocka_unit_test(no_memory_to_read_with),
        cmocka_unit_test(what_is_no_result),
        cmocka_unit_test(another_case),
        cmocka_unit_test(odd_requests_say_nothing),
        cmocka_unit_test(cut_off),
        cmocka_unit_test(ten_megabytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
