/* intake.c - what sources send goes into the outbox; only then it is accepted. */
#include "log.h"
#include "payload.h"
#include "server.h"

#include <inttypes.h>
#include <stdarg.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void intake_count(const struct request *request, enum intake_result result)
{
    struct source_counts *counts = server_counts(request->server, request->source->name);
    if (counts) atomic_fetch_add(&counts->results[result], 1);
}

static void note_invalid(const struct request *request, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Its sender may never come again, which the log says, of what was sent as little as can be. */
static void note_invalid(const struct request *request, const char *format, ...)
{
    char why[WHY_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    intake_count(request, INTAKE_INVALID);
    log_line(CASEHOOK_LOG_WARNING, "%s: payload refused: %s", request->source->name, why);
}

static void say(struct answer *answer, const char *status, const char *case_id, uint64_t entry,
                const char *why)
{
    json_t *value = json_pack("{ss}", "status", status);
    char number[24];
    snprintf(number, sizeof number, "%" PRIu64, entry);
    if (case_id) json_object_set_new(value, "case", json_string(case_id));
    if (entry) json_object_set_new(value, "entry", json_string(number));
    if (why) json_object_set_new(value, "reason", json_string(why));
    char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
    json_decref(value);
    answer->status = strcmp(status, "stored") != 0 ? 200 : 202;
    answer->type = "application/json";
    if (text) text_format(&answer->body, "%s\n", text);
    free(text);
}

/* What is new is on the disk: the outbox can be written. */
static void put_worked(const struct request *request, int stored)
{
    bool is_new = stored == CASEHOOK_OUTBOX_STORED;
    if (is_new) atomic_store(&request->server->put_fault, CASEHOOK_OK);
    intake_count(request, is_new ? INTAKE_STORED : INTAKE_KNOWN);
}

/* The answer for a put that failed. */
static void put_failed(struct request *request, struct answer *answer,
                       const struct casehook_outbox_error *error)
{
    int code = casehook_outbox_error_status(error);
    answer_outbox_fault(answer, error);
    ready_failed(request->server, code);
    if (code == CASEHOOK_E_PARAMS) {
        note_invalid(request, "%s", casehook_outbox_error_message(error));
        return;
    }
    log_line(CASEHOOK_LOG_ERROR, "%s: not accepted: %s", request->source->name,
             casehook_outbox_error_message(error));
    intake_count(request, code == CASEHOOK_E_LIMIT ? INTAKE_FULL : INTAKE_FAILED);
}

/* ---- alerts ------------------------------------------------------------------------------------ */

/* Of entries of programs so many pages are looked through, the newest first. */
enum { PAGES_MAX = 10, PAGE = 100 };

static int find_page(struct request *request, const char *case_id, uint64_t before, uint32_t limit,
                     uint32_t states, struct casehook_outbox_list **list,
                     struct casehook_outbox_error **error)
{
    struct casehook_outbox_query query = {.struct_size = sizeof query,
                                          .connector = request->source->connector,
                                          .case_id = case_id,
                                          .before = before,
                                          .states = states,
                                          .limit = limit};
    return casehook_outbox_find(request->server->outbox, &query, list, error);
}

/* Whether all of the case is finished, what programs have put too, or waits for a person who may discard it.
 */
static int find_finished(struct request *request, const char *case_id, bool *finished,
                         struct casehook_outbox_error **error)
{
    const uint32_t states =
        CASEHOOK_OUTBOX_IN(CASEHOOK_OUTBOX_WAITING) + CASEHOOK_OUTBOX_IN(CASEHOOK_OUTBOX_QUEUED) +
        CASEHOOK_OUTBOX_IN(CASEHOOK_OUTBOX_SENDING) + CASEHOOK_OUTBOX_IN(CASEHOOK_OUTBOX_UNKNOWN);
    struct casehook_outbox_list *list = NULL;
    int status = find_page(request, case_id, 0, 1, states, &list, error);
    *finished = !status && !casehook_outbox_list_count(list);
    casehook_outbox_list_free(list);
    return status;
}

static void take_last(const struct casehook_outbox_entry *entry, struct last *last)
{
    snprintf(last->key, sizeof last->key, "%s", entry->key);
    last->id = entry->id;
    last->put_ms = entry->put_ms;
    last->no_case = !entry->has_case;
    last->decided = entry->state == CASEHOOK_OUTBOX_DISCARDED ||
                    (entry->state == CASEHOOK_OUTBOX_DONE && !entry->external_id);
}

/* Programs may have put something for the same case since, so it need not be the newest one. */
static int find_last(struct request *request, const char *case_id, struct last *last,
                     struct casehook_outbox_error **error)
{
    uint64_t before = 0, newest = 0;
    uint32_t limit = 1; /* which is enough most of the time */
    bool more = true;
    int status = CASEHOOK_OK;
    for (int page = 0; !status && more && !*last->key && page <= PAGES_MAX; page++) {
        struct casehook_outbox_entry entry = {.struct_size = sizeof entry};
        struct casehook_outbox_list *list = NULL;
        status = find_page(request, case_id, before, limit, 0, &list, error);
        for (size_t i = 0; !*last->key && !casehook_outbox_list_entry(list, i, &entry); i++) {
            before = entry.id;
            if (!newest) newest = entry.id;
            if (plan_made(entry.key)) take_last(&entry, last);
        }
        more = casehook_outbox_list_count(list) == limit;
        limit = PAGE;
        casehook_outbox_list_free(list);
    }
    /* Behind them there may be one that has 0 in its key. */
    if (!*last->key && more) last->id = newest;
    return status;
}

/* Whether something that is not finished may make the case yet. */
static int find_maker(struct request *request, const char *case_id, bool *found,
                      struct casehook_outbox_error **error)
{
    struct casehook_outbox_entry entry = {.struct_size = sizeof entry};
    struct casehook_outbox_list *list = NULL;
    uint32_t states = 0;
    for (int state = CASEHOOK_OUTBOX_WAITING; state <= CASEHOOK_OUTBOX_UNKNOWN; state++)
        states |= CASEHOOK_OUTBOX_IN((uint32_t)state);
    int status = find_page(request, case_id, 0, PAGE, states, &list, error);
    for (size_t i = 0; !casehook_outbox_list_entry(list, i, &entry); i++)
        *found = *found || entry.operation == CASEHOOK_CREATE ||
                 (entry.operation == CASEHOOK_PUSH && !entry.existing);
    casehook_outbox_list_free(list);
    return status;
}

/* What was unfinished may have made the case since the case was looked at. */
static int find_last_and_case(struct request *request, const char *case_id, struct last *last,
                              struct casehook_outbox_error **error)
{
    bool makes = false;
    int status = find_last(request, case_id, last, error);
    if (!status && last->no_case) status = find_maker(request, case_id, &makes, error);
    if (!status && last->no_case && !makes) {
        uint64_t before = last->id;
        *last = (struct last){.id = 0};
        status = find_last(request, case_id, last, error);
        makes = last->id != before;
    }
    last->no_case = last->no_case && !makes;
    return status;
}

enum { PARAMS_MAX = 7 << 20 };

/* Whether the outbox takes so much; what it refuses of a plan otherwise is of a case that is not there. */
static bool fits(struct request *request, struct answer *answer, const struct plan *plan)
{
    static const char why[] =
        "what is to be put has more than 7 MiB: shorten the texts of the source, or lower its maxAlerts";
    if (!plan->params) {
        answer_error(answer, 503, "out of memory");
        intake_count(request, INTAKE_FAILED);
        return false;
    }
    if (strlen(plan->params) <= PARAMS_MAX) return true;
    answer_error(answer, 422, "%s", why);
    note_invalid(request, "%s", why);
    return false;
}

static void put_plan(struct request *request, struct answer *answer, const struct notice *notice,
                     const struct plan *plan)
{
    struct casehook_outbox_item item = {.struct_size = sizeof item,
                                        .connector = request->source->connector,
                                        .key = plan->key,
                                        .params = plan->params,
                                        .params_length = CASEHOOK_TERMINATED,
                                        .operation = plan->operation,
                                        .flags = plan->flags};
    struct casehook_outbox_error *error = NULL;
    uint64_t entry = 0;
    int stored = 0;
    if (!fits(request, answer, plan)) return;
    int status = casehook_outbox_put(request->server->outbox, &item, &entry, &stored, &error);
    /* The case was never made, or somebody has discarded it. */
    if (status == CASEHOOK_E_PARAMS && (notice->resolved || plan->operation == CASEHOOK_COMMENT)) {
        intake_count(request, INTAKE_IGNORED);
        say(answer, "ignored", notice->case_id, 0,
            notice->resolved ? "there is no case to close" : "there is no case to change");
    } else if (status) {
        put_failed(request, answer, error);
    } else {
        put_worked(request, stored);
        say(answer, stored == CASEHOOK_OUTBOX_STORED ? "stored" : "known", notice->case_id, entry, NULL);
    }
    casehook_outbox_error_free(error);
}

static void take_notice(struct request *request, struct answer *answer, const struct notice *notice)
{
    struct casehook_outbox_error *error = NULL;
    struct plan plan = {0};
    struct last last = {.id = 0};
    int status = find_last_and_case(request, notice->case_id, &last, &error);
    if (!status && request->source->refire_finds && !notice->resolved)
        status = find_finished(request, notice->case_id, &last.finished, &error);
    if (!status) plan_make(notice, &last, &plan);
    if (status) {
        put_failed(request, answer, error);
    } else if (!plan.operation) {
        intake_count(request, plan.known ? INTAKE_KNOWN : INTAKE_IGNORED);
        say(answer, plan.known ? "known" : "ignored", notice->case_id, last.id, plan.reason);
    } else {
        put_plan(request, answer, notice, &plan);
    }
    plan_clear(&plan);
    casehook_outbox_error_free(error);
}

static void take_alerts(struct request *request, struct answer *answer)
{
    struct notice notice;
    char why[WHY_SIZE];
    const char *body = request->body.data ? request->body.data : "";
    int status = notice_read(request->source, body, request->body.length, &notice, why);
    if (status) {
        answer_error(answer, (unsigned)status, "%s", why);
        intake_count(request, status == 503 ? INTAKE_FAILED : INTAKE_INVALID);
        log_line(CASEHOOK_LOG_WARNING, "%s: payload refused: %s", request->source->name, why);
    } else {
        struct source_counts *counts = server_counts(request->server, request->source->name);
        if (counts) atomic_fetch_add(&counts->alerts, notice.alerts);
        take_notice(request, answer, &notice);
    }
    notice_clear(&notice);
}

/* ---- cases ------------------------------------------------------------------------------------- */

static int operation_of(const char *name)
{
    static const int operations[] = {CASEHOOK_PUSH, CASEHOOK_CREATE, CASEHOOK_UPDATE, CASEHOOK_COMMENT};
    if (!name) return CASEHOOK_PUSH;
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (!strcmp(casehook_operation_name(operations[i]), name)) return operations[i];
    return 0;
}

/* The same with an id where it has none: which one the outbox knows, or will. NULL: it is no JSON. */
static char *with_an_id(const char *params, size_t length)
{
    json_t *root = json_loadb(params, length, JSON_ALLOW_NUL, NULL);
    json_t *incident = json_object_get(root, "incident");
    json_t *object = json_is_object(incident) ? incident : root, *id = json_object_get(object, "externalId");
    if (!id || json_is_null(id)) json_object_set_new(object, "externalId", json_string("1"));
    char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
    return text;
}

static int preview(const struct request *request, int operation, const char *params, size_t length,
                   struct casehook_result **result)
{
    struct casehook_connector *connector = config_connector(request->config, request->source->connector);
    int status = casehook_preview_json(connector, operation, params, length, result);
    const char *field = casehook_error_field(casehook_result_error(*result));
    bool no_id = status == CASEHOOK_E_PARAMS && field && !strcmp(field, "externalId");
    char *text = no_id ? with_an_id(params, length) : NULL;
    if (no_id) {
        casehook_result_free(*result);
        *result = NULL;
        status = text ? casehook_preview_json(connector, operation, text, CASEHOOK_TERMINATED, result)
                      : CASEHOOK_OK;
    }
    free(text);
    return status;
}

/* What can be said of a case without sending it: faults that would park it.  What the requests of an update
 * or a comment are made of is known when they are sent: the outbox remembers fields of the tracker's case. */
static bool is_fine(struct request *request, int operation, struct answer *answer)
{
    struct casehook_result *result = NULL;
    bool on_a_case = operation == CASEHOOK_UPDATE || operation == CASEHOOK_COMMENT;
    int status = preview(request, operation, request->body.data, request->body.length, &result);
    const struct casehook_error *error = casehook_result_error(result);
    const char *field = casehook_error_field(error);
    bool of_request = field && !strncmp(field, "config.", 7);
    bool fine = status != CASEHOOK_E_PARAMS || (on_a_case && of_request);
    if (!fine) answer_error(answer, 422, "%s", casehook_error_message(error));
    casehook_result_free(result);
    return fine;
}

enum { KEY_MAX = 255 };

/*
 * A key is its source's: other sources of the connector, and alerts, have keys of their own.  The tab is in
 * no name.  One that is too long then is a digest.
 */
static void make_key(struct text *whole, const struct source *source, const char *key)
{
    char hex[65];
    text_format(whole, "%s\t%s", source->name, key);
    if (whole->failed || whole->length <= KEY_MAX) return;
    bool good = text_digest(whole->data, whole->length, hex, sizeof hex);
    text_free(whole);
    text_format(whole, "\t%s", hex);
    whole->failed |= !good;
}

/* Whether the entry that a known key has is this case; the white space of its JSON does not matter. */
static int is_the_same(struct request *request, int operation, uint64_t id, bool *same,
                       struct casehook_outbox_error **error)
{
    struct casehook_outbox_query query = {.struct_size = sizeof query, .id = id, .full = 1};
    struct casehook_outbox_entry entry = {.struct_size = sizeof entry};
    struct casehook_outbox_list *list = NULL;
    int status = casehook_outbox_find(request->server->outbox, &query, &list, error);
    *same = true; /* as far as can be said of one that was deleted, or whose params were, "{}", for its age */
    if (!status && !casehook_outbox_list_entry(list, 0, &entry) && entry.params &&
        strcmp(entry.params, "{}") != 0) {
        json_t *there = json_loads(entry.params, JSON_DECODE_ANY, NULL);
        json_t *given = json_loadb(request->body.data, request->body.length, JSON_DECODE_ANY, NULL);
        *same = there && given ? json_equal(there, given)
                               : strlen(entry.params) == request->body.length &&
                                     !memcmp(entry.params, request->body.data, request->body.length);
        *same = *same && entry.operation == operation;
        json_decref(there);
        json_decref(given);
    }
    casehook_outbox_list_free(list);
    return status;
}

static void put_case(struct request *request, struct answer *answer, const struct casehook_outbox_item *item)
{
    struct casehook_outbox_error *error = NULL;
    uint64_t entry = 0;
    int stored = 0;
    bool same = true;
    int status = casehook_outbox_put(request->server->outbox, item, &entry, &stored, &error);
    if (!status && stored != CASEHOOK_OUTBOX_STORED)
        status = is_the_same(request, item->operation, entry, &same, &error);
    if (status) {
        put_failed(request, answer, error);
    } else if (!same) {
        answer_error(answer, 422, "this Idempotency-Key was sent with another case before, entry %" PRIu64,
                     entry);
        note_invalid(request, "its Idempotency-Key came with another case before, entry %" PRIu64, entry);
    } else {
        put_worked(request, stored);
        say(answer, stored == CASEHOOK_OUTBOX_STORED ? "stored" : "known", NULL, entry, NULL);
    }
    casehook_outbox_error_free(error);
}

static void take_case(struct request *request, struct answer *answer)
{
    const char *key = request_header(request, "Idempotency-Key");
    struct casehook_outbox_item item = {.struct_size = sizeof item,
                                        .connector = request->source->connector,
                                        .params = request->body.data,
                                        .params_length = request->body.length,
                                        .operation = operation_of(request_argument(request, "operation"))};
    struct text whole = {0};
    if (!item.operation || !item.params || (key && (!*key || strlen(key) > KEY_MAX))) {
        const char *why = !item.operation ? "operation must be push, create, update or comment"
                          : !item.params  ? "a case as JSON is missing"
                                          : "Idempotency-Key must have 1 to 255 bytes";
        answer_error(answer, 422, "%s", why);
        note_invalid(request, "%s", why);
        return;
    }
    if (key) make_key(&whole, request->source, key);
    item.key = whole.data;
    if (whole.failed) {
        answer_error(answer, 503, "out of memory");
        intake_count(request, INTAKE_FAILED);
    } else if (!is_fine(request, item.operation, answer)) {
        note_invalid(request, "no tracker could take this case, for what the answer says");
    } else {
        put_case(request, answer, &item);
    }
    text_free(&whole);
}

/* ---- both -------------------------------------------------------------------------------------- */

/* Forms of other sites in a browser are anything but JSON. */
static bool is_json(const struct request *request)
{
    const char *type = request_header(request, "Content-Type");
    return type && !strncasecmp(type, "application/json", 16) && (!type[16] || strchr("; \t", type[16]));
}

enum { VALUES_MAX = 1000000, VALUES_FEW = 20000 };

/* How many values there are in a text of JSON, about: one takes up to 250 bytes in memory, and 2 in the text.
 */
static size_t count_values(const struct text *body)
{
    size_t values = 1;
    bool inside = false;
    for (size_t i = 0; i < body->length; i++) {
        char c = body->data[i];
        if (inside && c == '\\')
            i++;
        else if (c == '"')
            inside = !inside;
        else if (!inside && (c == ',' || c == '[' || c == '{'))
            values++;
    }
    return values;
}

static void take(struct request *request, struct answer *answer)
{
    if (request->source->type == SOURCE_CASES)
        take_case(request, answer);
    else
        take_alerts(request, answer);
}

/* Several of those at once would be gigabytes: the sender comes back. */
static void take_large(struct request *request, struct answer *answer, size_t values)
{
    atomic_size_t *all = &request->server->body_values;
    if (atomic_fetch_add(all, values) + values > VALUES_MAX) {
        answer_error(answer, 503, "too much at once; again in a moment");
        answer->retry_after_s = 1;
        intake_count(request, INTAKE_FULL);
    } else {
        take(request, answer);
#if defined(__GLIBC__)
        malloc_trim(0); /* it would keep what it got for the largest one */
#endif
    }
    atomic_fetch_sub(all, values);
}

void handle_source(struct request *request, struct answer *answer)
{
    size_t values = count_values(&request->body);
    if (!is_json(request)) {
        answer_error(answer, 415, "Content-Type must be application/json");
        note_invalid(request, "Content-Type is not application/json");
    } else if (values > VALUES_MAX) {
        answer_error(answer, 413, "more than %d values", VALUES_MAX);
        note_invalid(request, "more than %d values", VALUES_MAX);
    } else if (values > VALUES_FEW) {
        take_large(request, answer, values);
    } else {
        take(request, answer);
    }
}
