/*
 * push.c - opens a case:  push CONNECTOR.json TITLE
 *
 * Build: cc push.c $(pkg-config --cflags --libs libcasehook) -o push
 */
#include <casehook.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    static char document[1024 * 1024];
    struct casehook_connector *connector = NULL;
    struct casehook_result *result = NULL;
    struct casehook_error *error = NULL;
    FILE *file = argc == 3 ? fopen(argv[1], "rb") : NULL;
    if (!file) return fputs("usage: push CONNECTOR.json TITLE\n", stderr), 2;
    size_t length = fread(document, 1, sizeof document, file);
    fclose(file);

    int status = casehook_connector_new(NULL, document, length, &connector, &error);
    memset(document, 0, length); /* it may hold secrets */
    if (status) fprintf(stderr, "%s\n", casehook_error_message(error));

    struct casehook_params params = {.struct_size = sizeof params, .title = argv[2], .severity = "high"};
    if (!status) status = casehook_push(connector, &params, NULL, &result);
    const char *id =
        casehook_result_id(result, NULL); /* also after a failure: then the case exists already */
    if (id) printf("case %s\n", id);
    if (casehook_result_url(result, NULL)) printf("%s\n", casehook_result_url(result, NULL));
    if (result && status) fprintf(stderr, "%s\n", casehook_error_message(casehook_result_error(result)));

    casehook_result_free(result);
    casehook_connector_unref(connector);
    casehook_error_free(error);
    return status ? 1 : 0;
}
