/* metrics.c - GET /metrics: numbers of connectors, outbox and HTTP side in Prometheus's text format. */
#include "clients.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A label's value with its quotes. */
static void label(struct text *out, const char *value)
{
    text_string(out, "\"");
    for (; *value; value++) {
        if (*value == '\n')
            text_string(out, "\\n");
        else if (*value == '"' || *value == '\\')
            text_format(out, "\\%c", *value);
        else
            text_append(out, value, 1);
    }
    text_string(out, "\"");
}

static void family(struct text *out, const char *name, const char *type, const char *help)
{
    text_format(out, "# HELP casehook_%s %s\n# TYPE casehook_%s %s\n", name, help, name, type);
}

static void one(struct text *out, const char *name, const char *type, const char *help, uint64_t value)
{
    family(out, name, type, help);
    text_format(out, "casehook_%s %" PRIu64 "\n", name, value);
}

/* ---- connectors -------------------------------------------------------------------------------- */

static json_t *stats_of(struct casehook_connector *connector)
{
    size_t size = casehook_connector_stats_json(connector, NULL, 0) + 256;
    char *text = malloc(size);
    json_t *stats = NULL;
    if (text && casehook_connector_stats_json(connector, text, size) < size)
        stats = json_loads(text, 0, NULL);
    free(text);
    return stats;
}

/* {"push": {"ok": 7}} as rows with two labels. */
static void write_table(struct text *out, const struct config *config, json_t **stats, const char *member,
                        const char *name, const char *outer_label, const char *inner_label)
{
    const char *outer, *inner;
    json_t *row, *value;
    for (size_t i = 0; i < config->connector_count; i++)
        json_object_foreach(json_object_get(stats[i], member), outer, row)
            json_object_foreach(row, inner, value) {
                text_format(out, "casehook_%s{connector=", name);
                label(out, config->connectors[i].name);
                text_format(out, ",%s=\"%s\",%s=\"%s\"} %" JSON_INTEGER_FORMAT "\n", outer_label, outer,
                            inner_label, inner, json_integer_value(value));
            }
}

static const struct number {
    const char *member, *name, *type, *help;
    double unit;
} numbers[] = {
    {"retries", "request_retries_total", "counter", "Requests that were made again.", 1},
    {"waits", "waits_total", "counter", "Times that an operation waited before it went on.", 1},
    {"waitedMs", "waited_seconds_total", "counter", "How long operations waited.", 1e-3},
    {"found", "cases_found_total", "counter", "Cases that the tracker had already.", 1},
    {"adopted", "cases_adopted_total", "counter", "Cases found after a create whose answer was lost.", 1},
    {"bytesSent", "sent_bytes_total", "counter", "Bytes sent to the tracker.", 1},
    {"bytesReceived", "received_bytes_total", "counter", "Bytes received from the tracker.", 1},
    {"openConnections", "open_connections", "gauge", "Open connections to the tracker.", 1},
};

static void write_times(struct text *out, const char *name, const json_t *times)
{
    json_int_t all = 0;
    size_t i;
    json_t *bucket;
    json_array_foreach(times, i, bucket) {
        const json_t *limit = json_object_get(bucket, "upToMs");
        all += json_integer_value(json_object_get(bucket, "count"));
        text_string(out, "casehook_request_duration_seconds_bucket{connector=");
        label(out, name);
        if (json_is_integer(limit))
            text_format(out, ",le=\"%g\"} ", (double)json_integer_value(limit) / 1000);
        else
            text_string(out, ",le=\"+Inf\"} ");
        text_format(out, "%" JSON_INTEGER_FORMAT "\n", all);
    }
    text_string(out, "casehook_request_duration_seconds_count{connector=");
    label(out, name);
    text_format(out, "} %" JSON_INTEGER_FORMAT "\n", all);
}

static void write_connectors(struct text *out, const struct config *config)
{
    json_t **stats = calloc(config->connector_count + 1, sizeof *stats);
    if (!stats) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < config->connector_count; i++) stats[i] = stats_of(config->connectors[i].handle);
    family(out, "operations_total", "counter", "Operations by what became of them.");
    write_table(out, config, stats, "operations", "operations_total", "operation", "code");
    family(out, "requests_total", "counter", "Requests to the tracker by step and class of status.");
    write_table(out, config, stats, "requests", "requests_total", "step", "class");
    for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++) {
        family(out, numbers[n].name, numbers[n].type, numbers[n].help);
        for (size_t i = 0; i < config->connector_count; i++) {
            text_format(out, "casehook_%s{connector=", numbers[n].name);
            label(out, config->connectors[i].name);
            text_format(out, "} %.15g\n",
                        numbers[n].unit *
                            (double)json_integer_value(json_object_get(stats[i], numbers[n].member)));
        }
    }
    family(out, "circuit_open", "gauge", "1 while a tracker that kept failing is left alone.");
    for (size_t i = 0; i < config->connector_count; i++) {
        const char *state = json_string_value(json_object_get(stats[i], "circuit"));
        text_string(out, "casehook_circuit_open{connector=");
        label(out, config->connectors[i].name);
        text_format(out, "} %d\n", state && !strcmp(state, "open"));
    }
    family(out, "request_duration_seconds", "histogram", "How long requests to the tracker took.");
    for (size_t i = 0; i < config->connector_count; i++)
        write_times(out, config->connectors[i].name, json_object_get(stats[i], "requestTimes"));
    for (size_t i = 0; i < config->connector_count; i++) json_decref(stats[i]);
    free(stats);
}

/* ---- outbox ------------------------------------------------------------------------------------ */

static void write_outbox(struct text *out, struct server *server)
{
    struct casehook_outbox_stats s = {.struct_size = sizeof s};
    struct casehook_outbox *outbox = server->outbox;
    bool up = casehook_outbox_get_stats(outbox, &s, NULL) == CASEHOOK_OK;
    const struct {
        const char *state;
        uint64_t count;
    } states[] = {{"waiting", s.waiting},     {"queued", s.queued},    {"sending", s.sending},
                  {"parked", s.parked},       {"unknown", s.unknown},  {"done", s.done},
                  {"discarded", s.discarded}, {"replaced", s.replaced}};
    const struct {
        const char *name, *help;
        uint64_t count;
    } counts[] = {
        {"outbox_put_total", "Entries that were stored.", s.put},
        {"outbox_known_total", "Items whose key was there already.", s.known},
        {"outbox_refused_total", "Items that were refused because the outbox was full.", s.refused},
        {"outbox_attempts_total", "Attempts to deliver an entry.", s.attempts},
        {"outbox_delivered_total", "Entries that were delivered.", s.delivered},
        {"outbox_retried_total", "Attempts after which another one follows.", s.retried},
        {"outbox_gave_up_total", "Entries that were parked, or whose outcome is unknown.", s.gave_up},
        {"outbox_doubted_total", "Entries that a worker may have sent before it died.", s.doubted},
        {"outbox_leases_lost_total", "Entries that were settled too late.", s.lost},
        {"outbox_commits_total", "Groups that were written to the database.", s.groups},
        {"outbox_reconnects_total", "New connections to the database.", s.reconnects},
    };
    one(out, "outbox_up", "gauge", "1 when the database of the outbox answers.", up);
    one(out, "outbox_accepting", "gauge", "0 while it is full, or cannot be written.",
        up && !ready_fault(server, &s));
    if (up) {
        family(out, "outbox_entries", "gauge", "Entries by state, of all workers.");
        for (size_t i = 0; i < sizeof states / sizeof *states; i++)
            text_format(out, "casehook_outbox_entries{state=\"%s\"} %" PRIu64 "\n", states[i].state,
                        states[i].count);
        one(out, "outbox_bytes", "gauge", "Bytes of the cases that are not finished.", s.bytes);
        family(out, "outbox_oldest_age_seconds", "gauge", "Age of the oldest entry that is to be delivered.");
        text_format(out, "casehook_outbox_oldest_age_seconds %.3f\n", (double)s.oldest_age_ms / 1000);
    }
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        one(out, counts[i].name, "counter", counts[i].help, counts[i].count);
    one(out, "outbox_sending", "gauge", "Entries that this process is sending.", s.sending_here);
}

/* ---- the daemon itself -------------------------------------------------------------------------- */

static void write_sources(struct text *out, struct server *server)
{
    static const char *const results[INTAKE_RESULTS] = {"stored",  "known", "ignored",
                                                        "invalid", "full",  "failed"};
    pthread_mutex_lock(&server->lock);
    const struct source_counts *first = server->counts;
    family(out, "source_requests_total", "counter", "What sources sent, by what became of it.");
    for (const struct source_counts *counts = first; counts; counts = counts->next)
        for (int i = 0; i < INTAKE_RESULTS; i++) {
            text_string(out, "casehook_source_requests_total{source=");
            label(out, counts->name);
            text_format(out, ",result=\"%s\"} %llu\n", results[i], atomic_load(&counts->results[i]));
        }
    family(out, "source_alerts_total", "counter", "Alerts in the payloads of a source.");
    for (const struct source_counts *counts = first; counts; counts = counts->next) {
        text_string(out, "casehook_source_alerts_total{source=");
        label(out, counts->name);
        text_format(out, "} %llu\n", atomic_load(&counts->alerts));
    }
    pthread_mutex_unlock(&server->lock);
}

static void write_server(struct text *out, struct server *server)
{
    pthread_mutex_lock(&server->lock);
    unsigned clients = server->client_count;
    pthread_mutex_unlock(&server->lock);
    family(out, "build_info", "gauge", "The version of the library.");
    text_format(out, "casehook_build_info{version=\"%s\"} 1\n", casehook_version_string());
    one(out, "uptime_seconds", "gauge", "How long this process runs.",
        (uint64_t)(now_ms() - server->started_ms) / 1000);
    family(out, "http_requests_total", "counter", "Requests by class of the status that was answered.");
    for (int i = 1; i < 6; i++)
        text_format(out, "casehook_http_requests_total{class=\"%dxx\"} %llu\n", i,
                    atomic_load(&server->http_codes[i]));
    one(out, "http_unauthorized_total", "counter", "Requests without the right login.",
        atomic_load(&server->unauthorized));
    one(out, "http_connections_total", "counter", "Connections that were accepted.",
        atomic_load(&server->accepted));
    one(out, "http_slow_connections_total", "counter",
        "Connections that were closed because they were too slow.", atomic_load(&server->closed_slow));
    one(out, "http_open_connections", "gauge", "Open connections.", clients);
    one(out, "reloads_total", "counter", "Configurations that were taken over.",
        atomic_load(&server->reloads));
    one(out, "reload_failures_total", "counter", "Configurations that had faults.",
        atomic_load(&server->failed_reloads));
}

void handle_metrics(struct request *request, struct answer *answer)
{
    struct text *out = &answer->body;
    answer->type = "text/plain; version=0.0.4; charset=utf-8";
    write_server(out, request->server);
    write_sources(out, request->server);
    write_outbox(out, request->server);
    write_connectors(out, request->config);
}
