/*
 * exchange_render.c - what is rendered for each request, and what of it before anything is sent.
 *
 * A rehearsal finds faults of the params before the case exists (T2, U3).  Its work is bounded for the whole
 * call, not only for each text, and between two texts it hears that the caller wants an end.
 */
#include "exchange/exchange_private.h"

#include "base/cancel.h"
#include "base/clock.h"

#define STEP_BYTES 64 /* of rendered text that count as one step */

static const char *const url_fields[] = {"config.createIncidentUrl", "config.getIncidentUrl",
                                         "config.updateIncidentUrl", "config.createCommentUrl"};
static const char *const body_fields[] = {"config.createIncidentJson", "config.getIncidentJson",
                                          "config.updateIncidentJson", "config.createCommentJson"};

struct casehook__text casehook__exchange_known_id(const struct casehook__exchange *exchange)
{
    const struct casehook_result *result = exchange->result;
    return (struct casehook__text){result->id_length ? result->id : NULL, result->id_length};
}

bool casehook__exchange_sends_comment(const struct casehook__exchange *exchange, size_t index)
{
    return exchange->result->comments[index].state == CASEHOOK_COMMENT_NOT_ATTEMPTED;
}

static void spend(struct casehook__exchange *exchange, size_t bytes)
{
    exchange->steps += bytes / STEP_BYTES;
}

static int render_url(struct casehook__exchange *exchange, enum casehook__call call,
                      const struct casehook__param_tree *tree, struct casehook__buf *url)
{
    struct casehook_error *error = &exchange->result->error;
    casehook__buf_clear(url);
    int status = casehook__url_template_render(exchange->config->calls[call].url, &tree->root, true, url,
                                               &exchange->steps, error);
    spend(exchange, url->length);
    if (status) casehook__error_set_field(error, url_fields[call]);
    return status;
}

static int render_body(struct casehook__exchange *exchange, enum casehook__call call,
                       const struct casehook__param_tree *tree, struct casehook__buf *body)
{
    struct casehook_error *error = &exchange->result->error;
    const struct casehook__template_watch count = {.steps = &exchange->steps};
    casehook__buf_clear(body);
    if (!exchange->config->calls[call].body) return CASEHOOK_OK;
    int status =
        casehook__template_render_at(exchange->config->calls[call].body, &tree->root, &count, body, error);
    spend(exchange, body->length);
    if (status) casehook__error_set_field(error, body_fields[call]);
    return status;
}

/* The values of one request; index: the comment that it sends, if any. */
static void values_of_request(struct casehook__exchange *exchange, size_t index,
                              struct casehook__param_tree *tree)
{
    struct casehook__text none = {NULL, 0};
    bool comment = index < exchange->params.comment_count;
    casehook__params_tree(&exchange->params, casehook__exchange_known_id(exchange), none,
                          comment ? exchange->params.comments[index].text : none, tree);
}

static int check_steps(struct casehook__exchange *exchange, enum casehook__call call, size_t most)
{
    struct casehook_error *error = &exchange->result->error;
    if (exchange->steps <= most) return CASEHOOK_OK;
    casehook__error_set_step(error, casehook__call_name(call));
    casehook__error_set_field(error, body_fields[call]);
    return casehook__fail(error, CASEHOOK_E_LIMIT,
                          "rendering the requests of this call takes more than %zu steps in all: give it "
                          "fewer comments, or this template fewer tags and less text",
                          most);
}

int casehook__exchange_render(struct casehook__exchange *exchange, enum casehook__call call, size_t comment)
{
    struct casehook__param_tree tree;
    values_of_request(exchange, comment, &tree);
    int status = render_url(exchange, call, &tree, &exchange->url);
    if (!status) status = render_body(exchange, call, &tree, &exchange->body);
    return status ? status : check_steps(exchange, call, CASEHOOK__CALL_STEPS_MAX);
}

/* ---- before anything is sent ------------------------------------------------------------------- */

/* True: the caller wants an end, for this reason. */
static bool is_stopped(const struct casehook__exchange *exchange, struct casehook__failure *failure)
{
    if (casehook__cancel_is_set(exchange->cancel))
        *failure = (struct casehook__failure){.status = CASEHOOK_E_CANCELLED,
                                              .message = "cancelled before the request was sent"};
    else if (exchange->deadline != CASEHOOK__NO_DEADLINE && casehook__clock_ms() >= exchange->deadline)
        *failure = (struct casehook__failure){.status = CASEHOOK_E_TIMEOUT,
                                              .retryable = true,
                                              .message = "the deadline of the call has passed"};
    return failure->status != CASEHOOK_OK;
}

/* A fault of the params stays; other faults wait for their own call (C3). */
static int keep_render_fault(struct casehook__exchange *exchange, enum casehook__call call, int status)
{
    if (status == CASEHOOK_E_PARAMS || status == CASEHOOK_E_NO_MEMORY) return status;
    if (status) casehook__error_init(&exchange->result->error);
    return check_steps(exchange, call, CASEHOOK__REHEARSAL_STEPS_MAX);
}

static int foresee_url(struct casehook__exchange *exchange, enum casehook__call call)
{
    struct casehook__param_tree tree;
    if (!casehook__exchange_known_id(exchange).data) return CASEHOOK_OK;
    values_of_request(exchange, SIZE_MAX, &tree);
    return keep_render_fault(exchange, call, render_url(exchange, call, &tree, &exchange->next_url));
}

static int foresee_body(struct casehook__exchange *exchange, enum casehook__call call, size_t comment)
{
    struct casehook__param_tree tree;
    values_of_request(exchange, comment, &tree);
    return keep_render_fault(exchange, call, render_body(exchange, call, &tree, &exchange->scratch));
}

/* All comments have one URL: what they say cannot be in it (T5). */
static int foresee_comments(struct casehook__exchange *exchange, struct casehook__failure *failure)
{
    bool first = true;
    int status = CASEHOOK_OK;
    for (size_t i = 0; i < exchange->result->comment_count && !status; i++) {
        if (!casehook__exchange_sends_comment(exchange, i)) continue;
        if (is_stopped(exchange, failure)) break;
        if (first) status = foresee_url(exchange, CASEHOOK__CALL_COMMENT);
        if (!status) status = foresee_body(exchange, CASEHOOK__CALL_COMMENT, i);
        first = false;
    }
    return status;
}

int casehook__exchange_rehearse(struct casehook__exchange *exchange, struct casehook__failure *failure)
{
    const struct casehook__config *config = exchange->config;
    bool id_known = casehook__exchange_known_id(exchange).data != NULL;
    int status = CASEHOOK_OK;
    if (exchange->stage == CASEHOOK__STAGE_WRITE && id_known) {
        status = foresee_url(exchange, CASEHOOK__CALL_GET);
        if (!status) status = foresee_body(exchange, CASEHOOK__CALL_GET, SIZE_MAX);
    }
    if (status || !config->has_comments || exchange->operation != CASEHOOK_PUSH) return status;
    const struct casehook__call_config *call = &config->calls[CASEHOOK__CALL_COMMENT];
    if (!id_known && casehook__template_uses(call->body, "external.system.id")) return CASEHOOK_OK;
    return foresee_comments(exchange, failure);
}
