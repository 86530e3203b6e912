/* point.c - settings, connectors, a loop and a push, while one call of the system fails. */
#include "point.h"
#include "site.h"

#include <jansson.h>
#include <time.h>

static const char settings_text[] = "{\"responseTimeout\":\"350ms\",\"connectTimeout\":\"350ms\"}";

const char *stage_name(enum stage stage)
{
    static const char *const names[STAGES] = {"from the start", "new connection", "kept connection"};
    return names[stage];
}

/* ---- what a result claims ---------------------------------------------------------------------- */

static int outcome_of(const char *name)
{
    static const char *const names[] = {"none", "done", "refused", "not_sent", "unknown"};
    for (int i = 0; i < (int)COUNT(names); i++)
        if (strcmp(name, names[i]) == 0) return i;
    abort();
}

/* Writes have the tags from first on, in the order of their requests. */
static void keep_claims(struct claim *claim, size_t first, struct casehook_result *result)
{
    size_t tag = first;
    for (size_t i = 0; i < casehook_result_request_count(result); i++) {
        const char *text = casehook_result_request_json(result, i, NULL);
        json_t *exchange = text ? json_loads(text, 0, NULL) : NULL;
        if (!exchange) abort();
        if (strcmp(json_string_value(json_object_get(exchange, "method")), "GET") != 0)
            claim->outcome[tag++] =
                (unsigned char)outcome_of(json_string_value(json_object_get(exchange, "outcome")));
        json_decref(exchange);
    }
}

/* ---- what is under way ------------------------------------------------------------------------- */

struct trial {
    struct casehook_settings *settings;
    struct casehook_connector *connector, *other;
    struct drive drive;
};

static int make(struct trial *trial, const char *document)
{
    int status = casehook_settings_new(NULL, &trial->settings);
    if (!status)
        status = casehook_settings_load_json(trial->settings, settings_text, CASEHOOK_TERMINATED, NULL);
    if (!status)
        status =
            casehook_connector_new(trial->settings, document, CASEHOOK_TERMINATED, &trial->connector, NULL);
    return status;
}

static void call(struct trial *trial, struct casehook_connector *connector, int operation, const char *params,
                 uint32_t deadline_ms, struct claim *claim, size_t first)
{
    struct casehook_result *result = drive_result(&trial->drive, connector, operation, params, deadline_ms);
    shim_off();
    keep_claims(claim, first, result);
    claim->status = result ? casehook_error_status(casehook_result_error(result)) : CASEHOOK_E_NO_MEMORY;
    casehook_result_free(result);
}

static unsigned now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (unsigned)(time.tv_sec * 1000 + time.tv_nsec / 1000000);
}

static void arm(const struct point *point)
{
    shim_arm(point->kind, point->nth, point->for_ever);
}

/* Everything that works before the first failure. */
static int prepare(struct trial *trial, const struct point *point, const char *document, size_t tags,
                   struct claim *claim)
{
    int status = make(trial, document);
    trial->drive = drive_new(point->way);
    if (!status)
        status = casehook_connector_new(trial->settings, document, CASEHOOK_TERMINATED, &trial->other, NULL);
    if (status) return status;
    call(trial, trial->other, CASEHOOK_CREATE, site_params(tags + WARMED, 0), 0, claim, WARMED);
    if (point->stage == BEFORE_SECOND)
        call(trial, trial->connector, CASEHOOK_PUSH, site_params(tags + BEFORE, COMMENTS), 0, claim, BEFORE);
    return claim->status;
}

/* Whatever has failed: with the next call all is well. */
static void try_again(struct trial *trial, const char *document, size_t tags, enum way way,
                      struct claim *claim)
{
    int status = claim->status;
    if (!trial->connector) make(trial, document);
    if (way != BLOCKING && !trial->drive.loop) trial->drive = drive_new(way);
    if (trial->connector)
        call(trial, trial->connector, CASEHOOK_CREATE, site_params(tags + AFTERWARDS, 0), 5000, claim,
             AFTERWARDS);
    claim->works_again = claim->status == CASEHOOK_OK;
    claim->status = status;
}

void point_run(const struct point *point, const struct point_documents *documents, size_t number,
               struct claim *claim)
{
    const char *document = documents->of[point->https];
    struct trial trial = {.drive = {.way = point->way, .fd = -1}};
    size_t tags = number * POINT_TAGS;
    char params[512];
    snprintf(params, sizeof params, "%s", site_params(tags + PUSHED, COMMENTS));
    if (point->stage != FROM_THE_START && prepare(&trial, point, document, tags, claim)) return;
    arm(point);
    int status = CASEHOOK_OK;
    if (point->stage == FROM_THE_START) {
        status = make(&trial, document);
        if (!status) trial.drive = drive_new(point->way);
    }
    unsigned begin = now_ms();
    if (!status)
        call(&trial, trial.connector, CASEHOOK_PUSH, params, DEADLINE_MS, claim, PUSHED);
    else
        claim->status = status;
    shim_off();
    claim->milliseconds = now_ms() - begin;
    for (unsigned kind = 0; kind < SHIM_KINDS; kind++) claim->counts[kind] = shim_count(kind);
    try_again(&trial, document, tags, point->way, claim);
    drive_free(&trial.drive);
    casehook_connector_unref(trial.connector);
    casehook_connector_unref(trial.other);
    casehook_settings_free(trial.settings);
    claim->ended = 1;
}
