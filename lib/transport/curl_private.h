/*
 * curl_private.h - what the files that know libcurl share.
 */
#ifndef CASEHOOK_CURL_PRIVATE_H
#define CASEHOOK_CURL_PRIVATE_H

#include "transport/transport.h"

#include <curl/curl.h>
#include <limits.h>

#define CASEHOOK__SOCKETS_MAX 8

/*
 * An easy handle for life, of one policy, and either of configured requests or of one hop to another origin;
 * the calls that it is used for change.
 */
struct casehook__handle {
    CURL *easy;
    CURLU *url;     /* of the last request */
    bool url_known; /* it and easy have the same URL */
    /* Of each call, as configured and [1] as a GET, which a redirect may make of it.  Made when needed. */
    struct curl_slist *headers[CASEHOOK__CALLS][2];
    const struct curl_slist *shape; /* those that easy has now: they stand for the method too */
    /* Lines that only the last request has, before those of its call. */
    struct curl_slist *own;
    size_t own_count;
    struct curl_slist *proxy_headers;
    bool old_counts;                             /* this libcurl is older than 8.7 */
    bool forbids;                                /* as set: its connections are not kept */
    bool fresh;                                  /* as set: the next request gets a new connection */
    const struct casehook__transport *transport; /* as set: which one is told that a connection was closed */
};

/* An open connection of a transport, as far as HTTP/1 is spoken on it. */
struct casehook__connection {
    struct casehook__connection *next;
    struct casehook__transfer *user; /* NULL: it rests */
    int socket;
    int local_port, remote_port;
    char remote[46];
    unsigned answers;
    int64_t last_ms; /* when the last answer came */
    int64_t promise_until;
};

#define CASEHOOK__CONNECTION_LISTS 16 /* by the local port */

struct casehook__transport {
    struct casehook__heap *heap;
    CURLM *multi;
    struct casehook__watcher watcher; /* of a transport that a loop watches */
    struct casehook__transfer *first, *last;
    unsigned doomed;      /* how many of them are */
    bool spoiled;         /* libcurl's tables hold something that it must not touch again */
    long keep;            /* connections */
    bool deaf;            /* libcurl could not make what a wakeup needs */
    unsigned go;          /* how often it was driven */
    atomic_uint *counter; /* of the connections of all transports of a connector */
    unsigned open_sockets;
    bool promised; /* some connection came with a Keep-Alive header */
    struct casehook__connection *connections[CASEHOOK__CONNECTION_LISTS];
    struct casehook__tls_gate gate; /* of what is read in one go, with HTTP/2 */
};

/* Offsets into head; length 0: the header was not there. */
struct casehook__kept_header {
    bool present;
    size_t begin, length;
};

/* How far a try has come.  Back to connecting it goes only when libcurl sends it on another connection. */
enum casehook__stage {
    CASEHOOK__STAGE_CHOOSING,   /* a name is looked up, or a kept connection looked for */
    CASEHOOK__STAGE_CONNECTING, /* a socket was opened for it, and nothing is sent on it yet */
    CASEHOOK__STAGE_SENDING,    /* libcurl has a connection for it: it goes out, its answer is awaited */
    CASEHOOK__STAGE_HEAD,       /* the empty line after the headers of the answer has come */
    CASEHOOK__STAGE_BODY
};

/* Why a callback of ours ended a try. */
enum casehook__stop {
    CASEHOOK__STOP_NONE,
    CASEHOOK__STOP_AGAIN,      /* libcurl wanted to send it again (H6) */
    CASEHOOK__STOP_CONNECTION, /* the kept connection that libcurl chose must not be used (H7) */
    CASEHOOK__STOP_LATE,       /* its time was over before it was sent */
    CASEHOOK__STOP_HEADERS,    /* they are too large */
    CASEHOOK__STOP_BODY,       /* it is */
    CASEHOOK__STOP_MEMORY      /* for what came */
};

#define CASEHOOK__NO_NUMBER ULONG_MAX

struct casehook__transfer {
    struct casehook__heap *heap;
    const struct casehook__config *config;
    const struct casehook__settings_snapshot *settings;
    struct casehook__policy policy;
    const struct casehook__reuse_map *reuse; /* NULL: a single request */
    void *owner;

    struct casehook__handle handle;
    struct casehook__trust *system_trust; /* a reference, once it was needed */

    /* Of the request that is under way. */
    struct casehook__transport *transport;      /* NULL: there is none */
    struct casehook__transfer *next, *previous; /* on the transport, in the order of their beginning */
    bool doomed; /* libcurl failed with it under way: it must not be driven any more */
    const struct casehook__request *request;
    enum casehook__stage stage;
    enum casehook__stop stop;
    bool deadline_first;  /* the deadline of the operation comes before responseTimeout */
    int64_t limit;        /* when it must have ended */
    long limit_ms;        /* the same from its start */
    unsigned sends;       /* how often libcurl was about to send it */
    unsigned long stream; /* of HTTP/2, that it has; 0: not known */
    unsigned long number; /* of its connection in libcurl's words, or CASEHOOK__NO_NUMBER */
    bool stream_closed;   /* well, by the server, while the request was still being sent */
    bool stream_refused;  /* by HTTP/2: the server says that it did nothing with it */
    bool renewed;         /* it was given a new connection in place of a kept one */
    bool kept;            /* it went out on a kept connection */
    struct casehook__connection *connection; /* that it is on; NULL: unknown, or HTTP/2 */
    int sockets[CASEHOOK__SOCKETS_MAX];      /* opened while it connects, and not closed: the last ones */
    unsigned socket_count;
    int socket_error;    /* errno, when no socket could be opened */
    unsigned handshakes; /* on the connection that is being made */
    bool denied;         /* an address was refused (U5) */
    char denied_address[96];
    size_t header_bytes, tunnel_bytes;
    unsigned tunnel_go, tunnel_calls; /* how often libcurl told of progress in that go */
    long status;                      /* from the head on */
    bool coded;                       /* there is a Transfer-Encoding */
    bool has_length,
        odd_length; /* a Content-Length; one that is no number, or that is not like the one before */
    uint64_t length;
    uint64_t keep_seconds; /* Keep-Alive: timeout=; 0: none */
    struct casehook__kept_header content_type, content_encoding, location, retry_after, id_header;
    struct casehook__kept_header *folds, *folds_too; /* headers of the last line; NULL: none of these */
    struct casehook__buf head, body;
    struct casehook__tls_report tls, proxy_tls;
    char detail[CURL_ERROR_SIZE];

    /* What came of it. */
    bool answered;
    struct casehook__response response; /* also what came of an answer that failed */
    struct casehook__failure failure;
    struct casehook_error told; /* failure.message points into it */
};

/* curl_multi.c, curl_loop.c: functions of casehook__transport_curl. */
int casehook__curl_open(struct casehook__heap *heap, const struct casehook__settings_snapshot *settings,
                        atomic_uint *connections, struct casehook__transport **transport);
void casehook__curl_close(struct casehook__transport *transport);
void casehook__curl_perform(struct casehook__transport *transport);
bool casehook__curl_poll(struct casehook__transport *transport, int timeout_ms);
void casehook__curl_wakeup(struct casehook__transport *transport);
bool casehook__curl_poll_with(struct casehook__transport *transport, int descriptor, int timeout_ms);
void casehook__curl_keep(struct casehook__transport *transport, unsigned connections);
bool casehook__curl_watch(struct casehook__transport *transport, const struct casehook__watcher *watcher);
bool casehook__curl_act(struct casehook__transport *transport, int socket, int events);
bool casehook__curl_tick(struct casehook__transport *transport);
bool casehook__curl_sweep(struct casehook__transport *transport);

/* curl_multi.c: makes a spoiled one new.  False: no memory, or what is under way must end first. */
bool casehook__curl_mend(struct casehook__transport *transport);
/* Before each go. */
void casehook__curl_open_gate(struct casehook__transport *transport);
/* curl_multi.c: the transport is watched by its watcher from now on. */
void casehook__curl_set_watcher(struct casehook__transport *transport);
/* In place of a poll that failed for want of memory: waits a moment, at most so long. */
void casehook__curl_rest(int ms);

/* The connection that it is on, or will be, is not kept.  False: no memory. */
bool casehook__curl_forbid_reuse(struct casehook__handle *handle, bool forbid);

/* curl_handle.c: makes the handle ready for requests of this call and method.  False: no memory. */
bool casehook__curl_handle(struct casehook__transfer *transfer, const struct casehook__request *request);
void casehook__curl_handle_free(struct casehook__heap *heap, struct casehook__handle *handle);

/* curl_callbacks.c */
size_t casehook__curl_on_header(char *data, size_t size, size_t count, void *user);
size_t casehook__curl_on_body(char *data, size_t size, size_t count, void *user);
int casehook__curl_on_send(void *user, char *remote, char *local, int remote_port, int local_port);
int casehook__curl_on_tunnel(void *user, curl_off_t total, curl_off_t now, curl_off_t upload_total,
                             curl_off_t upload_now);
curl_socket_t casehook__curl_on_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address);
CURLcode casehook__curl_on_tls(CURL *easy, void *ssl_ctx, void *user);
int casehook__curl_on_words(CURL *easy, curl_infotype type, char *data, size_t size, void *user);

/* curl_reuse.c: which connection a request goes out on (H7). */
/* Not worth asking libcurl for a kept one. */
bool casehook__curl_wants_fresh(const struct casehook__transfer *transfer,
                                const struct casehook__transport *transport);
/* libcurl has chosen a connection, and nothing is sent yet; false: not this one. */
bool casehook__curl_may_send(struct casehook__transfer *transfer, const char *remote, int remote_port,
                             int local_port);
/* The kept connection died before an answer began. */
void casehook__curl_died(const struct casehook__transfer *transfer);
/* The request has ended.  When its connection is still open it was answered, and the connection rests. */
void casehook__curl_learn(struct casehook__transfer *transfer);
/* It failed with this code, but only for the kept connection: it may be given a new one. */
bool casehook__curl_may_renew(const struct casehook__transfer *transfer, CURLcode code);
int casehook__curl_on_close(void *transport, curl_socket_t socket);
/* A socket was opened for the transfer. */
void casehook__curl_opened(struct casehook__transfer *transfer, int socket);
/* One of them is connected: libcurl has closed the others. */
void casehook__curl_connected(struct casehook__transfer *transfer);
/* The transfer is about to be taken away while it connects: nobody is to watch its sockets any more. */
void casehook__curl_give_up(const struct casehook__transfer *transfer);
/* It was, and libcurl has closed them. */
void casehook__curl_gave_up(struct casehook__transfer *transfer, struct casehook__transport *transport);
void casehook__curl_forget_connections(struct casehook__transport *transport);

/* curl_failure.c: some of the request may have left this machine. */
bool casehook__curl_was_sent(const struct casehook__transfer *transfer);
/* Fills transfer->failure from libcurl's code. */
void casehook__curl_fail(struct casehook__transfer *transfer, CURLcode code);
/* The same for one whose time has passed. */
void casehook__curl_fail_time(struct casehook__transfer *transfer);

#endif
