/* test_sign.c - signatures of JWTs, which OpenSSL verifies, and of requests (A1, A3). */
#include "base/base64.h"
#include "exchange/signature.h"
#include "tls/tls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- keys that are shared ------------------------------------------------------------------------ */

/* "Jefe": RFC 2202 and 4231; the others by Python's hmac. */
static void hashes_with_a_key(void **state)
{
    (void)state;
    static const struct {
        enum casehook__hmac algorithm;
        const char *key, *texts[3], *wanted;
    } cases[] = {
        {CASEHOOK__HMAC_SHA256,
         "Jefe",
         {"what do ya want ", "", "for nothing?"},
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {CASEHOOK__HMAC_SHA512,
         "Jefe",
         {"what do ya want for nothing?", "", ""},
         "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcae"
         "a"
         "b1a34d4a6b4b636e070a38bce737"},
        {CASEHOOK__HMAC_SHA1,
         "Jefe",
         {"", "what do ya want for nothing?", ""},
         "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
        {CASEHOOK__HMAC_SHA256,
         NULL,
         {"", "", ""},
         "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct casehook__text texts[3];
        unsigned char out[CASEHOOK__HMAC_SIZE];
        char hex[2 * CASEHOOK__HMAC_SIZE + 1] = "";
        for (size_t j = 0; j < 3; j++) texts[j] = casehook__text(cases[i].texts[j]);
        size_t length = casehook__hmac(cases[i].algorithm, casehook__text(cases[i].key), texts, 3, out);
        for (size_t j = 0; j < length; j++) sprintf(hex + 2 * j, "%02x", out[j]);
        assert_string_equal(hex, cases[i].wanted);
    }
}

/* ---- private keys -------------------------------------------------------------------------------- */

/* As PEM, to be freed; key NULL: it is not wanted. */
static char *make_key(const char *type, unsigned bits, const char *curve, EVP_PKEY **key)
{
    EVP_PKEY *made = bits    ? EVP_PKEY_Q_keygen(NULL, NULL, type, (size_t)bits)
                     : curve ? EVP_PKEY_Q_keygen(NULL, NULL, type, curve)
                             : EVP_PKEY_Q_keygen(NULL, NULL, type);
    BIO *bio = BIO_new(BIO_s_mem());
    char *data, *text;
    assert_non_null(made);
    assert_int_equal(PEM_write_bio_PrivateKey(bio, made, NULL, NULL, 0, NULL, NULL), 1);
    long length = BIO_get_mem_data(bio, &data);
    text = calloc(1, (size_t)length + 1);
    assert_non_null(text);
    memcpy(text, data, (size_t)length);
    BIO_free(bio);
    if (key)
        *key = made;
    else
        EVP_PKEY_free(made);
    return text;
}

static void keys_that_sign(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        unsigned bits;
        const char *curve, *wanted, *chosen, *field, *words; /* chosen NULL: refused */
    } cases[] = {
        {"RSA", 2048, NULL, NULL, "RS256", NULL, NULL},
        {"RSA", 2048, NULL, "PS256", "PS256", NULL, NULL},
        {"RSA", 2048, NULL, "ES256", NULL, "", "ES256 needs a key on the curve P-256"},
        {"RSA", 2047, NULL, NULL, NULL, "secrets.key", "has 2047 bits"},
        {"RSA", 1024, NULL, "ES256", NULL, "secrets.key", "has 1024 bits"},
        {"EC", 0, "P-256", NULL, "ES256", NULL, NULL},
        {"EC", 0, "P-256", "ES256", "ES256", NULL, NULL},
        {"EC", 0, "P-256", "RS256", NULL, "", "RS256 needs an RSA key"},
        {"EC", 0, "P-256", "PS256", NULL, "", "PS256 needs an RSA key"},
        {"EC", 0, "P-384", NULL, NULL, "secrets.key", "neither an RSA key"},
        {"EC", 0, "secp256k1", "ES256", NULL, "secrets.key", "neither an RSA key"},
        {"ED25519", 0, NULL, NULL, NULL, "secrets.key", "neither an RSA key"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct casehook__signer *signer = NULL;
        struct casehook_error error = {0};
        char *key = make_key(cases[i].type, cases[i].bits, cases[i].curve, NULL);
        casehook__error_init(&error);
        int status = casehook__signer_new(NULL, casehook__text(key), (struct casehook__text){NULL, 0},
                                          cases[i].wanted, &signer, &error);
        assert_int_equal(status, cases[i].chosen ? CASEHOOK_OK : CASEHOOK_E_CONFIG);
        assert_int_equal(signer != NULL, cases[i].chosen != NULL);
        if (signer) {
            assert_string_equal(casehook__signer_algorithm(signer), cases[i].chosen);
        } else {
            assert_string_equal(error.field, cases[i].field);
            if (!strstr(error.message, cases[i].words)) fail_msg("case %zu: %s", i, error.message);
        }
        casehook__signer_free(signer);
        free(key);
        assert_int_equal(ERR_peek_error(), 0);
    }
}

/* Both numbers of a signature on a curve, as OpenSSL wants them. */
static size_t wrap_ecdsa(const unsigned char *raw, unsigned char *der)
{
    ECDSA_SIG *numbers = ECDSA_SIG_new();
    ECDSA_SIG_set0(numbers, BN_bin2bn(raw, 32, NULL), BN_bin2bn(raw + 32, 32, NULL));
    int length = i2d_ECDSA_SIG(numbers, &der);
    ECDSA_SIG_free(numbers);
    return (size_t)length;
}

static void assert_verified(EVP_PKEY *key, const char *algorithm, const char *text,
                            const struct casehook__buf *signature)
{
    unsigned char bytes[1024], der[128];
    const unsigned char *shown = bytes;
    char padded[1024];
    EVP_PKEY_CTX *of_key = NULL;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t length = signature->length;
    assert_true(length + 4 < sizeof padded);
    memcpy(padded, signature->data, length);
    for (size_t i = 0; i < length; i++)
        padded[i] = padded[i] == '-' ? '+' : padded[i] == '_' ? '/' : padded[i];
    size_t missing = (4 - length % 4) % 4;
    memset(padded + length, '=', missing);
    int decoded = EVP_DecodeBlock(bytes, (unsigned char *)padded, (int)(length + missing));
    assert_true(decoded > 0);
    length = (size_t)decoded - missing;
    assert_int_equal(EVP_DigestVerifyInit(context, &of_key, EVP_sha256(), NULL, key), 1);
    if (*algorithm == 'P') {
        EVP_PKEY_CTX_set_rsa_padding(of_key, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(of_key, 32);
    }
    if (*algorithm == 'E') {
        assert_int_equal(length, 64);
        length = wrap_ecdsa(bytes, der);
        shown = der;
    }
    assert_int_equal(EVP_DigestVerify(context, shown, length, (const unsigned char *)text, strlen(text)), 1);
    EVP_MD_CTX_free(context);
}

/* Often on a curve, so that numbers which begin with a zero come too. */
static void signatures_of_jwts(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        unsigned bits;
        const char *curve, *algorithm;
        int times;
    } cases[] = {{"RSA", 2048, NULL, "RS256", 1},
                 {"RSA", 2048, NULL, "PS256", 1},
                 {"RSA", 3072, NULL, "RS256", 1},
                 {"EC", 0, "P-256", "ES256", 1000}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct casehook__signer *signer = NULL;
        struct casehook_error error = {0};
        EVP_PKEY *pair;
        char *key = make_key(cases[i].type, cases[i].bits, cases[i].curve, &pair), text[32];
        casehook__error_init(&error);
        assert_int_equal(casehook__signer_new(NULL, casehook__text(key), (struct casehook__text){NULL, 0},
                                              cases[i].algorithm, &signer, &error),
                         CASEHOOK_OK);
        for (int j = 0; j < cases[i].times; j++) {
            struct casehook__buf signature;
            casehook__buf_init(&signature, NULL, 2048);
            snprintf(text, sizeof text, "header.claims%d", j);
            assert_int_equal(casehook__signer_sign(signer, casehook__text(text), &signature), CASEHOOK_OK);
            assert_verified(pair, cases[i].algorithm, text, &signature);
            casehook__buf_free(&signature);
        }
        casehook__signer_free(signer);
        EVP_PKEY_free(pair);
        free(key);
    }
}

/* ---- requests ------------------------------------------------------------------------------------ */

static struct casehook__signed_piece pieces[] = {
    {CASEHOOK__SIGNED_METHOD, {"", 0}}, {CASEHOOK__SIGNED_TEXT, {" ", 1}},
    {CASEHOOK__SIGNED_PATH, {"", 0}},   {CASEHOOK__SIGNED_TEXT, {"|", 1}},
    {CASEHOOK__SIGNED_BODY, {"", 0}},   {CASEHOOK__SIGNED_TIMESTAMP, {"", 0}},
};

/* What is signed, by two keys, is what stands beside it as one text. */
static void what_of_a_request_is_signed(void **state)
{
    (void)state;
    static const struct {
        const char *url, *text;
    } cases[] = {
        {"https://h.example/a/b?c=d", "PUT /a/b?c=d|{}1700000000"},
        {"https://h.example:8443/", "PUT /|{}1700000000"},
        {"https://h.example?c=/d", "PUT ?c=/d|{}1700000000"},
        {"https://h.example", "PUT |{}1700000000"},
    };
    struct casehook__text keys[] = {CASEHOOK__TEXT("one"), CASEHOOK__TEXT("two")};
    for (size_t i = 0; i < COUNT(cases); i++)
        for (int told = 0; told < 2; told++) {
            struct casehook__signature signature = {.header = CASEHOOK__TEXT("X-S"),
                                                    .prefix = CASEHOOK__TEXT("v="),
                                                    .pieces = pieces,
                                                    .piece_count = COUNT(pieces),
                                                    .keys = keys,
                                                    .key_count = 2};
            if (told) signature.timestamp_header = CASEHOOK__TEXT("X-T");
            const struct casehook__request request = {
                .method = CASEHOOK__METHOD_PUT, .url = cases[i].url, .body = CASEHOOK__TEXT("{}")};
            struct casehook__header items[CASEHOOK__SIGNATURE_HEADERS];
            struct casehook__buf store;
            char wanted[256] = "";
            casehook__buf_init(&store, NULL, 4096);
            assert_int_equal(casehook__sign(&signature, &request, "", 1700000000, &store, items), 1 + told);
            for (size_t j = 0; j < 2; j++) {
                const struct casehook__text text = casehook__text(cases[i].text);
                unsigned char out[CASEHOOK__HMAC_SIZE];
                size_t length = casehook__hmac(CASEHOOK__HMAC_SHA256, keys[j], &text, 1, out);
                strcat(wanted, j ? ", v=" : "v=");
                for (size_t k = 0; k < length; k++) sprintf(wanted + strlen(wanted), "%02x", out[k]);
            }
            assert_true(casehook__text_is(items[told].name, "X-S"));
            if (!casehook__text_is(items[told].value, wanted))
                fail_msg("%s: %.*s", cases[i].url, (int)items[told].value.length, items[told].value.data);
            assert_true(items[0].secret && items[told].secret);
            if (told) assert_true(casehook__text_is(items[0].value, "1700000000"));
            casehook__buf_free(&store);
        }
}

/* https://www.standardwebhooks.com: "id.timestamp.body", "v1," and base64, a space between two. */
static void standard_webhooks(void **state)
{
    struct casehook__text keys[] = {CASEHOOK__TEXT("one"), CASEHOOK__TEXT("two")};
    const struct casehook__signature signature = {.standard = true, .keys = keys, .key_count = 2};
    const struct casehook__request request = {
        .method = CASEHOOK__METHOD_POST, .url = "https://h/", .body = CASEHOOK__TEXT("{\"a\":1}")};
    const struct casehook__text text = CASEHOOK__TEXT("msg_1.1700000000.{\"a\":1}");
    struct casehook__header items[CASEHOOK__SIGNATURE_HEADERS];
    struct casehook__buf store, wanted;
    (void)state;
    casehook__buf_init(&store, NULL, 4096);
    casehook__buf_init(&wanted, NULL, 4096);
    assert_int_equal(casehook__sign(&signature, &request, "msg_1", 1700000000, &store, items), 3);
    for (size_t i = 0; i < 2; i++) {
        unsigned char out[CASEHOOK__HMAC_SIZE];
        size_t length = casehook__hmac(CASEHOOK__HMAC_SHA256, keys[i], &text, 1, out);
        casehook__buf_append_string(&wanted, i ? " v1," : "v1,");
        casehook__base64_encode(&wanted, (struct casehook__text){(const char *)out, length});
    }
    static const char *const names[] = {"webhook-id", "webhook-timestamp", "webhook-signature"};
    for (size_t i = 0; i < 3; i++) assert_true(casehook__text_is(items[i].name, names[i]) && items[i].secret);
    assert_true(casehook__text_is(items[0].value, "msg_1"));
    assert_true(casehook__text_is(items[1].value, "1700000000"));
    assert_true(casehook__text_equal(items[2].value, casehook__buf_text(&wanted)));
    casehook__buf_free(&wanted);
    casehook__buf_free(&store);
}

static void ids_of_messages(void **state)
{
    char one[CASEHOOK__MESSAGE_ID_SIZE], other[CASEHOOK__MESSAGE_ID_SIZE];
    (void)state;
    assert_int_equal(casehook__message_id(one), CASEHOOK_OK);
    assert_int_equal(casehook__message_id(other), CASEHOOK_OK);
    assert_string_not_equal(one, other);
    assert_int_equal(strlen(one), 4 + 32);
    assert_int_equal(strspn(one + 4, "0123456789abcdef"), 32);
    assert_memory_equal(one, "msg_", 4);
}

/* With room for less than all of it there is none. */
static void no_room(void **state)
{
    struct casehook__text key = CASEHOOK__TEXT("one");
    const struct casehook__signature signature = {.standard = true, .keys = &key, .key_count = 1};
    const struct casehook__request request = {.url = "https://h/"};
    struct casehook__header items[CASEHOOK__SIGNATURE_HEADERS];
    (void)state;
    size_t all = strlen("v1,") + 44 + 1 + strlen("1700000000");
    for (size_t room = 1; room <= all; room++) {
        struct casehook__buf store;
        casehook__buf_init(&store, NULL, room);
        assert_int_equal(casehook__sign(&signature, &request, "msg_1", 1700000000, &store, items),
                         room < all ? 0 : 3);
        casehook__buf_free(&store);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_with_a_key),
        cmocka_unit_test(keys_that_sign),
        cmocka_unit_test(signatures_of_jwts),
        cmocka_unit_test(what_of_a_request_is_signed),
        cmocka_unit_test(standard_webhooks),
        cmocka_unit_test(ids_of_messages),
        cmocka_unit_test(no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
