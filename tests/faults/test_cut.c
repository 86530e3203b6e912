/*
 * test_cut.c - connections that end at every byte of a request and of an answer (H6, R1).
 *
 * Whatever the moment: what has a body reaches the server at most once, the outcome says what can be
 * known, and the id in a complete answer is not lost.
 */
#include "listener.h"
#include "real.h"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

enum where { NOWHERE, IN_REQUEST, IN_ANSWER };

/* What the server does to the request of one method, once. */
struct fault {
    enum where where;
    const char *method;
    size_t offset; /* so many bytes are read, or written */
    int reset;     /* else closed */
    const char *answer;
};

struct tracker {
    pthread_mutex_t lock;
    struct fault fault;
    size_t writes; /* requests with a body, as far as they were seen */
    size_t length; /* of the last one that came whole */
    struct listener *listener;
    char base[64];
};

#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
static const char by_length[] = HEAD "Content-Length: 24\r\n\r\n{\"id\":\"42\",\"key\":\"K-42\"}";
static const char by_chunks[] = HEAD
    "Transfer-Encoding: chunked\r\n\r\n6\r\n{\"id\":\r\n12;x=\"y\"\r\n\"42\",\"key\":\"K-42\"}\r\n0\r\n\r\n";
static const char by_close[] = HEAD "\r\n{\"id\":\"42\",\"key\":\"K-42\"}";

/* ---- the server ------------------------------------------------------------------------------- */

static int await_byte(struct stream *stream)
{
    struct pollfd wait[2] = {{.fd = stream->fd, .events = POLLIN}, {.fd = stream->wake, .events = POLLIN}};
    char byte;
    return poll(wait, 2, -1) > 0 && wait[0].revents && recv(stream->fd, &byte, 1, MSG_PEEK) == 1;
}

/* The fault when it is meant for a request that begins like this; it happens once. */
static struct fault take_fault(struct tracker *tracker, struct stream *stream)
{
    struct fault fault = {.where = NOWHERE};
    char begin[8] = "";
    if (recv(stream->fd, begin, sizeof begin - 1, MSG_PEEK) <= 0) return fault;
    pthread_mutex_lock(&tracker->lock);
    if (strncmp(begin, "GET", 3) != 0) tracker->writes++;
    if (tracker->fault.where && strncmp(begin, tracker->fault.method, strlen(tracker->fault.method)) == 0) {
        fault = tracker->fault;
        tracker->fault.where = NOWHERE;
    }
    pthread_mutex_unlock(&tracker->lock);
    return fault;
}

static void read_exactly(struct stream *stream, size_t length)
{
    char bytes[4096];
    while (length) {
        size_t n = stream_read(stream, bytes, length < sizeof bytes ? length : sizeof bytes);
        if (n == 0) return;
        length -= n;
    }
}

static void serve(void *user, struct stream *stream, size_t connection)
{
    struct tracker *tracker = user;
    struct http_input input = {.stream = stream};
    struct http_request request;
    (void)connection;
    while (await_byte(stream)) {
        struct fault fault = take_fault(tracker, stream);
        if (fault.reset) stream_reset_on_close(stream);
        if (fault.where == IN_REQUEST) {
            read_exactly(stream, fault.offset);
            break;
        }
        if (!http_request_read(&input, &request)) break;
        pthread_mutex_lock(&tracker->lock);
        if (strcmp(request.method, "GET") != 0) tracker->length = request.head_length + request.body_length;
        pthread_mutex_unlock(&tracker->lock);
        http_request_clear(&request);
        if (fault.where == IN_ANSWER) {
            stream_write(stream, fault.answer, fault.offset);
            break;
        }
        if (stream_write(stream, by_length, sizeof by_length - 1)) break;
    }
    free(input.bytes);
}

static struct tracker *start(void)
{
    static struct tracker tracker;
    tracker = (struct tracker){.fault = {.where = NOWHERE}};
    pthread_mutex_init(&tracker.lock, NULL);
    tracker.listener = listener_start(NULL, serve, &tracker);
    assert_non_null(tracker.listener);
    snprintf(tracker.base, sizeof tracker.base, "http://127.0.0.1:%u", listener_port(tracker.listener));
    return &tracker;
}

static void stop(struct tracker *tracker)
{
    listener_stop(tracker->listener, 5000);
    listener_free(tracker->listener);
    pthread_mutex_destroy(&tracker->lock);
}

/* ---- one trial -------------------------------------------------------------------------------- */

static const struct operation {
    int number;
    const char *method, *name;
    int may_repeat; /* when nobody knows whether it was done */
} operations[] = {{CASEHOOK_CREATE, "POST", "create", 0},
                  {CASEHOOK_UPDATE, "PUT", "update", 1},
                  {CASEHOOK_COMMENT, "PATCH", "comment", 0}};

#define PARAMS \
    "{\"title\":\"t\",\"externalId\":\"42\",\"comments\":[{\"commentId\":\"c\",\"comment\":\"text\"}]}"

/* In a connection that served a request before, or in a new one.  Writes that were seen are counted. */
static struct answer run(struct tracker *tracker, const struct operation *operation, int kept,
                         const struct fault *fault, size_t *writes)
{
    struct answer answer;
    struct client client =
        client_new(NULL, tracker->base, "\"createCommentMethod\":\"patch\"", NULL, &answer);
    assert_non_null(client.connector);
    if (kept) assert_int_equal(client_call(&client, CASEHOOK_GET, NULL).status, CASEHOOK_OK);
    pthread_mutex_lock(&tracker->lock);
    tracker->fault = *fault;
    size_t before = tracker->writes;
    pthread_mutex_unlock(&tracker->lock);
    answer = client_call(&client, operation->number, operation->number == CASEHOOK_CREATE ? NULL : PARAMS);
    client_free(&client);
    pthread_mutex_lock(&tracker->lock);
    *writes = tracker->writes - before;
    assert_int_equal(tracker->fault.where, NOWHERE); /* it took place */
    pthread_mutex_unlock(&tracker->lock);
    return answer;
}

static void tell(const struct operation *operation, const struct fault *fault, int kept,
                 const struct answer *answer)
{
    print_message("%s, %s connection, %s after %zu bytes of the %s: status %d, outcome %d: %s\n",
                  operation->name, kept ? "kept" : "new", fault->reset ? "reset" : "closed", fault->offset,
                  fault->where == IN_REQUEST ? "request" : "answer", answer->status, answer->outcome,
                  answer->message);
}

/* Of an answer that broke off the id is kept when all of it came (R1). */
static const char *id_in(const struct fault *fault)
{
    const char *id = fault->where == IN_ANSWER ? strstr(fault->answer, "\"42\"") : NULL;
    return id && strstr(fault->answer, "\r\n\r\n") && fault->offset >= (size_t)(id - fault->answer) + 4 ? "42"
                                                                                                        : "";
}

static int is_unknown(const struct operation *operation, const struct fault *fault,
                      const struct answer *answer, size_t writes)
{
    const char *id = operation->number == CASEHOOK_CREATE ? id_in(fault) : "42";
    return answer->status != CASEHOOK_OK && answer->outcome == CASEHOOK_OUTCOME_UNKNOWN && writes == 1 &&
           (operation->may_repeat || !answer->retryable) && strcmp(answer->id, id) == 0;
}

/* A read that has no answer goes out again on a new connection, and libcurl says so to nobody. */
static int was_read_again(const struct answer *answer, size_t offset)
{
    static const char status_line[] = "HTTP/1.1 200 OK\r\n";
    return offset < sizeof status_line - 1 && answer->status == CASEHOOK_OK;
}

/* How long the request of an operation is. */
static size_t request_length(struct tracker *tracker, const struct operation *operation)
{
    const struct fault none = {.where = NOWHERE};
    size_t writes;
    assert_int_equal(run(tracker, operation, 0, &none, &writes).status, CASEHOOK_OK);
    return tracker->length;
}

/* Every operation, new and kept connection, closed and reset; offsets from 0 to below the end. */
static void cut_all(enum where where, const char *text, size_t length)
{
    struct tracker *tracker = start();
    for (size_t i = 0; i < COUNT(operations); i++) {
        if (where == IN_REQUEST) length = request_length(tracker, &operations[i]);
        for (int way = 0; way < 4; way++) {
            for (size_t offset = 0; offset < length; offset++) {
                size_t writes;
                struct fault fault = {where, operations[i].method, offset, way & 1, text};
                struct answer answer = run(tracker, &operations[i], way >> 1, &fault, &writes);
                if (is_unknown(&operations[i], &fault, &answer, writes)) continue;
                tell(&operations[i], &fault, way >> 1, &answer);
                fail_msg("%zu writes", writes);
            }
        }
    }
    stop(tracker);
}

static void in_the_request(void **state)
{
    (void)state;
    cut_all(IN_REQUEST, NULL, 0);
}

static void in_an_answer_with_a_length(void **state)
{
    (void)state;
    cut_all(IN_ANSWER, by_length, sizeof by_length - 1);
}

static void in_an_answer_of_chunks(void **state)
{
    (void)state;
    cut_all(IN_ANSWER, by_chunks, sizeof by_chunks - sizeof "\r\n\r\n"); /* the last chunk is whole */
}

/* Ends that are no answer: the server may have done it or not. */
static void with_less_than_an_answer(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 20",
        "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        "\r\n",
        "HTTP/1.1 200 OK",
        "HTTP/1.1 204 No Content\r\n",
        "HTTP/1.1 500 No\r\nContent-Length: 0\r\n",
        "HTTP/1.1 \r\n\r\n",
        "HTTP/1.1 999999 ?\r\n\r\n",
        "{\"id\":\"42\"}"};
    struct tracker *tracker = start();
    for (size_t i = 0; i < COUNT(texts) * COUNT(operations) * 2; i++) {
        const char *text = texts[i / COUNT(operations) % COUNT(texts)];
        const struct operation *operation = &operations[i % COUNT(operations)];
        int kept = i >= COUNT(texts) * COUNT(operations);
        size_t writes;
        struct fault fault = {IN_ANSWER, operation->method, strlen(text), 0, text};
        struct answer answer = run(tracker, operation, kept, &fault, &writes);
        if (is_unknown(operation, &fault, &answer, writes)) continue;
        tell(operation, &fault, kept, &answer);
        fail_msg("%zu writes after %s", writes, text);
    }
    stop(tracker);
}

/* The text of the answer is whole: nothing may be lost, whatever the end of the connection is like. */
static void after_a_whole_answer(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t length;
        int reset;
    } answers[] = {{by_length, sizeof by_length - 1, 0},
                   {by_length, sizeof by_length - 1, 1},
                   {by_chunks, sizeof by_chunks - 1, 0},
                   {by_chunks, sizeof by_chunks - 1, 1},
                   {by_close, sizeof by_close - 1, 0}};
    struct tracker *tracker = start();
    for (size_t i = 0; i < COUNT(operations) * COUNT(answers) * 2; i++) {
        const struct operation *operation = &operations[i % COUNT(operations)];
        size_t form = i / COUNT(operations) % COUNT(answers), writes;
        int kept = i >= COUNT(operations) * COUNT(answers);
        struct fault fault = {IN_ANSWER, operation->method, answers[form].length, answers[form].reset,
                              answers[form].text};
        struct answer answer = run(tracker, operation, kept, &fault, &writes);
        if (answer.status || strcmp(answer.id, "42") != 0 || writes != 1) {
            tell(operation, &fault, kept, &answer);
            fail_msg("%zu writes, id %s", writes, answer.id);
        }
    }
    stop(tracker);
}

/* The case exists when its GET fails: the id stays, and nobody is told to try again. */
static void in_the_answer_to_the_get(void **state)
{
    (void)state;
    struct tracker *tracker = start();
    for (size_t i = 0; i < 2 * (sizeof by_length - 1); i++) {
        size_t writes;
        struct fault fault = {IN_ANSWER, "GET", i / 2, (int)(i & 1), by_length};
        struct answer answer = run(tracker, &operations[0], 0, &fault, &writes);
        if (writes == 1 && strcmp(answer.id, "42") == 0 && !answer.retryable &&
            (was_read_again(&answer, i / 2) || answer.outcome == CASEHOOK_OUTCOME_UNKNOWN))
            continue;
        tell(&operations[0], &fault, 0, &answer);
        fail_msg("%zu writes, id %s", writes, answer.id);
    }
    stop(tracker);
}

/* ---- large requests, early answers, ports without a server ----------------------------------------- */

/* A create of 3 MiB, of which the server takes only a part. */
static void in_a_large_request(void **state)
{
    (void)state;
    enum { SIZE = 3 * 1024 * 1024 };
    struct tracker *tracker = start();
    struct client client;
    struct answer answer;
    char *params = malloc(SIZE + 64);
    assert_non_null(params);
    size_t length = (size_t)snprintf(params, 64, "{\"title\":\"t\",\"description\":\"");
    memset(params + length, 'x', SIZE);
    memcpy(params + length + SIZE, "\"}", 3);
    for (size_t offset = 0; offset < SIZE; offset += SIZE / 16) {
        client = client_new(NULL, tracker->base, NULL, NULL, &answer);
        tracker->fault = (struct fault){IN_REQUEST, "POST", offset, offset / (SIZE / 16) % 2 == 0, NULL};
        size_t before = tracker->writes;
        answer = client_call(&client, CASEHOOK_CREATE, params);
        client_free(&client);
        assert_int_equal(tracker->writes - before, 1);
        assert_int_equal(answer.outcome, CASEHOOK_OUTCOME_UNKNOWN);
        assert_int_equal(answer.retryable, 0);
        assert_string_equal(answer.id, "");
    }
    free(params);
    stop(tracker);
}

static void nothing_listens(void **state)
{
    (void)state;
    struct tracker *tracker = start();
    char base[64];
    snprintf(base, sizeof base, "%s", tracker->base);
    stop(tracker);
    for (size_t i = 0; i < COUNT(operations); i++) {
        struct answer answer = call_once(NULL, base, NULL, NULL, operations[i].number);
        if (operations[i].number == CASEHOOK_COMMENT) continue; /* it has no text */
        assert_int_equal(answer.status, CASEHOOK_E_CONNECT);
        assert_int_equal(answer.outcome, CASEHOOK_OUTCOME_NOT_SENT);
        assert_int_equal(answer.retryable, 1);
    }
}

/* The server closed the idle connection: the request goes out on a new one, once. */
static void the_idle_connection_was_closed(void **state)
{
    (void)state;
    struct tracker *tracker = start();
    for (int reset = 0; reset < 2; reset++) {
        struct answer answer;
        struct client client = client_new(NULL, tracker->base, NULL, NULL, &answer);
        tracker->fault = (struct fault){IN_ANSWER, "GET", sizeof by_length - 1, reset, by_length};
        assert_int_equal(client_call(&client, CASEHOOK_GET, NULL).status, CASEHOOK_OK);
        poll(NULL, 0, 50);
        size_t before = tracker->writes;
        answer = client_call(&client, CASEHOOK_CREATE, NULL);
        if (answer.status) tell(&operations[0], &tracker->fault, 1, &answer);
        assert_int_equal(answer.status, CASEHOOK_OK);
        assert_int_equal(tracker->writes - before, 1);
        client_free(&client);
    }
    stop(tracker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_the_request),
        cmocka_unit_test(in_an_answer_with_a_length),
        cmocka_unit_test(in_an_answer_of_chunks),
        cmocka_unit_test(with_less_than_an_answer),
        cmocka_unit_test(after_a_whole_answer),
        cmocka_unit_test(in_the_answer_to_the_get),
        cmocka_unit_test(in_a_large_request),
        cmocka_unit_test(nothing_listens),
        cmocka_unit_test(the_idle_connection_was_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
