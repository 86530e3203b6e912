/* test_tls_limits.c - client certificates and trust where memory, the legacy provider or a terminal is the
 * matter. */
#define _DEFAULT_SOURCE 1 /* forkpty */
#include "certs.h"
#include "tls/tls_private.h"

#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>

#include <cmocka.h>

static struct certs *certs;

static int make_certs(void **state)
{
    (void)state;
    certs = certs_new();
    certs_make(certs, &(struct certs_spec){.name = "ca1", .ca = true});
    certs_make(certs, &(struct certs_spec){.name = "cli1", .issuer = "ca1"});
    certs_encrypted_key(certs, "enc.key", "cli1", NULL, "s3cret");
    certs_traditional_key(certs, "old_enc.key", "cli1", "s3cret");
    if (!certs_have_legacy()) return 0;
    certs_pfx(certs, &(struct certs_pfx_spec){.name = "aes.p12", .cert = "cli1", .passphrase = "s3cret"});
    certs_pfx(certs, &(struct certs_pfx_spec){.name = "rc2.p12",
                                              .cert = "cli1",
                                              .passphrase = "s3cret",
                                              .key_nid = NID_pbe_WithSHA1And40BitRC2_CBC,
                                              .cert_nid = NID_pbe_WithSHA1And40BitRC2_CBC});
    return 0;
}

static int free_certs(void **state)
{
    (void)state;
    certs_free(certs);
    return 0;
}

static struct casehook__text file(const char *name)
{
    size_t length = 0;
    const char *data = certs_file(certs, name, &length);
    return (struct casehook__text){data, length};
}

/* ---- memory ---------------------------------------------------------------------------------- */

struct meter {
    long left; /* allocations that succeed; negative: all */
    long live;
};

static void *reallocate(void *user, void *pointer, size_t size)
{
    struct meter *meter = user;
    if (size == 0) {
        meter->live -= pointer != NULL;
        free(pointer);
        return NULL;
    }
    if (meter->left == 0) return NULL;
    if (meter->left > 0) meter->left--;
    meter->live += pointer == NULL;
    return realloc(pointer, size);
}

static int one_run(struct casehook__heap *heap, const char *bundle)
{
    struct casehook__trust *trust = NULL, *system = NULL;
    struct casehook__identity *pem = NULL, *pfx = NULL;
    struct casehook__buf crt, key;
    struct casehook_error error = {0};
    casehook__buf_init(&crt, heap, 100000);
    casehook__buf_init(&key, heap, 100000);
    int status = casehook__trust_from_pem(heap, file("ca1.crt"), &trust, &error);
    if (!status) status = casehook__trust_system(heap, bundle, &system, &error);
    if (!status)
        status = casehook__identity_from_pem(heap, file("cli1.crt"), file("enc.key"),
                                             casehook__text("s3cret"), &pem, &error);
    if (!status && certs_have_legacy())
        status = casehook__identity_from_pfx(heap, file("rc2.p12"), casehook__text("s3cret"), &pfx, &error);
    if (!status) status = casehook__identity_to_pem(pem, &crt, &key);
    if (status && !crt.status && !key.status) assert_int_equal(error.status, CASEHOOK_E_NO_MEMORY);
    casehook__buf_free(&crt);
    casehook__buf_free(&key);
    casehook__identity_free(pem);
    casehook__identity_free(pfx);
    casehook__trust_unref(casehook__trust_ref(trust));
    casehook__trust_unref(trust);
    casehook__trust_unref(system);
    return status;
}

static void every_allocation_fails_once(void **state)
{
    (void)state;
    struct meter meter = {.left = -1};
    struct casehook_allocator allocator = {
        .struct_size = sizeof allocator, .user = &meter, .reallocate = reallocate};
    struct casehook__heap *heap = NULL;
    char folder[] = "/tmp/casehook-tls-XXXXXX", path[300];
    assert_int_equal(casehook__heap_new(&allocator, &heap), CASEHOOK_OK);
    assert_non_null(mkdtemp(folder));
    assert_true(certs_write(certs, folder));
    snprintf(path, sizeof path, "%s/ca1.crt", folder);
    int status = CASEHOOK_E_NO_MEMORY;
    long points = 0;
    for (; status == CASEHOOK_E_NO_MEMORY && points < 1000; points++) {
        meter.left = points;
        status = one_run(heap, path);
        assert_int_equal(meter.live, 1); /* the heap itself */
    }
    assert_int_equal(status, CASEHOOK_OK);
    assert_true(points > 6);
    print_message("%ld points\n", points - 1);
    casehook__heap_unref(heap);
    assert_int_equal(meter.live, 0);
    snprintf(path, sizeof path, "rm -r %s", folder);
    assert_int_equal(system(path), 0);
}

/* ---- the legacy provider --------------------------------------------------------------------- */

/* The test cannot run without it. */
static void need_legacy(void)
{
    if (certs_have_legacy()) return;
    print_message("SKIP: OpenSSL's legacy provider is not installed\n");
    skip();
}

static void environment_names_no_providers(void **state)
{
    (void)state;
    need_legacy();
    struct casehook__identity *identity = NULL;
    struct casehook_error error = {0};
    assert_int_equal(setenv("OPENSSL_MODULES", "/nonexistent", 1), 0);
    int status =
        casehook__identity_from_pfx(NULL, file("rc2.p12"), casehook__text("s3cret"), &identity, &error);
    unsetenv("OPENSSL_MODULES");
    if (status) fail_msg("%s", error.message);
    casehook__identity_free(identity);
}

static X509_SIG *rc2_key(void)
{
    OSSL_LIB_CTX *context = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *legacy = OSSL_PROVIDER_load(context, "legacy"),
                  *standard = OSSL_PROVIDER_load(context, "default");
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(certs_pkey(certs, "cli1"));
    X509_SIG *encrypted = PKCS8_encrypt_ex(NID_pbe_WithSHA1And40BitRC2_CBC, NULL, "s3cret", 6, NULL, 0, 2048,
                                           info, context, NULL);
    PKCS8_PRIV_KEY_INFO_free(info);
    OSSL_PROVIDER_unload(legacy);
    OSSL_PROVIDER_unload(standard);
    OSSL_LIB_CTX_free(context);
    return encrypted;
}

static void legacy_keys_with_and_without_the_provider(void **state)
{
    (void)state;
    need_legacy();
    struct casehook_error error = {0};
    struct casehook__pbe pbe = {
        .passphrase = CASEHOOK__TEXT("s3cret"), .field = "secrets.key", .what = "the private key"};
    X509_SIG *encrypted = rc2_key();
    EVP_PKEY *key = NULL;
    casehook__tls_begin();
    assert_int_equal(casehook__pbe_open_key(&pbe, encrypted, &key, &error), CASEHOOK_OK);
    casehook__pbe_free(&pbe); /* the key must not need the context */
    assert_int_equal(EVP_PKEY_eq(key, certs_pkey(certs, "cli1")), 1);
    EVP_PKEY_free(key);

    pbe.context = OSSL_LIB_CTX_new(); /* as after a load that failed */
    pbe.standard = OSSL_PROVIDER_load(pbe.context, "default");
    assert_int_equal(casehook__pbe_open_key(&pbe, encrypted, &key, &error), CASEHOOK_E_CONFIG);
    assert_non_null(strstr(error.message, "needs OpenSSL's legacy provider, which is not installed"));
    assert_non_null(strstr(error.message, "openssl pkcs12"));
    casehook__pbe_free(&pbe);
    casehook__tls_end();
    X509_SIG_free(encrypted);
}

/* ---- no prompt ------------------------------------------------------------------------------- */

/* In a child with a terminal of its own. */
static int try_without_passphrase(void)
{
    const struct casehook__text none = {0};
    struct casehook__identity *identity = NULL;
    struct casehook_error error = {0};
    int refused = 0;
    refused +=
        casehook__identity_from_pem(NULL, file("cli1.crt"), file("enc.key"), none, &identity, &error) != 0;
    refused += casehook__identity_from_pem(NULL, file("cli1.crt"), file("old_enc.key"), none, &identity,
                                           &error) != 0;
    /* an encrypted block where no encryption belongs */
    char *crt = certs_join(certs, "old_enc.key", NULL);
    for (char *at; (at = strstr(crt, "EC PRIVATE KEY")) != NULL;) memcpy(at, "XX CERTIFICATE", 14);
    struct casehook__trust *trust = NULL;
    refused += casehook__trust_from_pem(NULL, casehook__text(crt), &trust, &error) != 0;
    free(crt);
    refused += !certs_have_legacy() ||
               casehook__identity_from_pfx(NULL, file("aes.p12"), none, &identity, &error) != 0;
    return refused == 4 ? 0 : 1;
}

static void nothing_is_ever_prompted_for(void **state)
{
    (void)state;
    int terminal = -1, status = -1;
    char output[200] = "";
    pid_t child = forkpty(&terminal, NULL, NULL, NULL);
    if (child < 0) {
        print_message("SKIP: no terminal can be opened here\n");
        skip();
    }
    if (child == 0) _exit(try_without_passphrase());
    /* Whatever is written there is a prompt, and its writer waits for an answer for ever. */
    struct pollfd poller = {.fd = terminal, .events = POLLIN};
    if (poll(&poller, 1, 60000) <= 0 || read(terminal, output, sizeof output - 1) > 0) kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    close(terminal);
    assert_string_equal(output, "");
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_fails_once),
        cmocka_unit_test(environment_names_no_providers),
        cmocka_unit_test(legacy_keys_with_and_without_the_provider),
        cmocka_unit_test(nothing_is_ever_prompted_for),
    };
    return cmocka_run_group_tests(tests, make_certs, free_certs);
}
