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
static void add_change(const struct notice *notice, struct plan *plan, uint64_t last)
{
    int reaction = notice->source->on_change;
    bool says = (reaction & REACT_COMMENT) && notice->changed && *notice->changed;
    if (reaction & REACT_UPDATE)
        add_item(notice, plan, CASEHOOK_PUSH, NULL, says ? notice->changed : NULL, last);
    else if (says)
        add_item(notice, plan, CASEHOOK_COMMENT, NULL, notice->changed, last);
    else
        plan->reason = "nothing is configured for this";
}

static void add_last_words(const struct notice *notice, struct plan *plan, uint64_t last)
{
    if ((notice->source->on_resolved & REACT_COMMENT) && notice->ended && *notice->ended)
        add_item(notice, plan, CASEHOOK_COMMENT, NULL, notice->ended, last);
}

/* The update is none that could make a case, as a push would: where there is none, nothing is to be closed.
 * It takes no comments, which are an entry of their own. */
static void add_end(const struct notice *notice, struct plan *plan, uint64_t last)
{
    const struct source *source = notice->source;
    if (source->on_resolved & REACT_UPDATE)
        add_item(notice, plan, CASEHOOK_UPDATE, source->closed_status, NULL, last);
    add_last_words(notice, plan, last);
    if (!plan->count) plan->reason = "nothing is configured for this";
}

void plan_make(const struct notice *notice, const struct last_entry *last, struct plan *plan)
{
    const struct source *source = notice->source;
    const char *key = last->key;
    memset(plan, 0, sizeof *plan);
    bool ours = last->id && key && (*key == 'f' || *key == 'r') && strlen(key) > sizeof notice->digest;
    bool ended = ours && *key == 'r';
    const char *digest = ours ? key + 1 : "";
    if (*digest == 'c') digest++;
    if (*digest == '-') digest++;
    size_t length = sizeof notice->digest - 1;
    plan->known = ours && ended == notice->resolved && !strncmp(digest, notice->digest, length);
    /* The update of add_end(); had its comment been put too, that would be the last. */
    bool half = plan->known && ended && last->operation == CASEHOOK_UPDATE && digest[length] == '-';
    if (half) add_last_words(notice, plan, strtoull(digest + length + 1, NULL, 10));
    if (plan->known) {
        plan->reason = "it was accepted before";
    } else if (ended && notice->resolved) {
        plan->reason = "the case is closed already";
    } else if (notice->resolved) {
        /* Of nothing that is known the case may be there too, from a time that the outbox has forgotten. */
        add_end(notice, plan, last->id);
    } else if (ended || !last->id) {
        plan->forget = ended && source->refire_finds && last->finished;
        add_item(notice, plan, CASEHOOK_PUSH, source->open_status,
                 ended && source->on_change & REACT_COMMENT ? notice->changed : NULL, last->id);
    } else {
        add_change(notice, plan, last->id);
    }
}

void plan_clear(struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) free(plan->items[i].params);
    memset(plan, 0, sizeof *plan);
}
