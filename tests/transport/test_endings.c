/*
 * test_endings.c - servers of our own that end kept connections, or write into them what nobody asked for
 * (H6, H7).
 *
 * A connection that was ended properly is never written to; stray bytes are nobody's answer; a server that
 * closes behind every answer, without a word, loses nothing.
 */
#include "site.h"

#include <poll.h>

enum { CREATES = 6, PUSHES = 100, COMMENTS = 3, WRITES = 1 + COMMENTS, TOLD_MAX = 24 };

static int failures;

static void expect(int ok, const char *what, enum scheme scheme, enum way way, const struct answer *answer)
{
    if (ok) return;
    if (++failures > TOLD_MAX) return;
    print_message("%s, %s, %s: status %d, outcome %d, HTTP %d, id %s: %s\n", what, scheme_name(scheme),
                  way_name(way), answer->status, answer->outcome, answer->http_status, answer->id,
                  answer->message);
}

static int begin(void **state)
{
    (void)state;
    failures = 0;
    return 0;
}

/* ---- an idle connection is closed -------------------------------------------------------------- */

static const char too_late[] =
    "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

static struct turn always(void *user, const struct tracker_request *request)
{
    (void)request;
    return *(const struct turn *)user;
}

/* Creates with pauses between, in which the server closes: the next one goes out on a new connection. */
static void creates_with_pauses(const char *what, struct turn turn, enum scheme scheme, enum way way)
{
    struct site site = site_new(scheme, NULL, NULL, CREATES, always, &turn);
    struct drive drive = drive_new(way);
    for (size_t i = 0; i < CREATES; i++) {
        struct answer answer = drive_call(&drive, &site.client, CASEHOOK_CREATE, site_params(i, 0), 0);
        expect(!answer.status && site_did_once(&site, i, 1), what, scheme, way, &answer);
        poll(NULL, 0, 100);
    }
    drive_free(&drive);
    site_free(&site);
}

static void an_idle_connection_was_closed(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct turn turn;
    } ends[] = {
        {"closed when idle", {.idle_us = 30000}},
        {"closed when idle, without close_notify", {.idle_us = 30000, .silent = 1}},
        {"reset when idle", {.idle_us = 30000, .end = TURN_RESET}},
        {"408 when idle, then closed", {.idle_us = 30000, .idle_text = too_late}},
        {"stray bytes when idle, then closed", {.idle_us = 30000, .idle_text = "\r\n"}},
    };
    for (size_t i = 0; i < COUNT(ends) * SCHEMES * WAYS; i++) {
        struct turn turn = ends[i / (SCHEMES * WAYS)].turn;
        if (turn.end == TURN_RESET) turn = (struct turn){.end = TURN_RESET, .end_us = 30000};
        creates_with_pauses(ends[i / (SCHEMES * WAYS)].what, turn, i / WAYS % SCHEMES, i % WAYS);
    }
    assert_int_equal(failures, 0);
}

/* ---- closed behind every answer, unannounced ----------------------------------------------------- */

static void pushes_to_a_closing_server(long delay_us, enum scheme scheme, enum way way)
{
    struct turn turn = {.end = TURN_CLOSE, .end_us = delay_us};
    struct site site = site_new(scheme, NULL, NULL, PUSHES * WRITES, always, &turn);
    struct drive drive = drive_new(way);
    const char *what = text_of("closed %ld us behind every answer", delay_us);
    size_t done = 0;
    for (size_t i = 0; i < PUSHES; i++) {
        struct answer answer =
            drive_call(&drive, &site.client, CASEHOOK_PUSH, site_params(i * WRITES, COMMENTS), 0);
        int ok = !answer.status && site_did_once(&site, i * WRITES, WRITES);
        done += ok != 0;
        if (i - done < 3) expect(ok, what, scheme, way, &answer);
    }
    print_message("%s, %s, %s: %zu of %d pushes done, %zu connections\n", what, scheme_name(scheme),
                  way_name(way), done, PUSHES, tracker_connections(site.tracker));
    assert_int_equal(atomic_load(&site.records->nameless), 0);
    drive_free(&drive);
    site_free(&site);
}

static void every_answer_is_the_last_one(void **state)
{
    (void)state;
    static const long delays_us[] = {0, 200, 1000, 10000};
    static const enum scheme schemes[] = {HTTP, HTTPS13};
    for (size_t i = 0; i < COUNT(delays_us) * COUNT(schemes) * WAYS; i++)
        pushes_to_a_closing_server(delays_us[i / WAYS / COUNT(schemes)], schemes[i / WAYS % COUNT(schemes)],
                                   i % WAYS);
    assert_int_equal(failures, 0);
}

/* ---- a read that is made once more -------------------------------------------------------------- */

enum { RESTING = 6 };

/* All connections work once; then each of them dies with the request that it gets. */
static struct turn die_at_the_second(void *user, const struct tracker_request *request)
{
    (void)user;
    if (request->on_connection == 0) return (struct turn){.before_us = 50000};
    return (struct turn){.no_answer = 1, .end = TURN_RESET};
}

static void submit_gets(struct drive *drive, struct site *site, size_t count)
{
    struct casehook_result *result;
    uint64_t ticket;
    for (size_t i = 0; i < count; i++)
        assert_int_equal(casehook_loop_submit_json(drive->loop, site->client.connector, CASEHOOK_GET,
                                                   "{\"externalId\":\"7\"}", CASEHOOK_TERMINATED, NULL, NULL,
                                                   NULL),
                         CASEHOOK_OK);
    while (count) {
        if (result = casehook_loop_next(drive->loop, &ticket), !ticket) {
            drive_turn(drive, -1);
            continue;
        }
        struct answer answer = answer_from(result);
        if (answer.status) fail_msg("%s: %s", way_name(drive->way), answer.message);
        count--;
    }
}

/* Several connections rest and all are dead: the read does not try them one by one. */
static void a_read_is_made_twice_at_most(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SCHEMES * 2; i++) {
        struct site site =
            site_new((enum scheme)(i / 2), "{\"maxIdleConnections\":64}", NULL, 1, die_at_the_second, NULL);
        struct drive drive = drive_new(i % 2 ? LOOP_DESCRIPTOR : LOOP_WAIT);
        submit_gets(&drive, &site, RESTING);
        tracker_settle(site.tracker);
        assert_int_equal(atomic_load(&site.records->reads), RESTING);
        submit_gets(&drive, &site, 1);
        assert_int_equal(atomic_load(&site.records->reads), RESTING + 2);
        drive_free(&drive);
        site_free(&site);
    }
}

/* ---- bytes that nobody asked for ----------------------------------------------------------------- */

#define JSON_HEAD "\r\nContent-Type: application/json\r\nContent-Length: "
static const char second_answer[] = "HTTP/1.1 201 Created" JSON_HEAD "14\r\n\r\n{\"id\":\"STRAY\"}";
static const char refusal[] = "HTTP/1.1 403 Forbidden" JSON_HEAD "21\r\n\r\n{\"error\":\"read only\"}";

/* A second answer comes behind that of the first get; the second create is refused. */
static struct turn answer_twice(void *user, const struct tracker_request *request)
{
    int *number = user;
    struct turn turn = {0};
    (*number)++;
    (void)request;
    if (*number == 2) turn = (struct turn){.behind = second_answer, .behind_us = 5000};
    if (*number == 3) turn = (struct turn){.answer = refusal, .undone = 1};
    return turn;
}

static void a_second_answer(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SCHEMES * WAYS; i++) {
        int number = 0;
        enum scheme scheme = i / WAYS;
        enum way way = i % WAYS;
        struct site site = site_new(scheme, NULL, NULL, 8, answer_twice, &number);
        struct drive drive = drive_new(way);
        struct answer answer = drive_call(&drive, &site.client, CASEHOOK_CREATE, site_params(0, 0), 0);
        expect(!answer.status && strcmp(answer.id, "00000000") == 0, "first create", scheme, way, &answer);
        poll(NULL, 0, 50);
        answer = drive_call(&drive, &site.client, CASEHOOK_CREATE, site_params(1, 0), 0);
        expect(answer.outcome == CASEHOOK_OUTCOME_REFUSED && answer.http_status == 403 && !answer.id[0],
               "a stray answer lies there, the create is refused", scheme, way, &answer);
        answer = drive_call(&drive, &site.client, CASEHOOK_GET, "{\"externalId\":\"7\"}", 0);
        expect(!answer.status, "the get behind it", scheme, way, &answer);
        drive_free(&drive);
        site_free(&site);
    }
    assert_int_equal(failures, 0);
}

static const char no_content[] = "HTTP/1.1 204 No Content\r\nContent-Type: application/json\r\n"
                                 "Content-Length: 11\r\n\r\n";
static const char no_content_chunked[] = "HTTP/1.1 204 No Content\r\nContent-Type: application/json\r\n"
                                         "Transfer-Encoding: chunked\r\n\r\n";

/* Where such an answer ends is a guess (RFC 9112, 6.3), and what is behind it looks like the next one. */
#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
static const char two_lengths[] = OK_HEAD "Content-Length: 49\r\nContent-Length: 11\r\n\r\n{\"ok\":true}";
static const char signed_length[] = OK_HEAD "Content-Length: +11\r\n\r\n{\"ok\":true}";
static const char length_and_chunks[] =
    OK_HEAD "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n{\"ok\":true}\r\n0\r\n\r\n";
static const char refusal_behind[] = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";

/* Writes are answered as the list says, reads as usual. */
static struct turn stray_behind_writes(void *user, const struct tracker_request *request)
{
    struct turn turn = {0};
    if (strcmp(request->method, "GET") != 0) turn = *(const struct turn *)user;
    return turn;
}

/*
 * Updates, and comments: all are done, and each gets its own answer.  What comes when the next request is on
 * its way already cannot be told from its answer before it is read: that it is none is seen then, and the
 * outcome unknown.
 */
static void writes_with_strays(const char *what, struct turn turn, enum scheme scheme, enum way way)
{
    struct site site =
        site_new(scheme, "{\"responseTimeout\":\"4s\"}", NULL, CREATES * WRITES, stray_behind_writes, &turn);
    struct drive drive = drive_new(way);
    for (size_t i = 0; i < CREATES; i++) {
        const char *params = site_params(i * WRITES, COMMENTS);
        struct answer answer = drive_call(&drive, &site.client, CASEHOOK_PUSH,
                                          text_of("{\"externalId\":\"5\",%s", params + 1), 0);
        int late = turn.behind_us >= 0 && answer.status && answer.outcome == CASEHOOK_OUTCOME_UNKNOWN;
        expect(late || (!answer.status && site_did_once(&site, i * WRITES, WRITES)), what, scheme, way,
               &answer);
    }
    drive_free(&drive);
    site_free(&site);
}

static void bytes_behind_an_answer(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct turn turn;
    } strays[] = {
        {"204 with a body, one write", {.answer = no_content, .behind = "{\"ok\":true}", .behind_us = -1}},
        {"204 with a body, two writes", {.answer = no_content, .behind = "{\"ok\":true}"}},
        {"204 with a body, 2 ms later", {.answer = no_content, .behind = "{\"ok\":true}", .behind_us = 2000}},
        {"204 with chunks", {.answer = no_content_chunked, .behind = "b\r\n{\"ok\":true}\r\n0\r\n\r\n"}},
        {"two lengths", {.answer = two_lengths, .behind = refusal_behind, .behind_us = 2000}},
        {"a length with a sign", {.answer = signed_length, .behind = refusal_behind, .behind_us = 2000}},
        {"a length and chunks", {.answer = length_and_chunks, .behind = refusal_behind, .behind_us = 2000}},
        {"CRLF behind a body, one write", {.behind = "\r\n", .behind_us = -1}},
        {"CRLF behind a body, two writes", {.behind = "\r\n"}},
        {"CRLF behind a body, 1 ms later", {.behind = "\r\n", .behind_us = 1000}},
    };
    static const enum scheme schemes[] = {HTTP, HTTPS13};
    for (size_t i = 0; i < COUNT(strays) * COUNT(schemes) * WAYS; i++)
        writes_with_strays(strays[i / WAYS / COUNT(schemes)].what, strays[i / WAYS / COUNT(schemes)].turn,
                           schemes[i / WAYS % COUNT(schemes)], i % WAYS);
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_idle_connection_was_closed, begin),
        cmocka_unit_test_setup(every_answer_is_the_last_one, begin),
        cmocka_unit_test(a_read_is_made_twice_at_most),
        cmocka_unit_test_setup(a_second_answer, begin),
        cmocka_unit_test_setup(bytes_behind_an_answer, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
