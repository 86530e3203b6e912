/* test_headers.c - the header set (C7). */
#include "settings/headers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct reading {
    struct casehook__headers headers;
    struct casehook__errors errors;
};

static void read_object(struct reading *reading, const char *json, bool secret, bool proxy)
{
    struct casehook__json *root = NULL;
    struct casehook_error error = {0};
    *reading = (struct reading){.headers = {0}};
    casehook__errors_init(&reading->errors, NULL);
    assert_int_equal(casehook__json_parse(NULL, casehook__text(json), &root, &error), CASEHOOK_OK);
    casehook__headers_read(&reading->headers, root, secret, proxy, "config.headers", &reading->errors);
    casehook__json_free(root);
}

static void finish(struct reading *reading)
{
    casehook__headers_free(&reading->headers);
    casehook_error_free(reading->errors.first);
}

static void accepts(void **state)
{
    (void)state;
    static const char *const good[] = {
        "{\"X-Org\":\"acme\"}",
        "{\"content-type\":\"application/vnd.api+json\"}",
        "{\"X!#$%&'*+.^_`|~-9\":\"1\"}",
        "{\"X-S\":\"a\\tb\"}",
        "{\"X-Empty\":\"\"}",
        "{\"X-V\":\"!\\\"#$%&'()*+,-./:;<=>?@[\\\\]^_`{|}~ \"}",
        "{\"X-T\":\"{{{external.system.id}}}\"}",
        "{\"Proxied\":\"1\"}",
        "{\"Authorization\":\"Bearer x\"}",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct reading reading;
        read_object(&reading, good[i], false, false);
        assert_null(reading.errors.first);
        assert_int_equal(reading.headers.count, 1);
        finish(&reading);
    }
}

static void refuses(void **state)
{
    (void)state;
    static const struct {
        const char *json, *field;
        int offset;
    } bad[] = {
        {"{\"\":\"v\"}", "config.headers.", -1},
        {"{\"X Bad\":\"v\"}", "config.headers.X Bad", -1},
        {"{\"X(Y)\":\"v\"}", "config.headers.X(Y)", -1},
        {"{\"X,Y\":\"v\"}", "config.headers.X,Y", -1},
        {"{\"X:\":\"v\"}", "config.headers.X:", -1},
        {"{\"X-\\u00dc\":\"v\"}", "config.headers.X-\xC3\x9C", -1},
        {"{\"X-A\":5}", "config.headers.X-A", -1},
        {"{\"X-A\":null}", "config.headers.X-A", -1},
        {"{\"X-A\":\"a\\r\\nX: 1\"}", "config.headers.X-A", 1},
        {"{\"X-A\":\"caf\\u00e9\"}", "config.headers.X-A", 3},
        {"{\"X-A\":\"a\\u0000b\"}", "config.headers.X-A", 1},
        {"{\"X-A\":\"ab\\u007f\"}", "config.headers.X-A", 2},
        {"{\"X-A\":\"\\u001b\"}", "config.headers.X-A", 0},
        {"{\"X-A\":\"a\",\"x-a\":\"b\"}", "config.headers.x-a", -1},
        {"{\"Host\":\"a\"}", "config.headers.Host", -1},
        {"{\"content-LENGTH\":\"1\"}", "config.headers.content-LENGTH", -1},
        {"{\"Transfer-Encoding\":\"1\"}", "config.headers.Transfer-Encoding", -1},
        {"{\"Connection\":\"1\"}", "config.headers.Connection", -1},
        {"{\"TE\":\"1\"}", "config.headers.TE", -1},
        {"{\"Trailer\":\"1\"}", "config.headers.Trailer", -1},
        {"{\"Upgrade\":\"1\"}", "config.headers.Upgrade", -1},
        {"{\"Expect\":\"1\"}", "config.headers.Expect", -1},
        {"{\"Proxy-Authorization\":\"1\"}", "config.headers.Proxy-Authorization", -1},
        {"{\"proxy-x\":\"1\"}", "config.headers.proxy-x", -1},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct reading reading;
        read_object(&reading, bad[i].json, false, false);
        assert_int_equal(reading.errors.count, 1);
        assert_string_equal(reading.errors.first->field, bad[i].field);
        assert_int_equal(reading.errors.first->offset, bad[i].offset);
        assert_int_equal(reading.errors.first->status, CASEHOOK_E_CONFIG);
        assert_int_equal(reading.errors.first->step, CASEHOOK_STEP_CONFIG);
        finish(&reading);
    }
}

static void all_faults_at_once(void **state)
{
    (void)state;
    struct reading reading;
    read_object(&reading, "{\"a b\":1,\"ok\":\"v\",\"Host\":\"h\"}", false, false);
    assert_int_equal(reading.errors.count, 3); /* the name and the value of the first */
    assert_int_equal(reading.headers.count, 1);
    finish(&reading);
}

static void values_stay_out_of_messages(void **state)
{
    (void)state;
    struct reading reading;
    read_object(&reading, "{\"X-Key\":\"s3cret\\nvalue\"}", true, false);
    assert_non_null(reading.errors.first);
    assert_null(strstr(reading.errors.first->message, "s3cret"));
    finish(&reading);
}

static void proxies_may_have_their_login(void **state)
{
    (void)state;
    struct reading reading;
    read_object(&reading, "{\"proxy-authorization\":\"Basic eDp5\",\"X-P\":\"1\"}", true, true);
    assert_null(reading.errors.first);
    assert_int_equal(reading.headers.count, 2);
    finish(&reading);
    read_object(&reading, "{\"Proxy-Connection\":\"1\",\"Host\":\"x\"}", true, true);
    assert_int_equal(reading.errors.count, 2);
    finish(&reading);
}

static void credentials_are_secret_by_name(void **state)
{
    (void)state;
    struct reading reading;
    read_object(&reading, "{\"AUTHORIZATION\":\"a\",\"cookie\":\"b\",\"X-Org\":\"c\"}", false, false);
    assert_true(reading.headers.items[0].secret);
    assert_true(reading.headers.items[1].secret);
    assert_false(reading.headers.items[2].secret);
    finish(&reading);
}

static void merging(void **state)
{
    (void)state;
    struct reading base, over;
    read_object(&base, "{\"X-Key\":\"public\",\"X-Other\":\"o\"}", false, false);
    read_object(&over, "{\"x-key\":\"secret\",\"X-New\":\"n\"}", true, false);
    assert_int_equal(casehook__headers_merge(&base.headers, &over.headers), CASEHOOK_OK);
    assert_int_equal(base.headers.count, 3);
    const struct casehook__header *found = casehook__headers_find(&base.headers, casehook__text("X-KEY"));
    assert_string_equal(found->value.data, "secret");
    assert_true(found->secret);
    assert_non_null(casehook__headers_find(&base.headers, casehook__text("x-new")));
    assert_null(casehook__headers_find(&base.headers, casehook__text("x-none")));
    finish(&base);
    finish(&over);
}

static void basic(void **state)
{
    (void)state;
    struct casehook__headers headers = {0};
    assert_int_equal(
        casehook__headers_add_basic(&headers, "Authorization", casehook__text("a"), casehook__text("b:c:")),
        CASEHOOK_OK);
    assert_string_equal(headers.items[0].value.data, "Basic YTpiOmM6");
    assert_true(headers.items[0].secret);
    casehook__headers_free(&headers);
    assert_int_equal(headers.count, 0);
}

static void counted(void **state)
{
    (void)state;
    static char json[16384];
    size_t length = 0;
    for (int i = 0; i <= CASEHOOK__HEADERS_MAX; i++)
        length += (size_t)snprintf(json + length, sizeof json - length, "%c\"X-%d\":\"\"", i ? ',' : '{', i);
    snprintf(json + length, sizeof json - length, "}");
    struct reading reading;
    read_object(&reading, json, false, false);
    assert_int_equal(reading.errors.count, 1);
    assert_int_equal(reading.headers.count, CASEHOOK__HEADERS_MAX);
    finish(&reading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts),
        cmocka_unit_test(refuses),
        cmocka_unit_test(all_faults_at_once),
        cmocka_unit_test(values_stay_out_of_messages),
        cmocka_unit_test(proxies_may_have_their_login),
        cmocka_unit_test(credentials_are_secret_by_name),
        cmocka_unit_test(merging),
        cmocka_unit_test(basic),
        cmocka_unit_test(counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
