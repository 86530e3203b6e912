/*
 * machine.c - one operation: its plan is gone through request by request.
 *
 * What an answer means is said by answer.c and redirect.c, what follows from it by decision.c;
 * machine_settle.c carries it out.
 */
#include "exchange/machine_private.h"

#include "exchange/idempotency.h"
#include "exchange/resume.h"

#include <stdio.h>

void casehook__machine_init(struct casehook__machine *machine, struct casehook__heap *heap,
                            const struct casehook__machine_context *context)
{
    *machine =
        (struct casehook__machine){.heap = heap, .context = context, .deadline = CASEHOOK__NO_DEADLINE};
    casehook__machine_end(machine);
    casehook__params_init(&machine->params, heap);
    casehook__buf_init(&machine->url, heap, CASEHOOK__URL_MAX_BYTES);
    casehook__buf_init(&machine->next_url, heap, CASEHOOK__URL_MAX_BYTES);
    casehook__buf_init(&machine->body, heap, CASEHOOK__BODY_MAX_BYTES);
    casehook__buf_init(&machine->scratch, heap, CASEHOOK__BODY_MAX_BYTES);
}

void casehook__machine_free(struct casehook__machine *machine)
{
    casehook__machine_end(machine);
    casehook__params_free(&machine->params);
    casehook__buf_free(&machine->url);
    casehook__buf_free(&machine->next_url);
    casehook__buf_free(&machine->body);
    casehook__buf_free(&machine->scratch);
    casehook__free(machine->heap, machine->key);
    casehook__made_free(machine->made);
    machine->key = NULL;
    machine->made = NULL;
    casehook__extra_free(machine);
    casehook_result_free(machine->result);
    machine->result = NULL;
}

static void shrink_buffer(struct casehook__buf *buf, size_t kept)
{
    if (buf->capacity > kept) casehook__buf_free(buf);
}

/* A hop of a redirect is where the answer said; every other request can be rendered again. */
void casehook__machine_shrink(struct casehook__machine *machine, size_t kept)
{
    bool delayed = machine->state == CASEHOOK__MACHINE_DELAYED;
    shrink_buffer(&machine->scratch, kept);
    shrink_buffer(&machine->next_url, kept);
    if (machine->state == CASEHOOK__MACHINE_ENDED || (delayed && !machine->redirects)) {
        shrink_buffer(&machine->url, kept);
        shrink_buffer(&machine->body, kept);
        if (delayed) machine->wakes_as = CASEHOOK__MACHINE_TO_RENDER;
    }
    if (delayed) casehook__result_release_id(machine->result);
}

/* ---- the next request --------------------------------------------------------------------------- */

/* The call of the step that the plan stands at; or the one that looks what became of it. */
static enum casehook__call call_of_step(const struct casehook__machine *machine)
{
    return machine->progress.looking ? CASEHOOK__CALL_FIND : casehook__plan_call(*machine->step);
}

/* Makes the request; a fault ends the operation. */
static void render_request(struct casehook__machine *machine)
{
    enum casehook__call call = call_of_step(machine);
    if (machine->progress.fetching) {
        casehook__extra_render_token(machine);
        return;
    }
    const struct casehook__call_config *config = &machine->context->config->calls[call];
    size_t comment = *machine->step == CASEHOOK__PLAN_COMMENTS ? machine->comment : SIZE_MAX;
    machine->redirects = 0;
    machine->steps = machine->steps_before; /* a second try costs the caller nothing */
    machine->progress.written = false;
    machine->progress.effect = casehook__call_kind(call)->effect;
    machine->request = (struct casehook__request){.call = call, .method = config->method, .configured = true};
    if (casehook__machine_render(machine, call, comment)) {
        casehook__machine_stop(machine, CASEHOOK_OUTCOME_NOT_SENT);
        return;
    }
    machine->request.url = casehook__buf_string(&machine->url);
    casehook__url_template_origin(config->url, &machine->origin);
    machine->request.origin = &machine->origin;
    if (config->body) machine->request.body = casehook__buf_text(&machine->body);
    if (machine->extra) casehook__own_name(machine);
    if (machine->key && casehook__call_kind(call)->keyed) {
        machine->request.idempotency_key = casehook__text(machine->key);
        machine->progress.keyed = machine->context->config->idempotency->counts;
    }
    machine->state = CASEHOOK__MACHINE_READY;
}

/* A preview shows the URL that would be requested, everything else one without query values. */
static char *display_url(struct casehook__machine *machine)
{
    bool whole = machine->preview && !machine->context->config->secret_url;
    const char *url = casehook__machine_url_to_show(machine), *shown = NULL;
    if (url)
        shown = casehook__shown_url(machine->context->config, machine->context->mask, url, whole,
                                    &machine->scratch);
    return shown ? casehook__copy(machine->heap, shown, machine->scratch.length) : NULL;
}

/* The record is made before the request goes out: what was sent must not go missing for lack of memory. */
static bool record_request(struct casehook__machine *machine)
{
    struct casehook__request_record *record = casehook__result_record(machine->result);
    if (!record) return false;
    record->step = casehook__call_kind(machine->request.call)->step;
    record->method = casehook__method_name(machine->request.method);
    record->attempt = machine->progress.fetching ? machine->progress.token_tries : machine->progress.tries;
    record->delay_ms = machine->delay_ms;
    record->url = display_url(machine);
    if (!machine->preview) {
        record->begun = casehook__clock_ms();
        record->started_ms = casehook__clock_unix_ms();
    }
    return record->url != NULL;
}

#define TURN_NAP_MS 1000

/* Turns come earlier when others give theirs up: a long wait is looked at a few times on its way. */
static void nap(struct casehook__machine *machine, int64_t now)
{
    int64_t part = (machine->wake_at - now) / 4;
    if (part < TURN_NAP_MS || !machine->place.follows) return;
    machine->delay_ms -= machine->wake_at - now - part;
    machine->wake_at = now + part;
}

/* Whether it is retry.deadline that passes first, and not the deadline of the call. */
static bool retries_end_first(const struct casehook__machine *machine)
{
    uint32_t most = machine->context->settings->retry.deadline_ms;
    return most && machine->begun + most < machine->deadline;
}

/* What limits the connector does not let the request go out before that time: the operation ends. */
static void end_refused(struct casehook__machine *machine, enum casehook__admission admission, int64_t now,
                        int64_t at)
{
    struct casehook__failure failure = {.status = CASEHOOK_E_TIMEOUT};
    char message[192];
    if (admission == CASEHOOK__CIRCUIT_OPEN) {
        failure.status = CASEHOOK_E_UNAVAILABLE;
        /* Behind a create of which nobody knows, to call again would make a second case. */
        snprintf(message, sizeof message,
                 "the last %u requests to this tracker failed (circuit.failures), so nothing is sent for "
                 "another %lld ms%s",
                 machine->context->settings->limits.circuit_failures, (long long)(at - now),
                 machine->progress.looking ? "" : ": call again then");
    } else {
        snprintf(message, sizeof message,
                 "the turn of this request under rateLimit comes in %lld ms, after %s", (long long)(at - now),
                 retries_end_first(machine) ? "retry.deadline" : "the deadline of the call");
    }
    failure.message = message;
    casehook__machine_give_up(machine, &failure);
    if (machine->result->error.status == CASEHOOK_E_UNAVAILABLE)
        machine->result->error.retry_after_ms = at - now;
}

/* A request for a token goes to another server than they are about. */
static bool is_limited(const struct casehook__machine *machine)
{
    return machine->context->limiter && !machine->preview && !machine->progress.fetching;
}

/* What limits the connector lets the request go out now; else the machine waits, or the operation ends. */
static bool is_admitted(struct casehook__machine *machine)
{
    int64_t now, at = 0;
    if (!is_limited(machine)) return true;
    now = casehook__machine_now(machine);
    enum casehook__admission admission =
        casehook__limiter_ask(machine->context->limiter, now, &machine->place, &at);
    if (admission == CASEHOOK__ADMITTED) return true;
    if (admission == CASEHOOK__ADMITTED_LATER &&
        casehook__machine_delay(machine, at, CASEHOOK__MACHINE_READY))
        nap(machine, now);
    else
        end_refused(machine, admission, now, at);
    return false;
}

/* Nobody asks for a token that no request would carry. */
static bool is_authorized(struct casehook__machine *machine)
{
    if (machine->context->credentials && is_limited(machine)) {
        int64_t at, now = casehook__machine_now(machine);
        if (casehook__limiter_refuses(machine->context->limiter, now, &at)) {
            end_refused(machine, CASEHOOK__CIRCUIT_OPEN, now, at);
            return false;
        }
    }
    return casehook__extra_authorize(machine);
}

static enum casehook__turn turn_of(const struct casehook__machine *machine)
{
    return machine->state == CASEHOOK__MACHINE_DELAYED ? CASEHOOK__TURN_WAIT : CASEHOOK__TURN_ENDED;
}

enum casehook__turn casehook__machine_next(struct casehook__machine *machine,
                                           struct casehook__request *request)
{
    if (machine->state == CASEHOOK__MACHINE_DELAYED) {
        bool called = machine->extra && atomic_load(&machine->extra->claim.called);
        if (!called && casehook__machine_now(machine) < machine->wake_at) return CASEHOOK__TURN_WAIT;
        machine->state = machine->wakes_as;
    }
    if (machine->state == CASEHOOK__MACHINE_AWAITING) return CASEHOOK__TURN_ENDED;
    if (machine->state == CASEHOOK__MACHINE_TO_RENDER) render_request(machine);
    if (machine->state == CASEHOOK__MACHINE_READY && machine->extra && !is_authorized(machine))
        return turn_of(machine);
    if (machine->state != CASEHOOK__MACHINE_READY || !is_admitted(machine)) return turn_of(machine);
    if (machine->extra && !casehook__extra_attach(machine)) return turn_of(machine);
    if (machine->progress.fetching)
        machine->progress.token_tries++;
    else if (machine->redirects == 0)
        machine->progress.tries++;
    if (!casehook__result_reserve_id(machine->result) || !record_request(machine)) {
        casehook__fail_memory(&machine->result->error);
        casehook__machine_stop(machine, CASEHOOK_OUTCOME_NOT_SENT);
        return CASEHOOK__TURN_ENDED;
    }
    machine->delay_ms = 0;
    machine->state = CASEHOOK__MACHINE_AWAITING;
    *request = machine->request;
    return CASEHOOK__TURN_SEND;
}

/* ---- the beginning ------------------------------------------------------------------------------ */

/* A comment without text, or without a call to send it with, is skipped whatever happens (R1). */
static void skip_comments(struct casehook__machine *machine)
{
    struct casehook_result *result = machine->result;
    for (size_t i = 0; i < result->comment_count; i++)
        if (machine->params.comments[i].text.length == 0 ||
            !machine->context->config->calls[CASEHOOK__CALL_COMMENT].on)
            result->comments[i].state = CASEHOOK_COMMENT_SKIPPED;
}

/* The connector has no such call (H1, K8). */
static int fail_call(struct casehook__machine *machine, enum casehook__call call, const char *message)
{
    struct casehook_error *error = &machine->result->error;
    if (machine->context->config->calls[call].on) return CASEHOOK_OK;
    casehook__error_set_step(error, CASEHOOK_STEP_CONFIG);
    casehook__error_set_config_field(error, casehook__call_kind(call)->url);
    return casehook__fail(error, CASEHOOK_E_CONFIG, "%s", message);
}

/* Whether it has those that the operation cannot do without. */
static int check_calls(struct casehook__machine *machine)
{
    switch (machine->operation) {
    case CASEHOOK_COMMENT:
        return fail_call(machine, CASEHOOK__CALL_COMMENT,
                         "this connector has no comment configuration: give createCommentUrl, "
                         "createCommentJson and a createCommentMethod");
    case CASEHOOK_GET:
        return fail_call(machine, CASEHOOK__CALL_GET,
                         "this connector reads no cases: give getIncidentUrl and "
                         "getIncidentResponseExternalTitleKey, and no getIncident false");
    default: return CASEHOOK_OK;
    }
}

static void keep_given_id(struct casehook__machine *machine)
{
    struct casehook__text id = machine->params.external_id;
    if (!id.data || machine->operation == CASEHOOK_CREATE) return;
    casehook__result_set_id(machine->result, id); /* params made sure that it fits (K5) */
}

/* Finds what can be found before anything is sent; if the caller cancelled meanwhile, the first request is
 * failed in its place. */
static void rehearse(struct casehook__machine *machine)
{
    struct casehook__request request;
    struct casehook__failure failure = {0};
    if (casehook__machine_rehearse(machine, &failure))
        casehook__machine_stop(machine, CASEHOOK_OUTCOME_NOT_SENT);
    else if (failure.status && casehook__machine_next(machine, &request) == CASEHOOK__TURN_SEND)
        casehook__machine_fail(machine, &failure);
}

/* What comes before the first request: what is done already, and the keys.  Errors are in the result. */
static int look_back(struct casehook__machine *machine, struct casehook__resumed *resumed)
{
    const struct casehook__config *config = machine->context->config;
    struct casehook_result *result = machine->result;
    int status = casehook__resume_read(config, &machine->params, machine->operation, &machine->scratch,
                                       result, resumed);
    if (!status && machine->operation != CASEHOOK_CREATE && machine->operation != CASEHOOK_PUSH &&
        result->id_length == 0) {
        casehook__error_set_field(&result->error, "resume");
        status = casehook__fail(&result->error, CASEHOOK_E_PARAMS,
                                "has no id, and none is given: the operation needs the id of a case");
    }
    if (!status && machine->operation != CASEHOOK_GET)
        status = casehook__idempotency_begin(config, &machine->params, result);
    if (!status && config->idempotency && !machine->key) {
        machine->key = casehook__alloc(machine->heap, CASEHOOK__REQUEST_KEY_SIZE);
        if (!machine->key) status = casehook__fail_memory(&result->error);
    }
    if (!status) status = casehook__machine_check_find(machine);
    if (!status && resumed->create_unknown && !machine->can_find &&
        (resumed->accepted || !resumed->same_key)) { /* the connector can find cases, but not this one */
        casehook__error_set_field(&result->error, "resume");
        status =
            casehook__fail(&result->error, CASEHOOK_E_PARAMS,
                           "says that it is unknown whether or as what the case was created, and the find "
                           "uses a variable that is empty for this case: look for it in the tracker, "
                           "and give its id as the external id when it is there");
    }
    return status;
}

static enum casehook__plan_case known_case(const struct casehook__machine *machine,
                                           const struct casehook__resumed *resumed)
{
    if (resumed->wrote) return CASEHOOK__PLAN_OF_WRITTEN;
    if (machine->result->id_length || machine->operation == CASEHOOK_UPDATE) return CASEHOOK__PLAN_OF_KNOWN;
    bool always = machine->can_find && machine->context->config->find->always && !resumed->create_unknown;
    return always ? CASEHOOK__PLAN_OF_UNKNOWN : CASEHOOK__PLAN_OF_NEW;
}

/* As if the create had just ended without an answer. */
static void continue_unknown(struct casehook__machine *machine, const struct casehook__resumed *resumed)
{
    machine->progress.uncertain = true;
    machine->progress.reached = resumed->same_key;
    machine->progress.accepted = machine->result->accepted = resumed->accepted;
    if (!machine->progress.can_find) return; /* a key makes it safe */
    machine->lost = casehook__alloc(machine->heap, sizeof *machine->lost);
    if (!machine->lost) {
        casehook__fail_memory(&machine->result->error);
        casehook__machine_stop(machine, CASEHOOK_OUTCOME_UNKNOWN);
        return;
    }
    casehook__error_init(machine->lost);
    casehook__error_set_step(machine->lost, CASEHOOK_STEP_CREATE);
    casehook__fail(machine->lost, CASEHOOK_E_NETWORK, "the result to resume says that the create is unknown");
    machine->progress.looking = true;
}

/* The tracker may still be busy with the create of a process that is gone: it is given its time. */
static void delay_look(struct casehook__machine *machine)
{
    int64_t at = casehook__machine_now(machine) + machine->context->settings->retry.find_delay_ms;
    if (casehook__machine_delay(machine, at, CASEHOOK__MACHINE_READY)) return;
    casehook__fail(&machine->result->error, CASEHOOK_E_TIMEOUT,
                   "retry.findDelay is longer than the time that is left");
    casehook__machine_stop(machine, CASEHOOK_OUTCOME_UNKNOWN);
}

static void start_plan(struct casehook__machine *machine, const struct casehook__resumed *resumed)
{
    machine->step = casehook__plan(machine->operation, known_case(machine, resumed));
    machine->comment_reached = resumed->comment_reached;
    machine->transitioned = resumed->transitioned;
    if (*machine->step == CASEHOOK__PLAN_UPDATE &&
        fail_call(machine, CASEHOOK__CALL_UPDATE,
                  "this connector changes no cases: give updateIncidentUrl and updateIncidentJson, and no "
                  "updateIncident false")) {
        casehook__machine_end(machine);
        return;
    }
    if (resumed->left_closed) {
        machine->result->found = true;
        casehook__machine_end(machine);
        return;
    }
    if (!casehook__machine_enter_step(machine)) return;
    machine->request.call = casehook__plan_call(*machine->step); /* of the last operation it was another */
    if (resumed->create_unknown) continue_unknown(machine, resumed);
    if (machine->state == CASEHOOK__MACHINE_TO_RENDER) render_request(machine);
    if (machine->state == CASEHOOK__MACHINE_READY) rehearse(machine);
    if (machine->state == CASEHOOK__MACHINE_READY && machine->progress.looking && !machine->preview)
        delay_look(machine);
}

/* False: no memory. */
static bool prepare_made(struct casehook__machine *machine)
{
    const struct casehook__config *config = machine->context->config;
    casehook__made_forget(machine->made);
    if (machine->made || (!config->values && !config->uses_fields)) return true;
    machine->made = casehook__made_new(machine->heap, config);
    return machine->made != NULL;
}

int casehook__machine_begin(struct casehook__machine *machine, int operation, bool preview)
{
    const struct casehook__machine_context *context = machine->context;
    struct casehook__resumed resumed;
    casehook_result_free(machine->result);
    machine->result = NULL;
    casehook__machine_end(machine);
    machine->operation = operation;
    machine->preview = preview;
    machine->progress = (struct casehook__progress){.did = false};
    machine->comment = machine->steps = 0;
    machine->was_accepted = false;
    if (!prepare_made(machine) || casehook__extra_begin(machine)) return CASEHOOK_E_NO_MEMORY;
    machine->result = casehook__result_new(machine->heap, &machine->params);
    if (!machine->result) return CASEHOOK_E_NO_MEMORY;
    machine->result->preview = preview;
    machine->result->operation = operation;
    machine->result->user = machine->user;
    if (context->settings->retry.deadline_ms) machine->begun = casehook__machine_now(machine);
    machine->result->has_fields = context->config->keeps_fields;
    keep_given_id(machine);
    skip_comments(machine);
    if (check_calls(machine) || look_back(machine, &resumed))
        casehook__error_refuse(&machine->result->error);
    else
        start_plan(machine, &resumed);
    return CASEHOOK_OK;
}
