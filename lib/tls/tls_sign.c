/* tls_sign.c - signatures of requests: HMAC by a shared key. */
#include "tls/tls_private.h"

#include <openssl/params.h>

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
