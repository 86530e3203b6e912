/* fixture.c - a tracker, connectors and a loop for the tests of the loop. */
#include "fixture.h"

#include "loop/loop_private.h"

#include <poll.h>
#include <stdlib.h>
#include <time.h>

enum mode mode;

void mode_set(int argc, char **argv)
{
    static const char *const names[] = {"wait", "fd", "poll"};
    for (int i = 0; i < 3; i++)
        if (argc > 1 && strcmp(argv[1], names[i]) == 0) mode = (enum mode)i;
}

int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- tracker ----------------------------------------------------------------------------------- */

void answer_json(struct http_response *response, int status, const char *body)
{
    static const struct http_header json[] = {{"Content-Type", "application/json"}};
    response->headers = json;
    response->header_count = 1;
    response->status = status;
    response->body = body;
    response->body_length = strlen(body);
}

static void obey(struct http_response *response, const char *words)
{
    if (strstr(words, "slow")) response->delay_ms = 100;
    if (strstr(words, "stall")) response->delay_ms = 10000;
    if (strstr(words, "close")) response->fault = HTTP_CLOSE_BEFORE_RESPONSE;
}

void tracker_answer(void *user, const struct http_request *request, struct http_response *response)
{
    (void)user;
    if (strcmp(request->method, "POST") != 0) {
        answer_json(response, 200, "{\"key\":\"CASE-42\"}");
        obey(response, request->target);
    } else if (strstr(request->body, "then-stall")) {
        answer_json(response, 201, "{\"id\":\"stall\"}");
    } else if (strstr(request->body, "then-close")) {
        answer_json(response, 201, "{\"id\":\"close\"}");
    } else {
        answer_json(response, 201, "{\"id\":\"42\"}");
        obey(response, request->body);
    }
}

void tracker_start(struct tracker *tracker, http_answer_fn answer, void *user)
{
    tracker->log = http_log_new();
    tracker->server =
        http_server_start(tracker->log, "tracker", NULL, answer ? answer : tracker_answer, user);
    assert_non_null(tracker->server);
    snprintf(tracker->base, sizeof tracker->base, "http://127.0.0.1:%u", http_server_port(tracker->server));
}

void tracker_stop(struct tracker *tracker)
{
    http_server_stop(tracker->server, 5000);
    http_log_free(tracker->log);
}

struct casehook_connector *tracker_connector(const struct tracker *tracker)
{
    return document_connector(NULL, tracker->base, NULL, NULL);
}

/* ---- loop -------------------------------------------------------------------------------------- */

struct casehook_loop *loop_make(uint32_t max_operations, uint32_t max_connections)
{
    struct casehook_loop_options options = {
        .struct_size = sizeof options, .max_operations = max_operations, .max_connections = max_connections};
    struct casehook_loop *loop = NULL;
    assert_int_equal(
        casehook__loop_new_with(&options, mode == MODE_POLL ? &casehook__backend_poll : NULL, &loop),
        CASEHOOK_OK);
    if (mode == MODE_FD) assert_true(casehook_loop_fd(loop) >= 0);
    if (mode == MODE_POLL) assert_int_equal(casehook_loop_fd(loop), -1);
    return loop;
}

void loop_turn(struct casehook_loop *loop, int milliseconds)
{
    if (mode != MODE_FD) {
        assert_int_equal(casehook_loop_wait(loop, milliseconds), CASEHOOK_OK);
        return;
    }
    struct pollfd descriptor = {.fd = casehook_loop_fd(loop), .events = POLLIN};
    assert_int_equal(casehook_loop_timeout_ms(loop), -1);
    if (poll(&descriptor, 1, milliseconds) > 0) assert_int_equal(casehook_loop_process(loop), CASEHOOK_OK);
}

struct finished loop_finish(struct casehook_loop *loop)
{
    struct finished finished = {0};
    int64_t until = now_ms() + 10000;
    while (!(finished.result = casehook_loop_next(loop, &finished.ticket))) {
        if (now_ms() > until) fail_msg("no result within 10 s");
        loop_turn(loop, 10000);
    }
    return finished;
}

bool loop_has_result(const struct casehook_loop *loop)
{
    return loop->finished.first != NULL;
}

void loop_until_requests(struct casehook_loop *loop, struct tracker *tracker, size_t count)
{
    int64_t until = now_ms() + 10000;
    while (http_log_count(tracker->log) < count) {
        if (now_ms() > until) fail_msg("no %zu requests within 10 s", count);
        loop_turn(loop, 5);
    }
}

uint64_t submit_create_with(struct casehook_loop *loop, struct casehook_connector *connector,
                            const char *title, struct casehook_cancel *cancel, uint32_t deadline_ms)
{
    struct casehook_params params = {.struct_size = sizeof params, .title = title};
    struct casehook_options options = {
        .struct_size = sizeof options, .cancel = cancel, .deadline_ms = deadline_ms};
    uint64_t ticket = 0;
    assert_int_equal(casehook_loop_submit(loop, connector, CASEHOOK_CREATE, &params, &options, &ticket, NULL),
                     CASEHOOK_OK);
    assert_true(ticket != 0);
    return ticket;
}

uint64_t submit_create(struct casehook_loop *loop, struct casehook_connector *connector, const char *title)
{
    return submit_create_with(loop, connector, title, NULL, 0);
}

int finished_status(struct finished finished)
{
    int status = casehook_error_status(casehook_result_error(finished.result));
    casehook_result_free(finished.result);
    return status;
}
