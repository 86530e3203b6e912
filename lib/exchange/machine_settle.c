/* machine_settle.c - what follows from how a request ended: on, again, a look at the tracker, or the end. */
#include "exchange/learn.h"
#include "exchange/machine_private.h"

#define ACCEPTED      202
#define PREVIEW_ID    "EXTERNAL-ID"
#define PREVIEW_TITLE "EXTERNAL-TITLE"

/* ---- again (D2) -------------------------------------------------------------------------------- */

/* So long after now; -1 is longer than anybody would wait. */
static bool delay_for(struct casehook__machine *machine, int64_t delay)
{
    machine->redirects = 0;
    return delay >= 0 && casehook__machine_delay(machine, casehook__machine_now(machine) + delay,
                                                 CASEHOOK__MACHINE_TO_RENDER);
}

/* The same request once more; the error stays until something better is known. */
static bool try_again(struct casehook__machine *machine)
{
    const struct casehook__clock *clock = machine->context->clock;
    const struct casehook__retry *retry = &machine->context->settings->retry;
    const struct casehook__progress *progress = &machine->progress;
    bool create_again = progress->looking && machine->result->error.status == CASEHOOK_OK;
    unsigned tries = create_again ? progress->create_tries : progress->tries;
    int64_t delay = casehook__retry_delay(retry, tries, machine->result->error.retry_after_ms,
                                          clock->random(clock->user));
    if (!delay_for(machine, delay)) return false;
    if (!create_again) return true;
    machine->progress.looking = false;
    machine->progress.tries = tries;
    machine->progress.free_tries = progress->create_free;
    casehook__free(machine->heap, machine->lost);
    machine->lost = NULL;
    return true;
}

/* Whether the case was created is asked findDelay later: what indexes new cases needs its time. */
static bool look(struct casehook__machine *machine)
{
    const struct casehook__retry *retry = &machine->context->settings->retry;
    struct casehook__progress *progress = &machine->progress;
    struct casehook_error *error = &machine->result->error;
    int64_t delay = retry->find_delay_ms;
    if (error->retry_after_ms > delay) delay = error->retry_after_ms;
    if (delay > (int64_t)retry->max_retry_after_ms && delay > (int64_t)retry->find_delay_ms) return false;
    if (!progress->looking) {
        machine->lost = casehook__alloc(machine->heap, sizeof *machine->lost);
        if (!machine->lost) return false;
    }
    if (!delay_for(machine, delay)) return false;
    progress->looks = progress->looking ? progress->looks + 1 : 0;
    progress->renewed = false;
    if (!progress->looking) {
        casehook__error_set_step(error, CASEHOOK_STEP_CREATE);
        *machine->lost = *error;
        progress->create_tries = progress->tries;
        progress->create_free = progress->free_tries;
        progress->looking = true;
    }
    progress->tries = progress->free_tries = 0;
    casehook__error_init(error);
    return true;
}

/* ---- on through the plan ------------------------------------------------------------------------ */

/* The call was answered well: on to the next step that has a request. */
static void advance(struct casehook__machine *machine)
{
    switch (*machine->step) {
    case CASEHOOK__PLAN_COMMENTS:
        if (!machine->preview) machine->result->comments[machine->comment].state = CASEHOOK_COMMENT_SENT;
        machine->progress.did = true;
        machine->comment++;
        break;
    case CASEHOOK__PLAN_CREATE:
        machine->progress.did = true;
        machine->step++;
        break;
    case CASEHOOK__PLAN_TRANSITION:
        machine->progress.did = true;
        machine->step++;
        break;
    default: machine->step++;
    }
    casehook__machine_enter_step(machine);
}

/* The tracker was asked before the create: with a case of that name the operation is an update (D3, L2). */
static void go_on_found(struct casehook__machine *machine, enum casehook__found found)
{
    if (found == CASEHOOK__FOUND_NONE) {
        advance(machine);
        return;
    }
    machine->result->found = true;
    if (found == CASEHOOK__FOUND_CLOSED) {
        casehook__machine_end(machine);
        return;
    }
    machine->step = casehook__plan(machine->operation, CASEHOOK__PLAN_OF_KNOWN);
    casehook__machine_enter_step(machine);
}

/* The case that nobody knew of is there: as if its create had been answered. */
static void adopt(struct casehook__machine *machine, enum casehook__found found)
{
    machine->result->found = machine->result->adopted = true;
    machine->progress.looking = false;
    casehook__free(machine->heap, machine->lost);
    machine->lost = NULL;
    if (found == CASEHOOK__FOUND_CLOSED)
        casehook__machine_end(machine);
    else
        advance(machine);
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
    if (hop->written) /* should its answer not come, the case is looked for and never made again */
        machine->progress.written = machine->progress.uncertain = machine->progress.accepted = true;
    if (request->method != hop->method)
        request->body = request->idempotency_key = (struct casehook__text){NULL, 0}; /* the id stays ours */
    request->method = hop->method;
    request->configured = hop->configured;
    request->origin = &machine->origin;
    machine->state = CASEHOOK__MACHINE_READY;
    if (!hop->configured)
        casehook__query_drop(machine->context->config, &machine->url);
    else if (casehook__query_append(machine->context->config, true, &machine->url, &machine->result->error))
        casehook__machine_stop(machine, CASEHOOK_OUTCOME_NOT_SENT);
    request->url = casehook__buf_string(&machine->url);
}

/* ---- answers ------------------------------------------------------------------------------------ */

/* target: room of TARGET_SIZE for its words. */
static struct casehook__question question_of(struct casehook__machine *machine, char *target)
{
    const struct casehook__request_record *record = casehook__machine_record(machine);
    return (struct casehook__question){.config = machine->context->config,
                                       .settings = machine->context->settings,
                                       .mask = machine->context->mask,
                                       .request = &machine->request,
                                       .method = record->method,
                                       .url = record->url,
                                       .target = target,
                                       .scratch = &machine->scratch,
                                       .clock = machine->context->clock,
                                       .was_accepted = machine->was_accepted};
}

/* What a request says of the tracker as a whole (D6). */
static enum casehook__health health_of(const struct casehook__machine *machine,
                                       const struct casehook__verdict *verdict)
{
    switch (verdict->status) {
    case CASEHOOK_E_TIMEOUT: /* the caller's own deadline says nothing of the tracker */
        if (machine->deadline != CASEHOOK__NO_DEADLINE && casehook__machine_now(machine) >= machine->deadline)
            return CASEHOOK__HEALTH_UNTOLD;
        return CASEHOOK__HEALTH_DOWN;
    case CASEHOOK_E_RESOLVE:
    case CASEHOOK_E_CONNECT:
    case CASEHOOK_E_PROXY:
    case CASEHOOK_E_TLS:
    case CASEHOOK_E_NETWORK: return CASEHOOK__HEALTH_DOWN;
    case CASEHOOK_E_HTTP_STATUS:
        return verdict->http_status >= 500 || verdict->http_status == 429 ? CASEHOOK__HEALTH_DOWN
                                                                          : CASEHOOK__HEALTH_UP;
    default: return verdict->http_status ? CASEHOOK__HEALTH_UP : CASEHOOK__HEALTH_UNTOLD;
    }
}

static void note_outcome(struct casehook__machine *machine, const struct casehook__verdict *verdict,
                         const struct casehook__metrics *metrics)
{
    struct casehook__request_record *record = casehook__machine_record(machine);
    record->status = verdict->http_status;
    record->outcome = verdict->outcome;
    record->metrics = *metrics;
    if (machine->preview) return;
    record->duration_ms = casehook__clock_ms() - record->begun;
    if (machine->progress.fetching) return;
    machine->progress.last_outcome = verdict->outcome;
    if (machine->context->limiter)
        casehook__limiter_settle(machine->context->limiter, casehook__machine_now(machine), &machine->place,
                                 health_of(machine, verdict));
}

/* The decision becomes what the next try has to know. */
static void note_progress(struct casehook__machine *machine, const struct casehook__verdict *verdict,
                          const struct casehook__decision *decision)
{
    struct casehook__progress *progress = &machine->progress;
    if (progress->looking) return;
    progress->uncertain = decision->uncertain;
    if (decision->uncertain) progress->reached = true;
    if (verdict->status &&
        (verdict->duplicate || (verdict->http_status >= 200 && verdict->http_status <= 299)))
        progress->accepted = true;
    if (progress->accepted && machine->request.call == CASEHOOK__CALL_CREATE)
        machine->result->accepted = true;
}

/* An answer of a later try may be judged well although an earlier one failed. */
static void forget_fault(struct casehook__machine *machine)
{
    if (machine->result->error.status) casehook__error_init(&machine->result->error);
}

/* The tracker has it from an earlier try, but nobody can say under which id (D4). */
static void tell_done(struct casehook__machine *machine)
{
    struct casehook_error *error = &machine->result->error, before = *error;
    casehook__fail(
        error, before.status,
        "%s; this status is in idempotencyDuplicateStatuses: an earlier try was done, but its id is not "
        "known; findIncidentUrl would find it",
        before.message);
}

static void carry_out(struct casehook__machine *machine, const struct casehook__verdict *verdict,
                      const struct casehook__hop *hop)
{
    if (machine->progress.fetching) {
        casehook__extra_settle(machine, verdict);
        return;
    }
    struct casehook__decision decision = casehook__machine_decide(machine, verdict);
    bool stops = decision.action == CASEHOOK__ACTION_STOP;
    note_progress(machine, verdict, &decision);
    switch (decision.action) {
    case CASEHOOK__ACTION_NEXT:
        forget_fault(machine);
        if (*machine->step == CASEHOOK__PLAN_FIND)
            go_on_found(machine, verdict->found);
        else
            advance(machine);
        break;
    case CASEHOOK__ACTION_FOLLOW: go_on(machine, hop); break;
    case CASEHOOK__ACTION_AGAIN: stops = !try_again(machine); break;
    case CASEHOOK__ACTION_LOOK: stops = !look(machine); break;
    case CASEHOOK__ACTION_ADOPT: adopt(machine, verdict->found); break;
    case CASEHOOK__ACTION_RENEW: casehook__extra_renew(machine); break;
    case CASEHOOK__ACTION_STOP: break;
    }
    if (stops && verdict->duplicate && decision.outcome == CASEHOOK_OUTCOME_DONE) tell_done(machine);
    if (stops) casehook__machine_stop_as(machine, &decision);
}

void casehook__machine_feed(struct casehook__machine *machine, const struct casehook__response *response)
{
    struct casehook__hop hop;
    struct casehook__verdict verdict;
    char target[CASEHOOK__TARGET_SIZE];
    if (machine->state != CASEHOOK__MACHINE_AWAITING) return;
    forget_fault(machine);
    struct casehook__question question = question_of(machine, target);
    if (machine->progress.fetching)
        verdict = casehook__extra_judge(machine, &question, response);
    else if (response->status >= 300 && response->status <= 399)
        verdict = casehook__redirect_judge(&question, response, machine->redirects, &hop, &machine->next_url,
                                           &machine->result->error);
    else
        verdict = casehook__answer_judge(&question, response, machine->result);
    /* An id that is no part of the body is known with the first answer. */
    if (verdict.follow && hop.written && !casehook__learn_needs_body(&question))
        casehook__learn_partial_id(&question, response, machine->result);
    if (response->status == ACCEPTED && !machine->progress.fetching) machine->was_accepted = true;
    note_outcome(machine, &verdict, &response->metrics);
    carry_out(machine, &verdict, &hop);
}

void casehook__machine_fail(struct casehook__machine *machine, const struct casehook__failure *failure)
{
    char target[CASEHOOK__TARGET_SIZE];
    if (machine->state == CASEHOOK__MACHINE_DELAYED) casehook__machine_give_up(machine, failure);
    if (machine->state != CASEHOOK__MACHINE_AWAITING) return;
    forget_fault(machine);
    struct casehook__question question = question_of(machine, target);
    struct casehook__failure quiet = *failure;
    struct casehook__response begun = {.status = failure->partial ? failure->partial->status : 0};
    if (machine->progress.fetching && failure->partial)
        quiet.partial = &begun; /* a part of a token, perhaps */
    struct casehook__verdict verdict = casehook__failure_judge(&question, &quiet, machine->result);
    note_outcome(machine, &verdict, &failure->metrics);
    carry_out(machine, &verdict, NULL);
}

/* ---- previews ----------------------------------------------------------------------------------- */

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
    bool titled = learns == CASEHOOK__LEARNS_TITLE ||
                  casehook__call_more(&machine->context->config->calls[machine->request.call])->title_key;
    if (machine->state != CASEHOOK__MACHINE_AWAITING) return;
    if (machine->progress.fetching) {
        casehook__extra_settle(machine, NULL);
        return;
    }
    if (machine->request.own_id.data)
        casehook__result_set_id(result, machine->request.own_id);
    else if (learns == CASEHOOK__LEARNS_ID || machine->progress.looking)
        casehook__result_set_id(result, CASEHOOK__TEXT(PREVIEW_ID));
    if (machine->progress.looking)
        adopt(machine, CASEHOOK__FOUND_CASE);
    else if (titled && pretend_title(result))
        casehook__machine_stop(machine, CASEHOOK_OUTCOME_NOT_SENT);
    else
        advance(machine);
}

struct casehook_result *casehook__machine_finish(struct casehook__machine *machine)
{
    struct casehook_result *result = machine->result;
    result->error.heap = result->heap; /* for its JSON */
    machine->result = NULL;
    machine->user = 0;
    machine->deadline = CASEHOOK__NO_DEADLINE;
    machine->cancel = NULL;
    casehook__machine_end(machine);
    casehook__made_forget(machine->made);
    casehook__params_clear(&machine->params);
    return result;
}
