/*
 * test_answers.c - answers that are odd and what is made of them: status, outcome, words, and what is not
 * taken for a header or for an answer (R1, R3, H4).
 */
#include "listener.h"
#include "real.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- one raw answer --------------------------------------------------------------------------------- */

static const char *raw, *raw_config;
static size_t raw_length;

static void raw_answer(void *user, const struct http_request *request, struct http_response *response)
{
    (void)user;
    if (request->number > 0) {
        tracker_answer(NULL, request, response);
        return;
    }
    response->raw = raw;
    response->raw_length = raw_length;
}

/* The first request gets the raw answer, the others what a tracker says. */
static struct answer answered(int operation, const char *bytes, size_t length)
{
    raw = bytes;
    raw_length = length;
    struct http_log *log = http_log_new();
    struct http_server *server = http_server_start(log, "raw", NULL, raw_answer, NULL);
    struct answer answer = call_once(NULL, text_of("http://127.0.0.1:%u", http_server_port(server)),
                                     raw_config, NULL, operation);
    http_server_stop(server, 2000);
    http_log_free(log);
    return answer;
}

static struct answer answered_text(int operation, const char *text)
{
    return answered(operation, text, strlen(text));
}

static void says(const struct answer *answer, const char *words)
{
    if (!strstr(answer->message, words)) fail_msg("\"%s\" is not in \"%s\"", words, answer->message);
}

/* ---- headers ------------------------------------------------------------------------------------------ */

/* RFC 9110, 6.5.1: what comes after a body is no header, also when the body is empty. */
static void a_trailer_is_no_header(void **state)
{
    (void)state;
    struct answer answer = answered_text(
        CASEHOOK_GET, "HTTP/1.1 302 Found\r\nTransfer-Encoding: chunked\r\nTrailer: Location\r\n\r\n"
                      "0\r\nLocation: /elsewhere\r\n\r\n");
    assert_int_equal(answer.status, CASEHOOK_E_REDIRECT);
    says(&answer, "without a Location");
    answer = answered_text(
        CASEHOOK_CREATE, "HTTP/1.1 429 No\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nRetry-After: 7\r\n\r\n");
    assert_int_equal(answer.outcome, CASEHOOK_OUTCOME_REFUSED);
}

/* One asks for little, another for much, a third makes no sense: of several the first counts (D2). */
static void several_retry_after(void **state)
{
    static const struct {
        const char *lines;
        int64_t ms;
    } cases[] = {{"Retry-After: 7\r\n", 7000},
                 {"Retry-After: 7\r\nRetry-After: 3600\r\n", 7000},
                 {"retry-after: 3600\r\nRETRY-AFTER: 7\r\n", 3600000},
                 {"Retry-After: 7, 3600\r\n", 7000},
                 {"Retry-After: Thu, 01 Jan 1970 00:00:00 GMT\r\nRetry-After: 7\r\n", 0},
                 {"Retry-After: soon\r\nRetry-After: 7\r\n", -1},
                 {"Retry-After: -7\r\n", -1},
                 {"Retry-After:\r\n", -1},
                 /* a line that begins with a blank goes on with the one before it (RFC 9112, 5.2) */
                 {"Retry-After:\r\n \t7 \r\n", 7000},
                 {"Retry-After: Thu, 01 Jan\r\n 1970\r\n\t00:00:00 GMT\r\n", 0},
                 {"Retry-After: 7\r\n \r\n", 7000},
                 {"Retry-After: 7\r\nX: y\r\n 3600\r\n", 7000},
                 {"Retry-After: 7\r\nRetry-After:\r\n 3600\r\n", 7000},
                 {"X: y\r\n Retry-After: 7\r\n", -1},
                 {"", -1}};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (int operation = CASEHOOK_CREATE; operation <= CASEHOOK_GET; operation++) {
            struct answer answer =
                answered_text(operation, text_of("HTTP/1.1 103 Early\r\nRetry-After: 99\r\n\r\n"
                                                 "HTTP/1.1 429 No\r\n%sContent-Length: 0\r\n\r\n",
                                                 cases[i].lines));
            assert_int_equal(answer.http_status, 429);
            if (answer.retry_after_ms != cases[i].ms)
                fail_msg("%s: %lld ms", cases[i].lines, (long long)answer.retry_after_ms);
        }
    }
}

static void folded_headers(void **state)
{
    (void)state;
    struct answer answer = answered_text(
        CASEHOOK_GET, "HTTP/1.1 302 Found\r\nLocation:\r\n /issue/7\r\nContent-Length: 0\r\n\r\n");
    if (answer.status) fail_msg("%s", answer.message);
    answer = answered_text(CASEHOOK_CREATE, "HTTP/1.1 201 Created\r\nContent-Type:\r\n text/html\r\n"
                                            "Content-Length: 11\r\n\r\n{\"id\":\"42\"}");
    assert_int_equal(answer.status, CASEHOOK_E_RESPONSE);
    says(&answer, "text/html");
    raw_config = "\"createIncidentResponseKey\":null,\"createIncidentResponseHeader\":\"X-Id\"";
    answer = answered_text(CASEHOOK_CREATE,
                           "HTTP/1.1 201 Created\r\nX-Id: CASE\r\n  42\r\nContent-Length: 0\r\n\r\n");
    if (answer.status) fail_msg("%s", answer.message);
    assert_string_equal(answer.id, "CASE 42");
    /* the place of a redirect and the id at once */
    raw_config = "\"createIncidentResponseKey\":null,\"createIncidentResponseHeader\":\"Location\"";
    answer = answered_text(CASEHOOK_CREATE,
                           "HTTP/1.1 201 Created\r\nLocation:\r\n /cases/77\r\nContent-Length: 0\r\n\r\n");
    raw_config = NULL;
    if (answer.status) fail_msg("%s", answer.message);
    assert_string_equal(answer.id, "77");
}

/* Without a tunnel nobody can tell a proxy's 407 from one of the server; it is a no in both cases. */
static void a_407_of_the_server_is_a_refusal(void **state)
{
    (void)state;
    struct answer answer = answered_text(CASEHOOK_CREATE, "HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\n{}");
    assert_int_equal(answer.status, CASEHOOK_E_HTTP_STATUS);
    assert_int_equal(answer.outcome, CASEHOOK_OUTCOME_REFUSED);
    assert_int_equal(answer.http_status, 407);
    says(&answer, "check host and port of the URL");
    if (strstr(answer.message, "proxyUrl")) fail_msg("%s", answer.message); /* there is none */
}

/* ---- bodies that cannot be read ------------------------------------------------------------------------ */

/* {"id":"42","key":"K-42"} and {} by gzip. */
static const unsigned char id_gzip[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0xff, 0xab,
                                        0x56, 0xca, 0x4c, 0x51, 0xb2, 0x52, 0x32, 0x31, 0x52, 0xd2, 0x51,
                                        0xca, 0x4e, 0xad, 0x04, 0x32, 0xbd, 0x75, 0x81, 0x9c, 0x5a, 0x00,
                                        0x09, 0x26, 0x32, 0x0b, 0x18, 0x00, 0x00, 0x00};
static const unsigned char empty_gzip[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0xff, 0xab,
                                           0xae, 0x05, 0x00, 0x43, 0xbf, 0xa6, 0xa3, 0x02, 0x00, 0x00, 0x00};

static struct answer answered_gzip(int operation, int status, const unsigned char *body, size_t length)
{
    static char bytes[4096];
    int head = snprintf(bytes, sizeof bytes,
                        "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
                        "Content-Length: %zu\r\n\r\n",
                        status, length);
    memcpy(bytes + head, body, length);
    return answered(operation, bytes, (size_t)head + length);
}

/* It is the encoding that is broken, not memory that is missing; and the id has come. */
static void gzip_with_more_after_it(void **state)
{
    (void)state;
    for (int member = 0; member < 2; member++) { /* a second member, or zeros */
        unsigned char body[256] = {0};
        size_t more = member ? sizeof empty_gzip : 3;
        memcpy(body, id_gzip, sizeof id_gzip);
        if (member) memcpy(body + sizeof id_gzip, empty_gzip, sizeof empty_gzip);
        for (int operation = CASEHOOK_CREATE; operation <= CASEHOOK_GET; operation++) {
            struct answer answer = answered_gzip(operation, 201, body, sizeof id_gzip + more);
            assert_int_equal(answer.status, CASEHOOK_E_RESPONSE);
            assert_int_equal(answer.retryable, 0);
            assert_int_equal(answer.http_status, 201);
            assert_string_equal(answer.id, "42");
            says(&answer, "gzip");
        }
    }
}

/* The status was read: it is a refusal, whatever its body is like (R1). */
static void a_refusal_that_cannot_be_read(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "HTTP/1.1 403 No\r\nContent-Length: 100\r\n\r\n{\"e\":\"read on",
        "HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"e\":zz\r\n",
        "HTTP/1.1 403 No\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nplain",
        "HTTP/1.1 403 No\r\nContent-Encoding: strange\r\nContent-Length: 5\r\n\r\nplain"};
    for (size_t i = 0; i < COUNT(answers); i++) {
        for (int operation = CASEHOOK_CREATE; operation <= CASEHOOK_GET; operation++) {
            struct answer answer = answered_text(operation, answers[i]);
            if (answer.status != CASEHOOK_E_HTTP_STATUS) fail_msg("%s", answer.message);
            assert_int_equal(answer.outcome, CASEHOOK_OUTCOME_REFUSED);
            assert_int_equal(answer.http_status, 403);
        }
    }
}

/* ---- handshakes, descriptors ------------------------------------------------------------------------------
 */

static void hang_up(void *user, struct stream *stream, size_t connection)
{
    (void)connection;
    static const char close_notify[] = "\x15\x03\x03\x00\x02\x01\x00";
    char byte;
    if (*(int *)user) stream_read(stream, &byte, 1);
    if (*(int *)user == 2) stream_reset_on_close(stream);
    if (*(int *)user == 3) stream_write(stream, close_notify, sizeof close_notify - 1);
}

/* A server that restarts passes by itself; nothing was sent. */
static void a_handshake_that_breaks(void **state)
{
    (void)state;
    for (int way = 0; way < 4; way++) {
        struct listener *listener = listener_start(NULL, hang_up, &way);
        struct answer answer = call_once(NULL, text_of("https://127.0.0.1:%u", listener_port(listener)), NULL,
                                         NULL, CASEHOOK_CREATE);
        if (answer.status != CASEHOOK_E_NETWORK) fail_msg("%s", answer.message);
        assert_int_equal(answer.outcome, CASEHOOK_OUTCOME_NOT_SENT);
        assert_int_equal(answer.retryable, 1);
        says(&answer, "TLS handshake");
        listener_stop(listener, 1000);
        listener_free(listener);
    }
}

/* In a process of its own: descriptors run out here, not over there. */
static int call_without_descriptors(const char *base)
{
    struct answer answer;
    struct client client = client_new(NULL, base, NULL, NULL, &answer);
    if (!client.connector) return 1;
    struct rlimit none = {0};
    int lowest = open("/dev/null", O_RDONLY);
    close(lowest);
    /* Valgrind lets nobody change the hard limit. */
    if (getrlimit(RLIMIT_NOFILE, &none) != 0) return 2;
    none.rlim_cur = (rlim_t)lowest;
    if (setrlimit(RLIMIT_NOFILE, &none) != 0) return 2;
    answer = client_call(&client, CASEHOOK_CREATE, NULL);
    fprintf(stderr, "%s\n", answer.message);
    client_free(&client);
    if (answer.status != CASEHOOK_E_SYSTEM || answer.outcome != CASEHOOK_OUTCOME_NOT_SENT) return 3;
    return strstr(answer.message, "limit of open files") && answer.retryable ? 0 : 4;
}

static void out_of_descriptors(void **state)
{
    (void)state;
    struct http_log *log = http_log_new();
    static struct http_server *server; /* the child's copy of it must not look lost */
    server = http_server_start(log, "tracker", NULL, tracker_answer, NULL);
    const char *base = text_of("http://127.0.0.1:%u", http_server_port(server));
    int status;
    pid_t child = fork();
    if (child == 0) _exit(call_without_descriptors(base));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(http_log_count(log), 0);
    http_server_stop(server, 2000);
    http_log_free(log);
}

/* Sockets that stay open between calls are not inherited by what the host executes. */
static void sockets_close_on_exec(void **state)
{
    (void)state;
    struct http_log *log = http_log_new();
    struct http_server *server = http_server_start(log, "tracker", NULL, tracker_answer, NULL);
    struct answer answer;
    struct client client =
        client_new(NULL, text_of("http://127.0.0.1:%u", http_server_port(server)), NULL, NULL, &answer);
    assert_int_equal(client_call(&client, CASEHOOK_CREATE, NULL).status, CASEHOOK_OK);
    int kept = 0;
    for (int descriptor = 3; descriptor < 256; descriptor++) {
        struct sockaddr_in peer = {0};
        socklen_t size = sizeof peer;
        if (getpeername(descriptor, (struct sockaddr *)&peer, &size) != 0 || peer.sin_family != AF_INET ||
            ntohs(peer.sin_port) != http_server_port(server))
            continue;
        assert_int_equal(fcntl(descriptor, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        kept++;
    }
    assert_int_equal(kept, 1);
    client_free(&client);
    http_server_stop(server, 2000);
    http_log_free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trailer_is_no_header),  cmocka_unit_test(several_retry_after),
        cmocka_unit_test(folded_headers),          cmocka_unit_test(a_407_of_the_server_is_a_refusal),
        cmocka_unit_test(gzip_with_more_after_it), cmocka_unit_test(a_refusal_that_cannot_be_read),
        cmocka_unit_test(a_handshake_that_breaks), cmocka_unit_test(out_of_descriptors),
        cmocka_unit_test(sockets_close_on_exec)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
