/* test_settings_retry.c - the settings of attempts, delays, rate and circuit (D1, D2, D6). */
#include "settings/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static struct casehook__settings_snapshot *settings;
static struct casehook__errors errors;

static int load(const char *json)
{
    casehook__errors_init(&errors, NULL);
    return casehook__settings_read(NULL, casehook__text(json), NULL, &settings, &errors);
}

static void load_well(const char *json)
{
    if (load(json)) fail_msg("%s: %s: %s", json, errors.first->field, errors.first->message);
}

static void defaults(void **state)
{
    static const int counting[] = {408, 425, 429, 500, 502, 503, 504};
    size_t next = 0;
    (void)state;
    load_well("{}");
    const struct casehook__retry *retry = &settings->retry;
    assert_int_equal(retry->max_attempts, 1);
    assert_int_equal(retry->base_delay_ms, 1000);
    assert_int_equal(retry->max_delay_ms, 30000);
    assert_int_equal(retry->max_retry_after_ms, 300000);
    assert_int_equal(retry->find_delay_ms, 2000);
    assert_int_equal(retry->deadline_ms, 0);
    for (int status = 400; status <= 599; status++) {
        bool counts = next < 7 && counting[next] == status;
        assert_int_equal(casehook__retry_has_status(retry, status), counts);
        next += counts;
    }
    assert_int_equal(settings->limits.rate_requests, 0);
    assert_int_equal(settings->limits.circuit_failures, 0);
    casehook__settings_unref(settings);
}

/* Nested, dotted, with the prefix of the reference. */
static void all_of_them(void **state)
{
    static const char *const forms[] = {
        "{\"run\":{\"maxAttempts\":10},\"retry\":{\"baseDelay\":\"50ms\",\"maxDelay\":\"2m\","
        "\"maxRetryAfter\":\"1h\","
        "\"deadline\":\"1d\",\"findDelay\":1500,\"statuses\":[400,503,599]},\"rateLimit\":{\"requests\":100,"
        "\"per\":\"1m\",\"burst\":7},\"circuit\":{\"failures\":5,\"pause\":\"10s\"}}",
        "{\"run.maxAttempts\":10,\"retry.baseDelay\":\"50\",\"retry.maxDelay\":\"120s\",\"retry."
        "maxRetryAfter\":3600000,"
        "\"retry.deadline\":\"24h\",\"retry.findDelay\":\"1500ms\",\"retry.statuses\":[599,400,503,503],"
        "\"rateLimit.requests\":100,\"rateLimit.per\":60000,\"rateLimit.burst\":7,\"circuit.failures\":5,"
        "\"circuit.pause\":\"10000\"}",
        "{\"xpack.actions.run.maxAttempts\":10,\"xpack.actions.retry\":{\"baseDelay\":\"50ms\",\"maxDelay\":"
        "\"2m\","
        "\"maxRetryAfter\":\"1h\",\"deadline\":\"1d\",\"findDelay\":1500,\"statuses\":[400,503,599]},"
        "\"xpack\":{\"actions\":{\"rateLimit\":{\"requests\":100,\"per\":\"1m\",\"burst\":7}}},"
        "\"circuit.failures\":5,\"circuit.pause\":\"10s\"}"};
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        load_well(forms[i]);
        const struct casehook__retry *retry = &settings->retry;
        const struct casehook__limits *limits = &settings->limits;
        assert_int_equal(retry->max_attempts, 10);
        assert_int_equal(retry->base_delay_ms, 50);
        assert_int_equal(retry->max_delay_ms, 120000);
        assert_int_equal(retry->max_retry_after_ms, 3600000);
        assert_int_equal(retry->deadline_ms, 86400000);
        assert_int_equal(retry->find_delay_ms, 1500);
        for (int status = 400; status <= 599; status++)
            assert_int_equal(casehook__retry_has_status(retry, status),
                             status == 400 || status == 503 || status == 599);
        assert_int_equal(limits->rate_requests, 100);
        assert_int_equal(limits->rate_per_ms, 60000);
        assert_int_equal(limits->rate_burst, 7);
        assert_int_equal(limits->circuit_failures, 5);
        assert_int_equal(limits->circuit_pause_ms, 10000);
        casehook__settings_unref(settings);
    }
}

static void what_follows_from_others(void **state)
{
    (void)state;
    load_well("{\"rateLimit.requests\":20,\"circuit.failures\":1,\"retry.statuses\":[],\"retry.deadline\":"
              "\"99999Y\"}");
    assert_int_equal(settings->limits.rate_burst, 20);
    assert_int_equal(settings->limits.rate_per_ms, 1000);
    assert_int_equal(settings->limits.circuit_pause_ms, 30000);
    assert_int_equal(settings->retry.deadline_ms, CASEHOOK__DURATION_MAX_MS);
    for (int status = 400; status <= 599; status++)
        assert_false(casehook__retry_has_status(&settings->retry, status));
    casehook__settings_unref(settings);
}

static void expect_fault(const char *json, const char *field, const char *says)
{
    char full[96];
    snprintf(full, sizeof full, "settings.%s", field);
    if (!load(json)) fail_msg("%s was taken", json);
    if (strcmp(errors.first->field, full) != 0 || !strstr(errors.first->message, says) || errors.count != 1)
        fail_msg("%s: %zu faults, %s: %s", json, errors.count, errors.first->field, errors.first->message);
    assert_null(settings);
    casehook_error_free(errors.first);
}

/* Every time in every wrong form; every number out of its range. */
static void refused(void **state)
{
    static const char *const times[] = {"retry.baseDelay", "retry.maxDelay",  "retry.maxRetryAfter",
                                        "retry.deadline",  "retry.findDelay", "rateLimit.per",
                                        "circuit.pause"};
    static const char *const forms[][2] = {
        {"0", "longer than 0"},    {"\"0s\"", "longer than 0"}, {"-1", "not a time"},
        {"\"-1s\"", "not a time"}, {"\"\"", "not a time"},      {"\"soon\"", "not a time"},
        {"1.5", "a text or"},      {"\"1.5s\"", "not a time"},  {"\"5 s\"", "not a time"},
        {"null", "a text or"},     {"true", "a text or"},       {"[\"5s\"]", "a text or"},
        {"{}", "a text or"}};
    static const char *const numbers[] = {"run.maxAttempts", "rateLimit.requests", "rateLimit.burst",
                                          "circuit.failures"};
    static const char *const wrong[][2] = {{"0", "out of range: write 1 to"},
                                           {"-1", "out of range: write 1 to"},
                                           {"1000001", "out of range: write 1 to"},
                                           {"9999999999999", "out of range: write 1 to"},
                                           {"\"5\"", "a whole number"},
                                           {"1.0", "a whole number"},
                                           {"null", "a whole number"},
                                           {"[5]", "a whole number"}};
    char json[256];
    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        for (size_t j = 0; j < sizeof forms / sizeof *forms; j++) {
            bool rate = strncmp(times[i], "rate", 4) == 0, circuit = strncmp(times[i], "circuit", 7) == 0;
            snprintf(json, sizeof json, "{\"%s\":%s%s%s}", times[i], forms[j][0],
                     rate ? ",\"rateLimit.requests\":5" : "", circuit ? ",\"circuit.failures\":5" : "");
            expect_fault(json, times[i], forms[j][1]);
        }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        for (size_t j = 0; j < sizeof wrong / sizeof *wrong; j++) {
            snprintf(json, sizeof json, "{\"%s\":%s%s}", numbers[i], wrong[j][0],
                     strcmp(numbers[i], "rateLimit.burst") == 0 ? ",\"rateLimit.requests\":5" : "");
            expect_fault(json, numbers[i], wrong[j][1]);
        }
    expect_fault("{\"retry.statuses\":[503,399]}", "retry.statuses[1]", "400 to 599");
    expect_fault("{\"retry.statuses\":[600]}", "retry.statuses[0]", "400 to 599");
    expect_fault("{\"retry.statuses\":[5030000000000]}", "retry.statuses[0]", "400 to 599");
    expect_fault("{\"retry.statuses\":[null]}", "retry.statuses[0]", "400 to 599");
    expect_fault("{\"retry.statuses\":{}}", "retry.statuses", "a list");
    expect_fault("{\"retry.maxAttempts\":3}", "retry.maxAttempts", "did you mean");
    expect_fault("{\"retry.basedelay\":3}", "retry.basedelay", "\"retry.baseDelay\"");
    expect_fault("{\"retry\":5}", "retry", "an object");
    expect_fault("{\"rateLimit\":100}", "rateLimit", "an object");
    expect_fault("{\"retry\":{\"findDelay\":\"1s\"},\"retry.findDelay\":\"1s\"}", "retry.findDelay", "twice");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(defaults), cmocka_unit_test(all_of_them),
                                       cmocka_unit_test(what_follows_from_others), cmocka_unit_test(refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
