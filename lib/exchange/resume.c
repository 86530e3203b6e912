/* resume.c - reading an earlier result: what of an operation is done already (D5). */
#include "exchange/resume.h"

#include "exchange/decision.h"
#include "exchange/idempotency.h"
#include "exchange/learn.h"
#include "json/jsscan.h"
#include "json/jstext.h"

#include <stdio.h>

struct resume_reader {
    const struct casehook__config *config;
    const struct casehook__parsed_params *params;
    int operation;
    struct casehook__buf *scratch;
    struct casehook_result *result;
    struct casehook__resumed *resumed;
    struct casehook__js_value id, comments, requests, fields, key, of_operation, ok, accepted, found, step,
        outcome;
};

static int fail_resume(struct resume_reader *reader, const char *message)
{
    if (reader->scratch->status == CASEHOOK_E_NO_MEMORY) /* which is why a text could not be read */
        return casehook__fail_memory(&reader->result->error);
    casehook__error_set_field(&reader->result->error, "resume");
    return casehook__fail(&reader->result->error, CASEHOOK_E_PARAMS, "%s", message);
}

/* The member of an object by its name; kind NONE: there is none. */
static struct casehook__js_value member(const struct casehook__js_value *object, const char *name)
{
    size_t position = 0;
    struct casehook__text key;
    struct casehook__js_value value;
    while (object->kind == CASEHOOK__JS_OBJECT && casehook__js_next(object->text, &position, &key, &value))
        if (casehook__text_is(key, name)) return value;
    return (struct casehook__js_value){.kind = CASEHOOK__JS_NONE};
}

/* A string of plain characters, as all words of a result are. */
static bool is_word(const struct casehook__js_value *value, const char *word)
{
    if (value->kind != CASEHOOK__JS_STRING) return false;
    return casehook__text_is((struct casehook__text){value->text.data + 1, value->text.length - 2}, word);
}

static bool is_present(const struct casehook__js_value *value)
{
    return value->kind != CASEHOOK__JS_NONE && value->kind != CASEHOOK__JS_NULL;
}

/* A string decoded into scratch; false: it is none, or too long. */
static bool decode(struct resume_reader *reader, const struct casehook__js_value *value,
                   struct casehook__text *text)
{
    if (value->kind != CASEHOOK__JS_STRING) return false;
    casehook__buf_clear(reader->scratch);
    if (casehook__js_decode(reader->scratch,
                            (struct casehook__text){value->text.data + 1, value->text.length - 2}))
        return false;
    *text = (struct casehook__text){casehook__buf_string(reader->scratch), reader->scratch->length};
    return true;
}

static int find_members(struct resume_reader *reader)
{
    const struct casehook__js_value top = {CASEHOOK__JS_OBJECT, reader->params->resume};
    reader->id = member(&top, "id");
    reader->comments = member(&top, "comments");
    reader->requests = member(&top, "requests");
    reader->fields = member(&top, "fields");
    reader->key = member(&top, "idempotencyKey");
    reader->of_operation = member(&top, "operation");
    reader->ok = member(&top, "ok");
    reader->accepted = member(&top, "accepted");
    reader->found = member(&top, "found");
    reader->step = member(&top, "step");
    reader->outcome = member(&top, "outcome");
    if (reader->requests.kind == CASEHOOK__JS_NONE) reader->requests = member(&top, "exchanges"); /* of 0.1 */
    if (reader->ok.kind == CASEHOOK__JS_TRUE && is_word(&reader->outcome, "not_sent"))
        return fail_resume(reader, "is a preview, of which nothing was sent: call without it");
    if (reader->comments.kind == CASEHOOK__JS_ARRAY && reader->requests.kind == CASEHOOK__JS_ARRAY)
        return CASEHOOK_OK;
    return fail_resume(reader,
                       "is no result: it must be all that casehook_result_json() gave for an earlier call");
}

static int check_operation(struct resume_reader *reader)
{
    if (!is_present(&reader->of_operation) ||
        is_word(&reader->of_operation, casehook_operation_name(reader->operation)))
        return CASEHOOK_OK;
    return fail_resume(reader, "is the result of another operation: resume with the one that it was");
}

/* Its id becomes that of the case. */
static int take_id(struct resume_reader *reader)
{
    struct casehook_result *result = reader->result;
    struct casehook__text id;
    if (!is_present(&reader->id)) return CASEHOOK_OK;
    if (!decode(reader, &reader->id, &id)) return fail_resume(reader, "is no result: its id is no text");
    if (casehook__id_fault(id)) return fail_resume(reader, "has an id that none can be");
    /* An update may have told another one (K9). */
    if (result->id_length && !reader->config->calls[CASEHOOK__CALL_UPDATE].key &&
        !casehook__text_equal(id, (struct casehook__text){result->id, result->id_length}))
        return fail_resume(reader, "is about another case than the external id");
    casehook__result_set_id(result, id);
    return CASEHOOK_OK;
}

/* Comments are the same by their place and id; behind those that the result knows there may be new ones. */
static int take_comment(struct resume_reader *reader, const struct casehook__js_value *item, size_t index)
{
    struct casehook_result *result = reader->result;
    struct casehook__js_value id = member(item, "commentId"), state = member(item, "state");
    struct casehook__text text;
    if (index >= result->comment_count) return fail_resume(reader, "has more comments than this call");
    if (!decode(reader, &id, &text))
        return fail_resume(reader, "is no result: the id of a comment is no text");
    if (!casehook__text_equal(text, result->comments[index].id))
        return fail_resume(
            reader, "is about other comments: give the same ones in the same order, new ones behind them");
    if (is_word(&state, "sent")) result->comments[index].state = CASEHOOK_COMMENT_SENT;
    if (is_word(&state, "skipped")) result->comments[index].state = CASEHOOK_COMMENT_SKIPPED;
    return CASEHOOK_OK;
}

static int take_comments(struct resume_reader *reader)
{
    size_t position = 0, index = 0;
    struct casehook__text key;
    struct casehook__js_value item;
    int status = CASEHOOK_OK;
    while (!status && casehook__js_next(reader->comments.text, &position, &key, &item))
        status = take_comment(reader, &item, index++);
    return status;
}

/* A server that broke inside may have written before (R3). */
static bool is_broken_inside_status(const struct casehook__js_value *status)
{
    uint64_t number = 0;
    return status->kind == CASEHOOK__JS_NUMBER && casehook__text_number(status->text, 599, &number) &&
           casehook__is_broken_inside((int)number);
}

/* A write that was done once is done; one that may have been done is unknown. */
static void take_requests(struct resume_reader *reader)
{
    struct casehook__resumed *resumed = reader->resumed;
    size_t position = 0;
    bool asked_last = true; /* also when that one was resumed in its turn, and asked nothing */
    struct casehook__text key;
    struct casehook__js_value item;
    /* Of a call that was resumed itself: its own requests may not have come as far as the create.  What is
     * done without an id is there (idempotencyDuplicateStatuses), and nobody knows as what. */
    resumed->create_unknown =
        is_word(&reader->step, "create") && (is_word(&reader->outcome, "unknown") ||
                                             (is_word(&reader->outcome, "done") && !is_present(&reader->id)));
    /* The same when there was no token to try it again with. */
    if (is_word(&reader->step, "token") && is_word(&reader->outcome, "unknown") && !is_present(&reader->id))
        resumed->create_unknown = true;
    resumed->comment_reached = is_word(&reader->step, "comment") && is_word(&reader->outcome, "unknown");
    while (casehook__js_next(reader->requests.text, &position, &key, &item)) {
        struct casehook__js_value step = member(&item, "step"), outcome = member(&item, "outcome"),
                                  status = member(&item, "status");
        bool creates = is_word(&step, "create"), comments = is_word(&step, "comment"),
             later = comments || is_word(&step, "get"), transitions = is_word(&step, "transition");
        asked_last = is_word(&step, "find");
        /* What comes behind a write says that it was done, perhaps by the call that was resumed before. */
        resumed->wrote |= (later || transitions) && is_present(&reader->id);
        resumed->transitioned |= later || ((creates || transitions) && is_word(&outcome, "done"));
        if ((creates || is_word(&step, "update")) && is_word(&outcome, "done")) resumed->wrote = true;
        bool may_be_done = creates && is_broken_inside_status(&status);
        /* A refusal says no, and is made again; but where one can look, or ask safely, one does. */
        if ((creates && is_word(&outcome, "unknown")) ||
            (may_be_done && (reader->config->find || resumed->same_key)))
            resumed->create_unknown = true;
        if (comments && is_word(&outcome, "done"))
            resumed->comment_reached = false; /* what follows is of the next one */
        else if (comments)
            resumed->comment_reached |= is_word(&outcome, "unknown") || is_broken_inside_status(&status);
    }
    resumed->comment_reached &= resumed->same_key;
    resumed->left_closed =
        asked_last && reader->ok.kind == CASEHOOK__JS_TRUE && reader->found.kind == CASEHOOK__JS_TRUE;
}

/* A key of a result: false when it is none. */
static bool may_be_key(struct casehook__text key)
{
    if (key.length == 0 || key.length > CASEHOOK__KEY_MAX_BYTES) return false;
    for (size_t i = 0; i < key.length; i++)
        if (key.data[i] < '!' || key.data[i] > '~') return false;
    return true;
}

/*
 * Only a request with the same key is the same request.  A result says which one it had, null for none; one
 * that leaves it out was written by a host that knows.  A random key is taken over, also where it does not
 * count: a find may look for it.
 */
static int take_key(struct resume_reader *reader)
{
    struct casehook_result *result = reader->result;
    struct casehook__text key = {NULL, 0};
    char own[CASEHOOK__REQUEST_KEY_SIZE];
    int status;
    if (!reader->config->idempotency) return CASEHOOK_OK;
    bool counts = reader->config->idempotency->counts;
    bool of_params = casehook__idempotency_of_params(reader->params, own, &status);
    if (status) return casehook__fail_memory(&result->error);
    if (of_params && !counts) return CASEHOOK_OK;
    reader->resumed->same_key = reader->key.kind == CASEHOOK__JS_NONE && of_params;
    if (!is_present(&reader->key)) return CASEHOOK_OK;
    if (!decode(reader, &reader->key, &key) || !may_be_key(key))
        return fail_resume(
            reader, "is no result: its idempotencyKey is no text of 1 to 255 printable ASCII characters");
    reader->resumed->same_key = counts && (!of_params || casehook__text_is(key, own));
    if (of_params) return CASEHOOK_OK;
    result->idempotency_key = casehook__copy(result->heap, key.data, key.length);
    return result->idempotency_key ? CASEHOOK_OK : casehook__fail_memory(&result->error);
}

/* Done, but nobody knows as what: it can be looked for, if the connector can find cases. */
static int look_for_done(struct resume_reader *reader)
{
    struct casehook__resumed *resumed = reader->resumed;
    if (!reader->config->find)
        return fail_resume(reader,
                           "says that the case was created, but not with which id: look for it in the "
                           "tracker, and give its id as the external id");
    resumed->wrote = false;
    resumed->create_unknown = resumed->accepted = true;
    return CASEHOOK_OK;
}

/* Nobody knows whether there is a case, and this connector may have no way to find out or to ask safely. */
static int check_unknown(struct resume_reader *reader)
{
    struct casehook__resumed *resumed = reader->resumed;
    resumed->transitioned |= resumed->create_unknown;
    if (reader->result->id_length) resumed->wrote |= resumed->create_unknown; /* the server named it */
    if (resumed->wrote && !reader->result->id_length) return look_for_done(reader);
    if (resumed->wrote) resumed->create_unknown = false;
    /* With its key it could be asked for again all the same. */
    if (resumed->create_unknown && reader->accepted.kind == CASEHOOK__JS_TRUE)
        resumed->accepted = reader->config->find && !resumed->same_key;
    if (!resumed->create_unknown || reader->config->find || resumed->same_key) return CASEHOOK_OK;
    return fail_resume(reader,
                       "says that it is unknown whether the case was created: look for its title in the "
                       "tracker; give its id as the external id when it is there, else call without resume");
}

int casehook__resume_read(const struct casehook__config *config, const struct casehook__parsed_params *params,
                          int operation, struct casehook__buf *scratch, struct casehook_result *result,
                          struct casehook__resumed *resumed)
{
    *resumed = (struct casehook__resumed){.wrote = false};
    if (!params->resume.data) return CASEHOOK_OK;
    struct resume_reader reader = {.config = config,
                                   .params = params,
                                   .operation = operation,
                                   .scratch = scratch,
                                   .result = result,
                                   .resumed = resumed};
    int status = find_members(&reader);
    if (!status) status = check_operation(&reader);
    if (!status) status = take_id(&reader);
    if (!status) status = take_comments(&reader);
    if (!status) status = take_key(&reader);
    if (!status && config->uses_fields && reader.fields.kind == CASEHOOK__JS_OBJECT)
        status = casehook__learn_again(reader.fields.text, scratch, result);
    if (status) return status;
    take_requests(&reader);
    return check_unknown(&reader);
}
