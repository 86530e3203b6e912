/* trial.c - making a connector and running its call, the same for all kinds of vectors. */
#include "trial.h"
#include "memory.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

static int is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;
        return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
    }
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
    return address->sa_family == AF_INET && ntohl(v4->sin_addr.s_addr) >> 24 == 127;
}

static int resolves_to_loopback(const char *name)
{
    struct addrinfo hints, *list = NULL;
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(name, NULL, &hints, &list) != 0) return 0;
    int all = 1;
    for (const struct addrinfo *a = list; a; a = a->ai_next) all = all && is_loopback(a->ai_addr);
    freeaddrinfo(list);
    return all;
}

/* An answer in a content encoding that the vector expects to be understood. */
static int wants_decoding(const json_t *vector)
{
    const json_t *exchange = json_object_get(vector, "exchange");
    if (!json_is_true(json_object_get(json_object_get(vector, "result"), "ok"))) return 0;
    for (size_t i = 0; i < json_array_size(exchange); i++) {
        const json_t *response = json_object_get(json_array_get(exchange, i), "response");
        const char *coding =
            json_string_value(json_object_get(json_object_get(response, "headers"), "content-encoding"));
        if (coding && *coding && strcasecmp(coding, "identity") != 0) return 1;
    }
    return 0;
}

/* It must be refused when the socket opens, which the exchange leaves to its host (U5). */
static bool wants_address_check(const json_t *vector)
{
    const char *step = json_string_value(json_object_get(json_object_get(vector, "result"), "step"));
    return json_is_true(json_object_get(json_object_get(vector, "settings"), "denyPrivateAddresses")) &&
           step && strcmp(step, "config") != 0 && json_array_size(json_object_get(vector, "exchange")) == 0;
}

/* Those whose texts are cut elsewhere between code points: the format of vectors has no word for it. */
static bool wants_graphemes(const json_t *vector)
{
    static const char *const names[] = {"cut-zwj", "cut-flag", "cut-crlf"};
    const char *name = json_string_value(json_object_get(vector, "name"));
    for (size_t i = 0; name && i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0) return casehook_feature("graphemes") == 0;
    return false;
}

char *trial_needs(const struct driver *driver, const json_t *vector)
{
    static const char *const names[] = {"localhost.", "api.localhost", "xn--bcher-kva.localhost"};
    const char *needs = json_string_value(json_object_get(vector, "needs"));
    if (driver->plain_bodies && wants_decoding(vector))
        return must_format("the driver %s offers no content encoding", driver->name);
    if (driver->plain_bodies && wants_address_check(vector))
        return must_format("the driver %s looks at no address", driver->name);
    if (wants_graphemes(vector)) return must_format("this build has no graphemes (utf8proc)");
    if (!needs) return NULL;
    if (strcmp(needs, "localhost-names") != 0)
        return must_format("needs %s, which this runner does not know", needs);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!resolves_to_loopback(names[i]))
            return must_format("needs localhost-names: %s does not resolve to loopback", names[i]);
    }
    return NULL;
}

/* base (may be NULL) with the members of config over it, and "strict": false unless it says otherwise. */
static json_t *merge_config(json_t *base, json_t *config)
{
    json_t *merged = base ? json_deep_copy(base) : json_object();
    json_object_update(merged, config);
    if (!json_object_get(merged, "strict")) json_object_set_new(merged, "strict", json_false());
    return merged;
}

/* The vector asks for settings only where they matter; without them the library's defaults are tried. */
static int make_settings(const json_t *vector, struct casehook_settings **settings, struct outcome *outcome)
{
    const json_t *wanted = json_object_get(vector, "settings");
    if (!wanted) return CASEHOOK_OK;
    int status = casehook_settings_new(NULL, settings);
    if (status != CASEHOOK_OK) return status;
    char *text = json_dumps(wanted, JSON_COMPACT);
    status = casehook_settings_load_json(*settings, text, CASEHOOK_TERMINATED, &outcome->error);
    free(text);
    return status;
}

static int make_connector(const struct trial *trial, const struct casehook_settings *settings,
                          const char *text, struct casehook_connector **connector, struct outcome *outcome)
{
    struct casehook_error *error = NULL;
    int checked = casehook_connector_check(settings, text, strlen(text), &error);
    int status = casehook_connector_new(settings, text, strlen(text), connector, &outcome->error);
    if (checked != status)
        report_problem(trial->report, "casehook_connector_check says %s (%s), casehook_connector_new %s",
                       casehook_status_name(checked), casehook_error_message(error),
                       casehook_status_name(status));
    casehook_error_free(error);
    if ((*connector != NULL) != (status == CASEHOOK_OK))
        report_problem(trial->report, "casehook_connector_new: %s does not fit the connector",
                       casehook_status_name(status));
    return status;
}

static int is_text(const json_t *value)
{
    return json_is_string(value) && json_string_length(value) > 0;
}

/* H1, K8: a call that the connector has no configuration for fails when it is made, with step config. */
static int lacks_call(const json_t *config, const struct call *call)
{
    const json_t *method = json_object_get(config, "createCommentMethod");
    switch (call->operation) {
    case CASEHOOK_COMMENT:
        return json_is_null(method) || !is_text(json_object_get(config, "createCommentUrl")) ||
               !is_text(json_object_get(config, "createCommentJson"));
    case CASEHOOK_GET:
        return json_is_false(json_object_get(config, "getIncident")) ||
               (is_text(json_object_get(config, "createIncidentResponseExternalTitleKey")) &&
                !is_text(json_object_get(config, "getIncidentUrl")));
    case CASEHOOK_CREATE: return 0;
    default: return json_is_false(json_object_get(config, "updateIncident"));
    }
}

/* Both ways to be wrong, a connector that was refused and one that was not, show in the outcome. */
static void run_call(const struct trial *trial, const json_t *vector, json_t *config, const struct call *call,
                     struct outcome *outcome)
{
    const char *step = json_string_value(json_object_get(json_object_get(vector, "result"), "step"));
    int refuse = step && strcmp(step, "config") == 0, late = lacks_call(config, call);
    struct casehook_settings *settings = NULL;
    struct casehook_connector *connector = NULL;
    json_t *document =
        json_pack("{s:O, s:O}", "config", config, "secrets", json_object_get(vector, "secrets"));
    char *text = json_dumps(document, JSON_COMPACT);
    memset(outcome, 0, sizeof *outcome);
    outcome->status = make_settings(vector, &settings, outcome);
    if (outcome->status == CASEHOOK_OK)
        outcome->status = make_connector(trial, settings, text, &connector, outcome);
    casehook_settings_free(settings); /* the connector has its snapshot */
    if (connector && (!refuse || late))
        outcome->status = trial->driver->run(connector, call, trial->way, &outcome->result);
    if (!connector && refuse && late)
        report_problem(trial->report, "making the connector must succeed, the call must fail");
    casehook_connector_unref(connector); /* closes its connections; the result owns what it shows */
    free(text);
    json_decref(document);
}

/* What to look at when the number of requests is wrong. */
static void note_requests(const struct trial *trial, struct http_log *log)
{
    for (size_t i = 0; i < http_log_count(log); i++) {
        const struct http_request *request = http_log_at(log, i);
        report_note(trial->report, "request %zu: at %s: %.300s%s%.300s", i, request->server, request->line,
                    request->body_length ? " " : "", request->body);
    }
}

static void play_filled(const struct trial *trial, const struct trial_scene *scene, json_t *base,
                        json_t *vector)
{
    struct call call;
    struct outcome outcome;
    if (call_open(&call, json_object_get(vector, "call")) != 0) {
        report_problem(trial->report, "the call is not one that this runner knows");
        return;
    }
    json_t *config = merge_config(base, json_object_get(vector, "config"));
    int before = trial->report->problems;
    if (scene->prepare) scene->prepare(scene->user, vector);
    run_call(trial, vector, config, &call, &outcome);
    scene->close(trial, scene->user);
    check_result(trial->report, json_object_get(vector, "result"), &call, &outcome);
    scene->check(trial, scene->user, vector, &outcome);
    if (trial->report->problems > before) {
        note_outcome(trial->report, &outcome);
        note_requests(trial, scene->log);
    }
    outcome_clear(&outcome);
    json_decref(config);
    call_close(&call);
}

void trial_play(const struct trial *trial, const struct trial_scene *scene)
{
    const json_t *repeat = json_object_get(trial->vector, "repeat");
    char *problem = NULL, *base_problem = NULL;
    json_t *base = NULL;
    json_t *vector =
        vector_fill(trial->vector, scene->places, scene->place_count, repeat, trial->file->certs, &problem);
    if (trial->file->base_config)
        base = vector_fill(trial->file->base_config, scene->places, scene->place_count, repeat,
                           trial->file->certs, &base_problem);
    if (problem || base_problem)
        report_problem(trial->report, "%s", problem ? problem : base_problem);
    else
        play_filled(trial, scene, base, vector);
    json_decref(vector);
    json_decref(base);
    free(problem);
    free(base_problem);
}
void trial_stop(const struct trial *trial, struct http_server *server)
{
    if (server && http_server_stop(server, TRIAL_GRACE_MS))
        report_problem(trial->report, "a connection was still open after the connector had been released");
}
