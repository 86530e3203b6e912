/* config_source.c - a source: where it is, who may use it, and how an alert becomes a case. */
#include "config_source.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>

enum { TAGS_MAX = 100, FIELDS_MAX = 100 };

static const char default_title[] =
    "{{commonLabels.alertname}}{{^commonLabels.alertname}}{{alertCount}} alerts for {{receiver}}"
    "{{/commonLabels.alertname}}{{#commonLabels.instance}} on "
    "{{commonLabels.instance}}{{/commonLabels.instance}}";
static const char default_description[] =
    "{{#commonAnnotations.summary}}{{commonAnnotations.summary}}\n{{/commonAnnotations.summary}}"
    "{{#commonAnnotations.description}}{{commonAnnotations.description}}\n{{/commonAnnotations.description}}"
    "{{#commonLabelList}}{{name}}: {{value}}\n{{/commonLabelList}}"
    "{{#firingAlerts}}\nFiring since {{startsAt}}{{#labels.instance}} on "
    "{{labels.instance}}{{/labels.instance}}"
    "{{#annotations.summary}}: {{annotations.summary}}{{/annotations.summary}}{{/firingAlerts}}"
    "{{#truncatedAlerts}}\n{{truncatedAlerts}} more, of which the notification says "
    "nothing{{/truncatedAlerts}}"
    "{{#externalURL}}\n\n{{externalURL}}{{/externalURL}}";
static const char default_changed[] =
    "{{firingCount}} firing, {{resolvedCount}} resolved{{#truncatedAlerts}}, {{truncatedAlerts}} "
    "unknown{{/truncatedAlerts}}.{{#firingAlerts}}\nFiring since {{startsAt}}"
    "{{#labels.instance}} on {{labels.instance}}{{/labels.instance}}{{/firingAlerts}}"
    "{{#resolvedAlerts}}\nResolved at {{endsAt}}{{#labels.instance}} on "
    "{{labels.instance}}{{/labels.instance}}"
    "{{/resolvedAlerts}}";
static const char default_resolved[] =
    "Resolved.{{#resolvedAlerts}}\n{{endsAt}}{{#labels.instance}} on {{labels.instance}}{{/labels.instance}}"
    "{{/resolvedAlerts}}";

static struct casehook_renderer *compile(struct reader *reader, const char *place, const char *text)
{
    struct casehook_renderer *renderer = NULL;
    struct casehook_error *error = NULL;
    if (!text) return NULL;
    if (casehook_renderer_new(NULL, text, CASEHOOK_TERMINATED, &renderer, &error)) {
        long long offset = casehook_error_offset(error);
        if (offset >= 0)
            faults_add(reader->faults, place, "byte %lld: %s", offset, casehook_error_message(error));
        else
            faults_add(reader->faults, place, "%s", casehook_error_message(error));
    }
    casehook_error_free(error);
    return renderer;
}

static void read_template(const struct object *object, const char *name, const char *fallback,
                          struct alert_text *out)
{
    char place[PLACE_SIZE], *text = read_text(object, name, fallback, false);
    out->renderer = compile(object->reader, place_of(place, object->place, name, 0), text);
    free(text);
}

static void read_tags(const struct object *object, struct source *source)
{
    json_t *list = json_object_get(object->json, "tags"), *item;
    char outer[PLACE_SIZE], place[PLACE_SIZE];
    size_t i;
    if (!list) return;
    place_of(outer, object->place, "tags", 0);
    if (!json_is_array(list) || json_array_size(list) > TAGS_MAX) {
        faults_add(object->reader->faults, outer, "must be a list of at most %d texts", TAGS_MAX);
        return;
    }
    source->tags = calloc(json_array_size(list) + 1, sizeof *source->tags);
    if (!source->tags) object->reader->faults->no_memory = true;
    json_array_foreach(list, i, item) {
        place_of(place, outer, NULL, i);
        if (!json_is_string(item))
            faults_add(object->reader->faults, place, "must be a text");
        else if (source->tags)
            source->tags[source->tag_count++].renderer =
                compile(object->reader, place, json_string_value(item));
    }
}

static bool is_field_name(const char *name)
{
    return *name &&
           name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")] == '\0';
}

static void read_fields(const struct object *outer, struct source *source)
{
    struct object object = object_member(outer, "fields", NULL);
    char place[PLACE_SIZE];
    const char *name;
    json_t *value;
    if (!object.json) return;
    if (json_object_size(object.json) > FIELDS_MAX)
        faults_add(object.reader->faults, object.place, "has more than %d members", FIELDS_MAX);
    source->fields = calloc(json_object_size(object.json) + 1, sizeof *source->fields);
    if (!source->fields) {
        object.reader->faults->no_memory = true;
        return;
    }
    json_object_foreach(object.json, name, value) {
        place_of(place, object.place, name, 0);
        if (!is_field_name(name))
            faults_add(object.reader->faults, place, "a name has letters, digits, _ and - only");
        if (!json_is_string(value)) {
            faults_add(object.reader->faults, place, "must be a text");
            continue;
        }
        struct alert_text *field = &source->fields[source->field_count++];
        field->name = text_copy(name);
        if (!field->name) object.reader->faults->no_memory = true;
        field->renderer = compile(object.reader, place, json_string_value(value));
    }
}

static void read_case(const struct object *outer, struct source *source)
{
    static const char *const names[] = {"title",  "description", "severity",     "tags",
                                        "fields", "openStatus",  "closedStatus", NULL};
    struct object object = object_member(outer, "case", names);
    read_template(&object, "title", default_title, &source->texts[TEXT_TITLE]);
    read_template(&object, "description", default_description, &source->texts[TEXT_DESCRIPTION]);
    read_template(&object, "severity", "{{commonLabels.severity}}", &source->texts[TEXT_SEVERITY]);
    source->open_status = read_text(&object, "openStatus", CASEHOOK_STATUS_OPEN, false);
    source->closed_status = read_text(&object, "closedStatus", CASEHOOK_STATUS_CLOSED, false);
    if (object.json) {
        read_tags(&object, source);
        read_fields(&object, source);
    }
}

/* An end that is not told leaves no mark, so nothing is seen to fire again. */
static void check_refire(const struct object *object, const struct source *source)
{
    char place[PLACE_SIZE];
    if (source->on_resolved != REACT_NOT || !source->refire_finds) return;
    faults_add(
        object->reader->faults, place_of(place, object->place, "onRefire", 0),
        "%.100s has \"find\", but with onResolved \"none\" no end is told, so it is never seen that it "
        "fires again: change onResolved, or leave out onRefire",
        source->name ? source->name : "it");
}

static void read_alerts(const struct object *object, struct source *source)
{
    static const char *const changes[] = {"none", "update", "comment", "both", NULL};
    static const char *const endings[] = {"none", "close", "comment", "both", NULL};
    static const char *const again[] = {"reopen", "find", NULL};
    static const char *const comments[] = {"changed", "resolved", NULL};
    bool grafana = source->type == SOURCE_GRAFANA;
    source->on_change = read_word(object, "onChange", changes, REACT_UPDATE | REACT_COMMENT);
    source->on_resolved = read_word(object, "onResolved", endings, REACT_UPDATE | REACT_COMMENT);
    source->refire_finds = read_word(object, "onRefire", again, 0) == 1;
    check_refire(object, source);
    source->max_alerts = (size_t)read_count(object, "maxAlerts", 100, 1, 10000);
    source->id_prefix = read_text(object, "idPrefix", grafana ? "gf-" : "am-", false);
    if (source->id_prefix && strlen(source->id_prefix) > 64) {
        char place[PLACE_SIZE];
        faults_add(object->reader->faults, place_of(place, object->place, "idPrefix", 0),
                   "is longer than 64 bytes");
    }
    read_case(object, source);
    struct object texts = object_member(object, "comments", comments);
    read_template(&texts, "changed", default_changed, &source->texts[TEXT_CHANGED]);
    read_template(&texts, "resolved", default_resolved, &source->texts[TEXT_RESOLVED]);
}

static void check_path(const struct object *object, const struct source *source)
{
    char place[PLACE_SIZE];
    const char *path = source->path;
    if (!path) return;
    place_of(place, object->place, "path", 0);
    if (*path != '/' || !path[1] ||
        path[strspn(path, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                          "0123456789_-./~")])
        faults_add(object->reader->faults, place,
                   "must begin with / and have letters, digits and _-./~ only");
    if (!strncmp(path, "/-/", 3) || !strcmp(path, "/metrics") || !strncmp(path, "/entries", 8))
        faults_add(object->reader->faults, place, "is a path of casehookd's own");
}

void source_read(struct reader *reader, json_t *value, const char *place, const struct config *config,
                 struct source *source)
{
    static const char *const names[] = {"name",     "type",       "path",     "connector", "login",
                                        "maxBody",  "maxAlerts",  "idPrefix", "case",      "comments",
                                        "onChange", "onResolved", "onRefire", NULL};
    static const char *const types[] = {"alertmanager", "grafana", "cases", NULL};
    static const char *const paths[] = {"/alertmanager", "/grafana", "/cases"};
    char where[PLACE_SIZE];
    struct object object = object_of(reader, value, place, names);
    pthread_mutex_init(&source->lock, NULL);
    if (!object.json) return;
    if (!json_object_get(object.json, "type"))
        faults_add(reader->faults, place_of(where, place, "type", 0),
                   "is missing: \"alertmanager\", \"grafana\" or \"cases\"");
    int type = read_word(&object, "type", types, -1);
    source->type = type < 0 ? SOURCE_ALERTMANAGER : (enum source_type)type;
    /* Without a type there is no path of its own, which would only be that of another source. */
    source->path = read_text(&object, "path", type < 0 ? NULL : paths[type], type >= 0);
    source->name = read_text(&object, "name", source->path ? source->path + 1 : types[source->type], true);
    for (const char *at = source->name; at && *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7F) {
            faults_add(reader->faults, place_of(where, place, "name", 0), "holds a control character");
            break;
        }
    check_path(&object, source);
    source->connector = read_text(&object, "connector", NULL, true);
    if (source->connector && !config_connector(config, source->connector)) {
        size_t i = 0;
        while (i < config->connector_count && strcmp(config->connectors[i].name, source->connector) != 0) i++;
        if (i == config->connector_count)
            faults_add(reader->faults, place_of(where, place, "connector", 0),
                       "there is no connector \"%.100s\" among the connectors", source->connector);
    }
    read_login(&object, "login", true, &source->login);
    source->max_body = (size_t)read_size(&object, "maxBody", 2 << 20, 1024, 7 << 20);
    if (source->type == SOURCE_CASES) {
        static const char *const alerts[] = {"maxAlerts", "idPrefix",   "case",     "comments",
                                             "onChange",  "onResolved", "onRefire", NULL};
        for (size_t i = 0; alerts[i]; i++)
            if (json_object_get(object.json, alerts[i]))
                faults_add(reader->faults, place_of(where, place, alerts[i], 0),
                           "is for sources of alerts, not for type \"cases\"");
    } else {
        read_alerts(&object, source);
    }
}

static void text_clear(struct alert_text *text)
{
    free(text->name);
    casehook_renderer_free(text->renderer);
}

void source_clear(struct source *source)
{
    for (size_t i = 0; i < TEXT_COUNT; i++) text_clear(&source->texts[i]);
    for (size_t i = 0; i < source->tag_count; i++) text_clear(&source->tags[i]);
    for (size_t i = 0; i < source->field_count; i++) text_clear(&source->fields[i]);
    free(source->tags);
    free(source->fields);
    free(source->name);
    free(source->path);
    free(source->connector);
    free(source->id_prefix);
    free(source->open_status);
    free(source->closed_status);
    login_clear(&source->login);
    pthread_mutex_destroy(&source->lock);
}
