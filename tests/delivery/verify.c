/* verify.c - nothing lost, nothing doubled, and nothing told that is not so. */
#include "verify.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *fault_name(enum fault fault)
{
    static const char *const names[FAULTS] = {"none", "lost", "doubled", "wrong"};
    return names[fault];
}

#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static void
find_fault(struct finding *finding, enum fault fault, const char *format, ...)
{
    va_list arguments;
    if (finding->fault) return;
    finding->fault = fault;
    va_start(arguments, format);
    vsnprintf(finding->text, sizeof finding->text, format, arguments);
    va_end(arguments);
}

/* ---- what the operation is -------------------------------------------------------------------------- */

static int makes_case(const struct evidence *evidence)
{
    return evidence->point->scenario == CREATE_CASE || evidence->point->scenario == PUSH_NEW;
}

static int updates_case(const struct evidence *evidence)
{
    return evidence->point->scenario == UPDATE_CASE || evidence->point->scenario == MOVE_CASE ||
           evidence->point->scenario == PUSH_FOUND;
}

static int has_comments(const struct evidence *evidence)
{
    return evidence->point->scenario == PUSH_NEW || evidence->point->scenario == PUSH_FOUND;
}

/* ---- one fact after the other ------------------------------------------------------------------------ */

/* The tracker said no to what it had done. */
static int has_lied(const struct evidence *evidence)
{
    const struct mishap *mishap = &evidence->point->mishap;
    return mishap->way == MISHAP_STATUS && mishap->status == 500 && !mishap->undone;
}

/* A write that was told to be so, and is there so many times. */
static void check_write(struct finding *finding, const struct evidence *evidence, const char *what, int told,
                        unsigned times)
{
    if (told == CASEHOOK_OUTCOME_REFUSED && has_lied(evidence)) return;
    if (told == CASEHOOK_OUTCOME_DONE && times == 0)
        find_fault(finding, FAULT_LOST, "%s was told to be done, and is not there", what);
    if (told != CASEHOOK_OUTCOME_DONE && told != CASEHOOK_OUTCOME_UNKNOWN && times > 0)
        find_fault(finding, FAULT_LOST, "%s is there, and was told to be \"%s\"", what,
                   casehook_outcome_name(told));
}

static void check_case(struct finding *finding, const struct evidence *evidence, const struct claim *claim)
{
    size_t count = evidence->trial->case_count;
    char id[32];
    snprintf(id, sizeof id, "T%zu-1", evidence->number);
    if (count > 1) find_fault(finding, FAULT_DOUBLED, "there are %zu cases", count);
    if (makes_case(evidence))
        check_write(finding, evidence, "the case", claim_of_case(claim), (unsigned)count);
    if (claim->has_id && strcmp(claim->id, id) != 0)
        find_fault(finding, FAULT_WRONG, "the id is %s, not %s", claim->id, id);
    if (!claim->status && !claim->has_id) find_fault(finding, FAULT_WRONG, "a success without an id");
    if (!claim->status && strcmp(claim->title, id) != 0)
        find_fault(finding, FAULT_WRONG, "the title is \"%s\"", claim->title);
}

static void check_order(struct finding *finding, const struct evidence *evidence)
{
    for (size_t i = 0; i < evidence->trial->case_count; i++)
        if (evidence->trial->cases[i].out_of_order)
            find_fault(finding, FAULT_WRONG, "comments came out of their order");
}

static void check_comments(struct finding *finding, const struct evidence *evidence,
                           const struct claim *claim)
{
    for (size_t i = 0; has_comments(evidence) && i < COMMENTS; i++) {
        char what[32];
        snprintf(what, sizeof what, "comment %zu", i + 1);
        unsigned times = evidence->trial->cases[0].comments[i];
        check_write(finding, evidence, what, claim_of_comment(claim, i), times);
        if (times > 1) find_fault(finding, FAULT_DOUBLED, "%s is there %u times", what, times);
        if (!claim->status && claim->comments[i] != CASEHOOK_COMMENT_SENT)
            find_fault(finding, FAULT_LOST, "a success without %s", what);
    }
    if (claim->status != CASEHOOK_E_PARAMS && has_comments(evidence) && claim->comment_count != COMMENTS)
        find_fault(finding, FAULT_WRONG, "%zu comments are in the result", claim->comment_count);
}

static void check_keys(struct finding *finding, const struct evidence *evidence)
{
    const struct model_trial *trial = evidence->trial;
    if (policy_has_key(evidence->setting->policy) ? trial->keyless : trial->keyed)
        find_fault(finding, FAULT_WRONG, "%u writes with a key, %u without", trial->keyed, trial->keyless);
}

/* A read is made once more on a new connection when a kept one was dead, which counts as one attempt. */
static void check_requests(struct finding *finding, const struct evidence *evidence)
{
    static const int is_read[KINDS] = {[KIND_FIND] = 1, [KIND_GET] = 1};
    for (enum kind kind = 0; kind < KINDS; kind++) {
        unsigned most = evidence->setting->attempts * (kind == KIND_COMMENT ? COMMENTS : 1);
        if (kind == KIND_CREATE && policy_finds(evidence->setting->policy) && most < 2) most = 2;
        if (kind == KIND_FIND) most *= 7;
        if (is_read[kind]) most *= 2;
        if (evidence->trial->seen[kind] > most)
            find_fault(finding, FAULT_WRONG, "%u requests to %s", evidence->trial->seen[kind],
                       kind_name(kind));
    }
}

/* ---- what attempts are for ---------------------------------------------------------------------------- */

static int breaks_connection(const struct mishap *mishap)
{
    switch (mishap->way) {
    case MISHAP_CUT_REQUEST:
    case MISHAP_CUT_ANSWER:
    case MISHAP_CUT_CHUNKED:
    case MISHAP_STALL:
    case MISHAP_HALF_CLOSED:
    case MISHAP_LENGTH_LONG:
    case MISHAP_BAD_CHUNK:
    case MISHAP_BROKEN_TLS:
    case MISHAP_CLOSED_AT_REUSE: return 1;
    case MISHAP_STATUS: return mishap->status == 502;
    default: return 0;
    }
}

static int is_sure_refusal(const struct mishap *mishap)
{
    return mishap->way == MISHAP_STATUS &&
           (mishap->status == 408 || mishap->status == 425 || mishap->status == 429 || mishap->status == 503);
}

static int was_never_sent(const struct setting *setting, const struct mishap *mishap)
{
    return mishap->way == MISHAP_REFUSE || mishap->way == MISHAP_ALERT ||
           (mishap->way == MISHAP_RESET_AT_ONCE && setting->scheme != HTTP);
}

static int asks_too_much(const struct mishap *mishap)
{
    return mishap->retry_after && strcmp(mishap->retry_after, "3600") == 0;
}

/* One mishap which the attempts, or finding, make good (D1, D3, D4).  Short limits may hit the good requests
 * too.
 */
static int must_succeed(const struct setting *setting, const struct point *point)
{
    const struct mishap *mishap = &point->mishap;
    int adds = mishap->kind == KIND_CREATE || mishap->kind == KIND_COMMENT,
        has_key = policy_has_key(setting->policy) && adds;
    adds |= mishap->kind == KIND_TRANSITION;
    if (point->before.way || point->pace == PACE_STALLED) return 0;
    if (mishap->kind == KIND_CREATE && policy_finds(setting->policy) &&
        (breaks_connection(mishap) || mishap->way == MISHAP_LENGTH_SHORT))
        return 1;
    if (setting->attempts < 2 || asks_too_much(mishap)) return 0;
    if (was_never_sent(setting, mishap) || is_sure_refusal(mishap)) return 1;
    if (adds && !has_key) return 0;
    return breaks_connection(mishap) || mishap->way == MISHAP_RESET_AT_ONCE ||
           (mishap->way == MISHAP_STATUS && mishap->status == 500);
}

/*
 * Where every connection is used again, one may be met that another trial's mishap closes at this moment: by
 * the first request, whose own mishap did not happen then, or by the one that makes it good and does not
 * come.
 */
static int was_met_by_another(const struct evidence *evidence)
{
    const struct model_trial *trial = evidence->trial;
    enum kind kind = evidence->point->mishap.kind;
    return evidence->point->pace == PACE_REUSING &&
           (!trial->hit[0] || (unsigned)evidence->first->sent[kind] > trial->seen[kind]);
}

static void check_attempts(struct finding *finding, const struct evidence *evidence)
{
    const struct mishap *mishap = &evidence->point->mishap;
    const struct claim *claim = evidence->first;
    if (claim->status && must_succeed(evidence->setting, evidence->point) && !was_met_by_another(evidence))
        find_fault(finding, FAULT_WRONG, "it ended with %s in spite of its attempts",
                   casehook_status_name(claim->status));
    if (evidence->trial->hit[0] && !evidence->point->before.way && asks_too_much(mishap) &&
        (!claim->status || claim->retry_after_ms != 3600000))
        find_fault(finding, FAULT_WRONG, "Retry-After 3600: %s, %lld ms are told",
                   casehook_status_name(claim->status), (long long)claim->retry_after_ms);
    if (evidence->trial->impatient)
        find_fault(finding, FAULT_WRONG, "%u requests before Retry-After had passed",
                   evidence->trial->impatient);
}

/* ---- transitions (L1) --------------------------------------------------------------------------------- */

/* It comes behind the update, and is made again only by who was told that nobody knows. */
static void check_transition(struct finding *finding, const struct evidence *evidence,
                             const struct claim *claim)
{
    const struct model_case *found = &evidence->trial->cases[0];
    if (evidence->point->scenario != MOVE_CASE) {
        if (evidence->trial->seen[KIND_TRANSITION])
            find_fault(finding, FAULT_WRONG, "a transition unasked for");
        return;
    }
    check_write(finding, evidence, "the transition", claim_of_transition(claim), found->transitions);
    if (found->transitions && !found->updates)
        find_fault(finding, FAULT_WRONG, "a transition without its update");
    if (claim == evidence->first && found->transitions > 1)
        find_fault(finding, FAULT_DOUBLED, "the transition was made %u times", found->transitions);
    if (!claim->status && !found->transitions)
        find_fault(finding, FAULT_LOST, "a success without the transition");
}

static void check_final_transition(struct finding *finding, const struct evidence *evidence)
{
    unsigned times = evidence->trial->cases[0].transitions;
    int excused = claim_of_transition(evidence->first) == CASEHOOK_OUTCOME_UNKNOWN;
    if (evidence->point->scenario != MOVE_CASE) return;
    if (times == 0) find_fault(finding, FAULT_LOST, "the transition is not there");
    if (times > (excused ? 2u : 1u))
        find_fault(finding, FAULT_DOUBLED, "the transition was made %u times", times);
}

/* ---- the first run ----------------------------------------------------------------------------------- */

struct finding verify_first(const struct evidence *evidence)
{
    struct finding finding = {FAULT_NONE, ""};
    const struct claim *claim = evidence->first;
    if (!claim->there || !claim->json) find_fault(&finding, FAULT_WRONG, "there is no result");
    check_case(&finding, evidence, claim);
    if (updates_case(evidence))
        check_write(&finding, evidence, "the update", claim_of_update(claim),
                    evidence->trial->cases[0].updates);
    check_transition(&finding, evidence, claim);
    check_comments(&finding, evidence, claim);
    check_order(&finding, evidence);
    check_keys(&finding, evidence);
    check_requests(&finding, evidence);
    check_attempts(&finding, evidence);
    return finding;
}

/* ---- the second -------------------------------------------------------------------------------------- */

/* Nobody but a person can know whether there is a case. */
static int needs_a_person(const struct evidence *evidence)
{
    return evidence->setting->policy == POLICY_NONE && makes_case(evidence) &&
           claim_of_case(evidence->first) == CASEHOOK_OUTCOME_UNKNOWN;
}

static struct finding verify_refusal(const struct evidence *evidence)
{
    struct finding finding = {FAULT_NONE, ""};
    const struct claim *claim = evidence->second;
    if (claim->status != CASEHOOK_E_PARAMS)
        find_fault(&finding, FAULT_WRONG, "to resume an unknown create ended with \"%s\"",
                   casehook_status_name(claim->status));
    if (memcmp(evidence->seen_before, evidence->trial->seen, sizeof evidence->seen_before) != 0)
        find_fault(&finding, FAULT_WRONG, "to resume an unknown create has sent something");
    if (evidence->trial->case_count > 1)
        find_fault(&finding, FAULT_DOUBLED, "there are %zu cases", evidence->trial->case_count);
    return finding;
}

/* Twice only where nobody could know, and the caller was told so. */
static void check_final_comments(struct finding *finding, const struct evidence *evidence)
{
    for (size_t i = 0; has_comments(evidence) && i < COMMENTS; i++) {
        unsigned times = evidence->trial->cases[0].comments[i];
        int excused = !policy_has_key(evidence->setting->policy) &&
                      claim_of_comment(evidence->first, i) == CASEHOOK_OUTCOME_UNKNOWN;
        if (times == 0) find_fault(finding, FAULT_LOST, "comment %zu is not there", i + 1);
        if (times > (excused ? 2u : 1u))
            find_fault(finding, FAULT_DOUBLED, "comment %zu is there %u times", i + 1, times);
        if (evidence->second->comments[i] != CASEHOOK_COMMENT_SENT)
            find_fault(finding, FAULT_WRONG, "comment %zu is told to be \"%s\"", i + 1,
                       casehook_comment_state_name(evidence->second->comments[i]));
    }
}

static void check_final_update(struct finding *finding, const struct evidence *evidence)
{
    int told = claim_of_update(evidence->first);
    unsigned updates = evidence->trial->cases[0].updates;
    if (!updates_case(evidence)) return;
    if (updates == 0) find_fault(finding, FAULT_LOST, "the update is not there");
    if (told == CASEHOOK_OUTCOME_DONE && evidence->point->scenario != PUSH_FOUND &&
        updates != evidence->updates_before)
        find_fault(finding, FAULT_DOUBLED, "an update that was done was made again");
}

struct finding verify_second(const struct evidence *evidence)
{
    struct finding finding = {FAULT_NONE, ""};
    if (!evidence->second->there) find_fault(&finding, FAULT_WRONG, "there is no second result");
    if (needs_a_person(evidence)) return verify_refusal(evidence);
    if (evidence->trial->case_count == 0) find_fault(&finding, FAULT_LOST, "there is no case");
    check_case(&finding, evidence, evidence->second);
    check_final_comments(&finding, evidence);
    check_final_update(&finding, evidence);
    check_final_transition(&finding, evidence);
    check_order(&finding, evidence);
    check_keys(&finding, evidence);
    if (evidence->second->status)
        find_fault(&finding, FAULT_WRONG, "resumed, it ended with %s",
                   casehook_status_name(evidence->second->status));
    return finding;
}
