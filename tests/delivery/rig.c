/* rig.c - documents and settings for each policy, and ports for them. */
#include "rig.h"
#include "memory.h"
#include "tls_context.h"

#include <stdlib.h>
#include <string.h>

/* ---- documents ---------------------------------------------------------------------------------------- */

static char *joined(char *text, const char *more)
{
    char *both = must_format("%s,%s", text, more);
    free(text);
    return both;
}

static char *config_of(const struct setting *setting, const char *base)
{
    char *config = must_copy(site_config(base, setting->scheme), strlen(site_config(base, setting->scheme)));
    char *urls = must_format("\"createIncidentUrl\":\"%s/new/{{{case.title}}}\","
                             "\"getIncidentUrl\":\"%s/case/{{{external.system.id}}}\","
                             "\"updateIncidentUrl\":\"%s/case/{{{external.system.id}}}\","
                             "\"transitionIncidentUrl\":\"%s/case/{{{external.system.id}}}/move\","
                             "\"transitionIncidentJson\":\"{\\\"to\\\":{{{case.status}}}}\","
                             "\"createCommentUrl\":\"%s/case/{{{external.system.id}}}/comment\"",
                             base, base, base, base, base);
    char *find = must_format("\"findIncidentUrl\":\"%s/find/{{{case.title}}}\","
                             "\"findIncidentResponseKey\":\"items[0].id\"",
                             base);
    config = joined(config, urls);
    config = joined(config, "\"createIncidentJson\":\"{\\\"title\\\":{{{case.title}}}}\"");
    config = joined(config, "\"updateIncidentJson\":\"{\\\"title\\\":{{{case.title}}}}\"");
    if (policy_finds(setting->policy)) config = joined(config, find);
    if (setting->policy == POLICY_ALWAYS) config = joined(config, "\"findIncident\":\"always\"");
    if (policy_has_key(setting->policy)) config = joined(config, "\"idempotencyHeader\":\"Idempotency-Key\"");
    if (setting->policy == POLICY_REFUSED) config = joined(config, "\"idempotencyDuplicateStatuses\":[409]");
    free(urls);
    free(find);
    return config;
}

/* ---- settings ----------------------------------------------------------------------------------------- */

/* Nobody but the client knows that a connection was refused; when it begins the next request, one was. */
static void see(void *user, const struct casehook_log_record *record)
{
    const struct rig *rig = user;
    if (record->level == CASEHOOK_LOG_DEBUG && record->user)
        tracked_begins(rig_port(rig, (size_t)record->user - 1));
}

static struct casehook_settings *settings_of(struct rig *rig, enum pace pace, int patient)
{
    char *attempts =
        must_format(",\"run\":{\"maxAttempts\":%u},\"retry\":{\"baseDelay\":\"1ms\",\"findDelay\":\"1ms\"}",
                    rig->setting->attempts);
    char *text =
        must_format("{\"responseTimeout\":\"%s\"%s%s}", pace == PACE_STALLED && !patient ? "300ms" : "60s",
                    pace == PACE_REUSING && !patient ? ",\"reuseConnections\":\"always\"" : "", attempts);
    struct casehook_settings *settings = document_settings(text);
    if (rig->own && casehook_settings_set_log(settings, CASEHOOK_LOG_DEBUG, rig, see, NULL)) abort();
    free(text);
    free(attempts);
    return settings;
}

/* ---- rigs --------------------------------------------------------------------------------------------- */

static struct casehook_connector *connector_of(struct rig *rig, const struct tracked *port, enum pace pace,
                                               int patient)
{
    char *base =
        must_format("%s://127.0.0.1:%u", rig->setting->scheme == HTTP ? "http" : "https", tracked_port(port));
    char *config = config_of(rig->setting, base);
    struct casehook_settings *settings = settings_of(rig, pace, patient);
    struct casehook_connector *connector = document_connector(settings, base, config, NULL);
    casehook_settings_free(settings);
    free(config);
    free(base);
    return connector;
}

void rig_build(struct rig *rig, const struct setting *setting, struct model *model, enum pace pace,
               size_t count)
{
    *rig = (struct rig){.setting = setting, .model = model, .count = count, .own = pace == PACE_OWN};
    if (setting->scheme != HTTP) rig->tls = tls_context_new(site_tls(setting->scheme));
    for (size_t i = 0; i < (rig->own ? count : 1); i++) {
        rig->ports[i] = tracked_start(model, rig->tls, rig->own ? i : TRIALS_MAX);
        rig->connectors[i] = connector_of(rig, rig->ports[i], pace, 0);
        if (pace == PACE_STALLED || pace == PACE_REUSING)
            rig->patient[i] = connector_of(rig, rig->ports[i], pace, 1);
    }
}

void rig_end(struct rig *rig)
{
    for (size_t i = 0; i < TRIALS_MAX; i++) {
        casehook_connector_unref(rig->connectors[i]);
        casehook_connector_unref(rig->patient[i]);
    }
    for (size_t i = 0; i < TRIALS_MAX; i++)
        if (rig->ports[i]) tracked_stop(rig->ports[i]);
    SSL_CTX_free(rig->tls);
}

struct casehook_connector *rig_connector(const struct rig *rig, size_t trial, int patient)
{
    size_t place = rig->own ? trial : 0;
    return patient && rig->patient[place] ? rig->patient[place] : rig->connectors[place];
}

struct tracked *rig_port(const struct rig *rig, size_t trial)
{
    return rig->ports[rig->own ? trial : 0];
}
