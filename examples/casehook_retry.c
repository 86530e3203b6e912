/* casehook_retry.c - what an earlier result says about sending a line again. */
#include "casehook_retry.h"
#include "casehook_doubt.h"
#include "casehook_text.h"

#include <casehook.h>
#include <jansson.h>

#include <stdlib.h>
#include <string.h>

#define LOOSELY (JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL)

static bool mentions(const json_t *config, const char *field, const char *word)
{
    const char *text = json_string_value(json_object_get(config, field));
    return text && strstr(text, word);
}

void facts_read(struct facts *facts, const struct document *connector)
{
    json_t *document = json_loadb(connector->text, connector->length, LOOSELY, NULL);
    const json_t *config = json_object_get(document, "config");
    const json_t *url = json_object_get(config, "createIncidentUrl");
    const char *target = json_is_string(url) ? json_string_value(url) : "";
    facts->find = json_is_string(json_object_get(config, "findIncidentUrl"));
    facts->find_by_id =
        mentions(config, "findIncidentUrl", "case.id") || mentions(config, "findIncidentJson", "case.id");
    facts->key = json_is_string(json_object_get(config, "idempotencyHeader")) ||
                 json_is_true(json_object_get(config, "idempotencyInBody"));
    facts->comments = json_is_string(json_object_get(config, "createCommentUrl"));
    facts->target = journal_hash(target, strlen(target));
    json_decref(document);
}

static bool has_id(struct piece line)
{
    return member_is_text(member_find(member_case(line), "id"));
}

/* A line of --failed has an earlier result of its own, and the key that was used. */
bool retry_wants_key(const struct facts *facts, struct piece line)
{
    return facts->key && !has_id(line) && !member_find(line, "resume").text &&
           !member_is_text(member_find(line, "idempotencyKey"));
}

static bool can_find(const struct facts *facts, struct piece line)
{
    return facts->find && (!facts->find_by_id || has_id(line));
}

/* What a result would have said after the create was sent and no answer came, as far as the library reads it.
 */
static char *write_unknown(struct piece line)
{
    char *text = NULL;
    size_t length, index;
    struct piece list = member_find(line, "comments"),
                 key = member_find(member_find(line, "resume"), "idempotencyKey");
    json_t *comments = list.text ? json_loadb(list.text, list.length, LOOSELY, NULL) : NULL;
    const json_t *comment;
    FILE *out = open_memstream(&text, &length);
    if (!out) goto done;
    fputs("{\"ok\":false,\"operation\":\"push\",\"id\":null,", out);
    if (key.text) fprintf(out, "\"idempotencyKey\":%.*s,", (int)key.length, key.text);
    fputs("\"requests\":[{\"step\":\"create\",\"outcome\":\"unknown\"}],\"comments\":[", out);
    json_array_foreach(comments, index, comment) {
        const json_t *id = json_object_get(comment, "commentId");
        fputs(index ? ",{\"commentId\":" : "{\"commentId\":", out);
        write_json_string(out, json_is_string(id) ? json_string_value(id) : "", json_string_length(id));
        fputs(",\"state\":\"not_attempted\"}", out);
    }
    fputs("]}", out);
    if (ferror(out) | fclose(out)) {
        free(text);
        text = NULL;
    }
done:
    json_decref(comments);
    return text;
}

/* result NULL: the made up one of a create. */
static enum retry decide(const struct facts *facts, struct piece line, struct doubt doubt,
                         const struct piece *result, bool anyway, char **resume)
{
    bool found = facts->key || can_find(facts, line), safe = !doubt.created || found;
    if (doubt.commented && facts->comments && !facts->key) safe = false;
    if (!safe && !anyway) return RETRY_LEAVE;
    if (!doubt.begun || (doubt.created && !found)) return RETRY_SEND;
    *resume = result ? strndup(result->text, result->length) : write_unknown(line);
    return RETRY_AGAIN;
}

enum retry retry_after(const struct facts *facts, struct piece line, const struct piece *result, bool anyway,
                       char **resume)
{
    struct piece own = member_find(line, "resume");
    *resume = NULL;
    if (!result && member_is_text(member_find(own, "id"))) { /* it went on from there */
        struct doubt doubt = {.commented = member_is_list(member_find(line, "comments")), .begun = true};
        return decide(facts, line, doubt, &own, anyway, resume);
    }
    if (!result) {
        struct doubt doubt = {.created = !member_is_text(member_find(member_case(line), "externalId")),
                              .commented = member_is_list(member_find(line, "comments"))};
        doubt.begun = doubt.created; /* an update may be made again, and there is no result to go on from */
        return decide(facts, line, doubt, NULL, anyway, resume);
    }
    json_t *value = json_loadb(result->text, result->length, LOOSELY, NULL);
    struct doubt doubt = doubt_of(value);
    json_decref(value);
    return decide(facts, line, doubt, result, anyway, resume);
}

enum retry retry_begun(const struct facts *facts, struct piece line, const struct journal *journal,
                       const struct journal_entry *begun, bool anyway, char **resume)
{
    struct document earlier = {NULL, 0};
    enum retry retry;
    *resume = NULL;
    if (begun->state == JOURNAL_NOT_SENT) return RETRY_SEND;
    if (begun->length && journal_result(journal, begun, &earlier))
        return RETRY_AGAIN; /* and resume is NULL */
    struct piece result = {earlier.text, earlier.length};
    bool made = earlier.text && member_is_text(member_find(result, "id"));
    if (begun->state == JOURNAL_FAILED) {
        retry = retry_after(facts, line, &result, anyway, resume);
    } else if (made) { /* it went on from that result when it was killed */
        struct doubt doubt = {.commented = member_is_list(member_find(line, "comments")), .begun = true};
        retry = decide(facts, line, doubt, &result, anyway, resume);
    } else {
        retry = retry_after(facts, line, NULL, anyway, resume);
    }
    document_free(&earlier);
    return retry;
}
