/* decide.c - what a person decides about an entry. */
#include "outbox/outbox_private.h"

#include <stdio.h>

struct decision {
    struct casehook__ob_job job;
    int64_t id;
    int to;    /* a state, WAITING for "again" */
    bool anew; /* "again", and its case as well */
    struct casehook__ob_text external_id;
    const char *connector, *case_id;
    int64_t older_than_ms;
    struct casehook__ob_sweep sweep, swept; /* before the piece that is being done, and after it */
};

enum { PURGE_AT_ONCE = 1000 };

static int refuse_decision(struct casehook__ob_job *job, const struct decision *decision, int state)
{
    if (state == CASEHOOK_OUTBOX_SENDING)
        casehook__ob_fail(&job->fault, CASEHOOK_E_BUSY,
                          "entry %lld is being sent: wait for what becomes of it", (long long)decision->id);
    else if (state)
        casehook__ob_fail(&job->fault, CASEHOOK_E_ARGUMENT,
                          "entry %lld is %s: this is for entries that are %s", (long long)decision->id,
                          casehook_outbox_state_name(state),
                          decision->to == CASEHOOK_OUTBOX_DONE ? "parked or unknown" : "not finished");
    else
        casehook__ob_fail(&job->fault, CASEHOOK_E_ARGUMENT, "there is no entry %lld",
                          (long long)decision->id);
    return CASEHOOK_OK;
}

static int refuse_anew(struct decision *decision)
{
    casehook__ob_fail(&decision->job.fault, CASEHOOK_E_ARGUMENT,
                      "entry %lld cannot make its case: this is for a push or create that is parked, and has "
                      "the id of a case",
                      (long long)decision->id);
    return CASEHOOK_OK;
}

static bool may_decide(int from, int to)
{
    bool needs_person = from == CASEHOOK_OUTBOX_PARKED || from == CASEHOOK_OUTBOX_UNKNOWN;
    if (to == CASEHOOK_OUTBOX_DONE) return needs_person;
    return needs_person || from == CASEHOOK_OUTBOX_WAITING || from == CASEHOOK_OUTBOX_QUEUED;
}

static int fail_unfinished(struct decision *decision, int64_t other)
{
    return casehook__ob_fail(&decision->job.fault, CASEHOOK_E_BUSY,
                             "entry %lld of this case is not finished: nothing is forgotten before it is",
                             (long long)other);
}

/*
 * One that goes on waits for the others of its case that have their turn now.  But what is newer stays: an
 * old title or status would open again what was closed; and of two that are parked the newer one makes the
 * case anew.  The case is locked first, or another one comes between.
 */
static int state_again(struct casehook_outbox *outbox, struct decision *decision, int64_t case_no, int from,
                       int *state, struct casehook__ob_fault *fault)
{
    struct casehook__ob_numbers found = {.rows = 0}, newer = {.rows = 0};
    const struct casehook__ob_value of_case[] = {casehook__ob_number_value(case_no),
                                                 casehook__ob_number_value(0)},
                                    after[] = {of_case[0], casehook__ob_number_value(decision->id),
                                               casehook__ob_number_value(
                                                   decision->anew ? CASEHOOK_OUTBOX_PARKED : 0)};
    int status = CASEHOOK_OK;
    if (case_no && from == CASEHOOK_OUTBOX_PARKED) {
        status = casehook__ob_ask(outbox, CASEHOOK__OB_CASE_LOCK, of_case, 1, &found, fault);
        if (!status) status = casehook__ob_ask(outbox, CASEHOOK__OB_OVERTAKEN, after, 3, &newer, fault);
        if (!status) status = casehook__ob_ask(outbox, CASEHOOK__OB_BLOCKING, of_case, 2, &found, fault);
    }
    if (!status && newer.rows)
        casehook__ob_fail(&decision->job.fault, CASEHOOK_E_ARGUMENT,
                          "entry %lld says what its case was before entry %lld: discard it, or put anew what "
                          "is still true",
                          (long long)decision->id, (long long)newer.values[0]);
    else if (!status && decision->anew && found.rows)
        fail_unfinished(decision, found.values[0]);
    *state = from == CASEHOOK_OUTBOX_QUEUED || found.rows ? CASEHOOK_OUTBOX_QUEUED : CASEHOOK_OUTBOX_WAITING;
    return status;
}

/* Whether it can make its case. */
static bool may_make(int state, int operation, int64_t case_no)
{
    return state == CASEHOOK_OUTBOX_PARKED && case_no &&
           (operation == CASEHOOK_PUSH || operation == CASEHOOK_CREATE);
}

/* Before another id is that of the case; what was reached of the one from before is nothing in it. */
static int forget_other(struct casehook_outbox *outbox, struct decision *decision, int64_t case_no,
                        struct casehook__ob_fault *fault)
{
    struct casehook__ob_numbers other, sending;
    const struct casehook__ob_value values[] = {casehook__ob_number_value(case_no),
                                                casehook__ob_bytes_value(decision->external_id)};
    if (!case_no || !decision->external_id.data) return CASEHOOK_OK;
    int status = casehook__ob_ask(outbox, CASEHOOK__OB_CASE_OTHER, values, 2, &other, fault);
    if (status || !other.rows) return status;
    status = casehook__ob_ask(outbox, CASEHOOK__OB_CASE_SENDING, values, 1, &sending, fault);
    if (!status && sending.rows && sending.values[0] == CASEHOOK_OUTBOX_SENDING) {
        fail_unfinished(decision, sending.values[1]);
        return CASEHOOK_OK;
    }
    return status ? status : casehook__ob_forget_case(outbox, case_no, fault);
}

static int do_decide(struct casehook_outbox *outbox, struct casehook__ob_job *job,
                     struct casehook__ob_fault *fault)
{
    struct decision *decision = job->user;
    struct casehook__ob_numbers entry;
    struct casehook__ob_value values[3] = {casehook__ob_number_value(decision->id)};
    int status = casehook__ob_ask(outbox, CASEHOOK__OB_STATE, values, 1, &entry, fault), to = decision->to;
    if (status) return status;
    int from = entry.rows ? (int)entry.values[0] : 0;
    int64_t case_no = entry.values[1], bytes = entry.values[2];
    if (!from || !may_decide(from, to)) return refuse_decision(job, decision, from);
    if (decision->anew && !may_make(from, (int)entry.values[3], case_no)) return refuse_anew(decision);
    if (to == CASEHOOK_OUTBOX_WAITING)
        status = state_again(outbox, decision, case_no, from, &to, fault);
    else if (to == CASEHOOK_OUTBOX_DONE)
        status = forget_other(outbox, decision, case_no, fault);
    if (status || job->fault.status) return status;
    if (decision->anew) status = casehook__ob_forget_case(outbox, case_no, fault);
    if (status) return status;
    values[1] = casehook__ob_number_value(to);
    values[2] = casehook__ob_bytes_value(decision->external_id);
    status = casehook__ob_run(outbox, CASEHOOK__OB_DECIDE, values, 3, NULL, fault);
    if (status) return status;
    casehook__ob_moved(outbox, from, to, bytes);
    if (to <= CASEHOOK_OUTBOX_QUEUED && outbox->oldest_id > decision->id) outbox->oldest_id = decision->id;
    const struct casehook__ob_value learnt[] = {
        casehook__ob_number_value(case_no), values[2],
        casehook__ob_bytes_value((struct casehook__ob_text){NULL, 0}), values[0],
        casehook__ob_bytes_value((struct casehook__ob_text){NULL, 0})};
    if (to == CASEHOOK_OUTBOX_DONE && case_no)
        status = casehook__ob_run(outbox, CASEHOOK__OB_CASE_LEARN, learnt, 5, NULL, fault);
    if (!status && to > CASEHOOK_OUTBOX_UNKNOWN) status = casehook__ob_promote(outbox, case_no, fault);
    job->tells = true;
    return status;
}

static int decide(struct casehook_outbox *outbox, uint64_t id, struct decision decision,
                  struct casehook_outbox_error **error)
{
    struct casehook__ob_fault fault = {.status = CASEHOOK_OK};
    decision.job.do_it = do_decide;
    decision.id = (int64_t)id;
    decision.job.user = &decision;
    if (casehook__ob_usable(outbox, &fault)) return casehook__ob_answer(outbox, &fault, error);
    casehook__ob_group(outbox, &decision.job);
    return casehook__ob_answer(outbox, &decision.job.fault, error);
}

int casehook_outbox_retry(struct casehook_outbox *outbox, uint64_t id, struct casehook_outbox_error **error)
{
    return decide(outbox, id, (struct decision){.to = CASEHOOK_OUTBOX_WAITING}, error);
}

int casehook_outbox_again(struct casehook_outbox *outbox, uint64_t id, struct casehook_outbox_error **error)
{
    return decide(outbox, id, (struct decision){.to = CASEHOOK_OUTBOX_WAITING, .anew = true}, error);
}

int casehook_outbox_discard(struct casehook_outbox *outbox, uint64_t id, struct casehook_outbox_error **error)
{
    return decide(outbox, id, (struct decision){.to = CASEHOOK_OUTBOX_DISCARDED}, error);
}

enum { EXTERNAL_ID_MAX = 1024 };

/* What no update could use would park all that follows in its case. */
static bool is_external_id(const char *id)
{
    size_t length = strlen(id);
    return length > 0 && length <= EXTERNAL_ID_MAX && strcmp(id, ".") != 0 && strcmp(id, "..") != 0;
}

int casehook_outbox_done(struct casehook_outbox *outbox, uint64_t id, const char *external_id,
                         struct casehook_outbox_error **error)
{
    struct casehook__ob_fault fault = {.status = CASEHOOK_OK};
    int status = casehook__ob_usable(outbox, &fault);
    if (!status && external_id && !is_external_id(external_id))
        status = casehook__ob_fail(&fault, CASEHOOK_E_ARGUMENT,
                                   "external_id must have 1 to %d bytes, and not be \".\" or \"..\"",
                                   EXTERNAL_ID_MAX);
    if (status) return casehook__ob_answer(outbox, &fault, error);
    return decide(
        outbox, id,
        (struct decision){.to = CASEHOOK_OUTBOX_DONE, .external_id = casehook__ob_text(external_id)}, error);
}

/* ---- cases and finished entries ------------------------------------------------------------------------ */

int casehook__ob_forget_case(struct casehook_outbox *outbox, int64_t case_no,
                             struct casehook__ob_fault *fault)
{
    char end[9]; /* of the keys, which are random before it */
    snprintf(end, sizeof end, "%08x", (unsigned)casehook__ob_random(outbox));
    const struct casehook__ob_value values[] = {casehook__ob_number_value(case_no),
                                                casehook__ob_bytes_value(casehook__ob_text(end))};
    int status = casehook__ob_run(outbox, CASEHOOK__OB_CASE_FORGET, values, 1, NULL, fault);
    return status ? status : casehook__ob_run(outbox, CASEHOOK__OB_RESULTS_FORGET, values, 2, NULL, fault);
}

static int do_forget(struct casehook_outbox *outbox, struct casehook__ob_job *job,
                     struct casehook__ob_fault *fault)
{
    struct decision *decision = job->user;
    struct casehook__ob_numbers found, sending;
    const struct casehook__ob_value values[] = {
        casehook__ob_bytes_value(casehook__ob_text(decision->connector)),
        casehook__ob_bytes_value(casehook__ob_text(decision->case_id))};
    int status = casehook__ob_ask(outbox, CASEHOOK__OB_CASE_FIND, values, 2, &found, fault);
    if (!status && !found.rows)
        casehook__ob_fail(&job->fault, CASEHOOK_E_ARGUMENT, "there is no such case of that connector");
    if (status || !found.rows) return status;
    const struct casehook__ob_value no = casehook__ob_number_value(found.values[0]);
    /* What comes of one that is being sent would be remembered again. */
    status = casehook__ob_ask(outbox, CASEHOOK__OB_CASE_SENDING, &no, 1, &sending, fault);
    if (!status && sending.rows && sending.values[0] == CASEHOOK_OUTBOX_SENDING) {
        decision->id = sending.values[1];
        return refuse_decision(job, decision, CASEHOOK_OUTBOX_SENDING);
    }
    return status ? status : casehook__ob_forget_case(outbox, found.values[0], fault);
}

int casehook_outbox_forget(struct casehook_outbox *outbox, const char *connector, const char *case_id,
                           struct casehook_outbox_error **error)
{
    struct casehook__ob_fault fault = {.status = CASEHOOK_OK};
    struct decision decision = {.job = {.do_it = do_forget}, .connector = connector, .case_id = case_id};
    decision.job.user = &decision;
    int status = casehook__ob_usable(outbox, &fault);
    if (!status && (!connector || !case_id))
        status = casehook__ob_fail(&fault, CASEHOOK_E_ARGUMENT, "connector and case_id must be given");
    if (status) return casehook__ob_answer(outbox, &fault, error);
    casehook__ob_group(outbox, &decision.job);
    return casehook__ob_answer(outbox, &decision.job.fault, error);
}

/*
 * A piece of one state.  What is kept stays where it is, so the next piece begins behind this one: however
 * much is kept, no piece takes longer.
 */
static int purge_state(struct casehook_outbox *outbox, int64_t older_than_ms, int state,
                       struct casehook__ob_sweep *sweep, struct casehook__ob_fault *fault)
{
    struct casehook__ob_numbers end;
    struct casehook__ob_rows purged = {.take = NULL}, emptied = {.take = NULL};
    struct casehook__ob_value values[6] = {
        casehook__ob_number_value(state), casehook__ob_number_value(sweep->due[state]),
        casehook__ob_number_value(sweep->id[state]), casehook__ob_number_value(older_than_ms),
        casehook__ob_number_value(PURGE_AT_ONCE - 1)};
    int status = casehook__ob_ask(outbox, CASEHOOK__OB_PURGE_END, values, 5, &end, fault);
    bool more = end.rows && end.values[2];
    sweep->due[state] = more ? end.values[0] : INT64_MAX;
    sweep->id[state] = end.values[1];
    values[3] = casehook__ob_number_value(end.values[0]);
    values[4] = casehook__ob_number_value(end.values[1]);
    values[5] = casehook__ob_bytes_value(casehook__ob_text("{}"));
    if (!status) status = casehook__ob_run(outbox, CASEHOOK__OB_PURGE, values, 5, &purged, fault);
    if (!status) status = casehook__ob_run(outbox, CASEHOOK__OB_EMPTY, values, 6, &emptied, fault);
    if (status) return status;
    outbox->change.entries[state] -= purged.changed;
    sweep->deleted += (uint64_t)purged.changed;
    sweep->more |= more;
    return CASEHOOK_OK;
}

/* Goes on with a sweep; one that has come to its end begins anew. */
static int purge_some(struct casehook_outbox *outbox, int64_t older_than_ms, struct casehook__ob_sweep *sweep,
                      struct casehook__ob_fault *fault)
{
    int status = CASEHOOK_OK;
    if (!sweep->more) memset(sweep, 0, sizeof *sweep);
    sweep->more = false;
    sweep->deleted = 0;
    if (outbox->store->driver->alone)
        status = casehook__ob_run(outbox, CASEHOOK__OB_KEEP_LAST, NULL, 0, NULL, fault);
    for (int state = CASEHOOK_OUTBOX_DONE; !status && state < CASEHOOK__OB_STATES; state++)
        if (sweep->due[state] < INT64_MAX) status = purge_state(outbox, older_than_ms, state, sweep, fault);
    return status;
}

static int do_purge(struct casehook_outbox *outbox, struct casehook__ob_job *job,
                    struct casehook__ob_fault *fault)
{
    struct decision *decision = job->user;
    decision->swept = decision->sweep; /* this may be done once more */
    return purge_some(outbox, decision->older_than_ms, &decision->swept, fault);
}

int casehook_outbox_purge(struct casehook_outbox *outbox, int64_t older_than_ms, uint64_t *deleted,
                          struct casehook_outbox_error **error)
{
    struct casehook__ob_fault fault = {.status = CASEHOOK_OK};
    struct decision decision = {.job = {.do_it = do_purge}, .older_than_ms = older_than_ms};
    decision.job.user = &decision;
    if (deleted) *deleted = 0;
    int status = casehook__ob_usable(outbox, &fault);
    if (!status && older_than_ms < 0)
        status = casehook__ob_fail(&fault, CASEHOOK_E_ARGUMENT, "older_than_ms is negative");
    if (status) return casehook__ob_answer(outbox, &fault, error);
    /* In pieces, so that nobody waits for long. */
    do {
        if (casehook__ob_group(outbox, &decision.job)) break;
        decision.sweep = decision.swept;
        if (deleted) *deleted += decision.sweep.deleted;
    } while (decision.sweep.more);
    return casehook__ob_answer(outbox, &decision.job.fault, error);
}

/* In a job: a piece of what the options say is old; sweep->more: there is another one. */
int casehook__ob_clean(struct casehook_outbox *outbox, struct casehook__ob_sweep *sweep,
                       struct casehook__ob_fault *fault)
{
    int status = CASEHOOK_OK;
    const struct casehook__ob_value values[] = {casehook__ob_number_value(outbox->options.keep_cases_ms),
                                                casehook__ob_number_value(PURGE_AT_ONCE)};
    if (outbox->options.keep_finished_ms >= 0)
        status = purge_some(outbox, outbox->options.keep_finished_ms, sweep, fault);
    if (!status && !sweep->more && outbox->options.keep_cases_ms >= 0)
        status = casehook__ob_run(outbox, CASEHOOK__OB_PURGE_CASES, values, 2, NULL, fault);
    return status;
}
