/*
 * machine_render.c - what is rendered for each request, and what of it before anything is sent.
 *
 * A rehearsal finds faults of the params before the case exists (T2, U3).  Its work is bounded for the whole
 * call, not only for each text, and between two texts it hears that the caller wants an end.
 */
#include "exchange/idempotency.h"
#include "exchange/machine_private.h"

#include "base/cancel.h"
#include "base/clock.h"

#define STEP_BYTES 64 /* of rendered text that count as one step */

struct casehook__text casehook__machine_known_id(const struct casehook__machine *machine)
{
    const struct casehook_result *result = machine->result;
    return (struct casehook__text){result->id_length ? result->id : NULL, result->id_length};
}

bool casehook__machine_sends_comment(const struct casehook__machine *machine, size_t index)
{
    return machine->result->comments[index].state == CASEHOOK_COMMENT_NOT_ATTEMPTED;
}

static void spend(struct casehook__machine *machine, size_t bytes)
{
    machine->steps += bytes / STEP_BYTES;
}

int casehook__machine_tree(struct casehook__machine *machine, const struct casehook__request_values *values,
                           bool masked, struct casehook__param_tree *tree)
{
    casehook__params_tree(&machine->params, values, tree);
    if (!machine->made ||
        !casehook__made_begin(machine->made, &machine->params, machine->result, masked, tree))
        return CASEHOOK_OK;
    return casehook__fail_memory(&machine->result->error);
}

/*
 * What the document makes of the status says which transition it is; null: none (L1).  A status of which it
 * makes nothing is a fault of the params, whether the request uses it or not.
 */
static int see_transition(struct casehook__machine *machine, bool *wanted, struct casehook_error *fault)
{
    struct casehook__param_tree tree;
    const struct casehook__request_values values = {.external_id = casehook__machine_known_id(machine)};
    *wanted = machine->context->config->calls[CASEHOOK__CALL_TRANSITION].on &&
              machine->params.status.length && !machine->transitioned &&
              machine->operation != CASEHOOK_COMMENT;
    if (!*wanted || !machine->made) return CASEHOOK_OK;
    int status = casehook__machine_tree(machine, &values, false, &tree);
    if (status) return status;
    const struct casehook__value *value = casehook__value_at(&tree.root, CASEHOOK__TEXT("value.transition"));
    if (value && value->kind == CASEHOOK__VALUE_MADE)
        status = value->source->make(value->source, value->count, &value, fault);
    *wanted =
        status || !value || (value->kind != CASEHOOK__VALUE_NULL && value->kind != CASEHOOK__VALUE_ABSENT);
    return status;
}

bool casehook__machine_transitions(struct casehook__machine *machine)
{
    struct casehook_error fault;
    bool wanted;
    casehook__error_init(&fault);
    see_transition(machine, &wanted, &fault);
    return wanted;
}

static int render_url(struct casehook__machine *machine, enum casehook__call call,
                      const struct casehook__param_tree *tree, struct casehook__buf *url)
{
    struct casehook_error *error = &machine->result->error;
    casehook__buf_clear(url);
    int status = casehook__url_template_render(machine->context->config->calls[call].url, &tree->root, true,
                                               url, &machine->steps, error);
    spend(machine, url->length + casehook__made_work(machine->made));
    if (!status && machine->context->config->query)
        status = casehook__query_append(machine->context->config, false, url, error);
    if (status) casehook__error_set_config_field(error, casehook__call_kind(call)->url);
    return status;
}

static int render_body(struct casehook__machine *machine, enum casehook__call call,
                       const struct casehook__param_tree *tree, struct casehook__buf *body)
{
    struct casehook_error *error = &machine->result->error;
    const struct casehook__template_watch count = {.steps = &machine->steps};
    casehook__buf_clear(body);
    if (!machine->context->config->calls[call].body) return CASEHOOK_OK;
    int status = casehook__template_render_at(machine->context->config->calls[call].body, &tree->root, &count,
                                              body, error);
    spend(machine, body->length + casehook__made_work(machine->made));
    if (status) casehook__error_set_config_field(error, casehook__call_kind(call)->body);
    return status;
}

/* The values of one request, and its key, where there is one; index: the comment that it sends, if any. */
static int values_of_request(struct casehook__machine *machine, enum casehook__call call, size_t index,
                             char *key, struct casehook__request_values *values,
                             struct casehook__param_tree *tree)
{
    const struct casehook_result *result = machine->result;
    *values = (struct casehook__request_values){.external_id = casehook__machine_known_id(machine),
                                                .external_title = {result->title, result->title_length}};
    if (index < machine->params.comment_count) values->comment = machine->params.comments[index].text;
    bool finds = call == CASEHOOK__CALL_FIND; /* what the create made, or would make */
    if (machine->key && result->idempotency_key && (finds || casehook__call_kind(call)->keyed)) {
        if (casehook__idempotency_key(&machine->params, machine->result, finds ? CASEHOOK__CALL_CREATE : call,
                                      index, key))
            return casehook__fail_memory(&machine->result->error);
        values->idempotency_key = casehook__text(key);
    }
    return casehook__machine_tree(machine, values, machine->preview, tree);
}

int casehook__machine_check_find(struct casehook__machine *machine)
{
    const struct casehook__config *config = machine->context->config;
    const struct casehook__call_config *find = &config->calls[CASEHOOK__CALL_FIND];
    struct casehook__request_values values;
    struct casehook__param_tree tree;
    machine->can_find = config->find != NULL;
    if (!machine->can_find) return CASEHOOK_OK;
    int status = values_of_request(machine, CASEHOOK__CALL_FIND, SIZE_MAX, machine->key, &values, &tree);
    if (status) return status;
    machine->can_find = !casehook__url_template_lacks(find->url, &tree.root) &&
                        !(find->body && casehook__template_lacks(find->body, &tree.root));
    return CASEHOOK_OK;
}

static int check_steps(struct casehook__machine *machine, enum casehook__call call, size_t most)
{
    struct casehook_error *error = &machine->result->error;
    if (machine->steps <= most) return CASEHOOK_OK;
    casehook__error_set_step(error, casehook__call_kind(call)->step);
    casehook__error_set_config_field(error, casehook__call_kind(call)->body);
    return casehook__fail(error, CASEHOOK_E_LIMIT,
                          "rendering the requests of this call takes more than %zu steps in all: give it "
                          "fewer comments, or this template fewer tags and less text",
                          most);
}

int casehook__machine_render(struct casehook__machine *machine, enum casehook__call call, size_t comment)
{
    struct casehook__request_values values;
    struct casehook__param_tree tree;
    int status = values_of_request(machine, call, comment, machine->key, &values, &tree);
    if (!status) status = render_url(machine, call, &tree, &machine->url);
    if (!status) status = casehook__own_render(machine, call, &tree, false);
    if (!status) status = render_body(machine, call, &tree, &machine->body);
    return status ? status : check_steps(machine, call, CASEHOOK__CALL_STEPS_MAX);
}

/* Secrets that are too short to be searched for are masked where they stand: in another rendering (V3). */
const char *casehook__machine_url_to_show(struct casehook__machine *machine)
{
    const struct casehook__config *config = machine->context->config;
    enum casehook__call call = machine->request.call;
    size_t comment = *machine->step == CASEHOOK__PLAN_COMMENTS ? machine->comment : SIZE_MAX;
    size_t steps = machine->steps;
    struct casehook__request_values values;
    struct casehook__param_tree tree;
    bool whole = machine->preview || machine->redirects || machine->progress.fetching;
    if (whole || !config->values || !config->values->secret_count || !config->calls[call].url ||
        !casehook__url_template_uses_any(config->calls[call].url, "secret"))
        return machine->request.url;
    int status = values_of_request(machine, call, comment, machine->key, &values, &tree);
    if (!status) status = casehook__machine_tree(machine, &values, true, &tree);
    if (!status) status = render_url(machine, call, &tree, &machine->next_url);
    machine->steps = steps;
    return status ? NULL : casehook__buf_string(&machine->next_url);
}

/* ---- before anything is sent ------------------------------------------------------------------- */

/* True: the caller wants an end, for this reason. */
static bool is_stopped(const struct casehook__machine *machine, struct casehook__failure *failure)
{
    if (casehook__cancel_is_set(machine->cancel))
        *failure = (struct casehook__failure){.status = CASEHOOK_E_CANCELLED,
                                              .message = "cancelled before the request was sent"};
    else if (machine->deadline != CASEHOOK__NO_DEADLINE && casehook__clock_ms() >= machine->deadline)
        *failure = (struct casehook__failure){.status = CASEHOOK_E_TIMEOUT,
                                              .message = "the deadline of the call has passed"};
    return failure->status != CASEHOOK_OK;
}

/*
 * A fault of the params stays; other faults wait for their own call (C3).  Of what cannot be known yet
 * nothing counts but that a value cannot be made.
 */
static int keep_render_fault(struct casehook__machine *machine, enum casehook__call call, bool known,
                             int status)
{
    bool counts = known || casehook__made_failed(machine->made);
    if (status == CASEHOOK_E_NO_MEMORY || (status == CASEHOOK_E_PARAMS && counts)) return status;
    if (status) casehook__error_init(&machine->result->error);
    return check_steps(machine, call, CASEHOOK__REHEARSAL_STEPS_MAX);
}

static int foresee_url(struct casehook__machine *machine, enum casehook__call call, size_t comment)
{
    char key[CASEHOOK__REQUEST_KEY_SIZE];
    struct casehook__request_values values;
    struct casehook__param_tree tree;
    bool known = !machine->context->config->calls[call].url_waits;
    if (!known && !machine->made) return CASEHOOK_OK;
    int status = values_of_request(machine, call, comment, key, &values, &tree);
    if (status) return status;
    status = render_url(machine, call, &tree, &machine->next_url);
    if (!status) status = casehook__own_render(machine, call, &tree, true);
    return keep_render_fault(machine, call, known, status);
}

/* id_known: or the body does not use it. */
static int foresee_body(struct casehook__machine *machine, enum casehook__call call, size_t comment,
                        bool id_known)
{
    char key[CASEHOOK__REQUEST_KEY_SIZE];
    struct casehook__request_values values;
    struct casehook__param_tree tree;
    bool known = id_known && !machine->context->config->calls[call].body_waits;
    if (!known && !machine->made) return CASEHOOK_OK;
    int status = values_of_request(machine, call, comment, key, &values, &tree);
    if (status) return status;
    return keep_render_fault(machine, call, known, render_body(machine, call, &tree, &machine->scratch));
}

/* All comments have one URL but for their keys: what they say cannot be in it (T5). */
static int foresee_comments(struct casehook__machine *machine, struct casehook__failure *failure)
{
    const struct casehook__template *body = machine->context->config->calls[CASEHOOK__CALL_COMMENT].body;
    bool id_known = casehook__machine_known_id(machine).data != NULL, first = id_known;
    bool body_known = id_known || !casehook__template_uses(body, "external.system.id");
    int status = CASEHOOK_OK;
    if (!body_known && !machine->made) return CASEHOOK_OK;
    for (size_t i = 0; i < machine->result->comment_count && !status; i++) {
        if (!casehook__machine_sends_comment(machine, i)) continue;
        if (is_stopped(machine, failure)) break;
        if (first) status = foresee_url(machine, CASEHOOK__CALL_COMMENT, i);
        if (!status) status = foresee_body(machine, CASEHOOK__CALL_COMMENT, i, body_known);
        first = false;
    }
    return status;
}

/* A call that is made with what is known already. */
static int foresee(struct casehook__machine *machine, enum casehook__call call)
{
    if (!machine->context->config->calls[call].on) return CASEHOOK_OK;
    int status = foresee_url(machine, call, SIZE_MAX);
    return status ? status : foresee_body(machine, call, SIZE_MAX, true);
}

/* One that needs the id of a case which may be found: its body. */
static int foresee_found(struct casehook__machine *machine, enum casehook__call call)
{
    const struct casehook__call_config *config = &machine->context->config->calls[call];
    if (!config->on || !config->body) return CASEHOOK_OK;
    return foresee_body(machine, call, SIZE_MAX,
                        !casehook__template_uses(config->body, "external.system.id"));
}

int casehook__machine_rehearse(struct casehook__machine *machine, struct casehook__failure *failure)
{
    bool transitions = false;
    int status = CASEHOOK_OK;
    if (*machine->step != CASEHOOK__PLAN_CREATE) /* a case is made with its status */
        status = see_transition(machine, &transitions, &machine->result->error);
    if (status) return status;
    switch (*machine->step) {
    case CASEHOOK__PLAN_CREATE: status = foresee(machine, CASEHOOK__CALL_FIND); break;
    case CASEHOOK__PLAN_FIND:
        status = foresee(machine, CASEHOOK__CALL_CREATE);
        if (!status) status = foresee_found(machine, CASEHOOK__CALL_UPDATE); /* if the case is there */
        if (!status && transitions) status = foresee_found(machine, CASEHOOK__CALL_TRANSITION);
        break;
    case CASEHOOK__PLAN_UPDATE:
        if (transitions) status = foresee(machine, CASEHOOK__CALL_TRANSITION);
        if (!status) status = foresee(machine, CASEHOOK__CALL_GET);
        break;
    default: break;
    }
    if (status || machine->operation != CASEHOOK_PUSH ||
        !machine->context->config->calls[CASEHOOK__CALL_COMMENT].on)
        return status;
    return foresee_comments(machine, failure);
}
