/*
 * fixture.h - a tracker, connectors and a loop for the tests of the loop.
 *
 * Every program is run three times, its argument says how the loop is driven: "wait", "fd" or "poll".
 */
#ifndef LOOP_FIXTURE_H
#define LOOP_FIXTURE_H

#include "../support/documents.h"
#include "http_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum mode { MODE_WAIT, MODE_FD, MODE_POLL };
extern enum mode mode;
/* Reads the argument of the program. */
void mode_set(int argc, char **argv);

struct tracker {
    struct http_log *log;
    struct http_server *server;
    char base[64];
};

void tracker_start(struct tracker *tracker, http_answer_fn answer, void *user);
void tracker_stop(struct tracker *tracker);
struct casehook_connector *tracker_connector(const struct tracker *tracker);

/*
 * An answer of a tracker that does what is asked: the id of a new case is 42, its title CASE-42.  A word
 * in the title of a create, or in the id of a get, asks for more: "slow" for 100 ms, "stall" for 10 s,
 * "close" for a connection that breaks.  A create with "then-WORD" gives an id with that word.
 */
void tracker_answer(void *user, const struct http_request *request, struct http_response *response);
void answer_json(struct http_response *response, int status, const char *body);

/* max_operations, max_connections: 0 for the defaults. */
struct casehook_loop *loop_make(uint32_t max_operations, uint32_t max_connections);
/* One turn as the mode has it, waiting at most so long. */
void loop_turn(struct casehook_loop *loop, int milliseconds);

struct finished {
    uint64_t ticket;
    struct casehook_result *result;
};
/* The next result; fails when there is none within 10 s. */
struct finished loop_finish(struct casehook_loop *loop);
bool loop_has_result(const struct casehook_loop *loop);
/* Turns until the tracker got count requests. */
void loop_until_requests(struct casehook_loop *loop, struct tracker *tracker, size_t count);

uint64_t submit_create(struct casehook_loop *loop, struct casehook_connector *connector, const char *title);
uint64_t submit_create_with(struct casehook_loop *loop, struct casehook_connector *connector,
                            const char *title, struct casehook_cancel *cancel, uint32_t deadline_ms);
/* CASEHOOK_OK or the code in the result, which is freed. */
int finished_status(struct finished finished);

int64_t now_ms(void);

#endif
