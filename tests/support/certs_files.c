/* certs_files.c - keys and certificates for tests: PKCS#12 and key files, and the recipes of vectors. */
#include "certs_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>

/* RC2 and single DES live in the legacy provider; the default context of the test stays without it. */
struct legacy {
    OSSL_LIB_CTX *context;
    OSSL_PROVIDER *legacy, *standard;
};

static void legacy_close(struct legacy *legacy)
{
    OSSL_PROVIDER_unload(legacy->legacy);
    OSSL_PROVIDER_unload(legacy->standard);
    OSSL_LIB_CTX_free(legacy->context);
}

static bool legacy_open(struct legacy *legacy)
{
    *legacy = (struct legacy){.context = OSSL_LIB_CTX_new()};
    if (legacy->context) {
        ERR_set_mark();
        legacy->legacy = OSSL_PROVIDER_load(legacy->context, "legacy");
        legacy->standard = OSSL_PROVIDER_load(legacy->context, "default");
        ERR_pop_to_mark();
    }
    if (legacy->legacy && legacy->standard) return true;
    legacy_close(legacy);
    *legacy = (struct legacy){0};
    return false;
}

bool certs_have_legacy(void)
{
    struct legacy legacy;
    bool have = legacy_open(&legacy);
    if (have) legacy_close(&legacy);
    return have;
}

static STACK_OF(X509) * extra_certificates(const struct certs *certs, const struct certs_pfx_spec *spec)
{
    if (!spec->extra || !spec->extra[0]) return NULL;
    STACK_OF(X509) *extra = sk_X509_new_null();
    for (size_t i = 0; spec->extra[i]; i++) {
        X509 *x509 = certs_x509(certs, spec->extra[i]);
        certs_must(x509 && sk_X509_push(extra, x509) > 0, "an extra certificate", spec->name);
    }
    return extra;
}

static void add_second_key(const struct certs *certs, PKCS12 *p12, const struct certs_pfx_spec *spec)
{
    STACK_OF(PKCS7) *safes = PKCS12_unpack_authsafes(p12);
    STACK_OF(PKCS12_SAFEBAG) *bags = NULL;
    EVP_PKEY *key = certs_pkey(certs, spec->second_key);
    certs_must(key && safes && PKCS12_add_key(&bags, key, 0, 2048, NID_aes_256_cbc, spec->passphrase) &&
                   PKCS12_add_safe(&safes, bags, -1, 0, NULL) && PKCS12_pack_authsafes(p12, safes),
               "a second key", spec->name);
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
    sk_PKCS7_pop_free(safes, PKCS7_free);
}

void certs_pfx(struct certs *certs, const struct certs_pfx_spec *spec)
{
    struct legacy legacy;
    certs_must(legacy_open(&legacy), "a file without the legacy provider", spec->name);
    int iterations = spec->iterations ? spec->iterations : 2048;
    int mac_iterations = spec->mac_iterations ? spec->mac_iterations : 2048;
    X509 *x509 = spec->cert ? certs_x509(certs, spec->cert) : NULL;
    EVP_PKEY *key = certs_pkey(certs, spec->key ? spec->key : spec->cert ? spec->cert : "");
    STACK_OF(X509) *extra = extra_certificates(certs, spec);
    PKCS12 *p12 = NULL;
    /* PKCS12_create refuses a key of another certificate, so such a file has no certificate of its own. */
    if (spec->key && spec->cert) {
        if (!extra) extra = sk_X509_new_null();
        certs_must(extra && sk_X509_push(extra, x509) > 0, "a certificate", spec->name);
        x509 = NULL;
    }
    p12 = PKCS12_create_ex(spec->passphrase, NULL, key, x509, extra, spec->key_nid, spec->cert_nid,
                           iterations, -1, 0, legacy.context, NULL);
    certs_must(p12 != NULL, "PKCS#12", spec->name);
    if (spec->second_key) add_second_key(certs, p12, spec);
    const EVP_MD *digest = EVP_get_digestbyname(spec->mac_digest ? spec->mac_digest : "SHA256");
    if (mac_iterations > 0)
        certs_must(PKCS12_set_mac(p12, spec->passphrase, -1, NULL, 0, mac_iterations, digest) == 1, "a MAC",
                   spec->name);
    BIO *bio = BIO_new(BIO_s_mem());
    certs_must(bio && i2d_PKCS12_bio(bio, p12), "PKCS#12", spec->name);
    certs_add_bio(certs, spec->name, bio);
    PKCS12_free(p12);
    sk_X509_free(extra);
    legacy_close(&legacy);
}

void certs_encrypted_key(struct certs *certs, const char *name, const char *cert, const char *cipher,
                         const char *passphrase)
{
    EVP_PKEY *key = certs_pkey(certs, cert);
    const EVP_CIPHER *type = EVP_get_cipherbyname(cipher ? cipher : "AES-256-CBC");
    BIO *bio = BIO_new(BIO_s_mem());
    certs_must(
        key && type && bio &&
            PEM_write_bio_PKCS8PrivateKey(bio, key, type, passphrase, (int)strlen(passphrase), NULL, NULL),
        "an encrypted key", name);
    certs_add_bio(certs, name, bio);
}

void certs_traditional_key(struct certs *certs, const char *name, const char *cert, const char *passphrase)
{
    EVP_PKEY *key = certs_pkey(certs, cert);
    BIO *bio = BIO_new(BIO_s_mem());
    certs_must(key && bio &&
                   PEM_write_bio_PrivateKey_traditional(bio, key, passphrase ? EVP_aes_256_cbc() : NULL,
                                                        (const unsigned char *)passphrase,
                                                        passphrase ? (int)strlen(passphrase) : 0, NULL, NULL),
               "a traditional key", name);
    certs_add_bio(certs, name, bio);
}

/* ---- recipes --------------------------------------------------------------------------------- */

#define MAX_NAMES 32

static bool recipe_cert(struct certs *certs, const char *name, json_t *recipe)
{
    const char *san[MAX_NAMES + 1] = {0};
    json_t *names = json_object_get(recipe, "san");
    if (json_array_size(names) > MAX_NAMES) return false;
    for (size_t i = 0; i < json_array_size(names); i++) san[i] = json_string_value(json_array_get(names, i));
    struct certs_spec spec = {
        .name = name,
        .subject = json_string_value(json_object_get(recipe, "subject")),
        .issuer = json_string_value(json_object_get(recipe, "issuer")),
        .san = san,
        .ca = json_is_true(json_object_get(recipe, "ca")),
        .not_before = json_string_value(json_object_get(recipe, "not_before")),
        .not_after = json_string_value(json_object_get(recipe, "not_after")),
        .eku = json_string_value(json_object_get(recipe, "extended_key_usage")),
    };
    if (!spec.eku && !spec.ca) spec.eku = strncmp(name, "cli", 3) == 0 ? "clientAuth" : "serverAuth";
    if (spec.issuer && strcmp(spec.issuer, "self") != 0 && !certs_x509(certs, spec.issuer)) return false;
    certs_make(certs, &spec);
    return true;
}

/* The recipes describe files in prose: the ending of the name decides, the passphrase is in the text. */
static bool recipe_file(struct certs *certs, const char *name, const char *text)
{
    char base[128], passphrase[64] = "";
    snprintf(base, sizeof base, "%.*s", (int)strcspn(name, "."), name);
    const char *ending = name + strlen(base), *word = strstr(text, ", passphrase ");
    if (word) sscanf(word, ", passphrase %63[^ ,.;]", passphrase);
    if (!certs_x509(certs, base)) return false;
    struct certs_pfx_spec spec = {.name = name, .cert = base, .passphrase = passphrase};
    const char *extra[2] = {NULL, NULL};
    char ca[128] = "";
    if (strcmp(ending, ".enc.key") == 0) {
        certs_encrypted_key(certs, name, base, NULL, passphrase);
        return true;
    }
    if (strcmp(ending, ".withca.p12") == 0) {
        const char *with = strstr(text, " with ");
        if (!with || sscanf(with, " with %127[^ ,]", ca) != 1 || !certs_x509(certs, ca)) return false;
        extra[0] = ca;
        spec.extra = extra;
    } else if (strcmp(ending, ".legacy.p12") == 0) {
        spec.cert_nid = NID_pbe_WithSHA1And40BitRC2_CBC;
        spec.key_nid = NID_pbe_WithSHA1And3_Key_TripleDES_CBC;
        spec.mac_digest = "SHA1";
    } else if (strcmp(ending, ".3des.p12") == 0) {
        spec.cert_nid = spec.key_nid = NID_pbe_WithSHA1And3_Key_TripleDES_CBC;
        spec.mac_digest = "SHA1";
    } else if (strcmp(ending, ".pass.p12") != 0 && strcmp(ending, ".nopass.p12") != 0) {
        return false;
    }
    certs_pfx(certs, &spec);
    return true;
}

struct certs *certs_make_recipe(const char *json)
{
    struct certs *certs = certs_new();
    json_t *root = json_loads(json, 0, NULL), *recipe;
    const char *name;
    bool ok = root != NULL;
    json_object_foreach(json_object_get(root, "certs"), name, recipe) {
        ok = ok && recipe_cert(certs, name, recipe);
    }
    json_object_foreach(json_object_get(root, "files"), name, recipe) {
        ok = ok && json_is_string(recipe) && recipe_file(certs, name, json_string_value(recipe));
    }
    json_decref(root);
    if (ok) return certs;
    certs_free(certs);
    return NULL;
}
