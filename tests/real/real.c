/* real.c - texts, calls of the library, a small tracker. */
#include "real.h"
#include "memory.h"

#include <jansson.h>
#include <openssl/evp.h>

/* ---- texts ------------------------------------------------------------------------------------ */

static char **texts;
static size_t text_count, text_room;

static void free_texts(void)
{
    for (size_t i = 0; i < text_count; i++) free(texts[i]);
    free(texts);
}

static const char *keep(char *text)
{
    if (!texts) atexit(free_texts);
    if (text_count == text_room) {
        text_room = text_room ? 2 * text_room : 64;
        texts = must_grow(texts, text_room * sizeof *texts);
    }
    return texts[text_count++] = text;
}

const char *text_of(const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    char *text = must_alloc((size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    va_end(arguments);
    return keep(text);
}

const char *json_of(const char *text)
{
    json_t *string = json_string(text);
    char *json = json_dumps(string, JSON_ENCODE_ANY);
    json_decref(string);
    if (!json) abort();
    return keep(json);
}

const char *base64_of(const void *bytes, size_t length)
{
    char *text = must_alloc(length / 3 * 4 + 5);
    EVP_EncodeBlock((unsigned char *)text, bytes, (int)length);
    return keep(text);
}

const char *pem_of(const struct certs *certs, const char *names)
{
    char *pem = certs_join(certs, names, NULL);
    if (!pem) fprintf(stderr, "no certificate %s\n", names);
    if (!pem) abort();
    return keep(pem);
}

const char *certificate_secrets(const struct certs *certs, const char *name)
{
    return text_of("\"crt\":%s,\"key\":%s", json_of(pem_of(certs, text_of("%s.crt", name))),
                   json_of(pem_of(certs, text_of("%s.key", name))));
}

/* ---- calls ------------------------------------------------------------------------------------ */

static void keep_error(struct answer *answer, const struct casehook_error *error)
{
    answer->outcome = casehook_error_outcome(error);
    answer->retryable = casehook_error_retryable(error);
    answer->http_status = casehook_error_http_status(error);
    answer->retry_after_ms = casehook_error_retry_after_ms(error);
    snprintf(answer->message, sizeof answer->message, "%s", error ? casehook_error_message(error) : "");
    snprintf(answer->field, sizeof answer->field, "%s", casehook_error_field(error));
}

static void keep_refusal(struct answer *answer, int status, struct casehook_error *error)
{
    if (status && !answer->status) {
        keep_error(answer, error);
        answer->status = status;
        answer->refused = 1;
    }
    casehook_error_free(error);
}

struct client client_from(const char *settings, const char *document, struct answer *answer)
{
    struct client client = {NULL, NULL};
    struct casehook_error *error = NULL;
    *answer = (struct answer){0};
    int status = casehook_settings_new(NULL, &client.settings);
    if (!status && settings)
        status = casehook_settings_load_json(client.settings, settings, CASEHOOK_TERMINATED, &error);
    keep_refusal(answer, status, error);
    if (!status) {
        status =
            casehook_connector_new(client.settings, document, CASEHOOK_TERMINATED, &client.connector, &error);
        keep_refusal(answer, status, error);
    }
    return client;
}

struct client client_new(const char *settings, const char *base, const char *config, const char *secrets,
                         struct answer *answer)
{
    char *document = document_new(base, config, secrets);
    struct client client = client_from(settings, document, answer);
    free(document);
    return client;
}

void client_free(struct client *client)
{
    casehook_connector_unref(client->connector);
    casehook_settings_free(client->settings);
    *client = (struct client){NULL, NULL};
}

/* One loop for all connectors, as a host would have it. */
static struct casehook_loop *loop;

void clients_end(void)
{
    casehook_loop_free(loop);
    loop = NULL;
}

static int run_in_loop(struct client *client, int operation, const char *params,
                       struct casehook_result **result)
{
    uint64_t ticket = 0;
    if (!loop && casehook_loop_new(NULL, &loop)) abort();
    if (casehook_loop_submit_json(loop, client->connector, operation, params, CASEHOOK_TERMINATED, NULL, NULL,
                                  NULL))
        abort();
    while (*result = casehook_loop_next(loop, &ticket), !ticket) casehook_loop_wait(loop, -1);
    return casehook_error_status(casehook_result_error(*result));
}

static int run(struct client *client, int operation, const char *params, struct casehook_result **result)
{
    const char *driver = getenv("TEST_DRIVER");
    if (driver && strcmp(driver, "loop") == 0) return run_in_loop(client, operation, params, result);
    return casehook_run_json(client->connector, operation, params, CASEHOOK_TERMINATED, NULL, result);
}

struct answer answer_from(struct casehook_result *result)
{
    struct answer answer = {.status = CASEHOOK_E_NO_MEMORY};
    if (result) answer.status = casehook_error_status(casehook_result_error(result));
    if (answer.status) keep_error(&answer, casehook_result_error(result));
    const char *id = casehook_result_id(result, NULL);
    snprintf(answer.id, sizeof answer.id, "%s", id ? id : "");
    casehook_result_free(result);
    return answer;
}

struct answer client_call(struct client *client, int operation, const char *params)
{
    static const char create[] = "{\"title\":\"t\"}", other[] = "{\"title\":\"t\",\"externalId\":\"42\"}";
    struct casehook_result *result = NULL;
    if (!params) params = operation == CASEHOOK_CREATE ? create : other;
    int status = run(client, operation, params, &result);
    struct answer answer = answer_from(result);
    answer.status = status;
    return answer;
}

struct answer call_once(const char *settings, const char *base, const char *config, const char *secrets,
                        int operation)
{
    struct answer answer;
    struct client client = client_new(settings, base, config, secrets, &answer);
    if (client.connector) answer = client_call(&client, operation, NULL);
    client_free(&client);
    return answer;
}

/* ---- the tracker ------------------------------------------------------------------------------ */

void tracker_answer(void *user, const struct http_request *request, struct http_response *response)
{
    static const struct http_header json = {"Content-Type", "application/json"};
    static const char created[] = "{\"id\":\"42\"}", read[] = "{\"key\":\"CASE-42\"}";
    (void)user;
    response->headers = &json;
    response->header_count = 1;
    response->status = strcmp(request->method, "POST") == 0 ? 201 : 200;
    response->body = response->status == 201 ? created : read;
    response->body_length = strlen(response->body);
}

const char *seen(const struct http_request *request, const char *name)
{
    char header[64];
    snprintf(header, sizeof header, "X-Seen-%s", name);
    const char *value = http_request_header(request, header, 0);
    return value ? value : "";
}

static int holds(const char *bytes, size_t length, const char *text)
{
    size_t wanted = strlen(text);
    for (size_t at = 0; at + wanted <= length; at++)
        if (memcmp(bytes + at, text, wanted) == 0) return 1;
    return 0;
}

int request_holds(const struct http_request *request, const char *text)
{
    return holds(request->head, request->head_length, text) ||
           holds(request->body, request->body_length, text);
}
