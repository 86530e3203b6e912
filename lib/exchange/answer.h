/*
 * answer.h - what comes back for a request, understood: response or failure in, verdict out.
 *
 * Nothing here knows what comes next.  Faults go into result->error, what is learnt into the result.
 */
#ifndef CASEHOOK_ANSWER_H
#define CASEHOOK_ANSWER_H

#include "base/clock.h"
#include "document/mask.h"
#include "exchange/decision.h"
#include "exchange/request.h"
#include "exchange/result.h"

#define CASEHOOK__TARGET_SIZE 512

/* What was asked. */
struct casehook__question {
    const struct casehook__config *config;
    const struct casehook__settings_snapshot *settings;
    const struct casehook__mask *mask;
    const struct casehook__request *request;
    const char *method, *url; /* for messages: the URL is masked, without query values */
    char *target;             /* room of TARGET_SIZE for both */
    struct casehook__buf *scratch;
    const struct casehook__clock *clock;
    bool was_accepted; /* the write before was answered 202: it may not be carried out yet */
};

/* shown_url.c: "POST http://host/path"; lies in question->target. */
const char *casehook__question_target(const struct casehook__question *question);

/* answer_type.c: the first type of a Content-Type without parameters, and whether that is JSON (H4). */
struct casehook__text casehook__media_type(struct casehook__text header);
bool casehook__is_json_type(struct casehook__text type);

/* An answer that is no redirect. */
struct casehook__verdict casehook__answer_judge(const struct casehook__question *question,
                                                const struct casehook__response *response,
                                                struct casehook_result *result);

/* Where a redirect leads. */
struct casehook__hop {
    struct casehook__origin origin;
    enum casehook__method method;
    bool configured; /* as in a request */
    bool written;    /* a 303: the write is done, its answer is elsewhere */
};

/*
 * redirect.c: an answer with status 3xx (H3); redirects: how many there were before.  When the verdict says
 * follow, hop and url say where to.
 */
struct casehook__verdict casehook__redirect_judge(const struct casehook__question *question,
                                                  const struct casehook__response *response,
                                                  unsigned redirects, struct casehook__hop *hop,
                                                  struct casehook__buf *url, struct casehook_error *error);

/* No answer, or half of one, of which is kept what can be known (R1). */
struct casehook__verdict casehook__failure_judge(const struct casehook__question *question,
                                                 const struct casehook__failure *failure,
                                                 struct casehook_result *result);

/* advice.c: what a refusal most likely comes from and what to do: "; ..." or "". */
const char *casehook__answer_advice(const struct casehook__question *question,
                                    const struct casehook__response *response);
/* The same of a failure of the connection, into out. */
void casehook__failure_advice(const struct casehook__question *question,
                              const struct casehook__failure *failure, char *out, size_t size);

/* shown_url.c: a URL without secrets and, unless whole, without query values; lies in shown.  NULL: no
 * memory. */
const char *casehook__shown_url(const struct casehook__config *config, const struct casehook__mask *mask,
                                const char *url, bool whole, struct casehook__buf *shown);

#endif
