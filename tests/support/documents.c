/* documents.c - connector documents for tests. */
#include "documents.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *object_of(const char *members)
{
    size_t size = strlen(members ? members : "") + 3;
    char *text = malloc(size);
    json_error_t error;
    if (!text) abort();
    snprintf(text, size, "{%s}", members ? members : "");
    json_t *object = json_loads(text, JSON_ALLOW_NUL, &error);
    if (!object) fprintf(stderr, "test document: %s: %s\n", error.text, text);
    if (!object) abort();
    free(text);
    return object;
}

static void set_url(json_t *config, const char *name, const char *base, const char *path)
{
    char url[512];
    snprintf(url, sizeof url, "%s%s", base, path);
    json_object_set_new(config, name, json_string(url));
}

static json_t *usual_config(const char *base)
{
    json_t *config = json_object();
    set_url(config, "createIncidentUrl", base, "/issue");
    set_url(config, "getIncidentUrl", base, "/issue/{{{external.system.id}}}");
    set_url(config, "updateIncidentUrl", base, "/issue/{{{external.system.id}}}");
    set_url(config, "createCommentUrl", base, "/issue/{{{external.system.id}}}/comment");
    set_url(config, "viewIncidentUrl", base, "/browse/{{{external.system.title}}}");
    static const char *const texts[][2] = {
        {"createIncidentJson",
         "{\"title\":{{{case.title}}},\"text\":{{{case.description}}},\"tags\":{{{case.tags}}}}"},
        {"updateIncidentJson", "{\"title\":{{{case.title}}},\"text\":{{{case.description}}}}"},
        {"createCommentJson", "{\"body\":{{{case.comment}}}}"},
        {"createCommentMethod", "post"},
        {"createIncidentResponseKey", "id"},
        {"getIncidentResponseExternalTitleKey", "key"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        json_object_set_new(config, texts[i][0], json_string(texts[i][1]));
    json_object_set_new(config, "strict", json_false());
    return config;
}

char *document_new(const char *base, const char *config, const char *secrets)
{
    json_t *usual = usual_config(base), *more = object_of(config);
    if (!secrets) json_object_set_new(usual, "hasAuth", json_false());
    json_object_update(usual, more);
    json_decref(more);
    json_t *document = json_object();
    json_object_set_new(document, "config", usual);
    json_object_set_new(document, "secrets", object_of(secrets));
    char *text = json_dumps(document, JSON_COMPACT);
    json_decref(document);
    if (!text) abort();
    return text;
}

static void need(int status, struct casehook_error *error)
{
    for (const struct casehook_error *e = error; e; e = casehook_error_next(e))
        fprintf(stderr, "%s: %s\n", casehook_error_field(e), casehook_error_message(e));
    if (status) abort();
}

struct casehook_connector *document_connector(const struct casehook_settings *settings, const char *base,
                                              const char *config, const char *secrets)
{
    struct casehook_connector *connector = NULL;
    struct casehook_error *error = NULL;
    char *text = document_new(base, config, secrets);
    int status = casehook_connector_new(settings, text, CASEHOOK_TERMINATED, &connector, &error);
    need(status, error);
    free(text);
    return connector;
}

struct casehook_settings *document_settings(const char *json)
{
    struct casehook_settings *settings = NULL;
    struct casehook_error *error = NULL;
    need(casehook_settings_new(NULL, &settings), NULL);
    int status = casehook_settings_load_json(settings, json, CASEHOOK_TERMINATED, &error);
    need(status, error);
    return settings;
}
