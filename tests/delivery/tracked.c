/* tracked.c - connections to the model, and what goes wrong with them. */
#define _GNU_SOURCE /* POLLRDHUP */
#include "tracked.h"
#include "gate.h"
#include "listener.h"
#include "memory.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { STOP_MS = 20000 };

struct tracked {
    struct model *model;
    SSL_CTX *tls;
    struct listener *listener;
    struct gate *gate; /* NULL: nobody is refused */
    struct model_trial *own;
    enum mishap_way armed; /* under the model's lock: what the next connection meets */
    int refusing;          /* the same: the gate is closed */
    unsigned begun;        /* the same: requests that have begun since */
};

/* One connection. */
struct session {
    struct tracked *tracked;
    struct stream *stream;
    struct http_input input;
    size_t number; /* of the request, from 0 */
};

/* A request, as far as it is known. */
struct visit {
    char method[16], target[256];
    enum kind kind;
    struct model_trial *trial;
    struct mishap mishap; /* none: all is well */
    int *hit;
    int last; /* the answer ends the connection */
};

/* ---- before the request ---------------------------------------------------------------------- */

/* The lock is held. */
static void arm(struct tracked *tracked, const struct mishap *mishap)
{
    if (mishap->way == MISHAP_REFUSE) {
        gate_close(tracked->gate);
        tracked->refusing = 1;
    } else {
        tracked->armed = mishap->way;
    }
}

/* The lock is held. */
static void stop_refusing(struct tracked *tracked)
{
    tracked->own->hit[0] = 1;
    tracked->refusing = 0;
    gate_open(tracked->gate);
}

void tracked_begins(struct tracked *tracked)
{
    model_lock(tracked->model);
    if (tracked->refusing && ++tracked->begun > 1) stop_refusing(tracked);
    model_unlock(tracked->model);
}

void tracked_heal(struct tracked *tracked)
{
    model_lock(tracked->model);
    if (tracked->refusing) stop_refusing(tracked);
    model_unlock(tracked->model);
}

static enum mishap_way disarm(struct tracked *tracked)
{
    model_lock(tracked->model);
    enum mishap_way way = tracked->armed;
    tracked->armed = MISHAP_NONE;
    if (way) tracked->own->hit[0] = 1;
    model_unlock(tracked->model);
    return way;
}

/* Reads until the other side has closed. */
static void drain(struct stream *stream)
{
    char bytes[4096];
    while (stream_read(stream, bytes, sizeof bytes)) continue;
}

/* "internal error", as a server says it that cannot go on. */
static void send_alert(int fd)
{
    static const unsigned char alert[] = {21, 3, 3, 0, 2, 2, 80};
    if (send(fd, alert, sizeof alert, MSG_NOSIGNAL) < 0) return;
    shutdown(fd, SHUT_WR);
}

/* 0 when there is no session. */
static int open_session(struct session *session)
{
    struct stream *stream = session->stream;
    struct tracked *tracked = session->tracked;
    enum mishap_way way = disarm(tracked);
    if (way == MISHAP_RESET_AT_ONCE) stream_reset_on_close(stream);
    if (way == MISHAP_ALERT) {
        char byte;
        if (recv(stream->fd, &byte, 1, 0) == 1) send_alert(stream->fd);
        drain(stream);
    }
    if (way) return 0;
    if (!tracked->tls) return 1;
    stream->ssl = SSL_new(tracked->tls);
    return stream->ssl && SSL_set_fd(stream->ssl, stream->fd) && SSL_accept(stream->ssl) == 1;
}

/* ---- the request ------------------------------------------------------------------------------- */

/* What is there already says what it is for; how much of it will be read depends on that. */
static int peek(struct session *session, struct visit *visit)
{
    char bytes[512] = "";
    struct stream *stream = session->stream;
    if (stream->ssl)
        SSL_peek(stream->ssl, bytes, sizeof bytes - 1);
    else if (recv(stream->fd, bytes, sizeof bytes - 1, MSG_PEEK) <= 0)
        return 0;
    return sscanf(bytes, "%15s %255s", visit->method, visit->target) == 2 &&
           model_trial_of(visit->target) < TRIALS_MAX;
}

static int is_due(const struct mishap *mishap, enum kind kind, unsigned nth, const struct session *session)
{
    if (!mishap->way || mishap_to_connection(mishap) || mishap->kind != kind || mishap->nth != nth) return 0;
    return mishap->way != MISHAP_CLOSED_AT_REUSE || session->number > 0;
}

/* Its place among the requests of its trial, and what becomes of it. */
static void look_up(struct session *session, struct visit *visit)
{
    struct tracked *tracked = session->tracked;
    visit->kind = model_kind_of(visit->method, visit->target);
    model_lock(tracked->model);
    struct model_trial *trial = visit->trial = &tracked->model->trials[model_trial_of(visit->target)];
    unsigned nth = ++trial->seen[visit->kind];
    if (trial->not_before && model_now() < trial->not_before) trial->impatient++;
    for (size_t i = 0; i < MISHAPS_MAX; i++) {
        if (trial->hit[i] || !is_due(&trial->mishaps[i], visit->kind, nth, session)) continue;
        visit->mishap = trial->mishaps[i];
        trial->hit[i] = 1;
        break;
    }
    if (trial->arms.kind == visit->kind && trial->arms.nth == nth) {
        visit->last = 1;
        arm(tracked, &trial->mishaps[0]);
    }
    model_unlock(tracked->model);
}

static void read_some(struct stream *stream, size_t length)
{
    char bytes[1024];
    while (length) {
        size_t got = stream_read(stream, bytes, length < sizeof bytes ? length : sizeof bytes);
        if (!got) return;
        length -= got;
    }
}

/* Who has gone has been told that nobody knows, and has asked since perhaps: then nothing may be done any
 * more. */
static int has_gone(struct stream *stream)
{
    struct pollfd wait = {.fd = stream->fd, .events = POLLRDHUP};
    return poll(&wait, 1, 0) > 0 && wait.revents;
}

/* ---- the answer -------------------------------------------------------------------------------- */

struct text {
    char bytes[1024];
    size_t length;
};

static void put_head(struct text *text, const struct visit *visit, int status, const char *retry_after,
                     const char *framing)
{
    text->length =
        (size_t)snprintf(text->bytes, sizeof text->bytes,
                         "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\n%s%s%s%s%s\r\n\r\n", status,
                         status < 300 ? "OK" : "No", visit->last ? "Connection: close\r\n" : "",
                         retry_after ? "Retry-After: " : "", retry_after ? retry_after : "",
                         retry_after ? "\r\n" : "", framing);
}

static void put_body(struct text *text, const char *body)
{
    text->length +=
        (size_t)snprintf(text->bytes + text->length, sizeof text->bytes - text->length, "%s", body);
}

static void put_plain(struct text *text, const struct visit *visit, const struct reply *reply, long longer,
                      const char *retry_after)
{
    char framing[64];
    snprintf(framing, sizeof framing, "Content-Length: %ld", (long)strlen(reply->body) + longer);
    put_head(text, visit, reply->status, retry_after, framing);
    put_body(text, reply->body);
}

/* In two pieces; bad: the second has a size that is none. */
static void put_chunked(struct text *text, const struct visit *visit, const struct reply *reply, int bad)
{
    char chunks[300];
    size_t length = strlen(reply->body), first = length / 2;
    put_head(text, visit, reply->status, NULL, "Transfer-Encoding: chunked");
    if (bad)
        snprintf(chunks, sizeof chunks, "%zx\r\n%.*s\r\nzz\r\n%s\r\n0\r\n\r\n", first, (int)first,
                 reply->body, reply->body + first);
    else
        snprintf(chunks, sizeof chunks, "%zx\r\n%.*s\r\n%zx\r\n%s\r\n0\r\n\r\n", first, (int)first,
                 reply->body, length - first, reply->body + first);
    put_body(text, chunks);
}

/* A date has whole seconds: one that is at least one second ahead is less than two. */
static const char *retry_after(struct visit *visit, char *date, size_t size, int64_t *until)
{
    const char *said = visit->mishap.retry_after;
    *until = 0;
    if (!said) return NULL;
    if (strcmp(said, "date") != 0) {
        *until = model_now() + strtol(said, NULL, 10) * 1000;
        return said;
    }
    struct timespec now;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME, &now);
    time_t second = now.tv_sec + 2;
    *until = model_now() + 2000 - now.tv_nsec / 1000000;
    strftime(date, size, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&second, &parts));
    return date;
}

/* Clocks are read in whole milliseconds, at both ends. */
enum { ROUNDING_MS = 3 };

static void put_refusal(struct session *session, struct visit *visit, struct text *text)
{
    char date[40];
    int64_t until;
    struct reply reply = {.status = visit->mishap.status, .body = "{\"error\":\"not now\"}"};
    put_plain(text, visit, &reply, 0, retry_after(visit, date, sizeof date, &until));
    model_lock(session->tracked->model);
    visit->trial->not_before = until ? until - ROUNDING_MS : 0;
    model_unlock(session->tracked->model);
}

static void put_answer(struct session *session, struct visit *visit, const struct reply *reply,
                       struct text *text)
{
    switch (visit->mishap.way) {
    case MISHAP_CUT_CHUNKED: put_chunked(text, visit, reply, 0); break;
    case MISHAP_BAD_CHUNK: put_chunked(text, visit, reply, 1); break;
    case MISHAP_LENGTH_LONG: put_plain(text, visit, reply, 5, NULL); break;
    case MISHAP_LENGTH_SHORT: put_plain(text, visit, reply, -3, NULL); break;
    case MISHAP_STATUS: put_refusal(session, visit, text); break;
    default: put_plain(text, visit, reply, 0, NULL);
    }
}

/* How much of it is sent. */
static size_t sent_part(const struct visit *visit, const struct text *text)
{
    switch (visit->mishap.way) {
    case MISHAP_CUT_ANSWER:
    case MISHAP_CUT_CHUNKED:
    case MISHAP_STALL: return visit->mishap.at < text->length ? visit->mishap.at : text->length;
    case MISHAP_HALF_CLOSED:
    case MISHAP_BROKEN_TLS: return 0;
    default: return text->length;
    }
}

static void end_session(struct session *session, const struct visit *visit)
{
    struct stream *stream = session->stream;
    const struct mishap *mishap = &visit->mishap;
    if (mishap->way == MISHAP_STALL) drain(stream);
    if (mishap->way == MISHAP_BROKEN_TLS) send_alert(stream->fd);
    if (mishap->way == MISHAP_BROKEN_TLS || mishap->reset) {
        if (mishap->reset) stream_reset_on_close(stream);
        if (stream->ssl) SSL_set_quiet_shutdown(stream->ssl, 1);
    }
    if (mishap->way == MISHAP_HALF_CLOSED) {
        if (stream->ssl) SSL_shutdown(stream->ssl);
        shutdown(stream->fd, SHUT_WR);
        drain(stream);
    }
}

/* For those who want to know where a request and its answer could end. */
static void measure(const struct visit *visit, const struct http_request *request, const struct reply *reply)
{
    struct text plain, chunked;
    put_plain(&plain, visit, reply, 0, NULL);
    put_chunked(&chunked, visit, reply, 0);
    visit->trial->request_length[visit->kind] = request->head_length + request->body_length;
    visit->trial->answer_length[visit->kind] = plain.length;
    visit->trial->chunked_length[visit->kind] = chunked.length;
}

/* 1 when the connection goes on. */
static int answer(struct session *session, struct visit *visit, const struct http_request *request)
{
    struct model *model = session->tracked->model;
    struct reply reply = {.status = 500, .body = "{}"};
    struct text text;
    model_lock(model);
    if (has_gone(session->stream)) {
        model_unlock(model);
        return 0;
    }
    model_do(model, request, visit->mishap.undone, &reply);
    measure(visit, request, &reply);
    model_unlock(model);
    put_answer(session, visit, &reply, &text);
    if (stream_write(session->stream, text.bytes, sent_part(visit, &text)) != 0) return 0;
    if (!visit->last && (!visit->mishap.way || visit->mishap.way == MISHAP_STATUS)) return 1;
    end_session(session, visit);
    return 0;
}

/* 1 when another one may come. */
static int take_request(struct session *session)
{
    struct visit visit = {.last = 0};
    struct http_request request;
    if (!peek(session, &visit)) return 0;
    look_up(session, &visit);
    if (visit.mishap.way == MISHAP_CUT_REQUEST || visit.mishap.way == MISHAP_CLOSED_AT_REUSE) {
        read_some(session->stream, visit.mishap.at);
        end_session(session, &visit);
        return 0;
    }
    if (!http_request_read(&session->input, &request)) return 0;
    int goes_on = !request.incomplete && !request.garbage && answer(session, &visit, &request);
    http_request_clear(&request);
    session->number++;
    return goes_on;
}

/* ---- the port ---------------------------------------------------------------------------------- */

static void serve(void *user, struct stream *stream, size_t connection)
{
    struct session session = {.tracked = user, .stream = stream, .input.stream = stream};
    (void)connection;
    if (open_session(&session))
        while (take_request(&session)) continue;
    if (stream->ssl) SSL_shutdown(stream->ssl);
    SSL_free(stream->ssl);
    stream->ssl = NULL;
    free(session.input.bytes);
}

struct tracked *tracked_start(struct model *model, SSL_CTX *tls, size_t own)
{
    struct tracked *tracked = must_alloc(sizeof *tracked);
    tracked->model = model;
    tracked->tls = tls;
    tracked->listener = listener_start(NULL, serve, tracked);
    if (!tracked->listener) abort();
    if (own == TRIALS_MAX) return tracked;
    tracked->own = &model->trials[own];
    const struct mishap *mishap = &tracked->own->mishaps[0];
    if (mishap->way == MISHAP_REFUSE) tracked->gate = gate_new(listener_port(tracked->listener));
    model_lock(model);
    if (tracked->own->arms.nth == 0) arm(tracked, mishap);
    model_unlock(model);
    return tracked;
}

unsigned tracked_port(const struct tracked *tracked)
{
    return tracked->gate ? gate_port(tracked->gate) : listener_port(tracked->listener);
}

void tracked_stop(struct tracked *tracked)
{
    if (tracked->gate) gate_free(tracked->gate);
    listener_stop(tracked->listener, STOP_MS);
    listener_free(tracked->listener);
    free(tracked);
}
