/* test_pfx.c - client certificates from PFX files in handshakes with nginx, which demands one. */
#include "nginx.h"
#include "real.h"

#include <openssl/objects.h>
#include <openssl/provider.h>

enum { TLS12, TLS13, OTHER_CA, SITES };

static struct nginx_site sites[SITES] = {
    [TLS12] = {.name = "tls12", .client = "on", .lines = "ssl_protocols TLSv1.2; ssl_verify_depth 3;"},
    [TLS13] = {.name = "tls13", .client = "on", .lines = "ssl_protocols TLSv1.3; ssl_verify_depth 3;"},
    [OTHER_CA] = {.name = "other_ca"},
};
static struct certs *certs;
static struct nginx *nginx;
static struct http_log *http;
static struct http_server *upstream;

#define PASSPHRASE "canary s3cret \xC3\xA4"
#define CLIENT     .cert = "client", .passphrase = PASSPHRASE

static void make_pfx_files(void)
{
    static const char *const chain[] = {"int1", "ca2", NULL}, *const issuer[] = {"ca2", NULL};
    static const struct certs_pfx_spec specs[] = {
        {.name = "aes.p12", CLIENT},
        {.name = "3des.p12",
         CLIENT,
         .cert_nid = NID_pbe_WithSHA1And3_Key_TripleDES_CBC,
         .key_nid = NID_pbe_WithSHA1And3_Key_TripleDES_CBC,
         .mac_digest = "SHA1"},
        {.name = "rc2.p12",
         CLIENT,
         .cert_nid = NID_pbe_WithSHA1And40BitRC2_CBC,
         .key_nid = NID_pbe_WithSHA1And3_Key_TripleDES_CBC,
         .mac_digest = "SHA1"},
        {.name = "rc2_key.p12",
         CLIENT,
         .cert_nid = NID_pbe_WithSHA1And40BitRC2_CBC,
         .key_nid = NID_pbe_WithSHA1And40BitRC2_CBC,
         .mac_digest = "SHA1"},
        {.name = "no_mac.p12", CLIENT, .mac_iterations = -1},
        {.name = "open.p12", .cert = "client", .key_nid = -1, .cert_nid = -1, .mac_iterations = -1},
        {.name = "no_passphrase.p12", .cert = "client"},
        {.name = "chain.p12", .cert = "below", .passphrase = PASSPHRASE, .extra = chain},
        {.name = "own_ca.p12", .cert = "guest", .passphrase = PASSPHRASE, .extra = issuer},
        {.name = "slow.p12", CLIENT, .mac_iterations = 65537},
        {.name = "expired.p12", .cert = "old", .passphrase = PASSPHRASE},
        {.name = "stranger.p12", CLIENT, .key = "other"},
    };
    for (size_t i = 0; i < COUNT(specs); i++) certs_pfx(certs, &specs[i]);
}

/* Files that are made from others: one half of a file, one that asks for 8,388,607 iterations. */
static void make_broken_files(void)
{
    size_t length = 0;
    const char *whole = certs_file(certs, "aes.p12", &length);
    certs_add_file(certs, "half.p12", whole, length / 2);
    certs_add_file(certs, "none.p12", "this is no PFX file", 19);
    certs_add_file(certs, "empty.p12", "", 0);
    whole = certs_file(certs, "slow.p12", &length);
    char *huge = malloc(length);
    assert_non_null(huge);
    memcpy(huge, whole, length);
    for (size_t at = 0; at + 5 <= length; at++)
        if (memcmp(huge + at, "\x02\x03\x01\x00\x01", 5) == 0) memcpy(huge + at + 2, "\x7F\xFF\xFF", 3);
    certs_add_file(certs, "huge.p12", huge, length);
    free(huge);
}

static void make_certs(void)
{
    static const char *const names[] = {"DNS:localhost", NULL};
    static const struct certs_spec specs[] = {
        {.name = "ca1", .ca = true},
        {.name = "ca2", .ca = true},
        {.name = "int1", .ca = true, .issuer = "ca1"},
        {.name = "server", .issuer = "ca1", .san = names},
        {.name = "server2", .issuer = "ca2", .san = names},
        {.name = "client", .subject = "CN=client-one", .issuer = "ca1"},
        {.name = "below", .subject = "CN=client-below", .issuer = "int1"},
        {.name = "guest", .issuer = "ca2"},
        {.name = "other", .issuer = "ca1"},
        {.name = "old", .issuer = "ca1", .not_before = "2020-01-01", .not_after = "2021-01-01"},
    };
    certs = certs_new();
    for (size_t i = 0; i < COUNT(specs); i++) certs_make(certs, &specs[i]);
    make_pfx_files();
    make_broken_files();
}

static int start(void **state)
{
    (void)state;
    make_certs();
    for (size_t i = 0; i < SITES; i++) {
        sites[i].chain = certs_file(certs, i == OTHER_CA ? "server2.crt" : "server.crt", NULL);
        sites[i].key = certs_file(certs, i == OTHER_CA ? "server2.key" : "server.key", NULL);
        sites[i].client_ca = certs_file(certs, "ca1.crt", NULL);
    }
    http = http_log_new();
    upstream = http_server_start(http, "upstream", NULL, tracker_answer, NULL);
    nginx = nginx_start(sites, SITES, http_server_port(upstream));
    return nginx ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    nginx_stop(nginx);
    http_server_stop(upstream, 5000);
    http_log_free(http);
    certs_free(certs);
    return 0;
}

static struct answer call(int site, const char *file, const char *passphrase, const char *ca)
{
    size_t length = 0;
    const char *bytes = certs_file(certs, file, &length);
    const char *password = passphrase ? text_of(",\"password\":%s", json_of(passphrase)) : "";
    return call_once(NULL, text_of("https://localhost:%u", sites[site].port),
                     text_of(WITH_CERTIFICATE ",\"ca\":%s", json_of(pem_of(certs, ca))),
                     text_of("\"pfx\":\"%s\"%s", base64_of(bytes, length), password), CASEHOOK_CREATE);
}

/* The host's OpenSSL is as it was. */
static void context_is_untouched(void)
{
    assert_int_equal(OSSL_PROVIDER_available(NULL, "legacy"), 0);
    assert_int_equal(OSSL_PROVIDER_available(NULL, "default"), 1);
}

/* subject: what nginx must see; or field and words of the error, which comes before anything is sent. */
static const struct {
    const char *file, *passphrase, *subject, *field, *words;
} rows[] = {
    {"aes.p12", PASSPHRASE, "CN=client-one", NULL, NULL},
    {"3des.p12", PASSPHRASE, "CN=client-one", NULL, NULL},
    {"rc2.p12", PASSPHRASE, "CN=client-one", NULL, NULL},
    {"rc2_key.p12", PASSPHRASE, "CN=client-one", NULL, NULL},
    {"no_mac.p12", PASSPHRASE, "CN=client-one", NULL, NULL},
    {"open.p12", NULL, "CN=client-one", NULL, NULL},
    {"no_passphrase.p12", NULL, "CN=client-one", NULL, NULL},
    {"no_passphrase.p12", "", "CN=client-one", NULL, NULL},
    {"chain.p12", PASSPHRASE, "CN=client-below", NULL, NULL},
    {"slow.p12", PASSPHRASE, "CN=client-one", NULL, NULL},
    {"aes.p12", "wrong", NULL, "secrets.password", "does not open the PFX file"},
    {"rc2.p12", "wrong", NULL, "secrets.password", "does not open the PFX file"},
    {"no_mac.p12", "wrong", NULL, "secrets.password", "does not open the PFX file"},
    {"aes.p12", NULL, NULL, "secrets.password", "needs a passphrase: give it in secrets.password"},
    {"rc2_key.p12", NULL, NULL, "secrets.password", "needs a passphrase: give it in secrets.password"},
    {"huge.p12", PASSPHRASE, NULL, "secrets.pfx", "asks for more than 2000000 iterations"},
    {"half.p12", PASSPHRASE, NULL, "secrets.pfx", "is cut off"},
    {"none.p12", PASSPHRASE, NULL, "secrets.pfx", "is not a PFX file"},
    {"empty.p12", PASSPHRASE, NULL, "secrets.", ""},
    {"expired.p12", PASSPHRASE, NULL, "secrets.pfx", "expired on 2021-01-01"},
    {"stranger.p12", PASSPHRASE, NULL, "secrets.pfx", "does not belong to the certificate"},
};

static void try_row(size_t row, int site)
{
    size_t before = http_log_count(http);
    struct answer answer = call(site, rows[row].file, rows[row].passphrase, "ca1.crt");
    printf("%-18s %-8s %s\n", rows[row].file, sites[site].name,
           answer.status ? answer.message : rows[row].subject);
    context_is_untouched();
    if (rows[row].subject) {
        if (answer.status) fail_msg("%s: %s", rows[row].file, answer.message);
        assert_string_equal(seen(http_log_at(http, before), "Subject"), rows[row].subject);
        assert_string_equal(seen(http_log_at(http, before), "Verify"), "SUCCESS");
        return;
    }
    assert_int_equal(answer.status, CASEHOOK_E_CONFIG);
    assert_true(answer.refused);
    assert_int_equal(http_log_count(http), before);
    if (!strstr(answer.message, rows[row].words) ||
        strncmp(answer.field, rows[row].field, strlen(rows[row].field)))
        fail_msg("%s: %s: %s", rows[row].file, answer.field, answer.message);
    assert_null(strstr(answer.message, "canary"));
}

static void files_of_every_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        try_row(i, TLS12);
        try_row(i, TLS13);
    }
}

/* ca2 goes along with the certificate that it issued, and says nothing about servers. */
static void a_ca_inside_is_not_trusted(void **state)
{
    (void)state;
    size_t before = http_log_count(http);
    struct answer answer = call(OTHER_CA, "own_ca.p12", PASSPHRASE, "ca1.crt");
    assert_int_equal(answer.status, CASEHOOK_E_TLS);
    assert_non_null(strstr(answer.message, "issuer that is not trusted"));
    assert_int_equal(http_log_count(http), before);
    answer = call(OTHER_CA, "own_ca.p12", PASSPHRASE, "ca2.crt");
    assert_int_equal(answer.status, CASEHOOK_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_of_every_kind),
        cmocka_unit_test(a_ca_inside_is_not_trusted),
    };
    if (!nginx_is_there() || !certs_have_legacy()) {
        puts("SKIP: nginx (package nginx-light) or OpenSSL's legacy provider is not installed");
        return 77;
    }
    return cmocka_run_group_tests(tests, start, stop);
}
