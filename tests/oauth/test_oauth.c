/*
 * test_oauth.c - tokens of a real authorization server, and signatures that others check.
 *
 *   test_oauth BASE FRONT FOLDER      where server.mjs is, where the nginx before it is, and their folder
 */
#include <casehook.h>

#include <curl/curl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SECRET     "s3cret: of & the+client"
#define THREADS    64
#define OPERATIONS 1000
#define BODIES     1000

static const char *base, *front, *folder;

/* ---- the server ---------------------------------------------------------------------------------- */

struct text {
    char *data;
    size_t length;
};

static size_t take(char *data, size_t size, size_t count, void *user)
{
    struct text *text = user;
    text->data = realloc(text->data, text->length + size * count + 1);
    memcpy(text->data + text->length, data, size * count);
    text->length += size * count;
    text->data[text->length] = '\0';
    return size * count;
}

/* What it has counted, to be freed. */
static json_t *control(const char *what)
{
    char url[256];
    struct text text = {0};
    CURL *easy = curl_easy_init();
    snprintf(url, sizeof url, "%s/control/%s", base, what);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &text);
    assert_int_equal(curl_easy_perform(easy), CURLE_OK);
    curl_easy_cleanup(easy);
    json_t *counts = json_loads(text.data, 0, NULL);
    free(text.data);
    assert_non_null(counts);
    return counts;
}

static json_int_t counted(const char *name)
{
    json_t *counts = control("");
    json_int_t count = json_integer_value(json_object_get(counts, name));
    json_decref(counts);
    return count;
}

static void tell(const char *what)
{
    json_decref(control(what));
}

/* ---- connectors ---------------------------------------------------------------------------------- */

static json_t *content(const char *name)
{
    char path[512], text[16 * 1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t length = fread(text, 1, sizeof text, file);
    fclose(file);
    return json_stringn(text, length);
}

static void put_url(json_t *config, const char *name, const char *path, const char *rest)
{
    char url[256];
    snprintf(url, sizeof url, "%s%s%s", base, path, rest);
    json_object_set_new(config, name, json_string(url));
}

/* A document for the tracker at this place; more of config and secrets as members. */
static json_t *document(const char *path, json_t *config, json_t *secrets)
{
    json_t *root = json_pack("{s:{s:s,s:s,s:s,s:s,s:o},s:o}", "config", "createIncidentJson",
                             "{\"t\":{{case.title}},\"d\":{{case.description}}}", "createIncidentResponseKey",
                             "id", "getIncidentResponseExternalTitleKey", "key", "updateIncidentJson",
                             "{\"t\":{{case.title}},\"d\":{{case.description}}}", "ca", content("ca.crt"),
                             "secrets", secrets);
    json_t *all = json_object_get(root, "config");
    put_url(all, "createIncidentUrl", path, "/c");
    put_url(all, "getIncidentUrl", path, "/c/{{external.system.id}}");
    put_url(all, "updateIncidentUrl", path, "/c/{{external.system.id}}");
    put_url(all, "viewIncidentUrl", path, "/v/{{external.system.id}}");
    json_object_update(all, config);
    json_decref(config);
    return root;
}

static struct casehook_connector *connector_of(json_t *root)
{
    struct casehook_connector *connector = NULL;
    struct casehook_error *error = NULL;
    char *text = json_dumps(root, 0);
    casehook_connector_new(NULL, text, CASEHOOK_TERMINATED, &connector, &error);
    if (error) print_error("%s\n", casehook_error_message(error));
    casehook_error_free(error);
    free(text);
    json_decref(root);
    assert_non_null(connector);
    return connector;
}

static struct casehook_connector *oauth(const char *path, const char *client, const char *method,
                                        json_t *config, json_t *secrets)
{
    json_t *all = json_pack("{s:s,s:s,s:s,s:s}", "authType", "oauth2", "clientId", client, "tokenAuthMethod",
                            method, "scope", "cases");
    put_url(all, "accessTokenUrl", "/token", "");
    if (config) json_object_update(all, config);
    json_decref(config);
    return connector_of(document(path, all, secrets));
}

static struct casehook_connector *by_secret(void)
{
    return oauth("/api", "post", "client_secret_post", NULL, json_pack("{s:s}", "clientSecret", SECRET));
}

static struct casehook_result *create(struct casehook_connector *connector, const char *title)
{
    const struct casehook_params params = {
        .struct_size = sizeof params, .title = title, .description = "all of it"};
    struct casehook_result *result = NULL;
    casehook_create(connector, &params, NULL, &result);
    assert_non_null(result);
    return result;
}

static void expect_success(struct casehook_connector *connector)
{
    struct casehook_result *result = create(connector, "disk full");
    const struct casehook_error *error = casehook_result_error(result);
    if (error) print_error("%s\n", casehook_error_message(error));
    assert_null(error);
    assert_int_equal(casehook_result_request_step(result, 0), CASEHOOK_STEP_TOKEN);
    casehook_result_free(result);
    casehook_connector_unref(connector);
}

/* ---- ways to show who the client is -------------------------------------------------------------- */

static void each_way(void **state)
{
    (void)state;
    static const char *const algorithms[] = {"RS256", "PS256", "ES256"};
    char client[32];
    tell("reset");
    expect_success(by_secret());
    expect_success(oauth("/api", "the basic:client", "client_secret_basic", NULL,
                         json_pack("{s:s}", "clientSecret", SECRET)));
    for (int i = 0; i < 3; i++) {
        snprintf(client, sizeof client, "jwt-%s", algorithms[i]);
        expect_success(
            oauth("/api", client, "private_key_jwt",
                  json_pack("{s:s,s:s}", "tokenAlgorithm", algorithms[i], "keyId", i == 2 ? "ec" : "rsa"),
                  json_pack("{s:o}", "key", content(i == 2 ? "ec.pem" : "rsa.pem"))));
    }
    expect_success(oauth("/mtls", "tls", "tls_client_auth", NULL,
                         json_pack("{s:o,s:o}", "crt", content("client.crt"), "key", content("client.key"))));
    assert_int_equal(counted("grants"), 6);
    assert_int_equal(counted("unauthorized"), 0);
}

/* ---- nginx passes the certificate on ------------------------------------------------------------- */

/* The client that names itself and has no secret: all the rest is up to the certificate. */
static struct casehook_result *create_behind_nginx(const char *certificate)
{
    char name[64], key[64];
    const char *direct = base;
    snprintf(name, sizeof name, "%s.crt", certificate);
    snprintf(key, sizeof key, "%s.key", certificate);
    base = front;
    struct casehook_connector *connector =
        oauth("/mtls", "tls", "tls_client_auth", NULL,
              json_pack("{s:o,s:o}", "crt", content(name), "key", content(key)));
    base = direct;
    struct casehook_result *result = create(connector, "by certificate alone");
    casehook_connector_unref(connector);
    return result;
}

static void a_certificate_behind_nginx(void **state)
{
    (void)state;
    tell("reset");
    struct casehook_result *result = create_behind_nginx("client");
    const struct casehook_error *error = casehook_result_error(result);
    if (error) print_error("%s\n", casehook_error_message(error));
    assert_null(error);
    assert_int_equal(casehook_result_request_count(result), 3);
    assert_int_equal(casehook_result_request_step(result, 0), CASEHOOK_STEP_TOKEN);
    casehook_result_free(result);
    assert_int_equal(counted("grants"), 1);
    assert_int_equal(counted("unauthorized"), 0);
}

/* The certificate of another client, and one of an unknown issuer. */
static void a_wrong_certificate_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *certificate, *says;
        int status;
    } wrong[] = {{"other", "error \"invalid_client\"", 401}, {"stranger", "SSL certificate error", 400}};
    tell("reset");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct casehook_result *result = create_behind_nginx(wrong[i].certificate);
        const struct casehook_error *error = casehook_result_error(result);
        assert_non_null(error);
        const char *message = casehook_error_message(error);
        print_message("%s\n", message);
        assert_int_equal(casehook_error_step(error), CASEHOOK_STEP_TOKEN);
        assert_int_equal(casehook_error_http_status(error), wrong[i].status);
        assert_int_equal(casehook_error_outcome(error), CASEHOOK_OUTCOME_NOT_SENT);
        assert_int_equal(casehook_error_retryable(error), 0);
        assert_non_null(strstr(message, wrong[i].says));
        assert_non_null(strstr(message, "clientId, the client certificate"));
        assert_null(strstr(message, "clientSecret"));
        casehook_result_free(result);
    }
    assert_int_equal(counted("grants"), 0);
    assert_int_equal(counted("cases"), 0);
}

static void a_jwt_as_grant(void **state)
{
    (void)state;
    for (int ec = 0; ec < 2; ec++) {
        json_t *config =
            json_pack("{s:s,s:s,s:{s:s,s:s,s:{s:[s,b]}}}", "authType", "oauth2", "grantType", "jwt_bearer",
                      "assertion", "iss", "robot@example", "sub", "ops", "nested", "list", "\"", 1);
        put_url(config, "accessTokenUrl", "/exchange", "");
        expect_success(connector_of(
            document("/api", config, json_pack("{s:o}", "key", content(ec ? "ec.pem" : "rsa.pem")))));
    }
}

static void a_wrong_secret_is_told(void **state)
{
    (void)state;
    struct casehook_connector *connector = oauth("/api", "post", "client_secret_post", NULL,
                                                 json_pack("{s:s}", "clientSecret", "not the secret"));
    struct casehook_result *result = create(connector, "x");
    const struct casehook_error *error = casehook_result_error(result);
    assert_non_null(error);
    const char *message = casehook_error_message(error);
    print_message("%s\n", message);
    assert_int_equal(casehook_error_step(error), CASEHOOK_STEP_TOKEN);
    assert_int_equal(casehook_error_http_status(error), 401);
    assert_non_null(strstr(message, "invalid_client"));
    assert_non_null(strstr(message, "secrets.clientSecret"));
    assert_non_null(strstr(message, "tokenAuthMethod"));
    assert_null(strstr(message, "not the secret"));
    assert_int_equal(casehook_error_retryable(error), 0);
    casehook_result_free(result);
    casehook_connector_unref(connector);
}

/* The tracker's refusal quotes the header, token and all. */
static void a_token_that_is_withdrawn_heals(void **state)
{
    (void)state;
    struct casehook_connector *connector = by_secret();
    casehook_result_free(create(connector, "one"));
    tell("reset");
    tell("withdraw");
    struct casehook_result *result = create(connector, "two");
    assert_null(casehook_result_error(result));
    assert_int_equal(casehook_result_request_count(result), 4);
    assert_int_equal(casehook_result_request_step(result, 0), CASEHOOK_STEP_CREATE);
    assert_int_equal(casehook_result_request_status(result, 0), 401);
    assert_int_equal(casehook_result_request_step(result, 1), CASEHOOK_STEP_TOKEN);
    assert_int_equal(counted("unauthorized"), 1);
    assert_int_equal(counted("grants"), 1);
    casehook_result_free(result);
    casehook_connector_unref(connector);
}

/* ---- many at once, over the end of tokens -------------------------------------------------------- */

struct crowd {
    struct casehook_connector *connector;
    atomic_bool over;
    atomic_int done, failed;
};

static void note(struct crowd *crowd, struct casehook_result *result)
{
    const struct casehook_error *error = casehook_result_error(result);
    atomic_fetch_add(&crowd->done, 1);
    if (error && atomic_fetch_add(&crowd->failed, 1) < 5) print_error("%s\n", casehook_error_message(error));
    casehook_result_free(result);
}

static void *block(void *user)
{
    struct crowd *crowd = user;
    while (!atomic_load(&crowd->over)) note(crowd, create(crowd->connector, "of a thread"));
    return NULL;
}

/* A thousand in the loop, again and again. */
static void *loop_over(void *user)
{
    struct crowd *crowd = user;
    const struct casehook_params params = {
        .struct_size = sizeof params, .title = "of a loop", .description = "d"};
    struct casehook_loop_options options = {.struct_size = sizeof options, .max_operations = OPERATIONS};
    struct casehook_loop *loop = NULL;
    assert_int_equal(casehook_loop_new(&options, &loop), CASEHOOK_OK);
    do {
        for (int i = 0; i < OPERATIONS; i++)
            assert_int_equal(
                casehook_loop_submit(loop, crowd->connector, CASEHOOK_CREATE, &params, NULL, NULL, NULL),
                CASEHOOK_OK);
        for (int i = 0; i < OPERATIONS;) {
            struct casehook_result *result = casehook_loop_next(loop, NULL);
            if (result) {
                note(crowd, result);
                i++;
            } else {
                casehook_loop_wait(loop, -1);
            }
        }
    } while (!atomic_load(&crowd->over));
    casehook_loop_free(loop);
    return NULL;
}

static void one_request_for_a_token_in_its_life(void **state)
{
    (void)state;
    struct crowd crowd = {.connector = by_secret()};
    pthread_t threads[THREADS + 1];
    tell("reset");
    for (int i = 0; i <= THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, i < THREADS ? block : loop_over, &crowd), 0);
    while (counted("grants") < 4) continue; /* the server's own pace */
    atomic_store(&crowd.over, true);
    for (int i = 0; i <= THREADS; i++) pthread_join(threads[i], NULL);
    print_message("%d operations, %lld tokens, %lld refused\n", atomic_load(&crowd.done),
                  (long long)counted("grants"), (long long)counted("unauthorized"));
    assert_int_equal(atomic_load(&crowd.failed), 0);
    assert_int_equal(counted("close"), 0); /* no two within half the life of one */
    casehook_connector_unref(crowd.connector);
}

/* ---- signatures ---------------------------------------------------------------------------------- */

static void random_text(char *text, size_t size, unsigned seed)
{
    static const char *const pieces[] = {"a", "\"", "\\", "\n", "é",    "ß",    "漢字",
                                         "😀", "{{", "}",  "\t", "\x01", "\xFF", "\xE2\x80\xA8",
                                         " ", "%"};
    text[0] = '\0';
    srand(seed);
    for (int count = rand() % 60; count >= 0; count--)
        if (strlen(text) + 8 < size) strcat(text, pieces[(size_t)rand() % (sizeof pieces / sizeof *pieces)]);
}

static void send_signed(const char *path, json_t *signature, json_t *key)
{
    char title[600], description[600];
    struct casehook_connector *connector =
        connector_of(document(path, json_pack("{s:b,s:o}", "hasAuth", 0, "signature", signature),
                              json_pack("{s:o}", "signingKey", key)));
    for (unsigned i = 0; i < BODIES; i++) {
        struct casehook_params params = {
            .struct_size = sizeof params, .title = title, .description = description};
        struct casehook_result *result = NULL;
        random_text(title, sizeof title, 2 * i);
        random_text(description, sizeof description, 2 * i + 1);
        casehook_create(connector, &params, NULL, &result);
        assert_null(casehook_result_error(result));
        casehook_result_free(result);
    }
    casehook_connector_unref(connector);
}

static void standard_webhooks(void **state)
{
    (void)state;
    tell("reset");
    send_signed("/open/webhook", json_pack("{s:s}", "scheme", "standard-webhooks"),
                json_pack("[s,s]", "an old key, which the server does not know",
                          "whsec_YSBrZXkgb2YgU3RhbmRhcmQgV2ViaG9va3MsIDMyIGI="));
    assert_int_equal(counted("verified"), BODIES);
    assert_int_equal(counted("forged"), 0);
}

/* openssl checks them when this program has ended. */
static void a_form_of_our_own(void **state)
{
    (void)state;
    send_signed("/open/own",
                json_pack("{s:s,s:s,s:s,s:s}", "header", "X-Signature", "timestampHeader", "X-Time", "prefix",
                          "sha256=", "content", "{{timestamp}}.{{body}}"),
                json_string("a key: of text"));
    assert_int_equal(counted("saved"), BODIES);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_way),
        cmocka_unit_test(a_certificate_behind_nginx),
        cmocka_unit_test(a_wrong_certificate_is_told),
        cmocka_unit_test(a_jwt_as_grant),
        cmocka_unit_test(a_wrong_secret_is_told),
        cmocka_unit_test(a_token_that_is_withdrawn_heals),
        cmocka_unit_test(one_request_for_a_token_in_its_life),
        cmocka_unit_test(standard_webhooks),
        cmocka_unit_test(a_form_of_our_own),
    };
    if (argc != 4) return 2;
    base = argv[1];
    front = argv[2];
    folder = argv[3];
    curl_global_init(CURL_GLOBAL_DEFAULT);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
