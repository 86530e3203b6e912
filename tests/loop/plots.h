/*
 * plots.h - operations that are played by a script, to both drivers, by a clock that only waits move.
 *
 * A plot says which requests must come, after which delay, what each is answered, and how the operation ends.
 */
#ifndef LOOP_PLOTS_H
#define LOOP_PLOTS_H

#include "documents.h"
#include "fake_transport.h"

#include <stddef.h>
#include <stdint.h>

#define CHANCE 700                   /* each random delay, below every cap */
#define NOON   INT64_C(784111777000) /* when a plot begins: Sun, 06 Nov 1994 08:49:37 GMT */

/* One request as it must come, and what comes back. */
struct exchange {
    char call;        /* C create, G get, U update, M comment, F find; 0: there is no more */
    int64_t delay;    /* that was waited before it */
    int answer;       /* a status of HTTP, or CASEHOOK_E_*: no answer */
    const char *body; /* NULL: the usual one; of a failure: not NULL, it was not sent */
    const char *retry_after;
    int64_t jump; /* of the calendar, behind the answer */
};

#define EXCHANGES_MAX 16
#define UNSENT        "" /* as body of a failure */

struct plot {
    const char *name;
    const char *config, *settings; /* more members */
    int operation;                 /* 0: push */
    const char *params;            /* more members */
    uint32_t deadline_ms;
    struct exchange script[EXCHANGES_MAX];
    /* How it ends; status OK: well. */
    int status;
    const char *step;
    int outcome;
    bool retryable, found;
    const char *id;         /* NULL: 7; "": none */
    int64_t retry_after_ms; /* 0: is not looked at */
};

/* ---- words of plots ------------------------------------------------------------------------------ */

#define ON(letter, ms, code)                        \
    {                                               \
        .call = letter, .delay = ms, .answer = code \
    }
#define ON_WITH(letter, ms, code, said)                           \
    {                                                             \
        .call = letter, .delay = ms, .answer = code, .body = said \
    }
#define GET ON('G', 0, 200)

#define REFUSED  CASEHOOK_OUTCOME_REFUSED
#define UNKNOWN  CASEHOOK_OUTCOME_UNKNOWN
#define NOT_SENT CASEHOOK_OUTCOME_NOT_SENT
#define STATUS   CASEHOOK_E_HTTP_STATUS
#define LOST     CASEHOOK_E_NETWORK
#define THREE    "\"run.maxAttempts\":3"

#define BUSY_FOR(text)                                              \
    {                                                               \
        .call = 'C', .delay = 0, .answer = 503, .retry_after = text \
    }
#define THEN(ms) ON('C', ms, 201), GET
#define IN_VAIN(ms) \
    .status = STATUS, .step = "create", .outcome = REFUSED, .retryable = true, .id = "", .retry_after_ms = ms

#define FIND                                    \
    "\"findIncidentUrl\":\"http://127.0.0.1:1/" \
    "find?q={{case.title}}\",\"findIncidentResponseKey\":\"list[0].id\""
#define THERE                "{\"list\":[{\"id\":\"7\"}]}"
#define NONE                 "{\"list\":[]}"
#define LOOK(said)           ON_WITH('F', 2000, 200, said)
#define CREATE_UNKNOWN(code) .status = code, .step = "create", .outcome = UNKNOWN, .id = ""

#define KEY         "\"idempotencyHeader\":\"Idempotency-Key\""
#define DUP         KEY ",\"idempotencyDuplicateStatuses\":[409]"
#define ONE_COMMENT "\"comments\":[{\"commentId\":\"1\",\"comment\":\"x\"}]"

/* ---- playing them -------------------------------------------------------------------------------- */

/* Of the plot that is played. */
extern const struct plot *plot;
extern size_t plot_at;                     /* the next exchange of its script */
extern int64_t plot_free_since;            /* the last answer came, or the operation began */
extern char plot_keys[EXCHANGES_MAX][400]; /* of each request its idempotency key, "" for none */

typedef struct casehook_result *(*driver_fn)(struct casehook_connector *connector, int operation,
                                             const char *params, const struct casehook_options *options);
extern const driver_fn plot_drivers[2]; /* blocking, loop */

/* Plays it to one driver and checks that it goes as it says. */
void plot_run(const struct plot *of, driver_fn run);
/* Plays several to both. */
void plots_run(const struct plot *plots, size_t count);
#define RUN(plots) plots_run(plots, sizeof plots / sizeof *plots)

/* The steps of it, for those who end it in another way. */
void plot_begin(const struct plot *of);
struct casehook_connector *plot_connector(const struct plot *of);
/* The params as JSON, up to the next call. */
const char *plot_params(const struct plot *of);
void plot_expect_end(const struct casehook_result *result);

#endif
