/*
 * tracker.h - a tracker that keeps count of every write it reads, and treats connections as badly as it is
 * told.
 *
 * A write carries "tag-12345678", in its path or in its body.  What the server read of it, wholly or in part,
 * and whether it did it stands in records that other processes may share.  Created ids are the digits of the
 * tag.
 */
#ifndef TRANSPORT_TRACKER_H
#define TRANSPORT_TRACKER_H

#include "http_server.h"

#include <stdatomic.h>

/* One write; the index is its tag. */
struct tracker_record {
    atomic_uint whole; /* so often it was read to its end */
    atomic_uint part;  /* so often only a part of it came, or was looked at */
    atomic_uint done;
};

struct tracker_records {
    size_t count;
    atomic_uint nameless; /* parts that did not show a tag, and tags beyond count */
    atomic_uint reads;    /* requests without a body that came whole */
    struct tracker_record of[];
};

/* Memory that children of fork() share; all zero. */
struct tracker_records *tracker_records_new(size_t count);
void tracker_records_free(struct tracker_records *records);

enum turn_end { TURN_KEEP, TURN_CLOSE, TURN_RESET };

/* What happens to one request; all zero: it is done and answered, and the connection stays open. */
struct turn {
    size_t read_only; /* only so many bytes of it are read, then the end comes; 0: all */
    int undone;       /* it is read, but not done */
    long before_us;   /* between reading it and the answer */
    int no_answer;
    const char *answer; /* in place of the usual one */
    const char *behind; /* stray bytes, written behind the answer ... */
    long behind_us;     /* ... so much later; 0: with a write of its own, -1: in the same write */
    int announced;      /* the answer says "Connection: close" */
    enum turn_end end;
    long end_us;           /* so long after the answer; when it is over nothing more is read */
    int drained;           /* the end is a half close, and what still comes is read */
    int silent;            /* TLS: without close_notify */
    long idle_us;          /* a kept connection ends when nothing came for so long, 0: never ... */
    const char *idle_text; /* ... with these words before */
};

struct tracker_request {
    const char *method, *target;
    size_t on_connection; /* its number there, from 0 */
};

/* Called for one request at a time. */
typedef struct turn (*tracker_turn_fn)(void *user, const struct tracker_request *request);

struct tracker;

/* tls NULL: http.  turn NULL: always the good one. */
struct tracker *tracker_start(const struct http_tls *tls, struct tracker_records *records,
                              tracker_turn_fn turn, void *user);
unsigned tracker_port(const struct tracker *tracker);
size_t tracker_connections(struct tracker *tracker);
/* Waits until nothing is being done to any connection but waiting for its next request. */
void tracker_settle(struct tracker *tracker);
void tracker_stop(struct tracker *tracker);

#endif
