/* scenarios.c - one call each of every public function that allocates. */
#include "torture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char settings_json[] =
    "{\"allowedHosts\":[\"127.0.0.1\",\"*.example.com\"],\"customHostSettings\":[{\"url\":\"https://"
    "a.example.com\","
    "\"ssl\":{\"verificationMode\":\"none\"}}],\"proxyUrl\":\"http://"
    "u:p@127.0.0.1:1\",\"proxyOnlyHosts\":[\"b.example.com\"],"
    "\"proxyHeaders\":{\"X-P\":\"1\"},\"responseTimeout\":\"20s\",\"allowedAddresses\":[\"10.0.0.0/8\"]}";
static const char config_json[] =
    "\"headers\":{\"X-Own\":\"v\"},\"hasAuth\":true,\"authType\":\"basic\",\"createResponseFields\":{\"n\":"
    "\"n\"},"
    "\"getResponseFields\":{\"state\":\"state\"},\"createIncidentJson\":\"{\\\"t\\\":{{case.title}},"
    "\\\"l\\\":[{{#case.tags}}{{.}}{{^@last}},{{/@last}}{{/case.tags}}],\\\"f\\\":{{case.fields.f}}}\"";
static const char secrets_json[] =
    "\"user\":\"u\",\"password\":\"password\",\"secretHeaders\":{\"X-Token\":\"token\"}";
static const char params_json[] =
    "{\"title\":\"t\\u00e9\",\"description\":\"d\",\"tags\":[\"a\",\"b\"],\"fields\":{\"f\":[1,2.50,\"x\"]},"
    "\"comments\":[{\"commentId\":\"1\",\"comment\":\"one\"},{\"commentId\":\"2\",\"comment\":\"two\"}]}";

static const char delivery_settings_json[] =
    "{\"run.maxAttempts\":3,\"retry.baseDelay\":1,\"retry.maxDelay\":1,\"retry.findDelay\":1,"
    "\"rateLimit.requests\":100000,\"circuit.failures\":1000}";

/* Finds, has keys in a header and in a body. */
static char *delivery_document(bool always)
{
    char config[1024];
    snprintf(config, sizeof config,
             "\"findIncidentUrl\":\"%s/find?k={{case.idempotencyKey}}\",\"findIncidentResponseKey\":\"id\","
             "\"findIncident\":\"%s\",\"findIncidentResponseStatusKey\":\"state\",\"closedStatuses\":[\"a\","
             "\"b\"],"
             "\"reopenWithin\":\"1d\",\"findIncidentResponseClosedAtKey\":\"at\","
             "\"idempotencyHeader\":\"Idempotency-Key\",\"idempotencyDuplicateStatuses\":[409]",
             torture_base, always ? "always" : "unknown");
    return document_new(torture_base, config, secrets_json);
}

/* Of nobody. */
static const char key_pem[] =
    "-----BEGIN PRIVATE KEY-----\\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgbg6R87GYacXBxO2F\\n"
    "OGW/bWy1RUJb1Pw5sBXEoxIFQIqhRANCAAREgAq99rinvSDmfAD6B5OCemQg0Dkd\\n"
    "Qzq/bclreGpypWWTy+MMjqLNKWDCmcLSonMTigV6Ka4V2qlN4lQbOtKh\\n-----END PRIVATE KEY-----\\n";

/* jwt: the client is known by one, and the requests are signed in the way of Standard Webhooks. */
static char *token_document(bool jwt)
{
    char config[2048], secrets[2048];
    snprintf(config, sizeof config,
             "\"hasAuth\":true,\"authType\":\"oauth2\",\"accessTokenUrl\":\"%s/token\",\"clientId\":\"c\","
             "\"scope\":\"s\",\"additionalFields\":{\"a\":\"b\",\"n\":1},\"tokenAuthMethod\":\"%s\",%s"
             "\"assertion\":{\"sub\":\"u\",\"x\":[1,{\"y\":null}]},\"grantType\":\"%s\"",
             torture_base, jwt ? "private_key_jwt" : "client_secret_basic",
             jwt ? "\"keyId\":\"k\",\"signature\":{\"scheme\":\"standard-webhooks\"},"
                 : "\"signature\":{\"header\":\"X-S\",\"prefix\":\"v=\",\"timestampHeader\":\"X-T\","
                   "\"content\":\"{{timestamp}}{{path}}{{body}}\"},",
             jwt ? "jwt_bearer" : "client_credentials");
    snprintf(
        secrets, sizeof secrets,
        "%s%s%s,\"secretQuery\":{\"q\":\"secret of the query\"},\"signingKey\":[\"whsec_MfKQ9r8GKYqrTwjU\","
        "\"another key\"]",
        jwt ? "\"key\":\"" : "\"clientSecret\":\"secret of the client", jwt ? key_pem : "", "\"");
    return document_new(torture_base, config, secrets);
}

static struct casehook_params params(void)
{
    static const char *const tags[] = {"a", "b"};
    static const struct casehook_comment comments[] = {{"1", "one"}, {"2", ""}, {"3", "three"}};
    struct casehook_params p = {
        .struct_size = sizeof p, .title = "t", .external_id = "42", .tags = tags, .tag_count = 2};
    p.fields = "{\"f\":\"\\n\"}";
    p.fields_length = CASEHOOK_TERMINATED;
    p.comments = comments;
    p.comment_count = 3;
    p.comment_size = sizeof *comments;
    return p;
}

/* ---- settings, connectors --------------------------------------------------------------------- */

static int settings_new(struct world *world)
{
    return casehook_settings_new(&torture_allocator, &world->settings);
}

static int settings_load(struct world *world)
{
    return casehook_settings_load_json(world->settings, settings_json, CASEHOOK_TERMINATED, &world->error);
}

static int settings_load_bad(struct world *world)
{
    return casehook_settings_load_json(
        world->settings,
        "{\"nope\":1,\"proxyUrl\":\"ftp://x\",\"maxRedirects\":\"x\","
        "\"customHostSettings\":[{\"url\":\"https://h\",\"ssl\":{"
        "\"certificateAuthoritiesFiles\":[\"/dev/null\",\"/proc/version\"]}}]}",
        CASEHOOK_TERMINATED, &world->error);
}

static const char *const secret_words[] = {
    "secret of the client", "secret%20of", "another key", "a.token", "t0k.en", "dTpwYXNzd29yZA=="};

static void log_line(void *user, const struct casehook_log_record *record)
{
    (void)user;
    if (strstr(record->message, "(null)")) abort();
    /* Without memory less is shown, and never more. */
    for (size_t i = 0; i < sizeof secret_words / sizeof *secret_words; i++)
        if (strstr(record->message, secret_words[i])) abort();
}

static int set_log(struct world *world)
{
    return casehook_settings_set_log(world->settings, CASEHOOK_LOG_TRACE, NULL, log_line, NULL);
}

static int connector_new(struct world *world)
{
    return casehook_connector_new(world->settings, world->document, CASEHOOK_TERMINATED, &world->connector,
                                  &world->error);
}

static int connector_check(struct world *world)
{
    return casehook_connector_check(world->settings, world->document, CASEHOOK_TERMINATED, &world->error);
}

static int connector_warnings(struct world *world)
{
    return casehook_connector_warnings(world->connector, &world->error);
}

static int connector_check_bad(struct world *world)
{
    return casehook_connector_check(
        world->settings,
        "{\"config\":{\"createIncidentUrl\":\"x\",\"nope\":1,\"password\":\"x\","
        "\"getIncidentUrl\":\"http://h/{{id}}/{{nothing}}\",\"createIncidentJson\":"
        "\"{\\\"t\\\":{{title}},\\\"d\\\":{{Description}}}x\"},\"secrets\":{}}",
        CASEHOOK_TERMINATED, &world->error);
}

static int error_json(struct world *world)
{
    int status = connector_check_bad(world);
    return casehook_error_json(world->error, NULL) ? status : CASEHOOK_E_NO_MEMORY;
}

static int cancel_new(struct world *world)
{
    return casehook_cancel_new(&torture_allocator, &world->cancel);
}

/* ---- operations ------------------------------------------------------------------------------- */

static int create(struct world *world)
{
    struct casehook_params p = params();
    return casehook_create(world->connector, &p, NULL, &world->result);
}

static int create_get_refused(struct world *world)
{
    torture_refuse_get = 1;
    int status = create(world);
    torture_refuse_get = 0;
    return status;
}

static int get(struct world *world)
{
    struct casehook_params p = params();
    return casehook_get(world->connector, &p, NULL, &world->result);
}

static int update(struct world *world)
{
    struct casehook_params p = params();
    return casehook_update(world->connector, &p, NULL, &world->result);
}

static int comment(struct world *world)
{
    struct casehook_params p = params();
    p.comment_count = 1;
    return casehook_add_comment(world->connector, &p, NULL, &world->result);
}

static int push(struct world *world)
{
    struct casehook_params p = params();
    p.external_id = NULL;
    return casehook_push(world->connector, &p, NULL, &world->result);
}

static int run_json(struct world *world)
{
    return casehook_run_json(world->connector, CASEHOOK_PUSH, params_json, CASEHOOK_TERMINATED, NULL,
                             &world->result);
}

static int run_json_bad(struct world *world)
{
    return casehook_run_json(world->connector, CASEHOOK_PUSH, "{\"title\":\"t\",\"tags\":1}",
                             CASEHOOK_TERMINATED, NULL, &world->result);
}

static int preview(struct world *world)
{
    struct casehook_params p = params();
    return casehook_preview(world->connector, CASEHOOK_PUSH, &p, &world->result);
}

static int preview_json(struct world *world)
{
    return casehook_preview_json(world->connector, CASEHOOK_PUSH, params_json, CASEHOOK_TERMINATED,
                                 &world->result);
}

static int result_json(struct world *world)
{
    return casehook_result_json(world->result, NULL) ? CASEHOOK_OK : CASEHOOK_E_NO_MEMORY;
}

static int result_error_json(struct world *world)
{
    int status = create_get_refused(world);
    const struct casehook_error *error = casehook_result_error(world->result);
    return casehook_error_json(error, NULL) ? status : CASEHOOK_E_NO_MEMORY;
}

static int result_request_json(struct world *world)
{
    return casehook_result_request_json(world->result, 0, NULL) ? CASEHOOK_OK : CASEHOOK_E_NO_MEMORY;
}

/* ---- tried again, found, resumed --------------------------------------------------------------- */

static int create_again(struct world *world)
{
    torture_create_status = 503;
    return create(world);
}

static int create_found(struct world *world)
{
    torture_create_status = 504;
    return create(world);
}

/* The document of the world looks only when it has to: this one asks first, and finds a case to update. */
static int push_known(struct world *world)
{
    struct casehook_params p = params();
    struct casehook_connector *always = NULL;
    char *document = delivery_document(true);
    int status =
        casehook_connector_new(world->settings, document, CASEHOOK_TERMINATED, &always, &world->error);
    p.external_id = NULL;
    p.id = "r1";
    if (!status) status = casehook_push(always, &p, NULL, &world->result);
    casehook_connector_unref(always);
    free(document);
    return status;
}

static int push_with_key(struct world *world)
{
    struct casehook_params p = params();
    p.external_id = NULL;
    p.idempotency_key = "a-key";
    torture_create_status = 503;
    return casehook_push(world->connector, &p, NULL, &world->result);
}

static int push_with_random_key(struct world *world)
{
    torture_create_status = 503;
    return run_json(world);
}

static int resume(struct world *world, const char *earlier)
{
    struct casehook_params p = params();
    p.external_id = NULL;
    p.resume = earlier;
    p.resume_length = CASEHOOK_TERMINATED;
    return casehook_push(world->connector, &p, NULL, &world->result);
}

static int push_resumed(struct world *world)
{
    return resume(
        world, "{\"operation\":\"push\",\"id\":\"42\",\"idempotencyKey\":\"k\",\"comments\":["
               "{\"commentId\":\"1\",\"state\":\"sent\"},{\"commentId\":\"2\",\"state\":\"skipped\"},"
               "{\"commentId\":\"3\",\"state\":\"failed\"}],\"requests\":[{\"step\":\"create\",\"outcome\":"
               "\"done\"},{\"step\":\"comment\",\"outcome\":\"unknown\"}]}");
}

static int push_resumed_unknown(struct world *world)
{
    return resume(world, "{\"operation\":\"push\",\"id\":null,\"idempotencyKey\":\"k\",\"comments\":[],"
                         "\"requests\":[{\"step\":\"create\",\"outcome\":\"unknown\"}]}");
}

static int push_resumed_bad(struct world *world)
{
    return resume(world, "{\"operation\":\"get\",\"comments\":[],\"requests\":[]}");
}

static int stats_json(struct world *world)
{
    char text[4096];
    int status = create_again(world);
    return casehook_connector_stats_json(world->connector, text, sizeof text) ? status : CASEHOOK_E_NO_MEMORY;
}

/* Waits hold no place in a loop, and nothing that failed stays there. */
static int loop_again(struct world *world)
{
    struct casehook_params p = params();
    torture_create_status = 504;
    int status =
        casehook_loop_submit(world->loop, world->connector, CASEHOOK_CREATE, &p, NULL, NULL, &world->error);
    while (!status && !(world->result = casehook_loop_next(world->loop, NULL)))
        if (casehook_loop_wait(world->loop, 60000) == CASEHOOK_E_ARGUMENT) abort();
    return status ? status : casehook_error_status(casehook_result_error(world->result));
}

/* ---- the exchange ----------------------------------------------------------------------------- */

static int exchange_new(struct world *world)
{
    struct casehook_params p = params();
    return casehook_exchange_new(world->connector, CASEHOOK_CREATE, &p, NULL, &world->exchange, NULL);
}

static int exchange_new_json(struct world *world)
{
    return casehook_exchange_new_json(world->connector, CASEHOOK_CREATE, params_json, CASEHOOK_TERMINATED,
                                      NULL, &world->exchange, NULL);
}

static int exchange_new_bad(struct world *world)
{
    struct casehook_params p = params();
    return casehook_exchange_new(world->connector, 99, &p, NULL, &world->exchange, &world->error);
}

static int loop_new(struct world *world)
{
    struct casehook_loop_options options = {
        .struct_size = sizeof options, .allocator = &torture_allocator, .max_operations = 1};
    return casehook_loop_new(&options, &world->loop);
}

/* One more than the loop takes. */
static int loop_submit_busy(struct world *world)
{
    struct casehook_params p = params();
    struct casehook_options options = {.struct_size = sizeof options, .user = 1};
    int status =
        casehook_loop_submit(world->loop, world->connector, CASEHOOK_GET, &p, &options, NULL, &world->error);
    if (status) return status;
    return casehook_loop_submit(world->loop, world->connector, CASEHOOK_GET, &p, &options, NULL,
                                &world->error);
}

static int end_exchange(struct world *world)
{
    world->result = casehook_exchange_result(world->exchange);
    return casehook_error_status(casehook_result_error(world->result));
}

static int exchange_next(struct world *world)
{
    struct casehook_http_request request = {.struct_size = sizeof request};
    return casehook_exchange_next(world->exchange, &request) == 1 ? CASEHOOK_OK : end_exchange(world);
}

static int exchange_next_json(struct world *world)
{
    return casehook_exchange_next_json(world->exchange, NULL) ? CASEHOOK_OK : end_exchange(world);
}

static int exchange_feed(struct world *world)
{
    static const char created[] = "{\"id\":\"42\",\"n\":{\"x\":[1]}}";
    struct casehook_http_request request = {.struct_size = sizeof request};
    if (casehook_exchange_next(world->exchange, &request) != 1) return end_exchange(world);
    casehook_exchange_feed(world->exchange, 201, "Content-Type:\r\n application/json", CASEHOOK_TERMINATED,
                           created, CASEHOOK_TERMINATED);
    if (casehook_exchange_next(world->exchange, &request) != 1) return end_exchange(world);
    casehook_exchange_feed(world->exchange, 200, "", 0, "{\"key\":\"K\"}", CASEHOOK_TERMINATED);
    return end_exchange(world);
}

/* Until it has to wait: in its struct, then as JSON. */
static int exchange_wait(struct world *world)
{
    struct casehook_http_request request = {.struct_size = sizeof request};
    if (casehook_exchange_next(world->exchange, &request) != CASEHOOK_EXCHANGE_REQUEST)
        return end_exchange(world);
    casehook_exchange_fail(world->exchange, CASEHOOK_E_NETWORK, 1, "lost");
    while (casehook_exchange_next(world->exchange, &request) == CASEHOOK_EXCHANGE_WAIT)
        if (!casehook_exchange_next_json(world->exchange, NULL)) break;
    return end_exchange(world);
}

/* ---- tokens -------------------------------------------------------------------------------------- */

static int connector_new_token(struct world *world)
{
    char *document = token_document(false);
    int status = casehook_connector_new(world->settings, document, CASEHOOK_TERMINATED, &world->connector,
                                        &world->error);
    free(document);
    return status;
}

static int connector_check_bad_token(struct world *world)
{
    return casehook_connector_check(
        world->settings,
        "{\"config\":{\"authType\":\"oauth2\",\"accessTokenUrl\":\"http://h/"
        "{{x}}\",\"additionalFields\":\"[\","
        "\"grantType\":\"jwt_bearer\",\"assertion\":{\"iat\":1,\"x\":1.5},\"signature\":{\"header\":\"Host\","
        "\"content\":\"{{bdy}}\"},\"nope\":1},\"secrets\":{\"key\":\"x\",\"signingKey\":[\"whsec_*\",1],"
        "\"secretQuery\":{\"a\":1,\"b\":\"\"}}}",
        CASEHOOK_TERMINATED, &world->error);
}

static int create_refused_token(struct world *world)
{
    torture_token_status = 401;
    int status = create(world);
    torture_token_status = 200;
    return status;
}

static int create_unauthorized(struct world *world)
{
    torture_unauthorized = 1;
    int status = create(world);
    torture_unauthorized = 0;
    return status;
}

/* Of two in a loop one waits for the other. */
static int loop_tokens(struct world *world)
{
    struct casehook_params p = params();
    struct casehook_loop_options options = {.struct_size = sizeof options, .allocator = &torture_allocator};
    int first = casehook_loop_new(&options, &world->loop), ended = 0;
    for (int i = 0; i < 2 && !first; i++)
        first = casehook_loop_submit(world->loop, world->connector, CASEHOOK_GET, &p, NULL, NULL, NULL);
    while (world->loop && casehook_loop_pending(world->loop)) {
        struct casehook_result *result = casehook_loop_next(world->loop, NULL);
        if (!result && casehook_loop_wait(world->loop, 60000) == CASEHOOK_E_ARGUMENT) abort();
        if (result && !ended) ended = casehook_error_status(casehook_result_error(result));
        casehook_result_free(result);
    }
    return first ? first : ended;
}

static int exchange_token(struct world *world)
{
    struct casehook_http_request request = {.struct_size = sizeof request};
    if (casehook_exchange_next(world->exchange, &request) != 1) return end_exchange(world);
    casehook_exchange_feed(world->exchange, 200, "", 0, "{\"access_token\":\"t0k.en\"}", CASEHOOK_TERMINATED);
    return exchange_feed(world);
}

/* ---- values -------------------------------------------------------------------------------------- */

/* One of each kind, in a URL, a body and comments; fields of answers, given ones too. */
static const char values_json[] =
    "\"values\":{\"p\":{\"from\":\"case.tags\",\"map\":{\"a\":1.5,\"b\":[1,{\"x\":\"y\"}]},\"default\":\"d\"}"
    ","
    "\"l\":{\"from\":\"case.title\",\"format\":\"lines\",\"prefix\":\"> \"},"
    "\"a\":{\"from\":\"case.comment\",\"format\":\"adf\"},\"h\":{\"from\":\"case.tags\",\"format\":\"html\"},"
    "\"c\":{\"from\":[\"case.fields.n\",\"case.title\"],\"singleLine\":true,\"maxCharacters\":2},"
    "\"f\":{\"from\":\"external.fields.n\",\"suffix\":\"!\"}},"
    "\"createResponseFields\":{\"n\":\"n\",\"i\":\"id\"},\"commentResponseFields\":{\"w\":\"\"},"
    "\"createIncidentJson\":\"{\\\"p\\\":{{value.p}},\\\"l\\\":[{{#value.l}}{{.}}{{^@last}},{{/@last}}{{/"
    "value.l}}],"
    "\\\"h\\\":{{value.h}},\\\"c\\\":{{value.c}},\\\"s\\\":{{secret.s}}}\","
    "\"createCommentJson\":\"{\\\"a\\\":{{value.a}},\\\"f\\\":{{value.f}},\\\"n\\\":{{external.fields.n}},"
    "\\\"g\\\":{{external.fields.g}}}\"";

static int push_by(struct world *world, const char *config, const char *secrets, const char *json)
{
    struct casehook_connector *connector = NULL;
    char *document = document_new(torture_base, config, secrets);
    int status =
        casehook_connector_new(world->settings, document, CASEHOOK_TERMINATED, &connector, &world->error);
    if (!status)
        status = casehook_run_json(connector, CASEHOOK_PUSH, json, CASEHOOK_TERMINATED, NULL, &world->result);
    casehook_connector_unref(connector);
    free(document);
    return status;
}

static int run_values(struct world *world, const char *json)
{
    return push_by(world, values_json,
                   "\"user\":\"u\",\"password\":\"password\",\"values\":{\"s\":\"secret\"}", json);
}

static int push_values(struct world *world)
{
    return run_values(
        world, "{\"title\":\"a\\nb\\u00e9c\",\"tags\":[\"b\",\"z\"],\"externalFields\":{\"g\":\"\\n\"},"
               "\"comments\":[{\"commentId\":\"1\",\"comment\":\"x\\n\\ny\"},"
               "{\"commentId\":\"2\",\"comment\":\"z\"}]}");
}

static int resume_values(struct world *world)
{
    return run_values(
        world, "{\"title\":\"t\",\"comments\":[{\"commentId\":\"1\",\"comment\":\"x\"}],\"resume\":"
               "{\"id\":\"42\",\"comments\":[],\"requests\":[{\"step\":\"create\",\"outcome\":\"done\"}],"
               "\"fields\":{\"n\":[1,\"\\u00e9\"],\"g\":\"k\"}}}");
}

static int connector_check_bad_values(struct world *world)
{
    return casehook_connector_check(
        world->settings,
        "{\"config\":{\"values\":{\"a b\":1,\"x\":{\"from\":[\"case.nope\",1],\"map\":[],\"unit\":\"words\"},"
        "\"y\":{\"from\":\"case.comment\",\"format\":\"adf\",\"prefix\":\"p\"}},"
        "\"createIncidentUrl\":\"http://h/{{value.y}}/{{value.z}}\"},\"secrets\":{\"values\":{\"s\":\"\"}}}",
        CASEHOOK_TERMINATED, &world->error);
}

/* ---- calls that are told more --------------------------------------------------------------------- */

/* Headers per call, keys of errors, a title in the write, a transition. */
static const char told_json[] =
    "\"hasAuth\":false,\"headers\":{\"X-A\":\"1\"},\"createIncidentHeaders\":{\"x-a\":\"2\",\"X-T\":\"{{case."
    "title}}\","
    "\"X-S\":\"{{secret.s}}\"},\"createCommentHeaders\":{\"X-I\":\"{{external.system.id}}\"},"
    "\"updateIncidentHeaders\":{\"X-Token\":\"{{value.v}}\",\"X-U\":\"{{value.v}}\"},"
    "\"createIncidentResponseErrorKey\":\"errors\",\"updateIncidentResponseErrorKey\":\"errors\","
    "\"values\":{\"v\":{\"from\":\"external.system.id\",\"prefix\":\"v\"},"
    "\"transition\":{\"from\":\"case.status\",\"map\":{\"closed\":\"2\"}}},"
    "\"createIncidentResponseExternalTitleKey\":\"id\",\"updateIncidentResponseKey\":\"id\","
    "\"transitionIncidentUrl\":\"%s/cases/{{external.system.id}}\",\"transitionIncidentMethod\":\"put\","
    "\"transitionIncidentJson\":\"{\\\"to\\\":{{value.transition}}}\",\"transitionIncidentHeaders\":{\"X-S\":"
    "\"{{case.status}}\"}%s";

static int run_told(struct world *world, const char *more, const char *json)
{
    char members[2048];
    snprintf(members, sizeof members, told_json, torture_base, more);
    return push_by(world, members, "\"secretHeaders\":{\"X-Token\":\"token\"},\"values\":{\"s\":\"secret\"}",
                   json);
}

static int push_told(struct world *world)
{
    return run_told(world, "", "{\"title\":\"t\",\"comments\":[{\"commentId\":\"1\",\"comment\":\"x\"}]}");
}

static int push_transition(struct world *world)
{
    return run_told(world, "", "{\"title\":\"t\",\"externalId\":\"42\",\"status\":\"closed\"}");
}

/* The answer has such a key. */
static int push_error_key(struct world *world)
{
    return run_told(world, ",\"getIncidentResponseErrorKey\":\"key\"",
                    "{\"title\":\"t\",\"externalId\":\"42\"}");
}

static int push_id_header(struct world *world)
{
    return run_told(world, ",\"createIncidentResponseKey\":null,\"createIncidentResponseHeader\":\"X-Id\"",
                    "{\"title\":\"t\"}");
}

static int push_bad_header(struct world *world)
{
    return run_told(world, "", "{\"title\":\"t\\n\"}");
}

static int connector_check_bad_headers(struct world *world)
{
    return casehook_connector_check(
        world->settings,
        "{\"config\":{\"createIncidentHeaders\":{\"X-A\":\"{{case.nope}}\",\"Host\":\"h\",\"x-a\":\"2\",\"X-"
        "B\":\"\\n\","
        "\"X-C\":1},\"getIncidentHeaders\":[],\"findIncidentHeaders\":{\"X-A\":\"1\"}},\"secrets\":{}}",
        CASEHOOK_TERMINATED, &world->error);
}

/* ---- templates --------------------------------------------------------------------------------- */

static int template_render(struct world *world)
{
    static const char json[] = "{\"a\":{\"\\u0062\":[1,{\"c\":\"\\n\"}]},\"d\":\"x\"}";
    const char *text;
    int status = casehook_renderer_new(&torture_allocator, "{{#a.b}}{{c}}{{/a.b}}{{d}}", CASEHOOK_TERMINATED,
                                       &world->renderer, &world->error);
    if (status) return status;
    return casehook_render(world->renderer, json, sizeof json - 1, &text, NULL, &world->error);
}

static int template_bad(struct world *world)
{
    return casehook_renderer_new(&torture_allocator, "{{#a}}", CASEHOOK_TERMINATED, &world->renderer,
                                 &world->error);
}

const struct scenario scenarios[] = {
    {"casehook_settings_new", settings_new, 0},
    {"casehook_settings_load_json", settings_load, WITH_SETTINGS},
    {"casehook_settings_load_json (bad)", settings_load_bad, WITH_SETTINGS | FAILS},
    {"casehook_settings_set_log", set_log, WITH_SETTINGS},
    {"casehook_connector_new", connector_new, WITH_SETTINGS},
    {"casehook_connector_check", connector_check, WITH_SETTINGS},
    {"casehook_connector_warnings", connector_warnings, WITH_CONNECTOR},
    {"casehook_connector_check (bad)", connector_check_bad, WITH_SETTINGS | FAILS},
    {"casehook_error_json", error_json, WITH_SETTINGS | FAILS},
    {"casehook_error_json (of a result)", result_error_json, WITH_CONNECTOR | CREATES | FAILS},
    {"casehook_cancel_new", cancel_new, 0},
    {"casehook_create", create, WITH_CONNECTOR | CREATES},
    {"casehook_create (get refused)", create_get_refused, WITH_CONNECTOR | CREATES | FAILS},
    {"casehook_get", get, WITH_CONNECTOR},
    {"casehook_update", update, WITH_CONNECTOR},
    {"casehook_add_comment", comment, WITH_CONNECTOR},
    {"casehook_push", push, WITH_CONNECTOR | CREATES},
    {"casehook_run_json", run_json, WITH_CONNECTOR | CREATES},
    {"casehook_run_json (bad)", run_json_bad, WITH_CONNECTOR | FAILS},
    {"casehook_preview", preview, WITH_CONNECTOR},
    {"casehook_preview_json", preview_json, WITH_CONNECTOR},
    {"casehook_result_json", result_json, WITH_RESULT},
    {"casehook_result_request_json", result_request_json, WITH_RESULT},
    {"casehook_exchange_new", exchange_new, WITH_CONNECTOR},
    {"casehook_exchange_new_json", exchange_new_json, WITH_CONNECTOR},
    {"casehook_exchange_new (bad)", exchange_new_bad, WITH_CONNECTOR | FAILS},
    {"casehook_loop_submit (busy)", loop_submit_busy, WITH_CONNECTOR | WITH_LOOP | FAILS},
    {"casehook_exchange_next", exchange_next, WITH_EXCHANGE},
    {"casehook_exchange_next_json", exchange_next_json, WITH_EXCHANGE},
    {"casehook_exchange_feed", exchange_feed, WITH_EXCHANGE},
    {"casehook_create (tried again)", create_again, WITH_DELIVERY | CREATES},
    {"casehook_create (found)", create_found, WITH_DELIVERY | CREATES},
    {"casehook_push (values)", push_values, WITH_SETTINGS | CREATES},
    {"casehook_push (values, resumed)", resume_values, WITH_SETTINGS},
    {"casehook_connector_check (bad values)", connector_check_bad_values, WITH_SETTINGS | FAILS},
    {"casehook_push (told more)", push_told, WITH_SETTINGS | CREATES},
    {"casehook_push (transition)", push_transition, WITH_SETTINGS},
    {"casehook_push (error key)", push_error_key, WITH_SETTINGS | FAILS},
    {"casehook_push (id in a header)", push_id_header, WITH_SETTINGS | CREATES},
    {"casehook_push (bad header)", push_bad_header, WITH_SETTINGS | FAILS},
    {"casehook_connector_check (bad headers)", connector_check_bad_headers, WITH_SETTINGS | FAILS},
    {"casehook_push (known before)", push_known, WITH_DELIVERY | CREATES},
    {"casehook_push (with a key)", push_with_key, WITH_DELIVERY | CREATES},
    {"casehook_run_json (with a random key)", push_with_random_key, WITH_DELIVERY | CREATES},
    {"casehook_push (resumed)", push_resumed, WITH_DELIVERY | CREATES},
    {"casehook_push (resumed, unknown)", push_resumed_unknown, WITH_DELIVERY | CREATES},
    {"casehook_push (resumed, bad)", push_resumed_bad, WITH_DELIVERY | FAILS},
    {"casehook_connector_stats_json", stats_json, WITH_DELIVERY | CREATES},
    {"casehook_loop_wait (tried again)", loop_again, WITH_DELIVERY | WITH_LOOP | CREATES},
    {"casehook_render", template_render, 0},
    {"casehook_renderer_new (bad)", template_bad, FAILS},
    {"casehook_exchange_next (wait)", exchange_wait, WITH_DELIVERY | WITH_EXCHANGE | FAILS},
    {"casehook_connector_new (token)", connector_new_token, WITH_SETTINGS},
    {"casehook_connector_check (bad token)", connector_check_bad_token, WITH_SETTINGS | FAILS},
    {"casehook_create (token)", create, WITH_TOKEN | CREATES},
    {"casehook_create (token refused)", create_refused_token, WITH_TOKEN | FAILS},
    {"casehook_create (token withdrawn)", create_unauthorized, WITH_TOKEN | CREATES},
    {"casehook_preview (token)", preview, WITH_TOKEN},
    {"casehook_loop_wait (tokens)", loop_tokens, WITH_TOKEN},
    {"casehook_exchange_feed (token)", exchange_token, WITH_TOKEN | WITH_EXCHANGE},
    {NULL, NULL, 0},
};

int world_make(struct world *world, int flags)
{
    int status = CASEHOOK_OK;
    bool delivers = (flags & WITH_DELIVERY) != 0, tokens = (flags & WITH_TOKEN) != 0;
    *world = (struct world){.document = delivers ? delivery_document(false)
                                        : tokens ? token_document(true)
                                                 : document_new(torture_base, config_json, secrets_json)};
    if (delivers || tokens) flags |= WITH_CONNECTOR;
    if (flags & (WITH_SETTINGS | WITH_CONNECTOR | WITH_EXCHANGE | WITH_RESULT | WITH_LOOP))
        status = settings_new(world);
    if (!status && delivers)
        status = casehook_settings_load_json(world->settings, delivery_settings_json, CASEHOOK_TERMINATED,
                                             &world->error);
    if (!status && world->settings) status = set_log(world);
    if (!status && (flags & (WITH_CONNECTOR | WITH_EXCHANGE | WITH_RESULT | WITH_LOOP)))
        status = connector_new(world);
    if (!status && (flags & WITH_EXCHANGE)) status = exchange_new_json(world);
    if (!status && (flags & WITH_LOOP)) status = loop_new(world);
    if (!status && (flags & WITH_RESULT)) status = create(world);
    return status;
}

void world_end(struct world *world)
{
    casehook_error_free(world->error);
    casehook_result_free(world->result);
    casehook_renderer_free(world->renderer);
    casehook_exchange_free(world->exchange);
    casehook_loop_free(world->loop);
    casehook_cancel_free(world->cancel);
    casehook_connector_unref(world->connector);
    casehook_settings_free(world->settings);
    free(world->document);
}
