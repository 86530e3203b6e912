/* certs_set.h - what a set of certificates is made of, for certs*.c alone. */
#ifndef TESTS_CERTS_SET_H
#define TESTS_CERTS_SET_H

#include "certs.h"

struct certs_entry {
    struct certs_entry *next;
    char *name;
    X509 *x509;
    EVP_PKEY *key;
};

struct certs_blob {
    struct certs_blob *next;
    char *name;
    char *data;
    size_t length;
};

struct certs {
    struct certs_entry *entries;
    struct certs_blob *files;
};

/* Ends the program when ok is false, with OpenSSL's errors. */
void certs_must(bool ok, const char *what, const char *name);
/* The content of a memory BIO becomes a file; the BIO is freed. */
void certs_add_bio(struct certs *certs, const char *name, BIO *bio);

#endif
