/* machine_extra.c - headers that each request has of its own: tokens and how they are got, signatures. */
#include "exchange/machine_private.h"

#include "exchange/token.h"

#include <stdio.h>

#define SIGNATURE_BYTES 8192 /* eight keys, each with the longest prefix, take a quarter of it */
#define FORM_BYTES      (512 * 1024)
#define HEADER_BYTES    (64 * 1024)
#define LEASE_MS        5000 /* beyond responseTimeout, in which a token must be there */

int casehook__extra_begin(struct casehook__machine *machine)
{
    struct casehook__extra *extra = machine->extra;
    const struct casehook__config *config = machine->context->config;
    if (!config->signature && !machine->context->credentials && !casehook__create_more(config)->own_id &&
        !config->rendered_headers)
        return CASEHOOK_OK;
    if (!extra) {
        extra = machine->extra = casehook__calloc(
            machine->heap, 1, sizeof *extra + casehook__own_headers_max(config) * sizeof *extra->own);
        if (!extra) return CASEHOOK_E_NO_MEMORY;
        casehook__buf_init(&extra->signature, machine->heap, SIGNATURE_BYTES);
        casehook__buf_init(&extra->authorization, machine->heap, CASEHOOK__TOKEN_MAX_BYTES + 16);
        casehook__buf_init(&extra->form, machine->heap, FORM_BYTES);
        casehook__buf_init(&extra->own_id, machine->heap, CASEHOOK__BODY_MAX_BYTES);
        casehook__buf_init(&extra->values, machine->heap, HEADER_BYTES);
    }
    extra->previewed = false;
    extra->waits_since = 0;
    return CASEHOOK_OK;
}

void casehook__extra_free(struct casehook__machine *machine)
{
    struct casehook__extra *extra = machine->extra;
    if (!extra) return;
    casehook__buf_free(&extra->signature);
    casehook__buf_free(&extra->authorization);
    casehook__buf_free(&extra->form);
    casehook__buf_free(&extra->own_id);
    casehook__buf_free(&extra->values);
    casehook__free(machine->heap, extra);
    machine->extra = NULL;
}

/* ---- waiting for another operation -------------------------------------------------------------- */

bool casehook__machine_waits_for_token(const struct casehook__machine *machine)
{
    return machine->state == CASEHOOK__MACHINE_DELAYED && machine->extra && machine->extra->waits_since;
}

bool casehook__machine_listen(struct casehook__machine *machine, void (*wake)(void *user), void *user)
{
    return casehook__credentials_listen(machine->context->credentials, &machine->extra->claim, wake, user);
}

void casehook__machine_ignore(struct casehook__machine *machine)
{
    casehook__credentials_ignore(machine->context->credentials, &machine->extra->claim);
}

static void earlier(int64_t *time, int64_t other)
{
    if (other < *time) *time = other;
}

/* Until it is called, or until the owner has had its time; no deadline counts before it has come. */
static void wait_for_token(struct casehook__machine *machine, int64_t now, int64_t until)
{
    uint32_t most = machine->context->settings->retry.deadline_ms;
    bool late = now >= machine->deadline; /* of which an exchange learns here alone */
    if (late || (most && now >= machine->begun + most)) {
        char message[128];
        struct casehook__failure failure = {.status = CASEHOOK_E_TIMEOUT, .message = message};
        snprintf(message, sizeof message,
                 "%s passed while it waited for a token that another operation asks for",
                 late ? "the deadline of the call" : "retry.deadline");
        casehook__machine_give_up(machine, &failure);
        return;
    }
    if (most) earlier(&until, machine->begun + most);
    earlier(&until, machine->deadline);
    machine->extra->waits_since = now;
    machine->wake_at = until;
    machine->wakes_as = CASEHOOK__MACHINE_READY;
    machine->state = CASEHOOK__MACHINE_DELAYED;
}

/* ---- getting a token ---------------------------------------------------------------------------- */

void casehook__extra_render_token(struct casehook__machine *machine)
{
    const struct casehook__config *config = machine->context->config;
    struct casehook__extra *extra = machine->extra;
    if (casehook__token_form(config->oauth, machine->context->clock, machine->context->mask, machine->preview,
                             &extra->form, &machine->result->error)) {
        casehook__error_set_step(&machine->result->error, CASEHOOK_STEP_TOKEN);
        casehook__machine_stop(machine, CASEHOOK_OUTCOME_NOT_SENT);
        return;
    }
    casehook__url_template_origin(config->calls[CASEHOOK__CALL_TOKEN].url, &extra->origin);
    machine->request = (struct casehook__request){.call = CASEHOOK__CALL_TOKEN,
                                                  .method = CASEHOOK__METHOD_POST,
                                                  .url = config->oauth->url.data,
                                                  .origin = &extra->origin,
                                                  .body = casehook__buf_text(&extra->form),
                                                  .configured = true};
    machine->state = CASEHOOK__MACHINE_READY;
}

/* The request waits for this one. */
static bool begin_fetch(struct casehook__machine *machine, bool spare)
{
    machine->extra->parked = machine->request;
    machine->progress.fetching = true;
    machine->progress.spare = spare;
    machine->progress.token_tries = 0;
    casehook__extra_render_token(machine);
    return machine->state == CASEHOOK__MACHINE_READY;
}

/* Another operation was to get it, and its error is in the result. */
static void fail_with_owner(struct casehook__machine *machine)
{
    machine->progress.fetching = true; /* for the decision: what waits for it was not sent */
    casehook__error_set_step(&machine->result->error, CASEHOOK_STEP_TOKEN);
    casehook__machine_stop(machine, CASEHOOK_OUTCOME_NOT_SENT);
}

static int64_t lease_of(const struct casehook__machine *machine)
{
    return (int64_t)machine->context->settings->response_timeout_ms + LEASE_MS;
}

static void end_wait(struct casehook__machine *machine, int64_t now)
{
    if (machine->extra->waits_since) machine->delay_ms += now - machine->extra->waits_since;
    machine->extra->waits_since = 0;
}

static bool authorize(struct casehook__machine *machine)
{
    struct casehook__extra *extra = machine->extra;
    int64_t now = casehook__machine_now(machine), until = 0;
    end_wait(machine, now);
    switch (casehook__credentials_ask(machine->context->credentials, now, lease_of(machine), &extra->claim,
                                      &extra->authorization, &extra->generation, &until,
                                      &machine->result->error)) {
    case CASEHOOK__GRANTED: return true;
    case CASEHOOK__GRANT_OWN: return begin_fetch(machine, false);
    case CASEHOOK__GRANT_RENEW: return begin_fetch(machine, true);
    case CASEHOOK__GRANT_LATER: wait_for_token(machine, now, until); return false;
    default: fail_with_owner(machine); return false;
    }
}

bool casehook__extra_authorize(struct casehook__machine *machine)
{
    struct casehook__extra *extra = machine->extra;
    if (!machine->context->credentials || !machine->request.configured || machine->progress.fetching)
        return true;
    if (!machine->preview) return authorize(machine);
    if (!extra->previewed) return begin_fetch(machine, false);
    casehook__buf_clear(&extra->authorization);
    casehook__buf_append_string(&extra->authorization, "Bearer ***");
    return true;
}

struct casehook__verdict casehook__extra_judge(struct casehook__machine *machine,
                                               const struct casehook__question *question,
                                               const struct casehook__response *response)
{
    struct casehook__extra *extra = machine->extra;
    struct casehook_error *error = &machine->result->error;
    struct casehook__buf *token = &extra->form;
    casehook__buf_clear(token); /* what was asked with it has been sent */
    casehook__buf_limit(token, CASEHOOK__TOKEN_MAX_BYTES);
    struct casehook__verdict verdict =
        casehook__token_judge(question, response, token, &extra->life_ms, error);
    token->limit = FORM_BYTES;
    if (verdict.status) return verdict;
    /* Before anybody can show it. */
    verdict.status = casehook__mask_learn(machine->context->mask, casehook__buf_text(token), false);
    if (!verdict.status)
        verdict.status =
            casehook__credentials_put(machine->context->credentials, &extra->claim, casehook__buf_text(token),
                                      extra->asked_at, extra->life_ms);
    if (verdict.status) casehook__fail_memory(error);
    return verdict;
}

/* On with what waits for the token. */
static void end_fetch(struct casehook__machine *machine)
{
    struct casehook_error *error = &machine->result->error;
    if (error->status) casehook__error_init(error);
    machine->progress.fetching = machine->progress.spare = false;
    machine->request = machine->extra->parked;
    casehook__buf_free(&machine->extra->form); /* it holds the token */
    machine->state = casehook__machine_resumes_as(machine);
}

/* Whether nobody else would fare better: not when it was the caller who wanted an end, or memory that ran
 * out. */
static bool fails_for_all(const struct casehook__machine *machine, const struct casehook__verdict *verdict)
{
    if (verdict->status == CASEHOOK_E_TIMEOUT && machine->deadline != CASEHOOK__NO_DEADLINE &&
        casehook__machine_now(machine) >= machine->deadline)
        return false;
    return verdict->status != CASEHOOK_E_CANCELLED && verdict->status != CASEHOOK_E_NO_MEMORY;
}

/* False: a deadline would pass. */
static bool fetch_again(struct casehook__machine *machine)
{
    const struct casehook__clock *clock = machine->context->clock;
    const struct casehook__retry *retry = &machine->context->settings->retry;
    int64_t delay = casehook__retry_delay(retry, machine->progress.token_tries,
                                          machine->result->error.retry_after_ms, clock->random(clock->user));
    int64_t at = casehook__machine_now(machine) + delay;
    if (delay < 0 || !casehook__machine_delay(machine, at, CASEHOOK__MACHINE_TO_RENDER)) return false;
    casehook__credentials_hold(machine->context->credentials, &machine->extra->claim, at + lease_of(machine));
    return true;
}

void casehook__extra_settle(struct casehook__machine *machine, const struct casehook__verdict *verdict)
{
    struct casehook__extra *extra = machine->extra;
    struct casehook__credentials *credentials = machine->context->credentials;
    struct casehook_error *error = &machine->result->error;
    if (!verdict) {
        extra->previewed = true;
        end_fetch(machine);
        return;
    }
    struct casehook__decision decision = casehook__machine_decide(machine, verdict);
    if (decision.action == CASEHOOK__ACTION_AGAIN && fetch_again(machine)) return;
    if (verdict->status) casehook__error_set_step(error, CASEHOOK_STEP_TOKEN);
    bool goes_on = decision.action == CASEHOOK__ACTION_NEXT;
    if (verdict->status && (goes_on || fails_for_all(machine, verdict)))
        casehook__credentials_fail(credentials, &extra->claim, casehook__machine_now(machine), error);
    else if (verdict->status)
        casehook__credentials_leave(credentials, &extra->claim);
    if (goes_on)
        end_fetch(machine);
    else
        casehook__machine_stop_as(machine, &decision);
}

void casehook__extra_renew(struct casehook__machine *machine)
{
    casehook__credentials_reject(machine->context->credentials, machine->extra->generation);
    machine->progress.renewed = true;
    if (machine->redirects == 0) machine->progress.free_tries++;
    machine->state = casehook__machine_resumes_as(machine);
}

/* ---- headers ------------------------------------------------------------------------------------ */

/* Over what is going to be sent, with the time of now.  A look for the case is a message of its own. */
static int sign_request(struct casehook__machine *machine)
{
    struct casehook__extra *extra = machine->extra;
    struct casehook__request *request = &machine->request;
    const struct casehook__clock *clock = machine->context->clock;
    char *id = machine->progress.looking ? extra->look : extra->message;
    int64_t seconds = clock->unix_ms(clock->user) / 1000;
    if ((machine->progress.looking || !*id) && casehook__message_id(id))
        return casehook__fail(&machine->result->error, CASEHOOK_E_SYSTEM,
                              "OpenSSL has no random numbers for the id of this message");
    size_t count = casehook__sign(machine->context->config->signature, request, id, seconds,
                                  &extra->signature, extra->own + request->own_count);
    request->own_count += count;
    return count ? CASEHOOK_OK : casehook__fail_memory(&machine->result->error);
}

static void attach(struct casehook__machine *machine, const char *name, struct casehook__text value,
                   bool secret)
{
    machine->extra->own[machine->request.own_count++] =
        (struct casehook__header){casehook__text(name), value, secret};
}

bool casehook__extra_attach(struct casehook__machine *machine)
{
    const struct casehook__config *config = machine->context->config;
    struct casehook__extra *extra = machine->extra;
    machine->request.own = extra->own;
    machine->request.own_count = 0;
    if (machine->progress.fetching) {
        extra->asked_at = casehook__machine_now(machine);
        if (config->oauth->basic.data) attach(machine, "Authorization", config->oauth->basic, true);
        return true;
    }
    machine->progress.authorized = machine->request.configured && machine->context->credentials;
    if (machine->progress.authorized)
        attach(machine, "Authorization", casehook__buf_text(&extra->authorization), true);
    if (machine->request.configured)
        machine->request.own_count += casehook__own_headers(machine, extra->own + machine->request.own_count);
    if (machine->request.configured && config->signature && sign_request(machine)) {
        casehook__machine_stop(machine, CASEHOOK_OUTCOME_NOT_SENT);
        return false;
    }
    return true;
}
