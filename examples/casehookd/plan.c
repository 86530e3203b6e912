/*
 * plan.c - what a notification means for its case, given what was put for it before.
 *
 * Every entry has a key that says what it was: "f-DIGEST-LAST" while something fires, "r-DIGEST-LAST" when
 * all is resolved.  LAST is the entry before it, so the same notification twice, or from two Alertmanagers,
 * is one entry, but a group that fires, rests and fires again makes three.  Entries of programs for the same
 * case are none of those.
 */
#include "payload.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The digest in a key of plan_entry(); NULL: it is the key of a program. */
static const char *digest_of(const char *key)
{
    enum { SIZE = 2 * DIGEST_HALF };
    if (!key || (*key != 'f' && *key != 'r')) return NULL;
    const char *digest = key + (key[1] == 'c' ? 3 : 2);
    if (digest[-1] != '-' || strspn(digest, "0123456789abcdef") != SIZE || digest[SIZE] != '-') return NULL;
    const char *number = digest + SIZE + 1;
    return *number && number[strspn(number, "0123456789")] == '\0' ? digest : NULL;
}

bool plan_made(const char *key)
{
    return digest_of(key) != NULL;
}

static void plan_entry(const struct notice *notice, struct plan *plan, int operation, const char *status,
                       const char *comment, uint64_t last)
{
    json_t *incident = operation == CASEHOOK_COMMENT ? json_pack("{ss}", "id", notice->case_id)
                                                     : json_copy(notice->incident);
    json_t *root = json_object();
    json_object_set(root, "incident", incident);
    plan->operation = operation;
    snprintf(plan->key, sizeof plan->key, "%c%s-%s-%" PRIu64, notice->resolved ? 'r' : 'f',
             operation == CASEHOOK_COMMENT ? "c" : "", notice->digest, last);
    if (status) json_object_set_new(incident, "status", json_string(status));
    if (comment && *comment)
        json_object_set_new(root, "comments",
                            json_pack("[{ss,ss}]", "commentId", plan->key, "comment", comment));
    char *params = root ? json_dumps(root, JSON_COMPACT) : NULL;
    if (json_lacked_memory())
        free(params);
    else
        plan->params = params;
    json_decref(incident);
    json_decref(root);
}

/* Comment and update in one push, or one of them alone. */
static void plan_reaction(const struct notice *notice, struct plan *plan, int reaction, const char *status,
                          const char *comment, uint64_t last)
{
    bool says = (reaction & REACT_COMMENT) && comment && *comment;
    if (reaction & REACT_UPDATE)
        plan_entry(notice, plan, CASEHOOK_PUSH, status, says ? comment : NULL, last);
    else if (says)
        plan_entry(notice, plan, CASEHOOK_COMMENT, NULL, comment, last);
    else
        plan->reason = "nothing is configured for this";
}

/* Whether that digest was of the same, or of the same firing alerts beside some that were resolved then: what
 * was told to be resolved is left out the next time. */
static bool was_said(const struct notice *notice, const char *digest)
{
    bool rests = notice->digest[DIGEST_HALF + strspn(notice->digest + DIGEST_HALF, "0")] == '\0';
    return !strncmp(digest, notice->digest, rests && !notice->resolved ? DIGEST_HALF : 2 * DIGEST_HALF);
}

void plan_make(const struct notice *notice, const struct last *last, struct plan *plan)
{
    const struct source *source = notice->source;
    memset(plan, 0, sizeof *plan);
    const char *digest = digest_of(last->key);
    bool ended = digest && *last->key == 'r';
    /* What somebody has decided about is over when nothing of it fires any more, though no end of it was put;
     * a case that was forgotten is made again at once. */
    bool begins = ended || !digest || (last->no_case && (!last->decided || notice->starts_ms > last->put_ms));
    plan->known = digest && ended == notice->resolved && was_said(notice, digest);
    if (plan->known) {
        plan->reason = "it was accepted before";
    } else if (ended && notice->resolved) {
        plan->reason = "the case is closed already";
    } else if (notice->resolved) {
        plan_reaction(notice, plan, source->on_resolved, source->closed_status, notice->ended, last->id);
        /* A push would make the case, closed. */
        if (plan->operation == CASEHOOK_PUSH) plan->flags = CASEHOOK_OUTBOX_EXISTING;
    } else if (begins) {
        if (ended && source->refire_finds && last->finished) plan->flags = CASEHOOK_OUTBOX_ANEW;
        plan_entry(notice, plan, CASEHOOK_PUSH, source->open_status,
                   ended && (source->on_change & REACT_COMMENT) ? notice->changed : NULL, last->id);
    } else if (last->no_case) {
        plan->reason = "there is no case to change";
    } else {
        plan_reaction(notice, plan, source->on_change, NULL, notice->changed, last->id);
    }
}

void plan_clear(struct plan *plan)
{
    free(plan->params);
    memset(plan, 0, sizeof *plan);
}
