/*
 * test_http2.c - an HTTP/2 server that dies while it has a create: the case may exist, so the request is
 * never sent again, and the outcome says so.
 */
#include "h2_server.h"
#include "real.h"

static struct certs *certs;
static struct http_tls tls;

static int start(void **state)
{
    (void)state;
    static const char *const names[] = {"DNS:localhost", NULL};
    static const struct certs_spec specs[] = {{.name = "ca1", .ca = true},
                                              {.name = "server", .issuer = "ca1", .san = names}};
    certs = certs_new();
    for (size_t i = 0; i < COUNT(specs); i++) certs_make(certs, &specs[i]);
    tls = (struct http_tls){.certificate = pem_of(certs, "server.crt"), .key = pem_of(certs, "server.key")};
    return casehook_feature("http2") ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    certs_free(certs);
    return 0;
}

static struct client open_client(struct h2_server *server)
{
    struct answer made;
    /* The header reads like libcurl's word for a stream that was refused. */
    struct client client = client_new(
        "{\"httpVersion\":\"2\"}", text_of("https://localhost:%u", h2_server_port(server)),
        text_of("\"headers\":{\"X-Note\":\"REFUSED_STREAM\"},\"ca\":%s", json_of(pem_of(certs, "ca1.crt"))),
        NULL, &made);
    if (!client.connector) fail_msg("%s", made.message);
    return client;
}

/*
 * The server says that it did not look at the request; it may be made again.  On a fresh connection there is
 * no earlier stream to name.  On a kept one libcurl does not tell a refused stream from a connection that
 * died.
 */
static int says_nothing_was_done(enum h2_fault fault, size_t before)
{
    return before ? fault == H2_GOAWAY_BEFORE : fault == H2_RST_REFUSED;
}

/* On a fresh connection, or on one that has served a create and its get. */
static void create_is_let_down(enum h2_fault fault, size_t before)
{
    struct h2_server *server = h2_server_start(&tls, fault, before);
    struct client client = open_client(server);
    if (before) assert_int_equal(client_call(&client, CASEHOOK_CREATE, NULL).status, CASEHOOK_OK);
    struct answer answer = client_call(&client, CASEHOOK_CREATE, NULL);
    printf("%-18s %-6s %s\n", h2_fault_name(fault), before ? "kept" : "fresh", answer.message);
    assert_int_not_equal(answer.status, CASEHOOK_OK);
    int nothing = says_nothing_was_done(fault, before);
    assert_int_equal(answer.outcome, nothing ? CASEHOOK_OUTCOME_NOT_SENT : CASEHOOK_OUTCOME_UNKNOWN);
    assert_int_equal(answer.retryable, nothing);
    /* What breaks off belongs to the network; garbage is no HTTP. */
    if (fault != H2_GARBAGE) assert_int_equal(answer.status, CASEHOOK_E_NETWORK);
    assert_string_equal(answer.id, fault == H2_CLOSE_IN_BODY || fault == H2_RST_IN_BODY ? "42" : "");
    assert_int_equal(h2_server_requests(server), before + 1);
    assert_int_equal(h2_server_writes(server), before ? 2 : 1);
    /* the next one finds its way */
    assert_int_equal(client_call(&client, CASEHOOK_CREATE, NULL).status, CASEHOOK_OK);
    assert_int_equal(h2_server_requests(server), before + 3);
    client_free(&client);
    h2_server_stop(server);
}

static void a_create_is_sent_once(void **state)
{
    (void)state;
    for (int fault = 0; fault < H2_FAULTS; fault++) {
        create_is_let_down((enum h2_fault)fault, 0);
        create_is_let_down((enum h2_fault)fault, 2);
    }
}

/* After the create there is an id, whatever becomes of the get. */
static void a_get_that_fails_keeps_the_id(void **state)
{
    (void)state;
    for (int fault = 0; fault < H2_FAULTS; fault++) {
        struct h2_server *server = h2_server_start(&tls, (enum h2_fault)fault, 1);
        struct client client = open_client(server);
        struct answer answer = client_call(&client, CASEHOOK_CREATE, NULL);
        printf("%-18s %-6s %s\n", h2_fault_name((enum h2_fault)fault), "get",
               answer.status ? answer.message : "asked again");
        assert_string_equal(answer.id, "42");
        assert_int_equal(h2_server_writes(server), 1);
        client_free(&client);
        h2_server_stop(server);
    }
}

static struct casehook_result *next_result(struct casehook_loop *loop)
{
    uint64_t ticket = 0;
    struct casehook_result *result;
    while (result = casehook_loop_next(loop, &ticket), !ticket)
        assert_int_equal(casehook_loop_wait(loop, -1), CASEHOOK_OK);
    return result;
}

static void submit_create(struct casehook_loop *loop, const struct client *client)
{
    assert_int_equal(casehook_loop_submit_json(loop, client->connector, CASEHOOK_CREATE,
                                               "{\"title\":\"t\",\"description\":\"d\"}", CASEHOOK_TERMINATED,
                                               NULL, NULL, NULL),
                     CASEHOOK_OK);
}

/* Several on one connection: the last stream that the server looked at is true for each of them. */
static void all_are_told_that_nothing_was_done(void **state)
{
    (void)state;
    enum { TOGETHER = 6 };
    int refused = 0;
    struct h2_server *server = h2_server_start(&tls, H2_GOAWAY_BEFORE, 2 * TOGETHER);
    h2_server_gather(server, TOGETHER - 1);
    struct client client = open_client(server);
    struct casehook_loop *loop = NULL;
    assert_int_equal(casehook_loop_new(NULL, &loop), CASEHOOK_OK);
    for (int i = 0; i < TOGETHER; i++) submit_create(loop, &client);
    for (int i = 0; i < TOGETHER; i++) assert_int_equal(answer_from(next_result(loop)).status, CASEHOOK_OK);
    for (int i = 0; i < TOGETHER; i++) submit_create(loop, &client);
    for (int i = 0; i < TOGETHER; i++) {
        struct answer answer = answer_from(next_result(loop));
        /* The last of them may find the connection closed, and take another. */
        if (answer.status && answer.outcome != CASEHOOK_OUTCOME_NOT_SENT)
            fail_msg("number %d: %s", i, answer.message);
        refused += answer.status != CASEHOOK_OK;
    }
    assert_true(refused > 0);
    casehook_loop_free(loop);
    client_free(&client);
    h2_server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_create_is_sent_once),
        cmocka_unit_test(a_get_that_fails_keeps_the_id),
        cmocka_unit_test(all_are_told_that_nothing_was_done),
    };
    if (!casehook_feature("http2")) {
        puts("SKIP: this libcurl has no HTTP/2");
        return 77;
    }
    return cmocka_run_group_tests(tests, start, stop);
}
