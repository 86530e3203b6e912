/* test_tokens.c - very many operations and one token, in a loop, in calls that block, in exchanges (A1). */
#include "documents.h"
#include "exchange/credentials.h"
#include "fake_transport.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define BASE "http://127.0.0.1:1"
#define CONFIG \
    "\"hasAuth\":true,\"authType\":\"oauth2\",\"accessTokenUrl\":\"" BASE "/token\",\"clientId\":\"c\""
#define FIND \
    ",\"findIncidentUrl\":\"" BASE "/find?q={{{case.title}}}\",\"findIncidentResponseKey\":\"[0].id\""
#define SECRET "\"clientSecret\":\"s3cret\""
#define TOKENS 64

static struct casehook_connector *connector;
static struct casehook_loop *loop;
static unsigned tokens, requests, refused, finds; /* what came to the servers */
static unsigned lose_create;                      /* of this create the answer is lost; 0: of none */
static int find_status;
static int64_t token_at[TOKENS];
static char token_body[128], tracker_token[32];
static const char *life; /* as JSON; NULL: not told */
static int64_t token_takes, request_takes;
static int token_status;          /* 200: a token */
static unsigned fail_token_from;  /* from this token request on it fails */
static bool strict;               /* the tracker knows the last token alone */
static bool down;                 /* it knows nothing */
static const char *token_refusal; /* what it fails with */
static struct casehook_exchange *exchange;
static int log_level;
static char logged[16384];

static struct casehook__text authorization(const struct casehook__request *request)
{
    for (size_t i = 0; i < request->own_count; i++)
        if (casehook__text_is(request->own[i].name, "Authorization")) return request->own[i].value;
    return CASEHOOK__TEXT("");
}

static void give_token(struct fake_answer *answer)
{
    assert_true(tokens < TOKENS);
    token_at[tokens++] = fake.now;
    answer->after_ms = token_takes;
    answer->status = fail_token_from && tokens >= fail_token_from ? token_status : 200;
    answer->body = token_refusal;
    if (answer->status != 200) return;
    snprintf(tracker_token, sizeof tracker_token, "Bearer T%u", tokens);
    snprintf(token_body, sizeof token_body, "{\"access_token\":\"T%u\"%s%s}", tokens,
             life ? ",\"expires_in\":" : "", life ? life : "");
    answer->body = token_body;
}

static void answer(void *user, const struct casehook__request *request, struct fake_answer *answer)
{
    (void)user;
    if (request->call == CASEHOOK__CALL_TOKEN) {
        give_token(answer);
        return;
    }
    requests++;
    bool known = !strict || casehook__text_is(authorization(request), tracker_token);
    if (!known) refused++;
    if (request->call == CASEHOOK__CALL_FIND) {
        finds++;
        answer->status = find_status;
        answer->body = "[]";
        return;
    }
    if (known && request->call == CASEHOOK__CALL_CREATE && lose_create && --lose_create == 0) {
        answer->failure = (struct casehook__failure){
            .status = CASEHOOK_E_NETWORK, .sent = true, .message = "the answer is lost"};
        return;
    }
    answer->after_ms = request_takes;
    answer->status = down ? 503 : !known ? 401 : request->call == CASEHOOK__CALL_CREATE ? 201 : 200;
    answer->body = "{\"id\":\"7\",\"key\":\"K\"}";
}

static void keep_log(void *user, const struct casehook_log_record *record)
{
    (void)user;
    size_t length = strlen(logged);
    snprintf(logged + length, sizeof logged - length, "%s\n", record->message);
}

static void begin_with(const char *config, const char *settings_json)
{
    fake_reset();
    fake.answer = answer;
    tokens = requests = refused = finds = lose_create = fail_token_from = 0;
    find_status = 200;
    token_status = 401;
    life = "100";
    token_takes = 50;
    request_takes = 10;
    strict = true;
    down = false;
    exchange = NULL;
    token_refusal = "{\"error\":\"invalid_client\",\"error_description\":\"who is s3cret?\"}";
    logged[0] = '\0';
    struct casehook_settings *settings = document_settings(settings_json ? settings_json : "{}");
    if (log_level) casehook_settings_set_log(settings, log_level, NULL, keep_log, NULL);
    connector = document_connector(settings, BASE, config, SECRET);
    casehook_settings_free(settings);
    fake_use(connector);
    loop = fake_loop(2000, 8, NULL);
}

static void begin(const char *settings_json)
{
    begin_with(CONFIG, settings_json);
}

static void end(void)
{
    casehook_loop_free(loop);
    casehook_exchange_free(exchange);
    casehook_connector_unref(connector);
    assert_int_equal(fake.transports, 0);
}

static uint64_t submit(size_t count, uint32_t deadline_ms)
{
    static const struct casehook_params params = {.struct_size = sizeof params, .title = "t"};
    const struct casehook_options options = {.struct_size = sizeof options, .deadline_ms = deadline_ms};
    uint64_t first = 0, ticket;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(
            casehook_loop_submit(loop, connector, CASEHOOK_CREATE, &params, &options, &ticket, NULL),
            CASEHOOK_OK);
        if (i == 0) first = ticket;
    }
    return first;
}

static struct casehook_result *pull(void)
{
    struct casehook_result *result;
    while (!(result = casehook_loop_next(loop, NULL)))
        assert_int_equal(casehook_loop_wait(loop, 60000), CASEHOOK_OK);
    return result;
}

/* All that are in the loop end so, and in this step. */
static size_t finish(int status, int step)
{
    size_t count = 0;
    while (casehook_loop_pending(loop)) {
        struct casehook_result *result = pull();
        const struct casehook_error *error = casehook_result_error(result);
        if (casehook_error_status(error) != status) print_error("%s\n", casehook_error_message(error));
        assert_int_equal(casehook_error_status(error), status);
        assert_int_equal(casehook_error_step(error), step);
        casehook_result_free(result);
        count++;
    }
    return count;
}

static struct casehook_result *block(uint32_t deadline_ms)
{
    static const struct casehook_params params = {.struct_size = sizeof params, .title = "t"};
    const struct casehook_options options = {.struct_size = sizeof options, .deadline_ms = deadline_ms};
    struct casehook_result *result = NULL;
    casehook_create(connector, &params, &options, &result);
    assert_non_null(result);
    return result;
}

static void expect_blocking(int status, uint32_t deadline_ms)
{
    struct casehook_result *result = block(deadline_ms);
    assert_int_equal(casehook_error_status(casehook_result_error(result)), status);
    casehook_result_free(result);
}

/* An exchange whose host has its request for a token, and does not answer. */
static void hold_by_exchange(void)
{
    static const struct casehook_params params = {.struct_size = sizeof params, .title = "t"};
    struct casehook_http_request request = {.struct_size = sizeof request};
    assert_int_equal(casehook_exchange_new(connector, CASEHOOK_CREATE, &params, NULL, &exchange, NULL),
                     CASEHOOK_OK);
    assert_int_equal(casehook_exchange_next(exchange, &request), CASEHOOK_EXCHANGE_REQUEST);
    assert_int_equal(request.step, CASEHOOK_STEP_TOKEN);
    assert_string_equal(request.url, BASE "/token");
    assert_string_equal(request.body, "grant_type=client_credentials&client_id=c&client_secret=s3cret");
}

static void let_go(void *user, int64_t until)
{
    (void)user;
    (void)until;
    casehook_exchange_free(exchange);
    exchange = NULL;
}

static void answer_held(void *user, int64_t until)
{
    static const char body[] = "{\"access_token\":\"T0\"}";
    (void)user;
    (void)until;
    strict = false;
    assert_int_equal(casehook_exchange_feed(exchange, 200, NULL, 0, body, sizeof body - 1), CASEHOOK_OK);
}

/* ---- one for all --------------------------------------------------------------------------------- */

static void one_request_for_a_thousand(void **state)
{
    (void)state;
    begin(NULL);
    submit(1000, 0);
    assert_int_equal(finish(CASEHOOK_OK, CASEHOOK_STEP_NONE), 1000);
    assert_int_equal(tokens, 1);
    assert_int_equal(requests, 2000);
    expect_blocking(CASEHOOK_OK, 0);
    assert_int_equal(tokens, 1);
    assert_in_range(fake.waits, 1, 3000);
    end();
}

/* A tenth of its life before its end; nobody waits for that, and nothing is refused. */
static void renewed_before_its_end(void **state)
{
    (void)state;
    begin(NULL);
    request_takes = 400;
    while (tokens < 6) {
        submit(100, 0);
        assert_int_equal(finish(CASEHOOK_OK, CASEHOOK_STEP_NONE), 100);
    }
    for (unsigned i = 1; i < tokens; i++) assert_in_range(token_at[i] - token_at[i - 1], 90000, 99000);
    end();
}

/* At most a minute before. */
static void a_long_life(void **state)
{
    (void)state;
    begin(NULL);
    life = "\"86400\"";
    expect_blocking(CASEHOOK_OK, 0);
    fake.now += 86400000 - 61000;
    expect_blocking(CASEHOOK_OK, 0);
    assert_int_equal(tokens, 1);
    fake.now += 1000;
    expect_blocking(CASEHOOK_OK, 0);
    assert_int_equal(tokens, 2);
    end();
}

/* However the number is written; a part of a second does not count, and what is no number is not known. */
static void a_life_in_other_words(void **state)
{
    static const struct {
        const char *life;
        unsigned tokens; /* after half an hour */
    } lives[] = {
        {"3.6e3", 1},     {"36E+2", 1},    {"3600.25", 1}, {"\"3600.0\"", 1}, {"0.36e2", 2},
        {"\"3.6e3\"", 1}, {"\"soon\"", 1}, {"-5", 1},      {"1e400", 1},      {"18446744073709552", 1},
        {"null", 1}};
    (void)state;
    for (size_t i = 0; i < sizeof lives / sizeof *lives; i++) {
        begin(NULL);
        life = lives[i].life;
        expect_blocking(CASEHOOK_OK, 0);
        fake.now += 1800000;
        expect_blocking(CASEHOOK_OK, 0);
        assert_int_equal(tokens, lives[i].tokens);
        end();
    }
}

static void until_it_is_refused(void **state)
{
    (void)state;
    begin(NULL);
    life = NULL;
    expect_blocking(CASEHOOK_OK, 0);
    fake.now += INT64_C(365) * 24 * 3600 * 1000;
    expect_blocking(CASEHOOK_OK, 0);
    assert_int_equal(tokens, 1);
    strcpy(tracker_token, "another");
    expect_blocking(CASEHOOK_OK, 0);
    assert_int_equal(tokens, 2);
    assert_int_equal(refused, 1);
    end();
}

/* All that were under way with the old one are refused, and one gets the new one for all. */
static void refused_for_many(void **state)
{
    (void)state;
    begin(NULL);
    expect_blocking(CASEHOOK_OK, 0);
    strcpy(tracker_token, "another");
    submit(500, 0);
    assert_int_equal(finish(CASEHOOK_OK, CASEHOOK_STEP_NONE), 500);
    assert_int_equal(tokens, 2);
    assert_in_range(refused, 1, 8);
    end();
}

/* ---- it fails ------------------------------------------------------------------------------------ */

static void all_that_wait_fail_with_it(void **state)
{
    (void)state;
    begin(NULL);
    fail_token_from = 1;
    submit(1000, 0);
    struct casehook_result *result = pull();
    const struct casehook_error *error = casehook_result_error(result);
    assert_int_equal(casehook_error_outcome(error), CASEHOOK_OUTCOME_NOT_SENT);
    assert_int_equal(casehook_error_http_status(error), 401);
    assert_non_null(strstr(casehook_error_message(error), "invalid_client"));
    assert_null(strstr(casehook_error_message(error), "s3cret?"));
    casehook_result_free(result);
    assert_int_equal(finish(CASEHOOK_E_HTTP_STATUS, CASEHOOK_STEP_TOKEN), 999);
    assert_in_range(tokens, 1, 2);
    assert_int_equal(requests, 0);
    end();
}

/* The old one will do, and it is not asked for again at once. */
static void a_renewal_that_fails(void **state)
{
    (void)state;
    begin(NULL);
    expect_blocking(CASEHOOK_OK, 0);
    fail_token_from = 2;
    token_status = 503;
    fake.now += 91000;
    for (int i = 0; i < 50; i++) expect_blocking(CASEHOOK_OK, 0);
    assert_int_equal(tokens, 2);
    fake.now = token_at[0] + 96000; /* half of what was left */
    expect_blocking(CASEHOOK_OK, 0);
    assert_int_equal(tokens, 3);
    fake.now = token_at[0] + 100000;
    expect_blocking(CASEHOOK_E_HTTP_STATUS, 0);
    assert_int_equal(tokens, 4);
    end();
}

static void asked_for_again(void **state)
{
    (void)state;
    begin("{\"run.maxAttempts\":3,\"retry.baseDelay\":\"1s\"}");
    fail_token_from = 1;
    token_status = 503;
    submit(100, 0);
    assert_int_equal(finish(CASEHOOK_E_HTTP_STATUS, CASEHOOK_STEP_TOKEN), 100);
    assert_int_equal(tokens, 3);
    end();
}

static void no_attempt_is_used_up(void **state)
{
    (void)state;
    begin("{\"run.maxAttempts\":2}");
    expect_blocking(CASEHOOK_OK, 0);
    strcpy(tracker_token, "another");
    struct casehook_result *result = block(0);
    assert_null(casehook_result_error(result));
    assert_int_equal(casehook_result_request_count(result), 4); /* 401, token, create, get */
    casehook_result_free(result);
    end();
}

/* Nor is one of those that a find lets a create have, or a find has of its own (D3). */
static void no_attempt_of_finding_is_used_up(void **state)
{
    (void)state;
    for (int withdrawn = 0; withdrawn < 2; withdrawn++) {
        begin_with(CONFIG FIND, NULL);
        expect_blocking(CASEHOOK_OK, 0);
        if (withdrawn) strcpy(tracker_token, "another");
        lose_create = 1;
        expect_blocking(CASEHOOK_OK, 0); /* looked for twice, and made once more */
        assert_int_equal(finds, 2);
        assert_int_equal(refused, withdrawn);
        if (withdrawn) strcpy(tracker_token, "another");
        lose_create = 1;
        find_status = 503;
        expect_blocking(CASEHOOK_E_NETWORK, 0);
        assert_int_equal(finds, 3);
        end();
    }
}

/* ---- whoever was to get it is gone --------------------------------------------------------------- */

static void the_owner_is_cancelled(void **state)
{
    (void)state;
    begin(NULL);
    uint64_t first = submit(100, 0);
    casehook_loop_wait(loop, 0); /* it has begun */
    assert_int_equal(tokens, 1);
    casehook_loop_cancel(loop, first);
    struct casehook_result *result = pull();
    assert_int_equal(casehook_error_status(casehook_result_error(result)), CASEHOOK_E_CANCELLED);
    assert_int_equal(casehook_error_outcome(casehook_result_error(result)), CASEHOOK_OUTCOME_NOT_SENT);
    casehook_result_free(result);
    assert_int_equal(finish(CASEHOOK_OK, CASEHOOK_STEP_NONE), 99);
    assert_int_equal(tokens, 2);
    end();
}

static void the_time_of_the_owner_is_over(void **state)
{
    (void)state;
    begin(NULL);
    token_takes = 5000;
    submit(1, 1000);
    submit(50, 0);
    struct casehook_result *result = pull();
    assert_int_equal(casehook_error_status(casehook_result_error(result)), CASEHOOK_E_TIMEOUT);
    casehook_result_free(result);
    assert_int_equal(finish(CASEHOOK_OK, CASEHOOK_STEP_NONE), 50);
    assert_int_equal(tokens, 2);
    end();
}

/* It never had a connection, and the token that it would have sent was about to be renewed. */
static void late_when_a_renewal_is_due(void **state)
{
    (void)state;
    begin(NULL);
    expect_blocking(CASEHOOK_OK, 0);
    requests = 0;
    fake.now = token_at[0] + 85000;
    request_takes = 10000;
    submit(8, 0);
    submit(1, 8000);
    struct casehook_result *result = pull();
    const struct casehook_error *error = casehook_result_error(result);
    assert_int_equal(casehook_error_status(error), CASEHOOK_E_TIMEOUT);
    assert_int_equal(casehook_error_outcome(error), CASEHOOK_OUTCOME_NOT_SENT);
    casehook_result_free(result);
    assert_int_equal(finish(CASEHOOK_OK, CASEHOOK_STEP_NONE), 8);
    assert_int_equal(requests, 16);
    end();
}

static void one_that_waits_is_cancelled_or_late(void **state)
{
    (void)state;
    begin(NULL);
    token_takes = 5000;
    submit(1, 0);
    uint64_t second = submit(1, 0);
    submit(1, 1000);
    casehook_loop_wait(loop, 0);
    casehook_loop_cancel(loop, second);
    struct casehook_result *result = pull();
    assert_int_equal(casehook_error_status(casehook_result_error(result)), CASEHOOK_E_CANCELLED);
    casehook_result_free(result);
    result = pull();
    assert_int_equal(casehook_error_status(casehook_result_error(result)), CASEHOOK_E_TIMEOUT);
    casehook_result_free(result);
    assert_int_equal(finish(CASEHOOK_OK, CASEHOOK_STEP_NONE), 1);
    assert_int_equal(tokens, 1);
    end();
}

static void an_exchange_is_freed(void **state)
{
    (void)state;
    begin(NULL);
    hold_by_exchange();
    submit(20, 0);
    casehook_loop_wait(loop, 0);
    assert_int_equal(tokens, 0);
    let_go(NULL, 0);
    assert_int_equal(finish(CASEHOOK_OK, CASEHOOK_STEP_NONE), 20);
    assert_int_equal(tokens, 1);
    end();
}

static void an_exchange_is_freed_while_one_blocks(void **state)
{
    (void)state;
    begin(NULL);
    hold_by_exchange();
    fake.pause = let_go;
    int64_t began = fake.now;
    expect_blocking(CASEHOOK_OK, 0);
    assert_int_equal(tokens, 1);
    assert_int_equal(fake.pauses, 1);
    assert_in_range(fake.now - began, 0, 1000);
    end();
}

static void an_exchange_gets_it_while_one_blocks(void **state)
{
    (void)state;
    begin(NULL);
    hold_by_exchange();
    fake.pause = answer_held;
    expect_blocking(CASEHOOK_OK, 0);
    assert_int_equal(tokens, 0);
    assert_int_equal(fake.pauses, 1);
    end();
}

/* That it began is told, for it says what is not wrong; a token may be in it, which is not. */
static void an_answer_breaks_off(void **state)
{
    static const char body[] = "{\"access_token\":\"canary";
    (void)state;
    begin(NULL);
    hold_by_exchange();
    assert_int_equal(casehook_exchange_feed_partial(exchange, 200, NULL, 0, body, sizeof body - 1,
                                                    CASEHOOK_E_NETWORK, "it broke off"),
                     CASEHOOK_OK);
    struct casehook_result *result = casehook_exchange_result(exchange);
    const char *message = casehook_error_message(casehook_result_error(result));
    assert_non_null(strstr(message, "it broke off; the server had begun to answer 200"));
    assert_null(strstr(message, "canary"));
    assert_int_equal(casehook_error_step(casehook_result_error(result)), CASEHOOK_STEP_TOKEN);
    casehook_result_free(result);
    end();
}

/* A host that never answers holds nobody up for longer than a request may take. */
static void an_exchange_is_forgotten(void **state)
{
    (void)state;
    begin("{\"responseTimeout\":\"10s\"}");
    hold_by_exchange();
    int64_t began = fake.now;
    expect_blocking(CASEHOOK_OK, 0);
    assert_int_equal(tokens, 1);
    assert_in_range(fake.now - began, 10000, 20000);
    /* What it hears at last is a token like any other. */
    answer_held(NULL, 0);
    strcpy(tracker_token, "Bearer T0");
    strict = true;
    expect_blocking(CASEHOOK_OK, 0);
    assert_int_equal(tokens, 1);
    assert_int_equal(refused, 0);
    end();
}

static void a_deadline_passes_while_one_blocks(void **state)
{
    (void)state;
    begin(NULL);
    hold_by_exchange();
    expect_blocking(CASEHOOK_E_TIMEOUT, 3000);
    assert_int_equal(requests + tokens, 0);
    end();
}

/* It is told to come again no longer than it has time. */
static void a_deadline_passes_while_an_exchange_waits(void **state)
{
    static const struct casehook_params params = {.struct_size = sizeof params, .title = "t"};
    const struct casehook_options options = {.struct_size = sizeof options, .deadline_ms = 3000};
    struct casehook_exchange *other = NULL;
    struct casehook_http_request request = {.struct_size = sizeof request};
    (void)state;
    begin(NULL);
    hold_by_exchange();
    assert_int_equal(casehook_exchange_new(connector, CASEHOOK_CREATE, &params, &options, &other, NULL),
                     CASEHOOK_OK);
    int64_t began = fake.now;
    int turn;
    while ((turn = casehook_exchange_next(other, &request)) == CASEHOOK_EXCHANGE_WAIT) {
        assert_in_range(request.wait_ms, 1, 1000);
        fake.now += request.wait_ms;
    }
    assert_int_equal(turn, CASEHOOK_EXCHANGE_ENDED);
    assert_int_equal(fake.now - began, 3000);
    struct casehook_result *result = casehook_exchange_result(other);
    const struct casehook_error *error = casehook_result_error(result);
    assert_int_equal(casehook_error_status(error), CASEHOOK_E_TIMEOUT);
    assert_int_equal(casehook_error_outcome(error), CASEHOOK_OUTCOME_NOT_SENT);
    assert_true(casehook_error_retryable(error));
    casehook_result_free(result);
    casehook_exchange_free(other);
    end();
}

/* It is told to come again, and does so until the token is there. */
static void an_exchange_waits(void **state)
{
    static const struct casehook_params params = {.struct_size = sizeof params, .title = "t"};
    struct casehook_exchange *other = NULL;
    struct casehook_http_request request = {.struct_size = sizeof request};
    (void)state;
    begin(NULL);
    hold_by_exchange();
    assert_int_equal(casehook_exchange_new(connector, CASEHOOK_CREATE, &params, NULL, &other, NULL),
                     CASEHOOK_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(casehook_exchange_next(other, &request), CASEHOOK_EXCHANGE_WAIT);
        assert_in_range(request.wait_ms, 1, 1000);
        fake.now += request.wait_ms;
    }
    answer_held(NULL, 0);
    assert_int_equal(casehook_exchange_next(other, &request), CASEHOOK_EXCHANGE_REQUEST);
    assert_int_equal(request.step, CASEHOOK_STEP_CREATE);
    bool found = false;
    for (size_t i = 0; i < request.header_count; i++)
        found |= !strcmp(request.headers[i].name, "Authorization") &&
                 !strcmp(request.headers[i].value, "Bearer T0");
    assert_true(found);
    casehook_exchange_free(other);
    end();
}

/* ---- previews ------------------------------------------------------------------------------------ */

/* While the circuit is open nothing is sent, to the authorization server neither (D6). */
static void no_token_for_an_open_circuit(void **state)
{
    (void)state;
    begin("{\"circuit.failures\":1,\"circuit.pause\":\"60s\"}");
    life = "1";
    down = true;
    expect_blocking(CASEHOOK_E_HTTP_STATUS, 0);
    fake.now += 2000;
    expect_blocking(CASEHOOK_E_UNAVAILABLE, 0);
    assert_int_equal(tokens, 1);
    assert_int_equal(requests, 1);
    down = false;
    fake.now += 60000;
    expect_blocking(CASEHOOK_OK, 0);
    assert_int_equal(tokens, 2);
    end();
}

/* Requests and answers whole, but nothing of a token: of what is refused neither, where one is in it. */
static void a_trace_shows_none(void **state)
{
    static const char *const refusals[] = {
        "{\"error\":\"invalid_client\",\"error_description\":\"who\"}", "{\"access_token\":\"canary\"}",
        "{\"error\":\"x\",\"refresh_token\": \"canary\"}", "{\"id_token\":\"canary\"}"};
    (void)state;
    log_level = CASEHOOK_LOG_TRACE;
    begin(NULL);
    expect_blocking(CASEHOOK_OK, 0);
    assert_non_null(strstr(logged, "> Authorization: ***"));
    assert_non_null(strstr(logged, "< ***"));
    assert_null(strstr(logged, "access_token"));
    assert_null(strstr(logged, "s3cret"));
    end();
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        begin(NULL);
        fail_token_from = 1;
        token_refusal = refusals[i];
        expect_blocking(CASEHOOK_E_HTTP_STATUS, 0);
        assert_null(strstr(logged, "canary"));
        assert_int_equal(strstr(logged, "< {\"error\":\"invalid_client\"") != NULL, i == 0);
        end();
    }
    log_level = 0;
}

static void a_preview_shows_it_masked(void **state)
{
    static const struct casehook_params params = {.struct_size = sizeof params, .title = "t"};
    struct casehook_result *result = NULL;
    (void)state;
    begin(NULL);
    expect_blocking(CASEHOOK_OK, 0); /* there is one, which it does not show */
    assert_int_equal(casehook_preview(connector, CASEHOOK_CREATE, &params, &result), CASEHOOK_OK);
    const char *json = casehook_result_json(result, NULL);
    assert_int_equal(casehook_result_request_count(result), 3);
    assert_int_equal(casehook_result_request_step(result, 0), CASEHOOK_STEP_TOKEN);
    assert_non_null(strstr(json, "client_secret=***"));
    assert_non_null(strstr(json, "\"Authorization\":\"***\""));
    assert_non_null(strstr(json, "application/x-www-form-urlencoded"));
    assert_null(strstr(json, "s3cret"));
    assert_null(strstr(json, "Bearer T"));
    casehook_result_free(result);
    assert_int_equal(tokens, 1);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_request_for_a_thousand),
        cmocka_unit_test(renewed_before_its_end),
        cmocka_unit_test(a_long_life),
        cmocka_unit_test(a_life_in_other_words),
        cmocka_unit_test(until_it_is_refused),
        cmocka_unit_test(refused_for_many),
        cmocka_unit_test(all_that_wait_fail_with_it),
        cmocka_unit_test(a_renewal_that_fails),
        cmocka_unit_test(asked_for_again),
        cmocka_unit_test(no_attempt_is_used_up),
        cmocka_unit_test(no_attempt_of_finding_is_used_up),
        cmocka_unit_test(the_owner_is_cancelled),
        cmocka_unit_test(the_time_of_the_owner_is_over),
        cmocka_unit_test(late_when_a_renewal_is_due),
        cmocka_unit_test(one_that_waits_is_cancelled_or_late),
        cmocka_unit_test(an_exchange_is_freed),
        cmocka_unit_test(an_exchange_is_freed_while_one_blocks),
        cmocka_unit_test(an_exchange_gets_it_while_one_blocks),
        cmocka_unit_test(an_exchange_is_forgotten),
        cmocka_unit_test(a_deadline_passes_while_one_blocks),
        cmocka_unit_test(an_answer_breaks_off),
        cmocka_unit_test(a_deadline_passes_while_an_exchange_waits),
        cmocka_unit_test(an_exchange_waits),
        cmocka_unit_test(no_token_for_an_open_circuit),
        cmocka_unit_test(a_trace_shows_none),
        cmocka_unit_test(a_preview_shows_it_masked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
