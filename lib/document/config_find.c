/* config_find.c - what goes with the call that looks for a case: when, and what a closed one means (D3, L2).
 */
#include "document/config_private.h"

#define CLOSED_STATUSES_MAX 64

static const char *const find_fields[] = {"findIncident",   "findIncidentResponseStatusKey",
                                          "closedStatuses", "whenClosed",
                                          "reopenWithin",   "findIncidentResponseClosedAtKey"};

/* The same question for every case would find some other case. */
static void check_question(const struct casehook__config_reader *reader)
{
    const struct casehook__call_config *call = &reader->config->calls[CASEHOOK__CALL_FIND];
    struct casehook__field url = casehook__config_field(reader, "findIncidentUrl");
    if (!reader->config->demands || !call->url) return;
    if (casehook__url_template_uses_any(call->url, "case")) return;
    if (call->body && casehook__template_uses_any(call->body, "case")) return;
    casehook__fail(casehook__field_fault(&url), CASEHOOK_E_CONFIG,
                   "asks the same for every case: use a variable of the case here or in findIncidentJson "
                   "(case.id for instance), or set strict to \"names\"");
}

/* An empty key is in no answer: every case would be made again that may be there. */
static void check_key(const struct casehook__config_reader *reader)
{
    struct casehook__field key = casehook__config_field(reader, "findIncidentResponseKey");
    if (key.node && casehook__json_kind(key.node) == CASEHOOK__JSON_TEXT &&
        casehook__text_trim(casehook__json_text(key.node)).length == 0)
        casehook__fail(casehook__field_fault(&key), CASEHOOK_E_CONFIG,
                       "is empty: give the key of the id in the answer, \"items[0].id\" for instance");
}

static void check_find_body(const struct casehook__config_reader *reader)
{
    struct casehook__field body = casehook__config_nullable(reader, "findIncidentJson");
    if (body.node && reader->config->calls[CASEHOOK__CALL_FIND].method == CASEHOOK__METHOD_GET)
        casehook__fail(casehook__field_fault(&body), CASEHOOK_E_CONFIG,
                       "is not sent with a GET: set findIncidentMethod to post, or remove this");
}

static void read_closed_statuses(struct casehook__config_reader *reader, struct casehook__find_config *find)
{
    struct casehook__field field = casehook__config_nullable(reader, "closedStatuses");
    if (!casehook__field_list(&field)) return;
    size_t count = casehook__json_count(field.node);
    if (count == 0 || count > CLOSED_STATUSES_MAX) {
        casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG, "must have 1 to %d entries",
                       CLOSED_STATUSES_MAX);
        return;
    }
    find->closed = casehook__calloc(reader->config->heap, count, sizeof *find->closed);
    if (!find->closed) reader->errors->memory = 1;
    for (size_t i = 0; find->closed && i < count; i++) {
        const struct casehook__json *item = casehook__json_item(field.node, i);
        if (casehook__json_kind(item) != CASEHOOK__JSON_TEXT) {
            casehook__fail(casehook__field_item_fault(&field, i), CASEHOOK_E_CONFIG, "must be a text, not %s",
                           casehook__json_kind_name(item));
            continue;
        }
        struct casehook__text text = casehook__json_text(item);
        find->closed[find->closed_count] = (struct casehook__text){
            casehook__copy(reader->config->heap, text.data, text.length), text.length};
        if (find->closed[find->closed_count].data)
            find->closed_count++;
        else
            reader->errors->memory = 1;
    }
}

static void read_when_closed(struct casehook__config_reader *reader, struct casehook__find_config *find)
{
    static const char *const words[] = {"update", "create", "ignore"};
    struct casehook__field when = casehook__config_nullable(reader, "whenClosed"),
                           within = casehook__config_nullable(reader, "reopenWithin");
    size_t word = 0;
    uint64_t ms = 0;
    casehook__config_read_key(reader, "findIncidentResponseStatusKey", false, &find->status_key);
    casehook__config_read_key(reader, "findIncidentResponseClosedAtKey", false, &find->closed_at_key);
    read_closed_statuses(reader, find);
    casehook__field_word(&when, words, 3, false, &word);
    find->when_closed = (enum casehook__when_closed)word;
    casehook__field_amount(&within, casehook__duration_parse, &ms);
    find->reopen_within_ms = (int64_t)ms;
    casehook__config_need(reader, "closedStatuses", "findIncidentResponseStatusKey");
    casehook__config_need(reader, "findIncidentResponseStatusKey", "closedStatuses");
    casehook__config_need(reader, "whenClosed", "closedStatuses");
    casehook__config_need(reader, "reopenWithin", "findIncidentResponseClosedAtKey");
    casehook__config_need(reader, "findIncidentResponseClosedAtKey", "reopenWithin");
    casehook__config_need(reader, "reopenWithin", "closedStatuses");
}

void casehook__config_read_find(struct casehook__config_reader *reader)
{
    static const char *const words[] = {"unknown", "always"};
    struct casehook__config *config = reader->config;
    struct casehook__field url = casehook__config_nullable(reader, "findIncidentUrl"),
                           when = casehook__config_nullable(reader, "findIncident");
    size_t word = 0;
    if (!casehook__config_is_given(&url)) {
        for (size_t i = 0; i < sizeof find_fields / sizeof *find_fields; i++)
            casehook__config_need(reader, find_fields[i], "findIncidentUrl");
        return;
    }
    check_question(reader);
    check_key(reader);
    check_find_body(reader);
    config->find = casehook__calloc(config->heap, 1, sizeof *config->find);
    if (!config->find) {
        reader->errors->memory = 1;
        return;
    }
    casehook__field_word(&when, words, 2, false, &word);
    config->find->always = word == 1;
    if (word == 1 && casehook__config_is_false(reader, "updateIncident"))
        casehook__fail(casehook__field_fault(&when), CASEHOOK_E_CONFIG,
                       "is \"always\": a case that is found is updated, but updateIncident is false");
    read_when_closed(reader, config->find);
}
