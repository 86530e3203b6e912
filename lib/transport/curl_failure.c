/* curl_failure.c - libcurl's codes in words: what failed, on which side, what to do (R3). */
#include "base/posix.h"

#include "transport/curl_private.h"

#include <errno.h>

static bool is_connecting(const struct casehook__transfer *transfer)
{
    return transfer->stage == CASEHOOK__STAGE_CONNECTING;
}

/* The server said that it did not look at the stream, and nothing of it answered. */
static bool was_refused(const struct casehook__transfer *transfer)
{
    return transfer->stream_refused && transfer->header_bytes == 0;
}

bool casehook__curl_was_sent(const struct casehook__transfer *transfer)
{
    long size = 0;
    curl_easy_getinfo(transfer->handle.easy, CURLINFO_REQUEST_SIZE, &size);
    return transfer->sends > 0 && size > 0 && !was_refused(transfer);
}

static const char *peer_word(const struct casehook__transfer *transfer)
{
    return transfer->policy.proxy ? transfer->policy.proxy->origin.host : transfer->request->origin->host;
}

/* libcurl's own limit, which goes on from its start as well. */
static int tell_connect_timeout(struct casehook__transfer *transfer)
{
    return casehook__fail(&transfer->told, CASEHOOK_E_TIMEOUT, "%s within %ld ms (setting connectTimeout)",
                          is_connecting(transfer) ? "no connection to the server"
                                                  : "the name of the host was not resolved",
                          (long)transfer->settings->connect_timeout_ms);
}

static int tell_time(struct casehook__transfer *transfer)
{
    if (transfer->deadline_first)
        return casehook__fail(&transfer->told, CASEHOOK_E_TIMEOUT,
                              "no answer before the deadline of the call");
    const char *what = transfer->sends           ? "no complete answer from the server"
                       : is_connecting(transfer) ? "no connection to the server"
                                                 : "the name of the host was not resolved";
    return casehook__fail(&transfer->told, CASEHOOK_E_TIMEOUT, "%s within %ld ms (setting responseTimeout)",
                          what, transfer->limit_ms);
}

static int tell_socket(struct casehook__transfer *transfer)
{
    bool descriptors = transfer->socket_error == EMFILE || transfer->socket_error == ENFILE;
    char words[128];
    if (strerror_r(transfer->socket_error, words, sizeof words) != 0) words[0] = '\0';
    return casehook__fail(&transfer->told, CASEHOOK_E_SYSTEM, "no socket could be opened here: %s%s", words,
                          descriptors ? "; raise the limit of open files (ulimit -n), or allow fewer "
                                        "connections at once"
                                      : "");
}

static int tell_connect(struct casehook__transfer *transfer)
{
    if (transfer->denied && !is_connecting(transfer))
        return casehook__fail(
            &transfer->told, CASEHOOK_E_POLICY,
            "the address of %s is a %s, which denyPrivateAddresses forbids; list it in allowedAddresses "
            "if it is meant",
            peer_word(transfer), transfer->denied_address);
    if (transfer->socket_error && !is_connecting(transfer)) return tell_socket(transfer);
    return casehook__fail(&transfer->told, transfer->policy.proxy ? CASEHOOK_E_PROXY : CASEHOOK_E_CONNECT,
                          "no connection to %s%s: %s", transfer->policy.proxy ? "the proxy " : "",
                          peer_word(transfer), transfer->detail[0] ? transfer->detail : "refused");
}

/* libcurl says "CONNECT tunnel failed, response 407" with a code of its own for sockets. */
static int tell_tunnel(struct casehook__transfer *transfer, long status)
{
    return casehook__fail(&transfer->told, CASEHOOK_E_PROXY, "the proxy %s answered %ld%s%s",
                          peer_word(transfer), status, transfer->request->origin->https ? " to CONNECT" : "",
                          status == 407 ? "; give it a login in proxyUrl or in proxyHeaders"
                          : status == 400 || status == 404 || status == 405 || status == 501
                              ? "; it may be no proxy at all: check host and port of proxyUrl"
                              : "");
}

/*
 * By TLS 1.3 a server refuses a client certificate, or the want of one, when the request is on its way
 * already; often nothing arrives but the end of the connection.
 */
static const char *about_certificate(const struct casehook__transfer *transfer)
{
    if (!transfer->tls.asked || transfer->header_bytes) return "";
    if (transfer->policy.identity)
        return "; the server had asked for a client certificate: it may refuse ours";
    return "; the server had asked for a client certificate and got none: set authType to "
           "webhook-authentication-ssl and give secrets.crt and secrets.key, or secrets.pfx";
}

/* It ended in the middle: a server that restarts or is in trouble, or one that speaks no TLS at this port. */
static bool handshake_broke(const struct casehook__transfer *transfer)
{
    static const char *const words[] = {
        "SSL_ERROR_SYSCALL",    "unexpected eof",        "Connection reset", "Broken pipe",
        "alert internal error", "SSL_ERROR_ZERO_RETURN", /* ended by its close_notify */
        "getpeername() failed"};                         /* reset before libcurl had looked */
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strstr(transfer->detail, words[i])) return true;
    return false;
}

static int tell_handshake(struct casehook__transfer *transfer)
{
    const char *about = about_certificate(transfer);
    if (!*about) about = "; perhaps it does not speak TLS on this port";
    return casehook__fail(&transfer->told, CASEHOOK_E_NETWORK,
                          "the connection to %s ended in the TLS handshake; nothing was sent (%s)%s",
                          transfer->request->origin->host, transfer->detail, about);
}

static int tell_tls(struct casehook__transfer *transfer, CURLcode code)
{
    bool https_proxy = transfer->policy.proxy && transfer->policy.proxy->origin.https;
    bool at_proxy = https_proxy && transfer->handshakes < 2;
    const struct casehook__tls_report *report = at_proxy ? &transfer->proxy_tls : &transfer->tls;
    if (!report->verified && handshake_broke(transfer)) return tell_handshake(transfer);
    bool name_failed =
        code == CURLE_PEER_FAILED_VERIFICATION && report->verified && report->verify_error == 0;
    casehook__tls_explain(report, at_proxy ? transfer->policy.proxy_mode : transfer->policy.mode,
                          at_proxy ? peer_word(transfer) : transfer->request->origin->host, at_proxy,
                          name_failed, transfer->detail[0] ? transfer->detail : curl_easy_strerror(code),
                          &transfer->told);
    return CASEHOOK_E_TLS;
}

static int tell_encoding(struct casehook__transfer *transfer)
{
    const struct casehook__kept_header *header = &transfer->content_encoding;
    char shown[64];
    if (!header->present)
        return casehook__fail(&transfer->told, CASEHOOK_E_RESPONSE,
                              "the content encoding of the answer is refused: %s", transfer->detail);
    struct casehook__text value = {casehook__buf_string(&transfer->head) + header->begin, header->length};
    /* A part of it could be a part of a secret, which nobody would know again. */
    if (value.length >= sizeof shown) value = CASEHOOK__TEXT("(a long text)");
    casehook__mask_excerpt(NULL, value, shown, sizeof shown);
    return casehook__fail(&transfer->told, CASEHOOK_E_RESPONSE,
                          "the answer has the content encoding \"%s\", which cannot be decoded or is broken",
                          shown);
}

static int tell_write(struct casehook__transfer *transfer)
{
    if (transfer->stop == CASEHOOK__STOP_HEADERS)
        return casehook__fail(&transfer->told, CASEHOOK_E_LIMIT,
                              "the headers of the answer have more than %d bytes",
                              CASEHOOK__HEADER_BYTES_MAX);
    if (transfer->stop == CASEHOOK__STOP_BODY)
        return casehook__fail(&transfer->told, CASEHOOK_E_LIMIT,
                              "the answer has more than %zu bytes (setting maxResponseContentLength)",
                              transfer->settings->max_response_content_length);
    /* What is left is libcurl's decoder: bytes after the end of what it decodes are an error to it. */
    if (transfer->stop != CASEHOOK__STOP_MEMORY && transfer->content_encoding.present)
        return tell_encoding(transfer);
    return casehook__fail(&transfer->told, CASEHOOK_E_NO_MEMORY, "out of memory while the answer was read");
}

static int tell_refused(struct casehook__transfer *transfer)
{
    return casehook__fail(&transfer->told, CASEHOOK_E_NETWORK,
                          "the server refused the stream of HTTP/2: it did nothing with the request");
}

static int tell_not_again(struct casehook__transfer *transfer)
{
    return casehook__fail(&transfer->told, CASEHOOK_E_NETWORK,
                          "the connection broke after the request was sent; it was not sent again");
}

static int tell_broken(struct casehook__transfer *transfer, CURLcode code)
{
    long tunnel = 0;
    curl_easy_getinfo(transfer->handle.easy, CURLINFO_HTTP_CONNECTCODE, &tunnel);
    if (is_connecting(transfer) && tunnel != 0 && tunnel / 100 != 2) return tell_tunnel(transfer, tunnel);
    if (code == CURLE_ABORTED_BY_CALLBACK && is_connecting(transfer))
        return casehook__fail(&transfer->told, CASEHOOK_E_LIMIT,
                              "the answer of the proxy %s to CONNECT has more than %d bytes",
                              peer_word(transfer), CASEHOOK__HEADER_BYTES_MAX);
    if (transfer->sends == 0 && transfer->policy.proxy)
        return casehook__fail(&transfer->told, CASEHOOK_E_PROXY, "the proxy %s broke the connection: %s",
                              peer_word(transfer), transfer->detail[0] ? transfer->detail : "no answer");
    if (was_refused(transfer)) return tell_refused(transfer);
    if (transfer->stop == CASEHOOK__STOP_AGAIN) return tell_not_again(transfer);
    if (transfer->header_bytes && transfer->stage < CASEHOOK__STAGE_HEAD)
        return casehook__fail(&transfer->told, CASEHOOK_E_NETWORK,
                              "the connection broke in the headers of the answer");
    /* Behind the request an alert speaks of our certificate; anything else is a connection that broke. */
    if (strstr(transfer->detail, ":SSL routines:") && (!transfer->sends || strstr(transfer->detail, "alert")))
        return tell_tls(transfer, code);
    return casehook__fail(&transfer->told, CASEHOOK_E_NETWORK, "the connection broke%s: %s%s",
                          transfer->sends ? " after the request was sent" : "",
                          transfer->detail[0] ? transfer->detail : "no answer", about_certificate(transfer));
}

/* A line of the headers that is longer than libcurl's buffer for it is out of memory as well, to libcurl. */
static int tell_memory(struct casehook__transfer *transfer)
{
    if (transfer->sends && transfer->stage < CASEHOOK__STAGE_HEAD && !transfer->doomed)
        return casehook__fail(
            &transfer->told, CASEHOOK_E_LIMIT,
            "the headers of the answer have a line of more than %d bytes (or libcurl ran out "
            "of memory)",
            CASEHOOK__HEADER_BYTES_MAX);
    return casehook__fail(&transfer->told, CASEHOOK_E_NO_MEMORY, "out of memory%s",
                          transfer->sends ? " after the request was sent" : "");
}

static int tell_no_http(struct casehook__transfer *transfer, CURLcode code)
{
    return casehook__fail(&transfer->told, CASEHOOK_E_RESPONSE, "the answer is no proper HTTP: %s",
                          transfer->detail[0] ? transfer->detail : curl_easy_strerror(code));
}

/* libcurl looks names up in a thread; when it cannot make one, the name is not at fault. */
static int tell_name(struct casehook__transfer *transfer)
{
    const struct casehook__origin *origin =
        transfer->policy.proxy ? &transfer->policy.proxy->origin : transfer->request->origin;
    /* An address is no name that could be unknown. */
    if (origin->ipv4 || origin->ipv6) return tell_memory(transfer);
    if (strstr(transfer->detail, "thread failed to start"))
        return casehook__fail(&transfer->told, CASEHOOK_E_SYSTEM,
                              "the name of %s could not be looked up: the system gave no thread, memory or "
                              "descriptor for it",
                              peer_word(transfer));
    return casehook__fail(&transfer->told, CASEHOOK_E_RESOLVE, "the name of the %s %s was not found",
                          transfer->policy.proxy ? "proxy" : "host", peer_word(transfer));
}

/* A stream that was reset, or a connection that is going away, is a broken one; the rest is broken HTTP. */
static int tell_http2(struct casehook__transfer *transfer, CURLcode code)
{
    static const char *const broken[] = {"PROTOCOL_ERROR", "FRAME_SIZE_ERROR", "COMPRESSION_ERROR",
                                         "FLOW_CONTROL_ERROR"};
    const char *detail = transfer->detail[0] ? transfer->detail : curl_easy_strerror(code);
    if (was_refused(transfer)) return tell_refused(transfer);
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        if (strstr(detail, broken[i])) return tell_no_http(transfer, code);
    return casehook__fail(&transfer->told, CASEHOOK_E_NETWORK, "the stream of HTTP/2 broke: %s%s", detail,
                          strstr(detail, "HTTP_1_1_REQUIRED") ? "; set httpVersion to \"1.1\"" : "");
}

static int tell_code(struct casehook__transfer *transfer, CURLcode code)
{
    switch (code) {
    case CURLE_OUT_OF_MEMORY: return tell_memory(transfer);
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY: return tell_name(transfer);
    case CURLE_COULDNT_CONNECT: return tell_connect(transfer);
    case CURLE_PROXY:
        return casehook__fail(&transfer->told, CASEHOOK_E_PROXY, "the proxy %s failed: %s",
                              peer_word(transfer), transfer->detail);
    case CURLE_OPERATION_TIMEDOUT: return tell_connect_timeout(transfer);
    case CURLE_SSL_CONNECT_ERROR:
        /* libcurl was on the way to send it a second time. */
        return transfer->sends ? tell_not_again(transfer) : tell_tls(transfer, code);
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS: return tell_tls(transfer, code);
    case CURLE_WRITE_ERROR: return tell_write(transfer);
    case CURLE_BAD_CONTENT_ENCODING: return tell_encoding(transfer);
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL: return tell_no_http(transfer, code);
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM: return tell_http2(transfer, code);
    default: return tell_broken(transfer, code);
    }
}

/* A proxy that says no will say it again. */
static bool proxy_refused(const struct casehook__transfer *transfer)
{
    long tunnel = 0;
    curl_easy_getinfo(transfer->handle.easy, CURLINFO_HTTP_CONNECTCODE, &tunnel);
    return is_connecting(transfer) && tunnel >= 400 && tunnel < 500;
}

static void fail_as(struct casehook__transfer *transfer, int status)
{
    transfer->failure = (struct casehook__failure){
        .status = status,
        .sent = casehook__curl_was_sent(transfer),
        .lasting = status == CASEHOOK_E_PROXY && proxy_refused(transfer),
        .message = transfer->told.message,
    };
}

void casehook__curl_fail(struct casehook__transfer *transfer, CURLcode code)
{
    casehook__error_init(&transfer->told);
    bool late = transfer->stop == CASEHOOK__STOP_LATE;
    fail_as(transfer, late ? tell_time(transfer) : tell_code(transfer, code));
}

void casehook__curl_fail_time(struct casehook__transfer *transfer)
{
    casehook__error_init(&transfer->told);
    fail_as(transfer, tell_time(transfer));
}
