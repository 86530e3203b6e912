/* test_many.c - ten thousand operations against a server that answers late, closes, stalls and lies. */
#include "fixture.h"

#include "process.h"

#include <stdlib.h>

#define COUNT 10000 /* at most */

/* What the server does with the n-th request is drawn from n: a run can be repeated. */
static unsigned draw(size_t number)
{
    uint64_t x = (uint64_t)number * UINT64_C(0x9E3779B97F4A7C15) + 12345;
    x ^= x >> 31;
    x *= UINT64_C(0xBF58476D1CE4E5B9);
    return (unsigned)(x >> 40) % 1000;
}

static void answer(void *user, const struct http_request *request, struct http_response *response)
{
    static const char raw[] = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{\"id\"";
    unsigned number = draw(request->number);
    tracker_answer(user, request, response);
    response->delay_ms = number % 4;
    if (number < 20) {
        response->fault = HTTP_CLOSE_BEFORE_RESPONSE;
    } else if (number < 40) {
        response->fault = HTTP_RESET_BEFORE_RESPONSE;
    } else if (number < 60) {
        response->close = 1;
    } else if (number < 63) {
        response->delay_ms = 10000; /* longer than responseTimeout */
    } else if (number < 80) {
        response->raw = raw;
        response->raw_length = sizeof raw - 1;
    } else if (number < 90) {
        answer_json(response, 503, "{\"error\":\"busy\"}");
    } else if (number < 100) {
        response->chunked = 1;
        response->piece = 2;
        response->piece_delay_ms = 1;
    }
}

static void check(const struct casehook_result *result)
{
    const struct casehook_error *error = casehook_result_error(result);
    int status = casehook_error_status(error);
    assert_true(status == CASEHOOK_OK || status == CASEHOOK_E_NETWORK || status == CASEHOOK_E_TIMEOUT ||
                status == CASEHOOK_E_HTTP_STATUS);
    if (casehook_result_request_count(result) == 2)
        assert_string_equal(casehook_result_id(result, NULL), "42");
    if (!error) assert_string_equal(casehook_result_title(result, NULL), "CASE-42");
}

static void ten_thousand(void **state)
{
    struct tracker tracker;
    static unsigned char seen[COUNT];
    static uint64_t tickets[COUNT];
    int succeeded = 0;
    /* On valgrind threads take turns: of many in flight most would only wait until their time is over. */
    const int slow = process_under_valgrind();
    const size_t count = slow ? COUNT / 10 : COUNT;
    (void)state;
    tracker_start(&tracker, answer, NULL);
    struct casehook_settings *settings = document_settings("{\"responseTimeout\":\"3s\"}");
    struct casehook_connector *connector = document_connector(settings, tracker.base, NULL, NULL);
    struct casehook_loop *loop = loop_make((uint32_t)count, slow ? 8 : 64);
    for (size_t i = 0; i < count; i++) tickets[i] = submit_create(loop, connector, "disk full");
    assert_int_equal(casehook_loop_pending(loop), count);
    for (size_t i = 0; i < count; i++) {
        struct finished finished = loop_finish(loop);
        size_t place = (uint32_t)finished.ticket - 1; /* tickets of a fresh loop count up */
        while (place < count && tickets[place] != finished.ticket) place = (place + 1) % count;
        assert_int_equal(seen[place]++, 0);
        check(finished.result);
        succeeded += finished_status(finished) == CASEHOOK_OK;
    }
    assert_int_equal(casehook_loop_pending(loop), 0);
    assert_in_range(succeeded, count / 2, count - count / 50);
    casehook_loop_free(loop);
    casehook_connector_unref(connector);
    casehook_settings_free(settings);
    tracker_stop(&tracker);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ten_thousand)};
    mode_set(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
