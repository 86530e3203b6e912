/* curl_callbacks.c - what libcurl asks and tells while a request is under way. */
#include "base/posix.h"

#include "transport/curl_private.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define REFUSAL_BODY_MAX (16 * 1024) /* of an answer that is no success only an excerpt is wanted */

static bool is_name(struct casehook__text line, struct casehook__text name)
{
    return line.length > name.length && line.data[name.length] == ':' &&
           casehook__text_equal_nocase((struct casehook__text){line.data, name.length}, name);
}

static struct casehook__text value_of(struct casehook__text line, struct casehook__text name)
{
    return casehook__text_trim(casehook__text_from(line, name.length + 1));
}

/* When line is the header name, its value is kept, of several the first.  False: no memory. */
static bool keep_header(struct casehook__transfer *transfer, struct casehook__text line,
                        struct casehook__text name, struct casehook__kept_header *kept)
{
    if (kept->present || !is_name(line, name)) return true;
    if (transfer->folds) { /* the header of the id is one that is wanted anyway: one text is for both */
        *kept = *transfer->folds;
        transfer->folds_too = kept;
        return true;
    }
    struct casehook__text value = value_of(line, name);
    *kept = (struct casehook__kept_header){true, transfer->head.length, value.length};
    transfer->folds = kept;
    return casehook__buf_append_text(&transfer->head, value) == CASEHOOK_OK;
}

/* The line goes on with the header before it, whose value is the last one in head.  False: no memory. */
static bool unfold(struct casehook__transfer *transfer, struct casehook__text line)
{
    struct casehook__kept_header *kept = transfer->folds;
    struct casehook__text more = casehook__text_trim(line);
    if (!kept || !more.length) return true;
    if (kept->length) casehook__buf_append_char(&transfer->head, ' ');
    int status = casehook__buf_append_text(&transfer->head, more);
    kept->length = transfer->head.length - kept->begin;
    if (transfer->folds_too) transfer->folds_too->length = kept->length;
    return status == CASEHOOK_OK;
}

/* A new status line: what an interim response said does not count. */
static void begin_response(struct casehook__transfer *transfer)
{
    static const struct casehook__kept_header none;
    transfer->content_type = transfer->content_encoding = transfer->location = transfer->retry_after =
        transfer->id_header = none;
    casehook__buf_clear(&transfer->head);
    transfer->folds = transfer->folds_too = NULL;
    transfer->has_length = transfer->odd_length = transfer->coded = false;
    transfer->keep_seconds = 0;
}

/*
 * After an interim response the answer is still to come.  A 204 has no body: one that announces a body will
 * have it written, for the next request to take it for its answer.  Likewise where it is a guess how long the
 * body is (RFC 9112, 6.3).
 */
static void end_head(struct casehook__transfer *transfer)
{
    curl_easy_getinfo(transfer->handle.easy, CURLINFO_RESPONSE_CODE, &transfer->status);
    if (transfer->status >= 200) transfer->stage = CASEHOOK__STAGE_HEAD;
    bool no_end = transfer->odd_length || (transfer->coded && transfer->has_length);
    if (transfer->status == 204)
        no_end = no_end || transfer->coded || (transfer->has_length && transfer->length > 0);
    if (no_end) casehook__curl_forbid_reuse(&transfer->handle, true);
}

static void note_length(struct casehook__transfer *transfer, struct casehook__text line)
{
    const struct casehook__text name = CASEHOOK__TEXT("Content-Length");
    uint64_t length = 0;
    if (!is_name(line, name)) return;
    bool number = casehook__text_number(value_of(line, name), UINT64_MAX / 2, &length);
    transfer->odd_length =
        transfer->odd_length || !number || (transfer->has_length && transfer->length != length);
    transfer->has_length = number;
    transfer->length = length;
}

/* "timeout=5, max=100" */
static void note_keep_alive(struct casehook__transfer *transfer, struct casehook__text line)
{
    const struct casehook__text name = CASEHOOK__TEXT("Keep-Alive"), wanted = CASEHOOK__TEXT("timeout=");
    if (!is_name(line, name)) return;
    struct casehook__text value = value_of(line, name);
    for (size_t i = 0; i + wanted.length < value.length; i++) {
        struct casehook__text part = {value.data + i, wanted.length};
        if (!casehook__text_equal_nocase(part, wanted)) continue;
        struct casehook__text digits = {part.data + part.length, 0};
        const char *end = value.data + value.length;
        while (digits.data + digits.length < end && digits.data[digits.length] >= '0' &&
               digits.data[digits.length] <= '9')
            digits.length++;
        if (!casehook__text_number(digits, INT32_MAX, &transfer->keep_seconds)) transfer->keep_seconds = 0;
        return;
    }
}

/* Most headers begin like none that is wanted; what begins with a blank is none (RFC 9112, 5.2). */
static bool keep_wanted(struct casehook__transfer *transfer, struct casehook__text line)
{
    if (*line.data == ' ' || *line.data == '\t') return unfold(transfer, line);
    transfer->folds = transfer->folds_too = NULL;
    const char *id_header = casehook__create_more(transfer->config)->id_header; /* any of them (K6) */
    if (id_header && !keep_header(transfer, line, casehook__text(id_header), &transfer->id_header))
        return false;
    switch (casehook__lower(*line.data)) {
    case 'c':
        note_length(transfer, line);
        return keep_header(transfer, line, CASEHOOK__TEXT("Content-Type"), &transfer->content_type) &&
               keep_header(transfer, line, CASEHOOK__TEXT("Content-Encoding"), &transfer->content_encoding);
    case 'k': note_keep_alive(transfer, line); return true;
    case 'l': return keep_header(transfer, line, CASEHOOK__TEXT("Location"), &transfer->location);
    case 'r': return keep_header(transfer, line, CASEHOOK__TEXT("Retry-After"), &transfer->retry_after);
    case 't':
        transfer->coded = transfer->coded || is_name(line, CASEHOOK__TEXT("Transfer-Encoding"));
        return true;
    default: return true;
    }
}

size_t casehook__curl_on_header(char *data, size_t size, size_t count, void *user)
{
    struct casehook__transfer *transfer = user;
    struct casehook__text line = {data, size * count};
    transfer->header_bytes += line.length;
    if (transfer->header_bytes > CASEHOOK__HEADER_BYTES_MAX) {
        transfer->stop = CASEHOOK__STOP_HEADERS;
        return 0;
    }
    if (transfer->stage >= CASEHOOK__STAGE_HEAD) return line.length; /* a trailer (RFC 9110, 6.5.1) */
    if (line.length <= 2)                                            /* the empty line after the headers */
        end_head(transfer);
    else if (line.length >= 5 && memcmp(line.data, "HTTP/", 5) == 0)
        begin_response(transfer);
    else if (!keep_wanted(transfer, line)) {
        transfer->stop = CASEHOOK__STOP_MEMORY;
        return 0;
    }
    return line.length;
}

size_t casehook__curl_on_body(char *data, size_t size, size_t count, void *user)
{
    struct casehook__transfer *transfer = user;
    size_t length = size * count;
    bool refusal = transfer->status >= 300;
    if (transfer->stage != CASEHOOK__STAGE_BODY) {
        transfer->stage = CASEHOOK__STAGE_BODY;
        if (refusal) casehook__buf_limit(&transfer->body, REFUSAL_BODY_MAX); /* whatever a success may have */
    }
    if (refusal && transfer->body.length + length > REFUSAL_BODY_MAX) {
        size_t room = REFUSAL_BODY_MAX - transfer->body.length;
        casehook__buf_append(&transfer->body, data, room < length ? room : length);
        return 0; /* enough: casehook__curl_fail knows */
    }
    int failed = casehook__buf_append(&transfer->body, data, length);
    if (failed) transfer->stop = failed == CASEHOOK_E_LIMIT ? CASEHOOK__STOP_BODY : CASEHOOK__STOP_MEMORY;
    return failed ? 0 : length;
}

/*
 * libcurl is about to send the request.  When a kept connection dies it would send it again, on another one,
 * and tell nobody: that is refused for what has a body as soon as a byte of it went out (H6).
 */
int casehook__curl_on_send(void *user, char *remote, char *local, int remote_port, int local_port)
{
    struct casehook__transfer *transfer = user;
    (void)local;
    long bytes = 0;
    /* The process may have slept since the connection was begun: others may have been asked since. */
    if (casehook__clock_ms() >= transfer->limit) {
        transfer->stop = CASEHOOK__STOP_LATE;
        return CURL_PREREQFUNC_ABORT;
    }
    if (transfer->sends) {
        curl_easy_getinfo(transfer->handle.easy, CURLINFO_REQUEST_SIZE, &bytes);
        casehook__curl_died(transfer);
    }
    transfer->kept = transfer->stage != CASEHOOK__STAGE_CONNECTING;
    transfer->stage = CASEHOOK__STAGE_SENDING;
    /* What is sent again goes out on a new connection, not on one more that may have died as well (H7). */
    if (bytes > 0 && transfer->request->method != CASEHOOK__METHOD_GET)
        transfer->stop = CASEHOOK__STOP_AGAIN;
    else if ((transfer->sends && transfer->kept) ||
             !casehook__curl_may_send(transfer, remote, remote_port, local_port))
        transfer->stop = CASEHOOK__STOP_CONNECTION;
    casehook__curl_connected(transfer);
    if (transfer->stop != CASEHOOK__STOP_NONE) return CURL_PREREQFUNC_ABORT;
    transfer->sends++;
    return CURL_PREREQFUNC_OK;
}

/* The number that stands after a word in libcurl's text; false: it is not there, or not whole. */
static bool number_after(const char *text, const char *word, unsigned long *number)
{
    const char *at = strstr(text, word);
    char *end;
    if (!at) return false;
    unsigned long found = strtoul(at + strlen(word), &end, 10);
    if (*end == '\0') return false;
    *number = found;
    return true;
}

static bool begins(const char *text, const char *word)
{
    return strncmp(text, word, strlen(word)) == 0;
}

/* Who reads it is told alone, but it is true for all that is on the connection. */
static void tell_last_stream(struct casehook__transfer *reader, unsigned long last)
{
    if (last < reader->stream) reader->stream_refused = true;
    if (reader->number == CASEHOOK__NO_NUMBER || !reader->transport) return;
    for (struct casehook__transfer *each = reader->transport->first; each; each = each->next)
        if (each->number == reader->number && last < each->stream) each->stream_refused = true;
}

/*
 * Only of handles that may speak HTTP/2.  A server that refuses a stream, or goes away and names an earlier
 * one as the last that it looked at, says that it did nothing with this request (RFC 9113, 6.8 and 8.7).
 * libcurl has no code for either, but it tells of them; where it tells of it in other words, the outcome is
 * unknown, which is true as well.  It tells of the request's headers too: what counts are beginnings of
 * lines.
 */
int casehook__curl_on_words(CURL *easy, curl_infotype type, char *data, size_t size, void *user)
{
    struct casehook__transfer *transfer = user;
    char text[128];
    unsigned long last;
    (void)easy;
    if (type != CURLINFO_TEXT) return 0;
    if (size >= sizeof text) size = sizeof text - 1;
    memcpy(text, data, size);
    text[size] = '\0';
    if (begins(text, "Using Stream ID: ")) number_after(text, "ID: ", &transfer->stream);
    if (begins(text, "Re-using existing ")) number_after(text, "connection #", &transfer->number);
    if (begins(text, "Connected to ")) number_after(text, "(#", &transfer->number);
    /* The server ended its stream well, with the whole answer in it, before it had read all of the request.
     */
    if (begins(text, "stream ") && strstr(text, " closed")) transfer->stream_closed = true;
    if (begins(text, "REFUSED_STREAM")) transfer->stream_refused = true;
    if (begins(text, "rec") && strstr(text, " GOAWAY") && number_after(text, "last_stream=", &last))
        tell_last_stream(transfer, last);
    return 0;
}

#define CALLS_WITHOUT_BYTES 2

/*
 * Called for each byte of a proxy's answer to CONNECT, and twice in each go whether something came or not.
 * libcurl reads what is behind a refusal to its end without a look at any clock, and without returning, as
 * long as more of it is there.
 */
int casehook__curl_on_tunnel(void *user, curl_off_t total, curl_off_t now, curl_off_t upload_total,
                             curl_off_t upload_now)
{
    struct casehook__transfer *transfer = user;
    (void)total;
    (void)now;
    (void)upload_total;
    (void)upload_now;
    if (transfer->stage != CASEHOOK__STAGE_CONNECTING) return 0;
    if (transfer->tunnel_go != transfer->transport->go) {
        transfer->tunnel_go = transfer->transport->go;
        transfer->tunnel_calls = 0;
    }
    if (++transfer->tunnel_calls <= CALLS_WITHOUT_BYTES) return 0;
    return ++transfer->tunnel_bytes > CASEHOOK__HEADER_BYTES_MAX;
}

/* The bytes of the address that is about to be connected to; 0 when it is neither IPv4 nor IPv6. */
static size_t address_bytes(const struct curl_sockaddr *address, const unsigned char **bytes)
{
    const void *sockaddr = &address->addr;
    if (address->family == AF_INET) {
        *bytes = (const unsigned char *)&((const struct sockaddr_in *)sockaddr)->sin_addr;
        return 4;
    }
    *bytes = (const unsigned char *)&((const struct sockaddr_in6 *)sockaddr)->sin6_addr;
    return address->family == AF_INET6 ? 16 : 0;
}

/* Decided on the address itself, at the last moment: a name that resolves anew cannot get around it (U5). */
static bool may_connect(struct casehook__transfer *transfer, const struct curl_sockaddr *address)
{
    const struct casehook__settings_snapshot *settings = transfer->settings;
    const unsigned char *bytes = NULL;
    if (!settings->deny_private_addresses) return true;
    size_t size = address_bytes(address, &bytes);
    const char *kind = "unknown family";
    if (size)
        kind = casehook__address_denied(bytes, size, settings->allowed_addresses,
                                        settings->allowed_address_count);
    if (!kind) return true;
    transfer->denied = true;
    size_t length =
        strlen(kind) < sizeof transfer->denied_address ? strlen(kind) : sizeof transfer->denied_address - 1;
    memcpy(transfer->denied_address, kind, length);
    transfer->denied_address[length] = '\0';
    return false;
}

curl_socket_t casehook__curl_on_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct casehook__transfer *transfer = user;
    if (purpose != CURLSOCKTYPE_IPCXN || !may_connect(transfer, address)) return CURL_SOCKET_BAD;
        /* Not blocking from its birth: libcurl does not look whether it could make it so. */
#if defined(SOCK_CLOEXEC) && defined(SOCK_NONBLOCK)
    int descriptor =
        socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->protocol);
#else
    int descriptor = socket(address->family, address->socktype, address->protocol);
    if (descriptor >= 0 &&
        (fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0 || fcntl(descriptor, F_SETFL, O_NONBLOCK) != 0)) {
        transfer->socket_error = errno;
        close(descriptor);
        return CURL_SOCKET_BAD;
    }
#endif
    if (descriptor < 0) {
        /* A family that this system does not have is the address's fault, not a shortage. */
        if (errno != EAFNOSUPPORT) transfer->socket_error = errno;
        return CURL_SOCKET_BAD;
    }
    casehook__curl_opened(transfer, descriptor);
    transfer->stage = CASEHOOK__STAGE_CONNECTING;
    transfer->tunnel_bytes = 0;
    transfer->handshakes = 0;
    return descriptor;
}

/* With an https proxy the first handshake of a connection is the proxy's, the second the target's. */
CURLcode casehook__curl_on_tls(CURL *easy, void *ssl_ctx, void *user)
{
    struct casehook__transfer *transfer = user;
    const struct casehook__policy *policy = &transfer->policy;
    (void)easy;
    bool with_proxy = policy->proxy && policy->proxy->origin.https && transfer->handshakes++ == 0;
    enum casehook__mode mode = with_proxy ? policy->proxy_mode : policy->mode;
    struct casehook__trust *trust = with_proxy ? policy->proxy_trust : policy->trust;
    struct casehook__tls_report *report = with_proxy ? &transfer->proxy_tls : &transfer->tls;
    memset(report, 0, sizeof *report);
    if (mode != CASEHOOK__MODE_NONE && !trust) trust = transfer->system_trust;
    const struct casehook__origin *peer = with_proxy ? &policy->proxy->origin : transfer->request->origin;
    bool applied = casehook__tls_apply(ssl_ctx, mode, trust, with_proxy ? NULL : policy->identity, report);
    if (applied && mode == CASEHOOK__MODE_FULL && (peer->ipv4 || peer->ipv6))
        applied = casehook__tls_require_address(ssl_ctx, peer->address, peer->ipv4 ? 4 : 16);
    /* Right on the socket, so that what is left unread is seen there. */
    if (transfer->settings->http_version != CASEHOOK__HTTP_1_1 && transfer->handshakes <= 1)
        casehook__tls_set_gate(ssl_ctx, &transfer->transport->gate);
    return applied ? CURLE_OK : CURLE_OUT_OF_MEMORY;
}
