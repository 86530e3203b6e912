/*
 * fuzz_token.c - what an authorization server answers, and what a document wants to have signed.
 *
 * Input: a byte; if it is even, the status is 200 and twice as much, and what follows is the answer to a
 * request for a token; else what follows is the content of a signature.
 *
 * Of an answer: the token that goes along is the one that is in it, and one line; else the operation ends in
 * the step token, and nothing of a token is shown.  Of a content: its pieces are the content, one behind the
 * other.
 */
#include "fuzz.h"
#include "document/config.h"

#include <jansson.h>

#define SECRET "the s3cret"

static const char document[] =
    "{\"config\":{\"createIncidentUrl\":\"https://t.example/"
    "c\",\"createIncidentJson\":\"{}\",\"strict\":false,"
    "\"createIncidentResponseKey\":\"id\",\"getIncidentUrl\":\"https://t.example/g\","
    "\"getIncidentResponseExternalTitleKey\":\"key\",\"viewIncidentUrl\":\"https://t.example/v\","
    "\"updateIncidentUrl\":\"https://t.example/u\",\"updateIncidentJson\":\"{}\",\"authType\":\"oauth2\","
    "\"accessTokenUrl\":\"https://a.example/t\",\"clientId\":\"c\"},\"secrets\":{\"clientSecret\":\"" SECRET
    "\"}}";

/* ---- answers ------------------------------------------------------------------------------------------ */

static const char *bearer_of(const struct casehook_http_request *request)
{
    const char *found = NULL;
    for (size_t i = 0; i < request->header_count; i++)
        if (strcmp(request->headers[i].name, "Authorization") == 0) {
            CHECK(!found);
            found = request->headers[i].value;
        }
    CHECK(found && strncmp(found, "Bearer ", 7) == 0);
    return found + 7;
}

static void check_token(const char *token, const char *body, size_t size)
{
    size_t length = strlen(token);
    CHECK(length > 0 && length <= 16 * 1024);
    for (size_t i = 0; i < length; i++) CHECK(token[i] > ' ' && token[i] <= '~');
    json_t *root =
        json_loadb(body, size, JSON_ALLOW_NUL, NULL); /* NULL: it takes less than the library does */
    const char *given = json_string_value(json_object_get(root, "access_token"));
    /* A name in escapes is not taken for it. */
    if (root && !memchr(body, 0x5C, size)) CHECK(given && strcmp(given, token) == 0);
    json_decref(root);
}

static void check_error(const struct casehook_error *error, const char *body, size_t size)
{
    const char *message = casehook_error_message(error);
    CHECK(error && casehook_error_step(error) == CASEHOOK_STEP_TOKEN && *message);
    CHECK(casehook_error_outcome(error) == CASEHOOK_OUTCOME_NOT_SENT);
    CHECK(!strstr(message, SECRET));
    for (const char *c = message; *c; c++) CHECK((unsigned char)*c >= 0x20 && *c != 0x7F);
    json_t *root = json_loadb(body, size, JSON_ALLOW_NUL, NULL);
    const char *given = json_string_value(json_object_get(root, "access_token"));
    const char *code = json_string_value(json_object_get(root, "error")),
               *words = json_string_value(json_object_get(root, "error_description"));
    bool told = (code && given && strstr(code, given)) || (words && given && strstr(words, given));
    if (given && strlen(given) >= 24 && !told) CHECK(!strstr(message, given));
    json_decref(root);
}

static void feed_token(int status, const char *body, size_t size)
{
    static const struct casehook_params params = {.struct_size = sizeof params, .title = "t"};
    struct casehook_connector *connector = NULL;
    struct casehook_exchange *exchange = NULL;
    struct casehook_http_request request = {.struct_size = sizeof request};
    CHECK(casehook_connector_new(NULL, document, CASEHOOK_TERMINATED, &connector, NULL) == CASEHOOK_OK);
    CHECK(casehook_exchange_new(connector, CASEHOOK_CREATE, &params, NULL, &exchange, NULL) == CASEHOOK_OK);
    CHECK(casehook_exchange_next(exchange, &request) == CASEHOOK_EXCHANGE_REQUEST);
    CHECK(request.step == CASEHOOK_STEP_TOKEN);
    CHECK(casehook_exchange_feed(exchange, status, "", 0, body, size) == CASEHOOK_OK);
    if (casehook_exchange_next(exchange, &request) == CASEHOOK_EXCHANGE_REQUEST) {
        CHECK(request.step == CASEHOOK_STEP_CREATE && status <= 299);
        check_token(bearer_of(&request), body, size);
    } else {
        struct casehook_result *result = casehook_exchange_result(exchange);
        check_error(casehook_result_error(result), body, size);
        CHECK(casehook_result_json(result, NULL));
        casehook_result_free(result);
    }
    casehook_exchange_free(exchange);
    casehook_connector_unref(connector);
}

/* ---- contents ----------------------------------------------------------------------------------------- */

static void check_piece(const struct casehook__signed_piece *piece, const char **at)
{
    static const char *const names[] = {"", "body", "timestamp", "method", "path"};
    CHECK(piece->text.data >= *at && piece->part <= CASEHOOK__SIGNED_PATH);
    *at = piece->text.data + piece->text.length;
    if (piece->part != CASEHOOK__SIGNED_TEXT) {
        CHECK(casehook__text_is(piece->text, names[piece->part]));
        return;
    }
    CHECK(piece->text.length > 0);
    for (size_t i = 0; i + 1 < piece->text.length; i++)
        CHECK(!(piece->text.data[i] == '{' && piece->text.data[i + 1] == '{'));
}

static void compile(const char *content, size_t size)
{
    struct casehook__signature signature = {.content = {content, size}};
    struct casehook_error error = {0};
    const char *at = content;
    casehook__error_init(&error);
    int status = casehook__signature_compile(NULL, &signature, &error);
    CHECK(signature.piece_count <= CASEHOOK__SIGNED_PIECES);
    for (size_t i = 0; i < signature.piece_count; i++) check_piece(&signature.pieces[i], &at);
    CHECK(status ? error.message[0] != '\0' && error.offset <= (int64_t)size : at <= content + size);
    casehook__free(NULL, signature.pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    char *rest = exact_copy(data + 1, size - 1);
    if (data[0] % 2)
        compile(rest, size - 1);
    else
        feed_token(200 + data[0] / 2 * 4, rest, size - 1);
    free(rest);
    return 0;
}
