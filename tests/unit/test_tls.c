/* test_tls.c - handshakes in memory: what is accepted in which mode, and how a refusal is told. */
#include "certs.h"
#include "tls/tls.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cmocka.h>

static struct certs *certs;

static int make_certs(void **state)
{
    (void)state;
    static const char *const names[] = {"DNS:localhost", "DNS:*.b.example", "IP:10.0.0.1", "IP:::1", NULL};
    static const char *const nul[] = {"DNS:localhost\\0.evil.example", NULL};
    static const struct certs_spec specs[] = {
        {.name = "ca1", .subject = "CN=Test CA 1", .ca = true},
        {.name = "ca2", .subject = "CN=Test CA 2", .ca = true},
        {.name = "ca_old",
         .subject = "CN=Old CA",
         .ca = true,
         .not_before = "2020-01-01",
         .not_after = "2021-01-01"},
        {.name = "ca_weak", .subject = "CN=Weak CA", .ca = true, .rsa_bits = 1024},
        {.name = "ca_rsa", .subject = "CN=RSA CA", .ca = true, .rsa_bits = 2048},
        {.name = "int1", .subject = "CN=Intermediate 1", .ca = true, .issuer = "ca1"},
        {.name = "good", .subject = "CN=localhost", .issuer = "ca1", .san = names, .eku = "serverAuth"},
        {.name = "rsa", .subject = "CN=localhost", .issuer = "ca_rsa", .san = names, .key_of = "ca_rsa"},
        {.name = "nul", .subject = "CN=localhost", .issuer = "ca1", .san = nul},
        {.name = "cn_only", .subject = "O=Some, CN=cn.example", .issuer = "ca1"},
        {.name = "expired",
         .subject = "CN=localhost",
         .issuer = "ca1",
         .not_before = "2020-01-01",
         .not_after = "2021-01-01"},
        {.name = "future", .subject = "CN=localhost", .issuer = "ca1", .not_before = "2043-01-01"},
        {.name = "client_only", .subject = "CN=localhost", .issuer = "ca1", .eku = "clientAuth"},
        {.name = "self", .subject = "CN=localhost", .san = names},
        {.name = "self_weak", .subject = "CN=localhost", .rsa_bits = 1024},
        {.name = "weak", .subject = "CN=localhost", .issuer = "ca1", .rsa_bits = 1024},
        {.name = "sha1", .subject = "CN=localhost", .issuer = "ca1", .digest = "SHA1"},
        {.name = "md5", .subject = "CN=localhost", .issuer = "ca_rsa", .digest = "MD5"},
        {.name = "below_old", .subject = "CN=localhost", .issuer = "ca_old"},
        {.name = "below_weak", .subject = "CN=localhost", .issuer = "ca_weak"},
        {.name = "below_int", .subject = "CN=localhost", .issuer = "int1"},
        {.name = "below_leaf", .subject = "CN=localhost", .issuer = "good"},
        {.name = "other", .subject = "CN=localhost", .issuer = "ca2"},
        {.name = "cli1", .subject = "CN=client-one", .issuer = "ca1", .eku = "clientAuth"},
        {.name = "cli_int", .subject = "CN=client-int", .issuer = "int1", .eku = "clientAuth"},
        {.name = "cli2", .subject = "CN=client-two", .issuer = "ca2", .eku = "clientAuth"},
    };
    certs = certs_new();
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) certs_make(certs, &specs[i]);
    return 0;
}

static int free_certs(void **state)
{
    (void)state;
    certs_free(certs);
    return 0;
}

static struct casehook__trust *trust_of(const char *files)
{
    struct casehook__trust *trust = NULL;
    struct casehook_error error = {0};
    char *pem = certs_join(certs, files, NULL);
    assert_non_null(pem);
    if (casehook__trust_from_pem(NULL, casehook__text(pem), &trust, &error)) fail_msg("%s", error.message);
    free(pem);
    return trust;
}

/* ---- a handshake ----------------------------------------------------------------------------- */

struct attempt {
    const char *cert, *chain, *client_ca; /* the server's; client_ca: a client certificate is demanded */
    const char *trust, *identity;         /* ours */
    int max_version;                      /* of the server; 0: any */
    enum casehook__mode mode;
};

struct seen {
    bool connected;
    char detail[256]; /* OpenSSL's reason on our side */
    char client[256]; /* subject of the client certificate that the server saw */
    struct casehook__tls_report report;
};

static SSL_CTX *server_context(const struct attempt *attempt)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    if (attempt->max_version) SSL_CTX_set_max_proto_version(context, attempt->max_version);
    assert_int_equal(SSL_CTX_use_certificate(context, certs_x509(certs, attempt->cert)), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, certs_pkey(certs, attempt->cert)), 1);
    SSL_CTX_set_mode(context, SSL_MODE_NO_AUTO_CHAIN);
    if (attempt->chain) SSL_CTX_add1_chain_cert(context, certs_x509(certs, attempt->chain));
    if (attempt->client_ca) {
        X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certs_x509(certs, attempt->client_ca));
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    return context;
}

static struct casehook__identity *identity_of(const char *name)
{
    char file[64];
    struct casehook__identity *identity = NULL;
    struct casehook_error error = {0};
    if (!name) return NULL;
    snprintf(file, sizeof file, "%s.key", name);
    const char *key = certs_file(certs, file, NULL);
    snprintf(file, sizeof file, "%s.crt", name);
    if (casehook__identity_from_pem(NULL, casehook__text(certs_file(certs, file, NULL)), casehook__text(key),
                                    (struct casehook__text){0}, &identity, &error))
        fail_msg("%s", error.message);
    return identity;
}

static void never_called(const SSL *ssl, const char *line)
{
    (void)ssl;
    fail_msg("key log: %s", line);
}

/* Both ends by turns until neither moves; the reading end makes a late alert of TLS 1.3 visible. */
static bool converse(SSL *client, SSL *server)
{
    char byte;
    int sent = 0, received = 0;
    for (int turn = 0; turn < 20 && received != 1; turn++) {
        if (SSL_do_handshake(client) == 1) received = SSL_read(client, &byte, 1);
        if (SSL_do_handshake(server) == 1 && !sent) sent = SSL_write(server, "x", 1) == 1;
    }
    return received == 1;
}

static struct seen handshake_with(const struct attempt *attempt, struct casehook__trust *trust)
{
    struct seen seen = {0};
    struct casehook__identity *identity = identity_of(attempt->identity);
    SSL_CTX *ours = SSL_CTX_new(TLS_client_method()), *theirs = server_context(attempt);
    SSL_CTX_set_keylog_callback(ours, never_called);
    SSL_CTX_set_security_level(ours, 0); /* what a lax openssl.cnf would do */
    SSL_CTX_set_min_proto_version(ours, TLS1_VERSION);
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ours), X509_V_FLAG_PARTIAL_CHAIN);
    ERR_clear_error();
    assert_true(casehook__tls_apply(ours, attempt->mode, trust, identity, &seen.report));
    assert_int_equal(ERR_peek_error(), 0);
    casehook__identity_free(identity); /* the context holds what it needs */
    SSL *client = SSL_new(ours), *server = SSL_new(theirs);
    SSL_CTX_free(ours);
    BIO *here = NULL, *there = NULL;
    assert_int_equal(BIO_new_bio_pair(&here, 0, &there, 0), 1);
    SSL_set_bio(client, here, here);
    SSL_set_bio(server, there, there);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    seen.connected = converse(client, server);
    unsigned long code;
    while ((code = ERR_get_error()) != 0) {
        const char *reason = ERR_reason_error_string(code);
        size_t used = strlen(seen.detail);
        snprintf(seen.detail + used, sizeof seen.detail - used, "%s;", reason ? reason : "?");
    }
    X509 *peer = SSL_get1_peer_certificate(server);
    if (peer) X509_NAME_oneline(X509_get_subject_name(peer), seen.client, sizeof seen.client);
    X509_free(peer);
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(theirs);
    return seen;
}

static struct seen handshake(const struct attempt *attempt)
{
    struct casehook__trust *trust = attempt->trust ? trust_of(attempt->trust) : NULL;
    struct seen seen = handshake_with(attempt, trust);
    casehook__trust_unref(trust);
    return seen;
}

/* ---- the zoo --------------------------------------------------------------------------------- */

/* said: what the explanation holds in modes full and certificate; NULL: accepted.  Mode none accepts all. */
static const struct {
    const char *cert, *chain, *trust, *said;
} zoo[] = {
    {"good", NULL, "ca1.crt", NULL},
    {"good", NULL, "ca2.crt+ca1.crt", NULL},
    {"rsa", NULL, "ca_rsa.crt", NULL},
    {"cn_only", NULL, "ca1.crt", NULL},
    {"below_int", "int1", "ca1.crt", NULL},
    {"below_int", NULL, "ca1.crt+int1.crt", NULL},
    {"self", NULL, "self.crt", NULL},
    {"expired", NULL, "ca1.crt",
     "the certificate of tracker.example expired on 2021-01-01 00:00 UTC (subject CN=localhost, "},
    {"future", NULL, "ca1.crt", "is not valid before 2043-01-01 00:00 UTC"},
    {"client_only", NULL, "ca1.crt", "extended key usage serverAuth"},
    {"self", NULL, "ca1.crt", "self-signed and not trusted (subject CN=localhost"},
    {"other", NULL, "ca1.crt", "issuer CN=Test CA 2"},
    {"other", "ca2", "ca1.crt", "comes from a CA that is not trusted (CN=Test CA 2"},
    {"below_int", NULL, "ca1.crt", "does not send its intermediate certificate"},
    {"below_int", NULL, "int1.crt", "is not trusted"}, /* an intermediate is no anchor */
    {"good", NULL, "good.crt", "is not trusted"},      /* nor is a leaf */
    {"weak", NULL, "ca1.crt", "has a key that is too short"},
    {"self_weak", NULL, "self_weak.crt", "has a key that is too short"},
    {"sha1", NULL, "ca1.crt", "weak signature"},
    {"md5", NULL, "ca_rsa.crt", "weak signature"},
    {"below_weak", NULL, "ca_weak.crt",
     "a certificate in the chain of tracker.example has a key that is too short"},
    {"below_old", NULL, "ca_old.crt", "a certificate in the chain of tracker.example expired on 2021-01-01"},
    {"below_leaf", "good", "ca1.crt", "a certificate in the chain of tracker.example is not a CA's"},
};

static void the_zoo(void **state)
{
    (void)state;
    static const enum casehook__mode modes[] = {CASEHOOK__MODE_FULL, CASEHOOK__MODE_CERTIFICATE,
                                                CASEHOOK__MODE_NONE};
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof zoo / sizeof *zoo; i++) {
        for (size_t m = 0; m < 3; m++) {
            struct attempt attempt = {
                .cert = zoo[i].cert, .chain = zoo[i].chain, .trust = zoo[i].trust, .mode = modes[m]};
            struct seen seen = handshake(&attempt);
            struct casehook_error error = {0};
            bool accepted = modes[m] == CASEHOOK__MODE_NONE || !zoo[i].said;
            if (!seen.connected)
                casehook__tls_explain(&seen.report, modes[m], "tracker.example", false, false, seen.detail,
                                      &error);
            bool right = seen.connected == accepted &&
                         (accepted || (strstr(error.message, zoo[i].said) && error.status == CASEHOOK_E_TLS &&
                                       strstr(error.message, casehook__mode_name(modes[m]))));
            right = right && seen.report.verified == (modes[m] != CASEHOOK__MODE_NONE);
            print_message("%s %-11s in %-11s trusting %-16s expected %-8s got %s\n",
                          right ? "ok   " : "WRONG", zoo[i].cert, casehook__mode_name(modes[m]), zoo[i].trust,
                          accepted ? "accepted" : "refused", seen.connected ? "accepted" : error.message);
            wrong += !right;
        }
    }
    assert_int_equal(wrong, 0);
}

static void old_protocols_are_refused(void **state)
{
    (void)state;
    struct casehook_error error = {0};
    struct attempt attempt = {
        .cert = "good", .trust = "ca1.crt", .mode = CASEHOOK__MODE_FULL, .max_version = TLS1_2_VERSION};
    assert_true(handshake(&attempt).connected);
    attempt.max_version = TLS1_1_VERSION;
    struct seen seen = handshake(&attempt);
    assert_false(seen.connected);
    casehook__tls_explain(&seen.report, attempt.mode, "a.example", false, false, seen.detail, &error);
    assert_non_null(strstr(error.message, "TLS 1.2 is the oldest"));
    attempt.mode = CASEHOOK__MODE_NONE;
    assert_false(handshake(&attempt).connected);
}

static void names_are_told(void **state)
{
    (void)state;
    struct casehook_error error = {0};
    struct attempt attempt = {.cert = "good", .trust = "ca1.crt", .mode = CASEHOOK__MODE_FULL};
    struct seen seen = handshake(&attempt);
    casehook__tls_explain(&seen.report, attempt.mode, "tracker.example", false, true, "", &error);
    assert_non_null(strstr(error.message,
                           "is for [localhost, *.b.example, 10.0.0.1, ::1], not for tracker.example "
                           "(verificationMode full)"));
    casehook__tls_explain(&seen.report, attempt.mode, "p.example", true, true, "", &error);
    assert_non_null(strstr(error.message, "the certificate of the proxy p.example"));
    assert_non_null(strstr(error.message, "set ssl.proxyVerificationMode to certificate"));
    attempt.cert = "cn_only";
    assert_string_equal(handshake(&attempt).report.names, "cn.example");
    attempt.cert = "nul"; /* not cut at the NUL */
    assert_string_equal(handshake(&attempt).report.names, "localhost?.evil.example");
}

static void proxies_have_their_own_settings(void **state)
{
    (void)state;
    struct casehook_error error = {0};
    struct attempt attempt = {.cert = "self", .trust = "ca1.crt", .mode = CASEHOOK__MODE_FULL};
    struct seen seen = handshake(&attempt);
    casehook__tls_explain(&seen.report, attempt.mode, "p.example", true, false, "", &error);
    assert_non_null(strstr(error.message, "the certificate of the proxy p.example is self-signed"));
    assert_non_null(strstr(error.message, "ssl.proxyVerificationMode full"));
    assert_non_null(strstr(error.message, "customHostSettings entry of the proxy's origin"));
    assert_null(strstr(error.message, "config.ca"));
}

static void details_are_explained(void **state)
{
    (void)state;
    static const struct {
        const char *detail, *said;
    } rows[] = {
        {"error:0A00045C:SSL routines::tlsv13 alert certificate required", "it demands a client certificate"},
        {"error:0A000418:SSL routines::tlsv1 alert unknown ca", "does not know the CA"},
        {"error:0A00010B:SSL routines::wrong version number", "does not speak TLS on this port"},
        {"error:0A000102:SSL routines::unsupported protocol", "TLS 1.2 is the oldest"},
        {"something\nelse", "no TLS connection with h.example: something?else"},
        {NULL, "the handshake failed"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct casehook_error error = {0};
        casehook__tls_explain(NULL, CASEHOOK__MODE_FULL, "h.example", false, false, rows[i].detail, &error);
        if (!strstr(error.message, rows[i].said)) fail_msg("%s", error.message);
        assert_int_equal(error.status, CASEHOOK_E_TLS);
    }
    struct casehook_error error = {0};
    casehook__tls_explain(NULL, CASEHOOK__MODE_FULL, "h.example", false, true, NULL, &error);
    assert_non_null(strstr(error.message, "no name at all"));
}

/* ---- client certificates --------------------------------------------------------------------- */

static void client_certificates(void **state)
{
    (void)state;
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < 2; i++) {
        struct casehook_error error = {0};
        struct attempt attempt = {.cert = "good",
                                  .client_ca = "ca1",
                                  .trust = "ca1.crt",
                                  .identity = "cli1",
                                  .mode = CASEHOOK__MODE_FULL,
                                  .max_version = versions[i]};
        struct seen seen = handshake(&attempt);
        assert_true(seen.connected);
        assert_string_equal(seen.client, "/CN=client-one");
        attempt.mode = CASEHOOK__MODE_NONE;
        attempt.trust = NULL;
        assert_true(handshake(&attempt).connected);
        attempt.identity = NULL;
        seen = handshake(&attempt);
        assert_false(seen.connected);
        casehook__tls_explain(&seen.report, attempt.mode, "h.example", false, false, seen.detail, &error);
        if (!strstr(error.message, "demands")) fail_msg("%s", error.message);
        attempt.identity = "cli2";
        seen = handshake(&attempt);
        assert_false(seen.connected);
        casehook__tls_explain(&seen.report, attempt.mode, "h.example", false, false, seen.detail, &error);
        if (!strstr(error.message, "does not know the CA")) fail_msg("%s", error.message);
    }
}

/* The intermediate is in config.ca alone: it is sent all the same. */
static void chains_are_completed(void **state)
{
    (void)state;
    struct attempt attempt = {.cert = "good",
                              .client_ca = "ca1",
                              .trust = "ca1.crt+int1.crt",
                              .identity = "cli_int",
                              .mode = CASEHOOK__MODE_FULL};
    struct seen seen = handshake(&attempt);
    assert_true(seen.connected);
    assert_string_equal(seen.client, "/CN=client-int");
    attempt.trust = "ca1.crt";
    assert_false(handshake(&attempt).connected);
}

static void verification_needs_trust(void **state)
{
    (void)state;
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    assert_false(casehook__tls_apply(context, CASEHOOK__MODE_FULL, NULL, NULL, NULL));
    assert_false(casehook__tls_apply(context, CASEHOOK__MODE_UNSET, NULL, NULL, NULL));
    assert_true(casehook__tls_apply(context, CASEHOOK__MODE_NONE, NULL, NULL, NULL));
    assert_int_equal(SSL_CTX_get_verify_mode(context), SSL_VERIFY_NONE);
    SSL_CTX_free(context);
}

/* ---- trust ----------------------------------------------------------------------------------- */

static void trust_says_what_is_wrong(void **state)
{
    (void)state;
    struct casehook__trust *trust = NULL;
    struct casehook_error error = {0};
    ERR_raise(ERR_LIB_USER, 77);
    assert_int_equal(casehook__trust_from_pem(NULL, casehook__text("not a pem"), &trust, &error),
                     CASEHOOK_E_CONFIG);
    assert_non_null(strstr(error.message, "no certificate in PEM form"));
    assert_null(trust);
    char *pem = certs_join(certs, "ca1.crt+ca2.crt+int1.crt", NULL), *second = strstr(pem, "END CERT");
    second = strstr(second, "-----BEGIN");
    memcpy(second + 100, "!!!!", 4);
    assert_int_equal(casehook__trust_from_pem(NULL, casehook__text(pem), &trust, &error), CASEHOOK_E_CONFIG);
    assert_non_null(strstr(error.message, "certificate 2 of 3 cannot be read"));
    assert_int_equal(error.offset, second - pem);
    free(pem);
    size_t length = 0;
    const char *whole = certs_file(certs, "ca1.crt", &length);
    assert_int_equal(
        casehook__trust_from_pem(NULL, (struct casehook__text){whole, length - 40}, &trust, &error),
        CASEHOOK_E_CONFIG);
    assert_int_equal(
        casehook__trust_from_pem(NULL, casehook__text(certs_file(certs, "ca1.key", NULL)), &trust, NULL),
        CASEHOOK_E_CONFIG);
    assert_int_equal(ERR_GET_REASON(ERR_peek_error()), 77); /* the queue is as it was */
    assert_int_equal(ERR_GET_REASON(ERR_peek_last_error()), 77);
    ERR_clear_error();
}

/* Appends a file; what was said of it. */
static const char *append_ca(struct casehook__buf *pem, const void *data, size_t length)
{
    static struct casehook_error error;
    casehook__error_init(&error);
    int status = casehook__ca_append(pem, (struct casehook__text){data, length}, &error);
    assert_int_equal(status, error.message[0] ? CASEHOOK_E_CONFIG : CASEHOOK_OK);
    return error.message;
}

static void files_of_cas_are_looked_into(void **state)
{
    (void)state;
    struct casehook__buf pem;
    struct casehook__trust *trust = NULL;
    size_t length = 0;
    const char *text = certs_file(certs, "ca1.crt", &length);
    BIO *bio = BIO_new_mem_buf(text, (int)length);
    X509 *x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    unsigned char *der = NULL;
    int der_length = i2d_X509(x509, &der);
    casehook__buf_init(&pem, NULL, 100000);
    ERR_raise(ERR_LIB_USER, 77);
    assert_string_equal(append_ca(&pem, text, length), "");
    assert_string_equal(append_ca(&pem, der, (size_t)der_length), "");
    assert_int_equal(casehook__trust_from_pem(NULL, casehook__buf_text(&pem), &trust, NULL), CASEHOOK_OK);
    casehook__trust_unref(trust);
    size_t good = pem.length;
    assert_non_null(strstr(append_ca(&pem, der, (size_t)der_length - 1), "holds no certificate"));
    assert_non_null(strstr(append_ca(&pem, text, length - 40), "certificate 1 of 1 cannot be read"));
    assert_string_equal(append_ca(&pem, "", 0), "is empty");
    assert_string_equal(append_ca(&pem, " \n", 2), "is empty");
    assert_string_equal(append_ca(&pem, "#!/bin/sh\n", 10), "is a script");
    assert_string_equal(append_ca(&pem, "ssh-ed25519 A", 13), "is a key of SSH");
    assert_string_equal(append_ca(&pem, "<html>", 6), "is HTML or XML");
    text = certs_file(certs, "ca1.key", &length);
    assert_non_null(strstr(append_ca(&pem, text, length), "holds a private key and no certificate"));
    assert_int_equal(pem.length, good);                          /* nothing of what was refused stays */
    assert_int_equal(ERR_GET_REASON(ERR_peek_last_error()), 77); /* nor in the host's queue */
    ERR_clear_error();
    struct casehook__text whole = {(const char *)der, (size_t)der_length};
    assert_int_equal(casehook__trust_from_pem(NULL, whole, &trust, NULL), CASEHOOK_OK);
    casehook__trust_unref(trust);
    casehook__buf_free(&pem);
    OPENSSL_free(der);
    X509_free(x509);
    BIO_free(bio);
}

static void the_systems_bundle(void **state)
{
    (void)state;
    struct casehook__trust *trust = NULL;
    struct casehook_error error = {0};
    char folder[] = "/tmp/casehook-tls-XXXXXX", path[300];
    assert_non_null(mkdtemp(folder));
    struct certs *bundle = certs_new();
    char *pem = certs_join(certs, "ca2.crt+ca1.crt", NULL);
    memcpy(pem + 100, "!!!!", 4); /* the first is unreadable and left out */
    certs_add_file(bundle, "bundle.pem", pem, strlen(pem));
    assert_true(certs_write(bundle, folder));
    snprintf(path, sizeof path, "%s/bundle.pem", folder);
    assert_int_equal(casehook__trust_system(NULL, path, &trust, &error), CASEHOOK_OK);
    struct attempt attempt = {.cert = "good", .mode = CASEHOOK__MODE_FULL};
    assert_true(handshake_with(&attempt, trust).connected);
    attempt.cert = "other";
    assert_false(handshake_with(&attempt, trust).connected);
    casehook__trust_unref(trust);
    remove(path);
    remove(folder);
    free(pem);
    certs_free(bundle);
    int status = casehook__trust_system(NULL, "/nonexistent/bundle.pem", &trust, &error);
    if (status) { /* this machine has none */
        assert_int_equal(status, CASEHOOK_E_SYSTEM);
        assert_non_null(strstr(error.message, "/nonexistent/bundle.pem"));
    }
    casehook__trust_unref(trust);
}

/* ---- one store, many threads ----------------------------------------------------------------- */

static void *shake_hands(void *user)
{
    struct attempt attempt = {.cert = "good", .mode = CASEHOOK__MODE_FULL};
    size_t connected = 0;
    for (int i = 0; i < 20; i++) {
        attempt.cert = i % 2 ? "good" : "other";
        connected += handshake_with(&attempt, user).connected == (i % 2 != 0);
    }
    return (void *)(uintptr_t)connected;
}

static void threads_share_a_store(void **state)
{
    (void)state;
    struct casehook__trust *trust = trust_of("ca_rsa.crt+ca1.crt+int1.crt");
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, shake_hands, trust), 0);
    for (int i = 0; i < 4; i++) {
        void *connected = NULL;
        assert_int_equal(pthread_join(threads[i], &connected), 0);
        assert_int_equal((uintptr_t)connected, 20);
    }
    casehook__trust_unref(trust);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_zoo),
        cmocka_unit_test(old_protocols_are_refused),
        cmocka_unit_test(names_are_told),
        cmocka_unit_test(proxies_have_their_own_settings),
        cmocka_unit_test(details_are_explained),
        cmocka_unit_test(client_certificates),
        cmocka_unit_test(chains_are_completed),
        cmocka_unit_test(verification_needs_trust),
        cmocka_unit_test(trust_says_what_is_wrong),
        cmocka_unit_test(files_of_cas_are_looked_into),
        cmocka_unit_test(the_systems_bundle),
        cmocka_unit_test(threads_share_a_store),
    };
    return cmocka_run_group_tests(tests, make_certs, free_certs);
}
