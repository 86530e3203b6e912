/* tls_sign.c - signatures: HMAC by a shared key, those of JWTs by a private one. */
#include "tls/tls_private.h"

#include "base/base64.h"

#include <openssl/ec.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

/* An empty key is one of no bytes, for which OpenSSL wants a pointer. */
static bool init_hmac(EVP_MAC_CTX *context, enum casehook__hmac algorithm, struct casehook__text key)
{
    char name[8]; /* not a constant: OpenSSL's parameters are of type char * */
    memcpy(name,
           algorithm == CASEHOOK__HMAC_SHA1     ? "SHA1\0.."
           : algorithm == CASEHOOK__HMAC_SHA512 ? "SHA512\0"
                                                : "SHA256\0",
           sizeof name);
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("digest", name, 0),
                                 OSSL_PARAM_construct_end()};
    return EVP_MAC_init(context, (const unsigned char *)(key.length ? key.data : ""), key.length, params) ==
           1;
}

size_t casehook__hmac(enum casehook__hmac algorithm, struct casehook__text key,
                      const struct casehook__text *texts, size_t count,
                      unsigned char out[CASEHOOK__HMAC_SIZE])
{
    size_t length = 0;
    casehook__tls_begin();
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = mac ? EVP_MAC_CTX_new(mac) : NULL;
    bool done = context && init_hmac(context, algorithm, key);
    for (size_t i = 0; i < count && done; i++)
        if (texts[i].length)
            done = EVP_MAC_update(context, (const unsigned char *)texts[i].data, texts[i].length) == 1;
    if (done) done = EVP_MAC_final(context, out, &length, CASEHOOK__HMAC_SIZE) == 1;
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(mac);
    casehook__tls_end();
    return done ? length : 0;
}

/* ---- JWTs -------------------------------------------------------------------------------------- */

#define RSA_BITS_MIN   2048
#define P256_BYTES     32
#define SIGNATURE_SIZE 2048 /* of RSA with 16,384 bits, which nobody has */

struct casehook__signer {
    struct casehook__heap *heap; /* borrowed */
    EVP_PKEY *key;
    char algorithm[8];
};

static bool is_p256(EVP_PKEY *key)
{
    char group[32];
    size_t length = 0;
    return EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, group, sizeof group, &length) == 1 &&
           strcmp(group, "prime256v1") == 0;
}

/* The algorithm that is asked for, or that the key has; NULL, with the fault: none. */
static const char *choose_algorithm(EVP_PKEY *key, const char *wanted, struct casehook_error *error)
{
    bool rsa = EVP_PKEY_is_a(key, "RSA"), p256 = is_p256(key);
    if (rsa && EVP_PKEY_get_bits(key) < RSA_BITS_MIN)
        casehook__tls_fail(error, "secrets.key", "has %d bits: an RSA key that signs needs %d at least",
                           EVP_PKEY_get_bits(key), RSA_BITS_MIN);
    else if (!rsa && !p256)
        casehook__tls_fail(error, "secrets.key", "is neither an RSA key nor one on the curve P-256");
    else if (wanted && p256 != (strcmp(wanted, "ES256") == 0))
        casehook__fail(error, CASEHOOK_E_CONFIG, "%s needs %s, and secrets.key is %s", wanted,
                       p256 ? "an RSA key" : "a key on the curve P-256",
                       p256 ? "one on the curve P-256" : "an RSA key");
    else
        return wanted ? wanted : p256 ? "ES256" : "RS256";
    return NULL;
}

int casehook__signer_new(struct casehook__heap *heap, struct casehook__text key,
                         struct casehook__text passphrase, const char *algorithm,
                         struct casehook__signer **out, struct casehook_error *error)
{
    struct casehook__signer *signer = *out = casehook__calloc(heap, 1, sizeof *signer);
    if (!signer) return casehook__fail_memory(error);
    signer->heap = heap;
    casehook__tls_begin();
    int status = casehook__key_read(key, passphrase, &signer->key, error);
    const char *chosen = status ? NULL : choose_algorithm(signer->key, algorithm, error);
    casehook__tls_end();
    if (chosen) {
        memcpy(signer->algorithm, chosen, strlen(chosen) + 1);
        return CASEHOOK_OK;
    }
    casehook__signer_free(signer);
    *out = NULL;
    return error->status;
}

void casehook__signer_free(struct casehook__signer *signer)
{
    if (!signer) return;
    EVP_PKEY_free(signer->key);
    casehook__free(signer->heap, signer);
}

const char *casehook__signer_algorithm(const struct casehook__signer *signer)
{
    return signer->algorithm;
}

/* JWTs have both numbers of an ECDSA signature one behind the other, OpenSSL has them in DER. */
static bool unwrap_ecdsa(unsigned char *bytes, size_t *length)
{
    const unsigned char *der = bytes;
    ECDSA_SIG *numbers = d2i_ECDSA_SIG(NULL, &der, (long)*length);
    bool done = numbers && BN_bn2binpad(ECDSA_SIG_get0_r(numbers), bytes, P256_BYTES) == P256_BYTES &&
                BN_bn2binpad(ECDSA_SIG_get0_s(numbers), bytes + P256_BYTES, P256_BYTES) == P256_BYTES;
    ECDSA_SIG_free(numbers);
    *length = (size_t)2 * P256_BYTES;
    return done;
}

static bool sign_bytes(const struct casehook__signer *signer, struct casehook__text text,
                       unsigned char bytes[SIGNATURE_SIZE], size_t *length)
{
    bool done = false;
    EVP_PKEY_CTX *of_key = NULL;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    *length = SIGNATURE_SIZE;
    if (!context || EVP_DigestSignInit(context, &of_key, EVP_sha256(), NULL, signer->key) != 1) goto out;
    if (*signer->algorithm == 'P' && (EVP_PKEY_CTX_set_rsa_padding(of_key, RSA_PKCS1_PSS_PADDING) != 1 ||
                                      EVP_PKEY_CTX_set_rsa_pss_saltlen(of_key, RSA_PSS_SALTLEN_DIGEST) != 1))
        goto out;
    done = EVP_DigestSign(context, bytes, length, (const unsigned char *)text.data, text.length) == 1;
    if (done && *signer->algorithm == 'E') done = unwrap_ecdsa(bytes, length);
out:
    EVP_MD_CTX_free(context);
    return done;
}

int casehook__signer_sign(const struct casehook__signer *signer, struct casehook__text text,
                          struct casehook__buf *buf)
{
    unsigned char bytes[SIGNATURE_SIZE];
    size_t length;
    casehook__tls_begin();
    bool done = sign_bytes(signer, text, bytes, &length);
    int status = done ? CASEHOOK_OK : casehook__tls_no_memory() ? CASEHOOK_E_NO_MEMORY : CASEHOOK_E_SYSTEM;
    casehook__tls_end();
    return done ? casehook__base64url_encode(buf, (struct casehook__text){(const char *)bytes, length})
                : status;
}
