/*
 * push.c - opens a case with one comment:  push CONNECTOR.json TITLE [COMMENT]
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

    FILE *file = argc > 2 ? fopen(argv[1], "rb") : NULL;
    if (!file) {
        fputs("usage: push CONNECTOR.json TITLE [COMMENT]\n", stderr);
        return 2;
    }
    size_t length = fread(document, 1, sizeof document, file);
    fclose(file);

    struct casehook_comment comment = {.id = "1", .text = argc > 3 ? argv[3] : "Opened by push.c"};
    struct casehook_params params = {
        .struct_size = sizeof params,
        .title = argv[2],
        .severity = CASEHOOK_SEVERITY_HIGH,
        .comments = &comment,
        .comment_count = 1,
        .comment_size = sizeof comment,
    };
    int status = casehook_connector_new(NULL, document, length, &connector, &error);
    memset(document, 0, length); /* it may hold secrets */
    if (status) {
        fprintf(stderr, "%s: %s\n", casehook_error_field(error), casehook_error_message(error));
        goto out;
    }
    status = casehook_push(connector, &params, NULL, &result);
    if (casehook_result_id(result, NULL)) /* also after a failure: then the case exists already */
        printf("case %s\n", casehook_result_id(result, NULL));
    if (casehook_result_url(result, NULL)) printf("%s\n", casehook_result_url(result, NULL));
    if (status) fprintf(stderr, "%s\n", casehook_error_message(casehook_result_error(result)));
out:
    casehook_result_free(result);
    casehook_connector_unref(connector);
    casehook_error_free(error);
    return status ? 1 : 0;
}
