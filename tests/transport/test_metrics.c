/* test_metrics.c - what a transport tells of how a request went: times, bytes, connections. */
#include "documents.h"
#include "http_server.h"

#include "run/connector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct http_log *http;
static struct http_server *server;
static struct casehook_connector *connector;
static struct casehook__transport *transport;
static struct casehook__transfer *transfer;

static void answer(void *user, const struct http_request *request, struct http_response *response)
{
    (void)user;
    response->status = 200;
    response->body = "{\"id\":\"42\"}";
    response->body_length = strlen(response->body);
    if (strstr(request->target, "close")) response->fault = HTTP_CLOSE_BEFORE_RESPONSE;
}

static void begin(void)
{
    char base[64];
    http = http_log_new();
    server = http_server_start(http, "tracker", NULL, answer, NULL);
    assert_non_null(server);
    snprintf(base, sizeof base, "http://127.0.0.1:%u", http_server_port(server));
    connector = document_connector(NULL, base, NULL, NULL);
    assert_int_equal(connector->ops->open(connector->heap, connector->context.settings,
                                          &connector->connections, &transport),
                     CASEHOOK_OK);
    assert_int_equal(connector->ops->transfer_new(connector->heap, connector->config,
                                                  connector->context.settings, &connector->policies[0],
                                                  &connector->reuse, &transfer),
                     CASEHOOK_OK);
}

static void end(void)
{
    connector->ops->transfer_free(transfer);
    connector->ops->close(transport);
    assert_int_equal(connector->connections, 0);
    casehook_connector_unref(connector);
    http_server_stop(server, 5000);
    http_log_free(http);
}

/* Done until it has ended. */
static void request(enum casehook__call call, const char *path, struct casehook__text body)
{
    char url[128];
    struct casehook__origin origin;
    struct casehook__request request = {
        .call = call,
        .method = body.data ? CASEHOOK__METHOD_POST : CASEHOOK__METHOD_GET,
        .url = url,
        .origin = &origin,
        .body = body,
        .configured = true,
    };
    casehook__url_template_origin(connector->config->calls[call].url, &origin);
    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", http_server_port(server), path);
    assert_true(connector->ops->start(transfer, transport, &request, CASEHOOK__NO_DEADLINE, transfer));
    for (int i = 0; i < 1000; i++) {
        connector->ops->perform(transport);
        if (connector->ops->next(transport)) return;
        connector->ops->poll(transport, 10000);
    }
    fail_msg("no answer");
}

static struct casehook__metrics get(const char *path)
{
    request(CASEHOOK__CALL_GET, path, (struct casehook__text){NULL, 0});
    assert_non_null(connector->ops->response(transfer));
    return connector->ops->response(transfer)->metrics;
}

static struct casehook__metrics post(size_t length)
{
    char *body = malloc(length);
    memset(body, 'x', length);
    request(CASEHOOK__CALL_CREATE, "/issue", (struct casehook__text){body, length});
    assert_non_null(connector->ops->response(transfer));
    free(body);
    return connector->ops->response(transfer)->metrics;
}

static void times_and_connections(void **state)
{
    (void)state;
    begin();
    assert_int_equal(connector->connections, 0);
    struct casehook__metrics metrics = get("/issue/42");
    assert_true(metrics.known);
    assert_false(metrics.reused);
    assert_true(metrics.name_us <= metrics.connect_us);
    assert_true(metrics.connect_us > 0);
    assert_true(metrics.tls_us == -1);
    assert_true(metrics.connect_us <= metrics.first_byte_us);
    assert_true(metrics.first_byte_us <= metrics.total_us);
    assert_int_equal(connector->connections, 1);
    metrics = get("/issue/42");
    assert_true(metrics.known);
    assert_true(metrics.reused);
    assert_true(metrics.name_us == -1 && metrics.connect_us == -1 && metrics.tls_us == -1);
    assert_true(0 < metrics.first_byte_us && metrics.first_byte_us <= metrics.total_us);
    assert_int_equal(connector->connections, 1);
    end();
}

/* A byte more of what is sent is a byte more in the count, for bodies of any size; so is one of an answer. */
static void bytes(void **state)
{
    static const size_t lengths[] = {1, 10, 1000, 60000, 65535, 65536, 300000};
    (void)state;
    begin();
    uint64_t none = post(1).sent - 1; /* its length has one digit */
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char digits[24];
        size_t more = (size_t)snprintf(digits, sizeof digits, "%zu", lengths[i]) - 1;
        assert_int_equal(post(lengths[i]).sent, none + lengths[i] + more);
    }
    struct casehook__metrics shorter = get("/issue/1"), longer = get("/issue/1234");
    assert_int_equal(longer.sent, shorter.sent + 3);
    assert_in_range(none, 100, 400);
    assert_in_range(shorter.received, 50, 400);
    end();
}

static void a_failure_has_them_too(void **state)
{
    (void)state;
    begin();
    request(CASEHOOK__CALL_GET, "/close", (struct casehook__text){NULL, 0});
    assert_null(connector->ops->response(transfer));
    struct casehook__metrics metrics = connector->ops->failure(transfer)->metrics;
    assert_true(metrics.known);
    assert_true(metrics.connect_us > 0);
    assert_true(metrics.sent > 50);
    assert_int_equal(metrics.received, 0);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_and_connections),
        cmocka_unit_test(bytes),
        cmocka_unit_test(a_failure_has_them_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
