/* host.c - requests over a blocking socket, one at a time. */
#include "host.h"
#include "memory.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_SIZE = 65536 };

struct host {
    int fd; /* -1: no connection */
    unsigned port;
    SSL_CTX *tls;
    SSL *ssl;
    char *bytes; /* the answer so far, with a NUL behind */
    size_t length;
    int timed_out;
};

/* How an answer stands. */
struct parsed {
    int status;
    size_t head; /* bytes of the status line; the header lines follow */
    size_t body; /* where it begins; 0: the head is not whole */
    char *decoded;
    size_t decoded_length;
    int whole, broken, closes;
};

struct host *host_new(void)
{
    struct host *host = must_alloc(sizeof *host);
    host->fd = -1;
    host->bytes = must_alloc(ANSWER_SIZE + 1);
    return host;
}

static void disconnect(struct host *host)
{
    SSL_free(host->ssl);
    if (host->fd >= 0) close(host->fd);
    host->ssl = NULL;
    host->fd = -1;
}

void host_free(struct host *host)
{
    disconnect(host);
    SSL_CTX_free(host->tls);
    free(host->bytes);
    free(host);
}

/* ---- connections --------------------------------------------------------------------------------- */

static void trust(struct host *host, const char *pem)
{
    if (host->tls) return;
    host->tls = SSL_CTX_new(TLS_client_method());
    BIO *bio = BIO_new_mem_buf(pem ? pem : "", -1);
    X509 *ca = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    if (!host->tls || !ca || X509_STORE_add_cert(SSL_CTX_get_cert_store(host->tls), ca) != 1) abort();
    SSL_CTX_set_verify(host->tls, SSL_VERIFY_PEER, NULL);
    X509_free(ca);
    BIO_free(bio);
}

static int shake_hands(struct host *host, const struct casehook_http_request *request)
{
    trust(host, request->ca);
    host->ssl = SSL_new(host->tls);
    if (!host->ssl || !SSL_set_fd(host->ssl, host->fd)) abort();
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(host->ssl), "127.0.0.1");
    if (SSL_connect(host->ssl) == 1) return CASEHOOK_OK;
    /* A certificate that is not trusted today will not be tomorrow; anything else may have been the way. */
    return SSL_get_verify_result(host->ssl) == X509_V_OK ? CASEHOOK_E_CONNECT : CASEHOOK_E_TLS;
}

static int open_socket(unsigned port, uint32_t timeout_ms)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) abort();
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
    close(fd);
    return -1;
}

/* The kept one, or a new one: CASEHOOK_OK or why there is none. */
static int connect_to(struct host *host, const struct casehook_http_request *request)
{
    const char *authority = strstr(request->url, "://") + 3;
    unsigned port = (unsigned)strtoul(strchr(authority, ':') + 1, NULL, 10);
    if (host->fd >= 0 && host->port == port) return CASEHOOK_OK;
    disconnect(host);
    host->port = port;
    host->fd = open_socket(port, request->timeout_ms);
    if (host->fd < 0) return CASEHOOK_E_CONNECT;
    return strncmp(request->url, "https", 5) == 0 ? shake_hands(host, request) : CASEHOOK_OK;
}

/* ---- requests -------------------------------------------------------------------------------------- */

static char *request_text(const struct casehook_http_request *request, size_t *length)
{
    const char *authority = strstr(request->url, "://") + 3, *path = strchr(authority, '/');
    char *text = must_format("%s %s HTTP/1.1\r\nHost: %.*s\r\n", request->method, path,
                             (int)(path - authority), authority);
    for (size_t i = 0; i < request->header_count; i++) {
        const struct casehook_http_header *header =
            (const struct casehook_http_header *)(const void *)((const char *)request->headers +
                                                                i * request->header_size);
        char *more = must_format("%s%s: %s\r\n", text, header->name, header->value);
        free(text);
        text = more;
    }
    char *whole = request->body ? must_format("%sContent-Length: %zu\r\n\r\n%s", text, request->body_length,
                                              request->body)
                                : must_format("%s\r\n", text);
    free(text);
    *length = strlen(whole);
    return whole;
}

static int send_all(struct host *host, const char *text, size_t length)
{
    if (host->ssl) return SSL_write(host->ssl, text, (int)length) == (int)length;
    return send(host->fd, text, length, MSG_NOSIGNAL) == (ssize_t)length;
}

static int read_more(struct host *host)
{
    size_t room = ANSWER_SIZE - host->length;
    char *end = host->bytes + host->length;
    errno = 0;
    ssize_t got = host->ssl ? SSL_read(host->ssl, end, (int)room) : recv(host->fd, end, room, 0);
    host->timed_out = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    if (got <= 0) return 0;
    host->length += (size_t)got;
    host->bytes[host->length] = '\0';
    return 1;
}

/* ---- answers --------------------------------------------------------------------------------------- */

static const char *header(const struct host *host, const struct parsed *parsed, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = host->bytes + parsed->head; at < host->bytes + parsed->body - 2;
         at = strstr(at, "\r\n") + 2)
        if (strncasecmp(at, name, length) == 0 && at[length] == ':') return at + length + 2;
    return NULL;
}

static void parse_chunks(const struct host *host, struct parsed *parsed)
{
    const char *at = host->bytes + parsed->body, *end = host->bytes + host->length;
    for (;;) {
        const char *line = strstr(at, "\r\n");
        char *rest;
        if (!line) return;
        size_t size = strtoul(at, &rest, 16);
        parsed->broken = rest == at;
        if (parsed->broken || (size_t)(end - line) < 2 + size + 2) return;
        memcpy(parsed->decoded + parsed->decoded_length, line + 2, size);
        parsed->decoded_length += size;
        at = line + 2 + size + 2;
        parsed->whole = size == 0;
        if (parsed->whole) return;
    }
}

static void parse_body(const struct host *host, struct parsed *parsed)
{
    const char *coding = header(host, parsed, "Transfer-Encoding"),
               *length = header(host, parsed, "Content-Length");
    const char *connection = header(host, parsed, "Connection");
    size_t there = host->length - parsed->body;
    parsed->closes = connection && strncasecmp(connection, "close", 5) == 0;
    if (coding) {
        parse_chunks(host, parsed);
        return;
    }
    size_t size = length ? strtoul(length, NULL, 10) : 0;
    parsed->whole = there >= size;
    parsed->closes |= there > size;
    parsed->decoded_length = there < size ? there : size;
    memcpy(parsed->decoded, host->bytes + parsed->body, parsed->decoded_length);
}

static void parse(const struct host *host, struct parsed *parsed)
{
    const char *line = strstr(host->bytes, "\r\n"), *end = strstr(host->bytes, "\r\n\r\n");
    parsed->decoded_length = 0;
    if (!end || sscanf(host->bytes, "HTTP/1.1 %d", &parsed->status) != 1) return;
    parsed->head = (size_t)(line - host->bytes) + 2;
    parsed->body = (size_t)(end - host->bytes) + 4;
    parse_body(host, parsed);
}

static void read_answer(struct host *host, struct parsed *parsed)
{
    host->length = 0;
    host->bytes[0] = '\0';
    host->timed_out = 0;
    while (!parsed->whole && !parsed->broken && read_more(host)) parse(host, parsed);
}

/* ---- the exchange ---------------------------------------------------------------------------------- */

static void hand_back(struct host *host, const struct parsed *parsed, struct casehook_exchange *exchange)
{
    const char *head = host->bytes + parsed->head;
    size_t length = parsed->body ? parsed->body - parsed->head : 0;
    int status = host->timed_out ? CASEHOOK_E_TIMEOUT : CASEHOOK_E_NETWORK;
    if (parsed->whole)
        casehook_exchange_feed(exchange, parsed->status, head, length, parsed->decoded,
                               parsed->decoded_length);
    else if (parsed->body)
        casehook_exchange_feed_partial(exchange, parsed->status, head, length, parsed->decoded,
                                       parsed->decoded_length, status, "the answer broke off");
    else
        casehook_exchange_fail(exchange, status, 1, "no answer came");
}

static void do_request(struct host *host, const struct casehook_http_request *request,
                       struct casehook_exchange *exchange)
{
    struct parsed parsed = {.decoded = must_alloc(ANSWER_SIZE + 1)};
    size_t length;
    char *text = request_text(request, &length);
    send_all(host, text, length); /* a server may answer before it has read everything */
    read_answer(host, &parsed);
    hand_back(host, &parsed, exchange);
    if (!parsed.whole || parsed.closes) disconnect(host);
    free(parsed.decoded);
    free(text);
}

static void wait_for(int64_t milliseconds)
{
    struct timespec time = {(time_t)(milliseconds / 1000), (long)(milliseconds % 1000) * 1000000};
    while (nanosleep(&time, &time) != 0) continue;
}

struct casehook_result *host_run(struct host *host, struct casehook_connector *connector, int operation,
                                 const char *params, void (*refused)(void *user), void *user)
{
    struct casehook_exchange *exchange = NULL;
    struct casehook_http_request request = {.struct_size = sizeof request};
    if (casehook_exchange_new_json(connector, operation, params, CASEHOOK_TERMINATED, NULL, &exchange, NULL))
        abort();
    for (int next; (next = casehook_exchange_next(exchange, &request)) > 0;) {
        if (next == CASEHOOK_EXCHANGE_WAIT) {
            wait_for(request.wait_ms);
            continue;
        }
        int status = connect_to(host, &request);
        if (status == CASEHOOK_OK) {
            do_request(host, &request, exchange);
            continue;
        }
        disconnect(host);
        if (status == CASEHOOK_E_CONNECT && refused) refused(user);
        casehook_exchange_fail(exchange, status, 0, "no connection");
    }
    struct casehook_result *result = casehook_exchange_result(exchange);
    casehook_exchange_free(exchange);
    disconnect(host); /* what an operation left on its connection is not the next one's trouble */
    return result;
}
