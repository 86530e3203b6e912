/* exchange.c - the order of requests of one operation, and what is rendered for each. */
#include "exchange/exchange_private.h"

#include "base/clock.h"

#include <stdio.h>

#define SHOWN_URL_MAX 2048 /* bytes: what of a URL from outside is kept in a result */
#define PREVIEW_ID    "EXTERNAL-ID"
#define PREVIEW_TITLE "EXTERNAL-TITLE"

void casehook__exchange_init(struct casehook__exchange *exchange, struct casehook__heap *heap)
{
    *exchange = (struct casehook__exchange){.heap = heap, .deadline = CASEHOOK__NO_DEADLINE};
    casehook__params_init(&exchange->params, heap);
    casehook__buf_init(&exchange->url, heap, CASEHOOK__URL_MAX_BYTES);
    casehook__buf_init(&exchange->next_url, heap, CASEHOOK__URL_MAX_BYTES);
    casehook__buf_init(&exchange->body, heap, CASEHOOK__BODY_MAX_BYTES);
    casehook__buf_init(&exchange->scratch, heap, CASEHOOK__BODY_MAX_BYTES);
}

void casehook__exchange_free(struct casehook__exchange *exchange)
{
    casehook__params_free(&exchange->params);
    casehook__buf_free(&exchange->url);
    casehook__buf_free(&exchange->next_url);
    casehook__buf_free(&exchange->body);
    casehook__buf_free(&exchange->scratch);
    casehook_result_free(exchange->result);
    exchange->result = NULL;
}

static bool creates(const struct casehook__exchange *exchange)
{
    return exchange->operation == CASEHOOK_CREATE ||
           (exchange->operation == CASEHOOK_PUSH && !exchange->params.external_id.data);
}

static enum casehook__call call_of(const struct casehook__exchange *exchange)
{
    switch (exchange->stage) {
    case CASEHOOK__STAGE_READ: return CASEHOOK__CALL_GET;
    case CASEHOOK__STAGE_COMMENT: return CASEHOOK__CALL_COMMENT;
    default: return creates(exchange) ? CASEHOOK__CALL_CREATE : CASEHOOK__CALL_UPDATE;
    }
}

/* Makes the request of the current stage; a fault ends the operation. */
static void prepare_request(struct casehook__exchange *exchange)
{
    enum casehook__call call = call_of(exchange);
    const struct casehook__call_config *config = &exchange->config->calls[call];
    size_t comment = exchange->stage == CASEHOOK__STAGE_COMMENT ? exchange->comment : SIZE_MAX;
    exchange->redirects = 0;
    exchange->written = false;
    exchange->prepared = false;
    exchange->request =
        (struct casehook__request){.call = call, .method = config->method, .configured = true};
    if (casehook__exchange_render(exchange, call, comment)) {
        casehook__exchange_stop(exchange, CASEHOOK_OUTCOME_NOT_SENT, false);
        return;
    }
    exchange->request.url = casehook__buf_string(&exchange->url);
    exchange->request.origin = casehook__url_template_origin(config->url);
    if (config->body) exchange->request.body = casehook__buf_text(&exchange->body);
    exchange->prepared = true;
}

/* A comment without text, or without a call to send it with, is skipped whatever happens (R1). */
static int skip_comments(struct casehook__exchange *exchange)
{
    struct casehook_result *result = exchange->result;
    for (size_t i = 0; i < result->comment_count; i++)
        if (exchange->params.comments[i].text.length == 0 || !exchange->config->has_comments)
            result->comments[i].state = CASEHOOK_COMMENT_SKIPPED;
    if (exchange->operation != CASEHOOK_COMMENT || exchange->config->has_comments) return CASEHOOK_OK;
    result->error.step = "config";
    casehook__error_set_field(&result->error, "config.createCommentUrl");
    return casehook__fail(&result->error, CASEHOOK_E_CONFIG,
                          "this connector has no comment configuration: give createCommentUrl, "
                          "createCommentJson and a createCommentMethod");
}

static int first_stage(int operation)
{
    switch (operation) {
    case CASEHOOK_GET: return CASEHOOK__STAGE_READ;
    case CASEHOOK_COMMENT: return CASEHOOK__STAGE_COMMENT;
    default: return CASEHOOK__STAGE_WRITE;
    }
}

static void keep_given_id(struct casehook__exchange *exchange)
{
    struct casehook__text id = exchange->params.external_id;
    if (!id.data || exchange->operation == CASEHOOK_CREATE) return;
    memcpy(exchange->result->id, id.data, id.length); /* params made sure that it fits (K5) */
    exchange->result->id[id.length] = '\0';
    exchange->result->id_length = id.length;
}

/* Finds what can be found before anything is sent; when the caller wants an end the first request has failed.
 */
static void rehearse(struct casehook__exchange *exchange)
{
    struct casehook__request request;
    struct casehook__failure failure = {0};
    if (casehook__exchange_rehearse(exchange, &failure))
        casehook__exchange_stop(exchange, CASEHOOK_OUTCOME_NOT_SENT, false);
    else if (failure.status && casehook__exchange_next(exchange, &request))
        casehook__exchange_fail(exchange, &failure);
}

int casehook__exchange_begin(struct casehook__exchange *exchange, int operation, bool preview)
{
    const struct casehook__config *config = exchange->config;
    casehook_result_free(exchange->result);
    exchange->operation = operation;
    exchange->preview = preview;
    exchange->stage = CASEHOOK__STAGE_ENDED;
    exchange->comment = exchange->steps = 0;
    exchange->waiting = exchange->prepared = exchange->commented = false;
    exchange->result = casehook__result_new(exchange->heap, &exchange->params);
    if (!exchange->result) return CASEHOOK_E_NO_MEMORY;
    exchange->result->preview = preview;
    exchange->result->has_fields = config->create_field_count || config->get_field_count;
    keep_given_id(exchange);
    if (skip_comments(exchange)) return CASEHOOK_OK;
    exchange->stage = first_stage(operation);
    prepare_request(exchange);
    if (exchange->prepared) rehearse(exchange);
    return CASEHOOK_OK;
}

struct casehook__exchange_record *casehook__exchange_current(struct casehook__exchange *exchange)
{
    return &exchange->result->exchanges[exchange->result->exchange_count - 1];
}

const char *casehook__exchange_show_url(struct casehook__exchange *exchange, const char *url, bool whole)
{
    struct casehook__buf *shown = &exchange->scratch;
    size_t length = strlen(url);
    bool cut = !whole && length > SHOWN_URL_MAX;
    if (cut) length = SHOWN_URL_MAX;
    size_t size = length + sizeof "***"; /* no secret that is searched for is shorter */
    char *masked = casehook__alloc(exchange->heap, size);
    if (!masked) return NULL;
    /* First, because a secret may hold the signs that divide a URL. */
    casehook__mask_excerpt(exchange->mask, (struct casehook__text){url, length}, masked, size);
    casehook__buf_clear(shown);
    if (whole)
        casehook__buf_append_string(shown, masked);
    else
        casehook__url_for_display(shown, masked, exchange->config->secret_url);
    if (cut) casehook__buf_append_string(shown, "...");
    casehook__free(exchange->heap, masked);
    return shown->status ? NULL : shown->data;
}

/* A preview shows the URL that would be requested, everything else one without query values. */
static char *display_url(struct casehook__exchange *exchange)
{
    bool whole = exchange->preview && !exchange->config->secret_url;
    const char *shown = casehook__exchange_show_url(exchange, exchange->request.url, whole);
    return shown ? casehook__copy(exchange->heap, shown, exchange->scratch.length) : NULL;
}

/* The record is made before the request goes out: what was sent must not go missing for lack of memory. */
static bool record_request(struct casehook__exchange *exchange)
{
    struct casehook__exchange_record *entry = casehook__result_record(exchange->result);
    if (!entry) return false;
    entry->step = casehook__call_name(exchange->request.call);
    entry->method = casehook__method_name(exchange->request.method);
    entry->url = display_url(exchange);
    return entry->url != NULL;
}

bool casehook__exchange_next(struct casehook__exchange *exchange, struct casehook__request *request)
{
    if (exchange->stage == CASEHOOK__STAGE_ENDED || exchange->waiting) return false;
    if (!exchange->prepared) prepare_request(exchange);
    if (!exchange->prepared) return false;
    if (!record_request(exchange)) {
        casehook__fail_memory(&exchange->result->error);
        casehook__exchange_stop(exchange, CASEHOOK_OUTCOME_NOT_SENT, true);
        return false;
    }
    exchange->prepared = false;
    exchange->waiting = true;
    *request = exchange->request;
    return true;
}

void casehook__exchange_feed(struct casehook__exchange *exchange, const struct casehook__response *response)
{
    if (!exchange->waiting) return;
    exchange->waiting = false;
    casehook__exchange_current(exchange)->status = response->status;
    if (response->status >= 200 && response->status <= 299)
        casehook__exchange_accept(exchange, response);
    else if (response->status >= 300 && response->status <= 399)
        casehook__exchange_redirect(exchange, response);
    else
        casehook__exchange_refuse(exchange, response);
}

void casehook__exchange_fail(struct casehook__exchange *exchange, const struct casehook__failure *failure)
{
    if (!exchange->waiting) return;
    exchange->waiting = false;
    int outcome = failure->sent ? CASEHOOK_OUTCOME_UNKNOWN : CASEHOOK_OUTCOME_NOT_SENT;
    char message[CASEHOOK__ERROR_MESSAGE_SIZE]; /* words of the other side may be in it */
    char advice[192];
    casehook__mask_excerpt(exchange->mask, casehook__text(failure->message), message, sizeof message);
    casehook__exchange_current(exchange)->outcome = outcome;
    casehook__exchange_failure_advice(exchange, failure, advice, sizeof advice);
    casehook__fail(&exchange->result->error, failure->status, "%s: %s%s", casehook__exchange_target(exchange),
                   message, advice);
    if (failure->partial) casehook__exchange_keep_partial(exchange, failure->partial);
    /* Lack of memory or time passes by itself, whoever met it. */
    bool passes = failure->status == CASEHOOK_E_NO_MEMORY || failure->status == CASEHOOK_E_TIMEOUT;
    casehook__exchange_stop(exchange, outcome, failure->retryable || passes);
}

static void view_url(struct casehook__exchange *exchange)
{
    struct casehook_result *result = exchange->result;
    struct casehook__param_tree tree;
    struct casehook__text none = {NULL, 0}, title = {result->title, result->title_length};
    casehook__params_tree(&exchange->params, casehook__exchange_known_id(exchange), title, none, &tree);
    casehook__buf_clear(&exchange->next_url);
    int status = casehook__url_template_render(exchange->config->view_url, &tree.root, false,
                                               &exchange->next_url, NULL, &result->error);
    if (!status) {
        result->url = casehook__copy(exchange->heap, exchange->next_url.data, exchange->next_url.length);
        result->url_length = exchange->next_url.length;
        if (!result->url) status = casehook__fail_memory(&result->error);
    }
    if (status) {
        result->error.step = "view_url";
        casehook__error_set_field(&result->error, "config.viewIncidentUrl");
        casehook__exchange_stop(exchange, CASEHOOK_OUTCOME_NONE, false);
    }
}

/* On to the first comment from index on that is to be sent, or to the end. */
static void next_comment(struct casehook__exchange *exchange, size_t index)
{
    exchange->stage = CASEHOOK__STAGE_ENDED;
    if (exchange->operation != CASEHOOK_PUSH) return;
    for (; index < exchange->result->comment_count; index++) {
        if (!casehook__exchange_sends_comment(exchange, index)) continue;
        exchange->stage = CASEHOOK__STAGE_COMMENT;
        exchange->comment = index;
        return;
    }
}

void casehook__exchange_advance(struct casehook__exchange *exchange)
{
    if (exchange->stage == CASEHOOK__STAGE_WRITE) {
        exchange->stage = CASEHOOK__STAGE_READ;
    } else if (exchange->stage == CASEHOOK__STAGE_COMMENT) {
        if (!exchange->preview) exchange->result->comments[exchange->comment].state = CASEHOOK_COMMENT_SENT;
        exchange->commented = true;
        next_comment(exchange, exchange->comment + 1);
    } else if (exchange->operation == CASEHOOK_GET) {
        exchange->stage = CASEHOOK__STAGE_ENDED;
    } else {
        view_url(exchange);
        if (exchange->result->error.status) return;
        if (!exchange->preview) casehook__clock_iso(exchange->result->pushed_date);
        next_comment(exchange, 0);
    }
}

/* Whether the whole operation may be called again without doing twice what was done (R3). */
static bool may_repeat(const struct casehook__exchange *exchange, int outcome)
{
    enum casehook__call call = exchange->request.call;
    if (exchange->commented || exchange->written) return false;
    if (creates(exchange) && exchange->result->id_length) return false;
    return outcome != CASEHOOK_OUTCOME_UNKNOWN ||
           (call != CASEHOOK__CALL_CREATE && call != CASEHOOK__CALL_COMMENT);
}

void casehook__exchange_stop(struct casehook__exchange *exchange, int outcome, bool transient)
{
    struct casehook_error *error = &exchange->result->error;
    if (exchange->written) outcome = CASEHOOK_OUTCOME_UNKNOWN;
    if (error->status == CASEHOOK_E_PARAMS) {
        if (exchange->result->exchange_count == 0)
            casehook__error_set_step(error, "params");
        else /* the id that the server gave does not fit into the request */
            error->status = CASEHOOK_E_RESPONSE;
    }
    casehook__error_set_step(error, casehook__call_name(exchange->request.call));
    error->outcome = outcome;
    error->retryable = transient && may_repeat(exchange, outcome);
    if (exchange->stage == CASEHOOK__STAGE_COMMENT && strcmp(error->step, "params") != 0)
        exchange->result->comments[exchange->comment].state = CASEHOOK_COMMENT_FAILED;
    exchange->stage = CASEHOOK__STAGE_ENDED;
    exchange->prepared = false;
}

const char *casehook__exchange_target(struct casehook__exchange *exchange)
{
    const struct casehook__exchange_record *entry = casehook__exchange_current(exchange);
    int length = snprintf(exchange->target, sizeof exchange->target, "%s %s", entry->method, entry->url);
    if (length >= (int)sizeof exchange->target)
        memcpy(exchange->target + sizeof exchange->target - 4, "...", 4);
    return exchange->target;
}

static int pretend_title(struct casehook_result *result)
{
    casehook__free(result->heap, result->title);
    result->title = casehook__copy(result->heap, PREVIEW_TITLE, sizeof PREVIEW_TITLE - 1);
    result->title_length = sizeof PREVIEW_TITLE - 1;
    return result->title ? CASEHOOK_OK : casehook__fail_memory(&result->error);
}

void casehook__exchange_pretend(struct casehook__exchange *exchange)
{
    struct casehook_result *result = exchange->result;
    if (!exchange->waiting) return;
    exchange->waiting = false;
    if (exchange->request.call == CASEHOOK__CALL_CREATE) {
        memcpy(result->id, PREVIEW_ID, sizeof PREVIEW_ID);
        result->id_length = sizeof PREVIEW_ID - 1;
    }
    if (exchange->request.call == CASEHOOK__CALL_GET && pretend_title(result))
        casehook__exchange_stop(exchange, CASEHOOK_OUTCOME_NOT_SENT, false);
    else
        casehook__exchange_advance(exchange);
}

struct casehook_result *casehook__exchange_finish(struct casehook__exchange *exchange)
{
    struct casehook_result *result = exchange->result;
    exchange->result = NULL;
    exchange->stage = CASEHOOK__STAGE_ENDED;
    exchange->deadline = CASEHOOK__NO_DEADLINE;
    exchange->cancel = NULL;
    casehook__params_clear(&exchange->params);
    return result;
}
