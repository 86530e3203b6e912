/*
 * test_asked_later.c - servers that ask for a certificate behind their answer (TLS 1.3).
 *
 * What they sent may be read when the connection is closed, long after the request: whatever is called back
 * then must still be there.  Only a build that looks at memory sees it.
 */
#include "listener.h"
#include "real.h"
#include "tls_context.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>

static struct certs *certs;
static struct http_tls tls;

struct server {
    const char *answer;
    bool asks;
    atomic_int asked;
    SSL_CTX *context;
    struct listener *listener;
};

static const char found[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n"
                            "{\"key\":\"K-42\"}";

/* The answer and the question in one segment: whoever reads the one has the other too. */
static void serve(void *user, struct stream *stream, size_t connection)
{
    struct server *server = user;
    char bytes[16384];
    int on = 1, off = 0;
    (void)connection;
    while (stream_read(stream, bytes, sizeof bytes)) {
        setsockopt(stream->fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
        if (stream_write(stream, server->answer, strlen(server->answer))) return;
        SSL_set_verify(stream->ssl, SSL_VERIFY_PEER, NULL);
        if (server->asks && SSL_verify_client_post_handshake(stream->ssl) == 1) {
            SSL_do_handshake(stream->ssl);
            atomic_fetch_add(&server->asked, 1);
        }
        setsockopt(stream->fd, IPPROTO_TCP, TCP_CORK, &off, sizeof off);
    }
}

static void server_start(struct server *server, const char *answer, bool asks)
{
    *server = (struct server){.answer = answer, .asks = asks, .context = tls_context_new(&tls)};
    server->listener = listener_start(server->context, serve, server);
    assert_non_null(server->listener);
}

static void server_stop(struct server *server)
{
    listener_stop(server->listener, 1000);
    listener_free(server->listener);
    SSL_CTX_free(server->context);
}

static int start(void **state)
{
    (void)state;
    static const char *const names[] = {"IP:127.0.0.1", NULL};
    static const struct certs_spec specs[] = {{.name = "ca", .ca = true},
                                              {.name = "server", .issuer = "ca", .san = names}};
    certs = certs_new();
    for (size_t i = 0; i < COUNT(specs); i++) certs_make(certs, &specs[i]);
    tls = (struct http_tls){.certificate = pem_of(certs, "server.crt"),
                            .key = pem_of(certs, "server.key"),
                            .min_version = TLS1_3_VERSION,
                            .max_version = TLS1_3_VERSION};
    return 0;
}

static int stop(void **state)
{
    (void)state;
    clients_end();
    certs_free(certs);
    return 0;
}

static void get_and_close(struct server *first, struct server *last)
{
    struct answer answer;
    const char *base = text_of("https://127.0.0.1:%u", listener_port(first->listener)),
               *ca = text_of("\"ca\":%s", json_of(pem_of(certs, "ca.crt")));
    const char *settings = text_of("{\"ssl.verificationMode\":\"none\"}");
    struct client client = client_new(settings, base, ca, NULL, &answer);
    assert_non_null(client.connector);
    answer = client_call(&client, CASEHOOK_GET, NULL);
    if (answer.status) fail_msg("%s", answer.message);
    while (!atomic_load(&last->asked)) poll(NULL, 0, 1); /* it is under way */
    client_free(&client);
    clients_end();
}

static void on_a_connection_that_is_kept(void **state)
{
    struct server server;
    (void)state;
    server_start(&server, found, true);
    get_and_close(&server, &server);
    server_stop(&server);
}

static void where_a_redirect_leads(void **state)
{
    struct server first, last;
    (void)state;
    server_start(&last, found, true);
    server_start(
        &first,
        text_of("HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:%u/x\r\nContent-Length: 0\r\n\r\n",
                listener_port(last.listener)),
        false);
    get_and_close(&first, &last);
    server_stop(&first);
    server_stop(&last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_a_connection_that_is_kept),
        cmocka_unit_test(where_a_redirect_leads),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
