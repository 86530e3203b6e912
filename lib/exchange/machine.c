/*
 * machine.c - one operation: its plan is gone through request by request.
 *
 * What an answer means is said by answer.c and redirect.c, what follows from it by decision.c; the machine
 * carries it out.
 */
#include "exchange/machine_private.h"

#include "base/clock.h"

#define ACCEPTED      202
#define PREVIEW_ID    "EXTERNAL-ID"
#define PREVIEW_TITLE "EXTERNAL-TITLE"

static const enum casehook__plan_step ended = CASEHOOK__PLAN_END;

void casehook__machine_init(struct casehook__machine *machine, struct casehook__heap *heap,
                            const struct casehook__config *config,
                            const struct casehook__settings_snapshot *settings,
                            const struct casehook__mask *mask)
{
    *machine = (struct casehook__machine){.heap = heap,
                                          .config = config,
                                          .settings = settings,
                                          .mask = mask,
                                          .deadline = CASEHOOK__NO_DEADLINE,
                                          .plan = &ended,
                                          .step = &ended};
    casehook__params_init(&machine->params, heap);
    casehook__buf_init(&machine->url, heap, CASEHOOK__URL_MAX_BYTES);
    casehook__buf_init(&machine->next_url, heap, CASEHOOK__URL_MAX_BYTES);
    casehook__buf_init(&machine->body, heap, CASEHOOK__BODY_MAX_BYTES);
    casehook__buf_init(&machine->scratch, heap, CASEHOOK__BODY_MAX_BYTES);
}

void casehook__machine_free(struct casehook__machine *machine)
{
    casehook__params_free(&machine->params);
    casehook__buf_free(&machine->url);
    casehook__buf_free(&machine->next_url);
    casehook__buf_free(&machine->body);
    casehook__buf_free(&machine->scratch);
    casehook_result_free(machine->result);
    machine->result = NULL;
}

void casehook__machine_shrink(struct casehook__machine *machine, size_t kept)
{
    struct casehook__buf *buffers[] = {&machine->url, &machine->next_url, &machine->body, &machine->scratch};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers && !machine->prepared; i++)
        if (buffers[i]->capacity > kept) casehook__buf_free(buffers[i]);
}

/* ---- what has ended, and what is done then ------------------------------------------------------ */

struct casehook__request_record *casehook__machine_record(struct casehook__machine *machine)
{
    return &machine->result->requests[machine->result->request_count - 1];
}

/* Ends the operation with the error that lies in the result. */
static void stop(struct casehook__machine *machine, const struct casehook__decision *decision)
{
    struct casehook_result *result = machine->result;
    struct casehook_error *error = &result->error;
    if (error->status == CASEHOOK_E_PARAMS) {
        if (result->request_count == 0)
            casehook__error_set_step(error, CASEHOOK_STEP_PARAMS);
        else /* the id that the server gave does not fit into the request */
            error->status = CASEHOOK_E_RESPONSE;
    }
    casehook__error_set_step(error, casehook__call_kind(machine->request.call)->step);
    error->outcome = decision->outcome;
    error->retryable = decision->retryable;
    if (*machine->step == CASEHOOK__PLAN_COMMENTS && error->step != CASEHOOK_STEP_PARAMS)
        result->comments[machine->comment].state = CASEHOOK_COMMENT_FAILED;
    machine->step = &ended;
    machine->prepared = false;
}

static struct casehook__decision decide(struct casehook__machine *machine,
                                        const struct casehook__verdict *verdict)
{
    machine->progress.effect = casehook__call_kind(machine->request.call)->effect;
    machine->progress.made = *machine->plan == CASEHOOK__PLAN_CREATE && machine->result->id_length;
    return casehook__decide(verdict, &machine->progress);
}

/* Something failed between two requests. */
static void stop_between(struct casehook__machine *machine, int outcome)
{
    struct casehook__verdict verdict = {.status = machine->result->error.status, .outcome = outcome};
    struct casehook__decision decision = decide(machine, &verdict);
    stop(machine, &decision);
}

/* ---- the next request --------------------------------------------------------------------------- */

/* Makes the request of the current step; a fault ends the operation. */
static void prepare_request(struct casehook__machine *machine)
{
    enum casehook__call call = casehook__plan_call(*machine->step);
    const struct casehook__call_config *config = &machine->config->calls[call];
    size_t comment = *machine->step == CASEHOOK__PLAN_COMMENTS ? machine->comment : SIZE_MAX;
    machine->redirects = 0;
    machine->progress.written = false;
    machine->prepared = false;
    machine->request = (struct casehook__request){.call = call, .method = config->method, .configured = true};
    if (casehook__machine_render(machine, call, comment)) {
        stop_between(machine, CASEHOOK_OUTCOME_NOT_SENT);
        return;
    }
    machine->request.url = casehook__buf_string(&machine->url);
    casehook__url_template_origin(config->url, &machine->origin);
    machine->request.origin = &machine->origin;
    if (config->body) machine->request.body = casehook__buf_text(&machine->body);
    machine->prepared = true;
}

/* A preview shows the URL that would be requested, everything else one without query values. */
static char *display_url(struct casehook__machine *machine)
{
    bool whole = machine->preview && !machine->config->secret_url;
    const char *shown =
        casehook__shown_url(machine->config, machine->mask, machine->request.url, whole, &machine->scratch);
    return shown ? casehook__copy(machine->heap, shown, machine->scratch.length) : NULL;
}

/* The record is made before the request goes out: what was sent must not go missing for lack of memory. */
static bool record_request(struct casehook__machine *machine)
{
    struct casehook__request_record *record = casehook__result_record(machine->result);
    if (!record) return false;
    record->step = casehook__call_kind(machine->request.call)->step;
    record->method = casehook__method_name(machine->request.method);
    record->url = display_url(machine);
    if (!machine->preview) {
        record->begun = casehook__clock_ms();
        record->started_ms = casehook__clock_unix_ms();
    }
    return record->url != NULL;
}

enum casehook__turn casehook__machine_next(struct casehook__machine *machine,
                                           struct casehook__request *request)
{
    if (*machine->step == CASEHOOK__PLAN_END || machine->waiting) return CASEHOOK__TURN_ENDED;
    if (!machine->prepared) prepare_request(machine);
    if (!machine->prepared) return CASEHOOK__TURN_ENDED;
    if (!record_request(machine)) {
        casehook__fail_memory(&machine->result->error);
        stop_between(machine, CASEHOOK_OUTCOME_NOT_SENT);
        return CASEHOOK__TURN_ENDED;
    }
    machine->prepared = false;
    machine->waiting = true;
    *request = machine->request;
    return CASEHOOK__TURN_SEND;
}

/* ---- the beginning ------------------------------------------------------------------------------ */

/* A comment without text, or without a call to send it with, is skipped whatever happens (R1). */
static int skip_comments(struct casehook__machine *machine)
{
    struct casehook_result *result = machine->result;
    for (size_t i = 0; i < result->comment_count; i++)
        if (machine->params.comments[i].text.length == 0 || !machine->config->has_comments)
            result->comments[i].state = CASEHOOK_COMMENT_SKIPPED;
    if (machine->operation != CASEHOOK_COMMENT || machine->config->has_comments) return CASEHOOK_OK;
    result->error.step = CASEHOOK_STEP_CONFIG;
    casehook__error_set_config_field(&result->error, casehook__call_kind(CASEHOOK__CALL_COMMENT)->url);
    return casehook__fail(&result->error, CASEHOOK_E_CONFIG,
                          "this connector has no comment configuration: give createCommentUrl, "
                          "createCommentJson and a createCommentMethod");
}

static void keep_given_id(struct casehook__machine *machine)
{
    struct casehook__text id = machine->params.external_id;
    if (!id.data || machine->operation == CASEHOOK_CREATE) return;
    memcpy(machine->result->id, id.data, id.length); /* params made sure that it fits (K5) */
    machine->result->id[id.length] = '\0';
    machine->result->id_length = id.length;
}

/* Finds what can be found before anything is sent; when the caller wants an end the first request has failed.
 */
static void rehearse(struct casehook__machine *machine)
{
    struct casehook__request request;
    struct casehook__failure failure = {0};
    if (casehook__machine_rehearse(machine, &failure))
        stop_between(machine, CASEHOOK_OUTCOME_NOT_SENT);
    else if (failure.status && casehook__machine_next(machine, &request) == CASEHOOK__TURN_SEND)
        casehook__machine_fail(machine, &failure);
}

int casehook__machine_begin(struct casehook__machine *machine, int operation, bool preview)
{
    const struct casehook__call_config *calls = machine->config->calls;
    casehook_result_free(machine->result);
    machine->operation = operation;
    machine->preview = preview;
    machine->plan = machine->step = &ended;
    machine->progress = (struct casehook__progress){0};
    machine->comment = machine->steps = 0;
    machine->waiting = machine->prepared = machine->was_accepted = false;
    machine->result = casehook__result_new(machine->heap, &machine->params);
    if (!machine->result) return CASEHOOK_E_NO_MEMORY;
    machine->result->preview = preview;
    machine->result->operation = operation;
    machine->result->user = machine->user;
    for (size_t i = 0; i < CASEHOOK__CALLS; i++)
        if (calls[i].field_count) machine->result->has_fields = true;
    keep_given_id(machine);
    if (skip_comments(machine)) return CASEHOOK_OK;
    machine->plan = machine->step = casehook__plan(operation, !machine->params.external_id.data);
    prepare_request(machine);
    if (machine->prepared) rehearse(machine);
    return CASEHOOK_OK;
}

/* ---- on through the plan ------------------------------------------------------------------------ */

static int write_view_url(struct casehook__machine *machine)
{
    struct casehook_result *result = machine->result;
    struct casehook__param_tree tree;
    struct casehook__text none = {NULL, 0}, title = {result->title, result->title_length};
    casehook__params_tree(&machine->params, casehook__machine_known_id(machine), title, none, &tree);
    casehook__buf_clear(&machine->next_url);
    int status = casehook__url_template_render(machine->config->view_url, &tree.root, false,
                                               &machine->next_url, NULL, &result->error);
    if (status) return status;
    result->url = casehook__copy(machine->heap, machine->next_url.data, machine->next_url.length);
    result->url_length = machine->next_url.length;
    return result->url ? CASEHOOK_OK : casehook__fail_memory(&result->error);
}

/* The case is pushed: its URL for people, and when. */
static void end_push(struct casehook__machine *machine)
{
    struct casehook_result *result = machine->result;
    if (write_view_url(machine)) {
        result->error.step = CASEHOOK_STEP_VIEW_URL;
        casehook__error_set_field(&result->error, "config.viewIncidentUrl");
        stop_between(machine, CASEHOOK_OUTCOME_NONE);
        return;
    }
    if (!machine->preview) casehook__clock_iso(result->pushed_date);
    machine->step++;
}

/* To the first comment from machine->comment on that is to be sent; false: there is none. */
static bool find_comment(struct casehook__machine *machine)
{
    while (machine->comment < machine->result->comment_count &&
           !casehook__machine_sends_comment(machine, machine->comment))
        machine->comment++;
    return machine->comment < machine->result->comment_count;
}

/* The call was answered well: on to the next step that has a request. */
static void advance(struct casehook__machine *machine)
{
    if (*machine->step == CASEHOOK__PLAN_COMMENTS) {
        if (!machine->preview) machine->result->comments[machine->comment].state = CASEHOOK_COMMENT_SENT;
        machine->progress.commented = true;
        machine->comment++;
    } else {
        machine->step++;
    }
    if (*machine->step == CASEHOOK__PLAN_VIEW) end_push(machine);
    if (*machine->step == CASEHOOK__PLAN_COMMENTS && !find_comment(machine)) machine->step++;
}

/* ---- answers ------------------------------------------------------------------------------------ */

/* target: room of TARGET_SIZE for its words. */
static struct casehook__question question_of(struct casehook__machine *machine, char *target)
{
    const struct casehook__request_record *record = casehook__machine_record(machine);
    return (struct casehook__question){.config = machine->config,
                                       .settings = machine->settings,
                                       .mask = machine->mask,
                                       .request = &machine->request,
                                       .method = record->method,
                                       .url = record->url,
                                       .target = target,
                                       .scratch = &machine->scratch,
                                       .was_accepted = machine->was_accepted};
}

/* The request goes on to where the redirect leads, which lies in next_url. */
static void go_on(struct casehook__machine *machine, const struct casehook__hop *hop)
{
    struct casehook__request *request = &machine->request;
    struct casehook__buf previous = machine->url;
    machine->url = machine->next_url;
    machine->next_url = previous;
    machine->origin = hop->origin;
    machine->redirects++;
    machine->progress.written |= hop->written;
    if (request->method != hop->method) request->body = (struct casehook__text){NULL, 0};
    request->method = hop->method;
    request->configured = hop->configured;
    request->origin = &machine->origin;
    request->url = casehook__buf_string(&machine->url);
    machine->prepared = true;
}

static void carry_out(struct casehook__machine *machine, const struct casehook__verdict *verdict,
                      const struct casehook__hop *hop)
{
    struct casehook__request_record *record = casehook__machine_record(machine);
    struct casehook__decision decision = decide(machine, verdict);
    record->status = verdict->http_status;
    record->outcome = verdict->outcome;
    if (!machine->preview) record->duration_ms = casehook__clock_ms() - record->begun;
    switch (decision.action) {
    case CASEHOOK__ACTION_NEXT: advance(machine); break;
    case CASEHOOK__ACTION_AGAIN: go_on(machine, hop); break;
    case CASEHOOK__ACTION_STOP: stop(machine, &decision); break;
    }
}

void casehook__machine_feed(struct casehook__machine *machine, const struct casehook__response *response)
{
    struct casehook__hop hop;
    struct casehook__verdict verdict;
    char target[CASEHOOK__TARGET_SIZE];
    if (!machine->waiting) return;
    machine->waiting = false;
    struct casehook__question question = question_of(machine, target);
    if (response->status >= 300 && response->status <= 399)
        verdict = casehook__redirect_judge(&question, response, machine->redirects, &hop, &machine->next_url,
                                           &machine->result->error);
    else
        verdict = casehook__answer_judge(&question, response, machine->result);
    if (response->status == ACCEPTED) machine->was_accepted = true;
    carry_out(machine, &verdict, &hop);
}

void casehook__machine_fail(struct casehook__machine *machine, const struct casehook__failure *failure)
{
    char target[CASEHOOK__TARGET_SIZE];
    if (!machine->waiting) return;
    machine->waiting = false;
    struct casehook__question question = question_of(machine, target);
    struct casehook__verdict verdict = casehook__failure_judge(&question, failure, machine->result);
    carry_out(machine, &verdict, NULL);
}

static int pretend_title(struct casehook_result *result)
{
    casehook__free(result->heap, result->title);
    result->title = casehook__copy(result->heap, PREVIEW_TITLE, sizeof PREVIEW_TITLE - 1);
    result->title_length = sizeof PREVIEW_TITLE - 1;
    return result->title ? CASEHOOK_OK : casehook__fail_memory(&result->error);
}

void casehook__machine_pretend(struct casehook__machine *machine)
{
    struct casehook_result *result = machine->result;
    enum casehook__learns learns = casehook__call_kind(machine->request.call)->learns;
    if (!machine->waiting) return;
    machine->waiting = false;
    if (learns == CASEHOOK__LEARNS_ID) {
        memcpy(result->id, PREVIEW_ID, sizeof PREVIEW_ID);
        result->id_length = sizeof PREVIEW_ID - 1;
    }
    if (learns == CASEHOOK__LEARNS_TITLE && pretend_title(result))
        stop_between(machine, CASEHOOK_OUTCOME_NOT_SENT);
    else
        advance(machine);
}

struct casehook_result *casehook__machine_finish(struct casehook__machine *machine)
{
    struct casehook_result *result = machine->result;
    result->error.heap = result->heap; /* for its JSON */
    machine->result = NULL;
    machine->user = 0;
    machine->plan = machine->step = &ended;
    machine->deadline = CASEHOOK__NO_DEADLINE;
    machine->cancel = NULL;
    casehook__params_clear(&machine->params);
    return result;
}
