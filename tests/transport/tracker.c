/* tracker.c - reads requests byte for byte, remembers their tags, answers as it is told. */
#define _GNU_SOURCE /* MAP_ANONYMOUS, ppoll */
#include "tracker.h"
#include "listener.h"
#include "memory.h"
#include "tls_context.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#define TAG_DIGITS  8
#define INPUT_SIZE  65536
#define ANSWER_SIZE 4096

struct tracker {
    struct tracker_records *records;
    tracker_turn_fn turn;
    void *user;
    pthread_mutex_t lock; /* for turn */
    atomic_int busy;
    SSL_CTX *tls;
    struct listener *listener;
};

struct input {
    char bytes[INPUT_SIZE];
    size_t length; /* what was read and not used */
    char method[16], target[512];
    size_t size; /* of the request at its beginning, 0: not known yet */
};

/* ---- records ---------------------------------------------------------------------------------- */

static size_t records_size(size_t count)
{
    return sizeof(struct tracker_records) + count * sizeof(struct tracker_record);
}

struct tracker_records *tracker_records_new(size_t count)
{
    struct tracker_records *records =
        mmap(NULL, records_size(count), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (records == MAP_FAILED) abort();
    records->count = count;
    return records;
}

void tracker_records_free(struct tracker_records *records)
{
    munmap(records, records_size(records->count));
}

/* NULL when the bytes do not show it. */
static struct tracker_record *record_of(struct tracker_records *records, const char *bytes, size_t length)
{
    static const char mark[] = "tag-";
    for (size_t at = 0; at + sizeof mark - 1 + TAG_DIGITS <= length; at++) {
        if (memcmp(bytes + at, mark, sizeof mark - 1) != 0) continue;
        char digits[TAG_DIGITS + 1] = "";
        memcpy(digits, bytes + at + sizeof mark - 1, TAG_DIGITS);
        size_t tag = strtoul(digits, NULL, 10);
        return tag < records->count ? &records->of[tag] : NULL;
    }
    return NULL;
}

static void remember_part(struct tracker_records *records, const struct input *input)
{
    struct tracker_record *record = record_of(records, input->bytes, input->length);
    if (input->length == 0 || strncmp(input->bytes, "GET", 3) == 0) return;
    atomic_fetch_add(record ? &record->part : &records->nameless, 1);
}

static void remember_whole(struct tracker_records *records, const struct input *input, int done)
{
    if (strcmp(input->method, "GET") == 0) {
        atomic_fetch_add(&records->reads, 1);
        return;
    }
    struct tracker_record *record = record_of(records, input->bytes, input->size);
    if (!record) {
        atomic_fetch_add(&records->nameless, 1);
        return;
    }
    atomic_fetch_add(&record->whole, 1);
    atomic_fetch_add(&record->done, done != 0);
}

/* ---- requests --------------------------------------------------------------------------------- */

static size_t body_length(const char *head, const char *end)
{
    static const char name[] = "\r\nContent-Length:";
    for (; head < end; head++)
        if (strncasecmp(head, name, sizeof name - 1) == 0) return strtoul(head + sizeof name - 1, NULL, 10);
    return 0;
}

/* Whether the head is there, and then how long all of it is. */
static void measure(struct input *input)
{
    input->bytes[input->length] = '\0';
    char *end = strstr(input->bytes, "\r\n\r\n");
    if (!end || sscanf(input->bytes, "%15s %511s", input->method, input->target) != 2) return;
    input->size = (size_t)(end - input->bytes) + 4 + body_length(input->bytes, end);
}

/* 1 when a request is there, 0 at the end of the connection. */
static int read_request(struct stream *stream, struct input *input, size_t only)
{
    input->size = 0;
    for (;;) {
        if (!input->size) measure(input);
        if (input->size && input->length >= input->size) return 1;
        size_t room = INPUT_SIZE - 1 - input->length;
        if (only && room > only - input->length) room = only - input->length;
        size_t got = room ? stream_read(stream, input->bytes + input->length, room) : 0;
        if (!got) return 0;
        input->length += got;
    }
}

static void use_up(struct input *input)
{
    input->length -= input->size;
    memmove(input->bytes, input->bytes + input->size, input->length);
}

/* What the peer sent, without taking it; 0 at its end, -1 when nothing came. */
static int await_bytes(struct stream *stream, long microseconds)
{
    struct pollfd wait[2] = {{.fd = stream->fd, .events = POLLIN}, {.fd = stream->wake, .events = POLLIN}};
    struct timespec time = {microseconds / 1000000, microseconds % 1000000 * 1000};
    char byte;
    if (stream->ssl && SSL_pending(stream->ssl)) return 1;
    if (ppoll(wait, 2, microseconds ? &time : NULL, NULL) <= 0) return -1;
    return wait[0].revents && recv(stream->fd, &byte, 1, MSG_PEEK) == 1;
}

/* ---- answers ---------------------------------------------------------------------------------- */

static int is(const struct input *input, const char *method)
{
    return strcmp(input->method, method) == 0;
}

/* The digits of the tag, or the last part of the path, are the id. */
static void usual_body(const struct input *input, char *body, size_t size)
{
    const char *tag = strstr(input->target, "tag-"), *last = strrchr(input->target, '/');
    const char *id = tag ? tag + 4 : last ? last + 1 : "";
    if (is(input, "GET"))
        snprintf(body, size, "{\"key\":\"CASE-%.40s\"}", id);
    else
        snprintf(body, size, "{\"id\":\"%.40s\"}", id);
}

static size_t usual_answer(const struct input *input, const struct turn *turn, char *text, size_t size)
{
    char body[128];
    usual_body(input, body, sizeof body);
    return (size_t)snprintf(
        text, size, "HTTP/1.1 %s\r\nContent-Type: application/json\r\n%sContent-Length: %zu\r\n\r\n%s",
        is(input, "POST") ? "201 Created" : "200 OK", turn->announced ? "Connection: close\r\n" : "",
        strlen(body), body);
}

static void pause_us(long microseconds)
{
    struct timespec time = {microseconds / 1000000, microseconds % 1000000 * 1000};
    if (microseconds > 0) nanosleep(&time, NULL);
}

static void write_answer(struct stream *stream, const struct input *input, const struct turn *turn)
{
    char text[ANSWER_SIZE];
    size_t length = turn->answer ? (size_t)snprintf(text, sizeof text, "%s", turn->answer)
                                 : usual_answer(input, turn, text, sizeof text);
    size_t behind = turn->behind ? strlen(turn->behind) : 0;
    if (length >= sizeof text) { /* it has nothing behind it */
        stream_write(stream, turn->answer, length);
        return;
    }
    if (behind && turn->behind_us < 0) {
        memcpy(text + length, turn->behind, behind);
        length += behind;
        behind = 0;
    }
    stream_write(stream, text, length);
    if (behind) pause_us(turn->behind_us);
    if (behind) stream_write(stream, turn->behind, behind);
}

/* ---- connections ------------------------------------------------------------------------------ */

/* What comes behind a half close was sent by somebody who could not know of it.  It ends when the client
 * closes. */
static void drain(struct tracker *tracker, struct stream *stream, struct input *input)
{
    atomic_fetch_sub(&tracker->busy, 1);
    /* A quiet one would end reading too. */
    if (stream->ssl && !SSL_get_quiet_shutdown(stream->ssl)) SSL_shutdown(stream->ssl);
    shutdown(stream->fd, SHUT_WR);
    while (read_request(stream, input, 0)) {
        remember_whole(tracker->records, input, 0);
        use_up(input);
    }
    remember_part(tracker->records, input);
    atomic_fetch_add(&tracker->busy, 1);
}

static void end_connection(struct tracker *tracker, struct stream *stream, struct input *input,
                           const struct turn *turn)
{
    if (turn->end == TURN_RESET) stream_reset_on_close(stream);
    if (stream->ssl && (turn->silent || turn->end == TURN_RESET)) SSL_set_quiet_shutdown(stream->ssl, 1);
    if (turn->drained) drain(tracker, stream, input);
}

static struct turn ask(struct tracker *tracker, const struct input *input, size_t number)
{
    struct turn turn = {0};
    struct tracker_request request = {input->method, input->target, number};
    if (!tracker->turn) return turn;
    pthread_mutex_lock(&tracker->lock);
    turn = tracker->turn(tracker->user, &request);
    pthread_mutex_unlock(&tracker->lock);
    return turn;
}

/* The line of the request says what is done with it, which may be to read no more than a part.  0 at the end.
 */
static int peek_request(struct stream *stream, struct input *input)
{
    char bytes[1024] = "";
    input->method[0] = input->target[0] = '\0';
    if (stream->ssl)
        SSL_peek(stream->ssl, bytes, sizeof bytes - 1);
    else if (recv(stream->fd, bytes, sizeof bytes - 1, MSG_PEEK) < 0)
        return 0;
    sscanf(bytes, "%15s %511s", input->method, input->target);
    return bytes[0] != '\0';
}

/* 1 when the connection goes on. */
static int take_turn(struct tracker *tracker, struct stream *stream, struct input *input,
                     const struct turn *turn)
{
    if (!read_request(stream, input, turn->read_only)) {
        remember_part(tracker->records, input);
        input->length = 0;
        end_connection(tracker, stream, input, turn);
        return 0;
    }
    remember_whole(tracker->records, input, !turn->undone);
    pause_us(turn->before_us);
    if (!turn->no_answer) write_answer(stream, input, turn);
    use_up(input);
    if (turn->end == TURN_KEEP) return 1;
    pause_us(turn->end_us);
    end_connection(tracker, stream, input, turn);
    return 0;
}

static void end_idle(struct tracker *tracker, struct stream *stream, struct input *input,
                     const struct turn *turn)
{
    atomic_fetch_add(&tracker->busy, 1);
    if (turn->idle_text) stream_write(stream, turn->idle_text, strlen(turn->idle_text));
    end_connection(tracker, stream, input, turn);
    atomic_fetch_sub(&tracker->busy, 1);
}

static void serve(void *user, struct stream *stream, size_t connection)
{
    struct tracker *tracker = user;
    struct input *input = must_alloc(sizeof *input);
    struct turn turn = {0};
    (void)connection;
    for (size_t number = 0;; number++) {
        int came = await_bytes(stream, turn.idle_us);
        if (came < 0) end_idle(tracker, stream, input, &turn);
        if (came <= 0) break;
        atomic_fetch_add(&tracker->busy, 1);
        int goes_on = 0;
        if (peek_request(stream, input)) {
            turn = ask(tracker, input, number);
            goes_on = take_turn(tracker, stream, input, &turn);
        }
        atomic_fetch_sub(&tracker->busy, 1);
        if (!goes_on) break;
    }
    free(input);
}

/* ------------------------------------------------------------------------------------------------ */

struct tracker *tracker_start(const struct http_tls *tls, struct tracker_records *records,
                              tracker_turn_fn turn, void *user)
{
    struct tracker *tracker = must_alloc(sizeof *tracker);
    tracker->records = records;
    tracker->turn = turn;
    tracker->user = user;
    pthread_mutex_init(&tracker->lock, NULL);
    if (tls) tracker->tls = tls_context_new(tls);
    if (tls && !tracker->tls) abort();
    tracker->listener = listener_start(tracker->tls, serve, tracker);
    if (!tracker->listener) abort();
    return tracker;
}

unsigned tracker_port(const struct tracker *tracker)
{
    return listener_port(tracker->listener);
}

size_t tracker_connections(struct tracker *tracker)
{
    return listener_accepted(tracker->listener);
}

void tracker_settle(struct tracker *tracker)
{
    while (atomic_load(&tracker->busy)) pause_us(20);
}

void tracker_stop(struct tracker *tracker)
{
    listener_stop(tracker->listener, 5000);
    listener_free(tracker->listener);
    SSL_CTX_free(tracker->tls);
    pthread_mutex_destroy(&tracker->lock);
    free(tracker);
}
