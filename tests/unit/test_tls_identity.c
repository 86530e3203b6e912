/* test_tls_identity.c - client certificates from PEM and PKCS#12: what opens, and what each fault is called.
 */
#include "certs.h"
#include "tls/tls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>

#include <cmocka.h>

#define NONE ((const char *)NULL)

static struct certs *certs;

static void make_pfx_files(void)
{
    static const char *const ca[] = {"int1", "ca1", "ca2", NULL}, *const stranger[] = {"cli2", NULL};
    static const struct certs_pfx_spec specs[] = {
        {.name = "aes.p12", .cert = "cli1", .passphrase = "s3cret"},
        {.name = "chain.p12", .cert = "cli_int", .passphrase = "s3cret", .extra = ca},
        {.name = "null.p12", .cert = "cli1"},
        {.name = "empty.p12", .cert = "cli1", .passphrase = ""},
        {.name = "plain.p12", .cert = "cli1", .key_nid = -1, .cert_nid = -1, .mac_iterations = -1},
        {.name = "nomac.p12", .cert = "cli1", .passphrase = "s3cret", .mac_iterations = -1},
        {.name = "light.p12", .cert = "cli1", .passphrase = "s3cret", .iterations = 1, .mac_iterations = -1},
        {.name = "nomac_null.p12", .cert = "cli1", .mac_iterations = -1},
        {.name = "nomac_empty.p12", .cert = "cli1", .passphrase = "", .mac_iterations = -1},
        {.name = "rc2.p12",
         .cert = "cli1",
         .passphrase = "s3cret",
         .cert_nid = NID_pbe_WithSHA1And40BitRC2_CBC,
         .key_nid = NID_pbe_WithSHA1And3_Key_TripleDES_CBC,
         .mac_digest = "SHA1"},
        {.name = "rc2_null.p12",
         .cert = "cli1",
         .cert_nid = NID_pbe_WithSHA1And40BitRC2_CBC,
         .key_nid = NID_pbe_WithSHA1And40BitRC2_CBC,
         .mac_digest = "SHA1"},
        {.name = "rc2_nomac.p12",
         .cert = "cli1",
         .passphrase = "s3cret",
         .cert_nid = NID_pbe_WithSHA1And40BitRC2_CBC,
         .key_nid = NID_pbe_WithSHA1And40BitRC2_CBC,
         .mac_iterations = -1},
        {.name = "3des.p12",
         .cert = "cli1",
         .passphrase = "s3cret",
         .cert_nid = NID_pbe_WithSHA1And3_Key_TripleDES_CBC,
         .key_nid = NID_pbe_WithSHA1And3_Key_TripleDES_CBC,
         .mac_digest = "SHA1"},
        {.name = "stranger.p12", .cert = "cli1", .passphrase = "s3cret", .key = "cli2"},
        {.name = "second.p12", .cert = "cli1", .passphrase = "s3cret", .key = "cli2", .extra = stranger},
        {.name = "two_keys.p12",
         .cert = "cli1",
         .passphrase = "s3cret",
         .second_key = "cli2",
         .extra = stranger},
        {.name = "two_keys_turned.p12",
         .cert = "cli1",
         .passphrase = "s3cret",
         .key = "cli2",
         .second_key = "cli1"},
        {.name = "expired.p12", .cert = "cli_old", .passphrase = "s3cret"},
        {.name = "slow_mac.p12", .cert = "cli1", .passphrase = "s3cret", .mac_iterations = 65537},
        {.name = "slow_key.p12",
         .cert = "cli1",
         .passphrase = "s3cret",
         .iterations = 65537,
         .mac_iterations = -1},
        {.name = "slow_rc2.p12",
         .cert = "cli1",
         .passphrase = "s3cret",
         .iterations = 65537,
         .cert_nid = NID_pbe_WithSHA1And40BitRC2_CBC,
         .key_nid = NID_pbe_WithSHA1And40BitRC2_CBC,
         .mac_iterations = -1},
    };
    if (!certs_have_legacy()) return;
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) certs_pfx(certs, &specs[i]);
}

static int make_certs(void **state)
{
    (void)state;
    static const struct certs_spec specs[] = {
        {.name = "ca1", .ca = true},
        {.name = "ca2", .ca = true},
        {.name = "int1", .ca = true, .issuer = "ca1"},
        {.name = "cli1", .subject = "CN=client-one", .issuer = "ca1"},
        {.name = "cli2", .subject = "CN=client-two", .issuer = "ca2"},
        {.name = "cli_int", .issuer = "int1"},
        {.name = "cli_rsa", .issuer = "ca1", .rsa_bits = 2048},
        {.name = "cli_weak", .subject = "CN=weak", .issuer = "ca1", .rsa_bits = 1024},
        {.name = "cli_sha1", .issuer = "ca1", .digest = "SHA1"},
        {.name = "cli_old",
         .subject = "CN=client-old",
         .issuer = "ca1",
         .not_before = "2020-01-01",
         .not_after = "2021-01-01"},
        {.name = "cli_new", .subject = "CN=client-new", .issuer = "ca1", .not_before = "2043-01-01"},
    };
    certs = certs_new();
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) certs_make(certs, &specs[i]);
    certs_encrypted_key(certs, "enc.key", "cli1", NULL, "s3cret");
    certs_encrypted_key(certs, "enc3.key", "cli1", "DES-EDE3-CBC", "s3cret");
    certs_traditional_key(certs, "old.key", "cli1", NULL);
    certs_traditional_key(certs, "old_rsa.key", "cli_rsa", NULL);
    certs_traditional_key(certs, "old_enc.key", "cli1", "s3cret");
    make_pfx_files();
    return 0;
}

static int free_certs(void **state)
{
    (void)state;
    certs_free(certs);
    return 0;
}

/* What is made of a file, as one line: "field: message", or "ok SUBJECTS" from the PEM that comes out. */
static char line[CASEHOOK__ERROR_MESSAGE_SIZE + 300];

static void describe_pem(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    snprintf(line, sizeof line, "ok");
    for (X509 *x509; (x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL; X509_free(x509)) {
        char subject[100] = "";
        X509_NAME_get_text_by_NID(X509_get_subject_name(x509), NID_commonName, subject, sizeof subject);
        snprintf(line + strlen(line), sizeof line - strlen(line), " %s", subject);
    }
    BIO_free(bio);
    ERR_clear_error(); /* the reader's "no more" */
}

static const char *outcome(int status, struct casehook__identity *identity,
                           const struct casehook_error *error)
{
    struct casehook__buf crt, key;
    assert_int_equal(ERR_peek_error(), 0); /* nothing is left in the host's queue */
    if (status) {
        assert_null(identity);
        assert_int_equal(error->status, status);
        assert_null(strstr(error->message, "s3cret"));
        snprintf(line, sizeof line, "%s: %s", error->field, error->message);
        return line;
    }
    casehook__buf_init(&crt, NULL, 100000);
    casehook__buf_init(&key, NULL, 100000);
    assert_int_equal(casehook__identity_to_pem(identity, &crt, &key), CASEHOOK_OK);
    assert_non_null(strstr(casehook__buf_string(&key), "-----BEGIN PRIVATE KEY-----"));
    describe_pem(casehook__buf_string(&crt));
    casehook__buf_free(&crt);
    casehook__buf_free(&key);
    casehook__identity_free(identity);
    return line;
}

static const char *from_text(const char *crt, const char *key, const char *passphrase)
{
    struct casehook__identity *identity = NULL;
    struct casehook_error error = {0};
    int status = casehook__identity_from_pem(NULL, casehook__text(crt), casehook__text(key),
                                             casehook__text(passphrase), &identity, &error);
    return outcome(status, identity, &error);
}

static const char *from_pem(const char *crt_files, const char *key_file, const char *passphrase)
{
    char *crt = certs_join(certs, crt_files, NULL);
    from_text(crt, certs_file(certs, key_file, NULL), passphrase);
    free(crt);
    return line;
}

static const char *from_bytes(const char *data, size_t length, const char *passphrase)
{
    struct casehook__identity *identity = NULL;
    struct casehook_error error = {0};
    int status = casehook__identity_from_pfx(NULL, (struct casehook__text){data, length},
                                             casehook__text(passphrase), &identity, &error);
    return outcome(status, identity, &error);
}

static const char *from_pfx(const char *file, const char *passphrase)
{
    size_t length = 0;
    const char *data = certs_file(certs, file, &length);
    return from_bytes(data, length, passphrase);
}

static void expect(const char *actual, const char *expected)
{
    if (!strstr(actual, expected)) fail_msg("expected \"%s\", got \"%s\"", expected, actual);
}

/* ---- PEM ------------------------------------------------------------------------------------- */

static void pem_in_every_form(void **state)
{
    (void)state;
    assert_string_equal(from_pem("cli1.crt", "cli1.key", NONE), "ok client-one");
    assert_string_equal(from_pem("cli1.crt", "cli1.key", "unused"), "ok client-one");
    assert_string_equal(from_pem("cli1.crt", "enc.key", "s3cret"), "ok client-one");
    assert_string_equal(from_pem("cli1.crt", "enc3.key", "s3cret"), "ok client-one");
    assert_string_equal(from_pem("cli1.crt", "old.key", NONE), "ok client-one");
    assert_string_equal(from_pem("cli_rsa.crt", "old_rsa.key", NONE), "ok cli_rsa");
    assert_string_equal(from_pem("cli1.crt", "old_enc.key", "s3cret"), "ok client-one");
}

static void pem_in_every_order(void **state)
{
    (void)state;
    assert_string_equal(from_pem("cli_int.crt+int1.crt+ca1.crt", "cli_int.key", NONE), "ok cli_int int1 ca1");
    assert_string_equal(from_pem("ca1.crt+int1.crt+cli_int.crt", "cli_int.key", NONE), "ok cli_int int1 ca1");
    assert_string_equal(from_pem("cli_int.crt+cli_int.crt+int1.crt", "cli_int.key", NONE), "ok cli_int int1");
    assert_string_equal(from_pem("cli1.crt+cli2.crt+ca2.crt", "cli1.key", NONE), "ok client-one");
    assert_string_equal(from_pem("cli1.key+cli1.crt", "cli1.key", NONE), "ok client-one");
    char *both = certs_join(certs, "cli1.crt+cli1.key", NULL);
    assert_string_equal(from_text(both, both, NONE), "ok client-one");
    free(both);
}

static void pem_faults(void **state)
{
    (void)state;
    const char *crt = certs_file(certs, "cli1.crt", NULL), *key = certs_file(certs, "cli1.key", NULL);
    expect(from_text("x", key, NONE), "secrets.crt: holds no certificate in PEM form");
    expect(from_text("", key, NONE), "secrets.crt: holds no certificate in PEM form");
    expect(from_text(crt, "x", NONE), "secrets.key: holds no private key in PEM form");
    expect(from_text(crt, crt, NONE), "secrets.key: holds no private key in PEM form");
    expect(from_text(crt, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", NONE),
           "secrets.key: the private key cannot be read");
    expect(from_text(crt,
                     "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
                     "x"),
           "secrets.key: the private key cannot be read");
    expect(from_text("-----BEGIN CERTIFICATE-----\nAAAA", key, NONE),
           "secrets.crt: certificate 1 of 1 cannot be read");
    expect(from_pem("cli1.crt", "enc.key", NONE), "secrets.password: the private key is encrypted: give");
    expect(from_pem("cli1.crt", "enc.key", ""), "secrets.password: the private key is encrypted: give");
    expect(from_pem("cli1.crt", "enc.key", "other"),
           "secrets.password: the passphrase does not open the private key");
    expect(from_pem("cli1.crt", "old_enc.key", NONE), "secrets.password: the private key is encrypted: give");
    expect(from_pem("cli1.crt", "old_enc.key", "other"), "secrets.password: the passphrase does not open");
    expect(from_pem("cli1.crt", "cli2.key", NONE),
           "secrets.key: the private key does not belong to the certificate (subject CN=client-one)");
    expect(from_pem("cli_old.crt", "cli_old.key", NONE),
           "secrets.crt: the client certificate expired on 2021-01-01 00:00 UTC (subject CN=client-old)");
    expect(from_pem("cli_new.crt", "cli_new.key", NONE),
           "secrets.crt: the client certificate is not valid before 2043-01-01 00:00 UTC (subject "
           "CN=client-new)");
    expect(from_pem("cli_weak.crt", "cli_weak.key", NONE),
           "secrets.crt: the client certificate cannot be used: its key");
    expect(from_pem("cli_sha1.crt", "cli_sha1.key", NONE), "it is signed with a weak digest");
}

/* ---- PKCS#12 --------------------------------------------------------------------------------- */

/* The test cannot run without it. */
static void need_legacy(void)
{
    if (certs_have_legacy()) return;
    print_message("SKIP: OpenSSL's legacy provider is not installed\n");
    skip();
}

static void pfx_table(void **state)
{
    (void)state;
    static const struct {
        const char *file, *passphrase, *expected;
    } rows[] = {
        {"aes.p12", "s3cret", "ok client-one"},
        {"chain.p12", "s3cret", "ok cli_int int1 ca1"},
        {"null.p12", NULL, "ok client-one"},
        {"null.p12", "", "ok client-one"},
        {"empty.p12", NULL, "ok client-one"},
        {"empty.p12", "", "ok client-one"},
        {"plain.p12", NULL, "ok client-one"},
        {"plain.p12", "unused", "ok client-one"},
        {"nomac.p12", "s3cret", "ok client-one"},
        {"nomac_null.p12", NULL, "ok client-one"},
        {"nomac_empty.p12", NULL, "ok client-one"},
        {"rc2.p12", "s3cret", "ok client-one"},
        {"rc2_null.p12", NULL, "ok client-one"},
        {"rc2_nomac.p12", "s3cret", "ok client-one"},
        {"3des.p12", "s3cret", "ok client-one"},
        {"second.p12", "s3cret", "ok client-two"}, /* the first certificate has no key there */
        {"two_keys.p12", "s3cret", "ok client-one"},
        {"two_keys_turned.p12", "s3cret", "ok client-one"},
        {"aes.p12", "other", "secrets.password: the passphrase does not open the PFX file"},
        {"aes.p12", NULL, "secrets.password: the PFX file needs a passphrase"},
        {"aes.p12", "", "secrets.password: the PFX file needs a passphrase"},
        {"nomac.p12", "other", "secrets.password: the passphrase does not open the PFX file"},
        {"nomac.p12", NULL, "secrets.password: the PFX file needs a passphrase"},
        {"rc2.p12", "other", "secrets.password: the passphrase does not open the PFX file"},
        {"rc2_nomac.p12", "other", "secrets.password: the passphrase does not open the PFX file"},
        {"rc2_nomac.p12", NULL, "secrets.password: the PFX file needs a passphrase"},
        {"stranger.p12", "s3cret", "secrets.pfx: the private key does not belong to the certificate"},
        {"expired.p12", "s3cret", "secrets.pfx: the client certificate expired on 2021-01-01 00:00 UTC"},
    };
    need_legacy();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        from_pfx(rows[i].file, rows[i].passphrase);
        print_message("%-16s %-8s %s\n", rows[i].file, rows[i].passphrase ? rows[i].passphrase : "NULL",
                      line);
        expect(line, rows[i].expected);
        assert_int_equal(OSSL_PROVIDER_available(NULL, "legacy"), 0);
        assert_int_equal(OSSL_PROVIDER_available(NULL, "default"), 1);
    }
}

static void pfx_that_is_none(void **state)
{
    (void)state;
    need_legacy();
    size_t length = 0;
    const char *whole = certs_file(certs, "aes.p12", &length), *crt = certs_file(certs, "cli1.crt", NULL);
    expect(from_bytes("x", 1, "s3cret"), "secrets.pfx: is not a PFX file");
    expect(from_bytes("", 0, "s3cret"), "secrets.pfx: is not a PFX file");
    expect(from_bytes(crt, strlen(crt), "s3cret"), "secrets.pfx: is PEM text");
    expect(from_bytes(whole, length - 1, "s3cret"), "secrets.pfx: the PFX file is cut off");
    expect(from_bytes(whole, 100, "s3cret"), "secrets.pfx: the PFX file is cut off: 100 of ");
}

/* Every cut ends in an error, every flipped byte in an error or in a certificate that fits its key. */
static void pfx_damaged_anywhere(void **state)
{
    (void)state;
    need_legacy();
    static const char *const files[] = {"plain.p12", "light.p12"};
    for (size_t f = 0; f < 2; f++) {
        size_t length = 0;
        const char *whole = certs_file(certs, files[f], &length);
        char *copy = malloc(length);
        for (size_t at = 0; at < length; at += 3) {
            memcpy(copy, whole, length);
            copy[at] = (char)(copy[at] ^ 0x11);
            from_bytes(copy, length, "s3cret");
            from_bytes(whole, at, "s3cret");
            assert_true(strncmp(line, "secrets.", 8) == 0);
        }
        free(copy);
    }
}

/* 65,537 iterations become 8,388,607: same length, four seconds and more if it were worked through. */
static void raise_iterations(const char *file, size_t expected)
{
    size_t length = 0, found = 0;
    const char *whole = certs_file(certs, file, &length);
    char *copy = malloc(length);
    memcpy(copy, whole, length);
    for (size_t at = 0; at + 5 <= length; at++) {
        if (memcmp(copy + at, "\x02\x03\x01\x00\x01", 5) != 0) continue;
        memcpy(copy + at + 2, "\x7F\xFF\xFF", 3);
        found++;
    }
    assert_true(found >= expected);
    expect(from_bytes(copy, length, "s3cret"),
           "secrets.pfx: the PFX file asks for more than 2000000 iterations");
    /* a negative count is no small one */
    for (size_t at = 0; at + 5 <= length; at++)
        if (memcmp(copy + at, "\x02\x03\x7F\xFF\xFF", 5) == 0) copy[at + 2] = '\x80';
    expect(from_bytes(copy, length, "s3cret"),
           "secrets.pfx: the PFX file asks for more than 2000000 iterations");
    free(copy);
}

static void work_is_bounded(void **state)
{
    (void)state;
    need_legacy();
    assert_string_equal(from_pfx("slow_mac.p12", "s3cret"), "ok client-one");
    raise_iterations("slow_mac.p12", 1);
    assert_string_equal(from_pfx("slow_key.p12", "s3cret"), "ok client-one");
    raise_iterations("slow_key.p12", 1);
    assert_string_equal(from_pfx("slow_rc2.p12", "s3cret"), "ok client-one");
    raise_iterations("slow_rc2.p12", 1);
}

/* The same in a MAC of the newer kind, which this OpenSSL need not know. */
static void work_for_another_mac_is_bounded(void **state)
{
    (void)state;
    static const unsigned char salt[] = "saltsalt";
    size_t length = 0;
    const unsigned char *data = (const unsigned char *)certs_file(certs, "slow_mac.p12", &length);
    PKCS12 *file = d2i_PKCS12(NULL, &data, (long)length);
    const X509_ALGOR *algorithm = NULL;
    PBE2PARAM *parameters = PBE2PARAM_new();
    unsigned char *der = NULL;
    ASN1_STRING *packed = NULL;
    PKCS12_get0_mac(NULL, &algorithm, NULL, NULL, file);
    X509_ALGOR_free(parameters->keyfunc);
    parameters->keyfunc =
        PKCS5_pbkdf2_set(3000000, (unsigned char *)(uintptr_t)salt, 8, NID_hmacWithSHA256, 32);
    X509_ALGOR_set0(parameters->encryption, OBJ_nid2obj(NID_hmacWithSHA256), V_ASN1_NULL, NULL);
    assert_non_null(ASN1_item_pack(parameters, ASN1_ITEM_rptr(PBE2PARAM), &packed));
    X509_ALGOR_set0((X509_ALGOR *)(uintptr_t)algorithm, OBJ_nid2obj(NID_pbmac1), V_ASN1_SEQUENCE, packed);
    int made = i2d_PKCS12(file, &der);
    assert_true(made > 0);
    expect(from_bytes((const char *)der, (size_t)made, "s3cret"),
           "secrets.pfx: the PFX file asks for more than 2000000 iterations");
    OPENSSL_free(der);
    PBE2PARAM_free(parameters);
    PKCS12_free(file);
}

/* PBKDF2 and scrypt in keys as PEM. */
static void work_for_keys_is_bounded(void **state)
{
    (void)state;
    static const unsigned char salt[] = "saltsalt";
    static const char *const expected[3] = {
        "secrets.key: the private key asks for more than 2000000 iterations", "does not open the private key",
        "secrets.key: the private key asks for more than 2000000 iterations"};
    X509_ALGOR *algorithms[3] = {
        PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), 3000000, (unsigned char *)(uintptr_t)salt, 8, NULL, -1),
        PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt, 8, NULL, 16384, 8, 1),
        PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt, 8, NULL, 32768, 1, 100)};
    for (size_t i = 0; i < 3; i++) {
        assert_non_null(algorithms[i]);
        X509_SIG *fake = X509_SIG_new();
        X509_ALGOR *algorithm = NULL;
        ASN1_OCTET_STRING *data = NULL;
        X509_SIG_getm(fake, &algorithm, &data);
        X509_ALGOR_copy(algorithm, algorithms[i]);
        ASN1_OCTET_STRING_set(data, (const unsigned char *)"0123456789abcdef", 16);
        BIO *bio = BIO_new(BIO_s_mem());
        PEM_write_bio_PKCS8(bio, fake);
        BIO_write(bio, "", 1);
        char *pem = NULL;
        BIO_get_mem_data(bio, &pem);
        expect(from_text(certs_file(certs, "cli1.crt", NULL), pem, "s3cret"), expected[i]);
        BIO_free(bio);
        X509_SIG_free(fake);
        X509_ALGOR_free(algorithms[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pem_in_every_form),
        cmocka_unit_test(pem_in_every_order),
        cmocka_unit_test(pem_faults),
        cmocka_unit_test(pfx_table),
        cmocka_unit_test(pfx_that_is_none),
        cmocka_unit_test(pfx_damaged_anywhere),
        cmocka_unit_test(work_is_bounded),
        cmocka_unit_test(work_for_another_mac_is_bounded),
        cmocka_unit_test(work_for_keys_is_bounded),
    };
    return cmocka_run_group_tests(tests, make_certs, free_certs);
}
