/* test_certs.c - the maker of test certificates makes what it is asked for. */
#include "certs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <openssl/x509v3.h>

#include <cmocka.h>

static const char recipe[] =
    "{\"note\":\"x\",\"certs\":{"
    "\"ca1\":{\"subject\":\"CN=Test CA 1\",\"ca\":true,\"issuer\":\"self\"},"
    "\"srv_ok\":{\"subject\":\"CN=localhost\",\"issuer\":\"ca1\",\"san\":[\"DNS:localhost\",\"IP:::1\"]},"
    "\"srv_expired\":{\"subject\":\"CN=localhost\",\"issuer\":\"ca1\",\"not_before\":\"2020-01-01\","
    "\"not_after\":\"2021-01-01\"},"
    "\"cli1\":{\"subject\":\"CN=client-one\",\"issuer\":\"ca1\"}},"
    "\"files\":{\"cli1.enc.key\":\"cli1.key encrypted with PBES2 AES-256-CBC, passphrase s3cret\","
    "\"cli1.nopass.p12\":\"PKCS#12 of cli1, empty passphrase\","
    "\"cli1.withca.p12\":\"PKCS#12 of cli1 with ca1 as extra certificate, passphrase s3cret\","
    "\"cli1.legacy.p12\":\"legacy algorithms, passphrase s3cret\","
    "\"cli1.3des.p12\":\"3DES for certificate and key, MAC SHA-1, passphrase s3cret\"}}";

static void recipes_are_followed(void **state)
{
    (void)state;
    struct certs *certs = certs_make_recipe(recipe);
    assert_non_null(certs);
    assert_int_equal(X509_verify(certs_x509(certs, "srv_ok"), certs_pkey(certs, "ca1")), 1);
    assert_int_equal(X509_check_host(certs_x509(certs, "srv_ok"), "localhost", 0, 0, NULL), 1);
    assert_int_equal(X509_check_ip_asc(certs_x509(certs, "srv_ok"), "::1", 0), 1);
    assert_int_equal(X509_check_purpose(certs_x509(certs, "srv_ok"), X509_PURPOSE_SSL_CLIENT, 0), 0);
    assert_int_equal(X509_check_purpose(certs_x509(certs, "cli1"), X509_PURPOSE_SSL_CLIENT, 0), 1);
    assert_int_equal(X509_check_ca(certs_x509(certs, "ca1")), 1);
    assert_int_equal(X509_cmp_current_time(X509_get0_notAfter(certs_x509(certs, "srv_expired"))), -1);
    assert_non_null(strstr(certs_file(certs, "cli1.enc.key", NULL), "BEGIN ENCRYPTED PRIVATE KEY"));
    assert_non_null(strstr(certs_file(certs, "cli1.key", NULL), "BEGIN PRIVATE KEY"));

    size_t length = 0, other = 0;
    char *both = certs_join(certs, "ca1.crt+cli1.crt", &length);
    assert_non_null(both);
    assert_int_equal(strlen(both), length);
    certs_file(certs, "ca1.crt", &other);
    assert_memory_equal(both + other, certs_file(certs, "cli1.crt", NULL), length - other);
    free(both);
    assert_null(certs_join(certs, "ca1.crt+none", NULL));
    certs_free(certs);
    assert_null(certs_make_recipe("{"));
    assert_null(certs_make_recipe("{\"certs\":{\"a\":{\"issuer\":\"nobody\"}}}"));
}

/* 1: opens in the default context; legacy algorithms must not. */
static int opens(struct certs *certs, const char *name, const char *passphrase)
{
    size_t length = 0;
    const unsigned char *data = (const unsigned char *)certs_file(certs, name, &length);
    PKCS12 *p12 = d2i_PKCS12(NULL, &data, (long)length);
    assert_non_null(p12);
    EVP_PKEY *key = NULL;
    X509 *x509 = NULL;
    int opened = PKCS12_parse(p12, passphrase, &key, &x509, NULL);
    EVP_PKEY_free(key);
    X509_free(x509);
    PKCS12_free(p12);
    ERR_clear_error();
    return opened;
}

/* The test cannot run without it. */
static void need_legacy(void)
{
    if (certs_have_legacy()) return;
    print_message("SKIP: OpenSSL's legacy provider is not installed\n");
    skip();
}

static void pfx_variants(void **state)
{
    (void)state;
    need_legacy();
    struct certs *certs = certs_make_recipe(recipe);
    assert_int_equal(opens(certs, "cli1.nopass.p12", ""), 1);
    assert_int_equal(opens(certs, "cli1.withca.p12", "s3cret"), 1);
    assert_int_equal(opens(certs, "cli1.withca.p12", "other"), 0);
    assert_int_equal(opens(certs, "cli1.3des.p12", "s3cret"), 1);
    assert_int_equal(opens(certs, "cli1.legacy.p12", "s3cret"), 0);
    assert_int_equal(OSSL_PROVIDER_available(NULL, "legacy"), 0);
    certs_free(certs);
}

static void odd_names_and_keys(void **state)
{
    (void)state;
    struct certs *certs = certs_new();
    static const char *const names[] = {"DNS:good.example\\0.evil.example", "IP:10.0.0.1", NULL};
    certs_make(certs, &(struct certs_spec){.name = "nul", .san = names, .subject = "O=a b, CN=c"});
    certs_make(certs, &(struct certs_spec){.name = "weak", .rsa_bits = 1024, .digest = "SHA1"});
    GENERAL_NAMES *general = X509_get_ext_d2i(certs_x509(certs, "nul"), NID_subject_alt_name, NULL, NULL);
    assert_int_equal(sk_GENERAL_NAME_num(general), 2);
    const ASN1_STRING *dns = sk_GENERAL_NAME_value(general, 0)->d.dNSName;
    assert_int_equal(ASN1_STRING_length(dns), 26);
    assert_memory_equal(ASN1_STRING_get0_data(dns), "good.example\0.evil.example", 26);
    GENERAL_NAMES_free(general);
    assert_int_equal(EVP_PKEY_get_bits(certs_pkey(certs, "weak")), 1024);
    assert_int_equal(X509_get_signature_nid(certs_x509(certs, "weak")), NID_sha1WithRSAEncryption);
    certs_free(certs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(recipes_are_followed), cmocka_unit_test(pfx_variants),
                                       cmocka_unit_test(odd_names_and_keys)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
