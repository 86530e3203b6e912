/* tls_context.c - a certificate with its chain, its key, and the clients that are wanted. */
#include "tls_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>

static BIO *open_text(const char *text)
{
    return BIO_new_mem_buf(text ? text : "", -1);
}

static int use_certificates(SSL_CTX *context, const char *pem)
{
    BIO *bio = open_text(pem);
    X509 *own = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    int ok = own && SSL_CTX_use_certificate(context, own) == 1;
    X509_free(own);
    for (X509 *next; ok && (next = PEM_read_bio_X509(bio, NULL, NULL, NULL));)
        ok = SSL_CTX_add0_chain_cert(context, next) == 1;
    if (ok) ERR_clear_error(); /* reading ended at the end */
    BIO_free(bio);
    return ok;
}

static int use_key(SSL_CTX *context, const char *pem)
{
    BIO *bio = open_text(pem);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    int ok = key && SSL_CTX_use_PrivateKey(context, key) == 1;
    EVP_PKEY_free(key);
    BIO_free(bio);
    return ok;
}

static int demand_client(SSL_CTX *context, const struct http_tls *tls)
{
    if (!tls->client_ca) return 1;
    int mode = SSL_VERIFY_PEER | (tls->client_optional ? 0 : SSL_VERIFY_FAIL_IF_NO_PEER_CERT);
    BIO *bio = open_text(tls->client_ca);
    X509 *ca = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    int ok = ca && X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca) == 1 &&
             SSL_CTX_add_client_CA(context, ca) == 1;
    SSL_CTX_set_verify(context, mode, NULL);
    X509_free(ca);
    BIO_free(bio);
    return ok;
}

SSL_CTX *tls_context_new(const struct http_tls *tls)
{
    static const unsigned char id[] = "tests"; /* without one, resumption with client certificates fails */
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context && use_certificates(context, tls->certificate) && use_key(context, tls->key) &&
        demand_client(context, tls) && SSL_CTX_set_min_proto_version(context, tls->min_version) == 1 &&
        SSL_CTX_set_max_proto_version(context, tls->max_version) == 1 &&
        SSL_CTX_set_session_id_context(context, id, sizeof id - 1) == 1)
        return context;
    ERR_print_errors_fp(stderr);
    SSL_CTX_free(context);
    return NULL;
}
