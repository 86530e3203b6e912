/* token.c - what is asked of an authorization server, and what it answers. */
#include "exchange/token.h"

#include "base/base64.h"
#include "base/digest.h"
#include "json/jsscan.h"
#include "json/jstext.h"

#include <stdio.h>

#define JWT_LIFE_S  300
#define JWT_MAX     (256 * 1024)
#define LIFE_MAX_S  (10LL * 365 * 24 * 3600)
#define MESSAGE_MAX 4096 /* bytes of what a server says about an error */
#define ADVICE_MAX  192

/* ---- JWTs (RFC 7519) ---------------------------------------------------------------------------- */

static void jwt_member(struct casehook__buf *json, const char *name, struct casehook__text value)
{
    casehook__buf_append_string(json, ",\"");
    casehook__buf_append_string(json, name);
    casehook__buf_append_string(json, "\":");
    casehook__js_string(json, value);
}

static void jwt_header(const struct casehook__oauth *oauth, struct casehook__buf *json)
{
    casehook__buf_append_string(json, "{\"typ\":\"JWT\"");
    jwt_member(json, "alg", casehook__text(casehook__signer_algorithm(oauth->signer)));
    if (oauth->key_id.data) jwt_member(json, "kid", oauth->key_id);
    casehook__buf_append_char(json, '}');
}

/* The client about itself, or what the document says. */
static void jwt_claims(const struct casehook__oauth *oauth, bool grant, int64_t now, const char *id,
                       struct casehook__buf *json)
{
    casehook__buf_append_string(json, "{\"iat\":");
    casehook__buf_append_number(json, now);
    casehook__buf_append_string(json, ",\"exp\":");
    casehook__buf_append_number(json, now + JWT_LIFE_S);
    jwt_member(json, "jti", casehook__text(id));
    if (grant) {
        casehook__buf_append_text(json, oauth->claims);
    } else {
        jwt_member(json, "iss", oauth->client_id);
        jwt_member(json, "sub", oauth->client_id);
        jwt_member(json, "aud", oauth->audience.data ? oauth->audience : oauth->url);
    }
    casehook__buf_append_char(json, '}');
}

/* Errors: NO_MEMORY, LIMIT, SYSTEM. */
static int write_jwt(const struct casehook__oauth *oauth, const struct casehook__clock *clock, bool grant,
                     struct casehook__buf *jwt)
{
    char id[CASEHOOK__UUID_SIZE];
    struct casehook__buf json;
    int status = casehook__uuid(id);
    casehook__buf_init(&json, jwt->heap, JWT_MAX);
    jwt_header(oauth, &json);
    if (!status && !json.status) status = casehook__base64url_encode(jwt, casehook__buf_text(&json));
    casehook__buf_append_char(jwt, '.');
    casehook__buf_clear(&json);
    jwt_claims(oauth, grant, clock->unix_ms(clock->user) / 1000, id, &json);
    if (!status) status = json.status;
    if (!status) status = casehook__base64url_encode(jwt, casehook__buf_text(&json));
    casehook__buf_free(&json);
    if (status) return status;
    /* Over what was written; it must not move while it is read. */
    struct casehook__buf signature;
    casehook__buf_init(&signature, jwt->heap, JWT_MAX);
    status = casehook__signer_sign(oauth->signer, casehook__buf_text(jwt), &signature);
    casehook__buf_append_char(jwt, '.');
    if (!status) status = casehook__buf_append_text(jwt, casehook__buf_text(&signature));
    casehook__buf_free(&signature);
    return status;
}

/* ---- the form ----------------------------------------------------------------------------------- */

static void form_field(struct casehook__buf *form, const char *name, struct casehook__text value)
{
    if (form->length) casehook__buf_append_char(form, '&');
    casehook__buf_append_string(form, name);
    casehook__buf_append_char(form, '=');
    casehook__js_uri_component(form, value);
}

static int form_jwt(const struct casehook__oauth *oauth, const struct casehook__clock *clock,
                    struct casehook__mask *mask, bool grant, bool shown, struct casehook__buf *form)
{
    const char *name = grant ? "assertion" : "client_assertion";
    struct casehook__buf jwt;
    int status = CASEHOOK_OK;
    casehook__buf_init(&jwt, form->heap, JWT_MAX);
    if (!shown) status = write_jwt(oauth, clock, grant, &jwt);
    if (!shown && !status) status = casehook__mask_learn(mask, casehook__buf_text(&jwt), true);
    if (!status) form_field(form, name, shown ? CASEHOOK__TEXT("***") : casehook__buf_text(&jwt));
    casehook__buf_free(&jwt);
    return status;
}

int casehook__token_form(const struct casehook__oauth *oauth, const struct casehook__clock *clock,
                         struct casehook__mask *mask, bool shown, struct casehook__buf *form,
                         struct casehook_error *error)
{
    static const char grant[] = "urn:ietf:params:oauth:grant-type:jwt-bearer",
                      client[] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    int status = CASEHOOK_OK;
    casehook__buf_clear(form);
    form_field(form, "grant_type", casehook__text(oauth->jwt_bearer ? grant : "client_credentials"));
    if (oauth->jwt_bearer) status = form_jwt(oauth, clock, mask, true, shown, form);
    bool named = oauth->auth != CASEHOOK__TOKEN_BASIC && oauth->auth != CASEHOOK__TOKEN_NOBODY;
    if (named) form_field(form, "client_id", oauth->client_id);
    if (oauth->auth == CASEHOOK__TOKEN_POST)
        form_field(form, "client_secret", shown ? CASEHOOK__TEXT("***") : oauth->client_secret);
    if (oauth->auth == CASEHOOK__TOKEN_JWT) {
        form_field(form, "client_assertion_type", casehook__text(client));
        if (!status) status = form_jwt(oauth, clock, mask, false, shown, form);
    }
    if (oauth->scope.data) form_field(form, "scope", oauth->scope);
    if (oauth->fields.data) {
        casehook__buf_append_char(form, '&');
        casehook__buf_append_text(form, oauth->fields);
    }
    if (!status) status = form->status;
    if (!status) return CASEHOOK_OK;
    if (status == CASEHOOK_E_NO_MEMORY) return casehook__fail_memory(error);
    if (status == CASEHOOK_E_LIMIT)
        return casehook__fail(error, status, "the request for a token is too long; shorten what goes along");
    return casehook__fail(error, CASEHOOK_E_SYSTEM,
                          "the JWT for the authorization server could not be signed");
}

/* ---- answers (RFC 6749 5.1, 5.2) ---------------------------------------------------------------- */

/* Members of an answer that count. */
enum token_member { ACCESS_TOKEN, TOKEN_TYPE, EXPIRES_IN, ERROR_CODE, ERROR_DESCRIPTION, TOKEN_MEMBERS };

/* Its top object alone; false: it is no JSON object. */
static bool read_token_members(struct casehook__text body, struct casehook__js_value found[TOKEN_MEMBERS])
{
    static const char *const names[TOKEN_MEMBERS] = {"access_token", "token_type", "expires_in", "error",
                                                     "error_description"};
    size_t position = 0;
    struct casehook__text key;
    struct casehook__js_value value;
    memset(found, 0, TOKEN_MEMBERS * sizeof *found);
    if (casehook__jsscan(body, NULL, 0, NULL, NULL) != CASEHOOK__JS_VALID) return false;
    struct casehook__js_value top = casehook__js_top(body);
    if (top.kind != CASEHOOK__JS_OBJECT) return false;
    while (casehook__js_next(top.text, &position, &key, &value))
        for (int i = 0; i < TOKEN_MEMBERS; i++)
            if (casehook__text_is(key, names[i])) found[i] = value;
    return true;
}

/* The text of a string, decoded behind what is in the buffer. */
static int append_string_value(struct casehook__buf *buf, struct casehook__js_value value)
{
    if (value.kind != CASEHOOK__JS_STRING) return CASEHOOK_OK;
    return casehook__js_decode(buf, (struct casehook__text){value.text.data + 1, value.text.length - 2});
}

/* A number, as such (3.6e3 is 3600) or in a text; what is no whole second of it does not count. */
static int64_t read_life(struct casehook__js_value value, struct casehook__buf *scratch)
{
    struct casehook__text text = value.text, fraction = {"", 0};
    uint64_t seconds;
    casehook__buf_clear(scratch);
    if (value.kind == CASEHOOK__JS_STRING)
        text = (struct casehook__text){text.data + 1, text.length - 2};
    else if (value.kind == CASEHOOK__JS_NUMBER && !casehook__js_number(scratch, text))
        text = casehook__buf_text(scratch);
    else
        return -1;
    const char *point = text.length ? memchr(text.data, '.', text.length) : NULL;
    if (point) {
        fraction = casehook__text_from(text, (size_t)(point - text.data) + 1);
        text.length = (size_t)(point - text.data);
    }
    if (!casehook__text_number(text, LIFE_MAX_S, &seconds)) return -1;
    for (size_t i = 0; i < fraction.length; i++)
        if (!casehook__is_digit(fraction.data[i])) return -1;
    return (int64_t)seconds * 1000;
}

/* Where the server does not believe that the client is who it says. */
static const char *client_advice(const struct casehook__question *question, char *out)
{
    /* In the order of enum casehook__token_auth. */
    static const char *const shown_by[] = {
        "secrets.clientSecret", "secrets.clientSecret",
        "secrets.key (the server has to know its public half)",
        "the client certificate (the server has to know its issuer and subject)", "assertion"};
    snprintf(out, ADVICE_MAX,
             "; check clientId, %s and tokenAuthMethod, the way that the server has for this client",
             shown_by[question->config->oauth->auth]);
    return out;
}

/* What to change; the words are those of RFC 6749. */
static const char *token_advice(const struct casehook__question *question, struct casehook__text code,
                                char *out)
{
    static const char *const words[][2] = {
        {"unauthorized_client",
         "; the client may not use this grantType: the authorization server has to allow it"},
        {"invalid_scope", "; check scope"},
        {"invalid_grant", "; check the claims in assertion, and that the server knows secrets.key"},
        {"unsupported_grant_type", "; the server does not know this grantType"},
        {"invalid_request", "; check additionalFields, scope and tokenAuthMethod"},
    };
    if (casehook__text_is(code, "invalid_client")) return client_advice(question, out);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (casehook__text_is(code, words[i][0])) return words[i][1];
    return "";
}

/* The error that the server names, or an excerpt where it names none. */
static int fail_refused(const struct casehook__question *question, const struct casehook__response *response,
                        const struct casehook__js_value members[TOKEN_MEMBERS], struct casehook_error *error)
{
    char code[128], text[CASEHOOK__EXCERPT_MAX + 1], room[ADVICE_MAX];
    int status = response->status < 300 ? CASEHOOK_E_RESPONSE : CASEHOOK_E_HTTP_STATUS;
    struct casehook__buf words;
    casehook__buf_init(&words, question->scratch->heap, MESSAGE_MAX);
    append_string_value(&words, members[ERROR_CODE]);
    casehook__mask_excerpt(question->mask, casehook__buf_text(&words), code, sizeof code);
    const char *advice = token_advice(question, casehook__buf_text(&words), room);
    casehook__buf_clear(&words);
    append_string_value(&words, members[ERROR_DESCRIPTION]);
    casehook__mask_excerpt(question->mask, casehook__buf_text(&words), text, sizeof text);
    casehook__buf_free(&words);
    bool described = *text != '\0';
    return casehook__fail(error, status, "%s: the authorization server answered %d: error \"%s\"%s%s%s%s",
                          casehook__question_target(question), response->status, code, described ? " (" : "",
                          text, described ? ")" : "", advice);
}

bool casehook__token_is_named(struct casehook__text body)
{
    static const char *const names[] = {"access_token", "refresh_token", "id_token"};
    for (size_t i = 0; i < body.length; i++)
        for (size_t k = 0; k < 3; k++) {
            size_t length = strlen(names[k]);
            if (length <= body.length - i && memcmp(body.data + i, names[k], length) == 0) return true;
        }
    return false;
}

static int fail_unnamed(const struct casehook__question *question, const struct casehook__response *response,
                        struct casehook_error *error)
{
    char text[CASEHOOK__EXCERPT_MAX + 1], room[ADVICE_MAX];
    int status = response->status;
    const char *advice = status == 404 || status == 405   ? "; check accessTokenUrl"
                         : status == 401 || status == 400 ? client_advice(question, room)
                                                          : "";
    if (status >= 300 && status <= 399)
        return casehook__fail(error, CASEHOOK_E_REDIRECT,
                              "%s: the server answered %d: a request for a token follows no redirect; set "
                              "accessTokenUrl to the final URL",
                              casehook__question_target(question), status);
    bool quotes = !casehook__token_is_named(response->body);
    casehook__mask_excerpt(question->mask, quotes ? response->body : CASEHOOK__TEXT("***"), text,
                           sizeof text);
    return casehook__fail(error, CASEHOOK_E_HTTP_STATUS, "%s: the authorization server answered %d: \"%s\"%s",
                          casehook__question_target(question), status, text, advice);
}

static int fail_answer(const struct casehook__question *question, const struct casehook__response *response,
                       const char *what, struct casehook_error *error)
{
    return casehook__fail(error, CASEHOOK_E_RESPONSE, "%s: the answer (status %d) %s; check accessTokenUrl",
                          casehook__question_target(question), response->status, what);
}

static bool fits_into_header(struct casehook__text token)
{
    for (size_t i = 0; i < token.length; i++)
        if (token.data[i] <= ' ' || token.data[i] > '~') return false;
    return token.length > 0;
}

/* What is wrong with a token that came; NULL: nothing. */
static const char *take_access_token(const struct casehook__js_value members[TOKEN_MEMBERS],
                                     struct casehook__buf *token)
{
    struct casehook__js_value type = members[TOKEN_TYPE];
    if (members[ACCESS_TOKEN].kind != CASEHOOK__JS_STRING) return "has no access_token";
    if (type.kind == CASEHOOK__JS_STRING && !casehook__text_is_nocase(type.text, "\"bearer\""))
        return "has a token_type that is not Bearer, the only one there is here";
    append_string_value(token, members[ACCESS_TOKEN]);
    if (token->status == CASEHOOK_E_LIMIT) return "has an access_token that is too long for a header";
    if (!token->status && !fits_into_header(casehook__buf_text(token)))
        return "has an access_token with characters that no header may have";
    return NULL;
}

static int read_token(const struct casehook__question *question, const struct casehook__response *response,
                      struct casehook__buf *token, int64_t *life_ms, struct casehook_error *error)
{
    struct casehook__js_value members[TOKEN_MEMBERS];
    bool object = response->body.length && read_token_members(response->body, members);
    bool success = response->status >= 200 && response->status <= 299;
    if (object && members[ERROR_CODE].kind == CASEHOOK__JS_STRING &&
        (!success || members[ACCESS_TOKEN].kind != CASEHOOK__JS_STRING))
        return fail_refused(question, response, members, error);
    if (!success) return fail_unnamed(question, response, error);
    if (!object) return fail_answer(question, response, "is no JSON object", error);
    casehook__buf_clear(token);
    const char *fault = take_access_token(members, token);
    if (fault) return fail_answer(question, response, fault, error);
    if (token->status) return casehook__fail_memory(error);
    *life_ms = read_life(members[EXPIRES_IN], question->scratch);
    return CASEHOOK_OK;
}

struct casehook__verdict casehook__token_judge(const struct casehook__question *question,
                                               const struct casehook__response *response,
                                               struct casehook__buf *token, int64_t *life_ms,
                                               struct casehook_error *error)
{
    struct casehook__verdict verdict = {.http_status = response->status, .outcome = CASEHOOK_OUTCOME_DONE};
    verdict.status = read_token(question, response, token, life_ms, error);
    if (!verdict.status) return verdict;
    error->http_status = response->status;
    verdict.outcome = response->status < 300 ? CASEHOOK_OUTCOME_UNKNOWN : CASEHOOK_OUTCOME_REFUSED;
    if (response->retry_after.data)
        error->retry_after_ms = casehook__clock_retry_after(
            response->retry_after, question->clock->unix_ms(question->clock->user) / 1000);
    return verdict;
}
