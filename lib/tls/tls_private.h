/*
 * tls_private.h - what the tls*.c files share; the only header that includes OpenSSL.
 *
 * OpenSSL's error queue belongs to the host's thread as well: every entry point of tls.h does its work
 * between casehook__tls_begin() and casehook__tls_end().
 */
#ifndef CASEHOOK_TLS_PRIVATE_H
#define CASEHOOK_TLS_PRIVATE_H

#include "tls/tls.h"

#include <stdatomic.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

/* RSA of 2,048 bits, EC of 224, SHA-2: OpenSSL's words for 112 bits of security. */
#define CASEHOOK__SECURITY_LEVEL 2
/*
 * Key derivation rounds for all that one file makes us do: about a second.  Common files have 2,048 to
 * 100,000, careful ones 600,000.
 */
#define CASEHOOK__PBE_MAX_ITERATIONS 2000000
#define CASEHOOK__CHAIN_MAX          100 /* certificates in a client's file */

struct casehook__trust {
    atomic_int references;
    struct casehook__heap *heap;
    X509_STORE *store;
};

struct casehook__identity {
    struct casehook__heap *heap; /* borrowed */
    X509 *crt;
    EVP_PKEY *key;
    STACK_OF(X509) * chain; /* those that vouch for crt, from its issuer upward */
};

/* ---- tls_pem.c ------------------------------------------------------------------------------- */

/* One "-----BEGIN LABEL-----" ... "-----END LABEL-----"; text around blocks does not count. */
struct casehook__pem {
    struct casehook__text label;
    struct casehook__text whole; /* up to the end of the text when there is no END line */
};

/* Takes the next block off rest; false: no more. */
bool casehook__pem_next(struct casehook__text *rest, struct casehook__pem *block);
bool casehook__pem_is_certificate(const struct casehook__pem *block);
/* Of any kind, encrypted or not. */
bool casehook__pem_is_key(const struct casehook__pem *block);
/* Encrypted in the way of before PKCS#8 (Proc-Type). */
bool casehook__pem_has_cipher(const struct casehook__pem *block);
/* Trust settings inside ("TRUSTED CERTIFICATE") are kept.  NULL: damaged, or no memory. */
X509 *casehook__pem_certificate(const struct casehook__pem *block);
size_t casehook__pem_count_certificates(struct casehook__text text);

/* ---- tls_ca.c -------------------------------------------------------------------------------- */

/* One certificate in DER and nothing behind it, or NULL. */
X509 *casehook__der_certificate(struct casehook__text content);
/* The same as PEM.  CONFIG: it is not DER. */
int casehook__der_to_pem(struct casehook__text content, struct casehook__buf *pem);
/* What a text is that should hold certificates and holds none: "is empty", "is a script" ... */
const char *casehook__ca_explain(struct casehook__text content);

/* ---- tls_crt.c ------------------------------------------------------------------------------- */

/* The first key of a PEM text; "secrets.key" and "secrets.password" are the fields of its errors. */
int casehook__key_read(struct casehook__text text, struct casehook__text passphrase, EVP_PKEY **key,
                       struct casehook_error *error);

/* ---- tls_text.c ------------------------------------------------------------------------------ */

#define CASEHOOK__DATE_SIZE 32

/* What OpenSSL's error queue held before begin is neither seen nor lost after end.  They nest. */
void casehook__tls_begin(void);
void casehook__tls_end(void);
/* Whether OpenSSL's last error was lack of memory. */
bool casehook__tls_no_memory(void);
/* NO_MEMORY when OpenSSL ran out of it, else CONFIG with this field and message. */
int casehook__tls_fail(struct casehook_error *error, const char *field, const char *format, ...)
    CASEHOOK__FORMAT(3, 4);
/* "2026-01-31 12:00 UTC" */
void casehook__tls_date(char text[CASEHOOK__DATE_SIZE], const ASN1_TIME *time);
/* "O=Example, CN=localhost"; cut at size, printable. */
void casehook__tls_subject(char *text, size_t size, const X509_NAME *name);
/* "a.example, 10.0.0.1": the alternative names, without any the common name. */
void casehook__tls_names(char *text, size_t size, const X509 *x509);

/* ---- tls_identity.c -------------------------------------------------------------------------- */

#define CASEHOOK__KEYS_MAX 16

/* What a file held. */
struct casehook__parts {
    STACK_OF(X509) * certificates;
    EVP_PKEY *keys[CASEHOOK__KEYS_MAX];
    size_t key_count;
};

void casehook__parts_free(struct casehook__parts *parts);
/* Takes key, also on failure. */
int casehook__parts_add_key(struct casehook__parts *parts, EVP_PKEY *key, struct casehook_error *error);
int casehook__parts_add_certificate(struct casehook__parts *parts, X509 *x509, struct casehook_error *error);
/* The first certificate with a key of its own, checked (dates, strength); the fields are for errors. */
int casehook__identity_assemble(struct casehook__heap *heap, const struct casehook__parts *parts,
                                const char *crt_field, const char *key_field,
                                struct casehook__identity **identity, struct casehook_error *error);

/* ---- tls_pbe.c ------------------------------------------------------------------------------- */

/* Opens what is encrypted with a passphrase, legacy algorithms in a context of its own. */
struct casehook__pbe {
    struct casehook__text passphrase; /* data NULL: none, which is not the same as "" */
    const char *field, *what;         /* "secrets.key", "the private key" */
    uint64_t iterations;              /* worked through so far */
    OSSL_LIB_CTX *context;            /* NULL until needed */
    OSSL_PROVIDER *standard, *legacy;
    bool wrong; /* the last failure was the passphrase's */
};

void casehook__pbe_free(struct casehook__pbe *pbe);
/* The iterations that it asks for; what cannot be read by OpenSSL either costs nothing. */
uint64_t casehook__pbe_cost(const X509_ALGOR *algorithm);
/* Adds to iterations; CONFIG when that is over the limit. */
int casehook__pbe_count(struct casehook__pbe *pbe, uint64_t iterations, struct casehook_error *error);
/*
 * Decrypts and decodes data into *out, an ASN.1 object that refers to no library context.  Errors:
 * NO_MEMORY, CONFIG (wrong passphrase, too many iterations, algorithm not to be had).
 */
int casehook__pbe_open(struct casehook__pbe *pbe, const X509_ALGOR *algorithm, const ASN1_ITEM *item,
                       const ASN1_OCTET_STRING *data, void **out, struct casehook_error *error);
/* The same for an encrypted key (PKCS#8), down to the key. */
int casehook__pbe_open_key(struct casehook__pbe *pbe, const X509_SIG *encrypted, EVP_PKEY **key,
                           struct casehook_error *error);
/* A key that was not, or no longer is, encrypted. */
int casehook__key_from_pkcs8(const PKCS8_PRIV_KEY_INFO *info, const char *field, EVP_PKEY **key,
                             struct casehook_error *error);

#endif
