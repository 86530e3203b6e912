/*
 * fuzz_alert.c - payloads of Alertmanager and Grafana, as the daemon reads them.
 *
 * Input: a byte (the kind of source, how it reacts), then a payload.  In it 0x01 to 0x06 stand for pieces of
 * a payload that is right, so that small inputs go far.
 *
 * A payload is refused with a reason, or gives a case: the same one with the same digest each time; what is
 * to be put is JSON that the library takes; what was put is known when it comes again.
 */
#include "../fuzz/fuzz.h"
#include "payload.h"

static const char *const pieces[] = {
    "{\"version\":\"4\",\"groupKey\":\"g\",\"status\":\"firing\",\"receiver\":\"r\",\"commonLabels\":{},"
    "\"alerts\":[",
    "{\"version\":\"1\",\"groupKey\":\"g\",\"orgId\":1,\"status\":\"resolved\",\"alerts\":[",
    "{\"status\":\"firing\",\"startsAt\":\"2026-01-01T00:00:00Z\",\"labels\":{\"alertname\":\"A\","
    "\"instance\":\"",
    "\"},\"annotations\":{\"summary\":\"s\"}}",
    "{\"status\":\"resolved\",\"endsAt\":\"2026-01-01T00:00:00Z\",\"labels\":{\"title\":\"",
    "],\"commonAnnotations\":{\"summary\":\"x\"}}"};

static const char document[] =
    "{\"config\":{\"createIncidentUrl\":\"https://t.example/c\",\"createIncidentJson\":"
    "\"{\\\"t\\\":{{case.title}},\\\"d\\\":{{case.description}},\\\"f\\\":{{case.fields.host}}}\","
    "\"createIncidentResponseKey\":\"id\",\"getIncidentUrl\":\"https://t.example/c/{{external.system.id}}\","
    "\"getIncidentResponseExternalTitleKey\":\"key\",\"viewIncidentUrl\":\"https://t.example/v/"
    "{{external.system.id}}\","
    "\"updateIncidentUrl\":\"https://t.example/c/{{external.system.id}}\",\"updateIncidentJson\":"
    "\"{\\\"t\\\":{{case.title}},\\\"d\\\":{{case.description}}}\",\"hasAuth\":false}}";

static struct casehook_renderer *compile(const char *text)
{
    struct casehook_renderer *renderer = NULL;
    CHECK(!casehook_renderer_new(NULL, text, CASEHOOK_TERMINATED, &renderer, NULL));
    return renderer;
}

static struct casehook_connector *connector;

static void prepare(struct source *source)
{
    static char prefix[] = "am-", open_status[] = "open", closed[] = "closed", name[] = "host";
    if (connector) return;
    CHECK(!casehook_connector_new(NULL, document, CASEHOOK_TERMINATED, &connector, NULL));
    pthread_mutex_init(&source->lock, NULL);
    source->id_prefix = prefix;
    source->open_status = open_status;
    source->closed_status = closed;
    source->max_alerts = 3;
    source->texts[TEXT_TITLE].renderer =
        compile("{{commonLabels.alertname}}{{#alerts}}{{labels.title}}{{/alerts}}");
    source->texts[TEXT_DESCRIPTION].renderer = compile(
        "{{#firingAlerts}}{{#labelList}}{{name}}={{value}}\n{{/labelList}}{{/firingAlerts}}{{alerts}}");
    source->texts[TEXT_SEVERITY].renderer = compile("{{commonLabels.severity}}");
    source->texts[TEXT_CHANGED].renderer = compile("{{firingCount}} {{resolvedCount}} {{alertCount}}");
    source->texts[TEXT_RESOLVED].renderer = compile("{{#resolvedAlerts}}{{endsAt}}{{/resolvedAlerts}}");
    source->tags = calloc(1, sizeof *source->tags);
    source->fields = calloc(1, sizeof *source->fields);
    CHECK(source->tags && source->fields);
    source->tags->renderer = compile("{{receiver}}");
    source->fields->renderer = compile("{{#alerts}}{{#labels}}{{instance}}{{/labels}}{{/alerts}}");
    source->fields->name = name;
    source->tag_count = source->field_count = 1;
}

static void check_entry(const struct plan *plan)
{
    struct casehook_result *result = NULL;
    CHECK(plan->params && strlen(plan->key) < KEY_SIZE - 1 && *plan->key);
    json_t *params = json_loads(plan->params, JSON_REJECT_DUPLICATES, NULL);
    CHECK(json_is_object(params));
    json_decref(params);
    if (plan->operation != CASEHOOK_PUSH) return;
    int status = casehook_preview_json(connector, CASEHOOK_PUSH, plan->params, CASEHOOK_TERMINATED, &result);
    if (status)
        fprintf(stderr, "%s\n%s\n", casehook_error_message(casehook_result_error(result)), plan->params);
    CHECK(status == CASEHOOK_OK || status == CASEHOOK_E_LIMIT);
    casehook_result_free(result);
}

static void check_plans(const struct notice *notice, const char *hostile)
{
    struct plan first, again, other;
    struct last none = {.id = 0}, same = {.id = 7, .finished = true},
                strange = {.id = UINT64_MAX, .finished = true};
    plan_make(notice, &none, &first);
    CHECK(!first.operation == (first.reason != NULL));
    if (first.operation) {
        check_entry(&first);
        CHECK(plan_made(first.key));
        snprintf(same.key, sizeof same.key, "%s", first.key);
        plan_make(notice, &same, &again);
        CHECK(again.known && !again.operation);
    }
    snprintf(strange.key, sizeof strange.key, "%s", hostile);
    plan_make(notice, &strange, &other);
    if (other.operation) check_entry(&other);
    plan_clear(&other);
    plan_clear(&first);
}

static void check_notice(struct source *source, const char *payload, size_t length)
{
    struct notice notice, twin;
    char why[WHY_SIZE];
    int status = notice_read(source, payload, length, &notice, why);
    CHECK(status == 0 || ((status == 400 || status == 422) && strlen(why) > 5));
    if (!status) {
        CHECK(strlen(notice.case_id) == 35 && strlen(notice.digest) == 32 && notice.alerts > 0);
        CHECK(*json_string_value(json_object_get(notice.incident, "title")));
        CHECK(!notice_read(source, payload, length, &twin, why));
        CHECK(!strcmp(twin.digest, notice.digest) && !strcmp(twin.case_id, notice.case_id));
        check_plans(&notice, json_string_value(json_object_get(notice.incident, "title")));
        notice_clear(&twin);
    }
    notice_clear(&notice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct source source;
    struct text payload = {0};
    prepare(&source);
    if (size == 0) return 0;
    source.type = data[0] & 1 ? SOURCE_GRAFANA : SOURCE_ALERTMANAGER;
    source.on_change = data[0] >> 1 & 3;
    source.on_resolved = data[0] >> 3 & 3;
    source.refire_finds = data[0] >> 5 & 1;
    for (size_t i = 1; i < size; i++) {
        if (data[i] >= 1 && data[i] <= 6)
            text_string(&payload, pieces[data[i] - 1]);
        else
            text_append(&payload, (const char *)&data[i], 1);
    }
    CHECK(!payload.failed);
    check_notice(&source, payload.data ? payload.data : "", payload.length);
    text_free(&payload);
    return 0;
}
