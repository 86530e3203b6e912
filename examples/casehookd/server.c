/* server.c - libmicrohttpd, and the way of a request through it. */
#include "clients.h"
#include "log.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <unistd.h>

enum { CONNECTION_MEMORY = 16 * 1024, STACK = 2 * 1024 * 1024, FORM_MAX = 4096 };

/* ---- shared ------------------------------------------------------------------------------------ */

struct config *server_config(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    struct config *config = config_ref(server->config);
    pthread_mutex_unlock(&server->lock);
    return config;
}

struct source_counts *server_counts(struct server *server, const char *name)
{
    pthread_mutex_lock(&server->lock);
    struct source_counts **place = &server->counts;
    while (*place && strcmp((*place)->name, name) != 0) place = &(*place)->next;
    struct source_counts *counts = *place;
    if (!counts && (counts = calloc(1, sizeof *counts)) && !(counts->name = text_copy(name))) {
        free(counts);
        counts = NULL;
    }
    *place = counts; /* whole */
    pthread_mutex_unlock(&server->lock);
    return counts;
}

const char *request_header(const struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

const char *request_argument(const struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

void answer_error(struct answer *answer, unsigned status, const char *format, ...)
{
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    text_make_utf8(message); /* it may have been cut in the middle of a character */
    json_t *text = json_string(message);
    json_t *value = json_pack("{so}", "error", text ? text : json_string("no text"));
    char *dumped = value ? json_dumps(value, JSON_COMPACT) : NULL;
    answer->status = status;
    answer->type = "application/json";
    text_free(&answer->body);
    if (dumped) text_format(&answer->body, "%s\n", dumped);
    free(dumped);
    json_decref(value);
}

unsigned answer_outbox_fault(struct answer *answer, const struct casehook_outbox_error *error)
{
    int code = casehook_outbox_error_status(error);
    const char *message = casehook_outbox_error_message(error);
    switch (code) {
    case CASEHOOK_E_PARAMS: answer_error(answer, 422, "%s", message); break;
    case CASEHOOK_E_ARGUMENT: answer_error(answer, 409, "%s", message); break;
    default:
        answer_error(answer, 503, "%s", message);
        answer->retry_after_s = code == CASEHOOK_E_LIMIT ? 60 : 5;
    }
    return answer->status;
}

/* ---- what is asked ----------------------------------------------------------------------------- */

static const char *const page_paths[] = {"/", "/-/style.css"};

/* 0, or the status of a refusal: 404, 405. */
static unsigned route(struct request *request)
{
    static const struct login open_login = {.open = true};
    struct config *config = request->config;
    bool reads = !strcmp(request->method, "GET") || !strcmp(request->method, "HEAD");
    bool posts = !strcmp(request->method, "POST");
    const char *path = request->path;
    request->login = &open_login;
    if ((request->source = config_source(config, path))) {
        request->login = &request->source->login;
        request->max_body = request->source->max_body;
        return posts ? 0 : 405;
    }
    if (!strcmp(path, "/-/healthy") || !strcmp(path, "/-/ready")) return reads ? 0 : 405;
    if (!strcmp(path, "/metrics")) {
        request->login = &config->metrics;
        return reads ? 0 : 405;
    }
    if (!config->has_page) return 404;
    for (size_t i = 0; i < sizeof page_paths / sizeof *page_paths; i++)
        if (!strcmp(path, page_paths[i])) {
            request->login = &config->page;
            return reads ? 0 : 405;
        }
    if (!strcmp(path, "/entries")) {
        request->login = &config->page;
        request->max_body = FORM_MAX;
        return posts ? 0 : 405;
    }
    return 404;
}

static void handle(struct request *request, struct answer *answer)
{
    if (request->source) {
        handle_source(request, answer);
    } else if (!strcmp(request->path, "/metrics")) {
        handle_metrics(request, answer);
    } else if (!strcmp(request->path, "/entries")) {
        handle_action(request, answer);
    } else if (!strcmp(request->path, "/-/healthy")) {
        text_string(&answer->body, "healthy\n");
    } else if (!strcmp(request->path, "/-/ready")) {
        handle_ready(request, answer);
    } else {
        handle_page(request, answer);
    }
}

/* ---- answers ----------------------------------------------------------------------------------- */

static const char *challenge(const struct login *login)
{
    return login->user ? "Basic realm=\"casehookd\", charset=\"UTF-8\"" : "Bearer realm=\"casehookd\"";
}

static enum MHD_Result send_answer(struct request *request, struct answer *answer)
{
    static const char csp[] = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
                              "frame-ancestors 'none'";
    char number[16];
    if (answer->body.failed) answer_error(answer, 503, "out of memory");
    struct MHD_Response *response = MHD_create_response_from_buffer(
        answer->body.length, answer->body.data ? answer->body.data : (void *)(uintptr_t) "",
        answer->body.data ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
    if (!response) {
        text_free(&answer->body);
        return MHD_NO;
    }
    MHD_add_response_header(response, "Content-Type", answer->type);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Referrer-Policy", "same-origin");
    MHD_add_response_header(response, "Content-Security-Policy", csp);
    if (*answer->location) MHD_add_response_header(response, "Location", answer->location);
    if (answer->status == 401)
        MHD_add_response_header(response, "WWW-Authenticate", challenge(request->login));
    if (answer->status == 405)
        MHD_add_response_header(response, "Allow", request->max_body ? "POST" : "GET, HEAD");
    snprintf(number, sizeof number, "%u", answer->retry_after_s);
    if (answer->retry_after_s) MHD_add_response_header(response, "Retry-After", number);
    if (atomic_load(&request->server->stopping)) MHD_add_response_header(response, "Connection", "close");
    enum MHD_Result result = MHD_queue_response(request->connection, answer->status, response);
    MHD_destroy_response(response);
    atomic_fetch_add(&request->server->http_codes[answer->status / 100 % 6], 1);
    return result;
}

enum { LOGIN_LINE_MS = 10000 };

/* Who comes with a wrong login comes often: a line now and then, which says how many there were. */
static void log_login(struct request *request)
{
    struct server *server = request->server;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *peer = info ? info->client_addr : NULL;
    socklen_t size =
        peer && peer->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    char host[64] = "?";
    long long last = atomic_load(&server->refused_login_ms), now = now_ms();
    unsigned long long more = atomic_fetch_add(&server->refused_logins, 1) + 1;
    if ((last && now - last < LOGIN_LINE_MS) ||
        !atomic_compare_exchange_strong(&server->refused_login_ms, &last, now))
        return;
    atomic_fetch_sub(&server->refused_logins, more);
    if (peer) getnameinfo(peer, size, host, sizeof host, NULL, 0, NI_NUMERICHOST);
    log_line(CASEHOOK_LOG_WARNING, "%s: wrong login from %s (%llu since the last such line)",
             request->source ? request->source->name : request->path, host, more);
}

/* What a sender is refused before it is read is missing in the outbox, and may never come again. */
static void note_refusal(struct request *request, unsigned status)
{
    /* A browser comes without a login first. */
    if (status == 401 && (request->source || request_header(request, "Authorization"))) log_login(request);
    if (!request->source || atomic_load(&request->server->stopping)) return;
    if (status == 503) intake_count(request, INTAKE_FULL);
    if (status != 413) return;
    intake_count(request, INTAKE_INVALID);
    log_line(CASEHOOK_LOG_WARNING, "%s: payload refused: more than maxBody, %zu bytes", request->source->name,
             request->max_body);
}

static enum MHD_Result refuse(struct request *request, unsigned status)
{
    struct answer answer = {0};
    note_refusal(request, status);
    switch (status) {
    case 400:
        answer_error(&answer, status, "headers that contradict each other, or are written oddly");
        break;
    case 401: answer_error(&answer, status, "user and password, or the token, are wrong"); break;
    case 404: answer_error(&answer, status, "there is nothing at this path"); break;
    case 405: answer_error(&answer, status, "not with this method"); break;
    case 413: answer_error(&answer, status, "more than maxBody, %zu bytes", request->max_body); break;
    default: answer_error(&answer, status, "too much at once; again in a moment"); answer.retry_after_s = 1;
    }
    request->refused = status;
    return send_answer(request, &answer);
}

/* ---- receiving --------------------------------------------------------------------------------- */

/* Room among the bodies of all requests. */
static bool take_room(struct request *request, size_t bytes)
{
    size_t all = atomic_fetch_add(&request->server->body_bytes, bytes) + bytes;
    request->reserved += bytes;
    return all <= request->server->started->max_bodies;
}

/* Headers that say where a request ends and whose it is: there is one of each, and none that only looks so.
 */
struct framing {
    const char *names[4];
    unsigned count[4];
    bool odd;
};

static enum MHD_Result count_header(void *user, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct framing *framing = user;
    (void)kind;
    (void)value;
    for (size_t i = 0; i < sizeof framing->count / sizeof *framing->count; i++)
        framing->count[i] += !strcasecmp(name, framing->names[i]);
    framing->odd = framing->odd || name[strcspn(name, " \t\r\n\v\f")];
    return MHD_YES;
}

/*
 * A proxy in front could see another end of the request than libmicrohttpd, which takes the first length, and
 * what is behind it as another request, of somebody else.
 */
static bool is_framed(const struct request *request)
{
    struct framing framing = {.names = {"Content-Length", "Transfer-Encoding", "Authorization", "Host"}};
    const char *encoding = request_header(request, "Transfer-Encoding");
    MHD_get_connection_values(request->connection, MHD_HEADER_KIND, count_header, &framing);
    for (size_t i = 0; i < sizeof framing.count / sizeof *framing.count; i++)
        if (framing.count[i] > 1) return false;
    return !framing.odd && !(framing.count[0] && framing.count[1]) &&
           (!encoding || !strcasecmp(encoding, "chunked"));
}

/* Nothing of the body has come yet; an answer now spares it the way. */
static enum MHD_Result begin(struct request *request)
{
    const char *length = request_header(request, "Content-Length");
    unsigned status = route(request);
    if (!is_framed(request)) {
        request->begun = true;
        return refuse(request, 400);
    }
    if (!status && !login_allows(request->login, request)) {
        atomic_fetch_add(&request->server->unauthorized, 1);
        status = 401;
    }
    if (!status && length && strtoull(length, NULL, 10) > request->max_body) status = 413;
    if (!status && atomic_load(&request->server->stopping)) status = 503;
    request->begun = true;
    return status ? refuse(request, status) : MHD_YES;
}

static void receive(struct request *request, const char *data, size_t length)
{
    if (request->refused) return;
    if (request->body.length + length > request->max_body)
        request->refused = 413;
    else if (!take_room(request, length))
        request->refused = 503;
    else
        text_append(&request->body, data, length);
    if (request->refused) text_free(&request->body);
}

static enum MHD_Result finish(struct request *request)
{
    struct answer answer = {.status = 200, .type = "text/plain; charset=utf-8"};
    clients_answering(request);
    if (request->refused) return refuse(request, request->refused);
    if (request->body.failed) return refuse(request, 503);
    handle(request, &answer);
    return send_answer(request, &answer);
}

static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data, size_t *length,
                                  void **context)
{
    struct request *request = *context;
    (void)version;
    if (!request) {
        request = calloc(1, sizeof *request);
        if (!request) return MHD_NO;
        *context = request;
        request->server = user;
        request->connection = connection;
        request->config = server_config(user);
        request->path = url;
        snprintf(request->method, sizeof request->method, "%s", method);
        return begin(request);
    }
    if (*length) {
        receive(request, data, *length);
        *length = 0;
        return MHD_YES;
    }
    return finish(request);
}

static void on_end(void *user, struct MHD_Connection *connection, void **context,
                   enum MHD_RequestTerminationCode code)
{
    struct request *request = *context;
    (void)code;
    clients_waiting(user, connection);
    if (!request) return;
    atomic_fetch_sub(&request->server->body_bytes, request->reserved);
    text_free(&request->body);
    config_unref(request->config);
    free(request);
    *context = NULL;
}

/* ---- life -------------------------------------------------------------------------------------- */

static void on_fault(void *user, const char *format, va_list arguments) __attribute__((format(printf, 2, 0)));
static void on_fault(void *user, const char *format, va_list arguments)
{
    char line[512];
    (void)user;
    vsnprintf(line, sizeof line, format, arguments);
    log_line(CASEHOOK_LOG_DEBUG, "http: %s", line);
}

/* As many descriptors as connections, and some for the outbox. */
static void raise_limit(unsigned connections)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)connections + 512;
    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= wanted) return;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < wanted)
        log_line(CASEHOOK_LOG_WARNING, "only %llu descriptors for http.maxConnections %u",
                 (unsigned long long)limit.rlim_cur, connections);
}

int server_start(struct server *server, struct config *config)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char port[8];
    snprintf(port, sizeof port, "%u", config->listen_port);
    int fault = getaddrinfo(config->listen_host, port, &hints, &found);
    if (fault) {
        log_line(CASEHOOK_LOG_ERROR, "http.listen: %s: %s", config->listen_host, gai_strerror(fault));
        return -1;
    }
    raise_limit(config->max_connections);
    server->max_clients = config->max_connections;
    server->request_timeout_s = config->request_timeout_s;
    /* The places are shared out among them. */
    unsigned threads =
        config->threads < config->max_connections / 4 ? config->threads : config->max_connections / 4;
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_USE_ITC | MHD_USE_ERROR_LOG;
    if (found->ai_family == AF_INET6) flags |= MHD_USE_IPv6;
    server->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER, on_fault, NULL,
        MHD_OPTION_URI_LOG_CALLBACK, clients_begin, server, MHD_OPTION_SOCK_ADDR, found->ai_addr,
        MHD_OPTION_CONNECTION_LIMIT, config->max_connections, MHD_OPTION_CONNECTION_TIMEOUT,
        config->request_timeout_s, MHD_OPTION_THREAD_POOL_SIZE, threads > 1 ? threads : 0,
        MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_MEMORY, MHD_OPTION_LISTEN_BACKLOG_SIZE, 1024U, MHD_OPTION_NOTIFY_COMPLETED, on_end,
        server, MHD_OPTION_NOTIFY_CONNECTION, clients_notify, server, MHD_OPTION_END);
    freeaddrinfo(found);
    if (!server->daemon)
        log_line(CASEHOOK_LOG_ERROR, "cannot listen on %s port %u: in use, or not permitted",
                 config->listen_host, config->listen_port);
    return server->daemon ? 0 : -1;
}

unsigned server_port(const struct server *server)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info ? info->port : 0;
}

void server_quiesce(struct server *server)
{
    atomic_store(&server->stopping, true);
    int listening = MHD_quiesce_daemon(server->daemon);
    if (listening >= 0) close(listening);
}

void server_stop(struct server *server)
{
    if (server->daemon) MHD_stop_daemon(server->daemon);
    server->daemon = NULL;
    for (struct source_counts *counts; (counts = server->counts);) {
        server->counts = counts->next;
        free(counts->name);
        free(counts);
    }
}
