/* tls_context.c - makes a connection's SSL_CTX follow the policy, and notes what the chain check finds. */
#include "tls/tls_private.h"

#include <openssl/ssl.h>

static void record_certificate(struct casehook__tls_report *report, const X509 *x509)
{
    if (!x509) return;
    casehook__tls_subject(report->subject, sizeof report->subject, X509_get_subject_name(x509));
    casehook__tls_subject(report->issuer, sizeof report->issuer, X509_get_issuer_name(x509));
    casehook__tls_date(report->not_before, X509_get0_notBefore(x509));
    casehook__tls_date(report->not_after, X509_get0_notAfter(x509));
}

static void record_failure(struct casehook__tls_report *report, X509_STORE_CTX *check, bool accepted)
{
    const X509 *leaf = X509_STORE_CTX_get0_cert(check);
    const X509 *at_fault = accepted ? NULL : X509_STORE_CTX_get_current_cert(check);
    *report = (struct casehook__tls_report){.verified = true, .store = report->store};
    if (!accepted) {
        report->verify_error = X509_STORE_CTX_get_error(check);
        if (report->verify_error == X509_V_OK) report->verify_error = X509_V_ERR_UNSPECIFIED;
        report->depth = X509_STORE_CTX_get_error_depth(check);
    }
    record_certificate(report, at_fault ? at_fault : leaf);
    if (leaf) casehook__tls_names(report->names, sizeof report->names, leaf);
}

/* libcurl may put a store of its own in place of ours before the check: what it trusts does not count. */
static bool is_our_store(X509_STORE_CTX *check, const struct casehook__tls_report *report)
{
    if (!report || X509_STORE_CTX_get0_store(check) == report->store) return true;
    X509_STORE_CTX_set_error(check, X509_V_ERR_STORE_LOOKUP);
    return false;
}

static int verify(X509_STORE_CTX *check, void *report)
{
    /* Whatever an openssl.cnf says: a certificate below a root is no anchor (unless self-signed). */
    X509_VERIFY_PARAM_clear_flags(X509_STORE_CTX_get0_param(check), X509_V_FLAG_PARTIAL_CHAIN);
    bool accepted = is_our_store(check, report) && X509_verify_cert(check) == 1;
    if (report) record_failure(report, check, accepted);
    return accepted;
}

static int verify_nothing(X509_STORE_CTX *check, void *unused)
{
    (void)unused;
    X509_STORE_CTX_set_error(check, X509_V_OK);
    return 1;
}

/*
 * With mode none the security level stays as the host's OpenSSL has it: it then concerns the key exchange
 * alone, no certificate.  Otherwise it is raised, never lowered.
 */
static bool apply_mode(SSL_CTX *context, enum casehook__mode mode, struct casehook__trust *trust,
                       struct casehook__tls_report *report)
{
    if (mode == CASEHOOK__MODE_NONE) {
        SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
        SSL_CTX_set_cert_verify_callback(context, verify_nothing, NULL);
        return true;
    }
    if (!trust) return false;
    if (SSL_CTX_get_security_level(context) < CASEHOOK__SECURITY_LEVEL)
        SSL_CTX_set_security_level(context, CASEHOOK__SECURITY_LEVEL);
    SSL_CTX_set1_cert_store(context, trust->store);
    if (report) report->store = trust->store;
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(context, verify, report);
    return true;
}

/* Called when the server has asked for a client certificate; what goes there is settled already. */
static int note_request(SSL *ssl, void *report)
{
    (void)ssl;
    ((struct casehook__tls_report *)report)->asked = true;
    return 1;
}

/* Without a chain of its own (NULL, not an empty one) OpenSSL completes it from the trusted CAs. */
static bool use_identity(SSL_CTX *context, struct casehook__identity *identity)
{
    STACK_OF(X509) *chain = sk_X509_num(identity->chain) > 0 ? identity->chain : NULL;
    return SSL_CTX_use_cert_and_key(context, identity->crt, identity->key, chain, 1) == 1;
}

bool casehook__tls_apply(void *ssl_ctx, enum casehook__mode mode, struct casehook__trust *trust,
                         struct casehook__identity *identity, struct casehook__tls_report *report)
{
    SSL_CTX *context = ssl_ctx;
    if (report) *report = (struct casehook__tls_report){0};
    casehook__tls_begin();
    SSL_CTX_set_keylog_callback(context, NULL); /* SSLKEYLOGFILE would get the connection's secrets */
    bool applied = SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
                   apply_mode(context, mode, trust, report);
    if (applied && identity) applied = use_identity(context, identity);
    if (report) SSL_CTX_set_cert_cb(context, note_request, report);
    casehook__tls_end();
    return applied;
}

bool casehook__tls_require_address(void *ssl_ctx, const unsigned char *address, size_t length)
{
    casehook__tls_begin();
    bool done = X509_VERIFY_PARAM_set1_ip(SSL_CTX_get0_param(ssl_ctx), address, length) == 1;
    casehook__tls_end();
    return done;
}

static long on_read(BIO *bio, int operation, const char *data, size_t length, int argument, long number,
                    int result, size_t *done)
{
    struct casehook__tls_gate *gate = (void *)BIO_get_callback_arg(bio);
    (void)data;
    (void)length;
    (void)argument;
    (void)number;
    if (operation == BIO_CB_READ && gate->left == 0) {
        BIO_clear_retry_flags(bio);
        BIO_set_retry_read(bio);
        return -1;
    }
    if (operation == (BIO_CB_READ | BIO_CB_RETURN) && result > 0)
        gate->left -= *done < gate->left ? *done : gate->left;
    return result;
}

/* The reading end is there when the handshake begins. */
static void on_handshake(const SSL *ssl, int where, int unused)
{
    (void)unused;
    if (!(where & SSL_CB_HANDSHAKE_START)) return;
    BIO *bio = SSL_get_rbio(ssl);
    BIO_set_callback_arg(bio, SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    BIO_set_callback_ex(bio, on_read);
}

void casehook__tls_set_gate(void *ssl_ctx, struct casehook__tls_gate *gate)
{
    SSL_CTX_set_app_data(ssl_ctx, gate);
    SSL_CTX_set_info_callback(ssl_ctx, on_handshake);
}

bool casehook__tls_has_pending(void *ssl)
{
    return SSL_has_pending(ssl) == 1;
}

bool casehook__tls_is_http2(void *ssl)
{
    const unsigned char *protocol = NULL;
    unsigned length = 0;
    SSL_get0_alpn_selected(ssl, &protocol, &length);
    return length == 2 && memcmp(protocol, "h2", 2) == 0;
}
