/* bench_case.c - the connector and the case that all benchmarks use. */
#include "bench_case.h"

#include "bench_window.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAGS_MAX 16

static void set_url(json_t *config, const char *base, const char *name, const char *path)
{
    char url[512];
    snprintf(url, sizeof url, "%s%s", base, path);
    json_object_set_new(config, name, json_string(url));
}

/* The file of the CA in $BENCH_CA, when there is one. */
static void set_ca(json_t *config)
{
    char *ca = getenv("BENCH_CA") ? bench_read(getenv("BENCH_CA"), NULL) : NULL;
    if (ca) json_object_set_new(config, "ca", json_string(ca));
    free(ca);
}

char *bench_document(const char *url)
{
    json_t *config = json_object(), *all = json_object();
    char *body = bench_read("template.json", NULL), *text;
    set_url(config, url, "createIncidentUrl", "/rest/api/2/issue");
    set_url(config, url, "getIncidentUrl", "/rest/api/2/issue/{{{external.system.id}}}");
    set_url(config, url, "updateIncidentUrl", "/rest/api/2/issue/{{{external.system.id}}}");
    set_url(config, url, "viewIncidentUrl", "/browse/{{{external.system.title}}}");
    json_object_set_new(config, "createIncidentJson", json_string(body));
    json_object_set_new(config, "updateIncidentJson", json_string(body));
    json_object_set_new(config, "createIncidentResponseKey", json_string("id"));
    json_object_set_new(config, "getIncidentResponseExternalTitleKey", json_string("fields.summary"));
    if (getenv("BENCH_TITLE"))
        json_object_set_new(config, "createIncidentResponseExternalTitleKey",
                            json_string(getenv("BENCH_TITLE")));
    set_ca(config);
    json_object_set_new(all, "config", config);
    json_object_set_new(all, "secrets", json_pack("{s:s,s:s}", "user", "user", "password", "password"));
    text = json_dumps(all, JSON_COMPACT);
    json_decref(all);
    free(body);
    return text;
}

void bench_need(int status, struct casehook_error *error)
{
    if (status == CASEHOOK_OK) return;
    fprintf(stderr, "%s: %s: %s\n", casehook_status_name(status), casehook_error_field(error),
            casehook_error_message(error));
    exit(2);
}

struct casehook_settings *bench_settings(const struct casehook_allocator *allocator)
{
    struct casehook_settings *settings = NULL;
    struct casehook_error *error = NULL;
    const char *version = getenv("BENCH_HTTP_VERSION");
    const char *more = getenv("BENCH_SETTINGS"); /* members, with a comma before each */
    char json[1024];
    snprintf(json, sizeof json, "{\"httpVersion\":\"%s\"%s}", version ? version : "1.1", more ? more : "");
    bench_need(casehook_settings_new(allocator, &settings), NULL);
    bench_need(casehook_settings_load_json(settings, json, CASEHOOK_TERMINATED, &error), error);
    return settings;
}

struct casehook_connector *bench_connector(const struct casehook_settings *settings, const char *document)
{
    struct casehook_connector *connector = NULL;
    struct casehook_error *error = NULL;
    bench_need(casehook_connector_new(settings, document, CASEHOOK_TERMINATED, &connector, &error), error);
    return connector;
}

void bench_params(struct casehook_params *params)
{
    static const char *tags[TAGS_MAX];
    char *list = bench_read("tags.txt", NULL), *rest = NULL;
    *params = (struct casehook_params){.struct_size = sizeof *params};
    params->title = bench_read("title.txt", NULL);
    params->description = bench_read("description_1k.txt", NULL);
    for (char *tag = strtok_r(list, "\n", &rest); tag && params->tag_count < TAGS_MAX;
         tag = strtok_r(NULL, "\n", &rest))
        tags[params->tag_count++] = tag;
    params->tags = tags;
}

int bench_is_good(const struct casehook_result *result)
{
    const struct casehook_error *error = casehook_result_error(result);
    if (error) fprintf(stderr, "%s\n", casehook_error_message(error));
    return !error && casehook_result_id(result, NULL) && casehook_result_url(result, NULL);
}
