/* tls_crt.c - a client certificate and its key from PEM text. */
#include "tls/tls_private.h"

#include <limits.h>

#define CRT_FIELD "secrets.crt"
#define KEY_FIELD "secrets.key"

/* OpenSSL asks here and never on the terminal. */
static int give_passphrase(char *into, int size, int writing, void *user)
{
    const struct casehook__text *passphrase = user;
    (void)writing;
    if (!passphrase->data || passphrase->length > (size_t)size) return -1;
    if (passphrase->length) memcpy(into, passphrase->data, passphrase->length);
    return (int)passphrase->length;
}

static int read_certificates(struct casehook__text crt, struct casehook__parts *parts,
                             struct casehook_error *error)
{
    struct casehook__text rest = crt;
    struct casehook__pem block;
    int status = CASEHOOK_OK, number = 0;
    while (!status && casehook__pem_next(&rest, &block)) {
        if (!casehook__pem_is_certificate(&block)) continue;
        X509 *x509 = casehook__pem_certificate(&block);
        number++;
        if (x509)
            status = casehook__parts_add_certificate(parts, x509, error);
        else
            status = casehook__tls_fail(error, CRT_FIELD,
                                        "certificate %d of %zu cannot be read: it is damaged or cut off",
                                        number, casehook__pem_count_certificates(crt));
    }
    if (!status && number == 0)
        status = casehook__tls_fail(error, CRT_FIELD,
                                    "holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)");
    if (status == CASEHOOK_E_CONFIG) casehook__error_set_field(error, CRT_FIELD);
    return status;
}

static int fail_needs_passphrase(struct casehook_error *error)
{
    return casehook__tls_fail(error, "secrets.password",
                              "the private key is encrypted: give its passphrase in secrets.password");
}

/* "ENCRYPTED PRIVATE KEY" */
static int read_encrypted(BIO *bio, struct casehook__text passphrase, EVP_PKEY **key,
                          struct casehook_error *error)
{
    struct casehook__pbe pbe = {.passphrase = passphrase, .field = KEY_FIELD, .what = "the private key"};
    X509_SIG *encrypted = PEM_read_bio_PKCS8(bio, NULL, give_passphrase, &passphrase);
    int status = CASEHOOK_OK;
    if (!encrypted)
        status =
            casehook__tls_fail(error, KEY_FIELD, "the private key cannot be read: it is damaged or cut off");
    else if (passphrase.length == 0)
        status = fail_needs_passphrase(error);
    else
        status = casehook__pbe_open_key(&pbe, encrypted, key, error);
    X509_SIG_free(encrypted);
    casehook__pbe_free(&pbe);
    return status;
}

/* PKCS#8 without encryption, and the forms of before ("EC PRIVATE KEY"), which may be encrypted. */
static int read_plain(BIO *bio, const struct casehook__pem *block, struct casehook__text passphrase,
                      EVP_PKEY **key, struct casehook_error *error)
{
    bool encrypted = casehook__pem_has_cipher(block);
    if (encrypted && passphrase.length == 0) return fail_needs_passphrase(error);
    *key = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, &passphrase);
    if (*key) return CASEHOOK_OK;
    if (encrypted)
        return casehook__tls_fail(error, "secrets.password",
                                  "the passphrase does not open the private key (or the key is damaged)");
    return casehook__tls_fail(error, KEY_FIELD,
                              "the private key cannot be read: it is damaged, cut off or of an unknown type");
}

int casehook__key_read(struct casehook__text text, struct casehook__text passphrase, EVP_PKEY **key,
                       struct casehook_error *error)
{
    struct casehook__text rest = text;
    struct casehook__pem block;
    bool found = false;
    *key = NULL;
    while (!found && casehook__pem_next(&rest, &block)) found = casehook__pem_is_key(&block);
    if (!found)
        return casehook__tls_fail(error, KEY_FIELD,
                                  "holds no private key in PEM form (-----BEGIN PRIVATE KEY-----)");
    if (block.whole.length > INT_MAX) return casehook__fail_memory(error);
    BIO *bio = BIO_new_mem_buf(block.whole.data, (int)block.whole.length);
    if (!bio) return casehook__fail_memory(error);
    bool encrypted = casehook__text_is(block.label, "ENCRYPTED PRIVATE KEY");
    int status = encrypted ? read_encrypted(bio, passphrase, key, error)
                           : read_plain(bio, &block, passphrase, key, error);
    BIO_free(bio);
    return status;
}

int casehook__key_check(struct casehook__text key_text, struct casehook__text passphrase,
                        struct casehook_error *error)
{
    EVP_PKEY *key = NULL;
    casehook__tls_begin();
    int status = casehook__key_read(key_text, passphrase, &key, error);
    EVP_PKEY_free(key);
    casehook__tls_end();
    return status;
}

int casehook__identity_from_pem(struct casehook__heap *heap, struct casehook__text crt,
                                struct casehook__text key_text, struct casehook__text passphrase,
                                struct casehook__identity **identity, struct casehook_error *error)
{
    struct casehook__parts parts = {0};
    EVP_PKEY *key = NULL;
    *identity = NULL;
    casehook__tls_begin();
    int status = read_certificates(crt, &parts, error);
    if (!status) status = casehook__key_read(key_text, passphrase, &key, error);
    if (!status) status = casehook__parts_add_key(&parts, key, error);
    if (!status) status = casehook__identity_assemble(heap, &parts, CRT_FIELD, KEY_FIELD, identity, error);
    casehook__parts_free(&parts);
    casehook__tls_end();
    return status;
}
