/* json_c.c - a host that reads JSON with json-c and opens cases: both have a json_object_get(). */
#include <casehook.h>
#include <json-c/json.h>

#include <stdio.h>
#include <string.h>

static const char document[] =
    "{\"config\": {\"hasAuth\": false, \"createIncidentUrl\": \"https://cases.example/api/cases\","
    " \"createIncidentJson\": \"{\\\"title\\\": {{{case.title}}}, \\\"text\\\": {{{case.description}}}}\","
    " \"createIncidentResponseKey\": \"id\", \"headers\": {\"X-Second\": \"2\", \"X-First\": \"1\"},"
    " \"getIncidentUrl\": \"https://cases.example/api/cases/{{{external.system.id}}}\","
    " \"getIncidentResponseExternalTitleKey\": \"title\","
    " \"viewIncidentUrl\": \"https://cases.example/cases/{{{external.system.id}}}\","
    " \"updateIncidentUrl\": \"https://cases.example/api/cases/{{{external.system.id}}}\","
    " \"updateIncidentJson\": \"{\\\"title\\\": {{{case.title}}}, \\\"text\\\": {{{case.description}}}}\"},"
    " \"secrets\": {}}";

/* Every member of the document's config, and references to all that it goes over. */
static int members_of(struct json_object *root)
{
    struct json_object *config = NULL;
    int count = 0;
    json_object_object_get_ex(root, "config", &config);
    struct json_object_iterator at = json_object_iter_begin(config), end = json_object_iter_end(config);
    for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at), count++)
        json_object_put(json_object_get(json_object_iter_peek_value(&at)));
    return count;
}

int main(void)
{
    struct casehook_settings *settings = NULL;
    struct casehook_connector *connector = NULL;
    struct casehook_result *result = NULL;
    struct casehook_error *error = NULL;
    struct casehook_params params = {.struct_size = sizeof params, .title = "from a host with json-c"};
    struct json_object *root = json_tokener_parse(document);
    int before = members_of(root);
    int status = casehook_settings_new(NULL, &settings);
    if (!status)
        status = casehook_settings_load_json(settings, "{\"allowedHosts\":[\"cases.example\"]}",
                                             CASEHOOK_TERMINATED, &error);
    if (!status) status = casehook_connector_new(settings, document, strlen(document), &connector, &error);
    if (!status) status = casehook_preview(connector, CASEHOOK_CREATE, &params, &result);
    if (error) printf("%s\n", casehook_error_message(error));
    if (result) printf("%s\n", casehook_result_json(result, NULL));
    printf("%s, %d and %d members\n", casehook_status_name(status), before, members_of(root));
    casehook_result_free(result);
    casehook_connector_unref(connector);
    casehook_settings_free(settings);
    casehook_error_free(error);
    json_object_put(root);
    return status ? 1 : 0;
}
