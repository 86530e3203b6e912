/* check.h - the comparison rules: what was on the wire, and what came back. */
#ifndef CONFORMANCE_CHECK_H
#define CONFORMANCE_CHECK_H

#include "call.h"
#include "http_server.h"
#include "report.h"

/* Which headers are not to be on a request unless it lists them. */
struct forbidden {
    const json_t *config, *secrets, *settings; /* their headers, secretHeaders and proxyHeaders */
    int proxy_headers;                         /* those for a proxy too */
};

/* Listed headers, absent_headers, and with forbidden (may be NULL) what may not be there unlisted. */
void check_headers(struct report *report, const char *what, const json_t *expected,
                   const struct http_request *actual, const struct forbidden *forbidden);

/* What holds for each request of the library to a server (H2). */
void check_common(struct report *report, const char *what, const struct forbidden *forbidden,
                  const struct http_request *actual);

/* Method, path and body; a body that is not listed is none. */
void check_request(struct report *report, const char *what, const json_t *expected,
                   const struct http_request *actual);

/* What making the connector and the call came to.  An error here belongs to settings or connector. */
struct outcome {
    struct casehook_error *error;
    struct casehook_result *result; /* NULL when the connector was not made */
    int status;
};

void outcome_clear(struct outcome *outcome);

/* The result as a vector words it, and that the library agrees with itself about it. */
void check_result(struct report *report, const json_t *expected, const struct call *call,
                  const struct outcome *outcome);

/* The library's own word on what went wrong, as a note. */
void note_outcome(struct report *report, const struct outcome *outcome);

#endif
