/* test_learn.c - what an answer tells of a case, asked without machine or socket (H4, K6-K9). */
#include "exchange/learn.h"

#include "documents.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BASE "https://t.example"

/* A question about one call of a document, and its answer. */
struct lesson {
    struct casehook__settings_snapshot *settings;
    struct casehook__config *config;
    struct casehook__parsed_params params;
    struct casehook__buf scratch;
    struct casehook__request request;
    struct casehook__response response;
    struct casehook__question question;
    struct casehook_result *result;
    char target[CASEHOOK__TARGET_SIZE];
};

static void begin(struct lesson *lesson, const char *members, enum casehook__call call)
{
    struct casehook__errors errors;
    char *document = document_new(BASE, members, NULL);
    memset(lesson, 0, sizeof *lesson);
    casehook__errors_init(&errors, NULL);
    lesson->settings = casehook__settings_default(NULL);
    if (casehook__config_read(NULL, lesson->settings, casehook__text(document), &lesson->config, &errors))
        fail_msg("%s: %s", errors.first->field, errors.first->message);
    free(document);
    casehook__params_init(&lesson->params, NULL);
    casehook__buf_init(&lesson->scratch, NULL, 1 << 20);
    lesson->result = casehook__result_new(NULL, &lesson->params);
    assert_non_null(lesson->result);
    lesson->request = (struct casehook__request){.call = call, .url = BASE "/issue"};
    lesson->question = (struct casehook__question){.config = lesson->config,
                                                   .settings = lesson->settings,
                                                   .request = &lesson->request,
                                                   .method = "POST",
                                                   .url = BASE "/issue",
                                                   .target = lesson->target,
                                                   .scratch = &lesson->scratch,
                                                   .clock = &casehook__clock_real};
}

static int learn(struct lesson *lesson, const char *type, const char *header, const char *body)
{
    lesson->response = (struct casehook__response){.status = 200,
                                                   .content_type = casehook__text(type),
                                                   .id_header = header ? casehook__text(header)
                                                                       : (struct casehook__text){NULL, 0},
                                                   .body = casehook__text(body)};
    return casehook__learn(&lesson->question, &lesson->response, lesson->result);
}

static const char *id_of(const struct lesson *lesson)
{
    return lesson->result->id_length ? lesson->result->id : "";
}

static const char *title_of(const struct lesson *lesson)
{
    return lesson->result->title ? lesson->result->title : "";
}

static void end(struct lesson *lesson)
{
    casehook_result_free(lesson->result);
    casehook__buf_free(&lesson->scratch);
    casehook__params_free(&lesson->params);
    casehook__config_free(lesson->config);
    casehook__settings_unref(lesson->settings);
}

#define JSON "application/json"
#define TEXT "text/plain; charset=utf-8"

struct row {
    const char *members;
    enum casehook__call call;
    const char *type, *header, *body;
    int status;
    const char *id, *title;
    const char *says; /* part of the message; NULL: there is none */
};

static void expect(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct lesson lesson;
        const struct row *row = &rows[i];
        begin(&lesson, row->members, row->call);
        int status = learn(&lesson, row->type, row->header, row->body);
        const char *message = lesson.result->error.status ? lesson.result->error.message : "";
        if (status != row->status || status != lesson.result->error.status ||
            strcmp(id_of(&lesson), row->id) != 0 || strcmp(title_of(&lesson), row->title) != 0 ||
            (row->says && !strstr(message, row->says)))
            fail_msg("row %zu: %d, id \"%s\", title \"%s\": %s", i, status, id_of(&lesson), title_of(&lesson),
                     message);
        end(&lesson);
    }
}

#define EXPECT(rows) expect(rows, sizeof rows / sizeof *rows)

/* ---- ids in headers (K6) ------------------------------------------------------------------------- */

#define IN(header) "\"createIncidentResponseKey\": null, \"createIncidentResponseHeader\": \"" header "\""

static void ids_of_headers(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {IN("Location"), CASEHOOK__CALL_CREATE, "", "/c/7", "", CASEHOOK_OK, "7", "", NULL},
        {IN("Location"), CASEHOOK__CALL_CREATE, "", "7", "", CASEHOOK_OK, "7", "", NULL},
        {IN("Location"), CASEHOOK__CALL_CREATE, "", "  /c/7//  ", "", CASEHOOK_OK, "7", "", NULL},
        {IN("LOCATION"), CASEHOOK__CALL_CREATE, "", "https://h:1/c/7?a=/b/c", "", CASEHOOK_OK, "7", "", NULL},
        {IN("Location"), CASEHOOK__CALL_CREATE, "", "//h/c/7#/x", "", CASEHOOK_OK, "7", "", NULL},
        {IN("Content-Location"), CASEHOOK__CALL_CREATE, "", "c/a%20%25b", "", CASEHOOK_OK, "a %b", "", NULL},
        {IN("Location"), CASEHOOK__CALL_CREATE, "", "/c/%2525", "", CASEHOOK_OK, "%25", "", NULL},
        {IN("Location"), CASEHOOK__CALL_CREATE, "", "/c/%", "", CASEHOOK_OK, "%", "", NULL},
        {IN("Location"), CASEHOOK__CALL_CREATE, "", "/c/%4", "", CASEHOOK_OK, "%4", "", NULL},
        {IN("Location"), CASEHOOK__CALL_CREATE, "", "/a:b/c://d", "", CASEHOOK_OK, "d", "", NULL},
        {IN("Location"), CASEHOOK__CALL_CREATE, "", "https://host", "", CASEHOOK_E_RESPONSE, "", "", "empty"},
        {IN("Location"), CASEHOOK__CALL_CREATE, "", "//host/", "", CASEHOOK_E_RESPONSE, "", "", "empty"},
        {IN("Location"), CASEHOOK__CALL_CREATE, "", "", "", CASEHOOK_E_RESPONSE, "", "", "empty"},
        {IN("Location"), CASEHOOK__CALL_CREATE, "", "?x=/7", "", CASEHOOK_E_RESPONSE, "", "", "empty"},
        {IN("Location"), CASEHOOK__CALL_CREATE, "", "/c/..", "", CASEHOOK_E_RESPONSE, "", "", "\"..\""},
        {IN("Location"), CASEHOOK__CALL_CREATE, "", "/c/%ff", "", CASEHOOK_E_RESPONSE, "", "", "UTF-8"},
        {IN("Location"), CASEHOOK__CALL_CREATE, "", NULL, "{\"id\":7}", CASEHOOK_E_RESPONSE, "", "",
         "no header \"Location\""},
        {IN("X-Id"), CASEHOOK__CALL_CREATE, "", " /c/a%20b ", "", CASEHOOK_OK, "/c/a%20b", "", NULL},
        {IN("X-Id"), CASEHOOK__CALL_CREATE, "text/html", "7", "<html>", CASEHOOK_OK, "7", "", NULL},
        {IN("X-Id") ", \"createIncidentResponseExternalTitleKey\": \"n\"", CASEHOOK__CALL_CREATE, JSON, "7",
         "{\"n\":\"N\"}", CASEHOOK_OK, "7", "N", NULL},
    };
    EXPECT(rows);
}

/* What is there of the id stays out of the message's way: nothing after a redirect takes it away. */
static void a_header_that_came_before(void **state)
{
    (void)state;
    struct lesson lesson;
    begin(&lesson, IN("Location"), CASEHOOK__CALL_CREATE);
    assert_int_equal(learn(&lesson, "", "/c/7", ""), CASEHOOK_OK);
    assert_int_equal(learn(&lesson, JSON, NULL, "{}"), CASEHOOK_OK);
    assert_string_equal(id_of(&lesson), "7");
    end(&lesson);
}

/* ---- errors inside a success (K7) ---------------------------------------------------------------- */

static void errors_in_a_success(void **state)
{
    (void)state;
    static const char members[] = "\"createIncidentResponseErrorKey\": \"e\"";
    static const struct {
        const char *value;
        bool is_error;
    } values[] = {{"null", false}, {"false", false},       {"\"\"", false},  {"[]", false},
                  {"{}", false},   {"[\t]", false},        {"{ }", false},   {"0", true},
                  {"-0.0", true},  {"true", true},         {"\" \"", true},  {"[null]", true},
                  {"[[]]", true},  {"{\"a\":null}", true}, {"\"no\"", true}, {"{\"\":{}}", true}};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct lesson lesson;
        char body[128];
        snprintf(body, sizeof body, "{\"id\":\"7\",\"e\":%s}", values[i].value);
        begin(&lesson, members, CASEHOOK__CALL_CREATE);
        int status = learn(&lesson, JSON, NULL, body);
        if (status != (values[i].is_error ? CASEHOOK_E_HTTP_STATUS : CASEHOOK_OK))
            fail_msg("%s: %d", values[i].value, status);
        assert_string_equal(id_of(&lesson), values[i].is_error ? "" : "7");
        if (values[i].is_error)
            assert_string_equal(lesson.result->error.field, "config.createIncidentResponseErrorKey");
        end(&lesson);
    }
    static const struct row rows[] = {
        {members, CASEHOOK__CALL_CREATE, JSON, NULL, "{\"e\":\"it is full\"}", CASEHOOK_E_HTTP_STATUS, "", "",
         "answered 200 and said no: \"it is full\""},
        {members, CASEHOOK__CALL_CREATE, JSON, NULL, "{\"e\":{\"code\":5},\"id\":1}", CASEHOOK_E_HTTP_STATUS,
         "", "", "said no: \"{\"code\":5}\""},
        {members, CASEHOOK__CALL_CREATE, JSON, NULL, "{\"e\":1", CASEHOOK_E_RESPONSE, "", "", "at byte"},
        {members, CASEHOOK__CALL_GET, JSON, NULL, "{\"e\":1,\"key\":\"K\"}", CASEHOOK_OK, "", "K", NULL},
        {"\"updateIncidentResponseErrorKey\": \"a[0].m\"", CASEHOOK__CALL_UPDATE, JSON, NULL,
         "{\"a\":[{\"m\":\"x\"}]}", CASEHOOK_E_HTTP_STATUS, "", "", "\"x\""},
        {"\"updateIncidentResponseErrorKey\": \"a\"", CASEHOOK__CALL_UPDATE, "", NULL, " \n", CASEHOOK_OK, "",
         "", NULL},
        {"\"createCommentResponseErrorKey\": \"\"", CASEHOOK__CALL_COMMENT, JSON, NULL, "{}", CASEHOOK_OK, "",
         "", NULL},
        {"\"createCommentResponseErrorKey\": \"\"", CASEHOOK__CALL_COMMENT, JSON, NULL, "\"no\"",
         CASEHOOK_E_HTTP_STATUS, "", "", "\"no\""},
    };
    EXPECT(rows);
}

/* ---- titles of writes (K8) ----------------------------------------------------------------------- */

#define TELLS \
    "\"createIncidentResponseExternalTitleKey\": \"n\", \"updateIncidentResponseExternalTitleKey\": \"n\""

static void titles_of_writes(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {TELLS, CASEHOOK__CALL_CREATE, JSON, NULL, "{\"id\":7,\"n\":\"N\"}", CASEHOOK_OK, "7", "N", NULL},
        {TELLS, CASEHOOK__CALL_CREATE, JSON, NULL, "{\"id\":7,\"n\":1.50}", CASEHOOK_OK, "7", "1.5", NULL},
        {TELLS, CASEHOOK__CALL_CREATE, JSON, NULL, "{\"id\":7,\"n\":false}", CASEHOOK_OK, "7", "false", NULL},
        {TELLS, CASEHOOK__CALL_CREATE, JSON, NULL, "{\"id\":7,\"n\":null}", CASEHOOK_OK, "7", "", NULL},
        {TELLS, CASEHOOK__CALL_CREATE, JSON, NULL, "{\"id\":7,\"n\":[1]}", CASEHOOK_OK, "7", "", NULL},
        {TELLS, CASEHOOK__CALL_CREATE, JSON, NULL, "{\"id\":7,\"n\":1e999}", CASEHOOK_OK, "7", "", NULL},
        {TELLS, CASEHOOK__CALL_CREATE, JSON, NULL, "{\"n\":\"N\"}", CASEHOOK_E_RESPONSE, "", "",
         "is missing"},
        {TELLS, CASEHOOK__CALL_UPDATE, JSON, NULL, "{\"n\":\"N\"}", CASEHOOK_OK, "", "N", NULL},
        {TELLS, CASEHOOK__CALL_UPDATE, "", NULL, "", CASEHOOK_OK, "", "", NULL},
        {NULL, CASEHOOK__CALL_CREATE, JSON, NULL, "{\"id\":7,\"key\":\"N\"}", CASEHOOK_OK, "7", "", NULL},
    };
    EXPECT(rows);
    struct lesson lesson;
    begin(&lesson, TELLS, CASEHOOK__CALL_CREATE);
    assert_int_equal(learn(&lesson, JSON, NULL, "{\"id\":7,\"n\":\"\"}"), CASEHOOK_OK);
    assert_non_null(lesson.result->title); /* an empty one is one */
    end(&lesson);
    char body[70 * 1024];
    for (int longer = 0; longer < 2; longer++) {
        begin(&lesson, TELLS, CASEHOOK__CALL_CREATE);
        snprintf(body, sizeof body, "{\"id\":7,\"n\":\"%0*d\"}", CASEHOOK__TITLE_MAX_BYTES + longer, 0);
        assert_int_equal(learn(&lesson, JSON, NULL, body), CASEHOOK_OK);
        assert_int_equal(lesson.result->title != NULL, !longer);
        end(&lesson);
    }
}

/* Those of the get are taken where its answer is not to come. */
static void fields_of_writes(void **state)
{
    (void)state;
    static const struct {
        const char *members, *body;
        bool early, late;
    } rows[] = {
        {TELLS, "{\"id\":7,\"n\":\"N\",\"a\":1,\"b\":2}", true, true},
        {TELLS, "{\"id\":7,\"a\":1,\"b\":2}", true, false}, /* the get will tell */
        {TELLS ", \"getIncident\": false", "{\"id\":7,\"a\":1,\"b\":2}", true, true},
        {"\"getIncident\": false", "{\"id\":7,\"a\":1,\"b\":2}", true, true},
        {"\"strict\": false", "{\"id\":7,\"a\":1,\"b\":2}", true, false},
        {TELLS, "{\"a\":1,\"n\":\"N\"}", true, false}, /* there is no id, and what is known is kept */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lesson lesson;
        char members[512];
        snprintf(members, sizeof members,
                 "%s, \"createResponseFields\": {\"early\": \"a\"}, \"getResponseFields\": {\"late\": \"b\"}",
                 rows[i].members);
        begin(&lesson, members, CASEHOOK__CALL_CREATE);
        learn(&lesson, JSON, NULL, rows[i].body);
        size_t length;
        assert_int_equal(casehook_result_field(lesson.result, "early", &length) != NULL, rows[i].early);
        assert_int_equal(casehook_result_field(lesson.result, "late", &length) != NULL, rows[i].late);
        end(&lesson);
    }
}

/* ---- ids that are ours, ids that change (K9) ------------------------------------------------------ */

static void own_ids(void **state)
{
    (void)state;
    static const struct {
        const char *type, *body;
    } answers[] = {{JSON, ""}, {JSON, "{\"id\":\"other\"}"}, {"", " "}};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct lesson lesson;
        begin(&lesson, "\"createIncidentResponseKey\": null, \"externalIdFrom\": \"case.id\"",
              CASEHOOK__CALL_CREATE);
        lesson.request.own_id = CASEHOOK__TEXT("ours");
        assert_false(casehook__learn_needs_body(&lesson.question));
        assert_int_equal(learn(&lesson, answers[i].type, NULL, answers[i].body), CASEHOOK_OK);
        assert_string_equal(id_of(&lesson), "ours");
        end(&lesson);
    }
}

static void ids_that_change(void **state)
{
    (void)state;
    static const char key[] = "\"updateIncidentResponseKey\": \"new.id\"";
    static const struct row rows[] = {
        {key, CASEHOOK__CALL_UPDATE, JSON, NULL, "{\"new\":{\"id\":\"8\"}}", CASEHOOK_OK, "8", "", NULL},
        {key, CASEHOOK__CALL_UPDATE, JSON, NULL, "{\"new\":{\"id\":08}}", CASEHOOK_E_RESPONSE, "", "",
         "byte"},
        {key, CASEHOOK__CALL_UPDATE, JSON, NULL, "{\"new\":{\"id\":null}}", CASEHOOK_OK, "", "", NULL},
        {key, CASEHOOK__CALL_UPDATE, JSON, NULL, "{\"new\":7}", CASEHOOK_OK, "", "", NULL},
        {key, CASEHOOK__CALL_UPDATE, "", NULL, "", CASEHOOK_OK, "", "", NULL},
        {key, CASEHOOK__CALL_UPDATE, JSON, NULL, "{\"new\":{\"id\":true}}", CASEHOOK_E_RESPONSE, "", "",
         "true"},
        {key, CASEHOOK__CALL_UPDATE, JSON, NULL, "{\"new\":{\"id\":\".\"}}", CASEHOOK_E_RESPONSE, "", "",
         "\".\""},
        {key, CASEHOOK__CALL_UPDATE, JSON, NULL, "{\"new\":{\"id\":\"\"}}", CASEHOOK_E_RESPONSE, "", "",
         "empty"},
    };
    EXPECT(rows);
}

/* ---- answers of any type (H4) --------------------------------------------------------------------- */

#define ANY "\"createIncidentResponseType\": \"any\", \"createIncidentResponseKey\": \"\""

static void any_type(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {ANY, CASEHOOK__CALL_CREATE, TEXT, NULL, " a-7\r\n", CASEHOOK_OK, "a-7", "", NULL},
        {ANY, CASEHOOK__CALL_CREATE, TEXT, NULL, "1.0", CASEHOOK_OK, "1.0", "", NULL},
        {ANY, CASEHOOK__CALL_CREATE, JSON, NULL, "1.0", CASEHOOK_OK, "1", "", NULL},
        {ANY, CASEHOOK__CALL_CREATE, TEXT, NULL, "\"7\"", CASEHOOK_OK, "7", "", NULL},
        {ANY, CASEHOOK__CALL_CREATE, TEXT, NULL, "a\nb", CASEHOOK_E_RESPONSE, "", "", NULL},
        {ANY, CASEHOOK__CALL_CREATE, TEXT, NULL, "a\x01", CASEHOOK_E_RESPONSE, "", "", NULL},
        {ANY, CASEHOOK__CALL_CREATE, "text/html", NULL, "<p>7", CASEHOOK_E_RESPONSE, "", "", NULL},
        {ANY, CASEHOOK__CALL_CREATE, TEXT, NULL, "{\"id\":7}", CASEHOOK_E_RESPONSE, "", "", "is an object"},
        {ANY, CASEHOOK__CALL_CREATE, TEXT, NULL, "{\"id\":7", CASEHOOK_E_RESPONSE, "", "", NULL},
        {ANY, CASEHOOK__CALL_CREATE, TEXT, NULL, "", CASEHOOK_E_RESPONSE, "", "", NULL},
        {"\"createIncidentResponseType\": \"any\"", CASEHOOK__CALL_CREATE, TEXT, NULL, "{\"id\":\"7\"}",
         CASEHOOK_OK, "7", "", NULL},
        {"\"createIncidentResponseType\": \"any\"", CASEHOOK__CALL_CREATE, TEXT, NULL, "7",
         CASEHOOK_E_RESPONSE, "", "", "is missing"},
        {"\"updateIncidentResponseType\": \"any\"", CASEHOOK__CALL_UPDATE, "text/html", NULL, "<html>",
         CASEHOOK_OK, "", "", NULL},
        {NULL, CASEHOOK__CALL_UPDATE, JSON, NULL, "<html>", CASEHOOK_E_RESPONSE, "", "", "at byte 0"},
    };
    EXPECT(rows);
}

static void types(void **state)
{
    (void)state;
    static const struct {
        const char *header, *type;
        bool json;
    } rows[] = {
        {"application/json", "application/json", true},
        {" Application/JSON ; charset=utf-8", "Application/JSON", true},
        {"text/json,text/html", "text/json", true},
        {"text/html, application/json", "text/html", false},
        {"application/problem+json", "application/problem+json", true},
        {"application/a+JSON;x=y", "application/a+JSON", true},
        {"application/+json", "application/+json", false},
        {"text/x+json", "text/x+json", false},
        {"application/jsonp", "application/jsonp", false},
        {"application/xjson", "application/xjson", false},
        {"+json", "+json", false},
        {";application/json", "", false},
        {"", "", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct casehook__text type = casehook__media_type(casehook__text(rows[i].header));
        if (!casehook__text_is(type, rows[i].type) || casehook__is_json_type(type) != rows[i].json)
            fail_msg("%s: %.*s, %d", rows[i].header, (int)type.length, type.data,
                     casehook__is_json_type(type));
    }
}

/* ---- halves --------------------------------------------------------------------------------------- */

/* What an answer that broke off has told for certain (R1). */
static void partial_ids(void **state)
{
    (void)state;
    static const struct {
        const char *body, *id;
    } rows[] = {{"{\"id\":\"7\",", "7"},
                {"{\"id\":\"7\"", "7"},
                {"{\"id\":7,", "7"},
                {"{\"id\":7", ""},
                {"{\"id\":\"7", ""},
                {"{\"i", ""},
                {"", ""},
                {"{\"id\":\"..\",", ""},
                {"{\"id\":{},", ""},
                {"[1,", ""},
                {"{\"x\":{\"id\":7},", ""}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lesson lesson;
        begin(&lesson, NULL, CASEHOOK__CALL_CREATE);
        lesson.response = (struct casehook__response){
            .status = 201, .content_type = CASEHOOK__TEXT(JSON), .body = casehook__text(rows[i].body)};
        bool learnt = casehook__learn_partial_id(&lesson.question, &lesson.response, lesson.result);
        if (learnt != (*rows[i].id != '\0') || strcmp(id_of(&lesson), rows[i].id) != 0)
            fail_msg("%s: %d, \"%s\"", rows[i].body, learnt, id_of(&lesson));
        assert_int_equal(lesson.result->error.status, CASEHOOK_OK);
        end(&lesson);
    }
}

/* ---- finding (D3, L2) ----------------------------------------------------------------------------- */

#define FIND                                                                                        \
    "\"findIncidentUrl\": \"" BASE "/f?q={{case.id}}\", \"findIncidentResponseKey\": \"l[0].id\", " \
    "\"findIncidentResponseErrorKey\": \"e\""
#define CLOSED FIND ", \"findIncidentResponseStatusKey\": \"l[0].s\", \"closedStatuses\": [\"Done\", \"5\"]"

static void whether_it_is_there(void **state)
{
    (void)state;
    static const struct {
        const char *members, *body;
        int status;
        enum casehook__found found;
        const char *id;
    } rows[] = {
        {FIND, "{\"l\":[{\"id\":7}]}", CASEHOOK_OK, CASEHOOK__FOUND_CASE, "7"},
        {FIND, "{\"l\":[]}", CASEHOOK_OK, CASEHOOK__FOUND_NONE, ""},
        {FIND, "{\"l\":[{\"id\":null}]}", CASEHOOK_OK, CASEHOOK__FOUND_NONE, ""},
        {FIND, "{}", CASEHOOK_OK, CASEHOOK__FOUND_NONE, ""},
        {FIND, "[]", CASEHOOK_OK, CASEHOOK__FOUND_NONE, ""},
        {FIND, "7", CASEHOOK_E_RESPONSE, CASEHOOK__FOUND_UNASKED, ""},
        {FIND, "", CASEHOOK_E_RESPONSE, CASEHOOK__FOUND_UNASKED, ""},
        {FIND, "{\"l\":[{\"id\":7}]", CASEHOOK_E_RESPONSE, CASEHOOK__FOUND_UNASKED, ""},
        {FIND, "{\"l\":[{\"id\":\"..\"}]}", CASEHOOK_E_RESPONSE, CASEHOOK__FOUND_CASE, ""},
        {FIND, "{\"l\":[{\"id\":7}],\"e\":\"no\"}", CASEHOOK_E_HTTP_STATUS, CASEHOOK__FOUND_UNASKED, ""},
        {FIND, "{\"l\":[{\"id\":7}],\"e\":[]}", CASEHOOK_OK, CASEHOOK__FOUND_CASE, "7"},
        {CLOSED, "{\"l\":[{\"id\":7,\"s\":\"Done\"}]}", CASEHOOK_OK, CASEHOOK__FOUND_CASE, "7"},
        {CLOSED ", \"whenClosed\": \"create\"", "{\"l\":[{\"id\":7,\"s\":\"Done\"}]}", CASEHOOK_OK,
         CASEHOOK__FOUND_NONE, ""},
        {CLOSED ", \"whenClosed\": \"create\"", "{\"l\":[{\"id\":7,\"s\":5}]}", CASEHOOK_OK,
         CASEHOOK__FOUND_NONE, ""},
        {CLOSED ", \"whenClosed\": \"create\"", "{\"l\":[{\"id\":7,\"s\":\"Open\"}]}", CASEHOOK_OK,
         CASEHOOK__FOUND_CASE, "7"},
        {CLOSED ", \"whenClosed\": \"ignore\"", "{\"l\":[{\"id\":7,\"s\":\"Done\"}]}", CASEHOOK_OK,
         CASEHOOK__FOUND_CLOSED, "7"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lesson lesson;
        enum casehook__found found = CASEHOOK__FOUND_UNASKED;
        begin(&lesson, rows[i].members, CASEHOOK__CALL_FIND);
        lesson.response = (struct casehook__response){
            .status = 200, .content_type = CASEHOOK__TEXT(JSON), .body = casehook__text(rows[i].body)};
        int status = casehook__learn_whether(&lesson.question, &lesson.response, lesson.result, &found);
        if (status != rows[i].status || (!status && found != rows[i].found) ||
            strcmp(id_of(&lesson), rows[i].id) != 0)
            fail_msg("row %zu: %d, %d, \"%s\": %s", i, status, (int)found, id_of(&lesson),
                     status ? lesson.result->error.message : "");
        end(&lesson);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_of_headers),
        cmocka_unit_test(a_header_that_came_before),
        cmocka_unit_test(errors_in_a_success),
        cmocka_unit_test(titles_of_writes),
        cmocka_unit_test(fields_of_writes),
        cmocka_unit_test(own_ids),
        cmocka_unit_test(ids_that_change),
        cmocka_unit_test(any_type),
        cmocka_unit_test(types),
        cmocka_unit_test(partial_ids),
        cmocka_unit_test(whether_it_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
