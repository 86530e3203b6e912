/* tls_identity.c - client certificates: from their parts to something a handshake can use. */
#include "tls/tls_private.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

void casehook__identity_free(struct casehook__identity *identity)
{
    if (!identity) return;
    X509_free(identity->crt);
    EVP_PKEY_free(identity->key); /* OpenSSL wipes private numbers */
    sk_X509_pop_free(identity->chain, X509_free);
    casehook__free(identity->heap, identity);
}

/* ---- parts ----------------------------------------------------------------------------------- */

void casehook__parts_free(struct casehook__parts *parts)
{
    for (size_t i = 0; i < parts->key_count; i++) EVP_PKEY_free(parts->keys[i]);
    sk_X509_pop_free(parts->certificates, X509_free);
    *parts = (struct casehook__parts){0};
}

int casehook__parts_add_key(struct casehook__parts *parts, EVP_PKEY *key, struct casehook_error *error)
{
    if (parts->key_count == CASEHOOK__KEYS_MAX) {
        EVP_PKEY_free(key);
        return casehook__fail(error, CASEHOOK_E_CONFIG,
                              "more than %d private keys: keep the one that is meant", CASEHOOK__KEYS_MAX);
    }
    parts->keys[parts->key_count++] = key;
    return CASEHOOK_OK;
}

int casehook__parts_add_certificate(struct casehook__parts *parts, X509 *x509, struct casehook_error *error)
{
    if (sk_X509_num(parts->certificates) >= CASEHOOK__CHAIN_MAX) {
        X509_free(x509);
        return casehook__fail(error, CASEHOOK_E_CONFIG,
                              "more than %d certificates: keep the one that is meant and its chain",
                              CASEHOOK__CHAIN_MAX);
    }
    if (!parts->certificates) parts->certificates = sk_X509_new_null();
    if (parts->certificates && sk_X509_push(parts->certificates, x509) > 0) return CASEHOOK_OK;
    X509_free(x509);
    return casehook__fail_memory(error);
}

/* ---- assembling ------------------------------------------------------------------------------ */

static EVP_PKEY *key_of(const struct casehook__parts *parts, const X509 *x509)
{
    EVP_PKEY *found = NULL;
    casehook__tls_begin();
    const EVP_PKEY *public_key = X509_get0_pubkey(x509);
    for (size_t i = 0; public_key && !found && i < parts->key_count; i++)
        if (EVP_PKEY_eq(public_key, parts->keys[i]) == 1) found = parts->keys[i];
    casehook__tls_end();
    return found;
}

/* The first certificate whose key is there; files come in every order. */
static int choose(struct casehook__identity *identity, const struct casehook__parts *parts,
                  const char *key_field, struct casehook_error *error)
{
    EVP_PKEY *key = NULL;
    int count = sk_X509_num(parts->certificates), at = 0;
    while (at < count && !(key = key_of(parts, sk_X509_value(parts->certificates, at)))) at++;
    if (!key) {
        char subject[256];
        casehook__tls_subject(subject, sizeof subject,
                              X509_get_subject_name(sk_X509_value(parts->certificates, 0)));
        return casehook__tls_fail(error, key_field,
                                  "the private key does not belong to the certificate (subject %s)", subject);
    }
    identity->crt = sk_X509_value(parts->certificates, at);
    identity->key = key;
    X509_up_ref(identity->crt);
    EVP_PKEY_up_ref(key);
    return CASEHOOK_OK;
}

static bool in_chain(const struct casehook__identity *identity, const X509 *x509)
{
    if (X509_cmp(x509, identity->crt) == 0) return true;
    for (int i = 0; i < sk_X509_num(identity->chain); i++)
        if (X509_cmp(x509, sk_X509_value(identity->chain, i)) == 0) return true;
    return false;
}

/* Issuer after issuer, cross-signed ones too.  What vouches for nothing here is not shown to servers. */
static int build_chain(struct casehook__identity *identity, const struct casehook__parts *parts,
                       struct casehook_error *error)
{
    identity->chain = sk_X509_new_null();
    if (!identity->chain) return casehook__fail_memory(error);
    for (int at = -1; at < sk_X509_num(identity->chain); at++) {
        X509 *subject = at < 0 ? identity->crt : sk_X509_value(identity->chain, at);
        for (int i = 0; i < sk_X509_num(parts->certificates); i++) {
            X509 *issuer = sk_X509_value(parts->certificates, i);
            if (X509_check_issued(issuer, subject) != X509_V_OK || in_chain(identity, issuer)) continue;
            if (!X509_up_ref(issuer)) return casehook__fail_memory(error);
            if (sk_X509_push(identity->chain, issuer) > 0) continue;
            X509_free(issuer);
            return casehook__fail_memory(error);
        }
    }
    return CASEHOOK_OK;
}

static int check_dates(const struct casehook__identity *identity, const char *field,
                       struct casehook_error *error)
{
    char date[CASEHOOK__DATE_SIZE], subject[256];
    const ASN1_TIME *start = X509_get0_notBefore(identity->crt), *end = X509_get0_notAfter(identity->crt);
    casehook__tls_subject(subject, sizeof subject, X509_get_subject_name(identity->crt));
    if (X509_cmp_current_time(end) <= 0) {
        casehook__tls_date(date, end);
        return casehook__tls_fail(error, field, "the client certificate expired on %s (subject %s): renew it",
                                  date, subject);
    }
    if (X509_cmp_current_time(start) <= 0) return CASEHOOK_OK;
    casehook__tls_date(date, start);
    return casehook__tls_fail(
        error, field, "the client certificate is not valid before %s (subject %s): is the clock right?", date,
        subject);
}

/* OpenSSL's own verdict, in advance of the first connection. */
static int check_strength(const struct casehook__identity *identity, const char *field,
                          struct casehook_error *error)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (!context && casehook__tls_no_memory()) return casehook__fail_memory(error);
    if (!context)
        return casehook__fail(error, CASEHOOK_E_SYSTEM, "OpenSSL makes no TLS context: see its openssl.cnf");
    SSL_CTX_set_security_level(context, CASEHOOK__SECURITY_LEVEL);
    int status = CASEHOOK_OK;
    if (SSL_CTX_use_cert_and_key(context, identity->crt, identity->key, identity->chain, 1) != 1) {
        char subject[256];
        casehook__tls_subject(subject, sizeof subject, X509_get_subject_name(identity->crt));
        int reason = ERR_GET_REASON(ERR_peek_last_error());
        const char *fault = reason == SSL_R_EE_KEY_TOO_SMALL ? "its key is too short (RSA needs 2048 bits)"
                            : reason == SSL_R_CA_KEY_TOO_SMALL
                                ? "the key of its CA is too short (RSA needs 2048 bits)"
                            : reason == SSL_R_CA_MD_TOO_WEAK ? "it is signed with a weak digest (MD5, SHA-1)"
                                                             : "its type of key is not for TLS";
        status = casehook__tls_fail(error, field, "the client certificate cannot be used: %s (subject %s)",
                                    fault, subject);
    }
    SSL_CTX_free(context);
    return status;
}

int casehook__identity_assemble(struct casehook__heap *heap, const struct casehook__parts *parts,
                                const char *crt_field, const char *key_field, struct casehook__identity **out,
                                struct casehook_error *error)
{
    *out = NULL;
    struct casehook__identity *identity = casehook__calloc(heap, 1, sizeof *identity);
    if (!identity) return casehook__fail_memory(error);
    identity->heap = heap;
    int status = choose(identity, parts, key_field, error);
    if (!status) status = build_chain(identity, parts, error);
    if (!status) status = check_dates(identity, crt_field, error);
    if (!status) status = check_strength(identity, crt_field, error);
    if (status)
        casehook__identity_free(identity);
    else
        *out = identity;
    return status;
}

/* ---- for hosts with their own client --------------------------------------------------------- */

static int append_bio(struct casehook__buf *buf, BIO *bio)
{
    char *data = NULL;
    long length = BIO_get_mem_data(bio, &data);
    return casehook__buf_append(buf, data, length > 0 ? (size_t)length : 0);
}

/* BIO_s_secmem: what it grew out of and what it held is wiped, secure heap or not. */
static int write_key(const struct casehook__identity *identity, struct casehook__buf *key)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    int status = CASEHOOK_E_NO_MEMORY;
    if (bio && PEM_write_bio_PKCS8PrivateKey(bio, identity->key, NULL, NULL, 0, NULL, NULL) == 1)
        status = append_bio(key, bio);
    BIO_free(bio);
    return status;
}

static int write_certificates(const struct casehook__identity *identity, struct casehook__buf *crt)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int status = CASEHOOK_E_NO_MEMORY;
    bool written = bio && PEM_write_bio_X509(bio, identity->crt) == 1;
    for (int i = 0; written && i < sk_X509_num(identity->chain); i++)
        written = PEM_write_bio_X509(bio, sk_X509_value(identity->chain, i)) == 1;
    if (written) status = append_bio(crt, bio);
    BIO_free(bio);
    return status;
}

int casehook__identity_to_pem(const struct casehook__identity *identity, struct casehook__buf *crt,
                              struct casehook__buf *key)
{
    casehook__tls_begin();
    int status = write_certificates(identity, crt);
    if (!status) status = write_key(identity, key);
    casehook__tls_end();
    return status;
}
