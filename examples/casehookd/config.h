/*
 * config.h - the configuration: one JSON file, checked whole, then never changed.
 *
 * A reload makes a new one beside it; who still works with the old one keeps it until then.
 */
#ifndef CASEHOOKD_CONFIG_H
#define CASEHOOKD_CONFIG_H

#include "faults.h"

#include <casehook.h>
#include <casehook_outbox.h>
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>

/* Who may come in.  All NULL and open: everybody. */
struct login {
    char *bearer;
    char *user, *password;
    bool open;
};

enum source_type { SOURCE_ALERTMANAGER, SOURCE_GRAFANA, SOURCE_CASES };

/* What is done when an alert changes or ends: a sum. */
enum reaction { REACT_NOT = 0, REACT_UPDATE = 1, REACT_COMMENT = 2 };

/* One text of a case: a template over the alert. */
struct alert_text {
    char *name; /* of a field; else NULL */
    struct casehook_renderer *renderer;
};

enum { TEXT_TITLE, TEXT_DESCRIPTION, TEXT_SEVERITY, TEXT_CHANGED, TEXT_RESOLVED, TEXT_COUNT };

struct source {
    char *name, *path, *connector;
    enum source_type type;
    struct login login;
    size_t max_body, max_alerts;
    char *id_prefix;
    char *open_status, *closed_status;
    int on_change, on_resolved;
    bool refire_finds; /* a case that was closed is looked for again: L2 of the connector decides */
    struct alert_text texts[TEXT_COUNT];
    struct alert_text *tags, *fields;
    size_t tag_count, field_count;
    pthread_mutex_t lock; /* of the renderers */
};

struct connector {
    char *name;
    struct casehook_connector *handle;
};

struct config {
    atomic_int references;
    struct connector *connectors;
    struct source *sources;
    size_t connector_count, source_count;
    char *listen_host;
    uint16_t listen_port;
    unsigned max_connections, threads;
    unsigned request_timeout_s;
    size_t max_bodies;                     /* of all requests together, in bytes */
    struct casehook_outbox_options outbox; /* location and worker are ours */
    char *location, *worker;
    char *missing_folder; /* of location, in a check: it may be made later; else it is a fault */
    bool has_page, has_metrics;
    struct login page, metrics;
    int64_t response_timeout_ms; /* of all connectors */
    int64_t stop_timeout_ms;
    int log_level;
};

/* Reads and checks the file; NULL with all faults.  check: nothing is started with it. */
struct config *config_load(const char *path, bool check, struct faults *faults);
struct config *config_ref(struct config *config);
void config_unref(struct config *config);

/* The lease of the outbox in ms, and whether it is long enough for the setting responseTimeout. */
int64_t config_lease_ms(const struct config *config);
bool config_lease_fits(int64_t lease_ms, int64_t response_timeout_ms);

/* The connector of a name, or NULL; borrowed. */
struct casehook_connector *config_connector(const struct config *config, const char *name);
/* The source whose path this is, or NULL. */
struct source *config_source(struct config *config, const char *path);

#endif
