/* answer.c - what an answer means: its type, its status, what broke off (H4, R1-R3). */
#include "exchange/answer.h"

#include "base/clock.h"
#include "exchange/learn.h"

#include <stdio.h>

#define BAD_GATEWAY     502
#define GATEWAY_TIMEOUT 504

static const char *answer_excerpt(const struct casehook__question *question, struct casehook__text text,
                                  char out[CASEHOOK__EXCERPT_MAX + 1])
{
    return casehook__mask_excerpt(question->mask, text, out, CASEHOOK__EXCERPT_MAX + 1);
}

/* ---- type ------------------------------------------------------------------------------------ */

/* The answer is JSON under a wrong name, or none is needed and it is no page. */
static bool any_would_do(const struct casehook__call_kind *kind, struct casehook__text body)
{
    body = casehook__text_trim(body);
    char first = body.length ? *body.data : '{';
    return kind->learns ? first == '{' || first == '[' : first != '<';
}

static int fail_encoding(const struct casehook__question *question, struct casehook__text encoding,
                         struct casehook_error *error)
{
    char shown[128];
    return casehook__fail(error, CASEHOOK_E_RESPONSE,
                          "%s: the server answered with the content encoding \"%s\", which was not asked for",
                          casehook__question_target(question),
                          casehook__mask_excerpt(question->mask, encoding, shown, sizeof shown));
}

/* What is masked is the whole header: a secret may hold the signs that divide it. */
static int fail_type(const struct casehook__question *question, const struct casehook__response *response,
                     struct casehook_error *error)
{
    const struct casehook__call_kind *kind = casehook__call_kind(question->request->call);
    char shown[128], text[CASEHOOK__EXCERPT_MAX + 1];
    bool any = any_would_do(kind, response->body);
    casehook__mask_excerpt(question->mask, response->content_type, shown, sizeof shown);
    struct casehook__text type = casehook__media_type(casehook__text(shown));
    return casehook__fail(
        error, CASEHOOK_E_RESPONSE,
        "%s: the server answered %d with the content type \"%.*s\" instead of JSON: \"%s\"; is this "
        "the URL of the API, and are the credentials right?%s%s%s",
        casehook__question_target(question), response->status, (int)type.length, type.data,
        answer_excerpt(question, response->body, text), any ? "  If this is how it answers, set " : "",
        any ? kind->type : "", any ? " to any" : "");
}

/* What nearly every answer has, found at a glance. */
static bool begins_as_json(struct casehook__text header)
{
    static const char usual[] = "application/json";
    size_t length = sizeof usual - 1;
    return header.length >= length && memcmp(header.data, usual, length) == 0 &&
           (header.length == length || header.data[length] == ';');
}

static int check_type(const struct casehook__question *question, const struct casehook__response *response,
                      struct casehook_error *error)
{
    struct casehook__text encoding = casehook__text_trim(response->content_encoding);
    if (encoding.length && !casehook__text_is_nocase(encoding, "identity"))
        return fail_encoding(question, encoding, error);
    if (casehook__call_more(&question->config->calls[question->request->call])->any_type) return CASEHOOK_OK;
    if (question->request->call == CASEHOOK__CALL_CREATE &&
        casehook__create_more(question->config)->id_header)
        return CASEHOOK_OK;
    if (begins_as_json(response->content_type)) return CASEHOOK_OK;
    struct casehook__text type = casehook__media_type(response->content_type);
    return type.length == 0 || casehook__is_json_type(type) ? CASEHOOK_OK
                                                            : fail_type(question, response, error);
}

/* ---- answers --------------------------------------------------------------------------------- */

static int read_success(const struct casehook__question *question, const struct casehook__response *response,
                        struct casehook_result *result, enum casehook__found *found)
{
    const struct casehook__call_kind *kind = casehook__call_kind(question->request->call);
    if (response->body.length) {
        int status = check_type(question, response, &result->error);
        if (status) return status;
        return kind->learns == CASEHOOK__LEARNS_WHETHER
                   ? casehook__learn_whether(question, response, result, found)
                   : casehook__learn(question, response, result);
    }
    if (!casehook__learn_needs_body(question)) return casehook__learn(question, response, result);
    return casehook__fail(&result->error, CASEHOOK_E_RESPONSE,
                          "%s: the answer (status %d) is empty; the %s of the case should be in it",
                          casehook__question_target(question), response->status,
                          kind->learns == CASEHOOK__LEARNS_TITLE ? "title" : "id");
}

/* An answer that cannot be used: nobody knows what the request did; unless it says no itself (K7). */
static struct casehook__verdict judge_success(const struct casehook__question *question,
                                              const struct casehook__response *response,
                                              struct casehook_result *result)
{
    struct casehook__verdict verdict = {.http_status = response->status, .outcome = CASEHOOK_OUTCOME_DONE};
    verdict.status = read_success(question, response, result, &verdict.found);
    if (verdict.status) {
        bool refused = verdict.status == CASEHOOK_E_HTTP_STATUS;
        verdict.outcome = refused ? CASEHOOK_OUTCOME_REFUSED : CASEHOOK_OUTCOME_UNKNOWN;
        result->error.http_status = response->status;
    }
    return verdict;
}

/* A gateway that got no answer does not know what the server behind it did. */
static int refusal(int http_status)
{
    return http_status == BAD_GATEWAY || http_status == GATEWAY_TIMEOUT ? CASEHOOK_OUTCOME_UNKNOWN
                                                                        : CASEHOOK_OUTCOME_REFUSED;
}

/* The tracker says that it has had this key before (D4). */
static bool is_duplicate(const struct casehook__question *question, int http_status)
{
    const struct casehook__idempotency *idempotency = question->config->idempotency;
    if (!idempotency || !question->request->idempotency_key.data) return false;
    for (size_t i = 0; i < idempotency->duplicate_count; i++)
        if (idempotency->duplicate_statuses[i] == http_status) return true;
    return false;
}

static struct casehook__verdict judge_refusal(const struct casehook__question *question,
                                              const struct casehook__response *response,
                                              struct casehook_error *error)
{
    char text[CASEHOOK__EXCERPT_MAX + 1];
    if (response->body.length)
        casehook__fail(error, CASEHOOK_E_HTTP_STATUS, "%s: the server answered %d: \"%s\"%s",
                       casehook__question_target(question), response->status,
                       answer_excerpt(question, response->body, text),
                       casehook__answer_advice(question, response));
    else
        casehook__fail(error, CASEHOOK_E_HTTP_STATUS, "%s: the server answered %d without a body%s",
                       casehook__question_target(question), response->status,
                       casehook__answer_advice(question, response));
    error->http_status = response->status;
    if (response->retry_after.data)
        error->retry_after_ms = casehook__clock_retry_after(
            response->retry_after, question->clock->unix_ms(question->clock->user) / 1000);
    return (struct casehook__verdict){.status = error->status,
                                      .http_status = response->status,
                                      .outcome = refusal(response->status),
                                      .duplicate = is_duplicate(question, response->status)};
}

struct casehook__verdict casehook__answer_judge(const struct casehook__question *question,
                                                const struct casehook__response *response,
                                                struct casehook_result *result)
{
    return response->status >= 200 && response->status <= 299
               ? judge_success(question, response, result)
               : judge_refusal(question, response, &result->error);
}

/* ---- no answer, or half of one --------------------------------------------------------------- */

/* A success that broke off: its status, an excerpt, and the id where it is whole. */
static void keep_partial(const struct casehook__question *question, const struct casehook__response *response,
                         struct casehook_result *result)
{
    struct casehook_error *error = &result->error, before = *error;
    char text[CASEHOOK__EXCERPT_MAX + 1];
    bool learnt = casehook__learn_partial_id(question, response, result);
    error->http_status = response->status;
    casehook__fail(error, before.status, "%s; the server had begun to answer %d%s%s%s%s", before.message,
                   response->status, response->body.length ? ": \"" : "",
                   response->body.length ? answer_excerpt(question, response->body, text) : "",
                   response->body.length ? "\"" : "", learnt ? "; " CASEHOOK__ID_IS_KEPT : "");
}

struct casehook__verdict casehook__failure_judge(const struct casehook__question *question,
                                                 const struct casehook__failure *failure,
                                                 struct casehook_result *result)
{
    char message[CASEHOOK__ERROR_MESSAGE_SIZE]; /* words of the other side may be in it */
    char advice[192];
    casehook__mask_excerpt(question->mask, casehook__text(failure->message), message, sizeof message);
    casehook__failure_advice(question, failure, advice, sizeof advice);
    casehook__fail(&result->error, failure->status, "%s: %s%s", casehook__question_target(question), message,
                   advice);
    if (failure->partial) keep_partial(question, failure->partial, result);
    return (struct casehook__verdict){.status = failure->status,
                                      .http_status = failure->partial ? failure->partial->status : 0,
                                      .outcome = failure->sent ? CASEHOOK_OUTCOME_UNKNOWN
                                                               : CASEHOOK_OUTCOME_NOT_SENT,
                                      .lasting = failure->lasting};
}
