/*
 * bench_push.c - create pushes against a server, through the public calls alone.
 *
 *     bench_push URL COUNT CONCURRENCY
 *
 * Blocking when CONCURRENCY is 1, else the loop; BENCH_LOOP=fd drives the loop by its descriptor with
 * poll(2), BENCH_LOOP=wait (the default) by casehook_loop_wait().  BENCH_CA: file of the CA to trust.
 * BENCH_HTTP_VERSION: the setting httpVersion.
 */
#include "bench_window.h"

#include <casehook.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAGS_MAX 16

static struct bench bench;
static struct casehook_params params;
static const char *tags[TAGS_MAX];

static void set_url(json_t *config, const char *name, const char *path)
{
    char url[512];
    snprintf(url, sizeof url, "%s%s", bench.url, path);
    json_object_set_new(config, name, json_string(url));
}

static char *document(void)
{
    json_t *config = json_object(), *all = json_object();
    char *body = bench_read("template.json", NULL), *text;
    set_url(config, "createIncidentUrl", "/rest/api/2/issue");
    set_url(config, "getIncidentUrl", "/rest/api/2/issue/{{{external.system.id}}}");
    set_url(config, "updateIncidentUrl", "/rest/api/2/issue/{{{external.system.id}}}");
    set_url(config, "viewIncidentUrl", "/browse/{{{external.system.title}}}");
    json_object_set_new(config, "createIncidentJson", json_string(body));
    json_object_set_new(config, "updateIncidentJson", json_string(body));
    json_object_set_new(config, "createIncidentResponseKey", json_string("id"));
    json_object_set_new(config, "getIncidentResponseExternalTitleKey", json_string("fields.summary"));
    if (getenv("BENCH_CA"))
        json_object_set_new(config, "ca", json_string(bench_read(getenv("BENCH_CA"), NULL)));
    json_object_set_new(all, "config", config);
    json_object_set_new(all, "secrets", json_pack("{s:s,s:s}", "user", "user", "password", "password"));
    text = json_dumps(all, JSON_COMPACT);
    json_decref(all);
    free(body);
    return text;
}

static void need(int status, struct casehook_error *error)
{
    if (status == CASEHOOK_OK) return;
    fprintf(stderr, "%s: %s\n", casehook_error_field(error), casehook_error_message(error));
    exit(2);
}

static struct casehook_connector *connect_to(void)
{
    struct casehook_settings *settings = NULL;
    struct casehook_connector *connector = NULL;
    struct casehook_error *error = NULL;
    const char *version = getenv("BENCH_HTTP_VERSION");
    char json[128], *text = document();
    snprintf(json, sizeof json, "{\"httpVersion\":\"%s\"}", version ? version : "1.1");
    need(casehook_settings_new(NULL, &settings), NULL);
    need(casehook_settings_load_json(settings, json, CASEHOOK_TERMINATED, &error), error);
    need(casehook_connector_new(settings, text, CASEHOOK_TERMINATED, &connector, &error), error);
    casehook_settings_free(settings);
    free(text);
    return connector;
}

static void read_params(void)
{
    char *list = bench_read("tags.txt", NULL), *rest = NULL;
    params.struct_size = sizeof params;
    params.title = bench_read("title.txt", NULL);
    params.description = bench_read("description_1k.txt", NULL);
    for (char *tag = strtok_r(list, "\n", &rest); tag && params.tag_count < TAGS_MAX;
         tag = strtok_r(NULL, "\n", &rest))
        tags[params.tag_count++] = tag;
    params.tags = tags;
}

static int is_good(const struct casehook_result *result)
{
    const struct casehook_error *error = casehook_result_error(result);
    if (error) fprintf(stderr, "%s\n", casehook_error_message(error));
    return !error && casehook_result_id(result, NULL) && casehook_result_url(result, NULL);
}

static void run_blocking(struct casehook_connector *connector)
{
    while (bench_start_one(&bench)) {
        struct casehook_result *result = NULL;
        uint64_t began = bench_now();
        casehook_create(connector, &params, NULL, &result);
        bench_done_one(&bench, is_good(result), began);
        casehook_result_free(result);
    }
}

int main(int argc, char **argv)
{
    bench_begin(&bench, argc, argv);
    read_params();
    struct casehook_connector *connector = connect_to();
    run_blocking(connector);
    casehook_connector_unref(connector);
    int failed = bench.errors > 0;
    bench_end(&bench);
    return failed;
}
