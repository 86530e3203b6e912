/* casehook_retry.c - what an earlier result says about sending a line again. */
#include "casehook_retry.h"
#include "casehook_doubt.h"
#include "casehook_text.h"

#include <casehook.h>
#include <jansson.h>

#include <stdlib.h>
#include <string.h>

#define LOOSELY (JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL)

/* Whether a text has the word, or one anywhere in an object or a list. */
static bool mentions(const json_t *value, const char *word)
{
    const char *text = json_string_value(value), *name;
    const json_t *item;
    size_t index;
    if (text) return strstr(text, word) != NULL;
    json_object_foreach((json_t *)value, name, item)
        if (mentions(item, word)) return true;
    json_array_foreach(value, index, item)
        if (mentions(item, word)) return true;
    return false;
}

/* The find has the word in it. */
static bool find_mentions(const json_t *config, const char *word)
{
    return mentions(json_object_get(config, "findIncidentUrl"), word) ||
           mentions(json_object_get(config, "findIncidentJson"), word) ||
           mentions(json_object_get(config, "findIncidentHeaders"), word);
}

/* A value is made of the id of the case, or of its key, which is another one each time where there is no id.
 */
static bool values_have_id(const json_t *config)
{
    const char *name;
    const json_t *value;
    json_object_foreach(json_object_get(config, "values"), name, value)
        if (mentions(json_object_get(value, "from"), "case.id")) return true;
    return false;
}

void facts_read(struct facts *facts, const struct document *connector)
{
    json_t *document = json_loadb(connector->text, connector->length, LOOSELY, NULL);
    const json_t *config = json_object_get(document, "config");
    const json_t *url = json_object_get(config, "createIncidentUrl");
    const char *target = json_is_string(url) ? json_string_value(url) : "";
    facts->find = json_is_string(json_object_get(config, "findIncidentUrl"));
    facts->find_by_id =
        find_mentions(config, "case.id") || (find_mentions(config, "value.") && values_have_id(config));
    facts->key = json_is_string(json_object_get(config, "idempotencyHeader")) ||
                 json_is_true(json_object_get(config, "idempotencyInBody"));
    /* What cannot be read for want of memory is taken for the worst. */
    facts->comments = !document || json_is_string(json_object_get(config, "createCommentUrl"));
    facts->transitions = !document || json_is_string(json_object_get(config, "transitionIncidentUrl"));
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

/*
 * What a result would have said after the create was sent and no answer came, as far as the library reads it.
 * earlier: the one that the line went on from, which knows the key that was used.
 */
static char *write_unknown(struct piece line, struct piece earlier)
{
    char *text = NULL;
    size_t length, index;
    struct piece list = member_find(line, "comments"), key = member_find(earlier, "idempotencyKey");
    if (!member_is_text(key)) key = member_find(member_find(line, "resume"), "idempotencyKey");
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

/* result: what it goes on from; empty: the made up one of a create. */
static enum retry decide(const struct facts *facts, struct piece line, struct doubt doubt,
                         struct piece result, struct piece earlier, bool anyway, char **resume)
{
    bool found = facts->key || can_find(facts, line), safe = !doubt.created || found;
    if (doubt.commented && facts->comments && !facts->key) safe = false;
    if (doubt.transitioned && facts->transitions) safe = false; /* these have no key */
    if (!safe && !anyway) return RETRY_LEAVE;
    if (!doubt.begun || (doubt.created && !found)) return RETRY_SEND;
    *resume = result.text ? strndup(result.text, result.length) : write_unknown(line, earlier);
    return RETRY_AGAIN;
}

enum retry retry_after(const struct facts *facts, struct piece line, struct piece result, bool anyway,
                       char **resume)
{
    *resume = NULL;
    return decide(facts, line, doubt_of(result), result, result, anyway, resume);
}

/* It went on from that result when it was killed: what that leaves out may have been done. */
static struct doubt doubt_behind(struct piece line, struct piece result)
{
    struct piece given = member_case(line), found = member_find(result, "found");
    bool updates = member_is_text(member_find(given, "externalId")) || (found.text && *found.text == 't');
    return (struct doubt){.commented = member_is_list(member_find(line, "comments")),
                          .transitioned = updates && member_is_text(member_find(given, "status")) &&
                                          !doubt_of(result).settled,
                          .begun = true};
}

/* The same where it was killed; earlier: the result before, which may be empty. */
static enum retry retry_killed(const struct facts *facts, struct piece line, struct piece earlier,
                               bool anyway, char **resume)
{
    struct piece given = member_case(line), own = member_find(line, "resume"), none = {NULL, 0};
    if (member_is_text(member_find(earlier, "id"))) own = earlier;
    if (member_is_text(member_find(own, "id")))
        return decide(facts, line, doubt_behind(line, own), own, earlier, anyway, resume);
    bool updates = member_is_text(member_find(given, "externalId"));
    struct doubt doubt = {.created = !updates,
                          .commented = member_is_list(member_find(line, "comments")),
                          .transitioned = updates && member_is_text(member_find(given, "status")),
                          .begun = !updates}; /* an update may be made again, and has nothing to go on from */
    return decide(facts, line, doubt, none, earlier, anyway, resume);
}

enum retry retry_begun(const struct facts *facts, struct piece line, const struct journal *journal,
                       const struct journal_entry *begun, bool anyway, char **resume)
{
    struct document earlier = {NULL, 0};
    *resume = NULL;
    if (begun->state == JOURNAL_NOT_SENT) return RETRY_SEND;
    if (begun->length && journal_result(journal, begun, &earlier))
        return RETRY_AGAIN; /* and resume is NULL */
    struct piece result = {earlier.text, earlier.length};
    enum retry retry = begun->state == JOURNAL_FAILED ? retry_after(facts, line, result, anyway, resume)
                                                      : retry_killed(facts, line, result, anyway, resume);
    document_free(&earlier);
    return retry;
}
