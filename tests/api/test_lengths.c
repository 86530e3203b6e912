/* test_lengths.c - a length of 0 is an empty text of which nothing is read, TERMINATED asks for the NUL. */
#include "documents.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BASE "http://tracker.example"

/* What other languages give for an empty text: Rust 1, others what lies behind a buffer. */
static const char *const nowhere = (const char *)1;
static struct casehook_connector *connector;

static int make(void **state)
{
    (void)state;
    connector = document_connector(NULL, BASE, NULL, NULL);
    return 0;
}

static int release(void **state)
{
    (void)state;
    casehook_connector_unref(connector);
    return 0;
}

static void is_fault(int status, int expected, struct casehook_error **place)
{
    struct casehook_error *error = *place;
    assert_int_equal(status, expected);
    assert_int_equal(casehook_error_status(error), expected);
    assert_non_null(strstr(casehook_error_message(error), "empty"));
    casehook_error_free(error);
}

static void empty_documents(void **state)
{
    (void)state;
    struct casehook_settings *settings = NULL;
    struct casehook_connector *none = connector;
    struct casehook_error *error = NULL;
    assert_int_equal(casehook_settings_new(NULL, &settings), CASEHOOK_OK);
    is_fault(casehook_settings_load_json(settings, nowhere, 0, &error), CASEHOOK_E_CONFIG, &error);
    is_fault(casehook_connector_check(settings, nowhere, 0, &error), CASEHOOK_E_CONFIG, &error);
    is_fault(casehook_connector_new(settings, nowhere, 0, &none, &error), CASEHOOK_E_CONFIG, &error);
    assert_null(none);
    casehook_settings_free(settings);
}

static void has_fault(int status, struct casehook_result *const *place, const char *field)
{
    struct casehook_result *result = *place;
    const struct casehook_error *error = casehook_result_error(result);
    assert_int_equal(status, CASEHOOK_E_PARAMS);
    assert_int_equal(casehook_error_status(error), CASEHOOK_E_PARAMS);
    assert_int_equal(casehook_error_step(error), CASEHOOK_STEP_PARAMS);
    assert_string_equal(casehook_error_field(error), field);
    assert_non_null(strstr(casehook_error_message(error), "empty"));
    casehook_result_free(result);
}

static struct casehook_result *of_exchange(struct casehook_exchange *exchange)
{
    struct casehook_http_request request = {.struct_size = sizeof request};
    assert_int_equal(casehook_exchange_next(exchange, &request), 0);
    struct casehook_result *result = casehook_exchange_result(exchange);
    casehook_exchange_free(exchange);
    return result;
}

static struct casehook_result *of_loop(struct casehook_loop *loop)
{
    assert_int_equal(casehook_loop_wait(loop, -1), CASEHOOK_OK);
    struct casehook_result *result = casehook_loop_next(loop, NULL);
    assert_int_equal(casehook_loop_free(loop), CASEHOOK_OK);
    return result;
}

static void empty_params(void **state)
{
    (void)state;
    struct casehook_result *result = NULL;
    struct casehook_exchange *exchange = NULL;
    struct casehook_loop *loop = NULL;
    has_fault(casehook_run_json(connector, CASEHOOK_CREATE, nowhere, 0, NULL, &result), &result, "");
    has_fault(casehook_preview_json(connector, CASEHOOK_CREATE, nowhere, 0, &result), &result, "");
    assert_int_equal(
        casehook_exchange_new_json(connector, CASEHOOK_CREATE, nowhere, 0, NULL, &exchange, NULL), 0);
    result = of_exchange(exchange);
    has_fault(CASEHOOK_E_PARAMS, &result, "");
    assert_int_equal(casehook_loop_new(NULL, &loop), CASEHOOK_OK);
    assert_int_equal(
        casehook_loop_submit_json(loop, connector, CASEHOOK_CREATE, nowhere, 0, NULL, NULL, NULL), 0);
    result = of_loop(loop);
    has_fault(CASEHOOK_E_PARAMS, &result, "");
}

/* However it goes in; the text is not terminated, and its length is what was said. */
static void fields_everywhere(const char *fields, size_t length, int expected)
{
    struct casehook_params params = {
        .struct_size = sizeof params, .title = "t", .fields = fields, .fields_length = length};
    struct casehook_options options = {.struct_size = sizeof options};
    struct casehook_result *result[4] = {NULL};
    struct casehook_exchange *exchange = NULL;
    struct casehook_loop *loop = NULL;
    assert_int_equal(casehook_cancel_new(NULL, &options.cancel), CASEHOOK_OK);
    casehook_cancel_set(options.cancel); /* nothing goes out */
    casehook_preview(connector, CASEHOOK_CREATE, &params, &result[0]);
    casehook_create(connector, &params, &options, &result[1]);
    assert_int_equal(casehook_exchange_new(connector, CASEHOOK_CREATE, &params, &options, &exchange, NULL),
                     0);
    result[2] = of_exchange(exchange);
    assert_int_equal(casehook_loop_new(NULL, &loop), CASEHOOK_OK);
    assert_int_equal(casehook_loop_submit(loop, connector, CASEHOOK_CREATE, &params, &options, NULL, NULL),
                     0);
    result[3] = of_loop(loop);
    casehook_cancel_free(options.cancel);
    for (int i = 0; i < 4; i++) {
        const struct casehook_error *error = casehook_result_error(result[i]);
        assert_int_equal(casehook_error_status(error), i && !expected ? CASEHOOK_E_CANCELLED : expected);
        assert_string_equal(casehook_error_field(error), expected ? "fields" : "");
        casehook_result_free(result[i]);
    }
}

static void empty_fields(void **state)
{
    (void)state;
    char *text = malloc(5);
    assert_non_null(text);
    memset(text, 'A', 5);
    fields_everywhere(nowhere, 0, CASEHOOK_E_PARAMS);
    fields_everywhere(text + 5, 0, CASEHOOK_E_PARAMS); /* a view of nothing at the end of a buffer */
    fields_everywhere("{}", 0, CASEHOOK_E_PARAMS);
    fields_everywhere("", CASEHOOK_TERMINATED, CASEHOOK_E_PARAMS);
    fields_everywhere("{}", CASEHOOK_TERMINATED, CASEHOOK_OK);
    memcpy(text, "{   }", 5);
    fields_everywhere(text, 5, CASEHOOK_OK);
    fields_everywhere(NULL, 0, CASEHOOK_OK);
    fields_everywhere(NULL, CASEHOOK_TERMINATED, CASEHOOK_OK);
    fields_everywhere(NULL, 7, CASEHOOK_OK);
    free(text);
}

static void empty_lists(void **state)
{
    (void)state;
    struct casehook_params params = {.struct_size = sizeof params, .title = "t"};
    struct casehook_exchange *exchange = NULL;
    struct casehook_result *result = NULL;
    params.tags = params.labels = (const char *const *)(const void *)nowhere;
    params.comments = (const struct casehook_comment *)(const void *)nowhere;
    assert_int_equal(casehook_preview(connector, CASEHOOK_PUSH, &params, &result), CASEHOOK_OK);
    casehook_result_free(result);
    assert_int_equal(casehook_exchange_new(connector, CASEHOOK_PUSH, &params, NULL, &exchange, NULL),
                     CASEHOOK_OK);
    casehook_exchange_free(exchange);
}

static struct casehook_exchange *asked(void)
{
    struct casehook_http_request request = {.struct_size = sizeof request};
    struct casehook_exchange *exchange = NULL;
    assert_int_equal(casehook_exchange_new_json(connector, CASEHOOK_GET, "{\"externalId\":\"1\"}",
                                                CASEHOOK_TERMINATED, NULL, &exchange, NULL),
                     CASEHOOK_OK);
    assert_int_equal(casehook_exchange_next(exchange, &request), 1);
    return exchange;
}

static void empty_answers(void **state)
{
    (void)state;
    const char *const texts[] = {nowhere, NULL, "Content-Type: text/html\nLocation: /"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct casehook_exchange *exchange = asked();
        assert_int_equal(casehook_exchange_feed(exchange, 200, texts[i], 0, texts[i], 0), CASEHOOK_OK);
        struct casehook_result *result = of_exchange(exchange);
        const struct casehook_error *error = casehook_result_error(result);
        assert_int_equal(casehook_error_status(error), CASEHOOK_E_RESPONSE);
        assert_non_null(strstr(casehook_error_message(error), "empty"));
        casehook_result_free(result);
        exchange = asked();
        assert_int_equal(casehook_exchange_feed_partial(exchange, 200, texts[i], 0, texts[i], 0,
                                                        CASEHOOK_E_NETWORK, "broke"),
                         CASEHOOK_OK);
        result = of_exchange(exchange);
        assert_int_equal(casehook_error_status(casehook_result_error(result)), CASEHOOK_E_NETWORK);
        casehook_result_free(result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_documents), cmocka_unit_test(empty_params),  cmocka_unit_test(empty_fields),
        cmocka_unit_test(empty_lists),     cmocka_unit_test(empty_answers),
    };
    return cmocka_run_group_tests(tests, make, release);
}
