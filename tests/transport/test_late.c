/*
 * test_late.c - the host comes back after the time is over, and the answer has lain in the socket since
 * before (R1).
 *
 * It counts: the id of a case that exists must not be lost.
 */
#include "process.h"
#include "site.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIMIT_MS = 300, ANSWER_US = 60000, AWAY_MS = 700, LARGE = 700000 };

/* On valgrind a request alone takes longer than the limit. */
static int paced(int milliseconds)
{
    return process_under_valgrind() ? milliseconds * 8 : milliseconds;
}

/* user: the answer to a write, NULL: the usual one. */
static struct turn answer_a_little_late(void *user, const struct tracker_request *request)
{
    struct turn turn = {0};
    if (strcmp(request->method, "GET") != 0) turn = (struct turn){.before_us = ANSWER_US, .answer = user};
    return turn;
}

static struct site new_site(enum scheme scheme, int by_deadline, char *answer)
{
    const char *settings = text_of("{\"responseTimeout\":\"%dms\"}", by_deadline ? 20000 : paced(LIMIT_MS));
    return site_new(scheme, settings, NULL, 1, answer_a_little_late, answer);
}

/* A created case with a long description in it: more than is read in one go. */
static char *large_answer(void)
{
    const char *head = text_of("HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
                               "Content-Length: %d\r\n\r\n{\"id\":\"00000000\",\"text\":\"",
                               LARGE);
    size_t begins = strlen("{\"id\":\"00000000\",\"text\":\""), length = strlen(head);
    char *answer = malloc(length + LARGE + 1);
    assert_non_null(answer);
    memcpy(answer, head, length);
    memset(answer + length, 'x', LARGE - begins - 2);
    memcpy(answer + length + LARGE - begins - 2, "\"}", 3);
    return answer;
}

/* Until the tracker has read it; then the host has other things to do. */
static void send_and_leave(struct drive *drive, const struct site *site)
{
    for (int turns = 0; turns < 2000 && !atomic_load(&site->records->of[0].whole); turns++)
        drive_turn(drive, 1);
    assert_int_equal(atomic_load(&site->records->of[0].whole), 1);
    poll(NULL, 0, paced(AWAY_MS));
}

static void the_host_was_busy(enum scheme scheme, enum way way, int by_deadline, char *answer_text)
{
    struct site site = new_site(scheme, by_deadline, answer_text);
    struct drive drive = drive_new(way);
    struct casehook_options options = {.struct_size = sizeof options,
                                       .deadline_ms = by_deadline ? (uint32_t)paced(LIMIT_MS) : 0};
    struct casehook_result *result;
    uint64_t ticket = 0;
    assert_int_equal(casehook_loop_submit_json(drive.loop, site.client.connector, CASEHOOK_CREATE,
                                               site_params(0, 0), CASEHOOK_TERMINATED, &options, NULL, NULL),
                     CASEHOOK_OK);
    send_and_leave(&drive, &site);
    while (result = casehook_loop_next(drive.loop, &ticket), !ticket) drive_turn(&drive, -1);
    struct answer answer = answer_from(result);
    if (strcmp(answer.id, "00000000") != 0)
        fail_msg("%s, %s, %s: the id is lost: %s", scheme_name(scheme), way_name(way),
                 by_deadline ? "deadline" : "responseTimeout", answer.message);
    drive_free(&drive);
    site_free(&site);
}

static void a_loop_whose_host_was_busy(void **state)
{
    (void)state;
    static const enum scheme schemes[] = {HTTP, HTTPS12, HTTPS13};
    /* On valgrind a handshake alone takes longer than any limit that is worth waiting for. */
    const size_t kinds = process_under_valgrind() ? 1 : COUNT(schemes);
    for (size_t i = 0; i < kinds * 4; i++)
        the_host_was_busy(schemes[i / 4], i % 2 ? LOOP_WAIT : LOOP_DESCRIPTOR, i / 2 % 2, NULL);
    char *large = large_answer();
    for (size_t i = 0; i < kinds * 2; i++)
        the_host_was_busy(schemes[i / 2], i % 2 ? LOOP_WAIT : LOOP_DESCRIPTOR, 1, large);
    free(large);
}

/* The host leaves between the beginning of a connection and the request: when it comes back it is too late.
 */
static struct answer leave_while_connecting(struct site *site, enum way way, uint32_t deadline_ms)
{
    struct drive drive = drive_new(way);
    struct casehook_options options = {.struct_size = sizeof options, .deadline_ms = deadline_ms};
    struct casehook_result *result;
    uint64_t ticket = 0;
    assert_int_equal(casehook_loop_submit_json(drive.loop, site->client.connector, CASEHOOK_CREATE,
                                               site_params(0, 0), CASEHOOK_TERMINATED, &options, NULL, NULL),
                     CASEHOOK_OK);
    /* The server answers the hello meanwhile: the next thing to send is the request. */
    while (!tracker_connections(site->tracker)) drive_turn(&drive, 0);
    poll(NULL, 0, paced(LIMIT_MS) * 2);
    while (result = casehook_loop_next(drive.loop, &ticket), !ticket) drive_turn(&drive, -1);
    drive_free(&drive);
    return answer_from(result);
}

static void what_was_not_sent_in_time(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct answer answer = {.status = CASEHOOK_OK};
        unsigned came = 1;
        /* A server that was quick enough has it in time: once more then. */
        for (int tries = 0; tries < 20 && came; tries++) {
            struct site site = new_site(HTTPS13, i / 2, NULL);
            answer = leave_while_connecting(&site, i % 2 ? LOOP_WAIT : LOOP_DESCRIPTOR,
                                            i / 2 ? (uint32_t)paced(LIMIT_MS) : 0);
            tracker_settle(site.tracker);
            came = atomic_load(&site.records->of[0].whole);
            site_free(&site);
        }
        assert_int_equal(came, 0);
        assert_int_equal(answer.status, CASEHOOK_E_TIMEOUT);
        assert_int_equal(answer.outcome, CASEHOOK_OUTCOME_NOT_SENT);
    }
}

/* In the child: 0 when it has the id. */
static int create_blocking(struct site *site, int by_deadline)
{
    struct answer answer;
    struct drive drive = drive_new(BLOCKING);
    const char *settings = by_deadline ? NULL : text_of("{\"responseTimeout\":\"%dms\"}", paced(LIMIT_MS));
    struct client client = client_new(settings, site->base, site_config(site->base, HTTP), NULL, &answer);
    answer = drive_call(&drive, &client, CASEHOOK_CREATE, site_params(0, 0),
                        by_deadline ? (uint32_t)paced(LIMIT_MS) : 0);
    if (strcmp(answer.id, "00000000") != 0) fprintf(stderr, "the id is lost: %s\n", answer.message);
    return strcmp(answer.id, "00000000") != 0;
}

/* What cancel meets counts as well: a refusal whose body has not come is one. */
static void a_refusal_that_is_cancelled(void **state)
{
    (void)state;
    static char half[] = "HTTP/1.1 422 Unprocessable Content\r\nContent-Type: application/json\r\n"
                         "Content-Length: 100\r\n\r\n{\"error\":\"no such field\"";
    for (int i = 0; i < 2; i++) {
        enum way way = i ? LOOP_DESCRIPTOR : LOOP_WAIT;
        struct site site = new_site(HTTP, 1, half);
        struct drive drive = drive_new(way);
        struct casehook_result *result;
        uint64_t ticket = 0, given = 0;
        assert_int_equal(casehook_loop_submit_json(drive.loop, site.client.connector, CASEHOOK_CREATE,
                                                   site_params(0, 0), CASEHOOK_TERMINATED, NULL, &given,
                                                   NULL),
                         CASEHOOK_OK);
        while (!atomic_load(&site.records->of[0].whole)) drive_turn(&drive, 1);
        tracker_settle(site.tracker);
        assert_int_equal(casehook_loop_cancel(drive.loop, given), CASEHOOK_OK);
        while (result = casehook_loop_next(drive.loop, &ticket), !ticket) drive_turn(&drive, -1);
        struct answer answer = answer_from(result);
        assert_int_equal(answer.status, CASEHOOK_E_HTTP_STATUS);
        assert_int_equal(answer.outcome, CASEHOOK_OUTCOME_REFUSED);
        drive_free(&drive);
        site_free(&site);
    }
}

/* As a machine that is suspended. */
static void a_process_that_was_stopped(void **state)
{
    (void)state;
    for (int by_deadline = 0; by_deadline < 2; by_deadline++) {
        struct site site = new_site(HTTP, by_deadline, NULL);
        int ended = 0;
        pid_t child = fork();
        if (child == 0) process_leave(create_blocking(&site, by_deadline));
        while (!atomic_load(&site.records->of[0].whole)) poll(NULL, 0, 1);
        assert_int_equal(kill(child, SIGSTOP), 0);
        poll(NULL, 0, paced(AWAY_MS));
        assert_int_equal(kill(child, SIGCONT), 0);
        assert_int_equal(waitpid(child, &ended, 0), child);
        assert_int_equal(ended, 0);
        site_free(&site);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loop_whose_host_was_busy), cmocka_unit_test(what_was_not_sent_in_time),
        cmocka_unit_test(a_refusal_that_is_cancelled), cmocka_unit_test(a_process_that_was_stopped)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
