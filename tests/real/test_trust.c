/*
 * test_trust.c - the system's CA bundle is parsed once per settings, for every connector and thread: each
 * certificate that is put into a store is counted.
 */
#define _GNU_SOURCE /* RTLD_NEXT */

#include "folder.h"
#include "real.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdatomic.h>

#define BUNDLE  30 /* certificates in it */
#define THREADS 4
#define CLIENTS 3

/* ---- in the place of libcurl's and OpenSSL's ---------------------------------------------------- */

static const char *bundle; /* a file */
static atomic_size_t parsed;
static curl_version_info_data version;
static pthread_once_t version_once = PTHREAD_ONCE_INIT;

static void find_version(void)
{
    curl_version_info_data *(*next)(CURLversion) = NULL;
    *(void **)&next = dlsym(RTLD_NEXT, "curl_version_info");
    version = *next(CURLVERSION_NOW);
    version.cainfo = bundle;
}

curl_version_info_data *curl_version_info(CURLversion which)
{
    (void)which;
    pthread_once(&version_once, find_version);
    return &version;
}

int X509_STORE_add_cert(X509_STORE *store, X509 *x509)
{
    int (*next)(X509_STORE *, X509 *) = NULL;
    *(void **)&next = dlsym(RTLD_NEXT, "X509_STORE_add_cert");
    atomic_fetch_add(&parsed, 1);
    return next(store, x509);
}

/* ---- servers ---------------------------------------------------------------------------------- */

static struct certs *certs;
static struct folder *folder;
static struct http_log *http;
static struct http_server *server;
static const char *base;

static int start(void **state)
{
    (void)state;
    static const char *const names[] = {"DNS:localhost", NULL};
    const char *all = "";
    certs = certs_new();
    for (int i = 0; i < BUNDLE; i++) {
        const char *name = text_of("ca%d", i);
        certs_make(certs, &(struct certs_spec){.name = name, .ca = true});
        all = text_of("%s%s", all, pem_of(certs, text_of("%s.crt", name)));
    }
    certs_make(certs, &(struct certs_spec){.name = "server", .issuer = "ca7", .san = names});
    struct http_tls tls = {.certificate = pem_of(certs, "server.crt"), .key = pem_of(certs, "server.key")};
    folder = folder_new();
    bundle = folder_write(folder, "bundle.pem", all);
    http = http_log_new();
    server = http_server_start(http, "tracker", &tls, tracker_answer, NULL);
    base = text_of("https://localhost:%u", http_server_port(server));
    return server ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    clients_end();
    http_server_stop(server, 5000);
    http_log_free(http);
    folder_free(folder);
    certs_free(certs);
    return 0;
}

/* ---- connections ------------------------------------------------------------------------------ */

static struct casehook_connector *connectors[CLIENTS];

static void connector_new(const struct casehook_settings *settings, size_t i, const char *config)
{
    char *document = document_new(base, config, NULL);
    assert_int_equal(casehook_connector_new(settings, document, CASEHOOK_TERMINATED, &connectors[i], NULL),
                     CASEHOOK_OK);
    free(document);
}

/* NULL when every connector got its answer twice. */
static void *call_all(void *unused)
{
    (void)unused;
    for (size_t i = 0; i < (size_t)CLIENTS * 2; i++) {
        const struct casehook_params params = {.struct_size = sizeof params, .external_id = "42"};
        struct casehook_result *result = NULL;
        int status = casehook_get(connectors[i % CLIENTS], &params, NULL, &result);
        casehook_result_free(result);
        if (status) return &bundle;
    }
    return NULL;
}

/* Connections of CLIENTS connectors in THREADS threads at once, under settings of their own. */
static void connect_all(const char *ca)
{
    pthread_t threads[THREADS];
    struct casehook_settings *settings = NULL;
    size_t before = http_server_connections(server);
    assert_int_equal(casehook_settings_new(NULL, &settings), CASEHOOK_OK);
    assert_int_equal(
        casehook_settings_load_json(settings, "{\"maxIdleConnections\":0}", CASEHOOK_TERMINATED, NULL),
        CASEHOOK_OK);
    for (size_t i = 0; i < CLIENTS; i++) connector_new(settings, i, ca);
    casehook_settings_free(settings);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, call_all, NULL), 0);
    for (size_t i = 0; i < THREADS; i++) {
        void *failed = NULL;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    for (size_t i = 0; i < CLIENTS; i++) casehook_connector_unref(connectors[i]);
    assert_int_equal(http_server_connections(server), before + (size_t)THREADS * CLIENTS * 2);
}

static void the_bundle_is_parsed_once(void **state)
{
    (void)state;
    connect_all(NULL);
    assert_int_equal(atomic_load(&parsed), BUNDLE);
    connect_all(NULL); /* other settings, another snapshot */
    assert_int_equal(atomic_load(&parsed), 2 * BUNDLE);
}

/* A CA of the connector's own is parsed when the connector is made, and the bundle is not touched. */
static void a_ca_is_parsed_once(void **state)
{
    (void)state;
    atomic_store(&parsed, 0);
    connect_all(text_of("\"ca\":%s", json_of(pem_of(certs, "ca7.crt"))));
    assert_int_equal(atomic_load(&parsed), CLIENTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bundle_is_parsed_once),
        cmocka_unit_test(a_ca_is_parsed_once),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
