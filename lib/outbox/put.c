/* put.c - a new entry. */
#include "outbox/outbox_private.h"

#include <stdio.h>

enum {
    NAME_BYTES_MAX = 255,
    CASE_ID_BYTES_MAX = 1024,
    TITLE_BYTES_MAX = 1024,
    PARAMS_BYTES_MAX = 7 << 20, /* a call takes 8 MiB, with what is added when it is sent */
    TOKEN_SIZE = 33
};

struct put {
    struct casehook__ob_job job;
    struct casehook__ob_text connector, key, json;
    struct casehook__ob_params params;
    int operation;
    bool keep, anew, existing;
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

static struct casehook__ob_text text_of(const struct casehook__ob_buf *buf)
{
    return (struct casehook__ob_text){buf->data, buf->length};
}

static bool is_update(const struct put *put)
{
    return put->operation == CASEHOOK_PUSH || put->operation == CASEHOOK_UPDATE;
}

/* Whether a newer update may stand for it; changes: it is the one that brings another status. */
static bool may_go(const struct put *put, bool changes)
{
    return is_update(put) && !put->keep && !put->params.has_comments && !put->params.has_external_id &&
           !changes;
}

/* What was there is not there any more, or the other way round: the group begins anew. */
static int fail_disturbed(struct casehook_outbox *outbox, struct casehook__ob_fault *fault)
{
    outbox->store->repeats = true;
    return casehook__ob_fail(fault, CASEHOOK_E_BUSY, "outbox: others change the same entries: try again");
}

/* As what may be replaced: the entry that has the number of its case, and is not there yet. */
enum { FIRST_OF_CASE = -1 };

static int take_case(void *user, const struct casehook__ob_value *values, size_t count)
{
    struct case_row *row = user;
    if (count < 4) return CASEHOOK_E_SYSTEM;
    row->found = true;
    row->no = values[0].number;
    row->replaceable = values[1].number == FIRST_OF_CASE ? row->no : values[1].number;
    row->has_status = values[2].kind == CASEHOOK__OB_BYTES;
    row->changed_ago = values[3].number;
    if (row->has_status) casehook__ob_add(&row->status, values[2].bytes.data, values[2].bytes.length);
    return row->status.broken ? CASEHOOK_E_NO_MEMORY : CASEHOOK_OK;
}

enum { CASE_TRIES = 3 };

/*
 * Found or made, and locked until the end of the transaction.  What opens a case makes it at once, where a
 * statement more is no journey to another machine.
 */
static int get_case(struct casehook_outbox *outbox, const struct put *put, struct case_row *row,
                    struct casehook__ob_fault *fault)
{
    struct casehook__ob_rows rows = {.take = take_case, .user = row};
    struct casehook__ob_numbers made;
    const struct casehook__ob_params *params = &put->params;
    bool alone = outbox->store->driver->alone, goes = alone && may_go(put, params->has_status);
    const struct casehook__ob_value values[] = {casehook__ob_bytes_value(put->connector),
                                                casehook__ob_bytes_value(text_of(&params->case_id)),
                                                casehook__ob_bytes_value(text_of(&params->status)),
                                                casehook__ob_number_value(goes ? FIRST_OF_CASE : 0)};
    bool makes = alone && (put->operation == CASEHOOK_PUSH || put->operation == CASEHOOK_CREATE);
    for (int tries = 0; tries < CASE_TRIES; tries++) {
        int status = tries || !makes
                         ? casehook__ob_run(outbox, CASEHOOK__OB_CASE_FIND, values, 2, &rows, fault)
                         : CASEHOOK_OK;
        if (status || row->found) return status;
        status = casehook__ob_ask(outbox, CASEHOOK__OB_CASE_NEW, values, 4, &made, fault);
        if (status) return status;
        if (made.rows) {
            row->fresh = true;
            row->no = made.values[0];
            row->replaceable = goes ? row->no : 0;
            return CASEHOOK_OK;
        }
    }
    return fail_disturbed(outbox, fault);
}

/* The bound that this entry would break, NULL: there is room. */
static const char *what_is_full(const struct casehook_outbox *outbox, const struct put *put)
{
    const struct casehook_outbox_options *options = &outbox->options;
    int64_t entries = 1, bytes = (int64_t)put->json.length;
    for (int state = 1; state <= CASEHOOK_OUTBOX_UNKNOWN; state++) {
        entries += outbox->total.entries[state] + outbox->change.entries[state];
        bytes += outbox->total.bytes[state] + outbox->change.bytes[state];
    }
    return entries > 0 && (uint64_t)entries > options->max_entries              ? "max_entries"
           : bytes > 0 && (uint64_t)bytes > options->max_bytes                  ? "max_bytes"
           : options->max_age_ms && outbox->oldest_age_ms > options->max_age_ms ? "max_age_ms"
                                                                                : NULL;
}

/* The update that this one stands for from now on, and that is never sent then. */
static int find_older(struct casehook_outbox *outbox, const struct put *put, const struct case_row *row,
                      struct casehook__ob_numbers *older, struct casehook__ob_fault *fault)
{
    const struct casehook__ob_value values[] = {
        casehook__ob_number_value(row->replaceable), casehook__ob_number_value(put->operation),
        casehook__ob_number_value(row->no), casehook__ob_number_value(put->existing)};
    if (!is_update(put) || !row->replaceable) return CASEHOOK_OK;
    return casehook__ob_ask(outbox, CASEHOOK__OB_OLDER, values, 4, older, fault);
}

static int replace_older(struct casehook_outbox *outbox, const struct case_row *row,
                         const struct casehook__ob_numbers *older, struct casehook__ob_fault *fault)
{
    const struct casehook__ob_value value = casehook__ob_number_value(row->replaceable);
    if (!older->rows) return CASEHOOK_OK;
    casehook__ob_moved(outbox, (int)older->values[0], CASEHOOK_OUTBOX_REPLACED, older->values[1]);
    return casehook__ob_run(outbox, CASEHOOK__OB_REPLACE, &value, 1, NULL, fault);
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

/* What is inserted says whether its key is there: it is looked for only then. */
static int insert(struct casehook_outbox *outbox, struct put *put, int64_t case_no,
                  struct casehook__ob_fault *fault)
{
    struct casehook__ob_numbers made;
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
                                                casehook__ob_bytes_value(casehook__ob_text(put->token)),
                                                casehook__ob_number_value(put->existing)};
    int status = casehook__ob_ask(outbox, CASEHOOK__OB_PUT, values, 11, &made, fault);
    if (!status && made.rows) {
        put->id = made.values[0];
        casehook__ob_moved(outbox, 0, put->state, (int64_t)put->json.length);
        return CASEHOOK_OK;
    }
    if (!status) status = find_key(outbox, put, fault);
    /* It was deleted since. */
    return status || put->stored == CASEHOOK_OUTBOX_KNOWN ? status : fail_disturbed(outbox, fault);
}

/* What the next entry of the case has to know. */
static int keep_case(struct casehook_outbox *outbox, const struct put *put, const struct case_row *row,
                     bool changes, struct casehook__ob_fault *fault)
{
    int64_t replaceable = may_go(put, changes) ? put->id : is_update(put) ? 0 : row->replaceable;
    bool old = outbox->options.keep_cases_ms > 0 && row->changed_ago > outbox->options.keep_cases_ms / 4;
    if (replaceable == row->replaceable && (!changes || row->fresh) && !old) return CASEHOOK_OK;
    const struct casehook__ob_value values[] = {
        casehook__ob_number_value(row->no), casehook__ob_number_value(replaceable),
        casehook__ob_bytes_value(text_of(put->params.has_status ? &put->params.status : &row->status))};
    return casehook__ob_run(outbox, CASEHOOK__OB_CASE_SET, values, 3, NULL, fault);
}

/* Whether nothing of the case, of which blocking may be something, can bring back what is to be forgotten. */
static int check_anew(struct casehook_outbox *outbox, struct put *put,
                      const struct casehook__ob_numbers *blocking, bool *fits,
                      struct casehook__ob_fault *fault)
{
    int status = put->anew && blocking->rows ? find_key(outbox, put, fault) : CASEHOOK_OK;
    *fits = !put->anew || !blocking->rows;
    if (!status && !*fits && put->stored != CASEHOOK_OUTBOX_KNOWN)
        casehook__ob_fail(&put->job.fault, CASEHOOK_E_BUSY,
                          "entry %lld of this case is not finished: nothing is forgotten before it is",
                          (long long)blocking->values[0]);
    return status;
}

/* Nothing is changed before it is sure that the entry is new, but that the case may be made. */
static int put_into_case(struct casehook_outbox *outbox, struct put *put, struct case_row *row,
                         struct casehook__ob_fault *fault)
{
    struct casehook__ob_numbers blocking = {.rows = 0}, older = {.rows = 0};
    bool fits = true;
    int status = get_case(outbox, put, row, fault);
    if (!status && !row->fresh) status = find_older(outbox, put, row, &older, fault);
    const struct casehook__ob_value values[] = {casehook__ob_number_value(row->no),
                                                casehook__ob_number_value(older.rows ? row->replaceable : 0)};
    if (!status && !row->fresh)
        status = casehook__ob_ask(outbox, CASEHOOK__OB_BLOCKING, values, 2, &blocking, fault);
    if (!status) status = check_anew(outbox, put, &blocking, &fits, fault);
    if (status || !fits) return status;
    put->state = blocking.rows ? CASEHOOK_OUTBOX_QUEUED : CASEHOOK_OUTBOX_WAITING;
    status = insert(outbox, put, row->no, fault);
    if (status) return status;
    if (put->stored == CASEHOOK_OUTBOX_KNOWN)
        return row->fresh ? casehook__ob_run(outbox, CASEHOOK__OB_CASE_DROP, values, 1, NULL, fault)
                          : CASEHOOK_OK;
    bool changes =
        put->params.has_status &&
        (!row->has_status || !casehook__ob_same(text_of(&put->params.status), text_of(&row->status)));
    status = replace_older(outbox, row, &older, fault);
    if (!status && put->anew && !row->fresh) status = casehook__ob_forget_case(outbox, row->no, fault);
    return status ? status : keep_case(outbox, put, row, changes, fault);
}

/* An update or a comment is of a case that was made, or is going to be. */
static bool needs_case(const struct put *put)
{
    bool may_make = put->operation == CASEHOOK_PUSH || put->operation == CASEHOOK_CREATE;
    return (put->existing || !may_make) && !put->params.has_external_id;
}

static int check_case(struct casehook_outbox *outbox, const struct put *put, bool *fits,
                      struct casehook__ob_fault *fault)
{
    struct casehook__ob_numbers found = {.rows = 0};
    const struct casehook__ob_value values[] = {casehook__ob_bytes_value(put->connector),
                                                casehook__ob_bytes_value(text_of(&put->params.case_id))};
    int status = CASEHOOK_OK;
    if (put->params.has_id)
        status = casehook__ob_ask(outbox, CASEHOOK__OB_CASE_MADE, values, 2, &found, fault);
    *fits = found.rows > 0;
    return status;
}

/* Whether it may be stored; else it is known, or the fault is that of the job. */
static int check_put(struct casehook_outbox *outbox, struct put *put, bool *fits,
                     struct casehook__ob_fault *fault)
{
    const char *full = what_is_full(outbox, put);
    *fits = !full && !needs_case(put);
    if (*fits) return CASEHOOK_OK;
    int status = find_key(outbox, put, fault);
    if (status || put->stored == CASEHOOK_OUTBOX_KNOWN) return status;
    if (full) {
        casehook__ob_fail(&put->job.fault, CASEHOOK_E_LIMIT,
                          "the outbox is full (%s): nothing was stored; see what waits in it, and why", full);
        return CASEHOOK_OK;
    }
    status = check_case(outbox, put, fits, fault);
    if (!status && !*fits)
        casehook__ob_fail(&put->job.fault, CASEHOOK_E_PARAMS,
                          "nothing that was put has made this case: push or create it first, or give its "
                          "externalId");
    return status;
}

static int do_put(struct casehook_outbox *outbox, struct casehook__ob_job *job,
                  struct casehook__ob_fault *fault)
{
    struct put *put = job->user;
    struct case_row row = {.status = {.heap = outbox->heap}};
    bool fits = false;
    put->id = 0;
    put->stored = CASEHOOK_OUTBOX_STORED;
    put->state = CASEHOOK_OUTBOX_WAITING;
    int status = check_put(outbox, put, &fits, fault);
    if (status || !fits) return status;
    status = put->params.has_id ? put_into_case(outbox, put, &row, fault) : insert(outbox, put, 0, fault);
    job->tells = put->id && put->stored == CASEHOOK_OUTBOX_STORED && put->state == CASEHOOK_OUTBOX_WAITING;
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
    put->anew = item->flags & CASEHOOK_OUTBOX_ANEW;
    put->existing = item->flags & CASEHOOK_OUTBOX_EXISTING;
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
    uint32_t known = CASEHOOK_OUTBOX_KEEP;
    if (item->operation == CASEHOOK_PUSH) known |= CASEHOOK_OUTBOX_ANEW | CASEHOOK_OUTBOX_EXISTING;
    if (item->operation == CASEHOOK_CREATE) known |= CASEHOOK_OUTBOX_ANEW;
    if (item->flags & ~known)
        return casehook__ob_fail(fault, CASEHOOK_E_ARGUMENT,
                                 "flags has a flag that this version, or operation, does not know");
    if (item->delay_ms < 0 || item->delay_ms > INT64_MAX / 4)
        return casehook__ob_fail(fault, CASEHOOK_E_ARGUMENT,
                                 "delay_ms is negative, or longer than anybody lives");
    if (put->json.length == 0 || put->json.length > PARAMS_BYTES_MAX)
        return casehook__ob_fail(fault, CASEHOOK_E_PARAMS, "the params must have 1 byte to 7 MiB");
    return CASEHOOK_OK;
}

static void make_token(struct casehook_outbox *outbox, struct put *put)
{
    snprintf(put->token, sizeof put->token, "%016llx%016llx", (unsigned long long)casehook__ob_random(outbox),
             (unsigned long long)casehook__ob_random(outbox));
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
