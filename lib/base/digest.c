/* digest.c - SHA-256 and UUIDs, by OpenSSL. */
#include "base/digest.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

static const char hex_digits[] = "0123456789abcdef";

static void put_hex(char *out, const unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        out[2 * i] = hex_digits[bytes[i] >> 4];
        out[2 * i + 1] = hex_digits[bytes[i] & 15];
    }
}

int casehook__digest(const struct casehook__text *texts, size_t count, char out[CASEHOOK__DIGEST_DIGITS + 1])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool done = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;
    for (size_t i = 0; i < count && done; i++) {
        if (i) done = EVP_DigestUpdate(context, "\n", 1) == 1;
        if (done && texts[i].length) done = EVP_DigestUpdate(context, texts[i].data, texts[i].length) == 1;
    }
    if (done) done = EVP_DigestFinal_ex(context, digest, NULL) == 1;
    EVP_MD_CTX_free(context);
    if (!done) return CASEHOOK_E_NO_MEMORY;
    put_hex(out, digest, CASEHOOK__DIGEST_DIGITS / 2);
    out[CASEHOOK__DIGEST_DIGITS] = '\0';
    return CASEHOOK_OK;
}

uint64_t casehook__random(void)
{
    uint64_t number = UINT64_MAX;
    return RAND_bytes((unsigned char *)&number, sizeof number) == 1 ? number : UINT64_MAX;
}

int casehook__uuid(char out[CASEHOOK__UUID_SIZE])
{
    static const size_t groups[] = {4, 2, 2, 2, 6};
    unsigned char bytes[16];
    size_t from = 0;
    char *at = out;
    if (RAND_bytes(bytes, sizeof bytes) != 1) return CASEHOOK_E_SYSTEM;
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40); /* version 4 */
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80); /* the variant of RFC 4122 */
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        if (i) *at++ = '-';
        put_hex(at, bytes + from, groups[i]);
        at += 2 * groups[i];
        from += groups[i];
    }
    *at = '\0';
    return CASEHOOK_OK;
}
