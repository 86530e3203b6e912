/* points.c - operations, their requests in order, and mishaps for each of them. */
#include "points.h"

#include <stdio.h>

enum { PLACES_MAX = 8 };

const char *scenario_name(enum scenario scenario)
{
    static const char *const names[SCENARIOS] = {
        "create", "update", "update with a transition", "push", "push to a case that is there", "get"};
    return names[scenario];
}

const char *policy_name(enum policy policy)
{
    static const char *const names[POLICIES] = {"none", "find",         "find always",
                                                "key",  "find and key", "find and key, repeats refused"};
    return names[policy];
}

const char *driver_name(enum driver driver)
{
    static const char *const names[DRIVERS] = {"blocking", "loop", "exchange"};
    return names[driver];
}

int policy_finds(enum policy policy)
{
    return policy != POLICY_NONE && policy != POLICY_KEY;
}

int policy_has_key(enum policy policy)
{
    return policy >= POLICY_KEY;
}

void point_text(const struct setting *setting, const struct point *point, char *text, size_t size)
{
    char mishap[160], before[160] = "";
    mishap_text(&point->mishap, mishap, sizeof mishap);
    if (point->before.way) mishap_text(&point->before, before, sizeof before);
    snprintf(text, size, "%s, %s, policy %s, attempts %u, %s; %s%s%s", scenario_name(point->scenario),
             driver_name(setting->driver), policy_name(setting->policy), setting->attempts,
             scheme_name(setting->scheme), before, *before ? "; then " : "", mishap);
}

/* ---- the requests of an operation ------------------------------------------------------------- */

struct places {
    struct place of[PLACES_MAX];
    size_t count;
};

static void add(struct places *places, enum kind kind)
{
    unsigned nth = 1;
    for (size_t i = 0; i < places->count; i++) nth += places->of[i].kind == kind;
    places->of[places->count++] = (struct place){kind, nth};
}

static struct places places_of(enum scenario scenario, enum policy policy)
{
    struct places places = {.count = 0};
    int is_push = scenario == PUSH_NEW || scenario == PUSH_FOUND;
    if (policy == POLICY_ALWAYS && (is_push || scenario == CREATE_CASE)) add(&places, KIND_FIND);
    if (scenario == CREATE_CASE || scenario == PUSH_NEW) add(&places, KIND_CREATE);
    if (scenario == UPDATE_CASE || scenario == MOVE_CASE || scenario == PUSH_FOUND) add(&places, KIND_UPDATE);
    if (scenario == MOVE_CASE) add(&places, KIND_TRANSITION);
    add(&places, KIND_GET);
    for (int i = 0; is_push && i < COMMENTS; i++) add(&places, KIND_COMMENT);
    return places;
}

/* ---- mishaps ------------------------------------------------------------------------------------- */

struct maker {
    const struct setting *setting;
    const struct lengths *lengths;
    struct point point; /* scenario, before and place are set */
    struct place place;
    point_fn take;
    void *user;
};

static void make(struct maker *maker, enum pace pace, struct mishap mishap)
{
    mishap.kind = maker->place.kind;
    mishap.nth = maker->place.nth;
    maker->point.mishap = mishap;
    maker->point.pace = pace;
    maker->take(maker->user, &maker->point);
}

static void make_connections(struct maker *maker)
{
    make(maker, PACE_OWN, (struct mishap){.way = MISHAP_REFUSE});
    make(maker, PACE_OWN, (struct mishap){.way = MISHAP_RESET_AT_ONCE});
    if (maker->setting->scheme != HTTP) make(maker, PACE_OWN, (struct mishap){.way = MISHAP_ALERT});
}

static void make_endings(struct maker *maker)
{
    size_t request = maker->lengths->request[maker->place.kind],
           half = maker->lengths->answer[maker->place.kind] / 2;
    for (int i = 0; i < 4; i++)
        make(maker, i & 1 ? PACE_QUICK : PACE_REUSING,
             (struct mishap){.way = MISHAP_CUT_ANSWER, .undone = i & 1, .reset = i >> 1});
    for (int undone = 0; undone < 2; undone++) {
        make(maker, PACE_QUICK, (struct mishap){.way = MISHAP_HALF_CLOSED, .undone = undone});
        make(maker, PACE_STALLED, (struct mishap){.way = MISHAP_STALL, .undone = undone});
    }
    make(maker, PACE_STALLED, (struct mishap){.way = MISHAP_STALL, .at = half});
    make(maker, PACE_QUICK, (struct mishap){.way = MISHAP_CUT_REQUEST});
    make(maker, PACE_QUICK, (struct mishap){.way = MISHAP_CUT_REQUEST, .at = request / 2});
    make(maker, PACE_QUICK, (struct mishap){.way = MISHAP_CUT_ANSWER, .at = half});
    make(maker, PACE_REUSING, (struct mishap){.way = MISHAP_CLOSED_BEHIND});
    make(maker, PACE_REUSING, (struct mishap){.way = MISHAP_CLOSED_AT_REUSE});
    make(maker, PACE_QUICK, (struct mishap){.way = MISHAP_LENGTH_LONG});
    make(maker, PACE_QUICK, (struct mishap){.way = MISHAP_LENGTH_SHORT});
    make(maker, PACE_QUICK, (struct mishap){.way = MISHAP_BAD_CHUNK});
    if (maker->setting->scheme != HTTP) make(maker, PACE_QUICK, (struct mishap){.way = MISHAP_BROKEN_TLS});
}

/* A 500 is a refusal (R1): what was done in spite of it is not doubled only where something sees it. */
static int is_safe_anyway(const struct maker *maker)
{
    enum policy policy = maker->setting->policy;
    if (maker->place.kind == KIND_CREATE) return policy != POLICY_NONE;
    if (maker->place.kind == KIND_TRANSITION) return 0; /* it has no key */
    return maker->place.kind != KIND_COMMENT || policy_has_key(policy);
}

static void make_refusals(struct maker *maker)
{
    static const int statuses[] = {408, 425, 429, 503};
    static const char *const delays[] = {NULL, "0", "3600", "1", "date"};
    for (size_t i = 0; i < COUNT(statuses) * COUNT(delays); i++) {
        size_t delay = i / COUNT(statuses);
        if (delay > 2 && i % COUNT(statuses) < 2)
            continue; /* seconds of waiting, for the two that are usual */
        make(maker, delay < 3 ? PACE_QUICK : PACE_WAITING,
             (struct mishap){.way = MISHAP_STATUS,
                             .status = statuses[i % COUNT(statuses)],
                             .retry_after = delays[delay],
                             .undone = 1});
    }
    make(maker, PACE_QUICK, (struct mishap){.way = MISHAP_STATUS, .status = 401, .undone = 1});
    make(maker, PACE_QUICK, (struct mishap){.way = MISHAP_STATUS, .status = 500, .undone = 1});
    if (is_safe_anyway(maker)) make(maker, PACE_QUICK, (struct mishap){.way = MISHAP_STATUS, .status = 500});
    make(maker, PACE_QUICK, (struct mishap){.way = MISHAP_STATUS, .status = 502, .undone = 1});
    make(maker, PACE_QUICK, (struct mishap){.way = MISHAP_STATUS, .status = 502});
}

static void make_bytes(struct maker *maker)
{
    enum kind kind = maker->place.kind;
    for (size_t at = 0; at < maker->lengths->request[kind]; at++)
        make(maker, at & 1 ? PACE_REUSING : PACE_QUICK, (struct mishap){.way = MISHAP_CUT_REQUEST, .at = at});
    for (size_t at = 1; at < maker->lengths->answer[kind]; at++)
        make(maker, at & 1 ? PACE_REUSING : PACE_QUICK,
             (struct mishap){.way = MISHAP_CUT_ANSWER, .at = at, .reset = at >> 1 & 1});
    for (size_t at = 1; at < maker->lengths->chunked[kind]; at++)
        make(maker, at & 1 ? PACE_REUSING : PACE_QUICK,
             (struct mishap){.way = MISHAP_CUT_CHUNKED, .at = at, .reset = at >> 1 & 1});
}

/* ---- points -------------------------------------------------------------------------------------- */

/* A push to a case that is there is one because it was looked for. */
static int is_possible(enum scenario scenario, enum policy policy)
{
    return scenario != PUSH_FOUND || policy == POLICY_ALWAYS;
}

/* Creating and reading are the same in a push, and updating before a transition. */
static int has_bytes(enum scenario scenario, enum kind kind)
{
    if (scenario == MOVE_CASE) return kind == KIND_TRANSITION;
    return (scenario != PUSH_NEW && scenario != PUSH_FOUND) || kind == KIND_COMMENT;
}

void points_of_bytes(const struct setting *setting, const struct lengths *lengths, point_fn take, void *user)
{
    struct maker maker = {.setting = setting, .lengths = lengths, .take = take, .user = user};
    for (enum scenario scenario = 0; scenario < SCENARIOS; scenario++) {
        if (!is_possible(scenario, setting->policy)) continue;
        struct places places = places_of(scenario, setting->policy);
        maker.point = (struct point){.scenario = scenario};
        for (size_t i = 0; i < places.count; i++) {
            maker.place = places.of[i];
            if (has_bytes(scenario, maker.place.kind)) make_bytes(&maker);
        }
    }
}

static void make_all(struct maker *maker, struct place place, struct place arms)
{
    maker->place = place;
    maker->point.arms = arms;
    make_connections(maker);
    make_endings(maker);
    make_refusals(maker);
}

/* After a first mishap the tracker is asked, or the same is sent again: what if that goes wrong too? */
static void make_second(struct maker *maker, struct place first, int undone)
{
    enum policy policy = maker->setting->policy;
    unsigned asked = policy == POLICY_ALWAYS ? 1 : 0;
    struct place find = {KIND_FIND, asked + 1}, find_again = {KIND_FIND, asked + 2},
                 again = {first.kind, first.nth + 1};
    maker->point.before =
        (struct mishap){.way = MISHAP_CUT_ANSWER, .kind = first.kind, .nth = first.nth, .undone = undone};
    if (first.kind == KIND_CREATE && policy_finds(policy)) {
        make_all(maker, find, first);
        if (undone) make_all(maker, again, find_again);
    } else if (policy_has_key(policy) && maker->setting->attempts > 1) {
        make_all(maker, again, first);
    }
    maker->point.before = (struct mishap){.way = MISHAP_NONE};
}

void points_of_all_else(const struct setting *setting, const struct lengths *lengths, point_fn take,
                        void *user)
{
    struct maker maker = {.setting = setting, .lengths = lengths, .take = take, .user = user};
    for (enum scenario scenario = 0; scenario < SCENARIOS; scenario++) {
        if (!is_possible(scenario, setting->policy)) continue;
        struct places places = places_of(scenario, setting->policy);
        struct place arms = {KINDS, 0};
        maker.point = (struct point){.scenario = scenario};
        for (size_t i = 0; i < places.count; i++) {
            make_all(&maker, places.of[i], arms);
            arms = places.of[i];
            for (int undone = 0; undone < 2; undone++)
                if (arms.kind == KIND_CREATE || arms.kind == KIND_COMMENT) make_second(&maker, arms, undone);
        }
    }
}
