/* tls_pbe.c - opens what a passphrase encrypts: bounded work, legacy algorithms in a context of their own. */
#include "tls/tls_private.h"

#include <limits.h>

#include <openssl/pkcs12.h>
#include <openssl/provider.h>

void casehook__pbe_free(struct casehook__pbe *pbe)
{
    if (pbe->legacy) OSSL_PROVIDER_unload(pbe->legacy);
    if (pbe->standard) OSSL_PROVIDER_unload(pbe->standard);
    OSSL_LIB_CTX_free(pbe->context);
    pbe->context = NULL;
    pbe->legacy = pbe->standard = NULL;
}

/* A provider is code: it comes from where OpenSSL was built for, whatever OPENSSL_MODULES says. */
static void set_module_folder(OSSL_LIB_CTX *context)
{
    const char *text = OPENSSL_info(OPENSSL_INFO_MODULES_DIR);
    if (text) OSSL_PROVIDER_set_default_search_path(context, text);
}

/* Without the legacy provider the context stays, and what needs it fails as unsupported. */
static bool open_context(struct casehook__pbe *pbe)
{
    if (pbe->context) return true;
    pbe->context = OSSL_LIB_CTX_new();
    if (!pbe->context) return false;
    set_module_folder(pbe->context);
    pbe->legacy = OSSL_PROVIDER_load(pbe->context, "legacy");
    pbe->standard = OSSL_PROVIDER_load(pbe->context, "default");
    return pbe->standard != NULL;
}

int casehook__pbe_count(struct casehook__pbe *pbe, uint64_t iterations, struct casehook_error *error)
{
    uint64_t left = CASEHOOK__PBE_MAX_ITERATIONS - pbe->iterations;
    if (iterations <= left) {
        pbe->iterations += iterations;
        return CASEHOOK_OK;
    }
    casehook__error_set_field(error, pbe->field);
    return casehook__fail(error, CASEHOOK_E_CONFIG,
                          "%s asks for more than %d iterations to be opened: write it with fewer", pbe->what,
                          CASEHOOK__PBE_MAX_ITERATIONS);
}

/* Negative and oversized numbers count as endless. */
static uint64_t number(const ASN1_INTEGER *integer)
{
    uint64_t value = 0;
    return integer && ASN1_INTEGER_get_uint64(&value, integer) ? value : UINT64_MAX;
}

static uint64_t scrypt_cost(const ASN1_TYPE *parameter)
{
    uint64_t cost = 1;
#ifndef OPENSSL_NO_SCRYPT
    SCRYPT_PARAMS *scrypt = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(SCRYPT_PARAMS), parameter);
    if (!scrypt) return 1;
    const ASN1_INTEGER *factors[] = {scrypt->costParameter, scrypt->blockSize,
                                     scrypt->parallelizationParameter};
    for (size_t i = 0; i < 3; i++) {
        uint64_t factor = number(factors[i]);
        cost = factor && cost > UINT64_MAX / factor ? UINT64_MAX : cost * factor;
    }
    SCRYPT_PARAMS_free(scrypt);
#endif
    return cost;
}

static uint64_t pbes2_cost(const ASN1_TYPE *parameter)
{
    uint64_t cost = 1;
    PBE2PARAM *pbe2 = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), parameter);
    if (!pbe2) return 1;
    const ASN1_TYPE *derivation = pbe2->keyfunc->parameter;
    if (OBJ_obj2nid(pbe2->keyfunc->algorithm) == NID_id_scrypt) {
        cost = scrypt_cost(derivation);
    } else {
        PBKDF2PARAM *pbkdf2 = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), derivation);
        if (pbkdf2) cost = number(pbkdf2->iter);
        PBKDF2PARAM_free(pbkdf2);
    }
    PBE2PARAM_free(pbe2);
    return cost;
}

uint64_t casehook__pbe_cost(const X509_ALGOR *algorithm)
{
    const ASN1_OBJECT *object = NULL;
    const void *value = NULL;
    int type = 0;
    uint64_t cost = 1;
    X509_ALGOR_get0(&object, &type, &value, algorithm);
    if (type != V_ASN1_SEQUENCE) return 1;
    /* PBMAC1 (RFC 9579) says in the same way how its key is made. */
    if (OBJ_obj2nid(object) == NID_pbes2 || OBJ_obj2nid(object) == NID_pbmac1)
        return pbes2_cost(algorithm->parameter);
    PBEPARAM *pbe = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBEPARAM), algorithm->parameter);
    if (pbe) cost = number(pbe->iter);
    PBEPARAM_free(pbe);
    return cost;
}

/* An algorithm that could not be set up; a wrong passphrase is only found at the end of decryption. */
static bool last_error_is_unsupported(void)
{
    unsigned long last = ERR_peek_last_error();
    return ERR_GET_REASON(last) == ERR_R_UNSUPPORTED || ERR_GET_LIB(last) == ERR_LIB_EVP;
}

static void *decrypt(const struct casehook__pbe *pbe, const X509_ALGOR *algorithm, const ASN1_ITEM *item,
                     const ASN1_OCTET_STRING *data, OSSL_LIB_CTX *context)
{
    if (pbe->passphrase.length > INT_MAX) return NULL;
    return PKCS12_item_decrypt_d2i_ex(algorithm, item, pbe->passphrase.data, (int)pbe->passphrase.length,
                                      data, 1, context, NULL);
}

static int fail_unsupported(const struct casehook__pbe *pbe, const X509_ALGOR *algorithm,
                            struct casehook_error *error)
{
    char name[80];
    const ASN1_OBJECT *object = NULL;
    X509_ALGOR_get0(&object, NULL, NULL, algorithm);
    OBJ_obj2txt(name, sizeof name, object, 0);
    return casehook__tls_fail(
        error, pbe->field, "%s is encrypted with an algorithm (%s) that %s; %s", pbe->what, name,
        pbe->context && !pbe->legacy ? "needs OpenSSL's legacy provider, which is not installed"
                                     : "this OpenSSL does not have",
        "encrypt it with AES-256 instead (openssl pkcs12 or openssl pkcs8)");
}

int casehook__pbe_open(struct casehook__pbe *pbe, const X509_ALGOR *algorithm, const ASN1_ITEM *item,
                       const ASN1_OCTET_STRING *data, void **out, struct casehook_error *error)
{
    *out = NULL;
    pbe->wrong = false;
    int status = casehook__pbe_count(pbe, casehook__pbe_cost(algorithm), error);
    if (status) return status;
    *out = decrypt(pbe, algorithm, item, data, NULL);
    if (!*out && last_error_is_unsupported() && open_context(pbe))
        *out = decrypt(pbe, algorithm, item, data, pbe->context);
    if (*out) return CASEHOOK_OK;
    if (last_error_is_unsupported()) return fail_unsupported(pbe, algorithm, error);
    status =
        casehook__tls_fail(error, "secrets.password",
                           "the passphrase does not open %s (or its encrypted part is damaged)", pbe->what);
    pbe->wrong = status == CASEHOOK_E_CONFIG;
    return status;
}

int casehook__key_from_pkcs8(const PKCS8_PRIV_KEY_INFO *info, const char *field, EVP_PKEY **key,
                             struct casehook_error *error)
{
    *key = info ? EVP_PKCS82PKEY(info) : NULL;
    if (*key) return CASEHOOK_OK;
    return casehook__tls_fail(error, field,
                              "the private key is damaged or of a type that this OpenSSL does not have");
}

int casehook__pbe_open_key(struct casehook__pbe *pbe, const X509_SIG *encrypted, EVP_PKEY **key,
                           struct casehook_error *error)
{
    const X509_ALGOR *algorithm = NULL;
    const ASN1_OCTET_STRING *data = NULL;
    void *info = NULL;
    *key = NULL;
    X509_SIG_get0(encrypted, &algorithm, &data);
    int status = casehook__pbe_open(pbe, algorithm, ASN1_ITEM_rptr(PKCS8_PRIV_KEY_INFO), data, &info, error);
    if (!status) status = casehook__key_from_pkcs8(info, pbe->field, key, error);
    PKCS8_PRIV_KEY_INFO_free(info);
    return status;
}
