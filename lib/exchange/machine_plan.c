/* machine_plan.c - on through the plan, past what needs no request (H1, K8, L1). */
#include "exchange/machine_private.h"

static int write_view_url(struct casehook__machine *machine)
{
    struct casehook_result *result = machine->result;
    struct casehook__param_tree tree;
    if (!result->title) { /* nobody told one: the id stands for it (K8) */
        result->title = casehook__copy(machine->heap, result->id, result->id_length);
        result->title_length = result->id_length;
        if (!result->title) return casehook__fail_memory(&result->error);
    }
    const struct casehook__request_values values = {.external_id = casehook__machine_known_id(machine),
                                                    .external_title = {result->title, result->title_length}};
    int status = casehook__machine_tree(machine, &values, true, &tree);
    if (status) return status;
    casehook__buf_clear(&machine->next_url);
    status = casehook__url_template_render(machine->context->config->view_url, &tree.root, false,
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
        casehook__machine_stop(machine, CASEHOOK_OUTCOME_NONE);
        return;
    }
    if (!machine->preview) casehook__clock_iso(result->pushed_date);
}

/* To the first comment from machine->comment on that is to be sent; false: there is none. */
static bool find_comment(struct casehook__machine *machine)
{
    while (machine->comment < machine->result->comment_count &&
           !casehook__machine_sends_comment(machine, machine->comment))
        machine->comment++;
    return machine->comment < machine->result->comment_count;
}

/* What the plan has at its place is done already, or needs no request; false: the operation has ended. */
static bool pass_step(struct casehook__machine *machine)
{
    struct casehook_result *result = machine->result;
    switch (*machine->step) {
    case CASEHOOK__PLAN_TRANSITION: return !casehook__machine_transitions(machine);
    case CASEHOOK__PLAN_GET: return !machine->context->config->calls[CASEHOOK__CALL_GET].on || result->title;
    case CASEHOOK__PLAN_VIEW: end_push(machine); return *machine->step != CASEHOOK__PLAN_END;
    case CASEHOOK__PLAN_COMMENTS: return !find_comment(machine);
    default: return false;
    }
}

bool casehook__machine_enter_step(struct casehook__machine *machine)
{
    while (*machine->step != CASEHOOK__PLAN_END && pass_step(machine)) machine->step++;
    if (*machine->step == CASEHOOK__PLAN_END) {
        casehook__machine_end(machine);
        return false;
    }
    casehook__machine_begin_step(machine);
    return true;
}
