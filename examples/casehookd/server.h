/*
 * server.h - the HTTP side: one request at a time in the eyes of a handler, many in truth.
 */
#ifndef CASEHOOKD_SERVER_H
#define CASEHOOKD_SERVER_H

#include "config.h"
#include "text.h"

#include <microhttpd.h>

/* What became of what a source sent. */
enum intake_result {
    INTAKE_STORED,  /* it is in the outbox, durable */
    INTAKE_KNOWN,   /* it was there */
    INTAKE_IGNORED, /* nothing is to be done for it */
    INTAKE_INVALID, /* the sender's fault */
    INTAKE_FULL,
    INTAKE_FAILED, /* the database, or memory */
    INTAKE_RESULTS
};

/* Counters of a source, which outlive a reload. */
struct source_counts {
    char *name;
    atomic_ullong results[INTAKE_RESULTS];
    atomic_ullong alerts;
    struct source_counts *next;
};

struct client; /* an open connection: clients.h */

struct server {
    struct config *started; /* with which outbox and http were opened */
    struct MHD_Daemon *daemon;
    struct casehook_outbox *outbox;
    pthread_mutex_t lock; /* of config, counts and clients */
    struct config *config;
    struct source_counts *counts;
    struct client *clients; /* who came first is last */
    unsigned client_count, max_clients;
    unsigned request_timeout_s;
    atomic_size_t body_bytes;  /* of the bodies that are being received */
    atomic_size_t body_values; /* of the large ones that are being read */
    atomic_ullong http_codes[6], closed_slow, unauthorized, accepted;
    atomic_bool stopping, ready;
    atomic_int put_fault; /* the code of the last put that failed for the outbox; CASEHOOK_OK: it works */
    atomic_llong put_fault_ms; /* when that was */
    int lock_file;             /* beside the file of the outbox; -1: it has none */
    atomic_llong refused_login_ms;
    atomic_ullong refused_logins; /* since the line before in the log */
    int64_t started_ms;
    atomic_ullong reloads, failed_reloads;
};

/* The current configuration, with a reference that is yours. */
struct config *server_config(struct server *server);
struct source_counts *server_counts(struct server *server, const char *source);

int server_start(struct server *server, struct config *config);
/* The port on which it listens. */
unsigned server_port(const struct server *server);
/* No further connections; those that are open get 503. */
void server_quiesce(struct server *server);
void server_stop(struct server *server);

/* ---- a request, for handlers ------------------------------------------------------------------- */

struct request {
    struct server *server;
    struct MHD_Connection *connection;
    struct config *config;
    const char *path; /* of libmicrohttpd */
    char method[8];
    struct source *source; /* NULL: none of them is asked */
    const struct login *login;
    struct text body;
    size_t max_body, reserved;
    unsigned refused; /* the status of an early refusal; 0: none */
    bool begun;
};

struct answer {
    unsigned status;
    const char *type;
    struct text body;
    char location[64];
    unsigned retry_after_s;
};

/* {"error": message}; INTAKE results have their own. */
void answer_error(struct answer *answer, unsigned status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The status of the answer for a code of the outbox. */
unsigned answer_outbox_fault(struct answer *answer, const struct casehook_outbox_error *error);

const char *request_header(const struct request *request, const char *name);
const char *request_argument(const struct request *request, const char *name);

void handle_source(struct request *request, struct answer *answer); /* intake.c */
void intake_count(const struct request *request, enum intake_result result);
void handle_ready(struct request *request, struct answer *answer); /* ready.c */
void handle_metrics(struct request *request, struct answer *answer);
void handle_page(struct request *request, struct answer *answer);
void handle_action(struct request *request, struct answer *answer); /* page_action.c */

/* A put failed with this code. */
void ready_failed(struct server *server, int code);
/* CASEHOOK_OK while the outbox, of which these are the numbers now, takes what is put; else why not. */
int ready_fault(struct server *server, const struct casehook_outbox_stats *stats);

/* Nothing is lost when a try is made in this file: it is empty, or has what a try that was killed has left.
 */
bool ready_owns(int file);

/* Whether the request has what the login asks for. */
bool login_allows(const struct login *login, const struct request *request);

#endif
