/* test_idempotency.c - the keys of creates and comments (D4). */
#include "exchange/idempotency.h"

#include "base/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define CREATE  CASEHOOK__CALL_CREATE
#define COMMENT CASEHOOK__CALL_COMMENT

static struct casehook__idempotency header = {.header = {"Idempotency-Key", 15}, .counts = true};
static const struct casehook__config config = {.idempotency = &header,
                                               .calls[CASEHOOK__CALL_COMMENT].on = true},
                                     no_comments = {.idempotency = &header},
                                     none = {.calls[CASEHOOK__CALL_COMMENT].on = true};
static struct casehook__parsed_params params;
static struct casehook_result *result;
static char key[CASEHOOK__REQUEST_KEY_SIZE];

/* What begins with these params, and its status. */
static int begin(const struct casehook__config *of, const char *json)
{
    struct casehook_error error;
    casehook__error_init(&error);
    casehook__params_init(&params, NULL);
    int status = casehook__params_from_json(&params, CASEHOOK_PUSH, casehook__text(json), &error);
    if (status) fail_msg("%s: %s", json, error.message);
    result = casehook__result_new(NULL, &params);
    assert_non_null(result);
    return casehook__idempotency_begin(of, &params, result);
}

static void end(void)
{
    casehook_result_free(result);
    casehook__params_free(&params);
}

static const char *key_of(enum casehook__call call, size_t comment)
{
    memset(key, '#', sizeof key);
    assert_int_equal(casehook__idempotency_key(&params, result, call, comment, key), CASEHOOK_OK);
    assert_true(strlen(key) < sizeof key);
    return key;
}

/* As recorded: lifecycle.json, key-derived. */
static void made_of_the_case(void **state)
{
    (void)state;
    assert_int_equal(begin(&config, "{\"incident\":{\"title\":\"T\",\"description\":\"D\",\"id\":\"r1\"},"
                                    "\"comments\":[{\"commentId\":\"1\",\"comment\":\"a\"}]}"),
                     CASEHOOK_OK);
    assert_string_equal(result->idempotency_key, "8c833d3d316f50691653f8b9287f2ff1");
    assert_string_equal(key_of(CREATE, 0), "8c833d3d316f50691653f8b9287f2ff1");
    assert_string_equal(key_of(COMMENT, 0), "e39d425b8f12bcafe89e857c80c67e2d");
    end();
}

/* As recorded: lifecycle.json, key-given.  It beats the id of the case. */
static void given(void **state)
{
    static const char *const cases[] = {
        "{\"incident\":{\"title\":\"T\"},\"comments\":[{\"commentId\":\"c1\",\"comment\":\"a\"}],"
        "\"idempotencyKey\":\"k-1\"}",
        "{\"incident\":{\"title\":\"T\",\"id\":\"r1\"},\"comments\":[{\"commentId\":\"c1\",\"comment\":\"a\"}"
        "],"
        "\"idempotencyKey\":\"k-1\"}"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(begin(&config, cases[i]), CASEHOOK_OK);
        assert_string_equal(result->idempotency_key, "k-1");
        assert_string_equal(key_of(CREATE, 0), "k-1");
        assert_string_equal(key_of(COMMENT, 0), "k-1-c1");
        end();
    }
}

/* Without either: a random one, the same for all that belongs to the operation. */
static void random_ones(void **state)
{
    static const char json[] = "{\"title\":\"t\",\"comments\":[{\"commentId\":\"1\",\"comment\":\"a\"}]}";
    static const char empty_id[] = "{\"title\":\"t\",\"id\":\"\",\"comments\":[{\"commentId\":\"1\","
                                   "\"comment\":\"a\"}]}"; /* all cases would have the same key */
    char before[CASEHOOK__REQUEST_KEY_SIZE] = "", expected[CASEHOOK__REQUEST_KEY_SIZE];
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(begin(&config, i == 2 ? empty_id : json), CASEHOOK_OK);
        assert_int_equal(strlen(result->idempotency_key), CASEHOOK__UUID_SIZE - 1);
        assert_string_not_equal(result->idempotency_key, before);
        snprintf(before, sizeof before, "%s", result->idempotency_key);
        assert_string_equal(key_of(CREATE, 0), before);
        assert_string_equal(key_of(CREATE, 0), before);
        snprintf(expected, sizeof expected, "%.200s-1", before);
        assert_string_equal(key_of(COMMENT, 0), expected);
        end();
    }
}

/* The digest joins the ids by line feeds: one in the id of a case must not make another case's comment of it.
 */
static void line_feeds_in_ids(void **state)
{
    char first[CASEHOOK__REQUEST_KEY_SIZE];
    (void)state;
    assert_int_equal(
        begin(&config,
              "{\"title\":\"t\",\"id\":\"a\\nb\",\"comments\":[{\"commentId\":\"c\",\"comment\":\"x\"}]}"),
        CASEHOOK_OK);
    snprintf(first, sizeof first, "%s", key_of(COMMENT, 0));
    end();
    assert_int_equal(
        begin(&config,
              "{\"title\":\"t\",\"id\":\"a\",\"comments\":[{\"commentId\":\"b\\nc\",\"comment\":\"x\"}]}"),
        CASEHOOK_OK);
    assert_string_not_equal(key_of(COMMENT, 0), first);
    end();
}

static void none_where_none_is_configured(void **state)
{
    (void)state;
    assert_int_equal(begin(&none, "{\"title\":\"t\",\"id\":\"r1\",\"idempotencyKey\":\"k\"}"), CASEHOOK_OK);
    assert_null(result->idempotency_key);
    end();
}

/* What a resumed result brought is kept. */
static void one_that_is_there_stays(void **state)
{
    struct casehook_error error;
    (void)state;
    casehook__error_init(&error);
    casehook__params_init(&params, NULL);
    assert_int_equal(
        casehook__params_from_json(
            &params, CASEHOOK_PUSH,
            casehook__text("{\"title\":\"t\",\"comments\":[{\"commentId\":\"1\",\"comment\":\"a\"}]}"),
            &error),
        CASEHOOK_OK);
    result = casehook__result_new(NULL, &params);
    result->idempotency_key = casehook__copy(NULL, "before", 6);
    assert_int_equal(casehook__idempotency_begin(&config, &params, result), CASEHOOK_OK);
    assert_string_equal(key_of(CREATE, 0), "before");
    assert_string_equal(key_of(COMMENT, 0), "before-1");
    end();
}

static bool fits_a_header(const char *text)
{
    for (; *text; text++)
        if (*text < '!' || *text > '~') return false;
    return true;
}

/* Ids that no header can carry, and such as look alike when they are cut: every comment has its own key. */
static void odd_comment_ids(void **state)
{
#define SIXTY_FOUR "0123456789012345678901234567890123456789012345678901234567890123"
    static const char *const ids[] = {"",
                                      " ",
                                      "a b",
                                      "a",
                                      "-",
                                      "--",
                                      "a-b",
                                      "\\r\\nX-Evil: 1",
                                      "\\u0000",
                                      "\\u0000\\u0000",
                                      "\\u00e9",
                                      "e\\u0301",
                                      "\\ud83d\\ude00",
                                      "\\u007f",
                                      "~!",
                                      "\\\"",
                                      SIXTY_FOUR,
                                      SIXTY_FOUR "a",
                                      SIXTY_FOUR "b",
                                      SIXTY_FOUR SIXTY_FOUR SIXTY_FOUR SIXTY_FOUR SIXTY_FOUR};
    enum { IDS = sizeof ids / sizeof *ids };
    static const char *const keys[] = {"", "\"id\":\"r1\",", "\"idempotencyKey\":\"k\",", NULL};
    char longest[320], json[8192], made[IDS][CASEHOOK__REQUEST_KEY_SIZE];
    (void)state;
    snprintf(longest, sizeof longest, "\"idempotencyKey\":\"%0255d\",", 7);
    for (size_t k = 0; k < 4; k++) {
        size_t length = (size_t)snprintf(json, sizeof json, "{\"title\":\"t\",%s\"comments\":[",
                                         keys[k] ? keys[k] : longest);
        for (size_t i = 0; i < IDS; i++)
            length += (size_t)snprintf(json + length, sizeof json - length,
                                       "%s{\"commentId\":\"%s\",\"comment\":\"x\"}", i ? "," : "", ids[i]);
        snprintf(json + length, sizeof json - length, "]}");
        if (begin(&config, json)) fail_msg("%s", result->error.message);
        for (size_t i = 0; i < IDS; i++) {
            snprintf(made[i], sizeof *made, "%s", key_of(COMMENT, i));
            assert_true(made[i][0] && fits_a_header(made[i]));
            assert_string_not_equal(made[i], result->idempotency_key);
            for (size_t j = 0; j < i; j++)
                if (strcmp(made[i], made[j]) == 0) fail_msg("\"%s\" and \"%s\": %s", ids[i], ids[j], made[i]);
        }
        end();
    }
}

/* The tracker would take the second one for the first. */
#define C16 "cccccccccccccccc"
#define K85 "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"

/* The longest of both: nothing is cut off, or two comments would have one key. */
static void the_longest(void **state)
{
    char first[CASEHOOK__REQUEST_KEY_SIZE];
    (void)state;
    assert_int_equal(begin(&config,
                           "{\"title\":\"T\",\"idempotencyKey\":\"" K85 K85 K85 "\",\"comments\":["
                           "{\"commentId\":\"" C16 C16 C16 "ccccccccccccccca\",\"comment\":\"1\"},"
                           "{\"commentId\":\"" C16 C16 C16 "cccccccccccccccb\",\"comment\":\"2\"}]}"),
                     CASEHOOK_OK);
    strcpy(first, key_of(COMMENT, 0));
    assert_int_equal(strlen(first), 255 + 1 + 64);
    assert_string_not_equal(key_of(COMMENT, 1), first);
    end();
}

static void two_comments_of_one_id(void **state)
{
    static const struct {
        const char *comments;
        int status;
        const char *says;
    } cases[] = {
        {"{\"commentId\":\"1\",\"comment\":\"a\"},{\"commentId\":\"1\",\"comment\":\"b\"}", CASEHOOK_E_PARAMS,
         "two of the id \"1\""},
        {"{\"commentId\":\"2\",\"comment\":\"a\"},{\"commentId\":\"1\",\"comment\":\"b\"},"
         "{\"commentId\":\"2\",\"comment\":\"c\"}",
         CASEHOOK_E_PARAMS, "two of the id \"2\""},
        {"{\"commentId\":\"\",\"comment\":\"a\"},{\"commentId\":\"x\",\"comment\":\"b\"},"
         "{\"commentId\":\"\",\"comment\":\"c\"}",
         CASEHOOK_E_PARAMS, "two of the id \"\""},
        {"{\"commentId\":\"" SIXTY_FOUR "a\",\"comment\":\"a\"},{\"commentId\":\"" SIXTY_FOUR
         "a\",\"comment\":\"b\"}",
         CASEHOOK_E_PARAMS, "two of the id \"" SIXTY_FOUR "\""},
        {"{\"commentId\":\"1\",\"comment\":\"a\"},{\"commentId\":\"10\",\"comment\":\"b\"},"
         "{\"commentId\":\"01\",\"comment\":\"c\"},{\"commentId\":\"1 \",\"comment\":\"d\"}",
         CASEHOOK_OK, NULL},
        {"{\"commentId\":\"1\",\"comment\":\"a\"}", CASEHOOK_OK, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char json[1024];
        snprintf(json, sizeof json, "{\"title\":\"t\",\"id\":\"r1\",\"comments\":[%s]}", cases[i].comments);
        assert_int_equal(begin(&config, json), cases[i].status);
        if (cases[i].status) {
            assert_string_equal(result->error.field, "comments");
            if (!strstr(result->error.message, cases[i].says)) fail_msg("%zu: %s", i, result->error.message);
        }
        end();
        assert_int_equal(begin(&no_comments, json), CASEHOOK_OK); /* none is sent */
        end();
        assert_int_equal(begin(&none, json), CASEHOOK_OK); /* without keys they are two comments */
        end();
    }
}

/* Ten thousand ids are compared in no time; the last two are the same. */
static void very_many_comments(void **state)
{
    enum { MANY = 10000 };
    (void)state;
    char *json = malloc(MANY * 48 + 64);
    assert_non_null(json);
    for (int same = 0; same < 2; same++) {
        size_t length = (size_t)sprintf(json, "{\"title\":\"t\",\"comments\":[");
        for (int i = 0; i < MANY; i++)
            length += (size_t)sprintf(json + length, "%s{\"commentId\":\"%d\",\"comment\":\"x\"}",
                                      i ? "," : "", same && i == MANY - 1 ? MANY - 2 : i);
        sprintf(json + length, "]}");
        assert_int_equal(begin(&config, json), same ? CASEHOOK_E_PARAMS : CASEHOOK_OK);
        end();
    }
    free(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made_of_the_case),
        cmocka_unit_test(given),
        cmocka_unit_test(random_ones),
        cmocka_unit_test(line_feeds_in_ids),
        cmocka_unit_test(none_where_none_is_configured),
        cmocka_unit_test(one_that_is_there_stays),
        cmocka_unit_test(the_longest),
        cmocka_unit_test(odd_comment_ids),
        cmocka_unit_test(two_comments_of_one_id),
        cmocka_unit_test(very_many_comments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
