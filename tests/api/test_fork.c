/* test_fork.c - handles of the parent in a child process. */
#include "certs.h"
#include "documents.h"
#include "http_server.h"
#include "process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const struct http_header json_header[] = {{"Content-Type", "application/json"}};

static void answer(void *user, const struct http_request *request, struct http_response *response)
{
    (void)user;
    response->headers = json_header;
    response->header_count = 1;
    response->body = strcmp(request->method, "POST") == 0 ? "{\"id\":\"42\"}" : "{\"key\":\"CASE-42\"}";
    response->body_length = strlen(response->body);
}

static int push(struct casehook_connector *connector)
{
    struct casehook_params params = {.struct_size = sizeof params, .title = "t"};
    struct casehook_result *result = NULL;
    int status = casehook_push(connector, &params, NULL, &result);
    casehook_result_free(result);
    return status;
}

/* The child finds the handle refused and releases it; the exit code says whether it was refused. */
static void in_child(struct casehook_connector *connector)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        int refused = push(connector) == CASEHOOK_E_FORKED;
        casehook_connector_unref(connector);
        process_leave(!refused);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* The parent's connection lives on: a child that closed it properly would have ended it for both. */
static void run(const struct http_tls *tls, const char *config)
{
    char base[64];
    struct http_log *log = http_log_new();
    struct http_server *server = http_server_start(log, "tracker", tls, answer, NULL);
    assert_non_null(server);
    snprintf(base, sizeof base, "http%s://localhost:%u", tls ? "s" : "", http_server_port(server));
    struct casehook_connector *connector = document_connector(NULL, base, config, NULL);
    assert_int_equal(push(connector), CASEHOOK_OK);
    in_child(connector);
    assert_int_equal(push(connector), CASEHOOK_OK);
    casehook_connector_unref(connector);
    assert_int_equal(http_log_count(log), 4);
    assert_int_equal(http_log_at(log, 3)->connection, 0);
    http_server_stop(server, 5000);
    http_log_free(log);
}

static void plain(void **state)
{
    (void)state;
    run(NULL, NULL);
}

static void tls(void **state)
{
    (void)state;
    struct certs *certs =
        certs_make_recipe("{\"certs\":{\"ca\":{\"subject\":\"CN=Test CA\",\"ca\":true,\"issuer\":\"self\"},"
                          "\"server\":{\"subject\":\"CN=localhost\",\"issuer\":\"ca\",\"san\":[\"DNS:"
                          "localhost\"]}},\"files\":{}}");
    size_t length;
    char config[4096], *at = config;
    struct http_tls server = {.certificate = certs_file(certs, "server.crt", &length),
                              .key = certs_file(certs, "server.key", &length)};
    at += sprintf(at, "\"ca\":\"");
    for (const char *c = certs_file(certs, "ca.crt", &length); *c; c++)
        at += sprintf(at, *c == '\n' ? "\\n" : "%c", *c);
    sprintf(at, "\"");
    run(&server, config);
    certs_free(certs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(plain), cmocka_unit_test(tls)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
