/* config_idempotency.c - how the tracker knows a request that it has had before (D4). */
#include "document/config_private.h"

static bool uses_key(const struct casehook__call_config *call)
{
    static const char key[] = "case.idempotencyKey";
    return (call->url && casehook__url_template_uses(call->url, key)) ||
           (call->body && casehook__template_uses(call->body, key));
}

static void read_duplicates(struct casehook__config_reader *reader, const struct casehook__field *field)
{
    struct casehook__idempotency *idempotency = reader->config->idempotency;
    if (!casehook__field_list(field)) return;
    size_t count = casehook__json_count(field->node);
    if (count > CASEHOOK__DUPLICATE_STATUSES_MAX) {
        casehook__fail(casehook__field_fault(field), CASEHOOK_E_CONFIG, "has more than %d entries",
                       CASEHOOK__DUPLICATE_STATUSES_MAX);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        int status = casehook__field_refusal(field, i);
        if (status) idempotency->duplicate_statuses[idempotency->duplicate_count++] = status;
    }
}

/* inBody promises that the tracker sees the key of a new case. */
static void check_in_body(const struct casehook__config_reader *reader, const struct casehook__field *field)
{
    const struct casehook__config *config = reader->config;
    const struct casehook__call_config *create = &config->calls[CASEHOOK__CALL_CREATE],
                                       *comment = &config->calls[CASEHOOK__CALL_COMMENT];
    if (create->url && create->body && !uses_key(create))
        casehook__fail(
            casehook__field_fault(field), CASEHOOK_E_CONFIG,
            "is true, but neither createIncidentUrl nor createIncidentJson uses case.idempotencyKey");
    if (config->calls[CASEHOOK__CALL_COMMENT].on && !uses_key(comment))
        casehook__fail(
            casehook__field_fault(field), CASEHOOK_E_CONFIG,
            "is true, but neither createCommentUrl nor createCommentJson uses case.idempotencyKey");
}

void casehook__config_read_idempotency(struct casehook__config_reader *reader)
{
    struct casehook__config *config = reader->config;
    struct casehook__field header = casehook__config_nullable(reader, "idempotencyHeader"),
                           in_body = casehook__config_nullable(reader, "idempotencyInBody"),
                           duplicates = casehook__config_nullable(reader, "idempotencyDuplicateStatuses");
    bool has_key = false;
    casehook__field_boolean(&in_body, &has_key);
    bool counts = header.node || has_key;
    if (has_key && !header.node) check_in_body(reader, &in_body);
    if (!counts && duplicates.node)
        casehook__fail(casehook__field_fault(&duplicates), CASEHOOK_E_CONFIG,
                       "does nothing without idempotencyHeader or idempotencyInBody: give one of them");
    if (!counts && !uses_key(&config->calls[CASEHOOK__CALL_CREATE]) &&
        !uses_key(&config->calls[CASEHOOK__CALL_COMMENT]) && !uses_key(&config->calls[CASEHOOK__CALL_FIND]))
        return;
    config->idempotency = casehook__calloc(config->heap, 1, sizeof *config->idempotency);
    if (!config->idempotency) {
        reader->errors->memory = 1;
        return;
    }
    config->idempotency->counts = counts;
    casehook__config_own_header(reader, &header, &config->idempotency->header);
    if (counts) read_duplicates(reader, &duplicates);
}
