/* app.c - a program of a user: makes a connector for a host and prints what a create would send. */
#include <casehook.h>

#include <stdio.h>

int main(int argc, char **argv)
{
    char document[1024];
    struct casehook_connector *connector = NULL;
    struct casehook_result *result = NULL;
    struct casehook_error *error = NULL;
    struct casehook_params params = {0};
    int status, length;

    if (argc != 2) return 2;
    length = snprintf(document, sizeof document,
                      "{\"config\": {\"hasAuth\": false, \"createIncidentUrl\": \"https://%s/api/cases\","
                      " \"createIncidentJson\": \"{\\\"title\\\": {{{case.title}}}, \\\"text\\\": "
                      "{{{case.description}}}}\","
                      " \"createIncidentResponseKey\": \"id\","
                      " \"getIncidentUrl\": \"https://%s/api/cases/{{{external.system.id}}}\","
                      " \"getIncidentResponseExternalTitleKey\": \"title\","
                      " \"viewIncidentUrl\": \"https://%s/cases/{{{external.system.id}}}\","
                      " \"updateIncidentUrl\": \"https://%s/api/cases/{{{external.system.id}}}\","
                      " \"updateIncidentJson\": \"{\\\"title\\\": {{{case.title}}}, \\\"text\\\": "
                      "{{{case.description}}}}\"},"
                      " \"secrets\": {}}",
                      argv[1], argv[1], argv[1], argv[1]);
    if (length < 0 || (size_t)length >= sizeof document) return 2;

    params.struct_size = sizeof params;
    params.title = "from a program";
    status = casehook_connector_new(NULL, document, CASEHOOK_TERMINATED, &connector, &error);
    if (status == CASEHOOK_OK) status = casehook_preview(connector, CASEHOOK_CREATE, &params, &result);
    printf("casehook %s: %s\n", casehook_version_string(), casehook_status_name(status));
    if (error) printf("%s: %s\n", casehook_error_field(error), casehook_error_message(error));
    if (result) printf("%s\n", casehook_result_json(result, NULL));
    casehook_result_free(result);
    casehook_connector_unref(connector);
    casehook_error_free(error);
    return status == CASEHOOK_OK ? 0 : 1;
}
