/* claim.c - reads results as a caller would. */
#include "claim.h"
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum kind kind_of(int step)
{
    switch (step) {
    case CASEHOOK_STEP_CREATE: return KIND_CREATE;
    case CASEHOOK_STEP_GET: return KIND_GET;
    case CASEHOOK_STEP_UPDATE: return KIND_UPDATE;
    case CASEHOOK_STEP_TRANSITION: return KIND_TRANSITION;
    case CASEHOOK_STEP_COMMENT: return KIND_COMMENT;
    default: return KIND_FIND;
    }
}

/* "create unknown, find done 200; comments sent failed not_attempted; network: ..." */
static void put_words(struct claim *claim, const struct casehook_result *result)
{
    size_t length = 0, size = sizeof claim->words;
    char *words = claim->words;
    for (size_t i = 0; i < claim->requests && length < size; i++)
        length += (size_t)snprintf(words + length, size - length, "%s%s %s %d", i ? ", " : "",
                                   casehook_step_name(casehook_result_request_step(result, i)),
                                   casehook_outcome_name(casehook_result_request_outcome(result, i)),
                                   casehook_result_request_status(result, i));
    for (size_t i = 0; i < claim->comment_count && i < COMMENTS && length < size; i++)
        length += (size_t)snprintf(words + length, size - length, "%s%s", i ? " " : "; comments ",
                                   casehook_comment_state_name(claim->comments[i]));
    if (length < size)
        snprintf(words + length, size - length, "; id %s; %s, step %s, outcome %s: %.300s", claim->id,
                 casehook_status_name(claim->status), casehook_step_name(claim->step),
                 casehook_outcome_name(claim->outcome),
                 claim->status ? casehook_error_message(casehook_result_error(result)) : "");
}

void claim_take(struct claim *claim, struct casehook_result *result)
{
    const struct casehook_error *error = casehook_result_error(result);
    const char *id = casehook_result_id(result, NULL), *title = casehook_result_title(result, NULL);
    const char *json = casehook_result_json(result, NULL);
    *claim = (struct claim){.there = result != NULL,
                            .status = casehook_result_status(result),
                            .step = casehook_result_step(result),
                            .outcome = casehook_result_outcome(result),
                            .retryable = casehook_error_retryable(error),
                            .retry_after_ms = casehook_error_retry_after_ms(error),
                            .has_id = id != NULL,
                            .comment_count = casehook_result_comment_count(result),
                            .requests = casehook_result_request_count(result)};
    snprintf(claim->id, sizeof claim->id, "%s", id ? id : "");
    snprintf(claim->title, sizeof claim->title, "%s", title ? title : "");
    for (size_t i = 0; i < COMMENTS; i++) claim->comments[i] = casehook_result_comment_state(result, i);
    for (size_t i = 0; i < claim->requests; i++)
        claim->sent[kind_of(casehook_result_request_step(result, i))]++;
    put_words(claim, result);
    claim->json = json ? must_copy(json, strlen(json)) : NULL;
    casehook_result_free(result);
}

void claim_clear(struct claim *claim)
{
    free(claim->json);
    *claim = (struct claim){0};
}

int claim_of_case(const struct claim *claim)
{
    if (claim->has_id) return CASEHOOK_OUTCOME_DONE;
    return claim->sent[KIND_CREATE] ? claim->outcome : CASEHOOK_OUTCOME_NOT_SENT;
}

int claim_of_update(const struct claim *claim)
{
    if (!claim->sent[KIND_UPDATE]) return CASEHOOK_OUTCOME_NOT_SENT;
    return claim->step == CASEHOOK_STEP_UPDATE ? claim->outcome : CASEHOOK_OUTCOME_DONE;
}

int claim_of_transition(const struct claim *claim)
{
    if (!claim->sent[KIND_TRANSITION]) return CASEHOOK_OUTCOME_NOT_SENT;
    return claim->step == CASEHOOK_STEP_TRANSITION ? claim->outcome : CASEHOOK_OUTCOME_DONE;
}

int claim_of_comment(const struct claim *claim, size_t index)
{
    switch (claim->comments[index]) {
    case CASEHOOK_COMMENT_SENT: return CASEHOOK_OUTCOME_DONE;
    case CASEHOOK_COMMENT_FAILED: return claim->outcome;
    default: return CASEHOOK_OUTCOME_NOT_SENT;
    }
}
