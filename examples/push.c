/*
 * push.c - opens a case with comments:  push CONNECTOR.json TITLE [COMMENT...]
 * Build: cc push.c $(pkg-config --cflags --libs libcasehook) -o push
 */
#include <casehook.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    static char document[1024 * 1024];
    static const char ids[][2] = {"1", "2", "3", "4", "5", "6", "7", "8", "9"};
    struct casehook_comment comments[sizeof ids / sizeof ids[0]];
    const int most = (int)(3 + sizeof ids / sizeof ids[0]);
    struct casehook_connector *connector = NULL;
    struct casehook_result *result = NULL;
    struct casehook_error *error = NULL;
    FILE *file = argc >= 3 && argc <= most ? fopen(argv[1], "rb") : NULL;
    if (!file) return fputs("usage: push CONNECTOR.json TITLE [COMMENT...]\n", stderr), 2;
    size_t length = fread(document, 1, sizeof document, file);
    fclose(file);

    /* Once per tracker: the document is checked and compiled. Any number of threads may use the connector. */
    int status = casehook_connector_new(NULL, document, length, &connector, &error);
    memset(document, 0, length); /* it may hold secrets */
    if (status) fprintf(stderr, "%s\n", casehook_error_message(error));

    /* Once per case: what it says. Zero in a field that is not named here means absent. */
    size_t count = (size_t)argc - 3;
    for (size_t i = 0; i < count; i++)
        comments[i] = (struct casehook_comment){.id = ids[i], .text = argv[i + 3]};
    struct casehook_params params = {.struct_size = sizeof params,
                                     .title = argv[2],
                                     .severity = CASEHOOK_SEVERITY_HIGH,
                                     .comments = comments,
                                     .comment_count = count,
                                     .comment_size = sizeof comments[0]};
    if (!status) status = casehook_push(connector, &params, NULL, &result);

    /* A failed push has a result too. An id in it means that the case exists: do not create it again. */
    const char *id = casehook_result_id(result, NULL), *url = casehook_result_url(result, NULL);
    if (id) printf("case %s\n", id);
    if (url) printf("%s\n", url);
    for (size_t i = 0; i < casehook_result_comment_count(result); i++)
        printf("comment %s: %s\n", casehook_result_comment_id(result, i, NULL),
               casehook_comment_state_name(casehook_result_comment_state(result, i)));
    if (result && status) fprintf(stderr, "%s\n", casehook_error_message(casehook_result_error(result)));

    casehook_result_free(result);
    casehook_connector_unref(connector);
    casehook_error_free(error);
    return status ? 1 : 0;
}
