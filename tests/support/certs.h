/*
 * certs.h - keys and certificates for tests, made when the test runs.
 *
 * A set holds certificates by name and files by name.  A certificate NAME gives the files NAME.crt and
 * NAME.key (PKCS#8, unencrypted); the rest is added with certs_pfx(), certs_encrypted_key() or
 * certs_add_file(). Whatever cannot be made ends the program with a message: a test has no use for half a
 * set.
 */
#ifndef TESTS_CERTS_H
#define TESTS_CERTS_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

struct certs;

/* All that is NULL or 0 is the default. */
struct certs_spec {
    const char *name;
    const char *subject; /* "O=Example, CN=localhost"; default "CN=NAME" */
    const char *issuer;  /* name of one made before; NULL or "self": itself */
    const char *const
        *san; /* "DNS:a.example", "IP:127.0.0.1", NULL at the end; "\0" written as backslash 0 */
    bool ca;  /* CA:TRUE and keyCertSign; else CA:FALSE */
    const char *not_before; /* "2024-01-01", the default */
    const char *not_after;  /* "2044-01-01", the default */
    const char *eku;        /* "serverAuth", "clientAuth,serverAuth"; NULL: none */
    int rsa_bits;           /* 0: EC P-256 */
    const char *digest;     /* of the signature, "SHA256" */
    const char *key_of;     /* use the key of this certificate instead of a new one */
};

struct certs_pfx_spec {
    const char *name;         /* of the file, "cli1.p12" */
    const char *cert;         /* its certificate and key */
    const char *key;          /* key of another certificate; NULL: of cert */
    const char *second_key;   /* key of yet another certificate, added behind the first; or NULL */
    const char *passphrase;   /* NULL and "" are two different keys in PKCS#12 */
    const char *const *extra; /* certificates to add, NULL at the end */
    int key_nid, cert_nid;    /* NID_pbe_...; 0: AES-256-CBC (PBES2), -1: not encrypted */
    int iterations;           /* 0: 2048 */
    int mac_iterations;       /* 0: 2048, -1: no MAC */
    const char *mac_digest;   /* "SHA256" */
};

struct certs *certs_new(void);
/*
 * The "recipes" object of a vectors file as JSON text: {"certs": {NAME: {subject, issuer, ca, san,
 * not_before, not_after, extended_key_usage}}, "files": {NAME: description}}.  NULL when it is not of that
 * shape.
 */
struct certs *certs_make_recipe(const char *json);
void certs_free(struct certs *certs);

void certs_make(struct certs *certs, const struct certs_spec *spec);
void certs_pfx(struct certs *certs, const struct certs_pfx_spec *spec);
/* The key of cert as encrypted PKCS#8 PEM (PBES2; cipher "AES-256-CBC" when NULL). */
void certs_encrypted_key(struct certs *certs, const char *name, const char *cert, const char *cipher,
                         const char *passphrase);
/* The key of cert in the form of before PKCS#8 ("EC PRIVATE KEY"), encrypted unless passphrase is NULL. */
void certs_traditional_key(struct certs *certs, const char *name, const char *cert, const char *passphrase);
void certs_add_file(struct certs *certs, const char *name, const void *data, size_t length);

/* Borrowed; NULL when there is none of that name. */
X509 *certs_x509(const struct certs *certs, const char *name);
EVP_PKEY *certs_pkey(const struct certs *certs, const char *name);
/* The content of a file, "cli1.crt", "cli1.pass.p12", with a NUL behind it; length may be NULL. */
const char *certs_file(const struct certs *certs, const char *name, size_t *length);
/* Files joined, "ca1.crt+ca2.crt"; to be freed by the caller.  NULL when one is missing. */
char *certs_join(const struct certs *certs, const char *names, size_t *length);
/* Writes all files to a folder, mode 0600.  false: one could not be written. */
bool certs_write(const struct certs *certs, const char *folder);

/* Whether this OpenSSL has its legacy provider; without it RC2 and single DES cannot be made. */
bool certs_have_legacy(void);

#endif
