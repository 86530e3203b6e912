/* trial_trust.h - servers with certificates, for the vectors of TLS and of proxies. */
#ifndef CONFORMANCE_TRIAL_TRUST_H
#define CONFORMANCE_TRIAL_TRUST_H

#include "trial.h"

/* What a tracker answers: a case for GET, its id for POST; with location a redirect to there. */
struct tracker {
    const char *location;
    struct http_header header;
};

/* From the names of certificates; NULL with a problem in the report when the server did not start. */
struct http_server *tracker_start(const struct trial *trial, struct http_log *log, const char *label,
                                  const json_t *server, struct tracker *tracker);

#endif
