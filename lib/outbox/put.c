/* put.c - a new entry. */
#include "outbox/outbox_private.h"

#include <stdio.h>

enum {
    NAME_BYTES_MAX = 255,
    CASE_ID_BYTES_MAX = 1024,
    TITLE_BYTES_MAX = 1024,
    PARAMS_BYTES_MAX = 8 << 20,
    TOKEN_SIZE = 33
};

struct put {
    struct casehook__ob_job job;
    struct casehook__ob_text connector, key, json;
    struct casehook__ob_params params;
    int operation;
    bool keep;
    int64_t delay_ms;
    char token[TOKEN_SIZE];
    /* What came of it. */
    int64_t id;
    int stored, state;
};

/* A case, as the entry finds it. */
struct case_row {
    int64_t no, replaceable, changed_ago;
    struct casehook__ob_buf status;
    bool has_status, found;
    bool fresh; /* made now, with the status of the entry */
};

static int take_case(void *user, const struct casehook__ob_value *values, size_t count)
{
    struct case_row *row = user;
    if (count < 4) return CASEHOOK_E_SYSTEM;
    row->found = true;
    row->no = values[0].number;
    row->replaceable = values[1].number;
    row->has_status = values[2].kind == CASEHOOK__OB_BYTES;
    row->changed_ago = values[3].number;
    if (row->has_status) casehook__ob_add(&row->status, values[2].bytes.data, values[2].bytes.length);
    return row->status.broken ? CASEHOOK_E_NO_MEMORY : CASEHOOK_OK;
}

/* Found or made, and locked until the end of the transaction. */
static int get_case(struct casehook_outbox *outbox, const struct put *put, struct case_row *row,
                    struct casehook__ob_fault *fault)
{
    struct casehook__ob_rows rows = {.take = take_case, .user = row};
    const struct casehook__ob_params *params = &put->params;
    /* Where others write at the same time, one of them may make it in this moment: then it has a status. */
    bool alone = outbox->store->driver->alone;
    struct casehook__ob_text id = {params->case_id.data, params->case_id.length}, given = {NULL, 0};
    if (params->has_status && alone)
        given = (struct casehook__ob_text){params->status.data, params->status.length};
    const struct casehook__ob_value values[] = {casehook__ob_bytes_value(put->connector),
                                                casehook__ob_bytes_value(id),
                                                casehook__ob_bytes_value(given)};
    int status = casehook__ob_run(outbox, CASEHOOK__OB_CASE_FIND, values, 2, &rows, fault);
    if (status || row->found) return status;
    row->fresh = alone;
    return casehook__ob_run(outbox, CASEHOOK__OB_CASE_NEW, values, 3, &rows, fault);
}

static bool has_no_room(struct casehook_outbox *outbox, const struct put *put,
                        struct casehook__ob_fault *fault)
{
    const struct casehook_outbox_options *options = &outbox->options;
    int64_t entries = 1, bytes = (int64_t)put->json.length;
    for (int state = 1; state <= CASEHOOK_OUTBOX_UNKNOWN; state++) {
        entries += outbox->total.entries[state] + outbox->change.entries[state];
        bytes += outbox->total.bytes[state] + outbox->change.bytes[state];
    }
    const char *limit = entries > 0 && (uint64_t)entries > options->max_entries              ? "max_entries"
                        : bytes > 0 && (uint64_t)bytes > options->max_bytes                  ? "max_bytes"
                        : options->max_age_ms && outbox->oldest_age_ms > options->max_age_ms ? "max_age_ms"
                                                                                             : NULL;
    if (!limit) return false;
    casehook__ob_fail(fault, CASEHOOK_E_LIMIT,
                      "the outbox is full (%s): nothing was stored; see what waits in it, and why", limit);
    return true;
}

/* The update that this one stands for from now on is never sent. */
static int replace_older(struct casehook_outbox *outbox, const struct put *put, const struct case_row *row,
                         struct casehook__ob_fault *fault)
{
    struct casehook__ob_numbers older, replaced;
    const struct casehook__ob_value values[] = {casehook__ob_number_value(row->replaceable),
                                                casehook__ob_number_value(put->operation)};
    bool replaces = put->operation == CASEHOOK_PUSH || put->operation == CASEHOOK_UPDATE;
    if (!replaces || !row->replaceable) return CASEHOOK_OK;
    int status = casehook__ob_ask(outbox, CASEHOOK__OB_STATE, values, 1, &older, fault);
    if (!status && older.rows)
        status = casehook__ob_ask(outbox, CASEHOOK__OB_REPLACE, values, 2, &replaced, fault);
    if (!status && older.rows && replaced.rows)
        casehook__ob_moved(outbox, (int)older.values[0], CASEHOOK_OUTBOX_REPLACED, older.values[2]);
    return status;
}

/* Its beginning, up to the end of a character: lists of many entries are held in memory. */
static struct casehook__ob_text short_title(const struct casehook__ob_buf *title)
{
    struct casehook__ob_text text = {title->data, title->length};
    if (text.length <= TITLE_BYTES_MAX) return text;
    text.length = TITLE_BYTES_MAX;
    while (text.length && ((unsigned char)text.data[text.length] & 0xc0) == 0x80) text.length--;
    return text;
}

static int insert(struct casehook_outbox *outbox, struct put *put, int64_t case_no,
                  struct casehook__ob_fault *fault)
{
    struct casehook__ob_numbers found;
    const struct casehook__ob_params *params = &put->params;
    struct casehook__ob_text title = short_title(&params->title);
    const struct casehook__ob_value values[] = {casehook__ob_bytes_value(put->connector),
                                                casehook__ob_bytes_value(put->key),
                                                casehook__ob_number_value(case_no),
                                                casehook__ob_number_value(put->operation),
                                                casehook__ob_number_value(put->state),
                                                casehook__ob_number_value(put->delay_ms),
                                                casehook__ob_number_value((int64_t)put->json.length),
                                                casehook__ob_bytes_value(put->json),
                                                casehook__ob_bytes_value(title),
                                                casehook__ob_bytes_value(casehook__ob_text(put->token))};
    int status = casehook__ob_ask(outbox, CASEHOOK__OB_PUT, values, 10, &found, fault);
    if (status) return status;
    put->id = found.rows ? found.values[0] : 0;
    if (found.rows) casehook__ob_moved(outbox, 0, put->state, (int64_t)put->json.length);
    return CASEHOOK_OK;
}

/* Whether an entry of this key is there. */
static int find_key(struct casehook_outbox *outbox, struct put *put, struct casehook__ob_fault *fault)
{
    struct casehook__ob_numbers found;
    const struct casehook__ob_value values[] = {casehook__ob_bytes_value(put->connector),
                                                casehook__ob_bytes_value(put->key)};
    if (!put->key.data) return CASEHOOK_OK;
    int status = casehook__ob_ask(outbox, CASEHOOK__OB_KEY_FIND, values, 2, &found, fault);
    if (!status && found.rows) {
        put->id = found.values[0];
        put->stored = CASEHOOK_OUTBOX_KNOWN;
    }
    return status;
}

/* What the next entry of the case has to know. */
static int keep_case(struct casehook_outbox *outbox, const struct put *put, const struct case_row *row,
                     bool changes, struct casehook__ob_fault *fault)
{
    bool is_update = put->operation == CASEHOOK_PUSH || put->operation == CASEHOOK_UPDATE;
    bool may_go = is_update && !put->keep && !put->params.has_comments && !changes;
    int64_t replaceable = may_go ? put->id : is_update ? 0 : row->replaceable;
    bool old = outbox->options.keep_cases_ms > 0 && row->changed_ago > outbox->options.keep_cases_ms / 4;
    const struct casehook__ob_text *status = NULL;
    struct casehook__ob_text given = {put->params.status.data, put->params.status.length},
                             before = {row->status.data, row->status.length}, none = {NULL, 0};
    status = put->params.has_status ? &given : row->has_status ? &before : &none;
    if (replaceable == row->replaceable && (!changes || row->fresh) && !old) return CASEHOOK_OK;
    const struct casehook__ob_value values[] = {casehook__ob_number_value(row->no),
                                                casehook__ob_number_value(replaceable),
                                                casehook__ob_bytes_value(*status)};
    return casehook__ob_run(outbox, CASEHOOK__OB_CASE_SET, values, 3, NULL, fault);
}

static int put_into_case(struct casehook_outbox *outbox, struct put *put, struct case_row *row,
                         struct casehook__ob_fault *fault)
{
    struct casehook__ob_numbers blocking = {.rows = 0};
    struct casehook__ob_text given = {put->params.status.data, put->params.status.length},
                             before = {row->status.data, row->status.length};
    int status = get_case(outbox, put, row, fault);
    if (!status && !outbox->store->driver->alone) status = find_key(outbox, put, fault);
    if (status || put->stored == CASEHOOK_OUTBOX_KNOWN) return status;
    bool changes = put->params.has_status;
    before = (struct casehook__ob_text){row->status.data, row->status.length};
    if (changes && row->has_status && !row->fresh) changes = !casehook__ob_same(given, before);
    const struct casehook__ob_value value = casehook__ob_number_value(row->no);
    if (!row->fresh) {
        status = replace_older(outbox, put, row, fault);
        if (!status) status = casehook__ob_ask(outbox, CASEHOOK__OB_BLOCKING, &value, 1, &blocking, fault);
        if (status) return status;
    }
    put->state = blocking.rows ? CASEHOOK_OUTBOX_QUEUED : CASEHOOK_OUTBOX_WAITING;
    status = insert(outbox, put, row->no, fault);
    return status || !put->id ? status : keep_case(outbox, put, row, changes, fault);
}

/* An update or a comment is of a case that was made, or is going to be. */
static int check_case(struct casehook_outbox *outbox, const struct put *put, bool *fits,
                      struct casehook__ob_fault *fault)
{
    struct casehook__ob_numbers found = {.rows = 0};
    const struct casehook__ob_params *params = &put->params;
    struct casehook__ob_text id = {params->case_id.data, params->case_id.length};
    const struct casehook__ob_value values[] = {casehook__ob_bytes_value(put->connector),
                                                casehook__ob_bytes_value(id)};
    *fits = put->operation == CASEHOOK_PUSH || put->operation == CASEHOOK_CREATE || params->has_external_id;
    if (*fits) return CASEHOOK_OK;
    int status = CASEHOOK_OK;
    if (params->has_id) status = casehook__ob_ask(outbox, CASEHOOK__OB_CASE_MADE, values, 2, &found, fault);
    *fits = found.rows > 0;
    return status;
}

static int do_put(struct casehook_outbox *outbox, struct casehook__ob_job *job,
                  struct casehook__ob_fault *fault)
{
    struct put *put = job->user;
    struct case_row row = {.status = {.heap = outbox->heap}};
    put->id = 0;
    put->stored = CASEHOOK_OUTBOX_STORED;
    put->state = CASEHOOK_OUTBOX_WAITING;
    bool fits = false;
    int status = find_key(outbox, put, fault);
    if (status || put->stored == CASEHOOK_OUTBOX_KNOWN) return status;
    if (has_no_room(outbox, put, &job->fault)) return CASEHOOK_OK;
    status = check_case(outbox, put, &fits, fault);
    if (!status && !fits)
        casehook__ob_fail(&job->fault, CASEHOOK_E_PARAMS,
                          "nothing that was put has made this case: push or create it first, or give its "
                          "externalId");
    if (status || !fits) return status;
    status = put->params.has_id ? put_into_case(outbox, put, &row, fault) : insert(outbox, put, 0, fault);
    /* Somebody else has put the same key in this moment: nothing of ours was written but the case perhaps. */
    if (!status && put->stored == CASEHOOK_OUTBOX_STORED && !put->id) status = find_key(outbox, put, fault);
    job->tells = put->stored == CASEHOOK_OUTBOX_STORED && put->state == CASEHOOK_OUTBOX_WAITING;
    casehook__ob_buf_free(&row.status);
    return status;
}

/* ---- what is given ---------------------------------------------------------------------------------- */

static int check_name(const char *what, struct casehook__ob_text name, struct casehook__ob_fault *fault)
{
    if (name.length > 0 && name.length <= NAME_BYTES_MAX) return CASEHOOK_OK;
    return casehook__ob_fail(fault, CASEHOOK_E_ARGUMENT, "%s must have 1 to %d bytes", what, NAME_BYTES_MAX);
}

static int check_item(const struct casehook_outbox_item *item, struct put *put,
                      struct casehook__ob_fault *fault)
{
    put->connector = casehook__ob_text(item->connector);
    put->key = casehook__ob_text(item->key);
    put->operation = item->operation;
    put->keep = item->flags & CASEHOOK_OUTBOX_KEEP;
    put->delay_ms = item->delay_ms;
    if (!item->params) return casehook__ob_fail(fault, CASEHOOK_E_ARGUMENT, "params are NULL");
    put->json = casehook__ob_text(item->params_length == CASEHOOK_TERMINATED ? item->params : NULL);
    if (!put->json.data) put->json = (struct casehook__ob_text){item->params, item->params_length};
    int status = check_name("connector", put->connector, fault);
    if (!status && item->key) status = check_name("key", put->key, fault);
    if (status) return status;
    if (item->operation != CASEHOOK_PUSH && item->operation != CASEHOOK_CREATE &&
        item->operation != CASEHOOK_UPDATE && item->operation != CASEHOOK_COMMENT)
        return casehook__ob_fail(fault, CASEHOOK_E_ARGUMENT,
                                 "operation is none of push, create, update and comment");
    if (item->flags & ~(uint32_t)CASEHOOK_OUTBOX_KEEP)
        return casehook__ob_fail(fault, CASEHOOK_E_ARGUMENT,
                                 "flags has a flag that this version does not know");
    if (item->delay_ms < 0 || item->delay_ms > INT64_MAX / 4)
        return casehook__ob_fail(fault, CASEHOOK_E_ARGUMENT,
                                 "delay_ms is negative, or longer than anybody lives");
    if (put->json.length == 0 || put->json.length > PARAMS_BYTES_MAX)
        return casehook__ob_fail(fault, CASEHOOK_E_PARAMS, "the params must have 1 byte to 8 MiB");
    return CASEHOOK_OK;
}

static void make_token(struct casehook_outbox *outbox, struct put *put)
{
    uint64_t high = casehook__ob_random(outbox), low = casehook__ob_random(outbox);
    snprintf(put->token, sizeof put->token, "%016llx%016llx", (unsigned long long)high,
             (unsigned long long)low);
}

static void count_put(struct casehook_outbox *outbox, const struct put *put, int status)
{
    pthread_mutex_lock(&outbox->lock);
    if (status == CASEHOOK_E_LIMIT) outbox->numbers.refused++;
    if (!status && put->stored == CASEHOOK_OUTBOX_KNOWN) outbox->numbers.known++;
    if (!status && put->stored == CASEHOOK_OUTBOX_STORED) outbox->numbers.put++;
    pthread_mutex_unlock(&outbox->lock);
}

int casehook_outbox_put(struct casehook_outbox *outbox, const struct casehook_outbox_item *given,
                        uint64_t *id, int *stored, struct casehook_outbox_error **error)
{
    struct casehook__ob_fault fault = {.status = CASEHOOK_OK};
    struct casehook_outbox_item item;
    struct put put = {.job = {.do_it = do_put}};
    size_t minimum = offsetof(struct casehook_outbox_item, flags) + sizeof item.flags;
    if (id) *id = 0;
    if (stored) *stored = 0;
    int status = casehook__ob_usable(outbox, &fault);
    if (!status)
        status = casehook__ob_read_struct(&item, given, minimum, sizeof item, "casehook_outbox_item", &fault);
    if (!status) status = check_item(&item, &put, &fault);
    if (!status) status = casehook__ob_params_read(outbox->heap, put.json, &put.params, &fault);
    /* It is in an index of the database, whose rows are small; and one that fails there fails all others. */
    if (!status && put.params.case_id.length > CASE_ID_BYTES_MAX)
        status = casehook__ob_fail(&fault, CASEHOOK_E_PARAMS, "the id of the case is longer than %d bytes",
                                   CASE_ID_BYTES_MAX);
    if (status) {
        casehook__ob_params_clear(&put.params);
        return casehook__ob_answer(outbox, &fault, error);
    }
    make_token(outbox, &put);
    put.job.user = &put;
    status = casehook__ob_group(outbox, &put.job);
    count_put(outbox, &put, status);
    if (id && !status) *id = (uint64_t)put.id;
    if (stored && !status) *stored = put.stored;
    casehook__ob_params_clear(&put.params);
    return casehook__ob_answer(outbox, &put.job.fault, error);
}
