/* tls_ca.c - what a text that should be CA certificates holds: PEM, DER, or something else (C3). */
#include "tls/tls_private.h"

#include <limits.h>

#include <openssl/pkcs12.h>

X509 *casehook__der_certificate(struct casehook__text content)
{
    const unsigned char *at = (const unsigned char *)content.data;
    if (content.length == 0 || content.length > LONG_MAX) return NULL;
    X509 *x509 = d2i_X509(NULL, &at, (long)content.length);
    if (x509 && (const char *)at == content.data + content.length) return x509;
    X509_free(x509);
    return NULL;
}

int casehook__der_to_pem(struct casehook__text der, struct casehook__buf *pem)
{
    int status = CASEHOOK_E_CONFIG;
    char *text = NULL;
    X509 *x509 = casehook__der_certificate(der);
    BIO *bio = x509 ? BIO_new(BIO_s_mem()) : NULL;
    if (bio && PEM_write_bio_X509(bio, x509)) {
        long length = BIO_get_mem_data(bio, &text);
        status = casehook__buf_append(pem, text, (size_t)length);
    } else if (x509) {
        status = CASEHOOK_E_NO_MEMORY;
    }
    BIO_free(bio);
    X509_free(x509);
    return status;
}

static bool is_pkcs12(struct casehook__text content)
{
    const unsigned char *at = (const unsigned char *)content.data;
    PKCS12 *pfx =
        content.length && content.length <= LONG_MAX ? d2i_PKCS12(NULL, &at, (long)content.length) : NULL;
    PKCS12_free(pfx);
    return pfx != NULL;
}

static bool starts(struct casehook__text content, const char *with)
{
    size_t length = strlen(with);
    return content.length >= length && memcmp(content.data, with, length) == 0;
}

const char *casehook__ca_explain(struct casehook__text content)
{
    struct casehook__text rest = content;
    struct casehook__pem block;
    if (casehook__text_trim(content).length == 0) return "is empty";
    if (casehook__pem_next(&rest, &block))
        return casehook__pem_is_key(&block)
                   ? "holds a private key and no certificate; name the CA's certificate, and keep the key "
                     "away"
                   : "holds no certificate, but something else in PEM form (a request, a key, a list)";
    if (is_pkcs12(content)) return "is a PKCS#12 file (PFX); CAs are certificates in PEM or DER form";
    if (starts(content, "#!")) return "is a script";
    if (starts(content, "ssh-")) return "is a key of SSH";
    if (starts(content, "<")) return "is HTML or XML";
    return "holds no certificate in PEM form (-----BEGIN CERTIFICATE-----) and is none in DER";
}
