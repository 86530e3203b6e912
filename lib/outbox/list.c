/* list.c - entries for whoever looks at them. */
#include "outbox/outbox_private.h"

#include <stdio.h>

enum { LIST_MAX = 1000, LIST_USUAL = 100, FEW = 5000, LIST_NUMBERS = 15, LIST_TEXTS = 10 };

/* In the order of the columns: numbers, then texts. */
enum listed_number {
    N_ID,
    N_STATE,
    N_OPERATION,
    N_STATUS,
    N_HTTP,
    N_OUTCOME,
    N_STEP,
    N_ATTEMPTS,
    N_DOUBT,
    N_HAS_CASE,
    N_EXISTING,
    N_PUT,
    N_FIRST,
    N_DUE,
    N_BYTES
};
enum listed_text {
    T_CONNECTOR,
    T_KEY,
    T_CASE,
    T_EXTERNAL,
    T_TITLE,
    T_URL,
    T_WORKER,
    T_MESSAGE,
    T_PARAMS,
    T_RESULT
};

struct listed {
    int64_t numbers[LIST_NUMBERS];
    struct casehook__ob_text texts[LIST_TEXTS];
    char *block;
};

struct casehook_outbox_list {
    struct casehook__ob_heap *heap;
    struct listed *entries;
    size_t count, room;
    bool full, broken;    /* broken: there was no memory for one of them */
    _Atomic(char *) json; /* NULL: nobody has asked for it; made once */
};

struct finding {
    struct casehook__ob_job job;
    struct casehook_outbox_query query;
    struct casehook_outbox_list *list;
};

/* ---- finding ---------------------------------------------------------------------------------------- */

static bool list_room(struct casehook_outbox_list *list)
{
    if (list->count < list->room) return true;
    size_t room = list->room ? list->room * 2 : 16;
    struct listed *entries = casehook__ob_resize(list->heap, list->entries, room * sizeof *entries);
    if (!entries) return false;
    list->entries = entries;
    list->room = room;
    return true;
}

static int take_listed(void *user, const struct casehook__ob_value *values, size_t count)
{
    struct casehook_outbox_list *list = user;
    size_t size = 1;
    if (count < LIST_NUMBERS + LIST_TEXTS) return CASEHOOK_E_SYSTEM;
    const struct casehook__ob_value *texts = values + LIST_NUMBERS;
    for (size_t i = 0; i < LIST_TEXTS; i++) size += texts[i].bytes.length + 1;
    char *at = list_room(list) ? casehook__ob_resize(list->heap, NULL, size) : NULL;
    list->broken = !at;
    if (!at) return CASEHOOK_E_NO_MEMORY;
    struct listed *entry = &list->entries[list->count++];
    *entry = (struct listed){.block = at};
    for (size_t i = 0; i < LIST_NUMBERS; i++) entry->numbers[i] = values[i].number;
    for (size_t i = 0; i < LIST_TEXTS; i++) {
        if (texts[i].kind != CASEHOOK__OB_BYTES) continue;
        entry->texts[i] = (struct casehook__ob_text){at, texts[i].bytes.length};
        if (texts[i].bytes.length) memcpy(at, texts[i].bytes.data, texts[i].bytes.length);
        at[texts[i].bytes.length] = '\0';
        at += texts[i].bytes.length + 1;
    }
    return CASEHOOK_OK;
}

static void drop_listed(struct casehook_outbox_list *list)
{
    for (size_t i = 0; i < list->count; i++) casehook__ob_release(list->heap, list->entries[i].block);
    list->count = 0;
}

/* Ids and times of entries are lower than any number that was meant for none of them. */
static int64_t before_what(const struct casehook_outbox_query *query)
{
    return query->before && query->before < INT64_MAX ? (int64_t)query->before : INT64_MAX;
}

static int find_cases(struct casehook_outbox *outbox, struct finding *finding, struct casehook__ob_rows *rows,
                      struct casehook__ob_fault *fault)
{
    const struct casehook_outbox_query *query = &finding->query;
    const struct casehook__ob_value values[] = {casehook__ob_number_value(before_what(query)),
                                                casehook__ob_bytes_value(casehook__ob_text(query->connector)),
                                                casehook__ob_bytes_value(casehook__ob_text(query->case_id)),
                                                casehook__ob_number_value(query->limit),
                                                casehook__ob_number_value(query->full != 0)};
    return casehook__ob_run(outbox, CASEHOOK__OB_LIST_CASES, values, 5, rows, fault);
}

/* By its key one is found at once. */
static int find_id_of_key(struct casehook_outbox *outbox, struct casehook_outbox_query *query,
                          struct casehook__ob_fault *fault)
{
    struct casehook__ob_numbers found;
    const struct casehook__ob_value values[] = {casehook__ob_bytes_value(casehook__ob_text(query->connector)),
                                                casehook__ob_bytes_value(casehook__ob_text(query->key))};
    if (!query->key || !query->connector || query->id) return CASEHOOK_OK;
    int status = casehook__ob_ask(outbox, CASEHOOK__OB_KEY_FIND, values, 2, &found, fault);
    query->id = found.rows ? (uint64_t)found.values[0] : UINT64_MAX >> 1;
    return status;
}

static int find_entries(struct casehook_outbox *outbox, struct finding *finding,
                        struct casehook__ob_fault *fault)
{
    struct casehook_outbox_query query = finding->query;
    struct casehook__ob_rows rows = {.take = take_listed, .user = finding->list};
    struct casehook__ob_value values[14];
    int64_t there = 0, before = before_what(&query);
    if (query.by_case) return find_cases(outbox, finding, &rows, fault);
    int status = find_id_of_key(outbox, &query, fault);
    if (status) return status;
    if (query.id) {
        before = (int64_t)query.id + (query.id < INT64_MAX);
        query.limit = 1;
        query.states = 0;
    }
    for (int state = 1; state < CASEHOOK__OB_STATES; state++) {
        bool wanted = !query.states || query.states & CASEHOOK_OUTBOX_IN((uint32_t)state);
        values[state - 1] = casehook__ob_number_value(wanted ? state : 0);
        if (wanted) there += outbox->total.entries[state];
    }
    values[8] = casehook__ob_number_value(before);
    values[9] = casehook__ob_bytes_value(casehook__ob_text(query.connector));
    values[10] = casehook__ob_bytes_value(casehook__ob_text(query.key));
    values[11] = casehook__ob_bytes_value(casehook__ob_text(query.case_id));
    values[12] = casehook__ob_number_value(query.limit);
    values[13] = casehook__ob_number_value(query.full != 0);
    bool few = query.states && there < FEW, one_case = query.connector && query.case_id && !query.id;
    int statement = one_case ? CASEHOOK__OB_LIST_CASE : few ? CASEHOOK__OB_LIST_FEW : CASEHOOK__OB_LIST_MANY;
    status = casehook__ob_run(outbox, statement, values, 14, &rows, fault);
    if (!status && query.id && finding->list->count &&
        finding->list->entries[0].numbers[N_ID] != (int64_t)query.id)
        drop_listed(finding->list);
    return status;
}

/* A list may be large.  That there is no memory for it is no reason why others should fail. */
static int do_find(struct casehook_outbox *outbox, struct casehook__ob_job *job,
                   struct casehook__ob_fault *fault)
{
    struct finding *finding = job->user;
    struct casehook_outbox_list *list = finding->list;
    drop_listed(list);
    list->broken = false;
    int status = find_entries(outbox, finding, fault);
    if (!status || !list->broken) return status;
    drop_listed(list);
    casehook__ob_fail_memory(&job->fault);
    return CASEHOOK_OK;
}

int casehook_outbox_find(struct casehook_outbox *outbox, const struct casehook_outbox_query *given,
                         struct casehook_outbox_list **found, struct casehook_outbox_error **error)
{
    struct casehook__ob_fault fault = {.status = CASEHOOK_OK};
    struct finding finding = {.job = {.do_it = do_find}};
    size_t minimum = offsetof(struct casehook_outbox_query, by_case) + sizeof finding.query.by_case;
    if (found) *found = NULL;
    int status = casehook__ob_usable(outbox, &fault);
    if (!status && !found) status = casehook__ob_fail(&fault, CASEHOOK_E_ARGUMENT, "list is NULL");
    if (!status && given)
        status = casehook__ob_read_struct(&finding.query, given, minimum, sizeof finding.query,
                                          "casehook_outbox_query", &fault);
    if (!status && finding.query.limit > LIST_MAX)
        status = casehook__ob_fail(&fault, CASEHOOK_E_ARGUMENT, "limit must be at most %d", LIST_MAX);
    if (status) return casehook__ob_answer(outbox, &fault, error);
    if (!finding.query.limit) finding.query.limit = LIST_USUAL;
    finding.list = casehook__ob_zeroed(outbox->heap, sizeof *finding.list);
    if (!finding.list) {
        casehook__ob_fail_memory(&fault);
        return casehook__ob_answer(outbox, &fault, error);
    }
    finding.list->heap = casehook__ob_heap_ref(outbox->heap);
    finding.list->full = finding.query.full != 0;
    finding.job.user = &finding;
    /* How many there are of each state says how to look for them. */
    finding.job.counts = finding.query.states != 0;
    if (casehook__ob_group(outbox, &finding.job))
        casehook_outbox_list_free(finding.list);
    else
        *found = finding.list;
    return casehook__ob_answer(outbox, &finding.job.fault, error);
}

/* ---- looking ---------------------------------------------------------------------------------------- */

size_t casehook_outbox_list_count(const struct casehook_outbox_list *list)
{
    return list ? list->count : 0;
}

int casehook_outbox_list_entry(const struct casehook_outbox_list *list, size_t index,
                               struct casehook_outbox_entry *entry)
{
    size_t minimum = offsetof(struct casehook_outbox_entry, doubt) + sizeof entry->doubt;
    const struct casehook_outbox_entry none = {.struct_size = 0};
    if (!list || index >= list->count) {
        casehook__ob_write_struct(entry, &none, minimum, sizeof none);
        return CASEHOOK_E_ARGUMENT;
    }
    const int64_t *numbers = list->entries[index].numbers;
    const struct casehook__ob_text *texts = list->entries[index].texts;
    const struct casehook_outbox_entry ours = {.connector = texts[T_CONNECTOR].data,
                                               .key = texts[T_KEY].data,
                                               .case_id = texts[T_CASE].data,
                                               .external_id = texts[T_EXTERNAL].data,
                                               .title = texts[T_TITLE].data,
                                               .url = texts[T_URL].data,
                                               .worker = texts[T_WORKER].data,
                                               .message = texts[T_MESSAGE].data,
                                               .params = texts[T_PARAMS].data,
                                               .result = texts[T_RESULT].data,
                                               .id = (uint64_t)numbers[N_ID],
                                               .put_ms = numbers[N_PUT],
                                               .first_ms = numbers[N_FIRST],
                                               .due_ms = numbers[N_DUE],
                                               .bytes = (uint64_t)numbers[N_BYTES],
                                               .operation = (int)numbers[N_OPERATION],
                                               .state = (int)numbers[N_STATE],
                                               .status = (int)numbers[N_STATUS],
                                               .http_status = (int)numbers[N_HTTP],
                                               .outcome = (int)numbers[N_OUTCOME],
                                               .step = (int)numbers[N_STEP],
                                               .attempts = (uint32_t)numbers[N_ATTEMPTS],
                                               .doubt = numbers[N_DOUBT] != 0,
                                               .has_case = numbers[N_HAS_CASE] != 0,
                                               .existing = numbers[N_EXISTING] != 0};
    return casehook__ob_write_struct(entry, &ours, minimum, sizeof ours);
}

void casehook_outbox_list_free(struct casehook_outbox_list *list)
{
    if (!list) return;
    struct casehook__ob_heap *heap = list->heap;
    drop_listed(list);
    casehook__ob_release(heap, list->entries);
    casehook__ob_release(heap, atomic_load(&list->json));
    casehook__ob_release(heap, list);
    casehook__ob_heap_unref(heap);
}

/* ---- as JSON ---------------------------------------------------------------------------------------- */

static void name_member(struct casehook__ob_buf *buf, const char *name)
{
    casehook__ob_put(buf, buf->data[buf->length - 1] == '{' ? "\"" : ",\"");
    casehook__ob_put(buf, name);
    casehook__ob_put(buf, "\":");
}

static void add_text(struct casehook__ob_buf *buf, const char *name, const char *word)
{
    name_member(buf, name);
    casehook__ob_json_text(buf, casehook__ob_text(word && *word ? word : NULL));
}

static void add_number(struct casehook__ob_buf *buf, const char *name, int64_t number)
{
    name_member(buf, name);
    casehook__ob_number(buf, number);
}

/* Of what 0 means that there is none. */
static void add_present(struct casehook__ob_buf *buf, const char *name, int64_t number)
{
    if (number) {
        add_number(buf, name, number);
        return;
    }
    name_member(buf, name);
    casehook__ob_put(buf, "null");
}

static void add_entry(struct casehook__ob_buf *buf, const struct listed *entry, bool full)
{
    static const char *const names[] = {"connector", "key", "caseId", "externalId",
                                        "title",     "url", "worker", "message"};
    const int64_t *numbers = entry->numbers;
    char id[32];
    snprintf(id, sizeof id, "%lld", (long long)numbers[N_ID]);
    casehook__ob_put(buf, "{");
    add_text(buf, "id", id);
    add_text(buf, "state", casehook_outbox_state_name((int)numbers[N_STATE]));
    add_number(buf, "stateNumber", numbers[N_STATE]);
    add_text(buf, "operation", casehook_operation_name((int)numbers[N_OPERATION]));
    add_number(buf, "operationNumber", numbers[N_OPERATION]);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        name_member(buf, names[i]);
        casehook__ob_json_text(buf, entry->texts[i]);
    }
    add_number(buf, "putMs", numbers[N_PUT]);
    add_present(buf, "firstMs", numbers[N_FIRST]);
    add_number(buf, "dueMs", numbers[N_DUE]);
    add_number(buf, "bytes", numbers[N_BYTES]);
    add_number(buf, "attempts", numbers[N_ATTEMPTS]);
    name_member(buf, "doubt");
    casehook__ob_put(buf, numbers[N_DOUBT] ? "true" : "false");
    name_member(buf, "hasCase");
    casehook__ob_put(buf, numbers[N_HAS_CASE] ? "true" : "false");
    name_member(buf, "existing");
    casehook__ob_put(buf, numbers[N_EXISTING] ? "true" : "false");
    add_text(buf, "status", casehook_status_name((int)numbers[N_STATUS]));
    add_number(buf, "statusNumber", numbers[N_STATUS]);
    add_present(buf, "httpStatus", numbers[N_HTTP]);
    add_text(buf, "outcome", casehook_outcome_name((int)numbers[N_OUTCOME]));
    add_text(buf, "step", casehook_step_name((int)numbers[N_STEP]));
    for (int i = T_PARAMS; full && i <= T_RESULT; i++) {
        name_member(buf, i == T_PARAMS ? "params" : "result");
        casehook__ob_json_copy(buf, entry->texts[i]);
    }
    casehook__ob_put(buf, "}");
}

/* Two threads may make it at the same moment: one of both is kept. */
static const char *keep_json(struct casehook_outbox_list *list, struct casehook__ob_buf *json)
{
    char *kept = NULL;
    if (json->broken) {
        casehook__ob_buf_free(json);
        return NULL;
    }
    if (atomic_compare_exchange_strong(&list->json, &kept, json->data)) return json->data;
    casehook__ob_buf_free(json);
    return kept;
}

const char *casehook_outbox_list_json(struct casehook_outbox_list *list, size_t *length)
{
    if (length) *length = 0;
    if (!list) return NULL;
    const char *kept = atomic_load(&list->json);
    if (!kept) {
        struct casehook__ob_buf json = {.heap = list->heap};
        casehook__ob_put(&json, "[");
        for (size_t i = 0; i < list->count && !json.broken; i++) {
            if (i) casehook__ob_put(&json, ",");
            if (!json.broken) add_entry(&json, &list->entries[i], list->full);
        }
        casehook__ob_put(&json, "]");
        kept = keep_json(list, &json);
    }
    if (length && kept) *length = strlen(kept);
    return kept;
}
