/*
 * tracker.c - a small case tracker to try things on: JSON over HTTP and a page for people.
 *
 *   POST /api/cases                makes a case: {"title": ..., "description", "severity", "status",
 *                                  "reference", "tags": [...], "fields": {...}}
 *   GET  /api/cases                all cases
 *   GET  /api/cases?reference=TEXT {"items": [the cases with this reference, the newest first]}
 *   GET  /api/cases/ID             one case
 *   PUT  /api/cases/ID             changes the members that are given
 *   POST /api/cases/ID/comments    adds a comment: {"text": ...}
 *   GET  /  and  /cases/ID         the same for a browser
 *
 * A POST with an Idempotency-Key is done once: the same request gets the first answer again, another one with
 * this key 422.  --fault makes things go wrong (tracker_fault.h).
 *
 * It listens on 127.0.0.1 only, keeps the newest thousand cases, and forgets everything when it ends.
 */
#include "tracker_delay.h"
#include "tracker_fault.h"
#include "tracker_keys.h"
#include "tracker_page.h"
#include "tracker_store.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <microhttpd.h>

/* One server.  libmicrohttpd calls from one thread of its own, so there is nothing to lock. */
struct tracker {
    struct store store;
    struct keys keys;
    struct faults faults;
    struct delays delays;
    char login[512]; /* the value of Authorization that is wanted; "" for none */
    char url[64];    /* where it listens */
};

struct answer {
    unsigned status;
    bool html;
    char *body; /* malloc; NULL: out of memory */
    size_t length;
    const char *allow;
    char location[64];
    bool replayed;             /* it was given before */
    const struct fault *fault; /* what goes wrong with it, NULL for nothing */
};

/* What one request has sent so far, and what it gets. */
struct upload {
    char *body;
    size_t length, capacity;
    bool too_large, no_memory;
    struct answer answer;
    bool answered; /* the answer is there and waits */
};

enum route { ROUTE_NONE, ROUTE_CASES, ROUTE_CASE, ROUTE_COMMENTS, ROUTE_LIST_PAGE, ROUTE_CASE_PAGE };

/* ---- answers --------------------------------------------------------------------------------- */

static void answer_json(struct answer *answer, unsigned status, const json_t *value)
{
    answer->status = status;
    answer->body = value ? json_dumps(value, JSON_COMPACT) : NULL;
    answer->length = answer->body ? strlen(answer->body) : 0;
}

static void answer_error(struct answer *answer, unsigned status, const char *message)
{
    answer->status = status;
    if (answer->html) {
        answer->body = page_message(message, &answer->length);
        return;
    }
    json_t *value = json_pack("{ss}", "error", message);
    answer_json(answer, status, value);
    json_decref(value);
}

static void answer_store(struct answer *answer, const struct store *store, enum store_status status,
                         unsigned success, const json_t *record)
{
    switch (status) {
    case STORE_OK: answer_json(answer, success, record); break;
    case STORE_NOT_FOUND: answer_error(answer, 404, "there is no case with this id"); break;
    case STORE_INVALID: answer_error(answer, 422, store->why); break;
    case STORE_FULL: answer_error(answer, 507, store->why); break;
    case STORE_NO_MEMORY: answer_error(answer, 503, "out of memory"); break;
    }
}

/* ---- what is asked --------------------------------------------------------------------------- */

/* Reads an id and gives what follows it; NULL when there is none. */
static const char *read_id(const char *text, size_t *id)
{
    const char *digit = text;
    *id = 0;
    for (; *digit >= '0' && *digit <= '9' && digit - text < 9; digit++)
        *id = *id * 10 + (size_t)(*digit - '0');
    return digit > text && *text != '0' ? digit : NULL;
}

static enum route find_route(const char *path, size_t *id)
{
    static const char api[] = "/api/cases", page[] = "/cases/";
    const char *rest;
    *id = 0;
    if (!strcmp(path, "/")) return ROUTE_LIST_PAGE;
    if (!strcmp(path, api)) return ROUTE_CASES;
    if (!strncmp(path, page, sizeof page - 1)) {
        rest = read_id(path + sizeof page - 1, id);
        return rest && !*rest ? ROUTE_CASE_PAGE : ROUTE_NONE;
    }
    if (strncmp(path, api, sizeof api - 1) != 0 || path[sizeof api - 1] != '/') return ROUTE_NONE;
    rest = read_id(path + sizeof api, id);
    if (rest && !*rest) return ROUTE_CASE;
    return rest && !strcmp(rest, "/comments") ? ROUTE_COMMENTS : ROUTE_NONE;
}

static void create(struct tracker *tracker, const struct upload *upload, struct answer *answer)
{
    json_t *record;
    enum store_status status =
        store_create(&tracker->store, upload->body ? upload->body : "", upload->length, &record);
    answer_store(answer, &tracker->store, status, 201, record);
    if (status == STORE_OK)
        snprintf(answer->location, sizeof answer->location, "/api/cases/%zu", tracker->store.last);
}

static void update(struct tracker *tracker, size_t id, const struct upload *upload, struct answer *answer)
{
    json_t *record;
    enum store_status status =
        store_update(&tracker->store, id, upload->body ? upload->body : "", upload->length, &record);
    answer_store(answer, &tracker->store, status, 200, record);
}

static void comment(struct tracker *tracker, size_t id, const struct upload *upload, struct answer *answer)
{
    json_t *record;
    enum store_status status =
        store_comment(&tracker->store, id, upload->body ? upload->body : "", upload->length, &record);
    answer_store(answer, &tracker->store, status, 201, record);
}

/* A POST, which a key makes happen only once. */
static void post(struct tracker *tracker, struct MHD_Connection *connection, const char *path, size_t id,
                 const struct upload *upload, struct answer *answer)
{
    const char *key = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Idempotency-Key");
    const char *body = upload->body ? upload->body : "", *before, *location;
    enum keys_status known = KEYS_NEW;
    if (key && !keys_is_key(key)) {
        answer_error(answer, 400, "Idempotency-Key must be 1 to 255 printable ASCII characters");
        return;
    }
    if (key) known = keys_look(&tracker->keys, key, path, body, upload->length, &before, &location);
    if (known == KEYS_OTHER) {
        answer_error(answer, 422, "another request had this Idempotency-Key");
    } else if (known == KEYS_SAME) {
        answer->status = 201;
        answer->replayed = true;
        answer->body = strdup(before);
        answer->length = strlen(before);
        snprintf(answer->location, sizeof answer->location, "%s", location);
    } else {
        id ? comment(tracker, id, upload, answer) : create(tracker, upload, answer);
        bool done = answer->status == 201 && answer->body;
        if (key && done)
            keys_keep(&tracker->keys, key, path, body, upload->length, answer->body, answer->location);
    }
}

static void search(struct tracker *tracker, const char *reference, struct answer *answer)
{
    json_t *found = json_pack("{so}", "items", store_search(&tracker->store, reference));
    answer_json(answer, 200, found);
    json_decref(found);
}

static void list(struct tracker *tracker, struct answer *answer)
{
    const struct store *store = &tracker->store;
    json_t *all = json_array();
    for (size_t id = store->first; store_find(store, id); id++)
        if (json_array_append(all, store_find(store, id))) break;
    answer_json(answer, 200, json_array_size(all) == store_count(store) ? all : NULL);
    json_decref(all);
}

static void show(struct tracker *tracker, size_t id, struct answer *answer)
{
    const json_t *record = store_find(&tracker->store, id);
    if (!record)
        answer_store(answer, &tracker->store, STORE_NOT_FOUND, 0, NULL);
    else if (answer->html)
        answer->body = page_case(record, &answer->length);
    else
        answer_json(answer, 200, record);
}

/* The methods of a route, or NULL when it is none. */
static const char *methods(enum route route)
{
    switch (route) {
    case ROUTE_CASES: return "GET, HEAD, POST";
    case ROUTE_CASE: return "GET, HEAD, PUT";
    case ROUTE_COMMENTS: return "POST";
    case ROUTE_LIST_PAGE:
    case ROUTE_CASE_PAGE: return "GET, HEAD";
    case ROUTE_NONE: break;
    }
    return NULL;
}

/* Whether a method is one of a list such as "GET, HEAD". */
static bool is_listed(const char *allowed, const char *method)
{
    size_t length = strlen(method);
    const char *found = strstr(allowed, method);
    return found && length && (found == allowed || found[-1] == ' ') &&
           (found[length] == ',' || found[length] == '\0');
}

/* A browser sends other sites' forms as anything but JSON; so this also keeps those out. */
static bool is_json(struct MHD_Connection *connection)
{
    static const char json[] = "application/json";
    const char *type = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Type");
    if (!type || strncmp(type, json, sizeof json - 1) != 0) return false;
    char next = type[sizeof json - 1];
    return next == '\0' || next == ';' || next == ' ';
}

/* "?before=ID"; 0: there is none. */
static size_t read_before(struct MHD_Connection *connection)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "before");
    size_t id = 0;
    return value && read_id(value, &id) ? id : 0;
}

/* "?reference=TEXT"; "" for none, and for one with a NUL, by which nothing is found. */
static const char *read_reference(struct MHD_Connection *connection)
{
    static const char name[] = "reference";
    const char *value = NULL;
    size_t length = 0;
    MHD_lookup_connection_value_n(connection, MHD_GET_ARGUMENT_KIND, name, sizeof name - 1, &value, &length);
    return value && strlen(value) == length ? value : "";
}

/* What a request to the API does, unless it meets a fault before. */
static void act(struct tracker *tracker, struct MHD_Connection *connection, const char *path,
                enum fault_request request, size_t id, const struct upload *upload, struct answer *answer)
{
    const struct fault *fault = answer->fault = fault_meet(&tracker->faults, request);
    if (fault && fault->action == FAULT_STATUS) {
        answer_error(answer, fault->status, "this is a fault that was asked for");
        return;
    }
    if (fault && fault->action == FAULT_DROP_BEFORE) return;
    switch (request) {
    case FAULT_CREATE:
    case FAULT_COMMENT: post(tracker, connection, path, id, upload, answer); break;
    case FAULT_UPDATE: update(tracker, id, upload, answer); break;
    case FAULT_GET: show(tracker, id, answer); break;
    default: search(tracker, read_reference(connection), answer); break;
    }
}

static void respond(struct tracker *tracker, struct MHD_Connection *connection, const char *path,
                    const char *method, const struct upload *upload, struct answer *answer)
{
    size_t id;
    enum route route = find_route(path, &id);
    const char *login = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
    const char *allowed = methods(route);
    bool get = !strcmp(method, "GET") || !strcmp(method, "HEAD");
    answer->html = strncmp(path, "/api/", 5) != 0;
    answer->status = 200;
    if (*tracker->login && (!login || strcmp(login, tracker->login) != 0)) {
        answer_error(answer, 401, "user and password are wanted, or they are wrong");
    } else if (!allowed) {
        answer_error(answer, 404, "there is nothing here");
    } else if (!is_listed(allowed, method)) {
        answer->allow = allowed;
        answer_error(answer, 405, "this method is not offered here");
    } else if (!get && !is_json(connection)) {
        answer_error(answer, 415, "Content-Type must be application/json");
    } else if (upload->too_large) {
        answer_error(answer, 413, "the request is too large");
    } else if (upload->no_memory) {
        answer_error(answer, 503, "out of memory");
    } else {
        switch (route) {
        case ROUTE_CASES:
            if (get && !MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "reference"))
                list(tracker, answer);
            else
                act(tracker, connection, path, get ? FAULT_FIND : FAULT_CREATE, 0, upload, answer);
            break;
        case ROUTE_CASE:
            act(tracker, connection, path, get ? FAULT_GET : FAULT_UPDATE, id, upload, answer);
            break;
        case ROUTE_COMMENTS: act(tracker, connection, path, FAULT_COMMENT, id, upload, answer); break;
        case ROUTE_CASE_PAGE: show(tracker, id, answer); break;
        default:
            answer->body = page_list(&tracker->store, read_before(connection), tracker->url, &answer->length);
            break;
        }
    }
}

/* ---- libmicrohttpd --------------------------------------------------------------------------- */

static enum MHD_Result send_answer(struct MHD_Connection *connection, struct answer *answer)
{
    if (!answer->body) return MHD_NO; /* out of memory: closes the connection */
    struct MHD_Response *response =
        MHD_create_response_from_buffer(answer->length, answer->body, MHD_RESPMEM_MUST_FREE);
    if (!response) return MHD_NO;
    answer->body = NULL;
    MHD_add_response_header(response, "Content-Type",
                            answer->html ? "text/html; charset=utf-8" : "application/json");
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Content-Security-Policy",
                            "default-src 'none'; style-src 'unsafe-inline'");
    if (*answer->location) MHD_add_response_header(response, "Location", answer->location);
    if (answer->allow) MHD_add_response_header(response, "Allow", answer->allow);
    if (answer->replayed) MHD_add_response_header(response, "Idempotent-Replayed", "true");
    if (answer->fault && answer->fault->action == FAULT_STATUS && answer->fault->retry_after >= 0) {
        char seconds[16];
        snprintf(seconds, sizeof seconds, "%d", answer->fault->retry_after);
        MHD_add_response_header(response, "Retry-After", seconds);
    }
    if (answer->status == 401)
        MHD_add_response_header(response, "WWW-Authenticate", "Basic realm=\"Demo tracker\"");
    enum MHD_Result queued = MHD_queue_response(connection, answer->status, response);
    MHD_destroy_response(response);
    return queued;
}

static void keep(struct upload *upload, const char *data, size_t size)
{
    if (size > STORE_MAX_BODY - upload->length) upload->too_large = true;
    if (upload->too_large || upload->no_memory) return;
    if (size > upload->capacity - upload->length) {
        size_t capacity = 2 * upload->capacity + size;
        char *body = realloc(upload->body, capacity);
        upload->no_memory = !body;
        if (!body) return;
        upload->body = body;
        upload->capacity = capacity;
    }
    memcpy(upload->body + upload->length, data, size);
    upload->length += size;
}

static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *data, size_t *size,
                                  void **state)
{
    (void)version;
    struct upload *upload = *state;
    if (!upload) {
        *state = upload = calloc(1, sizeof *upload);
        return upload ? MHD_YES : MHD_NO;
    }
    if (*size) {
        keep(upload, data, *size);
        *size = 0;
        return MHD_YES;
    }
    struct answer *answer = &upload->answer;
    if (upload->answered) return send_answer(connection, answer);
    respond(user, connection, path, method, upload, answer);
    upload->answered = true;
    const struct fault *fault = answer->fault;
    bool drop = fault && (fault->action == FAULT_DROP_AFTER || fault->action == FAULT_DROP_BEFORE);
    if (drop) return MHD_NO;
    struct tracker *tracker = user;
    bool late = fault && fault->action == FAULT_DELAY;
    if (late && !delays_add(&tracker->delays, connection, fault->delay_ms)) return MHD_YES;
    return send_answer(connection, answer);
}

static void on_completed(void *user, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    (void)user;
    (void)connection;
    (void)code;
    struct upload *upload = *state;
    if (upload) {
        free(upload->answer.body);
        free(upload->body);
    }
    free(upload);
    *state = NULL;
}

/* ---- the program ----------------------------------------------------------------------------- */

static void usage(FILE *out)
{
    fputs("usage: tracker [--port N] [--user NAME --password TEXT] [--fault ACTION:REQUEST:WHICH]...\n"
          "  A case tracker on 127.0.0.1, in memory, to try casehook on.  Ctrl-C ends it.\n"
          "  --port N          the port; 0, the default, lets the system choose\n"
          "  --user NAME       ask for basic authentication\n"
          "  --password TEXT   with this password; other users of the machine can see it\n"
          "  --fault SPEC      something that goes wrong; may be repeated\n"
          "Faults\n"
          "  drop-after-commit:create:1           the first create is done, its connection closed without an "
          "answer\n"
          "  drop-before-commit:comment:2-4       comments 2 to 4 are not done, and get no answer\n"
          "  status=429,retry-after=1:create:2    the second create is refused, and may come again in a "
          "second\n"
          "  status=503:find:*                    every search is refused, with 400 to 599\n"
          "  delay=3000:get:1                     the first get is answered 3 s late\n"
          "  The requests are create, get, update, comment and find, each counted from 1.\n",
          out);
}

/* "Basic " and the base64 of user:password; 0 when it fits. */
static int make_login(char *login, size_t size, const char *user, const char *password)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char text[300];
    int length = snprintf(text, sizeof text, "%s:%s", user, password);
    if (length < 0 || (size_t)length >= sizeof text || strchr(user, ':')) return -1;
    size_t used = (size_t)snprintf(login, size, "Basic ");
    for (int i = 0; i < length; i += 3) {
        unsigned group = 0;
        for (int j = i; j < i + 3; j++) group = group << 8 | (j < length ? (unsigned char)text[j] : 0U);
        for (int j = 0; j < 4 && used + 1 < size; j++)
            login[used++] = i + j > length ? '=' : digits[group >> (18 - 6 * j) & 63];
    }
    login[used] = '\0';
    return 0;
}

static int read_arguments(int count, char **arguments, struct tracker *tracker, uint16_t *port)
{
    const char *user = NULL, *password = NULL;
    for (int i = 1; i + 1 < count; i += 2) {
        const char *value = arguments[i + 1];
        if (!strcmp(arguments[i], "--user")) {
            user = value;
        } else if (!strcmp(arguments[i], "--password")) {
            password = value;
        } else if (!strcmp(arguments[i], "--port")) {
            char *end;
            long number = strtol(value, &end, 10);
            if (end == value || *end || number < 0 || number > UINT16_MAX) return -1;
            *port = (uint16_t)number;
        } else if (!strcmp(arguments[i], "--fault")) {
            const char *wrong = fault_add(&tracker->faults, value);
            if (!wrong) continue;
            fprintf(stderr, "tracker: --fault \"%s\": %s\n", value, wrong);
            return -2;
        } else {
            return -1;
        }
    }
    if (count % 2 == 0 || !user != !password) return -1;
    return user ? make_login(tracker->login, sizeof tracker->login, user, password) : 0;
}

/* As many connections as the system lets it have: programs that send many cases at once open many. */
static unsigned connection_limit(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return 64;
    rlim_t most = files.rlim_max < 8192 ? files.rlim_max : 8192;
    if (files.rlim_cur < most) {
        files.rlim_cur = most;
        if (setrlimit(RLIMIT_NOFILE, &files) != 0) return 64;
    }
    return most > 128 ? (unsigned)most - 64 : 64;
}

static struct MHD_Daemon *start(struct tracker *tracker, uint16_t port)
{
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD;
    /* select() and its 1,024 descriptors are what is left elsewhere. */
    if (MHD_is_feature_supported(MHD_FEATURE_EPOLL) == MHD_YES) flags = MHD_USE_EPOLL_INTERNAL_THREAD;
    flags |= MHD_ALLOW_SUSPEND_RESUME;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return MHD_start_daemon(flags, port, NULL, NULL, on_request, tracker, MHD_OPTION_SOCK_ADDR,
                            (struct sockaddr *)&address, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
                            MHD_OPTION_CONNECTION_LIMIT, connection_limit(), MHD_OPTION_CONNECTION_TIMEOUT,
                            30U, MHD_OPTION_END);
}

int main(int count, char **arguments)
{
    static struct tracker tracker;
    struct MHD_Daemon *daemon = NULL;
    const union MHD_DaemonInfo *info;
    uint16_t port = 0;
    sigset_t stop;
    int signal_number, status = 1, wrong;

    if (count == 2 && !strcmp(arguments[1], "--help")) {
        usage(stdout);
        return 0;
    }
    wrong = read_arguments(count, arguments, &tracker, &port);
    if (wrong) {
        if (wrong == -1) usage(stderr);
        return 2;
    }
    sigemptyset(&stop); /* blocked before the server's thread begins, so that only we take them */
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    if (delays_begin(&tracker.delays)) {
        fputs("tracker: no thread for delays\n", stderr);
        return 1;
    }
    daemon = start(&tracker, port);
    if (!daemon) {
        fprintf(stderr, "tracker: cannot listen on 127.0.0.1:%u: %s\n", port, strerror(errno));
        goto out;
    }
    info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
    if (!info) goto out;
    snprintf(tracker.url, sizeof tracker.url, "http://127.0.0.1:%u", info->port);
    if (printf("%s\n", tracker.url) < 0 || fflush(stdout)) goto out;
    status = sigwait(&stop, &signal_number) ? 1 : 0;
out:
    delays_end(&tracker.delays);
    if (daemon) MHD_stop_daemon(daemon);
    keys_free(&tracker.keys);
    store_free(&tracker.store);
    return status;
}
