/* test_fd.c - the descriptor is readable when there is something to do, and only then. */
#include "fixture.h"

#include "process.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct tracker tracker;
static struct casehook_connector *connector;
static struct casehook_loop *loop;
static struct pollfd descriptor;

static void begin(const char *settings_json)
{
    tracker_start(&tracker, NULL, NULL);
    struct casehook_settings *settings = document_settings(settings_json);
    connector = document_connector(settings, tracker.base, NULL, NULL);
    casehook_settings_free(settings);
    loop = loop_make(0, 0);
    descriptor = (struct pollfd){.fd = casehook_loop_fd(loop), .events = POLLIN};
}

static void end(void)
{
    casehook_loop_free(loop);
    casehook_connector_unref(connector);
    tracker_stop(&tracker);
}

/* How often the descriptor was readable in that time. */
static int wakes(int milliseconds)
{
    int64_t until = now_ms() + milliseconds;
    int count = 0;
    for (;;) {
        int64_t left = until - now_ms();
        if (left <= 0) return count;
        if (poll(&descriptor, 1, (int)left) <= 0) continue;
        count++;
        assert_int_equal(casehook_loop_process(loop), CASEHOOK_OK);
    }
}

/* Turns for as long as only the descriptor says so; fails when it stays silent. */
static int finish_by_descriptor(void)
{
    for (;;) {
        struct casehook_result *result = casehook_loop_next(loop, NULL);
        if (result) return finished_status((struct finished){.result = result});
        if (poll(&descriptor, 1, 8000) <= 0) fail_msg("an event was missed");
        assert_int_equal(casehook_loop_process(loop), CASEHOOK_OK);
    }
}

static void silent_at_rest(void **state)
{
    (void)state;
    begin("{\"idleTimeout\":\"300ms\"}");
    assert_int_equal(wakes(500), 0);
    submit_create(loop, connector, "disk full");
    assert_int_equal(finish_by_descriptor(), CASEHOOK_OK);
    int closing = wakes(1000); /* the timer of the idle connection, and one that was set earlier */
    assert_in_range(closing, 1, 3);
    assert_int_equal(wakes(5000), 0);
    end();
}

/* Kept connections are nobody's business until they are needed again, whatever the server does to them. */
static void silent_with_kept_connections(void **state)
{
    (void)state;
    begin("{\"idleTimeout\":\"1m\"}");
    for (int i = 0; i < 4; i++) submit_create(loop, connector, "disk full");
    for (int i = 0; i < 4; i++) assert_int_equal(finish_by_descriptor(), CASEHOOK_OK);
    wakes(200);
    assert_int_equal(wakes(5000), 0);
    http_server_stop(tracker.server, 0); /* closes them */
    assert_in_range(wakes(5000), 0, 1);
    submit_create(loop, connector, "disk full");
    assert_int_equal(finish_by_descriptor(), CASEHOOK_E_CONNECT);
    tracker.server = http_server_start(tracker.log, "another", NULL, tracker_answer, NULL);
    assert_non_null(tracker.server);
    end();
}

static void silent_while_a_server_thinks(void **state)
{
    (void)state;
    begin("{}");
    for (int i = 0; i < 10; i++) submit_create(loop, connector, "stall");
    loop_until_requests(loop, &tracker, 10);
    wakes(500);
    assert_in_range(wakes(3000), 0, 3);
    end();
}

static void silent_while_operations_wait(void **state)
{
    (void)state;
    tracker_start(&tracker, NULL, NULL);
    connector = tracker_connector(&tracker);
    loop = loop_make(0, 1);
    descriptor = (struct pollfd){.fd = casehook_loop_fd(loop), .events = POLLIN};
    for (int i = 0; i < 100; i++) submit_create_with(loop, connector, "stall", NULL, 60000);
    loop_until_requests(loop, &tracker, 1);
    wakes(500);
    assert_in_range(wakes(2000), 0, 3);
    end();
}

static void results_alone_are_silent(void **state)
{
    (void)state;
    begin("{\"idleTimeout\":\"1m\"}");
    submit_create(loop, connector, "disk full");
    wakes(1000);
    assert_int_equal(casehook_loop_pending(loop), 1);
    assert_int_equal(wakes(500), 0);
    assert_int_equal(finished_status(loop_finish(loop)), CASEHOOK_OK);
    end();
}

static void every_time_is_kept(void **state)
{
    (void)state;
    begin("{\"responseTimeout\":\"400ms\"}");
    int64_t begun = now_ms();
    submit_create(loop, connector, "stall");
    assert_int_equal(finish_by_descriptor(), CASEHOOK_E_TIMEOUT);
    assert_in_range(now_ms() - begun, 399, 5000);
    submit_create_with(loop, connector, "stall", NULL, 100);
    assert_int_equal(finish_by_descriptor(), CASEHOOK_E_TIMEOUT);
    end();
}

static void a_deadline_passes_while_it_waits(void **state)
{
    (void)state;
    tracker_start(&tracker, NULL, NULL);
    connector = tracker_connector(&tracker);
    loop = loop_make(0, 1);
    descriptor = (struct pollfd){.fd = casehook_loop_fd(loop), .events = POLLIN};
    submit_create(loop, connector, "stall");
    loop_until_requests(loop, &tracker, 1);
    submit_create_with(loop, connector, "disk full", NULL, 150);
    assert_int_equal(finish_by_descriptor(), CASEHOOK_E_TIMEOUT);
    end();
}

static uint64_t stalled;

/* A server with one connection, whose answers are written by hand. */
static int new_listener(char base[64])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    snprintf(base, 64, "http://127.0.0.1:%u", (unsigned)ntohs(address.sin_port));
    return fd;
}

/* Turns until fd has something to read. */
static void turn_until_readable(int fd)
{
    struct pollfd both[2] = {descriptor, {.fd = fd, .events = POLLIN}};
    for (; both[1].revents == 0; casehook_loop_process(loop))
        if (poll(both, 2, 8000) <= 0) fail_msg("nothing came");
}

static void read_request(int fd)
{
    char text[8192];
    for (size_t length = 0, got = 1; got; length += got) {
        text[length] = '\0';
        const char *body = strstr(text, "\r\n\r\n"), *size = strstr(text, "Content-Length: ");
        if (body && size && strlen(body + 4) >= strtoul(size + 16, NULL, 10)) return;
        turn_until_readable(fd);
        ssize_t count = read(fd, text + length, sizeof text - 1 - length);
        got = count > 0 ? (size_t)count : 0;
    }
    fail_msg("the request has no end");
}

/* What has arrived already is read before the operation is cancelled. */
static void an_answer_that_came_before_the_cancel(void **state)
{
    static const char answer[] = "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
                                 "Content-Length: 11\r\n\r\n{\"id\":\"42\"}";
    char base[64];
    int listener = new_listener(base), waiting = 1;
    (void)state;
    tracker_start(&tracker, NULL, NULL);
    connector = document_connector(NULL, base, NULL, NULL);
    loop = loop_make(0, 0);
    descriptor = (struct pollfd){.fd = casehook_loop_fd(loop), .events = POLLIN};
    uint64_t ticket = submit_create(loop, connector, "disk full");
    turn_until_readable(listener);
    int server = accept(listener, NULL, NULL);
    assert_true(server >= 0);
    read_request(server);
    assert_int_equal(write(server, answer, sizeof answer - 1), sizeof answer - 1);
    /* Until the other side has it. */
    while (assert_int_equal(ioctl(server, SIOCOUTQ, &waiting), 0), waiting) sched_yield();
    assert_int_equal(casehook_loop_cancel(loop, ticket), CASEHOOK_OK);
    assert_int_equal(casehook_loop_process(loop), CASEHOOK_OK);
    struct casehook_result *result = casehook_loop_next(loop, NULL);
    assert_non_null(result);
    assert_string_equal(casehook_result_id(result, NULL), "42");
    assert_int_equal(finished_status((struct finished){.result = result}), CASEHOOK_E_CANCELLED);
    close(server);
    close(listener);
    end();
}

/* The child shares the descriptors: what it does with its copies must not keep the parent's loop awake. */
static void silent_after_a_child(void **state)
{
    struct casehook_cancel *cancel = NULL;
    int status = -1;
    (void)state;
    begin("{}");
    assert_int_equal(casehook_cancel_new(NULL, &cancel), CASEHOOK_OK);
    submit_create_with(loop, connector, "stall", cancel, 0);
    loop_until_requests(loop, &tracker, 1);
    wakes(300);
    pid_t child = fork();
    if (child == 0) {
        casehook_cancel_set(cancel);
        casehook_loop_wakeup(loop);
        casehook_loop_cancel(loop, stalled);
        casehook_cancel_free(cancel);
        casehook_loop_free(loop);
        process_leave(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_in_range(wakes(1000), 0, 2);
    casehook_cancel_set(cancel);
    assert_int_equal(finish_by_descriptor(), CASEHOOK_E_CANCELLED);
    casehook_cancel_free(cancel);
    end();
}

enum { CALLERS = 3 };

/* A server whose queue is full: it lets nobody in, and refuses nobody. */
static int full_server(char *base, size_t size, int callers[CALLERS])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(listener, 0), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    snprintf(base, size, "http://127.0.0.1:%u", ntohs(address.sin_port));
    for (int i = 0; i < CALLERS; i++) {
        callers[i] = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(fcntl(callers[i], F_SETFL, O_NONBLOCK), 0);
        connect(callers[i], (struct sockaddr *)&address, length);
    }
    return listener;
}

static void let_in(int listener, int count)
{
    struct pollfd came = {.fd = listener, .events = POLLIN};
    while (count-- && poll(&came, 1, 3000) == 1) close(accept(listener, NULL, NULL));
}

static uint64_t open_connections(void)
{
    char json[8192];
    casehook_connector_stats_json(connector, json, sizeof json);
    const char *at = strstr(json, "\"openConnections\":");
    assert_non_null(at);
    return strtoull(at + strlen("\"openConnections\":"), NULL, 10);
}

/*
 * A child holds a copy of a socket that is given up while it connects: closing the parent's does not end it,
 * so it must have been taken from what is watched before.  Nor does it count as open any more.
 */
static void silent_after_a_connect_that_was_given_up(void **state)
{
    char base[64];
    int callers[CALLERS], gate[2], status = -1;
    (void)state;
    int listener = full_server(base, sizeof base, callers);
    connector = document_connector(NULL, base, NULL, NULL);
    loop = loop_make(0, 0);
    descriptor = (struct pollfd){.fd = casehook_loop_fd(loop), .events = POLLIN};
    uint64_t ticket = submit_create(loop, connector, "disk full");
    while (open_connections() == 0) wakes(10);
    wakes(50);
    assert_int_equal(pipe(gate), 0);
    pid_t child = fork();
    if (child == 0) {
        char byte;
        close(gate[1]);
        process_leave(read(gate[0], &byte, 1) != 0);
    }
    casehook_loop_cancel(loop, ticket);
    assert_int_equal(finish_by_descriptor(), CASEHOOK_E_CANCELLED);
    assert_int_equal(open_connections(), 0);
    let_in(listener, CALLERS + 1); /* the child's copy too, when it is tried again after a second */
    assert_in_range(wakes(500), 0, 2);
    close(gate[1]);
    close(gate[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    casehook_loop_free(loop);
    casehook_connector_unref(connector);
    for (int i = 0; i < CALLERS; i++) close(callers[i]);
    close(listener);
}

static void *act_soon(void *what)
{
    const struct timespec soon = {0, 100000000};
    nanosleep(&soon, NULL);
    if (strcmp(what, "submit") == 0) submit_create(loop, connector, "disk full");
    if (strcmp(what, "cancel") == 0) casehook_loop_cancel(loop, stalled);
    if (strcmp(what, "wakeup") == 0) casehook_loop_wakeup(loop);
    return NULL;
}

static void other_threads_make_it_readable(void **state)
{
    char actions[][8] = {"submit", "cancel", "wakeup"};
    pthread_t thread;
    (void)state;
    begin("{}");
    stalled = submit_create(loop, connector, "stall");
    loop_until_requests(loop, &tracker, 1);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pthread_create(&thread, NULL, act_soon, actions[i]), 0);
        if (i < 2) {
            assert_int_equal(finish_by_descriptor(), i == 0 ? CASEHOOK_OK : CASEHOOK_E_CANCELLED);
        } else {
            wakes(50);
            assert_in_range(wakes(500), 1, 2);
        }
        pthread_join(thread, NULL);
    }
    end();
}

static void this_thread_makes_it_readable(void **state)
{
    (void)state;
    begin("{}");
    assert_int_equal(poll(&descriptor, 1, 0), 0);
    casehook_loop_wakeup(loop);
    assert_int_equal(poll(&descriptor, 1, 0), 1);
    assert_int_equal(poll(&descriptor, 1, 0), 1); /* until process */
    casehook_loop_process(loop);
    assert_int_equal(poll(&descriptor, 1, 0), 0);
    uint64_t ticket = submit_create(loop, connector, "stall");
    assert_int_equal(poll(&descriptor, 1, 0), 1);
    loop_until_requests(loop, &tracker, 1);
    wakes(300);
    casehook_loop_cancel(loop, ticket);
    assert_int_equal(poll(&descriptor, 1, 0), 1);
    casehook_loop_process(loop);
    assert_int_equal(finished_status(loop_finish(loop)), CASEHOOK_E_CANCELLED);
    end();
}

/* Asked for while operations run that were only waited on so far. */
static void asked_for_late(void **state)
{
    (void)state;
    for (int turns = 0; turns < 12; turns++) {
        tracker_start(&tracker, NULL, NULL);
        connector = tracker_connector(&tracker);
        assert_int_equal(casehook_loop_new(NULL, &loop), CASEHOOK_OK);
        for (int i = 0; i < 5; i++) submit_create(loop, connector, i % 2 ? "slow" : "disk full");
        for (int i = 0; i < turns; i++) casehook_loop_wait(loop, i);
        descriptor = (struct pollfd){.fd = casehook_loop_fd(loop), .events = POLLIN};
        for (int i = 0; i < 5; i++) assert_int_equal(finish_by_descriptor(), CASEHOOK_OK);
        end();
    }
}

/* For hosts that ask for the time instead. */
static void driven_by_the_timeout(void **state)
{
    (void)state;
    tracker_start(&tracker, NULL, NULL);
    connector = tracker_connector(&tracker);
    assert_int_equal(casehook_loop_new(NULL, &loop), CASEHOOK_OK);
    assert_true(casehook_loop_timeout_ms(loop) == -1);
    submit_create(loop, connector, "slow");
    assert_true(casehook_loop_timeout_ms(loop) == 0);
    struct casehook_result *result;
    int turns = 0;
    while (!(result = casehook_loop_next(loop, NULL))) {
        int64_t time = casehook_loop_timeout_ms(loop);
        assert_true(time >= 0);
        poll(NULL, 0, (int)time);
        casehook_loop_process(loop);
        turns++;
    }
    assert_int_equal(finished_status((struct finished){.result = result}), CASEHOOK_OK);
    assert_in_range(turns, 3, 200);
    end();
}

/* Nothing is lost when a host that uses the descriptor waits in between. */
static void mixed_with_wait(void **state)
{
    (void)state;
    begin("{}");
    for (int i = 0; i < 40; i++) submit_create(loop, connector, i % 2 ? "slow" : "disk full");
    for (int ended = 0; ended < 40; ended++) {
        if (ended % 2) {
            assert_int_equal(finish_by_descriptor(), CASEHOOK_OK);
            continue;
        }
        struct casehook_result *result;
        while (!(result = casehook_loop_next(loop, NULL))) casehook_loop_wait(loop, -1);
        assert_int_equal(finished_status((struct finished){.result = result}), CASEHOOK_OK);
    }
    end();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silent_at_rest),
        cmocka_unit_test(silent_with_kept_connections),
        cmocka_unit_test(silent_while_a_server_thinks),
        cmocka_unit_test(silent_while_operations_wait),
        cmocka_unit_test(results_alone_are_silent),
        cmocka_unit_test(every_time_is_kept),
        cmocka_unit_test(a_deadline_passes_while_it_waits),
        cmocka_unit_test(an_answer_that_came_before_the_cancel),
        cmocka_unit_test(silent_after_a_child),
        cmocka_unit_test(silent_after_a_connect_that_was_given_up),
        cmocka_unit_test(other_threads_make_it_readable),
        cmocka_unit_test(this_thread_makes_it_readable),
        cmocka_unit_test(asked_for_late),
        cmocka_unit_test(driven_by_the_timeout),
        cmocka_unit_test(mixed_with_wait),
    };
    mode_set(argc, argv);
    if (mode != MODE_FD) {
        puts("SKIP: the other ways of waiting have no descriptor to look at");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
