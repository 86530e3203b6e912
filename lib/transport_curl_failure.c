/* transport_curl_failure.c - libcurl's codes in words: what failed, on which side, what to do (R3). */
#include "transport_curl.h"

/* Some of the request may have left this machine. */
static bool was_sent(const struct casehook__transfer *transfer)
{
    long size = 0;
    curl_easy_getinfo(transfer->handle.easy, CURLINFO_REQUEST_SIZE, &size);
    return transfer->sends > 0 && size > 0;
}

static bool has_connected(const struct casehook__transfer *transfer)
{
    curl_off_t time = 0;
    curl_easy_getinfo(transfer->handle.easy, CURLINFO_APPCONNECT_TIME_T, &time);
    if (time == 0) curl_easy_getinfo(transfer->handle.easy, CURLINFO_CONNECT_TIME_T, &time);
    return time > 0 || transfer->sends > 0;
}

static const char *peer(const struct casehook__transfer *transfer)
{
    return transfer->policy.proxy ? transfer->policy.proxy->origin.host : transfer->request->origin->host;
}

static int tell_timeout(struct casehook__transfer *transfer)
{
    const char *setting = "responseTimeout";
    long limit = transfer->timeout_ms;
    /* Both run from the start, so without a connection the shorter one was it. */
    if (!has_connected(transfer) && (long)transfer->settings->connect_timeout_ms < limit) {
        setting = "connectTimeout";
        limit = (long)transfer->settings->connect_timeout_ms;
    } else if (transfer->deadline_first) {
        return casehook__fail(&transfer->told, CASEHOOK_E_TIMEOUT,
                              "no answer before the deadline of the call");
    }
    const char *what = transfer->sends        ? "no complete answer from the server"
                       : transfer->connecting ? "no connection to the server"
                                              : "the name of the host was not resolved";
    return casehook__fail(&transfer->told, CASEHOOK_E_TIMEOUT, "%s within %ld ms (setting %s)", what, limit,
                          setting);
}

static int tell_connect(struct casehook__transfer *transfer)
{
    if (transfer->denied && !transfer->connecting)
        return casehook__fail(
            &transfer->told, CASEHOOK_E_POLICY,
            "the address of %s is a %s, which denyPrivateAddresses forbids; list it in allowedAddresses "
            "if it is meant",
            peer(transfer), transfer->denied_address);
    return casehook__fail(&transfer->told, transfer->policy.proxy ? CASEHOOK_E_PROXY : CASEHOOK_E_CONNECT,
                          "no connection to %s%s: %s", transfer->policy.proxy ? "the proxy " : "",
                          peer(transfer), transfer->detail[0] ? transfer->detail : "refused");
}

/* libcurl says "CONNECT tunnel failed, response 407" with a code of its own for sockets. */
static int tell_tunnel(struct casehook__transfer *transfer, long status)
{
    return casehook__fail(&transfer->told, CASEHOOK_E_PROXY, "the proxy %s answered %ld%s%s", peer(transfer),
                          status, transfer->request->origin->https ? " to CONNECT" : "",
                          status == 407 ? "; give it a login in proxyUrl or in proxyHeaders" : "");
}

static int tell_tls(struct casehook__transfer *transfer, CURLcode code)
{
    bool https_proxy = transfer->policy.proxy && transfer->policy.proxy->origin.https;
    bool at_proxy = https_proxy && transfer->handshakes < 2;
    const struct casehook__tls_report *report = at_proxy ? &transfer->proxy_tls : &transfer->tls;
    bool name_failed =
        code == CURLE_PEER_FAILED_VERIFICATION && report->verified && report->verify_error == 0;
    casehook__tls_explain(report, at_proxy ? transfer->policy.proxy_mode : transfer->policy.mode,
                          at_proxy ? peer(transfer) : transfer->request->origin->host, at_proxy, name_failed,
                          transfer->detail[0] ? transfer->detail : curl_easy_strerror(code), &transfer->told);
    return CASEHOOK_E_TLS;
}

static int tell_write(struct casehook__transfer *transfer)
{
    if (transfer->header_limit)
        return casehook__fail(&transfer->told, CASEHOOK_E_LIMIT,
                              "the headers of the answer have more than %d bytes",
                              CASEHOOK__HEADER_BYTES_MAX);
    if (transfer->body_limit)
        return casehook__fail(&transfer->told, CASEHOOK_E_LIMIT,
                              "the answer has more than %zu bytes (setting maxResponseContentLength)",
                              transfer->settings->max_response_content_length);
    return casehook__fail(&transfer->told, CASEHOOK_E_NO_MEMORY, "out of memory while the answer was read");
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

static int tell_broken(struct casehook__transfer *transfer, CURLcode code)
{
    long tunnel = 0;
    curl_easy_getinfo(transfer->handle.easy, CURLINFO_HTTP_CONNECTCODE, &tunnel);
    if (transfer->connecting && tunnel != 0 && tunnel / 100 != 2) return tell_tunnel(transfer, tunnel);
    if (code == CURLE_ABORTED_BY_CALLBACK && transfer->connecting)
        return casehook__fail(&transfer->told, CASEHOOK_E_LIMIT,
                              "the answer of the proxy %s to CONNECT has more than %d bytes", peer(transfer),
                              CASEHOOK__HEADER_BYTES_MAX);
    if (transfer->sends == 0 && transfer->policy.proxy)
        return casehook__fail(&transfer->told, CASEHOOK_E_PROXY, "the proxy %s broke the connection: %s",
                              peer(transfer), transfer->detail[0] ? transfer->detail : "no answer");
    if (transfer->repeat_refused)
        return casehook__fail(&transfer->told, CASEHOOK_E_NETWORK,
                              "the connection broke after the request was sent; it was not sent again");
    if (transfer->header_bytes && !transfer->head_ended)
        return casehook__fail(&transfer->told, CASEHOOK_E_NETWORK,
                              "the connection broke in the headers of the answer");
    if (strstr(transfer->detail, ":SSL routines:")) return tell_tls(transfer, code);
    return casehook__fail(&transfer->told, CASEHOOK_E_NETWORK, "the connection broke%s: %s%s",
                          transfer->sends ? " after the request was sent" : "",
                          transfer->detail[0] ? transfer->detail : "no answer", about_certificate(transfer));
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

/* A line of the headers that is longer than libcurl's buffer for it is out of memory as well, to libcurl. */
static int tell_memory(struct casehook__transfer *transfer)
{
    if (transfer->sends && !transfer->head_ended)
        return casehook__fail(
            &transfer->told, CASEHOOK_E_LIMIT,
            "the headers of the answer have a line of more than %d bytes (or libcurl ran out "
            "of memory)",
            CASEHOOK__HEADER_BYTES_MAX);
    return casehook__fail(&transfer->told, CASEHOOK_E_NO_MEMORY, "out of memory");
}

static int tell(struct casehook__transfer *transfer, CURLcode code)
{
    switch (code) {
    case CURLE_OUT_OF_MEMORY: return tell_memory(transfer);
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return casehook__fail(&transfer->told, CASEHOOK_E_RESOLVE, "the name of the %s %s was not found",
                              transfer->policy.proxy ? "proxy" : "host", peer(transfer));
    case CURLE_COULDNT_CONNECT: return tell_connect(transfer);
    case CURLE_PROXY:
        return casehook__fail(&transfer->told, CASEHOOK_E_PROXY, "the proxy %s failed: %s", peer(transfer),
                              transfer->detail);
    case CURLE_OPERATION_TIMEDOUT: return tell_timeout(transfer);
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS: return tell_tls(transfer, code);
    case CURLE_WRITE_ERROR: return tell_write(transfer);
    case CURLE_BAD_CONTENT_ENCODING: return tell_encoding(transfer);
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        return casehook__fail(&transfer->told, CASEHOOK_E_RESPONSE, "the answer is no proper HTTP: %s",
                              transfer->detail[0] ? transfer->detail : curl_easy_strerror(code));
    default: return tell_broken(transfer, code);
    }
}

/* A proxy that says no will say it again. */
static bool proxy_refused(const struct casehook__transfer *transfer)
{
    long tunnel = 0;
    curl_easy_getinfo(transfer->handle.easy, CURLINFO_HTTP_CONNECTCODE, &tunnel);
    return transfer->connecting && tunnel >= 400 && tunnel < 500;
}

static bool may_pass_by_itself(const struct casehook__transfer *transfer, int status)
{
    if (status == CASEHOOK_E_PROXY && proxy_refused(transfer)) return false;
    return status == CASEHOOK_E_RESOLVE || status == CASEHOOK_E_CONNECT || status == CASEHOOK_E_TIMEOUT ||
           status == CASEHOOK_E_NETWORK || status == CASEHOOK_E_PROXY || status == CASEHOOK_E_NO_MEMORY;
}

void casehook__curl_fail(struct casehook__transfer *transfer, CURLcode code)
{
    casehook__error_init(&transfer->told);
    int status = tell(transfer, code);
    transfer->answered = false;
    transfer->failure = (struct casehook__failure){
        .status = status,
        .sent = was_sent(transfer),
        .retryable = may_pass_by_itself(transfer, status),
        .message = transfer->told.message,
    };
}

bool casehook__curl_fail_login(struct casehook__transfer *transfer)
{
    long status = 0;
    curl_easy_getinfo(transfer->handle.easy, CURLINFO_RESPONSE_CODE, &status);
    if (status != 407 || !transfer->policy.proxy || transfer->request->origin->https) return false;
    casehook__error_init(&transfer->told);
    transfer->answered = false;
    transfer->failure = (struct casehook__failure){
        .status = tell_tunnel(transfer, status), .sent = false, .message = transfer->told.message};
    return true;
}
