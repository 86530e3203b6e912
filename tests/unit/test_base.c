/* test_base.c - allocation, buffers, text, errors, hashes. */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void buffer_keeps_its_ceiling(void **state)
{
    (void)state;
    struct casehook__buf buf;
    casehook__buf_init(&buf, NULL, 10);
    assert_int_equal(casehook__buf_append_string(&buf, "12345678"), CASEHOOK_OK);
    assert_int_equal(casehook__buf_append_string(&buf, "901"), CASEHOOK_E_LIMIT);
    assert_int_equal(casehook__buf_append_char(&buf, '9'), CASEHOOK_E_LIMIT); /* a failure sticks */
    assert_string_equal(casehook__buf_string(&buf), "12345678");
    casehook__buf_clear(&buf);
    assert_int_equal(casehook__buf_append_string(&buf, "1234567890"), CASEHOOK_OK);
    casehook__buf_free(&buf);
    assert_string_equal(casehook__buf_string(&buf), "");
}

static void buffer_writes_numbers(void **state)
{
    (void)state;
    struct casehook__buf buf;
    casehook__buf_init(&buf, NULL, 100);
    casehook__buf_append_number(&buf, INT64_MIN);
    casehook__buf_append_char(&buf, ' ');
    casehook__buf_append_number(&buf, 0);
    assert_string_equal(casehook__buf_string(&buf), "-9223372036854775808 0");
    casehook__buf_free(&buf);
}

static void number_text_is_bounded(void **state)
{
    (void)state;
    uint64_t value = 0;
    assert_true(casehook__text_number(casehook__text("18446744073709551615"), UINT64_MAX, &value));
    assert_true(value == UINT64_MAX);
    assert_false(casehook__text_number(casehook__text("18446744073709551616"), UINT64_MAX, &value));
    assert_true(casehook__text_number(casehook__text("65535"), 65535, &value));
    assert_false(casehook__text_number(casehook__text("65536"), 65535, &value));
    assert_false(casehook__text_number(casehook__text(""), 10, &value));
    assert_false(casehook__text_number(casehook__text("-1"), 10, &value));
}

static void nearest_name(void **state)
{
    (void)state;
    static const char *const known[] = {"createIncidentUrl", "viewIncidentUrl", "ca"};
    assert_string_equal(casehook__nearest(casehook__text("createIncidenturl"), known, 3),
                        "createIncidentUrl");
    assert_string_equal(casehook__nearest(casehook__text("viewIncidentURI"), known, 3), "viewIncidentUrl");
    assert_null(casehook__nearest(casehook__text("something else"), known, 3));
    /* The beginning of one name, and of one only; a name that is there twice is one. */
    const char *const longer[] = {"description", "descriptor", "severity", "severity"};
    assert_string_equal(casehook__nearest(casehook__text("sev"), longer, 4), "severity");
    assert_null(casehook__nearest(casehook__text("descr"), longer, 4));
    assert_string_equal(casehook__nearest(casehook__text("descr"), longer, 1), "description");
    assert_null(casehook__nearest(casehook__text("se"), longer, 4));
}

static void utf8_sequences(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t length;
    } cases[] = {
        {"a", 1},        {"\xC3\xA9", 2},     {"\xE2\x82\xAC", 3}, {"\xF0\x9F\x94\xA5", 4},
        {"\xC0\x80", 0}, {"\xE0\x80\x80", 0}, {"\xED\xA0\x80", 0}, {"\xF4\x90\x80\x80", 0},
        {"\xE2\x82", 0}, {"\x80", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(casehook__utf8_length(cases[i].bytes, strlen(cases[i].bytes)), cases[i].length);
}

static void long_messages_end_between_characters(void **state)
{
    (void)state;
    struct casehook_error error = {0};
    casehook__error_init(&error);
    char text[4000];
    for (size_t i = 0; i < sizeof text; i++) text[i] = "\xE2\x82\xAC"[i % 3];
    for (int shift = 0; shift < 3; shift++) {
        casehook__fail(&error, CASEHOOK_E_CONFIG, "%.*s%.*s", shift, "abc", 3999, text);
        size_t length = strlen(error.message);
        assert_true(length < sizeof error.message);
        assert_string_equal(error.message + length - 3, "...");
        for (size_t i = 0; i < length;) {
            size_t n = casehook__utf8_length(error.message + i, length - i);
            assert_int_not_equal(n, 0);
            i += n;
        }
    }
    casehook__fail(&error, CASEHOOK_E_CONFIG, "%s",
                   "a\nb\x80"
                   "c\x7f");
    assert_string_equal(error.message, "a?b?c?");
    /* CSI, NEL, and the separators of lines and paragraphs; their neighbours stay. */
    casehook__fail(&error, CASEHOOK_E_CONFIG, "%s",
                   "\xC2\x9B"
                   "1m\xC2\x85\xC2\xA0\xE2\x80\xA7\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xAA\xC3\x9B");
    assert_string_equal(error.message, "??1m??\xC2\xA0\xE2\x80\xA7??????\xE2\x80\xAA\xC3\x9B");
}

static void errors_of_a_document(void **state)
{
    (void)state;
    struct casehook__errors errors;
    struct casehook_error *error = NULL;
    casehook__errors_init(&errors, NULL);
    assert_int_equal(casehook__errors_finish(&errors, &error), CASEHOOK_OK);
    assert_null(error);
    casehook__errors_init(&errors, NULL);
    for (int i = 0; i < CASEHOOK__ERRORS_MAX + 5; i++)
        casehook__fail(casehook__errors_add(&errors, "config.x"), CASEHOOK_E_CONFIG, "fault %d", i);
    assert_int_equal(casehook__errors_finish(&errors, &error), CASEHOOK_E_CONFIG);
    assert_string_equal(casehook_error_message(error), "config.x: fault 0");
    size_t count = 0;
    const struct casehook_error *last = NULL;
    for (const struct casehook_error *e = error; e; e = casehook_error_next(e), count++) last = e;
    assert_int_equal(count, CASEHOOK__ERRORS_MAX);
    assert_string_equal(casehook_error_message(last), "and 6 more faults");
    casehook_error_free(error);
}

/* What the caller gets is a sentence by itself, whichever of the two is known first. */
static void messages_begin_with_their_field(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"title", "is missing: a case needs a title", "title is missing: a case needs a title"},
        {"comments[0].commentId", "must be a string, not a number",
         "comments[0].commentId must be a string, not a number"},
        {"config.x", "there is no such field; remove it", "config.x: there is no such field; remove it"},
        {"config.x", "issues have no such field", "config.x: issues have no such field"},
        {"proxyOnlyHosts", "excludes proxyBypassHosts", "proxyOnlyHosts excludes proxyBypassHosts"},
        {"", "json is NULL", "json is NULL"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct casehook_error error;
        for (int field_first = 0; field_first < 2; field_first++) {
            casehook__error_init(&error);
            if (field_first) casehook__error_set_field(&error, cases[i][0]);
            casehook__fail(&error, CASEHOOK_E_PARAMS, "%s", cases[i][1]);
            if (!field_first) casehook__error_set_field(&error, cases[i][0]);
            assert_string_equal(casehook_error_message(&error), cases[i][2]);
            assert_string_equal(error.message, cases[i][1]);
        }
        struct casehook_error other = error;
        casehook__fail(&other, CASEHOOK_E_PARAMS, "%s; and more", error.message);
        casehook__error_take(&error, &other);
        size_t length = strlen(cases[i][2]);
        assert_memory_equal(casehook_error_message(&error), cases[i][2], length);
        assert_string_equal(casehook_error_message(&error) + length, "; and more");
    }
}

/* Longer than both may be. */
static void the_longest_field_and_message_fit(void **state)
{
    (void)state;
    struct casehook_error error;
    char field[2 * CASEHOOK__ERROR_FIELD_SIZE], message[2 * CASEHOOK__ERROR_MESSAGE_SIZE];
    memset(field, 'f', sizeof field);
    memset(message, 'm', sizeof message);
    field[sizeof field - 1] = message[sizeof message - 1] = '\0';
    casehook__error_init(&error);
    casehook__error_set_field(&error, field);
    casehook__fail(&error, CASEHOOK_E_CONFIG, "%s", message);
    assert_int_equal(strlen(casehook_error_message(&error)),
                     CASEHOOK__ERROR_FIELD_SIZE - 1 + 2 + CASEHOOK__ERROR_MESSAGE_SIZE - 1);
}

static void *failing(void *user, void *pointer, size_t size)
{
    int *left = user;
    if (size == 0) {
        free(pointer);
        return NULL;
    }
    return (*left)-- > 0 ? realloc(pointer, size) : NULL;
}

static void errors_without_memory(void **state)
{
    (void)state;
    int left = 2;
    struct casehook_allocator allocator = {sizeof allocator, &left, failing, NULL};
    struct casehook__heap *heap = NULL;
    struct casehook__errors errors;
    struct casehook_error *error = NULL;
    assert_int_equal(casehook__heap_new(&allocator, &heap), CASEHOOK_OK);
    casehook__errors_init(&errors, heap);
    casehook__fail(casehook__errors_add(&errors, "a"), CASEHOOK_E_CONFIG, "kept");
    casehook__fail(casehook__errors_add(&errors, "b"), CASEHOOK_E_CONFIG, "lost");
    assert_int_equal(casehook__errors_finish(&errors, &error), CASEHOOK_E_NO_MEMORY);
    assert_int_equal(casehook_error_status(error), CASEHOOK_E_NO_MEMORY);
    /* Its JSON is there without memory, and is what would be made of it. */
    struct casehook_error same;
    casehook__error_init(&same);
    casehook__fail(&same, CASEHOOK_E_NO_MEMORY, "%s", casehook_error_message(error));
    same.retryable = casehook_error_retryable(error);
    size_t length = 0;
    assert_string_equal(casehook_error_json(error, &length), casehook_error_json(&same, NULL));
    assert_int_equal(length, strlen(casehook_error_json(error, NULL)));
    casehook__kept_free(NULL, &same.json);
    casehook_error_free(error);
    casehook__heap_unref(heap);
}

static void getters_accept_null(void **state)
{
    (void)state;
    assert_int_equal(casehook_error_status(NULL), CASEHOOK_OK);
    assert_string_equal(casehook_step_name(casehook_error_step(NULL)), "");
    assert_string_equal(casehook_error_field(NULL), "");
    assert_true(casehook_error_offset(NULL) == -1);
    assert_null(casehook_error_next(NULL));
    casehook_error_free(NULL);
}

static void status_names(void **state)
{
    (void)state;
    assert_string_equal(casehook_status_name(CASEHOOK_OK), "ok");
    assert_string_equal(casehook_status_name(CASEHOOK_E_NO_MEMORY), "no_memory");
    assert_string_equal(casehook_status_name(CASEHOOK_E_HTTP_STATUS), "http_status");
    assert_string_equal(casehook_status_name(CASEHOOK_E_SYSTEM), "system");
    assert_string_equal(casehook_status_name(-1000), "unknown");
    assert_string_equal(casehook_status_name(1), "unknown");
}

/* The vector of the paper that describes SipHash. */
static void hash_is_siphash(void **state)
{
    (void)state;
    static const unsigned char text[15] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
    const struct casehook__hash_key key = {{0x0706050403020100u, 0x0f0e0d0c0b0a0908u}};
    for (size_t cut = 0; cut <= sizeof text; cut++) {
        struct casehook__hash hash;
        casehook__hash_begin(&hash, &key);
        casehook__hash_add(&hash, text, cut);
        casehook__hash_add(&hash, text + cut, sizeof text - cut);
        assert_true(casehook__hash_end(&hash) == 0xa129ca6149be45e5u);
    }
}

static void hash_keys_differ(void **state)
{
    (void)state;
    struct casehook__hash_key one, other;
    assert_int_equal(casehook__hash_key_init(&one), CASEHOOK_OK);
    assert_int_equal(casehook__hash_key_init(&other), CASEHOOK_OK);
    assert_true(one.words[0] != other.words[0] && one.words[1] != other.words[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffer_keeps_its_ceiling),
        cmocka_unit_test(buffer_writes_numbers),
        cmocka_unit_test(number_text_is_bounded),
        cmocka_unit_test(nearest_name),
        cmocka_unit_test(utf8_sequences),
        cmocka_unit_test(long_messages_end_between_characters),
        cmocka_unit_test(errors_of_a_document),
        cmocka_unit_test(messages_begin_with_their_field),
        cmocka_unit_test(the_longest_field_and_message_fit),
        cmocka_unit_test(errors_without_memory),
        cmocka_unit_test(getters_accept_null),
        cmocka_unit_test(status_names),
        cmocka_unit_test(hash_is_siphash),
        cmocka_unit_test(hash_keys_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
