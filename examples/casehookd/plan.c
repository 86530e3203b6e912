/*
 * plan.c - what a notification means for its case, given what was put for it before.
 *
 * Every entry has a key that says what it was: "f-DIGEST-LAST" while something fires, "r-DIGEST-LAST" when
 * all is resolved.  LAST is the entry before it, so the same notification twice, or from two Alertmanagers,
 * is one entry, but a group that fires, rests and fires again makes three.
 */
#include "payload.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void add_item(const struct notice *notice, struct plan *plan, int operation, const char *status,
                     const char *comment, uint64_t last)
{
    struct plan_item *item = &plan->items[plan->count++];
    json_t *incident = operation == CASEHOOK_COMMENT ? json_pack("{ss}", "id", notice->case_id)
                                                     : json_copy(notice->incident);
    json_t *root = json_pack("{so}", "incident", incident);
    item->operation = operation;
    snprintf(item->key, sizeof item->key, "%c%s-%s-%" PRIu64, notice->resolved ? 'r' : 'f',
             operation == CASEHOOK_COMMENT ? "c" : "", notice->digest, last);
    if (status) json_object_set_new(incident, "status", json_string(status));
    if (comment && *comment)
        json_object_set_new(root, "comments",
                            json_pack("[{ss,ss}]", "commentId", item->key, "comment", comment));
    item->params = root ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
}

/* Comment and update in one push, or one of them alone. */
static void add_reaction(const struct notice *notice, struct plan *plan, int reaction, const char *status,
                         const char *comment, uint64_t last)
{
    bool says = (reaction & REACT_COMMENT) && comment && *comment;
    if (reaction & REACT_UPDATE)
        add_item(notice, plan, CASEHOOK_PUSH, status, says ? comment : NULL, last);
    else if (says)
        add_item(notice, plan, CASEHOOK_COMMENT, NULL, comment, last);
    else
        plan->reason = "nothing is configured for this";
}

static void add_first_end(const struct notice *notice, struct plan *plan)
{
    if ((notice->source->on_resolved & REACT_COMMENT) && notice->ended && *notice->ended)
        add_item(notice, plan, CASEHOOK_COMMENT, NULL, notice->ended, 0);
}

/* Nothing is known of an earlier notification: the case may be there from a time that the outbox has
 * forgotten. */
static void plan_first(const struct notice *notice, struct plan *plan)
{
    const struct source *source = notice->source;
    if (!notice->resolved) {
        add_item(notice, plan, CASEHOOK_PUSH, source->open_status, NULL, 0);
        return;
    }
    if (source->on_resolved & REACT_UPDATE)
        add_item(notice, plan, CASEHOOK_UPDATE, source->closed_status, NULL, 0);
    add_first_end(notice, plan);
    if (!plan->count) plan->reason = "nothing is configured for this";
}

void plan_make(const struct notice *notice, const char *last_key, uint64_t last_id, bool finished,
               struct plan *plan)
{
    const struct source *source = notice->source;
    memset(plan, 0, sizeof *plan);
    if (!last_id) {
        plan_first(notice, plan);
        return;
    }
    bool ours =
        last_key && (*last_key == 'f' || *last_key == 'r') && strlen(last_key) > sizeof notice->digest;
    bool ended = ours && *last_key == 'r';
    const char *digest = ours ? last_key + 1 : "";
    if (*digest == 'c') digest++;
    if (*digest == '-') digest++;
    size_t length = sizeof notice->digest - 1;
    plan->known = ours && ended == notice->resolved && !strncmp(digest, notice->digest, length);
    /* The update of plan_first(); had its comment been put too, that would be the last. */
    bool half = plan->known && ended && last_key[1] == '-' && !strcmp(digest + length, "-0");
    if (half) add_first_end(notice, plan);
    if (plan->known) {
        plan->reason = "it was accepted before";
    } else if (ended && notice->resolved) {
        plan->reason = "the case is closed already";
    } else if (notice->resolved) {
        add_reaction(notice, plan, source->on_resolved, source->closed_status, notice->ended, last_id);
    } else if (ended) {
        plan->forget = source->refire_finds && finished;
        add_item(notice, plan, CASEHOOK_PUSH, source->open_status,
                 source->on_change & REACT_COMMENT ? notice->changed : NULL, last_id);
    } else {
        add_reaction(notice, plan, source->on_change, NULL, notice->changed, last_id);
    }
}

void plan_clear(struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) free(plan->items[i].params);
    memset(plan, 0, sizeof *plan);
}
